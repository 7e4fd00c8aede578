//! What goes wrong, and what comes of it.

use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Again;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::HealthCheck;
use plimsoll::model::Incident;
use plimsoll::model::InstanceState;
use plimsoll::model::Noise;
use plimsoll::model::Restart;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::seed::Seed;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

fn web() -> ServiceName {
    ServiceName::new("web")
}

/// A service of 5 ms of work, at 100 requests a second, with one fault.
fn with(fault: Fault) -> Scenario {
    let mut model = service(5);
    model.health = Some(HealthCheck {
        test: vec!["CMD".to_owned(), "true".to_owned()],
        interval: Some(Span::from_secs(10)),
        ..HealthCheck::default()
    });
    let mut scenario = scenario(host(2), [("web", model)], [("web", constant(Rate::per_second(100), Noise::None))]);
    scenario.faults = vec![fault];
    scenario
}

/// Seconds at which the fault began and ended in ten hours.
fn turns(scenario: &Scenario, seed: u64) -> (Vec<u64>, Vec<u64>) {
    let mut world = World::new(scenario, Seed::new(seed));
    world.advance(second(36_000));
    let (mut began, mut ended) = (Vec::new(), Vec::new());
    for (at, incident) in world.take_incidents() {
        match incident {
            Incident::FaultBegan(0) => began.push(at.since_start().secs()),
            Incident::FaultEnded(0) => ended.push(at.since_start().secs()),
            _ => {}
        }
    }
    (began, ended)
}

#[test]
fn a_schedule_is_kept_to_the_second() {
    let fault = Fault {
        at: second(600),
        lasts: Span::from_mins(5),
        again: Again::Every(Span::from_mins(120)),
        kind: FaultKind::MetricsOutage,
    };
    let (began, ended) = turns(&with(fault), 1);
    assert_eq!(began, [600, 7800, 15_000, 22_200, 29_400]);
    assert_eq!(ended, [900, 8100, 15_300, 22_500, 29_700]);
}

/// Drawn times come as often as they should, differ by seed, and are the same for the same seed.
#[test]
fn drawn_times_follow_the_seed() {
    let fault = Fault {
        at: second(0),
        lasts: Span::ZERO,
        again: Again::About(Span::from_mins(10)),
        kind: FaultKind::EngineRestart,
    };
    let scenario = with(fault);
    let counts: Vec<usize> = (0..50).map(|seed| turns(&scenario, seed).0.len()).collect();
    // Sixty each on average; of 3000 in all, a standard deviation of 55.
    let all: usize = counts.iter().sum();
    assert!((2780..3220).contains(&all), "{all}");
    assert_ne!(turns(&scenario, 1), turns(&scenario, 2));
    assert_eq!(turns(&scenario, 1), turns(&scenario, 1));
}

/// The service answers all the time; only its checks say otherwise.
#[test]
fn a_failing_check_makes_a_good_service_look_ill() {
    let kind = FaultKind::Unhealthy(web());
    let scenario = with(Fault::once(second(600), Span::from_mins(5), kind));
    let mut world = World::new(&scenario, Seed::new(1));
    let mut state_at = |at| {
        world.advance(second(at));
        (world.observe().services[&web()].instances[0].state, world.sample().services[0].failed)
    };
    assert_eq!(state_at(599), (InstanceState::Healthy, 0));
    // Three checks ten seconds apart have to fail, and one has to pass.
    assert_eq!(state_at(619), (InstanceState::Healthy, 0));
    assert_eq!(state_at(620), (InstanceState::Unhealthy, 0));
    assert_eq!(state_at(899), (InstanceState::Unhealthy, 0));
    assert_eq!(state_at(900), (InstanceState::Healthy, 0));
}

/// What starts while the fault is on is never healthy, what started before is.
#[test]
fn an_unhealthy_green_never_gets_well() {
    let mut scenario = with(Fault::once(second(600), Span::from_mins(5), FaultKind::UnhealthyGreen(web())));
    let crash = |at, instance| Fault::once(second(at), Span::ZERO, FaultKind::CrashOne { service: web(), instance });
    scenario.services.get_mut(&web()).expect("web").replicas = 3;
    scenario.faults.extend([crash(660, 2), crash(1000, 3)]);
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(3000));
    let states: Vec<InstanceState> =
        world.observe().services[&web()].instances.iter().map(|instance| instance.state).collect();
    assert_eq!(states, [InstanceState::Healthy, InstanceState::Unhealthy, InstanceState::Healthy]);
}

/// With `live-restore` nothing happens to the containers; without, those that restart by themselves come back with the
/// engine, and `on-failure` does not count, since nothing failed.
#[test]
fn a_docker_restart_stops_what_does_not_live_on() {
    for (live_restore, restart, failed, comes_back) in [
        (true, Restart::No, 0, true),
        (false, Restart::UnlessStopped, 20, true),
        (false, Restart::OnFailure(None), 120, false),
        (false, Restart::No, 120, false),
    ] {
        let kind = FaultKind::DockerRestart { live_restore };
        let mut scenario = with(Fault::once(second(600), Span::from_secs(20), kind));
        scenario.services.get_mut(&web()).expect("web").restart = restart;
        let samples = run(&scenario, 720);
        let lost: u64 = samples.iter().map(|sample| sample.services[0].failed).sum();
        // Up to one request is in work when it stops.
        let wanted = failed * 100_000;
        assert!((wanted..=wanted + 1000).contains(&lost), "{restart:?}: {lost} failed");
        assert_eq!(samples[11].services[0].served > 0, comes_back, "{restart:?}");
    }
}

/// The engine has nobody to talk to.
#[test]
fn nothing_is_changed_while_docker_is_away() {
    let kind = FaultKind::DockerRestart { live_restore: true };
    let mut scenario = with(Fault::once(second(600), Span::from_secs(20), kind));
    let limits = &mut scenario.services.get_mut(&web()).expect("web").limits;
    limits.cpu = Some(plimsoll::units::Millicores::new(1000));
    let action = plimsoll::model::Action::LimitCpu {
        service: web(),
        from: plimsoll::units::Millicores::new(1000),
        to: plimsoll::units::Millicores::new(1500),
        why: plimsoll::model::Reason::AboveThreshold {
            seen: Permille::percent(90),
            threshold: Permille::percent(80),
            checks: 1,
        },
    };
    let mut world = World::new(&scenario, Seed::new(1));
    let mut limit_after = |at| {
        world.advance(second(at));
        world.apply(std::slice::from_ref(&action));
        let refused = world.take_incidents().iter().any(|(_, it)| matches!(it, Incident::Refused { .. }));
        (refused, world.observe().services[&web()].limits.cpu.map(plimsoll::units::Millicores::get))
    };
    assert_eq!(limit_after(610), (true, Some(1000)));
    assert_eq!(limit_after(620), (false, Some(1500)));
}

/// Ten minutes without a host: all requests fail, nothing is seen, and afterwards it goes on as if nothing had been.
#[test]
fn a_lost_host_takes_all_with_it_and_comes_back() {
    let scenario = with(Fault::once(second(600), Span::from_mins(10), FaultKind::HostLoss));
    let samples = run(&scenario, 1800);
    let of = |minute: usize| &samples[minute - 1].services[0];
    assert_eq!((of(9).failed, of(21).failed, of(30).failed), (0, 0, 0));
    assert_eq!((of(15).served, of(15).failed, of(15).cpu.get()), (0, 6_000_000, 0));
    assert_eq!(samples[14].host.cpu.get(), 0, "a host that is gone uses no CPU");
    assert_eq!(of(30).served, 6_000_000);
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(1190));
    let seen = world.observe().services[&web()].instances[0].usage.expect("scrapes from before");
    assert_eq!(seen.at, second(585));
}

/// Half of the scrapes of ten hours are lost, one by one.
#[test]
fn gaps_lose_scrapes_by_chance() {
    let kind = FaultKind::MetricsGaps(Permille::percent(50));
    let scenario = with(Fault::once(second(0), Span::from_mins(600), kind));
    let mut world = World::new(&scenario, Seed::new(1));
    let (mut fresh, mut looks) = (0, 0);
    for look in 1..2400 {
        world.advance(second(look * 15));
        looks += 1;
        let seen = world.observe().services[&web()].instances[0].usage;
        fresh += u64::from(seen.is_some_and(|seen| seen.at == second(look * 15)));
    }
    // A standard deviation of 24 around 1200.
    assert!((1100..1300).contains(&fresh), "{fresh} of {looks}");
}

/// The truth is 0.5 cores and 100 MiB, shown are 0.1 cores and 150 MiB.
#[test]
fn a_lying_metric_shows_what_it_likes() {
    let kind = FaultKind::MetricsLie { service: web(), cpu: Permille::percent(20), memory: Permille::percent(150) };
    let scenario = with(Fault::once(second(600), Span::from_mins(5), kind));
    let mut world = World::new(&scenario, Seed::new(1));
    let mut seen_at = |at| {
        world.advance(second(at));
        let seen = world.observe().services[&web()].instances[0].usage.expect("scrapes");
        (seen.cpu.get(), seen.memory.get() >> 20)
    };
    assert_eq!(
        [seen_at(599), seen_at(600), seen_at(899), seen_at(900)],
        [(500, 100), (100, 150), (100, 150), (500, 100)]
    );
}

/// A clock that is an hour ahead stamps measurements that are still to come; set right again, it stamps older ones than
/// those it has, which are thrown away until it has caught up.
#[test]
fn a_wrong_clock_stamps_wrongly() {
    let kind = FaultKind::ClockAhead(Span::from_mins(10));
    let scenario = with(Fault::once(second(600), Span::from_mins(5), kind));
    let mut world = World::new(&scenario, Seed::new(1));
    let mut stamp_at = |at| {
        world.advance(second(at));
        world.observe().services[&web()].instances[0].usage.map(|seen| seen.at)
    };
    assert_eq!(stamp_at(599), Some(second(585)));
    assert_eq!(stamp_at(660), Some(second(1260)));
    assert_eq!(stamp_at(1470), Some(second(1485)));
    assert_eq!(stamp_at(1500), Some(second(1500)));
    let behind = FaultKind::ClockBehind(Span::from_mins(2));
    let scenario = with(Fault::once(second(600), Span::from_mins(5), behind));
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(700));
    assert_eq!(world.observe().services[&web()].instances[0].usage.map(|seen| seen.at), Some(second(585)));
    world.advance(second(780));
    assert_eq!(world.observe().services[&web()].instances[0].usage.map(|seen| seen.at), Some(second(660)));
}

/// What comes late is seen late, and not lost.
#[test]
fn late_scrapes_are_seen_later() {
    let scenario = with(Fault::once(second(600), Span::from_mins(5), FaultKind::MetricsDelay(Span::from_mins(1))));
    let mut world = World::new(&scenario, Seed::new(1));
    let mut stamp_at = |at| {
        world.advance(second(at));
        world.observe().services[&web()].instances[0].usage.map(|seen| seen.at)
    };
    assert_eq!(
        [stamp_at(659), stamp_at(660), stamp_at(890)].map(|seen| seen.expect("scrapes")),
        [second(585), second(600), second(825)]
    );
    assert_eq!(stamp_at(1000), Some(second(990)));
}
