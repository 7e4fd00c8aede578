//! YAML as a tree that knows where each part of it stands. All formats are read through it.
//!
//! Before you change it:
//! 1. Scalars follow the core schema of YAML 1.2: only `true` and `false` are booleans, so `on`, `yes` and `off` stay
//!    text. A quoted scalar is always text.
//! 2. Time and memory are bounded: [`DEPTH_MAX`] levels and [`NODES_MAX`] values, counted after aliases and merge keys
//!    are put in, so that recursion over a tree is safe.
//! 3. A key stands once in a mapping. Merge keys are resolved here and are gone from the tree.

mod node;
mod number;
mod parse;

pub use node::Entry;
pub use node::Node;
pub use node::Step;
pub use node::Value;
pub use number::Number;
pub use parse::CODES;
pub use parse::DEPTH_MAX;
pub use parse::NODES_MAX;
pub use parse::parse;
pub use parse::read;
pub use parse::read_documents;

#[cfg(test)]
mod tests;
