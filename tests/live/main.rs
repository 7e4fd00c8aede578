//! Against a real Docker engine. Where none answers, these tests say so and do nothing; with `CI=true` that is a failure.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "figures are shown with --nocapture")]

mod conformance;
mod connect;
mod deploy;
mod killed;
mod program;
mod support;
mod tools;
