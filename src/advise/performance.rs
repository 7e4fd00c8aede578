//! More for those that lack something.
//!
//! A service lacks memory where it was killed for want of it; CPU where at least a quarter of its quota periods were
//! throttled for at least a twentieth of the time (the figure of Kubernetes' alert `CPUThrottlingHigh` is a quarter, too), or
//! where its P95 of use reaches 80 % of its limit (register M5); and instances where at some time more requests came than
//! could be served. This is tried: the lacking limits times 1.25, 1.5, 2 and 3, and one and two instances more. What breaks
//! fewer expectations, or leaves fewer kills or fewer services that lack something, helps. Of those that help, break the
//! fewest expectations and leave the fewest kills, the cheapest is recommended (register E14).
//!
//! Before you change it: nothing is limited above what the host has, and what holds data gets no second instance.

use super::Advice;
use super::Kind;
use super::Other;
use super::change::Change;
use super::change::Size;
use super::risk::Risk;
use super::trial::Bench;
use super::trial::Trial;
use crate::input::scenario::Opened;
use crate::model::Limits;
use crate::model::ServiceName;
use crate::report::Figure;
use crate::report::words::counted;
use crate::report::words::listed;
use crate::run::simulate::Breached;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// Share of throttled periods from which on a service lacks CPU.
const THROTTLED: u64 = 250;
/// Share of its limit from which on a service lacks CPU, in thousandths.
const BUSY: u64 = 800;
/// What lacking limits are multiplied with.
const FACTORS: [Permille; 4] =
    [Permille::percent(125), Permille::percent(150), Permille::percent(200), Permille::percent(300)];

/// What a service lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lack {
    cpu: bool,
    memory: bool,
    instances: bool,
    /// Why, in words.
    pub(super) why: Vec<String>,
}

/// Who lacks something.
pub(super) fn lacking(trial: &Trial) -> BTreeMap<ServiceName, Lack> {
    let mut lacking = BTreeMap::new();
    for (name, model) in &trial.scenario.services {
        let figures = &trial.report.together.services[name];
        let mut lack = Lack::default();
        if figures.oom_kills > 0 {
            lack.memory = true;
            let most = Figure::bytes(figures.memory_max.get());
            lack.why.push(format!(
                "{name} was killed for want of memory {} in all runs, and held up to {most}",
                counted(figures.oom_kills, "time")
            ));
        }
        let throttled = figures.throttled.percentile(95);
        if throttled >= THROTTLED {
            lack.cpu = true;
            lack.why.push(format!(
                "{name} was throttled in {} of its periods for a twentieth of the time",
                Permille::new(throttled)
            ));
        }
        let limit = model.limits.cpu.map(|cpu| cpu.get().saturating_mul(model.replicas.into()));
        let p95 = figures.cpu.percentile(95);
        let fixed = trial.scenario.policies.get(name).is_none_or(|policy| policy.horizontal().is_none());
        if let Some(limit) = limit.filter(|limit| fixed && p95.saturating_mul(1000) >= limit.saturating_mul(BUSY)) {
            lack.cpu = true;
            lack.why.push(format!("{name} uses {} of {} CPU at P95", Millicores::new(p95), Millicores::new(limit)));
        }
        if figures.saturated_nanos > 0 {
            lack.instances = true;
            let time = Span::from_secs(Span::from_nanos(figures.saturated_nanos).secs().max(1));
            lack.why.push(format!("for {time} of all seeds together more requests came to {name} than it could serve"));
        }
        if !lack.why.is_empty() {
            lacking.insert(name.clone(), lack);
        }
    }
    lacking
}

/// How bad it is: expectations broken, kills, services that lack something.
fn badness(trial: &Trial) -> (usize, u64, usize) {
    let kills = trial.report.together.services.values().map(|figures| figures.oom_kills).sum();
    (trial.broken().len(), kills, lacking(trial).len())
}

/// The cheapest remedy that holds and helps; where none holds, the one that comes nearest.
pub(super) fn advice(
    opened: &Opened,
    bench: &Bench<'_>,
    base: &Trial,
    notes: &mut Vec<String>,
) -> Result<Option<Advice>, Breached> {
    let lacking = lacking(base);
    if lacking.is_empty() {
        if !base.report.passed() {
            let nobody = "performance: expectations are broken, and no service lacks CPU, memory or instances by its own figures";
            notes.push(nobody.to_owned());
        }
        return Ok(None);
    }
    let (mut tried, before): (Vec<(String, Change, Trial)>, _) = (Vec::new(), badness(base));
    for (name, change) in remedies(base, &lacking) {
        if let Ok(scenario) = change.applied(opened) {
            tried.push((name, change, bench.run(scenario)?));
        }
    }
    // Where the targets hold, the cheapest counts, of those that help at all.
    let rank = |trial: &Trial| {
        let (broken, kills, _) = badness(trial);
        (badness(trial) >= before, broken, kills, trial.bill.kept.get())
    };
    tried.sort_by_key(|(_, _, trial)| rank(trial));
    if tried.first().is_none_or(|(_, _, best)| rank(best).0) {
        let held = base.report.verdicts.iter().filter(|verdict| verdict.passed);
        let breaks = |name: &str| tried.iter().any(|(_, _, trial)| trial.broken().iter().any(|broken| broken == name));
        let broken: Vec<String> =
            held.filter(|verdict| breaks(&verdict.name)).map(|verdict| format!("`{}`", verdict.name)).collect();
        let why = lacking.values().flat_map(|lack| lack.why.iter().cloned()).collect::<Vec<_>>().join("; ");
        let but = if broken.is_empty() { String::new() } else { format!(", and some break {}", broken.join(", ")) };
        notes.push(format!("performance: {why}. None of {} remedies that were tried helps{but}", tried.len()));
        return Ok(None);
    }
    let (name, change, best) = tried.remove(0);
    let mut evidence: Vec<String> = lacking.values().flat_map(|lack| lack.why.iter().cloned()).collect();
    for service in lacking.keys() {
        let p95 = |trial: &Trial| {
            let latency = &trial.report.together.services[service].latency;
            latency.quantile(95, 100).map(|time| Figure::nanos(time.nanos()).to_string())
        };
        if let (Some(before), Some(after)) = (p95(base), p95(&best)) {
            evidence.push(format!("{service}: P95 of response times {before} before, {after} with it"));
        }
    }
    let (holding, failing): (Vec<_>, Vec<_>) = tried.iter().partition(|(_, _, trial)| trial.report.passed());
    let other = |(name, _, trial): &(String, Change, Trial)| {
        let lacks = self::lacking(trial).len();
        let still =
            if lacks > 0 { format!(" ({} still lacking)", counted(lacks as u64, "service")) } else { String::new() };
        Other::of(format!("{name}{still}"), trial)
    };
    Ok(Some(Advice {
        kind: Kind::Performance,
        title: name,
        evidence,
        risk: Risk::of(Kind::Performance, &change, base, &best),
        others: holding.into_iter().map(other).collect(),
        left_out: failing.into_iter().map(other).collect(),
        change,
        tried: best,
    }))
}

/// What could help, with what it is called.
fn remedies(base: &Trial, lacking: &BTreeMap<ServiceName, Lack>) -> Vec<(String, Change)> {
    let host = &base.scenario.host;
    let mut remedies = Vec::new();
    for factor in FACTORS {
        let mut change = Change::default();
        for (name, lack) in lacking {
            let limits = base.scenario.services[name].limits;
            let cpu = limits
                .cpu
                .filter(|_| lack.cpu || lack.instances)
                .map(|cpu| cpu.scaled(factor.get(), 1000).min(host.capacity()));
            let memory =
                limits.memory.filter(|_| lack.memory).map(|memory| memory.scaled(factor.get(), 1000).min(host.memory));
            let limits = Limits {
                cpu: cpu.filter(|cpu| limits.cpu < Some(*cpu)),
                memory: memory.filter(|memory| limits.memory < Some(*memory)),
            };
            if limits != Limits::default() {
                change.sizes.insert(name.clone(), Size { limits, reservations: Limits::default() });
            }
        }
        if !change.sizes.is_empty() {
            let times = factor.as_fraction();
            remedies.push((format!("limits of {} times {times}", listed(change.sizes.keys())), change));
        }
    }
    for more in 1..=2 {
        let mut change = Change::default();
        for (name, lack) in lacking {
            let model = &base.scenario.services[name];
            let fixed = base.scenario.policies.get(name).is_none_or(|policy| policy.horizontal().is_none());
            if (lack.cpu || lack.instances) && fixed && !model.stateful {
                change.replicas.insert(name.clone(), model.replicas.saturating_add(more));
            }
        }
        if !change.replicas.is_empty() {
            remedies.push((
                format!("{} more of {}", counted(more.into(), "instance"), listed(change.replicas.keys())),
                change,
            ));
        }
    }
    remedies.dedup_by(|one, other| one.1 == other.1);
    remedies
}
