use super::*;
use proptest::prelude::*;

const NO_HPA: HpaTargets = HpaTargets { cpu: false, memory: false };

/// A container with so many samples of each resource, all the same.
fn steady(cores: f64, mebi: u32, samples: usize) -> ContainerHistory {
    ContainerHistory {
        cpu: vec![cores; samples],
        memory: vec![f64::from(mebi) * MEBI; samples],
        oom_killed_limit: None,
    }
}

fn in_units(recommendation: ResourceRecommendation) -> (Option<u64>, Option<u64>, Option<Info>) {
    let millicores = recommendation.request.millicores().map(Millicores::get);
    (millicores, recommendation.limit.millicores().map(Millicores::get), recommendation.info)
}

#[test]
fn the_busiest_container_sets_the_request_and_the_largest_peak_both() {
    let containers = [steady(0.25, 200, 60), steady(0.5, 100, 60)];
    let found = recommend(&Settings::default(), &containers, NO_HPA);
    assert_eq!(in_units(found.cpu), (Some(500), None, None));
    assert_eq!(found.cpu.limit, Amount::Unset);
    // 200 MiB and 15 % are 230 MiB, whose product is a little less or more in floating point: 230 or 231.
    assert_eq!((found.memory.request, found.memory.info), (found.memory.limit, None));
    let mebi = found.memory.request.bytes().map(|bytes| bytes.get() >> 20);
    assert!(matches!(mebi, Some(230 | 231)), "{mebi:?}");
}

#[test]
fn simple_takes_the_percentile_of_each_container_and_simple_limit_of_all_together() {
    // One container at 1 core, and one that is at 0 for 99 samples in 100.
    let mut idle = steady(0.0, 10, 100);
    idle.cpu[0] = 4.0;
    let containers = [steady(1.0, 10, 100), idle];
    assert_eq!(in_units(recommend(&Settings::default(), &containers, NO_HPA).cpu), (Some(1000), None, None));
    // Together they are 99 of 0, 100 of 1 and one of 4, so all from the 100th on are 1 but the last.
    let found = recommend(&Settings::simple_limit(), &containers, NO_HPA);
    assert_eq!(in_units(found.cpu), (Some(1000), Some(1000), None));
    let low = Settings { cpu: CpuRule::RequestAndLimit { request: 25.0, limit: 100.0 }, ..Settings::default() };
    assert_eq!(in_units(recommend(&low, &containers, NO_HPA).cpu), (Some(10), Some(4000), None));
}

#[test]
fn percentiles_go_in_a_straight_line_between_neighbours() {
    let samples = [4.0, 1.0, 3.0, 2.0, 5.0];
    // Half of the way from the first to the last is the third; a share of 0.625 is half way from there to the fourth.
    for (share, value) in [(0.0, 1.0), (0.5, 3.0), (0.625, 3.5), (0.75, 4.0), (1.0, 5.0)] {
        assert_eq!(quantile_over_time(share, &samples), Some(value));
        assert_eq!(percentile(100.0 * share, &samples), Some(value));
    }
    assert_eq!((quantile_over_time(0.9, &[7.0]), percentile(90.0, &[7.0])), (Some(7.0), Some(7.0)));
    assert_eq!((quantile_over_time(0.5, &[]), percentile(50.0, &[])), (None, None));
    assert_eq!(quantile_over_time(1.1, &samples), Some(f64::INFINITY));
    assert_eq!(quantile_over_time(-0.1, &samples), Some(f64::NEG_INFINITY));
    assert_eq!((percentile(101.0, &samples), percentile(f64::NAN, &samples)), (None, None));
    // What is no number sorts first here, and spoils all there.
    assert_eq!(quantile_over_time(1.0, &[2.0, f64::NAN, 1.0]), Some(2.0));
    assert!(percentile(100.0, &[2.0, f64::NAN, 1.0]).is_some_and(f64::is_nan));
}

#[test]
fn the_store_is_asked_for_a_share_with_two_decimals() {
    let shares = [95.0, 99.0, 99.9, 97.5, 66.5, 2.5].map(asked_share);
    // 0.975 is stored as a little less, 0.665 and 0.025 as a little more.
    assert_eq!(shares, [0.95, 0.99, 1.0, 0.97, 0.67, 0.03]);
    let mut samples = vec![0.5; 199];
    samples.push(3.0);
    let container = ContainerHistory { cpu: samples, ..ContainerHistory::default() };
    let settings = Settings { cpu: CpuRule::Percentile { percentile: 99.9 }, ..Settings::default() };
    assert_eq!(in_units(recommend(&settings, &[container], NO_HPA).cpu), (Some(3000), None, None));
}

#[test]
fn little_data_and_autoscalers_leave_the_question_open() {
    let info = |containers: &[ContainerHistory], hpa| {
        let found = recommend(&Settings::default(), containers, hpa);
        assert!(
            found.cpu.info.is_none() || found.cpu.request == Amount::Undefined && found.cpu.limit == Amount::Undefined
        );
        (found.cpu.info, found.memory.info)
    };
    let all = HpaTargets { cpu: true, memory: true };
    assert_eq!(info(&[], all), (Some(Info::NoData), Some(Info::NoData)));
    assert_eq!(info(&[ContainerHistory::default()], all), (Some(Info::NoData), Some(Info::NoData)));
    // 99 samples are too few, 100 are enough; those of all containers count.
    assert_eq!(info(&[steady(1.0, 10, 99)], all), (Some(Info::NotEnoughData), Some(Info::NotEnoughData)));
    assert_eq!(info(&[steady(1.0, 10, 49), steady(1.0, 10, 51)], NO_HPA), (None, None));
    assert_eq!(info(&[steady(1.0, 10, 100)], all), (Some(Info::HpaDetected), Some(Info::HpaDetected)));
    let on_cpu = HpaTargets { cpu: true, memory: false };
    assert_eq!(info(&[steady(1.0, 10, 100)], on_cpu), (Some(Info::HpaDetected), None));
    let anyway = Settings { allow_hpa: true, ..Settings::default() };
    assert_eq!(recommend(&anyway, &[steady(1.0, 10, 100)], all).cpu.info, None);
    let three_hours = Span::from_mins(180);
    assert!(
        Settings::is_history_enough(three_hours)
            && !Settings::is_history_enough(three_hours.minus(Span::from_nanos(1)))
    );
}

#[test]
fn who_was_killed_needs_more_than_it_had() {
    let mut killed = steady(0.1, 800, 100);
    killed.oom_killed_limit = Some(1024.0 * MEBI);
    let containers = [steady(0.1, 100, 100), killed];
    let found = |use_oomkill_data| {
        let settings = Settings { use_oomkill_data, ..Settings::default() };
        let memory = recommend(&settings, &containers, NO_HPA).memory;
        (memory.request.bytes().map(|bytes| bytes.get() >> 20), memory.info)
    };
    // 1024 and a quarter are 1280; 800 and 15 % are 920.
    assert_eq!(found(true), (Some(1280), Some(Info::OomKillDetected)));
    let (mebi, info) = found(false);
    assert!(matches!(mebi, Some(920 | 921)), "{mebi:?}");
    assert_eq!(info, None);
    // A peak may be more than that.
    let mut killed = steady(0.1, 2000, 100);
    killed.oom_killed_limit = Some(1024.0 * MEBI);
    let settings = Settings { use_oomkill_data: true, memory_buffer_percentage: 50.0, ..Settings::default() };
    let memory = recommend(&settings, &[killed], NO_HPA).memory;
    assert_eq!((memory.request, memory.info), (Amount::Value(3000.0 * MEBI), Some(Info::OomKillDetected)));
}

#[test]
fn amounts_round_up_and_have_a_least() {
    let rounded = |cores: f64, bytes: f64| {
        let both = |amount| ResourceRecommendation { request: amount, limit: amount, info: None };
        let raw = Recommendation { cpu: both(Amount::Value(cores)), memory: both(Amount::Value(bytes)) };
        let rounded = raw.rounded(&Settings::default());
        (rounded.cpu.request.millicores().map(Millicores::get), rounded.memory.limit.bytes().map(Bytes::get))
    };
    assert_eq!(rounded(0.25, 200.0 * MEBI), (Some(250), Some(200 << 20)));
    assert_eq!(rounded(0.250_001, 200.0 * MEBI + 1.0), (Some(251), Some(201 << 20)));
    assert_eq!(rounded(0.0001, 1.0), (Some(10), Some(100 << 20)));
    assert_eq!(rounded(0.0, -5.0), (Some(10), Some(100 << 20)));
    // As in the original, where 2.007 * 1000 is 2007.0000000000002.
    assert_eq!(rounded(2.007, 0.0).0, Some(2008));
    assert_eq!(rounded(f64::NAN, f64::INFINITY), (None, None));
    assert_eq!(rounded(f64::MAX, 1e300), (None, Some(u64::MAX)));
    assert_eq!(Amount::Unset.rounded(1000.0, 0.01), Amount::Unset);
    assert_eq!((Amount::Undefined.bytes(), Amount::Unset.millicores()), (None, None));
}

#[test]
fn a_figure_that_is_none_makes_a_resource_undefined() {
    let mut broken = steady(1.0, 500, 100);
    broken.memory[7] = f64::NAN;
    let found = recommend(&Settings::default(), &[steady(1.0, 100, 100), broken.clone()], NO_HPA);
    assert_eq!(found.memory.request, Amount::Undefined);
    assert_eq!(in_units(found.cpu), (Some(1000), None, None));
    broken.cpu[3] = f64::NAN;
    assert_eq!(recommend(&Settings::simple_limit(), &[broken], NO_HPA).cpu.limit, Amount::Undefined);
}

proptest! {
    #[test]
    fn a_recommendation_covers_its_percentile_and_its_peak(
        samples in prop::collection::vec((0.0..8.0, 0.0..1e10), 100..150),
        request in 1.0..100.0,
        more in 0.0..50.0,
    ) {
        let (cpu, memory): (Vec<f64>, Vec<f64>) = samples.into_iter().unzip();
        let peak = memory.iter().copied().fold(0.0, f64::max);
        let most = cpu.iter().copied().fold(0.0, f64::max);
        let limit = f64::min(request + more, 100.0);
        let settings = Settings { cpu: CpuRule::RequestAndLimit { request, limit }, ..Settings::default() };
        let found = recommend(&settings, &[ContainerHistory { cpu, memory, oom_killed_limit: None }], NO_HPA);
        let (request, limit) = (found.cpu.request.millicores(), found.cpu.limit.millicores());
        prop_assert!(request.is_some() && request <= limit);
        prop_assert!(limit.is_some_and(|limit| limit.as_cores() <= (most + 0.001).max(0.01)));
        let bytes = found.memory.request.bytes().map_or(0, Bytes::get);
        prop_assert!(bytes as f64 >= peak * 1.15 && bytes >= 100 << 20 && bytes.is_multiple_of(1 << 20));
    }

    #[test]
    fn more_load_is_never_recommended_less(
        (cores, more) in (0.0..8.0, 0.0..8.0),
        (mebi, bytes) in (0_u32..4000, 0_u32..4000),
    ) {
        let of = |cores, mebi| recommend(&Settings::default(), &[steady(cores, mebi, 100)], NO_HPA);
        let (less, more) = (of(cores, mebi), of(cores + more, mebi + bytes));
        prop_assert!(less.cpu.request.millicores() <= more.cpu.request.millicores());
        prop_assert!(less.memory.request.bytes() <= more.memory.request.bytes());
    }
}
