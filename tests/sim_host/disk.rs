//! Disk and page cache: utilisation law, Little's law, weights, ceilings, closed forms of the cache, and the story of a
//! database on a slow disk.

use crate::simulation;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::DiskUse;
use plimsoll::model::Host;
use plimsoll::model::Noise;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::Storage;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

/// 10,000 accesses a second, 100 MiB a second, half a millisecond for one alone.
fn disk_host(cores: u32) -> Host {
    let latency = Span::from_micros(500);
    Host { storage: Some(Storage { iops: 10_000, bandwidth: Bytes::mebi(100), latency }), ..host(cores) }
}

/// A service of 1 ms work that reads and writes so many pages for a request.
fn database(reads: u64, writes: u64) -> ServiceModel {
    ServiceModel { disk: DiskUse { reads: reads * 1000, writes: writes * 1000, ..DiskUse::default() }, ..service(1) }
}

fn loaded(host: Host, db: ServiceModel, rate: u64) -> Scenario {
    scenario(host, [("db", db)], [("db", constant(Rate::per_second(rate), Noise::None))])
}

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

fn mean_millis(samples: &[plimsoll::model::Sample], place: usize) -> f64 {
    simulation::merged(samples, place).mean().expect("requests").as_secs() * 1e3
}

/// 1000 requests a second of two reads and one write are 3000 accesses of 0.1 ms: the device is busy for 30 % of the time
/// (utilisation law). Each takes 0.4 ms beside others, its turn, and waits as in M/D/1: 0.1 ms * 0.3 / (2 * 0.7).
#[test]
fn a_disk_is_busy_by_the_utilisation_law_and_waits_as_m_d_1() {
    let samples = run(&loaded(disk_host(16), database(2, 1), 1000), 600);
    let last = samples.last().expect("samples");
    assert_eq!(last.host.disk.get(), 300);
    assert_eq!((last.services[0].disk.reads, last.services[0].disk.writes), (120_000, 60_000));
    let alone = run(&loaded(host(16), database(2, 1), 1000), 600);
    assert_eq!((alone[9].host.disk.get(), alone[9].host.iowait.get()), (0, 0), "an unknown disk takes no time");
    let waits = mean_millis(&samples[2..], 0) - mean_millis(&alone[2..], 0);
    close(waits, 3.0 * (0.4 + 0.1 + 0.1 * 0.3 / (2.0 * 0.7)), 1e-3);
}

/// By Little's law so many requests wait for the disk as come in the time that they wait, spread over the cores; a core
/// waits while it is idle and has one of them: `idle * (1 - exp(-waiting / cores))`.
#[test]
fn idle_cores_wait_for_the_disk() {
    let samples = run(&loaded(disk_host(2), database(2, 1), 1000), 600);
    let waiting: f64 = 1000.0 * 3.0 * (0.5e-3 + 0.1e-3 * 0.3 / (2.0 * 0.7));
    let iowait = (1.0 - 0.5) * (1.0 - libm::exp(-waiting / 2.0));
    let found = samples.last().expect("samples").host.iowait.get() as f64 / 1000.0;
    assert!((found - iowait).abs() < 0.001, "{found} for {iowait}");
}

/// Times scatter as the sum of its parts: one access alone on a quiet device moves every percentile by the same 20 ms.
#[test]
fn waiting_for_the_disk_is_part_of_the_distribution() {
    let slow = Storage { iops: 10_000, bandwidth: Bytes::mebi(100), latency: Span::from_millis(20) };
    let samples = run(&loaded(Host { storage: Some(slow), ..host(16) }, database(1, 0), 5), 600);
    let alone = run(&loaded(host(16), database(1, 0), 5), 600);
    let [with, without] = [&samples, &alone].map(|samples| simulation::merged(&samples[2..], 0));
    for percent in [50, 95, 99] {
        let [with, without] = [&with, &without].map(|times| times.quantile(percent, 100).expect("requests").as_secs());
        close(with - without, 0.02, 0.05);
    }
    // Three requests of ten read a page: a fifth of all, at least, see 20 ms, and more than half do not.
    let mut db = database(1, 0);
    db.disk.reads = 300;
    let some = simulation::merged(&run(&loaded(Host { storage: Some(slow), ..host(16) }, db, 5), 600)[2..], 0);
    let quantile = |percent| some.quantile(percent, 100).expect("requests").as_secs();
    assert!(quantile(60) < 0.005 && quantile(80) > 0.02, "{} {}", quantile(60), quantile(80));
}

/// Two that want more than there is get the device by their weights: 900 to 300 is three to one.
#[test]
fn a_full_disk_is_shared_by_weight() {
    let weighed = |weight| {
        let mut db = database(1, 0);
        db.disk.weight = weight;
        db
    };
    let load = constant(Rate::per_second(12_000), Noise::None);
    let scenario = scenario(
        disk_host(32),
        [("heavy", weighed(900)), ("light", weighed(300))],
        [("heavy", load.clone()), ("light", load)],
    );
    let samples = run(&scenario, 300);
    let last = samples.last().expect("samples");
    assert_eq!(last.host.disk.get(), 1000);
    close(last.services[0].served as f64 / 60e3, 7500.0, 1e-6);
    close(last.services[1].served as f64 / 60e3, 2500.0, 1e-6);
    assert!(last.services.iter().all(|service| service.saturated));
}

/// What one does not want, the other gets, whatever the weights.
#[test]
fn a_light_user_leaves_the_rest() {
    let mut small = database(1, 0);
    small.disk.weight = 1000;
    let load = |rate| constant(Rate::per_second(rate), Noise::None);
    let scenario = scenario(
        disk_host(32),
        [("big", database(1, 0)), ("small", small)],
        [("big", load(12_000)), ("small", load(1000))],
    );
    let last = run(&scenario, 300).pop().expect("samples");
    close(last.services[0].served as f64 / 60e3, 9000.0, 1e-6);
    close(last.services[1].served as f64 / 60e3, 1000.0, 1e-6);
}

/// Each ceiling holds exactly: 100 reads, 200 writes, 1 MiB read and 2 MiB written a second.
#[test]
fn ceilings_of_a_container_hold_exactly() {
    let limited = |change: fn(&mut DiskUse)| {
        let mut db = database(2, 1);
        change(&mut db.disk);
        run(&loaded(disk_host(8), db, 1000), 180).pop().expect("samples").services[0].served as f64 / 60e3
    };
    close(limited(|disk| disk.limits.read_operations = Some(100)), 50.0, 1e-6);
    close(limited(|disk| disk.limits.write_operations = Some(200)), 200.0, 1e-6);
    close(limited(|disk| disk.limits.read_bytes = Some(Bytes::mebi(1))), 128.0, 1e-6);
    close(limited(|disk| disk.limits.write_bytes = Some(Bytes::mebi(2))), 512.0, 1e-6);
    close(limited(|disk| disk.limits.write_operations = Some(1001)), 1000.0, 1e-6);
}

/// Above what the disk can do, the backlog grows by what comes too much, and no faster; the device is busy all the time.
#[test]
fn a_backlog_grows_by_what_the_disk_cannot_do() {
    // 64 KiB at 100 MiB a second: 1600 a second.
    let mut db = database(1, 0);
    db.disk.read_size = Bytes::new(64 << 10);
    let samples = run(&loaded(disk_host(8), db, 2000), 300);
    let growth = (samples[4].services[0].queue - samples[3].services[0].queue) as f64 / 60e3;
    close(growth, 400.0, 1e-3);
    assert_eq!(samples[4].host.disk.get(), 1000);
}

/// Reads are spread over 1 GiB, a quarter of which fits beside the working set: three of four go to the disk.
#[test]
fn reads_hit_what_the_limit_leaves_for_the_page_cache() {
    let mut db = database(4, 0);
    db.disk.data = Bytes::gibi(1);
    db.disk.read_size = Bytes::new(64 << 10);
    db.limits.memory = Some(Bytes::mebi(100 + 256));
    let last = run(&loaded(disk_host(8), db, 200), 900).pop().expect("samples");
    let disk = last.services[0].disk;
    assert_eq!(disk.cache, Bytes::mebi(256));
    close(disk.reads as f64 / 60.0, 200.0 * 4.0 * 0.75, 1e-3);
}

/// A cold cache fills as misses bring pages in: `data * (1 - exp(-rate * reads * size / data * time))`.
#[test]
fn a_cold_cache_fills_by_its_closed_form() {
    let mut db = database(4, 0);
    db.disk.data = Bytes::gibi(1);
    db.disk.read_size = Bytes::new(16 << 10);
    let samples = run(&loaded(disk_host(8), db, 100), 1200);
    // 6.25 MiB a second at first.
    for minute in [1, 2, 5, 10] {
        let wanted = (1_u64 << 30) as f64 * (1.0 - libm::exp(-6.25 * 60.0 * minute as f64 / 1024.0));
        close(samples[minute - 1].services[0].disk.cache.get() as f64, wanted, 0.01);
    }
    let last = samples.last().expect("samples").services[0].disk;
    assert!(last.reads < 60, "a warm cache answers all but {} reads", last.reads);
}

/// A neighbour's working set grows by 1 GiB a minute; the cache gives way to it, and the disk is read again.
#[test]
fn the_page_cache_gives_way_to_a_working_set() {
    let mut db = database(1, 0);
    db.disk = DiskUse { data: Bytes::gibi(8), read_size: Bytes::mebi(1), ..db.disk };
    let mut hog = service(1);
    hog.leak_per_hour = Bytes::gibi(60);
    let fast = Storage { iops: 10_000, bandwidth: Bytes::gibi(4), latency: Span::from_micros(100) };
    let host = Host { storage: Some(fast), ..host(8) };
    let scenario = scenario(host, [("db", db), ("hog", hog)], [("db", constant(Rate::per_second(500), Noise::None))]);
    let samples = run(&scenario, 900);
    let cache = |minute: usize| samples[minute - 1].services[0].disk.cache.get() as f64 / f64::from(1 << 20);
    // 16 GiB less two working sets of 100 MiB: all 8 GiB fit until the seventh minute.
    assert_eq!(cache(5), 8192.0);
    assert_eq!(samples[4].services[0].disk.reads, 0);
    for minute in [10, 14] {
        let left = 16_384.0 - 200.0 - 1024.0 * minute as f64;
        assert!((cache(minute) - left).abs() < 0.01 * 8192.0, "{} for {left}", cache(minute));
        let missing = 60.0 * 500.0 * (1.0 - (left + 512.0) / 8192.0);
        close(samples[minute - 1].services[0].disk.reads as f64, missing, 0.05);
    }
}

/// Two caches that do not fit share what there is in proportion; what a reservation protects goes last.
#[test]
fn a_reservation_protects_the_cache() {
    let mut db = database(4, 0);
    db.disk = DiskUse { data: Bytes::gibi(12), read_size: Bytes::mebi(1), ..db.disk };
    let fast = Storage { iops: 10_000, bandwidth: Bytes::gibi(4), latency: Span::from_micros(100) };
    let caches = |reserved: Option<Bytes>| {
        let mut kept = db.clone();
        kept.reservations.memory = reserved;
        let host = Host { storage: Some(fast), ..host(8) };
        let load = constant(Rate::per_second(300), Noise::None);
        let both = scenario(host, [("kept", kept), ("other", db.clone())], [("kept", load.clone()), ("other", load)]);
        let last = run(&both, 600).pop().expect("samples");
        [0, 1].map(|place: usize| last.services[place].disk.cache.get() >> 20)
    };
    assert_eq!(caches(None), [8092, 8092]);
    // 10 GiB less the working set of 100 MiB stay; of the other 12 GiB + 2148 MiB, the rest of 6044 MiB in proportion.
    let [kept, other] = caches(Some(Bytes::gibi(10)));
    let rest = (16_384.0 - 200.0 - 10_140.0) / (12_288.0 + 2148.0);
    close(kept as f64, 10_140.0 + 2148.0 * rest, 1e-3);
    close(other as f64, 12_288.0 * rest, 1e-3);
}

/// Requests that wait for the database wait for its disk, too; and a service that reads nothing does not.
#[test]
fn callers_wait_for_the_disk_of_the_called() {
    let mut web = service(1);
    web.work.calls = vec![call("db", 2)];
    let load = constant(Rate::per_second(100), Noise::None);
    let with = scenario(disk_host(8), [("web", web.clone()), ("db", database(3, 0))], [("web", load.clone())]);
    let without = scenario(disk_host(8), [("web", web), ("db", service(1))], [("web", load)]);
    let [with, without] = [with, without].map(|scenario| mean_millis(&run(&scenario, 600)[2..], 1));
    // 600 accesses a second of 0.1 ms are a load of 6 %.
    close(with - without, 2.0 * 3.0 * (0.5 + 0.1 * 0.06 / (2.0 * 0.94)), 1e-3);
}

/// Samples of a run do not depend on where it is looked at, and its requests add up.
#[test]
fn looking_changes_nothing() {
    let mut db = database(4, 1);
    db.disk.data = Bytes::gibi(1);
    let scenario = loaded(disk_host(8), db, 300);
    let mut often = World::new(&scenario, Seed::new(1));
    let mut once = World::new(&scenario, Seed::new(1));
    for at in 1..=300 {
        often.advance(second(at));
        let _ = often.observe();
    }
    once.advance(second(300));
    assert_eq!(often.sample(), once.sample());
}
