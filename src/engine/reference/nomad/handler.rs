//! Puts the actions of a policy into force, and rests after each.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `policy/handler.go`.
//!
//! Before you change it:
//! 1. It evaluates at every tick, also while it rests, waits or scales; only what is done about it differs. What was found
//!    last is what is done when its turn comes.
//! 2. Rest begins when the target took an action, and ends strictly after its time, at a tick that finds something to do.
//! 3. A failure, and an action that changed nothing, are followed by no rest.
//! 4. After a restart it does not rest in effect: the state says so, but no time is set, so the next need ends it. And
//!    the timer of that rest, when it runs out, ends whatever state it meets. Both are as in the original.

use super::Action;
use super::Direction;
use super::EvaluationError;
use super::Policy;
use super::Reading;
use crate::units::Instant;
use crate::units::Span;

/// What a handler is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing.
    #[default]
    Idle,
    /// It waits for its turn to scale.
    Waiting,
    /// The target is told to scale.
    Scaling,
    /// It rests.
    Cooldown,
}

/// What a handler remembers.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Memory {
    /// What it is up to.
    pub state: State,
    /// What was found last and is to be done.
    pub next: Action,
    /// What the target was told last.
    pub granted: Action,
    /// When the rest is over; `None` is long ago.
    pub out_of_cooldown: Option<Instant>,
    /// When the timer of a rest after a restart runs out; `None` where there is none.
    pub timer: Option<Instant>,
}

/// The target, as it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TargetSeen {
    /// Whether it may be scaled now.
    pub ready: bool,
    /// How many there are.
    pub count: i64,
}

/// What became of a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Tick {
    /// There is no target, or it cannot be asked.
    TargetMissing,
    /// The target may not be scaled now.
    TargetNotReady,
    /// The evaluation came to nothing.
    Failed(EvaluationError),
    /// All is well.
    NotNeeded,
    /// Something is to be done, but it rests.
    Cooling {
        /// How long yet.
        left: Span,
    },
    /// Something is to be done, and it waits for its turn already.
    Waiting,
    /// Something is to be done, but the target is scaling.
    Scaling,
    /// Something is to be done, and from now on it waits for its turn: go on with `grant` or `refuse`.
    Wanted,
}

/// The handler of one policy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Handler {
    policy: Policy,
    memory: Memory,
}

impl Handler {
    /// A handler with nothing to do yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::resume(policy, Memory::default())
    }

    /// A handler with this behind it.
    #[must_use]
    pub const fn resume(policy: Policy, memory: Memory) -> Self {
        Self { policy, memory }
    }

    /// A handler after a restart, of a target that was scaled last at `last`.
    #[must_use]
    pub fn restarted(policy: Policy, last: Instant) -> Self {
        let timer = last.plus(policy.cooldown_after(Direction::Up));
        Self::resume(policy, Memory { state: State::Cooldown, timer: Some(timer), ..Memory::default() })
    }

    /// Takes over a new policy; what it remembers stays.
    pub fn update(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it remembers.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Evaluates the policy once; it is due every evaluation interval. `target` is `None` where there is none, or it cannot
    /// be asked; `readings` are as for [`Policy::evaluate`].
    ///
    /// ```
    /// use plimsoll::engine::reference::nomad::Check;
    /// use plimsoll::engine::reference::nomad::FixedValue;
    /// use plimsoll::engine::reference::nomad::Handler;
    /// use plimsoll::engine::reference::nomad::Policy;
    /// use plimsoll::engine::reference::nomad::Reading;
    /// use plimsoll::engine::reference::nomad::Strategy;
    /// use plimsoll::engine::reference::nomad::TargetSeen;
    /// use plimsoll::engine::reference::nomad::Tick;
    /// use plimsoll::units::Instant;
    /// use plimsoll::units::Span;
    ///
    /// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
    /// let checks = vec![Check::new("floor".to_owned(), Strategy::FixedValue(FixedValue { value: 6 }))];
    /// let mut handler = Handler::new(Policy { checks, ..Policy::default() });
    /// let seen = Some(TargetSeen { ready: true, count: 4 });
    /// let nothing = [Reading::Points(vec![])];
    /// assert_eq!(handler.tick(at(0), seen, &nothing), Tick::Wanted);
    /// assert_eq!(handler.grant().count, 6);
    /// handler.scaled(at(0));
    /// // It rests for five minutes.
    /// assert_eq!(handler.tick(at(60), seen, &nothing), Tick::Cooling { left: Span::from_mins(4) });
    /// ```
    pub fn tick(&mut self, now: Instant, target: Option<TargetSeen>, readings: &[Reading]) -> Tick {
        if self.memory.timer.is_some_and(|timer| now >= timer) {
            self.memory.timer = None;
            self.memory.state = State::Idle;
        }
        let Some(target) = target else { return Tick::TargetMissing };
        if !target.ready {
            return Tick::TargetNotReady;
        }
        let action = match self.policy.evaluate(readings, target.count) {
            Ok(action) => action,
            Err(error) => return Tick::Failed(error),
        };
        if !action.is_needed(target.count) {
            return Tick::NotNeeded;
        }
        self.memory.next = action;
        match self.memory.state {
            State::Cooldown if self.memory.out_of_cooldown.is_some_and(|end| now <= end) => {
                Tick::Cooling { left: self.memory.out_of_cooldown.map_or(Span::ZERO, |end| end.since(now)) }
            }
            State::Idle | State::Cooldown => {
                self.memory.state = State::Waiting;
                Tick::Wanted
            }
            State::Waiting => Tick::Waiting,
            State::Scaling => Tick::Scaling,
        }
    }

    /// It is its turn: this is to be done now. Go on with `scaled`, `failed` or `unchanged`.
    pub fn grant(&mut self) -> &Action {
        self.memory.state = State::Scaling;
        self.memory.granted = self.memory.next.clone();
        &self.memory.granted
    }

    /// Its turn did not come in time.
    pub const fn refuse(&mut self) {
        self.memory.state = State::Idle;
    }

    /// The target took the action; it rests from now on.
    pub fn scaled(&mut self, now: Instant) {
        self.memory.state = State::Cooldown;
        self.memory.out_of_cooldown = Some(now.plus(self.policy.cooldown_after(self.memory.granted.direction)));
    }

    /// The target did not take the action.
    pub const fn failed(&mut self) {
        self.memory.state = State::Idle;
    }

    /// The action changed nothing at the target.
    pub const fn unchanged(&mut self) {
        self.memory.state = State::Idle;
    }
}

/// How much of a cooldown is left in nanoseconds, where the last action was at `last`; below zero where it is over. Saturates.
#[must_use]
pub fn cooldown_left_nanos(cooldown: Span, now: Instant, last: Instant) -> i64 {
    let elapsed = i128::from(now.since_start().nanos()) - i128::from(last.since_start().nanos());
    let left = i128::from(cooldown.nanos()) - elapsed;
    i64::try_from(left).unwrap_or(if left < 0 { i64::MIN } else { i64::MAX })
}
