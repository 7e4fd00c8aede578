//! Actions, reasons, guards and incidents in words. The rest of the house has them as data.

use crate::model::Action;
use crate::model::Comparison;
use crate::model::FaultKind;
use crate::model::Finding;
use crate::model::Generation;
use crate::model::Guard;
use crate::model::Held;
use crate::model::Incident;
use crate::model::InstanceState;
use crate::model::Price;
use crate::model::Progress;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::Scenario;
use crate::model::Score;
use crate::model::ServiceName;
use crate::model::Signal;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// What is done: `cpu of api 1 → 1.25`.
#[must_use]
pub fn action(action: &Action) -> String {
    match action {
        Action::LimitCpu { service, from, to, .. } => format!("cpu of {service} {from} → {to}"),
        Action::LimitMemory { service, from, to, .. } => format!("memory of {service} {from} → {to}"),
        Action::Scale { service, from, to, .. } => format!("instances of {service} {from} → {to}"),
    }
}

/// Why it is done: `91% of the limit, above 80% for 3 checks`.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::AboveThreshold { seen, threshold, checks } => {
            format!("used {seen} of the limit, above {threshold} for {}", counted(u64::from(*checks), "check"))
        }
        Reason::BelowThreshold { seen, threshold, checks } => {
            format!("used {seen} of the limit, below {threshold} for {}", counted(u64::from(*checks), "check"))
        }
        Reason::GivenBack { deaths, of, after } => {
            let who = of.as_ref().map(|service| format!("{service} ")).unwrap_or_default();
            let times = counted(u64::from(*deaths), "time");
            format!("{who}died {times} since CPU was taken {after} ago: it is given back")
        }
        Reason::OutOfRange { seen, bound } if seen < bound => {
            format!("there are {seen}, and the policy asks for at least {bound}")
        }
        Reason::OutOfRange { seen, bound } => format!("there are {seen}, and the policy allows {bound} at most"),
        Reason::Beyond { above, findings } => all_of(findings, *above),
        Reason::Points { above, points, most, enough, findings } => {
            format!("{points} of {most} points, {enough} are enough: {}", all_of(findings, *above))
        }
        Reason::Weighted { above, score, bound, seen } => {
            let parts: Vec<String> =
                seen.iter().map(|(signal, seen)| format!("{} {}", self::signal(signal), quantity(*seen))).collect();
            let way = if *above { "above" } else { "below" };
            format!("weighted score {score}, {way} {bound}: {}", parts.join(", "))
        }
        Reason::Ahead { wanted, expected, upper, by, error, error_of_last } => format!(
            "{upper} CPU are to be expected within {by} ({expected} most likely), which asks for {wanted}; forecasts were {error} off \
             lately, the last value {error_of_last}"
        ),
        Reason::Override { replicas, reason, until } => ordered(*replicas, reason, *until),
        Reason::Sized { policy, wanted, note } => format!("{policy} recommends {}: {note}", quantity(*wanted)),
        Reason::Wanted { policy, wanted, findings, note } => {
            let one = |finding: &Finding| {
                format!("{} {} of {}", signal(&finding.signal), quantity(finding.seen), quantity(finding.bound))
            };
            let mut text =
                format!("{policy} wants {wanted}: {}", findings.iter().map(one).collect::<Vec<_>>().join(", "));
            if !note.is_empty() {
                text.push_str(&format!(" ({note})"));
            }
            text
        }
    }
}

/// An order: `ordered by hand: 6 until 20h, for: the sale begins`.
fn ordered(replicas: u32, reason: &str, until: Option<Instant>) -> String {
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    format!("ordered by hand: {replicas}{until}, for: {reason}")
}

/// Figures beyond their bounds: `CPU 91% above 70% for 5m, queue 62 above 50`.
fn all_of(findings: &[Finding], above: bool) -> String {
    let one = |finding: &Finding| {
        let way = if above || finding.signal == Signal::Replicas { "above" } else { "below" };
        let (seen, bound) = (quantity(finding.seen), quantity(finding.bound));
        let lasts = if finding.lasts == Span::ZERO { String::new() } else { format!(" for {}", finding.lasts) };
        format!("{} {seen} {way} {bound}{lasts}", signal(&finding.signal))
    };
    findings.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A measured figure of a service.
#[must_use]
pub fn signal(signal: &Signal) -> &str {
    match signal {
        Signal::Cpu => "CPU",
        Signal::Memory => "memory",
        Signal::Queue => "queue",
        Signal::Latency => "p95",
        Signal::Errors => "errors",
        Signal::Requests => "requests",
        Signal::Replicas => "instances",
        Signal::Custom(name) => name.as_str(),
    }
}

/// A figure as people say it: shares to a tenth of a percent, times to a millisecond, numbers to a tenth.
#[must_use]
pub fn quantity(quantity: Quantity) -> String {
    match quantity {
        Quantity::Share(millionths) => Permille::new(millionths.saturating_add(500) / 1000).to_string(),
        Quantity::Time(span) if span >= Span::from_millis(10) => Span::from_millis(span.millis()).to_string(),
        Quantity::Number(thousandths) => Quantity::Number(thousandths.saturating_add(50) / 100 * 100).to_string(),
        Quantity::Rate(millionths) => Quantity::Rate(millionths.saturating_add(50_000) / 100_000 * 100_000).to_string(),
        other => other.to_string(),
    }
}

/// The reason of an action in words.
#[must_use]
pub fn why(action: &Action) -> String {
    reason(action.why())
}

/// What holds an action back: `adjusted too short a time ago, 12m left`.
#[must_use]
pub fn guard(guard: &Guard) -> String {
    match guard {
        Guard::Hysteresis { checks, needed } => format!("{checks} of {needed} checks agree"),
        Guard::Cooldown { left } => format!("adjusted too short a time ago, {left} left"),
        Guard::DailyLimit { used, left } => {
            format!("adjusted {} in 24 h already, next in {left}", counted(u64::from(*used), "time"))
        }
        Guard::AtCpuBound { bound } => format!("cpu is at its bound of {bound}"),
        Guard::AtMemoryBound { bound } => format!("memory is at its bound of {bound}"),
        Guard::CpuPool { short } => format!("the host's pool is short of {short} CPU"),
        Guard::MemoryPool { short } => format!("the host's pool is short of {short} memory"),
        Guard::WorkingSet { seen } => format!("the new limit is below the working set of {seen}"),
        Guard::CpuDemand { seen } => format!("the new limit is too close to the {seen} CPU an instance uses"),
        Guard::GivenBack { left } => format!("it died with less CPU and keeps what it got back, {left} left"),
        Guard::Distress { service, kills } => {
            format!("{service} was OOM killed {} in 5m, so low usage says nothing", counted(u64::from(*kills), "time"))
        }
        Guard::RateLimit { used, left } => {
            format!("{} changed on this host a short time ago, next in {left}", counted(u64::from(*used), "limit"))
        }
        Guard::Stateful => "it holds data: no less memory while it runs".to_owned(),
        Guard::NoData => "there is no measurement".to_owned(),
        Guard::Stale { age } => format!("the newest measurement is {age} old"),
        Guard::Absurd { why } => format!("the measurement cannot be true: {why}"),
        Guard::NoLimit => "there is no such limit to adjust".to_owned(),
        Guard::NotReady => "no instance is up and well".to_owned(),
        Guard::AtReplicaBound { bound } => format!("there are {bound} instances, as far as the policy goes"),
        Guard::Pending { signal: of, lasts, needed } => {
            format!("{} is beyond its bound for {lasts} of {needed}", signal(of))
        }
        Guard::WouldReturn { signal: of, expected, bound } => {
            let (expected, bound) = (quantity(*expected), quantity(*bound));
            format!("with fewer instances {} would be {expected}, above {bound}", signal(of))
        }
        Guard::Horizontal => "the number of instances goes first".to_owned(),
        Guard::Override { replicas, reason, until } => ordered(*replicas, reason, *until),
        Guard::Deploying => "a deployment of it is not over".to_owned(),
        Guard::Ahead { needed } => format!("the forecast asks for {needed} instances"),
        Guard::OwnRule { why } => format!("the policy's own rule: {why}"),
    }
}

/// What a guard is for, whatever its figures: the head of a table of what was held.
#[must_use]
pub const fn guard_meaning(guard: &Guard) -> &'static str {
    match guard {
        Guard::Hysteresis { .. } => "too few checks in a row agree yet",
        Guard::Cooldown { .. } => "adjusted too short a time ago",
        Guard::DailyLimit { .. } => "adjusted too often in 24 hours",
        Guard::AtCpuBound { .. } | Guard::AtMemoryBound { .. } => "the limit is as far as the policy lets it go",
        Guard::CpuPool { .. } => "limits would promise more CPU than the pool allows",
        Guard::MemoryPool { .. } => "limits would promise more memory than the pool allows",
        Guard::WorkingSet { .. } => "the new limit would be below the working set",
        Guard::CpuDemand { .. } => "the new limit would be too close to what is used",
        Guard::GivenBack { .. } => "it died with less CPU and keeps for a day what it got back",
        Guard::Distress { .. } => "a service of the host is OOM killed again and again, so low usage says nothing",
        Guard::RateLimit { .. } => "too many limits were changed on this host in a short time",
        Guard::Stateful => "it holds data and keeps its memory while it runs",
        Guard::NoData => "there was no measurement",
        Guard::Stale { .. } => "the newest measurement was too old",
        Guard::Absurd { .. } => "the measurement could not be true",
        Guard::NoLimit => "there is no such limit to adjust",
        Guard::NotReady => "no instance was up and well",
        Guard::AtReplicaBound { .. } => "there are as many or as few instances as the policy allows",
        Guard::Pending { .. } => "a bound was not passed for long enough yet",
        Guard::WouldReturn { .. } => "with fewer instances a figure would pass the bound that adds them",
        Guard::Horizontal => "the number of instances goes first",
        Guard::Override { .. } => "somebody had ordered another number",
        Guard::Deploying => "a deployment of it was not over",
        Guard::Ahead { .. } => "the forecast asked for as many instances as there were",
        Guard::OwnRule { .. } => "the policy's own rule let it wait",
    }
}

/// Something that did not happen: `cpu of api held: 2 of 3 checks agree`.
#[must_use]
pub fn held(held: &Held) -> String {
    let what = match held.resource {
        Some(Resource::Cpu) => format!("cpu of {}", held.service),
        Some(Resource::Memory) => format!("memory of {}", held.service),
        Some(Resource::Replicas) => format!("instances of {}", held.service),
        None => held.service.to_string(),
    };
    format!("{what} held: {}", guard(&held.guard))
}

/// What happened: `api-1 OOM killed at 530M of 512M`.
#[must_use]
pub fn incident(incident: &Incident, scenario: &Scenario) -> String {
    match incident {
        Incident::OomKilled { service, instance, held, limit } => {
            let (held, limit) = (super::Figure::bytes(held.get()), super::Figure::bytes(limit.get()));
            format!("{service}-{instance} OOM killed holding {}, limit {limit}", held.beside(limit))
        }
        Incident::HostOomKilled { service, instance, held } => {
            let held = super::Figure::bytes(held.get());
            format!("{service}-{instance} killed holding {held}: the host ran out of memory")
        }
        Incident::Crashed { service, instance } => format!("{service}-{instance} crashed"),
        Incident::Changed { service, instance, to } => format!("{service}-{instance} is {}", state(*to)),
        Incident::Refused { action: refused, why } => format!("{} refused: {why}", action(refused)),
        Incident::StopTimedOut { service, instance, lost } => {
            let lost = counted(lost.saturating_add(500) / 1000, "request");
            format!("{service}-{instance} killed: it did not stop in time, {lost} lost")
        }
        Incident::Hung { service, instance, limit } => {
            let limit = super::Figure::bytes(limit.get());
            format!("{service}-{instance} hangs: it holds its limit of {limit} and may not be killed")
        }
        Incident::Deployment { service, progress: how } => format!("deployment of {service}: {}", progress(how)),
        Incident::FaultBegan(fault) => format!("fault begins: {}", fault_of(scenario, *fault)),
        Incident::FaultEnded(fault) => format!("fault ends: {}", fault_of(scenario, *fault)),
    }
}

/// How far a deployment is: `3 new started`.
#[must_use]
pub fn progress(progress: &Progress) -> String {
    let which = |generation: &Generation| match generation {
        Generation::Old => "old",
        Generation::New => "new",
    };
    match progress {
        Progress::Refused { why } => format!("refused: {why}"),
        Progress::Began => "begins".to_owned(),
        Progress::Started { generation, count } => format!("{count} {} started", which(generation)),
        Progress::Switched { generation } => format!("{} have traffic", which(generation)),
        Progress::Draining { generation, count } => format!("{count} {} drain", which(generation)),
        Progress::Stopping => "those without traffic stop".to_owned(),
        Progress::Failed { why } => format!("failed: {why}"),
        Progress::RollingBack => "rolls back".to_owned(),
        Progress::RolledBack => "rolled back".to_owned(),
        Progress::Paused => "paused, and needs a person".to_owned(),
        Progress::Done => "done".to_owned(),
    }
}

/// A fault of the scenario, by its place in the list.
#[must_use]
pub fn fault_of(scenario: &Scenario, place: usize) -> String {
    match scenario.faults.get(place).map(|fault| &fault.kind) {
        Some(kind) => fault(kind),
        None => format!("fault {place}"),
    }
}

/// What goes wrong, in few words.
fn fault(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Crash(service) => format!("crash of {service}"),
        FaultKind::CrashOne { service, instance } => format!("crash of {service}-{instance}"),
        FaultKind::Unhealthy(service) => format!("{service} fails its checks"),
        FaultKind::UnhealthyGreen(service) => format!("new {service} fails its checks"),
        FaultKind::MetricsOutage => "metrics outage".to_owned(),
        FaultKind::MetricsDelay(by) => format!("metrics {by} late"),
        FaultKind::MetricsGaps(share) => format!("{share} of scrapes lost"),
        FaultKind::MetricsLie { service, .. } => format!("metrics of {service} lie"),
        FaultKind::EngineRestart => "engine restart".to_owned(),
        FaultKind::DockerRestart { live_restore: true } => "Docker restart, live".to_owned(),
        FaultKind::DockerRestart { live_restore: false } => "Docker restart".to_owned(),
        FaultKind::HostLoss => "host lost".to_owned(),
        FaultKind::ClockAhead(by) => format!("clock {by} ahead"),
        FaultKind::HeatWave(up) => format!("room {up} warmer"),
        FaultKind::StealBurst(share) => format!("{share} stolen"),
        FaultKind::NoisyNeighbour { cpu, .. } => format!("neighbour wants {cpu} CPU"),
        FaultKind::CpuSpin { service, cpu } => format!("{service} spins on {cpu} CPU"),
        FaultKind::SlowDependency { service, factor } => format!("{service} {} times as slow", factor.as_fraction()),
        FaultKind::NetworkDelay(by) => format!("network {by} slower"),
        FaultKind::NetworkLoss(share) => format!("{share} of packets lost"),
        FaultKind::SlowNetwork(left) => format!("network slower: {left} of its bandwidth left"),
        FaultKind::ClockBehind(by) => format!("clock {by} behind"),
        FaultKind::SlowDisk { .. } => "slow disk".to_owned(),
        FaultKind::FullDisk(None) => "full disk".to_owned(),
        FaultKind::FullDisk(Some(service)) => format!("full disk of {service}"),
        FaultKind::Oom(service) => format!("out of memory in {service}"),
        FaultKind::Leak { service, .. } => format!("leak in {service}"),
    }
}

/// The state of an instance.
#[must_use]
pub const fn state(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Starting => "starting",
        InstanceState::Healthy => "healthy",
        InstanceState::Unhealthy => "unhealthy",
        InstanceState::Down => "down",
    }
}

/// The sign of a comparison.
#[must_use]
pub const fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::More => ">",
        Comparison::AtLeast => ">=",
        Comparison::Equal => "==",
    }
}

/// A long time in hours, as people state the length of a day: `24h`, `1h30m`; from three days on in days.
#[must_use]
pub fn duration(span: Span) -> String {
    let hours = span.secs() / 3600;
    if !(24..=72).contains(&hours) {
        return span.to_string();
    }
    let rest = span.minus(Span::from_secs(hours * 3600));
    if rest == Span::ZERO { format!("{hours}h") } else { format!("{hours}h{rest}") }
}

/// A point in time as the time since the start, in hours up to three days: `24h`, `30h15m`.
#[must_use]
pub fn moment(at: Instant) -> String {
    duration(at.since_start())
}

/// The points of a host: `score 46 of 100, class Basic`.
#[must_use]
pub fn score(score: Score) -> String {
    format!("score {} of 100, class {}", score.total(), score.class().name())
}

/// What a host costs: `7.5 EUR a month`, and what it costs later where that is another price.
#[must_use]
pub fn price(price: &Price) -> String {
    let renewal = price.renewal.map(|renewal| format!(", then {renewal}")).unwrap_or_default();
    format!("{} a month{renewal}", price.month)
}

/// Names in a sentence: `api, db and web`; from seven on `api, db, web and 4 more`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a ServiceName>) -> String {
    let names: Vec<&str> = names.into_iter().map(ServiceName::as_str).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() < 7 => format!("{} and {last}", first.join(", ")),
        [one, two, three, rest @ ..] => format!("{one}, {two}, {three} and {} more", rest.len()),
        _ => names.join(" and "),
    }
}

/// `1 check`, `3 checks`.
#[must_use]
pub fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}
