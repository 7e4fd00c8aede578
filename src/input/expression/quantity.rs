//! Figures with their units.

use super::vocabulary::Kind;
use crate::model::Quantity;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Rate;
use crate::units::Span;
use crate::units::Temperature;

/// Units to suggest from, by the kind of figure they belong to.
const UNITS: [(Kind, &[&str]); 5] = [
    (Kind::Time, &["ns", "us", "ms", "s", "m", "h", "d", "w"]),
    (Kind::Memory, &["b", "k", "m", "g", "t", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB"]),
    (Kind::Rate, &["/s", "/min", "/h", "/d"]),
    (Kind::Temperature, &["C"]),
    (Kind::Money, &["USD", "EUR"]),
];

/// A decimal number in units of `10^-places`, exactly; `None` for what is no number, has more decimals, or does not fit.
pub(super) fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let part = part.trim_end_matches('0');
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places || text.ends_with('.') {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

/// The figure as this kind; `None` where it is none.
pub(super) fn read(kind: Kind, text: &str) -> Option<Quantity> {
    let plain = !text.contains(|c: char| !c.is_ascii_digit() && c != '.');
    match kind {
        Kind::Time => Span::parse(text).ok().map(Quantity::Time),
        Kind::Number => decimal(text, 3).map(Quantity::Number),
        Kind::Rate => Rate::parse(text).ok().map(|rate| Quantity::Rate(rate.get())),
        Kind::Share => decimal(text.strip_suffix('%')?.trim_end(), 4).map(Quantity::Share),
        Kind::Cpu => Millicores::parse(text).ok().map(Quantity::Cpu),
        Kind::Memory if plain && decimal(text, 0) != Some(0) => None,
        Kind::Memory => Bytes::parse(text).ok().map(Quantity::Memory),
        Kind::Temperature => Temperature::parse(text).ok().map(Quantity::Temperature),
        Kind::Money => Money::parse(text).ok().map(Quantity::Money),
        Kind::OfLimit => None,
    }
}

/// Every kind that the figure could be.
pub(super) fn kinds(text: &str) -> Vec<Kind> {
    let all = [Kind::Time, Kind::Memory, Kind::Share, Kind::Rate, Kind::Temperature, Kind::Money, Kind::Number];
    // Any three letters may be a currency; in small letters they are more likely a misspelt unit.
    let likely = |kind: &Kind| *kind != Kind::Money || text.bytes().filter(u8::is_ascii_uppercase).count() == 3;
    all.into_iter().filter(likely).filter(|kind| read(*kind, text).is_some()).collect()
}

/// The unit that someone most likely meant.
pub(super) fn nearest_unit(text: &str, accepted: &[Kind]) -> Option<&'static str> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
    let units = UNITS.iter().filter(|(kind, _)| accepted.contains(kind)).flat_map(|(_, units)| units.iter().copied());
    crate::input::problem::nearest(unit, units).filter(|_| !unit.is_empty())
}
