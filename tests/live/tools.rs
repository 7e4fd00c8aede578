//! The tools of these tests are what they say: the app, the images, the projects, the proxies and the load, each for
//! real.

use crate::support::engine;
use crate::support::engine::pause;
use crate::support::image;
use crate::support::image::APP_HEALTH;
use crate::support::load;
use crate::support::load::Paced;
use crate::support::project::Project;
use crate::support::proxy;
use crate::support::proxy::Kind;
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A Compose file with a service `app`, and whatever comes after it.
fn compose(options: &str, more: &str) -> String {
    format!("services:\n  app:\n    image: \"{}\"\n    {APP_HEALTH}\n{options}{more}", image::app())
}

fn address(project: &Project, service: &str, port: u16) -> SocketAddr {
    (project.ip(service), port).into()
}

#[test]
fn the_app_gets_healthy_serves_and_crashes_when_asked() {
    if !engine::or_skip() {
        return;
    }
    let project = Project::up("app", &compose("    environment: {VERSION: seven, START_DELAY_MS: 1500}\n", ""));
    assert_ne!(project.containers("app")[0].health.as_deref(), Some("healthy"), "it does not listen yet");
    let app = project.wait_healthy("app", 1, PATIENCE).remove(0);
    assert!(app.started.starts_with("20"), "{}", app.started);
    assert_eq!(app.ip(), Some(project.ip("app")));
    assert_eq!((app.number, app.restarts, app.labels["com.docker.compose.project"].as_str()), (1, 0, project.name()));
    assert_eq!(app.image, engine::docker_says(&["image", "inspect", "--format={{.Id}}", image::app()]));
    let attached = &app.networks[&format!("{}_default", project.name())];
    assert!(attached.aliases.iter().any(|alias| alias == "app"), "{attached:?}");
    let to = address(&project, "app", 8080);
    let body = format!("instance {}\nversion seven\n", &app.id[..12]);
    assert_eq!(load::ask(to, "/"), Ok((200, body)));
    assert_eq!(load::ask(to, "/health").expect("an answer").0, 200);
    assert_eq!(load::ask(to, "/eat").expect("an answer").0, 400);
    assert_eq!(load::ask(to, "/burn?ms=100"), Ok((200, "burnt 100 ms\n".to_owned())));
    assert_eq!(load::ask(to, "/crash"), Err("closed before the answer".to_owned()));
    let end = engine::until("it ended", PATIENCE, || match project.containers("app").remove(0) {
        app if app.state == "exited" => Ok((app.exit_code, app.oom_killed)),
        app => Err(app.state),
    });
    assert_eq!(end, (3, false));
}

#[test]
fn the_app_is_unhealthy_when_asked() {
    if !engine::or_skip() {
        return;
    }
    let project = Project::up("sick", &compose("    environment: {UNHEALTHY_AFTER_MS: 6000}\n", ""));
    project.wait_healthy("app", 1, PATIENCE);
    engine::until("it is unhealthy", PATIENCE, || match project.containers("app").remove(0).health.as_deref() {
        Some("unhealthy") => Ok(()),
        other => Err(format!("it is {other:?}")),
    });
    assert_eq!(load::ask(address(&project, "app", 8080), "/health"), Ok((500, "unhealthy\n".to_owned())));
}

#[test]
fn past_its_memory_limit_the_kernel_kills_it() {
    if !engine::or_skip() {
        return;
    }
    let project = Project::up("eat", &compose("    mem_limit: 64m\n    memswap_limit: 64m\n    cpus: 0.5\n", ""));
    let limits = project.wait_healthy("app", 1, PATIENCE).remove(0).limits;
    assert_eq!((limits.memory, limits.memory_swap, limits.nano_cpus), (64 << 20, 64 << 20, 500_000_000));
    let to = address(&project, "app", 8080);
    assert_eq!(load::ask(to, "/eat?mb=40"), Ok((200, "keeps 40 MiB\n".to_owned())));
    assert_eq!(load::ask(to, "/free").expect("an answer").0, 200);
    assert_eq!(load::ask(to, "/eat?mb=41"), Ok((200, "keeps 41 MiB\n".to_owned())), "the kernel had it back");
    load::ask(to, "/eat?mb=100").expect_err("it is killed meanwhile");
    let end = engine::until("it was killed", PATIENCE, || match project.containers("app").remove(0) {
        app if app.state == "exited" => Ok((app.exit_code, app.oom_killed)),
        app => Err(app.state),
    });
    assert_eq!(end, (137, true));
}

#[test]
fn sigterm_does_what_the_app_was_told() {
    if !engine::or_skip() {
        return;
    }
    for (on_term, exit_code, least, most) in [("exit", 0, 0, 2), ("grace", 0, 3, 6), ("ignore", 137, 8, 12)] {
        let project = Project::up(on_term, &compose(&format!("    environment: {{ON_TERM: {on_term}}}\n"), ""));
        let id = project.wait_healthy("app", 1, PATIENCE).remove(0).id;
        let running = Paced::start(address(&project, "app", 8080), 100, 4);
        pause(Duration::from_secs(1));
        engine::said("docker stop", project.docker(&["stop", "-t", "8", &id]));
        let outcome = running.stop();
        let app = project.containers("app").remove(0);
        assert_eq!(app.exit_code, exit_code, "{on_term}: {outcome}");
        // It served until then, and how long that was shows in the answers: a hundred a second.
        let seconds = outcome.ok / 100;
        assert!((1 + least..=1 + most).contains(&seconds), "{on_term}: {outcome}");
    }
}

#[test]
fn cpu_time_is_burnt_whatever_the_limit() {
    if !engine::or_skip() {
        return;
    }
    let project = Project::up("burn", &compose("    cpus: 0.2\n    environment: {WORK_MS: 0, BURN_MS: 40}\n", ""));
    project.wait_healthy("app", 1, PATIENCE);
    let outcome = {
        let running = Paced::start(address(&project, "app", 8080), 1, 1);
        pause(Duration::from_millis(4500));
        running.stop()
    };
    // 40 ms of CPU time is more than the 20 ms of each period of 100 ms.
    assert_eq!(outcome.lost(), 0, "{outcome}");
    assert!(outcome.max_latency > Duration::from_millis(90), "{outcome}");
}

/// Two replicas behind a proxy, which is there when this returns.
fn proxied(kind: Kind) -> (Project, SocketAddr) {
    let proxy = kind.before("app");
    let name = format!("{kind:?}").to_lowercase();
    let more = proxy.service("proxy");
    let project = Project::up_with(&name, &compose("    scale: 2\n", &more), &[proxy.file("proxy")]);
    project.wait_healthy("app", 2, PATIENCE);
    let to = address(&project, "proxy", proxy::PORT);
    load::wait_served(to, 2, PATIENCE);
    (project, to)
}

#[test]
fn every_proxy_passes_steady_load_without_a_loss() {
    if !engine::or_skip() {
        return;
    }
    for kind in Kind::ALL {
        let (_project, to) = proxied(kind);
        for keep_alive in [8, 0] {
            let running = Paced::start(to, 200, keep_alive);
            pause(Duration::from_secs(3));
            let outcome = running.stop();
            println!("{kind:?}, {keep_alive} kept: {outcome}");
            assert_eq!((outcome.lost(), outcome.in_doubt), (0, 0), "{kind:?}: {outcome}");
            assert!((550..=650).contains(&outcome.sent), "{kind:?}: {outcome}");
            assert_eq!(outcome.by_instance.len(), 2, "{kind:?}: {outcome}");
        }
    }
}

#[test]
fn a_replica_that_is_killed_is_noticed_behind_a_plain_proxy() {
    if !engine::or_skip() {
        return;
    }
    for (kind, keep_alive) in [(Kind::HaproxyPlain, 0), (Kind::NginxPlain, 8), (Kind::CaddyRetrying, 8)] {
        let (project, to) = proxied(kind);
        let running = Paced::start(to, 200, keep_alive);
        pause(Duration::from_secs(2));
        engine::docker_says(&["kill", &project.containers("app")[1].id]);
        pause(Duration::from_secs(4));
        let outcome = running.stop();
        println!("{kind:?}, {keep_alive} kept, one of two killed: {outcome}");
        let classes: Vec<&str> = outcome.failed.keys().map(String::as_str).collect();
        if kind == Kind::CaddyRetrying {
            assert!(outcome.lost() <= 5, "{kind:?}: {outcome}");
        } else {
            assert!(outcome.lost() >= 5, "{kind:?}: {outcome}");
            // Who is led to an address that nobody has any more waits for it, or learns of it at once.
            let known = |class: &&str| class.starts_with("status 50") || *class == "no answer";
            assert!(classes.iter().all(known), "{kind:?}: {outcome}");
        }
    }
}

#[test]
fn the_only_instance_that_is_killed_is_noticed_without_a_proxy() {
    if !engine::or_skip() {
        return;
    }
    let project = Project::up("direct", &compose("", ""));
    let app = project.wait_healthy("app", 1, PATIENCE).remove(0);
    let running = Paced::start(address(&project, "app", 8080), 200, 0);
    pause(Duration::from_secs(1));
    engine::docker_says(&["kill", &app.id]);
    pause(Duration::from_secs(1));
    let outcome = running.stop();
    // What it was working on, what came while the address was there, and what came when it was gone.
    let of = |class: &str| outcome.failed.get(class).copied().unwrap_or(0);
    assert!(of("closed before the answer") + of("reset before the answer") >= 1, "{outcome}");
    assert!(of("connect timeout") + of("connect unreachable") >= 100, "{outcome}");
}

#[test]
fn programs_of_this_machine_run_in_containers() {
    if !engine::or_skip() {
        return;
    }
    let busybox = image::of_debian("busybox", "/usr/bin/busybox", &["/etc/passwd", "/etc/ssl/openssl.cnf"]);
    let redis = image::of_debian("redis", "/usr/bin/redis-server", &["/usr/bin/redis-cli"]);
    assert_eq!(busybox, image::of_debian("busybox", "/usr/bin/busybox", &["/etc/ssl/openssl.cnf", "/etc/passwd"]));
    let yaml = format!(
        "services:
  shell:
    image: {busybox}
    command: [sh, -c, 'busybox id -un; trap exit TERM; while :; do sleep 1; done']
  cache:
    image: {redis}
    healthcheck: {{test: [CMD, /usr/bin/redis-cli, ping], interval: 1s}}
"
    );
    let project = Project::up("programs", &yaml);
    project.wait_healthy("cache", 1, PATIENCE);
    assert_eq!(project.containers("shell")[0].state, "running");
    assert_eq!(project.containers("shell")[0].health, None);
}

#[test]
fn a_project_takes_along_what_others_added_to_it() {
    if !engine::or_skip() {
        return;
    }
    let project = Project::up("gone", &compose("", ""));
    let (name, network) = (project.name().to_owned(), format!("{}_default", project.name()));
    let lock = format!("plimsoll-lock-{name}-app");
    engine::docker_says(&["create", "--name", &lock, image::app()]);
    engine::docker_says(&["run", "-d", "--label", &format!("plimsoll.of={name}"), "--network", &network, image::app()]);
    let left = || {
        let containers = engine::docker_says(&["ps", "-a", "--format", "{{.Names}} {{.Labels}}"]);
        let networks = engine::docker_says(&["network", "ls", "--format", "{{.Name}}"]);
        format!("{containers}\n{networks}").lines().filter(|line| line.contains(&name)).count()
    };
    assert_eq!(left(), 4);
    drop(project);
    assert_eq!(left(), 0);
}
