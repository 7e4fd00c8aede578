//! The budget of a stack on a host as text, Markdown, HTML and JSON. All forms are made from one view, so that they say
//! the same.

mod beside;
mod html;
mod json;
mod markdown;
mod picture;
mod text;
mod view;

pub use beside::AdviceRow;
pub use beside::Beside;
pub use beside::HealthRow;
pub use beside::SettingRow;
pub use beside::beside_text;
pub use beside::hint;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use text::text;
pub use view::size;
