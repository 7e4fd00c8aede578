//! A measured number with its unit, and how people read it: three digits, the unit that fits.

use crate::model::Metric;
use crate::model::Quantity;
use crate::units::Currency;
use std::fmt;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// Events or things.
    Count,
    /// A share; 1 is the whole.
    Share,
    /// CPU cores.
    Cores,
    /// Bytes.
    Bytes,
    /// Degrees Celsius.
    Celsius,
    /// Money a month.
    Money(Currency),
    /// Events per second.
    PerSecond,
    /// A number of which nobody says what it counts.
    Number,
}

impl Unit {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Millis => "ms".to_owned(),
            Self::Count => "count".to_owned(),
            Self::Share => "share".to_owned(),
            Self::Cores => "cores".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Celsius => "celsius".to_owned(),
            Self::Money(currency) => currency.to_string(),
            Self::PerSecond => "per_second".to_owned(),
            Self::Number => "number".to_owned(),
        }
    }

    /// The unit of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = [
            Self::Millis,
            Self::Count,
            Self::Share,
            Self::Cores,
            Self::Bytes,
            Self::Celsius,
            Self::PerSecond,
            Self::Number,
        ];
        let found = plain.into_iter().find(|unit| unit.name() == name);
        found.or_else(|| Currency::parse(name).ok().map(Self::Money))
    }

    /// The unit that a metric is measured in when its level is looked at.
    #[must_use]
    pub const fn of(metric: Metric) -> Self {
        match metric {
            Metric::Latency => Self::Millis,
            Metric::Cpu | Metric::LimitCpu | Metric::HostCpu | Metric::Slack => Self::Cores,
            Metric::Memory | Metric::LimitMemory | Metric::HostMemory | Metric::Received | Metric::Sent => Self::Bytes,
            Metric::Throttled | Metric::IoWait | Metric::Disk | Metric::Network | Metric::Clock | Metric::Steal => {
                Self::Share
            }
            Metric::Temperature => Self::Celsius,
            Metric::Cost => Self::Money(Currency::USD),
            Metric::Requests
            | Metric::Errors
            | Metric::Queue
            | Metric::Replicas
            | Metric::Restarts
            | Metric::Oom
            | Metric::Actions
            | Metric::Reversals
            | Metric::Deployments
            | Metric::Rollbacks => Self::Count,
        }
    }
}

/// A number with its unit. Infinite where requests came and none was answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// How much, in the unit.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
}

impl Figure {
    /// So much of a unit.
    #[must_use]
    pub const fn new(value: f64, unit: Unit) -> Self {
        Self { value, unit }
    }

    /// So much of the unit of this name; `None` where there is none of it.
    #[must_use]
    pub fn named(value: f64, unit: &str) -> Option<Self> {
        Unit::named(unit).map(|unit| Self::new(value, unit))
    }

    /// Time in nanoseconds.
    #[must_use]
    pub const fn nanos(nanos: u64) -> Self {
        Self::new(nanos as f64 / 1e6, Unit::Millis)
    }

    /// Memory in bytes.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self::new(bytes as f64, Unit::Bytes)
    }

    /// CPU in thousandths of a core.
    #[must_use]
    pub const fn millicores(millicores: u64) -> Self {
        Self::new(millicores as f64 / 1000.0, Unit::Cores)
    }

    /// A share of one.
    #[must_use]
    pub const fn share(share: f64) -> Self {
        Self::new(share, Unit::Share)
    }

    /// So many things.
    #[must_use]
    pub const fn count(count: f64) -> Self {
        Self::new(count, Unit::Count)
    }

    /// The same as a bound states it.
    #[must_use]
    pub fn of(quantity: Quantity) -> Self {
        match quantity {
            Quantity::Time(span) => Self::nanos(span.nanos()),
            Quantity::Number(thousandths) => Self::count(thousandths as f64 / 1000.0),
            Quantity::Share(millionths) => Self::share(millionths as f64 / 1e6),
            Quantity::Cpu(cpu) => Self::millicores(cpu.get()),
            Quantity::Memory(memory) => Self::bytes(memory.get()),
            Quantity::Temperature(degrees) => Self::new(degrees.as_celsius(), Unit::Celsius),
            Quantity::Money(money) => Self::new(money.get() as f64 / 1e6, Unit::Money(money.currency())),
            Quantity::Rate(micro) => Self::new(micro as f64 / 1e6, Unit::PerSecond),
        }
    }

    /// With enough digits to tell it from `other` where both would read the same.
    #[must_use]
    pub fn beside(self, other: Self) -> String {
        let differs = |digits| self.with_digits(digits) != other.with_digits(digits);
        let digits = (3..9).find(|digits| self == other || differs(*digits));
        self.with_digits(digits.unwrap_or(9))
    }

    fn with_digits(self, digits: i32) -> String {
        let value = self.value;
        if !value.is_finite() {
            return "no answer".to_owned();
        }
        match self.unit {
            Unit::Millis if value >= 60_000.0 => {
                format!("{} min", rounded(value / 60_000.0, digits))
            }
            Unit::Millis if value >= 1000.0 => format!("{} s", rounded(value / 1000.0, digits)),
            Unit::Millis if value < 1.0 && value > 0.0 => format!("{} µs", rounded(value * 1000.0, digits)),
            Unit::Millis => format!("{} ms", rounded(value, digits)),
            Unit::Count if value >= 1e6 => format!("{} million", rounded(value / 1e6, digits)),
            Unit::Count if value >= 1000.0 => thousands(value),
            Unit::Count | Unit::Number => rounded(value, digits),
            Unit::Share => format!("{}%", rounded(value * 100.0, digits)),
            Unit::Celsius => format!("{} °C", rounded(value, digits)),
            Unit::Cores => format!("{} CPU", rounded(value, digits)),
            Unit::Bytes => {
                let (size, name) = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
                    .into_iter()
                    .map(|(size, name)| (f64::from(size), name))
                    .find(|(size, _)| value >= *size)
                    .unwrap_or((1.0, "B"));
                format!("{} {name}", rounded(value / size, digits))
            }
            Unit::Money(currency) => format!("{value:.2} {currency}"),
            Unit::PerSecond => format!("{}/s", rounded(value, digits)),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.with_digits(3))
    }
}

/// A number with so many significant digits, without trailing zeros; whole numbers stay whole.
#[must_use]
pub(super) fn rounded(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = libm::floor(libm::log10(value.abs()));
    let places = (f64::from(digits) - 1.0 - size).clamp(0.0, 9.0);
    let places = usize::try_from(crate::units::whole(places)).unwrap_or(0);
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A whole number in groups of three: `12,345`.
pub(super) fn thousands(value: f64) -> String {
    let digits = crate::units::whole(value).to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_three_digits_and_the_unit_that_fits() {
        for (figure, text) in [
            (Figure::nanos(64_000_000), "64 ms"),
            (Figure::nanos(2_934_000_000), "2.93 s"),
            (Figure::nanos(850_000), "850 µs"),
            (Figure::nanos(90_000_000_000), "1.5 min"),
            (Figure::bytes(402 << 20), "402 MiB"),
            (Figure::bytes(3_113_851_290), "2.9 GiB"),
            (Figure::share(0.472), "47.2%"),
            (Figure::share(0.0), "0%"),
            (Figure::millicores(880), "0.88 CPU"),
            (Figure::count(12_345.0), "12,345"),
            (Figure::count(999.7), "1000"),
            (Figure::new(11.99, Unit::Money(Currency::USD)), "11.99 USD"),
            (Figure::new(f64::INFINITY, Unit::Millis), "no answer"),
        ] {
            assert_eq!(figure.to_string(), text);
        }
    }

    #[test]
    fn a_figure_just_over_its_bound_does_not_read_like_the_bound() {
        let bound = Figure::nanos(500_000_000);
        assert_eq!(Figure::nanos(500_300_000).beside(bound), "500.3 ms");
        assert_eq!(Figure::nanos(812_000_000).beside(bound), "812 ms");
    }
}
