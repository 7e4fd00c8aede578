//! What a strategy wants done, and which of two wishes is the safer one.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `sdk/strategy.go`; `policy/handler.go` for whether it is needed.
//!
//! Before you change it:
//! 1. Directions are in the order of safety: `Down < None < Up < Recommendation`.
//! 2. Of two equals the first stays.
//! 3. The count -1 means a dry run; no bounds touch it.

/// The count of a dry run: report, but change nothing.
pub const DRY_RUN_COUNT: i64 = -1;

/// Where to; from the riskiest to the safest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Fewer.
    Down,
    /// Nothing to be done.
    #[default]
    None,
    /// More.
    Up,
    /// A recommendation for people; it wins over all. None of the strategies here makes one.
    Recommendation,
}

/// Why an action has the count it has.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The metric is so many times the target.
    Factor(f64),
    /// The metric itself, cut to a whole number.
    Metric(i64),
    /// The metric was within bounds often enough.
    WithinBounds,
    /// The count that was set.
    FixedValue(i64),
    /// Bounds changed the count.
    Capped {
        /// What it was.
        from: i64,
        /// What it is.
        to: i64,
    },
}

/// What a strategy wants done. The default is nothing.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Action {
    /// How many there are to be. Of no meaning where the direction is none.
    pub count: i64,
    /// Where to.
    pub direction: Direction,
    /// Why: the reason in force last, those it took the place of before it.
    pub reasons: Vec<Reason>,
    /// The count before bounds changed it; `None` where they did not.
    pub original: Option<i64>,
    /// The count that a dry run would have had; `None` where it is none.
    pub dry_run: Option<i64>,
}

impl Direction {
    /// From a count to another one.
    #[must_use]
    pub const fn between(count: i64, new: i64) -> Self {
        if new > count {
            Self::Up
        } else if new < count {
            Self::Down
        } else {
            Self::None
        }
    }
}

impl Action {
    /// An action with one reason.
    #[must_use]
    pub fn new(direction: Direction, count: i64, reason: Reason) -> Self {
        Self { count, direction, reasons: vec![reason], ..Self::default() }
    }

    /// The reason in force.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reasons.last().copied()
    }

    /// Holds the count between bounds. The direction stays as it is. Where the bounds cross, what is below the lower one is
    /// raised to it, and all else is cut to the upper one.
    ///
    /// ```
    /// use plimsoll::engine::reference::nomad::Action;
    /// use plimsoll::engine::reference::nomad::Direction;
    ///
    /// let mut action = Action { count: 30, direction: Direction::Up, ..Action::default() };
    /// action.cap(1, 20);
    /// assert_eq!((action.count, action.original, action.direction), (20, Some(30), Direction::Up));
    /// ```
    pub fn cap(&mut self, min: i64, max: i64) {
        let from = self.count;
        if from == DRY_RUN_COUNT {
            return;
        }
        let to = if from < min { min } else { from.min(max) };
        if to != from {
            self.original = Some(from);
            self.reasons.push(Reason::Capped { from, to });
            self.count = to;
        }
    }

    /// Makes it a dry run: the count is kept aside, and nothing is to be done.
    pub const fn set_dry_run(&mut self) {
        self.dry_run = Some(self.count);
        self.count = DRY_RUN_COUNT;
        self.direction = Direction::None;
    }

    /// Whether anything is to be done where there are so many now. An action that points up with a smaller count is.
    #[must_use]
    pub fn is_needed(&self, count: i64) -> bool {
        self.direction != Direction::None && self.count != count
    }

    /// The safer of two; `None` is no wish at all.
    #[must_use]
    pub fn safer<'a>(one: Option<&'a Self>, other: Option<&'a Self>) -> Option<&'a Self> {
        let (Some(first), Some(second)) = (one, other) else { return one.or(other) };
        let counts = matches!(first.direction, Direction::Up | Direction::Down);
        let larger = first.direction == second.direction && counts && second.count > first.count;
        if second.direction > first.direction || larger { other } else { one }
    }
}
