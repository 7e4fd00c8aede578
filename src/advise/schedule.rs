//! Fewer instances at hours that are usually quiet, where the days or weeks of a service are alike.
//!
//! `engine::forecast` finds the season in what the service uses of the CPU, in the run of the first seed. An hour is quiet
//! where its usual use is at most half of the busiest hour's, and the last quiet hour before a busy one counts as busy, so
//! that instances are there in time. Through quiet hours there are as many instances as the busiest of them needs, each used
//! as much as in the busiest hour of all; at least one.
//!
//! Before you change it: only services of a fixed number of instances, without a policy, get a schedule.

use super::Advice;
use super::Kind;
use super::change::Change;
use super::risk::Risk;
use super::trial::Bench;
use super::trial::Trial;
use crate::engine::forecast::Season;
use crate::input::scenario::Opened;
use crate::model::Policy;
use crate::model::ServiceName;
use crate::report::words::counted;
use crate::report::words::duration;
use crate::run::simulate::Breached;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use serde_json::Value;
use serde_json::json;
use std::fmt;

/// Share of the busiest hour up to which an hour is quiet.
const QUIET: Permille = Permille::percent(50);
/// A season is not known before this.
const TWO_DAYS: Span = Span::from_mins(2 * 24 * 60);
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Why a service gets no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotScheduled {
    /// The run is too short for a season to be found.
    TooShort {
        /// How long it is.
        has: Span,
    },
    /// No service has more than one instance and no policy.
    NothingToStop,
}

impl fmt::Display for NotScheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { has } => write!(f, "a season needs two days, and the run has {}", duration(*has)),
            Self::NothingToStop => f.write_str("no service has more than one instance and no policy"),
        }
    }
}

/// Schedules of all services whose days are alike.
pub(super) fn advice(
    opened: &Opened,
    bench: &Bench<'_>,
    base: &Trial,
    notes: &mut Vec<String>,
) -> Result<Vec<Advice>, Breached> {
    let fixed = |name: &&ServiceName| {
        let policy = base.scenario.policies.get(*name);
        base.scenario.services[*name].replicas > 1 && policy.is_none_or(|policy| *policy == Policy::None)
    };
    let fixed: Vec<&ServiceName> = base.scenario.services.keys().filter(fixed).collect();
    let not = match fixed.is_empty() {
        true => Some(NotScheduled::NothingToStop),
        false => (base.scenario.duration < TWO_DAYS).then_some(NotScheduled::TooShort { has: base.scenario.duration }),
    };
    if let Some(not) = not {
        notes.push(format!("schedule: {not}"));
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for name in fixed {
        let season = base.gathered.first().and_then(|gathering| gathering.services[name].season());
        let Some(season) = season else {
            notes.push(format!("schedule: the days of {name} are not alike"));
            continue;
        };
        let replicas = base.scenario.services[name].replicas;
        let Some((fewer, periods)) = periods(&season, replicas) else {
            notes.push(format!("schedule: {name} has no hours so quiet that an instance less would do"));
            continue;
        };
        let policy = json!({ "template": "schedule", "replicas": replicas, "schedule": periods });
        let change = Change { policies: [(name.clone(), policy)].into(), ..Change::default() };
        let Ok(scenario) = change.applied(opened) else { continue };
        let tried = bench.run(scenario)?;
        if !tried.report.passed() {
            let broken = tried.broken().join("`, `");
            notes.push(format!(
                "schedule: {} of {name} in quiet hours breaks `{broken}`",
                counted(fewer.into(), "instance")
            ));
            continue;
        }
        let quiet: Span = season.quiet(QUIET).iter().fold(Span::ZERO, |sum, quiet| sum.plus(quiet.length));
        let unit = if season.weekly.is_some() { "week" } else { "day" };
        let evidence = vec![format!(
            "{name}: {} of each {unit} are quiet; the busiest hour uses {} CPU, and the usual {unit} explains {} of what a flat line leaves open",
            duration(quiet),
            Millicores::new(season.busiest()),
            season.weekly.unwrap_or(season.strength),
        )];
        found.push(Advice {
            kind: Kind::Schedule,
            title: format!(
                "{} of {name} in its quiet hours, {replicas} in the others",
                counted(fewer.into(), "instance")
            ),
            evidence,
            risk: Risk::of(Kind::Schedule, &change, base, &tried),
            change,
            tried,
            others: Vec::new(),
            left_out: Vec::new(),
        });
    }
    Ok(found)
}

/// How many instances quiet hours need, and when they are, as a policy writes it; `None` where that is as many as ever.
fn periods(season: &Season, replicas: u32) -> Option<(u32, Value)> {
    let hours = &season.hours;
    let busiest = season.busiest();
    let is_quiet = |hour: usize| {
        let load = hours[hour % hours.len()];
        u128::from(load) * 1000 <= u128::from(busiest) * u128::from(QUIET.get())
    };
    // The hour before a busy one counts as busy.
    let quiet: Vec<usize> = (0..hours.len()).filter(|hour| is_quiet(*hour) && is_quiet(hour + 1)).collect();
    let most = quiet.iter().map(|hour| hours[*hour]).max()?;
    let needed = (u128::from(most) * u128::from(replicas)).div_ceil(u128::from(busiest.max(1)));
    let fewer = u32::try_from(needed).unwrap_or(replicas).max(1);
    if fewer >= replicas {
        return None;
    }
    // By day, runs of quiet hours; the same runs of several days are one period.
    let mut runs: Vec<((usize, usize), Vec<&str>)> = Vec::new();
    for (day, name) in DAYS.iter().enumerate() {
        let holds = |hour: usize| quiet.contains(&((day * 24 + hour) % hours.len()));
        let begins = (0..24).filter(|hour| holds(*hour) && (*hour == 0 || !holds(hour - 1)));
        for from in begins {
            let to = (from..24).find(|hour| !holds(*hour)).unwrap_or(24);
            match runs.iter_mut().find(|(run, _)| *run == (from, to)) {
                Some((_, days)) => days.push(name),
                None => runs.push(((from, to), vec![name])),
            }
        }
    }
    let time = |hour: usize| format!("{:02}:00", hour % 24);
    let period = |((from, to), days): &((usize, usize), Vec<&str>)| {
        let mut period = serde_json::Map::new();
        if days.len() < DAYS.len() {
            period.insert("days".to_owned(), json!(days));
        }
        if (*from, *to) != (0, 24) {
            period.insert("from".to_owned(), json!(time(*from)));
            period.insert("to".to_owned(), json!(time(*to)));
        }
        period.insert("replicas".to_owned(), json!(fewer));
        Value::Object(period)
    };
    Some((fewer, runs.iter().map(period).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn season(hours: Vec<u64>) -> Season {
        let weekly = (hours.len() > 24).then_some(Permille::percent(80));
        Season { strength: Permille::percent(90), weekly, hours }
    }

    /// Busy from 8 to 20 at 2000, else 600: with four instances each carries 500, so that quiet hours need 600 / 500, two.
    /// The hour from 7 to 8 is kept for those that start.
    #[test]
    fn nights_need_fewer() {
        let hours = (0..24).map(|hour| if (8..20).contains(&hour) { 2000 } else { 600 }).collect();
        let (fewer, periods) = periods(&season(hours), 4).expect("nights are quiet");
        assert_eq!(fewer, 2);
        assert_eq!(
            periods,
            json!([
                { "from": "00:00", "to": "07:00", "replicas": 2 },
                { "from": "20:00", "to": "00:00", "replicas": 2 },
            ])
        );
    }

    /// Busy from 8 to 20 on working days, 100 else: one of three is enough. On Saturday and Sunday all day, but for the
    /// hour before Monday's first busy one, which lies on Monday.
    #[test]
    fn weekends_need_fewer_all_day() {
        let busy = |hour: usize| hour / 24 < 5 && (8..20).contains(&(hour % 24));
        let hours = (0..168).map(|hour| if busy(hour) { 3000 } else { 100 }).collect();
        let (fewer, periods) = periods(&season(hours), 3).expect("nights are quiet");
        let working = json!(["mon", "tue", "wed", "thu", "fri"]);
        assert_eq!(fewer, 1);
        assert_eq!(
            periods,
            json!([
                { "days": working, "from": "00:00", "to": "07:00", "replicas": 1 },
                { "days": working, "from": "20:00", "to": "00:00", "replicas": 1 },
                { "days": ["sat", "sun"], "replicas": 1 },
            ])
        );
    }

    #[test]
    fn hours_that_need_as_many_are_not_quiet() {
        assert_eq!(periods(&season(vec![1000; 24]), 4), None);
        let hours = (0..24).map(|hour| if hour < 12 { 1000 } else { 500 }).collect();
        assert_eq!(periods(&season(hours), 1), None, "one cannot be less");
    }
}
