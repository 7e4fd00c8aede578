//! Everything that is read from a record: verdict, summary, plots, HTML, JSON, Markdown, JUnit.
//!
//! Before you change it:
//! 1. Everything here takes events one after another, from a run that is on or from a file, and keeps bounded state:
//!    memory does not grow with the duration of the run.
//! 2. It reads; it never decides. What is shown is what the record says, and where the model is not to be trusted
//!    (saturation) the report says so beside the number.
//! 3. The same record gives the same bytes, whatever the machine; only the wall time, which the caller gives, may differ.
//! 4. No meaning by colour alone: every mark has a word or a form, too.

pub mod accuracy;
pub mod baseline;
pub mod budget;
mod causes;
mod collect;
mod columns;
pub mod compare;
mod effectiveness;
pub mod elasticity;
mod figure;
pub mod host;
mod html;
pub mod json;
mod judge;
mod junit;
pub mod live;
pub mod load_line;
mod markdown;
pub mod pareto;
mod plot;
mod series;
mod settings;
mod spent;
pub mod statistics;
mod story;
mod summary;
mod table;
mod text;
pub mod words;
mod write;

pub use baseline::Baseline;
pub use baseline::Change;
pub use baseline::ChangeKind;
pub use collect::Collector;
pub use collect::Keep;
pub use collect::Report;
pub use collect::Run;
pub use collect::Shown;
pub use collect::quoted;
pub use effectiveness::Effectiveness;
pub use effectiveness::PolicyFigures;
pub use effectiveness::utilization_worth;
pub use figure::Figure;
pub use figure::Unit;
pub use html::html;
pub use judge::Failure;
pub use judge::Held;
pub use judge::Judge;
pub use judge::Judged;
pub use judge::Scene;
pub use judge::ServiceScene;
pub use judge::Verdict;
pub use judge::expected;
pub use judge::verdicts;
pub use junit::Case;
pub use junit::Suite;
pub use junit::junit;
pub use markdown::markdown;
pub use plot::Picture;
pub use plot::PriceMark;
pub use plot::PricePlane;
pub use plot::Theme;
pub use plot::alone;
pub(crate) use plot::css;
pub use plot::pictures;
pub use plot::png;
pub use plot::price_plane;
pub use series::Point;
pub use series::Series;
pub use series::ServicePoint;
pub use story::HeldCount;
pub use story::Story;
pub use summary::HostFigures;
pub use summary::Level;
pub use summary::ServiceFigures;
pub use summary::Summary;
pub use table::csv;
pub use text::Paint;
pub use text::folded;
pub use text::text;
pub use write::write;
