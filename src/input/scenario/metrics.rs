//! Metrics of the business: a number over time that policies may look at, written as loads are, without requests. Before you
//! change it: a number becomes a rate, so many a second, since what reads patterns reads rates.

use super::ERRORS_MAX;
use super::codes;
use super::traffic::Traffic;
use super::traffic::in_order;
use super::traffic::not_above;
use super::wire::NoiseFile;
use super::wire::ScaleFile;
use super::wire::TraceFile;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::input::schema;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::TimeOfDay;
use crate::input::yaml::Node;
use crate::model::MetricName;
use crate::model::Pattern;
use crate::model::Policy;
use crate::model::ServiceName;
use crate::units::Rate;
use crate::units::Span;
use crate::units::whole;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A metric of the business over time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MetricFile {
    /// Always the same.
    Value(MetricValue),
    /// A number that follows a pattern.
    Pattern(MetricPatternFile),
    /// Measured numbers from a CSV file.
    Trace(MetricTraceFile),
}

/// A plain number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MetricValue(#[schemars(range(min = 0, max = 1_000_000_000))] pub f64);

impl MetricValue {
    fn rate(self) -> Rate {
        Rate::micro(whole(self.0 * 1e6))
    }
}

impl fmt::Display for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number over time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "pattern", rename_all = "snake_case", deny_unknown_fields)]
pub enum MetricPatternFile {
    /// Always the same.
    Constant {
        /// The number.
        value: MetricValue,
    },
    /// A straight line, level before and after it.
    Ramp {
        /// Number before the line.
        from: MetricValue,
        /// Number after the line.
        to: MetricValue,
        /// When the line begins; at once unless said otherwise.
        start: Option<Duration>,
        /// How long it takes; to the end unless said otherwise.
        over: Option<Duration>,
    },
    /// Levels: each holds from its time to the next. Before the first it is zero.
    Steps {
        /// Times and numbers, in order of time.
        #[schemars(length(min = 1))]
        value: Vec<(Duration, MetricValue)>,
    },
    /// Corners joined by straight lines, level before the first and after the last.
    Points {
        /// Times and numbers, in order of time.
        #[schemars(length(min = 1))]
        value: Vec<(Duration, MetricValue)>,
    },
    /// A cosine over the day.
    Diurnal {
        /// Number twelve hours from the peak.
        low: MetricValue,
        /// Number at the peak.
        high: MetricValue,
        /// Time of day of the peak.
        peak_at: TimeOfDay,
    },
    /// A diurnal curve with a lower peak at the weekend. The run starts on a Monday.
    Weekly {
        /// Number twelve hours from the peak.
        low: MetricValue,
        /// Number at the peak of a working day.
        high: MetricValue,
        /// Number at the peak of Saturday and Sunday.
        weekend: MetricValue,
        /// Time of day of the peak.
        peak_at: TimeOfDay,
    },
    /// A steady number with one crowd on top.
    FlashCrowd {
        /// Number without the crowd.
        base: MetricValue,
        /// Number with it.
        peak: MetricValue,
        /// When it starts to come.
        at: Duration,
        /// How long it comes.
        rise: Duration,
        /// How long it stays.
        hold: Duration,
        /// How long it leaves.
        fall: Duration,
    },
}

/// Measured numbers from a CSV file with a header, whose first column `t_s` counts seconds. While a cell is empty, nobody
/// measures it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricTraceFile {
    /// The CSV file, relative to this file.
    #[schemars(length(min = 1))]
    pub trace: String,
    /// Which column; may be left out where there is only one beside the time.
    pub column: Option<String>,
    /// Only rows with these values, for files that hold several series: `{ vm_id: 0 }`.
    #[serde(default, rename = "where")]
    pub only: BTreeMap<String, f64>,
    /// What each number is multiplied with: `0.5`, `200%`.
    pub scale: Option<ScaleFile>,
    /// Where in the file the run begins.
    pub from: Option<Duration>,
    /// How much faster time passes: with 24 a day of the file takes an hour. Numbers stay as they are.
    #[schemars(range(min = 1, max = 100_000))]
    pub speed: Option<u32>,
    /// Starts again at its end.
    #[serde(default)]
    pub repeat: bool,
}

/// The metrics of a scenario; `node` is the scenario.
pub(super) fn metrics(
    files: &BTreeMap<String, MetricFile>,
    node: &Node,
    traffic: &mut Traffic<'_>,
    problems: &mut Problems,
) -> BTreeMap<MetricName, Pattern> {
    let mut found = BTreeMap::new();
    for entry in node.get("metrics").map(Node::entries).unwrap_or_default() {
        let name = match entry.key.parse::<MetricName>() {
            Ok(name) => name,
            Err(wrong) => {
                problems.push(Problem::error(&codes::METRIC, wrong.to_string()).at(&entry.key_place));
                continue;
            }
        };
        let pattern = match files.get(&entry.key) {
            None => None,
            Some(MetricFile::Value(value)) => Some(Pattern::Constant { rate: value.rate() }),
            Some(MetricFile::Pattern(file)) => Some(pattern(file, traffic.duration, &entry.value, problems)),
            Some(MetricFile::Trace(file)) => {
                // A number of each second is the number itself.
                let file = TraceFile {
                    trace: file.trace.clone(),
                    column: file.column.clone(),
                    per: Some(Duration(Span::from_secs(1))),
                    count: None,
                    only: file.only.clone(),
                    scale: file.scale,
                    from: file.from,
                    speed: file.speed,
                    repeat: file.repeat,
                    noise: NoiseFile::None,
                };
                traffic.trace(&file, &entry.value, problems).map(|load| load.pattern)
            }
        };
        found.extend(pattern.map(|pattern| (name, pattern)));
    }
    found
}

fn pattern(file: &MetricPatternFile, duration: Span, node: &Node, problems: &mut Problems) -> Pattern {
    let mut corners = |values: &[(Duration, MetricValue)]| {
        in_order(values.iter().map(|value| value.0.0), "value", node, problems);
        values.iter().map(|(time, value)| (time.0, value.rate())).collect()
    };
    match *file {
        MetricPatternFile::Constant { value } => Pattern::Constant { rate: value.rate() },
        MetricPatternFile::Ramp { from, to, start, over } => {
            let start = start.map_or(Span::ZERO, |start| start.0);
            let over = over.map_or(duration.minus(start), |over| over.0);
            Pattern::Ramp { from: from.rate(), to: to.rate(), start, over }
        }
        MetricPatternFile::Steps { ref value } => Pattern::Steps(corners(value)),
        MetricPatternFile::Points { ref value } => Pattern::Points(corners(value)),
        MetricPatternFile::Diurnal { low, high, peak_at } => {
            not_above(low, high, "low", "high", node, problems);
            Pattern::Diurnal { low: low.rate(), high: high.rate(), peak_at: peak_at.0 }
        }
        MetricPatternFile::Weekly { low, high, weekend, peak_at } => {
            not_above(low, high, "low", "high", node, problems);
            not_above(low, weekend, "low", "weekend", node, problems);
            let (low, high, weekend) = (low.rate(), high.rate(), weekend.rate());
            Pattern::Weekly { low, high, weekend, peak_at: peak_at.0 }
        }
        MetricPatternFile::FlashCrowd { base, peak, at, rise, hold, fall } => {
            not_above(base, peak, "base", "peak", node, problems);
            let (at, rise, hold, fall) = (at.0, rise.0, hold.0, fall.0);
            Pattern::FlashCrowd { base: base.rate(), peak: peak.rate(), at, rise, hold, fall }
        }
    }
}

/// Reports metrics that policies look at and the scenario does not have; `node` is what names the policies.
pub(super) fn report_unknown(
    policies: &BTreeMap<ServiceName, Policy>,
    files: &BTreeMap<String, MetricFile>,
    node: Option<&Node>,
    problems: &mut Problems,
) {
    let mut unknown: BTreeMap<MetricName, &ServiceName> = BTreeMap::new();
    for (service, policy) in policies {
        for metric in policy.horizontal().into_iter().flat_map(crate::model::Horizontal::metrics) {
            if !files.contains_key(metric.as_str()) {
                unknown.entry(metric).or_insert(service);
            }
        }
    }
    for (metric, service) in unknown.into_iter().take(ERRORS_MAX) {
        let hint = nearest(metric.as_str(), files.keys().map(String::as_str));
        let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        let message = format!("the policy of `{service}` looks at the unknown metric `{metric}`{hint}");
        let problem = Problem::error(&codes::METRIC, message);
        let problem = match node {
            Some(node) => {
                let below = |key| node.at_pointer(&format!("/{service}/{key}/custom/{metric}"));
                let written = ["up", "down", "targets", "weights"].into_iter().find_map(below);
                let usual = || schema::place_of(node, &format!("/{service}"));
                problem.at(&written.map_or_else(usual, |figure| figure.place.clone()))
            }
            None => problem,
        };
        let known: Vec<&str> = files.keys().take(30).map(String::as_str).collect();
        problems.push(problem.help(if known.is_empty() {
            format!("say what it is, such as `metrics: {{ {metric}: 100 }}`")
        } else {
            format!("metrics of the scenario: {}", known.join(", "))
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Source;
    use crate::input::scenario::LoadOptions;
    use crate::input::scenario::ScenarioFile;
    use crate::input::scenario::resolve;
    use crate::model::Quantity;
    use crate::model::Scaling;
    use crate::model::Scenario;
    use crate::model::Service;
    use crate::model::Signal;
    use crate::model::Stack;
    use std::path::Path;

    fn read(text: &str) -> Result<Scenario, String> {
        let text = format!("scenario: test\nstack: compose.yaml\nhost: kvm-4\nduration: 1h\n{text}");
        let (node, file) =
            schema::read::<ScenarioFile>(&Source::new("scenario.yaml", &*text)).map_err(|wrong| wrong.to_string())?;
        let shop = Service { image: Some("nginx:1.27".to_owned()), ..Service::default() };
        let stack = Stack { services: [(ServiceName::new("shop"), shop)].into(), ..Stack::default() };
        let resolved = resolve(&file, &node, &stack, Path::new("/nowhere"), &LoadOptions::default());
        resolved.map(|resolved| resolved.scenario).map_err(|problems| problems.to_string())
    }

    fn metric(name: &str) -> MetricName {
        name.parse().expect("a name")
    }

    #[test]
    fn a_metric_is_a_number_or_follows_a_pattern() {
        let scenario = read(
            "metrics:\n  orders: 2.5\n  queue: { pattern: steps, value: [[0s, 5], [10m, 300]] }\n  \
             carts: { pattern: diurnal, low: 5, high: 300, peak_at: \"20:00\" }\n",
        );
        let metrics = scenario.expect("a scenario").metrics;
        assert_eq!(metrics[&metric("orders")], Pattern::Constant { rate: Rate::micro(2_500_000) });
        let steps = vec![(Span::ZERO, Rate::per_second(5)), (Span::from_mins(10), Rate::per_second(300))];
        assert_eq!(metrics[&metric("queue")], Pattern::Steps(steps));
        let (low, high, peak_at) = (Rate::per_second(5), Rate::per_second(300), Span::from_mins(20 * 60));
        assert_eq!(metrics[&metric("carts")], Pattern::Diurnal { low, high, peak_at });
    }

    #[test]
    fn what_only_requests_have_is_refused() {
        for pattern in [
            "{ pattern: clients, clients: 5 }",
            "{ pattern: bursty, low: 1, high: 2, quiet: 1m, burst: 1m }",
            "{ pattern: constant, value: 5, noise: none }",
            "{ pattern: constant, value: 5/s }",
            "-1",
        ] {
            assert!(read(&format!("metrics: {{ orders: {pattern} }}\n")).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_metric_that_contradicts_itself_is_refused() {
        let wrong = |text: &str| read(&format!("metrics: {{ {text} }}\n")).expect_err(text);
        let low = wrong("orders: { pattern: diurnal, low: 300, high: 5, peak_at: \"20:00\" }");
        assert!(low.contains("`low` 300 is above `high` 5"), "{low}");
        let late = wrong("orders: { pattern: points, value: [[10m, 5], [5m, 6]] }");
        assert!(late.contains("5m does not come after 10m"), "{late}");
        let name = wrong("Orders-Waiting: 5");
        assert!(name.contains("`Orders-Waiting` is no name of a metric") && name.contains("PL0232"), "{name}");
    }

    #[test]
    fn a_policy_looks_at_metrics_of_the_scenario_only() {
        let policy =
            "policy: { shop: { template: vedfolnir-triggers, up: { custom: { orders_wating: 100.5 for 5m } } } }\n";
        let wrong = read(&format!("{policy}metrics: {{ orders_waiting: 5 }}\n")).expect_err("another name");
        let says = "the policy of `shop` looks at the unknown metric `orders_wating`, did you mean `orders_waiting`?";
        assert!(wrong.contains(says) && wrong.contains("PL0232"), "{wrong}");
        let none = read(policy).expect_err("no metrics");
        assert!(none.contains("such as `metrics: { orders_wating: 100 }`"), "{none}");
        let scenario = read(&format!("{policy}metrics: {{ orders_wating: 5 }}\n")).expect("a scenario");
        let horizontal = scenario.policies[&ServiceName::new("shop")].horizontal().expect("a number");
        let Scaling::Bounds(bounds) = &horizontal.scaling else { panic!("{horizontal:?}") };
        let trigger = bounds.up.last().expect("triggers");
        assert_eq!(trigger.signal, Signal::Custom(metric("orders_wating")));
        assert_eq!((trigger.bound, trigger.lasts), (Quantity::Number(100_500), Span::from_mins(5)));
    }

    #[test]
    fn every_kind_of_policy_that_divides_a_number_takes_one() {
        let read = |policy: &str| read(&format!("policy: {{ shop: {{ {policy} }} }}\nmetrics: {{ orders: 5 }}\n"));
        for policy in [
            "template: vedfolnir-points, up: { custom: { orders: 9 } }, points: { up: { custom: { orders: 4 } } }",
            "template: balanced, weights: { custom: { orders: 30 } }, full: { custom: { orders: 500 } }",
            "template: hpa, targets: { custom: { orders: 40 } }",
            "template: target-tracking, targets: { custom: { orders: 40 } }",
            "template: step-scaling, targets: { custom: { orders: 40 } }",
            "template: nomad-target-value, targets: { custom: { orders: 40 } }",
            "template: nomad-threshold, up: { custom: { orders: 40 } }, down: { custom: { orders: 10 } }",
        ] {
            let scenario = read(policy).unwrap_or_else(|wrong| panic!("{wrong}"));
            let horizontal = scenario.policies[&ServiceName::new("shop")].horizontal().expect("a number");
            assert_eq!(horizontal.metrics(), [metric("orders")].into(), "{policy}");
        }
        for (policy, says) in [
            ("template: kpa, targets: { custom: { orders: 40 } }", "one figure is wanted here, of: queue, requests"),
            ("template: autopilot, targets: { custom: { orders: 40 } }", "one figure is wanted here, of: cpu"),
            (
                "template: vedfolnir-triggers, up: { custom: { orders: 70% } }",
                "`70%` is no number such as `100` or `2.5`",
            ),
            ("template: vedfolnir-triggers, up: { custom: { Orders: 70 } }", "`Orders` is no name of a metric"),
            ("template: balanced, up: { custom: { orders: 70 } }", "one bound each way, `score`"),
            ("template: balanced, weights: { custom: { orders: 70 } }", "does not say what counts as one"),
        ] {
            let wrong = read(policy).expect_err(policy);
            assert!(wrong.contains(says), "{wrong}");
        }
    }
}
