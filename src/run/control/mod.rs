//! The live loops: they wait instead of moving time. Before you change it:
//! 1. What a loop does is written down before it is done, so that whoever is ended in the middle can go on or back.
//! 2. What is decided comes from the same engine, and passes the same audit, as in a simulation.

pub mod change;
mod deploy;
mod recover;

pub use deploy::Ending;
pub use deploy::Live;
pub use deploy::Told;
pub use deploy::deploy;
pub use recover::RecoverError;
pub use recover::recover;
