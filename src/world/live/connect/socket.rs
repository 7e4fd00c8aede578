//! Why a socket of this machine does not let us in.

use super::Why;
use std::fs;
use std::io;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is in the way, and what to do.
pub(super) fn explain(error: &io::Error, socket: &Path, rootless: Option<&Path>) -> (Why, String) {
    match error.kind() {
        ErrorKind::PermissionDenied => (Why::Denied, denied(socket)),
        ErrorKind::NotFound => {
            let other = rootless.filter(|other| *other != socket && other.exists());
            let other =
                other.map(|other| format!("; or use the engine without root: --docker unix://{}", other.display()));
            (Why::Stopped, format!("{}{}", start(), other.unwrap_or_default()))
        }
        ErrorKind::ConnectionRefused => (Why::Stopped, format!("nothing listens on it any more; {}", start())),
        _ => (Why::Stopped, "see whether `docker info` works".to_owned()),
    }
}

fn start() -> &'static str {
    "is the engine running? `sudo systemctl start docker` starts it; --docker and DOCKER_HOST name another"
}

fn denied(socket: &Path) -> String {
    // Of a folder that is not for us, nothing is known.
    let Ok(there) = fs::metadata(socket) else {
        return "only the one whom its folder belongs to may use it; --docker and DOCKER_HOST name another engine"
            .to_owned();
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let who = Who { status: read("/proc/self/status"), users: read("/etc/passwd"), groups: read("/etc/group") };
    who.denied(there.gid(), there.mode())
}

/// Who we are, as the system's files say.
struct Who {
    /// `/proc/self/status`.
    status: String,
    /// `/etc/passwd`.
    users: String,
    /// `/etc/group`.
    groups: String,
}

impl Who {
    fn denied(&self, group: u32, mode: u32) -> String {
        let number = group.to_string();
        let mine = |key: &str| {
            self.status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().split_whitespace()
        };
        let user = mine("Uid:").nth(1).and_then(|user| named(&self.users, user)).map(|user| user[0]).unwrap_or("$USER");
        let listed = named(&self.groups, &number);
        let name = listed.as_ref().map_or(number.as_str(), |group| group[0]);
        // Write for the group: a socket is used by who may write to it.
        if mode & 0o020 == 0 {
            return "only the one whom it belongs to may use it: take sudo, or set the group in docker.socket"
                .to_owned();
        }
        if mine("Groups:").chain(mine("Gid:")).any(|of| of == number) {
            return format!("you are in its group `{name}`, so something else forbids it, such as SELinux or AppArmor");
        }
        if listed
            .is_some_and(|group| group.get(3).is_some_and(|members| members.split(',').any(|member| member == user)))
        {
            return format!(
                "you were made a member of its group `{name}` after you logged in: log in again, or `newgrp {name}`"
            );
        }
        format!(
            "it is for members of the group `{name}`, and you are not one: `sudo usermod -aG {name} {user}`, then log \
             in again; members can do on this host what root can"
        )
    }
}

/// The fields of the line with this number in the third one.
fn named<'a>(file: &'a str, number: &str) -> Option<Vec<&'a str>> {
    file.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.get(2) == Some(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(groups_of_mine: &str, members: &str) -> Who {
        Who {
            status: format!("Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t{groups_of_mine} \n"),
            users: "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n".to_owned(),
            groups: format!("ann:x:1000:\ndocker:x:999:{members}\n"),
        }
    }

    #[test]
    fn who_is_denied_learns_which_group_is_missing() {
        let said = who("4 1000", "").denied(999, 0o140_660);
        assert!(said.contains("`sudo usermod -aG docker ann`"), "{said}");
        let said = who("4 1000", "bob,ann").denied(999, 0o140_660);
        assert!(said.contains("log in again, or `newgrp docker`"), "{said}");
        let said = who("4 999 1000", "ann").denied(999, 0o140_660);
        assert!(said.contains("SELinux"), "{said}");
        let said = who("4 1000", "").denied(4242, 0o140_660);
        assert!(said.contains("usermod -aG 4242 ann"), "{said}");
        let said = who("4 1000", "").denied(0, 0o140_600);
        assert!(said.contains("only the one whom it belongs to"), "{said}");
    }
}
