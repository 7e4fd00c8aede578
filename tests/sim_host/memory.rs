//! Memory that runs short: whom the kernel kills, and what swap does, against figures worked out by hand.

use crate::simulation;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Host;
use plimsoll::model::Incident;
use plimsoll::model::Noise;
use plimsoll::model::Restart;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::Storage;
use plimsoll::model::SwapLimit;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

/// Kills as (second, service), from a run of so many seconds; those by the host are marked.
fn kills(scenario: &Scenario, seconds: u64) -> Vec<(u64, String)> {
    let mut world = World::new(scenario, Seed::new(1));
    world.advance(second(seconds));
    let incidents = world.take_incidents().into_iter();
    incidents
        .filter_map(|(at, incident)| match incident {
            Incident::OomKilled { service, .. } => Some((at.since_start().secs(), service.to_string())),
            Incident::HostOomKilled { service, .. } => {
                Some((at.since_start().secs(), format!("{service} by the host")))
            }
            _ => None,
        })
        .collect()
}

fn list(wanted: &[(u64, &str)]) -> Vec<(u64, String)> {
    wanted.iter().map(|(second, name)| (*second, (*name).to_owned())).collect()
}

fn holding(gibibytes: u64) -> ServiceModel {
    ServiceModel { idle_memory: Bytes::gibi(gibibytes), restart: Restart::No, ..service(1) }
}

/// A host with 2 GiB of swap on a disk of 10,000 accesses and 1 GiB a second, half a millisecond for one alone.
fn swapping() -> Host {
    let storage = Storage { iops: 10_000, bandwidth: Bytes::gibi(1), latency: Span::from_micros(500) };
    Host { storage: Some(storage), swap: Bytes::gibi(2), ..host(4) }
}

/// 9 GiB of a database that is never to be killed, 4 GiB of an application, and a job that leaks from 2 GiB on, 1 GiB in
/// half an hour: the host is full after 1800 s, and the application goes, though it is smaller than the database.
#[test]
fn the_kernel_spares_what_it_is_told_to_spare() {
    let mut db = holding(9);
    db.shortage.oom_score_adjust = -1000;
    let mut job = holding(2);
    job.leak_per_hour = Bytes::gibi(2);
    let full = scenario(host(4), [("db", db.clone()), ("app", holding(4)), ("job", job.clone())], []);
    assert_eq!(kills(&full, 2000), list(&[(1801, "app by the host")]));
    // 3 GiB are 786,432 pages, 4 GiB are 1,048,576; 4194 of 4,194,304 pages for each point: 62 make 260,028 pages.
    for (adjust, wanted) in [(62, "app by the host"), (63, "job by the host")] {
        job.shortage.oom_score_adjust = adjust;
        let full = scenario(host(4), [("db", db.clone()), ("app", holding(4)), ("job", job.clone())], []);
        assert_eq!(kills(&full, 1900), list(&[(1801, wanted)]), "{adjust}");
    }
}

/// Where nobody may be killed, nobody is.
#[test]
fn a_host_whose_containers_are_all_spared_kills_none() {
    let mut db = holding(20);
    db.shortage.oom_score_adjust = -1000;
    assert_eq!(kills(&scenario(host(4), [("db", db)], []), 100), list(&[]));
}

/// 100 MiB to begin with, a limit of 160 MiB, 0.1 MiB a second: killed after 600 s without swap; with as much swap as
/// memory, which is Docker's default, after 2200 s; with `memswap_limit: 200M` after 1000 s.
#[test]
fn swap_puts_off_the_kill_of_a_leak() {
    let mut web = service(5);
    web.leak_per_hour = Bytes::mebi(360);
    web.limits.memory = Some(Bytes::mebi(160));
    web.restart = Restart::No;
    let killed = |host: Host, swap| {
        let mut web = web.clone();
        web.shortage.swap = swap;
        kills(&scenario(host, [("web", web)], []), 30_000).first().map(|kill| kill.0)
    };
    assert_eq!(killed(host(4), SwapLimit::AsMemory), Some(601));
    assert_eq!(killed(swapping(), SwapLimit::AtMost(Bytes::ZERO)), Some(601));
    assert_eq!(killed(swapping(), SwapLimit::AsMemory), Some(2201));
    assert_eq!(killed(swapping(), SwapLimit::AtMost(Bytes::mebi(40))), Some(1001));
    // Without a ceiling it fills the 2 GiB of the host: 60 MiB to the limit, 2048 MiB to the end.
    assert_eq!(killed(swapping(), SwapLimit::Unlimited), Some(21_081));
}

/// 1000 MiB of which 800 fit: a fifth is in swap. A request touches a hundredth, of which 2 MiB come from swap, in 64
/// accesses of 32 KiB, one after the other; as many pages go out in their place. At 10 requests a second that is a load
/// of 12.8 %.
#[test]
fn memory_in_swap_slows_every_request() {
    let held = |limit| {
        let mut web = service(5);
        web.idle_memory = Bytes::mebi(1000);
        web.limits.memory = Some(Bytes::mebi(limit));
        scenario(swapping(), [("web", web)], [("web", constant(Rate::per_second(10), Noise::None))])
    };
    let [fits, swaps] = [1000, 800].map(|limit| simulation::run(&held(limit), 600));
    assert_eq!(kills(&held(800), 600), list(&[]));
    let last = swaps.last().expect("samples");
    assert_eq!((last.services[0].memory, last.services[0].disk.swap), (Bytes::mebi(800), Bytes::mebi(200)));
    assert_eq!((last.services[0].disk.reads, last.services[0].disk.writes), (64 * 600, 64 * 600));
    assert_eq!((last.host.disk.get(), fits[9].host.disk.get()), (128, 0));
    let mean =
        |samples: &[plimsoll::model::Sample]| simulation::merged(&samples[2..], 0).mean().expect("requests").as_secs();
    let wanted = 64.0 * (0.5e-3 + 1e-4 * 0.128 / (2.0 * 0.872));
    let found = mean(&swaps) - mean(&fits);
    assert!((found / wanted - 1.0).abs() < 1e-3, "{found} for {wanted}");
}

/// 12 and 5 GiB on a host of 16: one goes to swap, 12 parts of 17 from the one, 5 from the other; nobody is killed. With
/// 3 GiB more there is not enough of both, and the largest goes.
#[test]
fn a_host_swaps_before_it_kills() {
    let two = scenario(swapping(), [("big", holding(12)), ("small", holding(5))], []);
    assert_eq!(kills(&two, 100), list(&[]));
    let sample = simulation::run(&two, 60).pop().expect("samples");
    let swapped = [0, 1].map(|place: usize| sample.services[place].disk.swap.get() as f64 / f64::from(1 << 30));
    assert!((swapped[0] - 12.0 / 17.0).abs() < 1e-6 && (swapped[1] - 5.0 / 17.0).abs() < 1e-6, "{swapped:?}");
    assert_eq!(sample.host.memory, Bytes::gibi(16));
    let three = scenario(swapping(), [("big", holding(12)), ("more", holding(3)), ("small", holding(5))], []);
    assert_eq!(kills(&three, 100), list(&[(1, "big by the host")]));
}
