//! The gate of a CI as a project lives with it: baselines, partitions, and what a run says when it fails.

mod program;

use std::path::Path;
use std::process::Command;

/// The program in a directory.
fn plimsoll(here: &Path, arguments: &[&str]) -> (i32, String, String) {
    program::run(program::plimsoll().env("NO_COLOR", "1").args(arguments).current_dir(here))
}

/// A copy of the shop of the `simulate` session, to be changed.
fn shop() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/simulate.in");
    for entry in std::fs::read_dir(from).expect("the session is there").flatten() {
        std::fs::copy(entry.path(), directory.path().join(entry.file_name())).expect("can be copied");
    }
    directory
}

/// The shop without the scenario that fails.
fn calm_shop() -> tempfile::TempDir {
    let here = shop();
    std::fs::remove_file(here.path().join("black-friday.yaml")).expect("was copied");
    here
}

fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::write(path, text).expect("can be written");
}

/// The command that a line of the output tells to run: what stands behind the label.
fn told(out: &str, label: &str) -> Vec<String> {
    let line = out.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap_or_else(|| panic!("{label}: {out}"));
    let mut words = line.trim_start_matches(':').split_whitespace().map(str::to_owned);
    assert_eq!(words.next().as_deref(), Some("plimsoll"), "{line}");
    words.collect()
}

fn follow(here: &Path, words: &[String]) -> (i32, String, String) {
    plimsoll(here, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_changed_threshold_fails_against_the_baseline_and_is_named() {
    let here = calm_shop();
    let here = here.path();
    let path = here.join("scenario.yaml");
    let policy = |low: &str| format!("policy: {{ template: jacker-vertical, cpu_low: {low} }}");
    let text = std::fs::read_to_string(&path).expect("was copied").replace("duration: 20m", "duration: 1h");
    write(&path, &text.replace("policy: none", &policy("30%")));

    assert_eq!(plimsoll(here, &["test", "--update"]).0, 0);
    assert!(here.join("baseline.json").is_file());
    assert_eq!(plimsoll(here, &["test"]).0, 0, "nothing has changed");

    write(&path, &text.replace("policy: none", &policy("10%")));
    let (code, out, err) = plimsoll(here, &["test", "--junit", "junit.xml"]);
    assert_eq!(code, 4, "{out}{err}");
    assert!(out.contains("WORSE") && out.contains("first difference: was"), "it names what was done otherwise: {out}");
    assert!(out.contains("policy of `db`, `web`: cpu_low 30% → 10%"), "it names the threshold: {out}");
    assert!(out.contains("cpu_limit_cores of `web`"), "it names the limit that came of it: {out}");
    let junit = std::fs::read_to_string(here.join("junit.xml")).expect("was written");
    assert!(junit.contains("message=\"worse than the baseline: policy of"), "{junit}");
    assert!(junit.contains("<failure") && junit.contains("baseline"), "{junit}");

    assert_eq!(follow(here, &told(&out, "accept")).0, 0, "what it says accepts the change");
    assert_eq!(plimsoll(here, &["test"]).0, 0, "the new baseline holds");
}

#[test]
fn a_damaged_baseline_is_told_before_anything_runs_and_written_anew() {
    let here = calm_shop();
    let (here, baseline) = (here.path(), here.path().join("baseline.json"));
    assert_eq!(plimsoll(here, &["test", "--update"]).0, 0);
    let good = std::fs::read_to_string(&baseline).expect("was written");
    let damaged = [
        ("", "the file is empty"),
        (&good[..good.len() / 2], "the file ends too early, at line"),
        ("hello", "this is no JSON"),
        ("[]", "this is no JSON object"),
        (&good.replace("\"format_version\": 1", "\"format_version\": 7"), "it has format version 7"),
        (&good.replace("\"seeds\"", "\"seats\""), "unknown field `seats`"),
    ];
    for (text, wanted) in damaged {
        write(&baseline, text);
        let (code, out, err) = plimsoll(here, &["test"]);
        assert_eq!((code, out.as_str()), (64, ""), "{wanted}: {err}");
        assert!(err.contains("PL0705") && err.contains("baseline.json") && err.contains(wanted), "{wanted}: {err}");
        assert!(err.contains("`plimsoll test --update"), "{err}");
        assert_eq!(plimsoll(here, &["test", "--update"]).0, 0, "{wanted}");
        assert_eq!(std::fs::read_to_string(&baseline).expect("is there"), good, "{wanted}");
    }
    std::fs::write(&baseline, [0xFF, 0xFE, 0x00]).expect("can be written");
    assert_eq!(plimsoll(here, &["test"]).0, 64, "bytes that are no text");
    std::fs::remove_file(&baseline).expect("is there");
    std::fs::create_dir(&baseline).expect("can be made");
    assert_eq!(plimsoll(here, &["test"]).0, 64, "a directory is no baseline that may be passed over");
}

#[test]
fn a_baseline_of_another_scenario_or_of_none_is_named() {
    let here = calm_shop();
    let (here, baseline) = (here.path(), here.path().join("baseline.json"));
    assert_eq!(plimsoll(here, &["test", "--update"]).0, 0);
    let good = std::fs::read_to_string(&baseline).expect("was written");
    write(&baseline, &good.replace("a shop at lunch", "a shop at night"));
    let (code, out, _) = plimsoll(here, &["test"]);
    assert_eq!(code, 4);
    assert!(out.contains("the baseline is of `a shop at night`"), "{out}");
    write(&baseline, &good);
    write(here.join("easter.baseline.json"), &good);
    write(here.join("bundle.baseline.json"), "{ \"of\": \"another program\" }");
    let (code, _, err) = plimsoll(here, &["test"]);
    assert_eq!(code, 0, "it holds nothing back");
    assert!(err.contains("`easter.baseline.json` is the baseline of no scenario"), "{err}");
    assert!(!err.contains("bundle"), "{err}");
}

#[test]
fn what_a_failure_tells_to_run_shows_it_again() {
    let here = shop();
    let here = here.path();
    let (code, out, _) = plimsoll(here, &["test", "--no-fail-fast"]);
    assert_eq!(code, 3);
    let (code, again, _) = follow(here, &told(&out, "repeat"));
    assert_eq!(code, 3);
    assert!(again.contains("FAIL web is fast"), "{again}");

    // The same from records: those of the seed that failed, not the first one.
    let seeds = ["simulate", "black-friday.yaml", "--seeds", "3..4", "--report", "out", "--host", "kvm-6"];
    let (code, out, _) = plimsoll(here, &seeds);
    assert_eq!(code, 3);
    let words = told(&out, "repeat");
    assert_eq!(words.join(" "), "simulate black-friday.yaml --host kvm-6 --seed 3");
    assert_eq!(follow(here, &words).0, 3);
    let (code, out, _) = plimsoll(here, &["report", "out"]);
    assert_eq!(code, 3, "a directory stands for its records");
    let words = told(&out, "repeat");
    assert_eq!(words.join(" "), "report out/record-seed-3.jsonl.gz");
    assert_eq!(follow(here, &words).0, 3);
    std::fs::rename(here.join("out/record-seed-4.jsonl.gz"), here.join("four")).expect("is there");
    let (_, out, _) = plimsoll(here, &["report", "four"]);
    assert_eq!(told(&out, "repeat").join(" "), "report four", "whatever the file is called");
}

#[test]
fn records_of_other_seeds_or_scenarios_are_not_mixed_up() {
    let here = calm_shop();
    let here = here.path();
    assert_eq!(plimsoll(here, &["simulate", "scenario.yaml", "--seeds", "1..2", "--record", "a.jsonl"]).0, 0);
    assert_eq!(plimsoll(here, &["simulate", "scenario.yaml", "--seed", "3", "--record", "b.jsonl"]).0, 0);
    let three = ["report", "a-seed-1.jsonl", "a-seed-2.jsonl", "b.jsonl"];
    let (code, out, err) = plimsoll(here, &three);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("3 seeds"), "{out}");
    let (code, _, err) = plimsoll(here, &["report", "b.jsonl", "b.jsonl"]);
    assert_eq!(code, 64);
    assert!(err.contains("records of the same seed 3"), "{err}");
    let (code, _, err) = plimsoll(here, &["report", "."]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = plimsoll(here, &["report", "nothing.jsonl"]);
    assert_eq!(code, 64);
    assert!(err.contains("cannot read `nothing.jsonl`: no such file") && !err.contains("os error"), "{err}");
}

#[test]
fn a_directory_without_a_scenario_names_those_below_it() {
    let here = tempfile::tempdir().expect("a temporary directory");
    let below = here.path().join("ops/lunch");
    std::fs::create_dir_all(&below).expect("can be made");
    write(below.join("scenario.yaml"), "scenario: lunch\n");
    let (code, _, err) = plimsoll(here.path(), &["simulate", "ops"]);
    assert_eq!(code, 64);
    assert!(err.contains("`ops` is a directory without a `scenario.yaml`") && err.contains("`ops/lunch`"), "{err}");
}

#[test]
fn parts_together_are_the_whole() {
    let here = shop();
    for name in ["spring", "summer", "autumn", "winter"] {
        let folder = here.path().join(name);
        std::fs::create_dir(&folder).expect("can be made");
        for file in ["compose.yml", "scenario.yaml"] {
            std::fs::copy(here.path().join(file), folder.join(file)).expect("can be copied");
        }
    }
    let list = |more: &[&str]| {
        let (code, out, err) = plimsoll(here.path(), &[&["test", "--list"], more].concat());
        assert_eq!(code, 0, "{err}");
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut whole = list(&[]);
    whole.sort();
    assert_eq!(whole.len(), 12);
    for total in 1..=5 {
        let part = |index: i32| list(&["--partition", &format!("{index}/{total}")]);
        let mut parts: Vec<String> = (1..=total).flat_map(part).collect();
        parts.sort();
        assert_eq!(parts, whole, "{total} parts");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_run() {
    let here = calm_shop();
    for option in ["--report", "--record"] {
        let (code, out, err) = plimsoll(here.path(), &["simulate", "scenario.yaml", option, "compose.yml/out"]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("cannot write compose.yml/out") && !err.contains("os error"), "{err}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_no_verdict_and_no_older_record() {
    let here = calm_shop();
    let here = here.path();
    let (code, out, err) = plimsoll(here, &["simulate", "scenario.yaml", "--record", "/dev/full"]);
    assert_eq!(code, 1);
    assert!(out.contains("passed: all 2 expectations hold"), "{out}");
    assert_eq!(err, "error: cannot write /dev/full: no space left on device\n");
    let (code, out, err) = plimsoll(here, &["test", "--junit", "/dev/full"]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("2 checks: 2 passed"), "{out}");
    let (code, out, _) = plimsoll(here, &["test", "--junit", "/dev/stdout"]);
    assert!(code == 0 && out.contains("</testsuites>"), "a pipe is written to, not replaced: {out}");

    assert_eq!(plimsoll(here, &["simulate", "scenario.yaml", "--record", "run.jsonl"]).0, 0);
    let before = std::fs::read(here.join("run.jsonl")).expect("was written");
    // A limit on the size of files is a disk that is full after so many blocks.
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" simulate scenario.yaml --record run.jsonl"])
        .arg(env!("CARGO_BIN_EXE_plimsoll"))
        .current_dir(here)
        .output()
        .expect("a shell is there");
    assert_eq!(limited.status.code(), Some(1), "{}", String::from_utf8_lossy(&limited.stderr));
    assert!(String::from_utf8_lossy(&limited.stdout).contains("passed: all 2 expectations hold"));
    assert_eq!(std::fs::read(here.join("run.jsonl")).expect("is there"), before, "the older record is there still");
    assert!(!here.join("run.jsonl.part").exists());
}

#[cfg(unix)]
#[test]
fn many_seeds_need_no_more_open_files_than_one() {
    let here = calm_shop();
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 40; exec \"$0\" simulate scenario.yaml -q --jobs 2 --seeds 1..60 --record run.jsonl.gz",
        ])
        .arg(env!("CARGO_BIN_EXE_plimsoll"))
        .current_dir(here.path())
        .output()
        .expect("a shell is there");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(here.path().join("run-seed-60.jsonl.gz").is_file());
}

/// A project passes over its test data, unless it is asked for by name.
#[test]
fn a_project_passes_over_what_it_ignores() {
    let shop = calm_shop();
    let here = shop.path();
    std::fs::create_dir(here.join("fixtures")).expect("can be made");
    write(here.join("fixtures/box.yaml"), "profile: box\ncores: -4\nmemory: 1G\n");
    assert_eq!(plimsoll(here, &["validate"]).0, 64);
    write(here.join("plimsoll.yaml"), "ignore: [fixtures]\n");
    let (code, out, err) = plimsoll(here, &["validate"]);
    assert!(code == 0 && out.contains("0 errors"), "{out}{err}");
    assert_eq!(plimsoll(here, &["validate", "fixtures"]).0, 64, "who names it gets it checked");
}
