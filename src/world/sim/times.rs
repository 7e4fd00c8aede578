//! Distributions of response times by bucket of `Latencies`: a station's own, those of its calls added, cut at the
//! timeout. Before you change it:
//! 1. The step only notes which distribution its requests belong to ([`Own`]); a distribution is made when a sample is
//!    taken, and kept.
//! 2. Adding two times splits each pair's share between the two buckets around the sum, so that the mean stays.

mod beside;
mod disk;
mod line;
mod sums;

pub(super) use disk::Access;
pub(super) use disk::OnDisk;
pub(super) use line::OnLine;
pub(super) use line::Transfer;

use super::requests::LOAD_STATIONARY;
use super::requests::Late;
use super::requests::above;
use super::response::Response;
use super::seen::Nearby;
use crate::model::Latencies;
use crate::units::Span;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::LazyLock;

/// Buckets in a doubling of time.
const PER_DOUBLING: f64 = Latencies::PER_DOUBLING;
/// Levels of `−ln(1 − load)` in one unit: neighbours differ by 1 % of `1 − load`.
const LEVELS: f64 = 100.0;
/// Parts of a bucket that a distribution is moved by.
const PARTS: f64 = 8.0;
/// Parts of a bucket that the distribution of a carried backlog is moved by: neighbours differ by 2.2 %.
const BACKLOG_PARTS: i64 = 4;
/// Parts of a time that is spent waiting for cores.
const BESIDE: f64 = 255.0;
/// Levels from here on stand for carried backlogs: so many doublings of a microsecond above it.
const BACKLOG: u32 = 1 << 20;
/// Shares below this are left out at the upper end.
const NOTHING: f64 = 1e-8;
/// Shares below this are put together at the lower end, where a logarithmic scale has many buckets for few requests.
const LITTLE: f64 = 5e-4;
/// Distributions that are kept.
const KEPT: usize = 8192;

/// Which distribution the times in a station follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Own {
    station: usize,
    level: u32,
    place: i64,
    /// Parts of the time, out of [`BESIDE`], that it waits for cores on which others work.
    beside: u8,
}

impl Own {
    /// The distribution at a load of the station, stretched to a mean of `time` seconds.
    pub(super) fn at(station: usize, response: &Response, load: f64, time: f64) -> Self {
        if load > LOAD_STATIONARY {
            let parts = 16 * 8 / BACKLOG_PARTS;
            let place = nearest(libm::log2(time * 1e6) * parts as f64).max(0);
            let level = BACKLOG + u32::try_from(place / parts).unwrap_or(0);
            return Self { station, level, place: (place % parts - parts / 2) * BACKLOG_PARTS, beside: 0 };
        }
        let level = nearest(-libm::log(1.0 - load) * LEVELS);
        let level = u32::try_from(level).unwrap_or(0);
        let mean = response.at(load_of(level)).mean;
        Self { station, level, place: nearest(libm::log2(time / mean) * PER_DOUBLING * PARTS), beside: 0 }
    }

    /// The same mean, of which a share is spent waiting for cores on which others work. Not for a carried backlog, in which
    /// all wait about the same.
    pub(super) fn beside_others(self, share: f64) -> Self {
        if self.level >= BACKLOG {
            return self;
        }
        let beside = u8::try_from(nearest(share * BESIDE)).unwrap_or(0).min(u8::MAX - 1);
        Self { beside, ..self }
    }
}

fn load_of(level: u32) -> f64 {
    1.0 - libm::exp(-f64::from(level) / LEVELS)
}

#[expect(clippy::cast_possible_truncation, reason = "a logarithm times a small number; the cast saturates")]
const fn nearest(value: f64) -> i64 {
    (value + crate::units::BELOW_HALF.copysign(value)) as i64
}

/// A distribution of times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Times {
    first: usize,
    shares: Vec<f64>,
    below: Vec<u32>,
    /// Share that stays within the timeout.
    pub(super) within: Nearby,
    /// Mean of those within it over the mean of all.
    pub(super) ratio: f64,
}

impl Times {
    pub(super) fn of((first, shares): (usize, Vec<f64>)) -> Self {
        Self { first, shares, below: Vec::new(), within: Nearby([1.0; 3]), ratio: 1.0 }
    }

    /// The same times, each longer by a factor: so many parts of a bucket.
    fn moved(&self, parts: i64) -> Self {
        let whole = parts.div_euclid(8);
        let part = parts.rem_euclid(8) as f64 / PARTS;
        let mut shares = vec![0.0; self.shares.len() + 1];
        for (index, share) in self.shares.iter().enumerate() {
            shares[index] += share * (1.0 - part);
            shares[index + 1] += share * part;
        }
        let place = i64::try_from(self.first).unwrap_or(0) + whole;
        let cut = usize::try_from(-place).unwrap_or(0).min(shares.len() - 1);
        let below: f64 = shares.drain(..cut).sum();
        shares[0] += below;
        Self::of((usize::try_from(place).unwrap_or(0), shares)).trimmed()
    }

    /// Without ends that hold nothing, and no longer than `Latencies`.
    pub(super) fn trimmed(mut self) -> Self {
        let room = Latencies::buckets().saturating_sub(self.first).max(1);
        if self.shares.len() > room {
            let beyond: f64 = self.shares.drain(room..).sum();
            self.shares[room - 1] += beyond;
        }
        self.first = self.first.min(Latencies::buckets() - 1);
        let mut lost = 0.0;
        while self.shares.len() > 1 && lost + self.shares[self.shares.len() - 1] < NOTHING {
            lost += self.shares.pop().unwrap_or(0.0);
        }
        let last = self.shares.len() - 1;
        self.shares[last] += lost;
        let (mut cut, mut lost) = (0, 0.0);
        while cut < last && lost + self.shares[cut] < LITTLE {
            lost += self.shares[cut];
            cut += 1;
        }
        self.shares.drain(..cut);
        self.first += cut;
        self.shares[0] += lost;
        self
    }

    /// Only those within the timeout.
    pub(super) fn cut(mut self, timeout: Option<f64>) -> Self {
        let Some(timeout) = timeout else { return self };
        self.within = Nearby::of(timeout, |timeout| 1.0 - above(self.first, &self.shares, timeout));
        let late = above(self.first, &self.shares, timeout);
        if late <= 0.0 {
            return self;
        }
        let all = self.mean();
        let last = Latencies::bucket(Span::from_nanos(crate::units::whole(timeout * 1e9)));
        if last < self.first {
            // All are late. What comes out well all the same does so at the last moment.
            return Self { within: self.within, ratio: timeout / all, ..Self::of((last, vec![1.0])) };
        }
        self.shares.truncate((last + 1).saturating_sub(self.first).max(1));
        let kept: f64 = self.shares.iter().sum();
        let end = self.shares.len() - 1;
        self.shares[end] = (self.shares[end] - (kept - (1.0 - late))).max(0.0);
        let within: f64 = self.shares.iter().sum::<f64>().max(1e-300);
        self.shares.iter_mut().for_each(|share| *share /= within);
        self.ratio = (self.mean().min(timeout) / all).min(1.0);
        self
    }

    /// The bucket after the last one.
    pub(super) fn end(&self) -> usize {
        self.first + self.shares.len()
    }

    pub(super) const fn first(&self) -> usize {
        self.first
    }

    pub(super) fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// The same times, with nothing known of others that were cut off.
    pub(super) fn as_is(&self) -> Self {
        Self::of((self.first, self.shares.clone()))
    }

    pub(super) fn mean(&self) -> f64 {
        self.shares.iter().zip(&MIDDLES[self.first..]).map(|(share, middle)| share * middle).sum()
    }

    /// What is below the upper end of each bucket, out of [`Latencies::ALL`]; done once, before [`Self::spread_over`].
    fn added_up(mut self) -> Self {
        let mut below = 0.0;
        self.below = self
            .shares
            .iter()
            .map(|share| {
                below += share;
                out_of_whole(below.min(1.0))
            })
            .collect();
        if let Some(last) = self.below.last_mut() {
            *last = Latencies::ALL;
        }
        self
    }

    /// The middle of each bucket in seconds, and what is in it.
    pub(super) fn middles(&self) -> impl Iterator<Item = (f64, f64)> {
        MIDDLES[self.first..].iter().copied().zip(self.shares.iter().copied())
    }

    /// Adds `thousandths` requests of this distribution; their time is added apart.
    pub(super) fn spread_over(&self, latencies: &mut Latencies, thousandths: u64) {
        latencies.spread(self.first, &self.below, thousandths);
    }
}

/// A share as a part of [`Latencies::ALL`], rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from zero to one; the cast saturates"
)]
fn out_of_whole(share: f64) -> u32 {
    (share * f64::from(Latencies::ALL)) as u32
}

/// The middle of each bucket in seconds.
static MIDDLES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let ends = |bucket| f64::midpoint(Latencies::lower(bucket).as_secs(), Latencies::lower(bucket + 1).as_secs());
    (0..Latencies::buckets()).map(ends).collect()
});

/// The distributions in use, and all that is needed to make them.
pub(super) struct Library {
    stations: Vec<(super::response::Station, Arc<Response>)>,
    /// Numbers of the stations behind balancers.
    pub(super) balanced: super::balance::Balanced,
    /// How a quota slows workers before whom only so many may wait, by the number of their station.
    pub(super) rooms: BTreeMap<usize, Option<Arc<[f64]>>>,
    /// Shares of late requests by station and timeout.
    lates: BTreeMap<(usize, Option<Span>), Late>,
    known: BTreeMap<(usize, Own, Vec<usize>), usize>,
    /// Distributions of carried backlogs by station and doubling of time, before they are moved.
    backlogs: BTreeMap<(usize, u32), Times>,
    times: Vec<Times>,
    /// What calls take together, by the number of the called service's distribution and how often it is called.
    called: BTreeMap<Vec<(usize, u32)>, Times>,
    /// How the wait for cores beside others scatters times.
    beside: beside::Beside,
    /// Numbers of the distributions of times for the disk.
    disks: BTreeMap<OnDisk, usize>,
    /// Numbers of the distributions of times on the line.
    lines: BTreeMap<OnLine, usize>,
    /// What calls are like that are more than calls.
    pub(super) hows: Vec<super::stages::How>,
    /// Networks, and how much longer requests and answers take on each.
    pub(super) networks: Vec<(super::network::Network, Times)>,
    /// Numbers of the mixtures of two distributions, by the share of the second.
    mixtures: BTreeMap<(usize, usize, u16), usize>,
    /// Numbers of the distributions of their stages.
    pub(super) stages: BTreeMap<Vec<super::stages::Part>, usize>,
    /// Late answers by the numbers of the called service's distribution, of what the call is like, and of the network.
    pub(super) late_answers: BTreeMap<(usize, usize, usize), (Nearby, Nearby)>,
}

impl Library {
    /// An empty one, for a host with so many cores.
    pub(super) fn new(cores: u32) -> Self {
        Self {
            stations: Vec::new(),
            balanced: super::balance::Balanced::new(),
            rooms: BTreeMap::new(),
            lates: BTreeMap::new(),
            known: BTreeMap::new(),
            backlogs: BTreeMap::new(),
            times: Vec::new(),
            called: BTreeMap::new(),
            beside: beside::Beside::on(cores),
            disks: BTreeMap::new(),
            lines: BTreeMap::new(),
            hows: vec![super::stages::How::PLAIN],
            networks: vec![(super::network::Network::default(), Times::of((0, vec![1.0])))],
            mixtures: BTreeMap::new(),
            stages: BTreeMap::new(),
            late_answers: BTreeMap::new(),
        }
    }

    /// The response curve of a station and its number.
    pub(super) fn station(&mut self, station: &super::response::Station) -> (usize, Arc<Response>) {
        if let Some(index) = self.stations.iter().position(|known| known.0 == *station) {
            return (index, Arc::clone(&self.stations[index].1));
        }
        let response = Arc::new(Response::of(station));
        self.stations.push((*station, Arc::clone(&response)));
        (self.stations.len() - 1, response)
    }

    /// Keeps the curve of a station that is known by something else, and gives it a number.
    pub(super) fn keep_station(&mut self, station: super::response::Station, response: Arc<Response>) -> usize {
        self.stations.push((station, response));
        self.stations.len() - 1
    }

    /// The response curve of a number that [`Self::station`] or [`Self::keep_station`] gave.
    pub(super) fn response(&self, number: usize) -> &Arc<Response> {
        &self.stations[number].1
    }

    /// What is known of late requests at a station: clocks go to and fro.
    pub(super) fn late_of(&mut self, station: usize, timeout: Option<Span>) -> Late {
        let late = self.lates.entry((station, timeout)).or_insert_with(|| Late::new(timeout));
        late.clone()
    }

    /// The distribution of a number that [`Self::find`] gave.
    pub(super) fn times(&self, number: usize) -> &Times {
        &self.times[number]
    }

    /// The number of the distribution of a service's times: its own, then `calls` (number of the distribution, how
    /// often), cut at the timeout.
    pub(super) fn find(&mut self, service: usize, own: Own, calls: &[(usize, u32)], timeout: Option<f64>) -> usize {
        let key = (service, own, calls.iter().map(|call| call.0).collect::<Vec<_>>());
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        let mut times = self.own(own);
        if !calls.is_empty() {
            let called = match self.called.remove(calls) {
                Some(called) => called,
                None => self.calls(calls),
            };
            times = times.plus(&called);
            self.called.insert(calls.to_vec(), called);
        }
        self.times.push(times.cut(timeout).added_up());
        self.known.insert(key, self.times.len() - 1);
        self.times.len() - 1
    }

    /// Keeps a distribution, and gives it a number.
    pub(super) fn keep(&mut self, times: Times) -> usize {
        self.times.push(times.added_up());
        self.times.len() - 1
    }

    /// The number of the mixture of two distributions, by the share of the second and its name.
    pub(super) fn mixture(&mut self, one: usize, other: usize, (name, share): (u16, f64)) -> usize {
        if let Some(number) = self.mixtures.get(&(one, other, name)) {
            return *number;
        }
        let both = [(1.0 - share, self.times[one].as_is()), (share, self.times[other].as_is())];
        let number = self.keep(super::stages::mixed(&both));
        self.mixtures.insert((one, other, name), number);
        number
    }

    /// The distribution of the time that all calls take together, one after the other.
    fn calls(&mut self, calls: &[(usize, u32)]) -> Times {
        let mut all: Option<Times> = None;
        for &call in calls {
            let one = match self.called.remove(&[call][..]) {
                Some(known) => known,
                None => self.repeated(&self.times[call.0], call.1),
            };
            all = Some(all.map_or_else(|| one.clone(), |all| all.plus(&one)));
            self.called.insert(vec![call], one);
        }
        all.unwrap_or_else(|| Times::of((0, vec![1.0])))
    }

    /// The distribution of the time that so many calls of the same service take.
    pub(super) fn repeated(&self, one: &Times, count: u32) -> Times {
        let mut doubled = one.clone();
        let mut times: Option<Times> = None;
        let mut left = count;
        while left > 0 {
            if left % 2 == 1 {
                times = Some(times.map_or_else(|| doubled.clone(), |times| times.plus(&doubled)));
            }
            left /= 2;
            if left > 0 {
                doubled = doubled.plus(&doubled);
            }
        }
        times.unwrap_or_else(|| Times::of((0, vec![1.0])))
    }

    /// Forgets distributions where there are too many; no number given before may be used after it.
    /// Whether it did.
    pub(super) fn tidy(&mut self) -> bool {
        let tidied = self.times.len() > KEPT;
        if tidied {
            self.times.clear();
            self.known.clear();
            self.called.clear();
            self.disks.clear();
            self.lines.clear();
            self.stages.clear();
            self.late_answers.clear();
            self.mixtures.clear();
        }
        if self.backlogs.len() > KEPT {
            self.backlogs.clear();
        }
        tidied
    }

    fn own(&mut self, own: Own) -> Times {
        let response = &self.stations[own.station].1;
        let Some(doubling) = own.level.checked_sub(BACKLOG) else {
            let load = load_of(own.level);
            let time = response.at(load).mean * libm::exp2(own.place as f64 / (PER_DOUBLING * PARTS));
            let times = Times::of(response.shape_near(load, time)).trimmed();
            return if own.beside == 0 { times } else { times.scattered(self.beside.factor(own.beside)).trimmed() };
        };
        // Of a carried backlog, one distribution in each doubling of time is made; those between are moved from it.
        let base = self.backlogs.entry((own.station, doubling)).or_insert_with(|| {
            Times::of(response.overload_shape(libm::exp2(f64::from(doubling) + 0.5) / 1e6)).trimmed()
        });
        base.moved(own.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponential(mean: f64) -> Times {
        let shares = (0..Latencies::buckets())
            .map(|bucket| {
                let (low, high) = (Latencies::lower(bucket).as_secs(), Latencies::lower(bucket + 1).as_secs());
                libm::exp(-low / mean) - libm::exp(-high / mean)
            })
            .collect();
        Times::of((0, shares)).trimmed()
    }

    fn quantile(times: &Times, percent: u64) -> f64 {
        let mut latencies = Latencies::new();
        times.clone().added_up().spread_over(&mut latencies, 1_000_000_000);
        assert_eq!(latencies.thousandths(), 1_000_000_000);
        latencies.quantile(percent, 100).expect("requests").as_secs()
    }

    /// The sum of four exponential times is an Erlang time of four stages: its quantiles are in every table.
    #[test]
    fn sums_of_exponential_times_are_erlang() {
        let one = exponential(0.01);
        let two = one.plus(&one);
        let four = two.plus(&two);
        assert!((four.mean() / 0.04 - 1.0).abs() < 2e-3, "{}", four.mean());
        for (times, percent, wanted) in [
            (&two, 50, 1.678_347),
            (&two, 95, 4.743_865),
            (&four, 50, 3.672_061),
            (&four, 95, 7.753_657),
            (&four, 99, 10.045_118),
        ] {
            let found = quantile(times, percent) / 0.01;
            assert!((found / wanted - 1.0).abs() < 0.01, "p{percent}: {found} for {wanted}");
        }
        assert!((four.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_moved_distribution_is_stretched() {
        let times = exponential(0.01).moved(16 * 8 + 4);
        assert!((quantile(&times, 95) / (0.02 * 2.995_732 * libm::exp2(0.5 / 16.0)) - 1.0).abs() < 2e-3);
    }

    /// Of exponential times with a mean of 10 ms, `1 − e⁻²` stay within 20 ms, on average
    /// `(1 − 3·e⁻²) / (1 − e⁻²)` of the mean.
    #[test]
    fn what_is_late_is_cut_off() {
        let cut = exponential(0.01).cut(Some(0.02));
        let late = libm::exp(-2.0);
        let within = cut.within.at(1.0);
        assert!((within - (1.0 - late)).abs() < 1e-3, "{within}");
        assert!((cut.ratio - (1.0 - 3.0 * late) / (1.0 - late)).abs() < 3e-3, "{}", cut.ratio);
        assert!(quantile(&cut, 100) <= 0.021);
    }
}
