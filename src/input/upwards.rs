//! The way up from a folder, for files that hold for all that lies below them.

use std::path::Path;
use std::path::PathBuf;

/// The folder and every folder above it, the nearest first. A relative path keeps its form as far as it goes, so that what
/// is found is named as the user would name it; the folders above where it begins are named from the root.
pub(super) fn upwards(folder: &Path) -> Vec<PathBuf> {
    // What `..` leads to has its own parents: they are not those that are left when the `..` is cut off.
    let top = folder.ancestors().find(|above| above.file_name().is_none()).unwrap_or(folder);
    let below = folder.ancestors().take_while(|above| *above != top).chain([top]);
    let here = if top.as_os_str().is_empty() { Path::new(".") } else { top };
    let real = here.canonicalize().unwrap_or_default();
    below.chain(real.ancestors().skip(1)).map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_goes_on_where_it_ends() {
        let here = std::env::current_dir().expect("there is one").canonicalize().expect("it is there");
        let above: Vec<&Path> = here.ancestors().skip(1).collect();
        for (folder, own) in [("", vec![""]), (".", vec!["."]), ("src/input", vec!["src/input", "src", ""])] {
            let own: Vec<&Path> = own.into_iter().map(Path::new).collect();
            assert_eq!(upwards(Path::new(folder)), [own, above.clone()].concat(), "{folder}");
        }
        assert_eq!(upwards(&here), here.ancestors().collect::<Vec<_>>());
    }

    #[test]
    fn a_path_that_leads_up_passes_no_folder_that_is_not_above_it() {
        let here = std::env::current_dir().expect("there is one").canonicalize().expect("it is there");
        let above: Vec<&Path> = here.ancestors().skip(2).collect();
        let own = [Path::new("../other"), Path::new("..")];
        assert_eq!(upwards(Path::new("../other")), [own.to_vec(), above].concat());
    }
}
