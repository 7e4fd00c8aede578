//! Quantities as our own files write them: text with a unit, checked by the parsers of `units`.

use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Power;
use crate::units::Rate;
use crate::units::Span;
use crate::units::Temperature;
use crate::units::UnitError;

/// Which bare numbers a quantity may be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bare {
    /// None: the unit is always needed.
    Never,
    /// Only zero, which is the same in every unit.
    Zero,
    /// Whole numbers of the smallest unit.
    Whole,
    /// Numbers up to this.
    UpTo(u32),
}

/// A kind of quantity: its name in a schema, what it looks like, and its parser.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) check: fn(&str) -> Result<(), String>,
}

fn plain<T>(result: Result<T, UnitError>) -> Result<(), String> {
    result.map(|_| ()).map_err(|error| error.to_string())
}

/// Every format that our schemas name. `expression` is checked later, when the services are known.
pub(super) const FORMATS: [Format; 14] = [
    Format {
        name: "duration",
        expected: "a duration such as `30s`, `1m30s` or `500ms`",
        check: |text| plain(Span::parse(text)),
    },
    Format { name: "size", expected: "a size such as `512M` or `1.5G`", check: |text| plain(Bytes::parse(text)) },
    Format { name: "rate", expected: "a rate such as `60/s` or `5/min`", check: |text| plain(Rate::parse(text)) },
    Format { name: "percent", expected: "a share such as `80%`", check: |text| plain(Permille::parse(text)) },
    Format {
        name: "cpus",
        expected: "a number of CPUs such as `0.5` or `2`",
        check: |text| plain(Millicores::parse(text)),
    },
    Format { name: "factor", expected: "a factor such as `10x`", check: |text| factor(text).map(|_| ()) },
    Format {
        name: "temperature",
        expected: "a temperature such as `23C`",
        check: |text| plain(Temperature::parse(text)),
    },
    Format { name: "power", expected: "a power such as `13.6W`", check: |text| plain(Power::parse(text)) },
    Format { name: "money", expected: "an amount such as `12 USD`", check: |text| plain(Money::parse(text)) },
    Format {
        name: "time-of-day",
        expected: "a time of day such as \"20:00\"",
        check: |text| TimeOfDay::parse(text).map(|_| ()),
    },
    Format { name: "range", expected: "a range such as `2..6`", check: |text| range(text).map(|_| ()) },
    Format { name: "figure", expected: "a figure such as `70%`", check: |_| Ok(()) },
    Format { name: "seeds", expected: "seeds such as `1..20`", check: |text| SeedRange::parse(text).map(|_| ()) },
    Format { name: "expression", expected: "an expression such as `count(oom) == 0`", check: |_| Ok(()) },
];

/// The format of this name.
pub(super) fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// A number or text, as it stood in the file.
fn scalar_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match <serde_json::Value as serde::Deserialize>::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        // Never with an exponent, which no unit reads.
        serde_json::Value::Number(number) => match number.as_u64() {
            Some(whole) => Ok(whole.to_string()),
            None => Ok(number.as_f64().map(|number| number.to_string()).unwrap_or_default()),
        },
        other => Err(serde::de::Error::custom(format!("expected a quantity, found {other}"))),
    }
}

fn schema_of(format: &str, bare: Bare, description: &str, examples: &[&str]) -> schemars::Schema {
    let kinds = match bare {
        Bare::Never => serde_json::json!("string"),
        Bare::Zero | Bare::Whole => serde_json::json!(["string", "integer"]),
        Bare::UpTo(_) => serde_json::json!(["string", "number"]),
    };
    let mut schema = serde_json::json!({
        "description": description, "type": kinds, "format": format, "examples": examples,
    });
    let maximum = match bare {
        Bare::Never => None,
        Bare::Zero => Some(0),
        Bare::Whole => Some(u64::MAX >> 1),
        Bare::UpTo(most) => Some(u64::from(most)),
    };
    if let Some(maximum) = maximum {
        schema["minimum"] = 0.into();
        schema["maximum"] = maximum.into();
    }
    schemars::Schema::try_from(schema).unwrap_or_default()
}

macro_rules! quantity {
    ($(#[doc = $doc:literal])+ $name:ident($unit:ty), $format:literal, $bare:expr, $examples:expr, $parse:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(
            /// The quantity.
            pub $unit,
        );

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = scalar_text(deserializer)?;
                $parse(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schema_of($format, $bare, concat!($($doc),+).trim(), &$examples)
            }
        }
    };
}

quantity!(
    /// A length of time with its unit, as Compose writes it.
    Duration(Span),
    "duration", Bare::Zero, ["30s", "1m30s", "500ms"], Span::parse
);
quantity!(
    /// A size of memory or disk; a bare number counts bytes, and 1k is 1024 bytes.
    Size(Bytes),
    "size", Bare::Whole, ["512M", "1.5G"], Bytes::parse
);
quantity!(
    /// A rate with its unit.
    Frequency(Rate),
    "rate", Bare::Never, ["60/s", "5/min"], Rate::parse
);
quantity!(
    /// A share in percent; a bare number is a fraction of one.
    Percent(Permille),
    "percent", Bare::UpTo(10), ["80%", "2.5%"], Permille::parse
);
quantity!(
    /// How many times as much or as long.
    Factor(Permille),
    "factor", Bare::UpTo(1_000_000), ["10x", "1.5x"], factor
);
quantity!(
    /// CPU in cores.
    Cpus(Millicores),
    "cpus", Bare::UpTo(100_000), ["0.5", "2"], Millicores::parse
);
quantity!(
    /// A temperature in degrees Celsius.
    Degrees(Temperature),
    "temperature", Bare::Never, ["23C", "23.5C"], Temperature::parse
);
quantity!(
    /// Electrical power.
    Watts(Power),
    "power", Bare::Never, ["13.6W", "870mW"], Power::parse
);
quantity!(
    /// An amount of money with its currency.
    Amount(Money),
    "money", Bare::Never, ["12 USD", "4.49 EUR"], Money::parse
);
quantity!(
    /// A time of day, counted from midnight; write it in quotes.
    TimeOfDay(Span),
    "time-of-day", Bare::Never, ["20:00", "07:30"], |text: &str| TimeOfDay::parse(text)
);

quantity!(
    /// How many instances, at least and at most; without an end as many as fit.
    Range((u32, u32)),
    "range", Bare::Whole, ["2..6", "3", "2.."], range
);

/// Most instances of a service.
pub(crate) const REPLICAS_MAX: u32 = 10_000;

/// Reads `2..6`, `3` or `2..`.
fn range(text: &str) -> Result<(u32, u32), String> {
    let malformed = || format!("`{text}` is no range of instances such as `2..6`");
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| malformed());
    let first = number(first)?;
    let last = if last.trim().is_empty() { REPLICAS_MAX } else { number(last)? };
    if last < first {
        return Err(format!("`{text}` ends before it begins"));
    }
    if last > REPLICAS_MAX {
        return Err(format!("`{text}` goes beyond {REPLICAS_MAX} instances"));
    }
    Ok((first, last))
}

/// A figure in the unit of what it is of, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureText(
    /// The text, or the number.
    pub String,
);

impl<'de> serde::Deserialize<'de> for FigureText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar_text(deserializer).map(Self)
    }
}

impl schemars::JsonSchema for FigureText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Figure".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let description = "A figure with its unit, and for a bound how long it must be passed.";
        schema_of("figure", Bare::UpTo(1_000_000_000), description, &["70%", "70% for 5m", "3s", "50"])
    }
}

/// Reads `10x`, `1.5x` or `10`: above zero, in thousandths.
fn factor(text: &str) -> Result<Permille, String> {
    let malformed = || format!("`{text}` is not a factor such as `10x`");
    let number = text.trim().trim_end_matches('x');
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let factor = Permille::parse(number).ok().filter(|factor| plain && *factor > Permille::ZERO);
    factor.ok_or_else(malformed)
}

impl TimeOfDay {
    /// Reads `20:00` or `20:00:30`.
    fn parse(text: &str) -> Result<Span, String> {
        let malformed = || format!("`{text}` is not a time of day such as \"20:00\"");
        let mut seconds = 0;
        let parts: Vec<&str> = text.trim().split(':').collect();
        if !(2..=3).contains(&parts.len()) {
            return Err(malformed());
        }
        for (part, (below, scale)) in parts.into_iter().zip([(24, 3600), (60, 60), (60, 1)]) {
            let digits = !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            let value = part.parse::<u64>().ok().filter(|value| digits && *value < below).ok_or_else(malformed)?;
            seconds += value * scale;
        }
        Ok(Span::from_secs(seconds))
    }
}

/// The most seeds that one scenario may name.
pub(crate) const SEEDS_MAX: u64 = 100_000;

/// Seeds from one number to another, both included: `1..5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedRange {
    /// The first seed.
    pub first: u64,
    /// The last seed; never before the first.
    pub last: u64,
}

impl SeedRange {
    /// Reads `1..5`, or one number.
    ///
    /// # Errors
    /// In words, for anything else, for a range that runs backwards, and for more than 100,000 seeds.
    pub fn parse(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{text}` is no range of seeds such as `1..20`");
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let number = |text: &str| text.trim().trim_start_matches('=').parse::<u64>().map_err(|_| malformed());
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return Err(format!("`{text}` ends before it begins"));
        }
        if last - first >= SEEDS_MAX {
            return Err(format!("`{text}` are more than {SEEDS_MAX} seeds"));
        }
        Ok(Self { first, last })
    }
}

impl<'de> serde::Deserialize<'de> for SeedRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&scalar_text(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for SeedRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SeedRange".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schema_of("seeds", Bare::Whole, "One seed, or the first and the last of a range.", &["1..20"])
    }
}

/// The text of an expectation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct ExpressionText(pub String);

impl schemars::JsonSchema for ExpressionText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let description = "An aggregate of a series, a comparison and a figure.";
        schema_of(
            "expression",
            Bare::Never,
            description,
            &["p95(latency.api) <= 500ms for 99% of 5m", "count(oom) == 0"],
        )
    }
}
