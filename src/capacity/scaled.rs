//! A scenario with so many times its load.

use crate::model::Pattern;
use crate::model::Scenario;
use crate::units::Permille;
use crate::units::Rate;

/// The scenario with every load at a multiple of itself: rates, and clients, who are whole. What comes beside the load stays:
/// metrics of the business, faults, deployments, orders.
#[must_use]
pub fn scaled(scenario: &Scenario, multiple: Permille) -> Scenario {
    let mut scenario = scenario.clone();
    for load in scenario.load.values_mut() {
        load.pattern = pattern(&load.pattern, multiple);
    }
    scenario
}

fn pattern(pattern: &Pattern, multiple: Permille) -> Pattern {
    let times = |rate: Rate| rate.scaled(multiple.get(), 1000);
    match pattern {
        Pattern::Constant { rate } => Pattern::Constant { rate: times(*rate) },
        Pattern::Ramp { from, to, start, over } => {
            Pattern::Ramp { from: times(*from), to: times(*to), start: *start, over: *over }
        }
        Pattern::Steps(levels) => Pattern::Steps(levels.iter().map(|(at, rate)| (*at, times(*rate))).collect()),
        Pattern::Points(corners) => Pattern::Points(corners.iter().map(|(at, rate)| (*at, times(*rate))).collect()),
        Pattern::Diurnal { low, high, peak_at } => {
            Pattern::Diurnal { low: times(*low), high: times(*high), peak_at: *peak_at }
        }
        Pattern::Weekly { low, high, weekend, peak_at } => {
            Pattern::Weekly { low: times(*low), high: times(*high), weekend: times(*weekend), peak_at: *peak_at }
        }
        Pattern::FlashCrowd { base, peak, at, rise, hold, fall } => Pattern::FlashCrowd {
            base: times(*base),
            peak: times(*peak),
            at: *at,
            rise: *rise,
            hold: *hold,
            fall: *fall,
        },
        Pattern::Bursty { low, high, quiet, burst } => {
            Pattern::Bursty { low: times(*low), high: times(*high), quiet: *quiet, burst: *burst }
        }
        Pattern::Clients { clients, think } => {
            let whole = |count: u32| (u64::from(count) * multiple.get() + 500) / 1000;
            let times = |count: u32| u32::try_from(whole(count)).unwrap_or(u32::MAX);
            Pattern::Clients {
                clients: clients.iter().map(|(at, count)| (*at, times(*count))).collect(),
                think: *think,
            }
        }
        Pattern::Trace(rates) => Pattern::Trace(rates.iter().map(|(at, rate)| (*at, rate.map(times))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    #[test]
    fn every_kind_of_load_is_so_many_times_what_it_was() {
        let (minute, rate) = (Span::from_mins(1), Rate::per_second);
        let thrice = |of: Pattern| pattern(&of, Permille::new(3000));
        assert_eq!(thrice(Pattern::Constant { rate: rate(7) }), Pattern::Constant { rate: rate(21) });
        assert_eq!(thrice(Pattern::Steps(vec![(minute, rate(2))])), Pattern::Steps(vec![(minute, rate(6))]));
        let trace = |value| Pattern::Trace([(minute, Some(rate(value))), (minute, None)].into());
        assert_eq!(thrice(trace(5)), trace(15));
        let bursts = |low, high| Pattern::Bursty { low: rate(low), high: rate(high), quiet: minute, burst: minute };
        assert_eq!(thrice(bursts(1, 9)), bursts(3, 27));
    }

    #[test]
    fn clients_are_whole() {
        let of = |count| Pattern::Clients { clients: vec![(Span::ZERO, count)], think: Span::from_secs(1) };
        assert_eq!(pattern(&of(5), Permille::new(500)), of(3));
        assert_eq!(pattern(&of(5), Permille::new(1300)), of(7));
    }
}
