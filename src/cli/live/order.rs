//! A deployment that somebody ordered, from the right to do it to its end: both locks, the journal, the log of actions.

use super::Station;
use super::called;
use crate::audit::RolloutAudit;
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::interrupt;
use crate::cli::printer::Printer;
use crate::engine::Rollout;
use crate::model::Deployment;
use crate::model::Limits;
use crate::model::Progress;
use crate::model::ServiceName;
use crate::model::Update;
use crate::report::words;
use crate::run::control;
use crate::run::control::Ending;
use crate::run::control::Live;
use crate::run::control::Told;
use crate::run::control::change;
use crate::run::control::change::Entry;
use crate::run::control::change::Opening;
use crate::units::Instant;
use crate::world::live::audit_log::AuditLog;
use crate::world::live::generations::Replaced;
use crate::world::live::green;
use crate::world::live::green::Mark;
use crate::world::live::hold::Hold;
use crate::world::live::hold::HoldError;
use crate::world::live::journal;
use crate::world::live::journal::Journal;
use crate::world::live::lock::Holder;
use crate::world::live::lock::Lock;
use crate::world::live::lock::LockError;
use std::time::Duration;

/// A deployment of a service of a live project.
pub(crate) struct Order<'a> {
    station: &'a Station,
    deployment: Deployment,
}

/// What a look before it begins comes to.
pub(crate) struct Foreseen {
    /// Why it will not begin; `None` where it will.
    pub(crate) refused: Option<String>,
    /// What else somebody should know.
    pub(crate) doubts: Vec<String>,
    /// Instances that are replaced, and the limits of an old one and of a new one.
    pub(crate) wanted: (u32, [Limits; 2]),
}

impl<'a> Order<'a> {
    /// New instances of a service with these limits; what is `None` stays as it is.
    pub(crate) fn new(station: &'a Station, service: &ServiceName, limits: Limits, update: Update) -> Self {
        let instances = station.instances(service);
        let alone = instances.iter().find_map(green::why_not);
        // Whoever takes longer to stop by its own settings is given that time.
        let own = instances.iter().map(crate::world::live::inventory::Container::stop_secs).max().unwrap_or(0);
        let stop_grace = update.stop_grace.max(crate::units::Span::from_secs(own));
        let update = Update { stop_grace, ..update };
        let at = station.clock.now();
        Self {
            station,
            deployment: Deployment { at, service: service.clone(), limits, new_image: false, alone, update },
        }
    }

    /// Looks whether it would begin, and changes nothing.
    pub(crate) async fn foresee(&self) -> Result<Foreseen, Failure> {
        let mut host = self.replaced("none");
        let now = self.station.clock.now();
        let seen = host.look(now).await.map_err(called)?;
        let mut rollout = Rollout::new(self.deployment.clone());
        let answer = rollout.observe(now, Some(&seen));
        let refused = answer.told.iter().find_map(|told| match told {
            Progress::Refused { why } => Some(why.clone()),
            _ => None,
        });
        let mut doubts = Vec::new();
        for container in self.station.instances(&self.deployment.service) {
            let image = self.station.docker.image(&container.image_id).await.map_err(called)?;
            if image.is_none() {
                doubts.push(format!(
                    "the engine does not have the image of {} any more: new ones cannot start",
                    container.name
                ));
            }
            let changed = self.station.docker.changed_paths(&container.id).await.map_err(called)?;
            doubts.extend(green::doubts(&changed).map(|doubt| format!("{}: {doubt}", container.name)));
        }
        if let Some(why) = self.station.holds_data(&self.deployment.service).filter(|_| refused.is_some()) {
            doubts.push(format!("`{}` counts as one that holds data, since {why}", self.deployment.service));
        }
        if !self.station.docker.about.live_restore {
            doubts.push("containers stop when the engine is restarted (live-restore is off)".to_owned());
        }
        Ok(Foreseen { refused, doubts, wanted: rollout.wanted() })
    }

    fn replaced(&self, id: &str) -> Replaced<'a> {
        of_service(self.station, &self.deployment.service, id)
    }

    /// Carries it out, and says how it ended.
    pub(crate) async fn carry_out(&self, printer: &mut Printer) -> Result<Exit, Failure> {
        let station = self.station;
        let service = &self.deployment.service;
        let held = match hold(station, &format!("a deployment of {service}")) {
            Ok(held) => held,
            Err(HoldError::File(error)) => return Err(Failure::Environment(error.to_string())),
            Err(held) => return Ok(locked(&held.to_string(), printer)),
        };
        if let Some((opening, _)) = station.unfinished()?.first() {
            printer.failure(&Failure::Environment(super::recover_first(opening)));
            return Ok(Exit::PlanRefused);
        }
        let now = station.clock.now();
        let opening = |id: &str| Opening {
            format_version: change::FORMAT_VERSION,
            id: id.to_owned(),
            at: now,
            who: who(),
            engine: station.docker.about.id.clone(),
            project: station.project.clone(),
            deployment: self.deployment.clone(),
        };
        let begun = Journal::begin_anew(&station.state, "deploy", now.since_start().nanos(), opening);
        let (id, mut journal) = begun.map_err(journaled)?;
        let opening = opening(&id);
        let holder = Holder { change: opening.id.clone(), who: opening.who.clone(), since: now };
        let image = station.instances(service).first().map(|container| container.image_id.clone()).unwrap_or_default();
        let lock = match Lock::take(&station.docker, (&station.project, service), &image, &holder).await {
            Ok(lock) => lock,
            Err(error) => {
                let end = Entry::Ended { at: station.clock.now(), how: "refused".to_owned() };
                journal.append(&end).map_err(journaled)?;
                return match error {
                    LockError::Held { .. } => Ok(locked(&error.to_string(), printer)),
                    LockError::Call(error) => Err(called(error)),
                };
            }
        };
        let limits = self.deployment.limits;
        let what = serde_json::json!({
            "did": "began",
            "change": opening.id,
            "project": station.project,
            "service": service,
            "cpus": limits.cpu.map(crate::units::Millicores::as_cores),
            "memory_bytes": limits.memory.map(crate::units::Bytes::get),
        });
        log(station, &opening.who, &what)?;
        let mut host = self.replaced(&opening.id);
        let asked = interrupt::asked()?;
        let began = station.clock.now();
        let mut tell = teller(printer, began);
        let mut live = Live { clock: &station.clock, journal: &mut journal, tell: &mut tell, interrupted: &asked };
        let rollout = Rollout::new(self.deployment.clone());
        let audit = RolloutAudit::new(std::slice::from_ref(&self.deployment));
        let ending = control::deploy(rollout, audit, &mut host, &mut live).await;
        drop(tell);
        interrupt::at_once();
        let ending = ending.map_err(|error| {
            Failure::Environment(format!("{error}; what was begun stands still, `plimsoll recover` makes an end of it"))
        })?;
        drop(held);
        end(station, &opening, journal, lock, &ending, printer).await
    }
}

/// The service of a station as a deployment of this name sees it.
pub(super) fn of_service<'a>(station: &'a Station, service: &ServiceName, id: &str) -> Replaced<'a> {
    let mark = Mark { deployment: id.to_owned(), engine: station.docker.about.id.clone() };
    let holds_data = station.image_holds_data(service);
    Replaced::new(&station.docker, (&station.project, service), mark, station.pool, holds_data)
}

/// Makes an end of what another process began.
pub(crate) async fn recover(
    station: &Station,
    opening: &Opening,
    entries: &[Entry],
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let service = change::service(opening);
    let held = match hold(station, &format!("the recovery of {}", opening.id)) {
        Ok(held) => held,
        Err(HoldError::File(error)) => return Err(Failure::Environment(error.to_string())),
        Err(held) => return Ok(locked(&held.to_string(), printer)),
    };
    let mut journal = Journal::open(&station.state, &opening.id).map_err(journaled)?;
    let who = who();
    let holder = Holder { change: opening.id.clone(), who: who.clone(), since: station.clock.now() };
    let image = station.instances(service).first().map(|container| container.image_id.clone()).unwrap_or_default();
    let lock = match Lock::take(&station.docker, (&station.project, service), &image, &holder).await {
        Ok(lock) => lock,
        Err(LockError::Call(error)) => return Err(called(error)),
        Err(held) => return Ok(locked(&held.to_string(), printer)),
    };
    let what = serde_json::json!({
        "did": "resumed",
        "change": opening.id,
        "project": station.project,
        "service": service,
    });
    log(station, &who, &what)?;
    let mut host = of_service(station, service, &opening.id);
    let asked = interrupt::asked()?;
    let mut tell = teller(printer, station.clock.now());
    let mut live = Live { clock: &station.clock, journal: &mut journal, tell: &mut tell, interrupted: &asked };
    let ending = control::recover(opening, entries, &mut host, &mut live, &who).await;
    drop(tell);
    interrupt::at_once();
    let ending = ending.map_err(|error| Failure::Environment(format!("{error}; it can be tried again")))?;
    drop(held);
    end(station, opening, journal, lock, &ending, printer).await
}

/// Says how it ended, writes it down, and gives the lock back.
async fn end(
    station: &Station,
    opening: &Opening,
    mut journal: Journal,
    lock: Lock,
    ending: &Ending,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let at = station.clock.now();
    let service = change::service(opening);
    let failed = |printer: &mut Printer, words: String| printer.failure(&Failure::Environment(words));
    let exit = match ending {
        Ending::Done => {
            printer.note(&format!(
                "{service}: done in {}",
                clock::shown(Duration::from_nanos(at.since(opening.at).nanos()))
            ));
            Exit::Good
        }
        Ending::Refused(why) => {
            failed(printer, why.clone());
            Exit::PlanRefused
        }
        Ending::RolledBack(why) => {
            failed(printer, format!("{why}; rolled back, `{service}` is as it was before"));
            Exit::RolledBack
        }
        Ending::Paused(why) => {
            failed(printer, format!("{why}; `{service}` stays as it is: look at it with `plimsoll status`"));
            Exit::NeedsPerson
        }
        Ending::Breached(breaches) => {
            let words: Vec<String> = breaches.iter().map(ToString::to_string).collect();
            printer.failure(&Failure::Bug(format!(
                "a step of the deployment breaks a rule, so it was not made: {}",
                words.join("; ")
            )));
            Exit::NeedsPerson
        }
    };
    journal.append(&Entry::Ended { at, how: ending.word().to_owned() }).map_err(journaled)?;
    let what = serde_json::json!({
        "did": ending.word(),
        "change": opening.id,
        "project": station.project,
        "service": service,
    });
    log(station, &who(), &what)?;
    lock.give_back(&station.docker).await.map_err(called)?;
    Ok(exit)
}

fn hold(station: &Station, about: &str) -> Result<Hold, HoldError> {
    Hold::take(&station.state, about, Duration::ZERO)
}

fn locked(why: &str, printer: &mut Printer) -> Exit {
    printer.failure(&Failure::Environment(why.to_owned()));
    Exit::Locked
}

fn log(station: &Station, who: &str, what: &serde_json::Value) -> Result<(), Failure> {
    let failed = |error: crate::world::live::audit_log::LogError| Failure::Environment(error.to_string());
    let mut log = AuditLog::open(&station.state).map_err(failed)?;
    let nanos = station.clock.now().since_start().nanos();
    log.append(nanos, who, what).map(drop).map_err(failed)
}

fn journaled(error: journal::JournalError) -> Failure {
    Failure::Environment(error.to_string())
}

/// Says what happens, with the seconds since the beginning.
fn teller(printer: &mut Printer, began: Instant) -> impl FnMut(Instant, Told<'_>) {
    move |at, told| {
        let since = at.since(began).millis();
        let said = match told {
            Told::Progress(progress) => words::progress(progress),
            Told::Note(note) => note.to_owned(),
        };
        printer.note(&format!("{:>4}.{} s  {said}", since / 1000, since % 1000 / 100));
    }
}

/// Who does it: user, machine, process.
fn who() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let machine = sysinfo::System::host_name().unwrap_or_else(|_| "this machine".to_owned());
    format!("{}@{machine}, process {}", user.unwrap_or_else(|| "somebody".to_owned()), std::process::id())
}
