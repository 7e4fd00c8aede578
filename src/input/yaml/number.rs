//! Numbers that keep their text.

use std::fmt;

/// An integer or a floating point number as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// The number of this text, by the core schema of YAML 1.2; `None` where it is no number.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (is_integer(text) || is_float(text)).then(|| Self(text.to_owned()))
    }

    /// The number as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The number as a signed integer, where it is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        i64::try_from(self.integer()?).ok()
    }

    /// The number as an unsigned integer, where it is one that fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        u64::try_from(self.integer()?).ok()
    }

    /// The number as floating point; may be infinite or not a number.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        if let Some(integer) = self.integer() {
            return integer as f64;
        }
        let lower = self.0.to_ascii_lowercase();
        match lower.trim_start_matches(['+', '-']) {
            ".inf" if lower.starts_with('-') => f64::NEG_INFINITY,
            ".inf" => f64::INFINITY,
            _ => lower.parse().unwrap_or(f64::NAN),
        }
    }

    fn integer(&self) -> Option<i128> {
        let text = self.0.as_str();
        if let Some(digits) = text.strip_prefix("0o") {
            return i128::from_str_radix(digits, 8).ok();
        }
        if let Some(digits) = text.strip_prefix("0x") {
            return i128::from_str_radix(digits, 16).ok();
        }
        text.parse().ok()
    }

    /// The number for JSON; what JSON cannot hold (`.inf`, `.nan`) is text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        if let Some(number) = self.as_u64() {
            return number.into();
        }
        if let Some(number) = self.as_i64() {
            return number.into();
        }
        match serde_json::Number::from_f64(self.as_f64()) {
            Some(number) => serde_json::Value::Number(number),
            None => serde_json::Value::String(self.0.clone()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_integer(text: &str) -> bool {
    let digits = |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    if let Some(rest) = text.strip_prefix("0o") {
        return digits(rest, 8);
    }
    if let Some(rest) = text.strip_prefix("0x") {
        return digits(rest, 16);
    }
    digits(text.strip_prefix(['+', '-']).unwrap_or(text), 10)
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(text, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(left, right)| (left, Some(right)));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_good = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(part) && (!whole.is_empty() || !part.is_empty()) && exponent_good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_numbers_from_text() {
        for text in
            ["0", "-12", "+3", "0o17", "0xff", "1.5", ".5", "1.", "1e3", "-1.5E-3", ".inf", "-.Inf", ".nan", "007"]
        {
            assert!(Number::new(text).is_some(), "{text}");
        }
        for text in ["", "-", ".", "1_000", "1.2.3", "e3", "1e", "0x", "nan", "inf", "1s", "0b1", "--1", "१"] {
            assert!(Number::new(text).is_none(), "{text}");
        }
    }

    #[test]
    fn keeps_the_text_and_gives_the_value() {
        let number = |text: &str| Number::new(text).expect(text);
        assert_eq!(number("0x10").as_u64(), Some(16));
        assert_eq!(number("-5").as_u64(), None);
        assert_eq!(number("-5").as_i64(), Some(-5));
        assert_eq!(number("1.50").text(), "1.50");
        assert_eq!(number("1.50").to_json(), serde_json::json!(1.5));
        assert_eq!(number("1e999").to_json(), serde_json::json!("1e999"));
        assert_eq!(number("-.inf").as_f64(), f64::NEG_INFINITY);
        assert_eq!(number("18446744073709551615").to_json(), serde_json::json!(u64::MAX));
    }
}
