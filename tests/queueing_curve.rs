//! What a response curve promises its caller, over stations of any kind.

use plimsoll::model::Latencies;
use plimsoll::model::Spread;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use plimsoll::world::sim::queueing;
use plimsoll::world::sim::response::Response;
use plimsoll::world::sim::response::Station;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn stations() -> impl Strategy<Value = Station> {
    let spread = prop_oneof![Just(Spread::Constant), Just(Spread::Exponential), Just(Spread::Heavy)];
    let quota = prop_oneof![Just(None), (1_u64..70_000).prop_map(Some), (20_u64..2000).prop_map(Some)];
    let workers = prop_oneof![Just(None), (0_u32..40).prop_map(Some), (1_u32..5).prop_map(Some)];
    let work = prop_oneof![1_u64..2_000_000_000, 1_u64..5_000_000];
    let spins = prop_oneof![3 => Just(0_u64), 1 => 1_u64..8_000];
    (1_u32..=64, quota, workers, work, spread, spins).prop_map(|(cores, quota, workers, work, spread, spins)| Station {
        cores,
        quota: quota.map(Millicores::new),
        workers,
        work: Span::from_nanos(work.max(10_000)),
        spread,
        spins: Millicores::new(if quota.is_some_and(|quota| spins >= quota) { spins } else { 0 }),
    })
}

fn mean_of((first, shares): &(usize, Vec<f64>)) -> f64 {
    let middle = |index: usize| (Latencies::lower(index).as_secs() + Latencies::lower(index + 1).as_secs()) / 2.0;
    shares.iter().enumerate().map(|(index, share)| share * middle(first + index)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: RngSeed::Fixed(4), ..ProptestConfig::default() })]

    /// More load never means faster answers, nor fewer requests in the station.
    #[test]
    fn more_load_is_never_faster(station in stations()) {
        let response = Response::of(&station);
        let mut before = response.at(0.0);
        prop_assert!((before.mean / station.work.as_secs()) > 0.999, "{before:?}");
        for step in 1..=2000 {
            let point = response.at(f64::from(step) / 2000.0);
            prop_assert!(point.mean.is_finite() && (0.0..=1.0).contains(&point.throttled), "{point:?} at {step}");
            prop_assert!(point.mean >= before.mean * (1.0 - 1e-3), "{before:?} then {point:?} at {step}");
            prop_assert!(point.in_system > before.in_system, "{before:?} then {point:?} at {step}");
            before = point;
        }
    }

    /// The load found for a number of requests is the load at which there are so many.
    #[test]
    fn the_load_for_a_number_of_requests_is_the_inverse(station in stations(), load in 0.0..0.9999_f64) {
        let response = Response::of(&station);
        let found = response.load_for(response.at(load).in_system);
        prop_assert!((found - load).abs() <= 1e-6 * load + 1e-12, "{found} for {load}");
        prop_assert!((0.0..1.0).contains(&response.load_for(1e9)));
        prop_assert!(response.load_for(0.0) == 0.0);
    }

    /// Shares of a distribution add up to one, and their mean is the curve's.
    #[test]
    fn a_distribution_is_whole_and_has_the_mean_of_the_curve(station in stations(), load in 0.0..0.97_f64) {
        let response = Response::of(&station);
        let mean = response.at(load).mean;
        let shape = response.shape(load);
        prop_assert!((shape.1.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(shape.1.iter().all(|share| (0.0..=1.0).contains(share)), "{shape:?}");
        // Where many requests take the same time, their bucket's middle may be 2.2 % off.
        let within = if shape.1.iter().any(|share| *share > 0.15) { 0.035 } else { 0.015 };
        prop_assert!((mean_of(&shape) / mean - 1.0).abs() < within, "{} for {mean}", mean_of(&shape));
        let backlog = (mean * 50.0).min(500.0);
        let overload = response.overload_shape(backlog);
        prop_assert!((overload.1.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!((mean_of(&overload) / backlog - 1.0).abs() < 0.025, "{} for {backlog}", mean_of(&overload));
    }

    /// A quota only ever costs, and at most what a core as slow as it would.
    #[test]
    fn a_quota_lies_between_the_bare_cores_and_a_slow_core(station in stations(), part in 0.0..0.95_f64) {
        let station = Station { workers: None, spins: Millicores::ZERO, ..station };
        let quota = station.quota.map_or(f64::from(station.cores), Millicores::as_cores).min(f64::from(station.cores));
        let work = station.work.as_secs();
        let mean = Response::of(&station).at(part).mean;
        let bare = work * queueing::slowdown(f64::from(station.cores), part * quota / f64::from(station.cores));
        let slow = work * queueing::slowdown(quota, part);
        prop_assert!(mean >= bare * 0.99 && mean <= slow * 1.25, "{bare} {mean} {slow}");
    }
}

/// Percentiles of shares by bucket, linear inside the bucket.
fn percentile(shape: &(usize, Vec<f64>), percent: u64) -> f64 {
    let mut times = Latencies::new();
    let counts = shape.1.iter().map(|share| plimsoll::units::whole(share * 1e12));
    counts.enumerate().for_each(|(index, count)| times.add_to_bucket(shape.0 + index, count));
    times.quantile(percent, 100).expect("requests").as_secs()
}

#[test]
fn requests_in_order_at_one_worker_take_exponentially_long() {
    let station = Station {
        cores: 1,
        quota: None,
        workers: Some(1),
        work: Span::from_millis(5),
        spread: Spread::Exponential,
        spins: Millicores::ZERO,
    };
    for load in [0.3, 0.5, 0.7, 0.8] {
        let shape = Response::of(&station).shape(load);
        for (percent, multiple) in [(50, std::f64::consts::LN_2), (95, 2.995_732), (99, 4.605_170)] {
            let wanted = 0.005 / (1.0 - load) * multiple;
            let seen = percentile(&shape, percent);
            assert!((seen / wanted - 1.0).abs() < 0.005, "p{percent} at {load}: {seen} for {wanted}");
        }
    }
}

/// With a backlog, workers make all wait alike; without them, a request takes in proportion to its own work.
#[test]
fn a_backlog_is_waited_out_or_shared() {
    let shared = Station {
        cores: 1,
        quota: None,
        workers: None,
        work: Span::from_millis(5),
        spread: Spread::Exponential,
        spins: Millicores::ZERO,
    };
    let queued = Station { workers: Some(1), ..shared };
    let ratio = |station: &Station| {
        let shape = Response::of(station).overload_shape(10.0);
        percentile(&shape, 99) / percentile(&shape, 50)
    };
    assert!((ratio(&shared) - 4.605_17 / std::f64::consts::LN_2).abs() < 0.1, "{}", ratio(&shared));
    assert!(ratio(&queued) < 1.05, "{}", ratio(&queued));
}

/// Overload: what is not served stays. The pointwise fluid flow `dL/dt = arrivals − capacity · load_for(L)` grows by
/// exactly what arrives beyond the capacity, and drains by exactly what is left of it.
#[test]
fn a_backlog_grows_and_drains_at_the_fluid_rates() {
    let station = Station {
        cores: 2,
        quota: Some(Millicores::new(500)),
        workers: None,
        work: Span::from_millis(5),
        spread: Spread::Exponential,
        spins: Millicores::ZERO,
    };
    let response = Response::of(&station);
    assert!((response.capacity() - 100.0).abs() < 1e-9);
    let rate = |arrivals: f64, backlog: f64| arrivals - response.capacity() * response.load_for(backlog);
    assert!((rate(150.0, 1e6) - 50.0).abs() < 0.01);
    assert!((rate(60.0, 1e6) + 40.0).abs() < 0.01);
    let at_rest = response.at(0.6).in_system;
    assert!(rate(60.0, at_rest).abs() < 1e-4);
    assert!(rate(60.0, at_rest * 0.5) > 0.0);
}

#[test]
fn busy_cores_slow_everything_down() {
    assert!((queueing::slowdown(1.0, 0.5) - 2.0).abs() < 1e-12);
    assert!((queueing::slowdown(4.0, 0.8) - 1.745_541).abs() < 1e-6);
    assert!((queueing::slowdown(0.5, 0.5) - 4.0).abs() < 1e-12);
    let between = queueing::slowdown(2.5, 0.8);
    assert!(between < queueing::slowdown(2.0, 0.8) && between > queueing::slowdown(3.0, 0.8), "{between}");
}
