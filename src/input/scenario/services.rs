//! Services of the simulation: from the stack, the catalog, and what the scenario says, in rising order of precedence.

use super::calls;
use super::codes;
use super::storage;
use super::wire::BalanceFile;
use super::wire::ServiceFile;
use super::wire::SpreadFile;
use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::Balance;
use crate::model::Restart;
use crate::model::Service;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Shortage;
use crate::model::Spread;
use crate::model::Stack;
use crate::model::Work;
use crate::units::Bytes;
use std::collections::BTreeMap;

/// Docker's CPU weight where nothing is said.
const WEIGHT: u64 = 1024;

impl SpreadFile {
    /// As the model calls it.
    #[must_use]
    pub fn spread(self) -> Spread {
        match self {
            Self::Constant => Spread::Constant,
            Self::Exponential => Spread::Exponential,
            Self::Heavy => Spread::Heavy,
        }
    }
}

impl BalanceFile {
    /// As the model calls it.
    const fn balance(self) -> Balance {
        match self {
            Self::Random => Balance::Random,
            Self::RoundRobin => Balance::RoundRobin,
            Self::LeastConnections => Balance::LeastConnections,
        }
    }
}

/// The services of a stack as the simulation runs them; `node` is the scenario.
pub(super) fn models(
    stack: &Stack,
    files: &BTreeMap<String, ServiceFile>,
    catalog: &Catalog,
    node: &Node,
    problems: &mut Problems,
) -> BTreeMap<ServiceName, ServiceModel> {
    let unknown = Entry::default();
    let mut assumed: Vec<&str> = Vec::new();
    let mut models = BTreeMap::new();
    for (name, service) in &stack.services {
        if service.replicas == Some(0) && files.get(name.as_str()).is_none_or(|file| file.replicas.is_none()) {
            continue;
        }
        let file = files.get(name.as_str());
        if catalog.of(name, service).is_none() && file.is_none() {
            assumed.push(name.as_str());
        }
        let model = model(service, &catalog.described(name, service), file.unwrap_or(&ServiceFile::default()));
        warn_of_floor(name, &model, node, problems);
        models.insert(name.clone(), model);
    }
    if !assumed.is_empty() {
        let message = format!("nothing is known of {}; a small service is assumed", quoted(&assumed));
        let help = format!(
            "assumed: {} of work and {} of memory a request, {} when idle, {} to start; say better under `services`",
            unknown.work_cpu, unknown.work_memory, unknown.idle_memory, unknown.start_up
        );
        problems.push(Problem::warning(&codes::ASSUMED, message).at(&schema::place_of(node, "/stack")).help(help));
    }
    add_calls(&mut models, files, node, problems);
    models
}

fn model(service: &Service, known: &Entry, file: &ServiceFile) -> ServiceModel {
    let work = file.work.clone().unwrap_or_default();
    ServiceModel {
        image: service.image.clone(),
        replicas: file.replicas.or(service.replicas).unwrap_or(1).max(1),
        limits: service.limits,
        reservations: service.reservations,
        weight: service.cpu_shares.unwrap_or(WEIGHT),
        work: Work {
            cpu: work.cpu.map_or(known.work_cpu, |span| span.0),
            spread: work.spread.map_or(known.spread, SpreadFile::spread),
            memory: work.memory.map_or(known.work_memory, |size| size.0),
            calls: Vec::new(),
            request: work.request.map_or(Bytes::ZERO, |size| size.0),
            answer: work.answer.map_or(Bytes::ZERO, |size| size.0),
        },
        workers: file.workers,
        blocking: file.blocking.unwrap_or(false),
        backlog: file.backlog,
        balance: file.balance.map_or(Balance::Random, BalanceFile::balance),
        timeout: file.timeout.map(|span| span.0),
        idle_cpu: file.idle_cpu.map_or(known.idle_cpu, |cpu| cpu.0),
        idle_memory: file.idle_memory.map_or(known.idle_memory, |size| size.0),
        leak_per_hour: file.leak_per_hour.map_or(Bytes::ZERO, |size| size.0),
        start_up: file.start_up.map_or(known.start_up, |span| span.0),
        start_cpu: file.start_cpu.map_or(known.start_cpu, |cpu| cpu.0),
        health: service.health.clone().filter(|health| !health.disabled),
        depends_on: service.depends_on.clone(),
        restart: service.restart.unwrap_or(Restart::No),
        stateful: file.stateful.unwrap_or(known.stateful),
        tier: file.tier.unwrap_or(known.tier),
        role: file.role.as_ref().unwrap_or(&known.role).clone(),
        disk: storage::disk_use(service, &work, file.data),
        cpuset: None,
        stop_grace: service.stop_grace_period,
        shortage: Shortage::of(service),
    }
}

/// A service that holds more when idle than it may is killed for ever.
fn warn_of_floor(name: &ServiceName, model: &ServiceModel, node: &Node, problems: &mut Problems) {
    let Some(limit) = model.limits.memory.filter(|limit| *limit <= model.idle_memory) else { return };
    let message = format!(
        "`{name}` holds {} when idle, and its limit is {limit}: it is killed as soon as it starts",
        model.idle_memory
    );
    let pointer = format!("/services/{}", name.as_str().replace('~', "~0").replace('/', "~1"));
    let problem = Problem::warning(&codes::FLOOR, message).at(&schema::place_of(node, &pointer));
    problems.push(problem.help(format!(
        "raise its limit, or say what it really holds: `services: {{ {name}: {{ idle_memory: ... }} }}`"
    )));
}

/// Puts in the calls, once all services are known, and looks for circles.
fn add_calls(
    models: &mut BTreeMap<ServiceName, ServiceModel>,
    files: &BTreeMap<String, ServiceFile>,
    node: &Node,
    problems: &mut Problems,
) {
    let names: Vec<ServiceName> = models.keys().cloned().collect();
    for entry in node.get("services").map(Node::entries).unwrap_or_default() {
        let Some(file) = files.get(&entry.key) else { continue };
        let Some(model) = models.get_mut(&ServiceName::new(&entry.key)) else { continue };
        calls::check_service(file, &entry.value, problems);
        let at = entry.value.get("work").and_then(|node| node.get("calls")).unwrap_or(node);
        if let Some(file) = file.work.as_ref().and_then(|work| work.calls.as_ref()) {
            model.work.calls = calls::calls(file, at, &names, problems);
        }
    }
    if let Some(circle) = circle(models) {
        let shown: Vec<&str> = circle.iter().map(ServiceName::as_str).collect();
        let message = format!("services call each other in a circle: {}", shown.join(" -> "));
        let place = circle.first().map(|first| schema::place_of(node, &format!("/services/{first}/work/calls")));
        problems.push(Problem::error(&codes::CYCLE, message).at(&place.unwrap_or_else(|| node.place.clone())));
    }
}

/// A circle of calls, first service again at its end; the first one found in order of names.
fn circle(models: &BTreeMap<ServiceName, ServiceModel>) -> Option<Vec<ServiceName>> {
    let mut done: Vec<&ServiceName> = Vec::new();
    for start in models.keys() {
        // The path from `start`, each with the place of the next call to follow.
        let mut path: Vec<(&ServiceName, usize)> = vec![(start, 0)];
        while let Some((name, next)) = path.last_mut() {
            let call = models.get(*name).and_then(|model| model.work.calls.get(*next));
            *next += 1;
            let Some(call) = call else {
                done.extend(path.pop().map(|(name, _)| name));
                continue;
            };
            if let Some(first) = path.iter().position(|(name, _)| **name == call.to) {
                let mut found: Vec<ServiceName> = path[first..].iter().map(|(name, _)| (*name).clone()).collect();
                found.push(call.to.clone());
                return Some(found);
            }
            if !done.contains(&&call.to) {
                path.push((&call.to, 0));
            }
        }
    }
    None
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
