//! The rules of a deployment, stated a second time. Before you change it:
//! 1. It knows what was ordered, what was seen and what was asked of the host; where the engine believes to be is no evidence.
//!    It keeps its own book of how many instances there are and since when they come, go or have traffic.
//! 2. Time is counted as an operator would: from the look at which something was asked for, and only where the host answers.
//! 3. A rule is never stricter than the engine: whoever watches longer, or counts more failures, breaks nothing.

use super::Breach;
use super::Rule;
use crate::model::Deployment;
use crate::model::Generation;
use crate::model::GenerationsSeen;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::MemberSeen;
use crate::model::Move;
use crate::model::OnFailure;
use crate::model::Order;
use crate::model::Progress;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Span;

/// Checks every look of every deployment of a host, in order of time.
#[derive(Debug, Clone)]
pub struct RolloutAudit {
    books: Vec<Book>,
}

/// What a deployment did at one look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// When.
    pub now: Instant,
    /// What was seen; `None` where the host did not answer.
    pub seen: Option<&'a GenerationsSeen>,
    /// What was asked of the host.
    pub moves: &'a [Move],
    /// What was told.
    pub told: &'a [Progress],
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ahead,
    On,
    Over,
}

/// The instances without traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aside {
    Nobody,
    /// So many were started, the last of them not before this time.
    Coming(Generation, usize, Instant),
    /// So many lost their traffic at this time.
    Going(Generation, usize, Instant),
    /// So many were told to stop, and are killed at this time.
    Stopping(usize, Instant),
}

/// What is known of one deployment.
#[derive(Debug, Clone)]
struct Book {
    deployment: Deployment,
    state: State,
    /// The generation that is to have all traffic in the end.
    target: Generation,
    /// Instances there were as it began, and the limits of an old one and of a new one.
    total: usize,
    limits: [Limits; 2],
    /// Instances with traffic, old and new.
    serving: [usize; 2],
    aside: Aside,
    /// Since when those that got traffic last have it, as long as nobody lost any since.
    watched: Option<Instant>,
    /// When a batch was first seen to be gone, as long as nobody was started since.
    replaced: Option<Instant>,
    looked: Option<Instant>,
    /// The host answered at a time after the one by which those that stop were to be gone.
    overdue: bool,
}

impl RolloutAudit {
    /// An auditor who knows what was ordered and has seen nothing yet.
    #[must_use]
    pub fn new(deployments: &[Deployment]) -> Self {
        Self { books: deployments.iter().cloned().map(Book::new).collect() }
    }

    /// An auditor of one deployment whose carrier was ended in the middle, by what is seen of it now.
    #[must_use]
    pub fn resumed(
        deployment: &Deployment,
        total: u32,
        limits: [Limits; 2],
        target: Generation,
        seen: &GenerationsSeen,
    ) -> Self {
        let serving = [seen.old.len(), seen.new.len()];
        let total = places(total);
        let book = Book { state: State::On, target, total, limits, serving, ..Book::new(deployment.clone()) };
        Self { books: vec![book] }
    }

    /// On a live host others may have done something, or a move was not carried out: from here on what is seen counts.
    pub fn reconcile(&mut self, place: usize, now: Instant, seen: &GenerationsSeen) {
        if let Some(book) = self.books.get_mut(place).filter(|book| book.state == State::On) {
            book.reconcile(now, seen);
        }
    }

    /// Every rule that a deployment breaks at a look, by its place in the order given; none where all is well. What was
    /// asked of the host is taken down as done.
    pub fn check(&mut self, place: usize, look: &Look<'_>) -> Vec<Breach> {
        let Some(book) = self.books.get(place) else { return Vec::new() };
        let service = &book.deployment.service;
        let others = self.books.iter().enumerate().filter(|(other, book)| *other != place && book.state == State::On);
        let busy = others.map(|(_, book)| &book.deployment.service).any(|other| other == service);
        let mut found = Found { now: look.now, service: service.clone(), breaches: Vec::new() };
        if let Some(book) = self.books.get_mut(place) {
            book.check(look, busy, &mut found);
        }
        found.breaches
    }
}

/// The breaches of one look.
struct Found {
    now: Instant,
    service: ServiceName,
    breaches: Vec<Breach>,
}

impl Found {
    fn report(&mut self, rule: Rule, text: String) {
        self.breaches.push(Breach { at: self.now, rule, service: self.service.clone(), text });
    }
}

impl Book {
    const fn new(deployment: Deployment) -> Self {
        Self {
            deployment,
            state: State::Ahead,
            target: Generation::New,
            total: 0,
            limits: [Limits { cpu: None, memory: None }; 2],
            serving: [0; 2],
            aside: Aside::Nobody,
            watched: None,
            replaced: None,
            looked: None,
            overdue: false,
        }
    }

    fn check(&mut self, look: &Look<'_>, busy: bool, found: &mut Found) {
        let acted = !look.moves.is_empty() || !look.told.is_empty();
        if self.state == State::Over && acted {
            found.report(Rule::Outcome, "it goes on after it said that it is over".to_owned());
        }
        let Some(seen) = look.seen else {
            if acted {
                found.report(Rule::Accounted, "it acts on a host that does not answer".to_owned());
            }
            return self.check_pace(look.now, found);
        };
        match self.state {
            State::Over => return,
            State::Ahead => {
                if !self.begin(look, seen, busy, found) {
                    return;
                }
                self.looked = Some(look.now);
            }
            State::On => {
                self.check_pace(look.now, found);
                self.count(look.now, seen, found);
            }
        }
        let due = self.due(seen);
        if !acted && let Some((due, what)) = due.filter(|(due, _)| *due <= look.now) {
            found.report(Rule::Stages, format!("{what} since {due}, and nothing is done"));
        }
        self.told(look, seen, found);
        for one in look.moves {
            self.moved(look.now, seen, one, found);
        }
        self.ended(look, seen, found);
    }

    /// A deployment looks as often as was asked for. Between two batches it may rest.
    fn check_pace(&mut self, now: Instant, found: &mut Found) {
        let update = &self.deployment.update;
        let longest = update.interval.max(update.delay).max(Span::from_millis(1));
        if let Some(before) = self.looked
            && now.since(before) > longest
        {
            found.report(Rule::Stages, format!("nobody looked for {}", now.since(before)));
        }
        self.looked = self.looked.map(|_| now);
    }

    /// Whether it goes on to move instances at this look, which is the first one that can.
    fn begin(&mut self, look: &Look<'_>, seen: &GenerationsSeen, busy: bool, found: &mut Found) -> bool {
        let acted = !look.moves.is_empty() || !look.told.is_empty();
        if look.now < self.deployment.at {
            if acted {
                found.report(Rule::Began, format!("it was ordered for {}", self.deployment.at));
            }
            return false;
        }
        match look.told {
            [Progress::Began, ..] => {}
            [Progress::Refused { .. }] if look.moves.is_empty() => {
                self.state = State::Over;
                return false;
            }
            _ => {
                found.report(Rule::Began, "its time has come, and it neither begins nor is refused".to_owned());
                return false;
            }
        }
        self.state = State::On;
        self.total = seen.old.len();
        self.serving = [self.total, 0];
        let (old, given) = (seen.old_limits, self.deployment.limits);
        self.limits = [old, Limits { cpu: given.cpu.or(old.cpu), memory: given.memory.or(old.memory) }];
        for (wrong, why) in [
            (busy || seen.busy || !seen.new.is_empty() || !seen.aside.is_empty(), "another one is not over"),
            (seen.old.is_empty(), "there is no instance to replace"),
            (!seen.checked, "nobody can tell when a new instance is well"),
            (self.starts_first() && seen.stateful, "two that hold data would run side by side"),
            (self.starts_first() && self.deployment.alone.is_some(), "two of it cannot run side by side"),
        ] {
            if wrong {
                found.report(Rule::Began, format!("it begins, and {why}"));
            }
        }
        self.check_room(seen, found);
        true
    }

    /// The host has room for what runs side by side.
    fn check_room(&self, seen: &GenerationsSeen, found: &mut Found) {
        let [_, new] = self.limits;
        if let Some(cpu) = new.cpu.filter(|cpu| *cpu > seen.pool_cpu) {
            found.report(Rule::Began, format!("a limit of {cpu} is more than the pool of {}", seen.pool_cpu));
        }
        let given_back = if self.starts_first() { Bytes::ZERO } else { seen.held };
        let each = u128::from(new.memory.unwrap_or(seen.held).minus(given_back).get());
        let need = each * self.batch() as u128;
        if need > u128::from(seen.free_memory.get()) {
            let free = seen.free_memory;
            found.report(Rule::Began, format!("{} more are needed, and {free} are free", Bytes::new(clipped(need))));
        }
    }

    fn starts_first(&self) -> bool {
        self.deployment.update.order == Order::StartFirst
    }

    fn batch(&self) -> usize {
        match usize::try_from(self.deployment.update.parallelism).unwrap_or(usize::MAX) {
            0 => self.total,
            most => most.min(self.total),
        }
    }

    /// Holds what is seen against what was done.
    fn count(&mut self, now: Instant, seen: &GenerationsSeen, found: &mut Found) {
        let there = [seen.old.len(), seen.new.len()];
        if there != self.serving {
            let ([old, new], [old_seen, new_seen]) = (self.serving, there);
            let text =
                format!("{old} old and {new} new ones have traffic by what was done, and {old_seen} and {new_seen} do");
            found.report(Rule::Accounted, text);
        }
        let aside = seen.aside.len();
        let expected = match self.aside {
            Aside::Nobody => 0,
            Aside::Coming(_, count, _) | Aside::Going(_, count, _) => count,
            Aside::Stopping(count, _) => {
                if aside == 0 {
                    0
                } else {
                    count
                }
            }
        };
        if aside != expected {
            found.report(Rule::Accounted, format!("{expected} should stand aside, and {aside} do"));
        }
        match self.aside {
            Aside::Stopping(..) if aside == 0 => {
                (self.aside, self.overdue) = (Aside::Nobody, false);
                self.replaced = Some(now);
            }
            Aside::Stopping(_, until) => {
                if self.overdue {
                    found.report(Rule::Stages, format!("those that were to be gone by {until} are still there"));
                }
                self.overdue = now > until;
            }
            Aside::Coming(generation, count, _) if seen.aside.iter().any(|one| !one.started) => {
                self.aside = Aside::Coming(generation, count, now);
            }
            _ => {}
        }
    }

    /// Takes down who is there. Why they stand aside is known only from what was asked for.
    fn reconcile(&mut self, now: Instant, seen: &GenerationsSeen) {
        self.serving = [seen.old.len(), seen.new.len()];
        let there = seen.aside.len();
        self.aside = match self.aside {
            Aside::Stopping(..) if there == 0 => {
                self.replaced = Some(now);
                Aside::Nobody
            }
            _ if there == 0 => Aside::Nobody,
            Aside::Nobody => Aside::Going(self.target.other(), there, now),
            Aside::Coming(generation, _, since) => Aside::Coming(generation, there, since),
            Aside::Going(generation, _, since) => Aside::Going(generation, there, since),
            Aside::Stopping(_, until) => Aside::Stopping(there, until),
        };
    }

    /// When something has to be done at the latest, and what it is that lasts until then.
    fn due(&self, seen: &GenerationsSeen) -> Option<(Instant, &'static str)> {
        let update = &self.deployment.update;
        match self.aside {
            Aside::Coming(_, _, since) if seen.aside.iter().all(|one| one.started) => {
                Some((since.plus(update.health_timeout), "new instances have not become healthy in time"))
            }
            Aside::Going(_, _, since) => Some((since.plus(update.drain), "those that leave have had their time")),
            Aside::Nobody => {
                // Whoever rests after it has watched does so from the look that ended it, which an outage may delay.
                let watched = self.watched.filter(|_| self.starts_first() || update.delay == Span::ZERO);
                let watched = watched.map(|since| (since.plus(update.monitor), "those that came last are watched"));
                let gone = self.replaced.filter(|_| self.watched.is_none());
                watched.or(gone.map(|gone| (gone.plus(update.delay), "a batch is replaced")))
            }
            _ => None,
        }
    }

    /// What was told changes where it goes, and says how it ends.
    fn told(&mut self, look: &Look<'_>, seen: &GenerationsSeen, found: &mut Found) {
        for one in look.told {
            match one {
                Progress::RollingBack => {
                    let in_force = seen.new_limits == self.limits[1];
                    if self.target == Generation::Old {
                        found.report(Rule::Outcome, "a way back is taken back".to_owned());
                    } else if self.deployment.update.on_failure != OnFailure::Rollback && in_force {
                        found.report(Rule::Outcome, "nobody asked for a way back".to_owned());
                    }
                    self.target = Generation::Old;
                }
                Progress::Paused => {
                    let asked = self.deployment.update.on_failure == OnFailure::Pause;
                    if !asked && self.target == Generation::New {
                        found.report(Rule::Outcome, "it stops half-way, and nobody asked for that".to_owned());
                    }
                    self.state = State::Over;
                }
                Progress::Refused { .. } => found.report(Rule::Outcome, "it is refused after it began".to_owned()),
                _ => {}
            }
        }
    }

    /// Judges a move, and takes it down.
    fn moved(&mut self, now: Instant, seen: &GenerationsSeen, one: &Move, found: &mut Found) {
        match *one {
            Move::Start { generation, count, limits, pull } => {
                self.check_start(now, generation, places(count), limits, pull, found);
                (self.aside, self.replaced) = (Aside::Coming(generation, places(count), now), None);
            }
            Move::GiveTraffic { generation } => {
                self.check_traffic(generation, seen, found);
                if let Aside::Coming(_, count, _) | Aside::Going(_, count, _) = self.aside {
                    *self.of(generation) += count;
                }
                (self.aside, self.watched) = (Aside::Nobody, Some(now));
            }
            Move::Drain { generation, count } => {
                let count = places(count);
                self.check_drain(now, generation, count, seen, found);
                *self.of(generation) = self.of(generation).saturating_sub(count);
                self.watched = None;
                self.aside = Aside::Going(generation, count, now);
            }
            Move::Stop { grace } => {
                self.check_stop(now, grace, seen, found);
                if let Aside::Coming(_, count, _) | Aside::Going(_, count, _) = self.aside {
                    (self.aside, self.overdue) = (Aside::Stopping(count, now.plus(grace)), false);
                }
            }
            Move::Finish => {
                self.watched = None;
                if self.aside != Aside::Nobody {
                    found.report(Rule::OneBatch, "it ends while instances stand aside".to_owned());
                }
            }
        }
    }

    fn of(&mut self, generation: Generation) -> &mut usize {
        let [old, new] = &mut self.serving;
        if generation == Generation::Old { old } else { new }
    }

    fn check_start(
        &self,
        now: Instant,
        generation: Generation,
        count: usize,
        limits: Limits,
        pull: bool,
        found: &mut Found,
    ) {
        let [old, new] = self.limits;
        let wanted = if generation == Generation::Old { old } else { new };
        if limits != wanted {
            found.report(Rule::Outcome, format!("{limits:?} are not the limits of that generation: {wanted:?}"));
        }
        if self.aside != Aside::Nobody || count == 0 || count > self.batch() {
            let most = self.batch();
            found.report(
                Rule::OneBatch,
                format!("{count} are started while {:?}; at most {most} at a time", self.aside),
            );
        }
        if generation != self.target || pull && !(self.deployment.new_image && generation == Generation::New) {
            found.report(Rule::Outcome, format!("what is started is of the {generation:?} generation, pulled: {pull}"));
        }
        let serving: usize = self.serving.iter().sum();
        if self.starts_first() && serving < self.total {
            found.report(Rule::Serving, format!("{serving} of {} have traffic before the new ones come", self.total));
        }
        if serving + count > self.total && !self.starts_first() {
            found.report(Rule::OneBatch, format!("{count} come beside {serving}, and there are to be {}", self.total));
        }
        let delay = self.deployment.update.delay;
        if let Some(gone) = self.replaced.filter(|_| generation == Generation::New && self.starts_first())
            && now < gone.plus(delay)
        {
            found.report(Rule::Patience, format!("the batch before it was done at {gone}; {delay} was to pass"));
        }
    }

    /// Only who is well gets traffic, but for as many as may fail, and those that had it before.
    fn check_traffic(&self, generation: Generation, seen: &GenerationsSeen, found: &mut Found) {
        match self.aside {
            Aside::Going(drained, ..) if drained == generation => return,
            Aside::Coming(came, ..) if came == generation => {}
            _ => return found.report(Rule::Traffic, format!("nobody of the {generation:?} generation stands aside")),
        }
        let ill = seen.aside.iter().filter(|one| one.state != InstanceState::Healthy || one.restarts > 0).count();
        if ill > 0 && (generation == Generation::Old || !self.may_fail(ill + failed(&seen.new))) {
            let all = seen.aside.len();
            found.report(Rule::Traffic, format!("{ill} of {all} that get traffic are not well, or died before"));
        }
    }

    fn may_fail(&self, count: usize) -> bool {
        let update = &self.deployment.update;
        let most = u128::from(update.max_failure_ratio.get()) * self.total as u128;
        update.on_failure == OnFailure::Continue || count as u128 * 1000 <= most
    }

    fn check_drain(
        &self,
        now: Instant,
        generation: Generation,
        count: usize,
        seen: &GenerationsSeen,
        found: &mut Found,
    ) {
        if self.aside != Aside::Nobody || count == 0 || generation == self.target {
            let text = format!("{count} of the {generation:?} generation lose their traffic while {:?}", self.aside);
            found.report(Rule::OneBatch, text);
        }
        let left = self.serving.iter().sum::<usize>().saturating_sub(count);
        let promised = if self.starts_first() { self.total } else { self.total - self.batch() };
        if left < promised {
            found.report(Rule::Serving, format!("{left} are left with traffic; {promised} were promised"));
        }
        if self.target == Generation::Old {
            return;
        }
        // Who fails after it was watched for as long as was asked for, while all rest, is not counted: so Docker does it.
        let counts = self.starts_first() || self.deployment.update.delay == Span::ZERO;
        let failed = failed(&seen.new);
        if counts && failed > 0 && !self.may_fail(failed) {
            found.report(Rule::Serving, format!("{failed} new ones have failed, and old ones lose their traffic"));
        }
        let update = &self.deployment.update;
        let rest = if self.starts_first() { Span::ZERO } else { update.delay };
        if let Some(since) = self.watched
            && now < since.plus(update.monitor).plus(rest)
        {
            let asked = update.monitor.plus(rest);
            found.report(Rule::Patience, format!("the new ones have traffic since {since}; {asked} was to pass"));
        }
    }

    /// Who leaves finishes its requests or has its time; who came and is not wanted has none.
    fn check_stop(&self, now: Instant, grace: Span, seen: &GenerationsSeen, found: &mut Found) {
        let update = &self.deployment.update;
        if grace != update.stop_grace {
            found.report(Rule::Patience, format!("they are given {grace} to stop, not {}", update.stop_grace));
        }
        match self.aside {
            Aside::Going(_, _, since) => {
                let idle = !seen.aside.is_empty() && seen.aside.iter().all(|one| one.idle);
                if now < since.plus(update.drain) && !idle {
                    let drain = update.drain;
                    found.report(
                        Rule::Patience,
                        format!("they lost their traffic at {since}, and were to have {drain}"),
                    );
                }
            }
            Aside::Coming(generation, ..) if generation != self.target => {}
            _ => found.report(Rule::OneBatch, format!("nobody is to stop while {:?}", self.aside)),
        }
    }

    /// How it ends is how it is.
    fn ended(&mut self, look: &Look<'_>, seen: &GenerationsSeen, found: &mut Found) {
        let (end, limits, wanted) = match look.told.last() {
            Some(Progress::Done) => (Generation::New, seen.new_limits, self.limits[1]),
            Some(Progress::RolledBack) => (Generation::Old, seen.old_limits, self.limits[0]),
            last => {
                if look.moves.contains(&Move::Finish) {
                    found.report(Rule::Outcome, format!("it ends, and what it tells is {last:?}"));
                }
                return;
            }
        };
        self.state = State::Over;
        let (all, others) = (*self.of(end), *self.of(end.other()));
        if (all, others) != (self.total, 0) || end != self.target || look.moves.last() != Some(&Move::Finish) {
            let text =
                format!("{all} of {} are of the {end:?} generation as it ends, and {others} are not", self.total);
            found.report(Rule::Outcome, text);
        }
        if limits != wanted {
            found.report(Rule::Outcome, format!("as it ends {limits:?} are in force, not {wanted:?}"));
        }
    }
}

fn places(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn clipped(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn failed(members: &[MemberSeen]) -> usize {
    let ill =
        |one: &&MemberSeen| one.restarts > 0 || !matches!(one.state, InstanceState::Healthy | InstanceState::Starting);
    members.iter().filter(ill).count()
}
