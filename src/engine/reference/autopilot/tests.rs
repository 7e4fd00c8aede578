use super::*;
use proptest::prelude::*;

fn at(minutes: u64) -> Instant {
    Instant::START.plus(Span::from_mins(minutes))
}

fn signal(bounds: &[f64], peak_windows: usize) -> Signal {
    let buckets = Buckets::new(bounds.to_vec()).expect("rising bounds");
    Signal::new(buckets, Span::from_mins(12 * 60), peak_windows)
}

#[test]
fn a_bucket_begins_at_the_boundary_before_it_and_ends_before_its_own() {
    let buckets = Buckets::new(vec![1.0, 10.0]).expect("rising bounds");
    assert_eq!([0.0, 0.99, 1.0, 9.99, 10.0, 1e9].map(|usage| buckets.find(usage)), [0, 0, 1, 1, 1, 1]);
    assert_eq!((buckets.find(f64::NAN), buckets.find(f64::INFINITY), buckets.bound(7)), (0, 1, 10.0));
    assert_eq!(buckets.histogram(&[0.5, 0.2, 3.0]), [2, 1]);
    for bounds in [vec![], vec![1.0, 1.0], vec![2.0, 1.0], vec![0.0, 1.0], vec![1.0, f64::INFINITY], vec![f64::NAN]] {
        assert_eq!(Buckets::new(bounds.clone()), None, "{bounds:?}");
    }
    for (buckets, last) in
        [(Buckets::of_cores(), 1000.0), (Buckets::of_bytes(), f64::from(1 << 20) * f64::from(1 << 20))]
    {
        assert_eq!(buckets.count(), 400);
        assert!((buckets.bound(399) / last - 1.0).abs() < 1e-9);
        assert!((1.03..1.04).contains(&(buckets.bound(200) / buckets.bound(199))));
    }
}

/// Figure 2: nine units of time at a load of 1 and one at 10. Nine tenths of the time need a limit of 1; nine tenths of
/// the load, which is 19 in all, need 10.
#[test]
fn a_percentile_is_one_of_load_and_not_of_time() {
    let mut signal = signal(&[1.0, 10.0], 1);
    signal.push(at(5), &[9, 1]);
    assert_eq!(signal.percentile(Permille::percent(90)), Some(10.0));
    // 9 of 19 are 47.4 %.
    assert_eq!(signal.percentile(Permille::percent(47)), Some(1.0));
    assert_eq!(signal.percentile(Permille::percent(48)), Some(10.0));
    assert_eq!((signal.percentile(Permille::ZERO), signal.percentile(Permille::new(9999))), (Some(1.0), Some(10.0)));
    assert_eq!((signal.average(), signal.peak()), (Some(1.9), Some(10.0)));
}

#[test]
fn the_past_weighs_half_after_a_half_life() {
    let mut signal = signal(&[1.0, 10.0], 9);
    assert_eq!((signal.average(), signal.peak(), signal.percentile(Permille::ONE)), (None, None, None));
    signal.push(at(0), &[4, 0]);
    signal.push(at(12 * 60), &[0, 1]);
    // Averages of 1 and 10, weights of 0.5 and 1.
    assert_eq!(signal.average(), Some(7.0));
    // A load of 2 at 1, and of 10 at 10: the first is a sixth.
    assert_eq!(signal.percentile(Permille::new(166)), Some(1.0));
    assert_eq!(signal.percentile(Permille::new(167)), Some(10.0));
    assert_eq!(
        (weight(Span::from_mins(48 * 60), Span::from_mins(12 * 60)), weight(Span::ZERO, Span::ZERO)),
        (0.0625, 1.0)
    );
}

#[test]
fn a_peak_is_forgotten_after_so_many_windows() {
    let mut signal = signal(&[1.0, 2.0, 4.0], 2);
    signal.push(at(5), &[1, 0, 1]);
    signal.push(at(10), &[1, 0, 0]);
    assert_eq!(signal.peak(), Some(4.0));
    // A window without samples is none.
    signal.push(at(15), &[0, 0, 0]);
    signal.push(at(20), &[]);
    assert_eq!(signal.peak(), Some(4.0));
    signal.push(at(25), &[0, 1, 0]);
    assert_eq!(signal.peak(), Some(2.0));
}

#[test]
fn the_class_of_a_job_says_which_statistic_counts() {
    let mut signal = signal(&[1.0, 2.0, 3.0, 8.0], 9);
    // 100, 100, 60 and 8 of load: 268 in all. 60 % are 160.8, 90 % are 241.2, 95 % are 254.6, 98 % are 262.6.
    signal.push(at(5), &[100, 50, 20, 1]);
    let cpu = [CpuClass::Batch, CpuClass::LatencyTolerant, CpuClass::Serving];
    let limits = cpu.map(|class| class.statistic().of(&signal));
    // 268 / 171 samples = 1.567...; up to 3 it is 260 of load.
    assert!(limits[0].is_some_and(|limit| (limit - 268.0 / 171.0).abs() < 1e-12));
    assert_eq!(limits[1..], [Some(3.0), Some(3.0)]);
    let memory = [OomTolerance::Minimal, OomTolerance::Low, OomTolerance::Intermediate];
    // The 60th percentile is 2, but half of the peak is 4.
    assert_eq!(memory.map(|tolerance| tolerance.statistic().of(&signal)), [Some(8.0), Some(8.0), Some(4.0)]);
}

#[test]
fn the_margin_is_less_for_large_limits() {
    let margin = RecommenderConfig::cpu(CpuClass::Serving).margin;
    let on = |limit: f64, with: f64| assert!((margin.on(limit) - with).abs() < 1e-12, "{limit}: {}", margin.on(limit));
    on(0.1, 0.115);
    on(1.0, 1.15);
    // Half way between 1 and 10 it is half way between 15 % and 10 %.
    on(5.5, 5.5 * 1.125);
    on(10.0, 11.0);
    on(100.0, 110.0);
}

#[test]
fn the_highest_recommendation_of_the_last_hour_counts() {
    let buckets = Buckets::new(vec![1.0, 100.0]).expect("rising bounds");
    let config = RecommenderConfig {
        statistic: Statistic::Peak,
        peak_windows: 1,
        buckets,
        ..RecommenderConfig::cpu(CpuClass::Serving)
    };
    let mut recommender = Recommender::new(config);
    assert_eq!(recommender.close_window(at(0), &[0, 0]), None);
    // A peak of 100 at five past, with a margin of a tenth; then a load of 1, with one of 15 %.
    let first = recommender.close_window(at(5), &[0, 1]);
    assert!(first.is_some_and(|limit| (limit - 110.0).abs() < 1e-9));
    for minutes in (10..65).step_by(5) {
        assert_eq!(recommender.close_window(at(minutes), &[1, 0]), first, "{minutes}");
    }
    assert_eq!(recommender.close_window(at(65), &[1, 0]), Some(1.15));
}

#[test]
fn a_job_gets_its_limits_when_its_first_window_ends() {
    let mut job = Vertical::new(CpuClass::Serving, OomTolerance::Minimal);
    let usage = |task, cpu, memory| TaskUsage { task, cpu: Millicores::new(cpu), memory: Bytes::mebi(memory) };
    let now = |seconds| Instant::START.plus(Span::from_secs(seconds));
    assert_eq!(job.observe(now(0), &[usage(1, 500, 100), usage(2, 480, 300)]), None);
    assert_eq!(job.observe(now(299), &[usage(1, 500, 90), usage(2, 490, 200)]), None);
    let (cpu, memory) = job.observe(now(300), &[usage(1, 20, 10)]).expect("a window has ended");
    // The upper boundaries of the buckets of 500 m and 300 MiB, which are at most 3.6 % above, and 15 %.
    assert!((575..=596).contains(&cpu.get()), "{cpu}");
    assert!((345..=358).contains(&(memory.get() >> 20)), "{memory}");
    // Nobody used anything since, but the recommendation is held; an earlier sample does no harm.
    assert_eq!(job.observe(now(10), &[]), Some((cpu, memory)));
    assert_eq!(job.observe(now(1200), &[]), Some((cpu, memory)));
}

/// What the load of a moment asks for, without anything that smooths it.
fn direct() -> HorizontalConfig {
    HorizontalConfig {
        horizon: Span::ZERO,
        statistic: LoadStatistic::Max,
        deferred_downscaling: Span::ZERO,
        halving: Span::ZERO,
        ..HorizontalConfig::default()
    }
}

fn look(job: &mut Horizontal, minutes: u64, load: u64, tasks: u32) -> u32 {
    let load = Some(Millicores::cores(load));
    job.observe(at(minutes), &HorizontalSeen { load, limit: Millicores::cores(1), tasks, ready: tasks })
}

#[test]
fn so_many_tasks_that_each_is_at_its_target() {
    // 10 cores at 70 % of one core each are 14.3 tasks.
    assert_eq!(raw_replicas(Millicores::cores(10), Millicores::cores(1), Permille::percent(70)), Some(15));
    assert_eq!(raw_replicas(Millicores::cores(7), Millicores::cores(1), Permille::percent(70)), Some(10));
    assert_eq!(raw_replicas(Millicores::ZERO, Millicores::cores(1), Permille::percent(70)), Some(0));
    assert_eq!(raw_replicas(Millicores::cores(1), Millicores::ZERO, Permille::percent(70)), None);
    assert_eq!(raw_replicas(Millicores::MAX, Millicores::new(1), Permille::new(1)), Some(u32::MAX));
    let loads: Vec<Millicores> = (1..=20).rev().map(Millicores::new).collect();
    assert_eq!(LoadStatistic::Percentile(Permille::percent(95)).of(loads.clone()), Some(Millicores::new(19)));
    assert_eq!(LoadStatistic::Percentile(Permille::ZERO).of(loads.clone()), Some(Millicores::new(1)));
    assert_eq!(LoadStatistic::Max.of(loads), Some(Millicores::new(20)));
    assert_eq!(LoadStatistic::Max.of(Vec::new()), None);
}

#[test]
fn a_day_of_load_is_remembered_for_three() {
    let mut job = Horizontal::new(HorizontalConfig { statistic: LoadStatistic::Max, ..HorizontalConfig::default() });
    assert_eq!(job.observe(at(0), &HorizontalSeen { load: None, limit: Millicores::cores(1), tasks: 3, ready: 3 }), 3);
    assert_eq!(look(&mut job, 5, 7, 3), 10);
    // The load counts up to three days, and what it asked for two more.
    for hours in [1, 71, 119] {
        assert_eq!(look(&mut job, 5 + hours * 60, 1, 10), 10, "{hours}");
    }
    // 1 core is 1.4 tasks; a few tasks go every five minutes.
    let then = look(&mut job, 5 + 144 * 60, 1, 10);
    assert_eq!(then, 9);
}

#[test]
fn downscaling_is_deferred_and_upscaling_is_not() {
    let mut job = Horizontal::new(HorizontalConfig { deferred_downscaling: Span::from_mins(60), ..direct() });
    assert_eq!(look(&mut job, 0, 7, 2), 10);
    assert_eq!(look(&mut job, 5, 14, 10), 20);
    assert_eq!(look(&mut job, 60, 7, 20), 20);
    assert_eq!(look(&mut job, 65, 1, 20), 20);
    // The 20 are more than an hour ago, the 10 are not.
    assert_eq!(look(&mut job, 70, 1, 20), 10);
    assert_eq!(look(&mut job, 125, 1, 10), 2);
}

#[test]
fn tasks_go_slowly_and_by_half_in_an_hour() {
    let hour = Span::from_mins(60);
    // 100 * 2^(-1/12) = 94.4.
    assert_eq!(after_slow_decay(100, 10, hour), 94);
    assert_eq!((after_slow_decay(2, 0, hour), after_slow_decay(1, 0, hour)), (1, 0));
    assert_eq!(
        (after_slow_decay(100, 97, hour), after_slow_decay(5, 9, hour), after_slow_decay(9, 2, Span::ZERO)),
        (97, 9, 2)
    );
    let after_an_hour = (0..12).fold(1000, |tasks, _| after_slow_decay(tasks, 10, hour));
    assert!((490..=500).contains(&after_an_hour), "{after_an_hour}");
    let mut job = Horizontal::new(HorizontalConfig { halving: hour, ..direct() });
    assert_eq!(look(&mut job, 0, 7, 100), 94);
    // Asked again before five minutes are over, it terminates nobody.
    assert_eq!(look(&mut job, 4, 7, 94), 94);
    assert_eq!(look(&mut job, 5, 7, 94), 88);
}

#[test]
fn small_changes_are_ignored_where_that_is_wanted() {
    let mut job = Horizontal::new(HorizontalConfig { small_change: Permille::percent(10), ..direct() });
    // 14 cores are 20 tasks: 10 % more than 18.18..., and 11 % more than 18.
    assert_eq!([19, 18, 22, 23].map(|tasks| look(&mut job, 0, 14, tasks)), [19, 20, 22, 20]);
}

#[test]
fn no_more_than_a_share_of_all_tasks_is_starting() {
    let half = Permille::percent(50);
    assert_eq!(after_growth_limit(4, 4, 20, half), 8);
    assert_eq!(after_growth_limit(8, 4, 20, half), 8);
    assert_eq!(after_growth_limit(8, 7, 20, half), 14);
    assert_eq!((after_growth_limit(0, 0, 20, half), after_growth_limit(4, 4, 2, half)), (1, 2));
    assert_eq!((after_growth_limit(4, 0, 20, Permille::ONE), after_growth_limit(4, 4, 20, Permille::ZERO)), (20, 4));
}

const WEIGHTS: CostWeights =
    CostWeights { overrun: 1.0, underrun: 1.0, limit_change: 0.0, model_change: 0.0, decay: 0.5 };

fn ensemble(weights: CostWeights, models: &[(f64, f64)]) -> Ensemble {
    let buckets = Buckets::new(vec![1.0, 2.0, 4.0]).expect("rising bounds");
    Ensemble::new(buckets, weights, models.iter().map(|(decay, margin)| Model::new(*decay, *margin)).collect())
}

#[test]
fn a_model_weighs_what_is_above_a_limit_against_what_is_below() {
    // At limits of 1, 2 and 4: 2, 1 and 0 samples above, 0, 8 and 9 below.
    let window = [8, 1, 1];
    assert_eq!(ensemble(WEIGHTS, &[(1.0, 0.0)]).close_window(&window), Some(1.0));
    // Ten times the price of an overrun: 20, 18 and 9.
    let careful = CostWeights { overrun: 10.0, ..WEIGHTS };
    assert_eq!(ensemble(careful, &[(1.0, 0.0)]).close_window(&window), Some(4.0));
    assert_eq!(ensemble(careful, &[(1.0, 0.5)]).close_window(&window), Some(4.5));
    assert_eq!(ensemble(careful, &[]).close_window(&window), None);
    // Without samples all limits cost the same, and the lowest is taken.
    assert_eq!(ensemble(careful, &[(1.0, 0.0)]).close_window(&[]), Some(1.0));
}

#[test]
fn a_change_has_to_be_worth_its_price() {
    let weights = CostWeights { limit_change: 5.0, ..WEIGHTS };
    let mut models = ensemble(weights, &[(1.0, 0.0)]);
    assert_eq!(models.close_window(&[10, 0, 0]), Some(1.0));
    // Staying at 1 costs 4, 2 costs 0 and the change.
    assert_eq!(models.close_window(&[0, 4, 0]), Some(1.0));
    assert_eq!(models.close_window(&[0, 6, 0]), Some(2.0));
    // A model that forgets slowly. First u(2) is 0.1 * 10 = 1; then it is 0.9 * 1, and o(1) is 0.1 * 10 = 1.
    let mut slow = ensemble(WEIGHTS, &[(0.1, 0.0)]);
    assert_eq!(slow.close_window(&[10, 0, 0]), Some(1.0));
    assert_eq!(slow.close_window(&[0, 10, 0]), Some(2.0));
    // 0.9 * 0.9 + 0.1 * 1 = 0.91 is more than 0.9 * 1.
    assert_eq!(slow.close_window(&[1, 0, 0]), Some(1.0));
}

#[test]
fn the_model_that_would_have_cost_the_least_decides() {
    // One with a margin of 2, which turns the limit of 2 into 4 and is charged for the 10 samples below it.
    let mut models = ensemble(WEIGHTS, &[(1.0, 2.0), (1.0, 0.0)]);
    assert_eq!(models.close_window(&[0, 10, 0]), Some(2.0));
    assert_eq!(models.chosen(), Some(1));
    assert_eq!(models.models().iter().map(Model::cost).collect::<Vec<_>>(), [5.0, 0.0]);
    assert_eq!(models.models()[0].limit(), Some(4.0));
}

#[test]
fn another_model_has_to_be_worth_the_change() {
    // The first forgets slowly: after [20, 0, 0], u(2) is 2, and then 1.8; o(1) is 1, so it stays at 1. That costs it
    // half of the 10 samples above. The second goes to 2 and costs nothing.
    for (model_change, chosen, limit) in [(4.0, 1, 2.0), (6.0, 0, 1.0)] {
        let mut models = ensemble(CostWeights { model_change, ..WEIGHTS }, &[(0.1, 0.0), (1.0, 0.0)]);
        assert_eq!((models.close_window(&[20, 0, 0]), models.chosen()), (Some(1.0), Some(0)));
        assert_eq!((models.close_window(&[0, 10, 0]), models.chosen()), (Some(limit), Some(chosen)));
        assert_eq!(models.models()[0].cost(), 5.0);
    }
}

proptest! {
    #[test]
    fn statistics_stay_between_the_least_and_the_highest_bucket(
        windows in prop::collection::vec(prop::collection::vec(0_u64..50, 5), 1..20),
        share in 0_u64..=1000,
    ) {
        let mut signal = signal(&[1.0, 2.0, 3.0, 5.0, 8.0], 100);
        for (index, window) in windows.iter().enumerate() {
            signal.push(at(5 * index as u64), window);
        }
        let used: Vec<usize> = (0..5).filter(|bucket| windows.iter().any(|window| window[*bucket] > 0)).collect();
        prop_assume!(!used.is_empty());
        let (low, high) = (signal.buckets().bound(used[0]), signal.buckets().bound(used[used.len() - 1]));
        let within = |value: Option<f64>| value.is_some_and(|value| (low - 1e-9..=high + 1e-9).contains(&value));
        prop_assert!(within(signal.average()) && within(signal.percentile(Permille::new(share))));
        prop_assert_eq!(signal.peak(), Some(high));
        prop_assert!(signal.percentile(Permille::new(share)) <= signal.percentile(Permille::new(share + 50)));
    }

    #[test]
    fn a_constant_load_is_recommended_with_its_margin_for_ever(cores in 0.001..900.0, windows in 1_u64..50) {
        for class in [CpuClass::Batch, CpuClass::Serving, CpuClass::LatencyTolerant] {
            let config = RecommenderConfig::cpu(class);
            let bound = config.buckets.bound(config.buckets.find(cores));
            let (with_margin, histogram) = (config.margin.on(bound), config.buckets.histogram(&[cores; 10]));
            let mut recommender = Recommender::new(config);
            for window in 1..=windows {
                let limit = recommender.close_window(at(5 * window), &histogram).expect("a sample");
                prop_assert!((limit / with_margin - 1.0).abs() < 1e-9);
                prop_assert!(limit > cores);
            }
        }
    }

    #[test]
    fn tasks_go_down_to_what_is_wanted_and_no_further(
        (tasks, wanted) in (0_u32..5000, 0_u32..5000),
        minutes in 1_u64..600,
    ) {
        let halving = Span::from_mins(minutes);
        let mut now = tasks.max(wanted);
        for _ in 0..20_000 {
            let next = after_slow_decay(now, wanted, halving);
            prop_assert!(next >= wanted && (next < now || now == wanted));
            now = next;
            if now == wanted {
                break;
            }
        }
        prop_assert_eq!(now, wanted);
    }

    #[test]
    fn growth_keeps_the_share_and_takes_nothing_away(
        (tasks, ready, more) in (0_u32..500, 0_u32..500, 1_u32..500),
        share in 0_u64..1000,
    ) {
        let next = after_growth_limit(tasks, ready, tasks + more, Permille::new(share));
        prop_assert!(next >= tasks && next <= tasks + more);
        if next > tasks.max(1) {
            let starting = u64::from(next - ready.min(tasks));
            prop_assert!(starting * 1000 <= u64::from(next) * share);
        }
    }
}
