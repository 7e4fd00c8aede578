//! The deployments of a scenario beside the loop: who looks when, and what came of it goes to the record. Every answer is
//! audited before anything of it is carried out.

use crate::audit::Breach;
use crate::audit::Look;
use crate::audit::RolloutAudit;
use crate::engine::Rollout;
use crate::model::Deployment;
use crate::model::Incident;
use crate::model::OnFailure;
use crate::model::Progress;
use crate::record::Event;
use crate::units::Instant;
use crate::units::Span;
use crate::world::sim::World;

/// Every deployment of a scenario.
pub(super) struct Rollouts {
    rollouts: Vec<Rollout>,
    audit: RolloutAudit,
}

impl Rollouts {
    pub(super) fn new(deployments: &[Deployment]) -> Self {
        let rollouts = deployments.iter().cloned().map(Rollout::new).collect();
        Self { rollouts, audit: RolloutAudit::new(deployments) }
    }

    /// Deployments that are carried out as nobody asked for: with traffic for new instances that are not well. The audit
    /// knows what was asked for; this is the test that it finds it.
    pub(super) fn careless(deployments: &[Deployment]) -> Self {
        let hasty = |deployment: &Deployment| {
            let mut deployment = deployment.clone();
            deployment.update.health_timeout = Span::from_millis(1);
            deployment.update.on_failure = OnFailure::Continue;
            Rollout::new(deployment)
        };
        Self { rollouts: deployments.iter().map(hasty).collect(), audit: RolloutAudit::new(deployments) }
    }

    /// When one of them looks next.
    pub(super) fn due(&self) -> Instant {
        self.rollouts.iter().filter_map(Rollout::due).min().unwrap_or(Instant::after_start(Span::MAX))
    }

    /// Lets those look whose time it is, and carries out what they answer.
    ///
    /// # Errors
    /// Every rule that an answer breaks. Nothing of it is carried out.
    pub(super) fn look(
        &mut self,
        now: Instant,
        world: &mut World,
        sink: &mut dyn FnMut(&Event),
    ) -> Result<(), Vec<Breach>> {
        for (place, rollout) in self.rollouts.iter_mut().enumerate() {
            if rollout.due().is_none_or(|due| due > now) {
                continue;
            }
            let service = rollout.service().clone();
            let seen = world.generations(&service);
            let answer = rollout.observe(now, seen.as_ref());
            let look = Look { now, seen: seen.as_ref(), moves: &answer.moves, told: &answer.told };
            let breaches = self.audit.check(place, &look);
            let mut tell = |progress: Progress| {
                let incident = Incident::Deployment { service: service.clone(), progress };
                sink(&Event::Happened { at: now, incident });
            };
            answer.told.into_iter().for_each(&mut tell);
            if !breaches.is_empty() {
                return Err(breaches);
            }
            for one in &answer.moves {
                if let Err(why) = world.carry(&service, one) {
                    tell(Progress::Failed { why });
                }
            }
        }
        Ok(())
    }
}
