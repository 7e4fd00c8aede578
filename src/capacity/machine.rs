//! A scenario on a machine with the runs that were made of it. Before you change it:
//! 1. A run is told by machine, multiple and seed alone, so each is made once, whoever asks for it and for what.
//! 2. What a run does not see, [`bare`] takes away: machines that are the same without it are one machine.

use super::split::Combined;
use super::trial::Trial;
use crate::model::Hardware;
use crate::model::Host;
use crate::model::Scenario;
use crate::model::ServiceModel;
use crate::run::simulate::Breached;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Permille;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// A scenario on a machine, or on several that stand for one.
pub(super) struct Machine<'a> {
    scenario: Arc<Scenario>,
    combined: Option<Combined>,
    ran: Mutex<BTreeMap<(Permille, Seed), Arc<Trial>>>,
    progress: &'a (dyn Fn() + Sync),
}

impl<'a> Machine<'a> {
    /// A machine, of which nothing was run yet; `progress` hears of every run, from any thread.
    pub(super) fn new(scenario: Scenario, progress: &'a (dyn Fn() + Sync)) -> Self {
        Self { scenario: Arc::new(scenario), combined: None, ran: Mutex::default(), progress }
    }

    /// Several machines together.
    pub(super) fn several(combined: Combined, progress: &'a (dyn Fn() + Sync)) -> Self {
        let scenario = combined.scenario.clone();
        Self { combined: Some(combined), ..Self::new(scenario, progress) }
    }

    /// Another machine: this one with something changed.
    pub(super) fn changed(&self, change: impl FnOnce(&Scenario) -> Scenario) -> Self {
        Self { combined: self.combined.clone(), ..Self::new(change(&self.scenario), self.progress) }
    }

    pub(super) const fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// What comes of a multiple of the load with a seed, which is run where it was not.
    ///
    /// # Errors
    /// Where the engine breaks its own rules.
    pub(super) fn trial(&self, multiple: Permille, seed: Seed) -> Result<Arc<Trial>, Box<Breached>> {
        if let Some(known) = self.known(multiple, seed) {
            return Ok(known);
        }
        let trial = Arc::new(Trial::run(&self.scenario, self.combined.as_ref(), multiple, seed)?);
        (self.progress)();
        self.ran().insert((multiple, seed), Arc::clone(&trial));
        Ok(trial)
    }

    /// What came of a run; `None` where it was not made.
    pub(super) fn known(&self, multiple: Permille, seed: Seed) -> Option<Arc<Trial>> {
        self.ran().get(&(multiple, seed)).cloned()
    }

    /// What came of the runs at a multiple, in the order of their seeds.
    pub(super) fn all_known(&self, multiple: Permille) -> Vec<Arc<Trial>> {
        self.ran().iter().filter(|((at, _), _)| *at == multiple).map(|(_, trial)| Arc::clone(trial)).collect()
    }

    /// The multiples that were run, and whether all held there with every seed that was run.
    pub(super) fn held(&self) -> BTreeMap<Permille, bool> {
        let mut held = BTreeMap::new();
        for ((multiple, _), trial) in &*self.ran() {
            *held.entry(*multiple).or_insert(true) &= trial.holds();
        }
        held
    }

    /// How many runs were made.
    pub(super) fn runs(&self) -> u64 {
        self.ran().len() as u64
    }

    fn ran(&self) -> MutexGuard<'_, BTreeMap<(Permille, Seed), Arc<Trial>>> {
        // Only whole results are put in, so what a panic left behind is sound.
        self.ran.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host without what a run of a scenario does not see: names, prices, the size of the disk, what only people read of the hardware,
/// and the line to the outside where nothing is sent over it.
pub(super) fn bare(scenario: &Scenario, host: &Host) -> Host {
    let sends = |model: &ServiceModel| model.work.request.max(model.work.answer) > Bytes::ZERO;
    let mut bare = host.clone();
    bare.name.clear();
    bare.title.clear();
    bare.disk = Bytes::ZERO;
    bare.price = None;
    bare.reserve_stated = false;
    let line = host.hardware.network_mbit.filter(|_| scenario.services.values().any(sends));
    bare.hardware = Hardware { network_mbit: line, ..Hardware::default() };
    bare
}
