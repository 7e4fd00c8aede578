//! Autopilot's number of tasks from CPU that was used, and what keeps that number from jumping.
//! SOURCE: the Autopilot paper, section 3.3. Its figures: an averaging window of 5 minutes, a horizon of 72 hours, the
//! maximum or the 95th percentile, tasks halved in an hour ("98 % of jobs use the default"). Downscaling is put off as
//! long as the job's owner says; 2 days are what most owners say ("roughly 40 %"). It gives no figure for small changes
//! and for growth, and they are off here. Before you change it:
//! 1. Order: statistic over the horizon, target, deferred downscaling, small changes, slow decay, growth. Each stage
//!    sees what the one before made of it; the paper lists them as a choice, so this order is ours.
//! 2. Upscaling is immediate, but for the limit on growth.
//! 3. Where a count is not whole, it rounds up (ours).

use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::VecDeque;

/// Tasks are terminated this often.
const TICK: Span = Span::from_mins(5);

/// Which statistic of the load counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadStatistic {
    /// The largest load.
    Max,
    /// The least load that this share of all samples does not exceed.
    Percentile(Permille),
}

/// How the number of tasks is found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HorizontalConfig {
    /// `T`: how far back the load is looked at.
    pub horizon: Span,
    /// What of it counts: the maximum or the 95th percentile. The paper says of neither that it is the default.
    pub statistic: LoadStatistic,
    /// `r*`: CPU that a task should use on average, as a share of its limit. The owner of a job has to say it; 70 % is
    /// ours.
    pub target_utilization: Permille,
    /// `T_d`: a lower number counts only when nothing higher was wanted for this long.
    pub deferred_downscaling: Span,
    /// Slow decay: in this time about half of the tasks is terminated, some every five minutes. Zero terminates all at
    /// once.
    pub halving: Span,
    /// A difference of up to this share of the tasks there are is ignored.
    pub small_change: Permille,
    /// At most this share of all tasks may be initializing. All of them is no limit.
    pub initializing_max: Permille,
}

/// What is seen of a job every five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HorizontalSeen {
    /// CPU that all tasks together used over the last five minutes, on average; `None` where nobody knows.
    pub load: Option<Millicores>,
    /// The CPU limit of a task.
    pub limit: Millicores,
    /// Tasks there are.
    pub tasks: u32,
    /// Those of them that answered a health check.
    pub ready: u32,
}

/// The horizontal recommender of one job.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Horizontal {
    config: HorizontalConfig,
    /// Load of the horizon, oldest first.
    loads: VecDeque<(Instant, Millicores)>,
    /// Raw recommendations as long as they may matter, oldest first, each higher than all after it.
    wanted: VecDeque<(Instant, u32)>,
    terminated: Option<Instant>,
}

impl Default for HorizontalConfig {
    fn default() -> Self {
        Self {
            horizon: Span::from_mins(72 * 60),
            statistic: LoadStatistic::Percentile(Permille::percent(95)),
            target_utilization: Permille::percent(70),
            deferred_downscaling: Span::from_mins(48 * 60),
            halving: Span::from_mins(60),
            small_change: Permille::ZERO,
            initializing_max: Permille::ONE,
        }
    }
}

impl LoadStatistic {
    /// The statistic of these loads, in any order; `None` where there are none.
    #[must_use]
    pub fn of(self, mut loads: Vec<Millicores>) -> Option<Millicores> {
        let last = loads.len().checked_sub(1)?;
        Some(match self {
            Self::Max => loads.into_iter().max()?,
            Self::Percentile(share) => {
                let needed = (loads.len() as u128 * u128::from(share.get())).div_ceil(1000);
                let place = usize::try_from(needed).unwrap_or(usize::MAX).saturating_sub(1).min(last);
                *loads.select_nth_unstable(place).1
            }
        })
    }
}

/// `n_r`: tasks of this limit that use no more than their target share of it under this load, rounded up. `None` where
/// limit or share is zero.
#[must_use]
pub fn raw_replicas(load: Millicores, limit: Millicores, target_utilization: Permille) -> Option<u32> {
    let each = u128::from(limit.get()) * u128::from(target_utilization.get());
    (each > 0).then(|| u32::try_from((u128::from(load.get()) * 1000).div_ceil(each)).unwrap_or(u32::MAX))
}

/// Tasks after one tick of slow decay towards fewer: as many are terminated as halve the number in `halving`, rounded
/// up, and never more than is wanted. More tasks are there at once.
#[must_use]
pub fn after_slow_decay(tasks: u32, wanted: u32, halving: Span) -> u32 {
    if wanted >= tasks || halving == Span::ZERO {
        return wanted;
    }
    let left = f64::from(tasks) * libm::exp2(-(TICK.as_secs() / halving.as_secs()));
    whole(left.floor()).min(tasks - 1).max(wanted)
}

/// Tasks after the limit on growth: so many more that at most `initializing_max` of all are not ready. It takes none
/// away, and the first task may always start.
#[must_use]
pub fn after_growth_limit(tasks: u32, ready: u32, wanted: u32, initializing_max: Permille) -> u32 {
    if wanted <= tasks || initializing_max >= Permille::ONE {
        return wanted;
    }
    // (n - ready) / n <= share, so n <= ready / (1 - share).
    let most = u128::from(ready.min(tasks)) * 1000 / u128::from(1000 - initializing_max.get());
    wanted.min(u32::try_from(most).unwrap_or(u32::MAX).max(tasks).max(1))
}

impl Horizontal {
    /// A job of which nothing is known.
    #[must_use]
    pub const fn new(config: HorizontalConfig) -> Self {
        Self { config, loads: VecDeque::new(), wanted: VecDeque::new(), terminated: None }
    }

    /// `n_r` of now: what the load of the horizon asks for. `None` while nobody knows any load, or there is no target.
    #[must_use]
    pub fn raw(&self, limit: Millicores) -> Option<u32> {
        let loads = self.loads.iter().map(|(_, load)| *load).collect();
        raw_replicas(self.config.statistic.of(loads)?, limit, self.config.target_utilization)
    }

    /// Looks at the job, and says how many tasks there should be. It counts on being asked every five minutes.
    ///
    /// ```
    /// use plimsoll::engine::reference::autopilot::Horizontal;
    /// use plimsoll::engine::reference::autopilot::HorizontalConfig;
    /// use plimsoll::engine::reference::autopilot::HorizontalSeen;
    /// use plimsoll::units::Instant;
    /// use plimsoll::units::Millicores;
    ///
    /// let mut job = Horizontal::new(HorizontalConfig::default());
    /// let (load, limit) = (Some(Millicores::cores(7)), Millicores::cores(2));
    /// // Each task is to use 70 % of two cores: 7 / 1.4.
    /// assert_eq!(job.observe(Instant::START, &HorizontalSeen { load, limit, tasks: 3, ready: 3 }), 5);
    /// ```
    pub fn observe(&mut self, now: Instant, seen: &HorizontalSeen) -> u32 {
        if let Some(load) = seen.load {
            self.loads.push_back((now, load));
        }
        let (horizon, deferred) = (self.config.horizon, self.config.deferred_downscaling);
        while self.loads.pop_front_if(|(at, _)| now.since(*at) > horizon).is_some() {}
        while self.wanted.pop_front_if(|(at, _)| now.since(*at) > deferred).is_some() {}
        if let Some(raw) = self.raw(seen.limit) {
            while self.wanted.back().is_some_and(|(_, wanted)| *wanted <= raw) {
                self.wanted.pop_back();
            }
            self.wanted.push_back((now, raw));
        }
        let Some((_, stable)) = self.wanted.front().copied() else { return seen.tasks };
        let difference = u128::from(stable.abs_diff(seen.tasks)) * 1000;
        if difference <= u128::from(seen.tasks) * u128::from(self.config.small_change.get()) {
            return seen.tasks;
        }
        if stable > seen.tasks {
            return after_growth_limit(seen.tasks, seen.ready, stable, self.config.initializing_max);
        }
        if self.terminated.is_some_and(|at| now.since(at) < TICK) {
            return seen.tasks;
        }
        self.terminated = Some(now);
        after_slow_decay(seen.tasks, stable, self.config.halving)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number that is not negative; the cast saturates"
)]
const fn whole(count: f64) -> u32 {
    count as u32
}
