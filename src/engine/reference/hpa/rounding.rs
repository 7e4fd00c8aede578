//! The way from numbers with a point, and from wide ones, to counts and values.
//! Source: the conversions in kubernetes/kubernetes, `pkg/controller/podautoscaler`. Before you change it:
//! 1. What does not fit becomes the nearest that does; what is no number becomes zero. (The original leaves both to the
//!    processor.)

/// The count at or above.
pub(super) fn round_up(replicas: f64) -> i32 {
    cut_off(replicas.ceil())
}

/// The count at or nearer to zero.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and no number becomes zero")]
pub(super) fn cut_off(replicas: f64) -> i32 {
    replicas as i32
}

/// The value at or above.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and no number becomes zero")]
pub(super) fn value_up(value: f64) -> i64 {
    value.ceil() as i64
}

/// The nearest value.
pub(super) fn nearest_value(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// The nearest count.
pub(super) fn nearest_count(replicas: i128) -> i32 {
    i32::try_from(replicas).unwrap_or(if replicas < 0 { i32::MIN } else { i32::MAX })
}
