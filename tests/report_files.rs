//! Reports of a whole day of 19 services: what is written, how it reads, how it compares with a baseline.

mod report_day;

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Incident;
use plimsoll::model::Quantity;
use plimsoll::model::ServiceName;
use plimsoll::model::Tolerance;
use plimsoll::record::Compression;
use plimsoll::record::Event;
use plimsoll::record::Reader;
use plimsoll::record::Writer;
use plimsoll::report::Baseline;
use plimsoll::report::ChangeKind;
use plimsoll::report::Collector;
use plimsoll::report::Keep;
use plimsoll::report::Paint;
use plimsoll::report::Report;
use plimsoll::report::Run;
use plimsoll::report::Shown;
use plimsoll::report::Story;
use plimsoll::report::Suite;
use plimsoll::report::baseline;
use plimsoll::report::json;
use plimsoll::report::junit;
use plimsoll::report::markdown;
use plimsoll::report::text;
use plimsoll::run::simulate::simulate;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use std::fs;
use std::path::Path;

const PATH: &str = "scenarios/evening/scenario.yaml";

/// A run of the day, with its events changed on the way.
fn run(seed: u64, change: &dyn Fn(&mut Event)) -> Run {
    let mut collector: Option<Collector> = None;
    report_day::play(seed, Span::from_mins(1440), &mut |event| {
        let mut event = event.clone();
        change(&mut event);
        if let Event::Began(header) = &event {
            collector = Some(Collector::new(header, Keep::Plots));
        }
        collector.as_mut().expect("the header comes first").take(&event);
    });
    collector.expect("a header").finish()
}

fn as_it_is(_: &mut Event) {}

fn report(runs: Vec<Run>) -> Report {
    Report::new(PATH, runs, None).expect("a run")
}

#[test]
fn a_report_is_one_file_without_network_that_holds_what_a_person_needs() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = report(vec![run(1, &as_it_is)]);
    let written = plimsoll::report::write(directory.path(), &report).expect("written");
    assert_eq!(written.len(), 5 + 2 * 20, "five files, the host and 19 services as SVG and PNG");
    let again = tempfile::tempdir().expect("a directory");
    plimsoll::report::write(again.path(), &report).expect("written");
    for path in &written {
        let name = path.strip_prefix(directory.path()).expect("inside");
        assert_eq!(fs::read(path).expect("there"), fs::read(again.path().join(name)).expect("there"), "{name:?}");
    }
    let page = fs::read_to_string(directory.path().join("report.html")).expect("there");
    assert!(page.len() < 3 << 20, "{} bytes", page.len());
    for forbidden in ["<script", "<link", "src=", "url(", "@import"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for wanted in [
        "✗ failed",
        "API is fast",
        "max(reversals, 30m) == 0",
        "cpu of ziggie-api 0.5 → 0.625",
        "used 91% of the limit, above 80% for 3 checks",
        "flowise-1 OOM killed",
        "adjusted too short a time ago",
        "limits overcommit CPU",
        "node-exporter",
        // In a narrow window they stand below the name and below CPU.
        "<span class=\"fold\">database</span>",
        "% throttled</span>",
        "plimsoll simulate scenarios/evening/scenario.yaml --seed 1",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let (verdict, host) = (page.find("✗ failed").expect("verdict"), page.find("id=\"host\"").expect("host"));
    assert!(verdict < host, "the verdict comes first");
}

#[test]
fn json_has_the_fields_that_scripts_read() {
    let value = json::scenario(&report(vec![run(1, &as_it_is)]));
    for field in ["format_version", "verdict", "expectations", "services", "actions", "container_ticks", "wall_seconds"]
    {
        assert!(value.get(field).is_some(), "{field}");
    }
    let service = &value["services"]["ziggie-api"];
    for field in [
        "requests",
        "errors",
        "cpu_cores_mean",
        "throttled_share",
        "memory_bytes_max",
        "oom_kills",
        "restarts",
        "replicas_max",
    ] {
        assert!(service[field].is_number(), "{field}");
    }
    for field in ["mean", "p50", "p90", "p95", "p99"] {
        assert!(service["latency_ms"][field].is_number(), "{field}");
    }
    assert!(value["services"]["loki"]["latency_ms"]["p95"].is_null(), "no requests, no latency");
    let expectation = &value["expectations"][2];
    assert_eq!(expectation["name"], "nothing is OOM killed");
    assert_eq!(expectation["passed"], false);
    assert_eq!(expectation["measured"]["value"], 1.0);
    assert_eq!(expectation["first_failure"]["until_seconds"], 46_740.0, "12:59, when flowise was killed");
    assert_eq!(value["services"]["flowise"]["oom_kills"], 1);
    assert_eq!(value["verdict"], "failed");
}

#[test]
fn the_terminal_gets_lines_that_fit_and_words_beside_colours() {
    let report = report(vec![run(1, &as_it_is), run(2, &as_it_is)]);
    for width in [80, 100, 120] {
        let plain = text(&report, width, Paint::Plain);
        for line in plain.lines().filter(|line| !line.contains("repeat: ")) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        assert!(plain.contains("✗ FAIL API is fast") && plain.contains("✓ pass stays in budget"), "{plain}");
        assert!(plain.contains("saturated"), "a latency that is not to be trusted says so");
        let coloured = text(&report, width, Paint::Colour);
        let stripped = ["0", "1", "2", "32", "31;1"]
            .iter()
            .fold(coloured, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
        assert_eq!(stripped, plain, "colours only repeat what the words say");
    }
}

#[test]
fn long_names_and_several_seeds_stay_inside_the_terminal() {
    let named = |event: &mut Event| {
        if let Event::Began(header) = event {
            header.scenario.name = "an evening that is told at some length, as people do".to_owned();
            header.scenario.host.title = "A rented host with a long name, 4 vCPU and 16 GB".to_owned();
            header.scenario.expect[1].name = "the tail of all answers is bounded, whatever comes".to_owned();
        }
    };
    let mut report = report((1..=3).map(|seed| run(seed, &named)).collect());
    report.wall_seconds = Some(2.5);
    for width in [60, 80, 100, 120] {
        let plain = text(&report, width, Paint::Plain);
        for line in plain.lines().filter(|line| !line.contains("repeat: ") && line.contains(' ')) {
            let table = line.contains(" of ") || line.starts_with("service");
            assert!(line.chars().count() <= width || (table && width == 60), "{width}: {line}");
        }
        assert!(plain.contains("simulated in 2.5 s") && plain.contains("container-ticks"), "{plain}");
    }
    let same = report.verdicts.iter().find(|verdict| verdict.spread.is_some_and(|(low, _, high)| low == high));
    assert!(
        same.is_some_and(|verdict| !verdict.measured_text().contains(" in seed ")),
        "a range of nothing is not told"
    );
}

#[test]
fn only_the_points_of_the_run_that_is_shown_are_kept_in_whatever_order_runs_end() {
    let failing = run(3, &as_it_is);
    let passing = |seed| {
        run(seed, &|event| {
            if let Event::Began(header) = event {
                header.scenario.expect.clear();
            }
        })
    };
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let all = [passing(1), passing(2), failing.clone(), run(4, &as_it_is)];
        let mut runs: Vec<Run> = order.iter().map(|place| all[*place].clone()).collect();
        let shown = Shown::default();
        for run in &mut runs {
            shown.offer(run);
            assert!(run.series.is_none());
        }
        shown.give(&mut runs);
        let kept: Vec<u64> = runs.iter().filter(|run| run.series.is_some()).map(|run| run.seed.get()).collect();
        assert_eq!(kept, [3], "the first that failed");
    }
}

#[test]
fn the_same_kill_again_and_again_is_told_once_and_the_last_is_not_lost() {
    let scenario = run(1, &as_it_is).scenario;
    let at = |minutes| Instant::after_start(Span::from_mins(minutes));
    let killed = |minute: u64, name: &str, held: u64| {
        let (service, limit) = (ServiceName::new(name), Bytes::mebi(256));
        (at(minute), Incident::OomKilled { service, instance: 1, held: Bytes::mebi(held), limit })
    };
    let mut story = Story::default();
    story.incidents.extend((1..=9).map(|minute| killed(minute, "api", 256 + minute)));
    story.incidents.insert(5, killed(5, "db", 300));
    let told = story.around(at(0), at(9), 8, &scenario);
    assert_eq!(
        told,
        [
            "5m db-1 OOM killed holding 300 MiB, limit 256 MiB",
            "1m..9m 9 times api-1 OOM killed holding 265 MiB, limit 256 MiB",
        ]
    );
    assert_eq!(story.around(at(0), at(9), 1, &scenario), told[1..], "what was last is nearest the failure");
    assert!(story.around(at(20), at(30), 8, &scenario).is_empty());
}

#[test]
fn kills_from_the_first_minute_on_are_one_sign_that_says_how_many() {
    let mut run = run(1, &as_it_is);
    let kill = |minute| {
        let (service, limit) = (ServiceName::new("loki"), Bytes::mebi(256));
        let at = Instant::after_start(Span::from_mins(minute));
        (at, Incident::OomKilled { service, instance: 1, held: limit, limit })
    };
    run.story.incidents = (0..90).map(kill).collect();
    let pictures = plimsoll::report::pictures(&run);
    let loki = pictures.iter().find(|picture| picture.file == "loki").expect("its plot");
    assert!(loki.svg.contains("OOM 90x"), "{}", loki.svg);
}

#[test]
fn junit_has_a_case_for_each_expectation_and_is_never_empty() {
    let xml = junit(&[Suite::of(&report(vec![run(1, &as_it_is)]))]);
    assert_eq!(xml.matches("<testcase ").count(), 7);
    assert_eq!(xml.matches("<failure ").count(), 6);
    let head = xml.lines().find(|line| line.starts_with("<testsuites ")).expect("the root");
    assert!(head.contains("tests=\"7\"") && !head.contains("skipped"), "the usual schema knows no more: {head}");
    assert!(xml.contains("message=\"want &lt;= 500 ms for 99% of 5m, got "), "{xml}");
    assert!(xml.contains("repeat plimsoll simulate") && xml.contains("want   &lt;= 500 ms for 99% of 5m"), "{xml}");
    let silent = report(vec![run(1, &|event| {
        if let Event::Began(header) = event {
            header.scenario.expect.clear();
        }
    })]);
    assert!(silent.passed());
    assert_eq!(junit(&[Suite::of(&silent)]).matches("<testcase ").count(), 1);
    assert_eq!(junit(&[]).matches("<testcase ").count(), 1);
}

#[test]
fn names_that_hold_markup_or_control_characters_stay_text() {
    let hostile = "<script>alert(1)</script>|`\u{1b}[31m]]>";
    let named = report(vec![run(1, &|event| {
        if let Event::Began(header) = event {
            header.scenario.name = hostile.to_owned();
            header.scenario.host.title = hostile.to_owned();
            header.scenario.expect[0].name = hostile.to_owned();
            header.scenario.expect[0].text = hostile.to_owned();
        }
    })]);
    let directory = tempfile::tempdir().expect("a directory");
    plimsoll::report::write(directory.path(), &named).expect("written");
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).expect("there");
    assert!(!read("report.html").contains("<script"));
    assert!(!read("plots/host.svg").contains("<script"));
    assert!(!read("junit.xml").contains("<script"));
    assert!(!markdown(&named).contains("<script>alert(1)</script>|"));
    assert!(!text(&named, 100, Paint::Plain).contains('\u{1b}'));
}

#[test]
fn several_seeds_are_told_apart_and_the_first_that_failed_is_shown() {
    let calm = |event: &mut Event| {
        if let Event::Began(header) = event {
            header.scenario.expect.truncate(1);
            header.scenario.expect[0].measure.aggregate = plimsoll::model::Aggregate::Percentile(1_000);
        }
    };
    let slow = |event: &mut Event| {
        calm(event);
        if let Event::Sampled(sample) = event {
            sample.services[17].latency.clear();
        }
    };
    let report = report(vec![run(3, &slow), run(1, &calm), run(2, &slow)]);
    assert!(!report.passed());
    assert_eq!(report.verdicts[0].seeds_held, 1);
    assert_eq!(report.shown().seed.get(), 2);
    assert_eq!(report.runs.iter().filter(|run| run.series.is_some()).count(), 1, "only the one shown keeps its points");
    assert_eq!(json::scenario(&report)["runs"].as_array().map(Vec::len), Some(3));
}

#[test]
fn nothing_changed_is_nothing_to_tell_and_a_changed_action_is_named() {
    let before = Baseline::of(&report(vec![run(1, &as_it_is)]));
    let text = before.text();
    let before = Baseline::read(&text).expect("what was written");
    assert_eq!(before.text(), text);
    assert_eq!(before.compare(&report(vec![run(1, &as_it_is)])), []);
    let other = report(vec![run(1, &|event| {
        if let Event::Decided { at, decision } = event
            && at.to_string() == "19h30m"
        {
            decision.actions.clear();
        }
    })]);
    let changes = before.compare(&other);
    assert!(changes.iter().all(|change| !change.text.starts_with("policy")), "the policy is the same: {changes:?}");
    assert!(baseline::fails(&changes));
    let text = &changes.iter().find(|change| change.text.starts_with("actions")).expect("actions differ").text;
    assert!(text.contains("7 → 6") && text.contains("was `19h30m cpu of ziggie-api 0.625 → 0.781`"), "{text}");
    assert!(text.contains("is `20h15m cpu of ziggie-api"), "{text}");
}

#[test]
fn worse_than_allowed_fails_and_better_is_only_told() {
    let tolerant = |event: &mut Event| {
        if let Event::Began(header) = event {
            let least = Quantity::Time(Span::from_millis(5));
            let tolerance = Tolerance { worse_by: Permille::percent(10), and_at_least: Some(least) };
            header.scenario.expect[1].baseline = Some(tolerance);
        }
    };
    let slower = |times: u64| {
        report(vec![run(1, &|event| {
            tolerant(event);
            if let Event::Sampled(sample) = event {
                let was = std::mem::take(&mut sample.services[17].latency);
                let (first, counts) = was.used();
                for (bucket, count) in (first..).zip(counts) {
                    let lower = plimsoll::model::Latencies::lower(bucket);
                    let time = Span::from_nanos(lower.nanos() * times / 100);
                    sample.services[17].latency.add(time, *count);
                }
            }
        })])
    };
    let before = Baseline::of(&slower(100));
    let about = |report: &Report, kind| {
        let changes = before.compare(report);
        changes.into_iter().find(|change| change.kind == kind && change.text.contains("`tail is bounded`"))
    };
    assert_eq!(before.compare(&slower(100)), []);
    assert!(about(&slower(107), ChangeKind::Worse).is_none(), "7 % is allowed");
    let worse = about(&slower(130), ChangeKind::Worse).expect("30 % is not").text;
    assert!(worse.contains("→") && worse.contains("allowed +10% and +5 ms"), "{worse}");
    assert!(about(&slower(60), ChangeKind::Better).is_some());
}

#[test]
fn what_is_no_baseline_is_refused() {
    for text in ["", "[]", "{}", "{\"format_version\": 9}", "{\"format_version\": 1, \"seeds\": {\"x\": 1}}"] {
        let error = Baseline::read(text).expect_err(text);
        assert_eq!(error.code().id, "PL0608", "{error}");
    }
}

#[test]
fn a_run_of_any_length_keeps_as_many_points() {
    let week = {
        let mut collector: Option<Collector> = None;
        report_day::play(1, Span::from_mins(7 * 1440), &mut |event| {
            if let Event::Began(header) = event {
                collector = Some(Collector::new(header, Keep::Plots));
            }
            collector.as_mut().expect("the header comes first").take(event);
        });
        collector.expect("a header").finish()
    };
    let series = week.series.as_ref().expect("points");
    assert!((720..=1440).contains(&series.points.len()), "{}", series.points.len());
    let total: f64 = series.points.iter().map(|point| point.services[12].requests).sum();
    assert!(total > 0.0 && (series.points[0].from - 0.0).abs() < 1e-9);
    assert!((series.points.last().expect("points").to - 7.0 * 86_400.0).abs() < 1e-6, "no time is lost");
    assert!(series.points.windows(2).all(|pair| (pair[0].to - pair[1].from).abs() < 1e-6), "nor doubled");
    assert!(Path::new("src/report/font/LICENSE.txt").exists(), "the font is shipped with its licence");
}

/// What the engine was shown of the orders: 10 before the campaign, 250 in it, nothing while nobody measures. From its record
/// the picture is the same.
#[test]
fn a_metric_of_the_business_is_drawn_with_the_bounds_of_the_policy_that_looks_at_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/orders-waiting/scenario.yaml");
    let scenario = scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
    let mut events = Vec::new();
    let end = simulate(&scenario, scenario.seeds[0], &mut |event| events.push(event.clone()));
    assert!(end.is_ok(), "{end:?}");
    let of = |events: &mut dyn Iterator<Item = Event>| {
        let mut collector: Option<Collector> = None;
        for event in events {
            if let Event::Began(header) = &event {
                collector = Some(Collector::new(header, Keep::Plots));
            }
            collector.as_mut().expect("the header comes first").take(&event);
        }
        collector.expect("a header").finish()
    };
    let run = of(&mut events.iter().cloned());
    let series = run.series.as_ref().expect("points");
    let at = |minute: f64| {
        let point = series.points.iter().find(|point| point.to > minute * 60.0).expect("a point");
        point.metrics[0]
    };
    assert_eq!([15.0, 40.0, 75.0, 100.0].map(at), [Some(10.0), Some(250.0), None, Some(10.0)]);
    let pictures = plimsoll::report::pictures(&run);
    for picture in &pictures {
        let is_mine = picture.service == Some(ServiceName::new("packing"));
        for word in ["orders_waiting (metric of the business)", "up 100 for 2m", "down 30"] {
            assert_eq!(picture.svg.contains(word), is_mine, "{word}: {}", picture.title);
        }
    }
    let mut writer = Writer::new(Vec::new(), Compression::None);
    events.iter().for_each(|event| writer.push(event).expect("written"));
    let bytes = writer.finish().expect("written");
    let read = Reader::new(std::io::Cursor::new(bytes)).expect("a record");
    let again = of(&mut read.map(|event| event.expect("an event")));
    assert_eq!(plimsoll::report::pictures(&again), pictures);
}
