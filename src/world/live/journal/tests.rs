use super::*;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

/// 14:15:30 on 23 November 2026, in UTC.
const AT: u64 = 1_795_443_330_000_000_000;

fn state() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn is_end(entry: &String) -> bool {
    entry == "ended"
}

/// A journal as it lies on the disk.
fn file(state: &Path, id: &str) -> PathBuf {
    state.join("changes").join(format!("{id}.jsonl"))
}

fn begun(state: &Path, id: &str, entries: &[&str]) -> Journal {
    let mut journal = Journal::begin(state, id, &format!("opening of {id}")).expect("it begins");
    for entry in entries {
        journal.append(entry).expect("it is written");
    }
    journal
}

fn read_back(state: &Path, id: &str) -> Result<Read<String, String>, JournalError> {
    read(state, id)
}

fn unfinished_here(state: &Path) -> Result<Vec<(String, Vec<String>)>, JournalError> {
    unfinished(state, is_end)
}

#[test]
fn a_change_is_written_down_step_by_step_until_it_ends() {
    let state = state();
    let home = state.path().join("results/live");
    assert!(unfinished_here(&home).expect("no state is no change").is_empty());
    let mut journal = begun(&home, "deploy-1", &["start web_2", "stop web_1"]);
    let seen =
        Read { opening: "opening of deploy-1".to_owned(), entries: vec!["start web_2", "stop web_1"], torn: false };
    let read = read_back(&home, "deploy-1").expect("others may read it meanwhile");
    assert_eq!((read.opening.clone(), read.torn), (seen.opening.clone(), seen.torn));
    assert_eq!(read.entries, seen.entries);
    assert_eq!(unfinished_here(&home).expect("a list"), [(read.opening, read.entries)]);
    journal.append(&"ended").expect("it is written");
    assert!(unfinished_here(&home).expect("a list").is_empty());

    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&home), 0o700);
    assert_eq!(mode(&home.join("changes")), 0o700);
    assert_eq!(mode(&file(&home, "deploy-1")), 0o600);
}

#[test]
fn a_crash_in_the_middle_of_a_line_costs_that_line_only() {
    let state = state();
    drop(begun(state.path(), "deploy-1", &["one"]));
    let before = fs::read(file(state.path(), "deploy-1")).expect("a journal").len();
    drop(begun(state.path(), "deploy-2", &["one", "two"]));
    let all = fs::read(file(state.path(), "deploy-2")).expect("a journal");
    for length in before..all.len() {
        fs::write(file(state.path(), "deploy-2"), &all[..length]).expect("a crash");
        let read = read_back(state.path(), "deploy-2").expect("it can be read");
        assert_eq!((read.entries, read.torn), (vec!["one".to_owned()], length > before), "{length} bytes");
        let mut journal = Journal::open(state.path(), "deploy-2").expect("it can be gone on with");
        journal.append(&"three").expect("it is written");
        let read = read_back(state.path(), "deploy-2").expect("it can be read");
        assert_eq!((read.entries, read.torn), (vec!["one".to_owned(), "three".to_owned()], false), "{length} bytes");
    }
}

#[test]
fn a_crash_before_the_first_line_is_whole_leaves_no_change() {
    let state = state();
    drop(begun(state.path(), "deploy-1", &[]));
    let all = fs::read(file(state.path(), "deploy-1")).expect("a journal");
    for length in 0..all.len() {
        fs::write(file(state.path(), "deploy-1"), &all[..length]).expect("a crash");
        assert!(unfinished_here(state.path()).expect("a list").is_empty(), "{length} bytes");
        assert!(matches!(read_back(state.path(), "deploy-1"), Err(JournalError::NotBegun(_))));
        assert!(matches!(Journal::open(state.path(), "deploy-1"), Err(JournalError::NotBegun(_))));
    }
    fs::write(file(state.path(), "deploy-1"), &all).expect("all of it");
    assert_eq!(unfinished_here(state.path()).expect("a list").len(), 1);
}

#[test]
fn zeros_where_the_power_failed_are_a_torn_line() {
    let state = state();
    drop(begun(state.path(), "deploy-1", &["one"]));
    for zeros in [&b"\0\0\0\0"[..], b"\0\0\0\0\"two\"\n"] {
        let mut bytes = fs::read(file(state.path(), "deploy-1")).expect("a journal");
        bytes.extend_from_slice(zeros);
        fs::write(file(state.path(), "deploy-1"), bytes).expect("a crash");
        let read = read_back(state.path(), "deploy-1").expect("it can be read");
        assert!(read.torn && read.entries.last().is_some_and(|entry| entry == "one"), "{read:?}");
        let mut journal = Journal::open(state.path(), "deploy-1").expect("it can be gone on with");
        journal.append(&"one").expect("it is written");
    }
    assert_eq!(read_back(state.path(), "deploy-1").expect("it can be read").entries.len(), 3);
}

#[test]
fn any_other_damage_is_refused_with_its_file_and_line() {
    let state = state();
    for (number, (text, line)) in [
        ("\"opening\"\n\"one\"\n7\n\"three\"\n", 3),
        ("\"opening\"\n\"one\"\n{\"cut\n", 3),
        ("\"opening\"\n\n\"two\"\n", 2),
        ("\"opening\"\n\"one\"\n\0\"two\"\n\"three\"\n", 3),
        ("opening\n\"one\"\n", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("deploy-{number}");
        drop(begun(state.path(), &id, &[]));
        fs::write(file(state.path(), &id), text).expect("some damage");
        let error = read_back(state.path(), &id).expect_err("it is damaged");
        assert!(matches!(&error, JournalError::Damaged { line: at, .. } if *at == line), "{text:?}: {error}");
        let said = error.to_string();
        assert!(said.contains(&format!("line {line} of `")) && said.contains(&id), "{said}");
        unfinished_here(state.path()).expect_err("nobody can tell whether it is over");
        fs::remove_file(file(state.path(), &id)).expect("it is moved away");
    }
    // What is over is history: its last line says so, and nobody needs the others.
    drop(begun(state.path(), "deploy-9", &[]));
    fs::write(file(state.path(), "deploy-9"), "\"opening\"\n7\n\"ended\"\n").expect("some damage");
    assert!(unfinished_here(state.path()).expect("a list").is_empty());
}

#[test]
fn what_is_unfinished_is_listed_oldest_first_whatever_its_kind() {
    let state = state();
    let second = 1_000_000_000;
    for (kind, at) in
        [("resize", AT + 2 * second), ("deploy", AT + 3 * second), ("deploy", AT), ("resize", AT + second)]
    {
        drop(begun(state.path(), &new_id(kind, at), &["one"]));
    }
    let over = new_id("deploy", AT - second);
    drop(begun(state.path(), &over, &["one", "ended"]));
    File::create(state.path().join("changes/notes.txt")).and_then(|mut file| file.write_all(b"?")).expect("a note");
    let all = unfinished_here(state.path()).expect("a list");
    let order: Vec<String> = all.iter().map(|(opening, _)| opening[11..33].to_owned()).collect();
    let wanted =
        ["deploy-20261123T141530", "resize-20261123T141531", "resize-20261123T141532", "deploy-20261123T141533"];
    assert_eq!(order, wanted);
}

#[test]
fn names_tell_the_time_and_sort_by_it() {
    let id = new_id("deploy", AT);
    assert!(id.starts_with("deploy-20261123T141530Z-") && id.len() == 28, "{id}");
    let mut ids: Vec<String> = (0..2000).map(|step| new_id("deploy", AT + step * 1_500_000)).collect();
    let by_time = ids.clone();
    ids.sort();
    assert_eq!(ids, by_time, "a millisecond and a half apart is enough");
    assert!(is_name(&new_id("deploy", u64::MAX)) && is_name(&new_id("deploy", 0)));
}

#[test]
fn two_changes_never_share_a_journal() {
    let state = state();
    let first = begun(state.path(), &new_id("deploy", AT), &["one"]);
    let error = Journal::begin(state.path(), &new_id("deploy", AT), &"mine").expect_err("it is taken");
    assert!(matches!(error, JournalError::Taken(_)), "{error}");
    let (id, second) = Journal::begin_anew(state.path(), "deploy", AT, str::to_owned).expect("the next name is free");
    assert_ne!(id, new_id("deploy", AT));
    assert_eq!(read_back(state.path(), &id).expect("a journal").opening, id, "the opening is told its name");
    assert!(matches!(Journal::open(state.path(), &id), Err(JournalError::Busy(_))), "it is being written");
    drop((first, second));
    Journal::open(state.path(), &id).expect("nobody writes it any more");
}

#[test]
fn a_name_from_a_user_never_leads_elsewhere() {
    let state = state();
    begun(state.path(), "deploy-1", &[]);
    for id in ["", ".", "..", "../deploy-1", "a/b", "a\\b", "/etc/passwd", ".hidden", "-x", "a b", "ä", "a\0b", "a\nb"]
    {
        assert!(matches!(read_back(state.path(), id), Err(JournalError::Name(_))), "{id:?}");
        assert!(matches!(Journal::open(state.path(), id), Err(JournalError::Name(_))), "{id:?}");
        assert!(matches!(Journal::begin(state.path(), id, &"x"), Err(JournalError::Name(_))), "{id:?}");
    }
    assert!(matches!(read_back(state.path(), &"a".repeat(101)), Err(JournalError::Name(_))));
    let error = read_back(state.path(), "deploy-2").expect_err("there is none");
    assert!(error.to_string().starts_with("there is no change `deploy-2` in `"), "{error}");
}

#[test]
fn what_others_did_to_the_file_meanwhile_is_noticed() {
    let state = state();
    let mut journal = begun(state.path(), "deploy-1", &["one"]);
    let path = file(state.path(), "deploy-1");
    let mut other = File::options().append(true).open(&path).expect("a file");
    other.write_all(b"\"half").expect("what somebody, or a failed line, left behind");
    journal.append(&"two").expect("it is cut off first");
    assert_eq!(read_back(state.path(), "deploy-1").expect("a journal").entries, ["one", "two"]);
    other.set_len(3).expect("somebody cuts it off");
    let error = journal.append(&"three").expect_err("the entries before it are gone");
    assert!(error.to_string().contains("somebody else cut it off"), "{error}");
    assert_eq!(fs::read(&path).expect("a file").len(), 3, "and it is not filled up with zeros");
}

#[test]
fn a_state_that_cannot_be_written_is_refused_with_its_path() {
    let state = state();
    let in_the_way = state.path().join("live");
    fs::write(&in_the_way, "a file").expect("a file");
    let error = Journal::begin(&in_the_way, "deploy-1", &"x").expect_err("there is no directory");
    assert!(error.to_string().contains(&format!("{}", in_the_way.display())), "{error}");
}
