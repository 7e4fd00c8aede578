//! One step of counting: what came, what came out, what failed, how much CPU it took. Before you change it:
//! 1. This is all that a step costs while nothing changes. It allocates nothing and branches little.
//! 2. Counts are drawn, everything else is a mean. What scatters in the arrivals passes through to what comes out; in
//!    overload, where no more can come out, it goes into the queue, or into the requests that give up.
//! 3. A container uses no more CPU in a step than it may, and all of them no more than there is; the rest of the work is
//!    owed, and used later.

use super::arrivals::Arrivals;

/// A container owes at most the work of so many steps at its limit; what is beyond was never really there.
const OWED_STEPS: f64 = 60.0;

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

    /// Requests of one step: what comes out.
    fn requests(&mut self) -> f64 {
        let came = self.arrivals.draw() + self.called;
        self.called = 0.0;
        self.arrived += came;
        let more = came - self.expected;
        match self.scatter {
            Scatter::Through => {
                let ready = self.through + more + self.carried;
                let out = ready.max(0.0);
                self.carried = ready - out;
                self.failed += self.given_up + out * self.fails;
                out
            }
            Scatter::Queue => {
                self.carried += more;
                self.failed += self.given_up + self.through * self.fails;
                self.through
            }
            Scatter::GivenUp => {
                let leave = self.given_up + more + self.carried;
                let leaves = leave.max(0.0);
                self.carried = leave - leaves;
                self.failed += leaves + self.through * self.fails;
                self.through
            }
            Scatter::Refused => {
                self.failed += came;
                0.0
            }
        }
    }
}

/// Counts one step of all services, callers first, on a host with `room` reference core-seconds for them; the CPU used.
pub(super) fn count(flows: &mut [Flow], calls: &[(usize, f64)], room: f64) -> f64 {
    let mut all = 0.0;
    for index in 0..flows.len() {
        let flow = &mut flows[index];
        let out = flow.requests();
        flow.out += out;
        flow.owed += out * flow.work + flow.idle;
        flow.used = flow.owed.min(flow.cap);
        flow.owed = (flow.owed - flow.used).min(OWED_STEPS * flow.cap);
        flow.cpu += flow.used;
        all += flow.used;
        let (from, to) = flow.calls;
        for &(called, times) in &calls[from..to] {
            flows[called].called += out * times;
        }
    }
    if all <= room {
        return all;
    }
    let too_much = 1.0 - room / all;
    for flow in flows {
        let later = flow.used * too_much;
        flow.cpu -= later;
        flow.owed = (flow.owed + later).min(OWED_STEPS * flow.cap);
    }
    room
}
