//! The engine decides; it never acts. Before you change it:
//! 1. It is told everything: the time, the observation, the policies.
//! 2. Same inputs in the same order give the same decisions, byte for byte: no clock, no I/O, no randomness, no floats.
//! 3. What it is told may be stale or absurd; a decision must be safe even then.
