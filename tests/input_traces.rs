//! The public traces kept beside this repository load, and agree with the figures of their index.

use plimsoll::input::trace;
use plimsoll::input::trace::Reading;
use plimsoll::input::trace::Unit;
use plimsoll::units::Span;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// The folder with the traces, or a note that the test had nothing to look at.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "a test that did not look says so")]
    {
        eprintln!("nothing checked: {} is not there", folder.display());
    }
    None
}

fn index(folder: &Path) -> Vec<Value> {
    let source = plimsoll::input::problem::Source::read(&folder.join("index.yaml")).expect("the index can be read");
    let index = plimsoll::input::yaml::parse(&source).expect("the index is YAML").to_json();
    index["traces"].as_array().expect("a list of traces").clone()
}

#[test]
fn every_trace_has_the_rows_and_figures_of_the_index() {
    let Some(folder) = folder() else { return };
    let index = index(&folder);
    assert!(index.len() >= 20, "{} traces", index.len());
    for entry in index {
        let file = entry["file"].as_str().expect("a file name");
        let trace = trace::read(&folder.join(file)).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(trace.rows() as u64, entry["rows"].as_u64().expect("a number of rows"), "{file}");
        let last = trace.values(0).map(|(time, _)| time).max().expect("rows");
        assert!((last.as_secs() - entry["duration_s"].as_f64().expect("a duration")).abs() < 0.001, "{file}");
        let columns = entry["columns"].as_object().expect("columns");
        assert_eq!(trace.columns().len(), columns.len(), "{file}");
        for (column, name) in trace.columns().iter().enumerate() {
            let wanted = &columns[name.as_str()];
            let values: Vec<f64> = trace.values(column).filter_map(|(_, value)| Some(value? as f64 / 1e6)).collect();
            let figures = [
                ("missing", (trace.rows() - values.len()) as f64),
                ("min", values.iter().copied().fold(f64::INFINITY, f64::min)),
                ("max", values.iter().copied().fold(0.0, f64::max)),
                ("mean", values.iter().sum::<f64>() / values.len() as f64),
            ];
            for (figure, seen) in figures {
                let wanted = wanted[figure].as_f64().expect("a figure");
                // The index gives six digits, the reader keeps millionths.
                assert!(
                    (seen - wanted).abs() <= wanted.abs() * 6e-6 + 1e-6,
                    "{file} {name} {figure}: {seen} for {wanted}"
                );
            }
        }
    }
}

/// Each column of each file can be a load; the gaps and outages that the READMEs state are in it.
#[test]
fn every_trace_becomes_a_load() {
    let Some(folder) = folder() else { return };
    for entry in index(&folder) {
        let file = entry["file"].as_str().expect("a file name");
        let trace = trace::read(&folder.join(file)).unwrap_or_else(|problems| panic!("{problems}"));
        let machines = trace.columns().iter().any(|column| column == "vm_id");
        let only = if machines { BTreeMap::from([("vm_id".to_owned(), 0)]) } else { BTreeMap::new() };
        for column in trace.columns() {
            let unit = if file.starts_with("azure_llm") { Unit::Rows(Span::from_secs(10)) } else { Unit::EachStep };
            let reading = Reading { column: Some(column), only: only.clone(), unit, ..Reading::default() };
            let (points, _) = trace.load(&reading, None).unwrap_or_else(|problems| panic!("{file}: {problems}"));
            assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{file} {column}: not in order");
            let outages = points.iter().filter(|(_, rate)| rate.is_none()).count();
            match file {
                "worldcup98/worldcup98_1998-06-08_28d_1min.csv" => assert_eq!(outages, 1, "only its end"),
                "bitbrains_faststorage/faststorage_2013-08_vm1.csv" => {
                    assert_eq!(outages, 14, "13 jumps of 600 s and more, and the end")
                }
                "nab/elb_request_count_8c0756.csv" => assert_eq!(outages, 9, "8 jumps of 600 s and the end"),
                _ => assert!(outages >= 1, "{file}"),
            }
        }
    }
}
