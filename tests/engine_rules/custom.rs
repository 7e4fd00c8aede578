//! Stories of metrics of the business: how many orders wait decides over instances of `web`, and nobody counts its requests.

use crate::stage::Stage;
use crate::stage::guards;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::scale;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::audit::Audit;
use plimsoll::audit::Rule;
use plimsoll::model::Action;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Finding;
use plimsoll::model::Horizontal;
use plimsoll::model::HpaFigures;
use plimsoll::model::MetricName;
use plimsoll::model::MetricSeen;
use plimsoll::model::Observation;
use plimsoll::model::PointScore;
use plimsoll::model::Points;
use plimsoll::model::Policy;
use plimsoll::model::Quantity;
use plimsoll::model::Reason;
use plimsoll::model::Reference;
use plimsoll::model::Scaling;
use plimsoll::model::Signal;
use plimsoll::model::Target;
use plimsoll::model::Trigger;
use plimsoll::model::WeightedPart;
use plimsoll::model::WeightedScore;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Permille;
use plimsoll::units::Span;

const LOOK: Span = Span::from_secs(30);

fn orders_waiting() -> MetricName {
    "orders_waiting".parse().expect("a name")
}

const fn orders(count: u64) -> Quantity {
    Quantity::Number(count * 1000)
}

fn at_once(signal: Signal, bound: Quantity) -> Trigger {
    Trigger { signal, bound, lasts: Span::ZERO }
}

/// More above 100 orders or 70 % CPU, fewer below 20 orders and 20 % CPU.
fn bounds() -> Scaling {
    let signal = Signal::Custom(orders_waiting());
    let percent = |percent: u64| Quantity::Share(percent * 10_000);
    Scaling::Bounds(Bounds {
        up: vec![at_once(Signal::Cpu, percent(70)), at_once(signal, orders(100))],
        down: vec![at_once(Signal::Cpu, percent(20)), at_once(signal, orders(20))],
    })
}

/// Three instances of `web` that run for ten minutes, none measured yet, and no orders either.
fn stage(scaling: Scaling) -> Stage {
    let mut web = service(limits(1000, 512));
    scale(&mut web, 3);
    for instance in &mut web.instances {
        instance.started = Some(Instant::START);
    }
    let policy = Horizontal { replicas_min: 1, ..Horizontal::around(scaling) };
    let mut stage = Stage::with(host([("web", web)]), [(name("web"), Policy::Horizontal(policy))].into()).0;
    stage.now = stage.now.plus(Span::from_mins(10));
    stage
}

/// When something was measured, by what time it is.
type Measured = fn(Instant) -> Instant;

/// Half a minute later so many orders wait, counted at a time relative to the look; each instance uses so many millicores.
fn after(stage: &mut Stage, seen: Option<(u64, Measured)>, cpu: u64) -> Decision {
    stage.now = stage.now.plus(LOOK);
    stage.host.metrics.clear();
    if let Some((count, at)) = seen {
        stage.host.metrics.insert(orders_waiting(), MetricSeen { at: at(stage.now), value: orders(count) });
    }
    stage.carries("web", cpu * 3, Bytes::mebi(100));
    stage.look()
}

fn now(at: Instant) -> Instant {
    at
}

#[test]
fn orders_that_wait_add_and_orders_that_are_worked_off_remove() {
    let mut busy = stage(bounds());
    let decision = after(&mut busy, Some((101, now)), 500);
    assert_eq!(busy.count("web"), 4, "{decision:?}");
    let mut within = stage(bounds());
    assert_eq!(after(&mut within, Some((100, now)), 100), Decision::default(), "exactly on the bound is within");
    let mut quiet = stage(bounds());
    let _ = after(&mut quiet, Some((19, now)), 100);
    assert!(quiet.count("web") < 3);
}

/// The policy acts on nothing older than two minutes: the last second of them still counts.
#[test]
fn what_was_counted_long_ago_or_is_still_to_come_is_not_measured() {
    let stage_of = |at: fn(Instant) -> Instant, count: u64| {
        let mut stage = stage(bounds());
        let decision = after(&mut stage, Some((count, at)), 100);
        (stage.count("web"), guards(&decision))
    };
    assert_eq!(stage_of(|at| at.minus(Span::from_secs(120)), 101).0, 4);
    assert_eq!(stage_of(|at| at.minus(Span::from_secs(121)), 101), (3, vec!["no data"]));
    assert_eq!(stage_of(|at| at.minus(Span::from_secs(121)), 19), (3, vec!["no data"]));
    assert_eq!(stage_of(|at| at.plus(Span::from_secs(1)), 101), (3, vec!["no data"]));
    assert_eq!(stage_of(|at| at.plus(Span::from_secs(1)), 19), (3, vec!["no data"]));
}

/// Under every kind of rule CPU alone is enough for more, and never for fewer. Kubernetes removes nothing at its first look,
/// so it takes two.
#[test]
fn a_metric_that_is_missing_removes_nothing_and_stops_nobody_from_adding() {
    let signal = Signal::Custom(orders_waiting());
    let percent = |percent: u64| Quantity::Share(percent * 10_000);
    let points = |signal, bound| Points { trigger: at_once(signal, bound), points: 1 };
    let rules = [
        bounds(),
        Scaling::Points(PointScore {
            up: vec![points(Signal::Cpu, percent(70)), points(signal, orders(100))],
            down: vec![points(Signal::Cpu, percent(20)), points(signal, orders(20))],
            up_from: 1,
            down_from: 1,
        }),
        Scaling::Weighted(WeightedScore {
            parts: vec![
                WeightedPart { signal: Signal::Cpu, weight: 50, whole: percent(100) },
                WeightedPart { signal, weight: 50, whole: orders(200) },
            ],
            up: Permille::percent(70),
            down: Permille::percent(30),
        }),
        Scaling::Reference(Reference::Hpa(HpaFigures {
            targets: vec![Target { signal: Signal::Cpu, value: percent(50) }, Target { signal, value: orders(40) }],
            down_stabilisation: Span::ZERO,
            ..HpaFigures::default()
        })),
    ];
    for rule in rules {
        let mut busy = stage(rule.clone());
        let _ = after(&mut busy, None, 900);
        assert!(busy.count("web") > 3, "{rule:?}");
        let mut idle = stage(rule.clone());
        let _ = after(&mut idle, None, 50);
        let decision = after(&mut idle, None, 50);
        assert_eq!((idle.count("web"), guards(&decision)), (3, vec!["no data"]), "{rule:?}");
        let mut known = stage(rule.clone());
        let _ = after(&mut known, Some((1, now)), 50);
        let _ = after(&mut known, Some((1, now)), 50);
        assert!(known.count("web") < 3, "what is measured removes under {rule:?}");
    }
}

#[test]
fn orders_alone_add_where_no_instance_is_measured() {
    let mut stage = stage(bounds());
    stage.now = stage.now.plus(LOOK);
    let seen = MetricSeen { at: stage.now, value: orders(500) };
    stage.host.metrics.insert(orders_waiting(), seen);
    assert!(!stage.look().actions.is_empty());
    assert_eq!(stage.count("web"), 4);
}

/// 90 orders at 40 for each instance are 2.25 instances, so three; 140 are 3.5, so four.
#[test]
fn a_target_is_of_each_instance() {
    let target = Target { signal: Signal::Custom(orders_waiting()), value: orders(40) };
    let rule = Scaling::Reference(Reference::Hpa(HpaFigures { targets: vec![target], ..HpaFigures::default() }));
    let mut stage = stage(rule);
    let _ = after(&mut stage, Some((90, now)), 500);
    assert_eq!(stage.count("web"), 3);
    let _ = after(&mut stage, Some((140, now)), 500);
    assert_eq!(stage.count("web"), 4);
}

/// Half a percent of CPU is not no percent but one, and three instances at one percent are as wanted.
#[test]
fn a_target_finer_than_a_percent_is_one_percent() {
    let targets = vec![Target { signal: Signal::Cpu, value: Quantity::Share(5_000) }];
    let mut stage = stage(Scaling::Reference(Reference::Hpa(HpaFigures { targets, ..HpaFigures::default() })));
    let decision = after(&mut stage, None, 10);
    assert_eq!((stage.count("web"), decision.actions.is_empty()), (3, true), "{decision:?}");
}

/// What the audit says to a decision at minute 60 about three instances at 10 % CPU.
fn audited(orders_seen: Option<(Instant, u64)>, why: Reason, to: u32) -> Vec<Rule> {
    let now = Instant::after_start(Span::from_mins(60));
    let mut web = service(limits(1000, 512));
    scale(&mut web, 3);
    for instance in &mut web.instances {
        instance.usage = Some(usage(now, 100, Bytes::mebi(100)));
    }
    let mut seen: Observation = host([("web", web)]);
    let metric = orders_seen.map(|(at, count)| (orders_waiting(), MetricSeen { at, value: orders(count) }));
    seen.metrics.extend(metric);
    let policy = Policy::Horizontal(Horizontal { replicas_min: 1, ..Horizontal::around(bounds()) });
    let action = Action::Scale { service: name("web"), from: 3, to, why };
    let decision = Decision { actions: vec![action], held: Vec::new() };
    let breaches = Audit::new(&[(name("web"), policy)].into()).check(now, &seen, &decision);
    breaches.iter().map(|breach| breach.rule).collect()
}

#[test]
fn the_audit_looks_at_the_same_metric_by_itself() {
    let now = Instant::after_start(Span::from_mins(60));
    let finding = |signal, seen, bound| Finding { signal, seen, bound, lasts: Span::ZERO };
    let signal = Signal::Custom(orders_waiting());
    let waiting = |seen| Reason::Beyond { above: true, findings: vec![finding(signal, orders(seen), orders(100))] };
    assert_eq!(audited(Some((now, 150)), waiting(150), 4), []);
    assert_eq!(audited(Some((now, 120)), waiting(150), 4), [Rule::Data], "another number was seen");
    let old = now.minus(Span::from_secs(121));
    assert_eq!(audited(Some((old, 150)), waiting(150), 4), [Rule::Data], "it was seen too long ago");
    let cpu = || finding(Signal::Cpu, Quantity::Share(100_000), Quantity::Share(200_000));
    let idle = |findings| Reason::Beyond { above: false, findings };
    let both = || idle(vec![cpu(), finding(signal, orders(10), orders(20))]);
    assert_eq!(audited(Some((now, 10)), both(), 2), []);
    assert_eq!(audited(None, idle(vec![cpu()]), 2), [Rule::Data], "nobody knows how many orders wait");
    assert_eq!(audited(Some((now, 30)), idle(vec![cpu()]), 2), [Rule::Reason], "they are left out");
}
