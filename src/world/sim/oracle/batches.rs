//! A long run of the oracle in batches: what it found, how sure it is, and the luck of its arrivals taken out.

use super::Measured;
use super::Oracle;
use crate::world::sim::response::Station;
use rand_pcg::Pcg64;

const BATCHES: u32 = 20;

/// A run in batches, after a warm-up of a tenth of it.
#[derive(Debug, Clone)]
pub struct Batches {
    /// All of it together.
    pub whole: Measured,
    batches: Vec<Measured>,
    /// Mean CPU time of a request in an endless run, in seconds.
    work: f64,
    /// By batch: how much longer than expected its requests would have waited at one core as fast as the station.
    luck: Vec<f64>,
    /// The same for all of it.
    luck_of_all: f64,
}

/// A figure and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its standard deviation, as a share of it.
    pub deviation: f64,
}

impl Batches {
    /// Runs a station at a load for so many requests.
    #[must_use]
    pub fn run(station: &Station, load: f64, requests: u64, random: Pcg64) -> Self {
        let mut oracle = Oracle::new(station, load, random);
        let _ = oracle.run(requests / 10);
        let batches: Vec<Measured> = (0..BATCHES).map(|_| oracle.run(requests / u64::from(BATCHES))).collect();
        let mut whole = batches[0].clone();
        batches[1..].iter().for_each(|batch| whole.merge(batch));
        let luck = |measured: &Measured| measured.fluid_wait / oracle.fluid_wait() - 1.0;
        let work = station.work.as_secs();
        Self { luck: batches.iter().map(luck).collect(), luck_of_all: luck(&whole), whole, batches, work }
    }

    /// The mean response time in seconds: as seen, or in proportion to the work that came, whichever is surer.
    #[must_use]
    pub fn mean(&self) -> Estimate {
        let seen = self.estimate(|measured| measured.mean);
        let by_work = self.estimate(|measured| measured.mean / measured.work * self.work);
        if by_work.deviation < seen.deviation { by_work } else { seen }
    }

    /// The mean response time in seconds as it was seen, luck and all.
    #[must_use]
    pub fn mean_seen(&self) -> Estimate {
        let count = f64::from(BATCHES);
        let squares: f64 =
            self.batches.iter().map(|batch| batch.mean / self.whole.mean - 1.0).map(|gap| gap * gap).sum();
        Estimate { value: self.whole.mean, deviation: (squares / (count - 1.0) / count).sqrt() }
    }

    /// The time in seconds that this share of the requests stays within.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> Estimate {
        self.estimate(|measured| measured.quantile(probability))
    }

    /// A figure of all batches, corrected by what their luck explains: a straight line through the logarithms of the
    /// batches (a control variate), where it explains more than a fifth of their variance.
    fn estimate(&self, of: impl Fn(&Measured) -> f64) -> Estimate {
        let logs: Vec<f64> = self.batches.iter().map(|batch| libm::log(of(batch).max(1e-12))).collect();
        let count = f64::from(BATCHES);
        let luck_mean = self.luck.iter().sum::<f64>() / count;
        let log_mean = logs.iter().sum::<f64>() / count;
        let (mut luck_luck, mut luck_log, mut log_log) = (0.0, 0.0, 0.0);
        for (luck, log) in self.luck.iter().zip(&logs) {
            let (luck, log) = (luck - luck_mean, log - log_mean);
            luck_luck += luck * luck;
            luck_log += luck * log;
            log_log += log * log;
        }
        let explained = if luck_luck > 0.0 { luck_log * luck_log / luck_luck } else { 0.0 };
        let (slope, rest) =
            if explained > 0.2 * log_log { (luck_log / luck_luck, log_log - explained) } else { (0.0, log_log) };
        let deviation = (rest.max(0.0) / (count - 2.0) / count).sqrt();
        Estimate { value: of(&self.whole) * libm::exp(-slope * self.luck_of_all), deviation }
    }
}
