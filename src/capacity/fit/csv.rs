//! What came of it as CSV: a line for each way to buy.

use super::Fit;
use super::words;
use crate::units::Money;
use crate::units::Permille;

/// The rows.
///
/// # Errors
/// Never in memory; the type is that of the writer.
pub fn csv(fit: &Fit) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "offer",
        "buys",
        "holds",
        "all_seeds",
        "carries",
        "breaks_at",
        "exact",
        "month",
        "currency",
        "ranked",
        "ranked_currency",
        "per_load",
        "months",
        "cpu_used",
        "memory_used",
        "triggers",
        "why_not",
        "seen",
        "source",
    ])?;
    let amount = |money: Money| format!("{:.2}", money.get() as f64 / 1e6);
    let share = |share: Option<Permille>| share.map(|share| share.as_fraction().to_string()).unwrap_or_default();
    for row in &fit.rows {
        let price = fit.offers.get(&row.offer).map(|offer| &offer.price);
        let months = fit.question.growth.and_then(|growth| row.months(growth)).filter(|_| row.line.exact);
        writer.write_record([
            row.offer.clone(),
            words::short(row),
            row.holds.to_string(),
            row.all_seeds.to_string(),
            share(row.line.holds),
            share(row.line.breaks),
            row.line.exact.to_string(),
            amount(row.month),
            row.month.currency().to_string(),
            amount(row.ranked),
            row.ranked.currency().to_string(),
            row.per_load().map(amount).unwrap_or_default(),
            months.map(|months| months.to_string()).unwrap_or_default(),
            share(row.used.map(|used| used.0)),
            share(row.used.map(|used| used.1)),
            row.triggers.iter().map(|trigger| trigger.name()).collect::<Vec<_>>().join(" "),
            words::why(row),
            price.map(|price| price.seen.clone()).unwrap_or_default(),
            price.map(|price| price.source.clone()).unwrap_or_default(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
