//! A real container under CPU quotas, measured: `../shared/facts/real_containers.csv`, and what the model says of each row.

use plimsoll::model::Latencies;
use plimsoll::model::Spread;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::sim::response::Response;
use plimsoll::world::sim::response::Station;

/// The file of measurements.
pub(crate) const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/facts/real_containers.csv");

/// What each request of that measurement took beside its work and its wait: connection, parsing, two thread switches.
const OVERHEAD: f64 = 0.0005;

/// Above this share of the quota one run of a minute says too little, or is a transient.
const LOAD_MOST: f64 = 0.9;

/// One measured run beside the model's word on it: what was measured, then what the model says. Times in seconds.
pub(crate) struct Row {
    /// Quota in cores.
    pub(crate) quota: f64,
    /// Load as a share of the quota.
    pub(crate) load: f64,
    pub(crate) mean: [f64; 2],
    pub(crate) p95: [f64; 2],
    /// Share of quota periods that ended throttled.
    pub(crate) throttled: [f64; 2],
}

/// The runs of a file of measurements that are not transients.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let records = reader.records().map(|record| record.expect("a row"));
    records
        .map(|record| {
            let text = |name: &str| {
                let column = header.iter().position(|column| column == name).expect("a column of that name");
                record[column].to_owned()
            };
            let number = |name: &str| text(name).parse::<f64>().expect("a number");
            let spread = match text("work").as_str() {
                "det" => Spread::Constant,
                "exp" => Spread::Exponential,
                _ => Spread::Heavy,
            };
            let station = Station {
                cores: 1,
                quota: Some(Millicores::new(whole(number("quota_cores") * 1000.0))),
                workers: None,
                work: Span::from_nanos(whole(number("mean_cpu_ms") * 1e6)),
                spread,
                spins: Millicores::ZERO,
            };
            let response = Response::of(&station);
            let load = number("offered_of_quota");
            let point = response.at(load);
            Row {
                quota: number("quota_cores"),
                load,
                mean: [number("mean_ms") / 1e3, point.mean + OVERHEAD],
                p95: [number("p95_ms") / 1e3, p95(&response, load) + OVERHEAD],
                throttled: [number("throttled_periods") / number("periods"), point.throttled],
            }
        })
        .filter(|row: &Row| row.load <= LOAD_MOST)
        .collect()
}

fn p95(response: &Response, load: f64) -> f64 {
    let (first, shares) = response.shape(load);
    let mut times = Latencies::new();
    shares.iter().enumerate().for_each(|(index, share)| times.add_to_bucket(first + index, whole(share * 1e9)));
    times.quantile(95, 100).expect("requests").as_secs()
}
