//! Sizes of memory and disk.

use super::UnitError;
use super::number::Decimal;
use std::fmt;

const EXPECTED: &str = "a size such as `512m`, `1.5G` or `1073741824`";
const UNITS: [(&str, u32); 5] = [("b", 0), ("k", 1), ("m", 2), ("g", 3), ("t", 4)];

/// A size in bytes. `1k` is 1024 bytes, as in Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// No bytes at all.
    pub const ZERO: Self = Self(0);
    /// The largest size.
    pub const MAX: Self = Self(u64::MAX);

    /// A size of so many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A size of so many mebibytes (1024² bytes); saturates.
    #[must_use]
    pub const fn mebi(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(1 << 20))
    }

    /// A size of so many gibibytes (1024³ bytes); saturates.
    #[must_use]
    pub const fn gibi(gibibytes: u64) -> Self {
        Self(gibibytes.saturating_mul(1 << 30))
    }

    /// The size in bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads what Compose accepts: a number, then `b k m g t` in either case, with `b` or `ib` behind it
    /// (`512m`, `512MB`, `1.5GiB`). Every unit is a power of 1024. Rounds half up to a whole byte.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such size, is negative, or does not fit 64 bits.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let number = Decimal::split(text, EXPECTED)?;
        let unit = number.rest.to_ascii_lowercase();
        let power = match unit.as_str() {
            "" => 0,
            unit => UNITS
                .into_iter()
                .find(|(short, power)| {
                    unit == *short || *power > 0 && (unit == format!("{short}b") || unit == format!("{short}ib"))
                })
                .map(|(_, power)| power)
                .ok_or_else(|| UnitError::Malformed { text: text.to_owned(), expected: EXPECTED })?,
        };
        number
            .times(1024_u64.pow(power))
            .map(Self)
            .ok_or_else(|| UnitError::TooLarge { text: text.to_owned(), expected: EXPECTED })
    }

    /// The sum; saturates at the largest size.
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

impl fmt::Display for Bytes {
    /// The largest unit in which the size has at most two decimals exactly, else bytes: `512M`, `1.5G`, `1000b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, power) in UNITS.into_iter().rev() {
            let size = 1024_u64.pow(power);
            if self.0 >= size && (u128::from(self.0) * 100).is_multiple_of(u128::from(size)) {
                let hundredths = u128::from(self.0) * 100 / u128::from(size);
                let hundredths = u64::try_from(hundredths).map_err(|_| fmt::Error)?;
                super::number::show_decimal(f, hundredths, 2)?;
                return f
                    .write_str(if power == 0 { "b" } else { unit }.to_ascii_uppercase().replace('B', "b").as_str());
            }
        }
        f.write_str("0b")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_compose_writes() {
        for (text, bytes) in [
            ("512m", 512 << 20),
            ("512mb", 512 << 20),
            ("512MB", 512 << 20),
            ("1.5G", 3 << 29),
            ("1gb", 1 << 30),
            ("2GiB", 2 << 30),
            ("64k", 65_536),
            ("300b", 300),
            ("1024", 1024),
            (" 4 g ", 4 << 30),
            ("0", 0),
        ] {
            assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_what_it_wants() {
        for text in ["", "m", "-1g", "1x", "1.2.3m", "1bb", "99999999999g", "NaN", "1e3"] {
            let error = Bytes::parse(text).expect_err(text).to_string();
            assert!(error.contains("512m"), "{error}");
        }
    }
}
