//! Requests that reach a service from outside.

use crate::units::Rate;
use crate::units::Span;
use std::sync::Arc;

/// The load on one service: a rate over time, and how requests scatter around it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Load {
    /// The rate over time.
    pub pattern: Pattern,
    /// How arrivals scatter around the rate.
    pub noise: Noise,
}

/// How arrivals scatter around the rate. Latency always assumes that requests come independently of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Noise {
    /// Each second gets exactly its share, fractions carried over.
    None,
    /// Each second gets a Poisson count.
    Poisson,
}

/// A rate over time. Times count from the start of the run, which is midnight of a Monday.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Pattern {
    /// Always the same.
    Constant {
        /// The rate.
        rate: Rate,
    },
    /// A straight line, level before and after it.
    Ramp {
        /// Rate up to `start`.
        from: Rate,
        /// Rate from `start + over` on.
        to: Rate,
        /// When the line begins.
        start: Span,
        /// How long it takes.
        over: Span,
    },
    /// Levels: each holds from its time to the next. Before the first the rate is zero. In order of time.
    Steps(Vec<(Span, Rate)>),
    /// Corners joined by straight lines, level before the first and after the last. In order of time.
    Points(Vec<(Span, Rate)>),
    /// A cosine over the day.
    Diurnal {
        /// Rate twelve hours from the peak.
        low: Rate,
        /// Rate at the peak.
        high: Rate,
        /// Time of day of the peak.
        peak_at: Span,
    },
    /// A diurnal curve whose height depends on the day of the week.
    Weekly {
        /// Rate twelve hours from the peak.
        low: Rate,
        /// Rate at the peak of a working day.
        high: Rate,
        /// Rate at the peak of Saturday and Sunday.
        weekend: Rate,
        /// Time of day of the peak.
        peak_at: Span,
    },
    /// A steady rate with one crowd on top: up in a line, level, down in a line.
    FlashCrowd {
        /// Rate without the crowd.
        base: Rate,
        /// Rate with it.
        peak: Rate,
        /// When it starts to come.
        at: Span,
        /// How long it comes.
        rise: Span,
        /// How long it stays.
        hold: Span,
        /// How long it leaves.
        fall: Span,
    },
    /// Two rates in turn, each for an exponentially distributed time drawn from the seed.
    Bursty {
        /// Rate between bursts.
        low: Rate,
        /// Rate in a burst.
        high: Rate,
        /// Mean time between bursts.
        quiet: Span,
        /// Mean length of a burst.
        burst: Span,
    },
    /// People or programs who send a request, wait for its answer, think, and send the next (a closed loop).
    Clients {
        /// How many there are: each number holds from its time to the next. Before the first there are none. In order of
        /// time.
        clients: Vec<(Span, u32)>,
        /// Mean time from an answer to the next request; exponential.
        think: Span,
    },
    /// Measured rates: each holds from its time to the next; `None` is an outage of the load, with no requests.
    Trace(Arc<[(Span, Option<Rate>)]>),
}
