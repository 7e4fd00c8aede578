//! The deployments of a scenario beside the loop: who looks when, and what came of it goes to the record.

use crate::engine::Rollout;
use crate::model::Deployment;
use crate::model::Incident;
use crate::model::Progress;
use crate::record::Event;
use crate::units::Instant;
use crate::units::Span;
use crate::world::sim::World;

/// Every deployment of a scenario.
pub(super) struct Rollouts(Vec<Rollout>);

impl Rollouts {
    pub(super) fn new(deployments: &[Deployment]) -> Self {
        Self(deployments.iter().cloned().map(Rollout::new).collect())
    }

    /// When one of them looks next.
    pub(super) fn due(&self) -> Instant {
        self.0.iter().filter_map(Rollout::due).min().unwrap_or(Instant::after_start(Span::MAX))
    }

    /// Lets those look whose time it is, and carries out what they answer.
    pub(super) fn look(&mut self, now: Instant, world: &mut World, sink: &mut dyn FnMut(&Event)) {
        for rollout in self.0.iter_mut().filter(|rollout| rollout.due().is_some_and(|due| due <= now)) {
            let service = rollout.service().clone();
            let answer = rollout.observe(now, world.generations(&service).as_ref());
            let mut tell = |progress: Progress| {
                let incident = Incident::Deployment { service: service.clone(), progress };
                sink(&Event::Happened { at: now, incident });
            };
            answer.told.into_iter().for_each(&mut tell);
            for one in &answer.moves {
                if let Err(why) = world.carry(&service, one) {
                    tell(Progress::Failed { why });
                }
            }
        }
    }
}
