//! One point of a sweep: the scenario with a value in each field.

use super::FIELD;
use super::Field;
use super::FieldPath;
use super::Level;
use super::Sweep;
use super::meant;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Severity;
use crate::input::problem::Source;
use crate::input::scenario::Resolved;
use crate::input::yaml;
use crate::input::yaml::Node;
use serde_json::Value;

/// What the changed file is called in what is wrong with it; the reader sees the sweep's own file.
const CHANGED: &str = "the scenario of a point";
/// Templates that start from templates; a longer chain is a mistake that is told elsewhere.
const TEMPLATES_MAX: usize = 8;

impl Sweep {
    /// The scenario with these values, one for each field, in their order.
    ///
    /// # Errors
    /// All that is wrong with it, at the fields of the sweep, with the number of the point.
    pub fn resolve(&self, point: u64, levels: &[Level]) -> Result<Resolved, Problems> {
        let mut file = self.opened.node.to_json();
        let base = file.clone();
        let mut problems = Problems::new();
        for (field, level) in self.fields.iter().zip(levels) {
            let Some(value) = &level.value else { continue };
            if let Err(why) = field.path.set(&mut file, value.clone()) {
                problems.push(unknown(field, &base, &why));
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let text = file.to_string();
        let wrong = match self.opened.resolved_with(CHANGED, text.clone()) {
            Ok(resolved) => return Ok(resolved),
            Err(wrong) => wrong,
        };
        // A key that the scenario does not have, and one that is near: most likely it is misspelt.
        let misspelt: Vec<&Field> = self
            .fields
            .iter()
            .filter(|field| base.pointer(&field.path.pointer()).is_none() && meant(&field.path, &base).is_some())
            .collect();
        let why = |field: &Field| format!("the scenario has no field `{}`", field.path);
        problems.extend(misspelt.iter().map(|field| unknown(field, &base, &why(field))).collect());
        let node = yaml::read(&Source::new(CHANGED, text)).0;
        let told = wrong.iter().filter(|problem| problem.severity == Severity::Error);
        let told = told.map(|problem| self.placed(problem, node.as_ref(), point, levels));
        let is_told = |problem: &Problem| misspelt.iter().any(|field| problem.place.as_ref() == Some(&field.place));
        problems.extend(told.filter(|problem| !is_told(problem)).collect());
        Err(problems)
    }

    /// The scenario's own values of the fields, which change nothing where they are put in. Of a policy's figure that the
    /// scenario leaves to a template it is that of the template. One that nobody wrote down has no text.
    #[must_use]
    pub fn own(&self) -> Vec<Level> {
        let file = self.opened.node.to_json();
        let own = |field: &Field| {
            let written = file.pointer(&field.path.pointer()).cloned();
            let written = written.or_else(|| self.of_template(&file, &field.path));
            match written.filter(|value| !value.is_null()) {
                Some(value) => Level { value: None, ..Level::of(&value) },
                None => Level::unwritten(),
            }
        };
        self.fields.iter().map(own).collect()
    }

    /// The figure of a policy as the template has it that the scenario names, or one that this starts from.
    fn of_template(&self, file: &Value, path: &FieldPath) -> Option<Value> {
        let name = |value: &Value| value.as_str().or_else(|| value.get("template")?.as_str()).map(str::to_owned);
        if path.first() != "policy" {
            return None;
        }
        let mut policies = self.opened.policies();
        path.splits().find_map(|(above, below)| {
            let mut next = file.pointer(&above).and_then(name);
            for _ in 0..TEMPLATES_MAX {
                let text = policies.text(&next?).ok()?;
                let policy = yaml::read(&Source::new(CHANGED, text)).0?.to_json();
                if let Some(found) = policy.pointer(&below) {
                    return Some(found.clone());
                }
                next = name(&policy);
            }
            None
        })
    }

    /// What a point is in words: `point 3, load.api.high = 40/s`.
    #[must_use]
    pub fn title(&self, point: u64, levels: &[Level]) -> String {
        let written = self.fields.iter().zip(levels).filter(|(_, level)| !level.text.is_empty());
        let values = written.map(|(field, level)| format!(", {} = {}", field.path, level.text));
        format!("point {point}{}", values.collect::<String>())
    }

    /// The problem at the field whose value is wrong, where it is one; else at the first field.
    fn placed(&self, problem: &Problem, node: Option<&Node>, point: u64, levels: &[Level]) -> Problem {
        let is_ours = |place: &&Place| place.source.name() == CHANGED;
        let there = problem.place.as_ref().filter(is_ours);
        let holds = |field: &&Field| {
            let value = node.and_then(|node| node.at_pointer(&field.path.pointer()));
            there
                .is_some_and(|at| value.is_some_and(|value| value.place.start <= at.start && at.end <= value.place.end))
        };
        // A problem of another file keeps its place.
        if problem.place.is_some() && there.is_none() {
            let message = format!("{}: {}", self.title(point, levels), problem.message);
            return Problem { message, ..problem.clone() };
        }
        let field = self.fields.iter().find(holds);
        let place = field.or(self.fields.first()).map(|field| field.place.clone());
        let message = format!("{}: {}", self.title(point, levels), problem.message);
        Problem { message, place, label: None, ..problem.clone() }
    }
}

fn unknown(field: &Field, base: &Value, why: &str) -> Problem {
    let hint = meant(&field.path, base).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    Problem::error(&FIELD, format!("{why}{hint}")).at(&field.place)
}
