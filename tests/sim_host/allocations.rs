//! A step of a simulated host that has found its ways allocates nothing.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

#[test]
fn a_step_allocates_nothing() {
    let steady = |rate| constant(Rate::per_second(rate), Noise::Poisson);
    let daily = Load {
        pattern: Pattern::Diurnal { low: Rate::per_second(10), high: Rate::per_second(90), peak_at: Span::ZERO },
        noise: Noise::Poisson,
    };
    let cases = [(steady(50), None), (steady(90), None), (steady(130), None), (steady(130), Some(10)), (daily, None)];
    for (case, (load, timeout)) in cases.into_iter().enumerate() {
        let mut web = service(5);
        web.limits.cpu = Some(Millicores::new(500));
        web.timeout = timeout.map(Span::from_secs);
        web.work.calls = vec![call("db", 2)];
        let scenario = scenario(host(2), [("web", web), ("db", service(1))], [("web", load)]);
        let mut world = World::new(&scenario, Seed::new(1));
        for minute in 1..=60 {
            world.advance(second(minute * 60));
            world.sample();
        }
        let found = allocation_counter::measure(|| world.advance(second(3659)));
        assert_eq!(found.count_total, 0, "case {case}: {found:?}");
    }
}
