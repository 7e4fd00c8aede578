//! Quantities as whole numbers, parsed and shown the way Docker and people write them.
//!
//! Before you change it:
//! 1. Every type is a newtype over an integer, so that a run gives the same bytes on every machine.
//! 2. Arithmetic on a type says how it rounds. Nothing rounds silently.
//! 3. `Display` and `parse` agree: what is shown can be read back.

mod bytes;
mod cpu;
mod heat;
mod money;
mod number;
mod permille;
mod rate;
mod time;

pub use bytes::Bytes;
pub use cpu::Millicores;
pub use heat::Power;
pub use heat::Temperature;
pub use money::Currency;
pub use money::Money;
pub(crate) use number::BELOW_HALF;
pub use number::UnitError;
pub use number::place;
pub use number::whole;
pub use permille::Permille;
pub use rate::Rate;
pub use time::Instant;
pub use time::Span;
