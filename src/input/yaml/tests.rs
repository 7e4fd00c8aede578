//! What people write, what goes wrong in it, and what is meant to do harm.

use super::*;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use proptest::prelude::*;

fn read(text: &str) -> Node {
    parse(&Source::new("a.yaml", text)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refuse(text: &str) -> Problems {
    parse(&Source::new("a.yaml", text)).expect_err(text)
}

/// `code line:column` of each problem.
fn told(problems: &Problems) -> Vec<String> {
    let told = problems.iter().map(|problem| {
        let place = problem.place.as_ref().map(|place| format!("{}:{}", place.line(), place.column()));
        format!("{} {}", problem.code.id, place.unwrap_or_default())
    });
    told.collect()
}

#[test]
fn every_value_has_its_place() {
    let tree = read("services:\n  größe:\n    image: \"nginx:1\"\n    ports: [80, '443']\n    tty: true\n");
    let place = |path: &[Step<'_>]| {
        let node = tree.at(path).expect("is in it");
        (node.place.line(), node.place.column(), node.place.text().to_owned())
    };
    let service = [Step::Key("services"), Step::Key("größe")];
    assert_eq!(place(&[service[0], service[1], Step::Key("image")]), (3, 12, "\"nginx:1\"".into()));
    assert_eq!(place(&[service[0], service[1], Step::Key("ports")]), (4, 12, "[80, '443']".into()));
    assert_eq!(place(&[service[0], service[1], Step::Key("ports"), Step::Index(1)]), (4, 17, "'443'".into()));
    let entry = tree.get("services").and_then(|services| services.entry("größe")).expect("is in it");
    assert_eq!((entry.key_place.line(), entry.key_place.column()), (2, 3));
    assert_eq!(entry.value.place.text(), "image: \"nginx:1\"\n    ports: [80, '443']\n    tty: true");
    assert_eq!(tree.at_pointer("/services/größe/ports/0").map(Node::kind), Some("a number"));
    assert_eq!(tree.at_pointer("").map(Node::kind), Some("a mapping"));
    assert_eq!(tree.at_pointer("/services/none"), None);
}

#[test]
fn scalars_follow_the_core_schema() {
    let tree = read(
        "[on, yes, off, no, true, False, '5', 5, 0x1f, 1.5, ~, null, 1e3, 12:30, 2024-01-01, !!str 5, !!int '7', \
         \"true\"]",
    );
    let values = tree.to_json();
    assert_eq!(
        values,
        serde_json::json!([
            "on",
            "yes",
            "off",
            "no",
            true,
            false,
            "5",
            5,
            31,
            1.5,
            null,
            null,
            1000.0,
            "12:30",
            "2024-01-01",
            "5",
            7,
            "true"
        ])
    );
}

#[test]
fn tags_that_are_not_of_the_schema_are_kept() {
    let tree = read("ports: !reset\nimage: !override nginx\ncommand: !override [a]\nlabels: !reset {}\n");
    let tag = |key: &str| tree.get(key).and_then(|node| node.tag.clone());
    assert_eq!(tag("ports").as_deref(), Some("!reset"));
    assert_eq!(tag("image").as_deref(), Some("!override"));
    assert_eq!(tag("command").as_deref(), Some("!override"));
    assert_eq!(tag("labels").as_deref(), Some("!reset"));
    assert_eq!(tree.get("ports").map(Node::kind), Some("nothing"));
}

#[test]
fn an_empty_file_is_nothing() {
    for text in ["", "\n", "# only a comment\n", "---\n", "\u{feff}", "   "] {
        assert_eq!(read(text).value, Value::Null, "{text:?}");
    }
    assert_eq!(read("\u{feff}a: 1\r\nb: 2\r\n").get("b").map(|node| node.place.line()), Some(2));
}

#[test]
fn merge_keys_give_way_to_explicit_keys_and_to_earlier_ones() {
    let tree = read(
        "x-a: &a {image: a, cpus: 1, deep: {one: 1}}\nx-b: &b {image: b, user: b}\nweb:\n  <<: [*a, *b]\n  cpus: 2\n\
         db:\n  <<: *b\n  <<text: stays\nq:\n  '<<': stays\n",
    );
    assert_eq!(
        tree.get("web").map(Node::to_json),
        Some(serde_json::json!({"cpus": 2, "image": "a", "deep": {"one": 1}, "user": "b"}))
    );
    assert_eq!(tree.at_pointer("/q/<<").map(Node::kind), Some("text"));
    let image = tree.at_pointer("/web/image").expect("merged");
    assert_eq!((image.place.line(), image.place.column()), (1, 17));
    assert_eq!(told(&refuse("a: &a 5\nb:\n  <<: *a\nc:\n  <<: [{}, text]\n")), ["PL0012 3:7", "PL0012 5:12"]);
}

#[test]
fn a_chain_of_merges_brings_everything_along() {
    let tree = read("a: &a {x: 1}\nb: &b\n  <<: *a\n  y: 2\nc:\n  <<: *b\n  z: 3\n");
    assert_eq!(tree.get("c").map(Node::to_json), Some(serde_json::json!({"z": 3, "y": 2, "x": 1})));
}

#[test]
fn all_duplicates_are_told_at_once() {
    let problems = refuse("a: 1\nb: {x: 1, x: 2}\na: 3\nc:\n  <<: {}\n  <<: {}\n");
    assert_eq!(told(&problems), ["PL0011 2:11", "PL0011 3:1", "PL0011 6:3"]);
    assert!(problems.render(100, false).contains("first in line 1"));
}

#[test]
fn aliases_must_lead_somewhere() {
    assert_eq!(told(&refuse("a: *none\nb: &b [1, *b]\nc: *none\n")), ["PL0016 1:4", "PL0016 2:11", "PL0016 3:4"]);
}

#[test]
fn broken_text_is_told_with_its_place() {
    for (text, line) in [
        ("a: [1, 2\nb: 3\n", 2),
        ("a:\n\tb: 1\n", 2),
        ("a: 'open\n", 2),
        ("a: b: c\n", 1),
        ("a: 1\n  b: 2\n", 2),
        ("- 1\na: 2\n", 2),
        ("%YAML 3.0\n", 1),
        ("a: \"\\q\"\n", 1),
        ("a: }\n", 1),
    ] {
        let problems = refuse(text);
        let place = problems.iter().next().and_then(|problem| problem.place.clone()).expect("has a place");
        assert_eq!(
            (problems.to_json()[0]["code"].as_str(), place.line()),
            (Some("PL0010"), line),
            "{text:?}\n{problems}"
        );
    }
    assert_eq!(told(&refuse("? [a]\n: 1\n{{ name }}: x\n")).first().map(String::as_str), Some("PL0017 1:3"));
    assert_eq!(told(&refuse("a: 1\n---\nb: 2\n")), ["PL0015 3:1"]);
}

#[test]
fn bombs_do_not_go_off() {
    let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(told(&refuse(&bomb))[0].starts_with("PL0013"));
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(","));
    assert!(told(&refuse(&text))[0].starts_with("PL0013"));
    let merges: String =
        (1..40).map(|level| format!("a{level}: &a{level}\n  l{level}: *a{0}\n  <<: *a{0}\n", level - 1)).collect();
    assert!(told(&refuse(&format!("a0: &a0 {{x: 1}}\n{merges}")))[0].starts_with("PL0013"));
}

#[test]
fn depth_is_bounded_through_brackets_blocks_and_aliases() {
    assert!(told(&refuse(&"[".repeat(100_000)))[0].starts_with("PL0014"));
    assert!(told(&refuse(&"- ".repeat(100_000)))[0].starts_with("PL0014"));
    assert!(told(&refuse(&"{a: ".repeat(100_000)))[0].starts_with("PL0014"));
    let chain: String = (1..200).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
    assert!(told(&refuse(&format!("a0: &a0 1\n{chain}")))[0].starts_with("PL0014"));
    let deep = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    assert_eq!(read(&deep).kind(), "a list");
}

#[test]
fn ten_megabytes_end_quickly() {
    for piece in
        ["a", "- \n", "[],", "a: b\n", "{", "\"", "&a ", "*a ", "# x\n", "? ", "\t", "|\n", "x: &a\n- *a\n", "\u{85}"]
    {
        let source = Source::new("big.yaml", piece.repeat((10 << 20) / piece.len()));
        if let Err(problems) = parse(&source) {
            assert!(problems.render(100, false).len() < 100_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let tree = Source::from_bytes("random", bytes).map_err(Problems::from).and_then(|source| parse(&source));
        if let Err(problems) = tree {
            prop_assert!(problems.has_errors() && !problems.render(80, true).is_empty());
        }
    }

    #[test]
    fn random_yaml_never_panics(text in r"([a-c]: |- |\n|  |[\[\]{},*&!|>'%#]|<<: |\*a|&a |~|1|ü|\r|\t|---\n|: ){0,60}") {
        match parse(&Source::new("random", text)) {
            Ok(tree) => { prop_assert!(tree.to_json().to_string().len() < 1 << 20); }
            Err(problems) => prop_assert!(!problems.render(80, false).is_empty() && problems.to_json().is_array()),
        }
    }

    #[test]
    fn what_json_says_yaml_says(text in r#"[ -~ü\n\t"\\]{0,40}"#, number in any::<i64>(), flag in any::<bool>()) {
        let json = serde_json::json!({"text": text, "list": [number, flag, null], "map": {"inner": text}});
        let written = serde_json::to_string_pretty(&json).expect("JSON can be written");
        prop_assert_eq!(read(&written).to_json(), json);
    }
}
