use crate::large;
use crate::process::output;
use crate::process::server;
use crate::room;
use crate::small;
use plimsoll::model::DiskKind;
use plimsoll::model::Software;
use plimsoll::plan::settings;
use plimsoll::plan::settings::How;
use plimsoll::plan::settings::Room;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use std::path::Path;
use std::process::Command;

fn with_environment(program: &Path, software: Software, room: &Room) -> Command {
    let settings = settings::settings(software, room);
    let mut command = Command::new(program);
    command.envs(settings.iter().filter(|set| set.how == How::Environment).map(|set| (&set.name, &set.value)));
    command
}

/// Node adds its young generation, at most three times 32 MiB, to the old space it was given.
#[test]
fn node_takes_its_heap() {
    let Some(node) = server("node") else { return };
    let planned = room(Bytes::mebi(1536), Millicores::new(800), DiskKind::Nvme);
    for (room, heap) in [(small(), 54), (planned, 1305), (large(), 891_289_u64)] {
        let mut command = with_environment(&node, Software::Node, &room);
        let limit = output(command.args(["-p", "require('v8').getHeapStatistics().heap_size_limit"]));
        let limit: u64 = limit.trim().parse().expect("a number");
        assert!((heap << 20..=(heap + 96) << 20).contains(&limit), "{heap} MiB: {limit}");
    }
}

/// Java is told the limit as `MaxRAM`, in place of the container. It rounds a heap up to its regions, of which there are
/// some 2048, so by a thousandth at most.
#[test]
fn java_takes_its_share() {
    let Some(java) = server("java") else { return };
    let planned = room(Bytes::gibi(2), Millicores::cores(1), DiskKind::Nvme);
    for room in [planned, large()] {
        let mut command = with_environment(&java, Software::Jvm, &room);
        let limit = format!("-XX:MaxRAM={}", room.memory.get());
        let flags = output(command.args([&limit, "-Xms8m", "-XX:+PrintFlagsFinal", "-version"]));
        let line = flags.lines().find(|line| line.contains(" MaxHeapSize ")).expect("a line of its heap");
        let heap: u64 = line.split_whitespace().nth(3).and_then(|word| word.parse().ok()).expect("a number");
        let wanted = room.memory.scaled(3, 4).get();
        assert!((wanted..=wanted + wanted / 1000).contains(&heap), "{wanted}: {line}");
    }
}
