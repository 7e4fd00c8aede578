//! How warm the host is, and the clock that follows from it. Before you change it:
//! 1. Two masses, each at one temperature: the chip takes up the power, gives its heat to the case, and the case to the
//!    room. Their way through one second at a constant power is exact, whatever the step of the simulation.
//! 2. The governor looks once a second. It holds the chip at its target: it lowers the clock of the fast cores in
//!    proportion to what the chip is above the start, and by what it was above the target all the time.
//! 3. Power follows the governor's clock as it is. What requests see of it moves in steps of [`STEP`], since each makes the
//!    means anew; a power that moved in them, too, would swing for ever between the two around the right one.

use super::World;
use super::cpu::Cores;
use crate::model::Heat;
use crate::model::Throttle;
use crate::units;
use crate::units::Permille;
use crate::units::Temperature;
use crate::units::whole;

/// By what share the clock falls for each kelvin above the start. This and the next figure follow the clock of a MacBook
/// Air under Cinebench R23 (digitised graph of the articles of Thomas Kaiser) within 4 % for ten minutes.
const PROPORTIONAL: f64 = 0.03;
/// By what share the clock falls for each second and kelvin above the target.
const INTEGRAL: f64 = 0.001;
/// By what share the clock changes in a second at most.
const FASTEST: f64 = 0.02;
/// The steps of the clock in which requests see it, 47 MHz each of 3 GHz.
const STEPS: usize = 64;
const STEP: f64 = 1.0 / STEPS as f64;
/// The clock leaves a step when it is by so much of one away from it, so that it does not go to and fro.
const LEAVES: f64 = 0.75;

/// Temperatures and clock of a host.
pub(super) struct Warmth {
    /// Temperature of the room in degrees Celsius: now, and without a fault.
    ambient: f64,
    usual_ambient: f64,
    base: f64,
    /// Power of each group of cores at the present clock, in watts.
    groups: Vec<f64>,
    /// Power of the fast cores in watts at each step of the clock, from none to the full one.
    powers: Vec<f64>,
    /// Kelvin per watt from the chip to the case, and from the case to the room.
    resistance: (f64, f64),
    /// What is left of a difference from the steady state after a second: of the chip, then of the case.
    left: [[f64; 2]; 2],
    /// Degrees Celsius.
    chip: f64,
    case: f64,
    governor: Governor,
    /// Seconds since the governor looked.
    elapsed: f64,
    /// Seconds in which each group was busy since then, a part of its cores counting as a part.
    busy: Vec<f64>,
    /// Since the last sample: the warmest chip, the lowest clock.
    warmest: f64,
    slowest: f64,
}

/// Holds the chip at its target.
struct Governor {
    throttle: Throttle,
    /// By what share the clock is lowered for what was above the target.
    lowered: f64,
    /// The clock it would set, and the one that the cores follow, as shares of the full one.
    level: f64,
    clock: f64,
}

impl Governor {
    /// Looks at the chip; whether the cores get another clock.
    fn look(&mut self, chip: f64) -> bool {
        let Throttle { start, target, hard, lowest } = self.throttle;
        let lowest = lowest.as_fraction().clamp(0.001, 1.0);
        self.lowered = (self.lowered + INTEGRAL * (chip - target.as_celsius())).clamp(0.0, 1.0 - lowest);
        let above = (chip - start.as_celsius()).max(0.0);
        let wanted = (1.0 - PROPORTIONAL * above - self.lowered).max(lowest);
        let wanted = if chip >= hard.as_celsius() { lowest } else { wanted };
        self.level += (wanted - self.level).clamp(-FASTEST, FASTEST);
        if (self.level - self.clock).abs() < LEAVES * STEP {
            return false;
        }
        self.clock = ((self.level / STEP).round() * STEP).clamp(lowest, 1.0);
        true
    }
}

impl Warmth {
    /// A host that did nothing for a long time.
    pub(super) fn of(heat: &Heat) -> Self {
        let of = |milli: u64| milli.max(1) as f64 / 1000.0;
        let (base, ambient) = (heat.base.as_watts(), heat.ambient.as_celsius());
        let resistance = (of(heat.chip.resistance), of(heat.case.resistance));
        let groups: Vec<f64> = heat.groups.iter().map(|power| power.as_watts()).collect();
        let (full, exponent) = (groups.first().copied().unwrap_or(0.0), heat.exponent as f64 / 1000.0);
        let powers = (0..=STEPS).map(|step| full * libm::pow(step as f64 / STEPS as f64, exponent));
        let case = ambient + base * resistance.1;
        let chip = case + base * resistance.0;
        Self {
            ambient,
            usual_ambient: ambient,
            base,
            busy: vec![0.0; groups.len()],
            groups,
            powers: powers.collect(),
            resistance,
            left: left_after_a_second(resistance, (of(heat.chip.capacity), of(heat.case.capacity))),
            chip,
            case,
            governor: Governor { throttle: heat.throttle, lowered: 0.0, level: 1.0, clock: 1.0 },
            elapsed: 0.0,
            warmest: chip,
            slowest: 1.0,
        }
    }

    /// From now on the room is warmer than usual by so many kelvin.
    pub(super) const fn set_ambient_up(&mut self, up: f64) {
        self.ambient = self.usual_ambient + up;
    }

    /// So many seconds pass while the cores do `done` reference cores of work, that of the system included. Whether they
    /// get another clock.
    fn pass(&mut self, cores: &Cores, done: f64, seconds: f64) -> bool {
        for (busy, share) in self.busy.iter_mut().zip(cores.busy(done)) {
            *busy += share * seconds;
        }
        self.elapsed += seconds;
        let mut changed = false;
        // A hair less than a second, since steps of a tenth do not add up to one exactly.
        while self.elapsed >= 1.0 - 1e-9 {
            let used: f64 = self.groups.iter().zip(&self.busy).map(|(power, busy)| power * busy).sum();
            self.warm(self.base + used / self.elapsed);
            changed |= self.governor.look(self.chip);
            self.follow();
            let rest = ((self.elapsed - 1.0) / self.elapsed).max(0.0);
            self.busy.iter_mut().for_each(|busy| *busy *= rest);
            self.elapsed *= rest;
        }
        changed
    }

    /// A second at a power in watts.
    fn warm(&mut self, power: f64) {
        let case = self.ambient + power * self.resistance.1;
        let chip = case + power * self.resistance.0;
        let away = [self.chip - chip, self.case - case];
        self.chip = chip + self.left[0][0] * away[0] + self.left[0][1] * away[1];
        self.case = case + self.left[1][0] * away[0] + self.left[1][1] * away[1];
        self.warmest = self.warmest.max(self.chip);
        debug_assert!(self.chip.is_finite() && self.case.is_finite(), "{} and {}", self.chip, self.case);
    }

    /// The fast cores use what they use at their clock, between two steps in proportion.
    fn follow(&mut self) {
        self.slowest = self.slowest.min(self.governor.clock);
        let place = self.governor.level * STEPS as f64;
        let step = units::place(place).min(STEPS - 1);
        if let (Some(power), [from, to, ..]) = (self.groups.first_mut(), &self.powers[step..]) {
            *power = from + (to - from) * (place - step as f64);
        }
    }

    /// The warmest chip and the lowest clock since the last sample.
    pub(super) fn sample(&mut self) -> (Temperature, Permille) {
        let warmest = Temperature::milli(whole(self.warmest * 1000.0));
        let slowest = Permille::new(whole(self.slowest * 1000.0));
        (self.warmest, self.slowest) = (self.chip, self.governor.clock);
        (warmest, slowest)
    }
}

/// What is left of differences from the steady state after a second: the exponential of the matrix of
/// `C₁ T₁' = P − (T₁ − T₂) / R₁` and `C₂ T₂' = (T₁ − T₂) / R₁ − (T₂ − T₀) / R₂`, by its two eigenvalues, which are real
/// and differ for whatever passive masses.
fn left_after_a_second(resistance: (f64, f64), capacity: (f64, f64)) -> [[f64; 2]; 2] {
    let a = 1.0 / (resistance.0 * capacity.0);
    let b = 1.0 / (resistance.0 * capacity.1);
    let c = 1.0 / (resistance.1 * capacity.1);
    let sum = a + b + c;
    let root = (sum * sum - 4.0 * a * c).max(0.0).sqrt().max(1e-12);
    let (slow, fast) = (-2.0 * a * c / (sum + root), -(sum + root) / 2.0);
    let (after_slow, after_fast) = (libm::exp(slow), libm::exp(fast));
    let of = |entry: f64, unit: f64| {
        (after_slow * (entry - fast * unit) - after_fast * (entry - slow * unit)) / (slow - fast)
    };
    [[of(-a, 1.0), of(a, 0.0)], [of(b, 0.0), of(-(b + c), 1.0)]]
}

impl World {
    /// The host gets warm in the steps that were counted last: how many of these have passed until the cores get another
    /// clock, or all, and that clock.
    pub(super) fn warm(&mut self, steps: usize) -> (usize, Option<f64>) {
        let Some(warmth) = &mut self.warmth else { return (steps, None) };
        let (system, seconds) =
            (if self.conditions.host_gone { 0.0 } else { self.cores.system + self.outside }, self.step_secs);
        for (step, used) in self.counter.used().iter().enumerate() {
            let done = (used + self.starting_cpu) / seconds + system;
            if warmth.pass(&self.cores, done, seconds) {
                return (step + 1, Some(warmth.governor.clock));
            }
        }
        (steps, None)
    }

    /// From now on the cores follow another clock.
    pub(super) fn follow_clock(&mut self, clock: f64) {
        self.book();
        self.cores.set_clock(clock);
        self.fit_cores();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CoreGroup;
    use crate::model::Host;
    use crate::model::Mass;
    use crate::units::Bytes;
    use crate::units::Power;
    use proptest::prelude::*;

    fn heat(ambient: u64, watts: u64, chip: Mass, case: Mass) -> Heat {
        Heat {
            ambient: Temperature::celsius(ambient),
            base: Power::ZERO,
            groups: vec![Power::milliwatts(1000 * watts)],
            exponent: 2000,
            chip,
            case,
            throttle: Throttle {
                start: Temperature::celsius(100_000),
                target: Temperature::celsius(100_001),
                hard: Temperature::celsius(100_002),
                lowest: Permille::percent(10),
            },
        }
    }

    fn four_cores() -> Cores {
        Cores::of(&Host::bare("h", vec![CoreGroup { count: 4, speed: Permille::ONE }], Bytes::gibi(1)))
    }

    proptest! {
        /// Heat is neither won nor lost, and in the end the chip is warmer than the room by power times resistance.
        #[test]
        fn energy_adds_up_and_the_end_is_the_steady_state(
            watts in 1_u64..50, percent in 0_u64..=100, ambient in 0_u64..45,
            resistance in (100_u64..5000, 100_u64..5000), capacity in (1000_u64..50_000, 1000_u64..90_000),
            step in proptest::sample::select(vec![0.1, 0.5, 1.0, 7.0, 60.0]),
        ) {
            let chip = Mass { resistance: resistance.0, capacity: capacity.0 };
            let case = Mass { resistance: resistance.1, capacity: capacity.1 };
            let cores = four_cores();
            let mut warmth = Warmth::of(&heat(ambient, watts, chip, case));
            let power = watts as f64 * percent as f64 / 100.0;
            let of = |milli: u64| milli as f64 / 1000.0;
            let (mut given_off, mut seconds) = (0.0, 0.0);
            let mut before = warmth.case;
            while seconds < 10_000.0 {
                prop_assert!(!warmth.pass(&cores, 4.0 * percent as f64 / 100.0, step));
                seconds += step;
                // By the trapezium rule, which is off by the square of a step against the time constant.
                given_off += (f64::midpoint(warmth.case, before) - ambient as f64) / of(resistance.1) * step;
                before = warmth.case;
            }
            let ambient = ambient as f64;
            let steady = ambient + power * (of(resistance.0) + of(resistance.1));
            prop_assert!((warmth.chip - steady).abs() < 1e-3 * (1.0 + power), "{} for {steady}", warmth.chip);
            if step <= 1.0 {
                let held = of(capacity.0) * (warmth.chip - ambient) + of(capacity.1) * (warmth.case - ambient);
                prop_assert!((power * seconds - given_off - held).abs() <= 2e-3 * (1.0 + power * seconds));
            }
        }
    }

    /// The exact second against many small steps of Euler, on the masses of a MacBook Air at 15.8 W.
    #[test]
    fn a_second_is_that_of_many_small_steps() {
        let (chip, case) = (Mass { resistance: 3030, capacity: 8600 }, Mass { resistance: 2050, capacity: 79_000 });
        let mut warmth = Warmth::of(&heat(23, 16, chip, case));
        let cores = four_cores();
        let (mut one, mut two) = (23.0, 23.0);
        for _ in 0..600 {
            warmth.pass(&cores, 4.0, 1.0);
            for _ in 0..1000 {
                let (through, off) = ((one - two) / 3.03, (two - 23.0) / 2.05);
                one += 0.001 * (16.0 - through) / 8.6;
                two += 0.001 * (through - off) / 79.0;
            }
            assert!((warmth.chip - one).abs() < 0.01 && (warmth.case - two).abs() < 0.01, "{} {one}", warmth.chip);
        }
    }
}
