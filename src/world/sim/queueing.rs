//! Closed forms of queueing theory: what is known exactly, and the two-moment step from there to other spreads.
//!
//! Before you change it:
//! 1. Loads are shares of the capacity, from 0 up to, not including, 1; times are multiples of the mean work.
//! 2. A form that grows like `1 / (1 − load)` is returned times `1 − load`, so that it is finite and smooth up to 1.

use crate::model::Spread;

/// Squared coefficient of variation of a request's work.
#[must_use]
pub const fn variation(spread: Spread) -> f64 {
    match spread {
        Spread::Constant => 0.0,
        Spread::Exponential => 1.0,
        Spread::Heavy => 5.5,
    }
}

/// Erlang B: the share of arrivals that find all `servers` busy where nobody waits, `offered` being the mean number of
/// servers asked for. By the recursion `B(n) = aB(n−1) / (n + aB(n−1))` (Erlang 1917), which never overflows.
#[must_use]
pub fn erlang_b(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, server| {
        let asked = offered * blocked;
        asked / (f64::from(server) + asked)
    })
}

/// Erlang C: the share of arrivals that wait in an M/M/c queue.
#[must_use]
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    let blocked = erlang_b(servers, load * f64::from(servers));
    blocked / (1.0 - load * (1.0 - blocked))
}

/// Mean response time over mean work, times `1 − load`, of requests that share `cores`, each on one core at most.
///
/// With `n` requests the station works at `min(n, cores)` cores, `cores` need not be whole. The number of requests then
/// has the product form `pₙ ∝ Π a / min(k, cores)`, whatever the spread (processor sharing is insensitive: Kelly 1979);
/// for whole `cores` that is M/M/c. Summed here with Erlang B of the whole part.
#[must_use]
pub fn shared_scaled(cores: f64, load: f64) -> f64 {
    let whole = cores.floor();
    let offered = load * cores;
    let mut blocked = 1.0;
    let mut server = 1.0;
    while server <= whole {
        let asked = offered * blocked;
        blocked = asked / (server + asked);
        server += 1.0;
    }
    let free = 1.0 - load;
    ((1.0 - blocked) * free * free + blocked * (whole * free + 1.0) / cores) / (free + blocked * load)
}

/// Mean response time over mean work of requests that share `cores` (not necessarily a whole number) at a load below
/// one: how much slower everything gets on cores that are so busy.
#[must_use]
pub fn slowdown(cores: f64, load: f64) -> f64 {
    let load = load.clamp(0.0, LOAD_MAX);
    shared_scaled(cores.max(1e-6), load) / (1.0 - load)
}

/// How much that differs from request to request: the variance of the time of a vanishing piece of work over the square of its
/// mean. It finds as many requests as there are on average, whose number beyond the cores is geometric.
#[must_use]
pub fn scatter(cores: f64, load: f64) -> f64 {
    if cores <= 1.0 {
        return load;
    }
    let stretch = slowdown(cores, load);
    let waits = stretch - 1.0;
    let squares = waits * (1.0 + load) / (cores * (1.0 - load));
    ((squares - waits * waits) / (stretch * stretch)).max(0.0)
}

/// The largest load a curve is read at; above it, it answers as if at it.
pub const LOAD_MAX: f64 = 1.0 - 1e-6;

/// Mean response time over mean work, times `1 − load`, where at most `workers` requests share `cores` and the others
/// wait in order of arrival. Exact for exponential work (the number in the station is that of M/M/c), for one worker
/// (Pollaczek–Khinchine) and for unlimited workers (processor sharing); between these it weighs the two by the chance
/// `load^(workers − cores)` that a request which finds the cores busy finds the workers busy, too (Avi-Itzhak and
/// Halfin 1988 for one core), and takes Allen and Cunneen's `(1 + scv) / 2` for several workers.
#[must_use]
pub fn limited_scaled(cores: u32, workers: u32, spread: Spread, load: f64) -> f64 {
    let servers = cores.min(workers);
    let wait = shared_scaled(f64::from(servers), load) - (1.0 - load);
    let queued = libm::pow(load, f64::from(workers - servers));
    (1.0 - load) + wait * (1.0 + queued * (variation(spread) - 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Summed up over all numbers of requests that there may be beside a vanishing piece of work: with `n` of them on `c` cores
    /// it takes `max(1, (n + 1) / c)` as long, and as often as M/M/c has them.
    #[test]
    fn scatter_is_that_of_the_number_beside() {
        for (cores, load) in [(1.0, 0.5), (1.0, 0.9), (2.0, 0.3), (4.0, 0.8), (8.0, 0.6), (16.0, 0.95)] {
            let (mut weight, mut all, mut mean, mut squares) = (1.0, 0.0, 0.0, 0.0);
            for number in 0..5000 {
                let takes = f64::max(1.0, f64::from(number + 1) / cores);
                all += weight;
                mean += weight * takes;
                squares += weight * takes * takes;
                weight *= load * cores / f64::min(f64::from(number + 1), cores);
            }
            let (mean, wanted) = (mean / all, squares * all / (mean * mean) - 1.0);
            assert!((slowdown(cores, load) / mean - 1.0).abs() < 1e-9, "{cores} cores at {load}: {mean}");
            let found = scatter(cores, load);
            assert!((found - wanted).abs() < 1e-9, "{cores} cores at {load}: {found} for {wanted}");
        }
    }
}
