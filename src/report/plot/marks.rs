//! What is marked on the time axis: actions, incidents, faults, saturation.

use crate::model::Incident;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::report::collect::Run;
use crate::report::words;

/// An action or an incident at a point in time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// In seconds.
    pub(super) at: f64,
    pub(super) sign: Sign,
}

/// What a mark looks like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sign {
    /// The engine gives more of this.
    Up(Resource),
    /// The engine gives less of this.
    Down(Resource),
    /// The host refused.
    Refused(Resource),
    /// Killed for memory.
    Oom,
    /// Died.
    Crash,
}

/// A stretch with a name, for all panels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// In seconds.
    pub(super) from: f64,
    /// In seconds; the same as `from` for a moment.
    pub(super) to: f64,
    pub(super) name: String,
}

/// The marks of a service, or of all.
pub(super) fn marks(run: &Run, service: Option<&ServiceName>) -> Vec<Mark> {
    let about = |name: &ServiceName| service.is_none_or(|one| one == name);
    let actions = run.story.actions.iter().filter(|(_, action)| about(action.service())).map(|(at, action)| {
        let sign = if action.is_increase() { Sign::Up } else { Sign::Down };
        Mark { at: at.since_start().as_secs(), sign: sign(action.resource()) }
    });
    let incidents = run.story.incidents.iter().filter_map(|(at, incident)| {
        let (name, sign) = match incident {
            Incident::OomKilled { service, .. } | Incident::HostOomKilled { service, .. } => (service, Sign::Oom),
            Incident::Crashed { service, .. } => (service, Sign::Crash),
            Incident::Refused { action, .. } => (action.service(), Sign::Refused(action.resource())),
            Incident::StopTimedOut { service, .. } | Incident::Hung { service, .. } => (service, Sign::Crash),
            Incident::Changed { .. }
            | Incident::Deployment { .. }
            | Incident::FaultBegan(_)
            | Incident::FaultEnded(_) => return None,
        };
        about(name).then(|| Mark { at: at.since_start().as_secs(), sign })
    });
    actions.chain(incidents).collect()
}

/// The deployments of the run, each from its begin until it is over or stays as it is.
fn deployments(run: &Run) -> impl Iterator<Item = Stretch> {
    let end = run.end.since_start().as_secs();
    run.story.deployments().into_iter().map(move |(service, from, to)| Stretch {
        from: from.since_start().as_secs(),
        to: to.map_or(end, |to| to.since_start().as_secs()),
        name: format!("deployment of {service}"),
    })
}

/// The faults of the scenario and the deployments that fall into the run.
pub(super) fn faults(run: &Run) -> Vec<Stretch> {
    let end = run.end.since_start().as_secs();
    run.story
        .faults(&run.scenario)
        .into_iter()
        .map(|(place, from, to)| Stretch {
            from: from.since_start().as_secs(),
            to: to.since_start().as_secs().min(end),
            name: words::fault_of(&run.scenario, place),
        })
        .chain(deployments(run))
        .filter(|stretch| stretch.from <= end)
        .collect()
}
