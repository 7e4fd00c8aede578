//! Ways from one place to another, for files that name others.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// The path from the root, with links followed as far as it is there.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let path = path.unwrap_or_default();
    for above in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

/// The way from one folder to another, as Compose wants it in a mount: with `./` or `../` at its beginning, or from the root
/// where the two share nothing else.
pub(super) fn between(from: &Path, to: &Path) -> String {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    if shared <= 1 {
        return to.to_string_lossy().replace('\\', "/");
    }
    let ups = from.components().skip(shared).map(|_| Component::ParentDir);
    let way: PathBuf = ups.chain(to.components().skip(shared)).collect();
    let way = way.to_string_lossy().replace('\\', "/");
    if way.starts_with("..") { way } else { format!("./{way}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_relative_to_the_project() {
        let way = |from: &str, to: &str| between(Path::new(from), Path::new(to));
        assert_eq!(way("/srv/shop", "/srv/shop/monitoring"), "./monitoring");
        assert_eq!(way("/srv/shop/scenarios/peak", "/srv/shop/monitoring"), "../../monitoring");
        assert_eq!(way("/srv/shop", "/srv/shop"), "./");
        assert_eq!(way("/srv/shop", "/tmp/x"), "/tmp/x");
        assert_eq!(way("/srv/shop", "/srv/watch"), "../watch");
    }
}
