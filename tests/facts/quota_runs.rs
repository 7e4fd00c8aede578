//! The runs of `tests/measure_containers.rs`: what is asked of the pool, request by request, drawn beforehand. Whoever holds the
//! model against what was measured draws the very same requests again.

use plimsoll::seed::Seed;
use plimsoll::world::sim::oracle::Request;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// Length of a run in seconds.
pub(crate) const SECONDS: f64 = 40.0;

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Quota in cores.
    pub(crate) quota: f64,
    /// How the work of requests varies: `exp`, `det` or `h2`.
    pub(crate) distribution: &'static str,
    /// Mean work in milliseconds of CPU.
    pub(crate) mean: f64,
    /// Offered share of the quota.
    pub(crate) offered: f64,
}

const fn run(quota: f64, distribution: &'static str, mean: f64, offered: f64) -> Run {
    Run { quota, distribution, mean, offered }
}

/// What is measured, a row each.
pub(crate) const RUNS: [Run; 18] = [
    run(0.3, "exp", 4.0, 0.5),
    run(0.3, "det", 4.0, 0.7),
    run(0.7, "exp", 4.0, 0.5),
    run(0.7, "exp", 4.0, 0.8),
    run(0.7, "det", 8.0, 0.5),
    run(0.7, "det", 8.0, 0.8),
    run(0.7, "h2", 4.0, 0.5),
    run(0.7, "h2", 4.0, 0.7),
    run(0.5, "det", 5.0, 0.6),
    run(0.5, "h2", 5.0, 0.5),
    run(0.2, "exp", 4.0, 0.6),
    run(0.4, "exp", 8.0, 0.8),
    run(0.4, "exp", 4.0, 0.85),
    run(0.6, "exp", 2.0, 0.7),
    run(0.6, "det", 10.0, 0.8),
    run(0.8, "exp", 5.0, 0.85),
    run(0.8, "h2", 4.0, 0.8),
    run(1.0, "det", 5.0, 0.8),
];

fn unit(random: &mut Pcg64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn exponential(random: &mut Pcg64, mean: f64) -> f64 {
    -mean * libm::log(1.0 - unit(random))
}

impl Run {
    /// Its requests, of which the last may come after its end; `place` is the number of its row, from one on.
    pub(crate) fn requests(&self, place: u64) -> Vec<Request> {
        let mut random = Seed::new(place).stream("measure");
        let (mut at, mut requests) = (0.0, Vec::new());
        while at < SECONDS {
            let gap = exponential(&mut random, self.mean / 1e3 / (self.quota * self.offered));
            at += gap;
            requests.push(Request { gap, work: self.work(&mut random) / 1e3 });
        }
        requests
    }

    /// Milliseconds of CPU of one request.
    fn work(&self, random: &mut Pcg64) -> f64 {
        match self.distribution {
            "det" => self.mean,
            "exp" => exponential(random, self.mean),
            _ if unit(random) < 0.9 => exponential(random, self.mean / 2.0),
            _ => exponential(random, self.mean * 5.5),
        }
    }
}
