//! What was ended and taken up again, what ran on other threads and what ran in parts: always the same file.

use crate::project::GRID;
use crate::project::Project;
use std::process::Child;
use std::process::Stdio;

/// Long enough that a kill finds it at work: 240 points.
pub(crate) const LONG: &str = "\
sweep: long
scenario: scenario.yaml
vary:
  load.shop.rate: { from: 20/s, to: 99/s, by: 1/s }
  services.shop.workers: [2, 8, 32]
";

/// Starts a sweep and returns when its journal has so many points.
pub(crate) fn begun(project: &Project, out: &str, points: usize) -> Child {
    let mut command = project.command(&["sweep", "test.sweep.yaml", "--out", out, "--jobs", "1"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let journal = project.path(&format!("{out}.journal"));
    // The first line says what it is of.
    while std::fs::read(&journal).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() <= points {
        assert_eq!(child.try_wait().expect("a child"), None, "it ended before it was to be ended");
        std::thread::yield_now();
    }
    child
}

#[test]
fn a_sweep_killed_half_way_and_resumed_gives_the_same_file_as_one_that_ran_through() {
    let project = Project::new(LONG);
    project.sweep("through.parquet", &[]);
    let mut child = begun(&project, "killed.parquet", 20);
    // SIGKILL: nothing of the program runs any more.
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    assert!(!project.path("killed.parquet").exists(), "a file that is not complete has no place");
    let (code, out, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "killed.parquet"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(
        err.contains("error[PL0709]: a run of this sweep was ended with ") && err.contains("`--resume` goes on"),
        "{err}"
    );
    let (code, _, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "killed.parquet", "--resume"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("goes on behind "), "{err}");
    assert_eq!(project.read("killed.parquet"), project.read("through.parquet"));
    assert!(!project.path("killed.parquet.journal").exists());
    // What is complete is not run again.
    let (code, _, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "killed.parquet", "--resume"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("killed.parquet is complete"), "{err}");
}

/// Whatever was on the disk when the power went: a journal cut at any byte gives the same file.
#[test]
fn a_journal_cut_anywhere_gives_the_same_file() {
    let project = Project::new(LONG);
    project.sweep("through.parquet", &[]);
    let mut child = begun(&project, "cut.parquet", 20);
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    let journal = project.read("cut.parquet.journal");
    for cut in [0, 1, journal.len() / 3, journal.len() / 2, journal.len() - 20, journal.len() - 1] {
        drop(std::fs::remove_file(project.path("cut.parquet")));
        std::fs::write(project.path("cut.parquet.journal"), &journal[..cut]).expect("can be written");
        project.sweep("cut.parquet", &["--resume"]);
        assert_eq!(project.read("cut.parquet"), project.read("through.parquet"), "cut at {cut}");
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_it_with_130_and_says_how_to_go_on() {
    let project = Project::new(LONG);
    let child = begun(&project, "asked.parquet", 5);
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("of 240 points done; go on with"), "{err}");
    assert!(err.contains("plimsoll sweep test.sweep.yaml --out asked.parquet --resume"), "{err}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let project = Project::new(GRID);
    let alone = project.sweep("one.parquet", &["--jobs", "1"]);
    for jobs in ["2", "5", "64"] {
        assert_eq!(project.sweep("more.parquet", &["--jobs", jobs]), alone);
        assert_eq!(project.read("more.parquet"), project.read("one.parquet"), "{jobs} threads");
    }
}

#[test]
fn four_partitions_merged_give_the_same_file_as_one_run() {
    let project = Project::new(GRID);
    let whole = project.sweep("whole.parquet", &[]);
    project.sweep("whole.csv", &[]);
    for part in 1..=4 {
        project.sweep(&format!("part-{part}.parquet"), &["--partition", &format!("{part}/4")]);
    }
    let parts = ["part-3.parquet", "part-1.parquet", "part-4.parquet", "part-2.parquet"];
    let merge = |out: &str| project.run(&[&["merge", out], parts.as_slice()].concat());
    let (code, out, err) = merge("merged.parquet");
    assert_eq!(code, 0, "{err}");
    assert_eq!(out, whole);
    assert_eq!(project.read("merged.parquet"), project.read("whole.parquet"));
    assert_eq!(merge("merged.csv").0, 0);
    assert_eq!(project.read("merged.csv"), project.read("whole.csv"));
    // A part that was killed is resumed like the whole.
    assert!(merge("whole.parquet").0 == 0 && project.read("whole.parquet") == project.read("merged.parquet"));
}
