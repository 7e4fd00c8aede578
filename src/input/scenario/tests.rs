use super::LoadOptions;
use super::Resolved;
use super::ScenarioFile;
use super::resolve;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::schema;
use crate::model::Balance;
use crate::model::Breaker;
use crate::model::Call;
use crate::model::FaultKind;
use crate::model::Noise;
use crate::model::Pattern;
use crate::model::Policy;
use crate::model::Retry;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Spread;
use crate::model::Stack;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use crate::units::Temperature;
use proptest::prelude::*;
use std::path::Path;

fn stack() -> Stack {
    let service = |image: &str| Service { image: Some(image.to_owned()), ..Service::default() };
    let mut stack = Stack::default();
    for (name, image) in
        [("api", "example/api:1"), ("postgres", "postgres:16"), ("redis", "redis:7"), ("n8n", "n8nio/n8n")]
    {
        stack.services.insert(ServiceName::new(name), service(image));
    }
    stack
}

fn read_in(folder: &Path, text: &str, options: &LoadOptions) -> Result<Resolved, Problems> {
    let text = format!("scenario: test\nstack: compose.yaml\nhost: kvm-4\nduration: 24h\n{text}");
    let (node, file) = schema::read::<ScenarioFile>(&Source::new("scenario.yaml", text))?;
    resolve(&file, &node, &stack(), folder, options)
}

fn read(text: &str) -> Result<Resolved, Problems> {
    read_in(Path::new("/nowhere"), text, &LoadOptions::default())
}

#[track_caller]
fn good(text: &str) -> Resolved {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[track_caller]
fn wrong(text: &str) -> Vec<String> {
    let problems = read(text).expect_err(text);
    let errors = problems.iter().filter(|problem| problem.severity == crate::input::problem::Severity::Error);
    let place = |problem: &Problem| problem.place.as_ref().map(|place| place.text().to_owned()).unwrap_or_default();
    errors.map(|problem| format!("{} {} @ {}", problem.code.id, problem.message, place(problem))).collect()
}

#[test]
fn what_is_said_wins_over_the_catalog_and_that_over_defaults() {
    let text = "services: { postgres: { work: { cpu: 7ms, spread: heavy }, idle_memory: 1G } }";
    let resolved = good(text);
    let services = resolved.scenario.services;
    let (postgres, api) = (&services[&ServiceName::new("postgres")], &services[&ServiceName::new("api")]);
    assert_eq!((postgres.work.cpu, postgres.work.spread), (Span::from_millis(7), Spread::Heavy));
    assert_eq!((postgres.idle_memory, postgres.stateful, postgres.role.as_str()), (Bytes::gibi(1), true, "database"));
    assert_eq!(postgres.start_up, Span::from_secs(3), "of the catalog");
    assert_eq!((api.replicas, api.weight, api.work.cpu), (1, 1024, Span::from_millis(5)));
    let warnings = resolved.warnings.to_string();
    assert!(warnings.contains("nothing is known of `api`; a small service is assumed"), "{warnings}");
    assert_eq!(resolved.warnings.iter().count(), 1, "one warning for all of them");
}

#[test]
fn defaults_are_those_of_the_manual() {
    let scenario = good("policy: jacker-vertical").scenario;
    // A sample a minute, since the run lasts a day.
    assert_eq!(
        (scenario.step, scenario.sample, scenario.warmup),
        (Span::from_secs(1), Span::from_mins(1), Span::from_mins(5))
    );
    assert_eq!(scenario.seeds, [Seed::new(1)]);
    assert_eq!(
        (scenario.sensors.look, scenario.sensors.window),
        (Span::from_mins(5), Span::from_mins(5)),
        "of the policy"
    );
    assert_eq!(scenario.sensors.scrape, Span::from_secs(15));
    let scenario = good("").scenario;
    assert_eq!(scenario.sensors.look, Span::from_secs(30));
    assert!(scenario.policies.is_empty());
    let host = scenario.host;
    assert_eq!((host.pool_cpu(), host.pool_memory()), (Millicores::new(3500), Bytes::gibi(14)));
    assert_eq!(host.price.map(|price| price.month), Money::parse("12 USD").ok());
}

#[test]
fn loads_faults_and_seeds_are_read() {
    let text = r#"
seeds: 3..5
load:
  api:      { pattern: diurnal, low: 5/s, high: 60/s, peak_at: "20:00", noise: none }
  n8n:      { pattern: points, rate: [[0s, 1/s], [18h, 8/s]] }
  postgres: 30/min
faults:
  - { at: 21h, for: 10m, metrics_outage: {} }
  - { at: 20h, crash: n8n }
"#;
    let scenario = good(text).scenario;
    assert_eq!(scenario.seeds, [3, 4, 5].map(Seed::new));
    let load = |name: &str| scenario.load[&ServiceName::new(name)].clone();
    let peak_at = Span::from_mins(20 * 60);
    let diurnal = Pattern::Diurnal { low: Rate::per_second(5), high: Rate::per_second(60), peak_at };
    assert_eq!((load("api").pattern, load("api").noise), (diurnal, Noise::None));
    assert_eq!(load("postgres").pattern, Pattern::Constant { rate: Rate::micro(500_000) });
    assert_eq!(scenario.faults[0].kind, FaultKind::Crash(ServiceName::new("n8n")), "in order of time");
}

#[test]
fn policies_go_to_all_or_by_service() {
    let all = good("policy: { template: jacker-vertical, cpu_high: 70% }").scenario.policies;
    assert_eq!(all.len(), 4);
    let by_service =
        good("policy: { default: none, api: { template: jacker-vertical, cooldown: 5m } }").scenario.policies;
    assert_eq!(by_service[&ServiceName::new("redis")], Policy::None);
    let api = by_service[&ServiceName::new("api")].vertical().expect("the API has a policy");
    assert_eq!(api.cooldown, Span::from_mins(5));
    for (text, message) in [
        (
            "policy: jacker-vertcal",
            "PL0411 unknown policy `jacker-vertcal`, did you mean `jacker-vertical`? @ jacker-vertcal",
        ),
        ("policy: { template: vpa, cpu_high: 70% }", "PL0413 `vpa` has no `cpu_high`; it has percentile, margin @ 70%"),
        (
            "policy: { template: step-scaling, steps: { up: [{ from: 10, by: 2 }, { from: 5, by: 3 }] } }",
            "PL0413 steps come in order, the nearest to the target first @ 5",
        ),
        (
            "policy: { template: step-scaling, steps: { down: [{ from: 10, by: 20% }, { from: 20, by: 3 }] } }",
            "PL0413 steps on one side are all percent, or all instances @ 3",
        ),
        (
            "policy: { template: hpa, steps: { periods: 2 } }",
            "PL0413 `hpa` has no `steps`; it has targets, tolerance, stabilisation @ { periods: 2 }",
        ),
        ("policy: { template: krr, sizing: vpa }", "PL0415 the template says how limits are found @ vpa"),
        (
            "policy: { template: jacker-vertical, replicas: 2..4 }",
            "PL0415 `replicas`: the policy `jacker-vertical` moves limits, and has no such figure @ 2..4",
        ),
        (
            "policy: { template: balanced, cpu_high: 70% }",
            "PL0415 `cpu_high`: the policy `balanced` changes the number of instances, and has no such figure @ 70%",
        ),
        (
            "policy: { template: vedfolnir-horizontal, up: { cpu: 70 } }",
            "PL0413 `70` is 70 times the whole; a share is written `70%` @ 70",
        ),
        (
            "policy: { template: vedfolnir-horizontal, down: { cpu: 75% } }",
            "PL0413 `cpu` 75% is not below 70% of `up` @ 75%",
        ),
        (
            "policy: { template: balanced, weights: { cpu: 0, memory: 0, p95: 0, errors: 0 } }",
            "PL0413 the weights add up to nothing, so that nothing is ever decided @ { cpu: 0, memory: 0, p95: 0, errors: 0 }",
        ),
        (
            "policy: { api: [jacker-vertical, jacker-vertical] }",
            "PL0415 a service has one policy that moves limits and one that changes the number of instances @ jacker-vertical",
        ),
        ("policy: { apii: none }", "PL0414 a policy for the unknown service `apii`, did you mean `api`? @ apii"),
        (
            "policy: { template: schedule, schedule: [{ days: [mond], replicas: 1 }] }",
            "PL0205 unknown days `mond`, did you mean `mon`? @ mond",
        ),
        (
            "policy: { template: schedule, schedule: [{ from: \"20:00\", replicas: 0 }] }",
            "PL0413 `replicas` from 0: the last instance is never removed, so begin with 1 @ 0",
        ),
        (
            "policy: { template: schedule, replicas: 1..4 }",
            "PL0413 nothing chooses within `1..4`: a schedule alone looks at no figure @ 1..4",
        ),
        (
            "policy: { template: jacker-vertical, cpu_low: 90% }",
            "PL0413 `cpu_low` 90% is not below `cpu_high` 80% @ 90%",
        ),
    ] {
        assert_eq!(wrong(text), [message]);
    }
}

#[test]
fn every_name_must_exist() {
    assert_eq!(wrong("load: { appi: 5/s }"), ["PL0211 unknown service `appi`, did you mean `api`? @ appi"]);
    assert_eq!(
        wrong("services: { postgre: { workers: 1 } }"),
        ["PL0211 unknown service `postgre`, did you mean `postgres`? @ postgre"]
    );
    assert_eq!(
        wrong("services: { api: { work: { calls: { reddis: 1 } } } }"),
        ["PL0211 unknown service `reddis`, did you mean `redis`? @ reddis"]
    );
    assert_eq!(wrong("faults: [{ at: 1h, crash: n9n }]"), ["PL0211 unknown service `n9n`, did you mean `n8n`? @ n9n"]);
    assert_eq!(
        wrong("expect: { fast: p95(latency.apii) < 1s, tidy: cuont(oom) == 0 }"),
        [
            "PL0304 unknown service `apii`, did you mean `api`? @ apii",
            "PL0302 unknown function `cuont`, did you mean `count`? @ cuont"
        ]
    );
    let options = LoadOptions { host: Some("kvm-44".to_owned()), ..LoadOptions::default() };
    let problems = read_in(Path::new("/nowhere"), "", &options).expect_err("no such host").to_string();
    assert!(problems.contains("unknown hardware profile `kvm-44`, did you mean `kvm-4`?"), "{problems}");
    assert!(problems.contains("workstation-22"), "{problems}");
}

#[test]
fn calls_in_a_circle_are_named() {
    let text = "services: { api: { work: { calls: { n8n: 1 } } }, n8n: { work: { calls: { postgres: 2, redis: 1 } } }, redis: { work: { calls: { api: 1 } } } }";
    assert_eq!(
        wrong(text)[0].split(" @").next(),
        Some("PL0212 services call each other in a circle: api -> n8n -> redis -> api")
    );
    assert!(wrong("services: { api: { work: { calls: { api: 1 } } } }")[0].contains("api -> api"));
    good(
        "services: { api: { work: { calls: { postgres: 1, redis: 2 } } }, n8n: { work: { calls: { postgres: 2, redis: 1 } } } }",
    );
}

#[test]
fn faults_are_clear_or_refused() {
    for (text, words) in [
        ("{ at: 1h }", "PL0214 the fault has no kind"),
        ("{ at: 1h, crash: api, metrics_outage: {} }", "PL0214 a fault has one kind"),
        ("{ at: 1h, metrics_outage: {} }", "PL0214 `metrics_outage` lasts for some time"),
        ("{ at: 1h, for: 5m, crash: api }", "PL0214 `crash` happens in a moment"),
        ("{ at: 1h, slow_disk: { bandwidth: 30% } }", "PL0214 `slow_disk` lasts for some time"),
        ("{ at: 1h, for: 5m, slow_disk: {} }", "PL0214 the disk is as fast as before"),
        ("{ at: 1h, for: 5m, slow_disk: { iops: 0% } }", "PL0214 a disk of which nothing is left is not slow"),
        ("{ at: 1h, for: 5m, oom: { service: api } }", "PL0214 `oom` happens in a moment"),
        ("{ at: 1h, oom: { service: apo } }", "PL0211 unknown service `apo`"),
        ("{ at: 1h, for: 5m, full_disk: {}, crash: api }", "PL0214 a fault has one kind"),
        ("{ at: 25h, crash: api }", "PL0214 the fault begins at 1d1h, and the run ends at 1d"),
        ("{ for: 5m, metrics_outage: {} }", "PL0214 nothing says when the fault comes"),
        ("{ every: 1h, about_every: 1h, crash: api }", "PL0214 a fault comes `every` so long or `about_every`"),
        ("{ every: 1ms, crash: api }", "PL0214 a fault comes at most 100000 times"),
        ("{ about_every: 0s, crash: api }", "PL0214 a fault comes at most 100000 times"),
        ("{ at: 1h, crash: { service: api, instance: 9 } }", "PL0214 `api` starts with 1, so there is no instance 9"),
        ("{ at: 1h, for: 5m, unhealthy: redis }", "PL0214 `redis` has no health check"),
        ("{ at: 1h, for: 5m, metrics_gaps: { share: 120% } }", "PL0214 120% is more than all"),
        ("{ at: 1h, for: 5m, metrics_lie: { service: api } }", "PL0214 nothing says what is shown"),
        ("{ at: 1h, for: 5m, clock_jump: {} }", "PL0214 a clock is either ahead or behind"),
        ("{ at: 1h, for: 5m, heat_wave: { ambient: +12C } }", "PL0214 nothing is known of the heat of `kvm-4`"),
        ("{ at: 1h, for: 5m, steal_burst: { steal: 100% } }", "PL0214 a steal of 100% leaves no CPU"),
        ("{ at: 1h, for: 5m, steal_burst: { steal: 130% } }", "PL0214 130% is more than all"),
        ("{ at: 1h, for: 5m, noisy_neighbour: { cpu: 0 } }", "PL0214 a fault that takes no CPU changes nothing"),
        ("{ at: 1h, for: 5m, cpu_spin: { service: n9n, cpu: 1 } }", "PL0211 unknown service `n9n`"),
        ("{ at: 1h, for: 5m, slow_dependency: { service: api, factor: 1 } }", "PL0214 `api` is not slower"),
        ("{ at: 1h, for: 5m, slow_dependency: { service: n9n, factor: 2x } }", "PL0211 unknown service `n9n`"),
        ("{ at: 1h, for: 5m, network_delay: { latency: 0s } }", "PL0214 a delay of nothing changes nothing"),
        ("{ at: 1h, for: 5m, network_loss: { loss: 100% } }", "PL0214 a network that loses 100% of its packets"),
        ("{ at: 1h, network_loss: { loss: 2% } }", "PL0214 `network_loss` lasts for some time"),
        (
            "{ at: 1h, for: 5m, slow_network: { bandwidth: 100% } }",
            "PL0214 a network with 100% of its bandwidth is not",
        ),
        ("{ at: 1h, for: 5m, slow_network: { bandwidth: 0% } }", "PL0214 a network with 0% of its bandwidth is not"),
        ("{ at: 1h, steal_burst: { steal: 30% } }", "PL0214 `steal_burst` lasts for some time"),
        ("{ at: 1h, carsh: api }", "PL0201 unknown key `carsh`, did you mean `crash`?"),
    ] {
        let found = wrong(&format!("faults: [{text}]"));
        assert!(found.len() == 1 && found[0].starts_with(words), "{text}: {found:?}");
    }
}

#[test]
fn faults_that_wear_on_the_cores_are_read() {
    let kinds = |host: &str, fault: &str| {
        let options = LoadOptions { host: Some(host.to_owned()), ..LoadOptions::default() };
        let text = format!("faults: [{{ at: 1h, for: 5m, {fault} }}]");
        let read = read_in(Path::new("/nowhere"), &text, &options).unwrap_or_else(|problems| panic!("{problems}"));
        read.scenario.faults[0].kind.clone()
    };
    let twelve = FaultKind::HeatWave(Temperature::celsius(12));
    assert_eq!(kinds("m1-air", "heat_wave: { ambient: +12C }"), twelve);
    assert_eq!(kinds("kvm-4", "steal_burst: { steal: 30% }"), FaultKind::StealBurst(Permille::percent(30)));
    let neighbour = |weight| FaultKind::NoisyNeighbour { cpu: Millicores::cores(2), weight };
    assert_eq!(kinds("kvm-4", "noisy_neighbour: { cpu: 2 }"), neighbour(1024));
    assert_eq!(kinds("kvm-4", "noisy_neighbour: { cpu: 2, weight: 64 }"), neighbour(64));
    let spin = FaultKind::CpuSpin { service: ServiceName::new("api"), cpu: Millicores::new(1500) };
    assert_eq!(kinds("kvm-4", "cpu_spin: { service: api, cpu: 1.5 }"), spin);
    let slow = FaultKind::SlowDependency { service: ServiceName::new("redis"), factor: Permille::new(2500) };
    let late = FaultKind::NetworkDelay(Span::from_millis(50));
    assert_eq!(kinds("kvm-4", "network_delay: { latency: 50ms }"), late);
    assert_eq!(kinds("kvm-4", "network_loss: { loss: 2.5% }"), FaultKind::NetworkLoss(Permille::new(25)));
    assert_eq!(kinds("kvm-4", "slow_dependency: { service: redis, factor: 2.5x }"), slow);
    let narrow = FaultKind::SlowNetwork(Permille::percent(30));
    assert_eq!(kinds("kvm-4", "slow_network: { bandwidth: 30% }"), narrow);
    let cold = wrong("expect: { cool: \"max(temperature) < 80C\", fast: \"min(clock) >= 85%\" }");
    assert_eq!(cold.len(), 2, "{cold:?}");
    assert!(
        cold[0].starts_with("PL0220 nothing is known of the heat of `kvm-4`, so it has no `temperature`"),
        "{cold:?}"
    );
}

#[test]
fn times_and_loads_must_make_sense() {
    for (text, words) in [
        ("warmup: 24h", "PL0213 a warm-up of 1d leaves nothing"),
        ("step: 2m", "PL0213 a step lasts up to 1m"),
        ("step: 0s", "PL0213 a step lasts"),
        ("sample: 1500ms", "PL0213 a `sample` of 1.5s is not a whole number"),
        ("sensors: { look: 0s }", "PL0213 `look` is zero"),
        ("load: { api: { pattern: points, rate: [[1h, 1/s], [30m, 2/s]] } }", "PL0216 30m does not come after 1h"),
        (
            "load: { api: { pattern: bursty, low: 9/s, high: 2/s, quiet: 1m, burst: 1m } }",
            "PL0216 `low` 9/s is above `high` 2/s",
        ),
        ("load: { api: { trace: nothing.csv } }", "PL0001 cannot read"),
        ("expect: { x: \"count(oom, 30h) == 0\" }", "PL0308"),
    ] {
        let found = wrong(text);
        assert!(found.len() == 1 && found[0].starts_with(words), "{text}: {found:?}");
    }
}

/// A list gives stages, a mapping one call after another.
#[test]
fn calls_say_in_which_order_and_through_what() {
    let calls = |text: &str| {
        let mut resolved = good(&format!("services: {{ api: {{ work: {{ calls: {text} }} }} }}"));
        resolved.scenario.services.remove(&ServiceName::new("api")).expect("api").work.calls
    };
    let plain = calls("{ postgres: 3 }");
    assert_eq!(plain, [Call::new(ServiceName::new("postgres"), 3)]);
    let full = calls(
        "[{ postgres: { cached: 80%, timeout: 1s, retry: { times: 2, backoff: 50ms, budget: 20% }, breaker: {} } }, \
         { postgres: 2 }]",
    );
    let stages: Vec<_> = full.iter().map(|call| (call.stage, call.count)).collect();
    assert_eq!(stages, [(Some(0), 1), (Some(1), 2)]);
    let first = &full[0];
    assert_eq!((first.cached, first.timeout), (Permille::percent(80), Some(Span::from_secs(1))));
    let retry = Retry { times: 2, backoff: Span::from_millis(50), budget: Some(Permille::percent(20)) };
    assert_eq!(first.retry, Some(retry));
    let breaker =
        Breaker { failures: Permille::percent(50), window: Span::from_secs(10), least: 20, open: Span::from_secs(5) };
    assert_eq!(first.breaker, Some(breaker));
    let pooled = good("services: { api: { work: { calls: { postgres: { count: 2, pool: 10 } } } } }").scenario;
    let made = &pooled.services[&ServiceName::new("api")].work.calls[0];
    assert_eq!((made.count, made.pool), (2, Some(10)));
    for (text, words) in [
        ("services: { api: { work: { calls: { postgres: { cached: 101% } } } } }", "PL0226 no more than all calls"),
        ("services: { api: { work: { calls: [{ postgres: { timeout: 0s } }] } } }", "PL0226 a call that may take no"),
        ("services: { api: { blocking: true } }", "PL0226 `blocking` needs `workers`"),
        ("load: { api: { pattern: clients, clients: [[5m, 3], [1m, 4]] } }", "PL0216 1m does not come after 5m"),
    ] {
        let found = wrong(text);
        assert!(found.len() == 1 && found[0].starts_with(words), "{text}: {found:?}");
    }
}

/// Sizes as Compose writes them, and a word where they would take no time though somebody thinks they do.
#[test]
fn requests_and_answers_have_sizes() {
    let sized =
        "services: { api: { work: { request: 2k, answer: 5m } } }\nload: { api: { pattern: constant, rate: 1/s } }";
    let resolved = good(sized);
    let work = &resolved.scenario.services[&ServiceName::new("api")].work;
    assert_eq!((work.request, work.answer), (Bytes::new(2048), Bytes::mebi(5)));
    assert_eq!(resolved.scenario.host.line(), Some(125e6), "1000 Mbit/s");
    assert!(!resolved.warnings.to_string().contains("network"), "{}", resolved.warnings);
    let options = LoadOptions { host: Some("hetzner-cx33".to_owned()), ..LoadOptions::default() };
    let unknown = read_in(Path::new("/nowhere"), sized, &options).unwrap_or_else(|problems| panic!("{problems}"));
    let warnings = unknown.warnings.to_string();
    assert!(warnings.contains("nothing is known of the network of `hetzner-cx33`; sending requests"), "{warnings}");
    assert!(warnings.contains("hardware: { network_mbit: 1000 }"), "{warnings}");
    let idle = good("faults: [{ at: 1h, for: 5m, slow_network: { bandwidth: 30% } }]").warnings.to_string();
    assert!(idle.contains("the slower network at 1h changes nothing"), "{idle}");
}

#[test]
fn a_balancer_is_named_as_proxies_name_it() {
    let of = |text: &str| good(text).scenario.services[&ServiceName::new("api")].balance;
    assert_eq!(of(""), Balance::Random);
    assert_eq!(of("services: { api: { balance: round_robin, workers: 2, backlog: 5 } }"), Balance::RoundRobin);
    assert_eq!(of("services: { api: { balance: round_robin } }"), Balance::RoundRobin);
    assert_eq!(of("services: { api: { balance: least_connections } }"), Balance::LeastConnections);
    let found = wrong("services: { api: { balance: least_connection } }");
    assert!(found.len() == 1 && found[0].contains("least_connections"), "{found:?}");
}

#[test]
fn a_trace_is_read_beside_the_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("day.csv"), "t_s,requests\n0,60\n60,120\n").expect("is written");
    let read = |text: &str| read_in(folder.path(), text, &LoadOptions::default());
    let resolved =
        read("load: { api: { trace: day.csv, column: requests, scale: 50% } }").unwrap_or_else(|p| panic!("{p}"));
    let Pattern::Trace(points) = &resolved.scenario.load[&ServiceName::new("api")].pattern else { panic!("a trace") };
    assert_eq!(points[0], (Span::ZERO, Some(Rate::micro(500_000))));
    assert!(resolved.warnings.to_string().contains("the trace ends after 2m"));
    assert!(resolved.files_read.iter().any(|path| path.ends_with("day.csv")));
    let problems = read("load: { api: { trace: day.csv, column: request } }").expect_err("no such column").to_string();
    assert!(
        problems.contains("unknown column `request`, did you mean `requests`?") && problems.contains("scenario.yaml:5"),
        "{problems}"
    );
}

#[test]
fn baselines_take_the_unit_of_their_measure() {
    let text = |least: &str| {
        format!(
            "expect: {{ fast: {{ expr: p95(latency.api) < 1s, baseline: {{ worse_by: 10%, and_at_least: {least} }} }} }}"
        )
    };
    let expectation = good(&text("5ms")).scenario.expect.remove(0);
    assert!(expectation.baseline.is_some_and(|tolerance| tolerance.and_at_least.is_some()));
    assert!(wrong(&text("5M"))[0].starts_with("PL0220 "), "5M is a size");
}

#[test]
fn a_budget_has_shares_at_which_it_warns() {
    let budget = |text: &str| good(text).scenario.budget.expect("a budget");
    let usual = budget("budget: 40 USD");
    assert_eq!((usual.month, usual.warning, usual.critical), (usd(40), Permille::percent(75), Permille::percent(90)));
    let own = budget("budget: { month: 40 USD, warning: 50% }");
    assert_eq!((own.warning, own.critical), (Permille::percent(50), Permille::percent(90)));
    for (text, message) in [
        ("budget: 40", "PL0203 `budget` should be an amount such as `12 USD`, found a number @ 40"),
        ("budget: 0 USD", "PL0431 a month that may cost nothing is no budget @ 0 USD"),
        ("budget: { month: 40 USD, warning: 95% }", "PL0431 the warning at 95% comes after critical at 90% @ 95%"),
        (
            "budget: 40 USD\nexpect: { month's budget: count(oom) == 0 }",
            "PL0431 `month's budget` is what the budget is called among the expectations @ month's budget",
        ),
        ("budget: { monthly: 40 USD }", "PL0201 unknown key `monthly`, did you mean `month`? @ monthly"),
    ] {
        assert!(wrong(text).contains(&message.to_owned()), "{:?}", wrong(text));
    }
}

#[test]
fn the_budget_of_the_project_holds_where_a_scenario_has_none() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("plimsoll.yaml"), "budget: 30 EUR\n").expect("can be written");
    let read = |text: &str| read_in(folder.path(), text, &LoadOptions::default()).expect("a good scenario");
    let of_project = read("");
    let month = |resolved: &Resolved| resolved.scenario.budget.map(|budget| budget.month);
    assert_eq!(month(&of_project), Some(Money::parse("30 EUR").expect("an amount")));
    assert!(of_project.files_read.iter().any(|file| file.ends_with("plimsoll.yaml")));
    assert_eq!(month(&read("budget: 12 USD")), Some(usd(12)));
}

fn usd(amount: u64) -> Money {
    Money::micro(amount * 1_000_000, crate::units::Currency::USD)
}

proptest! {
    /// Whatever stands in a file, the answer is a scenario or a list of problems.
    #[test]
    fn no_text_makes_it_panic(lines in prop::collection::vec(prop::sample::select(vec![
        "load:", "  api: 5/s", "  api: { pattern: ramp, from: 1/s, to: 2/s }", "  api: [", "services:", "  api: {}", "expect:",
        "  x: count(oom) == 0", "faults:", "  - { at: 1h, crash: api }", "policy: none", "seeds: 1..3", "step: 1s", "- 1", "\u{0}", "é: &a *a",
    ]), 0..8)) {
        let _ = read(&lines.join("\n"));
    }
}
