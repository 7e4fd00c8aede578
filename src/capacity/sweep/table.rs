//! The table that a sweep comes to: what its columns are, and its rows.

use super::Basis;
use super::FORMAT_VERSION;
use crate::input::sweep::Aim;
use crate::input::sweep::Method;
use crate::input::sweep::Sweep;
use crate::model::Bound;
use crate::model::Expectation;
use crate::report::Figure;
use crate::report::Unit;
use serde::Deserialize;
use serde::Serialize;

/// What a table is of, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// The sweep's name.
    pub sweep: String,
    /// The scenario's name.
    pub scenario: String,
    /// How the points were chosen, in words: `grid`, `latin-hypercube`, `monte-carlo`, `optimise`.
    pub method: String,
    /// How many points the whole sweep has.
    pub points: u64,
    /// The seeds of each point; of a sweep that is tuned, those that the search sees.
    pub seeds: Vec<u64>,
    /// Which part of the sweep the rows are; `None` for all of it.
    pub part: Option<Part>,
    /// What it was tuned for; `None` where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuned: Option<Tuned>,
    /// What the rows rest on.
    pub basis: Basis,
    /// The columns.
    pub columns: Vec<Column>,
}

/// What a sweep was tuned for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuned {
    /// The aims, in their order: names of measures or expectations.
    pub aims: Vec<Aimed>,
    /// The expectations that rank points.
    pub hold: Vec<String>,
    /// The seeds that the search did not see.
    pub check: Vec<u64>,
}

/// One aim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aimed {
    /// The measure or the expectation.
    pub name: String,
    /// Whether it is to be high.
    pub highest: bool,
}

/// One part of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Counted from 1.
    pub index: u64,
    /// Of so many.
    pub total: u64,
}

impl Part {
    /// Whether a point belongs to this part. Neighbours go to different parts, so that a corner where runs take long is shared.
    #[must_use]
    pub const fn holds(self, point: u64) -> bool {
        point % self.total == self.index - 1
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, without the unit.
    pub name: String,
    /// What it says.
    pub role: Role,
    /// What its cells are.
    pub kind: Kind,
    /// The unit of its numbers; empty where they have none.
    pub unit: String,
}

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The number of the point.
    Point,
    /// The seed.
    Seed,
    /// Whether a run was one of the search, or of the check on seeds that it did not see: [`SEARCH`], [`CHECK`].
    Phase,
    /// The generation in which a search chose the point, from zero.
    Generation,
    /// The value of a field.
    Field,
    /// What was measured for an expectation.
    Measured,
    /// Whether the expectation held; with the thousandths of seeds in which it must.
    Held(u64),
    /// What was measured beside the expectations.
    Measure,
    /// Whether all expectations held.
    AllHeld,
    /// Whether the point is on the front, of the search or of the check.
    Front,
    /// Containers advanced by one step: how much work the run was.
    Ticks,
}

/// A run of a search, in [`Role::Phase`].
pub const SEARCH: &str = "search";
/// A run on a seed that the search did not see.
pub const CHECK: &str = "check";

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Whole numbers.
    Whole,
    /// Numbers, or nothing.
    Number,
    /// Yes or no.
    Flag,
    /// Text.
    Text,
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A whole number.
    Whole(u64),
    /// A number; `None` where nothing could be measured, infinite where requests came and none was answered.
    Number(Option<f64>),
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(String),
}

/// One run: a point with a seed.
pub type Row = Vec<Cell>;

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it is of.
    pub header: Header,
    /// A row a run, in the order of the points, and of the seeds within a point.
    pub rows: Vec<Row>,
}

impl Column {
    fn new(name: &str, role: Role, kind: Kind, unit: &str) -> Self {
        Self { name: name.to_owned(), role, kind, unit: unit.to_owned() }
    }

    /// Its title in a file: `slow [ms]`, `API is fast: held`.
    #[must_use]
    pub fn title(&self) -> String {
        match self.role {
            Role::Held(_) => format!("{}: held", self.name),
            _ if self.unit.is_empty() => self.name.clone(),
            _ => format!("{} [{}]", self.name, self.unit),
        }
    }
}

impl Cell {
    /// As text that reads back as the same cell; nothing is empty.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// Reads the text of a cell; `None` where it is none of this kind.
    #[must_use]
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::Whole => text.parse().ok().map(Self::Whole),
            Kind::Number if text.is_empty() => Some(Self::Number(None)),
            Kind::Number => text.parse().ok().map(|number| Self::Number(Some(number))),
            Kind::Flag => text.parse().ok().map(Self::Flag),
            Kind::Text => Some(Self::Text(text.to_owned())),
        }
    }
}

impl Header {
    /// The head of the table of a sweep whose points expect this; measures are those of the sweep.
    #[must_use]
    pub fn new(sweep: &Sweep, points: u64, expect: &[Expectation], part: Option<Part>, basis: Basis) -> Self {
        let mut columns =
            vec![Column::new("point", Role::Point, Kind::Whole, ""), Column::new("seed", Role::Seed, Kind::Whole, "")];
        if sweep.tuning.is_some() {
            columns.push(Column::new("phase", Role::Phase, Kind::Text, ""));
            columns.push(Column::new("generation", Role::Generation, Kind::Whole, ""));
        }
        for field in &sweep.fields {
            let name = field.path.to_string();
            columns.push(match field.values.unit() {
                Some(unit) => Column::new(&name, Role::Field, Kind::Number, unit),
                None => Column::new(&name, Role::Field, Kind::Text, ""),
            });
        }
        for one in expect {
            columns.push(Column::new(&one.name, Role::Measured, Kind::Number, &unit(one).name()));
            columns.push(Column::new(&one.name, Role::Held(one.seeds.get()), Kind::Flag, ""));
        }
        for one in &sweep.measures {
            columns.push(Column::new(&one.name, Role::Measure, Kind::Number, &unit(one).name()));
        }
        columns.push(Column::new("all_held", Role::AllHeld, Kind::Flag, ""));
        if sweep.tuning.is_some() {
            columns.push(Column::new("front", Role::Front, Kind::Flag, ""));
        }
        columns.push(Column::new("container_ticks", Role::Ticks, Kind::Whole, ""));
        let method = match sweep.method {
            Method::Grid => "grid",
            Method::LatinHypercube { .. } => "latin-hypercube",
            Method::MonteCarlo { .. } => "monte-carlo",
            Method::Optimise { .. } => "optimise",
        };
        let aimed = |aim: &Aim| Aimed { name: aim.name.clone(), highest: aim.highest };
        let tuned = sweep.tuning.as_ref().map(|tuning| Tuned {
            aims: tuning.aims.iter().map(aimed).collect(),
            hold: tuning.hold.clone(),
            check: tuning.check.iter().map(|seed| seed.get()).collect(),
        });
        Self {
            format_version: FORMAT_VERSION,
            sweep: sweep.name.clone(),
            scenario: sweep.opened.resolved.scenario.name.clone(),
            method: method.to_owned(),
            points,
            seeds: sweep.seeds.iter().map(|seed| seed.get()).collect(),
            part,
            tuned,
            basis,
            columns,
        }
    }

    /// The points that the rows are of.
    pub fn own_points(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.points).filter(|point| self.part.is_none_or(|part| part.holds(*point)))
    }

    /// Whether a scenario that expects this has the columns of this table.
    pub(super) fn expects(&self, expect: &[Expectation]) -> bool {
        let own = self.columns.iter().filter(|column| column.role == Role::Measured);
        own.map(|column| (column.name.clone(), column.unit.clone())).eq(columns_of(expect))
    }

    /// Whether a seed is one of those that a search does not see.
    pub(super) fn is_check(&self, seed: u64) -> bool {
        self.tuned.as_ref().is_some_and(|tuned| tuned.check.contains(&seed))
    }

    /// Reads a row from the texts of its cells.
    #[must_use]
    pub fn row(&self, texts: &[String]) -> Option<Row> {
        if texts.len() != self.columns.len() {
            return None;
        }
        self.columns.iter().zip(texts).map(|(column, text)| Cell::parse(column.kind, text)).collect()
    }
}

/// Names and units of the columns that expectations have.
pub(super) fn columns_of(expect: &[Expectation]) -> Vec<(String, String)> {
    expect.iter().map(|one| (one.name.clone(), unit(one).name())).collect()
}

/// The unit that an expectation is measured in: that of its bound.
fn unit(expectation: &Expectation) -> Unit {
    match expectation.bound {
        Bound::Value(quantity) => Figure::of(quantity).unit,
        Bound::OfLimit(_) => Unit::Share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_reads_back_to_the_last_bit(number in proptest::num::f64::ANY.prop_filter("a number", |n| !n.is_nan())) {
            let cell = Cell::Number(Some(number));
            prop_assert_eq!(Cell::parse(Kind::Number, &cell.text()), Some(cell));
        }

        #[test]
        fn each_point_belongs_to_one_part(point in any::<u64>(), total in 1_u64..50) {
            let holding = (1..=total).filter(|index| Part { index: *index, total }.holds(point)).count();
            prop_assert_eq!(holding, 1);
        }
    }
}
