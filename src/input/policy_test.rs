//! Policy tests: series in, decisions out, without a host and without randomness.

use crate::input::policy::Policies;
use crate::input::policy::PolicyChoice;
use crate::input::policy::figure;
use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::input::schema;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Size;
use crate::input::yaml::Node;
use crate::model::Given;
use crate::model::Limits;
use crate::model::MetricName;
use crate::model::Policy;
use crate::model::PolicyCase;
use crate::model::PolicyCheck;
use crate::model::PolicySubject;
use crate::model::PolicyTest;
use crate::model::PolicyWanted;
use crate::model::ServiceName;
use crate::model::Signal;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// Codes of policy tests.
pub const CODES: &[&Code] = &[&SERIES, &NAME];

static SERIES: Code = Code {
    id: "PL0421",
    title: "an unreadable series",
    explanation: "A series is a list of values, one a step, with repetition: \"40% x8, 95%, none x40\". A value is a share of the limit in \
force (`40%`), an absolute figure (`0.5` cores, `300M` of memory, `60` waiting requests, a p95 of `3s`, `6%` errors, `100/s`, a number such as `2.5` of a metric of the business), or \
`none` (also `_`) for a missing measurement.",
};

static NAME: Code = Code {
    id: "PL0422",
    title: "unknown name in a policy test",
    explanation: "Series are `cpu.SERVICE`, `memory.SERVICE`, `queue.SERVICE`, `p95.SERVICE`, `errors.SERVICE` and `requests.SERVICE`, and \
`custom.METRIC` for the metrics of the business that its policies look at. \
Wanted are `replicas.SERVICE`, `limit.cpu.SERVICE`, `limit.memory.SERVICE`, `actions`, `actions.SERVICE` and `held`, which names the guard that held the newest look back (`no data`, `cooldown`, `hysteresis`, ...) or is `none`. \
`at` is a time from the start, or `end`.",
};

/// Values of one series, at most.
const VALUES_MAX: usize = 1_000_000;

/// Figures that a series may be of.
const SERIES_OF: [Signal; 6] =
    [Signal::Cpu, Signal::Memory, Signal::Queue, Signal::Latency, Signal::Errors, Signal::Requests];

/// What the series of a metric of the business begins with.
const OF_THE_BUSINESS: &str = "custom.";

/// Names of guards, as `Guard::name` gives them.
const GUARDS: [&str; 22] = [
    "hysteresis",
    "cooldown",
    "daily limit",
    "at bound",
    "cpu pool",
    "memory pool",
    "working set",
    "stateful",
    "no data",
    "stale data",
    "absurd data",
    "no limit",
    "not ready",
    "pending",
    "would return",
    "horizontal",
    "deploying",
    "rate limit",
    "own rule",
    "cpu demand",
    "given back",
    "distress",
];

/// A policy without a host: series in, decisions out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyTestFile {
    /// What a person calls it; the name of the file unless said otherwise.
    pub name: Option<String>,
    /// The policies, by service.
    pub policy: PolicyChoice,
    /// What the services are, where not one instance with limits of 1 CPU and 512 MiB.
    #[serde(default)]
    pub services: BTreeMap<String, SubjectFile>,
    /// The host's pool; without it there is enough for everything.
    pub pool: Option<LimitsFile>,
    /// Time between two values, and between two looks of the engine.
    pub step: Duration,
    /// The cases; each starts from the beginning.
    #[schemars(length(min = 1))]
    pub cases: Vec<CaseFile>,
}

/// CPU and memory.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// In cores.
    pub cpu: Option<Cpus>,
    /// In bytes.
    pub memory: Option<Size>,
}

/// A service of a policy test.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectFile {
    /// Limits of an instance at the start.
    pub limits: Option<LimitsFile>,
    /// How many instances there are at the start.
    #[schemars(range(min = 1, max = 10_000))]
    pub instances: Option<u32>,
    /// Holds data.
    #[serde(default)]
    pub stateful: bool,
}

/// One case.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Its name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Series by figure and service: `cpu.SERVICE`, `memory.SERVICE`, `queue.SERVICE`, `p95.SERVICE`, `errors.SERVICE`,
    /// `requests.SERVICE`; and `custom.METRIC`, which is of no service.
    pub given: BTreeMap<String, String>,
    /// What must hold: `at`, and any of `replicas.SERVICE`, `limit.cpu.SERVICE`, `limit.memory.SERVICE`, `actions`, `actions.SERVICE`, `held`.
    #[schemars(length(min = 1))]
    pub expect: Vec<BTreeMap<String, WantedFile>>,
}

/// A wanted value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WantedFile {
    /// With a unit, or a word.
    Text(String),
    /// A number.
    Number(f64),
}

/// Reads the policy test of a file.
///
/// # Errors
/// All that is wrong with it and with the policies it names.
pub fn load(path: &Path) -> Result<PolicyTest, Problems> {
    let source = Source::read(path)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    parse(&source, &stem, path.parent().unwrap_or(Path::new("")))
}

/// Reads a policy test; `name` is what it is called where it says nothing, paths are relative to `folder`.
///
/// # Errors
/// All that is wrong with it and with the policies it names.
pub fn parse(source: &Source, name: &str, folder: &Path) -> Result<PolicyTest, Problems> {
    let (node, file) = schema::read::<PolicyTestFile>(source)?;
    let mut problems = Problems::new();
    let names = service_names(&file);
    let policy_node = node.get("policy").unwrap_or(&node);
    let policies = Policies::below(folder).resolve(&file.policy, policy_node, &names);
    let policies = policies.map_err(|wrong| problems.extend(wrong)).ok();
    if file.step.0 == Span::ZERO {
        problems.push(Problem::error(&SERIES, "a `step` of zero").at(&schema::place_of(&node, "/step")));
    }
    let metrics = policies.as_ref().map(|policies| {
        let horizontal = policies.values().filter_map(Policy::horizontal);
        horizontal.flat_map(crate::model::Horizontal::metrics).collect()
    });
    let policies = policies.unwrap_or_default();
    let reader = Reader { names: &names, metrics, step: file.step.0 };
    let mut cases = Vec::new();
    for (index, case) in file.cases.iter().enumerate() {
        let place = |below: &str| node.at_pointer(&format!("/cases/{index}/{below}")).unwrap_or(&node);
        cases.push(reader.case(case, place("given"), place("expect"), &mut problems));
    }
    if problems.has_errors() {
        return Err(problems);
    }
    let subject = |name: &ServiceName| {
        let given = file.services.get(name.as_str()).cloned().unwrap_or_default();
        let (cpu, memory) = (Some(Millicores::cores(1)), Some(Bytes::mebi(512)));
        let subject = PolicySubject {
            policy: policies.get(name).cloned().unwrap_or(Policy::None),
            limits: given.limits.map_or(Limits { cpu, memory }, limits),
            instances: given.instances.unwrap_or(1),
            stateful: given.stateful,
        };
        (name.clone(), subject)
    };
    Ok(PolicyTest {
        name: file.name.clone().unwrap_or_else(|| name.to_owned()),
        pool: file.pool.map(limits).unwrap_or_default(),
        services: names.iter().map(subject).collect(),
        step: file.step.0,
        cases,
    })
}

fn limits(file: LimitsFile) -> Limits {
    Limits { cpu: file.cpu.map(|cpu| cpu.0), memory: file.memory.map(|size| size.0) }
}

/// The services: those described, those with a policy of their own, and, where neither names any, those with a series.
fn service_names(file: &PolicyTestFile) -> Vec<ServiceName> {
    let mut names: Vec<&str> = file.services.keys().map(String::as_str).collect();
    if let PolicyChoice::ByService(each) = &file.policy {
        names.extend(each.keys().map(String::as_str).filter(|name| *name != "default"));
    }
    if names.is_empty() {
        let series = file.cases.iter().flat_map(|case| case.given.keys());
        let series = series.filter(|key| !key.starts_with(OF_THE_BUSINESS));
        names.extend(series.filter_map(|key| Some(key.split_once('.')?.1)));
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(ServiceName::new).collect()
}

struct Reader<'a> {
    names: &'a [ServiceName],
    /// The metrics of the business that the policies look at; `None` where the policies are wrong.
    metrics: Option<BTreeSet<MetricName>>,
    step: Span,
}

impl Reader<'_> {
    fn case(&self, case: &CaseFile, given: &Node, expect: &Node, problems: &mut Problems) -> PolicyCase {
        let (mut series, mut metrics) = (BTreeMap::new(), BTreeMap::new());
        for entry in given.entries() {
            let text = case.given.get(&entry.key).map(String::as_str).unwrap_or_default();
            if let Some(name) = entry.key.strip_prefix(OF_THE_BUSINESS) {
                let read = self.metric(name, &entry.key_place).and_then(|name| {
                    values(text, Signal::Custom(name), &entry.value.place).map(|values| (name, values))
                });
                match read {
                    Ok((name, values)) => {
                        metrics.insert(name, values);
                    }
                    Err(wrong) => problems.push(wrong),
                }
                continue;
            }
            let read = self
                .series_name(&entry.key, &entry.key_place)
                .and_then(|key| values(text, key.1, &entry.value.place).map(|values| (key, values)));
            match read {
                Ok((key, values)) => {
                    series.insert(key, values);
                }
                Err(wrong) => problems.push(wrong),
            }
        }
        let mut checks: Vec<PolicyCheck> = Vec::new();
        for item in expect.items() {
            match self.check(item) {
                Ok(check) => checks.push(check),
                Err(wrong) => problems.extend(wrong),
            }
        }
        checks.sort_by_key(|check| check.at.unwrap_or(Instant::after_start(Span::MAX)));
        PolicyCase { name: case.name.clone(), given: series, metrics, expect: checks }
    }

    /// `cpu.api`, `queue.api`
    fn series_name(&self, key: &str, place: &Place) -> Result<(ServiceName, Signal), Problem> {
        let (figure, service) = key.split_once('.').unwrap_or((key, ""));
        let Some(signal) = SERIES_OF.into_iter().find(|signal| signal.name() == figure) else {
            let names = SERIES_OF.each_ref().map(Signal::name);
            let hint = nearest(figure, names).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            let help =
                format!("series are {}, each with a service: `cpu.SERVICE`, and `custom.METRIC`", names.join(", "));
            return Err(Problem::error(&NAME, format!("unknown series `{key}`{hint}")).at(place).help(help));
        };
        Ok((self.service(service, place)?, signal))
    }

    /// The metric of a series: one that a policy looks at.
    fn metric(&self, name: &str, place: &Place) -> Result<MetricName, Problem> {
        let metric: MetricName = name.parse().map_err(|wrong| Problem::error(&NAME, format!("{wrong}")).at(place))?;
        let Some(known) = self.metrics.as_ref().filter(|known| !known.contains(&metric)) else { return Ok(metric) };
        let hint = nearest(name, known.iter().map(MetricName::as_str)).map(|near| format!(", did you mean `{near}`?"));
        let message = format!("no policy looks at a metric `{name}`{}", hint.unwrap_or_default());
        let known: Vec<&str> = known.iter().map(MetricName::as_str).collect();
        Err(Problem::error(&NAME, message).at(place).help(format!("metrics they look at: {}", known.join(", "))))
    }

    fn service(&self, name: &str, place: &Place) -> Result<ServiceName, Problem> {
        if let Some(found) = self.names.iter().find(|known| known.as_str() == name) {
            return Ok(found.clone());
        }
        let known: Vec<&str> = self.names.iter().map(ServiceName::as_str).collect();
        let hint = nearest(name, known.iter().copied()).map(|near| format!(", did you mean `{near}`?"));
        let problem = Problem::error(&NAME, format!("unknown service `{name}`{}", hint.unwrap_or_default()));
        Err(problem.at(place).help(format!("services of this test: {}", known.join(", "))))
    }

    fn check(&self, node: &Node) -> Result<PolicyCheck, Problems> {
        let mut check = PolicyCheck { at: None, wanted: Vec::new() };
        let mut problems = Problems::new();
        for entry in node.entries() {
            let text = entry.value.scalar().unwrap_or_default();
            if entry.key == "at" {
                match at(&text, &entry.value.place) {
                    Ok(at) => check.at = at,
                    Err(wrong) => problems.push(wrong),
                }
                continue;
            }
            match self.wanted(&entry.key, &text, &entry.key_place, &entry.value.place) {
                Ok(wanted) => check.wanted.push((format!("{}: {text}", entry.key), wanted)),
                Err(wrong) => problems.push(wrong),
            }
        }
        if node.entry("at").is_none() {
            problems.push(
                Problem::error(&NAME, "missing key `at`")
                    .at(&node.place)
                    .help("`at: end`, or a time such as `at: 15m`"),
            );
        } else if check.wanted.is_empty() && problems.is_empty() {
            problems
                .push(Problem::error(&NAME, "nothing is expected here").at(&node.place).help("such as `actions: 0`"));
        }
        if let Some(at) =
            check.at.filter(|at| self.step > Span::ZERO && at.since_start().nanos() % self.step.nanos() != 0)
        {
            let message = format!("`at: {at}` falls between two steps of {}", self.step);
            problems.push(Problem::error(&NAME, message).at(&schema::place_of(node, "/at")));
        }
        if problems.has_errors() { Err(problems) } else { Ok(check) }
    }

    fn wanted(&self, key: &str, text: &str, key_place: &Place, place: &Place) -> Result<PolicyWanted, Problem> {
        let unreadable = |why: String| Problem::error(&SERIES, why).at(place);
        let count = || text.parse::<u64>().map_err(|_| unreadable(format!("`{text}` is no count such as `0`")));
        if key == "actions" {
            return Ok(PolicyWanted::Actions(count()?));
        }
        if key == "held" {
            return held(text, place);
        }
        if let Some(service) = key.strip_prefix("actions.") {
            return Ok(PolicyWanted::ActionsOf(self.service(service, key_place)?, count()?));
        }
        if let Some(service) = key.strip_prefix("limit.cpu.") {
            let cpu = Millicores::parse(text).map_err(|error| unreadable(error.to_string()))?;
            return Ok(PolicyWanted::LimitCpu(self.service(service, key_place)?, cpu));
        }
        if let Some(service) = key.strip_prefix("limit.memory.") {
            let size = Bytes::parse(text).map_err(|error| unreadable(error.to_string()))?;
            return Ok(PolicyWanted::LimitMemory(self.service(service, key_place)?, size));
        }
        if let Some(service) = key.strip_prefix("replicas.") {
            let count = text.parse::<u32>().map_err(|_| unreadable(format!("`{text}` is no count such as `2`")))?;
            return Ok(PolicyWanted::Replicas(self.service(service, key_place)?, count));
        }
        let mut known = vec!["at".to_owned(), "actions".to_owned(), "held".to_owned()];
        for name in self.names {
            known.extend(["actions", "replicas", "limit.cpu", "limit.memory"].map(|prefix| format!("{prefix}.{name}")));
        }
        let hint = nearest(key, known.iter().map(String::as_str)).map(|near| format!(", did you mean `{near}`?"));
        let problem = Problem::error(&NAME, format!("unknown expectation `{key}`{}", hint.unwrap_or_default()));
        let help =
            "known: at, replicas.SERVICE, limit.cpu.SERVICE, limit.memory.SERVICE, actions, actions.SERVICE, held";
        Err(problem.at(key_place).help(help))
    }
}

fn at(text: &str, place: &Place) -> Result<Option<Instant>, Problem> {
    if text == "end" {
        return Ok(None);
    }
    match Span::parse(text) {
        Ok(span) => Ok(Some(Instant::after_start(span))),
        Err(error) => Err(Problem::error(&NAME, error.to_string())
            .at(place)
            .help("`end`, or a time from the start such as `15m`")),
    }
}

fn held(text: &str, place: &Place) -> Result<PolicyWanted, Problem> {
    if matches!(text, "none" | "nothing") {
        return Ok(PolicyWanted::NothingHeld);
    }
    if GUARDS.contains(&text) {
        return Ok(PolicyWanted::Held(text.to_owned()));
    }
    let hint = nearest(text, GUARDS).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    let problem = Problem::error(&NAME, format!("unknown guard `{text}`{hint}"));
    Err(problem.at(place).help(format!("one of: {}, none", GUARDS.join(", "))))
}

/// `40% x8, 95%, none x40`
fn values(text: &str, signal: Signal, place: &Place) -> Result<Vec<Option<Given>>, Problem> {
    let wrong =
        |why: String| Problem::error(&SERIES, why).at(place).help("a series is written like \"40% x8, 95%, none x40\"");
    let mut found = Vec::new();
    for item in text.split(',') {
        let item = item.trim();
        let repeated = item.rsplit_once(['x', 'X']).and_then(|(value, count)| {
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| (value.trim(), count.parse::<usize>().unwrap_or(usize::MAX)))
        });
        let (value, count) = repeated.unwrap_or((item, 1));
        if count == 0 || found.len().saturating_add(count) > VALUES_MAX {
            return Err(wrong(format!("`{item}` repeats {count} times; a series has 1 to {VALUES_MAX} values")));
        }
        let value = match (value, signal) {
            ("none" | "_", _) => None,
            (share, Signal::Cpu | Signal::Memory) if share.ends_with('%') => {
                Some(Given::OfLimit(Permille::parse(share).map_err(|error| wrong(error.to_string()))?))
            }
            (cpu, Signal::Cpu) => Some(Given::Cpu(Millicores::parse(cpu).map_err(|error| wrong(error.to_string()))?)),
            (size, Signal::Memory) => {
                Some(Given::Memory(Bytes::parse(size).map_err(|error| wrong(error.to_string()))?))
            }
            (text, signal) => Some(Given::Figure(figure(signal, text).map_err(wrong)?)),
        };
        found.resize(found.len() + count, value);
    }
    Ok(found)
}
