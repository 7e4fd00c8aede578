//! What is observed and acted on: a host made of arithmetic, or one made of Docker.

pub mod live;
pub mod machine;
pub mod oracle;
pub mod sim;
