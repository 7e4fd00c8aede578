//! How a command ends: the exit codes, and what can stop a command, mapped to them once.

use crate::input::problem::Problem;
use crate::input::problem::Problems;
use std::process::ExitCode;

/// The exit codes, the same for every command. Scripts depend on the numbers: none of them ever changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: good.
    Good,
    /// 1: our fault or the environment's: a bug, a full disk, a file that cannot be written.
    Fault,
    /// 2: changes or drift are present, where `--detailed-exitcode` asks for it.
    Changed,
    /// 3: an expectation failed.
    ExpectationFailed,
    /// 4: worse than the baseline.
    WorseThanBaseline,
    /// 5: nothing fits.
    NothingFits,
    /// 6: the plan is stale or not validated; nothing was done.
    PlanRefused,
    /// 7: failed and rolled back.
    RolledBack,
    /// 8: failed, and needs a person.
    NeedsPerson,
    /// 64: the command line or an input file is wrong.
    Invalid,
    /// 75: another apply holds the lock.
    Locked,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Fault => 1,
            Self::Changed => 2,
            Self::ExpectationFailed => 3,
            Self::WorseThanBaseline => 4,
            Self::NothingFits => 5,
            Self::PlanRefused => 6,
            Self::RolledBack => 7,
            Self::NeedsPerson => 8,
            Self::Invalid => 64,
            Self::Locked => 75,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What stops a command before it has an answer.
#[derive(Debug)]
pub enum Failure {
    /// The command line or an input file is wrong: all that is, at once.
    Input(Problems),
    /// The environment does not let us: what was tried, and what the system says.
    Environment(String),
    /// We broke one of our own rules.
    Bug(String),
}

impl Failure {
    /// The exit code it ends with.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Input(_) => Exit::Invalid,
            Self::Environment(_) | Self::Bug(_) => Exit::Fault,
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Input(problems)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Input(Problems::from(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the manual, typed a second time.
    #[test]
    fn exit_codes_are_what_scripts_rely_on() {
        let table = [
            (Exit::Good, 0),
            (Exit::Fault, 1),
            (Exit::Changed, 2),
            (Exit::ExpectationFailed, 3),
            (Exit::WorseThanBaseline, 4),
            (Exit::NothingFits, 5),
            (Exit::PlanRefused, 6),
            (Exit::RolledBack, 7),
            (Exit::NeedsPerson, 8),
            (Exit::Invalid, 64),
            (Exit::Locked, 75),
            (Exit::Interrupted, 130),
        ];
        for (exit, code) in table {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }
}
