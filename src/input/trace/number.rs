//! Decimal numbers of a CSV file, exactly.

/// A number in units of `10^-places`, rounded half up; `Err` says what is wrong with it, to be put behind the text.
pub(super) fn read(text: &str, places: i32) -> Result<u64, &'static str> {
    const NO_NUMBER: &str = "is no number";
    const TOO_LARGE: &str = "is too large";
    let lower = text.to_ascii_lowercase();
    let bare = lower.trim_start_matches(['+', '-']);
    if matches!(bare, "nan" | "inf" | "infinity") {
        return Err("is no finite number");
    }
    let (mantissa, exponent) = match bare.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NO_NUMBER)?),
        None => (bare, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) || lower.len() - bare.len() > 1 {
        return Err(NO_NUMBER);
    }
    let part = part.get(..20).unwrap_or(part);
    let whole = whole.trim_start_matches('0');
    if whole.len() > 18 || !(-40..=40).contains(&exponent) {
        return Err(TOO_LARGE);
    }
    let mut value: u128 = 0;
    for digit in whole.bytes().chain(part.bytes()) {
        value = value.checked_mul(10).and_then(|value| value.checked_add(u128::from(digit - b'0'))).ok_or(TOO_LARGE)?;
    }
    if lower.starts_with('-') && value > 0 {
        return Err("is negative");
    }
    let shift = places + exponent - i32::try_from(part.len()).map_err(|_| TOO_LARGE)?;
    let power = |exponent: u32| 10_u128.checked_pow(exponent);
    let scaled = match u32::try_from(shift) {
        Ok(up) => power(up).and_then(|scale| value.checked_mul(scale)).or((value == 0).then_some(0)),
        Err(_) => Some(power(shift.unsigned_abs()).map_or(0, |scale| (value + scale / 2) / scale)),
    };
    scaled.and_then(|value| u64::try_from(value).ok()).ok_or(TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reads_what_spreadsheets_write() {
        for (text, wanted) in [
            ("42", 42_000_000),
            ("0.052", 52_000),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("+7", 7_000_000),
            ("-0", 0),
            ("1.2e3", 1_200_000_000),
            ("1E-3", 1000),
            ("0.0000004", 0),
            ("0.0000005", 1),
            ("0e40", 0),
            ("000000000000000000000001", 1_000_000),
        ] {
            assert_eq!(read(text, 6), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "NaN",
            "-inf",
            "Infinity",
            "x",
            "-5",
            "1.2.3",
            "1e",
            "--1",
            "e5",
            ".",
            "1e99",
            "99999999999999999999",
            "0x10",
            "1 000",
        ] {
            assert!(read(text, 6).is_err(), "{text}");
        }
    }
}
