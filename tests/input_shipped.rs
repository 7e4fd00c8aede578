//! Every file that ships with the program is good: profiles, policies, the catalog, scenarios and policy tests.

use plimsoll::input::catalog;
use plimsoll::input::kind::Kind;
use plimsoll::input::offers::Offers;
use plimsoll::input::policy::Policies;
use plimsoll::input::policy_test;
use plimsoll::input::problem::Source;
use plimsoll::input::profile;
use plimsoll::input::profile::Profiles;
use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::input::schema;
use plimsoll::input::schemas;
use plimsoll::input::yaml;
use plimsoll::input::yaml::Node;
use plimsoll::model::HostClass;
use plimsoll::model::Policy;
use plimsoll::model::PolicyCase;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Money;
use plimsoll::units::Span;
use std::path::Path;
use std::path::PathBuf;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What an editor would say with the published schema.
#[test]
fn every_file_is_valid_by_its_published_schema() {
    let schemas = schemas::all();
    let mut checked = 0;
    for path in ["hardware-profiles", "catalog", "scenarios"].iter().flat_map(|folder| yaml_files(&root().join(folder)))
    {
        let source = Source::read(&path).unwrap_or_else(|problem| panic!("{}", problem.message));
        let node = yaml::parse(&source).unwrap_or_else(|problems| panic!("{problems}"));
        let name = match Kind::of(&path) {
            Some(Kind::Scenario) => "scenario",
            Some(Kind::Sweep) => "sweep",
            Some(Kind::PolicyTest) => "policy-test",
            Some(Kind::Policy) => "policy",
            Some(Kind::Profile) => "profile",
            Some(Kind::Catalog) => "catalog",
            Some(Kind::Offers) => "offers",
            Some(Kind::Project) => "project",
            Some(Kind::Compose) => continue,
            Some(Kind::Trace | Kind::Record) | None => panic!("{} has none of the formats", path.display()),
        };
        let (_, schema) = schemas.iter().find(|(known, _)| *known == name).expect("a schema of every format");
        let validator = jsonschema::validator_for(schema).expect("a valid schema");
        let errors: Vec<String> = validator.iter_errors(&node.to_json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        checked += 1;
    }
    assert!(checked >= 20, "{checked} files checked");
}

#[test]
fn every_profile_is_a_host() {
    for path in yaml_files(&root().join("hardware-profiles")) {
        let host =
            profile::parse(&Source::read(&path).expect("can be read")).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(
            Some(host.name.as_str()),
            path.file_stem().and_then(|stem| stem.to_str()),
            "a profile is called like its file"
        );
        let mut profiles = Profiles::below(Path::new("/nowhere"));
        assert_eq!(
            profiles.find(&host.name, None, Path::new("")).ok().as_ref(),
            Some(&host),
            "and is built into the program"
        );
    }
}

/// Register H4 and H5.
#[test]
fn profiles_have_the_figures_of_the_register() {
    let host = |name: &str| {
        Profiles::below(Path::new("/nowhere")).find(name, None, Path::new("")).unwrap_or_else(|p| panic!("{p}"))
    };
    let kvm_4 = host("kvm-4");
    assert_eq!((kvm_4.core_count(), kvm_4.memory, kvm_4.disk), (4, Bytes::gibi(16), Bytes::gibi(200)));
    assert_eq!((kvm_4.pool_cpu(), kvm_4.pool_memory()), (Millicores::new(3500), Bytes::gibi(14)));
    assert_eq!(kvm_4.price.map(|price| price.month.to_string()).as_deref(), Some("12 USD"));
    let kvm_6 = host("kvm-6");
    assert_eq!((kvm_6.core_count(), kvm_6.memory, kvm_6.disk), (6, Bytes::gibi(24), Bytes::gibi(300)));
    assert_eq!(kvm_6.price.map(|price| price.month.to_string()).as_deref(), Some("20 USD"));
    let m1 = host("m1-air");
    assert_eq!((m1.core_count(), m1.capacity()), (8, Millicores::cores(6)), "an efficiency core is half of a fast one");
    let workstation = host("workstation-22");
    assert_eq!((workstation.core_count(), workstation.memory), (22, Bytes::parse("15.6G").expect("a size")));
}

/// Register E1, and the engine's own defaults.
#[test]
fn the_shipped_policy_is_that_of_the_register() {
    let policy =
        Policies::below(Path::new("/nowhere")).find("jacker-vertical", None, 0).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(policy, Policy::Vertical(Vertical::default()));
}

#[test]
fn the_catalog_is_the_one_built_in() {
    let source = Source::read(&root().join("catalog/images.yaml")).expect("can be read");
    schema::read::<catalog::CatalogFile>(&source).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(catalog::shipped().entries().count() >= 50);
}

#[test]
fn every_policy_test_can_be_read() {
    let files = yaml_files(&root().join("scenarios/policies"));
    assert!(files.len() >= 3);
    for path in files {
        let test = policy_test::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let says_something = |case: &PolicyCase| !case.given.is_empty() || !case.metrics.is_empty();
        assert!(!test.cases.is_empty() && test.cases.iter().all(says_something), "{}", path.display());
    }
}

#[test]
fn every_scenario_can_be_resolved() {
    let mut found = 0;
    for path in yaml_files(&root().join("scenarios")).into_iter().filter(|path| path.ends_with("scenario.yaml")) {
        let resolved = scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!resolved.scenario.expect.is_empty(), "{} expects nothing", path.display());
        assert!(!resolved.scenario.load.is_empty(), "{} has no load", path.display());
        assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
        assert!(resolved.files_read.len() >= 2, "{:?}", resolved.files_read);
        found += 1;
    }
    assert!(found >= 10, "{found} scenarios");
}

/// Planning document Z as it adds up, not as it says: the figures of its own tables.
#[test]
fn the_ziggie_stack_is_that_of_the_planning_document() {
    let path = root().join("scenarios/ziggie-kvm-4-evening/scenario.yaml");
    let resolved = scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let services = resolved.scenario.services;
    assert_eq!(services.len(), 19);
    let sum = |figure: &dyn Fn(&plimsoll::model::ServiceModel) -> u64| services.values().map(figure).sum::<u64>();
    assert_eq!(sum(&|service| service.limits.cpu.map_or(0, Millicores::get)), 6150);
    assert_eq!(sum(&|service| service.reservations.cpu.map_or(0, Millicores::get)), 2750);
    let gigabytes = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    assert!((gigabytes(sum(&|service| service.limits.memory.map_or(0, Bytes::get))) - 19.2).abs() < 0.1);
    assert!((gigabytes(sum(&|service| service.reservations.memory.map_or(0, Bytes::get))) - 9.3).abs() < 0.1);
}

/// A file of the facts beside the checkout.
#[expect(clippy::print_stderr, reason = "a comparison that does not take place is said plainly")]
fn facts(name: &str) -> Option<Node> {
    let path = root().join("../shared/facts").join(name);
    if !path.is_file() {
        eprintln!("skipped: ../shared/facts/{name} is not here, so there is nothing to compare with");
        return None;
    }
    let source = Source::read(&path).expect("the facts can be read");
    Some(yaml::parse(&source).unwrap_or_else(|problems| panic!("{problems}")))
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::scalar)
}

fn number(node: &Node, key: &str) -> Option<f64> {
    text(node, key).map(|text| text.parse().expect("a number"))
}

/// The catalog's idle use and need are those that were collected; what is a guess there is one here.
#[test]
fn the_catalog_has_the_figures_of_the_facts() {
    let Some(facts) = facts("images.yaml") else { return };
    let images = facts.get("images").expect("images").entries();
    assert!(images.len() >= 30);
    for image in images {
        let (name, fact) = (&image.key, &image.value);
        let entry = catalog::lookup(None, name).unwrap_or_else(|| panic!("{name} is not in the catalog"));
        let memory: Vec<f64> = fact
            .get("mem_mb")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::scalar)
            .map(|text| text.parse().expect("a number"))
            .collect();
        let mebi = |value: f64| Bytes::mebi(plimsoll::units::whole(value));
        assert_eq!((entry.idle_memory, entry.need_memory), (mebi(memory[1]), mebi(memory[2])), "{name}");
        let start = Span::from_millis(plimsoll::units::whole(number(fact, "start_s").expect("a start") * 1000.0));
        assert_eq!(entry.start_up, start, "{name}");
        let cpu = Millicores::new(plimsoll::units::whole(number(fact, "cpu_pct").expect("a share") * 10.0))
            .max(Millicores::new(1));
        // Its 3.6 % are with sockets open; the note of the facts has 0.1 % when idle.
        let cpu = if name == "node-app" { Millicores::new(1) } else { cpu };
        assert_eq!(entry.idle_cpu, cpu, "{name}");
        for (figure, quality) in
            [("idle_memory", "mem_q"), ("need_memory", "mem_q"), ("idle_cpu", "cpu_q"), ("start_up", "start_q")]
        {
            let guess = text(fact, quality).as_deref() == Some("guess");
            let said = entry.guess.iter().any(|word| word == figure);
            assert!(!guess || said, "{name}: {figure} is a guess");
            assert!(guess || !said || figure == "need_memory", "{name}: {figure} was read somewhere");
        }
    }
}

/// Profile, provider and plan of every price that a profile shows.
const OFFERS: &[(&str, &str, &str)] = &[
    ("aws-t3-xlarge", "aws", "t3.xlarge"),
    ("contabo-vps-6", "contabo", "Cloud VPS 6"),
    ("digitalocean-4gb", "digitalocean", "Basic 4GB"),
    ("hetzner-cax21", "hetzner", "CAX21"),
    ("hetzner-ccx23", "hetzner", "CCX23"),
    ("hetzner-cpx42", "hetzner", "CPX42"),
    ("hetzner-cx33", "hetzner", "CX33"),
    ("hetzner-cx43", "hetzner", "CX43"),
    ("hostinger-kvm-2", "hostinger", "KVM 2"),
    ("hostinger-kvm-4", "hostinger", "KVM 4"),
    ("hostinger-kvm-8", "hostinger", "KVM 8"),
    ("kvm-4", "hostinger", "KVM 4 (planning document)"),
    ("kvm-6", "hostinger", "KVM 6 (planning document)"),
    ("linode-8gb", "linode", "Linode 8GB"),
    ("netcup-vps-2000-g12", "netcup", "VPS 2000 G12"),
    ("ovh-vps-2", "ovh", "VPS-2 (2027)"),
    ("vultr-vhp-4c-8gb", "vultr", "vhp-4c-8gb"),
];

/// A price without a day and a source cannot be checked.
#[test]
fn every_price_has_a_day_and_a_source() {
    let mut profiles = Profiles::below(Path::new("/nowhere"));
    let priced: Vec<String> = profiles
        .names()
        .into_iter()
        .filter(|name| profiles.find(name, None, Path::new("")).expect("a host").price.is_some())
        .collect();
    assert_eq!(
        priced,
        OFFERS.iter().map(|(name, ..)| (*name).to_owned()).collect::<Vec<_>>(),
        "an offer of every price"
    );
    for name in priced {
        let price = profiles.find(&name, None, Path::new("")).expect("a host").price.expect("a price");
        assert!(price.seen.starts_with("20") && price.source.len() > 20, "{name}: {price:?}");
        assert!(price.renewal.is_none_or(|renewal| renewal.currency() == price.month.currency()), "{name}");
    }
}

/// The machines and prices are those of the collected offers.
#[test]
fn profiles_have_the_figures_of_the_offers() {
    let Some(facts) = facts("vps_catalog.yaml") else { return };
    let offers = facts.get("offerings").expect("offers").items();
    let mut profiles = Profiles::below(Path::new("/nowhere"));
    for (name, provider, plan) in OFFERS {
        let host = profiles.find(name, None, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
        let price = host.price.as_ref().expect("a price");
        let is = |offer: &&Node, key, value: &str| text(offer, key).as_deref() == Some(value);
        let offer = offers.iter().find(|offer| is(offer, "provider", provider) && is(offer, "plan", plan));
        let offer = offer.unwrap_or_else(|| panic!("{provider} {plan} is no offer"));
        let currency = text(offer, "currency").expect("a currency");
        let money =
            |key| number(offer, key).map(|amount| Money::parse(&format!("{amount} {currency}")).expect("money"));
        assert_eq!((Some(price.month), price.renewal), (money("price_month"), money("renew_month")), "{name}");
        assert_eq!(Some(f64::from(host.core_count())), number(offer, "vcpu"), "{name}");
        let size = |key| number(offer, key).map(|amount| Bytes::parse(&format!("{amount}G")).expect("a size"));
        assert_eq!(Some(host.memory), size("ram_gb"), "{name}");
        let billed_apart = text(offer, "disk_gb").is_none_or(|text| text == "null");
        assert_eq!(host.disk, if billed_apart { Bytes::ZERO } else { size("disk_gb").expect("a size") }, "{name}");
        assert_eq!(host.hardware.architecture, text(offer, "arch"), "{name}");
        assert_eq!(host.hardware.virtualisation, text(offer, "virt"), "{name}");
        let disk = host.hardware.disk.map(|kind| format!("{kind:?}").to_lowercase());
        assert_eq!(
            disk.as_deref(),
            text(offer, "storage").as_deref().and_then(|kind| kind.split(' ').next()),
            "{name}"
        );
        if text(offer, "price_kind").as_deref() != Some("planning_document") {
            assert_eq!(Some(&price.seen), text(offer, "date").as_ref(), "{name}");
            let source = text(offer, "source").expect("a source");
            let known = source.strip_prefix("gh").unwrap_or(&source);
            assert!(price.source.contains(known), "{name}: {}, not {source}", price.source);
        }
    }
}

/// Each offer is in the collected facts with its price, its date and its size, or is left out there as an older one.
#[test]
fn offers_are_those_of_the_facts() {
    let offers = Offers::below(Path::new("/nowhere"), None).unwrap_or_else(|problems| panic!("{problems}")).all;
    assert!(offers.len() > 100, "{} offers", offers.len());
    let Some(facts) = facts("vps_catalog.yaml") else { return };
    let collected = facts.get("offerings").expect("offers").items();
    let row = |offer: &Node| {
        let currency = text(offer, "currency").expect("a currency");
        let money =
            |key| number(offer, key).map(|amount| Money::parse(&format!("{amount} {currency}")).expect("money"));
        (
            text(offer, "provider").expect("a provider"),
            money("price_month").expect("a price"),
            money("renew_month"),
            money("price_hour"),
        )
    };
    let mut known: Vec<_> =
        collected.iter().filter(|offer| !text(offer, "plan").expect("a plan").contains("older")).map(row).collect();
    let ours = offers.values();
    let mut ours: Vec<_> =
        ours.map(|offer| (offer.provider.clone(), offer.price.month, offer.price.renewal, offer.hour)).collect();
    let order =
        |row: &(String, Money, Option<Money>, Option<Money>)| (row.0.clone(), row.1.get(), row.3.map(Money::get));
    known.sort_by_key(order);
    ours.sort_by_key(order);
    assert_eq!(ours, known);
    let unknown: Vec<&str> =
        offers.values().filter(|offer| offer.host.is_err()).map(|offer| offer.name.as_str()).collect();
    assert!(unknown.iter().all(|name| name.starts_with("aws-t4g") || *name == "aws-lightsail-32gb"), "{unknown:?}");
}

/// Planning document J prints its workstation's points as 95; they add up to 85 (`figures.md`).
#[test]
fn the_workstation_of_the_planning_document_has_85_points() {
    let host = Profiles::below(Path::new("/nowhere")).find("workstation-22", None, Path::new(""));
    let score = plimsoll::engine::score(&host.unwrap_or_else(|problems| panic!("{problems}")));
    assert_eq!((score.total(), score.class()), (85, HostClass::Performance));
}
