//! Processes that are killed at any moment while they change something, and disks that are full. Whatever happens, the
//! journals can be read, the log of actions holds together, nothing that was reported as written is gone, and nobody is
//! kept from going on.
//!
//! A process that is to be killed is this program again, told by its environment what to do. What was reported to it as
//! written it prints, so a line that arrives here stands for an entry that has to be there.

#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "processes tell each other what is written; skipped tests say why")]

use plimsoll::world::live::audit_log;
use plimsoll::world::live::audit_log::AuditLog;
use plimsoll::world::live::hold::Hold;
use plimsoll::world::live::hold::HoldError;
use plimsoll::world::live::journal;
use plimsoll::world::live::journal::Journal;
use plimsoll::world::live::journal::JournalError;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// What a process is to do, and where.
const ROLE: &str = "PLIMSOLL_TEST_ROLE";
const STATE: &str = "PLIMSOLL_TEST_STATE";
/// 14:15:30 on 23 November 2026, in UTC.
const AT: u64 = 1_795_443_330_000_000_000;
/// Entries of a change until it ends.
const ENTRIES: u64 = 12;

/// An entry of a journal: its number, and a load that makes some lines take longer to write.
type Entry = (u64, String);

fn is_end(entry: &Entry) -> bool {
    entry.0 == ENTRIES
}

/// Most lines are short; some take so long that they are torn when the process is killed.
fn load(number: u64) -> String {
    "x".repeat(if number.is_multiple_of(5) { 1 << 17 } else { 40 })
}

/// What a process does that is started by the tests below; nothing in a usual run.
#[test]
fn child() {
    let Some(state) = std::env::var_os(STATE).map(PathBuf::from) else { return };
    match std::env::var(ROLE).as_deref() {
        Ok("change") => change(&state),
        Ok("count") => count(&state),
        Ok("fill") => fill(&state),
        role => panic!("no such role: {role:?}"),
    }
}

/// Makes one change after another: goes on with what is unfinished, then begins new ones.
fn change(state: &Path) {
    let _hold = Hold::take(state, "a change", Duration::from_secs(60)).expect("nobody else is at it");
    let mut audit = AuditLog::open(state).expect("a log");
    loop {
        let unfinished = journal::unfinished(state, is_end).expect("journals that can be read");
        let (id, mut journal, done) = match unfinished.into_iter().next() {
            Some((id, entries)) => {
                let id: String = id;
                let journal = Journal::open(state, &id).expect("a journal that can be gone on with");
                (id, journal, entries.len() as u64)
            }
            None => {
                let (id, journal) = Journal::begin_anew(state, "test", AT, str::to_owned).expect("a new journal");
                println!("\nbegan {id} 0");
                (id, journal, 0)
            }
        };
        for number in done + 1..=ENTRIES {
            journal.append(&(number, load(number))).expect("an entry");
            println!("\nwrote {id} {number}");
            let seq = audit.append(AT, "test", &(&id, load(number))).expect("an action");
            println!("\nlogged {seq}");
        }
    }
}

/// Counts in a file, together with others, one at a time.
fn count(state: &Path) {
    let counter = File::options().read(true).write(true).open(state.join("counter")).expect("a counter");
    let mut audit = AuditLog::open(state).expect("a log");
    loop {
        let hold = Hold::take(state, "counting", Duration::from_secs(60)).expect("the others let go");
        let mut digits = [0; 20];
        counter.read_exact_at(&mut digits, 0).expect("a number");
        let number: u64 = String::from_utf8_lossy(&digits).parse().expect("a number");
        counter.write_all_at(format!("{:020}", number + 1).as_bytes(), 0).expect("a number");
        println!("\ncounted {}", number + 1);
        drop(hold);
        let seq = audit.append(AT, "test", &number).expect("an action");
        println!("\nlogged {seq}");
    }
}

/// A process that works until it is killed.
struct Killable {
    process: Child,
    said: Receiver<String>,
    reader: std::thread::JoinHandle<()>,
}

impl Killable {
    fn start(role: &str, state: &Path) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .args(["--exact", "child", "--nocapture"])
            .env(ROLE, role)
            .env(STATE, state)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (says, said) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in output.lines() {
                // Nobody may listen any more.
                drop(says.send(line.expect("text")));
            }
        });
        Self { process, said, reader }
    }

    /// Lets it say so many lines and then work for this time, then kills it. All that it said until it was dead.
    fn kill_after(mut self, lines: usize, time: Duration) -> Vec<String> {
        let mut heard = Vec::new();
        while heard.len() < lines {
            match self.said.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => heard.extend(word(line)),
                Err(_) => break,
            }
        }
        let (_silent, pause) = mpsc::channel::<()>();
        let _ = pause.recv_timeout(time);
        self.process.kill().expect("it is killed");
        let output = self.process.wait_with_output().expect("it is dead");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), None, "it ended by itself: {complaint}");
        self.reader.join().expect("its output");
        heard.extend(self.said.iter().filter_map(word));
        heard
    }
}

/// Lines of ours; the rest is said by the runner of the tests.
fn word(line: String) -> Option<String> {
    ["began ", "wrote ", "logged ", "counted "].iter().any(|word| line.starts_with(word)).then_some(line)
}

/// Numbers that spread well; the moments they choose are different in each run all the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 31)) % end
    }

    /// How many lines and how many microseconds a process is left alive.
    fn life(&mut self) -> (usize, Duration) {
        let lines = usize::try_from(self.below(40)).expect("a small number");
        (lines, Duration::from_micros(self.below(if lines == 0 { 30_000 } else { 6_000 })))
    }
}

#[test]
fn whoever_is_killed_while_it_changes_something_leaves_what_the_next_one_needs() {
    // On a disk a process spends its time waiting for the disk; in memory it is killed in the middle of writing.
    let memory = Path::new("/dev/shm");
    for place in [std::env::temp_dir().as_path(), memory].into_iter().filter(|place| place.is_dir()) {
        let state = tempfile::tempdir_in(place).expect("a temporary directory");
        kill_again_and_again(state.path(), &mut Dice(1));
    }
}

fn kill_again_and_again(state: &Path, dice: &mut Dice) {
    // The last entry of each journal that was reported as written, and the last one that is there.
    let (mut wrote, mut there) = (BTreeMap::new(), BTreeMap::new());
    let (mut logged, mut torn, mut interrupted) = (0_u64, 0, 0);
    for round in 0..30 {
        let before = audit_log::verify(state).expect("a log").entries;
        let (lines, time) = dice.life();
        let mut touched = BTreeSet::new();
        for line in Killable::start("change", state).kill_after(lines, time) {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["began" | "wrote", id, number] => {
                    wrote.insert((*id).to_owned(), number.parse::<u64>().expect("a number"));
                    touched.insert((*id).to_owned());
                }
                ["logged", seq] => logged = seq.parse().expect("a number"),
                _ => panic!("a word of ours: {line}"),
            }
        }
        drop(Hold::take(state, "a look", Duration::ZERO).expect("who is dead holds nothing"));

        let unfinished: Vec<(String, Vec<Entry>)> = journal::unfinished(state, is_end).expect("all can be read");
        assert!(unfinished.len() <= 1, "round {round}: one change at a time");
        touched.extend(unfinished.into_iter().map(|(id, _)| id));
        for id in touched {
            let reported = wrote.get(&id).copied().unwrap_or(0);
            let entries = entries(state, &id, reported, &mut torn);
            let known = there.insert(id.clone(), entries).unwrap_or(0).max(reported);
            assert!(entries <= known + 1, "round {round}: {id} has {entries} entries, {reported} were reported");
        }
        let seen = audit_log::verify(state).expect("the log holds together");
        assert!(seen.entries >= logged, "round {round}: {} actions, and {logged} were reported", seen.entries);
        assert!(seen.entries <= logged.max(before) + 1, "round {round}: {} actions, {logged} reported", seen.entries);
        interrupted += u32::from(seen.interrupted);
    }
    for (id, number) in &wrote {
        entries(state, id, *number, &mut 0);
    }
    let entries: u64 = wrote.values().sum();
    println!("{}: {} changes, {entries} entries, {logged} actions", state.display(), wrote.len());
    println!("{torn} times an entry was torn, {interrupted} times an action was interrupted");
    assert!(entries > 100 && logged > 100, "the processes did something");

    let mut audit = AuditLog::open(state).expect("a log");
    let seq = audit.append(AT, "test", &"after all").expect("it is mended");
    let seen = audit_log::verify(state).expect("the log holds together");
    assert_eq!((seen.entries, seen.interrupted), (seq, false));
}

/// How many entries a journal has: each once, in full and in order, and all that were reported as written.
fn entries(state: &Path, id: &str, reported: u64, torn: &mut u32) -> u64 {
    let read: journal::Read<String, Entry> = journal::read(state, id).expect("a journal that can be read");
    let there = read.entries.iter().map(|(number, load)| (*number, load.len()));
    let entries = read.entries.len() as u64;
    assert!(there.eq((1..=entries).map(|number| (number, load(number).len()))), "{id}");
    assert!(entries >= reported, "{id} has {entries} entries, and {reported} were reported");
    *torn += u32::from(read.torn);
    entries
}

#[test]
fn several_at_once_never_do_the_same_thing_whoever_of_them_is_killed() {
    let state = tempfile::tempdir().expect("a temporary directory");
    let state = state.path();
    std::fs::write(state.join("counter"), format!("{:020}", 0)).expect("a counter");
    let mut dice = Dice(2);
    let mut all: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..6 {
        let processes: Vec<Killable> = (0..3).map(|_| Killable::start("count", state)).collect();
        for process in processes {
            let (lines, time) = dice.life();
            for line in process.kill_after(lines, time) {
                *all.entry(line).or_default() += 1;
            }
        }
    }
    let numbers = |word: &str| {
        let lines = all.keys().filter_map(|line| line.strip_prefix(word)).map(|number| number.parse::<u64>());
        let numbers: Vec<u64> = lines.map(|number| number.expect("a number")).collect();
        (numbers.len(), numbers.into_iter().max().unwrap_or(0))
    };
    let (counted, logged) = (numbers("counted "), numbers("logged "));
    println!("counted {} up to {}, logged {} up to {}", counted.0, counted.1, logged.0, logged.1);
    assert!(counted.0 > 50 && logged.0 > 50, "the processes did something");
    assert_eq!(all.values().max(), Some(&1), "nobody counts, or logs, what another one did");
    let there: u64 = std::fs::read_to_string(state.join("counter")).expect("a counter").parse().expect("a number");
    assert!(there >= counted.1);
    assert!(audit_log::verify(state).expect("one chain").entries >= logged.1);
}

/// A disk of 64 KiB that only the child sees; gone when it ends.
#[test]
fn a_full_disk_costs_what_has_no_room_and_nothing_else() {
    let state = tempfile::tempdir().expect("a temporary directory");
    let program = std::env::current_exe().expect("this program");
    let on_small_disk = |apart: &[&str], command: &[&str]| {
        Command::new("unshare")
            .args(apart)
            .args(["sh", "-c", r#"mount -t tmpfs -o size=64k,mode=700 plimsoll "$0" && exec "$@""#])
            .arg(state.path())
            .args(command)
            .env(ROLE, "fill")
            .env(STATE, state.path())
            .output()
    };
    // As root, or, where that is allowed, as root of a space of one's own.
    let ways: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];
    let works = |way: &&&[&str]| on_small_disk(way, &["true"]).is_ok_and(|output| output.status.success());
    let Some(way) = ways.iter().find(works) else {
        println!("skipped: a small disk cannot be mounted here; run it as root");
        return;
    };
    let child = [&*program.to_string_lossy(), "--exact", "child", "--nocapture"];
    let output = on_small_disk(way, &child).expect("a process");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("full and well"), "{said}");
    println!("{said}");
}

/// Writes until nothing more fits, makes room, and goes on.
fn fill(state: &Path) {
    std::fs::write(state.join("ballast"), [0; 16 << 10]).expect("room");
    drop(Hold::take(state, "a change", Duration::ZERO).expect("room"));
    let mut audit = AuditLog::open(state).expect("room");
    let mut journal = Journal::begin(state, "test-1", &"opening").expect("room");
    let (mut wrote, mut logged) = (0, 0);
    let entries = || journal::read::<String, Entry>(state, "test-1").map(|read| (read.entries.len(), read.torn));
    for size in [9000, 3000, 200, 0] {
        let error = loop {
            match journal.append(&(1, "x".repeat(size))) {
                Ok(()) => wrote += 1,
                Err(error) => break error.to_string(),
            }
            assert!(wrote < 5000, "the disk is small");
        };
        println!("after {wrote} entries: {error}");
        assert!(error.contains("No space left on device") && error.contains("make room"), "{error}");
        assert_eq!(entries().expect("it can be read"), (wrote, false), "nothing is left of what did not fit");
        let refused = audit.append(AT, "test", &"x".repeat(size)).expect_err("there is no room");
        assert!(refused.to_string().contains("No space left on device"), "{refused}");
        let seen = audit_log::verify(state).expect("the log holds together");
        assert_eq!((seen.entries, seen.interrupted), (logged, false));
        // A little room for the log, which then takes the rest of what the journal left.
        if size == 3000 {
            File::options()
                .write(true)
                .open(state.join("ballast"))
                .and_then(|file| file.set_len(8 << 10))
                .expect("room");
            while audit.append(AT, "test", &"x".repeat(size)).is_ok() {
                logged += 1;
                assert!(logged < 5000, "the disk is small");
            }
            assert!(logged > 0, "there was room");
        }
    }
    let error = Journal::begin(state, "test-2", &"opening").expect_err("there is no room");
    assert!(matches!(error, JournalError::File(_)), "{error}");
    assert!(!state.join("changes/test-2.jsonl").exists(), "nothing is left of it");
    let error = Hold::take(state, "another", Duration::ZERO).expect_err("there is no room to say who it is");
    assert!(matches!(error, HoldError::File(_)), "{error}");

    std::fs::remove_file(state.join("ballast")).expect("somebody makes room");
    drop(Hold::take(state, "another", Duration::ZERO).expect("the lock is free"));
    journal.append(&(2, String::new())).expect("the same journal goes on");
    assert_eq!(entries().expect("it can be read"), (wrote + 1, false));
    assert_eq!(audit.append(AT, "test", &"on").expect("the same log goes on"), logged + 1);
    assert!(!audit_log::verify(state).expect("the log holds together").interrupted);
    assert!(!state.join("audit.torn-1").exists() && !state.join("audit.head.part").exists());

    drop(journal);
    let locked = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(state).status().expect("mount");
    assert!(locked.success(), "it can only be read from now on");
    let error = Journal::begin(state, "test-3", &"opening").expect_err("it can only be read").to_string();
    println!("read-only: {error}");
    assert!(error.contains("Read-only file system") && error.contains("make it writable"), "{error}");
    audit.append(AT, "test", &"on").expect_err("it can only be read");
    Hold::take(state, "another", Duration::ZERO).expect_err("it can only be read");
    assert_eq!(entries().expect("it can be read"), (wrote + 1, false));
    assert_eq!(audit_log::verify(state).expect("it can be read").entries, logged + 1);
    println!("full and well");
}
