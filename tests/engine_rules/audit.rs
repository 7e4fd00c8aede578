//! Canaries: one broken decision for each rule. An audit that does not notice is no audit.

use crate::stage::host;
use crate::stage::instance;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::audit::Audit;
use plimsoll::audit::Breach;
use plimsoll::audit::Rule;
use plimsoll::model::Action;
use plimsoll::model::Decision;
use plimsoll::model::InstanceState;
use plimsoll::model::Observation;
use plimsoll::model::Policy;
use plimsoll::model::Reason;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;

fn minute(minute: u64) -> Instant {
    Instant::after_start(Span::from_mins(minute))
}

/// `api` and `db` with 1 CPU and 512 MiB, both measured now at half of that.
fn seen(now: Instant) -> Observation {
    let mut seen = host([("api", service(limits(1000, 512))), ("db", service(limits(1000, 512)))]);
    for service in seen.services.values_mut() {
        service.instances[0].usage = Some(usage(now, 500, Bytes::mebi(256)));
    }
    seen
}

fn audit() -> Audit {
    let policy = Policy::Vertical(Vertical::default());
    Audit::new(&[(name("api"), policy), (name("db"), Policy::None)].into())
}

fn above() -> Reason {
    Reason::AboveThreshold { seen: Permille::percent(90), threshold: Permille::percent(80), checks: 3 }
}

fn below() -> Reason {
    Reason::BelowThreshold { seen: Permille::percent(20), threshold: Permille::percent(30), checks: 3 }
}

fn cpu(service: &str, from: u64, to: u64) -> Action {
    let why = if to > from { above() } else { below() };
    Action::LimitCpu { service: name(service), from: Millicores::new(from), to: Millicores::new(to), why }
}

fn memory(from: u64, to: u64) -> Action {
    let why = if to > from { above() } else { below() };
    Action::LimitMemory { service: name("api"), from: Bytes::mebi(from), to: Bytes::mebi(to), why }
}

fn decided<const N: usize>(actions: [Action; N]) -> Decision {
    Decision { actions: actions.into(), held: Vec::new() }
}

/// The one breach of a decision at minute 60, and that its sentence says these things.
fn caught(seen: &Observation, decision: &Decision, rule: Rule, says: &[&str]) {
    found(&audit().check(minute(60), seen, decision), rule, says);
}

fn found(breaches: &[Breach], rule: Rule, says: &[&str]) {
    let rules: Vec<_> = breaches.iter().map(|breach| breach.rule).collect();
    assert_eq!(rules, [rule], "{breaches:?}");
    let sentence = breaches[0].to_string();
    for word in says {
        assert!(sentence.contains(word), "`{word}` is not in `{sentence}`");
    }
}

#[test]
fn a_good_decision_passes() {
    let good = decided([cpu("api", 1000, 1250), memory(512, 384)]);
    assert_eq!(audit().check(minute(60), &seen(minute(60)), &good), []);
    assert_eq!(audit().check(minute(60), &seen(minute(60)), &Decision::default()), []);
}

#[test]
fn a_service_without_policy_is_changed() {
    caught(&seen(minute(60)), &decided([cpu("db", 1000, 1250)]), Rule::Policy, &["1h: db:", "no policy"]);
}

#[test]
fn a_service_nobody_saw_is_changed() {
    let mut gone = seen(minute(60));
    gone.services.remove(&name("api"));
    caught(&gone, &decided([cpu("api", 1000, 1250)]), Rule::Observed, &["api", "not seen"]);
}

#[test]
fn a_limit_is_changed_twice() {
    let twice = decided([cpu("api", 1000, 1250), cpu("api", 1000, 1250)]);
    caught(&seen(minute(60)), &twice, Rule::Once, &["CPU limit", "twice"]);
}

#[test]
fn an_action_starts_from_another_limit() {
    caught(&seen(minute(60)), &decided([cpu("api", 900, 1125)]), Rule::From, &["limit is 1,", "from 0.9"]);
    let mut unlimited = seen(minute(60));
    unlimited.services.get_mut(&name("api")).expect("api").limits.memory = None;
    caught(&unlimited, &decided([memory(512, 640)]), Rule::From, &["no memory limit"]);
}

#[test]
fn an_action_changes_nothing() {
    caught(&seen(minute(60)), &decided([cpu("api", 1000, 1000)]), Rule::Change, &["from 1 to the same"]);
}

#[test]
fn a_limit_leaves_its_bounds() {
    caught(&seen(minute(60)), &decided([cpu("api", 1000, 8001)]), Rule::Bounds, &["8.001", "0.1 and 8"]);
    caught(&seen(minute(60)), &decided([cpu("api", 1000, 99)]), Rule::Bounds, &["0.099", "0.1 and 8"]);
}

#[test]
fn the_pool_is_promised_too_often() {
    let mut small = seen(minute(60));
    // 200 % of 1.1 CPUs; 1.25 and 1 are 2.25.
    small.host.pool_cpu = Millicores::new(1100);
    caught(&small, &decided([cpu("api", 1000, 1250)]), Rule::Pool, &["come to 2.25", "200%", "is 2.2"]);
    // What was given four minutes ago counts, though the host does not show it.
    small.host.pool_memory = Bytes::mebi(800);
    let policies =
        [(name("api"), Policy::Vertical(Vertical::default())), (name("db"), Policy::Vertical(Vertical::default()))];
    let mut audit = Audit::new(&policies.into());
    assert_eq!(audit.check(minute(60), &small, &decided([memory(512, 640)])), []);
    let second =
        Action::LimitMemory { service: name("db"), from: Bytes::mebi(512), to: Bytes::mebi(640), why: above() };
    let mut later = seen(minute(64));
    later.host = small.host;
    found(&audit.check(minute(64), &later, &decided([second])), Rule::Pool, &["1.25G", "150%"]);
}

#[test]
fn the_cooldown_is_broken() {
    let mut audit = audit();
    assert_eq!(audit.check(minute(60), &seen(minute(60)), &decided([cpu("api", 1000, 1250)])), []);
    let breaches = audit.check(minute(89), &seen(minute(89)), &decided([cpu("api", 1000, 1250)]));
    found(&breaches, Rule::Cooldown, &["29m ago", "cooldown is 30m"]);
}

#[test]
fn the_daily_limit_is_broken() {
    let mut audit = audit();
    for hour in 1..=6 {
        let now = minute(60 * hour);
        assert_eq!(audit.check(now, &seen(now), &decided([cpu("api", 1000, 1250)])), []);
    }
    let late = minute(60 * 25 - 1);
    let breaches = audit.check(late, &seen(late), &decided([cpu("api", 1000, 1250)]));
    found(&breaches, Rule::DailyLimit, &["adjustment 7 in 24h", "at most 6"]);
    let next_day = minute(60 * 26);
    assert_eq!(audit.clone().check(next_day, &seen(next_day), &Decision::default()), []);
}

#[test]
fn the_host_is_changed_too_often() {
    let names: Vec<String> = (10..21).map(|number| format!("s{number}")).collect();
    let mut seen = host([]);
    let mut decision = Decision::default();
    let mut policies = std::collections::BTreeMap::new();
    for text in &names {
        let mut service = service(limits(1000, 512));
        service.instances[0].usage = Some(usage(minute(60), 500, Bytes::mebi(256)));
        seen.services.insert(name(text), service);
        policies.insert(name(text), Policy::Vertical(Vertical::default()));
        decision.actions.push(cpu(text, 1000, 1250));
    }
    found(&Audit::new(&policies).check(minute(60), &seen, &decision), Rule::Rate, &["11 times", "at most 10"]);
}

#[test]
fn a_database_is_given_less_memory() {
    let mut database = seen(minute(60));
    database.services.get_mut(&name("api")).expect("api").stateful = true;
    caught(&database, &decided([memory(512, 384)]), Rule::Stateful, &["holds data", "384M"]);
}

#[test]
fn what_was_in_use_no_longer_fits() {
    let mut peak = seen(minute(60));
    let service = peak.services.get_mut(&name("api")).expect("api");
    service.instances[0].usage.as_mut().expect("measured").memory_max = Bytes::mebi(320);
    caught(&peak, &decided([memory(512, 384)]), Rule::WorkingSet, &["held 320M", "80%", "384M"]);
}

#[test]
fn what_was_too_little_is_given_again() {
    let mut audit = audit();
    assert_eq!(audit.check(minute(60), &seen(minute(60)), &Decision::default()), []);
    let mut killed = seen(minute(90));
    killed.services.get_mut(&name("api")).expect("api").instances[0].oom_kills = 1;
    let breaches = audit.check(minute(90), &killed, &decided([memory(512, 384)]));
    found(&breaches, Rule::WorkingSet, &["OOM killed at 512M", "384M"]);
}

#[test]
fn something_is_taken_from_a_service_that_is_not_well() {
    let mut ill = seen(minute(60));
    let service = ill.services.get_mut(&name("api")).expect("api");
    let mut second = instance(2);
    second.state = InstanceState::Down;
    service.instances.push(second);
    caught(&ill, &decided([cpu("api", 1000, 750)]), Rule::Unwell, &["instance 2", "Down"]);
}

#[test]
fn it_acts_without_knowing() {
    let act = decided([cpu("api", 1000, 1250)]);
    let now = minute(60);
    let mut blind = seen(now);
    let show = |seen: &mut Observation, usage| {
        seen.services.get_mut(&name("api")).expect("api").instances[0].usage = usage;
    };
    show(&mut blind, None);
    caught(&blind, &act, Rule::Data, &["instance 1 was not measured"]);
    show(&mut blind, Some(usage(minute(57), 500, Bytes::mebi(256))));
    caught(&blind, &act, Rule::Data, &["measured at 57m", "it is 1h now"]);
    show(&mut blind, Some(usage(minute(61), 500, Bytes::mebi(256))));
    caught(&blind, &act, Rule::Data, &["measured at 1h1m"]);
    let mut instant = usage(now, 500, Bytes::mebi(256));
    instant.window = Span::ZERO;
    show(&mut blind, Some(instant));
    caught(&blind, &act, Rule::Data, &["over no time"]);
    blind.services.get_mut(&name("api")).expect("api").instances[0].state = InstanceState::Starting;
    caught(&blind, &act, Rule::Data, &["no instance runs"]);
}

#[test]
fn its_reason_is_none() {
    let with = |why| {
        let (service, from, to) = (name("api"), Millicores::new(1000), Millicores::new(1250));
        decided([Action::LimitCpu { service, from, to, why }])
    };
    let seen = seen(minute(60));
    caught(&seen, &with(below()), Rule::Reason, &["20%", "no reason for more"]);
    let (above, at) = (Permille::percent(90), Permille::percent(80));
    let wrong = [
        Reason::AboveThreshold { seen: at, threshold: at, checks: 3 },
        Reason::AboveThreshold { seen: above, threshold: at, checks: 2 },
        Reason::AboveThreshold { seen: above, threshold: Permille::percent(70), checks: 3 },
    ];
    for why in wrong {
        caught(&seen, &with(why), Rule::Reason, &["thresholds are 30% and 80%, 3 checks"]);
    }
}

/// What `api` gets back, and the kill that it gets it for.
fn given_back(from: u64, to: u64) -> Action {
    let why = Reason::GivenBack { deaths: 1, of: None, after: Span::from_mins(30) };
    Action::LimitCpu { service: name("api"), from: Millicores::new(from), to: Millicores::new(to), why }
}

fn killed(now: Instant, service: &str, kills: u32) -> Observation {
    let mut killed = seen(now);
    killed.services.get_mut(&name(service)).expect("a service").instances[0].oom_kills = kills;
    killed
}

#[test]
fn what_is_given_back_was_taken_and_is_owed() {
    let lowered = || {
        let mut audit = audit();
        assert_eq!(audit.check(minute(60), &seen(minute(60)), &decided([cpu("api", 1000, 750)])), []);
        audit
    };
    let after = |now, kills, action: Action| {
        let mut seen = killed(now, "api", kills);
        seen.services.get_mut(&name("api")).expect("api").limits = limits(750, 512);
        lowered().check(now, &seen, &decided([action]))
    };
    assert_eq!(after(minute(90), 1, given_back(750, 1000)), [], "all is as it should be");
    found(&after(minute(90), 0, given_back(750, 1000)), Rule::GivenBack, &["nobody died in the 30m"]);
    found(&after(minute(90), 1, given_back(750, 1100)), Rule::GivenBack, &["1.1 CPUs back and had 1 before"]);
    let day = minute(25 * 60);
    found(&after(day, 1, given_back(750, 1000)), Rule::GivenBack, &["none was taken in 24h"]);
    found(&after(minute(90), 1, given_back(750, 700)), Rule::Reason, &["then it is more"]);
}

#[test]
fn what_was_given_back_is_taken_again() {
    let mut audit = audit();
    let mut limited = |now: Instant, limit: u64, action: Action| {
        let mut seen = killed(now, "api", u32::from(now > minute(60)));
        seen.services.get_mut(&name("api")).expect("api").limits = limits(limit, 512);
        audit.check(now, &seen, &decided([action]))
    };
    assert_eq!(limited(minute(60), 1000, cpu("api", 1000, 750)), []);
    assert_eq!(limited(minute(90), 750, given_back(750, 1000)), []);
    found(&limited(minute(120), 1000, cpu("api", 1000, 750)), Rule::GivenBack, &["30m after it got some back"]);
    assert_eq!(limited(minute(90 + 24 * 60), 1000, cpu("api", 1000, 750)), []);
}

#[test]
fn something_is_taken_while_another_is_killed_again_and_again() {
    let mut audit = audit();
    assert_eq!(audit.check(minute(60), &seen(minute(60)), &Decision::default()), []);
    assert_eq!(audit.check(minute(61), &killed(minute(61), "db", 1), &Decision::default()), []);
    let now = minute(63);
    let breaches = audit.check(now, &killed(now, "db", 2), &decided([cpu("api", 1000, 750)]));
    found(&breaches, Rule::GivenBack, &["given less", "db was OOM killed 2 times in 5m"]);
}
