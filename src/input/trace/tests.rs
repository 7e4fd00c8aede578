use super::Reading;
use super::Trace;
use super::Unit;
use super::parse;
use crate::input::problem::Source;
use crate::units::Rate;
use crate::units::Span;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn trace(text: &str) -> Trace {
    parse(&Source::new("load.csv", text)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn wrong(text: &str) -> Vec<String> {
    let problems = parse(&Source::new("load.csv", text)).expect_err(text);
    let show = |problem: &crate::input::problem::Problem| {
        let place = problem.place.as_ref().expect("every problem of a trace has a place");
        format!("{} {} {}", place.line(), place.column(), problem.message)
    };
    problems.iter().map(show).collect()
}

fn seconds(points: &[(Span, Option<Rate>)]) -> Vec<(u64, Option<u64>)> {
    points.iter().map(|(time, rate)| (time.secs(), rate.map(|rate| rate.get() / 1_000_000))).collect()
}

fn read(text: &str, reading: &Reading<'_>) -> Vec<(u64, Option<u64>)> {
    let (points, _) = trace(text).load(reading, None).unwrap_or_else(|problems| panic!("{problems}"));
    seconds(&points)
}

#[test]
fn counts_become_rates_and_gaps_become_outages() {
    let text = "t_s,requests\n0,600\n60,1200\n120,\n180,300\n420,60\n";
    let once = Reading::default();
    let wanted =
        vec![(0, Some(10)), (60, Some(20)), (120, None), (180, Some(5)), (240, None), (420, Some(1)), (480, None)];
    assert_eq!(read(text, &once), wanted);
    let rates = Reading { unit: Unit::Per(Span::from_secs(1)), scale: 500_000, ..once.clone() };
    assert_eq!(read(text, &rates)[..2], [(0, Some(300)), (60, Some(600))]);
    let later = Reading { from: Span::from_secs(90), speed: 2, duration: Span::from_secs(100), ..once.clone() };
    assert_eq!(read(text, &later), [(0, Some(20)), (15, None), (45, Some(5)), (75, None)]);
    let again = Reading { repeat: true, duration: Span::from_secs(600), ..once };
    assert_eq!(read(text, &again)[6..], [(480, Some(10)), (540, Some(20))]);
}

#[test]
fn a_row_can_be_a_request() {
    let text = "t_s,tokens\n0,10\n0.5,20\n9.9,1\n25,7\n";
    let rows = Reading { unit: Unit::Rows(Span::from_secs(10)), scale: 10_000_000, ..Reading::default() };
    assert_eq!(read(text, &rows), [(0, Some(3)), (10, Some(0)), (20, Some(1)), (30, None)]);
}

#[test]
fn one_of_several_series_is_picked() {
    let text = "t_s,vm_id,rps\n5,1,10\n0,0,1\n10,0,2\n15,1,20\n";
    let only = BTreeMap::from([("vm_id".to_owned(), 1_000_000)]);
    let reading = Reading { column: Some("rps"), only, unit: Unit::Per(Span::from_secs(1)), ..Reading::default() };
    assert_eq!(read(text, &reading)[1..], [(5, Some(10)), (15, Some(20)), (25, None)]);
    let all = Reading { only: BTreeMap::new(), ..reading };
    let problems = trace(text).load(&all, None).expect_err("time goes back").to_string();
    assert!(problems.contains("time goes back from 5s to 0s") && problems.contains("load.csv:3:1"), "{problems}");
}

#[test]
fn every_bad_cell_is_named_with_line_and_column() {
    assert_eq!(
        wrong("t_s,requests\n0,NaN\n60,12\n120,-5\n180,many\n,7\n240\n"),
        [
            "2 3 `NaN` in column `requests` is no finite number",
            "4 5 `-5` in column `requests` is negative",
            "5 5 `many` in column `requests` is no number",
            "6 1 a row without a time",
            "7 1 a row of 1 cells under a header of 2"
        ]
    );
    assert_eq!(wrong(""), ["1 1 the trace is empty"]);
    assert_eq!(wrong("t_s,requests\n"), ["1 1 the trace has a header and no rows"]);
    assert_eq!(wrong("ts,requests\n0,1\n"), ["1 1 the first column is `ts`, did you mean `t_s`?"]);
    assert_eq!(wrong("t_s\n0\n"), ["1 1 there is no column after the time"]);
    assert_eq!(wrong("t_s,a,a\n0,1,2\n"), ["1 7 the column `a` stands twice"]);
    let problems =
        trace("t_s,requests,errors\n0,1,2\n").load(&Reading { column: Some("request"), ..Reading::default() }, None);
    assert!(problems.expect_err("no such column").to_string().contains("did you mean `requests`?"));
    let problems = trace("t_s,a,b\n0,1,2\n").load(&Reading::default(), None).expect_err("which one?").to_string();
    assert!(problems.contains("say which with `column`"), "{problems}");
}

#[test]
fn ten_megabytes_of_nonsense_are_refused_quickly_and_briefly() {
    let problems =
        parse(&Source::new("big.csv", format!("t_s,x\n{}", "a,b\n".repeat(2_500_000)))).expect_err("nonsense");
    assert!(problems.iter().count() <= 500);
    let long = format!("t_s,x\n0,{}\n", "9".repeat(10_000_000));
    assert!(parse(&Source::new("long.csv", long)).expect_err("too large").to_string().len() < 5000);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(t_s,a\n)?[0-9a-z,.\n\r\"-]{0,80}") {
        if let Ok(trace) = parse(&Source::new("any.csv", text)) {
            let reading = Reading { repeat: true, duration: Span::from_secs(3600), ..Reading::default() };
            let _ = trace.load(&reading, None);
        }
    }

    /// Every request of the file is in the load: rates over their steps add up to the counts.
    #[test]
    fn counts_are_kept(counts in prop::collection::vec(0..10_000_u64, 1..50)) {
        let rows: String = counts.iter().enumerate().map(|(row, count)| format!("{},{count}\n", row * 60)).collect();
        let (points, _) = trace(&format!("t_s,n\n{rows}")).load(&Reading::default(), None).expect("reads");
        let total: u64 = points.iter().map(|(_, rate)| rate.map_or(0, |rate| rate.over(Span::from_secs(60)))).sum();
        let wanted = counts.iter().sum::<u64>() * 1_000_000;
        prop_assert!(wanted - total <= 60 * counts.len() as u64, "{total} of {wanted}");
    }
}
