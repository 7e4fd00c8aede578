//! One deployment on a live host: the engine's own [`Rollout`], audited as in a simulation, each move written down before it
//! is made.

use super::change::Entry;
use crate::audit::Breach;
use crate::audit::Look;
use crate::audit::RolloutAudit;
use crate::audit::Rule;
use crate::engine::Rollout;
use crate::model::GenerationsSeen;
use crate::model::Move;
use crate::model::Progress;
use crate::units::Instant;
use crate::world::live::clock::Clock;
use crate::world::live::docker::CallError;
use crate::world::live::generations::Replaced;
use crate::world::live::journal::Journal;
use crate::world::live::journal::JournalError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All instances are new.
    Done,
    /// It was not begun: why, and what to do.
    Refused(String),
    /// It failed, for this reason, and all is as it was before.
    RolledBack(String),
    /// It failed, for this reason, and so did the way back; or nobody asked for one. A person has to look at it.
    Paused(String),
    /// The engine answered against its own rules. Nothing of that was carried out, and all stays as it is.
    Breached(Vec<Breach>),
}

impl Ending {
    /// In a word or two, for the journal.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused(_) => "refused",
            Self::RolledBack(_) => "rolled back",
            Self::Paused(_) | Self::Breached(_) => "paused",
        }
    }
}

/// What there is to hear.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// How far it is.
    Progress(&'a Progress),
    /// Something else.
    Note(&'a str),
}

/// What a loop works with.
pub struct Live<'a> {
    /// The clock.
    pub clock: &'a Clock,
    /// Where all is written down before it is done.
    pub journal: &'a mut Journal,
    /// Hears what is going on.
    pub tell: &'a mut dyn FnMut(Instant, Told<'_>),
    /// Set when somebody wants it to end: before the old instances leave that is the way back.
    pub interrupted: &'a AtomicBool,
}

impl Live<'_> {
    /// Writes down what is about to be done, or was.
    pub(super) fn write(&mut self, entry: &Entry) -> Result<(), JournalError> {
        self.journal.append(entry)
    }
}

/// Carries out a deployment.
///
/// # Errors
/// [`JournalError`] where what is to be done cannot be written down. Nothing is done then that is not in the journal, and
/// `plimsoll recover` makes an end of it.
pub async fn deploy(
    mut rollout: Rollout,
    mut audit: RolloutAudit,
    host: &mut Replaced<'_>,
    live: &mut Live<'_>,
) -> Result<Ending, JournalError> {
    let mut state = State::default();
    while let Some(due) = rollout.due() {
        // Those that were told to stop are gone when the engine has said so, so nobody waits for them.
        if !core::mem::take(&mut state.is_stopped) {
            live.clock.until(due).await;
        }
        let now = live.clock.now();
        let seen = state.look(host, live, now).await?;
        if live.interrupted.swap(false, Ordering::SeqCst) {
            rollout.refuse("it was interrupted".to_owned());
        }
        if let Some(why) = state.refused.take() {
            rollout.refuse(why);
        }
        if let Some(seen) = &seen {
            audit.reconcile(0, now, seen);
        }
        let began = rollout.wanted().0 > 0;
        let answer = rollout.observe(now, seen.as_ref());
        let look = Look { now, seen: seen.as_ref(), moves: &answer.moves, told: &answer.told };
        let mut breaches = audit.check(0, &look);
        // Who is late, or who goes missing, is no matter of the decision here: calls take their time, and others act, too.
        breaches.retain(|breach| !matches!(breach.rule, Rule::Stages | Rule::Accounted));
        let (total, limits) = rollout.wanted();
        if !began && total > 0 && !matches!(answer.told.first(), Some(Progress::Refused { .. })) {
            live.write(&Entry::Began { at: now, total, limits })?;
        }
        for progress in answer.told {
            (live.tell)(now, Told::Progress(&progress));
            state.note(&progress);
            if matches!(progress, Progress::Failed { .. }) {
                for words in host.last_words().await {
                    (live.tell)(now, Told::Note(&words));
                }
            }
            live.write(&Entry::Told { at: now, progress })?;
        }
        if !breaches.is_empty() {
            return Ok(Ending::Breached(breaches));
        }
        for one in answer.moves {
            state.carry(host, live, one).await?;
        }
    }
    while !state.left.is_empty() {
        live.clock.until(live.clock.now().plus(crate::units::Span::from_secs(2))).await;
        let now = live.clock.now();
        let _ = state.look(host, live, now).await?;
    }
    Ok(state.ending())
}

/// What a loop remembers beside what the engine does.
#[derive(Default)]
struct State {
    /// Moves that the engine did not answer; they are made when it does.
    left: Vec<Move>,
    /// Why the last move was refused.
    refused: Option<String>,
    is_away: bool,
    /// The last move was to stop some, and they did.
    is_stopped: bool,
    why: Option<String>,
    last: Option<Progress>,
}

impl State {
    /// Looks at the service; `None` while the host does not answer. After that old instances that it left down are started,
    /// and what it did not hear is said again.
    async fn look(
        &mut self,
        host: &mut Replaced<'_>,
        live: &mut Live<'_>,
        now: Instant,
    ) -> Result<Option<GenerationsSeen>, JournalError> {
        if self.is_away && host.revive().await.is_ok() {
            self.is_away = false;
            (live.tell)(now, Told::Note("the engine answers again"));
        }
        for one in core::mem::take(&mut self.left) {
            self.carry(host, live, one).await?;
        }
        match host.look(now).await {
            Ok(seen) if self.left.is_empty() => Ok(Some(seen)),
            Ok(_) => Ok(None),
            Err(error) => {
                self.away(live, now, &error);
                Ok(None)
            }
        }
    }

    fn away(&mut self, live: &mut Live<'_>, now: Instant, error: &CallError) {
        if !self.is_away {
            (live.tell)(now, Told::Note(&format!("the engine does not answer, so nothing is done: {error}")));
        }
        self.is_away = true;
    }

    /// Makes a move, once it is written down.
    async fn carry(&mut self, host: &mut Replaced<'_>, live: &mut Live<'_>, one: Move) -> Result<(), JournalError> {
        let now = live.clock.now();
        if matches!(one, Move::Stop { .. }) && host.late() > 0 {
            let note = "old instances still get requests, and stop now: does the proxy look names up again and again?";
            (live.tell)(now, Told::Note(note));
        }
        live.write(&Entry::Moving { at: now, one: one.clone() })?;
        match host.carry(&one).await {
            Ok(()) => self.is_stopped = matches!(one, Move::Stop { .. }),
            // To start something twice would make two of it; whatever else is said twice is done once.
            Err(error) if error.status.is_none() && !matches!(one, Move::Start { .. }) => {
                self.away(live, now, &error);
                self.left.push(one);
            }
            Err(error) => self.refused = Some(error.to_string()),
        }
        Ok(())
    }

    fn note(&mut self, progress: &Progress) {
        match progress {
            Progress::Failed { why } | Progress::Refused { why } if self.why.is_none() => self.why = Some(why.clone()),
            _ => {}
        }
        self.last = Some(progress.clone());
    }

    fn ending(self) -> Ending {
        let why = self.why.unwrap_or_else(|| "it ended half-way".to_owned());
        match self.last {
            Some(Progress::Done) => Ending::Done,
            Some(Progress::RolledBack) => Ending::RolledBack(why),
            Some(Progress::Refused { why }) => Ending::Refused(why),
            _ => Ending::Paused(why),
        }
    }
}
