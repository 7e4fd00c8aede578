//! Random services, hosts and call graphs, each from a stream of its own: the same number is always the same case.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Call;
use plimsoll::model::Host;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

pub(crate) const NAMES: [&str; 8] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];

/// One scenario of the study.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) scenario: Scenario,
    /// The utilisation of each service: the larger one of its own containers' and of the host's.
    pub(crate) utilisations: Vec<f64>,
    /// Requests per second from outside: all of them, or of clients those that they may have at most.
    pub(crate) outside_rate: f64,
}

impl Case {
    /// The case of a scenario with constant rates.
    pub(crate) fn of(scenario: Scenario, utilisations: Vec<f64>) -> Self {
        let rates = scenario.load.values().map(|load| match load.pattern {
            Pattern::Constant { rate } => rate.as_per_second(),
            _ => 0.0,
        });
        let outside_rate = rates.sum();
        Self { scenario, utilisations, outside_rate }
    }

    /// The case of a scenario whose services all are, or wait for what is, at a load.
    pub(crate) fn at(scenario: Scenario, load: f64) -> Self {
        let utilisations = vec![load; scenario.services.len()];
        Self::of(scenario, utilisations)
    }

    /// What distinguishes it, in one line.
    pub(crate) fn describe(&self) -> String {
        let cores = self.scenario.host.core_count();
        let services = self.scenario.services.iter().map(|(name, model)| {
            let quota = model.limits.cpu.map_or("-".to_owned(), |quota| format!("{:.2}", quota.as_cores()));
            let workers = model.workers.map_or("-".to_owned(), |workers| workers.to_string());
            let backlog = model.backlog.map_or(String::new(), |room| format!(" room {room}"));
            let load = self.scenario.load.get(name).map_or(String::new(), |load| match &load.pattern {
                Pattern::Constant { rate } => format!(" {:.2}/s", rate.as_per_second()),
                Pattern::Clients { clients, think } => format!(" {} clients think {think}", clients[0].1),
                _ => String::new(),
            });
            let calls: Vec<String> = model.work.calls.iter().map(describe_call).collect();
            format!(
                "{name}[{}x quota {quota} workers {workers}{}{backlog} weight {} {:.2} ms {:?}{load}{}{}]",
                model.replicas,
                if model.blocking { " blocking" } else { "" },
                model.weight,
                model.work.cpu.as_secs() * 1e3,
                model.work.spread,
                if calls.is_empty() { "" } else { " calls " },
                calls.join(" ")
            )
        });
        let hop = self.scenario.host.hop.as_secs() * 1e3;
        format!("{cores} cores, hop {hop:.2} ms: {}", services.collect::<Vec<_>>().join(" "))
    }
}

fn describe_call(call: &Call) -> String {
    let stage = call.stage.map_or(String::new(), |stage| format!(" stage {stage}"));
    let timeout = call.timeout.map_or(String::new(), |timeout| format!(" within {timeout}"));
    let retry = call.retry.map_or(String::new(), |retry| {
        let budget = retry.budget.map_or(String::new(), |budget| format!(" budget {budget}"));
        format!(" retry {}x after {}{budget}", retry.times, retry.backoff)
    });
    let cached = if call.cached == Permille::ZERO { String::new() } else { format!(" cached {}", call.cached) };
    format!("({}x{}{stage}{cached}{timeout}{retry})", call.to, call.count)
}

/// Draws of one case.
pub(crate) struct Draw(Pcg64);

impl Draw {
    pub(crate) fn new(name: &str) -> Self {
        Self(Seed::new(2026).stream(name))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Each as likely as the others.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        let place = whole((self.uniform() * count as f64).floor());
        usize::try_from(place).expect("small").min(count - 1)
    }

    /// Each doubling as likely as the others.
    pub(crate) fn doubling(&mut self, from: f64, to: f64) -> f64 {
        from * libm::exp2(self.uniform() * libm::log2(to / from))
    }

    /// Work of 0.5 to 50 ms; a quota of a quarter core up to `cores`, and 1 to 16 workers, each in a share of the cases.
    pub(crate) fn service(&mut self, cores: u32, quotas: f64, pools: f64) -> ServiceModel {
        let mut model = service(1);
        model.work.cpu = Span::from_nanos(whole(self.doubling(0.0005, 0.05) * 1e9));
        model.work.spread = self.pick(&[Spread::Constant, Spread::Exponential, Spread::Heavy]);
        model.weight = self.pick(&[256, 512, 1024, 2048, 4096]);
        let quota = self.doubling(0.25, f64::from(cores).max(0.5));
        if self.chance(quotas) {
            model.limits.cpu = Some(Millicores::new(whole(quota * 20.0) * 50));
        }
        let workers = 1 + self.below(16);
        if self.chance(pools) {
            model.workers = Some(u32::try_from(workers).expect("small"));
        }
        model
    }
}

/// Cores that one instance can use at most.
pub(crate) fn power(model: &ServiceModel, cores: u32) -> f64 {
    let servers = f64::from(cores.min(model.workers.unwrap_or(u32::MAX)));
    model.limits.cpu.map_or(servers, |quota| quota.as_cores().min(servers))
}

/// One service on a host of its own.
pub(crate) fn single(number: u64, load: f64) -> Case {
    let mut draw = Draw::new(&format!("accuracy/single/{number}"));
    let cores = draw.pick(&[1, 2, 4, 8]);
    let model = draw.service(cores, 0.5, 0.5);
    loaded(cores, vec![model], &[1.0], load)
}

/// Two to six containers that share a host; all of the same weight, as where nothing is said, or each of its own.
pub(crate) fn shared(number: u64, load: f64, weighted: bool) -> Case {
    let mut draw = Draw::new(&format!("accuracy/host/{number}"));
    let cores = draw.pick(&[1, 2, 4, 8]);
    let count = 2 + draw.below(5);
    let mut models: Vec<ServiceModel> = (0..count).map(|_| draw.service(cores, 0.4, 0.3)).collect();
    if !weighted {
        models.iter_mut().for_each(|model| model.weight = 1024);
    }
    // What each uses of the CPU, not how many requests it has, is drawn evenly.
    let rates: Vec<f64> = models.iter().map(|model| (0.1 + draw.uniform()) / model.work.cpu.as_secs()).collect();
    loaded(cores, models, &rates, load)
}

/// Three to eight services that call each other, in one to three instances.
pub(crate) fn graph(number: u64, load: f64) -> Case {
    let mut draw = Draw::new(&format!("accuracy/graph/{number}"));
    let cores = draw.pick(&[2, 4, 8, 16]);
    let count = 3 + draw.below(6);
    let mut models: Vec<ServiceModel> = (0..count).map(|_| draw.service(cores, 0.3, 0.3)).collect();
    for place in 1..models.len() {
        let caller = draw.below(place);
        let times = if draw.chance(0.3) { 2 } else { 1 };
        models[caller].work.calls.push(call(NAMES[place], times));
        models[place].replicas = draw.pick(&[1, 1, 2, 3]);
    }
    let mut rates = vec![0.0; models.len()];
    rates[0] = 1.0;
    if draw.chance(0.3) {
        rates[1] = draw.uniform();
    }
    loaded(cores, models, &rates, load)
}

/// The services with loads in these proportions, so high that the busiest part, a container or the host, is at `load`.
fn loaded(cores: u32, models: Vec<ServiceModel>, outside: &[f64], load: f64) -> Case {
    loaded_on(host(cores), models, outside, load)
}

/// The same on a given host.
pub(crate) fn loaded_on(host: Host, models: Vec<ServiceModel>, outside: &[f64], load: f64) -> Case {
    let own = own_uses(&host, &models, outside);
    let scale = load / own.iter().copied().fold(0.0, f64::max);
    let host_use = own[models.len()];
    let utilisations = own[..models.len()].iter().map(|own| own.max(host_use) * scale).collect();
    let loads = outside.iter().zip(NAMES).filter(|(rate, _)| **rate > 0.0);
    let loads = loads.map(|(rate, name)| (name, constant(Rate::micro(whole(rate * scale * 1e6)), Noise::None)));
    Case::of(scenario(host, NAMES.into_iter().zip(models), loads), utilisations)
}

/// The utilisations of the containers of each service, and last of the host, at these rates from outside. Workers that
/// wait for calls are in use for as long as their requests would take if nobody waited for anybody.
pub(crate) fn own_uses(host: &Host, models: &[ServiceModel], outside: &[f64]) -> Vec<f64> {
    let cores = host.core_count();
    let place_of = |call: &Call| NAMES.iter().position(|name| *name == call.to.as_str()).expect("a service");
    let made = |call: &Call| f64::from(call.count) * (1.0 - call.cached.as_fraction());
    let mut rates = outside.to_vec();
    rates.resize(models.len(), 0.0);
    for (place, model) in models.iter().enumerate() {
        for call in &model.work.calls {
            assert!(place_of(call) > place, "callers come first");
            rates[place_of(call)] += rates[place] * made(call);
        }
    }
    let mut alone: Vec<f64> = models.iter().map(|model| model.work.cpu.as_secs()).collect();
    for (place, model) in models.iter().enumerate().rev() {
        let hops = 2.0 * host.hop.as_secs();
        alone[place] += model.work.calls.iter().map(|call| made(call) * (alone[place_of(call)] + hops)).sum::<f64>();
    }
    let used = |place: usize| rates[place] * models[place].work.cpu.as_secs();
    let own = |place: usize| {
        let model = &models[place];
        let taken = model.workers.filter(|_| model.blocking).map_or(0.0, |workers| alone[place] / f64::from(workers));
        (used(place) / power(model, cores)).max(rates[place] * taken) / f64::from(model.replicas)
    };
    let host_use = (0..models.len()).map(used).sum::<f64>() / f64::from(cores);
    (0..models.len()).map(own).chain([host_use]).collect()
}
