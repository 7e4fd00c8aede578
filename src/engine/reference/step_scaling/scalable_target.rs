//! What is scaled: its bounds, what may not be done to it now, and the cooldowns after it was scaled. Step scaling and
//! target tracking share all of it.
//! SOURCES: Application Auto Scaling User Guide, "Step scaling policies", "Target tracking scaling policies" (both:
//! "Cooldown period") and "Scaling activities" (reason codes); Amazon ECS Developer Guide, "Service auto scaling"
//! (considerations); API Reference, "PutScalingPolicy" (largest capacity); Amazon EC2 Auto Scaling User Guide as of
//! 2022, "Step and simple scaling policies" (instance warm-up, whose example says what a percentage is a percentage
//! of). Before you change it:
//! 1. While a scale-out cools down, the next one starts from the capacity before it, so that the same step adds nothing
//!    and a larger one adds the rest: 2 were added, 3 are wanted, 1 more is added.
//! 2. A scale-in waits for the cooldown of the scale-in before it, and for no other that the pages name. A scale-out
//!    waits for neither and ends the cooldown of a scale-in.
//! 3. Below the minimum a scale-out starts from the minimum and a scale-in does nothing; above the maximum the other
//!    way round.
//! 4. A cooldown is over at the very instant at which it ends (ours).

use crate::units::Instant;
use crate::units::Span;

/// What is scaled. Its capacity is counted in tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScalableTarget {
    /// No policy scales in below this.
    pub min_capacity: u32,
    /// No policy scales out beyond this.
    pub max_capacity: u32,
    /// Policies may not scale in now: somebody suspended it, or a deployment is in progress (ECS).
    pub scale_in_suspended: bool,
    /// Policies may not scale out now.
    pub scale_out_suspended: bool,
}

/// What a policy sees at one evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The time of the evaluation. Policies are evaluated once a minute ("Why doesn't my CloudWatch alarm's state
    /// change invoke my Amazon EC2 Auto Scaling policy?", AWS knowledge center).
    pub now: Instant,
    /// Tasks that run, which is what ECS starts from, not what was asked for.
    pub capacity: u32,
    /// The metric of the latest periods, oldest first; `None` where a period has no data.
    pub datapoints: &'a [Option<f64>],
}

/// What a policy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wish {
    /// The capacity that is wanted.
    pub to: u32,
    /// How long the cooldown is that begins with it.
    pub cooldown: Span,
}

/// Why nothing is scaled. Where AWS has a reason code for it, the name is that of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// No alarm is raised: the metric is where it should be.
    Quiet,
    /// There is no data to decide by; that is never read as low load.
    InsufficientData,
    /// No step covers the value of the metric.
    NoStep,
    /// A cooldown lasts so much longer.
    CoolingDown {
        /// What is left of it.
        left: Span,
    },
    /// This direction is suspended.
    Suspended,
    /// The policy is told not to scale in.
    ScaleInDisabled,
    /// Some other policy is not ready to scale in.
    NotAllReady,
    /// The maximum leaves no room.
    AlreadyAtMaxCapacity,
    /// The minimum leaves no room.
    AlreadyAtMinCapacity,
    /// What is wanted is what there is.
    AlreadyAtDesiredCapacity,
}

/// The cooldowns of one scalable target, shared by all its policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Cooldowns {
    scale_out: Option<ScaleOut>,
    scale_in_until: Option<Instant>,
}

/// A scale-out whose cooldown may not be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct ScaleOut {
    until: Instant,
    /// The capacity before it.
    from: u32,
    /// The capacity it asked for.
    to: u32,
}

impl Wish {
    /// The wish for the largest capacity, be it to scale out or in; of equal ones the first. It settles what several
    /// policies of one target want at the same time, step scaling beside target tracking, too.
    #[must_use]
    pub fn largest(wishes: &[Self]) -> Option<Self> {
        wishes.iter().copied().reduce(|best, wish| if wish.to > best.to { wish } else { best })
    }
}

impl ScalableTarget {
    /// Bounds, and nothing suspended.
    #[must_use]
    pub const fn new(min_capacity: u32, max_capacity: u32) -> Self {
        Self { min_capacity, max_capacity, scale_in_suspended: false, scale_out_suspended: false }
    }

    /// The capacity that a scale-out starts from.
    #[must_use]
    pub fn scale_out_from(&self, seen: &Seen<'_>, cooldowns: &Cooldowns) -> u32 {
        cooldowns.scale_out(seen.now).map_or(seen.capacity, |before| before.from).max(self.min_capacity)
    }

    /// The capacity that a scale-in starts from.
    #[must_use]
    pub fn scale_in_from(&self, seen: &Seen<'_>) -> u32 {
        seen.capacity.min(self.max_capacity)
    }

    /// A wish to scale out to this capacity, cut to the maximum.
    ///
    /// # Errors
    /// Why it may not be, or comes to nothing.
    pub fn scale_out(&self, seen: &Seen<'_>, cooldowns: &Cooldowns, to: u32, cooldown: Span) -> Result<Wish, Hold> {
        if self.scale_out_suspended {
            return Err(Hold::Suspended);
        }
        if seen.capacity >= self.max_capacity {
            return Err(Hold::AlreadyAtMaxCapacity);
        }
        let to = to.min(self.max_capacity);
        if let Some(before) = cooldowns.scale_out(seen.now)
            && to <= before.to
        {
            return Err(Hold::CoolingDown { left: before.until.since(seen.now) });
        }
        if to <= seen.capacity { Err(Hold::AlreadyAtDesiredCapacity) } else { Ok(Wish { to, cooldown }) }
    }

    /// A wish to scale in to this capacity, cut to the minimum.
    ///
    /// # Errors
    /// Why it may not be, or comes to nothing.
    pub fn scale_in(&self, seen: &Seen<'_>, cooldowns: &Cooldowns, to: u32, cooldown: Span) -> Result<Wish, Hold> {
        if self.scale_in_suspended {
            return Err(Hold::Suspended);
        }
        if seen.capacity <= self.min_capacity {
            return Err(Hold::AlreadyAtMinCapacity);
        }
        let to = to.max(self.min_capacity);
        if to >= seen.capacity {
            return Err(Hold::AlreadyAtDesiredCapacity);
        }
        match cooldowns.scale_in_until.filter(|until| seen.now < *until) {
            Some(until) => Err(Hold::CoolingDown { left: until.since(seen.now) }),
            None => Ok(Wish { to, cooldown }),
        }
    }
}

impl Cooldowns {
    /// Takes note that a wish is being carried out, once it was accepted: a cooldown begins.
    ///
    /// A scale-out on top of one that still cools down keeps the capacity that one started from, and its cooldown
    /// begins anew (the pages do not say; so a third step like the second adds nothing either).
    pub fn note(&mut self, seen: &Seen<'_>, wish: Wish) {
        let until = seen.now.plus(wish.cooldown);
        if wish.to > seen.capacity {
            let from = self.scale_out(seen.now).map_or(seen.capacity, |before| before.from);
            self.scale_out = Some(ScaleOut { until, from, to: wish.to });
            self.scale_in_until = None;
        } else {
            self.scale_in_until = Some(until);
            if let Some(before) = &mut self.scale_out {
                // What was taken away again may be added again.
                before.to = before.to.min(wish.to);
            }
        }
    }

    fn scale_out(&self, now: Instant) -> Option<ScaleOut> {
        self.scale_out.filter(|before| now < before.until)
    }
}
