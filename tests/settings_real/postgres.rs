use crate::large;
use crate::process::output;
use crate::process::server;
use crate::room;
use crate::small;
use plimsoll::model::DiskKind;
use plimsoll::model::Software;
use plimsoll::plan::settings;
use plimsoll::plan::settings::Room;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// `nobody` and `nogroup`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// A database of its own in a temporary folder, which stops with this value.
struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Cluster {
    /// `None` where PostgreSQL is not installed.
    fn new() -> Option<Self> {
        // Links to it may lie in folders where the other programs are not.
        let initdb = server("initdb")?.canonicalize().expect("it is there");
        let programs = initdb.parent().expect("a folder").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        if is_root() {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may give folders away");
        }
        let cluster = Self { folder, programs };
        output(cluster.program("initdb").args(["--auth=trust", "--no-sync", "--username=plimsoll"]));
        Some(cluster)
    }

    /// One of its programs, as a user that it accepts, for this database.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).env("PGDATA", self.data());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts it with these words, asks it for all its settings in their base units, and stops it.
    #[track_caller]
    fn reads(&self, words: &[String]) -> BTreeMap<String, String> {
        let folder = self.folder.path().display();
        let own = format!("-c listen_addresses= -c fsync=off -k {folder}");
        let options = format!("{own} {}", settings::line(words).expect("no word holds a NUL byte"));
        let mut start = self.program("pg_ctl");
        // With a log file, so that the server does not hold the pipe of this program open.
        output(start.args(["start", "-w", "-t", "60", "-l", "log", "-o", &options]));
        let rows = output(self.program("psql").args([
            "--host",
            &folder.to_string(),
            "--username=plimsoll",
            "--no-align",
            "--tuples-only",
            "--command=SELECT name, setting || coalesce('*' || unit, '') FROM pg_settings",
            "postgres",
        ]));
        output(self.program("pg_ctl").args(["stop", "-w", "-t", "60", "-m", "fast"]));
        rows.lines()
            .filter_map(|row| row.split_once('|'))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Where a test failed between start and stop.
        if self.data().join("postmaster.pid").is_file() {
            let _ = self.program("pg_ctl").args(["stop", "-w", "-t", "60", "-m", "immediate"]).output();
        }
    }
}

fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|owner| owner.uid() == 0)
}

/// What `pg_settings` says in base units: pages of 8 kB for buffers, kB for memory of a process.
#[track_caller]
fn assert_reads(read: &BTreeMap<String, String>, wanted: &[(&str, &str)]) {
    for (name, value) in wanted {
        assert_eq!(read.get(*name).map(String::as_str), Some(*value), "{name}");
    }
}

/// 3 GiB: 768 MB are 98,304 pages, 2304 MB are 294,912.
const PLANNED: [(&str, &str); 12] = [
    ("shared_buffers", "98304*8kB"),
    ("effective_cache_size", "294912*8kB"),
    ("work_mem", "4718*kB"),
    ("maintenance_work_mem", "196608*kB"),
    ("autovacuum_work_mem", "65536*kB"),
    ("max_connections", "100"),
    ("wal_buffers", "2048*8kB"),
    ("checkpoint_completion_target", "0.9"),
    ("random_page_cost", "1.1"),
    ("effective_io_concurrency", "200"),
    ("max_parallel_workers", "0"),
    ("max_parallel_workers_per_gather", "0"),
];

fn planned() -> Room {
    room(Bytes::gibi(3), Millicores::new(800), DiskKind::Nvme)
}

fn words(existing: &str, room: &Room) -> Vec<String> {
    let existing = settings::words(existing).expect("quotes are closed");
    let settings = settings::settings(Software::Postgres, room);
    let words = settings::command(Software::Postgres, &existing, &settings).expect("a command");
    assert_eq!(words[0], "postgres");
    words[1..].to_vec()
}

/// 64 MiB: 16 MB are 2048 pages, of which a thirty-second is 512 kB; 48 MB are 6144 pages; three fifths over 400 are
/// 98 kB; a third of 4096 kB is 1365.
#[test]
fn postgres_starts_with_its_settings() {
    let Some(cluster) = Cluster::new() else { return };
    assert_reads(&cluster.reads(&words("postgres", &planned())), &PLANNED);
    let wanted = [
        ("shared_buffers", "2048*8kB"),
        ("effective_cache_size", "6144*8kB"),
        ("work_mem", "98*kB"),
        ("maintenance_work_mem", "4096*kB"),
        ("autovacuum_work_mem", "1365*kB"),
        ("max_connections", "100"),
        ("wal_buffers", "64*8kB"),
        ("random_page_cost", "4"),
        ("effective_io_concurrency", "2"),
    ];
    assert_reads(&cluster.reads(&words("postgres", &small())), &wanted);
    let crowded = Room { connections: 1000, ..small() };
    assert_reads(&cluster.reads(&words("postgres", &crowded)), &[("max_connections", "153"), ("work_mem", "64*kB")]);
}

/// The command of the planning document has a size that PostgreSQL refuses; merged, it starts. All spellings that
/// PostgreSQL has are taken for what they are, or one of them would win over ours.
#[test]
fn postgres_starts_with_a_merged_command() {
    let Some(cluster) = Cluster::new() else { return };
    let zed = "postgres -c shared_buffers=768MB -c effective_cache_size=2.25G -c work_mem=32MB \
               -c maintenance_work_mem=256MB -c max_connections=100 -c checkpoint_completion_target=0.9 \
               -c random_page_cost=1.1 -c effective_io_concurrency=200";
    let spelled = "postgres --shared-buffers=1GB -cWORK_MEM=1GB -S 32768 -S4096 -B 1024 -N 7 -N8 --log-statement=all \
                   --max_parallel_workers=3 -c shared_buffers=2GB";
    assert_reads(&cluster.reads(&words(zed, &planned())), &PLANNED);
    let read = cluster.reads(&words(spelled, &planned()));
    assert_reads(&read, &PLANNED);
    assert_reads(&read, &[("log_statement", "all")]);
}

/// 1 TiB, which no machine need have: `-C` checks all values and allocates nothing. 256 GiB, 768 GiB; three fifths over
/// 4 × 108 are 1,491,308 kB; maintenance stops at 2 GB.
#[test]
fn postgres_accepts_a_large_room() {
    let Some(cluster) = Cluster::new() else { return };
    let large_words = words("postgres", &large());
    for (name, value) in [
        ("shared_buffers", "33554432"),
        ("effective_cache_size", "100663296"),
        ("work_mem", "1491308"),
        ("maintenance_work_mem", "2097152"),
        ("autovacuum_work_mem", "699050"),
        ("wal_buffers", "2048"),
        ("max_parallel_workers", "8"),
        ("max_parallel_workers_per_gather", "4"),
    ] {
        assert_eq!(output(cluster.program("postgres").args(["-C", name]).args(&large_words)).trim(), value, "{name}");
    }
    // The largest room that can be written is still one that PostgreSQL takes.
    let endless = words("postgres", &Room { memory: Bytes::MAX, connections: u32::MAX, ..large() });
    output(cluster.program("postgres").args(["-C", "shared_buffers"]).args(&endless));
}
