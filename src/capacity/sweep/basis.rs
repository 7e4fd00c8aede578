//! What the rows of a table rest on: the program, the sweep, the files that were read, the scenario as it was understood.

use crate::input::scenario::way;
use crate::input::sweep::Sweep;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// What rows rest on, by name: versions and fingerprints. Two runs with equal bases give equal rows.
///
/// Files are named by the way from the sweep's folder, so that the same files in another place are the same basis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Basis(BTreeMap<String, String>);

/// The program's version.
const PROGRAM: &str = "plimsoll";
/// The scenario with all that is filled in, such as variables of the environment.
const RESOLVED: &str = "the scenario as it is understood, with variables of the environment";

impl Basis {
    /// What a sweep rests on that reads these files.
    ///
    /// # Errors
    /// A file that cannot be read any more.
    pub(super) fn of(sweep: &Sweep, files: &BTreeSet<PathBuf>) -> io::Result<Self> {
        let mut basis = BTreeMap::from([(PROGRAM.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
        let folder = sweep.path.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder }.canonicalize()?;
        for file in std::iter::once(&sweep.path).chain(files) {
            let whole = file.canonicalize()?;
            let name = way(&whole, &folder).to_string_lossy().replace('\\', "/");
            basis.insert(format!("the file {name}"), fingerprint(&std::fs::read(&whole)?));
        }
        let understood = serde_json::to_vec(&sweep.opened.resolved.scenario)?;
        basis.insert(RESOLVED.to_owned(), fingerprint(&understood));
        Ok(Self(basis))
    }

    /// What differs from another one, in words; empty where nothing does.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let differs = |name: &&String| self.0.get(*name) != other.0.get(*name);
        names
            .into_iter()
            .filter(differs)
            .map(|name| match (name.as_str(), self.0.get(name), other.0.get(name)) {
                (PROGRAM, Some(one), Some(other)) => format!("the version of plimsoll ({one} and {other})"),
                _ => name.clone(),
            })
            .collect()
    }
}

/// FNV-1a (Fowler, Noll, Vo), 128 bits: tells files apart that somebody changed; it is no defence against who forges one.
fn fingerprint(bytes: &[u8]) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published test vectors of FNV-1a 128.
    #[test]
    fn the_fingerprint_is_the_published_one() {
        assert_eq!(fingerprint(b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(fingerprint(b"a"), "d228cb696f1a8caf78912b704e4a8964");
    }

    #[test]
    fn what_differs_is_named() {
        let basis = |pairs: &[(&str, &str)]| {
            Basis(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let one = basis(&[(PROGRAM, "1.0.0"), ("the file a.yaml", "1"), ("the file b.yaml", "2")]);
        let other = basis(&[(PROGRAM, "1.1.0"), ("the file a.yaml", "1"), ("the file c.yaml", "2")]);
        let differences = ["the version of plimsoll (1.0.0 and 1.1.0)", "the file b.yaml", "the file c.yaml"];
        let mut found = one.differences(&other);
        found.sort_by_key(|text| !text.starts_with("the version"));
        assert_eq!(found, differences);
        assert!(one.differences(&one).is_empty());
    }
}
