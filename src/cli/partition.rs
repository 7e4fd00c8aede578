//! `--partition 2/4`: the same split on any machine, without a scheduler.

use std::fmt;
use std::str::FromStr;

/// One part of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition {
    index: u64,
    total: u64,
}

impl Partition {
    /// Which one, counted from 1.
    pub(super) const fn index(self) -> u64 {
        self.index
    }

    /// Of so many.
    pub(super) const fn total(self) -> u64 {
        self.total
    }

    /// Whether this part does the work of this name. Each name belongs to exactly one part, wherever it is asked.
    pub(super) fn holds(self, name: &str) -> bool {
        hash(name) % self.total == self.index - 1
    }
}

impl fmt::Display for Partition {
    /// As it can be given: `2/4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a part such as `1/4`");
        let (index, total) = text.split_once('/').ok_or_else(wrong)?;
        let index: u64 = index.parse().map_err(|_| wrong())?;
        let total: u64 = total.parse().map_err(|_| wrong())?;
        if index == 0 || index > total {
            return Err(format!("the parts of `{text}` count from 1 to {total}"));
        }
        Ok(Self { index, total })
    }
}

/// FNV-1a (Fowler, Noll, Vo 1991), 64 bits, with a last mix: its low bits alone are weak. It may never change, or a CI
/// matrix of two versions would run some tests twice and some not at all.
fn hash(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_test_runs_in_exactly_one_part(name in ".{0,60}", total in 1_u64..20) {
            let parts = (1..=total).map(|index| Partition { index, total });
            prop_assert_eq!(parts.filter(|part| part.holds(&name)).count(), 1);
        }
    }

    #[test]
    fn parts_are_of_a_like_size() {
        let first = Partition { index: 1, total: 4 };
        let held = (0..4000).filter(|number| first.holds(&format!("scenarios/s{number}/scenario.yaml"))).count();
        assert!((850..1150).contains(&held), "{held}");
    }

    #[test]
    fn only_parts_that_exist_are_read() {
        assert_eq!("2/4".parse(), Ok(Partition { index: 2, total: 4 }));
        for wrong in ["0/4", "5/4", "1/0", "1", "a/b", "1/2/3", "-1/4", ""] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
    }
}
