//! Who gets which part of the cores at a moment: generalised processor sharing, that is max-min fair by weight.
//!
//! Before you change it:
//! 1. Amounts are in cores, whatever their speed. Other guests steal the same share of each; the quota does not count it.
//! 2. A container that has `n` requests in service can use `n` cores at most.
//! 3. What the system and idle containers use is a steady trickle that comes first.
//! 4. Work is done on the fastest cores first, all of it at the mean speed of those that are busy.

use super::container::Container;
use super::pins::Pins;
use crate::model::Scenario;

/// The cores of a host.
#[derive(Debug)]
pub(super) struct Cores {
    /// Number and speed, fastest first.
    groups: Vec<(f64, f64)>,
    count: f64,
    /// Share of time that other guests leave.
    ours: f64,
    /// Cores that the trickle of system and idle containers keeps busy.
    trickle: f64,
    /// Containers that want more than their share, while it is looked for.
    open: Vec<usize>,
    /// Where some containers run on some cores only.
    pins: Option<Pins>,
}

impl Cores {
    /// The cores of a host on which idle containers use `idle` reference cores.
    pub(super) fn of(scenario: &Scenario, idle: f64, containers: &[Container]) -> Self {
        let host = &scenario.host;
        let groups: Vec<(f64, f64)> =
            host.cores.iter().map(|group| (f64::from(group.count), group.speed.as_fraction().max(1e-3))).collect();
        let count: f64 = groups.iter().map(|group| group.0).sum();
        let ours = (1.0 - host.steal.as_fraction()).clamp(0.01, 1.0);
        let fastest = groups.first().map_or(1.0, |group| group.1);
        let trickle = ((host.system_cpu.as_cores() + idle) / (ours * fastest)).min(count * 0.99);
        Self { groups, count, ours, trickle, open: Vec::new(), pins: Pins::of(scenario, containers) }
    }

    /// Gives each of the `active` containers its part.
    pub(super) fn share(&mut self, containers: &mut [Container], active: &[usize]) {
        if let Some(mut pins) = self.pins.take() {
            self.share_pinned(&mut pins, containers, active);
            self.pins = Some(pins);
            return;
        }
        let free = self.count - self.trickle;
        let mut left = free;
        self.open.clear();
        let mut wanted = 0.0;
        for &index in active {
            containers[index].cores = 0.0;
            let want = containers[index].want().min(self.count);
            if want > 0.0 {
                wanted += want;
                self.open.push(index);
            }
        }
        while !self.open.is_empty() {
            let weights: f64 = self.open.iter().map(|&index| containers[index].weight).sum();
            let level = left / weights;
            let before = self.open.len();
            self.open.retain(|&index| {
                let container = &mut containers[index];
                let want = container.want().min(self.count);
                let enough = want <= container.weight * level;
                if enough {
                    container.cores = want;
                    left -= want;
                }
                !enough
            });
            if self.open.len() == before {
                self.open.drain(..).for_each(|index| containers[index].cores = containers[index].weight * level);
            }
        }
        let used: f64 = active.iter().map(|&index| containers[index].cores).sum();
        debug_assert!((used - wanted.min(free)).abs() < 1e-9, "work conserving: {used} of {wanted} on {free} cores");
        let speed = self.speed(used + self.trickle) * self.ours;
        for &index in active {
            containers[index].run(speed, self.ours);
        }
    }

    /// The same over the graph of containers and cores. Who is on cores of one speed has that speed; all others, and the
    /// trickle, are on the fastest that these leave.
    fn share_pinned(&self, pins: &mut Pins, containers: &mut [Container], active: &[usize]) {
        let mut wants: Vec<(usize, u32)> = active
            .iter()
            .map(|&index| (index, containers[index].want().min(self.count)))
            .filter(|want| want.1 > 0.0)
            .map(|(index, want)| (index, (1..=u32::MAX).find(|count| f64::from(*count) >= want).unwrap_or(1)))
            .collect();
        wants.sort_unstable();
        let shares = pins.share(&wants, self.trickle);
        let mut left: Vec<f64> = self.groups.iter().map(|group| group.0).collect();
        let mut mixed = self.trickle;
        for (want, share) in wants.iter().zip(&shares) {
            match pins.group(want.0) {
                Some(group) => left[group] -= share,
                None => mixed += share,
            }
        }
        let (mut busy, mut done) = (0.0, 0.0);
        for (group, left) in self.groups.iter().zip(&left) {
            let here = left.max(0.0).min(mixed - busy);
            (busy, done) = (busy + here, done + here * group.1);
        }
        let fastest = self.groups.first().map_or(1.0, |group| group.1);
        let common = if busy > 0.0 { done / busy } else { fastest };
        for &index in active {
            let place = wants.iter().position(|want| want.0 == index);
            let container = &mut containers[index];
            container.cores = place.map_or(0.0, |place| shares[place]);
            let speed = pins.group(index).map_or(common, |group| self.groups[group].1);
            container.run(speed * self.ours, self.ours);
        }
    }

    /// Mean speed of the busy cores when so many are.
    fn speed(&self, busy: f64) -> f64 {
        let fastest = self.groups.first().map_or(1.0, |group| group.1);
        if self.groups.len() < 2 || busy <= 0.0 {
            return fastest;
        }
        let (mut left, mut done) = (busy, 0.0);
        for &(count, speed) in &self.groups {
            let here = left.min(count);
            done += here * speed;
            left -= here;
        }
        done / (busy - left).max(1e-12)
    }
}
