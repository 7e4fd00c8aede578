//! Old and new instances of a service side by side on a live host: what is seen of them, and the moves of a deployment carried
//! out. The counterpart of the simulated host's generations. Before you change it:
//! 1. Whether an instance has traffic is read off its names in the networks, not remembered: requests find a service by name.
//!    So whoever was ended in the middle sees where it stood.
//! 2. A new instance is known by the label of its deployment. Old ones stay, stopped, until the end, for the way back.
//! 3. A container leaves a network and joins it again at once to change its names there; as long as it gets its address back,
//!    its connections live on. Measured: it does, and the longest answer took 250 ms.

use super::docker::CallError;
use super::docker::Docker;
use super::docker::received;
use super::green;
use super::green::Green;
use super::green::Mark;
use super::inventory::Container;
use super::inventory::compose;
use super::inventory::ours;
use super::project;
use crate::model::Generation;
use crate::model::GenerationsSeen;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::MemberSeen;
use crate::model::Move;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use bollard::models::ContainerStateStatusEnum;
use bollard::models::ContainerUpdateBody;
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// Proxies remember addresses for about a second, and look again as often; nobody is idle before that is over.
const FORGOTTEN: Span = Span::from_secs(4);
/// Less than this that comes in between two looks is no request: a request with its connection takes more.
const QUIET: u64 = 300;
/// So many lines of the log of one that failed are shown.
const LAST_LINES: u32 = 5;
/// More than this are requests, and not one or two of them.
const BUSY: u64 = 10_000;

/// What a service may take of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// CPU that containers may use.
    pub cpu: Millicores,
    /// Memory that containers may use.
    pub memory: Bytes,
}

/// A service whose instances are replaced.
#[derive(Debug)]
pub struct Replaced<'a> {
    docker: &'a Docker,
    project: String,
    service: ServiceName,
    mark: Mark,
    pool: Pool,
    image_holds_data: bool,
    /// What had come in over the networks of each container by the last look, and when that was.
    received: BTreeMap<String, (u64, Instant)>,
    /// Bytes that old instances got between the last two looks although requests should not find them any more.
    late: u64,
    /// What came in at those with traffic since old and new ones have it: by container, at the first look and now.
    reached: BTreeMap<String, (u64, u64)>,
}

/// What is known of its containers at one look.
struct Members {
    old: Vec<Container>,
    new: Vec<Container>,
    aside: Vec<Container>,
}

impl<'a> Replaced<'a> {
    /// A service of a project, and the deployment that is about it.
    #[must_use]
    pub fn new(
        docker: &'a Docker,
        (project, service): (&str, &ServiceName),
        mark: Mark,
        pool: Pool,
        image_holds_data: bool,
    ) -> Self {
        let (project, service) = (project.to_owned(), service.clone());
        Self {
            docker,
            project,
            service,
            mark,
            pool,
            image_holds_data,
            received: BTreeMap::new(),
            late: 0,
            reached: BTreeMap::new(),
        }
    }

    /// Looks at the service.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn look(&mut self, now: Instant) -> Result<GenerationsSeen, CallError> {
        let all = self.docker.containers(None).await?;
        let mut used = BTreeMap::new();
        let mut came_in = BTreeMap::new();
        let running = all.iter().filter(|container| container.pid.is_some());
        let counters = running.map(|container| async { (&container.id, self.docker.counters(&container.id).await) });
        for (id, stats) in join_all(counters).await {
            if let Some(stats) = stats? {
                used.insert(id.clone(), project::working_set(&stats));
                came_in.insert(id.clone(), received(&stats));
            }
        }
        let members = self.members(all);
        let held_by = |container: &Container| used.get(&container.id).copied().unwrap_or(Bytes::ZERO);
        let instances = || members.old.iter().chain(&members.new).chain(&members.aside);
        let held = instances().map(held_by).max().unwrap_or(Bytes::ZERO);
        let of_all = used.values().fold(Bytes::ZERO, |sum, used| sum.plus(*used));
        let stateful = members.old.iter().any(|blue| green::holds_data(blue, self.image_holds_data).is_some());
        let checked = instances().all(Container::is_checked);
        self.late = 0;
        let aside = members.aside.iter().map(|member| self.without_traffic(member, &came_in, now)).collect();
        self.count_reached(&members, &came_in);
        self.received = came_in.iter().map(|(id, bytes)| (id.clone(), (*bytes, now))).collect();
        let with_traffic = |container: &Container| member(container, false);
        Ok(GenerationsSeen {
            old_limits: self.limits_of(&members.old),
            new_limits: self.limits_of(&members.new),
            busy: false,
            unreached: self.is_unreached(&members),
            checked,
            stateful,
            held,
            free_memory: self.pool.memory.minus(of_all),
            pool_cpu: self.pool.cpu,
            old: members.old.iter().map(with_traffic).collect(),
            new: members.new.iter().map(with_traffic).collect(),
            aside,
        })
    }

    /// Counts what comes in at old and new ones from the time on at which both have traffic. A new one joined its networks
    /// anew for that, so it counted from nothing.
    fn count_reached(&mut self, members: &Members, came_in: &BTreeMap<String, u64>) {
        if members.old.is_empty() || members.new.is_empty() {
            self.reached.clear();
            return;
        }
        for id in members.old.iter().chain(&members.new).map(|member| &member.id) {
            let now = came_in.get(id).copied().unwrap_or(0);
            let is_new = members.new.iter().any(|member| member.id == *id);
            let before = if is_new { 0 } else { self.received.get(id).map_or(now, |(bytes, _)| *bytes) };
            let (first, _) = self.reached.get(id).copied().unwrap_or((before, now));
            self.reached.insert(id.clone(), (first.min(now), now));
        }
    }

    /// Whether requests came in at the old ones meanwhile, and none at the new ones.
    fn is_unreached(&self, members: &Members) -> bool {
        let came_in = |containers: &[Container]| -> u64 {
            let of = |container: &Container| self.reached.get(&container.id).map_or(0, |(first, now)| now - first);
            containers.iter().map(of).sum()
        };
        came_in(&members.new) < QUIET && came_in(&members.old) > BUSY
    }

    /// Bytes that old instances got between the last two looks although requests should not find them any more.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// The containers of the service by what they are in the deployment. Old ones that stopped and have no traffic are over.
    fn members(&self, all: Vec<Container>) -> Members {
        let mut members = Members { old: Vec::new(), new: Vec::new(), aside: Vec::new() };
        for container in self.of_service(all) {
            let is_new = self.is_new(&container);
            let has_traffic = if is_new { has_its_names(&container) } else { has_any_name(&container) };
            match (is_new, has_traffic) {
                (true, true) => members.new.push(container),
                (false, true) => members.old.push(container),
                (true, false) => members.aside.push(container),
                (false, false) if container.pid.is_some() => members.aside.push(container),
                (false, false) => {}
            }
        }
        members
    }

    fn of_service(&self, all: Vec<Container>) -> impl Iterator<Item = Container> {
        let is_of = |container: &Container| {
            container.project.as_ref() == Some(&self.project)
                && container.service.as_ref() == Some(&self.service)
                && !container.one_off
        };
        all.into_iter().filter(is_of)
    }

    fn is_new(&self, container: &Container) -> bool {
        container.deployment() == Some(self.mark.deployment.as_str())
    }

    /// One that comes or goes. It is idle when nothing came in since the last look, and that is long enough ago for proxies to
    /// have forgotten its address.
    fn without_traffic(&mut self, container: &Container, came_in: &BTreeMap<String, u64>, now: Instant) -> MemberSeen {
        let seen = came_in.get(&container.id).copied().unwrap_or(0);
        let Some((before, at)) = self.received.get(&container.id).copied() else { return member(container, false) };
        // Whoever joined its network anew meanwhile counts anew.
        let more = if seen < before { seen } else { seen - before };
        if !self.is_new(container) && more >= QUIET {
            self.late += more;
        }
        member(container, more < QUIET && now.since(at) >= FORGOTTEN)
    }

    /// The limits of all, as the kernel has them where it can be asked; where they differ, the first that is not like the
    /// first one, so that nobody takes them for those that were asked for.
    fn limits_of(&self, containers: &[Container]) -> Limits {
        let in_force = |container: &Container| project::limits_in_force(self.docker, container);
        let first = containers.first().map(in_force).unwrap_or_default();
        containers.iter().map(in_force).find(|limits| *limits != first).unwrap_or(first)
    }

    /// Carries out a move. What a move began that could not be ended is taken back: a new container that does not start is
    /// removed.
    ///
    /// # Errors
    /// [`CallError`] at the first thing that the engine refuses.
    pub async fn carry(&mut self, one: &Move) -> Result<(), CallError> {
        let of_service = self.docker.containers(Some(&label(&self.project))).await?;
        let of_service: Vec<Container> = self.of_service(of_service).collect();
        match one {
            Move::Start { generation: Generation::New, count, limits, .. } => {
                self.start_new(&of_service, *count, *limits).await
            }
            Move::Start { generation: Generation::Old, count, .. } => self.start_old(&of_service, *count).await,
            Move::GiveTraffic { generation } => self.give_traffic(&of_service, *generation).await,
            Move::Drain { generation, count } => self.drain(&of_service, *generation, *count).await,
            Move::Stop { grace } => self.stop(&of_service, *grace).await,
            Move::Finish => self.finish(&of_service).await,
        }
    }

    async fn start_new(&self, there: &[Container], count: u32, limits: Limits) -> Result<(), CallError> {
        let mut replaced: Vec<&Container> = there.iter().filter(|container| !self.is_new(container)).collect();
        let taken: Vec<&String> = there.iter().filter_map(|green| green.labels.get(ours::REPLACES)).collect();
        replaced.retain(|blue| !taken.contains(&&blue.id));
        let mut numbers: Vec<u32> = there.iter().map(|container| container.number).collect();
        for blue in replaced.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
            let number = (1..).find(|number| !numbers.contains(number)).unwrap_or(u32::MAX);
            numbers.push(number);
            let mut green = green::beside(blue, number, limits, &self.mark);
            // The name of the image is kept where it still means the same: people, and Compose, know it by that.
            if self.docker.image(&blue.image).await?.as_ref() == Some(&blue.image_id) {
                green.body.image = Some(blue.image.clone());
            }
            self.start_beside(green).await?;
        }
        Ok(())
    }

    async fn start_beside(&self, green: Green) -> Result<(), CallError> {
        let made = self.docker.create(&green.name, green.body).await?;
        let started = async {
            for network in &green.more_networks {
                self.docker.join(network, &made, &[]).await?;
            }
            self.docker.start(&made).await
        };
        if let Err(error) = started.await {
            self.docker.discard(&made).await?;
            return Err(error);
        }
        Ok(())
    }

    /// Old ones that were stopped come back, without traffic.
    async fn start_old(&self, there: &[Container], count: u32) -> Result<(), CallError> {
        let stopped = there.iter().filter(|container| !self.is_new(container) && container.pid.is_none());
        for container in stopped.take(usize::try_from(count).unwrap_or(usize::MAX)) {
            self.docker.start(&container.id).await?;
        }
        Ok(())
    }

    async fn give_traffic(&self, there: &[Container], generation: Generation) -> Result<(), CallError> {
        for container in there.iter().filter(|container| container.pid.is_some()) {
            match (generation, self.is_new(container)) {
                (Generation::New, true) if !has_its_names(container) => {
                    self.rename(container, &green::names_to_have(container)).await?;
                }
                (Generation::Old, false) if !has_any_name(container) => {
                    self.rename(container, &self.names_before(there, container)).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What an old one was called by before: its new one knows.
    fn names_before(&self, there: &[Container], blue: &Container) -> BTreeMap<String, Vec<String>> {
        let is_its = |green: &&Container| green.labels.get(ours::REPLACES) == Some(&blue.id);
        let any = || there.iter().find(|container| self.is_new(container));
        there.iter().find(is_its).or_else(any).map(green::names_to_have).unwrap_or_default()
    }

    async fn drain(&self, there: &[Container], generation: Generation, count: u32) -> Result<(), CallError> {
        let is_of = |container: &&Container| self.is_new(container) == (generation == Generation::New);
        let has_traffic = |container: &&Container| {
            if self.is_new(container) { has_its_names(container) } else { has_any_name(container) }
        };
        let mut going: Vec<&Container> = there.iter().filter(is_of).filter(has_traffic).collect();
        // Those that are not well first.
        going.sort_by_key(|container| container.state() == InstanceState::Healthy);
        for container in going.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
            let none = container.networks.keys().map(|network| (network.clone(), Vec::new())).collect();
            self.rename(container, &none).await?;
        }
        Ok(())
    }

    /// New ones without traffic are removed; old ones stay, stopped, for the way back.
    async fn stop(&self, there: &[Container], grace: Span) -> Result<(), CallError> {
        let stop = |container: &Container| {
            let (id, is_new, has_traffic) = (container.id.clone(), self.is_new(container), has_its_names(container));
            let (runs, named) = (container.pid.is_some(), has_any_name(container));
            let docker = self.docker;
            async move {
                match (is_new, runs) {
                    (true, _) if has_traffic => Ok(()),
                    (true, true) => {
                        docker.stop(&id, grace.secs()).await?;
                        docker.discard(&id).await
                    }
                    (true, false) => docker.discard(&id).await,
                    (false, true) if !named => docker.stop(&id, grace.secs()).await,
                    (false, _) => Ok(()),
                }
            }
        };
        join_all(there.iter().map(stop)).await.into_iter().collect()
    }

    /// Removes the generation that is left over; the other one is taken for good.
    async fn finish(&self, there: &[Container]) -> Result<(), CallError> {
        let stays_new = there.iter().any(|container| self.is_new(container) && has_its_names(container));
        for container in there {
            match (self.is_new(container), stays_new) {
                (true, true) => {
                    if let Some(policy) = green::restart_to_have(container) {
                        let body =
                            ContainerUpdateBody { restart_policy: Some(policy), ..ContainerUpdateBody::default() };
                        self.docker.update(&container.id, body).await?;
                    }
                }
                (true, false) => self.docker.discard(&container.id).await?,
                (false, true) if container.pid.is_none() => self.docker.remove(&container.id).await?,
                (false, _) => {}
            }
        }
        Ok(())
    }

    /// What new ones that are not well said last: how they ended, the answer of their health check, and the end of their log.
    /// Whoever cannot be asked says nothing.
    pub async fn last_words(&self) -> Vec<String> {
        let Ok(of_project) = self.docker.containers(Some(&label(&self.project))).await else { return Vec::new() };
        let ill = |one: &Container| self.is_new(one) && !has_its_names(one) && one.state() != InstanceState::Healthy;
        let mut words = Vec::new();
        for container in self.of_service(of_project).filter(ill) {
            let state = container.said.state.as_ref();
            words.push(match (container.pid, container.oom_killed) {
                (Some(_), _) => format!("{} runs, and is not healthy", container.name),
                (None, true) => format!("{} ended: it had too little memory", container.name),
                (None, false) => format!("{} ended with exit code {}", container.name, container.exit_code),
            });
            let checks = state.and_then(|state| state.health.as_ref()).and_then(|health| health.log.as_ref());
            let answer = checks.into_iter().flatten().last().and_then(|check| check.output.clone());
            words.extend(
                answer.map(|answer| format!("  health check: {}", answer.trim())).filter(|line| line.len() > 16),
            );
            let lines = self.docker.last_lines(&container.id, LAST_LINES).await.unwrap_or_default();
            words.extend(lines.iter().map(|line| format!("  log: {line}")));
        }
        words
    }

    /// Starts old ones that ended while the engine was away: it does not always do so itself.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn revive(&self) -> Result<u32, CallError> {
        let of_project = self.docker.containers(Some(&label(&self.project))).await?;
        let mut revived = 0;
        for container in self.of_service(of_project) {
            let ended = matches!(container.status, ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD);
            if ended && !self.is_new(&container) && has_any_name(&container) {
                self.docker.start(&container.id).await?;
                revived += 1;
            }
        }
        Ok(revived)
    }

    /// Makes an end of what was begun and not ended, so that nobody stands between the generations: on the way back old ones
    /// get their names again and new ones without traffic are removed; on the way on old ones without names have had their
    /// time and stop.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn settle(&self, towards: Generation, grace: Span) -> Result<(), CallError> {
        let look = || async {
            let of_project = self.docker.containers(Some(&label(&self.project))).await?;
            Ok::<Vec<Container>, CallError>(self.of_service(of_project).collect())
        };
        let there = look().await?;
        if towards == Generation::Old {
            self.start_old(&there, u32::MAX).await?;
            self.give_traffic(&look().await?, Generation::Old).await?;
        } else {
            self.give_traffic(&there, Generation::New).await?;
        }
        self.stop(&look().await?, grace).await
    }

    /// Gives a container other names in its networks; none takes requests away from it.
    async fn rename(&self, container: &Container, names: &BTreeMap<String, Vec<String>>) -> Result<(), CallError> {
        for (network, names) in names {
            let joined = container.networks.get(network);
            let own = |name: &String| *name == container.name;
            let has: Vec<&String> =
                joined.iter().flat_map(|joined| &joined.aliases).filter(|name| !own(name)).collect();
            if joined.is_some() && has == names.iter().collect::<Vec<_>>() {
                continue;
            }
            if joined.is_some() {
                self.docker.leave(network, &container.id).await?;
            }
            self.docker.join(network, &container.id, names).await?;
        }
        Ok(())
    }
}

/// The label of all containers of a project, as a filter.
fn label(project: &str) -> String {
    format!("{}={project}", compose::PROJECT)
}

/// Whether a new one has the names that requests find it by.
fn has_its_names(container: &Container) -> bool {
    let names = green::names_to_have(container);
    !names.is_empty() && container.answers_to(&names)
}

/// Whether an old one has any name that others have, too. Where there are no names, requests find it all the same.
fn has_any_name(container: &Container) -> bool {
    let mode = container.host_config().network_mode.unwrap_or_default();
    let is_nameless = ["host", "none", "bridge", "default"].contains(&mode.as_str()) || mode.starts_with("container:");
    is_nameless || container.shared_names().values().any(|names| !names.is_empty())
}

fn member(container: &Container, idle: bool) -> MemberSeen {
    // What the engine will not start again by itself is down, whatever it waits for.
    let is_made = container.status != ContainerStateStatusEnum::CREATED;
    MemberSeen { state: container.state(), started: is_made, restarts: container.restarts, idle }
}
