//! Sweeps: one scenario with fields of it varied, as a file says it.
//!
//! Before you change it:
//! 1. A field is a path into the scenario's file as it was written. The changed file goes through the same doors as any other
//!    ([`Opened::resolved_with`]), so that what can be varied is what can be written, and every error is the ordinary one.
//! 2. What is wrong with a point is told at the field in the sweep's file, with the number of the point.

mod aim;
mod number;
mod path;
mod point;
mod values;
mod wire;

pub use aim::Aim;
pub use aim::Tuning;
pub use number::Number;
pub use path::FieldPath;
pub use values::Between;
pub use values::Level;
pub use values::Values;
pub use wire::SweepFile;

use crate::input::expression;
use crate::input::expression::Known;
use crate::input::expression::Scalar;
use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::input::scenario::Opened;
use crate::input::scenario::SeedChoice;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::Bound;
use crate::model::Expectation;
use crate::model::Quantity;
use crate::model::ServiceName;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Money;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use wire::MethodFile;

/// Codes of sweeps.
pub const CODES: &[&Code] = &[&VALUES, &FIELD, &METHOD, &aim::AIM];

static VALUES: Code = Code {
    id: "PL0441",
    title: "values that a field cannot take",
    explanation: "The values of a field are a list, or a range in one unit:

    vary:
      services.api.workers: [2, 4, 8]
      load.api.high: { from: 20/s, to: 100/s, by: 20/s }
      load.api.low:  { from: 1/s, to: 100/s, steps: 5, distribution: log-uniform }
      services.api.work.cpu: { from: 5ms, to: 25ms, distribution: normal, mean: 12ms, sd: 3ms }

A grid needs values one after another: a list, `by` or `steps`. For `latin-hypercube`, `monte-carlo` and `optimise` a range may stand \
alone; with `by` only its multiples are drawn, which is how whole numbers are.",
};

pub(crate) static FIELD: Code = Code {
    id: "PL0442",
    title: "a field that cannot be varied",
    explanation: "A field is a path into the scenario's file: keys with dots between them, a place in a list in brackets, a key with a \
dot in it in quotes. `load.api.high`, `faults[0].for`, `services.\"my.app\".workers`. A key that the scenario leaves out can be varied, \
too. A figure of a policy that is only named is `policy.SERVICE.FIGURE`: the policy then starts from that name.

A misspelt path is an error before anything runs. So are `seeds`, which the sweep has itself, and two paths of which one is a part of \
the other.",
};

static METHOD: Code = Code {
    id: "PL0443",
    title: "a sweep that its method cannot make",
    explanation: "`grid` is every combination of the values, so that `points` and `seed` say nothing there. `latin-hypercube` and \
`monte-carlo` draw as many `points` as are asked for, from a `seed` that is 1 unless said otherwise. `optimise` tries as many, and needs \
the `aim` of it. A sweep has at most a million points.",
};

/// Most points of a sweep.
pub const POINTS_MAX: u64 = 1_000_000;

/// Columns of the results that are no field, expectation or measure.
pub const RESERVED: [&str; 7] = ["point", "seed", "phase", "generation", "all_held", "front", "container_ticks"];

/// Fewest points of a sweep that is tuned: less is no search.
pub const TRIED_MIN: u32 = 8;

/// How the points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every combination, the last field changing fastest.
    Grid,
    /// Each field has one value in each of so many equally likely parts of its range.
    LatinHypercube {
        /// So many points.
        points: u32,
        /// Drawn from this seed.
        seed: Seed,
    },
    /// Each point is drawn by itself.
    MonteCarlo {
        /// So many points.
        points: u32,
        /// Drawn from this seed.
        seed: Seed,
    },
    /// Each generation is bred from the best points before it.
    Optimise {
        /// So many points are tried.
        points: u32,
        /// Drawn from this seed.
        seed: Seed,
    },
}

/// A field that is varied.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Which.
    pub path: FieldPath,
    /// Its values.
    pub values: Values,
    /// Where the sweep names it.
    place: Place,
}

/// A sweep with the scenario that it varies.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// What a person calls it.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The scenario as it is, with the seeds of the sweep.
    pub opened: Opened,
    /// How the points are chosen.
    pub method: Method,
    /// What is varied, in the order of the file.
    pub fields: Vec<Field>,
    /// The seeds of every point, in order.
    pub seeds: Vec<Seed>,
    /// What is measured beside the expectations, in the order of the file.
    pub measures: Vec<Expectation>,
    /// What it is tuned for; of [`Method::Optimise`] alone.
    pub tuning: Option<Tuning>,
}

/// Reads a sweep and the scenario that it varies.
///
/// # Errors
/// All that is wrong with the sweep and with the scenario as it is. What is wrong with a point is told by [`Sweep::resolve`].
pub fn load(path: &Path, environment: &BTreeMap<String, String>) -> Result<Sweep, Problems> {
    let source = Source::read(path)?;
    let (node, file) = schema::read::<SweepFile>(&source)?;
    let mut problems = Problems::new();
    let fields = fields(&file, &node, &mut problems);
    let method = method(&file, &node, &fields, &mut problems);
    let folder = path.parent().unwrap_or(Path::new(""));
    let named = folder.join(&file.scenario);
    let named = if named.is_dir() { named.join("scenario.yaml") } else { named };
    let options =
        LoadOptions { environment: environment.clone(), seeds: seeds(file.seeds.as_ref()), ..LoadOptions::default() };
    let place = schema::place_of(&node, "/scenario");
    let opened = scenario::open(&named, &options).map_err(|wrong| {
        let at = |problem: &Problem| if problem.place.is_none() { problem.clone().at(&place) } else { problem.clone() };
        problems.extend(wrong.iter().map(at).collect());
    });
    let (Ok(opened), Some(method)) = (opened, method) else { return Err(problems) };
    let measures = measures(&file, &node, &opened, &fields, &mut problems);
    let tuning = aim::tuning(&file, &node, &opened, &measures, &mut problems);
    if problems.has_errors() {
        return Err(problems);
    }
    let mut seeds = opened.resolved.scenario.seeds.clone();
    seeds.sort_unstable();
    seeds.dedup();
    Ok(Sweep { name: file.sweep, path: path.to_owned(), opened, method, fields, seeds, measures, tuning })
}

fn seeds(choice: Option<&SeedChoice>) -> Vec<Seed> {
    match choice {
        None => Vec::new(),
        Some(SeedChoice::Range(range)) => (range.first..=range.last).map(Seed::new).collect(),
        Some(SeedChoice::List(list)) => list.iter().copied().map(Seed::new).collect(),
    }
}

fn fields(file: &SweepFile, node: &Node, problems: &mut Problems) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for entry in node.get("vary").map(Node::entries).unwrap_or_default() {
        let Some(vary) = file.vary.get(&entry.key) else { continue };
        let mut wrong = |why: String| problems.push(Problem::error(&FIELD, why).at(&entry.key_place));
        let path = match FieldPath::parse(&entry.key) {
            Ok(path) => path,
            Err(why) => {
                wrong(why);
                continue;
            }
        };
        match path.first() {
            "seeds" => wrong("`seeds` are not varied: every point is run with the `seeds` of the sweep".to_owned()),
            "scenario" => wrong("`scenario` is the name of the scenario, which changes nothing".to_owned()),
            "expect" if file.method == MethodFile::Optimise => {
                wrong("`expect` is not tuned: a looser expectation is no better policy".to_owned());
            }
            _ => {}
        }
        if let Some(other) = fields.iter().find(|field| field.path.overlaps(&path)) {
            wrong(format!("`{path}` and `{}` cannot both be varied: one is a part of the other", other.path));
        }
        match Values::read(vary, &entry.value) {
            Ok(values) => fields.push(Field { path, values, place: entry.key_place.clone() }),
            Err((key, why)) => {
                let at = entry.value.get(key).map_or(&entry.value.place, |node| &node.place);
                problems.push(Problem::error(&VALUES, why).at(at));
            }
        }
    }
    fields
}

fn method(file: &SweepFile, node: &Node, fields: &[Field], problems: &mut Problems) -> Option<Method> {
    let at = |key: &str| schema::place_of(node, &format!("/{key}"));
    let seed = Seed::new(file.seed.unwrap_or(1));
    let before = problems.has_errors();
    let method = match (file.method, file.points) {
        (MethodFile::Grid, points) => {
            for key in [points.map(|_| "points"), file.seed.map(|_| "seed")].into_iter().flatten() {
                let problem = Problem::error(&METHOD, format!("a grid has no `{key}`: it is every combination"));
                problems.push(problem.at(&at(key)).help("`method: latin-hypercube` and `monte-carlo` draw points"));
            }
            for field in fields.iter().filter(|field| field.values.levels().is_none()) {
                let message = format!("a grid needs values of `{}` one after another", field.path);
                let help = "say `by: …` or `steps: …`, or write a list; only draws take any number of a range";
                problems.push(Problem::error(&VALUES, message).at(&field.place).help(help));
            }
            let count = fields.iter().filter_map(|field| field.values.levels());
            let count = count.fold(1_u64, |count, levels| count.saturating_mul(levels.len() as u64));
            if count > POINTS_MAX {
                let message = format!("the grid has {count} points, more than {POINTS_MAX}");
                let problem = Problem::error(&METHOD, message).at(&at("vary"));
                problems.push(problem.help("leave values out, or draw some of them: `method: latin-hypercube`"));
            }
            Method::Grid
        }
        (MethodFile::LatinHypercube, Some(points)) => Method::LatinHypercube { points, seed },
        (MethodFile::MonteCarlo, Some(points)) => Method::MonteCarlo { points, seed },
        (MethodFile::Optimise, Some(points)) => {
            if points < TRIED_MIN {
                let message = format!("{points} points are no search: at least {TRIED_MIN} are tried");
                problems.push(Problem::error(&METHOD, message).at(&at("points")));
            }
            Method::Optimise { points, seed }
        }
        (drawn @ (MethodFile::LatinHypercube | MethodFile::MonteCarlo | MethodFile::Optimise), None) => {
            let done = if drawn == MethodFile::Optimise { "tried" } else { "drawn" };
            let message = format!("missing key `points`: how many are {done}");
            let problem = Problem::error(&METHOD, message).at(&at("method"));
            problems.push(problem.help("such as `points: 64`"));
            return None;
        }
    };
    (before || !problems.has_errors()).then_some(method)
}

/// Whatever may have the name of a measure already.
fn taken<'a>(opened: &'a Opened, fields: &'a [Field], name: &str) -> Option<&'static str> {
    let expected = crate::model::MonthlyBudget::EXPECTATION;
    let is_expected = opened.resolved.scenario.expect.iter().any(|one| one.name == name) || name == expected;
    match name {
        _ if is_expected => Some("an expectation"),
        name if fields.iter().any(|field| field.path.to_string() == name) => Some("a field that is varied"),
        name if RESERVED.contains(&name) => Some("a column of every result"),
        _ => None,
    }
}

fn measures(
    file: &SweepFile,
    node: &Node,
    opened: &Opened,
    fields: &[Field],
    problems: &mut Problems,
) -> Vec<Expectation> {
    let scenario = &opened.resolved.scenario;
    let services: Vec<ServiceName> = scenario.services.keys().cloned().collect();
    let judged = (Instant::after_start(scenario.warmup), Instant::after_start(scenario.duration));
    let known = Known { services: &services, judged: Some(judged) };
    let currency = scenario.host.price.as_ref().map(|price| price.month.currency());
    let mut found = Vec::new();
    for entry in node.get("measure").map(Node::entries).unwrap_or_default() {
        let Some(text) = file.measure.get(&entry.key) else { continue };
        if let Some(what) = taken(opened, fields, &entry.key) {
            let problem = Problem::error(&FIELD, format!("`{}` is the name of {what}", entry.key));
            problems.push(problem.at(&entry.key_place).help("call the measure otherwise"));
        }
        match expression::measure(&entry.key, &Scalar::new(text, Some(&entry.value.place)), &known) {
            Ok(mut measure) => {
                if let (Bound::Value(Quantity::Money(_)), Some(currency)) = (measure.bound, currency) {
                    measure.bound = Bound::Value(Quantity::Money(Money::micro(0, currency)));
                }
                found.push(measure);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    found
}

/// A name that a person may have meant.
fn meant(path: &FieldPath, file: &serde_json::Value) -> Option<String> {
    let first = || {
        let keys = file.as_object()?.keys().map(String::as_str);
        nearest(path.first(), keys).map(str::to_owned)
    };
    path.nearest(file).or_else(first)
}
