//! `plimsoll status`: what runs in a live project, with which limits, and how much of them it uses.

use super::Globals;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::live;
use super::live::LiveChoice;
use super::live::Station;
use super::printer::Printer;
use crate::model::InstanceState;
use crate::model::ServiceName;
use crate::report::live as report;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use crate::world::live::inventory::Container;
use crate::world::live::lock;
use crate::world::live::project;
use crate::world::live::usage::Meter;
use crate::world::live::usage::Reading;
use futures_util::future::join_all;

/// Time between the two readings that a rate is taken from.
const BETWEEN: Span = Span::from_secs(1);

/// Show what runs in a live project: instances, limits as the kernel has them, and what is used of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
CPU is what all instances of a service use together, over one second; memory
is that of the instance that holds most. Limits are read from the kernel
where the engine runs on this machine, else as the engine believes.

Examples:
  plimsoll status
  plimsoll status web --json
  plimsoll status --docker ssh://deploy@web-1")]
pub(super) struct StatusArgs {
    /// This service alone.
    service: Option<String>,
    #[command(flatten)]
    live: LiveChoice,
}

/// Shows what runs.
///
/// # Errors
///
/// An engine that cannot be reached, a project or service that is not there.
pub(super) fn status(args: &StatusArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let format = globals.format();
    if !matches!(format, Format::Table | Format::Json) {
        return Err(format.refused("status", &[Format::Table, Format::Json]));
    }
    let status = live::wait(look(args))?;
    match format {
        Format::Json => printer.json(&report::json(&status)),
        _ => printer.data(&report::text(&status, printer.width())),
    }
    Ok(Exit::Good)
}

async fn look(args: &StatusArgs) -> Result<report::Status, Failure> {
    let station = Station::open(&args.live).await?;
    let only =
        args.service.as_deref().map(|name| live::service(name, &station.project, &station.services)).transpose()?;
    let shown = |name: &&ServiceName| only.as_ref().is_none_or(|only| only == *name);
    let names: Vec<&ServiceName> = station.services.keys().filter(shown).collect();
    let mut meter = Meter::over(BETWEEN);
    read(&station, &names, &mut meter).await;
    station.clock.until(station.clock.now().plus(BETWEEN)).await;
    read(&station, &names, &mut meter).await;
    let services = names.iter().map(|name| service(&station, name, &meter)).collect();
    let about = &station.docker.about;
    Ok(report::Status {
        engine: format!("Docker {} on {}", about.version, about.host),
        project: station.project.clone(),
        services,
        notes: notes(&station).await?,
    })
}

/// Reads the counters of all that run. One that goes away meanwhile has none.
async fn read(station: &Station, names: &[&ServiceName], meter: &mut Meter) {
    let running = names.iter().flat_map(|name| station.instances(name)).filter(|container| container.pid.is_some());
    let counters = running.map(|container| async {
        let stats = station.docker.counters(&container.id).await.ok()??;
        Some((container.id.clone(), Reading::of(station.clock.now(), &stats)?))
    });
    for (id, reading) in join_all(counters).await.into_iter().flatten() {
        meter.take(&id, reading);
    }
}

fn service(station: &Station, name: &ServiceName, meter: &Meter) -> report::Service {
    let instances = station.instances(name);
    let count =
        |is: &dyn Fn(&&Container) -> bool| u32::try_from(instances.iter().filter(is).count()).unwrap_or(u32::MAX);
    let usages: Vec<_> = instances.iter().filter_map(|container| meter.usage(&container.id)).collect();
    let cpu = usages.iter().fold(Millicores::ZERO, |sum, usage| sum.plus(usage.cpu));
    let memory = usages.iter().map(|usage| usage.memory).max().unwrap_or(Bytes::ZERO);
    let first = instances.first();
    report::Service {
        name: name.clone(),
        instances: [
            count(&|_| true),
            count(&|container| container.pid.is_some()),
            count(&|container| container.state() == InstanceState::Healthy),
        ],
        limits: first.map(|container| project::limits_in_force(&station.docker, container)).unwrap_or_default(),
        differs: instances.iter().find_map(|container| differs(station, container, first?)),
        used: (!usages.is_empty()).then_some((cpu, memory)),
        restarts: instances.iter().map(|container| container.restarts).sum(),
        holds_data: station.holds_data(name),
    }
}

/// What is odd about the limits of an instance.
fn differs(station: &Station, container: &Container, first: &Container) -> Option<String> {
    let words = |limits: crate::model::Limits| {
        let cpu = limits.cpu.map_or_else(|| "no CPU limit".to_owned(), |cpu| format!("{cpu} CPU"));
        let memory = limits.memory.map_or_else(|| "no memory limit".to_owned(), |memory| memory.to_string());
        format!("{cpu} and {memory}")
    };
    let in_force = project::limits_in_force(&station.docker, container);
    if container.pid.is_some() && in_force != container.limits {
        let (kernel, believed) = (words(in_force), words(container.limits));
        return Some(format!("the kernel gives {} {kernel}, and the engine believes in {believed}", container.name));
    }
    let of_first = project::limits_in_force(&station.docker, first);
    (in_force != of_first)
        .then(|| format!("{} has {}, and {} has {}", container.name, words(in_force), first.name, words(of_first)))
}

/// Changes without an end, and locks.
async fn notes(station: &Station) -> Result<Vec<String>, Failure> {
    let mut notes: Vec<String> =
        station.unfinished()?.iter().map(|(opening, _)| live::recover_first(opening)).collect();
    let locks =
        station.docker.containers(Some(crate::world::live::inventory::ours::LOCK)).await.map_err(live::called)?;
    for holder in locks.iter().filter_map(lock::held_by) {
        notes.push(format!("locked by {} for {}", holder.who, holder.change));
    }
    Ok(notes)
}
