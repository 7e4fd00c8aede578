//! Who may import whom, as the table of `docs/architecture.md` says.

use crate::files::File;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The rooms and what each may import.
pub(crate) struct Table(BTreeMap<String, BTreeSet<String>>);

impl Table {
    /// Reads the table between `## Rooms` and the next heading.
    pub(crate) fn read(page: &str) -> Self {
        let section = page.split("\n## Rooms\n").nth(1).expect("the page has a table of rooms");
        let section = section.split("\n## ").next().unwrap_or(section);
        let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let room = cells[1].trim_matches('`').to_owned();
            let allowed = match cells[3] {
                "nothing of ours" => BTreeSet::new(),
                "all of the above" => rooms.keys().cloned().collect(),
                list => list.split(", ").map(str::to_owned).collect(),
            };
            rooms.insert(room, allowed);
        }
        assert!(rooms.len() > 5, "the table of rooms is read");
        Self(rooms)
    }

    /// Modules of the crate that the table does not know, and rooms of the table that are no module.
    pub(crate) fn unlisted_rooms(&self, lib: &str) -> Vec<String> {
        let modules: BTreeSet<&str> = lib
            .lines()
            .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
            .collect();
        let rooms: BTreeSet<&str> = self.0.keys().map(String::as_str).collect();
        modules
            .symmetric_difference(&rooms)
            .map(|name| format!("docs/architecture.md: `{name}` is in one list only"))
            .collect()
    }

    /// What a file imports and may not.
    pub(crate) fn breaches(&self, file: &File) -> Vec<String> {
        let inner = file.path.trim_start_matches("src/").trim_end_matches(".rs");
        let room = inner.split('/').next().unwrap_or(inner);
        let Some(allowed) = self.0.get(room) else { return Vec::new() };
        let depth = inner.split('/').filter(|part| *part != "mod").count().saturating_sub(1);
        let mut breaches = Vec::new();
        for (index, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            let at = format!("{}:{}", file.path, index + 1);
            if code.contains("use crate::") && (code.contains('{') || code.contains('*')) {
                breaches.push(format!("{at}: one `use crate::…` a line, without braces or `*`"));
            }
            for other in code.split("crate::").skip(1).filter(|_| !code.contains("$crate::")) {
                let name: String = other.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if self.0.contains_key(&name) && name != room && !allowed.contains(&name) {
                    breaches.push(format!("{at}: `{room}` may not import `{name}`"));
                }
            }
            // A test module is one level deeper than its file.
            let ups = code.matches("super::").count();
            if code.contains("super::super") && ups > depth + 1 {
                breaches.push(format!("{at}: `super` leaves the room `{room}`"));
            }
        }
        breaches
    }
}

#[test]
fn the_checker_catches_a_forbidden_import() {
    let page = "\n## Rooms\n| `units` | a | nothing of ours |\n| `model` | b | units |\n| `engine` | c | model, units |\n\
                | `run` | d | engine, model |\n| `audit` | e | model |\n| `cli` | f | all of the above |\n";
    let table = Table::read(page);
    let of = |path: &str, text: &str| table.breaches(&File { path: path.to_owned(), text: text.to_owned() });
    let caught = of("src/engine/mod.rs", "//! Doc of crate::run.\n\nuse crate::run::step;\n");
    assert_eq!(caught, ["src/engine/mod.rs:3: `engine` may not import `run`"]);
    assert_eq!(
        of("src/audit.rs", "fn f() { crate::engine::g() }\n"),
        ["src/audit.rs:1: `audit` may not import `engine`"]
    );
    assert_eq!(of("src/units/mod.rs", "use crate::model::Host;\n").len(), 1);
    assert_eq!(of("src/engine/mod.rs", "use crate::model::{Host, Load};\n").len(), 1);
    assert_eq!(of("src/engine/a.rs", "use super::super::super::run::step;\n").len(), 1);
    assert_eq!(of("src/engine/mod.rs", "use crate::model::Host;\nuse super::x;\n// crate::run\n"), [""; 0]);
    assert_eq!(of("src/cli/x.rs", "use crate::engine::Engine;\nuse crate::cli::y;\n"), [""; 0]);
    assert_eq!(table.unlisted_rooms("pub mod cellar;\n").len(), 7);
}
