//! Health checks (register A7): what is missing, what asks too often, what gives up before a service is up; and what to
//! write instead, from the matrix of the catalog.

use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::model::HealthCheck;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::units::Span;

/// What Docker takes where nothing is said.
const INTERVAL: Span = Span::from_secs(30);
/// What Docker takes where nothing is said.
const TIMEOUT: Span = Span::from_secs(30);
/// What Docker takes where nothing is said.
const RETRIES: u32 = 3;

/// What is wrong with the health check of a service, and the check to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The service.
    pub service: ServiceName,
    /// What is wrong.
    pub kind: Kind,
    /// The file has a test, which stays as it is. It is not repeated anywhere: it may hold a password.
    pub keeps_test: bool,
    /// The check as it should be; its test is empty where that of the file stays, or depends on the application.
    pub proposed: HealthCheck,
}

/// What can be wrong with a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// There is none, so nobody notices when it hangs.
    Missing,
    /// It is switched off.
    Disabled,
    /// It asks more often than such a service needs.
    TooOften {
        /// Time between two checks.
        interval: Span,
        /// What such a service needs.
        enough: Span,
    },
    /// It gives up sooner than such a service may take to answer.
    TooImpatient {
        /// Time after which a check has failed.
        timeout: Span,
        /// What such a service may take.
        enough: Span,
    },
    /// A check may last longer than the time to the next one.
    Overlapping {
        /// Time after which a check has failed.
        timeout: Span,
        /// Time between two checks.
        interval: Span,
    },
    /// It fails for good before the service is up.
    GivesUpEarly {
        /// Time until the failures add up.
        after: Span,
        /// Time that the service takes to start.
        start_up: Span,
    },
    /// Failures count from the first second, though the service takes its time to start.
    NoStartPeriod {
        /// Time that the service takes to start.
        start_up: Span,
    },
}

/// All findings, by service and then by what is wrong.
#[must_use]
pub fn findings(stack: &Stack, catalog: &Catalog) -> Vec<Finding> {
    let mut all = Vec::new();
    for (name, service) in &stack.services {
        let known = catalog.of(name, service);
        let Some(advice) = known.and_then(|entry| entry.health.as_ref()) else { continue };
        let Some(entry) = known else { continue };
        let mut found = kinds(service, entry, advice);
        found.sort();
        let keeps_test = service.health.as_ref().is_some_and(|check| !check.test.is_empty());
        let test = if keeps_test { Vec::new() } else { advice.test.clone() };
        let proposed = HealthCheck { test, ..advice.clone() };
        let finding = |kind| Finding { service: name.clone(), kind, keeps_test, proposed: proposed.clone() };
        all.extend(found.into_iter().map(finding));
    }
    all
}

fn kinds(service: &Service, entry: &Entry, advice: &HealthCheck) -> Vec<Kind> {
    let Some(check) = &service.health else { return vec![Kind::Missing] };
    if check.disabled {
        return vec![Kind::Disabled];
    }
    let interval = check.interval.unwrap_or(INTERVAL);
    let timeout = check.timeout.unwrap_or(TIMEOUT);
    let retries = check.retries.unwrap_or(RETRIES);
    let start_period = check.start_period.unwrap_or(Span::ZERO);
    let (enough, patience) = (advice.interval.unwrap_or(interval), advice.timeout.unwrap_or(timeout));
    let mut kinds = Vec::new();
    if interval < enough {
        kinds.push(Kind::TooOften { interval, enough });
    }
    // Half of what is advised is a matter of taste.
    if timeout.nanos() < patience.nanos() / 2 {
        kinds.push(Kind::TooImpatient { timeout, enough: patience });
    }
    if timeout > interval {
        kinds.push(Kind::Overlapping { timeout, interval });
    }
    let after = Span::from_nanos(start_period.nanos().saturating_add(interval.nanos().saturating_mul(retries.into())));
    if after < entry.start_up {
        kinds.push(Kind::GivesUpEarly { after, start_up: entry.start_up });
    } else if start_period == Span::ZERO && advice.start_period.is_some_and(|period| period > Span::ZERO) {
        kinds.push(Kind::NoStartPeriod { start_up: entry.start_up });
    }
    kinds
}
