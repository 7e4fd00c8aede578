//! What is known of common images: role, tier, whether they hold data, start-up, idle use and the cost of a request.
//!
//! Before you change it:
//! 1. A figure that nobody measured is named in the entry's `guess`, and the report says so.
//! 2. An image is found by its name whatever its registry, tag and digest; a service that is only built, by its own name.

use crate::input::problem::Code;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::scenario::OneOrMany;
use crate::input::scenario::SpreadFile;
use crate::input::schema;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Size;
use crate::input::upwards::upwards;
use crate::model::HealthCheck;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Software;
use crate::model::Spread;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Codes of the catalog; all that can be wrong with it is wrong with its keys and values.
pub const CODES: &[&Code] = &[];

const SHIPPED: &str = include_str!("../../catalog/images.yaml");

/// A catalog of images.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// What a person calls it.
    pub catalog: String,
    /// The images, by the name of the entry.
    pub images: BTreeMap<String, ImageFile>,
}

/// What is known of an image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFile {
    /// Names of the image without registry and tag: `postgres`, `grafana/grafana`. A name without a slash also matches
    /// `anyone/postgres`.
    pub image: Option<OneOrMany>,
    /// Names of services that are built rather than pulled.
    #[serde(default)]
    pub services: Vec<String>,
    /// What it is for.
    pub role: String,
    /// 1 critical path, 2 workflow, 3 background.
    #[schemars(range(min = 1, max = 3))]
    pub tier: u8,
    /// Holds data, or may for another reason never run twice side by side.
    #[serde(default)]
    pub stateful: bool,
    /// Time from the start of the container until it answers.
    pub start_up: Duration,
    /// CPU wanted while it starts; half a core unless said otherwise.
    pub start_cpu: Option<Cpus>,
    /// CPU used when idle.
    pub idle_cpu: Cpus,
    /// Memory held when idle.
    pub idle_memory: Size,
    /// Mean CPU time of a request.
    pub work_cpu: Option<Duration>,
    /// Memory held by a request.
    pub work_memory: Option<Size>,
    /// How the CPU time of a request varies; exponential unless said otherwise.
    pub spread: Option<SpreadFile>,
    /// Which of these figures nobody measured.
    #[serde(default)]
    pub guess: Vec<String>,
    /// How much it matters that it runs, 1 to 100: what does not fit goes by this, the least important first. Where
    /// nothing is said, 90, 60 and 30 for tiers 1, 2 and 3.
    #[schemars(range(min = 1, max = 100))]
    pub importance: Option<u32>,
    /// Memory to plan for where nobody measured: no limit is set below it. The idle memory unless said otherwise.
    pub need_memory: Option<Size>,
    /// What it is given on a host of class Standard where no file says so.
    #[serde(default)]
    pub give: GiveFile,
    /// How its health is checked; leave it out for what needs no check.
    pub health: Option<HealthFile>,
    /// The software whose settings follow the memory and CPU it is given.
    pub software: Option<Software>,
    /// Where it answers with metrics for Prometheus.
    pub metrics: Option<MetricsFile>,
    /// Where the figures that are no guesses come from.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// What a service is given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveFile {
    /// CPU limit; one core unless said otherwise.
    pub cpu: Option<Cpus>,
    /// Memory limit; the larger of 512 MB and twice the need unless said otherwise.
    pub memory: Option<Size>,
    /// Limit of processes; 200 unless said otherwise.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub pids: Option<u32>,
}

/// How the health of a service is checked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthFile {
    /// The command within the container, `CMD` or `CMD-SHELL` first; left out where it depends on the application.
    #[serde(default)]
    pub test: Vec<String>,
    /// Time between two checks.
    pub interval: Duration,
    /// Time after which a check has failed.
    pub timeout: Duration,
    /// Failures in a row that make it unhealthy.
    #[schemars(range(min = 1, max = 100))]
    pub retries: u32,
    /// Time after the start in which failures do not count.
    pub start_period: Duration,
}

/// Where metrics are read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsFile {
    /// The port within the container.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// The path; `/metrics` unless said otherwise.
    pub path: Option<String>,
}

/// What is known of a service, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the entry.
    pub name: String,
    /// What it is for.
    pub role: String,
    /// 1 critical path, 2 workflow, 3 background.
    pub tier: u8,
    /// May never run twice side by side.
    pub stateful: bool,
    /// Time from the start until it answers.
    pub start_up: Span,
    /// CPU wanted while it starts.
    pub start_cpu: Millicores,
    /// CPU used when idle.
    pub idle_cpu: Millicores,
    /// Memory held when idle.
    pub idle_memory: Bytes,
    /// Mean CPU time of a request.
    pub work_cpu: Span,
    /// Memory held by a request.
    pub work_memory: Bytes,
    /// How the CPU time varies.
    pub spread: Spread,
    /// Which figures nobody measured.
    pub guess: Vec<String>,
    /// How much it matters that it runs, 1 to 100.
    pub importance: u32,
    /// Memory to plan for where nobody measured.
    pub need_memory: Bytes,
    /// CPU limit on a host of class Standard.
    pub give_cpu: Millicores,
    /// Memory limit on a host of class Standard.
    pub give_memory: Bytes,
    /// Limit of processes.
    pub give_pids: u32,
    /// How its health is checked.
    pub health: Option<HealthCheck>,
    /// The software whose settings follow what it is given.
    pub software: Option<Software>,
    /// Port and path of its metrics.
    pub metrics: Option<(u16, String)>,
    /// Where the figures come from.
    pub sources: Vec<String>,
}

impl Default for Entry {
    /// What is assumed of a service that nobody described: a stateless service of tier 2 that starts in 5 s, holds 64 MiB,
    /// uses 5 thousandths of a core when idle, and spends 5 ms (exponential) and 256 KiB on a request. It is what the host
    /// is for, so its importance is that of tier 1.
    fn default() -> Self {
        Self {
            name: "unknown".to_owned(),
            role: "app".to_owned(),
            tier: 2,
            stateful: false,
            start_up: Span::from_secs(5),
            start_cpu: Millicores::new(500),
            idle_cpu: Millicores::new(5),
            idle_memory: Bytes::mebi(64),
            work_cpu: Span::from_millis(5),
            work_memory: Bytes::new(256 << 10),
            spread: Spread::Exponential,
            guess: Vec::new(),
            importance: 90,
            need_memory: Bytes::mebi(64),
            give_cpu: Millicores::cores(1),
            give_memory: Bytes::mebi(512),
            give_pids: 200,
            health: None,
            software: None,
            metrics: None,
            sources: Vec::new(),
        }
    }
}

/// Entries by the names they are found by.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    entries: Vec<Entry>,
    images: BTreeMap<String, usize>,
    services: BTreeMap<String, usize>,
    /// Files that were read.
    pub files_read: Vec<PathBuf>,
}

impl Catalog {
    /// The shipped catalog with `catalog/images.yaml` of this folder, or the nearest folder above it, on top.
    ///
    /// # Errors
    /// All that is wrong with that file.
    pub fn below(folder: &Path) -> Result<Cow<'static, Self>, Problems> {
        let own =
            upwards(folder).into_iter().map(|folder| folder.join("catalog/images.yaml")).find(|path| path.is_file());
        let Some(path) = own else { return Ok(Cow::Borrowed(shipped())) };
        let source = Source::read(&path)?;
        if source.text() == SHIPPED {
            return Ok(Cow::Borrowed(shipped()));
        }
        let mut catalog = shipped().clone();
        catalog.add(&schema::read::<CatalogFile>(&source)?.1);
        catalog.files_read.push(path);
        Ok(Cow::Owned(catalog))
    }

    /// What is known of a service: by its image whatever its registry, tag and digest, else by its name.
    #[must_use]
    pub fn lookup(&self, image: Option<&str>, service: &str) -> Option<&Entry> {
        image.and_then(|image| self.by_image(image)).or_else(|| self.entries.get(*self.services.get(service)?))
    }

    fn by_image(&self, image: &str) -> Option<&Entry> {
        let name = image_name(image);
        let last = name.rsplit('/').next().unwrap_or(name);
        self.entries.get(*self.images.get(name).or_else(|| self.images.get(last))?)
    }

    /// The entry whose settings and checks a service can take: known by its image, or called as the entry itself. One that
    /// is called `db` is a database, but nobody knows which.
    #[must_use]
    pub fn certain(&self, name: &ServiceName, service: &Service) -> Option<&Entry> {
        let by_image = service.image.as_deref().and_then(|image| self.by_image(image));
        by_image.or_else(|| self.of(name, service).filter(|entry| entry.name == name.as_str()))
    }

    /// What is known of a service of a stack, see [`Catalog::lookup`].
    #[must_use]
    pub fn of(&self, name: &ServiceName, service: &Service) -> Option<&Entry> {
        self.lookup(service.image.as_deref(), name.as_str())
    }

    /// A service of a stack as it is described: by its labels, else by the catalog, else as one that nobody described.
    #[must_use]
    pub fn described(&self, name: &ServiceName, service: &Service) -> Entry {
        let mut entry = self.of(name, service).cloned().unwrap_or_default();
        if self.certain(name, service).is_none() {
            (entry.software, entry.health, entry.metrics) = (None, None, None);
        }
        let hints = &service.hints;
        entry.role = hints.role.clone().unwrap_or(entry.role);
        entry.tier = hints.tier.unwrap_or(entry.tier);
        entry.importance = hints.importance.unwrap_or(entry.importance);
        entry.stateful = hints.stateful.unwrap_or(entry.stateful);
        let (port, path) = entry.metrics.unzip();
        let path = hints.metrics_path.clone().or(path).unwrap_or_else(|| "/metrics".to_owned());
        entry.metrics = hints.metrics_port.or(port).map(|port| (port, path));
        entry
    }

    /// All entries, in order of their names.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    fn add(&mut self, file: &CatalogFile) {
        for (name, image) in &file.images {
            let index = self.entries.len();
            self.entries.push(entry(name, image));
            for known in image.image.iter().flat_map(OneOrMany::list) {
                self.images.insert(image_name(&known).to_owned(), index);
            }
            for service in image.services.iter().chain([name]) {
                self.services.insert(service.clone(), index);
            }
        }
    }
}

fn entry(name: &str, file: &ImageFile) -> Entry {
    let unknown = Entry::default();
    let need_memory = file.need_memory.map_or(file.idle_memory.0, |size| size.0);
    let twice = need_memory.scaled(2, 1);
    Entry {
        name: name.to_owned(),
        role: file.role.clone(),
        tier: file.tier,
        stateful: file.stateful,
        start_up: file.start_up.0,
        start_cpu: file.start_cpu.map_or(unknown.start_cpu, |cpu| cpu.0),
        idle_cpu: file.idle_cpu.0,
        idle_memory: file.idle_memory.0,
        work_cpu: file.work_cpu.map_or(unknown.work_cpu, |span| span.0),
        work_memory: file.work_memory.map_or(unknown.work_memory, |size| size.0),
        spread: file.spread.map_or(unknown.spread, SpreadFile::spread),
        guess: file.guess.clone(),
        importance: file.importance.unwrap_or(match file.tier {
            1 => 90,
            2 => 60,
            _ => 30,
        }),
        need_memory,
        give_cpu: file.give.cpu.map_or(unknown.give_cpu, |cpu| cpu.0),
        give_memory: file.give.memory.map_or_else(|| unknown.give_memory.max(twice), |size| size.0),
        give_pids: file.give.pids.unwrap_or(unknown.give_pids),
        health: file.health.as_ref().map(|health| HealthCheck {
            test: health.test.clone(),
            interval: Some(health.interval.0),
            timeout: Some(health.timeout.0),
            retries: Some(health.retries),
            start_period: Some(health.start_period.0),
            ..HealthCheck::default()
        }),
        software: file.software,
        metrics: file
            .metrics
            .as_ref()
            .map(|metrics| (metrics.port, metrics.path.clone().unwrap_or_else(|| "/metrics".to_owned()))),
        sources: file.sources.clone(),
    }
}

/// The shipped catalog.
///
/// # Panics
/// If the file built into the program is not a catalog, which a test rules out.
#[must_use]
pub fn shipped() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let file = schema::read::<CatalogFile>(&Source::new("catalog/images.yaml", SHIPPED));
        let (_, file) = file.unwrap_or_else(|problems| panic!("the shipped catalog is wrong:\n{problems}"));
        let mut catalog = Catalog::default();
        catalog.add(&file);
        catalog
    })
}

/// What the shipped catalog knows of a service, see [`Catalog::lookup`].
#[must_use]
pub fn lookup(image: Option<&str>, service: &str) -> Option<&'static Entry> {
    shipped().lookup(image, service)
}

/// The name of an image without registry, tag, digest and `library/`: `docker.io/library/postgres:16@sha256:...` is
/// `postgres`, `ghcr.io/open-webui/open-webui:main` is `open-webui/open-webui`.
#[must_use]
pub fn image_name(image: &str) -> &str {
    let image = image.trim();
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    let image = image[last..].find(':').map_or(image, |colon| &image[..last + colon]);
    let image = match image.split_once('/') {
        Some((registry, name)) if registry.contains(['.', ':']) || registry == "localhost" => name,
        _ => image,
    };
    image.strip_prefix("library/").unwrap_or(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_whatever_its_registry_tag_and_digest() {
        for image in [
            "postgres",
            "postgres:16-alpine",
            "library/postgres",
            "docker.io/library/postgres:16@sha256:0123abcd",
            "registry.example.com:5000/postgres:16",
            "localhost/postgres",
            "pgvector/pgvector:pg16",
        ] {
            assert_eq!(lookup(Some(image), "db").map(|entry| entry.name.as_str()), Some("postgres"), "{image}");
        }
        assert_eq!(
            lookup(Some("ghcr.io/open-webui/open-webui:main"), "ui").map(|entry| entry.role.as_str()),
            Some("llm")
        );
        assert_eq!(lookup(None, "ziggie-api").map(|entry| (entry.tier, entry.stateful)), Some((1, false)));
        assert_eq!(lookup(Some("example.com/shop/checkout:7"), "checkout"), None);
        for strange in ["", ":", "/", "@", "a/b/", "é:é@é", "x:/y"] {
            let _ = lookup(Some(strange), "");
        }
    }

    /// Register D2 names what is never replaced by a second instance.
    #[test]
    fn services_of_the_documents_have_their_tier_and_state() {
        let stateful = [
            "postgres",
            "postgres-exporter",
            "redis",
            "redis-exporter",
            "redis-commander",
            "socket-proxy",
            "mongodb",
            "mysql",
        ];
        let stateless = [
            "traefik",
            "oauth2-proxy",
            "crowdsec",
            "grafana",
            "prometheus",
            "loki",
            "promtail",
            "alertmanager",
            "jaeger",
            "node-exporter",
            "blackbox-exporter",
            "cadvisor",
            "portainer",
            "homepage",
            "vscode",
            "resource-manager",
            "nginx",
        ];
        for (names, wanted) in [(stateful.as_slice(), true), (stateless.as_slice(), false)] {
            for name in names {
                assert_eq!(lookup(None, name).map(|entry| entry.stateful), Some(wanted), "{name}");
            }
        }
        let tiers = [
            (1, ["ziggie-api", "mcp-gateway", "postgres", "redis", "nginx"].as_slice()),
            (2, ["n8n", "ollama", "flowise", "mongodb", "sim-studio"].as_slice()),
            (
                3,
                [
                    "prometheus",
                    "grafana",
                    "loki",
                    "promtail",
                    "portainer",
                    "open-webui",
                    "watchtower",
                    "github-runner",
                    "certbot",
                ]
                .as_slice(),
            ),
        ];
        for (tier, names) in tiers {
            for name in names {
                assert_eq!(lookup(None, name).map(|entry| entry.tier), Some(tier), "{name}");
            }
        }
    }

    /// What a `guess` may name. A key of its own stands for all it holds, `give.pids` for one part.
    const FIGURES: [&str; 12] = [
        "start_up",
        "idle_cpu",
        "idle_memory",
        "work_cpu",
        "work_memory",
        "importance",
        "need_memory",
        "give",
        "give.cpu",
        "give.memory",
        "give.pids",
        "health",
    ];

    /// A figure is a guess and says so, or the entry says where it comes from.
    #[test]
    fn every_figure_is_a_guess_or_has_a_source() {
        for entry in shipped().entries() {
            let name = &entry.name;
            for word in &entry.guess {
                assert!(FIGURES.contains(&word.as_str()), "{name}: `{word}` is no figure");
                assert_eq!(entry.guess.iter().filter(|other| *other == word).count(), 1, "{name}: `{word}` twice");
            }
            let part = |figure: &str| figure.split('.').next().unwrap_or(figure) != figure;
            let guessed = |figure: &str| entry.guess.iter().any(|word| word == figure);
            let parts = ["give.cpu", "give.memory", "give.pids"].into_iter().all(guessed);
            let mut sourced = FIGURES.into_iter().filter(|figure| !part(figure) && !guessed(figure));
            let sourced = sourced.any(|figure| match figure {
                "give" => !parts,
                "health" => entry.health.is_some(),
                _ => true,
            });
            assert!(!sourced || !entry.sources.is_empty(), "{name} has figures that are no guesses, and no sources");
            assert!(entry.sources.iter().all(|source| source.len() > 10), "{name}: {:?}", entry.sources);
        }
    }

    /// No limit kills what is planned to fit in it, and what is planned holds what it holds when idle.
    #[test]
    fn a_service_is_given_what_it_needs() {
        for entry in shipped().entries() {
            let name = &entry.name;
            assert!(entry.give_memory >= entry.need_memory, "{name} needs {}", entry.need_memory);
            assert!(entry.need_memory >= entry.idle_memory, "{name} holds {} when idle", entry.idle_memory);
            assert!(entry.give_cpu > Millicores::ZERO && entry.give_pids >= 10, "{name}");
            let engine = |software| software == Software::Jvm || software == Software::Elasticsearch;
            assert!(!entry.software.is_some_and(engine) || entry.give_pids >= 500, "{name} is a JVM");
            assert!((1..=100).contains(&entry.importance), "{name}");
        }
    }

    /// A check that Docker accepts: the form of its test known, and no variable that Compose would fill in by itself.
    #[test]
    fn health_checks_can_be_written_as_they_stand() {
        for entry in shipped().entries() {
            let Some(health) = &entry.health else { continue };
            let (name, known) = (&entry.name, ["CMD", "CMD-SHELL"]);
            match health.test.as_slice() {
                [] => {}
                [form, rest @ ..] => {
                    assert!(known.contains(&form.as_str()) && !rest.is_empty(), "{name}: {:?}", health.test);
                    assert!(form != "CMD-SHELL" || rest.len() == 1, "{name}: a shell takes one text");
                    assert!(!rest.iter().any(|word| word.contains("$$")), "{name}: as it stands in the container");
                }
            }
            let (interval, timeout) = (health.interval.unwrap_or_default(), health.timeout.unwrap_or_default());
            assert!(timeout <= interval && timeout > Span::ZERO, "{name}: {timeout} of {interval}");
        }
        for none in ["watchtower", "certbot"] {
            assert_eq!(lookup(None, none).map(|entry| entry.health.is_some()), Some(false), "{none} needs no check");
        }
    }
}
