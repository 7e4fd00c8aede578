//! Temperature and electrical power.

use super::UnitError;
use super::number::Decimal;
use super::number::show_decimal;
use std::fmt;

const TEMPERATURE: &str = "a temperature such as `23C` or `23.5C`";
const POWER: &str = "a power such as `13.6W`";
/// The largest figure of either kind: a million degrees or watts.
const MOST: u64 = 1_000_000_000;

/// A temperature in thousandths of a degree Celsius, never below freezing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Temperature(u64);

impl Temperature {
    /// So many thousandths of a degree Celsius.
    #[must_use]
    pub const fn milli(milli: u64) -> Self {
        Self(milli)
    }

    /// So many whole degrees Celsius; saturates.
    #[must_use]
    pub const fn celsius(degrees: u64) -> Self {
        Self(degrees.saturating_mul(1000))
    }

    /// Thousandths of a degree Celsius.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Degrees Celsius, for plots and the simulated host.
    #[must_use]
    pub fn as_celsius(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads `23C` or `23.5 °C`; rounds half up to a thousandth of a degree.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such temperature, is below freezing, or does not fit.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        read(text, &["C", "°C"], TEMPERATURE).map(Self)
    }
}

impl fmt::Display for Temperature {
    /// In degrees Celsius, without trailing zeros: `23C`, `23.5C`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(f, self.0, 3)?;
        f.write_str("C")
    }
}

/// Electrical power in thousandths of a watt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Power(u64);

impl Power {
    /// No power at all.
    pub const ZERO: Self = Self(0);

    /// So many thousandths of a watt.
    #[must_use]
    pub const fn milliwatts(milliwatts: u64) -> Self {
        Self(milliwatts)
    }

    /// Thousandths of a watt.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Watts, for arithmetic of the simulated host.
    #[must_use]
    pub fn as_watts(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads `13.6W` or `900 mW`; rounds half up to a thousandth of a watt.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such power, is negative, or does not fit.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        if let Some(rest) = text.trim_end().strip_suffix("mW") {
            let number = Decimal::split(rest, POWER)?;
            let fits = number.times(1).filter(|milli| number.rest.is_empty() && *milli <= MOST);
            return fits.map(Self).ok_or_else(|| UnitError::Malformed { text: text.to_owned(), expected: POWER });
        }
        read(text, &["W"], POWER).map(Self)
    }
}

impl fmt::Display for Power {
    /// In watts, without trailing zeros: `13.6W`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(f, self.0, 3)?;
        f.write_str("W")
    }
}

/// A number with one of these units, in thousandths.
fn read(text: &str, units: &[&str], expected: &'static str) -> Result<u64, UnitError> {
    let number = Decimal::split(text, expected)?;
    if !units.contains(&number.rest) {
        return Err(UnitError::Malformed { text: text.to_owned(), expected });
    }
    let milli = number.times(1000).filter(|milli| *milli <= MOST);
    milli.ok_or_else(|| UnitError::TooLarge { text: text.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_shows_temperatures_and_powers() {
        for (text, milli, shown) in [("23C", 23_000, "23C"), ("23.5 °C", 23_500, "23.5C"), ("0.0005C", 1, "0.001C")] {
            let found = Temperature::parse(text).expect(text);
            assert_eq!((found.get(), found.to_string().as_str()), (milli, shown));
        }
        for (text, milli, shown) in [("13.6W", 13_600, "13.6W"), ("870mW", 870, "0.87W"), ("2 W", 2000, "2W")] {
            let found = Power::parse(text).expect(text);
            assert_eq!((found.get(), found.to_string().as_str()), (milli, shown));
        }
        for text in ["", "23", "-3C", "23F", "23c", "2000000C", "hot"] {
            assert!(Temperature::parse(text).is_err(), "{text}");
        }
        for text in ["", "13", "-3W", "1kW", "2000000W", "mW", "1WmW"] {
            assert!(Power::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_back(milli in 0..=MOST) {
            let (temperature, power) = (Temperature::milli(milli), Power::milliwatts(milli));
            prop_assert_eq!(Temperature::parse(&temperature.to_string()), Ok(temperature));
            prop_assert_eq!(Power::parse(&power.to_string()), Ok(power));
        }
    }
}
