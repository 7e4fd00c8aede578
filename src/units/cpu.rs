//! CPU in thousandths of a core.

use super::UnitError;
use super::number::Decimal;
use super::number::show_decimal;
use std::fmt;

const EXPECTED: &str = "a number of CPUs such as `0.5` or `2`";

/// CPU in thousandths of one core; `1500` is one and a half cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Millicores(u64);

impl Millicores {
    /// No CPU at all.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(u64::MAX);

    /// So many thousandths of a core.
    #[must_use]
    pub const fn new(millicores: u64) -> Self {
        Self(millicores)
    }

    /// So many whole cores; saturates.
    #[must_use]
    pub const fn cores(cores: u64) -> Self {
        Self(cores.saturating_mul(1000))
    }

    /// The amount in thousandths of a core.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The amount in cores, for arithmetic of the simulated host.
    #[must_use]
    pub fn as_cores(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads cores as Compose writes them (`0.5`, `2`). Rounds half up to a thousandth;
    /// what is above zero never rounds to zero.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such number, is negative, or does not fit.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let number = Decimal::split(text, EXPECTED)?;
        if !number.rest.is_empty() {
            return Err(UnitError::Malformed { text: text.to_owned(), expected: EXPECTED });
        }
        let too_large = || UnitError::TooLarge { text: text.to_owned(), expected: EXPECTED };
        let milli = number.times(1000).ok_or_else(too_large)?;
        if milli > 1_000_000_000 {
            return Err(too_large());
        }
        let tiny = milli == 0 && number.times(1_000_000_000).is_some_and(|nano| nano > 0);
        Ok(Self(if tiny { 1 } else { milli }))
    }

    /// The sum; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; zero where `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self * numerator / denominator`, rounded down; saturates.
    ///
    /// # Panics
    /// If `denominator` is zero.
    #[must_use]
    pub fn scaled(self, numerator: u64, denominator: u64) -> Self {
        let wide = u128::from(self.0) * u128::from(numerator) / u128::from(denominator);
        Self(u64::try_from(wide).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Millicores {
    /// In cores, without trailing zeros: `1.5`, `0.05`, `2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(f, self.0, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_cores() {
        for (text, milli, shown) in [
            ("0.5", 500, "0.5"),
            ("2", 2000, "2"),
            ("0.05", 50, "0.05"),
            ("1.25", 1250, "1.25"),
            ("0.0001", 1, "0.001"),
        ] {
            let cpu = Millicores::parse(text).expect(text);
            assert_eq!((cpu.get(), cpu.to_string().as_str()), (milli, shown));
        }
        for text in ["", "-0.5", "half", "1 core", "nan", "9999999999"] {
            assert!(Millicores::parse(text).is_err(), "{text}");
        }
    }
}
