//! A host made of Docker: what is on it, what it uses, and what is done to it. Before you change it:
//! 1. It decides nothing. It says what it sees in the nouns of `model`, and carries out what was decided elsewhere.
//! 2. Whatever it says may be over by the time it is read; so what was done is looked at again, and in the kernel where that
//!    can be.
//! 3. Every step can be done twice: whoever was ended in the middle begins by looking at what is there.

pub mod audit_log;
pub mod cgroup;
pub mod clock;
pub mod connect;
pub mod docker;
pub mod generations;
pub mod green;
pub mod hold;
pub mod inventory;
pub mod journal;
pub mod limits;
pub mod lock;
pub mod project;
pub mod usage;
pub mod world;
