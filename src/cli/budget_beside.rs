//! What a budget proposes beside its limits, gathered for the reader and for the override file.

use crate::input::catalog::Catalog;
use crate::input::compose::Loaded;
use crate::model::Budget;
use crate::plan::advice;
use crate::plan::health;
use crate::plan::health::Finding;
use crate::plan::health::Kind;
use crate::plan::override_file;
use crate::plan::settings::How;
use crate::plan::tuning;
use crate::plan::tuning::Change;
use crate::plan::tuning::DeviceRate;
use crate::plan::tuning::Tuned;
use crate::report::budget::AdviceRow;
use crate::report::budget::Beside;
use crate::report::budget::HealthRow;
use crate::report::budget::SettingRow;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// A part of the proposals that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(super) enum Part {
    /// Settings of the software that follow the limits, and the limits of the kernel that it needs.
    Settings,
    /// Health checks where something is wrong with them.
    Health,
    /// Weights and rates of disk access.
    Io,
}

/// All that is proposed beside the limits.
pub(super) struct Proposals {
    tuned: Vec<Tuned>,
    findings: Vec<Finding>,
    kernel: Map<String, Value>,
    advice: Vec<advice::Advice>,
}

impl Proposals {
    /// Gathers them.
    pub(super) fn of(budget: &Budget, loaded: &Loaded, catalog: &Catalog, rate: Option<&DeviceRate>) -> Self {
        let mut findings = health::findings(&loaded.stack, catalog);
        findings.retain(|finding| budget.allocation.shares.contains_key(&finding.service));
        Self {
            tuned: tuning::tuned(budget, loaded, catalog),
            findings,
            kernel: tuning::kernel(budget, loaded, rate),
            advice: advice::advice(&budget.stack, loaded, catalog, &budget.host),
        }
    }

    /// For the reader.
    pub(super) fn shown(&self) -> Beside {
        let mut beside = Beside::default();
        for tuned in &self.tuned {
            for Change { setting, before, by_hand } in &tuned.changes {
                let place = match (by_hand, setting.how) {
                    (Some(why), _) => (*why).to_owned(),
                    (None, How::Argument) => "command".to_owned(),
                    (None, How::Environment) => "environment".to_owned(),
                    (None, How::File(file)) => format!("by hand in {file}"),
                };
                beside.settings.push(SettingRow {
                    service: tuned.service.to_string(),
                    name: setting.name.clone(),
                    before: before.clone(),
                    after: setting.value.clone(),
                    place,
                    why: setting.why.clone(),
                });
            }
        }
        for finding in &self.findings {
            beside.health.push(HealthRow {
                service: finding.service.to_string(),
                what: words(finding.kind),
                proposed: check(finding),
            });
        }
        for piece in &self.advice {
            let yaml = piece.written();
            beside.advice.push(AdviceRow { about: piece.about.clone(), text: piece.text.clone(), yaml });
        }
        beside
    }

    /// For the override file: keys by service.
    pub(super) fn written(&self, parts: &[Part]) -> Map<String, Value> {
        let mut services = Map::new();
        let mut put = |service: &str, keys: &Map<String, Value>| {
            if !keys.is_empty() {
                let keys = Map::from_iter([(service.to_owned(), json!(keys))]);
                services = override_file::with(std::mem::take(&mut services), &keys);
            }
        };
        if parts.contains(&Part::Settings) {
            self.tuned.iter().for_each(|tuned| put(tuned.service.as_str(), &tuned.keys));
        }
        if parts.contains(&Part::Health) {
            self.findings.iter().for_each(|finding| put(finding.service.as_str(), &finding.keys()));
        }
        if parts.contains(&Part::Io) {
            services = override_file::with(services, &self.kernel);
        }
        services
    }
}

fn words(kind: Kind) -> String {
    match kind {
        Kind::Missing => "none in the files; its image may have one of its own".to_owned(),
        Kind::Disabled => "it is switched off".to_owned(),
        Kind::TooOften { interval, enough } => format!("every {interval} is too often; {enough} is enough"),
        Kind::TooImpatient { timeout, enough } => format!("it gives up after {timeout}; {enough} may be needed"),
        Kind::Overlapping { timeout, interval } => {
            format!("a check may last {timeout}, and the next one comes after {interval}")
        }
        Kind::GivesUpEarly { after, start_up } => {
            format!("it is given up {after} after its start, and takes {start_up} to start")
        }
        Kind::NoStartPeriod { start_up } => {
            format!("no start period: failures count from the first second, and it takes {start_up} to start")
        }
    }
}

fn check(finding: &Finding) -> String {
    let check = &finding.proposed;
    let mut parts = Vec::new();
    if finding.keeps_test {
        parts.push("the test as it is".to_owned());
    } else if check.test.is_empty() {
        parts.push("a test of your application".to_owned());
    } else {
        parts.push(check.test.join(" "));
    }
    parts.extend(check.interval.map(|span| format!("interval {span}")));
    parts.extend(check.timeout.map(|span| format!("timeout {span}")));
    parts.extend(check.retries.map(|count| format!("{count} retries")));
    parts.extend(check.start_period.map(|span| format!("start period {span}")));
    parts.join(", ")
}
