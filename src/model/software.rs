//! Software whose own settings must follow the memory and CPU that its container is given.

/// What runs in a container, as far as its settings are concerned.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Software {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// MongoDB with WiredTiger.
    MongoDb,
    /// Redis and what speaks its configuration.
    Redis,
    /// A Node.js application.
    Node,
    /// A Python application behind gunicorn or uvicorn workers.
    Asgi,
    /// An application on a Java virtual machine.
    Jvm,
    /// Prometheus.
    Prometheus,
    /// Loki.
    Loki,
    /// Grafana.
    Grafana,
    /// Ollama.
    Ollama,
    /// n8n, a Node.js application with settings of its own.
    N8n,
    /// nginx.
    Nginx,
    /// Elasticsearch and OpenSearch.
    Elasticsearch,
}
