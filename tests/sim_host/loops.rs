//! Who waits for whom: clients in a closed loop, workers that block, queues with room for so many. Against exact mean value
//! analysis and closed forms, and as stories.

use crate::simulation;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Breaker;
use plimsoll::model::Call;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceSample;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use proptest::prelude::*;

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

fn single(work_millis: u64) -> ServiceModel {
    ServiceModel { workers: Some(1), ..service(work_millis) }
}

fn clients(number: u32, think_millis: u64) -> Load {
    let pattern = Pattern::Clients { clients: vec![(Span::ZERO, number)], think: Span::from_millis(think_millis) };
    Load { pattern, noise: Noise::None }
}

/// Requests per second and mean seconds of a service, and that nothing is lost on the way.
fn measured(scenario: &Scenario, place: usize) -> (f64, f64) {
    let samples = run(scenario, 1200);
    let mut queue = 0;
    for sample in &samples {
        let one = &sample.services[place];
        assert_eq!(queue + one.arrived, one.served + one.failed + one.queue);
        assert_eq!(one.errors.all(), one.failed);
        queue = one.queue;
    }
    let rate = samples[10..].iter().map(|sample| sample.services[place].served).sum::<u64>() as f64;
    let mean = simulation::merged(&samples[10..], place).mean().expect("requests").as_secs();
    (rate / (samples.len() - 10) as f64 / 60_000.0, mean)
}

/// Exact mean value analysis (Reiser and Lavenberg 1980): throughput, and the time at all stations together.
fn exact(number: u32, think: f64, works: &[f64]) -> (f64, f64) {
    let mut queues = vec![0.0; works.len()];
    let (mut rate, mut all) = (0.0, 0.0);
    for number in 1..=number {
        let times: Vec<f64> = works.iter().zip(&queues).map(|(work, queue)| work * (1.0 + queue)).collect();
        all = times.iter().sum::<f64>();
        rate = f64::from(number) / (think + all);
        queues = times.iter().map(|time| time * rate).collect();
    }
    (rate, all)
}

/// The worst is at the knee, where as many think as wait.
#[test]
fn clients_of_one_service_meet_mean_value_analysis() {
    for number in [1, 2, 5, 10, 11, 15, 30, 100] {
        let found = measured(&scenario(host(256), [("web", single(10))], [("web", clients(number, 100))]), 0);
        let wanted = exact(number, 0.1, &[0.01]);
        close(found.0, wanted.0, 0.05);
        close(found.1, wanted.1, 0.1);
    }
}

#[test]
fn one_client_who_never_thinks_waits_for_nobody() {
    let found = measured(&scenario(host(256), [("web", single(10))], [("web", clients(1, 0))]), 0);
    close(found.0, 100.0, 1e-3);
    close(found.1, 0.01, 1e-3);
    let found = measured(&scenario(host(256), [("web", single(10))], [("web", clients(40, 0))]), 0);
    close(found.0, 100.0, 1e-3);
    close(found.1, 0.4, 0.01);
}

/// Clients and requests of others at one core, which is slower for the clients by what the others take: an open and a closed
/// chain of one network (Baskett, Chandy, Muntz and Palacios 1975). A load generator without a pause takes what is left.
#[test]
fn clients_and_strangers_share_a_service() {
    for (number, think, strangers) in [(100, 0, 5), (4, 0, 50), (50, 1000, 20), (200, 1000, 20), (20, 1000, 60)] {
        let mut front = service(1);
        front.work.cpu = Span::from_nanos(1000);
        front.work.calls = vec![call("web", 1)];
        let services = [("front", front), ("web", single(10))];
        let loads = [("front", constant(Rate::per_second(strangers), Noise::Poisson)), ("web", clients(number, think))];
        let (rate, time) = measured(&scenario(host(256), services, loads), 1);
        let left = 1.0 - strangers as f64 / 100.0;
        let (wanted, all) = exact(number, think as f64 / 1000.0, &[0.01 / left]);
        close(rate, wanted + strangers as f64, 0.05);
        close(time, all, 0.15);
    }
}

/// Fifteen clients and two services that share all cores of a host. The machines and their repairmen of Palm (1947): with
/// `k` of N clients on c cores, `pₖ ∝ N! / (N − k)! · (S / Z)ᵏ / Π min(j, c)`, whatever the spread of work that is shared.
/// That the two containers get the same share, and not all requests, hardly matters where their works are alike.
#[test]
fn clients_on_busy_cores_wait_for_no_more_than_the_others() {
    let (number, think, cores) = (15, 0.15, 2);
    let mut web = service(20);
    web.work.calls = vec![call("api", 1)];
    let services = [("api", service(20)), ("web", web)];
    let (rate, time) = measured(&scenario(host(cores), services, [("web", clients(number, 150))]), 1);
    let (mut weight, mut all, mut used) = (1.0, 1.0, 0.0);
    for inside in 1..=number {
        weight *= f64::from(number + 1 - inside) * 0.04 / think / f64::from(inside.min(cores));
        all += weight;
        used += weight * f64::from(inside.min(cores));
    }
    let wanted = used / all / 0.04;
    close(rate, wanted, 0.1);
    close(time, f64::from(number) / wanted - think, 0.2);
}

/// The database is the narrow place: the clients wait there, and nowhere else.
#[test]
fn clients_wait_where_it_is_narrow() {
    let mut web = single(4);
    web.work.calls = vec![call("db", 1)];
    for number in [1, 5, 20, 100] {
        let load = clients(number, 50);
        let scenario = scenario(host(256), [("web", web.clone()), ("db", single(10))], [("web", load)]);
        let found = measured(&scenario, 1);
        let wanted = exact(number, 0.05, &[0.004, 0.01]);
        close(found.0, wanted.0, 0.05);
        close(found.1, wanted.1, 0.1);
    }
}

/// Workers that do nothing but wait for a database that does one thing after another: where a request waits makes no
/// difference, and the whole is M/M/1.
#[test]
fn blocking_workers_only_move_the_queue() {
    for (workers, load) in [(1, 50), (4, 50), (4, 80), (16, 80), (64, 90)] {
        let mut web = service(1);
        web.work.cpu = Span::from_nanos(1000);
        web.work.calls = vec![call("db", 1)];
        (web.workers, web.blocking) = (Some(workers), true);
        let rate = constant(Rate::per_second(load), Noise::None);
        let found = measured(&scenario(host(256), [("web", web), ("db", single(10))], [("web", rate)]), 1);
        close(found.0, load as f64, 1e-3);
        close(found.1, 0.01 / (1.0 - load as f64 / 100.0), 0.1);
    }
}

/// Ten workers that wait 90 ms and work 10 ms: above 100 requests a second they are all busy, though the cores are not.
#[test]
fn blocking_workers_run_out_before_the_cores_do() {
    let mut web = service(10);
    web.work.calls = vec![call("slow", 1)];
    (web.workers, web.blocking) = (Some(10), true);
    web.timeout = Some(Span::from_secs(5));
    let rate = constant(Rate::per_second(150), Noise::None);
    let services = |web: ServiceModel| [("web", web), ("slow", service(90))];
    let samples = run(&scenario(host(256), services(web.clone()), [("web", rate.clone())]), 1200);
    let last = &samples[19].services[1];
    close(last.served as f64 / 60_000.0, 100.0, 0.03);
    assert!(last.saturated && last.errors.timed_out == last.failed && last.failed > 0);
    web.blocking = false;
    let samples = run(&scenario(host(256), services(web), [("web", rate)]), 1200);
    assert_eq!(samples[19].services[1].failed, 0);
}

/// M/M/1 with room for four to wait: with a load of ρ, `ρ⁵ (1 − ρ) / (1 − ρ⁶)` are refused.
#[test]
fn a_full_queue_refuses() {
    for rate in [50, 90, 150] {
        let mut web = single(10);
        web.backlog = Some(4);
        let samples =
            run(&scenario(host(256), [("web", web)], [("web", constant(Rate::per_second(rate), Noise::None))]), 1200);
        let last = &samples[19].services[0];
        let load = rate as f64 / 100.0;
        close(
            last.failed as f64 / last.arrived as f64,
            libm::pow(load, 5.0) * (1.0 - load) / (1.0 - libm::pow(load, 6.0)),
            0.01,
        );
        assert_eq!(last.errors.refused, last.failed);
        assert!(last.queue <= 5000);
    }
}

/// Four workers with a core each and room for eight: `pₙ ∝ aⁿ / n!` up to four, then a quarter of the load each (Erlang). So
/// it is for requests from outside and for the calls of workers that wait: who is refused lets its caller go at once, and
/// with more callers than places it makes no difference how many they are.
#[test]
fn who_is_refused_is_no_burden() {
    for (rate, waiting) in [(300, None), (360, None), (480, None), (300, Some(64)), (360, Some(64)), (480, Some(64))] {
        let offered = rate as f64 / 100.0;
        let likely = (1..13).scan(1.0, |likely, inside| {
            *likely *= offered / f64::from(inside.min(4));
            Some(*likely)
        });
        let likely: Vec<f64> = core::iter::once(1.0).chain(likely).collect();
        let all: f64 = likely.iter().sum();
        let inside = (0..13).zip(&likely).map(|(inside, likely)| f64::from(inside) * likely).sum::<f64>() / all;
        let refused = likely[12] / all;
        let db = ServiceModel { workers: Some(4), backlog: Some(8), ..service(10) };
        let load = constant(Rate::per_second(rate), Noise::None);
        let scenario = match waiting {
            None => scenario(host(16), [("db", db)], [("db", load)]),
            Some(workers) => {
                let mut web = ServiceModel { workers: Some(workers), blocking: true, ..service(1) };
                web.work.cpu = Span::from_micros(1);
                web.work.calls = vec![call("db", 1)];
                scenario(host(16), [("db", db), ("web", web)], [("web", load)])
            }
        };
        let samples = run(&scenario, 1200);
        let found = measured(&scenario, 0);
        close(found.0, rate as f64 * (1.0 - refused), 0.01);
        close(found.1, inside / rate as f64 / (1.0 - refused), 0.05);
        close(samples[19].services[0].failed as f64 / samples[19].services[0].arrived as f64, refused, 0.1);
    }
}

/// With room for as many as ever wait it makes no difference that there is no more, under a quota neither.
#[test]
fn a_backlog_that_is_never_full_changes_nothing() {
    for (quota, workers, work) in [(300, 6, 2), (1000, 1, 20), (1500, 4, 60)] {
        for load in [30, 60, 80] {
            let times = [None, Some(100_000)].map(|backlog| {
                let mut web = ServiceModel { workers: Some(workers), backlog, ..service(work) };
                web.limits.cpu = Some(Millicores::new(quota));
                let rate = Rate::micro(quota * load * 10_000 / work);
                let samples = run(&scenario(host(8), [("web", web)], [("web", constant(rate, Noise::None))]), 1200);
                let times = merged(&samples[5..], 0);
                [times.mean(), times.quantile(95, 100)].map(|time| time.expect("requests").as_secs())
            });
            let [without, with] = times;
            let title = format!("{quota} thousandths, {workers} workers, {work} ms at {load} %");
            let near = |figure: usize, within: f64| (with[figure] / without[figure] - 1.0).abs() < within;
            assert!(near(0, 0.02) && near(1, 0.1), "{title}: {with:?} for {without:?}");
        }
    }
}

/// Clients of four workers with a core each, before whom eight may wait; who finds no room thinks before it comes again. With
/// `k` of N inside, N − k think: `pₖ₊₁ / pₖ = (N − k) · S / Z / min(k + 1, 4)`, and of those who come while all places are
/// taken nobody gets in.
#[test]
fn clients_find_no_room() {
    for (number, think) in [(13, 20), (16, 60), (20, 20), (40, 60), (100, 20), (100, 200), (100, 400), (1000, 1500)] {
        let offered = 10.0 / f64::from(think);
        let likely = (1..13).scan(1.0, |likely, inside| {
            *likely *= f64::from(number + 1 - inside) * offered / f64::from(inside.min(4));
            Some(*likely)
        });
        let likely: Vec<f64> = core::iter::once(1.0).chain(likely).collect();
        let all: f64 = likely.iter().sum();
        let mean =
            |of: fn(i32) -> f64| (0..13).zip(&likely).map(|(inside, likely)| of(inside) * likely).sum::<f64>() / all;
        let (inside, served) = (mean(f64::from), 100.0 * mean(|inside| f64::from(inside.min(4))));
        let refused = f64::from(number - 12) * likely[12] / all * 1000.0 / f64::from(think);
        let db = ServiceModel { workers: Some(4), backlog: Some(8), ..service(10) };
        let load = clients(u32::try_from(number).expect("some"), u64::try_from(think).expect("some"));
        let scenario = scenario(host(16), [("db", db)], [("db", load)]);
        let samples = run(&scenario, 1200);
        let found = measured(&scenario, 0);
        let failed: u64 = samples[10..].iter().map(|sample| sample.services[0].errors.refused).sum();
        let failed = failed as f64 / 600e3;
        // Hardly more clients than places are the hardest: nearly nobody comes while all of these are taken.
        let few = number < 16;
        close(found.0, served, if few { 0.07 } else { 0.015 });
        close(found.1, inside / served, if few { 0.15 } else { 0.06 });
        assert!((failed - refused).abs() < 0.04 * (served + refused), "{failed} for {refused} refused");
    }
}

/// On a core that another container wants more than half of, four workers end fifty requests of 10 ms a second together,
/// and behind them is room for forty: M/M/1 with 44 places.
#[test]
fn workers_on_a_full_host_get_their_share() {
    for rate in [52, 80, 200] {
        let web = ServiceModel { workers: Some(4), backlog: Some(40), ..service(10) };
        let come = |rate| constant(Rate::per_second(rate), Noise::None);
        let services = [("other", service(10)), ("web", web)];
        let found = measured(&scenario(host(1), services, [("other", come(80)), ("web", come(rate))]), 1);
        let load = rate as f64 / 50.0;
        let likely: Vec<f64> = (0..45).map(|inside| libm::pow(load, f64::from(inside))).collect();
        let (all, none) = (likely.iter().sum::<f64>(), likely[0]);
        let inside: f64 = (0..45).zip(&likely).map(|(inside, likely)| f64::from(inside) * likely).sum::<f64>() / all;
        let served = 50.0 * (1.0 - none / all);
        close(found.0, served, 0.01);
        close(found.1, inside / served, 0.1);
    }
}

/// An API whose database is kept busy by a nightly report for ten minutes.
fn report_at_night(breaker: Option<Breaker>) -> Vec<Sample> {
    let mut api = service(2);
    (api.workers, api.blocking) = (Some(16), true);
    api.timeout = Some(Span::from_secs(5));
    api.work.calls = vec![Call { timeout: Some(Span::from_secs(1)), breaker, ..call("db", 1) }];
    let steps = vec![
        (Span::ZERO, Rate::ZERO),
        (Span::from_secs(600), Rate::per_second(400)),
        (Span::from_secs(1200), Rate::ZERO),
    ];
    let report = Load { pattern: Pattern::Steps(steps), noise: Noise::None };
    let mut db = single(10);
    db.timeout = Some(Span::from_secs(3));
    let load = [("api", constant(Rate::per_second(50), Noise::None)), ("db", report)];
    run(&scenario(host(16), [("api", api), ("db", db)], load), 2400)
}

/// Each of the workers waits a second for a call that fails: sixteen requests a second get through the pool and the
/// others wait until they are late. A breaker gives the workers back at once.
#[test]
fn a_slow_database_stalls_its_callers_unless_a_breaker_stops_them() {
    let samples = report_at_night(None);
    let api = &samples[15].services[0];
    assert!(api.served < api.arrived / 50, "{api:?}");
    assert!(api.errors.timed_out > api.failed / 2, "{:?}", api.errors);
    assert!(api.queue > 100_000, "{} wait", api.queue);
    let breaker =
        Breaker { failures: Permille::percent(50), window: Span::from_secs(10), least: 20, open: Span::from_secs(10) };
    let samples = report_at_night(Some(breaker));
    let api = &samples[15].services[0];
    assert!(api.errors.breaker > api.failed * 8 / 10, "{:?}", api.errors);
    assert!(api.queue < 20_000, "{} wait", api.queue);
    let after = &samples[30].services[0];
    assert_eq!(after.failed, 0, "{after:?}");
}

/// A caller whose workers wait for their calls, and how much comes in percent of what it and the called are enough for.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    workers: u32,
    backlog: Option<u32>,
    count: u32,
    at_once: bool,
    connections: Option<u32>,
    /// Milliseconds of a call on a core, and thousandths of a core that the called may use.
    work: u64,
    quota: u64,
    load: u64,
}

prop_compose! {
    fn waiting()(
        workers in 1_u32..20, backlog in prop::option::of(0_u32..60), count in 1_u32..5, at_once in any::<bool>(),
        connections in prop::option::of(1_u32..30), work in 1_u64..30, quota in 80_u64..1500, load in 20_u64..150,
    ) -> Waiting {
        Waiting { workers, backlog, count, at_once, connections, work, quota, load }
    }
}

proptest! {
    /// However many workers, connections and calls there are, and however much of the called is left: once all is steady,
    /// each request that was let through has made its calls, and each of them has arrived.
    #[test]
    fn no_call_of_a_worker_is_lost(figures in waiting()) {
        let Waiting { workers, backlog, count, at_once, connections, work, quota, load } = figures;
        let mut web = service(1);
        web.work.cpu = Span::from_micros(100);
        web.work.calls = vec![Call { pool: connections, stage: at_once.then_some(0), ..call("db", count) }];
        (web.workers, web.blocking, web.backlog) = (Some(workers), true, backlog);
        let mut db = service(work);
        db.limits.cpu = Some(Millicores::new(quota));
        let enough = quota.min(1000 * u64::from(workers)) * 1_000_000 / work / u64::from(count);
        let rate = constant(Rate::micro(enough * load / 100), Noise::None);
        let samples = run(&scenario(host(16), [("db", db), ("web", web)], [("web", rate)]), 1800);
        let sum = |of: fn(&ServiceSample) -> u64, place: usize| {
            samples[15..].iter().map(|sample| of(&sample.services[place])).sum::<u64>() as f64
        };
        let (made, arrived) = (sum(|web| web.served, 1) / 1000.0 * f64::from(count), sum(|db| db.arrived, 0) / 1000.0);
        // All workers may wait for a connection now who did not before, or the other way round.
        let waiting = f64::from(workers * count);
        prop_assert!((arrived - made).abs() < 1e-3 * made + waiting, "{arrived} of {made} calls arrived");
    }
}
