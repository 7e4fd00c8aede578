//! The words of `plimsoll --help`, and the environment variable of every option.

use super::printer::HEAD;
use super::printer::paint;
use clap::Arg;
use clap::ArgAction;
use clap::builder::FalseyValueParser;

/// The commands by what they are for. A test holds the list against the commands there are.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Look", &["validate", "stack"]),
    ("Run", &["simulate", "test", "report"]),
    ("Learn", &["explain", "schema", "completions", "man"]),
];

/// The page of `plimsoll --help`: commands in groups, then the options.
#[must_use]
pub(super) fn page(root: &clap::Command) -> String {
    let mut page = "{about}\n\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in GROUPS {
        page.push_str(&format!("\n{}\n", paint(HEAD, heading)));
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            page.push_str(&format!("  {:<12} {about}\n", command.get_name()));
        }
    }
    page + &format!("\n{}\n{{options}}{{after-help}}", paint(HEAD, "Options"))
}

/// What every user should know of all commands.
pub(super) const AFTER: &str = "\
\x1b[1mEnvironment\x1b[0m
  Every option can be set by PLIMSOLL_ and its name: `--color never` is PLIMSOLL_COLOR=never.
  NO_COLOR and CLICOLOR_FORCE are honoured; Compose's own variables mean what they mean there.

\x1b[1mExit codes\x1b[0m
  0 good · 1 our fault or the environment's · 3 an expectation failed · 4 worse than its baseline
  64 usage or invalid input · 130 interrupted

\x1b[1mExamples\x1b[0m
  plimsoll stack -f compose.yml
  plimsoll simulate scenarios/ziggie-kvm-4-evening/scenario.yaml --report reports/runs
  plimsoll test --junit target/plimsoll.xml";

/// Gives an option its variable: `--fail-fast` is `PLIMSOLL_FAIL_FAST`. The variables are not repeated in each help.
#[must_use]
pub(super) fn with_environment(argument: Arg) -> Arg {
    let Some(long) = argument.get_long() else { return argument };
    if matches!(long, "help" | "version") {
        return argument;
    }
    let variable = format!("PLIMSOLL_{}", long.to_uppercase().replace('-', "_"));
    let argument = argument.env(variable).hide_env(true);
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        argument.value_parser(FalseyValueParser::new())
    } else {
        argument
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group_and_has_examples() {
        let root = crate::cli::command();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut there: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        there.sort_unstable();
        assert_eq!(grouped, there);
        for command in root.get_subcommands() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("plimsoll "), "`{}` shows an example", command.get_name());
        }
    }

    #[test]
    fn every_option_can_be_set_by_the_environment() {
        let root = crate::cli::command();
        root.clone().debug_assert();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                assert!(argument.get_env().is_some(), "`{}` of `{}`", argument.get_id(), command.get_name());
            }
        }
    }
}
