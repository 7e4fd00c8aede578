//! How the requests of a service are spread over its instances.

/// What the balancer in front of a service looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub enum Balance {
    /// At nothing: each request goes to any instance.
    #[default]
    Random,
    /// At whose turn it is: one instance after the other.
    RoundRobin,
    /// At the requests that each instance has: to the one with the fewest, and to the next in turn among several such.
    LeastConnections,
}

impl Balance {
    /// Its name in a scenario file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::RoundRobin => "round_robin",
            Self::LeastConnections => "least_connections",
        }
    }

    /// Whether it is [`Self::Random`], as where nothing is said.
    #[must_use]
    pub const fn is_random(&self) -> bool {
        matches!(self, Self::Random)
    }
}
