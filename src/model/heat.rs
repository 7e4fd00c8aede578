//! How warm a host gets, and what it does about it: a model of two masses, and a governor of the clock.

use crate::units::Permille;
use crate::units::Power;
use crate::units::Temperature;

/// What heats a host, what cools it, and from when on its fast cores slow down.
///
/// The chip gives its heat to the case, the case to the room.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Heat {
    /// Temperature of the room.
    pub ambient: Temperature,
    /// Power that is used whatever the cores do.
    pub base: Power,
    /// Power of each group of cores, all of them busy at full clock; in the order of [`super::Host::cores`].
    pub groups: Vec<Power>,
    /// Power follows the clock to this power, in thousandths: 2,320 is 2.32.
    pub exponent: u64,
    /// The chip, and its way to the case.
    pub chip: Mass,
    /// The case, and its way to the room.
    pub case: Mass,
    /// When and how far the clock falls.
    pub throttle: Throttle,
}

/// Something that takes up heat and gives it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mass {
    /// Thermal resistance to the next one, in thousandths of a kelvin per watt.
    pub resistance: u64,
    /// Heat capacity in thousandths of a joule per kelvin.
    pub capacity: u64,
}

/// The governor of the fast cores' clock. It looks at the chip once a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Throttle {
    /// From this temperature of the chip on the clock falls.
    pub start: Temperature,
    /// The temperature that it is held at in the long run.
    pub target: Temperature,
    /// At this temperature the clock falls as fast as it can.
    pub hard: Temperature,
    /// The lowest clock as a share of the full one.
    pub lowest: Permille,
}
