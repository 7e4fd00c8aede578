//! Failed requests of a service by cause, for those who read a report. Records of before causes were told apart have none.

use super::figure::Figure;
use super::summary::ServiceFigures;
use crate::units::whole;

/// The causes that were met and how many requests failed of each, most first; counts are whole requests.
pub(super) fn counts(figures: &ServiceFigures) -> Vec<(&'static str, u64)> {
    let causes = figures.errors_by_cause.causes().map(|(cause, count)| (cause, whole(count as f64 / 1000.0)));
    let mut met: Vec<_> = causes.into_iter().filter(|(_, count)| *count > 0).collect();
    met.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    met
}

/// The same in words: `120 timed out, 3 refused`; empty where nothing failed.
pub(super) fn words(figures: &ServiceFigures) -> String {
    let word = |(cause, count): (&str, u64)| format!("{} {cause}", Figure::count(count as f64));
    counts(figures).into_iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Errors;

    #[test]
    fn most_come_first_and_none_is_not_said() {
        let errors = Errors { refused: 3_000, timed_out: 120_400, disk: 499, ..Errors::default() };
        let figures = ServiceFigures { errors_by_cause: errors, ..ServiceFigures::default() };
        assert_eq!(words(&figures), "120 timed out, 3 refused");
        assert_eq!(words(&ServiceFigures::default()), "");
    }
}
