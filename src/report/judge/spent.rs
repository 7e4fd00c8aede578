//! A budget as one more expectation, so that every form of a report tells its verdict.

use super::outcome::Judged;
use crate::model::Aggregate;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Measure;
use crate::model::Metric;
use crate::model::MonthlyBudget;
use crate::model::Quantity;
use crate::model::Range;
use crate::model::Scenario;
use crate::model::Subject;
use crate::money::Spent;
use crate::report::figure::Figure;
use crate::units::Permille;

/// What must hold: the expectations of the scenario, and its budget where it has one.
#[must_use]
pub fn expected(scenario: &Scenario) -> Vec<Expectation> {
    scenario.expect.iter().cloned().chain(scenario.budget.as_ref().map(expectation)).collect()
}

/// A budget as an expectation.
fn expectation(budget: &MonthlyBudget) -> Expectation {
    Expectation {
        name: MonthlyBudget::EXPECTATION.to_owned(),
        text: format!("budget: {}", budget.month),
        measure: Measure {
            aggregate: Aggregate::Max,
            metric: Metric::Cost,
            subject: Subject::Host,
            range: Range::Whole,
        },
        comparison: Comparison::AtMost,
        bound: Bound::Value(Quantity::Money(budget.month)),
        windows: None,
        seeds: Permille::ONE,
        baseline: None,
    }
}

/// What came of the budget.
pub(super) fn judged(spent: &Spent) -> Judged {
    let expectation = expectation(&spent.budget);
    let same = |money: &crate::units::Money| money.currency() == spent.budget.month.currency();
    let figure = |money| Figure::of(Quantity::Money(money));
    let problem = match spent.projected {
        None => Some("no samples".to_owned()),
        Some(projected) if !same(&projected) => {
            Some(format!("a month costs {}, in another currency", figure(projected)))
        }
        Some(_) => None,
    };
    Judged {
        name: expectation.name,
        text: expectation.text,
        measured: spent.projected.filter(same).map(figure),
        bound: Some(figure(spent.budget.month)),
        comparison: expectation.comparison,
        passed: spent.is_kept(),
        held: None,
        problem,
        first_failure: None,
    }
}
