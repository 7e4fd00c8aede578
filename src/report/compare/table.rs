//! A comparison as CSV: one row per policy and figure.

use super::Comparison;
use super::Estimate;
use super::Standing;

/// The rows: mean, interval, difference from the base with its interval, and p values. What is not known is empty.
///
/// # Errors
/// Never in memory; the type is that of the writer.
pub fn csv(comparison: &Comparison) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "policy",
        "on_front",
        "figure",
        "unit",
        "mean",
        "low",
        "high",
        "difference",
        "difference_low",
        "difference_high",
        "p_value",
        "p_value_holm",
    ])?;
    for row in &comparison.rows {
        for (measure, estimate) in &row.figures {
            let on_front = row.standing == Standing::OnFront;
            let head = [&row.name, &on_front.to_string(), measure.name(), measure.unit()].map(str::to_owned);
            writer.write_record(head.into_iter().chain(numbers(estimate)))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn numbers(estimate: &Estimate) -> [String; 8] {
    let (interval, difference) = (estimate.interval, estimate.difference);
    let paired = difference.and_then(|difference| difference.paired);
    [
        Some(estimate.mean),
        interval.map(|interval| interval.low),
        interval.map(|interval| interval.high),
        difference.map(|difference| difference.mean),
        paired.map(|paired| paired.difference.low),
        paired.map(|paired| paired.difference.high),
        paired.map(|paired| paired.p_value),
        difference.and_then(|difference| difference.p_value),
    ]
    .map(|number| number.map(|number| number.to_string()).unwrap_or_default())
}
