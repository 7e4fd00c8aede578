//! KEDA's scale executor: from nothing to something and back. Between one replica and many an autoscaler scales, with
//! the metrics that KEDA hands it as average values; that is not here.
//! SOURCE: kedacore/keda at 8b4f083c, pkg/scaling/executor/scale_scaledobjects.go (`RequestScale`) and
//! scale_executor.go (defaults), apis/keda/v1alpha1/scaledobject_types.go (defaults, bounds); `activation` and
//! `fallback` name theirs. Before you change it:
//! 1. The branches are asked in the order of the original; the first that fits is taken.
//! 2. Times are compared strictly: at the very end of a cooldown it is still cooling down. Who was never active has no
//!    cooldown, only the initial one.
//! 3. From any number of replicas an inactive target goes to zero (or idle) in one step; the autoscaler's rules for
//!    scaling down do not apply (kedacore/keda #7770).
//! 4. A target with errors and without activity is left as it is.
//! 5. The maximum is the autoscaler's; it is not looked at here. Nor are formulas over several metrics
//!    (`scalingModifiers`).

mod activation;
mod fallback;
#[cfg(test)]
mod tests;

pub use activation::Activity;
pub use activation::Reading;
pub use activation::Trigger;
pub use activation::activity;
pub use activation::is_active;
pub use activation::triggers_activity;
pub use fallback::Fallback;
pub use fallback::FallbackBehavior;
pub use fallback::FallbackCondition;
pub use fallback::FallbackError;
pub use fallback::FallbackState;
pub use fallback::Health;
pub use fallback::Metric;
pub use fallback::MetricTarget;
pub use fallback::ReplicasSeen;

use crate::units::Instant;
use crate::units::Span;

/// What is scaled, and how: a `ScaledObject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScaledObject {
    /// How often triggers are looked at.
    pub polling_interval: Span,
    /// After this long without activity it goes to zero or idle.
    pub cooldown: Span,
    /// Who was never active waits this long from its creation.
    pub initial_cooldown: Span,
    /// Replicas while there is nothing to do; `None` is no idle mode.
    pub idle_replicas: Option<u32>,
    /// Fewest replicas while there is something to do, or always, where there is no idle mode and it is not zero.
    /// `None` is zero.
    pub min_replicas: Option<u32>,
    /// Most replicas. `None` is 100.
    pub max_replicas: Option<u32>,
    /// What to do when metrics fail.
    pub fallback: Option<Fallback>,
    /// Nothing is scaled at all.
    pub paused: bool,
    /// It never goes to zero or idle.
    pub scale_in_paused: bool,
    /// It never comes from zero or idle.
    pub scale_out_paused: bool,
    /// It counts as active, whatever its triggers say.
    pub activation_forced: bool,
}

/// What KEDA knows of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// When it was created.
    pub created: Instant,
    /// When it was last active.
    pub last_active: Option<Instant>,
}

/// Whether a target can be scaled as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ready {
    /// It can.
    Yes,
    /// Some triggers are active, and others fail (`PartialTriggerError`).
    Unknown,
    /// Triggers fail, none is active, and there is no fallback (`TriggerError`).
    No,
}

/// Whether a target is active, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Active {
    /// Triggers are active.
    Triggered,
    /// It is forced.
    Forced,
    /// Triggers are not active.
    No,
    /// They are not, and it waits for its cooldown.
    CoolingDown,
    /// Nobody asked: it is paused.
    Paused,
}

/// What one request comes to.
#[must_use = "a number of replicas that nobody sets is a bug"]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// Set this number of replicas; `None` leaves it as it is.
    pub replicas: Option<u32>,
    /// It was active just now. Where replicas are to be set, that holds once they are.
    pub was_active: bool,
    /// Whether it can be scaled as it should.
    pub ready: Ready,
    /// Whether it is active.
    pub active: Active,
}

/// What is wrong with the bounds of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundsError {
    /// The fewest are more than the most.
    MinOverMax {
        /// Fewest replicas.
        min: u32,
        /// Most replicas.
        max: u32,
    },
    /// Idle is not less than the fewest.
    IdleNotBelowMin {
        /// Replicas while there is nothing to do.
        idle: u32,
        /// Fewest replicas.
        min: u32,
    },
}

/// A target, and when it was last active.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Executor {
    object: ScaledObject,
    status: Status,
}

impl Default for ScaledObject {
    fn default() -> Self {
        Self {
            polling_interval: Span::from_secs(30),
            cooldown: Span::from_secs(300),
            initial_cooldown: Span::ZERO,
            idle_replicas: None,
            min_replicas: None,
            max_replicas: None,
            fallback: None,
            paused: false,
            scale_in_paused: false,
            scale_out_paused: false,
            activation_forced: false,
        }
    }
}

impl ScaledObject {
    /// Fewest replicas that the autoscaler is told: never zero.
    #[must_use]
    pub fn hpa_min_replicas(&self) -> u32 {
        self.min_replicas.unwrap_or(0).max(1)
    }

    /// Most replicas that the autoscaler is told.
    #[must_use]
    pub fn hpa_max_replicas(&self) -> u32 {
        self.max_replicas.unwrap_or(100)
    }

    /// Replicas while there is nothing to do: idle, or else the fewest.
    #[must_use]
    pub fn inactive_replicas(&self) -> u32 {
        self.idle_replicas.or(self.min_replicas).unwrap_or(0)
    }

    /// Checks the bounds. A minimum of zero counts as one here, unless it is left out.
    ///
    /// # Errors
    /// Which of them contradict each other; the minimum and the maximum first.
    pub fn check_bounds(&self) -> Result<(), BoundsError> {
        let (min, max) = (self.min_replicas.map_or(0, |min| min.max(1)), self.hpa_max_replicas());
        if min > max {
            return Err(BoundsError::MinOverMax { min, max });
        }
        match self.idle_replicas.filter(|idle| *idle >= min) {
            Some(idle) => Err(BoundsError::IdleNotBelowMin { idle, min }),
            None => Ok(()),
        }
    }

    /// What is to be done with a target that has so many replicas, and whose triggers come to this.
    pub fn request_scale(&self, now: Instant, status: &Status, replicas: u32, activity: &Activity) -> Outcome {
        let outcome = |replicas, was_active, ready, active| Outcome { replicas, was_active, ready, active };
        if self.paused {
            return outcome(None, false, Ready::Yes, Active::Paused);
        }
        let min = self.min_replicas.unwrap_or(0);
        if activity.active || self.activation_forced {
            let active = if self.activation_forced { Active::Forced } else { Active::Triggered };
            if replicas == 0 || self.idle_replicas.is_some() && replicas < min {
                let to = (!self.scale_out_paused).then(|| min.max(1));
                return outcome(to, to.is_some(), Ready::Yes, active);
            }
            // The original stamps the time only where no trigger fails.
            let ready = if activity.error { Ready::Unknown } else { Ready::Yes };
            return outcome(None, !activity.error, ready, active);
        }
        if activity.error && self.fallback.is_some_and(|fallback| fallback.replicas != 0) {
            // Zero would keep the autoscaler from ever falling back.
            return outcome(None, false, Ready::Yes, Active::No);
        }
        if activity.error && self.fallback.is_none() {
            return outcome(None, false, Ready::No, Active::No);
        }
        if self.idle_replicas.is_some_and(|idle| replicas > idle) || replicas > 0 && min == 0 {
            let end = match status.last_active {
                Some(last) => last.plus(self.cooldown),
                None => status.created.plus(self.initial_cooldown),
            };
            return if self.scale_in_paused {
                outcome(None, false, Ready::Yes, Active::No)
            } else if end < now {
                outcome(Some(self.inactive_replicas()), false, Ready::Yes, Active::No)
            } else {
                outcome(None, false, Ready::Yes, Active::CoolingDown)
            };
        }
        let to = (self.idle_replicas.is_none() && replicas < min).then_some(min);
        outcome(to, false, Ready::Yes, Active::No)
    }
}

impl Executor {
    /// A target that was created now and was never active.
    #[must_use]
    pub const fn new(object: ScaledObject, created: Instant) -> Self {
        Self { object, status: Status { created, last_active: None } }
    }

    /// What is known of it.
    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// Looks at the target once, every polling interval. Replicas that are to be set are taken to be set.
    pub fn observe(&mut self, now: Instant, replicas: u32, activity: &Activity) -> Outcome {
        let outcome = self.object.request_scale(now, &self.status, replicas, activity);
        if outcome.was_active {
            self.status.last_active = Some(now);
        }
        outcome
    }
}
