//! Loads: patterns with their figures checked, traces read.

use super::codes;
use super::wire::ClientsFile;
use super::wire::Corner;
use super::wire::LoadFile;
use super::wire::NoiseFile;
use super::wire::PatternFile;
use super::wire::ScaleFile;
use super::wire::TraceFile;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::schema;
use crate::input::trace;
use crate::input::trace::Reading;
use crate::input::trace::Trace;
use crate::input::trace::Unit;
use crate::input::yaml::Node;
use crate::model::Load;
use crate::model::Noise;
use crate::model::Pattern;
use crate::units::Rate;
use crate::units::Span;
use crate::units::whole;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::path::PathBuf;

/// Reads loads; a trace file that several loads use is read once.
pub(super) struct Traffic<'a> {
    /// Paths of traces are relative to this folder.
    pub(super) folder: &'a Path,
    /// Length of the run.
    pub(super) duration: Span,
    /// Traces read so far; `None` where a trace is wrong and was reported.
    pub(super) traces: BTreeMap<PathBuf, Option<Trace>>,
}

impl Traffic<'_> {
    /// The load of one service; `node` is where it stands.
    pub(super) fn load(&mut self, file: &LoadFile, node: &Node, problems: &mut Problems) -> Option<Load> {
        match file {
            LoadFile::Rate(rate) => Some(Load { pattern: Pattern::Constant { rate: rate.0 }, noise: Noise::Poisson }),
            LoadFile::Pattern(pattern) => Some(self.pattern(pattern, node, problems)),
            LoadFile::Trace(file) => self.trace(file, node, problems),
        }
    }

    fn pattern(&self, file: &PatternFile, node: &Node, problems: &mut Problems) -> Load {
        let (pattern, noise) = match file {
            // Who waits for an answer does not scatter as strangers do.
            PatternFile::Clients { clients, think } => {
                let clients = match clients {
                    ClientsFile::Number(number) => vec![(Span::ZERO, *number)],
                    ClientsFile::Steps(steps) => {
                        in_order(steps.iter().map(|step| step.0.0), "clients", node, problems);
                        steps.iter().map(|(time, number)| (time.0, number.0)).collect()
                    }
                };
                (Pattern::Clients { clients, think: think.map_or(Span::ZERO, |think| think.0) }, &NoiseFile::None)
            }
            PatternFile::Constant { rate, noise } => (Pattern::Constant { rate: rate.0 }, noise),
            PatternFile::Ramp { from, to, start, over, noise } => {
                let start = start.map_or(Span::ZERO, |start| start.0);
                let over = over.map_or(self.duration.minus(start), |over| over.0);
                (Pattern::Ramp { from: from.0, to: to.0, start, over }, noise)
            }
            PatternFile::Steps { rate, noise } => (Pattern::Steps(corners(rate, node, problems)), noise),
            PatternFile::Points { rate, noise } => (Pattern::Points(corners(rate, node, problems)), noise),
            PatternFile::Diurnal { low, high, peak_at, noise } => {
                not_above(low.0, high.0, "low", "high", node, problems);
                (Pattern::Diurnal { low: low.0, high: high.0, peak_at: peak_at.0 }, noise)
            }
            PatternFile::Weekly { low, high, weekend, peak_at, noise } => {
                not_above(low.0, high.0, "low", "high", node, problems);
                not_above(low.0, weekend.0, "low", "weekend", node, problems);
                (Pattern::Weekly { low: low.0, high: high.0, weekend: weekend.0, peak_at: peak_at.0 }, noise)
            }
            PatternFile::FlashCrowd { base, peak, at, rise, hold, fall, noise } => {
                not_above(base.0, peak.0, "base", "peak", node, problems);
                let (at, rise, hold, fall) = (at.0, rise.0, hold.0, fall.0);
                if at >= self.duration {
                    let message = format!("the crowd comes at {at}, after the end of the run at {}", self.duration);
                    problems.push(Problem::error(&codes::LOAD, message).at(&schema::place_of(node, "/at")));
                }
                (Pattern::FlashCrowd { base: base.0, peak: peak.0, at, rise, hold, fall }, noise)
            }
            PatternFile::Bursty { low, high, quiet, burst, noise } => {
                not_above(low.0, high.0, "low", "high", node, problems);
                for (key, span) in [("quiet", quiet.0), ("burst", burst.0)] {
                    if span == Span::ZERO {
                        let problem = Problem::error(&codes::LOAD, format!("`{key}` is zero"));
                        problems.push(problem.at(&schema::place_of(node, &format!("/{key}"))));
                    }
                }
                (Pattern::Bursty { low: low.0, high: high.0, quiet: quiet.0, burst: burst.0 }, noise)
            }
        };
        Load { pattern, noise: noise_of(*noise) }
    }

    /// The load of a trace; `node` is where it stands.
    pub(super) fn trace(&mut self, file: &TraceFile, node: &Node, problems: &mut Problems) -> Option<Load> {
        let path = self.folder.join(&file.trace);
        if !self.traces.contains_key(&path) {
            let read = Source::read(&path).map_err(|problem| {
                Problems::from(if problem.place.is_none() {
                    problem.at(&schema::place_of(node, "/trace"))
                } else {
                    problem
                })
            });
            let trace = match read.and_then(|source| trace::parse(&source)) {
                Ok(trace) => Some(trace),
                Err(wrong) => {
                    problems.extend(wrong);
                    None
                }
            };
            self.traces.insert(path.clone(), trace);
        }
        let trace = self.traces.get(&path)?.as_ref()?;
        let per = file.per.map(|per| per.0);
        if per == Some(Span::ZERO) {
            problems.push(Problem::error(&codes::LOAD, "`per` is zero").at(&schema::place_of(node, "/per")));
            return None;
        }
        let unit = match (file.count, per) {
            (Some(_), per) => Unit::Rows(per.unwrap_or(Span::from_secs(10))),
            (None, Some(per)) => Unit::Per(per),
            (None, None) => Unit::EachStep,
        };
        let scale = match file.scale {
            None => 1_000_000,
            Some(ScaleFile::Number(factor)) => whole(factor * 1e6),
            Some(ScaleFile::Percent(share)) => share.0.get().saturating_mul(1000),
        };
        if let Some((name, value)) = file.only.iter().find(|(_, value)| **value < 0.0) {
            let problem =
                Problem::error(&codes::LOAD, format!("no trace holds a negative value such as `{name}: {value}`"));
            problems.push(problem.at(&schema::place_of(node, "/where")));
            return None;
        }
        let reading = Reading {
            column: file.column.as_deref(),
            only: file.only.iter().map(|(name, value)| (name.clone(), whole(*value * 1e6))).collect(),
            unit,
            scale,
            from: file.from.map_or(Span::ZERO, |from| from.0),
            speed: file.speed.unwrap_or(1),
            repeat: file.repeat,
            duration: self.duration,
        };
        let key = if file.column.is_some() { "/column" } else { "/trace" };
        match trace.load(&reading, Some(&schema::place_of(node, key))) {
            Ok((points, warnings)) => {
                problems.extend(warnings);
                Some(Load { pattern: Pattern::Trace(points.into()), noise: noise_of(file.noise) })
            }
            Err(wrong) => {
                problems.extend(wrong);
                None
            }
        }
    }
}

fn noise_of(noise: NoiseFile) -> Noise {
    match noise {
        NoiseFile::Poisson => Noise::Poisson,
        NoiseFile::None => Noise::None,
    }
}

/// Reports a low figure that is above the high one.
pub(super) fn not_above<T: PartialOrd + Display>(
    low: T,
    high: T,
    low_key: &str,
    high_key: &str,
    node: &Node,
    problems: &mut Problems,
) {
    if low > high {
        let message = format!("`{low_key}` {low} is above `{high_key}` {high}");
        problems.push(Problem::error(&codes::LOAD, message).at(&schema::place_of(node, &format!("/{low_key}"))));
    }
}

fn corners(corners: &[Corner], node: &Node, problems: &mut Problems) -> Vec<(Span, Rate)> {
    in_order(corners.iter().map(|corner| corner.0.0), "rate", node, problems);
    corners.iter().map(|(time, rate)| (time.0, rate.0)).collect()
}

/// Reports times of the list at `key` that do not come after those before them.
pub(super) fn in_order(times: impl Iterator<Item = Span>, key: &str, node: &Node, problems: &mut Problems) {
    let mut before: Option<Span> = None;
    for (index, time) in times.enumerate() {
        if let Some(before) = before.filter(|before| time <= *before) {
            let place = schema::place_of(node, &format!("/{key}/{index}/0"));
            let message = format!("{time} does not come after {before}");
            problems.push(Problem::error(&codes::LOAD, message).at(&place).help("corners come in order of time"));
        }
        before = Some(time);
    }
}
