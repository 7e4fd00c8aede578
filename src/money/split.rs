//! The flat price of a host, split over what runs on it (register M1, the host's own price).
//!
//! The share of a service is what is kept for it ([`super::Basis::Kept`]: reservations, else limits, and never less than
//! is used) of the host's pool, CPU and memory put together by their prices. Reservations, not limits, since limits are
//! promised several times over and keep nobody from anything; and not use alone, since a service that keeps what it does
//! not use keeps others away. What nobody keeps is free, and is shown, not hidden in the shares.
//!
//! Before you change it:
//! 1. The shares and what is free add up to the price, to the millionth. Where more is kept than the pool has, nothing is
//!    free, and the price is split in proportion.
//! 2. Storage and network are not in it: a flat price has them in it.

use super::Consumption;
use super::Prices;
use crate::model::Host;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;

/// A price, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The parts, in the order that was given.
    pub parts: Vec<Money>,
    /// What is left for others.
    pub free: Money,
}

/// Splits a price over what was kept within `span` of the host's pool. The parts are in the currency of the price; the
/// prices only say what a core is worth against memory.
#[must_use]
pub fn split(price: Money, host: &Host, span: Span, kept: &[Consumption], prices: &Prices) -> Split {
    let weight = |consumption: &Consumption| {
        let cost = prices.of(consumption);
        u128::from(cost.cpu.get()) + u128::from(cost.memory.get())
    };
    let pool = super::Held {
        cpu: host.pool_cpu(),
        cpu_use: Permille::ONE,
        memory: host.pool_memory(),
        memory_use: Permille::ONE,
        ..super::Held::default()
    };
    let kept: Vec<u128> = kept.iter().map(weight).collect();
    let whole = weight(&Consumption::of(&pool, span)).max(kept.iter().sum());
    // Each part is the price up to its end less the price up to its begin, so that all of them add up.
    let up_to = |weight: u128| {
        let micro = (u128::from(price.get()) * weight).checked_div(whole).unwrap_or(0);
        u64::try_from(micro).unwrap_or(u64::MAX)
    };
    let (mut parts, mut begin) = (Vec::with_capacity(kept.len()), 0);
    for part in kept {
        parts.push(Money::micro(up_to(begin + part) - up_to(begin), price.currency()));
        begin += part;
    }
    Split { parts, free: Money::micro(price.get() - up_to(begin), price.currency()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CoreGroup;
    use crate::money::Held;
    use crate::units::Bytes;
    use crate::units::Currency;
    use crate::units::Millicores;
    use proptest::prelude::*;

    const DAY: Span = Span::from_mins(24 * 60);

    /// 3.5 cores and 14 GB of pool, as register H5 has it for a KVM 4.
    fn host() -> Host {
        let mut host = Host::bare("kvm-4", vec![CoreGroup { count: 4, speed: Permille::ONE }], Bytes::gibi(16));
        host.reserve_cpu = Millicores::new(500);
        host.reserve_memory = Bytes::gibi(2);
        host
    }

    fn kept(millicores: u64, mebibytes: u64) -> Consumption {
        let held = Held {
            cpu: Millicores::new(millicores),
            cpu_use: Permille::ONE,
            memory: Bytes::mebi(mebibytes),
            memory_use: Permille::ONE,
            ..Held::default()
        };
        Consumption::of(&held, DAY)
    }

    fn cents(of: &[Money]) -> Vec<u64> {
        of.iter().map(|money| (money.get() + 5000) / 10_000).collect()
    }

    /// The pool is worth 3.5 × 0.05 + 14 × 0.01 = 0.315 an hour. One core and 4 GB are 0.09 of it, 1.5 cores and 2 GB
    /// 0.095: of 12 USD that is 3.43 and 3.62, and 4.95 are free.
    #[test]
    fn a_price_is_split_by_what_is_kept() {
        let price = Money::micro(12_000_000, Currency::USD);
        let split = split(price, &host(), DAY, &[kept(1000, 4096), kept(1500, 2048)], &Prices::default());
        assert_eq!(cents(&split.parts), [343, 362]);
        assert_eq!(cents(&[split.free]), [495]);
    }

    #[test]
    fn a_host_that_is_promised_twice_is_split_in_proportion() {
        let price = Money::micro(10_000_001, Currency::EUR);
        let split = split(price, &host(), DAY, &[kept(3500, 14 << 10), kept(3500, 14 << 10)], &Prices::default());
        assert_eq!(split.parts.iter().map(|part| part.get()).sum::<u64>(), 10_000_001);
        assert_eq!(cents(&split.parts), [500, 500]);
        assert_eq!(split.free, Money::micro(0, Currency::EUR));
    }

    proptest! {
        #[test]
        fn the_parts_add_up_to_the_price(
            price in 0..1_000_000_000_u64,
            services in proptest::collection::vec((0..8000_u64, 0..16_384_u64), 0..20),
        ) {
            let services: Vec<Consumption> = services.into_iter().map(|(cpu, memory)| kept(cpu, memory)).collect();
            let split = split(Money::micro(price, Currency::USD), &host(), DAY, &services, &Prices::default());
            prop_assert_eq!(split.parts.iter().map(|part| part.get()).sum::<u64>() + split.free.get(), price);
        }
    }
}
