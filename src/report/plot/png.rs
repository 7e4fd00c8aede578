//! The same picture as PNG.

use super::canvas::FONT;
use super::palette;
use resvg::tiny_skia;
use resvg::usvg;
use std::sync::Arc;
use std::sync::OnceLock;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A PNG of a picture this module drew, at twice the size the SVG is shown at. Text is drawn with the font that is
/// shipped, so the bytes are the same on every machine.
///
/// # Errors
/// A text for an SVG that cannot be drawn, such as one without size.
pub fn png(svg: &str, theme: Theme) -> Result<Vec<u8>, String> {
    let dark;
    let svg = match theme {
        Theme::Light => svg,
        Theme::Dark => {
            dark = palette::darkened(svg);
            &dark
        }
    };
    let tree = usvg::Tree::from_str(svg, options()).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size();
    let mut pixels = size
        .width()
        .checked_mul(2)
        .zip(size.height().checked_mul(2))
        .and_then(|(width, height)| tiny_skia::Pixmap::new(width, height))
        .ok_or("a picture without size")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(2.0, 2.0), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

fn options() -> &'static usvg::Options<'static> {
    static OPTIONS: OnceLock<usvg::Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family("DejaVu Sans Condensed");
        usvg::Options {
            fontdb: Arc::new(fonts),
            font_family: "DejaVu Sans Condensed".to_owned(),
            ..usvg::Options::default()
        }
    })
}
