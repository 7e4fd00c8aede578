//! What is drawn: the host, and each service.

use super::axis;
use super::axis::Scale;
use super::business;
use super::canvas;
use super::canvas::Align;
use super::canvas::Canvas;
use super::heat;
use super::marks;
use super::marks::Mark;
use super::marks::Sign;
use super::marks::Stretch;
use super::palette;
use super::panel::Form;
use super::panel::LEFT;
use super::panel::Line;
use super::panel::Panel;
use super::panel::TEXT;
use super::panel::Time;
use super::panel::WIDTH;
use crate::model::Aggregate;
use crate::model::Bound;
use crate::model::Horizontal;
use crate::model::Metric;
use crate::model::MetricName;
use crate::model::Policy;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::Subject;
use crate::report::collect::Run;
use crate::report::figure::Figure;
use crate::report::figure::Unit;
use crate::report::figure::rounded;
use crate::report::series::Point;
use crate::report::series::Series;
use crate::report::series::ServicePoint;
use crate::report::words;
use crate::report::words::counted;
use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;

/// Points drawn on a time axis: two pixels each.
const DRAWN: usize = 470;
/// Head of a picture, with the names of faults.
const HEAD: i32 = 92;
/// Foot of a picture, with the hours.
const FOOT: i32 = 44;

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// `None` for the host.
    pub service: Option<ServiceName>,
    /// Name of its files, without ending: made of letters, digits, `-`, `_` and `.`.
    pub file: String,
    /// What it shows, in words.
    pub title: String,
    /// The picture.
    pub svg: String,
}

/// The pictures of a run that kept its points: the host first, then the services by name.
#[must_use]
pub fn pictures(run: &Run) -> Vec<Picture> {
    let Some(series) = &run.series else { return Vec::new() };
    let points = series.coarse(DRAWN);
    let end = series.end();
    let time = Time { end, ticks: axis::time(end) };
    let places: Vec<Option<usize>> = std::iter::once(None).chain((0..series.names.len()).map(Some)).collect();
    places
        .par_iter()
        .map(|place| match place {
            None => host(run, series, &points, &time),
            Some(place) => service(run, series, &points, &time, *place),
        })
        .collect()
}

fn host(run: &Run, series: &Series, points: &[Point], time: &Time) -> Picture {
    let host = &run.scenario.host;
    let all: Vec<Mark> = marks::marks(run, None);
    let of = |each: fn(&Point) -> f64| points.iter().map(|p| (p.from, p.to, Some(each(p)))).collect::<Vec<_>>();
    let level = |name: String, colour, value: f64| Line {
        name,
        colour,
        form: Form::Step,
        points: vec![(0.0, time.end, Some(value))],
    };
    let (cores, pool) = (host.capacity().as_cores(), host.pool_cpu().as_cores());
    let used = |points| Line { name: "used".to_owned(), colour: palette::BLUE, form: Form::Area, points };
    let cpu = Panel {
        title: "CPU of the host (cores)".to_owned(),
        scale: Scale::linear(most(points, |point| point.host_cpu).max(cores), Unit::Cores),
        height: 260,
        lines: vec![
            used(of(|point| point.host_cpu)),
            level(format!("has {}", rounded(cores, 3)), palette::INK, cores),
            level(format!("pool {}", rounded(pool, 3)), palette::GREEN, pool),
        ],
        bounds: bounds(run, Metric::HostCpu, None),
        marks: only(&all, &[Resource::Cpu], &[]),
        saturated: Vec::new(),
    };
    let (has, pool) = (host.memory.get() as f64, host.pool_memory().get() as f64);
    let memory = Panel {
        title: "memory of the host".to_owned(),
        scale: Scale::linear(most(points, |point| point.host_memory).max(has), Unit::Bytes),
        height: 260,
        lines: vec![
            used(of(|point| point.host_memory)),
            level(format!("has {}", Figure::bytes(host.memory.get())), palette::INK, has),
            level(format!("pool {}", Figure::bytes(host.pool_memory().get())), palette::GREEN, pool),
        ],
        bounds: bounds(run, Metric::HostMemory, None),
        marks: only(&all, &[Resource::Memory], &[Sign::Oom]),
        saturated: Vec::new(),
    };
    let mut panels = vec![cpu, memory];
    panels.extend(disk(run, points));
    panels.extend(network(run, points));
    panels.extend(heat::temperature(host.heat.as_ref(), points, time.end, bounds(run, Metric::Temperature, None)));
    panels.extend(heat::clock(points, bounds(run, Metric::Clock, None)));
    panels.extend(heat::steal(points, bounds(run, Metric::Steal, None)));
    // The others stand with the service whose policy looks at them.
    let policies: Vec<&Horizontal> = run.scenario.policies.values().filter_map(Policy::horizontal).collect();
    let is_looked_at = |name: &MetricName| policies.iter().any(|policy| policy.metrics().contains(name));
    for (place, name) in series.metrics.iter().enumerate().filter(|(_, name)| !is_looked_at(name)) {
        panels.push(business::panel(*name, place, points, Vec::new()));
    }
    let title = format!("{}: CPU and memory of all services against what it has", host.title);
    let svg = picture(&host.title, &title, &panels, time, &marks::faults(run));
    Picture { service: None, file: "host".to_owned(), title, svg }
}

/// Nothing where the disk was not used.
fn disk(run: &Run, points: &[Point]) -> Option<Panel> {
    let most = most(points, |point| point.disk.max(point.iowait));
    if most <= 0.0 {
        return None;
    }
    let of = |each: fn(&Point) -> f64| points.iter().map(|p| (p.from, p.to, Some(each(p)))).collect::<Vec<_>>();
    let line = |name: &str, colour, form, points| Line { name: name.to_owned(), colour, form, points };
    let mut bounds = bounds(run, Metric::Disk, None);
    bounds.extend(self::bounds(run, Metric::IoWait, None));
    Some(Panel {
        title: "disk busy, and cores idle that wait for it".to_owned(),
        scale: Scale::linear(bounds.iter().map(|bound| bound.0).fold(most, f64::max), Unit::Share),
        height: 170,
        lines: vec![
            line("disk", palette::BLUE, Form::Area, of(|point| point.disk)),
            line("iowait", palette::INK, Form::Step, of(|point| point.iowait)),
        ],
        bounds,
        marks: Vec::new(),
        saturated: Vec::new(),
    })
}

/// Nothing where nobody sends anything of a known size, or nobody knows how fast the network is.
fn network(run: &Run, points: &[Point]) -> Option<Panel> {
    let most = most(points, |point| point.network);
    if most <= 0.0 {
        return None;
    }
    let bounds = bounds(run, Metric::Network, None);
    Some(Panel {
        title: "bandwidth to the outside, the busier direction".to_owned(),
        scale: Scale::linear(bounds.iter().map(|bound| bound.0).fold(most, f64::max), Unit::Share),
        height: 170,
        lines: vec![Line {
            name: "network".to_owned(),
            colour: palette::BLUE,
            form: Form::Area,
            points: points.iter().map(|point| (point.from, point.to, Some(point.network))).collect(),
        }],
        bounds,
        marks: Vec::new(),
        saturated: Vec::new(),
    })
}

fn service(run: &Run, series: &Series, all_points: &[Point], time: &Time, place: usize) -> Picture {
    let name = &series.names[place];
    let replicas = run.scenario.services.get(name).map_or(1, |model| model.replicas);
    let all = marks::marks(run, Some(name));
    let points: Vec<(f64, f64, ServicePoint)> =
        all_points.iter().filter_map(|point| Some((point.from, point.to, *point.services.get(place)?))).collect();
    let warm = run.scenario.warmup.as_secs();
    let saturated = stretches(&points);
    let mut panels = vec![
        cpu(run, name, &points, f64::from(replicas), only(&all, &[Resource::Cpu], &[]), saturated.clone()),
        memory(run, name, &points, only(&all, &[Resource::Memory], &[Sign::Oom])),
    ];
    if points.iter().any(|(_, _, point)| point.requests > 0.0) {
        panels.extend(latency(run, name, &points, saturated));
        panels.push(requests(&points, warm));
    }
    let judged = points.iter().filter(|(from, _, _)| *from >= warm);
    let fewest = judged.map(|(_, _, point)| point.replicas).min().unwrap_or(0);
    let range = run.scenario.policies.get(name).and_then(Policy::horizontal);
    let mut title = format!("{name}: CPU, memory, latency and requests over time, with limits, actions and incidents");
    let looked_at = range.map(Horizontal::metrics).unwrap_or_default();
    if let Some(policy) = range {
        let there = |point: &ServicePoint| if point.instances > 0.0 { point.instances } else { f64::from(replicas) };
        let instances: Vec<_> = points.iter().map(|(from, to, point)| (*from, *to, there(point))).collect();
        for (place, metric) in series.metrics.iter().enumerate().filter(|(_, metric)| looked_at.contains(metric)) {
            let bounds = business::bounds(policy, *metric, &instances);
            panels.push(business::panel(*metric, place, all_points, bounds));
            title = format!("{title}, and {metric}");
        }
    }
    if replicas > 1 || fewest < replicas || range.is_some() {
        let marks = only(&all, &[Resource::Replicas], &[Sign::Oom, Sign::Crash]);
        let of = range.map_or((replicas, replicas), Horizontal::widest);
        panels.push(instances(&points, of, marks));
    }
    // That nothing is up in the first seconds is true of every service and says nothing.
    let up = if fewest < replicas { "" } else { ", always up after the start" };
    let head = match range {
        Some(policy) => {
            let (least, most) = policy.widest();
            format!("{name}: {least} to {most} instances")
        }
        None => format!("{name}: {}{up}", counted(u64::from(replicas), "instance")),
    };
    let svg = picture(&head, &title, &panels, time, &marks::faults(run));
    Picture { service: Some(name.clone()), file: file_name(place, name), title, svg }
}

type Points<'a> = &'a [(f64, f64, ServicePoint)];

fn series(points: Points<'_>, value: impl Fn(&ServicePoint) -> Option<f64>) -> Vec<(f64, f64, Option<f64>)> {
    points.iter().map(|(from, to, point)| (*from, *to, value(point))).collect()
}

fn largest(points: &[(f64, f64, Option<f64>)]) -> f64 {
    points.iter().filter_map(|(_, _, value)| *value).fold(0.0, f64::max)
}

fn last(points: &[(f64, f64, Option<f64>)]) -> Option<f64> {
    points.iter().rev().find_map(|(_, _, value)| *value)
}

fn cpu(
    run: &Run,
    name: &ServiceName,
    points: Points<'_>,
    replicas: f64,
    marks: Vec<Mark>,
    saturated: Vec<(f64, f64)>,
) -> Panel {
    let used = series(points, |point| Some(point.cpu));
    let limit = series(points, |point| {
        let instances = if point.instances > 0.0 { point.instances } else { replicas };
        point.limits.cpu.map(|cpu| cpu.as_cores() * instances)
    });
    let scale = Scale::linear(largest(&used).max(largest(&limit)), Unit::Cores);
    let mut lines = vec![Line { name: "used".to_owned(), colour: palette::BLUE, form: Form::Area, points: used }];
    if let Some(value) = last(&limit) {
        let name = format!("limit {}", rounded(value, 3));
        lines.push(Line { name, colour: palette::INK, form: Form::Step, points: limit });
    }
    let title = if lines.len() > 1 { "CPU (cores, all instances)" } else { "CPU (cores, all instances), no limit" };
    let bounds = bounds(run, Metric::Cpu, Some(name));
    Panel { title: title.to_owned(), scale, height: 170, lines, bounds, marks, saturated }
}

fn memory(run: &Run, name: &ServiceName, points: Points<'_>, marks: Vec<Mark>) -> Panel {
    let used = series(points, |point| Some(point.memory));
    let limit = series(points, |point| point.limits.memory.map(|memory| memory.get() as f64));
    let scale = Scale::linear(largest(&used).max(largest(&limit)), Unit::Bytes);
    let mut lines = vec![Line { name: "held".to_owned(), colour: palette::BLUE, form: Form::Area, points: used }];
    if let Some(value) = last(&limit) {
        let name = format!("limit {}", Figure::new(value, Unit::Bytes));
        lines.push(Line { name, colour: palette::INK, form: Form::Step, points: limit });
    }
    let title = if lines.len() > 1 { "memory (largest instance)" } else { "memory (largest instance), no limit" };
    let bounds = bounds(run, Metric::Memory, Some(name));
    Panel { title: title.to_owned(), scale, height: 170, lines, bounds, marks, saturated: Vec::new() }
}

/// Nothing where no request ended well.
fn latency(run: &Run, name: &ServiceName, points: Points<'_>, saturated: Vec<(f64, f64)>) -> Option<Panel> {
    let percentile = |place: usize| series(points, |point| point.latency.map(|times| times[place].max(0.001)));
    let [p50, p95, p99] = [0, 1, 2].map(percentile);
    let bounds = bounds(run, Metric::Latency, Some(name));
    let high = bounds.iter().map(|(bound, _)| *bound).fold(largest(&p99), f64::max);
    let low = p50.iter().filter_map(|(_, _, value)| *value).fold(f64::INFINITY, f64::min);
    if !low.is_finite() {
        return None;
    }
    // A bound below everything else is still drawn where it is.
    let low = bounds.iter().map(|(bound, _)| *bound).filter(|bound| *bound > 0.0).fold(low, f64::min);
    let wide = high / low > 20.0;
    let scale = if wide { Scale::decades(low, high, Unit::Millis) } else { Scale::linear(high, Unit::Millis) };
    let line =
        |name: &str, colour, width, points| Line { name: name.to_owned(), colour, form: Form::Line(width), points };
    let lines =
        vec![line("p99", palette::NAVY, 2, p99), line("p95", palette::BLUE, 4, p95), line("p50", palette::SKY, 2, p50)];
    let steps = if wide { " (log scale)" } else { "" };
    let shaded = if saturated.is_empty() { "" } else { "; shaded: saturated, not to be trusted" };
    let title = format!("latency{steps}{shaded}");
    Some(Panel { title, scale, height: 190, lines, bounds, marks: Vec::new(), saturated })
}

fn requests(points: Points<'_>, warm: f64) -> Panel {
    let rate = |each: fn(&ServicePoint) -> f64| {
        let rates = points.iter().map(|(from, to, point)| (*from, *to, Some(each(point) / (to - from).max(0.001))));
        rates.collect::<Vec<_>>()
    };
    let (all, failed) = (rate(|point| point.requests), rate(|point| point.errors));
    let scale = Scale::linear(largest(&all), Unit::PerSecond);
    let mut lines = vec![Line { name: "ended".to_owned(), colour: palette::BLUE, form: Form::Area, points: all }];
    let any = failed.iter().any(|(from, _, rate)| *from >= warm && rate.is_some_and(|rate| rate > 0.0));
    let ever = largest(&failed) > 0.0;
    if any {
        lines.push(Line { name: "of them failed".to_owned(), colour: palette::RED, form: Form::Area, points: failed });
    }
    let title = match (any, ever) {
        (true, _) => "requests a second",
        (false, true) => "requests a second, none failed after the start",
        (false, false) => "requests a second, none failed",
    };
    Panel {
        title: title.to_owned(),
        scale,
        height: 120,
        lines,
        bounds: Vec::new(),
        marks: Vec::new(),
        saturated: Vec::new(),
    }
}

fn instances(points: Points<'_>, (least, most): (u32, u32), marks: Vec<Mark>) -> Panel {
    let up = series(points, |point| Some(f64::from(point.replicas)));
    let scale = Scale::linear(largest(&up).max(f64::from(most)), Unit::Count);
    let lines = vec![Line { name: "up and well".to_owned(), colour: palette::GREEN, form: Form::Step, points: up }];
    let of = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let title = format!("instances up and well, of {of}");
    Panel { title, scale, height: 80, lines, bounds: Vec::new(), marks, saturated: Vec::new() }
}

/// Bounds of the expectations about this series that are a figure of its own unit.
fn bounds(run: &Run, metric: Metric, service: Option<&ServiceName>) -> Vec<(f64, String)> {
    let about = |subject: &Subject| match (subject, service) {
        (Subject::Service(name), Some(service)) => name == service,
        (Subject::Host | Subject::All, None) => true,
        _ => false,
    };
    let expectations =
        run.scenario.expect.iter().filter(|one| one.measure.metric == metric && about(&one.measure.subject));
    let mut bounds: Vec<(f64, String)> = Vec::new();
    for expectation in expectations {
        let Bound::Value(quantity) = expectation.bound else { continue };
        let figure = Figure::of(quantity);
        let figure = match (figure.unit, metric) {
            (Unit::Share, Metric::HostCpu) => {
                Figure::new(figure.value * run.scenario.host.capacity().as_cores(), Unit::Cores)
            }
            (Unit::Share, Metric::HostMemory) => {
                Figure::new(figure.value * run.scenario.host.memory.get() as f64, Unit::Bytes)
            }
            _ => figure,
        };
        if figure.unit != Unit::of(metric) {
            continue;
        }
        let aggregate = match expectation.measure.aggregate {
            Aggregate::Percentile(part) => format!("p{}", rounded(f64::from(part) / 1000.0, 5)),
            Aggregate::Mean => "mean".to_owned(),
            Aggregate::Max => "max".to_owned(),
            Aggregate::Min => "min".to_owned(),
            Aggregate::Rate | Aggregate::Count | Aggregate::Share => continue,
        };
        let sign = words::comparison(expectation.comparison).replace("<=", "≤").replace(">=", "≥").replace("==", "=");
        let bound = (figure.value, format!("{aggregate} {sign} {figure}"));
        if !bounds.contains(&bound) {
            bounds.push(bound);
        }
    }
    bounds
}

/// The marks of these limits, and of these signs.
fn only(marks: &[Mark], resources: &[Resource], signs: &[Sign]) -> Vec<Mark> {
    let wanted = |mark: &&Mark| match &mark.sign {
        Sign::Up(resource) | Sign::Down(resource) | Sign::Refused(resource) => resources.contains(resource),
        sign @ (Sign::Oom | Sign::Crash) => signs.contains(sign),
    };
    marks.iter().filter(wanted).cloned().collect()
}

/// Stretches of points in which the service was saturated.
fn stretches(points: Points<'_>) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (from, to, point) in points {
        match all.last_mut() {
            _ if !point.saturated => {}
            Some(last) if last.1 >= *from => last.1 = *to,
            _ => all.push((*from, *to)),
        }
    }
    all
}

fn most(points: &[Point], value: fn(&Point) -> f64) -> f64 {
    points.iter().map(value).fold(0.0, f64::max)
}

/// Head, panels one below the other, faults behind them, hours at the foot.
fn picture(head: &str, title: &str, panels: &[Panel], time: &Time, faults: &[Stretch]) -> String {
    let height = HEAD + panels.iter().map(Panel::room).sum::<i32>() + FOOT;
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    canvas::svg(size.0, size.1, title, |canvas| {
        canvas.text(head, (LEFT, 26), 28.0, palette::INK, Align::Left);
        let signs: Vec<&Sign> = panels.iter().flat_map(|panel| &panel.marks).map(|mark| &mark.sign).collect();
        let of = |sign: &&&Sign| match sign {
            Sign::Up(resource) | Sign::Down(resource) => Some(*resource == Resource::Replicas),
            Sign::Refused(_) | Sign::Oom | Sign::Crash => None,
        };
        let (numbers, limits): (Vec<bool>, Vec<bool>) = signs.iter().filter_map(|sign| of(&sign)).partition(|is| *is);
        let key = match (numbers.is_empty(), limits.is_empty()) {
            (true, true) => None,
            (true, false) => Some("▲ limit raised  ▼ limit lowered"),
            (false, true) => Some("▲ instances added  ▼ removed"),
            (false, false) => Some("▲ limit raised, instances added  ▼ lowered, removed"),
        };
        if let Some(key) = key {
            canvas.text(key, (WIDTH - 20, 26), TEXT, palette::PURPLE, Align::Right);
        }
        draw_faults(canvas, time, faults, height - FOOT);
        let mut top = HEAD;
        for panel in panels {
            panel.draw(canvas, top, time);
            top += panel.room();
        }
        for tick in &time.ticks {
            canvas.text(&tick.text, (time.x(tick.at), top + 10), TEXT, palette::FAINT, Align::Middle);
        }
    })
}

/// Faults as shaded stretches over all panels; their names above, those that would overlap left out.
fn draw_faults(canvas: &Canvas<'_>, time: &Time, faults: &[Stretch], bottom: i32) {
    let mut free = [LEFT - 100; 2];
    for fault in faults {
        let (from, to) = (time.x(fault.from), time.x(fault.to));
        canvas.rectangle((from - 1, HEAD), (to.max(from + 2), bottom), palette::RED, 0.22);
        let length = canvas::pixel(fault.name.chars().count() as f64 * 11.5);
        let left = from.min(WIDTH - 20 - length);
        if let Some(row) = free.iter().position(|end| left > end + 12) {
            let y = if row == 0 { HEAD - 14 } else { HEAD - 38 };
            canvas.text(&fault.name, (left, y), TEXT, palette::RED, Align::Left);
            free[row] = left + length;
        }
    }
}

/// A file name for a service, whatever its name holds; the place keeps two of them apart.
fn file_name(place: usize, name: &ServiceName) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.as_str().chars().all(safe) && name.as_str().len() <= 80 && name.as_str() != "host" {
        return name.to_string();
    }
    let text: String = name.as_str().chars().map(|c| if safe(c) { c } else { '_' }).take(80).collect();
    format!("{text}.{}", place + 1)
}
