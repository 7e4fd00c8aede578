//! Stacks with their bundles, each in a folder of its own.

use crate::program::plimsoll;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;

/// A stack whose bundle was written.
pub(crate) struct Bundled {
    pub(crate) name: String,
    home: TempDir,
    /// The stack as docker-compose 1.29 reads it, where it can.
    pub(crate) old_compose: Option<PathBuf>,
}

impl Bundled {
    /// The folder of the Compose files.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("monitoring")
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder().join(file)
    }
}

/// A database and an application on networks of their own, nothing that monitors, and a port that Grafana would like.
const SMALL: &str = "\
version: '3.8'
services:
  web:
    image: example.com/shop/web:7
    labels: { plimsoll.metrics.port: '8000', plimsoll.tier: '1' }
    ports: ['3000:3000']
    networks: [back]
  db:
    image: postgres:16
    networks: [back]
networks:
  back: {}
";

const ONE: &str =
    "services:\n  web:\n    image: nginx:1.27\n    network_mode: host\n    labels: { plimsoll.metrics.port: '9113' }\n";

/// Where Z says its applications have their metrics (its scrape targets), whatever the catalog knows.
const LABELS: &str = "\
services:
  ziggie-api:
    labels: { plimsoll.metrics.port: '8000', plimsoll.metrics.path: /internal/metrics, plimsoll.tier: '1' }
  mcp-gateway:
    labels: { plimsoll.metrics.port: '8080' }
  n8n:
    labels: { plimsoll.metrics.port: '5678' }
    deploy: { replicas: 2 }
";

/// All stacks of the tests, and those beside the checkout where there are some.
pub(crate) fn all() -> Vec<Bundled> {
    let mut all = vec![
        ziggie(),
        ziggie_with_labels(),
        small(),
        own_monitor(),
        written("one service", &[("compose.yml", ONE)], &[]),
    ];
    all.extend(shared());
    all
}

/// Document Z.
pub(crate) fn ziggie() -> Bundled {
    written("Z", &[("compose.yml", &ziggie_file())], &[])
}

/// Document Z on its host, with labels that say where metrics are.
pub(crate) fn ziggie_with_labels() -> Bundled {
    written("Z with labels", &[("compose.yml", &ziggie_file()), ("labels.yml", LABELS)], &["--host", "kvm-4"])
}

/// It has a cAdvisor of its own, which listens elsewhere than usual.
pub(crate) fn own_monitor() -> Bundled {
    let text = "services:\n  watcher:\n    image: ghcr.io/google/cadvisor:0.56.2\n    command: ['--port=8081']\n    labels: { \
                plimsoll.metrics.port: '8081' }\n";
    written("own cAdvisor", &[("compose.yml", text)], &[])
}

pub(crate) fn small() -> Bundled {
    written("small", &[("compose.yml", SMALL)], &[])
}

fn ziggie_file() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/ziggie-kvm-4-evening/compose.yaml");
    std::fs::read_to_string(path).expect("the stack of Z")
}

/// Without what came into Compose after docker-compose 1.29: the project's name and limits of processes.
fn older(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("name:"));
    let lines: Vec<String> = lines
        .map(|line| {
            let (before, after) = line.split_once(", pids: ").unwrap_or((line, ""));
            let after = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
            format!("{before}{after}")
        })
        .collect();
    lines.join("\n") + "\n"
}

fn written(name: &str, files: &[(&str, &str)], options: &[&str]) -> Bundled {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = plimsoll();
    command.arg("bundle").current_dir(home.path()).args(options);
    for (file, text) in files {
        std::fs::write(home.path().join(file), text).expect("a Compose file");
        command.args(["-f", file]);
    }
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let old = home.path().join("older.yml");
    std::fs::write(&old, older(files[0].1)).expect("an older form");
    Bundled { name: name.to_owned(), home, old_compose: Some(old) }
}

/// The Compose sets beside the checkout, as far as they load without the files their notes ask for.
#[expect(clippy::print_stderr, reason = "sets that are not there are said plainly")]
fn shared() -> Vec<Bundled> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/compose");
    let Ok(folders) = std::fs::read_dir(&shared) else {
        eprintln!("skipped: ../shared/compose is not here, so its sets were not bundled");
        return Vec::new();
    };
    let mut sets: Vec<PathBuf> = folders.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    sets.sort();
    let mut all = Vec::new();
    for set in sets {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = plimsoll();
        command.args(["bundle", "--project-directory"]).arg(&set).arg("-o").arg(home.path().join("monitoring"));
        let output = command.current_dir(&set).output().expect("the program runs");
        let name = set.file_name().expect("a set has a name").to_string_lossy().into_owned();
        if output.status.success() {
            all.push(Bundled { name, home, old_compose: None });
        } else {
            // Exit 64 is a set that wants variables or env files; anything else is a fault of ours.
            assert_eq!(output.status.code(), Some(64), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            eprintln!("skipped: the set {name} does not load as it lies there");
        }
    }
    assert!(all.len() >= 3, "some sets load");
    all
}
