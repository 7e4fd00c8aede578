//! The disk that containers live on.

use crate::model::DiskKind;
use crate::units::Bytes;
use std::path::Path;
use std::path::PathBuf;

/// Where the engine keeps its data unless told otherwise.
const DATA_ROOT: &str = "/var/lib/docker";

/// Size and kind of the file system below the engine's data, or below `/` where there is no engine.
pub(super) fn of_containers(root: &Path, is_guest: bool) -> (Bytes, Option<DiskKind>) {
    let wanted = if root.join(DATA_ROOT.trim_start_matches('/')).is_dir() { DATA_ROOT } else { "/" };
    let disks = sysinfo::Disks::new_with_refreshed_list_specifics(sysinfo::DiskRefreshKind::nothing().with_storage());
    let Ok(disks) = disks else { return (Bytes::ZERO, None) };
    let below = disks.iter().filter(|disk| Path::new(wanted).starts_with(disk.mount_point()));
    let Some(disk) = below.max_by_key(|disk| disk.mount_point().as_os_str().len()) else { return (Bytes::ZERO, None) };
    let device = disk.name().to_string_lossy();
    (
        Bytes::new(disk.total_space()),
        kind(root, &device, is_guest).or(if cfg!(target_os = "macos") { Some(DiskKind::Nvme) } else { None }),
    )
}

/// The kind of a device such as `/dev/sda1` by what the kernel says of it and of what it is made of. The disk of a guest
/// claims to turn, whatever is behind it.
fn kind(root: &Path, device: &str, is_guest: bool) -> Option<DiskKind> {
    // A mapped device has a name of its own, which leads to the kernel's: `/dev/mapper/vg-root` to `/dev/dm-0`.
    let real = std::fs::canonicalize(root.join(device.trim_start_matches('/')));
    let device = real.unwrap_or_else(|_| PathBuf::from(device));
    let block = root.join("sys/class/block");
    let mut at = std::fs::canonicalize(block.join(device.file_name()?)).ok()?;
    // A mapped or striped device is made of others; the first one tells.
    let mut steps = 0;
    while let Some(slave) = first_slave(&at) {
        at = slave;
        steps += 1;
        if steps > 8 {
            return None;
        }
    }
    let name = at.file_name()?.to_string_lossy().into_owned();
    if name.starts_with("nvme") {
        return Some(DiskKind::Nvme);
    }
    // A partition has no queue of its own; its disk is the folder above.
    let folders = [Some(at.as_path()), at.parent()];
    let rotational = folders
        .into_iter()
        .flatten()
        .find_map(|folder| std::fs::read_to_string(folder.join("queue/rotational")).ok())?;
    match rotational.trim() {
        "0" => Some(DiskKind::Ssd),
        _ if is_guest => None,
        _ => Some(DiskKind::Hdd),
    }
}

fn first_slave(device: &Path) -> Option<PathBuf> {
    let mut slaves: Vec<PathBuf> =
        std::fs::read_dir(device.join("slaves")).ok()?.flatten().map(|entry| entry.path()).collect();
    slaves.sort();
    std::fs::canonicalize(slaves.first()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with a device of the kernel that turns or not.
    fn machine(device: &str, rotational: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary directory");
        let queue = root.path().join("sys/class/block").join(device).join("queue");
        std::fs::create_dir_all(&queue).expect("can be made");
        std::fs::write(queue.join("rotational"), rotational).expect("can be written");
        root
    }

    #[test]
    fn a_disk_is_told_by_its_name_and_by_whether_it_turns() {
        for (device, rotational, is_guest, wanted) in [
            ("nvme0n1", "0\n", false, Some(DiskKind::Nvme)),
            ("sda", "0\n", false, Some(DiskKind::Ssd)),
            ("sda", "1\n", false, Some(DiskKind::Hdd)),
            ("sda", "1\n", true, None),
            ("vda", "1\n", true, None),
            ("vda", "0\n", true, Some(DiskKind::Ssd)),
        ] {
            let root = machine(device, rotational);
            assert_eq!(kind(root.path(), &format!("/dev/{device}"), is_guest), wanted, "{device} {rotational}");
        }
        assert_eq!(kind(machine("sda", "0").path(), "overlay", false), None);
    }

    /// As Debian and Ubuntu install themselves: a volume group on an encrypted partition.
    #[test]
    #[cfg(unix)]
    fn a_mapped_disk_is_what_it_is_made_of() {
        let root = machine("sda", "0\n");
        let make = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("can be made");
            path
        };
        std::fs::write(make("dev/dm-0"), "").expect("can be written");
        std::os::unix::fs::symlink("../dm-0", make("dev/mapper/ubuntu--vg-root")).expect("can be linked");
        std::os::unix::fs::symlink("../../sda", make("sys/class/block/dm-0/slaves/sda")).expect("can be linked");
        assert_eq!(kind(root.path(), "/dev/mapper/ubuntu--vg-root", false), Some(DiskKind::Ssd));
    }
}
