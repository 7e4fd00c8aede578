//! What a service reads and writes, as a scenario writes it, and the noun of it.

use super::codes;
use super::wire::WorkFile;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Size;
use crate::input::yaml::Node;
use crate::model::DiskLimits;
use crate::model::DiskUse;
use crate::model::Host;
use crate::model::Service;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::units::Bytes;
use std::collections::BTreeMap;

/// Docker takes weights from here on; zero is its default.
const WEIGHT_MIN: u16 = 10;

/// What a service reads and writes.
pub(super) fn disk_use(service: &Service, work: &WorkFile, data: Option<Size>) -> DiskUse {
    let thousandths = |count: Option<f64>| count.map_or(0, |count| crate::units::whole(count * 1000.0));
    let size = |size: Option<Size>| size.map_or(DiskUse::SIZE, |size| size.0.max(Bytes::new(1)));
    let (reads, writes) = (thousandths(work.reads), thousandths(work.writes));
    if reads == 0 && writes == 0 {
        return DiskUse::default();
    }
    let blkio = service.blkio.as_ref();
    DiskUse {
        reads,
        writes,
        read_size: size(work.read_size),
        write_size: size(work.write_size),
        data: data.map_or(Bytes::ZERO, |data| data.0),
        weight: blkio.and_then(|blkio| blkio.weight).filter(|weight| *weight >= WEIGHT_MIN).unwrap_or(DiskUse::WEIGHT),
        limits: blkio.map(DiskLimits::of).unwrap_or_default(),
    }
}

/// Says so where services use a disk of which nothing is known: their accesses would take no time.
pub(super) fn warn_of_unknown_disk(
    models: &BTreeMap<ServiceName, ServiceModel>,
    host: &Host,
    node: &Node,
    problems: &mut Problems,
) {
    if host.storage.is_some() {
        return;
    }
    let users: Vec<String> =
        models.iter().filter(|(_, model)| model.disk.is_used()).map(|(name, _)| format!("`{name}`")).collect();
    if users.is_empty() {
        return;
    }
    let message =
        format!("nothing is known of the disk of `{}`; the accesses of {} take no time", host.name, users.join(", "));
    let problem = Problem::warning(&codes::ASSUMED, message).at(&schema::place_of(node, "/host"));
    problems.push(problem.help(
        "add to its profile what the disk does, such as `storage: { iops: 60000, bandwidth: 800M, latency: 100us }`",
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Source;
    use crate::input::profile;
    use crate::input::scenario::LoadOptions;
    use crate::input::scenario::ScenarioFile;
    use crate::input::scenario::resolve;
    use crate::model::Blkio;
    use crate::model::Stack;
    use crate::model::Storage;
    use crate::units::Span;
    use std::path::Path;

    fn read(host: &str, service: &str) -> (crate::model::Scenario, String) {
        let text =
            format!("scenario: test\nstack: compose.yaml\nhost: {host}\nduration: 1h\nservices: {{ db: {service} }}\n");
        let (node, file) = schema::read::<ScenarioFile>(&Source::new("scenario.yaml", text)).expect("a scenario");
        let blkio = Blkio { weight: Some(300), ..Blkio::default() };
        let db = Service { image: Some("postgres:16".to_owned()), blkio: Some(blkio), ..Service::default() };
        let stack = Stack { services: [(ServiceName::new("db"), db)].into(), ..Stack::default() };
        let resolved = resolve(&file, &node, &stack, Path::new("/nowhere"), &LoadOptions::default());
        let resolved = resolved.unwrap_or_else(|problems| panic!("{problems}"));
        (resolved.scenario, resolved.warnings.to_string())
    }

    #[test]
    fn a_service_says_what_it_reads_and_writes() {
        let (scenario, warnings) = read("kvm-4", "{ work: { reads: 2.5, writes: 1, read_size: 8K }, data: 4G }");
        let disk = scenario.services[&ServiceName::new("db")].disk.clone();
        assert_eq!((disk.reads, disk.writes, disk.read_size), (2500, 1000, Bytes::new(8192)));
        assert_eq!((disk.write_size, disk.data, disk.weight), (Bytes::new(4096), Bytes::gibi(4), 300));
        let latency = Span::from_micros(100);
        assert_eq!(scenario.host.storage, Some(Storage { iops: 60_000, bandwidth: Bytes::mebi(763), latency }));
        assert_eq!(warnings, "");
    }

    #[test]
    fn what_uses_no_disk_is_as_before() {
        let (scenario, _) = read("kvm-4", "{ data: 4G }");
        assert!(scenario.services[&ServiceName::new("db")].disk.is_default());
    }

    #[test]
    fn a_disk_that_nobody_knows_is_warned_of() {
        let (_, warnings) = read("{ cores: 4, memory: 8G }", "{ work: { reads: 2 } }");
        assert!(
            warnings.contains("nothing is known of the disk of `host`; the accesses of `db` take no time"),
            "{warnings}"
        );
        assert!(warnings.contains("storage: { iops: 60000, bandwidth: 800M, latency: 100us }"), "{warnings}");
    }

    #[test]
    fn swap_needs_a_disk_that_is_known() {
        let wrong = |more: &str| {
            let text = format!("profile: own\ncores: 4\nmemory: 8G\n{more}");
            profile::parse(&Source::new("own.yaml", text))
                .err()
                .map(|problems| problems.to_string())
                .unwrap_or_default()
        };
        assert!(wrong("swap: 2G").contains("swap lies on a disk, and nothing says how fast that is"));
        assert!(wrong("storage: { iops: 10, bandwidth: 0, latency: 1ms }").contains("a disk without bandwidth"));
        assert_eq!(wrong("swap: 2G\nstorage: { iops: 10, bandwidth: 1M, latency: 1ms }"), "");
    }
}
