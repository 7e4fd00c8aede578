//! What commands give the loaders: the environment, seeds, names of files as the user wrote them.

use crate::seed::Seed;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;

/// Most seeds one command runs with. More would be a typing error: `1..200000000`.
const SEEDS_MAX: u64 = 10_000;

/// Most threads; no machine has more, and a system that is asked for too many gives none.
const JOBS_MAX: usize = 1024;

/// The process's environment; what is not UTF-8 cannot stand in a Compose file and is left out.
pub(super) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Seeds as given: `7`, `1..20`, `1,5,9`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seeds(Vec<Seed>);

impl Seeds {
    /// In order, each once.
    pub(super) fn list(&self) -> Vec<Seed> {
        self.0.clone()
    }
}

impl fmt::Display for Seeds {
    /// As they can be given: `1..20`, `1,5,9`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<u64> = self.0.iter().map(|seed| seed.get()).collect();
        match numbers[..] {
            [first, .., last] if last - first + 1 == numbers.len() as u64 => write!(f, "{first}..{last}"),
            _ => f.write_str(&numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no list of seeds such as `7`, `1..20` or `1,5,9`");
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let mut numbers = Vec::new();
        for part in text.split(',') {
            let Some((from, to)) = part.split_once("..") else {
                numbers.push(number(part)?);
                continue;
            };
            let (from, to) = (number(from)?, number(to)?);
            if from > to {
                return Err(format!("the seeds of `{text}` run backwards"));
            }
            if to - from >= SEEDS_MAX {
                return Err(format!("`{text}` asks for more than {SEEDS_MAX} seeds"));
            }
            numbers.extend(from..=to);
        }
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() as u64 > SEEDS_MAX {
            return Err(format!("`{text}` asks for more than {SEEDS_MAX} seeds"));
        }
        Ok(Self(numbers.into_iter().map(Seed::new).collect()))
    }
}

/// The one seed of `--seed`.
///
/// # Errors
///
/// What is no number, in words.
pub(super) fn one_seed(text: &str) -> Result<Seeds, String> {
    let one = |number: u64| Seeds(vec![Seed::new(number)]);
    text.trim().parse().map(one).map_err(|_| format!("`{text}` is no seed such as `7`; `--seeds` takes several"))
}

/// The threads of `--jobs`.
///
/// # Errors
///
/// What is no number of threads, in words.
pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.trim().parse().ok().filter(|number: &NonZeroUsize| number.get() <= JOBS_MAX);
    number.ok_or_else(|| format!("`{text}` is no number of threads from 1 to {JOBS_MAX}"))
}

/// Whether a name is as a pattern says, in which `*` stands for anything.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(tail) = name.strip_prefix(head) else { return false };
    (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| matches(rest, &tail[at..]))
}

/// A path as the user would type it from where he is: relative where it lies below, with `/`.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let bare = path.strip_prefix(&here).or_else(|_| path.strip_prefix(".")).unwrap_or(path);
    let bare = if bare.as_os_str().is_empty() { path } else { bare };
    bare.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_nothing_too() {
        for (pattern, name) in
            [("*", "kvm-4"), ("kvm-*", "kvm-4"), ("*-4*", "kvm-4"), ("kvm-4", "kvm-4"), ("k*m-*4", "kvm-4")]
        {
            assert!(matches(pattern, name), "{pattern}");
        }
        for (pattern, name) in [("kvm", "kvm-4"), ("kvm-*6", "kvm-4"), ("", "kvm-4"), ("*x*", "kvm-4")] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }

    #[test]
    fn seeds_are_read_as_they_are_written() {
        let numbers = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.0.iter().map(|seed| seed.get()).collect());
        assert_eq!(numbers("7"), Ok(vec![7]));
        assert_eq!(numbers("1..3"), Ok(vec![1, 2, 3]));
        assert_eq!(numbers("9,1..2,2"), Ok(vec![1, 2, 9]));
        for (text, shown) in [("7", "7"), ("1,2,3", "1..3"), ("9,1..2", "1,2,9")] {
            assert_eq!(text.parse::<Seeds>().map(|seeds| seeds.to_string()).as_deref(), Ok(shown));
        }
        for wrong in ["", "x", "1..", "3..1", "-1", "1..200000000", "1...3", "1.5"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }
}
