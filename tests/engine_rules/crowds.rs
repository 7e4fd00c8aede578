//! Histories in which instances come and go: policies of every kind, alone and together, drawn at random, on a host that
//! lies, forgets, and obeys when it likes.

use crate::arbitrary::policy;
use crate::arbitrary::service_name;
use crate::stage::host;
use crate::stage::scale;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::Ahead;
use plimsoll::model::AutopilotFigures;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Horizontal;
use plimsoll::model::HostSeen;
use plimsoll::model::HpaFigures;
use plimsoll::model::InstanceState;
use plimsoll::model::KpaFigures;
use plimsoll::model::Limits;
use plimsoll::model::MetricName;
use plimsoll::model::MetricSeen;
use plimsoll::model::NomadTargetFigures;
use plimsoll::model::NomadThresholdFigures;
use plimsoll::model::Observation;
use plimsoll::model::Period;
use plimsoll::model::PointScore;
use plimsoll::model::Points;
use plimsoll::model::Policy;
use plimsoll::model::Quantity;
use plimsoll::model::Reference;
use plimsoll::model::Scaling;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Signal;
use plimsoll::model::StepFigures;
use plimsoll::model::Target;
use plimsoll::model::TrackingFigures;
use plimsoll::model::TrafficSeen;
use plimsoll::model::Trigger;
use plimsoll::model::Usage;
use plimsoll::model::WeightedPart;
use plimsoll::model::WeightedScore;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_oneof;
use std::collections::BTreeMap;

/// Everything that happens to an engine.
#[derive(Debug, Clone)]
pub(crate) struct Crowd {
    pub(crate) policies: Vec<Policy>,
    /// Limits, whether it holds data, and how many instances there are at first.
    pub(crate) services: Vec<(Limits, bool, u32)>,
    pub(crate) pool: (u64, u64),
    pub(crate) looks: Vec<Look>,
}

/// One look, and what became of the host since the last.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    later: Span,
    shown: Vec<Shown>,
    /// The metric of the business, in thousandths.
    orders: Option<(Age, u64)>,
    /// Which of the decided actions the host carries out.
    obeys: u8,
}

/// What is shown of a service; measurements are shares of its limits, and go round among its instances.
#[derive(Debug, Clone)]
struct Shown {
    present: bool,
    deploying: bool,
    instances: Vec<(InstanceState, Option<Measured>)>,
    traffic: Option<Traffic>,
    /// Instances and limits that somebody set.
    by_hand: Option<(u32, u64, u64)>,
    /// Restarts and OOM kills of each instance so far.
    deaths: (u32, u32),
}

#[derive(Debug, Clone)]
struct Measured {
    age: Age,
    window: Span,
    cpu: u64,
    memory: u64,
    memory_max: u64,
}

/// How old a measurement is, or from when in the future.
#[derive(Debug, Clone, Copy)]
enum Age {
    Past(Span),
    Future(Span),
}

#[derive(Debug, Clone)]
struct Traffic {
    age: Age,
    rate: u64,
    errors: u64,
    latency: Option<Span>,
    inside: u64,
}

/// A look, what was shown at it, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) observation: Observation,
    pub(crate) decision: Decision,
    pub(crate) checked: Vec<ServiceName>,
}

impl Crowd {
    pub(crate) fn policies(&self) -> BTreeMap<ServiceName, Policy> {
        self.policies.iter().enumerate().map(|(index, policy)| (service_name(index), policy.clone())).collect()
    }

    /// The horizontal policy of a service.
    pub(crate) fn horizontal(&self, name: &ServiceName) -> Option<&Horizontal> {
        let index = (0..self.policies.len()).find(|index| service_name(*index) == *name)?;
        self.policies[index].horizontal()
    }

    /// Lets an engine live through it; the engine as it is at the end, and what it saw and decided.
    pub(crate) fn play(&self) -> (Engine, Vec<Seen>) {
        let mut engine = Engine::new(self.policies());
        let begin = |(limits, stateful, count): &(Limits, bool, u32)| {
            let mut service = ServiceSeen {
                limits: *limits,
                stateful: *stateful,
                instances: Vec::new(),
                traffic: None,
                deploying: false,
            };
            scale(&mut service, *count);
            service
        };
        let mut services: Vec<ServiceSeen> = self.services.iter().map(begin).collect();
        let mut now = Instant::START;
        let mut transcript = Vec::new();
        for look in &self.looks {
            now = now.plus(look.later);
            let mut observation = host([]);
            observation.host =
                HostSeen { pool_cpu: Millicores::new(self.pool.0), pool_memory: Bytes::mebi(self.pool.1) };
            for (index, (shown, service)) in look.shown.iter().zip(&mut services).enumerate() {
                shown.show(now, service);
                if shown.present {
                    observation.services.insert(service_name(index), service.clone());
                }
            }
            if let Some((age, value)) = look.orders {
                let seen = MetricSeen { at: age.before(now), value: Quantity::Number(value) };
                observation.metrics.insert(orders(), seen);
            }
            let decision = engine.observe(now, &observation);
            for (place, action) in decision.actions.iter().enumerate() {
                if look.obeys >> (place % 8) & 1 == 1 {
                    let index = (0..services.len()).find(|index| service_name(*index) == *action.service());
                    let service = &mut services[index.expect("a known service")];
                    match action {
                        Action::LimitCpu { to, .. } => service.limits.cpu = Some(*to),
                        Action::LimitMemory { to, .. } => service.limits.memory = Some(*to),
                        Action::Scale { to, .. } => scale(service, *to),
                    }
                }
            }
            let new = |name: &&ServiceName| engine.checked(name) == Some(now) && look.later > Span::ZERO;
            let checked = observation.services.keys().filter(new).cloned().collect();
            transcript.push(Seen { at: now, observation, decision, checked });
        }
        (engine, transcript)
    }
}

impl Shown {
    fn show(&self, now: Instant, service: &mut ServiceSeen) {
        if let Some((count, cpu, memory)) = self.by_hand {
            scale(service, count);
            service.limits = Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) };
        }
        let limits = service.limits;
        for (instance, (state, measured)) in service.instances.iter_mut().zip(self.instances.iter().cycle()) {
            instance.state = *state;
            instance.usage = measured.as_ref().map(|measured| measured.usage(now, limits));
            (instance.restarts, instance.oom_kills) = self.deaths;
        }
        service.traffic = self.traffic.as_ref().map(|traffic| traffic.seen(now));
        service.deploying = self.deploying;
    }
}

impl Age {
    fn before(self, now: Instant) -> Instant {
        match self {
            Self::Past(span) => now.minus(span),
            Self::Future(span) => now.plus(span),
        }
    }
}

impl Measured {
    fn usage(&self, now: Instant, limits: Limits) -> Usage {
        let memory = limits.memory.unwrap_or(Bytes::mebi(512));
        Usage {
            at: self.age.before(now),
            window: self.window,
            cpu: limits.cpu.unwrap_or(Millicores::new(1000)).scaled(self.cpu, 1000),
            memory: memory.scaled(self.memory, 1000),
            memory_max: memory.scaled(self.memory_max, 1000),
        }
    }
}

impl Traffic {
    fn seen(&self, now: Instant) -> TrafficSeen {
        TrafficSeen {
            at: self.age.before(now),
            window: Span::from_mins(5),
            rate: Rate::micro(self.rate),
            errors: self.errors,
            latency_p95: self.latency,
            inside: self.inside,
        }
    }
}

/// The one metric of the business that policies look at here.
pub(crate) fn orders() -> MetricName {
    "orders".parse().expect("a name")
}

fn signal() -> impl Strategy<Value = Signal> {
    proptest::sample::select(vec![
        Signal::Cpu,
        Signal::Cpu,
        Signal::Memory,
        Signal::Queue,
        Signal::Latency,
        Signal::Errors,
        Signal::Requests,
        Signal::Replicas,
        Signal::Custom(orders()),
    ])
}

/// A figure of a signal, somewhere within what histories show of it.
fn figure(signal: Signal, part: u64) -> Quantity {
    match signal {
        Signal::Cpu | Signal::Memory => Quantity::Share(part * 1000),
        Signal::Errors => Quantity::Share(part * 100),
        Signal::Queue | Signal::Custom(_) => Quantity::Number(part * 100),
        Signal::Latency => Quantity::Time(Span::from_millis(part * 5)),
        Signal::Requests => Quantity::Rate(part * 1_000_000),
        Signal::Replicas => Quantity::Number(part * 10),
    }
}

/// A trigger for adding and one for removing, the second below the first.
fn triggers() -> impl Strategy<Value = (Trigger, Trigger)> {
    let lasts = || prop_oneof![3 => Just(0_u64), 1 => Just(120), 1 => 0_u64..1000].prop_map(Span::from_secs);
    (signal(), 1_u64..1000, 0_u64..1000, lasts(), lasts()).prop_map(|(signal, high, low, up, down)| {
        let trigger = |part, lasts| Trigger { signal, bound: figure(signal, part), lasts };
        (trigger(high, up), trigger(high * low / 1000, down))
    })
}

fn scaling() -> impl Strategy<Value = Scaling> {
    let bounds = proptest::collection::vec(triggers(), 1..4).prop_map(|both| {
        let mut bounds = Bounds { up: Vec::new(), down: Vec::new() };
        for (up, down) in both {
            if bounds.up.iter().all(|other: &Trigger| other.signal != up.signal) {
                bounds.up.push(up);
                bounds.down.push(down);
            }
        }
        Scaling::Bounds(bounds)
    });
    let point = (triggers(), 1_u32..5, 1_u32..5);
    let points = (proptest::collection::vec(point, 1..5), 1_u32..8, 1_u32..8).prop_map(|(each, up_from, down_from)| {
        let at_once = |trigger: Trigger, points| Points { trigger: Trigger { lasts: Span::ZERO, ..trigger }, points };
        Scaling::Points(PointScore {
            up: each.iter().map(|((up, _), points, _)| at_once(*up, *points)).collect(),
            down: each.iter().map(|((_, down), _, points)| at_once(*down, *points)).collect(),
            up_from,
            down_from,
        })
    });
    let part = (signal(), 0_u32..100, 1_u64..1000);
    let weighted = (proptest::collection::vec(part, 1..5), 1_u64..1500, 0_u64..1000).prop_map(|(parts, up, down)| {
        let part = |(signal, weight, whole)| WeightedPart { signal, weight, whole: figure(signal, whole) };
        Scaling::Weighted(WeightedScore {
            parts: parts.into_iter().map(part).collect(),
            up: Permille::new(up),
            down: Permille::new(up * down / 1000),
        })
    });
    prop_oneof![2 => bounds, 1 => points, 1 => weighted]
}

/// What a policy of the field aims for.
fn target() -> impl Strategy<Value = Target> {
    let signals = [
        Signal::Cpu,
        Signal::Cpu,
        Signal::Memory,
        Signal::Queue,
        Signal::Latency,
        Signal::Errors,
        Signal::Requests,
        Signal::Custom(orders()),
    ];
    (proptest::sample::select(signals.to_vec()), 50_u64..1000)
        .prop_map(|(signal, part)| Target { signal, value: figure(signal, part) })
}

/// One to three targets, none of them twice.
fn targets() -> impl Strategy<Value = Vec<Target>> {
    proptest::collection::vec(target(), 1..4).prop_map(|mut all| {
        all.sort_by_key(|target| target.signal);
        all.dedup_by_key(|target| target.signal);
        all
    })
}

/// Policies of the field, with figures of their own.
pub(crate) fn reference() -> impl Strategy<Value = Reference> {
    let span = |most: u64| (0_u64..most).prop_map(Span::from_secs);
    let minutes = |most: u64| (1_u64..most).prop_map(Span::from_mins);
    let hpa = (targets(), 0_u64..200, span(900)).prop_map(|(targets, tolerance, down_stabilisation)| {
        Reference::Hpa(HpaFigures { targets, tolerance: Permille::new(tolerance), down_stabilisation })
    });
    let of_kpa = prop_oneof![Just(Signal::Queue), Just(Signal::Requests)];
    let kpa = (of_kpa, 50_u64..1000, 6_u64..600).prop_map(|(signal, part, window)| {
        let target = Target { signal, value: figure(signal, part) };
        Reference::Kpa(KpaFigures { target, stable_window: Span::from_secs(window) })
    });
    let tracking = (targets(), span(600), span(600)).prop_map(|(targets, cooldown_out, cooldown_in)| {
        Reference::TargetTracking(TrackingFigures { targets, cooldown_out, cooldown_in })
    });
    let steps = (target(), span(600), 1_u32..4).prop_map(|(threshold, cooldown, periods)| {
        Reference::StepScaling(StepFigures { threshold, cooldown, periods, ..StepFigures::default() })
    });
    let autopilot = (300_u64..900, minutes(120), minutes(120)).prop_map(|(share, horizon, downscale_after)| {
        Reference::Autopilot(AutopilotFigures { utilisation: Permille::new(share), horizon, downscale_after })
    });
    let nomad = (targets(), 0_u64..100, span(600)).prop_map(|(targets, threshold, cooldown)| {
        Reference::NomadTargetValue(NomadTargetFigures { targets, threshold: Permille::new(threshold), cooldown })
    });
    let bounds = (target(), 0_u64..500, 1_u32..6, span(600)).prop_map(|(up, part, points, cooldown)| {
        let down = Target { value: figure(up.signal, part * 50 / 1000), ..up };
        Reference::NomadThreshold(NomadThresholdFigures { up, down, points, cooldown })
    });
    prop_oneof![hpa, kpa, tracking, steps, autopilot, nomad, bounds]
}

/// Times of the week with a range of their own.
fn schedule() -> impl Strategy<Value = Vec<Period>> {
    let period =
        (any::<[bool; 7]>(), 0_u64..24, 1_u64..25, 1_u32..4, 0_u32..4).prop_map(|(days, from, lasts, least, more)| {
            Period {
                days,
                from: Span::from_mins(from * 60),
                lasts: Span::from_mins(lasts * 60),
                replicas_min: least,
                replicas_max: least + more,
            }
        });
    let periods = proptest::collection::vec(period, 1..3);
    proptest::option::weighted(0.2, periods).prop_map(Option::unwrap_or_default)
}

/// A policy of the field as it comes, or with rests and steps around it; a range that follows the clock; or a forecast.
fn of_the_field() -> impl Strategy<Value = Horizontal> {
    (horizontal(), reference(), any::<bool>()).prop_map(|(around, reference, alone)| {
        let Horizontal { replicas_min, replicas_max, per_host, overcommit_cpu, overcommit_memory, .. } = around;
        if alone {
            let of_the_field = Horizontal::of_the_field(reference);
            return Horizontal {
                replicas_min,
                replicas_max,
                per_host,
                overcommit_cpu,
                overcommit_memory,
                ..of_the_field
            };
        }
        Horizontal { scaling: Scaling::Reference(reference), ..around }
    })
}

fn with_times() -> impl Strategy<Value = Horizontal> {
    let ahead =
        (200_u64..900, 1_u64..60).prop_map(|(cpu, by)| Ahead { cpu: Permille::new(cpu), by: Span::from_mins(by) });
    let any = prop_oneof![6 => horizontal(), 5 => of_the_field(), 1 => horizontal().prop_map(|around| Horizontal {
        scaling: Scaling::Schedule,
        ..around
    })];
    (any, schedule(), proptest::option::weighted(0.1, ahead)).prop_map(|(policy, schedule, ahead)| Horizontal {
        schedule,
        ahead,
        ..policy
    })
}

/// Policies that an input check would let through.
pub(crate) fn horizontal() -> impl Strategy<Value = Horizontal> {
    let range = (1_u32..5, 0_u32..6, proptest::option::weighted(0.2, 0_u32..6));
    let rhythm = prop_oneof![Just(0_u64), Just(30), Just(60), 0_u64..400];
    let cooldown = || prop_oneof![2 => Just(0_u64), 2 => Just(300), 1 => 0_u64..2000];
    let steps = (1_u32..4, 1_u32..4);
    let overcommit = (500_u64..3000, 500_u64..3000);
    (range, rhythm, steps, (cooldown(), cooldown()), overcommit, scaling()).prop_map(
        |((least, more, per_host), every, steps, cooldowns, overcommit, scaling)| Horizontal {
            replicas_min: least,
            replicas_max: least + more,
            per_host: per_host.map(|more| least + more),
            every: Span::from_secs(every),
            step_up: steps.0,
            step_down: steps.1,
            cooldown_up: Span::from_secs(cooldowns.0),
            cooldown_down: Span::from_secs(cooldowns.1),
            overcommit_cpu: Permille::new(overcommit.0),
            overcommit_memory: Permille::new(overcommit.1),
            ..Horizontal::around(scaling)
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        5 => with_times().prop_map(Policy::Horizontal),
        4 => (policy(), with_times()).prop_map(|(vertical, horizontal)| Policy::Both(vertical, horizontal)),
        1 => policy().prop_map(Policy::Vertical),
    ]
}

fn age() -> impl Strategy<Value = Age> {
    let past = prop_oneof![6 => Just(0_u64), 3 => 0_u64..120, 1 => 0_u64..2000];
    prop_oneof![
        30 => past.prop_map(|age| Age::Past(Span::from_secs(age))),
        1 => (1_u64..2000).prop_map(|age| Age::Future(Span::from_secs(age))),
    ]
}

fn measured() -> impl Strategy<Value = Measured> {
    let share = || prop_oneof![4 => 0_u64..300, 4 => 700_u64..1000, 2 => 0_u64..1200, 1 => 0_u64..2500];
    let window = prop_oneof![9 => Just(300_u64), 1 => 0_u64..300];
    (age(), window, share(), share(), share()).prop_map(|(age, window, cpu, memory, memory_max)| Measured {
        age,
        window: Span::from_secs(window),
        cpu,
        memory,
        memory_max,
    })
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let part = || prop_oneof![2 => 0_u64..300, 2 => 700_u64..1000, 1 => 0_u64..1200];
    (age(), part(), part(), proptest::option::weighted(0.9, part()), part()).prop_map(
        |(age, rate, errors, latency, inside)| Traffic {
            age,
            rate: rate * 1_000_000,
            errors: errors * 100,
            latency: latency.map(|part| Span::from_millis(part * 5)),
            inside: inside * 100,
        },
    )
}

fn shown() -> impl Strategy<Value = Shown> {
    let state = prop_oneof![
        40 => Just(InstanceState::Healthy),
        1 => Just(InstanceState::Unhealthy),
        1 => Just(InstanceState::Starting),
        1 => Just(InstanceState::Down),
    ];
    let instance = (state, proptest::option::weighted(0.98, measured()));
    let by_hand = proptest::option::weighted(0.01, (0_u32..12, 1_u64..4000, 1_u64..2048));
    let deaths = proptest::option::weighted(0.05, (0_u32..3, 0_u32..3)).prop_map(Option::unwrap_or_default);
    (
        proptest::bool::weighted(0.98),
        proptest::bool::weighted(0.03),
        proptest::collection::vec(instance, 1..4),
        proptest::option::weighted(0.7, traffic()),
        by_hand,
        deaths,
    )
        .prop_map(|(present, deploying, instances, traffic, by_hand, deaths)| Shown {
            present,
            deploying,
            instances,
            traffic,
            by_hand,
            deaths,
        })
}

/// Looks that repeat themselves for a while, since much must last before anything happens.
fn looks(services: usize) -> impl Strategy<Value = Vec<Look>> {
    let later = prop_oneof![8 => Just(30_u64), 4 => Just(60), 3 => Just(300), 2 => 0_u64..1000, 1 => 0_u64..50_000];
    let part = prop_oneof![2 => 0_u64..300, 2 => 700_u64..1000, 1 => 0_u64..1200].prop_map(|part| part * 100);
    let orders = proptest::option::weighted(0.8, (age(), part));
    let one = (later, proptest::collection::vec(shown(), services), orders, any::<u8>(), 1_usize..12);
    proptest::collection::vec(one, 5..30).prop_map(|looks| {
        let repeated = looks.into_iter().flat_map(|(later, shown, orders, obeys, times)| {
            let look = Look { later: Span::from_secs(later), shown, orders, obeys: obeys | 1 };
            std::iter::repeat_n(look, times)
        });
        repeated.collect()
    })
}

/// Anything that may happen to one to four services on a host; every other host is too small for all that they want.
pub(crate) fn crowd() -> impl Strategy<Value = Crowd> {
    (1_usize..5).prop_flat_map(|count| {
        let limit = |most: u64| prop_oneof![6 => (1..most).prop_map(Some), 1 => Just(None)];
        let limits = (limit(2000), limit(1 << 30))
            .prop_map(|(cpu, memory)| Limits { cpu: cpu.map(Millicores::new), memory: memory.map(Bytes::new) });
        let services = proptest::collection::vec((limits, proptest::bool::weighted(0.1), 0_u32..8), count);
        let policies = proptest::collection::vec(any_policy(), count);
        let pool = prop_oneof![1 => (0_u64..8000, 0_u64..4000), 1 => (8000_u64..40_000, 4000_u64..40_000)];
        (policies, services, pool, looks(count)).prop_map(|(policies, services, pool, looks)| Crowd {
            policies,
            services,
            pool,
            looks,
        })
    })
}
