//! A column of a trace as a rate over time.

use super::COLUMN;
use super::ORDER;
use super::READING;
use super::Trace;
use super::short;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::units::Rate;
use crate::units::Span;
use std::collections::BTreeMap;

/// Points of one load, at most; a trace that repeats may need more than the file has rows.
const POINTS_MAX: usize = 2_000_000;

/// What the values of a trace mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Requests from a row to the next.
    EachStep,
    /// Requests in this time.
    Per(Span),
    /// Every row is a request; they are counted over this time.
    Rows(Span),
}

/// How a load is made from a trace.
#[derive(Debug, Clone)]
pub struct Reading<'a> {
    /// Which column; `None` where there is only one.
    pub column: Option<&'a str>,
    /// Only rows with these values, in millionths.
    pub only: BTreeMap<String, u64>,
    /// What a value means.
    pub unit: Unit,
    /// What a rate is multiplied with, in millionths.
    pub scale: u64,
    /// Where in the trace the run begins.
    pub from: Span,
    /// How many times faster time passes.
    pub speed: u32,
    /// Starts again at its end.
    pub repeat: bool,
    /// Length of the run.
    pub duration: Span,
}

impl Default for Reading<'_> {
    /// The only column, all rows, counts of each step, from the beginning, once.
    fn default() -> Self {
        Self {
            column: None,
            only: BTreeMap::new(),
            unit: Unit::EachStep,
            scale: 1_000_000,
            from: Span::ZERO,
            speed: 1,
            repeat: false,
            duration: Span::MAX,
        }
    }
}

/// A rate that holds from its time to the next; `None` is an outage.
pub(super) type Point = (Span, Option<Rate>);

impl Trace {
    /// The load, and what the reader should know of it. `place` is where the scenario asks for it.
    ///
    /// # Errors
    /// An unknown column, time that goes backwards, nothing left to read.
    pub fn load(&self, reading: &Reading<'_>, place: Option<&Place>) -> Result<(Vec<Point>, Problems), Problems> {
        let at = |problem: Problem| match place {
            Some(place) => problem.at(place),
            None => problem.at(&self.header_place()),
        };
        let rows = self.rows_of(reading).map_err(at)?;
        self.in_order(&rows)?;
        let mut warnings = Problems::new();
        let step = usual_step(&rows.iter().map(|row| self.rows[*row].time).collect::<Vec<_>>());
        let (points, end) = match reading.unit {
            Unit::Rows(bucket) => self.counted(&rows, bucket.nanos().max(1)).map_err(at)?,
            Unit::EachStep | Unit::Per(_) => {
                let column = self.column(reading.column).map_err(at)?;
                let per = if let Unit::Per(per) = reading.unit { per } else { step };
                if self.repeats_a_time(&rows) {
                    let message = "rows with the same time: the last one of each is taken";
                    warnings.push(Problem::warning(&READING, message).at(&self.header_place()));
                }
                self.measured(&rows, column, step, per)
            }
        };
        if reading.from >= end {
            let message = format!("`from: {}` is behind the end of the trace at {end}", reading.from);
            return Err(at(Problem::error(&READING, message)).into());
        }
        let points = placed(points, end, reading).map_err(at)?;
        let length = Span::from_nanos(end.minus(reading.from).nanos() / u64::from(reading.speed.max(1)));
        if length < reading.duration && !reading.repeat && reading.duration < Span::MAX {
            let message = format!(
                "the trace ends after {length}; from then on nothing comes for the rest of {}",
                reading.duration
            );
            let problem = at(Problem::warning(&READING, message));
            warnings.push(problem.help("`repeat: true` starts it again, `speed` changes how fast time passes"));
        }
        Ok((points, warnings))
    }

    /// The index of a column.
    fn column(&self, name: Option<&str>) -> Result<usize, Problem> {
        let list = self.columns.join(", ");
        let known = format!("columns of `{}`: {}", self.source.name(), short_list(&list));
        match (name, self.columns.as_slice()) {
            (None, [_]) => Ok(0),
            (None, _) => {
                Err(Problem::error(&COLUMN, "the trace has several columns; say which with `column`").help(known))
            }
            (Some(name), columns) => columns.iter().position(|column| column == name).ok_or_else(|| {
                let hint = nearest(name, columns.iter().map(String::as_str));
                let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                Problem::error(&COLUMN, format!("unknown column `{}`{hint}", short(name))).help(known)
            }),
        }
    }

    /// The rows that are wanted.
    fn rows_of(&self, reading: &Reading<'_>) -> Result<Vec<usize>, Problem> {
        let mut rows: Vec<usize> = (0..self.rows.len()).collect();
        for (name, wanted) in &reading.only {
            let column = self.column(Some(name))?;
            rows.retain(|row| self.cells[row * self.columns.len() + column] == Some(*wanted));
        }
        match rows.is_empty() {
            true => Err(Problem::error(&READING, "no row has the values of `where`")),
            false => Ok(rows),
        }
    }

    fn in_order(&self, rows: &[usize]) -> Result<(), Problems> {
        let mut problems = Problems::new();
        for pair in rows.windows(2) {
            let (before, after) = (self.rows[pair[0]].time, self.rows[pair[1]].time);
            if after < before {
                let message = format!("time goes back from {before} to {after}");
                let problem = Problem::error(&ORDER, message).at(&self.row_place(pair[1]));
                problems
                    .push(problem.help("sort the rows by `t_s`, or pick one series with `where: { column: value }`"));
            }
        }
        if problems.has_errors() { Err(problems) } else { Ok(()) }
    }

    fn repeats_a_time(&self, rows: &[usize]) -> bool {
        rows.windows(2).any(|pair| self.rows[pair[0]].time == self.rows[pair[1]].time)
    }

    /// Values as rates, with an outage for each empty cell and each gap; and where the trace ends.
    fn measured(&self, rows: &[usize], column: usize, step: Span, per: Span) -> (Vec<Point>, Span) {
        let mut points: Vec<Point> = Vec::with_capacity(rows.len());
        let gap = Span::from_nanos(step.nanos().saturating_add(step.nanos() / 2));
        for row in rows {
            let time = self.rows[*row].time;
            if let Some((before, _)) = points.last().copied() {
                if before == time {
                    points.pop();
                } else if time.minus(before) > gap {
                    points.push((before.plus(step), None));
                }
            }
            let value = self.cells[row * self.columns.len() + column];
            points.push((time, value.map(|value| rate(value, per.nanos().max(1)))));
        }
        let end = points.last().map_or(Span::ZERO, |(time, _)| time.plus(step));
        (points, end)
    }

    /// Rows counted over stretches of equal length.
    fn counted(&self, rows: &[usize], bucket: u64) -> Result<(Vec<Point>, Span), Problem> {
        let last = rows.last().map_or(0, |row| self.rows[*row].time.nanos() / bucket);
        let count = usize::try_from(last).unwrap_or(usize::MAX);
        if count >= POINTS_MAX {
            let message = format!("counting rows over `per: {}` gives {last} points", Span::from_nanos(bucket));
            return Err(Problem::error(&READING, message).help(format!("at most {POINTS_MAX}; take a longer `per`")));
        }
        let mut counts = vec![0_u64; count + 1];
        for row in rows {
            let index = usize::try_from(self.rows[*row].time.nanos() / bucket).unwrap_or(count);
            counts[index.min(count)] += 1;
        }
        let start = |index: u64| Span::from_nanos(index.saturating_mul(bucket));
        let points = (0..)
            .zip(&counts)
            .map(|(index, count)| (start(index), Some(rate(count.saturating_mul(1_000_000), bucket))));
        Ok((points.collect(), start(last + 1)))
    }
}

/// A value in millionths per `nanos` as a rate; rounded down to a millionth of a request per second, saturating.
fn rate(value: u64, nanos: u64) -> Rate {
    let micro = u128::from(value) * 1_000_000_000 / u128::from(nanos);
    Rate::micro(u64::try_from(micro).unwrap_or(u64::MAX))
}

/// The step that is neither among the short nor among the long ones: the median of all above zero; one minute for a single row.
pub(super) fn usual_step(times: &[Span]) -> Span {
    let mut steps: Vec<Span> =
        times.windows(2).map(|pair| pair[1].minus(pair[0])).filter(|step| *step > Span::ZERO).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(Span::from_secs(60))
}

/// The points in the time of the run: cut at the front, faster, scaled, repeated, cut at the end.
fn placed(points: Vec<Point>, end: Span, reading: &Reading<'_>) -> Result<Vec<Point>, Problem> {
    let first = points.partition_point(|(time, _)| *time <= reading.from);
    let mut once: Vec<Point> = Vec::with_capacity(points.len() - first + 2);
    once.push((Span::ZERO, first.checked_sub(1).and_then(|before| points[before].1)));
    let speed = u64::from(reading.speed.max(1));
    let moved = |time: Span| Span::from_nanos(time.minus(reading.from).nanos() / speed);
    once.extend(points[first..].iter().map(|(time, rate)| (moved(*time), *rate)));
    for (_, rate) in &mut once {
        *rate = rate.map(|rate| rate.scaled(reading.scale, 1_000_000));
    }
    let period = moved(end);
    if !reading.repeat || period >= reading.duration {
        once.push((period, None));
        once.retain(|(time, _)| *time < reading.duration);
        return Ok(once);
    }
    let rounds = reading.duration.fit(period).saturating_add(1);
    if rounds.saturating_mul(once.len() as u64) > POINTS_MAX as u64 {
        let message = format!("repeating {} points every {period} gives more than {POINTS_MAX}", once.len());
        return Err(Problem::error(&READING, message).help("leave `repeat` out, or make the run shorter"));
    }
    let mut all = Vec::new();
    for round in 0..rounds {
        all.extend(once.iter().map(|(time, rate)| (time.plus(period.times(round)), *rate)));
    }
    all.retain(|(time, _)| *time < reading.duration);
    Ok(all)
}

fn short_list(list: &str) -> String {
    match list.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &list[..end]),
        None => list.to_owned(),
    }
}
