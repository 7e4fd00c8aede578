//! What the audit finds.

use crate::model::ServiceName;
use crate::units::Instant;
use std::fmt;

/// A rule that a decision or a deployment broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// When.
    pub at: Instant,
    /// The rule.
    pub rule: Rule,
    /// The service.
    pub service: ServiceName,
    /// What is wrong, with its numbers.
    pub text: String,
}

/// The rules of a decision, and of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Only a service with a policy is changed.
    Policy,
    /// Only a service that was seen is changed.
    Observed,
    /// A limit is changed once at a look.
    Once,
    /// An action starts from the limit in force.
    From,
    /// An action changes something.
    Change,
    /// A limit stays within the policy's bounds.
    Bounds,
    /// The number of instances changes by a step at most.
    Step,
    /// All limits together stay within what the host's pool allows.
    Pool,
    /// A service is left alone for its cooldown.
    Cooldown,
    /// A service is adjusted only so often in 24 hours.
    DailyLimit,
    /// A host is changed only so often in five minutes.
    Rate,
    /// A service that holds data keeps its memory.
    Stateful,
    /// What was seen in use still fits.
    WorkingSet,
    /// Nothing is taken from a service that is not entirely well.
    Unwell,
    /// Only what was measured, lately and plausibly, is acted on.
    Data,
    /// An action has a reason that the policy knows.
    Reason,
    /// Nothing is taken that would be missed at once.
    Missed,
    /// Where more and fewer instances answer to CPU, the limit of each does so only when their number cannot, or is ordered.
    NumberFirst,
    /// While an order is in force, the number of instances is what was ordered, and for no other reason.
    Override,
    /// Only who died since CPU was taken, or may be waited for by one who did, gets it back; not more than that, and for a
    /// day. While anybody is killed again and again, nobody is given less.
    GivenBack,
    /// A deployment begins at its time, on a host that can hold it, and never beside another one of the same service.
    Began,
    /// A deployment moves one batch of instances at a time.
    OneBatch,
    /// A deployment gives traffic to instances that are well.
    Traffic,
    /// A deployment leaves as many instances with traffic as were promised.
    Serving,
    /// A deployment gives instances the time that was asked for: to be watched, to finish, to stop, to rest.
    Patience,
    /// Every instance is accounted for while a deployment is on.
    Accounted,
    /// A deployment ends each stage in time.
    Stages,
    /// A deployment ends as it says: all instances new with the limits that were asked for, or all as they were.
    Outcome,
}

impl Rule {
    /// The rule in a few words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Policy => "only services with a policy are changed",
            Self::Observed => "only services that were seen are changed",
            Self::Once => "a limit is changed once at a look",
            Self::From => "an action starts from the limit in force",
            Self::Change => "an action changes something",
            Self::Bounds => "a limit stays within its bounds",
            Self::Step => "the number of instances changes by a step at most",
            Self::Pool => "all limits together stay within the host's pool",
            Self::Cooldown => "a service is left alone for its cooldown",
            Self::DailyLimit => "a service is adjusted only so often a day",
            Self::Rate => "a host is changed only so often in five minutes",
            Self::Stateful => "a service that holds data keeps its memory",
            Self::WorkingSet => "what is in use still fits",
            Self::Unwell => "nothing is taken from a service that is not well",
            Self::Data => "only fresh measurements are acted on",
            Self::Override => "an order of a person wins",
            Self::Reason => "an action has a reason that its policy knows",
            Self::Missed => "nothing is taken that would be missed at once",
            Self::NumberFirst => "the number of instances answers to CPU before the limit of each does",
            Self::GivenBack => {
                "what is taken is given back after deaths, and nothing is taken while services die or for a day after"
            }
            Self::Began => "a deployment begins in time, alone, and where there is room",
            Self::OneBatch => "a deployment moves one batch at a time",
            Self::Traffic => "only instances that are well get traffic",
            Self::Serving => "as many instances serve as were promised",
            Self::Patience => "instances get the time that was asked for",
            Self::Accounted => "every instance is accounted for",
            Self::Stages => "a deployment ends each stage in time",
            Self::Outcome => "a deployment ends as it says",
        }
    }
}

impl fmt::Display for Breach {
    /// `15m: api: its CPU limit would be 9; its bounds are 0.1 and 8 (rule: a limit stays within its bounds)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} (rule: {})", self.at, self.service, self.text, self.rule.text())
    }
}
