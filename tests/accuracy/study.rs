//! The step model against the oracle, case by case, and what comes of it by load.

use crate::balance;
use crate::draws;
use crate::draws::Case;
use crate::draws_between;
use crate::line;
use crate::measure::together;
use crate::pins;
use crate::pools;
use crate::simulation::merged;
use crate::simulation::run;
use plimsoll::model::Balance;
use plimsoll::model::Latencies;
use plimsoll::model::ServiceSample;
pub(crate) use plimsoll::report::accuracy::Kind;
use plimsoll::seed::Seed;
use plimsoll::units::Span;
use plimsoll::world::oracle::Oracle;
use plimsoll::world::oracle::ServiceOutcome;
use rayon::prelude::*;

/// Loads of the busiest part, in percent.
pub(crate) const BANDS: [u32; 5] = [20, 40, 60, 80, 90];
/// What is compared, in this order everywhere.
pub(crate) const FIGURES: [&str; 6] = ["mean", "P50", "P95", "P99", "throughput", "failures"];
/// The share of requests that fail, among these. Its error is a difference of shares, that of the others a share.
pub(crate) const FAILURES: usize = 5;
/// Batches that the oracle runs before it asks whether it is sure enough.
const BATCHES: usize = 20;

/// Share of all requests beyond which those that are inside at the end say that more came than could be done.
const GROWN: f64 = 0.005;

/// Kinds of cases.
pub(crate) const KINDS: usize = Kind::ALL.len();

/// The case of this number at a load of its busiest part.
pub(crate) fn case(kind: Kind, number: u64, load: f64) -> Case {
    match kind {
        Kind::Single => draws::single(number, load),
        Kind::Equal => draws::shared(number, load, false),
        Kind::Weighted => draws::shared(number, load, true),
        Kind::Graph => draws::graph(number, load),
        Kind::Between => draws_between::calls(number, load),
        Kind::Clients => draws_between::clients(number, load),
        Kind::Pools => Case::at(pools::drawn(number, load), load),
        Kind::Pinned => Case::at(pins::drawn(number, load), load),
        Kind::Line => Case::at(line::drawn(number, load), load),
        Kind::Turns => balance::drawn(number, load, Balance::RoundRobin),
        Kind::Fewest => balance::drawn(number, load, Balance::LeastConnections),
    }
}

/// How much is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Cases of each kind.
    pub(crate) cases: [u64; KINDS],
    /// The oracle goes on until the standard deviation of each mean is below this share of it …
    pub(crate) sure: f64,
    /// … or it has seen so many events.
    pub(crate) events: u64,
}

/// One service of one case, by the step model and by the oracle.
pub(crate) struct Compared {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    /// The load that the case was drawn for, in percent.
    pub(crate) drawn: u32,
    /// The load of the busiest part, in percent.
    pub(crate) band: u32,
    pub(crate) service: usize,
    /// The larger one of its own utilisation and of the host's.
    pub(crate) utilisation: f64,
    pub(crate) model: [f64; 6],
    pub(crate) oracle: [f64; 6],
    /// Standard deviation of the oracle's mean, as a share of it.
    pub(crate) deviation: f64,
}

impl Compared {
    /// By how much the step model is above the oracle, as a share; of failures as a difference of shares. Infinite for times
    /// of a service whose requests all fail in the model.
    pub(crate) fn error(&self, figure: usize) -> f64 {
        if figure == FAILURES {
            return self.model[figure] - self.oracle[figure];
        }
        let error = self.model[figure] / self.oracle[figure] - 1.0;
        // Of a service that nobody gets an answer from, the model knows no times.
        if error.is_nan() { f64::INFINITY } else { error }
    }
}

/// All cases of a study, in order.
pub(crate) fn compare(effort: Effort) -> Vec<Compared> {
    let mut cases = Vec::new();
    for (kind, count) in Kind::ALL.into_iter().zip(effort.cases) {
        cases.extend((0..count).map(|number| (kind, number)));
    }
    cases.into_par_iter().flat_map_iter(|(kind, number)| compare_one(kind, number, effort)).collect()
}

/// One case of a kind; its load goes through the bands by its number. Nothing where more came than can be done, since
/// nothing has a steady answer then.
pub(crate) fn compare_one(kind: Kind, number: u64, effort: Effort) -> Vec<Compared> {
    let turn = usize::try_from(number).expect("small") % BANDS.len();
    let drawn = BANDS[turn];
    let case = case(kind, number, f64::from(drawn) / 100.0);
    let seen = judge(&case, Seed::new(number), effort);
    let grows = |outcome: &ServiceOutcome| outcome.inside_at_end as f64 > GROWN * outcome.arrived as f64;
    if kind == Kind::Between && seen.iter().any(|(outcome, ..)| grows(outcome)) {
        return Vec::new();
    }
    let band = if kind == Kind::Clients { band_of(&case, &seen) } else { drawn };
    let samples = &run(&case.scenario, 600)[2..];
    let compared = seen.into_iter().enumerate().map(|(service, (outcome, seconds, deviation))| {
        let times = merged(samples, service);
        let of = |count: fn(&ServiceSample) -> u64| -> f64 {
            samples.iter().map(|sample| count(&sample.services[service])).sum::<u64>() as f64 / 1000.0
        };
        let (served, failed, arrived) =
            (of(|sample| sample.served), of(|sample| sample.failed), of(|sample| sample.arrived));
        let rate = served / (60.0 * samples.len() as f64);
        // The way of a request from outside and back is its client's time in the oracle, and its own in the model.
        let named = case.scenario.load.contains_key(&outcome.name);
        let way = if named { 2.0 * case.scenario.host.hop.as_secs() } else { 0.0 };
        let failures = outcome.timed_out + outcome.call_failed + outcome.refused + outcome.broken;
        Compared {
            kind,
            number,
            drawn,
            band,
            service,
            utilisation: case.utilisations[service],
            model: figures(&times, rate, failed / arrived, way),
            oracle: figures(&outcome.latency, outcome.served as f64 / seconds, share(failures, outcome.arrived), 0.0),
            deviation,
        }
    });
    compared.collect()
}

fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

/// The band of a case whose load nobody knows beforehand, by what the busiest part was used.
fn band_of(case: &Case, seen: &[(ServiceOutcome, f64, f64)]) -> u32 {
    let cores = case.scenario.host.core_count();
    let models = case.scenario.services.values();
    let own = models.zip(seen).map(|(model, seen)| seen.0.cpu / draws::power(model, cores) / f64::from(model.replicas));
    let all = seen.iter().map(|seen| seen.0.cpu).sum::<f64>() / f64::from(cores);
    let most = own.fold(all, f64::max) * 100.0;
    let ends = BANDS.windows(2).map(|pair| f64::from(pair[0] + pair[1]) / 2.0);
    BANDS[ends.filter(|end| most >= *end).count()]
}

fn figures(times: &Latencies, rate: f64, failures: f64, way: f64) -> [f64; 6] {
    let quantile = |percent| times.quantile(percent, 100).map_or(f64::NAN, Span::as_secs) - way;
    let mean = times.mean().map_or(f64::NAN, Span::as_secs) - way;
    [mean, quantile(50), quantile(95), quantile(99), rate, failures]
}

/// The oracle's word on a case: the services, over how many seconds, how sure.
pub(crate) fn judge(case: &Case, seed: Seed, effort: Effort) -> Vec<(ServiceOutcome, f64, f64)> {
    let mut oracle = Oracle::new(&case.scenario, seed).expect("constant rates");
    // The busiest part sees a few thousand requests in each batch, or the host as many of the slowest service.
    let length = 3000.0 / case.outside_rate;
    oracle.advance(2.0 * length);
    let _ = oracle.take();
    let (mut batches, mut events): (Vec<Vec<ServiceOutcome>>, u64) = (Vec::new(), 0);
    loop {
        for _ in 0..BATCHES {
            oracle.advance(length);
            let outcome = oracle.take();
            events += outcome.events;
            batches.push(outcome.services);
        }
        let seconds = length * batches.len() as f64;
        let found: Vec<_> = (0..batches[0].len())
            .map(|place| together(batches.iter().map(|batch| &batch[place])))
            .map(|seen| (seen.whole, seconds, seen.deviation))
            .collect();
        let unsure = found.iter().map(|service| service.2).fold(0.0, f64::max);
        if unsure < effort.sure || events >= effort.events {
            return found;
        }
    }
}

/// How many cases of a kind were compared.
pub(crate) fn cases(all: &[Compared], kind: Kind) -> u64 {
    let mut numbers: Vec<u64> = all.iter().filter(|compared| compared.kind == kind).map(|one| one.number).collect();
    numbers.dedup();
    numbers.len() as u64
}

/// The absolute errors of a figure in some bands, ascending.
pub(crate) fn errors(all: &[Compared], kind: Kind, bands: &[u32], figure: usize) -> Vec<f64> {
    let here = all.iter().filter(|compared| compared.kind == kind && bands.contains(&compared.band));
    let mut errors: Vec<f64> = here.map(|compared| compared.error(figure).abs()).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

/// What a share of sorted values stays within.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let below = sorted.iter().zip(1..).find(|(_, place)| f64::from(*place) >= share * sorted.len() as f64);
    below.map_or(f64::NAN, |found| *found.0)
}

/// The table and the worst cases, for whoever looks with `--nocapture`.
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
pub(crate) fn show(all: &[Compared]) {
    for kind in Kind::ALL {
        println!("{}: median | 90 % | worst of the absolute errors in percent", kind.title());
        for band in BANDS {
            let cells: Vec<String> = (0..FIGURES.len())
                .map(|figure| {
                    let errors = errors(all, kind, &[band], figure);
                    let of = |share| quantile(&errors, share) * 100.0;
                    format!("{} {:5.1} {:5.1} {:6.1}", FIGURES[figure], of(0.5), of(0.9), of(1.0))
                })
                .collect();
            println!("{band:3} %  n {:4}  {}", errors(all, kind, &[band], 0).len(), cells.join(" | "));
        }
    }
    let mut worst: Vec<&Compared> = all.iter().collect();
    worst.sort_by(|one, other| other.error(0).abs().total_cmp(&one.error(0).abs()));
    for bad in worst.iter().take(12) {
        let case = self::case(bad.kind, bad.number, f64::from(bad.drawn) / 100.0);
        println!(
            "{:?} {} at {} %, s{} ({:.2}): mean {:+.0} % of {:.2} ms ± {:.1} %, P95 {:+.0} %\n    {}",
            bad.kind,
            bad.number,
            bad.band,
            bad.service,
            bad.utilisation,
            bad.error(0) * 100.0,
            bad.oracle[0] * 1e3,
            bad.deviation * 100.0,
            bad.error(2) * 100.0,
            case.describe()
        );
    }
}
