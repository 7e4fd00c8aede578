use super::*;
use std::collections::BTreeMap;

/// A room with a memory limit and a CPU limit, half of which is reserved, on an NVMe disk.
fn room(memory: &str, cpu: &str) -> Room {
    let cpu = Millicores::parse(cpu).expect("a CPU limit");
    Room {
        cpu: Some(cpu),
        cpu_reserved: Some(cpu.scaled(1, 2)),
        memory: Bytes::parse(memory).expect("a memory limit"),
        disk: Some(DiskKind::Nvme),
        connections: 100,
        workers_memory: Bytes::mebi(150),
    }
}

pub(super) fn values(software: Software, room: &Room) -> BTreeMap<String, String> {
    settings(software, room).into_iter().map(|setting| (setting.name, setting.value)).collect()
}

#[track_caller]
fn assert_values(software: Software, room: &Room, wanted: &[(&str, &str)]) {
    let values = values(software, room);
    for (name, value) in wanted {
        assert_eq!(values.get(*name).map(String::as_str), Some(*value), "{software:?} {name}");
    }
}

fn split(text: &str) -> Vec<String> {
    words(text).expect("quotes are closed")
}

fn merged(software: Software, existing: &str, room: &Room) -> Option<String> {
    merged_words(software, &split(existing), room)
}

fn merged_words(software: Software, existing: &[String], room: &Room) -> Option<String> {
    let merged = command(software, existing, &settings(software, room))?;
    Some(merged.iter().map(|word| if word.is_empty() { "''" } else { word }).collect::<Vec<_>>().join(" "))
}

/// Register A5, figures of document Z: 768 MB and 2304 MB of 3 GB. `work_mem` is not its 32 MB, since 100 connections
/// with 32 MB each are more than the limit: three fifths of 3,145,728 kB over 400 are 4718 kB. Index and vacuum get a
/// sixteenth, 192 MB.
#[test]
fn postgres_with_three_gigabytes_of_an_nvme_host() {
    let wanted = [
        ("shared_buffers", "768MB"),
        ("effective_cache_size", "2304MB"),
        ("work_mem", "4718kB"),
        ("maintenance_work_mem", "192MB"),
        ("autovacuum_work_mem", "65536kB"),
        ("max_connections", "100"),
        ("wal_buffers", "16384kB"),
        ("checkpoint_completion_target", "0.9"),
        ("random_page_cost", "1.1"),
        ("effective_io_concurrency", "200"),
        ("max_parallel_workers_per_gather", "0"),
        ("max_parallel_workers", "0"),
    ];
    let room = room("3G", "0.8");
    assert_values(Software::Postgres, &room, &wanted);
    assert_eq!(values(Software::Postgres, &room).len(), wanted.len());
    assert_eq!(shm_size(Software::Postgres, &room), None);
}

#[test]
fn postgres_follows_disk_and_cpu() {
    let turning = Room { disk: Some(DiskKind::Hdd), ..room("3G", "0.8") };
    assert_values(Software::Postgres, &turning, &[("random_page_cost", "4.0"), ("effective_io_concurrency", "2")]);
    let unknown = values(Software::Postgres, &Room { disk: None, cpu: None, ..turning });
    for name in ["random_page_cost", "effective_io_concurrency", "max_parallel_workers"] {
        assert!(!unknown.contains_key(name), "what is not known is left to the server: {name}");
    }
    // 16 GiB, 4 cores: three fifths of 16,777,216 kB over 4 × 104 are 24,197 kB; 2 queries of 2 workers and a leader
    // share 6 × 2 × 24,197 kB = 283.6 MiB.
    let large = room("16G", "4");
    assert_values(Software::Postgres, &large, &[("max_parallel_workers_per_gather", "2"), ("work_mem", "24197kB")]);
    assert_eq!(shm_size(Software::Postgres, &large), Some(Bytes::mebi(284)));
    assert_eq!(shm_size(Software::Redis, &large), None);
}

/// 64 MiB: three fifths are 39,321 kB, which is 153 processes with four times 64 kB.
#[test]
fn postgres_takes_fewer_connections_where_memory_holds_no_more() {
    let crowded = Room { connections: 1000, ..room("64M", "0.5") };
    assert_values(Software::Postgres, &crowded, &[("max_connections", "153"), ("work_mem", "64kB")]);
    assert_values(Software::Postgres, &room("64M", "0.5"), &[("max_connections", "100"), ("work_mem", "98kB")]);
}

/// Document Z writes 450mb beside "10% headroom"; nine tenths of 512 MiB are 460.8.
#[test]
fn redis_keeps_a_tenth_of_its_limit_free() {
    let wanted = [
        ("maxmemory", "460mb"),
        ("maxmemory-policy", "allkeys-lru"),
        ("appendonly", "yes"),
        ("tcp-backlog", "511"),
        ("timeout", "300"),
        ("tcp-keepalive", "60"),
    ];
    assert_values(Software::Redis, &room("512M", "0.3"), &wanted);
    assert!(settings(Software::Redis, &room("512M", "0.3")).iter().any(|setting| setting.why.contains("`noeviction`")));
}

/// Document Z gives 1.0 of 1.5 GB; half of the limit is 0.75. MongoDB's least is 0.25.
#[test]
fn mongodb_has_half_of_its_limit_as_cache() {
    for (memory, cache) in [("1.5G", "0.75"), ("64M", "0.25"), ("512M", "0.25"), ("32G", "16.00"), ("1T", "512.00")] {
        assert_values(Software::MongoDb, &room(memory, "0.3"), &[("wiredTigerCacheSizeGB", cache)]);
    }
}

/// MySQL makes a pool a multiple of 128 MiB times instances, upwards. 3 G: 1536 is 12 times 128. 5 G: 2560 is 20 times
/// 128. 20 G: 10,240 is 10 times 8 × 128. 700 M: 350 goes down to 256.
#[test]
fn mysql_has_half_of_its_limit_as_pool_in_whole_chunks() {
    for (memory, pool, instances) in
        [("64M", "32M", "1"), ("700M", "256M", "1"), ("3G", "1536M", "1"), ("5G", "2560M", "1"), ("20G", "10240M", "8")]
    {
        let wanted = [("innodb-buffer-pool-size", pool), ("loose-innodb-buffer-pool-instances", instances)];
        assert_values(Software::MySql, &room(memory, "1"), &wanted);
    }
}

/// Document Z says 1280 "85%" of 1.5 GB and 440 of 512 MB. 85 % of 1536 are 1305.6, of 512 are 435.2.
#[test]
fn node_has_85_percent_of_its_limit_as_heap() {
    for (memory, heap) in [("1.5G", "1305"), ("512M", "435"), ("64M", "54")] {
        let option = format!("--max-old-space-size={heap}");
        assert_values(Software::Node, &room(memory, "0.8"), &[("NODE_OPTIONS", &option), ("UV_THREADPOOL_SIZE", "8")]);
        assert_values(Software::N8n, &room(memory, "0.5"), &[("NODE_OPTIONS", &option)]);
    }
    assert_values(Software::Node, &room("8G", "4"), &[("UV_THREADPOOL_SIZE", "16")]);
}

/// n8n with 1.5 GB: (1305 - 450) / 128 = 6.7 executions; a sixteenth, 96 MiB, is above the 64 of document Z.
#[test]
fn n8n_takes_as_many_executions_as_its_heap_holds() {
    let wanted = [
        ("N8N_CONCURRENCY_PRODUCTION_LIMIT", "6"),
        ("N8N_PAYLOAD_SIZE_MAX", "64"),
        ("EXECUTIONS_DATA_PRUNE", "true"),
        ("EXECUTIONS_DATA_MAX_AGE", "168"),
        ("N8N_METRICS", "true"),
    ];
    assert_values(Software::N8n, &room("1.5G", "0.5"), &wanted);
    let small = [("N8N_CONCURRENCY_PRODUCTION_LIMIT", "1"), ("N8N_PAYLOAD_SIZE_MAX", "32")];
    assert_values(Software::N8n, &room("512M", "0.5"), &small);
}

/// Document Z writes 4 workers for half a core reserved and calls it twice the cores; twice a half is 1.
#[test]
fn workers_are_twice_the_reserved_cpu_and_fit_memory() {
    for (memory, cpu, workers) in [
        ("2G", "1.0", "1"),
        ("2G", "1.2", "2"),
        ("2G", "4", "4"),
        ("8G", "16", "16"),
        // Three quarters of 600 MiB hold three idle workers of 150 MiB.
        ("600M", "16", "3"),
        ("64M", "16", "1"),
    ] {
        let wanted = [("WEB_CONCURRENCY", workers), ("WORKERS", workers), ("MAX_REQUESTS", "5000"), ("TIMEOUT", "30")];
        assert_values(Software::Asgi, &room(memory, cpu), &wanted);
    }
    let unlimited = values(Software::Asgi, &Room { cpu: None, cpu_reserved: None, ..room("2G", "1") });
    assert!(!unlimited.contains_key("WORKERS"), "without CPU there is nothing to follow");
    assert_values(Software::Asgi, &Room { workers_memory: Bytes::ZERO, ..room("2G", "4") }, &[("WORKERS", "4")]);
}

#[test]
fn java_heaps_follow_the_limit_up_to_short_pointers() {
    assert_values(Software::Jvm, &room("1G", "1"), &[("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75.0")]);
    for (memory, heap) in [("2G", "-Xms1024m -Xmx1024m"), ("1T", "-Xms31744m -Xmx31744m"), ("64M", "-Xms32m -Xmx32m")] {
        let wanted = [("ES_JAVA_OPTS", heap), ("OPENSEARCH_JAVA_OPTS", heap), ("bootstrap.memory_lock", "true")];
        assert_values(Software::Elasticsearch, &room(memory, "1"), &wanted);
    }
    assert!(ulimits(Software::Elasticsearch).contains(&("memlock", -1, -1)), "a lock needs the limit raised");
}

/// 30 days of a sample each 15 s at 2 bytes are 345,600 bytes of disk for a series, 8192 bytes of memory: 42.2 times
/// half of the limit. 1 GiB: 21,600 MiB. Document Z's 900MB would end a month after some hours.
#[test]
fn prometheus_keeps_a_month_of_what_its_memory_holds() {
    let wanted = [
        ("storage.tsdb.retention.time", "30d"),
        ("storage.tsdb.retention.size", "21600MB"),
        ("query.max-concurrency", "10"),
        ("query.max-samples", "16777216"),
        ("GOMEMLIMIT", "921MiB"),
        ("GOMAXPROCS", "1"),
    ];
    assert_values(Software::Prometheus, &room("1G", "0.2"), &wanted);
    assert_values(Software::Prometheus, &room("64G", "3.5"), &[("query.max-concurrency", "20"), ("GOMAXPROCS", "4")]);
}

#[test]
fn loki_and_grafana_with_half_a_gigabyte() {
    let wanted = [
        ("limits_config.retention_period", "336h"),
        ("ingester.max_chunk_age", "1h"),
        ("ingester.chunk_target_size", "1048576"),
        ("ingester.wal.replay_memory_ceiling", "256MB"),
        ("query_range.results_cache.cache.embedded_cache.max_size_mb", "32"),
        ("GOMEMLIMIT", "460MiB"),
    ];
    assert_values(Software::Loki, &room("512M", "0.1"), &wanted);
    let wanted = [("GF_DATABASE_CACHE_MODE", "shared"), ("GF_LOG_LEVEL", "warn"), ("GOMEMLIMIT", "460MiB")];
    assert_values(Software::Grafana, &room("512M", "0.1"), &wanted);
}

#[test]
fn ollama_answers_as_many_as_memory_and_cpu_hold() {
    for (memory, cpu, parallel) in [("4G", "0.8", "2"), ("1G", "8", "1"), ("64G", "0.8", "2"), ("64G", "8", "4")] {
        let wanted = [("OLLAMA_NUM_PARALLEL", parallel), ("OLLAMA_MAX_LOADED_MODELS", "1")];
        assert_values(Software::Ollama, &room(memory, cpu), &wanted);
    }
}

/// Half of 256 MiB at 64 KiB are 2048 connections, the figure of document Z; half of 64 MiB are 512.
#[test]
fn nginx_has_a_worker_for_each_core_of_its_limit() {
    for (memory, cpu, workers, connections, files) in
        [("256M", "0.2", "1", "2048", "4096"), ("64M", "0.2", "1", "512", "1024"), ("256M", "3.5", "4", "512", "1024")]
    {
        let wanted = [
            ("worker_processes", workers),
            ("events.worker_connections", connections),
            ("worker_rlimit_nofile", files),
            ("http.keepalive_timeout", "65"),
            ("http.client_max_body_size", "64M"),
            ("http.gzip", "on"),
            ("http.proxy_buffering", "on"),
        ];
        assert_values(Software::Nginx, &room(memory, cpu), &wanted);
    }
    assert_values(Software::Nginx, &Room { cpu: None, ..room("64M", "1") }, &[("worker_processes", "auto")]);
    assert!(settings(Software::Nginx, &room("64M", "1")).iter().all(|set| set.how == How::File("nginx.conf")));
}

#[test]
fn limits_and_weights_of_the_planning_document() {
    assert_eq!(ulimits(Software::Postgres), [("nofile", 1024, 2048)]);
    assert_eq!(ulimits(Software::Ollama), [("memlock", -1, -1), ("stack", 67_108_864, 67_108_864)]);
    assert_eq!([1, 2, 3].map(blkio_weight), [800, 600, 200]);
}

/// The command of document Z, with the size that PostgreSQL refuses.
#[test]
fn a_command_of_postgres_keeps_its_place_and_its_own_flags() {
    let existing = "postgres -c shared_buffers=1GB -c log_statement=all --effective-cache-size=2.25G -S 32768 -N200 \
                    -p 5433 --shared_buffers=2GB";
    assert_eq!(
        merged(Software::Postgres, existing, &room("3G", "0.8")).as_deref(),
        Some(
            "postgres -c shared_buffers=768MB -c log_statement=all -c effective_cache_size=2304MB -c work_mem=4718kB -c \
             max_connections=100 -p 5433 -c maintenance_work_mem=192MB -c autovacuum_work_mem=65536kB -c \
             wal_buffers=16384kB -c checkpoint_completion_target=0.9 -c max_parallel_workers_per_gather=0 -c \
             max_parallel_workers=0 -c random_page_cost=1.1 -c effective_io_concurrency=200"
        )
    );
}

#[test]
fn a_command_of_redis_keeps_what_its_use_decides() {
    let existing = "redis-server /etc/redis.conf --requirepass ${REDIS_PASSWORD} --MAXMEMORY 1gb --maxmemory-policy \
                    noeviction --save '' --appendonly no";
    assert_eq!(
        merged(Software::Redis, existing, &room("512M", "0.3")).as_deref(),
        Some(
            "redis-server /etc/redis.conf --requirepass ${REDIS_PASSWORD} --maxmemory 460mb --maxmemory-policy \
             noeviction --save '' --appendonly no --tcp-backlog 511 --timeout 300 --tcp-keepalive 60"
        )
    );
}

#[test]
fn a_service_without_a_command_starts_as_its_image_does() {
    let room = room("1G", "0.5");
    for (software, image, begins) in [
        (Software::Postgres, "postgres", "postgres -c shared_buffers=256MB "),
        (Software::Postgres, "docker.io/pgvector/pgvector:pg16", "postgres -c shared_buffers=256MB "),
        (
            Software::Redis,
            "docker.io/library/redis:7-alpine@sha256:0123abcd",
            "redis-server --maxmemory 921mb --maxmemory-policy allkeys-lru --appendonly yes --save 900 1 ",
        ),
        (Software::Redis, "valkey/valkey:8", "valkey-server --maxmemory 921mb "),
        (Software::MongoDb, "registry.example.com:5000/mongo:7", "mongod --wiredTigerCacheSizeGB 0.50"),
        (Software::MySql, "mariadb:11", "--innodb-buffer-pool-size=512M "),
        (
            Software::Prometheus,
            "quay.io/prometheus/prometheus",
            "--config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus --storage.",
        ),
    ] {
        let start = start(image).expect(image);
        let line = merged_words(software, &start, &room).expect("a command");
        assert!(line.starts_with(begins), "{image}: {line}");
    }
    assert_eq!(merged(Software::Node, "node server.js", &room).as_deref(), Some("node server.js"));
}

/// They start scripts of their own, some with flags that are lost with a command.
#[test]
fn how_other_images_of_the_same_software_start_is_not_guessed() {
    for image in [
        "bitnami/redis:7.4",
        "bitnami/postgresql",
        "docker.io/bitnami/mongodb",
        "bitnami/valkey",
        "redis/redis-stack:latest",
        "eqalpha/keydb",
        "linuxserver/mariadb",
        "lscr.io/linuxserver/mariadb",
        "supabase/postgres:15.8",
        "example.com/shop/postgres",
        "",
    ] {
        assert_eq!(start(image), None, "{image}");
    }
}

#[test]
fn every_spelling_of_the_others_is_found() {
    let room = room("1.5G", "0.5");
    for existing in ["--wiredTigerCacheSizeGB 1.0", "--wiredTigerCacheSizeGB=1.0"] {
        assert_eq!(
            merged(Software::MongoDb, &format!("mongod {existing} --bind_ip_all"), &room).as_deref(),
            Some("mongod --wiredTigerCacheSizeGB 0.75 --bind_ip_all")
        );
    }
    for existing in
        ["--innodb_buffer_pool_size=1G", "--innodb-buffer-pool-size 1G", "--loose_innodb_buffer_pool_size=1G"]
    {
        let line = merged(Software::MySql, &format!("mysqld --skip-name-resolve {existing}"), &room);
        let line = line.expect("a command");
        assert!(line.starts_with("mysqld --skip-name-resolve --innodb-buffer-pool-size=768M --loose-"), "{line}");
    }
    // Room on disk is the user's to say.
    let line = merged(Software::Prometheus, "--web.enable-lifecycle --storage.tsdb.retention.size=900MB", &room);
    let line = line.expect("a command");
    assert!(
        line.starts_with("--web.enable-lifecycle --storage.tsdb.retention.size=900MB --storage.tsdb.ret"),
        "{line}"
    );
    assert_eq!(line.matches("retention.size").count(), 1);
}

#[test]
fn a_script_is_not_merged() {
    for existing in ["sh -c 'postgres -c a=b'", "/start.sh", "redis-sentinel /etc/s.conf", "pgbouncer", "''"] {
        for software in [Software::Postgres, Software::Redis, Software::MongoDb, Software::MySql, Software::Prometheus]
        {
            assert_eq!(merged(software, existing, &room("1G", "1")), None, "{existing}");
        }
    }
    assert_eq!(words("postgres -c 'a=b"), None, "a quote is not closed");
}

#[test]
fn a_command_tells_what_it_states() {
    for (software, text, name, value) in [
        (Software::Postgres, "postgres -c max_connections=300", "max_connections", Some("300")),
        (Software::Postgres, "postgres -N 200 --max-connections=300", "max_connections", Some("300")),
        (Software::Postgres, "-N200", "max_connections", Some("200")),
        (Software::Postgres, "-N 250", "max_connections", Some("250")),
        (Software::Postgres, "postgres -p 1", "max_connections", None),
        (Software::Redis, "redis-server --save 900 1 300 10 --port 1", "save", Some("900 1 300 10")),
        (Software::MySql, "mysqld --max_connections 150", "max-connections", Some("150")),
        (Software::MySql, "mysqld --max_connections=151", "max-connections", Some("151")),
        (Software::MySql, "sh -c x", "max-connections", None),
    ] {
        assert_eq!(stated(software, &split(text), name).as_deref(), value, "{text}");
    }
}

#[test]
fn other_flags_of_a_variable_stay() {
    let room = room("1.5G", "1");
    let node = &settings(Software::Node, &room)[0];
    let with = |existing| environment(node, existing);
    assert_eq!(with(None), "--max-old-space-size=1305");
    assert_eq!(with(Some(" ")), "--max-old-space-size=1305");
    assert_eq!(
        with(Some("--max_old_space_size=4096 --require ./trace.js")),
        "--require ./trace.js --max-old-space-size=1305"
    );
    let heap = &settings(Software::Elasticsearch, &room)[0];
    assert_eq!(environment(heap, Some("-Xms4g -Dx=y -Xmx4g")), "-Dx=y -Xms768m -Xmx768m");
    let asgi = settings(Software::Asgi, &room);
    let of = |name| asgi.iter().find(|setting| setting.name == name).expect("a setting");
    assert_eq!(environment(of("TIMEOUT"), Some("120")), "120");
    assert_eq!(environment(of("WORKERS"), Some("9")), "1");
}
