//! Deployments: what they cost, what they lose, and what is left when they fail. Times are worked out by hand.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Deployment;
use plimsoll::model::Docker;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Generation;
use plimsoll::model::HealthCheck;
use plimsoll::model::Incident;
use plimsoll::model::Latencies;
use plimsoll::model::Limits;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::OnFailure;
use plimsoll::model::Order;
use plimsoll::model::Pattern;
use plimsoll::model::Progress;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::Spread;
use plimsoll::model::Update;
use plimsoll::record::Event;
use plimsoll::run::simulate::simulate;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use proptest::prelude::*;

/// So many CPUs and MiB.
fn limits(cpu: u64, memory: u64) -> Limits {
    Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) }
}

/// A service of which so many instances run: it answers after 4 s, and its check asks every 10 s.
fn checked(work_millis: u64, replicas: u32) -> ServiceModel {
    let mut model = service(work_millis);
    model.replicas = replicas;
    model.limits = limits(1000, 512);
    model.start_up = Span::from_secs(4);
    model.health = Some(HealthCheck {
        test: vec!["CMD".to_owned(), "true".to_owned()],
        interval: Some(Span::from_secs(10)),
        ..HealthCheck::default()
    });
    model
}

fn deployment(at: u64, limits: Limits, update: Update) -> Deployment {
    Deployment { at: second(at), service: ServiceName::new("api"), limits, new_image: false, alone: None, update }
}

/// What a run came to.
struct Ran {
    told: Vec<(u64, Progress)>,
    incidents: Vec<(u64, Incident)>,
    samples: Vec<Sample>,
}

impl Ran {
    fn has(&self, wanted: &Progress) -> bool {
        self.told.iter().any(|(_, progress)| progress == wanted)
    }

    /// Of one service, by its place, in all samples together.
    fn sum(&self, place: usize, each: fn(&plimsoll::model::ServiceSample) -> u64) -> u64 {
        self.samples.iter().map(|sample| each(&sample.services[place])).sum()
    }
}

fn ran(scenario: &Scenario, seed: u64) -> Ran {
    let mut ran = Ran { told: Vec::new(), incidents: Vec::new(), samples: Vec::new() };
    let outcome = simulate(scenario, Seed::new(seed), &mut |event| match event {
        Event::Happened { at, incident: Incident::Deployment { progress, .. } } => {
            ran.told.push((at.since_start().secs(), progress.clone()));
        }
        Event::Happened { at, incident } => ran.incidents.push((at.since_start().secs(), incident.clone())),
        Event::Sampled(sample) => ran.samples.push(sample.clone()),
        _ => {}
    });
    assert!(outcome.is_ok());
    ran
}

/// Two instances at 50 requests per second of 8 ms.
fn shop(update: Update, new: Limits) -> Scenario {
    let load = [("api", constant(Rate::per_second(50), Noise::Poisson))];
    let mut scenario = scenario(host(4), [("api", checked(8, 2))], load);
    scenario.duration = Span::from_mins(20);
    scenario.sample = Span::from_secs(5);
    scenario.deployments = vec![deployment(600, new, update)];
    scenario
}

/// Started at 600 s, asked at 610 s for the first time and well; watched for 15 s; what is inside is over at the next look,
/// and the old ones are gone at the one after it. Nobody is refused, nothing is lost, and each gets the new limits.
#[test]
fn blue_green_loses_nothing() {
    let update = Update { monitor: Span::from_secs(15), ..Update::default() };
    let ran = ran(&shop(update, limits(2000, 256)), 1);
    let (old, new) = (Generation::Old, Generation::New);
    let wanted = [
        (600, Progress::Began),
        (600, Progress::Started { generation: new, count: 2 }),
        (610, Progress::Switched { generation: new }),
        (625, Progress::Draining { generation: old, count: 2 }),
        (630, Progress::Stopping),
        (635, Progress::Done),
    ];
    assert_eq!(ran.told, wanted);
    assert_eq!(
        ran.sum(0, |api| api.failed),
        40_000 + ran.samples[0].services[0].failed - 40_000,
        "only the start fails"
    );
    let after = ran.samples.iter().skip_while(|sample| sample.at < second(60));
    assert!(after.clone().all(|sample| sample.services[0].failed == 0));
    assert!(after.clone().all(|sample| sample.services[0].replicas >= 2));
    assert!(after.clone().any(|sample| sample.services[0].replicas == 4), "both generations have traffic for a while");
    let last = &ran.samples.last().expect("samples").services[0];
    assert_eq!((last.limits, last.replicas), (limits(2000, 256), 2));
}

/// 40 requests a second come for 10 s, 10 can be served: 300 are inside at 100 s, and take 30 s more without new ones.
fn backlog(update: Update) -> Scenario {
    let mut api = checked(100, 1);
    api.work.spread = Spread::Constant;
    let rate = [(0, 0), (90, 40), (100, 0)].map(|(at, rate)| (Span::from_secs(at), Rate::per_second(rate)));
    let load = Load { pattern: Pattern::Steps(rate.to_vec()), noise: Noise::None };
    let mut scenario = scenario(host(2), [("api", api)], [("api", load)]);
    scenario.duration = Span::from_mins(4);
    scenario.sample = Span::from_secs(5);
    scenario.deployments = vec![deployment(100, Limits::default(), update)];
    scenario
}

#[test]
fn a_drain_takes_as_long_as_the_work_that_is_inside() {
    let update = Update { order: Order::StopFirst, drain: Span::from_secs(60), ..Update::default() };
    let ran = ran(&backlog(update), 1);
    let stopping = ran.told.iter().find(|(_, progress)| *progress == Progress::Stopping).expect("it stops");
    // Looked at every 5 s: at 125 s some are inside, at 130 s the last one is about to leave.
    assert!((130..=135).contains(&stopping.0), "{:?}", ran.told);
    assert_eq!((ran.sum(0, |api| api.failed), ran.sum(0, |api| api.served)), (0, 400_000));
    assert!(ran.has(&Progress::Done));
}

/// Told to stop at 100 s and killed at 110 s: 100 of the 300 are served by then, 200 are lost, and counted apart.
#[test]
fn who_is_killed_loses_what_is_inside() {
    let update =
        Update { order: Order::StopFirst, drain: Span::ZERO, stop_grace: Span::from_secs(10), ..Update::default() };
    let ran = ran(&backlog(update), 1);
    let killed: Vec<_> = ran
        .incidents
        .iter()
        .filter_map(|(at, incident)| match incident {
            Incident::StopTimedOut { lost, .. } => Some((*at, *lost)),
            _ => None,
        })
        .collect();
    assert_eq!(killed.len(), 1);
    assert_eq!(killed[0].0, 110);
    // With a hundred or more inside, a station does a per cent less than it could without end.
    assert!((199_000..=202_000).contains(&killed[0].1), "{killed:?}");
    let stopped = ran.sum(0, |api| api.errors.stopped);
    assert_eq!(stopped, ran.sum(0, |api| api.failed));
    assert!((199_000..=202_000).contains(&stopped), "{stopped}");
    assert_eq!(ran.sum(0, |api| api.served) + stopped, 400_000);
}

/// One instance serves 10 a second, two generations side by side 20: of 15 a second nothing piles up while there are two.
#[test]
fn both_generations_have_the_capacity_of_both() {
    let mut api = checked(100, 1);
    api.work.spread = Spread::Constant;
    let load = [("api", constant(Rate::per_second(15), Noise::None))];
    let mut scenario = scenario(host(4), [("api", api)], load);
    scenario.duration = Span::from_mins(8);
    scenario.sample = Span::from_secs(10);
    let update = Update { monitor: Span::from_secs(300), drain: Span::from_secs(300), ..Update::default() };
    scenario.deployments = vec![deployment(60, Limits::default(), update)];
    let ran = ran(&scenario, 1);
    assert!(ran.told.contains(&(70, Progress::Switched { generation: Generation::New })), "{:?}", ran.told);
    let of = |at: u64| &ran.samples.iter().find(|sample| sample.at == second(at)).expect("a sample").services[0];
    assert!(of(50).queue > 200_000 && of(60).queue > of(50).queue, "one is not enough");
    // The new one gets half of what comes and has no backlog; the old one works on its own as fast as before.
    let near = |found: u64, wanted: u64| found.abs_diff(wanted) * 100 <= wanted;
    assert!(near(of(50).served, 100_000) && near(of(90).served, 175_000), "{} {}", of(50).served, of(90).served);
    // Some 66 s × 5 of backlog become 2.5 a second less from 70 s on, and are gone two minutes and a half later.
    assert!(of(210).queue < 60_000 && of(210).saturated == of(200).saturated, "{}", of(210).queue);
    assert!(near(of(260).served, 150_000) && !of(260).saturated);
    // At three quarters of its capacity a core that all share has 0.75 / (1 - 0.75) requests inside.
    assert!(of(260).queue.abs_diff(6_000) < 1_000, "{}", of(260).queue);
}

/// Two generations with the same limits are a service of two instances: its times are those, and so are its caller's.
#[test]
fn two_generations_are_as_fast_as_two_instances() {
    let services = |replicas| {
        let mut web = service(1);
        web.work.calls = vec![call("api", 2)];
        [("web", web), ("api", checked(20, replicas))]
    };
    let load = || [("web", constant(Rate::per_second(30), Noise::Poisson))];
    let mut two = scenario(host(8), services(2), load());
    two.duration = Span::from_mins(60);
    let wanted = run(&two, 3600);
    let mut one = scenario(host(8), services(1), load());
    one.duration = Span::from_mins(60);
    let update = Update { monitor: Span::from_secs(7200), ..Update::default() };
    one.deployments = vec![deployment(30, Limits::default(), update)];
    let found = ran(&one, 1).samples;
    for place in 0..2 {
        let times = |samples: &[Sample]| merged(&samples[5..], place);
        let (found, wanted) = (times(&found), times(&wanted));
        for percent in [50, 95, 99] {
            let of = |times: &Latencies| times.quantile(percent, 100).expect("requests").as_secs();
            let ratio = of(&found) / of(&wanted);
            assert!((ratio - 1.0).abs() < 0.02, "p{percent} of {place}: {ratio}");
        }
        let mean = |times: &Latencies| times.mean().expect("requests").as_secs();
        assert!((mean(&found) / mean(&wanted) - 1.0).abs() < 0.01, "mean of {place}");
    }
}

/// A proxy waits two seconds for what it calls; when its old instances drain, nobody is cut off, and the drain takes until
/// the last answer is back.
#[test]
fn a_proxy_waits_for_what_it_called() {
    let mut api = checked(1, 2);
    api.work.calls = vec![call("slow", 1)];
    let mut slow = service(2000);
    slow.work.spread = Spread::Constant;
    let load = [("api", constant(Rate::per_second(10), Noise::None))];
    let mut scenario = scenario(host(64), [("api", api), ("slow", slow)], load);
    scenario.duration = Span::from_mins(5);
    scenario.sample = Span::from_secs(5);
    let update = Update { interval: Span::from_secs(1), ..Update::default() };
    scenario.deployments = vec![deployment(100, Limits::default(), update)];
    let ran = ran(&scenario, 1);
    let at = |wanted: &Progress| ran.told.iter().find(|(_, progress)| progress == wanted).expect("told").0;
    let took = at(&Progress::Stopping) - at(&Progress::Draining { generation: Generation::Old, count: 2 });
    // Of 20 requests on the way half are of the old ones. Leaving at random after 2 s on average, half of one is left after
    // 2 s × ln 20 = 6.0 s.
    assert!((6..=7).contains(&took), "{took}: {:?}", ran.told);
    let late = ran.samples.iter().filter(|sample| sample.at > second(60));
    assert_eq!(late.map(|sample| sample.services[0].failed).sum::<u64>(), 0);
}

/// Forty clients who think for a second, before workers that wait for a database: by the response time law (Little) they send
/// 40 / (1 s + response time) a second, before, meanwhile and afterwards, and nobody is turned away.
#[test]
fn clients_and_waiting_workers_notice_nothing() {
    let mut api = checked(5, 2);
    (api.workers, api.blocking) = (Some(16), true);
    api.work.calls = vec![call("db", 1)];
    let clients = Pattern::Clients { clients: vec![(Span::from_secs(30), 40)], think: Span::from_secs(1) };
    let load = [("api", Load { pattern: clients, noise: Noise::None })];
    let mut scenario = scenario(host(8), [("api", api), ("db", checked(5, 2))], load);
    scenario.duration = Span::from_mins(10);
    scenario.sample = Span::from_secs(10);
    let update = Update { monitor: Span::from_secs(60), ..Update::default() };
    let mut of_db = deployment(300, limits(2000, 512), update);
    of_db.service = ServiceName::new("db");
    scenario.deployments = vec![deployment(120, limits(2000, 512), update), of_db];
    let ran = ran(&scenario, 1);
    assert_eq!(ran.told.iter().filter(|(_, how)| *how == Progress::Done).count(), 2, "{:?}", ran.told);
    for sample in ran.samples.iter().filter(|sample| sample.at > second(60)) {
        let api = &sample.services[0];
        let wanted = 40.0 / (1.0 + api.latency.mean().expect("requests").as_secs());
        let found = api.served as f64 / 1000.0 / 10.0;
        assert!((found / wanted - 1.0).abs() < 0.03, "{}: {found} for {wanted}", sample.at);
        assert_eq!(sample.services.iter().map(|service| service.failed).sum::<u64>(), 0, "{}", sample.at);
    }
}

/// The new instances never pass their check. After two minutes they are taken away; the old ones served all the time.
#[test]
fn an_unhealthy_green_is_rolled_back() {
    let mut scenario = shop(Update::default(), limits(2000, 256));
    let kind = FaultKind::UnhealthyGreen(ServiceName::new("api"));
    scenario.faults = vec![Fault::once(second(590), Span::from_secs(300), kind)];
    let ran = ran(&scenario, 1);
    let wanted = [
        (600, Progress::Began),
        (600, Progress::Started { generation: Generation::New, count: 2 }),
        (720, Progress::Failed { why: "not healthy after 2m".to_owned() }),
        (720, Progress::RollingBack),
        (720, Progress::Stopping),
        (725, Progress::RolledBack),
    ];
    assert_eq!(ran.told, wanted);
    let after = ran.samples.iter().filter(|sample| sample.at > second(60));
    for sample in after {
        let api = &sample.services[0];
        assert_eq!((api.failed, api.replicas, api.limits), (0, 2, limits(1000, 512)), "{}", sample.at);
    }
}

/// A fault that begins when the new instances run already meets them, too.
#[test]
fn a_fault_meets_new_instances_that_run_already() {
    let mut scenario = shop(Update::default(), limits(2000, 256));
    let kind = FaultKind::UnhealthyGreen(ServiceName::new("api"));
    scenario.faults = vec![Fault::once(second(605), Span::from_secs(5), kind)];
    assert!(ran(&scenario, 1).has(&Progress::RolledBack));
}

/// One of two at a time, stopping first: half the capacity is gone while one is replaced, 10 s for its health and 5 s to watch.
#[test]
fn stop_first_costs_capacity() {
    let update = Update { order: Order::StopFirst, parallelism: 1, delay: Span::from_secs(20), ..Update::default() };
    let ran = ran(&shop(update, limits(1500, 256)), 1);
    assert!(ran.has(&Progress::Done));
    let fewest = ran.samples.iter().filter(|sample| sample.at > second(60)).map(|sample| sample.services[0].replicas);
    assert_eq!(fewest.min(), Some(1));
    let failed: u64 =
        ran.samples.iter().filter(|sample| sample.at > second(60)).map(|sample| sample.services[0].failed).sum();
    assert_eq!(failed, 0);
    let drained: Vec<u64> = ran
        .told
        .iter()
        .filter(|(_, progress)| matches!(progress, Progress::Draining { .. }))
        .map(|(at, _)| *at)
        .collect();
    // 600 drained, 605 told to stop, 610 gone and the new one started, 620 well, 625 watched, 20 s of rest.
    assert_eq!(drained, [600, 645]);
}

/// Answers of 1 MB on a line that carries ten of them a second. What the old ones began to send goes on over the line while
/// they drain: of five a second nothing is lost; of fifteen, thousands are on the line, and break off when they are killed.
#[test]
fn who_stops_sends_what_it_began() {
    for rate in [5, 15] {
        let mut scenario = shop(Update::default(), limits(2000, 256));
        scenario.host.hardware.network_mbit = Some(80);
        let api = scenario.services.get_mut(&ServiceName::new("api")).expect("the api");
        api.work.answer = Bytes::new(1_000_000);
        scenario.load = [(ServiceName::new("api"), constant(Rate::per_second(rate), Noise::None))].into();
        let ran = ran(&scenario, 1);
        assert!(ran.has(&Progress::Done), "{:?}", ran.told);
        let api = |at: u64| &ran.samples.iter().find(|sample| sample.at == second(at)).expect("a sample").services[0];
        let (stopped, most) = (ran.sum(0, |api| api.errors.stopped), 5 * 15 * 1000);
        assert!(
            ran.samples.iter().all(|sample| sample.services[0].served <= most + 5000),
            "more than the line carries"
        );
        if rate == 5 {
            assert_eq!((stopped, api(700).failed), (0, 0));
        } else {
            assert!(stopped > api(600).queue * 3 / 4, "{stopped} of {}", api(600).queue);
        }
        let ended = ran.sum(0, |api| api.served) + ran.sum(0, |api| api.failed);
        assert_eq!(ran.sum(0, |api| api.arrived), ended + api(1200).queue);
    }
}

/// At 600 s the first of two is told to stop and gone at once; the one in its place is started at the next look, at 605 s. In
/// between nothing stands aside and no new one is there, and yet it is not over for a deployment that begins at 603 s.
#[test]
fn between_two_batches_nobody_else_deploys() {
    let update = Update { order: Order::StopFirst, parallelism: 1, drain: Span::ZERO, ..Update::default() };
    let mut scenario = shop(update, limits(2000, 256));
    scenario.deployments.push(deployment(603, limits(500, 256), update));
    let ran = ran(&scenario, 1);
    let started = (605, Progress::Started { generation: Generation::New, count: 1 });
    assert!(ran.told.contains(&started), "{:?}", ran.told);
    let refused = |(at, how): &&(u64, Progress)| *at == 603 && matches!(how, Progress::Refused { .. });
    assert_eq!(ran.told.iter().filter(refused).count(), 1, "{:?}", ran.told);
    assert_eq!(ran.told.last().map(|(_, how)| how), Some(&Progress::Done));
}

/// An image of 120 MB comes in 10 s on a line of 12 MB/s. The first of two new instances waits for it, the second does not.
#[test]
fn an_image_is_pulled_once() {
    let update = Update { parallelism: 1, ..Update::default() };
    let mut scenario = shop(update, Limits::default());
    scenario.deployments[0].new_image = true;
    let images = [(ServiceName::new("api"), Bytes::new(120_000_000))].into();
    scenario.docker = Some(Docker { download: Some(Bytes::new(12_000_000)), images, ..Docker::default() });
    let ran = ran(&scenario, 1);
    let times = |wanted: fn(&Progress) -> bool| {
        ran.told.iter().filter(|(_, how)| wanted(how)).map(|(at, _)| *at).collect::<Vec<u64>>()
    };
    let started = times(|how| matches!(how, Progress::Started { .. }));
    let switched = times(|how| matches!(how, Progress::Switched { .. }));
    let waits: Vec<u64> = switched.iter().zip(&started).map(|(to, from)| to - from).collect();
    assert_eq!(waits, [20, 10], "{:?}", ran.told);
    assert!(ran.has(&Progress::Done));
}

/// Of four instances one may fail. The first batch fails and is tolerated, the second is not, and all is undone.
#[test]
fn too_many_failures_are_rolled_back_batch_by_batch() {
    let update = Update {
        order: Order::StopFirst,
        parallelism: 1,
        max_failure_ratio: Permille::new(250),
        health_timeout: Span::from_secs(30),
        ..Update::default()
    };
    let mut scenario = shop(update, limits(1500, 256));
    scenario.services.get_mut(&ServiceName::new("api")).expect("api").replicas = 4;
    let kind = FaultKind::UnhealthyGreen(ServiceName::new("api"));
    scenario.faults = vec![Fault::once(second(590), Span::from_secs(400), kind)];
    let ran = ran(&scenario, 1);
    assert!(ran.has(&Progress::RolledBack), "{:?}", ran.told);
    let failures = ran.told.iter().filter(|(_, progress)| matches!(progress, Progress::Failed { .. })).count();
    assert!(failures >= 2, "{:?}", ran.told);
    let last = &ran.samples.last().expect("samples").services[0];
    assert_eq!((last.limits, last.replicas), (limits(1000, 512), 4));
}

fn edit(scenario: &mut Scenario) -> &mut ServiceModel {
    scenario.services.get_mut(&ServiceName::new("api")).expect("api")
}

#[test]
fn what_cannot_be_done_is_refused() {
    let refused = |change: fn(&mut Scenario)| {
        let mut scenario = shop(Update::default(), limits(2000, 256));
        change(&mut scenario);
        let ran = ran(&scenario, 1);
        let [(600, Progress::Refused { why })] = &ran.told[..] else { panic!("{:?}", ran.told) };
        why.clone()
    };
    assert!(refused(|scenario| edit(scenario).stateful = true).contains("holds data"));
    assert!(refused(|scenario| edit(scenario).health = None).contains("no health check"));
    assert!(
        refused(|scenario| scenario.deployments[0].alone = Some("it publishes 80".to_owned())).contains("side by side")
    );
    assert!(refused(|scenario| scenario.deployments[0].limits = limits(50, 256)).contains("not between 0.1 and 16"));
    assert!(refused(|scenario| scenario.deployments[0].limits = limits(1000, 32)).contains("not between 64M and 32G"));
    assert!(refused(|scenario| scenario.deployments[0].limits = limits(8000, 256)).contains("more than the 4"));
    assert!(refused(|scenario| scenario.host.memory = Bytes::mebi(700)).contains("replace fewer at a time"));
    let stop_first = Update { order: Order::StopFirst, ..Update::default() };
    let mut scenario = shop(stop_first, limits(2000, 256));
    edit(&mut scenario).stateful = true;
    assert!(ran(&scenario, 1).has(&Progress::Done), "a service that holds data may be stopped first");
}

fn updates() -> impl Strategy<Value = Update> {
    let order = prop::sample::select(vec![Order::StartFirst, Order::StopFirst]);
    let on_failure = prop::sample::select(vec![OnFailure::Rollback, OnFailure::Pause, OnFailure::Continue]);
    let times = (0..40_u64, 0..20_u64, 0..60_u64, 0..30_u64);
    (order, on_failure, 0..4_u32, times, 0..=1000_u64).prop_map(|(order, on_failure, parallelism, times, ratio)| {
        Update {
            order,
            on_failure,
            parallelism,
            delay: Span::from_secs(times.0),
            monitor: Span::from_secs(times.1),
            drain: Span::from_secs(times.2),
            stop_grace: Span::from_secs(times.3),
            max_failure_ratio: Permille::new(ratio),
            health_timeout: Span::from_secs(60),
            ..Update::default()
        }
    })
}

/// A fault at a random time that meets the service or its new instances.
fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let api = || ServiceName::new("api");
    let kinds = vec![
        (0, FaultKind::Crash(api())),
        (0, FaultKind::CrashOne { service: api(), instance: 1 }),
        (120, FaultKind::UnhealthyGreen(api())),
        (20, FaultKind::DockerRestart { live_restore: true }),
        (20, FaultKind::DockerRestart { live_restore: false }),
        (30, FaultKind::HostLoss),
        (60, FaultKind::SlowDependency { service: api(), factor: Permille::new(5000) }),
    ];
    let one = (100..400_u64, prop::sample::select(kinds));
    prop::collection::vec(
        one.prop_map(|(at, (lasts, kind))| Fault::once(second(at), Span::from_secs(lasts), kind)),
        0..3,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is deployed however, and whatever goes wrong meanwhile: requests add up, a rollback leaves all as it was,
    /// and while nothing but the new instances is ill, start-first never has fewer with traffic than before.
    #[test]
    fn a_deployment_keeps_the_books(
        update in updates(),
        faults in faults(),
        replicas in 1..4_u32,
        rate in 5..60_u64,
        seed in 1..100_u64,
    ) {
        let mut web = service(1);
        web.work.calls = vec![call("api", 1)];
        let load = [("web", constant(Rate::per_second(rate), Noise::Poisson)),
                    ("api", constant(Rate::per_second(5), Noise::Poisson))];
        let mut scenario = scenario(host(4), [("web", web), ("api", checked(20, replicas))], load);
        scenario.duration = Span::from_secs(900);
        scenario.sample = Span::from_secs(5);
        // Instances that have more to do than they can are not healthy either.
        let carried = (rate + 5) * 20 < 900 * u64::from(replicas);
        let harmless = carried && faults.iter().all(|fault| matches!(fault.kind, FaultKind::UnhealthyGreen(_)));
        scenario.faults = faults;
        scenario.faults.sort_by_key(|fault| fault.at);
        scenario.deployments = vec![deployment(120, limits(1500, 256), update)];
        let ran = ran(&scenario, seed);
        let mut inside = [0; 2];
        for sample in &ran.samples {
            for (place, one) in sample.services.iter().enumerate() {
                prop_assert_eq!(one.arrived + inside[place], one.served + one.failed + one.queue);
                prop_assert_eq!(one.errors.all(), one.failed);
                prop_assert_eq!(one.latency.thousandths(), one.served);
                inside[place] = one.queue;
            }
        }
        let api: Vec<_> = ran.samples.iter().map(|sample| (&sample.services[0], sample.at)).collect();
        let (last, _) = api.last().expect("samples");
        if ran.has(&Progress::RolledBack) && harmless {
            prop_assert_eq!((last.limits, last.replicas), (limits(1000, 512), replicas), "{:?}", ran.told);
        }
        if ran.has(&Progress::Done) && harmless && update.on_failure != OnFailure::Continue {
            prop_assert_eq!(last.limits, limits(1500, 256));
        }
        if harmless && update.order == Order::StartFirst && !ran.told.iter().any(|(_, how)| matches!(how, Progress::Failed { .. })) {
            let fewest = api.iter().filter(|(_, at)| *at > second(60)).map(|(api, _)| api.replicas).min();
            prop_assert_eq!(fewest, Some(replicas), "{:?}", ran.told);
        }
    }
}
