//! A plausible day of 19 services on a small host, made by a few curves: an evening peak that one service cannot bear
//! until its limit is raised, an OOM kill, a crash, a metrics outage. No simulator: reports are tested without one.

use plimsoll::model::Action;
use plimsoll::model::Aggregate;
use plimsoll::model::Balance;
use plimsoll::model::Bound;
use plimsoll::model::Comparison;
use plimsoll::model::CoreGroup;
use plimsoll::model::Decision;
use plimsoll::model::DiskSample;
use plimsoll::model::DiskUse;
use plimsoll::model::Errors;
use plimsoll::model::Expectation;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Guard;
use plimsoll::model::Held;
use plimsoll::model::Host;
use plimsoll::model::HostSample;
use plimsoll::model::Incident;
use plimsoll::model::InstanceState;
use plimsoll::model::Latencies;
use plimsoll::model::Limits;
use plimsoll::model::Load;
use plimsoll::model::Measure;
use plimsoll::model::Metric;
use plimsoll::model::NetworkSample;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Policy;
use plimsoll::model::Price;
use plimsoll::model::Quantity;
use plimsoll::model::Range;
use plimsoll::model::Reason;
use plimsoll::model::Resource;
use plimsoll::model::Restart;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::Sensors;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSample;
use plimsoll::model::Shortage;
use plimsoll::model::Spread;
use plimsoll::model::Subject;
use plimsoll::model::Vertical;
use plimsoll::model::Windows;
use plimsoll::model::Work;
use plimsoll::record::Event;
use plimsoll::record::FORMAT_VERSION;
use plimsoll::record::Header;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Money;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use std::collections::BTreeMap;

/// Name, role, tier, CPU limit, memory limit in MiB, requests per second at the peak (0 for none), ms of work.
const SERVICES: [(&str, &str, u8, u64, u64, f64, f64); 19] = [
    ("alertmanager", "monitoring", 3, 100, 128, 0.0, 0.0),
    ("cadvisor", "monitoring", 3, 250, 256, 0.0, 0.0),
    ("flowise", "workflow", 2, 500, 1024, 2.0, 20.0),
    ("grafana", "monitoring", 3, 250, 512, 1.0, 15.0),
    ("loki", "monitoring", 3, 250, 512, 0.0, 0.0),
    ("mcp-gateway", "api", 2, 250, 512, 6.0, 8.0),
    ("n8n", "workflow", 2, 500, 1024, 4.0, 60.0),
    ("nginx", "proxy", 1, 250, 256, 80.0, 1.0),
    ("node-exporter", "monitoring", 3, 100, 64, 0.0, 0.0),
    ("ollama", "model", 2, 1000, 6144, 0.2, 800.0),
    ("open-webui", "web", 2, 500, 1024, 2.0, 12.0),
    ("portainer", "monitoring", 3, 100, 256, 0.0, 0.0),
    ("postgres", "database", 1, 500, 2048, 160.0, 2.0),
    ("prometheus", "monitoring", 3, 250, 1024, 0.0, 0.0),
    ("redis", "cache", 1, 250, 512, 240.0, 0.3),
    ("traefik", "proxy", 1, 250, 256, 90.0, 0.8),
    ("watchtower", "maintenance", 3, 100, 128, 0.0, 0.0),
    ("ziggie-api", "api", 1, 500, 1024, 42.0, 12.0),
    ("ziggie-web", "web", 1, 250, 512, 40.0, 3.0),
];

/// The scenario of the day.
pub(crate) fn scenario(duration: Span) -> Scenario {
    let services = SERVICES.iter().map(|&(name, role, tier, cpu, memory, rate, work)| {
        let limits = Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) };
        let model = ServiceModel {
            image: Some(format!("{name}:1")),
            replicas: if name == "ziggie-web" { 2 } else { 1 },
            limits: if name == "node-exporter" { Limits::default() } else { limits },
            reservations: Limits { cpu: Some(Millicores::new(cpu / 2)), memory: Some(Bytes::mebi(memory / 2)) },
            weight: 1024,
            work: Work {
                cpu: Span::from_nanos(whole(work * 1e6)),
                spread: Spread::Exponential,
                memory: Bytes::mebi(2),
                calls: Vec::new(),
                request: Bytes::ZERO,
                answer: Bytes::ZERO,
            },
            workers: None,

            blocking: false,
            backlog: None,
            balance: Balance::Random,
            timeout: (rate > 0.0).then(|| Span::from_secs(30)),
            idle_cpu: Millicores::new(2),
            idle_memory: Bytes::mebi(memory / 3),
            leak_per_hour: Bytes::ZERO,
            start_up: Span::from_secs(5),
            start_cpu: Millicores::new(100),
            health: None,
            depends_on: BTreeMap::new(),
            restart: Restart::UnlessStopped,
            stateful: role == "database",
            tier,
            role: role.to_owned(),
            disk: DiskUse::default(),
            cpuset: None,
            stop_grace: None,
            shortage: Shortage::default(),
        };
        (ServiceName::new(name), model)
    });
    let load = SERVICES.iter().filter(|row| row.5 > 0.0).map(|row| {
        let high = Rate::micro(whole(row.5 * 1e6));
        let peak_at = Span::from_secs(20 * 3600);
        let pattern = Pattern::Diurnal { low: high.scaled(1, 12), high, peak_at };
        (ServiceName::new(row.0), Load { pattern, noise: Noise::Poisson })
    });
    let policies = SERVICES.iter().map(|row| (ServiceName::new(row.0), Policy::Vertical(Vertical::default())));
    let hours = |hours: u64, minutes: u64| Instant::after_start(Span::from_mins(hours * 60 + minutes));
    let fault = |at, lasts, kind| Fault::once(at, lasts, kind);
    Scenario {
        name: "Ziggie on a KVM 4, evening peak".to_owned(),
        host: Host {
            title: "Hostinger KVM 4".to_owned(),
            disk: Bytes::gibi(200),
            reserve_cpu: Millicores::new(500),
            reserve_memory: Bytes::gibi(2),
            steal: Permille::new(20),
            system_cpu: Millicores::new(100),
            system_memory: Bytes::mebi(600),
            price: Some(Price {
                renewal: None,
                month: Money::parse("10.99 USD").expect("an amount"),
                seen: "2025-12-28".to_owned(),
                source: "https://example.org/prices".to_owned(),
            }),
            ..Host::bare("kvm-4", vec![CoreGroup { count: 4, speed: Permille::ONE }], Bytes::gibi(16))
        },
        services: services.collect(),
        load: load.collect(),
        metrics: BTreeMap::new(),
        policies: policies.collect(),
        deployments: Vec::new(),
        overrides: Vec::new(),
        docker: None,
        faults: vec![
            fault(hours(20, 0), Span::ZERO, FaultKind::Crash(ServiceName::new("n8n"))),
            fault(hours(21, 0), Span::from_mins(10), FaultKind::MetricsOutage),
        ],
        sensors: Sensors::default(),
        duration,
        warmup: Span::from_mins(5),
        step: Span::from_secs(1),
        sample: Span::from_secs(60),
        seeds: vec![Seed::new(1)],
        expect: expectations(),
        budget: None,
    }
}

fn expectations() -> Vec<Expectation> {
    let api = || Subject::Service(ServiceName::new("ziggie-api"));
    let minutes = Span::from_mins;
    let at = |minutes: u64| Instant::after_start(Span::from_mins(minutes));
    let expect = |name: &str, text: &str, measure: (Aggregate, Metric, Subject, Range), comparison, bound, windows| {
        let (aggregate, metric, subject, range) = measure;
        Expectation {
            name: name.to_owned(),
            text: text.to_owned(),
            measure: Measure { aggregate, metric, subject, range },
            comparison,
            bound,
            windows,
            seeds: Permille::ONE,
            baseline: None,
        }
    };
    let time = |millis| Bound::Value(Quantity::Time(Span::from_millis(millis)));
    let number = |number: u64| Bound::Value(Quantity::Number(number * 1000));
    let windows = Some(Windows { share: Permille::percent(99), length: minutes(5) });
    let postgres = Subject::Service(ServiceName::new("postgres"));
    vec![
        expect(
            "API is fast",
            "p95(latency.ziggie-api) <= 500ms for 99% of 5m",
            (Aggregate::Percentile(95_000), Metric::Latency, api(), Range::Whole),
            Comparison::AtMost,
            time(500),
            windows,
        ),
        expect(
            "tail is bounded",
            "p99(latency.ziggie-api) <= 1s",
            (Aggregate::Percentile(99_000), Metric::Latency, api(), Range::Whole),
            Comparison::AtMost,
            time(1000),
            None,
        ),
        expect(
            "nothing is OOM killed",
            "count(oom) == 0",
            (Aggregate::Count, Metric::Oom, Subject::All, Range::Whole),
            Comparison::Equal,
            number(0),
            None,
        ),
        expect(
            "no flapping",
            "max(reversals, 30m) == 0",
            (Aggregate::Max, Metric::Reversals, Subject::All, Range::Every(minutes(30))),
            Comparison::Equal,
            number(0),
            None,
        ),
        expect(
            "crash is survived",
            "error_rate(n8n, 20h..20h30m) < 0.5%",
            (
                Aggregate::Share,
                Metric::Errors,
                Subject::Service(ServiceName::new("n8n")),
                Range::Between(at(1200), at(1230)),
            ),
            Comparison::Less,
            Bound::Value(Quantity::Share(5000)),
            None,
        ),
        expect(
            "database has headroom",
            "max(memory.postgres) < 90% of limit",
            (Aggregate::Max, Metric::Memory, postgres, Range::Whole),
            Comparison::Less,
            Bound::OfLimit(Permille::percent(90)),
            None,
        ),
        expect(
            "stays in budget",
            "cost(month) <= 12 USD",
            (Aggregate::Max, Metric::Cost, Subject::Host, Range::Whole),
            Comparison::AtMost,
            Bound::Value(Quantity::Money(Money::parse("12 USD").expect("an amount"))),
            None,
        ),
    ]
}

/// The events of the day, one after another.
pub(crate) fn play(seed: u64, duration: Span, take: &mut dyn FnMut(&Event)) {
    let scenario = scenario(duration);
    let samples = duration.fit(scenario.sample);
    let header = Header {
        format_version: FORMAT_VERSION,
        plimsoll_version: "0.1.0".to_owned(),
        seed: Seed::new(seed),
        scenario,
    };
    let Header { scenario, .. } = &header;
    let mut limits: Vec<Limits> = scenario.services.values().map(|model| model.limits).collect();
    let mut noise = seed | 1;
    take(&Event::Began(Box::new(header.clone())));
    for minute in 1..=samples {
        let at = Instant::after_start(Span::from_mins(minute));
        take(&Event::Sampled(sample(minute, at, &limits, &mut noise)));
        for incident in incidents(minute) {
            take(&Event::Happened { at, incident });
        }
        if minute % 5 == 0 {
            let decision = decision(minute, &mut limits);
            take(&Event::Decided { at, decision });
        }
    }
    let end = Instant::after_start(Span::from_mins(samples));
    take(&Event::Ended { at: end, container_ticks: samples * 60 * 20 });
}

fn sample(minute: u64, at: Instant, limits: &[Limits], noise: &mut u64) -> Sample {
    let mut host = HostSample { cpu: Millicores::new(100), memory: Bytes::mebi(600), ..HostSample::default() };
    let mut services = Vec::new();
    for (place, &(name, _, _, _, memory, rate, work)) in SERVICES.iter().enumerate() {
        *noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wobble = 0.9 + 0.2 * ((*noise >> 40) as f64 / f64::from(1_u32 << 24));
        let day = (minute % 1440) as f64 / 1440.0;
        let curve = 0.5 + 0.5 * libm::cos((day - 20.0 / 24.0) * core::f64::consts::TAU);
        let crowd = if name == "ziggie-api" && (1150..1180).contains(&(minute % 1440)) { 1.7 } else { 1.0 };
        let rate = rate * (1.0 / 12.0 + 11.0 / 12.0 * curve) * wobble * crowd;
        let replicas = if name == "ziggie-web" { 2 } else { 1 };
        let down = name == "n8n" && (1201..=1203).contains(&(minute % 1440));
        let wanted = rate * work + 4.0 + 6.0 * wobble;
        let limit = limits[place].cpu.map_or(4000.0, |cpu| cpu.get() as f64 * f64::from(replicas));
        let usage = if down { 0.0 } else { wanted.min(limit * 0.99) };
        let load = (wanted / limit).min(1.3);
        let finished = if down { 0 } else { whole(rate * 60.0 * 1000.0) };
        let mut latency = Latencies::new();
        if finished > 0 && work > 0.0 {
            let mean = work / (1.0 - load.min(0.985)) * if load > 1.0 { 8.0 * load } else { 1.0 };
            for step in 0..60_u64 {
                let part = (step as f64 + 0.5) / 60.0;
                let part = if step == 59 { 0.9995 } else { part };
                let time = -libm::log(1.0 - part) * mean;
                latency.add(Span::from_nanos(whole(time * 1e6)), finished / 60);
            }
        }
        let held = memory as f64 * (0.35 + 0.4 * curve) * (1.0 + 0.02 * wobble);
        let held = if name == "flowise" { memory as f64 * (0.3 + 0.055 * (minute % 780) as f64 / 60.0) } else { held };
        let held = if name == "postgres" { memory as f64 * (0.5 + 0.42 * curve * curve) } else { held };
        let oom = name == "flowise" && minute % 780 == 779;
        host.cpu = host.cpu.plus(Millicores::new(whole(usage)));
        host.memory = host.memory.plus(Bytes::mebi(whole(held * f64::from(replicas))));
        services.push(ServiceSample {
            arrived: whole(rate * 60.0 * 1000.0),
            served: latency.thousandths(),
            failed: if down { whole(rate * 60.0 * 1000.0) } else { 0 },
            latency,
            queue: whole(1000.0 * load * rate / 10.0),
            cpu: Millicores::new(whole(usage)),
            throttled: Permille::new(whole(((load - 0.6) * 1500.0).clamp(0.0, 1000.0))),
            memory: Bytes::mebi(whole(held)),
            replicas: if down || oom { 0 } else { replicas },
            instances: 0,
            limits: limits[place],
            restarts: u32::from(oom) + u32::from(minute % 1440 == 1203 && name == "n8n"),
            oom_kills: u32::from(oom),
            saturated: load > 1.0 && work > 0.0,
            errors: Errors { refused: if down { whole(rate * 60.0 * 1000.0) } else { 0 }, ..Errors::default() },
            disk: DiskSample::default(),
            network: NetworkSample::default(),
        });
    }
    Sample { at, span: Span::from_secs(60), host, services }
}

fn incidents(minute: u64) -> Vec<Incident> {
    let n8n = ServiceName::new("n8n");
    let flowise = ServiceName::new("flowise");
    let changed = |service: &ServiceName, to| Incident::Changed { service: service.clone(), instance: 1, to };
    match minute % 1440 {
        1200 => vec![Incident::FaultBegan(0), Incident::Crashed { service: n8n.clone(), instance: 1 }],
        1203 => vec![changed(&n8n, InstanceState::Starting), changed(&n8n, InstanceState::Healthy)],
        1260 => vec![Incident::FaultBegan(1)],
        1270 => vec![Incident::FaultEnded(1)],
        at if at % 780 == 779 => {
            let (held, limit) = (Bytes::mebi(1025), Bytes::mebi(1024));
            vec![Incident::OomKilled { service: flowise.clone(), instance: 1, held, limit }]
        }
        _ => Vec::new(),
    }
}

fn decision(minute: u64, limits: &mut [Limits]) -> Decision {
    let place = |name: &str| SERVICES.iter().position(|row| row.0 == name).expect("a service");
    let mut decision = Decision::default();
    let mut cpu = |name: &str, to: u64, above: bool, actions: &mut Vec<Action>| {
        let limit = limits[place(name)].cpu.get_or_insert(Millicores::ZERO);
        let (from, to) = (*limit, Millicores::new(to));
        *limit = to;
        let seen = Permille::percent(if above { 91 } else { 22 });
        let why = if above {
            Reason::AboveThreshold { seen, threshold: Permille::percent(80), checks: 3 }
        } else {
            Reason::BelowThreshold { seen, threshold: Permille::percent(30), checks: 3 }
        };
        actions.push(Action::LimitCpu { service: ServiceName::new(name), from, to, why });
    };
    match minute % 1440 {
        120 => cpu("ziggie-web", 188, false, &mut decision.actions),
        125 => cpu("postgres", 375, false, &mut decision.actions),
        1020 => cpu("ziggie-api", 625, true, &mut decision.actions),
        1110 => cpu("ziggie-web", 235, true, &mut decision.actions),
        1120 => cpu("postgres", 468, true, &mut decision.actions),
        1170 => cpu("ziggie-api", 781, true, &mut decision.actions),
        1215 => cpu("ziggie-api", 976, true, &mut decision.actions),
        at => {
            let held = |name: &str, resource, guard| {
                let why =
                    Reason::AboveThreshold { seen: Permille::percent(88), threshold: Permille::percent(80), checks: 1 };
                Held { service: ServiceName::new(name), resource: Some(resource), wanted: Some(why), guard }
            };
            if (1140..1260).contains(&at) {
                let guard = Guard::Cooldown { left: Span::from_mins(12) };
                decision.held.push(held("ziggie-api", Resource::Cpu, guard));
            }
            if at % 50 == 0 {
                decision.held.push(held("postgres", Resource::Memory, Guard::Stateful));
                decision.held.push(held("n8n", Resource::Cpu, Guard::Hysteresis { checks: 1, needed: 3 }));
            }
        }
    }
    decision
}
