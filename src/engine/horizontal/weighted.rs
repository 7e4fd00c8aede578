//! A weighted mean of figures (register E5): each over what counts as one, times its weight, over all weights. Before you
//! change it:
//! 1. Figures are not cut off at one: a response time of 10 s counts twice as much as one of 5 s.
//! 2. A figure that nobody measures counts neither for the sum nor for the weights.
//! 3. One instance at a time; two where the mean is more than half-way from its bound to one, or to zero.

use super::Readings;
use super::Verdict;
use crate::model::Guard;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Signal;
use crate::model::WeightedPart;
use crate::model::WeightedScore;
use crate::units::Permille;

/// The weighted mean in thousandths, rounded down; `None` where nothing that weighs is measured.
#[must_use]
pub fn score(policy: &WeightedScore, readings: &Readings) -> Option<Permille> {
    mean(policy, |signal| readings.of_signal(signal).map(Quantity::number))
}

/// Judges the figures at an evaluation; `steps` are the most instances that are added and removed at once.
#[must_use]
pub fn judge(policy: &WeightedScore, readings: &Readings, steps: (u32, u32)) -> Verdict {
    let Some(score) = score(policy, readings) else { return Verdict::Held(None, Guard::NoData) };
    let why = |above, bound| Reason::Weighted { above, score, bound, seen: heaviest(policy, readings) };
    let half = |from: u64, to: u64| from.midpoint(to);
    if score > policy.up {
        let far = score.get() > half(policy.up.get(), 1000).max(policy.up.get());
        return Verdict::Up(if far { 2 } else { 1 }.clamp(1, steps.0.max(1)), why(true, policy.up));
    }
    if score >= policy.down {
        return Verdict::Quiet;
    }
    let far = score.get() < half(policy.down.get(), 0);
    let most = if far { 2 } else { 1 }.min(steps.1).min(readings.replicas.saturating_sub(1)).max(1);
    let why = why(false, policy.down);
    let after = |fewer: u32| {
        let left = readings.replicas.saturating_sub(fewer);
        let shared =
            |signal| readings.shared_by(signal, left).or_else(|| readings.of_signal(signal).map(Quantity::number));
        mean(policy, shared).unwrap_or(score)
    };
    match (1..=most).rev().find(|fewer| after(*fewer) <= policy.up) {
        Some(fewer) => Verdict::Down(fewer, why),
        None => {
            let share = |share: Permille| Quantity::Share(share.get().saturating_mul(1000));
            let guard = Guard::WouldReturn { signal: Signal::Cpu, expected: share(after(1)), bound: share(policy.up) };
            Verdict::Held(Some(why), guard)
        }
    }
}

fn mean(policy: &WeightedScore, figure: impl Fn(Signal) -> Option<u64>) -> Option<Permille> {
    let (mut sum, mut weights) = (0_u128, 0_u128);
    for part in &policy.parts {
        let (Some(seen), whole) = (figure(part.signal), part.whole.number()) else { continue };
        if whole == 0 {
            continue;
        }
        let weight = u128::from(part.weight);
        // Thousandths of thousandths, so that rounding is below what is shown.
        let normal = u128::from(seen) * 1_000_000 / u128::from(whole);
        sum = sum.saturating_add(normal.saturating_mul(weight));
        weights += weight;
    }
    let mean = sum.checked_div(weights)? / 1000;
    Some(Permille::new(u64::try_from(mean).unwrap_or(u64::MAX)))
}

/// The figures that weigh something, those that weigh most first.
fn heaviest(policy: &WeightedScore, readings: &Readings) -> Vec<(Signal, Quantity)> {
    let mut parts: Vec<&WeightedPart> = policy.parts.iter().filter(|part| part.weight > 0).collect();
    parts.sort_by_key(|part| core::cmp::Reverse(part.weight));
    parts.iter().filter_map(|part| Some((part.signal, readings.of_signal(part.signal)?))).collect()
}
