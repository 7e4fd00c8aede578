//! Deployments as the engine sees them: a toy host does what it is asked, or fails at random, and rules hold whatever happens.

use plimsoll::audit::Look;
use plimsoll::audit::RolloutAudit;
use plimsoll::engine::Rollout;
use plimsoll::model::Deployment;
use plimsoll::model::Generation;
use plimsoll::model::GenerationsSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::MemberSeen;
use plimsoll::model::Move;
use plimsoll::model::OnFailure;
use plimsoll::model::Order;
use plimsoll::model::Progress;
use plimsoll::model::ServiceName;
use plimsoll::model::Update;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use proptest::prelude::*;

const OLD: Limits = Limits { cpu: Some(Millicores::new(1000)), memory: Some(Bytes::mebi(512)) };
const NEW: Limits = Limits { cpu: Some(Millicores::new(2000)), memory: Some(Bytes::mebi(512)) };

const fn member(state: InstanceState) -> MemberSeen {
    MemberSeen { state, started: true, restarts: 0, idle: true }
}

/// A host that holds so many old instances and does what it is asked.
fn toy(count: usize) -> GenerationsSeen {
    GenerationsSeen {
        old: vec![member(InstanceState::Healthy); count],
        old_limits: OLD,
        checked: true,
        held: Bytes::mebi(100),
        free_memory: Bytes::gibi(64),
        pool_cpu: Millicores::new(16_000),
        ..GenerationsSeen::default()
    }
}

/// Does one move, checking that it can be done at all.
fn carry(host: &mut GenerationsSeen, one: &Move) {
    match *one {
        Move::Start { generation, count, limits, .. } => {
            assert!(host.aside.is_empty() && count > 0, "one batch at a time");
            assert_eq!(limits, if generation == Generation::New { NEW } else { OLD });
            host.aside = vec![member(InstanceState::Starting); usize::try_from(count).expect("few")];
        }
        Move::GiveTraffic { generation } => {
            assert!(!host.aside.is_empty());
            let aside = std::mem::take(&mut host.aside);
            match generation {
                Generation::Old => host.old.extend(aside),
                Generation::New => {
                    host.new.extend(aside);
                    host.new_limits = NEW;
                }
            }
        }
        Move::Drain { generation, count } => {
            assert!(host.aside.is_empty() && count > 0, "one batch at a time");
            let from = if generation == Generation::Old { &mut host.old } else { &mut host.new };
            let left = from.len() - usize::try_from(count).expect("few");
            host.aside = from.split_off(left);
            host.aside.iter_mut().for_each(|one| one.idle = false);
        }
        Move::Stop { .. } => assert!(!host.aside.is_empty()),
        Move::Finish => assert!(host.old.is_empty() || host.new.is_empty()),
    }
}

fn deployment(update: Update) -> Deployment {
    let limits = Limits { cpu: NEW.cpu, memory: None };
    let at = Instant::after_start(Span::from_mins(10));
    let service = ServiceName::new("api");
    Deployment { at, service, limits, new_image: false, alone: None, update }
}

fn rollout(update: Update) -> Rollout {
    Rollout::new(deployment(update))
}

#[test]
fn it_waits_for_its_time() {
    let mut rollout = rollout(Update::default());
    let at = Instant::after_start(Span::from_mins(10));
    assert_eq!(rollout.due(), Some(at));
    let early = rollout.observe(Instant::after_start(Span::from_secs(599)), Some(&toy(2)));
    assert!(early.moves.is_empty() && early.told.is_empty());
    assert_eq!(rollout.due(), Some(at));
    assert!(rollout.observe(at, None).moves.is_empty(), "nobody answers");
    assert_eq!(rollout.due(), Some(at.plus(Span::from_secs(5))));
}

/// An image that takes longer than the health timeout to come is no failure of the new instance.
#[test]
fn the_time_for_health_begins_with_the_process() {
    let mut rollout = rollout(Update::default());
    let mut host = toy(1);
    let mut now = rollout.due().expect("due");
    let first = rollout.observe(now, Some(&host));
    carry(&mut host, &first.moves[0]);
    host.aside[0].started = false;
    for _ in 0..100 {
        now = rollout.due().expect("due");
        assert!(rollout.observe(now, Some(&host)).told.is_empty());
    }
    host.aside[0].started = true;
    let begun = now;
    while now < begun.plus(Span::from_secs(120)) {
        now = rollout.due().expect("due");
        let answer = rollout.observe(now, Some(&host));
        assert_eq!(answer.told.is_empty(), now < begun.plus(Span::from_secs(120)), "{now}");
    }
}

/// New instances that fail under load while the old ones drain: these get their traffic back, and nobody is started anew.
#[test]
fn draining_instances_get_their_traffic_back() {
    let mut rollout = rollout(Update { monitor: Span::from_secs(1), ..Update::default() });
    let mut host = toy(2);
    let mut told = Vec::new();
    let mut started = 0;
    while let Some(now) = rollout.due() {
        if told.contains(&Progress::Draining { generation: Generation::Old, count: 2 }) {
            host.new.iter_mut().for_each(|one| one.state = InstanceState::Unhealthy);
        }
        if told.contains(&Progress::Stopping) {
            host.aside.clear();
        }
        host.aside.iter_mut().for_each(|one| one.state = InstanceState::Healthy);
        let answer = rollout.observe(now, Some(&host));
        for one in &answer.moves {
            started += u32::from(matches!(one, Move::Start { .. }));
            carry(&mut host, one);
            if matches!(one, Move::GiveTraffic { generation: Generation::Old }) {
                assert_eq!(host.old.len(), 2);
            }
        }
        told.extend(answer.told);
    }
    assert_eq!(told.last(), Some(&Progress::RolledBack), "{told:?}");
    assert_eq!((started, host.old.len(), host.new.len()), (1, 2, 0));
}

fn updates() -> impl Strategy<Value = Update> {
    let order = prop::sample::select(vec![Order::StartFirst, Order::StopFirst]);
    let on_failure = prop::sample::select(vec![OnFailure::Rollback, OnFailure::Pause, OnFailure::Continue]);
    (order, on_failure, 0..7_u32, 0..30_u64, 0..30_u64, 0..=1000_u64).prop_map(
        |(order, on_failure, parallelism, delay, drain, ratio)| Update {
            order,
            on_failure,
            parallelism,
            delay: Span::from_secs(delay),
            drain: Span::from_secs(drain),
            max_failure_ratio: Permille::new(ratio),
            // The toy takes up to four looks to stop an instance, and may not answer at some of them.
            stop_grace: Span::from_mins(5),
            ..Update::default()
        },
    )
}

proptest! {
    /// Whatever happens to the instances, it comes to an end; it moves one batch at a time; where the new ones start first,
    /// there are never fewer with traffic than before; and in the end all are new, or all are old, or it says it needs help.
    #[test]
    fn whatever_happens_it_comes_to_an_end(
        update in updates(),
        count in 1..6_usize,
        luck in prop::collection::vec(0..100_u8, 1..60),
        trouble in 0..40_u8,
    ) {
        let mut rollout = rollout(update);
        let mut audit = RolloutAudit::new(&[deployment(update)]);
        let mut host = toy(count);
        let mut luck = luck.into_iter().cycle();
        let mut stopping = false;
        let mut told = Vec::new();
        let mut looks = 0;
        while let Some(now) = rollout.due() {
            looks += 1;
            prop_assert!(looks < 2000, "{told:?}");
            let here = luck.next().expect("endless") >= trouble / 4 || looks % 5 == 0;
            let seen = here.then_some(&host);
            let answer = rollout.observe(now, seen);
            let found = audit.check(0, &Look { now, seen, moves: &answer.moves, told: &answer.told });
            prop_assert!(found.is_empty(), "{found:?}");
            for one in &answer.moves {
                carry(&mut host, one);
                stopping = matches!(one, Move::Stop { .. });
            }
            told.extend(answer.told);
            if update.order == Order::StartFirst {
                prop_assert!(host.old.len() + host.new.len() >= count, "{told:?}");
            }
            if stopping && (luck.next().expect("endless") > 50 || looks % 4 == 0) {
                host.aside.clear();
                stopping = false;
            }
            for one in host.aside.iter_mut().chain(&mut host.new) {
                let drawn = luck.next().expect("endless");
                one.idle |= drawn > 30;
                one.state = match drawn {
                    drawn if drawn < trouble => InstanceState::Unhealthy,
                    drawn if drawn < trouble + 5 && trouble > 0 => InstanceState::Down,
                    _ => InstanceState::Healthy,
                };
            }
        }
        let failed = told.iter().any(|how| matches!(how, Progress::Failed { .. }));
        match told.last() {
            Some(Progress::Done) => prop_assert_eq!((host.old.len(), host.new.len()), (0, count)),
            Some(Progress::RolledBack) => prop_assert_eq!((host.old.len(), host.new.len()), (count, 0)),
            Some(Progress::Paused) => prop_assert!(failed),
            other => prop_assert!(false, "{:?}", other),
        }
        prop_assert!(trouble > 0 || told.contains(&Progress::Done));
    }
}
