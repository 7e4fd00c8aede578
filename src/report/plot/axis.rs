//! Where ticks go and what they say.

use crate::report::figure::Unit;
use crate::report::figure::rounded;

/// A place on an axis with its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
}

/// The scale of a vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    pub(super) ticks: Vec<Tick>,
}

impl Scale {
    /// From zero to `most` or a little above.
    pub(super) fn linear(most: f64, unit: Unit) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let step = step(most / 3.0, unit);
        let count = libm::ceil(most * 0.999 / step).max(1.0);
        let high = count * step;
        let mut ticks = Vec::new();
        let mut at = 0.0;
        while at <= high * 1.0001 {
            ticks.push(Tick { at, text: value(at, high, unit) });
            at += step;
        }
        Self { low: 0.0, high, logarithmic: false, ticks }
    }

    /// Decades around all between `least` and `most`, both above zero.
    pub(super) fn decades(least: f64, most: f64, unit: Unit) -> Self {
        let (first, last) = (libm::floor(libm::log10(least)), libm::ceil(libm::log10(most)));
        let last = last.max(first + 1.0);
        let every = libm::ceil((last - first) / 5.0).max(1.0);
        let mut ticks = Vec::new();
        let mut power = first;
        while power <= last {
            let at = libm::exp10(power);
            ticks.push(Tick { at, text: value(at, at, unit) });
            power += every;
        }
        Self { low: libm::exp10(first), high: libm::exp10(last), logarithmic: true, ticks }
    }

    /// The height of a value: 0 at the bottom, 1 at the top.
    pub(super) fn height(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            let log = |value: f64| libm::log10(value.max(self.low));
            (log(value) - log(self.low)) / (log(self.high) - log(self.low))
        } else {
            (value - self.low) / (self.high - self.low)
        };
        part.clamp(0.0, 1.0)
    }
}

/// The tick distance next to a third of the axis: 1, 2 or 5 of a power of ten; of two for memory.
fn step(wanted: f64, unit: Unit) -> f64 {
    if unit == Unit::Bytes {
        return libm::exp2(libm::ceil(libm::log2(wanted.max(1.0))));
    }
    let size = libm::exp10(libm::floor(libm::log10(wanted)));
    let steps = [1.0, 2.0, 5.0, 10.0].map(|part| part * size);
    let step = steps.into_iter().find(|step| *step >= wanted * 0.999).unwrap_or(10.0 * size);
    // There are no parts of an instance.
    if unit == Unit::Count { step.max(1.0) } else { step }
}

/// A tick's text; `high` decides about the unit, so that all ticks of an axis have the same.
fn value(at: f64, high: f64, unit: Unit) -> String {
    let scaled = |scale: f64, name: &str| format!("{}{name}", rounded(at / scale, 3));
    match unit {
        Unit::Bytes if at == 0.0 => "0".to_owned(),
        Unit::Bytes if high >= f64::from(1 << 30) => scaled(f64::from(1 << 30), " GiB"),
        Unit::Bytes if high >= f64::from(1 << 20) => scaled(f64::from(1 << 20), " MiB"),
        Unit::Bytes => scaled(1024.0, " KiB"),
        Unit::Millis if at == 0.0 => "0".to_owned(),
        Unit::Millis if high >= 1000.0 => scaled(1000.0, " s"),
        Unit::Millis if high < 1.0 => scaled(0.001, " µs"),
        Unit::Millis => scaled(1.0, " ms"),
        Unit::PerSecond if at == 0.0 => "0".to_owned(),
        Unit::PerSecond => scaled(1.0, "/s"),
        Unit::Share => scaled(0.01, "%"),
        Unit::Celsius => scaled(1.0, " °C"),
        Unit::Number if at == 0.0 => "0".to_owned(),
        Unit::Number if high >= 1e6 => scaled(1e6, " million"),
        Unit::Count | Unit::Cores | Unit::Number | Unit::Money(_) => rounded(at, 3),
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
/// Distances of time ticks, in seconds.
const TIMES: [u64; 22] = [
    1,
    2,
    5,
    10,
    30,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Ticks of the time axis from the start of the run, midnight of a Monday, to its end in seconds.
pub(super) fn time(end: f64) -> Vec<Tick> {
    let end_whole = crate::units::whole(end);
    let step = TIMES.into_iter().find(|step| end_whole / step <= 9).unwrap_or_else(|| (end_whole / 9 / DAY + 1) * DAY);
    (0..=end_whole / step)
        .map(|place| Tick { at: (place * step) as f64, text: moment(place * step, step, end_whole) })
        .collect()
}

fn moment(at: u64, step: u64, end: u64) -> String {
    let (day, hour, minute, second) = (at / DAY, at % DAY / HOUR, at % HOUR / MINUTE, at % MINUTE);
    if end <= 3 * DAY && step >= MINUTE {
        let hour = if at > 0 && at == end && at.is_multiple_of(DAY) { 24 } else { hour };
        return format!("{hour:02}:{minute:02}");
    }
    if step < MINUTE {
        return format!("{}:{second:02}", at / MINUTE);
    }
    let weekday = usize::try_from(day % 7).unwrap_or(0);
    if end > 14 * DAY {
        format!("day {}", day + 1)
    } else if step >= DAY {
        WEEKDAYS[weekday].to_owned()
    } else {
        format!("{} {hour:02}:00", WEEKDAYS[weekday])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn a_day_has_hours_a_week_days_and_a_minute_seconds() {
        assert_eq!(
            texts(&time(86_400.0)),
            ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00"]
        );
        assert_eq!(texts(&time(1500.0)), ["00:00", "00:05", "00:10", "00:15", "00:20", "00:25"]);
        assert_eq!(texts(&time(7.0 * 86_400.0))[..3], ["Mon", "Tue", "Wed"]);
        assert_eq!(texts(&time(60.0))[..2], ["0:00", "0:10"]);
        assert!(time(0.0).len() == 1 && time(1e9).len() <= 12);
    }

    #[test]
    fn memory_ticks_are_powers_of_two_and_others_of_ten() {
        let mebi = f64::from(1 << 20);
        assert_eq!(texts(&Scale::linear(500.0 * mebi, Unit::Bytes).ticks), ["0", "256 MiB", "512 MiB"]);
        assert_eq!(texts(&Scale::linear(0.5, Unit::Cores).ticks), ["0", "0.2", "0.4", "0.6"]);
        assert_eq!(texts(&Scale::decades(3.0, 4000.0, Unit::Millis).ticks), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(texts(&Scale::linear(2.0, Unit::Count).ticks), ["0", "1", "2"]);
    }
}
