//! The program, as a person runs it on a live project.

use crate::support::engine::text;
use crate::support::project::Project;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::world::live::docker::Docker;
use plimsoll::world::live::generations::Pool;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Where a project's journals are in these tests.
pub(crate) fn state(project: &Project) -> PathBuf {
    project.dir().join("state")
}

/// A command about a live project: `deploy app --memory 96M`.
pub(crate) fn command(project: &Project, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(words.split_whitespace());
    command.args(["--project-name", project.name()]).arg("--state").arg(state(project));
    command.current_dir(project.dir()).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn plimsoll(project: &Project, words: &str) -> Ran {
    let output = command(project, words).output().expect("the program runs");
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Begins it.
pub(crate) fn begin(project: &Project, words: &str) -> Child {
    let mut command = command(project, words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs")
}

/// All of the host.
pub(crate) fn pool(docker: &Docker) -> Pool {
    Pool { cpu: Millicores::cores(docker.about.processors.into()), memory: Bytes::new(docker.about.memory) }
}
