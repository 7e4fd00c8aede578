//! Random call graphs with what is between two services, and random clients in a closed loop.

use crate::draws::Case;
use crate::draws::Draw;
use crate::draws::NAMES;
use crate::draws::loaded_on;
use crate::draws::own_uses;
use crate::simulation::call;
use crate::simulation::host;
use crate::simulation::scenario;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Retry;
use plimsoll::model::ServiceModel;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use plimsoll::units::whole;

/// Three to eight services in a tree of calls: some in parallel, cached, over a network, cut off and tried again, by
/// workers that wait for them, to queues with little room.
pub(crate) fn calls(number: u64, load: f64) -> Case {
    let mut draw = Draw::new(&format!("accuracy/between/{number}"));
    let cores = draw.pick(&[2, 4, 8, 16]);
    let count = 3 + draw.below(6);
    let mut models = tree(&mut draw, cores, count);
    let mut host = host(cores);
    if draw.chance(0.4) {
        host.hop = seconds(draw.doubling(0.0001, 0.002));
    }
    for place in (0..models.len()).rev() {
        let parallel = draw.chance(0.5);
        for at in 0..models[place].work.calls.len() {
            let to =
                NAMES.iter().position(|name| *name == models[place].work.calls[at].to.as_str()).expect("a service");
            let below = below(&models, to) + 2.0 * host.hop.as_secs();
            let call = &mut models[place].work.calls[at];
            if parallel {
                call.stage = Some(0);
            }
            if draw.chance(0.3) {
                call.cached = Permille::percent(draw.pick(&[20, 50, 80, 95]));
            }
            if draw.chance(0.3) {
                call.timeout = Some(seconds(below * draw.doubling(6.0, 48.0)));
                call.retry = Some(Retry {
                    times: draw.pick(&[1, 2, 3]),
                    backoff: seconds(draw.doubling(0.001, 0.02)),
                    budget: draw.pick(&[None, Some(Permille::percent(10)), Some(Permille::percent(20))]),
                });
            }
        }
        let (block, limit, room) = (draw.chance(0.5), draw.chance(0.4), draw.below(40));
        let model = &mut models[place];
        if model.workers.is_some() {
            model.blocking = block && !model.work.calls.is_empty();
            model.backlog = Some(u32::try_from(room).expect("small")).filter(|_| limit);
        }
    }
    loaded_on(host, models, &[1.0], load)
}

/// Clients who think, of the first of one to four services that call each other. There are about as many as it takes to
/// use the busiest part so far, if nobody waited.
pub(crate) fn clients(number: u64, load: f64) -> Case {
    let mut draw = Draw::new(&format!("accuracy/clients/{number}"));
    let cores = draw.pick(&[1, 2, 4, 8]);
    let count = 1 + draw.below(4);
    let mut models = tree(&mut draw, cores, count);
    for model in &mut models {
        let block = draw.chance(0.3);
        model.blocking = block && model.workers.is_some() && !model.work.calls.is_empty();
    }
    let host = host(cores);
    let uses = own_uses(&host, &models, &[1.0]);
    let most = 1.0 / uses.iter().copied().fold(0.0, f64::max);
    let drawn = if draw.chance(0.1) { 0.0 } else { draw.doubling(0.01, 2.0) };
    // With as much thinking 200 clients can use the busiest part so far.
    let think = seconds(drawn.min(200.0 / most));
    let round = think.as_secs() + below(&models, 0);
    let wanted = load * most * round * draw.doubling(1.0, 1.5);
    let present = u32::try_from(whole(wanted.round().clamp(1.0, 200.0))).expect("small");
    let pattern = Pattern::Clients { clients: vec![(Span::ZERO, present)], think };
    let outside_rate = (f64::from(present) / round).min(most);
    let utilisations = uses[..count].iter().map(|own| own.max(uses[count]) * outside_rate).collect();
    let load = Load { pattern, noise: Noise::None };
    let scenario = scenario(host, NAMES.into_iter().zip(models), [(NAMES[0], load)]);
    Case { scenario, utilisations, outside_rate }
}

/// Services in one to three instances, each but the first called by one of those before it.
fn tree(draw: &mut Draw, cores: u32, count: usize) -> Vec<ServiceModel> {
    let mut models: Vec<ServiceModel> = (0..count).map(|_| draw.service(cores, 0.3, 0.5)).collect();
    for place in 1..models.len() {
        let caller = draw.below(place);
        let times = if draw.chance(0.3) { 2 } else { 1 };
        models[caller].work.calls.push(call(NAMES[place], times));
        models[place].replicas = draw.pick(&[1, 1, 2, 3]);
    }
    models
}

/// Seconds of work of a request and of all its calls.
fn below(models: &[ServiceModel], place: usize) -> f64 {
    let of = |name: &str| NAMES.iter().position(|other| *other == name).expect("a service");
    let calls = models[place].work.calls.iter();
    models[place].work.cpu.as_secs()
        + calls.map(|call| f64::from(call.count) * below(models, of(call.to.as_str()))).sum::<f64>()
}

fn seconds(seconds: f64) -> Span {
    Span::from_nanos(whole(seconds * 1e9))
}
