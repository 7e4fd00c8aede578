//! One scenario or policy test, run for `plimsoll test`: what passed, what failed, what is worse than its baseline.

use super::clock;
use super::codes;
use super::exit::Failure;
use super::output;
use super::project;
use super::running;
use super::running::Done;
use super::running::Wanted;
use crate::input::policy_test;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::input::scenario::Resolved;
use crate::model::PolicyTest;
use crate::report::Baseline;
use crate::report::Case;
use crate::report::ChangeKind;
use crate::report::Report;
use crate::report::Suite;
use crate::report::expected;
use crate::report::quoted;
use crate::run;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// A scenario or policy test that is ready to run.
pub(super) struct Test {
    /// Its path from the project's directory, with `/`.
    pub(super) name: String,
    /// Its file.
    pub(super) path: PathBuf,
    what: What,
}

/// Whether a scenario is held to its baseline: not while that is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    ToBaseline,
    ToNothing,
}

enum What {
    Scenario(Box<Resolved>, Option<Box<Baseline>>),
    Policy(PolicyTest),
}

impl Test {
    /// Reads a scenario, and the baseline it is held to, where it is to be.
    ///
    /// # Errors
    ///
    /// All that is wrong with them.
    pub(super) fn scenario(name: String, path: PathBuf, options: &LoadOptions, hold: Hold) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let before = match hold {
            Hold::ToBaseline => baseline(&baseline_path(&path)).unwrap_or_else(|problem| {
                problems.push(problem);
                None
            }),
            Hold::ToNothing => None,
        };
        let resolved = match scenario::load(&path, options) {
            Ok(resolved) if !problems.has_errors() => resolved,
            Ok(_) => return Err(problems),
            Err(found) => {
                problems.extend(found);
                return Err(problems);
            }
        };
        Ok(Self { name, path, what: What::Scenario(Box::new(resolved), before.map(Box::new)) })
    }

    /// Reads a policy test.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub(super) fn policy(name: String, path: PathBuf) -> Result<Self, Problems> {
        let test = policy_test::load(&path)?;
        Ok(Self { name, path, what: What::Policy(test) })
    }

    /// What the reader should know although it is no error.
    pub(super) fn warnings(&self) -> Option<&Problems> {
        match &self.what {
            What::Scenario(resolved, _) => Some(&resolved.warnings),
            What::Policy(_) => None,
        }
    }

    /// The names of its checks, in order.
    pub(super) fn checks(&self) -> Vec<String> {
        match &self.what {
            What::Scenario(resolved, _) => {
                let expected = expected(&resolved.scenario);
                if expected.is_empty() {
                    return vec![RUNS.to_owned()];
                }
                expected.into_iter().map(|expectation| expectation.name).collect()
            }
            What::Policy(test) => test.cases.iter().map(|case| case.name.clone()).collect(),
        }
    }

    /// Samples it takes: the steps of a progress bar.
    pub(super) fn samples(&self) -> u64 {
        match &self.what {
            What::Scenario(resolved, _) => running::samples(&resolved.scenario),
            What::Policy(_) => 0,
        }
    }

    /// The file of its baseline.
    pub(super) fn baseline_path(&self) -> PathBuf {
        baseline_path(&self.path)
    }

    /// Runs it and judges what came of it.
    ///
    /// # Errors
    ///
    /// Where the engine breaks its own rules, and where files cannot be read or written.
    pub(super) fn run(&self, wanted: &Wanted, progress: &(dyn Fn() + Sync)) -> Result<Finished, Failure> {
        let (finished, took) = clock::timed(|| match &self.what {
            What::Scenario(resolved, before) => self.simulated(resolved, before.as_deref(), wanted, progress),
            What::Policy(test) => Ok(self.judged(test)),
        });
        finished.map(|finished| Finished { took, ..finished })
    }

    fn simulated(
        &self,
        resolved: &Resolved,
        before: Option<&Baseline>,
        wanted: &Wanted,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Finished, Failure> {
        let Done { report, lost } =
            running::run(&resolved.scenario, &super::inputs::shown(&self.path), wanted, progress)?;
        let suite = Suite { name: self.name.clone(), ..Suite::of(&report) };
        let changes = before.map(|before| before.compare(&report)).unwrap_or_default();
        let (worse, better): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| change.kind != ChangeKind::Better);
        let texts = |changes: Vec<crate::report::Change>| changes.into_iter().map(|change| change.text).collect();
        let checks = suite.cases.iter().map(Check::of).collect();
        Ok(Finished {
            name: self.name.clone(),
            took: Duration::ZERO,
            checks,
            worse: texts(worse),
            better: texts(better),
            report: Some(Box::new(report)),
            lost,
        })
    }

    fn judged(&self, test: &PolicyTest) -> Finished {
        let results = run::policy_test::judge(test);
        let repeat = quoted(&self.name);
        let failed = |failure: &run::policy_test::Failure| {
            let (at, wanted, got) = (failure.at, &failure.wanted, &failure.got);
            format!("at {at}\nwant   {wanted}\ngot    {got}\nrepeat plimsoll test {repeat}")
        };
        let line = |failure: &run::policy_test::Failure| format!("want {}, got {}", failure.wanted, failure.got);
        let checks = results
            .into_iter()
            .map(|result| Check {
                line: result.failures.first().map(line).unwrap_or_default(),
                failures: result.failures.iter().map(failed).collect(),
                name: result.name,
            })
            .collect();
        let (worse, better) = (Vec::new(), Vec::new());
        Finished { name: self.name.clone(), took: Duration::ZERO, checks, worse, better, report: None, lost: None }
    }
}

/// The check of a scenario that expects nothing.
const RUNS: &str = "runs to its end";

/// What came of a test.
pub(super) struct Finished {
    /// The name of the test.
    pub(super) name: String,
    /// Wall time.
    pub(super) took: Duration,
    /// Its expectations or cases.
    pub(super) checks: Vec<Check>,
    /// What is worse than, or other than, the baseline.
    pub(super) worse: Vec<String>,
    /// What is better.
    pub(super) better: Vec<String>,
    /// The report of a scenario.
    pub(super) report: Option<Box<Report>>,
    /// The record that could not be written.
    pub(super) lost: Option<Failure>,
}

/// One expectation or case.
pub(super) struct Check {
    /// Its name.
    pub(super) name: String,
    /// What is wrong, in a line; empty where it holds.
    pub(super) line: String,
    /// What is wrong, each at length; none where it holds.
    pub(super) failures: Vec<String>,
}

impl Check {
    fn of(case: &Case) -> Self {
        let (line, failures) =
            case.failure.iter().cloned().map(|(line, long)| (line, vec![long])).next().unwrap_or_default();
        Self { name: case.name.clone(), line, failures }
    }
}

impl Finished {
    /// Whether all checks hold.
    pub(super) fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.failures.is_empty())
    }

    /// As JUnit knows it: the checks, and the comparison with the baseline where there is anything to say.
    pub(super) fn suite(&self) -> Suite {
        let mut cases: Vec<Case> = self
            .checks
            .iter()
            .map(|check| {
                let failure = (!check.failures.is_empty()).then(|| (check.line.clone(), check.failures.join("\n")));
                Case { name: check.name.clone(), failure }
            })
            .collect();
        if !self.worse.is_empty() {
            let summary = format!("worse than the baseline: {}", self.worse[0]);
            cases.push(Case { name: "baseline".to_owned(), failure: Some((summary, self.worse.join("\n"))) });
        }
        Suite { name: self.name.clone(), cases, seconds: Some(self.took.as_secs_f64()) }
    }
}

/// What the file of a baseline is called.
const BASELINE: &str = "baseline.json";

/// The file of a scenario's baseline: `baseline.json` beside a `scenario.yaml`, else `NAME.baseline.json`.
fn baseline_path(scenario: &Path) -> PathBuf {
    let file = scenario.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file.trim_end_matches(".yml").trim_end_matches(".yaml").trim_end_matches(".scenario");
    let own = if stem == "scenario" { BASELINE.to_owned() } else { format!("{stem}.{BASELINE}") };
    scenario.with_file_name(own)
}

/// Baselines whose scenario is gone: they hold nothing to anything, and nobody would notice.
pub(super) fn forgotten(below: &Path, scenarios: &[PathBuf]) -> Problems {
    let known: BTreeSet<PathBuf> = scenarios.iter().map(|scenario| baseline_path(scenario)).collect();
    let forgotten = project::ending_with(below, BASELINE).into_iter().filter(|path| {
        // Other programs have files of this name, too.
        let ours = || std::fs::read_to_string(path).is_ok_and(|text| Baseline::read(&text).is_ok());
        !known.contains(path) && ours()
    });
    let mut problems = Problems::new();
    for path in forgotten {
        let message = format!("`{}` is the baseline of no scenario", super::inputs::shown(&path));
        let help = "its scenario was moved or removed: move or remove the baseline, too";
        problems.push(Problem::warning(&codes::BASELINE, message).help(help));
    }
    problems
}

/// The committed baseline, where there is one.
fn baseline(path: &Path) -> Result<Option<Baseline>, Problem> {
    let shown = super::inputs::shown(path);
    let problem = |why: String| {
        let problem = Problem::error(&codes::BASELINE, format!("{shown}: {why}"));
        let own = path.parent().map(super::inputs::shown).unwrap_or_default();
        let again = format!("`plimsoll test --update {}`", quoted(&own));
        problem.help(format!("take the committed version again, or write it anew with {again}"))
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Baseline::read(&text).map(Some).map_err(|error| problem(error.to_string())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(problem("this is no text".to_owned())),
        Err(error) => Err(problem(format!("cannot read it: {}", output::said(&error)))),
    }
}

/// Writes the baseline of a report, where it is not what is there already; says whether it was written.
///
/// # Errors
///
/// Where it cannot be written.
pub(super) fn update(path: &Path, report: &Report) -> Result<bool, Failure> {
    let text = Baseline::of(report).text();
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    output::write(path, text.as_bytes())?;
    Ok(true)
}
