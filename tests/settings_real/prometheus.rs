use crate::large;
use crate::process::Running;
use crate::process::get;
use crate::process::port;
use crate::process::server;
use crate::room;
use crate::small;
use plimsoll::model::DiskKind;
use plimsoll::model::Software;
use plimsoll::plan::settings;
use plimsoll::plan::settings::How;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use std::process::Command;

/// Room on disk is 345,600 / 16,384 of the limit: 1350 MiB of 64 MiB, 21,600 MiB of 1 GiB, 22,118,400 MiB of 1 TiB. A
/// query has a quarter of the limit at 16 bytes a sample, at most 50 million.
#[test]
fn prometheus_takes_its_settings() {
    let Some(program) = server("prometheus") else { return };
    let planned = room(Bytes::gibi(1), Millicores::new(200), DiskKind::Nvme);
    for (room, disk, samples, concurrency, processors) in [
        (small(), 1350, "1048576", "10", 1),
        (planned, 21_600, "16777216", "10", 1),
        (large(), 22_118_400, "50000000", "20", 64),
    ] {
        let settings = settings::settings(Software::Prometheus, &room);
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, "global: {}\n").expect("it can be written");
        let port = port();
        let existing = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--query.max-concurrency=3".to_owned(),
        ];
        let words = settings::command(Software::Prometheus, &existing, &settings).expect("a command");
        let mut command = Command::new(&program);
        command.args(words);
        command.envs(settings.iter().filter(|set| set.how == How::Environment).map(|set| (&set.name, &set.value)));
        let running = Running::start(command, None);
        running.wait_for("Server is ready to receive web requests");

        let flags = json(port, "/api/v1/status/flags");
        assert_eq!(flags["data"]["storage.tsdb.retention.time"], "30d");
        let size = flags["data"]["storage.tsdb.retention.size"].as_str().expect("a size");
        // As in `1GiB326MiB`.
        let parts = size.split_inclusive('B').map(|part| Bytes::parse(part).expect("a size"));
        assert_eq!(parts.fold(Bytes::ZERO, Bytes::plus), Bytes::mebi(disk), "{size}");
        assert_eq!(flags["data"]["query.max-samples"], samples);
        assert_eq!(flags["data"]["query.max-concurrency"], concurrency);
        let runtime = json(port, "/api/v1/status/runtimeinfo");
        assert_eq!(runtime["data"]["GOMAXPROCS"], processors);
    }
}

fn json(port: u16, path: &str) -> serde_json::Value {
    let answer = get(port, path);
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}
