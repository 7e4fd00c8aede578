//! What breaks first beyond the line, on what, and what would break next.

use crate::found;
use crate::load_line;
use crate::question;
use crate::read;
use plimsoll::capacity::Question;
use plimsoll::model::ServiceName;
use plimsoll::report::load_line::End;
use plimsoll::report::load_line::Part;
use plimsoll::units::Permille;

const STACK: &str = "\
services:
  web:
    image: example/web:1
    restart: always
    deploy: { resources: { limits: { cpus: '1', memory: 4G } } }
  db:
    image: example/db:1
    deploy: { resources: { limits: { cpus: '1', memory: 4G } } }
";

/// Each request of the web costs it 10 ms and the database half of that or so.
fn shop(cores: u32, web: &str, expect: &str) -> String {
    format!(
        "scenario: a shop\nstack: compose.yaml\nhost: {{ cores: {cores}, memory: 16G, reserve: {{ cpu: 0, memory: 0 }} }}\n\
         duration: 15m\nwarmup: 2m\nservices:\n  web: {{ work: {{ cpu: 10ms, spread: exponential, calls: {{ db: 1 }} {web} }}, idle_cpu: 0, idle_memory: 100M }}\n\
         \x20 db: {{ work: {{ cpu: 5ms, spread: exponential }}, idle_cpu: 0, idle_memory: 100M }}\n\
         load:\n  web: {{ pattern: constant, rate: 20/s, noise: poisson }}\nexpect:\n{expect}"
    )
}

const FAST: &str = "  fast: p95(latency.web) <= 250ms\n";

fn asked() -> Question {
    Question { curve: 2, ..question(4) }
}

#[test]
fn the_limit_of_the_service_that_is_full_is_what_it_breaks_on_and_then_the_other_one() {
    let line = load_line(&read(STACK, &shop(8, "", FAST)), &asked());
    let breaks = line.breaks.as_ref().expect("it breaks");
    assert_eq!(breaks.failed[0].name, "fast");
    assert_eq!(breaks.bottleneck, [Part::Cpu(ServiceName::new("web"))]);
    // The database is full at 200 requests a second, ten times what is expected, and slow enough a little below.
    let next = breaks.next.as_ref().expect("there is a next one");
    assert!(next.multiple > Permille::new(8500) && next.multiple < Permille::new(10_000), "{}", next.multiple);
    assert_eq!(next.parts[0].0, Part::Cpu(ServiceName::new("db")));
    assert!(found(&line).multiple < Permille::new(5000));
}

#[test]
fn a_host_that_is_full_before_any_limit_is_what_it_breaks_on() {
    // One core for both: 15 ms a request, so full at 66 a second, where the web has used two thirds of its own limit.
    let line = load_line(&read(STACK, &shop(1, "", FAST)), &asked());
    let breaks = line.breaks.expect("it breaks");
    assert_eq!(breaks.bottleneck, [Part::HostCpu]);
    assert!(breaks.multiple < Permille::new(3333), "{}", breaks.multiple);
}

#[test]
fn memory_that_runs_out_breaks_nothing_but_what_is_said_about_it() {
    // 100 MiB, and 100 MiB for each request inside: about 3.3 are inside at rho 0.77, and 4 GiB hold 39.
    let expect = "  alive: count(oom) == 0\n";
    let line = load_line(&read(STACK, &shop(8, ", memory: 100M", expect)), &asked());
    let breaks = line.breaks.as_ref().expect("it breaks");
    assert_eq!(breaks.failed[0].name, "alive");
    // Without a limit of CPU nobody waits and nobody piles up; without one of memory nobody is killed.
    let suspects = [Part::Memory(ServiceName::new("web")), Part::Cpu(ServiceName::new("web"))];
    assert!(
        breaks.bottleneck.iter().all(|part| suspects.contains(part)) && !breaks.bottleneck.is_empty(),
        "{breaks:?}"
    );
    assert_eq!(found(&line).model.0, found(&line).multiple, "no response time is expected, so its error moves nothing");
}

#[test]
fn what_fails_and_is_not_forbidden_is_said() {
    // Nobody starts the web again, it is killed within the warm-up, and then nobody answers: all that is expected holds.
    let stack = STACK.replace("    restart: always\n", "");
    let line = load_line(&read(&stack, &shop(8, ", memory: 100M", "  alive: count(oom) == 0\n")), &asked());
    assert!(matches!(line.end, End::Above(_)), "{:?}", line.end);
    assert_eq!(line.failing, Permille::ONE, "no request is answered");
    let line = load_line(&read(STACK, &shop(8, "", FAST)), &asked());
    assert_eq!(line.failing, Permille::ZERO);
}

#[test]
fn a_policy_that_may_not_act_is_no_part_that_is_full() {
    let scenario = shop(8, "", "  quiet: count(requests.web) < 30000\n");
    let line = load_line(&read(STACK, &scenario), &asked());
    let breaks = line.breaks.expect("more requests than that come");
    assert!(breaks.bottleneck.is_empty() && breaks.next.is_none(), "{:?}", breaks.bottleneck);
}

#[test]
fn the_curve_goes_through_zero_where_the_line_is() {
    let line = load_line(&read(STACK, &shop(8, "", FAST)), &asked());
    let at = found(&line).multiple;
    assert!(line.curve.len() > 10);
    for point in &line.curve {
        let margin = point.margins[0].expect("a bound that is not zero");
        // The line is where all four seeds hold, the curve is of two of them.
        if point.multiple <= at {
            assert!(margin >= 0.0 && point.held[0] == Permille::ONE, "{}: {margin}", point.multiple);
        }
        if point.multiple.get() > at.get() * 11 / 10 {
            assert!(margin < 0.0 && point.held[0] < Permille::ONE, "{}: {margin}", point.multiple);
        }
    }
    let margins: Vec<f64> = line.curve.iter().filter_map(|point| point.margins[0]).collect();
    // Far beyond, what is left of those who are answered at all is no matter of order any more.
    let near: Vec<f64> = margins.iter().copied().take_while(|margin| *margin > -1.0).collect();
    assert!(near.windows(2).all(|two| two[1] <= two[0] + 0.02), "more load leaves less room: {margins:?}");
}
