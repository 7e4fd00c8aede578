//! Faults that wear on the cores of the host, as a scenario writes them.

use super::codes;
use super::faults::FaultFile;
use super::faults::Reader;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Degrees;
use crate::input::schema::quantity::Factor;
use crate::input::schema::quantity::Percent;
use crate::input::yaml::Node;
use crate::model::Fault;
use crate::model::FaultKind;
use crate::model::Host;
use crate::units::Millicores;
use crate::units::Permille;
use schemars::JsonSchema;
use serde::Deserialize;

/// Docker's CPU weight where nothing is said.
const WEIGHT: u64 = 1024;

/// A room that gets warmer.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatWaveFile {
    /// By how much: +12C.
    pub ambient: Degrees,
}

/// CPU time that other guests take.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StealBurstFile {
    /// At least this share, where the profile does not take more.
    pub steal: Percent,
}

/// A process outside the containers.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeighbourFile {
    /// CPU that it wants.
    pub cpu: Cpus,
    /// Its weight beside the containers, as `cpu_shares`; 1024 unless said otherwise.
    #[schemars(range(min = 2, max = 262_144))]
    pub weight: Option<u64>,
}

/// Instances that burn CPU.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuSpinFile {
    /// Whose.
    pub service: String,
    /// CPU that each instance burns besides its requests, within its limit.
    pub cpu: Cpus,
}

/// A service that is slower than it was.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowDependencyFile {
    /// Which.
    pub service: String,
    /// How many times as much CPU each of its requests takes: 5x.
    pub factor: Factor,
}

impl Reader<'_> {
    /// The kinds of this file that are given; `None` for one that is wrong.
    pub(super) fn strain(&mut self, file: &FaultFile) -> Vec<Option<FaultKind>> {
        let mut kinds = Vec::new();
        if let Some(wave) = file.heat_wave {
            kinds.push(Some(FaultKind::HeatWave(wave.ambient.0)));
        }
        if let Some(burst) = file.steal_burst {
            let all = burst.steal.0 == Permille::ONE;
            if all {
                self.wrong("/steal_burst/steal", "a steal of 100% leaves no CPU", "write less, or `host_loss: {}`");
            }
            kinds.push(self.share("/steal_burst/steal", burst.steal).filter(|_| !all).map(FaultKind::StealBurst));
        }
        if let Some(neighbour) = file.noisy_neighbour {
            let cpu = self.some("/noisy_neighbour/cpu", neighbour.cpu);
            let weight = neighbour.weight.unwrap_or(WEIGHT);
            kinds.push(cpu.map(|cpu| FaultKind::NoisyNeighbour { cpu, weight }));
        }
        if let Some(spin) = &file.cpu_spin {
            let both = self.service(&spin.service, "/cpu_spin/service").zip(self.some("/cpu_spin/cpu", spin.cpu));
            kinds.push(both.map(|(service, cpu)| FaultKind::CpuSpin { service, cpu }));
        }
        if let Some(slow) = &file.slow_dependency {
            kinds.push(self.slow_dependency(slow));
        }
        kinds
    }

    fn slow_dependency(&mut self, slow: &SlowDependencyFile) -> Option<FaultKind> {
        let service = self.service(&slow.service, "/slow_dependency/service")?;
        let factor = slow.factor.0;
        if factor <= Permille::ONE {
            let message = format!("`{service}` is not slower");
            self.wrong("/slow_dependency/factor", &message, "write more than once its work, such as `factor: 5x`");
            return None;
        }
        Some(FaultKind::SlowDependency { service, factor })
    }

    fn some(&mut self, key: &str, cpu: Cpus) -> Option<Millicores> {
        if cpu.0 == Millicores::ZERO {
            self.wrong(key, "a fault that takes no CPU changes nothing", "write how much, such as `cpu: 2`");
            return None;
        }
        Some(cpu.0)
    }
}

/// Whether the host has what the faults are about.
pub(super) fn fits_host(faults: &[Fault], host: &Host, node: &Node, problems: &mut Problems) {
    if host.heat.is_none() && faults.iter().any(|fault| matches!(fault.kind, FaultKind::HeatWave(_))) {
        let message = format!("nothing is known of the heat of `{}`, so a `heat_wave` changes nothing", host.name);
        let problem = Problem::error(&codes::FAULT, message).at(&schema::place_of(node, "/faults"));
        problems.push(problem.help("give its profile a `heat`, as `m1-air` has one"));
    }
}
