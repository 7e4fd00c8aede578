//! How far the step model is off. First the oracle of whole hosts is proved against closed forms (`proof_*`), then the
//! step model is held against it over random services, hosts and call graphs (`study`).
//!
//! `PLIMSOLL_ACCURACY=write cargo test --release --test accuracy` compares many of each, which takes minutes, and writes
//! `docs/accuracy.md` with its pictures. Without the variable a few of each are compared in seconds.

mod balance;
mod balance_gates;
mod bounds;
mod canvas;
mod draws;
mod draws_between;
#[path = "../facts/mod.rs"]
mod facts;
mod line;
mod measure;
mod page;
mod pictures;
mod pins;
mod pools;
mod proof_calls;
mod proof_hosts;
mod proof_laws;
mod proof_queues;
#[path = "../sim_host/simulation.rs"]
mod simulation;
mod stacks;
mod study;
