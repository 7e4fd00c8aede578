//! A live project that a command changes: everything that is needed for that, and who may do so.

use super::LiveChoice;
use super::Services;
use super::called;
use crate::cli::exit::Failure;
use crate::input::catalog::Catalog;
use crate::model::CoreGroup;
use crate::model::Host;
use crate::model::Limits;
use crate::model::ServiceName;
use crate::run::control::change;
use crate::run::control::change::Entry;
use crate::run::control::change::Opening;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::world::live::clock::Clock;
use crate::world::live::docker::Docker;
use crate::world::live::generations::Pool;
use crate::world::live::green;
use crate::world::live::inventory::Container;
use crate::world::live::journal;
use std::path::PathBuf;

/// A live project.
pub(crate) struct Station {
    /// The engine.
    pub(crate) docker: Docker,
    /// Its clock.
    pub(crate) clock: Clock,
    /// The project.
    pub(crate) project: String,
    /// Its services, as they were at first.
    pub(crate) services: Services,
    /// What containers may use of the host.
    pub(crate) pool: Pool,
    /// Where journals and the log of actions are kept.
    pub(crate) state: PathBuf,
    catalog: std::borrow::Cow<'static, Catalog>,
}

impl Station {
    /// Connects, and looks at what is there.
    ///
    /// # Errors
    ///
    /// An engine that cannot be reached, a project that does not run, a catalog that is wrong.
    pub(crate) async fn open(choice: &LiveChoice) -> Result<Self, Failure> {
        let docker = choice.connect().await?;
        let (project, services) = choice.project(docker.containers(None).await.map_err(called)?)?;
        let here = std::env::current_dir().unwrap_or_default();
        let catalog = Catalog::below(&here)?;
        let pool = pool(&docker);
        let state = choice.state()?;
        Ok(Self { docker, clock: Clock::start(), project, services, pool, state, catalog })
    }

    /// The instances of a service.
    #[must_use]
    pub(crate) fn instances(&self, service: &ServiceName) -> &[Container] {
        self.services.get(service).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether what is known of its image says that it holds data.
    #[must_use]
    pub(crate) fn image_holds_data(&self, service: &ServiceName) -> bool {
        let of_image = |container: &Container| self.catalog.lookup(Some(&container.image), service.as_str());
        self.instances(service).iter().filter_map(of_image).any(|entry| entry.stateful)
    }

    /// Why a service holds data, as far as anybody knows.
    #[must_use]
    pub(crate) fn holds_data(&self, service: &ServiceName) -> Option<String> {
        let known = self.image_holds_data(service);
        self.instances(service).iter().find_map(|container| green::holds_data(container, known))
    }

    /// Changes that somebody began and nobody ended, oldest first.
    ///
    /// # Errors
    ///
    /// A journal that cannot be read.
    pub(crate) fn unfinished(&self) -> Result<Vec<(Opening, Vec<Entry>)>, Failure> {
        self.changes(Entry::is_end)
    }

    /// The changes of this project on this engine that are not left out by their last entry, oldest first.
    fn changes(&self, is_left_out: fn(&Entry) -> bool) -> Result<Vec<(Opening, Vec<Entry>)>, Failure> {
        let read = journal::unfinished(&self.state, is_left_out);
        let all: Vec<(Opening, Vec<Entry>)> = read.map_err(|error| Failure::Environment(error.to_string()))?;
        let is_here = |opening: &Opening| opening.engine == self.docker.about.id && opening.project == self.project;
        Ok(all.into_iter().filter(|(opening, _)| is_here(opening)).collect())
    }

    /// The last deployment of a service that came to its end, and the limits before and after it.
    ///
    /// # Errors
    ///
    /// A journal that cannot be read.
    pub(crate) fn last_done(&self, service: &ServiceName) -> Result<Option<(Opening, [Limits; 2])>, Failure> {
        let is_not_done = |entry: &Entry| !matches!(entry, Entry::Ended { how, .. } if how == "done");
        let mut done = self.changes(is_not_done)?.into_iter().rev();
        let last = done.find(|(opening, _)| change::service(opening) == service);
        Ok(last.and_then(|(opening, entries)| Some((opening, change::wanted(&entries)?.1))))
    }
}

/// What containers may use of the engine's host: all but the usual reserve.
fn pool(docker: &Docker) -> Pool {
    let cores = CoreGroup { count: docker.about.processors, speed: Permille::ONE };
    let host = Host::bare(&docker.about.host, vec![cores], Bytes::new(docker.about.memory));
    let reserve = host.usual_reserve();
    let all = Millicores::cores(docker.about.processors.into());
    Pool { cpu: all.minus(reserve.cpu), memory: host.memory.minus(reserve.memory) }
}

/// The words for a person who has to make an end of something first.
#[must_use]
pub(crate) fn recover_first(opening: &Opening) -> String {
    format!(
        "the deployment {} of `{}` was ended in the middle; `plimsoll recover` makes an end of it first",
        opening.id, opening.deployment.service
    )
}
