//! Parts of an expression to the nouns of the model: every name looked up, every unit checked. All that is wrong comes at once.

use super::Known;
use super::Scalar;
use super::codes;
use super::parser::Argument;
use super::parser::Part;
use super::parser::Raw;
use super::quantity;
use super::vocabulary;
use super::vocabulary::Function;
use super::vocabulary::Kind;
use super::vocabulary::METRICS;
use super::vocabulary::Owner;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::model::Aggregate;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Measure;
use crate::model::Metric;
use crate::model::Quantity;
use crate::model::Range;
use crate::model::ServiceName;
use crate::model::Subject;
use crate::model::Windows;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// Looks up everything that the parts name.
pub(super) fn resolve(name: &str, scalar: &Scalar<'_>, raw: &Raw, known: &Known<'_>) -> Result<Expectation, Problems> {
    let mut resolver = Resolver { scalar, known, problems: Problems::new() };
    let measure = resolver.measure(raw);
    let windows = raw.windows.as_ref().and_then(|(share, length)| resolver.windows(share, length));
    let seeds = raw.seeds.as_ref().map_or(Some(Permille::ONE), |share| resolver.share(share));
    let bound = measure.as_ref().and_then(|measure| resolver.bound(raw, measure));
    if let (Some(Range::Every(_)), Some((_, length))) = (measure.as_ref().map(|measure| measure.range), &raw.windows) {
        let problem =
            Problem::error(&codes::RANGE, "a stretch inside the brackets and `for ... of ...` exclude each other");
        resolver.report(problem.help("keep one of the two"), length.span.clone());
    }
    match (measure, bound, seeds) {
        (Some(measure), Some(bound), Some(seeds)) if resolver.problems.is_empty() => Ok(Expectation {
            name: name.to_owned(),
            text: scalar.text.to_owned(),
            measure,
            comparison: raw.comparison,
            bound,
            windows,
            seeds,
            baseline: None,
        }),
        _ => Err(resolver.problems),
    }
}

/// Looks up everything that the parts name but the comparison, in whose place stands one with zero.
pub(super) fn measure(name: &str, scalar: &Scalar<'_>, raw: &Raw, known: &Known<'_>) -> Result<Expectation, Problems> {
    let mut resolver = Resolver { scalar, known, problems: Problems::new() };
    let measure = resolver.measure(raw).filter(|_| resolver.problems.is_empty());
    let Some(measure) = measure else { return Err(resolver.problems) };
    let accepted = vocabulary::accepted(measure.aggregate, measure.metric, measure.range);
    let zero = accepted.iter().find_map(|kind| quantity::read(*kind, kind.zero()));
    Ok(Expectation {
        name: name.to_owned(),
        text: scalar.text.to_owned(),
        comparison: if measure.aggregate == Aggregate::Min { Comparison::AtLeast } else { Comparison::AtMost },
        measure,
        bound: Bound::Value(zero.unwrap_or(Quantity::Number(0))),
        windows: None,
        seeds: Permille::ONE,
        baseline: None,
    })
}

/// What is wrong with a figure that fits none of the kinds.
pub(super) fn misfit(text: &str, accepted: &[Kind]) -> Problem {
    let wanted: Vec<&str> = accepted.iter().map(|kind| kind.title()).collect();
    let wanted = wanted.join(" or ");
    if text.starts_with('-') {
        return Problem::error(&codes::QUANTITY, format!("`{text}` is negative; expected {wanted}"));
    }
    match quantity::kinds(text).first() {
        Some(kind) => {
            let name = kind.title().split(" such as").next().unwrap_or_default();
            let problem = Problem::error(&codes::UNIT, format!("`{text}` is {name}, expected {wanted}"));
            problem.label("does not fit the metric")
        }
        None => {
            let unit = quantity::nearest_unit(text, accepted);
            let hint = unit.map(|unit| format!(", did you mean the unit `{unit}`?")).unwrap_or_default();
            Problem::error(&codes::QUANTITY, format!("cannot read `{text}`{hint}")).help(format!("expected {wanted}"))
        }
    }
}

struct Resolver<'a> {
    scalar: &'a Scalar<'a>,
    known: &'a Known<'a>,
    problems: Problems,
}

impl Resolver<'_> {
    fn report(&mut self, problem: Problem, span: std::ops::Range<usize>) {
        self.problems.push(self.scalar.at(problem, span));
    }

    fn measure(&mut self, raw: &Raw) -> Option<Measure> {
        let function = vocabulary::function(&raw.function.text);
        if function.is_none() {
            self.unknown_function(&raw.function);
        }
        if let Some(extra) = raw.arguments.get(2) {
            let problem =
                Problem::error(&codes::SYNTAX, "at most a series and one stretch of time stand in the brackets");
            self.report(problem, extra.span());
        }
        let range = match raw.arguments.get(1) {
            None => Some(Range::Whole),
            Some(argument) => self.range(argument),
        };
        let (aggregate, metric, subject) = match function {
            Some(Function::Cost) => self.cost(raw)?,
            Some(Function::ErrorRate) => {
                let service = self.errors_of(raw)?;
                (Aggregate::Share, Metric::Errors, Subject::Service(service))
            }
            Some(Function::Aggregate(aggregate)) => {
                let (metric, subject) = self.series(raw)?;
                (aggregate, metric, subject)
            }
            None => {
                self.series(raw)?;
                return None;
            }
        };
        let measure = Measure { aggregate, metric, subject, range: range? };
        if vocabulary::accepted(aggregate, metric, measure.range).is_empty() {
            self.aggregate_misfit(raw, &measure);
            return None;
        }
        Some(measure)
    }

    fn unknown_function(&mut self, function: &Part) {
        let hint = vocabulary::nearest_function(&function.text);
        let hint = hint.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        let problem = Problem::error(&codes::FUNCTION, format!("unknown function `{}`{hint}", function.text));
        let known = format!("known: {}, cost", vocabulary::FUNCTIONS.join(", "));
        self.report(problem.help(known), function.span.clone());
    }

    /// `cost(month)`
    fn cost(&mut self, raw: &Raw) -> Option<(Aggregate, Metric, Subject)> {
        match raw.arguments.as_slice() {
            [Argument::One(part)] if part.text == "month" => Some((Aggregate::Max, Metric::Cost, Subject::Host)),
            _ => {
                let problem = Problem::error(&codes::SYNTAX, "the cost of the host is written `cost(month)`");
                self.report(problem, raw.brackets.clone());
                None
            }
        }
    }

    /// `error_rate(SERVICE)`
    fn errors_of(&mut self, raw: &Raw) -> Option<ServiceName> {
        match raw.arguments.first()? {
            Argument::One(part) => self.service(&part.text, part.span.clone()),
            Argument::Between(..) => self.no_series(raw),
        }
    }

    fn no_series<T>(&mut self, raw: &Raw) -> Option<T> {
        let problem = Problem::error(&codes::SYNTAX, "expected a series such as `latency.api` before the range");
        self.report(problem, raw.brackets.clone());
        None
    }

    fn series(&mut self, raw: &Raw) -> Option<(Metric, Subject)> {
        let part = match raw.arguments.first()? {
            Argument::One(part) => part,
            Argument::Between(..) => return self.no_series(raw),
        };
        let text = part.text.as_str();
        let found = METRICS
            .iter()
            .filter_map(|entry| Some((entry, vocabulary::rest_after(text, entry.name)?)))
            .max_by_key(|(entry, _)| entry.name.len());
        let Some((entry, service)) = found else {
            self.unknown_metric(part);
            return None;
        };
        let name = entry.name;
        match (entry.owner, service) {
            (Owner::Host, "") => Some((entry.metric, Subject::Host)),
            (Owner::Host, _) => {
                let problem = Problem::error(&codes::METRIC, format!("`{name}` is of the host, not of a service"));
                self.report(problem.help(format!("write `{name}`")), part.span.clone());
                None
            }
            (Owner::Services, "") => Some((entry.metric, Subject::All)),
            (Owner::Service, "") => {
                let problem = Problem::error(&codes::METRIC, format!("`{name}` needs a service"));
                let example = self.known.services.first().map_or("SERVICE", ServiceName::as_str);
                let host = if matches!(name, "cpu" | "memory") { format!(", or `host.{name}`") } else { String::new() };
                self.report(problem.help(format!("write `{name}.{example}`{host}")), part.span.clone());
                None
            }
            (Owner::Service | Owner::Services, service) => {
                let start = part.span.end - service.len();
                Some((entry.metric, Subject::Service(self.service(service, start..part.span.end)?)))
            }
        }
    }

    fn unknown_metric(&mut self, part: &Part) {
        let text = part.text.as_str();
        if let Some(metric) = vocabulary::later(text) {
            let problem = Problem::error(&codes::NOT_SIMULATED, format!("`{metric}` is not simulated by this version"));
            self.report(problem.help("take the expectation out until it is"), part.span.clone());
            return;
        }
        let mut names: Vec<String> = Vec::new();
        for entry in &METRICS {
            if entry.owner != Owner::Service {
                names.push(entry.name.to_owned());
            }
            if entry.owner != Owner::Host {
                names.extend(self.known.services.iter().map(|service| format!("{}.{service}", entry.name)));
            }
        }
        let hint = nearest(text, names.iter().map(String::as_str));
        let hint = hint.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        let problem = Problem::error(&codes::METRIC, format!("unknown metric `{text}`{hint}"));
        let known: Vec<&str> = METRICS.iter().map(|entry| entry.name).collect();
        self.report(problem.help(format!("known: {}", known.join(", "))), part.span.clone());
    }

    fn service(&mut self, name: &str, span: std::ops::Range<usize>) -> Option<ServiceName> {
        if let Some(service) = self.known.services.iter().find(|service| service.as_str() == name) {
            return Some(service.clone());
        }
        let names = || self.known.services.iter().map(ServiceName::as_str);
        let hint = nearest(name, names()).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        let problem = Problem::error(&codes::SERVICE, format!("unknown service `{name}`{hint}"));
        let list: Vec<&str> = names().take(30).collect();
        self.report(problem.help(format!("services of the stack: {}", list.join(", "))), span);
        None
    }

    fn aggregate_misfit(&mut self, raw: &Raw, measure: &Measure) {
        let (function, metric) = (&raw.function.text, metric_name(measure.metric));
        let help = match (measure.aggregate, measure.metric) {
            (Aggregate::Share, _) => "`share` is for `errors` and `throttled`".to_owned(),
            (Aggregate::Count | Aggregate::Rate, Metric::Latency) => {
                format!("requests are counted by `{function}(requests.SERVICE)`")
            }
            (Aggregate::Count | Aggregate::Rate, _) => "levels take `mean`, `max`, `min` or a percentile".to_owned(),
            _ => format!("count them, `count({metric})`, or in every stretch of a length, `{function}({metric}, 30m)`"),
        };
        let problem = Problem::error(&codes::AGGREGATE, format!("`{function}` of `{metric}` says nothing"));
        self.report(problem.help(help), raw.function.span.clone());
    }

    fn range(&mut self, argument: &Argument) -> Option<Range> {
        let range = match argument {
            Argument::One(part) => Range::Every(self.span(part)?),
            Argument::Between(from, to) => {
                let (from, to) = (self.span(from), self.span(to));
                Range::Between(Instant::after_start(from?), Instant::after_start(to?))
            }
        };
        let wrong = match range {
            Range::Every(span) => self.window_wrong(span),
            Range::Between(from, to) if from >= to => Some(format!("`{from}..{to}` ends before it begins")),
            Range::Between(from, to) => self.known.judged.and_then(|(start, end)| {
                let outside = to <= start || from >= end || to > end;
                outside.then(|| format!("`{from}..{to}` is not within the part that is judged, `{start}..{end}`"))
            }),
            Range::Whole => None,
        };
        let Some(wrong) = wrong else { return Some(range) };
        self.report(Problem::error(&codes::RANGE, wrong), argument.span());
        None
    }

    fn windows(&mut self, share: &Part, length: &Part) -> Option<Windows> {
        let (part, span) = (self.share(share), self.span(length));
        let windows = Windows { share: part?, length: span? };
        let Some(wrong) = self.window_wrong(windows.length) else { return Some(windows) };
        self.report(Problem::error(&codes::RANGE, wrong), length.span.clone());
        None
    }

    fn window_wrong(&self, length: Span) -> Option<String> {
        let judged = self.known.judged.map_or(Span::MAX, |(start, end)| end.since(start));
        if length == Span::ZERO {
            return Some("a window needs a length above zero".to_owned());
        }
        (length > judged).then(|| format!("a window of {length} is longer than the {judged} that are judged"))
    }

    fn span(&mut self, part: &Part) -> Option<Span> {
        let found = Span::parse(&part.text).ok();
        if found.is_none() {
            self.report(misfit(&part.text, &[Kind::Time]), part.span.clone());
        }
        found
    }

    /// A share above zero and up to 100 %, in whole thousandths.
    fn share(&mut self, part: &Part) -> Option<Permille> {
        let share = match quantity::read(Kind::Share, &part.text) {
            Some(Quantity::Share(millionths)) => Some(millionths),
            _ => None,
        };
        match share {
            Some(millionths) if millionths % 1000 == 0 && (1..=1_000_000).contains(&millionths) => {
                Some(Permille::new(millionths / 1000))
            }
            Some(_) => {
                let problem =
                    Problem::error(&codes::QUANTITY, format!("`{}` is no share that can be judged", part.text));
                self.report(problem.help("from `0.1%` to `100%`, in steps of `0.1%`"), part.span.clone());
                None
            }
            None => {
                self.report(misfit(&part.text, &[Kind::Share]), part.span.clone());
                None
            }
        }
    }

    fn bound(&mut self, raw: &Raw, measure: &Measure) -> Option<Bound> {
        let accepted = vocabulary::accepted(measure.aggregate, measure.metric, measure.range);
        let bound = &raw.bound;
        if raw.of_limit {
            if !accepted.contains(&Kind::OfLimit) {
                let wanted: Vec<&str> = accepted.iter().map(|kind| kind.title()).collect();
                let metric = metric_name(measure.metric);
                let message = format!("`{metric}` has no limit to compare with, expected {}", wanted.join(" or "));
                self.report(Problem::error(&codes::UNIT, message), bound.span.clone());
                return None;
            }
            let share = Permille::parse(&bound.text).ok().filter(|_| bound.text.ends_with('%'));
            if share.is_none() {
                self.report(misfit(&bound.text, &[Kind::OfLimit]), bound.span.clone());
            }
            return share.map(Bound::OfLimit);
        }
        let figure = accepted.iter().find_map(|kind| quantity::read(*kind, &bound.text));
        if figure.is_none() {
            let mut problem = misfit(&bound.text, accepted);
            if bound.text.ends_with('%') && accepted.contains(&Kind::OfLimit) {
                problem = problem.help(format!("write `{} of limit`", bound.text));
            }
            self.report(problem, bound.span.clone());
        }
        figure.map(Bound::Value)
    }
}

fn metric_name(metric: Metric) -> &'static str {
    METRICS.iter().find(|entry| entry.metric == metric).map_or("", |entry| entry.name)
}
