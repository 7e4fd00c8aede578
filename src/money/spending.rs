//! What a month is going to cost against its budget, while a run is on (register M2).
//!
//! A host with a price costs that, whatever runs on it. Where no price is known, what is used costs what the prices of
//! register M1 say, and a month is projected from all that was used so far, at the end of every hour.
//!
//! Before you change it:
//! 1. An alert is raised when a projection first reaches its share of the budget, and stays: it was sent.
//! 2. The verdict is about the last projection: the month's end as the run's end knows it.
//! 3. Amounts of two currencies are never compared.

use super::Basis;
use super::Ledger;
use super::Prices;
use crate::model::MonthlyBudget;
use crate::model::Sample;
use crate::model::Scenario;
use crate::units::Instant;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;

/// How bad a projection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Its warning share of the budget is reached.
    Warning,
    /// Its critical share is reached.
    Critical,
    /// It is more than the budget.
    Over,
}

impl Level {
    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Over => "over budget",
        }
    }
}

/// A level that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Which.
    pub level: Level,
    /// When it was first reached.
    pub at: Instant,
    /// What the month was going to cost then.
    pub projected: Money,
}

/// What came of a budget in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The budget.
    pub budget: MonthlyBudget,
    /// What the month is going to cost; `None` where nothing was measured.
    pub projected: Option<Money>,
    /// Levels that were reached, in order of time.
    pub alerts: Vec<Alert>,
}

impl Spent {
    /// The projection as a share of the budget, rounded down; `None` where nothing was measured or currencies differ.
    #[must_use]
    pub fn share(&self) -> Option<Permille> {
        let projected = self.comparable()?;
        Permille::ratio(projected.get(), self.budget.month.get())
    }

    /// Whether the month stays within the budget; what was not measured, or is of another currency, does not.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.comparable().is_some_and(|projected| projected.get() <= self.budget.month.get())
    }

    fn comparable(&self) -> Option<Money> {
        self.projected.filter(|projected| projected.currency() == self.budget.month.currency())
    }
}

/// Watches what a run spends.
#[derive(Debug, Clone)]
pub struct Spending {
    budget: MonthlyBudget,
    prices: Prices,
    ledger: Ledger,
    projected: Option<Money>,
    next: Instant,
    alerts: Vec<Alert>,
}

impl Spending {
    const EVERY: Span = Span::from_mins(60);

    /// For a run of this scenario; `None` where it has no budget.
    #[must_use]
    pub fn new(scenario: &Scenario, prices: Prices) -> Option<Self> {
        let begin = Instant::after_start(scenario.warmup);
        Some(Self {
            budget: scenario.budget?,
            prices,
            ledger: Ledger::new(Basis::Use, scenario),
            projected: None,
            next: begin.plus(Self::EVERY),
            alerts: Vec::new(),
        })
    }

    /// Takes the next sample of a run of that scenario.
    pub fn take(&mut self, scenario: &Scenario, sample: &Sample) {
        self.ledger.take(scenario, sample);
        if self.ledger.span() == Span::ZERO {
            return;
        }
        let priced = scenario.host.price.is_some();
        if (priced && self.projected.is_none()) || sample.at >= self.next {
            while self.next <= sample.at {
                self.next = self.next.plus(Self::EVERY);
            }
            self.project(scenario, sample.at);
        }
    }

    /// What came of it, at the end of the run.
    #[must_use]
    pub fn finish(mut self, scenario: &Scenario, end: Instant) -> Spent {
        if self.ledger.span() > Span::ZERO {
            self.project(scenario, end);
        }
        Spent { budget: self.budget, projected: self.projected, alerts: self.alerts }
    }

    fn project(&mut self, scenario: &Scenario, at: Instant) {
        let price = scenario.host.price.as_ref().map(|price| price.month);
        let projected = price.unwrap_or_else(|| self.ledger.monthly(&self.prices).total());
        self.projected = Some(projected);
        if projected.currency() != self.budget.month.currency() {
            return;
        }
        let (cost, budget) = (u128::from(projected.get()) * 1000, u128::from(self.budget.month.get()));
        let reached = |share: Permille| cost >= budget * u128::from(share.get());
        let levels = [
            (Level::Warning, reached(self.budget.warning)),
            (Level::Critical, reached(self.budget.critical)),
            (Level::Over, cost > budget * 1000),
        ];
        for (level, reached) in levels {
            if reached && self.alerts.iter().all(|alert| alert.level != level) {
                self.alerts.push(Alert { level, at, projected });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HostSample;
    use crate::model::Limits;
    use crate::model::Price;
    use crate::model::ServiceSample;
    use crate::units::Currency;
    use crate::units::Millicores;

    const HOUR: Span = Span::from_mins(60);

    fn usd(cents: u64) -> Money {
        Money::micro(cents * 10_000, Currency::USD)
    }

    /// Runs hours of so many millicores each.
    fn spent(budget: Money, price: Option<Money>, hours: &[u64]) -> Spent {
        let idle = crate::money::tests::service(1, Limits::default(), Limits::default());
        let mut scenario = crate::money::tests::scenario(vec![("api", idle)]);
        scenario.budget = Some(MonthlyBudget::of(budget));
        scenario.host.price = price.map(|month| Price {
            month,
            renewal: None,
            seen: "2026-11-01".to_owned(),
            source: "a bill".to_owned(),
        });
        let mut spending = Spending::new(&scenario, Prices::default()).expect("a budget");
        let mut at = Instant::START;
        for cpu in hours {
            at = at.plus(HOUR);
            let service = ServiceSample { cpu: Millicores::new(*cpu), ..ServiceSample::default() };
            let sample = Sample { at, span: HOUR, host: HostSample::default(), services: vec![service] };
            spending.take(&scenario, &sample);
        }
        spending.finish(&scenario, at)
    }

    /// A core costs 0.05 an hour, 36 USD a month. Two quiet hours at 0.2 cores project 7.20; the third at 2.3 makes the mean
    /// 0.9, 32.40; the fourth at 2.5 makes it 1.3, 46.80. Of 40 USD that is 18 %, 81 % and 117 %.
    #[test]
    fn alerts_come_when_the_projection_reaches_their_share() {
        let spent = spent(usd(4000), None, &[200, 200, 2300, 2500]);
        let at = |hour: u64| Instant::after_start(HOUR.times(hour));
        let alert = |level, hour, cents| Alert { level, at: at(hour), projected: usd(cents) };
        assert_eq!(
            spent.alerts,
            [alert(Level::Warning, 3, 3240), alert(Level::Critical, 4, 4680), alert(Level::Over, 4, 4680)]
        );
        assert_eq!((spent.projected, spent.share()), (Some(usd(4680)), Some(Permille::percent(117))));
        assert!(!spent.is_kept());
    }

    #[test]
    fn a_projection_that_falls_again_is_kept_and_its_warning_stays() {
        let spent = spent(usd(4000), None, &[900, 0, 0]);
        assert_eq!(spent.projected, Some(usd(1080)), "0.3 cores on the mean");
        assert_eq!(spent.alerts.iter().map(|alert| alert.level).collect::<Vec<_>>(), [Level::Warning]);
        assert!(spent.is_kept());
    }

    /// 75 % is reached at 75 %, and a bill of exactly the budget keeps it.
    #[test]
    fn a_price_is_what_the_month_costs_whatever_runs() {
        let levels = |cents| {
            let spent = spent(usd(1200), Some(usd(cents)), &[4000]);
            (spent.alerts.iter().map(|alert| alert.level).collect::<Vec<_>>(), spent.is_kept())
        };
        assert_eq!(levels(899), (vec![], true));
        assert_eq!(levels(900), (vec![Level::Warning], true));
        assert_eq!(levels(1080), (vec![Level::Warning, Level::Critical], true));
        assert_eq!(levels(1200), (vec![Level::Warning, Level::Critical], true));
        assert_eq!(levels(1201), (vec![Level::Warning, Level::Critical, Level::Over], false));
    }

    #[test]
    fn nothing_measured_and_another_currency_are_not_within_a_budget() {
        assert!(!spent(usd(1200), None, &[]).is_kept());
        let euro = spent(Money::micro(12_000_000, Currency::EUR), Some(usd(900)), &[100]);
        assert_eq!((euro.is_kept(), euro.share(), euro.alerts), (false, None, vec![]));
    }
}
