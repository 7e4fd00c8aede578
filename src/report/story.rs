//! What was done, what was held back and what happened, in bounded space.

use super::words;
use crate::model::Action;
use crate::model::Guard;
use crate::model::Incident;
use crate::model::InstanceState;
use crate::model::Progress;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::record::Event;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// At most so many actions and incidents are kept one by one; all are counted.
const KEPT: usize = 10_000;

/// What was done, held back and what happened in one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Story {
    /// Actions in order of time, the first ten thousand.
    pub actions: Vec<(Instant, Action)>,
    /// How many there were.
    pub action_count: u64,
    /// What was held back, by guard and service.
    pub held: BTreeMap<(&'static str, ServiceName), HeldCount>,
    /// Incidents in order of time, the first ten thousand; plain changes of state are left out.
    pub incidents: Vec<(Instant, Incident)>,
    /// How many there were.
    pub incident_count: u64,
}

/// How often a guard held something back for one service.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldCount {
    /// How often.
    pub count: u64,
    /// When first.
    pub first: Instant,
    /// When last.
    pub last: Instant,
    /// What it said last.
    pub guard: Guard,
    /// What the guard is for.
    pub meaning: &'static str,
}

impl Story {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Decided { at, decision } => {
                for action in &decision.actions {
                    self.action_count += 1;
                    if self.actions.len() < KEPT {
                        self.actions.push((*at, action.clone()));
                    }
                }
                for held in &decision.held {
                    let count =
                        self.held.entry((held.guard.name(), held.service.clone())).or_insert_with(|| HeldCount {
                            count: 0,
                            first: *at,
                            last: *at,
                            guard: held.guard.clone(),
                            meaning: words::guard_meaning(&held.guard),
                        });
                    count.count += 1;
                    count.last = *at;
                    count.guard.clone_from(&held.guard);
                }
            }
            Event::Happened { at, incident } if is_told(incident) => {
                self.incident_count += 1;
                if self.incidents.len() < KEPT {
                    self.incidents.push((*at, incident.clone()));
                }
            }
            Event::Happened { .. } | Event::Began(_) | Event::Seen { .. } | Event::Sampled(_) | Event::Ended { .. } => {
            }
        }
    }

    /// What was done and what happened between two times, in words, the last so many. The same incident of a service again and
    /// again is told once: `28s..3m21s 8 times api-1 OOM killed …`.
    #[must_use]
    pub fn around(&self, from: Instant, to: Instant, most: usize, scenario: &Scenario) -> Vec<String> {
        let inside = |at: Instant| at >= from && at <= to;
        let mut told: Vec<Told<'_>> = Vec::new();
        for (at, incident) in self.incidents.iter().filter(|(at, _)| inside(*at)) {
            match told.iter_mut().find(|told| is_again(told.what, incident)) {
                Some(told) => (told.what, told.last, told.times) = (incident, *at, told.times + 1),
                None => told.push(Told { what: incident, first: *at, last: *at, times: 1 }),
            }
        }
        let incident = |told: &Told<'_>| {
            let text = words::incident(told.what, scenario);
            match told.times {
                1 => (told.last, format!("{} {text}", told.last)),
                times => (told.last, format!("{}..{} {times} times {text}", told.first, told.last)),
            }
        };
        let actions = self.actions.iter().filter(|(at, _)| inside(*at));
        let mut all: Vec<(Instant, String)> = actions
            .map(|(at, action)| (*at, format!("{at} {}", words::action(action))))
            .chain(told.iter().map(incident))
            .collect();
        all.sort_by_key(|(at, _)| *at);
        all.split_off(all.len().saturating_sub(most)).into_iter().map(|(_, text)| text).collect()
    }

    /// The stretches in which a fault of the scenario was on: place in the list, begin, end.
    #[must_use]
    pub fn faults(&self, scenario: &Arc<Scenario>) -> Vec<(usize, Instant, Instant)> {
        let began = self.incidents.iter().filter_map(|(at, incident)| match incident {
            Incident::FaultBegan(place) => Some((*place, *at)),
            _ => None,
        });
        began
            .map(|(place, at)| {
                let ends =
                    |(end, incident): &&(Instant, Incident)| *end >= at && *incident == Incident::FaultEnded(place);
                let end = self.incidents.iter().find(ends).map(|(end, _)| *end);
                let lasts = scenario.faults.get(place).map_or(Span::ZERO, |fault| fault.lasts);
                (place, at, end.unwrap_or_else(|| at.plus(lasts)))
            })
            .collect()
    }

    /// The deployments of the run: the service, when it began, and when it was over; `None` for one that was not.
    #[must_use]
    pub fn deployments(&self) -> Vec<(ServiceName, Instant, Option<Instant>)> {
        let told = self.incidents.iter().filter_map(|(at, incident)| match incident {
            Incident::Deployment { service, progress } => Some((*at, service, progress)),
            _ => None,
        });
        let began = told.clone().filter(|(.., progress)| **progress == Progress::Began);
        began
            .map(|(from, service, _)| {
                let over =
                    |progress: &Progress| matches!(progress, Progress::Done | Progress::RolledBack | Progress::Paused);
                let mut ends = told.clone().filter(|(at, of, how)| *at >= from && *of == service && over(how));
                (service.clone(), from, ends.next().map(|(at, ..)| at))
            })
            .collect()
    }
}

/// An incident, and how often it happened again.
struct Told<'a> {
    what: &'a Incident,
    first: Instant,
    last: Instant,
    times: u64,
}

/// Whether an incident is that of before once more, whatever its figures.
fn is_again(before: &Incident, now: &Incident) -> bool {
    let service = |incident: &Incident| match incident {
        Incident::OomKilled { service, .. }
        | Incident::HostOomKilled { service, .. }
        | Incident::Crashed { service, .. } => Some(service.clone()),
        Incident::Changed { service, .. } | Incident::StopTimedOut { service, .. } | Incident::Hung { service, .. } => {
            Some(service.clone())
        }
        Incident::Deployment { .. } => None,
        Incident::Refused { .. } | Incident::FaultBegan(_) | Incident::FaultEnded(_) => None,
    };
    std::mem::discriminant(before) == std::mem::discriminant(now)
        && service(before).is_some_and(|name| service(now).is_some_and(|other| other == name))
}

/// Whether an incident is told on its own: going through the states of a start is not, except to be unhealthy.
fn is_told(incident: &Incident) -> bool {
    match incident {
        Incident::Changed { to, .. } => *to == InstanceState::Unhealthy,
        Incident::OomKilled { .. }
        | Incident::HostOomKilled { .. }
        | Incident::Crashed { .. }
        | Incident::StopTimedOut { .. }
        | Incident::Hung { .. }
        | Incident::Deployment { .. }
        | Incident::Refused { .. }
        | Incident::FaultBegan(_)
        | Incident::FaultEnded(_) => true,
    }
}
