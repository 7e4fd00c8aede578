//! Writes `docs/accuracy.md` and its pictures: the same bytes every time.

use crate::bounds;
use crate::facts;
use crate::pictures;
use crate::study;
use crate::study::BANDS;
use crate::study::Compared;
use crate::study::Kind;
use std::path::Path;

const PAGE: &str = "docs/accuracy.md";
/// The same figures for the program, which says with a load line how far it is off.
const ERRORS: &str = "src/report/accuracy/errors.csv";
/// Where the section about real containers begins and ends in the page.
const REAL: [&str; 2] = ["## Real containers\n", "## What it cannot know\n"];

const HEAD: &str = "\
# How accurate the simulation is

`plimsoll simulate` steps through time a second at a time and works out the mean of what happens in each second. That is
fast, and it is an approximation. This page says how far it is off.

It is held against a second simulation, `world::oracle`, which follows every single request, event by event. That one is
slow and exact, shares nothing with the first, and is itself proved against the closed forms of queueing theory
(`tests/accuracy/proof_*.rs`). Both run the same random scenarios. The *error* is how much higher or lower the model's
figure is than the exact one.

**In short**, half of all services are nearer to the truth than this, at each load of the busiest part:

";

const PICTURE: &str = "
![How far the model is off, by load](accuracy/error-by-load.svg)

Up is how far mean and P95 are off. The load is that of the busiest part: the container that is nearest to its limit, or the
host. Each load has cases of its own. At 90 % a small error of the load is a large one of the time, for any model.

";

const TIMES: &str = "\
Not only the mean is met. In three plain cases, the share of requests that is done by a time:

![Response times as the model and the exact simulation see them](accuracy/times.svg)

";

const SINGLE: &str = "\
1 to 8 cores; no quota, or one of a quarter core up to all cores; 1 to 16 workers, or no limit; requests of 0.5 to 50 ms that
are all alike, exponential or heavy-tailed. Without a quota the means are the formulas of queueing theory, and P95 and P99
come from tables. Under a quota both come from tables.

";

const EQUAL: &str = "\
Two to six of these services beside each other on 1 to 8 cores, without calls. All have the same weight, as containers have
where nothing is said.

";

const WEIGHTED: &str = "\
The same, with weights from 256 to 4096 drawn for each.

**Why containers beside each other are harder.** A neighbour with long requests is busy for seconds and then idle for seconds.
While it is busy, a container with short requests has its bare share, and may queue although there is room on average; while
it is idle, there is more than enough. To the model the neighbours of a container are a capacity that has two states and
changes between them, and that is all it knows of them: with several neighbours of different weights, on few cores that are
nearly full, it can be far off. Throughput and CPU are not concerned: they stay exact until something is full.

";

const GRAPH: &str = "\
Three to eight services on 2 to 16 cores, each called by one of those before it, once or twice for each request, one call
after the other; one to three instances; quotas, workers and weights for some. All services of a graph count, not only the
first. Where the host is the busiest part, they wait for each other as containers of different weights do.

";

const BETWEEN: &str = "\
The same, with half of the services making their calls at the same time, some answers from a cache, some calls cut off and
tried again with or without a budget, a network of up to 2 ms each way for some hosts, half of the pools of workers waiting
for their calls, some with room for few requests only. The load is what comes without further tries; workers that wait are in
use for as long as their requests take alone. Failures are how far the share of failed requests is off, in points of percent.

**What is off.** Most of the worst cases at 90 % have workers that wait, on a host or behind a pool that is nearly full: who
waits for a core holds a worker for longer, so a wait that is estimated too long can fill a pool in the model that in truth
keeps up, and its times then are those of a backlog. Others have a timeout little longer than what it is for takes: where the
model is a little slower than the truth, tries that are cut off and made again keep it slow, and most or all requests fail.
The rest is most likely what is off for containers on a busy host.

";

const CLIENTS: &str = "\
One to four services on 1 to 8 cores that call each other, some with workers that wait for the calls, and 1 to 200 clients
who send a request, wait for the answer, think for up to 2 s on average and send the next. The load is what the busiest part
was used in the exact simulation: nobody knows it beforehand. The last line has all from 85 % up to full.

**What is off.** Throughput is nearly right, but where the clients wait is less so. The model shares the cores of a busy host
by what each service uses on average; in truth it depends on where the clients are now. And it takes them to come by chance,
while a pool of workers or a quota lets them through more evenly or in bursts. Neither was taken apart case by case.

";

const POOLS: &str = "\
A service of one to three instances that calls another one, once or twice, half of the calls cached for some, through so few
connections for each instance that calls wait for one, or so many that the cores are the narrow place. The load is that of the
narrower of both.

";

const PINNED: &str = "\
Three to six containers on 4 to 8 cores, most of them on one to three of these only (`cpuset`), with sets that overlap. The
load is that of the fullest cores. Exponential requests; the rest is as for containers on one host.

";

const LINE: &str = "\
One to three services that send or receive more than they compute, on a line of 10 to 1000 Mbit/s: transfers of 20 ms to 2 s
each alone. The load is that of the busier direction.

";

const TURNS: &str = "\
One service in two to six instances, with quotas, workers or both, behind a balancer that goes round (`round_robin`), on a
host that has enough for all.

";

const FEWEST: &str = "\
The same, behind a balancer that takes the instance with the fewest requests (`least_connections`).

";

const LIMITS: &str = "\
## What it cannot know

- **More load than capacity.** Nothing has a steady answer then: the queue grows for as long as the load lasts. Reports say
  *saturated*, and times are those of the backlog so far. The CPU is right, and so is what is served
  (`what_is_full_is_called_saturated`), unless all requests share the CPU at once, without limited workers: then in truth
  short ones still come through, and of a heavy-tailed load about a tenth more are served than the model says.
- **Between 90 % and 100 %** times depend on how long the load lasts, and on luck. Read them as \"too slow\", not as a figure.
- **A request that takes longer than the timeout** gives up in the model before it takes CPU. A real server often works on it
  to the end, so a service in trouble is worse off than the model says.
- **Work that is not like the figures.** The error above is that of the arithmetic. A request that costs 8 ms and not the 5
  ms that the scenario says makes everything 60 % heavier; measure it before you trust any of this.
- **Locks, garbage collection, cold caches, disks**, and neighbours on the same machine beyond a steady share of stolen time.

## How to make this page again

```sh
PLIMSOLL_ACCURACY=write cargo test --release --test accuracy the_step_model -- --nocapture
```

It takes some minutes, prints the worst cases, and writes the same bytes every time while neither simulation changes. Without
the variable a few of the cases are compared in seconds, as CI does.
";

/// Writes the page and its pictures.
pub(crate) fn write(all: &[Compared]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let before = std::fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    let mut page = String::from(HEAD);
    page.push_str(&overview(all));
    page.push_str(PICTURE);
    page.push_str(TIMES);
    let about = [SINGLE, EQUAL, WEIGHTED, GRAPH, BETWEEN, CLIENTS, POOLS, PINNED, LINE, TURNS, FEWEST];
    for (kind, about) in Kind::ALL.into_iter().zip(about) {
        page.push_str(&format!("## {}\n\n{about}{}\n", kind.title(), table(all, kind)));
    }
    page.push_str(&real(&before));
    page.push_str(LIMITS);
    std::fs::create_dir_all(root.join("docs/accuracy")).expect("a folder for the pictures");
    std::fs::write(root.join(PAGE), page).expect("the page is written");
    std::fs::write(root.join(ERRORS), errors(all)).expect("the figures are written");
    std::fs::write(root.join("docs/accuracy/error-by-load.svg"), pictures::by_load(all)).expect("a picture");
    std::fs::write(root.join("docs/accuracy/times.svg"), pictures::by_time()).expect("a picture");
}

/// Mean and P95 by kind and load: how far half and nine of ten are off.
fn errors(all: &[Compared]) -> String {
    let mut text = String::from("kind,load_percent,services,mean_half,mean_nine_of_ten,p95_half,p95_nine_of_ten\n");
    for (kind, band) in Kind::ALL.into_iter().flat_map(|kind| BANDS.map(|band| (kind, band))) {
        let of = |figure: usize| study::errors(all, kind, &[band], figure);
        let shares =
            [(0, 0.5), (0, 0.9), (2, 0.5), (2, 0.9)].map(|(figure, share)| study::quantile(&of(figure), share));
        let shares = shares.map(|share| format!(",{share:.3}")).concat();
        text.push_str(&format!("{},{band},{}{shares}\n", kind.title(), of(0).len()));
    }
    text
}

/// Percent with one digit, as a table shows it.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The medians of mean and P95 by kind and load.
fn overview(all: &[Compared]) -> String {
    let bands: String = BANDS.iter().map(|band| format!(" {band} % |")).collect();
    let mut text = format!("| error of mean / P95, half are within |{bands}\n|---|{}\n", "--:|".repeat(BANDS.len()));
    for kind in Kind::ALL {
        text.push_str(&format!("| {} |", kind.title().to_lowercase()));
        for band in BANDS {
            let median = |figure| study::quantile(&study::errors(all, kind, &[band], figure), 0.5);
            text.push_str(&format!(" {} / {} |", percent(median(0)), percent(median(2))));
        }
        text.push('\n');
    }
    text
}

/// One kind: how far half and nine of ten are off.
fn table(all: &[Compared], kind: Kind) -> String {
    let figures = if kind == Kind::Between { study::FIGURES.len() } else { study::FAILURES };
    let names: String = study::FIGURES[1..figures].iter().map(|name| format!(" {name} |")).collect();
    let mut text = format!("| load | services | mean: half, nine of ten |{names}\n|{}\n", "--:|".repeat(figures + 2));
    for band in BANDS {
        text.push_str(&format!("| {band} % | {} |", study::errors(all, kind, &[band], 0).len()));
        for figure in 0..figures {
            let errors = study::errors(all, kind, &[band], figure);
            let of = |share| percent(study::quantile(&errors, share));
            text.push_str(&format!(" {}, {} |", of(0.5), of(0.9)));
        }
        text.push('\n');
    }
    let [most, most_at_90] = bounds::promised(kind);
    let worst = |bands: &[u32]| match study::quantile(&study::errors(all, kind, bands, 0), 1.0) {
        f64::INFINITY => "beyond measure (a service whose requests all fail in the model)".to_owned(),
        worst => format!("{} off", percent(worst)),
    };
    text.push_str(&format!(
        "\nThe mean is at worst {} up to 80 %, and {} at 90 %.\nTests hold the median error of mean and P95 to {:.0} % up to 80 %, and {:.0} % at 90 %.\n",
        worst(&BANDS[..4]),
        worst(&BANDS[4..]),
        most * 100.0,
        most_at_90 * 100.0
    ));
    if kind == Kind::Between {
        let [drawn, kept] = [bounds::FOR_THE_PAGE.cases[4], study::cases(all, kind)];
        text.push_str(&format!(
            "\nOf {drawn} graphs that were drawn, {} are left out: in the exact simulation more came than their workers or\n\
             cores could do, and there is no steady answer to be met.\n",
            drawn - kept
        ));
    }
    text
}

/// The section about real containers: anew from the measurements, or as it was where they are not there.
#[expect(clippy::print_stdout, reason = "whoever writes the page learns what was kept")]
fn real(before: &str) -> String {
    let Ok(text) = std::fs::read_to_string(facts::FACTS) else {
        println!("{} is not there: the section about real containers stays as it is", facts::FACTS);
        let kept = before.split_once(REAL[0]).and_then(|(_, rest)| rest.split_once(REAL[1]));
        return kept.map_or(String::new(), |(section, _)| format!("{}{section}", REAL[0]));
    };
    let measured = measured(&text);
    let rows = facts::rows(&text, facts::SERVER);
    let mut section = format!(
        "{}\nA server in a container with a CPU quota on a real kernel, under Poisson arrivals, measured {measured} beside the \
         checkout\n(`../shared/facts/real_containers.csv`, {} runs of at most 90 % of the quota, work of several spreads). Each \
         row is one run\nof a minute or less, which alone scatters by 5 to 15 %.\n\n\
         | quota | runs | mean: half are within | P95: half are within | throttled periods: measured, model |\n\
         |--:|--:|--:|--:|--:|\n",
        REAL[0],
        rows.len()
    );
    let mut quotas: Vec<f64> = rows.iter().map(|row| row.quota).collect();
    quotas.sort_by(f64::total_cmp);
    quotas.dedup();
    for quota in quotas {
        let of_quota: Vec<&facts::Row> = rows.iter().filter(|row| row.quota == quota).collect();
        section.push_str(&line(&format!("{quota} cores"), &of_quota));
    }
    section.push_str(&line("all", &rows.iter().collect::<Vec<_>>()));
    section.push('\n');
    section.push_str(&elsewhere());
    section
}

/// The same for what was measured afterwards, by how full the quota was; and beside it the very same requests in the exact
/// simulation.
fn elsewhere() -> String {
    let (rows, replayed) = (facts::rows(facts::POOL, 0.0), facts::replayed());
    let mut section = format!(
        "Other quotas ({}), other work and other loads, of which the model was not made, measured {} with\n\
         `tests/measure_containers.rs` (`tests/facts/cgroup_quotas.csv`, {} runs of 40 seconds). The model says what is to be\n\
         expected, and so short a run has its own luck: *replayed* is the exact simulation with the very same requests, in which\n\
         there is none.\n\n\
         | load | runs | mean: half are within | P95: half are within | throttled periods: measured, said |\n\
         |--:|--:|--:|--:|--:|\n",
        quotas_in_words(&rows),
        measured(facts::POOL),
        rows.len()
    );
    let bands = [("up to 80 %", 0.0, 0.8), ("80 to 90 %", 0.8, 0.9), ("all", 0.0, 0.9)];
    for (name, above, most) in bands {
        for (what, rows) in [("", &rows), (", replayed", &replayed)] {
            let here: Vec<&facts::Row> = rows.iter().filter(|row| row.load > above && row.load <= most).collect();
            if !here.is_empty() {
                section.push_str(&line(&format!("{name}{what}"), &here));
            }
        }
    }
    section.push_str(
        "\nUnder small quotas, below half a core, true times are about a tenth shorter than replayed ones: the kernel notices only at its\n\
         next tick that a quota is used up, and a core keeps what it has fetched of the last one, so a burst gets a few\n\
         milliseconds more. The model leaves that out, which makes it careful there.\n\n",
    );
    section
}

/// From the least quota to the largest.
fn quotas_in_words(rows: &[facts::Row]) -> String {
    let quotas = rows.iter().map(|row| row.quota);
    let (least, most) = quotas.fold((f64::INFINITY, 0.0_f64), |(least, most), one| (least.min(one), most.max(one)));
    format!("{least} to {most} cores")
}

/// The day of a file of measurements.
fn measured(text: &str) -> &str {
    text.split_once("measured ").map_or("", |(_, rest)| rest.get(..10).unwrap_or_default())
}

/// A line of a table of such runs.
fn line(name: &str, rows: &[&facts::Row]) -> String {
    let median = |of: fn(&facts::Row) -> [f64; 2]| {
        let mut errors: Vec<f64> = rows.iter().map(|row| (of(row)[1] / of(row)[0] - 1.0).abs()).collect();
        errors.sort_by(f64::total_cmp);
        percent(errors[errors.len() / 2])
    };
    let throttled = |place: usize| rows.iter().map(|row| row.throttled[place]).sum::<f64>() / rows.len() as f64;
    format!(
        "| {name} | {} | {} | {} | {}, {} |\n",
        rows.len(),
        median(|row| row.mean),
        median(|row| row.p95),
        percent(throttled(0)),
        percent(throttled(1))
    )
}
