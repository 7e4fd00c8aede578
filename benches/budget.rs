//! Time of a budget: reading the files, allocation, proposals. Figures of the register: 50 ms for 19 services, 200 ms for
//! the largest Compose set (121 services, where it lies beside the checkout).

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use plimsoll::input::catalog::shipped;
use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::compose::load;
use plimsoll::input::profile::Profiles;
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
    for (name, folder, file) in [
        ("19 services", "scenarios/ziggie-kvm-4-evening", "compose.yaml"),
        ("121 services", "../shared/compose/laradock", "docker-compose.yml"),
    ] {
        if !root.join(folder).is_dir() {
            continue;
        }
        // As its users have it: with the example's settings as their own.
        let home = tempfile::tempdir().expect("a temporary directory");
        copy(&root.join(folder), home.path());
        let example = home.path().join(".env.example");
        if example.is_file() {
            std::fs::copy(&example, home.path().join(".env")).expect("can be copied");
        }
        let args = ComposeArgs { files: vec![home.path().join(file)], ..ComposeArgs::default() };
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

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("can be made");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::write(target, std::fs::read(entry.path()).expect("a file")).expect("can be written");
        }
    }
}

fn detection(criterion: &mut Criterion) {
    criterion.bench_function("look at this machine", |bencher| bencher.iter(|| black_box(machine::detect())));
}

criterion_group!(benches, budgets, detection);
criterion_main!(benches);
