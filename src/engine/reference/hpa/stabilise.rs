//! What was wanted lately, so that one low figure takes nothing away.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/horizontal.go` (`stabilizeRecommendation`,
//! `stabilizeRecommendationWithBehaviors`), the main branch of mid 2026. Before you change it:
//! 1. What is remembered is what the metrics wanted, not what was made of it.
//! 2. Without a behaviour a recommendation counts up to the age of the window; with one only below that age. One that is
//!    exactly as old counts in the first case, and in the second it neither counts nor is it outdated.
//! 3. The last outdated recommendation gives way to the new one; without any the list grows.
//! 4. With a behaviour a target moves only where all that was wanted lately lies on one side of it, and only as far as
//!    the nearest of it.

use crate::units::Instant;
use crate::units::Span;

/// What the metrics wanted at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recommendation {
    /// So many replicas.
    pub replicas: i32,
    /// When.
    pub at: Instant,
}

/// The most that was wanted within the window, `desired` now among it. Remembers `desired`.
///
/// ```
/// use plimsoll::engine::reference::hpa::{Recommendation, stabilise};
/// use plimsoll::units::{Instant, Span};
///
/// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
/// let mut wanted = vec![Recommendation { replicas: 8, at: at(0) }, Recommendation { replicas: 5, at: at(200) }];
/// assert_eq!(stabilise(at(400), Span::from_mins(5), &mut wanted, 3), 5);
/// assert_eq!(wanted[0], Recommendation { replicas: 3, at: at(400) });
/// ```
#[doc(alias = "stabilizeRecommendation")]
pub fn stabilise(now: Instant, window: Span, recommendations: &mut Vec<Recommendation>, desired: i32) -> i32 {
    let is_outdated = |one: &Recommendation| now.since(one.at) > window;
    let recent = recommendations.iter().filter(|one| !is_outdated(one));
    let most = recent.fold(desired, |most, one| most.max(one.replicas));
    remember(Recommendation { replicas: desired, at: now }, is_outdated, recommendations);
    most
}

/// How long each direction waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Windows {
    /// More replicas must have been wanted all this time.
    pub up: Span,
    /// Fewer replicas must have been wanted all this time.
    pub down: Span,
}

impl Windows {
    /// Brings `current` as near to `desired` as all allows that was wanted within the window of the direction. Remembers
    /// `desired`.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Recommendation, Windows};
    /// use plimsoll::units::{Instant, Span};
    ///
    /// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
    /// let windows = Windows { up: Span::ZERO, down: Span::from_mins(5) };
    /// let mut wanted = vec![Recommendation { replicas: 6, at: at(60) }];
    /// assert_eq!(windows.stabilise(at(90), &mut wanted, 8, 2), 6);
    /// assert_eq!(windows.stabilise(at(105), &mut wanted, 6, 9), 9);
    /// ```
    #[doc(alias = "stabilizeRecommendationWithBehaviors")]
    pub fn stabilise(self, now: Instant, recommendations: &mut Vec<Recommendation>, current: i32, desired: i32) -> i32 {
        let (mut least, mut most) = (desired, desired);
        for one in recommendations.iter() {
            let age = now.since(one.at);
            if age < self.up {
                least = least.min(one.replicas);
            }
            if age < self.down {
                most = most.max(one.replicas);
            }
        }
        let is_outdated = |one: &Recommendation| now.since(one.at) > self.up && now.since(one.at) > self.down;
        remember(Recommendation { replicas: desired, at: now }, is_outdated, recommendations);
        current.max(least).min(most)
    }
}

fn remember(new: Recommendation, is_outdated: impl Fn(&Recommendation) -> bool, all: &mut Vec<Recommendation>) {
    match all.iter_mut().rev().find(|one| is_outdated(one)) {
        Some(outdated) => *outdated = new,
        None => all.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(replicas: i32, seconds: u64) -> Recommendation {
        Recommendation { replicas, at: Instant::after_start(Span::from_secs(seconds)) }
    }

    fn at(seconds: u64) -> Instant {
        of(0, seconds).at
    }

    #[test]
    fn without_a_behaviour_the_most_of_the_window_is_kept() {
        let window = Span::from_secs(300);
        let mut wanted = vec![of(9, 0), of(7, 99), of(6, 100), of(4, 200)];
        // At 400 s that of 100 s is exactly as old as the window and counts; the two before it do not.
        assert_eq!(stabilise(at(400), window, &mut wanted, 3), 6);
        assert_eq!(wanted, [of(9, 0), of(3, 400), of(6, 100), of(4, 200)], "in place of the last outdated one");
        assert_eq!(stabilise(at(401), window, &mut wanted, 3), 4);
        assert_eq!(stabilise(at(402), window, &mut wanted, 8), 8, "more is never held back");
        assert_eq!(wanted, [of(8, 402), of(3, 400), of(3, 401), of(4, 200)]);
    }

    #[test]
    fn with_a_behaviour_a_target_moves_to_the_nearest_of_what_was_wanted() {
        let windows = Windows { up: Span::from_secs(60), down: Span::from_secs(300) };
        let wanted = || vec![of(12, 100), of(7, 150), of(9, 380)];
        // At 400 s: within a minute 9, within 5 min 7 and 9; that of 100 s is exactly 5 min old and does not count.
        for (current, desired, expected, why) in [
            (5, 10, 9, "up to the least of 9 and 10"),
            (9, 10, 9, "it is there already"),
            (11, 6, 9, "down to the most of 7, 9 and 6"),
            (8, 6, 8, "between what was wanted it stays"),
            (8, 20, 9, "up to the least of 9 and 20"),
            (30, 20, 20, "down to the most, which is wanted now"),
        ] {
            assert_eq!(windows.stabilise(at(400), &mut wanted(), current, desired), expected, "{why}");
        }
    }

    #[test]
    fn outdated_is_what_is_too_old_for_both_directions() {
        let windows = Windows { up: Span::from_secs(60), down: Span::from_secs(300) };
        let mut wanted = vec![of(1, 99), of(2, 100)];
        let _ = windows.stabilise(at(400), &mut wanted, 5, 5);
        assert_eq!(wanted, [of(5, 400), of(2, 100)], "exactly 5 min is not too old");
        let _ = windows.stabilise(at(400), &mut wanted, 5, 6);
        assert_eq!(wanted, [of(5, 400), of(2, 100), of(6, 400)]);
    }
}
