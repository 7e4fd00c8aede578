//! KRR's strategy with limits (`simple_limit`) on containers. Before you change it:
//! 1. KRR asks a Prometheus for two weeks; here it is given the day that the engine remembers, in points of five minutes:
//!    at each the instance that used most. So it recommends rather more than less.
//! 2. What it makes of memory is what `simple` makes of it.

use super::Advice;
use super::too_early;
use crate::engine::history;
use crate::engine::history::History;
use crate::engine::reference::krr;
use crate::engine::reference::krr::ContainerHistory;
use crate::engine::reference::krr::CpuRule;
use crate::engine::reference::krr::HpaTargets;
use crate::engine::reference::krr::Info;
use crate::engine::reference::krr::Settings;
use crate::engine::wish::Limit;
use crate::model::Guard;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;

/// The strategy for one service.
#[derive(Debug, Clone)]
pub(in crate::engine::vertical) struct Driver {
    settings: Settings,
    percentile: Permille,
    margin: Permille,
}

impl Driver {
    pub(super) fn new(percentile: Permille, margin: Permille, points: u32) -> Self {
        let percent = |share: Permille| share.as_fraction() * 100.0;
        let cpu = match Settings::simple_limit().cpu {
            CpuRule::RequestAndLimit { request, .. } => {
                CpuRule::RequestAndLimit { request, limit: percent(percentile) }
            }
            rule @ CpuRule::Percentile { .. } => rule,
        };
        let settings = Settings {
            cpu,
            memory_buffer_percentage: percent(margin),
            points_required: u64::from(points),
            step: history::EACH,
            history: history::EACH.times(history::POINTS as u64),
            ..Settings::simple_limit()
        };
        Self { settings, percentile, margin }
    }

    pub(super) fn advise(&self, history: &History) -> Result<Vec<Advice>, Guard> {
        let mut seen = ContainerHistory::default();
        for point in history.points() {
            seen.cpu.push(point.cpu_most.as_cores());
            seen.memory.push(point.memory_most.get() as f64);
        }
        let points = seen.cpu.len();
        let found = krr::recommend(&self.settings, &[seen], HpaTargets::default());
        if matches!(found.cpu.info, Some(Info::NoData | Info::NotEnoughData)) {
            let needed = self.settings.points_required;
            return Err(too_early(&format!("{points} of {needed} points of history")));
        }
        let over = format!("over {points} points of five minutes");
        let cpu = found.cpu.limit.millicores().map(Millicores::get);
        let memory = found.memory.limit.bytes().map(Bytes::get);
        let advice =
            |resource, wanted: Option<u64>, note| wanted.map(|wanted| Advice { resource, wanted, note, waits: None });
        let both = [
            advice(Limit::Cpu, cpu, format!("percentile {} of CPU {over}", self.percentile)),
            advice(Limit::Memory, memory, format!("the peak and {} {over}", self.margin)),
        ];
        Ok(both.into_iter().flatten().collect())
    }
}
