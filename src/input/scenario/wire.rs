//! A scenario as it is written. What the keys mean is in their documentation, which is also the published schema's.

use super::calls::CallsFile;
use super::deployments::DeploymentFile;
use super::deployments::DockerFile;
use super::faults::FaultFile;
use super::metrics::MetricFile;
use super::overrides::OverrideFile;
use crate::input::monthly::BudgetFile;
use crate::input::policy::PolicyChoice;
use crate::input::profile::HostChoice;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::ExpressionText;
use crate::input::schema::quantity::Frequency;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::SeedRange;
use crate::input::schema::quantity::Size;
use crate::input::schema::quantity::TimeOfDay;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One experiment: a stack on a host under a load, with what is expected of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// What a person calls it.
    #[schemars(length(min = 1))]
    pub scenario: String,
    /// The Compose file or files, relative to this file.
    pub stack: StackChoice,
    /// A hardware profile by name or path, or the profile itself.
    pub host: HostChoice,
    /// A policy for all services, or a mapping from services to policies with an optional `default`. Without it nothing scales.
    pub policy: Option<PolicyChoice>,
    /// How long it runs, warm-up included. It starts at midnight of a Monday.
    pub duration: Duration,
    /// Time at the start that is simulated and not judged; 5m unless said otherwise, and at most a tenth of the duration.
    pub warmup: Option<Duration>,
    /// Length of a simulated step; 1s unless said otherwise.
    pub step: Option<Duration>,
    /// Time between two samples of the record; 10s to 1min by the length of the run unless said
    /// otherwise, shorter where windows of the expectations are.
    pub sample: Option<Duration>,
    /// One seed, a range `1..5` or a list; the verdict is over all of them. 1 unless said otherwise.
    pub seeds: Option<SeedChoice>,
    /// What the catalog does not know of a service, or knows wrongly.
    #[serde(default)]
    pub services: BTreeMap<String, ServiceFile>,
    /// Requests from outside, by the service that they reach.
    #[serde(default)]
    pub load: BTreeMap<String, LoadFile>,
    /// Metrics of the business by name, which policies may look at (`up: { custom: { orders_waiting: 100 } }`): numbers over
    /// time.
    #[serde(default)]
    pub metrics: BTreeMap<String, MetricFile>,
    /// What goes wrong, and when.
    #[serde(default)]
    pub faults: Vec<FaultFile>,
    /// Services whose instances are replaced by new ones, and when.
    #[serde(default)]
    pub deployments: Vec<DeploymentFile>,
    /// Numbers of instances that somebody orders, past every policy.
    #[serde(default)]
    pub overrides: Vec<OverrideFile>,
    /// How the Docker engine of the host behaves; a change of limits is done at once unless said otherwise.
    pub docker: Option<DockerFile>,
    /// What lies between the truth and the engine.
    pub sensors: Option<SensorsFile>,
    /// What must hold: names and expressions.
    #[serde(default)]
    pub expect: BTreeMap<String, ExpectFile>,
    /// What a month may cost: `40 USD`. That of `plimsoll.yaml` unless said otherwise.
    pub budget: Option<BudgetFile>,
}

/// Where the stack is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StackChoice {
    /// One Compose file.
    File(String),
    /// Compose files, each merged onto the ones before it.
    Files(#[schemars(length(min = 1))] Vec<String>),
    /// Compose files with what `docker compose` takes as flags.
    Full(StackFile),
}

/// Compose files with what `docker compose` takes as flags.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackFile {
    /// Compose files, each merged onto the ones before it.
    pub files: OneOrMany,
    /// Active profiles, as `--profile`.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Files of variables, as `--env-file`.
    pub env_file: Option<OneOrMany>,
    /// Name of the project, as `-p`.
    pub project: Option<String>,
}

/// One text or a list of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// The seeds of a scenario.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SeedChoice {
    /// One seed, or a range.
    Range(SeedRange),
    /// A list of seeds.
    List(#[schemars(length(min = 1))] Vec<u64>),
}

/// What is known of a service beyond its Compose file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// What one request costs.
    pub work: Option<WorkFile>,
    /// Requests that one instance works on at once.
    /// One that waits for a call is free for the next, as in asynchronous servers, unless the service is `blocking`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub workers: Option<u32>,
    /// A worker waits for the calls of its request, as in most servers with a pool of threads. Needs `workers`.
    pub blocking: Option<bool>,
    /// Requests that may wait for a worker of one instance; more are refused. Needs `workers`; without limit unless said otherwise.
    #[schemars(range(max = 1_000_000))]
    pub backlog: Option<u32>,
    /// How its requests are spread over its instances: `random`, as behind a balancer that looks at nothing, unless said
    /// otherwise.
    pub balance: Option<BalanceFile>,
    /// A request that takes longer fails.
    pub timeout: Option<Duration>,
    /// CPU that an idle instance uses.
    pub idle_cpu: Option<Cpus>,
    /// Memory that an idle instance holds.
    pub idle_memory: Option<Size>,
    /// Growth of its memory per hour, without end.
    pub leak_per_hour: Option<Size>,
    /// Time from the start of the process until it answers.
    pub start_up: Option<Duration>,
    /// CPU that an instance wants while it starts.
    pub start_cpu: Option<Cpus>,
    /// Data that the reads of an instance are spread over; what of it is in the page cache is not read from disk.
    pub data: Option<Size>,
    /// Size of its image as it is pulled. Its first start, and a deployment with a new image, wait for that.
    pub image_size: Option<Size>,
    /// Instances at the start, where not as the Compose file says.
    #[schemars(range(min = 1, max = 10_000))]
    pub replicas: Option<u32>,
    /// Holds data, so two instances may never run side by side.
    pub stateful: Option<bool>,
    /// 1 critical path, 2 workflow, 3 background.
    #[schemars(range(min = 1, max = 3))]
    pub tier: Option<u8>,
    /// What it is for: `api`, `database`, `proxy`.
    pub role: Option<String>,
}

/// The cost of one request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkFile {
    /// Mean CPU time on a reference core.
    pub cpu: Option<Duration>,
    /// How the CPU time varies from request to request; exponential unless said otherwise.
    pub spread: Option<SpreadFile>,
    /// Memory held while the request is worked on.
    pub memory: Option<Size>,
    /// Calls to other services for one request.
    pub calls: Option<CallsFile>,
    /// Size of a request as it is sent, headers included: `5k`. From outside it comes in over the line of the host, whose
    /// bandwidth is `hardware: { network_mbit: ... }` of the profile. Nothing unless said otherwise.
    pub request: Option<Size>,
    /// Size of the answer as it is sent: `2m`. To the outside it goes out over the same line. Nothing unless said otherwise.
    pub answer: Option<Size>,
    /// Reads from disk for one request, before any page is found in memory; none unless said otherwise.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub reads: Option<f64>,
    /// Writes to disk for one request; each waits until it is there, as the commit of a database does. None unless said
    /// otherwise.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub writes: Option<f64>,
    /// Size of a read; 4K unless said otherwise.
    pub read_size: Option<Size>,
    /// Size of a write; 4K unless said otherwise.
    pub write_size: Option<Size>,
}

/// How the CPU time of a request varies.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpreadFile {
    /// Always the mean.
    Constant,
    /// Exponential.
    Exponential,
    /// Nine of ten take half the mean, one takes 5.5 times the mean.
    Heavy,
}

/// How the requests of a service are spread over its instances.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceFile {
    /// Each goes to any instance.
    Random,
    /// One instance after the other, as nginx and HAProxy do unless told otherwise.
    RoundRobin,
    /// To the instance that has the fewest requests, and to the next in turn among several such: `least_conn` of nginx,
    /// `leastconn` of HAProxy.
    LeastConnections,
}

/// The load on a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LoadFile {
    /// Always the same rate.
    Rate(Frequency),
    /// A rate that follows a pattern.
    Pattern(PatternFile),
    /// Measured rates from a CSV file.
    Trace(TraceFile),
}

/// How arrivals scatter around the rate.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoiseFile {
    /// Each second gets a Poisson count.
    #[default]
    Poisson,
    /// Each second gets exactly its share.
    None,
}

/// A corner of a curve: a time and the rate at that time.
pub(super) type Corner = (Duration, Frequency);

/// A rate over time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "pattern", rename_all = "snake_case", deny_unknown_fields)]
pub enum PatternFile {
    /// Always the same.
    Constant {
        /// The rate.
        rate: Frequency,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// A straight line, level before and after it.
    Ramp {
        /// Rate before the line.
        from: Frequency,
        /// Rate after the line.
        to: Frequency,
        /// When the line begins; at once unless said otherwise.
        start: Option<Duration>,
        /// How long it takes; to the end unless said otherwise.
        over: Option<Duration>,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// Levels: each holds from its time to the next.
    Steps {
        /// Times and rates, in order of time.
        #[schemars(length(min = 1))]
        rate: Vec<Corner>,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// Corners joined by straight lines, level before the first and after the last.
    Points {
        /// Times and rates, in order of time.
        #[schemars(length(min = 1))]
        rate: Vec<Corner>,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// A cosine over the day.
    Diurnal {
        /// Rate twelve hours from the peak.
        low: Frequency,
        /// Rate at the peak.
        high: Frequency,
        /// Time of day of the peak.
        peak_at: TimeOfDay,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// A diurnal curve with a lower peak at the weekend. The run starts on a Monday.
    Weekly {
        /// Rate twelve hours from the peak.
        low: Frequency,
        /// Rate at the peak of a working day.
        high: Frequency,
        /// Rate at the peak of Saturday and Sunday.
        weekend: Frequency,
        /// Time of day of the peak.
        peak_at: TimeOfDay,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// A steady rate with one crowd on top.
    FlashCrowd {
        /// Rate without the crowd.
        base: Frequency,
        /// Rate with it.
        peak: Frequency,
        /// When it starts to come.
        at: Duration,
        /// How long it comes.
        rise: Duration,
        /// How long it stays.
        hold: Duration,
        /// How long it leaves.
        fall: Duration,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// Two rates in turn, each for a random time.
    Bursty {
        /// Rate between bursts.
        low: Frequency,
        /// Rate in a burst.
        high: Frequency,
        /// Mean time between bursts.
        quiet: Duration,
        /// Mean length of a burst.
        burst: Duration,
        /// How arrivals scatter.
        #[serde(default)]
        noise: NoiseFile,
    },
    /// Clients who send a request, wait for its answer, think, and send the next (a closed loop).
    Clients {
        /// How many there are, or times and numbers, in order of time.
        clients: ClientsFile,
        /// Mean time from an answer to the next request; none unless said otherwise.
        think: Option<Duration>,
    },
}

/// How many clients there are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ClientsFile {
    /// Always so many.
    Number(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// Times and numbers, each from its time to the next.
    Steps(#[schemars(length(min = 1))] Vec<(Duration, ClientCount)>),
}

/// A number of clients.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientCount(#[schemars(range(max = 1_000_000))] pub u32);

/// Measured rates from a CSV file with a header, whose first column `t_s` counts seconds. An empty cell and a gap in time
/// are outages: nothing is known to have come, so nothing comes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// The CSV file, relative to this file.
    #[schemars(length(min = 1))]
    pub trace: String,
    /// Which column; may be left out where there is only one beside the time.
    pub column: Option<String>,
    /// What the values count requests per: `1s` for rates, `1m` for requests per minute. The step of the file unless said
    /// otherwise, so that a value counts the requests from its row to the next.
    pub per: Option<Duration>,
    /// `rows`: every row is one request. They are counted over `per`, 10s unless said otherwise.
    pub count: Option<CountFile>,
    /// Only rows with these values, for files that hold several series: `{ vm_id: 0 }`.
    #[serde(default, rename = "where")]
    pub only: BTreeMap<String, f64>,
    /// What each rate is multiplied with: `0.5`, `200%`.
    pub scale: Option<ScaleFile>,
    /// Where in the file the run begins.
    pub from: Option<Duration>,
    /// How much faster time passes: with 24 a day of the file takes an hour. Rates stay as they are.
    #[schemars(range(min = 1, max = 100_000))]
    pub speed: Option<u32>,
    /// Starts again at its end. Otherwise nothing comes after the end.
    #[serde(default)]
    pub repeat: bool,
    /// How arrivals scatter.
    #[serde(default)]
    pub noise: NoiseFile,
}

/// What is counted.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountFile {
    /// Rows.
    Rows,
}

/// A factor.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ScaleFile {
    /// A number.
    Number(#[schemars(range(min = 0, max = 1_000_000))] f64),
    /// In percent.
    Percent(Percent),
}

/// Nothing to say: `{}`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyFile {}

/// What lies between the truth and the engine.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorsFile {
    /// Time between two scrapes; 15s unless said otherwise.
    pub scrape: Option<Duration>,
    /// Window that rates are taken over; the policies' window unless said otherwise.
    pub window: Option<Duration>,
    /// Time from a scrape until the engine can see it; none unless said otherwise.
    pub delay: Option<Duration>,
    /// Time between two looks of the engine; the shortest `every` of the policies unless said otherwise.
    pub look: Option<Duration>,
    /// Share of scrapes that are lost, each instance's by itself; none unless said otherwise.
    pub gaps: Option<Percent>,
    /// Each round of scrapes comes up to so much later than planned; none unless said otherwise.
    pub jitter: Option<Duration>,
    /// Measurements older than this are not seen any more, as after five minutes in Prometheus; without it they stay, and
    /// grow old.
    pub forgotten_after: Option<Duration>,
    /// Where measurements come from; `prometheus` unless said otherwise.
    pub source: Option<SourceFile>,
}

/// Where measurements come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceFile {
    /// Scrapes in a steady rhythm, rates over a window.
    Prometheus,
    /// The Docker engine's own statistics, asked for at each look: usage over the last second.
    Docker,
}

/// An expectation, alone or with a tolerance against the committed baseline.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ExpectFile {
    /// The expression.
    Text(ExpressionText),
    /// The expression with more.
    Full(ExpectFullFile),
}

/// An expectation with a tolerance against the committed baseline.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectFullFile {
    /// The expression.
    pub expr: ExpressionText,
    /// How much worse than the committed baseline it may be.
    pub baseline: Option<ToleranceFile>,
}

/// How much worse than the baseline a measurement may be: both must be exceeded to fail.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToleranceFile {
    /// Relative to the baseline.
    pub worse_by: Percent,
    /// In the unit of the measure: `5ms`, `10M`.
    pub and_at_least: Option<ScalarText>,
}

/// A figure whose unit is checked against the measure.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ScalarText {
    /// With a unit.
    Text(String),
    /// Without one.
    Number(f64),
}
