//! Dividing a host among services: properties over random stacks, an obvious slow division to compare with, and stories.

use plimsoll::audit;
use plimsoll::engine::allocate;
use plimsoll::model::Allocation;
use plimsoll::model::Amount;
use plimsoll::model::Ask;
use plimsoll::model::Evidence;
use plimsoll::model::Limits;
use plimsoll::model::Off;
use plimsoll::model::ServiceName;
use plimsoll::model::Terms;
use plimsoll::model::Turn;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

fn amount(cpu: u64, mebibytes: u64) -> Amount {
    Amount { cpu: Millicores::new(cpu), memory: Bytes::mebi(mebibytes) }
}

fn stated(cpu: u64, mebibytes: u64) -> Limits {
    Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(mebibytes)) }
}

fn ask(tier: u8, importance: u32, need: Amount, limits: Limits) -> Ask {
    Ask {
        replicas: 1,
        tier,
        importance,
        limits,
        reservations: Limits::default(),
        pids: None,
        usual: amount(1000, 512),
        usual_pids: 200,
        need,
        evidence: Evidence::Catalog,
        depends_on: BTreeSet::new(),
        kept: false,
    }
}

fn terms(pool: Amount) -> Terms {
    Terms {
        pool,
        importance_floor: 0,
        multiplier: Permille::ONE,
        cpu_overcommit: Permille::ONE,
        memory_overcommit: Permille::ONE,
    }
}

fn asks<const N: usize>(list: [(&str, Ask); N]) -> BTreeMap<ServiceName, Ask> {
    list.into_iter().map(|(name, ask)| (ServiceName::new(name), ask)).collect()
}

fn cpu_sum(asks: &BTreeMap<ServiceName, Ask>, made: &Allocation) -> u64 {
    made.shares.iter().map(|(name, share)| share.limits.cpu.get() * u64::from(asks[name].replicas)).sum()
}

#[test]
fn what_fits_stays_as_the_files_say() {
    let asks = asks([
        ("api", ask(1, 90, amount(50, 100), stated(1500, 1024))),
        ("db", ask(1, 94, amount(50, 200), stated(1000, 2048))),
    ]);
    let made = allocate(&asks, &terms(amount(3500, 14 << 10)));
    for (name, share) in &made.shares {
        assert_eq!((share.cpu, share.memory), (Turn::Kept, Turn::Kept), "{name}");
        assert_eq!(share.limits.cpu, asks[name].limits.cpu.expect("stated"));
    }
}

/// Two services of equal weight ask for 3 cores each of a pool of 4: both are cut to 2.
#[test]
fn equals_share_a_pool_in_halves_and_a_third_of_a_core_more_goes_by_name() {
    let one = ask(1, 90, amount(0, 0), stated(3000, 64));
    let asks = asks([("a", one.clone()), ("b", one.clone()), ("c", one)]);
    let two: BTreeMap<_, _> = asks.iter().take(2).map(|(name, ask)| (name.clone(), ask.clone())).collect();
    let made = allocate(&two, &terms(amount(4000, 1024)));
    assert_eq!(made.shares.values().map(|share| share.limits.cpu.get()).collect::<Vec<_>>(), [2000, 2000]);
    // 4 cores in three parts are 1.333: the hundredth that is left goes to the first.
    let made = allocate(&asks, &terms(amount(4000, 1024)));
    assert_eq!(made.shares.values().map(|share| share.limits.cpu.get()).collect::<Vec<_>>(), [1340, 1330, 1330]);
}

#[test]
fn the_least_important_goes_first_but_never_what_a_running_service_depends_on() {
    let mut web = ask(1, 90, amount(10, 400), stated(500, 512));
    web.depends_on = BTreeSet::from([ServiceName::new("sidecar")]);
    let asks = asks([
        ("web", web),
        ("sidecar", ask(3, 5, amount(10, 100), stated(100, 128))),
        ("dashboard", ask(3, 40, amount(10, 300), stated(100, 512))),
        ("editor", ask(3, 10, amount(10, 300), stated(100, 512))),
    ]);
    let made = allocate(&asks, &terms(amount(2000, 900)));
    assert_eq!(made.off, BTreeMap::from([(ServiceName::new("editor"), Off::NoRoom)]));
    assert!(made.fits());
}

/// Sending away the small one did not help, so it comes back when the big one has gone.
#[test]
fn who_was_sent_away_in_vain_comes_back() {
    let asks = asks([
        ("web", ask(1, 90, amount(10, 400), stated(500, 512))),
        ("small", ask(3, 10, amount(10, 10), stated(100, 64))),
        ("big", ask(3, 20, amount(10, 900), stated(100, 1024))),
    ]);
    let made = allocate(&asks, &terms(amount(2000, 500)));
    assert_eq!(made.off, BTreeMap::from([(ServiceName::new("big"), Off::NoRoom)]));
}

#[test]
fn a_host_that_is_too_small_is_told_by_how_much() {
    let asks = asks([
        ("db", ask(1, 94, amount(100, 900), stated(500, 1024))),
        ("api", ask(1, 95, amount(100, 600), stated(500, 1024))),
    ]);
    let made = allocate(&asks, &terms(amount(1000, 1000)));
    assert_eq!(made.short, amount(0, 500));
    assert!(audit::allocation(&asks, &terms(amount(1000, 1000)), &made).is_empty());
}

#[test]
fn a_limit_below_the_known_need_is_raised_to_it() {
    let asks = asks([("ui", ask(3, 45, amount(10, 500), stated(100, 256)))]);
    let made = allocate(&asks, &terms(amount(4000, 4096)));
    let share = &made.shares[&ServiceName::new("ui")];
    assert_eq!((share.memory, share.limits.memory), (Turn::Raised, Bytes::mebi(500)));
}

fn an_ask() -> impl Strategy<Value = Ask> {
    let limits = |most: u64| proptest::option::of(1..=most);
    (
        (1..=3_u8, 1..=100_u32, 1..=4_u32, proptest::bool::weighted(0.1)),
        (limits(8_000), limits(16 << 30), limits(4_000), limits(8 << 30)),
        (0..=400_u64, 0..=(2_u64 << 30), 1..=4_000_u64, 1..=(4_u64 << 30)),
        proptest::collection::btree_set(0..12_usize, 0..3),
    )
        .prop_map(
            |(
                (tier, importance, replicas, kept),
                (cpu, memory, cpu_kept, memory_kept),
                (need_cpu, need, usual_cpu, usual),
                others,
            )| Ask {
                replicas,
                tier,
                importance,
                limits: Limits { cpu: cpu.map(Millicores::new), memory: memory.map(Bytes::new) },
                reservations: Limits { cpu: cpu_kept.map(Millicores::new), memory: memory_kept.map(Bytes::new) },
                pids: None,
                usual: Amount { cpu: Millicores::new(usual_cpu), memory: Bytes::new(usual) },
                usual_pids: 100,
                need: Amount { cpu: Millicores::new(need_cpu), memory: Bytes::new(need) },
                evidence: Evidence::Guess,
                depends_on: others.into_iter().map(|index| ServiceName::new(&format!("s{index:02}"))).collect(),
                kept,
            },
        )
}

fn some_asks() -> impl Strategy<Value = BTreeMap<ServiceName, Ask>> {
    proptest::collection::vec(an_ask(), 1..12).prop_map(|list| {
        list.into_iter().enumerate().map(|(index, ask)| (ServiceName::new(&format!("s{index:02}")), ask)).collect()
    })
}

fn some_terms() -> impl Strategy<Value = Terms> {
    (
        (100..=64_000_u64, (64_u64 << 20)..=(64 << 30)),
        prop_oneof![Just(0_u32), Just(20), Just(50), Just(90)],
        500..=1_500_u64,
        (1_000..=2_000_u64, 1_000..=2_000_u64),
    )
        .prop_map(|((cpu, memory), importance_floor, multiplier, (over_cpu, over_memory))| Terms {
            pool: Amount { cpu: Millicores::new(cpu), memory: Bytes::new(memory) },
            importance_floor,
            multiplier: Permille::new(multiplier),
            cpu_overcommit: Permille::new(over_cpu),
            memory_overcommit: Permille::new(over_memory),
        })
}

/// The same division without steps, found by trying: vessels as wide as weight times slack fill to one level, and overflow
/// at their slack.
fn poured(claims: &[(f64, f64, f64)], room: f64) -> Vec<f64> {
    let at = |level: f64| -> Vec<f64> {
        claims.iter().map(|(need, slack, weight)| need + slack * (weight * level).min(1.0)).collect()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if at(middle).iter().sum::<f64>() > room { high = middle } else { low = middle }
    }
    at(low)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is asked for, the division keeps every rule that the audit states.
    #[test]
    fn every_division_passes_the_audit(asks in some_asks(), terms in some_terms()) {
        let made = allocate(&asks, &terms);
        let breaches = audit::allocation(&asks, &terms, &made);
        prop_assert!(breaches.is_empty(), "{breaches:#?}\n{made:#?}");
    }

    /// Divided once more, what was given is kept: a budget that was applied proposes nothing.
    #[test]
    fn a_division_that_was_applied_changes_nothing(asks in some_asks(), terms in some_terms()) {
        let made = allocate(&asks, &terms);
        prop_assume!(made.fits());
        let applied: BTreeMap<ServiceName, Ask> = made.shares.iter().map(|(name, share)| {
            let limits = |amount: Amount| Limits { cpu: Some(amount.cpu), memory: Some(amount.memory) };
            let ask = Ask { limits: limits(share.limits), reservations: limits(share.reservations), pids: Some(share.pids), ..asks[name].clone() };
            (name.clone(), ask)
        }).collect();
        let again = allocate(&applied, &terms);
        for (name, share) in &again.shares {
            prop_assert_eq!((share.cpu, share.memory), (Turn::Kept, Turn::Kept), "{}", name);
            prop_assert_eq!(share.reservations, made.shares[name].reservations, "{}", name);
        }
    }

    /// More room never takes from anyone, but for what rounding moves: one step, the part of a step by which an odd limit
    /// exceeds whole ones, and the steps that are too few for each instance of one service, which go to another.
    #[test]
    fn more_room_takes_from_nobody(asks in some_asks(), terms in some_terms(), more in 0..=8_000_u64) {
        let larger = Terms { pool: Amount { cpu: terms.pool.cpu.plus(Millicores::new(more)), ..terms.pool }, ..terms };
        let (less, more) = (allocate(&asks, &terms), allocate(&asks, &larger));
        prop_assume!(less.off == more.off && less.fits());
        let instances = less.shares.keys().map(|name| u64::from(asks[name].replicas)).max().unwrap_or(1);
        for (name, share) in &less.shares {
            let grown = more.shares[name].limits.cpu.get() + 10 * (instances + 1);
            prop_assert!(share.limits.cpu.get() < grown, "{}: {} with less room, {} with more", name, share.limits.cpu, more.shares[name].limits.cpu);
        }
    }

    /// Nobody is a whole step away from the exact share, and together they take all the room there is.
    #[test]
    fn nobody_is_a_step_from_the_exact_share(
        claims in proptest::collection::vec((0..=40_u32, 0..=300_u32, 1..=3_u8, 90..=100_u32), 1..8),
        room in 0..=1_500_u32,
    ) {
        let list: BTreeMap<ServiceName, Ask> = claims.iter().enumerate().map(|(index, (need, slack, tier, importance))| {
            let (need, most) = (u64::from(*need) * 10, u64::from(need + slack) * 10);
            (ServiceName::new(&format!("s{index:02}")), ask(*tier, *importance, amount(need, 0), stated(most, 64)))
        }).collect();
        let exact: Vec<(f64, f64, f64)> = claims.iter().map(|(need, slack, tier, importance)| {
            (f64::from(*need), f64::from(*slack), f64::from((4 - u32::from(*tier)) * 100 + importance))
        }).collect();
        let made = allocate(&list, &terms(amount(u64::from(room) * 10, 1 << 20)));
        prop_assume!(made.fits());
        let exact = poured(&exact, f64::from(room));
        for ((name, share), exact) in made.shares.iter().zip(&exact) {
            let given = share.limits.cpu.get() as f64 / 10.0;
            prop_assert!((given - exact).abs() < 1.0 + 1e-6, "{}: {} steps, exactly {}", name, given, exact);
        }
        let asked: u32 = claims.iter().map(|(need, slack, ..)| need + slack).sum();
        prop_assert_eq!(cpu_sum(&list, &made), u64::from(room.min(asked)) * 10);
    }
}
