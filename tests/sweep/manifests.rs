//! The manifests of `docs/sweeps`: what they run is a command of this program, and what their parts are is all of a sweep.

use crate::program::plimsoll;
use crate::program::run;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

const FILES: [&str; 3] = ["github-actions.yaml", "kubernetes-indexed-job.yaml", "slurm-array.sh"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    let path: PathBuf = root().join("docs/sweeps").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of a manifest, with what its scheduler puts in for a part.
fn commands(file: &str, part: u64) -> Vec<Vec<String>> {
    let filled = text(file)
        .replace("${{ matrix.part }}", &part.to_string())
        .replace("$part", &part.to_string())
        .replace("$SWEEP", "scenarios/flash-crowd/crowd.sweep.yaml")
        .replace("$SLURM_CPUS_PER_TASK", "2");
    let lines = filled
        .lines()
        .filter_map(|line| line.split_once("plimsoll ").map(|(before, rest)| (before.to_owned(), rest.to_owned())));
    let commands = lines.filter(|(before, rest)| {
        !before.contains('`') && ["sweep ", "merge "].iter().any(|name| rest.starts_with(name))
    });
    commands
        .map(|(_, rest)| {
            let rest = rest.trim_end_matches('\'');
            shlex::split(rest).unwrap_or_else(|| panic!("{file}: {rest} is no command"))
        })
        .collect()
}

#[test]
fn what_they_run_are_commands_of_this_program() {
    for file in FILES {
        let commands = commands(file, 1);
        let names: BTreeSet<&str> = commands.iter().map(|words| words[0].as_str()).collect();
        assert_eq!(names, BTreeSet::from(["merge", "sweep"]), "{file}");
        for words in &commands {
            // Read whole, and then refused for a file that is not there: a misspelt flag would be a usage error.
            let words: Vec<String> =
                words.iter().map(|word| word.replace("crowd.sweep.yaml", "gone.sweep.yaml")).collect();
            let (code, _, err) = run(plimsoll().current_dir(root()).args(&words));
            assert_eq!(code, 64, "{file}: {words:?}");
            assert!(err.contains("PL0001") || err.contains("PL0710"), "{file}: {words:?}\n{err}");
        }
    }
}

#[test]
fn their_parts_are_all_points_of_a_sweep() {
    let points = |more: &[String]| -> Vec<String> {
        let sweep = ["sweep", "scenarios/flash-crowd/crowd.sweep.yaml", "--list"];
        let (code, out, err) = run(plimsoll().current_dir(root()).args(sweep).args(more));
        assert_eq!(code, 0, "{err}");
        out.lines().map(str::to_owned).collect()
    };
    let all = points(&[]);
    for file in FILES {
        let mut found = Vec::new();
        for part in 1..=4 {
            let words = commands(file, part).into_iter().find(|words| words[0] == "sweep").expect("a sweep");
            let place = words.iter().position(|word| word == "--partition").expect("a part");
            let out = words.iter().position(|word| word == "--out").expect("a file");
            assert!(words[out + 1].ends_with(&format!("results/part-{part}.parquet")), "{file}");
            found.extend(points(&words[place..=place + 1]));
        }
        found.sort_by_key(|line| all.iter().position(|one| one == line));
        assert_eq!(found, all, "{file}");
    }
}

/// The schedulers count as the commands want it: 1 to 4, or 0 to 3 and one is added.
#[test]
fn their_schedulers_start_four_parts() {
    assert!(text("github-actions.yaml").contains("part: [1, 2, 3, 4]"));
    let job = text("kubernetes-indexed-job.yaml");
    assert!(job.contains("completions: 4") && job.contains("part=$((JOB_COMPLETION_INDEX + 1))"));
    let array = text("slurm-array.sh");
    assert!(array.contains("#SBATCH --array=1-4") && array.contains("part=$SLURM_ARRAY_TASK_ID"));
}
