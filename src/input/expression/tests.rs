use super::Known;
use super::Scalar;
use super::parse;
use crate::input::problem::Source;
use crate::model::Aggregate;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Measure;
use crate::model::Metric;
use crate::model::Quantity;
use crate::model::Range;
use crate::model::ServiceName;
use crate::model::Subject;
use crate::model::Windows;
use crate::units::Bytes;
use crate::units::Currency;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use crate::units::Temperature;
use proptest::prelude::*;

fn services() -> Vec<ServiceName> {
    ["ziggie-api", "postgres", "api", "web.front_1", "3scale"].into_iter().map(ServiceName::new).collect()
}

fn read(text: &str) -> Result<Expectation, crate::input::problem::Problems> {
    let services = services();
    let day = (Instant::after_start(Span::from_mins(5)), Instant::after_start(Span::from_mins(24 * 60)));
    parse("it holds", &Scalar::new(text, None), &Known { services: &services, judged: Some(day) })
}

fn measure(aggregate: Aggregate, metric: Metric, subject: Subject, range: Range) -> Measure {
    Measure { aggregate, metric, subject, range }
}

fn of(name: &str) -> Subject {
    Subject::Service(ServiceName::new(name))
}

#[test]
fn reads_every_form_of_the_manual() {
    let hours = |from: u64, to: u64| {
        Range::Between(Instant::after_start(Span::from_mins(from)), Instant::after_start(Span::from_mins(to)))
    };
    let half_an_hour = Range::Every(Span::from_mins(30));
    let cases = [
        (
            "p95(latency.ziggie-api) <= 500ms for 99% of 5m",
            measure(Aggregate::Percentile(95_000), Metric::Latency, of("ziggie-api"), Range::Whole),
            Bound::Value(Quantity::Time(Span::from_millis(500))),
        ),
        (
            "p99.9(latency.web.front_1) <= 1s",
            measure(Aggregate::Percentile(99_900), Metric::Latency, of("web.front_1"), Range::Whole),
            Bound::Value(Quantity::Time(Span::from_secs(1))),
        ),
        (
            "count(oom) == 0",
            measure(Aggregate::Count, Metric::Oom, Subject::All, Range::Whole),
            Bound::Value(Quantity::Number(0)),
        ),
        (
            "count(oom.api) == 0",
            measure(Aggregate::Count, Metric::Oom, of("api"), Range::Whole),
            Bound::Value(Quantity::Number(0)),
        ),
        (
            "max(reversals, 30m) == 0",
            measure(Aggregate::Max, Metric::Reversals, Subject::All, half_an_hour),
            Bound::Value(Quantity::Number(0)),
        ),
        (
            "error_rate(ziggie-api, 20h..20h5m) < 0.5%",
            measure(Aggregate::Share, Metric::Errors, of("ziggie-api"), hours(1200, 1205)),
            Bound::Value(Quantity::Share(5000)),
        ),
        (
            "error_rate(3scale) < 1 %",
            measure(Aggregate::Share, Metric::Errors, of("3scale"), Range::Whole),
            Bound::Value(Quantity::Share(10_000)),
        ),
        (
            "max(memory.postgres) < 90% of limit",
            measure(Aggregate::Max, Metric::Memory, of("postgres"), Range::Whole),
            Bound::OfLimit(Permille::percent(90)),
        ),
        (
            "max(memory.postgres) < 2.5 GB",
            measure(Aggregate::Max, Metric::Memory, of("postgres"), Range::Whole),
            Bound::Value(Quantity::Memory(Bytes::mebi(2560))),
        ),
        (
            "cost(month) <= 12 USD",
            measure(Aggregate::Max, Metric::Cost, Subject::Host, Range::Whole),
            Bound::Value(Quantity::Money(Money::micro(12_000_000, Currency::USD))),
        ),
        (
            "mean(host.cpu) < 80%",
            measure(Aggregate::Mean, Metric::HostCpu, Subject::Host, Range::Whole),
            Bound::Value(Quantity::Share(800_000)),
        ),
        (
            "mean(host.cpu)<3.5",
            measure(Aggregate::Mean, Metric::HostCpu, Subject::Host, Range::Whole),
            Bound::Value(Quantity::Cpu(Millicores::new(3500))),
        ),
        (
            "max(temperature) < 80C",
            measure(Aggregate::Max, Metric::Temperature, Subject::Host, Range::Whole),
            Bound::Value(Quantity::Temperature(Temperature::celsius(80))),
        ),
        (
            "min(clock) >= 85%",
            measure(Aggregate::Min, Metric::Clock, Subject::Host, Range::Whole),
            Bound::Value(Quantity::Share(850_000)),
        ),
        (
            "min(limit.cpu.api) >= 0.5 in 95% of seeds",
            measure(Aggregate::Min, Metric::LimitCpu, of("api"), Range::Whole),
            Bound::Value(Quantity::Cpu(Millicores::new(500))),
        ),
        (
            "rate(requests.api) > 60/min",
            measure(Aggregate::Rate, Metric::Requests, of("api"), Range::Whole),
            Bound::Value(Quantity::Rate(1_000_000)),
        ),
    ];
    for (text, wanted, bound) in cases {
        let read = read(text).unwrap_or_else(|problems| panic!("{text}: {problems}"));
        assert_eq!((read.measure, read.bound), (wanted, bound), "{text}");
    }
    let windows = read("p95(latency.api) <= 500ms for 99% of 5m in 80% of seeds").expect("reads");
    assert_eq!(windows.windows, Some(Windows { share: Permille::percent(99), length: Span::from_mins(5) }));
    assert_eq!((windows.seeds, windows.comparison), (Permille::percent(80), Comparison::AtMost));
}

#[test]
fn says_what_is_wrong_and_what_was_meant() {
    for (text, code, words) in [
        ("", "PL0301", "expected a function"),
        ("latency.api < 1s", "PL0301", "needs a function"),
        ("p95 latency.api < 1s", "PL0301", "`(` after `p95`"),
        ("p95(latency.api) = 1s", "PL0301", "did you mean `==`?"),
        ("p95(latency.api) <= 1s of", "PL0301", "expected `limit`"),
        ("p95(latency.api) <= 1s and more", "PL0301", "one too many"),
        ("p95(latency.api", "PL0301", "but the expression ends"),
        ("avg(cpu.api) < 1", "PL0302", "did you mean `mean`?"),
        ("p101(latency.api) < 1s", "PL0302", "unknown function `p101`"),
        ("cuont(oom) == 0", "PL0302", "did you mean `count`?"),
        ("p95(latncy.api) < 1s", "PL0303", "unknown metric `latncy.api`, did you mean `latency.api`?"),
        ("max(cpu) < 1", "PL0303", "`cpu` needs a service"),
        ("max(host.cpu.api) < 1", "PL0303", "of the host"),
        ("p95(latency.zigie-api) < 1s", "PL0304", "unknown service `zigie-api`, did you mean `ziggie-api`?"),
        ("error_rate(postgers) < 1%", "PL0304", "did you mean `postgres`?"),
        (
            "max(memory.api) < 500ms",
            "PL0305",
            "`500ms` is a time, expected a size such as `512M` or a share of the limit",
        ),
        ("p95(latency.api) < 90% of limit", "PL0305", "no limit to compare with"),
        ("max(cpu.api) < 80%", "PL0305", "expected a number of cores"),
        ("max(memory.api) < 512", "PL0305", "is a plain number"),
        ("max(wal) < 5", "PL0306", "not simulated"),
        ("max(temperature) < 85", "PL0305", "expected a temperature such as `80C`"),
        ("min(clock) >= 80C", "PL0305", "`80C` is a temperature, expected a share"),
        ("max(temperature.api) < 85C", "PL0303", "of the host"),
        ("count(latency.api) == 0", "PL0307", "says nothing"),
        ("max(oom) == 0", "PL0307", "says nothing"),
        ("share(cpu.api) < 1%", "PL0307", "says nothing"),
        ("count(oom, 30h) == 0", "PL0308", "longer than"),
        ("count(oom, 23h..25h) == 0", "PL0308", "not within the part that is judged"),
        ("count(oom, 3h..2h) == 0", "PL0308", "ends before it begins"),
        ("count(oom, 0s) == 0", "PL0308", "above zero"),
        ("max(reversals, 30m) == 0 for 99% of 5m", "PL0308", "exclude each other"),
        ("p95(latency.api) < 500mss", "PL0309", "did you mean the unit `ms`?"),
        ("p95(latency.api) < -5ms", "PL0309", "is negative"),
        ("p95(latency.api) < 5ms for 101% of 5m", "PL0309", "no share that can be judged"),
    ] {
        let problems = read(text).expect_err(text);
        let found: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect();
        assert!(found.len() == 1 && found[0].starts_with(code) && found[0].contains(words), "{text}: {found:?}");
    }
}

#[test]
fn names_everything_that_is_wrong_at_its_own_place() {
    let file = "expect:\n  api is fast: \"p95(latency.appi) <= 500xs for 0% of 5k\"\n";
    let source = Source::new("peak.yaml", file);
    let place = source.place(file.find('"').expect("quoted"), file.len() - 1);
    let text = "p95(latency.appi) <= 500xs for 0% of 5k";
    let services = services();
    let known = Known { services: &services, judged: None };
    let problems = parse("api is fast", &Scalar::new(text, Some(&place)), &known).expect_err("is wrong");
    let found: Vec<&str> = problems.iter().map(|problem| problem.place.as_ref().expect("has a place").text()).collect();
    assert_eq!(found, ["appi", "0%", "5k"]);
}

/// Expectations that make sense: every metric with an aggregate and a figure that fit it.
fn expectations() -> impl Strategy<Value = Expectation> {
    let spans = || prop_oneof![1..100_000_000_000_000_u64, (1..86_400_u64).prop_map(|s| s * 1_000_000_000)];
    let spans = move || spans().prop_map(Span::from_nanos);
    let ranges = prop_oneof![
        Just(Range::Whole),
        spans().prop_map(Range::Every),
        (spans(), spans()).prop_map(|(from, more)| {
            Range::Between(Instant::after_start(from), Instant::after_start(from.plus(more)))
        }),
    ];
    let names = prop::sample::select(services());
    let level = prop_oneof![
        (1..=100_000_u32).prop_map(Aggregate::Percentile),
        Just(Aggregate::Mean),
        Just(Aggregate::Max),
        Just(Aggregate::Min)
    ];
    let figure = any::<u32>().prop_map(u64::from);
    let windows = prop::option::of((1..=1000_u64, spans()));
    let comparison = prop::sample::select(vec![
        Comparison::Less,
        Comparison::AtMost,
        Comparison::More,
        Comparison::AtLeast,
        Comparison::Equal,
    ]);
    let parts = (0..21_usize, names, level, ranges, figure, any::<bool>(), windows, 1..=1000_u64, comparison);
    parts.prop_map(|(which, name, level, range, figure, other, windows, seeds, comparison)| {
        let service = Subject::Service(name);
        let some = if other { Subject::All } else { service.clone() };
        let value = Bound::Value;
        let cpu = if other {
            Bound::OfLimit(Permille::new(figure))
        } else {
            value(Quantity::Cpu(Millicores::new(figure % 1_000_000)))
        };
        let memory =
            if other { Bound::OfLimit(Permille::new(figure)) } else { value(Quantity::Memory(Bytes::new(figure))) };
        let share = value(Quantity::Share(figure));
        let number = value(Quantity::Number(figure));
        let (aggregate, metric, subject, bound) = match which {
            0 => (level, Metric::Latency, service, value(Quantity::Time(Span::from_nanos(figure)))),
            1 => (Aggregate::Count, Metric::Requests, some, number),
            2 => (Aggregate::Rate, Metric::Errors, some, value(Quantity::Rate(figure))),
            3 => (Aggregate::Share, Metric::Errors, some, share),
            4 => (Aggregate::Share, Metric::Throttled, service, share),
            5 => (level, Metric::Queue, service, number),
            6 => (level, Metric::Replicas, service, number),
            7 => (level, Metric::Cpu, service, cpu),
            8 => (level, Metric::Memory, service, memory),
            9 => (level, Metric::Slack, service, cpu),
            10 => (Aggregate::Count, Metric::Reversals, some, number),
            11 => (level, Metric::LimitMemory, service, value(Quantity::Memory(Bytes::new(figure)))),
            12 => (level, Metric::HostCpu, Subject::Host, share),
            13 => (level, Metric::HostMemory, Subject::Host, value(Quantity::Memory(Bytes::new(figure)))),
            14 => (Aggregate::Count, Metric::Restarts, some, number),
            15 => (
                level,
                Metric::Temperature,
                Subject::Host,
                value(Quantity::Temperature(Temperature::milli(figure % 1_000_000_000))),
            ),
            16 => (level, Metric::Clock, Subject::Host, share),
            17 => (level, Metric::Steal, Subject::Host, share),
            18 => (Aggregate::Count, Metric::Deployments, some, number),
            19 => (Aggregate::Count, Metric::Rollbacks, some, number),
            _ => (
                Aggregate::Max,
                Metric::Cost,
                Subject::Host,
                value(Quantity::Money(Money::micro(figure, Currency::EUR))),
            ),
        };
        let range = if metric == Metric::Cost { Range::Whole } else { range };
        let windows = windows.filter(|_| !matches!(range, Range::Every(_)));
        let windows = windows.map(|(share, length)| Windows { share: Permille::new(share), length });
        let measure = Measure { aggregate, metric, subject, range };
        let (name, text) = ("n".to_owned(), String::new());
        Expectation { name, text, measure, comparison, bound, windows, seeds: Permille::new(seeds), baseline: None }
    })
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(expectation in expectations()) {
        let text = expectation.to_string();
        let services = services();
        let known = Known { services: &services, judged: None };
        let back = parse("n", &Scalar::new(&text, None), &known).unwrap_or_else(|problems| panic!("{text}: {problems}"));
        prop_assert_eq!(Expectation { text: String::new(), ..back }, expectation);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = read(&text);
    }

    #[test]
    fn nothing_almost_right_makes_it_panic(parts in prop::collection::vec(prop::sample::select(vec![
        "p95", "max", "(", ")", "latency.api", "<=", "500ms", "for", "99%", "of", "5m", "in", "seeds", "..", ",", "limit",
        "cost", "month", "1", "-", ".", "é", "12 USD", "error_rate", "20h..", "%", " ",
    ]), 0..12)) {
        let _ = read(&parts.concat());
        let _ = read(&parts.join(" "));
    }
}
