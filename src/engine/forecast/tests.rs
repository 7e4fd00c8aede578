use super::*;
use mixture::Mixture;
use proptest::prelude::*;

const DAY_MINUTES: u64 = 24 * 60;

fn at(minute: u64) -> Instant {
    Instant::after_start(Span::from_mins(minute))
}

fn forecaster() -> Forecaster {
    Forecaster::new(Config::default())
}

/// From 1 to 1.1, the same for the same minute: a linear congruential generator, scrambled once.
fn noise(minute: u64) -> f64 {
    let scrambled = (minute + 1).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let scrambled = (scrambled ^ (scrambled >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    1.0 + 0.1 * (scrambled >> 40) as f64 / (1 << 24) as f64
}

/// A day from 400 requests per second at midnight to 1600 at noon, in millionths, with noise.
fn sine(minute: u64) -> u64 {
    let turn = std::f64::consts::TAU * minute as f64 / DAY_MINUTES as f64;
    whole(1e6 * (1000.0 - 600.0 * libm::cos(turn)) * noise(minute))
}

/// 1000 requests per second from 9 to 17 on five days of seven, else 100.
fn office(minute: u64) -> u64 {
    let (day, hour) = (minute / DAY_MINUTES % 7, minute / 60 % 24);
    if day < 5 && (9..17).contains(&hour) { 1_000_000_000 } else { 100_000_000 }
}

/// Sums over looks every five minutes: errors of the forecast and of the last value, what came, and how often the upper
/// bound held and the forecast was trusted.
#[derive(Debug, Default)]
struct Outcome {
    own: f64,
    last: f64,
    came: f64,
    looks: f64,
    held: f64,
    trusted: f64,
}

/// Lets it see a load every five minutes from one minute on, up to another, and asks ten minutes ahead each time.
fn watch(forecaster: &mut Forecaster, from: u64, until: u64, load: impl Fn(u64) -> u64) -> Outcome {
    let mut outcome = Outcome::default();
    for minute in (from..until).step_by(5) {
        forecaster.observe(at(minute), Some(load(minute)));
        let forecast = forecaster.ahead(at(minute), Span::from_mins(10));
        let came = load(minute + 5).max(load(minute + 10)) as f64;
        outcome.own += (forecast.expected as f64 - came).abs();
        outcome.last += (load(minute) as f64 - came).abs();
        outcome.came += came;
        outcome.looks += 1.0;
        outcome.held += f64::from(u8::from(forecast.upper as f64 >= came));
        outcome.trusted += f64::from(u8::from(forecast.trust == Trust::Trusted));
    }
    outcome
}

fn why(forecast: Forecast) -> Option<Distrust> {
    match forecast.trust {
        Trust::Trusted => None,
        Trust::NotTrusted { why } => Some(why),
    }
}

#[test]
fn who_has_seen_nothing_says_so() {
    let forecast = forecaster().ahead(at(0), Span::from_mins(5));
    assert_eq!((forecast.expected, forecast.upper), (0, 0));
    assert_eq!(why(forecast), Some(Distrust::NothingSeen));
    assert_eq!(forecaster().season(), None);
}

#[test]
fn one_measurement_is_its_own_forecast_and_not_trusted() {
    let mut forecaster = forecaster();
    forecaster.observe(at(0), Some(60_000_001));
    let forecast = forecaster.ahead(at(0), Span::from_mins(5));
    assert_eq!((forecast.expected, forecast.upper), (60_000_001, 60_000_001));
    // No slot is learned before the next begins.
    let nothing = Distrust::SeasonNotSeen { watched: Span::ZERO, seen: Permille::ZERO };
    assert_eq!(why(forecast), Some(nothing));
}

#[test]
fn a_load_that_never_moves_is_forecast_as_it_is_and_has_no_season() {
    for load in [0, 1, 60_000_001, 1_000_000_000_000] {
        let mut forecaster = forecaster();
        let mut last = None;
        for minute in (0..4 * DAY_MINUTES).step_by(5) {
            forecaster.observe(at(minute), Some(load));
            let forecast = forecaster.ahead(at(minute), Span::from_mins(10));
            // Profiles keep seven digits.
            assert!(forecast.expected.abs_diff(load) <= load / 10_000_000 + 1, "{} for {load}", forecast.expected);
            last = Some(forecast);
        }
        let none = Distrust::NoSeason { strength: Permille::ZERO, needed: Permille::new(100) };
        assert_eq!(last.and_then(why), Some(none), "{load}");
        assert_eq!(forecaster.season(), None);
    }
}

#[test]
fn nothing_is_trusted_before_a_whole_day_was_seen_and_48_forecasts_were_judged() {
    let mut forecaster = forecaster();
    assert_eq!(watch(&mut forecaster, 0, DAY_MINUTES, sine).trusted, 0.0);
    // At 24 hours the day is whole. The forecasts due from then on count: the first at 24:00, the 48th at 27:55.
    assert_eq!(watch(&mut forecaster, DAY_MINUTES, DAY_MINUTES + 235, sine).trusted, 0.0);
    let forecast = forecaster.ahead(at(DAY_MINUTES + 230), Span::from_mins(10));
    assert_eq!(why(forecast), Some(Distrust::NotJudged { judged: 47, needed: 48 }));
    forecaster.observe(at(DAY_MINUTES + 235), Some(sine(DAY_MINUTES + 235)));
    let forecast = forecaster.ahead(at(DAY_MINUTES + 235), Span::from_mins(10));
    assert_eq!(why(forecast), None);
    assert!(forecast.error < forecast.error_of_last, "{forecast:?}");
}

#[test]
fn a_day_like_the_days_before_is_forecast_better_than_by_the_last_value() {
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, 5 * DAY_MINUTES, sine);
    let outcome = watch(&mut forecaster, 5 * DAY_MINUTES, 7 * DAY_MINUTES, sine);
    assert_eq!(outcome.trusted, outcome.looks);
    assert!(outcome.own < 0.7 * outcome.last, "{outcome:?}");
    // Nine in ten, give or take what a margin that moves leaves.
    assert!((0.8..0.98).contains(&(outcome.held / outcome.looks)), "{outcome:?}");
    // Between 8:00 and 9:00 the load rises by about 4 requests per second each minute; who scales ahead knows.
    let (now, soon) = (7 * DAY_MINUTES + 480, 7 * DAY_MINUTES + 540);
    watch(&mut forecaster, 7 * DAY_MINUTES, now + 5, sine);
    let forecast = forecaster.ahead(at(now), Span::from_mins(60));
    assert!(forecast.expected > sine(now) + (sine(soon) - sine(now)) / 2, "{forecast:?}");
}

#[test]
fn a_job_that_runs_once_a_day_is_known_before_it_runs() {
    // Ten minutes at 03:00, ten times the load.
    let job = |minute: u64| if (180..190).contains(&(minute % DAY_MINUTES)) { 1_000_000_000 } else { 100_000_000 };
    let mut forecaster = forecaster();
    let before = 6 * DAY_MINUTES + 175;
    watch(&mut forecaster, 0, before + 5, job);
    let forecast = forecaster.ahead(at(before), Span::from_mins(10));
    assert!(forecast.expected > 900_000_000, "{forecast:?}");
    assert_eq!(forecast.trust, Trust::Trusted);
}

#[test]
fn the_season_names_the_night() {
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, 5 * DAY_MINUTES, sine);
    let season = forecaster.season().expect("a season");
    assert!(season.strength > Permille::new(900), "{}", season.strength);
    assert_eq!((season.weekly, season.length(), season.hours.len()), (None, Span::from_mins(DAY_MINUTES), 24));
    // Half of the busiest hour is 797 of 1593: 04:30 and 19:30 are at 770, 05:30 and 18:30 at 922, each times the
    // noise.
    let night = season.quiet(Permille::new(500));
    assert_eq!(night.len(), 1);
    assert_eq!((night[0].from, night[0].length), (Span::from_mins(19 * 60), Span::from_mins(10 * 60)));
    assert!((760_000_000..820_000_000).contains(&night[0].largest), "{}", night[0].largest);
    assert!(season.quiet(Permille::new(100)).is_empty(), "no hour is so quiet");
    assert!(season.quiet(Permille::new(1000)).is_empty(), "all hours are");
}

#[test]
fn the_week_is_found_once_a_second_was_seen() {
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, 5 * DAY_MINUTES, office);
    let nights = |forecaster: &Forecaster| {
        let runs = forecaster.season().expect("a season").quiet(Permille::new(500));
        runs.iter().map(|run| (run.from.secs() / 3600, run.length.secs() / 3600)).collect::<Vec<_>>()
    };
    assert_eq!(nights(&forecaster), [(17, 16)]);
    watch(&mut forecaster, 5 * DAY_MINUTES, 28 * DAY_MINUTES, office);
    let season = forecaster.season().expect("a season");
    assert!(season.weekly.is_some_and(|strength| strength > Permille::new(900)), "{:?}", season.weekly);
    assert_eq!((season.hours.len(), season.busiest()), (168, 1_000_000_000));
    // Four nights, and from 17:00 on the fifth day over two whole days to 9:00 on the first: 7 + 48 + 9 hours.
    assert_eq!(nights(&forecaster), [(17, 16), (41, 16), (65, 16), (89, 16), (113, 64)]);
}

#[test]
fn work_that_rests_at_weekends_is_expected_on_monday() {
    let mut forecaster = forecaster();
    let nine = 9 * 60;
    // The first weekend comes as a surprise, and so does the Monday after it: two days without work leave 0.6 * 0.6 of
    // what five days have taught, or more, since days as wild as these count less. That is 424 of 1000 at least, and
    // not all.
    watch(&mut forecaster, 0, 7 * DAY_MINUTES + nine, office);
    let forecast = forecaster.ahead(at(7 * DAY_MINUTES + nine - 5), Span::from_mins(10));
    assert!((400_000_000..800_000_000).contains(&forecast.expected), "{forecast:?}");
    // After two more weeks the week is known, and trusted through a whole weekend.
    watch(&mut forecaster, 7 * DAY_MINUTES + nine, 26 * DAY_MINUTES, office);
    let weekend = watch(&mut forecaster, 26 * DAY_MINUTES, 28 * DAY_MINUTES + nine, office);
    assert!(weekend.trusted == weekend.looks && weekend.own < 0.1 * weekend.came, "{weekend:?}");
    let forecast = forecaster.ahead(at(28 * DAY_MINUTES + nine - 5), Span::from_mins(10));
    assert!(forecast.expected > 900_000_000, "{forecast:?}");
}

#[test]
fn silence_ends_trust_and_a_gap_does_not_end_the_season() {
    let mut forecaster = forecaster();
    let gap = 5 * DAY_MINUTES;
    watch(&mut forecaster, 0, gap, sine);
    for minute in (gap..gap + 2 * DAY_MINUTES).step_by(5) {
        forecaster.observe(at(minute), None);
        let forecast = forecaster.ahead(at(minute), Span::from_mins(10));
        // The last measurement was at 23:55; 15 minutes are not too old, 20 are.
        let silent = Span::from_mins(minute + 5 - gap);
        assert_eq!(forecast.trust == Trust::Trusted, silent <= Span::from_mins(15), "{silent}: {forecast:?}");
        if silent > Span::from_mins(15) {
            assert_eq!(why(forecast), Some(Distrust::Stale { silent }));
        }
    }
    let outcome = watch(&mut forecaster, gap + 2 * DAY_MINUTES, gap + 3 * DAY_MINUTES, sine);
    assert!(outcome.own < 0.8 * outcome.last && outcome.trusted == outcome.looks, "{outcome:?}");
}

#[test]
fn a_missing_measurement_breaks_off_what_is_being_judged() {
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, DAY_MINUTES + 100, sine);
    let judged = |forecaster: &mut Forecaster, minute: u64| match why(forecaster.ahead(at(minute), Span::from_mins(10)))
    {
        Some(Distrust::NotJudged { judged, .. }) => judged,
        other => panic!("{other:?}"),
    };
    // Asked at 24:00 - 10 minutes and later, judged up to those asked at 25:25.
    assert_eq!(judged(&mut forecaster, DAY_MINUTES + 95), 20);
    forecaster.observe(at(DAY_MINUTES + 100), None);
    forecaster.observe(at(DAY_MINUTES + 105), Some(1));
    forecaster.observe(at(DAY_MINUTES + 110), Some(1));
    assert_eq!(judged(&mut forecaster, DAY_MINUTES + 110), 20);
}

#[test]
fn what_is_not_later_is_ignored() {
    let mut forecaster = forecaster();
    forecaster.observe(at(10), Some(7));
    let before = forecaster.clone();
    forecaster.observe(at(10), Some(900));
    forecaster.observe(at(5), Some(900));
    forecaster.observe(at(0), None);
    assert_eq!(forecaster, before);
}

#[test]
fn a_load_that_has_tripled_is_followed() {
    let tripled = |minute: u64| sine(minute) * if minute >= 10 * DAY_MINUTES { 3 } else { 1 };
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, 10 * DAY_MINUTES, tripled);
    let first = watch(&mut forecaster, 10 * DAY_MINUTES, 11 * DAY_MINUTES, tripled);
    assert!(first.own < 1.2 * first.last, "{first:?}");
    let third = watch(&mut forecaster, 11 * DAY_MINUTES, 13 * DAY_MINUTES, tripled);
    assert!(third.own < third.last, "{third:?}");
}

#[test]
fn a_flash_crowd_ends_trust_and_is_not_expected_on_the_next_day() {
    let crowd = 10 * DAY_MINUTES + 600;
    let flash = |minute: u64| sine(minute) * if (crowd..crowd + 60).contains(&minute) { 20 } else { 1 };
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, crowd, flash);
    let outcome = watch(&mut forecaster, crowd, crowd + 65, flash);
    assert!(outcome.trusted < outcome.looks, "{outcome:?}");
    let after = forecaster.ahead(at(crowd + 60), Span::from_mins(10));
    assert!(matches!(why(after), Some(Distrust::ErrorHigh { .. } | Distrust::NoBetterThanLast { .. })), "{after:?}");
    watch(&mut forecaster, crowd + 65, crowd + 120, flash);
    let night = watch(&mut forecaster, crowd + 120, crowd + DAY_MINUTES, flash);
    assert!(night.own < 1.2 * night.last, "{night:?}");
    let next = watch(&mut forecaster, crowd + DAY_MINUTES, crowd + DAY_MINUTES + 60, flash);
    assert!(next.own < 0.2 * next.came, "{next:?}");
}

#[test]
fn a_service_that_is_switched_off_is_forecast_at_nothing() {
    let ended = |minute: u64| if minute >= 5 * DAY_MINUTES { 0 } else { sine(minute) };
    let mut forecaster = forecaster();
    watch(&mut forecaster, 0, 5 * DAY_MINUTES + 360, ended);
    let outcome = watch(&mut forecaster, 5 * DAY_MINUTES + 360, 8 * DAY_MINUTES, ended);
    assert!(outcome.own < outcome.looks * 10e6, "a hundredth of what it was: {outcome:?}");
    assert_eq!(forecaster.season(), None);
}

#[test]
fn another_horizon_is_judged_anew() {
    let mut forecaster = forecaster();
    let now = 3 * DAY_MINUTES;
    watch(&mut forecaster, 0, now + 5, sine);
    assert_eq!(forecaster.ahead(at(now), Span::from_mins(10)).trust, Trust::Trusted);
    // Twice as long is still the same; longer is not, and from there ten minutes are not either.
    assert_eq!(forecaster.ahead(at(now), Span::from_mins(20)).trust, Trust::Trusted);
    let anew = Some(Distrust::NotJudged { judged: 0, needed: 48 });
    assert_eq!(why(forecaster.ahead(at(now), Span::from_mins(21))), anew);
    assert_eq!(why(forecaster.ahead(at(now), Span::from_mins(10))), anew);
}

#[test]
fn of_many_forecasts_an_eighth_of_the_horizon_apart_are_judged() {
    let mut forecaster = forecaster();
    // Asked every minute, 40 minutes ahead: those at 0, 5, 10, ... are kept.
    for minute in 0..DAY_MINUTES + 200 {
        forecaster.observe(at(minute), Some(sine(minute)));
        forecaster.ahead(at(minute), Span::from_mins(40));
    }
    // Due since 24:00: at 24:00, 24:05, ... 27:15.
    let forecast = forecaster.ahead(at(DAY_MINUTES + 199), Span::from_mins(40));
    assert_eq!(why(forecast), Some(Distrust::NotJudged { judged: 40, needed: 48 }));
}

#[test]
fn memory_stays_below_three_kibibytes() {
    let mut forecaster = forecaster();
    let before = forecaster.memory();
    for minute in 0..30 * DAY_MINUTES {
        forecaster.observe(at(minute), (minute % 97 != 0).then(|| sine(minute)));
        forecaster.ahead(at(minute), Span::from_mins(30));
    }
    assert_eq!(forecaster.memory(), before);
    assert!(before <= Bytes::new(3 * 1024), "{before}");
}

#[test]
fn a_slot_reaches_from_two_and_a_half_minutes_before_its_time() {
    let mut profile = Profile::default();
    let config = Config::default();
    // 2:29 and 2:30 fall into the slots of 0:00 and of 5:00; each is learned when the next begins.
    profile.observe(Instant::after_start(Span::from_secs(149)), 10.0, &config);
    assert_eq!(profile.slot(0), None);
    profile.observe(Instant::after_start(Span::from_secs(150)), 20.0, &config);
    profile.observe(at(5), 40.0, &config);
    profile.observe(at(10), 99.0, &config);
    assert_eq!((profile.slot(0), profile.slot(1), profile.slot(2)), (Some(10.0), Some(30.0), None));
    // A day later 50 counts for 40 % of the slot: 0.4 * 50 + 0.6 * 30.
    profile.observe(at(DAY_MINUTES + 5), 50.0, &config);
    profile.observe(at(DAY_MINUTES + 10), 99.0, &config);
    assert_eq!(profile.slot(1), Some(38.0));
}

#[test]
fn who_was_right_counts_more() {
    let mut mixture = Mixture::default();
    let voices = Voices { last: 10.0, lately: 20.0, risen: 30.0, usual: 40.0 };
    assert_eq!(mixture.mix(voices), 25.0);
    // 40 came. Regrets: each forecast less the mixture: -15, -5, 5, 15; over their squares: 5 / 25 and 15 / 225, so the
    // third counts three quarters and the fourth one. The factor is 40 / 25.
    mixture.learn(voices, 40.0, Span::ZERO, Span::from_mins(60));
    assert!((mixture.mix(voices) - 1.6 * (0.75 * 30.0 + 0.25 * 40.0)).abs() < 1e-9);
    // A thousand is one outcome of at most twice what was mixed: 32.5 was, so 40 + 65 came of 57.5.
    mixture.learn(voices, 1000.0, Span::ZERO, Span::from_mins(60));
    // Regrets now -15 - 22.5, -5 - 12.5, 5 - 2.5, 15 + 7.5; squares of the last two 25 + 6.25 and 225 + 56.25.
    let (third, fourth) = (2.5 / 31.25, 22.5 / 281.25);
    let mixed = (third * 30.0 + fourth * 40.0) / (third + fourth);
    assert!((mixture.mix(voices) - 105.0 / 57.5 * mixed).abs() < 1e-9);
}

#[test]
fn old_regrets_fade() {
    let mut mixture = Mixture::default();
    let voices = Voices { last: 10.0, lately: 20.0, risen: 30.0, usual: 40.0 };
    mixture.learn(voices, 40.0, Span::ZERO, Span::from_mins(60));
    // An hour later half of the regrets is left: -7.5, -2.5, 2.5, 7.5, and of the squares 112.5, 12.5, 12.5, 112.5.
    // 32.5 was mixed, and the factor made 52 of it; 26 came, so regrets are 32.5 less each: 22.5, 12.5, 2.5, -7.5.
    mixture.learn(voices, 26.0, Span::from_mins(60), Span::from_mins(60));
    let (first, second, third) = (15.0 / 618.75, 10.0 / 168.75, 5.0 / 18.75);
    let mixed = (first * 10.0 + second * 20.0 + third * 30.0) / (first + second + third);
    // The factor's memory is a day: what is left after an hour of 40 and 25, and 26 and 32.5 on top.
    let left = libm::exp2(-1.0 / 24.0);
    let factor = (left * 40.0 + 26.0) / (left * 25.0 + 32.5);
    assert!((mixture.mix(voices) - factor * mixed).abs() < 1e-9);
}

fn looks() -> impl Strategy<Value = Vec<(u64, Option<u64>, u64)>> {
    let load = prop_oneof![Just(0), Just(u64::MAX), 0..100_u64, any::<u64>()];
    let seconds = prop_oneof![0..900_u64, 0..200_000_u64, Just(u64::MAX)];
    proptest::collection::vec((seconds.clone(), proptest::option::of(load), seconds), 1..300)
}

proptest! {
    /// Whatever it is told: no forecast is above four times the largest load (twice for the rise, twice for the
    /// factor), the upper bound is never below it, and an empty load is forecast as nothing.
    #[test]
    fn forecasts_stay_within_reason(looks in looks()) {
        let mut forecaster = forecaster();
        let (mut now, mut largest) = (Instant::START, 0);
        for (gap, load, horizon) in looks {
            now = now.plus(Span::from_secs(gap));
            forecaster.observe(now, load);
            largest = largest.max(load.unwrap_or(0));
            let forecast = forecaster.ahead(now, Span::from_secs(horizon));
            let most = 4.0 * largest as f64 * 1.000_001 + 1.0;
            prop_assert!(forecast.expected as f64 <= most, "{forecast:?} of {largest}");
            prop_assert!(forecast.upper >= forecast.expected);
            if let Some(season) = forecaster.season() {
                prop_assert!(season.busiest() as f64 <= largest as f64 * 1.000_001 + 1.0);
            }
        }
        prop_assert!(forecaster.memory() <= Bytes::new(3 * 1024));
    }

    /// Units do not matter: a load 1024 times as large is forecast 1024 times as large, and trusted alike.
    #[test]
    fn units_do_not_matter(
        loads in proptest::collection::vec(proptest::option::of(1_000_000..9_000_000_000_u64), 1..900),
    ) {
        let (mut small, mut large) = (forecaster(), forecaster());
        for (look, load) in loads.into_iter().enumerate() {
            let now = at(5 * look as u64);
            small.observe(now, load);
            large.observe(now, load.map(|load| load * 1024));
            let (small, large) = (small.ahead(now, Span::from_mins(10)), large.ahead(now, Span::from_mins(10)));
            prop_assert!(large.expected.abs_diff(small.expected * 1024) <= 1024, "{small:?} {large:?}");
            prop_assert_eq!((small.error, small.error_of_last), (large.error, large.error_of_last));
            prop_assert_eq!(small.trust, large.trust);
        }
    }
}
