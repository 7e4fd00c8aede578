//! Blue-green deployments for real: under load before each of the proxies, and when things go wrong.

use crate::program::Ran;
use crate::program::plimsoll;
use crate::support::engine;
use crate::support::image;
use crate::support::image::APP_HEALTH;
use crate::support::load::Outcome;
use crate::support::load::Paced;
use crate::support::load::wait_served;
use crate::support::project::Inspected;
use crate::support::project::Project;
use crate::support::proxy;
use crate::support::proxy::Kind;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const MIB: i64 = 1 << 20;

/// A Compose file with a service `app` of so many instances, limited to half a core and 64 MiB.
pub(crate) fn compose(replicas: usize, environment: &str, more: &str) -> String {
    format!(
        "version: \"2.4\"\nservices:\n  app:\n    image: \"{}\"\n    {APP_HEALTH}\n    cpus: 0.5\n    mem_limit: 64m\n    \
         scale: {replicas}\n    restart: unless-stopped\n    environment: {{{environment}}}\n{more}",
        image::app()
    )
}

/// All that carries the name of the project, by name.
fn all(project: &Project) -> Vec<String> {
    let filter = format!("--filter=label=com.docker.compose.project={}", project.name());
    let mut names: Vec<String> =
        engine::docker_says(&["ps", "-a", "--format={{.Names}}", &filter]).lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// Nothing of a deployment is left behind: no lock, no container beside those of the project.
pub(crate) fn assert_tidy(project: &Project, instances: usize) -> Vec<Inspected> {
    let locks = engine::docker_says(&["ps", "-a", "--format={{.Names}}", "--filter=label=plimsoll.lock"]);
    assert!(!locks.contains(project.name()), "a lock is left: {locks}");
    let containers = project.containers("app");
    assert_eq!(containers.len(), instances, "{:?}", all(project));
    assert!(containers.iter().all(Inspected::is_healthy), "{:?}", all(project));
    let recover = plimsoll(project, "recover");
    assert_eq!(recover.code, Some(0), "{recover:?}");
    assert!(recover.err.contains("nothing of"), "{recover:?}");
    containers
}

/// One such deployment at a time: it is measured.
static ALONE: Mutex<()> = Mutex::new(());

/// A deployment while requests come in by two hundred a second over kept connections, and as many over new ones.
fn under_load(kind: Kind, name: &str) -> (Ran, [Outcome; 2]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let proxy = kind.before("app");
    let yaml = compose(2, "", &proxy.service("proxy"));
    let project = Project::up_with(name, &yaml, &[proxy.file("proxy")]);
    project.wait_healthy("app", 2, PATIENCE);
    let to: SocketAddr = (project.ip("proxy"), proxy::PORT).into();
    wait_served(to, 2, PATIENCE);
    let before = project.containers("app");
    let loads = [8, 0].map(|kept| Paced::start(to, 200, kept));
    engine::pause(Duration::from_secs(2));
    let ran = plimsoll(&project, "deploy app --memory 96M --cpus 0.8 --drain 30s");
    engine::pause(Duration::from_secs(2));
    let outcomes = loads.map(crate::support::load::Running::stop);
    println!("{name}: {}\n{}\n  8 kept: {}\n  none kept: {}", ran.err, ran.out, outcomes[0], outcomes[1]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let after = assert_tidy(&project, 2);
    assert!(after.iter().all(|new| before.iter().all(|old| old.id != new.id)), "all are new");
    for new in &after {
        assert_eq!((new.limits.memory, new.limits.nano_cpus), (96 * MIB, 800_000_000));
    }
    let again = project.compose(&["up", "-d"]);
    let said = engine::text(&again.stderr);
    assert!(again.status.success() && !said.contains("ecreat"), "Compose takes them for its own: {said}");
    (ran, outcomes)
}

/// The figures asked for: at least 3,000 requests, and so many lost at most.
fn assert_lost(outcomes: &[Outcome; 2], most: usize) {
    for outcome in outcomes {
        assert!(outcome.sent >= 3000, "{outcome}");
        assert!(outcome.lost() <= most, "{outcome}");
    }
}

macro_rules! under_load {
    ($($name:ident: $kind:ident, at most $most:expr;)*) => { $(
        #[test]
        fn $name() {
            if engine::or_skip() {
                assert_lost(&under_load(Kind::$kind, &stringify!($kind).to_lowercase()).1, $most);
            }
        }
    )* };
}

under_load! {
    nobody_notices_behind_haproxy_with_checks: HaproxyChecked, at most 0;
    nobody_notices_behind_caddy_with_retries: CaddyRetrying, at most 0;
    nobody_notices_behind_nginx_with_retries: NginxRetrying, at most 5;
    hardly_anybody_notices_behind_bare_haproxy: HaproxyPlain, at most 5;
    hardly_anybody_notices_behind_bare_nginx: NginxPlain, at most 5;
    hardly_anybody_notices_behind_bare_caddy: CaddyPlain, at most 5;
}

/// A project of two instances, which are well.
fn project(name: &str, environment: &str) -> Project {
    let project = Project::up(name, &compose(2, environment, ""));
    project.wait_healthy("app", 2, PATIENCE);
    project
}

/// The same containers as before, with the limits of before.
fn assert_as_before(project: &Project, before: &[Inspected]) {
    let after = assert_tidy(project, before.len());
    let ids = |containers: &[Inspected]| containers.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(before));
    for container in &after {
        assert_eq!((container.limits.memory, container.limits.nano_cpus), (64 * MIB, 500_000_000));
        assert!(
            container.networks.values().any(|network| network.aliases.iter().any(|name| name == "app")),
            "{container:?}"
        );
    }
}

const FAST: &str = "--interval 500ms --monitor 1s --drain 6s";

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    if !engine::or_skip() {
        return;
    }
    let project = project("dry", "");
    let before = project.containers("app");
    let ran = plimsoll(&project, "deploy app --memory 96M --dry-run");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.contains("memory limit  64M -> 96M") && ran.out.contains("would replace 2 instances"),
        "{}",
        ran.out
    );
    assert_as_before(&project, &before);
    let wrong = plimsoll(&project, "deploy ap --memory 96M");
    assert_eq!(wrong.code, Some(64), "{wrong:?}");
    assert!(wrong.err.contains("did you mean `app`?"), "{}", wrong.err);
}

#[test]
fn a_deployment_can_be_taken_back() {
    if !engine::or_skip() {
        return;
    }
    let project = project("back", "");
    let nothing = plimsoll(&project, "rollback app");
    assert_eq!(nothing.code, Some(64), "{nothing:?}");
    let ran = plimsoll(&project, &format!("deploy app --memory 96M {FAST}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let status = plimsoll(&project, "status --json");
    let status: serde_json::Value = serde_json::from_str(&status.out).expect("JSON");
    assert_eq!(status["services"]["app"]["memory_limit_bytes"], 96 * MIB);
    assert_eq!(status["services"]["app"]["well"], 2);
    let back = plimsoll(&project, "rollback app");
    assert_eq!(back.code, Some(0), "{back:?}");
    for container in assert_tidy(&project, 2) {
        assert_eq!(container.limits.memory, 64 * MIB);
        assert!(container.json["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", "{container:?}");
    }
}

#[test]
fn new_instances_that_die_for_want_of_memory_are_taken_back() {
    if !engine::or_skip() {
        return;
    }
    let yaml = compose(2, "EAT_MB: 80", "").replace("mem_limit: 64m", "mem_limit: 128m\n    memswap_limit: 128m");
    let project = Project::up("oom", &yaml);
    project.wait_healthy("app", 2, PATIENCE);
    let before = project.containers("app");
    let ran = plimsoll(&project, &format!("deploy app --memory 64M {FAST}"));
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.err.contains("a new instance died before it was healthy"), "{}", ran.err);
    assert!(ran.err.contains("it had too little memory"), "{}", ran.err);
    let after = assert_tidy(&project, 2);
    assert!(after.iter().zip(&before).all(|(after, before)| after.id == before.id && after.started == before.started));
}

#[test]
fn new_instances_that_do_not_get_healthy_are_taken_back() {
    if !engine::or_skip() {
        return;
    }
    let project = project("ill", "UNHEALTHY_AT_MB: 96");
    let before = project.containers("app");
    let to = (project.ip("app"), 8080).into();
    let load = Paced::start(to, 50, 4);
    let ran = plimsoll(&project, &format!("deploy app --memory 96M {FAST} --health-timeout 5s"));
    let outcome = load.stop();
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.err.contains("not healthy after 5s") && ran.err.contains("rolled back"), "{}", ran.err);
    assert!(ran.err.contains("health check: /health answered `HTTP/1.1 500"), "{}", ran.err);
    assert_eq!(outcome.lost(), 0, "{outcome}");
    assert_as_before(&project, &before);
}

#[test]
fn whatever_must_not_run_twice_is_refused() {
    if !engine::or_skip() {
        return;
    }
    let cases = [
        ("port", "    ports: [\"127.0.0.1:0:8080\", \"127.0.0.1:18123:8080\"]\n", "18123"),
        ("name", "    container_name: plt-refused-by-name\n", "container_name"),
        ("label", "    labels: { plimsoll.stateful: \"true\" }\n", "holds data"),
        ("volume", "    volumes: [\"/data\"]\n", "holds data"),
        ("host", "    network_mode: host\n    environment: { PORT: \"18124\" }\n", "its network is `host`"),
    ];
    for (name, more, wanted) in cases {
        let project = Project::up(name, &compose(1, "", "").replace("    environment: {}\n", more));
        project.wait_healthy("app", 1, PATIENCE);
        let before = project.containers("app");
        let ran = plimsoll(&project, "deploy app --memory 96M");
        assert_eq!(ran.code, Some(6), "{name}: {ran:?}");
        assert!(ran.err.contains(wanted), "{name}: {}", ran.err);
        assert_eq!(project.containers("app")[0].id, before[0].id, "{name}");
    }
    let unchecked = compose(1, "", "").replace(APP_HEALTH, "expose: [\"8080\"]");
    let project = Project::up("unchecked", &unchecked);
    let ran = plimsoll(&project, "deploy app --memory 96M");
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.contains("no health check"), "{}", ran.err);
}
