//! Deployments of a drawn project, and the Docker engine of its host. Before you change it:
//! 1. They are drawn last and from a stream of their own, so that all else of a seed stays as it was.
//! 2. New instances may have a little less than the old ones, never so little that they could not carry the calm.
//! 3. Some begin after the storm. The last of them has to be over before the end is judged, a rollback and a pull included.

use super::dice::Dice;
use super::drawn::Drawn;
use super::drawn::DrawnService;
use crate::units::Bytes;
use crate::units::Span;
use std::fmt::Write;

/// Wide projects in a hundred with deployments, and with a Docker engine of which something is said.
const DEPLOY: u64 = 50;
const DOCKER: u64 = 40;
/// Deployments in a hundred that get too little time to become healthy.
const HASTY: u64 = 15;

/// All instances of a service are replaced by new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnDeployment {
    /// When it begins.
    pub at: Span,
    /// The service.
    pub service: String,
    /// What else is said of it: keys and values.
    pub more: Vec<(&'static str, String)>,
}

/// Gives a project deployments, and its host a Docker engine.
pub(super) fn draw(drawn: &mut Drawn) {
    let mut dice = Dice::new(drawn.seed, "swarm, Docker");
    if dice.chance(DOCKER) {
        docker(&mut dice, drawn);
    }
    let mut dice = Dice::new(drawn.seed, "swarm, deployments");
    if !dice.chance(DEPLOY) {
        return;
    }
    for _ in 0..dice.between(1, 3) {
        let service = dice.place(drawn.services.len());
        let at = at(&mut dice, drawn);
        add(&mut dice, drawn, service, at);
    }
    // New instances that never become healthy come about only where a deployment is on at that time.
    for (service, from) in sick(drawn) {
        if dice.chance(60) {
            let at = Span::from_secs(from.saturating_sub(dice.between(1, 60)).max(1));
            add(&mut dice, drawn, service, at);
        }
    }
}

fn docker(dice: &mut Dice, drawn: &mut Drawn) {
    if dice.chance(50) {
        drawn.docker.push(("update", format!("{}ms", dice.between(50, 20_000))));
    }
    if dice.chance(60) {
        drawn.docker.push(("cgroup", dice.one_of(&["v1", "v2", "v2"]).to_owned()));
    }
    if dice.chance(50) {
        drawn.docker.push(("download", Bytes::mebi(dice.between(10, 100)).get().to_string()));
        for service in &mut drawn.services {
            service.image_size = dice.chance(50).then(|| Bytes::mebi(dice.between(5, 400)));
        }
    }
}

/// When a deployment begins: in the storm, or in the quarter of an hour or more after it.
fn at(dice: &mut Dice, drawn: &Drawn) -> Span {
    let half = drawn.duration.secs() / 2;
    if dice.chance(70) { dice.seconds(60, half - 300) } else { dice.seconds(half, half + half / 4) }
}

/// The services whose new instances a fault makes ill, and from which second on.
fn sick(drawn: &Drawn) -> Vec<(usize, u64)> {
    let of = |fault: &String| {
        let (first, name) = fault.split_once(", unhealthy_green: ")?;
        let at = first.strip_prefix("at: ")?.split('s').next()?.parse().ok()?;
        Some((drawn.place_of(name)?, at))
    };
    drawn.faults.iter().filter_map(of).collect()
}

fn add(dice: &mut Dice, drawn: &mut Drawn, service: usize, at: Span) {
    let service = &drawn.services[service];
    let (name, more) = (service.name.clone(), more(dice, service));
    drawn.deployments.push(DrawnDeployment { at, service: name, more });
    drawn.deployments.sort_by_key(|deployment| deployment.at);
}

/// What is said of a deployment beside its time and its service.
fn more(dice: &mut Dice, service: &DrawnService) -> Vec<(&'static str, String)> {
    let mut more = Vec::new();
    if let Some(cpu) = service.limits.cpu.filter(|_| dice.chance(30)) {
        more.push(("cpu", cpu.scaled(dice.between(85, 100), 100).to_string()));
    }
    if let Some(memory) = service.limits.memory.filter(|_| dice.chance(30)) {
        more.push(("memory", memory.scaled(dice.between(90, 110), 100).get().to_string()));
    }
    if dice.chance(40) {
        more.push(("new_image", "true".to_owned()));
    }
    if dice.chance(60) {
        more.push(("order", dice.one_of(&["start-first", "stop-first"]).to_owned()));
    }
    if dice.chance(50) {
        more.push(("parallelism", dice.between(0, 3).to_string()));
    }
    for (key, low, high) in [("delay", 1, 10), ("interval", 1, 15), ("monitor", 0, 20), ("drain", 0, 30)] {
        if dice.chance(40) {
            more.push((key, dice.seconds(low, high).to_string()));
        }
    }
    if dice.chance(50) {
        // From the start to the first check that passes.
        let least = service.start_up.plus(service.check.unwrap_or(Span::ZERO).times(2)).secs();
        let span = if dice.chance(HASTY * 2) { dice.seconds(1, 30) } else { dice.seconds(60.max(least), 150) };
        more.push(("health_timeout", span.to_string()));
    }
    if dice.chance(40) {
        more.push(("max_failure_ratio", format!("{}%", dice.between(0, 100))));
    }
    if dice.chance(60) {
        more.push(("on_failure", dice.one_of(&["rollback", "rollback", "pause", "continue"]).to_owned()));
    }
    more
}

impl Drawn {
    /// The deployments and the Docker engine as the scenario file has them.
    pub(super) fn write_deployments(&self, text: &mut String) {
        if !self.docker.is_empty() {
            let _ = writeln!(text, "docker: {{ {} }}", flow(&self.docker));
        }
        if !self.deployments.is_empty() {
            text.push_str("deployments:\n");
        }
        for one in &self.deployments {
            let more = if one.more.is_empty() { String::new() } else { format!(", {}", flow(&one.more)) };
            let _ = writeln!(text, "  - {{ at: {}, service: {}{more} }}", one.at, one.service);
        }
    }
}

fn flow(pairs: &[(&'static str, String)]) -> String {
    pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(", ")
}
