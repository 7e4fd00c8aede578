//! Limits and numbers of instances of one service, moved by two policies at once: what an operator would see of it. The load
//! is shared by the instances, and none takes more than it may.

use crate::stage::Stage;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::scale;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Guard;
use plimsoll::model::Horizontal;
use plimsoll::model::HpaFigures;
use plimsoll::model::Policy;
use plimsoll::model::Quantity;
use plimsoll::model::Reason;
use plimsoll::model::Reference;
use plimsoll::model::Resource;
use plimsoll::model::Scaling;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Signal;
use plimsoll::model::Target;
use plimsoll::model::Trigger;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Span;

fn thresholds() -> Horizontal {
    Horizontal::around(Scaling::Bounds(Bounds::thresholds()))
}

/// `api` with so many instances of one CPU and 512 MiB.
fn api(count: u32) -> ServiceSeen {
    let mut api = service(limits(1000, 512));
    scale(&mut api, count);
    api
}

fn stage(api: ServiceSeen) -> Stage {
    let policy = Policy::Both(Vertical::default(), thresholds());
    Stage::with(host([("api", api)]), [(name("api"), policy)].into()).0
}

/// So many minutes of a load, in millicores, and of memory held by each instance; looked at every half a minute.
fn pass(stage: &mut Stage, minutes: u64, load: u64, memory: u64) -> Vec<(Instant, Decision)> {
    let looks = (0..minutes * 2).map(|_| {
        stage.now = stage.now.plus(Span::from_secs(30));
        stage.carries("api", load, Bytes::mebi(memory));
        (stage.now, stage.look())
    });
    looks.collect()
}

fn actions(looks: &[(Instant, Decision)], resource: Resource) -> Vec<&Action> {
    let all = looks.iter().flat_map(|(_, decision)| &decision.actions);
    all.filter(|action| action.resource() == resource).collect()
}

/// All that the instances may use.
fn capacity(stage: &Stage) -> u64 {
    stage.limits("api").cpu.map_or(0, |limit| limit.get()) * stage.count("api") as u64
}

/// A night with next to no load leaves each of two instances its CPU, though it uses a twelfth of it. In the morning three
/// CPUs are asked for, and two steps of the number are enough.
#[test]
fn a_night_does_not_take_what_the_morning_needs() {
    let mut stage = stage(api(2));
    pass(&mut stage, 12 * 60, 150, 200);
    assert_eq!((capacity(&stage), stage.count("api")), (2000, 2));
    pass(&mut stage, 6, 3000, 200);
    assert_eq!((capacity(&stage), stage.count("api")), (5000, 5));
}

/// A database has one instance for ever, so its CPU limit is all that can move.
#[test]
fn who_holds_data_gets_more_cpu_since_its_number_cannot_move() {
    let mut database = api(1);
    database.stateful = true;
    let mut stage = stage(database);
    pass(&mut stage, 20, 1000, 200);
    assert_eq!(stage.limits("api").cpu, limits(1250, 0).cpu);
}

/// Each instance holds nine tenths of what it may, however many there are.
#[test]
fn memory_that_is_short_is_mended_by_its_limit_and_not_by_numbers_for_ever() {
    let mut stage = stage(api(2));
    pass(&mut stage, 20, 600, 460);
    assert_eq!((stage.limits("api").memory, stage.count("api")), (Some(Bytes::mebi(640)), 2));
    let looks = pass(&mut stage, 120, 600, 460);
    assert!(looks.iter().all(|(_, decision)| decision.actions.is_empty()));
}

#[test]
fn limits_that_a_deployment_changed_are_what_shares_are_of() {
    let mut stage = stage(api(2));
    pass(&mut stage, 30, 800, 200);
    stage.service("api").limits = limits(2000, 512);
    // 1.7 CPUs of four.
    let looks = pass(&mut stage, 60, 1700, 200);
    assert_eq!((actions(&looks, Resource::Replicas).len(), stage.count("api")), (0, 2));
}

/// There can be no more than five instances, so each gets more CPU: 1, 1.25, 1.563, 1.954 and 2.443, of which 1.8 are 74 %.
/// Of half a CPU each 2.443 and 1.832 are too much and 1.374 are not; of next to nothing all that was given is taken, and then
/// the number goes back. It ends as it began.
#[test]
fn what_was_given_beyond_the_number_comes_back_and_no_more() {
    let mut stage = stage(api(2));
    pass(&mut stage, 24 * 60, 9000, 200);
    assert_eq!((stage.limits("api").cpu, stage.count("api")), (limits(2443, 0).cpu, 5));
    pass(&mut stage, 24 * 60, 2500, 200);
    assert_eq!((stage.limits("api").cpu, stage.count("api")), (limits(1374, 0).cpu, 5));
    pass(&mut stage, 24 * 60, 300, 200);
    assert_eq!((stage.limits("api").cpu, stage.count("api")), (limits(1000, 0).cpu, 2));
    let looks = pass(&mut stage, 24 * 60, 300, 200);
    assert!(actions(&looks, Resource::Cpu).is_empty() && actions(&looks, Resource::Replicas).is_empty());
}

/// At no look does the number change and the CPU limit, too, and for a window after the number changed the limit rests.
#[test]
fn the_number_and_the_limit_never_move_at_once() {
    let mut stage = stage(api(3));
    let loads = [300, 4900, 9000, 500, 9000, 100, 2500, 6000, 200];
    let mut numbered: Option<Instant> = None;
    for load in loads {
        for (at, decision) in pass(&mut stage, 200, load, 200) {
            let moves = |resource| decision.actions.iter().any(|action| action.resource() == resource);
            if moves(Resource::Replicas) {
                numbered = Some(at);
            }
            let rests = numbered.is_some_and(|last| at.since(last) < Vertical::default().window);
            assert!(!moves(Resource::Cpu) || !rests, "at {at}: {decision:?}");
        }
    }
}

/// With all five instances each had more CPU than it was written down with, and lost it again. Two of five are left when one
/// is killed for its memory: it gets back what it had, though the number could grow first.
#[test]
fn what_is_given_back_after_a_death_does_not_wait_for_the_number() {
    let mut stage = stage(api(5));
    pass(&mut stage, 20, 4600, 200);
    assert_eq!(stage.limits("api").cpu, limits(1250, 0).cpu);
    pass(&mut stage, 60, 1500, 200);
    assert_eq!(stage.limits("api").cpu, limits(1000, 0).cpu, "not below what was written, though 937 were due");
    pass(&mut stage, 60, 300, 200);
    assert_eq!(stage.count("api"), 2);
    stage.service("api").instances[0].oom_kills += 1;
    let looks = pass(&mut stage, 10, 300, 200);
    let [given] = actions(&looks, Resource::Cpu)[..] else { panic!("{looks:?}") };
    assert!(matches!(given.why(), Reason::GivenBack { .. }) && given.is_increase());
    assert_eq!((stage.limits("api").cpu, stage.count("api")), (limits(1250, 0).cpu, 2));
}

/// Half of what four instances of one CPU may use is used; then somebody halves their limits, and all of it is.
#[test]
fn a_limit_that_somebody_lowered_is_what_shares_are_of() {
    let mut stage = stage(api(4));
    assert!(pass(&mut stage, 60, 2000, 200).iter().all(|(_, decision)| decision.actions.is_empty()));
    stage.service("api").limits = limits(500, 512);
    pass(&mut stage, 1, 2000, 200);
    assert_eq!(stage.count("api"), 5);
}

/// Each of two instances holds 460 of 512 MiB and is promised 640; before the host shows that, CPU asks for a third. At 512 it
/// would fit under 1,800 MiB (150 % of 1,200), beside what was promised it does not: three times 640 are 1,920.
#[test]
fn a_new_instance_counts_with_the_limit_that_was_promised() {
    let policy = Policy::Both(Vertical { checks: 1, ..Vertical::default() }, thresholds());
    let mut seen = host([("api", api(2))]);
    seen.host.pool_memory = Bytes::mebi(1200);
    let mut engine = Engine::new([(name("api"), policy)].into());
    let mut look = |seconds: u64, cpu: u64| {
        let now = Instant::after_start(Span::from_secs(seconds));
        let api = seen.services.get_mut(&name("api")).expect("api");
        for instance in &mut api.instances {
            instance.usage = Some(usage(now, cpu, Bytes::mebi(460)));
        }
        engine.observe(now, &seen)
    };
    let _ = look(0, 300);
    let every = Vertical::default().every.secs();
    let decision = look(every, 300);
    assert!(
        matches!(decision.actions.as_slice(), [Action::LimitMemory { to, .. }] if *to == Bytes::mebi(640)),
        "{decision:?}"
    );
    let decision = look(every + 30, 800);
    assert!(decision.actions.is_empty(), "{decision:?}");
    assert!(
        decision.held.iter().any(|held| held.guard == Guard::MemoryPool { short: Bytes::mebi(120) }),
        "{decision:?}"
    );
}

/// An autoscaler that aims for 80 % of CPU and of memory, beside a policy that moves both limits: CPU that it had more of is no
/// reason for fewer, and memory is no figure that is missing.
#[test]
fn an_autoscaler_of_the_field_looks_at_what_was_written_and_not_at_what_moves() {
    let target = |signal| Target { signal, value: Quantity::Share(800_000) };
    let targets = vec![target(Signal::Cpu), target(Signal::Memory)];
    let hpa = Reference::Hpa(HpaFigures { targets, ..HpaFigures::default() });
    let policy = Horizontal { replicas_min: 2, replicas_max: 4, ..Horizontal::of_the_field(hpa) };
    let both = Policy::Both(Vertical::default(), policy);
    let (mut stage, _) = Stage::with(host([("api", api(4))]), [(name("api"), both)].into());
    pass(&mut stage, 60, 3800, 200);
    assert_eq!((stage.limits("api").cpu, stage.count("api")), (limits(1250, 0).cpu, 4));
    // Of 5 CPUs 2.8 are 56 %, which three could carry; of the 4 that were written they are 70 %, and 80 % needs all four.
    pass(&mut stage, 60, 2800, 200);
    assert_eq!(stage.count("api"), 4);
    pass(&mut stage, 24 * 60, 300, 200);
    assert_eq!((stage.limits("api").cpu, stage.count("api")), (limits(1000, 0).cpu, 2));
}

/// A rule that looks at requests alone never moves for CPU, so the limit need not wait for it.
#[test]
fn a_number_that_does_not_answer_to_cpu_leaves_cpu_to_the_limit() {
    let mut policy = thresholds();
    let trigger = |share| Trigger { signal: Signal::Errors, bound: Quantity::Share(share), lasts: Span::ZERO };
    policy.scaling = Scaling::Bounds(Bounds { up: vec![trigger(50_000)], down: vec![trigger(1)] });
    let both = Policy::Both(Vertical::default(), policy);
    let (mut stage, _) = Stage::with(host([("api", api(2))]), [(name("api"), both)].into());
    let looks = pass(&mut stage, 20, 2000, 200);
    assert_eq!(stage.limits("api").cpu, limits(1250, 0).cpu);
    let number = |(_, decision): &(Instant, Decision)| decision.held.iter().any(|held| held.guard == Guard::NoData);
    assert!(looks.iter().any(number), "nobody counts its requests, and it says so");
}

/// Errors are what too little CPU does, requests are not: where the number goes by errors, a night takes none of the CPU with
/// which there were none.
#[test]
fn a_night_takes_no_cpu_whose_want_the_number_would_answer_to() {
    let after_a_night = |signal| {
        let mut policy = thresholds();
        let trigger = |bound| Trigger { signal, bound, lasts: Span::ZERO };
        let bound = if signal == Signal::Errors { Quantity::Share(50_000) } else { Quantity::Rate(50_000) };
        policy.scaling = Scaling::Bounds(Bounds { up: vec![trigger(bound)], down: Vec::new() });
        let both = Policy::Both(Vertical::default(), policy);
        let (mut stage, _) = Stage::with(host([("api", api(2))]), [(name("api"), both)].into());
        pass(&mut stage, 60, 200, 200);
        stage.limits("api").cpu
    };
    assert_eq!(after_a_night(Signal::Errors), limits(1000, 0).cpu);
    assert!(after_a_night(Signal::Requests) < limits(1000, 0).cpu);
}
