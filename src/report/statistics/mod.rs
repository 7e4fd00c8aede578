//! What several runs of one scenario say together: means with confidence intervals, and differences between policies.
//!
//! Sources: Student's *The probable error of a mean*, Biometrika 6(1), 1908, doi:10.1093/biomet/6.1.1, for intervals
//! and paired differences; Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of
//! Statistics 6(2), 1979, for many comparisons at once.
//!
//! Before you change it:
//! 1. Runs are seeds. Two policies are compared seed by seed, on the same load: what is left is the difference between
//!    them, and not the luck of a seed. So both lists are in the order of the seeds.
//! 2. One run has a mean and no interval. A figure that is no number, or does not fit, has neither.
//! 3. The intervals are those of means of normal figures. They are good for others from about 20 runs on; a count of
//!    rare events (one OOM kill in 20 runs) is neither normal nor many.
//! 4. The same list gives the same bytes on every machine. The same figures in another order may differ in the last
//!    bit.

pub mod student;
#[cfg(test)]
mod tests;

/// The confidence of an interval where nothing else is asked for.
pub const CONFIDENCE: f64 = 0.95;

/// A mean, and where the true one is likely to be.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// How many figures: at least two.
    pub count: u32,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation.
    pub deviation: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end; as far from the mean as the lower one.
    pub high: f64,
}

/// How one policy differs from another over the same seeds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Paired {
    /// The differences seed by seed: below zero where the other policy has less.
    pub difference: Interval,
    /// The mean difference relative to the size of the base's mean: -0.2 is a fifth less. `None` where the base has
    /// zero.
    pub relative: Option<f64>,
    /// How likely a mean difference at least as large is where there is none (paired t test, two-sided): 0 to 1.
    pub p_value: f64,
}

/// The mean; `None` of nothing, or where a figure is no number or does not fit.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    // From the first on, so that equal figures have exactly themselves as their mean.
    let sum: f64 = values.iter().map(|value| value - first).sum();
    Some(first + sum / values.len() as f64).filter(|mean| mean.is_finite())
}

/// The sample standard deviation, with one less than the count below the line; `None` of fewer than two, or where a
/// figure is no number or does not fit.
#[must_use]
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let degrees = values.len().checked_sub(1).filter(|degrees| *degrees > 0)?;
    let sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some(libm::sqrt(sum / degrees as f64)).filter(|deviation| deviation.is_finite())
}

impl Interval {
    /// The interval of the mean with a confidence between 0 and 1. `None` of fewer than two figures, where a figure is
    /// no number or does not fit, and of any other confidence.
    #[must_use]
    pub fn of(values: &[f64], confidence: f64) -> Option<Self> {
        let (mean, deviation) = (mean(values)?, deviation(values)?);
        let count = u32::try_from(values.len()).ok()?;
        if confidence.is_nan() || confidence <= 0.0 {
            return None;
        }
        let wide = student::quantile(f64::midpoint(1.0, confidence), count - 1)?;
        let half = wide * deviation / libm::sqrt(f64::from(count));
        let (low, high) = (mean - half, mean + half);
        (low.is_finite() && high.is_finite()).then_some(Self { count, mean, deviation, low, high })
    }

    /// Whether a value lies in it, its ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl Paired {
    /// How `other` differs from `base`; the figures of both are in the order of the same seeds. `None` where they are
    /// not as many, and where [`Interval::of`] has none.
    #[must_use]
    pub fn of(base: &[f64], other: &[f64], confidence: f64) -> Option<Self> {
        if base.len() != other.len() {
            return None;
        }
        let differences: Vec<f64> = base.iter().zip(other).map(|(base, other)| other - base).collect();
        let difference = Interval::of(&differences, confidence)?;
        let size = mean(base)?.abs();
        let relative = (size > 0.0).then_some(difference.mean / size).filter(|relative| relative.is_finite());
        let error = difference.deviation / libm::sqrt(f64::from(difference.count));
        let p_value =
            if difference.mean == 0.0 { 1.0 } else { student::beyond(difference.mean / error, difference.count - 1)? };
        Some(Self { difference, relative, p_value })
    }

    /// Whether the interval leaves zero out: the policies differ by more than luck, with its confidence.
    #[must_use]
    pub fn is_different(&self) -> bool {
        !self.difference.contains(0.0)
    }
}

/// The confidence that each of several intervals needs for all of them to hold together with this one (Bonferroni). Use
/// it where several policies are compared with one. None at all counts as one.
#[must_use]
pub fn bonferroni(confidence: f64, comparisons: u32) -> f64 {
    1.0 - (1.0 - confidence) / f64::from(comparisons.max(1))
}

/// The p values of several comparisons, raised so that each may be held against the same bound and the chance of a
/// single wrong "different" among all stays below that bound (Holm). It finds all that Bonferroni finds, and more. In
/// the order given; what is no number is 1.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let certain = |place: usize| if p_values[place].is_nan() { 1.0 } else { p_values[place].clamp(0.0, 1.0) };
    let mut places: Vec<usize> = (0..p_values.len()).collect();
    places.sort_by(|one, other| certain(*one).total_cmp(&certain(*other)));
    let mut raised = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (smaller, place) in places.into_iter().enumerate() {
        largest = largest.max((p_values.len() - smaller) as f64 * certain(place)).min(1.0);
        raised[place] = largest;
    }
    raised
}
