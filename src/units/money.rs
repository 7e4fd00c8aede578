//! Amounts of money, with their currency.

use super::UnitError;
use super::number::Decimal;
use super::number::show_decimal;
use std::fmt;

const EXPECTED: &str = "an amount such as `12 USD` or `4.49 EUR`";

/// A currency by its three-letter code (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Currency([u8; 3]);

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a three-letter code in either case.
    ///
    /// # Errors
    /// [`UnitError::Malformed`] for anything but three ASCII letters.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        match text.trim().as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|letter| letter.is_ascii_alphabetic()) => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase()]))
            }
            _ => Err(UnitError::Malformed { text: text.to_owned(), expected: "a currency code such as `USD`" }),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// An amount in millionths of a currency's unit. Amounts of different currencies never add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Money {
    micro: u64,
    currency: Currency,
}

impl Money {
    /// So many millionths of the currency's unit.
    #[must_use]
    pub const fn micro(micro: u64, currency: Currency) -> Self {
        Self { micro, currency }
    }

    /// The amount in millionths of the currency's unit.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.micro
    }

    /// Which currency it is.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Reads an amount and its currency: `12 USD`, `4.49EUR`.
    ///
    /// # Errors
    /// [`UnitError`] where the amount or the currency is missing or unreadable.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let number = Decimal::split(text, EXPECTED)?;
        let currency = Currency::parse(number.rest)
            .map_err(|_| UnitError::Malformed { text: text.to_owned(), expected: EXPECTED })?;
        let micro =
            number.times(1_000_000).ok_or_else(|| UnitError::TooLarge { text: text.to_owned(), expected: EXPECTED })?;
        Ok(Self { micro, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(f, self.micro, 6)?;
        write!(f, " {}", self.currency)
    }
}
