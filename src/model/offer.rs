//! What providers sell: a machine, its price, and where both are known from.

use super::Host;
use super::Price;
use crate::units::Bytes;
use crate::units::Currency;
use crate::units::Money;
use std::collections::BTreeMap;

/// Hours that a price for a month stands for: 365 days of 24 hours over 12.
pub const HOURS_PER_MONTH: u64 = 730;

/// How the cores of a rented machine are kept.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CpuKind {
    /// For this machine alone.
    Dedicated,
    /// Shared with other guests, without a promise.
    Shared,
    /// A share of them for ever, all of them for a while.
    Burstable,
}

impl CpuKind {
    /// As files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dedicated => "dedicated",
            Self::Shared => "shared",
            Self::Burstable => "burstable",
        }
    }
}

/// What kind of price it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PriceKind {
    /// The provider's list.
    List,
    /// For a first term; then it is the renewal.
    Promo,
    /// By the hour; the month is 730 hours.
    Hourly,
    /// Somebody's plan, not a provider's price.
    Planned,
}

impl PriceKind {
    /// As files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Promo => "promo",
            Self::Hourly => "hourly",
            Self::Planned => "planned",
        }
    }
}

/// Which price of a plan with a first term counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Term {
    /// What it costs after the first term, as long as it is kept.
    #[default]
    After,
    /// What it costs in the first term.
    First,
}

/// A machine that can be rented or bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its short name: `hetzner-cx33`.
    pub name: String,
    /// Who sells it.
    pub provider: String,
    /// How its cores are kept; `None` where nobody says, as in profiles.
    pub cpu: Option<CpuKind>,
    /// Its price, with date and source.
    pub price: Price,
    /// What kind of price.
    pub kind: PriceKind,
    /// Months of the first term, or for which one is bound.
    pub term: Option<u32>,
    /// For an hour, where it can be had by the hour.
    pub hour: Option<Money>,
    /// What the source says of taxes: `without VAT`.
    pub tax: Option<String>,
    /// Traffic that a month includes.
    pub traffic: Option<Bytes>,
    /// Its disk is billed apart, and not in the price.
    pub disk_extra: bool,
    /// What else a buyer should know.
    pub note: Option<String>,
    /// Why it cannot be bought, as far as is known.
    pub not_sold: Option<String>,
    /// The machine; or why too little is known of it to say what it carries.
    pub host: Result<Host, String>,
}

impl Offer {
    /// What a month costs.
    #[must_use]
    pub fn month(&self, term: Term) -> Money {
        match term {
            Term::After => self.price.renewal.unwrap_or(self.price.month),
            Term::First => self.price.month,
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.host.as_ref().map_or(&self.name, |host| &host.title)
    }
}

/// A day, as far as it is known: year, month or 0, day or 0. `None` for what is no date such as `2026-09-29` or `2026-09`.
#[must_use]
pub fn day(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-');
    let number = |part: Option<&str>, digits: usize, most: u32| match part {
        None => Some(0),
        Some(part) if part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()) => {
            part.parse().ok().filter(|number| (1..=most).contains(number))
        }
        Some(_) => None,
    };
    let year = number(parts.next(), 4, 9999)?;
    let day = (year, number(parts.next(), 2, 12)?, number(parts.next(), 2, 31)?);
    parts.next().is_none().then_some(day)
}

/// Whether a date lies more than a year before another. What is not known of a date counts as its first month or day.
#[must_use]
pub fn is_year_older(seen: &str, newest: &str) -> bool {
    match (day(seen), day(newest)) {
        (Some((year, month, day)), Some(newest)) => (year + 1, month, day) < newest,
        _ => false,
    }
}

/// What one currency is worth in another. Currencies without a rate stay apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rates {
    of: BTreeMap<Currency, Money>,
}

impl Rates {
    /// One unit of a currency is worth so much of another one; whether that is a rate: not zero, and of another currency.
    /// A later rate of the same currency takes the place of an earlier one.
    pub fn set(&mut self, of: Currency, worth: Money) -> bool {
        let fits = worth.get() > 0 && worth.currency() != of;
        if fits {
            self.of.insert(of, worth);
        }
        fits
    }

    /// The rates, by currency.
    pub fn iter(&self) -> impl Iterator<Item = (Currency, Money)> {
        self.of.iter().map(|(of, worth)| (*of, *worth))
    }

    /// An amount in the currency that its own has a rate in, rounded to a millionth; as it is where there is none.
    /// One rate is used: the result is not converted again.
    #[must_use]
    pub fn convert(&self, amount: Money) -> Money {
        let Some(worth) = self.of.get(&amount.currency()) else { return amount };
        let exact = u128::from(amount.get()) * u128::from(worth.get());
        let rounded = (exact + 500_000) / 1_000_000;
        Money::micro(u64::try_from(rounded).unwrap_or(u64::MAX), worth.currency())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).expect("an amount")
    }

    #[test]
    fn a_rate_converts_one_way_and_once() {
        let mut rates = Rates::default();
        assert!(rates.set(Currency::EUR, money("1.08 USD")));
        assert_eq!(rates.convert(money("10 EUR")), money("10.8 USD"));
        assert_eq!(rates.convert(money("10 USD")), money("10 USD"));
        assert!(!rates.set(Currency::EUR, money("1 EUR")) && !rates.set(Currency::EUR, money("0 USD")));
        // Each into the other: an amount is converted once, not back again.
        assert!(rates.set(Currency::USD, money("0.9 EUR")));
        assert_eq!(rates.convert(money("10 USD")), money("9 EUR"));
    }

    #[test]
    fn dates_are_as_exact_as_they_are_known() {
        assert_eq!(day("2026-09-29"), Some((2026, 9, 29)));
        assert_eq!(day("2026-09"), Some((2026, 9, 0)));
        assert_eq!(day("2026"), Some((2026, 0, 0)));
        for wrong in ["", "26", "2026-13", "2026-9", "2026-09-29-1", "before 2026", "2026-00"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
        assert!(is_year_older("2025-03-02", "2026-10-11") && is_year_older("2024-02-21", "2026-10-11"));
        assert!(!is_year_older("2025-12-28", "2026-10-11") && !is_year_older("2025-10-11", "2026-10-11"));
    }
}
