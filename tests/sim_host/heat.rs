//! A host without a fan: how warm it gets, when its clock falls, and how far; against measured curves and closed forms.

use crate::simulation::constant;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::input::profile::Profiles;
use plimsoll::model::CoreGroup;
use plimsoll::model::Host;
use plimsoll::model::HostSample;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Scenario;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::Temperature;
use plimsoll::units::whole;
use plimsoll::world::sim::World;
use std::path::Path;

/// Thermal resistances of the chip and of the case in K/W, base power, and power of both groups of cores in watts.
const CHIP: f64 = 3.03;
const CASE: f64 = 2.05;
const BASE: f64 = 0.87;
const FAST: f64 = 13.3;
const SLOW: f64 = 1.3;

/// The shipped MacBook Air, its own system asleep as in the measurements: the base power has what it used there.
fn macbook() -> Host {
    let host = Profiles::below(Path::new("/")).find("m1-air", None, Path::new("")).expect("a shipped profile");
    Host { system_cpu: Millicores::ZERO, ..host }
}

fn in_a_room_of(degrees: u64) -> Host {
    let mut host = macbook();
    host.heat.as_mut().expect("heat").ambient = Temperature::celsius(degrees);
    host
}

/// More work than all cores can do, from the start for so many seconds; what is too late is forgotten.
fn all_cores_for(host: Host, seconds: u64) -> Scenario {
    let mut web = service(20);
    web.timeout = Some(Span::from_secs(1));
    let steps = vec![(Span::ZERO, Rate::per_second(600)), (Span::from_secs(seconds), Rate::ZERO)];
    scenario(host, [("web", web)], [("web", Load { pattern: Pattern::Steps(steps), noise: Noise::None })])
}

/// The host second by second.
fn seconds(scenario: &Scenario, upto: u64) -> Vec<HostSample> {
    let mut world = World::new(scenario, scenario.seeds[0]);
    (1..=upto)
        .map(|at| {
            world.advance(second(at));
            world.sample().host
        })
        .collect()
}

fn chip(sample: &HostSample) -> f64 {
    sample.temperature.expect("a host with heat").as_celsius()
}

fn clock(sample: &HostSample) -> f64 {
    sample.clock.expect("a host with heat").as_fraction()
}

/// Once the chip is at its target, a load that scatters as requests do moves the clock of the cores no more: a governor that
/// swung between two steps would make all means anew several times a minute.
#[test]
fn a_steady_load_has_a_steady_clock() {
    for rate in [190, 200, 210, 220, 230] {
        let load = Load { pattern: Pattern::Constant { rate: Rate::per_second(rate) }, noise: Noise::Poisson };
        let run = seconds(&scenario(macbook(), [("web", service(20))], [("web", load)]), 7200);
        let changes = run[1800..].windows(2).filter(|pair| clock(&pair[0]) != clock(&pair[1])).count();
        assert!(clock(&run[7199]) < 1.0 && changes <= 4, "{rate} a second: {changes} changes");
    }
}

/// The share of its clock at which a chip at 78 degrees gives off what it takes up, in a room of so many degrees.
fn sustained_clock(ambient: f64) -> f64 {
    let power = (78.0 - ambient) / (CHIP + CASE);
    libm::pow((power - BASE - SLOW) / FAST, 1.0 / 2.32)
}

/// The curve of a MacBook Air under Cinebench R23: seconds, degrees, clock of the fast cores where it was read.
#[expect(clippy::print_stderr, reason = "a comparison that does not take place is said plainly")]
fn measured() -> Option<Vec<(f64, f64, Option<f64>)>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts/m1_air_cinebench_curve.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!(
            "skipped: ../shared/facts/m1_air_cinebench_curve.csv is not here, so there is no curve to compare with"
        );
        return None;
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |cell: &str| cell.parse::<f64>();
        (number(cells[0]).expect(line), number(cells[1]).expect(line), number(cells[2]).ok())
    };
    Some(text.lines().skip(1).map(row).collect())
}

/// The graph's load begins 5 s before its zero (33.8 degrees 2 s later) and ends at 594 s (2.7 degrees less 3 s later). Under
/// load the clock is within 5 % of the curve wherever that was read, and the chip within 2 degrees; it is off by no more
/// than 1.07 degrees (root mean square), as the fit that the figures of the profile come from, which had the measured power
/// as input. While it cools the chip is within 3 degrees, since the real one idles at a power of its own. Left out is an
/// artefact of the plot of 7 degrees around 380 s.
#[test]
fn a_macbook_follows_its_measured_curve() {
    let Some(curve) = measured() else { return };
    let (begins, ends) = (-5.0, 594.0);
    let run = seconds(&all_cores_for(macbook(), 599), 1000);
    let (mut squares, mut count, mut clocks, mut cooling) = (0.0, 0.0, 0, 0.0_f64);
    for (at, degrees, megahertz) in curve {
        if !(7.0..900.0).contains(&at) || (360.0..400.0).contains(&at) {
            continue;
        }
        let sample = &run[usize::try_from(whole(at - begins)).expect("a second of the run") - 1];
        let off = chip(sample) - degrees;
        if at > ends {
            cooling = cooling.max(off.abs());
            continue;
        }
        assert!(off.abs() < 2.0, "{} °C for {degrees} at {at} s", chip(sample));
        squares += off * off;
        count += 1.0;
        // The last reading of the clock is of the end of the load.
        if let Some(megahertz) = megahertz.filter(|_| at < 580.0) {
            let found = clock(sample) * 2988.0;
            assert!((found / megahertz - 1.0).abs() < 0.05, "{found} MHz for {megahertz} at {at} s");
            clocks += 1;
        }
    }
    let off = f64::sqrt(squares / count);
    assert!(off < 1.07 && clocks > 30 && cooling < 3.0, "{off} over {clocks} clocks, cooling by {cooling}");
}

/// Throttling was measured to begin after 90 to 100 s of full load from idle in a room of 23 degrees, the fast cores to
/// keep 2500 of 2988 MHz (84 %) after ten minutes, and a score of 86 %: the slow cores keep theirs.
#[test]
fn a_macbook_under_sustained_load_serves_less_after_ten_minutes() {
    let scenario = all_cores_for(macbook(), 3600);
    let run = seconds(&scenario, 1200);
    let begins = run.iter().position(|sample| clock(sample) < 1.0).expect("it throttles") + 1;
    assert!((80..=110).contains(&begins), "after {begins} s");
    assert!((clock(&run[900]) - 0.837).abs() < 0.03, "{}", clock(&run[900]));
    let mut world = World::new(&scenario, scenario.seeds[0]);
    let mut served = Vec::new();
    for minute in 1..=20 {
        world.advance(second(60 * minute));
        served.push(world.sample().services[0].served as f64);
    }
    let kept = served[19] / served[0];
    assert!((0.86..0.90).contains(&kept), "{kept} of the first minute");
    // What it serves is what its cores can do: four fast ones at their clock, four at half speed.
    let cores = (4.0 * clock(&run[1100]) + 2.0) / 6.0;
    assert!((kept / cores - 1.0).abs() < 0.01, "{kept} for {cores}");
}

/// Half of the fast cores at full clock: the chip is as much warmer than the room as power times both resistances.
#[test]
fn a_load_that_the_case_can_give_off_leaves_the_clock_alone() {
    let load = constant(Rate::per_second(100), Noise::None);
    let mild = scenario(macbook(), [("web", service(20))], [("web", load)]);
    let run = seconds(&mild, 3000);
    let wanted = 23.0 + (BASE + FAST / 2.0) * (CHIP + CASE);
    assert!((chip(&run[2999]) - wanted).abs() < 0.05, "{} for {wanted}", chip(&run[2999]));
    assert!(run.iter().all(|sample| clock(sample) == 1.0));
}

/// What can be given off at 78 degrees is the power in the long run, so the warmer the room the sooner and the deeper the
/// clock falls.
#[test]
fn in_a_warmer_room_it_throttles_sooner_and_deeper() {
    let mut last = (usize::MAX, 1.0);
    for degrees in [15, 23, 30, 35] {
        let run = seconds(&all_cores_for(in_a_room_of(degrees), 3600), 2400);
        let begins = run.iter().position(|sample| clock(sample) < 1.0).expect("it throttles");
        let late = &run[1800..];
        let mean = late.iter().map(clock).sum::<f64>() / late.len() as f64;
        let wanted = sustained_clock(degrees as f64);
        assert!((mean - wanted).abs() < 1.0 / 64.0, "{mean} for {wanted} at {degrees} °C");
        assert!(late.iter().all(|sample| (chip(sample) - 78.0).abs() < 0.7), "held at its target at {degrees} °C");
        assert!(begins < last.0 && mean < last.1, "{begins} s and {mean} at {degrees} °C after {last:?}");
        assert!(run.iter().all(|sample| chip(sample) < 80.0), "below the last stop at {degrees} °C");
        last = (begins, mean);
    }
}

/// After the load a chip cools in two times: 23 s to its case, 182 s with it (the eigenvalues of the fit).
#[test]
fn it_cools_with_the_time_constants_of_its_masses() {
    let run = seconds(&all_cores_for(macbook(), 300), 1500);
    let idle = 23.0 + BASE * (CHIP + CASE);
    let above = |at: usize| chip(&run[at]) - idle;
    let slow = 400.0 / libm::log(above(600) / above(1000));
    assert!((slow / 182.5 - 1.0).abs() < 0.01, "{slow} s");
    // What the slow part leaves of the first seconds is the fast part.
    let fast = |at: usize| above(at) - above(800) * libm::exp((800 - at) as f64 / slow);
    let quick = 30.0 / libm::log(fast(310) / fast(340));
    assert!((quick / 23.1 - 1.0).abs() < 0.03, "{quick} s");
    assert!((clock(&run[600]) - 1.0).abs() < 1e-9, "a cool chip has its full clock again");
}

/// A host that stays cool does what the same host without heat does, to the last request.
#[test]
fn a_cool_host_is_as_one_without_heat() {
    let load = || constant(Rate::per_second(100), Noise::Poisson);
    let with = scenario(macbook(), [("web", service(20))], [("web", load())]);
    let without = scenario(Host { heat: None, ..macbook() }, [("web", service(20))], [("web", load())]);
    for (one, other) in crate::simulation::run(&with, 1200).into_iter().zip(crate::simulation::run(&without, 1200)) {
        assert_eq!((one.services, one.host.cpu), (other.services, other.host.cpu));
        assert_eq!((other.host.temperature, other.host.clock), (None, None));
    }
}

/// The clock does not depend on how finely time is cut, as long as the governor sees what it would see.
#[test]
fn the_clock_does_not_depend_on_the_step() {
    let mut all: Vec<Vec<f64>> = Vec::new();
    for millis in [200, 1000, 5000] {
        let mut scenario = all_cores_for(macbook(), 3600);
        scenario.step = Span::from_millis(millis);
        let mut world = World::new(&scenario, scenario.seeds[0]);
        let found = (1..=90).map(|part| {
            world.advance(second(10 * part));
            world.sample().host
        });
        all.push(found.map(|sample| clock(&sample)).collect());
    }
    for (one, other) in all[1..].iter().flat_map(|run| run.iter().zip(&all[0])) {
        assert!((one - other).abs() < 0.035, "{one} for {other}");
    }
}

/// Slow cores keep their clock, and a host of one kind of cores loses all it loses.
#[test]
fn only_the_fast_cores_slow_down() {
    let mut host = macbook();
    host.cores = vec![CoreGroup { count: 4, speed: Permille::ONE }];
    let heat = host.heat.as_mut().expect("heat");
    heat.groups.truncate(1);
    let scenario = all_cores_for(host, 3600);
    let run = seconds(&scenario, 1500);
    let last = &run[1499];
    assert!((last.cpu.as_cores() / (4.0 * clock(last)) - 1.0).abs() < 0.005, "{} at {}", last.cpu, clock(last));
    let power: f64 = (78.0 - 23.0) / (CHIP + CASE);
    let wanted = libm::pow((power - BASE) / FAST, 1.0 / 2.32);
    assert!((clock(last) - wanted).abs() < 1.5 / 64.0, "{} for {wanted}", clock(last));
}
