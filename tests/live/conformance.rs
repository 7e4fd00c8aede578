//! The simulated host and a real one show the same: each story is told once, by one Compose file, what happens when, and what
//! is to be seen; and it is played on both.

use crate::program::pool;
use crate::support::engine;
use crate::support::image;
use crate::support::image::APP_HEALTH;
use crate::support::load;
use crate::support::project::Inspected;
use crate::support::project::Project;
use plimsoll::input::scenario;
use plimsoll::model::Action;
use plimsoll::model::Incident;
use plimsoll::model::InstanceSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Reason;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::world::live::clock::Clock;
use plimsoll::world::live::connect::Endpoint;
use plimsoll::world::live::docker::Docker;
use plimsoll::world::live::world::World as Live;
use plimsoll::world::sim::World as Simulated;

/// What happens to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    /// Its process ends by itself, with an error.
    Crash,
    /// It takes more memory than it may have.
    OutOfMemory,
    /// Each instance gets so many millicores.
    Cpu(u64),
    /// Each instance gets so many mebibytes.
    Memory(u64),
}

/// A story about one service, `app`, which holds 40 MiB and is healthy after about a second.
struct Story {
    /// Instances.
    replicas: u32,
    restart: &'static str,
    /// Its health check fails from the first of these seconds to the second.
    ill: Option<(u64, u64)>,
    /// What happens in which second, in order.
    happens: &'static [(u64, Happening)],
    /// Seconds that it lasts.
    lasts: u64,
}

/// What was seen, once a second, and what was refused.
struct Told {
    seen: Vec<(u64, ServiceSeen)>,
    refused: usize,
}

impl Story {
    fn compose(&self) -> String {
        let ill = self
            .ill
            .map(|(from, to)| format!("UNHEALTHY_AFTER_MS: {}, UNHEALTHY_UNTIL_MS: {}", from * 1000, to * 1000));
        format!(
            "version: \"2.4\"\nservices:\n  app:\n    image: \"{}\"\n    {APP_HEALTH}\n    cpus: 0.5\n    mem_limit: 64m\n    \
             memswap_limit: 64m\n    scale: {}\n    restart: \"{}\"\n    environment: {{{}}}\n",
            image::app(),
            self.replicas,
            self.restart,
            ill.unwrap_or_default()
        )
    }

    /// The same file, simulated.
    fn simulated(&self) -> Told {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let compose = self
            .compose()
            .replace("scale: ", "deploy: { replicas: ")
            .replace(&format!("replicas: {}\n", self.replicas), &format!("replicas: {} }}\n", self.replicas));
        std::fs::write(folder.path().join("compose.yaml"), compose).expect("can be written");
        let fault = |(at, what): &(u64, Happening)| match what {
            Happening::Crash => Some(format!("  - {{ at: {at}s, crash: app }}\n")),
            Happening::OutOfMemory => Some(format!("  - {{ at: {at}s, oom: {{ service: app }} }}\n")),
            _ => None,
        };
        let mut faults: Vec<String> = self.happens.iter().filter_map(fault).collect();
        faults
            .extend(self.ill.map(|(from, to)| format!("  - {{ at: {from}s, for: {}s, unhealthy: app }}\n", to - from)));
        let faults = if faults.is_empty() { String::new() } else { format!("faults:\n{}", faults.concat()) };
        let text = format!(
            "scenario: conformance\nstack: compose.yaml\nhost: kvm-4\nduration: 5m\nsensors: {{ scrape: 1s, window: 5s, look: 1s }}\n\
             services:\n  app: {{ work: {{ cpu: 1ms }}, idle_memory: 40M, start_up: 500ms }}\nload: {{ app: {{ pattern: constant, rate: 1/s }} }}\n\
             {faults}expect: {{ nothing is killed: count(oom) >= 0 }}\n"
        );
        let path = folder.path().join("scenario.yaml");
        std::fs::write(&path, text).expect("can be written");
        let resolved = scenario::load(&path, &scenario::LoadOptions::default());
        let resolved = resolved.unwrap_or_else(|problems| panic!("{}", problems.render(120, false)));
        let mut world = Simulated::new(&resolved.scenario, resolved.scenario.seeds[0]);
        let mut told = Told { seen: Vec::new(), refused: 0 };
        for second in 0..=self.lasts {
            world.advance(Instant::after_start(Span::from_secs(second)));
            let seen = world.observe().services.remove(&app()).expect("the service is seen");
            let limits = seen.limits;
            told.seen.push((second, seen));
            for (_, what) in self.happens.iter().filter(|(at, _)| *at == second) {
                if let Some(action) = action(*what, limits) {
                    world.apply(&[action]);
                }
            }
            let refused = |incident: &Incident| matches!(incident, Incident::Refused { .. });
            told.refused += world.take_incidents().iter().filter(|(_, incident)| refused(incident)).count();
        }
        told
    }

    /// The same file, for real.
    fn real(&self, name: &str) -> Told {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let project = Project::up(name, &self.compose());
        runtime.block_on(async {
            let endpoint = Endpoint::choose(None, &|name| std::env::var(name).ok(), None).expect("an engine");
            let docker = Docker::connect(&endpoint).await.expect("an engine");
            let clock = Clock::start();
            let pool = pool(&docker);
            let mut world = Live::new(docker, project.name(), pool, Span::from_secs(5), Box::new(|_, _| false));
            let mut told = Told { seen: Vec::new(), refused: 0 };
            let mut next = clock.now();
            for second in 0..=self.lasts {
                clock.until(next).await;
                next = next.plus(Span::from_secs(1));
                world.measure(|| clock.now()).await.expect("the engine answers");
                let seen = world.observe().await.expect("the engine answers").services.remove(&app());
                let seen = seen.expect("the service is seen");
                let limits = seen.limits;
                told.seen.push((second, seen));
                if second == HOLDS_FROM {
                    ask_all(&project, "/eat?mb=40");
                }
                for (_, what) in self.happens.iter().filter(|(at, _)| *at == second) {
                    match (what, action(*what, limits)) {
                        (_, Some(action)) => told.refused += usize::from(world.limit(&action).await.is_err()),
                        (Happening::Crash, None) => ask_all(&project, "/crash"),
                        (_, None) => ask_all(&project, "/eat?mb=200"),
                    }
                }
            }
            told
        })
    }

    /// Plays it on both, and lets somebody judge what is to be seen on each.
    fn play(&self, name: &str, judge: impl Fn(&str, &Told)) {
        judge("simulated", &self.simulated());
        if engine::or_skip() {
            judge("real", &self.real(name));
        }
    }
}

/// From this second on the real service holds what the simulated one does.
const HOLDS_FROM: u64 = 4;

fn app() -> ServiceName {
    ServiceName::new("app")
}

/// Asks every instance that answers, from a thread that nothing else waits in.
fn ask_all(project: &Project, target: &'static str) {
    let addresses: Vec<_> = project.containers("app").iter().filter_map(Inspected::ip).collect();
    let asked = addresses.into_iter().map(|ip| std::thread::spawn(move || load::ask((ip, 8080).into(), target)));
    for thread in asked.collect::<Vec<_>>() {
        // One that ends itself, or is killed, does not answer.
        let _ = thread.join().expect("nobody panics");
    }
}

fn action(what: Happening, limits: Limits) -> Option<Action> {
    let why = Reason::OutOfRange { seen: 0, bound: 0 };
    match what {
        Happening::Cpu(to) => Some(Action::LimitCpu {
            service: app(),
            from: limits.cpu.unwrap_or(Millicores::ZERO),
            to: Millicores::new(to),
            why,
        }),
        Happening::Memory(to) => Some(Action::LimitMemory {
            service: app(),
            from: limits.memory.unwrap_or(Bytes::ZERO),
            to: Bytes::mebi(to),
            why,
        }),
        Happening::Crash | Happening::OutOfMemory => None,
    }
}

impl Told {
    /// What was seen from one second to another, both included.
    fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &ServiceSeen> {
        self.seen.iter().filter(move |(second, _)| (from..=to).contains(second)).map(|(_, seen)| seen)
    }

    fn last(&self) -> &ServiceSeen {
        &self.seen.last().expect("something was seen").1
    }

    /// Whether all instances were seen in this state at some time in between.
    fn all_were(&self, state: InstanceState, from: u64, to: u64) -> bool {
        let all = |seen: &ServiceSeen| seen.instances.iter().all(|instance| instance.state == state);
        self.between(from, to).any(all)
    }
}

fn sum(seen: &ServiceSeen, of: fn(&InstanceSeen) -> u32) -> u32 {
    seen.instances.iter().map(of).sum()
}

fn limits(cpu: u64, memory: u64) -> Limits {
    Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) }
}

const QUIET: Story = Story { replicas: 2, restart: "always", ill: None, happens: &[], lasts: 12 };

#[test]
fn a_service_starts_and_is_measured() {
    QUIET.play("starts", |world, told| {
        let last = told.last();
        let numbers: Vec<u32> = last.instances.iter().map(|instance| instance.number).collect();
        assert_eq!(numbers, [1, 2], "{world}");
        assert_eq!(last.limits, limits(500, 64), "{world}");
        assert!(told.all_were(InstanceState::Healthy, 8, 12), "{world}: {last:?}");
        assert_eq!((sum(last, |one| one.restarts), sum(last, |one| one.oom_kills)), (0, 0), "{world}");
        for instance in &last.instances {
            let usage = instance.usage.expect(world);
            assert!((35..60).contains(&(usage.memory.get() >> 20)), "{world}: it holds {}", usage.memory);
            assert!(usage.memory_max >= usage.memory && usage.cpu < Millicores::new(500), "{world}: {usage:?}");
            assert!((4..=6).contains(&usage.window.secs()), "{world}: over {}", usage.window);
            assert!(instance.started.is_some(), "{world}");
        }
        assert!(!last.stateful && !last.deploying, "{world}");
    });
}

#[test]
fn a_service_that_ends_and_is_not_to_start_again_is_down() {
    let story = Story { restart: "no", happens: &[(6, Happening::Crash)], lasts: 14, ..QUIET };
    story.play("stops", |world, told| {
        assert!(told.all_were(InstanceState::Healthy, 3, 6), "{world}");
        let last = told.last();
        assert_eq!(last.instances.len(), 2, "{world}: they are still there");
        assert!(
            told.between(9, 14).all(|seen| seen.instances.iter().all(|one| one.state == InstanceState::Down)),
            "{world}"
        );
        assert!(last.instances.iter().all(|one| one.started.is_none() && one.restarts == 0), "{world}: {last:?}");
    });
}

#[test]
fn a_service_gets_ill_and_well_again() {
    let story = Story { ill: Some((8, 18)), lasts: 28, ..QUIET };
    story.play("health", |world, told| {
        assert!(told.all_were(InstanceState::Healthy, 3, 8), "{world}");
        assert!(told.all_were(InstanceState::Unhealthy, 10, 19), "{world}");
        assert!(told.all_were(InstanceState::Healthy, 20, 28), "{world}");
        assert_eq!(sum(told.last(), |one| one.restarts), 0, "{world}: ill is not dead");
    });
}

#[test]
fn limits_go_up_and_down_while_it_runs() {
    let happens = &[
        (6, Happening::Memory(128)),
        (7, Happening::Cpu(1500)),
        (10, Happening::Memory(56)),
        (11, Happening::Cpu(100)),
    ];
    let story = Story { happens, lasts: 16, ..QUIET };
    story.play("limits", |world, told| {
        assert_eq!(told.refused, 0, "{world}");
        let of = |second: u64| told.between(second, second).next().map(|seen| seen.limits);
        assert_eq!(of(6), Some(limits(500, 64)), "{world}");
        assert_eq!(of(9), Some(limits(1500, 128)), "{world}");
        assert_eq!(of(16), Some(limits(100, 56)), "{world}");
        let started = |second: u64| -> Vec<Option<Instant>> {
            told.between(second, second).flat_map(|seen| seen.instances.iter().map(|one| one.started)).collect()
        };
        assert_eq!(started(6), started(16), "{world}: nobody was started again");
        assert!(told.between(6, 16).all(|seen| seen.instances.iter().all(|one| one.state == InstanceState::Healthy)));
    });
}

#[test]
fn a_limit_below_what_is_held_is_refused_and_nothing_changes() {
    let story = Story { happens: &[(7, Happening::Memory(20))], lasts: 14, ..QUIET };
    story.play("refused", |world, told| {
        assert!(told.refused > 0, "{world}");
        assert!(told.between(7, 14).all(|seen| seen.limits == limits(500, 64)), "{world}");
        let last = told.last();
        assert_eq!((sum(last, |one| one.restarts), sum(last, |one| one.oom_kills)), (0, 0), "{world}");
        assert!(last.instances.iter().all(|one| one.state == InstanceState::Healthy), "{world}: {last:?}");
    });
}

#[test]
fn who_takes_too_much_memory_is_killed_and_starts_again() {
    let story = Story { happens: &[(7, Happening::OutOfMemory)], lasts: 24, ..QUIET };
    story.play("oom", |world, told| {
        let last = told.last();
        assert!(sum(last, |one| one.oom_kills) >= 2, "{world}: {last:?}");
        assert!(sum(last, |one| one.restarts) >= 2, "{world}: {last:?}");
        assert!(told.all_were(InstanceState::Healthy, 14, 24), "{world}: {last:?}");
        let before =
            told.between(6, 6).next().map(|seen| (sum(seen, |one| one.oom_kills), sum(seen, |one| one.restarts)));
        assert_eq!(before, Some((0, 0)), "{world}");
        assert_eq!(last.limits, limits(500, 64), "{world}");
    });
}

#[test]
fn who_crashes_starts_again() {
    let story = Story { happens: &[(7, Happening::Crash)], lasts: 20, ..QUIET };
    story.play("crash", |world, told| {
        let last = told.last();
        assert_eq!((sum(last, |one| one.restarts), sum(last, |one| one.oom_kills)), (2, 0), "{world}: {last:?}");
        assert!(told.all_were(InstanceState::Healthy, 12, 20), "{world}: {last:?}");
        let started = |seen: &ServiceSeen| seen.instances.iter().filter_map(|one| one.started).min();
        let before = told.between(6, 6).next().and_then(started);
        assert!(started(last) > before, "{world}: its process is a new one");
    });
}
