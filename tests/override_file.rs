//! The override file of a budget: laid over its base it says exactly what is planned, whatever the base looks like, and
//! both the Compose specification and Compose itself accept it. The sets of public repositories lie beside the checkout;
//! without them the stacks of our own scenarios are used alone.

mod sets;

use plimsoll::input::catalog::shipped;
use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::compose::Loaded;
use plimsoll::input::compose::load;
use plimsoll::input::problem::Source;
use plimsoll::input::profile::Profiles;
use plimsoll::input::yaml;
use plimsoll::input::yaml::Node;
use plimsoll::model::Budget;
use plimsoll::model::Host;
use plimsoll::model::Preset;
use plimsoll::plan::budget::Wishes;
use plimsoll::plan::budget::budget;
use plimsoll::plan::health;
use plimsoll::plan::health::Finding;
use plimsoll::plan::override_file;
use plimsoll::plan::tuning;
use plimsoll::plan::tuning::DeviceRate;
use plimsoll::units::Bytes;
use plimsoll::units::Permille;
use proptest::prelude::*;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use sets::copy;
use sets::shared;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A stack as a user has it: its files in a folder of their own.
struct Set {
    name: String,
    folder: PathBuf,
    args: ComposeArgs,
}

/// The stacks of our scenarios, and the sets beside the checkout where they are.
fn sets(home: &Path) -> Vec<Set> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(root.join("scenarios")).expect("our scenarios").flatten() {
        if !entry.path().join("compose.yaml").is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let folder = home.join(&name);
        copy(&entry.path(), &folder);
        let args = ComposeArgs { files: vec![folder.join("compose.yaml")], ..ComposeArgs::default() };
        sets.push(Set { name, folder, args });
    }
    for (index, args) in shared(home) {
        let name = index.get("name").and_then(Node::scalar).expect("a set has a name");
        let folder = args.files[0].parent().expect("a file is in a folder").to_owned();
        sets.push(Set { name, folder, args });
    }
    sets
}

/// The base with this text over it, read.
fn over(set: &Set, text: &str) -> Loaded {
    let path = set.folder.join("plan.override.yml");
    std::fs::write(&path, text).expect("can be written");
    let files = set.args.files.iter().cloned().chain([path]).collect();
    let args = ComposeArgs { files, ..set.args.clone() };
    let loaded = load(&args).unwrap_or_else(|problems| panic!("{}: {problems}\n{text}", set.name));
    // Compose refuses what these warn of.
    let mixed = |loaded: &Loaded| loaded.warnings.to_string().matches(" mixes ").count();
    assert!(
        mixed(&loaded) <= load(&set.args).map_or(0, |base| mixed(&base)),
        "{}: {}\n{text}",
        set.name,
        loaded.warnings
    );
    loaded
}

fn hosts() -> Vec<Host> {
    let mut profiles = Profiles::below(Path::new(env!("CARGO_MANIFEST_DIR")));
    profiles.names().iter().map(|name| profiles.find(name, None, Path::new("")).expect("a shipped profile")).collect()
}

fn text(budget: &Budget, loaded: &Loaded, existing: Option<&str>) -> String {
    let existing = existing.map(|text| Source::new("before.yml", text));
    override_file::text(existing.as_ref(), &override_file::wanted(budget, loaded), "a test", &[]).expect("it is ours")
}

/// Services of a budget that were switched off may be waited for by others that Compose knows nothing of, such as those
/// of another profile; the base itself is read without warnings about that.
#[test]
fn base_and_override_say_exactly_what_is_planned() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let hosts = hosts();
    for set in sets(home.path()) {
        let base = load(&set.args).unwrap_or_else(|problems| panic!("{}: {problems}", set.name));
        let mut before: Option<String> = None;
        for host in &hosts {
            let budget = budget(&set.name, &base.stack, shipped(), host, &Wishes::default());
            let fresh = text(&budget, &base, None);
            let differences = override_file::differences(&budget, &over(&set, &fresh));
            assert_eq!(differences, [""; 0], "{} on {}\n{fresh}", set.name, host.name);
            // Renewed from the plan for another host, it says the same; renewed once more, nothing changes.
            if let Some(before) = &before {
                let renewed = text(&budget, &base, Some(before));
                let differences = override_file::differences(&budget, &over(&set, &renewed));
                assert_eq!(differences, [""; 0], "{} on {}, renewed\n{before}\n->\n{renewed}", set.name, host.name);
                assert_eq!(text(&budget, &base, Some(&renewed)), renewed, "{} on {}", set.name, host.name);
            }
            before = Some(fresh);
        }
    }
}

/// Files laid over their base are accepted by the JSON schema of the Compose specification.
#[expect(clippy::print_stderr, reason = "a check that does not take place is said plainly")]
#[test]
fn the_specification_accepts_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/compose-spec/compose-spec.json");
    let Ok(schema) = std::fs::read_to_string(path) else {
        eprintln!("not checked: ../shared/compose-spec is not there");
        return;
    };
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema that can be used");
    let home = tempfile::tempdir().expect("a temporary directory");
    for set in sets(home.path()) {
        let base = load(&set.args).unwrap_or_else(|problems| panic!("{}: {problems}", set.name));
        for host in hosts() {
            let budget = budget(&set.name, &base.stack, shipped(), &host, &Wishes::default());
            let written = text(&budget, &base, None);
            let node = yaml::read(&Source::new("written.yml", written.as_str())).0.expect("a document");
            let errors: Vec<String> = validator.iter_errors(&node.to_json()).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}\n{written}", set.name);
        }
    }
}

/// Where Compose accepts the base, it accepts the base with the override file.
#[expect(clippy::print_stderr, reason = "a check that does not take place is said plainly")]
#[test]
fn compose_accepts_it() {
    let works =
        |program: &str| Command::new(program).arg("version").output().is_ok_and(|output| output.status.success());
    if !works("docker-compose") {
        assert!(
            std::env::var_os("PLIMSOLL_REQUIRE_SERVERS").is_none_or(|value| value != "1"),
            "docker-compose is required"
        );
        eprintln!("not checked: docker-compose is not installed");
        return;
    }
    let home = tempfile::tempdir().expect("a temporary directory");
    let host = hosts().into_iter().find(|host| host.name == "kvm-4").expect("a shipped profile");
    let mut accepted = Vec::new();
    for set in sets(home.path()) {
        let config = |more: &[PathBuf]| {
            let mut command = Command::new("docker-compose");
            command.current_dir(&set.folder).envs(&set.args.environment);
            for file in set.args.env_files.iter().take(1) {
                command.arg("--env-file").arg(file);
            }
            for file in set.args.files.iter().chain(more) {
                command.arg("-f").arg(file);
            }
            command.args(["config", "-q"]).output().expect("docker-compose runs")
        };
        if !config(&[]).status.success() {
            continue;
        }
        let base = load(&set.args).unwrap_or_else(|problems| panic!("{}: {problems}", set.name));
        let budget = budget(&set.name, &base.stack, shipped(), &host, &Wishes::default());
        let path = set.folder.join("plan.override.yml");
        std::fs::write(&path, text(&budget, &base, None)).expect("can be written");
        let output = config(&[path]);
        // Files of the specification, which names no version, may limit processes in `deploy`; this Compose knows that not.
        let deploys = base.stack.services.keys().any(|name| {
            let node = base.tree.get("services").and_then(|services| services.get(name.as_str()));
            let limits = ["deploy", "resources", "limits"].iter().try_fold(node, |node, key| Some(node?.get(key)));
            limits.flatten().is_some()
        });
        if deploys && base.tree.get("version").is_none() {
            continue;
        }
        assert!(output.status.success(), "{}: {}", set.name, String::from_utf8_lossy(&output.stderr));
        accepted.push(set.name);
    }
    assert!(accepted.iter().any(|name| name == "ziggie-kvm-4-evening"), "only {accepted:?}");
}

/// The limits that the scenarios of the five classes of hosts run under are those that a budget writes today: run
/// `plimsoll budget -f compose.yaml --host hosts/NAME.yaml --write NAME.limits.yml` where it would write others. The five
/// hosts run 4, 16, 21, 22 and 22 of the 22 services (register H3).
#[test]
fn shipped_limits_are_what_a_budget_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/jacker-classes");
    let args = ComposeArgs { files: vec![folder.join("compose.yaml")], ..ComposeArgs::default() };
    let base = load(&args).unwrap_or_else(|problems| panic!("{problems}"));
    for (class, running) in
        [("minimal", 4), ("basic", 16), ("standard", 21), ("performance", 22), ("high-performance", 22)]
    {
        let mut profiles = Profiles::below(&folder);
        let host = profiles.find(&format!("hosts/{class}.yaml"), None, &folder).expect("a host of the class");
        let budget = budget("jacker-classes", &base.stack, shipped(), &host, &Wishes::default());
        let named = serde_json::to_value(budget.score.class()).expect("a name");
        assert_eq!(named, class, "score {}", budget.score.total());
        assert_eq!(budget.allocation.shares.len(), running, "{class}");
        let source = Source::read(&folder.join(format!("{class}.limits.yml"))).expect("shipped limits");
        let again = override_file::text(Some(&source), &override_file::wanted(&budget, &base), "", &[]).expect("ours");
        assert_eq!(again, source.text(), "{class}");
    }
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let presets = [Preset::Auto, Preset::Minimal, Preset::Balanced, Preset::Performance, Preset::Custom];
    (0..5_usize, proptest::option::of(0..900_u64), proptest::option::of(0..8_u64), 1_000..3_000_u64, 1_000..3_000_u64)
        .prop_map(move |(preset, cpu, memory, over_cpu, over_memory)| Wishes {
            preset: presets[preset],
            cpu_reserve: cpu.map(Permille::new),
            memory_reserve: memory.map(Bytes::gibi),
            cpu_overcommit: Permille::new(over_cpu),
            memory_overcommit: Permille::new(over_memory),
            ..Wishes::default()
        })
}

/// The keys of a plan with these parts beside its limits.
fn wanted(budget: &Budget, loaded: &Loaded, parts: &[String], rate: Option<&DeviceRate>) -> Map<String, Value> {
    let mut wanted = override_file::wanted(budget, loaded);
    let mut add = |service: &str, keys: &Map<String, Value>| {
        wanted = override_file::with(
            std::mem::take(&mut wanted),
            &[(service.to_owned(), json!(keys))].into_iter().collect(),
        );
    };
    for part in parts {
        match part.as_str() {
            "settings" => {
                for tuned in tuning::tuned(budget, loaded, shipped()) {
                    add(tuned.service.as_str(), &tuned.keys);
                }
            }
            "health" => {
                let mut findings = health::findings(&loaded.stack, shipped());
                findings.retain(|finding| budget.allocation.shares.contains_key(&finding.service));
                for finding in findings {
                    let check = [("healthcheck".to_owned(), check(&finding))].into_iter().collect();
                    add(finding.service.as_str(), &check);
                }
            }
            _ => {
                for (service, keys) in tuning::kernel(budget, loaded, rate) {
                    add(&service, keys.as_object().expect("a mapping"));
                }
            }
        }
    }
    // Settings that go into a file of the software's own are nothing for Compose.
    wanted.retain(|_, keys| keys.as_object().is_some_and(|keys| !keys.is_empty()));
    wanted
}

fn check(finding: &Finding) -> Value {
    let check = &finding.proposed;
    let mut keys = Map::new();
    if !finding.keeps_test && !check.test.is_empty() {
        keys.insert("disable".to_owned(), json!(false));
        keys.insert("test".to_owned(), check.test.iter().map(|word| word.replace('$', "$$")).collect());
    }
    for (key, span) in [("interval", check.interval), ("timeout", check.timeout), ("start_period", check.start_period)]
    {
        keys.extend(span.map(|span| (key.to_owned(), json!(span.to_string()))));
    }
    keys.extend(check.retries.map(|count| ("retries".to_owned(), json!(count))));
    Value::Object(keys)
}

/// Some of the parts beside limits.
fn parts() -> impl Strategy<Value = Vec<String>> {
    let names = ["settings", "health", "io"].map(str::to_owned).to_vec();
    proptest::sample::subsequence(names, 0..=3)
}

/// Any budget for any host of any size, with any parts beside its limits, written over any earlier plan: even over that of
/// another stack, whose services of the same name run something else. What is read is what a new file would say.
#[test]
fn any_plan_over_any_earlier_one_is_read_back() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let sets: Vec<(Set, Loaded)> = sets(home.path())
        .into_iter()
        .map(|set| {
            let base = load(&set.args).unwrap_or_else(|problems| panic!("{}: {problems}", set.name));
            (set, base)
        })
        .collect();
    let hosts = hosts();
    let plans = (0..sets.len(), 0..hosts.len(), 1..64_u64, wishes(), parts(), any::<bool>());
    let strategy = proptest::collection::vec(plans, 1..4);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(150)
    });
    let outcome = runner.run(&strategy, |plans| {
        let mut before: Option<String> = None;
        for (set, host, gibibytes, wishes, mut parts, with_rate) in plans {
            let (set, base) = &sets[set];
            let host = Host { memory: Bytes::gibi(gibibytes), reserve_memory: Bytes::mebi(512), ..hosts[host].clone() };
            let budget = budget(&set.name, &base.stack, shipped(), &host, &wishes);
            // A file goes on to hold what it held.
            parts.extend(override_file::holds(before.as_deref().unwrap_or_default()).into_iter().map(str::to_owned));
            parts.sort();
            parts.dedup();
            let rate = DeviceRate { device: "/dev/sda".to_owned(), rate: Bytes::mebi(100) };
            let wanted = wanted(&budget, base, &parts, Some(&rate).filter(|_| with_rate));
            let text = |existing: Option<Source>| {
                override_file::text(existing.as_ref(), &wanted, "a test", &parts).expect("it is ours")
            };
            let written = text(before.as_deref().map(|before| Source::new("before.yml", before)));
            let read = over(set, &written);
            let mut differences = override_file::differences(&budget, &read);
            differences.extend(override_file::unsaid(&wanted, &read));
            prop_assert!(differences.is_empty(), "{}: {:?}\n{}", set.name, differences, written);
            let (fresh, before_it) = (text(None), before.unwrap_or_default());
            let says = |loaded: &Loaded| loaded.tree.to_json();
            prop_assert_eq!(says(&read), says(&over(set, &fresh)), "{}: {}\n->\n{}", set.name, before_it, written);
            before = Some(written);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
