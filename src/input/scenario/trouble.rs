//! Faults of the disk and of memory, as a scenario writes them, and the nouns of them.

use super::codes;
use super::faults::FaultFile;
use super::faults::Reader;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Factor;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Size;
use crate::input::yaml::Node;
use crate::model::Fault;
use crate::model::FaultKind;
use crate::model::Host;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::units::Permille;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is left of a disk that is slower; what is not said stays as it is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowDiskFile {
    /// Share of its bytes per second that is left.
    pub bandwidth: Option<Percent>,
    /// Share of its accesses per second that is left.
    pub iops: Option<Percent>,
    /// How many times as long an access takes on an idle device.
    pub latency: Option<Factor>,
}

/// Whose writes fail.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FullDiskFile {
    /// Only those of this service; everybody's unless said otherwise.
    pub service: Option<String>,
}

/// A service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfServiceFile {
    /// Which.
    pub service: String,
}

/// A service that begins to leak.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakFile {
    /// Which.
    pub service: String,
    /// Growth of the memory of each instance per hour. What has leaked stays held until the process starts again.
    pub per_hour: Size,
}

impl Reader<'_> {
    /// The kinds of these that a fault has; `None` for one that is wrong, which is reported.
    pub(super) fn trouble(&mut self, file: &FaultFile) -> Vec<Option<FaultKind>> {
        let mut kinds = Vec::new();
        if let Some(slow) = &file.slow_disk {
            kinds.push(self.slow_disk(slow));
        }
        if let Some(full) = &file.full_disk {
            kinds.push(match &full.service {
                None => Some(FaultKind::FullDisk(None)),
                Some(name) => self.service(name, "/full_disk/service").map(|name| FaultKind::FullDisk(Some(name))),
            });
        }
        if let Some(oom) = &file.oom {
            kinds.push(self.service(&oom.service, "/oom/service").map(FaultKind::Oom));
        }
        if let Some(leak) = &file.leak {
            let service = self.service(&leak.service, "/leak/service");
            kinds.push(service.map(|service| FaultKind::Leak { service, per_hour: leak.per_hour.0 }));
        }
        kinds
    }

    fn slow_disk(&mut self, file: &SlowDiskFile) -> Option<FaultKind> {
        let share = |percent: Option<Percent>| percent.map_or(Permille::ONE, |percent| percent.0);
        let (bandwidth, iops) = (share(file.bandwidth), share(file.iops));
        let latency = file.latency.map_or(Permille::ONE, |factor| factor.0);
        if bandwidth == Permille::ZERO || iops == Permille::ZERO {
            let help = "leave something, such as `bandwidth: 1%`; writes that fail are `full_disk: {}`";
            self.wrong("/slow_disk", "a disk of which nothing is left is not slow", help);
            return None;
        }
        if [bandwidth, iops, latency] == [Permille::ONE; 3] {
            let help = "say what is left: `slow_disk: { bandwidth: 30%, iops: 30%, latency: 10x }`";
            self.wrong("/slow_disk", "the disk is as fast as before", help);
            return None;
        }
        Some(FaultKind::SlowDisk { bandwidth, iops, latency })
    }
}

/// Says so where a fault of the disk changes nothing.
pub(super) fn warn_of_idle_disk(
    faults: &[Fault],
    models: &BTreeMap<ServiceName, ServiceModel>,
    host: &Host,
    node: &Node,
    problems: &mut Problems,
) {
    let known = host.storage.is_some();
    let idle = |fault: &&Fault| match &fault.kind {
        FaultKind::SlowDisk { .. } => !known || models.values().all(|model| !model.disk.is_used()),
        FaultKind::FullDisk(None) => !known || models.values().all(|model| model.disk.writes == 0),
        FaultKind::FullDisk(Some(name)) => !known || models.get(name).is_none_or(|model| model.disk.writes == 0),
        _ => false,
    };
    if let Some(fault) = faults.iter().find(idle) {
        let at = fault.at.since_start();
        let problem = Problem::warning(&codes::FAULT, format!("the fault of the disk at {at} changes nothing"));
        let problem = problem.at(&schema::place_of(node, "/faults"));
        problems.push(problem.help(
            "say what a request reads and writes, `services: { NAME: { work: { reads: 2, writes: 1 } } }`, and in the profile of the host how fast its disk is",
        ));
    }
}
