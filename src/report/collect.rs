//! One run taken in, event by event; several runs of a scenario together.

use super::effectiveness;
use super::effectiveness::Policies;
use super::effectiveness::PolicyFigures;
use super::judge::Judge;
use super::judge::Judged;
use super::judge::Verdict;
use super::judge::expected;
use super::judge::verdicts;
use super::series::Series;
use super::story::Story;
use super::summary;
use super::summary::Summary;
use super::summary::Summing;
use crate::model::Scenario;
use crate::money::Spent;
use crate::record::Event;
use crate::record::Header;
use crate::seed::Seed;
use crate::units::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Whether a run keeps what plots are drawn from: three megabytes for 19 services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Figures and verdict only.
    Figures,
    /// The points of the plots, too.
    Plots,
}

/// Takes the events of one run.
#[derive(Debug)]
pub struct Collector {
    scenario: Arc<Scenario>,
    seed: Seed,
    plimsoll_version: String,
    judge: Judge,
    summing: Summing,
    policies: Policies,
    story: Story,
    series: Option<Series>,
    end: Instant,
}

impl Collector {
    /// For the run that begins with this header.
    #[must_use]
    pub fn new(header: &Header, keep: Keep) -> Self {
        let scenario = Arc::new(header.scenario.clone());
        Self {
            judge: Judge::new(&scenario),
            summing: Summing::new(&scenario),
            policies: Policies::new(&scenario),
            story: Story::default(),
            series: (keep == Keep::Plots).then(|| Series::new(&scenario)),
            seed: header.seed,
            plimsoll_version: header.plimsoll_version.clone(),
            scenario,
            end: Instant::START,
        }
    }

    /// Takes the next event; the first one, the header, may be among them.
    pub fn take(&mut self, event: &Event) {
        self.judge.take(event);
        self.summing.take(event);
        self.policies.take(event);
        self.story.take(event);
        match event {
            Event::Sampled(sample) => {
                self.end = sample.at;
                if let Some(series) = &mut self.series {
                    series.take(sample);
                }
            }
            Event::Ended { at, .. } => self.end = *at,
            Event::Seen { at, observation } => {
                if let Some(series) = &mut self.series {
                    series.see(*at, observation);
                }
            }
            Event::Began(_) | Event::Decided { .. } | Event::Happened { .. } => {}
        }
    }

    /// What is known of the run.
    #[must_use]
    pub fn finish(self) -> Run {
        let (judged, spent) = self.judge.finish(self.end);
        Run {
            judged,
            spent,
            scenario: self.scenario,
            seed: self.seed,
            plimsoll_version: self.plimsoll_version,
            summary: self.summing.finish(),
            policies: self.policies.finish(),
            story: self.story,
            series: self.series,
            end: self.end,
        }
    }
}

/// What is known of one run.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was run.
    pub scenario: Arc<Scenario>,
    /// With which seed.
    pub seed: Seed,
    /// By which version of the program.
    pub plimsoll_version: String,
    /// What came of the expectations.
    pub judged: Vec<Judged>,
    /// What was spent of the budget, where there is one.
    pub spent: Option<Spent>,
    /// Figures.
    pub summary: Summary,
    /// What came of its policies.
    pub policies: Vec<PolicyFigures>,
    /// What was done and what happened.
    pub story: Story,
    /// What the plots are drawn from.
    pub series: Option<Series>,
    /// Its end.
    pub end: Instant,
}

impl Run {
    /// Whether all expectations hold in this run.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.judged.iter().all(|judged| judged.passed)
    }
}

/// The points of the one run whose plots are shown: the first that failed, else the first. However many runs there are, in
/// whatever order they end, only these are kept.
#[derive(Debug, Default)]
pub struct Shown(Mutex<Option<((bool, Seed), Series)>>);

impl Shown {
    /// Takes the points of a run, and keeps them where no better ones were offered.
    pub fn offer(&self, run: &mut Run) {
        let Some(series) = run.series.take() else { return };
        let place = (run.passed(), run.seed);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(best, _)| place < *best) {
            *kept = Some((place, series));
        }
    }

    /// Gives the points back to their run.
    pub fn give(self, runs: &mut [Run]) {
        let Some(((_, seed), series)) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner) else { return };
        if let Some(run) = runs.iter_mut().find(|run| run.seed == seed) {
            run.series = Some(series);
        }
    }
}

/// All runs of one scenario.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was run.
    pub scenario: Arc<Scenario>,
    /// The scenario as the user named it, for the command that shows a run again.
    pub path: String,
    /// What else was given on the command line and changes the run, such as `--host kvm-6`; for the same command.
    pub options: Vec<String>,
    /// The record of each seed, where the report is made from records: they hold the scenario, so they show it again.
    pub records: BTreeMap<Seed, String>,
    /// Verdicts over all seeds, in the order of the scenario.
    pub verdicts: Vec<Verdict>,
    /// Figures over all seeds.
    pub together: Summary,
    /// What came of its policies over all seeds.
    pub policies: Vec<PolicyFigures>,
    /// The runs, by seed.
    pub runs: Vec<Run>,
    /// Place in `runs` of the run that is shown: the first that failed, else the first.
    pub shown: usize,
    /// Time the runs took in seconds, where the caller measured it.
    pub wall_seconds: Option<f64>,
}

impl Report {
    /// A report on the runs of one scenario; `None` without a run. Only the run that is shown keeps its plots.
    #[must_use]
    pub fn new(path: &str, mut runs: Vec<Run>, wall_seconds: Option<f64>) -> Option<Self> {
        runs.sort_by_key(|run| run.seed);
        let judged: Vec<(Seed, Vec<Judged>)> = runs.iter().map(|run| (run.seed, run.judged.clone())).collect();
        let shown = runs.iter().position(|run| !run.passed()).unwrap_or(0);
        for (place, run) in runs.iter_mut().enumerate() {
            if place != shown {
                run.series = None;
            }
        }
        let together = summary::together(runs.iter().map(|run| &run.summary))?;
        let policies = effectiveness::together(runs.iter().map(|run| run.policies.as_slice()));
        let scenario = Arc::clone(&runs.first()?.scenario);
        let verdicts = verdicts(&expected(&scenario), &judged);
        Some(Self {
            scenario,
            path: path.to_owned(),
            options: Vec::new(),
            records: BTreeMap::new(),
            verdicts,
            together,
            policies,
            runs,
            shown,
            wall_seconds,
        })
    }

    /// Whether all expectations hold over the seeds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.passed)
    }

    /// The run whose plots and story are shown.
    #[must_use]
    pub fn shown(&self) -> &Run {
        &self.runs[self.shown]
    }

    /// The command that shows one seed again.
    #[must_use]
    pub fn command(&self, seed: Seed) -> String {
        if let Some(record) = self.records.get(&seed) {
            return format!("plimsoll report {}", quoted(record));
        }
        let given = std::iter::once(&self.path).chain(&self.options);
        let words: Vec<String> = given.map(|word| quoted(word)).collect();
        format!("plimsoll simulate {} --seed {}", words.join(" "), seed.get())
    }
}

/// A word as a shell reads it back.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reaches_the_shell_as_it_is() {
        for plain in ["a/b-c_1.yml", "--exclude=cAdvisor", "1..20", "a@b:c,d"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my files/it's.yml"), "'my files/it'\\''s.yml'");
        // A shell would take it for the home of a user.
        assert_eq!(quoted("~x"), "'~x'");
        assert_eq!(quoted(""), "''");
    }
}
