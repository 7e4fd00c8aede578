//! Running scenarios: what `simulate` and `test` share. The library does the work; here its events are led to the
//! collector of the report and, where asked for, to the file of the record.

use super::clock;
use super::exit::Failure;
use crate::model::Scenario;
use crate::record::Compression;
use crate::record::Event;
use crate::record::Writer;
use crate::report::Collector;
use crate::report::Keep;
use crate::report::Report;
use crate::run::simulate::simulate_all;
use crate::seed::Seed;
use crate::units::Instant;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

/// What to keep of a run.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// What the report needs.
    pub(super) keep: Keep,
    /// Where the record goes. With several seeds each gets its own file: `run.jsonl.gz`, `run-seed-2.jsonl.gz`.
    pub(super) record: Option<PathBuf>,
    /// Threads; zero is one a core.
    pub(super) jobs: usize,
}

/// Runs a scenario with all its seeds and reports on it.
///
/// # Errors
///
/// Where the engine breaks its own rules, and where a record cannot be written.
pub(super) fn run(
    scenario: &Scenario,
    path: &str,
    wanted: &Wanted,
    progress: &(dyn Fn(Seed, Instant) + Sync),
) -> Result<Report, Failure> {
    let several = scenario.seeds.len() > 1;
    let begin = |seed: Seed| Consumer::begin(wanted, seed, several);
    let (runs, took) =
        clock::timed(|| simulate_all(scenario, wanted.jobs, &begin, &|consumer, event| consumer.take(event), progress));
    let mut finished = Vec::new();
    for run in runs {
        if let Err(breached) = run.end {
            let repeat = breached.repeat(path);
            return Err(Failure::Bug(format!("{breached}\nrepeat: {repeat}")));
        }
        finished.extend(run.consumer.finish()?);
    }
    Report::new(path, finished, Some(took.as_secs_f64()))
        .ok_or_else(|| Failure::Bug(format!("{path} has no seed to run with")))
}

/// The file of one seed's record: the name as given for a single seed, with the seed's number for several.
pub(super) fn record_path(path: &Path, seed: Seed, several: bool) -> PathBuf {
    if !several {
        return path.to_owned();
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, end) = name.split_once('.').unwrap_or((&name, "jsonl"));
    path.with_file_name(format!("{stem}-seed-{}.{end}", seed.get()))
}

/// Where the events of one run go.
struct Consumer {
    keep: Keep,
    collector: Option<Collector>,
    record: Option<Recording>,
    failure: Option<String>,
}

struct Recording {
    path: PathBuf,
    writer: Writer<File>,
}

impl Consumer {
    fn begin(wanted: &Wanted, seed: Seed, several: bool) -> Self {
        let mut consumer = Self { keep: wanted.keep, collector: None, record: None, failure: None };
        if let Some(path) = &wanted.record {
            let path = record_path(path, seed, several);
            match create(&path) {
                Ok(file) => {
                    let writer = Writer::new(file, Compression::of(&path));
                    consumer.record = Some(Recording { path, writer });
                }
                Err(error) => consumer.fail(&path, &error),
            }
        }
        consumer
    }

    fn take(&mut self, event: &Event) {
        if let Event::Began(header) = event {
            self.collector = Some(Collector::new(header, self.keep));
        }
        if let Some(collector) = &mut self.collector {
            collector.take(event);
        }
        let pushed = self.record.as_mut().map_or(Ok(()), |record| record.writer.push(event));
        if let Err(error) = pushed {
            self.give_up(&error);
        }
    }

    /// A record that cannot be written is not written any further; the run goes on to its end.
    fn give_up(&mut self, error: &std::io::Error) {
        if let Some(record) = self.record.take() {
            self.fail(&record.path, error);
        }
    }

    fn fail(&mut self, path: &Path, error: &std::io::Error) {
        self.failure = Some(format!("cannot write {}: {error}", path.display()));
    }

    fn finish(mut self) -> Result<Option<crate::report::Run>, Failure> {
        if let Some(record) = self.record.take()
            && let Err(error) = record.writer.finish()
        {
            self.fail(&record.path, &error);
        }
        match self.failure {
            Some(message) => Err(Failure::Environment(message)),
            None => Ok(self.collector.map(Collector::finish)),
        }
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)?;
    }
    File::create(path)
}
