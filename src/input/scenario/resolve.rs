//! A scenario file and its stack to the noun: every name looked up, every default filled in.

use super::ERRORS_MAX;
use super::LoadOptions;
use super::Resolved;
use super::codes;
use super::deployments;
use super::expect;
use super::faults;
use super::metrics;
use super::network;
use super::overrides;
use super::pins;
use super::services;
use super::storage;
use super::strain;
use super::traffic::Traffic;
use super::trouble;
use super::unknown_service;
use super::wire::ScenarioFile;
use super::wire::SeedChoice;
use super::wire::SourceFile;
use crate::input::catalog::Catalog;
use crate::input::expression::Known;
use crate::input::monthly;
use crate::input::policy::Policies;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::profile::Profiles;
use crate::input::project::Project;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::Expectation;
use crate::model::Load;
use crate::model::MonthlyBudget;
use crate::model::Policy;
use crate::model::Range;
use crate::model::Scenario;
use crate::model::Sensors;
use crate::model::ServiceName;
use crate::model::Source;
use crate::model::Stack;
use crate::model::Vertical;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// The longest run: ten years.
const DURATION_MAX: Span = Span::from_secs(3650 * 86_400);
/// The longest step.
const STEP_MAX: Span = Span::from_secs(60);
/// Samples of a run unless the scenario asks for more or for shorter windows: one a minute of a day.
const SAMPLES_USUAL: u64 = 1440;

/// Resolves a scenario whose stack is known. Paths in it are relative to `folder`.
///
/// # Errors
/// All that is wrong with the scenario, and with the profiles, policies, catalogs and traces that it names.
pub fn resolve(
    file: &ScenarioFile,
    node: &Node,
    stack: &Stack,
    folder: &Path,
    options: &LoadOptions,
) -> Result<Resolved, Problems> {
    let mut problems = Problems::new();
    let mut files_read = Vec::new();
    let times = times(file, node, &mut problems);

    let catalog = Catalog::below(folder).unwrap_or_else(|wrong| {
        problems.extend(wrong);
        Cow::default()
    });
    files_read.extend(catalog.files_read.iter().cloned());
    let mut models = services::models(stack, &file.services, &catalog, node, &mut problems);
    let names: Vec<ServiceName> = models.keys().cloned().collect();
    if names.is_empty() {
        let problem = Problem::error(&codes::STACK, "the stack has no enabled service");
        problems.push(problem.at(&schema::place_of(node, "/stack")).help("are all of them behind profiles?"));
    }
    report_unknown(&file.services, "services", &names, node, &mut problems);
    report_unknown(&file.load, "load", &names, node, &mut problems);

    let mut profiles = Profiles::below(folder);
    let host = match &options.host {
        Some(name) => profiles.find(name, None, Path::new("")),
        None => profiles.resolve(&file.host, node.get("host").unwrap_or(node), folder),
    };
    files_read.extend_from_slice(profiles.files_read());
    let host = host.map_err(|wrong| problems.extend(wrong)).ok();

    let policies = policies(file, node, folder, (&names, options), &mut files_read, &mut problems);
    let policies = policies.map_err(|wrong| problems.extend(wrong)).unwrap_or_default();

    let mut traffic = Traffic { folder, duration: times.duration, traces: BTreeMap::new() };
    let mut load: BTreeMap<ServiceName, Load> = BTreeMap::new();
    for entry in node.get("load").map(Node::entries).unwrap_or_default() {
        let Some(name) = names.iter().find(|known| known.as_str() == entry.key) else { continue };
        let read = file.load.get(&entry.key).and_then(|one| traffic.load(one, &entry.value, &mut problems));
        if let Some(read) = read {
            load.insert(name.clone(), read);
        }
    }
    let metrics = metrics::metrics(&file.metrics, node, &mut traffic, &mut problems);
    let named = node.get("policy").filter(|_| options.policy.is_none());
    metrics::report_unknown(&policies, &file.metrics, named, &mut problems);
    files_read.extend(traffic.traces.into_keys());

    let faults = faults::faults(&file.faults, node, &models, times.duration, &mut problems);
    let deployments = deployments::deployments(&file.deployments, node, stack, &models, times.duration, &mut problems);
    let overrides = overrides::overrides(&file.overrides, node, &names, times.duration, &mut problems);
    let judged = (Instant::after_start(times.warmup), Instant::after_start(times.duration));
    let known = Known { services: &names, judged: Some(judged).filter(|_| times.warmup < times.duration) };
    let expect = expect::expectations(&file.expect, node.get("expect"), &known, &mut problems);
    if let Some(host) = &host {
        pins::pin(&mut models, stack, host, node, &mut problems);
        strain::fits_host(&faults, host, node, &mut problems);
        expect::fits_host(&expect, host, node.get("expect"), &mut problems);
    }
    let sample = file.sample.map_or_else(|| sample_usual(&times, &expect), |sample| sample.0);
    let sensors = sensors(file, &policies, node, &mut problems);
    let seeds = seeds(file, options);
    let budget = match file.budget {
        Some(budget) => Some(budget.budget(node.get("budget").unwrap_or(node), &mut problems)),
        None => of_project(folder, &mut files_read, &mut problems),
    };
    if budget.is_some() && expect.iter().any(|one| one.name == MonthlyBudget::EXPECTATION) {
        problems.push(monthly::name_taken(node));
    }
    let Some(host) = host.filter(|_| !problems.has_errors()) else { return Err(problems) };
    storage::warn_of_unknown_disk(&models, &host, node, &mut problems);
    trouble::warn_of_idle_disk(&faults, &models, &host, node, &mut problems);
    let docker = deployments::docker(file.docker, &file.services, &models, &host, node, &mut problems);
    let scenario = Scenario {
        name: file.scenario.clone(),
        host,
        services: models,
        load,
        metrics,
        policies,
        faults,
        deployments,
        overrides,
        docker,
        sensors,
        duration: times.duration,
        warmup: times.warmup,
        step: times.step,
        sample,
        seeds,
        expect,
        budget,
    };
    network::warn_of_unknown_line(&scenario, node, &mut problems);
    Ok(Resolved { scenario, warnings: problems, files_read })
}

/// What a month may cost by the project's own file, where that says so.
fn of_project(
    folder: &Path,
    files_read: &mut Vec<std::path::PathBuf>,
    problems: &mut Problems,
) -> Option<MonthlyBudget> {
    let project = Project::find(folder).map_err(|wrong| problems.extend(wrong)).ok()?;
    let budget = project.budget?;
    files_read.extend(project.file);
    Some(budget)
}

struct Times {
    duration: Span,
    warmup: Span,
    step: Span,
}

fn times(file: &ScenarioFile, node: &Node, problems: &mut Problems) -> Times {
    let duration = file.duration.0;
    let step = file.step.map_or(Span::from_secs(1), |step| step.0);
    let usual = Span::from_mins(5).min(Span::from_nanos(duration.nanos() / 10));
    let warmup = file.warmup.map_or(round_down(usual, step), |warmup| warmup.0);
    let mut wrong = |key: &str, message: String| {
        problems.push(Problem::error(&codes::TIME, message).at(&schema::place_of(node, &format!("/{key}"))));
    };
    if duration == Span::ZERO || duration > DURATION_MAX {
        wrong("duration", format!("a run lasts between one step and ten years, not {duration}"));
    } else if warmup >= duration {
        wrong("warmup", format!("a warm-up of {warmup} leaves nothing of a run of {duration} to judge"));
    }
    if step == Span::ZERO || step > STEP_MAX {
        wrong("step", format!("a step lasts up to {STEP_MAX}, not {step}"));
    } else if step > duration {
        wrong("step", format!("a step of {step} is longer than the run of {duration}"));
    } else if let Some(sample) = file.sample.map(|sample| sample.0)
        && (sample == Span::ZERO || !sample.nanos().is_multiple_of(step.nanos()))
    {
        wrong("sample", format!("a `sample` of {sample} is not a whole number of steps of {step}"));
    }
    Times { duration, warmup, step }
}

/// The time between samples where the scenario does not say: 10 s to 1 min by the length of the run, and such that
/// windows and ranges of the expectations end with a sample as far as 10 s (or the shortest window) allow.
fn sample_usual(times: &Times, expect: &[Expectation]) -> Span {
    let (ten, minute) = (Span::from_secs(10), Span::from_mins(1));
    let usual = Span::from_nanos(times.duration.nanos() / SAMPLES_USUAL).max(ten).min(minute);
    let mut edges = vec![times.warmup];
    let mut shortest = ten;
    for one in expect {
        let window = one.windows.map(|windows| windows.length);
        let stretch = match one.measure.range {
            Range::Whole => None,
            Range::Every(length) => Some(length),
            Range::Between(from, to) => {
                edges.extend([from.since_start(), to.since_start()]);
                Some(to.since(from))
            }
        };
        for length in window.into_iter().chain(stretch) {
            edges.push(length);
            shortest = shortest.min(length);
        }
    }
    let step = times.step.nanos().max(1);
    let whole = usual.nanos() / ten.nanos() * ten.nanos();
    let fitting = edges.into_iter().fold(whole, |sample, edge| greatest_common_divisor(sample, edge.nanos()));
    Span::from_nanos(fitting.max(shortest.nanos()).div_ceil(step).saturating_mul(step))
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn round_down(span: Span, step: Span) -> Span {
    step.times(span.fit(step))
}

fn report_unknown<T>(
    files: &BTreeMap<String, T>,
    key: &str,
    names: &[ServiceName],
    node: &Node,
    problems: &mut Problems,
) {
    let unknown = |name: &&String| !names.iter().any(|known| known.as_str() == name.as_str());
    for name in files.keys().filter(unknown).take(ERRORS_MAX) {
        let entry = node.get(key).and_then(|node| node.entry(name));
        problems.push(unknown_service(name, names, entry.map_or(&node.place, |entry| &entry.key_place)));
    }
}

fn policies(
    file: &ScenarioFile,
    node: &Node,
    folder: &Path,
    (names, options): (&[ServiceName], &LoadOptions),
    files_read: &mut Vec<std::path::PathBuf>,
    warnings: &mut Problems,
) -> Result<BTreeMap<ServiceName, Policy>, Problems> {
    let mut policies = Policies::below(folder);
    let found = match (&options.policy, &file.policy) {
        (Some(name), _) => policies
            .find_from_here(name)
            .map(|policy| names.iter().map(|name| (name.clone(), policy.clone())).collect()),
        (None, Some(choice)) => policies.resolve(choice, node.get("policy").unwrap_or(node), names),
        (None, None) => Ok(BTreeMap::new()),
    };
    files_read.extend_from_slice(policies.files_read());
    warnings.extend(policies.take_warnings());
    found
}

fn sensors(
    file: &ScenarioFile,
    policies: &BTreeMap<ServiceName, Policy>,
    node: &Node,
    problems: &mut Problems,
) -> Sensors {
    let vertical = || policies.values().filter_map(Policy::vertical);
    let window = vertical().map(|policy| policy.window);
    let window = window.chain(policies.values().filter_map(Policy::horizontal).map(|policy| policy.window));
    let every = vertical().map(Vertical::looks_every);
    let every = every.chain(policies.values().filter_map(Policy::horizontal).map(|policy| policy.every));
    let default = Sensors::default();
    let given = file.sensors.unwrap_or_default();
    let sensors = Sensors {
        scrape: given.scrape.map_or(default.scrape, |span| span.0),
        window: given.window.map(|span| span.0).or(window.max()).unwrap_or(default.window),
        delay: given.delay.map_or(default.delay, |span| span.0),
        look: given.look.map(|span| span.0).or(every.min()).unwrap_or(default.look),
        gaps: given.gaps.map_or(default.gaps, |share| share.0),
        jitter: given.jitter.map_or(default.jitter, |span| span.0),
        forgotten_after: given.forgotten_after.map(|span| span.0),
        source: if given.source == Some(SourceFile::Docker) { Source::Docker } else { Source::Prometheus },
    };
    let mut wrong = |key: &str, message: String| {
        problems.push(Problem::error(&codes::TIME, message).at(&schema::place_of(node, &format!("/sensors/{key}"))));
    };
    if sensors.gaps > Permille::ONE {
        wrong("gaps", format!("{} of the scrapes are more than all", sensors.gaps));
    }
    if sensors.jitter >= sensors.scrape && sensors.jitter > Span::ZERO {
        wrong(
            "jitter",
            format!("a jitter of {} is no shorter than the {} between scrapes", sensors.jitter, sensors.scrape),
        );
    }
    if sensors.source == Source::Docker {
        for (key, given) in [("scrape", given.scrape), ("window", given.window), ("jitter", given.jitter)] {
            if given.is_some() {
                wrong(key, format!("Docker's own statistics have no `{key}`: they are asked for at each look"));
            }
        }
    }
    for (key, span) in [("scrape", sensors.scrape), ("window", sensors.window), ("look", sensors.look)] {
        if span == Span::ZERO {
            let problem = Problem::error(&codes::TIME, format!("`{key}` is zero"));
            problems.push(problem.at(&schema::place_of(node, &format!("/sensors/{key}"))));
        }
    }
    if sensors.scrape > sensors.window {
        let message = format!("scrapes every {} leave windows of {} without any", sensors.scrape, sensors.window);
        problems.push(Problem::error(&codes::TIME, message).at(&schema::place_of(node, "/sensors/scrape")));
    }
    sensors
}

fn seeds(file: &ScenarioFile, options: &LoadOptions) -> Vec<Seed> {
    if !options.seeds.is_empty() {
        return options.seeds.clone();
    }
    match &file.seeds {
        None => vec![Seed::new(1)],
        Some(SeedChoice::Range(range)) => (range.first..=range.last).map(Seed::new).collect(),
        Some(SeedChoice::List(list)) => list.iter().copied().map(Seed::new).collect(),
    }
}
