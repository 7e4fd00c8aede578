//! A sweep that is tuned: what the search sees and what it does not, that it can be ended at any time, and what it says.

use crate::ended::begun;
use crate::project::Project;
use crate::project::rows;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

type Row = BTreeMap<String, String>;

/// More requests, and fast answers: one core of 10 ms a request answers less than 100 a second, the nearer the slower.
const TUNED: &str = "\
sweep: as many as can be
scenario: scenario.yaml
method: optimise
points: 24
vary:
  load.shop.rate: { from: 10/s, to: 150/s, by: 5/s }
  services.shop.workers: [1, 2, 4, 8, 16, 32]
measure:
  slow: p95(latency.shop)
  served: rate(requests.shop)
aim:
  - lowest: slow
  - highest: served
";

fn of_phase(rows: &[Row], phase: &str) -> Vec<Row> {
    rows.iter().filter(|row| row["phase"] == phase).cloned().collect()
}

/// Mean of a column by point.
fn means(rows: &[Row], column: &str) -> BTreeMap<u64, f64> {
    let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row["point"].parse().expect("a number")).or_default();
        *sum = (sum.0 + row[column].parse::<f64>().expect("a number"), sum.1 + 1.0);
    }
    sums.into_iter().map(|(point, (sum, count))| (point, sum / count)).collect()
}

#[test]
fn the_number_of_threads_changes_nothing_of_a_search() {
    let project = Project::new(TUNED);
    let alone = project.sweep("one.parquet", &["--jobs", "1"]);
    for jobs in ["2", "5", "64"] {
        assert_eq!(project.sweep("more.parquet", &["--jobs", jobs]), alone);
        assert_eq!(project.read("more.parquet"), project.read("one.parquet"), "{jobs} threads");
    }
}

#[test]
fn a_search_killed_and_resumed_gives_the_same_file_as_one_that_ran_through() {
    let project = Project::new(TUNED);
    let text = project.sweep("through.parquet", &[]);
    let mut child = begun(&project, "killed.parquet", 7);
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    assert!(!project.path("killed.parquet").exists());
    let (code, _, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "killed.parquet"]);
    assert!(code == 64 && err.contains("error[PL0709]: a run of this sweep was ended with "), "{err}");
    let (code, out, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "killed.parquet", "--resume"]);
    assert_eq!((code, out), (0, text.clone()), "{err}");
    assert_eq!(project.read("killed.parquet"), project.read("through.parquet"));
    // What is complete is not run again.
    let (code, out, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "killed.parquet", "--resume"]);
    assert!(code == 0 && out == text && err.contains("killed.parquet is complete"), "{err}");
}

/// A journal as it was at every moment: cut behind each of its lines, in the search and in the check.
#[test]
fn a_search_goes_on_from_every_point_of_it() {
    let project = Project::new(TUNED);
    project.sweep("through.parquet", &[]);
    // A folder in the way keeps the results from being written, so that the whole journal stays.
    std::fs::create_dir(project.path("kept.parquet")).expect("a folder");
    let (code, _, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "kept.parquet"]);
    assert_ne!(code, 0, "{err}");
    let journal = project.read("kept.parquet.journal");
    let ends: Vec<usize> = (0..journal.len()).filter(|place| journal[*place] == b'\n').map(|place| place + 1).collect();
    assert!(ends.len() > 26, "a line of what it is of, 24 points, and the check of some of them: {}", ends.len());
    for end in ends.iter().step_by(4).chain(&ends[24..]) {
        drop(std::fs::remove_file(project.path("cut.parquet")));
        std::fs::write(project.path("cut.parquet.journal"), &journal[..*end]).expect("can be written");
        project.sweep("cut.parquet", &["--resume"]);
        assert_eq!(project.read("cut.parquet"), project.read("through.parquet"), "cut at {end}");
    }
}

#[test]
fn the_search_does_not_see_the_seeds_of_the_check() {
    let project = Project::new(TUNED);
    project.sweep("rows.csv", &[]);
    let one = rows(&project.path("rows.csv"));
    project.write("test.sweep.yaml", &format!("{TUNED}check: 11..15\n"));
    project.sweep("rows.csv", &[]);
    let other = rows(&project.path("rows.csv"));
    let seeds = |rows: &[Row], phase: &str| -> BTreeSet<u64> {
        of_phase(rows, phase).iter().map(|row| row["seed"].parse().expect("a number")).collect()
    };
    assert_eq!(seeds(&one, "search"), BTreeSet::from([1, 2]));
    assert_eq!(seeds(&one, "check"), BTreeSet::from([3, 4]), "as many as the search sees, behind them");
    assert_eq!(seeds(&other, "check"), (11..=15).collect());
    assert_eq!(of_phase(&one, "search"), of_phase(&other, "search"), "other seeds of the check, the same search");
    // What is checked is the front and the scenario's own values.
    let front = of_phase(&one, "search").into_iter().filter(|row| row["front"] == "true");
    let wanted: BTreeSet<String> = front.map(|row| row["point"].clone()).chain(["0".to_owned()]).collect();
    let checked: BTreeSet<String> = of_phase(&one, "check").iter().map(|row| row["point"].clone()).collect();
    assert_eq!(checked, wanted);
}

#[test]
fn the_first_point_is_the_scenario_as_it_is() {
    let project = Project::new(TUNED);
    project.sweep("rows.csv", &[]);
    let rows = rows(&project.path("rows.csv"));
    for row in rows.iter().filter(|row| row["point"] == "0") {
        assert_eq!(row["load.shop.rate [/s]"], "20");
        assert_eq!(row["services.shop.workers"], "", "the scenario says nothing of them");
        assert_eq!(row["generation"], "0");
        let (_, out, err) = project.run(&["simulate", "scenario.yaml", "--seed", &row["seed"], "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
        let report = if json.get("expectations").is_some() { &json } else { &json["scenarios"][0] };
        assert_eq!(report["container_ticks"].to_string(), row["container_ticks"]);
        let measured = report["expectations"][0]["measured"]["value"].as_f64().expect("a number");
        let fast: f64 = row["fast [ms]"].parse().expect("a number");
        assert!((fast - measured).abs() <= 1e-3 * measured, "seed {}: {fast}, {measured}", row["seed"]);
    }
}

/// What the program calls the front, worked out once more from its rows.
#[test]
fn the_front_is_what_holds_and_nothing_that_holds_beats() {
    let project = Project::new(TUNED);
    project.sweep("rows.csv", &[]);
    let all = rows(&project.path("rows.csv"));
    for phase in ["search", "check"] {
        let rows = of_phase(&all, phase);
        let (slow, served) = (means(&rows, "slow [ms]"), means(&rows, "served [per_second]"));
        let holds = |point: &u64| {
            rows.iter().filter(|row| row["point"] == point.to_string()).all(|row| row["all_held"] == "true")
        };
        let beats = |one: &u64, other: &u64| {
            holds(one)
                && slow[one] <= slow[other]
                && served[one] >= served[other]
                && (slow[one] < slow[other] || served[one] > served[other])
        };
        let mut on_front = 0;
        for row in &rows {
            let point: u64 = row["point"].parse().expect("a number");
            let best = holds(&point) && !slow.keys().any(|other| beats(other, &point));
            // Of points that measure the same one is on the front of the search.
            let alike =
                slow.keys().filter(|other| slow[other] == slow[&point] && served[other] == served[&point]).count();
            if row["front"] == "true" {
                assert!(best, "{phase}: point {point} is beaten");
                on_front += 1;
            } else {
                assert!(!best || alike > 1, "{phase}: point {point} is on the front");
            }
        }
        assert!(on_front >= 4, "{phase}");
    }
    let values: Vec<(&String, &String)> = values_tried(&all);
    let distinct: BTreeSet<&(&String, &String)> = values.iter().collect();
    assert_eq!(distinct.len(), values.len(), "no values are tried twice");
}

/// The values of each point of the search, of its first seed.
fn values_tried(rows: &[Row]) -> Vec<(&String, &String)> {
    let first = rows.iter().filter(|row| row["phase"] == "search" && row["seed"] == "1");
    first.map(|row| (&row["load.shop.rate [/s]"], &row["services.shop.workers"])).collect()
}

/// A grid of 87 points, half of all there are, against a search of 64: it has nearly all of their area.
#[test]
fn a_search_comes_near_the_front_of_the_whole_grid() {
    let area = |rows: &[Row]| {
        let (slow, served) = (means(rows, "slow [ms]"), means(rows, "served [per_second]"));
        let held: BTreeSet<u64> = rows.iter().map(|row| row["point"].parse().expect("a number")).collect();
        let holds = |point: &u64| {
            rows.iter().filter(|row| row["point"] == point.to_string()).all(|row| row["all_held"] == "true")
        };
        // Slow from 0 to 200 ms, at most 100 a second served: the share of this rectangle that is beaten.
        let mut points: Vec<(f64, f64)> =
            held.iter().filter(|point| holds(point)).map(|p| (slow[p], served[p])).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (mut best, mut area) = (0.0_f64, 0.0);
        for (slow, served) in points {
            area += (200.0 - slow).max(0.0) * (served - best).max(0.0);
            best = best.max(served);
        }
        area / (200.0 * 100.0)
    };
    let project = Project::new(&TUNED.replace("points: 24", "points: 64"));
    project.sweep("tuned.csv", &[]);
    let tuned = area(&of_phase(&rows(&project.path("tuned.csv")), "search"));
    let grid = TUNED.split("aim:").next().expect("a part").replace("method: optimise\npoints: 24\n", "method: grid\n");
    let grid = grid.replace("workers: [1, 2, 4, 8, 16, 32]", "workers: [1, 8, 32]");
    project.write("test.sweep.yaml", &grid);
    project.sweep("grid.csv", &[]);
    let whole = area(&rows(&project.path("grid.csv")));
    assert!(tuned > 0.97 * whole, "{tuned} of {whole}");
}

#[test]
fn what_need_not_hold_ranks_nothing() {
    let project = Project::new(&format!("{TUNED}hold: []\n"));
    project.sweep("rows.csv", &[]);
    let front = rows(&project.path("rows.csv")).into_iter().filter(|row| row["front"] == "true");
    assert!(front.into_iter().any(|row| row["all_held"] == "false"), "more requests than can be answered fast");
}

#[test]
fn where_nothing_holds_it_says_what_is_nearest() {
    let project = Project::new(TUNED);
    project.scenario_with("scenario.yaml", &[("<= 200ms", "<= 1ms")]);
    let text = project.sweep("rows.parquet", &[]);
    assert!(text.contains("None of 24 points holds what it must."), "{text}");
    assert!(text.contains("is the nearest: it breaks “fast” on 2 other seeds."), "{text}");
}

#[test]
fn it_has_no_parts_and_nothing_to_merge() {
    let project = Project::new(TUNED);
    let (code, _, err) = project.run(&["sweep", "test.sweep.yaml", "--partition", "1/2"]);
    assert_eq!(code, 64);
    assert!(err.contains("error[PL0711]") && err.contains("--jobs"), "{err}");
    project.sweep("rows.parquet", &[]);
    let (code, _, err) = project.run(&["merge", "all.parquet", "rows.parquet"]);
    assert_eq!(code, 64);
    assert!(err.contains("`rows.parquet` is of a sweep that is tuned, which has no parts"), "{err}");
}

/// What the program says of a sweep with this instead of that.
fn wrong(this: &str, that: &str) -> String {
    assert!(TUNED.contains(this), "{this}");
    let project = Project::new(&TUNED.replace(this, that));
    let (code, out, err) = project.run(&["sweep", "test.sweep.yaml", "--out", "rows.csv"]);
    assert_eq!((code, out.as_str()), (64, ""), "{err}");
    let (code, _, said) = project.run(&["validate", "test.sweep.yaml"]);
    assert_eq!(code, 64, "`validate` says the same: {said}");
    err
}

#[test]
fn what_cannot_be_tuned_is_refused_where_it_stands() {
    for (this, that, said) in [
        ("  - highest: served\n", "", "a sweep is tuned for two to 4 aims, not for 1"),
        ("- lowest: slow\n", "- lowest: slwo\n", "there is no measure or expectation `slwo`, did you mean `slow`?"),
        ("- highest: served\n", "- lowest: slow\n", "`slow` is an aim twice"),
        (
            "- lowest: slow\n",
            "- { lowest: slow, highest: served }\n",
            "an aim is either `lowest: NAME` or `highest: NAME`",
        ),
        ("aim:", "check: 2..4\naim:", "the check would use seeds that the search sees: 2"),
        ("aim:", "hold: [fats]\naim:", "there is no expectation `fats`, did you mean `fast`?"),
        ("points: 24", "points: 4", "4 points are no search: at least 8 are tried"),
        ("points: 24\n", "", "missing key `points`: how many are tried"),
        ("method: optimise", "method: monte-carlo", "`aim` is for `method: optimise`"),
        ("load.shop.rate:", "load.shop.rat:", "did you mean `load.shop.rate`?"),
        ("services.shop.workers: [1,", "expect.fast: [x,", "`expect` is not tuned"),
        ("services.shop.workers: [1, 2,", "host: [kvm-44, kvm-4,", "host = kvm-44: "),
        ("{ from: 10/s, to: 150/s, by: 5/s }", "{ from: 10x, to: 150x, by: 5x }", "load.shop.rate = 10x: "),
    ] {
        let err = wrong(this, that);
        assert!(err.contains(said) && err.contains("test.sweep.yaml:"), "{said}\n{err}");
    }
}
