//! New instances in place of the old ones, step by step: a pure state machine, driven the same way by a simulated host and
//! by a real one. Before you change it:
//! 1. It sees instances and the time, and answers with the next small moves. What came of a move is seen at the next look,
//!    so a look makes at most one move that has to be waited for.
//! 2. What to do next follows from how many instances of each generation have traffic, not from what was done before; so
//!    the way back is the same way with the generations exchanged.
//! 3. Until the new instances are well, the old ones are not touched, unless the order is stop-first.
//! 4. A rollback is never rolled back: where it fails, all stays as it is.

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
use crate::units::Millicores;
use crate::units::Span;

/// Least and most CPU and memory that a new instance may be limited to (register D3).
const CPU: (Millicores, Millicores) = (Millicores::new(100), Millicores::new(16_000));
const MEMORY: (Bytes, Bytes) = (Bytes::mebi(64), Bytes::gibi(32));

/// What a look at a deployment comes to.
#[must_use = "moves that nobody carries out are a bug"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// What to do now, in this order.
    pub moves: Vec<Move>,
    /// What there is to tell.
    pub told: Vec<Progress>,
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its time has not come.
    Ahead,
    /// Whatever is to be done next.
    Next,
    /// So many instances were started at this time, and have no traffic yet.
    Coming(Instant, u32),
    /// They have traffic since then, and are watched.
    Watched(Instant),
    /// Instances finish what they have since then.
    Going(Instant),
    /// Instances were told to stop.
    Stopping,
    /// Until then nothing is done.
    Resting(Instant),
    /// Nothing is done any more.
    Over,
}

/// One deployment.
#[derive(Debug, Clone)]
pub struct Rollout {
    deployment: Deployment,
    stage: Stage,
    /// The generation that is to have all traffic in the end.
    target: Generation,
    /// Instances that there are to be.
    total: u32,
    /// Limits of an old instance and of a new one.
    limits: [Limits; 2],
    looked: Instant,
    /// Why the host did not carry out the last move.
    refused: Option<String>,
}

impl Rollout {
    /// A deployment that has not begun.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        Self {
            stage: Stage::Ahead,
            target: Generation::New,
            total: 0,
            limits: [Limits::default(); 2],
            looked: Instant::START,
            refused: None,
            deployment,
        }
    }

    /// A deployment whose carrier was ended in the middle: so many instances there were, with these limits of an old one and
    /// of a new one, and this generation is to have all traffic in the end. Nobody may stand aside.
    #[must_use]
    pub fn resumed(deployment: Deployment, total: u32, limits: [Limits; 2], target: Generation) -> Self {
        Self { stage: Stage::Next, target, total, limits, ..Self::new(deployment) }
    }

    /// The host did not carry out the last move, and says why. The next look acts on it.
    pub fn refuse(&mut self, why: String) {
        self.refused = Some(why);
    }

    /// Where all traffic is to go in the end.
    #[must_use]
    pub const fn target(&self) -> Generation {
        self.target
    }

    /// Instances that there are to be, and the limits of an old one and of a new one; known from its beginning on.
    #[must_use]
    pub const fn wanted(&self) -> (u32, [Limits; 2]) {
        (self.total, self.limits)
    }

    /// The service it is about.
    #[must_use]
    pub const fn service(&self) -> &ServiceName {
        &self.deployment.service
    }

    /// When it wants to look next; `None` when it is over.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let update = &self.deployment.update;
        let again = self.looked.plus(update.interval.max(Span::from_millis(1)));
        match self.stage {
            Stage::Over => None,
            Stage::Ahead => Some(if self.looked < self.deployment.at { self.deployment.at } else { again }),
            Stage::Next | Stage::Stopping => Some(again),
            Stage::Coming(since, _) => Some(self.before(again, since.plus(update.health_timeout))),
            Stage::Watched(since) => Some(self.before(again, since.plus(update.monitor))),
            Stage::Going(since) => Some(self.before(again, since.plus(update.drain))),
            Stage::Resting(until) => Some(if until > self.looked { until } else { again }),
        }
    }

    /// The time of the next look, which is not later than a time that matters and is still to come.
    fn before(&self, again: Instant, end: Instant) -> Instant {
        if end > self.looked { again.min(end) } else { again }
    }

    /// Looks at the service once and answers what to do now; `None` is seen where the host does not answer.
    pub fn observe(&mut self, now: Instant, seen: Option<&GenerationsSeen>) -> Answer {
        let mut answer = Answer::default();
        self.looked = now;
        let Some(seen) = seen else { return answer };
        // A stage that ends without a move leads to the next one at once; there are few of them.
        for _ in 0..8 {
            if !self.go_on(now, seen, &mut answer) {
                break;
            }
        }
        answer
    }

    /// Takes one stage further; whether the next one can be looked at with what is seen already.
    fn go_on(&mut self, now: Instant, seen: &GenerationsSeen, answer: &mut Answer) -> bool {
        let update = self.deployment.update;
        if let Some(why) = self.refused.take() {
            if matches!(self.stage, Stage::Coming(..) | Stage::Watched(..)) {
                answer.told.push(Progress::Failed { why });
                return self.give_up(self.deployment.update.on_failure == OnFailure::Pause, seen, answer);
            }
            // What it leaves undone is seen, and done, at a later look.
            answer.told.push(Progress::Failed { why });
        }
        match self.stage {
            Stage::Over => false,
            Stage::Ahead => now >= self.deployment.at && self.prepare(seen, answer),
            Stage::Next => self.next(now, seen, answer),
            Stage::Coming(since, count) => {
                if seen.aside.iter().any(|member| !member.started) {
                    // Its image is on the way, or what it waits for is not there yet.
                    self.stage = Stage::Coming(now, count);
                    return false;
                }
                let ready = seen.aside.len() == places(count) && seen.aside.iter().all(is_well);
                let died = seen.aside.iter().any(has_died);
                if ready {
                    self.give_traffic(now, answer);
                    return false;
                }
                if !died && now < since.plus(update.health_timeout) {
                    return false;
                }
                let why = if died {
                    "a new instance died before it was healthy".to_owned()
                } else {
                    format!("not healthy after {}", update.health_timeout)
                };
                self.fail(now, count, why, seen, answer)
            }
            Stage::Watched(since) => {
                if self.target == Generation::New && self.are_too_many(seen, 0) {
                    return self.fail(now, 0, "a new instance failed under load".to_owned(), seen, answer);
                }
                if now < since.plus(update.monitor) {
                    return false;
                }
                if seen.unreached && self.target == Generation::New && update.on_failure != OnFailure::Continue {
                    let why = "requests reach the old instances, and none of them the new ones".to_owned();
                    answer.told.push(Progress::Failed { why });
                    return self.give_up(update.on_failure == OnFailure::Pause, seen, answer);
                }
                self.end_of_batch(now, seen)
            }
            Stage::Going(since) => {
                let first = update.order == Order::StartFirst && self.target == Generation::New;
                if first && self.are_too_many(seen, 0) {
                    answer.moves.push(Move::GiveTraffic { generation: Generation::Old });
                    // What is done next follows from what is seen once the old ones have traffic again.
                    let _ = self.fail(now, 0, "a new instance failed under load".to_owned(), seen, answer);
                    return false;
                }
                if now >= since.plus(update.drain) || seen.aside.iter().all(|member| member.idle) {
                    self.stop(answer);
                }
                false
            }
            Stage::Stopping => seen.aside.is_empty() && self.end_of_batch(now, seen),
            Stage::Resting(until) => {
                let over = now >= until;
                if over {
                    self.stage = Stage::Next;
                }
                over
            }
        }
    }

    /// Looks whether it can be done at all, and begins.
    fn prepare(&mut self, seen: &GenerationsSeen, answer: &mut Answer) -> bool {
        let given = self.deployment.limits;
        let old = seen.old_limits;
        self.limits = [old, Limits { cpu: given.cpu.or(old.cpu), memory: given.memory.or(old.memory) }];
        self.total = u32::try_from(seen.old.len()).unwrap_or(u32::MAX);
        if let Some(why) = self.refusal(seen) {
            answer.told.push(Progress::Refused { why });
            self.stage = Stage::Over;
            return false;
        }
        answer.told.push(Progress::Began);
        self.stage = Stage::Next;
        true
    }

    /// Why it cannot be done.
    fn refusal(&self, seen: &GenerationsSeen) -> Option<String> {
        let name = self.service();
        if seen.busy || !seen.aside.is_empty() || !seen.new.is_empty() {
            return Some(format!("another deployment of `{name}` is not over; wait for it, or undo it"));
        }
        if seen.old.is_empty() {
            return Some(format!("`{name}` has no instance to take the place of"));
        }
        let side_by_side = self.deployment.update.order == Order::StartFirst;
        let help = "use `order: stop-first`, or change its limits in place";
        if side_by_side && seen.stateful {
            return Some(format!("`{name}` holds data, so two of it never run side by side; {help}"));
        }
        if let Some(why) = self.deployment.alone.as_ref().filter(|_| side_by_side) {
            return Some(format!("two of `{name}` cannot run side by side, since {why}; {help}"));
        }
        if !seen.checked {
            return Some(format!("`{name}` has no health check, so nobody can tell when it is well; give it one"));
        }
        let given = self.deployment.limits;
        if let Some(cpu) = given.cpu.filter(|cpu| !(CPU.0..=CPU.1).contains(cpu)) {
            return Some(format!("a limit of {cpu} CPU is not between {} and {}", CPU.0, CPU.1));
        }
        if let Some(memory) = given.memory.filter(|memory| !(MEMORY.0..=MEMORY.1).contains(memory)) {
            return Some(format!("a limit of {memory} is not between {} and {}", MEMORY.0, MEMORY.1));
        }
        self.has_no_room(seen, side_by_side)
    }

    /// Why the host cannot hold what is started at a time beside what is there.
    fn has_no_room(&self, seen: &GenerationsSeen, side_by_side: bool) -> Option<String> {
        let [_, new] = self.limits;
        if let Some(cpu) = new.cpu.filter(|cpu| *cpu > seen.pool_cpu) {
            return Some(format!(
                "a limit of {cpu} CPU is more than the {} that containers may use here",
                seen.pool_cpu
            ));
        }
        let batch = u64::from(self.batch());
        let each = new.memory.unwrap_or(seen.held);
        let given_back = if side_by_side { Bytes::ZERO } else { seen.held.scaled(batch, 1) };
        let (need, free) = (each.scaled(batch, 1), seen.free_memory.plus(given_back));
        (need > free).then(|| {
            format!("{batch} new of {each} need {need}, and {free} are free; replace fewer at a time, or use `order: stop-first`")
        })
    }

    /// Instances that are replaced at a time.
    fn batch(&self) -> u32 {
        match self.deployment.update.parallelism {
            0 => self.total,
            most => most.min(self.total),
        }
    }

    /// What is to be done next, by how many instances of each generation have traffic.
    fn next(&mut self, now: Instant, seen: &GenerationsSeen, answer: &mut Answer) -> bool {
        let count = |generation| u32::try_from(seen.of(generation).len()).unwrap_or(u32::MAX);
        let (there, others) = (count(self.target), count(self.target.other()));
        if there >= self.total && others == 0 {
            return self.finish(seen, answer);
        }
        let both = there.saturating_add(others);
        let too_many = both.saturating_sub(self.total);
        let missing = self.total.saturating_sub(there);
        match self.deployment.update.order {
            Order::StartFirst if too_many > 0 => self.drain(now, too_many.min(others), answer),
            Order::StopFirst if both >= self.total => self.drain(now, self.batch().min(others), answer),
            Order::StartFirst => self.start(now, self.batch().min(missing), answer),
            Order::StopFirst => self.start(now, (self.total - both).min(missing), answer),
        }
        false
    }

    fn start(&mut self, now: Instant, count: u32, answer: &mut Answer) {
        let (generation, [old, new]) = (self.target, self.limits);
        // Once pulled, an image is there for all that follow.
        let pull = generation == Generation::New && core::mem::take(&mut self.deployment.new_image);
        let limits = if generation == Generation::New { new } else { old };
        answer.moves.push(Move::Start { generation, count, limits, pull });
        answer.told.push(Progress::Started { generation, count });
        self.stage = Stage::Coming(now, count);
    }

    fn give_traffic(&mut self, now: Instant, answer: &mut Answer) {
        answer.moves.push(Move::GiveTraffic { generation: self.target });
        answer.told.push(Progress::Switched { generation: self.target });
        self.stage = Stage::Watched(now);
    }

    fn drain(&mut self, now: Instant, count: u32, answer: &mut Answer) {
        let generation = self.target.other();
        answer.moves.push(Move::Drain { generation, count });
        answer.told.push(Progress::Draining { generation, count });
        self.stage = Stage::Going(now);
        if self.deployment.update.drain == Span::ZERO {
            self.stop(answer);
        }
    }

    fn stop(&mut self, answer: &mut Answer) {
        answer.moves.push(Move::Stop { grace: self.deployment.update.stop_grace });
        answer.told.push(Progress::Stopping);
        self.stage = Stage::Stopping;
    }

    /// Some instances are replaced. Before the next ones it rests.
    fn end_of_batch(&mut self, now: Instant, seen: &GenerationsSeen) -> bool {
        let all = seen.of(self.target).len() >= places(self.total);
        let between = match self.deployment.update.order {
            Order::StartFirst => matches!(self.stage, Stage::Stopping),
            Order::StopFirst => matches!(self.stage, Stage::Watched(..)),
        };
        let delay = self.deployment.update.delay;
        let rests = between && !all && delay > Span::ZERO && self.target == Generation::New;
        self.stage = if rests { Stage::Resting(now.plus(delay)) } else { Stage::Next };
        !rests
    }

    /// All instances are of the generation that was wanted.
    fn finish(&mut self, seen: &GenerationsSeen, answer: &mut Answer) -> bool {
        if self.target == Generation::New && seen.new_limits != self.limits[1] {
            let why = "the limits in force are not those that were asked for".to_owned();
            answer.told.extend([Progress::Failed { why }, Progress::RollingBack]);
            self.target = Generation::Old;
            return true;
        }
        answer.moves.push(Move::Finish);
        answer.told.push(if self.target == Generation::New { Progress::Done } else { Progress::RolledBack });
        self.stage = Stage::Over;
        false
    }

    /// Whether more of the new instances failed than may, with so many more that have no traffic yet.
    fn are_too_many(&self, seen: &GenerationsSeen, more: u32) -> bool {
        let failed = seen.new.iter().filter(|member| has_failed(member)).count() as u64 + u64::from(more);
        let most = self.deployment.update.max_failure_ratio.get() * u64::from(self.total);
        self.deployment.update.on_failure != OnFailure::Continue && failed * 1000 > most
    }

    /// New instances failed, so many of them without traffic. Whether what is to be done next can be looked at with what is
    /// seen already.
    fn fail(&mut self, now: Instant, count: u32, why: String, seen: &GenerationsSeen, answer: &mut Answer) -> bool {
        let too_many = self.are_too_many(seen, count);
        let coming = matches!(self.stage, Stage::Coming(..));
        answer.told.push(Progress::Failed { why });
        if self.target == Generation::New && !too_many {
            if coming {
                self.give_traffic(now, answer);
                return false;
            }
            return self.end_of_batch(now, seen);
        }
        self.give_up(self.deployment.update.on_failure == OnFailure::Pause, seen, answer)
    }

    /// The new instances will not do: all is made as it was before, or stays as it is. A way back is never taken back.
    fn give_up(&mut self, pause: bool, seen: &GenerationsSeen, answer: &mut Answer) -> bool {
        let coming = matches!(self.stage, Stage::Coming(..));
        if self.target == Generation::Old || pause {
            answer.told.push(Progress::Paused);
            self.stage = Stage::Over;
            return false;
        }
        answer.told.push(Progress::RollingBack);
        self.target = Generation::Old;
        if coming && !seen.aside.is_empty() {
            self.stop(answer);
            return false;
        }
        self.stage = Stage::Next;
        true
    }
}

fn places(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn is_well(member: &MemberSeen) -> bool {
    member.state == InstanceState::Healthy && member.restarts == 0
}

fn has_died(member: &MemberSeen) -> bool {
    member.state == InstanceState::Down || member.restarts > 0
}

fn has_failed(member: &MemberSeen) -> bool {
    has_died(member) || member.state == InstanceState::Unhealthy
}
