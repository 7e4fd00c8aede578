//! A level over time. Before you change it:
//! 1. A level holds from its point until the next. Before the first point it is zero; after the last it stays.
//! 2. Points are in order, one a moment, and each changes the level: whatever was put in, and in whatever order.

use super::Direction;
use super::Move;
use crate::units::Instant;
use crate::units::Span;
use std::ops::Range;

/// A step curve of whole instances: how many were needed, or how many were there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Curve {
    points: Vec<(Instant, u32)>,
}

impl Curve {
    /// The curve through these points. They may come in any order; of several at one moment the last one given holds.
    #[must_use]
    pub fn new(mut points: Vec<(Instant, u32)>) -> Self {
        points.sort_by_key(|(at, _)| *at);
        let mut kept: Vec<(Instant, u32)> = Vec::new();
        for (at, level) in points {
            kept.pop_if(|(before, _)| *before == at);
            if kept.last().map_or(0, |(_, before)| *before) != level {
                kept.push((at, level));
            }
        }
        Self { points: kept }
    }

    /// The level at a moment.
    #[must_use]
    pub fn at(&self, moment: Instant) -> u32 {
        let after = self.points.partition_point(|(at, _)| *at <= moment);
        after.checked_sub(1).map_or(0, |last| self.points[last].1)
    }

    /// Its changes as moves, for [`Pace::of`](super::Pace::of). The first point is one where it is above zero.
    #[must_use]
    pub fn moves(&self) -> Vec<Move> {
        let mut before = 0;
        let mut moves = Vec::new();
        for (at, level) in &self.points {
            let direction = if *level > before { Direction::Up } else { Direction::Down };
            moves.push(Move { at: *at, direction });
            before = *level;
        }
        moves
    }

    fn change_after(&self, moment: Instant) -> Option<Instant> {
        let after = self.points.partition_point(|(at, _)| *at <= moment);
        self.points.get(after).map(|(at, _)| *at)
    }
}

/// The stretches in which neither of two curves changes, in order, without a gap: both levels and how long they hold.
pub(super) fn together(one: &Curve, other: &Curve, over: &Range<Instant>) -> impl Iterator<Item = (u32, u32, Span)> {
    let (mut now, end) = (over.start, over.end);
    std::iter::from_fn(move || {
        if now >= end {
            return None;
        }
        let began = now;
        now = [one, other].into_iter().filter_map(|curve| curve.change_after(began)).fold(end, Instant::min);
        Some((one.at(began), other.at(began), now.since(began)))
    })
}
