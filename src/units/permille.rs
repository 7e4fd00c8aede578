//! Shares in thousandths.

use super::UnitError;
use super::number::Decimal;
use super::number::show_decimal;
use std::fmt;

const EXPECTED: &str = "a share such as `80%`";

/// A share in thousandths; `800` is 80 %. It may be above one (`1370` is 1.37 times).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Permille(u64);

impl Permille {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole: 100 %.
    pub const ONE: Self = Self(1000);

    /// So many thousandths.
    #[must_use]
    pub const fn new(permille: u64) -> Self {
        Self(permille)
    }

    /// So many hundredths; saturates.
    #[must_use]
    pub const fn percent(percent: u64) -> Self {
        Self(percent.saturating_mul(10))
    }

    /// `part / whole`, rounded down; `None` where `whole` is zero.
    #[must_use]
    pub fn ratio(part: u64, whole: u64) -> Option<Self> {
        let wide = (u128::from(part) * 1000).checked_div(u128::from(whole))?;
        Some(Self(u64::try_from(wide).unwrap_or(u64::MAX)))
    }

    /// The share in thousandths.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The share as a fraction of one, for plots and the simulated host.
    #[must_use]
    pub fn as_fraction(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads `80%` or `0.8`; rounds half up to a thousandth.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such share, is negative, or does not fit.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let number = Decimal::split(text, EXPECTED)?;
        let unit = match number.rest {
            "%" => 10,
            "" => 1000,
            _ => return Err(UnitError::Malformed { text: text.to_owned(), expected: EXPECTED }),
        };
        number.times(unit).map(Self).ok_or_else(|| UnitError::TooLarge { text: text.to_owned(), expected: EXPECTED })
    }
}

impl fmt::Display for Permille {
    /// In percent, without trailing zeros: `80%`, `2.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(f, self.0, 1)?;
        f.write_str("%")
    }
}
