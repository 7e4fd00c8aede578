//! A stack as people have it, not as it is drawn: nineteen services, requests of a millisecond beside jobs of a minute.

use crate::measure::observe;
use crate::simulation::merged;
use crate::simulation::run;
use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Pattern;
use plimsoll::units::Bytes;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::path::Path;

const EVENING: &str = "scenarios/ziggie-limits/before.scenario.yaml";

/// All at the rates of its evening at once, on four cores, without any limits. Who asks more often than once in two seconds
/// has a time that the oracle is sure of.
#[test]
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn nineteen_services_on_a_rented_server() {
    let mut scenario =
        scenario::load(Path::new(EVENING), &LoadOptions::default()).expect("a shipped scenario").scenario;
    let rates = [
        ("nginx", 120.0),
        ("ziggie-api", 60.0),
        ("mcp-gateway", 20.0),
        ("n8n", 0.6),
        ("ollama", 1.0 / 60.0),
        ("prometheus", 1.0),
        ("grafana", 0.1),
        ("github-runner", 2.0 / 3600.0),
    ];
    assert_eq!(scenario.load.len(), rates.len());
    for (name, rate) in rates {
        let load = scenario.load.iter_mut().find(|load| load.0.as_str() == name).expect("a load");
        load.1.pattern = Pattern::Constant { rate: Rate::micro(plimsoll::units::whole(rate * 1e6)) };
    }
    // What happens when the memory runs out is another story.
    scenario.services.values_mut().for_each(|service| service.idle_memory = Bytes::mebi(1));
    let seen = observe(&scenario, 40_000.0);
    let samples = &run(&scenario, 3600)[5..];
    let mut compared = 0;
    for (place, seen) in seen.iter().enumerate().filter(|(_, seen)| seen.whole.served > 20_000) {
        let times = merged(samples, place);
        let of = |time: Option<Span>| time.map_or(f64::NAN, Span::as_secs);
        let (mean, quantile) = (of(times.mean()), of(times.quantile(95, 100)));
        let wanted = (seen.whole.mean(), of(seen.whole.latency.quantile(95, 100)));
        let name = seen.whole.name.as_str();
        println!("{name}: mean {mean:.6} for {:.6}, P95 {quantile:.6} for {:.6}", wanted.0, wanted.1);
        assert!((mean / wanted.0 - 1.0).abs() < 0.05, "{name}: {mean} for {}", wanted.0);
        assert!((quantile / wanted.1 - 1.0).abs() < 0.08, "{name}: P95 {quantile} for {}", wanted.1);
        compared += 1;
    }
    assert!(compared >= 6, "{compared}");
}
