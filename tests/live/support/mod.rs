//! What tests against a real engine stand on: the engine itself, images made from programs of this machine, Compose
//! projects that leave nothing behind, and load that notices each lost request.
//!
//! All of this asks for Linux: containers are reached by their own addresses, and images are made of this machine's
//! libraries.

pub(crate) mod engine;
pub(crate) mod image;
pub(crate) mod load;
pub(crate) mod project;
pub(crate) mod proxy;
