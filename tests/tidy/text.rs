//! Rules about text: length, words, names, who prints, error codes.

use crate::files::File;
use std::collections::BTreeSet;

const LINES_MAX: usize = 600;

/// What unfinished work is marked with. Put together here, so that this file does not catch itself.
const UNFINISHED: [&str; 8] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("#[ig", "nore"),
    concat!("place", "holder"),
    concat!("not yet impl", "emented"),
];

/// What prints, and what switches a lint off without a reason.
const BANNED: [(&str, &str); 8] = [
    (concat!("print", "ln!("), "only `cli::printer` prints"),
    (concat!("eprint", "!("), "only `cli::printer` prints"),
    (concat!("db", "g!("), "only `cli::printer` prints"),
    (concat!("io::std", "out("), "only `cli::printer` prints"),
    (concat!("io::std", "err("), "only `cli::printer` prints"),
    (concat!("#[al", "low("), "`#[expect(…, reason = …)]` says why"),
    (concat!("#![al", "low("), "`#[expect(…, reason = …)]` says why"),
    (concat!("thread::sl", "eep("), "nothing waits for the wall clock"),
];

const NAMES: [&str; 5] = ["utils", "util", "helpers", "common", "misc"];

/// Breaches of one Rust file.
pub(crate) fn breaches(file: &File) -> Vec<String> {
    let mut breaches = Vec::new();
    let count = file.text.lines().count();
    if count > LINES_MAX {
        breaches.push(format!("{}: {count} lines, at most {LINES_MAX}", file.path));
    }
    let named = |name: &&str| file.path.split(['/', '.']).any(|part| part == *name);
    if let Some(name) = NAMES.iter().find(|name| named(name)) {
        breaches.push(format!("{}: `{name}` says nothing about what is in it", file.path));
    }
    if file.path.starts_with("src/") && !file.path.ends_with("/tests.rs") && !file.text.starts_with("//!") {
        breaches.push(format!("{}:1: starts with what the reader must know (`//!`)", file.path));
    }
    let prints = file.path == "src/cli/printer.rs" || !file.path.starts_with("src/");
    for (index, line) in file.text.lines().enumerate() {
        let at = format!("{}:{}", file.path, index + 1);
        for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
            breaches.push(format!("{at}: `{mark}` marks unfinished work"));
        }
        for (banned, why) in
            BANNED.iter().filter(|(banned, why)| line.contains(banned) && !(prints && why.ends_with("prints")))
        {
            breaches.push(format!("{at}: `{banned}`: {why}"));
        }
    }
    breaches
}

/// Paths that exist on one machine only.
pub(crate) fn machine_paths(file: &File) -> Vec<String> {
    let everywhere = [concat!("/wo", "rk/"), concat!("/fa", "rm/"), concat!("/tmp", "/w/")];
    // Containers do have a root directory, so Compose files and tests of them may name it.
    let in_code = [concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let is_code = [".md", ".sh", ".toml"].iter().any(|end| file.path.ends_with(end));
    let mut breaches = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let found = everywhere.iter().chain(in_code.iter().filter(|_| is_code)).find(|path| starts_path(line, path));
        if let Some(path) = found {
            breaches.push(format!("{}:{}: `{path}` exists on one machine only", file.path, index + 1));
        }
    }
    breaches
}

/// Whether the line holds the path from the root on, and not as the tail of a longer one.
fn starts_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/' | ':' | '~'))
    })
}

/// Codes that come twice, explain nothing, or are in the source and not in the list.
pub(crate) fn code_breaches(codes: &[serde_json::Value], source: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut seen = BTreeSet::new();
    for code in codes {
        let id = code["code"].as_str().unwrap_or_default();
        let explanation = code["explanation"].as_str().unwrap_or_default();
        if !seen.insert(id.to_owned()) {
            breaches.push(format!("{id}: used twice"));
        }
        if explanation.len() < 40 || code["title"].as_str().unwrap_or_default().is_empty() {
            breaches.push(format!("{id}: the explanation explains nothing"));
        }
    }
    for file in source {
        for (index, line) in file.text.lines().enumerate().take_while(|(_, line)| !line.contains("#[cfg(test)]")) {
            for id in line.split('"').filter(|word| is_code(word) && !seen.contains(*word)) {
                breaches.push(format!("{}:{}: `{id}` is not in the list of `plimsoll explain`", file.path, index + 1));
            }
        }
    }
    breaches
}

fn is_code(word: &str) -> bool {
    word.strip_prefix("PL").is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<String> {
        breaches(&File { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn the_checker_catches_each_kind_of_breach() {
        assert_eq!(of("src/run/mod.rs", "//! Doc.\nfn f() {}\n"), [""; 0]);
        for mark in UNFINISHED {
            assert!(!of("tests/a.rs", &format!("fn f() {{ {mark}\n")).is_empty(), "{mark}");
        }
        for (banned, _) in BANNED {
            let caught = of("src/run/mod.rs", &format!("//! Doc.\nfn f() {{ {banned}\"\") }}\n"));
            assert!(caught.iter().any(|breach| breach.starts_with("src/run/mod.rs:2: ")), "{banned}: {caught:?}");
        }
        assert_eq!(of("src/cli/printer.rs", concat!("//! Doc.\nprint", "ln!(\"\")\n")), [""; 0]);
        assert_eq!(of("src/engine/utils.rs", "//! Doc.\n").len(), 1);
        assert_eq!(of("src/engine/mod.rs", "fn f() {}\n").len(), 1);
        assert_eq!(of("tests/long.rs", &"\n".repeat(601)).len(), 1);
    }

    #[test]
    fn the_checker_catches_paths_of_one_machine() {
        let of = |path: &str, text: String| machine_paths(&File { path: path.to_owned(), text });
        let there = concat!("/wo", "rk/main");
        assert_eq!(of("README.md", format!("see {there}")).len(), 1);
        assert_eq!(of("compose.yml", format!("- {}", concat!("ollama:/ro", "ot/.ollama"))), [""; 0]);
        assert_eq!(of("README.md", format!("\"{}\"", concat!("/ro", "ot/x"))).len(), 1);
        assert_eq!(of("src/a.rs", format!("target{there}")), [""; 0]);
    }

    #[test]
    fn the_checker_catches_codes_that_are_not_explained() {
        let good = serde_json::json!({"code": "PL0001", "title": "t", "explanation": "e".repeat(90)});
        let short = serde_json::json!({"code": "PL0002", "title": "t", "explanation": "e"});
        let text = "static A: Code = Code {\n    id: \"PL0009\",\n".to_owned();
        let stray = File { path: "src/a.rs".to_owned(), text };
        assert_eq!(code_breaches(std::slice::from_ref(&good), &[]), [""; 0]);
        assert_eq!(code_breaches(&[good.clone(), good.clone(), short], &[stray]).len(), 3);
    }
}
