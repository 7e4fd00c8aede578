//! The offers that are worth a run, machines that a run cannot tell apart put together.

use super::Question;
use crate::capacity::machine::bare;
use crate::capacity::split::Demand;
use crate::model::Host;
use crate::model::Offer;
use crate::model::Scenario;
use crate::report::load_line::multiple;
use crate::units::Money;
use crate::units::Permille;
use std::collections::BTreeMap;

/// Machines that are the same to a run.
#[derive(Debug, Clone)]
pub(super) struct Class {
    /// One of them.
    pub(super) host: Host,
    /// The offers, by name.
    pub(super) offers: Vec<String>,
    /// Its number among the machines that are looked at.
    pub(super) machine: usize,
}

/// The machines of all offers that may hold what is needed at the load that is wanted; and of the others why they cannot.
pub(super) fn classes(
    base: &Scenario,
    offers: &BTreeMap<String, Offer>,
    question: &Question,
    wanted: &Demand,
) -> (Vec<Class>, BTreeMap<String, String>) {
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    let mut left_out = BTreeMap::new();
    let asked = |name: &str| question.named.as_ref().is_none_or(|named| named.contains(name));
    for (name, offer) in offers.iter().filter(|(name, _)| asked(name)) {
        let found = match &offer.host {
            Err(why) => Err(why.clone()),
            Ok(host) => worth_a_run(base, host, wanted, question).map(|()| host),
        };
        match found {
            Err(why) => {
                left_out.insert(name.clone(), why);
            }
            Ok(host) => {
                let key = serde_json::to_string(&bare(base, host)).unwrap_or_default();
                let class = Class { host: host.clone(), offers: Vec::new(), machine: 0 };
                classes.entry(key).or_insert(class).offers.push(name.clone());
            }
        }
    }
    (classes.into_values().collect(), left_out)
}

/// Whether a host may hold what is needed: it has as much CPU as the services use in the busiest ten minutes, and as much
/// memory as they hold at once, on a host that has enough of everything.
fn worth_a_run(base: &Scenario, host: &Host, wanted: &Demand, question: &Question) -> Result<(), String> {
    let last = host.core_count();
    for (name, model) in &base.services {
        if let Some(set) = model.cpuset.as_ref().filter(|set| set.last() >= last) {
            return Err(format!("`{name}` is pinned to core {}, and it has cores 0 to {}", set.last(), last - 1));
        }
    }
    let multiple = multiple(question.aim());
    let memory = wanted.at_once.plus(host.system_memory);
    if memory > host.memory.plus(host.swap) {
        let (needs, has) = (memory.get() as f64 / GIB, host.memory.get() as f64 / GIB);
        return Err(format!("{has:.1} GiB of memory, and {needs:.1} are held at {multiple} the load"));
    }
    let left = Permille::ONE.get().saturating_sub(host.steal.get());
    let has = host.capacity().scaled(left, 1000);
    let busiest = wanted.needs.iter().map(|need| need.cpu).max().unwrap_or_default();
    if busiest > has {
        return Err(format!("{has} CPUs, and one service uses {busiest} at {multiple} the load"));
    }
    Ok(())
}

const GIB: f64 = 1_073_741_824.0;

/// Why an offer is not the answer even if it holds. What was named may be what cannot be bought.
pub(super) fn barred(base: &Scenario, offer: &Offer, ranked: Money, question: &Question) -> Option<String> {
    let architecture = |host: &Host| host.hardware.architecture.clone();
    let named = question.named.as_ref().is_some_and(|named| named.contains(&offer.name));
    if !named {
        if let Some(why) = &offer.not_sold {
            return Some(why.clone());
        }
        let (own, other) = (architecture(&base.host), offer.host.as_ref().ok().and_then(architecture));
        if let Some((own, other)) = own.zip(other).filter(|(own, other)| own != other) {
            return Some(format!("its architecture is {other}, and that of `{}` is {own}", base.host.name));
        }
    }
    let budget = question.budget?;
    if budget.currency() != ranked.currency() {
        let (of, to) = (ranked.currency(), budget.currency());
        return Some(format!("{of} cannot be held against a budget in {to}: give a rate, `--rate {of}=…{to}`"));
    }
    (ranked.get() > budget.get()).then(|| format!("beyond the budget of {budget}"))
}
