//! Scenario files and what they refer to.
