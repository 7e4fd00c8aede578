//! The budget of a stack on a host as text, Markdown, HTML and JSON. All forms are made from one view, so that they say
//! the same.

mod html;
mod json;
mod markdown;
mod picture;
mod text;
mod view;

pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use text::text;
pub(super) use view::size;
