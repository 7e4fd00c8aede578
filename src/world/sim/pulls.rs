//! Images that a host has to pull before a container can start. Before you change it:
//! 1. An image is pulled once, whoever of its services asks; pulls that are on at the same time share the line equally.
//! 2. While the Docker engine is out nothing is pulled; what is there already is kept.

use super::World;
use super::instance::NEVER;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::units::Instant;
use crate::units::Span;
use crate::units::whole;

/// Bytes below which an image is there.
const NOTHING: f64 = 0.5;

/// An image that is on the way.
struct Pull {
    /// The first groups of the services that wait for it.
    services: Vec<usize>,
    /// Bytes that are still to come.
    left: f64,
}

/// All images that are on the way.
#[derive(Default)]
pub(super) struct Pulls {
    /// Bytes per second of the line.
    line: f64,
    /// Bytes of the image of each service, by its place; zero where it is there.
    sizes: Vec<f64>,
    on: Vec<Pull>,
    /// Up to when the bytes are counted.
    counted: Instant,
}

impl Pulls {
    /// What has to be pulled as a stack is started on a host that has none of its images; `find` gives a service's place.
    pub(super) fn of(scenario: &Scenario, services: usize, find: impl Fn(&ServiceName) -> Option<usize>) -> Self {
        let Some((docker, line)) = scenario.docker.as_ref().and_then(|docker| Some((docker, docker.download?))) else {
            return Self::default();
        };
        let mut pulls = Self { line: line.get() as f64, sizes: vec![0.0; services], ..Self::default() };
        let mut images: Vec<(&str, usize)> = Vec::new();
        for (name, size) in &docker.images {
            let Some(index) = find(name) else { continue };
            pulls.sizes[index] = size.get() as f64;
            let image = scenario.services.get(name).and_then(|model| model.image.as_deref());
            let known = image.and_then(|image| images.iter().find(|(known, _)| *known == image));
            if let Some(&(_, place)) = known {
                pulls.on[place].services.push(index);
                continue;
            }
            images.extend(image.map(|image| (image, pulls.on.len())));
            pulls.on.push(Pull { services: vec![index], left: pulls.sizes[index] });
        }
        pulls
    }

    /// Whether a service waits for its image.
    pub(super) fn are_waited_for(&self, index: usize) -> bool {
        self.on.iter().any(|pull| pull.services.contains(&index))
    }

    /// When the next image is there, if nothing changes before.
    fn due(&self) -> Instant {
        let least = self.on.iter().map(|pull| pull.left).fold(f64::INFINITY, f64::min);
        if !least.is_finite() || self.line <= 0.0 {
            return NEVER;
        }
        let seconds = least * self.on.len() as f64 / self.line;
        self.counted.plus(Span::from_nanos(whole((seconds * 1e9).ceil())))
    }

    /// Time passes up to `now`, in which the engine was there or not.
    fn pass(&mut self, now: Instant, docker_out: bool) {
        while !self.on.is_empty() && !docker_out {
            let until = self.due().min(now);
            let each = self.line / self.on.len() as f64 * until.since(self.counted).as_secs();
            self.on.iter_mut().for_each(|pull| pull.left -= each);
            self.counted = until;
            let before = self.on.len();
            self.on.retain(|pull| pull.left > NOTHING);
            if self.on.len() == before {
                break;
            }
        }
        self.counted = now;
    }
}

impl World {
    /// The image of new instances of a service begins to come.
    pub(super) fn pull_new(&mut self, index: usize) {
        let size = self.pulls.sizes.get(index).copied().unwrap_or(0.0);
        if size > 0.0 {
            self.pass_pulls();
            self.pulls.on.push(Pull { services: vec![index], left: size });
        }
    }

    /// Images come up to now.
    pub(super) fn pass_pulls(&mut self) {
        self.pulls.pass(self.now, self.conditions.docker_out);
    }

    /// When the next image is there.
    pub(super) fn pulls_due(&self) -> Instant {
        if self.conditions.docker_out { NEVER } else { self.pulls.due() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 and 300 bytes at 10 a second: both share until 20 s, by when each has 100; the rest of 200 takes 20 s alone.
    #[test]
    fn pulls_share_the_line() {
        let pull = |left| Pull { services: vec![0], left };
        let mut pulls = Pulls { line: 10.0, on: vec![pull(100.0), pull(300.0)], ..Pulls::default() };
        let second = |second| Instant::after_start(Span::from_secs(second));
        assert_eq!(pulls.due(), second(20));
        pulls.pass(second(30), false);
        assert_eq!((pulls.on.len(), pulls.due()), (1, second(40)));
        // Nothing comes while the engine is out.
        pulls.pass(second(100), true);
        assert_eq!(pulls.due(), second(110));
        pulls.pass(second(110), false);
        assert!(pulls.on.is_empty());
    }
}
