//! Laws of all settings: they grow with memory, they fit it, and merging them twice is merging them once.

use super::tests::values as of;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ALL: [Software; 14] = [
    Software::Postgres,
    Software::MySql,
    Software::MongoDb,
    Software::Redis,
    Software::Node,
    Software::Asgi,
    Software::Jvm,
    Software::Prometheus,
    Software::Loki,
    Software::Grafana,
    Software::Ollama,
    Software::N8n,
    Software::Nginx,
    Software::Elasticsearch,
];

fn software() -> impl Strategy<Value = Software> {
    proptest::sample::select(ALL.to_vec())
}

/// From 64 MiB, the least of the documents, to 1 TiB, as many small ones as large ones.
fn memory() -> impl Strategy<Value = Bytes> {
    (26_u32..40, any::<u64>()).prop_map(|(power, low)| Bytes::new((1 << power) + low % (1 << power)))
}

fn room() -> impl Strategy<Value = Room> {
    let cpu = || proptest::option::of((1_u64..200_000).prop_map(Millicores::new));
    let disks = vec![None, Some(DiskKind::Hdd), Some(DiskKind::Ssd), Some(DiskKind::Nvme)];
    (cpu(), cpu(), memory(), proptest::sample::select(disks), 0_u32..5000, 0_u64..2048).prop_map(
        |(cpu, cpu_reserved, memory, disk, connections, workers)| Room {
            cpu,
            cpu_reserved,
            memory,
            disk,
            connections,
            workers_memory: Bytes::mebi(workers),
        },
    )
}

/// The numbers in a value, in the order they stand.
fn numbers(value: &str) -> Vec<u64> {
    value.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// The unit behind the first number.
fn unit(value: &str) -> String {
    let from_number = value.trim_start_matches(|c: char| !c.is_ascii_digit());
    from_number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned()
}

/// A size as it is written for PostgreSQL, in kB.
fn kilobytes(values: &BTreeMap<String, String>, name: &str) -> u64 {
    Bytes::parse(&values[name]).expect("a size").get() >> 10
}

/// What somebody may have written, with flags of ours in all spellings and flags that are none.
fn existing(software: Software) -> impl Strategy<Value = Vec<String>> {
    let (program, flags): (&str, &[&[&str]]) = match software {
        Software::Postgres => (
            "postgres",
            &[
                &["-c", "work_mem=1GB"],
                &["--work-mem=1GB"],
                &["-cWORK_MEM=1GB"],
                &["-S", "64"],
                &["-B1024"],
                &["-N", "7"],
                &["-c", "log_statement=all"],
                &["-p", "5433"],
                &["--ssl=on"],
                &["-c"],
            ],
        ),
        Software::Redis => (
            "redis-server",
            &[
                &["--maxmemory", "1gb"],
                &["--MaxMemory", "2gb"],
                &["--save", "60", "1"],
                &["--save", ""],
                &["--appendonly", "no"],
                &["--requirepass", "a b"],
                &["--loglevel", "debug"],
            ],
        ),
        Software::MySql => (
            "mysqld",
            &[
                &["--innodb_buffer_pool_size=4G"],
                &["--loose-innodb-buffer-pool-size", "4G"],
                &["--skip-name-resolve"],
                &["--max_connections", "9"],
                &["--sql-mode", "ANSI"],
            ],
        ),
        Software::Prometheus => (
            "/bin/prometheus",
            &[
                &["--config.file=/x.yml"],
                &["--storage.tsdb.retention.size=900MB"],
                &["--query.max-concurrency", "3"],
                &["--web.enable-lifecycle"],
            ],
        ),
        _ => ("mongod", &[&["--wiredTigerCacheSizeGB", "1.0"], &["--wiredTigerCacheSizeGB=2"], &["--bind_ip_all"]]),
    };
    let flags: Vec<Vec<String>> =
        flags.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect();
    (any::<bool>(), proptest::collection::vec(proptest::sample::select(flags), 0..8)).prop_map(move |(named, flags)| {
        let program = named.then(|| program.to_owned());
        program.into_iter().chain(flags.into_iter().flatten()).collect()
    })
}

proptest! {
    #[test]
    fn more_memory_never_makes_a_setting_smaller(software in software(), room in room(), more in memory()) {
        let larger = Room { memory: room.memory.plus(more), ..room };
        let (small, large) = (of(software, &room), of(software, &larger));
        prop_assert_eq!(small.keys().collect::<Vec<_>>(), large.keys().collect::<Vec<_>>());
        for (name, value) in &small {
            prop_assert!(numbers(value) <= numbers(&large[name]), "{}: {} then {}", name, value, large[name]);
            prop_assert_eq!(unit(value).replace(char::is_numeric, ""), unit(&large[name]).replace(char::is_numeric, ""));
        }
        prop_assert!(shm_size(software, &room) <= shm_size(software, &larger));
    }

    /// Even one byte more, where rounding could turn the order round.
    #[test]
    fn a_little_more_memory_never_makes_a_setting_smaller(software in software(), room in room(), more in 1_u64..1 << 21) {
        let larger = Room { memory: room.memory.plus(Bytes::new(more)), ..room };
        let large = of(software, &larger);
        for (name, value) in of(software, &room) {
            prop_assert!(numbers(&value) <= numbers(&large[&name]), "{}: {} then {}", name, value, large[&name]);
        }
    }

    #[test]
    fn postgres_stays_inside_its_limit_when_all_connections_work(room in room()) {
        let values = of(Software::Postgres, &room);
        let count = |name: &str| values.get(name).map(|value| value.parse::<u64>().expect("a number"));
        let backends = count("max_connections").expect("a number") + count("max_parallel_workers").unwrap_or(8);
        let sum = kilobytes(&values, "shared_buffers")
            + kilobytes(&values, "wal_buffers")
            + kilobytes(&values, "maintenance_work_mem")
            + 3 * kilobytes(&values, "autovacuum_work_mem")
            + 4 * backends * kilobytes(&values, "work_mem");
        prop_assert!(sum <= room.memory.get() >> 10, "{} kB: {:?}", sum, values);
        let shm = shm_size(Software::Postgres, &room);
        prop_assert!(shm.is_none_or(|size| Bytes::mebi(64) < size && size < room.memory), "{:?}", shm);
    }

    #[test]
    fn caches_and_heaps_stay_inside_the_limit(room in room()) {
        let mebibytes = room.memory.get() >> 20;
        let first = |software: Software, name: &str| numbers(&of(software, &room)[name])[0];
        prop_assert!(first(Software::Redis, "maxmemory") < mebibytes);
        prop_assert!(first(Software::MySql, "innodb-buffer-pool-size") <= mebibytes / 2);
        prop_assert!(first(Software::Node, "NODE_OPTIONS") < mebibytes);
        prop_assert!(first(Software::Elasticsearch, "ES_JAVA_OPTS") <= mebibytes / 2);
        prop_assert!(first(Software::Grafana, "GOMEMLIMIT") < mebibytes);
        let cache = &of(Software::MongoDb, &room)["wiredTigerCacheSizeGB"];
        let cache = numbers(cache);
        // Its least is 256 MiB.
        prop_assert!((cache[0] * 100 + cache[1]) * 1024 / 100 <= (mebibytes / 2).max(256));
        let nginx = of(Software::Nginx, &room);
        let (workers, connections) = (nginx["worker_processes"].parse().unwrap_or(1), numbers(&nginx["events.worker_connections"])[0]);
        prop_assert!(connections == 64 || workers * connections * 64 <= (room.memory.get() >> 10) / 2);
        if let Some(workers) = of(Software::Asgi, &room).get("WORKERS") {
            let workers = numbers(workers)[0];
            prop_assert!(workers == 1 || room.workers_memory.scaled(workers, 1) <= room.memory);
        }
    }

    /// Whatever the room, even none, nothing overflows and every value is written.
    #[test]
    fn any_room_at_all_has_settings(software in software(), room in room(), memory in any::<u64>(), cpu in any::<u64>()) {
        let room = Room { memory: Bytes::new(memory), cpu: Some(Millicores::new(cpu)), ..room };
        for room in [room, Room { memory: Bytes::ZERO, ..room }, Room { memory: Bytes::MAX, ..room }] {
            let settings = settings(software, &room);
            prop_assert!(settings.iter().all(|setting| !setting.value.is_empty() && !setting.why.is_empty()));
            let _ = shm_size(software, &room);
        }
    }

    #[test]
    fn merging_twice_is_merging_once(
        (software, existing) in proptest::sample::select(ALL[..4].to_vec()).prop_flat_map(|one| (Just(one), existing(one))),
        room in room(),
    ) {
        let settings = settings(software, &room);
        let once = command(software, &existing, &settings).expect("a command of the program");
        let twice = command(software, &once, &settings).expect("a command of the program");
        prop_assert_eq!(&once, &twice);
        for setting in settings.iter().filter(|setting| setting.how == How::Argument && setting.stated == Stated::Replaced) {
            prop_assert_eq!(stated(software, &once, &setting.name), Some(setting.value.clone()));
        }
    }

    /// What is nothing of ours is there afterwards, as often and in the same order.
    #[test]
    fn merging_leaves_all_else_in_its_order(
        existing in existing(Software::Postgres),
        room in room(),
    ) {
        let foreign = |words: &[String]| -> Vec<String> {
            words.iter().filter(|word| ["log_statement=all", "-p", "5433", "--ssl=on"].contains(&word.as_str())).cloned().collect()
        };
        let settings = settings(Software::Postgres, &room);
        let merged = command(Software::Postgres, &existing, &settings).expect("a command of the program");
        prop_assert_eq!(foreign(&merged), foreign(&existing));
    }

    #[test]
    fn words_and_their_line_are_the_same(words_before in proptest::collection::vec("[^\0]{0,12}", 0..6)) {
        let line = line(&words_before).expect("no word holds a NUL byte");
        prop_assert_eq!(words(&line), Some(words_before));
    }

    #[test]
    fn merging_a_variable_twice_is_merging_it_once(
        software in software(),
        room in room(),
        existing in proptest::option::of("(-Xmx[0-9]g|--max_old_space_size=[0-9]+|-Da=[a-z]|--inspect| |[a-z]{3}){0,5}"),
    ) {
        for setting in settings(software, &room) {
            let once = environment(&setting, existing.as_deref());
            prop_assert_eq!(environment(&setting, Some(&once)), once);
        }
    }
    /// What a plan writes, a later one can take back.
    #[test]
    fn every_variable_of_a_setting_is_listed(software in software(), room in room()) {
        for setting in settings(software, &room).iter().filter(|setting| setting.how == How::Environment) {
            prop_assert!(VARIABLES.contains(&setting.name.as_str()), "{}", setting.name);
        }
    }
}
