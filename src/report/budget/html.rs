//! A budget as one HTML file without network access and without script.

use super::beside::Beside;
use super::picture::picture;
use super::view::Change;
use super::view::View;
use super::view::view;
use crate::model::Budget;
use crate::report::plot;
use askama::Template;

#[derive(Template)]
#[template(path = "budget.html")]
struct Page<'a> {
    view: View,
    good: bool,
    verdict: String,
    css: String,
    picture: String,
    score: Vec<(&'static str, u32, u32)>,
    beside: &'a Beside,
}

/// The page.
#[must_use]
pub fn html(budget: &Budget, beside: &Beside) -> String {
    let view = view(budget);
    let (good, verdict) = view.verdict.clone();
    let score = budget.score.parts().to_vec();
    let page = Page { view, good, verdict, css: plot::css(), picture: picture(budget), score, beside };
    page.render().expect("a template that compiled renders into memory")
}

impl Change {
    fn class(&self) -> &'static str {
        if self.changed { "n changed" } else { "n" }
    }
}
