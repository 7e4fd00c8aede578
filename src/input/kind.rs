//! Which of the formats a file has, told by the keys it starts from.

use super::yaml::Node;

/// A format of ours, or Compose's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A scenario.
    Scenario,
    /// A policy test.
    PolicyTest,
    /// A policy.
    Policy,
    /// A hardware profile.
    Profile,
    /// A catalog of images.
    Catalog,
    /// A project's own file.
    Project,
    /// A Compose file.
    Compose,
}

impl Kind {
    /// The format of a file, by the first of these keys that it has; `None` where it has none of them.
    #[must_use]
    pub fn of(node: &Node) -> Option<Self> {
        let keys = [
            ("scenario", Self::Scenario),
            ("cases", Self::PolicyTest),
            ("profile", Self::Profile),
            ("images", Self::Catalog),
            ("catalog", Self::Catalog),
            ("services", Self::Compose),
            ("include", Self::Compose),
            ("project", Self::Project),
            ("policy", Self::Policy),
            ("scenarios", Self::Project),
        ];
        keys.into_iter().find(|(key, _)| node.entry(key).is_some()).map(|(_, kind)| kind)
    }
}
