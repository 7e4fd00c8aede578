//! Which of several checks decides.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `policy/handler.go`.
//!
//! Before you change it:
//! 1. Within a named group "none" counts only where all say so: such checks look at the same load from several sides, and
//!    most of them find nothing. The group without a name has no such rule; there "none" holds back "down".
//! 2. Between groups, and within them, the safer action wins. Of two equals it is the one of the group whose name comes
//!    first, and in it the one of the first check; the original leaves the order of groups to chance.
//! 3. A vote without an action counts as a vote only where it is asked whether all say "none".

use super::Action;
use super::Direction;
use std::collections::BTreeMap;

/// What one check says.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Vote {
    /// The group of the check; empty is the group without a name.
    pub group: String,
    /// What it wants done; `None` is no wish.
    pub action: Option<Action>,
}

/// The action that wins; `None` where nobody wishes anything.
///
/// ```
/// use plimsoll::engine::reference::nomad::Action;
/// use plimsoll::engine::reference::nomad::Direction;
/// use plimsoll::engine::reference::nomad::Vote;
/// use plimsoll::engine::reference::nomad::winner;
///
/// let vote = |group: &str, direction, count| {
///     let action = Some(Action { count, direction, ..Action::default() });
///     Vote { group: group.to_owned(), action }
/// };
/// // In a group one check that finds something is enough; between groups the safest wins.
/// let cpu = [vote("cpu", Direction::None, 0), vote("cpu", Direction::Down, 2)];
/// assert_eq!(winner(&cpu).map(|action| action.count), Some(2));
/// let all = [cpu[1].clone(), vote("queue", Direction::Down, 3)];
/// assert_eq!(winner(&all).map(|action| action.count), Some(3));
/// ```
#[must_use]
pub fn winner(votes: &[Vote]) -> Option<&Action> {
    let mut groups: BTreeMap<&str, Vec<Option<&Action>>> = BTreeMap::new();
    for vote in votes {
        groups.entry(&vote.group).or_default().push(vote.action.as_ref());
    }
    let mut winner = None;
    for (name, actions) in groups {
        let is_none = |action: &Option<&Action>| {
            !name.is_empty() && action.is_some_and(|action| action.direction == Direction::None)
        };
        let best = if actions.iter().all(is_none) {
            actions.first().copied().flatten()
        } else {
            actions.into_iter().filter(|action| !is_none(action)).fold(None, Action::safer)
        };
        winner = Action::safer(winner, best);
    }
    winner
}
