//! Fewer instances, and other policies: what else holds all that is expected, and costs less.
//!
//! Services of a fixed number of instances are tried with one less as long as that holds. Services whose number a policy
//! changes are tried with every other policy that changes it by what it measures, with the same range; of those that hold,
//! the cheapest is recommended where it is cheaper than the one there is (register E14).

use super::Advice;
use super::Kind;
use super::Other;
use super::change::Change;
use super::risk::Risk;
use super::trial::Bench;
use super::trial::Trial;
use crate::input::scenario::Opened;
use crate::model::Policy;
use crate::model::Scaling;
use crate::model::ServiceName;
use crate::report::Figure;
use crate::report::words::counted;
use crate::run::simulate::Breached;
use serde_json::json;

/// All that is found.
pub(super) fn advice(
    opened: &Opened,
    bench: &Bench<'_>,
    base: &Trial,
    notes: &mut Vec<String>,
) -> Result<Vec<Advice>, Breached> {
    let mut found = Vec::new();
    for (name, model) in &base.scenario.services {
        let policy = base.scenario.policies.get(name);
        match policy {
            Some(Policy::Horizontal(_)) => found.extend(another_policy(opened, bench, base, name, notes)?),
            Some(Policy::Both(..)) => {
                notes.push(format!("cost: {name} has two policies that work together; other ones are not tried for it"))
            }
            Some(Policy::None | Policy::Vertical(_)) | None if model.replicas > 1 => {
                found.extend(fewer(opened, bench, base, name, notes)?);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// As few instances as hold.
fn fewer(
    opened: &Opened,
    bench: &Bench<'_>,
    base: &Trial,
    name: &ServiceName,
    notes: &mut Vec<String>,
) -> Result<Option<Advice>, Breached> {
    let before = base.scenario.services[name].replicas;
    let (mut best, mut left_out) = (None, Vec::new());
    for replicas in (1..before).rev() {
        let change = Change { replicas: [(name.clone(), replicas)].into(), ..Change::default() };
        let Ok(scenario) = change.applied(opened) else { break };
        let tried = bench.run(scenario)?;
        if !tried.report.passed() {
            left_out.push(Other::of(counted(replicas.into(), "instance"), &tried));
            break;
        }
        best = Some((replicas, change, tried));
    }
    let Some((replicas, change, tried)) = best else {
        let broken = left_out.first().map(|other| other.breaks.join("`, `")).unwrap_or_default();
        notes.push(format!("cost: one instance of {name} less than {before} breaks `{broken}`"));
        return Ok(None);
    };
    let figures = &base.report.together.services[name];
    let cpu = Figure::millicores(figures.cpu.percentile(95));
    let evidence = vec![format!("{name}: {} use {cpu} at P95, all together", counted(before.into(), "instance"))];
    Ok(Some(Advice {
        kind: Kind::Cost,
        title: format!("{} of {name} instead of {before}", counted(replicas.into(), "instance")),
        evidence,
        risk: Risk::of(Kind::Cost, &change, base, &tried),
        change,
        tried,
        others: Vec::new(),
        left_out,
    }))
}

/// The cheapest of the policies that hold.
fn another_policy(
    opened: &Opened,
    bench: &Bench<'_>,
    base: &Trial,
    name: &ServiceName,
    notes: &mut Vec<String>,
) -> Result<Option<Advice>, Breached> {
    let Some(now) = base.scenario.policies.get(name).and_then(Policy::horizontal) else { return Ok(None) };
    let range = format!("{}..{}", now.replicas_min, now.replicas_max);
    let mut policies = opened.policies();
    let mut tried: Vec<(String, Change, Trial)> = Vec::new();
    for template in policies.names() {
        let scales = match policies.find(&template, None, 0) {
            Ok(Policy::Horizontal(other)) => other.scaling != Scaling::Schedule,
            _ => false,
        };
        if !scales {
            continue;
        }
        let policy = json!({ "template": template, "replicas": range });
        let change = Change { policies: [(name.clone(), policy)].into(), ..Change::default() };
        let Ok(scenario) = change.applied(opened) else { continue };
        if scenario.policies.get(name) == base.scenario.policies.get(name) {
            continue;
        }
        tried.push((template, change, bench.run(scenario)?));
    }
    tried.sort_by_key(|(_, _, trial)| trial.bill.kept.get());
    let count = tried.len();
    let others: Vec<(bool, Other)> =
        tried.iter().map(|(template, _, trial)| (trial.report.passed(), Other::of(template.clone(), trial))).collect();
    let cheapest = tried.into_iter().find(|(_, _, trial)| trial.report.passed());
    let cheaper = cheapest.filter(|(_, _, trial)| trial.bill.kept.get() < base.bill.kept.get());
    let Some((template, change, tried)) = cheaper else {
        let held = others.iter().filter(|(held, _)| *held).count();
        notes.push(format!(
            "cost: of {count} other policies for {name}, {held} hold what is expected, and none of these is cheaper"
        ));
        return Ok(None);
    };
    let (holding, failing): (Vec<_>, Vec<_>) =
        others.into_iter().filter(|(_, other)| other.name != template).partition(|(held, _)| *held);
    let mean = |trial: &Trial| {
        let instances = &trial.report.together.services[name];
        let kept = super::text::usd(trial.bill.kept_by[name]);
        format!("{}..{} instances, kept for {kept} a month", instances.replicas_min, instances.replicas_max)
    };
    let evidence =
        vec![format!("{name} as it is: {}", mean(base)), format!("{name} with {template}: {}", mean(&tried))];
    Ok(Some(Advice {
        kind: Kind::Cost,
        title: format!("policy {template} for {name}, with the same range {range}"),
        evidence,
        risk: Risk::of(Kind::Cost, &change, base, &tried),
        change,
        tried,
        others: holding.into_iter().map(|(_, other)| other).collect(),
        left_out: failing.into_iter().map(|(_, other)| other).collect(),
    }))
}
