//! One change of a service at a time, whoever makes it and from wherever: a container that is never started, whose name says
//! which service it is about. The engine gives a name once, so whoever makes the container has the right.

use super::docker::CallError;
use super::docker::Docker;
use super::inventory::Container;
use super::inventory::ours;
use crate::model::ServiceName;
use crate::units::Instant;
use crate::units::Span;
use bollard::models::ContainerCreateBody;

/// A lock that nobody renewed for so long is that of a program which is gone.
pub const EXPIRES: Span = Span::from_mins(60);

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// What is done: the name of a deployment or a plan.
    pub change: String,
    /// Who does it: user, host and process.
    pub who: String,
    /// When it was taken.
    pub since: Instant,
}

/// Why a lock was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error("`{service}` is being changed by {} ({}); wait for it, or see `plimsoll status`", .holder.who, .holder.change)]
    Held {
        /// The service.
        service: ServiceName,
        /// Who.
        holder: Holder,
    },
    /// The engine did not let us.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// A lock that is held.
#[derive(Debug)]
#[must_use = "a lock that nobody gives back stays"]
pub struct Lock {
    container: String,
}

impl Lock {
    /// Takes the right to change a service. The image is any that the engine has: nothing of it is started. A lock that the
    /// same change took before it was ended in the middle is taken over.
    ///
    /// # Errors
    /// [`LockError`].
    pub async fn take(
        docker: &Docker,
        (project, service): (&str, &ServiceName),
        image: &str,
        holder: &Holder,
    ) -> Result<Self, LockError> {
        let name = name(project, service);
        for _ in 0..2 {
            let labels = [(ours::LOCK.to_owned(), serde_json::to_string(holder).unwrap_or_default())];
            let body = ContainerCreateBody {
                image: Some(image.to_owned()),
                cmd: Some(vec!["lock".to_owned()]),
                labels: Some(labels.into_iter().collect()),
                network_disabled: Some(true),
                ..ContainerCreateBody::default()
            };
            match docker.create(&name, body).await {
                Ok(container) => return Ok(Self { container }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
            let there = match docker.inspect(&name).await {
                Ok(there) => there,
                Err(error) if error.is_missing() => continue,
                Err(error) => return Err(error.into()),
            };
            match held_by(&there) {
                Some(other) if other.change == holder.change => return Ok(Self { container: there.id }),
                Some(other) if holder.since.since(other.since) < EXPIRES => {
                    return Err(LockError::Held { service: service.clone(), holder: other });
                }
                _ => docker.discard(&there.id).await?,
            }
        }
        let said = "it was taken by others again and again".to_owned();
        Err(CallError { doing: format!("lock `{service}`"), said, status: None }.into())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn give_back(self, docker: &Docker) -> Result<(), CallError> {
        docker.discard(&self.container).await
    }
}

/// Who holds this lock; `None` where the container is no lock, or nobody can tell.
#[must_use]
pub fn held_by(container: &Container) -> Option<Holder> {
    container.labels.get(ours::LOCK).and_then(|holder| serde_json::from_str(holder).ok())
}

/// The name of the lock of a service.
#[must_use]
pub fn name(project: &str, service: &ServiceName) -> String {
    format!("plimsoll-lock-{project}-{service}")
}
