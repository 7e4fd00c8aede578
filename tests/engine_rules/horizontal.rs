//! What holds of every policy that changes the number of instances, alone or beside one that moves limits, whatever it is
//! shown. The rules are counted from the transcript alone, by neither engine nor audit.

use crate::crowds::Seen;
use crate::crowds::crowd;
use plimsoll::audit::Audit;
use plimsoll::model::Action;
use plimsoll::model::InstanceState;
use plimsoll::model::Reason;
use plimsoll::model::ServiceName;
use plimsoll::units::Instant;
use plimsoll::units::Span;
use proptest::prelude::ProptestConfig;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use proptest::strategy::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A change of the number of instances.
type Scaled<'a> = (&'a Seen, &'a ServiceName, (u32, u32), &'a Reason);

fn scalings(transcript: &[Seen]) -> impl Iterator<Item = Scaled<'_>> {
    transcript.iter().flat_map(|seen| {
        seen.decision.actions.iter().filter_map(move |action| match action {
            Action::Scale { service, from, to, why } => Some((seen, service, (*from, *to), why)),
            Action::LimitCpu { .. } | Action::LimitMemory { .. } => None,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_passes_the_audit(crowd in crowd()) {
        let mut audit = Audit::new(&crowd.policies());
        for seen in crowd.play().1 {
            let breaches = audit.check(seen.at, &seen.observation, &seen.decision);
            prop_assert!(breaches.is_empty(), "{}", breaches[0]);
        }
    }

    #[test]
    fn the_same_crowd_gives_the_same_decisions(crowd in crowd()) {
        prop_assert_eq!(crowd.play().1, crowd.play().1);
    }

    #[test]
    fn range_step_and_cooldowns_hold(crowd in crowd()) {
        let (_, transcript) = crowd.play();
        // When each service had instances added, and when its number was changed in any way.
        let mut added: BTreeMap<&ServiceName, Instant> = BTreeMap::new();
        let mut changed: BTreeMap<&ServiceName, Instant> = BTreeMap::new();
        for (seen, name, (from, to), why) in scalings(&transcript) {
            let policy = crowd.horizontal(name).expect("a horizontal policy");
            let (least, most) = policy.range(seen.at);
            prop_assert!(to >= 1 && to != from);
            let last = if to > from { added.get(name) } else { changed.get(name) };
            let cooldown = if to > from { policy.cooldown_up } else { policy.cooldown_down };
            prop_assert!(last.is_none_or(|last| seen.at.since(*last) >= cooldown), "{name} at {}", seen.at);
            if (least..=most).contains(&from) {
                let step = if to > from { policy.step_up } else { policy.step_down };
                prop_assert!((least..=most).contains(&to) && from.abs_diff(to) <= step, "{why:?}");
            } else {
                // It comes nearer, and not past the bound that it was beyond.
                let bound = from.clamp(least, most);
                prop_assert!(to.abs_diff(bound) < from.abs_diff(bound) && (to <= bound) == (from < bound || to == bound));
            }
            changed.insert(name, seen.at);
            if to > from {
                added.insert(name, seen.at);
            }
        }
    }

    #[test]
    fn nobody_is_scaled_who_holds_data_or_is_being_deployed(crowd in crowd()) {
        let (_, transcript) = crowd.play();
        for (seen, name, (from, _), _) in scalings(&transcript) {
            let service = &seen.observation.services[name];
            prop_assert!(!service.stateful && !service.deploying);
            prop_assert_eq!(from as usize, service.instances.len());
        }
    }

    #[test]
    fn nobody_leaves_unless_all_are_well_and_known(crowd in crowd()) {
        let (_, transcript) = crowd.play();
        for (seen, name, (from, to), why) in scalings(&transcript) {
            if to > from || matches!(why, Reason::OutOfRange { .. }) {
                continue;
            }
            let stale_after = crowd.horizontal(name).expect("a policy").stale_after;
            let is_fresh = |at: Instant| at <= seen.at && seen.at.since(at) <= stale_after;
            for instance in &seen.observation.services[name].instances {
                prop_assert_eq!(instance.state, InstanceState::Healthy);
                prop_assert!(instance.usage.is_some_and(|usage| is_fresh(usage.at)));
            }
        }
    }

    #[test]
    fn limits_promise_no_more_than_the_pool_allows(crowd in crowd()) {
        let (_, transcript) = crowd.play();
        for (seen, name, (from, to), _) in scalings(&transcript).filter(|(_, _, (from, to), _)| to > from) {
            let policy = crowd.horizontal(name).expect("a policy");
            let pool = seen.observation.host;
            let sum = |of: fn(&plimsoll::model::ServiceSeen) -> u64| -> u128 {
                let each = seen.observation.services.iter().map(|(other, service)| {
                    let count = service.instances.len() as u64 + u64::from(if other == name { to - from } else { 0 });
                    u128::from(of(service)) * u128::from(count)
                });
                each.sum()
            };
            let service = &seen.observation.services[name];
            if service.limits.cpu.is_some_and(|limit| limit.get() > 0) {
                let all = sum(|service| service.limits.cpu.map_or(0, |limit| limit.get()));
                prop_assert!(all * 1000 <= u128::from(pool.pool_cpu.get()) * u128::from(policy.overcommit_cpu.get()));
            }
            if service.limits.memory.is_some_and(|limit| limit.get() > 0) {
                let all = sum(|service| service.limits.memory.map_or(0, |limit| limit.get()));
                let allowed = u128::from(pool.pool_memory.get()) * u128::from(policy.overcommit_memory.get());
                prop_assert!(all * 1000 <= allowed);
            }
        }
    }

    #[test]
    fn at_most_thirty_changes_in_five_minutes(crowd in crowd()) {
        let (_, transcript) = crowd.play();
        let times: Vec<Instant> = scalings(&transcript).map(|(seen, ..)| seen.at).collect();
        for window in times.windows(31) {
            prop_assert!(window[30].since(window[0]) >= Span::from_mins(5));
        }
    }
}

/// Properties over histories in which nothing happens would prove nothing.
#[test]
fn the_crowds_reach_every_action_and_every_guard() {
    let mut runner = TestRunner::deterministic();
    let mut reached: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..400 {
        let tree = crowd().new_tree(&mut runner).expect("a history");
        let (_, transcript) = tree.current().play();
        for seen in &transcript {
            let of_numbers = |held: &&plimsoll::model::Held| held.resource == Some(plimsoll::model::Resource::Replicas);
            let guards = seen.decision.held.iter().filter(of_numbers).map(|held| held.guard.name().to_owned());
            let reasons = seen.decision.actions.iter().map(|action| match action {
                Action::Scale { from, to, why, .. } => {
                    let why = format!("{why:?}");
                    let rule = why.split([' ', '{']).next().unwrap_or_default();
                    format!("{} by {rule}", if to > from { "more" } else { "fewer" })
                }
                Action::LimitCpu { .. } => "cpu".to_owned(),
                Action::LimitMemory { .. } => "memory".to_owned(),
            });
            for what in guards.chain(reasons) {
                *reached.entry(what).or_default() += 1;
            }
            let horizontal = seen.decision.held.iter().filter(|held| held.guard.name() == "horizontal");
            for _ in horizontal {
                *reached.entry("horizontal".to_owned()).or_default() += 1;
            }
        }
    }
    let rare: Vec<_> = reached.iter().filter(|(_, count)| **count < 3).collect();
    let all = [
        "absurd data",
        "at bound",
        "cooldown",
        "cpu",
        "cpu pool",
        "deploying",
        "distress",
        "fewer by Beyond",
        "fewer by OutOfRange",
        "fewer by Points",
        "fewer by Wanted",
        "fewer by Weighted",
        "horizontal",
        "memory",
        "memory pool",
        "more by Beyond",
        "more by OutOfRange",
        "more by Points",
        "more by Wanted",
        "more by Weighted",
        "no data",
        "no limit",
        "not ready",
        "own rule",
        "pending",
        "stale data",
        "stateful",
        "would return",
    ];
    // The rate limit needs more services than a history has; a story of its own shows it.
    let names: BTreeSet<&str> = reached.keys().map(String::as_str).collect();
    assert_eq!(names, all.into_iter().collect());
    assert!(rare.is_empty(), "{rare:?}");
}
