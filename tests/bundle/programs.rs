//! The programs that the bundle is for.

use crate::stacks::Bundled;
use std::process::Command;

/// A program that reads files of the bundle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    Promtool,
    Amtool,
    DockerCompose,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Promtool => "promtool",
            Self::Amtool => "amtool",
            Self::DockerCompose => "docker-compose",
        }
    }

    /// Fails where the program is there and refuses what it is given.
    pub(crate) fn accepts(self, bundled: &Bundled, arguments: &[&str]) {
        if let Some((passed, said)) = self.run(bundled, arguments) {
            assert!(passed, "{}: {} {arguments:?}: {said}", bundled.name, self.name());
        }
    }

    /// Whether it accepts what it is given; `None` where it is not installed.
    pub(crate) fn passes(self, bundled: &Bundled, arguments: &[&str]) -> Option<bool> {
        self.run(bundled, arguments).map(|(passed, _)| passed)
    }

    #[expect(clippy::print_stderr, reason = "a check that does not take place is said plainly")]
    fn run(self, bundled: &Bundled, arguments: &[&str]) -> Option<(bool, String)> {
        let output = match Command::new(self.name()).args(arguments).current_dir(bundled.folder()).output() {
            Ok(output) => output,
            Err(error) => {
                let required = std::env::var_os("PLIMSOLL_REQUIRE_SERVERS").is_some_and(|value| value == "1");
                assert!(!required, "{} cannot be run: {error}", self.name());
                eprintln!("skipped: {} is not installed, so {} was not checked by it", self.name(), bundled.name);
                return None;
            }
        };
        let said = [output.stdout, output.stderr].concat();
        Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }
}
