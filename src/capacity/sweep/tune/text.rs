//! A tuned sweep for the terminal: the front and the scenario's own values, with the figures of the seeds that the search saw
//! and of those that it did not.

use super::front::found;
use super::front::phases;
use super::words::Findings;
use super::worth::Scale;
use crate::capacity::sweep::Cell;
use crate::capacity::sweep::Role;
use crate::capacity::sweep::Table;
use crate::capacity::sweep::Tuned;
use crate::capacity::sweep::edge::shown;
use crate::capacity::sweep::scored::Scored;
use crate::capacity::sweep::scored::columns;
use crate::capacity::sweep::text::Marked;
use crate::capacity::sweep::text::clean;
use crate::capacity::sweep::text::line_width;
use crate::capacity::sweep::text::lines;
use crate::capacity::sweep::text::mean;
use crate::capacity::sweep::text::range;
use crate::capacity::sweep::text::short;
use crate::report::Paint;
use crate::report::folded;
use crate::report::words::counted;

/// So many points of the front are listed.
const LISTED: usize = 20;

/// The whole table in lines of at most `width` columns where names allow it.
pub(in crate::capacity::sweep) fn text(table: &Table, tuned: &Tuned, width: usize, paint: Paint) -> String {
    let scale = Scale::of(&table.header, tuned);
    let (search, check) = phases(table);
    let (front, still) = found(&scale, &search, &check);
    let all = Findings { table, tuned, scale: &scale, search: &search, check: &check, front: &front, still: &still };
    let mut out = head(&all, width, paint);
    out.push('\n');
    let unseen = counted(tuned.check.len() as u64, "seed");
    out.push_str(&format!("{}\n", paint.strong("the front, beside the scenario's own values")));
    out.push_str(&rows(&all, width, paint));
    let listed = all.front.iter().filter(|point| **point != 0).count();
    if listed > LISTED {
        let more = counted((listed - LISTED) as u64, "point");
        out.push_str(&format!("{}\n", paint.faint(&format!("and {more} more, in the file"))));
    }
    let legend = format!(
        "unseen: on {unseen} that the search did not see, as is what holds: ✓ all that must · ✗ not · ★ on the front there"
    );
    out.push('\n');
    let mut folding = String::new();
    folded(&mut folding, "", &legend, width);
    for line in folding.lines() {
        out.push_str(&format!("{}\n", paint.faint(line)));
    }
    out.push('\n');
    for sentence in all.sentences() {
        folded(&mut out, "", &sentence, width);
    }
    out
}

fn head(all: &Findings<'_>, width: usize, paint: Paint) -> String {
    let header = &all.table.header;
    let mut out = format!("{}\n", paint.strong(&clean(&header.sweep)));
    let place = header.columns.iter().position(|column| column.role == Role::Generation);
    let generation = |row: &Vec<Cell>| match place.and_then(|place| row.get(place)) {
        Some(Cell::Whole(generation)) => *generation,
        _ => 0,
    };
    let generations = all.table.rows.iter().map(generation).max().unwrap_or(0) + 1;
    let facts = format!(
        "{}  {} tried in {}  {}, {} to check",
        header.scenario,
        counted(all.search.len() as u64, "point"),
        counted(generations, "generation"),
        counted(header.seeds.len() as u64, "seed"),
        counted(all.tuned.check.len() as u64, "other"),
    );
    folded(&mut out, "", &facts, width);
    let fields = columns(all.table, |role| role == Role::Field);
    let names = fields.iter().map(|(_, column)| column.name.chars().count()).max().unwrap_or(0);
    for (place, (_, column)) in fields.iter().enumerate() {
        let label = format!("  {:<names$}  ", clean(&column.name));
        folded(&mut out, &label, &range(&rising(all.search, place), place, column), width);
    }
    let aims = all.tuned.aims.iter().map(|aim| {
        let way = if aim.highest { "highest" } else { "lowest" };
        format!("{way} {}", clean(&aim.name))
    });
    folded(&mut out, "  for ", &aims.collect::<Vec<_>>().join(", "), width);
    out
}

/// The points by the numbers of a field, lowest first.
fn rising(points: &[Scored], field: usize) -> Vec<Scored> {
    let number =
        |point: &Scored| if let Cell::Number(Some(number)) = point.values[field] { number } else { f64::INFINITY };
    let mut sorted: Vec<Scored> =
        points.iter().filter(|point| !point.values[field].text().is_empty()).cloned().collect();
    sorted.sort_by(|one, other| number(one).total_cmp(&number(other)));
    sorted
}

/// One table where there is room for it; else the values and the figures below each other.
fn rows(all: &Findings<'_>, width: usize, paint: Paint) -> String {
    let fields = columns(all.table, |role| role == Role::Field);
    let own = all.search.iter().find(|point| point.point == 0);
    let front = all.front.iter().filter(|point| **point != 0).take(LISTED);
    let front = front.filter_map(|number| all.search.iter().find(|point| point.point == *number));
    let points: Vec<&Scored> = own.into_iter().chain(nearest(all)).chain(front).collect();
    let name = |point: &Scored| if point.point == 0 { "own".to_owned() } else { point.point.to_string() };
    let first = || std::iter::once("point".to_owned()).chain(points.iter().map(|point| name(point)));
    let first = || -> Vec<Marked> { first().map(Marked::plain).collect() };
    let mut values: Vec<Vec<Marked>> = Vec::new();
    for (place, title) in short(&fields).into_iter().enumerate() {
        let value = |point: &&Scored| match &point.values[place] {
            Cell::Number(None) => "–".to_owned(),
            value if value.text().is_empty() => "–".to_owned(),
            value => shown(value, &fields[place].1.unit),
        };
        values.push(std::iter::once(title).chain(points.iter().map(value)).map(Marked::plain).collect());
    }
    let mut figures: Vec<Vec<Marked>> = Vec::new();
    for (place, (aim, unit)) in all.tuned.aims.iter().zip(all.units()).enumerate() {
        let seen = points.iter().map(|point| mean(all.scale.measured(point)[place], unit));
        figures.push(std::iter::once(aim.name.clone()).chain(seen).map(Marked::plain).collect());
        let unseen = points.iter().map(|point| {
            all.checked(point.point).map_or("–".to_owned(), |point| mean(all.scale.measured(point)[place], unit))
        });
        figures.push(std::iter::once("unseen".to_owned()).chain(unseen).map(Marked::plain).collect());
    }
    let verdicts = points.iter().map(|point| verdict(all, point.point, paint));
    figures.push(std::iter::once(Marked::plain("holds".to_owned())).chain(verdicts).collect());
    let whole = across(std::iter::once(first()).chain(values).chain(figures));
    if line_width(&whole) <= width {
        return lines(&whole);
    }
    // The same cells again, taken apart.
    let mut whole: Vec<Vec<Marked>> = whole;
    let right = whole.iter_mut().map(|row| row.split_off(1 + fields.len())).collect::<Vec<_>>();
    let right = first().into_iter().zip(right).map(|(name, row)| std::iter::once(name).chain(row).collect());
    format!("{}\n{}", lines(&whole), lines(&right.collect::<Vec<_>>()))
}

/// Where nothing holds, the point that was checked for want of a front.
fn nearest<'a>(all: &Findings<'a>) -> Option<&'a Scored> {
    let number = all.check.last().filter(|_| all.front.is_empty())?.point;
    all.search.iter().find(|point| point.point == number && number != 0)
}

/// How a point does on the seeds that the search did not see.
fn verdict(all: &Findings<'_>, point: u64, paint: Paint) -> Marked {
    let Some(checked) = all.checked(point) else { return Marked::plain("–".to_owned()) };
    if !all.scale.holds(checked) {
        let held = all.scale.hold.iter().map(|place| checked.expectations[*place].held).min().unwrap_or(0);
        return Marked::new(&format!("✗ {held}/{}", checked.seeds), |text| paint.bad(text));
    }
    let front = if all.still.contains(&point) { " ★" } else { "" };
    Marked::new(&format!("✓{front}"), |text| paint.good(text))
}

/// Rows of columns.
fn across(columns: impl Iterator<Item = Vec<Marked>>) -> Vec<Vec<Marked>> {
    let mut columns: Vec<_> = columns.map(Vec::into_iter).collect();
    let mut rows = Vec::new();
    loop {
        let row: Vec<Marked> = columns.iter_mut().filter_map(Iterator::next).collect();
        if row.is_empty() {
            return rows;
        }
        rows.push(row);
    }
}
