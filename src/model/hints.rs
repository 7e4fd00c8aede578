//! What a Compose file tells us of a service in labels.

/// What the labels `plimsoll.…` of a service say; `None` where they do not. They win over the catalog, and a scenario wins
/// over them.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Hints {
    /// `plimsoll.role`: what it is for, such as `database`.
    pub role: Option<String>,
    /// `plimsoll.tier`: 1 critical path, 2 workflow, 3 background.
    pub tier: Option<u8>,
    /// `plimsoll.importance`, 1 to 100: the least important is switched off first where not all fits.
    pub importance: Option<u32>,
    /// `plimsoll.stateful`: it keeps data, so that instances cannot be added and taken away.
    pub stateful: Option<bool>,
    /// `plimsoll.metrics.port`: the port of its metrics.
    pub metrics_port: Option<u16>,
    /// `plimsoll.metrics.path`: the path of its metrics.
    pub metrics_path: Option<String>,
    /// `plimsoll.place.with`: services that it runs beside, where a stack is split over hosts.
    #[serde(default)]
    pub place_with: Vec<String>,
    /// `plimsoll.place.apart`: services that it does not run beside.
    #[serde(default)]
    pub place_apart: Vec<String>,
}

impl Hints {
    /// What labels of ours begin with.
    pub const PREFIX: &str = "plimsoll.";
    /// The label of the port of metrics.
    pub const METRICS_PORT: &str = "plimsoll.metrics.port";
    /// The label of the path of metrics.
    pub const METRICS_PATH: &str = "plimsoll.metrics.path";
}
