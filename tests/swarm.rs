//! Projects drawn from seeds: that they are what their files say, that they hold, and that a failure would be found.

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Incident;
use plimsoll::model::Progress;
use plimsoll::model::Resource;
use plimsoll::record::Event;
use plimsoll::run::simulate::simulate;
use plimsoll::run::swarm;
use plimsoll::run::swarm::Drawn;
use plimsoll::run::swarm::DrawnCall;
use plimsoll::run::swarm::DrawnOrder;
use plimsoll::run::swarm::DrawnService;
use plimsoll::run::swarm::Failure;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use std::collections::BTreeMap;
use std::path::Path;

fn write(drawn: &Drawn, folder: &Path) -> std::path::PathBuf {
    std::fs::write(folder.join("compose.yaml"), drawn.compose()).expect("writable");
    let path = folder.join("scenario.yaml");
    std::fs::write(&path, drawn.scenario()).expect("writable");
    path
}

/// A failure can be repeated from its files only if they say all.
#[test]
fn the_files_are_the_scenario() {
    for seed in 1..=300 {
        let drawn = swarm::draw(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let path = write(&drawn, folder.path());
        let read =
            scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        let drawn = swarm::scenario(&drawn).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        assert_eq!(read.scenario, drawn, "seed {seed}");
    }
}

/// A part of what the release build does in CI, here with the assertions of every step.
#[test]
fn drawn_projects_hold_in_the_storm_and_recover_in_the_calm() {
    for seed in 1..=40 {
        if let Some(failure) = swarm::run(seed, false) {
            panic!("seed {seed}: {}\nplimsoll swarm --seeds {seed}", failure.violation);
        }
    }
}

/// What was found once, made small, and mended.
#[test]
fn what_was_found_once_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/swarm_found");
    let mut found: Vec<_> = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    found.sort();
    assert!(found.len() >= 3);
    for folder in found {
        let read = scenario::load(&folder.join("scenario.yaml"), &LoadOptions::default());
        let scenario = read.unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
        let mut events = Vec::new();
        let end = simulate(&scenario, scenario.seeds[0], &mut |event| events.push(event.clone()));
        assert!(end.is_ok(), "{}: {end:?}", folder.display());
        let violation = swarm::judge(&scenario, &events);
        assert_eq!(violation.map(|found| found.to_string()), None, "{}", folder.display());
    }
}

/// A lost request in every run in which something crashes: it is found, and what is left of the project is the service that
/// crashed, its load or its one caller, and one crash.
#[test]
fn a_canary_is_found_and_made_small() {
    let crashes = |seed: &u64| swarm::draw(*seed).faults.iter().any(|fault| fault.contains("crash"));
    let mut found = 0;
    for seed in (1..=200).filter(crashes).take(5) {
        assert_eq!(swarm::violation(&swarm::draw(seed), false), None, "seed {seed} is good without the canary");
        let failure = swarm::run(seed, true).unwrap_or_else(|| panic!("seed {seed}: nobody found the canary"));
        assert_eq!(failure.violation.rule, "requests add up");
        assert_eq!(failure.smallest_violation.rule, "requests add up");
        let small = &failure.smallest;
        // A service that only others call needs one that calls it.
        let needed = if small.services.iter().any(|service| !service.calls.is_empty()) { 2 } else { 1 };
        assert_eq!((small.services.len(), small.faults.len()), (needed, 1), "seed {seed}:\n{}", small.scenario());
        assert!(small.faults[0].contains("crash"), "{}", small.faults[0]);
        assert_eq!((small.policy.as_ref(), small.services[0].load.len()), (None, 1));
        found += 1;
    }
    assert_eq!(found, 5);
}

/// The first three projects of a kind in which the canary is found; where it could not be planted, it is not.
fn three_found(is_of_kind: impl Fn(&Drawn) -> bool) -> Vec<Failure> {
    let drawn = (1..=300).map(swarm::draw).filter(is_of_kind);
    let found: Vec<Failure> = drawn.filter_map(|drawn| swarm::run(drawn.seed, true)).take(3).collect();
    assert_eq!(found.len(), 3, "too few found");
    found
}

/// A disk that is busier than it can be, in every run in which it is slowed down and nothing crashes: what is left is one
/// service that uses the disk, with whoever it takes to keep it busy, the disk and the fault.
#[test]
fn a_canary_of_the_disk_is_found_and_made_small() {
    let slow = |drawn: &Drawn| drawn.faults.iter().any(|fault| fault.contains("slow_disk"));
    let sound = |drawn: &Drawn| !drawn.faults.iter().any(|fault| fault.contains("crash"));
    let used = |drawn: &Drawn| {
        drawn.services.iter().any(|service| service.disk.is_some_and(|disk| disk.reads + disk.writes > 0))
    };
    // Where the disk is idle from the fault on, nothing can be planted.
    for failure in three_found(|drawn| slow(drawn) && sound(drawn) && used(drawn)) {
        assert_eq!(failure.violation.rule, "a share is of all at most");
        let (seed, small) = (failure.seed, &failure.smallest);
        assert!(small.services.len() <= 2 && small.faults.len() == 1, "seed {seed}:\n{}", small.scenario());
        assert!(small.faults[0].contains("slow_disk") && small.storage.is_some(), "{}", small.scenario());
        assert_eq!((small.policy.as_ref(), small.heat.as_ref(), small.slower), (None, None, None));
        assert!(small.sensors.is_empty() && small.hop == Span::ZERO, "{}", small.scenario());
    }
}

/// Deployments that give traffic to instances which are not well, in every run in which nothing crashes and no disk is slowed
/// down: the audit finds it, and what is left is one service and one deployment.
#[test]
fn a_canary_of_deployments_is_found_and_made_small() {
    let elsewhere = |drawn: &Drawn| {
        drawn.faults.iter().any(|fault| ["crash", "slow_disk"].iter().any(|planted| fault.contains(planted)))
    };
    // Where all of them are refused, nothing is carried out.
    for failure in three_found(|drawn| !drawn.deployments.is_empty() && !elsewhere(drawn)) {
        let (seed, small) = (failure.seed, &failure.smallest);
        assert_eq!(failure.violation.rule, "the engine keeps its own rules", "seed {seed}: {}", failure.violation);
        assert!(failure.smallest_violation.what.contains("get traffic are not well"), "{}", failure.smallest_violation);
        assert_eq!(
            (small.services.len(), small.deployments.len(), small.faults.len()),
            (1, 1, 0),
            "{}",
            small.scenario()
        );
        assert!(small.deployments[0].more.is_empty() && small.docker.is_empty(), "{}", small.scenario());
    }
}

/// Deployments are drawn such that they come to each of their ends.
#[test]
fn drawn_deployments_end_in_every_way() {
    let mut told = Vec::new();
    for drawn in (1..=120).map(swarm::draw).filter(|drawn| !drawn.deployments.is_empty()) {
        let scenario = swarm::scenario(&drawn).unwrap_or_else(|wrong| panic!("seed {}: {wrong}", drawn.seed));
        let end = simulate(&scenario, Seed::new(drawn.seed), &mut |event| {
            if let Event::Happened { incident: Incident::Deployment { progress, .. }, .. } = event {
                told.push(progress.clone());
            }
        });
        assert!(end.is_ok(), "seed {}: {end:?}", drawn.seed);
    }
    let count = |holds: fn(&Progress) -> bool| told.iter().filter(|progress| holds(progress)).count();
    for (end, found, least) in [
        ("done", count(|how| *how == Progress::Done), 20),
        ("rolled back", count(|how| *how == Progress::RolledBack), 2),
        ("paused", count(|how| *how == Progress::Paused), 1),
        ("refused", count(|how| matches!(how, Progress::Refused { .. })), 10),
    ] {
        assert!(found >= least, "{end}: {found}");
    }
}

/// Numbers of instances go up and down for every kind of reason, alone and beside limits that move; otherwise that no rule is
/// broken would say nothing.
#[test]
fn drawn_numbers_of_instances_move_for_every_kind_of_reason() {
    let mut moved: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 1..=120 {
        let drawn = swarm::draw(seed);
        if drawn.services.iter().all(|service| service.scaling.is_none()) && drawn.orders.is_empty() {
            continue;
        }
        let scenario = swarm::scenario(&drawn).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        let end = simulate(&scenario, Seed::new(seed), &mut |event| {
            let Event::Decided { decision, .. } = event else { return };
            for action in decision.actions.iter().filter(|action| action.resource() == Resource::Replicas) {
                let why = format!("{:?}", action.why());
                let rule = why.split([' ', '{']).next().unwrap_or_default();
                let way = if action.is_increase() { "more" } else { "fewer" };
                if drawn.metrics.iter().any(|metric| why.contains(metric.name)) {
                    *moved.entry(format!("{way} for the business")).or_default() += 1;
                }
                *moved.entry(format!("{way} by {rule}")).or_default() += 1;
                let beside = if drawn.policy.is_some() { "beside limits" } else { "alone" };
                *moved.entry(beside.to_owned()).or_default() += 1;
            }
        });
        assert!(end.is_ok(), "seed {seed}: {end:?}");
    }
    for (what, least) in [
        ("more by Beyond", 3),
        ("fewer by Beyond", 3),
        ("more by Weighted", 3),
        ("fewer by Weighted", 3),
        ("more by Wanted", 3),
        ("fewer by Wanted", 3),
        ("more by OutOfRange", 20),
        ("fewer by OutOfRange", 1),
        ("more by Override", 5),
        ("fewer by Override", 2),
        ("more for the business", 3),
        ("fewer for the business", 1),
        ("alone", 20),
        ("beside limits", 20),
    ] {
        let count = moved.get(what).copied().unwrap_or(0);
        assert!(count >= least, "{what}: {count}; {moved:?}");
    }
}

/// Draws differ, and each kind of trouble comes about.
#[test]
fn seeds_draw_all_kinds_of_trouble() {
    let all: Vec<Drawn> = (1..=500).map(swarm::draw).collect();
    let share = |holds: &dyn Fn(&Drawn) -> bool| all.iter().filter(|drawn| holds(drawn)).count();
    for key in [
        "crash: service",
        "crash: {",
        "unhealthy:",
        "unhealthy_green:",
        "metrics_outage",
        "metrics_delay",
        "metrics_gaps",
        "metrics_lie",
        "engine_restart",
        "docker_restart",
        "host_loss",
        "clock_jump",
        "slow_disk",
        "full_disk",
        "oom",
        "leak",
        "steal_burst",
        "noisy_neighbour",
        "cpu_spin",
        "slow_dependency",
        "network_delay",
        "network_loss",
        "slow_network",
    ] {
        assert!(share(&|drawn| drawn.faults.iter().any(|fault| fault.contains(key))) >= 20, "{key} is too rare");
    }
    // Only for hosts of which it is known how warm they get, and where the storm never ends.
    for key in ["heat_wave", " every:", "about_every"] {
        assert!(share(&|drawn| drawn.faults.iter().any(|fault| fault.contains(key))) >= 5, "{key} is too rare");
    }
    assert!(share(&|drawn| drawn.faults.is_empty()) >= 40);
    assert!(share(&|drawn| drawn.services.len() == 1) >= 40 && share(&|drawn| drawn.services.len() == 6) >= 40);
    assert!(share(&|drawn| drawn.services.iter().any(|service| !service.calls.is_empty())) >= 200);
    assert!(share(&|drawn| !drawn.is_wide) >= 130, "a third is simple, so that it can be read");
    assert_eq!(swarm::draw(7), swarm::draw(7));
    assert_ne!(swarm::draw(7), swarm::draw(8));
}

/// Whether an order is for fewer instances than the service starts with.
fn is_for_fewer(drawn: &Drawn, order: &DrawnOrder) -> bool {
    let mine = drawn.services.iter().find(|service| service.name == order.service);
    mine.is_some_and(|service| order.replicas < service.replicas)
}

/// What is asked of a project.
type Holds = Box<dyn Fn(&Drawn) -> bool>;

/// Each part of a project is drawn, and left out as well.
#[test]
fn seeds_draw_all_that_a_scenario_can_say() {
    let all: Vec<Drawn> = (1..=500).map(swarm::draw).collect();
    let service =
        |holds: fn(&DrawnService) -> bool| -> Holds { Box::new(move |drawn| drawn.services.iter().any(holds)) };
    let call = |holds: fn(&DrawnCall) -> bool| -> Holds {
        Box::new(move |drawn| drawn.services.iter().flat_map(|service| &service.calls).any(holds))
    };
    let sensor =
        |key: &'static str| -> Holds { Box::new(move |drawn| drawn.sensors.iter().any(|(known, _)| *known == key)) };
    let deployed = |key: &'static str| -> Holds {
        Box::new(move |drawn| {
            drawn.deployments.iter().flat_map(|deployment| &deployment.more).any(|(known, _)| *known == key)
        })
    };
    let of_template = |all: &'static [&'static str]| -> Holds {
        Box::new(move |drawn| {
            let mut scalings = drawn.services.iter().filter_map(|service| service.scaling.as_ref());
            scalings.any(|scaling| all.contains(&scaling.template))
        })
    };
    let docker =
        |key: &'static str| -> Holds { Box::new(move |drawn| drawn.docker.iter().any(|(known, _)| *known == key)) };
    let scaled = |key: &'static str| -> Holds {
        Box::new(move |drawn| {
            let scalings = drawn.services.iter().filter_map(|service| service.scaling.as_ref());
            scalings.flat_map(|scaling| &scaling.more).any(|(known, _)| *known == key)
        })
    };
    let of_business = |key: &'static str| -> Holds {
        Box::new(move |drawn| {
            let scalings = drawn.services.iter().filter_map(|service| service.scaling.as_ref());
            scalings.flat_map(|scaling| &scaling.more).any(|(known, value)| *known == key && value.contains("custom"))
        })
    };
    let measured = |pattern: &'static str| -> Holds {
        Box::new(move |drawn| drawn.metrics.iter().any(|metric| metric.text.contains(pattern)))
    };
    let parts: [(&str, Holds); 68] = [
        ("orders", Box::new(|drawn| !drawn.orders.is_empty())),
        ("orders without end", Box::new(|drawn| drawn.orders.iter().any(|order| order.lasts.is_none()))),
        ("orders for fewer", Box::new(|drawn| drawn.orders.iter().any(|order| is_for_fewer(drawn, order)))),
        ("metrics", Box::new(|drawn| !drawn.metrics.is_empty())),
        ("two metrics", Box::new(|drawn| drawn.metrics.len() == 2)),
        ("metrics that step", measured("steps")),
        ("metrics with corners", measured("points")),
        ("metrics with a crowd", measured("flash_crowd")),
        ("bounds of metrics", of_business("up")),
        ("lower bounds of metrics", of_business("down")),
        ("targets of metrics", of_business("targets")),
        ("weights of metrics", of_business("weights")),
        ("figures of metrics that count as one", of_business("full")),
        ("slower cores", Box::new(|drawn| drawn.slower.is_some())),
        ("heat", Box::new(|drawn| drawn.heat.is_some())),
        ("bursts of steal", Box::new(|drawn| drawn.bursts.is_some())),
        ("hops", Box::new(|drawn| drawn.hop > Span::ZERO)),
        ("a line to the outside", Box::new(|drawn| drawn.network_mbit.is_some())),
        ("sizes of requests", service(|service| service.sizes[0] > Bytes::ZERO)),
        ("sizes of answers", service(|service| service.sizes[1] > Bytes::ZERO)),
        ("a disk", Box::new(|drawn| drawn.storage.is_some())),
        ("swap", Box::new(|drawn| drawn.swap > Bytes::ZERO)),
        ("accesses", service(|service| service.disk.is_some())),
        ("data", service(|service| service.disk.is_some_and(|disk| disk.data > Bytes::ZERO))),
        ("disk weight", service(|service| service.disk_weight.is_some())),
        ("swap limit", service(|service| service.swap_limit.is_some())),
        ("oom score", service(|service| service.oom_score_adjust.is_some())),
        ("blocking", service(|service| service.blocking)),
        ("backlog", service(|service| service.backlog.is_some())),
        ("balancers", service(|service| service.balance.is_some())),
        ("more of a check", service(|service| service.check_more.is_some())),
        ("clients", service(|service| service.think.is_some())),
        ("stages", service(|service| service.staged && service.calls.iter().any(|call| call.with_last))),
        ("cached calls", call(|call| call.cached > Permille::ZERO)),
        ("timeouts of calls", call(|call| call.timeout.is_some())),
        ("retries", call(|call| call.retry.is_some())),
        ("breakers", call(|call| call.breaker.is_some())),
        ("Docker's sensors", sensor("source")),
        ("lost scrapes", sensor("gaps")),
        ("late scrapes", sensor("delay")),
        ("jitter", sensor("jitter")),
        ("cores", service(|service| service.cpuset.is_some())),
        ("pools", call(|call| call.pool.is_some())),
        ("sizes of images", service(|service| service.image_size.is_some())),
        ("time for an update", docker("update")),
        ("control groups", docker("cgroup")),
        ("download", docker("download")),
        ("deployments", Box::new(|drawn| !drawn.deployments.is_empty())),
        ("new CPU limits", deployed("cpu")),
        ("new memory limits", deployed("memory")),
        ("new images", deployed("new_image")),
        ("order", deployed("order")),
        ("parallelism", deployed("parallelism")),
        ("delay", deployed("delay")),
        ("interval", deployed("interval")),
        ("drain", deployed("drain")),
        ("health timeout", deployed("health_timeout")),
        ("failure ratio", deployed("max_failure_ratio")),
        ("what is done on failure", deployed("on_failure")),
        ("numbers of instances", service(|service| service.scaling.is_some())),
        ("cooldowns", scaled("cooldown")),
        ("steps", scaled("step")),
        ("most on a host", scaled("per_host")),
        ("forecasts", scaled("ahead")),
        ("schedules", scaled("schedule")),
        ("who holds data", service(|service| service.stateful)),
        ("policies of the field", of_template(&["hpa", "kpa", "autopilot"])),
        ("policies of the field, too", of_template(&["step-scaling", "target-tracking", "nomad-threshold"])),
    ];
    for (part, holds) in parts {
        let count = all.iter().filter(|drawn| holds(drawn)).count();
        assert!((20..=480).contains(&count), "{part}: {count} of 500");
    }
}
