//! Hardware profiles: hosts as YAML, shipped in the program and found beside the project.
//!
//! Before you change it: a shipped profile is a file of `hardware-profiles/`, where each figure has its source beside it.

mod heat;
mod steal;

use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::input::schema;
use crate::input::schema::quantity::Amount;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Size;
use crate::input::shelf;
use crate::input::shelf::Shelf;
use crate::input::yaml::Node;
use crate::model::CoreGroup;
use crate::model::DiskKind;
use crate::model::Hardware;
use crate::model::Host;
use crate::model::Price;
use crate::model::Storage;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;
use std::path::PathBuf;

pub use heat::HeatFile;
pub use heat::MassFile;
pub use heat::ThrottleFile;
pub use steal::BurstsFile;
pub use steal::StealFile;

/// Codes of profiles.
pub const CODES: &[&Code] = &[&UNKNOWN, &IMPOSSIBLE];

static UNKNOWN: Code = Code {
    id: "PL0401",
    title: "unknown hardware profile",
    explanation: "A host is named by its profile (`kvm-4`), by the path of a profile file (`./my-host.yaml`), or written out as a \
mapping. Names are looked up in `hardware-profiles/` of the project first, then among the profiles shipped with the program; the \
error lists them.",
};

static IMPOSSIBLE: Code = Code {
    id: "PL0402",
    title: "a host that cannot be",
    explanation: "A host has at least one core and some memory, and keeps less for its system than it has. The pool for \
containers is what is left: on a KVM 4 with 16 GB of which 2 GB are reserved it is 14 GB.",
};

/// The profiles shipped with the program: name and text, in order of their names.
const SHIPPED: &[(&str, &str)] = &[
    ("aws-t3-xlarge", include_str!("../../hardware-profiles/aws-t3-xlarge.yaml")),
    ("contabo-vps-6", include_str!("../../hardware-profiles/contabo-vps-6.yaml")),
    ("digitalocean-4gb", include_str!("../../hardware-profiles/digitalocean-4gb.yaml")),
    ("hetzner-cax21", include_str!("../../hardware-profiles/hetzner-cax21.yaml")),
    ("hetzner-ccx23", include_str!("../../hardware-profiles/hetzner-ccx23.yaml")),
    ("hetzner-cpx42", include_str!("../../hardware-profiles/hetzner-cpx42.yaml")),
    ("hetzner-cx33", include_str!("../../hardware-profiles/hetzner-cx33.yaml")),
    ("hetzner-cx43", include_str!("../../hardware-profiles/hetzner-cx43.yaml")),
    ("hostinger-kvm-2", include_str!("../../hardware-profiles/hostinger-kvm-2.yaml")),
    ("hostinger-kvm-4", include_str!("../../hardware-profiles/hostinger-kvm-4.yaml")),
    ("hostinger-kvm-8", include_str!("../../hardware-profiles/hostinger-kvm-8.yaml")),
    ("kvm-4", include_str!("../../hardware-profiles/kvm-4.yaml")),
    ("kvm-6", include_str!("../../hardware-profiles/kvm-6.yaml")),
    ("linode-8gb", include_str!("../../hardware-profiles/linode-8gb.yaml")),
    ("m1-air", include_str!("../../hardware-profiles/m1-air.yaml")),
    ("netcup-vps-2000-g12", include_str!("../../hardware-profiles/netcup-vps-2000-g12.yaml")),
    ("ovh-vps-2", include_str!("../../hardware-profiles/ovh-vps-2.yaml")),
    ("single-core", include_str!("../../hardware-profiles/single-core.yaml")),
    ("small-vps", include_str!("../../hardware-profiles/small-vps.yaml")),
    ("vultr-vhp-4c-8gb", include_str!("../../hardware-profiles/vultr-vhp-4c-8gb.yaml")),
    ("workstation-22", include_str!("../../hardware-profiles/workstation-22.yaml")),
];

/// A host by name or path, or written out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HostChoice {
    /// A name or a path.
    Name(String),
    /// The profile itself.
    Profile(Box<ProfileFile>),
}

/// A host: what it has, what it keeps for itself, what it costs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileFile {
    /// Its short name: `kvm-4`. A file needs it; a host written into a scenario does not.
    #[schemars(length(min = 1))]
    pub profile: Option<String>,
    /// What a person calls it: `Hostinger KVM 4`.
    pub title: Option<String>,
    /// How many cores, or groups of cores of different speed. A `cpuset` of a Compose file numbers them from 0 in this order.
    pub cores: CoresFile,
    /// Memory as the kernel sees it.
    pub memory: Size,
    /// Size of the disk.
    pub disk: Option<Size>,
    /// What is kept for the system; a fifth of the CPU and 2 GB of memory, or half of it where it is small, unless said otherwise.
    pub reserve: Option<ReserveFile>,
    /// What the system itself uses; nothing unless said otherwise.
    pub system: Option<ReserveFile>,
    /// CPU time that other guests of the same machine take away: a share, or bursts around a mean.
    pub steal: Option<StealFile>,
    /// How warm it gets, and what it does about it. Without it the clock never falls.
    pub heat: Option<HeatFile>,
    /// What it costs.
    pub price: Option<PriceFile>,
    /// How fast its disk is; without it, disk accesses take no time.
    pub storage: Option<StorageFile>,
    /// Swap on that disk; none unless said otherwise.
    pub swap: Option<Size>,
    /// What else is known of the machine; it counts in the score. Its `network_mbit` is the line that requests and answers
    /// share.
    pub hardware: Option<HardwareFile>,
    /// Time that a message takes from one container to another, or between a container and the outside; none unless said
    /// otherwise.
    pub hop: Option<Duration>,
}

/// How fast a disk is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageFile {
    /// Small accesses per second, reads and writes together.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub iops: u64,
    /// Bytes per second, read and written together: `800M`.
    pub bandwidth: Size,
    /// Time of one small access on an idle device: `100us`.
    pub latency: Duration,
}

/// What is known of a machine beside its cores and its memory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardwareFile {
    /// What the processor calls itself: AMD EPYC 9354P.
    pub processor: Option<String>,
    /// Hardware threads of all cores together.
    #[schemars(range(min = 1, max = 8192))]
    pub threads: Option<u32>,
    /// Clock of the fastest cores in MHz.
    #[schemars(range(min = 1, max = 20000))]
    pub clock_mhz: Option<u32>,
    /// `x86_64` or `aarch64`.
    pub architecture: Option<String>,
    /// What it is virtualised by: `kvm`, `none`.
    pub virtualisation: Option<String>,
    /// Kind of the disk that containers live on.
    pub disk: Option<DiskKind>,
    /// Network interfaces to the outside.
    #[schemars(range(max = 1000))]
    pub interfaces: Option<u32>,
    /// Speed of the fastest of them in Mbit/s, in each direction. Requests and answers whose sizes are known (`work` of a
    /// scenario) share it; without it, sending them takes no time.
    #[schemars(range(max = 10_000_000))]
    pub network_mbit: Option<u32>,
    /// Load average over the last minute.
    #[schemars(range(min = 0.0, max = 100_000.0))]
    pub load: Option<f64>,
}

/// The cores of a host.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CoresFile {
    /// So many at full speed.
    Count(#[schemars(range(min = 1, max = 4096))] u32),
    /// Groups, fastest first.
    Groups(#[schemars(length(min = 1, max = 64))] Vec<CoreGroupFile>),
}

/// Cores of one kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoreGroupFile {
    /// How many.
    #[schemars(range(min = 1, max = 4096))]
    pub count: u32,
    /// Speed of one against the reference core.
    pub speed: Percent,
}

/// CPU and memory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveFile {
    /// In cores.
    pub cpu: Option<Cpus>,
    /// In bytes.
    pub memory: Option<Size>,
}

/// A price with what a reader needs to check it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    /// For one month.
    pub month: Amount,
    /// For one month after the first term, where that is another price.
    pub renewal: Option<Amount>,
    /// The day it was seen: 2025-12-28.
    pub seen: String,
    /// Where it was seen.
    pub source: String,
}

/// Where hosts are looked up.
#[derive(Debug)]
pub struct Profiles {
    shelf: Shelf,
}

impl Profiles {
    /// Looks in `hardware-profiles/` of this folder and of every folder above it, then among the shipped profiles.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self { shelf: Shelf::below(folder, "hardware-profiles", SHIPPED) }
    }

    /// Files that were read.
    #[must_use]
    pub fn files_read(&self) -> &[PathBuf] {
        &self.shelf.files_read
    }

    /// The host of a choice; `node` is where the choice stands, paths are relative to `folder`.
    ///
    /// # Errors
    /// An unknown name, an unreadable file, or all that is wrong with the profile.
    pub fn resolve(&mut self, choice: &HostChoice, node: &Node, folder: &Path) -> Result<Host, Problems> {
        match choice {
            HostChoice::Name(name) => self.find(name, Some(&node.place), folder),
            HostChoice::Profile(file) => host(file, node),
        }
    }

    /// The host of this name or path.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn find(&mut self, name: &str, place: Option<&Place>, folder: &Path) -> Result<Host, Problems> {
        match self.shelf.read(name, place, folder)? {
            Some(source) => parse(&source),
            None => Err(self.unknown(name, place).into()),
        }
    }

    /// The names that can be used: those of the project and those shipped, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.shelf.names()
    }

    /// Whether a choice of a host is a path rather than a name that is looked up.
    #[must_use]
    pub fn is_path(choice: &str) -> bool {
        shelf::is_path(choice)
    }

    fn unknown(&self, name: &str, place: Option<&Place>) -> Problem {
        let names = self.names();
        let hint = nearest(name, names.iter().map(String::as_str));
        let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        let problem = Problem::error(&UNKNOWN, format!("unknown hardware profile `{name}`{hint}"));
        let problem = problem.help(format!("known: {}; or a path such as `./my-host.yaml`", names.join(", ")));
        match place {
            Some(place) => problem.at(place),
            None => problem,
        }
    }
}

/// Reads a profile.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(source: &Source) -> Result<Host, Problems> {
    let (node, file) = schema::read::<ProfileFile>(source)?;
    if file.profile.is_none() {
        let problem = Problem::error(&schema::MISSING_KEY, "missing key `profile`").at(&node.place);
        return Err(problem.help("give it the short name that scenarios use: `profile: my-host`").into());
    }
    host(&file, &node)
}

fn host(file: &ProfileFile, node: &Node) -> Result<Host, Problems> {
    let mut problems = Problems::new();
    let mut wrong = |key: &str, message: String| {
        problems.push(Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, &format!("/{key}"))));
    };
    let cores = match &file.cores {
        CoresFile::Count(count) => vec![CoreGroup { count: *count, speed: Permille::ONE }],
        CoresFile::Groups(groups) => {
            groups.iter().map(|group| CoreGroup { count: group.count, speed: group.speed.0 }).collect()
        }
    };
    if cores.iter().any(|group| group.speed == Permille::ZERO || group.speed > Permille::percent(1000)) {
        wrong("cores", "a core has a speed between 0.1% and 1000% of the reference core".to_owned());
    }
    let (steal, steal_bursts) = file
        .steal
        .map_or((Permille::ZERO, None), |file| file.steal(|key, message| wrong(&format!("steal{key}"), message)));
    let heat = file
        .heat
        .as_ref()
        .map(|file| heat::heat(file, cores.len(), |key, message| wrong(&format!("heat/{key}"), message)));
    let (reserve, system) = (file.reserve.as_ref(), file.system.as_ref());
    let name = file.profile.clone().or_else(|| file.title.clone()).unwrap_or_else(|| "host".to_owned());
    let mut host = Host {
        name: name.clone(),
        title: file.title.clone().unwrap_or(name),
        cores,
        memory: file.memory.0,
        disk: file.disk.map_or(Bytes::ZERO, |disk| disk.0),
        reserve_cpu: Millicores::ZERO,
        reserve_memory: Bytes::ZERO,
        steal,
        steal_bursts,
        heat,
        system_cpu: system.and_then(|part| part.cpu).map_or(Millicores::ZERO, |cpu| cpu.0),
        system_memory: system.and_then(|part| part.memory).map_or(Bytes::ZERO, |size| size.0),
        price: file.price.as_ref().map(|price| Price {
            month: price.month.0,
            renewal: price.renewal.map(|renewal| renewal.0),
            seen: price.seen.clone(),
            source: price.source.clone(),
        }),
        reserve_stated: reserve.is_some_and(|part| part.cpu.is_some() || part.memory.is_some()),
        hardware: file.hardware.as_ref().map(hardware).unwrap_or_default(),
        hop: file.hop.map_or(Span::ZERO, |hop| hop.0),
        storage: file.storage.map(|storage| Storage {
            iops: storage.iops.max(1),
            bandwidth: storage.bandwidth.0,
            latency: storage.latency.0,
        }),
        swap: file.swap.map_or(Bytes::ZERO, |size| size.0),
    };
    let usual = host.usual_reserve();
    host.reserve_cpu = reserve.and_then(|part| part.cpu).map_or(usual.cpu, |cpu| cpu.0);
    host.reserve_memory = reserve.and_then(|part| part.memory).map_or(usual.memory, |size| size.0);
    if host.memory == Bytes::ZERO {
        wrong("memory", "a host without memory runs nothing".to_owned());
    } else if host.reserve_memory >= host.memory {
        let message = format!("the reserve of {} leaves nothing of {} memory", host.reserve_memory, host.memory);
        wrong("reserve/memory", message);
    }
    if host.system_memory >= host.memory && host.memory > Bytes::ZERO {
        wrong("system/memory", format!("the system's {} fill all of {} memory", host.system_memory, host.memory));
    }
    if host.reserve_cpu >= host.capacity() {
        wrong("reserve/cpu", format!("the reserve of {} CPUs leaves nothing of {}", host.reserve_cpu, host.capacity()));
    }
    if host.storage.is_some_and(|storage| storage.bandwidth == Bytes::ZERO) {
        wrong("storage/bandwidth", "a disk without bandwidth reads and writes nothing".to_owned());
    }
    if host.swap > Bytes::ZERO && host.storage.is_none() {
        let message = "swap lies on a disk, and nothing says how fast that is: add `storage` to the profile";
        wrong("swap", message.to_owned());
    }
    if host.steal >= Permille::ONE {
        wrong("steal", format!("a steal of {} leaves no CPU", host.steal));
    }
    if problems.has_errors() { Err(problems) } else { Ok(host) }
}

fn hardware(file: &HardwareFile) -> Hardware {
    Hardware {
        processor: file.processor.clone(),
        threads: file.threads,
        clock_mhz: file.clock_mhz,
        architecture: file.architecture.clone(),
        virtualisation: file.virtualisation.clone(),
        disk: file.disk,
        interfaces: file.interfaces,
        network_mbit: file.network_mbit,
        load: file.load.map(|load| crate::units::whole(load * 1000.0)),
    }
}
