//! The values of a field: a list as it was written, or numbers of a range.
//!
//! Before you change it: which value a share of one stands for is exact arithmetic on whole numbers but for the share itself
//! and the curves of `libm`, so that every machine draws the same points.

use super::number::Number;
use super::wire::DistributionFile;
use super::wire::RangeFile;
use super::wire::VaryFile;
use crate::input::yaml::Node;
use crate::units::whole;
use serde_json::Value;

/// Most levels of one field.
const LEVELS_MAX: i64 = 100_000;
/// A range without levels has at least so many numbers.
const GRAINS: i64 = 1000;
/// The least part of a distribution that a range may cut out of it.
const PART_MIN: f64 = 1e-6;

/// One value that a field takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// As a person reads it: `20/s`, `kvm-4`.
    pub text: String,
    /// As it stands in the scenario; `None` leaves the field as the scenario has it.
    pub value: Option<Value>,
    /// Where it is a number: the number, with its unit.
    pub number: Option<Number>,
}

/// The values of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// These; each as likely as the others.
    Levels(Vec<Level>),
    /// Any number of a range.
    Between(Between),
}

/// A range of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// The smallest, with the unit of all of them.
    from: Number,
    /// The largest, in millionths.
    to: i64,
    /// Numbers are `from` and whole multiples of this above it, in millionths.
    by: i64,
    curve: Curve,
}

/// How likely each number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    Uniform,
    LogUniform,
    /// Mean and standard deviation, in millionths.
    Normal(i64, i64),
}

impl Level {
    /// A field left as the scenario has it, whatever that is.
    #[must_use]
    pub const fn unwritten() -> Self {
        Self { text: String::new(), value: None, number: None }
    }

    /// A value as it was written.
    pub(super) fn of(value: &Value) -> Self {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let number = if value.is_string() || value.is_number() { Number::parse(&text) } else { None };
        Self { text, value: Some(value.clone()), number }
    }

    fn number(number: Number) -> Self {
        Self { text: number.to_string(), value: Some(number.json()), number: Some(number) }
    }
}

impl Values {
    /// Reads the values of a field; `node` is where they stand.
    ///
    /// # Errors
    /// In words, with the key that is wrong (empty for the whole).
    pub(super) fn read(file: &VaryFile, node: &Node) -> Result<Self, (&'static str, String)> {
        match file {
            VaryFile::List(values) => {
                let levels: Vec<Level> = values.iter().map(Level::of).collect();
                let twice = levels.iter().enumerate().find(|(place, level)| levels[..*place].contains(level));
                match twice {
                    Some((_, level)) => Err(("", format!("`{}` stands twice in the list", level.text))),
                    None => Ok(Self::Levels(levels)),
                }
            }
            VaryFile::Range(range) => Reader { range, node }.read(),
        }
    }

    /// The values one after another; `None` for a range of which any number may be taken.
    #[must_use]
    pub fn levels(&self) -> Option<&[Level]> {
        match self {
            Self::Levels(levels) => Some(levels),
            Self::Between(_) => None,
        }
    }

    /// All values that can be taken, each once: of a range without levels its numbers, or so many shares of its distribution.
    #[must_use]
    pub fn all(&self) -> Vec<Level> {
        match self {
            Self::Levels(levels) => levels.clone(),
            Self::Between(between) => between.all(),
        }
    }

    /// The value below which this share of all lies, from 0 up to 1: the inverse of their distribution.
    #[must_use]
    pub fn at(&self, share: f64) -> Level {
        match self {
            Self::Levels(levels) => {
                let place = crate::units::place(share * levels.len() as f64);
                levels[place.min(levels.len() - 1)].clone()
            }
            Self::Between(between) => Level::number(between.at(share)),
        }
    }

    /// The unit, where all values are numbers in one.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        match self {
            Self::Levels(levels) => {
                let first = levels.first()?.number.as_ref()?;
                let same = |level: &Level| level.number.as_ref().is_some_and(|number| number.unit == first.unit);
                levels.iter().all(same).then_some(first.unit.trim())
            }
            Self::Between(between) => Some(between.from.unit.trim()),
        }
    }
}

impl Between {
    fn at(&self, share: f64) -> Number {
        let (low, high) = (self.from.micro as f64, self.to as f64);
        let value = match self.curve {
            Curve::Uniform => low + share * (high - low),
            Curve::LogUniform => low * libm::exp(share * libm::log(high / low)),
            Curve::Normal(mean, sd) => {
                let (mean, sd) = (mean as f64, sd as f64);
                let (first, last) = (below((low - mean) / sd), below((high - mean) / sd));
                mean + sd * quantile(first + share * (last - first))
            }
        };
        let above = (value - low).clamp(0.0, high - low) / self.by as f64;
        // Down where all are alike, so that each of the levels is as likely; else to the nearest.
        let grains = if self.curve == Curve::Uniform { libm::floor(above) } else { libm::round(above) };
        let most = (self.to - self.from.micro) / self.by;
        let grains = i64::try_from(whole(grains)).unwrap_or(most).min(most);
        Number { micro: self.from.micro + grains * self.by, unit: self.from.unit.clone() }
    }
}

impl Between {
    fn all(&self) -> Vec<Level> {
        let most = (self.to - self.from.micro) / self.by;
        if self.curve == Curve::Uniform {
            let number = |grains| Number { micro: self.from.micro + grains * self.by, unit: self.from.unit.clone() };
            return (0..=most).map(|grains| Level::number(number(grains))).collect();
        }
        let shares = (0..=GRAINS).map(|place| place as f64 / GRAINS as f64);
        let mut all: Vec<Level> = shares.map(|share| Level::number(self.at(share))).collect();
        all.dedup();
        all
    }
}

/// The share of a standard normal distribution below a value.
fn below(value: f64) -> f64 {
    0.5 * libm::erfc(-value * core::f64::consts::FRAC_1_SQRT_2)
}

/// The value that a share of a standard normal distribution lies below, by halving: 60 halvings of 80 are finer than the
/// numbers that come of it.
fn quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

struct Reader<'a> {
    range: &'a RangeFile,
    node: &'a Node,
}

impl Reader<'_> {
    fn read(&self) -> Result<Values, (&'static str, String)> {
        let from = self.number("from")?.ok_or(("from", "missing key `from`".to_owned()))?;
        let to = self.number("to")?.ok_or(("to", "missing key `to`".to_owned()))?;
        self.same_unit(&from, &to, "to")?;
        if from.micro >= to.micro {
            return Err(("to", format!("a range from `{from}` to `{to}` ends before it begins")));
        }
        if self.range.by.is_some() && self.range.steps.is_some() {
            return Err(("steps", "`by` and `steps` exclude each other: keep one of the two".to_owned()));
        }
        let curve = self.curve(&from)?;
        if curve == Curve::LogUniform && from.micro <= 0 {
            return Err(("from", format!("`log-uniform` begins above zero, not at `{from}`")));
        }
        if let Curve::Normal(mean, sd) = curve {
            let share = |micro: i64| below((micro - mean) as f64 / sd as f64);
            if share(to.micro) - share(from.micro) < PART_MIN {
                let why = format!("next to nothing of this distribution lies between `{from}` and `{to}`");
                return Err(("distribution", why));
            }
        }
        if let Some(steps) = self.range.steps {
            return self.steps(&from, &to, i64::from(steps), curve);
        }
        if let Some(by) = self.number("by")? {
            self.same_unit(&from, &by, "by")?;
            let width = to.micro - from.micro;
            if by.micro <= 0 || by.micro > width {
                return Err(("by", format!("`by: {by}` has no place between `{from}` and `{to}`")));
            }
            if width / by.micro >= LEVELS_MAX {
                return Err(("by", format!("`by: {by}` makes more than {LEVELS_MAX} values")));
            }
            let level = |place| Level::number(Number { micro: from.micro + place * by.micro, unit: from.unit.clone() });
            return Ok(match curve {
                Curve::Uniform => Values::Levels((0..=width / by.micro).map(level).collect()),
                _ => Values::Between(Between { to: to.micro, by: by.micro, from, curve }),
            });
        }
        let by = match curve {
            Curve::LogUniform => grain(to.micro - from.micro).min(grain(from.micro) * 10),
            Curve::Uniform | Curve::Normal(..) => grain(to.micro - from.micro),
        };
        Ok(Values::Between(Between { to: to.micro, by, from, curve }))
    }

    fn steps(&self, from: &Number, to: &Number, steps: i64, curve: Curve) -> Result<Values, (&'static str, String)> {
        if matches!(curve, Curve::Normal(..)) {
            let why = "a `normal` distribution has no `steps`: say `by`, to which draws are rounded";
            return Err(("steps", why.to_owned()));
        }
        let width = to.micro - from.micro;
        let micro = |place: i64| match curve {
            _ if place == 0 => from.micro,
            _ if place == steps - 1 => to.micro,
            Curve::LogUniform => {
                let share = place as f64 / (steps - 1) as f64;
                let ratio = to.micro as f64 / from.micro as f64;
                let value = from.micro as f64 * libm::exp(share * libm::log(ratio));
                let value = i64::try_from(whole(value)).unwrap_or(to.micro);
                rounded(value, grain(value))
            }
            Curve::Uniform | Curve::Normal(..) => {
                let exact = i128::from(width) * i128::from(place);
                let above = i64::try_from(exact / i128::from(steps - 1)).unwrap_or(width);
                let whole = exact % i128::from(steps - 1) == 0;
                from.micro + if whole { above } else { rounded(above, grain(width)) }
            }
        };
        let levels: Vec<Level> =
            (0..steps).map(|place| Level::number(Number { micro: micro(place), unit: from.unit.clone() })).collect();
        if levels.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(("steps", format!("{steps} steps are more than there are numbers from `{from}` to `{to}`")));
        }
        Ok(Values::Levels(levels))
    }

    fn curve(&self, from: &Number) -> Result<Curve, (&'static str, String)> {
        let (mean, sd) = (self.number("mean")?, self.number("sd")?);
        match (self.range.distribution, mean, sd) {
            (Some(DistributionFile::Normal), Some(mean), Some(sd)) => {
                self.same_unit(from, &mean, "mean")?;
                self.same_unit(from, &sd, "sd")?;
                if sd.micro <= 0 {
                    return Err(("sd", format!("a standard deviation is above zero, not `{sd}`")));
                }
                Ok(Curve::Normal(mean.micro, sd.micro))
            }
            (Some(DistributionFile::Normal), _, _) => {
                Err(("distribution", "a `normal` distribution needs its `mean` and its `sd`".to_owned()))
            }
            (_, Some(_), _) => Err(("mean", "`mean` is for `distribution: normal`".to_owned())),
            (_, _, Some(_)) => Err(("sd", "`sd` is for `distribution: normal`".to_owned())),
            (Some(DistributionFile::LogUniform), None, None) => Ok(Curve::LogUniform),
            (Some(DistributionFile::Uniform) | None, None, None) => Ok(Curve::Uniform),
        }
    }

    /// The number of this key, as it was written.
    fn number(&self, key: &'static str) -> Result<Option<Number>, (&'static str, String)> {
        let Some(text) = self.node.get(key).and_then(Node::scalar) else { return Ok(None) };
        let why = || format!("`{text}` is no number with a unit, such as `20/s`, `0.5` or `512M`");
        Number::parse(&text).map(Some).ok_or_else(|| (key, why()))
    }

    fn same_unit(&self, from: &Number, other: &Number, key: &'static str) -> Result<(), (&'static str, String)> {
        if from.unit == other.unit {
            return Ok(());
        }
        Err((key, format!("`{from}` and `{other}` are in different units: write all of a range in the same one")))
    }
}

/// How fine the numbers of a range are: a power of ten, so that there are between a thousand and ten thousand of them.
fn grain(width: i64) -> i64 {
    let mut grain = 1;
    while width / grain >= GRAINS * 10 {
        grain *= 10;
    }
    grain
}

fn rounded(value: i64, grain: i64) -> i64 {
    (value + grain / 2) / grain * grain
}
