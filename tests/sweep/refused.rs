//! What is refused, by name and with the way out.

use crate::ended::LONG;
use crate::ended::begun;
use crate::project::GRID;
use crate::project::Project;

/// What the program says of a sweep that is wrong.
fn wrong(sweep: &str) -> String {
    let project = Project::new(sweep);
    let (code, out, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "rows.csv"]);
    assert_eq!((code, out.as_str()), (64, ""), "{err}");
    assert!(!project.path("rows.csv").exists() && !project.path("rows.csv.journal").exists());
    let (code, _, said) = project.run(&["validate", "test.sweep.yaml"]);
    assert_eq!(code, 64, "`validate` says the same: {said}");
    err
}

fn varying(vary: &str) -> String {
    format!("sweep: wrong\nscenario: scenario.yaml\nvary:\n  {vary}\n")
}

#[test]
fn a_misspelt_field_is_an_error_with_the_nearest_there_is() {
    for (vary, said) in [
        ("load.shop.rat: [20/s, 40/s]", "the scenario has no field `load.shop.rat`, did you mean `load.shop.rate`?"),
        ("lod.shop.rate: [20/s, 40/s]", "the scenario has no field `lod.shop.rate`, did you mean `load.shop.rate`?"),
        ("load.shpo.rate: [20/s, 40/s]", "the scenario has no field `load.shpo.rate`, did you mean `load.shop.rate`?"),
        ("host.cores: [2, 4]", "`host` is text in the scenario, so it has no `cores`"),
        ("expect[0]: [a, b]", "`expect` is a mapping in the scenario, so it has no `[0]`"),
        ("seeds: [1, 2]", "`seeds` are not varied"),
        ("load.shop..rate: [1/s]", "`load.shop..rate` is no path to a field: a key is missing"),
    ] {
        let err = wrong(&varying(vary));
        assert!(err.contains("error[PL0442]") && err.contains(said), "{err}");
        assert!(err.contains("test.sweep.yaml:4:3"), "{err}");
    }
}

#[test]
fn what_is_wrong_with_a_point_is_the_ordinary_error_with_its_number() {
    let err = wrong(&varying("load.shop.rate: [20/s, fast, 60/s]"));
    assert!(err.contains("point 1, load.shop.rate = fast: "), "{err}");
    assert!(err.contains("test.sweep.yaml:4:3") && !err.contains("point 0") && !err.contains("point 2"), "{err}");
    let err = wrong(&varying("host: [small-vps, kvm-44]"));
    assert!(err.contains("point 1, host = kvm-44: ") && err.contains("did you mean `kvm-4`?"), "{err}");
    let err = wrong(&varying("services.shop.workerz: [1, 2]"));
    assert!(
        err.contains("point 0, services.shop.workerz = 1: unknown key `workerz`, did you mean `workers`?"),
        "{err}"
    );
}

#[test]
fn values_that_cannot_be_are_refused_where_they_stand() {
    for (values, said) in [
        ("{ from: 20/s, to: 1/min }", "are in different units"),
        ("{ from: 60/s, to: 20/s, by: 10/s }", "ends before it begins"),
        ("{ from: 20/s, to: 60/s }", "a grid needs values of `load.shop.rate` one after another"),
        ("{ from: 20/s, to: 60/s, by: 70/s }", "has no place between"),
        ("{ from: 20/s, to: 60/s, by: 10/s, steps: 3 }", "exclude each other"),
        ("{ from: a, to: 60/s, by: 10/s }", "`a` is no number with a unit"),
        ("{ from: 20/s, to: 60/s, by: 10/s, sd: 1/s }", "`sd` is for `distribution: normal`"),
        ("[20/s, 20/s]", "`20/s` stands twice in the list"),
    ] {
        let err = wrong(&varying(&format!("load.shop.rate: {values}")));
        assert!(err.contains(said) && err.contains("test.sweep.yaml:4:"), "{err}");
    }
    let err = wrong(&format!("{}method: monte-carlo\n", varying("load.shop.rate: [1/s]")));
    assert!(err.contains("missing key `points`"), "{err}");
    let err = wrong(&format!("{}points: 9\n", varying("load.shop.rate: [1/s]")));
    assert!(err.contains("a grid has no `points`"), "{err}");
    let err = wrong(&varying("load.shop.rate: [1/s]\n  load.shop: [{ pattern: constant, rate: 1/s }]"));
    assert!(err.contains("cannot both be varied: one is a part of the other"), "{err}");
}

#[test]
fn a_measure_has_no_comparison_and_a_name_of_its_own() {
    let measured = |measure: &str| wrong(&format!("{}measure:\n  {measure}\n", varying("load.shop.rate: [1/s]")));
    assert!(measured("slow: p95(latency.shop) <= 1s").contains("`<=` is one too many here"));
    assert!(measured("slow: p95(latency.shpo)").contains("unknown service `shpo`, did you mean `shop`?"));
    assert!(measured("fast: p95(latency.shop)").contains("`fast` is the name of an expectation"));
    assert!(measured("point: p95(latency.shop)").contains("`point` is the name of a column of every result"));
}

#[test]
fn a_journal_of_something_else_is_refused_and_what_changed_is_named() {
    let project = Project::new(LONG);
    let mut child = begun(&project, "rows.parquet", 3);
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    project.scenario_with("scenario.yaml", &[("10ms", "11ms")]);
    let resumed = |more: &[&str]| project.run(&[&["sweep", "test.sweep.yaml", "--out", "rows.parquet"], more].concat());
    let (code, _, err) = resumed(&["--resume"]);
    assert_eq!(code, 64);
    assert!(err.contains("the file scenario.yaml") && err.contains("changed") && err.contains("--restart"), "{err}");
    project.scenario_with("scenario.yaml", &[]);
    let (code, _, err) = resumed(&["--resume", "--partition", "1/2"]);
    assert!(code == 64 && err.contains("the part of the sweep changed"), "{err}");
    std::fs::write(project.path("rows.parquet.journal"), "{}\nno\n").expect("can be written");
    let (code, _, err) = resumed(&["--resume"]);
    assert!(code == 64 && err.contains("is no journal of this version: line 1"), "{err}");
    let (code, _, err) = resumed(&["--restart"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn parts_that_do_not_come_together_are_refused_by_name() {
    let project = Project::new(GRID);
    for part in 1..=3 {
        project.sweep(&format!("{part}.parquet"), &["--partition", &format!("{part}/3")]);
    }
    project.scenario_with("scenario.yaml", &[("10ms", "11ms")]);
    project.sweep("other.parquet", &["--partition", "2/3"]);
    let merged = |parts: &[&str]| {
        let (code, out, err) = project.run(&[&["merge", "all.parquet"], parts].concat());
        assert_eq!((code, out.as_str()), (64, ""), "{err}");
        assert!(err.contains("error[PL0710]") && !project.path("all.parquet").exists(), "{err}");
        err
    };
    let err = merged(&["1.parquet", "3.parquet"]);
    assert!(err.contains("the part 2/3 is missing: no file has the points 1, 4, 7, 10"), "{err}");
    let err = merged(&["1.parquet", "2.parquet", "3.parquet", "2.parquet"]);
    assert!(err.contains("`2.parquet` and `2.parquet` both have the points 1, 4, 7, 10"), "{err}");
    let err = merged(&["1.parquet", "other.parquet", "3.parquet"]);
    assert!(
        err.contains("`1.parquet` and `other.parquet` are not of the same sweep: ")
            && err.contains("the file scenario.yaml"),
        "{err}"
    );
    project.write("no.parquet", "rows");
    assert!(merged(&["no.parquet"]).contains("cannot read `no.parquet` as rows of a sweep"));
    assert!(merged(&["1.csv"]).contains("only Parquet does"));
}
