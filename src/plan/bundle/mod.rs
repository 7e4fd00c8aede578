//! The monitoring of a stack.

pub mod yaml;
