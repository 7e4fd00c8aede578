//! The simulated host: whole runs against theory, against timelines worked out by hand, and against each other.

mod allocations;
mod faults;
mod latency;
mod laws;
mod life;
mod overload;
mod sensors;
mod simulation;
