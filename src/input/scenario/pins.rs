//! Containers that run on some cores only: `cpuset` of the Compose file, held against the cores of the host.

use super::codes;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::CoreSet;
use crate::model::Host;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Stack;
use std::collections::BTreeMap;

/// Gives the services the cores that the stack says, where the host has them; `node` is the scenario.
pub(super) fn pin(
    models: &mut BTreeMap<ServiceName, ServiceModel>,
    stack: &Stack,
    host: &Host,
    node: &Node,
    problems: &mut Problems,
) {
    let last = host.core_count().saturating_sub(1);
    let place = schema::place_of(node, "/stack");
    for (name, model) in models.iter_mut() {
        let Some(text) = stack.services.get(name).and_then(|service| service.cpuset.as_deref()) else { continue };
        let wrong = match CoreSet::parse(text) {
            Ok(set) if set.last() <= last => {
                model.cpuset = Some(set);
                continue;
            }
            Ok(set) => format!("there is no core {} on `{}`: it has cores 0 to {last}", set.last(), host.name),
            Err(error) => error.to_string(),
        };
        let problem = Problem::error(&codes::CPUSET, format!("`cpuset` of `{name}` is `{text}`, and {wrong}"));
        problems
            .push(problem.at(&place).help(format!("write cores that the host has, such as `cpuset: \"0-{last}\"`")));
    }
    if CoreSet::overlap_too_much(models.values().filter_map(|model| model.cpuset.as_ref())) {
        let message = "the `cpuset`s of the services overlap in too many ways to share the cores out";
        let problem = Problem::error(&codes::CPUSET, message).at(&place);
        problems.push(problem.help("let services that need not differ have the same `cpuset`, or none"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Source;
    use crate::input::scenario::LoadOptions;
    use crate::input::scenario::ScenarioFile;
    use crate::input::scenario::resolve;
    use crate::model::Scenario;
    use crate::model::Service;
    use std::path::Path;

    fn read(cpuset: &str) -> Result<Scenario, String> {
        let text = "scenario: test\nstack: compose.yaml\nhost: kvm-4\nduration: 1h\n";
        let (node, file) = schema::read::<ScenarioFile>(&Source::new("scenario.yaml", text)).expect("a scenario");
        let db =
            Service { image: Some("postgres:16".to_owned()), cpuset: Some(cpuset.to_owned()), ..Service::default() };
        let stack = Stack { services: [(ServiceName::new("db"), db)].into(), ..Stack::default() };
        let resolved = resolve(&file, &node, &stack, Path::new("/nowhere"), &LoadOptions::default());
        resolved.map(|resolved| resolved.scenario).map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_container_is_pinned_to_cores_that_are_there() {
        let scenario = read("0-1,3").expect("a scenario");
        let pinned = scenario.services[&ServiceName::new("db")].cpuset.clone().expect("cores");
        assert_eq!(pinned.cores().collect::<Vec<_>>(), [0, 1, 3]);
    }

    #[test]
    fn cores_that_are_not_there_are_refused() {
        let wrong = read("2-5").expect_err("four cores");
        assert!(
            wrong.contains("`cpuset` of `db` is `2-5`, and there is no core 5 on `kvm-4`: it has cores 0 to 3"),
            "{wrong}"
        );
        assert!(wrong.contains("such as `cpuset: \"0-3\"`") && wrong.contains("PL0231"), "{wrong}");
        assert!(read("fast").expect_err("no number").contains("`fast` is neither a core's number nor a range"));
    }
}
