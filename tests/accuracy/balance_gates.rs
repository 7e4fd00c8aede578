//! Balancers before instances that refuse what finds no room, or whose workers wait for their calls: the step model against
//! the oracle.

use crate::balance;
use crate::draws::Case;
use crate::draws::Draw;
use crate::measure::assert_medians;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::service;
use plimsoll::model::Balance;
use plimsoll::model::Noise;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use rayon::prelude::*;

fn few(draw: &mut Draw, least: u32, most: usize) -> u32 {
    least + u32::try_from(draw.below(most)).expect("small")
}

/// Two to six instances with one to six workers each, before which up to eight may wait.
fn crowded(number: u64, load: f64, balance: Balance) -> Case {
    let mut draw = Draw::new(&format!("accuracy/balance/crowded/{number}"));
    let mut case = balance::drawn(number, load, balance);
    let model = case.scenario.services.values_mut().next().expect("a service");
    model.backlog = Some(few(&mut draw, 0, 9));
    model.workers = model.workers.or(Some(few(&mut draw, 1, 6)));
    case
}

/// Two to six instances whose two to twelve workers wait for a service of many cores, for one to thirty times as long as
/// they work; before half of them only so many may wait.
fn holding(number: u64, load: f64, balance: Balance) -> Case {
    let mut draw = Draw::new(&format!("accuracy/balance/holding/{number}"));
    let mut case = balance::drawn(number, 0.5, balance);
    let bounded = draw.chance(0.5).then(|| few(&mut draw, 0, 17));
    let scenario = &mut case.scenario;
    let first = scenario.services.values_mut().next().expect("a service");
    (first.workers, first.blocking, first.backlog) = (Some(few(&mut draw, 2, 11)), true, bounded);
    first.limits.cpu = None;
    let mut called = ServiceModel { replicas: 2, ..service(1) };
    let (work, times) = (first.work.cpu.as_secs(), draw.doubling(1.0, 30.0));
    called.work.cpu = Span::from_nanos(whole(work * times * 1e9));
    first.work.calls = vec![call("s1", 1)];
    let workers = f64::from(first.workers.unwrap_or(1) * first.replicas);
    let rate = load * workers / (work * (1.0 + times));
    scenario.host.cores[0].count = u32::try_from(whole(4.0 * load * workers) + 4).expect("small");
    let name = scenario.services.keys().next().expect("a service").clone();
    scenario.load.insert(name, constant(Rate::micro(whole(rate * 1e6)), Noise::None));
    scenario.services.insert(ServiceName::new("s1"), called);
    Case { outside_rate: rate, utilisations: vec![load, 0.25], ..case }
}

/// Half of the errors of so many cases at each of some loads are no more than these: of mean, P95 and the share refused.
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn assert_near<const N: usize>(
    case: fn(u64, f64, Balance) -> Case,
    balance: Balance,
    cases: u64,
    most: [(f64, [f64; 3]); N],
) {
    for (load, most) in most {
        let of = |number| (case(number, load, balance), number);
        let found: Vec<_> =
            (0..cases).into_par_iter().map(of).map(|one| (balance::errors(&one.0, one.1), one.0)).collect();
        for (number, (errors, case)) in found.iter().enumerate() {
            println!("{} {load} {number}: {errors:+.3?} {}", balance.key(), case.describe());
        }
        let band = u32::try_from(whole(load * 100.0)).expect("small");
        for (figure, (name, most)) in ["mean", "P95", "refused"].into_iter().zip(most).enumerate() {
            let these: Vec<[f64; 1]> = found.iter().map(|one| [one.0[figure]]).collect();
            assert_medians(&these, [name], most, band);
        }
    }
}

/// Without a balancer, too: rooms for few requests under quotas are as many as without.
#[test]
fn who_finds_no_room_found_none_at_any_instance() {
    let low = (0.5, [0.02, 0.10, 0.005]);
    assert_near(
        crowded,
        Balance::Random,
        24,
        [low, (0.8, [0.05, 0.15, 0.01]), (0.95, [0.05, 0.25, 0.01]), (1.2, [0.10, 0.25, 0.01])],
    );
    assert_near(
        crowded,
        Balance::RoundRobin,
        24,
        [low, (0.8, [0.05, 0.15, 0.01]), (0.95, [0.05, 0.45, 0.01]), (1.2, [0.15, 0.25, 0.01])],
    );
    let [most, full] = [(0.95, [0.10, 0.25, 0.005]), (1.2, [0.15, 0.30, 0.01])];
    assert_near(crowded, Balance::LeastConnections, 24, [low, (0.8, [0.05, 0.20, 0.005]), most, full]);
}

/// Beyond what they can do those without a limit are never at rest, so they are asked up to 95 %.
#[test]
fn workers_that_wait_are_balanced() {
    let low = (0.5, [0.02, 0.02, 0.005]);
    assert_near(holding, Balance::Random, 16, [low, (0.8, [0.05, 0.05, 0.005]), (0.95, [0.10, 0.15, 0.005])]);
    assert_near(holding, Balance::RoundRobin, 16, [low, (0.8, [0.10, 0.10, 0.005]), (0.95, [0.25, 0.30, 0.005])]);
    assert_near(holding, Balance::LeastConnections, 16, [low, (0.8, [0.02, 0.02, 0.005]), (0.95, [0.05, 0.10, 0.005])]);
}
