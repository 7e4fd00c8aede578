//! More and fewer instances of a service, as Docker carries it out. Before you change it:
//! 1. A new instance starts like any other: it waits for what it depends on, takes its time, and passes its checks; it has
//!    traffic as soon as it answers.
//! 2. Who leaves has no traffic any more and finishes what is in it, for as long as its stop may take; then it is killed.
//!    Those that are not up go first, then those that came last.
//! 3. A deployment takes what leaves out of its way, and nothing is scaled while one is on.

use super::World;
use super::instance::Phase;
use core::cmp::Reverse;

impl World {
    /// Changes how many instances of a service there are.
    pub(super) fn scale(&mut self, index: usize, to: u32) -> Result<(), String> {
        if self.services[index].pair.is_none() {
            return Err(format!("no policy and no order of the scenario scales `{}`", self.services[index].name));
        }
        let group = self.group_in_force(index);
        let there = u32::try_from(self.services[group].instances.len()).unwrap_or(u32::MAX);
        if to > there {
            self.book();
            self.put_new_in(index, group, to - there);
        } else if to < there {
            self.leave(index, group, there - to);
        }
        self.moving = true;
        self.do_what_is_due();
        Ok(())
    }

    /// Takes instances out of the traffic and tells them to stop.
    fn leave(&mut self, index: usize, group: usize, count: u32) {
        let instances = &self.services[group].instances;
        let mut places: Vec<usize> = (0..instances.len()).collect();
        places.sort_by_key(|place| (instances[*place].phase == Phase::Up, Reverse(*place)));
        places.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let limits = self.services[group].limits;
        if self.services[index + 2].limits != limits {
            self.limit(index + 2, limits);
        }
        self.move_instances(group, index + 2, places);
        let killed_at = self.now.plus(self.services[group].stop_grace);
        if let Some(pair) = &mut self.services[index].pair {
            pair.let_go(killed_at);
        }
    }
}
