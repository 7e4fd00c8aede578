//! Names of things.

use arrayvec::ArrayString;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a service, as in the Compose file. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ServiceName(Arc<str>);

impl ServiceName {
    /// The service of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ServiceName {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of a metric of the business, such as `orders_waiting`: small letters, digits and `_`, a letter first, at most
/// [`MetricName::LENGTH_MAX`] of them. Short enough to be copied, as every figure that policies look at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricName(ArrayString<32>);

/// A text that is no name of a metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a metric: small letters, digits and `_`, a letter first, at most 32 of them")]
pub struct MetricNameError(String);

impl MetricName {
    /// Characters of a name, at most.
    pub const LENGTH_MAX: usize = 32;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MetricName {
    type Err = MetricNameError;

    fn from_str(name: &str) -> Result<Self, MetricNameError> {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fits = name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(known);
        let short = ArrayString::from(name).ok().filter(|_| fits);
        short.map(Self).ok_or_else(|| MetricNameError(name.to_owned()))
    }
}

impl TryFrom<String> for MetricName {
    type Error = MetricNameError;

    fn try_from(name: String) -> Result<Self, MetricNameError> {
        name.parse()
    }
}

impl From<MetricName> for String {
    fn from(name: MetricName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_a_short_name_of_small_letters() {
        let longest = "a".repeat(MetricName::LENGTH_MAX);
        for name in ["orders_waiting", "p95", "q", longest.as_str()] {
            assert_eq!(name.parse::<MetricName>().expect(name).as_str(), name);
        }
        let longer = format!("{longest}a");
        for name in ["", "Orders", "9lives", "_x", "orders-waiting", "größe", longer.as_str()] {
            let wrong = name.parse::<MetricName>().expect_err(name).to_string();
            assert!(wrong.starts_with(&format!("`{name}` is no name of a metric")), "{wrong}");
        }
    }
}
