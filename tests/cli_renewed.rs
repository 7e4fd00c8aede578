//! Override files as people live with them: renewed when the base has changed, and with lines of their own.

mod program;

use program::plimsoll;
use program::run;

/// A folder of a project with an override file of ours, as its user has it: the base is written, then the plan renewed.
struct Renewed(tempfile::TempDir);

impl Renewed {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("can be written");
    }

    fn read(&self) -> String {
        std::fs::read_to_string(self.0.path().join("docker-compose.override.yml")).expect("is there")
    }

    /// What is told when the plan is written for this base.
    fn told(&self, base: &str, more: &[&str]) -> String {
        self.put("compose.yml", base);
        let mut command = plimsoll();
        command.current_dir(self.0.path()).args(["budget", "--host", "kvm-4", "--write"]).args(more);
        let (code, _, err) = run(&mut command);
        assert_eq!(code, 0, "{base}\n{err}");
        err
    }

    /// The plan for this base over the one before it.
    fn plan(&self, base: &str, more: &[&str]) -> String {
        self.told(base, more);
        self.read()
    }
}

/// What an override file of ours says of a service that is gone, or of a limit that moved, does not keep it from being
/// renewed.
#[test]
fn a_plan_is_renewed_whatever_became_of_its_base() {
    let project = Renewed::new();
    let web = "  web: { image: 'nginx:1', mem_limit: 40g }\n";
    let db = "services:\n  db: { image: 'postgres:16', mem_limit: 40g }\n";
    assert!(project.plan(&format!("{db}{web}"), &[]).contains("  web:\n"));
    let without_web = project.plan(db, &[]);
    assert!(without_web.contains("  db:\n") && !without_web.contains("web"), "{without_web}");
    let limits = "deploy: { resources: { limits: { memory: 40g } } }";
    let moved = project.plan(&db.replace("mem_limit: 40g", limits), &[]);
    assert!(moved.contains("        limits:\n") && !moved.contains("mem_limit"), "{moved}");
}

/// What an earlier plan wrote beside limits goes with its reason: another image, a lower limit, a check of the user's own.
#[test]
fn a_renewed_plan_takes_back_what_it_wrote_beside_limits() {
    let project = Renewed::new();
    let base = "services:\n  cache: { image: 'redis:7', mem_limit: 1g }\n  app: { image: 'node:22', mem_limit: 1g }\n";
    let first = project.plan(base, &["--with", "settings,health,io"]);
    for written in ["redis-server", "redis-cli", "UV_THREADPOOL_SIZE", "blkio_config", "nofile"] {
        assert!(first.contains(written), "{written}\n{first}");
    }
    project.put(
        "docker-compose.override.yml",
        &first
            .replace("    environment:\n", "    environment:\n      TZ: UTC   # of the office\n")
            .replace("    blkio_config:\n", "    labels: { team: shop }\n    blkio_config:\n"),
    );
    let other = base.replace("redis:7", "memcached:1").replace("node:22", "busybox:1");
    let renewed = project.plan(&other, &[]);
    for gone in ["redis", "UV_THREADPOOL_SIZE", "NODE_OPTIONS", "nofile"] {
        assert!(!renewed.contains(gone), "{gone}\n{renewed}");
    }
    for kept in ["    environment:\n      TZ: UTC   # of the office\n", "    labels: { team: shop }\n", "weight: "] {
        assert!(renewed.contains(kept), "{kept}\n{renewed}");
    }

    let own = "healthcheck: { test: [CMD, /own], interval: 30s, timeout: 5s, retries: 5, start_period: 1m }";
    let project = Renewed::new();
    let base = "services:\n  db: { image: 'postgres:16', mem_limit: 2560m }\n";
    assert!(project.plan(base, &["--with", "health"]).contains("pg_isready"));
    let renewed = project.plan(&base.replace("2560m", &format!("2560m, {own}")), &[]);
    assert!(!renewed.contains("healthcheck") && renewed.contains("it holds: health"), "{renewed}");
}

/// In a file of ours that does not hold settings, a command is somebody's own, and so is any number of instances but none.
#[test]
fn a_renewed_plan_leaves_what_it_never_wrote() {
    let project = Renewed::new();
    let base = "services:\n  app: { image: 'busybox:1', mem_limit: 1g }\n";
    let own = "    command: sleep 9\n    environment: { NODE_OPTIONS: --inspect }\n    ulimits: { nofile: 9 }\n    \
        deploy:\n      replicas: 3\n";
    let mark = "# Written by `plimsoll budget`: by hand.\n";
    project.put("docker-compose.override.yml", &format!("{mark}services:\n  app:\n    cpu_quota: 9\n{own}"));
    let renewed = project.plan(base, &[]);
    for line in own.lines() {
        assert!(renewed.lines().any(|other| other == line), "{line}\n{renewed}");
    }
    assert!(!renewed.contains("cpu_quota"), "{renewed}");
}

/// A list of variables by hand is kept when ours join them.
#[test]
fn variables_by_hand_are_kept_in_either_form() {
    let project = Renewed::new();
    let base = "services:\n  app: { image: 'node:22', mem_limit: 1g }\n  n8n: { image: n8nio/n8n, mem_limit: 1g }\n";
    let mark = "# Written by `plimsoll budget`: by hand.\n";
    let own = "    environment:\n      - MODE=fast=er\n      - TOKEN\n";
    let flow = "  n8n: { environment: [MODE=slow] }\n";
    project.put("docker-compose.override.yml", &format!("{mark}services:\n  app:\n{own}{flow}"));
    let renewed = project.plan(base, &["--with", "settings"]);
    for wanted in
        ["\"MODE\":\"fast=er\"", "\"TOKEN\":null", "\"NODE_OPTIONS\":", "\"MODE\":\"slow\"", "\"N8N_METRICS\":"]
    {
        assert!(renewed.contains(wanted), "{wanted}\n{renewed}");
    }
}

#[test]
fn lines_by_hand_that_change_the_plan_are_named() {
    let project = Renewed::new();
    let ours = "# Written by `plimsoll budget`: by hand.\nservices:\n  web: { profiles: [night] }\n";
    project.put("docker-compose.override.yml", ours);
    project.put("compose.yml", "services: { web: { image: 'nginx:1', mem_limit: 1g } }\n");
    let mut command = plimsoll();
    let (code, _, err) = run(command.current_dir(project.0.path()).args(["budget", "--host", "kvm-4", "--write"]));
    let told =
        "error[PL0708]: lines of your own in `docker-compose.override.yml` change what is planned: web does not run";
    assert!(code == 64 && err.contains(told), "{err}");
    assert_eq!(project.read(), ours);
}

/// Who follows what he is told next starts the project that was read, whatever its files are called.
#[test]
fn what_to_do_next_names_the_same_project() {
    let project = Renewed::new();
    let base = "services:\n  app: { image: 'busybox:1', mem_limit: 1g, profiles: [night] }\n";
    project.put("my shop.env", "");
    let options = ["-p", "shop", "--profile", "night", "--env-file", "my shop.env", "--project-directory", "."];
    let typed = "--profile night --env-file 'my shop.env' -p shop --project-directory .";
    let told = project.told(base, &options);
    assert!(told.contains(&format!("next: `docker compose {typed} up -d` reads it beside")), "{told}");
    let told = project.told(base, &[&["my plan.yml"], options.as_slice()].concat());
    assert!(told.contains(&format!("next: docker compose -f compose.yml -f 'my plan.yml' {typed} up -d\n")), "{told}");
    let mut command = plimsoll();
    let (code, _, err) = run(command.current_dir(project.0.path()).args(["bundle", "-o", "on watch"]).args(options));
    let fragment = "-f 'on watch/compose.monitoring.yml' up -d\n";
    assert!(code == 0 && err.contains(&format!("{typed} {fragment}")), "{err}");
    let fragment = std::fs::read_to_string(project.0.path().join("on watch/compose.monitoring.yml")).expect("is there");
    assert!(fragment.contains("-f 'on watch'/compose.monitoring.yml up -d\n"), "{fragment}");
}
