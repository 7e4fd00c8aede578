//! Interfaces to the outside, without those that containers, tunnels and bridges make.

use std::path::Path;

/// Beginnings of the names of interfaces that lead nowhere outside.
const INNER: [&str; 14] =
    ["lo", "docker", "br-", "veth", "virbr", "ifb", "dummy", "tun", "tap", "cni", "flannel", "vmnet", "awdl", "utun"];

/// Name and speed in Mbit/s of each, in order of their names. The speed of a virtual one is not known.
pub(super) fn interfaces(root: &Path) -> Vec<(String, Option<u32>)> {
    let folder = root.join("sys/class/net");
    let mut names: Vec<String> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
        Err(_) => {
            // Elsewhere than on Linux every port of the machine has an interface; those with an address count.
            let networks = sysinfo::Networks::new_with_refreshed_list();
            let all = networks.iter().flat_map(|networks| networks.iter());
            all.filter(|(_, data)| !data.ip_networks().is_empty())
                .map(|(name, _)| name.to_string_lossy().into_owned())
                .collect()
        }
    };
    // The kernel files what software makes (bridges, tunnels, bonds) under `virtual`. Within a container nothing else is
    // there; then the names tell.
    let is_made = |name: &String| {
        std::fs::canonicalize(folder.join(name))
            .is_ok_and(|place| place.components().any(|part| part.as_os_str() == "virtual"))
    };
    if names.iter().any(|name| !is_made(name)) {
        names.retain(|name| !is_made(name));
    }
    names.retain(|name| !INNER.iter().any(|inner| name.starts_with(inner)));
    names.retain(|name| {
        let state = std::fs::read_to_string(folder.join(name).join("operstate")).unwrap_or_default();
        state.trim() != "down"
    });
    names.sort();
    let speed = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name).join("speed")).ok()?;
        text.trim().parse::<u32>().ok().filter(|speed| *speed > 0)
    };
    names.into_iter().map(|name| (name.clone(), speed(&name))).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Interfaces as the kernel files them: where, speed, state.
    fn machine(interfaces: &[(&str, Option<&str>, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary directory");
        let names = root.path().join("sys/class/net");
        std::fs::create_dir_all(&names).expect("can be made");
        for (place, speed, state) in interfaces {
            let folder = root.path().join("sys/devices").join(place);
            std::fs::create_dir_all(&folder).expect("can be made");
            std::fs::write(folder.join("operstate"), state).expect("can be written");
            if let Some(speed) = speed {
                std::fs::write(folder.join("speed"), speed).expect("can be written");
            }
            let name = folder.file_name().expect("it has a name").to_owned();
            std::os::unix::fs::symlink(folder, names.join(name)).expect("can be linked");
        }
        root
    }

    #[test]
    fn what_software_makes_and_unplugged_ports_do_not_count() {
        let root = machine(&[
            ("virtual/net/lo", None, "unknown"),
            ("virtual/net/docker0", Some("10000"), "up"),
            ("virtual/net/br0", None, "up"),
            ("virtual/net/wg0", None, "unknown"),
            ("virtual/net/bond0", Some("5000"), "up"),
            ("pci0000:00/0000:00:02.0/net/eth0", Some("2500"), "up"),
            ("pci0000:00/0000:00:03.0/net/eth1", Some("-1"), "up"),
            ("pci0000:00/0000:00:04.0/net/eth2", Some("1000"), "down"),
        ]);
        assert_eq!(interfaces(root.path()), [("eth0".to_owned(), Some(2500)), ("eth1".to_owned(), None)]);
    }

    #[test]
    fn within_a_container_a_virtual_one_leads_out() {
        let root = machine(&[
            ("virtual/net/lo", None, "unknown"),
            ("virtual/net/tun0", None, "up"),
            ("virtual/net/eth0", Some("10000"), "up"),
        ]);
        assert_eq!(interfaces(root.path()), [("eth0".to_owned(), Some(10000))]);
    }
}
