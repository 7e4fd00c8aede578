use super::*;
use std::os::unix::fs::PermissionsExt;

/// 14:15:30.250 on 23 November 2026, in UTC.
const AT: u64 = 1_795_443_330_250_000_000;

fn state() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn log(dir: &Path) -> PathBuf {
    dir.join("audit.jsonl")
}

/// A log of so many actions.
fn written(dir: &Path, actions: u64) -> AuditLog {
    let mut log = AuditLog::open(dir).expect("it opens");
    for number in 1..=actions {
        let what = serde_json::json!({ "began": format!("deploy-{number}"), "cpu": 0.1, "text": "ü \"\n" });
        assert_eq!(log.append(AT, "ann (process 7)", &what).expect("it is written"), number);
    }
    log
}

/// The number of one more action.
fn one_more(audit: &mut AuditLog) -> u64 {
    audit.append(AT, "ann", &"one more").expect("it is written")
}

fn lines(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(log(dir)).expect("a log");
    text.lines().map(str::to_owned).collect()
}

/// The line that is found wrong.
fn wrong_line(dir: &Path) -> u64 {
    match verify(dir) {
        Err(LogError::Broken(broken)) => broken.line,
        other => panic!("it is not seen: {other:?}"),
    }
}

#[test]
fn what_was_done_is_there_in_order_and_can_be_shown() {
    let state = state();
    let home = state.path().join("live");
    let nothing = verify(&home).expect("no log is an empty one");
    assert_eq!((nothing.entries, nothing.last_hash), (0, "0".repeat(64)));
    drop(written(&home, 3));
    let verified = verify(&home).expect("it is as it was written");
    assert_eq!((verified.entries, verified.interrupted), (3, false));
    let last = read(&home, 2).expect("actions");
    assert_eq!(last.iter().map(|one| one.seq).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((last[1].at.as_str(), last[1].who.as_str()), ("2026-11-23T14:15:30.250Z", "ann (process 7)"));
    assert_eq!((last[1].what["began"].as_str(), last[1].what["text"].as_str()), (Some("deploy-3"), Some("ü \"\n")));
    assert_eq!((&last[1].prev, &last[1].hash), (&last[0].hash, &verified.last_hash));
    for file in ["audit.jsonl", "audit.head"] {
        assert_eq!(fs::metadata(home.join(file)).expect(file).permissions().mode() & 0o777, 0o600);
    }
    assert!(!home.join("audit.head.part").exists());
}

#[test]
fn anybody_can_work_out_a_hash_from_the_line_itself() {
    let state = state();
    drop(written(state.path(), 2));
    let lines = lines(state.path());
    let (body, hash) = lines[1].split_once(",\"hash\":\"").expect("a hash");
    let prev = lines[0].rsplit('"').nth(1).expect("a hash");
    let digest = Sha256::digest(format!("{prev}{body}}}"));
    assert_eq!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\"}", hash);
    assert!(lines[0].contains(&format!("\"prev\":\"{}\"", "0".repeat(64))));
}

#[test]
fn a_change_of_any_byte_is_seen() {
    let state = state();
    drop(written(state.path(), 3));
    let good = fs::read(log(state.path())).expect("a log");
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(log(state.path()), &bad).expect("a forger");
        let line = 1 + good[..place].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(wrong_line(state.path()), line, "byte {place}");
    }
}

#[test]
fn lines_that_are_gone_moved_or_put_in_are_seen() {
    let state = state();
    drop(written(state.path(), 4));
    let good = lines(state.path());
    let write = |lines: &[&String]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(log(state.path()), text).expect("a forger");
    };
    let [one, two, three, four] = good.as_slice() else { panic!("four lines") };
    let forged = two.replace("deploy-2", "deploy-9");
    for (lines, line) in [
        (vec![two, three, four], 1),
        (vec![one, three, four], 2),
        (vec![one, two, three], 4),
        (vec![one, two, four], 3),
        (vec![one, three, two, four], 2),
        (vec![one, two, two, three, four], 3),
        (vec![one, &forged, three, four], 2),
        (vec![one, two, three, four, four], 5),
        (vec![one, two, three, four, &forged], 5),
        (vec![], 1),
    ] {
        write(&lines);
        assert_eq!(wrong_line(state.path()), line, "{lines:?}");
    }
    fs::remove_file(log(state.path())).expect("a forger");
    assert_eq!(wrong_line(state.path()), 1);
}

#[test]
fn an_end_that_was_cut_off_is_seen_and_not_covered_by_what_comes_after() {
    let state = state();
    let mut audit = written(state.path(), 3);
    let good = fs::read(log(state.path())).expect("a log");
    for length in 0..good.len() {
        fs::write(log(state.path()), &good[..length]).expect("a forger");
        wrong_line(state.path());
        let refused = audit.append(AT, "bob", &"goes on").expect_err("the end is not the one it was");
        assert!(matches!(refused, LogError::Broken(_)), "{refused}");
        assert_eq!(fs::read(log(state.path())).expect("a log"), good[..length], "the traces stay");
    }
    let said = audit.append(AT, "bob", &"goes on").expect_err("the end is not the one it was").to_string();
    assert!(said.starts_with("line 3 of `") && said.contains("audit.head"), "{said}");
}

#[test]
fn an_end_that_does_not_fit_the_log_is_seen() {
    let state = state();
    let mut audit = written(state.path(), 2);
    let head = state.path().join("audit.head");
    let old = fs::read_to_string(&head).expect("the end");
    for number in 3..=4 {
        assert_eq!(one_more(&mut audit), number);
    }
    for (text, line) in [
        (Some(old.clone()), 4),
        (Some(old.replace("\"seq\":2", "\"seq\":4")), 4),
        (Some(old.replace("\"length\":", "\"length\":1")), 2),
        (Some(old.replace("\"length\":", "\"length\":1844674407370955")), 2),
        (Some("{}".to_owned()), 1),
        (None, 2),
    ] {
        match &text {
            Some(text) => fs::write(&head, text).expect("a forger"),
            None => fs::remove_file(&head).expect("a forger"),
        }
        assert_eq!(wrong_line(state.path()), line, "{text:?}");
        let refused = audit.append(AT, "bob", &"goes on").expect_err("nobody knows the end");
        assert!(matches!(refused, LogError::Broken(_)), "{text:?}: {refused}");
        assert_eq!(read(state.path(), 9).expect("it can be looked at all the same").len(), 4);
    }
}

/// Every state that a process can leave behind which is ended while it writes one action.
#[test]
fn whatever_a_crash_leaves_is_mended_by_the_next_action() {
    for before in 0..3 {
        let state = state();
        let head = state.path().join("audit.head");
        drop(written(state.path(), before));
        let short = fs::read(log(state.path())).expect("a log");
        let old = fs::read(&head).ok();
        assert_eq!(one_more(&mut AuditLog::open(state.path()).expect("it opens")), before + 1);
        let long = fs::read(log(state.path())).expect("a log");
        let new = fs::read(&head).expect("the end");
        for length in short.len()..=long.len() {
            fs::write(log(state.path()), &long[..length]).expect("a crash");
            match &old {
                Some(old) => fs::write(&head, old).expect("a crash"),
                None => drop(fs::remove_file(&head)),
            }
            fs::write(state.path().join("audit.head.part"), &new[..length % new.len()]).expect("a crash");
            let is_whole = length == long.len();
            let seen = verify(state.path()).expect("nothing that was reported as written is wrong");
            assert_eq!((seen.entries, seen.interrupted), (before + u64::from(is_whole), length > short.len()));

            let seq = one_more(&mut AuditLog::open(state.path()).expect("it opens"));
            assert_eq!(seq, before + 1 + u64::from(is_whole));
            let seen = verify(state.path()).expect("it is mended");
            assert_eq!((seen.entries, seen.interrupted), (seq, false));
        }
        let aside = |number: usize| fs::read(state.path().join(format!("audit.torn-{number}")));
        let torn = long.len() - short.len() - 1;
        for number in 1..=torn {
            assert_eq!(aside(number).expect("it is kept aside"), long[short.len()..short.len() + number]);
        }
        assert!(aside(torn + 1).is_err(), "a whole line is no torn one");
    }
}

#[test]
fn two_who_write_at_once_do_not_fork_it() {
    let state = state();
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let one = |name: &'static str| {
            let mut audit = AuditLog::open(state.path()).expect("it opens");
            (0..20).map(|number| audit.append(AT, name, &number).expect("it is written")).collect::<Vec<u64>>()
        };
        let ann = scope.spawn(move || one("ann"));
        let bob = scope.spawn(move || one("bob"));
        [ann.join().expect("ann"), bob.join().expect("bob")].concat()
    });
    all.sort_unstable();
    assert_eq!(all, (1..=40).collect::<Vec<u64>>());
    assert_eq!(verify(state.path()).expect("one chain").entries, 40);
}
