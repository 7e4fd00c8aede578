//! How many pods a load needs: the decision of every tick.
//!
//! Source: knative/serving@98e5ef90, `pkg/autoscaler/scaling/autoscaler.go` and `multiscaler.go`.
//!
//! Before you change it:
//! 1. Panic is judged by the need that was not yet limited by the rates; what is asked for is limited. Down goes before up,
//!    so where the two rates cross, up wins.
//! 2. Zero ready pods count as one for the rates and for panic, and as zero for the excess.
//! 3. In panic the number never falls. It ends when the load was below the threshold at a look strictly later than one
//!    stable window after the last look above it.
//! 4. The delay comes after panic. Its window is made once, at the start: neither a later delay nor a later length is
//!    taken over, as in the original.
//! 5. Without ready pods counted, or without data, there is no recommendation; the caller holds what it has.

use super::config::Config;
use super::maximum::MaximumTimeWindow;
use super::revision::Revision;
use super::revision::ScalingMetric;
use crate::units::Instant;
use crate::units::Span;

/// How often the original looks.
pub const TICK: Span = Span::from_secs(2);

/// What the autoscaler is told about a service. The default is that of a service that says nothing for itself.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// What is measured; the caller hands in values of it.
    pub metric: ScalingMetric,
    /// Times as many pods that one look may ask for.
    pub max_scale_up_rate: f64,
    /// One look leaves at least one divided by this of the pods.
    pub max_scale_down_rate: f64,
    /// What a pod is to carry.
    pub target_value: f64,
    /// What a pod can carry, at least the target.
    pub total_value: f64,
    /// What is to fit on top of the load: 0 none, negative without limit.
    pub target_burst_capacity: f64,
    /// What one proxy can carry; it decides nothing here.
    pub activator_capacity: f64,
    /// Need in the panic window, in multiples of the ready pods, at which panic begins.
    pub panic_threshold: f64,
    /// How long panic lasts beyond the last look above the threshold.
    pub stable_window: Span,
    /// How long the need must have been smaller before the number falls.
    pub scale_down_delay: Span,
    /// Pods that it begins with.
    pub initial_scale: u32,
    /// Pods that it has at least while there is a need; below 2 it says nothing.
    pub activation_scale: u32,
    /// Whether requests can come to it. If not, it may fall at any rate and without delay.
    pub reachable: bool,
}

/// The averages of both windows, of all pods together.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    /// Over the stable window.
    pub stable: f64,
    /// Over the panic window.
    pub panic: f64,
}

/// What comes out of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recommendation {
    /// Pods that there are to be, before bounds.
    pub desired: u32,
    /// What the ready pods can carry beyond the load of the panic window and the burst that is to fit, rounded down.
    /// Negative means that a proxy has to stay in the path. Always 0 for a burst of 0, always -1 for one without limit.
    pub excess_burst_capacity: i32,
}

/// Panic, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct PanicState {
    /// The last look at which the load was above the threshold; `None` out of panic.
    pub since: Option<Instant>,
    /// The most pods asked for in this panic.
    pub pods_max: u32,
}

/// The autoscaler of one service.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Autoscaler {
    spec: Spec,
    panic: PanicState,
    delay: Option<MaximumTimeWindow>,
}

impl Default for Spec {
    fn default() -> Self {
        Revision::default().resolve_spec(&Config::default())
    }
}

impl Spec {
    /// The excess before the first recommendation: what the first pods could carry beyond the burst, cut to a whole number.
    #[must_use]
    pub fn initial_excess_burst_capacity(&self) -> i32 {
        let burst = self.target_burst_capacity;
        if burst == 0.0 || burst == -1.0 {
            return cut(burst);
        }
        cut(f64::from(self.initial_scale) * self.total_value - burst)
    }
}

impl Autoscaler {
    /// An autoscaler that has seen nothing yet. It begins in panic where more than one pod is ready: after a restart it
    /// knows no past load, and must not take that for none. `None` where the ready pods cannot be counted.
    #[must_use]
    pub fn new(spec: Spec, now: Instant, ready: Option<u32>) -> Self {
        let pods_max = ready.unwrap_or(0);
        Self::resume(spec, PanicState { since: (pods_max > 1).then_some(now), pods_max })
    }

    /// An autoscaler with this panic behind it, and nothing that is delayed.
    #[must_use]
    pub fn resume(spec: Spec, panic: PanicState) -> Self {
        let delay = (spec.scale_down_delay > Span::ZERO).then(|| MaximumTimeWindow::new(spec.scale_down_delay, TICK));
        Self { spec, panic, delay }
    }

    /// Takes over what it is told from now on, except for the delay: whether there is one, and how long, stays.
    pub const fn update(&mut self, spec: Spec) {
        self.spec = spec;
    }

    /// What it was told.
    #[must_use]
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Panic, as it stands.
    #[must_use]
    pub const fn panic(&self) -> PanicState {
        self.panic
    }

    /// Whether it is in panic.
    #[must_use]
    pub const fn is_panicking(&self) -> bool {
        self.panic.since.is_some()
    }

    /// Looks once. `None` comes back where the ready pods cannot be counted or there is no data; then nothing is
    /// remembered either.
    ///
    /// ```
    /// use plimsoll::engine::reference::kpa::Autoscaler;
    /// use plimsoll::engine::reference::kpa::Recommendation;
    /// use plimsoll::engine::reference::kpa::Seen;
    /// use plimsoll::engine::reference::kpa::Spec;
    /// use plimsoll::units::Instant;
    ///
    /// let spec = Spec { target_value: 10.0, total_value: 20.0, target_burst_capacity: 15.0, ..Spec::default() };
    /// let mut scaler = Autoscaler::new(spec, Instant::START, Some(3));
    /// let seen = Seen { stable: 35.0, panic: 32.5 };
    /// // 35 / 10 is 3.5; and three pods can carry 60, of which 15 are for a burst and 32.5 in use.
    /// let wanted = Recommendation { desired: 4, excess_burst_capacity: 12 };
    /// assert_eq!(scaler.scale(Instant::START, Some(3), Some(seen)), Some(wanted));
    /// ```
    pub fn scale(&mut self, now: Instant, ready: Option<u32>, seen: Option<Seen>) -> Option<Recommendation> {
        let (ready, seen) = (ready?, seen?);
        let counted = f64::from(ready.max(1));
        let stable_need = (seen.stable / self.spec.target_value).ceil();
        let panic_need = (seen.panic / self.spec.target_value).ceil();
        let stable = self.limited(stable_need, counted);
        let panic = self.limited(panic_need, counted);
        self.judge_panic(now, panic_need / counted >= self.spec.panic_threshold);
        let mut desired = stable;
        if self.is_panicking() {
            // The stable load may be the larger one; both are to be carried.
            self.panic.pods_max = self.panic.pods_max.max(stable).max(panic);
            desired = self.panic.pods_max;
        }
        if let Some(delay) = self.delay.as_mut().filter(|_| self.spec.reachable) {
            delay.record(now, desired);
            desired = delay.current();
        }
        Some(Recommendation { desired, excess_burst_capacity: self.excess(ready, seen.panic) })
    }

    /// The need within the rates; raised to the activation scale where there is a need at all.
    fn limited(&self, need: f64, ready: f64) -> u32 {
        let up = (self.spec.max_scale_up_rate * ready).ceil();
        let down = if self.spec.reachable { (ready / self.spec.max_scale_down_rate).floor() } else { 0.0 };
        let pods = count(need.max(down).min(up));
        let activated = self.spec.activation_scale > 1 && need > 0.0;
        if activated { pods.max(self.spec.activation_scale) } else { pods }
    }

    /// Begins, prolongs or ends panic.
    fn judge_panic(&mut self, now: Instant, is_over_threshold: bool) {
        if is_over_threshold {
            self.panic.since = Some(now);
        } else if self.panic.since.is_some_and(|since| since.plus(self.spec.stable_window) < now) {
            self.panic = PanicState::default();
        }
    }

    fn excess(&self, ready: u32, panic_value: f64) -> i32 {
        let burst = self.spec.target_burst_capacity;
        if burst == 0.0 {
            0
        } else if burst > 0.0 {
            cut((f64::from(ready) * self.spec.total_value - burst - panic_value).floor())
        } else {
            -1
        }
    }
}

/// So many pods; what is negative or no number is none, what is too large saturates.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the one place that counts pods; the cast saturates"
)]
const fn count(pods: f64) -> u32 {
    pods as u32
}

/// The whole part; what is no number is zero, what is too large saturates.
#[expect(clippy::cast_possible_truncation, reason = "the one place that cuts an excess; the cast saturates")]
const fn cut(excess: f64) -> i32 {
    excess as i32
}
