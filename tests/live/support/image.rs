//! Images without a registry: a program of this machine, with the shared libraries that it asks for, in a root of their
//! own.
//!
//! An image is named after a hash of all that is in it, so each is made once and found by every later test. What piles
//! up goes with `docker image prune --all --filter label=plimsoll.test`.

use crate::support::engine::docker;
use crate::support::engine::docker_says;
use crate::support::engine::run;
use crate::support::engine::said;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The health check of a service that runs the test app, as a line of a Compose file.
pub(crate) const APP_HEALTH: &str =
    "healthcheck: {test: [CMD, /app, check], interval: 1s, timeout: 3s, retries: 2, start_period: 0s}";

/// The image of the test app (`tests/live/app.rs`), which listens on port 8080.
pub(crate) fn app() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let folder = beside_tests().join("../examples");
        let program = folder.join("test_app");
        // `cargo test` builds it too, but not where it is told which tests to build.
        let written = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
        let source = written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/app.rs"));
        assert!(
            written(&program).is_some_and(|built| source.is_none_or(|source| source <= built)),
            "{} is not there, or older than its source: `cargo build --example test_app` builds it (with `--release` \
             where the tests are built so)",
            program.display()
        );
        let mut tar = Tar::new();
        tar.file_from(&folder, "test_app").libraries_of(&program);
        tar.import("app", "/app", &["--transform=s,^test_app$,app,"])
    })
}

/// An image of a program of this machine, such as `/usr/sbin/nginx`; its name without the hash is
/// `plimsoll-test-<name>`. It starts with the program, and what `command:` of a service says are arguments of it.
/// Beside its libraries it holds files and folders with all that is in them, such as `/etc/passwd`; programs among the
/// files come with their libraries.
pub(crate) fn of_debian(name: &str, program: &str, beside: &[&str]) -> String {
    let mut tar = Tar::new();
    for path in [program].iter().chain(beside) {
        assert!(
            Path::new(path).exists(),
            "{path} is not on this machine, and a container of `{name}` needs it: install the package that has it"
        );
        tar.file(path);
        if Path::new(path).is_file() {
            tar.libraries_of(Path::new(path));
        }
    }
    tar.import(name, program, &[])
}

/// The folder that the test executable is in.
fn beside_tests() -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its executable");
    tests.parent().expect("an executable is in a folder").to_owned()
}

/// What goes into an image.
struct Tar {
    /// The folder that a file is taken from, and its path from there, which is the one in the image too.
    files: BTreeSet<(PathBuf, String)>,
}

impl Tar {
    fn new() -> Self {
        Self { files: BTreeSet::new() }
    }

    fn file_from(&mut self, folder: &Path, path: &str) -> &mut Self {
        self.files.insert((folder.to_owned(), path.to_owned()));
        self
    }

    fn file(&mut self, path: &str) -> &mut Self {
        self.file_from(Path::new("/"), path.trim_start_matches('/').trim_end_matches('/'))
    }

    /// Adds the shared libraries that a program is started with: none where it is linked statically, or is a script.
    fn libraries_of(&mut self, program: &Path) -> &mut Self {
        let output = run(Command::new("ldd").arg(program));
        if output.status.success() {
            let list = said("ldd", output);
            assert!(!list.contains("not found"), "a library of {} is not on this machine:\n{list}", program.display());
            for library in list.split_whitespace().filter(|word| word.starts_with('/')) {
                self.file(library);
            }
        }
        self
    }

    /// Makes the image, unless it is there already, and gives its name.
    fn import(&self, name: &str, program: &str, options: &[&str]) -> String {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let tar = folder.path().join("image.tar");
        // The same files give the same bytes, whoever owns them and whenever they were written.
        let mut command = Command::new("tar");
        command.arg("--create").arg("--file").arg(&tar);
        command.args(["--dereference", "--hard-dereference", "--sort=name", "--mtime=@0", "--numeric-owner"]);
        command.args(["--owner=0", "--group=0"]).args(options);
        command.args(["--no-recursion", "--directory=/", "tmp", "--recursion"]);
        for (folder, path) in &self.files {
            command.arg("--directory").arg(folder).arg(path);
        }
        said(&format!("tar of {program}"), run(&mut command));
        let bytes = std::fs::read(&tar).expect("a tar that was just written");
        let image = format!("plimsoll-test-{name}:{:016x}", hash(&[program.as_bytes(), &bytes]));
        // One process makes it, and the others wait: two of the same name would leave one without any.
        let lock = File::create(beside_tests().join("test-images.lock")).expect("the folder of the tests takes a lock");
        lock.lock().expect("a lock");
        if !docker(&["image", "inspect", &image]).status.success() {
            let entry = format!("--change=ENTRYPOINT [\"{program}\"]");
            docker_says(&["import", &entry, "--change=LABEL plimsoll.test=image", &tar.to_string_lossy(), &image]);
        }
        image
    }
}

/// FNV-1a, which is the same with every version of everything.
fn hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().copied().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
