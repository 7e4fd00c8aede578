//! Containers on some cores only: the oracle against closed forms, and the step model against the oracle.

use crate::draws::Case;
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
use plimsoll::model::CoreGroup;
use plimsoll::model::CoreSet;
use plimsoll::model::Noise;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::whole;
use plimsoll::world::oracle::Oracle;

fn pinned(cores: &str, work_millis: u64) -> ServiceModel {
    ServiceModel { cpuset: Some(CoreSet::parse(cores).expect("cores")), ..service(work_millis) }
}

/// One core is M/M/1, two are M/M/2, whatever goes on on the others; a slow core takes as much longer as it is slower.
#[test]
fn containers_on_cores_of_their_own_do_not_meet() {
    let steady = |rate| constant(Rate::per_second(rate), Noise::Poisson);
    let services = [("a", pinned("0", 10)), ("b", pinned("1-2", 10)), ("c", pinned("3", 20))];
    let load = [("a", steady(70)), ("b", steady(140)), ("c", steady(25))];
    let seen = observe(&scenario(host(4), services, load), 6000.0);
    seen[0].assert_mean(0.010 / 0.3, "one core");
    seen[1].assert_mean(0.010 / (1.0 - 0.7 * 0.7), "two cores");
    seen[2].assert_mean(0.020 / 0.5, "another one");
    let mut slow = host(1);
    slow.cores.push(CoreGroup { count: 2, speed: Permille::percent(50) });
    let seen = observe(&scenario(slow, [("a", pinned("2", 10))], [("a", steady(25))]), 6000.0);
    seen[0].assert_mean(0.020 / 0.5, "a slow core");
}

/// Three to six containers, most of them on some of four to eight cores, so that the fullest of these are used so far.
pub(crate) fn drawn(number: u64, load: f64) -> Scenario {
    let mut draw = Draw::new(&format!("accuracy/pins/{number}"));
    let cores = draw.pick(&[4, 6, 8]);
    let count = 3 + draw.below(4);
    let mut models = Vec::new();
    for _ in 0..count {
        let mut model = draw.service(cores, 0.0, 0.0);
        (model.weight, model.work.spread) = (1024, Spread::Exponential);
        if draw.chance(0.7) {
            let from = draw.below(cores as usize - 1);
            let length = 1 + draw.below(cores as usize - from).min(3);
            let text = format!("{from}-{}", (from + length - 1).min(cores as usize - 1));
            model.cpuset = Some(CoreSet::parse(&text).expect("cores"));
        }
        models.push((model, 0.1 + draw.uniform()));
    }
    // The fullest cores, over all sums of sets.
    let set = |model: &ServiceModel| match &model.cpuset {
        Some(set) => set.cores().fold(0_u32, |all, core| all | 1 << core),
        None => (1_u32 << cores) - 1,
    };
    let fullest = (1_u32..1 << models.len()).map(|chosen| {
        let of = |place: &usize| chosen >> place & 1 == 1;
        let union = (0..models.len()).filter(of).fold(0, |all, place| all | set(&models[place].0));
        let used = (0..models.len()).filter(of).map(|place| models[place].1).sum::<f64>();
        used / f64::from(union.count_ones())
    });
    let scale = load / fullest.fold(0.0, f64::max);
    let names = ["s0", "s1", "s2", "s3", "s4", "s5"];
    let loads: Vec<_> = models
        .iter()
        .zip(names)
        .map(|((model, used), name)| {
            let rate = used * scale / model.work.cpu.as_secs();
            (name, constant(Rate::micro(whole(rate * 1e6)), Noise::None))
        })
        .collect();
    scenario(host(cores), names.into_iter().zip(models.into_iter().map(|model| model.0)), loads)
}

/// Medians of the absolute errors of all services, by the load of the fullest cores.
#[test]
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn the_step_model_shares_pinned_cores_as_the_oracle_does() {
    for (band, most) in [(30_u32, 0.05), (60, 0.10), (80, 0.20)] {
        let mut errors: Vec<[f64; 2]> = Vec::new();
        for number in 0..15 {
            let scenario = drawn(number, f64::from(band) / 100.0);
            let mut oracle = Oracle::new(&scenario, Seed::new(number)).expect("constant rates");
            let rate: f64 = scenario
                .load
                .values()
                .map(|load| match load.pattern {
                    plimsoll::model::Pattern::Constant { rate } => rate.as_per_second(),
                    _ => 0.0,
                })
                .sum();
            oracle.advance(5000.0 / rate);
            let _ = oracle.take();
            let batches: Vec<_> = (0..10)
                .map(|_| {
                    oracle.advance(12_000.0 / rate);
                    oracle.take().services
                })
                .collect();
            let samples = &run(&scenario, 600)[3..];
            println!("{band} % {number}: {}", Case::of(scenario.clone(), Vec::new()).describe());
            for (place, model) in scenario.services.values().enumerate() {
                let seen = together(batches.iter().map(|batch| &batch[place])).whole;
                let times = merged(samples, place);
                let of = |times: &plimsoll::model::Latencies| times.quantile(95, 100).expect("requests").as_secs();
                let error = [
                    times.mean().expect("requests").as_secs() / seen.mean() - 1.0,
                    of(&times) / of(&seen.latency) - 1.0,
                ];
                println!("    {:?}: {error:+.3?}", model.cpuset.as_ref().map(|set| set.cores().collect::<Vec<_>>()));
                errors.push(error);
                let cpu = samples[4].services[place].cpu.as_cores();
                // Five standard deviations of exponential work, and what a sample rounds away.
                let slack = seen.cpu * (0.01 + 5.0 * (2.0 / seen.served as f64).sqrt()) + 0.002;
                assert!((cpu - seen.cpu).abs() < slack, "{cpu} cores for {}", seen.cpu);
            }
        }
        println!("{band:3} %: {} services", errors.len());
        assert_medians(&errors, ["mean", "P95"], most, band);
    }
}
