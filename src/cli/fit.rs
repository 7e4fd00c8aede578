//! `plimsoll fit`: which host to take.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::inputs::Seeds;
use super::output;
use super::printer::Printer;
use super::simulate::scenario_file;
use crate::capacity::fit;
use crate::capacity::fit::Question;
use crate::input::offers::Offers;
use crate::input::problem::Problem;
use crate::input::problem::nearest;
use crate::input::project::Project;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::model::Metric;
use crate::model::Rates;
use crate::model::Term;
use crate::report::Paint;
use crate::report::compare::Show;
use crate::report::quoted;
use crate::units::Currency;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// Find the cheapest host, or split over hosts, that holds a load with headroom.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A host holds a load when all that the scenario expects holds at it, with all
seeds; what the host itself costs is left out. Prices are those of
catalog/offers.yaml and hardware-profiles, each with its day and source; the
price after a first term counts. EUR and USD are not compared without a rate.

carries:  the load line, as a multiple of the expected load; 1.3x.. where only
          that much is known
per 1x:   price of a month for each multiple of the load that is carried

Examples:
  plimsoll fit scenarios/ziggie-kvm-4-evening --headroom 10%
  plimsoll fit peak.yaml --hosts 'kvm-4,kvm-6' --growth 8%/month
  plimsoll fit peak.yaml --budget 40EUR --rate USD=0.92EUR --report out
  plimsoll fit --list")]
pub(super) struct FitArgs {
    /// A scenario file, or a directory that holds a scenario.yaml.
    #[arg(value_name = "SCENARIO", required_unless_present = "list")]
    scenario: Option<PathBuf>,
    /// How much more than the expected load must be held.
    #[arg(long, value_name = "SHARE", default_value = "30%", value_parser = Permille::parse)]
    headroom: Permille,
    /// What a month may cost at most: 40EUR.
    #[arg(long, value_name = "AMOUNT", value_parser = Money::parse)]
    budget: Option<Money>,
    /// By how much the load grows: 8%/month.
    #[arg(long, value_name = "GROWTH", value_parser = growth)]
    growth: Option<Permille>,
    /// Look at these offers only: names with `*` for anything, and commas between them. What is named may be what cannot be
    /// bought, or is for another architecture.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    hosts: Vec<String>,
    /// What one unit of a currency is worth in another: EUR=1.08USD; may be repeated.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Vec<(Currency, Money)>,
    /// Which price of a plan with a first term counts.
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    price: PriceChoice,
    /// Split the stack over at most so many hosts; 1 for no split.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=4))]
    split: u8,
    /// Time of a message from one host to another, one way.
    #[arg(long, value_name = "TIME", default_value = "250us", value_parser = Span::parse)]
    hop: Span,
    /// Take off the CPU limits of services, and policies that move limits.
    #[arg(long)]
    unlimited_cpu: bool,
    /// Offers that stand over those of the project and those shipped.
    #[arg(long, value_name = "FILE")]
    offers: Option<PathBuf>,
    /// Run with these seeds instead of those of the scenario: 1..5 or 1,5,9.
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// Show every offer.
    #[arg(long)]
    all: bool,
    /// List the offers there are.
    #[arg(long, conflicts_with_all = ["scenario", "report"])]
    list: bool,
    /// Write the answer as HTML, JSON, Markdown and CSV, and a picture of price and load line, to this directory.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Which price of a plan with a first term counts.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum PriceChoice {
    /// What is paid after the first term.
    #[default]
    After,
    /// What is paid in the first term.
    Promo,
}

/// Reads `8%/month`, `8%/mo` or `8%`.
fn growth(text: &str) -> Result<Permille, String> {
    let share = text.trim();
    let share = share.strip_suffix("/month").or_else(|| share.strip_suffix("/mo")).unwrap_or(share);
    Permille::parse(share).map_err(|_| format!("`{text}` is no growth such as `8%/month`"))
}

/// Reads `EUR=1.08USD`.
fn rate(text: &str) -> Result<(Currency, Money), String> {
    let wrong = || format!("`{text}` is no rate such as `EUR=1.08USD`: what one EUR is worth");
    let (of, worth) = text.split_once('=').ok_or_else(wrong)?;
    let (of, worth) = (Currency::parse(of).map_err(|_| wrong())?, Money::parse(worth).map_err(|_| wrong())?);
    if Rates::default().set(of, worth) { Ok((of, worth)) } else { Err(wrong()) }
}

/// Finds a host and shows it.
///
/// # Errors
///
/// What is wrong with the files and the options, and what cannot be written.
pub(super) fn fit(args: &FitArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let Some(named) = args.scenario.as_ref().filter(|_| !args.list) else {
        return list(args, globals.format(), printer);
    };
    let path = scenario_file(named)?;
    let seeds = args.seeds.as_ref().map(Seeds::list).unwrap_or_default();
    let options = LoadOptions { environment: inputs::environment(), seeds, ..LoadOptions::default() };
    let opened = scenario::open(&path, &options)?;
    printer.problems(&opened.resolved.warnings);
    let scenario = &opened.resolved.scenario;
    if scenario.expect.iter().all(|expectation| expectation.measure.metric == Metric::Cost) {
        let problem = Problem::error(&codes::OPTION, "the scenario expects nothing, so that every host holds it");
        return Err(problem.help("say under `expect` what must hold, such as `p95(latency.api) <= 500ms`").into());
    }
    let offers = Offers::below(&opened.folder, args.offers.as_deref())?;
    let question = question(args, &offers, &opened.folder, globals)?;
    let bar = printer.progress(0, "runs");
    let found = fit::fit(scenario, &opened.loaded.stack, &offers.all, &question, &|| bar.inc(1));
    bar.finish_and_clear();
    let found = found.map_err(|breached| {
        Failure::Bug(format!("{breached}\nrepeat: {}", breached.repeat(&path.to_string_lossy())))
    })?;
    match globals.format() {
        Format::Json => printer.json(&fit::json::document(&found)),
        Format::Md => printer.data(&fit::markdown(&found)),
        Format::Csv => {
            printer.data(&fit::csv(&found).map_err(|error| Failure::Bug(format!("cannot make the table: {error}")))?);
        }
        Format::Html => printer.data(&fit::html(&found, &command(args, named))),
        Format::Table => {
            let show = if args.all { Show::Everything } else { Show::Telling };
            printer.data(&fit::text(&found, show, printer.width(), Paint::Colour));
        }
    }
    if let Some(directory) = &args.report {
        fit::write(directory, &found, &command(args, named)).map_err(|error| output::failed(directory, &error))?;
        printer.note(&format!("report {}", inputs::shown(&directory.join("fit.html"))));
    }
    Ok(if found.fits() { Exit::Good } else { Exit::NothingFits })
}

/// The command that shows it again.
fn command(args: &FitArgs, scenario: &Path) -> String {
    let mut words = vec![inputs::shown(scenario), "--headroom".to_owned(), args.headroom.to_string()];
    let mut add =
        |name: &str, value: Option<String>| words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    add("--budget", args.budget.map(|budget| budget.to_string().replace(' ', "")));
    add("--growth", args.growth.map(|growth| format!("{growth}/month")));
    add("--hosts", (!args.hosts.is_empty()).then(|| args.hosts.join(",")));
    for (of, worth) in &args.rate {
        add("--rate", Some(format!("{of}={}", worth.to_string().replace(' ', ""))));
    }
    add("--price", matches!(args.price, PriceChoice::Promo).then(|| "promo".to_owned()));
    add("--split", (args.split != 2).then(|| args.split.to_string()));
    add("--hop", (args.hop != fit::HOP).then(|| args.hop.to_string()));
    add("--offers", args.offers.as_ref().map(|path| inputs::shown(path)));
    add("--seeds", args.seeds.as_ref().map(ToString::to_string));
    words.extend(args.unlimited_cpu.then(|| "--unlimited-cpu".to_owned()));
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("plimsoll fit {}", words.join(" "))
}

/// What is asked.
fn question(args: &FitArgs, offers: &Offers, folder: &Path, globals: &Globals) -> Result<Question, Failure> {
    let mut rates = Project::find(folder)?.rates;
    for (of, worth) in &args.rate {
        rates.set(*of, *worth);
    }
    let mut named = BTreeSet::new();
    for pattern in &args.hosts {
        let found: Vec<&String> = offers.all.keys().filter(|name| inputs::matches(pattern.trim(), name)).collect();
        if found.is_empty() {
            let near = nearest(pattern, offers.all.keys().map(String::as_str));
            let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            let problem = Problem::error(&codes::NAME, format!("no offer is called `{pattern}`{near}"));
            return Err(problem
                .help("`plimsoll fit --list` shows the offers there are; a host without a price is none")
                .into());
        }
        named.extend(found.into_iter().cloned());
    }
    Ok(Question {
        headroom: args.headroom,
        budget: args.budget.map(|budget| rates.convert(budget)),
        growth: args.growth,
        rates,
        term: match args.price {
            PriceChoice::After => Term::After,
            PriceChoice::Promo => Term::First,
        },
        named: (!args.hosts.is_empty()).then_some(named),
        split: usize::from(args.split),
        hop: args.hop,
        lifted: args.unlimited_cpu,
        jobs: globals.jobs(),
    })
}

/// The offers there are.
fn list(args: &FitArgs, format: Format, printer: &mut Printer) -> Result<Exit, Failure> {
    let here = std::env::current_dir().unwrap_or_default();
    let offers = Offers::below(&here, args.offers.as_deref())?;
    let asked =
        |name: &String| args.hosts.is_empty() || args.hosts.iter().any(|pattern| inputs::matches(pattern.trim(), name));
    let all = offers.all.into_iter().filter(|(name, _)| asked(name)).collect();
    let term = match args.price {
        PriceChoice::After => Term::After,
        PriceChoice::Promo => Term::First,
    };
    match format {
        Format::Table => printer.data(&fit::list(&all, term)),
        Format::Json => printer.json(&fit::json::list(&all)),
        Format::Csv | Format::Md | Format::Html => {
            return Err(format.refused("fit --list", &[Format::Table, Format::Json]));
        }
    }
    Ok(Exit::Good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_rates_are_read_as_people_write_them() {
        assert_eq!(growth("8%/month"), Ok(Permille::percent(8)));
        assert_eq!(growth("2.5%"), Ok(Permille::new(25)));
        assert!(growth("8%/year").is_err() && growth("fast").is_err());
        assert_eq!(rate("eur=1.08 usd"), Ok((Currency::EUR, Money::micro(1_080_000, Currency::USD))));
        assert!(rate("EUR=1.08").is_err() && rate("EUR=0USD").is_err() && rate("USD=1USD").is_err());
    }
}
