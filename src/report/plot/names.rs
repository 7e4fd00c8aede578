//! Where the names of marks go on a plane. Before you change it:
//! 1. No name lies over another one, over a mark, over a line, or outside.
//! 2. A name belongs to the mark it is beside, and none other is as near. One that finds no such place stands further off,
//!    wherever there is room, with a line to its mark that runs over nothing.
//! 3. In the worst crowd a line may run over others; a name is left out only where there is no room at all.

use super::canvas::Pixel;
use std::cmp::Reverse;

/// Half the size of a mark.
pub(super) const MARK: i32 = 11;
/// Room around a mark that nothing else takes.
const AROUND: i32 = MARK + 3;
/// Height of a name.
const LINE: i32 = 30;
/// How far off a name may be put, in steps.
const RINGS: i32 = 45;
const RING: i32 = 20;
/// So many of the places further off are looked at.
const FAR_MAX: usize = 400;
/// How often those who found no clear place may choose first.
const TRIES: usize = 6;

/// A box of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

/// Where a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its middle.
    pub(super) centre: Pixel,
    /// The line between its mark and itself, where it is not beside it.
    pub(super) link: Option<(Pixel, Pixel)>,
}

/// The places of the names of marks, of which half the widths are given, within an area, off a line of level and upright
/// parts, and not over level and upright bars from one end to the other.
pub(super) fn places(
    marks: &[Pixel],
    wide: &[i32],
    area: &Area,
    line: &[Pixel],
    bars: &[(Pixel, Pixel)],
) -> Vec<Option<Place>> {
    let crowd = Crowd {
        marks,
        wide,
        area,
        line: line.windows(2).map(|pair| Area::between(pair[0], pair[1], 3)).collect(),
        bars: bars.iter().map(|(from, to)| Area::between(*from, *to, 2)).collect(),
    };
    // Who chooses first matters. From right to left, a name that stands like a flag on its line has those that are lower to
    // its right; from left to right, to its left.
    let count = marks.len().min(wide.len());
    let mut from_right: Vec<usize> = (0..count).collect();
    from_right.sort_by_key(|index| (Reverse(marks[*index].0), marks[*index].1));
    let from_left: Vec<usize> = from_right.iter().rev().copied().collect();
    let mut from_below: Vec<usize> = (0..count).collect();
    from_below.sort_by_key(|index| (Reverse(marks[*index].1), marks[*index].0));
    let (mut least, mut best) = ((usize::MAX, i64::MAX), Vec::new());
    for mut order in [from_right, from_left, from_below] {
        for _ in 0..TRIES {
            let (places, unclear) = crowd.places(&order);
            let length: i64 = places.iter().flatten().filter_map(|place| place.link).map(length).sum();
            let score = (unclear.len(), length);
            if score < least {
                (least, best) = (score, places);
            }
            if unclear.is_empty() {
                break;
            }
            // Who found no clear place chooses first the next time.
            order.retain(|index| !unclear.contains(index));
            order.splice(0..0, unclear);
        }
    }
    best
}

/// How far a line goes, level and upright together.
fn length((from, to): (Pixel, Pixel)) -> i64 {
    i64::from((to.0 - from.0).abs() + (to.1 - from.1).abs())
}

/// What names have to keep clear of.
struct Crowd<'a> {
    marks: &'a [Pixel],
    wide: &'a [i32],
    area: &'a Area,
    line: Vec<Area>,
    bars: Vec<Area>,
}

impl Crowd<'_> {
    /// The places, chosen in this order, and those who have no clear one.
    fn places(&self, order: &[usize]) -> (Vec<Option<Place>>, Vec<usize>) {
        let marks = self.marks;
        let mut taken: Vec<Area> = marks.iter().map(|mark| Area::around(*mark, AROUND, AROUND)).collect();
        taken.extend(&self.line);
        let (mut places, mut unclear) = (vec![None; marks.len()], Vec::new());
        for index in order.iter().copied() {
            let (mark, wide) = (marks[index], self.wide[index]);
            let name = |centre: Pixel| Area::around(centre, wide, LINE / 2);
            let is_free = |centre: &Pixel| {
                let name = name(*centre);
                name.is_inside(self.area) && !taken.iter().chain(&self.bars).any(|other| name.overlaps(other))
            };
            let is_clear = |centre: &Pixel| {
                let name = name(*centre);
                name.is_nearest(mark, marks) || name.is_linked(mark, marks, &taken[marks.len()..])
            };
            let near = || around(mark, wide).filter(is_free);
            let far = || everywhere(mark, wide, self.area).into_iter().filter(is_free).take(FAR_MAX);
            let clear = near().find(is_clear).or_else(|| far().find(is_clear));
            if clear.is_none() {
                unclear.push(index);
            }
            let crossed = |centre: &Pixel| name(*centre).crossed(mark, &taken[marks.len()..]);
            let least = || near().min_by_key(crossed).or_else(|| far().min_by_key(crossed));
            let Some(centre) = clear.or_else(least) else { continue };
            let name = name(centre);
            let link = (!name.is_nearest(mark, marks)).then(|| (mark, name.link(mark)));
            if let Some((from, to)) = link {
                taken.extend(Area::along(from, to));
            }
            taken.push(name);
            places[index] = Some(Place { centre, link });
        }
        (places, unclear)
    }
}

/// Where the middle of a name may be, the best place first: beside its mark, like a flag above it, below it, and further off.
fn around((x, y): Pixel, wide: i32) -> impl Iterator<Item = Pixel> {
    (0..RINGS).flat_map(move |ring| {
        let off = MARK + 8 + ring * RING;
        let (side, level, steps) = (wide + off, LINE / 2 + off, ring * RING);
        [
            (x + side, y - steps),
            (x - side, y - steps),
            (x + wide, y - level),
            (x, y - level),
            (x, y + level),
            (x - wide, y - level),
            (x + wide, y + level),
            (x - wide, y + level),
            (x + side, y + steps),
            (x - side, y + steps),
        ]
    })
}

/// Where the middle of a name may be at all, the nearest place first.
fn everywhere(mark: Pixel, wide: i32, area: &Area) -> Vec<Pixel> {
    let columns = (area.left + wide..=area.right - wide).step_by(2 * RING as usize);
    let mut places: Vec<Pixel> = columns
        .flat_map(|x| (area.top + LINE / 2..=area.bottom - LINE / 2).step_by(RING as usize).map(move |y| (x, y)))
        .collect();
    // Names are wide, so what is beside a mark is further off than it looks.
    places.sort_by_key(|(x, y)| ((x - mark.0).pow(2) / 4 + (y - mark.1).pow(2), *x, *y));
    places
}

impl Area {
    fn around((x, y): Pixel, wide: i32, high: i32) -> Self {
        Self { left: x - wide, top: y - high, right: x + wide, bottom: y + high }
    }

    /// All that lies on a level or upright line, so far on either side.
    fn between(one: Pixel, other: Pixel, around: i32) -> Self {
        Self {
            left: one.0.min(other.0) - around,
            top: one.1.min(other.1) - around,
            right: one.0.max(other.0) + around,
            bottom: one.1.max(other.1) + around,
        }
    }

    /// Small areas along a line, without its first bit, which is at the mark.
    fn along(from: Pixel, to: Pixel) -> Vec<Self> {
        let far = (to.0 - from.0).abs().max((to.1 - from.1).abs());
        let at = |step: i32| (from.0 + (to.0 - from.0) * step / far, from.1 + (to.1 - from.1) * step / far);
        (2 * MARK..far).step_by(6).map(|step| Self::around(at(step), 3, 3)).collect()
    }

    /// The point of it that is nearest to a mark.
    fn link(&self, (x, y): Pixel) -> Pixel {
        (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom))
    }

    /// The square of how far a mark is from it.
    fn distance(&self, mark: Pixel) -> i32 {
        let (x, y) = self.link(mark);
        (x - mark.0).pow(2) + (y - mark.1).pow(2)
    }

    /// Whether a name here is taken for that of this mark: it is beside it, and no other mark is as near.
    fn is_nearest(&self, mark: Pixel, marks: &[Pixel]) -> bool {
        let own = self.distance(mark);
        own <= (MARK + RING).pow(2) && marks.iter().all(|other| *other == mark || self.distance(*other) > 2 * own)
    }

    /// Whether a line from a mark reaches a name here and runs over nothing, and the name is beside no other mark. Marks that
    /// lie on this one do not count.
    fn is_linked(&self, mark: Pixel, marks: &[Pixel], taken: &[Self]) -> bool {
        let is_apart = |other: &&Pixel| (other.0 - mark.0).pow(2) + (other.1 - mark.1).pow(2) > (2 * MARK).pow(2);
        let others: Vec<Self> = marks.iter().filter(is_apart).map(|other| Self::around(*other, MARK, MARK)).collect();
        let is_free = |bit: &Self| !taken.iter().chain(&others).any(|other| bit.overlaps(other));
        let is_anothers = |other: &Pixel| self.distance(*other) <= (MARK + RING).pow(2);
        !marks.iter().filter(is_apart).any(is_anothers) && Self::along(mark, self.link(mark)).iter().all(is_free)
    }

    /// How much a line from a mark to a name here runs over.
    fn crossed(&self, mark: Pixel, taken: &[Self]) -> usize {
        let bits = Self::along(mark, self.link(mark));
        bits.iter().map(|bit| taken.iter().filter(|other| bit.overlaps(other)).count()).sum()
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn is_inside(&self, other: &Self) -> bool {
        self.left >= other.left && self.right <= other.right && self.top >= other.top && self.bottom <= other.bottom
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AREA: Area = Area { left: 0, top: 0, right: 960, bottom: 900 };

    #[test]
    fn a_name_stands_beside_its_mark_where_there_is_room() {
        let places = places(&[(100, 400), (600, 400)], &[60, 60], &AREA, &[], &[]);
        let beside = Some(Place { centre: (100 + 60 + MARK + 8, 400), link: None });
        assert_eq!(places[0], beside);
        assert_eq!(places[1].map(|place| place.centre.1), Some(400));
    }

    #[test]
    fn at_the_right_edge_it_stands_on_the_left() {
        let places = places(&[(950, 400)], &[60], &AREA, &[], &[]);
        assert!(places[0].is_some_and(|place| place.centre.0 + 60 < 950));
    }

    /// Marks in a crowd: most of them within a few pixels of each other, as policies of one kind are.
    fn crowd() -> impl Strategy<Value = Vec<(i32, i32, i32)>> {
        prop::collection::vec((40_i32..920, prop::sample::select(vec![100, 700, 840, 842, 845]), 40_i32..150), 1..18)
    }

    proptest! {
        #[test]
        fn every_mark_has_its_name_and_none_lies_over_another(crowd in crowd()) {
            let marks: Vec<Pixel> = crowd.iter().map(|(x, y, _)| (*x, *y)).collect();
            let wide: Vec<i32> = crowd.iter().map(|(_, _, wide)| *wide).collect();
            let line = [(marks[0].0, AREA.top), marks[0], (AREA.right, marks[0].1)];
            let found = places(&marks, &wide, &AREA, &line, &[]);
            let names: Vec<Area> = found
                .iter()
                .zip(&wide)
                .filter_map(|(place, wide)| Some(Area::around(place.as_ref()?.centre, *wide, LINE / 2)))
                .collect();
            prop_assert_eq!(names.len(), marks.len(), "every policy has its name");
            for (place, name) in names.iter().enumerate() {
                prop_assert!(name.is_inside(&AREA));
                prop_assert!(names[..place].iter().all(|other| !name.overlaps(other)));
                prop_assert!(marks.iter().all(|mark| !name.overlaps(&Area::around(*mark, MARK, MARK))));
            }
        }
    }
}
