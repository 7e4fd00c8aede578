//! The signal that Autopilot's vertical recommenders look at: histograms of five minutes each, and statistics over them
//! in which the past counts less and less.
//! SOURCE: K. Rzadca et al., "Autopilot: workload autoscaling at Google", EuroSys 2020, doi 10.1145/3342195.3387524
//! (CC-BY), sections 3.2.1 and 3.2.2, equations 1 to 3, figure 2. Before you change it:
//! 1. A bucket stands for its upper boundary: `b[k-1] <= usage < b[k]` counts as `b[k]`. What is beyond the last
//!    boundary counts as the last.
//! 2. The percentile is one of load, not of time: a bucket weighs as much as was used in it, not as long as it was
//!    used.
//! 3. Weights halve with every half life. All of them shrink together, so statistics change only with new samples.
//! 4. A window without any sample is none: it ages what was before only by the time that passed.

use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::LazyLock;

/// Boundaries of the buckets of a histogram. About 400 in the paper, which says no more about them; so their values are
/// ours. Cheap to clone.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Buckets {
    bounds: Arc<[f64]>,
}

/// What is remembered of the windows so far. A number of bytes that does not grow with time.
///
/// ```
/// use plimsoll::engine::reference::autopilot::Buckets;
/// use plimsoll::engine::reference::autopilot::Signal;
/// use plimsoll::units::Instant;
/// use plimsoll::units::Permille;
/// use plimsoll::units::Span;
///
/// let buckets = Buckets::new(vec![1.0, 2.0, 4.0]).expect("they rise");
/// let mut signal = Signal::new(buckets, Span::from_mins(12 * 60), 576);
/// // Six samples up to 1 and one up to 4: an average of 10 / 7, and 40 % of the load is above 1.
/// signal.push(Instant::START, &[6, 0, 1]);
/// assert_eq!((signal.peak(), signal.average()), (Some(4.0), Some(10.0 / 7.0)));
/// assert_eq!(signal.percentile(Permille::percent(60)), Some(1.0));
/// assert_eq!(signal.percentile(Permille::percent(61)), Some(4.0));
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Signal {
    buckets: Buckets,
    half_life: Span,
    peak_windows: u64,
    /// Decayed number of samples by bucket, from the first bucket that was ever in use to the last.
    samples: Vec<f64>,
    first: usize,
    /// Decayed sum of the averages of the windows, and the sum of their weights.
    averages: f64,
    weights: f64,
    /// Windows so far.
    windows: u64,
    /// The highest buckets in use in the last windows, each with the number of its window: oldest first, and each higher
    /// than all after it.
    peaks: VecDeque<(u64, usize)>,
    last: Option<Instant>,
}

impl Buckets {
    /// Buckets with these upper boundaries. `None` where there are none, or they are not finite, above zero and rising.
    #[must_use]
    pub fn new(bounds: Vec<f64>) -> Option<Self> {
        let is_rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        let is_positive = bounds.iter().all(|bound| bound.is_finite() && *bound > 0.0);
        (!bounds.is_empty() && is_rising && is_positive).then(|| Self { bounds: bounds.into() })
    }

    /// So many buckets from the first boundary to the last, each larger by the same factor. `None` as for
    /// [`Buckets::new`].
    #[must_use]
    pub fn rising(first: f64, last: f64, count: usize) -> Option<Self> {
        let steps = count.saturating_sub(1).max(1) as f64;
        Self::new((0..count).map(|step| first * libm::pow(last / first, step as f64 / steps)).collect())
    }

    /// 400 buckets from a thousandth of a core to a thousand cores, 3.5 % apart.
    #[must_use]
    pub fn of_cores() -> Self {
        static CORES: LazyLock<Buckets> =
            LazyLock::new(|| Buckets::rising(0.001, 1000.0, 400).unwrap_or(Buckets { bounds: Arc::new([1000.0]) }));
        CORES.clone()
    }

    /// 400 buckets from a MiB to a TiB, 3.5 % apart.
    #[must_use]
    pub fn of_bytes() -> Self {
        static BYTES: LazyLock<Buckets> = LazyLock::new(|| {
            let (mebi, tebi) = (f64::from(1 << 20), f64::from(1 << 20) * f64::from(1 << 20));
            Buckets::rising(mebi, tebi, 400).unwrap_or(Buckets { bounds: Arc::new([tebi]) })
        });
        BYTES.clone()
    }

    /// How many there are; at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bounds.len()
    }

    /// The upper boundary of a bucket; the last one's beyond the last.
    #[must_use]
    pub fn bound(&self, bucket: usize) -> f64 {
        self.bounds.get(bucket).or(self.bounds.last()).copied().unwrap_or(0.0)
    }

    /// The bucket of a usage. No number is in the first.
    #[must_use]
    pub fn find(&self, usage: f64) -> usize {
        self.bounds.partition_point(|bound| *bound <= usage).min(self.bounds.len().saturating_sub(1))
    }

    /// The histogram of these usages: how many there are by bucket. For CPU these are all samples of all tasks in the
    /// window (one a second in the paper), for memory the peak of each task.
    #[must_use]
    pub fn histogram(&self, usages: &[f64]) -> Vec<u64> {
        let mut histogram = vec![0; self.count()];
        for usage in usages {
            if let Some(count) = histogram.get_mut(self.find(*usage)) {
                *count += 1;
            }
        }
        histogram
    }
}

impl Signal {
    /// A signal without any window yet. Peaks are looked for in so many of the last windows; zero counts as one.
    #[must_use]
    pub fn new(buckets: Buckets, half_life: Span, peak_windows: usize) -> Self {
        Self {
            buckets,
            half_life,
            peak_windows: peak_windows.max(1) as u64,
            samples: Vec::new(),
            first: 0,
            averages: 0.0,
            weights: 0.0,
            windows: 0,
            peaks: VecDeque::new(),
            last: None,
        }
    }

    /// The buckets of its histograms.
    #[must_use]
    pub const fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Takes a window that ended now. What is beyond the last bucket is left out; a window without samples is none.
    pub fn push(&mut self, now: Instant, histogram: &[u64]) {
        let used = histogram.iter().take(self.buckets.count()).enumerate().filter(|(_, count)| **count > 0);
        let Some(peak) = used.clone().map(|(bucket, _)| bucket).next_back() else { return };
        let age = self.last.map_or(Span::ZERO, |last| now.since(last));
        let decay = weight(age, self.half_life);
        self.samples.iter_mut().for_each(|samples| *samples *= decay);
        let (mut load, mut count) = (0.0, 0.0);
        for (bucket, samples) in used {
            let samples = *samples as f64;
            *self.samples_in(bucket) += samples;
            load += self.buckets.bound(bucket) * samples;
            count += samples;
        }
        self.averages = self.averages * decay + load / count;
        self.weights = self.weights * decay + 1.0;
        self.windows = self.windows.saturating_add(1);
        let (last, most) = (self.windows, self.peak_windows);
        while self.peaks.pop_back_if(|(_, lower)| *lower <= peak).is_some() {}
        self.peaks.push_back((last, peak));
        while self.peaks.pop_front_if(|(window, _)| last - *window >= most).is_some() {}
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
    }

    /// `S_max`: the highest bucket in use in the last windows. `None` without any window, as for the others.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        self.peaks.front().map(|(_, bucket)| self.buckets.bound(*bucket))
    }

    /// `S_avg`: the average of the windows' averages, weighted by age.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        (self.weights > 0.0).then(|| self.averages / self.weights)
    }

    /// `S_pj`: the limit up to which this share of the load was used, weighted by age. A share above one counts as one.
    #[must_use]
    pub fn percentile(&self, share: Permille) -> Option<f64> {
        let used = self.samples.iter().enumerate().filter(|(_, samples)| **samples > 0.0);
        let mut used = used.map(|(place, samples)| (self.buckets.bound(self.first + place), *samples));
        let most = share.as_fraction().min(1.0) * used.clone().map(|(bound, samples)| samples * bound).sum::<f64>();
        let mut below = 0.0;
        let found = used.clone().find(|(bound, samples)| {
            below += samples * bound;
            below >= most
        });
        found.or_else(|| used.next_back()).map(|(bound, _)| bound)
    }

    /// The samples in a bucket; they reach from the first one in use to the last, so there are zeros between.
    fn samples_in(&mut self, bucket: usize) -> &mut f64 {
        if self.samples.is_empty() {
            self.first = bucket;
        }
        self.samples.splice(..0, std::iter::repeat_n(0.0, self.first.saturating_sub(bucket)));
        self.first = self.first.min(bucket);
        let place = bucket - self.first;
        self.samples.resize(self.samples.len().max(place + 1), 0.0);
        &mut self.samples[place]
    }
}

/// The weight of a sample of this age: one half to the power of its age in half lives. With a half life of zero only
/// what is new weighs anything.
#[must_use]
pub fn weight(age: Span, half_life: Span) -> f64 {
    if half_life == Span::ZERO {
        return if age == Span::ZERO { 1.0 } else { 0.0 };
    }
    libm::exp2(-(age.as_secs() / half_life.as_secs()))
}
