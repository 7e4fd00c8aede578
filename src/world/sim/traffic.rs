//! Offered load: the rate of a pattern over time. Before you change it:
//! 1. A rate holds for a stretch; `Traffic::stretch` says how long, and gives the mean over it, so that no request is
//!    lost or won by holding it.
//! 2. Steps, corners and bursts end a stretch exactly; straight lines are cut where they moved by 0.5 % of their height,
//!    all that changes smoothly every minute at the latest: a cosine over the day moves by 0.22 % of its height in one.

use crate::model::Pattern;
use crate::seed::Seed;
use crate::units::Rate;
use crate::units::Span;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

const DAY: f64 = 86_400.0;
/// Longest time a smoothly changing rate is held.
const HOLD: Span = Span::from_secs(60);
/// Share of its height that a straight line may move in one stretch.
const MOVE: f64 = 0.005;

/// The load on one service over time.
pub(super) struct Traffic {
    pattern: Pattern,
    step: Span,
    bursts: Pcg64,
    /// The present stretch of a bursty pattern: whether it is a burst, and when it ends.
    burst: (bool, Span),
    /// Where in a list of points the time is.
    cursor: usize,
}

impl Traffic {
    /// A pattern, looked at in steps of `step`; `name` names the random stream of its bursts.
    pub(super) fn new(pattern: &Pattern, step: Span, seed: Seed, name: &str) -> Self {
        let bursts = seed.stream(&format!("burst/{name}"));
        Self { pattern: pattern.clone(), step, bursts, burst: (true, Span::ZERO), cursor: 0 }
    }

    /// The mean rate from `now` on in requests per second (of clients in a closed loop: how many there are), and until
    /// when it holds. Ask at growing times.
    pub(super) fn stretch(&mut self, now: Span) -> (f64, Span) {
        match &self.pattern {
            Pattern::Constant { rate } => (rate.as_per_second(), Span::MAX),
            Pattern::Ramp { from, to, start, over } => {
                let corners = [(*start, *from), (start.plus(*over), *to)];
                line(&corners, corners.iter().filter(|corner| corner.0 <= now).count(), now, self.step)
            }
            Pattern::Steps(levels) => {
                advance(&mut self.cursor, levels.len(), |index| levels[index].0 <= now);
                let rate = self.cursor.checked_sub(1).map_or(Rate::ZERO, |index| levels[index].1);
                (rate.as_per_second(), levels.get(self.cursor).map_or(Span::MAX, |next| next.0))
            }
            Pattern::Points(corners) => {
                advance(&mut self.cursor, corners.len(), |index| corners[index].0 <= now);
                line(corners, self.cursor, now, self.step)
            }
            Pattern::Diurnal { low, high, peak_at } => {
                let until = now.plus(HOLD);
                let at = now.as_secs().midpoint(until.as_secs());
                (wave(*low, *high, at - peak_at.as_secs()), until)
            }
            Pattern::Weekly { low, high, weekend, peak_at } => {
                let until = now.plus(HOLD);
                let since_peak = now.as_secs().midpoint(until.as_secs()) - peak_at.as_secs();
                let top = if is_weekend(since_peak) { *weekend } else { *high };
                (wave(*low, top, since_peak), until)
            }
            Pattern::FlashCrowd { base, peak, at, rise, hold, fall } => {
                let (full, leaves) = (at.plus(*rise), at.plus(*rise).plus(*hold));
                let corners = [(*at, *base), (full, *peak), (leaves, *peak), (leaves.plus(*fall), *base)];
                line(&corners, corners.iter().filter(|corner| corner.0 <= now).count(), now, self.step)
            }
            Pattern::Bursty { low, high, quiet, burst } => {
                while self.burst.1 <= now {
                    let bursting = !self.burst.0;
                    let mean = if bursting { burst } else { quiet };
                    let length = -libm::log(uniform(&mut self.bursts)) * mean.nanos().max(1) as f64;
                    self.burst = (bursting, self.burst.1.plus(Span::from_nanos(crate::units::whole(length).max(1))));
                }
                (if self.burst.0 { high } else { low }.as_per_second(), self.burst.1)
            }
            Pattern::Clients { clients, .. } => {
                advance(&mut self.cursor, clients.len(), |index| clients[index].0 <= now);
                let number = self.cursor.checked_sub(1).map_or(0, |index| clients[index].1);
                (f64::from(number), clients.get(self.cursor).map_or(Span::MAX, |next| next.0))
            }
            Pattern::Trace(values) => {
                advance(&mut self.cursor, values.len(), |index| values[index].0 <= now);
                let rate = self.cursor.checked_sub(1).and_then(|index| values[index].1).unwrap_or(Rate::ZERO);
                (rate.as_per_second(), values.get(self.cursor).map_or(Span::MAX, |next| next.0))
            }
        }
    }
}

/// A number above zero, up to one.
pub(super) fn uniform(random: &mut Pcg64) -> f64 {
    in_parts(random).cast_signed() as f64 * PART
}

/// How many parts of `0..1` [`uniform`] knows, as a power of two, and how long each is.
pub(super) const PARTS_LOG: u32 = 53;
pub(super) const PART: f64 = 1.0 / (1_u64 << PARTS_LOG) as f64;

/// The same number as [`uniform`], in parts of [`PART`].
pub(super) fn in_parts(random: &mut Pcg64) -> u64 {
    (random.next_u64() >> (u64::BITS - PARTS_LOG)) + 1
}

fn advance(cursor: &mut usize, length: usize, passed: impl Fn(usize) -> bool) {
    while *cursor < length && passed(*cursor) {
        *cursor += 1;
    }
}

/// The rate between corner `next - 1` and corner `next`, level outside of all.
fn line(corners: &[(Span, Rate)], next: usize, now: Span, step: Span) -> (f64, Span) {
    let (Some(before), Some(after)) = (next.checked_sub(1).and_then(|index| corners.get(index)), corners.get(next))
    else {
        return match corners.get(next).or(corners.last()) {
            Some(&(_, rate)) => (rate.as_per_second(), corners.get(next).map_or(Span::MAX, |corner| corner.0)),
            None => (0.0, Span::MAX),
        };
    };
    let (from, to) = (before.1.as_per_second(), after.1.as_per_second());
    let length = after.0.minus(before.0);
    if from == to {
        return (from, after.0);
    }
    let piece = length.as_secs() * MOVE * from.max(to) / (to - from).abs();
    let piece = Span::from_nanos(crate::units::whole(piece * 1e9)).min(HOLD);
    let until = now.plus(step.times(piece.nanos().div_ceil(step.nanos().max(1)).max(1))).min(after.0);
    let middle = now.as_secs().midpoint(until.as_secs()) - before.0.as_secs();
    (from + (to - from) * middle / length.as_secs(), until)
}

/// A cosine over the day, `since_peak` seconds after a peak.
fn wave(low: Rate, high: Rate, since_peak: f64) -> f64 {
    let (low, high) = (low.as_per_second(), high.as_per_second());
    low + (high - low) * (1.0 + libm::cos(since_peak / DAY * core::f64::consts::TAU)) / 2.0
}

/// Whether the nearest peak is that of a Saturday or a Sunday; so the curve changes its height when it is lowest, and
/// never jumps. The run starts at midnight of a Monday.
fn is_weekend(since_peak: f64) -> bool {
    let day = ((since_peak + DAY / 2.0) / DAY).floor();
    let day = day - (day / 7.0).floor() * 7.0;
    day >= 5.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(pattern: &Pattern) -> Traffic {
        Traffic::new(pattern, Span::from_secs(1), Seed::new(1), "web")
    }

    /// Requests offered up to `end`, by walking from stretch to stretch.
    fn offered(pattern: &Pattern, end: Span) -> f64 {
        let mut traffic = traffic(pattern);
        let (mut now, mut count) = (Span::ZERO, 0.0);
        while now < end {
            let (rate, until) = traffic.stretch(now);
            assert!(until > now && rate >= 0.0);
            count += rate * until.min(end).minus(now).as_secs();
            now = until.min(end);
        }
        count
    }

    #[test]
    fn no_request_is_lost_by_holding_a_rate() {
        let secs = Span::from_secs;
        let rate = Rate::per_second;
        let ramp = Pattern::Ramp { from: rate(10), to: rate(110), start: secs(60), over: secs(100) };
        assert!((offered(&ramp, secs(260)) - (600.0 + 6000.0 + 11_000.0)).abs() < 1e-6);
        let points = Pattern::Points(vec![(secs(0), rate(0)), (secs(3), rate(30)), (secs(7), rate(10))]);
        assert!((offered(&points, secs(10)) - (45.0 + 80.0 + 30.0)).abs() < 1e-6);
        let steps = Pattern::Steps(vec![(secs(5), rate(7)), (secs(9), rate(1))]);
        assert!((offered(&steps, secs(12)) - 31.0).abs() < 1e-9);
        let crowd = Pattern::FlashCrowd {
            base: rate(1),
            peak: rate(101),
            at: secs(10),
            rise: secs(4),
            hold: secs(5),
            fall: secs(10),
        };
        assert!((offered(&crowd, secs(40)) - (40.0 + 200.0 + 500.0 + 500.0)).abs() < 1e-6);
        let day = Pattern::Diurnal { low: rate(5), high: rate(25), peak_at: Span::from_mins(20 * 60) };
        assert!((offered(&day, secs(86_400)) / (15.0 * 86_400.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_weekend_has_its_own_height_and_the_curve_never_jumps() {
        let pattern = Pattern::Weekly {
            low: Rate::per_second(2),
            high: Rate::per_second(50),
            weekend: Rate::per_second(10),
            peak_at: Span::from_mins(20 * 60),
        };
        let mut traffic = traffic(&pattern);
        let (mut last, mut peaks) = (traffic.stretch(Span::ZERO).0, Vec::new());
        for second in (60..7 * 86_400).step_by(60) {
            let rate = traffic.stretch(Span::from_secs(second)).0;
            assert!((rate - last).abs() < 0.003 * 48.0, "a jump at {second} s");
            last = rate;
            if second % 86_400 == 72_000 {
                peaks.push(rate.round());
            }
        }
        assert_eq!(peaks, [50.0, 50.0, 50.0, 50.0, 50.0, 10.0, 10.0]);
    }

    #[test]
    fn bursts_last_as_long_as_they_should() {
        let pattern = Pattern::Bursty {
            low: Rate::ZERO,
            high: Rate::per_second(1),
            quiet: Span::from_secs(300),
            burst: Span::from_secs(100),
        };
        let share = offered(&pattern, Span::from_secs(4_000_000)) / 4e6;
        assert!((share - 0.25).abs() < 0.01, "{share}");
    }
}
