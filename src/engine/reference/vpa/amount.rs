//! Amounts of CPU and memory as the Vertical Pod Autoscaler counts them: whole millicores and whole bytes.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/model/types.go.
//!
//! Before you change it:
//! 1. An amount made from a fraction is truncated, never rounded, and lies in `0..=RESOURCE_AMOUNT_MAX`. The estimators
//!    truncate after every step, so a change here moves every recommendation.
//! 2. What is not a number counts as nothing. No value makes a conversion panic.

/// An amount of one resource: CPU in thousandths of a core, memory in bytes.
pub type ResourceAmount = i64;

/// The largest amount that is made from a fraction: 1e14, which is 1e11 cores or 100 TB.
pub const RESOURCE_AMOUNT_MAX: ResourceAmount = 100_000_000_000_000;

/// A resource that is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceName {
    /// CPU, in millicores.
    Cpu,
    /// Memory, in bytes.
    Memory,
}

impl ResourceName {
    /// Both resources, CPU first.
    pub const ALL: [Self; 2] = [Self::Cpu, Self::Memory];
}

/// An amount of each resource, or of one of them, or of none. CPU counts in millicores and memory in bytes: what is
/// written as `2` and `200Mi` elsewhere is `Resources::new(2000, 200 << 20)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Resources {
    /// CPU in millicores; `None` where nothing is said about it.
    pub cpu: Option<ResourceAmount>,
    /// Memory in bytes; `None` where nothing is said about it.
    pub memory: Option<ResourceAmount>,
}

impl Resources {
    /// Nothing is said about either resource.
    pub const NONE: Self = Self { cpu: None, memory: None };

    /// So many millicores and so many bytes.
    #[must_use]
    pub const fn new(cpu: ResourceAmount, memory: ResourceAmount) -> Self {
        Self { cpu: Some(cpu), memory: Some(memory) }
    }

    /// The amount of one resource.
    #[must_use]
    pub const fn get(self, resource: ResourceName) -> Option<ResourceAmount> {
        match resource {
            ResourceName::Cpu => self.cpu,
            ResourceName::Memory => self.memory,
        }
    }

    /// The amount of one resource; zero where nothing is said about it.
    #[must_use]
    pub fn amount(self, resource: ResourceName) -> ResourceAmount {
        self.get(resource).unwrap_or(0)
    }

    /// Says how much of one resource.
    pub const fn set(&mut self, resource: ResourceName, amount: ResourceAmount) {
        match resource {
            ResourceName::Cpu => self.cpu = Some(amount),
            ResourceName::Memory => self.memory = Some(amount),
        }
    }

    /// Keeps what is said about the named resources only.
    #[must_use]
    pub fn only(self, resources: &[ResourceName]) -> Self {
        let kept = |resource| resources.contains(&resource).then(|| self.get(resource)).flatten();
        Self { cpu: kept(ResourceName::Cpu), memory: kept(ResourceName::Memory) }
    }
}

/// Millicores of so many cores; see [`resource_amount_from_float`].
#[must_use]
pub fn cpu_amount_from_cores(cores: f64) -> ResourceAmount {
    resource_amount_from_float(cores * 1000.0)
}

/// Cores of so many millicores.
#[must_use]
pub fn cores_from_cpu_amount(cpu: ResourceAmount) -> f64 {
    cpu as f64 / 1000.0
}

/// Bytes of a fractional number of bytes; see [`resource_amount_from_float`].
#[must_use]
pub fn memory_amount_from_bytes(bytes: f64) -> ResourceAmount {
    resource_amount_from_float(bytes)
}

/// Bytes as a fraction, for histograms.
#[must_use]
pub fn bytes_from_memory_amount(memory: ResourceAmount) -> f64 {
    memory as f64
}

/// `amount * factor`; see [`resource_amount_from_float`].
#[must_use]
pub fn scale_resource(amount: ResourceAmount, factor: f64) -> ResourceAmount {
    resource_amount_from_float(amount as f64 * factor)
}

/// The amount, truncated; zero below zero and where it is not a number, at most [`RESOURCE_AMOUNT_MAX`].
#[must_use]
pub fn resource_amount_from_float(amount: f64) -> ResourceAmount {
    whole(amount).clamp(0, RESOURCE_AMOUNT_MAX)
}

/// The next multiple of `scale` that is not less than `value`; saturates. `None` where `scale` is not above zero.
#[must_use]
pub fn round_up_to_scale(value: ResourceAmount, scale: i64) -> Option<ResourceAmount> {
    (scale > 0).then(|| whole((value as f64 / scale as f64).ceil()).saturating_mul(scale))
}

/// Memory as people read it, with two decimals: `1.50Gi`. Below 1 KiB, and below zero, it is the number of bytes.
///
/// ```
/// use plimsoll::engine::reference::vpa::humanized_memory;
/// assert_eq!(humanized_memory(3 << 29), "1.50Gi");
/// assert_eq!(humanized_memory(1000), "1000");
/// ```
#[must_use]
pub fn humanized_memory(memory: ResourceAmount) -> String {
    memory_unit(memory).map_or_else(|| memory.to_string(), |(size, unit)| format!("{}{unit}", in_unit(memory, size)))
}

/// The bytes that are read back from [`humanized_memory`], a part of a byte rounded up; saturates.
pub(super) fn reread_memory(memory: ResourceAmount) -> ResourceAmount {
    let Some((size, _)) = memory_unit(memory) else { return memory };
    let hundredths: u128 = in_unit(memory, size).replace('.', "").parse().unwrap_or(0);
    ResourceAmount::try_from((hundredths * u128::from(size)).div_ceil(100)).unwrap_or(ResourceAmount::MAX)
}

/// The largest unit that is not above so many bytes; `None` below 1 KiB.
fn memory_unit(memory: ResourceAmount) -> Option<(u64, &'static str)> {
    let units = [(1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    let memory = u64::try_from(memory).unwrap_or(0);
    units.into_iter().find(|(size, _)| memory >= *size)
}

fn in_unit(memory: ResourceAmount, size: u64) -> String {
    format!("{:.2}", memory as f64 / size as f64)
}

/// The whole part of a number. Saturates; zero for what is not a number.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and truncation is what is wanted")]
pub(super) fn whole(number: f64) -> i64 {
    number as i64
}

/// `base` to the power of `exponent`. Whole exponents are worked out by squaring, as the original's language does it:
/// that differs in the last bit from `libm`, and a bucket that ends on a whole number of bytes then ends a byte
/// earlier.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    if exponent.trunc() != exponent || exponent.abs() > 4096.0 {
        return libm::pow(base, exponent);
    }
    let (mut result, mut square, mut left) = (1.0, base, whole(exponent.abs()));
    while left > 0 {
        if left % 2 == 1 {
            result *= square;
        }
        square *= square;
        left /= 2;
    }
    if exponent < 0.0 { 1.0 / result } else { result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_cut_off_and_never_rounded() {
        // 0.069946 cores are 69.946 millicores.
        assert_eq!(cpu_amount_from_cores(0.069_946), 69);
        assert_eq!(memory_amount_from_bytes(17.999), 17);
        // 12 * 1.1 = 13.2; 1213 * 1.2414 = 1505.8182.
        assert_eq!(scale_resource(12, 1.1), 13);
        assert_eq!(scale_resource(1213, 1.2414), 1505);
    }

    #[test]
    fn amounts_stay_within_their_bounds_whatever_they_are_made_from() {
        assert_eq!(resource_amount_from_float(-50.5), 0);
        assert_eq!(resource_amount_from_float(1e14), RESOURCE_AMOUNT_MAX);
        assert_eq!(resource_amount_from_float(1e14 + 100.0), RESOURCE_AMOUNT_MAX);
        assert_eq!(resource_amount_from_float(f64::INFINITY), RESOURCE_AMOUNT_MAX);
        assert_eq!(resource_amount_from_float(f64::NEG_INFINITY), 0);
        assert_eq!(resource_amount_from_float(f64::NAN), 0);
    }

    #[test]
    fn a_multiple_of_the_scale_is_left_as_it_is() {
        assert_eq!(round_up_to_scale(100, 7), Some(105));
        assert_eq!(round_up_to_scale(105, 7), Some(105));
        assert_eq!(round_up_to_scale(0, 5), Some(0));
        assert_eq!(round_up_to_scale(100, 0), None);
        assert_eq!(round_up_to_scale(100, -5), None);
        assert_eq!(round_up_to_scale(i64::MAX, i64::MAX), Some(i64::MAX));
    }

    #[test]
    fn memory_is_read_in_the_largest_unit_with_two_decimals() {
        for (memory, text) in [
            (1023, "1023"),
            (1024, "1.00Ki"),
            (2000, "1.95Ki"),
            ((1 << 20) - 1, "1024.00Ki"),
            (5 << 19, "2.50Mi"),
            (7_000_000_000, "6.52Gi"),
            (1 << 41, "2.00Ti"),
            (-5, "-5"),
        ] {
            assert_eq!(humanized_memory(memory), text);
        }
        // 1.95 * 1024 = 1996.8 bytes, and 1.00 of the next unit is read back as it is.
        assert_eq!([1023, 2000, 5 << 19].map(reread_memory), [1023, 1997, 5 << 19]);
        assert_eq!([0, -5, i64::MIN].map(reread_memory), [0, -5, i64::MIN]);
        // 2^63 - 1 is 8388608.00 Ti, one byte more than can be counted.
        assert_eq!(reread_memory(i64::MAX), i64::MAX);
    }

    #[test]
    fn powers_are_those_of_the_field() {
        assert_eq!(
            [0.0, 1.0, 2.0, 10.0, -2.0, 0.5].map(|exponent| power(4.0, exponent)),
            [1.0, 4.0, 16.0, 1_048_576.0, 0.0625, 2.0]
        );
        assert_eq!([2.0, -2.0].map(|exponent| power(f64::INFINITY, exponent)), [f64::INFINITY, 0.0]);
        assert_eq!(power(2.0, 5000.0), f64::INFINITY);
        assert!(power(2.0, f64::NAN).is_nan() && power(f64::NAN, 2.0).is_nan());
    }

    #[test]
    fn what_is_not_controlled_is_not_recommended() {
        let both = Resources::new(100, 200);
        assert_eq!(both.only(&[ResourceName::Memory]), Resources { cpu: None, memory: Some(200) });
        assert_eq!(both.only(&[]), Resources::NONE);
        assert_eq!(both.only(&ResourceName::ALL), both);
    }
}
