//! Settings of the software in a container that follow the memory, the CPU and the disk the container is given.
//!
//! Before you change it:
//! 1. A value is written the way the software itself reads it; `tests/settings_real.rs` starts the real one.
//! 2. What follows the room replaces what somebody wrote; what is a matter of use never does ([`Stated`]).
//! 3. More memory never makes a setting smaller, and caches never add up to more than the limit.

mod applications;
mod command;
mod environment;
mod kernel;
mod postgres;
mod runtimes;
mod stores;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use crate::model::DiskKind;
use crate::model::Software;
use crate::units::Bytes;
use crate::units::Millicores;
use std::fmt::Display;

pub use command::command;
pub use command::line;
pub use command::start;
pub use command::stated;
pub use command::words;
pub use environment::VARIABLES;
pub use environment::environment;
pub use kernel::blkio_weight;
pub use kernel::shm_size;
pub use kernel::ulimits;

/// What a container is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// CPU limit; `None` is all the host has.
    pub cpu: Option<Millicores>,
    /// CPU kept free for it.
    pub cpu_reserved: Option<Millicores>,
    /// Memory limit.
    pub memory: Bytes,
    /// Kind of the disk its data lives on, where known.
    pub disk: Option<DiskKind>,
    /// Connections a database is to take; 100 is the default of PostgreSQL.
    pub connections: u32,
    /// Memory of one idle worker process.
    pub workers_memory: Bytes,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What the software calls it; for a file in sections, with the sections and dots before it.
    pub name: String,
    /// The value as the software reads it.
    pub value: String,
    /// How the software is told.
    pub how: How,
    /// What becomes of a value that is there already.
    pub stated: Stated,
    /// The rule it follows, for people.
    pub why: String,
}

/// How software is told a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A flag of its command line, see [`command`].
    Argument,
    /// A variable of its environment, see [`environment`].
    Environment,
    /// A line of a configuration file with this name. Compose cannot set it, so it is advice.
    File(&'static str),
}

/// What becomes of a value that somebody wrote already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// It is replaced: it followed another room.
    Replaced,
    /// It stays: it depends on what the software is used for, which the room does not tell. To write `allkeys-lru` over
    /// a `noeviction` would throw jobs of a queue away.
    Kept,
}

/// The settings of a software for a room, in the order they are written.
#[must_use]
pub fn settings(software: Software, room: &Room) -> Vec<Setting> {
    match software {
        Software::Postgres => postgres::settings(room),
        Software::MySql => stores::mysql(room),
        Software::MongoDb => stores::mongodb(room),
        Software::Redis => stores::redis(room),
        Software::Node => runtimes::node(room),
        Software::Asgi => runtimes::asgi(room),
        Software::Jvm => runtimes::jvm(),
        Software::Elasticsearch => runtimes::elasticsearch(room),
        Software::Prometheus => applications::prometheus(room),
        Software::Loki => applications::loki(room),
        Software::Grafana => applications::grafana(room),
        Software::Ollama => applications::ollama(room),
        Software::N8n => applications::n8n(room),
        Software::Nginx => applications::nginx(room),
    }
}

impl Room {
    /// A part of the memory in whole mebibytes, rounded down; at least one, since zero often means "no limit".
    fn mebibytes(&self, numerator: u64, denominator: u64) -> u64 {
        (self.memory.scaled(numerator, denominator).get() >> 20).max(1)
    }

    /// The CPU limit in cores, rounded up to a whole one, at least one; `None` where there is no limit.
    fn cores(&self) -> Option<u64> {
        self.cpu.map(|cpu| cpu.get().div_ceil(1000).max(1))
    }
}

impl Setting {
    fn argument(name: &str, value: impl Display, why: &str) -> Self {
        Self::new(How::Argument, name, value.to_string(), why)
    }

    fn environment(name: &str, value: impl Display, why: &str) -> Self {
        Self::new(How::Environment, name, value.to_string(), why)
    }

    fn file(file: &'static str, name: &str, value: impl Display, why: &str) -> Self {
        Self::new(How::File(file), name, value.to_string(), why)
    }

    fn new(how: How, name: &str, value: String, why: &str) -> Self {
        Self { name: name.to_owned(), value, how, stated: Stated::Replaced, why: why.to_owned() }
    }

    fn kept(self) -> Self {
        Self { stated: Stated::Kept, ..self }
    }
}
