use crate::large;
use crate::process::Running;
use crate::process::connect;
use crate::process::port;
use crate::process::program;
use crate::process::server;
use crate::room;
use crate::small;
use plimsoll::model::DiskKind;
use plimsoll::model::Software;
use plimsoll::plan::settings;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::process::Command;

/// Bytes are nine tenths of 64 MiB, 512 MiB and 1 TiB in whole mebibytes: 57, 460, 943,718.
#[test]
fn redis_takes_its_settings() {
    let Some(program) = server("redis-server") else { return };
    let planned = room(Bytes::mebi(512), Millicores::new(300), DiskKind::Nvme);
    for (room, maxmemory) in [(small(), 57 << 20), (planned, 460 << 20), (large(), 943_718_u64 << 20)] {
        let wanted = [
            ("maxmemory", maxmemory.to_string()),
            ("maxmemory-policy", "allkeys-lru".to_owned()),
            ("appendonly", "yes".to_owned()),
            ("save", "900 1 300 10 60 10000".to_owned()),
            ("tcp-backlog", "511".to_owned()),
            ("timeout", "300".to_owned()),
            ("tcp-keepalive", "60".to_owned()),
        ];
        let settings = settings::settings(Software::Redis, &room);
        let command = settings::command(Software::Redis, &["redis-server".to_owned()], &settings).expect("a command");
        assert_reads(Command::new(&program), &command, &wanted);
    }
}

/// The command of the planning document, and one that uses Redis as a queue.
#[test]
fn redis_takes_a_merged_command() {
    let Some(program) = server("redis-server") else { return };
    let planned = room(Bytes::mebi(512), Millicores::new(300), DiskKind::Nvme);
    let settings = settings::settings(Software::Redis, &planned);
    let zed = "redis-server --appendonly yes --maxmemory 450mb --maxmemory-policy allkeys-lru --save 900 1 --save 300 10 \
               --save 60 10000 --tcp-backlog 511 --timeout 300 --tcp-keepalive 60";
    let queue = "redis-server --maxmemory 2gb --maxmemory-policy noeviction --save '' --timeout 0";
    for (existing, policy, save, timeout) in
        [(zed, "allkeys-lru", "900 1 300 10 60 10000", "300"), (queue, "noeviction", "", "0")]
    {
        let existing = settings::words(existing).expect("quotes are closed");
        let command = settings::command(Software::Redis, &existing, &settings).expect("a command");
        let wanted = [("maxmemory", 460 << 20), ("tcp-keepalive", 60)].map(|(name, value)| (name, value.to_string()));
        let stated = [("maxmemory-policy", policy), ("save", save), ("timeout", timeout)];
        let stated = stated.map(|(name, value)| (name, value.to_owned()));
        assert_reads(Command::new(&program), &command, &[wanted.as_slice(), stated.as_slice()].concat());
    }
}

/// Redis takes fewer clients than its 10,000 where the limit of files does not hold them.
#[test]
fn redis_has_files_for_all_its_clients() {
    let (Some(redis), Some(prlimit)) = (server("redis-server"), program("prlimit")) else { return };
    let limits = settings::ulimits(Software::Redis);
    let [("nofile", soft, hard)] = limits[..] else { panic!("one limit: {limits:?}") };
    let words = ["redis-server".to_owned()];
    for (fewer, clients) in [(0, "10000"), (1, "9999")] {
        let mut limited = Command::new(&prlimit);
        limited.arg(format!("--nofile={}:{}", soft - fewer, hard - fewer)).arg(&redis);
        assert_reads(limited, &words, &[("maxclients", clients.to_owned())]);
    }
}

/// Starts it with the words after its name and compares what `CONFIG GET` says.
#[track_caller]
fn assert_reads(mut program: Command, words: &[String], wanted: &[(&str, String)]) {
    assert_eq!(words[0], "redis-server");
    let folder = tempfile::tempdir().expect("a folder");
    let port = port();
    program.args(&words[1..]).args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]).arg(folder.path());
    let running = Running::start(program, None);
    running.wait_for("Ready to accept connections");
    let mut stream = connect(port);
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    let mut next = || answers.next().expect("an answer").expect("it can be read");
    for (name, value) in wanted {
        stream.write_all(format!("CONFIG GET {name}\r\n").as_bytes()).expect("the request goes out");
        // A list of two texts, each with its length before it.
        assert_eq!((next().as_str(), next(), next()), ("*2", format!("${}", name.len()), (*name).to_owned()));
        assert_eq!((next(), next()), (format!("${}", value.len()), value.clone()), "{name}");
    }
}
