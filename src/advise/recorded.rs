//! What a record says without its scenario's files: sizes by what was used, and who lacks something. Nothing is tried.

use super::change::Change;
use super::json;
use super::performance;
use super::sizing;
use super::sizing::Rule;
use super::text;
use super::trial::Trial;
use crate::report::Paint;
use crate::report::folded;
use serde_json::Value;
use serde_json::json;

/// Why nothing is proved.
const WHY: &str = "nothing of this was tried: a record holds what was measured, and no files that could be changed; \
`plimsoll advise SCENARIO` tries it";

/// Sizes by each rule, for the services from which something is to be taken.
fn sizes(base: &Trial) -> impl Iterator<Item = (Rule, Change)> + '_ {
    let change = |rule| (rule, Change { sizes: sizing::sizes(rule, base), ..Change::default() });
    [Rule::P95, Rule::Krr].into_iter().map(change).filter(|(_, change)| !change.sizes.is_empty())
}

/// For people.
#[must_use]
pub fn recorded_text(base: &Trial, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 120);
    let mut out = text::head(base, width, paint);
    for (rule, change) in sizes(base) {
        out.push_str(&format!("\nright-sizing by {}\n", rule.name()));
        folded(&mut out, "   measured    ", &sizing::span(base), width);
        for name in change.sizes.keys() {
            folded(&mut out, "               ", &sizing::of_service(base, name), width);
        }
        out.push_str(&text::sizes(base, &change));
    }
    let policies = base.report.policies.iter().filter_map(|policy| Some((policy, policy.words()?)));
    for (place, (policy, words)) in policies.enumerate() {
        out.push_str(if place == 0 { "\npolicies\n" } else { "" });
        folded(&mut out, "   measured    ", &format!("{}: {words}", policy.names()), width);
    }
    let lacking = performance::lacking(base);
    if !lacking.is_empty() {
        out.push_str("\nperformance\n");
    }
    for why in lacking.values().flat_map(|lack| &lack.why) {
        folded(&mut out, "   measured    ", why, width);
    }
    out.push('\n');
    folded(&mut out, "- ", WHY, width);
    out
}

/// For programs.
#[must_use]
pub fn recorded_json(base: &Trial) -> Value {
    let mut document = json::head(base);
    document["sizes_by_rule"] =
        sizes(base).map(|(rule, change)| (rule.name().to_owned(), json::sizes(&change))).collect();
    document["policies"] = crate::report::json::policies(&base.report);
    let lacking = performance::lacking(base);
    document["lacking"] = lacking.values().flat_map(|lack| &lack.why).cloned().collect();
    document["notes"] = json!([WHY]);
    document
}
