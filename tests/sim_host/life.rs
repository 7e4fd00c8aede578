//! Starts, checks, crashes, memory: timelines worked out by hand.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Action;
use plimsoll::model::Condition;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::HealthCheck;
use plimsoll::model::Incident;
use plimsoll::model::InstanceState;
use plimsoll::model::Noise;
use plimsoll::model::Reason;
use plimsoll::model::Restart;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

/// Changes of state as (second, service, state), from a run of so many seconds.
fn changes(scenario: &Scenario, seconds: u64) -> Vec<(u64, String, InstanceState)> {
    let mut world = World::new(scenario, Seed::new(1));
    world.advance(second(seconds));
    let incidents = world.take_incidents();
    assert!(incidents.is_sorted_by_key(|(at, _)| *at));
    incidents
        .into_iter()
        .filter_map(|(at, incident)| match incident {
            Incident::Changed { service, to, .. } => Some((at.since_start().secs(), service.to_string(), to)),
            _ => None,
        })
        .collect()
}

fn list(wanted: &[(u64, &str, InstanceState)]) -> Vec<(u64, String, InstanceState)> {
    wanted.iter().map(|(second, name, state)| (*second, (*name).to_owned(), *state)).collect()
}

/// db answers after 7 s and is looked at every 5 s, so it is well at 10 s; api waits for that, and for a cache that only
/// has to run; it answers 3 s later.
#[test]
fn services_start_in_the_order_of_their_dependencies() {
    let mut db = service(1);
    db.start_up = Span::from_secs(7);
    db.health = Some(HealthCheck {
        test: vec!["CMD".to_owned(), "pg_isready".to_owned()],
        interval: Some(Span::from_secs(5)),
        ..HealthCheck::default()
    });
    let mut cache = service(1);
    cache.start_up = Span::from_secs(30);
    let mut api = service(1);
    api.start_up = Span::from_secs(3);
    api.depends_on =
        [(ServiceName::new("db"), Condition::Healthy), (ServiceName::new("cache"), Condition::Started)].into();
    let scenario = scenario(host(2), [("api", api), ("cache", cache), ("db", db)], []);
    let wanted = [
        (0, "cache", InstanceState::Starting),
        (0, "db", InstanceState::Starting),
        (10, "db", InstanceState::Healthy),
        (10, "api", InstanceState::Starting),
        (13, "api", InstanceState::Healthy),
        (30, "cache", InstanceState::Healthy),
    ];
    assert_eq!(changes(&scenario, 60), list(&wanted));
}

/// A crash at 100 s; Docker waits 0.1 s, the process needs 5 s: it answers again at 105.1 s, which the step at 106 s
/// sees. Requests fail as long as nobody is there.
#[test]
fn a_crashed_service_comes_back() {
    let mut web = service(5);
    web.start_up = Span::from_secs(5);
    let mut scenario = scenario(host(2), [("web", web)], [("web", constant(Rate::per_second(100), Noise::None))]);
    scenario.faults = vec![Fault::once(second(100), Span::ZERO, FaultKind::Crash(ServiceName::new("web")))];
    let wanted = [
        (0, "web", InstanceState::Starting),
        (5, "web", InstanceState::Healthy),
        (100, "web", InstanceState::Down),
        (101, "web", InstanceState::Starting),
        (106, "web", InstanceState::Healthy),
    ];
    assert_eq!(changes(&scenario, 200), list(&wanted));
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(90));
    assert_eq!(world.sample().services[0].failed, 500_000);
    world.advance(second(150));
    let sample = world.sample();
    let web = &sample.services[0];
    // 6 s of 100 requests, and the one or so that was in work.
    assert!((600_000..603_000).contains(&web.failed), "{}", web.failed);
    assert_eq!((web.restarts, web.oom_kills, web.replicas), (1, 0, 0));
    scenario.services.get_mut(&ServiceName::new("web")).expect("web").restart = Restart::No;
    assert_eq!(changes(&scenario, 200).last().expect("changes").2, InstanceState::Down);
}

/// A call to somebody who is not there fails the request of the caller.
#[test]
fn a_failed_call_fails_its_caller() {
    let mut web = service(1);
    web.work.calls = vec![call("db", 1)];
    let mut scenario =
        scenario(host(2), [("web", web), ("db", service(1))], [("web", constant(Rate::per_second(10), Noise::None))]);
    scenario.services.get_mut(&ServiceName::new("db")).expect("db").restart = Restart::No;
    scenario.faults = vec![Fault::once(second(60), Span::ZERO, FaultKind::Crash(ServiceName::new("db")))];
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(60));
    assert_eq!(world.sample().services[1].failed, 0);
    world.advance(second(120));
    let sample = world.sample();
    assert_eq!((sample.services[1].failed, sample.services[0].failed), (600_000, 600_000));
}

/// 100 MiB to begin with, 360 MiB more in an hour, a limit of 160 MiB: full after 600 s, killed in the next step, and
/// again every 600 s of life.
#[test]
fn a_leak_is_killed_when_the_limit_is_full() {
    let mut web = service(5);
    web.leak_per_hour = Bytes::mebi(360);
    web.limits.memory = Some(Bytes::mebi(160));
    let scenario = scenario(host(2), [("web", web)], []);
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(2000));
    let kills: Vec<u64> = world
        .take_incidents()
        .iter()
        .filter(|(_, incident)| matches!(incident, Incident::OomKilled { .. }))
        .map(|(at, _)| at.since_start().secs())
        .collect();
    assert_eq!(kills, [601, 1202, 1803]);
    let sample = world.sample();
    assert_eq!((sample.services[0].oom_kills, sample.services[0].memory), (3, Bytes::mebi(160)));
}

/// The host has 16 GiB; the larger of two leaking services goes first.
#[test]
fn a_full_host_kills_its_largest_container() {
    let mut small = service(5);
    small.idle_memory = Bytes::gibi(5);
    small.leak_per_hour = Bytes::gibi(3);
    let mut large = small.clone();
    large.idle_memory = Bytes::gibi(8);
    large.leak_per_hour = Bytes::gibi(3);
    let scenario = scenario(host(2), [("large", large), ("small", small)], []);
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(2000));
    let incidents = world.take_incidents();
    let kill = incidents.iter().find(|(_, incident)| matches!(incident, Incident::HostOomKilled { .. }));
    let (at, Incident::HostOomKilled { service, .. }) = kill.expect("a kill") else { panic!("{kill:?}") };
    assert_eq!((at.since_start().secs(), service.as_str()), (1801, "large"));
    assert!(world.sample().host.memory <= Bytes::gibi(16));
}

/// Memory is not taken away from who holds it.
#[test]
fn a_memory_limit_below_the_working_set_is_refused() {
    let scenario = scenario(host(2), [("web", service(5))], []);
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(10));
    let limit = |to| Action::LimitMemory {
        service: ServiceName::new("web"),
        from: Bytes::gibi(1),
        to,
        why: Reason::BelowThreshold { seen: Permille::ZERO, threshold: Permille::ZERO, checks: 1 },
    };
    let cpu = Action::LimitCpu {
        service: ServiceName::new("nobody"),
        from: Millicores::ZERO,
        to: Millicores::ZERO,
        why: Reason::BelowThreshold { seen: Permille::ZERO, threshold: Permille::ZERO, checks: 1 },
    };
    world.take_incidents();
    world.apply(&[limit(Bytes::mebi(99)), limit(Bytes::mebi(101)), cpu]);
    let refused = world.take_incidents();
    assert_eq!(refused.len(), 2);
    assert!(format!("{:?}", refused[0]).contains("`web` holds 100M, more than the new limit of 99M"), "{refused:?}");
    assert_eq!(world.observe().services[&ServiceName::new("web")].limits.memory, Some(Bytes::mebi(101)));
}
