//! A host made by hand: every number is set by the test, limits follow the engine's actions, every decision is audited.

use plimsoll::audit::Audit;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::Decision;
use plimsoll::model::HostSeen;
use plimsoll::model::InstanceSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Observation;
use plimsoll::model::Policy;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Span;
use std::collections::BTreeMap;

/// What every instance of a service uses, in percent of its limits.
pub(crate) type Percent = (u64, u64);

/// A host, an engine, and the time it is.
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    audit: Audit,
    pub(crate) now: Instant,
    pub(crate) host: Observation,
}

pub(crate) fn name(text: &str) -> ServiceName {
    ServiceName::new(text)
}

pub(crate) fn limits(cpu: u64, mebibytes: u64) -> Limits {
    Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(mebibytes)) }
}

/// One healthy instance, not measured yet.
pub(crate) fn service(limits: Limits) -> ServiceSeen {
    ServiceSeen { limits, stateful: false, instances: vec![instance(1)], traffic: None, deploying: false }
}

pub(crate) fn instance(number: u32) -> InstanceSeen {
    InstanceSeen { number, state: InstanceState::Healthy, usage: None, oom_kills: 0, restarts: 0, started: None }
}

pub(crate) fn usage(at: Instant, cpu: u64, memory: Bytes) -> Usage {
    Usage { at, window: Span::from_mins(5), cpu: Millicores::new(cpu), memory, memory_max: memory }
}

/// A host with 16 CPUs and 64 GiB for containers and these services on it.
pub(crate) fn host<const N: usize>(services: [(&str, ServiceSeen); N]) -> Observation {
    let host = HostSeen { pool_cpu: Millicores::cores(16), pool_memory: Bytes::gibi(64) };
    let services = services.into_iter().map(|(text, service)| (name(text), service)).collect();
    Observation { host, services, overrides: BTreeMap::new(), metrics: BTreeMap::new() }
}

impl Stage {
    /// At the start; the same policy for all services.
    pub(crate) fn new(host: Observation, policy: Vertical) -> Self {
        let policies = host.services.keys().map(|name| (name.clone(), Policy::Vertical(policy))).collect();
        let (stage, first) = Self::with(host, policies);
        assert_eq!(first, Decision::default(), "the first look only starts the rhythm");
        stage
    }

    /// At the start, with these policies, and what the first look at it came to.
    pub(crate) fn with(host: Observation, policies: BTreeMap<ServiceName, Policy>) -> (Self, Decision) {
        let audit = Audit::new(&policies);
        let mut stage = Self { engine: Engine::new(policies), audit, now: Instant::START, host };
        let first = stage.look();
        (stage, first)
    }

    pub(crate) fn service(&mut self, service: &str) -> &mut ServiceSeen {
        self.host.services.get_mut(&name(service)).expect("a service of the stage")
    }

    pub(crate) fn limits(&self, service: &str) -> Limits {
        self.host.services[&name(service)].limits
    }

    /// Sets what every instance of a service uses, in percent of its limits, measured now.
    pub(crate) fn uses(&mut self, service: &str, (cpu, memory): Percent) {
        let now = self.now;
        let seen = self.service(service);
        let cpu = seen.limits.cpu.map_or(0, |limit| limit.get() * cpu / 100);
        let memory = seen.limits.memory.unwrap_or(Bytes::ZERO).scaled(memory, 100);
        for instance in &mut seen.instances {
            instance.usage = Some(usage(now, cpu, memory));
        }
    }

    /// One look: the decision passes the audit, and its actions are carried out at once.
    pub(crate) fn look(&mut self) -> Decision {
        let decision = self.engine.observe(self.now, &self.host);
        let breaches = self.audit.check(self.now, &self.host, &decision);
        assert!(breaches.is_empty(), "{}", breaches.iter().map(|breach| format!("{breach}\n")).collect::<String>());
        for action in &decision.actions {
            let service = self.host.services.get_mut(action.service()).expect("a seen service");
            match action {
                Action::LimitCpu { to, .. } => service.limits.cpu = Some(*to),
                Action::LimitMemory { to, .. } => service.limits.memory = Some(*to),
                Action::Scale { to, .. } => scale(service, *to),
            }
        }
        decision
    }

    /// So much CPU, in millicores, is asked of a service, and shared evenly by its instances, each of which takes no more
    /// than it may; each holds so much memory.
    pub(crate) fn carries(&mut self, service: &str, load: u64, memory: Bytes) {
        let now = self.now;
        let seen = self.service(service);
        let each = load.div_ceil(seen.instances.len().max(1) as u64);
        let each = seen.limits.cpu.map_or(each, |limit| each.min(limit.get()));
        for instance in &mut seen.instances {
            instance.usage = Some(usage(now, each, memory));
        }
    }

    /// How many instances a service has.
    pub(crate) fn count(&self, service: &str) -> usize {
        self.host.services[&name(service)].instances.len()
    }

    /// A look five minutes later, with every service using these shares of its limits.
    pub(crate) fn check(&mut self, percent: Percent) -> Decision {
        self.now = self.now.plus(Span::from_mins(5));
        let names: Vec<_> = self.host.services.keys().cloned().collect();
        for service in names {
            self.uses(service.as_str(), percent);
        }
        self.look()
    }

    /// So many checks; the decision of the last.
    pub(crate) fn checks(&mut self, count: u32, percent: Percent) -> Decision {
        (0..count).map(|_| self.check(percent)).last().expect("at least one check")
    }
}

impl Stage {
    /// So many checks, whatever they decide.
    pub(crate) fn pass(&mut self, count: u32, percent: Percent) {
        for _ in 0..count {
            let _ = self.check(percent);
        }
    }
}

/// Removes who came last, or adds instances with the lowest free numbers, not measured yet.
pub(crate) fn scale(service: &mut ServiceSeen, to: u32) {
    service.instances.truncate(to as usize);
    for number in 1.. {
        if service.instances.len() >= to as usize {
            break;
        }
        if service.instances.iter().all(|there| there.number != number) {
            service.instances.push(instance(number));
        }
    }
}

/// The names of the guards that held something back.
pub(crate) fn guards(decision: &Decision) -> Vec<&'static str> {
    decision.held.iter().map(|held| held.guard.name()).collect()
}
