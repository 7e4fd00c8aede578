//! A project drawn from a seed. Before you change it:
//! 1. Each seed leaves out whole kinds of trouble and overdoes others, so that rare mixtures come about.
//! 2. In the second half nothing goes wrong, and the load is one that the host and every service can carry with room to
//!    spare: whatever the storm did, all has to be well again. For that every request has a timeout, since a backlog that
//!    nobody gives up may take longer to work off than the run lasts; and the policy may act as often as it likes in a day.

use super::drawn::Drawn;
use super::drawn::DrawnService;
use crate::model::Limits;
use crate::model::Restart;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// Most services of a project.
const SERVICES_MAX: u64 = 6;
/// Share of the CPU of a service, and of the host, that the calm load uses at most, in percent.
const CALM: u64 = 45;

/// Draws numbers.
struct Dice(Pcg64);

impl Dice {
    /// A whole number from `low` up to and including `high`.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(high - low + 1);
        low + u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    fn chance(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.place(all.len())]
    }

    /// A place in a list of this length.
    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.between(0, length as u64 - 1)).unwrap_or(0)
    }

    fn seconds(&mut self, low: u64, high: u64) -> Span {
        Span::from_secs(self.between(low, high))
    }
}

/// The project of a seed.
#[must_use]
pub fn draw(seed: u64) -> Drawn {
    let mut dice = Dice(Seed::new(seed).stream("swarm"));
    let cores = dice.between(1, 16);
    let duration = Span::from_mins(30 * dice.between(2, 6));
    let mut services: Vec<DrawnService> = Vec::new();
    for number in 0..dice.between(1, SERVICES_MAX) {
        services.push(service(&mut dice, number, cores));
    }
    connect(&mut dice, &mut services);
    let steal = Permille::percent(if dice.chance(70) { 0 } else { dice.between(1, 20) });
    let load = calm_load(&services, cores, steal);
    for (service, calm) in services.iter_mut().zip(load) {
        service.load = storm(&mut dice, calm, duration);
    }
    let held: u64 = services.iter().map(|service| service.idle_memory.get() * u64::from(service.replicas)).sum();
    let policy = dice.chance(75).then(|| settings(&mut dice));
    let faults = faults(&mut dice, &services, duration);
    Drawn {
        seed,
        duration,
        step: dice.one_of(&[Span::from_secs(1), Span::from_secs(1), Span::from_millis(500), Span::from_secs(3)]),
        cores: u32::try_from(cores).unwrap_or(1),
        memory: Bytes::new(held * dice.between(25, 60) / 10),
        steal,
        policy,
        scrape: dice.one_of(&[Span::from_secs(15), Span::from_secs(5), Span::from_secs(30)]),
        services,
        faults,
    }
}

fn service(dice: &mut Dice, number: u64, cores: u64) -> DrawnService {
    let idle = Bytes::mebi(dice.between(20, 400));
    let memory = dice.chance(80).then(|| idle.scaled(dice.between(15, 40), 10));
    let quota = dice.chance(75).then(|| Millicores::new(10 * dice.between(20, (cores * 100).min(400))));
    let restart = dice.one_of(&[Restart::Always, Restart::Always, Restart::UnlessStopped, Restart::OnFailure(None)]);
    let leaks = memory.is_some() && dice.chance(10);
    DrawnService {
        name: format!("service-{}", char::from(b'a' + u8::try_from(number).unwrap_or(0))),
        limits: Limits { cpu: quota, memory },
        replicas: if dice.chance(70) { 1 } else { u32::try_from(dice.between(2, 3)).unwrap_or(1) },
        weight: if dice.chance(70) { 1024 } else { dice.between(2, 8192) },
        check: dice.chance(60).then(|| dice.seconds(5, 30)),
        restart,
        work: Span::from_micros(100 * dice.between(2, 200)),
        spread: dice.one_of(&["constant", "exponential", "exponential", "heavy"]),
        request_memory: Bytes::new(if dice.chance(50) { 0 } else { dice.between(1, 256) << 10 }),
        calls: Vec::new(),
        workers: dice.chance(40).then(|| u32::try_from(dice.between(2, 64)).unwrap_or(2)),
        timeout: Some(dice.seconds(10, 60)),
        idle_memory: idle,
        leak: if leaks { Bytes::mebi(dice.between(10, 500)) } else { Bytes::ZERO },
        start_up: dice.seconds(0, 20),
        load: Vec::new(),
    }
}

/// Calls from earlier services to later ones.
fn connect(dice: &mut Dice, services: &mut [DrawnService]) {
    let names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    for (place, service) in services.iter_mut().enumerate() {
        for name in &names[place + 1..] {
            if dice.chance(35) {
                service.calls.push((name.clone(), u32::try_from(dice.between(1, 3)).unwrap_or(1)));
            }
        }
    }
}

/// A rate for each service that nobody else calls, such that all of them together leave room everywhere.
fn calm_load(services: &[DrawnService], cores: u64, steal: Permille) -> Vec<Rate> {
    let called = |name: &str| services.iter().any(|service| service.calls.iter().any(|call| call.0 == name));
    let outer: Vec<bool> = services.iter().map(|service| !called(&service.name)).collect();
    // Requests at each service while one a second comes to each outer one.
    let mut visits: Vec<u64> = outer.iter().map(|outer| u64::from(*outer)).collect();
    for place in 0..services.len() {
        for (to, count) in &services[place].calls {
            if let Some(target) = services.iter().position(|service| service.name == *to) {
                visits[target] += visits[place] * u64::from(*count);
            }
        }
    }
    let ours = 1000 - steal.get().min(999);
    let host = cores * 1_000_000 * ours / 1000;
    let used = |place: usize| visits[place] * (services[place].work.nanos() / 1000);
    let all: u64 = (0..services.len()).map(used).sum();
    // Millionths of a core that a service may use, over those it uses at one request a second, in thousandths.
    let mut fits = host * CALM * 10 / all.max(1);
    for (place, service) in services.iter().enumerate() {
        let each = service.limits.cpu.map_or(host, |quota| (quota.get() * 1000).min(host));
        let workers = service.workers.map_or(host, |workers| u64::from(workers) * 1_000_000).min(each);
        fits = fits.min(workers * u64::from(service.replicas) * CALM * 10 / used(place).max(1));
    }
    let rate = Rate::micro(fits.clamp(1, 2_000_000) * 1000);
    outer.iter().map(|outer| if *outer { rate } else { Rate::ZERO }).collect()
}

/// Levels of a load: wild in the first half, calm in the second.
fn storm(dice: &mut Dice, calm: Rate, duration: Span) -> Vec<(Span, Rate)> {
    if calm == Rate::ZERO {
        return Vec::new();
    }
    let half = duration.secs() / 2;
    let mut levels = vec![(Span::ZERO, calm)];
    if dice.chance(70) {
        for part in 1..dice.between(2, 6) {
            levels.push((Span::from_secs(half * part / 6), calm.scaled(dice.between(0, 40), 10)));
        }
        levels.push((Span::from_secs(half), calm));
    }
    levels
}

/// Settings that make the policy quick enough to be seen in a run of hours.
fn settings(dice: &mut Dice) -> String {
    let every = dice.between(1, 5);
    let (checks, cooldown, per_day) = (dice.between(1, 3), dice.between(1, 10), dice.between(100, 1000));
    format!(
        ", every: {every}m, window: {}m, checks: {checks}, cooldown: {cooldown}m, per_day: {per_day}, cpu_min: 0.1, memory_min: 16M",
        every + 1
    )
}

/// What goes wrong, all of it over before the second half.
fn faults(dice: &mut Dice, services: &[DrawnService], duration: Span) -> Vec<String> {
    let half = duration.secs() / 2;
    let kinds = if dice.chance(15) { 0 } else { dice.between(1, 4) };
    let mut faults = Vec::new();
    for _ in 0..kinds {
        let kind = dice.between(0, KINDS - 1);
        for _ in 0..dice.between(1, 3) {
            let service = &services[dice.place(services.len())];
            let at = dice.between(30, half - 300);
            let lasts = dice.between(5, (half - at - 120).clamp(5, 900));
            if let Some(what) = fault(dice, kind, service) {
                let lasts = if what.1 { format!(", for: {lasts}s") } else { String::new() };
                faults.push(format!("at: {at}s{lasts}, {}", what.0));
            }
        }
    }
    faults
}

/// Kinds of faults that are drawn.
const KINDS: u64 = 12;

/// One fault and whether it lasts; `None` where the service cannot have it.
fn fault(dice: &mut Dice, kind: u64, service: &DrawnService) -> Option<(String, bool)> {
    let name = &service.name;
    Some(match kind {
        0 => (format!("crash: {name}"), false),
        1 => {
            let instance = dice.between(1, u64::from(service.replicas));
            (format!("crash: {{ service: {name}, instance: {instance} }}"), false)
        }
        2 if service.check.is_some() => (format!("unhealthy: {name}"), true),
        3 if service.check.is_some() => (format!("unhealthy_green: {name}"), true),
        2 | 3 => return None,
        4 => ("metrics_outage: {}".to_owned(), true),
        5 => (format!("metrics_delay: {{ by: {}s }}", dice.between(5, 600)), true),
        6 => (format!("metrics_gaps: {{ share: {}% }}", dice.between(5, 100)), true),
        7 => {
            let (cpu, memory) = (dice.between(0, 300), dice.between(50, 200));
            (format!("metrics_lie: {{ service: {name}, cpu: {cpu}%, memory: {memory}% }}"), true)
        }
        8 => ("engine_restart: {}".to_owned(), false),
        9 => (format!("docker_restart: {{ live_restore: {} }}", dice.chance(50)), true),
        10 => ("host_loss: {}".to_owned(), true),
        _ => {
            let way = dice.one_of(&["ahead", "behind"]);
            (format!("clock_jump: {{ {way}: {}s }}", dice.between(1, 900)), true)
        }
    })
}
