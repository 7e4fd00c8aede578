//! Canaries of deployments: one broken answer for each rule. An audit that does not notice is no audit.

use crate::stage::limits;
use crate::stage::name;
use plimsoll::audit::Look;
use plimsoll::audit::RolloutAudit;
use plimsoll::audit::Rule;
use plimsoll::engine::Rollout;
use plimsoll::model::Deployment;
use plimsoll::model::Generation;
use plimsoll::model::GenerationsSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::MemberSeen;
use plimsoll::model::Move;
use plimsoll::model::OnFailure;
use plimsoll::model::Order;
use plimsoll::model::Progress;
use plimsoll::model::Update;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Span;

fn second(second: u64) -> Instant {
    Instant::after_start(Span::from_secs(second))
}

/// Two instances of `api` by new ones with twice the CPU, from the hundredth second on; watched and drained for 20 s.
fn ordered(order: Order) -> Deployment {
    let (monitor, drain) = (Span::from_secs(20), Span::from_secs(20));
    let update = Update { order, monitor, drain, parallelism: 1, ..Update::default() };
    Deployment {
        at: second(100),
        service: name("api"),
        limits: limits(2000, 512),
        new_image: false,
        alone: None,
        update,
    }
}

const WELL: MemberSeen = MemberSeen { state: InstanceState::Healthy, started: true, restarts: 0, idle: false };
const COMING: MemberSeen = MemberSeen { state: InstanceState::Starting, ..WELL };

/// So many old and new instances with traffic, and these without.
fn seen(old: usize, new: usize, aside: &[MemberSeen]) -> GenerationsSeen {
    GenerationsSeen {
        old: vec![WELL; old],
        new: vec![WELL; new],
        aside: aside.to_vec(),
        old_limits: limits(1000, 512),
        new_limits: limits(2000, 512),
        busy: old != 2,
        unreached: false,
        checked: true,
        stateful: false,
        held: Bytes::mebi(256),
        free_memory: Bytes::mebi(600),
        pool_cpu: Millicores::cores(8),
    }
}

/// A look: the second, what is seen, what is asked for and what is told.
type Step = (u64, GenerationsSeen, Vec<Move>, Vec<Progress>);

fn start(generation: Generation) -> Move {
    let limits = if generation == Generation::New { limits(2000, 512) } else { limits(1000, 512) };
    Move::Start { generation, count: 1, limits, pull: false }
}

const TRAFFIC: Move = Move::GiveTraffic { generation: Generation::New };
const DRAIN: Move = Move::Drain { generation: Generation::Old, count: 1 };
const STOP: Move = Move::Stop { grace: Update::STOP_GRACE };

/// How it goes, one beside the others at a time, when all is well. It looks every five seconds, but for those left out here.
fn honest() -> Vec<Step> {
    let mut steps = vec![(100, seen(2, 0, &[]), vec![start(Generation::New)], vec![Progress::Began])];
    for (old, new, from) in [(2, 0, 100), (1, 1, 160)] {
        let gone = if from == 160 { vec![] } else { vec![start(Generation::New)] };
        steps.extend([
            (from + 5, seen(old, new, &[COMING]), vec![], vec![]),
            (from + 10, seen(old, new, &[WELL]), vec![TRAFFIC], vec![]),
            (from + 30, seen(old, new + 1, &[]), vec![DRAIN], vec![]),
            (from + 50, seen(old - 1, new + 1, &[WELL]), vec![STOP], vec![]),
            (from + 55, seen(old - 1, new + 1, &[WELL]), vec![], vec![]),
            (from + 60, seen(old - 1, new + 1, &[]), gone, vec![]),
        ]);
    }
    let last = steps.last_mut().expect("some");
    (last.2, last.3) = (vec![Move::Finish], vec![Progress::Done]);
    steps
}

/// The rules that are broken, each once, where a deployment takes these steps.
fn broken_by(deployment: &Deployment, steps: &[Step]) -> Vec<Rule> {
    let mut deployment = deployment.clone();
    // The looks in between, at which nothing happens, are left out.
    deployment.update.interval = Span::from_secs(20);
    let mut audit = RolloutAudit::new(&[deployment]);
    let mut rules = Vec::new();
    for (at, seen, moves, told) in steps {
        let breaches = audit.check(0, &Look { now: second(*at), seen: Some(seen), moves, told });
        rules.extend(breaches.into_iter().map(|breach| breach.rule));
    }
    rules.sort();
    rules.dedup();
    rules
}

/// The rules that are broken when one step is not as it should be.
fn broken(place: usize, spoil: impl Fn(&mut Step)) -> Vec<Rule> {
    let mut steps = honest();
    spoil(&mut steps[place]);
    steps.truncate(place + 1);
    broken_by(&ordered(Order::StartFirst), &steps)
}

#[test]
fn an_honest_deployment_breaks_no_rule() {
    assert_eq!(broken_by(&ordered(Order::StartFirst), &honest()), []);
}

#[test]
fn it_begins_alone_in_time_and_where_there_is_room() {
    assert_eq!(broken(0, |step| step.0 = 99), [Rule::Began], "too early");
    assert_eq!(broken(0, |step| (step.2, step.3) = (vec![], vec![])), [Rule::Began], "never");
    assert_eq!(broken(0, |step| step.1.busy = true), [Rule::Began], "another one is on");
    assert_eq!(broken(0, |step| step.1.new = vec![WELL]), [Rule::Began], "another one was left as it was");
    assert_eq!(broken(0, |step| step.1.stateful = true), [Rule::Began]);
    assert_eq!(broken(0, |step| step.1.checked = false), [Rule::Began]);
    assert_eq!(broken(0, |step| step.1.free_memory = Bytes::mebi(511)), [Rule::Began]);
    assert_eq!(broken(0, |step| step.1.pool_cpu = Millicores::new(1999)), [Rule::Began]);
    let mut alone = ordered(Order::StartFirst);
    alone.alone = Some("it publishes the port 80".to_owned());
    assert_eq!(broken_by(&alone, &honest()[..1]), [Rule::Began]);
}

/// The second of two orders for one service, while the first one rests between two batches and nothing shows.
#[test]
fn two_of_one_service_are_never_on_at_once() {
    let mut audit = RolloutAudit::new(&[ordered(Order::StartFirst), ordered(Order::StartFirst)]);
    let (_, seen, moves, told) = &honest()[0];
    let look = Look { now: second(100), seen: Some(seen), moves, told };
    assert!(audit.check(0, &look).is_empty());
    assert_eq!(audit.check(1, &look)[0].rule, Rule::Began);
}

#[test]
fn one_batch_is_moved_at_a_time() {
    let two = Move::Start { generation: Generation::New, count: 2, limits: limits(2000, 512), pull: false };
    assert_eq!(broken(0, |step| step.2 = vec![two.clone()]), [Rule::OneBatch]);
    assert_eq!(broken(1, |step| step.2 = vec![start(Generation::New)]), [Rule::OneBatch]);
    assert_eq!(broken(4, |step| step.2 = vec![STOP, STOP]), [Rule::OneBatch]);
}

#[test]
fn only_who_is_well_gets_traffic() {
    assert_eq!(broken(2, |step| step.1.aside = vec![COMING]), [Rule::Traffic]);
    assert_eq!(broken(2, |step| step.1.aside[0].restarts = 1), [Rule::Traffic]);
    let old = Move::GiveTraffic { generation: Generation::Old };
    assert!(broken(2, |step| step.2 = vec![old.clone()]).contains(&Rule::Traffic), "those are not old");
    let mut tolerant = ordered(Order::StartFirst);
    tolerant.update.on_failure = OnFailure::Continue;
    let mut steps = honest();
    steps[2].1.aside = vec![COMING];
    assert_eq!(broken_by(&tolerant, &steps), [], "that is what was asked for");
}

#[test]
fn as_many_serve_as_were_promised() {
    assert_eq!(broken(0, |step| step.2 = vec![DRAIN]), [Rule::Serving], "before the new one is there");
    let both = Move::Drain { generation: Generation::Old, count: 2 };
    assert_eq!(broken(3, |step| step.2 = vec![both.clone()]), [Rule::Serving]);
    assert_eq!(broken(3, |step| step.1.new[0].state = InstanceState::Unhealthy), [Rule::Serving], "the new one is ill");
    let mut steps = honest();
    steps.truncate(1);
    steps[0].2 = vec![DRAIN];
    assert_eq!(broken_by(&ordered(Order::StopFirst), &steps), [], "that is the other way round");
    steps[0].2 = vec![both];
    assert_eq!(broken_by(&ordered(Order::StopFirst), &steps), [Rule::Serving]);
}

#[test]
fn instances_get_the_time_that_was_asked_for() {
    assert_eq!(broken(3, |step| step.0 = 129), [Rule::Patience], "watched for 19 s of 20 s");
    assert_eq!(broken(4, |step| step.0 = 149), [Rule::Patience], "drained for 19 s of 20 s");
    let killed = Move::Stop { grace: Span::ZERO };
    assert_eq!(broken(4, |step| step.2 = vec![killed.clone()]), [Rule::Patience]);
    let idle = broken(4, |step| (step.0, step.1.aside[0].idle) = (149, true));
    assert_eq!(idle, [], "who has nothing to finish may stop at once");
    let mut slow = ordered(Order::StartFirst);
    slow.update.delay = Span::from_secs(10);
    assert_eq!(broken_by(&slow, &honest()), [Rule::Patience], "no rest between two batches");
}

#[test]
fn every_instance_is_accounted_for() {
    assert_eq!(broken(1, |step| step.1.aside = vec![]), [Rule::Accounted]);
    assert_eq!(broken(1, |step| step.1.old = vec![WELL]), [Rule::Accounted]);
    assert_eq!(broken(3, |step| step.1.new = vec![]), [Rule::Accounted]);
    let mut audit = RolloutAudit::new(&[ordered(Order::StartFirst)]);
    let blind = Look { now: second(100), seen: None, moves: &[start(Generation::New)], told: &[Progress::Began] };
    assert_eq!(audit.check(0, &blind)[0].rule, Rule::Accounted, "nobody can see what it moves");
}

#[test]
fn every_stage_ends_in_time() {
    assert_eq!(broken(1, |step| step.0 = 121), [Rule::Stages], "nobody looked for 21 s");
    assert_eq!(broken(3, |step| step.2 = vec![]), [Rule::Stages], "watched for long enough");
    assert_eq!(broken(4, |step| step.2 = vec![]), [Rule::Stages], "drained for long enough");
    let mut steps = honest();
    steps.truncate(2);
    steps.extend((6..12).map(|many| (many * 20, seen(2, 0, &[COMING]), vec![], vec![])));
    assert_eq!(broken_by(&ordered(Order::StartFirst), &steps), [Rule::Stages], "not healthy after two minutes");
    let mut steps = honest();
    steps.truncate(6);
    steps.extend([(166, seen(1, 1, &[WELL]), vec![], vec![]), (171, seen(1, 1, &[WELL]), vec![], vec![])]);
    assert_eq!(broken_by(&ordered(Order::StartFirst), &steps), [Rule::Stages], "told to stop, and still there");
}

#[test]
fn it_ends_as_it_says() {
    let last = honest().len() - 1;
    assert_eq!(broken(last, |step| step.1.new_limits = limits(1000, 512)), [Rule::Outcome]);
    assert_eq!(broken(last, |step| step.3 = vec![Progress::RolledBack]), [Rule::Outcome]);
    assert_eq!(broken(6, |step| (step.2, step.3) = (vec![Move::Finish], vec![Progress::Done])), [Rule::Outcome]);
    assert_eq!(broken(2, |step| step.3 = vec![Progress::Paused]), [Rule::Outcome], "nobody asked for that");
    let wrong = Move::Start { generation: Generation::New, count: 1, limits: limits(1000, 512), pull: false };
    assert_eq!(broken(0, |step| step.2 = vec![wrong.clone()]), [Rule::Outcome], "the limits of the old ones");
    let mut steps = honest();
    steps.push((225, seen(0, 2, &[]), vec![start(Generation::New)], vec![]));
    assert_eq!(broken_by(&ordered(Order::StartFirst), &steps), [Rule::Outcome], "it was over");
    let mut lasting = ordered(Order::StartFirst);
    lasting.update.on_failure = OnFailure::Pause;
    let mut steps = honest();
    steps.truncate(3);
    (steps[2].2, steps[2].3) = (vec![STOP], vec![Progress::RollingBack]);
    assert_eq!(broken_by(&lasting, &steps), [Rule::Outcome], "nobody asked for a way back");
    assert_eq!(broken_by(&ordered(Order::StartFirst), &steps), [], "here somebody did");
}

/// A deployment that nothing shows between two of its batches: the last old instance that leaves is gone, and no new one has
/// come. Another one must not take that for an end.
#[test]
fn a_deployment_between_two_batches_is_not_over() {
    let mut second_one = Rollout::new(ordered(Order::StopFirst));
    let between = GenerationsSeen { busy: true, ..seen(2, 0, &[]) };
    let answer = second_one.observe(second(100), Some(&between));
    assert!(matches!(&answer.told[..], [Progress::Refused { why }] if why.contains("is not over")), "{answer:?}");
}
