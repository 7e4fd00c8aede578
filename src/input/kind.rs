//! Which of the formats a file has. It is known by what is in it, then by where it lies. Only the first lines are read,
//! so that a large repository is walked in no time.

use crate::input::project::FILE_NAME;
use crate::input::trace;
use std::io::Read;
use std::path::Path;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A scenario.
    Scenario,
    /// A sweep over a scenario.
    Sweep,
    /// A policy test.
    PolicyTest,
    /// A policy.
    Policy,
    /// A hardware profile.
    Profile,
    /// A file of the catalog of known images.
    Catalog,
    /// What providers sell.
    Offers,
    /// A Compose file.
    Compose,
    /// A load trace.
    Trace,
    /// A record of a run.
    Record,
    /// The project's own file.
    Project,
}

/// How much of a file is read to tell what it is.
const HEAD_BYTES: u64 = 64 * 1024;

impl Kind {
    /// What a file is; `None` for what is none of ours, or cannot be read.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if name == FILE_NAME || name == "plimsoll.yml" {
            return Some(Self::Project);
        }
        if name.ends_with(".csv") {
            return Some(Self::Trace);
        }
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
            return Some(Self::Record);
        }
        if !(name.ends_with(".yaml") || name.ends_with(".yml")) {
            return None;
        }
        let keys = first_keys(path)?;
        let has = |key: &str| keys.iter().any(|other| other == key);
        let within = |directory: &str| path.parent().is_some_and(|parent| parent.iter().any(|part| part == directory));
        let by_content = [
            // Before the scenario, which a sweep names.
            ("sweep", Self::Sweep),
            ("scenario", Self::Scenario),
            ("cases", Self::PolicyTest),
            ("profile", Self::Profile),
            ("catalog", Self::Catalog),
            ("offers", Self::Offers),
            ("policy", Self::Policy),
        ];
        if let Some((_, kind)) = by_content.iter().find(|(key, _)| has(key)) {
            return Some(*kind);
        }
        let by_place = [
            (within("hardware-profiles"), Self::Profile),
            // Before the catalog: a project may lie in a folder of that name.
            (has("services") || has("include") || is_compose_name(name), Self::Compose),
            (within("catalog") && within("policies"), Self::Policy),
            (within("catalog"), Self::Catalog),
        ];
        by_place.iter().find(|(here, _)| *here).map(|(_, kind)| *kind)
    }
}

/// Whether a file begins as a trace does. In a folder there may be tables of other kinds, among them those of reports.
#[must_use]
pub fn begins_as_trace(path: &Path) -> bool {
    let head = head(path).unwrap_or_default();
    let first = head.lines().next().unwrap_or_default().trim_start_matches('\u{feff}');
    first.split([',', ';', '\t']).next().is_some_and(|cell| cell.trim_matches(['"', ' ']).trim_end() == trace::TIME)
}

fn is_compose_name(name: &str) -> bool {
    name.starts_with("compose.") || name.starts_with("docker-compose.")
}

/// The keys at the start of a line, in the first part of a file.
fn first_keys(path: &Path) -> Option<Vec<String>> {
    let text = head(path)?;
    let key = |line: &str| {
        let (key, _) = line.trim_start_matches('\u{feff}').split_once(':')?;
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        plain.then(|| key.to_owned())
    };
    Some(text.lines().filter_map(key).collect())
}

/// The first part of a file.
fn head(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    Some(String::from_utf8_lossy(&head).into_owned())
}
