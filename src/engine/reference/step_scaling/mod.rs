//! Step scaling as AWS Application Auto Scaling does it: an alarm is raised, and how far the metric is beyond its
//! threshold says which step is taken.
//! SOURCES: Application Auto Scaling User Guide, "Step scaling policies" (steps, types, rounding, cooldown, the example
//! 10 → 11 → 14 → 13 → 10) and "Quotas" (20 steps); API Reference, "StepAdjustment", "StepScalingPolicyConfiguration".
//! There is no public source code. Before you change it:
//! 1. Bounds of a step are relative to the threshold of the alarm. At or above the threshold the lower bound belongs to
//!    the step and the upper one does not; at or below it, it is the other way round. A missing bound is infinite.
//! 2. A percentage is rounded towards zero, but what is not zero never becomes zero.
//! 3. The steps of a policy leave no gap and do not overlap. A policy that does is refused, and `errors` says why.
//! 4. What is cooled down, suspended and bounded is in `scalable_target`, the same for all policies.

mod alarm;
mod scalable_target;
#[cfg(test)]
mod tests;

pub use alarm::Alarm;
pub use alarm::AlarmState;
pub use alarm::Comparison;
pub use alarm::MissingData;
pub use scalable_target::Cooldowns;
pub use scalable_target::Hold;
pub use scalable_target::ScalableTarget;
pub use scalable_target::Seen;
pub use scalable_target::Wish;

use crate::units::Span;

/// Most steps of a policy ("Quotas").
const STEPS_MAX: usize = 20;

/// How the adjustment of a step is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdjustmentType {
    /// So many tasks more, or fewer where it is negative.
    ChangeInCapacity,
    /// So many tasks.
    ExactCapacity,
    /// So many percent of the capacity more, or less where it is negative.
    PercentChangeInCapacity,
}

/// How the data points that an alarm judged become the one value that picks a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Their mean. The documented default.
    #[default]
    Average,
    /// The least of them.
    Minimum,
    /// The largest of them.
    Maximum,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// Where it begins, relative to the threshold; `None` is minus infinity.
    pub lower: Option<f64>,
    /// Where it ends, relative to the threshold; `None` is infinity.
    pub upper: Option<f64>,
    /// By how much to scale.
    pub adjustment: i64,
}

/// A step scaling policy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StepPolicy {
    /// How the adjustments are meant.
    pub adjustment_type: AdjustmentType,
    /// The steps, in any order.
    pub steps: Vec<Step>,
    /// The least number of tasks by which a percentage scales; other types do not look at it.
    pub min_adjustment_magnitude: Option<u32>,
    /// How long a scaling activity is given to take effect; 300 s where nothing is said.
    pub cooldown: Span,
    /// How data points become one value.
    pub aggregation: Aggregation,
}

/// What is wrong with the steps of a policy. A step is named by its place in the list, from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepError {
    /// There is no step.
    NoSteps,
    /// There are more than 20.
    TooManySteps {
        /// How many there are.
        count: usize,
    },
    /// A step without any bound.
    NoBounds {
        /// Which step.
        step: usize,
    },
    /// A step that ends where it begins or before, or whose bound is no finite number.
    EmptyInterval {
        /// Which step.
        step: usize,
    },
    /// More than one step begins at minus infinity.
    SeveralWithoutLowerBound,
    /// More than one step ends at infinity.
    SeveralWithoutUpperBound,
    /// A step begins below the threshold, and none at minus infinity.
    NoneWithoutLowerBound,
    /// A step ends above the threshold, and none at infinity.
    NoneWithoutUpperBound,
    /// A step begins before the one below it ends.
    Overlap {
        /// The step above.
        step: usize,
    },
    /// A step begins after the one below it ends.
    Gap {
        /// The step above.
        step: usize,
    },
    /// An exact capacity below zero.
    NegativeCapacity {
        /// Which step.
        step: usize,
    },
}

/// A step scaling policy with its alarm, and what the alarm said last.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StepScaling {
    policy: StepPolicy,
    alarm: Alarm,
    state: AlarmState,
}

impl StepPolicy {
    /// A policy with the documented defaults for all but its steps.
    #[must_use]
    pub const fn new(adjustment_type: AdjustmentType, steps: Vec<Step>) -> Self {
        Self {
            adjustment_type,
            steps,
            min_adjustment_magnitude: None,
            cooldown: Span::from_secs(300),
            aggregation: Aggregation::Average,
        }
    }

    /// All that is wrong with it, first what concerns single steps; empty where it may be used.
    #[must_use]
    pub fn errors(&self) -> Vec<StepError> {
        let mut errors = Vec::new();
        match self.steps.len() {
            0 => errors.push(StepError::NoSteps),
            count if count > STEPS_MAX => errors.push(StepError::TooManySteps { count }),
            _ => {}
        }
        for (step, Step { lower, upper, adjustment }) in self.steps.iter().enumerate() {
            if lower.is_none() && upper.is_none() {
                errors.push(StepError::NoBounds { step });
            }
            let is_finite = lower.is_none_or(f64::is_finite) && upper.is_none_or(f64::is_finite);
            if !is_finite || matches!((lower, upper), (Some(lower), Some(upper)) if lower >= upper) {
                errors.push(StepError::EmptyInterval { step });
            }
            if self.adjustment_type == AdjustmentType::ExactCapacity && *adjustment < 0 {
                errors.push(StepError::NegativeCapacity { step });
            }
        }
        let open = |bound: fn(&Step) -> Option<f64>| self.steps.iter().filter(|step| bound(step).is_none()).count();
        let (without_lower, without_upper) = (open(|step| step.lower), open(|step| step.upper));
        if without_lower > 1 {
            errors.push(StepError::SeveralWithoutLowerBound);
        }
        if without_upper > 1 {
            errors.push(StepError::SeveralWithoutUpperBound);
        }
        if without_lower == 0 && self.steps.iter().any(|step| step.lower.is_some_and(|bound| bound < 0.0)) {
            errors.push(StepError::NoneWithoutLowerBound);
        }
        if without_upper == 0 && self.steps.iter().any(|step| step.upper.is_some_and(|bound| bound > 0.0)) {
            errors.push(StepError::NoneWithoutUpperBound);
        }
        self.push_errors_between_steps(&mut errors);
        errors
    }

    /// The step for a value of the metric; `None` where no step covers it.
    ///
    /// A value exactly on the threshold belongs to the step that begins there, and only where there is none to the one
    /// that ends there.
    ///
    /// ```
    /// use plimsoll::engine::reference::step_scaling::AdjustmentType;
    /// use plimsoll::engine::reference::step_scaling::Step;
    /// use plimsoll::engine::reference::step_scaling::StepPolicy;
    ///
    /// // Beyond 60 % a quarter more, beyond 80 % twice as many.
    /// let steps = vec![
    ///     Step { lower: Some(0.0), upper: Some(20.0), adjustment: 25 },
    ///     Step { lower: Some(20.0), upper: None, adjustment: 100 },
    /// ];
    /// let policy = StepPolicy::new(AdjustmentType::PercentChangeInCapacity, steps);
    /// assert!(policy.errors().is_empty());
    /// let capacity = |metric| policy.step(metric, 60.0).map(|step| policy.adjusted(step.adjustment, 10));
    /// // A quarter of 10 is 2.5, rounded towards zero.
    /// assert_eq!([capacity(59.0), capacity(60.0), capacity(80.0)], [None, Some(12), Some(20)]);
    /// ```
    #[must_use]
    pub fn step(&self, metric: f64, threshold: f64) -> Option<&Step> {
        let bounds = |step: &Step| {
            let at = |bound: f64| threshold + bound;
            (step.lower.map_or(f64::NEG_INFINITY, at), step.upper.map_or(f64::INFINITY, at))
        };
        let above = self.steps.iter().find(|step| {
            let (lower, upper) = bounds(step);
            metric >= threshold && lower <= metric && metric < upper
        });
        above.or_else(|| {
            self.steps.iter().find(|step| {
                let (lower, upper) = bounds(step);
                metric <= threshold && lower < metric && metric <= upper
            })
        })
    }

    /// The capacity that an adjustment makes of another one, without any bounds; never below zero.
    #[must_use]
    pub fn adjusted(&self, adjustment: i64, capacity: u32) -> u32 {
        let change = match self.adjustment_type {
            AdjustmentType::ExactCapacity => return within(i128::from(adjustment)),
            AdjustmentType::ChangeInCapacity => i128::from(adjustment),
            AdjustmentType::PercentChangeInCapacity => {
                let wide = i128::from(adjustment) * i128::from(capacity);
                // Rounded towards zero, but never to it.
                let tasks = if wide / 100 == 0 { wide.signum() } else { wide / 100 };
                let least = i128::from(self.min_adjustment_magnitude.unwrap_or(0));
                match adjustment {
                    0 => 0,
                    1.. => tasks.max(least),
                    _ => tasks.min(-least),
                }
            }
        };
        within(i128::from(capacity) + change)
    }

    fn push_errors_between_steps(&self, errors: &mut Vec<StepError>) {
        let from = |step: &Step| step.lower.unwrap_or(f64::NEG_INFINITY);
        let mut order: Vec<usize> = (0..self.steps.len()).collect();
        order.sort_by(|a, b| from(&self.steps[*a]).total_cmp(&from(&self.steps[*b])));
        for pair in order.windows(2) {
            let (below, above) = (&self.steps[pair[0]], &self.steps[pair[1]]);
            let (end, begin) = (below.upper.unwrap_or(f64::INFINITY), from(above));
            if begin < end {
                errors.push(StepError::Overlap { step: pair[1] });
            } else if begin > end {
                errors.push(StepError::Gap { step: pair[1] });
            }
        }
    }
}

impl Aggregation {
    /// The one value of these data points; `None` where there are none.
    #[must_use]
    pub fn of(self, datapoints: &[f64]) -> Option<f64> {
        let (first, rest) = datapoints.split_first()?;
        Some(match self {
            Self::Average => datapoints.iter().sum::<f64>() / datapoints.len() as f64,
            Self::Minimum => rest.iter().fold(*first, |least, value| least.min(*value)),
            Self::Maximum => rest.iter().fold(*first, |most, value| most.max(*value)),
        })
    }
}

impl StepScaling {
    /// A policy and the alarm that triggers it, which has not been evaluated yet.
    ///
    /// # Errors
    /// All that is wrong with the steps of the policy.
    pub fn new(policy: StepPolicy, alarm: Alarm) -> Result<Self, Vec<StepError>> {
        let errors = policy.errors();
        if errors.is_empty() { Ok(Self { policy, alarm, state: AlarmState::default() }) } else { Err(errors) }
    }

    /// What the alarm said last.
    #[must_use]
    pub const fn state(&self) -> AlarmState {
        self.state
    }

    /// Evaluates the alarm and says what the policy wants. Nothing is noted in the cooldowns: that is done with the
    /// wish that is carried out.
    ///
    /// # Errors
    /// Why it wants nothing, or may not have it.
    pub fn look(&mut self, seen: &Seen<'_>, target: &ScalableTarget, cooldowns: &Cooldowns) -> Result<Wish, Hold> {
        self.state = self.alarm.state(seen.datapoints, self.state);
        match self.state {
            AlarmState::Ok => return Err(Hold::Quiet),
            AlarmState::InsufficientData => return Err(Hold::InsufficientData),
            AlarmState::Alarm => {}
        }
        let policy = &self.policy;
        let judged = self.alarm.evaluated(seen.datapoints);
        let metric = policy.aggregation.of(&judged).ok_or(Hold::InsufficientData)?;
        let adjustment = policy.step(metric, self.alarm.threshold).ok_or(Hold::NoStep)?.adjustment;
        let grows = match policy.adjustment_type {
            AdjustmentType::ExactCapacity => i64::from(seen.capacity).cmp(&adjustment),
            _ => 0.cmp(&adjustment),
        };
        match grows {
            std::cmp::Ordering::Equal => Err(Hold::AlreadyAtDesiredCapacity),
            std::cmp::Ordering::Less => {
                let to = policy.adjusted(adjustment, target.scale_out_from(seen, cooldowns));
                target.scale_out(seen, cooldowns, to, policy.cooldown)
            }
            std::cmp::Ordering::Greater => {
                let to = policy.adjusted(adjustment, target.scale_in_from(seen));
                target.scale_in(seen, cooldowns, to, policy.cooldown)
            }
        }
    }

    /// Looks, and notes the wish as carried out: for a target with this one policy.
    ///
    /// ```
    /// use plimsoll::engine::reference::step_scaling::AdjustmentType;
    /// use plimsoll::engine::reference::step_scaling::Alarm;
    /// use plimsoll::engine::reference::step_scaling::Comparison;
    /// use plimsoll::engine::reference::step_scaling::Cooldowns;
    /// use plimsoll::engine::reference::step_scaling::Hold;
    /// use plimsoll::engine::reference::step_scaling::ScalableTarget;
    /// use plimsoll::engine::reference::step_scaling::Seen;
    /// use plimsoll::engine::reference::step_scaling::Step;
    /// use plimsoll::engine::reference::step_scaling::StepPolicy;
    /// use plimsoll::engine::reference::step_scaling::StepScaling;
    /// use plimsoll::units::Instant;
    /// use plimsoll::units::Span;
    ///
    /// let steps = vec![Step { lower: Some(0.0), upper: None, adjustment: 3 }];
    /// let policy = StepPolicy::new(AdjustmentType::ChangeInCapacity, steps);
    /// let mut scaling = StepScaling::new(policy, Alarm::new(Comparison::GreaterThan, 70.0, 1)).expect("one step is fine");
    /// let (target, mut cooldowns) = (ScalableTarget::new(1, 20), Cooldowns::default());
    /// let datapoints = [Some(90.0)];
    /// let mut look = |minutes, capacity| {
    ///     let now = Instant::after_start(Span::from_mins(minutes));
    ///     scaling.observe(&Seen { now, capacity, datapoints: &datapoints }, &target, &mut cooldowns)
    /// };
    /// assert_eq!(look(0, 4).map(|wish| wish.to), Ok(7));
    /// // What was added is given five minutes to take effect.
    /// assert_eq!(look(1, 7), Err(Hold::CoolingDown { left: Span::from_mins(4) }));
    /// assert_eq!(look(5, 7).map(|wish| wish.to), Ok(10));
    /// ```
    ///
    /// # Errors
    /// Why nothing is scaled.
    pub fn observe(
        &mut self,
        seen: &Seen<'_>,
        target: &ScalableTarget,
        cooldowns: &mut Cooldowns,
    ) -> Result<Wish, Hold> {
        let wish = self.look(seen, target, cooldowns)?;
        cooldowns.note(seen, wish);
        Ok(wish)
    }
}

/// A capacity, cut to what there can be.
fn within(capacity: i128) -> u32 {
    u32::try_from(capacity.max(0)).unwrap_or(u32::MAX)
}
