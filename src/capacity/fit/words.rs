//! What came of it in words: the answer in a sentence, with its reasons.

use super::Answer;
use super::Fit;
use super::Line;
use super::MONTHS_MAX;
use super::Plan;
use super::Row;
use super::Trigger;
use super::months as months_of;
use crate::model::PriceKind;
use crate::model::Term;
use crate::model::is_year_older;
use crate::report::load_line::multiple as times;
use crate::units::Money;
use crate::units::Permille;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Reasons against cheaper machines that are told one by one.
const REASONS_MAX: usize = 3;

/// What is said where limits are taken off.
pub(super) const LIFTED: &str = "the CPU limits of the services, and policies that move limits, are taken off";

/// What was asked, and what the services need.
pub(super) fn facts(fit: &Fit) -> String {
    let aim = times(fit.question.aim());
    let seeds = fit.scenario.seeds.len();
    format!(
        "{aim} the expected load is wanted ({} headroom), {seeds} seed{}, {} runs; needed at the expected load: {} CPUs in the \
         services' busiest ten minutes, {:.1} GiB",
        fit.question.headroom,
        if seeds == 1 { "" } else { "s" },
        fit.runs,
        fit.demand.cpu(),
        fit.demand.at_once.get() as f64 / 1_073_741_824.0,
    )
}

/// The offers that were not tried, by the reason.
pub(super) fn left_out(fit: &Fit) -> BTreeMap<&str, Vec<&str>> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, why) in &fit.left_out {
        by_reason.entry(kind(why)).or_default().push(name);
    }
    by_reason
}

/// What a reason is about, without its figures.
fn kind(why: &str) -> &str {
    if why.contains("of memory, and") {
        "too little memory"
    } else if why.contains("CPUs, and one") {
        "too little CPU for one of the services"
    } else {
        why
    }
}

/// What a row buys, as a person calls it.
pub(super) fn title(fit: &Fit, row: &Row) -> String {
    let name = |name: &str| fit.offers.get(name).map_or(name, |offer| offer.title()).to_owned();
    match &row.plan {
        Plan::One => name(&row.offer),
        Plan::Split(count, _) => format!("{count} × {}", name(&row.offer)),
        Plan::Burst(other, hours, _) => format!("{} + {} for {hours} h", name(&row.offer), name(other)),
    }
}

/// What a row buys, by the names of the offers.
pub(super) fn short(row: &Row) -> String {
    match &row.plan {
        Plan::One => row.offer.clone(),
        Plan::Split(count, _) => format!("{count} × {}", row.offer),
        Plan::Burst(other, hours, _) => format!("{} + {other} {hours} h", row.offer),
    }
}

/// `1.82x`, `1.3x or more`, `less than 1x`.
pub(super) fn line(line: &Line) -> String {
    match (line.holds, line.breaks) {
        (Some(holds), _) if line.exact => times(holds),
        (Some(holds), None) => format!("≥{}", times(holds)),
        (Some(holds), Some(breaks)) => format!("{}..{}", times(holds), times(breaks)),
        (None, Some(breaks)) => format!("<{}", times(breaks)),
        (None, None) => "-".to_owned(),
    }
}

/// Whether it holds: `✓`, `✗`, or `(✓)` where only the first seed says so.
pub(super) const fn mark(row: &Row) -> &'static str {
    match (row.holds, row.all_seeds) {
        (true, true) => "✓",
        (true, false) => "(✓)",
        (false, _) => "✗",
    }
}

/// An amount to a hundredth: `28.99 EUR`.
pub(super) fn money(amount: Money) -> String {
    let cents = (amount.get() + 5_000) / 10_000;
    format!("{}.{:02} {}", cents / 100, cents % 100, amount.currency())
}

/// `12 months`, `now`, `never`.
pub(super) fn months(row: &Row, growth: Permille) -> String {
    match (row.line.exact, row.line.holds) {
        (false, _) => String::new(),
        (true, None) => "now".to_owned(),
        (true, Some(_)) => match row.months(growth) {
            None => "now".to_owned(),
            Some(MONTHS_MAX) => format!(">{MONTHS_MAX}"),
            Some(months) => months.to_string(),
        },
    }
}

/// A row of the table: whether it holds, its name, CPU, memory, line, price, price for a load, and months of growth.
pub(super) fn cells(fit: &Fit, row: &Row) -> [String; 8] {
    let share =
        |share: Option<Permille>| share.map(|share| format!("{:.0}%", share.as_fraction() * 100.0)).unwrap_or_default();
    [
        mark(row).to_owned(),
        short(row),
        share(row.used.map(|used| used.0)),
        share(row.used.map(|used| used.1)),
        line(&row.line),
        money(row.ranked),
        row.per_load().map(money).unwrap_or_default(),
        fit.question.growth.map(|growth| months(row, growth)).unwrap_or_default(),
    ]
}

fn triggers(triggers: &BTreeSet<Trigger>) -> String {
    triggers.iter().map(|trigger| trigger.words()).collect::<Vec<_>>().join(", ")
}

/// Why a row is not the answer; empty where nothing is known against it.
pub(super) fn why(row: &Row) -> String {
    let mut parts = Vec::new();
    if !row.holds {
        parts.extend(row.breaks.clone());
        if !row.triggers.is_empty() {
            parts.push(format!("[{}]", triggers(&row.triggers)));
        }
    }
    if let Some(barred) = &row.barred {
        parts.insert(0, format!("not chosen: {barred}"));
    }
    parts.join("; ").replace("]; ", "] ").replace("; [", " [")
}

/// The price of a row, with what a reader needs to check it.
pub(super) fn price(fit: &Fit, row: &Row) -> String {
    let Some(offer) = fit.offers.get(&row.offer) else { return money(row.month) };
    let mut text = format!("{} a month", money(row.month));
    let each = money(offer.month(fit.question.term));
    match &row.plan {
        Plan::One => {}
        Plan::Split(count, _) => text.push_str(&format!(" ({count} × {each})")),
        Plan::Burst(other, hours, _) => {
            let hour = fit.offers.get(other).and_then(|offer| offer.hour).map(|hour| hour.to_string());
            text.push_str(&format!(" ({each} and {hours} h at {})", hour.unwrap_or_default()));
        }
    }
    if row.ranked.currency() != row.month.currency() {
        let worth = fit.question.rates.iter().find(|(of, _)| *of == row.month.currency());
        let rate = worth.map(|(of, worth)| format!(" at 1 {of} = {worth}")).unwrap_or_default();
        text.push_str(&format!(" (converted: {}{rate})", money(row.ranked)));
    }
    if offer.kind == PriceKind::Promo {
        let term = offer.term.map(|term| format!(" of {term} months")).unwrap_or_default();
        match (fit.question.term, offer.price.renewal) {
            (Term::After, _) => text.push_str(&format!(", after {} in a first term{term}", money(offer.price.month))),
            (Term::First, Some(renewal)) => text.push_str(&format!(" in a first term{term}, then {}", money(renewal))),
            (Term::First, None) => {}
        }
    } else if let Some(term) = offer.term {
        text.push_str(&format!(", bound for {term} months"));
    }
    if let Some(tax) = &offer.tax {
        text.push_str(&format!(", {tax}"));
    }
    if offer.disk_extra {
        text.push_str(", its disk billed apart");
    }
    text.push_str(&format!("; seen {}{}, {}", offer.price.seen, age(fit, &offer.price.seen), offer.price.source));
    if let Some(note) = &offer.note {
        text.push_str(&format!("; {note}"));
    }
    text
}

/// What is said of a price that is more than a year older than the newest one.
fn age(fit: &Fit, seen: &str) -> &'static str {
    let newest = fit.offers.values().map(|offer| offer.price.seen.as_str()).max().unwrap_or(seen);
    if is_year_older(seen, newest) { " (more than a year before the newest price)" } else { "" }
}

/// The answers, each in some sentences.
pub(super) fn answers(fit: &Fit) -> Vec<String> {
    let mut sentences: Vec<String> = fit.answers.iter().map(|one| answer(fit, one)).collect();
    let chosen = fit.answers.iter().filter(|answer| answer.row.is_some()).count();
    if chosen > 1 {
        let currencies: Vec<String> = fit.answers.iter().map(|answer| answer.currency.to_string()).collect();
        let (first, last) = (&currencies[0], &currencies[currencies.len() - 1]);
        sentences.push(format!(
            "Prices in {} are not put beside each other without a rate: `--rate {first}=…{last}`.",
            currencies.join(" and ")
        ));
    }
    if fit.rows.is_empty() {
        let aim = times(fit.question.aim());
        sentences.push(format!("Nothing that was looked at can hold {aim} the expected load."));
    }
    if !fit.fits() {
        sentences.extend(ceiling(fit));
    }
    sentences
}

fn answer(fit: &Fit, answer: &Answer) -> String {
    let aim = times(fit.question.aim());
    let Some(place) = answer.row else {
        let tried = fit.rows_in(answer.currency).count();
        return format!("In {}: none of {tried} holds {aim} the expected load and can be bought.", answer.currency);
    };
    let row = &fit.rows[place];
    let mut text = format!(
        "In {}: {} ({}), {}: it carries {}{} the expected load, and {aim} is wanted.",
        answer.currency,
        title(fit, row),
        short(row),
        price(fit, row),
        line(&row.line),
        row.interval.map(|(low, high)| format!(" ({} to {})", times(low), times(high))).unwrap_or_default(),
    );
    let cheaper = fit.rows[..place].iter();
    let mut against: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    for other in cheaper.filter(|other| other.ranked.currency() == answer.currency && other.barred.is_none()) {
        let why = why(other);
        let names = against.entry(why.clone()).or_default();
        if names.is_empty() {
            order.push(why);
        }
        names.push(short(other));
    }
    // The dearest of them are the ones that were nearest.
    for why in order.iter().rev().take(REASONS_MAX) {
        let names = against.get(why).cloned().unwrap_or_default();
        let some = match names.as_slice() {
            [one] => one.clone(),
            [one, more @ ..] => format!("{one} and {} more", more.len()),
            [] => String::new(),
        };
        text.push_str(&format!(" Cheaper, and not enough: {some}: {why}."));
    }
    if let Some(breaks) = row.breaks.as_ref().filter(|_| row.line.breaks.is_some()) {
        let busiest = row.busiest.as_ref().map(|part| format!(", with {part}")).unwrap_or_default();
        text.push_str(&format!(" Beyond its line: {breaks}{busiest}."));
    }
    if let (Some(growth), Some(then)) = (fit.question.growth, answer.then.as_ref()) {
        let next = then.row.map_or_else(
            || "nothing that was looked at is known to hold then".to_owned(),
            |next| {
                let more = fit.rows[next].ranked.get().saturating_sub(row.ranked.get());
                let more = money(Money::micro(more, answer.currency));
                format!("then {}, {more} a month more", short(&fit.rows[next]))
            },
        );
        let enough = then.month - 1;
        let low = row.interval.and_then(|(low, _)| months_of(low, growth)).filter(|low| *low < enough);
        let low = low.map(|low| format!(" ({low} at the lower end of its interval)")).unwrap_or_default();
        text.push_str(&format!(" At +{growth} a month it is enough for {enough} months{low}; {next}."));
    }
    text
}

/// What is said where the services themselves carry no more.
pub(super) fn ceiling(fit: &Fit) -> Option<String> {
    let (line, why) = &fit.ceiling;
    let why = why.as_ref()?;
    let holds = line.holds.map_or_else(|| "no load that was tried".to_owned(), times);
    Some(format!(
        "No host helps: with enough of everything the services carry {holds} the expected load ({why}). Their own limits are \
         too low, or the work takes too long: see `plimsoll advise`, raise them, or ask with `--unlimited-cpu` what the hosts \
         themselves carry."
    ))
}
