//! Running scenarios: what `simulate` and `test` share. The library does the work; here its events are led to the
//! collector of the report and, where asked for, to the file of the record.

use super::clock;
use super::exit::Failure;
use super::output;
use crate::model::Scenario;
use crate::record::Compression;
use crate::record::Event;
use crate::record::Part;
use crate::record::Writer;
use crate::report::Collector;
use crate::report::Keep;
use crate::report::Report;
use crate::report::Run;
use crate::report::Shown;
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

/// What came of a run.
pub(super) struct Done {
    /// The report.
    pub(super) report: Report,
    /// The record that could not be written, although the run came to its end.
    pub(super) lost: Option<Failure>,
}

/// Runs a scenario with all its seeds and reports on it. `progress` hears of every sample, from any thread.
///
/// # Errors
///
/// Where the engine breaks its own rules, and where a record cannot even be begun: then nothing is run.
pub(super) fn run(
    scenario: &Scenario,
    path: &str,
    wanted: &Wanted,
    progress: &(dyn Fn() + Sync),
) -> Result<Done, Failure> {
    let several = scenario.seeds.len() > 1;
    for record in &wanted.records {
        let first = scenario.seeds.first().map_or_else(|| record.clone(), |seed| record_path(record, *seed, several));
        if first.is_file() || !first.exists() {
            drop(Part::create(&first).map_err(|error| output::failed(&first, &error))?);
        }
    }
    let shown = Shown::default();
    let begin = |seed: Seed| Consumer::begin(wanted, seed, several);
    let take = |consumer: &mut Consumer, event: &Event| consumer.take(event, &shown);
    let (runs, took) = clock::timed(|| simulate_all(scenario, wanted.jobs, &begin, &take, &|_, _| progress()));
    let (mut finished, mut lost) = (Vec::new(), None);
    for run in runs {
        if let Err(breached) = run.end {
            // The records show the decision that broke the rules; one that cannot be written takes nothing from that.
            drop(run.consumer.records.into_iter().map(Recording::finish).collect::<Vec<_>>());
            let repeat = breached.repeat(path);
            return Err(Failure::Bug(format!("{breached}\nrepeat: {repeat}")));
        }
        finished.extend(run.consumer.finished);
        lost = lost.or(run.consumer.failure);
    }
    shown.give(&mut finished);
    let report = Report::new(path, finished, Some(took.as_secs_f64()))
        .ok_or_else(|| Failure::Bug(format!("{path} has no seed to run with")))?;
    Ok(Done { report, lost })
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

/// Where the events of one run go. At its end the files are closed and most of what was collected is let go, so that many
/// seeds need little more than one.
struct Consumer {
    keep: Keep,
    collector: Option<Collector>,
    records: Vec<Recording>,
    finished: Option<Run>,
    failure: Option<Failure>,
}

struct Recording {
    path: PathBuf,
    part: Part,
    writer: Writer<File>,
}

impl Recording {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        let (part, file) = Part::create(&path).map_err(|error| output::failed(&path, &error))?;
        let writer = Writer::new(file, Compression::of(&path));
        Ok(Self { path, part, writer })
    }

    fn finish(self) -> Result<(), Failure> {
        let written = self.writer.finish().and_then(|_| self.part.finish());
        written.map_err(|error| output::failed(&self.path, &error))
    }
}

impl Consumer {
    fn begin(wanted: &Wanted, seed: Seed, several: bool) -> Self {
        let paths = wanted.records.iter().map(|path| record_path(path, seed, several));
        let (records, failure) = match paths.map(Recording::create).collect() {
            Ok(records) => (records, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        Self { keep: wanted.keep, collector: None, records, finished: None, failure }
    }

    fn take(&mut self, event: &Event, shown: &Shown) {
        if let Event::Began(header) = event {
            self.collector = Some(Collector::new(header, self.keep));
        }
        if let Some(collector) = &mut self.collector {
            collector.take(event);
        }
        self.write(event);
        if let Event::Ended { .. } = event {
            let ended = self.records.drain(..).map(Recording::finish).find_map(Result::err);
            self.failure = self.failure.take().or(ended);
            self.finished = self.collector.take().map(Collector::finish);
            self.finished.iter_mut().for_each(|run| shown.offer(run));
        }
    }

    /// A record that cannot be written is not written any further, and what is there of it goes; the run goes on.
    fn write(&mut self, event: &Event) {
        let failed = self.records.iter_mut().find_map(|record| {
            let error = record.writer.push(event).err()?;
            Some(output::failed(&record.path, &error))
        });
        if failed.is_some() {
            self.records.clear();
            self.failure = failed;
        }
    }
}
