//! Two sets of colours, after Okabe and Ito: readable in light and dark and by the colour-blind.

use plotters::style::RGBColor;

/// A colour with its counterpart in the dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    light: (u8, u8, u8),
    dark: (u8, u8, u8),
}

const fn colour(light: (u8, u8, u8), dark: (u8, u8, u8)) -> Colour {
    Colour { light, dark }
}

/// What is drawn on.
pub(super) const PAPER: Colour = colour((255, 255, 255), (22, 27, 34));
/// Text and what it names.
pub(super) const INK: Colour = colour((31, 35, 40), (230, 237, 243));
/// Text that stands back.
pub(super) const FAINT: Colour = colour((89, 99, 110), (145, 152, 161));
/// Lines of the grid.
pub(super) const GRID: Colour = colour((222, 226, 231), (48, 54, 61));
/// What is used.
pub(super) const BLUE: Colour = colour((0, 114, 178), (86, 180, 233));
/// The lighter neighbour of what is used.
pub(super) const SKY: Colour = colour((61, 154, 210), (84, 148, 206));
/// The darker neighbour of what is used.
pub(super) const NAVY: Colour = colour((1, 58, 99), (189, 227, 250));
/// What is broken, and what must not be passed.
pub(super) const RED: Colour = colour((213, 94, 0), (255, 138, 60));
/// What the engine does.
pub(super) const PURPLE: Colour = colour((122, 62, 157), (205, 140, 235));
/// Stretches of trouble.
pub(super) const SAND: Colour = colour((230, 159, 1), (224, 165, 30));
/// Instances.
pub(super) const GREEN: Colour = colour((0, 120, 90), (60, 200, 150));

const ALL: [Colour; 11] = [PAPER, INK, FAINT, GRID, BLUE, SKY, NAVY, RED, PURPLE, SAND, GREEN];

impl Colour {
    /// For plotters, which draws in the light.
    pub(super) const fn rgb(self) -> RGBColor {
        RGBColor(self.light.0, self.light.1, self.light.2)
    }

    fn light_hex(self) -> String {
        hex(self.light)
    }

    fn dark_hex(self) -> String {
        hex(self.dark)
    }
}

/// As plotters writes it into the SVG.
fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Rules that turn the light colours of a picture into the dark ones where the reader wants it dark.
pub(crate) fn css() -> String {
    let mut rules = String::from("@media (prefers-color-scheme: dark) {\n");
    for colour in ALL {
        let (light, dark) = (colour.light_hex(), colour.dark_hex());
        rules.push_str(&format!(
            "svg [fill=\"{light}\"] {{ fill: {dark} }} svg [stroke=\"{light}\"] {{ stroke: {dark} }}\n"
        ));
    }
    rules.push_str("}\n");
    rules
}

/// A picture as a file of its own, which turns dark where the reader wants it dark.
pub fn alone(svg: &str) -> String {
    svg.replacen("</title>", &format!("</title><style>{}</style>", css()), 1)
}

/// The same picture in dark colours.
pub(super) fn darkened(svg: &str) -> String {
    // By way of names that are no colours, since a dark colour may be another one's light colour.
    let named = ALL.iter().enumerate().fold(svg.to_owned(), |text, (place, colour)| {
        text.replace(&colour.light_hex(), &format!("#colour-{place:02}"))
    });
    ALL.iter()
        .enumerate()
        .fold(named, |text, (place, colour)| text.replace(&format!("#colour-{place:02}"), &colour.dark_hex()))
}
