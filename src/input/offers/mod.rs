//! What providers sell: plans with their price, the day it was seen and the source, as YAML.
//!
//! Before you change it:
//! 1. A file of a project stands over the shipped one: a plan of the same name takes the place of the shipped one.
//! 2. A plan with the name of a hardware profile is that profile, which knows more; its price is the plan's. A profile with a
//!    price that no plan has is an offer, too.
//! 3. Of a machine no figure is made up: what nobody says of it and a run must know is assumed by the kind of its CPU
//!    ([`assumed_steal`]), as the shipped profiles do, and `docs/fit.md` says so. A burstable plan whose baseline is not known has no machine.

use crate::input::problem::Code;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::input::profile::Profiles;
use crate::input::schema;
use crate::input::schema::quantity::Amount;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Size;
use crate::input::upwards::upwards;
use crate::input::yaml::Node;
use crate::model::CoreGroup;
use crate::model::CpuKind;
use crate::model::DiskKind;
use crate::model::Hardware;
use crate::model::Host;
use crate::model::Offer;
use crate::model::Price;
use crate::model::PriceKind;
use crate::model::day;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Codes of offers.
pub const CODES: &[&Code] = &[&PLAN];

static PLAN: Code = Code {
    id: "PL0451",
    title: "an offer that cannot be",
    explanation: "A plan that a provider sells has a price above zero, all of its amounts in one currency, the day it was seen, and a \
source that the file lists under `sources`:

    sources:
      page: { where: \"the provider's page\" }
    plans:
      my-vps:
        { title: My VPS, provider: me, cores: 4, cpu: shared, memory: 8G, disk: 80G,
          price: { month: 9 EUR, kind: list, seen: 2026-11-20, source: page } }

`kind: promo` needs the `renewal` that is paid after the first term, `kind: hourly` the price of an `hour`. `baseline` is for \
`cpu: burstable`: the share of its cores that it may use for ever.",
};

const SHIPPED: &str = include_str!("../../../catalog/offers.yaml");

/// Where they lie, below a project and in this repository.
pub const PATH: &str = "catalog/offers.yaml";

/// What providers sell.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffersFile {
    /// What a person calls the list.
    pub offers: String,
    /// The day it was put together: 2026-11-20.
    pub seen: String,
    /// Where prices and figures come from, by the name that plans use.
    pub sources: BTreeMap<String, SourceFile>,
    /// The plans, by their short name: `hetzner-cx33`. One with the name of a hardware profile is that machine.
    pub plans: BTreeMap<String, PlanFile>,
}

/// Where something is known from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// So that somebody else finds it.
    #[schemars(length(min = 1))]
    pub r#where: String,
}

/// A plan that a provider sells.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// What a person calls it: `Hetzner CX33`.
    pub title: String,
    /// Who sells it.
    pub provider: String,
    /// How many cores, as sold.
    #[schemars(range(min = 1, max = 4096))]
    pub cores: u32,
    /// How they are kept.
    pub cpu: CpuKind,
    /// The share of each core that a burstable plan may use for ever. Without it the plan is listed and not ranked.
    pub baseline: Option<BaselineFile>,
    /// Memory, as sold.
    pub memory: Size,
    /// Disk that is in the price. Without it the disk is billed apart.
    pub disk: Option<Size>,
    /// Kind of that disk.
    pub disk_kind: Option<DiskKind>,
    /// Traffic that is in the price of a month.
    pub traffic: Option<Size>,
    /// Speed of its line to the outside in Mbit/s.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub network_mbit: Option<u32>,
    /// `x86_64` unless said otherwise.
    pub architecture: Option<String>,
    /// What it is virtualised by; `kvm` unless said otherwise.
    pub virtualisation: Option<String>,
    /// What it costs.
    pub price: PlanPriceFile,
    /// Why it cannot be bought, where that is known. Such a plan is chosen only where it is named.
    pub not_sold: Option<String>,
    /// What else a buyer should know.
    pub note: Option<String>,
}

/// What a burstable plan may use for ever.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineFile {
    /// Of each core.
    pub share: Percent,
    /// Where that is known from, a name of `sources`.
    pub source: String,
}

/// What a plan costs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanPriceFile {
    /// For a month, the first term's where there is one.
    pub month: Amount,
    /// What kind of price it is.
    pub kind: PriceKind,
    /// Months of the first term, or for which one is bound.
    #[schemars(range(min = 1, max = 120))]
    pub term: Option<u32>,
    /// For a month after the first term.
    pub renewal: Option<Amount>,
    /// For an hour, where it can be had by the hour.
    pub hour: Option<Amount>,
    /// What the source says of taxes: `without VAT`.
    pub tax: Option<String>,
    /// The day it was seen: 2026-09-29, or 2026-09.
    pub seen: String,
    /// Where it was seen, a name of `sources`.
    pub source: String,
}

/// The offers of a project.
#[derive(Debug, Clone, Default)]
pub struct Offers {
    /// By name.
    pub all: BTreeMap<String, Offer>,
    /// Files that were read.
    pub files_read: Vec<PathBuf>,
}

impl Offers {
    /// The shipped offers with `catalog/offers.yaml` of this folder, or of the nearest folder above it, on top; then `file`.
    /// Names are looked up among the hardware profiles of this folder; profiles with a price are offers, too.
    ///
    /// # Errors
    /// All that is wrong with these files and with the profiles.
    pub fn below(folder: &Path, file: Option<&Path>) -> Result<Self, Problems> {
        let own = upwards(folder).into_iter().map(|folder| folder.join(PATH)).find(|path| path.is_file());
        let mut offers = Self { all: shipped()?, files_read: Vec::new() };
        for path in own.iter().map(PathBuf::as_path).chain(file) {
            offers.all.extend(parse(&Source::read(path)?)?);
            offers.files_read.push(path.to_owned());
        }
        offers.take_profiles(&mut Profiles::below(folder), folder)?;
        Ok(offers)
    }

    /// Offers of the name of a profile become that machine; profiles with a price become offers.
    fn take_profiles(&mut self, profiles: &mut Profiles, folder: &Path) -> Result<(), Problems> {
        for name in profiles.names() {
            let host = profiles.find(&name, None, folder)?;
            if let Some(offer) = self.all.get_mut(&name) {
                offer.host = Ok(Host { price: Some(offer.price.clone()), ..host });
            } else if let Some(offer) = of_profile(&name, host) {
                self.all.insert(name, offer);
            }
        }
        self.files_read.extend_from_slice(profiles.files_read());
        Ok(())
    }
}

/// A profile with a price as an offer; `None` for one without.
#[must_use]
pub fn of_profile(name: &str, host: Host) -> Option<Offer> {
    let price = host.price.clone()?;
    Some(Offer {
        name: name.to_owned(),
        provider: "a profile".to_owned(),
        cpu: None,
        kind: if price.renewal.is_some() { PriceKind::Promo } else { PriceKind::List },
        price,
        term: None,
        hour: None,
        tax: None,
        traffic: None,
        disk_extra: false,
        note: None,
        not_sold: None,
        host: Ok(host),
    })
}

/// The offers shipped with the program.
fn shipped() -> Result<BTreeMap<String, Offer>, Problems> {
    parse(&Source::new(PATH, SHIPPED))
}

/// Reads a file of offers.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(source: &Source) -> Result<BTreeMap<String, Offer>, Problems> {
    let (node, file) = schema::read::<OffersFile>(source)?;
    let mut problems = Problems::new();
    if day(&file.seen).is_none() {
        problems.push(no_day(&file.seen).at(&schema::place_of(&node, "/seen")));
    }
    let plans = node.get("plans").map(Node::entries).unwrap_or_default();
    for entry in plans {
        if let Some(plan) = file.plans.get(&entry.key) {
            check(plan, &file.sources, &entry.value, &mut problems);
        }
    }
    if problems.has_errors() {
        return Err(problems);
    }
    Ok(file.plans.iter().map(|(name, plan)| (name.clone(), offer(name, plan, &file.sources))).collect())
}

fn no_day(text: &str) -> Problem {
    let problem = Problem::error(&PLAN, format!("`{text}` is no day"));
    problem.help("write it as `2026-09-29`, or as `2026-09` where the day is not known")
}

fn check(plan: &PlanFile, sources: &BTreeMap<String, SourceFile>, node: &Node, problems: &mut Problems) {
    let price = &plan.price;
    let mut wrong = |key: &str, problem: Problem| problems.push(problem.at(&schema::place_of(node, key)));
    let error = |message: &str| Problem::error(&PLAN, message);
    let named =
        [("/price/source", Some(&price.source)), ("/baseline/source", plan.baseline.as_ref().map(|b| &b.source))];
    for (key, name) in named {
        let Some(name) = name.filter(|name| !sources.contains_key(*name)) else { continue };
        let near = nearest(name, sources.keys().map(String::as_str));
        let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        wrong(
            key,
            error(&format!("unknown source `{name}`{near}")).help("list it under `sources`, with where it is found"),
        );
    }
    for (key, amount) in
        [("/price/month", Some(price.month)), ("/price/renewal", price.renewal), ("/price/hour", price.hour)]
    {
        let Some(amount) = amount.map(|amount| amount.0) else { continue };
        if amount.get() == 0 {
            wrong(key, error("a price of nothing is no price").help("leave out a plan whose price is not known"));
        } else if amount.currency() != price.month.0.currency() {
            let message = format!("{} and {amount} are two currencies in one price", price.month.0);
            wrong(key, error(&message).help("write a plan for each currency that it is sold in"));
        }
    }
    if price.kind == PriceKind::Promo && price.renewal.is_none() {
        let help = "add `renewal: 14.99 USD`, which plans are ranked by, or call it `kind: list`";
        wrong("/price/kind", error("a promotion without the price that follows it").help(help));
    }
    if price.kind == PriceKind::Hourly && price.hour.is_none() {
        wrong("/price/kind", error("a price by the hour without that of an hour").help("add `hour: 0.0416 USD`"));
    }
    if day(&price.seen).is_none() {
        wrong("/price/seen", no_day(&price.seen));
    }
    if let Some(baseline) = &plan.baseline {
        if plan.cpu != CpuKind::Burstable {
            let message = format!("a baseline of cores that are {}", plan.cpu.name());
            wrong("/baseline", error(&message).help("a baseline is for `cpu: burstable`"));
        }
        if baseline.share.0 == Permille::ZERO || baseline.share.0 > Permille::ONE {
            wrong("/baseline/share", error("a baseline is more than nothing and at most 100% of each core"));
        }
    }
    if plan.memory.0 <= SYSTEM_MEMORY {
        let message = format!("{} of memory are filled by the system's {SYSTEM_MEMORY}", plan.memory.0);
        wrong("/memory", error(&message).help("write it with its unit: `8G`"));
    }
}

/// Memory that the system uses, of a machine of which nobody says: what was reported of idle servers with Docker is 230 to
/// 600 MB, and the shipped profiles say 450 MB.
const SYSTEM_MEMORY: Bytes = Bytes::mebi(450);
/// CPU that it uses: a guess, as in the shipped profiles.
const SYSTEM_CPU: Millicores = Millicores::new(20);

/// CPU time that others take from a machine of which nobody says, by the kind of its cores. Guesses, as in the shipped
/// profiles: the mean of a quiet host, and of a typical shared one.
#[must_use]
pub const fn assumed_steal(cpu: CpuKind) -> Permille {
    match cpu {
        CpuKind::Dedicated => Permille::new(1),
        CpuKind::Shared | CpuKind::Burstable => Permille::new(10),
    }
}

fn offer(name: &str, plan: &PlanFile, sources: &BTreeMap<String, SourceFile>) -> Offer {
    let price = &plan.price;
    let source = sources.get(&price.source).map(|source| source.r#where.clone()).unwrap_or_default();
    let money = Price {
        month: price.month.0,
        renewal: price.renewal.map(|renewal| renewal.0),
        seen: price.seen.clone(),
        source,
    };
    Offer {
        name: name.to_owned(),
        provider: plan.provider.clone(),
        cpu: Some(plan.cpu),
        host: machine(name, plan, &money),
        price: money,
        kind: price.kind,
        term: price.term,
        hour: price.hour.map(|hour| hour.0),
        tax: price.tax.clone(),
        traffic: plan.traffic.map(|traffic| traffic.0),
        disk_extra: plan.disk.is_none(),
        note: plan.note.clone(),
        not_sold: plan.not_sold.clone(),
    }
}

/// The machine of a plan that no profile knows; or why there is none.
fn machine(name: &str, plan: &PlanFile, price: &Price) -> Result<Host, String> {
    let speed = match (plan.cpu, &plan.baseline) {
        (CpuKind::Burstable, None) => {
            return Err("no source says which share of its cores it may use for ever".to_owned());
        }
        (CpuKind::Burstable, Some(baseline)) => baseline.share.0,
        _ => Permille::ONE,
    };
    let cores = vec![CoreGroup { count: plan.cores, speed }];
    let mut host = Host::bare(name, cores, plan.memory.0);
    host.title.clone_from(&plan.title);
    host.disk = plan.disk.map_or(Bytes::ZERO, |disk| disk.0);
    let usual = host.usual_reserve();
    (host.reserve_cpu, host.reserve_memory, host.reserve_stated) = (usual.cpu, usual.memory, false);
    host.steal = assumed_steal(plan.cpu);
    (host.system_cpu, host.system_memory) = (SYSTEM_CPU, SYSTEM_MEMORY);
    host.price = Some(price.clone());
    host.hardware = Hardware {
        architecture: Some(plan.architecture.clone().unwrap_or_else(|| "x86_64".to_owned())),
        virtualisation: Some(plan.virtualisation.clone().unwrap_or_else(|| "kvm".to_owned())),
        disk: plan.disk_kind,
        network_mbit: plan.network_mbit,
        ..Hardware::default()
    };
    Ok(host)
}

#[cfg(test)]
mod tests;
