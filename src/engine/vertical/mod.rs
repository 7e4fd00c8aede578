//! Policies that move limits: by thresholds (register E1), or as a recommender of the field says (`sized`). Before you change
//! it:
//! 1. CPU and memory are judged apart, but an adjustment is one of the service: both limits changed at one check count
//!    once against its cooldown and its daily limit.
//! 2. Usage is in thousandths of the limit, rounded down, and compared strictly: exactly on a threshold is within.
//! 3. A raised limit rounds up, a lowered one down: CPU to a millicore, memory to a whole MiB. Bounds win over rounding.
//! 4. Three checks in a row means in a row: a check without usable data, or a limit changed by anyone, ends the row. Old
//!    agreement is no evidence after a gap. A restart ends a row of low usage: what was used before it is forgotten.
//! 5. Whoever was OOM killed held all it was allowed: that counts as its working set for a day, however little it holds
//!    since its restart.
//! 6. Who dies after its CPU was lowered gets it back, whatever was measured since: see `taken`. While anybody on the host
//!    is killed again and again, nobody is given less: see `distress`.

use super::distress::Distress;
mod sized;

use super::history::History;
use super::measure;
use super::measure::Measured;
use super::measure::Settled;
use super::measure::Unmeasured;
use super::taken::Taken;
use super::wish::Limit;
use super::wish::Wish;
use super::wish::grain;
use super::wish::is_worthwhile;
use super::wish::scaled_down;
use super::wish::scaled_up;
use crate::model::Guard;
use crate::model::Held;
use crate::model::HostSeen;
use crate::model::InstanceSeen;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Sizing;
use crate::model::Vertical;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use sized::Advice;
use sized::Sizer;
use std::collections::VecDeque;

pub(super) const DAY: Span = Span::from_mins(24 * 60);

/// A limit that was raised counts as raised for this long, even where the host does not show it yet.
pub(super) const SETTLE: Span = Span::from_mins(5);

/// A service with a vertical policy, and what the engine remembers about it.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) policy: Vertical,
    /// What says how large a limit should be; `None` where thresholds do.
    sizer: Option<Sizer>,
    began: Option<Instant>,
    checked: Option<Instant>,
    cpu: Remembered,
    memory: Remembered,
    /// When it was adjusted, oldest first; nothing older than a day.
    adjusted: VecDeque<Instant>,
    restarts: u64,
    oom_kills: u64,
    /// When it was last seen to have been OOM killed, and the memory limit until then.
    killed: Option<(Instant, u64)>,
    /// CPU that was taken from it.
    taken: Taken,
}

/// What the engine remembers about one limit.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    seen: Option<u64>,
    since: Instant,
    row: Row,
    granted: Option<(Instant, u64)>,
}

/// Checks in a row that found the same.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    side: Option<Side>,
    checks: u32,
}

/// Which threshold was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// What is judged at a check, for one of the two limits.
struct Gauge {
    resource: Limit,
    limit: u64,
    /// Usage for growing.
    high_seen: Permille,
    /// Usage for shrinking: over the whole window.
    low_seen: Permille,
    /// What an instance needs at most, rounded up.
    demand: u64,
    high: Permille,
    low: Permille,
    min: u64,
    max: u64,
}

impl Watched {
    /// A service nobody has looked at yet.
    pub(super) fn new(policy: Vertical) -> Self {
        Self {
            policy,
            sizer: Sizer::new(&policy),
            began: None,
            checked: None,
            cpu: Remembered::default(),
            memory: Remembered::default(),
            adjusted: VecDeque::new(),
            restarts: 0,
            oom_kills: 0,
            killed: None,
            taken: Taken::default(),
        }
    }

    /// When it was last checked.
    pub(super) const fn checked(&self) -> Option<Instant> {
        self.checked
    }

    /// Takes note of the limits. They are what the host says they are, whoever changed them.
    pub(super) fn look(&mut self, now: Instant, service: Option<&ServiceSeen>, host: &HostSeen) {
        self.began.get_or_insert(now);
        if let Some(service) = service {
            if let Some(sizer) = &mut self.sizer {
                sizer.look(now, service, host);
            }
            let cpu = service.limits.cpu.map(Millicores::get);
            self.taken.look(now, self.cpu.seen, cpu);
            self.look_for_deaths(now, service);
            self.cpu.look(now, cpu);
            self.memory.look(now, service.limits.memory.map(Bytes::get));
        }
    }

    /// Takes note of restarts and OOM kills, by their counters; one that fell belongs to a new container.
    fn look_for_deaths(&mut self, now: Instant, service: &ServiceSeen) {
        let count = |each: fn(&InstanceSeen) -> u32| service.instances.iter().map(|one| u64::from(each(one))).sum();
        let (restarts, oom_kills): (u64, u64) = (count(|one| one.restarts), count(|one| one.oom_kills));
        if restarts > self.restarts {
            for row in [&mut self.cpu.row, &mut self.memory.row] {
                if row.side == Some(Side::Below) {
                    *row = Row::default();
                }
            }
        }
        let more = |count: u64, before: u64| count.saturating_sub(before);
        let cooldown = self.policy.cooldown;
        self.taken.died(now, more(oom_kills, self.oom_kills), more(restarts, self.restarts), cooldown);
        // Kills from before the first look may be of any age; they say nothing about this limit.
        if oom_kills > self.oom_kills
            && let Some(limit) = self.memory.seen
        {
            self.killed = Some((now, limit));
        }
        (self.restarts, self.oom_kills) = (restarts, oom_kills);
    }

    /// Whether a check is due; if so, it counts as taken. Two checks are never closer than the policy's period, so a late
    /// look checks once and moves the rhythm.
    pub(super) fn take_due_check(&mut self, now: Instant) -> bool {
        let due = self.checked.or(self.began).is_some_and(|last| now.since(last) >= self.policy.every);
        if due {
            self.checked = Some(now);
        }
        due
    }

    /// Judges the service: wishes for what its own rules allow, and what they hold back.
    pub(super) fn check(
        &mut self,
        now: Instant,
        name: &ServiceName,
        (service, host, history): (Option<&ServiceSeen>, &HostSeen, &History),
        distress: Option<Distress<'_>>,
        wishes: &mut Vec<Wish>,
        held: &mut Vec<Held>,
    ) {
        self.taken.blame(name, distress);
        let gives_back = service.is_some_and(|service| self.give_back(now, name, service, wishes, held));
        let settled = Settled { cpu: self.cpu.since, memory: self.memory.since };
        let reading = service.ok_or(Guard::NoData).and_then(|service| {
            measure::measured(now, service, host, self.policy.stale_after, (settled, Unmeasured::Refused))
                .map(|measured| (service, measured))
        });
        let (service, measured) = match reading {
            Ok(reading) => reading,
            Err(guard) => {
                self.cpu.row = Row::default();
                self.memory.row = Row::default();
                held.push(Held { service: name.clone(), resource: None, wanted: None, guard });
                return;
            }
        };
        let advice = match self.sizer.as_mut().map(|sizer| sizer.advise(now, service, history)) {
            None => None,
            Some(Ok(advice)) => Some(advice),
            Some(Err(guard)) => {
                held.push(Held { service: name.clone(), resource: None, wanted: None, guard });
                return;
            }
        };
        for resource in [Limit::Cpu, Limit::Memory] {
            let mut hold = |wanted, guard| {
                held.push(Held { service: name.clone(), resource: Some(resource.into()), wanted, guard });
            };
            let Some(gauge) = self.gauge(now, resource, service, &measured) else {
                hold(None, Guard::NoLimit);
                continue;
            };
            let found = match &advice {
                None => self.count(&gauge).map(|(side, why)| (side, why, None)),
                Some(advice) => self.compare(&gauge, advice),
            };
            let Some((side, why, waits)) = found else { continue };
            if gives_back && resource == Limit::Cpu {
                continue;
            }
            let unsafe_now = distress.filter(|_| side == Side::Below).map(Distress::guard);
            let too_soon = waits.or_else(|| self.too_soon(now, &gauge, side, service.stateful, &measured));
            if let Some(guard) = too_soon.or(unsafe_now) {
                hold(Some(why), guard);
                continue;
            }
            let (to, clipped) = match self.target(&gauge, side, &why) {
                Ok(target) => target,
                Err(guard) => {
                    hold(Some(why), guard);
                    continue;
                }
            };
            if let Some(guard) = clipped {
                hold(Some(why.clone()), guard);
            }
            let instances = service.instances.len() as u64;
            let resource = resource.into();
            wishes.push(Wish { service: name.clone(), resource, instances, from: gauge.limit, to, why });
        }
    }

    /// What a recommender says about one limit: on which side of the limit it is, why, and what the recommender waits for;
    /// `None` where the limit may stay.
    fn compare(&mut self, gauge: &Gauge, advice: &[Advice]) -> Option<(Side, Reason, Option<Guard>)> {
        let advice = advice.iter().find(|advice| advice.resource == gauge.resource)?;
        let to = gauge.rounded_up(advice.wanted).min(gauge.max).max(gauge.min);
        let matters = match self.policy.sizing {
            Sizing::Vpa { .. } => to != gauge.limit,
            _ => to != gauge.limit && is_worthwhile(gauge.limit, to),
        };
        if !matters {
            return None;
        }
        let side = if to > gauge.limit { Side::Above } else { Side::Below };
        self.remembered(gauge.resource).row = Row { side: Some(side), checks: self.policy.checks };
        let policy = self.policy.sizing.name().to_owned();
        let wanted = match gauge.resource {
            Limit::Cpu => Quantity::Cpu(Millicores::new(advice.wanted)),
            Limit::Memory => Quantity::Memory(Bytes::new(advice.wanted)),
        };
        Some((side, Reason::Sized { policy, wanted, note: advice.note.clone() }, advice.waits.clone()))
    }

    /// Wishes for the CPU that was taken from a service which died of it, where that is so; it needs no measurement.
    fn give_back(
        &mut self,
        now: Instant,
        name: &ServiceName,
        service: &ServiceSeen,
        wishes: &mut Vec<Wish>,
        held: &mut Vec<Held>,
    ) -> bool {
        let limit = service.limits.cpu.map_or(0, Millicores::get);
        let Some((before, why)) = self.taken.owed(now, limit).filter(|_| limit > 0) else { return false };
        let to = before.min(self.policy.cpu_max.get()).max(self.policy.cpu_min.get());
        let resource = Limit::Cpu.into();
        if to <= limit {
            return false;
        }
        match self.paced(now) {
            None => {
                let instances = service.instances.len() as u64;
                wishes.push(Wish { service: name.clone(), resource, instances, from: limit, to, why });
            }
            Some(guard) => {
                held.push(Held { service: name.clone(), resource: Some(resource), wanted: Some(why), guard });
            }
        }
        true
    }

    /// What is judged for one limit; `None` where there is none (Docker's zero is none, too).
    fn gauge(&self, now: Instant, resource: Limit, service: &ServiceSeen, measured: &Measured) -> Option<Gauge> {
        let policy = &self.policy;
        match resource {
            Limit::Cpu => {
                let limit = service.limits.cpu.map(Millicores::get).filter(|limit| *limit > 0)?;
                let seen = Permille::ratio(measured.cpu, limit.saturating_mul(measured.running))?;
                Some(Gauge {
                    resource,
                    limit,
                    high_seen: seen,
                    low_seen: seen,
                    demand: measured.cpu.div_ceil(measured.running),
                    high: policy.cpu_high,
                    low: policy.cpu_low,
                    min: policy.cpu_min.get(),
                    max: policy.cpu_max.get(),
                })
            }
            Limit::Memory => {
                let limit = service.limits.memory.map(Bytes::get).filter(|limit| *limit > 0)?;
                let killed = self.killed.filter(|(at, _)| now.since(*at) < DAY).map_or(0, |(_, held)| held);
                Some(Gauge {
                    resource,
                    limit,
                    high_seen: Permille::ratio(measured.memory, limit)?,
                    low_seen: Permille::ratio(measured.memory_max, limit)?,
                    demand: measured.memory_max.max(killed),
                    high: policy.memory_high,
                    low: policy.memory_low,
                    min: policy.memory_min.get(),
                    max: policy.memory_max.get(),
                })
            }
        }
    }

    /// Adds the check to the row of its limit; what the row now says, unless usage is within the thresholds.
    fn count(&mut self, gauge: &Gauge) -> Option<(Side, Reason)> {
        let side = if gauge.high_seen > gauge.high {
            Some(Side::Above)
        } else if gauge.low_seen < gauge.low {
            Some(Side::Below)
        } else {
            None
        };
        let row = &mut self.remembered(gauge.resource).row;
        let checks = if row.side == side { row.checks.saturating_add(1) } else { 1 };
        *row = Row { side, checks };
        Some(match side? {
            Side::Above => {
                (Side::Above, Reason::AboveThreshold { seen: gauge.high_seen, threshold: gauge.high, checks })
            }
            Side::Below => (Side::Below, Reason::BelowThreshold { seen: gauge.low_seen, threshold: gauge.low, checks }),
        })
    }

    /// Why the service may not be changed now, whatever the new limit would be. What lasts is named before what passes.
    fn too_soon(
        &mut self,
        now: Instant,
        gauge: &Gauge,
        side: Side,
        stateful: bool,
        measured: &Measured,
    ) -> Option<Guard> {
        let needed = self.policy.checks;
        let checks = self.remembered(gauge.resource).row.checks;
        if checks < needed {
            return Some(Guard::Hysteresis { checks, needed });
        }
        if side == Side::Below && stateful && gauge.resource == Limit::Memory {
            return Some(Guard::Stateful);
        }
        if side == Side::Below && !measured.all_well {
            return Some(Guard::NotReady);
        }
        if let Some(bound) = gauge.reached(side) {
            return Some(bound);
        }
        if side == Side::Below
            && gauge.resource == Limit::Cpu
            && let Some(guard) = self.taken.keeps(now)
        {
            return Some(guard);
        }
        self.paced(now)
    }

    /// Why the service may not be adjusted now, whatever is to be changed: its cooldown, or its daily limit.
    fn paced(&mut self, now: Instant) -> Option<Guard> {
        if let Some(last) = self.adjusted.back()
            && now.since(*last) < self.policy.cooldown
        {
            return Some(Guard::Cooldown { left: self.policy.cooldown.minus(now.since(*last)) });
        }
        while self.adjusted.front().is_some_and(|first| now.since(*first) >= DAY) {
            self.adjusted.pop_front();
        }
        let used = u32::try_from(self.adjusted.len()).unwrap_or(u32::MAX);
        if used < self.policy.per_day {
            return None;
        }
        // It was never adjusted more often than allowed, so the next is allowed when the oldest is a day old.
        Some(Guard::DailyLimit { used, left: self.adjusted.front().map_or(DAY, |at| DAY.minus(now.since(*at))) })
    }

    /// The new limit by factor or recommendation, rounding, bounds and demand; and the guard that cut a step short, if one
    /// did.
    fn target(&self, gauge: &Gauge, side: Side, why: &Reason) -> Result<(u64, Option<Guard>), Guard> {
        let grain = grain(gauge.resource.into());
        let to = match (why, side) {
            (Reason::Sized { wanted, .. }, _) => gauge.rounded_up(wanted.number()),
            (_, Side::Above) => gauge.rounded_up(scaled_up(gauge.limit, self.policy.increase.get(), 1000)),
            (_, Side::Below) => scaled_down(gauge.limit, self.policy.decrease.get(), 1000) / grain * grain,
        };
        let to = to.min(gauge.max).max(gauge.min);
        match side {
            Side::Above => {
                if to > gauge.limit {
                    Ok((to, None))
                } else {
                    Err(gauge.bound(gauge.max))
                }
            }
            Side::Below => {
                if to >= gauge.limit {
                    return Err(gauge.bound(gauge.min));
                }
                // So much that what was seen is at most `high` of it, or the service would have to grow again at once.
                let enough = match gauge.high.get() {
                    0 => u64::MAX,
                    high => gauge.rounded_up(scaled_up(gauge.demand, 1000, high)),
                };
                if enough <= to {
                    return Ok((to, None));
                }
                let guard = match gauge.resource {
                    Limit::Cpu => Guard::CpuDemand { seen: Millicores::new(gauge.demand) },
                    Limit::Memory => Guard::WorkingSet { seen: Bytes::new(gauge.demand) },
                };
                let possible = enough <= gauge.max && is_worthwhile(gauge.limit, enough) && enough < gauge.limit;
                if possible { Ok((enough, Some(guard))) } else { Err(guard) }
            }
        }
    }

    /// What an instance was promised of a resource: the limit seen, or a larger one granted a short time ago, which the
    /// host may not show yet.
    pub(super) fn promised(&self, now: Instant, resource: Limit) -> u64 {
        let remembered = match resource {
            Limit::Cpu => &self.cpu,
            Limit::Memory => &self.memory,
        };
        remembered.seen.unwrap_or(0).max(remembered.granted(now))
    }

    /// Takes note that a limit is being changed.
    pub(super) fn note_adjustment(&mut self, now: Instant, wish: &Wish) {
        let to = wish.to;
        let limit = if wish.resource == Resource::Cpu { Limit::Cpu } else { Limit::Memory };
        if limit == Limit::Cpu {
            self.taken.note(now, wish.from, to, &wish.why);
        }
        let remembered = self.remembered(limit);
        remembered.granted = Some((now, to.max(remembered.granted(now))));
        remembered.row = Row::default();
        if self.adjusted.back() != Some(&now) {
            self.adjusted.push_back(now);
        }
    }

    const fn remembered(&mut self, resource: Limit) -> &mut Remembered {
        match resource {
            Limit::Cpu => &mut self.cpu,
            Limit::Memory => &mut self.memory,
        }
    }
}

impl Remembered {
    fn look(&mut self, now: Instant, limit: Option<u64>) {
        if self.seen != limit {
            self.row = Row::default();
            self.since = now;
            self.seen = limit;
        }
    }

    /// The largest limit granted a short time ago, zero where there is none.
    fn granted(&self, now: Instant) -> u64 {
        self.granted.filter(|(at, _)| now.since(*at) < SETTLE).map_or(0, |(_, to)| to)
    }
}

impl Gauge {
    /// A limit as it can be set: not less than this.
    fn rounded_up(&self, limit: u64) -> u64 {
        let grain = grain(self.resource.into());
        limit.div_ceil(grain).saturating_mul(grain)
    }

    /// The bound that leaves no way to go on this side. Bounds the wrong way round leave none at all.
    fn reached(&self, side: Side) -> Option<Guard> {
        match side {
            Side::Above => (self.limit >= self.max || self.min > self.max).then(|| self.bound(self.max)),
            Side::Below => (self.limit <= self.min || self.min > self.max).then(|| self.bound(self.min)),
        }
    }

    fn bound(&self, bound: u64) -> Guard {
        match self.resource {
            Limit::Cpu => Guard::AtCpuBound { bound: Millicores::new(bound) },
            Limit::Memory => Guard::AtMemoryBound { bound: Bytes::new(bound) },
        }
    }
}
