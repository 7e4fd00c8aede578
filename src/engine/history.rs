//! What services used in the last day, in the engine's own memory (register M4). Before you change it:
//! 1. It is bounded: 288 points of five minutes a service, of 16 bytes each.
//! 2. Points stand by their time: where nobody measured there is an empty one, so that gaps stay gaps.
//! 3. Only measurements that are believed come here.

use super::measure;
use crate::model::HostSeen;
use crate::model::ServiceSeen;
use crate::model::UsagePoint;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use std::collections::VecDeque;

/// Points that are kept: 24 hours.
pub(super) const POINTS: usize = 288;

/// What a point is over.
pub(super) const EACH: Span = Span::from_mins(5);

/// How much room is added at once.
const ROOM: usize = 48;

/// The last day of one service.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Closed points, oldest first. The last of them ended when the open one began.
    points: VecDeque<Point>,
    open: Option<Open>,
}

/// Five minutes, as small as they get.
#[derive(Debug, Clone, Copy, Default)]
struct Point {
    /// Millicores of all instances.
    cpu: u32,
    /// Millicores of the one that used most.
    cpu_most: u32,
    /// Largest working set of one of them, in KiB.
    memory: u32,
    /// How many were measured at most; zero where nobody measured.
    instances: u32,
}

/// The five minutes that are not over.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// How many began before it.
    slot: u64,
    looks: u64,
    cpu: u64,
    cpu_most: u64,
    memory: u64,
    instances: u64,
}

/// What the instances of a service used, by one look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// CPU of all of them.
    pub(super) cpu: u64,
    /// CPU of the one that used most.
    pub(super) cpu_most: u64,
    /// Largest working set of one of them.
    pub(super) memory: u64,
    /// How many were measured.
    pub(super) instances: u64,
}

impl Used {
    /// What those instances used that can be believed and were measured within five minutes.
    pub(super) fn of(now: Instant, service: &ServiceSeen, host: &HostSeen) -> Self {
        let mut used = Self::default();
        let usages = service.instances.iter().filter_map(|instance| measure::believed(now, instance, service, host));
        for usage in usages.filter(|usage| now.since(usage.at) <= EACH) {
            used.cpu = used.cpu.saturating_add(usage.cpu.get());
            used.cpu_most = used.cpu_most.max(usage.cpu.get());
            used.memory = used.memory.max(usage.memory.max(usage.memory_max).get());
            used.instances += 1;
        }
        used
    }
}

impl History {
    /// Takes what was used at a look. One from before the open point counts as one of it.
    pub(super) fn take(&mut self, now: Instant, used: Used) {
        if used.instances == 0 {
            return;
        }
        let slot = now.since_start().fit(EACH);
        if let Some(open) = self.open
            && open.slot < slot
        {
            self.close(open.point());
            let gap = usize::try_from(slot - open.slot - 1).unwrap_or(POINTS).min(POINTS);
            (0..gap).for_each(|_| self.close(Point::default()));
            self.open = None;
        }
        let open = self.open.get_or_insert(Open { slot, looks: 0, cpu: 0, cpu_most: 0, memory: 0, instances: 0 });
        open.looks += 1;
        open.cpu = open.cpu.saturating_add(used.cpu);
        open.cpu_most = open.cpu_most.saturating_add(used.cpu_most);
        open.memory = open.memory.max(used.memory);
        open.instances = open.instances.max(used.instances);
    }

    /// The points that are over, oldest first, without the empty ones.
    pub(super) fn points(&self) -> impl Iterator<Item = UsagePoint> {
        let end = self.open.map_or(0, |open| open.slot);
        let count = self.points.len() as u64;
        self.points.iter().zip(0_u64..).filter(|(point, _)| point.instances > 0).map(move |(point, index)| {
            let ends = end.saturating_add(index + 1).saturating_sub(count);
            UsagePoint {
                at: Instant::after_start(EACH.times(ends)),
                cpu: Millicores::new(u64::from(point.cpu)),
                cpu_most: Millicores::new(u64::from(point.cpu_most)),
                memory_most: Bytes::new(u64::from(point.memory) << 10),
                instances: point.instances,
            }
        })
    }

    fn close(&mut self, point: Point) {
        if self.points.len() >= POINTS {
            self.points.pop_front();
        }
        if self.points.len() == self.points.capacity() {
            self.points.reserve_exact(ROOM);
        }
        self.points.push_back(point);
    }
}

impl Open {
    /// Means are rounded up, and so is a KiB: nobody is to get less than was used.
    fn point(self) -> Point {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Point {
            cpu: small(self.cpu.div_ceil(self.looks)),
            cpu_most: small(self.cpu_most.div_ceil(self.looks)),
            memory: small(self.memory.div_ceil(1024)),
            instances: small(self.instances),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(cpu: u64) -> Used {
        Used { cpu: 2 * cpu, cpu_most: cpu, memory: cpu << 20, instances: 2 }
    }

    fn at(minutes: u64) -> Instant {
        Instant::after_start(Span::from_mins(minutes))
    }

    fn after(looks: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let mut history = History::default();
        looks.iter().for_each(|(minutes, cpu)| history.take(at(*minutes), used(*cpu)));
        history.points().map(|point| (point.at.since_start().secs() / 60, point.cpu_most.get())).collect()
    }

    #[test]
    fn five_minutes_are_one_point_and_the_open_ones_are_none() {
        assert_eq!(after(&[(0, 10), (2, 20), (4, 25)]), []);
        // (10 + 20 + 25) / 3 = 18.33.
        assert_eq!(after(&[(0, 10), (2, 20), (4, 25), (5, 1)]), [(5, 19)]);
    }

    #[test]
    fn the_largest_memory_of_a_point_counts() {
        let mut history = History::default();
        [10, 30, 20].iter().for_each(|cpu| history.take(at(1), used(*cpu)));
        history.take(at(5), used(0));
        let points: Vec<UsagePoint> = history.points().collect();
        assert_eq!(
            (points[0].memory_most, points[0].cpu, points[0].instances),
            (Bytes::mebi(30), Millicores::new(40), 2)
        );
    }

    #[test]
    fn a_gap_stays_a_gap() {
        assert_eq!(after(&[(0, 1), (21, 2), (30, 3)]), [(5, 1), (25, 2)]);
        // Nobody measured: no point.
        let mut history = History::default();
        history.take(at(0), Used::default());
        history.take(at(5), Used::default());
        assert_eq!(history.points().count(), 0);
    }

    #[test]
    fn a_day_is_kept_and_nothing_more() {
        let looks: Vec<(u64, u64)> = (0..1000).map(|look| (5 * look, look)).collect();
        let points = after(&looks);
        assert_eq!((points.len(), points[0], points[287]), (288, (5 * 712, 711), (5 * 999, 998)));
        // After a gap of a day nothing of before is left.
        assert_eq!(after(&[(0, 1), (5, 2), (5 + 1440, 3), (5 + 1445, 4)]), [(5 + 1445, 3)]);
        let mut history = History::default();
        looks.iter().for_each(|(minutes, cpu)| history.take(at(*minutes), used(*cpu)));
        assert_eq!((history.points.capacity(), size_of::<Point>()), (POINTS, 16));
    }
}
