use crate::large;
use crate::process::output;
use crate::process::server;
use crate::room;
use crate::small;
use plimsoll::model::DiskKind;
use plimsoll::model::Software;
use plimsoll::plan::settings;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use std::process::Command;

/// The server reads all its settings before it says what they are, and starts nothing. Half of 64 MiB, 3 GiB and 1 TiB;
/// the log is a quarter of that, from 96 MiB to 2 GiB.
#[test]
fn mysql_takes_its_settings() {
    let Some(program) = server("mariadbd") else { return };
    let planned = room(Bytes::gibi(3), Millicores::cores(1), DiskKind::Nvme);
    for (room, pool, log) in [(small(), 32_u64, 96_u64), (planned, 1536, 384), (large(), 512 << 10, 2048)] {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings::settings(Software::MySql, &room);
        // Flags alone: the images put the name of their program before them.
        let words = settings::command(Software::MySql, &[], &settings).expect("a command");
        let mut command = Command::new(&program);
        command.args(["--no-defaults", "--user=root", "--datadir"]).arg(folder.path()).args(&words);
        let read = output(command.args(["--verbose", "--help"]));
        let value = |name: &str| {
            let mut lines = read.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(first, value)| *first == name && !value.is_empty()).map(|(_, value)| value.trim().to_owned())
        };
        assert_eq!(value("innodb-buffer-pool-size"), Some((pool << 20).to_string()));
        assert_eq!(value("max-connections"), Some("100".to_owned()));
        let capacity = value("innodb-redo-log-capacity").or_else(|| value("innodb-log-file-size"));
        assert_eq!(capacity, Some((log << 20).to_string()));
    }
}
