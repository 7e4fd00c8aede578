//! Sessions with the program as a user types them, and what a shell sees of it: streams, exit codes, environment.

mod program;

use program::plimsoll;
use program::run;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

#[test]
fn sessions() {
    let cases = trycmd::TestCases::new();
    cases.env("COLUMNS", "100").env("NO_COLOR", "1").case("tests/cli/*.trycmd");
}

#[test]
fn data_goes_to_stdout_and_complaints_to_stderr() {
    let (code, out, err) = run(plimsoll().args(["explain", "PL9999"]));
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.starts_with("error[PL0702]: unknown code `PL9999`"), "{err}");
    let (code, out, err) = run(plimsoll().args(["explain", "PL0702"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("PL0702: "), "{out}");
}

#[test]
fn colour_is_asked_for_and_never_guessed_on_a_pipe() {
    let styled = |command: &mut Command| run(command.args(["explain", "PL0702"])).1.contains('\u{1b}');
    assert!(!styled(&mut plimsoll()));
    assert!(styled(plimsoll().arg("--color=always")));
    assert!(styled(plimsoll().env("CLICOLOR_FORCE", "1")));
    assert!(styled(plimsoll().env("PLIMSOLL_COLOR", "always")));
    assert!(!styled(plimsoll().args(["--color", "never"]).env("CLICOLOR_FORCE", "1")));
    assert!(!styled(plimsoll().env("NO_COLOR", "1")));
}

#[test]
fn options_come_from_the_environment_and_the_command_line_wins() {
    let (code, out, _) = run(plimsoll().arg("explain").env("PLIMSOLL_JSON", "1"));
    assert_eq!(code, 0);
    assert!(out.starts_with('{'), "{out}");
    let (code, _, err) = run(plimsoll().arg("explain").env("PLIMSOLL_FORMAT", "parchment"));
    assert_eq!(code, 64, "{err}");
    let (code, out, _) = run(plimsoll().args(["explain", "--format", "table"]).env("PLIMSOLL_FORMAT", "json"));
    assert_eq!(code, 0);
    assert!(out.starts_with("PL"), "{out}");
}

#[test]
fn an_option_that_is_typed_beats_a_variable_that_it_excludes() {
    let explain = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = plimsoll();
        command.arg("explain").args(arguments).envs(variables.iter().copied());
        let (code, out, err) = run(&mut command);
        assert_eq!(code, 0, "{arguments:?} {variables:?}: {err}");
        out
    };
    assert!(explain(&["--format", "table"], &[("PLIMSOLL_JSON", "1")]).starts_with("PL"));
    assert!(explain(&["--json"], &[("PLIMSOLL_FORMAT", "table")]).starts_with('{'));
    assert!(explain(&["-v", "PL0702"], &[("PLIMSOLL_QUIET", "1")]).starts_with("PL0702"));
    assert!(explain(&["-v", "PL0702"], &[("PLIMSOLL_QUIET", "1")]).starts_with("PL0702"));
    let (code, out, _) = run(plimsoll().args(["schema", "scenario"]).env("PLIMSOLL_OUT", "/nowhere"));
    assert_eq!((code, &out[..1]), (0, "{"), "a name beats a directory for all");
    // A switch that is off, and an empty variable, are as if they were not there.
    for off in ["0", "false", "No", "off", ""] {
        assert!(explain(&[], &[("PLIMSOLL_JSON", off), ("PLIMSOLL_FORMAT", "")]).starts_with("PL"), "{off}");
        assert!(explain(&[], &[("PLIMSOLL_JSON", off), ("PLIMSOLL_FORMAT", "json")]).starts_with('{'), "{off}");
    }
    // Two that are typed, and two variables, still contradict each other.
    assert_eq!(run(plimsoll().args(["explain", "--json", "--format", "md"])).0, 64);
    assert_eq!(run(plimsoll().arg("explain").env("PLIMSOLL_JSON", "1").env("PLIMSOLL_FORMAT", "md")).0, 64);
}

#[test]
fn man_pages_hold_the_options_of_all_commands_and_the_exit_codes() {
    let here = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(run(plimsoll().args(["man", "--out", "man1"]).current_dir(here.path())).0, 0);
    let page = |name: &str| std::fs::read_to_string(here.path().join("man1").join(name)).expect("was written");
    assert!(
        page("plimsoll.1").contains("130 interrupted")
            && page("plimsoll.1").contains("5 the host is too small")
            && page("plimsoll.1").contains("PLIMSOLL_COLOR")
    );
    let simulate = page("plimsoll-simulate.1");
    assert!(simulate.contains("\\-\\-json") && simulate.contains("\\-\\-seeds"), "{simulate}");
    assert!(simulate.contains("\\fBplimsoll simulate\\fR"), "the name is the one that is typed: {simulate}");
    assert!(!here.path().join("man1/plimsoll-help.1").exists());
}

#[test]
fn a_reader_that_leaves_ends_the_output_and_nothing_else() {
    let mut child = plimsoll()
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut complaint = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut complaint).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(complaint, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = plimsoll().arg("explain").stdout(full).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to stdout"));
}

/// A copy of the files of a session, to be changed.
fn copy_of(session: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(session);
    for entry in std::fs::read_dir(from).expect("the session is there").flatten() {
        std::fs::copy(entry.path(), directory.path().join(entry.file_name())).expect("can be copied");
    }
    directory
}

#[test]
fn records_are_the_same_bytes_over_runs_and_threads() {
    let here = copy_of("simulate.in");
    let record = |name: &str, jobs: &str| -> Vec<Vec<u8>> {
        let file = format!("{name}.jsonl");
        let arguments = ["simulate", "scenario.yaml", "--seeds", "1..3", "--record", &file, "--jobs", jobs];
        let (code, _, err) = run(plimsoll().args(arguments).current_dir(here.path()));
        assert_eq!(code, 0, "{err}");
        let read = |seed| std::fs::read(here.path().join(format!("{name}-seed-{seed}.jsonl"))).expect("was written");
        (1..=3).map(read).collect()
    };
    let first = record("first", "1");
    assert_eq!(first, record("second", "1"));
    assert_eq!(first, record("third", "2"));
    assert!(first[0] != first[1], "seeds differ");
}

#[test]
fn a_failed_expectation_weighs_more_than_a_baseline() {
    let here = copy_of("simulate.in");
    let (code, out, _) = run(plimsoll().args(["test", "--no-fail-fast", "--json"]).current_dir(here.path()));
    assert_eq!(code, 3);
    let result: serde_json::Value = serde_json::from_str(&out).expect("JSON on stdout");
    assert_eq!((result["format_version"].as_u64(), result["verdict"].as_str()), (Some(1), Some("failed")));
    assert_eq!(result["checks"].as_u64(), Some(4));
}

#[test]
fn a_report_from_a_record_says_what_the_run_said() {
    let here = copy_of("simulate.in");
    let json = |arguments: &[&str]| -> serde_json::Value {
        let (code, out, err) = run(plimsoll().args(arguments).arg("--json").current_dir(here.path()));
        assert_eq!(code, 3, "{err}");
        serde_json::from_str(&out).expect("JSON on stdout")
    };
    let run = json(&["simulate", "black-friday.yaml", "--report", "out"]);
    let later = json(&["report", "out/record.jsonl.gz", "--out", "later"]);
    let scenario = |all: &serde_json::Value, key: &str| all["scenarios"][0][key].clone();
    for key in ["verdict", "services", "actions", "container_ticks"] {
        assert_eq!(scenario(&run, key), scenario(&later, key), "{key}");
    }
    for file in ["report.html", "summary.json", "summary.md", "junit.xml", "services.csv"] {
        assert!(here.path().join("later").join(file).is_file(), "{file}");
    }
    let page = std::fs::read_to_string(here.path().join("out/report.html")).expect("was written");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "the page needs no network");
}

#[cfg(unix)]
#[test]
fn an_interrupt_has_its_own_exit_code() {
    let here = copy_of("simulate.in");
    let mut child = plimsoll()
        .args(["simulate", "scenario.yaml", "--seeds", "1..9999", "--jobs", "1", "--record", "run.jsonl"])
        .current_dir(here.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    while !here.path().join("run-seed-1.jsonl").exists() {
        assert!(child.try_wait().expect("can be asked").is_none(), "it runs until it is interrupted");
        std::thread::yield_now();
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("`kill` is there");
    assert!(told.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

/// The variables of register A2: they set what no option says, and `ENABLE_RESOURCE_TUNING=false` lets nothing be written.
#[test]
fn budgets_follow_the_variables_of_the_register() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let compose = "services: { db: { image: 'postgres:16', cpus: 9, mem_limit: 40g } }";
    std::fs::write(folder.path().join("compose.yml"), compose).expect("can be written");
    let budget = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = plimsoll();
        command.current_dir(folder.path()).args(["budget", "--host", "kvm-4"]).args(arguments);
        run(command.envs(variables.iter().copied()))
    };
    let reserve = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (code, out, err) = budget(&[arguments, &["--json"]].concat(), variables);
        assert_eq!(code, 0, "{err}");
        let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let reserve = &value["reserve"];
        (reserve["cpus"].as_f64().expect("a number"), reserve["memory_bytes"].as_u64().expect("a number") >> 20)
    };
    assert_eq!(reserve(&[], &[]), (0.5, 2048));
    assert_eq!(reserve(&[], &[("RESOURCE_PROFILE", "minimal")]), (2.0, 8192));
    assert_eq!(reserve(&["--preset", "auto"], &[("RESOURCE_PROFILE", "minimal")]), (0.5, 2048));
    let both = [("RESOURCE_CPU_RESERVE_PERCENT", "20"), ("RESOURCE_MEMORY_RESERVE_GB", "3")];
    assert_eq!(reserve(&[], &both), (0.8, 3072));
    assert_eq!(reserve(&["--reserve-memory", "1g"], &both), (0.8, 1024));
    let (code, _, err) = budget(&[], &[("RESOURCE_PROFILE", "maximal")]);
    assert!(code == 64 && err.contains("RESOURCE_PROFILE is `maximal`"), "{err}");

    let (code, _, err) = budget(&["--write"], &[("ENABLE_RESOURCE_TUNING", "false")]);
    assert!(code == 0 && err.contains("nothing is written"), "{err}");
    let written = folder.path().join("limits.yml");
    let (code, _, err) = budget(&["--write"], &[("RESOURCE_OVERRIDE_FILE", "limits.yml")]);
    assert!(code == 0 && written.is_file(), "{err}");
    assert!(!folder.path().join("docker-compose.override.yml").exists());
}

/// Who has the file that plimsoll wrote, with notes of his own, keeps them when the plan is renewed; and a file of somebody
/// else is copied before the plan is laid over it.
#[test]
fn a_renewed_plan_keeps_notes_and_a_forced_one_a_copy() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("is there");
    std::fs::write(path("compose.yml"), "services: { db: { image: 'postgres:16', cpus: 9, mem_limit: 40g } }")
        .expect("can be written");
    let write = |host: &str, more: &[&str]| {
        run(plimsoll().current_dir(folder.path()).args(["budget", "--host", host, "--write"]).args(more))
    };
    assert_eq!(write("kvm-4", &[]).0, 0);
    let first = read("docker-compose.override.yml");
    assert!(first.contains("mem_limit: 14G"), "{first}");
    let noted = first.replace("mem_limit: 14G", "mem_limit: 14G   # as agreed") + "    labels: { team: data }\n";
    std::fs::write(path("docker-compose.override.yml"), &noted).expect("can be written");
    assert_eq!(write("kvm-6", &[]).0, 0);
    let renewed = read("docker-compose.override.yml");
    for line in ["    mem_limit: 22G   # as agreed", "    cpus: \"5.5\"", "    labels: { team: data }"] {
        assert!(renewed.lines().any(|other| other == line), "{line}\n{renewed}");
    }
    assert_eq!(read("docker-compose.override.yml.bak"), noted);

    std::fs::write(path("docker-compose.override.yml"), "services: { db: { labels: { a: b } } }\n")
        .expect("can be written");
    let (code, _, err) = write("kvm-4", &[]);
    assert!(code == 64 && err.contains("PL0707"), "{err}");
    assert_eq!(write("kvm-4", &["--force"]).0, 0);
    assert_eq!(read("docker-compose.override.yml.before-plimsoll"), "services: { db: { labels: { a: b } } }\n");
    assert!(read("docker-compose.override.yml").contains("labels"));
}

/// What a variable holds may be a secret: it is neither written nor shown, and the command that names it keeps its name.
#[test]
fn secrets_stay_in_their_variables() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let compose = "services:\n  cache:\n    image: redis:7\n    mem_limit: 1g\n    command: >\n      redis-server\n      \
        --requirepass ${REDIS_PASSWORD}\n      --maxmemory 10mb\n    healthcheck: { test: [CMD, redis-cli, -a, \
        \"${REDIS_PASSWORD}\", ping], interval: 1s, timeout: 1s }\n  app:\n    image: node:22\n    mem_limit: 1g\n    \
        environment: [\"NODE_OPTIONS=--import=${REDIS_PASSWORD}\", OTHER=x]\n";
    std::fs::write(folder.path().join("compose.yml"), compose).expect("can be written");
    std::fs::write(folder.path().join(".env"), "REDIS_PASSWORD=hunter2\n").expect("can be written");
    let budget = |arguments: &[&str]| {
        let mut command = plimsoll();
        let (code, out, err) =
            run(command.current_dir(folder.path()).args(["budget", "--host", "kvm-4"]).args(arguments));
        assert_eq!(code, 0, "{err}");
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{arguments:?}: {out}{err}");
    };
    for format in [["--advice"].as_slice(), &["--json"], &["--format", "md"], &["--format", "html"]] {
        budget(format);
    }
    budget(&["--write", "--with", "settings,health"]);
    let written = std::fs::read_to_string(folder.path().join("docker-compose.override.yml")).expect("is there");
    assert!(!written.contains("hunter2"), "{written}");
    for kept in ["- \"${REDIS_PASSWORD}\"\n", "--import=${REDIS_PASSWORD} --max-old-space-size=", "interval: 10s"] {
        assert!(written.contains(kept), "{kept}\n{written}");
    }
    assert!(!written.contains("maxmemory 10mb") && !written.contains("test:"), "{written}");
    // Renewed without `--with`, it holds what it says it holds.
    budget(&["--write", "--reserve-memory", "15g"]);
    let renewed = std::fs::read_to_string(folder.path().join("docker-compose.override.yml")).expect("is there");
    assert!(renewed.contains("# Beside limits it holds: settings, health\n") && renewed != written, "{renewed}");
}

/// A project with these files in a folder of its own.
fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("can be made");
        std::fs::write(path, text).expect("can be written");
    }
    folder
}

const WEB: &str = "services: { web: { image: 'nginx:1', ports: ['80:80'], cpus: 1, mem_limit: 64m } }\n";
const MINE: &str = "profile: mine\ntitle: My own\ncores: 2\nmemory: 4G\n";

#[test]
fn a_new_project_keeps_what_git_is_told_to_ignore() {
    let here = folder_with(&[("compose.yml", WEB)]);
    let path = here.path().join(".gitignore");
    let init = || run(plimsoll().current_dir(here.path()).args(["init", "--yes", "--host", "kvm-4"]));
    // A folder is no file that can be added to: nothing is written beside it.
    std::fs::create_dir(&path).expect("can be made");
    let (code, _, err) = init();
    assert!(code == 1 && err.contains("cannot read ") && err.contains(".gitignore: "), "{err}");
    assert!(!here.path().join("plimsoll.yaml").exists());
    std::fs::remove_dir(&path).expect("is there");
    // Latin-1, and no line end.
    std::fs::write(&path, b"/gr\xfc\xdfe.log").expect("can be written");
    let (code, _, err) = init();
    assert_eq!(code, 0, "{err}");
    assert_eq!(std::fs::read(&path).expect("is there"), b"/gr\xfc\xdfe.log\n/.plimsoll\n");
}

#[test]
fn a_new_project_finds_its_host_and_keeps_its_name() {
    let here = folder_with(&[("shop/compose.yml", WEB), ("hosts/mine.yaml", MINE)]);
    let plimsoll = |folder: &str, arguments: &[&str]| {
        let (code, out, err) = run(plimsoll().current_dir(here.path().join(folder)).args(arguments));
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    };
    plimsoll("", &["init", "--yes", "-f", "shop/compose.yml", "-p", "market", "--host", "./hosts/mine.yaml"]);
    let read = |name: &str| std::fs::read_to_string(here.path().join("shop").join(name)).expect("was written");
    assert!(read("plimsoll.yaml").contains("host: ../hosts/mine.yaml\n"), "{}", read("plimsoll.yaml"));
    let scenario = read("scenarios/first/scenario.yaml");
    assert!(
        scenario.contains("host: ../../../hosts/mine.yaml\n") && scenario.contains("project: market\n"),
        "{scenario}"
    );
    plimsoll("shop", &["test"]);
    plimsoll("", &["validate"]);
    assert!(plimsoll("shop", &["budget"]).starts_with("shop on My own"));
}

#[test]
fn what_holds_for_a_project_is_found_from_every_folder_of_it() {
    let scenario = "scenario: day\nhost: mine\nduration: 10m\nstack: ../../stack/compose.yml\n\
        load: { web: { pattern: constant, rate: 1/s } }\n";
    let here = folder_with(&[
        ("plimsoll.yaml", "host: ./hardware-profiles/mine.yaml\npreset: minimal\n"),
        ("hardware-profiles/mine.yaml", MINE),
        ("stack/compose.yml", WEB),
        ("scenarios/day/scenario.yaml", scenario),
    ]);
    let plimsoll = |folder: &str, arguments: &[&str]| {
        let (code, out, err) = run(plimsoll().current_dir(here.path().join(folder)).args(arguments));
        assert_eq!(code, 0, "{folder}: {arguments:?}: {out}{err}");
        out
    };
    for (folder, file) in
        [("", "stack/compose.yml"), ("stack", "compose.yml"), ("scenarios/day", "../../stack/compose.yml")]
    {
        let budget = plimsoll(folder, &["budget", "-f", file, "--json"]);
        let budget: serde_json::Value = serde_json::from_str(&budget).expect("JSON on stdout");
        assert_eq!(
            (budget["host"]["name"].as_str(), budget["preset"].as_str()),
            (Some("mine"), Some("minimal")),
            "{folder}"
        );
        let found = plimsoll(folder, &["budget", "-f", file, "--host", "mine", "--json"]);
        assert!(found.contains("My own"), "{found}");
    }
    for (folder, file) in
        [("", "scenarios/day/scenario.yaml"), ("scenarios/day", "scenario.yaml"), ("stack", "../scenarios/day")]
    {
        assert!(plimsoll(folder, &["simulate", file]).contains("My own"), "{folder}");
    }
    // The dashboard has the pool of the project's host, and the alerts tell the command as it is typed here.
    plimsoll("stack", &["bundle", "-f", "compose.yml"]);
    let read =
        |name: &str| std::fs::read_to_string(here.path().join("stack/monitoring").join(name)).expect("was written");
    assert!(read("grafana/dashboards/plimsoll.json").contains("\"pool\""));
    let alerts = read("prometheus/rules/alerts.yml");
    assert!(alerts.contains("plimsoll budget -f compose.yml --host ../hardware-profiles/mine.yaml"), "{alerts}");
}

#[test]
fn hosts_are_listed_for_people_and_for_programs() {
    let here = folder_with(&[("hardware-profiles/mine.yaml", MINE)]);
    let list = |format: &str| run(plimsoll().current_dir(here.path()).args(["host", "--list", "--format", format]));
    let (code, table, _) = list("table");
    assert!(code == 0 && table.lines().any(|line| line.starts_with("mine ") && line.contains("2 CPU")), "{table}");
    let (code, json, _) = list("json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON on stdout");
    let hosts = json["hosts"].as_array().expect("a list");
    assert_eq!((code, json["format_version"].as_u64(), hosts.len()), (0, Some(1), table.lines().count()));
    let mine = hosts.iter().find(|host| host["name"] == "mine").expect("is listed");
    assert_eq!((mine["title"].as_str(), mine["memory_bytes"].as_u64()), (Some("My own"), Some(4 << 30)));
    let (code, markdown, _) = list("md");
    assert!(code == 0 && markdown.contains("\n| mine | 2 | 4G | "), "{markdown}");
    let (code, out, err) = list("csv");
    assert!(code == 64 && out.is_empty() && err.contains("`host --list` does not write `csv`"), "{err}");
}

#[test]
fn a_written_host_is_named_as_the_next_command_takes_it() {
    let here = folder_with(&[("hardware-profiles/mine.yaml", MINE), ("compose.yml", WEB)]);
    let absolute = here.path().join("absolute.yaml").display().to_string();
    for (out, named) in [("bare.yaml", "./bare.yaml"), ("below/host.yaml", "below/host.yaml"), (&absolute, &absolute)] {
        let (code, _, err) = run(plimsoll().current_dir(here.path()).args(["host", "mine", "-o", out]));
        assert!(code == 0 && err.contains(&format!("`--host {named}`")), "{err}");
        let (code, _, err) = run(plimsoll().current_dir(here.path()).args(["budget", "--host", named]));
        assert_eq!(code, 0, "{err}");
    }
}

#[test]
fn a_title_moves_no_cursor() {
    let mine = "profile: mine\ntitle: \"My\\e[2Jown\"\ncores: 2\nmemory: 4G\n";
    let compose = "services:\n  db:\n    image: postgres:16\n    mem_limit: 1g\n    command: [postgres, -c, \
        \"shared_buffers=\\e[2J10MB\"]\n";
    let here = folder_with(&[("mine.yaml", mine), ("compose.yml", compose)]);
    for arguments in [["host", "mine.yaml", "-v"].as_slice(), &["budget", "--host", "mine.yaml", "--advice"]] {
        let (code, out, err) = run(plimsoll().current_dir(here.path()).args(arguments).args(["--color", "always"]));
        assert_eq!(code, 0, "{err}");
        assert!(out.contains('\u{1b}') && !out.contains("\u{1b}[2J"), "{arguments:?}: {out:?}");
    }
}

#[test]
fn a_budget_without_a_host_says_what_this_machine_has() {
    let here =
        folder_with(&[("compose.yml", "services: { app: { image: example/app, cpus: 0.01, mem_limit: 8m } }\n")]);
    let (_, _, err) = run(plimsoll().current_dir(here.path()).arg("budget"));
    let note = err.lines().find(|line| line.starts_with("no --host: this machine, ")).expect("is told");
    let memory = note.rsplit(' ').next().expect("has words");
    assert!(memory.len() <= 7 && memory.ends_with(['G', 'M']), "{note}");
    assert!(err.lines().all(|line| !line.is_empty()), "no blank line where there is nothing to propose: {err:?}");
}

/// A Compose file that comes through a pipe can be read once only.
#[cfg(unix)]
#[test]
fn a_budget_takes_its_files_from_a_pipe() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut command = plimsoll();
    command.current_dir(folder.path()).args(["budget", "--host", "kvm-4", "-f", "/dev/stdin", "--write", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let base = "services: { db: { image: 'postgres:16', mem_limit: 40g } }";
    child.stdin.take().expect("piped").write_all(base.as_bytes()).expect("can be written");
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("mem_limit: 14G"),
        "{output:?}"
    );
}
