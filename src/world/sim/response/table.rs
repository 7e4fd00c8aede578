//! What the oracle computed once, for stations that no closed form covers, and how to read between its figures.
//!
//! Before you change it:
//! 1. `table.bin` is made by `PLIMSOLL_UPDATE=1 cargo test --release --test queueing_table`; a change of a grid or of
//!    the meaning of a figure needs a new file (half an hour on two cores).
//! 2. Figures are kept in coordinates in which they are smooth and bounded: shares of the way between two closed forms,
//!    logarithms, loads by [`Warp`]. So few of them are enough.
//! 3. All depends on ratios only: work per period and quota, cores, load. A period is 100 ms.

use super::PERIOD;
use super::Station;
use super::curve;
use super::curve::Warp;
use super::shape::QUANTILES;
use crate::model::Spread;
use crate::units;
use crate::units::Millicores;
use crate::units::Span;
use crate::units::whole;
use crate::world::sim::queueing;

static TABLE: &[u8] = include_bytes!("table.bin");

const SPREADS: [Spread; 3] = [Spread::Constant, Spread::Exponential, Spread::Heavy];
const CORES: [u32; 4] = [1, 2, 4, 12];
/// Quotas from `QUOTA_LEAST` cores to `QUOTA_MOST` of the cores, each the same multiple of the one before.
const QUOTAS: usize = 8;
const QUOTA_LEAST: f64 = 0.05;
const QUOTA_MOST: f64 = 0.92;
/// Mean work of a request over the CPU time of a period. Constant work steps where one request less fits into a period,
/// so there are figures on both sides of the large steps.
const WORKS_CONSTANT: [f64; 25] = [
    0.002, 0.0063, 0.02, 0.06, 0.11, 0.14293, 0.16659, 0.16674, 0.1999, 0.2001, 0.24988, 0.25012, 0.33317, 0.3335,
    0.49975, 0.50025, 0.9995, 1.0005, 1.999, 2.001, 2.9985, 3.0015, 4.0, 8.0, 20.0,
];
/// The same for other spreads: each half a decade after the one before.
const WORKS_SPREAD: [f64; 9] = [0.002, 0.006_325, 0.02, 0.063_25, 0.2, 0.6325, 2.0, 6.325, 20.0];
/// Places of the load; saturation follows behind the last one and is known.
const LOADS_QUOTA: usize = 12;
const LOADS_FREE: usize = 12;
/// The lowest load that is simulated, in place of zero.
const LOAD_LEAST: f64 = 0.004;

const FIGURES: usize = QUANTILES + 2;
/// Two bytes each for the first two figures and the median, one for each step from quantile to quantile.
const CELL: usize = 6 + QUANTILES - 1;
const CELLS_QUOTA: usize = CORES.len() * QUOTAS * (WORKS_CONSTANT.len() + 2 * WORKS_SPREAD.len()) * LOADS_QUOTA;
const CELLS_FREE: usize = SPREADS.len() * 2 * CORES.len() * LOADS_FREE;

/// Up to about this share of the bare response time, what the quota costs counts linearly, above it by its logarithm.
const KNEE: f64 = 0.1;
/// Keeps [`Cell::between`] from being all noise where the quota cannot cost anything.
const STEADY: f64 = 0.05;

/// One simulated station at one load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// The station.
    pub station: Station,
    /// Its load.
    pub load: f64,
}

/// What is kept of a trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// How far the mean lies between two closed forms. With a quota: from 0, the bare cores, to 1, a core as slow as
    /// the quota, by `ln(1 + cost / KNEE)` where the cost is in multiples of the bare response time. Workers without a
    /// quota: `ln(wait / wait of Allen and Cunneen)`. Otherwise 0.
    pub between: f64,
    /// Share of quota periods that end throttled.
    pub throttled: f64,
    /// `ln(quantile / mean)`.
    pub quantiles: [f64; QUANTILES],
}

/// All trials, in the order of the file.
#[must_use]
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::with_capacity(CELLS_QUOTA + CELLS_FREE);
    for spread in SPREADS {
        for cores in CORES {
            for quota in 0..QUOTAS {
                let quota = whole(quota_at(quota, f64::from(cores)) * 1000.0);
                for &ratio in works(spread) {
                    let work = Span::from_nanos(whole(ratio * quota as f64 / 1000.0 * PERIOD * 1e9));
                    let quota = Some(Millicores::new(quota));
                    let station = Station { cores, quota, workers: None, work, spread, spins: Millicores::ZERO };
                    let warp = quota_warp(ratio, spread);
                    let load = |place: usize| warp.load(place as f64 / LOADS_QUOTA as f64).max(LOAD_LEAST);
                    trials.extend((0..LOADS_QUOTA).map(|place| Trial { station, load: load(place) }));
                }
            }
        }
    }
    for spread in SPREADS {
        for workers in [false, true] {
            for cores in CORES {
                let workers = workers.then_some(cores);
                let station = Station {
                    cores,
                    quota: None,
                    workers,
                    work: Span::from_millis(10),
                    spread,
                    spins: Millicores::ZERO,
                };
                let load = |place: usize| FREE_WARP.load(place as f64 / LOADS_FREE as f64).max(LOAD_LEAST);
                trials.extend((0..LOADS_FREE).map(|place| Trial { station, load: load(place) }));
            }
        }
    }
    trials
}

/// The cell of a trial, by its place in [`trials`], as the file has it; `None` where the file ends before.
#[must_use]
pub fn kept(index: usize) -> Option<&'static [u8]> {
    TABLE.get(index * CELL..(index + 1) * CELL)
}

const BETWEEN_UNITS: f64 = 8000.0;
const THROTTLED_UNITS: f64 = 30_000.0;
const MEDIAN_UNITS: f64 = 2000.0;
/// The quantile in the middle, which the others are counted from.
const MEDIAN: usize = 6;

/// A step from quantile to quantile by its byte: cubic, so that small steps are kept finely and large ones at all.
fn step(byte: u8) -> f64 {
    let part = f64::from(byte) / 255.0;
    9.0 * part * part * part
}

/// The byte whose step is nearest.
fn step_byte(size: f64) -> u8 {
    u8::try_from(whole(libm::cbrt(size.max(0.0) / 9.0) * 255.0).min(255)).unwrap_or(u8::MAX)
}

impl Cell {
    /// The cell of a trial with what the oracle found: mean in seconds, share of periods throttled, quantiles in seconds.
    #[must_use]
    pub fn of(trial: &Trial, mean: f64, throttled: f64, quantiles: &[f64; QUANTILES]) -> Self {
        let work = trial.station.work.as_secs();
        let ratio = mean / work;
        let between = match (trial.station.binding_quota(), trial.station.workers) {
            (Some(quota), _) => {
                let bounds = Bounds::new(f64::from(trial.station.servers()), quota, trial.load);
                let first = first_guess(work / (quota * PERIOD), trial.station.spread, trial.load);
                bounds.between(ratio * (1.0 - trial.load), first)
            }
            (None, Some(workers)) => {
                let formula = queueing::limited_scaled(trial.station.cores, workers, trial.station.spread, trial.load);
                let wait = formula / (1.0 - trial.load) - 1.0;
                if wait > 1e-3 { libm::log(((ratio - 1.0) / wait).clamp(0.3, 3.0)) } else { 0.0 }
            }
            (None, None) => 0.0,
        };
        Self { between, throttled, quantiles: quantiles.map(|quantile| libm::log(quantile / mean)) }
    }

    /// The cell as the file has it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let figures =
            [self.between * BETWEEN_UNITS, self.throttled * THROTTLED_UNITS, self.quantiles[MEDIAN] * MEDIAN_UNITS];
        let mut bytes: Vec<u8> = figures.into_iter().flat_map(|figure| small(figure).to_le_bytes()).collect();
        let mut kept = f64::from(small(figures[2])) / MEDIAN_UNITS;
        for quantile in self.quantiles[..MEDIAN].iter().rev() {
            bytes.push(step_byte(kept - quantile));
            kept -= step(bytes[bytes.len() - 1]);
        }
        kept = f64::from(small(figures[2])) / MEDIAN_UNITS;
        for quantile in &self.quantiles[MEDIAN + 1..] {
            bytes.push(step_byte(quantile - kept));
            kept += step(bytes[bytes.len() - 1]);
        }
        bytes
    }
}

/// Sixteen bits, saturating.
fn small(figure: f64) -> i16 {
    let size = i16::try_from(whole(figure.abs())).unwrap_or(i16::MAX);
    if figure < 0.0 { -size } else { size }
}

/// `between`, `throttled` and the quantiles of a cell.
fn figures(index: usize) -> Option<[f64; FIGURES]> {
    let bytes = kept(index)?;
    let [between, throttled] = leading(bytes);
    let median = f64::from(i16::from_le_bytes([bytes[4], bytes[5]])) / MEDIAN_UNITS;
    let mut figures = [0.0; FIGURES];
    figures[0] = between;
    figures[1] = throttled;
    figures[2 + MEDIAN] = median;
    let (down, up) = bytes[6..].split_at(MEDIAN);
    for (index, byte) in down.iter().enumerate() {
        figures[1 + MEDIAN - index] = figures[2 + MEDIAN - index] - step(*byte);
    }
    for (index, byte) in up.iter().enumerate() {
        figures[3 + MEDIAN + index] = figures[2 + MEDIAN + index] + step(*byte);
    }
    Some(figures)
}

/// `between` and `throttled` of a cell's bytes.
fn leading(bytes: &[u8]) -> [f64; 2] {
    let figure = |at: usize| f64::from(i16::from_le_bytes([bytes[at], bytes[at + 1]]));
    [figure(0) / BETWEEN_UNITS, figure(2) / THROTTLED_UNITS]
}

/// The closed forms that a mean under a quota lies between, over mean work and times `1 − load`.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    bare: f64,
    /// What a core as slow as the quota adds.
    room: f64,
}

impl Bounds {
    fn new(servers: f64, quota: f64, load: f64) -> Self {
        let bare = (1.0 - load) * queueing::slowdown(servers, load * quota / servers);
        Self { bare, room: (queueing::shared_scaled(quota, load) - bare).max(0.0) }
    }

    /// How far a mean lies between, where `first` is a first guess at that.
    fn between(self, scaled: f64, first: f64) -> f64 {
        let knee = KNEE * self.bare + 1e-12;
        let cost = libm::log1p(((scaled - self.bare) / knee).max(-0.9));
        ((cost + STEADY * first) / (libm::log1p(self.room / knee) + STEADY)).clamp(-0.5, 2.0)
    }

    /// What the quota costs where the mean lies so far between.
    fn cost(self, between: f64, first: f64) -> f64 {
        let knee = KNEE * self.bare + 1e-12;
        let cost = between * (libm::log1p(self.room / knee) + STEADY) - STEADY * first;
        (knee * libm::expm1(cost)).clamp(0.0, 1.5 * self.room)
    }
}

/// A rule of thumb for [`Cell::between`]: it falls with what is free over what a period brings more or less.
fn first_guess(ratio: f64, spread: Spread, load: f64) -> f64 {
    libm::exp(-(1.0 - load) / period_noise(ratio, spread))
}

/// What a period brings varies by about this share of what it has, where mean work over the latter is `ratio`.
fn period_noise(ratio: f64, spread: Spread) -> f64 {
    libm::sqrt(ratio * (1.0 + queueing::variation(spread)) / 2.0)
}

const fn works(spread: Spread) -> &'static [f64] {
    match spread {
        Spread::Constant => &WORKS_CONSTANT,
        Spread::Exponential | Spread::Heavy => &WORKS_SPREAD,
    }
}

fn quota_at(index: usize, cores: f64) -> f64 {
    QUOTA_LEAST * libm::pow(QUOTA_MOST * cores / QUOTA_LEAST, index as f64 / (QUOTAS - 1) as f64)
}

/// The coordinate of the load where mean work over the CPU time of a period is `ratio`: the curve bends where less is
/// free than a period brings more or less.
fn quota_warp(ratio: f64, spread: Spread) -> Warp {
    Warp::new(2.0 * period_noise(ratio, spread).min(1.0))
}

const FREE_WARP: Warp = Warp::new(1.0);

/// Four neighbours on one axis of a table and their weights.
#[derive(Debug, Clone, Copy)]
struct Axis {
    indices: [usize; 4],
    weights: [f64; 4],
}

impl Axis {
    /// Between two neighbours, linear.
    fn linear(place: f64, length: usize) -> Self {
        let (index, part) = split(place, length);
        Self { indices: [index, (index + 1).min(length - 1), index, index], weights: [1.0 - part, part, 0.0, 0.0] }
    }

    /// Through four neighbours, cubic (Catmull and Rom 1974); linear at the ends.
    fn cubic(place: f64, length: usize) -> Self {
        let (index, part) = split(place, length);
        if index == 0 || index + 2 >= length {
            return Self::linear(place, length);
        }
        let (square, cube) = (part * part, part * part * part);
        let weights = [
            (-part + 2.0 * square - cube) / 2.0,
            (2.0 - 5.0 * square + 3.0 * cube) / 2.0,
            (part + 4.0 * square - 3.0 * cube) / 2.0,
            (cube - square) / 2.0,
        ];
        Self { indices: [index - 1, index, index + 1, index + 2], weights }
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, f64)> {
        self.indices.into_iter().zip(self.weights).filter(|(_, weight)| *weight != 0.0)
    }
}

/// The index left of a place, and how far it is from there to the next; clamped to the axis.
fn split(place: f64, length: usize) -> (usize, f64) {
    let place = place.clamp(0.0, (length - 1) as f64);
    let index = units::place(place).min(length - 2);
    (index, place - index as f64)
}

/// The place of a value among growing ones, by its logarithm.
fn place_among(known: &[f64], value: f64) -> f64 {
    let above = known.partition_point(|one| *one < value).clamp(1, known.len() - 1);
    let (low, high) = (known[above - 1], known[above]);
    (above - 1) as f64 + (libm::log(value / low) / libm::log(high / low)).clamp(0.0, 1.0)
}

fn core_axis(servers: f64) -> Axis {
    Axis::linear(place_among(&CORES.map(f64::from), servers), CORES.len())
}

/// Where a station with a quota lies in the table.
#[derive(Debug, Clone)]
pub(super) struct QuotaPlace {
    /// Index of the first cell of each neighbour in cores, quota and work, and its weight.
    neighbours: Vec<(usize, f64)>,
    servers: f64,
    quota: f64,
    /// The quota, where it is within the table, else the nearest that is.
    quota_within: f64,
    spread: Spread,
    /// Mean work over the CPU time of a period.
    ratio: f64,
    /// Beyond the largest work in the table the quota becomes a slow core, as one over the work.
    fade: f64,
    /// The coordinate of the load.
    pub(super) warp: Warp,
}

/// `between` and `throttled` by place of the load, saturation last.
pub(super) type Knots = [[f64; LOADS_QUOTA + 1]; 2];

impl QuotaPlace {
    /// The place of a station with so many servers, a quota in cores below that, and mean work in seconds.
    pub(super) fn new(servers: f64, quota: f64, work: f64, spread: Spread) -> Self {
        let ratio = work / (quota * PERIOD);
        let quota_within = quota.clamp(QUOTA_LEAST, QUOTA_MOST * servers);
        let step = libm::log(QUOTA_MOST * servers / QUOTA_LEAST) / (QUOTAS - 1) as f64;
        let quotas = Axis::cubic(libm::log(quota_within / QUOTA_LEAST) / step, QUOTAS);
        let known = works(spread);
        let works = match spread {
            Spread::Constant => Axis::linear(place_among(known, ratio), known.len()),
            Spread::Exponential | Spread::Heavy => Axis::cubic(place_among(known, ratio), known.len()),
        };
        let block = match spread {
            Spread::Constant => 0,
            Spread::Exponential => WORKS_CONSTANT.len(),
            Spread::Heavy => WORKS_CONSTANT.len() + WORKS_SPREAD.len(),
        } * CORES.len()
            * QUOTAS;
        let mut neighbours = Vec::with_capacity(32);
        for (core, core_weight) in core_axis(servers).pairs() {
            for (quota, quota_weight) in quotas.pairs() {
                for (work, work_weight) in works.pairs() {
                    let index = block + (core * QUOTAS + quota) * known.len() + work;
                    neighbours.push((index * LOADS_QUOTA, core_weight * quota_weight * work_weight));
                }
            }
        }
        let fade = (known[known.len() - 1] / ratio).min(1.0);
        let warp = quota_warp(ratio, spread);
        Self { neighbours, servers, quota, quota_within, spread, ratio, fade, warp }
    }

    /// The figures of this station by place of the load.
    pub(super) fn knots(&self) -> Knots {
        let mut knots = [[1.0; LOADS_QUOTA + 1]; 2];
        let [between, throttled] = &mut knots;
        for (load, (between, throttled)) in between.iter_mut().zip(throttled).take(LOADS_QUOTA).enumerate() {
            (*between, *throttled) = (0.0, 0.0);
            for &(first, weight) in &self.neighbours {
                let [one, other] = kept(first + load).map_or([0.0; 2], leading);
                *between += weight * one;
                *throttled += weight * other;
            }
            *between = 1.0 + self.fade * (*between - 1.0);
        }
        knots
    }

    /// Mean response over mean work, times `1 − load`, and the share of throttled periods, at a load.
    pub(super) fn read(&self, knots: &Knots, load: f64) -> (f64, f64) {
        let (index, part) = split(self.warp.of(load) * LOADS_QUOTA as f64, LOADS_QUOTA + 1);
        let [between, throttled] = knots.map(|row| curve::bounded(&row, index, part));
        let bounds = Bounds::new(self.servers, self.quota, load);
        let first = first_guess(self.ratio, self.spread, load);
        let cost = if self.quota == self.quota_within {
            bounds.cost(between, first)
        } else {
            let within = Bounds::new(self.servers, self.quota_within, load);
            let share = if within.room > 1e-9 { within.cost(between, first) / within.room } else { 0.0 };
            share * bounds.room
        };
        (bounds.bare + cost, throttled.clamp(0.0, 1.0))
    }

    /// A rule of thumb for how far the station is towards a core as slow as the quota.
    pub(super) fn first_guess(&self, load: f64) -> f64 {
        first_guess(self.ratio, self.spread, load)
    }

    /// `ln(quantile / mean)` at the places of the load on either side of a load, and the weight of the second.
    pub(super) fn quantiles(&self, load: f64) -> ([[f64; QUANTILES]; 2], f64) {
        let (place, part) = split(self.warp.of(load) * LOADS_QUOTA as f64, LOADS_QUOTA);
        let at = |place: usize| mix(self.neighbours.iter().map(|&(first, weight)| (first + place, weight)));
        ([at(place), at(place + 1)], part)
    }

    /// The load at a place.
    pub(super) fn load_near(&self, load: f64) -> [f64; 2] {
        let (place, _) = split(self.warp.of(load) * LOADS_QUOTA as f64, LOADS_QUOTA);
        [place, place + 1].map(|place| self.warp.load(place as f64 / LOADS_QUOTA as f64).max(LOAD_LEAST))
    }
}

/// Where a station without a quota lies in the table: requests that share (`ordered` false) or wait in order.
#[derive(Debug, Clone)]
pub(super) struct FreePlace {
    neighbours: Vec<(usize, f64)>,
}

/// In which order requests are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// All at once.
    Shared,
    /// As they came, each by a worker with a core of its own.
    Queued,
}

impl FreePlace {
    pub(super) fn new(servers: f64, spread: Spread, order: Order) -> Self {
        let spread_index = SPREADS.iter().position(|known| *known == spread).unwrap_or(0);
        let block = spread_index * 2 + usize::from(order == Order::Queued);
        let cores = core_axis(servers);
        let first = |core: usize| CELLS_QUOTA + (block * CORES.len() + core) * LOADS_FREE;
        Self { neighbours: cores.pairs().map(|(core, weight)| (first(core), weight)).collect() }
    }

    fn cells(&self, load: f64) -> impl Iterator<Item = (usize, f64)> {
        let axis = Axis::cubic(FREE_WARP.of(load) * LOADS_FREE as f64, LOADS_FREE);
        self.neighbours.iter().flat_map(move |&(first, weight)| {
            axis.pairs().map(move |(load, load_weight)| (first + load, weight * load_weight)).collect::<Vec<_>>()
        })
    }

    /// Factor on the wait of Allen and Cunneen.
    pub(super) fn wait_factor(&self, load: f64) -> f64 {
        libm::exp(self.cells(load).map(|(cell, weight)| weight * figures(cell).map_or(0.0, |f| f[0])).sum::<f64>())
    }

    /// `ln(quantile / mean)` at a load.
    pub(super) fn quantiles(&self, load: f64) -> [f64; QUANTILES] {
        mix(self.cells(load))
    }
}

/// The weighted mean of the quantiles of cells.
fn mix(cells: impl Iterator<Item = (usize, f64)>) -> [f64; QUANTILES] {
    let mut mixed = [0.0; QUANTILES];
    for (index, weight) in cells {
        let figures = figures(index).unwrap_or([0.0; FIGURES]);
        mixed.iter_mut().zip(&figures[2..]).for_each(|(sum, figure)| *sum += weight * figure);
    }
    mixed
}
