//! The cost model of the register (M1, after CodeRunner's): every hour costs
//! `CPUs × use × 0.05 + GB × use × 0.01 + GB of storage × 0.001 + MB over the network × 0.00001` dollars, and a month is
//! 24 × 30 such hours. A GB is 1024³ bytes and a MB 1024², as Docker counts.
//!
//! Before you change it:
//! 1. There is one formula, [`Prices::of`]; an hour, a month and a whole record are amounts that it is given.
//! 2. Amounts add up exactly. Each of the four parts is rounded once, half up, to a millionth of the currency's unit, and
//!    the total is the sum of the parts, so that a bill adds up. Everything saturates.
//! 3. `Metric::Cost`, the `cost(month)` of an expectation, is not this: it is the price on the host's own bill
//!    (`model::Price::month`).

use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::ServiceSample;
use crate::units::Bytes;
use crate::units::Currency;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// A month of 30 days, as the register counts.
pub const MONTH: Span = Span::from_mins(30 * 24 * 60);
const HOUR: u128 = 3_600_000_000_000;
const GIGABYTE: u128 = 1 << 30;
const MEGABYTE: u128 = 1 << 20;

/// What resources cost, in millionths of the currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Prices {
    /// The currency of all of them.
    pub currency: Currency,
    /// One core for one hour.
    pub core_hour_micro: u64,
    /// 1024³ bytes of memory for one hour.
    pub memory_gigabyte_hour_micro: u64,
    /// 1024³ bytes of storage for one hour.
    pub storage_gigabyte_hour_micro: u64,
    /// 1024² bytes sent or received.
    pub network_megabyte_micro: u64,
}

impl Default for Prices {
    /// The figures of register M1: 0.05, 0.01, 0.001 and 0.00001 USD.
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            core_hour_micro: 50_000,
            memory_gigabyte_hour_micro: 10_000,
            storage_gigabyte_hour_micro: 1_000,
            network_megabyte_micro: 10,
        }
    }
}

/// What something has and how much of it it uses, as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// CPU that it has.
    pub cpu: Millicores,
    /// Share of it that it uses.
    pub cpu_use: Permille,
    /// Memory that it has.
    pub memory: Bytes,
    /// Share of it that it uses.
    pub memory_use: Permille,
    /// Storage; all of it counts.
    pub storage: Bytes,
    /// Bytes sent and received in an hour.
    pub network_hourly: Bytes,
}

/// What a cost is made of. All parts are of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// For CPU.
    pub cpu: Money,
    /// For memory.
    pub memory: Money,
    /// For storage.
    pub storage: Money,
    /// For what went over the network.
    pub network: Money,
}

impl Cost {
    /// The sum of the parts; saturates.
    #[must_use]
    pub const fn total(&self) -> Money {
        let sum = self.cpu.get().saturating_add(self.memory.get());
        let sum = sum.saturating_add(self.storage.get()).saturating_add(self.network.get());
        Money::micro(sum, self.cpu.currency())
    }
}

/// Amounts times the time for which they were used or kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consumption {
    /// Millionths of a core, times nanoseconds.
    cpu: u128,
    /// Thousandths of a byte, times nanoseconds.
    memory: u128,
    /// Bytes times nanoseconds.
    storage: u128,
    /// Bytes, times the nanoseconds of an hour.
    network: u128,
}

/// What counts: what is used, or what is paid for whether it is used or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What is used: CPU as it was, and the largest working set of an instance for every instance there was.
    Use,
    /// What nobody else can have: the reservation of every instance there was, or the limit in force where there is no
    /// reservation or the limit is lower; and what is used, where that is more or where there is neither.
    Kept,
    /// The limits in force of every instance there was; what is used where there is none.
    Limits,
}

impl Consumption {
    /// So much for so long.
    #[must_use]
    pub fn of(held: &Held, span: Span) -> Self {
        let time = u128::from(span.nanos());
        let over = |amount: u64, share: u64| (u128::from(amount) * u128::from(share)).saturating_mul(time);
        Self {
            cpu: over(held.cpu.get(), held.cpu_use.get()),
            memory: over(held.memory.get(), held.memory_use.get()),
            storage: over(held.storage.get(), 1),
            network: over(held.network_hourly.get(), 1),
        }
    }

    /// Adds a stretch of a service's run.
    pub fn take(&mut self, basis: Basis, model: &ServiceModel, sample: &ServiceSample, span: Span) {
        let instances = sample.instances_of(model.replicas);
        let used_cpu = u128::from(sample.cpu.get()) * 1000;
        let used_memory = u128::from(sample.memory.get()) * u128::from(instances);
        let limit_cpu = sample.limits.cpu.map(|cpu| u128::from(cpu.get()) * u128::from(instances));
        let limit_memory = sample.limits.memory.map(|memory| u128::from(memory.get()) * u128::from(instances));
        let kept = |reserved: Option<u64>, limit: Option<u128>, used: u128| {
            let reserved = reserved.map(|reserved| u128::from(reserved) * u128::from(instances));
            reserved.into_iter().chain(limit).min().unwrap_or(0).max(used)
        };
        let (cpu, memory) = match basis {
            Basis::Use => (used_cpu, used_memory),
            Basis::Kept => (
                kept(model.reservations.cpu.map(Millicores::get), limit_cpu, used_cpu),
                kept(model.reservations.memory.map(Bytes::get), limit_memory, used_memory),
            ),
            Basis::Limits => (limit_cpu.unwrap_or(used_cpu), limit_memory.unwrap_or(used_memory)),
        };
        let time = u128::from(span.nanos());
        let moved = u128::from(sample.network.received.get()) + u128::from(sample.network.sent.get());
        let stored = u128::from(model.disk.data.get()) * u128::from(instances) / 1000;
        self.cpu = self.cpu.saturating_add(cpu.saturating_mul(time));
        self.memory = self.memory.saturating_add(memory.saturating_mul(time));
        self.storage = self.storage.saturating_add(stored.saturating_mul(time));
        self.network = self.network.saturating_add(moved.saturating_mul(HOUR));
    }

    /// The same for another length of time, in proportion; rounded down to a nanosecond's amount. Nothing where `over` is
    /// no time.
    #[must_use]
    pub fn stretched(&self, over: Span, to: Span) -> Self {
        let (over, to) = (u128::from(over.nanos()), u128::from(to.nanos()));
        let scale = |amount: u128| {
            let whole = amount.checked_div(over).unwrap_or(0);
            let rest = amount.checked_rem(over).unwrap_or(0).saturating_mul(to).checked_div(over).unwrap_or(0);
            whole.saturating_mul(to).saturating_add(rest)
        };
        Self {
            cpu: scale(self.cpu),
            memory: scale(self.memory),
            storage: scale(self.storage),
            network: scale(self.network),
        }
    }

    /// Of another amount, the shares of CPU and of memory that this is, rounded down to a thousandth; `None` where there is
    /// nothing of it. Saturates.
    #[must_use]
    pub fn shares_of(&self, other: &Self) -> [Option<Permille>; 2] {
        [(self.cpu, other.cpu), (self.memory, other.memory)].map(|(part, whole)| {
            let share = part.saturating_mul(1000).checked_div(whole)?;
            Some(Permille::new(u64::try_from(share).unwrap_or(u64::MAX)))
        })
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
            storage: self.storage.saturating_add(other.storage),
            network: self.network.saturating_add(other.network),
        }
    }
}

impl Prices {
    /// What was consumed costs so much.
    #[must_use]
    pub fn of(&self, consumption: &Consumption) -> Cost {
        let part = |amount: u128, price: u64, unit: u128| {
            let micro = amount.saturating_mul(u128::from(price)).saturating_add(unit / 2) / unit;
            Money::micro(u64::try_from(micro).unwrap_or(u64::MAX), self.currency)
        };
        Cost {
            cpu: part(consumption.cpu, self.core_hour_micro, 1_000_000 * HOUR),
            memory: part(consumption.memory, self.memory_gigabyte_hour_micro, 1000 * GIGABYTE * HOUR),
            storage: part(consumption.storage, self.storage_gigabyte_hour_micro, GIGABYTE * HOUR),
            network: part(consumption.network, self.network_megabyte_micro, MEGABYTE * HOUR),
        }
    }

    /// What it costs for an hour.
    ///
    /// ```
    /// use plimsoll::money::Held;
    /// use plimsoll::money::Prices;
    /// use plimsoll::units::Bytes;
    /// use plimsoll::units::Millicores;
    /// use plimsoll::units::Permille;
    ///
    /// // 2 × 0.5 × 0.05 + 4 × 0.75 × 0.01 + 10 × 0.001 + 100 × 0.00001 = 0.05 + 0.03 + 0.01 + 0.001
    /// let held = Held {
    ///     cpu: Millicores::cores(2),
    ///     cpu_use: Permille::percent(50),
    ///     memory: Bytes::gibi(4),
    ///     memory_use: Permille::percent(75),
    ///     storage: Bytes::gibi(10),
    ///     network_hourly: Bytes::mebi(100),
    /// };
    /// assert_eq!(Prices::default().hourly(&held).total().to_string(), "0.091 USD");
    /// assert_eq!(Prices::default().monthly(&held).total().to_string(), "65.52 USD");
    /// ```
    #[must_use]
    pub fn hourly(&self, held: &Held) -> Cost {
        self.of(&Consumption::of(held, Span::from_mins(60)))
    }

    /// What it costs for a month of 24 × 30 hours; rounded once, not for every hour.
    #[must_use]
    pub fn monthly(&self, held: &Held) -> Cost {
        self.of(&Consumption::of(held, MONTH))
    }
}

/// What the services of a run consume, added up sample by sample; the warm-up is left out.
#[derive(Debug, Clone)]
pub struct Ledger {
    basis: Basis,
    begin: Instant,
    span: Span,
    services: BTreeMap<ServiceName, Consumption>,
}

impl Ledger {
    /// An empty one for runs of this scenario.
    #[must_use]
    pub fn new(basis: Basis, scenario: &Scenario) -> Self {
        let services = scenario.services.keys().map(|name| (name.clone(), Consumption::default())).collect();
        Self { basis, begin: Instant::after_start(scenario.warmup), span: Span::ZERO, services }
    }

    /// Adds a sample of a run of that scenario. A sample belongs to it when all of it lies behind the warm-up.
    pub fn take(&mut self, scenario: &Scenario, sample: &Sample) {
        if sample.at.minus(sample.span) < self.begin {
            return;
        }
        self.span = self.span.plus(sample.span);
        for ((consumption, model), service) in
            self.services.values_mut().zip(scenario.services.values()).zip(&sample.services)
        {
            consumption.take(self.basis, model, service, sample.span);
        }
    }

    /// How long was added up.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// What each service consumed in that time.
    #[must_use]
    pub const fn services(&self) -> &BTreeMap<ServiceName, Consumption> {
        &self.services
    }

    /// What all services consumed in that time.
    #[must_use]
    pub fn total(&self) -> Consumption {
        self.services.values().fold(Consumption::default(), |sum, one| sum.plus(one))
    }

    /// What a month costs that is like that time, all services together.
    #[must_use]
    pub fn monthly(&self, prices: &Prices) -> Cost {
        prices.of(&self.total().stretched(self.span, MONTH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;
    use crate::model::NetworkSample;
    use proptest::prelude::*;

    fn model() -> ServiceModel {
        crate::money::tests::service(2, Limits::default(), Limits::default())
    }

    fn sample(cpu: u64, memory: Bytes) -> ServiceSample {
        ServiceSample { cpu: Millicores::new(cpu), memory, ..ServiceSample::default() }
    }

    fn usd(micro: u64) -> Money {
        Money::micro(micro, Currency::USD)
    }

    /// Two instances: half a core for one hour is 0.5 × 0.05 = 0.025, 256 MiB twice is half a GB, 0.5 × 0.01 = 0.005;
    /// 3 MB received and 7 sent are 10 × 0.00001 = 0.0001. The second hour uses twice the CPU and nothing else.
    #[test]
    fn a_record_is_billed_for_what_was_used() {
        let (model, mut used) = (model(), Consumption::default());
        let network = NetworkSample { received: Bytes::mebi(3), sent: Bytes::mebi(7) };
        let first = ServiceSample { network, ..sample(500, Bytes::mebi(256)) };
        used.take(Basis::Use, &model, &first, Span::from_mins(60));
        used.take(Basis::Use, &model, &sample(1000, Bytes::ZERO), Span::from_mins(60));
        let cost = Prices::default().of(&used);
        assert_eq!(cost.cpu, usd(75_000));
        assert_eq!(cost.memory, usd(5_000));
        assert_eq!(cost.network, usd(100));
        assert_eq!(cost.total(), usd(80_100));
        // The same two hours over and over for a month of 720 hours: 360 times as much.
        let month = used.stretched(Span::from_mins(120), MONTH);
        assert_eq!(Prices::default().of(&month).total(), usd(80_100 * 360));
    }

    /// One core and one GB for an hour are 0.05 + 0.01, whoever says how much that is.
    #[test]
    fn what_is_kept_is_the_reservation_or_the_limit_and_never_less_than_is_used() {
        let gigabyte = |count| Limits { cpu: Some(Millicores::cores(count)), memory: Some(Bytes::gibi(count)) };
        let none = Limits::default();
        let hour = |basis, reservations: Limits, limits: Limits, used: u64| {
            let model = crate::money::tests::service(1, limits, reservations);
            let sample = ServiceSample { limits, ..sample(used * 1000, Bytes::gibi(used)) };
            let mut sum = Consumption::default();
            sum.take(basis, &model, &sample, Span::from_mins(60));
            Prices::default().of(&sum).total().get() / 60_000
        };
        let rows = [
            (Basis::Kept, gigabyte(2), gigabyte(4), 1, 2, "the reservation"),
            (Basis::Kept, none, gigabyte(4), 1, 4, "the limit where nothing is reserved"),
            (Basis::Kept, none, none, 1, 1, "what is used where nothing is said"),
            (Basis::Kept, gigabyte(2), gigabyte(4), 3, 3, "what is used where that is more"),
            (Basis::Kept, gigabyte(2), gigabyte(1), 1, 1, "a limit that was lowered below the reservation"),
            (Basis::Limits, gigabyte(2), gigabyte(4), 1, 4, "the limit"),
            (Basis::Limits, gigabyte(2), none, 1, 1, "what is used where there is no limit"),
            (Basis::Use, gigabyte(2), gigabyte(4), 1, 1, "what is used"),
        ];
        for (basis, reserved, limit, used, cores, what) in rows {
            assert_eq!(hour(basis, reserved, limit, used), cores, "{what}");
        }
    }

    /// Scaling out costs the instances that are there: 1.5 on the mean of the stretch keep 1.5 times the limit.
    #[test]
    fn instances_that_come_and_go_are_paid_while_they_are_there() {
        let limits = Limits { cpu: Some(Millicores::cores(1)), memory: None };
        let model = crate::money::tests::service(2, limits, Limits::default());
        let sample = ServiceSample { limits, instances: 1500, ..ServiceSample::default() };
        let mut kept = Consumption::default();
        kept.take(Basis::Kept, &model, &sample, Span::from_mins(60));
        assert_eq!(Prices::default().of(&kept).total(), usd(75_000));
    }

    #[test]
    fn a_ledger_leaves_out_the_warm_up() {
        let mut scenario = crate::money::tests::scenario(vec![("api", model())]);
        scenario.warmup = Span::from_mins(60);
        let mut ledger = Ledger::new(Basis::Use, &scenario);
        for hour in 1..=3 {
            let sample = Sample {
                at: Instant::after_start(Span::from_mins(60 * hour)),
                span: Span::from_mins(60),
                host: crate::model::HostSample::default(),
                services: vec![sample(1000, Bytes::ZERO)],
            };
            ledger.take(&scenario, &sample);
        }
        assert_eq!(ledger.span(), Span::from_mins(120));
        assert_eq!(Prices::default().of(&ledger.total()).total(), usd(100_000));
        assert_eq!(ledger.monthly(&Prices::default()).total(), usd(36_000_000), "720 core-hours at 0.05");
    }

    #[test]
    fn nothing_and_no_time_cost_nothing() {
        let nothing = Prices::default().hourly(&Held::default());
        assert_eq!(nothing.total(), usd(0));
        let some = Consumption::of(
            &Held { cpu: Millicores::cores(1), cpu_use: Permille::ONE, ..Held::default() },
            Span::from_mins(1),
        );
        assert_eq!(some.stretched(Span::ZERO, MONTH), Consumption::default());
    }

    fn held() -> impl Strategy<Value = Held> {
        (0..64_000_u64, 0..=1000_u64, 0..1_u64 << 40, 0..=1000_u64, 0..1_u64 << 44, 0..1_u64 << 40).prop_map(
            |(cpu, cpu_use, memory, memory_use, storage, network)| Held {
                cpu: Millicores::new(cpu),
                cpu_use: Permille::new(cpu_use),
                memory: Bytes::new(memory),
                memory_use: Permille::new(memory_use),
                storage: Bytes::new(storage),
                network_hourly: Bytes::new(network),
            },
        )
    }

    proptest! {
        /// A month is 720 hours, but for the rounding of four parts of an hour to a millionth.
        #[test]
        fn a_month_is_720_hours(held in held()) {
            let hours = Prices::default().hourly(&held).total().get() * 720;
            prop_assert!(hours.abs_diff(Prices::default().monthly(&held).total().get()) <= 4 * 360 + 4);
        }

        /// However a stretch is cut into pieces, it costs the same.
        #[test]
        fn cutting_a_stretch_changes_nothing(held in held(), cut in 1..3599_u64) {
            let piece = |seconds| Consumption::of(&held, Span::from_secs(seconds));
            prop_assert_eq!(piece(cut).plus(&piece(3600 - cut)), piece(3600));
        }

        /// Using or having more never costs less.
        #[test]
        fn more_never_costs_less(held in held(), more in 0..1000_u64) {
            let larger = Held {
                cpu: held.cpu.plus(Millicores::new(more)),
                memory_use: Permille::new(held.memory_use.get() + more),
                storage: held.storage.plus(Bytes::new(more)),
                ..held
            };
            let prices = Prices::default();
            prop_assert!(prices.hourly(&larger).total().get() >= prices.hourly(&held).total().get());
        }
    }
}
