//! The response curves against the oracle, over random stations, by utilisation band. `cargo test --test
//! queueing_response -- --nocapture` shows the table of errors; `STATIONS`, `REQUESTS` and `WORST` in the environment ask
//! for more stations, longer runs and the worst of them.

#![expect(clippy::print_stdout, reason = "the error table is shown with --nocapture")]

use plimsoll::model::Latencies;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::sim::oracle::Batches;
use plimsoll::world::sim::response::Response;
use plimsoll::world::sim::response::Station;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use rayon::prelude::*;

const BANDS: [(f64, f64); 4] = [(0.0, 0.3), (0.3, 0.6), (0.6, 0.8), (0.8, 0.9)];
const PERCENTILES: [f64; 4] = [0.5, 0.95, 0.99, 0.999];

/// A number between two bounds, evenly by its logarithm.
fn between(random: &mut Pcg64, low: f64, high: f64) -> f64 {
    low * libm::exp(uniform(random) * libm::log(high / low))
}

fn uniform(random: &mut Pcg64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn spread(random: &mut Pcg64) -> Spread {
    match random.next_u64() % 3 {
        0 => Spread::Constant,
        1 => Spread::Exponential,
        _ => Spread::Heavy,
    }
}

/// A station as people run them: a twentieth of a core to four cores of quota on one to eight cores.
fn quota_station(random: &mut Pcg64) -> Station {
    loop {
        let cores = u32::try_from(whole(between(random, 0.5, 8.4999)).max(1)).expect("a few cores");
        let quota = whole(between(random, 50.0, 4000.0));
        let work = Span::from_nanos(whole(between(random, 0.3e6, 500e6)));
        if quota < u64::from(cores) * 1000 {
            let quota = Some(Millicores::new(quota));
            return Station { cores, quota, workers: None, work, spread: spread(random), spins: Millicores::ZERO };
        }
    }
}

/// The time in seconds that a share of a distribution by buckets stays within, linear inside the bucket.
fn quantile(shares: &(usize, Vec<f64>), probability: f64) -> f64 {
    let mut below = 0.0;
    for (index, share) in shares.1.iter().enumerate() {
        if below + share >= probability && *share > 0.0 {
            let (lower, upper) = (Latencies::lower(shares.0 + index), Latencies::lower(shares.0 + index + 1));
            return lower.as_secs() + (upper.as_secs() - lower.as_secs()) * (probability - below) / share;
        }
        below += share;
    }
    Latencies::lower(shares.0 + shares.1.len()).as_secs()
}

/// What a station at a load was found to do and what the model says: mean, percentiles, throttled share.
struct Compared {
    station: Station,
    load: f64,
    /// Modelled over found, less one: mean, then percentiles.
    errors: [f64; 5],
    /// What the oracle's own noise is for those.
    noise: [f64; 5],
    throttled: f64,
}

fn compared(station: Station, load: f64, requests: u64) -> Compared {
    let batches = Batches::run(&station, load, requests, Seed::new(5).stream(&format!("{station:?} {load}")));
    let response = Response::of(&station);
    let (point, shares) = (response.at(load), response.shape(load));
    let mean = batches.mean();
    let mut errors = [point.mean / mean.value - 1.0; 5];
    let mut noise = [mean.deviation; 5];
    for (index, probability) in PERCENTILES.into_iter().enumerate() {
        let found = batches.quantile(probability);
        errors[index + 1] = quantile(&shares, probability) / found.value - 1.0;
        noise[index + 1] = found.deviation;
    }
    Compared { station, load, errors, noise, throttled: point.throttled - batches.whole.throttled }
}

fn sorted(errors: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sizes: Vec<f64> = errors.map(f64::abs).collect();
    sizes.sort_by(f64::total_cmp);
    sizes
}

fn table(title: &str, all: &[Compared]) {
    println!("{title}: errors in percent, median / nine of ten / worst (noise of the oracle, median)");
    println!(
        "{:>10} {:>5} {:>24} {:>24} {:>24} {:>24} {:>24} {:>16}",
        "load", "n", "mean", "p50", "p95", "p99", "p99.9", "throttled"
    );
    for (low, high) in BANDS {
        let band: Vec<&Compared> = all.iter().filter(|one| one.load >= low && one.load < high).collect();
        if band.is_empty() {
            continue;
        }
        print!("{:>10} {:>5}", format!("{low}-{high}"), band.len());
        for figure in 0..5 {
            let sizes = sorted(band.iter().map(|one| one.errors[figure] * 100.0));
            let noise = sorted(band.iter().map(|one| one.noise[figure] * 100.0));
            let at = |part: usize| sizes[(sizes.len() - 1) * part / 10];
            print!(" {:>24}", format!("{:.1} / {:.1} / {:.1} ({:.1})", at(5), at(9), at(10), noise[noise.len() / 2]));
        }
        let sizes = sorted(band.iter().map(|one| one.throttled * 100.0));
        println!(" {:>16}", format!("{:.1} / {:.1}", sizes[sizes.len() / 2], sizes[sizes.len() - 1]));
    }
}

/// Loads from 0 to 0.9 for stations drawn by a function, compared with the oracle.
fn surveyed(name: &str, count: usize, requests: u64, draw: fn(&mut Pcg64) -> Station) -> Vec<Compared> {
    let mut random = Seed::new(11).stream(name);
    let of = |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (count, requests) = (of("STATIONS", count as u64), of("REQUESTS", requests));
    let trials: Vec<(Station, f64)> = (0..count).map(|_| (draw(&mut random), 0.9 * uniform(&mut random))).collect();
    let all: Vec<Compared> = trials.into_par_iter().map(|(station, load)| compared(station, load, requests)).collect();
    table(name, &all);
    worst(&all, 0);
    worst(&all, 2);
    all
}

fn worst(all: &[Compared], figure: usize) {
    let mut all: Vec<&Compared> = all.iter().collect();
    all.sort_by(|a, b| b.errors[figure].abs().total_cmp(&a.errors[figure].abs()));
    for one in all.iter().take(std::env::var("WORST").ok().and_then(|text| text.parse().ok()).unwrap_or(0)) {
        let Station { cores, quota, workers, work, spread, spins } = one.station;
        let q = quota.map_or(0.0, Millicores::as_cores);
        println!(
            "c {cores} q {q:.3} w {workers:?} spins {} S {:.2}ms kappa {:.4} {spread:?} load {:.3}: {:.1?} noise {:.1?}",
            spins.as_cores(),
            work.as_secs() * 1e3,
            work.as_secs() / q / 0.1,
            one.load,
            one.errors.map(|e| e * 100.0),
            one.noise.map(|e| e * 100.0)
        );
    }
}

/// The median, nine of ten, and all errors of a figure stay within bounds, what the oracle's own noise may be (`z = 4`)
/// taken off.
fn assert_within(all: &[Compared], figure: usize, bounds: [f64; 3]) {
    let sizes = sorted(all.iter().map(|one| (one.errors[figure].abs() - 4.0 * one.noise[figure]).max(0.0)));
    let last = sizes.len() - 1;
    let found = [sorted(all.iter().map(|one| one.errors[figure]))[last / 2], sizes[last * 9 / 10], sizes[last]];
    assert!(found.iter().zip(&bounds).all(|(found, bound)| found <= bound), "{found:?} not within {bounds:?}");
}

#[test]
fn quotas_are_met_over_random_stations() {
    let all = surveyed("quota", 60, 100_000, quota_station);
    assert_within(&all, 0, [0.02, 0.08, 0.15]);
    assert_within(&all, 2, [0.03, 0.12, 0.6]);
}

/// Shared or queued, with fewer, as many or more workers than cores.
fn free_station(random: &mut Pcg64) -> Station {
    let cores = u32::try_from(whole(between(random, 0.5, 16.4999)).max(1)).expect("a few cores");
    let workers = u32::try_from(whole(between(random, 1.0, 32.0))).ok().filter(|_| uniform(random) < 0.8);
    Station {
        cores,
        quota: None,
        workers,
        work: Span::from_millis(10),
        spread: spread(random),
        spins: Millicores::ZERO,
    }
}

#[test]
fn workers_are_met_over_random_stations() {
    let all = surveyed("workers", 60, 100_000, free_station);
    assert_within(&all, 0, [0.01, 0.03, 0.07]);
    assert_within(&all, 2, [0.03, 0.12, 0.25]);
}

fn both_station(random: &mut Pcg64) -> Station {
    let workers = u32::try_from(whole(between(random, 1.0, 32.0))).ok();
    Station { workers, ..quota_station(random) }
}

#[test]
fn workers_under_a_quota_are_met_over_random_stations() {
    let all = surveyed("quota and workers", 60, 100_000, both_station);
    assert_within(&all, 0, [0.02, 0.15, 0.3]);
    assert_within(&all, 2, [0.06, 0.3, 0.6]);
}

/// Something spins that wants one to all of the cores, and no less than the quota.
fn spinning_station(random: &mut Pcg64) -> Station {
    loop {
        let station = quota_station(random);
        let spins = Millicores::new(whole(between(random, 0.5, 8.4999)).max(1) * 1000);
        let workers = u32::try_from(whole(between(random, 1.0, 32.0))).ok().filter(|_| uniform(random) < 0.4);
        if station.quota.is_some_and(|quota| quota <= spins) && spins <= Millicores::cores(u64::from(station.cores)) {
            return Station { workers, spins, ..station };
        }
    }
}

#[test]
fn who_shares_a_quota_with_a_spin_waits_as_the_oracle_says() {
    let all = surveyed("spinning", 60, 100_000, spinning_station);
    assert_within(&all, 0, [0.02, 0.10, 0.45]);
    assert_within(&all, 2, [0.04, 0.15, 0.55]);
}

/// Percentiles where requests share and where they queue, on one core and on four.
#[test]
fn percentiles_are_the_oracles() {
    for (cores, workers) in [(1, None), (1, Some(1)), (4, None), (4, Some(4))] {
        for load in [0.3, 0.5, 0.7, 0.8] {
            let work = Span::from_millis(5);
            let station =
                Station { cores, quota: None, workers, work, spread: Spread::Exponential, spins: Millicores::ZERO };
            let one = compared(station, load, 1_000_000);
            for figure in 1..4 {
                let (error, noise) = (one.errors[figure], one.noise[figure]);
                println!(
                    "{cores} cores, {workers:?} workers, load {load}, figure {figure}: {:.1} % ({:.1})",
                    error * 100.0,
                    noise * 100.0
                );
                assert!(error.abs() <= 0.03, "{station:?} at {load}, figure {figure}: off by {error}");
            }
        }
    }
}
