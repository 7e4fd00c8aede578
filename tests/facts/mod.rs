//! A real container under CPU quotas, measured: `../shared/facts/real_containers.csv`, and what the model says of each row. A
//! pool of threads in a group of the kernel, measured here: `cgroup_quotas.csv`.

mod quota_runs;

use plimsoll::model::Latencies;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::sim::oracle::Measured;
use plimsoll::world::sim::oracle::Oracle;
use plimsoll::world::sim::response::Response;
use plimsoll::world::sim::response::Station;

/// The file of measurements.
pub(crate) const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/facts/real_containers.csv");

/// The measurements of a pool of threads.
pub(crate) const POOL: &str = include_str!("cgroup_quotas.csv");

/// What each request of the server took beside its work and its wait: connection, parsing, two thread switches. A pool of threads
/// has nothing of it.
pub(crate) const SERVER: f64 = 0.0005;

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

/// The runs of a file of measurements that are not transients, whose requests took so many seconds beside their work.
pub(crate) fn rows(text: &str, beside: f64) -> Vec<Row> {
    measured(text).into_iter().map(|row| by_the_model(&row, beside)).filter(|row| row.load <= LOAD_MOST).collect()
}

/// The same for the pool of threads, with what the exact simulation says of the very same requests in place of the model: what is
/// left is no luck of the arrivals.
pub(crate) fn replayed() -> Vec<Row> {
    let rows = measured(POOL).into_iter().zip(quota_runs::RUNS).zip(1..);
    rows.map(|((measured, run), place)| by_the_same(&measured, &run, place))
        .filter(|row| row.load <= LOAD_MOST)
        .collect()
}

/// One line of a file of measurements.
struct Line {
    station: Station,
    quota: f64,
    load: f64,
    requests: f64,
    mean: f64,
    p95: f64,
    throttled: f64,
}

fn measured(text: &str) -> Vec<Line> {
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
            let quota = number("quota_cores");
            let station = Station {
                cores: 1,
                quota: (quota < 1.0).then(|| Millicores::new(whole(quota * 1000.0))),
                workers: None,
                work: Span::from_nanos(whole(number("mean_cpu_ms") * 1e6)),
                spread,
                spins: Millicores::ZERO,
            };
            Line {
                station,
                quota,
                load: number("offered_of_quota"),
                requests: number("requests"),
                mean: number("mean_ms") / 1e3,
                p95: number("p95_ms") / 1e3,
                throttled: number("throttled_periods") / number("periods"),
            }
        })
        .collect()
}

impl Line {
    fn beside(&self, mean: f64, p95: f64, throttled: f64) -> Row {
        Row {
            quota: self.quota,
            load: self.load,
            mean: [self.mean, mean],
            p95: [self.p95, p95],
            throttled: [self.throttled, throttled],
        }
    }
}

fn by_the_model(line: &Line, beside: f64) -> Row {
    let response = Response::of(&line.station);
    let point = response.at(line.load);
    line.beside(point.mean + beside, p95(&response, line.load) + beside, point.throttled)
}

/// Periods begin somewhere, so this many of their beginnings are tried.
const PHASES: u64 = 20;

fn by_the_same(line: &Line, run: &quota_runs::Run, place: u64) -> Row {
    let mut requests = run.requests(place);
    assert_eq!(requests.len() as f64, line.requests, "the same requests as were measured");
    // What they took is what the kernel counted, in all.
    let drawn = requests.iter().map(|request| request.work).sum::<f64>() / line.requests;
    let longer = line.station.work.as_secs() / drawn;
    requests.iter_mut().for_each(|request| request.work *= longer);
    let mut all: Option<Measured> = None;
    for phase in 1..=PHASES {
        let measured = Oracle::replay(&line.station, requests.clone(), Seed::new(phase).stream("phase"));
        match &mut all {
            Some(all) => all.merge(&measured),
            none => *none = Some(measured),
        }
    }
    let all = all.expect("some phases");
    line.beside(all.mean, all.quantile(0.95), all.throttled)
}

fn p95(response: &Response, load: f64) -> f64 {
    let (first, shares) = response.shape(load);
    let mut times = Latencies::new();
    shares.iter().enumerate().for_each(|(index, share)| times.add_to_bucket(first + index, whole(share * 1e9)));
    times.quantile(95, 100).expect("requests").as_secs()
}
