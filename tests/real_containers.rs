//! The model against a real container under CPU quotas: `../shared/facts/real_containers.csv`. Where the file is not
//! there, the test says so and compares nothing.

#![expect(clippy::print_stdout, reason = "the table of errors is shown with --nocapture")]

use plimsoll::model::Latencies;
use plimsoll::model::Spread;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::sim::response::Response;
use plimsoll::world::sim::response::Station;

const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/facts/real_containers.csv");

/// What each request of that measurement took beside its work and its wait: connection, parsing, two thread switches.
const OVERHEAD: f64 = 0.0005;

/// Above this share of the quota one run of a minute says too little, or is a transient.
const LOAD_MOST: f64 = 0.9;

struct Row {
    station: Station,
    load: f64,
    mean: f64,
    p95: f64,
    throttled: f64,
}

fn rows(text: &str) -> Vec<Row> {
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
            };
            Row {
                station,
                load: number("offered_of_quota"),
                mean: number("mean_ms") / 1e3,
                p95: number("p95_ms") / 1e3,
                throttled: number("throttled_periods") / number("periods"),
            }
        })
        .collect()
}

fn p95(response: &Response, load: f64) -> f64 {
    let (first, shares) = response.shape(load);
    let mut times = Latencies::new();
    shares.iter().enumerate().for_each(|(index, share)| times.add_to_bucket(first + index, whole(share * 1e9)));
    times.quantile(95, 100).expect("requests").as_secs()
}

fn median(mut sizes: Vec<f64>) -> f64 {
    sizes.sort_by(f64::total_cmp);
    sizes[sizes.len() / 2]
}

#[test]
fn measured_containers_are_met() {
    let Ok(text) = std::fs::read_to_string(FACTS) else {
        println!("{FACTS} is not there: nothing compared with real containers");
        return;
    };
    let mut errors: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    println!(
        "quota  load   mean ms: measured, model, error %   p95 ms: measured, model, error %   throttled: measured, model"
    );
    for row in rows(&text).iter().filter(|row| row.load <= LOAD_MOST) {
        let response = Response::of(&row.station);
        let point = response.at(row.load);
        let (mean, p95) = (point.mean + OVERHEAD, p95(&response, row.load) + OVERHEAD);
        let (mean_error, p95_error) = (mean / row.mean - 1.0, p95 / row.p95 - 1.0);
        println!(
            "{:5} {:5.3} {:10.2} {:8.2} {:6.1} {:12.2} {:8.2} {:6.1} {:10.3} {:6.3}",
            row.station.quota.map_or(0.0, Millicores::as_cores),
            row.load,
            row.mean * 1e3,
            mean * 1e3,
            mean_error * 100.0,
            row.p95 * 1e3,
            p95 * 1e3,
            p95_error * 100.0,
            row.throttled,
            point.throttled
        );
        errors[0].push(mean_error.abs());
        errors[1].push(p95_error.abs());
    }
    assert!(errors[0].len() >= 10, "only {} rows to compare with", errors[0].len());
    let [mean, p95] = errors.map(median);
    println!("median error: mean {:.1} %, p95 {:.1} %", mean * 100.0, p95 * 100.0);
    assert!(mean <= 0.15 && p95 <= 0.15, "median error: mean {mean:.3}, p95 {p95:.3}");
}
