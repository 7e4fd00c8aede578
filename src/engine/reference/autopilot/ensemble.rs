//! Autopilot's second vertical recommender: many simple models, each with its own decay and margin, and the one that
//! would have cost the least so far decides.
//! SOURCE: the Autopilot paper, section 3.2.3, equations 4 to 9. It tunes its weights off-line and publishes none, so
//! there are no defaults here. Before you change it:
//! 1. Costs count samples, so weights depend on how many samples a window has.
//! 2. The limit of a model is a boundary of the histogram plus its margin; only the boundary is compared with the one
//!    before it when the model decides (equation 6), the sum when the model is charged (equation 8).
//! 3. Equation 9 charges a model for changing the limit, and compares with `L[t]`, which it defines; read here as
//!    `L[t-1]`.
//! 4. Of equal costs the lowest limit, and the first model, is taken (ours).

use super::Buckets;

/// What the ensemble is charged for.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CostWeights {
    /// `w_o`: a sample above the limit.
    pub overrun: f64,
    /// `w_u`: a sample below the limit.
    pub underrun: f64,
    /// `w_ΔL`: a limit that changes.
    pub limit_change: f64,
    /// `w_Δm`: another model that decides.
    pub model_change: f64,
    /// `d`: the weight of the latest window in the cost of a model, between zero and one.
    pub decay: f64,
}

/// One model.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Model {
    /// `d_m`: the weight of the latest window, between zero and one.
    pub decay: f64,
    /// `M_m`: what it adds to its limit, in the unit of the limit.
    pub margin: f64,
    /// `o(L)` and `u(L)` by boundary.
    overruns: Vec<f64>,
    underruns: Vec<f64>,
    /// The boundary it chose last.
    bucket: Option<usize>,
    /// That boundary and its margin.
    limit: Option<f64>,
    /// `c_m`.
    cost: f64,
}

/// All models of one job and resource.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ensemble {
    buckets: Buckets,
    weights: CostWeights,
    models: Vec<Model>,
    chosen: Option<usize>,
    limit: Option<f64>,
}

impl Model {
    /// A model that has seen nothing yet.
    #[must_use]
    pub const fn new(decay: f64, margin: f64) -> Self {
        Self { decay, margin, overruns: Vec::new(), underruns: Vec::new(), bucket: None, limit: None, cost: 0.0 }
    }

    /// What it would have cost so far, later windows counting more.
    #[must_use]
    pub const fn cost(&self) -> f64 {
        self.cost
    }

    /// The limit it recommends; `None` before its first window.
    #[must_use]
    pub const fn limit(&self) -> Option<f64> {
        self.limit
    }

    fn close_window(&mut self, buckets: &Buckets, weights: &CostWeights, histogram: &[u64]) {
        self.overruns.resize(buckets.count(), 0.0);
        self.underruns.resize(buckets.count(), 0.0);
        let samples = |bucket: usize| histogram.get(bucket).map_or(0.0, |samples| *samples as f64);
        let (mut over, mut under): (f64, f64) = ((0..buckets.count()).map(samples).sum(), 0.0);
        let mut best = None;
        for bucket in 0..buckets.count() {
            over -= samples(bucket);
            self.overruns[bucket] = smoothed(self.decay, self.overruns[bucket], over);
            self.underruns[bucket] = smoothed(self.decay, self.underruns[bucket], under);
            let changes = f64::from(self.bucket.is_some_and(|before| before != bucket));
            let cost = weights.overrun * self.overruns[bucket]
                + weights.underrun * self.underruns[bucket]
                + weights.limit_change * changes;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, bucket));
            }
            under += samples(bucket);
        }
        let Some((_, bucket)) = best else { return };
        let limit = buckets.bound(bucket) + self.margin;
        let (over, under) = outside(buckets, histogram, limit);
        let changes = f64::from(self.limit.is_some_and(|before| before != limit));
        let cost = weights.overrun * over + weights.underrun * under + weights.limit_change * changes;
        self.cost = smoothed(weights.decay, self.cost, cost);
        (self.bucket, self.limit) = (Some(bucket), Some(limit));
    }
}

impl Ensemble {
    /// An ensemble that has seen nothing yet.
    #[must_use]
    pub const fn new(buckets: Buckets, weights: CostWeights, models: Vec<Model>) -> Self {
        Self { buckets, weights, models, chosen: None, limit: None }
    }

    /// Its models, as they are now.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model that decides, by its place in the list.
    #[must_use]
    pub const fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// Takes a window and recommends a limit; `None` without any model. Windows are five minutes long and have no gaps
    /// between them: smoothing is by window, not by time.
    ///
    /// ```
    /// use plimsoll::engine::reference::autopilot::Buckets;
    /// use plimsoll::engine::reference::autopilot::CostWeights;
    /// use plimsoll::engine::reference::autopilot::Ensemble;
    /// use plimsoll::engine::reference::autopilot::Model;
    ///
    /// let buckets = Buckets::new(vec![1.0, 2.0, 4.0]).expect("they rise");
    /// let weights = CostWeights { overrun: 5.0, underrun: 1.0, limit_change: 0.0, model_change: 0.0, decay: 0.5 };
    /// let mut ensemble = Ensemble::new(buckets, weights, vec![Model::new(1.0, 0.5)]);
    /// // A limit of 1 costs 2 · 5, one of 2 costs 4 + 5, one of 4 costs 5; 0.5 is the model's margin.
    /// assert_eq!(ensemble.close_window(&[4, 1, 1]), Some(4.5));
    /// ```
    pub fn close_window(&mut self, histogram: &[u64]) -> Option<f64> {
        let mut best: Option<(f64, usize)> = None;
        for (index, model) in self.models.iter_mut().enumerate() {
            model.close_window(&self.buckets, &self.weights, histogram);
            let other_model = f64::from(self.chosen.is_some_and(|chosen| chosen != index));
            let other_limit = f64::from(self.limit.is_some() && self.limit != model.limit);
            let cost = model.cost + self.weights.model_change * other_model + self.weights.limit_change * other_limit;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, index));
            }
        }
        let (_, chosen) = best?;
        self.chosen = Some(chosen);
        self.limit = self.models[chosen].limit;
        self.limit
    }
}

/// Samples in buckets above a limit, and in buckets below it.
fn outside(buckets: &Buckets, histogram: &[u64], limit: f64) -> (f64, f64) {
    let (mut over, mut under) = (0.0, 0.0);
    for (bucket, samples) in histogram.iter().take(buckets.count()).enumerate() {
        if buckets.bound(bucket) > limit {
            over += *samples as f64;
        } else if buckets.bound(bucket) < limit {
            under += *samples as f64;
        }
    }
    (over, under)
}

fn smoothed(decay: f64, before: f64, now: f64) -> f64 {
    (1.0 - decay) * before + decay * now
}
