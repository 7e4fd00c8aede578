//! Queueing theory: the oracle against closed forms, and the response curves against theory and oracle.
//!
//! Tolerances are four standard deviations of the oracle's mean (`z = 4`), from the batches of the run itself, or 1 %
//! where theory meets theory.

#![expect(clippy::print_stdout, reason = "the error table is shown with --nocapture")]

use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::world::sim::oracle::Batches;
use plimsoll::world::sim::oracle::Oracle;
use plimsoll::world::sim::queueing;
use plimsoll::world::sim::response::Response;
use plimsoll::world::sim::response::Station;

const SPREADS: [Spread; 3] = [Spread::Constant, Spread::Exponential, Spread::Heavy];
const WORK: f64 = 0.005;

fn station(cores: u32, workers: Option<u32>, spread: Spread) -> Station {
    Station { cores, quota: None, workers, work: Span::from_millis(5), spread, spins: Millicores::ZERO }
}

fn with_quota(station: Station, millicores: u64) -> Station {
    Station { quota: Some(Millicores::new(millicores)), ..station }
}

fn observe(station: &Station, load: f64, requests: u64) -> Batches {
    Batches::run(station, load, requests, Seed::new(7).stream(&format!("{station:?} {load}")))
}

/// The oracle meets a closed form within its own confidence interval, and that interval is narrow enough to say something.
fn assert_meets(station: &Station, load: f64, requests: u64, wanted: f64) {
    let seen = observe(station, load, requests).mean();
    let (error, interval) = (seen.value / wanted - 1.0, 4.0 * seen.deviation);
    println!(
        "{station:?} at {load}: {:.4} ms, off by {:.2} % (z = 4: {:.2} %)",
        wanted * 1e3,
        error * 1e2,
        interval * 1e2
    );
    assert!(error.abs() <= interval, "{station:?} at {load}: {} for {wanted}", seen.value);
    assert!(interval < 0.05, "{station:?} at {load}: too few requests to tell: {interval}");
}

#[test]
fn processor_sharing_does_not_care_for_the_spread() {
    for spread in SPREADS {
        for (load, requests) in [(0.5, 400_000), (0.8, 1_000_000)] {
            assert_meets(&station(1, None, spread), load, requests, WORK / (1.0 - load));
        }
    }
}

#[test]
fn one_worker_waits_as_pollaczek_and_khinchine_say() {
    for (spread, variation) in SPREADS.into_iter().zip([0.0, 1.0, 5.5]) {
        for (load, requests) in [(0.5, 400_000), (0.8, 2_000_000)] {
            let wanted = WORK * (1.0 + load / (1.0 - load) * (1.0 + variation) / 2.0);
            // Not corrected for luck: at one worker that would take the answer from the closed form itself.
            let seen = observe(&station(1, Some(1), spread), load, requests).mean_seen();
            let error = seen.value / wanted - 1.0;
            assert!(error.abs() <= 4.0 * seen.deviation, "{spread:?} at {load}: {} for {wanted}", seen.value);
            assert!(seen.deviation < 0.025, "{spread:?} at {load}: too few requests to tell");
            let modelled = Response::of(&station(1, Some(1), spread)).at(load).mean;
            assert!((modelled / wanted - 1.0).abs() < 1e-6, "{modelled} for {wanted}");
        }
    }
}

#[test]
fn four_workers_wait_as_erlang_says() {
    let wait = queueing::erlang_c(4, 0.8) / (4.0 * 0.2);
    assert!((wait - 0.745_541).abs() < 1e-6, "{wait}");
    let wanted = WORK * (1.0 + wait);
    for workers in [Some(4), Some(9), None] {
        assert_meets(&station(4, workers, Spread::Exponential), 0.8, 600_000, wanted);
        let modelled = Response::of(&station(4, workers, Spread::Exponential)).at(0.8).mean;
        assert!((modelled / wanted - 1.0).abs() < 1e-6, "{modelled} for {wanted}");
    }
}

#[test]
fn little_holds_for_what_is_measured_apart() {
    for station in [
        station(1, None, Spread::Heavy),
        station(4, Some(4), Spread::Exponential),
        with_quota(station(2, None, Spread::Exponential), 700),
        with_quota(station(2, Some(8), Spread::Constant), 300),
    ] {
        let seen = observe(&station, 0.7, 1_000_000).whole;
        let product = seen.arrivals as f64 / seen.seconds * seen.mean;
        assert!((seen.in_system / product - 1.0).abs() < 1e-3, "{station:?}: {} for {product}", seen.in_system);
        assert!((seen.utilisation / 0.7 - 1.0).abs() < 0.02, "{station:?}: {}", seen.utilisation);
    }
}

#[test]
fn a_quota_of_all_cores_is_no_quota() {
    for (cores, quota) in [(1, 1000), (1, 5000), (4, 4000)] {
        let free = station(cores, None, Spread::Heavy);
        let limited = with_quota(free, quota);
        let run = |station: &Station| Oracle::new(station, 0.6, Seed::new(3).stream("same")).run(50_000);
        assert!((run(&free).mean / run(&limited).mean - 1.0).abs() < 1e-6, "request by request");
        for load in [0.0, 0.3, 0.6, 0.9, 0.99] {
            assert_eq!(Response::of(&free).at(load), Response::of(&limited).at(load));
        }
    }
}
