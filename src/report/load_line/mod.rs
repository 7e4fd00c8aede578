//! The load line of a host: the largest multiple of the expected load at which all holds that a scenario expects, what breaks
//! beyond it and what it breaks on; as text, Markdown, CSV, JSON, HTML, a picture and a badge. `docs/capacity.md` has the terms.

mod badge;
mod html;
mod json;
mod markdown;
mod strain;
mod table;
mod text;
mod words;
mod write;

pub use badge::badge;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use strain::Part;
pub use strain::Strain;
pub use table::csv;
pub use text::text;
pub use write::write;

use super::accuracy::Accuracy;
use super::judge::Judged;
use crate::model::Scenario;
use crate::seed::Seed;
use crate::units::Permille;
use std::sync::Arc;

/// What was asked, and what came of it on each host.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The scenario as it was loaded, on its own host.
    pub scenario: Arc<Scenario>,
    /// The scenario as the user named it.
    pub path: String,
    /// The command that shows it again.
    pub command: String,
    /// In at least this share of the seeds everything holds at the load line.
    pub probability: Permille,
    /// Two multiples that are tried are so far apart.
    pub exact: Permille,
    /// The seeds.
    pub seeds: Vec<Seed>,
    /// Expectations that say nothing about a load, and were left out, by name.
    pub left_out: Vec<String>,
    /// One a host, in the order in which they were asked for.
    pub lines: Vec<LoadLine>,
}

/// The load line of one host.
#[derive(Debug, Clone)]
pub struct LoadLine {
    /// The scenario on this host.
    pub scenario: Arc<Scenario>,
    /// The load line, or why there is none.
    pub end: End,
    /// The highest multiple at which all holds in each seed, in the order of the seeds; `None` where nothing holds at any.
    pub by_seed: Vec<Option<Permille>>,
    /// How full each part is at the expected load, the fullest first, on the mean of the seeds that were run there.
    pub expected: Vec<(Part, f64)>,
    /// Everything holds at the expected load, in as many seeds as asked for.
    pub holds_expected: bool,
    /// Share of the requests from outside that fail at the line, with the seed that decides; zero where there is no line.
    pub failing: Permille,
    /// What breaks first beyond the line; `None` where nothing does.
    pub breaks: Option<Breaks>,
    /// Margins by multiple; empty where they were not asked for.
    pub curve: Vec<CurvePoint>,
    /// Runs that it took.
    pub runs: u64,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// At a line.
    Line(Line),
    /// All holds at the largest multiple that is tried.
    Above(Permille),
    /// Not even the smallest multiple that is tried holds.
    Below(Permille),
}

/// A load line with what is known about how exact it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// The largest multiple at which all holds, in as many of the seeds as asked for.
    pub multiple: Permille,
    /// Where it is for other seeds like these, with a confidence of 95 %: `None` with a single seed.
    pub seeds: Option<(Permille, Permille)>,
    /// Where it is if response times are off as far as they are in nine of ten cases; the multiple itself twice where no
    /// response time decides.
    pub model: (Permille, Permille),
    /// Both together.
    pub interval: (Permille, Permille),
    /// How far the model is off at this load.
    pub accuracy: Accuracy,
    /// How full the fullest part is that anybody waits for.
    pub fullest: f64,
    /// A response time decides where the line is.
    pub is_by_latency: bool,
}

/// What breaks beyond the line.
#[derive(Debug, Clone)]
pub struct Breaks {
    /// At this multiple, the next one that was tried,
    pub multiple: Permille,
    /// with this seed, which is the one that decides where the line is.
    pub seed: Seed,
    /// The expectations that fail there, the one that fails by most first.
    pub failed: Vec<Judged>,
    /// How full each part is there, the fullest first.
    pub parts: Vec<(Part, f64)>,
    /// What it breaks on: with ample of these all holds there. Empty where no part's room mends it.
    pub bottleneck: Vec<Part>,
    /// Where the line is with ample of the bottleneck, and what it breaks on there.
    pub next: Option<Next>,
}

/// The line with ample of the bottleneck, with the seed that decides.
#[derive(Debug, Clone)]
pub struct Next {
    /// The largest multiple at which all holds; the largest that is tried where all does.
    pub multiple: Permille,
    /// Even the largest that is tried holds.
    pub is_above: bool,
    /// Expectations that fail beyond it, by name, the one that fails by most first.
    pub failed: Vec<String>,
    /// The parts of which none is at least nearly full there, the fullest first.
    pub parts: Vec<(Part, f64)>,
}

/// The margins at one multiple.
#[derive(Debug, Clone)]
pub struct CurvePoint {
    /// The multiple.
    pub multiple: Permille,
    /// For each expectation, in the order of the scenario: the room that is left as a share of the bound, the least over the
    /// seeds, below zero where it fails; `None` where a bound of zero has no share.
    pub margins: Vec<Option<f64>>,
    /// For each expectation, the share of the seeds in which it holds.
    pub held: Vec<Permille>,
}

impl LoadLine {
    /// The multiple of the line itself; the largest tried where all holds, and zero where nothing does.
    #[must_use]
    pub const fn multiple(&self) -> Permille {
        match self.end {
            End::Line(line) => line.multiple,
            End::Above(most) => most,
            End::Below(_) => Permille::ZERO,
        }
    }

    /// Where the line lies if other seeds and how far response times are off are taken in; `None` where there is no line.
    #[must_use]
    pub const fn interval(&self) -> Option<(Permille, Permille)> {
        match self.end {
            End::Line(line) => Some(line.interval),
            End::Above(_) | End::Below(_) => None,
        }
    }
}

/// A multiple as people read it: `2.4×`, with three digits at most.
#[must_use]
pub fn multiple(multiple: Permille) -> String {
    format!("{}×", super::figure::rounded(multiple.as_fraction(), 3))
}
