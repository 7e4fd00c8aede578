//! What is mounted into a container: volumes, folders, file systems in memory.

use crate::input::yaml::Node;
use crate::input::yaml::Value;
use crate::model::Mount;
use crate::model::MountKind;
use crate::model::Tmpfs;
use crate::units::Bytes;

/// Reads one element of `volumes`.
///
/// # Errors
/// What is wrong with it, in words that follow "`…` is not a volume:".
pub(super) fn read(node: &Node) -> Result<Mount, String> {
    match &node.value {
        Value::Text(text) => short(text),
        Value::Map(_) => long(node),
        _ => Err(format!("it is {}", node.kind())),
    }
}

/// `[source:]target[:options]`; a Windows drive letter before a colon belongs to the path.
fn short(text: &str) -> Result<Mount, String> {
    let mut parts: Vec<&str> = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(':') {
        let part = &text[start..at];
        let drive = part.len() == 1
            && part.bytes().all(|byte| byte.is_ascii_alphabetic())
            && text[at + 1..].starts_with(['\\', '/'])
            && (start == 0 || text[at + 1..].starts_with('\\'));
        if !drive {
            parts.push(part);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    if parts.iter().any(|part| part.is_empty()) {
        return Err("nothing stands between or beside the colons".to_owned());
    }
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return Err("it has too many colons".to_owned()),
    };
    let kind = if source.is_some_and(is_path) { MountKind::Bind } else { MountKind::Volume };
    let read_only = options.split(',').any(|option| option == "ro");
    Ok(Mount { kind, source: source.map(str::to_owned), target: cleaned(target), read_only })
}

fn long(node: &Node) -> Result<Mount, String> {
    let text = |key: &str| node.get(key).and_then(Node::scalar);
    let kind = match text("type").as_deref() {
        Some("bind") => MountKind::Bind,
        Some("volume") => MountKind::Volume,
        Some("tmpfs") => MountKind::Tmpfs,
        Some(_) => MountKind::Other,
        None => return Err("`type` is missing".to_owned()),
    };
    let read_only = text("read_only").as_deref() == Some("true");
    let target = cleaned(&text("target").ok_or("`target` is missing")?);
    Ok(Mount { kind, source: text("source"), target, read_only })
}

/// A path of the host rather than the name of a volume.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~', '\\']) || source.get(1..2) == Some(":")
}

/// Without a slash at the end, so that equal targets are equal.
fn cleaned(target: &str) -> String {
    let short = target.trim_end_matches('/');
    if short.is_empty() { target.to_owned() } else { short.to_owned() }
}

/// Reads one element of `tmpfs`: `target[:size=64m,mode=…]`.
pub(super) fn tmpfs(text: &str) -> Result<Tmpfs, String> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let size = options.split(',').find_map(|option| option.strip_prefix("size="));
    let size = match size {
        // A share of the host's memory, which a file cannot know.
        Some(share) if share.ends_with('%') => None,
        Some(size) => Some(Bytes::parse(size).map_err(|error| error.to_string())?),
        None => None,
    };
    Ok(Tmpfs { target: target.to_owned(), size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_short_form() {
        use MountKind::Bind;
        use MountKind::Volume;
        for (text, kind, source, target, read_only) in [
            ("/data", Volume, None, "/data", false),
            ("data:/data/", Volume, Some("data"), "/data", false),
            ("./a:/b:ro", Bind, Some("./a"), "/b", true),
            ("~/a:/b:rw,z", Bind, Some("~/a"), "/b", false),
            ("/a:/", Bind, Some("/a"), "/", false),
            ("C:\\a:/b", Bind, Some("C:\\a"), "/b", false),
            ("d:/a:/b:ro", Bind, Some("d:/a"), "/b", true),
            ("c:\\a:d:\\b", Bind, Some("c:\\a"), "d:\\b", false),
        ] {
            let source = source.map(str::to_owned);
            assert_eq!(short(text), Ok(Mount { kind, source, target: target.to_owned(), read_only }), "{text}");
        }
        for text in ["", ":", "a:", ":/b", "aa:/b:ro:x"] {
            assert!(short(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_file_systems_in_memory() {
        assert_eq!(tmpfs("/run"), Ok(Tmpfs { target: "/run".into(), size: None }));
        assert_eq!(tmpfs("/tmp:mode=755,size=64m"), Ok(Tmpfs { target: "/tmp".into(), size: Some(Bytes::mebi(64)) }));
        assert_eq!(tmpfs("/tmp:size=50%").map(|tmpfs| tmpfs.size), Ok(None));
        assert!(tmpfs("/tmp:size=big").is_err());
    }
}
