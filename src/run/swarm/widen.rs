//! What a simple project is given besides: a disk, heat, slower cores, bursts of steal, a network; what its services do with
//! them; what is between two services; clients that wait; sensors that are not perfect. Before you change it:
//! 1. Each part comes in some projects and is left out of others.
//! 2. What a request waits for takes time: timeouts are such that a calm system keeps them (`room::patience`).

use super::dice::Dice;
use super::drawn::Drawn;
use super::drawn::DrawnCall;
use super::drawn::DrawnCheck;
use super::drawn::DrawnDisk;
use super::drawn::DrawnHeat;
use super::drawn::DrawnService;
use super::room;
use crate::model::Breaker;
use crate::model::CoreGroup;
use crate::model::Retry;
use crate::model::StealBursts;
use crate::model::Storage;
use crate::units::Bytes;
use crate::units::Permille;
use crate::units::Span;

/// Most clients of one service in the calm.
const CLIENTS_MAX: u64 = 100;

/// Gives a project more of everything but load, sensors and faults.
pub(super) fn widen(dice: &mut Dice, drawn: &mut Drawn) {
    host(dice, drawn);
    for place in 0..drawn.services.len() {
        let has_disk = drawn.storage.is_some();
        service(dice, &mut drawn.services[place], has_disk, drawn.swap > Bytes::ZERO);
    }
    let patience = room::patience(drawn);
    let longest: Vec<(String, Span)> =
        drawn.services.iter().map(|service| service.name.clone()).zip(patience.iter().copied()).collect();
    for (service, patience) in drawn.services.iter_mut().zip(patience) {
        service.timeout = service.timeout.map(|timeout| timeout.max(patience));
        if let Some(more) = &mut service.check_more {
            more.timeout = more.timeout.max(patience);
        }
        for call in &mut service.calls {
            let callee =
                longest.iter().find(|(name, _)| *name == call.to).map_or(Span::ZERO, |(_, patience)| *patience);
            between(dice, call, callee);
        }
    }
}

fn host(dice: &mut Dice, drawn: &mut Drawn) {
    if dice.chance(30) {
        let speed = Permille::percent(dice.between(30, 90));
        drawn.slower = Some(CoreGroup { count: dice.few(1, 8), speed });
    }
    if dice.chance(25) {
        drawn.heat = Some(heat(dice, drawn.slower.is_some()));
    }
    if dice.chance(25) {
        let (lasts, burst) = (dice.seconds(10, 300), Permille::percent(dice.between(5, 40)));
        let every = lasts.times(dice.between(5, 20));
        // In bursts alone it is at most eight percent; one more is what is left between them.
        drawn.steal = Permille::percent(burst.get() / 10 * lasts.secs() / every.secs() + 1);
        drawn.bursts = Some(StealBursts { burst, every, lasts });
    }
    if dice.chance(30) {
        drawn.hop = Span::from_micros(dice.between(20, 5000));
    }
    if dice.chance(60) {
        let iops = dice.one_of(&[200, 500, 2000, 10_000, 60_000]);
        let at_once = dice.between(1, 16);
        let latency = Span::from_micros((at_once * 1_000_000 / iops).clamp(50, 10_000));
        let bandwidth = Bytes::mebi((iops * dice.between(8, 128) / 1024).max(5));
        drawn.storage = Some(Storage { iops, bandwidth, latency });
        if dice.chance(40) {
            drawn.swap = Bytes::mebi(dice.between(64, 4096));
        }
    }
}

/// A machine that may get too warm: its clock falls from some temperature on.
fn heat(dice: &mut Dice, has_slower: bool) -> DrawnHeat {
    let ambient = dice.between(10, 35);
    let start = dice.between(ambient + 20, 85);
    let fast = dice.between(5, 60);
    let watts = if has_slower { format!("[{fast}W, {}W]", dice.between(1, 10)) } else { format!("[{fast}W]") };
    let lowest = Permille::percent(dice.between(30, 80));
    let masses = format!(
        "chip: {{ resistance: {}, capacity: {} }}, case: {{ resistance: {}, capacity: {} }}",
        dice.between(1, 4),
        dice.between(5, 50),
        dice.between(1, 4),
        dice.between(50, 500)
    );
    let throttle = format!(
        "throttle: {{ start: {start}C, target: {}C, hard: {}C, lowest: {lowest} }}",
        start + dice.between(1, 5),
        start + dice.between(6, 12)
    );
    let text =
        format!("{{ ambient: {ambient}C, base: {}W, cores: {watts}, {masses}, {throttle} }}", dice.between(1, 5));
    DrawnHeat { text, lowest }
}

fn service(dice: &mut Dice, service: &mut DrawnService, has_disk: bool, has_swap: bool) {
    if has_disk && dice.chance(60) {
        let size = |dice: &mut Dice| Bytes::new(dice.one_of(&[4, 4, 8, 16, 64]) << 10);
        service.disk = Some(DrawnDisk {
            reads: dice.between(0, 40),
            writes: dice.between(0, 20),
            read_size: size(dice),
            write_size: size(dice),
            data: if dice.chance(50) { Bytes::mebi(dice.between(5, 2000)) } else { Bytes::ZERO },
        });
        service.disk_weight = dice.chance(30).then(|| u16::try_from(dice.between(10, 1000)).unwrap_or(500));
    }
    if let Some(memory) = service.limits.memory.filter(|_| has_swap && dice.chance(50)) {
        let both = memory.scaled(dice.between(10, 25), 10).get();
        service.swap_limit = Some(if dice.chance(30) { -1 } else { i64::try_from(both).unwrap_or(-1) });
    }
    if dice.chance(20) {
        service.oom_score_adjust = Some(i16::try_from(dice.between(0, 1800)).unwrap_or(900) - 900);
    }
    if service.workers.is_some() {
        service.blocking = dice.chance(50);
        service.backlog = dice.chance(50).then(|| dice.few(20, 500));
    }
    if service.check.is_some() && dice.chance(50) {
        let (timeout, start_period) = (dice.seconds(1, 30), dice.seconds(1, 60));
        service.check_more = Some(DrawnCheck { timeout, retries: dice.few(1, 5), start_period });
    }
    if dice.chance(50) {
        for call in service.calls.iter_mut().skip(1) {
            call.with_last = dice.chance(50);
        }
        service.staged = true;
    }
}

/// What is between two services. A try may take as long as the called service may reasonably be waited for.
fn between(dice: &mut Dice, call: &mut DrawnCall, patience: Span) {
    if dice.chance(25) {
        call.cached = Permille::percent(dice.between(5, 95));
    }
    if dice.chance(40) {
        call.timeout = Some(patience.plus(dice.seconds(0, 20)));
    }
    if dice.chance(35) {
        let budget = dice.chance(60).then(|| Permille::percent(dice.between(5, 50)));
        call.retry = Some(Retry { times: dice.few(1, 3), backoff: Span::from_millis(dice.between(0, 500)), budget });
    }
    if dice.chance(35) {
        call.breaker = Some(Breaker {
            failures: Permille::percent(dice.between(20, 100)),
            window: dice.seconds(5, 30),
            least: dice.few(5, 50),
            open: dice.seconds(2, 30),
        });
    }
}

/// Makes clients in a closed loop of some loads: as many as come to the same rate where answers take no time.
pub(super) fn clients(dice: &mut Dice, drawn: &mut Drawn) {
    for service in &mut drawn.services {
        let Some((_, calm)) = service.load.first().filter(|_| dice.chance(25)) else { continue };
        let micro = calm.get().max(1);
        let wanted = micro.saturating_mul(dice.between(1, 20)) / 1_000_000;
        let number = wanted.clamp(1, CLIENTS_MAX);
        // Rounded up, so that they come no faster.
        service.think = Some(Span::from_millis((number * 1_000_000_000).div_ceil(micro).max(1)));
    }
}

/// Balancers before some services in several instances.
pub(super) fn balances(dice: &mut Dice, drawn: &mut Drawn) {
    for service in &mut drawn.services {
        let balance = dice.one_of(&[None, Some("round_robin"), Some("least_connections"), Some("least_connections")]);
        service.balance = balance.filter(|_| service.replicas > 1);
    }
}

/// Sensors that lose scrapes, come late or early, or are Docker's own.
pub(super) fn sensors(dice: &mut Dice, drawn: &mut Drawn) {
    if dice.chance(15) {
        drawn.sensors.push(("source", "docker".to_owned()));
        // A second says little: who asks Docker itself has to ask more than once.
        let often = |policy: &String| policy.replace("checks: 1,", "checks: 3,").replace("checks: 2,", "checks: 3,");
        drawn.policy = drawn.policy.as_ref().map(often);
    } else if dice.chance(30) {
        drawn.sensors.push(("jitter", format!("{}ms", dice.between(10, drawn.scrape.secs() * 500))));
    }
    if dice.chance(30) {
        drawn.sensors.push(("gaps", format!("{}%", dice.between(1, 40))));
    }
    if dice.chance(30) {
        drawn.sensors.push(("delay", format!("{}s", dice.between(1, 45))));
    }
}
