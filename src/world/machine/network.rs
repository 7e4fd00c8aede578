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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bridges_and_unplugged_ports_do_not_count() {
        let root = tempfile::tempdir().expect("a temporary directory");
        for (name, speed, state) in [
            ("lo", None, "unknown"),
            ("docker0", Some("10000"), "up"),
            ("br-1234", None, "up"),
            ("veth12", Some("10000"), "up"),
            ("eth0", Some("2500"), "up"),
            ("eth1", Some("-1"), "up"),
            ("eth2", Some("1000"), "down"),
        ] {
            let folder = root.path().join("sys/class/net").join(name);
            std::fs::create_dir_all(&folder).expect("can be made");
            std::fs::write(folder.join("operstate"), state).expect("can be written");
            if let Some(speed) = speed {
                std::fs::write(folder.join("speed"), speed).expect("can be written");
            }
        }
        let found = interfaces(root.path());
        assert_eq!(found, [("eth0".to_owned(), Some(2500)), ("eth1".to_owned(), None)]);
    }
}
