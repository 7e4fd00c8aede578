//! Faults of the disk and of memory, as their users would tell them.

use crate::simulation;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::DiskUse;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Host;
use plimsoll::model::Incident;
use plimsoll::model::Noise;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::Storage;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

fn fault(at: u64, lasts: u64, kind: FaultKind) -> Fault {
    Fault::once(second(at), Span::from_secs(lasts), kind)
}

fn database() -> ServiceModel {
    ServiceModel { disk: DiskUse { reads: 2000, writes: 1000, ..DiskUse::default() }, ..service(1) }
}

fn disk_host() -> Host {
    let storage = Storage { iops: 10_000, bandwidth: Bytes::mebi(100), latency: Span::from_micros(500) };
    Host { storage: Some(storage), ..host(4) }
}

/// A web service that asks a database once, 100 times a second, with a fault from minute 5 to minute 10.
fn stack(kind: FaultKind) -> Scenario {
    let mut web = service(2);
    web.work.calls = vec![call("db", 1)];
    let load = constant(Rate::per_second(100), Noise::None);
    let mut scenario = scenario(disk_host(), [("web", web), ("db", database())], [("web", load)]);
    scenario.faults = vec![fault(300, 300, kind)];
    scenario
}

fn kills(scenario: &Scenario, seconds: u64) -> Vec<(u64, bool)> {
    let mut world = World::new(scenario, Seed::new(1));
    world.advance(second(seconds));
    let incidents = world.take_incidents().into_iter();
    incidents
        .filter_map(|(at, incident)| match incident {
            Incident::OomKilled { .. } => Some((at.since_start().secs(), false)),
            Incident::HostOomKilled { .. } => Some((at.since_start().secs(), true)),
            _ => None,
        })
        .collect()
}

fn millis(sample: &Sample, place: usize) -> f64 {
    sample.services[place].latency.mean().expect("requests").as_secs() * 1e3
}

/// A disk that answers in ten times the time and does 30 % of the accesses: requests take longer by three accesses of
/// 4.5 ms and more, cores wait, and everything is served all the same. Afterwards all is as before.
#[test]
fn a_database_on_a_slow_disk_is_slow_and_still_serves() {
    let kind = FaultKind::SlowDisk {
        iops: Permille::percent(30),
        bandwidth: Permille::percent(30),
        latency: Permille::percent(1000),
    };
    let samples = simulation::run(&stack(kind), 900);
    let (before, during, after) = (&samples[3], &samples[8], &samples[13]);
    // A load of 3 % becomes 10 %; a turn takes 0.1 ms, then 0.333 ms.
    assert_eq!((before.host.disk.get(), during.host.disk.get(), after.host.disk.get()), (30, 100, 30));
    let wait = |turn: f64, load: f64| turn * load / (2.0 * (1.0 - load));
    let wanted = 3.0 * (5.0 - 0.5 + wait(1.0 / 3.0, 0.1) - wait(0.1, 0.03));
    for place in [0, 1] {
        let found = millis(during, place) - millis(before, place);
        assert!((found / wanted - 1.0).abs() < 2e-3, "{found} for {wanted}");
        assert!((millis(after, place) / millis(before, place) - 1.0).abs() < 1e-3);
    }
    // 1.5 waiting requests on 4 cores that are 30 % busy, against 0.15.
    assert!(during.host.iowait.get() > 4 * before.host.iowait.get(), "{:?} {:?}", before.host, during.host);
    let served = |sample: &Sample| sample.services[1].served as f64 / 60e3;
    assert!((served(during) - 100.0).abs() < 0.1 && during.services[1].failed == 0);
}

/// With one percent of its accesses left, the disk does a hundred a second of the three hundred that are wanted: a third
/// of the requests gets through, the rest waits, and is served afterwards.
#[test]
fn a_disk_that_is_too_slow_holds_requests_back() {
    let kind = FaultKind::SlowDisk { iops: Permille::percent(1), bandwidth: Permille::ONE, latency: Permille::ONE };
    let mut only = stack(kind);
    only.services.retain(|name, _| name.as_str() == "db");
    only.load = [(ServiceName::new("db"), constant(Rate::per_second(100), Noise::None))].into();
    let samples = simulation::run(&only, 900);
    let during = &samples[8];
    assert_eq!((during.host.disk.get(), during.host.iowait.get() > 800), (1000, true));
    let served = during.services[0].served as f64 / 60e3;
    assert!((served - 100.0 / 3.0).abs() < 0.1, "{served}");
    // 300 s of 66.7 requests too many wait at the end of the fault, and are gone two minutes later.
    let waiting = samples[9].services[0].queue as f64 / 1e3;
    assert!((waiting / 20_000.0 - 1.0).abs() < 0.01, "{waiting}");
    assert!(samples[14].services[0].queue < 10_000, "{}", samples[14].services[0].queue);
}

/// Requests of the database write once each, so all of them fail, and those of its callers; then all is well again.
#[test]
fn a_full_disk_fails_what_writes() {
    let samples = simulation::run(&stack(FaultKind::FullDisk(None)), 900);
    let failed = |sample: &Sample| [0, 1].map(|place: usize| sample.services[place].failed / 1000);
    assert_eq!(failed(&samples[3]), [0, 0]);
    assert_eq!(failed(&samples[8]), [6000, 6000]);
    let errors = [0, 1].map(|place: usize| samples[8].services[place].errors);
    assert_eq!((errors[0].disk, errors[1].call_failed), (6_000_000, 6_000_000));
    assert_eq!(failed(&samples[13]), [0, 0]);
    let mut half = stack(FaultKind::FullDisk(Some(ServiceName::new("db"))));
    half.services.get_mut(&ServiceName::new("db")).expect("db").disk.writes = 250;
    assert_eq!(failed(&simulation::run(&half, 600)[8]), [1500, 1500], "one request in four writes");
    let other = stack(FaultKind::FullDisk(Some(ServiceName::new("web"))));
    assert_eq!(failed(&simulation::run(&other, 600)[8]), [0, 0], "who writes nothing does not notice");
}

/// 100 MiB and a limit of 160 MiB: 360 MiB an hour from 300 s on fill it at 900 s, and again 600 s after each restart, as
/// long as it leaks.
#[test]
fn a_leak_is_killed_when_the_limit_is_full() {
    let mut web = service(5);
    web.limits.memory = Some(Bytes::mebi(160));
    let mut scenario = scenario(host(2), [("web", web)], []);
    let leak = |per_hour| FaultKind::Leak { service: ServiceName::new("web"), per_hour: Bytes::mebi(per_hour) };
    scenario.faults = vec![fault(300, 1500, leak(360))];
    assert_eq!(kills(&scenario, 4000), [(901, false), (1502, false)]);
    // What leaked in ten minutes stays; a second leak an hour later fills the rest.
    scenario.faults = vec![fault(300, 300, leak(360)), fault(3900, 3600, leak(360))];
    assert_eq!(kills(&scenario, 4300), [(4201, false)]);
    // Two at once leak twice as fast.
    scenario.faults = vec![fault(300, 1500, leak(360)), fault(300, 1500, leak(360))];
    assert_eq!(kills(&scenario, 700), [(601, false)]);
}

/// With a limit both instances die at once and come back; without one, the host has to find somebody, and it is the one
/// that took all. The database, whose score says never, lives.
#[test]
fn an_allocation_that_is_too_large_kills_at_once() {
    let mut web = service(5);
    web.replicas = 2;
    web.limits.memory = Some(Bytes::mebi(512));
    let mut db = service(1);
    db.idle_memory = Bytes::gibi(8);
    db.shortage.oom_score_adjust = -1000;
    let load = constant(Rate::per_second(10), Noise::None);
    let mut both = scenario(host(2), [("web", web), ("db", db)], [("web", load)]);
    both.faults = vec![fault(300, 0, FaultKind::Oom(ServiceName::new("web")))];
    assert_eq!(kills(&both, 600), [(300, false), (300, false)]);
    let samples = simulation::run(&both, 600);
    assert_eq!((samples[4].services[1].oom_kills, samples[5].services[1].restarts), (2, 2));
    assert_eq!((samples[9].services[1].replicas, samples[9].services[1].failed), (2, 0));
    both.services.get_mut(&ServiceName::new("web")).expect("web").limits.memory = None;
    assert_eq!(kills(&both, 600), [(300, true), (300, true)]);
    assert_eq!(simulation::run(&both, 600)[4].services[0].oom_kills, 0);
}

/// A database that crashes finds its pages in memory again; a host that was lost reads them anew: in the minute after it
/// is back, 6.25 MiB a second at first, 31 % of 1 GiB.
#[test]
fn the_page_cache_outlives_a_crash_and_not_the_host() {
    let mut db = service(1);
    db.disk = DiskUse { reads: 4000, read_size: Bytes::new(16 << 10), data: Bytes::gibi(1), ..DiskUse::default() };
    let load = constant(Rate::per_second(100), Noise::None);
    let mut scenario = scenario(disk_host(), [("db", db)], [("db", load)]);
    let mut cached = |kind: FaultKind, lasts: u64| {
        scenario.faults = vec![fault(600, lasts, kind)];
        let samples = simulation::run(&scenario, 720);
        [9, 11].map(|minute: usize| samples[minute].services[0].disk.cache.get() as f64 / f64::from(1 << 30))
    };
    let after = |minutes: f64| 1.0 - libm::exp(-6.25 * 60.0 * minutes / 1024.0);
    let [before, crashed] = cached(FaultKind::Crash(ServiceName::new("db")), 0);
    assert!((before / after(10.0) - 1.0).abs() < 0.01 && (crashed / after(12.0) - 1.0).abs() < 0.01, "{crashed}");
    let [before, lost] = cached(FaultKind::HostLoss, 60);
    assert!(before < 0.01 && (lost / after(1.0) - 1.0).abs() < 0.03, "{before} {lost}");
}
