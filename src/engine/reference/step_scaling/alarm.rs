//! An alarm as CloudWatch evaluates one: so many of the last data points beyond a threshold, and what silence means.
//! SOURCE: Amazon CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data"
//! (both with tables of examples). Before you change it:
//! 1. It looks further back than it judges: real data points from before the judged periods stand in for missing ones.
//!    Only where too few real ones are left does it matter how missing data is treated.
//! 2. A comparison is exactly the one that was asked for; "greater than" is strict.
//! 3. A data point that is no finite number is missing.

/// How many periods an evaluation looks back beyond those it judges. The page says that the number depends on the
/// period and publishes no rule; its only examples look at 5 periods where 3 are judged.
const PERIODS_BEYOND: usize = 2;

/// How a data point is compared with the threshold to find out whether it is beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// `value > threshold`.
    #[default]
    GreaterThan,
    /// `value >= threshold`.
    GreaterThanOrEqualTo,
    /// `value < threshold`.
    LessThan,
    /// `value <= threshold`.
    LessThanOrEqualTo,
}

/// What a missing data point counts as, where too few real ones are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingData {
    /// As nothing: with no real data point at all there is not enough data. The documented default.
    #[default]
    Missing,
    /// The alarm stays as it is.
    Ignore,
    /// As beyond the threshold.
    Breaching,
    /// As within the threshold.
    NotBreaching,
}

/// What an alarm says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// The metric is within the threshold.
    Ok,
    /// The metric is beyond the threshold. A policy acts at every evaluation as long as this lasts.
    Alarm,
    /// There is nothing to judge by. A new alarm starts here.
    #[default]
    InsufficientData,
}

/// An alarm over data points of one period each.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Alarm {
    /// The threshold, in the unit of the metric.
    pub threshold: f64,
    /// Which side of the threshold is beyond it.
    pub comparison: Comparison,
    /// How many of the latest data points are judged; zero counts as one.
    pub evaluation_periods: usize,
    /// How many of them have to be beyond the threshold; counts as at least one and at most all.
    pub datapoints_to_alarm: usize,
    /// What a missing data point counts as.
    pub missing_data: MissingData,
}

impl Alarm {
    /// An alarm over so many data points in a row, with the documented way to treat missing data.
    #[must_use]
    pub const fn new(comparison: Comparison, threshold: f64, evaluation_periods: usize) -> Self {
        Self {
            threshold,
            comparison,
            evaluation_periods,
            datapoints_to_alarm: evaluation_periods,
            missing_data: MissingData::Missing,
        }
    }

    /// What it says now, given what it said before and the data points of the latest periods, oldest first; a period
    /// without data is `None`. More data points than it looks at do no harm; fewer count as missing.
    ///
    /// ```
    /// use plimsoll::engine::reference::step_scaling::Alarm;
    /// use plimsoll::engine::reference::step_scaling::AlarmState;
    /// use plimsoll::engine::reference::step_scaling::Comparison;
    ///
    /// let alarm = Alarm { datapoints_to_alarm: 2, ..Alarm::new(Comparison::GreaterThan, 70.0, 3) };
    /// let state = |datapoints: &[Option<f64>]| alarm.state(datapoints, AlarmState::Ok);
    /// assert_eq!(state(&[Some(80.0), Some(60.0), Some(80.0)]), AlarmState::Alarm);
    /// assert_eq!(state(&[Some(60.0), Some(60.0), Some(80.0)]), AlarmState::Ok);
    /// assert_eq!(state(&[None, None, None, None, None]), AlarmState::InsufficientData);
    /// ```
    #[must_use]
    pub fn state(&self, datapoints: &[Option<f64>], before: AlarmState) -> AlarmState {
        let judged = self.judged(datapoints);
        let breaching = judged.iter().filter(|(_, value)| self.is_breached_by(*value)).count();
        let filled = self.periods().saturating_sub(judged.len());
        let to_alarm = self.datapoints_to_alarm.clamp(1, self.periods());
        let by = |breaching: usize| if breaching >= to_alarm { AlarmState::Alarm } else { AlarmState::Ok };
        // All that is known is beyond the threshold, and has been for long enough: an alarm, however little is known.
        let oldest = judged.first().map_or(0, |(age, _)| *age);
        let is_old_enough = breaching == judged.len() && oldest >= to_alarm;
        match self.missing_data {
            _ if filled == 0 => by(breaching),
            MissingData::Breaching => by(breaching.saturating_add(filled)),
            MissingData::NotBreaching => by(breaching),
            MissingData::Missing if judged.is_empty() => AlarmState::InsufficientData,
            MissingData::Missing if is_old_enough => AlarmState::Alarm,
            MissingData::Ignore if judged.is_empty() || is_old_enough && breaching < to_alarm => before,
            MissingData::Missing | MissingData::Ignore => by(breaching),
        }
    }

    /// The real data points that it judges, oldest first.
    #[must_use]
    pub fn evaluated(&self, datapoints: &[Option<f64>]) -> Vec<f64> {
        self.judged(datapoints).into_iter().map(|(_, value)| value).collect()
    }

    /// Whether a value is beyond the threshold; no number is not.
    #[must_use]
    pub fn is_breached_by(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::GreaterThan => value > self.threshold,
            Comparison::GreaterThanOrEqualTo => value >= self.threshold,
            Comparison::LessThan => value < self.threshold,
            Comparison::LessThanOrEqualTo => value <= self.threshold,
        }
    }

    /// What is judged, oldest first, each with its age in periods; the latest period has age 1.
    fn judged(&self, datapoints: &[Option<f64>]) -> Vec<(usize, f64)> {
        let newest_first = datapoints.iter().rev().take(self.periods().saturating_add(PERIODS_BEYOND)).enumerate();
        let real = newest_first.filter_map(|(age, value)| Some((age + 1, value.filter(|value| value.is_finite())?)));
        let mut judged: Vec<(usize, f64)> = real.take(self.periods()).collect();
        judged.reverse();
        judged
    }

    fn periods(&self) -> usize {
        self.evaluation_periods.max(1)
    }
}
