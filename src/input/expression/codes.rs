//! What can be wrong with an expression.

use crate::input::problem::Code;

/// Every code of this room.
pub const CODES: &[&Code] =
    &[&SYNTAX, &FUNCTION, &METRIC, &SERVICE, &UNIT, &NOT_SIMULATED, &AGGREGATE, &RANGE, &QUANTITY];

/// The text is no expression.
pub(super) static SYNTAX: Code = Code {
    id: "PL0301",
    title: "this is no expression",
    explanation: "An expectation is one aggregate of one series, a comparison and a figure:

    p95(latency.api) <= 500ms
    max(memory.postgres, 20h..21h) < 90% of limit
    p95(latency.api) <= 500ms for 99% of 5m
    count(oom) == 0 in 95% of seeds

Inside the brackets a stretch of time may follow the series: `30m` judges every stretch of that length and takes the worst, \
`20h..21h` judges that part of the run only. `for 99% of 5m` cuts the run into windows and wants 99 % of them to pass.",
};

/// A function that does not exist.
pub(super) static FUNCTION: Code = Code {
    id: "PL0302",
    title: "unknown function",
    explanation: "An expression starts with one of: `p50` to `p99.999` (percentiles), `mean`, `max`, `min`, `rate` (events per second), \
`count` (events in all), `share` (a part of the whole), `error_rate(SERVICE)` (short for `share(errors.SERVICE)`) and `cost(month)`.",
};

/// A series that does not exist.
pub(super) static METRIC: Code = Code {
    id: "PL0303",
    title: "unknown metric",
    explanation: "A series is a metric and the service it is of, such as `latency.api`. Of a service: `latency`, `requests`, `errors`, \
`queue`, `cpu`, `throttled`, `memory`, `replicas`, `restarts`, `oom`, `actions`, `reversals`, `limit.cpu`, `limit.memory`, `slack`. \
Of all services together, by leaving the service out: `requests`, `errors`, `restarts`, `oom`, `actions`, `reversals`. \
Of the host: `host.cpu`, `host.memory`, `temperature` of its chip and `clock` of its fast cores (a host whose profile says \
something about its `heat`), `iowait`, `disk`, `steal`, `cost`. A misspelt name is an error before the run, never a silent pass.",
};

/// A service that the stack does not have.
pub(super) static SERVICE: Code = Code {
    id: "PL0304",
    title: "unknown service in an expression",
    explanation: "The part of a series after the metric names a service of the stack: `latency.api` needs a service `api`. \
`plimsoll stack` lists the services of the Compose files; a service behind a profile is only there when the scenario names that profile.",
};

/// A figure in a unit that the metric is not measured in.
pub(super) static UNIT: Code = Code {
    id: "PL0305",
    title: "the unit does not fit the metric",
    explanation: "Each metric is compared with a figure of its own kind: latency with a time (`500ms`), memory with a size (`512M`) \
or a share of its limit (`90% of limit`), cpu with cores (`0.5`) or a share of its limit, counts with a plain number, rates with \
`10/s`, shares with `0.5%`, temperature with `80C`, cost with an amount of money (`12 USD`). For the host a bare share is of its capacity: `mean(host.cpu) < 80%`.",
};

/// A metric of a later version.
pub(super) static NOT_SIMULATED: Code = Code {
    id: "PL0306",
    title: "this metric is not simulated yet",
    explanation: "Temperature, IO-wait and the write-ahead log of a database are known names, but this version simulates neither heat nor \
disks, so there is nothing to judge. An expectation on them would have no samples, and no samples is a failure.",
};

/// An aggregate that says nothing about the series.
pub(super) static AGGREGATE: Code = Code {
    id: "PL0307",
    title: "the function does not fit the metric",
    explanation: "Events (`requests`, `errors`, `restarts`, `oom`, `actions`, `reversals`) are counted: `count(oom)`, `rate(requests.api)`, \
or, in every stretch of a length, `max(reversals, 30m)`. `share` is for parts of a whole: `share(errors.api)` of the requests, \
`share(throttled.api)` of the quota periods. Levels (`latency`, `cpu`, `memory`, `queue`, `replicas`, limits, `slack`) take \
`mean`, `max`, `min` or a percentile.",
};

/// A stretch of time that the run does not have.
pub(super) static RANGE: Code = Code {
    id: "PL0308",
    title: "this stretch of time is not in the run",
    explanation: "A range, a stretch or a window must lie in the part of the run that is judged: after the warm-up and before the end. \
Outside of it there are no samples, and no samples is a failure, so it is reported before the run.",
};

/// A figure that cannot be read.
pub(super) static QUANTITY: Code = Code {
    id: "PL0309",
    title: "unreadable figure",
    explanation: "Figures are written as Compose and people write them: times `500ms`, `1m30s`, `24h`; sizes `512M`, `1.5G`; shares `99.5%`; \
rates `60/s`, `5/min`; cores `0.5`; money `12 USD`; counts `0`, `3`. Nothing is negative, and there is no exponent.",
};
