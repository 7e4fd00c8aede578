//! The joint: decide, audit, write down; and the loops around it.
