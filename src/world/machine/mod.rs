//! The machine this program runs on: what it has, and what of it may be used here.
//!
//! What every system tells in its own way (processors, memory, file systems, load) comes from `sysinfo`; what matters to
//! containers and only Linux knows (control groups, virtualisation, the kind of a disk) is read here, below a root that
//! tests put in place of `/`.

mod cgroup;
mod disk;
mod docker;
mod network;
mod virtualisation;

use crate::model::CoreGroup;
use crate::model::DiskKind;
use crate::model::Hardware;
use crate::model::Host;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
pub use docker::orchestrator;
use std::path::Path;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the network.
    pub name: String,
    /// What the processor calls itself.
    pub processor: Option<String>,
    /// Cores, where the system tells them from threads.
    pub cores: Option<u32>,
    /// Hardware threads: what the system runs tasks on.
    pub threads: u32,
    /// Threads that this process may run on.
    pub threads_allowed: u32,
    /// Clock of the fastest of them in MHz.
    pub clock_mhz: Option<u32>,
    /// All memory as the kernel sees it.
    pub memory: Bytes,
    /// Size of the file system that containers live on, or would.
    pub disk: Bytes,
    /// Its kind, where the system says so.
    pub disk_kind: Option<DiskKind>,
    /// Interfaces to the outside: name, and speed in Mbit/s where it is known.
    pub interfaces: Vec<(String, Option<u32>)>,
    /// Load average of the last minute, in thousandths.
    pub load: u64,
    /// What this machine is virtualised by: `kvm`, `none`.
    pub virtualisation: Option<String>,
    /// The container this program runs in, where it runs in one: `docker`.
    pub container: Option<String>,
    /// CPU that the control groups leave.
    pub cpu_quota: Option<Millicores>,
    /// Memory that the control groups leave.
    pub memory_limit: Option<Bytes>,
}

/// Looks at this machine.
///
/// # Errors
/// What the system says where it cannot be looked at, in words.
pub fn detect() -> Result<Machine, String> {
    let root = Path::new("/");
    let mut system = sysinfo::System::new().map_err(|error| error.to_string())?;
    system.refresh_memory();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing().with_frequency());
    let cpus = system.cpus();
    let threads = u32::try_from(cpus.len()).unwrap_or(u32::MAX).max(1);
    let clock = cpus.iter().map(sysinfo::Cpu::frequency).max().filter(|clock| *clock > 0);
    let processor = cpus.first().map(|cpu| cpu.brand().trim().to_owned()).filter(|name| !name.is_empty());
    let groups = cgroup::limits(root);
    let virtualisation = virtualisation::of(root);
    let is_guest = virtualisation.as_deref().is_some_and(|by| by != "none");
    let (disk, disk_kind) = disk::of_containers(root, is_guest);
    Ok(Machine {
        name: sysinfo::System::host_name().unwrap_or_else(|_| "this machine".to_owned()),
        processor,
        cores: sysinfo::System::physical_core_count().ok().and_then(|cores| u32::try_from(cores).ok()),
        threads,
        threads_allowed: cgroup::threads_allowed(root).unwrap_or(threads).clamp(1, threads),
        clock_mhz: clock.and_then(|clock| u32::try_from(clock).ok()),
        memory: Bytes::new(system.total_memory()),
        disk,
        disk_kind,
        interfaces: network::interfaces(root),
        load: sysinfo::System::load_average().map_or(0, |load| crate::units::whole(load.one.max(0.0) * 1000.0)),
        virtualisation,
        container: virtualisation::container(root),
        cpu_quota: groups.cpu,
        memory_limit: groups.memory,
    })
}

impl Machine {
    /// CPU that can be used here: the threads, or less where a control group leaves less.
    #[must_use]
    pub fn usable_cpu(&self) -> Millicores {
        let threads = Millicores::cores(self.threads_allowed.into());
        self.cpu_quota.map_or(threads, |quota| quota.min(threads))
    }

    /// Memory that can be used here.
    #[must_use]
    pub fn usable_memory(&self) -> Bytes {
        self.memory_limit.map_or(self.memory, |limit| limit.min(self.memory))
    }

    /// The host that containers find here. Its reserve is not stated, and it has no price.
    #[must_use]
    pub fn host(&self) -> Host {
        let cpu = self.usable_cpu();
        let whole = u32::try_from(cpu.get() / 1000).unwrap_or(u32::MAX);
        let rest = cpu.get() % 1000;
        // A quota of one and a half cores is a core and half a core.
        let cores = [(whole, Permille::ONE), (u32::from(rest > 0), Permille::new(rest))];
        let cores = cores.into_iter().filter(|(count, _)| *count > 0).map(|(count, speed)| CoreGroup { count, speed });
        let speeds = self.interfaces.iter().filter_map(|(_, speed)| *speed);
        // The load is that of the whole machine; beside a part of its cores it says nothing.
        let load = (cpu == Millicores::cores(self.threads.into())).then_some(self.load);
        let host = Host::bare(&self.name, cores.collect(), self.usable_memory());
        let reserve = host.usual_reserve();
        Host {
            disk: self.disk,
            reserve_cpu: reserve.cpu,
            reserve_memory: reserve.memory,
            reserve_stated: false,
            hardware: Hardware {
                processor: self.processor.clone(),
                threads: Some(self.threads_allowed),
                clock_mhz: self.clock_mhz,
                architecture: Some(std::env::consts::ARCH.to_owned()),
                virtualisation: self.virtualisation.clone(),
                disk: self.disk_kind,
                interfaces: u32::try_from(self.interfaces.len()).ok(),
                network_mbit: speeds.max(),
                load,
            },
            ..host
        }
    }
}
