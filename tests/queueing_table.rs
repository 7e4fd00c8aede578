//! The table of `world::sim::response`: what the oracle finds for each of its stations.
//!
//! `PLIMSOLL_UPDATE=1 cargo test --release --test queueing_table` computes all of it again, from fixed seeds; otherwise
//! a few of its cells are computed again and compared.

use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::whole;
use plimsoll::world::sim::oracle::Batches;
use plimsoll::world::sim::response::shape::PROBABILITIES;
use plimsoll::world::sim::response::table;
use plimsoll::world::sim::response::table::Cell;
use plimsoll::world::sim::response::table::Trial;
use rayon::prelude::*;

/// What the oracle finds for a trial. Heavy work and heavy load take more requests to settle.
fn computed(trial: &Trial) -> Cell {
    let heavy = if trial.station.spread == Spread::Heavy { 2.0 } else { 1.0 };
    let requests = whole((0.8e5 * heavy / (1.0 - trial.load)).min(0.8e6));
    // The table was made before a station could say that something spins in it.
    let random = Seed::new(1).stream(&format!("{trial:?}").replace(", spins: Millicores(0)", ""));
    let batches = Batches::run(&trial.station, trial.load, requests, random);
    let mut quantiles = PROBABILITIES.map(|probability| batches.quantile(probability).value);
    for index in 1..quantiles.len() {
        quantiles[index] = quantiles[index].max(quantiles[index - 1]);
    }
    Cell::of(trial, batches.mean().value, batches.whole.throttled, &quantiles)
}

#[test]
fn the_table_is_what_the_oracle_finds() {
    let trials = table::trials();
    if std::env::var_os("PLIMSOLL_UPDATE").is_some() {
        let bytes: Vec<u8> = trials.par_iter().flat_map_iter(|trial| computed(trial).bytes()).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/world/sim/response/table.bin");
        std::fs::write(path, bytes).expect("writes the table");
        return;
    }
    assert!(table::kept(trials.len() - 1).is_some() && table::kept(trials.len()).is_none(), "another number of cells");
    let some: Vec<usize> = (0..trials.len()).skip(700).step_by(1511).collect();
    some.into_par_iter().for_each(|index| {
        let found = computed(&trials[index]).bytes();
        assert_eq!(table::kept(index), Some(found.as_slice()), "cell {index}: {:?}", trials[index]);
    });
}
