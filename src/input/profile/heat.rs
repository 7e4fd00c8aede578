//! The heat of a host as a profile writes it, and what must be true of it.
//!
//! Before you change it: figures are checked one by one by their units; here is only what they must be to each other.

use crate::input::schema::quantity::Degrees;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Watts;
use crate::model::Heat;
use crate::model::Mass;
use crate::model::Throttle;
use crate::units::Permille;
use crate::units::whole;
use schemars::JsonSchema;
use serde::Deserialize;

/// Largest thermal resistance in K/W and heat capacity in J/K.
const MOST: f64 = 1_000_000.0;
/// Smallest of both: what follows changes faster than the simulation looks.
const LEAST: f64 = 0.001;

/// How warm the host gets, and what it does about it. The chip gives its heat to the case, the case to the room; with a
/// warm chip the fastest cores slow down.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatFile {
    /// Temperature of the room.
    pub ambient: Degrees,
    /// Power that is used whatever the cores do.
    pub base: Watts,
    /// Power of each group of cores, all of them busy at full clock; in the order of `cores`.
    #[schemars(length(min = 1, max = 64))]
    pub cores: Vec<Watts>,
    /// Power follows the clock to this power; 3 unless said otherwise, since the voltage follows the clock.
    #[schemars(range(min = 1.0, max = 5.0))]
    pub exponent: Option<f64>,
    /// The chip, and its way to the case.
    pub chip: MassFile,
    /// The case, and its way to the room.
    pub case: MassFile,
    /// When and how far the fastest cores slow down.
    pub throttle: ThrottleFile,
}

/// Something that takes up heat and gives it on.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MassFile {
    /// Thermal resistance to the next one, in K/W.
    #[schemars(range(min = 0.001, max = 1_000_000.0))]
    pub resistance: f64,
    /// Heat capacity in J/K.
    #[schemars(range(min = 0.001, max = 1_000_000.0))]
    pub capacity: f64,
}

/// The governor of the fastest cores' clock, which looks at the chip once a second.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThrottleFile {
    /// From this temperature of the chip on the clock falls.
    pub start: Degrees,
    /// The temperature that it is held at in the long run.
    pub target: Degrees,
    /// At this temperature the clock falls as fast as it can.
    pub hard: Degrees,
    /// The lowest clock, as a share of the full one.
    pub lowest: Percent,
}

impl MassFile {
    fn mass(self) -> Mass {
        let milli = |figure: f64| whole(figure.clamp(LEAST, MOST) * 1000.0);
        Mass { resistance: milli(self.resistance), capacity: milli(self.capacity) }
    }
}

/// The heat of a host with so many groups of cores; `wrong` takes what is wrong with a key below `heat`.
pub(super) fn heat(file: &HeatFile, groups: usize, mut wrong: impl FnMut(&str, String)) -> Heat {
    let (ambient, throttle) = (file.ambient.0, &file.throttle);
    let (start, target, hard) = (throttle.start.0, throttle.target.0, throttle.hard.0);
    if file.cores.len() != groups {
        let message = format!("{} figures of power for {groups} groups of cores", file.cores.len());
        wrong("cores", message);
    }
    if start <= ambient {
        wrong("throttle/start", format!("the clock falls from {start} on, and the room alone has {ambient}"));
    }
    if target <= start {
        wrong("throttle/target", format!("the clock falls from {start} on, so {target} is never reached"));
    }
    if hard <= target {
        wrong("throttle/hard", format!("the last stop at {hard} is not above the target of {target}"));
    }
    if throttle.lowest.0 == Permille::ZERO || throttle.lowest.0 > Permille::ONE {
        wrong("throttle/lowest", "the lowest clock is between 0.1% and 100% of the full one".to_owned());
    }
    Heat {
        ambient,
        base: file.base.0,
        groups: file.cores.iter().map(|power| power.0).collect(),
        exponent: whole(file.exponent.unwrap_or(3.0) * 1000.0),
        chip: file.chip.mass(),
        case: file.case.mass(),
        throttle: Throttle { start, target, hard, lowest: throttle.lowest.0 },
    }
}

#[cfg(test)]
mod tests {
    use crate::input::problem::Source;
    use crate::input::profile::parse;
    use crate::units::Permille;

    const MACBOOK: &str = include_str!("../../../hardware-profiles/m1-air.yaml");

    #[test]
    fn heat_that_cannot_be_is_named_with_its_way_out() {
        for (from, to, words) in [
            ("ambient: 23C", "ambient: 76C", "the room alone has 76C"),
            ("target: 78C", "target: 75C", "75C is never reached"),
            ("hard: 80C", "hard: 78C", "not above the target of 78C"),
            ("[13.3W, 1.3W]", "[13.3W]", "1 figures of power for 2 groups of cores"),
            ("lowest: 30%", "lowest: 120%", "between 0.1% and 100%"),
            ("base: 0.87W", "base: -1W", "`-1W` is negative"),
            ("ambient: 23C", "ambient: 23F", "a temperature such as `23C`"),
            ("resistance: 3.03", "resistance: -3", "0.001"),
        ] {
            let text = MACBOOK.replace(from, to);
            assert_ne!(text, MACBOOK, "{from}");
            let problems = parse(&Source::new("m1.yaml", &text)).expect_err(to).to_string();
            assert!(problems.contains(words), "{to}: {problems}");
        }
    }

    #[test]
    fn steal_is_a_share_or_bursts_that_leave_the_mean() {
        let host = |steal: &str| {
            let text = format!("profile: vps\ncores: 2\nmemory: 4G\nsteal: {steal}\n");
            parse(&Source::new("vps.yaml", &text)).map_err(|problems| problems.to_string())
        };
        let plain = host("1%").expect("a share");
        assert_eq!((plain.steal, plain.steal_bursts), (Permille::percent(1), None));
        let bursts = host("{ mean: 2%, burst: 20%, every: 30m, lasts: 2m }").expect("bursts");
        // 28 minutes at 1/140 and 2 minutes at a fifth are 2 % of 30 minutes.
        let between = bursts.steal_bursts.expect("bursts").between(bursts.steal);
        assert!((between - 1.0 / 140.0).abs() < 1e-12, "{between}");
        for (steal, words) in [
            (
                "{ mean: 1%, burst: 20%, every: 30m, lasts: 2m }",
                "the bursts alone make up 1.33%, more than the mean of 1%",
            ),
            ("{ mean: 2%, burst: 1%, every: 30m, lasts: 2m }", "below the mean"),
            ("{ mean: 2%, burst: 20%, every: 2m, lasts: 2m }", "leave no time between them"),
            ("{ mean: 2%, burst: 20%, every: 2m, lasts: 0s }", "lasts for some time"),
            ("{ mean: 2%, burst: 100%, every: 30m, lasts: 2m }", "leaves no CPU"),
        ] {
            let problems = host(steal).expect_err(steal);
            assert!(problems.contains(words), "{steal}: {problems}");
        }
    }
}
