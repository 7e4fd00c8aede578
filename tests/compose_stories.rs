//! Small Compose projects as people write them, right and wrong.

use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::compose::Loaded;
use plimsoll::input::compose::Why;
use plimsoll::input::compose::load;
use plimsoll::input::problem::Problems;
use plimsoll::model::Condition;
use plimsoll::model::MountKind;
use plimsoll::model::Order;
use plimsoll::model::Restart;
use plimsoll::model::Service;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use std::path::PathBuf;

/// A folder with files, and what the user asks for.
struct Story {
    folder: tempfile::TempDir,
    args: ComposeArgs,
}

impl Story {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let args = ComposeArgs { project_dir: Some(folder.path().to_owned()), ..ComposeArgs::default() };
        Self { folder, args }
    }

    fn files(mut self, names: &[&str]) -> Self {
        self.args.files = names.iter().map(|name| self.path(name)).collect();
        self.args.project_dir = None;
        self
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.args.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Loaded {
        load(&self.args).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn refuse(&self) -> Problems {
        load(&self.args).expect_err("it is refused")
    }

    /// `code file:line` of each error.
    fn told(&self) -> Vec<String> {
        let base = format!("{}/", self.folder.path().display());
        let problems = self.refuse();
        let errors = problems.iter().filter(|problem| problem.severity.as_str() == "error");
        errors
            .map(|problem| {
                assert!(problem.help.is_some(), "no way out is named: {}", problem.message);
                let place = problem.place.as_ref().map(|place| format!(" {}:{}", place.source.name(), place.line()));
                format!("{}{}", problem.code.id, place.unwrap_or_default().replace(&base, ""))
            })
            .collect()
    }
}

fn single(text: &str) -> Story {
    Story::new(&[("compose.yaml", text)])
}

fn web(text: &str) -> Service {
    let loaded = single(&format!("services:\n  web:\n    image: web\n{text}")).load();
    loaded.stack.services.values().next().expect("a service").clone()
}

/// Errors of keys of one service; lines count from its first key.
fn wrong(text: &str) -> Vec<String> {
    let told = single(&format!("services:\n  web:\n    image: web\n{text}")).told();
    told.into_iter()
        .map(|told| {
            let (code, line) = told.rsplit_once(':').expect("it has a line");
            let line: usize = line.parse().expect("a number");
            format!("{} {}", code.split(' ').next().unwrap_or_default(), line - 3)
        })
        .collect()
}

#[test]
fn the_file_is_found_with_its_override_and_from_below() {
    let story = Story::new(&[
        ("docker-compose.yml", "services: {web: {image: old}}"),
        ("docker-compose.override.yml", "services: {web: {cpus: 2}}"),
        ("below/deeper/x", ""),
    ]);
    let web = |loaded: &Loaded| loaded.stack.services.values().next().expect("a service").clone();
    assert_eq!(web(&story.load()).limits.cpu, Some(Millicores::cores(2)));
    let mut below = story;
    below.args.project_dir = Some(below.path("below/deeper"));
    assert_eq!(web(&below.load()).image.as_deref(), Some("old"));
    let newer = Story::new(&[
        ("docker-compose.yml", "services: {web: {image: old}}"),
        ("compose.yaml", "services: {web: {image: new}}"),
    ]);
    assert_eq!(web(&newer.load()).image.as_deref(), Some("new"));
}

#[test]
fn the_environment_names_files_profiles_and_project() {
    let story = Story::new(&[
        (".env", "COMPOSE_PROFILES=debug, test\nCOMPOSE_PROJECT_NAME=shop\n"),
        ("a.yaml", "services: {web: {image: $COMPOSE_PROJECT_NAME}}"),
        ("b.yaml", "services: {db: {image: db, profiles: [test]}, mail: {image: m, profiles: [none, other]}}"),
    ]);
    let list = format!("{};{}", story.path("a.yaml").display(), story.path("b.yaml").display());
    let loaded = story.set("COMPOSE_FILE", &list).set("COMPOSE_PATH_SEPARATOR", ";").load();
    assert_eq!(loaded.profiles_active, ["debug", "test"]);
    assert_eq!(loaded.stack.name.as_deref(), Some("shop"));
    let names: Vec<&str> = loaded.stack.services.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["db", "web"]);
    assert_eq!(loaded.stack.services.values().next_back().and_then(|web| web.image.clone()).as_deref(), Some("shop"));
    let disabled: Vec<_> = loaded.disabled.values().collect();
    assert_eq!(disabled, [&vec!["none".to_owned(), "other".to_owned()]]);
}

#[test]
fn variables_come_from_the_environment_then_from_the_last_env_file() {
    let mut story = Story::new(&[
        ("compose.yaml", "services: {web: {image: '$A-$B-$C-${D:-d}', labels: {e: '${E:+set}'}}}"),
        (".env", "A=no\n"),
        ("one.env", "A=1\nB=1\nC=1\nE=x\n"),
        ("two.env", "B=2\nC=${B}2\n"),
    ])
    .set("A", "0");
    story.args.env_files = vec![story.path("one.env"), story.path("two.env")];
    let loaded = story.load();
    let web = loaded.stack.services.values().next().expect("a service");
    assert_eq!(web.image.as_deref(), Some("0-2-22-d"));
    assert_eq!(web.labels["e"], "set");
    let origin =
        loaded.origins["services.web.image"].to_string().replace(&story.folder.path().display().to_string(), "");
    assert_eq!(
        origin,
        "/compose.yaml:1, variable A from the environment, variable B from /two.env:1, variable C from /two.env:2, \
         variable D not set, default of the file"
    );
}

#[test]
fn unset_variables_are_blank_and_told_once() {
    let loaded =
        single("services:\n  web:\n    image: web$TAG\n    hostname: \"${TAG}\"\n    user: '$$TAG 5$'\n").load();
    let warnings: Vec<String> = loaded.warnings.iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(warnings, ["variable `TAG` is not set and stands for nothing"]);
}

#[test]
fn required_variables_are_all_told() {
    let text =
        "services:\n  web:\n    image: ${A:?name the image}\n    hostname: ${B?}\n    user: ${C}x${D:?}\n    tty: ${\n";
    assert_eq!(
        single(text).told(),
        ["PL0105 compose.yaml:3", "PL0105 compose.yaml:4", "PL0105 compose.yaml:5", "PL0104 compose.yaml:6"]
    );
    assert!(single(text).refuse().render(100, false).contains("name the image"));
}

#[test]
fn limits_in_both_ways_of_writing() {
    let new = web(
        "    deploy:\n      resources:\n        limits: {cpus: '0.50', memory: 512mb, pids: 20}\n        reservations: {cpus: 0.25, \
         memory: 1.5G, devices: [{driver: nvidia, count: all, capabilities: [gpu]}]}\n",
    );
    assert_eq!((new.limits.cpu, new.limits.memory), (Some(Millicores::new(500)), Some(Bytes::mebi(512))));
    assert_eq!((new.reservations.cpu, new.reservations.memory), (Some(Millicores::new(250)), Some(Bytes::mebi(1536))));
    assert_eq!(
        (new.pids, new.devices[0].count, new.devices[0].driver.as_deref()),
        (Some(20), Some(-1), Some("nvidia"))
    );
    let old = web(
        "    cpus: 1.5\n    cpu_shares: 512\n    cpuset: 0-3\n    mem_limit: 1g\n    mem_reservation: 536870912\n    \
         memswap_limit: -1\n    pids_limit: -1\n    oom_score_adj: -500\n    oom_kill_disable: true\n    mem_swappiness: 0\n",
    );
    assert_eq!((old.limits.cpu, old.limits.memory), (Some(Millicores::new(1500)), Some(Bytes::gibi(1))));
    assert_eq!((old.reservations.memory, old.memory_and_swap), (Some(Bytes::mebi(512)), Some(-1)));
    assert_eq!((old.cpu_shares, old.pids, old.cpuset.as_deref()), (Some(512), Some(-1), Some("0-3")));
    assert_eq!((old.oom_score_adjust, old.oom_kill_disabled, old.swappiness), (Some(-500), true, Some(0)));
    assert_eq!(web("    cpu_quota: 50000\n").limits.cpu, Some(Millicores::new(500)));
    assert_eq!(web("    cpu_quota: 75000\n    cpu_period: '50000'\n").limits.cpu, Some(Millicores::new(1500)));
    assert_eq!(web("    cpu_quota: -1\n    cpus: 0\n    mem_limit: 0\n").limits.cpu, None);
}

#[test]
fn both_ways_of_writing_must_agree() {
    let deploy = "    deploy: {resources: {limits: {cpus: 1, memory: 1g}}}\n";
    assert_eq!(wrong(&format!("{deploy}    cpus: 2\n    mem_limit: 2g\n")), ["PL0115 2", "PL0115 3"]);
    assert_eq!(web(&format!("{deploy}    cpus: 1.0\n    mem_limit: 1024m\n")).limits.memory, Some(Bytes::gibi(1)));
    assert_eq!(wrong("    scale: 2\n    deploy: {replicas: 3}\n"), ["PL0115 1"]);
    assert_eq!(web("    scale: 2\n    deploy: {replicas: 2}\n").replicas, Some(2));
    assert_eq!(web("    deploy: {mode: global}\n").replicas, None);
}

#[test]
fn every_form_of_health_check() {
    let check = |text: &str| web(&format!("    healthcheck:\n{text}")).health;
    let test = |text: &str| check(text).expect("a check").test;
    assert_eq!(test("      test: curl localhost\n"), ["CMD-SHELL", "curl localhost"]);
    assert_eq!(test("      test: [CMD, curl, localhost]\n"), ["CMD", "curl", "localhost"]);
    assert_eq!(test("      test: [CMD-SHELL, 'curl || exit 1']\n"), ["CMD-SHELL", "curl || exit 1"]);
    for off in [
        "      test: [NONE]\n",
        "      disable: true\n",
        "      disable: 'yes'\n",
        "      test: x\n      disable: true\n",
    ] {
        assert!(check(off).expect("a check").disabled, "{off}");
    }
    let figures = check(
        "      interval: 1m30s\n      timeout: 500ms\n      retries: '5'\n      start_period: 1h\n      start_interval: 2s\n",
    )
    .expect("a check");
    assert!(figures.test.is_empty() && !figures.disabled);
    assert_eq!((figures.interval, figures.timeout), (Some(Span::from_secs(90)), Some(Span::from_millis(500))));
    assert_eq!((figures.retries, figures.start_interval), (Some(5), Some(Span::from_secs(2))));
    assert_eq!(figures.start_period, Some(Span::from_mins(60)));
    assert_eq!(wrong("    healthcheck: {test: [curl, x]}\n"), ["PL0103 1"]);
    assert_eq!(
        wrong("    healthcheck: {interval: 30, timeout: -5s, retries: many}\n"),
        ["PL0102 1", "PL0103 1", "PL0102 1"]
    );
}

#[test]
fn the_rest_that_a_host_feels() {
    let web = web(
        "    shm_size: 64m\n    ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 65535, memlock: -1}\n    tmpfs: \
         '/run:size=16m'\n    volumes: [{type: tmpfs, target: /cache, tmpfs: {size: 32m}}, './x:/x:ro', '/anon']\n    \
         blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 12mb}], device_write_iops: [{path: /dev/sda, \
         rate: 30}], weight_device: [{path: /dev/sda, weight: 400}]}\n    ports: ['127.0.0.1:8080-8081:80-81/tcp', 53, \
         {target: 90, published: '9090', protocol: udp}]\n    restart: on-failure:3\n    stop_grace_period: 1m\n    gpus: all\n",
    );
    assert_eq!(web.shm_size, Some(Bytes::mebi(64)));
    assert_eq!((web.ulimits["nofile"].soft, web.ulimits["nofile"].hard, web.ulimits["memlock"].soft), (1024, 2048, -1));
    let tmpfs: Vec<_> = web.tmpfs.iter().map(|tmpfs| (tmpfs.target.as_str(), tmpfs.size)).collect();
    assert_eq!(tmpfs, [("/run", Some(Bytes::mebi(16))), ("/cache", Some(Bytes::mebi(32)))]);
    let kinds: Vec<_> = web.mounts.iter().map(|mount| (mount.kind, mount.read_only)).collect();
    assert_eq!(kinds, [(MountKind::Tmpfs, false), (MountKind::Bind, true), (MountKind::Volume, false)]);
    let blkio = web.blkio.expect("it is given");
    assert_eq!(
        (blkio.weight, blkio.read_bytes["/dev/sda"], blkio.write_operations["/dev/sda"]),
        (Some(300), Bytes::mebi(12), 30)
    );
    let ports: Vec<_> = web.ports.iter().map(|port| (port.published, port.target)).collect();
    assert_eq!(ports, [(Some((8080, 8081)), (80, 81)), (None, (53, 53)), (Some((9090, 9090)), (90, 90))]);
    assert_eq!((web.restart, web.stop_grace_period), (Some(Restart::OnFailure(Some(3))), Some(Span::from_mins(1))));
    assert_eq!(web.devices[0].capabilities, ["gpu"]);
}
#[test]
fn how_instances_are_replaced() {
    let text =
        "    deploy: {update_config: {parallelism: 2, delay: 10s, order: start-first, max_failure_ratio: 0.25}}\n";
    let update = web(text).update.expect("it is given");
    assert_eq!((update.parallelism, update.delay, update.monitor), (Some(2), Some(Span::from_secs(10)), None));
    assert_eq!((update.order, update.on_failure), (Some(Order::StartFirst), None));
    assert_eq!(update.max_failure_ratio.map(|share| share.get()), Some(250));
}

#[test]
fn dependencies_in_both_forms_and_over_switched_off_services() {
    let text = "services:\n  web:\n    image: w\n    depends_on:\n      db: {condition: service_healthy, restart: true}\n      job: \
                {condition: service_completed_successfully}\n      mail: {condition: service_started, required: false}\n  job: \
                {image: j, depends_on: [db]}\n  db: {image: d}\n  mail: {image: m, profiles: [mail]}\n";
    let loaded = single(text).load();
    let web = loaded.stack.services.iter().find(|(name, _)| name.as_str() == "web").expect("it is there").1;
    let waits: Vec<_> = web.depends_on.iter().map(|(name, condition)| (name.as_str(), *condition)).collect();
    assert_eq!(waits, [("db", Condition::Healthy), ("job", Condition::Completed)]);
    assert_eq!(single(&text.replace(", required: false", "")).told(), ["PL0120 compose.yaml:7"]);
    assert_eq!(single(&text.replace("[db]", "[dbb]")).told(), ["PL0113 compose.yaml:8"]);
    assert_eq!(single(&text.replace("[db]", "[web]")).told(), ["PL0114 compose.yaml:6"]);
    assert_eq!(single(&text.replace("service_healthy", "service_health")).told(), ["PL0103 compose.yaml:5"]);
    assert!(single(&text.replace("[db]", "[dbb]")).refuse().render(100, false).contains("did you mean `db`?"));
}

#[test]
fn overrides_merge_by_the_rules_of_compose() {
    let story = Story::new(&[
        (
            "a.yaml",
            "services:\n  web:\n    image: a\n    command: [a, b]\n    environment: [A=1, B=1]\n    labels: {x: '1', y: '1'}\n    \
             ports: ['80:80', '81:81']\n    volumes: ['data:/data', './a:/a']\n    tmpfs: /run\n    expose: ['80']\n    dns: 1.1.1.1\n    \
             depends_on: [db]\n    healthcheck: {test: [CMD, a], retries: 3}\n    networks: [front]\n    cap_add: [NET_ADMIN]\n    \
             ulimits: {nofile: {soft: 1, hard: 2}}\n    secrets: [s]\n    deploy: {resources: {limits: {memory: 1g}}}\n  db: {image: db}\n\
             volumes: {data: {}, other: {}}\nnetworks: {front: {}, back: {}}\nsecrets: {s: {file: s}, t: {file: t}}\n",
        ),
        (
            "b.yaml",
            "services:\n  web:\n    command: [c]\n    environment: {B: 2, C: 3, A: }\n    labels: [y=2, z=2]\n    ports: ['80:80', \
             {target: 82, published: 82}]\n    volumes: ['other:/data/', './b:/b']\n    tmpfs: [/run, /tmp]\n    expose: [80, 81]\n    dns: \
             [8.8.8.8, 1.1.1.1]\n    depends_on: {db: {condition: service_healthy}}\n    healthcheck: {test: [CMD, b], interval: 5s}\n    \
             networks: {back: {aliases: [w]}}\n    cap_add: [NET_ADMIN, SYS_TIME]\n    ulimits: {nofile: 9}\n    secrets: [{source: t, \
             target: /run/secrets/s}]\n    deploy: {resources: {limits: {cpus: '1'}}}\n",
        ),
    ])
    .files(&["a.yaml", "b.yaml"]);
    let loaded = story.load();
    let tree = loaded.tree.at_pointer("/services/web").expect("it is there").to_json();
    assert_eq!(tree["command"], serde_json::json!(["c"]));
    assert_eq!(tree["environment"], serde_json::json!({"A": null, "B": 2, "C": 3}));
    assert_eq!(tree["labels"], serde_json::json!({"x": "1", "y": "2", "z": "2"}));
    assert_eq!(tree["tmpfs"], serde_json::json!(["/run", "/tmp"]));
    assert_eq!(tree["expose"], serde_json::json!([80, 81]));
    assert_eq!(tree["dns"], serde_json::json!(["1.1.1.1", "8.8.8.8"]));
    assert_eq!(tree["cap_add"], serde_json::json!(["NET_ADMIN", "SYS_TIME"]));
    assert_eq!(tree["healthcheck"], serde_json::json!({"test": ["CMD", "b"], "retries": 3, "interval": "5s"}));
    let web = loaded.stack.services.values().next_back().expect("a service");
    assert_eq!(web.ports.len(), 3);
    let sources: Vec<_> = web.mounts.iter().filter_map(|mount| mount.source.as_deref()).collect();
    assert_eq!(sources, ["other", "./a", "./b"]);
    assert_eq!(web.networks, ["front", "back"]);
    assert_eq!((web.secrets.as_slice(), web.ulimits["nofile"].soft), (&["t".to_owned()][..], 9));
    assert_eq!(web.depends_on.values().next(), Some(&Condition::Healthy));
    assert_eq!((web.limits.cpu, web.limits.memory), (Some(Millicores::cores(1)), Some(Bytes::gibi(1))));
}

#[test]
fn reset_takes_away_and_override_replaces() {
    let base = "services:\n  web: {image: a, ports: ['80:80'], labels: {a: '1', b: '2'}, command: x, volumes: ['/a'], mem_limit: 1g}\n  \
                db: {image: db}\nvolumes: {v: {}}\n";
    let over = "services:\n  web:\n    ports: !override ['90:90']\n    labels: {a: !reset }\n    command: !reset null\n    volumes: !reset \
                []\n    mem_limit: !reset 0\n  db: !reset {}\nvolumes: !reset {}\n";
    let loaded = Story::new(&[("a.yaml", base), ("b.yaml", over)]).files(&["a.yaml", "b.yaml"]).load();
    assert_eq!(loaded.stack.services.len(), 1);
    assert!(loaded.stack.volumes.is_empty());
    let web = loaded.stack.services.values().next().expect("a service");
    assert_eq!(web.ports.iter().map(|port| port.target.0).collect::<Vec<_>>(), [90]);
    assert_eq!(web.labels.keys().collect::<Vec<_>>(), ["b"]);
    assert!(web.mounts.is_empty() && web.limits.memory.is_none());
    assert!(loaded.tree.at_pointer("/services/web/command").is_none());
}

#[test]
fn other_kinds_cannot_be_merged() {
    let story = Story::new(&[
        ("a.yaml", "services:\n  web:\n    image: a\n    deploy: {replicas: 1}\n    ports: ['1:1']\n"),
        ("b.yaml", "services:\n  web:\n    deploy: [1]\n    ports: {a: 1}\n"),
    ])
    .files(&["a.yaml", "b.yaml"]);
    assert_eq!(story.told(), ["PL0116 b.yaml:3", "PL0116 b.yaml:4"]);
}

#[test]
fn services_extend_others_here_and_elsewhere() {
    let story = Story::new(&[
        (
            "compose.yaml",
            "services:\n  web:\n    extends: {file: base/base.yaml, service: app}\n    environment: {B: two}\n    ports: !override ['2:2']\n  \
             worker: {extends: web, image: worker}\n  last: {extends: {service: worker}, mem_limit: !reset }\n",
        ),
        (
            "base/base.yaml",
            "services:\n  app:\n    extends: root\n    mem_limit: 1g\n    env_file: [app.env]\n    ports: ['1:1']\n  root: {image: '${IMAGE:-base}', \
             environment: [A=one, B=one], extends: {file: ../deep/d.yaml, service: deep}}\n",
        ),
        ("base/app.env", "X=1\n"),
        ("deep/d.yaml", "services: {deep: {cpus: 2, labels: {from: deep}}}"),
    ]);
    let loaded = story.load();
    let service = |name: &str| loaded.stack.services.iter().find(|(known, _)| known.as_str() == name).expect(name).1;
    assert_eq!(service("web").image.as_deref(), Some("base"));
    assert_eq!(
        (service("web").limits.cpu, service("web").limits.memory),
        (Some(Millicores::cores(2)), Some(Bytes::gibi(1)))
    );
    assert_eq!(service("web").ports.len(), 1);
    assert_eq!(
        (service("worker").image.as_deref(), service("worker").labels["from"].as_str()),
        (Some("worker"), "deep")
    );
    assert_eq!((service("last").limits.memory, service("last").limits.cpu), (None, Some(Millicores::cores(2))));
    let environment = loaded.tree.at_pointer("/services/last/environment").expect("it is inherited").to_json();
    assert_eq!(environment, serde_json::json!({"A": "one", "B": "two"}));
}

#[test]
fn labels_of_ours_say_what_a_service_is() {
    let compose = "services:\n  web:\n    image: nginx\n    labels:\n      - plimsoll.tier=2\n      - plimsoll.metrics.port= 9113\n      - \
                   traefik.enable=true\n";
    let hints = single(compose).load().stack.services[&plimsoll::model::ServiceName::new("web")].hints.clone();
    assert_eq!((hints.tier, hints.metrics_port, hints.role), (Some(2), Some(9113), None));
    let wrong = "services:\n  web:\n    image: nginx\n    labels:\n      plimsoll.tier: critical\n      plimsoll.importance: 101\n      \
                 plimsoll.stateful: \"1\"\n      plimsoll.metrics.port: 0\n      plimsoll.metrics.path: metrics\n";
    assert_eq!(single(wrong).told(), (5..=9).map(|line| format!("PL0103 compose.yaml:{line}")).collect::<Vec<_>>());
    let unknown = single("services: {web: {image: nginx, labels: {plimsoll.teir: 1}}}").load().warnings.to_string();
    assert!(unknown.contains("did you mean `plimsoll.tier`?"), "{unknown}");
}

/// A project just cloned has no `.env`, and shows what it should hold: the way out is to copy that.
#[test]
fn a_cloned_project_shows_what_its_env_file_should_hold() {
    let compose = "services:\n  web:\n    image: nginx:${TAG}\n    hostname: ${HOST}\n    env_file: .env\n";
    for shown in [".env.example", "env.example", "example.env", ".env.sample", ".env.dist"] {
        let story = Story::new(&[("compose.yaml", compose), (shown, "TAG=1\nHOST=web\n")]);
        let problems = story.refuse().to_string();
        assert!(problems.contains("2 variables are not set, and there is no `.env`"), "{problems}");
        assert_eq!(problems.matches(&format!("/{shown}")).count(), 2, "{problems}");
        std::fs::copy(story.path(shown), story.path(".env")).expect("it is copied");
        assert!(story.load().warnings.is_empty());
    }
    let other =
        Story::new(&[("compose.yaml", "services: {web: {image: a, env_file: web.env}}"), ("web.env.sample", "A=1")]);
    assert!(other.refuse().to_string().contains("web.env.sample"), "{}", other.refuse());
}

#[test]
fn extends_that_lead_nowhere_or_round() {
    let round =
        "services:\n  a: {image: a, extends: b}\n  b: {image: b, extends: {service: c}}\n  c: {image: c, extends: a}\n";
    let told = single(round).told();
    assert!(told.iter().all(|told| told.starts_with("PL0110")) && !told.is_empty(), "{told:?}");
    let itself = Story::new(&[
        ("compose.yaml", "services: {a: {image: a, extends: {file: other.yaml, service: a}}}"),
        ("other.yaml", "services: {a: {image: a, extends: {file: compose.yaml, service: a}}}"),
    ]);
    assert!(itself.told()[0].starts_with("PL0110"), "{:?}", itself.told());
    let nowhere = "services:\n  web: {image: a, extends: wbe}\n  b: {image: b, extends: {file: none.yaml, service: x}}\n  c: {image: c, \
                   extends: {file: 'https://example.com/c.yaml', service: x}}\n  d: {image: d, extends: {}}\n  e: {image: e, extends: [a]}\n";
    let codes: Vec<String> = single(nowhere).told();
    assert_eq!(codes[0], "PL0109 compose.yaml:2");
    assert_eq!(codes[1], "PL0108 compose.yaml:3");
    assert_eq!(codes[2], "PL0122 compose.yaml:4");
    assert_eq!(codes[3], "PL0121 compose.yaml:5");
}

#[test]
fn projects_include_others() {
    let story = Story::new(&[
        (
            "compose.yaml",
            "include:\n  - db/compose.yaml\n  - path: [mail/compose.yaml, mail/more.yaml]\n    project_directory: .\n    env_file: \
             mail/vars.env\nservices:\n  web: {image: '$NAME', depends_on: [db, mail]}\n",
        ),
        (".env", "NAME=outer\n"),
        (
            "db/compose.yaml",
            "include: [../net/net.yaml]\nservices: {db: {image: '$NAME-$OWN', env_file: db.env, networks: [n]}}\n",
        ),
        ("db/.env", "NAME=inner\nOWN=db\n"),
        ("db/db.env", ""),
        ("net/net.yaml", "networks: {n: {}}\n"),
        ("mail/compose.yaml", "services: {mail: {image: '$MAIL', env_file: root.env}}\n"),
        ("mail/more.yaml", "services: {mail: {cpus: 1}}\n"),
        ("mail/vars.env", "MAIL=postfix\n"),
        ("root.env", ""),
    ]);
    let loaded = story.load();
    let service = |name: &str| loaded.stack.services.iter().find(|(known, _)| known.as_str() == name).expect(name).1;
    assert_eq!(service("web").image.as_deref(), Some("outer"));
    assert_eq!(service("db").image.as_deref(), Some("outer-db"));
    assert_eq!(
        (service("mail").image.as_deref(), service("mail").limits.cpu),
        (Some("postfix"), Some(Millicores::cores(1)))
    );
    assert_eq!(loaded.stack.networks, ["n"]);
    assert_eq!(loaded.files_read.len(), 8);
}

#[test]
fn includes_that_conflict_or_go_round() {
    let same = "services: {db: {image: db}}";
    let story = |db: &str| {
        Story::new(&[
            ("compose.yaml", "include: [a.yaml, b.yaml]\nservices: {web: {image: w}}\n"),
            ("a.yaml", same),
            ("b.yaml", db),
        ])
    };
    assert_eq!(story(same).load().stack.services.len(), 2);
    assert_eq!(story("services: {db: {image: other}}").told(), ["PL0112 a.yaml:1"]);
    let round = Story::new(&[
        ("compose.yaml", "include: [a.yaml]\nservices: {web: {image: w}}\n"),
        ("a.yaml", "include:\n  - b.yaml\n"),
        ("b.yaml", "include:\n  - compose.yaml\n"),
    ]);
    assert_eq!(round.told(), ["PL0111 b.yaml:2"]);
    let wide = Story::new(&[("compose.yaml", "include: [a0.yaml]\nservices: {web: {image: w}}\n")]);
    for level in 0..31 {
        let next = level + 1;
        let text = format!("include: [a{next}.yaml, a{next}.yaml]\n");
        std::fs::write(wide.path(&format!("a{level}.yaml")), text).expect("a file");
    }
    std::fs::write(wide.path("a31.yaml"), "volumes: {v: {}}\n").expect("a file");
    assert!(wide.told().iter().all(|told| told.starts_with("PL0118")));
    assert_eq!(
        single("include: [none.yaml, 5, {project_directory: x}]\nservices: {web: {image: w}}\n").told(),
        ["PL0108 compose.yaml:1", "PL0102 compose.yaml:1", "PL0121 compose.yaml:1"]
    );
}

#[test]
fn env_files_of_services_must_be_there() {
    assert_eq!(
        wrong("    env_file: [a.env, {path: b.env, required: false}, {path: c.env}]\n"),
        ["PL0108 1", "PL0108 1"]
    );
    assert_eq!(wrong("    env_file:\n      - {required: false}\n"), ["PL0121 2"]);
}

#[test]
fn all_mistakes_are_told_at_once_with_places() {
    let text = "services:\n  web:\n    image: 5\n    deploy: {replicas: -1, resources: {limits: {cpus: lots, memory: -5m}}}\n    mem_limit: \
                99999999t\n    ports: [http]\n    volumes: ['data:/data', {type: bind}]\n    networks: [nett]\n    secrets: [key]\n    restart: \
                sometimes\n    environment: {A: [1]}\n    shm_size: 12 parsecs\n    profiles: yes\n  db:\n  empty: {}\nnetworks: {net: {}}\n";
    let story = Story::new(&[
        ("compose.yaml", text),
        ("broken.yaml", "services: [\n"),
        ("b.yaml", "services: {x: {cpus: NaN}}\n"),
    ]);
    let told = story.files(&["compose.yaml", "broken.yaml", "b.yaml"]).told();
    let has = |wanted: &str| assert!(told.iter().any(|told| told == wanted), "{wanted} is missing in {told:#?}");
    for line in 3..=13 {
        let line = format!("compose.yaml:{line}");
        assert!(told.iter().any(|told| told.ends_with(&line)), "{line} is missing in {told:#?}");
    }
    has("PL0102 compose.yaml:14");
    has("PL0117 compose.yaml:15");
    has("PL0117 b.yaml:1");
    has("PL0103 b.yaml:1");
    assert!(told.iter().any(|told| told.starts_with("PL0010 broken.yaml")), "{told:#?}");
    assert_eq!(told.iter().filter(|told| told.ends_with("compose.yaml:4")).count(), 3, "{told:#?}");
}

#[test]
fn unknown_and_unused_keys_are_kept_and_named() {
    let loaded = single(
        "version: '3.8'\nx-top: 1\nservices:\n  web:\n    image: w\n    helthcheck: {test: x}\n    hostname: h\n    x-mine: {a: 1}\n    deploy: \
         {resources: {limits: {memry: 1g}}}\nvolume: {}\n",
    )
    .load();
    let ignored: Vec<_> = loaded.ignored.iter().map(|one| (one.path.as_str(), one.why, one.nearest)).collect();
    assert_eq!(
        ignored,
        [
            ("services.web.deploy.resources.limits.memry", Why::Unknown, Some("memory")),
            ("services.web.helthcheck", Why::Unknown, Some("healthcheck")),
            ("services.web.hostname", Why::NoEffect, None),
            ("services.web.x-mine", Why::Extension, None),
            ("version", Why::NoEffect, None),
            ("volume", Why::Unknown, Some("volumes")),
            ("x-top", Why::Extension, None),
        ]
    );
    assert_eq!(loaded.ignored[1].place.line(), 6);
    let codes: Vec<&str> = loaded.warnings.iter().map(|problem| problem.code.id).collect();
    assert_eq!(codes, ["PL0119", "PL0124", "PL0124", "PL0124"]);
}

#[test]
fn nothing_to_load_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = ComposeArgs { files: vec![folder.path().join("none.yaml")], ..ComposeArgs::default() };
    assert_eq!(load(&args).expect_err("no file").to_json()[0]["code"], "PL0001");
    for (text, code) in
        [("", "PL0121"), ("# nothing\n", "PL0121"), ("[]", "PL0102"), ("text", "PL0102"), ("services: {}", "PL0121")]
    {
        assert!(single(text).told().iter().any(|told| told.starts_with(code)), "{text:?}");
    }
}

#[test]
fn anchors_merge_keys_and_several_documents() {
    let loaded = single(
        "x-base: &base {image: b, deploy: &deploy {resources: {limits: &limits {memory: 1g}}}}\nservices:\n  web:\n    <<: *base\n    deploy:\n      \
         <<: *deploy\n      resources: {limits: {<<: *limits, cpus: '2'}}\n---\nservices: {web: {image: second}}\n",
    )
    .load();
    let web = loaded.stack.services.values().next().expect("a service");
    assert_eq!(web.image.as_deref(), Some("second"));
    assert_eq!((web.limits.cpu, web.limits.memory), (Some(Millicores::cores(2)), Some(Bytes::gibi(1))));
}

#[test]
fn a_key_without_a_value_is_refused_as_by_compose() {
    for key in ["environment", "ports", "volumes", "depends_on", "image", "mem_limit"] {
        let story = single(&format!("services:\n  web:\n    build: .\n    {key}:\n"));
        assert_eq!(story.told(), ["PL0102 compose.yaml:4"], "{key}");
        assert!(story.refuse().render(100, false).contains("or remove the key"), "{key}");
    }
    assert!(web("    command:\n    healthcheck:\n    deploy:\n").health.is_none());
}
