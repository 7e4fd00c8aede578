//! How far usage is from its target.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/metrics/utilization.go`, the main branch of mid 2026.
//! Before you change it:
//! 1. Utilisation is a whole percentage, cut off, and the ratio is taken from that: 62.9 % of a target of 50 % is 1.24.
//! 2. It is the sum of usage over the sum of requests: a large pod counts for more than a small one.
//! 3. Averages are cut off towards zero. Sums cannot overflow; a percentage that is too large is the largest one.
//! 4. A metric of a pod without a request counts in no utilisation, but in every plain average.

use super::calculator::CountError;
use super::rounding::nearest_count;
use super::rounding::nearest_value;
use std::collections::BTreeMap;

/// What the pods use, set against what they asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Utilisation {
    /// `percent / target`.
    pub ratio: f64,
    /// Usage in whole percent of the requests.
    pub percent: i32,
    /// Usage of a pod in thousandths.
    pub average: i64,
}

/// What the pods use, set against what they are to use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// `average / target`.
    pub ratio: f64,
    /// Usage of a pod in thousandths.
    pub average: i64,
}

/// Compares usage with requests. Usage and requests by pod, in thousandths; `target` in percent.
///
/// # Errors
/// [`CountError::UnknownPods`] where nobody who is measured asked for anything.
///
/// ```
/// use plimsoll::engine::reference::hpa::{Utilisation, utilisation};
/// use std::collections::BTreeMap;
///
/// // 380 of 800 millicores is 47.5 %, cut off; 47 of 50 is 0.94.
/// let (used, asked) = (BTreeMap::from([("a", 200), ("b", 180)]), BTreeMap::from([("a", 400), ("b", 400)]));
/// assert_eq!(utilisation(&used, &asked, 50), Ok(Utilisation { ratio: 0.94, percent: 47, average: 190 }));
/// ```
#[doc(alias = "GetResourceUtilizationRatio")]
pub fn utilisation(
    usage: &BTreeMap<&str, i64>,
    requests: &BTreeMap<&str, i64>,
    target: i32,
) -> Result<Utilisation, CountError> {
    let (mut used, mut asked, mut pods) = (0i128, 0i128, 0i128);
    for (pod, value) in usage {
        if let Some(request) = requests.get(pod) {
            used += i128::from(*value);
            asked += i128::from(*request);
            pods += 1;
        }
    }
    if asked == 0 {
        return Err(CountError::UnknownPods);
    }
    let percent = nearest_count(used * 100 / asked);
    Ok(Utilisation { ratio: f64::from(percent) / f64::from(target), percent, average: nearest_value(used / pods) })
}

/// Compares the average with a target. Usage by pod and target in thousandths.
///
/// # Errors
/// [`CountError::NoPodMetrics`] where nothing is measured.
///
/// ```
/// use plimsoll::engine::reference::hpa::{Usage, usage};
/// use std::collections::BTreeMap;
///
/// assert_eq!(usage(&BTreeMap::from([("a", 200), ("b", 181)]), 200), Ok(Usage { ratio: 0.95, average: 190 }));
/// ```
#[doc(alias = "GetMetricUsageRatio")]
#[doc(alias = "GetMetricUtilizationRatio")]
pub fn usage(usage: &BTreeMap<&str, i64>, target: i64) -> Result<Usage, CountError> {
    let used: i128 = usage.values().map(|value| i128::from(*value)).sum();
    let pods = i128::try_from(usage.len()).unwrap_or(i128::MAX);
    let average = nearest_value(used.checked_div(pods).ok_or(CountError::NoPodMetrics)?);
    Ok(Usage { ratio: average as f64 / target as f64, average })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utilisation_is_cut_off_before_the_ratio_is_taken() {
        // (50 + 76) of (100 + 100) is 63 %; of a target of 50 % that is 1.26.
        let requests = BTreeMap::from([("a", 100), ("b", 100), ("idle", 500)]);
        let found = utilisation(&BTreeMap::from([("a", 50), ("b", 76)]), &requests, 50);
        assert_eq!(found, Ok(Utilisation { ratio: 1.26, percent: 63, average: 63 }));
        // 127 of 200 is 63.5 %: still 63 %, and an average of 63.
        let found = utilisation(&BTreeMap::from([("a", 50), ("b", 77)]), &requests, 50);
        assert_eq!(found, Ok(Utilisation { ratio: 1.26, percent: 63, average: 63 }));
        // Who asked for nothing does not count, not even in the average.
        let found = utilisation(&BTreeMap::from([("a", 50), ("stray", 9000)]), &requests, 50);
        assert_eq!(found, Ok(Utilisation { ratio: 1.0, percent: 50, average: 50 }));
    }

    #[test]
    fn a_large_pod_counts_for_more() {
        // 100 of 100 and 100 of 900: 200 of 1000 is 20 %, though one of them is at its request.
        let requests = BTreeMap::from([("small", 100), ("large", 900)]);
        let found = utilisation(&BTreeMap::from([("small", 100), ("large", 100)]), &requests, 80);
        assert_eq!(found, Ok(Utilisation { ratio: 0.25, percent: 20, average: 100 }));
    }

    #[test]
    fn an_average_counts_everybody_who_is_measured() {
        let found = usage(&BTreeMap::from([("a", 5000), ("b", 10_001)]), 10_000);
        assert_eq!(found, Ok(Usage { ratio: 0.75, average: 7500 }));
        assert_eq!(usage(&BTreeMap::new(), 10), Err(CountError::NoPodMetrics));
        assert_eq!(utilisation(&BTreeMap::new(), &BTreeMap::new(), 10), Err(CountError::UnknownPods));
        assert_eq!(
            utilisation(&BTreeMap::from([("a", 1)]), &BTreeMap::from([("a", 0)]), 10),
            Err(CountError::UnknownPods)
        );
    }

    #[test]
    fn no_figure_is_too_large() {
        let most = BTreeMap::from([("a", i64::MAX), ("b", i64::MAX)]);
        assert_eq!(usage(&most, i64::MAX), Ok(Usage { ratio: 1.0, average: i64::MAX }));
        assert_eq!(utilisation(&most, &most, 50), Ok(Utilisation { ratio: 2.0, percent: 100, average: i64::MAX }));
        let least = BTreeMap::from([("a", 1), ("b", 0)]);
        assert_eq!(utilisation(&most, &least, 1).map(|found| found.percent), Ok(i32::MAX));
        let below = BTreeMap::from([("a", i64::MIN)]);
        assert_eq!(utilisation(&below, &least, 1).map(|found| found.percent), Ok(i32::MIN));
        assert_eq!(usage(&most, 0).map(|found| found.ratio), Ok(f64::INFINITY));
    }
}
