//! The simulated host: whole runs against theory, against timelines worked out by hand, and against each other.

mod allocations;
mod balance;
mod deployments;
mod disk;
mod faults;
mod graph;
mod heat;
mod latency;
mod laws;
mod life;
mod line;
mod loops;
mod memory;
mod network;
mod overload;
mod pins;
mod pools;
mod relations;
mod sensors;
mod simulation;
mod steal;
mod strain;
mod trouble;
mod updates;
