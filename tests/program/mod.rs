//! The program as tests start it.

use std::process::Command;

/// The program, free of the environment of whoever runs the tests.
pub(crate) fn plimsoll() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    for (name, _) in std::env::vars_os() {
        if ["PLIMSOLL_", "COMPOSE_", "RESOURCE_", "ENABLE_RESOURCE_"]
            .iter()
            .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command.env_remove("CLICOLOR_FORCE").env("COLUMNS", "100");
    command
}

/// Its exit code, and what it wrote to both outputs.
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("the program ends by itself"), text(output.stdout), text(output.stderr))
}
