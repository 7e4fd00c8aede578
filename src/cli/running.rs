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
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

/// What to keep of a run.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// What the report needs.
    pub(super) keep: Keep,
    /// Where the record goes. With several seeds each gets its own file: `run-seed-2.jsonl.gz`.
    pub(super) records: Vec<PathBuf>,
    /// Where the report goes.
    pub(super) directory: Option<PathBuf>,
    /// Threads; zero is one a core.
    pub(super) jobs: usize,
}

/// What a scenario file is called among others: the directory of a `scenario.yaml`, else the file without its end.
pub(super) fn name(path: &Path) -> String {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file.trim_end_matches(".yml").trim_end_matches(".yaml").trim_end_matches(".scenario");
    let directory = path.parent().and_then(Path::file_name).filter(|_| stem == "scenario");
    directory.map_or_else(|| stem.to_owned(), |directory| directory.to_string_lossy().into_owned())
}

/// Samples that a scenario takes over all its seeds: the steps of a progress bar.
pub(super) fn samples(scenario: &Scenario) -> u64 {
    let each = scenario.duration.nanos().div_ceil(scenario.sample.nanos().max(1));
    each.saturating_mul(scenario.seeds.len() as u64)
}

/// Runs a scenario with all its seeds and reports on it. `progress` hears of every sample, from any thread.
///
/// # Errors
///
/// Where the engine breaks its own rules, and where a record cannot be written.
pub(super) fn run(
    scenario: &Scenario,
    path: &str,
    wanted: &Wanted,
    progress: &(dyn Fn() + Sync),
) -> Result<Report, Failure> {
    let several = scenario.seeds.len() > 1;
    let begin = |seed: Seed| Consumer::begin(wanted, seed, several);
    let (runs, took) =
        clock::timed(|| simulate_all(scenario, wanted.jobs, &begin, &Consumer::take, &|_, _| progress()));
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
    records: Vec<Recording>,
    failure: Option<String>,
}

struct Recording {
    path: PathBuf,
    writer: Writer<File>,
}

impl Consumer {
    fn begin(wanted: &Wanted, seed: Seed, several: bool) -> Self {
        let mut consumer = Self { keep: wanted.keep, collector: None, records: Vec::new(), failure: None };
        for path in wanted.records.iter().map(|path| record_path(path, seed, several)) {
            match create(&path) {
                Ok(file) => {
                    let writer = Writer::new(file, Compression::of(&path));
                    consumer.records.push(Recording { path, writer });
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
        if self.failure.is_none() {
            let failed = self.records.iter_mut().find_map(|record| {
                let error = record.writer.push(event).err()?;
                Some((record.path.clone(), error))
            });
            if let Some((path, error)) = failed {
                self.fail(&path, &error);
            }
        }
    }

    /// A record that cannot be written is not written any further; the run goes on to its end.
    fn fail(&mut self, path: &Path, error: &std::io::Error) {
        self.failure = Some(format!("cannot write {}: {error}", path.display()));
    }

    fn finish(mut self) -> Result<Option<crate::report::Run>, Failure> {
        for record in std::mem::take(&mut self.records) {
            if let Err(error) = record.writer.finish() {
                self.fail(&record.path, &error);
            }
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
