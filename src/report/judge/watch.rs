//! One expectation watched through one run.

use super::outcome::Failure;
use super::outcome::Held;
use super::outcome::Judged;
use super::part;
use super::part::Part;
use super::part::Who;
use super::scene::Scene;
use super::tally::Grain;
use super::tally::Tally;
use super::tally::Value;
use super::turns::Acted;
use crate::model::Aggregate;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Metric;
use crate::model::Range;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::Windows;
use crate::report::figure::Figure;
use crate::report::figure::Unit;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// One expectation, watched.
#[derive(Debug)]
pub(super) struct Watch {
    expectation: Expectation,
    who: Option<Who>,
    from: Instant,
    to: Option<Instant>,
    tally: Tally,
    alone: Tally,
    mode: Mode,
    worst: Option<Figure>,
    first: Option<Failure>,
    last_scene: Option<(Instant, Instant, Scene)>,
    unlimited: bool,
}

/// What is judged at once.
#[derive(Debug)]
enum Mode {
    /// The whole range.
    Whole,
    /// Every stretch of this length.
    Sliding { length: Span, parts: VecDeque<(Instant, Part<'static>)> },
    /// Consecutive windows.
    Windows { windows: Windows, begin: Instant, held: Held, values: BTreeMap<u64, u64> },
}

impl Watch {
    pub(super) fn new(expectation: &Expectation, scenario: &Scenario) -> Self {
        let start = Instant::after_start(scenario.warmup);
        let (from, to) = match expectation.measure.range {
            Range::Whole | Range::Every(_) => (start, None),
            Range::Between(from, to) => (from.max(start), Some(to)),
        };
        let mode = match (expectation.windows, expectation.measure.range) {
            (Some(windows), _) => {
                let held = Held { held: 0, judged: 0, empty: 0 };
                Mode::Windows { windows, begin: from, held, values: BTreeMap::new() }
            }
            (None, Range::Every(length)) => Mode::Sliding { length, parts: VecDeque::new() },
            (None, Range::Whole | Range::Between(..)) => Mode::Whole,
        };
        let grain = if matches!(mode, Mode::Sliding { .. }) { Grain::Exact } else { Grain::Fine };
        Self {
            expectation: expectation.clone(),
            who: Who::of(&expectation.measure.subject, scenario),
            from,
            to,
            tally: Tally::new(grain),
            alone: Tally::new(Grain::Fine),
            mode,
            worst: None,
            first: None,
            last_scene: None,
            unlimited: false,
        }
    }

    pub(super) fn take(&mut self, scenario: &Scenario, sample: &Sample, acted: &Acted) {
        let Some(who) = self.who.filter(|_| self.is_in_range(sample)) else { return };
        let begin = sample.at.minus(sample.span);
        let part = part::part(&self.expectation, who, scenario, sample, acted);
        self.unlimited |= part.level.is_none() && part::is_of_limit(&self.expectation);
        let broken = match &mut self.mode {
            Mode::Whole => {
                self.tally.add(&part);
                self.broken_alone(&part).map(|figure| (begin, figure))
            }
            Mode::Sliding { length, parts } => {
                let length = *length;
                self.tally.add(&part);
                let owned = Part { latency: std::borrow::Cow::Owned(part.latency.into_owned()), ..part };
                parts.push_back((begin, owned));
                // The fewest samples that cover the length, where it is no multiple of a sample.
                while parts.front().is_some_and(|(_, oldest)| {
                    self.tally.nanos() - u128::from(oldest.nanos) >= u128::from(length.nanos())
                }) {
                    if let Some((_, gone)) = parts.pop_front() {
                        self.tally.remove(&gone);
                    }
                }
                let since = parts.front().map_or(begin, |(since, _)| *since);
                let full = self.tally.nanos() >= u128::from(length.nanos());
                self.window_value(full).filter(|figure| !self.holds(*figure)).map(|figure| (since, figure))
            }
            Mode::Windows { windows, begin: window, .. } => {
                let (length, window_begin) = (windows.length, *window);
                self.tally.add(&part);
                let end = window_begin.plus(length);
                if sample.at >= end {
                    // A sample longer than the window closes several at once; they are judged as one.
                    let whole = sample.at.since(window_begin).fit(length);
                    self.close_window(window_begin, window_begin.plus(length.times(whole)))
                } else {
                    None
                }
            }
        };
        if let Some((since, figure)) = broken
            && self.first.is_none()
        {
            let scene = Scene::of(scenario, sample, who);
            self.first = Some(Failure { from: since, to: sample.at, measured: Some(figure), scene });
        }
        if self.first.is_none() {
            self.last_scene = Some((begin, sample.at, Scene::of(scenario, sample, who)));
        }
    }

    /// Whether this sample lies in the range.
    pub(super) fn is_in_range(&self, sample: &Sample) -> bool {
        sample.at.minus(sample.span) >= self.from && self.to.is_none_or(|to| sample.at <= to)
    }

    /// Whether this sample on its own breaks the bound of a latency or of errors; `None` where it is outside of the range or
    /// says nothing.
    pub(super) fn is_broken_in(&mut self, scenario: &Scenario, sample: &Sample) -> Option<bool> {
        let who = self.who.filter(|_| self.is_in_range(sample))?;
        self.alone.clear();
        self.alone.add(&part::part(&self.expectation, who, scenario, sample, &Acted::default()));
        let measure = &self.expectation.measure;
        let value = self.alone.value(measure.aggregate, measure.metric)?;
        Some(!self.holds(self.figure(value)))
    }

    /// Counts actions after the last sample.
    pub(super) fn take_last(&mut self, at: Instant, acted: &Acted) {
        let Some(who) = self.who else { return };
        let events = match self.expectation.measure.metric {
            Metric::Actions => acted.actions(who) * 1000,
            Metric::Reversals => acted.reversals(who) * 1000,
            Metric::Deployments => acted.deployments(who) * 1000,
            Metric::Rollbacks => acted.rollbacks(who) * 1000,
            _ => return,
        };
        if at >= self.from && self.to.is_none_or(|to| at <= to) {
            let latency = std::borrow::Cow::Owned(crate::model::Latencies::new());
            self.tally.add(&Part { nanos: 0, level: None, events, whole: 0, latency, wanted: 0 });
            if matches!(self.mode, Mode::Sliding { .. }) {
                self.window_value(true);
            }
        }
    }

    pub(super) fn finish(mut self, scenario: &Scenario, end: Instant) -> Judged {
        let (measured, held, problem) = self.measure(scenario);
        let passed = match (measured, held, &self.mode) {
            (_, _, _) if problem.is_some() => false,
            (_, Some(held), Mode::Windows { windows, .. }) => {
                u128::from(held.held) * 1000 >= u128::from(held.judged) * u128::from(windows.share.get())
            }
            (Some(measured), _, _) => self.holds(measured),
            (None, _, _) => false,
        };
        let first_failure = if passed { None } else { self.first.take().or_else(|| self.at_the_end(end, measured)) };
        Judged {
            name: self.expectation.name.clone(),
            text: self.expectation.text.clone(),
            measured,
            bound: Some(self.bound()),
            comparison: self.expectation.comparison,
            passed,
            held,
            problem,
            first_failure: first_failure.filter(|_| measured.is_some()),
        }
    }

    /// The measured value, in how many windows it held, and why it could not be measured.
    fn measure(&self, scenario: &Scenario) -> (Option<Figure>, Option<Held>, Option<String>) {
        let problem = |text: String| (None, None, Some(text));
        if self.who.is_none() {
            return problem("the scenario has no such service".to_owned());
        }
        if self.expectation.measure.metric == Metric::Cost {
            return match &scenario.host.price {
                None => problem(format!("the price of `{}` is not known", scenario.host.name)),
                Some(price) => {
                    let figure = Figure::new(price.month.get() as f64 / 1e6, Unit::Money(price.month.currency()));
                    if figure.unit == self.bound().unit {
                        (Some(figure), None, None)
                    } else {
                        problem(format!("the host's price is {}, in another currency", price.month))
                    }
                }
            };
        }
        if self.unlimited {
            return problem("no limit is in force to compare with".to_owned());
        }
        match &self.mode {
            Mode::Whole => match self.value() {
                Some(figure) => (Some(figure), None, None),
                None => problem("no samples".to_owned()),
            },
            Mode::Sliding { length, .. } => match self.worst {
                Some(figure) => (Some(figure), None, None),
                None => problem(format!("no samples over {length}")),
            },
            Mode::Windows { windows, held, values, .. } => {
                if held.judged == 0 {
                    return problem(format!("no samples in any window of {}", windows.length));
                }
                let wanted = u128::from(held.judged) * u128::from(windows.share.get());
                let figure = self.kept(values, wanted);
                (Some(Figure::new(figure, self.bound().unit)), Some(*held), None)
            }
        }
    }

    /// The value that so many thousandths of the windows keep: the worst of the best so many.
    fn kept(&self, values: &BTreeMap<u64, u64>, wanted: u128) -> f64 {
        let mut below = 0;
        let reach = |(bits, count): (&u64, &u64), below: &mut u128| {
            *below += u128::from(*count) * 1000;
            (*below >= wanted).then(|| f64::from_bits(*bits))
        };
        let found = match self.expectation.comparison {
            Comparison::More | Comparison::AtLeast => values.iter().rev().find_map(|slot| reach(slot, &mut below)),
            Comparison::Less | Comparison::AtMost | Comparison::Equal => {
                values.iter().find_map(|slot| reach(slot, &mut below))
            }
        };
        found.unwrap_or(f64::INFINITY)
    }

    /// Where nothing failed on its own, the range as a whole did, at its end.
    fn at_the_end(&mut self, end: Instant, measured: Option<Figure>) -> Option<Failure> {
        let (_, _, scene) = self.last_scene.take()?;
        Some(Failure { from: self.from, to: self.to.unwrap_or(end).min(end), measured, scene })
    }

    /// Judges the window that ends here; says what was measured where it is broken.
    fn close_window(&mut self, begin: Instant, end: Instant) -> Option<(Instant, Figure)> {
        let value = self.value();
        let good = value.is_some_and(|figure| self.holds(figure));
        self.tally.clear();
        let Mode::Windows { begin: next, held, values, .. } = &mut self.mode else { return None };
        *next = end;
        let Some(figure) = value else {
            held.empty += 1;
            return None;
        };
        held.judged += 1;
        held.held += u64::from(good);
        // The bits of numbers that are not negative are in the order of the numbers; those kept tell them apart to 10⁻⁶.
        let slot = figure.value.to_bits() >> 32 << 32;
        *values.entry(slot).or_default() += 1;
        if good { None } else { Some((begin, figure)) }
    }

    /// The value of the sliding window, noting the worst.
    fn window_value(&mut self, full: bool) -> Option<Figure> {
        let figure = if full { self.value() } else { None }?;
        if self.worst.is_none_or(|worst| self.badness(figure) > self.badness(worst)) {
            self.worst = Some(figure);
        }
        Some(figure)
    }

    /// Whether the range is broken from this sample on, or this sample alone breaks it.
    fn broken_alone(&mut self, part: &Part<'_>) -> Option<Figure> {
        if self.first.is_some() {
            return None;
        }
        let measure = &self.expectation.measure;
        let figure = if measure.aggregate == Aggregate::Count {
            if matches!(self.expectation.comparison, Comparison::More | Comparison::AtLeast) {
                return None;
            }
            let figure = self.value()?;
            let bound = self.bound();
            return (figure.value > bound.value && !self.holds(figure)).then_some(figure);
        } else {
            self.alone.clear();
            self.alone.add(part);
            self.figure(self.alone.value(measure.aggregate, measure.metric)?)
        };
        (!self.holds(figure)).then_some(figure)
    }

    /// What the tally comes to.
    fn value(&self) -> Option<Figure> {
        let measure = &self.expectation.measure;
        let windowed = matches!(self.mode, Mode::Sliding { .. });
        let extreme = matches!(measure.aggregate, Aggregate::Max | Aggregate::Min | Aggregate::Mean);
        let aggregate = if windowed && extreme && part::is_event(measure.metric) {
            self.event_aggregate()
        } else {
            measure.aggregate
        };
        self.tally.value(aggregate, measure.metric).map(|value| self.figure(value))
    }

    /// Over a window, events are counted, or told per second where the bound is a rate.
    fn event_aggregate(&self) -> Aggregate {
        if self.bound().unit == Unit::PerSecond { Aggregate::Rate } else { Aggregate::Count }
    }

    fn figure(&self, value: Value) -> Figure {
        let of_limit = part::is_of_limit(&self.expectation);
        let metric = self.expectation.measure.metric;
        match value {
            Value::Nanos(nanos) => Figure::nanos(nanos),
            Value::Unanswered => Figure::new(f64::INFINITY, Unit::Millis),
            Value::Events(count) => Figure::count(count),
            Value::PerSecond(rate) => Figure::new(rate, Unit::PerSecond),
            Value::Share(share) => Figure::share(share),
            Value::Level(level) => {
                let unit = if of_limit { Unit::Share } else { Unit::of(metric) };
                let unit = if self.bound().unit == Unit::PerSecond { Unit::PerSecond } else { unit };
                Figure::new(level / part::scale(metric, of_limit), unit)
            }
        }
    }

    fn bound(&self) -> Figure {
        match self.expectation.bound {
            Bound::Value(quantity) => Figure::of(quantity),
            Bound::OfLimit(share) => Figure::share(share.as_fraction()),
        }
    }

    fn holds(&self, figure: Figure) -> bool {
        let bound = self.bound().value;
        if !figure.value.is_finite() {
            return false;
        }
        match self.expectation.comparison {
            Comparison::Less => figure.value < bound,
            Comparison::AtMost => figure.value <= bound,
            Comparison::More => figure.value > bound,
            Comparison::AtLeast => figure.value >= bound,
            Comparison::Equal => figure.value == bound,
        }
    }

    /// The larger, the worse.
    fn badness(&self, figure: Figure) -> f64 {
        match self.expectation.comparison {
            Comparison::Less | Comparison::AtMost => figure.value,
            Comparison::More | Comparison::AtLeast => -figure.value,
            Comparison::Equal => (figure.value - self.bound().value).abs(),
        }
    }
}
