//! Load lines as CSV: one row per host.

use super::Answer;
use super::End;
use super::words;

/// The rows. What is not known is empty.
///
/// # Errors
/// Never in memory; the type is that of the writer.
pub fn csv(answer: &Answer) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "host",
        "end",
        "load_line",
        "low",
        "high",
        "holds_expected_load",
        "fullest",
        "p95_error_nine_of_ten",
        "breaks_first",
        "bottleneck",
        "price_month",
        "currency",
    ])?;
    for line in &answer.lines {
        let (end, found) = match &line.end {
            End::Line(found) => ("line", Some(found)),
            End::Above(_) => ("above", None),
            End::Below(_) => ("below", None),
        };
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let price = line.scenario.host.price.as_ref().map(|price| price.month);
        writer.write_record([
            line.scenario.host.name.clone(),
            end.to_owned(),
            line.multiple().as_fraction().to_string(),
            number(found.map(|found| found.interval.0.as_fraction())),
            number(found.map(|found| found.interval.1.as_fraction())),
            line.holds_expected.to_string(),
            number(found.map(|found| found.fullest)),
            number(found.map(|found| found.accuracy.nine_of_ten)),
            words::breaks_first(line),
            line.breaks
                .iter()
                .flat_map(|breaks| &breaks.bottleneck)
                .map(super::Part::key)
                .collect::<Vec<_>>()
                .join(" "),
            number(price.map(|price| price.get() as f64 / 1e6)),
            price.map(|price| price.currency().to_string()).unwrap_or_default(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
