//! An instance in which something spins that uses its quota up, whatever the requests do. Before you change it:
//! 1. Each period has a window in which all run, and ends throttled. The spin takes its cores for the whole window, so
//!    the window is as long as what the requests leave of the quota lasts (`Window`).
//! 2. Who comes while it is closed waits for the next one, and then behind those who wait as well: the delay at a red light
//!    of fixed length (Webster 1958).
//! 3. Who needs longer than a window waits again. Windows without end are the other border: requests share a core as slow
//!    as the quota with the spin, which is processor sharing with permanent customers (van den Berg and Boxma 1991).
//! 4. Nothing is fitted; `tests/queueing_response.rs` holds it to the simulation.

use super::Order;
use super::PERIOD;
use super::Station;
use super::shape;
use super::table::FreePlace;
use crate::units::Millicores;
use crate::world::sim::queueing;

/// Load above which everything is in proportion to what is free.
const LOAD_FULL: f64 = 0.999;
/// Steps in which the length of the window is found; each halves what is off.
const STEPS: u32 = 30;
/// Parts of a period in which requests come, for the distribution.
const PHASES: u32 = 64;
/// Of so many windows for one request, the number of whole ones is half a window less.
const MANY: f64 = 50.0;
/// Weights of the number of requests are made smaller where their sum is larger.
const LARGE: f64 = 1e100;
/// What is less likely than this is left out.
const NOTHING: f64 = 1e-12;

/// A station whose quota is used up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spun {
    station: Station,
    quota: f64,
    cores: f64,
    spins: f64,
    /// Mean work in seconds.
    work: f64,
}

/// How it goes at a load.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Share of the time in which it is closed.
    closed: f64,
    /// Seconds for which a request alone keeps it open.
    own: f64,
    /// Mean seconds in a window that never closes.
    inside: f64,
    /// So many times as many wait as find it closed: who comes before those are done waits behind them.
    behind: f64,
}

impl Spun {
    /// `None` where nothing uses the quota up.
    pub(super) fn of(station: &Station) -> Option<Self> {
        let quota = station.binding_quota().filter(|_| station.spins > Millicores::ZERO)?;
        let work = station.work.as_secs().max(1e-9);
        let (cores, spins) = (f64::from(station.cores.max(1)), station.spins.as_cores());
        Some(Self { station: *station, quota, cores, spins, work })
    }

    /// Mean response time over mean work, times `1 − load`.
    pub(super) fn scaled(&self, load: f64) -> f64 {
        let load = load.min(LOAD_FULL);
        (1.0 - load) * self.mean(&self.window(load)) / self.work
    }

    fn mean(&self, window: &Window) -> f64 {
        let Window { closed, own, inside, behind } = *window;
        let spread = self.station.spread;
        let waits = closed * closed * PERIOD / 2.0 * behind;
        // Who comes at its beginning meets its end after each whole window; who comes in its midst, in proportion, the first
        // time as late as it came.
        let ends = if inside > MANY * own {
            inside / own - 0.5
        } else {
            let later = |count: u32| shape::beyond(spread, inside, f64::from(count) * own);
            (1..).map(later).take_while(|more| *more > NOTHING).sum()
        };
        let open = (1.0 - closed) * PERIOD;
        let [once, squared] = shape::limited(spread, inside, own).map(|time| time / own);
        let first = once * (PERIOD - open) + squared / own * (open - own) / 2.0;
        let further = (inside / own - once) * (PERIOD - own);
        inside + waits + closed * ends * (PERIOD - own) + (1.0 - closed) * (first + further)
    }

    /// So many requests that work on `cores`, beside the spin: the share of a core that each has.
    fn share(&self, requests: f64, cores: f64) -> f64 {
        (cores / (requests + self.spins)).min(1.0)
    }

    /// The mean number of requests on so many cores, where so much work a second comes to them, over that work: a
    /// birth-death process whose death rate is what the requests have of the cores. Those who wait for a worker count by
    /// the variation of the work, as Allen and Cunneen have it.
    fn present(&self, cores: f64, rate: f64) -> f64 {
        let workers = self.station.workers.map_or(f64::INFINITY, |workers| f64::from(workers.max(1)));
        let (mut chance, mut all, mut working, mut waiting, mut count) = (1.0, 1.0, 0.0, 0.0, 0.0);
        loop {
            count += 1.0;
            let ratio = rate / (count * self.share(count, cores));
            if count >= workers {
                // All workers are busy from here on, and each further request waits.
                let ratio = ratio.min(LOAD_FULL);
                let more = chance * ratio / (1.0 - ratio);
                all += more;
                working += workers * more;
                waiting += more * ratio / (1.0 - ratio);
                break;
            }
            chance *= ratio;
            all += chance;
            working += count * chance;
            if all > LARGE {
                (chance, all, working) = (chance / LARGE, all / LARGE, working / LARGE);
            }
            if ratio < 1.0 && chance < NOTHING * all {
                break;
            }
        }
        let scatter = f64::midpoint(1.0, queueing::variation(self.station.spread));
        (working + waiting * scatter) / all / rate
    }

    fn window(&self, load: f64) -> Window {
        let rate = (load * self.station.power()).max(1e-6 * self.quota);
        let workers = self.station.workers.map_or(f64::INFINITY, |workers| f64::from(workers.max(1)));
        let most = self.cores.min(workers * self.share(workers.min(1e9), self.cores));
        let shortest = self.quota / self.cores * PERIOD;
        let mut open = ((self.quota - rate) / self.spins * PERIOD).max(shortest);
        for _ in 0..STEPS {
            // Those who waited come together, and squeeze the spin out of its cores.
            let batch = rate * (PERIOD - open);
            let requests = (1.0 + batch / (2.0 * self.work)).min(workers);
            let share = self.share(requests, self.cores);
            let ends = (batch / (requests * share - rate).max(0.05 * rate)).min(open);
            let squeezed = (1.0 - share) * ends;
            let next = ((self.quota - rate) / self.spins * PERIOD + squeezed).clamp(shortest, PERIOD);
            open = f64::midpoint(open, next);
        }
        let busy = (rate * PERIOD / open).min(LOAD_FULL * most);
        let inside = self.work * self.present(self.cores, busy);
        // A core as slow as the quota, shared with the spin.
        let endless = self.work * self.present(self.quota, rate);
        let own = (inside / endless).min(1.0) * PERIOD;
        Window { closed: 1.0 - open / PERIOD, own, inside, behind: 1.0 / (1.0 - (rate / most).min(0.99)) }
    }

    /// Shares by bucket of response times at a load, where they have this mean in seconds; the first bucket has this number.
    pub(super) fn shape(&self, load: f64, mean: f64) -> (usize, Vec<f64>) {
        let Window { closed, own, inside, behind } = self.window(load.min(LOAD_FULL));
        let open = (1.0 - closed) * PERIOD;
        let alone = self.inside(load, inside);
        let mut times = Vec::with_capacity(alone.len() * PHASES as usize);
        let mut sum = 0.0;
        for (needs, share) in alone {
            for phase in 0..PHASES {
                let phase = (f64::from(phase) + 0.5) / f64::from(PHASES);
                let waits = (1.0 - phase / (closed * behind).max(NOTHING)).max(0.0) * closed * PERIOD;
                let since = (phase - closed).max(0.0) / (1.0 - closed);
                let ends = (since + needs / own).floor();
                let later = if ends > 0.0 { since * (own - open) } else { 0.0 };
                let time = waits + needs + ends * (PERIOD - own) + later;
                sum += time * share;
                times.push((time, share));
            }
        }
        // What the steps of the grid and the scatter of the work add to the mean is taken off again.
        let pace = mean * f64::from(PHASES) / sum;
        shape::gathered(times.into_iter().map(|(time, share)| (time * pace, share / f64::from(PHASES))))
    }

    /// Seconds that requests need of a window that never closes, and their shares. A request that shares a core with
    /// something that never ends meets so many independent others for each part of its work, so times scatter by one part
    /// in `spins + 1` of what they do without.
    fn inside(&self, load: f64, mean: f64) -> Vec<(f64, f64)> {
        let spread = self.station.spread;
        let scatter = load * (2.0 + load) / 3.0 / (1.0 + self.spins);
        let calmer = libm::sqrt(1.0 + 3.0 * scatter) - 1.0;
        let mut quantiles = FreePlace::new(1.0, spread, Order::Shared).quantiles(calmer);
        if let Some(workers) = self.station.workers {
            let queued = libm::pow(load, f64::from(workers.max(1)) - 1.0);
            let order = FreePlace::new(1.0, spread, Order::Queued).quantiles(load);
            quantiles.iter_mut().zip(&order).for_each(|(mine, order)| *mine += queued * (order - *mine));
        }
        let (first, shares) = super::law(&quantiles, mean).shares();
        shares.into_iter().enumerate().map(|(place, share)| (shape::middle(first + place), share)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spread;
    use crate::units::Span;

    /// On a core as slow as its quota a request shares with `spins` others that never end, and any number of its kind:
    /// `(spins + 1) · work / (quota · (1 − load))`, whatever the spread. Work of ten seconds sees no periods.
    #[test]
    fn long_requests_share_with_what_never_ends() {
        for (cores, quota, spins) in [(1, 500, 1000), (8, 2000, 3000), (256, 150_000, 200_000)] {
            for spread in [Spread::Constant, Spread::Exponential, Spread::Heavy] {
                let work = Span::from_secs(10);
                let (quota, spins) = (Millicores::new(quota), Millicores::new(spins));
                let station = Station { cores, quota: Some(quota), workers: None, work, spread, spins };
                let spun = Spun::of(&station).expect("it uses the quota up");
                for load in [0.0, 0.3, 0.9, 0.99] {
                    let wanted = (spins.as_cores() + 1.0) / quota.as_cores();
                    let found = spun.scaled(load);
                    assert!((found / wanted - 1.0).abs() < 0.02, "{station:?} at {load}: {found} for {wanted}");
                }
            }
        }
    }

    /// Short requests that come seldom wait for half a window on average, if they find it closed: `(1 − quota)² · 50 ms`.
    #[test]
    fn short_requests_wait_for_the_window() {
        for quota in [50, 200, 500, 900] {
            let (quota, spins) = (Millicores::new(quota), Millicores::cores(1));
            let (work, spread) = (Span::from_micros(1), Spread::Exponential);
            let spun = Spun::of(&Station { cores: 4, quota: Some(quota), workers: None, work, spread, spins });
            let found = spun.expect("it uses the quota up").scaled(0.0) * work.as_secs();
            let closed = 1.0 - quota.as_cores();
            let wanted = work.as_secs() + closed * closed * PERIOD / 2.0;
            assert!((found / wanted - 1.0).abs() < 0.01, "{found} for {wanted}");
        }
    }
}
