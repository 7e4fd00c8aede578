//! Pictures of a run: one of the host, one of each service, panels with a common time axis; and of policies side by side.
//!
//! Before you change it:
//! 1. A picture is drawn once, with plotters, as SVG in the light colours. The dark one is the same text with other colours
//!    (`palette`); PNG is the same SVG through resvg. So all three always show the same.
//! 2. Names stand beside the lines they name; no box of legends. Nothing is told by colour alone.
//! 3. It is drawn at twice the size it is shown at, since plotters places by whole pixels.
//! 4. Look at every picture you change, as SVG in a browser, light and dark, and as PNG.

mod axis;
mod bars;
mod business;
mod canvas;
mod comparison;
mod heat;
mod margins;
mod marks;
mod names;
mod palette;
mod panel;
mod plane;
mod png;
mod prices;
mod subjects;

pub(super) use bars::Bar;
pub(super) use bars::Pool;
pub(super) use bars::bars;
pub(super) use comparison::comparison;
pub(super) use margins::margins;
pub use palette::alone;
pub(crate) use palette::css;
pub use png::Theme;
pub use png::png;
pub use prices::PriceMark;
pub use prices::PricePlane;
pub use prices::price_plane;
pub use subjects::Picture;
pub use subjects::pictures;
