//! Every file that ships with the program is good: profiles, policies, the catalog, scenarios and policy tests.

use plimsoll::input::catalog;
use plimsoll::input::kind::Kind;
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
use plimsoll::model::Policy;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
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
            Some(Kind::PolicyTest) => "policy-test",
            Some(Kind::Policy) => "policy",
            Some(Kind::Profile) => "profile",
            Some(Kind::Catalog) => "catalog",
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
        assert!(!test.cases.is_empty() && test.cases.iter().all(|case| !case.given.is_empty()), "{}", path.display());
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
