//! Decimal numbers read exactly: no floating point between the text and the whole number.

/// Why a quantity could not be read. The text says what was expected, with an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing to read.
    #[error("expected {expected}, found nothing")]
    Empty {
        /// What the quantity looks like, with an example.
        expected: &'static str,
    },
    /// The text is not a number with a unit of this kind.
    #[error("`{text}` is not {expected}")]
    Malformed {
        /// The text as it stood in the file.
        text: String,
        /// What the quantity looks like, with an example.
        expected: &'static str,
    },
    /// A number, but below zero.
    #[error("`{text}` is negative; expected {expected}")]
    Negative {
        /// The text as it stood in the file.
        text: String,
        /// What the quantity looks like, with an example.
        expected: &'static str,
    },
    /// A number of the right kind, but too large to be meant.
    #[error("`{text}` is too large for {expected}")]
    TooLarge {
        /// The text as it stood in the file.
        text: String,
        /// What the quantity looks like, with an example.
        expected: &'static str,
    },
}

/// A decimal number as `digits / 10^places`, and what stood behind it.
pub(super) struct Decimal<'a> {
    digits: u128,
    places: u32,
    /// The text after the number, without white space around it.
    pub(super) rest: &'a str,
}

impl<'a> Decimal<'a> {
    /// Splits `12.5rest` into the number and the rest. At most 18 digits on either side of the point.
    pub(super) fn split(text: &'a str, expected: &'static str) -> Result<Self, UnitError> {
        let whole = text;
        let text = text.trim();
        if text.is_empty() {
            return Err(UnitError::Empty { expected });
        }
        let malformed = || UnitError::Malformed { text: whole.to_owned(), expected };
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
        if integer.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(malformed());
        }
        if negative {
            return Err(UnitError::Negative { text: whole.to_owned(), expected });
        }
        if integer.trim_start_matches('0').len() > 18 {
            return Err(UnitError::TooLarge { text: whole.to_owned(), expected });
        }
        let fraction = fraction.get(..18).unwrap_or(fraction);
        let mut digits: u128 = 0;
        for digit in integer.bytes().chain(fraction.bytes()) {
            digits = digits * 10 + u128::from(digit - b'0');
        }
        let places = u32::try_from(fraction.len()).map_err(|_| malformed())?;
        Ok(Self { digits, places, rest: rest.trim() })
    }

    /// The number times `unit`, rounded half up to a whole number.
    pub(super) fn times(&self, unit: u64) -> Option<u64> {
        let scale = 10_u128.pow(self.places);
        let product = self.digits.checked_mul(u128::from(unit))?;
        u64::try_from(product.checked_add(scale / 2)? / scale).ok()
    }
}

/// Shows `value / 10^places` without trailing zeros.
pub(super) fn show_decimal(f: &mut std::fmt::Formatter<'_>, value: u64, places: u32) -> std::fmt::Result {
    let scale = 10_u64.pow(places);
    let (whole, part) = (value / scale, value % scale);
    if part == 0 {
        return write!(f, "{whole}");
    }
    let digits = format!("{part:0width$}", width = places as usize);
    write!(f, "{whole}.{}", digits.trim_end_matches('0'))
}

/// The largest number below one half: added to a number, the whole part of the sum is the nearest whole number, half away from
/// zero.
pub(crate) const BELOW_HALF: f64 = 0.499_999_999_999_999_94;

/// The nearest whole number, as the simulated host hands its figures back; what is negative or no number is zero, what is
/// too large saturates.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the one place that rounds; the cast saturates"
)]
pub const fn whole(value: f64) -> u64 {
    // As `libm::round`, which cuts off the same sum, only that the cast does it.
    (value + BELOW_HALF) as u64
}

/// The place in a table that a position falls into: rounded down, zero where it is negative or no number.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the one place that cuts; the cast saturates"
)]
pub const fn place(position: f64) -> usize {
    position as usize
}
