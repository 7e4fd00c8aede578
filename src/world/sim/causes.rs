//! Why requests failed. Before you change it:
//! 1. A step only counts how many failed; why is told when that is booked, under the means that held.
//! 2. The causes of a sample add up to its failed requests exactly.

use crate::model::Errors;
use crate::units::whole;

/// Why a request failed, in the order of [`Errors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Refused,
    TimedOut,
    CallFailed,
    Breaker,
    Killed,
    /// Filled by the network, which does not lose requests yet.
    #[expect(dead_code, reason = "the place of a cause in the sample")]
    Network,
    Disk,
    Stopped,
}

/// Shares of the requests that come out and fail after all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Shares {
    /// Took too long with their calls.
    pub(super) late: f64,
    /// A call failed, or a breaker stopped it.
    pub(super) call: f64,
    /// Of these, a breaker did.
    pub(super) broken: f64,
    /// Could not write.
    pub(super) disk: f64,
}

/// Failed requests of one service by cause.
#[derive(Debug, Clone, Default)]
pub(super) struct Causes {
    /// Failed requests up to the last booking.
    booked: f64,
    /// By cause, since the last sample.
    since: [f64; 8],
}

impl Causes {
    /// So many failed for a known reason, and are counted as failed already.
    pub(super) fn add(&mut self, cause: Cause, count: f64) {
        self.since[cause as usize] += count;
        self.booked += count;
    }

    /// Takes over what another group of the same service knows since the last sample.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        for (mine, theirs) in self.since.iter_mut().zip(core::mem::take(&mut other.since)) {
            *mine += theirs;
        }
    }

    /// Books what failed in all so far: of the new ones so many came out before they failed, and the rest did not, of
    /// which a share was refused and the others waited too long.
    pub(super) fn book(&mut self, failed: f64, came_out: f64, shares: Shares, refused: f64) {
        let new = failed - self.booked;
        if new <= 0.0 {
            return;
        }
        self.booked = failed;
        let came_out = came_out.min(new);
        let all = shares.late + shares.call + shares.disk;
        let each = if all > 0.0 { came_out / all } else { 0.0 };
        let (call, disk) = (each * shares.call, each * shares.disk);
        self.since[Cause::CallFailed as usize] += call * (1.0 - shares.broken);
        self.since[Cause::Breaker as usize] += call * shares.broken;
        self.since[Cause::Refused as usize] += (new - came_out) * refused;
        self.since[Cause::Disk as usize] += disk;
        self.since[Cause::TimedOut as usize] += came_out - call - disk + (new - came_out) * (1.0 - refused);
    }

    /// The causes of so many thousandths of failed requests, in the proportion of what was booked since the last sample.
    pub(super) fn take(&mut self, failed: u64) -> Errors {
        if failed == 0 {
            return Errors::default();
        }
        let since = core::mem::take(&mut self.since);
        let all: f64 = since.iter().sum();
        let last = since.iter().rposition(|count| *count > 0.0).unwrap_or(Cause::TimedOut as usize);
        let (mut sum, mut given) = (0.0, 0);
        let mut counts = [0; 8];
        for (cause, (count, thousandths)) in since.iter().zip(&mut counts).enumerate() {
            sum += count;
            let upto = match cause.cmp(&last) {
                core::cmp::Ordering::Less if all > 0.0 => whole(sum / all * failed as f64).clamp(given, failed),
                core::cmp::Ordering::Less => given,
                _ => failed,
            };
            *thousandths = upto - given;
            given = upto;
        }
        let [refused, timed_out, call_failed, breaker, killed, network, disk, stopped] = counts;
        let errors = Errors { refused, timed_out, call_failed, breaker, killed, network, disk, stopped };
        debug_assert_eq!(errors.all(), failed, "every failed request has a cause");
        errors
    }
}
