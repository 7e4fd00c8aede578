//! How fast a target may grow and shrink.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/horizontal.go` (rate limits and scale events), the main
//! branch of mid 2026; defaults from `pkg/apis/autoscaling/v2/defaults.go`. Before you change it:
//! 1. A policy counts from the replicas there were when its period began: those there are, less those added since, and
//!    those removed since put back. Both directions count for both limits (earlier releases looked at one).
//! 2. An event counts while it is younger than the period: strictly. An event is outdated when it is older than the
//!    longest period: strictly, too. One that is exactly as old is neither.
//! 3. Growth by percent rounds up, or small targets would never grow; the way down cuts off.
//! 4. Outdated events are marked, and a new event takes the place of the last one marked. So the list stays as short as
//!    the longest period needs.

use super::rounding::cut_off;
use super::rounding::nearest_count;
use super::rounding::round_up;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// Which of several policies decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Select {
    /// The one that allows the largest change.
    #[default]
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: nothing is changed in this direction.
    Disabled,
}

/// What a policy counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PolicyKind {
    /// Replicas.
    Pods,
    /// Percent of the replicas there were when the period began.
    Percent,
}

/// At most so much change in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Policy {
    /// What `value` counts.
    pub kind: PolicyKind,
    /// So many; above zero.
    pub value: i32,
    /// In so much time; 1 s to 30 min.
    pub period: Span,
}

/// How a target changes in one direction.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScalingRules {
    /// A change must have been wanted all this time; at most an hour. `None`: at once on the way up, and as long as
    /// everybody waits on the way down.
    pub stabilisation: Option<Span>,
    /// Which of the policies decides.
    pub select: Select,
    /// How much change there may be.
    pub policies: Vec<Policy>,
    /// How far from its target a metric may be; `None`: as far as for everybody.
    pub tolerance: Option<Permille>,
}

impl ScalingRules {
    /// The defaults for the way up: at once, and 4 replicas or as many as there are in 15 s, whatever is more.
    #[must_use]
    pub fn up() -> Self {
        let period = Span::from_secs(15);
        let policies = vec![
            Policy { kind: PolicyKind::Pods, value: 4, period },
            Policy { kind: PolicyKind::Percent, value: 100, period },
        ];
        Self { stabilisation: Some(Span::ZERO), select: Select::Max, policies, tolerance: None }
    }

    /// The defaults for the way down: everything, once it was wanted as long as everybody waits.
    #[must_use]
    pub fn down() -> Self {
        let policies = vec![Policy { kind: PolicyKind::Percent, value: 100, period: Span::from_secs(15) }];
        Self { stabilisation: None, select: Select::Max, policies, tolerance: None }
    }

    /// The longest period of its policies; nothing without any.
    #[must_use]
    pub fn longest_period(&self) -> Span {
        self.policies.iter().map(|policy| policy.period).max().unwrap_or(Span::ZERO)
    }
}

/// How a target changes in both directions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Behaviour {
    /// The way up.
    pub up: ScalingRules,
    /// The way down.
    pub down: ScalingRules,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { up: ScalingRules::up(), down: ScalingRules::down() }
    }
}

/// A change that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScaleEvent {
    /// By so many replicas; not below zero, whatever the direction.
    pub change: i32,
    /// When.
    pub at: Instant,
    /// Whether a new event may take its place.
    pub outdated: bool,
}

/// The changes that were made to a target.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ScaleEvents {
    /// When it grew.
    pub up: Vec<ScaleEvent>,
    /// When it shrank.
    pub down: Vec<ScaleEvent>,
}

impl ScaleEvents {
    /// Remembers a change from `before` to `after`. Without a behaviour nothing is remembered, since nobody would ask.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Behaviour, ScaleEvents, change_within};
    /// use plimsoll::units::{Instant, Span};
    ///
    /// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
    /// let mut events = ScaleEvents::default();
    /// events.store(at(100), Some(&Behaviour::default()), 4, 7);
    /// assert_eq!(change_within(at(110), Span::from_secs(15), &events.up), 3);
    /// assert_eq!(change_within(at(115), Span::from_secs(15), &events.up), 0);
    /// ```
    #[doc(alias = "storeScaleEvent")]
    pub fn store(&mut self, now: Instant, behaviour: Option<&Behaviour>, before: i32, after: i32) {
        let Some(behaviour) = behaviour else { return };
        let (events, rules) =
            if after > before { (&mut self.up, &behaviour.up) } else { (&mut self.down, &behaviour.down) };
        let longest = rules.longest_period();
        for event in events.iter_mut() {
            event.outdated |= now.since(event.at) > longest;
        }
        let change = i32::try_from(after.abs_diff(before)).unwrap_or(i32::MAX);
        let new = ScaleEvent { change, at: now, outdated: false };
        match events.iter_mut().rev().find(|event| event.outdated) {
            Some(outdated) => *outdated = new,
            None => events.push(new),
        }
    }

    /// The replicas there were when a period began that ends now with so many.
    fn at_start(&self, now: Instant, period: Span, current: i32) -> i32 {
        let change = change_within(now, period, &self.down).saturating_sub(change_within(now, period, &self.up));
        nearest_count(i128::from(current) + i128::from(change))
    }
}

/// By how many replicas a target was changed in a period that ends now.
#[doc(alias = "getReplicasChangePerPeriod")]
#[must_use]
pub fn change_within(now: Instant, period: Span, events: &[ScaleEvent]) -> i64 {
    let recent = events.iter().filter(|event| now.since(event.at) < period);
    recent.fold(0, |sum: i64, event| sum.saturating_add(i64::from(event.change)))
}

/// The most replicas the rules allow. It may be less than there are: then nothing is added.
///
/// ```
/// use plimsoll::engine::reference::hpa::{ScaleEvents, ScalingRules, scale_up_limit};
/// use plimsoll::units::Instant;
///
/// // By default four, or as many again.
/// let limit = |current| scale_up_limit(Instant::START, current, &ScaleEvents::default(), &ScalingRules::up());
/// assert_eq!([limit(1), limit(10)], [5, 20]);
/// ```
#[doc(alias = "calculateScaleUpLimitWithScalingRules")]
#[must_use]
pub fn scale_up_limit(now: Instant, current: i32, events: &ScaleEvents, rules: &ScalingRules) -> i32 {
    let allowed = rules.policies.iter().map(|policy| {
        let start = events.at_start(now, policy.period, current);
        match policy.kind {
            PolicyKind::Pods => start.saturating_add(policy.value),
            PolicyKind::Percent => round_up(f64::from(start) * (1.0 + f64::from(policy.value) / 100.0)),
        }
    });
    match rules.select {
        Select::Max => allowed.max().unwrap_or(i32::MIN),
        Select::Min => allowed.min().unwrap_or(i32::MAX),
        Select::Disabled => current,
    }
}

/// The fewest replicas the rules allow. It may be more than there are: then nothing is removed.
///
/// ```
/// use plimsoll::engine::reference::hpa::{Policy, PolicyKind, ScaleEvents, ScalingRules, scale_down_limit};
/// use plimsoll::units::{Instant, Span};
///
/// let policies = vec![Policy { kind: PolicyKind::Percent, value: 30, period: Span::from_secs(60) }];
/// let rules = ScalingRules { policies, ..ScalingRules::down() };
/// assert_eq!(scale_down_limit(Instant::START, 9, &ScaleEvents::default(), &rules), 6);
/// ```
#[doc(alias = "calculateScaleDownLimitWithBehaviors")]
#[must_use]
pub fn scale_down_limit(now: Instant, current: i32, events: &ScaleEvents, rules: &ScalingRules) -> i32 {
    let allowed = rules.policies.iter().map(|policy| {
        let start = events.at_start(now, policy.period, current);
        match policy.kind {
            PolicyKind::Pods => start.saturating_sub(policy.value),
            PolicyKind::Percent => cut_off(f64::from(start) * (1.0 - f64::from(policy.value) / 100.0)),
        }
    });
    match rules.select {
        Select::Max => allowed.min().unwrap_or(i32::MAX),
        Select::Min => allowed.max().unwrap_or(i32::MIN),
        Select::Disabled => current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::after_start(Span::from_secs(seconds))
    }

    fn event(change: i32, seconds: u64) -> ScaleEvent {
        ScaleEvent { change, at: at(seconds), outdated: false }
    }

    fn policy(kind: PolicyKind, value: i32, seconds: u64) -> Policy {
        Policy { kind, value, period: Span::from_secs(seconds) }
    }

    fn rules(select: Select, policies: &[Policy]) -> ScalingRules {
        ScalingRules { select, policies: policies.to_vec(), ..ScalingRules::up() }
    }

    #[test]
    fn an_event_counts_while_it_is_younger_than_the_period() {
        let events = [event(3, 40), event(5, 70)];
        let minute = Span::from_secs(60);
        assert_eq!(change_within(at(99), minute, &events), 8);
        assert_eq!(change_within(at(100), minute, &events), 5, "exactly a minute is too old");
        assert_eq!(change_within(at(130), minute, &events), 0);
        assert_eq!(change_within(at(30), minute, &[event(3, 0)]), 3, "a period may begin before the run does");
    }

    #[test]
    fn a_limit_counts_from_the_beginning_of_the_period() {
        // 20 now, 6 added and 2 removed within the minute: 16 at its beginning.
        let events = ScaleEvents { up: vec![event(6, 80)], down: vec![event(2, 90)] };
        let pods = policy(PolicyKind::Pods, 5, 60);
        let percent = policy(PolicyKind::Percent, 50, 60);
        let both = [pods, percent];
        for (select, up, down) in [(Select::Max, 24, 8), (Select::Min, 21, 11), (Select::Disabled, 20, 20)] {
            let rules = rules(select, &both);
            assert_eq!(scale_up_limit(at(100), 20, &events, &rules), up, "16 + 5 or 16 * 1.5: {select:?}");
            assert_eq!(scale_down_limit(at(100), 20, &events, &rules), down, "16 - 5 or 16 / 2: {select:?}");
        }
        // Each policy has its own period: in the last 15 s only the removal counts, so there were 22.
        let short = rules(Select::Max, &[policy(PolicyKind::Pods, 5, 15)]);
        assert_eq!(scale_up_limit(at(100), 20, &events, &short), 27);
    }

    #[test]
    fn growth_rounds_up_and_the_way_down_cuts_off() {
        let rules = rules(Select::Max, &[policy(PolicyKind::Percent, 10, 60)]);
        let events = ScaleEvents::default();
        assert_eq!(scale_up_limit(at(100), 3, &events, &rules), 4, "3.3");
        assert_eq!(scale_down_limit(at(100), 3, &events, &rules), 2, "2.7");
        // 100 * 1.1 is a little more than 110 in binary, and that is rounded up as well.
        assert_eq!(scale_up_limit(at(100), 100, &events, &rules), 111);
    }

    #[test]
    fn without_policies_nothing_moves() {
        let events = ScaleEvents::default();
        assert_eq!(scale_up_limit(at(9), 5, &events, &rules(Select::Max, &[])), i32::MIN);
        assert_eq!(scale_down_limit(at(9), 5, &events, &rules(Select::Max, &[])), i32::MAX);
    }

    #[test]
    fn a_new_event_takes_the_place_of_the_last_outdated_one() {
        let both = [policy(PolicyKind::Pods, 10, 60), policy(PolicyKind::Pods, 20, 30)];
        let behaviour = Behaviour { up: rules(Select::Max, &both), down: ScalingRules::down() };
        let mut events = ScaleEvents { up: vec![event(1, 20), event(2, 39), event(3, 40)], down: vec![event(4, 20)] };
        events.store(at(100), Some(&behaviour), 10, 17);
        // Older than a minute are those of 20 s and 39 s; that of 40 s is exactly a minute old.
        let outdated = ScaleEvent { outdated: true, ..event(1, 20) };
        assert_eq!(events.up, [outdated, event(7, 100), event(3, 40)]);
        events.store(at(100), Some(&behaviour), 17, 25);
        assert_eq!(events.up, [event(8, 100), event(7, 100), event(3, 40)]);
        events.store(at(100), Some(&behaviour), 25, 26);
        assert_eq!(events.up.len(), 4);
        assert_eq!(events.down, [event(4, 20)], "the other direction is not looked at");
        events.store(at(100), Some(&behaviour), 9, 7);
        assert_eq!(events.down, [event(2, 100)]);
        let before = events.clone();
        events.store(at(500), None, 1, 9);
        assert_eq!(events, before, "without a behaviour nothing is remembered");
    }

    #[test]
    fn no_figure_is_too_large() {
        let events = ScaleEvents { up: vec![event(i32::MAX, 90); 3], down: vec![event(i32::MAX, 90)] };
        for kind in [PolicyKind::Pods, PolicyKind::Percent] {
            let rules = rules(Select::Max, &[policy(kind, i32::MAX, 60)]);
            for current in [i32::MIN, 0, i32::MAX] {
                let _ = scale_up_limit(at(100), current, &events, &rules);
                let _ = scale_down_limit(at(100), current, &events, &rules);
            }
        }
        let mut events = ScaleEvents::default();
        events.store(at(1), Some(&Behaviour::default()), i32::MIN, i32::MAX);
        assert_eq!(events.up[0].change, i32::MAX);
    }
}
