//! Counting, step by step: what came, what came out, what failed, how much CPU it took. Before you change it:
//! 1. This is all that a step costs while nothing changes. It allocates nothing and branches little.
//! 2. Counts are drawn, everything else is a mean. What scatters in the arrivals passes through to what comes out; in
//!    overload, where no more can come out, it goes into the queue, or into the requests that give up.
//! 3. A container uses no more CPU in a step than it may, and all of them no more than there is; the rest of the work is
//!    owed, and used later.
//! 4. Steps in which nothing changes are counted together, service by service, callers first: what each counts is then at
//!    hand. That is the very same as step by step, as long as there is CPU for all in each of them; where there is not, they
//!    are counted once more, one by one.

use super::arrivals::Arrivals;
use rand_pcg::Pcg64;

/// A container owes at most the work of so many steps at its limit; what is beyond was never really there.
const OWED_STEPS: f64 = 60.0;
/// Most steps that are counted together.
pub(super) const TOGETHER: usize = 64;

/// Where the scatter of the arrivals goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scatter {
    /// Below saturation: through.
    Through,
    /// Above saturation: into the queue.
    Queue,
    /// Above saturation, with requests giving up: into those.
    GivenUp,
    /// Nobody answers: all fail.
    Refused,
}

/// What one service counts. Rates are for one step, all instances together.
pub(super) struct Flow {
    pub(super) arrivals: Arrivals,
    pub(super) scatter: Scatter,
    /// Mean number that comes.
    pub(super) expected: f64,
    /// Mean number that comes out.
    pub(super) through: f64,
    /// Mean number that gives up inside.
    pub(super) given_up: f64,
    /// Share of what comes out that fails.
    pub(super) fails: f64,
    /// CPU of a request, in reference core-seconds.
    pub(super) work: f64,
    /// CPU used without requests, in reference core-seconds.
    pub(super) idle: f64,
    /// Most CPU, in reference core-seconds.
    pub(super) cap: f64,
    /// Its calls, as a range of all calls.
    pub(super) calls: (usize, usize),

    /// Calls that came in this step.
    pub(super) called: f64,
    /// Requests that came above their mean and did not come out yet; below zero, that came out before their time.
    pub(super) carried: f64,
    /// Work not yet done, in reference core-seconds.
    pub(super) owed: f64,
    /// CPU used in this step.
    used: f64,

    /// Requests so far.
    pub(super) arrived: f64,
    /// Failed requests so far.
    pub(super) failed: f64,
    /// Requests that came out since the last look.
    pub(super) out: f64,
    /// CPU since the last look, in reference core-seconds.
    pub(super) cpu: f64,
}

impl Flow {
    pub(super) const fn new(arrivals: Arrivals, calls: (usize, usize)) -> Self {
        Self {
            arrivals,
            scatter: Scatter::Refused,
            expected: 0.0,
            through: 0.0,
            given_up: 0.0,
            fails: 0.0,
            work: 0.0,
            idle: 0.0,
            cap: 0.0,
            calls,
            called: 0.0,
            carried: 0.0,
            owed: 0.0,
            used: 0.0,
            arrived: 0.0,
            failed: 0.0,
            out: 0.0,
            cpu: 0.0,
        }
    }

    /// Some steps, in which so many requests came: of these only those that come out are left there. The CPU that is used is
    /// added to that of the others.
    fn count(&mut self, came: &mut [f64], all: &mut [f64]) {
        let &mut Self { expected, through, given_up, fails, .. } = self;
        match self.scatter {
            Scatter::Through if self.is_even(came) => self.pass_on(came, all),
            Scatter::Through => self.each_step(came, all, |carried, failed, came| {
                let ready = through + (came - expected) + *carried;
                let goes = if ready > 0.0 { ready } else { 0.0 };
                *carried = ready - goes;
                *failed += given_up + goes * fails;
                goes
            }),
            Scatter::Queue => self.each_step(came, all, |carried, failed, came| {
                *carried += came - expected;
                *failed += given_up + through * fails;
                through
            }),
            Scatter::GivenUp => self.each_step(came, all, |carried, failed, came| {
                let leave = given_up + (came - expected) + *carried;
                let leaves = if leave > 0.0 { leave } else { 0.0 };
                *carried = leave - leaves;
                *failed += leaves + through * fails;
                through
            }),
            Scatter::Refused => self.each_step(came, all, |_, failed, came| {
                *failed += came;
                0.0
            }),
        }
    }

    /// Whether in each of these steps all that came goes through at once, and all its work is done: nothing is carried from one
    /// step to the next.
    fn is_even(&self, came: &[f64]) -> bool {
        let &Self { expected, through, work, idle, cap, .. } = self;
        let is_even = |came: f64| {
            let goes = through + (came - expected);
            (goes >= 0.0) & (goes * work + idle <= cap)
        };
        // Without a way out, so that a processor looks at several at a time.
        self.carried == 0.0 && self.owed == 0.0 && came.iter().fold(true, |even, came| even & is_even(*came))
    }

    /// Such steps: what [`Self::each_step`] makes of them, without a step waiting for the one before it.
    fn pass_on(&mut self, came: &mut [f64], all: &mut [f64]) {
        let &mut Self { expected, through, given_up, fails, work, idle, .. } = self;
        let Self { mut used, mut arrived, mut failed, mut out, mut cpu, .. } = *self;
        for (came, all) in came.iter_mut().zip(all) {
            arrived += *came;
            let goes = through + (*came - expected);
            failed += given_up + goes * fails;
            out += goes;
            used = goes * work + idle;
            cpu += used;
            *all += used;
            *came = goes;
        }
        (self.used, self.arrived, self.failed, self.out, self.cpu) = (used, arrived, failed, out, cpu);
    }

    /// The same with what one step makes of who is carried, who failed, and who came: who comes out.
    #[inline(always)]
    fn each_step(&mut self, came: &mut [f64], all: &mut [f64], step: impl Fn(&mut f64, &mut f64, f64) -> f64) {
        let &mut Self { work, idle, cap, .. } = self;
        let Self { mut carried, mut owed, mut used, mut arrived, mut failed, mut out, mut cpu, .. } = *self;
        for (came, all) in came.iter_mut().zip(all) {
            arrived += *came;
            let goes = step(&mut carried, &mut failed, *came);
            out += goes;
            owed += goes * work + idle;
            used = if owed < cap { owed } else { cap };
            let (left, most) = (owed - used, OWED_STEPS * cap);
            owed = if left < most { left } else { most };
            cpu += used;
            *all += used;
            *came = goes;
        }
        (self.carried, self.owed, self.used) = (carried, owed, used);
        (self.arrived, self.failed, self.out, self.cpu) = (arrived, failed, out, cpu);
    }

    /// What it has counted so far.
    fn counted(&self) -> Counted {
        let &Self { called, carried, owed, arrived, failed, out, cpu, .. } = self;
        Counted { figures: [called, carried, owed, arrived, failed, out, cpu], luck: self.arrivals.place() }
    }

    /// As if nothing had been counted since.
    fn go_back(&mut self, before: &Counted) {
        let Counted { figures: [called, carried, owed, arrived, failed, out, cpu], luck } = before;
        (self.called, self.carried, self.owed) = (*called, *carried, *owed);
        (self.arrived, self.failed, self.out, self.cpu) = (*arrived, *failed, *out, *cpu);
        self.arrivals.go_back(luck);
    }
}

/// What one service has counted.
struct Counted {
    figures: [f64; 7],
    luck: Pcg64,
}

/// Room for the arithmetic, kept so that it allocates nothing.
#[derive(Default)]
pub(super) struct Counter {
    /// Requests of each service in each step: that come from those before it, then that come out.
    rows: Vec<[f64; TOGETHER]>,
    /// CPU used in each step, in reference core-seconds.
    used: Vec<f64>,
    before: Vec<Counted>,
}

impl Counter {
    /// Counts some steps of all services, callers first, on a host with `room` reference core-seconds for them in each. False,
    /// and nothing is counted, where several steps cannot be counted together, since there is not enough CPU in one of them.
    pub(super) fn count(&mut self, flows: &mut [Flow], calls: &[(usize, f64)], room: f64, steps: usize) -> bool {
        self.used.clear();
        self.used.resize(steps, 0.0);
        self.before.clear();
        if steps > 1 {
            self.before.extend(flows.iter().map(Flow::counted));
        }
        self.rows.resize(flows.len(), [0.0; TOGETHER]);
        for (row, flow) in self.rows.iter_mut().zip(flows.iter_mut()) {
            row[..steps].fill(0.0);
            row[0] = core::mem::take(&mut flow.called);
        }
        for (index, flow) in flows.iter_mut().enumerate() {
            let (done, others) = self.rows.split_at_mut(index + 1);
            let row = &mut done[index][..steps];
            flow.arrivals.draw(row);
            flow.count(row, &mut self.used);
            let (from, to) = flow.calls;
            for &(called, times) in &calls[from..to] {
                for (comes, goes) in others[called - index - 1].iter_mut().zip(&*row) {
                    *comes += goes * times;
                }
            }
        }
        if self.used.iter().all(|used| *used <= room) {
            return true;
        }
        if steps > 1 {
            self.go_back(flows);
            return false;
        }
        let too_much = 1.0 - room / self.used[0];
        for flow in flows {
            let later = flow.used * too_much;
            flow.cpu -= later;
            flow.owed = (flow.owed + later).min(OWED_STEPS * flow.cap);
        }
        self.used[0] = room;
        true
    }

    /// As if the steps that were counted together last had not been counted.
    pub(super) fn go_back(&self, flows: &mut [Flow]) {
        flows.iter_mut().zip(&self.before).for_each(|(flow, before)| flow.go_back(before));
    }

    /// CPU used in each of the steps that were counted last, in reference core-seconds.
    pub(super) fn used(&self) -> &[f64] {
        &self.used
    }
}
