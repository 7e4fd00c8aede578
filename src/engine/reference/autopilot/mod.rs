//! Google Autopilot's moving-window recommender: limits of CPU and memory from statistics over what was used.
//! SOURCE: K. Rzadca et al., "Autopilot: workload autoscaling at Google", EuroSys 2020, doi 10.1145/3342195.3387524
//! (CC-BY), section 3.2.2; `horizontal` is section 3.3 and `ensemble` section 3.2.3. Figures that the paper gives are
//! documented as its own; where it says only that there is one, the figure is ours and says so. Before you change it:
//! 1. Each resource has its own signal and its own half life: 12 h for CPU, 48 h for memory.
//! 2. The order is: statistic, safety margin, maximum over the last hour. The maximum is one of what was recommended.
//! 3. A window is closed when the first sample after its end arrives, and ends where it ends, not when that sample
//!    arrives.
//! 4. A recommendation rounds up, to a millicore and to a byte.

mod ensemble;
mod horizontal;
mod signal;
#[cfg(test)]
mod tests;

pub use ensemble::CostWeights;
pub use ensemble::Ensemble;
pub use ensemble::Model;
pub use horizontal::Horizontal;
pub use horizontal::HorizontalConfig;
pub use horizontal::HorizontalSeen;
pub use horizontal::LoadStatistic;
pub use horizontal::after_growth_limit;
pub use horizontal::after_slow_decay;
pub use horizontal::raw_replicas;
pub use signal::Buckets;
pub use signal::Signal;
pub use signal::weight;

use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// The length of a window ("typically, 5 minute windows").
pub const WINDOW: Span = Span::from_mins(5);

/// What a job does with CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CpuClass {
    /// It may be throttled without harm, as long as its work gets done.
    Batch,
    /// It answers requests.
    #[default]
    Serving,
    /// It answers requests, and nobody minds if some take longer.
    LatencyTolerant,
}

/// How much harm is done when a task is killed for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OomTolerance {
    /// Much; the paper's default for small jobs.
    #[default]
    Minimal,
    /// Some; its default for large ones.
    Low,
    /// Little: short peaks need to be covered only in part.
    Intermediate,
}

/// Which statistic becomes the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// `S_max`.
    Peak,
    /// `S_avg`.
    Average,
    /// `S_pj` for this share.
    Percentile(Permille),
    /// `S_pj` for this share, and at least half of `S_max`.
    PercentileOrHalfPeak(Permille),
}

/// The safety margin, "10-15 % (less for large limits)". Where a limit is large is not in the paper, so those figures
/// are ours; in between the share falls in a straight line.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SafetyMargin {
    /// For limits up to `small_until`.
    pub small: Permille,
    /// For limits from `large_from` on.
    pub large: Permille,
    /// In the unit of the limit.
    pub small_until: f64,
    /// In the unit of the limit.
    pub large_from: f64,
}

/// How the limit of one resource is found.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RecommenderConfig {
    /// Which statistic becomes the limit.
    pub statistic: Statistic,
    /// After this long a sample weighs half.
    pub half_life: Span,
    /// `N`: in how many of the last windows a peak is looked for. "A fixed system parameter" that the paper does not
    /// tell; 576 windows, two days, are ours.
    pub peak_windows: usize,
    /// What is put on top.
    pub margin: SafetyMargin,
    /// The highest recommendation of this long counts.
    pub hold: Span,
    /// Buckets of the histograms.
    pub buckets: Buckets,
}

/// The recommender for one resource.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recommender {
    config: RecommenderConfig,
    signal: Signal,
    /// Recommendations of the last hour, oldest first.
    recent: VecDeque<(Instant, f64)>,
}

/// What one task used, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TaskUsage {
    /// Which task; a number that no other task of the job has.
    pub task: u64,
    /// CPU since the sample before, on average.
    pub cpu: Millicores,
    /// Memory.
    pub memory: Bytes,
}

/// Limits of CPU and memory for the tasks of one job.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Vertical {
    cpu: Recommender,
    memory: Recommender,
    /// How many windows ended before the one that is open.
    open: Option<u64>,
    cpu_samples: Vec<f64>,
    memory_peaks: BTreeMap<u64, f64>,
    limits: Option<(Millicores, Bytes)>,
}

impl CpuClass {
    /// The statistic for jobs of this class: the average, or the 95th or 90th percentile of load.
    #[must_use]
    pub const fn statistic(self) -> Statistic {
        match self {
            Self::Batch => Statistic::Average,
            Self::Serving => Statistic::Percentile(Permille::percent(95)),
            Self::LatencyTolerant => Statistic::Percentile(Permille::percent(90)),
        }
    }
}

impl OomTolerance {
    /// The statistic for jobs of this tolerance: the peak, the 98th percentile of load, or the 60th and half of the
    /// peak.
    #[must_use]
    pub const fn statistic(self) -> Statistic {
        match self {
            Self::Minimal => Statistic::Peak,
            Self::Low => Statistic::Percentile(Permille::percent(98)),
            Self::Intermediate => Statistic::PercentileOrHalfPeak(Permille::percent(60)),
        }
    }
}

impl Statistic {
    /// Its value over a signal; `None` while there is none.
    #[must_use]
    pub fn of(self, signal: &Signal) -> Option<f64> {
        match self {
            Self::Peak => signal.peak(),
            Self::Average => signal.average(),
            Self::Percentile(share) => signal.percentile(share),
            Self::PercentileOrHalfPeak(share) => Some(signal.percentile(share)?.max(signal.peak()? / 2.0)),
        }
    }
}

impl SafetyMargin {
    /// A limit with the margin on top.
    #[must_use]
    pub fn on(&self, limit: f64) -> f64 {
        let (small, large) = (self.small.as_fraction(), self.large.as_fraction());
        let width = self.large_from - self.small_until;
        let way = if width > 0.0 { (limit - self.small_until) / width } else { f64::from(limit > self.small_until) };
        limit * (1.0 + small + (large - small) * way.clamp(0.0, 1.0))
    }
}

impl RecommenderConfig {
    /// For CPU, in cores. 15 % on top of limits up to one core, 10 % from ten on.
    #[must_use]
    pub fn cpu(class: CpuClass) -> Self {
        let (small, large) = (Permille::percent(15), Permille::percent(10));
        Self {
            statistic: class.statistic(),
            half_life: Span::from_mins(12 * 60),
            peak_windows: 576,
            margin: SafetyMargin { small, large, small_until: 1.0, large_from: 10.0 },
            hold: Span::from_mins(60),
            buckets: Buckets::of_cores(),
        }
    }

    /// For memory, in bytes. 15 % on top of limits up to 1 GiB, 10 % from 10 GiB on.
    #[must_use]
    pub fn memory(tolerance: OomTolerance) -> Self {
        let gibi = f64::from(1 << 30);
        Self {
            statistic: tolerance.statistic(),
            half_life: Span::from_mins(48 * 60),
            margin: SafetyMargin { small_until: gibi, large_from: 10.0 * gibi, ..Self::cpu(CpuClass::Serving).margin },
            buckets: Buckets::of_bytes(),
            ..Self::cpu(CpuClass::Serving)
        }
    }
}

impl Recommender {
    /// A recommender that has seen nothing yet.
    #[must_use]
    pub fn new(config: RecommenderConfig) -> Self {
        let signal = Signal::new(config.buckets.clone(), config.half_life, config.peak_windows);
        Self { config, signal, recent: VecDeque::new() }
    }

    /// The signal so far.
    #[must_use]
    pub const fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Takes a window that ended now, and recommends a limit in the unit of the buckets; `None` while there is no
    /// sample.
    pub fn close_window(&mut self, now: Instant, histogram: &[u64]) -> Option<f64> {
        self.signal.push(now, histogram);
        let limit = self.config.margin.on(self.config.statistic.of(&self.signal)?);
        self.recent.retain(|(at, _)| now.since(*at) < self.config.hold);
        self.recent.push_back((now, limit));
        self.recent.iter().map(|(_, limit)| *limit).reduce(f64::max)
    }
}

impl Vertical {
    /// Nothing is known yet about a job of this kind.
    #[must_use]
    pub fn new(class: CpuClass, tolerance: OomTolerance) -> Self {
        Self::with(RecommenderConfig::cpu(class), RecommenderConfig::memory(tolerance))
    }

    /// The same with figures of one's own.
    #[must_use]
    pub fn with(cpu: RecommenderConfig, memory: RecommenderConfig) -> Self {
        Self {
            cpu: Recommender::new(cpu),
            memory: Recommender::new(memory),
            open: None,
            cpu_samples: Vec::new(),
            memory_peaks: BTreeMap::new(),
            limits: None,
        }
    }

    /// Takes one sample of every task, and answers the limits that are recommended as of the last window that ended;
    /// `None` while none has ended. A sample from before the open window counts as one of it.
    ///
    /// ```
    /// use plimsoll::engine::reference::autopilot::CpuClass;
    /// use plimsoll::engine::reference::autopilot::OomTolerance;
    /// use plimsoll::engine::reference::autopilot::TaskUsage;
    /// use plimsoll::engine::reference::autopilot::Vertical;
    /// use plimsoll::units::Bytes;
    /// use plimsoll::units::Instant;
    /// use plimsoll::units::Millicores;
    /// use plimsoll::units::Span;
    ///
    /// let mut job = Vertical::new(CpuClass::Serving, OomTolerance::Minimal);
    /// let task = TaskUsage { task: 0, cpu: Millicores::new(400), memory: Bytes::mebi(300) };
    /// let mut look = |minutes| job.observe(Instant::after_start(Span::from_mins(minutes)), &[task]);
    /// assert_eq!(look(0), None);
    /// // The first window has ended: what was used, rounded up to a bucket of 3.5 %, and 15 % on top.
    /// let (cpu, memory) = look(5).expect("a window has ended");
    /// assert!((460..=477).contains(&cpu.get()));
    /// assert!((Bytes::mebi(345)..=Bytes::mebi(358)).contains(&memory));
    /// ```
    pub fn observe(&mut self, now: Instant, tasks: &[TaskUsage]) -> Option<(Millicores, Bytes)> {
        let window = now.since_start().fit(WINDOW);
        if let Some(open) = self.open.filter(|open| *open < window) {
            let end = Instant::after_start(WINDOW.times(open.saturating_add(1)));
            let cpu = self.cpu.config.buckets.histogram(&self.cpu_samples);
            let peaks: Vec<f64> = self.memory_peaks.values().copied().collect();
            let memory = self.memory.config.buckets.histogram(&peaks);
            let limits = self.cpu.close_window(end, &cpu).zip(self.memory.close_window(end, &memory));
            self.limits = limits.map(|(cpu, memory)| (millicores(cpu), bytes(memory)));
            self.cpu_samples.clear();
            self.memory_peaks.clear();
        }
        self.open = Some(self.open.map_or(window, |open| open.max(window)));
        for usage in tasks {
            self.cpu_samples.push(usage.cpu.as_cores());
            let peak = self.memory_peaks.entry(usage.task).or_insert(0.0);
            *peak = peak.max(usage.memory.get() as f64);
        }
        self.limits
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded up to a whole number; the cast saturates, and no number is zero"
)]
fn rounded_up(value: f64) -> u64 {
    value.ceil() as u64
}

fn millicores(cores: f64) -> Millicores {
    Millicores::new(rounded_up(cores * 1000.0))
}

fn bytes(bytes: f64) -> Bytes {
    Bytes::new(rounded_up(bytes))
}
