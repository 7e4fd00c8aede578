//! Compose files as users have them.
