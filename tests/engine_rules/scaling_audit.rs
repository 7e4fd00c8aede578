//! Canaries of more and fewer instances: one broken decision for each rule. An audit that does not notice is no audit.

use crate::stage::host;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::scale;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::audit::Audit;
use plimsoll::audit::Breach;
use plimsoll::audit::Rule;
use plimsoll::model::Action;
use plimsoll::model::Ahead;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Finding;
use plimsoll::model::Horizontal;
use plimsoll::model::HpaFigures;
use plimsoll::model::InstanceState;
use plimsoll::model::KpaFigures;
use plimsoll::model::Observation;
use plimsoll::model::Period;
use plimsoll::model::PointScore;
use plimsoll::model::Policy;
use plimsoll::model::Quantity;
use plimsoll::model::Reason;
use plimsoll::model::Reference;
use plimsoll::model::Scaling;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Signal;
use plimsoll::model::TrafficSeen;
use plimsoll::model::Vertical;
use plimsoll::model::WeightedScore;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

fn minute(minute: u64) -> Instant {
    Instant::after_start(Span::from_mins(minute))
}

/// Ten requests a second, all well.
fn calm(at: Instant) -> TrafficSeen {
    TrafficSeen {
        at,
        window: Span::from_mins(5),
        rate: Rate::per_second(10),
        errors: 0,
        latency_p95: Some(Span::from_millis(100)),
        inside: 1000,
    }
}

/// `web` in three instances of one CPU and 512 MiB, each of which uses so many millicores and a fifth of its memory.
fn web(now: Instant, cpu: u64) -> ServiceSeen {
    let mut web = service(limits(1000, 500));
    scale(&mut web, 3);
    for instance in &mut web.instances {
        instance.usage = Some(usage(now, cpu, Bytes::mebi(100)));
    }
    web
}

fn seen(now: Instant, cpu: u64) -> Observation {
    host([("db", web(now, cpu)), ("web", web(now, cpu))])
}

fn change(mut seen: Observation, change: impl Fn(&mut ServiceSeen)) -> Observation {
    change(seen.services.get_mut(&name("web")).expect("web"));
    seen
}

fn thresholds() -> Horizontal {
    Horizontal::around(Scaling::Bounds(Bounds::thresholds()))
}

fn audit_of(policy: Policy) -> Audit {
    Audit::new(&[(name("web"), policy), (name("db"), Policy::None)].into())
}

fn percent(percent: u64) -> Quantity {
    Quantity::Share(percent * 10_000)
}

const fn finding(signal: Signal, seen: Quantity, bound: Quantity) -> Finding {
    Finding { signal, seen, bound, lasts: Span::ZERO }
}

/// CPU at 80 %, against 70 %.
fn busy() -> Reason {
    Reason::Beyond { above: true, findings: vec![finding(Signal::Cpu, percent(80), percent(70))] }
}

/// CPU at 10 % against 20 %, and memory at 20 % against 40 %.
fn idle() -> Reason {
    let findings =
        vec![finding(Signal::Cpu, percent(10), percent(20)), finding(Signal::Memory, percent(20), percent(40))];
    Reason::Beyond { above: false, findings }
}

fn scaled(from: u32, to: u32, why: Reason) -> Decision {
    of_service("web", from, to, why)
}

fn of_service(service: &str, from: u32, to: u32, why: Reason) -> Decision {
    Decision { actions: vec![Action::Scale { service: name(service), from, to, why }], held: Vec::new() }
}

/// Which rules are broken, each once; and that the first sentence says these things.
fn found(breaches: &[Breach], rules: &[Rule], says: &[&str]) {
    let broken: Vec<_> = breaches.iter().map(|breach| breach.rule).collect();
    assert_eq!(broken, rules, "{breaches:?}");
    let sentence = breaches.iter().map(|breach| format!("{breach}\n")).collect::<String>();
    for word in says {
        assert!(sentence.contains(word), "`{word}` is not in `{sentence}`");
    }
}

/// The one rule that a decision at minute 60 breaks, under thresholds.
fn caught(seen: &Observation, decision: &Decision, rule: Rule, says: &[&str]) {
    found(&audit_of(Policy::Horizontal(thresholds())).check(minute(60), seen, decision), &[rule], says);
}

const NOW: Instant = Instant::after_start(Span::from_mins(60));

#[test]
fn good_decisions_pass() {
    let check =
        |cpu, decision: &Decision| audit_of(Policy::Horizontal(thresholds())).check(NOW, &seen(NOW, cpu), decision);
    assert_eq!(check(800, &scaled(3, 5, busy())), []);
    assert_eq!(check(100, &scaled(3, 2, idle())), []);
    let many = change(seen(NOW, 100), |web| {
        scale(web, 9);
        web.instances.iter_mut().for_each(|one| one.state = InstanceState::Down);
    });
    let mended = scaled(9, 5, Reason::OutOfRange { seen: 9, bound: 5 });
    assert_eq!(audit_of(Policy::Horizontal(thresholds())).check(NOW, &many, &mended), []);
}

#[test]
fn somebody_is_scaled_who_is_not_to_be() {
    let all = seen(NOW, 800);
    caught(&all, &of_service("db", 3, 4, busy()), Rule::Policy, &["no policy for that"]);
    let mut gone = all.clone();
    gone.services.remove(&name("web"));
    caught(&gone, &scaled(3, 4, busy()), Rule::Observed, &["was not seen"]);
    caught(&change(all.clone(), |web| web.stateful = true), &scaled(3, 4, busy()), Rule::Stateful, &["holds data"]);
    caught(&change(all, |web| web.deploying = true), &scaled(3, 4, busy()), Rule::Serving, &["deployment is on"]);
}

#[test]
fn the_number_is_wrong() {
    let (many, few) = (seen(NOW, 800), seen(NOW, 100));
    caught(&many, &scaled(4, 5, busy()), Rule::From, &["has 3 instances, the action starts from 4"]);
    caught(
        &change(many.clone(), |web| scale(web, 4)),
        &scaled(4, 6, busy()),
        Rule::Bounds,
        &["would have 6", "2 to 5"],
    );
    caught(&few, &scaled(3, 1, idle()), Rule::Bounds, &["would have 1 instances"]);
    let mut twice = scaled(3, 4, busy());
    twice.actions.push(twice.actions[0].clone());
    let breaches = audit_of(Policy::Horizontal(thresholds())).check(NOW, &many, &twice);
    found(&breaches, &[Rule::Once, Rule::Cooldown], &["number of instances is changed twice"]);
    let breaches = audit_of(Policy::Horizontal(thresholds())).check(NOW, &many, &scaled(3, 3, idle()));
    assert!(breaches.iter().any(|breach| breach.rule == Rule::Change), "{breaches:?}");
    let slow = Policy::Horizontal(Horizontal { step_up: 1, ..thresholds() });
    found(&audit_of(slow).check(NOW, &many, &scaled(3, 5, busy())), &[Rule::Step], &["from 3 to 5", "step is 1"]);
    let none = Policy::Horizontal(Horizontal { replicas_min: 0, step_down: 3, ..thresholds() });
    let breaches = audit_of(none).check(NOW, &few, &scaled(3, 0, idle()));
    found(&breaches, &[Rule::Bounds], &["would have 0 instances", "1 to 5"]);
}

#[test]
fn a_number_is_mended_that_was_well_or_is_mended_too_far() {
    let in_range = scaled(3, 5, Reason::OutOfRange { seen: 3, bound: 5 });
    caught(&seen(NOW, 800), &in_range, Rule::Reason, &["OutOfRange", "no reason"]);
    let one = change(seen(NOW, 800), |web| scale(web, 1));
    let too_far = scaled(1, 3, Reason::OutOfRange { seen: 1, bound: 2 });
    caught(&one, &too_far, Rule::Reason, &["from 1 to 3"]);
}

#[test]
fn the_pool_is_promised_too_often() {
    let mut small = seen(NOW, 800);
    // 200 % of 3.4 CPUs; seven of one are too many.
    small.host.pool_cpu = Millicores::new(3400);
    caught(&small, &scaled(3, 4, busy()), Rule::Pool, &["come to 7", "is 6.8"]);
    small.host.pool_cpu = Millicores::cores(16);
    // 150 % of 2,333 MiB; seven of 500 are 3,500.
    small.host.pool_memory = Bytes::mebi(2333);
    caught(&small, &scaled(3, 4, busy()), Rule::Pool, &["150%"]);
}

#[test]
fn what_was_asked_for_is_forgotten() {
    let both = |text: &str| (name(text), Policy::Horizontal(Horizontal { cooldown_up: Span::ZERO, ..thresholds() }));
    let mut audit = Audit::new(&[both("web"), both("db")].into());
    let small = |now| {
        let mut seen = seen(now, 800);
        seen.host.pool_cpu = Millicores::new(4000);
        seen
    };
    assert_eq!(audit.check(NOW, &small(NOW), &scaled(3, 5, busy())), []);
    // Nobody shows the two, and eight is all there is.
    let later = minute(64);
    found(&audit.check(later, &small(later), &of_service("db", 3, 4, busy())), &[Rule::Pool], &["come to 9"]);
}

#[test]
fn it_is_changed_too_soon() {
    let policy = || Policy::Horizontal(Horizontal { cooldown_down: Span::from_mins(12), ..thresholds() });
    let again = |later: u64, (cpu, decision): (u64, Decision)| {
        let mut audit = audit_of(policy());
        assert_eq!(audit.check(NOW, &seen(NOW, 800), &scaled(3, 4, busy())), []);
        audit.check(minute(later), &seen(minute(later), cpu), &decision)
    };
    let more = || (800, scaled(3, 4, busy()));
    let fewer = || (100, scaled(3, 2, idle()));
    found(&again(64, more()), &[Rule::Cooldown], &["4m ago", "cooldown is 5m"]);
    found(&again(71, fewer()), &[Rule::Cooldown], &["11m ago", "cooldown is 12m"]);
    assert_eq!((again(65, more()), again(72, fewer())), (vec![], vec![]));
}

#[test]
fn the_host_is_changed_too_often() {
    let names: Vec<String> = (10..41).map(|number| format!("s{number}")).collect();
    let mut seen = host([]);
    let mut decision = Decision::default();
    let mut policies = std::collections::BTreeMap::new();
    for text in &names {
        seen.services.insert(name(text), service(limits(100, 50)));
        policies.insert(name(text), Policy::Horizontal(thresholds()));
        decision.actions.extend(of_service(text, 1, 2, Reason::OutOfRange { seen: 1, bound: 2 }).actions);
    }
    found(&Audit::new(&policies).check(NOW, &seen, &decision), &[Rule::Rate], &["31 times", "at most 30"]);
}

#[test]
fn instances_leave_who_may_be_needed() {
    let ill = change(seen(NOW, 100), |web| web.instances[1].state = InstanceState::Unhealthy);
    caught(&ill, &scaled(3, 2, idle()), Rule::Unwell, &["instance 2 is Unhealthy"]);
    let mut audit = audit_of(Policy::Horizontal(thresholds()));
    for (at, kills) in [(56, 0), (57, 1), (59, 2)] {
        let mut seen = seen(minute(at), 100);
        seen.services.get_mut(&name("db")).expect("db").instances[0].oom_kills = kills;
        assert_eq!(audit.check(minute(at), &seen, &Decision::default()), []);
    }
    let mut killed = seen(NOW, 100);
    killed.services.get_mut(&name("db")).expect("db").instances[0].oom_kills = 2;
    found(&audit.check(NOW, &killed, &scaled(3, 2, idle())), &[Rule::GivenBack], &["db was OOM killed 2 times"]);
}

#[test]
fn it_acts_without_knowing() {
    let at = |instant| change(seen(NOW, 800), move |web| web.instances[1].usage.as_mut().expect("usage").at = instant);
    caught(&at(minute(57)), &scaled(3, 4, busy()), Rule::Data, &["instance 2 was measured at 57m"]);
    caught(&at(minute(61)), &scaled(3, 4, busy()), Rule::Data, &["instance 2 was measured at 1h1m"]);
    // Two of three are enough for more, and not for fewer.
    let blind = |cpu| change(seen(NOW, cpu), |web| web.instances[1].usage = None);
    found(&audit_of(Policy::Horizontal(thresholds())).check(NOW, &blind(800), &scaled(3, 4, busy())), &[], &[]);
    caught(&blind(100), &scaled(3, 2, idle()), Rule::Data, &["instance 2 was not measured"]);
    let starting = change(seen(NOW, 800), |web| {
        web.instances.iter_mut().for_each(|one| one.state = InstanceState::Starting);
    });
    caught(&starting, &scaled(3, 4, busy()), Rule::Data, &["nothing of it was measured lately"]);
}

#[test]
fn its_reason_is_none() {
    let of_cpu = |seen, bound| Reason::Beyond {
        above: true,
        findings: vec![finding(Signal::Cpu, percent(seen), percent(bound))],
    };
    let all = seen(NOW, 800);
    let wrong = [
        (of_cpu(80, 60), "its policy says 70 %"),
        (of_cpu(70, 70), "exactly on it is within"),
        (Reason::Beyond { above: true, findings: Vec::new() }, "nothing is found"),
        (idle(), "that is one for fewer"),
        (
            Reason::AboveThreshold { seen: Permille::percent(90), threshold: Permille::percent(80), checks: 3 },
            "of limits",
        ),
        (Reason::Points { above: true, points: 14, most: 14, enough: 4, findings: Vec::new() }, "of another rule"),
    ];
    for (why, what) in wrong {
        let breaches = audit_of(Policy::Horizontal(thresholds())).check(NOW, &all, &scaled(3, 4, why));
        assert!(breaches.iter().any(|breach| breach.rule == Rule::Reason), "{what}: {breaches:?}");
    }
    let requests = finding(Signal::Requests, Quantity::Rate(10_000_000), Quantity::Rate(5_000_000));
    let strange = Reason::Beyond { above: true, findings: vec![requests] };
    let counted = change(all, |web| web.traffic = Some(calm(NOW)));
    caught(
        &counted,
        &scaled(3, 4, strange),
        Rule::Reason,
        &["requests of 10/s against 5/s", "no reason of its policy"],
    );
}

#[test]
fn a_bound_is_not_passed_for_long_enough() {
    let policy = Policy::Horizontal(Horizontal::around(Scaling::Bounds(Bounds::triggers())));
    let since = |lasts: u64| Reason::Beyond {
        above: true,
        findings: vec![Finding { lasts: Span::from_mins(lasts), ..finding(Signal::Cpu, percent(80), percent(70)) }],
    };
    let after = |watched: u64, lasts: u64| {
        let mut audit = audit_of(policy.clone());
        let first = minute(60 - watched);
        assert_eq!(audit.check(first, &seen(first, 800), &Decision::default()), []);
        audit.check(NOW, &seen(NOW, 800), &scaled(3, 4, since(lasts)))
    };
    assert_eq!(after(5, 5), []);
    found(&after(60, 4), &[Rule::Reason], &["80% against 70% for 4m", "no reason"]);
    found(&after(4, 5), &[Rule::Reason], &["beyond its bound for 5m, and it is watched for 4m"]);
    let mut audit = audit_of(policy);
    assert_eq!(audit.check(minute(1), &seen(minute(1), 800), &Decision::default()), []);
    assert_eq!(audit.check(minute(54), &seen(minute(54), 800), &scaled(3, 4, since(5))), []);
    let breaches = audit.check(NOW, &seen(NOW, 800), &scaled(3, 4, since(7)));
    found(&breaches, &[Rule::Reason], &["for 7m, and it is watched for 6m"]);
}

#[test]
fn its_figures_are_not_what_was_seen() {
    let lied = Reason::Beyond { above: true, findings: vec![finding(Signal::Cpu, percent(95), percent(70))] };
    caught(&seen(NOW, 800), &scaled(3, 4, lied), Rule::Data, &["cpu of 95%, which nobody saw"]);
    let policy = || Policy::Horizontal(Horizontal::around(Scaling::Points(PointScore::default())));
    let errors = |seen| Reason::Points {
        above: true,
        points: 4,
        most: 14,
        enough: 4,
        findings: vec![finding(Signal::Errors, Quantity::Share(seen), percent(5))],
    };
    let check = |traffic: Option<TrafficSeen>| {
        let seen = change(seen(NOW, 500), |web| web.traffic = traffic);
        audit_of(policy()).check(NOW, &seen, &scaled(3, 4, errors(100_000)))
    };
    let failing = || TrafficSeen { errors: 100_000, ..calm(NOW) };
    assert_eq!(check(Some(failing())), []);
    found(&check(None), &[Rule::Data], &["errors of 10%, which nobody saw"]);
    found(&check(Some(calm(NOW))), &[Rule::Data], &["nobody saw"]);
    found(&check(Some(TrafficSeen { at: minute(57), ..failing() })), &[Rule::Data], &["counted at 57m"]);
    found(&check(Some(TrafficSeen { at: minute(61), ..failing() })), &[Rule::Data], &["counted at 1h1m"]);
    found(&check(Some(TrafficSeen { window: Span::ZERO, ..failing() })), &[Rule::Data], &["over 0s"]);
}

#[test]
fn fewer_though_a_figure_is_left_out_or_lost() {
    let policy = || Policy::Horizontal(Horizontal::around(Scaling::Bounds(Bounds::triggers())));
    let quarter = Span::from_mins(15);
    let Reason::Beyond { findings, .. } = idle() else { panic!("a reason of bounds") };
    let of_usage: Vec<_> = findings.into_iter().map(|one| Finding { lasts: quarter, ..one }).collect();
    let why = || Reason::Beyond { above: false, findings: of_usage.clone() };
    let mut audit = audit_of(policy());
    let first = minute(30);
    assert_eq!(audit.check(first, &seen(first, 100), &Decision::default()), []);
    let uncounted = audit.clone().check(NOW, &seen(NOW, 100), &scaled(3, 2, why()));
    assert_eq!(uncounted, [], "nobody ever counted its requests");
    let counted = change(seen(NOW, 100), |web| web.traffic = Some(calm(NOW)));
    let breaches = audit.clone().check(NOW, &counted, &scaled(3, 2, why()));
    found(&breaches, &[Rule::Reason, Rule::Reason], &["queue is not below 10, and instances are removed", "p95"]);
    let counted = change(seen(minute(40), 100), |web| web.traffic = Some(calm(minute(40))));
    assert_eq!(audit.check(minute(40), &counted, &Decision::default()), []);
    let breaches = audit.check(NOW, &seen(NOW, 100), &scaled(3, 2, why()));
    found(&breaches, &[Rule::Data], &["its requests are not counted any more"]);
}

#[test]
fn what_is_taken_is_missed_at_once() {
    let mut bounds = Bounds::thresholds();
    bounds.down[0].bound = percent(60);
    let policy = Policy::Horizontal(Horizontal::around(Scaling::Bounds(bounds)));
    let why = Reason::Beyond {
        above: false,
        findings: vec![
            finding(Signal::Cpu, percent(50), percent(60)),
            finding(Signal::Memory, percent(20), percent(40)),
        ],
    };
    // Three at 50 % are two at 75 %, and at 70 % there are to be more.
    let breaches = audit_of(policy).check(NOW, &seen(NOW, 500), &scaled(3, 2, why));
    found(&breaches, &[Rule::Missed], &["with 2 instances cpu is above 70%"]);
    let points =
        Policy::Horizontal(Horizontal::around(Scaling::Points(PointScore { down_from: 4, ..PointScore::default() })));
    let calm_ones =
        vec![finding(Signal::Cpu, percent(10), percent(20)), finding(Signal::Memory, percent(20), percent(40))];
    let few = |findings| Reason::Points { above: false, points: 4, most: 7, enough: 4, findings };
    let failing = change(seen(NOW, 100), |web| web.traffic = Some(TrafficSeen { errors: 60_000, ..calm(NOW) }));
    let breaches = audit_of(points).check(NOW, &failing, &scaled(3, 2, few(calm_ones)));
    found(&breaches, &[Rule::Missed], &["errors is above 5%"]);
}

#[test]
fn points_do_not_add_up() {
    let policy = || Policy::Horizontal(Horizontal::around(Scaling::Points(PointScore::default())));
    let why = |points, enough| Reason::Points {
        above: true,
        points,
        most: 14,
        enough,
        findings: vec![finding(Signal::Cpu, percent(80), percent(70))],
    };
    let check = |why| audit_of(policy()).check(NOW, &seen(NOW, 800), &scaled(3, 4, why));
    found(&check(why(4, 4)), &[Rule::Reason], &["give 3 points, it counts 4"]);
    found(&check(why(3, 4)), &[Rule::Reason], &["4 are enough"]);
    found(&check(why(3, 3)), &[Rule::Reason], &["4 are enough"]);
}

#[test]
fn a_mean_is_not_that_of_its_figures() {
    let policy = || Policy::Horizontal(Horizontal::around(Scaling::Weighted(WeightedScore::default())));
    // 80 of 90 parts are CPU at 90 %, and 10 are memory at 20 %.
    let why = |score, bound, cpu| Reason::Weighted {
        above: true,
        score: Permille::new(score),
        bound: Permille::new(bound),
        seen: vec![(Signal::Cpu, percent(cpu)), (Signal::Memory, percent(20))],
    };
    let check = |why| audit_of(policy()).check(NOW, &seen(NOW, 900), &scaled(3, 4, why));
    assert_eq!(check(why(822, 700, 90)), []);
    found(&check(why(900, 700, 90)), &[Rule::Reason], &["a mean of 90% is no reason, its figures give 82.2%"]);
    found(&check(why(822, 600, 90)), &[Rule::Reason], &["no reason"]);
    found(&check(why(866, 700, 95)), &[Rule::Data], &["cpu of 95%, which nobody saw"]);
    let half = Policy::Horizontal(Horizontal::around(Scaling::Weighted(WeightedScore {
        down: Permille::percent(60),
        ..WeightedScore::default()
    })));
    let few = Reason::Weighted {
        above: false,
        score: Permille::new(555),
        bound: Permille::percent(60),
        seen: vec![(Signal::Cpu, percent(60)), (Signal::Memory, percent(20))],
    };
    let breaches = audit_of(half).check(NOW, &seen(NOW, 600), &scaled(3, 2, few));
    found(&breaches, &[Rule::Missed], &["with 2 instances the mean is 82.2%"]);
}

#[test]
fn the_limit_moves_where_the_number_should() {
    let both = || Policy::Both(Vertical::default(), thresholds());
    let limit = |to| {
        let (high, low) = (Permille::percent(90), Permille::percent(10));
        let why = if to > 1000 {
            Reason::AboveThreshold { seen: high, threshold: Permille::percent(80), checks: 3 }
        } else {
            Reason::BelowThreshold { seen: low, threshold: Permille::percent(30), checks: 3 }
        };
        let (from, to) = (Millicores::new(1000), Millicores::new(to));
        Decision { actions: vec![Action::LimitCpu { service: name("web"), from, to, why }], held: Vec::new() }
    };
    let breaches = audit_of(both()).check(NOW, &seen(NOW, 900), &limit(1250));
    found(&breaches, &[Rule::NumberFirst], &["is raised, and it has 3 instances of at most 5"]);
    let breaches = audit_of(both()).check(NOW, &seen(NOW, 100), &limit(750));
    found(&breaches, &[Rule::NumberFirst], &["would be 0.75, and nobody gave it less than 1"]);
    let full = |now, cpu| {
        change(seen(now, cpu), |web| {
            scale(web, 5);
            for one in &mut web.instances {
                one.usage = Some(usage(now, cpu, Bytes::mebi(100)));
            }
        })
    };
    assert_eq!(audit_of(both()).check(NOW, &full(NOW, 900), &limit(1250)), []);
    let mut audit = audit_of(both());
    assert_eq!(audit.check(minute(56), &seen(minute(56), 800), &scaled(3, 5, busy())), []);
    found(&audit.check(NOW, &full(NOW, 900), &limit(1250)), &[Rule::NumberFirst], &["changed 4m ago", "rest for 5m"]);
    let database = change(seen(NOW, 900), |web| web.stateful = true);
    assert_eq!(audit_of(both()).check(NOW, &database, &limit(1250)), [], "a database has no other number");
}

/// What Kubernetes' autoscaler would say of three instances at so many percent of CPU, against 80 %.
fn autoscaler(wanted: u32, seen: u64, target: u64) -> Reason {
    let findings = vec![finding(Signal::Cpu, percent(seen), percent(target))];
    Reason::Wanted { policy: "hpa".to_owned(), wanted, findings, note: String::new() }
}

#[test]
fn a_policy_of_the_field_does_not_do_what_it_wants() {
    let of_the_field = || Policy::Horizontal(Horizontal::of_the_field(Reference::Hpa(HpaFigures::default())));
    let check = |decision| audit_of(of_the_field()).check(NOW, &seen(NOW, 900), &decision);
    assert_eq!(check(scaled(3, 4, autoscaler(4, 90, 80))), []);
    found(&check(scaled(3, 5, autoscaler(4, 90, 80))), &[Rule::Reason], &["wants 4 instances, and goes from 3 to 5"]);
    found(&check(scaled(3, 2, autoscaler(4, 90, 80))), &[Rule::Reason], &["wants 4 instances, and goes from 3 to 2"]);
    found(&check(scaled(3, 4, autoscaler(4, 90, 70))), &[Rule::Reason], &["70% is no target"]);
    found(&check(scaled(3, 4, autoscaler(4, 99, 80))), &[Rule::Data], &["cpu of 99%, which nobody saw"]);
    let other = Reason::Wanted { policy: "kpa".to_owned(), wanted: 4, findings: Vec::new(), note: String::new() };
    found(&check(scaled(3, 4, other)), &[Rule::Reason], &["no reason"]);
    // Of 300 requests in it each of three has 100.
    let kpa = || Policy::Horizontal(Horizontal::of_the_field(Reference::Kpa(KpaFigures::default())));
    let crowded = change(seen(NOW, 500), |web| web.traffic = Some(TrafficSeen { inside: 300_000, ..calm(NOW) }));
    let of_each = |thousandths| {
        let found = finding(Signal::Queue, Quantity::Number(thousandths), Quantity::Number(100_000));
        Reason::Wanted { policy: "kpa".to_owned(), wanted: 5, findings: vec![found], note: String::new() }
    };
    assert_eq!(audit_of(kpa()).check(NOW, &crowded, &scaled(3, 5, of_each(100_000))), []);
    let breaches = audit_of(kpa()).check(NOW, &crowded, &scaled(3, 5, of_each(90_000)));
    found(&breaches, &[Rule::Data], &["queue of 90, which nobody saw"]);
    let old = change(crowded, |web| web.traffic.as_mut().expect("requests").at = minute(57));
    let breaches = audit_of(kpa()).check(NOW, &old, &scaled(3, 5, of_each(100_000)));
    found(&breaches, &[Rule::Data], &["requests were counted at 57m"]);
}

#[test]
fn a_forecast_is_none_or_does_not_add_up() {
    let ahead = Ahead { cpu: Permille::percent(50), by: Span::from_mins(5) };
    let policy = |ahead| Policy::Horizontal(Horizontal { ahead, ..thresholds() });
    // 1.9 CPUs at half a CPU each are four instances.
    let why = |wanted, upper, by, (error, error_of_last): (u64, u64)| Reason::Ahead {
        wanted,
        expected: Millicores::new(1500),
        upper: Millicores::new(upper),
        by: Span::from_mins(by),
        error: Permille::new(error),
        error_of_last: Permille::new(error_of_last),
    };
    let check = |to, why| audit_of(policy(Some(ahead))).check(NOW, &seen(NOW, 400), &scaled(3, to, why));
    assert_eq!(check(4, why(4, 1900, 5, (100, 300))), []);
    assert_eq!(check(4, why(4, 1900, 5, (15, 10))), [], "both are next to nothing");
    found(&check(4, why(5, 1900, 5, (100, 300))), &[Rule::Reason], &["are 4 instances, not 5"]);
    found(&check(5, why(4, 1900, 5, (100, 300))), &[Rule::Reason], &["no reason for 5"]);
    found(&check(4, why(4, 1900, 9, (100, 300))), &[Rule::Reason], &["by 9m"]);
    found(&check(4, why(4, 1900, 5, (301, 300))), &[Rule::Reason], &["30.1% off lately against 30%"]);
    let blind = audit_of(policy(None)).check(NOW, &seen(NOW, 400), &scaled(3, 4, why(4, 1900, 5, (100, 300))));
    found(&blind, &[Rule::Reason], &["Ahead", "no reason"]);
}

#[test]
fn the_range_is_that_of_the_hour() {
    let hour = |hour: u64| minute(60 * hour);
    let night = Period {
        days: [true; 7],
        from: Span::from_mins(20 * 60),
        lasts: Span::from_mins(10 * 60),
        replicas_min: 1,
        replicas_max: 1,
    };
    let policy = || Policy::Horizontal(Horizontal { schedule: vec![night], ..thresholds() });
    let mended = || scaled(3, 1, Reason::OutOfRange { seen: 3, bound: 1 });
    let check = |at, decision| audit_of(policy()).check(at, &seen(at, 800), &decision);
    assert_eq!(check(hour(21), mended()), []);
    let breaches = check(hour(19), mended());
    assert!(breaches.iter().any(|breach| breach.rule == Rule::Bounds), "{breaches:?}");
    found(&check(hour(21), scaled(3, 4, busy())), &[Rule::Bounds], &["would have 4 instances", "1 to 1"]);
    assert_eq!(check(hour(19), scaled(3, 4, busy())), []);
}
