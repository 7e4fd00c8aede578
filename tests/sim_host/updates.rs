//! Changes of limits as the Docker engine carries them out, images that have to be pulled, and containers that may not be
//! killed.

use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Action;
use plimsoll::model::Cgroup;
use plimsoll::model::Docker;
use plimsoll::model::Incident;
use plimsoll::model::InstanceState;
use plimsoll::model::Reason;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

const WHY: Reason = Reason::BelowThreshold { seen: Permille::ZERO, threshold: Permille::ZERO, checks: 1 };

fn memory(to: Bytes) -> Action {
    Action::LimitMemory { service: ServiceName::new("web"), from: Bytes::gibi(1), to, why: WHY }
}

fn cpu(to: u64) -> Action {
    let (service, from) = (ServiceName::new("web"), Millicores::new(1000));
    Action::LimitCpu { service, from, to: Millicores::new(to), why: WHY }
}

fn web(docker: Docker) -> Scenario {
    let mut scenario = scenario(host(2), [("web", service(5))], []);
    scenario.docker = Some(docker);
    scenario
}

fn limit(world: &World) -> Option<Bytes> {
    world.observe().services[&ServiceName::new("web")].limits.memory
}

fn refusals(world: &mut World) -> Vec<(u64, String)> {
    let refused = world.take_incidents().into_iter().filter_map(|(at, incident)| match incident {
        Incident::Refused { why, .. } => Some((at.since_start().secs(), why)),
        _ => None,
    });
    refused.collect()
}

/// A change that takes 3 s is in force 3 s later, and what is refused is refused then.
#[test]
fn a_change_takes_its_time() {
    let mut world = World::new(&web(Docker { update: Span::from_secs(3), ..Docker::default() }), Seed::new(1));
    world.advance(second(10));
    world.apply(&[memory(Bytes::mebi(200)), memory(Bytes::mebi(50))]);
    world.advance(second(12));
    assert_eq!((limit(&world), refusals(&mut world).len()), (None, 0));
    world.advance(second(13));
    assert_eq!(limit(&world), Some(Bytes::mebi(200)));
    let refused = refusals(&mut world);
    assert_eq!(refused, [(13, "`web` holds 100M, more than the new limit of 50M".to_owned())]);
}

/// Measured with Docker 20.10 on a host with two cores: "Range of CPUs is from 0.01 to 2.00", "Minimum memory limit allowed
/// is 6MB".
#[test]
fn docker_refuses_what_the_host_does_not_have() {
    let mut world = World::new(&web(Docker::default()), Seed::new(1));
    world.advance(second(10));
    world.apply(&[cpu(3000), cpu(5), cpu(2000), memory(Bytes::mebi(5))]);
    let refused: Vec<String> = refusals(&mut world).into_iter().map(|(_, why)| why).collect();
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(refused[0].contains("from 0.01 to 2, not 3"), "{refused:?}");
    assert!(refused[2].contains("the least memory limit is 6M"), "{refused:?}");
    let limits = world.observe().services[&ServiceName::new("web")].limits;
    assert_eq!((limits.cpu, limits.memory), (Some(Millicores::new(2000)), None));
}

/// 100 MiB are held. The old control groups refuse a limit of 50 MiB and nothing changes; the new ones take it and kill.
#[test]
fn a_limit_below_what_is_held_is_refused_or_kills() {
    for (cgroup, kills) in [(Cgroup::V1, 0), (Cgroup::V2, 1)] {
        let mut world = World::new(&web(Docker { cgroup: Some(cgroup), ..Docker::default() }), Seed::new(1));
        world.advance(second(10));
        world.take_incidents();
        world.apply(&[memory(Bytes::mebi(50))]);
        let refused = refusals(&mut world).len();
        world.advance(second(11));
        assert_eq!((refused, world.sample().services[0].oom_kills), (1 - kills, u32::try_from(kills).expect("small")));
    }
}

/// Two images of 120 MB and 240 MB on a line of 12 MB/s: both share it for 20 s, then the rest of 120 MB takes 10 s more.
#[test]
fn a_first_start_waits_for_its_image() {
    let mut small = service(5);
    small.image = Some("small:1".to_owned());
    let mut large = service(5);
    large.image = Some("large:1".to_owned());
    let names = ["large", "small", "same"];
    let mut scenario = scenario(host(2), [(names[0], large), (names[1], small.clone()), (names[2], small)], []);
    let images =
        names.map(|name| (ServiceName::new(name), Bytes::new(if name == "large" { 240 } else { 120 } * 1_000_000)));
    scenario.docker =
        Some(Docker { download: Some(Bytes::new(12_000_000)), images: images.into(), ..Docker::default() });
    let mut world = World::new(&scenario, Seed::new(1));
    world.advance(second(60));
    let mut healthy: Vec<(u64, String)> = world
        .take_incidents()
        .into_iter()
        .filter_map(|(at, incident)| match incident {
            Incident::Changed { service, to: InstanceState::Healthy, .. } => {
                Some((at.since_start().secs(), service.to_string()))
            }
            _ => None,
        })
        .collect();
    healthy.sort();
    let wanted = [(20, "same"), (20, "small"), (30, "large")].map(|(at, name)| (at, name.to_owned()));
    assert_eq!(healthy, wanted);
}

/// A leak of 360 MiB an hour fills 160 MiB after 600 s. With the old control groups the container hangs from then on and
/// holds what it may; with the new ones it is killed like any other.
#[test]
fn who_may_not_be_killed_hangs() {
    for (cgroup, hangs) in [(Some(Cgroup::V1), true), (Some(Cgroup::V2), false), (None, false)] {
        let mut scenario = web(Docker { cgroup, ..Docker::default() });
        let model = scenario.services.get_mut(&ServiceName::new("web")).expect("web");
        model.leak_per_hour = Bytes::mebi(360);
        model.limits.memory = Some(Bytes::mebi(160));
        model.shortage.oom_kill_disabled = true;
        let load = crate::simulation::constant(plimsoll::units::Rate::per_second(10), plimsoll::model::Noise::None);
        scenario.load = [(ServiceName::new("web"), load)].into();
        let mut world = World::new(&scenario, Seed::new(1));
        world.advance(second(700));
        world.sample();
        let hung: Vec<u64> = world
            .take_incidents()
            .iter()
            .filter(|(_, incident)| matches!(incident, Incident::Hung { .. }))
            .map(|(at, _)| at.since_start().secs())
            .collect();
        assert_eq!(hung, if hangs { vec![601] } else { vec![] }, "{cgroup:?}");
        world.advance(second(1000));
        let sample = world.sample();
        let web = &sample.services[0];
        assert_eq!((web.oom_kills, web.restarts), (0, 0), "killed once, before, or never");
        assert_eq!(web.served == 0, hangs, "{cgroup:?}");
        if hangs {
            assert_eq!((web.failed, web.memory), (3_000_000, Bytes::mebi(160)));
        }
    }
}
