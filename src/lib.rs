//! Plimsoll tells how deep a Docker host may be loaded.
//!
//! A stack (Compose file), a host and a load go in; one engine decides; the world it decides about is simulated or a
//! live Docker host; all that happened is one record; every plot, table and verdict is read from the record.
//! `docs/architecture.md` is the map.

pub mod advise;
pub mod audit;
pub mod capacity;
pub mod cli;
pub mod engine;
pub mod input;
pub mod model;
pub mod money;
pub mod plan;
pub mod record;
pub mod report;
pub mod run;
pub mod seed;
pub mod units;
pub mod world;
