//! One direction of the line: transfers that share its bandwidth equally, as TCP connections about do. Before you change it:
//! 1. With `N` transfers in progress each gets `1 / (1 + N)` of the line: the pointwise stationary approximation of
//!    processor sharing. At rest `N = load / (1 − load)`, and a transfer takes `size / bandwidth / (1 − load)` whatever the
//!    sizes are (M/G/1-PS is insensitive: Kelly 1979); above its capacity it is the fluid limit.
//! 2. All transfers of a service are of one size. A transfer passes [`STAGES`] equal stages (Erlang's method), so that under
//!    a growing backlog most are half done, as they are; with one stage the backlog would grow too slowly.
//! 3. It is solved implicitly, so any step is stable. What comes from clients who wait for answers falls with the number
//!    in progress, and is found together with it.

use crate::world::sim::requests::CHANGE;
use crate::world::sim::requests::LONG;
use crate::world::sim::requests::NEAR;
use crate::world::sim::zero;

/// Stages of a transfer.
const STAGES: usize = 32;
/// A step after which everything is at rest.
const FOREVER: f64 = 1e9;

/// Who begins transfers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Source {
    /// So many a second.
    Open(f64),
    /// So many clients, who begin the next so many seconds after the end of one.
    Clients { number: f64, rest: f64 },
}

/// The transfers of one service in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transfers {
    /// Seconds that one takes on an idle line.
    pub(super) alone: f64,
    pub(super) source: Source,
    /// Seconds after which who waits gives up.
    pub(super) patience: f64,
    /// In progress, by stage.
    stages: [f64; STAGES],
    /// By how many each of these grows in a second.
    growth: [f64; STAGES],
    /// Begin, end and are given up in a second.
    pub(super) begun: f64,
    pub(super) ended: f64,
    pub(super) given_up: f64,
    /// Mean seconds of those that end.
    pub(super) time: f64,
    /// Share of the line that they use.
    pub(super) used: f64,
    /// Of those in progress, the share that a new one finds, where they are of clients who do not meet themselves.
    found: f64,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            alone: 0.0,
            source: Source::Open(0.0),
            patience: f64::INFINITY,
            stages: [0.0; STAGES],
            growth: [0.0; STAGES],
            begun: 0.0,
            ended: 0.0,
            given_up: 0.0,
            time: 0.0,
            used: 0.0,
            found: 1.0,
        }
    }
}

/// The transfers of a service after a step.
#[derive(Debug, Clone, Copy)]
struct After {
    stages: [f64; STAGES],
    begun: f64,
    ended: f64,
    given_up: f64,
}

impl After {
    fn inside(&self) -> f64 {
        self.stages.iter().sum()
    }
}

impl Transfers {
    /// Transfers in progress.
    pub(super) fn inside(&self) -> f64 {
        self.stages.iter().sum()
    }

    /// None in progress, and none begin.
    pub(super) fn clear(&mut self) {
        *self = Self { alone: self.alone, ..Self::default() };
    }

    /// Stages that a transfer passes in a second, with so many in progress.
    fn pace(&self, inside: f64) -> f64 {
        STAGES as f64 / (self.alone * (1.0 + inside * self.found))
    }

    /// What it is after a step, if so many are in progress then.
    fn after(&self, inside: f64, step: f64) -> After {
        let pace = self.pace(inside);
        let stay = 1.0 / (1.0 + step * pace);
        // Each stage is a multiple of what begins, and what is left of those there now.
        let (mut left, mut more) = ([0.0; STAGES], 0.0);
        let (mut before, mut each) = (0.0, step * stay);
        for (left, stage) in left.iter_mut().zip(&self.stages) {
            before = stay * (stage + step * pace * before);
            *left = before;
            more += each;
            each *= step * pace * stay;
        }
        let all: f64 = left.iter().sum();
        let begun = match self.source {
            Source::Open(rate) => rate,
            Source::Clients { number, rest } => ((number - all) / (rest.max(1e-9) + more)).max(0.0),
        };
        let mut each = begun * step * stay;
        let mut stages = left;
        for stage in &mut stages {
            *stage += each;
            each *= step * pace * stay;
        }
        let mut ended = pace * stages[STAGES - 1];
        let inside: f64 = stages.iter().sum();
        // Nobody is here for longer than the patience: no more than came in that time, and who is here leaves within it.
        let mut given_up = 0.0;
        let most = |patience: f64| (begun * patience).max(self.inside() * (1.0 - step / patience));
        let most = if self.patience.is_finite() { most(self.patience) } else { f64::INFINITY };
        if inside > most {
            let kept = most.max(0.0) / inside;
            stages.iter_mut().for_each(|stage| *stage *= kept);
            ended *= kept;
            given_up = (begun - ended - (inside * kept - self.inside()) / step).max(0.0);
        }
        After { stages, begun, ended, given_up }
    }

    /// Takes over what a step makes of it, with so many of all in progress after it, who grow by so many a second.
    fn take(&mut self, after: After, (inside, growing): (f64, f64), step: f64) {
        for ((growth, stage), next) in self.growth.iter_mut().zip(&self.stages).zip(&after.stages) {
            *growth = (next - stage) / step;
        }
        (self.begun, self.ended, self.given_up) = (after.begun, after.ended, after.given_up);
        self.used = after.inside() / (1.0 + inside);
        // While the number grows, those that end now have shared the line with fewer: of a number that grows by `g` a
        // second, `∫ ds / n(s)` over the time of a transfer is what it needs.
        let alone = self.alone * (1.0 + inside * self.found);
        let grown = growing * self.found * self.alone;
        self.time = if grown.abs() < 1e-6 { alone } else { alone * (1.0 - libm::exp(-grown)) / grown };
    }
}

/// One direction of the line.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    /// In the order of the services; those without any take no time and never begin.
    pub(super) all: Vec<Transfers>,
    /// Share of the line that is used.
    pub(super) load: f64,
    /// Mean seconds on an idle line that is left of a transfer in progress, and transfers that begin in a second.
    pub(super) residual: f64,
    pub(super) begun: f64,
}

impl Way {
    /// A direction without transfers, for so many services.
    pub(super) fn of(services: usize) -> Self {
        Self { all: vec![Transfers::default(); services], ..Self::default() }
    }

    /// The means of the coming step of so many seconds; for how many seconds they hold.
    pub(super) fn look(&mut self, step: f64) -> f64 {
        let before: f64 = self.all.iter().map(Transfers::inside).sum();
        for one in &mut self.all {
            one.found = match one.source {
                Source::Open(_) => 1.0,
                // Of so many clients, a new transfer finds those of the others (Reiser and Lavenberg 1980).
                Source::Clients { number, .. } if before > 0.0 => 1.0 - one.inside() / before / number.max(1.0),
                Source::Clients { number, .. } => 1.0 - 1.0 / number.max(1.0),
            };
        }
        let rests = self.rests();
        let time = if rests { FOREVER } else { step };
        let inside = self.solve(time);
        let growing = if rests { 0.0 } else { (inside - before) / step };
        for one in self.all.iter_mut().filter(|one| one.alone > 0.0) {
            let after = one.after(inside, time);
            if rests {
                one.stages = after.stages;
            }
            one.take(after, (inside, growing), step);
        }
        self.load = inside / (1.0 + inside);
        self.begun = self.all.iter().map(|one| one.begun).sum();
        let work: f64 = self.all.iter().map(|one| one.begun * one.alone).sum();
        let squares: f64 = self.all.iter().map(|one| one.begun * one.alone * one.alone).sum();
        self.residual = if work > 0.0 { squares / work / 2.0 } else { 0.0 };
        // What one service has less and another more is a change, too.
        let changing: f64 = self.all.iter().flat_map(|one| &one.growth).map(|growth| growth.abs()).sum();
        let holds = before * CHANGE / changing;
        if rests {
            f64::INFINITY
        } else if before > LONG && holds > step {
            holds
        } else {
            0.0
        }
    }

    /// Whether all transfers are as good as at rest.
    fn rests(&self) -> bool {
        let work: f64 = self.all.iter().map(|one| one.alone * rate(one.source)).sum();
        let open = self.all.iter().all(|one| matches!(one.source, Source::Open(_)));
        if open && work >= 1.0 - NEAR && self.all.iter().all(|one| one.patience == f64::INFINITY) {
            return false;
        }
        let inside = self.solve(FOREVER);
        self.all.iter().filter(|one| one.alone > 0.0).all(|one| {
            let rest = one.after(inside, FOREVER);
            let (here, there) = (one.inside(), rest.inside());
            (here - there).abs() <= NEAR * there + 1e-9
        })
    }

    /// How many are in progress after a step of so many seconds: what comes of a number grows more slowly than the number,
    /// so there is one that comes of itself.
    fn solve(&self, step: f64) -> f64 {
        let comes_of = |inside: f64| -> f64 {
            self.all.iter().filter(|one| one.alone > 0.0).map(|one| one.after(inside, step).inside()).sum()
        };
        let (mut low, mut high) = (0.0, 1.0);
        while comes_of(high) > high && high < 1e15 {
            (low, high) = (high, high * 2.0);
        }
        zero::rising(low, high, 1e-12, |inside| inside - comes_of(inside))
    }

    /// Time passes under the means that hold.
    pub(super) fn pass(&mut self, seconds: f64) {
        for one in self.all.iter_mut().filter(|one| one.alone > 0.0) {
            for (stage, growth) in one.stages.iter_mut().zip(&one.growth) {
                *stage = (*stage + growth * seconds).max(0.0);
            }
        }
    }

    /// A share of the transfers of a service is cut off; how many that are.
    pub(super) fn cut(&mut self, index: usize, share: f64) -> f64 {
        let one = &mut self.all[index];
        let cut = one.inside() * share;
        one.stages.iter_mut().for_each(|stage| *stage *= 1.0 - share);
        one.growth = [0.0; STAGES];
        cut
    }

    /// A share of the transfers of a service goes on as those of another.
    pub(super) fn give(&mut self, from: usize, to: usize, share: f64) {
        let stages = self.all[from].stages;
        self.cut(from, share);
        self.all[to].growth = [0.0; STAGES];
        for (there, stage) in self.all[to].stages.iter_mut().zip(stages) {
            *there += stage * share;
        }
    }

    /// Squared coefficient of variation of the time of a transfer that finds the line as it is now. For processor sharing
    /// of a size `s`: `2 / (1 − ρ)² · ∫₀ˢ (s − t) (1 − W(t)) dt`, where `W` is the distribution of the wait in the same queue
    /// served in order (Yashkov 1987). Its tail is taken as exponential with the mean of Pollaczek and Khinchine, which is
    /// exact for exponential sizes.
    pub(super) fn variation(&self, index: usize) -> f64 {
        let (alone, load) = (self.all[index].alone, self.load);
        let wait = self.residual / (1.0 - load).max(1e-9);
        if wait <= 0.0 || alone <= 0.0 {
            return 0.0;
        }
        let part = alone / wait;
        let left =
            if part < 1e-3 { part * part / 2.0 - part * part * part / 6.0 } else { part - 1.0 + libm::exp(-part) };
        2.0 * load * left / (part * part)
    }
}

/// Transfers that begin in a second at most.
const fn rate(source: Source) -> f64 {
    match source {
        Source::Open(rate) => rate,
        Source::Clients { .. } => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(services: &[(f64, Source)]) -> Way {
        let all = services.iter().map(|&(alone, source)| Transfers { alone, source, ..Transfers::default() });
        Way { all: all.collect(), ..Way::default() }
    }

    fn settle(way: &mut Way, steps: usize) {
        for _ in 0..steps {
            way.look(1.0);
            way.pass(1.0);
        }
    }

    fn close(found: f64, wanted: f64, within: f64) {
        assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
    }

    /// Processor sharing is insensitive: each transfer takes `size / bandwidth / (1 − load)`, whatever the others' sizes are.
    #[test]
    fn a_transfer_at_rest_takes_its_size_over_what_is_left() {
        for load in [0.1, 0.5, 0.8, 0.9, 0.97] {
            let mut way = way(&[(0.01, Source::Open(load * 60.0)), (0.2, Source::Open(load * 2.0))]);
            settle(&mut way, 3000);
            assert_eq!(way.look(1.0), f64::INFINITY, "it is at rest at {load}");
            close(way.all[0].time, 0.01 / (1.0 - load), 1e-6);
            close(way.all[1].time, 0.2 / (1.0 - load), 1e-6);
            close(way.load, load, 1e-6);
            close(way.all[1].ended, load * 2.0, 1e-6);
        }
    }

    /// The fluid limit of overloaded processor sharing: the number grows by `g` of what comes, the root of
    /// `g = 1 − e^(−gρ)` for sizes all alike (Jean-Marie and Robert 1994), and a transfer that ends at `t` takes `gt`.
    #[test]
    fn an_overloaded_line_fills_as_its_fluid_limit() {
        for load in [1.2, 1.5, 2.0] {
            let mut grows: f64 = 0.5;
            (0..200).for_each(|_| grows = 1.0 - libm::exp(-grows * load));
            let mut way = way(&[(0.1, Source::Open(load * 10.0))]);
            settle(&mut way, 1000);
            close(way.all[0].inside(), grows * load * 10_000.0, 0.04);
            close(way.all[0].time, grows * 1000.0, 0.04);
            close(way.load, 1.0, 1e-3);
        }
    }

    /// What piled up is gone after as long as the line needs for what was not sent.
    #[test]
    fn a_full_line_drains_by_what_it_has_left() {
        let mut way = way(&[(0.1, Source::Open(15.0))]);
        settle(&mut way, 600);
        // Of 900 seconds' worth of bytes 600 were sent; at a load of 0.5 the rest takes twice 300 s.
        way.all[0].source = Source::Open(5.0);
        settle(&mut way, 560);
        assert!(way.all[0].inside() > 20.0, "{}", way.all[0].inside());
        settle(&mut way, 80);
        assert!(way.all[0].inside() < 2.0, "{}", way.all[0].inside());
    }

    /// Mean value analysis of a line and clients who think: exact for processor sharing (Reiser and Lavenberg 1980).
    #[test]
    fn clients_on_a_line_are_those_of_mean_value_analysis() {
        for clients in [1.0_f64, 4.0, 20.0] {
            let (mut number, mut queue, mut rate) = (1.0, 0.0, 0.0);
            while number <= clients {
                let time = 0.1 * (1.0 + queue);
                rate = number / (0.5 + time);
                queue = rate * time;
                number += 1.0;
            }
            let mut way = way(&[(0.1, Source::Clients { number: clients, rest: 0.5 })]);
            settle(&mut way, 200);
            close(way.all[0].ended, rate, 0.04);
            close(way.all[0].inside(), queue, 0.08);
        }
    }

    /// Nobody waits longer than the patience, and what came in that time is all there is.
    #[test]
    fn who_is_late_gives_up() {
        let mut way = way(&[(1.0, Source::Open(4.0))]);
        way.all[0].patience = 30.0;
        settle(&mut way, 400);
        close(way.all[0].inside(), 120.0, 1e-6);
        let all = &way.all[0];
        close(all.ended + all.given_up, 4.0, 1e-6);
        assert!(all.time > 30.0, "all are late: {}", all.time);
    }
}
