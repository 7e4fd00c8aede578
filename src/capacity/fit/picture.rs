//! Price against load line, a picture for each currency.

use super::Fit;
use super::Row;
use super::words;
use crate::report::PriceMark;
use crate::report::PricePlane;
use crate::report::pareto;
use crate::report::price_plane;
use crate::units::Currency;
use crate::units::Permille;

/// Dearer than so many times the dearest whose load line is known, offers are left out of the picture.
const DEARER: f64 = 1.5;

/// The picture of a currency: those whose load line was looked for with their names, the others as far as they were tried.
/// `None` where no line is known.
pub(super) fn picture(fit: &Fit, currency: Currency) -> Option<String> {
    let price = |row: &&Row| row.ranked.get() as f64 / 1e6;
    let line = |row: &Row| row.line.holds.map_or(0.0, Permille::as_fraction);
    let known = fit.rows_in(currency).filter(|row| row.line.holds.is_some());
    let (exact, others): (Vec<&Row>, Vec<&Row>) = known.partition(|row| row.line.exact);
    let points: Vec<[f64; 2]> = exact.iter().map(|row| [price(row), -line(row)]).collect();
    let front = pareto::front(&points);
    let dearest = points.iter().map(|point| point[0]).fold(0.0, f64::max) * DEARER;
    let named = exact.iter().enumerate().map(|(place, row)| PriceMark {
        name: words::short(row),
        x: price(row),
        y: line(row),
        on_front: front.contains(&place),
    });
    let others = others.iter().filter(|row| price(row) <= dearest);
    let bare = others.map(|row| PriceMark { name: String::new(), x: price(row), y: line(row), on_front: false });
    let marks: Vec<PriceMark> = named.chain(bare).collect();
    (!points.is_empty()).then(|| {
        price_plane(&PricePlane {
            title: format!("{}: price and load line", fit.scenario.name),
            across: format!("price of a month, {currency}; small: at least, as far as it was tried"),
            up: "load that is carried, as a multiple of the expected load".to_owned(),
            wanted: Some(fit.question.aim().as_fraction()),
            marks,
        })
    })
}
