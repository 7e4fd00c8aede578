//! What more and fewer instances rest on, stated a second time. Before you change it:
//! 1. A reason is one that the policy knows, its figures are those that were seen, and they say what is done.
//! 2. How long a bound is passed nobody but the engine knows; but not longer than since the number was changed last, or since
//!    the service was looked at first.
//! 3. Where another policy moves the limits of the service too, only the engine knows what shares are of.

use super::Case;
use super::Rule;
use crate::model::Finding;
use crate::model::Horizontal;
use crate::model::InstanceState;
use crate::model::Observation;
use crate::model::Points;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Scaling;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Signal;
use crate::model::Target;
use crate::model::TrafficSeen;
use crate::model::Trigger;
use crate::model::Vertical;
use crate::model::WeightedScore;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;

/// Forecasts that were no farther off than this are good, whatever the last value was.
const SMALL: Permille = Permille::percent(2);

/// A change of a number of instances.
pub(super) struct Number<'a> {
    pub(super) name: &'a ServiceName,
    pub(super) policy: &'a Horizontal,
    /// Instances at this time, at least and at most.
    pub(super) range: (u32, u32),
    /// What moves its limits, where something does.
    pub(super) vertical: Option<&'a Vertical>,
    pub(super) service: &'a ServiceSeen,
    /// Where its metrics of the business are, and when it is looked at.
    pub(super) seen: (Instant, &'a Observation),
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) why: &'a Reason,
    /// Time since the number was changed last, or the service was looked at first.
    pub(super) since: Span,
}

impl Number<'_> {
    pub(super) const fn is_increase(&self) -> bool {
        self.to > self.from
    }

    /// Whether the number is brought into its range, was outside, and does not go further than the end of the range.
    pub(super) fn is_mended(&self) -> bool {
        let (least, most) = self.range;
        let end = if self.from < least { least } else { most };
        let between = (self.from.min(end)..=self.from.max(end)).contains(&self.to);
        matches!(self.why, Reason::OutOfRange { seen, bound } if *seen == self.from && *bound == end)
            && !(least..=most).contains(&self.from)
            && between
    }

    /// A figure as it was seen; `None` where it was not, or long ago, or only the engine knows what it is a share of.
    pub(super) fn figure(&self, signal: Signal) -> Option<u64> {
        let of_requests = |of: fn(&TrafficSeen) -> u64| self.service.traffic.as_ref().map(of);
        match signal {
            Signal::Queue => of_requests(|seen| seen.inside),
            Signal::Latency => of_requests(|seen| seen.latency_p95.map_or(0, Span::nanos)),
            Signal::Errors => of_requests(|seen| seen.errors),
            Signal::Requests => of_requests(|seen| seen.rate.get()),
            Signal::Replicas => Some(self.service.instances.len() as u64 * 1000),
            Signal::Cpu | Signal::Memory => None,
            Signal::Custom(name) => {
                let (now, seen) = self.seen;
                let lately = |at: Instant| at <= now && at.plus(self.policy.stale_after) >= now;
                seen.metrics.get(&name).filter(|metric| lately(metric.at)).map(|metric| metric.value.number())
            }
        }
    }

    /// The smallest and the largest share of its limit that an instance uses, in millionths.
    fn shares(&self, signal: Signal) -> Option<(u64, u64)> {
        let limits = self.service.limits;
        let limit = match signal {
            Signal::Cpu => limits.cpu.map_or(0, Millicores::get),
            _ => limits.memory.map_or(0, Bytes::get),
        };
        let runs = |state| matches!(state, InstanceState::Healthy | InstanceState::Unhealthy);
        let running = self.service.instances.iter().filter(|instance| runs(instance.state));
        let shares = running.filter_map(|instance| instance.usage).filter_map(|usage| {
            let used = if signal == Signal::Cpu { usage.cpu.get() } else { usage.memory.get() };
            let share = (u128::from(used) * 1_000_000).checked_div(u128::from(limit))?;
            Some(u64::try_from(share).unwrap_or(u64::MAX))
        });
        shares.fold(None, |all, share| {
            let (least, most) = all.unwrap_or((share, share));
            Some((share.min(least), share.max(most)))
        })
    }

    /// CPU of each instance once there are as many as there are to be, if as much is used.
    fn shared_anew(&self, cpu: u64) -> u128 {
        u128::from(cpu) * u128::from(self.from) / u128::from(self.to.max(1))
    }
}

impl Case<'_> {
    /// The reason: it is of the policy's rule, and its figures say what is done.
    pub(super) fn check_figures(&mut self, number: &Number<'_>) {
        let up = number.is_increase();
        match (&number.policy.scaling, number.why) {
            (Scaling::Bounds(bounds), Reason::Beyond { above, findings }) if *above == up && !findings.is_empty() => {
                let triggers = if up { &bounds.up } else { &bounds.down };
                self.check_findings(number, triggers, findings);
                if !up {
                    self.check_nothing_left_out(number, triggers, findings);
                    self.check_not_missed(number, &bounds.up, findings);
                }
            }
            (Scaling::Points(score), Reason::Points { above, points, enough, findings, .. }) if *above == up => {
                let (side, from) = if up { (&score.up, score.up_from) } else { (&score.down, score.down_from) };
                let triggers = |points: &[Points]| points.iter().map(|one| one.trigger).collect::<Vec<_>>();
                self.check_findings(number, &triggers(side), findings);
                let found = |one: &&Points| {
                    let Trigger { signal, bound, .. } = one.trigger;
                    findings.iter().any(|finding| finding.signal == signal && finding.bound == bound)
                };
                let sum: u64 = side.iter().filter(found).map(|one| u64::from(one.points)).sum();
                if u64::from(*points) != sum || *enough != from || points < enough {
                    let text = format!("its figures give {sum} points, it counts {points}, and {from} are enough");
                    self.report(Rule::Reason, number.name, text);
                }
                if !up {
                    self.check_not_missed(number, &triggers(&score.up), findings);
                }
            }
            (Scaling::Weighted(policy), Reason::Weighted { above, score, bound, seen }) if *above == up => {
                self.check_mean(number, policy, (*score, *bound), seen);
            }
            (Scaling::Reference(reference), Reason::Wanted { policy, wanted, findings, .. })
                if policy == reference.name() =>
            {
                self.check_wanted(number, *wanted, &reference.targets(), findings);
            }
            (_, Reason::Ahead { .. }) if up && number.policy.ahead.is_some() => self.check_ahead(number),
            (_, why) => {
                let text = format!("{why:?} is no reason to go from {} to {} instances", number.from, number.to);
                self.report(Rule::Reason, number.name, text);
            }
        }
    }

    /// What a policy of the field wants is what is done, as far as it goes; its figures are those of its targets, as they were
    /// seen: of each instance, where a target is.
    fn check_wanted(&mut self, number: &Number<'_>, wanted: u32, targets: &[Target], findings: &[Finding]) {
        let (from, to) = (number.from, number.to);
        let is_on_the_way = if number.is_increase() { to <= wanted } else { to >= wanted };
        if !is_on_the_way {
            let text = format!("it wants {wanted} instances, and goes from {from} to {to}");
            self.report(Rule::Reason, number.name, text);
        }
        for Finding { signal, seen, bound, .. } in findings {
            if !targets.iter().any(|target| target.signal == *signal && target.value == *bound) {
                let text = format!("{} of {bound} is no target of its policy", signal.name());
                self.report(Rule::Reason, number.name, text);
            }
            let is_of_each = matches!(signal, Signal::Queue | Signal::Requests | Signal::Custom(_));
            if is_of_each && number.figure(*signal).is_some_and(|all| all / u64::from(from.max(1)) == seen.number()) {
                self.check_fresh(number, *signal);
            } else {
                self.check_figure(number, *signal, *seen);
            }
        }
    }

    /// A forecast asks for as many as carry what it will not exceed, each at the share of its limit that the policy says; and
    /// it was better lately than the last value.
    fn check_ahead(&mut self, number: &Number<'_>) {
        let Reason::Ahead { wanted, upper, by, error, error_of_last, .. } = *number.why else { return };
        let Some(ahead) = number.policy.ahead else { return };
        if number.to > wanted || by != ahead.by || error > error_of_last.max(SMALL) {
            let text = format!(
                "a forecast of {wanted} instances by {by}, {error} off lately against {error_of_last}, is no reason for {}",
                number.to
            );
            self.report(Rule::Reason, number.name, text);
        }
        let limit = number.service.limits.cpu.map_or(0, Millicores::get);
        let each = u128::from(limit) * u128::from(ahead.cpu.get());
        if number.vertical.is_some() || each == 0 {
            return;
        }
        // The reason rounds to whole millicores, upwards.
        let most = (u128::from(upper.get()) * 1000).div_ceil(each);
        let least = (u128::from(upper.get().saturating_sub(1)) * 1000 + 1).div_ceil(each);
        if !(least..=most).contains(&u128::from(wanted)) {
            let text =
                format!("{upper} CPUs at {} of {limit} millicores each are {most} instances, not {wanted}", ahead.cpu);
            self.report(Rule::Reason, number.name, text);
        }
    }

    /// Each finding is one of the policy's bounds, passed for long enough by a figure that was seen.
    fn check_findings(&mut self, number: &Number<'_>, triggers: &[Trigger], findings: &[Finding]) {
        for Finding { signal, seen, bound, lasts } in findings {
            let is_it = |trigger: &&Trigger| trigger.signal == *signal && trigger.bound == *bound;
            let above = number.is_increase() || *signal == Signal::Replicas;
            let beyond = if above { seen.number() > bound.number() } else { seen.number() < bound.number() };
            let known = triggers.iter().filter(is_it).any(|trigger| *lasts >= trigger.lasts);
            if !known || !beyond {
                let (what, way) = (signal.name(), if number.is_increase() { "more" } else { "fewer" });
                let text = format!("{what} of {seen} against {bound} for {lasts} is no reason of its policy for {way}");
                self.report(Rule::Reason, number.name, text);
            }
            if *lasts > number.since {
                let text = format!(
                    "{} is beyond its bound for {lasts}, and it is watched for {}",
                    signal.name(),
                    number.since
                );
                self.report(Rule::Reason, number.name, text);
            }
            self.check_figure(number, *signal, *seen);
        }
    }

    /// A figure is what was seen.
    fn check_figure(&mut self, number: &Number<'_>, signal: Signal, seen: Quantity) {
        let value = seen.number();
        let wrong = match signal {
            Signal::Cpu | Signal::Memory if number.vertical.is_some() => false,
            Signal::Cpu | Signal::Memory => {
                number.shares(signal).is_some_and(|(least, most)| !(least..=most).contains(&value))
            }
            _ => number.figure(signal) != Some(value),
        };
        if wrong {
            self.report(Rule::Data, number.name, format!("it acts on {} of {seen}, which nobody saw", signal.name()));
        }
        self.check_fresh(number, signal);
    }

    /// Where a figure is of requests, they were counted lately, over some time, and no more failed than there were.
    fn check_fresh(&mut self, number: &Number<'_>, signal: Signal) {
        let counted = number.service.traffic.filter(|_| signal.is_of_requests());
        if let Some(counted) = counted {
            let fresh = counted.at <= self.now && counted.at.plus(number.policy.stale_after) >= self.now;
            if !fresh || counted.window == Span::ZERO || counted.errors > 1_000_000 {
                let text = format!(
                    "its requests were counted at {} over {}, it is {} now",
                    counted.at, counted.window, self.now
                );
                self.report(Rule::Data, number.name, text);
            }
        }
    }

    /// Fewer need all figures: none that is known is left out.
    fn check_nothing_left_out(&mut self, number: &Number<'_>, triggers: &[Trigger], findings: &[Finding]) {
        for trigger in triggers {
            let found =
                findings.iter().any(|finding| finding.signal == trigger.signal && finding.bound == trigger.bound);
            let known = match trigger.signal {
                Signal::Memory if number.vertical.is_some() => false,
                Signal::Cpu | Signal::Memory => number.shares(trigger.signal).is_some(),
                _ => number.figure(trigger.signal).is_some(),
            };
            if known && !found {
                let text =
                    format!("{} is not below {}, and instances are removed", trigger.signal.name(), trigger.bound);
                self.report(Rule::Reason, number.name, text);
            }
        }
    }

    /// Those that are left are enough: nothing is a reason for more, neither now nor with fewer.
    fn check_not_missed(&mut self, number: &Number<'_>, up: &[Trigger], findings: &[Finding]) {
        for trigger in up {
            let bound = trigger.bound.number();
            let seen = number.figure(trigger.signal);
            let left =
                findings.iter().find(|finding| finding.signal == trigger.signal && trigger.signal == Signal::Cpu);
            let left = left.map(|finding| number.shared_anew(finding.seen.number()));
            if seen.is_some_and(|seen| seen > bound) || left.is_some_and(|left| left > u128::from(bound)) {
                let (what, bound, to) = (trigger.signal.name(), trigger.bound, number.to);
                let text = format!("with {to} instances {what} is above {bound}, at which there are to be more");
                self.report(Rule::Missed, number.name, text);
            }
        }
    }

    /// The weighted mean follows from its figures, and they are all there.
    fn check_mean(
        &mut self,
        number: &Number<'_>,
        policy: &WeightedScore,
        (score, bound): (Permille, Permille),
        seen: &[(Signal, Quantity)],
    ) {
        let up = number.is_increase();
        let beyond = if up { bound == policy.up && score > bound } else { bound == policy.down && score < bound };
        let mean = |of_cpu: &dyn Fn(u64) -> u128| {
            let (mut sum, mut weights) = (0_u128, 0_u128);
            for part in policy.parts.iter().filter(|part| part.weight > 0 && part.whole.number() > 0) {
                let Some((_, figure)) = seen.iter().find(|(signal, _)| *signal == part.signal) else { continue };
                let figure = figure.number();
                let figure = if part.signal == Signal::Cpu { of_cpu(figure) } else { u128::from(figure) };
                let weight = u128::from(part.weight);
                sum = sum.saturating_add(figure.saturating_mul(1000 * weight) / u128::from(part.whole.number()));
                weights += weight;
            }
            u64::try_from(sum.checked_div(weights)?).ok()
        };
        let found = mean(&u128::from).unwrap_or(u64::MAX);
        if !beyond || found.abs_diff(score.get()) > 1 {
            let text = format!("a mean of {score} is no reason, its figures give {}", Permille::new(found));
            self.report(Rule::Reason, number.name, text);
        }
        for part in policy.parts.iter().filter(|part| part.weight > 0) {
            let there = seen.iter().any(|(signal, _)| *signal == part.signal);
            if !there && number.figure(part.signal).is_some() {
                self.report(Rule::Reason, number.name, format!("{} is known, and left out", part.signal.name()));
            }
        }
        for (signal, seen) in seen {
            self.check_figure(number, *signal, *seen);
        }
        let left = mean(&|cpu| number.shared_anew(cpu)).unwrap_or(u64::MAX);
        if !up && left > policy.up.get() + 1 {
            let text = format!(
                "with {} instances the mean is {}, at which there are to be more",
                number.to,
                Permille::new(left)
            );
            self.report(Rule::Missed, number.name, text);
        }
    }
}
