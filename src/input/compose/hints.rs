//! Labels of a service that are meant for us.

use super::codes;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::input::yaml::Entry;
use crate::model::Hints;
use std::str::FromStr;

const ROLE: &str = "plimsoll.role";
const TIER: &str = "plimsoll.tier";
const IMPORTANCE: &str = "plimsoll.importance";
const STATEFUL: &str = "plimsoll.stateful";
const WITH: &str = "plimsoll.place.with";
const APART: &str = "plimsoll.place.apart";
const KNOWN: [&str; 8] = [ROLE, TIER, IMPORTANCE, STATEFUL, Hints::METRICS_PORT, Hints::METRICS_PATH, WITH, APART];

/// Reads the labels that begin with `plimsoll.`; what does not fit is an error, an unknown one a warning.
pub(super) fn hints(labels: &[Entry], problems: &mut Problems) -> Hints {
    let mut hints = Hints::default();
    for label in labels.iter().filter(|label| label.key.starts_with(Hints::PREFIX)) {
        let text = label.value.scalar().unwrap_or_default();
        let text = text.trim();
        let (fits, expected) = match label.key.as_str() {
            ROLE => (set(&mut hints.role, text, |role: &String| !role.is_empty()), "a role such as `database`"),
            TIER => (
                set(&mut hints.tier, text, |tier| (1..=3).contains(tier)),
                "`1` for the critical path, `2` for workflow, `3` for the background",
            ),
            IMPORTANCE => (
                set(&mut hints.importance, text, |importance| (1..=100).contains(importance)),
                "a number from 1 to 100",
            ),
            STATEFUL => (set(&mut hints.stateful, text, |_| true), "`true` or `false`"),
            Hints::METRICS_PORT => (set(&mut hints.metrics_port, text, |port| *port > 0), "a port from 1 to 65535"),
            Hints::METRICS_PATH => {
                (set(&mut hints.metrics_path, text, |path: &String| path.starts_with('/')), "a path such as `/metrics`")
            }
            WITH => (list(&mut hints.place_with, text), "services, with commas between them: `postgres, redis`"),
            APART => (list(&mut hints.place_apart, text), "services, with commas between them: `postgres, redis`"),
            unknown => {
                let help = match nearest(unknown, KNOWN) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("these are known: {}", KNOWN.join(", ")),
                };
                let problem = Problem::warning(&codes::UNKNOWN, format!("unknown label `{unknown}`"));
                problems.push(problem.at(&label.key_place).help(help));
                continue;
            }
        };
        if !fits {
            problems.push(
                Problem::error(&codes::VALUE, format!("`{text}` does not fit the label `{}`", label.key))
                    .at(&label.value.place)
                    .help(format!("write {expected}")),
            );
        }
    }
    hints
}

/// Takes names with commas between them; whether there is one, and none is empty.
fn list(names: &mut Vec<String>, text: &str) -> bool {
    *names = text.split(',').map(|name| name.trim().to_owned()).collect();
    names.iter().all(|name| !name.is_empty())
}

/// Takes the value where it can be read and fits.
fn set<T: FromStr>(hint: &mut Option<T>, text: &str, fits: impl Fn(&T) -> bool) -> bool {
    *hint = text.parse().ok().filter(fits);
    hint.is_some()
}
