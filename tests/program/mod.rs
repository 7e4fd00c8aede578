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
