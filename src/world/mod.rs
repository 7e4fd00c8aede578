//! What is observed and acted on: a host made of arithmetic, or (later) a host made of Docker.

pub mod machine;
pub mod oracle;
pub mod sim;
