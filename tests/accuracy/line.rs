//! The line to the outside: the oracle against closed forms of processor sharing, and the step model against the oracle, by
//! how much of the line is used.

use crate::draws::Draw;
use crate::measure::assert_medians;
use crate::measure::observe;
use crate::measure::together;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Hardware;
use plimsoll::model::Host;
use plimsoll::model::Latencies;
use plimsoll::model::Noise;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::oracle::Oracle;

fn online(mbit: u32) -> Host {
    Host { hardware: Hardware { network_mbit: Some(mbit), ..Hardware::default() }, ..host(64) }
}

/// A service of hardly any work whose answers have so many bytes.
fn answers(bytes: u64) -> ServiceModel {
    let mut model = service(1);
    model.work.cpu = Span::from_micros(1);
    model.work.answer = Bytes::new(bytes);
    model
}

/// Processor sharing is insensitive to how sizes are distributed (Kelly 1979): all alike, or one in ten a hundred times as
/// large as the others, each takes its own size over what is left of the line.
#[test]
fn a_transfer_takes_its_size_over_what_is_left() {
    for load in [0.3, 0.6, 0.8] {
        let rate = |share: f64| constant(Rate::micro(whole(load * share * 1e6)), Noise::Poisson);
        let seen = observe(&scenario(online(8), [("web", answers(10_000))], [("web", rate(100.0))]), 8000.0);
        seen[0].assert_mean(0.01 / (1.0 - load), &format!("all alike at {load}"));
        let services = [("large", answers(100_000)), ("small", answers(1000))];
        let loads = [("large", rate(9.0)), ("small", rate(100.0))];
        let seen = observe(&scenario(online(8), services, loads), 80_000.0);
        seen[0].assert_mean(0.1 / (1.0 - load), &format!("large ones at {load}"));
        seen[1].assert_mean(0.001 / (1.0 - load), &format!("small ones at {load}"));
    }
}

/// A transfer much smaller than the others finds the same number all the time: `N`, geometric with the load, so it takes
/// `1 + N` times as long as alone. At a load of 0.7, nineteen of twenty take at most nine times as long.
#[test]
fn a_small_transfer_takes_as_many_times_as_long_as_it_finds_others() {
    let rate = |rate: u64| constant(Rate::per_second(rate), Noise::Poisson);
    let services = [("small", answers(50)), ("usual", answers(10_000))];
    let host = || scenario(online(8), services.clone(), [("small", rate(10)), ("usual", rate(70))]);
    let p95 = |times: &Latencies| times.quantile(95, 100).expect("requests").as_secs();
    let oracle = p95(&observe(&host(), 40_000.0)[0].whole.latency);
    assert!((oracle / (9.0 * 50e-6) - 1.0).abs() < 0.06, "{oracle}");
    let model = p95(&merged(&run(&host(), 600)[3..], 0));
    assert!((model / oracle - 1.0).abs() < 0.10, "{model} for {oracle}");
}

/// Of transfers all alike on a line with half as many again as it carries, the number grows by the root of
/// `g = 1 − e^(−1.5 g)` of what comes (Jean-Marie and Robert 1994).
#[test]
fn a_full_line_fills_as_its_fluid_limit() {
    let load = constant(Rate::per_second(150), Noise::Poisson);
    let mut oracle =
        Oracle::new(&scenario(online(8), [("web", answers(10_000))], [("web", load)]), Seed::new(3)).expect("constant");
    oracle.advance(2000.0);
    let inside = oracle.take().services[0].inside_at_end as f64;
    assert!((inside / (0.582_81 * 150.0 * 2000.0) - 1.0).abs() < 0.02, "{inside}");
}

/// One to three services of random sizes on a line that is used so far in its busier direction, and cores that are not.
pub(crate) fn drawn(number: u64, load: f64) -> Scenario {
    let mut draw = Draw::new(&format!("accuracy/line/{number}"));
    let mbit = draw.pick(&[10, 100, 1000]);
    let bandwidth = f64::from(mbit) * 125_000.0;
    let names = &["a", "b", "c"][..draw.pick(&[1, 2, 3])];
    let inwards = draw.chance(0.4);
    let drawn: Vec<(ServiceModel, f64)> = names
        .iter()
        .map(|_| {
            let mut model = draw.service(64, 0.0, 0.0);
            let size = draw.doubling(0.02, 2.0) * bandwidth;
            let other = size * draw.doubling(0.001, 0.5);
            let (request, answer) = if inwards { (size, other) } else { (other, size) };
            (model.work.request, model.work.answer) = (Bytes::new(whole(request)), Bytes::new(whole(answer)));
            // Each takes a share of the line, and little of the cores.
            let share = draw.doubling(0.2, 1.0);
            model.work.cpu = Span::from_nanos(whole(size / bandwidth * draw.doubling(0.01, 1.0) * 1e9));
            (model, share)
        })
        .collect();
    let shares: f64 = drawn.iter().map(|one| one.1).sum();
    let rates: Vec<f64> = drawn
        .iter()
        .map(|(model, share)| {
            load * share / shares * bandwidth / model.work.request.max(model.work.answer).get() as f64
        })
        .collect();
    let loads =
        names.iter().zip(&rates).map(|(name, rate)| (*name, constant(Rate::micro(whole(rate * 1e6)), Noise::None)));
    let loads: Vec<_> = loads.collect();
    scenario(online(mbit), names.iter().copied().zip(drawn.into_iter().map(|one| one.0)), loads)
}

/// What both say of each service: mean and P95 in seconds.
fn both(scenario: &Scenario, number: u64) -> Vec<[[f64; 2]; 2]> {
    let slowest = scenario.load.values().map(|load| match load.pattern {
        plimsoll::model::Pattern::Constant { rate } => rate.as_per_second(),
        _ => unreachable!("it is constant"),
    });
    let (slowest, together_rate) =
        slowest.fold((f64::INFINITY, 0.0), |(least, sum), rate| (rate.min(least), rate + sum));
    let all: f64 = (20_000.0 / slowest).min(800_000.0 / together_rate);
    let mut oracle = Oracle::new(scenario, Seed::new(number)).expect("constant rates");
    oracle.advance(all / 5.0);
    let _ = oracle.take();
    let batches: Vec<_> = (0..10)
        .map(|_| {
            oracle.advance(all / 10.0);
            oracle.take().services
        })
        .collect();
    let samples = run(scenario, 1800);
    let figures = |times: &Latencies| {
        [times.mean().map_or(f64::NAN, Span::as_secs), times.quantile(95, 100).map_or(f64::NAN, Span::as_secs)]
    };
    (0..scenario.services.len())
        .map(|place| {
            let oracle = together(batches.iter().map(|batch| &batch[place])).whole;
            [figures(&merged(&samples[15..], place)), figures(&oracle.latency)]
        })
        .collect()
}

/// Medians of the absolute errors of all services, by band, of 40 hosts each: what `docs/accuracy.md` promises for single
/// services.
#[test]
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn the_step_model_shares_the_line_as_the_oracle_does() {
    for (band, most) in [(20_u32, 0.05), (50, 0.05), (80, 0.05), (90, 0.15)] {
        let errors: Vec<[f64; 2]> = (0..40)
            .flat_map(|number| {
                let scenario = drawn(number, f64::from(band) / 100.0);
                let all = both(&scenario, number);
                println!("{band:3} % {number:2}: {all:.4?}");
                all.into_iter().map(|[model, oracle]| [0, 1].map(|figure| model[figure] / oracle[figure] - 1.0))
            })
            .collect();
        assert_medians(&errors, ["mean", "P95"], most, band);
    }
}
