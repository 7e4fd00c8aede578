//! A number with its unit as text, exactly: `20/s`, `0.5`, `512M`. What the unit means is the field's own business.

use serde_json::Value;
use std::fmt;

/// Millionths in one.
const ONE: i64 = 1_000_000;

/// A number in millionths, and the unit behind it as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Millionths.
    pub micro: i64,
    /// What stood behind it; empty for a plain number.
    pub unit: String,
}

impl Number {
    /// Reads a number of at most six decimals, and what stands behind it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, unit) = unsigned.split_at(end);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let is_number = !whole.is_empty() && !number.ends_with('.') && !part.contains('.') && part.len() <= 6;
        // `1h30m` and `20:00` are no number with a unit.
        if !is_number || unit.contains(|c: char| c.is_ascii_digit() || c == ':') {
            return None;
        }
        let part: i64 = format!("{part:0<6}").parse().ok()?;
        let micro = whole.parse::<i64>().ok()?.checked_mul(ONE)?.checked_add(part)?;
        Some(Self { micro: sign * micro, unit: unit.to_owned() })
    }

    /// The number, for a table.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.micro as f64 / ONE as f64
    }

    /// As a scenario writes it: a plain number as a number, all else as text.
    #[must_use]
    pub fn json(&self) -> Value {
        let text = self.to_string();
        if !self.unit.is_empty() {
            return Value::from(text);
        }
        serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text))
    }
}

impl fmt::Display for Number {
    /// Without zeros at the end; reading it gives the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.micro < 0 { "-" } else { "" };
        let (whole, part) =
            (self.micro.unsigned_abs() / ONE.unsigned_abs(), self.micro.unsigned_abs() % ONE.unsigned_abs());
        let digits = format!("{part:06}");
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        f.pad(&format!("{sign}{whole}{point}{digits}{}", self.unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_reads_back(micro in -1_000_000_000_000_i64..1_000_000_000_000, unit in "(|/s|ms| USD|%)") {
            let number = Number { micro, unit };
            prop_assert_eq!(Number::parse(&number.to_string()), Some(number));
        }
    }

    #[test]
    fn only_one_number_with_a_unit_is_read() {
        let read = |text: &str| Number::parse(text).map(|number| (number.micro, number.unit));
        assert_eq!(read("20/s"), Some((20_000_000, "/s".to_owned())));
        assert_eq!(read("0.25"), Some((250_000, String::new())));
        assert_eq!(read("12 USD"), Some((12_000_000, " USD".to_owned())));
        for none in ["", "s", "1.", ".5", "1.2.3", "1h30m", "20:00", "0.1234567", "99999999999999999999"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
