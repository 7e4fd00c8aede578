//! How many instances a service is to have. Before you change it:
//! 1. A rule says up or down, by how many and why; the guards below hold for every rule, and no rule knows them.
//! 2. Instances there are is what the host shows, those that start too. What was asked for and is not shown yet counts
//!    against the pool, never as instances.
//! 3. Adding waits for the cooldown since instances were added last; removing waits for the cooldown since any change. So
//!    a need that comes back after a removal is met at once.
//! 4. The cooldowns belong to the number of instances; limits have their own.
//! 5. What is not measured is no reason for fewer, and what was measured and is not any more is none either. More may rest
//!    on the instances that were measured, or on requests or metrics of the business alone: who is killed again and again is never measured, and needs
//!    it most.
//! 6. Fewer instances than the least number, or more than the largest, are mended without looking at any figure. Both
//!    numbers may follow a schedule. The last instance is never removed.
//! 7. That a service is at its least number is said once, not at every look of a quiet night.

pub mod bounds;
pub mod points;
pub mod weighted;

mod ahead;
mod field;
mod readings;

pub use readings::Readings;

use super::distress::Distress;
use super::measure;
use super::measure::Measured;
use super::measure::Settled;
use super::measure::Unmeasured;
use super::wish::Wish;
use crate::model::Guard;
use crate::model::Held;
use crate::model::Horizontal;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::MetricName;
use crate::model::Observation;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::Scaling;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Signal;
use crate::model::Usage;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use ahead::Foresight;
use bounds::Since;
use field::Driver;
use field::Look;
use std::collections::BTreeMap;

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Quiet,
    /// It would act, or cannot judge.
    Held(Option<Reason>, Guard),
    /// So many more.
    Up(u32, Reason),
    /// So many fewer.
    Down(u32, Reason),
    /// So many, whatever there are.
    To(u32, Reason),
}

/// A service with a horizontal policy, and what the engine remembers about it.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) policy: Horizontal,
    began: Option<Instant>,
    checked: Option<Instant>,
    /// A policy of the field, where the rule is one.
    driver: Option<Driver>,
    /// What the days before say, where the policy looks ahead.
    foresight: Option<Foresight>,
    /// Since when bounds are passed.
    since: Since,
    /// When instances were added last.
    added: Option<Instant>,
    /// When their number was changed last.
    changed: Option<Instant>,
    /// The CPU limit as somebody set it, where another policy moves it, and to what that policy did last.
    reference: Option<Millicores>,
    moved: Option<Millicores>,
    /// Another policy moves its limits.
    moving: bool,
    /// The limits as they were seen last, and since when.
    limits: (Limits, Settled),
    /// Its requests were counted at some time.
    counted: bool,
    /// The least number, where fewer were wanted at the look before and it was said that there are none.
    rests: Option<u32>,
}

impl Watched {
    /// A service nobody has looked at yet.
    pub(super) fn new(policy: Horizontal) -> Self {
        let settled = Settled { cpu: Instant::START, memory: Instant::START };
        let driver = match &policy.scaling {
            Scaling::Reference(reference) => Some(Driver::new(reference, &policy)),
            Scaling::Bounds(_) | Scaling::Points(_) | Scaling::Weighted(_) | Scaling::Schedule => None,
        };
        let foresight = policy.ahead.map(|ahead| Foresight::new(ahead, policy.every));
        Self {
            policy,
            driver,
            foresight,
            began: None,
            checked: None,
            since: Since::default(),
            added: None,
            changed: None,
            reference: None,
            moved: None,
            moving: false,
            limits: (Limits::default(), settled),
            counted: false,
            rests: None,
        }
    }

    /// When it was last checked.
    pub(super) const fn checked(&self) -> Option<Instant> {
        self.checked
    }

    /// Takes note of the limits; `moving` where another policy changes them.
    pub(super) fn look(&mut self, now: Instant, service: Option<&ServiceSeen>, moving: bool) {
        self.began.get_or_insert(now);
        let Some(service) = service else { return };
        self.counted |= service.traffic.is_some();
        self.moving = moving;
        if moving {
            // On its way from what somebody set to where the policy moved it.
            let way = self.reference.min(self.moved)..=self.reference.max(self.moved);
            if self.limits.0.cpu != service.limits.cpu && !(self.moved.is_some() && way.contains(&service.limits.cpu)) {
                (self.reference, self.moved) = (service.limits.cpu, None);
            }
        }
        let (limits, settled) = &mut self.limits;
        if limits.cpu != service.limits.cpu {
            settled.cpu = now;
        }
        if limits.memory != service.limits.memory {
            settled.memory = now;
        }
        *limits = service.limits;
    }

    /// Whether an evaluation is due; if so, it counts as done.
    pub(super) fn take_due_check(&mut self, now: Instant) -> bool {
        let due = self.checked.or(self.began).is_some_and(|last| now.since(last) >= self.policy.every);
        if due {
            self.checked = Some(now);
        }
        due
    }

    /// Judges the service: a wish for what its own rules allow, and what they hold back.
    pub(super) fn check(
        &mut self,
        now: Instant,
        name: &ServiceName,
        (service, seen): (Option<&ServiceSeen>, &Observation),
        distress: Option<Distress<'_>>,
        wishes: &mut Vec<Wish>,
        held: &mut Vec<Held>,
    ) {
        let mut hold = |wanted, guard| {
            held.push(Held { service: name.clone(), resource: Some(Resource::Replicas), wanted, guard });
        };
        let rested = self.rests.take();
        let Some(service) = service else {
            self.since.forget();
            return hold(None, Guard::NoData);
        };
        let replicas = u32::try_from(service.instances.len()).unwrap_or(u32::MAX);
        let mut wish = |to: u32, why| {
            let (instances, from, to) = (u64::from(replicas), u64::from(replicas), u64::from(to));
            wishes.push(Wish { service: name.clone(), resource: Resource::Replicas, instances, from, to, why });
        };
        self.foresee(now, service);
        let never = [
            (service.stateful, Guard::Stateful),
            (service.deploying, Guard::Deploying),
            (replicas == 0, Guard::NotReady),
        ];
        if let Some((_, guard)) = never.into_iter().find(|(holds, _)| *holds) {
            self.since.forget();
            return hold(None, guard);
        }
        let (least, most) = self.range(now);
        if least > most {
            self.since.forget();
            return hold(None, Guard::AtReplicaBound { bound: most });
        }
        let bound = replicas.clamp(least, most);
        if bound != replicas {
            let why = Reason::OutOfRange { seen: replicas, bound };
            return match self.too_soon(now, bound > replicas) {
                Some(guard) => hold(Some(why), guard),
                None => wish(bound, why),
            };
        }
        let (readings, lacks) = match self.read(now, service, seen, replicas) {
            Ok(read) => read,
            Err(guard) => {
                self.since.forget();
                return hold(None, guard);
            }
        };
        let mut verdict = self.judge(now, service, &readings);
        let limit = self.limits(service).cpu.unwrap_or(Millicores::ZERO);
        if let Some(foresight) = &mut self.foresight {
            verdict = foresight.over(verdict, now, &readings, limit);
        }
        let (up, step, why) = match verdict {
            Verdict::Quiet => return,
            Verdict::Held(wanted, guard) => {
                let at_least = replicas == least && guard == Guard::AtReplicaBound { bound: least };
                if !at_least || self.is_news(rested, least) {
                    hold(wanted, guard);
                }
                return;
            }
            Verdict::Up(step, why) => (true, step, why),
            Verdict::Down(step, why) => (false, step, why),
            Verdict::To(to, why) => (to > replicas, to.abs_diff(replicas), why),
        };
        let unwell = service.instances.iter().any(|instance| instance.state != InstanceState::Healthy);
        let unsafe_now = distress.filter(|_| !up).map(Distress::guard);
        let lost = self.counted && service.traffic.is_none() && self.policy.looks_at(Signal::is_of_requests)
            || self
                .policy
                .looks_at(|signal| matches!(signal, Signal::Custom(_)) && readings.of_signal(signal).is_none());
        let step = step.min(if up { self.policy.step_up } else { self.policy.step_down }.max(1));
        let to = if up { replicas.saturating_add(step).min(most) } else { replicas.saturating_sub(step).max(least) };
        if to == replicas {
            if up || self.is_news(rested, least) {
                hold(Some(why), Guard::AtReplicaBound { bound: replicas });
            }
            return;
        }
        let blind = lacks.or(lost.then_some(Guard::NoData)).filter(|_| !up);
        let unsafe_now = blind.or(unsafe_now).or((unwell && !up).then_some(Guard::NotReady));
        if let Some(guard) = unsafe_now.or(self.too_soon(now, up)) {
            return hold(Some(why), guard);
        }
        wish(to, why);
    }

    /// Lets the forecast learn what all instances use, where it can be known.
    fn foresee(&mut self, now: Instant, service: &ServiceSeen) {
        let Some(foresight) = &mut self.foresight else { return };
        let fresh = |usage: &Usage| usage.at <= now && now.since(usage.at) <= self.policy.stale_after;
        let used = service.instances.iter().filter_map(|one| one.usage.filter(fresh)).map(|usage| usage.cpu);
        foresight.observe(now, used.reduce(Millicores::plus));
    }

    /// Whether it is to be said that a service has its least number: not where that was said at the look before.
    fn is_news(&mut self, rested: Option<u32>, least: u32) -> bool {
        self.rests = Some(least);
        rested != self.rests
    }

    /// Instances at this time, at least and at most; never none.
    fn range(&self, now: Instant) -> (u32, u32) {
        let (least, most) = self.policy.range(now);
        (least.max(1), most)
    }

    /// What shares are of. Where another policy moves the limits, CPU is a share of what somebody else set, and memory of
    /// nothing: its limit follows what an instance holds.
    fn limits(&self, service: &ServiceSeen) -> Limits {
        if !self.moving {
            return service.limits;
        }
        Limits { cpu: self.reference.or(service.limits.cpu), memory: None }
    }

    /// The figures, and what they lack for anything to be taken away. Where some instances were not measured the others
    /// stand for them, and where none were, the requests and the metrics: that is enough for more, never for fewer.
    fn read(
        &self,
        now: Instant,
        service: &ServiceSeen,
        seen: &Observation,
        replicas: u32,
    ) -> Result<(Readings, Option<Guard>), Guard> {
        let traffic = service.traffic.filter(|_| self.policy.looks_at(Signal::is_of_requests));
        if let Some(traffic) = &traffic {
            let age = now.since(traffic.at);
            if traffic.at > now {
                let why = format!("requests were counted at {}, which is still to come", traffic.at);
                return Err(Guard::Absurd { why });
            }
            if age > self.policy.stale_after {
                return Err(Guard::Stale { age });
            }
            if traffic.window == Span::ZERO {
                return Err(Guard::Absurd { why: "requests were counted over no time".to_owned() });
            }
            if traffic.errors > 1_000_000 {
                let share = Quantity::Share(traffic.errors);
                return Err(Guard::Absurd { why: format!("{share} of the requests failed, which is more than all") });
            }
        }
        let host = &seen.host;
        let metrics: BTreeMap<MetricName, Quantity> = seen
            .fresh_metrics(now, self.policy.stale_after)
            .filter(|(name, _)| self.policy.looks_at(|signal| signal == Signal::Custom(*name)))
            .collect();
        let measured =
            |unmeasured| measure::measured(now, service, host, self.policy.stale_after, (self.limits.1, unmeasured));
        let limits = self.limits(service);
        let of = |measured: Measured| Readings {
            traffic,
            metrics: metrics.clone(),
            ..Readings::of(&measured, limits, host, replicas)
        };
        let lacks = match measured(Unmeasured::Refused) {
            Ok(measured) => return Ok((of(measured), None)),
            Err(lacks @ (Guard::NoData | Guard::NotReady)) => lacks,
            Err(guard) => return Err(guard),
        };
        match measured(Unmeasured::LeftOut) {
            Ok(measured) => Ok((of(measured), Some(lacks))),
            Err(Guard::NoData | Guard::NotReady) if traffic.is_some() || !metrics.is_empty() => {
                Ok((Readings { replicas, cpu: None, memory: None, traffic, metrics }, Some(lacks)))
            }
            Err(Guard::NoData | Guard::NotReady) => Err(lacks),
            Err(guard) => Err(guard),
        }
    }

    fn judge(&mut self, now: Instant, service: &ServiceSeen, readings: &Readings) -> Verdict {
        let steps = (self.policy.step_up, self.policy.step_down);
        let healthy = service.instances.iter().filter(|instance| instance.state == InstanceState::Healthy).count();
        let ready = u32::try_from(healthy).unwrap_or(u32::MAX);
        let (replicas, policy, limits) = (readings.replicas, &self.policy, self.limits(service));
        let look = Look { now, service, readings, limits, replicas, ready, policy };
        // A policy of the field has its own idea of missing data, and a schedule needs none.
        let is_own = !matches!(self.policy.scaling, Scaling::Reference(_) | Scaling::Schedule);
        let is_known = |signal| signal != Signal::Replicas && readings.of_signal(signal).is_some();
        if is_own && !self.policy.scaling.looks_at(is_known) {
            self.since.forget();
            return Verdict::Held(None, Guard::NoData);
        }
        match &self.policy.scaling {
            Scaling::Reference(_) => self.driver.as_mut().map_or(Verdict::Quiet, |driver| driver.judge(&look)),
            Scaling::Bounds(policy) => bounds::judge(policy, &mut self.since, now, readings, steps),
            Scaling::Points(policy) => points::judge(policy, readings, steps),
            Scaling::Weighted(policy) => weighted::judge(policy, readings, steps),
            Scaling::Schedule => Verdict::Quiet,
        }
    }

    /// The cooldown that holds back, if one does.
    fn too_soon(&self, now: Instant, up: bool) -> Option<Guard> {
        let (last, cooldown) =
            if up { (self.added, self.policy.cooldown_up) } else { (self.changed, self.policy.cooldown_down) };
        let since = now.since(last?);
        (since < cooldown).then(|| Guard::Cooldown { left: cooldown.minus(since) })
    }

    /// Whether there could be more instances, so that a limit need not be raised.
    pub(super) fn can_grow(&self, now: Instant, instances: u64) -> bool {
        let (least, most) = self.range(now);
        least <= most && instances < u64::from(most)
    }

    /// The CPU limit as somebody set it, in millicores; zero where there was none.
    pub(super) fn reference(&self) -> u64 {
        self.reference.map_or(0, Millicores::get)
    }

    /// Takes note that the other policy moves the CPU limit.
    pub(super) const fn note_limit(&mut self, to: u64) {
        self.moved = Some(Millicores::new(to));
    }

    /// When the number of instances was changed last.
    pub(super) const fn changed(&self) -> Option<Instant> {
        self.changed
    }

    /// Takes note that the number is being changed.
    pub(super) fn note(&mut self, now: Instant, wish: &Wish) {
        let to = u32::try_from(wish.to).unwrap_or(u32::MAX);
        self.changed = Some(now);
        if wish.to > wish.from {
            self.added = Some(now);
        }
        self.since.forget();
        if let Some(driver) = &mut self.driver {
            driver.applied(now, u32::try_from(wish.from).unwrap_or(u32::MAX), to);
        }
    }
}
