//! What the oracle counts, and what becomes of it.

use crate::model::Latencies;
use crate::units::Span;
use crate::units::whole;
use crate::world::sim::response::PERIOD;

/// Buckets per doubling of time: 0.4 % wide at most.
const FINE: u64 = 256;
/// The first bucket ends at 2^LEAST seconds (60 ns).
const LEAST: u64 = 24;
/// Doublings of time, up to 2^20 seconds.
const DOUBLINGS: u64 = 44;

/// What happened at a station during a stretch of requests.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Length of the stretch in seconds.
    pub seconds: f64,
    /// Requests that arrived.
    pub arrivals: u64,
    /// Requests that were finished.
    pub finished: u64,
    /// Mean response time of those in seconds.
    pub mean: f64,
    /// Mean CPU time of the requests that arrived, in seconds.
    pub work: f64,
    /// Mean number of requests in the station, over time.
    pub in_system: f64,
    /// CPU used over what the station may use.
    pub utilisation: f64,
    /// Share of quota periods in which the quota ran out while requests were there.
    pub throttled: f64,
    /// Time that requests were held back by the quota, in seconds.
    pub throttled_seconds: f64,
    /// Mean wait in seconds which the same requests would have had one after another at a single core as fast as the
    /// whole station. Its mean in an endless run is known, so a user can take most of the noise of a heavy load out
    /// of the other figures (a control variate).
    pub fluid_wait: f64,
    counts: Vec<u64>,
}

/// Counters of the stretch that is under way.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) arrivals: u64,
    pub(super) finished: u64,
    began: f64,
    took: f64,
    request_seconds: f64,
    cpu_seconds: f64,
    exhausted: u64,
    throttled_seconds: f64,
    fluid: f64,
    fluid_sum: f64,
    work: f64,
    counts: Vec<u64>,
}

impl Tally {
    pub(super) fn begin(&mut self, now: f64) {
        let counts = vec![0; usize::try_from(DOUBLINGS * FINE).unwrap_or(0)];
        *self = Self { began: now, fluid: self.fluid, counts, ..Self::default() };
    }

    pub(super) fn pass(&mut self, seconds: f64, requests: usize, cpu: f64, exhausted: bool) {
        self.request_seconds += seconds * requests as f64;
        self.cpu_seconds += cpu;
        if exhausted {
            self.throttled_seconds += seconds;
        }
    }

    /// A request of so much work arrives at a station of so many cores' power; the next comes after `gap`.
    pub(super) fn arrive(&mut self, work: f64, power: f64, gap: f64) {
        self.arrivals += 1;
        self.work += work;
        self.fluid_sum += self.fluid;
        self.fluid = (self.fluid + work / power - gap).max(0.0);
    }

    pub(super) fn finish(&mut self, took: f64) {
        self.finished += 1;
        self.took += took;
        self.counts[fine_bucket(took)] += 1;
    }

    pub(super) const fn exhaust(&mut self) {
        self.exhausted += 1;
    }

    pub(super) fn end(&mut self, now: f64, power: f64) -> Measured {
        let seconds = now - self.began;
        Measured {
            seconds,
            arrivals: self.arrivals,
            finished: self.finished,
            mean: self.took / (self.finished as f64),
            work: self.work / (self.arrivals as f64),
            in_system: self.request_seconds / seconds,
            utilisation: self.cpu_seconds / seconds / power,
            throttled: self.exhausted as f64 * PERIOD / seconds,
            throttled_seconds: self.throttled_seconds,
            fluid_wait: self.fluid_sum / (self.arrivals as f64),
            counts: std::mem::take(&mut self.counts),
        }
    }
}

impl Measured {
    /// The time in seconds that this share of the requests stays within, to 0.4 %.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        let wanted = probability * self.finished as f64;
        let mut below = 0.0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            let count = count as f64;
            if count > 0.0 && below + count >= wanted {
                let (lower, upper) = (fine_lower(bucket), fine_lower(bucket + 1));
                return lower + (upper - lower) * ((wanted - below) / count).clamp(0.0, 1.0);
            }
            below += count;
        }
        fine_lower(self.counts.len())
    }

    /// The response times as the record counts them, each request at the middle of its fine bucket.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        let mut latencies = Latencies::new();
        for (bucket, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let middle = (fine_lower(bucket) + fine_lower(bucket + 1)) / 2.0;
            latencies.add(Span::from_nanos(whole(middle * 1e9)), count * 1000);
        }
        latencies
    }

    /// Adds what happened during another stretch at the same station.
    pub fn merge(&mut self, other: &Self) {
        let share = |mine: f64, theirs: f64, my_weight: f64, their_weight: f64| {
            (mine * my_weight + theirs * their_weight) / (my_weight + their_weight)
        };
        let (mine, theirs) = (self.finished as f64, other.finished as f64);
        self.mean = share(self.mean, other.mean, mine, theirs);
        self.work = share(self.work, other.work, self.arrivals as f64, other.arrivals as f64);
        self.fluid_wait = share(self.fluid_wait, other.fluid_wait, self.arrivals as f64, other.arrivals as f64);
        self.in_system = share(self.in_system, other.in_system, self.seconds, other.seconds);
        self.utilisation = share(self.utilisation, other.utilisation, self.seconds, other.seconds);
        self.throttled = share(self.throttled, other.throttled, self.seconds, other.seconds);
        self.seconds += other.seconds;
        self.arrivals += other.arrivals;
        self.finished += other.finished;
        self.throttled_seconds += other.throttled_seconds;
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }
}

/// The exponent and the first eight bits behind it are the bucket: no logarithm needed.
fn fine_bucket(seconds: f64) -> usize {
    let shifted = seconds.to_bits() >> 44;
    let bucket = shifted.saturating_sub((1023 - LEAST) * FINE).min(DOUBLINGS * FINE - 1);
    usize::try_from(bucket).unwrap_or(0)
}

fn fine_lower(bucket: usize) -> f64 {
    if bucket == 0 { 0.0 } else { f64::from_bits(((1023 - LEAST) * FINE + bucket as u64) << 44) }
}
