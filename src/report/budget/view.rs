//! A budget in words.

use crate::model::Allocation;
use crate::model::Amount;
use crate::model::Ask;
use crate::model::Budget;
use crate::model::Evidence;
use crate::model::Off;
use crate::model::ServiceName;
use crate::model::Share;
use crate::model::Totals;
use crate::model::Turn;
use crate::report::figure::rounded;
use crate::report::words;
use crate::units::Bytes;
use crate::units::Millicores;

/// What is shown of a budget.
pub(super) struct View {
    /// `ziggie on Hostinger KVM 4`.
    pub(super) title: String,
    /// The host in a line: score, class, price.
    pub(super) host: String,
    /// What the host has, keeps and gives: name, CPU, memory.
    pub(super) pools: [(&'static str, String, String); 3],
    /// Where the reserve comes from.
    pub(super) reserve_from: String,
    /// What the files state, and what is proposed.
    pub(super) sums: Vec<Sum>,
    /// The services by tier.
    pub(super) tiers: Vec<Tier>,
    /// Services that stay off, and why.
    pub(super) off: Vec<(String, String)>,
    /// The answer in a line, and whether it is a good one.
    pub(super) verdict: (bool, String),
    /// What the reader should know beside.
    pub(super) notes: Vec<String>,
}

/// A sum over all services.
pub(super) struct Sum {
    pub(super) name: &'static str,
    pub(super) cpu: Part,
    pub(super) memory: Part,
}

/// A sum against the pool.
pub(super) struct Part {
    pub(super) amount: String,
    pub(super) times: String,
    pub(super) over: bool,
    pub(super) word: &'static str,
}

/// The services of one tier.
pub(super) struct Tier {
    pub(super) number: u8,
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    pub(super) rows: Vec<Row>,
    /// CPU limits, CPU kept, memory limits, memory kept; the share of the pool beside the limits.
    pub(super) subtotal: [String; 4],
}

/// A service.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cpu: Change,
    pub(super) cpu_kept: Change,
    pub(super) memory: Change,
    pub(super) memory_kept: Change,
    pub(super) need: String,
    pub(super) pids: Change,
    pub(super) why: String,
}

/// A value as it is and as it is proposed.
pub(super) struct Change {
    pub(super) before: Option<String>,
    pub(super) after: String,
    pub(super) changed: bool,
}

impl Change {
    /// `0.8 → 0.55`, or the value alone where nothing changes.
    pub(super) fn words(&self) -> String {
        match &self.before {
            _ if !self.changed => self.after.clone(),
            Some(before) => format!("{before} → {}", self.after),
            None => format!("– → {}", self.after),
        }
    }
}

/// Names and targets of the tiers (register S3, S4).
const TIERS: [(u8, &str, &str); 3] = [
    (1, "critical path", "P95 below 500 ms"),
    (2, "workflow and AI", "2 to 10 s"),
    (3, "monitoring and management", "in the background"),
];

pub(super) fn view(budget: &Budget) -> View {
    let host = &budget.host;
    let (stated, proposed) = (budget.stated(None), budget.proposed(None));
    let pool = budget.terms.pool;
    let sums = vec![
        sum("stated limits", stated.limits, pool, (stated.no_cpu_limit.len(), stated.no_memory_limit.len())),
        sum("stated reservations", stated.reservations, pool, (0, 0)),
        sum("proposed limits", proposed.limits, pool, (0, 0)),
        sum("proposed reservations", proposed.reservations, pool, (0, 0)),
    ];
    let price = host.price.as_ref().map(|price| format!(", {}", words::price(price))).unwrap_or_default();
    View {
        title: format!("{} on {}", budget.stack, host.title),
        host: words::score(budget.score) + &price,
        pools: [
            ("host", host.capacity().to_string(), size(host.memory)),
            ("reserve", host.reserve_cpu.to_string(), size(host.reserve_memory)),
            ("pool", pool.cpu.to_string(), size(pool.memory)),
        ],
        reserve_from: budget.reserve_from.clone(),
        sums,
        tiers: TIERS.into_iter().filter_map(|(number, name, target)| tier(budget, number, name, target)).collect(),
        off: off(budget),
        verdict: verdict(budget),
        notes: notes(budget, &stated),
    }
}

/// A size for a reader: as Compose takes it where that is short, else in GiB or MiB with four digits.
#[must_use]
pub fn size(size: Bytes) -> String {
    if size == Bytes::ZERO {
        return "0".to_owned();
    }
    let shown = size.to_string();
    if shown.len() <= 5 && !shown.ends_with('b') {
        return shown;
    }
    let mebibytes = size.get() as f64 / f64::from(1 << 20);
    if mebibytes >= 10_240.0 {
        format!("{}G", rounded(mebibytes / 1024.0, 4))
    } else {
        format!("{}M", rounded(mebibytes, 4))
    }
}

fn sum(name: &'static str, amount: Amount, pool: Amount, without: (usize, usize)) -> Sum {
    let part = |shown: String, part: u64, whole: u64, without: usize| {
        let times = if whole == 0 { "–".to_owned() } else { format!("{:.2}×", part as f64 / whole as f64) };
        let over = part > whole;
        // What has no limit may take all there is.
        let word = match (part, without) {
            (0, _) => "none stated",
            _ if over => "overcommitted",
            (_, 0) => "fits",
            _ => "unbounded",
        };
        Part { amount: shown, times, over: over || without > 0, word }
    };
    Sum {
        name,
        cpu: part(amount.cpu.to_string(), amount.cpu.get(), pool.cpu.get(), without.0),
        memory: part(size(amount.memory), amount.memory.get(), pool.memory.get(), without.1),
    }
}

fn tier(budget: &Budget, number: u8, name: &'static str, target: &'static str) -> Option<Tier> {
    let shares = budget.allocation.shares.iter();
    let with_asks = shares.filter_map(|(name, share)| Some((name, share, budget.asks.get(name)?)));
    let mut of_tier: Vec<_> = with_asks.filter(|(_, _, ask)| ask.tier == number).collect();
    of_tier.sort_by_key(|(name, _, ask)| (std::cmp::Reverse(ask.importance), (*name).clone()));
    let rows: Vec<Row> = of_tier.into_iter().map(|(name, share, ask)| row(name, share, ask)).collect();
    if rows.is_empty() {
        return None;
    }
    let totals = budget.proposed(Some(number));
    let pool = budget.terms.pool;
    let of_pool = |part: u64, whole: u64| {
        if whole == 0 { String::new() } else { format!(" {:.0}%", part as f64 * 100.0 / whole as f64) }
    };
    let subtotal = [
        totals.limits.cpu.to_string() + &of_pool(totals.limits.cpu.get(), pool.cpu.get()),
        totals.reservations.cpu.to_string(),
        size(totals.limits.memory) + &of_pool(totals.limits.memory.get(), pool.memory.get()),
        size(totals.reservations.memory),
    ];
    Some(Tier { number, name, target, rows, subtotal })
}

fn row(name: &ServiceName, share: &Share, ask: &Ask) -> Row {
    let change =
        |before: Option<String>, after: String| Change { changed: before.as_ref() != Some(&after), before, after };
    let cpu =
        |before: Option<Millicores>, after: Millicores| change(before.map(|cpu| cpu.to_string()), after.to_string());
    let memory = |before: Option<Bytes>, after: Bytes| change(before.map(size), size(after));
    let pids = |pids: i64| if pids < 0 { "no limit".to_owned() } else { pids.to_string() };
    let replicas = if ask.replicas > 1 { format!(" ×{}", ask.replicas) } else { String::new() };
    let guessed = matches!(ask.evidence, Evidence::Guess | Evidence::Unknown);
    Row {
        name: format!("{name}{replicas}"),
        cpu: cpu(ask.limits.cpu, share.limits.cpu),
        cpu_kept: cpu(ask.reservations.cpu, share.reservations.cpu),
        memory: memory(ask.limits.memory, share.limits.memory),
        memory_kept: memory(ask.reservations.memory, share.reservations.memory),
        need: format!("{}{}", size(ask.need.memory), if guessed { "?" } else { "" }),
        pids: change(ask.pids.map(pids), pids(share.pids)),
        why: why(share, ask),
    }
}

fn why(share: &Share, ask: &Ask) -> String {
    let of = |turn: Turn, need: String| match turn {
        // What is cut is seen, and all of it for one reason, which a note tells.
        Turn::Kept | Turn::Cut => None,
        Turn::Set => Some("no limit was stated".to_owned()),
        Turn::SetToFit => Some("no limit was stated; less than usual, to fit".to_owned()),
        Turn::Raised => Some(format!("needs {need}, {}", evidence(ask.evidence))),
    };
    let cpu = of(share.cpu, format!("{} CPU", ask.need.cpu));
    let memory = of(share.memory, size(ask.need.memory));
    let words = match (cpu, memory) {
        (None, None) => Vec::new(),
        (Some(cpu), Some(memory)) if cpu == memory => vec![cpu],
        (cpu, memory) => {
            let named = |what: &str, words: Option<String>| words.map(|words| format!("{what}: {words}"));
            named("CPU", cpu).into_iter().chain(named("memory", memory)).collect()
        }
    };
    words.join("; ")
}

/// How a need is known, in words.
pub(super) const fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Observed => "as observed",
        Evidence::Killed => "half more than it was killed at; watch it for 24 hours",
        Evidence::Catalog => "by the catalog",
        Evidence::Guess => "a guess of the catalog",
        Evidence::Unknown => "a guess for an unknown image",
    }
}

fn off(budget: &Budget) -> Vec<(String, String)> {
    let why = |name: &ServiceName, off: &Off| {
        let importance = budget.asks.get(name).map_or(0, |ask| ask.importance);
        match off {
            Off::BelowFloor { floor } => {
                format!("importance {importance}, and such a host runs from {floor} up; `--keep {name}` keeps it")
            }
            Off::NoRoom => {
                let need = budget.asks.get(name).map(|ask| ask.need.times(ask.replicas)).unwrap_or_default();
                let need = format!("{} CPU and {}", need.cpu, size(need.memory));
                format!("there is no room for the {need} that it needs, and all others matter more")
            }
        }
    };
    budget.allocation.off.iter().map(|(name, off)| (name.to_string(), why(name, off))).collect()
}

fn verdict(budget: &Budget) -> (bool, String) {
    let Allocation { short, shares, .. } = &budget.allocation;
    if !budget.allocation.fits() {
        let mut missing = Vec::new();
        if short.cpu > Millicores::ZERO {
            missing.push(format!("{} CPU", short.cpu));
        }
        if short.memory > Bytes::ZERO {
            missing.push(size(short.memory));
        }
        let missing = missing.join(" and ");
        return (false, format!("the host is too small: it lacks {missing} for what cannot be switched off"));
    }
    let proposed = budget.proposed(None);
    let margin = budget.terms.pool.minus(proposed.limits);
    let services = words::counted(shares.len() as u64, "service");
    let none = margin == Amount::default();
    let margin = format!("margin {} CPU and {}", margin.cpu, size(margin.memory));
    let margin = if none { "every step of the pool is given".to_owned() } else { margin };
    if budget.allocation.off.is_empty() {
        return (true, format!("the proposal fits: {services}, {margin}"));
    }
    let off = budget.allocation.off.len();
    (true, format!("the proposal fits: {services}, {off} switched off, {margin}"))
}

fn notes(budget: &Budget, stated: &Totals) -> Vec<String> {
    let mut notes = Vec::new();
    let pool = budget.terms.pool;
    let over =
        |part: u64, whole: u64| (part > whole && whole > 0).then(|| format!("{:.2} times", part as f64 / whole as f64));
    let memory = over(stated.limits.memory.get(), pool.memory.get()).map(|times| format!("memory {times}"));
    let cpu = over(stated.limits.cpu.get(), pool.cpu.get()).map(|times| format!("CPU {times}"));
    let parts: Vec<String> = memory.into_iter().chain(cpu).collect();
    if !parts.is_empty() {
        let kept = match stated.reservations {
            none if none == Amount::default() => "",
            kept if kept.fits(pool) => "; the reservations fit",
            _ => "; not even the reservations fit",
        };
        notes.push(format!("the stated limits overcommit {}{kept}", parts.join(" and ")));
    }
    for (what, names) in [("CPU", &stated.no_cpu_limit), ("memory", &stated.no_memory_limit)] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(ServiceName::as_str).collect();
            let shown = if names.len() > 8 {
                format!("{} and {} more", names[..8].join(", "), names.len() - 8)
            } else {
                names.join(", ")
            };
            notes.push(format!("without {what} limit: {shown}"));
        }
    }
    let cut = |of: fn(&Share) -> Turn| {
        budget.allocation.shares.values().any(|share| matches!(of(share), Turn::Cut | Turn::SetToFit))
    };
    let cuts: Vec<&str> = [("CPU", cut(|share| share.cpu)), ("memory", cut(|share| share.memory))]
        .into_iter()
        .filter_map(|(name, is_cut)| is_cut.then_some(name))
        .collect();
    if !cuts.is_empty() {
        notes.push(format!(
            "{} limits are cut so that all together fit the pool: nobody below its need, the less important more",
            cuts.join(" and ")
        ));
    }
    let blind = budget.allocation.shares.iter().any(|(name, share)| {
        let evidence = budget.asks.get(name).map(|ask| ask.evidence);
        matches!(share.cpu, Turn::Cut) && !matches!(evidence, Some(Evidence::Observed | Evidence::Killed))
    });
    if blind {
        notes.push(
            "what a service needs under load only a record knows: `--record RUN` keeps it, `--overcommit-cpu 1.5` cuts CPU less"
                .to_owned(),
        );
    }
    let unknown: Vec<&str> = budget
        .asks
        .iter()
        .filter(|(_, ask)| ask.evidence == Evidence::Unknown)
        .map(|(name, _)| name.as_str())
        .collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "not in the catalog, so their need (marked ?) is a guess: {}; a record (`--record`) or catalog/images.yaml says better",
            unknown.join(", ")
        ));
    }
    notes
}
