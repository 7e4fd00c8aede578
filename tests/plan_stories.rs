//! What is proposed for a stack on a host: budgets with the documents' figures, settings, health checks and advice.

use plimsoll::input::catalog::Catalog;
use plimsoll::input::catalog::shipped;
use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::compose::Loaded;
use plimsoll::input::compose::load;
use plimsoll::input::profile::Profiles;
use plimsoll::model::Amount;
use plimsoll::model::Budget;
use plimsoll::model::Evidence;
use plimsoll::model::Host;
use plimsoll::model::Preset;
use plimsoll::model::ServiceName;
use plimsoll::model::Turn;
use plimsoll::plan::advice::advice;
use plimsoll::plan::budget::Wishes;
use plimsoll::plan::budget::budget;
use plimsoll::plan::first;
use plimsoll::plan::health::Kind;
use plimsoll::plan::health::findings;
use plimsoll::plan::tuning;
use plimsoll::plan::tuning::DeviceRate;
use plimsoll::plan::tuning::Tuned;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn host(name: &str) -> Host {
    Profiles::below(root()).find(name, None, root()).expect("a shipped profile")
}

fn ziggie() -> Loaded {
    read(&root().join("scenarios/ziggie-kvm-4-evening/compose.yaml"))
}

fn read(file: &Path) -> Loaded {
    let args = ComposeArgs { files: vec![file.to_owned()], ..ComposeArgs::default() };
    load(&args).unwrap_or_else(|problems| panic!("{problems}"))
}

fn written(text: &str) -> (tempfile::TempDir, Loaded) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("compose.yaml"), text).expect("can be written");
    let loaded = read(&folder.path().join("compose.yaml"));
    (folder, loaded)
}

fn made(loaded: &Loaded, host: &Host, wishes: &Wishes) -> Budget {
    budget("stack", &loaded.stack, shipped(), host, wishes)
}

fn named(name: &str) -> ServiceName {
    ServiceName::new(name)
}

/// The sum that planning document Z got wrong (`figures.md`): 19.2 GB and 6.15 CPUs of limits on a pool of 14 GB and 3.5
/// CPUs, which is 1.37 and 1.76 times; 9.3 GB and 2.75 CPUs of reservations, which fit.
#[test]
fn the_documented_budget_does_not_add_up_and_the_proposal_does() {
    let budget = made(&ziggie(), &host("kvm-4"), &Wishes::default());
    let (stated, pool) = (budget.stated(None), budget.terms.pool);
    assert_eq!((pool.cpu, pool.memory), (Millicores::new(3500), Bytes::gibi(14)));
    assert_eq!((stated.limits.cpu, stated.reservations.cpu), (Millicores::new(6150), Millicores::new(2750)));
    let times = |part: u64, whole: u64| (part as f64 * 100.0 / whole as f64).round();
    assert_eq!(times(stated.limits.cpu.get(), pool.cpu.get()), 176.0);
    assert_eq!(times(stated.limits.memory.get(), pool.memory.get()), 137.0);
    assert!(stated.reservations.fits(pool));
    let proposed = budget.proposed(None);
    assert_eq!((proposed.limits, budget.allocation.short), (pool, Amount::default()), "to the last step");
    assert!(proposed.reservations.fits(pool));
    assert_eq!(budget.allocation.shares.len(), 19);
}

#[test]
fn presets_settings_and_profile_have_their_order() {
    let loaded = ziggie();
    let kvm = host("kvm-4");
    let reserve = |wishes: &Wishes| {
        let budget = made(&loaded, &kvm, wishes);
        (budget.host.reserve_cpu.get(), budget.host.reserve_memory.get() >> 20)
    };
    let preset = |preset: Preset| Wishes { preset, ..Wishes::default() };
    // The profile states half a CPU and 2 GB; presets go by the classes of register H3, `custom` by register H5.
    assert_eq!(reserve(&preset(Preset::Auto)), (500, 2048));
    assert_eq!(reserve(&preset(Preset::Minimal)), (2000, 8192));
    assert_eq!(reserve(&preset(Preset::Balanced)), (1200, 4915));
    assert_eq!(reserve(&preset(Preset::Performance)), (800, 3276));
    assert_eq!(reserve(&preset(Preset::Custom)), (800, 2048));
    let set =
        Wishes { cpu_reserve: Some(Permille::percent(10)), memory_reserve: Some(Bytes::gibi(1)), ..Wishes::default() };
    assert_eq!(reserve(&set), (400, 1024));
    assert_eq!(reserve(&Wishes { preset: Preset::Minimal, ..set }), (400, 1024));
}

#[test]
fn a_minimal_preset_leaves_what_is_essential_and_what_is_kept() {
    let loaded = ziggie();
    let wishes = Wishes { preset: Preset::Minimal, keep: [named("grafana")].into(), ..Wishes::default() };
    let budget = made(&loaded, &host("kvm-6"), &wishes);
    let on: Vec<&str> = budget.allocation.shares.keys().map(ServiceName::as_str).collect();
    // Prometheus is among them because Grafana, which is kept, depends on it.
    let wanted = ["grafana", "mcp-gateway", "mongodb", "nginx", "postgres", "prometheus", "redis", "ziggie-api"];
    assert_eq!(on, wanted);
}

#[test]
fn what_was_seen_in_use_is_the_need_and_a_kill_asks_for_half_more() {
    let loaded = ziggie();
    let seen = Amount { cpu: Millicores::new(720), memory: Bytes::mebi(1000) };
    let mut wishes =
        Wishes { observed: [(named("ziggie-api"), seen), (named("n8n"), seen)].into(), ..Wishes::default() };
    wishes.killed.insert(named("n8n"), Bytes::mebi(1536));
    let budget = made(&loaded, &host("kvm-4"), &wishes);
    let api = &budget.asks[&named("ziggie-api")];
    assert_eq!(
        (api.need.cpu, api.need.memory, api.evidence),
        (Millicores::new(720), Bytes::mebi(1150), Evidence::Observed)
    );
    assert!(budget.allocation.shares[&named("ziggie-api")].limits.cpu >= Millicores::new(720));
    let n8n = &budget.allocation.shares[&named("n8n")];
    assert_eq!((n8n.limits.memory, n8n.memory), (Bytes::mebi(2304), Turn::Raised));
    assert_eq!(budget.asks[&named("n8n")].evidence, Evidence::Killed);
}

/// Two records: killed at a small limit in one, much more in use under a larger limit in the other.
#[test]
fn a_kill_never_asks_for_less_than_was_seen() {
    let (_folder, loaded) = written("services: {web: {image: nginx, mem_limit: 150M}}");
    let seen = Amount { cpu: Millicores::new(100), memory: Bytes::mebi(600) };
    let mut wishes = Wishes { observed: [(named("web"), seen)].into(), ..Wishes::default() };
    wishes.killed.insert(named("web"), Bytes::mebi(150));
    let budget = made(&loaded, &host("kvm-4"), &wishes);
    assert_eq!(budget.allocation.shares[&named("web")].limits.memory, Bytes::mebi(690));
}

/// It is called `db`, but it is no PostgreSQL: what a database needs is a guess, and PostgreSQL's settings are none of its.
#[test]
fn a_name_alone_says_what_for_and_not_which() {
    let (_folder, loaded) = written(
        "services:\n  db: {image: 'registry.example.com/platform/oracle-xe:21', mem_limit: 2G}\n  redis: {build: ./redis, mem_limit: 1G}\n",
    );
    let budget = made(&loaded, &host("kvm-4"), &Wishes::default());
    assert_eq!((budget.asks[&named("db")].tier, budget.asks[&named("db")].evidence), (1, Evidence::Guess));
    let tuned: Vec<ServiceName> =
        tuning::tuned(&budget, &loaded, shipped()).into_iter().map(|tuned| tuned.service).collect();
    assert_eq!(tuned, [named("redis")]);
    let checked: Vec<ServiceName> =
        findings(&loaded.stack, shipped()).into_iter().map(|finding| finding.service).collect();
    assert_eq!(checked, [named("redis")]);
}

/// By register H5 the preset `custom` keeps 2 GB; of a host of 2 GB that would be all.
#[test]
fn a_small_host_keeps_half_of_its_memory_for_services() {
    let small = Host { memory: Bytes::gibi(2), ..host("kvm-4") };
    let (_folder, loaded) = written("services: {web: {image: nginx}}");
    let budget = made(&loaded, &small, &Wishes { preset: Preset::Custom, ..Wishes::default() });
    assert_eq!(budget.terms.pool.memory, Bytes::gibi(1));
    assert_eq!(budget.reserve_from, "preset custom: 20% of the CPU and 1G");
}

/// A first scenario calls only what runs: not what is switched off, not what runs once.
#[test]
fn a_first_scenario_calls_what_runs() {
    let (_folder, loaded) = written(
        "services:\n  web:\n    image: ghcr.io/example/web\n    ports: ['80:80']\n    depends_on:\n      db: {condition: service_started}\n      \
         cache: {condition: service_started}\n      migrate: {condition: service_completed_successfully}\n  db: {image: 'postgres:16', \
         deploy: {replicas: 0}}\n  cache: {image: 'redis:7'}\n  migrate: {image: ghcr.io/example/web}\n",
    );
    let sketch = first::Sketch { title: "shop", stack: "compose.yaml".into(), host: "kvm-4", vertical: false };
    let text = first::scenario(&loaded.stack, shipped(), &sketch);
    assert!(text.contains("cache: 2") && !text.contains("db: ") && !text.contains("migrate"), "{text}");
}

#[test]
fn a_host_that_is_too_small_is_told_by_how_much() {
    let loaded = ziggie();
    let tiny = Host { memory: Bytes::gibi(1), reserve_memory: Bytes::mebi(256), ..host("kvm-4") };
    let budget = made(&loaded, &tiny, &Wishes::default());
    assert!(!budget.allocation.fits());
    // What cannot be switched off needs 13 + 600 + 200 + 150 + 15 + 500 MB, and there are 768.
    let needed = [13, 600, 200, 150, 15, 500].iter().sum::<u64>();
    assert_eq!(budget.allocation.short.memory, Bytes::mebi(needed - 768));
}

#[test]
fn health_checks_are_held_against_the_matrix() {
    let (_folder, loaded) = written(
        "services:\n  none: { image: redis }\n  off: { image: redis, healthcheck: { disable: true } }\n\
         \x20 often: { image: grafana/grafana, healthcheck: { test: [CMD, x], interval: 5s, timeout: 6s, start_period: 20s } }\n\
         \x20 early: { image: grafana/loki, healthcheck: { test: [CMD, x], interval: 5s, timeout: 5s, retries: 2 } }\n\
         \x20 good: { image: redis, healthcheck: { test: [CMD, redis-cli, ping], interval: 10s, timeout: 2s, retries: 5, start_period: 10s } }\n\
         \x20 own: { image: example.com/shop:1 }\n",
    );
    let found = findings(&loaded.stack, shipped());
    let of = |name: &str| found.iter().filter(|f| f.service == named(name)).map(|f| f.kind).collect::<Vec<_>>();
    let secs = Span::from_secs;
    assert_eq!(of("none"), [Kind::Missing]);
    assert_eq!(of("off"), [Kind::Disabled]);
    let often = of("often");
    assert!(often.contains(&Kind::TooOften { interval: secs(5), enough: secs(30) }), "{often:?}");
    assert!(often.contains(&Kind::Overlapping { timeout: secs(6), interval: secs(5) }), "{often:?}");
    // Two failures five seconds apart come before the 25 s that Loki takes.
    assert!(of("early").contains(&Kind::GivesUpEarly { after: secs(10), start_up: secs(25) }));
    assert_eq!((of("good"), of("own")), (vec![], vec![]));
    let ping = &found.iter().find(|f| f.service == named("none")).expect("a finding").proposed;
    assert_eq!(
        (ping.interval, ping.timeout, ping.retries, ping.start_period),
        (Some(secs(10)), Some(secs(2)), Some(5), Some(secs(10)))
    );
}

/// Whoever waits for ten minutes until a service is up has a reason to.
#[test]
fn of_a_health_check_only_what_is_wrong_is_written() {
    let (_folder, loaded) = written(
        "services:\n  often: { image: redis, healthcheck: { test: [CMD, x], interval: 2s, timeout: 2s, retries: 100, \
         start_period: 10m } }\n\
         \x20 long: { image: redis, healthcheck: { test: [CMD, x], interval: 20s, timeout: 1m, retries: 9, start_period: 1m } }\n",
    );
    let found = findings(&loaded.stack, shipped());
    let keys = |name: &str| {
        let of: Vec<_> = found.iter().filter(|finding| finding.service == named(name)).collect();
        assert_eq!(of.len(), 1, "{of:?}");
        of[0].keys()["healthcheck"].clone()
    };
    assert_eq!(keys("often"), serde_json::json!({"interval": "10s"}));
    assert_eq!(keys("long"), serde_json::json!({"timeout": "20s"}));
}

/// Settings follow the proposed limit: a quarter of it for shared buffers; what the file says otherwise is shown beside.
#[test]
fn settings_follow_the_limit_and_commands_keep_what_is_not_ours() {
    let loaded = ziggie();
    let budget = made(&loaded, &host("kvm-4"), &Wishes::default());
    let tuned = tuning::tuned(&budget, &loaded, shipped());
    let postgres = tuned.iter().find(|tuned| tuned.service == named("postgres")).expect("settings");
    let limit = budget.allocation.shares[&named("postgres")].limits.memory;
    let buffers = postgres.changes.iter().find(|change| change.setting.name == "shared_buffers").expect("buffers");
    assert_eq!(
        (buffers.setting.value.clone(), buffers.before.as_deref()),
        (format!("{}MB", (limit.get() >> 20) / 4), Some("768MB"))
    );
    let redis = tuned.iter().find(|tuned| tuned.service == named("redis")).expect("settings");
    let command: Vec<&str> =
        redis.keys["command"].as_array().expect("words").iter().filter_map(|word| word.as_str()).collect();
    assert_eq!(command[..3], ["redis-server", "--appendonly", "yes"]);
    assert!(command.windows(2).any(|pair| pair == ["--maxmemory-policy", "allkeys-lru"]), "{command:?}");
}

#[test]
fn a_script_is_left_to_its_author_and_dollars_are_doubled() {
    let (_folder, loaded) = written(
        "services:\n  db: { image: postgres:16, command: [sh, -c, 'exec postgres'], mem_limit: 1G }\n\
         \x20 cache: { image: redis:7, command: 'redis-server --requirepass $$ecret', mem_limit: 1G }\n",
    );
    let budget = made(&loaded, &host("kvm-4"), &Wishes::default());
    let tuned = tuning::tuned(&budget, &loaded, shipped());
    assert!(tuned[1].changes[0].by_hand.is_some() && !tuned[1].keys.contains_key("command"));
    let command = tuned[0].keys["command"].to_string();
    assert!(command.contains("\"$$ecret\""), "Compose would take one dollar sign for a variable: {command}");
}

/// What is done to a service of a stack on a host of 16 GB.
fn tuned_of(loaded: &Loaded, name: &str) -> Option<Tuned> {
    let budget = made(loaded, &host("kvm-4"), &Wishes::default());
    tuning::tuned(&budget, loaded, shipped()).into_iter().find(|tuned| tuned.service == named(name))
}

/// `bitnami/redis` starts `run.sh`, which sets the password: a command of ours would take its place.
#[test]
fn an_image_with_a_start_of_its_own_keeps_it() {
    let (_folder, loaded) = written(
        "services:\n  theirs: { image: 'bitnami/redis:7.4', mem_limit: 1G }\n\
         \x20 stated: { image: 'bitnami/redis:7.4', command: redis-server, mem_limit: 1G }\n\
         \x20 wrapped: { image: 'redis:7', entrypoint: /wait-for-it.sh, mem_limit: 1G }\n\
         \x20 built: { image: 'redis:7', build: ., mem_limit: 1G }\n\
         \x20 official: { image: 'docker.io/library/redis:7', mem_limit: 1G }\n",
    );
    for (name, is_merged) in
        [("theirs", false), ("stated", true), ("wrapped", false), ("built", false), ("official", true)]
    {
        let tuned = tuned_of(&loaded, name).expect("settings");
        assert_eq!(
            tuned.keys.get("command").map(|words| &words[0] == "redis-server"),
            is_merged.then_some(true),
            "{name}"
        );
        let memory = tuned.changes.iter().find(|change| change.setting.name == "maxmemory").expect("a setting");
        assert_eq!(memory.by_hand.is_none(), is_merged, "{name}: {memory:?}");
    }
}

/// `environment` of an override file wins over an env file, so what that sets is for its author to change.
#[test]
fn what_an_env_file_sets_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let compose = "services:\n  n8n: { image: n8nio/n8n, mem_limit: 1G, env_file: [a.env, b.env] }\n\
                   \x20 app: { image: node:22, mem_limit: 1G, env_file: b.env }\n\
                   \x20 done: { image: node:22, mem_limit: 1G, env_file: done.env }\n\
                   \x20 passed: { image: n8nio/n8n, mem_limit: 1G, environment: [N8N_METRICS, NODE_OPTIONS] }\n\
                   \x20 absent: { image: node:22, mem_limit: 1G, env_file: [{ path: no.env, required: false }] }\n\
                   \x20 closed: { image: n8nio/n8n, mem_limit: 1G, env_file: closed.env }\n";
    let files = [
        ("compose.yaml", compose),
        ("a.env", "N8N_METRICS=false\n"),
        ("b.env", "# ours\nexport NODE_OPTIONS=\"--require ./hunter2.js\"\nOTHER=${NOBODY_SET_IT}\n"),
        ("done.env", "NODE_OPTIONS=--max-old-space-size=HEAP\n"),
        ("closed.env", "PASSWORD='hunter2\n"),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("can be written");
    }
    let loaded = read(&folder.path().join("compose.yaml"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let by_hand = |tuned: &Tuned, name: &str| {
        let change = tuned.changes.iter().find(|change| change.setting.name == name)?;
        Some((change.by_hand, tuned.keys.get("environment").is_some_and(|all| all.get(name).is_some())))
    };
    let workflows = tuned_of(&loaded, "n8n").expect("settings");
    assert_eq!(by_hand(&workflows, "N8N_METRICS"), None, "a matter of use stays");
    assert_eq!(by_hand(&workflows, "NODE_OPTIONS"), Some((Some("by hand in its env file"), false)));
    assert_eq!(by_hand(&workflows, "EXECUTIONS_DATA_PRUNE"), Some((None, true)), "nobody says it");
    let app = tuned_of(&loaded, "app").expect("settings");
    assert_eq!(by_hand(&app, "NODE_OPTIONS"), Some((Some("by hand in its env file"), false)));
    assert!(!format!("{app:?}{workflows:?}{:?}", loaded.env_files).contains("hunter2"), "it may be a secret");
    let passed = tuned_of(&loaded, "passed").expect("settings");
    assert_eq!(by_hand(&passed, "N8N_METRICS"), None);
    assert!(by_hand(&passed, "NODE_OPTIONS").is_some_and(|(why, is_written)| why.is_some() && !is_written));
    assert_eq!(by_hand(&tuned_of(&loaded, "absent").expect("settings"), "NODE_OPTIONS"), Some((None, true)));
    let closed = tuned_of(&loaded, "closed").expect("settings");
    assert_eq!(by_hand(&closed, "N8N_METRICS"), None, "its env file may say it");
    assert!(!closed.keys.contains_key("environment"), "{:?}", closed.keys);

    // Once it is changed there, nothing is left to do.
    let done = tuned_of(&loaded, "done").expect("settings");
    let heap = done.changes.iter().find(|change| change.setting.name == "NODE_OPTIONS").expect("another heap");
    let text = format!("NODE_OPTIONS={}\n", heap.setting.value);
    std::fs::write(folder.path().join("done.env"), text).expect("can be written");
    let loaded = read(&folder.path().join("compose.yaml"));
    assert_eq!(by_hand(&tuned_of(&loaded, "done").expect("settings"), "NODE_OPTIONS"), None);
}

/// Without the limit, the node that is told to lock its memory does not start.
#[test]
fn a_heap_that_is_locked_has_the_limit_it_needs() {
    let (_folder, loaded) = written(
        "services:\n  search: { image: 'elasticsearch:8.15.0', mem_limit: 4G }\n\
         \x20 stated: { image: 'elasticsearch:8.15.0', mem_limit: 4G, ulimits: { memlock: -1 } }\n",
    );
    let keys = tuned_of(&loaded, "search").expect("settings").keys;
    assert_eq!(keys["environment"]["bootstrap.memory_lock"], "true");
    assert_eq!(keys["ulimits"]["memlock"], serde_json::json!({"soft": -1, "hard": -1}));
    let keys = tuned_of(&loaded, "stated").expect("settings").keys;
    assert!(keys["ulimits"].get("memlock").is_none() && keys["ulimits"].get("nofile").is_some(), "{keys:?}");
}

#[test]
fn a_variable_is_found_again_in_a_second_document_of_a_file() {
    let (_folder, loaded) = written(
        "services: { web: { image: nginx } }\n---\nservices:\n  cache: { image: redis:7, mem_limit: 1G, \
         command: 'redis-server --requirepass $$ecret' }\n",
    );
    let command = tuned_of(&loaded, "cache").expect("settings").keys["command"].to_string();
    assert!(command.contains("\"$$ecret\"") && command.contains("maxmemory"), "{command}");
}

#[test]
fn weights_of_the_disk_go_by_tier() {
    let loaded = ziggie();
    let budget = made(&loaded, &host("kvm-4"), &Wishes::default());
    let rate = DeviceRate { device: "/dev/nvme0n1".to_owned(), rate: Bytes::mebi(100) };
    let kernel = tuning::kernel(&budget, &loaded, Some(&rate));
    for (service, weight) in [("postgres", 800), ("redis", 800), ("mongodb", 600), ("ollama", 600), ("loki", 200)] {
        assert_eq!(kernel[service]["blkio_config"]["weight"], weight, "{service}");
        // Only what works in the background is slowed down.
        assert_eq!(kernel[service]["blkio_config"]["device_read_bps"].is_array(), weight == 200, "{service}");
    }
}

#[test]
fn networks_get_names_and_data_a_place() {
    let (_folder, loaded) = written(
        "services:\n  db: { image: postgres:16, volumes: ['data:/var/lib/postgresql/data'], networks: [back] }\n\
         \x20 lost: { image: mysql:8, networks: [back] }\n\
         volumes: { data: {} }\nnetworks:\n  back: {}\n  named: { driver_opts: { com.docker.network.bridge.name: br-x } }\n",
    );
    let all = advice("a-very-long-name", &loaded, shipped(), &host("kvm-4"));
    let about: Vec<&str> = all.iter().map(|advice| advice.about.as_str()).collect();
    assert_eq!(about, ["network back", "volume data", "service lost"]);
    let yaml = all[0].yaml.clone().expect("can be written");
    let bridge = yaml["networks"]["back"]["driver_opts"]["com.docker.network.bridge.name"].as_str().expect("a name");
    assert_eq!(bridge, "br-a-very-back", "Linux takes 15 characters");
}

#[test]
fn no_two_networks_get_the_same_name_or_addresses() {
    let (_folder, loaded) = written(
        "services: { web: { image: nginx } }\nnetworks:\n  default: {}\n  frontend: {}\n  backend: {}\n  \
         monitoring-inside: {}\n  monitoring-outside: {}\n  fixed: { ipam: { config: [{ subnet: 172.28.0.0/23 }] }, \
         driver_opts: { com.docker.network.bridge.name: br-backend } }\n  wide: { ipam: { config: [{ subnet: \
         '172.28.3.64/26' }, { subnet: 'fd00::/64' }] } }\n",
    );
    let all = advice("my-long-project", &loaded, shipped(), &host("kvm-4"));
    let given: Vec<(String, String)> = all
        .iter()
        .filter_map(|advice| {
            let (_, network) = advice.yaml.as_ref()?["networks"].as_object()?.iter().next()?;
            let bridge = network["driver_opts"]["com.docker.network.bridge.name"].as_str()?;
            let subnet = network["ipam"]["config"][0]["subnet"].as_str().unwrap_or("as it is");
            Some((bridge.to_owned(), subnet.to_owned()))
        })
        .collect();
    let given: Vec<(&str, &str)> = given.iter().map(|(bridge, subnet)| (bridge.as_str(), subnet.as_str())).collect();
    let wanted = [
        ("br-my-long-proj", "172.28.2.0/24"),
        ("br-my-frontend", "172.28.4.0/24"),
        ("br-my-l-backend", "172.28.5.0/24"),
        ("br-monitoring-i", "172.28.6.0/24"),
        ("br-monitoring-o", "172.28.7.0/24"),
        ("br-my-long-wide", "as it is"),
    ];
    assert_eq!(given, wanted);
}

/// What a label says of a service that was built counts as much as the catalog.
#[test]
fn a_database_of_ones_own_is_advised_on_its_volume() {
    let (_folder, loaded) = written(
        "services:\n  own: { build: ., labels: { plimsoll.role: database, plimsoll.stateful: 'true' } }\n\
         \x20 other: { build: . }\n",
    );
    let all = advice("shop", &loaded, shipped(), &host("kvm-4"));
    let about: Vec<&str> = all.iter().map(|advice| advice.about.as_str()).collect();
    assert_eq!(about, ["service own"]);
}

/// A catalog of the project comes over the shipped one.
#[test]
fn a_catalog_of_ones_own_says_what_a_service_needs() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir_all(folder.path().join("catalog")).expect("can be made");
    let text = "catalog: ours\nimages:\n  shop:\n    image: registry.example.com:5000/shop\n    role: api\n    tier: 1\n    start_up: 9s\n    \
                idle_cpu: 0.1\n    idle_memory: 700M\n    need_memory: 900M\n    give: { cpu: 2, memory: 1G, pids: 77 }\n    importance: 99\n";
    std::fs::write(folder.path().join("catalog/images.yaml"), text).expect("can be written");
    std::fs::write(
        folder.path().join("compose.yaml"),
        "services: { a: { image: 'example.com/shop:1@sha256:0a' }, b: { image: redis } }",
    )
    .expect("can be written");
    let loaded = read(&folder.path().join("compose.yaml"));
    let catalog = Catalog::below(folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let budget = budget("stack", &loaded.stack, &catalog, &host("kvm-6"), &Wishes::default());
    let ask = &budget.asks[&named("a")];
    assert_eq!(
        (ask.importance, ask.need.memory, ask.usual.memory, ask.usual_pids),
        (99, Bytes::mebi(900), Bytes::gibi(1), 77)
    );
    assert_eq!(budget.asks[&named("b")].importance, 92);
}

/// The machine the tests run on, whatever it is: looked at, written down as a profile, and read again.
#[test]
fn this_machine_is_found_and_can_be_written_down() {
    let machine = plimsoll::world::machine::detect().expect("a machine that tests run on can be looked at");
    assert!(machine.usable_memory() <= machine.memory && machine.usable_memory() > Bytes::ZERO, "{machine:?}");
    assert!(machine.usable_cpu() <= Millicores::cores(machine.threads.into()), "{machine:?}");
    assert!(machine.disk > Bytes::ZERO, "{machine:?}");
    let host = machine.host();
    let text = plimsoll::plan::host::profile(&host, "found by a test");
    let source = plimsoll::input::problem::Source::new("machine.yaml", text.as_str());
    let read = plimsoll::input::profile::parse(&source).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let mut wanted = Host { reserve_stated: true, ..host };
    wanted.hardware.load = None;
    assert_eq!(read, wanted, "{text}");
}
