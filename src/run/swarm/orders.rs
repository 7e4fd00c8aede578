//! Orders of people in a drawn project. Before you change it:
//! 1. They are drawn last and from a stream of their own, so that all else of a seed stays as it was.
//! 2. In the calm nobody has fewer instances than were drawn: these carry it. Fewer are ordered in the storm alone, of a
//!    service with a policy that brings them back, and where it may promise all limits at once. For more of them the host
//!    gets memory.
//! 3. None begins or ends in the last quarter, where all has to come to rest.

use super::dice::Dice;
use super::drawn::Drawn;
use super::drawn::DrawnService;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use std::fmt::Write;

/// Projects in a hundred with orders.
const ORDERED: u64 = 50;
/// Orders in a hundred that are never taken back, and that are for fewer instances where that may be.
const FOR_EVER: u64 = 30;
const FEWER: u64 = 70;
/// Most instances that are ordered beyond those that were drawn.
const MORE_MAX: u32 = 4;

/// A number of instances that somebody orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnOrder {
    /// When.
    pub at: Span,
    /// For how long; to the end of the run unless said.
    pub lasts: Option<Span>,
    /// The service.
    pub service: String,
    /// Its instances.
    pub replicas: u32,
}

/// Lets people order numbers of instances.
pub(super) fn draw(drawn: &mut Drawn) {
    let mut dice = Dice::new(drawn.seed, "swarm, orders");
    if !dice.chance(ORDERED) {
        return;
    }
    let has_room = promises_all(drawn);
    let may_have_fewer = |service: &DrawnService| has_room && service.replicas > 1 && service.scaling.is_some();
    let fewer: Vec<usize> = (0..drawn.services.len()).filter(|place| may_have_fewer(&drawn.services[*place])).collect();
    for _ in 0..dice.between(1, 3) {
        let order = if !fewer.is_empty() && dice.chance(FEWER) {
            let service = &drawn.services[dice.one_of(&fewer)];
            order_fewer(&mut dice, service, drawn.duration)
        } else {
            let service = &drawn.services[dice.place(drawn.services.len())];
            order_more(&mut dice, service, drawn.duration)
        };
        let before = drawn.services.iter().find(|service| service.name == order.service);
        if let Some(service) = before {
            let more = u64::from(order.replicas.saturating_sub(service.replicas));
            // As much for each as the roomiest host has for those that were drawn.
            drawn.memory = drawn.memory.plus(service.idle_memory.scaled(more * 6, 1));
        }
        drawn.orders.push(order);
    }
    drawn.orders.sort_by_key(|order| order.at);
}

/// Fewer instances than were drawn, in the storm.
fn order_fewer(dice: &mut Dice, service: &DrawnService, duration: Span) -> DrawnOrder {
    let half = duration.secs() / 2;
    let from = dice.between(30, half - 300);
    let lasts = Some(dice.seconds(30, half - from));
    let replicas = dice.few(1, service.replicas - 1);
    DrawnOrder { at: Span::from_secs(from), lasts, service: service.name.clone(), replicas }
}

/// As many as were drawn, or more.
fn order_more(dice: &mut Dice, service: &DrawnService, duration: Span) -> DrawnOrder {
    let quiet = duration.secs() / 4 * 3;
    let from = dice.between(0, quiet - 120);
    let lasts = if dice.chance(FOR_EVER) { None } else { Some(dice.seconds(30, quiet - from)) };
    let replicas = service.replicas + dice.few(0, MORE_MAX);
    DrawnOrder { at: Span::from_secs(from), lasts, service: service.name.clone(), replicas }
}

/// Whether a policy may promise all limits together, with room to spare, so that what was ordered away can come back.
fn promises_all(drawn: &Drawn) -> bool {
    let (mut cpu, mut memory) = (0, Bytes::ZERO);
    for service in &drawn.services {
        let count = u64::from(service.replicas);
        cpu += service.limits.cpu.map_or(0, Millicores::get) * count;
        memory = memory.plus(service.limits.memory.map_or(Bytes::ZERO, |memory| memory.scaled(count, 1)));
    }
    // Policies promise up to twice the cores.
    cpu <= u64::from(drawn.cores) * 1500 && memory <= drawn.memory
}

impl Drawn {
    /// The orders as the scenario file has them.
    pub(super) fn write_orders(&self, text: &mut String) {
        if !self.orders.is_empty() {
            text.push_str("overrides:\n");
        }
        for (number, order) in self.orders.iter().enumerate() {
            let lasts = order.lasts.map(|lasts| format!("for: {lasts}, ")).unwrap_or_default();
            let (at, service, replicas) = (order.at, &order.service, order.replicas);
            let _ = writeln!(
                text,
                "  - {{ at: {at}, {lasts}service: {service}, replicas: {replicas}, reason: order {} }}",
                number + 1
            );
        }
    }
}
