//! Orders of people (register E8): they win over policies while they are in force, they are said and audited, and they pass
//! no guard of the host.

use crate::stage::guards;
use crate::stage::host;
use crate::stage::instance;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::audit::Audit;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Horizontal;
use plimsoll::model::Observation;
use plimsoll::model::Override;
use plimsoll::model::Policy;
use plimsoll::model::Reason;
use plimsoll::model::Scaling;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Span;

/// One service, its engine, and the audit.
struct Shop {
    engine: Engine,
    audit: Audit,
    seen: Observation,
    minutes: u64,
}

fn shop(policy: Policy, count: u32) -> Shop {
    let mut seen = host([("api", service(limits(1000, 512)))]);
    seen.services.get_mut(&name("api")).expect("api").instances = (1..=count).map(instance).collect();
    let policies = [(name("api"), policy)].into();
    let (audit, engine) = (Audit::new(&policies), Engine::new(policies));
    Shop { engine, audit, seen, minutes: 0 }
}

fn thresholds() -> Policy {
    Policy::Horizontal(Horizontal::around(Scaling::Bounds(Bounds::thresholds())))
}

impl Shop {
    /// A minute later, with so much CPU used by each instance, in percent of its limit. What is decided is carried out.
    fn minute(&mut self, percent: u64) -> Decision {
        self.minutes += 1;
        let now = self.now();
        let api = self.seen.services.get_mut(&name("api")).expect("api");
        for instance in &mut api.instances {
            instance.usage = Some(usage(now, 10 * percent, Bytes::mebi(250)));
        }
        let decision = self.engine.observe(now, &self.seen);
        let breaches = self.audit.check(now, &self.seen, &decision);
        assert!(breaches.is_empty(), "{}", breaches[0]);
        for action in &decision.actions {
            let Action::Scale { to, .. } = action else { panic!("{action:?}") };
            self.seen.services.get_mut(&name("api")).expect("api").instances = (1..=*to).map(instance).collect();
        }
        decision
    }

    fn now(&self) -> Instant {
        Instant::after_start(Span::from_mins(self.minutes))
    }

    fn order(&mut self, replicas: u32, minutes: Option<u64>) {
        let until = minutes.map(|minutes| self.now().plus(Span::from_mins(minutes)));
        let order = Override { replicas, reason: "the sale".to_owned(), until };
        self.seen.overrides.insert(name("api"), order);
    }

    fn count(&self) -> usize {
        self.seen.services[&name("api")].instances.len()
    }
}

#[test]
fn an_order_wins_at_once_and_past_range_step_and_cooldown() {
    let mut shop = shop(thresholds(), 3);
    let _ = shop.minute(50);
    assert_eq!(shop.minute(95).actions.len(), 1, "a change by the policy, and its cooldown of five minutes");
    shop.order(9, Some(30));
    let decision = shop.minute(95);
    let why = Reason::Override {
        replicas: 9,
        reason: "the sale".to_owned(),
        until: Some(Instant::after_start(Span::from_mins(32))),
    };
    assert_eq!((shop.count(), decision.actions[0].why()), (9, &why));
    // The policy would have fewer: first its own cooldown of ten minutes holds it back, and then the order.
    for minute in 1..=20 {
        let decision = shop.minute(5);
        let guard = if minute < 10 { "cooldown" } else { "override" };
        assert_eq!((decision.actions.len(), guards(&decision)), (0, vec![guard]), "minute {minute}");
    }
}

#[test]
fn the_policy_goes_on_when_the_order_ends() {
    let mut shop = shop(thresholds(), 3);
    let _ = shop.minute(50);
    shop.order(9, Some(10));
    assert_eq!(shop.minute(50).actions.len(), 1);
    let mut counts = Vec::new();
    for _ in 0..30 {
        let _ = shop.minute(50);
        counts.push(shop.count());
    }
    // Nine until the eleventh minute; then the range of two to five holds again, after the cooldown of ten minutes.
    assert_eq!((counts[8], counts[9], counts[29]), (9, 5, 5), "{counts:?}");
}

#[test]
fn a_service_without_a_policy_obeys_too_and_keeps_the_number() {
    let mut shop = shop(Policy::None, 2);
    assert_eq!(shop.minute(50), Decision::default());
    shop.order(1, Some(5));
    assert_eq!(shop.minute(50).actions.len(), 1);
    for _ in 0..10 {
        assert_eq!((shop.minute(90), shop.count()), (Decision::default(), 1));
    }
}

#[test]
fn an_order_passes_no_guard_of_the_host() {
    let mut data = shop(thresholds(), 1);
    data.seen.services.get_mut(&name("api")).expect("api").stateful = true;
    data.order(3, None);
    assert_eq!((guards(&data.minute(50)), data.count()), (vec!["stateful"], 1));

    let mut deploying = shop(Policy::None, 2);
    deploying.seen.services.get_mut(&name("api")).expect("api").deploying = true;
    deploying.order(3, None);
    assert_eq!((guards(&deploying.minute(50)), deploying.count()), (vec!["deploying"], 2));

    // The pool of 4 CPUs may be promised once by who has no policy: four of a CPU each.
    let mut small = shop(Policy::None, 2);
    small.seen.host.pool_cpu = Millicores::cores(4);
    small.order(9, None);
    assert_eq!((guards(&small.minute(50)), small.count()), (vec!["cpu pool"], 4));
}

#[test]
fn an_order_needs_no_figures() {
    let mut blind = shop(thresholds(), 3);
    let now = Instant::after_start(Span::from_mins(1));
    blind.order(5, None);
    let decision = blind.engine.observe(now, &blind.seen);
    assert_eq!((decision.actions.len(), blind.audit.check(now, &blind.seen, &decision)), (1, Vec::new()));
}

#[test]
fn the_audit_notices_who_acts_against_an_order() {
    let mut shop = shop(thresholds(), 3);
    shop.order(3, None);
    let why = Reason::OutOfRange { seen: 3, bound: 5 };
    let against = Action::Scale { service: name("api"), from: 3, to: 5, why };
    let why = Reason::Override { replicas: 4, reason: "the sale".to_owned(), until: None };
    let invented = Action::Scale { service: name("api"), from: 3, to: 4, why };
    for action in [against, invented] {
        let decision = Decision { actions: vec![action], held: Vec::new() };
        let breaches = shop.audit.check(shop.now(), &shop.seen, &decision);
        assert_eq!(breaches[0].rule.text(), "an order of a person wins");
    }
}
