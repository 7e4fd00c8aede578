//! Stories and laws of the pod autoscaler; the arithmetic is in the comments.

use super::Activity;
use super::Aggregation;
use super::Autoscaler;
use super::Buckets;
use super::Collection;
use super::Config;
use super::ConfigError;
use super::Kpa;
use super::MaximumTimeWindow;
use super::MaximumWindow;
use super::PanicState;
use super::Recommendation;
use super::Revision;
use super::Ruling;
use super::Sample;
use super::ScalingMetric;
use super::Seen;
use super::Spec;
use super::Standing;
use super::Target;
use super::WeightedBuckets;
use super::active_threshold;
use super::settle;
use super::smoothing_coefficient;
use crate::units::Instant;
use crate::units::Span;
use proptest::prelude::*;
use std::collections::BTreeMap;

const fn seconds(count: u64) -> Span {
    Span::from_secs(count)
}

const fn at(count: u64) -> Instant {
    Instant::after_start(seconds(count))
}

/// A look at the service; the same load in both windows.
fn desired(scaler: &mut Autoscaler, now: Instant, ready: u32, load: f64) -> u32 {
    look(scaler, now, ready, load, load).desired
}

fn look(scaler: &mut Autoscaler, now: Instant, ready: u32, stable: f64, panic: f64) -> Recommendation {
    scaler.scale(now, Some(ready), Some(Seen { stable, panic })).expect("there is data")
}

fn settings(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_pod_carries_seventy_requests_at_a_time() {
    // 100 that it can carry, of which 0.7 are aimed for.
    let mut scaler = Autoscaler::new(Spec::default(), at(0), Some(2));
    assert_eq!(desired(&mut scaler, at(0), 2, 140.0), 2);
    assert_eq!(desired(&mut scaler, at(2), 2, 140.5), 3);
}

#[test]
fn a_look_leaves_half_of_the_pods_and_multiplies_them_by_the_rate() {
    let spec = Spec { max_scale_up_rate: 1.5, panic_threshold: 100.0, ..Spec::default() };
    let calm = PanicState::default();
    // floor(7 / 2) = 3; ceil(3 * 1.5) = 5.
    assert_eq!(desired(&mut Autoscaler::resume(spec, calm), at(0), 7, 0.0), 3);
    assert_eq!(desired(&mut Autoscaler::resume(spec, calm), at(0), 3, 7000.0), 5);
    // Nobody reaches it: it may fall at once.
    let lost = Spec { reachable: false, ..spec };
    assert_eq!(desired(&mut Autoscaler::resume(lost, calm), at(0), 7, 0.0), 0);
    // No pod counts as one, so that a rate of 1.5 allows ceil(1 * 1.5) = 2.
    assert_eq!(desired(&mut Autoscaler::resume(spec, calm), at(0), 0, 7000.0), 2);
}

#[test]
fn panic_begins_at_the_threshold_and_is_judged_without_the_rate() {
    // Two pods, threshold 2: a need of 4 is panic, one of 3 is not. The rate would allow 3 only.
    let spec = Spec { max_scale_up_rate: 1.5, ..Spec::default() };
    let mut scaler = Autoscaler::new(spec, at(0), Some(1));
    look(&mut scaler, at(0), 2, 0.0, 210.0);
    assert!(!scaler.is_panicking());
    let first = look(&mut scaler, at(2), 2, 0.0, 211.0);
    assert!(scaler.is_panicking());
    assert_eq!(first.desired, 3);
}

#[test]
fn panic_ends_strictly_after_the_stable_window() {
    let mut scaler = Autoscaler::new(Spec::default(), at(0), Some(1));
    assert_eq!(desired(&mut scaler, at(10), 1, 700.0), 10);
    // The load is gone, but the number does not fall.
    assert_eq!(desired(&mut scaler, at(40), 10, 70.0), 10);
    assert_eq!(desired(&mut scaler, at(70), 10, 70.0), 10);
    assert_eq!(scaler.panic(), PanicState { since: Some(at(10)), pods_max: 10 });
    // 60 s and a bit after the last look above the threshold; floor(10 / 2) = 5.
    let over = at(70).plus(Span::from_nanos(1));
    assert_eq!(desired(&mut scaler, over, 10, 70.0), 5);
    assert_eq!(scaler.panic(), PanicState::default());
}

#[test]
fn in_panic_the_larger_of_both_loads_is_carried() {
    let panic = PanicState { since: Some(at(0)), pods_max: 5 };
    let of = |stable, load| look(&mut Autoscaler::resume(Spec::default(), panic), at(2), 5, stable, load).desired;
    assert_eq!(of(490.0, 420.0), 7);
    assert_eq!(of(420.0, 490.0), 7);
    assert_eq!(of(70.0, 70.0), 5);
}

#[test]
fn a_restart_holds_what_there_is() {
    let mut scaler = Autoscaler::new(Spec::default(), at(100), Some(3));
    assert!(scaler.is_panicking());
    assert_eq!(desired(&mut scaler, at(160), 3, 0.0), 3);
    assert_eq!(desired(&mut scaler, at(161), 3, 0.0), 1);
    // One pod is no reason for it, and who cannot be counted has none.
    assert_eq!(Autoscaler::new(Spec::default(), at(0), Some(1)).panic(), PanicState { since: None, pods_max: 1 });
    assert_eq!(Autoscaler::new(Spec::default(), at(0), None).panic(), PanicState::default());
}

#[test]
fn without_data_nothing_is_recommended_and_nothing_remembered() {
    let mut scaler = Autoscaler::new(Spec::default(), at(0), Some(1));
    let before = scaler.clone();
    assert_eq!(scaler.scale(at(2), Some(1), None), None);
    assert_eq!(scaler.scale(at(2), None, Some(Seen { stable: 9999.0, panic: 9999.0 })), None);
    assert_eq!(scaler, before);
}

#[test]
fn a_delay_lets_the_number_fall_later_but_not_rise_later() {
    let spec = Spec { scale_down_delay: seconds(10), panic_threshold: 100.0, ..Spec::default() };
    let mut scaler = Autoscaler::new(spec, at(0), Some(1));
    // Ten seconds are five places of 2 s. What was asked for in the place of 0 s counts until that of 8 s.
    assert_eq!(desired(&mut scaler, at(0), 4, 280.0), 4);
    assert_eq!(desired(&mut scaler, at(2), 4, 210.0), 4);
    assert_eq!(desired(&mut scaler, at(8), 4, 140.0), 4);
    assert_eq!(desired(&mut scaler, at(10), 4, 140.0), 3);
    assert_eq!(desired(&mut scaler, at(11), 4, 490.0), 7);
    // Who cannot be reached does not wait.
    scaler.update(Spec { reachable: false, ..spec });
    assert_eq!(desired(&mut scaler, at(12), 4, 0.0), 0);
}

#[test]
fn a_service_with_a_load_has_its_activation_scale() {
    let spec = Spec { activation_scale: 3, max_scale_up_rate: 2.0, ..Spec::default() };
    let mut scaler = Autoscaler::new(spec, at(0), Some(0));
    assert_eq!(desired(&mut scaler, at(0), 0, 0.0), 0);
    // The rate would allow 2.
    assert_eq!(look(&mut scaler, at(2), 0, 1.0, 0.0).desired, 3);
    // An activation scale of one says nothing: with a rate of zero there is none.
    let one = Spec { activation_scale: 1, max_scale_up_rate: 0.0, ..Spec::default() };
    assert_eq!(desired(&mut Autoscaler::new(one, at(0), Some(1)), at(0), 1, 50.0), 0);
}

#[test]
fn the_excess_is_what_is_left_for_a_burst() {
    let with = |burst: f64| {
        let spec = Spec { target_burst_capacity: burst, ..Spec::default() };
        look(&mut Autoscaler::new(spec, at(0), Some(1)), at(0), 3, 0.0, 50.5).excess_burst_capacity
    };
    // 3 * 100 - 200 - 50.5 = 49.5, rounded down; with 300 it is -50.5, rounded down, too.
    assert_eq!(with(200.0), 49);
    assert_eq!(with(300.0), -51);
    assert_eq!(with(0.0), 0);
    assert_eq!(with(-1.0), -1);
    // Before the first look: 1 * 100 - 211.
    assert_eq!(Spec::default().initial_excess_burst_capacity(), -111);
    assert_eq!(Spec { target_burst_capacity: -1.0, ..Spec::default() }.initial_excess_burst_capacity(), -1);
}

#[test]
fn absurd_figures_do_no_harm() {
    let mut scaler = Autoscaler::resume(Spec::default(), PanicState::default());
    // What is no number is no need; the pods fall as for no load.
    assert_eq!(desired(&mut scaler, at(0), 8, f64::NAN), 4);
    assert_eq!(desired(&mut scaler, at(2), u32::MAX, f64::INFINITY), u32::MAX);
    let nothing = Spec { target_value: 0.0, max_scale_down_rate: 0.0, stable_window: Span::MAX, ..Spec::default() };
    let mut scaler = Autoscaler::new(nothing, Instant::after_start(Span::MAX), Some(u32::MAX));
    assert_eq!(desired(&mut scaler, at(0), 1, 1.0), u32::MAX);
}

#[test]
fn several_records_in_a_second_add_up_and_silence_between_records_is_zero() {
    let mut buckets = Buckets::new(seconds(5), seconds(1));
    buckets.record(at(1), 2.0);
    buckets.record(at(1).plus(Span::from_millis(999)), 4.0);
    assert_eq!(buckets.average(at(1)), 6.0);
    // Second 2 has none: (6 + 0 + 3) / 3.
    buckets.record(at(3), 3.0);
    assert_eq!(buckets.average(at(3)), 3.0);
    // Silence after the last record is left out, and the oldest bucket goes with time: at 6 s it is (0 + 3) / 2.
    assert_eq!(buckets.average(at(5)), 3.0);
    assert_eq!(buckets.average(at(6)), 1.5);
}

#[test]
fn a_bucket_as_old_as_the_window_is_gone() {
    let mut buckets = Buckets::new(seconds(5), seconds(1));
    buckets.record(at(10), 1.0);
    assert_eq!(buckets.average(at(14)), 1.0);
    assert_eq!(buckets.average(at(15)), 0.0);
    // "No data" comes a second later than "zero".
    assert!(!buckets.has_no_data(at(15)));
    assert!(buckets.has_no_data(at(16)));
    // A record that comes too late is passed over; one that is late adds to its second.
    buckets.record(at(5), 100.0);
    assert_eq!(buckets.average(at(10)), 1.0);
    buckets.record(at(6), 4.0);
    assert_eq!(buckets.average(at(10)), 1.0);
    assert_eq!(buckets.first_write(), Some(at(6)));
    // After a whole window of silence it begins anew.
    buckets.record(at(15), 7.0);
    assert_eq!(buckets.average(at(15)), 7.0);
    assert_eq!(buckets.first_write(), Some(at(15)));
}

#[test]
fn averages_are_rounded_to_six_digits() {
    let mut buckets = Buckets::new(seconds(60), seconds(1));
    for (second, value) in [(0, 1.0), (1, 0.0), (2, 0.0)] {
        buckets.record(at(second), value);
    }
    assert_eq!(buckets.average(at(2)), 0.333_333);
}

#[test]
fn a_longer_window_keeps_what_it_holds() {
    let mut buckets = Buckets::new(seconds(3), seconds(1));
    for second in 0..4 {
        buckets.record(at(second), 6.0);
    }
    buckets.resize(at(3), seconds(6));
    assert_eq!(buckets.average(at(3)), 6.0);
    // Four buckets of six are known: (6 + 6 + 6 + 2) / 4.
    buckets.record(at(4), 2.0);
    assert_eq!(buckets.average(at(4)), 5.0);
    buckets.resize(at(4), seconds(2));
    assert_eq!(buckets.average(at(4)), 4.0);
    // After a window of silence a change of length empties it.
    buckets.resize(at(60), seconds(9));
    assert_eq!(buckets.values(at(4)).iter().map(|(_, value)| value).sum::<f64>(), 0.0);
    assert_eq!(buckets.first_write(), None);
}

#[test]
fn windows_of_any_length_have_a_bucket() {
    for (window, granularity) in [(Span::ZERO, Span::ZERO), (Span::MAX, Span::ZERO), (Span::MAX, Span::MAX)] {
        let mut buckets = Buckets::new(window, granularity);
        assert!((1..=86_400).contains(&buckets.count()));
        for now in [Instant::START, at(5), Instant::after_start(Span::MAX), at(1)] {
            buckets.record(now, 1.0);
            assert!(buckets.average(now).is_finite());
            buckets.resize(now, Span::MAX);
            buckets.resize(now, window);
        }
    }
}

#[test]
fn a_weighted_average_follows_the_newest() {
    // Two buckets: 1 - 0.0001^(1/2) = 0.99, so 10 now after 20 before is 0.99 * 10 + 0.99 * 0.01 * 20 = 10.098.
    let mut buckets = WeightedBuckets::new(seconds(2), seconds(1));
    buckets.record(at(0), 20.0);
    buckets.record(at(1), 10.0);
    assert!((buckets.smoothing() - 0.99).abs() < 1e-12);
    assert!((buckets.average(at(1)) - 10.098).abs() < 1e-9);
    // A second of silence is a zero: only the newest is left, and it is the older one now.
    assert!((buckets.average(at(2)) - 0.099).abs() < 1e-9);
    // Many buckets: never below 0.2.
    assert_eq!(smoothing_coefficient(60.0), 0.2);
}

#[test]
fn what_the_proxy_counted_is_taken_off() {
    let windows = (seconds(60), seconds(6));
    let empty = |metric| Collection::new(metric, windows, Aggregation::Linear, true);
    let (mut inside, mut ended) = (empty(ScalingMetric::Concurrency), empty(ScalingMetric::Rps));
    assert_eq!(ended.seen(at(0)), None);
    let own = Sample { concurrency: 3.0, proxied_concurrency: 1.0, requests: 9.0, proxied_requests: 4.0 };
    // Two pods were asked, five there are: (8 / 2 * 5) and (2 / 2 * 5) are 20 - 5 = 15; the seconds are (2 + 15) / 2.
    let two = Sample { concurrency: 8.0, proxied_concurrency: 2.0, ..Sample::default() };
    for collection in [&mut inside, &mut ended] {
        collection.record(at(0), own);
        collection.record(at(1), two.scaled(2.0, 5.0));
    }
    assert_eq!(inside.seen(at(1)), Some(Seen { stable: 8.5, panic: 8.5 }));
    assert_eq!(ended.seen(at(1)), Some(Seen { stable: 2.5, panic: 2.5 }));
    assert_eq!(own.plus(two).concurrency, 11.0);
    // Where nobody is asked, silence is no load.
    let silent = Collection::new(ScalingMetric::Concurrency, windows, Aggregation::WeightedExponential, false);
    assert_eq!(silent.seen(at(9)), Some(Seen::default()));
}

#[test]
fn the_largest_of_one_place_counts() {
    let mut window = MaximumTimeWindow::new(seconds(3), seconds(2));
    assert_eq!(window.current(), 0);
    window.record(at(0), 5);
    window.record(at(1), 4);
    assert_eq!(window.current(), 5);
    // Two places of 2 s: the first one is gone at 4 s.
    window.record(at(3), 1);
    assert_eq!(window.current(), 5);
    window.record(at(4), 2);
    assert_eq!(window.current(), 2);
}

#[test]
fn settings_are_refused_beyond_their_bounds_only() {
    let refused = |key: &str, value: &str| match Config::read(&settings(&[(key, value)])) {
        Ok(_) => false,
        Err(ConfigError::Unreadable { key: at, .. } | ConfigError::OutOfBounds { key: at, .. }) => at == key,
    };
    for (key, good, bad) in [
        ("stable-window", "6s", "5s"),
        ("stable-window", "1h", "3601s"),
        ("stable-window", "7s", "7500ms"),
        ("panic-window-percentage", "1", "0.9"),
        ("panic-window-percentage", "100", "100.1"),
        ("max-scale-up-rate", "1.01", "1"),
        ("max-scale-down-rate", "1.01", "NaN"),
        ("target-burst-capacity", "-1", "-0.5"),
        ("container-concurrency-target-percentage", "100", "100.1"),
        ("requests-per-second-target-default", "0.01", "0.009"),
        ("activator-capacity", "1", "0.9"),
        ("scale-to-zero-grace-period", "1s", "0s"),
        ("initial-scale", "1", "0"),
        ("enable-scale-to-zero", "F", "no"),
    ] {
        assert!(!refused(key, good), "{key}: {good}");
        assert!(refused(key, bad), "{key}: {bad}");
    }
    let limited = settings(&[("max-scale-limit", "5"), ("max-scale", "5"), ("min-scale", "5")]);
    assert_eq!(Config::read(&limited).map(|config| config.max_scale), Ok(5));
}

#[test]
fn a_target_percentage_may_be_a_fraction() {
    let fraction = |text| {
        Config::read(&settings(&[("container-concurrency-target-percentage", text)]))
            .map(|config| config.container_concurrency_target_fraction)
    };
    assert_eq!(fraction("50"), Ok(0.5));
    assert_eq!(fraction("0.5"), Ok(0.5));
    assert_eq!(fraction("1"), Ok(1.0));
}

#[test]
fn what_a_service_says_wins_unless_a_pod_could_not_carry_it() {
    let config = Config::default();
    let of = |revision: Revision| revision.resolve_target(&config);
    let own = Revision { container_concurrency: 10, target: Some(20.0), ..Revision::default() };
    assert_eq!(of(own.clone()), Target { target: 7.0, total: 10.0 });
    // The limit is of requests at a time; it says nothing of requests per second.
    let rps = Revision { metric: ScalingMetric::Rps, target_utilization_percentage: Some(50.0), ..own };
    assert_eq!(of(rps), Target { target: 10.0, total: 20.0 });
    assert_eq!(of(Revision { target: Some(0.001), ..Revision::default() }).target, 0.01);
}

#[test]
fn the_panic_window_is_rounded_to_seconds() {
    let of = |window, percentage| {
        let (window, panic_window_percentage) = (Some(seconds(window)), Some(percentage));
        Revision { window, panic_window_percentage, ..Revision::default() }.resolve_panic_window(&Config::default())
    };
    // 6 s, 3.5 s rounded up, 3.4 s rounded down, and 0.3 s that is no bucket.
    assert_eq!(of(60, 10.0), seconds(6));
    assert_eq!(of(35, 10.0), seconds(4));
    assert_eq!(of(34, 10.0), seconds(3));
    assert_eq!(of(30, 1.0), seconds(1));
    assert_eq!(of(30, f64::NAN), seconds(1));
}

#[test]
fn bounds_come_before_the_way_to_zero() {
    let config = Config { min_scale: 2, max_scale: 5, ..Config::default() };
    let standing = Standing { activity: Activity::Inactive, ..Standing::default() };
    let of = |revision: &Revision, desired| settle(&config, revision, &standing, at(3600), desired).scale;
    let revision = Revision::default();
    assert_eq!(of(&revision, Some(0)), Some(2));
    assert_eq!(of(&revision, Some(9)), Some(5));
    assert_eq!(of(&Revision { max_scale: Some(0), ..revision.clone() }, Some(9)), Some(9));
    assert_eq!(of(&Revision { initial_scale: Some(4), ..revision.clone() }, Some(1)), Some(4));
    // Nobody reaches it: neither its minimum nor its first number counts.
    assert_eq!(of(&Revision { reachable: false, initial_scale: Some(4), ..revision.clone() }, Some(1)), Some(1));
    assert_eq!(of(&revision, None), None);
}

#[test]
fn who_does_not_come_up_is_given_up_strictly_after_the_deadline() {
    let standing = Standing::default();
    let of = |now| settle(&Config::default(), &Revision::default(), &standing, now, Some(0));
    // 600 s and 30 s more.
    assert_eq!(of(at(630)), Ruling { scale: None, apply: false, look_again: Some(seconds(630)), probe: false });
    assert_eq!(of(at(631)).scale, Some(0));
}

#[test]
fn an_active_service_keeps_its_last_pod_for_a_stable_window() {
    let standing = Standing { activity: Activity::Active, since: at(100), ..Standing::default() };
    let of = |standing: Standing, now| settle(&Config::default(), &Revision::default(), &standing, now, Some(0));
    assert_eq!(
        of(standing, at(159)),
        Ruling { scale: Some(1), apply: true, look_again: Some(seconds(1)), probe: false }
    );
    // 60 s, inclusive: from now on it is inactive, but the pod stays for the moment.
    assert_eq!(of(standing, at(160)), Ruling { scale: Some(0), ..Ruling::default() });
    let proxied = Standing { in_proxy_mode: true, ..standing };
    assert_eq!(of(proxied, at(160)).look_again, Some(seconds(3)));
    let kept = Config { enable_scale_to_zero: false, ..Config::default() };
    assert!(settle(&kept, &Revision::default(), &standing, at(9999), Some(0)).scale == Some(1));
}

#[test]
fn a_service_that_may_begin_without_pods_is_inactive_at_once() {
    let config = Config { allow_zero_initial_scale: true, initial_scale: 0, ..Config::default() };
    let threshold = active_threshold(&config, &Revision::default(), false);
    assert_eq!(Activity::Activating.after(None, 0, threshold), Activity::Inactive);
    // From then on one pod makes it active, but only once it is wanted.
    let threshold = active_threshold(&config, &Revision::default(), true);
    assert_eq!(Activity::Inactive.after(None, 1, threshold), Activity::Inactive);
    assert_eq!(Activity::Inactive.after(Some(1), 0, threshold), Activity::Activating);
    assert_eq!(Activity::Activating.after(Some(1), 1, threshold), Activity::Active);
}

#[test]
fn the_last_pod_waits_for_the_proxy() {
    let since = at(100);
    let away = Standing { activity: Activity::Inactive, since, ..Standing::default() };
    let of = |standing: Standing, now| settle(&Config::default(), &Revision::default(), &standing, now, Some(0));
    assert_eq!(of(away, at(1000)), Ruling { scale: Some(0), apply: false, look_again: None, probe: true });
    let there = Standing { proxy_answers: true, ..away };
    assert!(!of(there, at(129)).apply);
    assert!(of(there, at(130)).apply);
    // It was in the path before: then that counts.
    assert!(of(Standing { in_proxy_for: seconds(30), ..there }, at(101)).apply);
}

#[test]
fn an_hour_of_a_small_shop() {
    let mut kpa = Kpa::new(Config::default(), Revision::default(), at(0), 1);
    let mut pods = 1;
    let mut seen = BTreeMap::new();
    for second in 0..=200 {
        // 200 requests at a time for a minute, then none; without pods nobody is asked.
        let concurrency = if second < 60 { 200.0 } else { 0.0 };
        if pods > 0 {
            kpa.record(at(second), Sample { concurrency, ..Sample::default() });
        }
        if second > 0 && second % 2 == 0 {
            let ruling = kpa.tick(at(second), pods);
            pods = ruling.scale.filter(|_| ruling.apply).unwrap_or(pods);
            seen.insert(second, pods);
        }
    }
    // ceil(200 / 70) = 3, which is three times the one pod there is: panic, until strictly after 62 s.
    assert_eq!((seen[&2], seen[&62]), (3, 3));
    // At 60 + k seconds the average is 200 * (59 - k) / 60: at most 140 from k = 17 on, at most 70 from k = 38 on.
    assert_eq!((seen[&76], seen[&78]), (3, 2));
    assert_eq!((seen[&96], seen[&98]), (2, 1));
    // Zero from k = 59 on; inactive at 120 s, and gone 30 s later.
    assert_eq!((seen[&148], seen[&150], seen[&200]), (1, 0, 0));
    assert!(!kpa.is_panicking());
    // A request wakes it: 1 / 60 in the window, rounded up to one pod.
    kpa.record(at(202), Sample { concurrency: 1.0, ..Sample::default() });
    assert_eq!(kpa.tick(at(202), 0).scale, Some(1));
}

/// The plain average as anybody would write it down: all records that still count, and the seconds they lie in.
fn plain(records: &[(u64, u32)], window: u64, now: u64) -> f64 {
    let mut held: BTreeMap<u64, f64> = BTreeMap::new();
    for (second, value) in records {
        let last = held.keys().last().copied();
        if last.is_some_and(|last| last >= second + window) {
            continue;
        }
        if last.is_some_and(|last| *second >= last + window) {
            held.clear();
        }
        *held.entry(*second).or_default() += f64::from(*value);
    }
    let (Some(first), Some(last)) = (held.keys().next().copied(), held.keys().last().copied()) else { return 0.0 };
    let from = (now.max(last) + 1).saturating_sub(window).max(first);
    if from > last {
        return 0.0;
    }
    held.range(from..).map(|(_, value)| value).sum::<f64>() / (last + 1 - from) as f64
}

proptest! {
    #[test]
    fn a_need_is_never_beyond_the_rates_and_grows_with_the_load(
        ready in 0_u32..500, stable in 0.0..50_000.0_f64, panic in 0.0..50_000.0_f64, more in 0.0..5000.0_f64,
        up in 1.1..20.0_f64, down in 1.1..20.0_f64,
    ) {
        let spec = Spec { max_scale_up_rate: up, max_scale_down_rate: down, ..Spec::default() };
        let of = |stable, panic| {
            let mut scaler = Autoscaler::resume(spec, PanicState::default());
            f64::from(look(&mut scaler, at(0), ready, stable, panic).desired)
        };
        let pods = f64::from(ready.max(1));
        let want = of(stable, panic);
        prop_assert!(want >= (pods / down).floor() && want <= (pods * up).ceil());
        prop_assert!(of(stable + more, panic) >= want);
        prop_assert!(of(stable, panic + more) >= want);
    }

    #[test]
    fn in_panic_the_number_never_falls(loads in prop::collection::vec(0.0..9000.0_f64, 1..40)) {
        let mut scaler = Autoscaler::new(Spec::default(), at(0), Some(2));
        let mut before = 0;
        for (place, load) in (0_u64..).zip(loads) {
            let want = desired(&mut scaler, at(place), 2, load);
            prop_assert!(scaler.is_panicking());
            prop_assert!(want >= before);
            before = want;
        }
    }

    #[test]
    fn a_constant_load_is_a_fixed_point(load in 0_u32..20_000, metric in prop::bool::ANY) {
        let metric = if metric { ScalingMetric::Rps } else { ScalingMetric::Concurrency };
        let revision = Revision { metric, min_scale: Some(1), ..Revision::default() };
        let target = revision.resolve_target(&Config::default()).target;
        let mut kpa = Kpa::new(Config::default(), revision, at(0), 1);
        let mut pods = 1;
        let sample = Sample { concurrency: f64::from(load), requests: f64::from(load), ..Sample::default() };
        for second in 0..300 {
            kpa.record(at(second), sample);
            if second % 2 == 0 {
                pods = kpa.tick(at(second), pods).scale.unwrap_or(pods);
            }
        }
        prop_assert_eq!(f64::from(pods), (f64::from(load) / target).ceil().max(1.0));
    }

    #[test]
    fn the_ring_is_the_plain_average(
        records in prop::collection::vec((0_u64..60, 0_u32..100), 0..40), window in 1_u64..20, ahead in 0_u64..30,
    ) {
        let mut buckets = Buckets::new(seconds(window), seconds(1));
        for (second, value) in &records {
            buckets.record(at(*second), f64::from(*value));
        }
        let now = records.iter().map(|(second, _)| *second).max().unwrap_or(0) + ahead;
        prop_assert!((buckets.average(at(now)) - plain(&records, window, now)).abs() < 1e-6);
    }

    #[test]
    fn the_sliding_maximum_is_the_maximum(
        steps in prop::collection::vec((0_u64..4, 0_u32..50), 1..60), places in 1_u64..8,
    ) {
        let mut window = MaximumWindow::new(places);
        let mut all: Vec<(u64, u32)> = Vec::new();
        let mut place = 0;
        for (step, value) in steps {
            place += step;
            window.record(place, value);
            all.push((place, value));
            let most = all.iter().filter(|(at, _)| at + places > place).map(|(_, value)| *value).max();
            prop_assert_eq!(Some(window.current()), most);
        }
    }

    #[test]
    fn weights_add_up_to_one_at_most(window in 1_u64..120, load in 0.0..1000.0_f64) {
        let mut buckets = WeightedBuckets::new(seconds(window), seconds(1));
        for second in 0..2 * window {
            buckets.record(at(second), load);
        }
        let average = buckets.average(at(2 * window - 1));
        prop_assert!(average <= load * (1.0 + 1e-9) && average >= load * 0.9998);
    }
}
