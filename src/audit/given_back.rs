//! CPU that was taken and is given back, stated a second time. Before you change it: what is due is not asked here, only
//! that nobody gets back what was not taken, or did not die since, and that nothing is taken again within a day.

use super::Audit;
use super::Case;
use super::DAY;
use super::Deaths;
use super::Entry;
use super::FIVE_MINUTES;
use super::Rule;
use super::limits::Change;
use super::limits::Limit;
use crate::model::Vertical;
use crate::units::Instant;

/// Kills of a service within five minutes that are no accident.
const KILLS_AGAIN: u64 = 2;

/// A death of an instance, at the look that first saw it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    pub(super) at: Instant,
    /// How many the kernel killed for their memory; none where it died otherwise.
    pub(super) oom_kills: u64,
}

impl Deaths {
    /// OOM kills in the five minutes up to then.
    pub(super) fn kills(&self, until: Instant) -> u64 {
        let recent = self.all.iter().filter(|death| death.at <= until && death.at.plus(FIVE_MINUTES) > until);
        recent.map(|death| death.oom_kills).sum()
    }

    /// Whether it was killed again and again at some time after this one.
    fn is_killed_again_after(&self, from: Instant) -> bool {
        let later = self.all.iter().filter(|death| death.at > from && death.oom_kills > 0);
        later.map(|death| self.kills(death.at)).any(|kills| kills >= KILLS_AGAIN)
    }
}

impl Audit {
    pub(super) fn check_given_back(&self, case: &mut Case<'_>, policy: &Vertical, change: &Change<'_>) {
        let (name, now) = (change.service, case.now);
        if !change.is_increase()
            && let Some((ill, deaths)) = self.deaths.iter().find(|(_, deaths)| deaths.kills(now) >= KILLS_AGAIN)
        {
            let text = format!("it is given less, and {ill} was OOM killed {} times in 5m", deaths.kills(now));
            case.report(Rule::GivenBack, name, text);
        }
        if change.limit != Limit::Cpu {
            return;
        }
        let of_it = |entry: &&Entry| entry.service == *name && entry.limit == Limit::Cpu && entry.at < now;
        if !change.is_increase()
            && let Some(entry) = self.book.iter().filter(of_it).rfind(|entry| entry.gives_back)
            && entry.at.plus(DAY) > now
        {
            let text = format!("it is given less CPU {} after it got some back", now.since(entry.at));
            case.report(Rule::GivenBack, name, text);
        }
        if !change.gives_back() {
            return;
        }
        let lowered: Vec<&Entry> = self.book.iter().filter(of_it).filter(|entry| entry.to < entry.from).collect();
        let (Some(last), Some(most)) = (lowered.last(), lowered.iter().map(|entry| entry.from).max()) else {
            return case.report(Rule::GivenBack, name, "it gets CPU back and none was taken in 24h".to_owned());
        };
        let deaths = self.deaths.get(name).map(|deaths| deaths.all.as_slice()).unwrap_or_default();
        let of_want =
            |death: &Death| death.at > last.at && (death.oom_kills > 0 || death.at <= last.at.plus(policy.cooldown));
        let others = self.deaths.values().any(|deaths| deaths.is_killed_again_after(last.at));
        if !deaths.iter().any(of_want) && !others {
            let text = format!("it gets CPU back and nobody died in the {} since it was taken", now.since(last.at));
            case.report(Rule::GivenBack, name, text);
        }
        let to = change.to;
        if to > most {
            case.report(Rule::GivenBack, name, format!("it gets {to} CPUs back and had {most} before"));
        }
    }
}
