//! The disk of the host: who gets how much of it, how long an access takes, and what that does to requests. Before you
//! change it:
//! 1. An access takes the device for the larger of its turn (`1 / iops`) and its transfer (`size / bandwidth`). What the
//!    idle latency is longer than a turn passes beside other accesses, as in a device with many queues or behind a network.
//! 2. Accesses come like a Poisson process and wait in one line: M/G/1, by Pollaczek and Khinchine, which is M/D/1 where
//!    all are of one size. A turn is constant because what limits a rented disk is a counter, not a moving part.
//! 3. What the device cannot do waits in its services, where it is counted (`Queue`); so a device that is full answers in
//!    the time of [`LOAD_BELIEVED`], and the rest of the time is that of the queue.
//! 4. There is a [`Disk`] only where somebody uses it; a host without one pays for one branch.

use super::World;
use super::cpu;
use super::cpu::Claim;
use super::cpu::Cores;
use super::io::Io;
use super::service::Service;
use super::times::Access;
use crate::model::Scenario;
use crate::model::Storage;

/// Load of the device up to which its waiting time is believed; above it, the figure of this load.
const LOAD_BELIEVED: f64 = 0.98;

/// A device, as its accesses see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Device {
    /// Seconds between two small accesses.
    turn: f64,
    /// Bytes per second.
    bandwidth: f64,
    /// Seconds of an access that pass beside others.
    beside: f64,
}

impl Device {
    /// A device of which so much is left: shares of its accesses and bytes, a factor on its latency.
    pub(super) fn of(storage: &Storage, [iops, bandwidth, latency]: [f64; 3]) -> Self {
        let turn = 1.0 / (storage.iops as f64 * iops).max(1e-3);
        let idle = storage.latency.as_secs() * latency;
        Self { turn, bandwidth: (storage.bandwidth.get() as f64 * bandwidth).max(1.0), beside: (idle - turn).max(0.0) }
    }

    /// Seconds for which an access of so many bytes takes the device.
    pub(super) fn time(&self, size: f64) -> f64 {
        self.turn.max(size / self.bandwidth)
    }

    /// Seconds of such an access that has the device for itself.
    pub(super) fn alone(&self, size: f64) -> f64 {
        self.beside + self.time(size)
    }
}

/// Mean time that an access waits for the device: `Σ rate · time² / (2 (1 − load))` (Pollaczek 1930, Khinchine 1932).
/// `squares` is that sum over all accesses of a second.
pub(super) fn waiting(squares: f64, load: f64) -> f64 {
    squares / (2.0 * (1.0 - load.min(LOAD_BELIEVED)))
}

/// Share of a second in which a core that has nothing else to do has somebody waiting for the disk: Linux counts idle time
/// as waiting while a task that slept on this core waits for a device. With `waiting` tasks on average, spread over the
/// cores and independent of each other, their number on one core is Poisson.
pub(super) fn idle_waits(idle: f64, waiting: f64, cores: f64) -> f64 {
    idle * (1.0 - libm::exp(-waiting / cores))
}

/// The disk of a host whose services use it.
pub(super) struct Disk {
    storage: Storage,
    /// Shares of accesses and bytes that are left, factor on the latency.
    left: [f64; 3],
    pub(super) device: Device,
    /// What each service does, in the order of the services.
    pub(super) uses: Vec<Io>,
    claims: Vec<Claim>,
    grants: Vec<f64>,
    /// Share of the time in which the device is busy.
    pub(super) load: f64,
    /// Requests that wait for the disk, the mean.
    waiting: f64,
    /// Share of all cores' time that is idle and waits.
    iowait: f64,
    /// Seconds since the last sample in which the device was busy.
    busy: f64,
    /// Seconds of all cores since the last sample that were idle and waited, over their number.
    waited: f64,
}

impl Disk {
    /// The disk, where the host has one that is known and somebody uses it; `order` gives the services in their order.
    pub(super) fn of(scenario: &Scenario, services: &[Service]) -> Option<Self> {
        let storage = scenario.host.storage?;
        let used = scenario.services.values().any(|model| model.disk.is_used());
        if !used && scenario.host.swap.get() == 0 {
            return None;
        }
        let uses = services.iter().map(|service| Io::of(&scenario.services[&service.name])).collect();
        let left = [1.0; 3];
        Some(Self {
            storage,
            left,
            device: Device::of(&storage, left),
            uses,
            claims: Vec::with_capacity(services.len()),
            grants: Vec::with_capacity(services.len()),
            load: 0.0,
            waiting: 0.0,
            iowait: 0.0,
            busy: 0.0,
            waited: 0.0,
        })
    }

    /// Changes how much of the device is left: shares of its accesses and bytes, and a factor on its latency.
    /// Whether that is not as before.
    pub(super) fn slow(&mut self, left: [f64; 3]) -> bool {
        let changed = left != self.left;
        self.left = left;
        self.device = Device::of(&self.storage, left);
        changed
    }

    /// Forgets what the page caches held: the host starts anew.
    pub(super) fn lose_cache(&mut self) {
        self.uses.iter_mut().for_each(|io| io.cached = 0.0);
    }

    /// Shares the device out among what the services want of it, and finds how long their requests wait for it.
    pub(super) fn share(&mut self, services: &[Service]) {
        self.claims.clear();
        for (io, service) in self.uses.iter_mut().zip(services) {
            io.demand(&self.device);
            let wanted = (service.passage.load * service.response.capacity()).min(io.cpu_granted).min(io.ceiling());
            self.claims.push(Claim { weight: io.weight, want: wanted * io.device_time, count: service.up });
        }
        cpu::share(&self.claims, 1.0, &mut self.grants);
        let (mut load, mut squares) = (0.0, 0.0);
        for ((io, service), (claim, grant)) in
            self.uses.iter_mut().zip(services).zip(self.claims.iter().zip(&self.grants))
        {
            load += grant * claim.count;
            if io.device_time > 0.0 {
                squares += grant * claim.count / io.device_time * io.squares;
            }
            let short = *grant < claim.want * (1.0 - 1e-12);
            let wanted = (service.passage.load * service.response.capacity()).min(io.cpu_granted);
            io.granted = if short {
                grant / io.device_time
            } else if wanted > io.ceiling() {
                io.ceiling()
            } else {
                f64::INFINITY
            };
        }
        debug_assert!(load <= 1.0 + 1e-9, "a device is busy for {load} of the time");
        self.load = load.min(1.0);
        let wait = waiting(squares, self.load);
        self.waiting = 0.0;
        for (io, service) in self.uses.iter_mut().zip(services) {
            io.access = Access { wait, busy: self.load.min(LOAD_BELIEVED), ..io.access };
            io.time = io.accesses() * wait + io.alone;
            let queued = if io.granted.is_finite() { service.queued_beyond(io.granted) } else { 0.0 };
            self.waiting += service.up * (service.passage.through * io.time + queued);
        }
    }

    /// Notes how much idle time counts as waiting for the disk.
    pub(super) fn wait_idle(&mut self, cores: &Cores, used: f64) {
        self.iowait = idle_waits(1.0 - cores.load(used), self.waiting, f64::from(cores.count));
    }

    /// Time passes under the means that hold.
    pub(super) fn pass(&mut self, seconds: f64) {
        self.busy += self.load * seconds;
        self.waited += self.iowait * seconds;
    }

    /// Shares of the last so many seconds in which cores were idle and waited, and in which the device was busy.
    pub(super) fn sample(&mut self, seconds: f64) -> (f64, f64) {
        let shares = if seconds > 0.0 { (self.waited / seconds, self.busy / seconds) } else { (0.0, 0.0) };
        (self.waited, self.busy) = (0.0, 0.0);
        shares
    }
}

impl World {
    /// Shares the disk out where there is one; for how many seconds what the page caches hold changes little.
    pub(super) fn share_disk(&mut self) -> f64 {
        let Some(disk) = self.disk.as_deref_mut() else { return f64::INFINITY };
        let free = self.memory - self.system_memory;
        super::cache::allow(&mut disk.uses, &self.services, self.now, free);
        for (io, service) in disk.uses.iter_mut().zip(&self.services) {
            io.look(service.swapped_share(self.now), service.touched());
        }
        disk.share(&self.services);
        let pairs = disk.uses.iter().zip(&self.services);
        pairs.map(|(io, service)| io.cache_holds(service.passage.through)).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::units::Bytes;
    use crate::units::Span;
    use crate::world::sim::traffic::uniform;

    const DISK: Storage = Storage { iops: 10_000, bandwidth: Bytes::mebi(100), latency: Span::from_micros(250) };

    #[test]
    fn an_access_takes_its_turn_or_its_transfer() {
        let device = Device::of(&DISK, [1.0; 3]);
        assert!((device.time(4096.0) - 1e-4).abs() < 1e-12);
        assert!((device.time(f64::from(1 << 20)) - 0.01).abs() < 1e-12);
        assert!((device.alone(4096.0) - 250e-6).abs() < 1e-12);
        assert!((device.alone(f64::from(1 << 20)) - 0.01015).abs() < 1e-12);
        // A tenth of the accesses makes a turn of 1 ms; an idle latency below a turn is the turn.
        let slow = Device::of(&DISK, [0.1, 0.5, 1.0]);
        assert!((slow.alone(4096.0) - 1e-3).abs() < 1e-12 && (slow.time(f64::from(1 << 20)) - 0.02).abs() < 1e-12);
    }

    /// Accesses of two sizes come at random and wait in line, one event after the other; the formula says how long.
    #[test]
    fn the_wait_is_that_of_a_simulated_line() {
        let device = Device::of(&DISK, [1.0; 3]);
        let times = [device.time(4096.0), device.time(65_536.0)];
        let mean_time = 0.75 * times[0] + 0.25 * times[1];
        for load in [0.2, 0.5, 0.8, 0.9] {
            let rate = load / mean_time;
            let squares = rate * (0.75 * times[0] * times[0] + 0.25 * times[1] * times[1]);
            let mut random = Seed::new(7).stream("line");
            let (mut now, mut free, mut waited) = (0.0, 0.0_f64, 0.0);
            let count = 3_000_000;
            for _ in 0..count {
                now += -libm::log(uniform(&mut random)) / rate;
                let time = if uniform(&mut random) < 0.25 { times[1] } else { times[0] };
                waited += (free - now).max(0.0);
                free = free.max(now) + time;
            }
            let (found, wanted) = (waited / f64::from(count), waiting(squares, load));
            assert!((found / wanted - 1.0).abs() < 0.02, "{found} for {wanted} at {load}");
        }
    }

    /// Cores that are idle at random, and a Poisson number of tasks on each that waits, counted one by one.
    #[test]
    fn idle_cores_that_wait_are_counted() {
        let mut random = Seed::new(8).stream("cores");
        for (idle, waiting, cores) in [(0.5, 1.0, 2), (0.9, 0.3, 4), (0.3, 12.0, 4)] {
            let (mut counted, tries) = (0, 50_000);
            for _ in 0..tries {
                // Each of many tasks waits with a small chance, on a core drawn at random; this is core 0.
                let is_idle = uniform(&mut random) < idle;
                let waits = (0..100)
                    .any(|_| uniform(&mut random) < waiting / 100.0 && uniform(&mut random) * f64::from(cores) < 1.0);
                counted += u32::from(is_idle && waits);
            }
            let found = f64::from(counted) / f64::from(tries);
            let wanted = idle_waits(idle, waiting, f64::from(cores));
            assert!((found - wanted).abs() < 0.012, "{found} for {wanted}");
        }
    }
}
