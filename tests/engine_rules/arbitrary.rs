//! Histories nobody would write by hand: policies, hosts and looks drawn at random, lies and gaps among them.

use crate::stage::host;
use crate::stage::name;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::Decision;
use plimsoll::model::HostSeen;
use plimsoll::model::InstanceSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Observation;
use plimsoll::model::Policy;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Sizing;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::model::Workload;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_oneof;
use std::collections::BTreeMap;

/// Everything that happens to an engine.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) policies: Vec<Vertical>,
    pub(crate) services: Vec<(Limits, bool)>,
    pub(crate) pool: (u64, u64),
    pub(crate) looks: Vec<Look>,
}

/// One look, and what became of the host since the last.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) later: Span,
    pub(crate) shown: Vec<Shown>,
    /// Which of the decided actions the host carries out.
    pub(crate) obeys: u8,
}

/// What is shown of a service, as shares of its limits.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) present: bool,
    pub(crate) instances: Vec<(InstanceState, Option<Measured>)>,
    pub(crate) by_hand: Option<(u64, u64)>,
    /// Restarts and OOM kills of each instance so far.
    pub(crate) deaths: (u32, u32),
}

/// A measurement, perhaps a lie.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) age: Span,
    pub(crate) from_the_future: bool,
    pub(crate) window: Span,
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
    pub(crate) memory_max: u64,
}

/// A look, what was shown at it, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) observation: Observation,
    pub(crate) decision: Decision,
    pub(crate) checked: Vec<ServiceName>,
}

pub(crate) fn service_name(index: usize) -> ServiceName {
    name(&format!("s{index}"))
}

impl History {
    pub(crate) fn policies(&self) -> BTreeMap<ServiceName, Policy> {
        self.policies
            .iter()
            .enumerate()
            .map(|(index, policy)| (service_name(index), Policy::Vertical(*policy)))
            .collect()
    }

    /// Lets an engine live through it.
    pub(crate) fn play(&self) -> Vec<Seen> {
        let mut engine = Engine::new(self.policies());
        let mut limits: Vec<Limits> = self.services.iter().map(|(limits, _)| *limits).collect();
        let mut now = Instant::START;
        let mut transcript = Vec::new();
        for look in &self.looks {
            now = now.plus(look.later);
            let mut observation = host([]);
            observation.host =
                HostSeen { pool_cpu: Millicores::new(self.pool.0), pool_memory: Bytes::mebi(self.pool.1) };
            for (index, shown) in look.shown.iter().enumerate().take(self.services.len()) {
                if let Some((cpu, memory)) = shown.by_hand {
                    limits[index] = Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) };
                }
                if shown.present {
                    let seen = shown.service(now, limits[index], self.services[index].1);
                    observation.services.insert(service_name(index), seen);
                }
            }
            let decision = engine.observe(now, &observation);
            for (place, action) in decision.actions.iter().enumerate() {
                if look.obeys >> (place % 8) & 1 == 1 {
                    let index = (0..limits.len()).find(|index| service_name(*index) == *action.service());
                    match (action, &mut limits[index.expect("a known service")]) {
                        (Action::LimitCpu { to, .. }, limits) => limits.cpu = Some(*to),
                        (Action::LimitMemory { to, .. }, limits) => limits.memory = Some(*to),
                        (Action::Scale { .. }, _) => panic!("no policy of a history scales"),
                    }
                }
            }
            // A second look at the same instant is no second check.
            let new = |name: &&ServiceName| engine.checked(name) == Some(now) && look.later > Span::ZERO;
            let checked = observation.services.keys().filter(new).cloned().collect();
            transcript.push(Seen { at: now, observation, decision, checked });
        }
        transcript
    }
}

impl Shown {
    fn service(&self, now: Instant, limits: Limits, stateful: bool) -> ServiceSeen {
        let instances = self.instances.iter().zip(1..).map(|((state, measured), number)| InstanceSeen {
            number,
            state: *state,
            usage: measured.as_ref().map(|measured| measured.usage(now, limits)),
            oom_kills: self.deaths.1,
            restarts: self.deaths.0,
            started: None,
        });
        ServiceSeen { limits, stateful, instances: instances.collect(), traffic: None, deploying: false }
    }
}

impl Measured {
    fn usage(&self, now: Instant, limits: Limits) -> Usage {
        let memory = limits.memory.unwrap_or(Bytes::mebi(512));
        Usage {
            at: if self.from_the_future { now.plus(self.age) } else { now.minus(self.age) },
            window: self.window,
            cpu: limits.cpu.unwrap_or(Millicores::new(1000)).scaled(self.cpu, 1000),
            memory: memory.scaled(self.memory, 1000),
            memory_max: memory.scaled(self.memory_max, 1000),
        }
    }
}

/// Recommenders of the field; KRR is content with little history, or it would never come to its turn.
pub(crate) fn sizing() -> impl Strategy<Value = Sizing> {
    let share = || (1_u64..=1000).prop_map(Permille::new);
    prop_oneof![
        (share(), share()).prop_map(|(percentile, margin)| Sizing::Vpa { percentile, margin }),
        (share(), share(), 1_u32..4).prop_map(|(percentile, margin, points)| Sizing::Krr {
            percentile,
            margin,
            points
        }),
        prop_oneof![Just(Workload::Serving), Just(Workload::LatencyTolerant), Just(Workload::Batch)]
            .prop_map(|workload| Sizing::Autopilot { workload }),
    ]
}

/// Policies that an input check would let through.
pub(crate) fn policy() -> impl Strategy<Value = Vertical> {
    let thresholds = || (0_u64..900).prop_flat_map(|low| (Just(low), low + 1..=1000));
    let rhythm = (prop_oneof![Just(0_u64), Just(60), Just(300), 0_u64..1000], 1_u32..5, 0_u64..4000, 1_u32..8);
    let factors = (1001_u64..4000, 1_u64..1000, 500_u64..3000, 500_u64..3000);
    let bounds = (1_u64..2000, 0_u64..10_000, 1_u64..1000, 0_u64..10_000);
    (thresholds(), thresholds(), rhythm, factors, bounds, prop_oneof![5 => Just(Sizing::Thresholds), 3 => sizing()])
        .prop_map(|(cpu, memory, (every, checks, cooldown, per_day), factors, bounds, sizing)| {
            let (increase, decrease, over_cpu, over_memory) = factors;
            Vertical {
                sizing,
                every: Span::from_secs(every),
                cpu_low: Permille::new(cpu.0),
                cpu_high: Permille::new(cpu.1),
                memory_low: Permille::new(memory.0),
                memory_high: Permille::new(memory.1),
                checks,
                cooldown: Span::from_secs(cooldown),
                per_day,
                increase: Permille::new(increase),
                decrease: Permille::new(decrease),
                cpu_min: Millicores::new(bounds.0),
                cpu_max: Millicores::new(bounds.0 + bounds.1),
                memory_min: Bytes::mebi(bounds.2),
                memory_max: Bytes::mebi(bounds.2 + bounds.3),
                overcommit_cpu: Permille::new(over_cpu),
                overcommit_memory: Permille::new(over_memory),
                ..Vertical::default()
            }
        })
}

fn limits() -> impl Strategy<Value = Limits> {
    let cpu = prop_oneof![9 => (1_u64..8000).prop_map(Some), 1 => Just(None)];
    let memory = prop_oneof![9 => (1_u64..4 << 30).prop_map(Some), 1 => Just(None)];
    (cpu, memory).prop_map(|(cpu, memory)| Limits { cpu: cpu.map(Millicores::new), memory: memory.map(Bytes::new) })
}

fn measured() -> impl Strategy<Value = Measured> {
    let share = || prop_oneof![4 => 0_u64..300, 4 => 700_u64..1000, 2 => 0_u64..1200, 1 => 0_u64..4000];
    let age = prop_oneof![6 => Just(0_u64), 3 => 0_u64..120, 1 => 0_u64..2000];
    let window = prop_oneof![9 => Just(300_u64), 1 => 0_u64..300];
    (age, proptest::bool::weighted(0.05), window, share(), share(), share()).prop_map(
        |(age, from_the_future, window, cpu, memory, memory_max)| Measured {
            age: Span::from_secs(age),
            from_the_future,
            window: Span::from_secs(window),
            cpu,
            memory,
            memory_max,
        },
    )
}

fn shown() -> impl Strategy<Value = Shown> {
    let state = prop_oneof![
        20 => Just(InstanceState::Healthy),
        1 => Just(InstanceState::Unhealthy),
        1 => Just(InstanceState::Starting),
        1 => Just(InstanceState::Down),
    ];
    let instance = (state, proptest::option::weighted(0.97, measured()));
    let by_hand = proptest::option::weighted(0.01, (1_u64..8000, 1_u64..4096));
    let deaths = proptest::option::weighted(0.05, (0_u32..3, 0_u32..3)).prop_map(Option::unwrap_or_default);
    (proptest::bool::weighted(0.98), proptest::collection::vec(instance, 0..3), by_hand, deaths)
        .prop_map(|(present, instances, by_hand, deaths)| Shown { present, instances, by_hand, deaths })
}

fn later() -> impl Strategy<Value = Span> {
    prop_oneof![6 => Just(30_u64), 6 => Just(300), 3 => 0_u64..1000, 1 => 0_u64..50_000].prop_map(Span::from_secs)
}

/// Looks that repeat themselves for a while, since a row of checks must agree before anything happens.
fn looks(services: usize) -> impl Strategy<Value = Vec<Look>> {
    let one = (later(), proptest::collection::vec(shown(), services), any::<u8>(), 1_usize..8);
    proptest::collection::vec(one, 5..40).prop_map(|looks| {
        looks
            .into_iter()
            .flat_map(|(later, shown, obeys, times)| {
                std::iter::repeat_n(Look { later, shown, obeys: obeys | 1 }, times)
            })
            .collect()
    })
}

/// Anything that may happen to one to four services on a host.
pub(crate) fn history() -> impl Strategy<Value = History> {
    (1_usize..5).prop_flat_map(|count| {
        let services = proptest::collection::vec((limits(), proptest::bool::weighted(0.2)), count);
        let policies = proptest::collection::vec(policy(), count);
        (policies, services, (0_u64..40_000, 0_u64..40_000), looks(count))
            .prop_map(|(policies, services, pool, looks)| History { policies, services, pool, looks })
    })
}
