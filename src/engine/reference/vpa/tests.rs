//! Days in the life of a service under recommendation.

use super::*;
use proptest::prelude::*;

const MIB: i64 = 1 << 20;
const MINUTE: Span = Span::from_mins(1);

fn minutes(minutes: u64) -> Instant {
    Instant::after_start(MINUTE.times(minutes))
}

fn hours(hours: u64) -> Instant {
    minutes(hours * 60)
}

fn service() -> Vpa {
    Vpa::new(VpaConfig::default(), minutes(0)).unwrap()
}

fn usage(start: Instant, cpu: i64, memory: i64) -> InstanceUsage {
    InstanceUsage { start, cpu: Some(cpu), memory: Some(memory) }
}

/// Three instances, of which one works twice as much as each of the others, measured every minute of so many hours.
fn worked(hours: u64) -> Vpa {
    let mut service = service();
    for minute in 0..=hours * 60 {
        service.observe("web-1", &usage(minutes(minute), 1000, 1_000_000_000)).unwrap();
        service.observe("web-2", &usage(minutes(minute), 500, 500_000_000)).unwrap();
        service.observe("web-3", &usage(minutes(minute), 500, 500_000_000)).unwrap();
    }
    service
}

#[test]
fn a_day_of_three_instances() {
    // A third of the samples is of 1 core, in the bucket up to 1016 millicores, the rest of 0.5 cores: bucket
    // trunc(log(3.5) / log(1.05)) = 25 ends at 0.01 * (1.05^26 - 1) / 0.05 = 0.511135 cores. Target: p90 is 1016, and
    // 15 % of it 152. Upper: p95 the same, times 1 + 1 / 1 day, since three samples a minute leave the time as the
    // lesser. Lower: p50 is 511 and 76 more are 587, by 1.001^2 = 585.8.
    let recommendation = worked(24).recommend(hours(24)).unwrap();
    assert_eq!(recommendation.target.cpu, Some(1168));
    assert_eq!(recommendation.lower_bound.cpu, Some(585));
    assert_eq!(recommendation.upper_bound.cpu, Some(2336));
    // Peaks of 1 GB and twice of 0.5 GB, each of two days, of which the second has just begun: 1016281388.6 bytes, of
    // which 15 % are 152442208.2.
    assert_eq!(recommendation.target.memory, Some(1_016_281_388 + 152_442_208));
    assert_eq!(recommendation.uncapped_target, recommendation.target);
}

#[test]
fn bounds_close_in_as_history_grows() {
    let upper = |hours_seen| worked(hours_seen).recommend(hours(hours_seen)).unwrap().upper_bound.cpu.unwrap();
    // 12 h are times 3.
    assert_eq!([upper(0), upper(12), upper(24)], [RESOURCE_AMOUNT_MAX, 3 * 1168, 2 * 1168]);
}

#[test]
fn killed_for_lack_of_memory_it_gets_a_fifth_more() {
    let mut service = service();
    service.observe("web-1", &usage(hours(1), 100, 900 * MIB)).unwrap();
    let before = service.recommend(hours(1)).unwrap().target.memory.unwrap();
    service.observe_oom("web-1", hours(2), 1000 * MIB).unwrap();
    // 1200 MiB are 1258291200 bytes: log(7.291456) / log(1.05) = 40.7, so bucket 40 up to
    // 1e7 * (1.05^41 - 1) / 0.05 = 1278397629.5 bytes, of which 15 % are 191759644.4.
    let after = service.recommend(hours(2)).unwrap().target.memory.unwrap();
    assert!(before < after);
    assert_eq!(after, 1_278_397_629 + 191_759_644);
    assert_eq!(service.observe_oom("web-1", minutes(0), 1 << 40), Ok(()));
    service.observe("web-1", &usage(hours(30), 100, MIB)).unwrap();
    assert_eq!(service.observe_oom("web-1", hours(5), 1 << 40), Err(SampleRefused::TooOld));
}

#[test]
fn what_was_seen_of_an_instance_outlives_it() {
    let mut service = worked(1);
    let before = service.recommend(hours(1)).unwrap();
    service.forget("web-1");
    service.forget("web-2");
    service.forget("web-3");
    assert_eq!(service.recommend(hours(2)), Some(before));
    // A new instance of the same name begins anew, so an old sample is none for it.
    service.observe("web-1", &usage(minutes(1), 1000, MIB)).unwrap();
}

#[test]
fn after_eight_days_of_silence_all_is_forgotten() {
    let mut service = worked(1);
    let day = 24;
    assert!(service.recommend(hours(8 * day)).is_some());
    // The look at which it is found to have expired still recommends; so it is in the original.
    assert!(service.recommend(hours(8 * day + 1)).is_some());
    assert_eq!(service.recommend(hours(8 * day + 1)), None);
    assert!(service.aggregate().is_none());
    service.observe("web-1", &usage(hours(8 * day + 2), 100, MIB)).unwrap();
    assert_eq!(service.aggregate().unwrap().total_samples_count, 1);
    assert!(service.recommend(hours(8 * day + 2)).is_some());
}

#[test]
fn the_hour_between_two_looks_for_what_has_expired_runs_without_samples_too() {
    // The first look finds nothing, at hour 400. What comes in then is old already, but is found so an hour later only.
    let mut service = service();
    assert_eq!(service.recommend(hours(400)), None);
    service.observe("web-1", &usage(hours(1), 100, MIB)).unwrap();
    let almost = minutes(401 * 60 - 1);
    assert!(service.recommend(almost).is_some() && service.aggregate().is_some());
    assert!(service.recommend(hours(401)).is_some() && service.aggregate().is_none());
}

#[test]
fn one_refused_sample_does_not_hold_up_the_other() {
    let mut service = service();
    service.observe("web-1", &usage(minutes(5), 100, MIB)).unwrap();
    let again = service.observe("web-1", &usage(minutes(5), 100, 900 * MIB));
    assert_eq!(again, Err(SampleRefused::OutOfOrder));
    let aggregate = service.aggregate().unwrap();
    assert_eq!(aggregate.total_samples_count, 1);
    assert!(aggregate.memory_peaks.percentile(0.9) > 900.0 * MIB as f64);
    assert_eq!(service.observe("web-2", &InstanceUsage { start: minutes(5), cpu: None, memory: None }), Ok(()));
}

#[test]
fn the_operator_has_the_last_word() {
    let policy = ContainerPolicy {
        min_allowed: Resources { cpu: None, memory: Some(2_000_000_000) },
        max_allowed: Resources { cpu: Some(1000), memory: None },
        ..ContainerPolicy::default()
    };
    let config = VpaConfig { policy, ..VpaConfig::default() };
    let mut service = Vpa::new(config, minutes(0)).unwrap();
    service.observe("web-1", &usage(minutes(0), 1000, MIB)).unwrap();
    let recommendation = service.recommend(minutes(0)).unwrap();
    assert_eq!(recommendation.target, Resources::new(1000, 2_000_000_000));
    assert_eq!(recommendation.uncapped_target, Resources::new(1168, 250 * MIB));
    let off = ContainerPolicy { mode: ScalingMode::Off, ..ContainerPolicy::default() };
    let mut service = Vpa::new(VpaConfig { policy: off, ..VpaConfig::default() }, minutes(0)).unwrap();
    service.observe("web-1", &usage(minutes(0), 1000, MIB)).unwrap();
    assert_eq!(service.recommend(minutes(0)), None);
    assert_eq!(self::service().recommend(minutes(0)), None);
}

#[test]
fn from_usage_to_update() {
    // Two replicas that request 2 cores and use half of one core after a day: target 587, at most 1174.
    let mut service = service();
    for minute in 0..=24 * 60 {
        service.observe("web-1", &usage(minutes(minute), 500, 100 * MIB)).unwrap();
    }
    let recommendation = service.recommend(hours(24)).unwrap();
    assert_eq!((recommendation.target.cpu, recommendation.upper_bound.cpu), (Some(587), Some(1174)));
    let web = ContainerResources {
        container: String::new(),
        requests: Resources::new(2000, 250 * MIB),
        limits: Resources::new(4000, 250 * MIB),
    };
    let (capped, _) = capped(&[recommendation], std::slice::from_ref(&web), &[], None, None);
    let pod = PodSeen { started: Some(minutes(0)), ..PodSeen::default() };
    let priority = update_priority(&pod, std::slice::from_ref(&web), &capped);
    assert!(!priority.scale_up);
    let judged = eligibility(&UpdateConfig::default(), &pod, &priority, &[], hours(24));
    assert_eq!(judged, Eligibility::OutsideRange);
    // One of the two goes, and comes back with a limit of twice its request.
    let mut group =
        ReplicaGroup::new(&EvictionRule::default(), UpdateMode::Recreate, 2, &[Replica::default(); 2]).unwrap();
    assert!(group.evict(&Replica::default()));
    assert!(!group.evict(&Replica::default()));
    let cpu = ResourceName::Cpu;
    let limit = proportional_limit(cpu, web.limits.cpu, web.requests.cpu, capped[0].target.cpu, None);
    assert_eq!(limit, ProportionalLimit::Kept(1174));
}

proptest! {
    #[test]
    fn a_steady_load_is_recommended_for_steadily(cpu in 10_i64..64_000, memory in 1_i64..1 << 36, days in 1_u64..7) {
        let mut service = service();
        service.observe("web-1", &usage(minutes(0), cpu, memory)).unwrap();
        let target = service.recommend(minutes(0)).unwrap().target;
        for hour in 1..=days * 24 {
            service.observe("web-1", &usage(hours(hour), cpu, memory)).unwrap();
            prop_assert_eq!(service.recommend(hours(hour)).unwrap().target, target);
        }
    }

    #[test]
    fn a_load_that_rises_and_falls_is_forgotten(low in 100_i64..1000, times in 2_i64..20) {
        // Hourly samples: a day of high load, then low. After n days of low load the high samples weigh 1 / 2^n of the
        // newest day, so within a week they are below a tenth of all.
        let mut service = service();
        let mut observe = |hour: u64, cpu| {
            service.observe("web-1", &usage(hours(hour), cpu, MIB)).unwrap();
            service.recommend(hours(hour)).unwrap().target.cpu.unwrap()
        };
        let before = observe(0, low);
        let high = (1..=24).map(|hour| observe(hour, low * times)).last().unwrap();
        let after = (25..=24 * 8).map(|hour| observe(hour, low)).last().unwrap();
        prop_assert!(before < high);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn no_story_makes_it_panic(
        steps in prop::collection::vec((any::<u64>(), any::<i64>(), any::<i64>(), 0_u8..4), 0..40)
    ) {
        let mut service = service();
        for (nanos, cpu, memory, what) in steps {
            let at = Instant::after_start(Span::from_nanos(nanos));
            match what {
                0 => { let _ = service.observe("web-1", &usage(at, cpu, memory)); }
                1 => { let _ = service.observe_oom("web-1", at, memory); }
                2 => service.forget("web-1"),
                _ => { let _ = service.recommend(at); }
            }
        }
    }
}
