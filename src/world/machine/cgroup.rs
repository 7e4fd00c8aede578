//! What control groups leave of a machine, version 1 and 2. A group's limit holds for all below it, so the least of the
//! whole way up counts.

use crate::units::Bytes;
use crate::units::Millicores;
use std::path::Path;
use std::path::PathBuf;

/// What control groups leave; `None` is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Left {
    pub(super) cpu: Option<Millicores>,
    pub(super) memory: Option<Bytes>,
}

/// Version 1 says "no limit" with a number near 2^63; no machine has so much.
const NO_LIMIT: u64 = 1 << 60;

/// The limits of the group this process is in.
pub(super) fn limits(root: &Path) -> Left {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut left = Left::default();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        if controllers.is_empty() {
            for folder in upwards(&root.join("sys/fs/cgroup"), path) {
                left.cpu = least(left.cpu, read(&folder, "cpu.max").and_then(|text| quota_of_two(&text)));
                left.memory = least(left.memory, memory(&folder, "memory.max"));
            }
            continue;
        }
        for controller in controllers.split(',') {
            let mount = root.join("sys/fs/cgroup").join(controller);
            for folder in upwards(&mount, path) {
                match controller {
                    "cpu" => {
                        let text = read(&folder, "cpu.cfs_quota_us").zip(read(&folder, "cpu.cfs_period_us"));
                        let text = text.map(|(quota, period)| format!("{quota} {period}"));
                        left.cpu = least(left.cpu, text.and_then(|text| quota_of_two(&text)));
                    }
                    "memory" => left.memory = least(left.memory, memory(&folder, "memory.limit_in_bytes")),
                    _ => {}
                }
            }
        }
    }
    left
}

/// Threads that this process may run on, by `Cpus_allowed_list`: `0-3,6`.
pub(super) fn threads_allowed(root: &Path) -> Option<u32> {
    let status = std::fs::read_to_string(root.join("proc/self/status")).ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut count = 0_u32;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count = count.saturating_add(last.checked_sub(first)?.saturating_add(1));
    }
    Some(count)
}

/// The folder of a group and all above it, up to the root of the hierarchy. Inside a container the path may be that of
/// the host, which is not there; then only the root is.
fn upwards(mount: &Path, path: &str) -> Vec<PathBuf> {
    let inner = Path::new(path.trim_start_matches('/'));
    // A path that leaves the hierarchy (`/../..`) is that of another name space.
    let inner = if inner.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
        inner
    } else {
        Path::new("")
    };
    inner.ancestors().map(|part| mount.join(part)).filter(|folder| folder.is_dir()).collect()
}

fn read(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(name)).ok()
}

fn memory(folder: &Path, name: &str) -> Option<Bytes> {
    read(folder, name)?.trim().parse().ok().filter(|bytes| *bytes > 0 && *bytes < NO_LIMIT).map(Bytes::new)
}

/// `150000 100000`, quota and period in microseconds; `max` or `-1` is without limit.
fn quota_of_two(text: &str) -> Option<Millicores> {
    let mut parts = text.split_whitespace();
    let quota: u64 = parts.next()?.parse().ok().filter(|quota| *quota > 0)?;
    let period: u64 = parts.next()?.parse().ok().filter(|period| *period > 0)?;
    Some(Millicores::new((quota.saturating_mul(1000) / period).max(1)))
}

fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("can be made");
            std::fs::write(path, text).expect("can be written");
        }
        root
    }

    #[test]
    fn the_least_on_the_way_up_counts_in_version_two() {
        let root = machine(&[
            ("proc/self/cgroup", "0::/system.slice/docker-1.scope\n"),
            ("sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/system.slice/memory.max", "max\n"),
            ("sys/fs/cgroup/system.slice/docker-1.scope/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/system.slice/docker-1.scope/memory.max", "536870912\n"),
        ]);
        let wanted = Left { cpu: Some(Millicores::new(1500)), memory: Some(Bytes::mebi(512)) };
        assert_eq!(limits(root.path()), wanted);
    }

    #[test]
    fn version_one_has_a_hierarchy_for_each_controller() {
        let root = machine(&[
            ("proc/self/cgroup", "4:memory:/api/x\n2:cpu,cpuacct:/\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/api/x/memory.limit_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(limits(root.path()), Left { cpu: None, memory: Some(Bytes::gibi(1)) });
    }

    /// Inside a container the kernel names the group as the host sees it; the limits lie at the root of the mount.
    #[test]
    fn a_path_of_another_name_space_leaves_the_root() {
        let root =
            machine(&[("proc/self/cgroup", "0::/../../host.slice\n"), ("sys/fs/cgroup/cpu.max", "50000 100000\n")]);
        assert_eq!(limits(root.path()).cpu, Some(Millicores::new(500)));
        assert_eq!(limits(machine(&[]).path()), Left::default());
    }

    #[test]
    fn threads_are_counted_from_the_list_of_the_kernel() {
        let root = machine(&[("proc/self/status", "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,6,8-9\n")]);
        assert_eq!(threads_allowed(root.path()), Some(7));
        let broken = machine(&[("proc/self/status", "Cpus_allowed_list:\t3-1\n")]);
        assert_eq!(threads_allowed(broken.path()), None);
    }
}
