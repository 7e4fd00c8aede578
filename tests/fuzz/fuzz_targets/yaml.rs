//! YAML as all our formats read it.
#![no_main]

#[path = "../attack.rs"]
mod attack;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attack::attack("yaml", bytes));
