//! One panel: an axis, lines with their names beside them, marks.

use super::axis::Scale;
use super::axis::Tick;
use super::canvas::Align;
use super::canvas::Canvas;
use super::canvas::Pixel;
use super::canvas::pixel;
use super::marks::Mark;
use super::marks::Sign;
use super::palette;
use super::palette::Colour;

/// Width of a picture in its own pixels.
pub(super) const WIDTH: i32 = 1280;
/// Left end of the time axis.
pub(super) const LEFT: i32 = 124;
/// Right end of the time axis; names of lines stand behind it.
pub(super) const RIGHT: i32 = 1064;
/// Room above a panel for its title.
const TITLE: i32 = 48;
/// Room below it.
const BELOW: i32 = 18;
/// Height of a line of text.
const LINE: i32 = 27;
/// Size of text.
pub(super) const TEXT: f64 = 23.0;

/// One panel of a picture.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) scale: Scale,
    /// Height of the plot in pixels.
    pub(super) height: i32,
    pub(super) lines: Vec<Line>,
    /// What must not be passed, with its text.
    pub(super) bounds: Vec<(f64, String)>,
    pub(super) marks: Vec<Mark>,
    /// Stretches of saturation, in seconds.
    pub(super) saturated: Vec<(f64, f64)>,
}

/// One line of a panel.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) colour: Colour,
    pub(super) form: Form,
    /// From, to, value; in order of time.
    pub(super) points: Vec<(f64, f64, Option<f64>)>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line with the area below it.
    Area,
    /// A line of this width.
    Line(u32),
    /// A level from each point to the next, as limits are.
    Step,
}

/// The common time axis.
pub(super) struct Time {
    /// Its end in seconds.
    pub(super) end: f64,
    pub(super) ticks: Vec<Tick>,
}

impl Time {
    pub(super) fn x(&self, at: f64) -> i32 {
        let part = if self.end > 0.0 { (at / self.end).clamp(0.0, 1.0) } else { 0.0 };
        LEFT + pixel(part * f64::from(RIGHT - LEFT))
    }
}

impl Panel {
    /// The room it takes.
    pub(super) const fn room(&self) -> i32 {
        TITLE + self.height + BELOW
    }

    /// Draws it below `top`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32, time: &Time) {
        let frame = Frame { top: top + TITLE, bottom: top + TITLE + self.height, scale: &self.scale };
        canvas.text(&self.title, (LEFT, top + 10), TEXT, palette::INK, Align::Left);
        for (from, to) in &self.saturated {
            let (from, to) = (time.x(*from), time.x(*to));
            canvas.rectangle((from, frame.top), (to.max(from + 2), frame.bottom), palette::SAND, 0.3);
        }
        for tick in &self.scale.ticks {
            let y = frame.y(tick.at);
            canvas.line(vec![(LEFT, y), (RIGHT, y)], palette::GRID, 1);
            canvas.text(&tick.text, (LEFT - 12, y), TEXT, palette::FAINT, Align::Right);
        }
        for tick in &time.ticks {
            let x = time.x(tick.at);
            canvas.line(vec![(x, frame.top), (x, frame.bottom)], palette::GRID, 1);
        }
        for line in &self.lines {
            line.draw(canvas, &frame, time);
        }
        for (bound, _) in &self.bounds {
            canvas.dashes((LEFT, frame.y(*bound)), RIGHT, palette::RED, 3);
        }
        self.draw_names(canvas, &frame);
        self.draw_marks(canvas, &frame, time);
    }

    /// Names beside the ends of their lines, pushed apart where they would overlap.
    fn draw_names(&self, canvas: &Canvas<'_>, frame: &Frame<'_>) {
        let ends = self.lines.iter().filter_map(|line| {
            let last = line.points.iter().rev().find_map(|(_, _, value)| *value)?;
            Some((frame.y(last), line.name.as_str(), line.colour))
        });
        let bounds = self.bounds.iter().map(|(bound, text)| (frame.y(*bound), text.as_str(), palette::RED));
        let mut names: Vec<_> = ends.chain(bounds).filter(|(_, name, _)| !name.is_empty()).collect();
        names.sort_by_key(|(y, _, _)| *y);
        for place in 1..names.len() {
            names[place].0 = names[place].0.max(names[place - 1].0 + LINE);
        }
        let mut floor = frame.bottom + LINE / 2;
        for (y, _, _) in names.iter_mut().rev() {
            *y = (*y).min(floor);
            floor = *y - LINE;
        }
        for (y, name, colour) in names {
            canvas.text(name, (RIGHT + 12, y), TEXT, colour, Align::Left);
        }
    }

    fn draw_marks(&self, canvas: &Canvas<'_>, frame: &Frame<'_>, time: &Time) {
        // A sign at the very start has room for its word, too.
        let mut free = LEFT - SIGN;
        for crowd in crowds(&self.marks, time) {
            let (x, end) = (crowd.from, crowd.to);
            let colour = if crowd.word.is_empty() { palette::PURPLE } else { palette::RED };
            if end > x {
                canvas.rectangle((x, frame.top), (end, frame.bottom), colour, 0.15);
            }
            canvas.line(vec![(x, frame.top), (x, frame.bottom)], colour, 1);
            let y = frame.top - 13;
            match crowd.sign {
                Sign::Up(_) => canvas.area(vec![(x - 9, y + 8), (x + 9, y + 8), (x, y - 9)], colour, 1.0),
                Sign::Down(_) => canvas.area(vec![(x - 9, y - 8), (x + 9, y - 8), (x, y + 9)], colour, 1.0),
                Sign::Refused(_) | Sign::Oom | Sign::Crash => {
                    canvas.line(vec![(x - 8, y - 8), (x + 8, y + 8)], colour, 4);
                    canvas.line(vec![(x - 8, y + 8), (x + 8, y - 8)], colour, 4);
                }
            }
            let word = match crowd.count {
                1 => crowd.word.to_owned(),
                many => format!("{} {many}x", crowd.word),
            };
            let length = pixel(word.chars().count() as f64 * 12.0) + 20;
            let right = x + 14 + length < RIGHT;
            if !crowd.word.is_empty() && x - 14 - if right { 0 } else { length } > free {
                let align = if right { Align::Left } else { Align::Right };
                canvas.text(&word, (if right { x + 14 } else { x - 14 }, y), TEXT, colour, align);
                free = x + 14 + if right { length } else { 0 };
            }
        }
    }
}

/// The same incident again before the sign of the last one ends: one sign for all of them.
struct Crowd<'a> {
    sign: &'a Sign,
    word: &'static str,
    from: i32,
    to: i32,
    count: usize,
}

/// Nearer than this two signs would lie over each other.
const SIGN: i32 = 20;

fn crowds<'a>(marks: &'a [Mark], time: &Time) -> Vec<Crowd<'a>> {
    let mut crowds: Vec<Crowd<'a>> = Vec::new();
    for Mark { at, sign } in marks {
        let x = time.x(*at);
        let word = match sign {
            Sign::Up(_) | Sign::Down(_) => "",
            Sign::Refused(_) => "refused",
            Sign::Oom => "OOM",
            Sign::Crash => "crash",
        };
        // Each action counts; they have no word that could say how many there are.
        let near = |crowd: &&mut Crowd<'a>| !word.is_empty() && crowd.sign == sign && x - crowd.to < SIGN;
        match crowds.iter_mut().rev().find(near) {
            Some(crowd) => (crowd.to, crowd.count) = (x, crowd.count + 1),
            None => crowds.push(Crowd { sign, word, from: x, to: x, count: 1 }),
        }
    }
    crowds
}

/// Where the plot of a panel is.
struct Frame<'a> {
    top: i32,
    bottom: i32,
    scale: &'a Scale,
}

impl Frame<'_> {
    fn y(&self, value: f64) -> i32 {
        self.bottom - pixel(self.scale.height(value) * f64::from(self.bottom - self.top))
    }
}

impl Line {
    fn draw(&self, canvas: &Canvas<'_>, frame: &Frame<'_>, time: &Time) {
        for stretch in self.points.split(|(_, _, value)| value.is_none()) {
            let mut path: Vec<Pixel> = Vec::with_capacity(stretch.len() + 2);
            for (from, to, value) in stretch {
                let Some(value) = value else { continue };
                let y = frame.y(*value);
                match self.form {
                    Form::Step => {
                        level(&mut path, (time.x(*from), y));
                        level(&mut path, (time.x(*to), y));
                    }
                    Form::Area | Form::Line(_) => level(&mut path, (time.x((from + to) / 2.0), y)),
                }
            }
            if let [only] = path[..] {
                path.push((only.0 + 3, only.1));
            }
            match self.form {
                Form::Area => {
                    let ends = path.first().copied().zip(path.last().copied());
                    let below = ends.map(|(first, last)| [(last.0, frame.bottom), (first.0, frame.bottom)]);
                    let outline: Vec<Pixel> = path.iter().copied().chain(below.into_iter().flatten()).collect();
                    canvas.area(outline, self.colour, 0.2);
                    canvas.line(path, self.colour, 3);
                }
                Form::Line(width) => canvas.line(path, self.colour, width),
                Form::Step => canvas.line(path, self.colour, 4),
            }
        }
    }
}

/// Adds a place to a path; of three on one level the middle one says nothing.
fn level(path: &mut Vec<Pixel>, next: Pixel) {
    if let [.., before, last] = path[..]
        && before.1 == last.1
        && last.1 == next.1
    {
        path.pop();
    }
    path.push(next);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_that_follow_each_other_closely_are_one_sign_with_their_number() {
        let time = Time { end: 86_400.0, ticks: Vec::new() };
        let every_minute = (0..90).map(|minute| Mark { at: f64::from(minute) * 60.0, sign: Sign::Oom });
        let later = [Mark { at: 60_000.0, sign: Sign::Oom }, Mark { at: 60_001.0, sign: Sign::Crash }];
        let marks: Vec<Mark> = every_minute.chain(later).collect();
        let crowds = crowds(&marks, &time);
        let counts: Vec<usize> = crowds.iter().map(|crowd| crowd.count).collect();
        assert_eq!(counts, [90, 1, 1]);
        assert_eq!((crowds[0].from, crowds[0].to), (time.x(0.0), time.x(89.0 * 60.0)));
    }
}
