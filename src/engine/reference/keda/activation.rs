//! Whether anything is to be done at all: which triggers are active, and which of them fail.
//! SOURCE: kedacore/keda, pkg/scaling/scale_handler.go (`getScalerState`, `getScaledObjectState`), the scalers of
//! pkg/scalers (a value is active above its threshold), pkg/scaling/executor/scale_executor.go (`getTriggersActivity`),
//! all at 8b4f083c. Before you change it:
//! 1. A trigger is active strictly above its activation threshold.
//! 2. Fallback counts as activity: who is scaled by a guess is not scaled to zero.
//! 3. CPU and memory never make anything active or inactive. Where there is nothing else, the target is always active,
//!    unless somebody fails.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What one trigger says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// CPU or memory of the containers themselves: nothing that could start the first one.
    Resource,
    /// A metric from somewhere else.
    External {
        /// Its name.
        metric: String,
        /// What it came to.
        reading: Reading,
    },
}

/// What a look at an external metric came to, after fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Above its activation threshold.
    Active,
    /// At or below it.
    Inactive,
    /// It could not be read, and a fallback stands in for it.
    FallenBack,
    /// It could not be read.
    Failed,
}

/// What all triggers come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// There is something to do.
    pub active: bool,
    /// A trigger could not be read.
    pub error: bool,
    /// A fallback stands in for some trigger.
    pub fallback: bool,
    /// The metrics of the active triggers, in the order of the triggers.
    pub active_metrics: Vec<String>,
}

/// Whether a value makes its trigger active. The threshold is 0 where nothing is said; no number is not active.
#[must_use]
pub fn is_active(value: f64, activation_threshold: f64) -> bool {
    value > activation_threshold
}

/// What these triggers come to. Without any, the target is active.
#[must_use]
pub fn activity(triggers: &[Trigger]) -> Activity {
    let mut activity = Activity::default();
    for trigger in triggers {
        let Trigger::External { metric, reading } = trigger else { continue };
        if matches!(reading, Reading::Active | Reading::FallenBack) {
            activity.active = true;
            activity.active_metrics.push(metric.clone());
        }
        activity.fallback |= *reading == Reading::FallenBack;
        activity.error |= *reading == Reading::Failed;
    }
    activity.active |= !activity.error && triggers.iter().all(|trigger| *trigger == Trigger::Resource);
    activity
}

/// Which of all metrics are active, to be shown. A metric that is no longer known is forgotten.
///
/// Where only one trigger reported (`pushed`), the others stay as they were, and so does what is no longer known.
#[must_use]
pub fn triggers_activity(
    known: &[&str],
    active: &[&str],
    pushed: Option<&str>,
    before: &BTreeMap<String, bool>,
) -> BTreeMap<String, bool> {
    let active: BTreeSet<&str> = active.iter().copied().collect();
    let mut activity = if pushed.is_some() { before.clone() } else { BTreeMap::new() };
    let reported = pushed.as_ref().map_or(known, std::slice::from_ref);
    activity.extend(reported.iter().map(|metric| ((*metric).to_owned(), active.contains(metric))));
    activity
}
