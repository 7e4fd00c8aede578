//! Compose files, variables in them included.
#![no_main]

#[path = "../attack.rs"]
mod attack;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attack::attack("compose", bytes));
