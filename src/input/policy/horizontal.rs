//! Policies that change the number of instances, as files write them. Before you change it: what a file does not give is as
//! in the template, or as the kind of scaling has it that it names.

use super::IMPOSSIBLE;
use super::figures::Figures;
use super::schedule;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::FigureText;
use crate::input::schema::quantity::Percent;
use crate::input::yaml::Node;
use crate::model::Ahead;
use crate::model::AutopilotFigures;
use crate::model::Bounds;
use crate::model::Horizontal;
use crate::model::HpaFigures;
use crate::model::KpaFigures;
use crate::model::MetricName;
use crate::model::NomadTargetFigures;
use crate::model::NomadThresholdFigures;
use crate::model::PointScore;
use crate::model::Points;
use crate::model::Quantity;
use crate::model::Reference;
use crate::model::Scaling;
use crate::model::Signal;
use crate::model::StepFigures;
use crate::model::TrackingFigures;
use crate::model::Trigger;
use crate::model::WeightedPart;
use crate::model::WeightedScore;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How the number of instances is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScalingKind {
    /// A figure above its bound adds, all below theirs remove, at once.
    Thresholds,
    /// The same, where a bound is passed for a time.
    Triggers,
    /// Points for each figure beyond its bound.
    Points,
    /// A weighted mean of figures.
    Weighted,
    /// Kubernetes' horizontal pod autoscaler.
    Hpa,
    /// Knative's pod autoscaler.
    Kpa,
    /// AWS target tracking.
    TargetTracking,
    /// AWS step scaling.
    StepScaling,
    /// Google Autopilot's number of tasks.
    Autopilot,
    /// Nomad's strategy `target-value`.
    NomadTargetValue,
    /// Nomad's strategy `threshold`.
    NomadThreshold,
    /// The range alone, which a `schedule` changes.
    Schedule,
}

/// Figures by what they are of.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// CPU used, of the limit: `70%`, or `70% for 5m`; `none` for no bound.
    pub cpu: Option<FigureText>,
    /// Memory held, of the limit: `80%`.
    pub memory: Option<FigureText>,
    /// Requests waiting or worked on, of all instances together: `50`.
    pub queue: Option<FigureText>,
    /// 95th percentile of response times: `3s`.
    pub p95: Option<FigureText>,
    /// Share of requests that fail: `5%`.
    pub errors: Option<FigureText>,
    /// Requests per second, of all instances together: `200/s`.
    pub requests: Option<FigureText>,
    /// Instances there are: `2`.
    pub replicas: Option<FigureText>,
    /// Metrics of the business by name, of all instances together: `{ orders_waiting: 100 }`. A scenario says what they are.
    #[serde(default)]
    pub custom: BTreeMap<String, FigureText>,
    /// Points that are enough, or the weighted mean that must be passed.
    pub score: Option<FigureText>,
}

impl Side {
    pub(super) fn of(&self, signal: Signal) -> Option<&FigureText> {
        let figure = match signal {
            Signal::Cpu => &self.cpu,
            Signal::Memory => &self.memory,
            Signal::Queue => &self.queue,
            Signal::Latency => &self.p95,
            Signal::Errors => &self.errors,
            Signal::Requests => &self.requests,
            Signal::Replicas => &self.replicas,
            Signal::Custom(name) => return self.custom.get(name.as_str()),
        };
        figure.as_ref()
    }

    /// The metrics of the business that it names; what is no name is reported elsewhere.
    pub(super) fn metrics(&self) -> impl Iterator<Item = Signal> {
        self.custom.keys().filter_map(|name| name.parse().ok()).map(Signal::Custom)
    }
}

/// Figures for adding and for removing.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// For adding.
    pub up: Option<Side>,
    /// For removing.
    pub down: Option<Side>,
}

/// How far ahead a policy looks.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AheadFile {
    /// CPU that each instance is to use of its limit under the load that is forecast.
    pub cpu: Percent,
    /// How far ahead.
    pub by: Duration,
}

/// One figure for both ways, or one for each.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Ways<T> {
    /// Both ways.
    Both(T),
    /// Each way by itself.
    Each(Each<T>),
}

/// One figure for each way.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each<T> {
    /// Where instances are added.
    pub up: Option<T>,
    /// Where instances are removed.
    pub down: Option<T>,
}

impl<T: Copy> Ways<T> {
    pub(super) const fn up(self) -> Option<T> {
        match self {
            Self::Both(figure) => Some(figure),
            Self::Each(each) => each.up,
        }
    }

    pub(super) const fn down(self) -> Option<T> {
        match self {
            Self::Both(figure) => Some(figure),
            Self::Each(each) => each.down,
        }
    }
}

/// The signals in the order in which bounds are kept.
pub(super) const SIGNALS: [Signal; 7] =
    [Signal::Cpu, Signal::Memory, Signal::Queue, Signal::Latency, Signal::Errors, Signal::Requests, Signal::Replicas];

/// The signals in the order in which bounds are kept: those of every service, and after them the metrics of the business
/// among `named`.
pub(super) fn signals(named: impl IntoIterator<Item = Signal>) -> Vec<Signal> {
    let is_metric = |signal: &Signal| matches!(signal, Signal::Custom(_));
    let metrics: BTreeSet<Signal> = named.into_iter().filter(is_metric).collect();
    SIGNALS.into_iter().chain(metrics).collect()
}

/// Where the figure of a signal stands below a key.
pub(super) fn pointer(key: &str, signal: Signal) -> String {
    format!("/{key}/{}", signal.key().replace('.', "/"))
}

/// The policy that a kind of scaling starts from.
pub(super) fn base(kind: ScalingKind) -> Horizontal {
    let field = |reference| Horizontal::of_the_field(reference);
    Horizontal::around(match kind {
        ScalingKind::Hpa => return field(Reference::Hpa(HpaFigures::default())),
        ScalingKind::Kpa => return field(Reference::Kpa(KpaFigures::default())),
        ScalingKind::TargetTracking => return field(Reference::TargetTracking(TrackingFigures::default())),
        ScalingKind::StepScaling => return field(Reference::StepScaling(StepFigures::default())),
        ScalingKind::Autopilot => return field(Reference::Autopilot(AutopilotFigures::default())),
        ScalingKind::NomadTargetValue => return field(Reference::NomadTargetValue(NomadTargetFigures::default())),
        ScalingKind::NomadThreshold => return field(Reference::NomadThreshold(NomadThresholdFigures::default())),
        ScalingKind::Thresholds => Scaling::Bounds(Bounds::thresholds()),
        ScalingKind::Triggers => Scaling::Bounds(Bounds::triggers()),
        ScalingKind::Points => Scaling::Points(PointScore::default()),
        ScalingKind::Weighted => Scaling::Weighted(WeightedScore::default()),
        ScalingKind::Schedule => Scaling::Schedule,
    })
}

/// The figures of `base`, with those that are given put in.
pub(super) fn over(figures: &Figures, base: Horizontal, node: &Node, problems: &mut Problems) -> Horizontal {
    let mut reader = Reader { node, problems };
    let field = matches!(base.scaling, Scaling::Reference(_));
    let of_the_field = [
        ("targets", figures.targets.is_some(), field),
        ("steps", figures.steps.is_some(), field),
        ("tolerance", figures.tolerance.is_some(), field),
        ("stabilisation", figures.stabilisation.is_some(), field),
        ("horizon", figures.horizon.is_some(), field),
    ];
    let kind = [
        ("points", figures.points.is_some(), matches!(base.scaling, Scaling::Points(_))),
        ("weights", figures.weights.is_some(), matches!(base.scaling, Scaling::Weighted(_))),
        ("full", figures.full.is_some(), matches!(base.scaling, Scaling::Weighted(_))),
        ("up", figures.up.is_some(), base.scaling != Scaling::Schedule),
        ("down", figures.down.is_some(), base.scaling != Scaling::Schedule),
    ];
    for (key, _, _) in kind.into_iter().chain(of_the_field).filter(|(_, given, fits)| *given && !fits) {
        reader.wrong(&format!("/{key}"), format!("`{key}` means nothing to this kind of `scaling`"));
    }
    let points = figures.points.as_ref();
    let sides = [
        ("up", figures.up.as_ref()),
        ("down", figures.down.as_ref()),
        ("targets", figures.targets.as_ref()),
        ("weights", figures.weights.as_ref()),
        ("full", figures.full.as_ref()),
        ("points/up", points.and_then(|sides| sides.up.as_ref())),
        ("points/down", points.and_then(|sides| sides.down.as_ref())),
    ];
    for (key, name) in sides
        .iter()
        .flat_map(|(key, side)| side.iter().flat_map(move |side| side.custom.keys().map(move |name| (key, name))))
    {
        if let Err(wrong) = name.parse::<MetricName>() {
            reader.wrong(&format!("/{key}/custom/{name}"), wrong.to_string());
        }
    }
    let scaling = match base.scaling {
        Scaling::Bounds(bounds) => Scaling::Bounds(reader.bounds(figures, bounds)),
        Scaling::Points(score) => Scaling::Points(reader.points(figures, score)),
        Scaling::Weighted(score) => Scaling::Weighted(reader.weighted(figures, score)),
        Scaling::Reference(reference) => Scaling::Reference(reader.reference(figures, reference)),
        Scaling::Schedule => Scaling::Schedule,
    };
    let schedule = figures.schedule.as_ref().map(|periods| schedule::periods(periods, node, reader.problems));
    let cooldown = figures.cooldown.filter(|_| !matches!(scaling, Scaling::Reference(_)));
    Horizontal {
        replicas_min: figures.replicas.map_or(base.replicas_min, |range| range.0.0),
        replicas_max: figures.replicas.map_or(base.replicas_max, |range| range.0.1),
        per_host: figures.per_host.or(base.per_host),
        every: figures.every.map_or(base.every, |figure| figure.0),
        window: figures.window.map_or(base.window, |figure| figure.0),
        step_up: figures.step.and_then(Ways::up).unwrap_or(base.step_up),
        step_down: figures.step.and_then(Ways::down).unwrap_or(base.step_down),
        cooldown_up: cooldown.and_then(Ways::up).map_or(base.cooldown_up, |figure| figure.0),
        cooldown_down: cooldown.and_then(Ways::down).map_or(base.cooldown_down, |figure| figure.0),
        stale_after: figures.stale_after.map_or(base.stale_after, |figure| figure.0),
        overcommit_cpu: figures.overcommit_cpu.map_or(base.overcommit_cpu, |figure| figure.0),
        overcommit_memory: figures.overcommit_memory.map_or(base.overcommit_memory, |figure| figure.0),
        scaling,
        ahead: figures.ahead.map(|ahead| Ahead { cpu: ahead.cpu.0, by: ahead.by.0 }).or(base.ahead),
        schedule: schedule.unwrap_or(base.schedule),
    }
}

pub(super) struct Reader<'a> {
    node: &'a Node,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    pub(super) fn wrong(&mut self, pointer: &str, message: String) {
        self.problems.push(Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(self.node, pointer)));
    }

    fn bounds(&mut self, figures: &Figures, base: Bounds) -> Bounds {
        for (key, side) in [("up", &figures.up), ("down", &figures.down)] {
            if side.as_ref().is_some_and(|side| side.score.is_some()) {
                self.wrong(&format!("/{key}/score"), "thresholds and triggers have no `score`".to_owned());
            }
        }
        Bounds {
            up: self.triggers("up", figures.up.as_ref(), &base.up),
            down: self.triggers("down", figures.down.as_ref(), &base.down),
        }
    }

    /// The triggers of `base`, with those that are given put in or left out.
    fn triggers(&mut self, key: &str, side: Option<&Side>, base: &[Trigger]) -> Vec<Trigger> {
        let mut found = Vec::new();
        let named = side.iter().flat_map(|side| side.metrics());
        for signal in signals(named.chain(base.iter().map(|trigger| trigger.signal))) {
            let before = base.iter().find(|trigger| trigger.signal == signal).copied();
            match side.and_then(|side| side.of(signal)) {
                None => found.extend(before),
                Some(FigureText(text)) if text == "none" => {}
                Some(FigureText(text)) => match trigger(signal, text, before) {
                    Ok(trigger) => found.push(trigger),
                    Err(why) => self.wrong(&pointer(key, signal), why),
                },
            }
        }
        found
    }

    fn points(&mut self, figures: &Figures, base: PointScore) -> PointScore {
        let given = figures.points.clone().unwrap_or_default();
        let up = self.counted("up", (figures.up.as_ref(), given.up.as_ref()), &base.up);
        let down = self.counted("down", (figures.down.as_ref(), given.down.as_ref()), &base.down);
        let up_from = self.enough("up", figures.up.as_ref()).unwrap_or(base.up_from);
        let down_from = self.enough("down", figures.down.as_ref()).unwrap_or(base.down_from);
        PointScore { up, down, up_from, down_from }
    }

    fn counted(&mut self, key: &str, (side, given): (Option<&Side>, Option<&Side>), base: &[Points]) -> Vec<Points> {
        let triggers: Vec<Trigger> = base.iter().map(|points| points.trigger).collect();
        let mut found = Vec::new();
        for trigger in self.triggers(key, side, &triggers) {
            let before = base.iter().find(|points| points.trigger.signal == trigger.signal);
            let text = given.and_then(|given| given.of(trigger.signal));
            let points = match text.map(|FigureText(text)| text.parse::<u32>()) {
                None => before.map_or(1, |points| points.points),
                Some(Ok(points)) => points,
                Some(Err(_)) => {
                    let message = "points are a whole number such as `3`".to_owned();
                    self.wrong(&pointer(&format!("points/{key}"), trigger.signal), message);
                    continue;
                }
            };
            found.push(Points { trigger, points });
        }
        found
    }

    fn enough(&mut self, key: &str, side: Option<&Side>) -> Option<u32> {
        let FigureText(text) = side?.score.as_ref()?;
        let points = text.parse::<u32>().ok();
        if points.is_none() {
            self.wrong(&format!("/{key}/score"), format!("`{text}` is no number of points such as `4`"));
        }
        points
    }

    fn weighted(&mut self, figures: &Figures, base: WeightedScore) -> WeightedScore {
        for (key, side) in [("up", &figures.up), ("down", &figures.down)] {
            let other = |signal: &Signal| side.as_ref().is_some_and(|side| side.of(*signal).is_some());
            let named = side.iter().flat_map(Side::metrics);
            if let Some(signal) = signals(named).into_iter().find(other) {
                let message = "a weighted mean has one bound each way, `score`".to_owned();
                self.wrong(&pointer(key, signal), message);
            }
        }
        let up = self.mean("up", figures.up.as_ref()).unwrap_or(base.up);
        let down = self.mean("down", figures.down.as_ref()).unwrap_or(base.down);
        let mut parts = Vec::new();
        let named = figures.weights.iter().chain(&figures.full).flat_map(Side::metrics);
        for signal in signals(named.chain(base.parts.iter().map(|part| part.signal))) {
            let before = base.parts.iter().find(|part| part.signal == signal);
            let given = |side: &Option<Side>| side.as_ref().and_then(|side| side.of(signal)).cloned();
            let (weight, full) = (given(&figures.weights), given(&figures.full));
            let weight = match weight.map(|FigureText(text)| text.parse::<u32>()) {
                None => before.map(|part| part.weight),
                Some(Ok(weight)) => Some(weight),
                Some(Err(_)) => {
                    let message = "a weight is a whole number such as `40`".to_owned();
                    self.wrong(&pointer("weights", signal), message);
                    continue;
                }
            };
            let whole = match full.map(|FigureText(text)| (figure(signal, &text), text)) {
                None => before.map(|part| part.whole),
                Some((Ok(whole), _)) if whole.number() > 0 => Some(whole),
                Some((wrong, text)) => {
                    let message = wrong.err().unwrap_or_else(|| format!("`{text}` cannot count as one"));
                    self.wrong(&pointer("full", signal), message);
                    continue;
                }
            };
            match (weight, whole) {
                (Some(weight), Some(whole)) => parts.push(WeightedPart { signal, weight, whole }),
                (Some(_), None) => {
                    let message =
                        format!("`{}` has a weight, and `full` does not say what counts as one", signal.name());
                    self.wrong(&pointer("weights", signal), message);
                }
                (None, _) => {}
            }
        }
        WeightedScore { parts, up, down }
    }

    fn mean(&mut self, key: &str, side: Option<&Side>) -> Option<Permille> {
        let FigureText(text) = side?.score.as_ref()?;
        let share = Permille::parse(text).map_err(|error| error.to_string());
        share.map_err(|why| self.wrong(&format!("/{key}/score"), why)).ok()
    }
}

/// `70%`, `70% for 5m`; without a time, that of the template.
fn trigger(signal: Signal, text: &str, before: Option<Trigger>) -> Result<Trigger, String> {
    let (bound, lasts) = match text.split_once(" for ") {
        Some((bound, lasts)) => (bound, Span::parse(lasts).map_err(|error| error.to_string())?),
        None => (text, before.map_or(Span::ZERO, |before| before.lasts)),
    };
    Ok(Trigger { signal, bound: figure(signal, bound)?, lasts })
}

/// A figure in the unit of its signal.
pub(in crate::input) fn figure(signal: Signal, text: &str) -> Result<Quantity, String> {
    let text = text.trim();
    let plain = |error: crate::units::UnitError| error.to_string();
    match signal {
        Signal::Cpu | Signal::Memory | Signal::Errors => {
            let share = Permille::parse(text).map_err(plain)?;
            if !text.ends_with('%') && share > Permille::new(10_000) {
                return Err(format!("`{text}` is {text} times the whole; a share is written `{text}%`"));
            }
            Ok(Quantity::Share(share.get().saturating_mul(1000)))
        }
        Signal::Queue | Signal::Replicas => {
            let count = text.parse::<u32>().map_err(|_| format!("`{text}` is no count such as `50`"))?;
            Ok(Quantity::Number(u64::from(count) * 1000))
        }
        Signal::Custom(_) => {
            let number = Permille::parse(text).ok().filter(|_| !text.ends_with('%'));
            let number = number.ok_or_else(|| format!("`{text}` is no number such as `100` or `2.5`"))?;
            Ok(Quantity::Number(number.get()))
        }
        Signal::Latency => Span::parse(text).map(Quantity::Time).map_err(plain),
        Signal::Requests => Rate::parse(text).map(|rate| Quantity::Rate(rate.get())).map_err(plain),
    }
}
