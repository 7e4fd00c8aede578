//! Pieces of PromQL that several rules share.

/// Only containers of Compose services: without it cAdvisor also counts every slice of the host, parents with children.
pub(super) const COMPOSE: &str = "{container_label_com_docker_compose_service!=\"\"}";

/// cAdvisor's label of the Compose service.
pub(super) const SERVICE_LABEL: &str = "container_label_com_docker_compose_service";

/// A series of cAdvisor for the containers of Compose services.
pub(super) fn containers(metric: &str) -> String {
    format!("{metric}{COMPOSE}")
}

/// An expression over cAdvisor's series by container, with the short label `service` for the Compose service.
pub(super) fn by_container(operator: &str, expression: &str) -> String {
    by("service, name", operator, expression, SERVICE_LABEL)
}

/// An expression over cAdvisor's series by Compose service.
pub(super) fn by_service(operator: &str, expression: &str) -> String {
    by("service", operator, expression, SERVICE_LABEL)
}

/// An expression over an application's series by service, which is the job.
pub(super) fn by_job(operator: &str, also: &str, expression: &str) -> String {
    by(&format!("service{also}"), operator, expression, "job")
}

fn by(labels: &str, operator: &str, expression: &str, from: &str) -> String {
    format!(
        "{operator} by ({labels}) (\n  label_replace(\n    {expression},\n    \"service\", \"$1\", \"{from}\", \"(.+)\"\n  )\n)"
    )
}

/// A text as a regular expression that matches nothing else, within a PromQL string.
pub(super) fn exactly(text: &str) -> String {
    text.replace('.', "\\\\.")
}
