//! Faults that wear on the cores: who notices them, and who does not.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::input::profile::Profiles;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Noise;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::Temperature;
use plimsoll::world::sim::oracle::Batches;
use plimsoll::world::sim::response::Station;
use std::path::Path;

/// Twenty minutes from the twentieth on.
fn later(kind: FaultKind) -> Fault {
    Fault::once(second(1200), Span::from_mins(20), kind)
}

/// p95 in seconds of a service before the fault, in it, and after it.
fn p95(samples: &[Sample], place: usize) -> [f64; 3] {
    [5..19, 21..39, 45..60]
        .map(|minutes| merged(&samples[minutes], place).quantile(95, 100).expect("requests").as_secs())
}

fn cores(samples: &[Sample], place: usize, minute: usize) -> f64 {
    samples[minute].services[place].cpu.as_cores()
}

fn with(mut scenario: Scenario, kind: FaultKind) -> Scenario {
    scenario.faults = vec![later(kind)];
    scenario
}

/// A backup on the host wants both cores. Who has the usual weight is left one core for 1.2 cores of work; who weighs
/// eight times as much hardly notices.
#[test]
fn a_neighbour_hurts_who_is_not_protected() {
    let found = [1024, 8192].map(|weight| {
        let mut api = service(10);
        api.weight = weight;
        api.timeout = Some(Span::from_secs(5));
        let load = constant(Rate::per_second(120), Noise::Poisson);
        let neighbour = FaultKind::NoisyNeighbour { cpu: Millicores::cores(2), weight: 1024 };
        let samples = run(&with(scenario(host(2), [("api", api)], [("api", load)]), neighbour), 3600);
        let times = p95(&samples, 0);
        // The neighbour takes what is left, or its fair share, and the host shows both.
        assert!(samples[30].host.cpu.as_cores() > 1.99 && samples[10].host.cpu.as_cores() < 1.3);
        assert!((times[2] / times[0] - 1.0).abs() < 0.05, "{times:?}: over is over");
        (times, samples[30].services[0].clone())
    });
    let [(plain, alone), (heavy, protected)] = found;
    assert!(plain[1] > 20.0 * plain[0] && alone.failed > 0, "{plain:?}");
    assert!((alone.cpu.as_cores() - 1.0).abs() < 0.01, "half of the cores: {}", alone.cpu);
    assert!(heavy[1] < 2.0 * heavy[0] && protected.failed == 0, "{heavy:?}");
}

/// A loop gone wild uses up its own quota, and the host has room: its own requests wait as in the exact simulation, the
/// others do not. The requests leave it 0.35 of the 0.5 cores, so that 65 of 100 ms are throttled.
#[test]
fn a_spin_inside_a_quota_stays_inside() {
    let mut web = service(5);
    web.limits.cpu = Some(Millicores::new(500));
    let load = |rate| constant(Rate::per_second(rate), Noise::Poisson);
    let plain = scenario(host(4), [("api", service(10)), ("web", web)], [("api", load(100)), ("web", load(30))]);
    let spin = FaultKind::CpuSpin { service: ServiceName::new("web"), cpu: Millicores::cores(1) };
    let samples = run(&with(plain.clone(), spin), 3600);
    let (api, own) = (p95(&samples, 0), p95(&samples, 1));
    assert!((api[1] / api[0] - 1.0).abs() < 0.03, "{api:?}");
    let spins = Millicores::cores(1);
    let work = Span::from_millis(5);
    let quota = Some(Millicores::new(500));
    let station = Station { cores: 4, quota, workers: None, work, spread: Spread::Exponential, spins };
    let exact = Batches::run(&station, 0.15 / 0.5, 200_000, Seed::new(3).stream("spin")).quantile(0.95).value;
    assert!(exact > 0.065 && (own[1] / exact - 1.0).abs() < 0.05, "{own:?}, exactly {exact}");
    assert!(own[0] < 0.02 && (own[2] / own[0] - 1.0).abs() < 0.05, "{own:?}");
    assert!((cores(&samples, 1, 30) - 0.5).abs() < 0.005, "all of its quota: {}", cores(&samples, 1, 30));
    assert!(samples[30].services[1].throttled == Permille::ONE && samples[30].services[1].failed == 0);
    // Before and after it is as if nothing was.
    let without = run(&plain, 3600);
    assert_eq!(samples[..19], without[..19]);
    assert!((cores(&samples, 1, 50) / cores(&without, 1, 50) - 1.0).abs() < 0.01);
}

/// Without a quota the same loop takes what a core of two is worth from everybody.
#[test]
fn a_spin_without_a_quota_is_everybodys() {
    let load = |rate| constant(Rate::per_second(rate), Noise::Poisson);
    let plain = scenario(host(2), [("api", service(10)), ("web", service(5))], [("api", load(80)), ("web", load(20))]);
    let spin = FaultKind::CpuSpin { service: ServiceName::new("web"), cpu: Millicores::cores(1) };
    let samples = run(&with(plain, spin), 3600);
    let api = p95(&samples, 0);
    assert!(api[1] > 1.5 * api[0] && (api[2] / api[0] - 1.0).abs() < 0.05, "{api:?}");
    // The loop, and 20 requests a second of 5 ms.
    assert!((cores(&samples, 1, 30) - 1.1).abs() < 0.02, "{}", cores(&samples, 1, 30));
}

/// The database plans its queries badly for a while, and each takes five times the work: M/M/1 with a load of 0.12 before
/// and of 0.6 in it, so 2 ms / 0.88 and 10 ms / 0.4. Who calls it waits as long, and recovers.
#[test]
fn a_slow_dependency_slows_who_calls_it() {
    let mut api = service(1);
    api.work.cpu = Span::from_micros(1);
    api.work.calls = vec![call("db", 1)];
    let db = ServiceModel { workers: Some(1), ..service(2) };
    let load = constant(Rate::per_second(60), Noise::None);
    let plain = scenario(host(8), [("api", api), ("db", db)], [("api", load)]);
    let slow = FaultKind::SlowDependency { service: ServiceName::new("db"), factor: Permille::new(5000) };
    let samples = run(&with(plain.clone(), slow.clone()), 3600);
    let mean = |minutes: std::ops::Range<usize>| merged(&samples[minutes], 0).mean().expect("requests").as_secs();
    for (minutes, wanted) in [(5..19, 0.002 / 0.88), (22..39, 0.01 / 0.4), (45..60, 0.002 / 0.88)] {
        let found = mean(minutes);
        assert!((found / wanted - 1.0).abs() < 0.01, "{found} for {wanted}");
    }
    for (minute, wanted) in [(10, 0.12), (30, 0.6), (50, 0.12)] {
        assert!((cores(&samples, 1, minute) - wanted).abs() < 0.002, "{}", cores(&samples, 1, minute));
    }
    assert_eq!(samples[..19], run(&plain, 1200)[..19]);
    // Two of them at once are 25 times the work, more than its core can do; it works off what is left when they are over.
    let mut twice = with(plain, slow);
    twice.faults.push(twice.faults[0].clone());
    let samples = run(&twice, 3 * 3600);
    let db = &samples[30].services[1];
    assert!((db.served as f64 / 60_000.0 / 20.0 - 1.0).abs() < 0.01, "{} of 20 a second", db.served);
    assert_eq!(samples[170].services[1].served, samples[10].services[1].served);
}

/// Three tenths of the time are stolen: a full host serves seven tenths, and the sample says why.
#[test]
fn a_steal_burst_takes_its_share() {
    let mut web = service(10);
    web.timeout = Some(Span::from_secs(2));
    let plain = scenario(host(2), [("web", web)], [("web", constant(Rate::per_second(300), Noise::None))]);
    let samples = run(&with(plain, FaultKind::StealBurst(Permille::percent(30))), 3600);
    let served = |minute: usize| samples[minute].services[0].served as f64;
    assert!((served(30) / served(15) - 0.7).abs() < 0.01, "{} of {}", served(30), served(15));
    assert!((served(50) / served(15) - 1.0).abs() < 0.01, "{} of {}", served(50), served(15));
    let steal = |minute: usize| samples[minute].host.steal;
    assert_eq!((steal(15), steal(30)), (Some(Permille::ZERO), Some(Permille::percent(30))));
}

/// Twelve degrees more in the room are `12 / 5.08` watts less in the long run.
#[test]
fn a_heat_wave_slows_a_macbook_down() {
    let host = Profiles::below(Path::new("/")).find("m1-air", None, Path::new("")).expect("a shipped profile");
    let mut web = service(20);
    web.timeout = Some(Span::from_secs(1));
    let mut plain = scenario(host, [("web", web)], [("web", constant(Rate::per_second(600), Noise::None))]);
    plain.faults = vec![Fault::once(second(3600), Span::from_mins(60), FaultKind::HeatWave(Temperature::celsius(12)))];
    let samples = run(&plain, 3 * 3600);
    let clock = |minute: usize| samples[minute].host.clock.expect("it has heat").as_fraction();
    let sustained = |ambient: f64| libm::pow(((78.0 - ambient) / 5.08 - 0.87 - 1.3) / 13.3, 1.0 / 2.32);
    for (minute, ambient) in [(58, 23.0), (118, 35.0), (178, 23.0)] {
        let wanted = sustained(ambient);
        assert!((clock(minute) - wanted).abs() < 1.5 / 64.0, "{} for {wanted} in minute {minute}", clock(minute));
    }
}
