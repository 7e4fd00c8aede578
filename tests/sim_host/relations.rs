//! What two runs must have to do with each other: a host twice as large, another order, another time, another limit.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::Spread;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use proptest::prelude::*;

/// Three services with these figures: work in ms, requests a second, quota in thousandths of a core (none above 1500),
/// weight. The first calls the second. Names are `a`, `b`, `c` in this order of `places`.
fn three(cores: u32, figures: &[(u64, u64, u64, u64)], places: [usize; 3], start: u64) -> Scenario {
    let names = places.map(|place| ["a", "b", "c"][place]);
    let mut services = Vec::new();
    let mut loads = Vec::new();
    for (place, &(work, rate, quota, weight)) in figures.iter().enumerate() {
        let mut model = ServiceModel { weight, ..service(work) };
        model.limits.cpu = (quota <= 1500).then(|| Millicores::new(quota));
        model.work.spread = [Spread::Constant, Spread::Exponential, Spread::Heavy][place];
        if place == 0 {
            model.work.calls = vec![call(names[1], 1)];
        }
        services.push((names[place], model));
        let levels = vec![
            (Span::from_secs(start), Rate::per_second(rate)),
            (Span::from_secs(start + 300), Rate::per_second(rate * 2)),
        ];
        loads.push((names[place], Load { pattern: Pattern::Steps(levels), noise: Noise::None }));
    }
    scenario(host(cores), services, loads)
}

fn nearly(one: u64, other: u64) -> bool {
    one.abs_diff(other) <= 50 + one / 2000
}

/// Counts, CPU and mean times of two stretches are the same but for rounding.
fn same(one: &Sample, other: &Sample, places: [usize; 3]) -> Result<(), String> {
    for (place, there) in places.into_iter().enumerate() {
        let (mine, theirs) = (&one.services[place], &other.services[there]);
        let pairs = [
            (mine.arrived, theirs.arrived),
            (mine.served, theirs.served),
            (mine.queue, theirs.queue),
            (mine.cpu.get(), theirs.cpu.get()),
        ];
        let means = [mine, theirs].map(|service| service.latency.mean().unwrap_or(Span::ZERO).nanos());
        let off = means[0].abs_diff(means[1]) > means[0] / 1000;
        if off || !pairs.into_iter().all(|(one, other)| nearly(one, other)) {
            return Err(format!("{place}: {pairs:?}, mean times {means:?}"));
        }
    }
    Ok(())
}

fn figures() -> impl Strategy<Value = Vec<(u64, u64, u64, u64)>> {
    proptest::collection::vec((1_u64..20, 1_u64..80, 200_u64..3000, 256_u64..4096), 3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Names are only names: whoever is called what, and so in whatever order they stand, each is as before.
    #[test]
    fn another_order_changes_nothing(cores in 1_u32..5, figures in figures(), turn in 1_usize..6) {
        let places = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][turn];
        let before = run(&three(cores, &figures, [0, 1, 2], 0), 600);
        let after = run(&three(cores, &figures, places, 0), 600);
        for (before, after) in before.iter().zip(&after) {
            let found = same(before, after, places);
            prop_assert!(found.is_ok(), "{:?}", found);
        }
    }

    /// The same load ten minutes later is the same run ten minutes later.
    #[test]
    fn a_later_load_has_later_effects(cores in 1_u32..5, figures in figures()) {
        let now = run(&three(cores, &figures, [0, 1, 2], 0), 600);
        let later = run(&three(cores, &figures, [0, 1, 2], 600), 1200);
        for (now, later) in now.iter().zip(&later[10..]) {
            let found = same(now, later, [0, 1, 2]);
            prop_assert!(found.is_ok(), "{:?}", found);
        }
    }

    /// On a host with room, who may use more takes nothing from a neighbour that wants what it wanted before: no request
    /// of it fails or waits that did not, and it uses the same CPU.
    #[test]
    fn a_higher_quota_harms_nobody_where_there_is_room(
        mine in (1_u64..20, 5_u64..30, 100_u64..700), other in (1_u64..20, 1_u64..40, 256_u64..4096),
    ) {
        let (work, rate, quota) = mine;
        let with = |quota: u64| {
            let mut raised = service(work);
            raised.limits.cpu = Some(Millicores::new(quota));
            let neighbour = ServiceModel { weight: other.2, ..service(other.0) };
            let load = |rate| constant(Rate::per_second(rate), Noise::None);
            let loads = [("raised", load(rate)), ("neighbour", load(other.1))];
            run(&scenario(host(16), [("raised", raised), ("neighbour", neighbour)], loads), 600)
        };
        let (before, after) = (with(quota), with(quota * 2));
        let [slow, fast] = [&before, &after].map(|samples| merged(&samples[2..], 1).mean().expect("requests"));
        prop_assert!(fast <= slow.plus(Span::from_nanos(slow.nanos() / 1000)), "{} and then {}", slow, fast);
        for (before, after) in before.iter().zip(&after) {
            let (before, after) = (&before.services[0], &after.services[0]);
            prop_assert_eq!((before.arrived, before.failed), (after.arrived, after.failed));
            prop_assert!(nearly(before.cpu.get(), after.cpu.get()) && nearly(before.served, after.served));
            let [before, after] = [before, after].map(|service| service.latency.mean().expect("requests").nanos());
            prop_assert!(after <= before + before / 200, "the neighbour took {before} ns and then {after} ns");
        }
    }

    /// Twice the cores under twice the load are as busy, and requests wait no longer: a larger pool is never the worse.
    #[test]
    fn twice_the_host_under_twice_the_load_is_as_busy(cores in 1_u32..5, figures in figures()) {
        let doubled: Vec<_> = figures.iter().map(|(work, rate, _, weight)| (*work, *rate, 9000, *weight)).collect();
        let large: Vec<_> = doubled.iter().map(|(work, rate, none, weight)| (*work, rate * 2, *none, *weight)).collect();
        let small = run(&three(cores, &doubled, [0, 1, 2], 0), 600);
        let large = run(&three(cores * 2, &large, [0, 1, 2], 0), 600);
        for (small, large) in small.iter().zip(&large).skip(1) {
            let (one, two) = (small.host.cpu.get() * 2, large.host.cpu.get());
            prop_assert!(one.abs_diff(two) <= 20 + one / 100, "{one} and {two} thousandths of a core");
            for (small, large) in small.services.iter().zip(&large.services) {
                prop_assert!((small.arrived * 2).abs_diff(large.arrived) <= 50 + large.arrived / 100);
            }
        }
    }
}

/// Halving the step again and again, the means of a run with steps in its load come nearer and nearer to each other.
#[test]
fn ever_shorter_steps_converge() {
    let served = |millis: u64| {
        let mut scenario = three(1, &[(9, 40, 9000, 1024), (4, 10, 400, 512), (15, 8, 9000, 4096)], [0, 1, 2], 0);
        scenario.step = Span::from_millis(millis);
        run(&scenario, 480)
            .iter()
            .map(|sample| sample.services.iter().map(|s| s.queue as f64).sum::<f64>())
            .sum::<f64>()
    };
    let found = [2000, 1000, 500, 250, 125].map(served);
    let gaps: Vec<f64> = found.windows(2).map(|pair| (pair[1] / pair[0] - 1.0).abs()).collect();
    assert!(gaps[3] < 1e-3 && gaps[3] < gaps[0], "{found:?}, {gaps:?}");
}
