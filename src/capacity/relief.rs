//! Ample room in one part of a host or a stack, to see whether that is what everything waits for.

use crate::model::Policy;
use crate::model::Scenario;
use crate::report::load_line::Part;
use crate::units::Bytes;

/// Ample is so many times what there is, of what needs a size.
const TIMES: u64 = 16;

/// The scenario with ample of a part. A service's CPU or memory then has no limit, and the part of its policy that
/// would set one is gone; what changes the number of its instances stays.
pub(super) fn relieved(scenario: &Scenario, part: &Part) -> Scenario {
    let mut scenario = scenario.clone();
    let host = &mut scenario.host;
    match part {
        Part::HostCpu => host.cores.iter_mut().for_each(|group| group.count = group.count.saturating_mul(16)),
        Part::HostMemory => host.memory = Bytes::new(host.memory.get().saturating_mul(TIMES)),
        Part::Disk => host.storage = None,
        Part::Line => host.hardware.network_mbit = None,
        Part::Cpu(name) | Part::Memory(name) => {
            if let Some(Policy::Vertical(_) | Policy::Both(..)) = scenario.policies.get(name) {
                let horizontal = scenario.policies.remove(name).and_then(|policy| policy.horizontal().cloned());
                scenario.policies.extend(horizontal.map(|number| (name.clone(), Policy::Horizontal(number))));
            }
            if let Some(service) = scenario.services.get_mut(name) {
                if matches!(part, Part::Cpu(_)) {
                    service.limits.cpu = None;
                } else {
                    service.limits.memory = None;
                }
            }
        }
        Part::Workers(name) => {
            if let Some(service) = scenario.services.get_mut(name) {
                service.workers = None;
            }
        }
    }
    scenario
}
