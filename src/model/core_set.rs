//! Cores by their number, as the kernel writes them.

use std::collections::BTreeSet;

/// Cores that a container may run on: `0-3,6`.
///
/// Cores are numbered group by group in the order of the host's `cores`, the fastest group first: on a host of four
/// performance and four efficiency cores 0 to 3 are the fast ones. Linux numbers many Intel processors so, and Apple's the
/// other way round: the profile's order counts here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct CoreSet(BTreeSet<u32>);

/// Why a text is no set of cores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoreSetError {
    /// Something that is neither a number nor a range.
    #[error("`{0}` is neither a core's number nor a range such as `0-3`")]
    Part(String),
    /// A range that ends before it begins.
    #[error("the range `{0}` ends before it begins")]
    Backwards(String),
    /// A number that no host has.
    #[error("there is no host with a core {0}")]
    TooLarge(u32),
}

/// Numbers from here on are no core of any host.
const MOST: u32 = 8192;

impl CoreSet {
    /// Reads a list of numbers and ranges.
    ///
    /// # Errors
    /// A part that is neither, or that no host can have.
    pub fn parse(text: &str) -> Result<Self, CoreSetError> {
        let mut cores = BTreeSet::new();
        for part in text.split(',').map(str::trim) {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.trim().parse::<u32>().map_err(|_| CoreSetError::Part(part.to_owned()));
            let (from, to) = (number(from)?, number(to)?);
            if to < from {
                return Err(CoreSetError::Backwards(part.to_owned()));
            }
            if to >= MOST {
                return Err(CoreSetError::TooLarge(to));
            }
            cores.extend(from..=to);
        }
        Ok(Self(cores))
    }

    /// The numbers, ascending; never none.
    pub fn cores(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The largest number.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.0.last().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_the_kernel_reads_it() {
        let cores = |text: &str| CoreSet::parse(text).map(|set| set.cores().collect::<Vec<_>>());
        assert_eq!(cores("0-1,3"), Ok(vec![0, 1, 3]));
        assert_eq!(cores(" 7, 2-2 ,2"), Ok(vec![2, 7]));
        assert_eq!(cores("3-1"), Err(CoreSetError::Backwards("3-1".to_owned())));
        for text in ["", "a", "1-", "-1", "0,,1", "1.5"] {
            assert!(matches!(cores(text), Err(CoreSetError::Part(_))), "{text}");
        }
        assert_eq!(cores("0-4000000000"), Err(CoreSetError::TooLarge(4_000_000_000)));
    }
}
