//! Containers that run on some cores only, as stories and against closed forms.

use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::CoreGroup;
use plimsoll::model::CoreSet;
use plimsoll::model::Host;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Sample;
use plimsoll::model::ServiceModel;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

fn pinned(cores: &str, work_millis: u64) -> ServiceModel {
    ServiceModel { cpuset: Some(CoreSet::parse(cores).expect("cores")), ..service(work_millis) }
}

fn steady(rate: u64) -> Load {
    constant(Rate::per_second(rate), Noise::None)
}

fn mean(samples: &[Sample], place: usize) -> f64 {
    merged(samples, place).mean().expect("requests").as_secs()
}

fn cpu(samples: &[Sample], place: usize) -> f64 {
    samples[samples.len() - 1].services[place].cpu.as_cores()
}

/// Four performance cores, 0 to 3, and four of half their speed.
fn p_and_e() -> Host {
    let group = |count, percent| CoreGroup { count, speed: Permille::percent(percent) };
    Host { cores: vec![group(4, 100), group(4, 50)], ..host(4) }
}

/// One core of eight is M/M/1, whatever the others could do; two are M/M/2.
#[test]
fn who_is_pinned_has_no_more_than_its_cores() {
    for (cores, rate, wanted) in [("3", 80, 0.010 / 0.2), ("3,5", 160, 0.010 / (1.0 - 0.8 * 0.8))] {
        let samples = run(&scenario(host(8), [("db", pinned(cores, 10))], [("db", steady(rate))]), 1200);
        close(mean(&samples[5..], 0), wanted, 0.02);
        close(cpu(&samples, 0), rate as f64 / 100.0, 0.01);
    }
    let mut patient = pinned("3", 10);
    patient.timeout = Some(Span::from_secs(2));
    let samples = run(&scenario(host(8), [("db", patient)], [("db", steady(300))]), 1200);
    let db = &samples[15].services[0];
    assert!(db.saturated && db.errors.timed_out > db.arrived / 2);
    close(db.cpu.as_cores(), 1.0, 0.003);
}

/// A batch job that takes all it can get leaves a shop on its own cores alone, and slows it down on common ones.
#[test]
fn a_greedy_neighbour_on_other_cores_is_not_noticed() {
    let shop = |cores: &str, job: &str| {
        let mut greedy = pinned(job, 50);
        (greedy.workers, greedy.timeout) = (Some(64), Some(Span::from_secs(30)));
        let services = [("job", greedy), ("shop", pinned(cores, 10))];
        run(&scenario(host(4), services, [("job", steady(200)), ("shop", steady(100))]), 1200)
    };
    let apart = shop("0-1", "2-3");
    close(mean(&apart[5..], 1), 0.010 / (1.0 - 0.5 * 0.5), 0.02);
    close(cpu(&apart, 0), 2.0, 0.003);
    let together = shop("0-3", "0-3");
    assert!(mean(&together[5..], 1) > 0.0105 && cpu(&together, 0) > 2.9);
    // On one common core the two share this by weight, and the job has its other one for itself.
    let half = shop("0-1", "1-2");
    close(cpu(&half, 0) + cpu(&half, 1), 3.0, 0.003);
    close(cpu(&half, 1), 1.0, 0.01);
}

/// On efficiency cores of half the speed work takes twice as long, and Docker shows twice the CPU time.
#[test]
fn efficiency_cores_are_slow() {
    let on = |cores: &str| run(&scenario(p_and_e(), [("db", pinned(cores, 10))], [("db", steady(20))]), 1200);
    let (fast, slow) = (on("0-3"), on("4-7"));
    close(mean(&fast[5..], 0), 0.010, 0.01);
    close(mean(&slow[5..], 0), 0.020, 0.01);
    close(cpu(&fast, 0), 0.2, 0.01);
    close(cpu(&slow, 0), 0.4, 0.01);
    // Whoever is not pinned goes where it is fast, however busy the slow cores are.
    let services = [("db", pinned("4-7", 10)), ("web", service(10))];
    let samples = run(&scenario(p_and_e(), services, [("db", steady(190)), ("web", steady(100))]), 1200);
    close(mean(&samples[5..], 1), 0.010, 0.05);
    close(cpu(&samples, 1), 1.0, 0.03);
}

/// All cores by name are all cores.
#[test]
fn a_set_of_all_cores_is_as_if_there_were_none() {
    let both = |db: ServiceModel| {
        let services = [("db", db), ("web", service(5))];
        run(&scenario(host(4), services, [("db", steady(200)), ("web", steady(200))]), 1200)
    };
    let (named, plain) = (both(pinned("0-3", 10)), both(service(10)));
    for place in [0, 1] {
        close(mean(&named[5..], place), mean(&plain[5..], place), 0.02);
        close(cpu(&named, place), cpu(&plain, place), 1e-3);
    }
}
