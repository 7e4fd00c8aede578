//! The moving window of Google's Autopilot on containers. Before you change it: the paper says nothing of small changes, so a
//! limit that is less than 5 % off stays; that is ours, as in the rest of the engine.

use super::Advice;
use super::Taken;
use super::too_early;
use crate::engine::reference::autopilot::CpuClass;
use crate::engine::reference::autopilot::OomTolerance;
use crate::engine::reference::autopilot::TaskUsage;
use crate::engine::reference::autopilot::Vertical;
use crate::engine::wish::Limit;
use crate::model::Guard;
use crate::model::HostSeen;
use crate::model::ServiceSeen;
use crate::model::Workload;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;

/// The recommender of one service.
#[derive(Debug, Clone)]
pub(in crate::engine::vertical) struct Driver {
    workload: Workload,
    recommender: Vertical,
    limits: Option<(Millicores, Bytes)>,
    taken: Taken,
}

impl Driver {
    pub(super) fn new(workload: Workload) -> Self {
        let class = match workload {
            Workload::Serving => CpuClass::Serving,
            Workload::LatencyTolerant => CpuClass::LatencyTolerant,
            Workload::Batch => CpuClass::Batch,
        };
        let recommender = Vertical::new(class, OomTolerance::default());
        Self { workload, recommender, limits: None, taken: Taken::default() }
    }

    pub(super) fn look(&mut self, now: Instant, service: &ServiceSeen, host: &HostSeen) {
        let tasks = self.taken.new_ones((now, Span::ZERO), service, host).into_iter().map(|(instance, usage)| {
            TaskUsage { task: u64::from(instance.number), cpu: usage.cpu, memory: usage.memory.max(usage.memory_max) }
        });
        let tasks: Vec<TaskUsage> = tasks.collect();
        self.limits = self.recommender.observe(now, &tasks).or(self.limits);
    }

    pub(super) fn advise(&self) -> Result<Vec<Advice>, Guard> {
        let (cpu, memory) = self.limits.ok_or_else(|| too_early("its first window of five minutes is not over"))?;
        let statistic = match self.workload {
            Workload::Serving => "the 95th percentile of its load",
            Workload::LatencyTolerant => "the 90th percentile of its load",
            Workload::Batch => "the mean of its load",
        };
        let advice = |resource, wanted, of| {
            let note = format!("{of}, 10 to 15% more, the most of the last hour");
            Advice { resource, wanted, note, waits: None }
        };
        Ok(vec![advice(Limit::Cpu, cpu.get(), statistic), advice(Limit::Memory, memory.get(), "the peak of two days")])
    }
}
