//! The search itself: NSGA-II (Deb, Pratap, Agarwal and Meyarivan, IEEE Transactions on Evolutionary Computation 6, 2002), as
//! the crate `heuropt` has it. The crate ranks, breeds and lets survive; which values there are, how two of them are mixed, and
//! when a point is run is ours.
//!
//! Before you change it:
//! 1. A decision is a place for each field, whole numbers. The crate does nothing with them but hand them back, compares
//!    worths, and adds and divides them: nothing in it depends on the mathematics of a platform or on threads.
//! 2. Randomness comes from one seed: places are drawn from a stream of ours, and who is chosen for breeding from the crate's
//!    own generator (ChaCha, whole numbers), which is seeded from that stream.
//! 3. The same space, seed and worths give the same decisions in the same order. Taking a run up again rests on it.
//! 4. No decision is asked for twice.

use super::space::Decision;
use super::space::Space;
use crate::seed::Seed;
use heuropt::algorithms::nsga2::Nsga2;
use heuropt::algorithms::nsga2::Nsga2Config;
use heuropt::core::Evaluation;
use heuropt::core::Objective;
use heuropt::core::ObjectiveSpace;
use heuropt::core::Problem;
use heuropt::core::Rng as CrateRng;
use heuropt::traits::Initializer;
use heuropt::traits::Optimizer;
use heuropt::traits::Variation;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// So often another child is tried where one is known or does not fit.
const TRIES: usize = 32;
/// Figures are cut here: one that is endless would leave no difference between the others.
const FAR: f64 = 1e15;

/// What a decision is worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Worth {
    /// Each aim; lower is better. What is endless, or not a number, counts as very high.
    pub(super) aims: Vec<f64>,
    /// How much it breaks of what it must hold; zero for nothing. Who breaks nothing comes before who breaks something, and of
    /// two that break something the one that breaks less (Deb's rules).
    pub(super) broken: f64,
}

/// What is searched.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// The decisions there are.
    pub(super) space: &'a Space,
    /// Decisions that are tried first.
    pub(super) first: &'a [Decision],
    /// Most decisions that are asked for.
    pub(super) points: usize,
    /// How many aims there are.
    pub(super) aims: usize,
    /// All that is drawn is drawn from it.
    pub(super) seed: Seed,
    /// Whether a decision can be tried at all; another one is drawn for one that cannot.
    pub(super) fits: &'a (dyn Fn(&Decision) -> bool + Sync),
}

/// Who says what the decisions of a generation are worth, each in its place; `None` where the search is to end.
pub(super) type Ask<'a> = dyn FnMut(u64, &[Decision]) -> Option<Vec<Worth>> + Send + 'a;

/// Searches, and asks what each new decision is worth, a generation at a time.
pub(super) fn search(question: Question<'_>, ask: &mut Ask<'_>) {
    let mut stream = question.seed.stream("sweep/optimise");
    let seed = stream.next_u64();
    let size = population(question.points);
    let state = Mutex::new(State {
        question,
        stream,
        ask,
        begun: Vec::new(),
        known: BTreeMap::new(),
        drawn: BTreeSet::new(),
        left: question.points,
        generation: 0,
    });
    // Generations in which each child is known already take nothing from the points that are left.
    let generations = 4 * question.points.div_ceil(size) + 8;
    let config = Nsga2Config { population_size: size, generations, seed };
    Nsga2::new(config, Shared(&state), Shared(&state)).run(&Shared(&state));
}

/// How many survive a generation: enough for a front, and few enough for seven generations and more.
fn population(points: usize) -> usize {
    (points / 8).clamp(4, 48).next_multiple_of(2)
}

struct State<'a, 'b> {
    question: Question<'a>,
    stream: Pcg64,
    ask: &'a mut Ask<'b>,
    /// Children whose worth nobody asked for so far.
    begun: Vec<Decision>,
    known: BTreeMap<Decision, Worth>,
    /// All that were children, and those that do not fit.
    drawn: BTreeSet<Decision>,
    left: usize,
    generation: u64,
}

/// The state as the three things that the crate asks for. It calls them one after another.
struct Shared<'m, 'a, 'b>(&'m Mutex<State<'a, 'b>>);

impl<'a, 'b> Shared<'_, 'a, 'b> {
    fn state(&self) -> MutexGuard<'_, State<'a, 'b>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Initializer<Decision> for Shared<'_, '_, '_> {
    fn initialize(&mut self, size: usize, _: &mut CrateRng) -> Vec<Decision> {
        let mut state = self.state();
        let question = state.question;
        let drawn = question.space.spread(size, &mut state.stream);
        let all = question.first.iter().cloned().chain(drawn).take(size).collect::<Vec<_>>();
        all.into_iter().map(|decision| state.fresh(decision)).collect()
    }
}

impl Variation<Decision> for Shared<'_, '_, '_> {
    fn vary(&mut self, parents: &[Decision], _: &mut CrateRng) -> Vec<Decision> {
        let mut state = self.state();
        let space = state.question.space;
        let [one, other] = parents else { return parents.to_vec() };
        let (mut one, mut other) = (one.clone(), other.clone());
        space.cross(&mut one, &mut other, &mut state.stream);
        [one, other]
            .into_iter()
            .map(|mut child| {
                space.mutate(&mut child, &mut state.stream);
                state.fresh(child)
            })
            .collect()
    }
}

impl Problem for Shared<'_, '_, '_> {
    type Decision = Decision;

    fn objectives(&self) -> ObjectiveSpace {
        let aims = self.state().question.aims;
        ObjectiveSpace::new((0..aims).map(|place| Objective::minimize(place.to_string())).collect())
    }

    fn evaluate(&self, decision: &Decision) -> Evaluation {
        let mut state = self.state();
        if !state.known.contains_key(decision) {
            state.ask_for_all();
        }
        match state.known.get(decision) {
            Some(worth) => Evaluation::constrained(worth.aims.clone(), worth.broken),
            // The points are used up, or the search ended: nothing that follows counts.
            None => Evaluation::constrained(vec![FAR; state.question.aims], FAR),
        }
    }
}

impl State<'_, '_> {
    /// The child, or one near it where it is known or does not fit. It waits to be asked for.
    fn fresh(&mut self, mut child: Decision) -> Decision {
        let question = self.question;
        for _ in 0..TRIES {
            if self.left == 0 {
                return child;
            }
            if self.drawn.insert(child.clone()) && (question.fits)(&child) {
                self.begun.push(child.clone());
                return child;
            }
            question.space.jump(&mut child, &mut self.stream);
        }
        // Nothing new near it: one that is known costs nothing.
        self.known.keys().next().cloned().unwrap_or(child)
    }

    fn ask_for_all(&mut self) {
        let mut asked = std::mem::take(&mut self.begun);
        asked.truncate(self.left);
        if asked.is_empty() {
            return;
        }
        let Some(worths) = (self.ask)(self.generation, &asked) else {
            self.left = 0;
            return;
        };
        self.left -= asked.len();
        self.generation += 1;
        let near = |aim: f64| if aim.is_nan() { FAR } else { aim.clamp(-FAR, FAR) };
        for (decision, worth) in asked.into_iter().zip(worths) {
            let aims = worth.aims.into_iter().map(near).collect();
            self.known.insert(decision, Worth { aims, broken: near(worth.broken) });
        }
    }
}
