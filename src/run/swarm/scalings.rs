//! Policies of a drawn project that change how many instances its services have. Before you change it:
//! 1. They are drawn last and from a stream of their own, so that all else of a seed stays as it was.
//! 2. There are never fewer instances than were drawn: these carry the calm. For more of them the host gets memory.

use super::dice::Dice;
use super::drawn::Drawn;
use super::drawn::DrawnService;
use crate::units::Bytes;
use std::fmt::Write;

/// Projects in a hundred with such policies, and services of those that have one.
const SCALED: u64 = 45;
const OF_SERVICES: u64 = 70;
/// Services in a hundred of those that hold data, so that nothing may come of it.
const STATEFUL: u64 = 10;

/// Policies by a rule of our own, which have cooldowns around them.
const OWN: [&str; 15] = [
    "aggressive",
    "api-performance",
    "balanced",
    "batch-cost-optimized",
    "conservative",
    "cost-optimized",
    "dev-minimal",
    "ml-gpu-optimized",
    "performance",
    "predictive",
    "vedfolnir-horizontal",
    "vedfolnir-points",
    "vedfolnir-triggers",
    "web-app-aggressive",
    "web-app-balanced",
];
/// Policies of the field, which rest by themselves, and the clock alone.
const OTHER: [&str; 8] =
    ["autopilot", "hpa", "kpa", "nomad-target-value", "nomad-threshold", "schedule", "step-scaling", "target-tracking"];
/// The one that has no range to choose from.
const CLOCK: &str = "schedule";

/// A policy that changes how many instances a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnScaling {
    /// The template it starts from.
    pub template: &'static str,
    /// Instances, at least and at most.
    pub replicas: (u32, u32),
    /// What else is said of it: keys and values.
    pub more: Vec<(&'static str, String)>,
}

/// Gives services of a project such policies.
pub(super) fn draw(drawn: &mut Drawn) {
    let mut dice = Dice::new(drawn.seed, "swarm, scalings");
    if !dice.chance(SCALED) {
        return;
    }
    let minutes = drawn.duration.secs() / 60;
    let mut extra = Bytes::ZERO;
    for service in &mut drawn.services {
        if !dice.chance(OF_SERVICES) {
            continue;
        }
        let scaling = scaling(&mut dice, service, minutes);
        let most = scaling.more_instances(service.replicas);
        // As much for each as the roomiest host has for those that were drawn.
        extra = extra.plus(service.idle_memory.scaled(u64::from(most) * 6, 1));
        service.stateful = dice.chance(STATEFUL);
        service.scaling = Some(scaling);
    }
    drawn.memory = drawn.memory.plus(extra);
}

fn scaling(dice: &mut Dice, service: &DrawnService, minutes: u64) -> DrawnScaling {
    let own = dice.chance(65);
    let template = if own { dice.one_of(&OWN) } else { dice.one_of(&OTHER) };
    let least = service.replicas;
    let range = |dice: &mut Dice| {
        let least = dice.few(least, least + 1);
        (least, if template == CLOCK { least } else { least + dice.few(1, 4) })
    };
    let replicas = range(dice);
    let mut more = Vec::new();
    if own && dice.chance(70) {
        let (up, down) = (dice.between(1, 5), dice.between(1, 10));
        more.push(("cooldown", format!("{{ up: {up}m, down: {down}m }}")));
    }
    if dice.chance(30) {
        more.push(("step", dice.between(1, 3).to_string()));
    }
    if dice.chance(20) {
        more.push(("per_host", dice.few(replicas.0, replicas.1 + 1).to_string()));
    }
    if own && dice.chance(20) {
        let (cpu, by) = (dice.between(40, 80), dice.between(1, 10));
        more.push(("ahead", format!("{{ cpu: {cpu}%, by: {by}m }}")));
    }
    if template == CLOCK || dice.chance(20) {
        let periods: Vec<String> = (0..dice.between(1, 2))
            .map(|_| {
                // A run begins at midnight.
                let from = dice.between(0, minutes - 2);
                let to = dice.between(from + 1, minutes);
                let time = |minute: u64| format!("\"{:02}:{:02}\"", minute / 60, minute % 60);
                let replicas = range(dice);
                format!("{{ from: {}, to: {}, replicas: {} }}", time(from), time(to), shown(replicas))
            })
            .collect();
        more.push(("schedule", format!("[{}]", periods.join(", "))));
    }
    DrawnScaling { template, replicas, more }
}

impl DrawnScaling {
    /// More instances than so many, at most.
    const fn more_instances(&self, than: u32) -> u32 {
        // A range of the schedule may begin one above, and be as wide.
        let most = if self.replicas.1 > than + 5 { self.replicas.1 } else { than + 5 };
        most - than
    }

    /// As a flow mapping of the scenario file.
    fn text(&self) -> String {
        let mut text = format!("{{ template: {}, replicas: {}", self.template, shown(self.replicas));
        for (key, value) in &self.more {
            let _ = write!(text, ", {key}: {value}");
        }
        text + " }"
    }
}

/// A range of instances, as a policy writes it.
fn shown((least, most): (u32, u32)) -> String {
    if least == most { least.to_string() } else { format!("{least}..{most}") }
}

impl Drawn {
    /// The policies as the scenario file has them.
    pub(super) fn write_policies(&self, text: &mut String) {
        let limits = self.policy.as_ref().map(|more| format!("{{ template: jacker-vertical{more} }}"));
        if self.services.iter().all(|service| service.scaling.is_none()) {
            if let Some(limits) = limits {
                let _ = writeln!(text, "policy: {limits}");
            }
            return;
        }
        let _ = writeln!(text, "policy:\n  default: {}", limits.as_deref().unwrap_or("none"));
        for service in &self.services {
            let Some(scaling) = &service.scaling else { continue };
            let (name, scaling) = (&service.name, scaling.text());
            let _ = match &limits {
                Some(limits) => writeln!(text, "  {name}:\n    - {limits}\n    - {scaling}"),
                None => writeln!(text, "  {name}: {scaling}"),
            };
        }
    }
}
