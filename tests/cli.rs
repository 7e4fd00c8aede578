//! Sessions with the program as a user types them, and what a shell sees of it: streams, exit codes, environment.

use std::io::Read;
use std::process::Command;
use std::process::Stdio;

/// The program, free of the environment of whoever runs the tests.
fn plimsoll() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    for (name, _) in std::env::vars_os() {
        if ["PLIMSOLL_", "COMPOSE_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env_remove("CLICOLOR_FORCE").env("COLUMNS", "100");
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("the program ends by itself"), text(output.stdout), text(output.stderr))
}

#[test]
fn sessions() {
    let cases = trycmd::TestCases::new();
    cases.env("COLUMNS", "100").env("NO_COLOR", "1").case("tests/cli/*.trycmd");
}

#[test]
fn data_goes_to_stdout_and_complaints_to_stderr() {
    let (code, out, err) = run(plimsoll().args(["explain", "PL9999"]));
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.starts_with("error[PL0702]: unknown code `PL9999`"), "{err}");
    let (code, out, err) = run(plimsoll().args(["explain", "PL0702"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("PL0702: "), "{out}");
}

#[test]
fn colour_is_asked_for_and_never_guessed_on_a_pipe() {
    let styled = |command: &mut Command| run(command.args(["explain", "PL0702"])).1.contains('\u{1b}');
    assert!(!styled(&mut plimsoll()));
    assert!(styled(plimsoll().arg("--color=always")));
    assert!(styled(plimsoll().env("CLICOLOR_FORCE", "1")));
    assert!(styled(plimsoll().env("PLIMSOLL_COLOR", "always")));
    assert!(!styled(plimsoll().args(["--color", "never"]).env("CLICOLOR_FORCE", "1")));
    assert!(!styled(plimsoll().env("NO_COLOR", "1")));
}

#[test]
fn options_come_from_the_environment_and_the_command_line_wins() {
    let (code, out, _) = run(plimsoll().arg("explain").env("PLIMSOLL_JSON", "1"));
    assert_eq!(code, 0);
    assert!(out.starts_with('{'), "{out}");
    let (code, _, err) = run(plimsoll().arg("explain").env("PLIMSOLL_FORMAT", "parchment"));
    assert_eq!(code, 64, "{err}");
    let (code, out, _) = run(plimsoll().args(["explain", "--format", "table"]).env("PLIMSOLL_FORMAT", "json"));
    assert_eq!(code, 0);
    assert!(out.starts_with("PL"), "{out}");
}

#[test]
fn a_reader_that_leaves_ends_the_output_and_nothing_else() {
    let mut child = plimsoll()
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut complaint).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(complaint, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = plimsoll().arg("explain").stdout(full).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to stdout"));
}
