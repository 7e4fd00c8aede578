//! Each thing a policy is warned of, just beyond the figure from which on it is true, and just before it.

use crate::input::policy::Policies;
use crate::input::problem::Severity;
use crate::input::problem::Source;
use std::path::Path;

/// What is said of a policy, errors and warnings, in the order of the file.
#[track_caller]
fn said(text: &str) -> Vec<String> {
    let mut policies = Policies::below(Path::new("/nowhere"));
    let source = Source::new("mine.yaml", format!("policy: mine\n{text}\n"));
    let problems = match policies.parse(&source, 0) {
        Ok(_) => policies.take_warnings(),
        Err(problems) => problems,
    };
    let kind = |severity| if severity == Severity::Error { "error" } else { "warning" };
    let line = |problem: &crate::input::problem::Problem| {
        assert!(
            problem.severity == Severity::Error || problem.help.is_some(),
            "a warning has a way out: {}",
            problem.message
        );
        format!("{} {}: {}", kind(problem.severity), problem.code.id, problem.message)
    };
    problems.iter().map(line).collect()
}

/// One policy that deserves a word and the word, and one as near to it as can be that does not.
#[track_caller]
fn border(deserves: &str, word: &str, does_not: &str) {
    let found = said(deserves);
    assert!(found.len() == 1 && found[0].contains(word), "{deserves}: {found:?}");
    let found = said(does_not);
    assert!(found.is_empty(), "{does_not}: {found:?}");
}

#[test]
fn a_cooldown_rests_as_long_as_usage_is_measured_over() {
    border(
        "template: balanced\nwindow: 5m\ncooldown: { up: 4m, down: 10m }",
        "warning PL0416: a cooldown of 4m is shorter than the window of 5m",
        "template: balanced\nwindow: 5m\ncooldown: { up: 5m, down: 10m }",
    );
    border(
        "template: balanced\ncooldown: { up: 5m, down: 4m }",
        "instances are removed after 4m, sooner than more are added after 5m",
        "template: balanced\ncooldown: { up: 5m, down: 5m }",
    );
}

#[test]
fn there_is_an_upper_bound_and_a_choice() {
    border(
        "template: balanced\nreplicas: 2..10000",
        "there is no upper bound but 10000 instances",
        "template: balanced\nreplicas: 2..9999",
    );
    border(
        "template: balanced\nreplicas: 3",
        "there are 3 instances at any load, so that no figure changes anything",
        "template: balanced\nreplicas: 3..4",
    );
    border(
        "template: hpa\nreplicas: 2..9\nper_host: 2",
        "there are 2 instances",
        "template: hpa\nreplicas: 2..9\nper_host: 3",
    );
    // By day there is a choice.
    let day = "template: balanced\nreplicas: 3\nschedule: [{ from: \"08:00\", to: \"20:00\", replicas: 3..8 }]";
    assert_eq!(said(day), Vec::<String>::new());
}

/// Of three instances at 46 % two would be at 69 %, of three at 47 % at 70.5 %.
#[test]
fn one_instance_less_does_not_pass_the_upper_bound() {
    border(
        "template: vedfolnir-horizontal\ndown: { cpu: 47% }",
        "`down` at 47% CPU is too near `up` at 70%: of 3 instances one less makes 70.5% of 47%",
        "template: vedfolnir-horizontal\ndown: { cpu: 46% }",
    );
    // Nomad's bounds are of each instance for what is counted, and nothing there looks ahead: of two at 36, one has 72.
    border(
        "template: nomad-threshold\nup: { queue: 70 }\ndown: { queue: 36 }",
        "`down` at 36 queue is too near `up` at 70: of 2 instances one less makes 72 of 36",
        "template: nomad-threshold\nup: { queue: 70 }\ndown: { queue: 35 }",
    );
    // What an instance waits for is not shared among them.
    assert!(said("template: nomad-threshold\nup: { p95: 500ms }\ndown: { p95: 400ms }").is_empty());
}

/// Five points within a minute: at 0 s, 14 s, 28 s, 42 s and 56 s. Every 15 s the first is a minute old at the fifth, and does
/// not count any more.
#[test]
fn a_threshold_of_nomad_has_its_five_points_within_a_minute() {
    border(
        "template: nomad-threshold\nevery: 15s",
        "checked every 15s the last 1m never have the 5 points beyond a bound that are needed: it never acts",
        "template: nomad-threshold\nevery: 14s",
    );
}

#[test]
fn bounds_of_nomad_do_not_cross() {
    border(
        "template: nomad-threshold\ndown: { cpu: 70% }",
        "error PL0413: `cpu` 70% is not below 70% of `up`",
        "template: nomad-threshold\nup: { cpu: 70% }\ndown: { memory: 70% }",
    );
}

/// Nomad fills in what is not said, and zero is not said to it.
#[test]
fn a_rest_of_zero_is_five_minutes_to_nomad() {
    for template in ["nomad-threshold", "nomad-target-value"] {
        border(
            &format!("template: {template}\ncooldown: 0s"),
            "a `cooldown` of zero is its default to Nomad: it rests for 5m",
            &format!("template: {template}\ncooldown: 1s"),
        );
    }
    border(
        "template: step-scaling\ncooldown: { up: 1m, down: 5m }",
        "error PL0413: `step-scaling` has one `cooldown` for both ways",
        "template: target-tracking\ncooldown: { up: 1m, down: 5m }",
    );
}

/// The recommendation before counts up to the age of the window, so a window of one interval has two of them.
#[test]
fn one_low_reading_removes_nothing() {
    border(
        "template: hpa\nstabilisation: 14s",
        "a `stabilisation` of 14s is shorter than the 15s between two checks: one low reading removes instances",
        "template: hpa\nstabilisation: 15s",
    );
    border("template: kpa\nevery: 1m", "one reading of every 1m fills the window of 1m", "template: kpa\nevery: 59s");
    border(
        "template: autopilot\nhorizon: 4m\nstabilisation: 0s",
        "a `horizon` of 4m holds one reading of every 5m",
        "template: autopilot\nhorizon: 4m\nstabilisation: 5m",
    );
}

#[test]
fn alarms_of_aws_count_minutes() {
    border(
        "template: target-tracking\nevery: 10s",
        "its 3 points above the target in 30s and its 15 below it in 2m30s, not in 3m and 15m",
        "template: target-tracking\nevery: 60s",
    );
    border(
        "template: step-scaling\nevery: 30s\nsteps: { periods: 2 }",
        "checked every 30s the threshold must be passed for 1m, not for the 2m of 2 periods",
        "template: step-scaling\nsteps: { periods: 2 }",
    );
}

/// Kubernetes holds a utilisation as a whole number of percent.
#[test]
fn a_target_of_kubernetes_is_a_whole_percentage() {
    for (target, shown) in [("cpu: 0.5%", "0.5%"), ("cpu: 62.5%", "62.5%"), ("memory: 79.9%", "79.9%")] {
        let found = said(&format!("template: hpa\ntargets: {{ {target} }}"));
        assert!(found.len() == 1 && found[0].starts_with("error PL0413"), "{target}: {found:?}");
        assert!(found[0].contains(shown) && found[0].contains("whole percents, from `1%` on"), "{target}: {found:?}");
    }
    border(
        "template: hpa\ntargets: { requests: 3/h }",
        "no target that `hpa` can hold: Kubernetes counts in thousandths of a request per second",
        "template: hpa\ntargets: { requests: 100/min, cpu: 1%, errors: 0.5% }",
    );
    assert!(said("template: target-tracking\ntargets: { cpu: 62.5% }").is_empty(), "AWS takes any number");
}

/// All that there is, 100 %, of 91 % is 1.099, within a tolerance of 10 %; of 90 % it is 1.11.
#[test]
fn what_adds_can_be_reached() {
    border(
        "template: hpa\ntargets: { cpu: 91% }",
        "the target 91% cpu never adds: all that there is, 100%, is not more than 10% above it",
        "template: hpa\ntargets: { cpu: 90% }",
    );
    border(
        "template: hpa\ntolerance: 0%\ntargets: { memory: 100% }",
        "never adds",
        "template: hpa\ntolerance: 0%\ntargets: { memory: 99% }",
    );
    border(
        "template: nomad-target-value\ntargets: { cpu: 99.1% }",
        "never adds",
        "template: nomad-target-value\ntargets: { cpu: 99% }",
    );
    border(
        "template: target-tracking\ntargets: { cpu: 100% }",
        "never adds",
        "template: target-tracking\ntargets: { cpu: 99% }",
    );
    border("template: autopilot\ntargets: { cpu: 100% }", "never adds", "template: autopilot\ntargets: { cpu: 99% }");
    // Ten points above the threshold the first instances come.
    border(
        "template: step-scaling\ntargets: { cpu: 91% }",
        "the first step that adds begins at 101% cpu",
        "template: step-scaling\ntargets: { cpu: 90% }",
    );
    border(
        "template: nomad-threshold\nup: { cpu: 100.1% }",
        "never reached",
        "template: nomad-threshold\nup: { cpu: 100% }",
    );
    border(
        "template: vedfolnir-horizontal\nup: { memory: 100% }",
        "`up` at 100% memory is never passed",
        "template: vedfolnir-horizontal\nup: { memory: 99% }",
    );
    // With errors, 10 % of which count as one, the mean can be up to ten times one.
    border(
        "template: balanced\nweights: { cpu: 80, memory: 20, p95: 0, errors: 0 }\nup: { score: 100% }",
        "`up` at 100% is never passed: what is weighed makes 100% at most",
        "template: balanced\nweights: { cpu: 80, memory: 10, p95: 0, errors: 10 }\nup: { score: 100% }",
    );
}

#[test]
fn what_was_added_can_be_removed() {
    border(
        "template: vedfolnir-horizontal\ndown: { cpu: none, memory: none }",
        "no figure is left that removes instances",
        "template: vedfolnir-horizontal\ndown: { memory: none }",
    );
    border(
        "template: vedfolnir-horizontal\ndown: { errors: 0% }",
        "`down` at 0% errors is never met, and all of `down` must be",
        "template: vedfolnir-horizontal\ndown: { errors: 1% }",
    );
    border(
        "template: balanced\ndown: { score: 0% }",
        "no mean is below zero",
        "template: balanced\ndown: { score: 1% }",
    );
    border(
        "template: hpa\ntargets: { queue: 5 }\ntolerance: 100%",
        "no instance is ever removed",
        "template: hpa\ntargets: { queue: 5 }\ntolerance: 99%",
    );
}

/// Four instances see as many requests as three, all of them together.
#[test]
fn requests_of_all_instances_run_away() {
    border(
        "template: vedfolnir-horizontal\nup: { requests: 100/s }",
        "`up` at 100/s requests is of all instances together: one more lowers nothing, so it goes on up to 5",
        "template: vedfolnir-horizontal\nreplicas: 2..3\nup: { requests: 100/s }",
    );
}

#[test]
fn nothing_happens_between_two_looks() {
    border(
        "template: balanced\nevery: 3m\nwindow: 2m",
        "of the 3m between two checks only the last 2m are looked at",
        "template: balanced\nevery: 2m\nwindow: 2m",
    );
    border(
        "template: jacker-vertical\nevery: 6m",
        "of the 6m between two checks",
        "template: jacker-vertical\nevery: 5m",
    );
    border(
        "template: predictive\nahead: { cpu: 60%, by: 29s }",
        "`ahead` looks 29s ahead and only every 30s",
        "template: predictive\nahead: { cpu: 60%, by: 30s }",
    );
}

/// 80 % of a limit is 30 % of one that is 2.67 times as large.
#[test]
fn limits_that_go_up_come_down_for_a_reason() {
    border(
        "template: jacker-vertical\nincrease: 267%\nmemory_low: 29%",
        "an `increase` to 267% makes 29.9% of the 80% at which a limit is too small",
        "template: jacker-vertical\nincrease: 266%\nmemory_low: 29%",
    );
    border(
        "template: jacker-vertical\nper_day: 0",
        "nothing is ever adjusted",
        "template: jacker-vertical\nper_day: 1",
    );
    border("template: jacker-vertical\ncpu_high: 100%", "never passed", "template: jacker-vertical\ncpu_high: 99%");
    border("template: jacker-vertical\nmemory_low: 0%", "never met", "template: jacker-vertical\nmemory_low: 1%");
    border(
        "template: vpa\ncpu_min: 1\ncpu_max: 1\nmemory_min: 1G\nmemory_max: 1G",
        "every CPU limit is to be 1 and every memory limit 1G",
        "template: vpa\ncpu_min: 1\ncpu_max: 1",
    );
}

/// No policy that is shipped deserves a word.
#[test]
fn shipped_policies_deserve_no_warning() {
    let mut policies = Policies::below(Path::new("/nowhere"));
    for name in policies.names() {
        assert!(policies.find(&name, None, 0).is_ok(), "{name}");
        let warnings = policies.take_warnings();
        assert!(warnings.is_empty(), "{name}: {warnings}");
    }
}
