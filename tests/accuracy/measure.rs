//! Runs of the oracle in batches, so that each figure comes with how sure it is.

use plimsoll::model::Scenario;
use plimsoll::seed::Seed;
use plimsoll::world::oracle::Oracle;
use plimsoll::world::oracle::ServiceOutcome;

/// Batches of a run.
const BATCHES: u32 = 20;

/// What a run found of one service.
pub(crate) struct Seen {
    /// All batches together.
    pub(crate) whole: ServiceOutcome,
    /// Standard deviation of the mean response time, as a share of it.
    pub(crate) deviation: f64,
}

impl Seen {
    /// The mean response time meets a closed form within `z = 4`, and the interval is narrow enough to say something.
    pub(crate) fn assert_mean(&self, wanted: f64, case: &str) {
        let (seen, interval) = (self.whole.mean(), 4.0 * self.deviation);
        let error = seen / wanted - 1.0;
        assert!(error.abs() <= interval, "{case}: {seen} for {wanted}, more than {interval:.4} off");
        assert!(interval < 0.12, "{case}: too few requests to tell: {interval:.4}");
    }
}

/// Runs a scenario for so many seconds after a warm-up of a tenth of it; the services in the order of their names.
pub(crate) fn observe(scenario: &Scenario, seconds: f64) -> Vec<Seen> {
    let mut oracle = Oracle::new(scenario, Seed::new(7)).expect("constant rates");
    oracle.advance(seconds / 10.0);
    let _ = oracle.take();
    let batches: Vec<Vec<ServiceOutcome>> = (0..BATCHES)
        .map(|_| {
            oracle.advance(seconds / f64::from(BATCHES));
            oracle.take().services
        })
        .collect();
    (0..batches[0].len()).map(|place| together(batches.iter().map(|batch| &batch[place]))).collect()
}

/// Of each figure at a load of so many percent, half of the errors are no more than `most`; shown with `--nocapture`.
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
pub(crate) fn assert_medians<const N: usize>(errors: &[[f64; N]], figures: [&str; N], most: f64, band: u32) {
    for (place, figure) in figures.into_iter().enumerate() {
        let mut sorted: Vec<f64> = errors.iter().map(|error| error[place].abs()).collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let [median, nine, worst] = [count / 2, count * 9 / 10, count - 1].map(|at| sorted[at]);
        println!("{band:3} %, {figure}: median {median:.3}, nine of ten {nine:.3}, worst {worst:.3}");
        assert!(median <= most, "{figure} at {band} %: {median:.3}");
    }
}

/// Batches of one service, all of the same length.
pub(crate) fn together<'a>(mut batches: impl Iterator<Item = &'a ServiceOutcome> + Clone) -> Seen {
    let all = batches.clone();
    let mut whole = batches.next().expect("a batch").clone();
    let mut count = 1.0;
    for batch in batches {
        whole.merge(batch, count / (count + 1.0));
        count += 1.0;
    }
    let mean = whole.mean();
    let squares: f64 = all.map(|batch| batch.mean() / mean - 1.0).map(|gap| gap * gap).sum();
    Seen { whole, deviation: (squares / (count - 1.0) / count).sqrt() }
}
