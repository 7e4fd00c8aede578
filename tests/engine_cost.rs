//! What the engine takes (register E13): memory for 1,000 services with three instances each and every policy among them,
//! and that a month adds nothing.

use allocation_counter::measure;
use plimsoll::engine::Engine;
use plimsoll::input::policy::Policies;
use plimsoll::model::HostSeen;
use plimsoll::model::InstanceSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Observation;
use plimsoll::model::Policy;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::model::TrafficSeen;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::collections::BTreeMap;
use std::path::Path;

const MEGABYTE: u64 = 1_000_000;

/// Every policy that ships: those that change the number of instances alone first, then beside each that moves limits.
fn policies(services: usize) -> BTreeMap<ServiceName, Policy> {
    let mut shelf = Policies::below(Path::new(env!("CARGO_MANIFEST_DIR")));
    let names: Vec<String> = shelf.names().into_iter().filter(|name| name != "none").collect();
    assert!(names.len() >= 20, "{names:?}");
    let all: Vec<Policy> = names.iter().map(|name| shelf.find(name, None, 0).expect("a policy that ships")).collect();
    let limits: Vec<Vertical> = all.iter().filter_map(|policy| policy.vertical().copied()).collect();
    let one = |index: usize| {
        let beside = (index / all.len() % (limits.len() + 1)).checked_sub(1).map(|place| limits[place]);
        match (all[index % all.len()].clone(), beside) {
            (Policy::Horizontal(horizontal), Some(vertical)) => Policy::Both(vertical, horizontal),
            (policy, _) => policy,
        }
    };
    (0..services).map(|index| (ServiceName::new(&format!("service-{index:04}")), one(index))).collect()
}

/// A look at all services: days that rise and fall, three instances each.
fn seen(now: Instant, policies: &BTreeMap<ServiceName, Policy>) -> Observation {
    let hour = now.since_start().secs() / 3600 % 24;
    let share = 20 + 5 * hour.abs_diff(12);
    let usage = Usage {
        at: now,
        window: Span::from_mins(1),
        cpu: Millicores::new(10 * share),
        memory: Bytes::mebi(200),
        memory_max: Bytes::mebi(210),
    };
    let instance = |number| InstanceSeen {
        number,
        state: InstanceState::Healthy,
        usage: Some(usage),
        oom_kills: 0,
        restarts: 0,
        started: Some(Instant::START),
    };
    let traffic = TrafficSeen {
        at: now,
        window: Span::from_mins(1),
        rate: Rate::per_second(share),
        errors: 0,
        latency_p95: Some(Span::from_millis(share)),
        inside: share * 100,
    };
    let service = ServiceSeen {
        limits: Limits { cpu: Some(Millicores::cores(1)), memory: Some(Bytes::mebi(512)) },
        stateful: false,
        instances: (1..=3).map(instance).collect(),
        traffic: Some(traffic),
        deploying: false,
    };
    let host = HostSeen { pool_cpu: Millicores::cores(4000), pool_memory: Bytes::gibi(4000) };
    Observation {
        host,
        services: policies.keys().map(|name| (name.clone(), service.clone())).collect(),
        overrides: BTreeMap::new(),
        metrics: BTreeMap::new(),
    }
}

/// Lets an engine look every five minutes from one hour to another.
fn run(engine: &mut Engine, policies: &BTreeMap<ServiceName, Policy>, hours: std::ops::Range<u64>) {
    for look in hours.start * 12..hours.end * 12 {
        let now = Instant::after_start(Span::from_mins(5 * look));
        let _ = engine.observe(now, &seen(now, policies));
    }
}

/// Bytes that are still held by what was made inside.
fn held(work: impl FnMut()) -> i64 {
    measure(work).bytes_current
}

#[test]
fn a_thousand_services_fit_into_ten_megabytes() {
    let policies = policies(1000);
    let mut engine = None;
    let bytes = held(|| {
        let mut new = Engine::new(policies.clone());
        run(&mut new, &policies, 0..72);
        engine = Some(new);
    });
    assert!(engine.is_some());
    assert!(bytes > MEGABYTE.cast_signed() && bytes.unsigned_abs() <= 10 * MEGABYTE, "{bytes} bytes are held");
}

/// What is kept of the past is kept for a while: after its longest memory, of eight days, nothing is added. A service of
/// each combination.
#[test]
fn a_month_adds_nothing() {
    let policies = policies(135);
    let mut engine = Engine::new(policies.clone());
    run(&mut engine, &policies, 0..9 * 24);
    let more = held(|| run(&mut engine, &policies, 9 * 24..30 * 24));
    let each = more / 135;
    assert!(each <= 512, "{each} bytes more for a service after three weeks");
}
