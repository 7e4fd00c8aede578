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
use plimsoll::model::Usage;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
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
