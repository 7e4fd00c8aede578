//! Things in the order of a number, for the heaps of both oracles.

use std::cmp::Ordering;

/// Something at a place on a scale of floating-point numbers; of the same place, in the order of `tie`.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Keyed<T> {
    pub(in crate::world) key: f64,
    pub(in crate::world) tie: u64,
    pub(in crate::world) what: T,
}

impl<T> PartialEq for Keyed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Keyed<T> {}

impl<T> PartialOrd for Keyed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Keyed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then(self.tie.cmp(&other.tie))
    }
}
