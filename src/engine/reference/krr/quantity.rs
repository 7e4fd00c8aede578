//! Amounts of resources as KRR reads and writes them: `250m`, `2048Mi`, `?`.
//! SOURCE: robusta-dev/krr, robusta_krr/utils/resource_units.py and core/models/allocations.py at d6baa745. Before you
//! change it:
//! 1. Reading tries `m` first, then units of 1024, then units of 1000; the number before it may have an exponent.
//! 2. Writing cuts off: half a core less a little is `499m`. From 1 to 1024 it writes the number as it is.
//! 3. Writing moves to the next unit from ten of it on: nine GiB are `9216Mi`.

use super::Amount;
use std::fmt;

const UNITS: [(&str, f64); 13] = [
    ("m", 0.001),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// Reads cores or bytes; `None` for what is no amount.
///
/// ```
/// use plimsoll::engine::reference::krr::read_quantity;
/// assert_eq!(read_quantity("250m"), Some(0.25));
/// assert_eq!(read_quantity("2Ki"), Some(2048.0));
/// assert_eq!(read_quantity("a lot"), None);
/// ```
#[must_use]
pub fn read_quantity(text: &str) -> Option<f64> {
    let unit = UNITS.into_iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)));
    let (number, size) = unit.unwrap_or((text, 1.0));
    number.trim().parse::<f64>().ok().map(|number| number * size).filter(|amount| amount.is_finite())
}

/// Writes cores or bytes; `?` for what is no number.
#[must_use]
pub fn written_quantity(amount: f64) -> String {
    if !amount.is_finite() {
        return "?".to_owned();
    }
    if amount < 1.0 {
        // What is cut off to nothing has no sign.
        return format!("{}m", (amount * 1000.0).trunc() + 0.0);
    }
    if amount < 1024.0 {
        return format!("{amount:?}");
    }
    let (mut whole, mut unit) = (amount.trunc(), "");
    for larger in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
        if whole / 1024.0 < 10.0 {
            break;
        }
        (whole, unit) = (whole / 1024.0, larger);
    }
    format!("{whole:.0}{unit}")
}

/// How much more (`+`) or less (`-`) is recommended than is requested now, for so many instances. What is unset counts
/// as nothing; without a recommendation there is nothing to say.
///
/// ```
/// use plimsoll::engine::reference::krr::{Amount, written_change};
/// assert_eq!(written_change(Amount::Value(0.5), Amount::Value(0.25), 3), "-750m");
/// assert_eq!(written_change(Amount::Unset, Amount::Value(0.25), 1), "+250m");
/// assert_eq!(written_change(Amount::Value(0.5), Amount::Undefined, 1), "");
/// ```
#[must_use]
pub fn written_change(requested: Amount, recommended: Amount, instances: u32) -> String {
    let number = |amount| if let Amount::Value(number) = amount { number } else { 0.0 };
    if recommended == Amount::Undefined {
        return String::new();
    }
    let change: f64 = number(recommended) - number(requested);
    let sign = if change >= 0.0 { '+' } else { '-' };
    format!("{sign}{}", written_quantity(change.abs() * f64::from(instances)))
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined => f.write_str("?"),
            Self::Unset => f.write_str("unset"),
            Self::Value(value) => f.write_str(&written_quantity(*value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_with_every_unit() {
        for (text, amount) in [
            ("40m", 0.04),
            ("3", 3.0),
            ("1.5", 1.5),
            ("2e3", 2000.0),
            ("1.5Ki", 1536.0),
            ("1Gi", 1_073_741_824.0),
            ("7k", 7000.0),
            ("0.5M", 500_000.0),
            ("1E", 1e18),
        ] {
            assert_eq!(read_quantity(text), Some(amount), "{text}");
        }
        for text in ["", "m", "Mi", "1KiB", "1 MB", "nan", "inf", "1e999"] {
            assert_eq!(read_quantity(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_written_cut_off_and_in_a_unit_there_are_ten_of() {
        for (amount, text) in [
            (0.0, "0m"),
            (0.0079, "7m"),
            (-0.0001, "0m"),
            (1.0, "1.0"),
            (1023.5, "1023.5"),
            (1024.0, "1024"),
            (10_239.0, "10239"),
            (10_240.0, "10Ki"),
            // Nine GiB are not ten of them.
            (9.0 * 1_073_741_824.0, "9216Mi"),
            (10.0 * 1_073_741_824.0, "10Gi"),
            (f64::NAN, "?"),
        ] {
            assert_eq!(written_quantity(amount), text, "{amount}");
        }
        assert_eq!(
            [Amount::Undefined, Amount::Unset, Amount::Value(0.25)].map(|a| a.to_string()),
            ["?", "unset", "250m"]
        );
    }

    #[test]
    fn a_change_is_of_all_instances() {
        let mebi = |mebi: f64| Amount::Value(mebi * 1_048_576.0);
        assert_eq!(written_change(mebi(100.0), mebi(300.0), 4), "+800Mi");
        assert_eq!(written_change(mebi(100.0), mebi(100.0), 4), "+0m");
        assert_eq!(written_change(mebi(100.0), Amount::Unset, 1), "-100Mi");
    }

    proptest! {
        #[test]
        fn no_text_and_no_number_makes_it_panic(text: String, number: f64, instances: u32) {
            let _ = (read_quantity(&text), written_quantity(number));
            let _ = written_change(Amount::Value(number), Amount::Value(1.0), instances);
        }
    }
}
