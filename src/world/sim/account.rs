//! The truth about a stretch of the run. Before you change it:
//! 1. Requests add up exactly: what arrived is what was served, what failed, and what the queue grew by.
//! 2. Requests that ended well are spread over the distributions that held while they did; their mean is exact.

use super::World;
use super::generations;
use super::heat::Warmth;
use super::service::Service;
use super::service::Stretch;
use super::service::bytes;
use crate::model::DiskSample;
use crate::model::HostSample;
use crate::model::Latencies;
use crate::model::ServiceSample;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use crate::units::whole;

impl World {
    /// Books what was counted since the last time, under the means that held.
    pub(super) fn book(&mut self) {
        let held = core::mem::take(&mut self.held);
        self.host_cpu += if self.conditions.host_gone { 0.0 } else { self.cores.system * held };
        self.host_cpu += self.outside * held;
        self.stolen += (1.0 - self.cores.ours) * held;
        if let Some(disk) = self.disk.as_deref_mut() {
            disk.pass(held);
        }
        if let Some(line) = self.line.as_deref_mut() {
            line.pass(held, &mut self.services);
        }
        self.show_breakers(held);
        self.pass_instances(held);
        for (index, (service, flow)) in self.services.iter_mut().zip(&mut self.flows).enumerate() {
            let (used, out) = (core::mem::take(&mut flow.cpu), core::mem::take(&mut flow.out));
            let started = service.start_grant * held;
            self.host_cpu += used + started * service.starting;
            service.cpu += (used + started * service.starting) / service.speed;
            service.start_cpu_each += started / service.speed;
            let refused = if service.up > 0.0 { service.refused } else { 1.0 };
            service.causes.book(flow.failed, out * flow.fails, service.shares, refused);
            if service.up > 0.0 {
                service.queue.pass(held);
                service.saturated |= service.pass_pools(held);
                service.pass_away(held);
                if let Some(disk) = self.disk.as_deref_mut() {
                    disk.uses[index].pass(held, service.passage.through, out);
                }
                service.cpu_each += used / service.speed / service.up;
                service.throttled += service.response.at(service.passage.load).throttled * held;
                service.saturated |= held > 0.0 && service.passage.saturated;
                if let Some(stretch) = service.stretches.last_mut() {
                    let served = out * (1.0 - flow.fails);
                    stretch.served += served;
                    stretch.time += served * service.time_well;
                }
            }
        }
    }

    /// The truth since the last sample.
    pub(super) fn sample_services(&mut self, span: Span) -> (HostSample, Vec<ServiceSample>) {
        self.book();
        self.measure_memory();
        let seconds = span.as_secs();
        let mean_of = |amount: f64| if seconds > 0.0 { amount / seconds * 1000.0 } else { 0.0 };
        let mean = |amount: f64| Millicores::new(whole(mean_of(amount)));
        let (iowait, busy) = self.disk.as_deref_mut().map_or((0.0, 0.0), |disk| disk.sample(seconds));
        let on_line = self.line.as_deref_mut().map_or(0.0, |line| line.sample(seconds));
        let share = |part: f64| Permille::new(whole(part * 1000.0).min(1000));
        let (temperature, clock) = self.warmth.as_mut().map(Warmth::sample).unzip();
        let host = HostSample {
            cpu: mean(self.host_cpu),
            memory: bytes(self.memory_max),
            iowait: share(iowait),
            disk: share(busy),
            temperature,
            clock,
            steal: self.sample_steal(seconds),
            network: share(on_line),
        };
        self.host_cpu = 0.0;
        self.memory_max = 0.0;
        let mut services = Vec::with_capacity(self.services.len());
        self.services.iter_mut().for_each(Service::merge_stretches);
        for place in 0..self.by_name.len() {
            let index = self.by_name[place];
            let mut latency = Latencies::new();
            let [arrived, served, failed, queue] = self.book_requests(index);
            if self.services[index].pair.is_some() {
                self.spread_groups(index, served, &mut latency);
                self.gather(index);
            } else {
                self.spread(index, served, &mut latency);
            }
            let (limits, healthy) = (self.services[self.group_in_force(index)].limits, self.healthy_of(index));
            let disk = self.disk.as_deref_mut().map(|disk| disk.uses[index].sample());
            let network = self.sample_network(index);
            let service = &mut self.services[index];
            let throttled = if seconds > 0.0 { service.throttled / seconds * 1000.0 } else { 0.0 };
            services.push(ServiceSample {
                arrived,
                served,
                failed,
                latency,
                queue,
                cpu: mean(service.cpu),
                throttled: Permille::new(whole(throttled).min(1000)),
                memory: bytes(service.memory_max),
                replicas: service.replicas_min,
                instances: service.pair.as_mut().map_or(0, |pair| whole(mean_of(core::mem::take(&mut pair.there)))),
                limits,
                restarts: service.restarts,
                oom_kills: service.oom_kills,
                saturated: service.saturated,
                errors: service.causes.take(failed),
                disk: DiskSample { swap: bytes(service.swap_max), ..disk.unwrap_or_default() },
                network,
            });
            (service.cpu, service.throttled, service.saturated) = (0.0, 0.0, false);
            (service.memory_max, service.restarts, service.oom_kills) = (0.0, 0, 0);
            service.swap_max = 0.0;
            service.replicas_min = healthy;
            if let Some(pair) = &mut service.pair {
                pair.healthy_min = healthy;
            }
        }
        self.begin_stretches();
        (host, services)
    }

    /// Thousandths of requests since the last sample that arrived, were served and failed, and those in the service now.
    fn book_requests(&mut self, index: usize) -> [u64; 4] {
        let [arrived, failed, inside] = generations::requests(&self.services, &self.flows, index);
        let service = &mut self.services[index];
        let [arrived_before, served_before, failed_before, queue_before] = service.booked;
        let arrived = whole(arrived * 1000.0).max(arrived_before);
        let failed = whole(failed * 1000.0).clamp(failed_before, (arrived - served_before).max(failed_before));
        let queue = whole(inside * 1000.0).min((arrived - served_before).saturating_sub(failed));
        let served = arrived - failed - queue;
        service.booked = [arrived, served, failed, queue];
        let sample = [arrived - arrived_before, served - served_before, failed - failed_before, queue];
        debug_assert_eq!(
            sample[0] + queue_before,
            sample[1] + sample[2] + queue,
            "requests of {} add up",
            service.name
        );
        sample
    }

    /// Spreads the requests that ended well over the distributions that held.
    pub(super) fn spread(&mut self, index: usize, served: u64, latency: &mut Latencies) {
        let all: f64 = self.services[index].stretches.iter().map(|stretch| stretch.served).sum();
        if served == 0 || all <= 0.0 {
            return self.spread_late(index, served, latency);
        }
        let (mut sum, mut given, mut time) = (0.0, 0, 0.0);
        let last = self.services[index].stretches.iter().rposition(|stretch| stretch.served > 0.0).unwrap_or(0);
        for stretch in 0..=last {
            let (part, seconds) =
                (self.services[index].stretches[stretch].served, self.services[index].stretches[stretch].time);
            if part <= 0.0 {
                continue;
            }
            sum += part;
            let upto = if stretch == last { served } else { whole(sum / all * served as f64).clamp(given, served) };
            let number = self.number(index, stretch);
            let times = self.library.times(number);
            times.spread_over(latency, upto - given);
            time += seconds * times.ratio;
            given = upto;
        }
        latency.add_time(u128::from(whole(time / all * 1e9)) * u128::from(served));
    }

    /// Requests that ended well although nothing came out in this stretch: they were on their way before.
    fn spread_late(&self, index: usize, served: u64, latency: &mut Latencies) {
        let service = &self.services[index];
        if served > 0 {
            let time = service.time.min(service.timeout.unwrap_or(f64::INFINITY));
            latency.add(Span::from_nanos(whole(time * 1e9)), served);
        }
    }

    /// Begins to note distributions anew, with those that hold now.
    fn begin_stretches(&mut self) {
        for service in &mut self.services {
            let last = service.stretches.pop();
            service.stretches.clear();
            service.stands.clear();
            service.called.clear();
            service.link_states.clear();
            service.waits_of.clear();
            if let Some(last) = last.filter(|_| service.up > 0.0) {
                service.stretches.push(Stretch::new(last.own, (last.on_disk, last.network, last.on_line)));
            }
        }
        self.begin_mixes();
        for index in 0..self.services.len() {
            if self.services[index].stretches.is_empty() {
                continue;
            }
            for call in 0..self.services[index].calls.len() {
                let to = self.services[index].calls[call].0;
                let there = if self.services[to].has_begun() { 0 } else { usize::MAX };
                self.services[index].called.push(there);
            }
            let service = &mut self.services[index];
            service.note_wait();
            service.link_states.extend(service.links.iter().map(|link| link.state));
        }
        if self.library.tidy() {
            self.services.iter_mut().for_each(|service| service.seen = None);
        }
    }
}
