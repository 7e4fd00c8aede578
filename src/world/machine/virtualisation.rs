//! Whether this is a machine of its own, a guest, or a container.

use std::path::Path;

/// What the firmware of a guest says, and what it is a guest of.
const FIRMWARE: [(&str, &str); 12] = [
    ("QEMU", "kvm"),
    ("KVM", "kvm"),
    ("Google", "kvm"),
    ("DigitalOcean", "kvm"),
    ("Hetzner", "kvm"),
    ("OpenStack", "kvm"),
    ("Amazon EC2", "nitro"),
    ("VMware", "vmware"),
    ("VirtualBox", "virtualbox"),
    ("Xen", "xen"),
    ("Microsoft Corporation Virtual Machine", "hyper-v"),
    ("Parallels", "parallels"),
];

/// What this machine is virtualised by; `none` for a machine of its own, `None` where nothing tells.
pub(super) fn of(root: &Path) -> Option<String> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default().trim().to_owned();
    let xen = read("sys/hypervisor/type");
    if !xen.is_empty() {
        return Some(xen);
    }
    let firmware = format!("{} {}", read("sys/class/dmi/id/sys_vendor"), read("sys/class/dmi/id/product_name"));
    if let Some((_, name)) = FIRMWARE.iter().find(|(says, _)| firmware.contains(says)) {
        return Some((*name).to_owned());
    }
    let processor = read("proc/cpuinfo");
    if processor
        .lines()
        .any(|line| line.starts_with("flags") && line.split_whitespace().any(|flag| flag == "hypervisor"))
    {
        return Some("unknown hypervisor".to_owned());
    }
    (!firmware.trim().is_empty()).then(|| "none".to_owned())
}

/// The kind of container this program runs in, where it runs in one.
pub(super) fn container(root: &Path) -> Option<String> {
    if root.join(".dockerenv").exists() {
        return Some("docker".to_owned());
    }
    if root.join("run/.containerenv").exists() {
        return Some("podman".to_owned());
    }
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let known = [("docker", "docker"), ("kubepods", "kubernetes"), ("libpod", "podman"), ("/lxc", "lxc")];
    known.into_iter().find(|(part, _)| groups.contains(part)).map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_known_by_its_firmware_and_a_container_by_its_marks() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("can be made");
            std::fs::write(path, text).expect("can be written");
        };
        assert_eq!((of(root.path()), container(root.path())), (None, None));
        write("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
        assert_eq!(of(root.path()).as_deref(), Some("none"));
        write("proc/cpuinfo", "flags\t\t: fpu vme hypervisor\n");
        assert_eq!(of(root.path()).as_deref(), Some("unknown hypervisor"));
        write("sys/class/dmi/id/sys_vendor", "QEMU\n");
        assert_eq!(of(root.path()).as_deref(), Some("kvm"));
        write("proc/self/cgroup", "0::/kubepods.slice/x\n");
        assert_eq!(container(root.path()).as_deref(), Some("kubernetes"));
    }
}
