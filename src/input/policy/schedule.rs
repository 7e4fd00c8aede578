//! Times with a range of instances of their own, as files write them.

use super::IMPOSSIBLE;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Range;
use crate::input::schema::quantity::TimeOfDay;
use crate::input::yaml::Node;
use crate::model::Period;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

const DAY: Span = Span::from_mins(24 * 60);

/// A time of the week, and how many instances there are in it. Weeks begin at midnight of a Monday, as runs do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodFile {
    /// The days on which it begins; all of them unless said otherwise.
    #[schemars(length(min = 1))]
    pub days: Option<Vec<DayFile>>,
    /// When it begins; at midnight unless said otherwise.
    pub from: Option<TimeOfDay>,
    /// When it ends, on the next day where that is not later than `from`; at midnight unless said otherwise.
    pub to: Option<TimeOfDay>,
    /// Instances in it, at least and at most: `1`, `1..2`.
    pub replicas: Range,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DayFile {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// The periods of a schedule; `node` is the policy.
pub(super) fn periods(files: &[PeriodFile], node: &Node, problems: &mut Problems) -> Vec<Period> {
    let week = [DayFile::Mon, DayFile::Tue, DayFile::Wed, DayFile::Thu, DayFile::Fri, DayFile::Sat, DayFile::Sun];
    let mut periods = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let (from, to) = (file.from.map_or(Span::ZERO, |time| time.0), file.to.map_or(Span::ZERO, |time| time.0));
        let lasts = if to > from { to.minus(from) } else { to.plus(DAY).minus(from) };
        let (replicas_min, replicas_max) = file.replicas.0;
        if replicas_min == 0 {
            let message = "`replicas` from 0: the last instance is never removed, so begin with 1";
            let at = schema::place_of(node, &format!("/schedule/{place}/replicas"));
            problems.push(Problem::error(&IMPOSSIBLE, message).at(&at));
        }
        let days = file.days.as_deref().unwrap_or(&week);
        let days = week.map(|day| days.contains(&day));
        periods.push(Period { days, from, lasts, replicas_min, replicas_max });
    }
    periods
}
