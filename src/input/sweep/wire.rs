//! A sweep as it is written. What the keys mean is in their documentation, which is also the published schema's.

use crate::input::scenario::ScalarText;
use crate::input::scenario::SeedChoice;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One scenario with fields of it varied.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// What a person calls it.
    #[schemars(length(min = 1))]
    pub sweep: String,
    /// The scenario: its file, or a folder with a `scenario.yaml`; relative to this file.
    pub scenario: String,
    /// How the points are chosen; `grid` unless said otherwise.
    #[serde(default)]
    pub method: MethodFile,
    /// How many points are drawn, or tried by `optimise`; not for a grid.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub points: Option<u32>,
    /// The seed that points are drawn from, also those of `optimise`; 1 unless said otherwise.
    pub seed: Option<u64>,
    /// What is varied: a field of the scenario (`load.api.high`, `faults[0].for`, `services."my.app".workers`) and its
    /// values. In a grid the last one changes fastest.
    #[schemars(extend("minProperties" = 1))]
    pub vary: BTreeMap<String, VaryFile>,
    /// Seeds that every point is run with: one, a range `1..5` or a list. Those of the scenario unless said otherwise.
    pub seeds: Option<SeedChoice>,
    /// What is written down beside the expectations: names, and expressions without a comparison, such as
    /// `p95(latency.api)`.
    #[serde(default)]
    pub measure: BTreeMap<String, String>,
    /// What is wanted, from two aims to four; for `optimise`.
    #[serde(default)]
    pub aim: Vec<AimFile>,
    /// Expectations that rank points: those that hold all of them come first. All unless said otherwise; for `optimise`.
    pub hold: Option<Vec<String>>,
    /// Seeds that the best points are run with once more, none of which `seeds` has: one, a range or a list. As many as
    /// `seeds`, those behind them, unless said otherwise; for `optimise`.
    pub check: Option<SeedChoice>,
}

/// One aim: a measure, or an expectation, that is to be low or high.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AimFile {
    /// This is to be as low as can be: the name of a measure or of an expectation.
    pub lowest: Option<String>,
    /// This is to be as high as can be.
    pub highest: Option<String>,
}

/// How the points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MethodFile {
    /// Every combination of all values.
    #[default]
    Grid,
    /// So many points that each field has one value in each of as many equally likely parts of its range.
    LatinHypercube,
    /// So many points, each drawn by itself.
    MonteCarlo,
    /// So many points, each generation bred from the best before it.
    Optimise,
}

/// The values of a field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum VaryFile {
    /// These, as they would stand in the scenario.
    List(#[schemars(length(min = 1))] Vec<serde_json::Value>),
    /// Numbers of a range.
    Range(RangeFile),
}

/// Numbers of a range, all in the same unit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeFile {
    /// The smallest.
    pub from: ScalarText,
    /// The largest.
    pub to: ScalarText,
    /// Only every so many: `from`, `from` + `by`, … up to `to`.
    pub by: Option<ScalarText>,
    /// Only so many, `from` and `to` among them.
    #[schemars(range(min = 2, max = 100_000))]
    pub steps: Option<u32>,
    /// How likely each is where points are drawn; `uniform` unless said otherwise.
    pub distribution: Option<DistributionFile>,
    /// The middle of a `normal` distribution.
    pub mean: Option<ScalarText>,
    /// The standard deviation of a `normal` distribution.
    pub sd: Option<ScalarText>,
}

/// How likely each number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionFile {
    /// All the same. `steps` lie evenly.
    Uniform,
    /// As likely between 1 and 10 as between 10 and 100. `steps` lie a factor apart.
    LogUniform,
    /// The bell curve of `mean` and `sd`, cut at `from` and `to`.
    Normal,
}
