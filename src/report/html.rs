//! A report as one HTML file without network access and without script: verdict first, then the host, the services
//! over time, the budget, what was done, what was held back, what happened, and how to repeat it.

use super::causes;
use super::collect::Report;
use super::figure::Figure;
use super::figure::rounded;
use super::json::around;
use super::judge::Verdict;
use super::plot;
use super::plot::Picture;
use super::spent;
use super::text;
use super::words;
use super::words::counted;
use crate::model::Amount;
use crate::model::Limits;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Totals;
use crate::units::Bytes;
use crate::units::Millicores;
use askama::Template;

/// At most so many rows of actions and incidents; the record has all.
const ROWS: usize = 500;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    name: String,
    mark: &'static str,
    passed: bool,
    facts: String,
    css: String,
    expectations: Vec<ExpectationRow>,
    seeds: Vec<(u64, bool, String)>,
    shown: u64,
    host_facts: String,
    host_plots: Vec<Plot>,
    services: Vec<ServiceRow>,
    plots: Vec<Plot>,
    budget: Vec<BudgetRow>,
    budget_totals: Vec<BudgetRow>,
    budget_notes: Vec<String>,
    policies: Vec<(String, String)>,
    actions: Vec<(String, String, String)>,
    actions_more: u64,
    held: Vec<HeldRow>,
    incidents: Vec<(String, String)>,
    incidents_more: u64,
    command: String,
    repeat_facts: String,
}

struct ExpectationRow {
    passed: bool,
    name: String,
    text: String,
    measured: String,
    wanted: String,
    room: String,
    details: Vec<(&'static str, String)>,
}

struct Plot {
    anchor: String,
    svg: String,
}

struct ServiceRow {
    anchor: String,
    name: String,
    role: String,
    replicas: String,
    cpu: String,
    throttled: String,
    memory: String,
    killed: bool,
    latency: String,
    saturated: bool,
    requests: String,
    errors: String,
    causes: String,
    restarts: u64,
    actions: u64,
}

struct BudgetRow {
    name: String,
    cells: [String; 6],
}

struct HeldRow {
    guard: &'static str,
    meaning: &'static str,
    service: String,
    count: u64,
    first: String,
    last: String,
    words: String,
}

/// The page; `pictures` are those of the run that is shown.
#[must_use]
pub fn html(report: &Report, pictures: &[Picture]) -> String {
    let run = report.shown();
    let (budget, budget_totals, budget_notes) = budget(report);
    let (of_host, of_services): (Vec<_>, Vec<_>) = pictures.iter().partition(|picture| picture.service.is_none());
    let plot = |picture: &&Picture| Plot { anchor: format!("plot-{}", picture.file), svg: picture.svg.clone() };
    let page = Page {
        name: report.scenario.name.clone(),
        mark: if report.passed() { "✓ passed" } else { "✗ failed" },
        passed: report.passed(),
        facts: facts(report),
        css: plot::css(),
        expectations: report.verdicts.iter().map(|verdict| expectation(report, verdict)).collect(),
        seeds: seeds(report),
        shown: run.seed.get(),
        host_facts: host_facts(report),
        host_plots: of_host.iter().map(plot).collect(),
        services: services(report, pictures),
        plots: of_services.iter().map(plot).collect(),
        budget,
        budget_totals,
        budget_notes,
        policies: report.policies.iter().filter_map(|policy| Some((policy.names(), policy.words()?))).collect(),
        actions: run
            .story
            .actions
            .iter()
            .take(ROWS)
            .map(|(at, action)| (words::moment(*at), words::action(action), words::why(action)))
            .collect(),
        actions_more: run.story.action_count.saturating_sub(run.story.actions.len().min(ROWS) as u64),
        held: held(report),
        incidents: run
            .story
            .incidents
            .iter()
            .take(ROWS)
            .map(|(at, incident)| (words::moment(*at), words::incident(incident, &run.scenario)))
            .collect(),
        incidents_more: run.story.incident_count.saturating_sub(run.story.incidents.len().min(ROWS) as u64),
        command: report.command(run.seed),
        repeat_facts: repeat_facts(report),
    };
    page.render().expect("a template that compiled renders into memory")
}

fn facts(report: &Report) -> String {
    let run = report.shown();
    let scenario = &report.scenario;
    let mut facts = vec![
        scenario.host.title.clone(),
        format!("{} simulated", words::duration(run.end.since_start())),
        format!("the first {} not judged", scenario.warmup),
        counted(scenario.services.len() as u64, "service"),
        match report.runs.len() {
            1 => format!("seed {}", run.seed.get()),
            many => counted(many as u64, "seed"),
        },
        counted(report.together.actions, "action"),
    ];
    if let Some(price) = &scenario.host.price {
        facts.push(format!("{} a month ({}, seen {})", price.month, price.source, price.seen));
    }
    facts.extend(spent::line(report).map(|spent| format!("budget: {spent}")));
    facts.join(" · ")
}

fn host_facts(report: &Report) -> String {
    let (figures, host) = (&report.together.host, &report.scenario.host);
    let cpu = |millicores: f64| rounded(millicores / 1000.0, 3);
    let memory = Figure::bytes(figures.memory_max.get());
    let of = Figure::share(figures.memory_max.get() as f64 / (host.memory.get() as f64).max(1.0));
    format!(
        "CPU mean {}, p95 {}, most {} of {} cores (pool {}) · memory most {memory} of {} ({of}; pool {})",
        cpu(figures.cpu.mean()),
        cpu(figures.cpu.percentile(95) as f64),
        cpu(figures.cpu.max() as f64),
        host.capacity(),
        host.pool_cpu(),
        Figure::bytes(host.memory.get()),
        Figure::bytes(host.pool_memory().get()),
    )
}

fn repeat_facts(report: &Report) -> String {
    let run = report.shown();
    let wall = report.wall_seconds.map(|wall| format!(", {} s", rounded(wall, 3))).unwrap_or_default();
    format!(
        "plimsoll {}, scenario {}, seed {}, {} container-ticks{wall}",
        run.plimsoll_version,
        report.path,
        run.seed.get(),
        report.runs.iter().map(|run| run.summary.container_ticks).sum::<u64>()
    )
}

fn seeds(report: &Report) -> Vec<(u64, bool, String)> {
    if report.runs.len() < 2 {
        return Vec::new();
    }
    let broken = |run: &super::collect::Run| {
        let names = run.judged.iter().filter(|judged| !judged.passed).map(|judged| judged.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    report.runs.iter().map(|run| (run.seed.get(), run.passed(), broken(run))).collect()
}

fn expectation(report: &Report, verdict: &Verdict) -> ExpectationRow {
    let room = match verdict.worst.margin() {
        Some(margin) if margin >= 0.0 => Figure::share(margin).to_string(),
        Some(_) => "none".to_owned(),
        None => "–".to_owned(),
    };
    let mut details = Vec::new();
    if !verdict.passed {
        if report.runs.len() > 1 {
            details.push(("held", format!("in {} of {} seeds", verdict.seeds_held, report.runs.len())));
        }
        if let Some(problem) = &verdict.worst.problem {
            details.push(("why", problem.clone()));
        }
        if let Some((seed, failure)) = &verdict.first_failure {
            let bound = verdict.worst.bound;
            let measured = failure
                .measured
                .map(|figure| format!(": {}", bound.map_or_else(|| figure.to_string(), |bound| figure.beside(bound))));
            let measured = measured.unwrap_or_default();
            let by = failure.measured.and_then(|figure| verdict.worst.missed_by(figure));
            let by = by.map(|by| format!(", {by}")).unwrap_or_default();
            details.push((
                "first",
                format!(
                    "{} to {}, seed {}{measured}{by}",
                    words::moment(failure.from),
                    words::moment(failure.to),
                    seed.get()
                ),
            ));
            details.push(("then", failure.scene.to_string()));
            let around = around(report, *seed, failure);
            if !around.is_empty() {
                details.push(("around", around.join(" · ")));
            }
        }
        if let Some(seed) = verdict.failed_seed {
            details.push(("repeat", report.command(seed)));
        }
    }
    ExpectationRow {
        passed: verdict.passed,
        name: verdict.name.clone(),
        text: verdict.text.clone(),
        measured: verdict.measured_text(),
        wanted: verdict.wanted.clone(),
        room,
        details,
    }
}

fn services(report: &Report, pictures: &[Picture]) -> Vec<ServiceRow> {
    let row = |(name, figures): (&ServiceName, &super::summary::ServiceFigures)| {
        let model = report.scenario.services.get(name);
        let picture = pictures.iter().find(|picture| picture.service.as_ref() == Some(name));
        let counted = |count: u64| {
            if figures.requests == 0 { "–".to_owned() } else { Figure::count(count as f64).to_string() }
        };
        ServiceRow {
            anchor: picture.map_or_else(|| "plots".to_owned(), |picture| format!("plot-{}", picture.file)),
            name: name.to_string(),
            role: model.map(|model| model.role.clone()).unwrap_or_default(),
            replicas: text::replicas(figures),
            cpu: text::cpu(figures, text::most_instances(&report.scenario, name, figures)),
            throttled: Figure::share(figures.throttled.mean() / 1000.0).to_string(),
            memory: text::memory(figures),
            killed: figures.oom_kills > 0,
            latency: text::latency(figures),
            saturated: figures.is_saturated(),
            requests: counted(figures.requests_whole()),
            errors: counted(figures.errors_whole()),
            causes: causes::words(figures),
            restarts: figures.restarts,
            actions: figures.actions,
        }
    };
    report.together.services.iter().map(row).collect()
}

/// Rows of the services, rows of totals, and what they come to in words.
fn budget(report: &Report) -> (Vec<BudgetRow>, Vec<BudgetRow>, Vec<String>) {
    let host = &report.scenario.host;
    let services = &report.scenario.services;
    let all = |limits: Limits, model: &ServiceModel| Limits {
        cpu: limits.cpu.map(|cpu| cpu.scaled(u64::from(model.replicas), 1)),
        memory: limits.memory.map(|memory| memory.scaled(u64::from(model.replicas), 1)),
    };
    let cpu = |cpu: Option<Millicores>| cpu.map_or_else(|| "–".to_owned(), |cpu| cpu.to_string());
    let memory =
        |size: Option<Bytes>| size.map_or_else(|| "–".to_owned(), |size| Figure::bytes(size.get()).to_string());
    let row = |name: &str, tier: String, instances: String, limits: Limits, kept: Limits| BudgetRow {
        name: name.to_owned(),
        cells: [tier, instances, cpu(limits.cpu), cpu(kept.cpu), memory(limits.memory), memory(kept.memory)],
    };
    let rows = services.iter().map(|(name, model)| {
        let (limits, kept) = (all(model.limits, model), all(model.reservations, model));
        row(name.as_str(), model.tier.to_string(), model.replicas.to_string(), limits, kept)
    });
    let mut totals = Totals::default();
    for (name, model) in services {
        totals.add(name, model.limits, model.reservations, model.replicas);
    }
    let pool = Amount { cpu: host.pool_cpu(), memory: host.pool_memory() };
    let times = |part: u64, whole: u64| {
        if whole == 0 { "–".to_owned() } else { format!("{}×", rounded(part as f64 / whole as f64, 3)) }
    };
    let of_pool = |sum: Amount| (times(sum.cpu.get(), pool.cpu.get()), times(sum.memory.get(), pool.memory.get()));
    let ((limit_cpu, limit_memory), (kept_cpu, kept_memory)) = (of_pool(totals.limits), of_pool(totals.reservations));
    let sum = |name: &str, limits: Amount, kept: Amount| {
        let known = |amount: Amount| Limits { cpu: Some(amount.cpu), memory: Some(amount.memory) };
        row(name, String::new(), String::new(), known(limits), known(kept))
    };
    let sums = vec![
        sum("all services", totals.limits, totals.reservations),
        sum("pool of the host", pool, pool),
        BudgetRow {
            name: "of the pool".to_owned(),
            cells: [String::new(), String::new(), limit_cpu, kept_cpu, limit_memory, kept_memory],
        },
    ];
    (rows.collect(), sums, budget_notes(&totals, pool))
}

fn budget_notes(totals: &Totals, pool: Amount) -> Vec<String> {
    let mut notes = Vec::new();
    let over = |name: &str, part: u64, whole: u64| {
        (part > whole && whole > 0)
            .then(|| format!("limits overcommit {name} {} times", rounded(part as f64 / whole as f64, 3)))
    };
    let cpu = over("CPU", totals.limits.cpu.get(), pool.cpu.get());
    let memory = over("memory", totals.limits.memory.get(), pool.memory.get());
    let over: Vec<String> = cpu.into_iter().chain(memory).collect();
    notes.push(if over.is_empty() {
        "Limits fit into the pool: nothing is overcommitted.".to_owned()
    } else {
        format!("Overcommitted: {}.", over.join(", "))
    });
    let fits = totals.reservations.fits(pool);
    notes.push(
        if fits { "Reservations fit into the pool." } else { "Reservations do not fit into the pool." }.to_owned(),
    );
    for (what, names) in [("CPU", &totals.no_cpu_limit), ("memory", &totals.no_memory_limit)] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(ServiceName::as_str).collect();
            notes.push(format!("Without {what} limit, so not in the sum: {}.", names.join(", ")));
        }
    }
    notes
}

fn held(report: &Report) -> Vec<HeldRow> {
    let mut before = "";
    let row = |((guard, service), held): (&(&'static str, ServiceName), &super::story::HeldCount)| {
        let again = std::mem::replace(&mut before, guard) == *guard;
        HeldRow {
            guard: if again { "" } else { guard },
            meaning: if again { "" } else { held.meaning },
            service: service.to_string(),
            count: held.count,
            first: words::moment(held.first),
            last: words::moment(held.last),
            words: words::guard(&held.guard),
        }
    };
    report.shown().story.held.iter().map(row).collect()
}
