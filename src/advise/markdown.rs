//! Recommendations in Markdown, for a pull request.

use super::Advised;
use super::text::fraction;
use super::text::head;
use super::text::proof;
use super::text::risk;
use super::text::row;
use super::text::saves;
use crate::input::scenario::Opened;
use crate::report::Paint;

/// What is recommended for a scenario.
#[must_use]
pub fn markdown(advised: &Advised, opened: &Opened) -> String {
    let plain = |text: &str| text.replace('|', "\\|");
    let mut out = format!("## Recommendations\n\n{}", head(&advised.base, usize::MAX, Paint::Plain));
    for (place, advice) in advised.advice.iter().enumerate() {
        out.push_str(&format!("\n### {}. {}: {}\n\n", place + 1, advice.kind.name(), plain(&advice.title)));
        let (label, amount) = saves(&advised.base, &advice.tried);
        out.push_str(&format!("- {label} {amount}\n"));
        if let (Some(before), Some(after)) = (advised.base.efficiency, advice.tried.efficiency) {
            out.push_str(&format!("- efficiency {} → {}\n", fraction(before), fraction(after)));
        }
        out.push_str(&format!("- risk {}\n- {}\n", risk(advice), proof(advice)));
        for sentence in &advice.evidence {
            out.push_str(&format!("- measured: {}\n", plain(sentence)));
        }
        if !advice.change.sizes.is_empty() {
            out.push_str(
                "\n| service | CPU reserved | CPU limit | memory reserved | memory limit |\n|---|---|---|---|---|\n",
            );
            for name in advice.change.sizes.keys() {
                out.push_str(&format!(
                    "| {} |\n",
                    row(&advised.base, &advice.change, name).map(|cell| plain(&cell)).join(" | ")
                ));
            }
        }
        let (compose, scenario) = advice.change.fragments(opened);
        for (label, text) in [("Compose", compose), ("Scenario", scenario)] {
            if !text.is_empty() {
                out.push_str(&format!("\n{label}:\n\n```yaml\n{text}```\n"));
            }
        }
    }
    if !advised.notes.is_empty() {
        out.push('\n');
    }
    for note in &advised.notes {
        out.push_str(&format!("- {}\n", plain(note)));
    }
    out
}
