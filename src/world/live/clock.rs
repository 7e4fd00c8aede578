//! The clock of a live host: nanoseconds since 1970, which never run backwards while the program runs.

use crate::units::Instant;
use crate::units::Span;
use std::time::Duration;
use std::time::SystemTime;

/// The wall clock as it was once, and the time that has passed since then whatever anybody does to the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
    since: std::time::Instant,
}

impl Clock {
    /// A clock that goes on from what the machine's clock says now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a live host has a real time; whoever decides is told it")]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::after_start(span(wall)), since: std::time::Instant::now() }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.began.plus(span(self.since.elapsed()))
    }

    /// Waits until then; not at all where that is over.
    pub async fn until(&self, then: Instant) {
        tokio::time::sleep(Duration::from_nanos(then.since(self.now()).nanos())).await;
    }
}

fn span(time: Duration) -> Span {
    Span::from_nanos(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
