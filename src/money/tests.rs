//! Services, scenarios and samples that are small enough to be billed by hand.

use crate::model::Balance;
use crate::model::CoreGroup;
use crate::model::DiskUse;
use crate::model::Host;
use crate::model::Limits;
use crate::model::Restart;
use crate::model::Scenario;
use crate::model::Sensors;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Shortage;
use crate::model::Spread;
use crate::model::Work;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// A service that does nothing.
pub(crate) fn service(replicas: u32, limits: Limits, reservations: Limits) -> ServiceModel {
    ServiceModel {
        image: None,
        replicas,
        limits,
        reservations,
        weight: 1024,
        work: Work {
            cpu: Span::ZERO,
            spread: Spread::Exponential,
            memory: Bytes::ZERO,
            calls: Vec::new(),
            request: Bytes::ZERO,
            answer: Bytes::ZERO,
        },
        workers: None,
        blocking: false,
        backlog: None,
        balance: Balance::Random,
        timeout: None,
        idle_cpu: Millicores::ZERO,
        idle_memory: Bytes::ZERO,
        leak_per_hour: Bytes::ZERO,
        start_up: Span::ZERO,
        start_cpu: Millicores::ZERO,
        health: None,
        depends_on: BTreeMap::new(),
        restart: Restart::No,
        stateful: false,
        tier: 1,
        role: "web".to_owned(),
        disk: DiskUse::default(),
        cpuset: None,
        stop_grace: None,
        shortage: Shortage::default(),
    }
}

/// A day of these services on four cores and 16 GB, half a core and 2 GB of them kept for the system.
pub(crate) fn scenario(services: Vec<(&str, ServiceModel)>) -> Scenario {
    let mut host = Host::bare("kvm-4", vec![CoreGroup { count: 4, speed: Permille::ONE }], Bytes::gibi(16));
    host.reserve_cpu = Millicores::new(500);
    host.reserve_memory = Bytes::gibi(2);
    Scenario {
        name: "small".to_owned(),
        host,
        services: services.into_iter().map(|(name, service)| (ServiceName::new(name), service)).collect(),
        load: BTreeMap::new(),
        metrics: BTreeMap::new(),
        policies: BTreeMap::new(),
        faults: Vec::new(),
        deployments: Vec::new(),
        overrides: Vec::new(),
        docker: None,
        sensors: Sensors::default(),
        duration: Span::from_mins(24 * 60),
        warmup: Span::ZERO,
        step: Span::from_secs(1),
        sample: Span::from_mins(1),
        seeds: vec![Seed::new(1)],
        expect: Vec::new(),
        budget: None,
    }
}
