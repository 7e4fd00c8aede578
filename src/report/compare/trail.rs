//! Load, demand and supply over time, for the picture: at most so many points, neighbours merged where a run has more samples.
//!
//! Merged points keep what matters: the mean load, the largest demand, the smallest supply.

/// Most points that are kept.
const POINTS_MAX: usize = 1440;

/// One or several samples next to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct TrailPoint {
    /// Begin in seconds.
    pub(in crate::report) from: f64,
    /// End in seconds.
    pub(in crate::report) to: f64,
    /// Requests from outside a second.
    pub(in crate::report) offered: f64,
    /// Instances that are needed, of all services together.
    pub(in crate::report) demand: f64,
    /// Instances up and well.
    pub(in crate::report) supply: f64,
}

/// The points of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::report) struct Trail {
    /// In order of time.
    pub(in crate::report) points: Vec<TrailPoint>,
    /// So many halvings were made; so many samples are in the last point.
    halvings: u32,
    filled: u64,
}

impl Trail {
    pub(super) fn take(&mut self, point: TrailPoint) {
        let room = 1 << self.halvings;
        if let Some(last) = self.points.last_mut()
            && self.filled < room
        {
            last.merge(&point);
            self.filled += 1;
            return;
        }
        if self.points.len() == POINTS_MAX {
            self.points = self.coarse(POINTS_MAX / 2);
            self.halvings += 1;
        }
        self.points.push(point);
        self.filled = 1;
    }

    /// At most so many points, neighbours merged.
    pub(in crate::report) fn coarse(&self, most: usize) -> Vec<TrailPoint> {
        let each = self.points.len().div_ceil(most.max(1)).max(1);
        let merged = |points: &[TrailPoint]| {
            let (first, rest) = points.split_first()?;
            let mut point = *first;
            rest.iter().for_each(|next| point.merge(next));
            Some(point)
        };
        self.points.chunks(each).filter_map(merged).collect()
    }
}

impl TrailPoint {
    fn merge(&mut self, next: &Self) {
        let (mine, theirs) = (self.to - self.from, next.to - next.from);
        self.offered = (self.offered * mine + next.offered * theirs) / (mine + theirs);
        self.demand = self.demand.max(next.demand);
        self.supply = self.supply.min(next.supply);
        self.to = next.to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_shortages_in_few_points() {
        let mut trail = Trail::default();
        for place in 0..10_000 {
            let from = f64::from(place) * 10.0;
            let supply = if place == 7_777 { 1.0 } else { 3.0 };
            trail.take(TrailPoint { from, to: from + 10.0, offered: f64::from(place % 2), demand: 2.0, supply });
        }
        assert!(trail.points.len() <= POINTS_MAX && trail.points.len() > POINTS_MAX / 3);
        assert_eq!(trail.points.iter().filter(|point| point.supply < point.demand).count(), 1);
        assert!(trail.points.windows(2).all(|pair| pair[0].to == pair[1].from), "without a gap");
        assert_eq!(trail.points.last().map(|point| point.to), Some(100_000.0));
        assert!(trail.points.iter().take(500).all(|point| (point.offered - 0.5).abs() < 1e-9), "the mean load");
        assert!(trail.coarse(100).len() <= 100);
    }
}
