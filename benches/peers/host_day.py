"""Containers on one host in SimPy: a process for each container, and one for the cores.

Reads the scenario from the first line of a record of Plimsoll, so that both have the same figures, and prints what came of
it as JSON. What it leaves out is said in README.md.
"""

import json
import math
import random
import sys
import time

import simpy

DAY = 86_400.0


class Container:
    """One container: its backlog of work, its memory, and what it was given."""

    def __init__(self, name, service, load):
        self.name = name
        self.limit = service["limits"]["cpu"] / 1000.0
        self.memory_limit = service["limits"]["memory"]
        self.weight = service["weight"]
        self.work = service["work"]["cpu"] / 1e9
        self.request_memory = service["work"]["memory"]
        self.idle_memory = service["idle_memory"]
        (kind, figures), = load["pattern"].items()
        self.pattern = kind
        if kind == "Constant":
            self.low = self.high = figures["rate"] / 1e6
            self.peak_at = 0.0
        elif kind == "Diurnal":
            self.low, self.high = figures["low"] / 1e6, figures["high"] / 1e6
            self.peak_at = figures["peak_at"] / 1e9
        else:
            sys.exit(f"host_day.py knows no pattern {kind}")
        self.backlog = 0.0
        self.want = 0.0
        self.grant = None
        self.used = self.served = 0.0
        self.memory_max = 0.0
        self.killed = 0

    def rate(self, now):
        """Requests per second."""
        wave = (1.0 + math.cos((now + 0.5 - self.peak_at) / DAY * math.tau)) / 2.0
        return self.low + (self.high - self.low) * wave

    def run(self, env, luck):
        """Takes requests in at each whole second, asks for cores, and works when it gets them, half a second later."""
        while True:
            self.backlog += poisson(luck, self.rate(env.now)) * self.work
            self.want = min(self.limit, self.backlog)
            self.grant = env.event()
            done = yield self.grant
            self.backlog -= done
            self.used += done
            self.served += done / self.work
            memory = self.idle_memory + self.backlog / self.work * self.request_memory
            if memory > self.memory_limit:
                self.killed += 1
                self.backlog = 0.0
            self.memory_max = max(self.memory_max, memory)
            yield env.timeout(0.5)


def cores_process(env, capacity, containers):
    """Gives the cores out once a second, after all have asked."""
    yield env.timeout(0.5)
    while True:
        for container, grant in zip(containers, filled(containers, capacity)):
            container.grant.succeed(grant)
        yield env.timeout(1.0)


def filled(containers, capacity):
    """Cores by weight, to each no more than it wants: the water rises until nothing is left."""
    wants = [container.want for container in containers]
    if sum(wants) <= capacity:
        return wants
    grants = [0.0] * len(containers)
    thirsty = list(range(len(containers)))
    while thirsty:
        level = capacity / sum(containers[one].weight for one in thirsty)
        full = [one for one in thirsty if wants[one] <= containers[one].weight * level]
        if not full:
            for one in thirsty:
                grants[one] = containers[one].weight * level
            break
        for one in full:
            grants[one] = wants[one]
            capacity -= wants[one]
        thirsty = [one for one in thirsty if one not in full]
    return grants


def poisson(luck, mean):
    """How many come in a second."""
    if mean > 32.0:
        return max(0, round(luck.gauss(mean, math.sqrt(mean))))
    end, count, product = math.exp(-mean), 0, luck.random()
    while product > end:
        count += 1
        product *= luck.random()
    return count


def main():
    with open(sys.argv[1], encoding="utf-8") as record:
        scenario = json.loads(record.readline())["Began"]["scenario"]
    host = scenario["host"]
    capacity = sum(group["count"] * group["speed"] / 1000.0 for group in host["cores"]) - host["system_cpu"] / 1000.0
    names = scenario["services"]
    containers = [Container(name, service, scenario["load"][name]) for name, service in names.items()]
    duration = scenario["duration"] / 1e9
    luck = random.Random(1)
    begun = time.perf_counter()
    env = simpy.Environment()
    for container in containers:
        env.process(container.run(env, luck))
    env.process(cores_process(env, capacity, containers))
    env.run(until=duration)
    took = time.perf_counter() - begun
    services = {
        container.name: {"requests": container.served, "cpu_cores_mean": container.used / duration}
        for container in containers
    }
    json.dump({"wall_seconds": took, "services": services}, sys.stdout)


if __name__ == "__main__":
    main()
