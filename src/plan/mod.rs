//! What to write for a host: the budget of a stack, the override file that makes it so, the settings of the software in
//! the containers, health checks, advice, and the monitoring of it all.
//!
//! Before you change it:
//! 1. It proposes; the engine allocates, and nothing here writes a file.
//! 2. What it proposes is accepted by the software it is for: tests start the real one where there is one.

pub mod advice;
pub mod budget;
pub mod bundle;
pub mod first;
pub mod health;
pub mod host;
pub mod override_file;
pub mod settings;
pub mod tuning;
mod written;
pub mod yaml;
