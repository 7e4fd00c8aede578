//! One Compose project on a live host: its containers by service, and what they use of the host.

use super::cgroup;
use super::cgroup::Kernel;
use super::docker::Docker;
use super::inventory::Container;
use super::lock;
use crate::model::Limits;
use crate::model::ServiceName;
use crate::units::Bytes;
use bollard::models::ContainerStatsResponse;
use std::collections::BTreeMap;

/// Projects by name, with the instances of their services. One-off containers and locks are none; nor is what belongs to no
/// project.
#[must_use]
pub fn projects(all: Vec<Container>) -> BTreeMap<String, BTreeMap<ServiceName, Vec<Container>>> {
    let mut projects: BTreeMap<String, BTreeMap<ServiceName, Vec<Container>>> = BTreeMap::new();
    for container in all {
        let (Some(project), Some(service)) = (container.project.clone(), container.service.clone()) else { continue };
        if !container.one_off && lock::held_by(&container).is_none() {
            projects.entry(project).or_default().entry(service).or_default().push(container);
        }
    }
    projects
}

/// What the kernel was told about a container; `None` where it does not run, or not on this machine.
#[must_use]
pub fn kernel(docker: &Docker, container: &Container) -> Option<Kernel> {
    let pid = container.pid.filter(|_| docker.is_local)?;
    cgroup::of(&container.id, pid)
}

/// The limits of a container: those of the kernel where it can be asked, else those that the engine believes in.
#[must_use]
pub fn limits_in_force(docker: &Docker, container: &Container) -> Limits {
    kernel(docker, container).map_or(container.limits, |kernel| kernel.limits)
}

/// Memory that a container holds, without the file cache that nobody used lately: as `docker stats` counts it.
#[must_use]
pub fn working_set(stats: &ContainerStatsResponse) -> Bytes {
    let Some(memory) = &stats.memory_stats else { return Bytes::ZERO };
    let used = memory.usage.unwrap_or(0);
    let kept = |name: &str| memory.stats.as_ref().and_then(|stats| stats.get(name)).copied();
    let cache = kept("total_inactive_file").or_else(|| kept("inactive_file")).unwrap_or(0);
    Bytes::new(if cache < used { used - cache } else { used })
}
