//! The one clock of the command line: how long work took. No result depends on it.

use std::time::Duration;
use std::time::Instant;

/// Runs the work and says how long it took.
#[expect(clippy::disallowed_methods, reason = "wall time is shown to the user and goes into no result")]
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// A duration as a person reads it: `0.84 s`, `12.3 s`, `4 min 07 s`.
#[must_use]
pub(super) fn shown(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    match took.as_secs() {
        0..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}
