//! What can be wrong with a command line or a project, and the list of everything that can be wrong anywhere.

use crate::input::catalog;
use crate::input::compose;
use crate::input::expression;
use crate::input::monthly;
use crate::input::offers;
use crate::input::policy;
use crate::input::policy_test;
use crate::input::problem;
use crate::input::problem::Code;
use crate::input::profile;
use crate::input::project;
use crate::input::scenario;
use crate::input::schema;
use crate::input::sweep;
use crate::input::trace;
use crate::input::yaml;
use crate::record;
use crate::record::Explained;
use std::sync::LazyLock;

/// An option does not go with this command or with another option.
pub(super) static OPTION: Code = Code {
    id: "PL0701",
    title: "an option does not fit",
    explanation: "\
An option was given that this command cannot follow: a format it does not write, a seed range without an end, or two
options that exclude each other. The message names the option and what is possible instead.

    $ plimsoll stack --format html
    error[PL0701]: `stack` does not write `html`, only `table`, `json`, `csv`, `md`

`plimsoll help COMMAND` shows the options of a command.",
};

/// A code, schema or other fixed name that does not exist.
pub(super) static NAME: Code = Code {
    id: "PL0702",
    title: "unknown name on the command line",
    explanation: "\
The command line names something that does not exist: an error code, a schema. The message suggests the nearest name
there is. Without a name, `plimsoll explain` and `plimsoll schema` list what they know.",
};

/// A file on the command line that is not there or cannot be told from any format.
pub(super) static FILE: Code = Code {
    id: "PL0703",
    title: "a file is missing, or is of no known kind",
    explanation: "\
A path on the command line does not exist, or holds a file that is none of ours. The kind of a file is told by its keys:
`scenario`, `sweep`, `profile`, `catalog` and `policy` name what they are, `cases` is a policy test, `services` alone is a Compose
file. Without such a key the place counts: `hardware-profiles/`, `catalog/`, `catalog/policies/`. A `.csv` file is a trace,
a `.jsonl` or `.jsonl.gz` file is a record.

    $ plimsoll validate notes.txt
    error[PL0703]: `notes.txt` is of no known kind

Give the file the extension and the first key of its kind; `plimsoll schema` lists the kinds.",
};

/// Nothing to do: no file, no test, no scenario matches.
pub(super) static NOTHING: Code = Code {
    id: "PL0704",
    title: "nothing to check",
    explanation: "\
No scenario or policy test was found, or the filters and the partition leave none. To pass without having looked would
be the worst answer a gate can give, so this is an error.

A scenario is a YAML file with the key `scenario`, a policy test one with the key `cases`. They are looked for below the
directory of `plimsoll.yaml`, or below the working directory where there is none; hidden directories, `target`,
`node_modules` and `vendor` are left out. `plimsoll test --list` shows what is found; a filter is a part of a path or of
the name of a check.

A partition may be empty when there are fewer tests than parts; that alone is no error.",
};

/// A baseline file cannot be read.
pub(super) static BASELINE: Code = Code {
    id: "PL0705",
    title: "a baseline cannot be used",
    explanation: "\
The committed baseline beside a scenario cannot be read, or was written by a newer version. Baselines are written by
`plimsoll test --update`, and are not meant to be edited by hand: take the committed version again, or write it anew and
read the difference before you commit it.",
};

/// A file that somebody else wrote is in the way.
pub(super) static OVERRIDE: Code = Code {
    id: "PL0707",
    title: "a file of somebody else is in the way",
    explanation: "\
`plimsoll budget --write` renews the override file that it wrote before, which begins with a line that says so. A file without
that line was written by somebody else, and stays as it is.

    $ plimsoll budget --write
    error[PL0707]: `docker-compose.override.yml` was not written by plimsoll

With `--force` the plan is laid over it: what the plan does not name stays, comments included, and a copy of the file as it
was is kept beside it. Or name another file.",
};

/// What a person wrote into a file of ours is at odds with the plan.
pub(super) static MIXED: Code = Code {
    id: "PL0708",
    title: "lines of your own change what is planned",
    explanation: "\
The override file holds more than `plimsoll budget --write` wrote, and with these lines the services would not have what the
budget gives them: a profile that switches a service off, or limits that only they state.

    $ plimsoll budget --write
    error[PL0708]: lines of your own in `docker-compose.override.yml` change what is planned: web does not run

Nothing was written. Put such lines into a Compose file that the budget reads, where it can go by them, or take them out.",
};

/// A file would be overwritten that the command did not write, or that was changed since.
pub(super) static OVERWRITE: Code = Code {
    id: "PL0706",
    title: "a file of yours would be overwritten",
    explanation: "\
A command that writes several files would replace one that it did not write, or that was changed after it wrote it. Nothing
was written. What was written is remembered by its checksum, in a file beside the others.

    $ plimsoll bundle -f compose.yml
    error[PL0706]: 1 file of `monitoring` is not as `bundle` wrote it: prometheus/prometheus.yml

Write to another directory with `--out`, or give `--force`: each of these files is then kept beside the new one, with `.bak`
at the end of its name.",
};

/// What a run of a sweep left that did not come to its end.
pub(super) static UNFINISHED: Code = Code {
    id: "PL0709",
    title: "a run of this sweep was ended before",
    explanation: "\
A sweep keeps what is done in a journal beside its results, one line a point. Where a run was ended (killed, interrupted, a
machine gone), the next one finds the journal:

    $ plimsoll sweep load.sweep.yaml
    error[PL0709]: a run of this sweep was ended with 12 of 40 points done; its journal lies beside `.plimsoll/sweeps/load.parquet`

`--resume` goes on with it: the results are those of a run that was never ended. `--restart` begins anew. A journal that rests
on something else, a changed scenario, other seeds, another version of plimsoll, is refused, and what changed is named: its
rows and those that would follow do not belong together. One process writes a journal at a time.",
};

/// Parts of a sweep that do not come together.
pub(super) static UNJOINED: Code = Code {
    id: "PL0710",
    title: "parts of a sweep do not come together",
    explanation: "\
`plimsoll merge` joins what `plimsoll sweep --partition` wrote, and refuses whatever would make another table than one run
does: parts of different sweeps, scenarios, seeds or versions, a point that two parts have, a point that none has. Parts are
Parquet files, which say what their rows are of; the joined file may be CSV.

    $ plimsoll merge all.parquet part-1.parquet part-2.parquet part-4.parquet
    error[PL0710]: the part 3/4 is missing: no file has the points 2, 6, 10

Run the part that is missing, or all of them anew where the scenario changed between them.",
};

/// A sweep that is tuned, and a part of it.
pub(super) static WHOLE: Code = Code {
    id: "PL0711",
    title: "a sweep that cannot be shared out",
    explanation: "\
`--partition 2/4` runs every fourth point of a sweep, which takes that all points are known before. With `method: optimise`
they are not: each generation is bred from the best points of those before it.

    $ plimsoll sweep tune.sweep.yaml --partition 2/4
    error[PL0711]: `method: optimise` has no parts: each generation rests on the one before

The runs of a generation are shared among the cores of one machine (`--jobs`). What many machines can do is to look at the
whole range with `method: latin-hypercube` and find the corner that is worth tuning.",
};

/// The codes of this room.
pub(super) const CODES: &[&Code] =
    &[&OPTION, &NAME, &FILE, &NOTHING, &BASELINE, &OVERWRITE, &OVERRIDE, &MIXED, &UNFINISHED, &UNJOINED, &WHOLE];

/// The codes of records as problems know them: the record is read by a room that knows no input.
static OF_RECORDS: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let code = |from: &&Explained| Code { id: from.id, title: from.title, explanation: from.explanation };
    record::CODES.iter().map(code).collect()
});

/// The code of what is wrong with a record.
pub(super) fn of_record(explained: &Explained) -> &'static Code {
    OF_RECORDS.iter().find(|code| code.id == explained.id).unwrap_or(&FILE)
}

/// Every code of the program, in order of its name.
#[must_use]
pub(super) fn all() -> Vec<&'static Code> {
    let rooms = [
        problem::CODES,
        yaml::CODES,
        compose::CODES,
        schema::CODES,
        scenario::CODES,
        expression::CODES,
        profile::CODES,
        catalog::CODES,
        offers::CODES,
        project::CODES,
        policy::CODES,
        policy_test::CODES,
        monthly::CODES,
        sweep::CODES,
        trace::CODES,
        &OF_RECORDS.iter().collect::<Vec<&'static Code>>(),
        CODES,
    ];
    let mut codes: Vec<&'static Code> = rooms.into_iter().flatten().copied().collect();
    codes.sort_by_key(|code| code.id);
    codes
}
