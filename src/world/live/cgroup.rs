//! Limits as the kernel has them. An engine can believe in a limit that the kernel never got, so what was changed is read
//! back here. Only where the engine's host is this machine.

use crate::model::Limits;
use crate::units::Bytes;
use crate::units::Millicores;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// From this on a memory limit means none: version 1 writes the largest number of whole pages.
const NO_LIMIT: u64 = 1 << 62;

/// What the kernel was told about one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Limits in force.
    pub limits: Limits,
    /// Memory and swap together; `None` without limit or where swap is not counted.
    pub memory_and_swap: Option<Bytes>,
    /// Processes and threads now.
    pub processes: Option<u64>,
    /// Memory in use without the cache that can be dropped at once.
    pub working_set: Option<Bytes>,
}

/// What the kernel was told about a container, by its first process; `None` where that is gone, or its control groups cannot
/// be read here.
#[must_use]
pub fn of(container: &str, pid: u32) -> Option<Kernel> {
    below(Path::new("/"), container, pid)
}

fn below(root: &Path, container: &str, pid: u32) -> Option<Kernel> {
    let groups = fs::read_to_string(root.join(format!("proc/{pid}/cgroup"))).ok()?;
    // The number may by now be that of another process, or from within a container mean another one from the start.
    if !groups.contains(container) {
        return None;
    }
    let unified = groups.lines().find_map(|line| line.strip_prefix("0::")).filter(|path| *path != "/");
    let place = |controller: &str| {
        let mine = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            controllers.split(',').any(|one| one == controller).then_some(path)
        })?;
        // Where two controllers share a tree its folder has both names, and each name is a link.
        let folder = root.join("sys/fs/cgroup").join(controller);
        Some(within(&folder, mine))
    };
    // From within a container other paths are seen than those that the kernel names: then nothing is known.
    if let (Some(memory), Some(cpu)) = (place("memory"), place("cpu")) {
        let is_seen = memory.is_dir() && cpu.is_dir();
        return is_seen.then(|| first_version(&memory, &cpu, place("pids").as_deref()));
    }
    let group = within(&root.join("sys/fs/cgroup"), unified?);
    group.is_dir().then(|| second_version(&group))
}

fn within(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.trim_start_matches('/'))
}

fn first_version(memory: &Path, cpu: &Path, pids: Option<&Path>) -> Kernel {
    let quota = number(&cpu.join("cpu.cfs_quota_us"));
    let period = number(&cpu.join("cpu.cfs_period_us"));
    let limit = |name: &str| number(&memory.join(name)).filter(|limit| *limit < NO_LIMIT).map(Bytes::new);
    let used = number(&memory.join("memory.usage_in_bytes"));
    Kernel {
        limits: Limits { cpu: cores(quota, period), memory: limit("memory.limit_in_bytes") },
        memory_and_swap: limit("memory.memsw.limit_in_bytes"),
        processes: pids.and_then(|pids| number(&pids.join("pids.current"))),
        working_set: used.map(|used| without_cache(used, &memory.join("memory.stat"), "total_inactive_file ")),
    }
}

fn second_version(group: &Path) -> Kernel {
    let max = fs::read_to_string(group.join("cpu.max")).unwrap_or_default();
    let mut parts = max.split_whitespace().map(|part| part.parse::<u64>().ok());
    let (quota, period) = (parts.next().flatten(), parts.next().flatten());
    let memory = number(&group.join("memory.max")).map(Bytes::new);
    let swap = number(&group.join("memory.swap.max")).map(Bytes::new);
    let used = number(&group.join("memory.current"));
    Kernel {
        limits: Limits { cpu: cores(quota, period), memory },
        memory_and_swap: memory.and_then(|memory| swap.map(|swap| memory.plus(swap))),
        processes: number(&group.join("pids.current")),
        working_set: used.map(|used| without_cache(used, &group.join("memory.stat"), "inactive_file ")),
    }
}

/// What is left without the file cache that nobody used lately.
fn without_cache(used: u64, stat: &Path, name: &str) -> Bytes {
    let stat = fs::read_to_string(stat).unwrap_or_default();
    let cache = stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    Bytes::new(used.saturating_sub(cache.unwrap_or(0)))
}

/// A quota in cores; `None` where there is none.
fn cores(quota: Option<u64>, period: Option<u64>) -> Option<Millicores> {
    let (quota, period) = (quota?, period.filter(|period| *period > 0)?);
    Some(Millicores::new(quota.saturating_mul(1000) / period))
}

/// A number alone in a file; `None` for `max`, `-1` and what cannot be read.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with these files.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("can be made");
            fs::write(path, text).expect("can be written");
        }
        root
    }

    #[test]
    fn the_first_version_keeps_each_limit_in_a_tree_of_its_own() {
        let root = machine(&[
            ("proc/7/cgroup", "9:pids:/docker/c0ffee\n8:memory:/docker/c0ffee\n4:cpu,cpuacct:/docker/c0ffee\n0::/\n"),
            ("sys/fs/cgroup/cpu/docker/c0ffee/cpu.cfs_quota_us", "150000\n"),
            ("sys/fs/cgroup/cpu/docker/c0ffee/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/memory/docker/c0ffee/memory.limit_in_bytes", "134217728\n"),
            ("sys/fs/cgroup/memory/docker/c0ffee/memory.memsw.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/docker/c0ffee/memory.usage_in_bytes", "50000000\n"),
            ("sys/fs/cgroup/memory/docker/c0ffee/memory.stat", "inactive_file 1\ntotal_inactive_file 20000000\n"),
            ("sys/fs/cgroup/pids/docker/c0ffee/pids.current", "11\n"),
        ]);
        let kernel = below(root.path(), "c0ffee", 7).expect("it is there");
        let limits = Limits { cpu: Some(Millicores::new(1500)), memory: Some(Bytes::mebi(128)) };
        let wanted =
            Kernel { limits, memory_and_swap: None, processes: Some(11), working_set: Some(Bytes::new(30_000_000)) };
        assert_eq!(kernel, wanted);
    }

    #[test]
    fn the_second_version_keeps_all_in_one_folder() {
        let root = machine(&[
            ("proc/7/cgroup", "0::/system.slice/docker-c0ffee.scope\n"),
            ("sys/fs/cgroup/system.slice/docker-c0ffee.scope/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/system.slice/docker-c0ffee.scope/memory.max", "268435456\n"),
            ("sys/fs/cgroup/system.slice/docker-c0ffee.scope/memory.swap.max", "0\n"),
            ("sys/fs/cgroup/system.slice/docker-c0ffee.scope/memory.current", "50000000\n"),
            ("sys/fs/cgroup/system.slice/docker-c0ffee.scope/memory.stat", "anon 1\ninactive_file 20000000\n"),
        ]);
        let kernel = below(root.path(), "c0ffee", 7).expect("it is there");
        assert_eq!(kernel.limits, Limits { cpu: None, memory: Some(Bytes::mebi(256)) });
        assert_eq!(kernel.memory_and_swap, Some(Bytes::mebi(256)));
        assert_eq!((kernel.working_set, kernel.processes), (Some(Bytes::new(30_000_000)), None));
        assert_eq!(below(root.path(), "c0ffee", 8), None, "a process that is gone");
        assert_eq!(below(root.path(), "decaf", 7), None, "the number belongs to another container by now");
        let elsewhere = machine(&[("proc/7/cgroup", "8:memory:/docker/c0ffee\n4:cpu,cpuacct:/docker/c0ffee\n")]);
        assert_eq!(
            below(elsewhere.path(), "c0ffee", 7),
            None,
            "groups that are not seen here are not groups without limits"
        );
    }
}
