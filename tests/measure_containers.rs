//! Measures response times under a CPU quota of this machine's kernel, as `../shared/facts/real_containers.csv` was measured:
//! `PLIMSOLL_MEASURE=write cargo test --release --test measure_containers`, as root, on Linux with CFS quotas of cgroup v1, and
//! with little else to do. It writes `tests/facts/cgroup_quotas.csv`; `tests/real_containers.rs` holds the model against that.
//! Without the variable nothing is measured, and the test says so.
//!
//! A pool of threads is the container: it is put into a group with the quota and onto one core. Requests come from another
//! core at times drawn beforehand, independent of each other, and times count from there.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "a measurement of a real machine reads its clock")]
#![expect(clippy::print_stdout, reason = "what was measured is shown with --nocapture")]

#[path = "facts/quota_runs.rs"]
mod quota_runs;

use plimsoll::units::whole;
use plimsoll::world::sim::oracle::Request;
use quota_runs::RUNS;
use quota_runs::Run;
use std::fmt::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::channel;
use std::time::Duration;
use std::time::Instant;

/// Threads of the pool: as many requests can be worked on at once.
const THREADS: usize = 256;
/// Length of a period of the quota in microseconds, which is Docker's.
const PERIOD: u64 = 100_000;
/// A group of this kernel, gone when this is.
struct Group(PathBuf);

/// Puts the thread that asks into the group of this folder.
fn put_into(folder: &Path) -> std::io::Result<()> {
    let thread = std::fs::read_link("/proc/thread-self")?;
    std::fs::write(folder.join("tasks"), &*thread.file_name().expect("a number").to_string_lossy())
}

impl Group {
    fn new(controller: &str, name: &str) -> std::io::Result<Self> {
        let folder = Path::new("/sys/fs/cgroup").join(controller).join(name);
        if !folder.is_dir() {
            std::fs::create_dir(&folder)?;
        }
        Ok(Self(folder))
    }

    fn set(&self, file: &str, value: &str) -> std::io::Result<()> {
        std::fs::write(self.0.join(file), value)
    }

    /// Puts the thread that asks into the group.
    fn join(&self) -> std::io::Result<()> {
        put_into(&self.0)
    }

    /// Puts the thread that asks back to where everything is that nobody put anywhere.
    fn leave(&self) {
        let _ = put_into(self.0.parent().expect("a controller"));
    }

    /// Seconds of CPU that its threads used so far.
    fn used(&self) -> f64 {
        let text = std::fs::read_to_string(self.0.join("cpuacct.usage")).unwrap_or_default();
        text.trim().parse::<u64>().unwrap_or(0) as f64 / 1e9
    }

    /// Periods so far, and those throttled; seconds throttled.
    fn throttled(&self) -> (u64, u64, f64) {
        let text = std::fs::read_to_string(self.0.join("cpu.stat")).unwrap_or_default();
        let of = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|rest| rest.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        (of("nr_periods "), of("nr_throttled "), of("throttled_time ") as f64 / 1e9)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group that still has threads stays; it holds nothing but them.
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Burns CPU: so many turns of a loop that nobody can leave out.
fn burn(turns: u64) {
    let mut value = 1_u64;
    for turn in 0..turns {
        value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(turn));
    }
}

/// Turns of a millisecond on this core: half of many tries had fewer.
fn turns_of_a_millisecond() -> f64 {
    let tries = (0..401).map(|_| {
        let begin = Instant::now();
        burn(200_000);
        200_000.0 / begin.elapsed().as_secs_f64() / 1e3
    });
    let mut tries: Vec<f64> = tries.collect();
    tries.sort_by(f64::total_cmp);
    tries[tries.len() / 2]
}

/// Lets time pass until then: a measurement of a real kernel is the one thing here that has to.
fn wait_until(then: Instant) {
    while let Some(left) = then.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// A request: when it comes, and the turns that it takes.
type Job = (Instant, u64);

/// Works on requests until no more come; milliseconds from their arrival to their end.
fn serve(jobs: &Mutex<Receiver<Job>>, groups: &[Group; 3]) -> Vec<f64> {
    groups.iter().for_each(|group| group.join().expect("the group takes its threads"));
    let mut times = Vec::new();
    loop {
        let job = jobs.lock().expect("nobody panics").recv();
        let Ok((came, turns)) = job else { return times };
        burn(turns);
        times.push(came.elapsed().as_secs_f64() * 1e3);
    }
}

/// Groups of CPU and of cores for one core, so heavy that nothing else there is noticed; and one that counts what is used.
fn groups(name: &str, core: &str) -> std::io::Result<[Group; 3]> {
    let groups = [Group::new("cpu", name)?, Group::new("cpuset", name)?, Group::new("cpuacct", name)?];
    groups[0].set("cpu.cfs_period_us", &PERIOD.to_string())?;
    groups[0].set("cpu.cfs_quota_us", "-1")?;
    groups[0].set("cpu.shares", "262144")?;
    groups[1].set("cpuset.mems", "0")?;
    groups[1].set("cpuset.cpus", core)?;
    Ok(groups)
}

/// One row: the run, and what came of it.
fn measure(place: u64, run: &Run) -> std::io::Result<String> {
    let &Run { quota, distribution, .. } = run;
    let load = groups("plimsoll-load", "0")?;
    let groups = groups("plimsoll-measure", "1")?;
    for group in &load {
        group.join()?;
    }
    let groups = Arc::new(groups);
    let here = Arc::clone(&groups);
    let turns = std::thread::spawn(move || {
        here.iter().for_each(|group| group.join().expect("the group takes a thread"));
        turns_of_a_millisecond()
    });
    let turns = turns.join().expect("calibrated");
    groups[0].set("cpu.cfs_quota_us", &format!("{:.0}", quota * PERIOD as f64))?;
    let (send, receive) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(receive));
    let pool: Vec<_> = (0..THREADS)
        .map(|_| {
            let (jobs, groups) = (Arc::clone(&jobs), Arc::clone(&groups));
            std::thread::spawn(move || serve(&jobs, &groups))
        })
        .collect();
    std::thread::park_timeout(Duration::from_millis(500));
    let (before, used, begin) = (groups[0].throttled(), groups[2].used(), Instant::now());
    let (mut at, mut requests) = (0.0, 0_u64);
    for Request { gap, work } in run.requests(place) {
        at += gap;
        let came = begin + Duration::from_secs_f64(at);
        wait_until(came);
        send.send((came, whole(work * 1e3 * turns))).expect("the pool is there");
        requests += 1;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let after = groups[0].throttled();
    load.iter().for_each(Group::leave);
    drop(send);
    // What a request took is what the kernel counted: a core is not always as fast as it was when the loop was calibrated.
    let mut times: Vec<f64> = pool.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect();
    times.sort_by(f64::total_cmp);
    assert_eq!(times.len() as u64, requests, "each request has its time");
    let used = groups[2].used() - used;
    let quantile =
        |share: f64| times[usize::try_from(whole(times.len() as f64 * share)).unwrap_or(0).min(times.len() - 1)];
    let (rate, realised, mean_time) =
        (requests as f64 / seconds, used / seconds / quota, times.iter().sum::<f64>() / times.len() as f64);
    let mean = used * 1e3 / requests as f64;
    Ok(format!(
        "{quota},{distribution},{mean:.3},{rate:.2},{realised:.3},{requests},{seconds:.1},{mean_time:.3},{:.3},{:.3},{:.3},{:.3},{:.3},{},{},{:.2}",
        quantile(0.5),
        quantile(0.9),
        quantile(0.95),
        quantile(0.99),
        quantile(1.0),
        after.0 - before.0,
        after.1 - before.1,
        after.2 - before.2,
    ))
}

#[test]
fn a_group_with_a_quota_is_measured() {
    if std::env::var("PLIMSOLL_MEASURE").is_ok_and(|value| value == "write") {
        let mut rows = String::new();
        for (run, place) in RUNS.iter().zip(1..) {
            let row = measure(place, run).unwrap_or_else(|wrong| panic!("this machine sets no quotas: {wrong}"));
            println!("{row}");
            let _ = writeln!(rows, "{row}");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts/cgroup_quotas.csv");
        let head = std::fs::read_to_string(&path).unwrap_or_default();
        let head: String =
            head.lines().filter(|line| line.starts_with(['#', 'q'])).map(|line| format!("{line}\n")).collect();
        std::fs::write(path, head + &rows).expect("writable");
    } else {
        println!("nothing measured: PLIMSOLL_MEASURE=write measures this machine");
    }
}
