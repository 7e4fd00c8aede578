//! A report as CSV: one row per scenario, seed and service.

use super::collect::Report;

/// The rows of all reports.
///
/// # Errors
/// Never in memory; the type is that of the writer.
pub fn csv(reports: &[Report]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "scenario",
        "seed",
        "service",
        "requests",
        "errors",
        "latency_ms_mean",
        "latency_ms_p50",
        "latency_ms_p90",
        "latency_ms_p95",
        "latency_ms_p99",
        "cpu_cores_mean",
        "throttled_share",
        "memory_bytes_max",
        "oom_kills",
        "restarts",
        "replicas_max",
        "saturated_seconds",
        "actions",
    ])?;
    for report in reports {
        for run in &report.runs {
            for (name, figures) in &run.summary.services {
                let time = |time: Option<f64>| time.map(|time| format!("{time:.3}")).unwrap_or_default();
                writer.write_record([
                    report.scenario.name.clone(),
                    run.seed.get().to_string(),
                    name.to_string(),
                    figures.requests_whole().to_string(),
                    figures.errors_whole().to_string(),
                    time(figures.latency_ms_mean()),
                    time(figures.latency_ms(50)),
                    time(figures.latency_ms(90)),
                    time(figures.latency_ms(95)),
                    time(figures.latency_ms(99)),
                    format!("{:.4}", figures.cpu.mean() / 1000.0),
                    format!("{:.4}", figures.throttled.mean() / 1000.0),
                    figures.memory_max.get().to_string(),
                    figures.oom_kills.to_string(),
                    figures.restarts.to_string(),
                    figures.replicas_max.to_string(),
                    (figures.saturated_nanos as f64 / 1e9).to_string(),
                    figures.actions.to_string(),
                ])?;
            }
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
