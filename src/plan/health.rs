//! Health checks (register A7): what is missing, what asks too often, what gives up before a service is up; and what to
//! write instead, from the matrix of the catalog.

use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::model::HealthCheck;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::units::Span;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// What is wrong with the health check of a service, and the check to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The service.
    pub service: ServiceName,
    /// What is wrong.
    pub kind: Kind,
    /// The file has a test, which stays as it is. It is not repeated anywhere: it may hold a password.
    pub keeps_test: bool,
    /// What to write, for all findings of the service; what is not wrong is left out. Its test is empty where that of the
    /// file stays, or depends on the application.
    pub proposed: HealthCheck,
}

impl Finding {
    /// What Compose is told: keys of the service. Empty where nobody knows a test, without which there is no check.
    #[must_use]
    pub fn keys(&self) -> Map<String, Value> {
        let check = &self.proposed;
        let mut keys = Map::new();
        if !self.keeps_test && check.test.is_empty() {
            return keys;
        }
        let mut written = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                written.insert(key.to_owned(), value);
            }
        };
        put("disable", (self.kind == Kind::Disabled).then_some(json!(false)));
        // Compose would take a single dollar sign for a variable.
        let test = || check.test.iter().map(|word| word.replace('$', "$$")).collect();
        put("test", (!self.keeps_test).then(test));
        put("interval", check.interval.map(|span| json!(span.to_string())));
        put("timeout", check.timeout.map(|span| json!(span.to_string())));
        put("retries", check.retries.map(|count| json!(count)));
        put("start_period", check.start_period.map(|span| json!(span.to_string())));
        keys.insert("healthcheck".to_owned(), Value::Object(written));
        keys
    }
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
        let known = catalog.certain(name, service);
        let Some(advice) = known.and_then(|entry| entry.health.as_ref()) else { continue };
        let Some(entry) = known else { continue };
        let mut found = kinds(service, entry, advice);
        found.sort();
        let keeps_test = service.health.as_ref().is_some_and(|check| !check.test.is_empty());
        let test = if keeps_test { Vec::new() } else { advice.test.clone() };
        let check = service.health.clone().unwrap_or_default();
        let proposed = HealthCheck { test, ..proposed(&found, &check, advice) };
        let finding = |kind| Finding { service: name.clone(), kind, keeps_test, proposed: proposed.clone() };
        all.extend(found.into_iter().map(finding));
    }
    all
}

/// What cures the findings, and nothing else: whoever waits for ten minutes until a service is up has a reason to.
fn proposed(found: &[Kind], check: &HealthCheck, advice: &HealthCheck) -> HealthCheck {
    let mut proposed = HealthCheck::default();
    for kind in found {
        match *kind {
            Kind::Missing | Kind::Disabled => return advice.clone(),
            Kind::TooOften { enough, .. } => proposed.interval = Some(enough),
            Kind::TooImpatient { enough, .. } => proposed.timeout = Some(enough),
            // Where checks come less often from now on, they may no longer overlap.
            Kind::Overlapping { timeout, .. } => {
                let interval = proposed.interval.or(check.interval).unwrap_or(HealthCheck::INTERVAL);
                proposed.timeout = proposed.timeout.or((timeout > interval).then_some(interval));
            }
            Kind::GivesUpEarly { start_up, .. } | Kind::NoStartPeriod { start_up } => {
                proposed.start_period = Some(advice.start_period.unwrap_or_default().max(start_up));
            }
        }
    }
    proposed
}

fn kinds(service: &Service, entry: &Entry, advice: &HealthCheck) -> Vec<Kind> {
    let Some(check) = &service.health else { return vec![Kind::Missing] };
    if check.disabled {
        return vec![Kind::Disabled];
    }
    let interval = check.interval.unwrap_or(HealthCheck::INTERVAL);
    let timeout = check.timeout.unwrap_or(HealthCheck::TIMEOUT);
    let retries = check.retries.unwrap_or(HealthCheck::RETRIES);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::catalog::shipped;
    use proptest::prelude::*;

    fn span() -> impl Strategy<Value = Option<Span>> {
        proptest::option::of((1_u64..700).prop_map(Span::from_secs))
    }

    fn check() -> impl Strategy<Value = HealthCheck> {
        (span(), span(), proptest::option::of(1_u32..200), span(), any::<bool>(), any::<bool>()).prop_map(
            |(interval, timeout, retries, start_period, disabled, has_test)| HealthCheck {
                disabled,
                test: if has_test { vec!["CMD".to_owned(), "ask".to_owned()] } else { Vec::new() },
                interval,
                timeout,
                retries,
                start_period,
                start_interval: None,
            },
        )
    }

    /// The check that Compose makes of the one in the file with what is written laid over it.
    fn over(base: Option<&HealthCheck>, proposed: &HealthCheck) -> HealthCheck {
        let base = base.cloned().unwrap_or_default();
        HealthCheck {
            disabled: false,
            test: if proposed.test.is_empty() { base.test } else { proposed.test.clone() },
            interval: proposed.interval.or(base.interval),
            timeout: proposed.timeout.or(base.timeout),
            retries: proposed.retries.or(base.retries),
            start_period: proposed.start_period.or(base.start_period),
            start_interval: base.start_interval,
        }
    }

    proptest! {
        /// Whatever is wrong with a check, once what is proposed is written, nothing is.
        #[test]
        fn what_is_written_leaves_nothing_to_find(
            entry in proptest::sample::select(shipped().entries().map(|entry| entry.name.clone()).collect::<Vec<_>>()),
            check in proptest::option::of(check()),
        ) {
            let stack = |check: Option<HealthCheck>| {
                let service = Service { health: check, ..Service::default() };
                Stack { services: [(ServiceName::new(&entry), service)].into(), ..Stack::default() }
            };
            let found = findings(&stack(check.clone()), shipped());
            if let Some(first) = found.first() {
                let cured = over(check.as_ref(), &first.proposed);
                prop_assert_eq!(findings(&stack(Some(cured.clone())), shipped()), [], "{:?} became {:?}", found, cured);
            }
        }
    }
}
