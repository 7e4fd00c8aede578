//! One seed, named random streams.
//!
//! Before you change it:
//! 1. A stream depends on the seed and its own name, on nothing else: one draw more in `load/web` moves no draw in `fault/db`.
//! 2. The generator is named (PCG 64) and the name is hashed by a function of our own; neither may change, or every
//!    committed baseline changes with it.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;

/// The one number that all randomness of a run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(u64);

impl Seed {
    /// The seed with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, as a user gives it with `--seed`.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The random stream of this name: `load/web`, `fault/db`.
    #[must_use]
    pub fn stream(self, name: &str) -> Pcg64 {
        let mut state = mix(self.0 ^ 0x9E37_79B9_7F4A_7C15);
        let mut bytes = [0_u8; 32];
        for (lane, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            state = mix(state ^ (lane as u64).wrapping_mul(0xD1B5_4A32_D192_ED03));
            for byte in name.bytes() {
                state = mix(state ^ u64::from(byte));
            }
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        Pcg64::from_seed(bytes)
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input moves every bit of the output.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::rand_core::Rng;

    #[test]
    fn a_stream_is_its_seed_and_its_name() {
        let first = |seed: u64, name: &str| Seed::new(seed).stream(name).next_u64();
        assert_eq!(first(1, "load/web"), first(1, "load/web"));
        assert_ne!(first(1, "load/web"), first(1, "load/api"));
        assert_ne!(first(1, "load/web"), first(2, "load/web"));
        assert_ne!(first(1, "ab"), first(1, "ba"));
    }

    /// Baselines in other repositories depend on this number: it may never change.
    #[test]
    fn streams_stay_what_they_are() {
        assert_eq!(Seed::new(1).stream("load/web").next_u64(), 14_317_099_137_900_767_899);
    }
}
