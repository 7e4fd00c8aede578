//! The formats data is printed in.

use super::codes;
use super::exit::Failure;
use crate::input::problem::Problem;

/// How data is printed. The variants carry plain comments, so that help stays on one screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Format {
    // For people.
    #[default]
    Table,
    // For programs; carries `format_version`.
    Json,
    // For spreadsheets.
    Csv,
    // Markdown, for pull requests.
    Md,
    // One page without network access.
    Html,
}

impl Format {
    /// The name as given on the command line.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Md => "md",
            Self::Html => "html",
        }
    }

    /// The error of a command that does not write this format.
    #[must_use]
    pub(super) fn refused(self, command: &str, possible: &[Self]) -> Failure {
        let names: Vec<String> = possible.iter().map(|format| format!("`{}`", format.name())).collect();
        let message = format!("`{command}` does not write `{}`, only {}", self.name(), names.join(", "));
        Problem::error(&codes::OPTION, message).into()
    }
}
