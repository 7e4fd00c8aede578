//! The project's own file, `plimsoll.yaml`.

use crate::input::monthly::BudgetFile;
use crate::input::problem::Code;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::schema;
use crate::input::schema::quantity::Amount;
use crate::input::upwards::upwards;
use crate::model::MonthlyBudget;
use crate::model::Preset;
use crate::model::Rates;
use crate::units::Currency;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Codes of the project's own file.
pub const CODES: &[&Code] = &[&RATE];

static RATE: Code = Code {
    id: "PL0452",
    title: "a rate that is none",
    explanation: "`rates` of `plimsoll.yaml` says what one unit of a currency is worth in another, so that prices can be \
compared:

    rates: { EUR: 1.08 USD }

It is above zero, and in another currency. `plimsoll fit --rate EUR=1.08USD` says the same for once. Without a rate prices of \
two currencies are never put beside each other.",
};

/// Name of the file.
pub const FILE_NAME: &str = "plimsoll.yaml";

/// What a project sets for all its scenarios. Everything is optional; a project may do without the file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectFile {
    /// What a person calls the project.
    pub project: Option<String>,
    /// Folder with the scenarios, relative to this file; `scenarios` unless said otherwise.
    pub scenarios: Option<String>,
    /// Folder that runs, reports and other results go to; `.plimsoll` unless said otherwise.
    pub results: Option<String>,
    /// Folders, relative to this file, that `validate` passes over where it is told no path: test data, generated files.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Host of commands that are told none.
    pub host: Option<String>,
    /// How much of a host a budget uses where the command is not told.
    pub preset: Option<Preset>,
    /// Scenarios that run at the same time; as many as there are cores unless said otherwise.
    #[schemars(range(min = 1, max = 1024))]
    pub jobs: Option<u32>,
    /// What a month may cost, for scenarios that do not say it themselves: `40 USD`.
    pub budget: Option<BudgetFile>,
    /// What one unit of a currency is worth in another, by its code: `EUR: 1.08 USD`. Without one, prices of two currencies
    /// are not compared.
    #[serde(default)]
    pub rates: BTreeMap<String, Amount>,
}

/// A project: its folder and its settings.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that holds the file, or the folder that was asked for where there is none.
    pub folder: PathBuf,
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// Its settings.
    pub settings: ProjectFile,
    /// What a month may cost, where that is said.
    pub budget: Option<MonthlyBudget>,
    /// What currencies are worth in others.
    pub rates: Rates,
}

impl Project {
    /// Finds `plimsoll.yaml` in this folder or the nearest one above it; without one, the folder itself with no settings.
    ///
    /// # Errors
    /// All that is wrong with the file.
    pub fn find(folder: &Path) -> Result<Self, Problems> {
        let found = upwards(folder).into_iter().map(|above| above.join(FILE_NAME)).find(|path| path.is_file());
        let Some(path) = found else {
            return Ok(Self {
                folder: folder.to_owned(),
                file: None,
                settings: ProjectFile::default(),
                budget: None,
                rates: Rates::default(),
            });
        };
        let (node, settings) = schema::read::<ProjectFile>(&Source::read(&path)?)?;
        let mut problems = Problems::new();
        let place = node.get("budget").unwrap_or(&node);
        let budget = settings.budget.map(|budget| budget.budget(place, &mut problems));
        let mut rates = Rates::default();
        for (of, worth) in &settings.rates {
            if !Currency::parse(of).is_ok_and(|of| rates.set(of, worth.0)) {
                let message = format!("`{of}: {}` is no rate of a currency in another", worth.0);
                let problem = Problem::error(&RATE, message).at(&schema::place_of(&node, &format!("/rates/{of}")));
                problems.push(problem.help("write what one unit is worth in another currency: `EUR: 1.08 USD`"));
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let folder = path.parent().unwrap_or(folder).to_owned();
        Ok(Self { folder, file: Some(path), settings, budget, rates })
    }

    /// The folder with the scenarios.
    #[must_use]
    pub fn scenarios(&self) -> PathBuf {
        self.folder.join(self.settings.scenarios.as_deref().unwrap_or("scenarios"))
    }

    /// The folders that are passed over.
    #[must_use]
    pub fn ignored(&self) -> Vec<PathBuf> {
        self.settings.ignore.iter().map(|folder| self.folder.join(folder)).collect()
    }

    /// The folder for results.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.folder.join(self.settings.results.as_deref().unwrap_or(".plimsoll"))
    }
}
