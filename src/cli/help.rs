//! The words of `plimsoll --help`, and the environment variable of every option.

use super::printer::HEAD;
use super::printer::paint;
use clap::Arg;
use clap::ArgAction;
use clap::builder::FalseyValueParser;
use clap::parser::ValueSource;
use std::collections::BTreeSet;
use std::ffi::OsString;

/// The commands by what they are for. A test holds the list against the commands there are.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Begin", &["init"]),
    ("Look", &["validate", "stack", "host", "policy"]),
    ("Plan", &["budget", "advise", "fit", "bundle"]),
    ("Run", &["simulate", "compare", "capacity", "sweep", "merge", "test", "swarm", "report"]),
    ("Act", &["status", "deploy", "rollback", "recover", "history"]),
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
  Every option can be set by PLIMSOLL_ and its name: PLIMSOLL_COLOR=never is
  `--color never`, PLIMSOLL_JSON=1 is `--json`. The command line wins.
  NO_COLOR, CLICOLOR_FORCE and COLUMNS are honoured; the variables of Compose
  mean what they mean there.

\x1b[1mExit codes\x1b[0m
  0 good · 1 our fault or the environment's · 3 an expectation failed
  4 worse than its baseline · 5 the host is too small for what must run
  6 not begun · 7 failed and rolled back · 8 failed, needs a person
  64 usage or invalid input · 75 somebody else is at it · 130 interrupted

\x1b[1mExamples\x1b[0m
  plimsoll stack -f compose.yml
  plimsoll simulate scenarios/ziggie-kvm-4-evening --report reports/runs/evening
  plimsoll test --junit target/plimsoll.xml";

/// The arguments that are given on the command line, whatever else is wrong with it.
#[must_use]
pub(super) fn given(bare: clap::Command) -> BTreeSet<String> {
    let Ok(all) = bare.ignore_errors(true).try_get_matches() else { return BTreeSet::new() };
    let mut given = BTreeSet::new();
    let mut next = Some(&all);
    while let Some(matches) = next {
        let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        given.extend(matches.ids().filter(typed).map(ToString::to_string));
        next = matches.subcommand().map(|(_, matches)| matches);
    }
    given
}

/// The arguments that those given exclude.
#[must_use]
pub(super) fn excluded(root: &clap::Command, given: &BTreeSet<String>) -> BTreeSet<String> {
    let mut excluded = BTreeSet::new();
    for command in std::iter::once(root).chain(root.get_subcommands()) {
        for argument in command.get_arguments() {
            for rival in command.get_arg_conflicts_with(argument) {
                let (one, other) = (argument.get_id().to_string(), rival.get_id().to_string());
                if given.contains(&one) {
                    excluded.insert(other);
                } else if given.contains(&other) {
                    excluded.insert(one);
                }
            }
        }
    }
    excluded
}

/// Gives an option its variable: `--no-fail-fast` is `PLIMSOLL_NO_FAIL_FAST`. The command line wins: a variable is not
/// looked at where the option is excluded by one that is given. An empty variable is none, and neither is a switch that is
/// set to `0` or `false`. The variables are not repeated in each help.
#[must_use]
pub(super) fn with_environment(argument: Arg, excluded: &BTreeSet<String>) -> Arg {
    let Some(long) = argument.get_long() else { return argument };
    if matches!(long, "help" | "version") || excluded.contains(argument.get_id().as_str()) {
        return argument;
    }
    let variable = format!("PLIMSOLL_{}", long.to_uppercase().replace('-', "_"));
    let value = std::env::var_os(&variable);
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    let says_nothing = |value: &OsString| {
        let value = value.to_string_lossy();
        value.is_empty() || (is_switch && is_off(&value))
    };
    if value.as_ref().is_some_and(says_nothing) {
        return argument;
    }
    let argument = argument.env(variable).hide_env(true);
    if is_switch { argument.value_parser(FalseyValueParser::new()) } else { argument }
}

/// Whether a text says no, as a variable does that leaves a switch off.
#[must_use]
pub(super) fn is_off(text: &str) -> bool {
    ["0", "false", "f", "no", "n", "off"].contains(&text.trim().to_lowercase().as_str())
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
    fn what_is_written_below_the_options_fits_a_terminal_of_80_columns() {
        let root = crate::cli::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            let after = command.get_after_help().map(|text| text.to_string()).unwrap_or_default();
            for line in after.lines() {
                assert!(line.chars().count() <= 80, "`{}`: {line}", command.get_name());
            }
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
