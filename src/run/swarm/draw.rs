//! A project drawn from a seed. Before you change it:
//! 1. Each seed leaves out whole kinds of trouble and overdoes others, so that rare mixtures come about. What is drawn here is
//!    simple; most seeds are then made wider (`widen`), from a stream of their own, and the others stay as they are, so that
//!    what fails there can be read.
//! 2. In the second half nothing goes wrong, and the load is one that the host and every service can carry with room to
//!    spare (`room`): whatever the storm did, all has to be well again. For that every request has a timeout, since a backlog
//!    that nobody gives up may take longer to work off than the run lasts; and the policy may act as often as it likes in a
//!    day.

use super::business;
use super::dice::Dice;
use super::drawn::Drawn;
use super::drawn::DrawnCall;
use super::drawn::DrawnService;
use super::line;
use super::orders;
use super::pinned;
use super::rollouts;
use super::room;
use super::scalings;
use super::storm;
use super::widen;
use crate::model::Limits;
use crate::model::Restart;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;

/// Most services of a project.
const SERVICES_MAX: u64 = 6;
/// Seeds in a hundred that stay simple.
const SIMPLE: u64 = 35;

/// The project of a seed.
#[must_use]
pub fn draw(seed: u64) -> Drawn {
    let mut dice = Dice::new(seed, "swarm");
    let mut more = Dice::new(seed, "swarm, more");
    let cores = dice.between(1, 16);
    let duration = Span::from_mins(30 * dice.between(2, 6));
    let mut services: Vec<DrawnService> = Vec::new();
    for number in 0..dice.between(1, SERVICES_MAX) {
        services.push(service(&mut dice, number, cores));
    }
    connect(&mut dice, &mut services);
    let steal = Permille::percent(if dice.chance(70) { 0 } else { dice.between(1, 20) });
    let held: u64 = services.iter().map(|service| service.idle_memory.get() * u64::from(service.replicas)).sum();
    let mut drawn = Drawn {
        seed,
        duration,
        cores: u32::try_from(cores).unwrap_or(1),
        memory: Bytes::new(held),
        steal,
        services,
        is_wide: !more.chance(SIMPLE),
        ..Drawn::default()
    };
    if drawn.is_wide {
        widen::widen(&mut more, &mut drawn);
    }
    let load = room::calm_load(&drawn);
    for (service, calm) in drawn.services.iter_mut().zip(load) {
        service.load = levels(&mut dice, calm, duration);
    }
    drawn.policy = dice.chance(75).then(|| settings(&mut dice) + &overcommit(&drawn));
    drawn.faults = storm::faults(&mut dice, &drawn);
    drawn.step = dice.one_of(&[Span::from_secs(1), Span::from_secs(1), Span::from_millis(500), Span::from_secs(3)]);
    drawn.memory = Bytes::new(held * dice.between(25, 60) / 10);
    drawn.scrape = dice.one_of(&[Span::from_secs(15), Span::from_secs(5), Span::from_secs(30)]);
    if drawn.is_wide {
        widen::clients(&mut more, &mut drawn);
        widen::sensors(&mut more, &mut drawn);
        let faults = storm::more_faults(&mut more, &drawn);
        drawn.faults.extend(faults);
        pinned::pin(&mut drawn);
        pinned::pool(&mut drawn);
        rollouts::draw(&mut drawn);
        widen::balances(&mut Dice::new(seed, "swarm, balance"), &mut drawn);
    }
    line::give(&mut Dice::new(seed, "swarm, line"), &mut drawn);
    scalings::draw(&mut drawn);
    orders::draw(&mut drawn);
    business::draw(&mut drawn);
    drawn
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
        replicas: if dice.chance(70) { 1 } else { dice.few(2, 3) },
        weight: if dice.chance(70) { 1024 } else { dice.between(2, 8192) },
        check: dice.chance(60).then(|| dice.seconds(5, 30)),
        restart,
        work: Span::from_micros(100 * dice.between(2, 200)),
        spread: dice.one_of(&["constant", "exponential", "exponential", "heavy"]),
        request_memory: Bytes::new(if dice.chance(50) { 0 } else { dice.between(1, 256) << 10 }),
        workers: dice.chance(40).then(|| dice.few(2, 64)),
        timeout: Some(dice.seconds(10, 60)),
        idle_memory: idle,
        leak: if leaks { Bytes::mebi(dice.between(10, 500)) } else { Bytes::ZERO },
        start_up: dice.seconds(0, 20),
        ..DrawnService::default()
    }
}

/// Calls from earlier services to later ones.
fn connect(dice: &mut Dice, services: &mut [DrawnService]) {
    let names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    for (place, service) in services.iter_mut().enumerate() {
        for name in &names[place + 1..] {
            if dice.chance(35) {
                let count = dice.few(1, 3);
                service.calls.push(DrawnCall { to: name.clone(), count, ..DrawnCall::default() });
            }
        }
    }
}

/// Levels of a load: wild in the first half, calm in the second.
fn levels(dice: &mut Dice, calm: Rate, duration: Span) -> Vec<(Span, Rate)> {
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

/// What the policy may promise where the limits promise more than it usually would: then what it took could not come back,
/// though nobody uses what the others are promised.
fn overcommit(drawn: &Drawn) -> String {
    let limits = drawn
        .services
        .iter()
        .map(|service| service.limits.cpu.map_or(0, Millicores::get) * u64::from(service.replicas));
    let slower = drawn.slower.map_or(0, |group| u64::from(group.count) * group.speed.get());
    let promised = (limits.sum::<u64>() * 100).div_ceil(u64::from(drawn.cores) * 1000 + slower);
    if promised > 200 { format!(", overcommit_cpu: {}%", promised * 2) } else { String::new() }
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
