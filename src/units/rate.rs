//! Requests per second.

use super::Span;
use super::UnitError;
use super::number::Decimal;
use super::number::show_decimal;
use std::fmt;

const EXPECTED: &str = "a rate such as `60/s`, `5/min` or `1000/h`";

/// A rate in millionths of a request per second; `60/s` is 60,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Rate(u64);

impl Rate {
    /// No requests.
    pub const ZERO: Self = Self(0);

    /// So many millionths of a request per second.
    #[must_use]
    pub const fn micro(micro_per_second: u64) -> Self {
        Self(micro_per_second)
    }

    /// So many requests per second; saturates.
    #[must_use]
    pub const fn per_second(requests: u64) -> Self {
        Self(requests.saturating_mul(1_000_000))
    }

    /// The rate in millionths of a request per second.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The rate in requests per second, for arithmetic of the simulated host.
    #[must_use]
    pub fn as_per_second(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    /// Reads `60/s`, `5/min`, `5/m`, `1000/h`, `86400/d`; rounds half up to a millionth per second.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such rate, is negative, or does not fit.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let number = Decimal::split(text, EXPECTED)?;
        let malformed = || UnitError::Malformed { text: text.to_owned(), expected: EXPECTED };
        let per = match number.rest.strip_prefix('/').map(str::trim) {
            Some("s" | "sec" | "second") => 1,
            Some("m" | "min" | "minute") => 60,
            Some("h" | "hour") => 3600,
            Some("d" | "day") => 86_400,
            _ => return Err(malformed()),
        };
        let too_large = || UnitError::TooLarge { text: text.to_owned(), expected: EXPECTED };
        let micro = number.times(1_000_000).ok_or_else(too_large)?;
        Ok(Self((micro + per / 2) / per))
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

    /// How many requests fall into `span` on average, in millionths of a request; rounded down.
    #[must_use]
    pub fn over(self, span: Span) -> u64 {
        let wide = u128::from(self.0) * u128::from(span.nanos()) / 1_000_000_000;
        u64::try_from(wide).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Rate {
    /// In requests per second: `60/s`, `0.5/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(f, self.0, 6)?;
        f.write_str("/s")
    }
}
