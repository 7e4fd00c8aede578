//! How much fits: questions that take many runs to answer.

pub mod sweep;
