//! The public Compose sets beside the checkout, each as its user has it: in a folder of its own, with the env files and
//! variables that its index tells of.

use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::problem::Source;
use plimsoll::input::yaml;
use plimsoll::input::yaml::Node;
use std::path::Path;

/// All sets, copied below `home`: what the index says of each, and how it is loaded. None of them where they are not beside
/// the checkout, which is said.
#[expect(clippy::print_stderr, reason = "a test that has less to work on says so plainly")]
pub(crate) fn shared(home: &Path) -> Vec<(Node, ComposeArgs)> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/compose");
    let Ok(source) = Source::read(&shared.join("index.yaml")) else {
        eprintln!("skipped: ../shared/compose is not there");
        return Vec::new();
    };
    let index = yaml::read(&source).0.expect("an index");
    let sets = index.get("sets").map(Node::items).unwrap_or_default();
    assert!(!sets.is_empty(), "an index without sets");
    sets.iter().map(|index| (index.clone(), set(index, &shared, home))).collect()
}

fn set(index: &Node, shared: &Path, home: &Path) -> ComposeArgs {
    let name = index.get("name").and_then(Node::scalar).expect("a set has a name");
    let folder = home.join(&name);
    copy(&shared.join(&name), &folder);
    for absent in texts(index.get("env_files_absent")) {
        let example = folder.join(format!("{absent}.example"));
        let whole = example.is_file() && index.get("notes").and_then(Node::scalar).is_some_and(|n| n.contains("copy"));
        let text = if whole { std::fs::read_to_string(example).expect("the example") } else { String::new() };
        std::fs::write(folder.join(absent), text).expect("an env file");
    }
    let env_files = index.get("env_file").and_then(Node::scalar).filter(|file| file != ".env");
    let environment = index.get("set_variables").map(Node::entries).unwrap_or_default();
    ComposeArgs {
        files: texts(index.get("compose_files")).iter().map(|file| folder.join(file)).collect(),
        env_files: env_files.iter().map(|file| folder.join(file)).collect(),
        environment: environment
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.scalar().unwrap_or_default()))
            .collect(),
        ..ComposeArgs::default()
    }
}

/// The texts of a list.
pub(crate) fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect()
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            // Not `fs::copy`, which would keep that a file may not be written.
            std::fs::write(target, std::fs::read(entry.path()).expect("a file to copy")).expect("a copy");
        }
    }
}
