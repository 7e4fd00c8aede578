//! What a month may cost, as scenarios and `plimsoll.yaml` write it.

use crate::input::problem::Code;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Amount;
use crate::input::schema::quantity::Percent;
use crate::input::yaml::Node;
use crate::model::MonthlyBudget;
use schemars::JsonSchema;
use serde::Deserialize;

/// Codes of budgets.
pub const CODES: &[&Code] = &[&LEVELS];

static LEVELS: Code = Code {
    id: "PL0431",
    title: "a budget that cannot be kept or warned of",
    explanation: "What a month may cost is an amount above zero. There is a warning from a share of it on, and it is critical from a \
larger share on, 75% and 90% unless said otherwise:

    budget: 40 USD
    budget: { month: 40 USD, warning: 60%, critical: 80% }

A host with a price costs that. Where none is known, what was used so far after the warm-up, at the prices of the cost model, is \
stretched to a month of 30 days at the end of every hour and of the run.

It stands in a scenario, or in `plimsoll.yaml` for all scenarios that have none. Its verdict \
stands among the expectations as `month's budget`, so that no expectation can have that name.",
};

/// What a month may cost.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BudgetFile {
    /// For a month, at most; a warning from 75 % on, critical from 90 % on.
    Month(Amount),
    /// With other shares.
    Levels(LevelsFile),
}

/// What a month may cost, and when to warn.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelsFile {
    /// For a month, at most.
    pub month: Amount,
    /// From this share of it on there is a warning; 75% unless said otherwise.
    pub warning: Option<Percent>,
    /// From this share of it on it is critical; 90% unless said otherwise.
    pub critical: Option<Percent>,
}

/// An expectation has the name that the budget needs for its own.
pub(super) fn name_taken(scenario: &Node) -> Problem {
    let expect = scenario.get("expect").unwrap_or(scenario);
    let entry = expect.entry(MonthlyBudget::EXPECTATION);
    let message = format!("`{}` is what the budget is called among the expectations", MonthlyBudget::EXPECTATION);
    Problem::error(&LEVELS, message).at(entry.map_or(&expect.place, |entry| &entry.key_place))
}

impl BudgetFile {
    /// The budget; `node` is where it stands.
    pub(super) fn budget(self, node: &Node, problems: &mut Problems) -> MonthlyBudget {
        let budget = match self {
            Self::Month(month) => MonthlyBudget::of(month.0),
            Self::Levels(levels) => {
                let usual = MonthlyBudget::of(levels.month.0);
                MonthlyBudget {
                    warning: levels.warning.map_or(usual.warning, |share| share.0),
                    critical: levels.critical.map_or(usual.critical, |share| share.0),
                    ..usual
                }
            }
        };
        if budget.month.get() == 0 {
            let problem = Problem::error(&LEVELS, "a month that may cost nothing is no budget");
            problems.push(problem.at(&schema::place_of(node, "/month")));
        }
        if budget.warning > budget.critical {
            let message = format!("the warning at {} comes after critical at {}", budget.warning, budget.critical);
            problems.push(Problem::error(&LEVELS, message).at(&schema::place_of(node, "/warning")));
        }
        budget
    }
}
