//! Policy tests: promtool's way, series in and decisions out.

use plimsoll::model::Given;
use plimsoll::model::Horizontal;
use plimsoll::model::Limits;
use plimsoll::model::NomadThresholdFigures;
use plimsoll::model::Policy;
use plimsoll::model::PolicyCase;
use plimsoll::model::PolicyCheck;
use plimsoll::model::PolicySubject;
use plimsoll::model::PolicyTest;
use plimsoll::model::PolicyWanted;
use plimsoll::model::Reference;
use plimsoll::model::ServiceName;
use plimsoll::model::Signal;
use plimsoll::model::Vertical;
use plimsoll::run::policy_test::CaseResult;
use plimsoll::run::policy_test::judge;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;

fn api() -> ServiceName {
    ServiceName::new("api")
}

/// `api` with the default policy, one CPU and 512 MiB, looked at every 30 s.
fn test(cases: Vec<PolicyCase>) -> PolicyTest {
    let subject = PolicySubject {
        policy: Policy::Vertical(Vertical::default()),
        limits: Limits { cpu: Some(Millicores::cores(1)), memory: Some(Bytes::mebi(512)) },
        instances: 2,
        stateful: false,
    };
    PolicyTest {
        name: "default policy".to_owned(),
        pool: Limits::default(),
        services: [(api(), subject)].into(),
        step: Span::from_secs(30),
        cases,
    }
}

/// A CPU series as `40% x8, none x2`: shares of the limit, each so many times.
fn cpu(parts: &[(Option<u64>, usize)]) -> Vec<Option<Given>> {
    let value = |share: &Option<u64>| share.map(|share| Given::OfLimit(Permille::percent(share)));
    parts.iter().flat_map(|(share, times)| std::iter::repeat_n(value(share), *times)).collect()
}

fn case(name: &str, cpu: Vec<Option<Given>>, expect: Vec<PolicyCheck>) -> PolicyCase {
    PolicyCase { name: name.to_owned(), given: [((api(), Signal::Cpu), cpu)].into(), metrics: [].into(), expect }
}

fn check(at: Option<u64>, wanted: Vec<(&str, PolicyWanted)>) -> PolicyCheck {
    let at = at.map(|minutes| Instant::after_start(Span::from_mins(minutes)));
    PolicyCheck { at, wanted: wanted.into_iter().map(|(text, wanted)| (text.to_owned(), wanted)).collect() }
}

fn held(guard: &str) -> PolicyWanted {
    PolicyWanted::Held(guard.to_owned())
}

fn passes(case: PolicyCase) {
    let results = judge(&test(vec![case]));
    assert!(results[0].passed, "{results:#?}");
}

fn failures(result: &CaseResult) -> Vec<(u64, &str, &str)> {
    let shown = result.failures.iter();
    shown.map(|failure| (failure.at.since_start().secs(), failure.wanted.as_str(), failure.got.as_str())).collect()
}

#[test]
fn one_spike_does_not_scale() {
    let series = cpu(&[(Some(40), 30), (Some(95), 1), (Some(40), 30)]);
    let end = check(
        None,
        vec![
            ("limit.cpu.api: 1", PolicyWanted::LimitCpu(api(), Millicores::cores(1))),
            ("actions: 0", PolicyWanted::Actions(0)),
            ("held: nothing", PolicyWanted::NothingHeld),
        ],
    );
    passes(case("one spike does not scale", series, vec![end]));
}

#[test]
fn three_checks_raise_the_limit_then_the_cooldown_holds() {
    let expect = vec![
        check(Some(5), vec![("held: hysteresis", held("hysteresis")), ("actions: 0", PolicyWanted::Actions(0))]),
        check(Some(10), vec![("limit.cpu.api: 1.25", PolicyWanted::LimitCpu(api(), Millicores::new(1250)))]),
        check(Some(10), vec![("held: nothing", PolicyWanted::NothingHeld)]),
        check(
            Some(33),
            vec![("held: cooldown", held("cooldown")), ("actions.api: 1", PolicyWanted::ActionsOf(api(), 1))],
        ),
        check(Some(40), vec![("limit.cpu.api: 1.563", PolicyWanted::LimitCpu(api(), Millicores::new(1563)))]),
        check(None, vec![("actions: 2", PolicyWanted::Actions(2))]),
    ];
    passes(case("95 % for 50 minutes", cpu(&[(Some(95), 101)]), expect));
}

#[test]
fn missing_metrics_hold_and_never_scale_down() {
    let end = check(
        None,
        vec![
            ("held: no data", held("no data")),
            ("limit.cpu.api: 1", PolicyWanted::LimitCpu(api(), Millicores::cores(1))),
            ("limit.memory.api: 512M", PolicyWanted::LimitMemory(api(), Bytes::mebi(512))),
        ],
    );
    passes(case("missing metrics", cpu(&[(Some(10), 14), (None, 40)]), vec![end]));
    // A series that ends goes on without values.
    let later = check(Some(60), vec![("held: no data", held("no data")), ("actions: 0", PolicyWanted::Actions(0))]);
    passes(case("a series that ends", cpu(&[(Some(10), 14)]), vec![later]));
}

#[test]
fn a_share_on_a_threshold_stays_on_it_whatever_the_limit() {
    // No whole number of millicores is 80 % or 30 % of such limits.
    for limit in [107, 333, 334, 403, 999, 1001] {
        for share in [30, 80] {
            let mut test = test(vec![case(
                "on the threshold",
                cpu(&[(Some(share), 80)]),
                vec![check(
                    None,
                    vec![("actions: 0", PolicyWanted::Actions(0)), ("held: nothing", PolicyWanted::NothingHeld)],
                )],
            )]);
            test.services.get_mut(&api()).expect("api").limits.cpu = Some(Millicores::new(limit));
            let results = judge(&test);
            assert!(results[0].passed, "{share} % of {limit}: {results:?}");
        }
    }
}

#[test]
fn memory_is_given_in_sizes_and_follows_the_limit() {
    let series = vec![Some(Given::Memory(Bytes::mebi(500))); 31];
    let mut case = case(
        "memory",
        Vec::new(),
        vec![check(None, vec![("limit.memory.api: 640M", PolicyWanted::LimitMemory(api(), Bytes::mebi(640)))])],
    );
    case.given = [((api(), Signal::Memory), series)].into();
    passes(case);
}

#[test]
fn a_small_pool_is_a_guard_like_any_other() {
    let mut test = test(vec![case(
        "pool",
        cpu(&[(Some(95), 21)]),
        vec![check(
            None,
            vec![
                ("held: cpu pool", held("cpu pool")),
                ("limit.cpu.api: 1.1", PolicyWanted::LimitCpu(api(), Millicores::new(1100))),
            ],
        )],
    )]);
    test.pool.cpu = Some(Millicores::new(1100));
    let results = judge(&test);
    assert!(results[0].passed, "{results:?}");
}

#[test]
fn what_is_otherwise_says_when_what_was_wanted_and_what_is() {
    let expect = vec![
        check(
            Some(15),
            vec![
                ("limit.cpu.api: 1.5", PolicyWanted::LimitCpu(api(), Millicores::new(1500))),
                ("actions: 1", PolicyWanted::Actions(1)),
            ],
        ),
        check(Some(5), vec![("held: cooldown", held("cooldown"))]),
        check(None, vec![("actions.api: 0", PolicyWanted::ActionsOf(api(), 0))]),
    ];
    let good = case("good", cpu(&[(Some(50), 31)]), vec![check(None, vec![("actions: 0", PolicyWanted::Actions(0))])]);
    let results = judge(&test(vec![case("wrong", cpu(&[(Some(95), 31)]), expect), good]));
    assert_eq!(
        failures(&results[0]),
        [
            (300, "held: cooldown", "held: hysteresis (cpu of api)"),
            (900, "limit.cpu.api: 1.5", "limit.cpu.api: 1.25"),
            (900, "actions.api: 0", "actions.api: 1"),
        ]
    );
    assert!(!results[0].passed);
    assert_eq!((results[1].name.as_str(), results[1].passed), ("good", true));
}

#[test]
fn a_check_long_after_the_series_is_answered_at_once() {
    let year = 365 * 24 * 60;
    let late = vec![("held: no data", held("no data")), ("actions: 1", PolicyWanted::Actions(1))];
    passes(case("five hundred years later", cpu(&[(Some(95), 31)]), vec![check(Some(500 * year), late)]));
}

#[test]
fn odd_tests_end() {
    let mut empty = test(vec![case(
        "nothing given",
        Vec::new(),
        vec![check(None, vec![("actions: 0", PolicyWanted::Actions(0))])],
    )]);
    assert!(judge(&empty)[0].passed);
    empty.step = Span::ZERO;
    assert!(judge(&empty)[0].passed, "time that stands still is one look");
    empty.services.clear();
    assert!(judge(&empty)[0].passed);
}

/// Checks of a busy service come at 0 s, 14 s, 28 s, 42 s and 56 s: at the fifth the first is 56 s old and counts. Every 15 s
/// it is a whole minute old, which is too old, and so it goes on: never are there five points.
#[test]
fn a_threshold_of_nomad_is_checked_five_times_in_a_minute_or_never_acts() {
    for (every, replicas) in [(14, 3), (15, 2)] {
        let nomad = Reference::NomadThreshold(NomadThresholdFigures::default());
        let policy = Horizontal { every: Span::from_secs(every), ..Horizontal::of_the_field(nomad) };
        let at = |seconds| Some(Instant::after_start(Span::from_secs(seconds)));
        let wanted = |replicas| vec![(format!("replicas.api: {replicas}"), PolicyWanted::Replicas(api(), replicas))];
        let checks = vec![
            PolicyCheck { at: at(55), wanted: wanted(2) },
            PolicyCheck { at: at(56), wanted: wanted(replicas) },
            PolicyCheck { at: None, wanted: wanted(replicas) },
        ];
        // A second more than four minutes: within the rest of five minutes after the first step.
        let mut test = test(vec![case("busy", cpu(&[(Some(90), 241)]), checks)]);
        test.step = Span::from_secs(1);
        test.services.get_mut(&api()).expect("the API").policy = Policy::Horizontal(policy);
        let results = judge(&test);
        assert!(results[0].passed, "every {every} s: {results:#?}");
    }
}
