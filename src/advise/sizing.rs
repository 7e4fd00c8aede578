//! Right-sizing: limits and reservations of an instance by what it used.
//!
//! Two rules are tried, and the cheaper that holds is recommended:
//!
//! - `P95` (CodeRunner's, register M3): CPU is reserved for the 95th percentile of use, and the limit leaves a quarter of it
//!   free, the middle of the 70 to 80 % that the planning document calls the best utilization. Memory likewise, and its
//!   limit never below KRR's largest working set with 15 % on top.
//! - `KRR`, strategy `simple_limit`: CPU is reserved for the 66th percentile and limited to the 96th, memory is reserved and
//!   limited to the largest working set with 15 % on top; where it was killed, to that limit with 25 % on top.
//!
//! Before you change it:
//! 1. Right-sizing only takes; more for those that lack something is `performance`.
//! 2. Nothing is limited below the most that was seen, of CPU (in a sample) and of memory, nor below the CPU that a start
//!    takes, nor below KRR's least sizes, 10 m and 100 MiB. KRR itself would limit CPU below its peaks.
//! 3. Where a policy moves limits, limits are its business, and only the reservation is sized. Where a policy changes the
//!    number of instances by CPU, CPU is left alone, as KRR does: its thresholds are shares of the limit.
//! 4. What frees less than a tenth of an amount is not worth a change.

use super::Advice;
use super::Kind;
use super::Other;
use super::change::Change;
use super::change::Size;
use super::risk::Risk;
use super::trial::Bench;
use super::trial::Trial;
use crate::engine::reference::krr;
use crate::engine::reference::krr::ContainerHistory;
use crate::engine::reference::krr::HpaTargets;
use crate::engine::reference::krr::Settings;
use crate::input::scenario::Opened;
use crate::model::Limits;
use crate::model::Policy;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::report::Figure;
use crate::report::words::counted;
use crate::report::words::listed;
use crate::run::simulate::Breached;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::whole;
use std::collections::BTreeMap;

/// The middle of the best utilization.
const UTILIZATION: f64 = 0.75;

/// How a size is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The 95th percentile, and a quarter of the limit free.
    P95,
    /// KRR's strategy `simple_limit`.
    Krr,
}

impl Rule {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P95 => "P95",
            Self::Krr => "KRR",
        }
    }
}

/// The size of an instance by a rule, from what its runs used, a history each; `None` where nothing is to be taken from it.
/// CPU is rounded up to 10 m (KRR's to one), memory to a MiB.
#[must_use]
pub fn sized(
    rule: Rule,
    model: &ServiceModel,
    policy: Option<&Policy>,
    histories: &[ContainerHistory],
) -> Option<Size> {
    let settings = Settings { use_oomkill_data: true, ..Settings::simple_limit() };
    let scales = policy.is_some_and(|policy| policy.horizontal().is_some());
    let krr = krr::recommend(&settings, histories, HpaTargets { cpu: scales, memory: false });
    let (cpu, memory) = match rule {
        Rule::Krr => (
            (krr.cpu.request.millicores(), krr.cpu.limit.millicores()),
            (krr.memory.request.bytes(), krr.memory.limit.bytes()),
        ),
        Rule::P95 => {
            let pooled = |of: fn(&ContainerHistory) -> &[f64]| {
                let samples: Vec<f64> = histories.iter().flat_map(|history| of(history).iter().copied()).collect();
                krr::percentile(95.0, &samples)
            };
            let cpu = pooled(|history| &history.cpu).filter(|_| krr.cpu.limit.millicores().is_some());
            let ten =
                |cores: f64| Millicores::new(whole((cores * 100.0).ceil()).saturating_mul(10)).max(settings.cpu_min);
            let memory = pooled(|history| &history.memory);
            let mebi = |bytes: f64| Bytes::mebi(whole((bytes / 1_048_576.0).ceil())).max(settings.memory_min);
            let peak = krr.memory.limit.bytes();
            (
                (cpu.map(ten), cpu.map(|cpu| ten(cpu / UTILIZATION))),
                (
                    memory.map(mebi).filter(|_| peak.is_some()),
                    memory.zip(peak).map(|(p95, peak)| mebi(p95 / UTILIZATION).max(peak)),
                ),
            )
        }
    };
    let moves = policy.is_some_and(|policy| policy.vertical().is_some());
    let most = histories.iter().flat_map(|history| history.cpu.iter().copied()).fold(0.0, f64::max);
    let most = Millicores::new(whole((most * 1000.0).ceil()));
    let floor = cpu.1.map(|cpu| cpu.max(model.start_cpu).max(most));
    let mut size = Size {
        limits: Limits {
            cpu: floor.zip(model.limits.cpu).and_then(|(new, old)| worth(new.get(), old.get())).map(Millicores::new),
            memory: memory
                .1
                .zip(model.limits.memory)
                .and_then(|(new, old)| worth(new.get(), old.get()))
                .map(Bytes::new),
        },
        reservations: Limits {
            cpu: cpu
                .0
                .zip(model.reservations.cpu)
                .and_then(|(new, old)| worth(new.get(), old.get()))
                .map(Millicores::new),
            memory: memory
                .0
                .zip(model.reservations.memory)
                .and_then(|(new, old)| worth(new.get(), old.get()))
                .map(Bytes::new),
        },
    };
    if moves {
        size.limits = Limits::default();
    }
    // What is reserved may not be more than a limit that is lowered.
    let within = |kept: Option<u64>, old: Option<u64>, limit: Option<u64>| match limit {
        Some(limit) if kept.or(old).is_some_and(|kept| kept > limit) => Some(limit),
        _ => kept,
    };
    let (kept, old, limit) = (size.reservations, model.reservations, size.limits);
    let cpu = |limits: Limits| limits.cpu.map(Millicores::get);
    let memory = |limits: Limits| limits.memory.map(Bytes::get);
    size.reservations = Limits {
        cpu: within(cpu(kept), cpu(old), cpu(limit)).map(Millicores::new),
        memory: within(memory(kept), memory(old), memory(limit)).map(Bytes::new),
    };
    (size != Size::default()).then_some(size)
}

/// The new amount, where it is less by a tenth at least.
fn worth(new: u64, old: u64) -> Option<u64> {
    (u128::from(new) * 10 <= u128::from(old) * 9).then_some(new)
}

/// Sizes by a rule of all services from which something is to be taken.
pub(super) fn sizes(rule: Rule, trial: &Trial) -> BTreeMap<ServiceName, Size> {
    let mut sizes = BTreeMap::new();
    for (name, model) in &trial.scenario.services {
        let histories: Vec<ContainerHistory> = trial
            .gathered
            .iter()
            .filter_map(|gathering| gathering.services.get(name))
            .map(super::Seen::history)
            .collect();
        if let Some(size) = sized(rule, model, trial.scenario.policies.get(name), &histories) {
            sizes.insert(name.clone(), size);
        }
    }
    sizes
}

/// The cheapest of the rules with all sizes that hold.
pub(super) fn advice(
    opened: &Opened,
    bench: &Bench<'_>,
    base: &Trial,
    notes: &mut Vec<String>,
) -> Result<Option<Advice>, Breached> {
    let mut found: Vec<(Rule, Change, Trial, Vec<Other>)> = Vec::new();
    let mut failed: Vec<Other> = Vec::new();
    for rule in [Rule::P95, Rule::Krr] {
        let sizes: Vec<(ServiceName, Size)> = sizes(rule, base).into_iter().collect();
        if sizes.is_empty() {
            continue;
        }
        let mut grown = Grown { opened, bench, change: Change::default(), trial: None, left_out: Vec::new() };
        grown.grow(&sizes)?;
        let Grown { change, trial, left_out, .. } = grown;
        match trial {
            Some(trial) if trial.bill.kept.get() < base.bill.kept.get() => found.push((rule, change, trial, left_out)),
            _ => failed.extend(left_out),
        }
    }
    // Of two that cost the same, the first stays.
    found.sort_by_key(|(_, _, trial, _)| trial.bill.kept.get());
    if found.is_empty() {
        if base.gathered.iter().all(|one| one.services.values().all(|seen| seen.history().cpu.len() < 100)) {
            notes.push(
                "right-sizing: KRR asks for 100 samples of a service, and there are fewer; run it longer".to_owned(),
            );
        } else if failed.is_empty() {
            notes.push("right-sizing: no service keeps a tenth more than it needs".to_owned());
        } else {
            let broken: Vec<String> = failed.iter().flat_map(|other| other.breaks.iter().cloned()).collect();
            notes
                .push(format!("right-sizing: nothing can be taken without breaking `{}`", unique(broken).join("`, `")));
        }
        return Ok(None);
    }
    let (rule, change, tried, left_out) = found.remove(0);
    let others = found.iter().map(|(rule, change, trial, _)| {
        Other::of(format!("{} for {}", rule.name(), counted(change.sizes.len() as u64, "service")), trial)
    });
    let mut evidence = vec![span(base)];
    evidence.extend(change.sizes.keys().map(|name| of_service(base, name)));
    let moved =
        |name: &&ServiceName| base.scenario.policies.get(*name).is_some_and(|policy| policy.vertical().is_some());
    if change.sizes.keys().any(|name| moved(&name)) {
        evidence.push("limits that a policy moves are left to it; what is kept is the reservation".to_owned());
    }
    let who = listed(change.sizes.keys());
    Ok(Some(Advice {
        kind: Kind::RightSizing,
        title: format!("keep less for {who}, by {}", rule.name()),
        risk: Risk::of(Kind::RightSizing, &change, base, &tried),
        others: others.collect(),
        left_out,
        evidence,
        change,
        tried,
    }))
}

/// Over what it was measured.
pub(super) fn span(base: &Trial) -> String {
    let seeds = counted(base.gathered.len() as u64, "seed");
    format!("an instance over {}, {seeds}, a sample every {}", base.history(), base.scenario.sample)
}

/// What an instance of a service used, in a sentence.
pub(super) fn of_service(base: &Trial, name: &ServiceName) -> String {
    let seen = base.gathered.iter().filter_map(|gathering| gathering.services.get(name));
    let histories: Vec<ContainerHistory> = seen.map(super::Seen::history).collect();
    let cpu: Vec<f64> = histories.iter().flat_map(|history| history.cpu.iter().copied()).collect();
    let memory: Vec<f64> = histories.iter().flat_map(|history| history.memory.iter().copied()).collect();
    let cores = |percent| Millicores::new(whole(krr::percentile(percent, &cpu).unwrap_or(0.0) * 1000.0)).to_string();
    let bytes = |percent| Figure::bytes(whole(krr::percentile(percent, &memory).unwrap_or(0.0))).to_string();
    format!(
        "{name}: CPU P66 {}, P95 {}, most {}; memory P95 {}, most {}",
        cores(66.0),
        cores(95.0),
        cores(100.0),
        bytes(95.0),
        bytes(100.0)
    )
}

/// Each once, in order.
fn unique(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// The largest set of sizes that holds, as far as halving finds it.
struct Grown<'a> {
    opened: &'a Opened,
    bench: &'a Bench<'a>,
    change: Change,
    trial: Option<Trial>,
    left_out: Vec<Other>,
}

impl Grown<'_> {
    /// Takes all of these where that holds, else as many of each half as hold with those taken before.
    fn grow(&mut self, sizes: &[(ServiceName, Size)]) -> Result<(), Breached> {
        let mut change = self.change.clone();
        change.sizes.extend(sizes.iter().cloned());
        let tried = match change.applied(self.opened) {
            Ok(scenario) => Some(self.bench.run(scenario)?),
            Err(_) => None,
        };
        match tried {
            Some(tried) if tried.report.passed() => {
                (self.change, self.trial) = (change, Some(tried));
                Ok(())
            }
            tried if sizes.len() == 1 => {
                let name = format!("with {}, too", sizes[0].0);
                self.left_out.extend(tried.map(|tried| Other::of(name, &tried)));
                Ok(())
            }
            _ => {
                let (first, second) = sizes.split_at(sizes.len() / 2);
                self.grow(first)?;
                self.grow(second)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Horizontal;
    use crate::model::Scaling;
    use crate::model::Vertical;
    use proptest::prelude::*;

    /// 200 samples: 0.1 cores and 200 MiB, and ten of them 0.3 cores and 300 MiB.
    fn history() -> ContainerHistory {
        let busy = |index: u32| index.is_multiple_of(20);
        ContainerHistory {
            cpu: (0..200).map(|index| if busy(index) { 0.3 } else { 0.1 }).collect(),
            memory: (0..200).map(|index| if busy(index) { 300.0 } else { 200.0 } * 1_048_576.0).collect(),
            oom_killed_limit: None,
        }
    }

    fn model(limit: (u64, u64), reserved: (u64, u64)) -> ServiceModel {
        let of = |(cpu, memory)| Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) };
        crate::money::tests::service(1, of(limit), of(reserved))
    }

    fn amounts(limits: Limits) -> (Option<u64>, Option<u64>) {
        (limits.cpu.map(Millicores::get), limits.memory.map(|memory| memory.get() >> 20))
    }

    /// Ten of 200 are five percent: the rank of P95 is 0.95 × 199 = 189.05, a twentieth of the way from the last quiet sample
    /// (index 189) to the first busy one: 0.1 + 0.05 × 0.2 = 0.11 cores, and 205 MiB. Over 0.75 that is 0.1467, so 150 m, and
    /// 273.3 MiB; the most that was used is 0.3, and the largest working set and 15 % are 345 MiB. KRR: P66 is 0.1; the rank
    /// of P96 is 191.04, so it is 0.3.
    #[test]
    fn sizes_follow_what_was_used() {
        let model = model((1000, 1024), (500, 512));
        let p95 = sized(Rule::P95, &model, None, &[history()]).expect("much is to be taken");
        assert_eq!(amounts(p95.limits), (Some(300), Some(345)));
        assert_eq!(amounts(p95.reservations), (Some(110), Some(205)));
        let krr = sized(Rule::Krr, &model, None, &[history()]).expect("much is to be taken");
        assert_eq!(amounts(krr.limits), (Some(300), Some(345)));
        assert_eq!(amounts(krr.reservations), (Some(100), Some(345)));
    }

    /// 0.15 cores all the time leave a quarter of 0.2 free.
    #[test]
    fn a_steady_use_leaves_a_quarter_of_its_limit_free() {
        let steady = ContainerHistory { cpu: vec![0.15; 150], memory: vec![3e8; 150], oom_killed_limit: None };
        let size = sized(Rule::P95, &model((1000, 1024), (500, 512)), None, &[steady]).expect("much is to be taken");
        assert_eq!((size.limits.cpu, size.reservations.cpu), (Some(Millicores::new(200)), Some(Millicores::new(150))));
    }

    #[test]
    fn limits_that_a_policy_moves_and_cpu_that_a_policy_scales_by_are_left_alone() {
        let model = model((1000, 1024), (500, 512));
        let vertical = Policy::Vertical(Vertical::default());
        let size = sized(Rule::P95, &model, Some(&vertical), &[history()]).expect("reservations are to be taken from");
        assert_eq!((amounts(size.limits), amounts(size.reservations)), ((None, None), (Some(110), Some(205))));
        let horizontal = Policy::Horizontal(Horizontal::around(Scaling::Schedule));
        for rule in [Rule::P95, Rule::Krr] {
            let size = sized(rule, &model, Some(&horizontal), &[history()]).expect("memory is to be taken");
            assert_eq!((size.limits.cpu, size.reservations.cpu), (None, None), "{}", rule.name());
            assert_eq!(amounts(size.limits).1, Some(345));
        }
    }

    #[test]
    fn a_start_that_takes_more_cpu_and_what_is_nearly_right_stay() {
        let mut model = model((1000, 380), (500, 512));
        model.start_cpu = Millicores::new(600);
        let size = sized(Rule::P95, &model, None, &[history()]).expect("some is to be taken");
        assert_eq!(size.limits.cpu, Some(Millicores::new(600)));
        // 345 of 380 MiB: less than a tenth is to be had.
        assert_eq!(size.limits.memory, None);
        assert_eq!(amounts(size.reservations).1, Some(205));
        let few = ContainerHistory { cpu: vec![0.1; 50], memory: vec![1e8; 50], oom_killed_limit: None };
        assert_eq!(sized(Rule::P95, &model, None, &[few]), None, "KRR asks for a hundred samples");
    }

    proptest! {
        /// Whatever was used: nothing grows, no memory limit lies below what was held, nothing is reserved above a limit.
        #[test]
        fn right_sizing_only_takes_and_never_what_was_held(
            used in proptest::collection::vec((0.0..4.0_f64, 1e6..4e9_f64), 100..300),
            limit in (50..8000_u64, 64..8192_u64),
            reserved in (10..100_u64, 10..100_u64),
        ) {
            let history = ContainerHistory {
                cpu: used.iter().map(|one| one.0).collect(),
                memory: used.iter().map(|one| one.1).collect(),
                oom_killed_limit: None,
            };
            let most = used.iter().map(|one| one.1).fold(0.0, f64::max);
            let model = model(limit, (limit.0 * reserved.0 / 100, limit.1 * reserved.1 / 100));
            for rule in [Rule::P95, Rule::Krr] {
                let Some(size) = sized(rule, &model, None, std::slice::from_ref(&history)) else { continue };
                prop_assert!(size.limits.cpu <= model.limits.cpu && size.limits.memory <= model.limits.memory);
                prop_assert!(size.reservations.cpu <= model.reservations.cpu);
                prop_assert!(size.reservations.memory <= model.reservations.memory);
                if let Some(memory) = size.limits.memory {
                    prop_assert!(memory.get() as f64 >= most);
                    prop_assert!(size.reservations.memory.or(model.reservations.memory) <= Some(memory));
                }
            }
        }
    }
}
