//! Points in time and lengths of time.

use super::UnitError;
use super::number::Decimal;
use super::number::show_decimal;
use std::fmt;

const EXPECTED: &str = "a duration such as `30s`, `1m30s` or `500ms`";
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const UNITS: [(&str, u64); 8] = [
    ("w", 604_800 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1000),
    ("ns", 1),
];

/// A length of time in nanoseconds; at most 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);

    /// So many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// So many microseconds; saturates.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1000))
    }

    /// So many milliseconds; saturates.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// So many seconds; saturates.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// So many minutes; saturates.
    #[must_use]
    pub const fn from_mins(minutes: u64) -> Self {
        Self::from_secs(minutes.saturating_mul(60))
    }

    /// The length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The length in whole milliseconds, rounded down.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The length in whole seconds, rounded down.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / NANOS_PER_SECOND
    }

    /// The length in seconds, for plots and the simulated host.
    #[must_use]
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Reads what Compose accepts: numbers with units, largest first or not (`1m30s`, `1.5h`, `500ms`, `2d`).
    /// `0` needs no unit. Rounds half up to a nanosecond.
    ///
    /// # Errors
    /// [`UnitError`] for text that is no such duration, is negative, or does not fit.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let malformed = || UnitError::Malformed { text: text.to_owned(), expected: EXPECTED };
        let too_large = || UnitError::TooLarge { text: text.to_owned(), expected: EXPECTED };
        if text.trim() == "0" {
            return Ok(Self::ZERO);
        }
        let mut rest = text.trim();
        let mut nanos: u64 = 0;
        loop {
            let number = match Decimal::split(rest, EXPECTED) {
                Ok(number) => number,
                Err(UnitError::Empty { .. }) => return Err(UnitError::Empty { expected: EXPECTED }),
                Err(UnitError::Negative { .. }) => {
                    return Err(UnitError::Negative { text: text.to_owned(), expected: EXPECTED });
                }
                Err(UnitError::TooLarge { .. }) => return Err(too_large()),
                Err(UnitError::Malformed { .. }) => return Err(malformed()),
            };
            let end = number.rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(number.rest.len());
            let (unit, next) = number.rest.split_at(end);
            let unit = if unit.trim() == "µs" { "us" } else { unit.trim() };
            let (_, scale) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
            nanos = number.times(scale).and_then(|part| nanos.checked_add(part)).ok_or_else(too_large)?;
            if next.is_empty() {
                return Ok(Self(nanos));
            }
            rest = next;
        }
    }

    /// The sum; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; zero where `other` is longer.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times as long; saturates.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// How often `each` fits. Rounds down; zero where `each` is zero.
    #[must_use]
    pub const fn fit(self, each: Self) -> u64 {
        match self.0.checked_div(each.0) {
            Some(count) => count,
            None => 0,
        }
    }
}

impl fmt::Display for Span {
    /// With the fewest units: `1m30s`, `500ms`, `2d`. Below a second in the largest unit that fits: `1.5ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < NANOS_PER_SECOND {
            let (unit, places) = match self.0 {
                1_000_000.. => ("ms", 6),
                1000.. => ("us", 3),
                _ => ("ns", 0),
            };
            show_decimal(f, self.0, places)?;
            return f.write_str(unit);
        }
        let mut left = self.0;
        for (unit, size) in &UNITS[1..4] {
            if left >= *size {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        if left > 0 {
            show_decimal(f, left, 9)?;
            f.write_str("s")?;
        }
        Ok(())
    }
}

/// A point in time: nanoseconds since the start of the run (simulated) or since the Unix epoch (live).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

impl Instant {
    /// The start of the run.
    pub const START: Self = Self(0);

    /// The point so far after the start.
    #[must_use]
    pub const fn after_start(span: Span) -> Self {
        Self(span.0)
    }

    /// How far it is from the start.
    #[must_use]
    pub const fn since_start(self) -> Span {
        Span(self.0)
    }

    /// The point so much later; saturates.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The point so much earlier; the start where that would be before it.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long it is since `earlier`; zero where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Instant {
    /// As the time since the start: `19h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.since_start().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_compose_writes() {
        for (text, nanos) in [
            ("30s", 30 * NANOS_PER_SECOND),
            ("1m30s", 90 * NANOS_PER_SECOND),
            ("1h5m30s20ms", 3_930_020_000_000),
            ("1.5h", 5400 * NANOS_PER_SECOND),
            ("500ms", 500_000_000),
            ("10us", 10_000),
            ("0", 0),
            ("0s", 0),
            ("2d", 172_800 * NANOS_PER_SECOND),
        ] {
            assert_eq!(Span::parse(text), Ok(Span(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "s", "30", "-5s", "5x", "1m30", "1..5s", "99999999999h", "1e3s"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shows_what_it_reads() {
        for text in ["1m30s", "2d", "19h30m", "500ms", "1.5ms", "10us", "0s", "1h", "2.5s"] {
            assert_eq!(Span::parse(text).expect(text).to_string(), text);
        }
    }
}
