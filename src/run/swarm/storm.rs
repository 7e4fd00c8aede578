//! What goes wrong in a drawn project. Before you change it: all of it is over before the second half, but for what comes
//! again and again; where there is such a fault the storm never ends, and the judgement asks for safety only.

use super::dice::Dice;
use super::drawn::Drawn;
use super::drawn::DrawnService;

/// Kinds of faults of containers, of metrics, of the engine and of the host.
const KINDS: u64 = 12;
/// Kinds of faults that need more than a simple project, or wear on its resources.
const MORE_KINDS: u64 = 11;
/// Wide projects in a hundred in which faults come again and again.
const AGAIN: u64 = 12;

/// The faults of any project.
pub(super) fn faults(dice: &mut Dice, drawn: &Drawn) -> Vec<String> {
    let kinds = if dice.chance(15) { 0 } else { dice.between(1, 4) };
    let mut faults = Vec::new();
    for _ in 0..kinds {
        let kind = dice.between(0, KINDS - 1);
        for _ in 0..dice.between(1, 3) {
            let service = &drawn.services[dice.place(drawn.services.len())];
            let (at, lasts) = when(dice, drawn);
            if let Some(what) = fault(dice, kind, service) {
                faults.push(written(&format!("at: {at}s"), lasts, what));
            }
        }
    }
    faults
}

/// The further faults of a wide project.
pub(super) fn more_faults(dice: &mut Dice, drawn: &Drawn) -> Vec<String> {
    // Some stay without any, so that it is seen, too, what the load alone does.
    let none = dice.chance(if drawn.faults.is_empty() { 70 } else { 20 });
    let kinds = if none { 0 } else { dice.between(1, 4) };
    let again = dice.chance(AGAIN);
    let mut faults = Vec::new();
    for _ in 0..kinds {
        let kind = dice.between(0, MORE_KINDS - 1);
        for _ in 0..dice.between(1, 2) {
            let service = &drawn.services[dice.place(drawn.services.len())];
            let (at, lasts) = when(dice, drawn);
            let mut first = format!("at: {at}s");
            if again && dice.chance(60) {
                let gap = dice.between(5, 30);
                first = dice.one_of(&["every", "about_every"]).to_owned();
                first =
                    if dice.chance(50) { format!("at: {at}s, {first}: {gap}m") } else { format!("{first}: {gap}m") };
            }
            if let Some(what) = further_fault(dice, kind, drawn, service) {
                faults.push(written(&first, lasts, what));
            }
        }
    }
    faults
}

/// When a fault begins and how long it lasts, in seconds; it is over two minutes before the calm.
fn when(dice: &mut Dice, drawn: &Drawn) -> (u64, u64) {
    let half = drawn.duration.secs() / 2;
    let at = dice.between(30, half - 300);
    (at, dice.between(5, (half - at - 120).clamp(5, 900)))
}

fn written(first: &str, lasts: u64, (what, is_lasting): (String, bool)) -> String {
    let lasts = if is_lasting { format!(", for: {lasts}s") } else { String::new() };
    format!("{first}{lasts}, {what}")
}

/// A line to the outside that is slower for a while.
pub(super) fn slow_network(dice: &mut Dice, drawn: &Drawn) -> String {
    let (at, lasts) = when(dice, drawn);
    let what = format!("slow_network: {{ bandwidth: {}% }}", dice.between(2, 80));
    written(&format!("at: {at}s"), lasts, (what, true))
}

/// One fault and whether it lasts; `None` where the service cannot have it.
fn fault(dice: &mut Dice, kind: u64, service: &DrawnService) -> Option<(String, bool)> {
    let name = &service.name;
    Some(match kind {
        0 => (format!("crash: {name}"), false),
        1 => {
            let instance = dice.between(1, u64::from(service.replicas));
            (format!("crash: {{ service: {name}, instance: {instance} }}"), false)
        }
        2 if service.check.is_some() => (format!("unhealthy: {name}"), true),
        3 if service.check.is_some() => (format!("unhealthy_green: {name}"), true),
        2 | 3 => return None,
        4 => ("metrics_outage: {}".to_owned(), true),
        5 => (format!("metrics_delay: {{ by: {}s }}", dice.between(5, 600)), true),
        6 => (format!("metrics_gaps: {{ share: {}% }}", dice.between(5, 100)), true),
        7 => {
            let (cpu, memory) = (dice.between(0, 300), dice.between(50, 200));
            (format!("metrics_lie: {{ service: {name}, cpu: {cpu}%, memory: {memory}% }}"), true)
        }
        8 => ("engine_restart: {}".to_owned(), false),
        9 => (format!("docker_restart: {{ live_restore: {} }}", dice.chance(50)), true),
        10 => ("host_loss: {}".to_owned(), true),
        _ => {
            let way = dice.one_of(&["ahead", "behind"]);
            (format!("clock_jump: {{ {way}: {}s }}", dice.between(1, 900)), true)
        }
    })
}

/// One fault of a wide project and whether it lasts; `None` where the project has nothing that it is about.
fn further_fault(dice: &mut Dice, kind: u64, drawn: &Drawn, service: &DrawnService) -> Option<(String, bool)> {
    let name = &service.name;
    Some(match kind {
        0 => {
            let (iops, bandwidth, latency) = (dice.between(2, 80), dice.between(2, 80), dice.between(2, 30));
            let part = dice.one_of(&["iops", "latency", "all"]);
            let what = match part {
                "iops" => format!("iops: {iops}%"),
                "latency" => format!("latency: {latency}x"),
                _ => format!("iops: {iops}%, bandwidth: {bandwidth}%, latency: {latency}x"),
            };
            drawn.storage?;
            (format!("slow_disk: {{ {what} }}"), true)
        }
        1 => {
            drawn.storage?;
            let whose = if dice.chance(50) { format!("{{ service: {name} }}") } else { "{}".to_owned() };
            (format!("full_disk: {whose}"), true)
        }
        2 | 3 if !drawn.can_run_out_of_memory(service) => return None,
        2 => (format!("oom: {{ service: {name} }}"), false),
        3 => (format!("leak: {{ service: {name}, per_hour: {}M }}", dice.between(20, 2000)), true),
        4 => {
            drawn.heat.as_ref()?;
            (format!("heat_wave: {{ ambient: +{}C }}", dice.between(3, 40)), true)
        }
        5 => (format!("steal_burst: {{ steal: {}% }}", dice.between(5, 90)), true),
        6 => {
            let (cpu, weight) = (dice.between(1, 16), dice.between(2, 8192));
            (format!("noisy_neighbour: {{ cpu: {cpu}, weight: {weight} }}"), true)
        }
        7 => (format!("cpu_spin: {{ service: {name}, cpu: 0.{} }}", dice.between(1, 9)), true),
        8 => (format!("slow_dependency: {{ service: {name}, factor: {}x }}", dice.between(2, 20)), true),
        9 => (format!("network_delay: {{ latency: {}ms }}", dice.between(1, 500)), true),
        _ => (format!("network_loss: {{ loss: {}% }}", dice.between(1, 40)), true),
    })
}
