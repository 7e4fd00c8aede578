//! The life of one container: start-up, health checks, death, restart, as Docker does it. Before you change it:
//! 1. Every change has a time known beforehand ([`Instance::due`]); between two such times nothing happens.
//! 2. A change takes its planned time as its start, not the end of the step that found it, so that errors do not add up.

use crate::model::HealthCheck;
use crate::model::InstanceState;
use crate::model::Restart;
use crate::units::Instant;
use crate::units::Span;

/// Docker waits this long before the first restart, and twice as long before each further one.
const BACK_OFF: Span = Span::from_millis(100);
/// Docker waits no longer than this before a restart.
const BACK_OFF_MAX: Span = Span::from_mins(1);
/// A container that ran as long as this starts the waits anew.
const RAN_WELL: Span = Span::from_secs(10);
/// A time that never comes.
pub(super) const NEVER: Instant = Instant::after_start(Span::MAX);

/// A health check with Docker's defaults filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) interval: Span,
    pub(super) timeout: Span,
    pub(super) retries: u32,
    pub(super) start_period: Span,
    pub(super) start_interval: Span,
}

impl Check {
    /// The check, where there is one. A figure of zero is Docker's default, too.
    pub(super) fn of(health: Option<&HealthCheck>) -> Option<Self> {
        let health =
            health.filter(|health| !health.disabled && health.test.first().is_none_or(|test| test != "NONE"))?;
        let or = |given: Option<Span>, default| given.filter(|given| *given > Span::ZERO).unwrap_or(default);
        Some(Self {
            interval: or(health.interval, HealthCheck::INTERVAL),
            timeout: or(health.timeout, HealthCheck::TIMEOUT),
            retries: health.retries.filter(|retries| *retries > 0).unwrap_or(HealthCheck::RETRIES),
            start_period: health.start_period.unwrap_or(Span::ZERO),
            start_interval: or(health.start_interval, HealthCheck::START_INTERVAL),
        })
    }
}

/// What the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waits for what it depends on.
    Waiting,
    /// Runs and does not answer yet.
    Starting,
    /// Answers.
    Up,
    /// Runs, holds all the memory it may, and does nothing: the kernel may not kill it.
    Hung,
    /// Does not run.
    Dead,
}

/// What a service's instances have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) start_up: Span,
    pub(super) check: Option<Check>,
    pub(super) restart: Restart,
}

/// What a health check meets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checks {
    /// Seconds it waits for an answer.
    pub(super) waits: f64,
    /// It fails, whatever the service does.
    pub(super) ill: bool,
    /// Those of an instance that starts now will all fail.
    pub(super) green_ill: bool,
}

/// One container.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    /// Its number within the service, from 1.
    pub(super) number: u32,
    pub(super) phase: Phase,
    /// The state as Docker shows it.
    pub(super) state: InstanceState,
    /// When the process started.
    pub(super) started: Instant,
    /// When it answers or is started again.
    change: Instant,
    /// When the next health check starts, or when the running one has taken too long.
    check: Instant,
    /// The running check will take too long.
    hangs: bool,
    /// Its checks fail, whatever it does.
    ill: bool,
    failures: u32,
    wait: Span,
    /// The Docker engine or the host ended it.
    stopped: bool,
    pub(super) restarts: u32,
    pub(super) oom_kills: u32,
    /// Bytes that faults made it hold.
    pub(super) leaked: f64,
    /// Bytes that are in swap.
    pub(super) swapped: f64,
    /// CPU used in this life before `mark`, in core-seconds.
    pub(super) cpu: f64,
    /// What the service's counter of CPU for each instance stood at when it was last read.
    pub(super) mark: f64,
}

impl Instance {
    pub(super) const fn new(number: u32) -> Self {
        Self {
            number,
            phase: Phase::Waiting,
            state: InstanceState::Down,
            started: Instant::START,
            change: NEVER,
            check: NEVER,
            hangs: false,
            ill: false,
            failures: 0,
            wait: Span::ZERO,
            stopped: false,
            restarts: 0,
            oom_kills: 0,
            leaked: 0.0,
            swapped: 0.0,
            cpu: 0.0,
            mark: 0.0,
        }
    }

    /// Whether its process runs.
    pub(super) const fn runs(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Up | Phase::Hung)
    }

    /// When something changes next.
    pub(super) fn due(&self) -> Instant {
        self.change.min(self.check)
    }

    /// Starts the process.
    pub(super) fn start(&mut self, rules: &Rules, at: Instant) {
        self.phase = Phase::Starting;
        self.state = InstanceState::Starting;
        self.started = at;
        self.change = at.plus(rules.start_up);
        self.check = rules.check.map_or(NEVER, |check| at.plus(self.until_next(&check, at)));
        (self.hangs, self.ill, self.stopped) = (false, false, false);
        self.failures = 0;
        self.leaked = 0.0;
        self.cpu = 0.0;
    }

    /// Time between two checks: Docker looks more often in the start period, until the first success.
    fn until_next(&self, check: &Check, at: Instant) -> Span {
        let early = self.state == InstanceState::Starting && at.since(self.started) < check.start_period;
        if early { check.start_interval } else { check.interval }
    }

    /// The process ends with a failure. Docker restarts it if its policy says so, after a wait.
    pub(super) fn die(&mut self, rules: &Rules, at: Instant) {
        if at.since(self.started) >= RAN_WELL {
            self.wait = Span::ZERO;
        }
        self.wait = if self.wait == Span::ZERO { BACK_OFF } else { self.wait.times(2).min(BACK_OFF_MAX) };
        let again = match rules.restart {
            Restart::No => false,
            Restart::Always | Restart::UnlessStopped | Restart::OnFailure(None) => true,
            Restart::OnFailure(Some(most)) => self.restarts < most,
        };
        self.phase = Phase::Dead;
        self.state = InstanceState::Down;
        self.change = if again { at.plus(self.wait) } else { NEVER };
        self.check = NEVER;
    }

    /// The Docker engine or the host ends the process; nothing starts it again until one of them is back.
    pub(super) const fn stop(&mut self) {
        (self.phase, self.state) = (Phase::Dead, InstanceState::Down);
        (self.change, self.check, self.wait) = (NEVER, NEVER, Span::ZERO);
        self.stopped = true;
    }

    /// Whether [`Self::stop`] ended it.
    pub(super) const fn was_stopped(&self) -> bool {
        self.stopped
    }

    /// From now on its checks fail, for as long as it lives.
    pub(super) const fn sicken(&mut self) {
        self.ill = true;
    }

    /// Nothing about its process is planned any more.
    pub(super) const fn wait_for_nothing(&mut self) {
        self.change = NEVER;
    }

    /// Starts what was stopped, at this time.
    pub(super) const fn start_again_at(&mut self, at: Instant) {
        self.change = at;
    }

    /// Does the next thing that is due by `now`; whether there was one. While the Docker engine is out nobody restarts and
    /// nobody checks, but a process that starts goes on.
    pub(super) fn change(&mut self, rules: &Rules, now: Instant, checks: Checks, docker_out: bool) -> bool {
        let due = if docker_out { self.change } else { self.due() };
        if due > now || docker_out && self.phase != Phase::Starting {
            return false;
        }
        if self.change <= self.check {
            let at = self.change;
            self.change = NEVER;
            if self.phase == Phase::Dead {
                self.restarts += 1;
                self.start(rules, at);
                self.ill = checks.green_ill;
            } else {
                self.phase = Phase::Up;
                if rules.check.is_none() {
                    self.state = InstanceState::Healthy;
                }
            }
            return true;
        }
        let Some(check) = rules.check else { return false };
        let at = self.check;
        if self.hangs {
            self.hangs = false;
            self.fail(&check, at);
        } else if self.phase != Phase::Up || checks.ill || self.ill {
            self.fail(&check, at);
        } else if checks.waits > check.timeout.as_secs() {
            self.hangs = true;
            self.check = at.plus(check.timeout);
            return true;
        } else {
            self.failures = 0;
            self.state = InstanceState::Healthy;
        }
        self.check = at.plus(self.until_next(&check, at));
        true
    }

    /// A check fails. Failures in the start period do not count while no check has passed.
    fn fail(&mut self, check: &Check, at: Instant) {
        if self.state == InstanceState::Starting && at.since(self.started) < check.start_period {
            return;
        }
        self.failures += 1;
        if self.failures >= check.retries {
            self.state = InstanceState::Unhealthy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: u64) -> Instant {
        Instant::after_start(Span::from_secs(second))
    }

    fn rules(start_up: u64, check: Option<Check>, restart: Restart) -> Rules {
        Rules { start_up: Span::from_secs(start_up), check, restart }
    }

    fn waits(long: bool) -> Checks {
        Checks { waits: if long { 1e3 } else { 0.0 }, ..Checks::default() }
    }

    /// The states by the second at which they begin, up to `end`.
    fn timeline(
        instance: &mut Instance,
        rules: &Rules,
        end: u64,
        slow: impl Fn(u64) -> bool,
    ) -> Vec<(u64, InstanceState)> {
        let mut seen = vec![(instance.started.since_start().secs(), instance.state)];
        for now in 0..=end {
            while instance.change(rules, second(now), waits(slow(now)), false) {}
            if seen.last().is_some_and(|last| last.1 != instance.state) {
                seen.push((now, instance.state));
            }
        }
        seen
    }

    /// Checks at 10, 20, 30 s fail; three are enough. It answers from 35 s, and passes at 40 s.
    #[test]
    fn a_slow_start_without_a_start_period_is_unhealthy_first() {
        let check = Check {
            interval: Span::from_secs(10),
            timeout: Span::from_secs(5),
            retries: 3,
            start_period: Span::ZERO,
            start_interval: Span::from_secs(5),
        };
        let rules = rules(35, Some(check), Restart::No);
        let mut instance = Instance::new(1);
        instance.start(&rules, second(0));
        let states = timeline(&mut instance, &rules, 100, |_| false);
        let wanted = [(0, InstanceState::Starting), (30, InstanceState::Unhealthy), (40, InstanceState::Healthy)];
        assert_eq!(states, wanted);
    }

    /// In the start period Docker looks every 5 s and does not count: the first look after 33 s is at 35 s. From 100 s
    /// on it hangs: looks at 105, 120, 135 s each take 5 s to fail, so the third failure is known at 140 s.
    #[test]
    fn a_start_period_forgives_and_a_hanging_service_becomes_unhealthy() {
        let check = Check {
            interval: Span::from_secs(10),
            timeout: Span::from_secs(5),
            retries: 3,
            start_period: Span::from_secs(60),
            start_interval: Span::from_secs(5),
        };
        let rules = rules(33, Some(check), Restart::No);
        let mut instance = Instance::new(1);
        instance.start(&rules, second(0));
        let states = timeline(&mut instance, &rules, 200, |now| now >= 100);
        let wanted = [(0, InstanceState::Starting), (35, InstanceState::Healthy), (140, InstanceState::Unhealthy)];
        assert_eq!(states, wanted);
    }

    /// Dying at once, it waits 0.1, 0.2, 0.4 … s, at most a minute; a life of 10 s starts the waits anew.
    #[test]
    fn restarts_wait_longer_and_longer() {
        let rules = rules(0, None, Restart::Always);
        let mut instance = Instance::new(1);
        instance.start(&rules, second(0));
        let mut now = second(0);
        let mut waits = Vec::new();
        for _ in 0..11 {
            instance.die(&rules, now);
            waits.push(instance.due().since(now).millis());
            now = instance.due();
            assert!(instance.change(&rules, now, Checks::default(), false));
        }
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000]);
        let later = now.plus(Span::from_secs(10));
        assert!(instance.change(&rules, later, Checks::default(), false));
        instance.die(&rules, later);
        assert_eq!(instance.due().since(later).millis(), 100);
    }

    #[test]
    fn some_stay_down() {
        for (restart, lives) in [(Restart::No, 1), (Restart::OnFailure(Some(2)), 3)] {
            let rules = rules(1, None, restart);
            let mut instance = Instance::new(1);
            instance.start(&rules, second(0));
            let mut count = 1;
            for now in 0..1000 {
                while instance.change(&rules, second(now), Checks::default(), false) {
                    count += u32::from(instance.phase == Phase::Starting);
                }
                if instance.phase == Phase::Up {
                    instance.die(&rules, second(now));
                }
            }
            assert_eq!(count, lives, "{restart:?}");
        }
    }
}
