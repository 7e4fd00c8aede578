//! The rules of the house that a machine can check, over the source as it lies on disk. Each rule is a function from
//! text to breaches, so that a test can show it a breach and see it caught.

#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/text.rs"]
mod text;

use files::File;

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "the house is not tidy:\n{}", breaches.join("\n"));
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table = layers::Table::read(&files::read("docs/architecture.md"));
    let lib = files::read("src/lib.rs");
    assert_none(&table.unlisted_rooms(&lib));
    assert_none(&files::below("src", &["rs"]).iter().flat_map(|file| table.breaches(file)).collect::<Vec<_>>());
}

#[test]
fn every_file_keeps_the_rules_of_text() {
    let code: Vec<File> =
        ["src", "tests", "benches"].iter().flat_map(|directory| files::below(directory, &["rs"])).collect();
    assert!(code.len() > 30, "the walk finds the source");
    assert_none(&code.iter().flat_map(text::breaches).collect::<Vec<_>>());
}

#[test]
fn nothing_names_one_machine() {
    let all = files::below(".", &["rs", "md", "yaml", "yml", "toml", "json", "trycmd", "sh", "csv", "svg", "html", ""]);
    assert_none(&all.iter().flat_map(text::machine_paths).collect::<Vec<_>>());
}

#[test]
fn every_golden_file_and_scenario_is_used() {
    assert_none(&files::unused_goldens());
    assert_none(&files::unused_in_scenarios());
}

#[test]
fn every_error_code_is_unique_and_explained() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["explain", "--json"])
        .output()
        .expect("the program runs");
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("explain prints JSON");
    let codes = listed["codes"].as_array().expect("a list of codes");
    let source: Vec<File> = files::below("src", &["rs"]);
    assert_none(&text::code_breaches(codes, &source));
}
