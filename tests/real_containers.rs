//! The model against a real container under CPU quotas: `../shared/facts/real_containers.csv`. Where the file is not
//! there, the test says so and compares nothing.

#![expect(clippy::print_stdout, reason = "the table of errors is shown with --nocapture")]

mod facts;

use facts::Row;

fn median(mut sizes: Vec<f64>) -> f64 {
    sizes.sort_by(f64::total_cmp);
    sizes[sizes.len() / 2]
}

/// A table of all rows; the median error of means and of P95.
fn compared<'a>(rows: impl IntoIterator<Item = &'a Row>) -> [f64; 2] {
    let mut errors: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    println!(
        "quota  load   mean ms: measured, model, error %   p95 ms: measured, model, error %   throttled: measured, model"
    );
    for row in rows {
        let (mean_error, p95_error) = (row.mean[1] / row.mean[0] - 1.0, row.p95[1] / row.p95[0] - 1.0);
        println!(
            "{:5} {:5.3} {:10.2} {:8.2} {:6.1} {:12.2} {:8.2} {:6.1} {:10.3} {:6.3}",
            row.quota,
            row.load,
            row.mean[0] * 1e3,
            row.mean[1] * 1e3,
            mean_error * 100.0,
            row.p95[0] * 1e3,
            row.p95[1] * 1e3,
            p95_error * 100.0,
            row.throttled[0],
            row.throttled[1]
        );
        errors[0].push(mean_error.abs());
        errors[1].push(p95_error.abs());
    }
    assert!(errors[0].len() >= 7, "only {} rows to compare with", errors[0].len());
    let [mean, p95] = errors.map(median);
    println!("median error: mean {:.1} %, p95 {:.1} %", mean * 100.0, p95 * 100.0);
    [mean, p95]
}

#[test]
fn measured_containers_are_met() {
    let Ok(text) = std::fs::read_to_string(facts::FACTS) else {
        println!("{} is not there: nothing compared with real containers", facts::FACTS);
        return;
    };
    let [mean, p95] = compared(&facts::rows(&text, facts::SERVER));
    assert!(mean <= 0.15 && p95 <= 0.15, "median error: mean {mean:.3}, p95 {p95:.3}");
}

/// Other quotas and other distributions than the model was made with, measured later by `tests/measure_containers.rs`. The model
/// says what is to be expected; a run of forty seconds has its own luck beside that.
#[test]
fn quotas_measured_afterwards_are_met() {
    let rows = facts::rows(facts::POOL, 0.0);
    let (below, above): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.load <= 0.8);
    for (rows, most) in [(below, 0.15), (above, 0.3)] {
        let [mean, p95] = compared(rows);
        assert!(mean <= most && p95 <= most, "median error: mean {mean:.3}, p95 {p95:.3}");
    }
}

/// The very requests that were measured, event by event: what a share of the CPU and a quota are taken to be is what the kernel
/// makes of them.
#[test]
fn the_kernel_does_as_the_exact_simulation_with_the_same_requests() {
    let rows = facts::replayed();
    let [mean, p95] = compared(&rows);
    assert!(mean <= 0.1 && p95 <= 0.1, "median error: mean {mean:.3}, p95 {p95:.3}");
}
