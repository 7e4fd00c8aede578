//! The line to the outside, which requests and answers share: against closed forms of processor sharing, and as stories.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Cgroup;
use plimsoll::model::Docker;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Hardware;
use plimsoll::model::Host;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::units::Bytes;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

/// A line of 80 Mbit/s is 10 million bytes a second.
fn online(mbit: u32) -> Host {
    Host { hardware: Hardware { network_mbit: Some(mbit), ..Hardware::default() }, ..host(64) }
}

/// A service of hardly any work whose requests and answers have these sizes in bytes.
fn sized(request: u64, answer: u64) -> ServiceModel {
    let mut model = service(1);
    model.work.cpu = Span::from_micros(10);
    (model.work.request, model.work.answer) = (Bytes::new(request), Bytes::new(answer));
    model
}

fn steady(rate: u64) -> Load {
    constant(Rate::per_second(rate), Noise::None)
}

fn one(model: ServiceModel, rate: u64) -> Scenario {
    scenario(online(80), [("web", model)], [("web", steady(rate))])
}

fn mean(samples: &[Sample], place: usize) -> f64 {
    merged(samples, place).mean().expect("requests").as_secs()
}

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

/// Answers of 100 kB take 10 ms on an idle line; where they use a share of it, so much longer as is left of it is less:
/// processor sharing. All bytes are counted.
#[test]
fn answers_share_the_line() {
    for percent in [10_u32, 50, 80, 95] {
        let samples = run(&one(sized(0, 100_000), u64::from(percent)), 1800);
        let last = samples.last().expect("samples");
        close(mean(&samples[20..], 0), 0.01 / (1.0 - f64::from(percent) / 100.0) + 1e-5, 0.01);
        assert_eq!(last.host.network, Permille::percent(u64::from(percent)));
        close(last.services[0].network.sent.get() as f64, 60.0 * 1e5 * f64::from(percent), 1e-3);
        assert_eq!(last.services[0].network.received, Bytes::ZERO);
    }
}

/// The directions do not meet: each has the bandwidth for itself, and the time of a request is that of both.
#[test]
fn requests_come_in_while_answers_go_out() {
    let samples = run(&one(sized(150_000, 100_000), 40), 1800);
    close(mean(&samples[20..], 0), 0.015 / 0.4 + 0.01 / 0.6 + 1e-5, 0.01);
    let last = samples.last().expect("samples");
    assert_eq!(last.host.network, Permille::percent(60), "the busier direction");
    close(last.services[0].network.received.get() as f64, 60.0 * 40.0 * 150_000.0, 1e-3);
}

/// Whoever else sends: a small page beside large downloads takes its own size over what they leave.
#[test]
fn a_small_page_waits_for_large_downloads_by_its_own_size() {
    let services = [("downloads", sized(0, 10_000_000)), ("page", sized(0, 20_000))];
    let loads = [("downloads", constant(Rate::micro(600_000), Noise::None)), ("page", steady(50))];
    let samples = run(&scenario(online(80), services, loads), 3600);
    close(mean(&samples[30..], 0), 1.0 / 0.3, 0.01);
    close(mean(&samples[30..], 1), 0.002 / 0.3, 0.02);
}

/// More answers than the line carries: it is full, the cores are idle, and what is served is what the line can send. Of
/// answers all alike, the fluid limit sends some to all: fewer end than the line has bytes for.
#[test]
fn a_full_line_sends_what_it_can() {
    let samples = run(&one(sized(0, 100_000), 150), 1800);
    let last = samples.last().expect("samples");
    assert_eq!(last.host.network, Permille::ONE);
    assert!(last.host.cpu.as_cores() < 0.1, "the cores are idle");
    close(last.services[0].network.sent.get() as f64, 60.0 * 1e7, 0.01);
    // g = 1 − e^(−1.5 g)
    let grows = 0.582_81;
    close(last.services[0].queue as f64 / 1000.0, grows * 150.0 * 1800.0, 0.05);
    close(last.services[0].served as f64 / 1000.0, (1.0 - grows) * 150.0 * 60.0, 0.05);
    let all: u64 = samples.iter().map(|sample| sample.services[0].served + sample.services[0].failed).sum();
    assert_eq!(all + last.services[0].queue, 150 * 1800 * 1000, "nothing is lost");
}

/// Clients who give up take what they had with them: where more is asked for than the line carries, hardly any of equal
/// downloads is done in time, and all of it comes back once less is asked for.
#[test]
fn a_full_line_lets_downloads_time_out_until_less_is_asked_for() {
    let mut model = sized(0, 1_000_000);
    model.timeout = Some(Span::from_secs(20));
    let levels = vec![(Span::ZERO, Rate::per_second(5)), (Span::from_mins(10), Rate::per_second(15))];
    let levels = [levels, vec![(Span::from_mins(30), Rate::per_second(5))]].concat();
    let load = Load { pattern: Pattern::Steps(levels), noise: Noise::None };
    let samples = run(&scenario(online(80), [("web", model)], [("web", load)]), 3600);
    close(mean(&samples[4..9], 0), 0.1 / 0.5, 0.02);
    let evening = &samples[20].services[0];
    assert!(evening.failed > 800_000 && evening.failed == evening.errors.timed_out, "{evening:?}");
    // Nobody is on the line for longer than the timeout.
    close(evening.queue as f64 / 1000.0, 15.0 * 20.0, 0.05);
    assert!(samples[35..].iter().all(|sample| sample.services[0].failed == 0), "all is well again");
    close(mean(&samples[40..], 0), 0.1 / 0.5, 0.02);
}

/// Uploads that a full line lets in slowly reach the service slowly, too: its cores work for those that are there.
#[test]
fn a_service_gets_the_uploads_that_the_line_lets_in() {
    let mut model = sized(1_000_000, 0);
    model.work.cpu = Span::from_millis(100);
    let samples = run(&one(model, 15), 1800);
    let last = samples.last().expect("samples");
    assert_eq!(last.host.network, Permille::ONE);
    let arriving = (1.0 - 0.582_81) * 15.0;
    close(last.host.cpu.as_cores(), arriving * 0.1, 0.05);
    close(last.services[0].served as f64 / 60_000.0, arriving, 0.05);
}

/// Calls between containers of a host cross no line: they take no time, but Docker counts their bytes on both sides.
#[test]
fn calls_between_containers_do_not_cross_the_line() {
    let mut web = sized(0, 0);
    web.work.calls = vec![call("db", 2)];
    let db = |size| sized(size / 10, size);
    let all = |size| scenario(online(80), [("db", db(size)), ("web", web.clone())], [("web", steady(100))]);
    let [plain, large] = [0, 1_000_000].map(|size| run(&all(size), 600));
    assert_eq!(mean(&plain, 1), mean(&large, 1));
    let last = large.last().expect("samples");
    assert_eq!(last.host.network, Permille::ZERO);
    let [db, web] = [0, 1].map(|place| last.services[place].network);
    close(db.sent.get() as f64, 60.0 * 200.0 * 1e6, 1e-6);
    close(db.received.get() as f64, 60.0 * 200.0 * 1e5, 1e-6);
    assert_eq!((web.received, web.sent), (db.sent, db.received));
}

/// What has no size, and what nobody knows the bandwidth of, is as if there were no line; only bytes are counted.
#[test]
fn what_is_not_said_changes_nothing() {
    let plain = run(&scenario(host(64), [("web", service(5))], [("web", steady(100))]), 600);
    assert_eq!(run(&scenario(online(1), [("web", service(5))], [("web", steady(100))]), 600), plain);
    let sized = ServiceModel { work: sized(1000, 1_000_000).work, ..service(5) };
    let unknown = run(&scenario(host(64), [("web", sized.clone())], [("web", steady(100))]), 600);
    let mut bare = sized;
    (bare.work.request, bare.work.answer) = (Bytes::ZERO, Bytes::ZERO);
    let bare = run(&scenario(host(64), [("web", bare)], [("web", steady(100))]), 600);
    for (unknown, bare) in unknown.iter().zip(&bare) {
        assert_eq!(unknown.services[0].latency, bare.services[0].latency);
        close(unknown.services[0].network.sent.get() as f64, 6000.0 * 1e6, 1e-6);
    }
}

/// Clients who wait for their downloads share the line: as many as are not thinking. Exact mean value analysis (Reiser and
/// Lavenberg 1980), which holds for processor sharing of any sizes.
#[test]
fn clients_who_download_meet_mean_value_analysis() {
    for clients in [1_u32, 5, 40] {
        let (mut queue, mut rate) = (0.0, 0.0);
        for number in 1..=clients {
            let time = 0.1 * (1.0 + queue);
            rate = f64::from(number) / (1.0 + time);
            queue = rate * time;
        }
        let pattern = Pattern::Clients { clients: vec![(Span::ZERO, clients)], think: Span::from_secs(1) };
        let load = Load { pattern, noise: Noise::None };
        let samples = run(&scenario(online(80), [("web", sized(0, 1_000_000))], [("web", load)]), 1800);
        let served: u64 = samples[10..].iter().map(|sample| sample.services[0].served).sum();
        close(served as f64 / 1000.0 / 1200.0, rate, 0.04);
        close(mean(&samples[10..], 0), queue / rate, 0.08);
    }
}

/// A provider throttles the line to a quarter for twenty minutes: pages that took a fifth of it take four fifths.
#[test]
fn a_slower_network_is_felt_while_it_lasts() {
    let mut scenario = one(sized(0, 100_000), 20);
    let slow = FaultKind::SlowNetwork(Permille::percent(25));
    scenario.faults = vec![Fault::once(second(1200), Span::from_mins(20), slow)];
    let samples = run(&scenario, 3600);
    for (minutes, wanted) in [(5..19, 0.01 / 0.8), (25..39, 0.04 / 0.2), (45..60, 0.01 / 0.8)] {
        close(mean(&samples[minutes], 0), wanted, 0.01);
    }
}

/// The container that dies breaks off what it sends; nothing is lost in the books.
#[test]
fn a_crash_breaks_transfers_off() {
    let mut scenario = one(sized(0, 5_000_000), 1);
    scenario.faults = vec![Fault::once(second(900), Span::ZERO, FaultKind::Crash(ServiceName::new("web")))];
    let samples = run(&scenario, 1800);
    let killed: u64 = samples.iter().map(|sample| sample.services[0].errors.killed).sum();
    close(killed as f64 / 1000.0, 1.0, 0.05);
    let all: u64 = samples.iter().map(|sample| sample.services[0].served + sample.services[0].failed).sum();
    assert_eq!(all + samples.last().expect("samples").services[0].queue, 1800 * 1000);
}

/// A container that hangs, since it may not be killed for want of memory, answers nobody: what it was sending breaks off.
#[test]
fn who_hangs_sends_nothing_more() {
    let mut model = sized(0, 1_000_000);
    model.idle_memory = Bytes::mebi(100);
    (model.leak_per_hour, model.limits.memory) = (Bytes::mebi(360), Some(Bytes::mebi(160)));
    model.shortage.oom_kill_disabled = true;
    let mut scenario = one(model, 15);
    scenario.docker = Some(Docker { cgroup: Some(Cgroup::V1), ..Docker::default() });
    let samples = run(&scenario, 900);
    let web = |minute: usize| &samples[minute].services[0];
    let inside = web(8).queue;
    assert!(inside > 4_000_000, "{inside}");
    assert!(web(9).served + web(10).served < 2 * 60 * 15 * 1000, "{} and {}", web(9).served, web(10).served);
    assert!(web(9).errors.timed_out + web(10).errors.timed_out > inside, "{:?} and {:?}", web(9), web(10));
    assert_eq!((web(13).served, web(13).queue), (0, 0));
    let all: u64 = samples.iter().map(|sample| sample.services[0].served + sample.services[0].failed).sum();
    assert_eq!(all, 900 * 15 * 1000);
}

/// What is called from within is counted beside what the full line lets in, on both sides of the call.
#[test]
fn calls_are_counted_beside_a_full_line() {
    let mut front = sized(0, 0);
    front.work.calls = vec![call("web", 1)];
    let services = [("front", front), ("web", sized(1_000_000, 0))];
    let samples = run(&scenario(online(80), services, [("front", steady(10)), ("web", steady(15))]), 900);
    let last = samples.last().expect("samples");
    close(last.services[0].network.sent.get() as f64, 60.0 * 1e7, 1e-3);
    close(last.services[1].network.received.get() as f64, 60.0 * 2e7, 1e-3);
}
