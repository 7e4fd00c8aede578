//! Balancers: the oracle against closed forms and a solved chain, the step model against the oracle over random services.

use crate::draws::Case;
use crate::draws::Draw;
use crate::draws::loaded_on;
use crate::draws::power;
use crate::measure::observe;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use crate::study;
use crate::study::Effort;
use plimsoll::model::Balance;
use plimsoll::model::Deployment;
use plimsoll::model::HealthCheck;
use plimsoll::model::Latencies;
use plimsoll::model::Limits;
use plimsoll::model::Noise;
use plimsoll::model::Order;
use plimsoll::model::Pattern;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSample;
use plimsoll::model::Spread;
use plimsoll::model::Update;
use plimsoll::record::Event;
use plimsoll::run::simulate::simulate;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::oracle::Oracle;
use rayon::prelude::*;

const WORK: f64 = 0.005;

/// Mean times, over the mean work, of exponential work of 5 ms at so many instances with a worker and a core each.
fn assert_waits(balance: Balance, replicas: u32, load: f64, requests: u64, wanted: f64) {
    let web = ServiceModel { replicas, workers: Some(1), balance, ..service(5) };
    let rate = load * f64::from(replicas) / WORK;
    let arrivals = constant(Rate::micro(whole(rate * 1e6)), Noise::Poisson);
    let seen = observe(&scenario(host(replicas), [("web", web)], [("web", arrivals)]), requests as f64 / rate);
    seen[0].assert_mean(wanted * WORK, &format!("{} over {replicas} at {load}", balance.key()));
}

/// E/M/1: who comes in turn finds `1 / (1 − σ)` times its work before it, where `σ` is the root below one of
/// `σ = A*(μ (1 − σ))` (Kendall 1953), `A*` being the transform of the `n` exponential times between two arrivals.
#[test]
fn in_turn_an_instance_sees_every_nth_request() {
    for (replicas, load, requests) in [(2, 0.5, 200_000), (2, 0.8, 800_000), (3, 0.8, 800_000), (5, 0.8, 800_000)] {
        let count = f64::from(replicas);
        let stages = |root: f64| libm::pow(load * count / (load * count + 1.0 - root), count);
        let root = (0..500).fold(0.0, |root, _| stages(root));
        assert_waits(Balance::RoundRobin, replicas, load, requests, 1.0 / (1.0 - root));
    }
}

/// Two queues of which each request joins the shorter one: the chain of both lengths, solved by going round until nothing
/// changes.
#[test]
fn the_shortest_queue_is_the_solved_chain() {
    for (load, requests) in [(0.5, 300_000), (0.9, 3_000_000)] {
        assert_waits(Balance::LeastConnections, 2, load, requests, mean_of_shortest(load));
    }
}

/// Mean time over mean work in the chain, with the lengths in order.
fn mean_of_shortest(load: f64) -> f64 {
    const LONGEST: usize = 90;
    let mut likely = vec![[0.0; LONGEST + 2]; LONGEST + 2];
    for (short, row) in likely.iter_mut().enumerate().take(LONGEST) {
        for (long, likely) in row.iter_mut().enumerate().take(LONGEST).skip(short) {
            *likely = libm::pow(load, (short + long) as f64);
        }
    }
    let rate = 2.0 * load;
    let busy = |length: usize| if length > 0 { 1.0 } else { 0.0 };
    for _ in 0..4000 {
        for short in 0..LONGEST {
            for long in short..LONGEST {
                // The longer one lost a request; the shorter one gained one; one of two equal ones did either.
                let mut into = likely[short][long + 1];
                into += if short > 0 { rate * likely[short - 1][long] } else { 0.0 };
                into += match long - short {
                    0 => 0.0,
                    1 => rate * likely[short][short] + 2.0 * likely[long][long],
                    _ => likely[short + 1][long],
                };
                likely[short][long] = into / (rate + busy(short) + busy(long));
            }
        }
    }
    let (mut all, mut inside) = (0.0, 0.0);
    for (short, row) in likely.iter().enumerate() {
        for (long, likely) in row.iter().enumerate() {
            all += likely;
            inside += likely * (short + long) as f64;
        }
    }
    inside / all / rate
}

/// Two to six instances with quotas, workers or both, on a host that has enough for all.
pub(crate) fn drawn(number: u64, load: f64, balance: Balance) -> Case {
    let mut draw = Draw::new(&format!("accuracy/balance/{number}"));
    let replicas = 2 + u32::try_from(draw.below(5)).expect("small");
    let mut model = ServiceModel { replicas, balance, ..service(1) };
    model.work.cpu = Span::from_nanos(whole(draw.doubling(0.001, 0.05) * 1e9));
    model.work.spread = draw.pick(&[Spread::Constant, Spread::Exponential, Spread::Heavy]);
    let (quota, workers) = (draw.doubling(0.25, 3.0), u32::try_from(1 + draw.below(6)).expect("small"));
    let kind = draw.below(3);
    if kind < 2 {
        model.limits.cpu = Some(Millicores::new(whole(quota * 20.0) * 50));
    }
    if kind > 0 {
        model.workers = Some(workers);
    }
    let cores = u32::try_from(whole(1.5 * f64::from(replicas) * power(&model, 64)) + 1).expect("small").max(4);
    loaded_on(host(cores), vec![model], &[1.0], load)
}

/// Callers and called, all balanced: the requests of the first wait for the second, whose cores are many, up to thirty times
/// as long as they take themselves.
fn calling(number: u64, load: f64, balance: Balance) -> Case {
    let mut case = drawn(number, load, balance);
    let mut draw = Draw::new(&format!("accuracy/balance/calling/{number}"));
    let rate = case.outside_rate;
    let first = case.scenario.services.values_mut().next().expect("a service");
    let mut called = ServiceModel { replicas: 2, ..service(1) };
    called.work.cpu = Span::from_nanos(whole(first.work.cpu.as_secs() * draw.doubling(0.3, 30.0) * 1e9));
    first.work.calls = vec![call("s1", 1)];
    let more = 4.0 * rate * called.work.cpu.as_secs() + 4.0;
    let count = case.scenario.host.core_count() + u32::try_from(whole(more)).expect("small");
    case.scenario.host.cores[0].count = count;
    case.scenario.services.insert(ServiceName::new("s1"), called);
    case.utilisations.push(0.25);
    case
}

/// Clients who think ten times as long as they are served, as many as bring about the load.
fn thinking(number: u64, load: f64, balance: Balance) -> Case {
    let mut case = drawn(number, load, balance);
    let model = case.scenario.services.values().next().expect("a service");
    let think = Span::from_nanos(10 * model.work.cpu.nanos());
    let clients = whole((case.outside_rate * (think.as_secs() + model.work.cpu.as_secs())).max(1.0));
    let clients = vec![(Span::ZERO, u32::try_from(clients).expect("small"))];
    let load = case.scenario.load.values_mut().next().expect("a load");
    load.pattern = Pattern::Clients { clients, think };
    case
}

/// By how much mean and P95 of the first service are off, as shares, and the share that is refused.
pub(crate) fn errors(case: &Case, number: u64) -> [f64; 3] {
    let effort = Effort { cases: [0; study::KINDS], sure: 0.01, events: 1_500_000 };
    let (outcome, ..) = study::judge(case, Seed::new(number), effort).remove(0);
    let samples = &run(&case.scenario, 600)[2..];
    let times = merged(samples, 0);
    let count =
        |of: fn(&ServiceSample) -> u64| samples.iter().map(|sample| of(&sample.services[0])).sum::<u64>() as f64;
    let failed = count(|sample| sample.errors.refused) / count(|sample| sample.arrived).max(1.0);
    let mean = times.mean().expect("requests").as_secs() / outcome.mean();
    let late = |times: &Latencies| times.quantile(95, 100).expect("requests").as_secs();
    let lost = outcome.refused as f64 / outcome.arrived as f64;
    [mean - 1.0, late(&times) / late(&outcome.latency) - 1.0, failed - lost]
}

/// By how much the times of cases at so many loads are off, by the balancer; shown with `--nocapture`. Half of them are off
/// by no more than what is promised for mean and P95.
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn assert_near(case: fn(u64, f64, Balance) -> Case, loads: &[f64], cases: u64, promised: [f64; 2]) {
    let rules = [Balance::RoundRobin, Balance::LeastConnections];
    let each = |balance| loads.iter().flat_map(move |load| (0..cases).map(move |number| (balance, *load, number)));
    let all: Vec<_> = rules.into_iter().flat_map(each).collect();
    let found: Vec<_> = all.into_par_iter().map(|one| (one, errors(&case(one.2, one.1, one.0), one.2))).collect();
    for balance in rules {
        for load in loads {
            let here = || found.iter().filter(|one| one.0.0 == balance && one.0.1 == *load);
            for (figure, name) in ["mean", "P95"].into_iter().enumerate() {
                let mut sorted: Vec<f64> = here().map(|one| one.1[figure].abs()).collect();
                sorted.sort_by(f64::total_cmp);
                let [median, most, worst] = [0.5, 0.9, 1.0].map(|share| study::quantile(&sorted, share) * 100.0);
                let mean = here().map(|one| one.1[figure]).sum::<f64>() / cases as f64 * 100.0;
                let title = format!("{} at {load}, {name}", balance.key());
                println!("{title}: {median:.1} | {most:.1} | {worst:.1} %, {mean:+.1} % on average");
                let kept = median <= promised[figure] * 100.0;
                assert!(kept, "{title}: the median error is {median:.1} %");
            }
        }
        let mut worst: Vec<_> = found.iter().filter(|one| one.0.0 == balance).collect();
        worst.sort_by(|one, other| other.1[0].abs().total_cmp(&one.1[0].abs()));
        for ((balance, load, number), errors) in worst.into_iter().take(6) {
            println!("{:+.2} {:+.2} {}", errors[0], errors[1], case(*number, *load, *balance).describe());
        }
    }
}

/// Of `replicas` instances one has a share of the CPU that the others have, since a deployment stands still after the first.
/// Mean and P95 in seconds by the step model, and by the oracle.
fn one_is_narrow(balance: Balance, replicas: u32, (rate, narrow): (u64, u64)) -> ([f64; 2], [f64; 2]) {
    let name = ServiceName::new("api");
    let mut api = ServiceModel { replicas, balance, ..service(20) };
    api.limits.cpu = Some(Millicores::cores(1));
    let test = vec!["CMD".to_owned(), "true".to_owned()];
    api.health = Some(HealthCheck { test, interval: Some(Span::from_secs(10)), ..HealthCheck::default() });
    let narrow = Millicores::new(narrow);
    let mut scenario = scenario(host(16), [("api", api)], [("api", constant(Rate::per_second(rate), Noise::None))]);
    let mut oracle = Oracle::new(&scenario, Seed::new(5)).expect("a constant rate");
    oracle.limit(&name, 1, narrow);
    oracle.advance(100.0);
    let _ = oracle.take();
    oracle.advance(6000.0);
    let outcome = oracle.take().services.remove(0);
    let update = Update { order: Order::StopFirst, parallelism: 1, delay: Span::from_mins(600), ..Update::default() };
    let limits = Limits { cpu: Some(narrow), memory: None };
    scenario.deployments =
        vec![Deployment { at: second(60), service: name, limits, new_image: false, alone: None, update }];
    let mut times = Latencies::new();
    let ended = simulate(&scenario, Seed::new(1), &mut |event| {
        if let Event::Sampled(sample) = event
            && sample.at > second(600)
        {
            times.merge(&sample.services[0].latency);
        }
    });
    assert!(ended.is_ok());
    let of = |times: &Latencies| [times.mean(), times.quantile(95, 100)].map(|time| time.expect("requests").as_secs());
    (of(&times), of(&outcome.latency))
}

/// One instance that is slower than the others, at loads from a third to nine tenths of what all can do together.
#[test]
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn who_is_slower_gets_less() {
    let (fewest, turns) = (Balance::LeastConnections, Balance::RoundRobin);
    let mut far = Vec::new();
    for (balance, replicas, load, within) in [
        (fewest, 3, (45, 500), [0.1, 0.1]),
        (fewest, 3, (80, 500), [0.1, 0.1]),
        (fewest, 3, (100, 500), [0.1, 0.1]),
        (fewest, 3, (112, 500), [0.15, 0.15]),
        (fewest, 2, (55, 250), [0.15, 0.15]),
        (fewest, 5, (180, 250), [0.15, 0.15]),
        (turns, 3, (45, 500), [0.1, 0.1]),
        (turns, 3, (60, 500), [0.1, 0.1]),
    ] {
        let (model, oracle) = one_is_narrow(balance, replicas, load);
        let errors = [0, 1].map(|figure| model[figure] / oracle[figure] - 1.0);
        let title = format!("{} over {replicas} at {load:?}", balance.key());
        println!("{title}: {model:.3?} for {oracle:.3?}, {errors:+.2?}");
        far.extend(errors.iter().zip(within).any(|(error, within)| error.abs() > within).then_some(title));
    }
    assert!(far.is_empty(), "{far:?}");
}

/// One service in two to six instances.
#[test]
fn balanced_instances_are_those_of_the_oracle() {
    assert_near(drawn, &[0.4, 0.8, 0.9], 24, [0.05, 0.1]);
}

/// A balancer that counts requests sees less of who waits for a core where most wait for their calls.
#[test]
fn requests_that_wait_for_calls_count_too() {
    assert_near(calling, &[0.6, 0.8], 16, [0.1, 0.1]);
}

/// Clients in a closed loop.
#[test]
fn clients_are_balanced_too() {
    assert_near(thinking, &[0.6, 0.9], 20, [0.1, 0.15]);
}
