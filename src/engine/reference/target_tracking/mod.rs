//! Target tracking as AWS Application Auto Scaling does it: the capacity is kept in proportion to a metric, such as CPU
//! per task, so that the metric is at or just below its target.
//! SOURCES: Application Auto Scaling User Guide, "Target tracking scaling policies" (proportion, alarms 10 % below,
//! insufficient data, several policies, cooldowns); Amazon EC2 Auto Scaling User Guide, "Target tracking scaling
//! policies" (rounding: of 1.5 two are added and one is removed); API Reference,
//! "TargetTrackingScalingPolicyConfiguration" (cooldown 300 s for ECS); Amazon ECS Developer Guide, "Service auto
//! scaling" (capacity zero, deployments) and "Target tracking scaling policies" (insufficient data is no low
//! utilization). There is no public source code. The number of data points (3 above, 15 below)
//! is on no page of AWS; users see it in the alarms it makes (aws-samples/amazon-aurora-labs-for-mysql #3), and Alibaba
//! documents the same for its own rule of that name. Before you change it:
//! 1. Both directions round up, which adds more and removes less.
//! 2. Out of the latest data point alone no decision is made: an alarm has to be raised. But it is the latest data
//!    point that says how far (recalled, not documented). Where it is missing, nothing is done: silence is no low load.
//! 3. Several policies: out if any is ready to, in only if all are that may. The largest capacity wins.
//! 4. Between the two alarms nothing happens: a tenth of the target, unless `scale_in_below` says otherwise.

#[cfg(test)]
mod tests;

use super::step_scaling::Alarm;
use super::step_scaling::AlarmState;
use super::step_scaling::Comparison;
use super::step_scaling::Cooldowns;
use super::step_scaling::Hold;
use super::step_scaling::ScalableTarget;
use super::step_scaling::Seen;
use super::step_scaling::Wish;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// A capacity this close to a whole one, relative to itself, is that one: a division that is off in the last bit adds
/// no task.
const CLOSE: f64 = 1e-9;

/// A target tracking policy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TargetTrackingPolicy {
    /// What the metric should be at. Above zero; a policy with any other target wants nothing.
    pub target_value: f64,
    /// How long a scale-out is given to take effect.
    pub scale_out_cooldown: Span,
    /// How long a scale-in keeps the next one waiting.
    pub scale_in_cooldown: Span,
    /// It never scales in, and does not keep others from it.
    pub disable_scale_in: bool,
    /// So many data points in a row are above the target before it scales out.
    pub scale_out_datapoints: usize,
    /// So many in a row are low before it scales in.
    pub scale_in_datapoints: usize,
    /// What is low: below this share of the target. The guide says "usually more than 10 % lower".
    pub scale_in_below: Permille,
}

/// A policy and what its two alarms said last.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TargetTracking {
    policy: TargetTrackingPolicy,
    high: AlarmState,
    low: AlarmState,
}

/// What one of several policies says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// Ready to scale out.
    Out(Wish),
    /// Ready to scale in; the capacity may be the present one, where rounding leaves nothing to remove.
    In(Wish),
    /// Not ready for either. It keeps the others from scaling in.
    Hold(Hold),
    /// Not ready to scale out, and has no say about scaling in.
    Abstain(Hold),
}

impl TargetTrackingPolicy {
    /// A policy for ECS services with the documented defaults, and with alarms as they are seen in practice.
    #[must_use]
    pub const fn new(target_value: f64) -> Self {
        Self {
            target_value,
            scale_out_cooldown: Span::from_secs(300),
            scale_in_cooldown: Span::from_secs(300),
            disable_scale_in: false,
            scale_out_datapoints: 3,
            scale_in_datapoints: 15,
            scale_in_below: Permille::percent(90),
        }
    }

    /// The alarm that makes it scale out: strictly above the target, as users see it (recalled).
    #[must_use]
    pub const fn high_alarm(&self) -> Alarm {
        Alarm::new(Comparison::GreaterThan, self.target_value, self.scale_out_datapoints)
    }

    /// The alarm that makes it scale in: strictly below that share of the target (recalled).
    #[must_use]
    pub fn low_alarm(&self) -> Alarm {
        let threshold = self.target_value * self.scale_in_below.as_fraction();
        Alarm::new(Comparison::LessThan, threshold, self.scale_in_datapoints)
    }
}

impl TargetTracking {
    /// A policy whose alarms have not been evaluated yet.
    #[must_use]
    pub const fn new(policy: TargetTrackingPolicy) -> Self {
        Self { policy, high: AlarmState::InsufficientData, low: AlarmState::InsufficientData }
    }

    /// What the alarm above the target and the one below it said last.
    #[must_use]
    pub const fn states(&self) -> (AlarmState, AlarmState) {
        (self.high, self.low)
    }

    /// Evaluates both alarms and says what the policy is ready for. Bounds and suspension are not looked at, apart from
    /// the minimum that a scale-out starts from.
    pub fn vote(&mut self, seen: &Seen<'_>, target: &ScalableTarget, cooldowns: &Cooldowns) -> Vote {
        let policy = &self.policy;
        let cannot = if policy.disable_scale_in { Vote::Abstain } else { Vote::Hold };
        self.high = policy.high_alarm().state(seen.datapoints, self.high);
        self.low = policy.low_alarm().state(seen.datapoints, self.low);
        let latest = seen.datapoints.last().copied().flatten();
        let Some(metric) = latest.filter(|metric| desired_capacity(1, *metric, policy.target_value).is_some()) else {
            return cannot(Hold::InsufficientData);
        };
        let wanted = |from| desired_capacity(from, metric, policy.target_value).unwrap_or(from);
        if seen.capacity == 0 {
            // Nothing runs, so nothing is in proportion: any demand starts the least there can be, after one data
            // point.
            let to = target.min_capacity.max(1);
            let wish = Wish { to, cooldown: policy.scale_out_cooldown };
            return if metric > 0.0 { Vote::Out(wish) } else { cannot(Hold::Quiet) };
        }
        if self.high == AlarmState::Alarm && metric > policy.target_value {
            let to = wanted(target.scale_out_from(seen, cooldowns));
            return Vote::Out(Wish { to, cooldown: policy.scale_out_cooldown });
        }
        if self.low == AlarmState::Alarm && metric < policy.target_value {
            let to = wanted(target.scale_in_from(seen));
            let wish = Wish { to, cooldown: policy.scale_in_cooldown };
            return if policy.disable_scale_in { Vote::Abstain(Hold::ScaleInDisabled) } else { Vote::In(wish) };
        }
        cannot(Hold::Quiet)
    }
}

/// The capacity at which the metric would be at its target, if it falls as capacity rises: `capacity * metric /
/// target`, rounded up in both directions. A result within a billionth of a whole number is that number.
///
/// `None` where the metric is negative or no finite number, or the target is not above zero. Saturates. Without
/// capacity there is no proportion, and the answer is zero.
///
/// ```
/// use plimsoll::engine::reference::target_tracking::desired_capacity;
///
/// // 6 · 65 / 50 is 7.8, and 6 · 35 / 50 is 4.2.
/// assert_eq!(desired_capacity(6, 65.0, 50.0), Some(8));
/// assert_eq!(desired_capacity(6, 35.0, 50.0), Some(5));
/// ```
#[must_use]
pub fn desired_capacity(capacity: u32, metric: f64, target_value: f64) -> Option<u32> {
    let is_target = target_value.is_finite() && target_value > 0.0;
    if !is_target || !metric.is_finite() || metric < 0.0 {
        return None;
    }
    let exact = f64::from(capacity) * metric / target_value;
    let nearest = exact.round();
    let is_whole = (exact - nearest).abs() <= CLOSE * nearest.max(1.0);
    Some(tasks(if is_whole { nearest } else { exact.ceil() }))
}

/// What several policies of one target come to: out if any is ready to, in only if all are that may, each time the
/// largest capacity. Without any policy nothing is wanted.
#[must_use]
pub fn combined(votes: &[Vote]) -> Vote {
    let out: Vec<Wish> =
        votes.iter().filter_map(|vote| if let Vote::Out(wish) = vote { Some(*wish) } else { None }).collect();
    let inwards: Vec<Wish> =
        votes.iter().filter_map(|vote| if let Vote::In(wish) = vote { Some(*wish) } else { None }).collect();
    let held = votes.iter().find(|vote| matches!(vote, Vote::Hold(_)));
    match (Wish::largest(&out), Wish::largest(&inwards), held) {
        (Some(wish), _, _) => Vote::Out(wish),
        (None, Some(wish), None) => Vote::In(wish),
        (None, Some(_), Some(_)) => Vote::Hold(Hold::NotAllReady),
        (None, None, Some(held)) => *held,
        (None, None, None) => votes.first().copied().unwrap_or(Vote::Abstain(Hold::Quiet)),
    }
}

/// Evaluates the policies of one target, each with the data points of its own metric, and says what they want together.
/// Policies without data points are taken to have none. Nothing is noted in the cooldowns.
///
/// ```
/// use plimsoll::engine::reference::step_scaling::Cooldowns;
/// use plimsoll::engine::reference::step_scaling::Hold;
/// use plimsoll::engine::reference::step_scaling::ScalableTarget;
/// use plimsoll::engine::reference::target_tracking::TargetTracking;
/// use plimsoll::engine::reference::target_tracking::TargetTrackingPolicy;
/// use plimsoll::engine::reference::target_tracking::look;
/// use plimsoll::units::Instant;
///
/// let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(50.0))];
/// let target = ScalableTarget::new(2, 10);
/// let mut wanted = |datapoints: &[Option<f64>]| {
///     look(&mut policies, &[datapoints], (Instant::START, 4), &target, &Cooldowns::default()).map(|wish| wish.to)
/// };
/// // Three minutes above the target scale out, fifteen below nine tenths of it scale in; nothing happens in between.
/// assert_eq!(wanted(&[Some(75.0); 3]), Ok(6));
/// assert_eq!(wanted(&[Some(30.0); 15]), Ok(3));
/// assert_eq!(wanted(&[Some(47.0); 15]), Err(Hold::Quiet));
/// ```
///
/// # Errors
/// Why they want nothing, or may not have it.
pub fn look(
    policies: &mut [TargetTracking],
    datapoints: &[&[Option<f64>]],
    (now, capacity): (Instant, u32),
    target: &ScalableTarget,
    cooldowns: &Cooldowns,
) -> Result<Wish, Hold> {
    let of = |index: usize| datapoints.get(index).copied().unwrap_or_default();
    let votes: Vec<Vote> = policies
        .iter_mut()
        .enumerate()
        .map(|(index, policy)| policy.vote(&Seen { now, capacity, datapoints: of(index) }, target, cooldowns))
        .collect();
    let seen = Seen { now, capacity, datapoints: &[] };
    match combined(&votes) {
        Vote::Out(wish) => target.scale_out(&seen, cooldowns, wish.to, wish.cooldown),
        Vote::In(wish) => target.scale_in(&seen, cooldowns, wish.to, wish.cooldown),
        Vote::Hold(held) | Vote::Abstain(held) => Err(held),
    }
}

/// Looks, and notes what is wanted as carried out: for a target without any other policies.
///
/// # Errors
/// Why nothing is scaled.
pub fn observe(
    policies: &mut [TargetTracking],
    datapoints: &[&[Option<f64>]],
    (now, capacity): (Instant, u32),
    target: &ScalableTarget,
    cooldowns: &mut Cooldowns,
) -> Result<Wish, Hold> {
    let wish = look(policies, datapoints, (now, capacity), target, cooldowns)?;
    cooldowns.note(&Seen { now, capacity, datapoints: &[] }, wish);
    Ok(wish)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number that is not negative; the cast saturates"
)]
const fn tasks(count: f64) -> u32 {
    count as u32
}
