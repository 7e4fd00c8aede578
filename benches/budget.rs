//! Time of a budget: reading the files, allocation, proposals. Figures of the register: 50 ms for 19 services, 200 ms for
//! the largest Compose set (121 services, where it lies beside the checkout).

#[path = "../tests/sets/mod.rs"]
mod sets;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use plimsoll::input::catalog::shipped;
use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::compose::load;
use plimsoll::input::profile::Profiles;
use plimsoll::input::yaml::Node;
use plimsoll::plan::budget::Wishes;
use plimsoll::plan::budget::budget;
use plimsoll::plan::override_file;
use plimsoll::plan::tuning;
use plimsoll::report;
use plimsoll::report::Paint;
use plimsoll::world::machine;
use std::hint::black_box;
use std::path::Path;

fn budgets(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let host = Profiles::below(root).find("kvm-4", None, root).expect("a shipped profile");
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = root.join("scenarios/ziggie-kvm-4-evening/compose.yaml");
    let mut stacks = vec![("19 services", ComposeArgs { files: vec![file], ..ComposeArgs::default() })];
    let is_largest = |index: &Node| index.get("name").and_then(Node::scalar).as_deref() == Some("laradock");
    let largest = sets::shared(home.path()).into_iter().find(|(index, _)| is_largest(index));
    stacks.extend(largest.map(|(_, args)| ("121 services", args)));
    for (name, args) in stacks {
        criterion.bench_function(&format!("budget of {name}, from files to text"), |bencher| {
            bencher.iter(|| {
                let loaded = load(&args).expect("a stack");
                let budget = budget(name, &loaded.stack, shipped(), &host, &Wishes::default());
                let tuned = tuning::tuned(&budget, &loaded, shipped());
                let wanted = override_file::wanted(&budget, &loaded);
                let written = override_file::text(None, &wanted, name, &[]).expect("a new file");
                black_box((report::budget::text(&budget, 120, Paint::Plain), tuned, written))
            });
        });
    }
}

fn detection(criterion: &mut Criterion) {
    criterion.bench_function("look at this machine", |bencher| bencher.iter(|| black_box(machine::detect())));
}

criterion_group!(benches, budgets, detection);
criterion_main!(benches);
