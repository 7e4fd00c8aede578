//! YAML as a tree that knows where each part of it stands.
