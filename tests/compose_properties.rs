//! What holds for every Compose project, whatever is in it.

use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::compose::load;
use plimsoll::model::Stack;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, ComposeArgs) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut args = ComposeArgs::default();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
        args.files.push(folder.path().join(name));
    }
    (folder, args)
}

fn stack(files: &[(&str, &str)]) -> Stack {
    let (_folder, args) = project(files);
    load(&args).unwrap_or_else(|problems| panic!("{problems}")).stack
}

/// Keys of a service, each as `key: value` in one line, any of which may stand together.
const KEYS: [&str; 22] = [
    "image: web",
    "cpus: 0.5",
    "mem_limit: 512m",
    "pids_limit: 50",
    "deploy: {replicas: 2, restart_policy: {condition: on-failure, max_attempts: 3}}",
    "healthcheck: {test: [CMD, x], interval: 1m30s, retries: 4}",
    "environment: [A=1, B]",
    "labels: {a: b, c: '1'}",
    "ports: ['80:80', 90]",
    "volumes: ['data:/data', './x:/x', /anon]",
    "tmpfs: /run",
    "ulimits: {nofile: 1024}",
    "shm_size: 64m",
    "depends_on: [db]",
    "networks: [front, default]",
    "secrets: [key]",
    "command: [a, b]",
    "dns: 1.1.1.1",
    "blkio_config: {weight: 300}",
    "restart: always",
    "logging: {driver: json-file, options: {max-size: 1m}}",
    "x-own: {a: [1]}",
];

const REST: &str = "  db: {image: db}\nvolumes: {data: {}}\nnetworks: {front: {}}\nsecrets: {key: {file: key}}\n";

fn file(keys: &[&str]) -> String {
    let lines: String = keys.iter().map(|key| format!("    {key}\n")).collect();
    format!("services:\n  web:\n    build: .\n{lines}{REST}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_empty_override_changes_nothing(keys in proptest::sample::subsequence(KEYS.to_vec(), 0..KEYS.len())) {
        let text = file(&keys);
        let alone = stack(&[("a.yaml", &text)]);
        for empty in ["", "{}", "services: {}", "services: {web: {}}", "# nothing\n---\n", "volumes:\nservices: {db: {}}"] {
            prop_assert_eq!(&alone, &stack(&[("a.yaml", &text), ("b.yaml", empty)]), "{}", empty);
        }
        prop_assert_eq!(&alone, &stack(&[("a.yaml", &text), ("b.yaml", &text)]), "itself again");
    }

    #[test]
    fn the_order_of_keys_does_not_matter(
        keys in proptest::sample::subsequence(KEYS.to_vec(), 0..KEYS.len()).prop_shuffle(),
    ) {
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        prop_assert_eq!(stack(&[("a.yaml", &file(&keys))]), stack(&[("a.yaml", &file(&sorted))]));
    }

    #[test]
    fn split_over_two_files_is_the_same_as_in_one(
        keys in proptest::sample::subsequence(KEYS.to_vec(), 0..KEYS.len()),
        at in any::<proptest::sample::Index>(),
    ) {
        let (first, second) = keys.split_at(at.index(keys.len() + 1));
        let together = stack(&[("a.yaml", &file(&keys))]);
        prop_assert_eq!(&together, &stack(&[("a.yaml", &file(first)), ("b.yaml", &file(second))]));
        let extended = format!(
            "services:\n  base:\n    build: .\n{}  web:\n    extends: base\n{}{REST}",
            first.iter().map(|key| format!("    {key}\n")).collect::<String>(),
            second.iter().map(|key| format!("    {key}\n")).collect::<String>(),
        );
        let extended = stack(&[("a.yaml", &extended)]);
        let web = |stack: &Stack| stack.services.iter().find(|(name, _)| name.as_str() == "web").map(|(_, web)| web.clone());
        prop_assert_eq!(web(&together), web(&extended));
    }

    #[test]
    fn text_comes_through_interpolation(text in r"[a-zA-Z0-9${}:?+\-. ]{1,40}") {
        let quoted = text.replace('$', "$$");
        let stack = stack(&[("a.yaml", &format!("services: {{web: {{image: \"x{quoted}\"}}}}"))]);
        prop_assert_eq!(stack.services.values().next().and_then(|web| web.image.clone()), Some(format!("x{text}")));
    }

    #[test]
    fn random_compose_text_never_panics(
        text in r"(services:\n|  web:\n|    image: a\n|    deploy: |\{|\}|\[|\]|extends: web|- |include: |a.yaml|\$\{A|:\?x\}|&a |\*a|<<: |!reset |!override |ports: |depends_on: |\n|  |: |~|-1|1g){0,40}"
    ) {
        let (_folder, args) = project(&[("a.yaml", &text), ("b.yaml", "services: {web: {image: b, ports: ['1:1'], extends: web2}, web2: {image: c}}")]);
        if let Err(problems) = load(&args) {
            prop_assert!(problems.has_errors() && !problems.render(80, false).is_empty());
        }
    }
}

fn sets() -> Vec<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/compose");
    let mut files = Vec::new();
    for set in
        ["docker-elk", "langfuse", "mattermost", "n8n-ai-starter-kit", "swarmprom", "ragflow", "opentelemetry-demo"]
    {
        for name in ["docker-compose.yml", "docker-compose-base.yml", "compose.yaml", ".env"] {
            files.push(shared.join(set).join(name));
        }
    }
    files.retain(|file| file.is_file());
    files
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that has nothing to work on says so plainly")]
fn damaged_sets_never_panic() {
    let files = sets();
    if files.is_empty() {
        eprintln!("skipped: ../shared/compose is not here, so there are no sets to damage");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // A fixed sequence (Knuth's MMIX constants), so that a failure comes again.
    let mut state: u64 = 1;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits fit") % below.max(1)
    };
    let pieces: [&[u8]; 16] = [
        b":", b"- ", b"\n", b"  ", b"\t", b"${", b"}", b"$", b"*a ", b"&a ", b"<<: ", b"!reset ", b"[", b"{", b"\"",
        b"\xff",
    ];
    for round in 0..300 {
        let mut bytes = std::fs::read(&files[round % files.len()]).expect("a file of a set");
        for _ in 0..=random(8) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes.truncate(at),
                1 => bytes = [&bytes[..at], pieces[random(pieces.len())], &bytes[at..]].concat(),
                2 => {
                    let end = (at + random(200)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let end = (at + random(200)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    let to = random(bytes.len());
                    bytes.splice(to..to, part);
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        let env_file = round % files.len() >= files.len() - 1;
        let names = if env_file { ["x.yaml", ".env"] } else { ["compose.yaml", ".env"] };
        std::fs::write(folder.path().join(names[usize::from(env_file)]), &bytes).expect("a file");
        let args = ComposeArgs {
            files: vec![folder.path().join("compose.yaml")],
            environment: BTreeMap::from([("COMPOSE_PROFILES".to_owned(), "*".to_owned())]),
            ..ComposeArgs::default()
        };
        if let Err(problems) = load(&args) {
            assert!(problems.has_errors() && !problems.render(100, false).is_empty(), "round {round}");
        }
    }
}

#[test]
fn large_and_nasty_projects_end_quickly() {
    let service = |name: &str, rest: &str| format!("  {name}: {{image: x{rest}}}\n");
    let many: String = (0..20_000).map(|at| service(&format!("s{at}"), "")).collect();
    assert_eq!(stack(&[("a.yaml", &format!("services:\n{many}"))]).services.len(), 20_000);
    let chain: String =
        (0..20_000).map(|at| service(&format!("s{at}"), &format!(", depends_on: [s{}]", at + 1))).collect();
    assert_eq!(stack(&[("a.yaml", &format!("services:\n{chain}{}", service("s20000", "")))]).services.len(), 20_001);
    let list = (0..100_000).map(|at| format!("l{at}")).collect::<Vec<_>>().join(",");
    let heavy = format!("services:\n  base: {{image: x, cap_add: [{list}]}}\n");
    let extending: String = (0..1000).map(|at| service(&format!("s{at}"), ", extends: base")).collect();
    let (_folder, args) = project(&[("a.yaml", &format!("{heavy}{extending}"))]);
    assert!(load(&args).expect_err("too large").iter().any(|problem| problem.code.id == "PL0118"));
    let deep: String = (0..200).map(|at| service(&format!("s{at}"), &format!(", extends: s{}", at + 1))).collect();
    let round: String =
        (0..10_000).map(|at| service(&format!("s{at}"), &format!(", extends: s{}", (at * 7 + 1) % 10_000))).collect();
    let (_folder, args) = project(&[("a.yaml", &format!("services:\n{round}"))]);
    assert!(load(&args).expect_err("round").iter().any(|problem| problem.code.id == "PL0110"));
    let unknown: String =
        (0..20_000).map(|at| service(&format!("s{at}"), &format!(", depends_on: [t{at}], imag{at}: 1"))).collect();
    let (_folder, args) = project(&[("a.yaml", &format!("services:\n{unknown}"))]);
    assert!(load(&args).expect_err("unknown services").iter().all(|problem| problem.code.id == "PL0113"));
    let (_folder, args) = project(&[("a.yaml", &format!("services:\n{deep}{}", service("s200", "")))]);
    assert!(load(&args).expect_err("too deep").iter().any(|problem| problem.code.id == "PL0118"));
}
