//! What an interrupt does: it ends the process at once, or, where a command has something to say or to keep, asks it to end.

use super::exit::Exit;
use super::exit::Failure;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Whether the next interrupt ends the process.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// From now on an interrupt ends the process with its own exit code.
///
/// # Errors
///
/// Where the system does not let us watch.
pub(super) fn watch() -> Result<(), Failure> {
    let code = i32::from(Exit::Interrupted.code());
    watched(flag::register_conditional_shutdown(SIGINT, code, Arc::clone(&AT_ONCE)))
}

/// From now on the first interrupt only sets the flag that is returned; the second one ends the process.
///
/// # Errors
///
/// Where the system does not let us watch.
pub(super) fn asked() -> Result<Arc<AtomicBool>, Failure> {
    let asked = Arc::new(AtomicBool::new(false));
    AT_ONCE.store(false, Ordering::SeqCst);
    watched(flag::register(SIGINT, Arc::clone(&asked)))?;
    // Registered behind the shutdown, so that it counts for the next interrupt.
    watched(flag::register(SIGINT, Arc::clone(&AT_ONCE)))?;
    Ok(asked)
}

/// From now on an interrupt ends the process again.
pub(super) fn at_once() {
    AT_ONCE.store(true, Ordering::SeqCst);
}

fn watched<T>(result: std::io::Result<T>) -> Result<(), Failure> {
    result.map(|_| ()).map_err(|error| Failure::Environment(format!("cannot watch for interrupts: {error}")))
}
