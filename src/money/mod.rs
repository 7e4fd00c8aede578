//! What a stack costs: what is used and what is kept for it, by prices of resources or as a part of the host's own price.
//!
//! Before you change it:
//! 1. Whole numbers only; every rounding is said where it happens.
//! 2. What is read here is the truth of the samples, not what the engine saw.

mod cost;
mod spending;
mod split;
#[cfg(test)]
pub(crate) mod tests;

pub use cost::Basis;
pub use cost::Consumption;
pub use cost::Cost;
pub use cost::Held;
pub use cost::Ledger;
pub use cost::MONTH;
pub use cost::Prices;
pub use spending::Alert;
pub use spending::Level;
pub use spending::Spending;
pub use spending::Spent;
pub use split::Split;
pub use split::split;
