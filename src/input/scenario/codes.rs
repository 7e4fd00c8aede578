//! What can be wrong with a scenario beyond its keys and values.

use crate::input::problem::Code;

/// Every code of this room.
pub const CODES: &[&Code] = &[
    &SERVICE,
    &CYCLE,
    &TIME,
    &FAULT,
    &LOAD,
    &ASSUMED,
    &FLOOR,
    &STACK,
    &EXPECT,
    &CALL,
    &DEPLOYMENT,
    &OVERRIDE,
    &CPUSET,
    &METRIC,
];

pub(super) static SERVICE: Code = Code {
    id: "PL0211",
    title: "unknown service in a scenario",
    explanation: "`services`, `load`, `calls` and `faults` name services of the stack. A name that the Compose files do not have would do \
nothing, so it is an error. `plimsoll stack` lists the services; one behind a profile is there only when `stack` names the profile.",
};

pub(super) static CYCLE: Code = Code {
    id: "PL0212",
    title: "services call each other in a circle",
    explanation: "A request to a service makes requests to those it calls. Were one of them to call the first one again, a request \
would never end. Count the calls of the whole path at one service, or leave out the call back.",
};

pub(super) static TIME: Code = Code {
    id: "PL0213",
    title: "times that do not fit together",
    explanation: "A run has a duration above zero, a warm-up that ends before the run does, a step of at most a minute, and samples \
that are a whole number of steps apart.",
};

pub(super) static FAULT: Code = Code {
    id: "PL0214",
    title: "an unclear fault",
    explanation: "A fault has a time and exactly one kind:

    - { at: 20h, crash: n8n }
    - { at: 21h, for: 10m, metrics_outage: {} }
    - { every: 6h, crash: { service: n8n, instance: 1 } }
    - { about_every: 2h, for: 5m, unhealthy: api }
    - { at: 19h30m, for: 20m, slow_disk: { bandwidth: 30%, latency: 10x } }
    - { at: 22h, for: 5m, full_disk: {} }
    - { at: 22h30m, oom: { service: n8n } }
    - { at: 23h, for: 30m, leak: { service: n8n, per_hour: 500M } }
    - { at: 22h, for: 20m, noisy_neighbour: { cpu: 2 } }

`at` is when it begins first. With `every` it comes again and again, with `about_every` at random times drawn from the seed. \
A crash happens in a moment and has no `for`; an outage lasts for a stated time. All begin within the run.",
};

pub(super) static LOAD: Code = Code {
    id: "PL0216",
    title: "a load that contradicts itself",
    explanation: "Corners and steps come in order of time, the low rate is not above the high one, and lengths of bursts are above zero.",
};

pub(super) static ASSUMED: Code = Code {
    id: "PL0217",
    title: "nothing is known of a service",
    explanation: "The catalog does not know the image and the scenario says nothing under `services`, so the simulation assumes an \
ordinary small service. Where the service matters, say at least `work`, `idle_memory` and `start_up`; `plimsoll calibrate` will \
measure them.",
};

pub(super) static FLOOR: Code = Code {
    id: "PL0218",
    title: "a limit below what the service holds when idle",
    explanation: "The service holds more memory when idle than its limit allows, so the kernel kills it as soon as it has started, again \
and again. Raise the limit, or say under `services` what it really holds.",
};

pub(super) static STACK: Code = Code {
    id: "PL0219",
    title: "a stack that runs nothing",
    explanation: "The Compose files have no enabled service. Services behind profiles are enabled by \
`stack: { files: compose.yaml, profiles: [NAME] }`.",
};

pub(super) static EXPECT: Code = Code {
    id: "PL0220",
    title: "an expectation that does not fit",
    explanation: "`and_at_least` is a figure in the unit of the measure: `5ms` for a latency, `10M` for memory, `1` for a count. \
`temperature` and `clock` are those of a host whose profile says something about its `heat`, such as `m1-air`.",
};

pub(super) static CPUSET: Code = Code {
    id: "PL0231",
    title: "a container on cores that are not there",
    explanation: "`cpuset` of a Compose file names the cores that a container may run on: `cpuset: \"0-1,3\"`. Docker refuses one with a \
core that the host does not have, and so does the simulation. Cores are numbered from 0, group by group in the order of `cores` in the \
profile of the host, the fastest first.",
};

pub(super) static METRIC: Code = Code {
    id: "PL0232",
    title: "an unclear metric of the business",
    explanation: "A scenario says what the metrics of the business are over time, with the patterns that loads have and plain numbers, and \
policies look at them below `custom`:

    metrics:
      orders_waiting: { pattern: diurnal, low: 5, high: 300, peak_at: \"20:00\" }

    up: { custom: { orders_waiting: 100 for 5m } }

A name has small letters, digits and `_`, a letter first, and at most 32 of them. A metric that a policy looks at and the scenario does not \
have would never be measured, so it is an error.",
};

pub(super) static CALL: Code = Code {
    id: "PL0226",
    title: "a call that contradicts itself",
    explanation: "What is between a service and the one it calls is written beside how often it calls:

    work:
      calls:
        postgres: { count: 3, cached: 80%, pool: 10, timeout: 1s, retry: { times: 2, backoff: 50ms, budget: 20% } }

A share of calls is at most 100%, and times are above zero. `blocking` and `backlog` are about the `workers` of the service, so that \
they need these.",
};

pub(super) static OVERRIDE: Code = Code {
    id: "PL0228",
    title: "an unclear order",
    explanation: "An order sets the number of instances of a service past every policy, from a time within the run on:

    overrides:
      - { at: 18h, for: 2h, service: api, replicas: 6, reason: the sale begins }

Policies stand back while it is in force. It needs a reason, which the report repeats. Where several are in force for a service, the one \
that began last counts.",
};

pub(super) static DEPLOYMENT: Code = Code {
    id: "PL0227",
    title: "an unclear deployment, or a Docker engine that is not known",
    explanation: "A deployment replaces all instances of a service by new ones, at a time within the run:

    - { at: 10m, service: api, cpu: 1, memory: 512M }
    - { at: 20m, service: api, order: stop-first, parallelism: 1, delay: 10s, on_failure: pause }

Where it does not say how, `deploy.update_config` of the Compose file does; where there is none, it is blue-green: all new instances \
start beside the old ones, and at the first failure these stay as they are. How the Docker engine behaves is said beside it:

    docker: { update: 200ms, cgroup: v2, download: 12M }
    services: { api: { image_size: 400M } }

Whether a deployment can be done is found out when it begins; one that cannot is refused, and the report says why.",
};
