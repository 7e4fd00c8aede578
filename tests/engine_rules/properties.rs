//! What holds whatever the engine is shown. The rules are counted from the transcript alone, by neither engine nor audit.

use crate::arbitrary::History;
use crate::arbitrary::Seen;
use crate::arbitrary::history;
use crate::arbitrary::policy;
use crate::arbitrary::service_name;
use crate::stage::Stage;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::audit::Audit;
use plimsoll::model::Action;
use plimsoll::model::InstanceState;
use plimsoll::model::Sizing;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use proptest::prelude::ProptestConfig;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use proptest::strategy::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// When each adjustment of a service was made.
fn adjusted(transcript: &[Seen], index: usize) -> Vec<Instant> {
    let of_service = |action: &Action| *action.service() == service_name(index);
    let mut times: Vec<_> =
        transcript.iter().filter(|seen| seen.decision.actions.iter().any(of_service)).map(|seen| seen.at).collect();
    times.dedup();
    times
}

fn in_bounds(policy: &Vertical, action: &Action) -> bool {
    match action {
        Action::LimitCpu { to, .. } => (policy.cpu_min..=policy.cpu_max).contains(to),
        Action::LimitMemory { to, .. } => (policy.memory_min..=policy.memory_max).contains(to),
        Action::Scale { .. } => false,
    }
}

/// The action takes something away though an instance of the service is not known to be well by a fresh measurement.
fn shrinks_blindly(history: &History, seen: &Seen, action: &Action) -> bool {
    let index = (0..history.services.len()).find(|index| service_name(*index) == *action.service());
    let stale_after = history.policies[index.expect("a known service")].stale_after;
    let fresh = |usage: plimsoll::model::Usage| usage.at <= seen.at && seen.at.since(usage.at) <= stale_after;
    let instances = &seen.observation.services[action.service()].instances;
    !action.is_increase()
        && !instances
            .iter()
            .all(|instance| instance.state == InstanceState::Healthy && instance.usage.is_some_and(fresh))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_passes_the_audit(history in history()) {
        let mut audit = Audit::new(&history.policies());
        for seen in history.play() {
            let breaches = audit.check(seen.at, &seen.observation, &seen.decision);
            prop_assert!(breaches.is_empty(), "{}", breaches[0]);
        }
    }

    #[test]
    fn the_same_history_gives_the_same_decisions(history in history()) {
        prop_assert_eq!(history.play(), history.play());
    }

    #[test]
    fn bounds_cooldown_and_daily_limit_hold(history in history()) {
        let transcript = history.play();
        for (index, policy) in history.policies.iter().enumerate() {
            let times = adjusted(&transcript, index);
            for pair in times.windows(2) {
                prop_assert!(pair[1].since(pair[0]) >= policy.cooldown);
            }
            for span in times.windows(policy.per_day as usize + 1) {
                prop_assert!(span[policy.per_day as usize].since(span[0]) >= Span::from_mins(24 * 60));
            }
            for action in transcript.iter().flat_map(|seen| &seen.decision.actions) {
                prop_assert!(*action.service() != service_name(index) || in_bounds(policy, action), "{action:?}");
            }
        }
        for seen in &transcript {
            let until = seen.at.plus(Span::from_mins(5));
            let burst = transcript.iter().filter(|other| (seen.at..until).contains(&other.at));
            prop_assert!(burst.map(|other| other.decision.actions.len()).sum::<usize>() <= 10);
        }
    }

    #[test]
    fn nothing_is_taken_on_missing_data(history in history()) {
        for seen in history.play() {
            for action in &seen.decision.actions {
                prop_assert!(!shrinks_blindly(&history, &seen, action), "{action:?}");
            }
        }
    }

    #[test]
    fn a_check_is_silent_only_when_all_is_well(history in history()) {
        for seen in history.play() {
            for name in &seen.checked {
                let spoke = seen.decision.actions.iter().any(|action| action.service() == name)
                    || seen.decision.held.iter().any(|held| held.service == *name);
                let service = &seen.observation.services[name];
                let measured = service.instances.iter().all(|instance| match instance.state {
                    InstanceState::Healthy | InstanceState::Unhealthy => instance.usage.is_some(),
                    InstanceState::Starting | InstanceState::Down => true,
                });
                let limited = service.limits.cpu.is_some() && service.limits.memory.is_some();
                prop_assert!(spoke || measured && limited && !service.instances.is_empty(), "{name} says nothing");
            }
        }
    }

    #[test]
    fn a_steady_use_ends_in_silence(
        policy in policy(),
        cpu in 1_u64..9000,
        memory in 1_u64..9000,
        start in (50_u64..9000, 50_u64..9000),
        factors in (1250_u64..2000, 500_u64..900),
    ) {
        let policy = Vertical {
            sizing: Sizing::Thresholds,
            every: Span::from_mins(5),
            checks: policy.checks.min(3),
            cooldown: Span::from_mins(10),
            per_day: 48,
            increase: Permille::new(factors.0),
            decrease: Permille::new(factors.1),
            ..policy
        };
        let mut stage = Stage::new(host([("api", service(limits(start.0, start.1)))]), policy);
        let mut last = Instant::START;
        while stage.now < Instant::after_start(Span::from_mins(4 * 24 * 60)) {
            stage.now = stage.now.plus(Span::from_mins(5));
            // What is used is steady, but no container uses more than it may.
            let limits = stage.limits("api");
            let cpu = Millicores::new(cpu).min(limits.cpu.expect("a limit"));
            let memory = Bytes::mebi(memory).min(limits.memory.expect("a limit"));
            let now = stage.now;
            stage.service("api").instances[0].usage = Some(usage(now, cpu.get(), memory));
            if !stage.look().actions.is_empty() {
                last = stage.now;
            }
        }
        prop_assert!(last < Instant::after_start(Span::from_mins(3 * 24 * 60)), "still busy at {last}");
    }
}

/// Properties over histories in which nothing happens would prove nothing.
#[test]
fn the_histories_reach_every_action_and_every_guard() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..400 {
        let tree = history().new_tree(&mut runner).expect("a history");
        for seen in tree.current().play() {
            reached.extend(seen.decision.held.iter().map(|held| held.guard.name()));
            reached.extend(seen.decision.actions.iter().map(|action| match (action, action.is_increase()) {
                (Action::LimitCpu { .. }, true) => "more cpu",
                (Action::LimitCpu { .. }, false) => "less cpu",
                (Action::LimitMemory { .. }, true) => "more memory",
                (Action::LimitMemory { .. }, false) => "less memory",
                (Action::Scale { .. }, _) => "another number",
            }));
        }
    }
    let reached: Vec<_> = reached.into_iter().collect();
    let all = [
        "absurd data",
        "at bound",
        "cooldown",
        "cpu demand",
        "cpu pool",
        "daily limit",
        "distress",
        "given back",
        "hysteresis",
        "less cpu",
        "less memory",
        "memory pool",
        "more cpu",
        "more memory",
        "no data",
        "no limit",
        "not ready",
        "own rule",
        "stale data",
        "stateful",
        "working set",
    ];
    // The rate limit needs more services than a history has; a story of its own shows it.
    assert_eq!(reached, all);
}
