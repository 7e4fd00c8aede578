//! Recommenders of the field that move limits: what each comes to is worked out by hand, and the guards hold around them.

use crate::arbitrary::sizing;
use crate::stage::Stage;
use crate::stage::guards;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::service;
use plimsoll::model::Decision;
use plimsoll::model::Limits;
use plimsoll::model::Quantity;
use plimsoll::model::Reason;
use plimsoll::model::Sizing;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::model::Workload;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use proptest::prelude::ProptestConfig;
use proptest::prop_assert;
use proptest::proptest;

const VPA: Sizing = Sizing::Vpa { percentile: Permille::percent(90), margin: Permille::percent(15) };
const KRR: Sizing = Sizing::Krr { percentile: Permille::percent(96), margin: Permille::percent(15), points: 100 };

fn stage(limits: Limits, policy: Vertical) -> Stage {
    let mut seen = service(limits);
    seen.instances[0].started = Some(Instant::START);
    Stage::new(host([("api", seen)]), policy)
}

/// A look so much later, at which the only instance used so much CPU, in millicores, and holds so much memory, in MiB.
fn look(stage: &mut Stage, later: Span, (cpu, memory): (u64, u64)) -> Decision {
    stage.now = stage.now.plus(later);
    let (at, memory) = (stage.now, Bytes::mebi(memory));
    let used = Usage { at, window: later, cpu: Millicores::new(cpu), memory, memory_max: memory };
    stage.service("api").instances[0].usage = Some(used);
    stage.look()
}

/// Minutes until something is done, and what it is.
fn until_an_action(stage: &mut Stage, each: Span, used: (u64, u64)) -> (u64, Decision) {
    for _ in 0..10_000 {
        let decision = look(stage, each, used);
        if !decision.actions.is_empty() {
            return (stage.now.since_start().secs() / 60, decision);
        }
    }
    panic!("nothing is done in {}", stage.now);
}

/// 200m of CPU and 300 MiB for hours. CPU: the end of the bucket is 0.2 * (1.05^15 - 1) = 215m, and 15 % more are 247m. Memory:
/// 2e8 * (1.05^20 - 1) = 330.66e6, and 15 % more are 380.26e6 bytes, which is 362.6 MiB. The limit of CPU is 1000m, which is above
/// the upper bound of 247m * (1 + 1/days) after 0.328 days: 473 minutes after the first sample, one minute in.
#[test]
fn the_vpa_comes_down_once_it_is_sure() {
    let mut stage = stage(limits(1000, 1024), Vertical::of_the_field(VPA));
    let (minutes, decision) = until_an_action(&mut stage, Span::from_mins(1), (200, 300));
    assert_eq!(stage.limits("api"), limits(247, 363));
    assert_eq!(minutes, 474, "{decision:?}");
    let Reason::Sized { policy, wanted, note } = decision.actions[0].why() else { panic!("{decision:?}") };
    assert_eq!((policy.as_str(), *wanted), ("vpa", Quantity::Cpu(Millicores::new(247))));
    assert_eq!(note, "percentile 90% and 15% more; surely between 0.245 and 0.998");
    // And stays.
    for _ in 0..3000 {
        assert_eq!(look(&mut stage, Span::from_mins(1), (200, 300)), Decision::default());
    }
}

/// Whoever is killed at 256 MiB needs 100 MiB more, 373.3e6 bytes: the end of their bucket is 2e8 * (1.05^22 - 1) = 385.05e6, and
/// 15 % more are 442.8e6, 422.3 MiB.
#[test]
fn the_vpa_gives_more_to_who_was_killed() {
    let mut stage = stage(limits(300, 256), Vertical { memory_min: Bytes::mebi(64), ..Vertical::of_the_field(VPA) });
    for _ in 0..30 {
        assert!(look(&mut stage, Span::from_mins(1), (200, 150)).actions.is_empty());
    }
    let now = stage.now;
    let killed = &mut stage.service("api").instances[0];
    (killed.oom_kills, killed.restarts, killed.started) = (1, 1, Some(now));
    let (minutes, _) = until_an_action(&mut stage, Span::from_mins(1), (200, 150));
    assert_eq!((minutes, stage.limits("api").memory), (31, Some(Bytes::mebi(423))));
}

/// Usage of 10m, 20m, ... 1000m in turn. The 96th percentile of a hundred is at rank 95.04: 960m and 4 % of the way to 970m. Memory is
/// the peak and 15 %: 345 MiB of 300.
#[test]
fn krr_speaks_with_a_hundred_points() {
    let policy = Vertical { every: Span::from_mins(5), ..Vertical::of_the_field(KRR) };
    let mut stage = stage(limits(2000, 1024), policy);
    let each = Span::from_mins(5);
    for point in 0..100 {
        let decision = look(&mut stage, each, (10 * (point + 1), 300));
        assert_eq!((decision.actions.len(), guards(&decision)), (0, vec!["own rule"]), "{point}");
    }
    let decision = look(&mut stage, each, (10, 300));
    assert_eq!((decision.actions.len(), stage.limits("api")), (2, limits(961, 345)));
}

/// Buckets are 3.6 % apart, and the limit is the upper end of one and 15 % more.
#[test]
fn autopilot_speaks_after_its_first_window() {
    let policy = Vertical::of_the_field(Sizing::Autopilot { workload: Workload::Serving });
    let mut stage = stage(limits(1000, 1024), policy);
    let (minutes, _) = until_an_action(&mut stage, Span::from_mins(1), (500, 300));
    let Limits { cpu: Some(cpu), memory: Some(memory) } = stage.limits("api") else { panic!("limits") };
    assert!(minutes == 5 && (575..=596).contains(&cpu.get()), "{cpu} after {minutes} min");
    assert!((345..=358).contains(&(memory.get() >> 20)), "{memory}");
}

/// What holds for thresholds holds for every recommender.
#[test]
fn guards_hold_around_recommenders() {
    let mut data = stage(limits(1000, 1024), Vertical::of_the_field(VPA));
    data.service("api").stateful = true;
    let (_, decision) = until_an_action(&mut data, Span::from_mins(1), (200, 300));
    assert_eq!((data.limits("api"), guards(&decision)), (limits(247, 1024), vec!["stateful"]));

    let slow = Vertical { cooldown: Span::from_mins(60), per_day: 2, ..Vertical::of_the_field(KRR) };
    let slow =
        Vertical { sizing: Sizing::Krr { percentile: Permille::ONE, margin: Permille::ZERO, points: 1 }, ..slow };
    let mut growing = stage(limits(100, 1024), Vertical { every: Span::from_mins(5), ..slow });
    let mut times = Vec::new();
    for check in 1..=40_u64 {
        if !look(&mut growing, Span::from_mins(5), (100 + 5 * check, 900)).actions.is_empty() {
            times.push(check);
        }
    }
    assert_eq!(times.len(), 2, "{times:?}");
    assert!(times[1] - times[0] >= 12, "{times:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A steady use within the limits: in two days every recommender has come to rest, at no less than what is used.
    #[test]
    fn a_steady_use_comes_to_rest(sizing in sizing(), used in (10_u64..4000, 70_u64..4000), more in (0_u64..4000, 0_u64..4000)) {
        let policy = Vertical { every: Span::from_mins(5), cpu_min: Millicores::new(1), memory_min: Bytes::mebi(1), ..Vertical::of_the_field(sizing) };
        let mut stage = stage(limits(used.0 + more.0, used.1 + more.1), policy);
        let mut last = Instant::START;
        for _ in 0..4 * 288 {
            if !look(&mut stage, Span::from_mins(5), used).actions.is_empty() {
                last = stage.now;
            }
            let Limits { cpu: Some(cpu), memory: Some(memory) } = stage.limits("api") else { panic!("limits") };
            prop_assert!(cpu.get() >= used.0 && memory.get() >= used.1 << 20, "{cpu} {memory}");
        }
        prop_assert!(last <= Instant::after_start(Span::from_mins(2 * 24 * 60)), "still busy at {last}");
    }
}
