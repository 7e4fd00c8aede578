//! Every scenario of the repository: the same seed gives the same record, over runs and over numbers of threads.

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Scenario;
use plimsoll::record::Event;
use plimsoll::run::simulate::simulate_all;
use plimsoll::seed::Seed;
use plimsoll::units::Span;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

fn scenarios() -> Vec<PathBuf> {
    let below = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let folders = std::fs::read_dir(below).expect("the scenarios are there").flatten();
    let mut files: Vec<PathBuf> = folders.map(|folder| folder.path().join("scenario.yaml")).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

/// The bytes of a record, taken in one after another: FNV-1a and how many there were.
struct Digest(u64, usize);

impl Digest {
    fn take(&mut self, event: &Event) {
        let bytes = serde_json::to_vec(event).expect("an event");
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
        self.1 += bytes.len();
    }
}

/// What the records of all seeds come to.
fn digests(scenario: &Scenario, jobs: usize) -> Vec<(u64, usize)> {
    let begin = |_: Seed| Digest(0xcbf2_9ce4_8422_2325, 0);
    let runs = simulate_all(scenario, jobs, &begin, &Digest::take, &|_, _| {});
    assert!(runs.iter().all(|run| run.end.is_ok()), "no decision breaks a rule");
    runs.into_iter().map(|run| (run.consumer.0, run.consumer.1)).collect()
}

#[test]
fn records_are_the_same_bytes_over_runs_and_threads_for_every_scenario() {
    let files = scenarios();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let mut scenario = scenario::load(&file, &LoadOptions::default()).expect("a good scenario").scenario;
        let seeds = if scenario.services.len() > 10 { 1..=4 } else { 1..=24 };
        scenario.seeds = seeds.map(Seed::new).collect();
        scenario.duration = scenario.duration.min(Span::from_mins(240));
        let alone = digests(&scenario, 1);
        assert_eq!(alone, digests(&scenario, 1), "{} once more", file.display());
        assert_eq!(alone, digests(&scenario, 2), "{} with two threads", file.display());
        assert_eq!(alone, digests(&scenario, 7), "{} with seven threads", file.display());
        let different: BTreeSet<u64> = alone.iter().map(|(hash, _)| *hash).collect();
        assert_eq!(different.len(), alone.len(), "{}: every seed has a record of its own", file.display());
    }
}
