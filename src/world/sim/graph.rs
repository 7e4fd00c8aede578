//! The services of a scenario in the order in which requests go through them.

use super::arrivals::Arrivals;
use super::calls::Link;
use super::flow::Flow;
use super::generations::Group;
use super::generations::Pair;
use super::loops::Clients;
use super::sensors;
use super::service::Service;
use super::times::Library;
use super::traffic::Traffic;
use crate::model::Noise;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Instant;
use std::collections::BTreeMap;

/// The services, callers before those they call; what each counts; and all calls, as the place of the called service and
/// how often.
pub(super) fn build(
    scenario: &Scenario,
    seed: Seed,
    library: &mut Library,
) -> (Vec<Service>, Vec<Flow>, Vec<(usize, f64)>) {
    let order = order(scenario);
    let mut places: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    let mut groups = Vec::new();
    for name in order {
        let place = groups.len();
        places.insert(name, place);
        if is_scaled(scenario, name) || scenario.deployments.iter().any(|deployment| deployment.service == *name) {
            groups.extend([Group::First, Group::Second, Group::Aside].map(|group| (name, place, group)));
        } else {
            groups.push((name, place, Group::Alone));
        }
    }
    let pairs: Vec<usize> = groups.iter().filter(|(.., group)| *group == Group::First).map(|(_, at, _)| *at).collect();
    let (mut services, mut flows, mut all_calls) = (Vec::new(), Vec::new(), Vec::new());
    let sensors = sensors::kept_for(scenario);
    for (name, place, group) in groups {
        let model = &scenario.services[name];
        let mut service = Service::new(name, model, &sensors, library);
        service.swap = Some(model.shortage.swap).filter(|_| scenario.host.swap > Bytes::ZERO);
        let from = all_calls.len();
        // A call back up the order would be part of a cycle, which the input does not let through.
        let calls = model.work.calls.iter().filter_map(|call| Some((*places.get(&call.to)?, call)));
        let calls: Vec<_> = calls.filter(|(to, _)| *to > place).collect();
        for (to, call) in &calls {
            service.calls.push((*to, call.count));
            all_calls.push((*to, f64::from(call.count)));
        }
        let more = calls.iter().filter(|(to, _)| pairs.contains(to)).map(|(to, _)| (to + 1, 0.0));
        all_calls.extend(more);
        service.links = Link::all(model, &calls, scenario, library);
        let waits_for = model.depends_on.iter();
        service.waits_for = waits_for.filter_map(|(to, condition)| Some((*places.get(to)?, *condition))).collect();
        let load = scenario.load.get(name);
        service.group = group;
        service.from_outside = load.is_some();
        service.clients = load.and_then(|load| Clients::of(&load.pattern));
        service.hops = load.map_or(0.0, |_| scenario.host.hop.as_secs() * 2.0);
        service.traffic = load
            .filter(|_| matches!(group, Group::Alone | Group::First))
            .map(|load| Traffic::new(&load.pattern, scenario.step, seed, name.as_str()));
        if service.traffic.is_none() {
            service.rate_until = super::instance::NEVER;
        }
        let noise = load.map_or(Noise::None, |load| load.noise);
        let stream = match group {
            Group::Alone | Group::First => format!("load/{name}"),
            Group::Second | Group::Aside => format!("load/{name}/{group:?}"),
        };
        match group {
            Group::Alone => {}
            Group::First => service.pair = Some(Box::new(Pair::new(&sensors, is_scaled(scenario, name)))),
            Group::Second | Group::Aside => {
                service.instances.clear();
                service.scrapes.clear();
                service.away = (group == Group::Aside).then_some(0.0);
            }
        }
        if group == Group::Aside {
            service.clients = None;
        }
        let arrivals = Arrivals::new(noise, seed.stream(&stream));
        flows.push(Flow::new(arrivals, (from, all_calls.len())));
        services.push(service);
    }
    debug_assert!(services.iter().all(|service| service.rate_until >= Instant::START));
    (services, flows, all_calls)
}

/// Whether a policy or an order changes how many instances of a service there are.
fn is_scaled(scenario: &Scenario, name: &ServiceName) -> bool {
    scenario.policies.get(name).is_some_and(|policy| policy.horizontal().is_some())
        || scenario.overrides.iter().any(|planned| planned.service == *name)
}

/// The names, callers before those they call, else by name (Kahn 1962).
fn order(scenario: &Scenario) -> Vec<&ServiceName> {
    let mut callers: BTreeMap<&ServiceName, usize> = scenario.services.keys().map(|name| (name, 0)).collect();
    let calls = |name: &ServiceName| scenario.services[name].work.calls.iter().map(|call| &call.to);
    for name in scenario.services.keys() {
        for to in calls(name) {
            callers.entry(to).and_modify(|count| *count += 1);
        }
    }
    let mut order = Vec::with_capacity(callers.len());
    while let Some(name) =
        callers.iter().find(|(_, count)| **count == 0).or(callers.iter().next()).map(|(name, _)| *name)
    {
        callers.remove(name);
        order.push(name);
        for to in calls(name) {
            callers.entry(to).and_modify(|count| *count -= 1);
        }
    }
    order
}
