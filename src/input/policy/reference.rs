//! Policies of the field as files write them. Before you change it: `cooldown` is the original's own rest where it has one;
//! the engine's guard rests beside it are zero, since the original has none.

use super::figures::Figures;
use super::horizontal::Reader;
use super::horizontal::SIGNALS;
use super::horizontal::Side;
use super::horizontal::figure;
use super::horizontal::pointer;
use super::horizontal::signals;
use crate::input::schema::quantity::FigureText;
use crate::model::AutopilotFigures;
use crate::model::HpaFigures;
use crate::model::KpaFigures;
use crate::model::NomadTargetFigures;
use crate::model::NomadThresholdFigures;
use crate::model::Quantity;
use crate::model::Reference;
use crate::model::Signal;
use crate::model::StepBy;
use crate::model::StepFigures;
use crate::model::StepRow;
use crate::model::Steps;
use crate::model::Target;
use crate::model::TrackingFigures;
use crate::units::Permille;
use schemars::JsonSchema;
use serde::Deserialize;

/// How much more or fewer, by how far a figure is from its target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsFile {
    /// Above the target, the nearest first.
    pub up: Option<Vec<StepFile>>,
    /// Below it, the nearest first.
    pub down: Option<Vec<StepFile>>,
    /// So many periods of a minute the target must be passed.
    #[schemars(range(min = 1, max = 60))]
    pub periods: Option<u32>,
}

/// One step, up to the next one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// Distance from the target at which it begins: percent points, milliseconds, requests.
    #[schemars(range(max = 1_000_000))]
    pub from: u32,
    /// So many instances, or such a share of them: `2`, `30%`.
    pub by: FigureText,
}

impl Reader<'_> {
    /// The figures of `base`, with those that are given put in.
    pub(super) fn reference(&mut self, figures: &Figures, base: Reference) -> Reference {
        let given = [
            ("targets", figures.targets.is_some()),
            ("steps", figures.steps.is_some()),
            ("tolerance", figures.tolerance.is_some()),
            ("stabilisation", figures.stabilisation.is_some()),
            ("horizon", figures.horizon.is_some()),
            ("up", figures.up.is_some()),
            ("down", figures.down.is_some()),
            ("cooldown", figures.cooldown.is_some()),
        ];
        let known: &[&str] = match &base {
            Reference::Hpa(_) => &["targets", "tolerance", "stabilisation"],
            Reference::Kpa(_) => &["targets"],
            Reference::TargetTracking(_) => &["targets", "cooldown"],
            Reference::StepScaling(_) => &["targets", "steps", "cooldown"],
            Reference::Autopilot(_) => &["targets", "stabilisation", "horizon"],
            Reference::NomadTargetValue(_) => &["targets", "tolerance", "cooldown"],
            Reference::NomadThreshold(_) => &["up", "down", "cooldown"],
        };
        for (key, _) in given.into_iter().filter(|(key, given)| *given && !known.contains(key)) {
            let name = base.name();
            self.wrong(&format!("/{key}"), format!("`{name}` has no `{key}`; it has {}", known.join(", ")));
        }
        let one_rest =
            matches!(base, Reference::StepScaling(_) | Reference::NomadTargetValue(_) | Reference::NomadThreshold(_));
        if one_rest && matches!(figures.cooldown, Some(super::Ways::Each(_))) {
            self.wrong("/cooldown", format!("`{}` has one `cooldown` for both ways", base.name()));
        }
        let (out, inward) = (figures.cooldown.and_then(super::Ways::up), figures.cooldown.and_then(super::Ways::down));
        match base {
            Reference::Hpa(base) => Reference::Hpa(HpaFigures {
                targets: self.counted_by_hpa(figures.targets.as_ref(), base.targets),
                tolerance: figures.tolerance.map_or(base.tolerance, |share| share.0),
                down_stabilisation: figures.stabilisation.map_or(base.down_stabilisation, |span| span.0),
            }),
            Reference::Kpa(base) => Reference::Kpa(KpaFigures {
                target: self.one(figures.targets.as_ref(), base.target, Some(&[Signal::Queue, Signal::Requests])),
                ..base
            }),
            Reference::TargetTracking(base) => Reference::TargetTracking(TrackingFigures {
                targets: self.targets(figures.targets.as_ref(), base.targets),
                cooldown_out: out.map_or(base.cooldown_out, |span| span.0),
                cooldown_in: inward.map_or(base.cooldown_in, |span| span.0),
            }),
            Reference::StepScaling(base) => Reference::StepScaling(StepFigures {
                threshold: self.one(figures.targets.as_ref(), base.threshold, None),
                cooldown: out.map_or(base.cooldown, |span| span.0),
                out: self.steps("up", figures.steps.as_ref().and_then(|steps| steps.up.as_ref()), base.out),
                inward: self.steps("down", figures.steps.as_ref().and_then(|steps| steps.down.as_ref()), base.inward),
                periods: figures.steps.as_ref().and_then(|steps| steps.periods).unwrap_or(base.periods),
            }),
            Reference::Autopilot(base) => {
                let usual = Quantity::Share(base.utilisation.get() * 1000);
                let target = Target { signal: Signal::Cpu, value: usual };
                let target = self.one(figures.targets.as_ref(), target, Some(&[Signal::Cpu]));
                Reference::Autopilot(AutopilotFigures {
                    utilisation: Permille::new(target.value.number() / 1000),
                    horizon: figures.horizon.map_or(base.horizon, |span| span.0),
                    downscale_after: figures.stabilisation.map_or(base.downscale_after, |span| span.0),
                })
            }
            Reference::NomadTargetValue(base) => Reference::NomadTargetValue(NomadTargetFigures {
                targets: self.targets(figures.targets.as_ref(), base.targets),
                threshold: figures.tolerance.map_or(base.threshold, |share| share.0),
                cooldown: out.map_or(base.cooldown, |span| span.0),
            }),
            Reference::NomadThreshold(base) => Reference::NomadThreshold(NomadThresholdFigures {
                up: self.side("up", figures.up.as_ref(), base.up),
                down: self.side("down", figures.down.as_ref(), base.down),
                cooldown: out.map_or(base.cooldown, |span| span.0),
                ..base
            }),
        }
    }

    /// The steps on one side, in place of those of the template: each goes up to the next, and the last without end. Below
    /// the first nothing is done.
    fn steps(&mut self, side: &str, given: Option<&Vec<StepFile>>, base: Steps) -> Steps {
        let Some(given) = given else { return base };
        let (mut by, mut starts) = (None, Vec::<(i64, i64)>::new());
        for (place, step) in given.iter().enumerate() {
            let pointer = format!("/steps/{side}/{place}");
            let (unit, number) = match step.by.0.strip_suffix('%') {
                Some(percent) => (StepBy::Percent, percent),
                None => (StepBy::Instances, step.by.0.as_str()),
            };
            let Ok(change) = number.parse::<u16>() else {
                self.wrong(&format!("{pointer}/by"), format!("`{}` is no change such as `2` or `30%`", step.by.0));
                continue;
            };
            if by.is_some_and(|by| by != unit) {
                let message = "steps on one side are all percent, or all instances".to_owned();
                self.wrong(&format!("{pointer}/by"), message);
            }
            by = Some(unit);
            let from = i64::from(step.from) * 1000;
            if starts.last().is_some_and(|(last, _)| *last >= from) {
                self.wrong(
                    &format!("{pointer}/from"),
                    "steps come in order, the nearest to the target first".to_owned(),
                );
            }
            starts.push((from, i64::from(change)));
        }
        let (Some(by), Some((first, _))) = (by, starts.first().copied()) else {
            self.wrong(&format!("/steps/{side}"), "one step at least is wanted".to_owned());
            return base;
        };
        if first > 0 {
            starts.insert(0, (0, 0));
        }
        let ends = starts.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
        let row = |((from, change), end): (&(i64, i64), Option<i64>)| match side {
            "up" => StepRow { lower: Some(*from), upper: end, change: *change },
            _ => StepRow { lower: end.map(|end| -end), upper: Some(-*from), change: -*change },
        };
        Steps { by, rows: starts.iter().zip(ends).map(row).collect() }
    }

    /// Targets that are given, in place of those of the template.
    fn targets(&mut self, given: Option<&Side>, base: Vec<Target>) -> Vec<Target> {
        let Some(given) = given else { return base };
        let found = self.read("targets", given);
        if found.is_empty() { base } else { found }
    }

    /// Targets as Kubernetes can hold them: whole percents of what is requested, thousandths of all else.
    fn counted_by_hpa(&mut self, given: Option<&Side>, base: Vec<Target>) -> Vec<Target> {
        let targets = self.targets(given, base);
        for target in &targets {
            let number = target.value.number();
            let wanted = match target.value {
                Quantity::Share(_) if target.signal != Signal::Errors && number % 10_000 != 0 => {
                    "whole percents, from `1%` on"
                }
                Quantity::Rate(_) if number < 1000 => "thousandths of a request per second",
                Quantity::Time(_) if number < 1000 => "microseconds",
                _ => continue,
            };
            let name = target.signal.name();
            let message =
                format!("{} {name} is no target that `hpa` can hold: Kubernetes counts in {wanted}", target.value);
            self.wrong(&pointer("targets", target.signal), message);
        }
        targets
    }

    /// The one target that there can be, of some signals or of any.
    fn one(&mut self, given: Option<&Side>, base: Target, signals: Option<&[Signal]>) -> Target {
        let Some(given) = given else { return base };
        self.single("targets", given, base, signals)
    }

    fn side(&mut self, key: &str, given: Option<&Side>, base: Target) -> Target {
        let Some(given) = given else { return base };
        self.single(key, given, base, None)
    }

    fn single(&mut self, key: &str, given: &Side, base: Target, signals: Option<&[Signal]>) -> Target {
        let found = self.read(key, given);
        match found[..] {
            [one] if signals.is_none_or(|signals| signals.contains(&one.signal)) => one,
            [] => base,
            _ => {
                let mut names: Vec<&str> = signals.unwrap_or(&SIGNALS).iter().map(Signal::name).collect();
                names.extend(signals.is_none().then_some("one of `custom`"));
                self.wrong(&format!("/{key}"), format!("one figure is wanted here, of: {}", names.join(", ")));
                base
            }
        }
    }

    fn read(&mut self, key: &str, given: &Side) -> Vec<Target> {
        let mut found = Vec::new();
        for signal in signals(given.metrics()) {
            let Some(text) = given.of(signal) else { continue };
            match figure(signal, &text.0) {
                Ok(value) if value.number() > 0 => found.push(Target { signal, value }),
                Ok(_) => self.wrong(&pointer(key, signal), "a target above zero is wanted".to_owned()),
                Err(why) => self.wrong(&pointer(key, signal), why),
            }
        }
        found
    }
}
