//! What the engine sees of a run.

use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::InstanceState;
use plimsoll::model::Noise;
use plimsoll::model::Sensors;
use plimsoll::model::ServiceName;
use plimsoll::model::Source;
use plimsoll::model::Usage;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

fn usage(world: &World) -> Option<Usage> {
    world.observe().services[&ServiceName::new("web")].instances[0].usage
}

/// Two instances share 120 requests of 5 ms a second: 0.3 cores each. Seen 20 s late; scrapes fail from 600 s to 720 s.
#[test]
fn the_engine_sees_late_means_and_nothing_new_in_an_outage() {
    let mut web = service(5);
    web.replicas = 2;
    let mut scenario = scenario(host(2), [("web", web)], [("web", constant(Rate::per_second(120), Noise::None))]);
    scenario.sensors = Sensors { delay: Span::from_secs(20), ..Sensors::default() };
    scenario.faults = vec![Fault::once(second(600), Span::from_secs(120), FaultKind::MetricsOutage)];
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(49));
    assert_eq!(usage(&world), None);
    world.advance(second(50));
    let early = usage(&world).expect("two scrapes");
    assert_eq!((early.at, early.window, early.cpu.get()), (second(30), Span::from_secs(15), 300));
    world.advance(second(599));
    let seen = usage(&world).expect("scrapes");
    assert_eq!((seen.at, seen.window, seen.cpu.get()), (second(570), Span::from_mins(5), 300));
    assert_eq!((seen.memory, seen.memory_max), (Bytes::mebi(100), Bytes::mebi(100)));
    world.advance(second(730));
    assert_eq!(usage(&world).expect("scrapes").at, second(585));
    world.advance(second(740));
    assert_eq!(usage(&world).expect("scrapes").at, second(720));
    let observation = world.observe();
    assert_eq!(observation.host.pool_cpu, scenario.host.pool_cpu());
    assert!(observation.services[&ServiceName::new("web")].instances.iter().all(|i| i.state == InstanceState::Healthy));
}

/// Scatter is seen by the sensors, and evens out over the window.
#[test]
fn rates_scatter_around_the_truth() {
    let scenario = scenario(host(2), [("web", service(5))], [("web", constant(Rate::per_second(120), Noise::Poisson))]);
    let mut world = World::new(&scenario, Seed::new(1));
    let mut seen = Vec::new();
    for minute in 10..100 {
        world.advance(second(minute * 60));
        seen.push(usage(&world).expect("scrapes").cpu.get());
    }
    // 36,000 requests in a window of 5 min: a standard deviation of 0.53 %, 3.2 thousandths of a core.
    assert!(seen.iter().all(|cpu| (580..620).contains(cpu)), "{seen:?}");
    assert!(seen.iter().min() != seen.iter().max());
}

/// Docker's own statistics are fresh and of one second: with 100 requests of 5 ms a second that scatter, they scatter, too,
/// and while the engine is away there are none.
#[test]
fn docker_shows_the_last_second() {
    let mut scenario =
        scenario(host(2), [("web", service(5))], [("web", constant(Rate::per_second(100), Noise::Poisson))]);
    scenario.sensors = Sensors { source: Source::Docker, look: Span::from_secs(60), ..Sensors::default() };
    let kind = FaultKind::DockerRestart { live_restore: true };
    scenario.faults = vec![Fault::once(second(3600), Span::from_mins(5), kind)];
    let mut world = World::new(&scenario, Seed::new(1));
    let mut seen = Vec::new();
    for minute in 1..60 {
        world.advance(second(minute * 60));
        let usage = usage(&world).expect("asked for just now");
        assert_eq!((usage.at, usage.window), (second(minute * 60), Span::from_secs(1)));
        seen.push(usage.cpu.get() as f64);
    }
    let mean = seen.iter().sum::<f64>() / seen.len() as f64;
    let variance = seen.iter().map(|cpu| (cpu - mean) * (cpu - mean)).sum::<f64>() / seen.len() as f64;
    // A Poisson count of 100 has a standard deviation of 10: half a core give or take 50 thousandths.
    assert!((480.0..520.0).contains(&mean) && (35.0..65.0).contains(&variance.sqrt()), "{mean} {}", variance.sqrt());
    world.advance(second(3720));
    assert_eq!(usage(&world), None);
}

/// Half of the scrapes are lost, the others come up to 10 s late, and what is older than a minute is forgotten.
#[test]
fn scrapes_jitter_get_lost_and_are_forgotten() {
    let mut scenario =
        scenario(host(2), [("web", service(5))], [("web", constant(Rate::per_second(100), Noise::None))]);
    scenario.sensors = Sensors {
        gaps: Permille::percent(50),
        jitter: Span::from_secs(10),
        forgotten_after: Some(Span::from_mins(1)),
        ..Sensors::default()
    };
    scenario.faults = vec![Fault::once(second(3600), Span::from_mins(5), FaultKind::MetricsOutage)];
    let mut world = World::new(&scenario, Seed::new(1));
    let (mut stamps, mut missing) = (std::collections::BTreeSet::new(), 0);
    for at in 300..3600 {
        world.advance(second(at));
        match usage(&world) {
            Some(usage) => {
                assert!(second(at).since(usage.at) <= Span::from_mins(1));
                assert!((480..=520).contains(&usage.cpu.get()), "{}", usage.cpu);
                stamps.insert(usage.at.since_start().secs());
            }
            None => missing += 1,
        }
    }
    // 220 rounds, half of them seen; a gap of four or more rounds in a row is forgotten before its end.
    assert!((85..135).contains(&stamps.len()), "{}", stamps.len());
    assert!(missing > 0 && missing < 600, "{missing}");
    let phases: std::collections::BTreeSet<u64> = stamps.iter().map(|stamp| stamp % 15).collect();
    assert!(phases.len() >= 8 && phases.iter().all(|phase| *phase <= 10), "{phases:?}");
    world.advance(second(3700));
    assert_eq!(usage(&world), None);
}
