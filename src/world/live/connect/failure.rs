//! What keeps us from an engine: what was tried, what the system said, what to do next.

use super::Origin;
use std::error::Error;

/// What keeps us from an engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// A context that is not there.
    #[error(
        "there is no Docker context `{name}`, which {by} names; known are {}: choose one of them, or give an address \
         such as ssh://{name} or tcp://{name}:2375",
        known.join(", ")
    )]
    UnknownContext {
        /// Its name.
        name: String,
        /// Who named it.
        by: String,
        /// Those that are there, in order.
        known: Vec<String>,
    },
    /// A file of Docker's configuration that cannot be read.
    #[error("cannot read {path}: {said}; mend it, or name the engine with --docker or DOCKER_HOST")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        said: String,
    },
    /// Something that is no address of an engine.
    #[error("`{given}` ({from}) is no address of a Docker engine: {said}; {next}")]
    Address {
        /// What was given, without a password.
        given: String,
        /// Who gave it.
        from: Origin,
        /// What is wrong with it.
        said: String,
        /// What to do.
        next: String,
    },
    /// Certificates that cannot be used.
    #[error("cannot use {path} for the Docker engine at {at}: {said}; {next}")]
    Certificate {
        /// The engine.
        at: String,
        /// The file.
        path: String,
        /// What is wrong with it.
        said: String,
        /// What to do.
        next: String,
    },
    /// An engine that does not answer, or not as one.
    #[error("cannot reach the Docker engine at {at}: {said}; {next}")]
    Unreached {
        /// The engine.
        at: String,
        /// What kind of thing is in the way.
        why: Why,
        /// What the system said.
        said: String,
        /// What to do.
        next: String,
    },
}

/// What kind of thing is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing listens on the socket.
    Stopped,
    /// The socket is not for us.
    Denied,
    /// One side does not accept who the other one is, or only one side wants to know.
    Certificates,
    /// ssh does not get there, or finds no engine there.
    Ssh,
    /// The network does not lead there, or nothing listens there.
    Network,
    /// No answer in time.
    Late,
    /// An answer that is not what an engine says.
    Answer,
}

/// An error and all that lies below it, without what is said twice.
pub(super) fn to_the_root(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        let words = cause.to_string();
        if !said.contains(&words) {
            said = format!("{said}: {words}");
        }
        below = cause.source();
    }
    said
}
