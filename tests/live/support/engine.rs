//! The Docker engine, through its own programs, so that a test sees what a user at a terminal sees.

use std::process::Command;
use std::process::Output;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

/// Whether a Docker engine and Compose are here. Where they are not, the test says on stderr that it was skipped; in CI
/// (`CI=true`) that is a failure.
pub(crate) fn or_skip() -> bool {
    let Err(why) = answers() else { return true };
    assert!(
        !std::env::var("CI").is_ok_and(|ci| ci == "true"),
        "CI tests against a real engine, and there is none: {why}; install Docker and docker-compose, and start it"
    );
    #[expect(clippy::print_stderr, reason = "who runs the tests has to know what was not tested")]
    {
        eprintln!("skipped, because there is no Docker engine to test against: {why}");
    }
    false
}

fn answers() -> Result<(), String> {
    let asked = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    let asked = asked.map_err(|error| format!("`docker` cannot be started: {error}"))?;
    if !asked.status.success() {
        return Err(format!("`docker version` says: {}", text(&asked.stderr)));
    }
    let asked = compose().arg("version").output();
    let asked = asked.map_err(|error| format!("`docker-compose` cannot be started: {error}"))?;
    asked
        .status
        .success()
        .then_some(())
        .ok_or_else(|| "there is neither `docker-compose` nor `docker compose`".to_owned())
}

/// Compose: the program of its own where there is one, else the plugin of `docker`. It sees no `COMPOSE_*` variables of
/// whoever runs the tests.
pub(crate) fn compose() -> Command {
    static ALONE: OnceLock<bool> = OnceLock::new();
    let alone = *ALONE.get_or_init(|| Command::new("docker-compose").arg("version").output().is_ok());
    let mut command = Command::new(if alone { "docker-compose" } else { "docker" });
    if !alone {
        command.arg("compose");
    }
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COMPOSE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs `docker` with these arguments, whatever comes of it.
pub(crate) fn docker(arguments: &[&str]) -> Output {
    run(Command::new("docker").args(arguments))
}

/// Runs a program to its end, whatever comes of it; it has to be there.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{:?} cannot be started: {error}", command.get_program()))
}

/// What `docker` prints with these arguments; it has to succeed.
pub(crate) fn docker_says(arguments: &[&str]) -> String {
    said(&format!("docker {}", arguments.join(" ")), docker(arguments))
}

/// What a program printed that had to succeed.
pub(crate) fn said(what: &str, output: Output) -> String {
    assert!(output.status.success(), "`{what}` ended with {}: {}", output.status, text(&output.stderr));
    text(&output.stdout)
}

/// What a program wrote, without the ends of the last line.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Lets time pass.
pub(crate) fn pause(time: Duration) {
    let (_open, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(time);
}

/// Asks five times a second until there is an answer, and gives it; at the end of the time it panics with the last
/// reason why there was none.
#[expect(clippy::disallowed_methods, reason = "a real engine takes real time")]
pub(crate) fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(why) => assert!(begun.elapsed() < patience, "{what}: not within {patience:?}; in the end {why}"),
        }
        pause(Duration::from_millis(200));
    }
}
