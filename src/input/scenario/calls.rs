//! Calls of a service as they are written: how often, in which order, through what.
//!
//! Before you change it:
//! 1. `{ postgres: 3 }` is what most people write, and stays one call after another. A list gives stages: the calls of one
//!    entry at the same time, the entries one after another.
//! 2. What one key alone cannot tell (a breaker that never opens, workers that block where there are none) is an error here.

use super::codes;
use super::wire::ServiceFile;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::yaml::Node;
use crate::model::Breaker;
use crate::model::Call;
use crate::model::Retry;
use crate::model::ServiceName;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Calls to other services for one request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CallsFile {
    /// Services and how often each is called, one call after another: `{ postgres: 3, redis: 5 }`.
    Each(BTreeMap<String, CallChoice>),
    /// Stages one after another; the calls of one stage are made at the same time, each as often as it says.
    Stages(Vec<BTreeMap<String, CallChoice>>),
}

/// How often a service is called, or more about the calls.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CallChoice {
    /// So often for one request.
    Count(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// How often, and what is between the two.
    Full(CallFile),
}

/// Calls to one service, and what is between the two.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallFile {
    /// How often for one request; once unless said otherwise.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: Option<u32>,
    /// Share of these calls that need not be made, since the answer is in a cache.
    pub cached: Option<Percent>,
    /// A try that takes longer fails for the caller, the wait for a connection included; the called service goes on working
    /// on it.
    pub timeout: Option<Duration>,
    /// Connections that one instance of the caller has for these calls, as HikariCP or pgx keep them. A call waits in order
    /// for one that is free; that counts against its `timeout`. A connection is taken until its answer is there. Without
    /// limit unless said otherwise.
    #[schemars(range(min = 1, max = 10_000))]
    pub pool: Option<u32>,
    /// What is done about a try that failed; nothing unless said otherwise, so that the request fails, too.
    pub retry: Option<RetryFile>,
    /// A circuit breaker: while most calls fail, none are made.
    pub breaker: Option<BreakerFile>,
}

/// How a failed call is tried again.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryFile {
    /// Further tries after the first.
    #[schemars(range(min = 1, max = 100))]
    pub times: u32,
    /// Wait before the first further try, and twice as long before each one after it; none unless said otherwise.
    pub backoff: Option<Duration>,
    /// Most further tries as a share of the first ones; without limit unless said otherwise.
    pub budget: Option<Percent>,
}

/// When a circuit breaker opens, and for how long.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerFile {
    /// It opens when at least this share of the tries within the window failed; 50% unless said otherwise.
    pub failures: Option<Percent>,
    /// How far back it looks; 10s unless said otherwise.
    pub window: Option<Duration>,
    /// Tries within the window below which it does not open; 20 unless said otherwise.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub least: Option<u32>,
    /// How long it stays open before one try is let through; 5s unless said otherwise.
    pub open: Option<Duration>,
}

impl CallChoice {
    fn full(&self) -> CallFile {
        match self {
            Self::Count(count) => CallFile { count: Some(*count), ..CallFile::default() },
            Self::Full(full) => full.clone(),
        }
    }
}

/// The calls of one service, in the order in which they are made; `node` is where they stand.
pub(super) fn calls(file: &CallsFile, node: &Node, names: &[ServiceName], problems: &mut Problems) -> Vec<Call> {
    match file {
        CallsFile::Each(calls) => stage(calls, None, node, names, problems),
        CallsFile::Stages(stages) => {
            let mut all = Vec::new();
            for ((place, calls), number) in stages.iter().enumerate().zip(0..) {
                let at = node.at_pointer(&format!("/{place}")).unwrap_or(node);
                all.extend(stage(calls, Some(number), at, names, problems));
            }
            all
        }
    }
}

fn stage(
    calls: &BTreeMap<String, CallChoice>,
    stage: Option<u32>,
    node: &Node,
    names: &[ServiceName],
    problems: &mut Problems,
) -> Vec<Call> {
    let mut found = Vec::new();
    for (to, choice) in calls {
        let entry = node.entry(to);
        match names.iter().find(|known| known.as_str() == to) {
            Some(to) => {
                let at = entry.map_or(node, |entry| &entry.value);
                found.push(Call { stage, ..call(to, &choice.full(), at, problems) });
            }
            None => {
                let place = entry.map_or(&node.place, |entry| &entry.key_place);
                problems.push(super::unknown_service(to, names, place));
            }
        }
    }
    found
}

fn call(to: &ServiceName, file: &CallFile, node: &Node, problems: &mut Problems) -> Call {
    let mut wrong = |key: &str, message: &str| {
        problems.push(Problem::error(&codes::CALL, message).at(&schema::place_of(node, &format!("/{key}"))));
    };
    let cached = file.cached.map_or(Permille::ZERO, |share| share.0);
    if cached > Permille::ONE {
        wrong("cached", "no more than all calls, `100%`, can be answered from a cache");
    }
    let timeout = file.timeout.map(|timeout| timeout.0);
    if timeout == Some(Span::ZERO) {
        wrong("timeout", "a call that may take no time always fails");
    }
    let breaker = file.breaker.map(|file| Breaker {
        failures: file.failures.map_or(Permille::percent(50), |share| share.0),
        window: file.window.map_or(Span::from_secs(10), |span| span.0),
        least: file.least.unwrap_or(20),
        open: file.open.map_or(Span::from_secs(5), |span| span.0),
    });
    if let Some(breaker) = &breaker {
        if breaker.failures == Permille::ZERO || breaker.failures > Permille::ONE {
            wrong("breaker/failures", "a breaker opens at a share of failures above zero, up to `100%`");
        }
        if breaker.window == Span::ZERO {
            wrong("breaker/window", "a window of no length holds no calls");
        }
        if breaker.open == Span::ZERO {
            wrong("breaker/open", "a breaker that is open for no time never breaks anything");
        }
    }
    Call {
        cached,
        timeout,
        pool: file.pool,
        retry: file.retry.map(|file| Retry {
            times: file.times,
            backoff: file.backoff.map_or(Span::ZERO, |span| span.0),
            budget: file.budget.map(|share| share.0),
        }),
        breaker,
        ..Call::new(to.clone(), file.count.unwrap_or(1))
    }
}

/// Reports what only makes sense with `workers`, where there are none; `node` is the service.
pub(super) fn check_service(file: &ServiceFile, node: &Node, problems: &mut Problems) {
    let asked = [("blocking", file.blocking == Some(true)), ("backlog", file.backlog.is_some())];
    for (key, _) in asked.iter().filter(|(_, asked)| *asked && file.workers.is_none()) {
        let problem = Problem::error(&codes::CALL, format!("`{key}` needs `workers`, and there is no limit to them"));
        let place = node.entry(key).map_or(&node.place, |entry| &entry.key_place);
        problems.push(problem.at(place).help("say how many requests one instance works on at once: `workers: 16`"));
    }
}
