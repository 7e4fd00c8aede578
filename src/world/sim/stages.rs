//! Distributions of what calls take together: cached, tried again, one after another or at the same time. Before you
//! change it:
//! 1. All parts of a stage are independent of each other, so the longest of them is below a time when all are.
//! 2. Only calls that came back well count, since only requests that ended well are shown.

use super::requests::above;
use super::seen::Nearby;
use super::times::Library;
use super::times::Times;
use crate::units::Span;
use crate::units::whole;

/// Parts of one in which shares are told apart.
const PARTS: f64 = 256.0;

/// What a call is like, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct How {
    pub(super) count: u32,
    /// At the same time as the others of its stage.
    pub(super) parallel: bool,
    pub(super) cached: f64,
    pub(super) timeout: Option<f64>,
    /// Seconds on the network, there and back.
    pub(super) hops: f64,
    /// Further tries, and seconds before the first of them.
    pub(super) retries: (u32, f64),
}

/// What happens to a call now, told apart as finely as times show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct State {
    /// Share of tries that fail, and of these that are tried again, in 256 parts.
    fails: (u16, u16),
    /// Time of a try that fails, in sixteenths of a doubling of a microsecond.
    failing: u16,
    /// Share of calls that wait for a connection in 256 parts, and how long these wait as above.
    waits: (u16, u16),
    /// What all wait, as above.
    always: u16,
    /// The number of the network that it goes over.
    network: usize,
}

impl How {
    /// Nothing but a call.
    pub(super) const PLAIN: Self =
        Self { count: 1, parallel: false, cached: 0.0, timeout: None, hops: 0.0, retries: (0, 0.0) };
}

impl State {
    pub(super) fn new(fails: (f64, f64), failing: f64, waits: (f64, f64)) -> Self {
        Self {
            fails: (parts(fails.0), parts(fails.1)),
            failing: if fails.0 > 0.0 { doublings(failing) } else { 0 },
            waits: if parts(waits.0) > 0 { (parts(waits.0), doublings(waits.1)) } else { (0, 0) },
            always: 0,
            network: 0,
        }
    }

    /// The same over this network.
    pub(super) const fn over(self, network: usize) -> Self {
        Self { network, ..self }
    }

    /// The same after a wait of so many seconds.
    pub(super) fn after(self, seconds: f64) -> Self {
        Self { always: doublings(seconds), ..self }
    }

    /// The same after an exponential wait of a share of them.
    pub(super) fn waiting(self, chance: f64, mean: f64) -> Self {
        let waits = if parts(chance) > 0 { (parts(chance), doublings(mean)) } else { (0, 0) };
        Self { waits, ..self }
    }

    /// All wait so many seconds.
    pub(super) fn always(seconds: f64) -> Self {
        Self { always: doublings(seconds), ..Self::default() }
    }
}

fn parts(share: f64) -> u16 {
    u16::try_from(whole(share.clamp(0.0, 1.0) * PARTS)).unwrap_or(0)
}

fn doublings(seconds: f64) -> u16 {
    u16::try_from(whole(libm::log2((seconds * 1e6).max(1.0)) * 16.0)).unwrap_or(u16::MAX)
}

fn seconds(doublings: u16) -> f64 {
    if doublings == 0 { 0.0 } else { libm::exp2(f64::from(doublings) / 16.0) / 1e6 }
}

/// The calls of one kind in a stage: the distribution of the called service's times, what the call is like, how it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// Number of the distribution; `None` where nobody answers.
    pub(super) number: Option<usize>,
    /// Number of the [`How`].
    pub(super) how: usize,
    pub(super) state: State,
}

impl Library {
    /// The number of the distribution of the time that a stage takes.
    pub(super) fn stage(&mut self, parts: &[Part]) -> usize {
        if let Some(number) = self.stages.get(parts) {
            return *number;
        }
        let each: Vec<Times> = parts.iter().map(|part| self.part(part)).collect();
        let times = if each.len() == 1 { each.into_iter().next() } else { longest(&each) };
        let number = self.keep(times.unwrap_or_else(|| Times::point(0.0)));
        self.stages.insert(parts.to_vec(), number);
        number
    }

    /// The share of a called service's answers that come too late for a call over a network, and the mean time of the others
    /// over that of all: by the numbers of the distribution, of the call's [`How`] and of the network.
    /// `longer` is by how much all take longer than that distribution.
    pub(super) fn late(&mut self, number: usize, longer: f64, how: usize, network: usize) -> (f64, f64) {
        let key = (number, how, network);
        let (late, ratio) = match self.late_answers.get(&key) {
            Some(known) => *known,
            None => self.look_late(key),
        };
        (late.at(longer), ratio.at(longer))
    }

    fn look_late(&mut self, key: (usize, usize, usize)) -> (Nearby, Nearby) {
        let (number, how, network) = key;
        let How { timeout, hops, .. } = self.hows[how];
        let left = timeout.map_or(f64::INFINITY, |timeout| timeout - hops);
        let found = if left <= 0.0 {
            (Nearby([1.0; 3]), Nearby([1.0; 3]))
        } else {
            let times = self.times(number).as_is();
            let times = if network > 0 { times.plus(self.trips(network)) } else { times };
            let late = Nearby::of(left, |left| above(times.first(), times.shares(), left));
            (late, Nearby::of(left, |left| times.clone().cut(Some(left)).ratio))
        };
        self.late_answers.insert(key, found);
        found
    }

    /// All calls of one kind.
    fn part(&self, part: &Part) -> Times {
        let how = self.hows[part.how];
        let mut one = part.number.map_or_else(|| Times::point(0.0), |number| self.times(number).as_is());
        if part.state.always > 0 {
            one = one.plus(&Times::point(seconds(part.state.always)));
        }
        if part.state.waits.0 > 0 {
            let chance = f64::from(part.state.waits.0) / PARTS;
            let waits = one.plus(&Times::exponential(seconds(part.state.waits.1)));
            one = mixed(&[(1.0 - chance, one), (chance, waits)]);
        }
        if how.hops > 0.0 {
            one = one.plus(&Times::point(how.hops));
        }
        if part.state.network > 0 {
            one = one.plus(self.trips(part.state.network));
        }
        one = self.tried(one.cut(how.timeout).as_is(), &how, part.state);
        if how.cached > 0.0 {
            let (fails, again) = shares(part.state);
            let well = (1.0 - how.cached) * (1.0 - fails) * tries(fails * again, how.retries.0);
            let cached = how.cached / (how.cached + well);
            one = mixed(&[(cached, Times::point(0.0)), (1.0 - cached, one)]);
        }
        match how.count {
            1 => one,
            count if how.parallel => one.longest_of(f64::from(count)),
            count => self.repeated(&one, count),
        }
    }

    /// A call that may be tried again, where a try that ends well takes `one`.
    fn tried(&self, one: Times, how: &How, state: State) -> Times {
        let (fails, again) = shares(state);
        let each = fails * again;
        if each <= 0.0 || how.retries.0 == 0 {
            return one;
        }
        let failing = seconds(state.failing);
        let mut mixture = Vec::new();
        let (mut weight, mut before, mut wait) = (1.0, 0.0, how.retries.1);
        for _ in 0..=how.retries.0 {
            let times = if before > 0.0 { one.plus(&Times::point(before)) } else { one.clone() };
            mixture.push((weight, times));
            weight *= each;
            before += failing + wait;
            wait *= 2.0;
            if weight < 1e-6 {
                break;
            }
        }
        mixed(&mixture)
    }
}

fn shares(state: State) -> (f64, f64) {
    (f64::from(state.fails.0) / PARTS, f64::from(state.fails.1) / PARTS)
}

/// Mean number of tries, where each but the last is followed by another one with this probability.
pub(super) fn tries(again: f64, retries: u32) -> f64 {
    if again >= 1.0 {
        return f64::from(retries) + 1.0;
    }
    (1.0 - power(again, retries + 1)) / (1.0 - again)
}

/// A number times itself so often: `pow` for whole exponents, which are small here.
pub(super) fn power(base: f64, exponent: u32) -> f64 {
    let (mut result, mut square, mut left) = (1.0, base, exponent);
    while left > 0 {
        if left % 2 == 1 {
            result *= square;
        }
        square *= square;
        left /= 2;
    }
    result
}

/// One of these times, by weight.
pub(super) fn mixed(parts: &[(f64, Times)]) -> Times {
    let all: f64 = parts.iter().map(|part| part.0).sum();
    let first = parts.iter().map(|part| part.1.first()).min().unwrap_or(0);
    let end = parts.iter().map(|part| part.1.end()).max().unwrap_or(first + 1);
    let mut shares = vec![0.0; end - first];
    for (weight, times) in parts {
        for (share, more) in shares[times.first() - first..].iter_mut().zip(times.shares()) {
            *share += weight / all * more;
        }
    }
    Times::of((first, shares)).trimmed()
}

/// The longest of independent times.
fn longest(each: &[Times]) -> Option<Times> {
    let (first, end) = (each.iter().map(Times::first).max()?, each.iter().map(Times::end).max()?);
    let mut below = vec![1.0; end - first];
    for times in each {
        let mut sum: f64 = times.shares().iter().take(first - times.first()).sum();
        let mut shares = times.shares().iter().skip(first - times.first());
        for below in &mut below {
            sum += shares.next().copied().unwrap_or(0.0);
            *below *= sum.min(1.0);
        }
    }
    Some(Times::of((first, differences(&below))).trimmed())
}

fn differences(below: &[f64]) -> Vec<f64> {
    let mut before = 0.0;
    below.iter().map(|&sum| (sum - core::mem::replace(&mut before, sum)).max(0.0)).collect()
}

impl Times {
    /// Always so many seconds, split between the two buckets around it so that the mean stays.
    pub(super) fn point(time: f64) -> Self {
        let bucket = crate::model::Latencies::bucket(Span::from_nanos(whole(time * 1e9)));
        let middle = |bucket| Self::of((bucket, vec![1.0])).mean();
        let (here, other) = (middle(bucket), if time < middle(bucket) { bucket.saturating_sub(1) } else { bucket + 1 });
        if other == bucket || other >= crate::model::Latencies::buckets() {
            return Self::of((bucket, vec![1.0]));
        }
        let part = ((time - here) / (middle(other) - here)).clamp(0.0, 1.0);
        let shares = if other < bucket { vec![part, 1.0 - part] } else { vec![1.0 - part, part] };
        Self::of((bucket.min(other), shares))
    }

    /// Exponential with this mean in seconds.
    pub(super) fn exponential(mean: f64) -> Self {
        let lower = |bucket| crate::model::Latencies::lower(bucket).as_secs();
        let left = |bucket| libm::exp(-lower(bucket) / mean.max(1e-9));
        let shares = (0..crate::model::Latencies::buckets()).map(|bucket| left(bucket) - left(bucket + 1)).collect();
        Self::of((0, shares)).trimmed()
    }

    /// The longest of so many independent ones.
    fn longest_of(&self, count: f64) -> Self {
        let mut sum = 0.0;
        let below: Vec<f64> = self
            .shares()
            .iter()
            .map(|share| {
                sum += share;
                libm::pow(f64::min(sum, 1.0), count)
            })
            .collect();
        Self::of((self.first(), differences(&below))).trimmed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: How = How { parallel: true, ..How::PLAIN };

    /// The distribution of so many calls whose tries take 10 ms, exponential.
    fn mean(hows: &[How], state: State) -> f64 {
        let mut library = Library::new(1);
        let number = Some(library.keep(Times::exponential(0.01)));
        library.hows = hows.to_vec();
        let parts: Vec<Part> = (0..hows.len()).map(|how| Part { number, how, state }).collect();
        let stage = library.stage(&parts);
        library.times(stage).mean() / 0.01
    }

    /// The longest of n exponential times has the mean of the harmonic number.
    #[test]
    fn the_longest_of_exponential_times_is_harmonic() {
        let close = |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 0.01, "{found} for {wanted}");
        close(mean(&[PLAIN, PLAIN], State::default()), 1.5);
        close(mean(&[How { count: 4, ..PLAIN }], State::default()), 25.0 / 12.0);
        close(mean(&[How { count: 2, ..PLAIN }, How { count: 2, ..PLAIN }], State::default()), 25.0 / 12.0);
        close(mean(&[How { count: 4, parallel: false, ..PLAIN }], State::default()), 4.0);
        close(mean(&[How { cached: 0.75, ..PLAIN }], State::default()), 0.25);
        close(mean(&[How { hops: 0.005, ..PLAIN }], State::default()), 1.5);
    }

    /// With half of the tries failing and two more, the one that ends well is the first with 4/7, the second with 2/7,
    /// the third with 1/7; a failed try takes 20 ms and waits are 10 and 20 ms: 1 + 3 · 2/7 + (3 + 4) · 1/7 times 10 ms.
    #[test]
    fn failed_tries_and_waits_add_to_the_time() {
        let state = State::new((0.5, 1.0), 0.02, (0.0, 0.0));
        let found = mean(&[How { retries: (2, 0.01), ..PLAIN }], state);
        assert!((found / (1.0 + 6.0 / 7.0 + 1.0) - 1.0).abs() < 0.02, "{found}");
        assert!((tries(0.5, 2) - 1.75).abs() < 1e-12 && (tries(1.0, 2) - 3.0).abs() < 1e-12);
    }
}
