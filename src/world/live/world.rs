//! One Compose project on a live host as the engine sees it, and limits changed while its containers run. The counterpart of
//! the simulated host. Before you change it:
//! 1. What nobody measured is `None`; a look never waits for a measurement.
//! 2. A change is looked at again afterwards, in the kernel where that can be; one that did not come about is taken back.

use super::docker::CallError;
use super::docker::Died;
use super::docker::Docker;
use super::generations::Pool;
use super::green;
use super::inventory::Container;
use super::limits;
use super::lock;
use super::project;
use super::usage::Meter;
use super::usage::Reading;
use crate::model::Action;
use crate::model::HostSeen;
use crate::model::InstanceSeen;
use crate::model::Limits;
use crate::model::Observation;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Why a change of limits did not come about. Nothing is changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is no such service, or none of its containers runs.
    #[error("no container of `{0}` runs, so there is nothing to change")]
    NothingRuns(ServiceName),
    /// It would be killed, or refused.
    #[error("{container} holds {held}, so its limit cannot be {to}; give it at least {least}")]
    BelowWorkingSet {
        /// The container.
        container: String,
        /// What it holds.
        held: Bytes,
        /// What was asked for.
        to: Bytes,
        /// What can be asked for.
        least: Bytes,
    },
    /// Docker does not do it while containers run.
    #[error("{0}")]
    NotInPlace(String),
    /// The engine said that it was done, and it was not.
    #[error("{container} has {found:?} in force, not what was asked for; what was changed is taken back")]
    NotInForce {
        /// The container.
        container: String,
        /// What the kernel has, or what the engine believes.
        found: Limits,
    },
    /// The engine refused it, or does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Says by image and service whether what runs there is known to hold data.
pub type HoldsData = Box<dyn Fn(&str, &str) -> bool>;

/// A project on a live host.
pub struct World {
    docker: Docker,
    project: String,
    pool: Pool,
    known: HoldsData,
    meter: Meter,
    deaths: Died,
    oom_kills: BTreeMap<String, u32>,
}

impl World {
    /// A project as it is from now on. What containers use is taken over `window`.
    #[must_use]
    pub fn new(docker: Docker, project: &str, pool: Pool, window: Span, known: HoldsData) -> Self {
        let deaths = docker.out_of_memory(project);
        let meter = Meter::over(window);
        Self { docker, project: project.to_owned(), pool, known, meter, deaths, oom_kills: BTreeMap::new() }
    }

    /// Reads what all containers use now. Rates are between such readings.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn measure(&mut self, now: impl Fn() -> Instant) -> Result<(), CallError> {
        let all = self.docker.containers(None).await?;
        let running: Vec<&Container> = all.iter().filter(|container| container.pid.is_some()).collect();
        let readings = running.iter().map(|container| async {
            let stats = self.docker.counters(&container.id).await?;
            Ok::<_, CallError>((container.id.as_str(), stats.and_then(|stats| Reading::of(now(), &stats))))
        });
        let readings: Vec<_> = join_all(readings).await.into_iter().collect::<Result<_, _>>()?;
        for (id, reading) in readings {
            if let Some(reading) = reading {
                self.meter.take(id, reading);
            }
        }
        let there: Vec<&str> = running.iter().map(|container| container.id.as_str()).collect();
        self.meter.keep(&there);
        Ok(())
    }

    /// Looks at the host once.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn observe(&mut self) -> Result<Observation, CallError> {
        for container in self.deaths.so_far().await {
            *self.oom_kills.entry(container).or_default() += 1;
        }
        let all = self.docker.containers(None).await?;
        let (mine, others): (Vec<Container>, Vec<Container>) =
            all.into_iter().partition(|container| container.project.as_ref() == Some(&self.project));
        let locked: BTreeSet<String> =
            others.iter().filter(|other| lock::held_by(other).is_some()).map(|lock| lock.name.clone()).collect();
        let host = self.pool_beside(&others);
        let services = project::projects(mine).remove(&self.project).unwrap_or_default();
        let services = services.into_iter().map(|(name, containers)| {
            let deploying = locked.contains(&lock::name(&self.project, &name));
            let seen = self.service(&name, &containers, deploying);
            (name, seen)
        });
        Ok(Observation { host, services: services.collect(), ..Observation::default() })
    }

    /// What is left of the pool beside containers of others: they may use their limits, and what they use where they have none.
    fn pool_beside(&self, others: &[Container]) -> HostSeen {
        let mut host = HostSeen { pool_cpu: self.pool.cpu, pool_memory: self.pool.memory };
        for other in others.iter().filter(|other| other.pid.is_some()) {
            let used = self.meter.usage(&other.id);
            let cpu = other.limits.cpu.or(used.map(|used| used.cpu)).unwrap_or(Millicores::ZERO);
            let memory = other.limits.memory.or(used.map(|used| used.memory)).unwrap_or(Bytes::ZERO);
            host = HostSeen { pool_cpu: host.pool_cpu.minus(cpu), pool_memory: host.pool_memory.minus(memory) };
        }
        host
    }

    fn service(&self, name: &ServiceName, containers: &[Container], deploying: bool) -> ServiceSeen {
        let instance = |container: &Container| InstanceSeen {
            number: container.number,
            state: container.state(),
            usage: self.meter.usage(&container.id),
            oom_kills: self.oom_kills.get(&container.id).copied().unwrap_or(0),
            restarts: container.restarts,
            started: container.started.filter(|_| container.pid.is_some()),
        };
        let holds_data = |container: &Container| {
            green::holds_data(container, (self.known)(&container.image, name.as_str())).is_some()
        };
        ServiceSeen {
            limits: containers.first().map(|first| project::limits_in_force(&self.docker, first)).unwrap_or_default(),
            stateful: containers.iter().any(holds_data),
            instances: containers.iter().map(instance).collect(),
            traffic: None,
            deploying,
        }
    }

    /// Gives every running instance of a service a new limit, without a restart.
    ///
    /// # Errors
    /// [`LimitError`]; all instances are as they were then.
    pub async fn limit(&mut self, action: &Action) -> Result<(), LimitError> {
        let (cpu, memory) = match action {
            Action::LimitCpu { to, .. } => (Some(*to), None),
            Action::LimitMemory { to, .. } => (None, Some(*to)),
            Action::Scale { service, .. } => {
                return Err(LimitError::NotInPlace(format!("the number of `{service}` is not a limit")));
            }
        };
        self.set(action.service(), cpu, memory).await
    }

    /// The same for both limits at once; what is `None` stays as it is.
    ///
    /// # Errors
    /// [`LimitError`]; all instances are as they were then.
    pub async fn set(
        &mut self,
        service: &ServiceName,
        cpu: Option<Millicores>,
        memory: Option<Bytes>,
    ) -> Result<(), LimitError> {
        let all = self.docker.containers(None).await?;
        let mut services = project::projects(all).remove(&self.project).unwrap_or_default();
        let mut running = services.remove(service).unwrap_or_default();
        running.retain(|container| container.pid.is_some());
        if running.is_empty() {
            return Err(LimitError::NothingRuns(service.clone()));
        }
        for container in &running {
            self.check(container, memory).await?;
        }
        let mut changed: Vec<&Container> = Vec::new();
        for container in &running {
            changed.push(container);
            if let Err(error) = self.set_one(container, cpu, memory).await {
                self.take_back(&changed, cpu.is_some(), memory.is_some()).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether a container would live on with this limit of memory: the kernel of a new host kills it else, that of an old
    /// one refuses.
    async fn check(&self, container: &Container, memory: Option<Bytes>) -> Result<(), LimitError> {
        let Some(to) = memory else { return Ok(()) };
        let kernel = project::kernel(&self.docker, container).and_then(|kernel| kernel.working_set);
        let held = match kernel {
            Some(held) => held,
            None => {
                let stats = self.docker.counters(&container.id).await?;
                stats.as_ref().map(project::working_set).unwrap_or(Bytes::ZERO)
            }
        };
        let least = held.plus(held.scaled(1, 10)).max(limits::MEMORY_MIN);
        if to < least {
            return Err(LimitError::BelowWorkingSet { container: container.name.clone(), held, to, least });
        }
        Ok(())
    }

    async fn set_one(
        &self,
        container: &Container,
        cpu: Option<Millicores>,
        memory: Option<Bytes>,
    ) -> Result<(), LimitError> {
        self.docker.update(&container.id, limits::update(&container.host_config(), cpu, memory)).await?;
        let after = self.docker.inspect(&container.id).await?;
        let found = project::limits_in_force(&self.docker, &after);
        let is_as_asked =
            cpu.is_none_or(|cpu| found.cpu == Some(cpu)) && memory.is_none_or(|to| found.memory == Some(to));
        if !is_as_asked {
            return Err(LimitError::NotInForce { container: container.name.clone(), found });
        }
        Ok(())
    }

    /// Puts the old limits back, the last one first. What had no limit keeps the new one: Docker takes none off.
    async fn take_back(&self, changed: &[&Container], cpu: bool, memory: bool) {
        for container in changed.iter().rev() {
            let old = container.limits;
            let body = limits::update(&container.host_config(), old.cpu.filter(|_| cpu), old.memory.filter(|_| memory));
            // Whoever reads the limits next sees what is in force, whether this comes about or not.
            let _ = self.docker.update(&container.id, body).await;
        }
    }
}
