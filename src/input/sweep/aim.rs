//! What a sweep is tuned for: aims, the expectations that rank points, and the seeds that the search does not see.

use super::MethodFile;
use super::SweepFile;
use super::seeds;
use crate::input::problem::Code;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::input::scenario::Opened;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::Expectation;
use crate::model::MonthlyBudget;
use crate::seed::Seed;
use std::collections::BTreeSet;

pub(super) static AIM: Code = Code {
    id: "PL0444",
    title: "a sweep without aims that it can be tuned for",
    explanation: "`method: optimise` looks for the values that are best in two to four aims at once. Each is a measure or an \
expectation of the scenario, that is to be as low or as high as can be:

    method: optimise
    points: 64
    measure:
      instances: mean(replicas.api)
      slow: p95(latency.api, 12m..22m)
    aim:
      - lowest: instances
      - lowest: slow
    hold: [nobody is sent away]     # all expectations unless said otherwise; [] for none
    seeds: 1..3                     # what the search sees
    check: 11..15                   # what it does not see

One aim alone is the wrong question where it can be had for nothing: the cheapest policy is the one that never scales. `check` and \
`seeds` have no seed in common, else the check would say nothing. Other methods have none of these keys.",
};

/// With more aims nearly every point is best in something.
const AIMS_MAX: usize = 4;

/// One thing that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    /// The measure or the expectation of which what is measured counts.
    pub name: String,
    /// Whether it is to be high.
    pub highest: bool,
}

/// What a sweep is tuned for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// What is wanted, in the order of the file.
    pub aims: Vec<Aim>,
    /// Expectations that rank points: those that hold them all come first.
    pub hold: Vec<String>,
    /// The seeds that the search does not see, in order.
    pub check: Vec<Seed>,
}

/// Reads what a sweep is tuned for; `None` for other methods, and where something is wrong.
pub(super) fn tuning(
    file: &SweepFile,
    node: &Node,
    opened: &Opened,
    measures: &[Expectation],
    problems: &mut Problems,
) -> Option<Tuning> {
    let at = |pointer: &str| schema::place_of(node, pointer);
    if file.method != MethodFile::Optimise {
        let given = [("aim", !file.aim.is_empty()), ("hold", file.hold.is_some()), ("check", file.check.is_some())];
        for (key, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{key}` is for `method: optimise`");
            problems.push(Problem::error(&AIM, message).at(&at(&format!("/{key}"))));
        }
        return None;
    }
    let scenario = &opened.resolved.scenario;
    let budget = scenario.budget.iter().map(|_| MonthlyBudget::EXPECTATION.to_owned());
    let expected: Vec<String> = scenario.expect.iter().map(|one| one.name.clone()).chain(budget).collect();
    let known: Vec<&str> =
        measures.iter().map(|one| one.name.as_str()).chain(expected.iter().map(String::as_str)).collect();
    let mut aims: Vec<Aim> = Vec::new();
    for (place, aim) in file.aim.iter().enumerate() {
        let here = at(&format!("/aim/{place}"));
        let (name, highest) = match (&aim.lowest, &aim.highest) {
            (Some(name), None) => (name, false),
            (None, Some(name)) => (name, true),
            _ => {
                let message = "an aim is either `lowest: NAME` or `highest: NAME`";
                problems.push(Problem::error(&AIM, message).at(&here));
                continue;
            }
        };
        if !known.contains(&name.as_str()) {
            problems.push(unknown(name, &known, "measure or expectation").at(&here).help("name it below `measure:`"));
        } else if aims.iter().any(|known| known.name == *name) {
            problems.push(Problem::error(&AIM, format!("`{name}` is an aim twice")).at(&here));
        }
        aims.push(Aim { name: name.clone(), highest });
    }
    if !(2..=AIMS_MAX).contains(&file.aim.len()) {
        let message = format!("a sweep is tuned for two to {AIMS_MAX} aims, not for {}", file.aim.len());
        let help =
            "say what is to be low or high beside the other, such as `aim: [{ lowest: instances }, { lowest: slow }]`";
        problems.push(
            Problem::error(&AIM, message).at(&at(if file.aim.is_empty() { "/method" } else { "/aim" })).help(help),
        );
    }
    for (place, name) in file.hold.iter().flatten().enumerate().filter(|(_, name)| !expected.contains(name)) {
        let names: Vec<&str> = expected.iter().map(String::as_str).collect();
        problems.push(unknown(name, &names, "expectation").at(&at(&format!("/hold/{place}"))));
    }
    let seen: BTreeSet<Seed> = scenario.seeds.iter().copied().collect();
    let check: BTreeSet<Seed> = match &file.check {
        Some(choice) => seeds(Some(choice)).into_iter().collect(),
        None => {
            let last = seen.last().map_or(0, |seed| seed.get());
            (1..=seen.len() as u64).map(|more| Seed::new(last.saturating_add(more))).collect()
        }
    };
    let both: Vec<String> = check.intersection(&seen).map(|seed| seed.get().to_string()).collect();
    if !both.is_empty() {
        let message = format!("the check would use seeds that the search sees: {}", both.join(", "));
        let place = at(if file.check.is_some() { "/check" } else { "/seeds" });
        problems.push(Problem::error(&AIM, message).at(&place).help("`check` and `seeds` have no seed in common"));
    }
    let hold = file.hold.clone().unwrap_or(expected);
    Some(Tuning { aims, hold, check: check.into_iter().collect() })
}

fn unknown(name: &str, known: &[&str], what: &str) -> Problem {
    let near = nearest(name, known.iter().copied());
    let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    Problem::error(&AIM, format!("there is no {what} `{name}`{hint}"))
}
