//! How strong a host is, in points, and what a host of that strength carries (register H2, H3).

use crate::units::Permille;

/// Points of a host by component, each a whole number; the score is always their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Cores, threads and clock; at most 30.
    pub cpu: u32,
    /// Memory; at most 30.
    pub memory: u32,
    /// Kind and size of the disk; at most 20.
    pub disk: u32,
    /// Interfaces and their speed; at most 10.
    pub network: u32,
    /// How idle it is; at most 10.
    pub health: u32,
}

impl Score {
    /// The components in the order they are shown: name, points, most points.
    #[must_use]
    pub const fn parts(self) -> [(&'static str, u32, u32); 5] {
        [
            ("cpu", self.cpu, 30),
            ("memory", self.memory, 30),
            ("disk", self.disk, 20),
            ("network", self.network, 10),
            ("health", self.health, 10),
        ]
    }

    /// All points, 0 to 100.
    #[must_use]
    pub fn total(self) -> u32 {
        self.parts().iter().map(|(_, points, _)| points).sum()
    }

    /// The class of hosts with so many points.
    #[must_use]
    pub fn class(self) -> HostClass {
        match self.total() {
            0..=30 => HostClass::Minimal,
            31..=50 => HostClass::Basic,
            51..=70 => HostClass::Standard,
            71..=85 => HostClass::Performance,
            _ => HostClass::HighPerformance,
        }
    }
}

/// A class of hosts by their score; the register calls it the tier of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostClass {
    /// 0 to 30 points: development, few resources.
    Minimal,
    /// 31 to 50: small production.
    Basic,
    /// 51 to 70: normal production.
    Standard,
    /// 71 to 85: production under load.
    Performance,
    /// 86 to 100.
    HighPerformance,
}

impl HostClass {
    /// All classes, weakest first.
    pub const ALL: [Self; 5] = [Self::Minimal, Self::Basic, Self::Standard, Self::Performance, Self::HighPerformance];

    /// What a person calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimal => "Minimal",
            Self::Basic => "Basic",
            Self::Standard => "Standard",
            Self::Performance => "Performance",
            Self::HighPerformance => "High-Performance",
        }
    }

    /// Share of CPU and memory that is kept for the system where the host does not say (register H3).
    #[must_use]
    pub const fn reserve(self) -> Permille {
        match self {
            Self::Minimal => Permille::percent(50),
            Self::Basic => Permille::percent(40),
            Self::Standard => Permille::percent(30),
            Self::Performance => Permille::percent(25),
            Self::HighPerformance => Permille::percent(20),
        }
    }

    /// Services less important than this stay off. With the importances of the catalog it leaves 4, 16, 21, 22 and 22 of
    /// the 22 services of register H3.
    #[must_use]
    pub const fn importance_floor(self) -> u32 {
        match self {
            Self::Minimal => 90,
            Self::Basic => 50,
            Self::Standard => 20,
            Self::Performance | Self::HighPerformance => 0,
        }
    }

    /// What a service is given where no file says so, against what the catalog states for a host of class Standard. The
    /// register has the classes and no figures; these are ours.
    #[must_use]
    pub const fn multiplier(self) -> Permille {
        match self {
            Self::Minimal => Permille::percent(50),
            Self::Basic => Permille::percent(75),
            Self::Standard => Permille::percent(100),
            Self::Performance => Permille::percent(125),
            Self::HighPerformance => Permille::percent(150),
        }
    }
}
