//! Policies that change the number of instances, where what each instance uses is its share of the load: they come to rest,
//! come back, and never ask for fewer because more is to be done. And their times, to the nanosecond.

use crate::arbitrary::policy;
use crate::arbitrary::service_name;
use crate::crowds::crowd;
use crate::crowds::horizontal;
use crate::stage::Stage;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::scale;
use crate::stage::service;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::AutopilotFigures;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Guard;
use plimsoll::model::Horizontal;
use plimsoll::model::HpaFigures;
use plimsoll::model::InstanceState;
use plimsoll::model::KpaFigures;
use plimsoll::model::NomadTargetFigures;
use plimsoll::model::NomadThresholdFigures;
use plimsoll::model::Observation;
use plimsoll::model::PointScore;
use plimsoll::model::Policy;
use plimsoll::model::Quantity;
use plimsoll::model::Reference;
use plimsoll::model::Scaling;
use plimsoll::model::Signal;
use plimsoll::model::Sizing;
use plimsoll::model::StepFigures;
use plimsoll::model::TrackingFigures;
use plimsoll::model::TrafficSeen;
use plimsoll::model::Trigger;
use plimsoll::model::Vertical;
use plimsoll::model::WeightedScore;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use proptest::prelude::Just;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

const DAY: Span = Span::from_mins(24 * 60);

/// `web` with so many instances of one CPU and 512 MiB.
fn web(policy: Policy, count: u32) -> Stage {
    let mut seen = service(limits(1000, 512));
    scale(&mut seen, count);
    Stage::with(host([("web", seen)]), [(name("web"), policy)].into()).0
}

/// A load, in millicores, whose CPU the instances share, and whose requests are what they are however many there are; a look
/// every minute for so long. The last time at which anything was done.
fn bear(stage: &mut Stage, load: u64, lasts: Span) -> Instant {
    let (end, mut last) = (stage.now.plus(lasts), stage.now);
    while stage.now < end {
        stage.now = stage.now.plus(Span::from_mins(1));
        stage.carries("web", load, Bytes::mebi(200));
        let now = stage.now;
        // Nobody has to start first: an autoscaler that does not count who just did would count its own before they do.
        stage.service("web").instances.iter_mut().for_each(|one| one.started = Some(Instant::START));
        stage.service("web").traffic = Some(TrafficSeen {
            at: now,
            window: Span::from_mins(5),
            rate: Rate::per_second(load / 10),
            errors: (load * 5).min(1_000_000),
            latency_p95: Some(Span::from_millis(load / 2)),
            inside: load * 50,
        });
        if !stage.look().actions.is_empty() {
            last = stage.now;
        }
    }
    last
}

/// A vertical policy that comes to rest in days.
fn patient(policy: Vertical, (increase, decrease): (u64, u64)) -> Vertical {
    Vertical {
        sizing: Sizing::Thresholds,
        every: Span::from_mins(5),
        checks: policy.checks.min(3),
        cooldown: Span::from_mins(10),
        per_day: 100,
        increase: Permille::new(increase),
        decrease: Permille::new(decrease),
        ..policy
    }
}

/// A horizontal policy, beside one that moves limits where there is one.
fn beside(vertical: Option<Vertical>, factors: (u64, u64), horizontal: Horizontal) -> Policy {
    match vertical {
        Some(vertical) => Policy::Both(patient(vertical, factors), horizontal),
        None => Policy::Horizontal(horizontal),
    }
}

/// The three rules as they ship, with a range and times of their own.
fn shipped() -> impl Strategy<Value = Horizontal> {
    let rule = prop_oneof![
        Just(Scaling::Bounds(Bounds::thresholds())),
        Just(Scaling::Bounds(Bounds::triggers())),
        Just(Scaling::Points(PointScore { down_from: 2, ..PointScore::default() })),
        Just(Scaling::Weighted(WeightedScore::default())),
        field().prop_map(Scaling::Reference),
    ];
    let range = (1_u32..4, 1_u32..9);
    let times = (0_u64..20, 0_u64..30, 1_u64..6);
    (rule, range, (1_u32..4, 1_u32..4), times).prop_map(|(rule, (least, more), steps, (up, down, every))| Horizontal {
        replicas_min: least,
        replicas_max: least + more,
        step_up: steps.0,
        step_down: steps.1,
        cooldown_up: Span::from_mins(up),
        cooldown_down: Span::from_mins(down),
        every: Span::from_mins(every),
        ..Horizontal::around(rule)
    })
}

/// Policies of the field as they ship; Autopilot with hours for its days, and Nomad with one point for its five, since there
/// is one look a minute.
fn field() -> impl Strategy<Value = Reference> {
    let hours = |hours: u64| Span::from_mins(60 * hours);
    let figures = AutopilotFigures { horizon: hours(1), downscale_after: hours(2), ..AutopilotFigures::default() };
    prop_oneof![
        Just(Reference::Hpa(HpaFigures::default())),
        Just(Reference::Kpa(KpaFigures::default())),
        Just(Reference::TargetTracking(TrackingFigures::default())),
        Just(Reference::StepScaling(StepFigures::default())),
        Just(Reference::Autopilot(figures)),
        Just(Reference::NomadTargetValue(NomadTargetFigures::default())),
        Just(Reference::NomadThreshold(NomadThresholdFigures { points: 1, ..NomadThresholdFigures::default() })),
    ]
}

/// More of everything that a load makes, for one service.
fn heavier(seen: &Observation, (cpu, more): (u64, u64)) -> Observation {
    let mut seen = seen.clone();
    let service = seen.services.get_mut(&service_name(0)).expect("the service");
    // What is far above a limit is no load but a lie.
    let most = service.limits.cpu.map_or(seen.host.pool_cpu, |limit| limit.scaled(2, 1)).min(seen.host.pool_cpu);
    for usage in service.instances.iter_mut().filter_map(|instance| instance.usage.as_mut()) {
        usage.cpu = usage.cpu.max(usage.cpu.plus(Millicores::new(cpu)).min(most));
    }
    if let Some(traffic) = &mut service.traffic {
        traffic.rate = Rate::micro(traffic.rate.get() + more * 1_000_000);
        traffic.errors = (traffic.errors + more * 100).min(1_000_000);
        traffic.latency_p95 = Some(traffic.latency_p95.unwrap_or_default().plus(Span::from_millis(more * 5)));
        traffic.inside += more * 100;
    }
    seen
}

/// How many instances there are to be.
fn wanted(decision: &Decision, seen: &Observation) -> u32 {
    let of_it = decision.actions.iter().find_map(|action| match action {
        Action::Scale { service, to, .. } if *service == service_name(0) => Some(*to),
        _ => None,
    });
    of_it.unwrap_or(u32::try_from(seen.services[&service_name(0)].instances.len()).expect("a few"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_steady_load_ends_in_silence(
        horizontal in horizontal(),
        vertical in proptest::option::weighted(0.5, policy()),
        factors in (1250_u64..2000, 500_u64..900),
        count in 1_u32..10,
        load in 0_u64..12_000,
    ) {
        let mut stage = web(beside(vertical, factors, horizontal), count);
        let last = bear(&mut stage, load, DAY.times(4));
        prop_assert!(last < Instant::after_start(DAY.times(3)), "still busy at {last}");
    }

    /// So do the policies of the field, but for step scaling: its guide's steps turn one instance at 75 % into two at 37.5 %,
    /// and these into one again.
    #[test]
    fn a_steady_load_ends_in_silence_in_the_field(
        around in shipped(),
        reference in field(),
        vertical in proptest::option::weighted(0.5, policy()),
        factors in (1250_u64..2000, 500_u64..900),
        count in 1_u32..10,
        load in 0_u64..12_000,
    ) {
        if matches!(reference, Reference::StepScaling(_)) {
            return Ok(());
        }
        let horizontal = Horizontal { scaling: Scaling::Reference(reference), ..around };
        let mut stage = web(beside(vertical, factors, horizontal), count);
        let last = bear(&mut stage, load, DAY.times(4));
        prop_assert!(last < Instant::after_start(DAY.times(3)), "still busy at {last}");
    }

    /// From the fewest to many and back: when next to nothing is left to do, there are as few as before.
    #[test]
    fn what_grew_comes_back(
        horizontal in shipped(),
        vertical in proptest::option::weighted(0.5, policy()),
        factors in (1250_u64..2000, 500_u64..900),
        load in 2000_u64..20_000,
    ) {
        let (least, most) = (horizontal.replicas_min, horizontal.replicas_max);
        let by_cpu = horizontal.looks_at(|signal| signal == Signal::Cpu);
        let mut stage = web(beside(vertical, factors, horizontal), least);
        bear(&mut stage, 50, DAY);
        prop_assert_eq!(stage.count("web"), least as usize);
        bear(&mut stage, load * u64::from(least), DAY);
        prop_assert!(stage.count("web") > least as usize && stage.count("web") <= most as usize);
        bear(&mut stage, 50, DAY.times(2));
        prop_assert_eq!(stage.count("web"), least as usize);
        // Where the number does not answer to CPU, the limit is for the other policy alone.
        prop_assert!(!by_cpu || stage.limits("web").cpu >= limits(1000, 0).cpu, "{:?}", stage.limits("web").cpu);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_load_never_asks_for_fewer(crowd in crowd(), well in proptest::bool::weighted(0.8), more in (0_u64..2000, 0_u64..1200)) {
        let (engine, transcript) = crowd.play();
        let mut seen = transcript.last().expect("looks").observation.clone();
        let now = transcript.last().expect("looks").at.plus(Span::from_mins(10));
        let Some(service) = seen.services.get_mut(&service_name(0)) else { return Ok(()) };
        service.stateful = false;
        service.deploying = false;
        for instance in &mut service.instances {
            if well {
                instance.state = InstanceState::Healthy;
            }
            if let Some(usage) = &mut instance.usage {
                (usage.at, usage.window) = (now, Span::from_mins(5));
            }
        }
        if let Some(traffic) = &mut service.traffic {
            traffic.at = now;
        }
        let asked = |seen: &Observation| wanted(&Engine::clone(&engine).observe(now, seen), seen);
        let (less, more) = (asked(&seen), asked(&heavier(&seen, more)));
        prop_assert!(more >= less, "{less} instances, and with more to do {more}");
    }
}

/// A rule that looks at one figure, at every look.
fn on_errors(lasts: Span) -> Horizontal {
    let trigger = |bound, lasts| Trigger { signal: Signal::Errors, bound: Quantity::Share(bound), lasts };
    let bounds = Bounds { up: vec![trigger(50_000, lasts)], down: vec![trigger(10_000, lasts)] };
    Horizontal {
        every: Span::ZERO,
        replicas_min: 1,
        replicas_max: 100,
        step_up: 1,
        step_down: 1,
        ..Horizontal::around(Scaling::Bounds(bounds))
    }
}

/// A look at a time, at which so many millionths of the requests fail.
fn look(stage: &mut Stage, at: Span, errors: u64) -> Decision {
    stage.now = Instant::after_start(at);
    let now = stage.now;
    stage.carries("web", 1000, Bytes::mebi(200));
    stage.service("web").traffic = Some(TrafficSeen {
        at: now,
        window: Span::from_mins(5),
        rate: Rate::per_second(10),
        errors,
        latency_p95: None,
        inside: 0,
    });
    stage.look()
}

const NANO: Span = Span::from_nanos(1);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_trigger_fires_exactly_after_its_time(lasts in 2_u64..4_000_000_000_000, begins in 1_u64..1_000_000_000_000, above: bool) {
        let (lasts, begins) = (Span::from_nanos(lasts), Span::from_nanos(begins));
        let mut stage = web(Policy::Horizontal(on_errors(lasts)), 5);
        let errors = if above { 50_001 } else { 9_999 };
        // Exactly on both bounds is within.
        for (at, errors) in [(begins.minus(NANO), 50_000), (begins.minus(NANO), 10_000)] {
            assert_eq!(look(&mut stage, at, errors), Decision::default());
        }
        for at in [begins, begins.plus(lasts).minus(NANO)] {
            let decision = look(&mut stage, at, errors);
            let [held] = decision.held.as_slice() else { panic!("{decision:?}") };
            let passed = at.minus(begins);
            assert_eq!(held.guard, Guard::Pending { signal: Signal::Errors, lasts: passed, needed: lasts });
            assert!(decision.actions.is_empty());
        }
        look_acts(&mut stage, begins.plus(lasts), errors, above);
    }

    #[test]
    fn a_cooldown_holds_to_the_nanosecond(up in 2_u64..4_000_000_000_000, more in 2_u64..4_000_000_000_000) {
        let (up, down) = (Span::from_nanos(up), Span::from_nanos(up + more));
        let policy = Horizontal { cooldown_up: up, cooldown_down: down, ..on_errors(Span::ZERO) };
        let mut stage = web(Policy::Horizontal(policy), 5);
        let (many, few) = (60_000, 0);
        look_acts(&mut stage, Span::from_secs(1), many, true);
        let first = Span::from_secs(1);
        let left = |decision: &Decision| decision.held.first().map(|held| held.guard.clone());
        assert_eq!(left(&look(&mut stage, first.plus(up).minus(NANO), many)), Some(Guard::Cooldown { left: NANO }));
        look_acts(&mut stage, first.plus(up), many, true);
        let second = first.plus(up);
        assert_eq!(left(&look(&mut stage, second.plus(down).minus(NANO), few)), Some(Guard::Cooldown { left: NANO }));
        look_acts(&mut stage, second.plus(down), few, false);
        // Nothing was added since the second time, so a need that comes back is met at once.
        look_acts(&mut stage, second.plus(down).plus(NANO), many, true);
    }
}

fn look_acts(stage: &mut Stage, at: Span, errors: u64, more: bool) {
    let before = stage.count("web");
    let decision = look(stage, at, errors);
    let after = if more { before + 1 } else { before - 1 };
    assert_eq!((stage.count("web"), decision.actions.len()), (after, 1), "{decision:?}");
}
