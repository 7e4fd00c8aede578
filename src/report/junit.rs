//! JUnit XML: a suite per scenario, a test case per expectation; never empty.

use super::collect::Report;
use super::json::around;
use super::judge::Verdict;
use super::words::moment;
use quick_junit::NonSuccessKind;
use quick_junit::TestCase;
use quick_junit::TestCaseStatus;
use quick_junit::TestSuite;
use std::time::Duration;

/// The tests of one scenario or policy test file.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// What a person calls it, or its path.
    pub name: String,
    /// Its tests.
    pub cases: Vec<Case>,
    /// Time it took in seconds.
    pub seconds: Option<f64>,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What went wrong: in a line, and at length.
    pub failure: Option<(String, String)>,
}

impl Suite {
    /// The expectations of a report; that the run came to its end, where there are none.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut cases: Vec<Case> = report.verdicts.iter().map(|verdict| case(report, verdict)).collect();
        if cases.is_empty() {
            cases.push(Case { name: "runs to its end".to_owned(), failure: None });
        }
        Self { name: report.path.clone(), cases, seconds: report.wall_seconds }
    }
}

/// The document of all suites; a suite without tests gets one that passes, so that none is empty.
#[must_use]
pub fn junit(suites: &[Suite]) -> String {
    let mut document = quick_junit::Report::new("plimsoll");
    for suite in suites {
        let mut tests = TestSuite::new(suite.name.as_str());
        if let Some(seconds) = suite.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            tests.set_time(seconds);
        }
        for case in &suite.cases {
            let status = match &case.failure {
                None => TestCaseStatus::success(),
                Some((line, text)) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(line.as_str()).set_type("expectation").set_description(text.as_str());
                    status
                }
            };
            let mut test = TestCase::new(case.name.as_str(), status);
            test.set_classname(suite.name.as_str());
            tests.add_test_case(test);
        }
        if suite.cases.is_empty() {
            tests.add_test_case(TestCase::new("holds no tests", TestCaseStatus::success()));
        }
        document.add_test_suite(tests);
    }
    if suites.is_empty() {
        let mut tests = TestSuite::new("plimsoll");
        tests.add_test_case(TestCase::new("holds no tests", TestCaseStatus::success()));
        document.add_test_suite(tests);
    }
    // Writing to memory fails only where a name cannot be XML, and names are made so by the crate.
    let text = document.to_string().unwrap_or_default();
    // The usual schema knows skipped tests of a suite, not of all suites together.
    text.replacen(" skipped=\"0\"", "", 1)
}

fn case(report: &Report, verdict: &Verdict) -> Case {
    Case { name: verdict.name.clone(), failure: (!verdict.passed).then(|| failure(report, verdict)) }
}

fn failure(report: &Report, verdict: &Verdict) -> (String, String) {
    let line = format!("want {}, got {}", verdict.wanted, verdict.measured_text());
    let mut text = format!("{}\nwant   {}\ngot    {}\n", verdict.text, verdict.wanted, verdict.measured_text());
    if report.runs.len() > 1 {
        text.push_str(&format!("held   in {} of {} seeds\n", verdict.seeds_held, report.runs.len()));
    }
    if let Some((seed, failure)) = &verdict.first_failure {
        let by = failure.measured.and_then(|figure| verdict.worst.missed_by(figure)).unwrap_or_default();
        text.push_str(&format!(
            "where  {}..{} in seed {}: {by}\n",
            moment(failure.from),
            moment(failure.to),
            seed.get()
        ));
        text.push_str(&format!("then   {}\n", failure.scene));
        for around in around(report, *seed, failure) {
            text.push_str(&format!("around {around}\n"));
        }
    }
    if let Some(seed) = verdict.failed_seed {
        text.push_str(&format!("repeat {}\n", report.command(seed)));
    }
    (line, text)
}
