//! A table for the terminal: one or two fields as a matrix, more of them as the best points, and what it comes to in words.

use super::edge::distinct;
use super::edge::sentences;
use super::edge::shown;
use super::scored::Measured;
use super::scored::Scored;
use super::scored::columns;
use super::scored::scored;
use super::table::Column;
use super::table::Role;
use super::table::Table;
use crate::report::Figure;
use crate::report::Paint;
use crate::report::folded;
use crate::report::words::counted;

/// So many points are listed.
const LISTED: usize = 10;
/// So many values of a field are told in the head.
const VALUES: usize = 8;
/// A matrix has at most so many rows.
const ROWS: usize = 40;
/// Cells longer than this are cut.
const CELL_MAX: usize = 28;

/// The whole table in lines of at most `width` columns where names allow it.
#[must_use]
pub fn text(table: &Table, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    if let Some(tuned) = &table.header.tuned {
        return super::tune::text(table, tuned, width, paint);
    }
    let points = scored(table);
    let mut out = head(table, &points, width, paint);
    if let Some(part) = table.header.part {
        let held = points.iter().filter(|point| point.holds()).count();
        let own = counted(points.len() as u64, "point");
        let what = format!(
            "part {} of {}: {own} of {}, all expectations hold in {held}; `plimsoll merge` joins the parts",
            part.index, part.total, table.header.points
        );
        folded(&mut out, "", &what, width);
        return out;
    }
    let fields = columns(table, |role| role == Role::Field);
    let is_grid = table.header.method == "grid";
    let matrix = match fields.len() {
        2 if is_grid => matrices(table, &points, width, paint),
        1 if is_grid && points.len() <= ROWS => Some(list(table, &points.iter().collect::<Vec<_>>(), width, paint)),
        _ => None,
    };
    out.push('\n');
    out.push_str(&matrix.unwrap_or_else(|| best(table, &points, width, paint)));
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    let one_seed = table.header.seeds.len() == 1;
    let seeds = if one_seed { "" } else { " in enough seeds · ~ in some · 3/5 is three of five seeds" };
    out.push_str(&format!("{}\n\n", paint.faint(&format!("✓ all expectations hold{seeds} · ✗ not"))));
    for sentence in sentences(table, &points) {
        folded(&mut out, "", &sentence, width);
    }
    out
}

fn head(table: &Table, points: &[Scored], width: usize, paint: Paint) -> String {
    let header = &table.header;
    let mut out = format!("{}\n", paint.strong(&clean(&header.sweep)));
    let seeds = match header.seeds.as_slice() {
        [seed] => format!("seed {seed}"),
        many => counted(many.len() as u64, "seed"),
    };
    let facts = format!("{}  {} of {}  {seeds}", header.scenario, header.method, counted(header.points, "point"));
    folded(&mut out, "", &facts, width);
    let fields = columns(table, |role| role == Role::Field);
    let names = fields.iter().map(|(_, column)| column.name.chars().count()).max().unwrap_or(0);
    for (place, (_, column)) in fields.iter().enumerate() {
        let label = format!("  {:<names$}  ", clean(&column.name));
        folded(&mut out, &label, &range(points, place, column), width);
    }
    out
}

/// The values of a field: one by one where they are few, else the smallest and the largest.
pub(super) fn range(points: &[Scored], place: usize, column: &Column) -> String {
    let values = distinct(points, place);
    if values.len() <= VALUES {
        let texts: Vec<String> = values.iter().map(|value| shown(value, &column.unit)).collect();
        return texts.join(", ");
    }
    let mut numbers: Vec<f64> = values
        .iter()
        .filter_map(|value| if let super::Cell::Number(number) = value { *number } else { None })
        .collect();
    numbers.sort_by(f64::total_cmp);
    let text = |number: &f64| shown(&super::Cell::Number(Some(*number)), &column.unit);
    match (numbers.first(), numbers.last()) {
        (Some(low), Some(high)) => format!("{} to {}, {} values", text(low), text(high), values.len()),
        _ => format!("{} values", values.len()),
    }
}

/// Two fields: whether all held, and each measure, with the first field downwards.
fn matrices(table: &Table, points: &[Scored], width: usize, paint: Paint) -> Option<String> {
    let fields = columns(table, |role| role == Role::Field);
    let (down, across) = (distinct(points, 0), distinct(points, 1));
    if down.len() > ROWS || points.len() != down.len() * across.len() {
        return None;
    }
    let names = short(&fields);
    let corner = format!("{} ↓  {} →", names[0], names[1]);
    let titles: Vec<String> = across.iter().map(|value| shown(value, &fields[1].1.unit)).collect();
    let mean_of = if table.header.seeds.len() > 1 { ", mean of the seeds" } else { "" };
    let verdicts = points.iter().map(|point| verdict(point, paint)).collect();
    let mut all: Vec<(String, Vec<Marked>)> = vec![("all expectations".to_owned(), verdicts)];
    for (place, (_, column)) in columns(table, |role| role == Role::Measure).into_iter().enumerate() {
        let figures = points.iter().map(|point| Marked::plain(mean(&point.measures[place], &column.unit)));
        all.push((format!("{}{mean_of}", column.name), figures.collect()));
    }
    let mut out = String::new();
    for (title, cells) in all {
        let mut cells = cells.into_iter();
        let head = std::iter::once(corner.clone()).chain(titles.iter().cloned());
        let mut rows = vec![head.map(Marked::plain).collect::<Vec<_>>()];
        for value in &down {
            let first = Marked::plain(shown(value, &fields[0].1.unit));
            rows.push(std::iter::once(first).chain(cells.by_ref().take(across.len())).collect());
        }
        if line_width(&rows) > width {
            return None;
        }
        out.push_str(&format!("{}\n{}\n", paint.strong(&clean(&title)), lines(&rows)));
    }
    Some(out)
}

/// The points that hold best.
fn best(table: &Table, points: &[Scored], width: usize, paint: Paint) -> String {
    let mut sorted: Vec<&Scored> = points.iter().collect();
    let broken = |point: &Scored| point.expectations.iter().filter(|one| !one.holds).count();
    sorted.sort_by_key(|point| {
        (!point.holds(), point.seeds - point.all_held.min(point.seeds), broken(point), point.point)
    });
    let more = sorted.len().saturating_sub(LISTED);
    sorted.truncate(LISTED);
    let mut out = list(table, &sorted, width, paint);
    if more > 0 {
        out.push_str(&paint.faint(&format!("and {} more, in the file", counted(more as u64, "point"))));
        out.push('\n');
    }
    out
}

/// Points below each other: number, verdict, fields, measures, expectations, as many columns as there is room for.
fn list(table: &Table, points: &[&Scored], width: usize, paint: Paint) -> String {
    let fields = columns(table, |role| role == Role::Field);
    let measures = columns(table, |role| role == Role::Measure);
    let expectations = columns(table, |role| role == Role::Measured);
    let titles = ["point".to_owned(), "holds".to_owned()].into_iter().chain(short(&fields));
    let titles = titles.chain(measures.iter().chain(&expectations).map(|(_, column)| column.name.clone()));
    let mut rows = vec![titles.map(Marked::plain).collect::<Vec<_>>()];
    for point in points {
        let mut row = vec![Marked::plain(point.point.to_string()), verdict(point, paint)];
        let values = point.values.iter().zip(&fields).map(|(value, (_, column))| shown(value, &column.unit));
        row.extend(values.map(Marked::plain));
        let figures = point.measures.iter().zip(&measures).map(|(one, (_, column))| mean(one, &column.unit));
        row.extend(figures.map(Marked::plain));
        row.extend(point.expectations.iter().zip(&expectations).map(|(one, (_, column))| {
            let figure = mean(&one.measured, &column.unit);
            if one.holds {
                Marked::plain(figure)
            } else {
                Marked::new(&format!("{figure} ✗"), |text| paint.bad(text))
            }
        }));
        rows.push(row);
    }
    while line_width(&rows) > width && rows[0].len() > 2 + fields.len() {
        rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    lines(&rows)
}

/// Text with and without its colour.
pub(super) struct Marked {
    plain: String,
    painted: String,
}

impl Marked {
    pub(super) fn plain(text: String) -> Self {
        let text = clean(&text);
        let text = if text.chars().count() > CELL_MAX {
            text.chars().take(CELL_MAX - 1).chain(['…']).collect()
        } else {
            text
        };
        Self { painted: text.clone(), plain: text }
    }

    pub(super) fn new(text: &str, paint: impl Fn(&str) -> String) -> Self {
        Self { plain: text.to_owned(), painted: paint(text) }
    }
}

fn verdict(point: &Scored, paint: Paint) -> Marked {
    let share = if point.seeds == 1 { String::new() } else { format!(" {}/{}", point.all_held, point.seeds) };
    match (point.holds(), point.all_held) {
        (true, _) => Marked::new(&format!("✓{share}"), |text| paint.good(text)),
        (false, 0) => Marked::new(&format!("✗{share}"), |text| paint.bad(text)),
        (false, _) => Marked::new(&format!("~{share}"), |text| paint.warn(text)),
    }
}

pub(super) fn mean(measured: &Measured, unit: &str) -> String {
    match measured.spread {
        Some((_, mean, _)) => Figure::named(mean, unit).map_or_else(|| mean.to_string(), |figure| figure.to_string()),
        None => "–".to_owned(),
    }
}

/// The fields by the end of their paths, as short as tells them apart.
pub(super) fn short(fields: &[(usize, &Column)]) -> Vec<String> {
    let end = |name: &str, parts: usize| {
        let all: Vec<&str> = name.split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    let names: Vec<&str> = fields.iter().map(|(_, column)| column.name.as_str()).collect();
    let unique = |parts: usize| {
        let ends: Vec<String> = names.iter().map(|name| end(name, parts)).collect();
        let distinct = ends.iter().enumerate().all(|(place, one)| !ends[..place].contains(one));
        distinct.then_some(ends)
    };
    let longest = names.iter().map(|name| name.split('.').count()).max().unwrap_or(1);
    (1..=longest).find_map(unique).unwrap_or_else(|| names.iter().map(|name| (*name).to_owned()).collect())
}

fn widths(rows: &[Vec<Marked>]) -> Vec<usize> {
    let count = rows.first().map_or(0, Vec::len);
    let wide = |place: usize| rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.plain.chars().count()).max();
    (0..count).map(|place| wide(place).unwrap_or(0)).collect()
}

pub(super) fn line_width(rows: &[Vec<Marked>]) -> usize {
    widths(rows).iter().map(|width| width + 2).sum::<usize>().saturating_sub(2)
}

pub(super) fn lines(rows: &[Vec<Marked>]) -> String {
    let widths = widths(rows);
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let is_last = place + 1 == row.len();
            let room = if is_last { 0 } else { width - cell.plain.chars().count() + 2 };
            line.push_str(&format!("{}{}", cell.painted, " ".repeat(room)));
        }
        out.push_str(&format!("{}\n", line.trim_end()));
    }
    out
}

/// Names may hold anything; the terminal gets no control characters of theirs.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
