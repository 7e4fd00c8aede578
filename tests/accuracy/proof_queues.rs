//! The oracle against closed forms, one container on a host of its own. Tolerances are four standard deviations of the
//! mean, from the batches of the run itself.

use crate::measure::Seen;
use crate::measure::observe;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Noise;
use plimsoll::model::ServiceModel;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::sim::oracle::Batches;
use plimsoll::world::sim::queueing;
use plimsoll::world::sim::response::Station;

const SPREADS: [Spread; 3] = [Spread::Constant, Spread::Exponential, Spread::Heavy];
const WORK: f64 = 0.005;

/// One service of 5 ms work at a rate, for so many requests.
fn seen(cores: u32, change: impl Fn(&mut ServiceModel), rate: u64, requests: u64) -> Seen {
    let mut web = service(5);
    change(&mut web);
    let load = constant(Rate::per_second(rate), Noise::Poisson);
    observe(&scenario(host(cores), [("web", web)], [("web", load)]), requests as f64 / rate as f64).remove(0)
}

/// M/G/1 with processor sharing: S / (1 − load), whatever the spread.
#[test]
fn processor_sharing_does_not_care_for_the_spread() {
    for spread in SPREADS {
        for (load, requests) in [(0.5, 200_000), (0.8, 600_000)] {
            let seen = seen(1, |web| web.work.spread = spread, if load < 0.6 { 100 } else { 160 }, requests);
            seen.assert_mean(WORK / (1.0 - load), &format!("{spread:?} at {load}"));
        }
    }
}

/// M/M/1, M/D/1 and M/G/1 in order of arrival, as Pollaczek and Khinchine say. Half of the M/M/1 requests take less than
/// ln 2 times the mean.
#[test]
fn one_worker_waits_as_pollaczek_and_khinchine_say() {
    for (spread, variation) in SPREADS.into_iter().zip([0.0, 1.0, 5.5]) {
        for (load, rate, requests) in [(0.5, 100, 300_000), (0.8, 160, 1_000_000)] {
            let change = |web: &mut ServiceModel| (web.workers, web.work.spread) = (Some(1), spread);
            let seen = seen(1, change, rate, requests);
            let wanted = WORK * (1.0 + load / (1.0 - load) * (1.0 + variation) / 2.0);
            seen.assert_mean(wanted, &format!("{spread:?} at {load}"));
            if spread == Spread::Exponential {
                let median = seen.whole.latency.quantile(1, 2).expect("requests").as_secs();
                assert!((median / wanted / core::f64::consts::LN_2 - 1.0).abs() < 4.0 * seen.deviation + 0.005);
            }
        }
    }
}

/// M/M/4 at 80 %: the wait is 0.745541 times the work (Erlang C). With more workers than cores and exponential work the
/// number inside is the same, and so is the mean.
#[test]
fn four_workers_wait_as_erlang_says() {
    for workers in [Some(4), Some(9), None] {
        let seen = seen(4, |web| web.workers = workers, 640, 500_000);
        seen.assert_mean(WORK * (1.0 + 0.745_541), &format!("{workers:?}"));
    }
}

/// One worker never uses more than one core: a quota of 1.0 on 4 cores is M/G/1 at one core. In overload it serves what
/// the quota is enough for.
#[test]
fn a_quota_of_one_core_on_four() {
    for spread in [Spread::Constant, Spread::Exponential] {
        let change = |web: &mut ServiceModel| {
            (web.workers, web.work.spread, web.limits.cpu) = (Some(1), spread, Some(Millicores::cores(1)));
        };
        let seen = seen(4, change, 140, 500_000);
        let wanted = WORK * (1.0 + 0.7 / 0.3 * (1.0 + queueing::variation(spread)) / 2.0);
        seen.assert_mean(wanted, &format!("{spread:?}"));
        assert_eq!(seen.whole.throttled_periods, 0);
    }
    let full = seen(4, |web| web.limits.cpu = Some(Millicores::cores(1)), 260, 60_000);
    assert!((full.whole.cpu - 1.0).abs() < 1e-3, "{} cores of one", full.whole.cpu);
    let seconds = 60_000.0 / 260.0;
    let served = full.whole.served as f64 / seconds;
    // 200 a second, with the scatter of their work: four standard deviations of a sum of exponential times.
    assert!((served / 200.0 - 1.0).abs() < 4.0 / (200.0 * seconds).sqrt(), "{served} served a second");
    // Four cores use up a period's quota in a quarter of it; the rest of each period is a wait.
    assert!((full.whole.throttled / seconds - 0.75).abs() < 0.01, "{}", full.whole.throttled / seconds);
}

/// The oracle of one instance was written apart from this one: both must find the same under quotas, with and without
/// limited workers.
#[test]
fn quotas_are_those_of_the_oracle_of_one_instance() {
    for (cores, quota, workers, spread, load) in [
        (1, 500, None, Spread::Exponential, 0.7),
        (4, 1500, None, Spread::Heavy, 0.6),
        (4, 2500, Some(6), Spread::Constant, 0.8),
        (2, 300, Some(3), Spread::Exponential, 0.5),
    ] {
        let quota = Millicores::new(quota);
        let rate = load * quota.as_cores() / WORK;
        let station =
            Station { cores, quota: Some(quota), workers, work: Span::from_millis(5), spread, spins: Millicores::ZERO };
        let one = Batches::run(&station, load, 300_000, Seed::new(3).stream("one instance"));
        let change =
            |web: &mut ServiceModel| (web.workers, web.work.spread, web.limits.cpu) = (workers, spread, Some(quota));
        let mut web = service(5);
        change(&mut web);
        let load = constant(Rate::micro(whole(rate * 1e6)), Noise::Poisson);
        let host = observe(&scenario(host(cores), [("web", web)], [("web", load)]), 300_000.0 / rate).remove(0);
        let other = one.mean_seen();
        let (mine, interval) = (host.whole.mean(), 4.0 * other.deviation.hypot(host.deviation));
        assert!((mine / other.value - 1.0).abs() < interval, "{station:?}: {mine} and {}", other.value);
        assert!(interval < 0.1, "{station:?}: too few requests to tell: {interval}");
        let throttled = host.whole.throttled_periods as f64 * 0.1 / (300_000.0 / rate);
        assert!((throttled - one.whole.throttled).abs() < 0.02, "{station:?}: {throttled}");
    }
}
