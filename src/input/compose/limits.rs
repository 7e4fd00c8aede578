//! What a service may use and what is kept free for it, from `deploy.resources` and from the older keys.
//!
//! Where both say something about the same they must agree. Zero is without limit, as for the engine.

use super::codes;
use super::service::bytes;
use super::service::text;
use super::service::whole;
use super::shape::cpus;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use crate::model::Limits;
use crate::units::Bytes;
use crate::units::Millicores;

/// Length of a scheduling period where a quota is given without one, in microseconds.
const PERIOD: u64 = 100_000;

/// The engine refuses memory limits below this.
const MEMORY_MIN: Bytes = Bytes::mebi(6);

/// Limits, reservations and the limit of processes of a service.
pub(super) fn limits(name: &str, node: &Node, problems: &mut Problems) -> (Limits, Limits, Option<i64>) {
    let resources = node.get("deploy").and_then(|deploy| deploy.get("resources"));
    let limits = resources.and_then(|resources| resources.get("limits")).filter(|node| node.value != Value::Null);
    let reserved = resources.and_then(|resources| resources.get("reservations"));
    let reserved = reserved.filter(|node| node.value != Value::Null);

    let cpu = |node: &Node| text(node, "cpus").and_then(|text| cpus(&text).ok());
    let some_cpu = |cpu: Option<Millicores>| cpu.filter(|cpu| *cpu != Millicores::ZERO);
    let some_memory = |memory: Option<Bytes>| memory.filter(|memory| *memory != Bytes::ZERO);
    let pids_of = |node: &Node, key: &str| whole(node, key).filter(|pids| *pids != 0);

    let old_cpu = some_cpu(cpu(node));
    let new_cpu = some_cpu(limits.and_then(cpu));
    let old_memory = some_memory(bytes(node, "mem_limit"));
    let new_memory = some_memory(limits.and_then(|limits| bytes(limits, "memory")));
    let old_reserved = some_memory(bytes(node, "mem_reservation"));
    let new_reserved = some_memory(reserved.and_then(|reserved| bytes(reserved, "memory")));
    let old_pids = pids_of(node, "pids_limit");
    let new_pids = limits.and_then(|limits| pids_of(limits, "pids"));

    let mut agree = |key: &str, section: Option<&Node>, new_key: &str, old: Option<String>, new: Option<String>| {
        compare(name, node, (key, old), (new_key, new, section), problems);
    };
    let shown = |cpu: Option<Millicores>| cpu.map(|cpu| cpu.to_string());
    let sized = |size: Option<Bytes>| size.map(|size| size.to_string());
    let counted = |count: Option<i64>| count.map(|count| count.to_string());
    agree("cpus", limits, "limits.cpus", shown(old_cpu), shown(new_cpu));
    agree("mem_limit", limits, "limits.memory", sized(old_memory), sized(new_memory));
    agree("mem_reservation", reserved, "reservations.memory", sized(old_reserved), sized(new_reserved));
    agree("pids_limit", limits, "limits.pids", counted(old_pids), counted(new_pids));

    let quota = quota(node);
    if let (Some(_), Some(entry)) = (quota, node.entry("cpu_quota"))
        && (old_cpu.is_some() || new_cpu.is_some())
    {
        problems.push(
            Problem::warning(&codes::ODD, format!("`{name}` has both `cpus` and `cpu_quota`; `cpus` counts here"))
                .at(&entry.key_place)
                .help("Docker refuses a container with both; remove `cpu_quota`"),
        );
    }
    let limit = Limits { cpu: new_cpu.or(old_cpu).or(quota), memory: new_memory.or(old_memory) };
    let reservation = Limits { cpu: some_cpu(reserved.and_then(cpu)), memory: new_reserved.or(old_reserved) };
    odd_memory(name, node, limits, &limit, &reservation, problems);
    (limit, reservation, new_pids.or(old_pids))
}

/// CPUs from `cpu_quota` in each `cpu_period`, both in microseconds. Rounds up to a thousandth.
fn quota(node: &Node) -> Option<Millicores> {
    let quota = whole(node, "cpu_quota").and_then(|quota| u64::try_from(quota).ok()).filter(|quota| *quota > 0)?;
    let period = whole(node, "cpu_period").and_then(|period| u64::try_from(period).ok()).filter(|period| *period > 0);
    let milli = u128::from(quota) * 1000;
    let milli = milli.div_ceil(u128::from(period.unwrap_or(PERIOD)));
    Some(Millicores::new(u64::try_from(milli).ok()?))
}

/// Reports an older key and its newer one that say different things.
fn compare(
    name: &str,
    node: &Node,
    (old_key, old): (&str, Option<String>),
    (new_key, new, section): (&str, Option<String>, Option<&Node>),
    problems: &mut Problems,
) {
    let (Some(old), Some(entry), Some(section)) = (old, node.entry(old_key), section) else { return };
    let place = &entry.value.place;
    match new {
        Some(new) if new == old => {}
        Some(new) => problems.push(
            Problem::error(
                &codes::EXCLUSIVE,
                format!("`{old_key}: {old}` and `deploy.resources.{new_key}: {new}` of `{name}` differ"),
            )
            .at(place)
            .label(format!("the other is at {}", section.place))
            .help(format!("keep one of them; `deploy.resources.{new_key}` is the newer")),
        ),
        None => problems.push(
            Problem::warning(&codes::ODD, format!("`{name}` mixes `{old_key}` with `deploy.resources`"))
                .at(place)
                .help(format!("Docker Compose refuses this; write `deploy.resources.{new_key}: {old}` instead")),
        ),
    }
}

/// Memory that the engine would refuse.
fn odd_memory(
    name: &str,
    node: &Node,
    section: Option<&Node>,
    limit: &Limits,
    reservation: &Limits,
    problems: &mut Problems,
) {
    let place = section.and_then(|limits| limits.get("memory")).or_else(|| node.get("mem_limit"));
    let (Some(memory), Some(place)) = (limit.memory, place.map(|node| &node.place)) else { return };
    if memory < MEMORY_MIN {
        problems.push(
            Problem::warning(&codes::ODD, format!("the memory limit of `{name}` is {memory}"))
                .at(place)
                .help("Docker refuses limits below 6M; is a unit missing, such as `m` or `g`?"),
        );
    }
    if let Some(reserved) = reservation.memory
        && reserved > memory
    {
        problems.push(
            Problem::warning(
                &codes::ODD,
                format!("`{name}` reserves {reserved} of memory, more than its limit of {memory}"),
            )
            .at(place)
            .help("Docker refuses this; reserve at most the limit"),
        );
    }
}
