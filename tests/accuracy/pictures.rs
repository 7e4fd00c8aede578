//! The pictures of the page: the error by load, and response times as the model and the oracle see them.

use crate::bounds;
use crate::canvas;
use crate::canvas::Canvas;
use crate::canvas::Pixel;
use crate::draws::Case;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use crate::study;
use crate::study::BANDS;
use crate::study::Compared;
use crate::study::Effort;
use crate::study::Kind;
use plimsoll::model::Latencies;
use plimsoll::model::Noise;
use plimsoll::model::ServiceModel;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;

const TEXT: f64 = 22.0;
/// The frame of a panel: left, top, width, height.
type Frame = (i32, i32, i32, i32);

#[expect(clippy::cast_possible_truncation, reason = "a pixel")]
const fn nearest(value: f64) -> i32 {
    value.round() as i32
}

/// Error by load, one panel for each of the kinds that stand for whole hosts.
pub(crate) fn by_load(all: &[Compared]) -> String {
    const MOST: f64 = 0.8;
    let title = "How far the model is off, by load";
    canvas::svg(1360, 1460, title, |canvas| {
        for (place, kind) in (0..6).zip(Kind::ALL) {
            let frame = (100 + place % 2 * 670, 60 + place / 2 * 450, 470, 320);
            let at = |band: f64, error: f64| -> Pixel {
                let (x, y) = ((band - 15.0) / 80.0, error.min(MOST) / MOST);
                (frame.0 + nearest(x * f64::from(frame.2)), frame.1 + frame.3 - nearest(y * f64::from(frame.3)))
            };
            canvas.text(kind.title(), (frame.0, frame.1 - 32), TEXT + 2.0, canvas::INK, -1);
            for tick in 0..=4 {
                let y = at(15.0, f64::from(tick) * 0.2).1;
                canvas.line(vec![(frame.0, y), (frame.0 + frame.2, y)], canvas::GRID, 1);
                canvas.text(&format!("{} %", tick * 20), (frame.0 - 12, y), TEXT, canvas::FAINT, 1);
            }
            for band in BANDS {
                let (x, y) = at(f64::from(band), 0.0);
                canvas.text(&band.to_string(), (x, y + 22), TEXT, canvas::FAINT, 0);
            }
            let [most, most_at_90] = bounds::promised(kind);
            canvas.dashes(at(15.0, most), at(85.0, most), canvas::FAINT);
            canvas.dashes(at(85.0, most_at_90), at(95.0, most_at_90), canvas::FAINT);
            let lines = [(0, canvas::BLUE, -1.0), (2, canvas::RED, 1.0)];
            let ends = lines.map(|(figure, colour, aside)| draw_errors(canvas, all, kind, figure, colour, aside, &at));
            let [mean, p95] = ends;
            let p95 = if (mean - p95).abs() < 28 { mean + if p95 <= mean { -28 } else { 28 } } else { p95 };
            canvas.text("mean", (frame.0 + frame.2 + 6, mean), TEXT, canvas::BLUE, -1);
            canvas.text("P95", (frame.0 + frame.2 + 6, p95), TEXT, canvas::RED, -1);
        }
        let words =
            "Dots: half of the services are nearer. Upright lines: nine of ten are. Dashes: what half must keep.";
        canvas.text("load of the busiest part, in % of what it can do", (680, 1350), TEXT, canvas::FAINT, 0);
        canvas.text(words, (680, 1410), TEXT, canvas::INK, 0);
    })
}

/// Medians joined by a line, with lines up to what nine of ten keep; the height of its end.
fn draw_errors(
    canvas: &Canvas<'_>,
    all: &[Compared],
    kind: Kind,
    figure: usize,
    colour: plotters::style::RGBColor,
    aside: f64,
    at: &impl Fn(f64, f64) -> Pixel,
) -> i32 {
    let points: Vec<[Pixel; 2]> = BANDS
        .iter()
        .map(|&band| {
            let errors = study::errors(all, kind, &[band], figure);
            [0.5, 0.9].map(|share| at(f64::from(band) + aside * 0.8, study::quantile(&errors, share)))
        })
        .collect();
    points.iter().for_each(|&[median, most]| canvas.line(vec![median, most], colour, 2));
    canvas.line(points.iter().map(|point| point[0]).collect(), colour, 5);
    points.iter().for_each(|point| canvas.dot(point[0], 7, colour));
    points.last().expect("bands")[0].1
}

/// Three plain cases and what they are.
fn plain_cases() -> [(&'static str, &'static str, Case); 3] {
    let load = |rate| constant(Rate::per_second(rate), Noise::None);
    let of = |scenario| Case::of(scenario, Vec::new());
    let free = scenario(host(2), [("s", ServiceModel { workers: Some(4), ..service(5) })], [("s", load(280))]);
    let mut half = service(5);
    half.limits.cpu = Some(Millicores::new(500));
    let quota = scenario(host(2), [("s", half)], [("s", load(70))]);
    let (mut web, mut api) = (service(4), service(3));
    web.work.calls = vec![call("api", 2)];
    api.work.calls = vec![call("db", 1)];
    let db = ServiceModel { workers: Some(8), ..service(6) };
    let graph = scenario(host(4), [("web", web), ("api", api), ("db", db)], [("web", load(127))]);
    [
        ("4 workers on 2 cores", "70 % busy", of(free)),
        ("half a core of quota", "70 % of it used", of(quota)),
        ("web calls api twice, api calls db", "4 cores, 70 % busy", of(graph)),
    ]
}

/// Which share of the requests is done by when, by the model and by the oracle.
pub(crate) fn by_time() -> String {
    let title = "Response times as the model and the exact simulation see them";
    canvas::svg(1360, 560, title, |canvas| {
        for (place, (name, busy, case)) in (0..).zip(plain_cases()) {
            let frame = (80 + place * 430, 110, 370, 330);
            canvas.text(name, (frame.0, 36), TEXT, canvas::INK, -1);
            canvas.text(busy, (frame.0, 68), TEXT, canvas::FAINT, -1);
            let last = case.scenario.services.len() - 1;
            let effort = Effort { cases: [0; study::KINDS], sure: 0.005, events: 4_000_000 };
            let exact = study::judge(&case, Seed::new(1), effort).remove(last).0.latency;
            let model = merged(&run(&case.scenario, 600)[2..], last);
            draw_times(canvas, frame, &model, &exact);
        }
        canvas.text("response time in ms", (680, 486), TEXT, canvas::FAINT, 0);
        canvas.text("exact", (520, 532), TEXT, canvas::BLUE, 1);
        canvas.line(vec![(530, 532), (590, 532)], canvas::BLUE, 9);
        canvas.text("the model", (750, 532), TEXT, canvas::RED, 1);
        canvas.line(vec![(760, 532), (820, 532)], canvas::RED, 3);
    })
}

fn draw_times(canvas: &Canvas<'_>, frame: Frame, model: &Latencies, exact: &Latencies) {
    const DECADES: [f64; 2] = [0.0005, 0.5];
    let at = |time: f64, share: f64| -> Pixel {
        let x = libm::log(time.clamp(DECADES[0], DECADES[1]) / DECADES[0]) / libm::log(DECADES[1] / DECADES[0]);
        (frame.0 + nearest(x * f64::from(frame.2)), frame.1 + frame.3 - nearest(share * f64::from(frame.3)))
    };
    for tick in 0..=4 {
        let y = at(0.001, f64::from(tick) / 4.0).1;
        canvas.line(vec![(frame.0, y), (frame.0 + frame.2, y)], canvas::GRID, 1);
        canvas.text(&format!("{} %", tick * 25), (frame.0 - 8, y), TEXT - 3.0, canvas::FAINT, 1);
    }
    for millis in [1, 10, 100] {
        let (x, y) = at(f64::from(millis) / 1e3, 0.0);
        canvas.line(vec![(x, frame.1), (x, y)], canvas::GRID, 1);
        canvas.text(&millis.to_string(), (x, y + 20), TEXT - 2.0, canvas::FAINT, 0);
    }
    for (times, colour, width) in [(exact, canvas::BLUE, 9), (model, canvas::RED, 3)] {
        let curve = (1..200).filter_map(|part| {
            let time = times.quantile(part, 200).map(Span::as_secs)?;
            (time > DECADES[0] && time < DECADES[1]).then(|| at(time, part as f64 / 200.0))
        });
        canvas.line(curve.collect(), colour, width);
    }
}
