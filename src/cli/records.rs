//! Records that are named on the command line.

use super::codes;
use super::exit::Failure;
use super::output;
use super::project;
use crate::input::problem::Problem;
use crate::model::Amount;
use crate::model::ServiceName;
use crate::record::Event;
use crate::record::Reader;
use crate::record::RecordError;
use crate::report::Collector;
use crate::report::Keep;
use crate::report::Run;
use crate::units::Bytes;
use crate::units::Millicores;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// What was in use in these records: for one instance the P95 of its CPU and the most memory, over all of them; and the
/// limits at which services were killed.
///
/// # Errors
///
/// A record that cannot be read.
pub(super) fn observed(paths: &[PathBuf]) -> Result<Observed, Failure> {
    let (mut observed, mut killed) = (BTreeMap::<ServiceName, Amount>::new(), BTreeMap::<ServiceName, Bytes>::new());
    for path in paths {
        for path in files(path)? {
            for (name, figures) in &read(&path, Keep::Figures)?.summary.services {
                let seen = observed.entry(name.clone()).or_default();
                let cpu = figures.cpu.percentile(95).div_ceil(u64::from(figures.replicas_max.max(1)));
                seen.cpu = seen.cpu.max(Millicores::new(cpu));
                seen.memory = seen.memory.max(figures.memory_max);
                if let Some(limit) = figures.memory_limit.filter(|_| figures.oom_kills > 0) {
                    let most = killed.entry(name.clone()).or_default();
                    *most = limit.max(*most);
                }
            }
        }
    }
    Ok((observed, killed))
}

/// What was in use by service, and the memory limit at which a service was killed.
type Observed = (BTreeMap<ServiceName, Amount>, BTreeMap<ServiceName, Bytes>);

/// The records that a path stands for: itself, or all in the directory of a report.
///
/// # Errors
///
/// A directory without a record.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries.filter(|file| project::is_record(file)).collect();
    found.sort();
    if found.is_empty() {
        let message = format!("`{}` is a directory without a record", path.display());
        let help = "a record is a `.jsonl` or `.jsonl.gz` file; `plimsoll simulate --report DIR` writes one";
        return Err(Problem::error(&codes::FILE, message).help(help).into());
    }
    Ok(found)
}

/// One run, read from its record.
///
/// # Errors
///
/// A record that cannot be read.
pub(super) fn read(path: &Path, keep: Keep) -> Result<Run, Failure> {
    read_beside(path, keep, &mut |_| ())
}

/// One run, read from its record; `also` hears of every event.
///
/// # Errors
///
/// A record that cannot be read.
pub(super) fn read_beside(path: &Path, keep: Keep, also: &mut dyn FnMut(&Event)) -> Result<Run, Failure> {
    let failed = |error: RecordError| -> Failure {
        let code = codes::of_record(error.code());
        let text = match &error {
            RecordError::File(error) => format!("cannot read `{}`: {}", path.display(), output::said(error)),
            error => format!("{}: {error}", path.display()),
        };
        Problem::error(code, text).help(format!("`plimsoll explain {}` says more", code.id)).into()
    };
    let mut collector: Option<Collector> = None;
    for event in Reader::open(path).map_err(failed)? {
        let event = event.map_err(failed)?;
        if let Event::Began(header) = &event {
            collector = Some(Collector::new(header, keep));
        }
        if let Some(collector) = &mut collector {
            collector.take(&event);
        }
        also(&event);
    }
    let collector = collector.ok_or_else(|| Failure::Bug("a record without a beginning was read".to_owned()))?;
    Ok(collector.finish())
}
