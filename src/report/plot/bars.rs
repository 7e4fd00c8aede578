//! Bars of what is used of a pool, in parts: one bar below another, the pool and its host as lines across all of them.

use super::axis::Scale;
use super::canvas::Align;
use super::canvas::Canvas;
use super::canvas::Pixel;
use super::canvas::pixel;
use super::canvas::svg;
use super::palette;
use super::palette::Colour;
use crate::report::figure::Figure;
use crate::report::figure::Unit;

/// One resource with its bars.
pub(in crate::report) struct Pool {
    /// What it is: `CPU`.
    pub(in crate::report) name: &'static str,
    /// How its amounts are shown.
    pub(in crate::report) unit: Unit,
    /// What services may have.
    pub(in crate::report) pool: f64,
    /// What the host has.
    pub(in crate::report) host: f64,
    /// The bars, from top to bottom.
    pub(in crate::report) bars: Vec<Bar>,
}

/// A bar in parts, with what is said behind it.
pub(in crate::report) struct Bar {
    /// What it shows.
    pub(in crate::report) name: &'static str,
    /// Sizes by tier 1, 2 and 3.
    pub(in crate::report) parts: [f64; 3],
    /// Behind the bar: `19.2G, 1.37×`.
    pub(in crate::report) said: String,
}

const WIDTH: u32 = 1440;
const LEFT: i32 = 330;
const RIGHT: i32 = 1130;
const HEAD: i32 = 100;
const BAR: i32 = 40;
const PITCH: i32 = 62;
const FOOT: i32 = 70;
const PARTS: [Colour; 3] = [palette::NAVY, palette::BLUE, palette::SAND];

/// The picture of all pools.
pub(in crate::report) fn bars(title: &str, pools: &[Pool]) -> String {
    let height = |pool: &Pool| HEAD + i32::try_from(pool.bars.len()).unwrap_or(0) * PITCH + FOOT;
    let total: i32 = 70 + pools.iter().map(height).sum::<i32>();
    svg(WIDTH, u32::try_from(total).unwrap_or(0), title, |canvas| {
        key(canvas);
        let mut top = 70;
        for pool in pools {
            panel(canvas, pool, top);
            top += height(pool);
        }
    })
}

/// What the colours stand for, by name.
fn key(canvas: &Canvas<'_>) {
    let mut x = LEFT;
    for (colour, name) in PARTS.into_iter().zip(["tier 1 critical path", "tier 2 workflow", "tier 3 background"]) {
        canvas.rectangle((x, 22), (x + 26, 48), colour, 1.0);
        canvas.text(name, (x + 38, 35), 24.0, palette::INK, Align::Left);
        x += 280;
    }
}

fn panel(canvas: &Canvas<'_>, pool: &Pool, top: i32) {
    let sum = |bar: &Bar| bar.parts.iter().sum::<f64>();
    let most = pool.bars.iter().map(sum).fold(pool.host, f64::max);
    let scale = Scale::linear(most, pool.unit);
    let x = |value: f64| LEFT + pixel(f64::from(RIGHT - LEFT) * scale.height(value));
    let bottom = top + HEAD + i32::try_from(pool.bars.len()).unwrap_or(0) * PITCH;
    canvas.text(pool.name, (24, top + 40), 32.0, palette::INK, Align::Left);
    for tick in &scale.ticks {
        canvas.line(vec![(x(tick.at), top + HEAD - 14), (x(tick.at), bottom)], palette::GRID, 2);
        canvas.text(&tick.text, (x(tick.at), bottom + 24), 22.0, palette::FAINT, Align::Middle);
    }
    // The reserve: what the host has and services may not.
    canvas.rectangle((x(pool.pool), top + HEAD - 14), (x(pool.host), bottom), palette::RED, 0.12);
    for (index, bar) in pool.bars.iter().enumerate() {
        let y = top + HEAD + i32::try_from(index).unwrap_or(0) * PITCH;
        canvas.text(bar.name, (LEFT - 20, y + BAR / 2), 24.0, palette::INK, Align::Right);
        let mut from = 0.0;
        for (part, colour) in bar.parts.into_iter().zip(PARTS) {
            if part > 0.0 {
                canvas.rectangle((x(from), y), (x(from + part), y + BAR), colour, 0.9);
            }
            from += part;
        }
        canvas.text(&bar.said, (RIGHT + 24, y + BAR / 2), 24.0, palette::INK, Align::Left);
    }
    let over: Pixel = (x(pool.pool), top + HEAD - 14);
    canvas.line(vec![over, (x(pool.pool), bottom)], palette::RED, 4);
    let figure = |value: f64| Figure::new(value, pool.unit);
    let pool_text = format!("pool {}", figure(pool.pool));
    canvas.text(&pool_text, (over.0 - 8, top + HEAD - 34), 22.0, palette::RED, Align::Right);
    let host_text = format!("reserve {}, host {}", figure(pool.host - pool.pool), figure(pool.host));
    canvas.text(&host_text, (over.0 + 8, top + HEAD - 34), 22.0, palette::FAINT, Align::Left);
}
