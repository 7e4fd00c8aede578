use super::*;
use crate::model::Host;
use crate::model::Sample;
use crate::model::ServiceSample;
use crate::model::Stack;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use proptest::prelude::*;

fn name(place: usize) -> ServiceName {
    ServiceName::new(&format!("s{place}"))
}

fn demand(needs: &[(u64, u64)], ways: &[(usize, usize, u64)]) -> Demand {
    let need = |(place, (cpu, memory)): (usize, &(u64, u64))| Need {
        service: name(place),
        cpu: Millicores::new(*cpu),
        memory: Bytes::mebi(*memory),
    };
    let way = |(from, to, calls): &(usize, usize, u64)| Way {
        from: name(*from),
        to: name(*to),
        calls: Rate::per_second(*calls),
    };
    Demand {
        needs: needs.iter().enumerate().map(need).collect(),
        ways: ways.iter().map(way).collect(),
        ..Demand::default()
    }
}

fn rooms(count: usize, cpu: u64, memory: u64) -> Vec<Room> {
    vec![Amount { cpu: Millicores::new(cpu), memory: Bytes::mebi(memory) }; count]
}

/// All there is to it: calls between hosts, and how full the fullest is in thousandths, rounded up.
fn worth(demand: &Demand, rooms: &[Room], host_of: &dyn Fn(&ServiceName) -> usize) -> (u64, u64) {
    let between = demand.ways.iter().filter(|way| host_of(&way.from) != host_of(&way.to));
    let cut = between.map(|way| way.calls.get()).sum();
    let full = |host: usize| {
        let there = || demand.needs.iter().filter(|need| host_of(&need.service) == host);
        let cpu: u64 = there().map(|need| need.cpu.get()).sum();
        let memory: u64 = there().map(|need| need.memory.get()).sum();
        (cpu * 1000).div_ceil(rooms[host].cpu.get()).max((memory * 1000).div_ceil(rooms[host].memory.get()))
    };
    (cut, (0..rooms.len()).map(full).max().unwrap_or(0))
}

/// Every assignment there is.
fn brute(demand: &Demand, rules: &Rules, rooms: &[Room]) -> Option<(u64, u64)> {
    let count = demand.needs.len();
    let all = rooms.len().pow(u32::try_from(count).expect("few"));
    let of = |number: usize| -> Vec<usize> {
        (0..count).map(|place| number / rooms.len().pow(u32::try_from(place).expect("few")) % rooms.len()).collect()
    };
    [FULL, Permille::ONE].into_iter().find_map(|full| {
        let allowed = (0..all).map(of).filter(|hosts| {
            let host =
                |name: &ServiceName| demand.needs.iter().position(|need| need.service == *name).map(|at| hosts[at]);
            rules.together.iter().all(|(one, other, _)| host(one) == host(other))
                && rules.apart.iter().all(|(one, other, _)| host(one) != host(other))
                && rules.stay.iter().all(|name| host(name) == Some(0))
        });
        let worths = allowed.map(|hosts| {
            worth(demand, rooms, &|name| {
                hosts[demand.needs.iter().position(|need| need.service == *name).expect("it is there")]
            })
        });
        worths.filter(|worth| worth.1 <= full.get()).min()
    })
}

#[derive(Debug, Clone)]
struct Case {
    demand: Demand,
    rules: Rules,
    rooms: Vec<Room>,
}

fn cases() -> impl Strategy<Value = Case> {
    (2_usize..=7, 2_usize..=3).prop_flat_map(|(count, hosts)| {
        let pair = move || (0..count, 0..count);
        let needs = prop::collection::vec((1_u64..1500, 1_u64..3000), count);
        let ways = prop::collection::vec((pair(), 1_u64..100), 0..8);
        let rules = prop::collection::vec((pair(), 0_u8..6), 0..3);
        (needs, ways, rules, 1500_u64..4000, 3000_u64..6000, prop::bool::ANY).prop_map(
            move |(needs, ways, drawn, cpu, memory, unequal)| {
                let ways: Vec<_> = ways.into_iter().map(|((from, to), calls)| (from, to, calls)).collect();
                let mut rules = Rules::default();
                for ((one, other), kind) in drawn.into_iter().filter(|((one, other), _)| one != other) {
                    match kind {
                        0 | 1 => rules.together.push((name(one), name(other), String::new())),
                        2 | 3 => rules.apart.push((name(one), name(other), String::new())),
                        _ => drop(rules.stay.insert(name(one))),
                    }
                }
                let mut rooms = rooms(hosts, cpu, memory);
                if unequal {
                    rooms[hosts - 1].cpu = Millicores::new(cpu / 2);
                }
                Case { demand: demand(&needs, &ways), rules, rooms }
            },
        )
    })
}

proptest! {
    #[test]
    fn it_is_as_good_as_the_best_of_all_assignments(case in cases()) {
        let Case { demand, rules, rooms } = case;
        let found = assign(&demand, &rules, &rooms);
        let best = brute(&demand, &rules, &rooms);
        match (&found, best) {
            (Ok(found), Some(best)) => {
                prop_assert!(found.proved);
                prop_assert_eq!((found.crossing.get(), found.fullest.get()), best);
                prop_assert_eq!(worth(&demand, &rooms, &|name| found.host_of[name]), best, "as it says");
                prop_assert!(best.1 <= 1000, "no host has more than it can");
                prop_assert_eq!(found.host_of.len(), demand.needs.len());
            }
            (Err(_), None) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn the_order_of_the_services_changes_nothing(
        (case, order) in cases().prop_flat_map(|case| {
            let places: Vec<usize> = (0..case.demand.needs.len()).collect();
            (Just(case), Just(places).prop_shuffle())
        })
    ) {
        let needs = order.iter().map(|place| case.demand.needs[*place].clone()).collect();
        let ways = case.demand.ways.iter().rev().cloned().collect();
        let shuffled = Demand { needs, ways, ..Demand::default() };
        prop_assert_eq!(assign(&shuffled, &case.rules, &case.rooms), assign(&case.demand, &case.rules, &case.rooms));
    }
}

#[test]
fn forty_services_on_four_hosts_come_to_an_end() {
    let needs: Vec<(u64, u64)> = (0..40).map(|place| (100 + place * 37 % 300, 100 + place * 53 % 700)).collect();
    let ways: Vec<(usize, usize, u64)> = (1..40).map(|place| (place / 3, place, 1 + place as u64 * 7 % 50)).collect();
    let (demand, rooms) = (demand(&needs, &ways), rooms(4, 4000, 14_000));
    let found = assign(&demand, &Rules::default(), &rooms).expect("it fits");
    let (cut, fullest) = worth(&demand, &rooms, &|name| found.host_of[name]);
    assert_eq!((found.crossing.get(), found.fullest.get()), (cut, fullest));
    assert!(fullest <= 800, "{fullest}");
    let all: u64 = demand.ways.iter().map(|way| way.calls.get()).sum();
    assert!(cut * 4 < all, "{cut} of {all}: a tree is cut at few places");
}

fn stack(text: &str) -> Stack {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("compose.yaml");
    std::fs::write(&path, text).expect("written");
    let arguments = crate::input::compose::ComposeArgs { files: vec![path], ..Default::default() };
    crate::input::compose::load(&arguments).unwrap_or_else(|problems| panic!("{problems}")).stack
}

#[test]
fn a_compose_file_says_who_belongs_together_and_who_apart() {
    let rules = Rules::of(&stack(
        "services:
  db: { image: postgres:16, volumes: [data:/var/lib/postgresql/data] }
  backup: { image: backup, volumes: ['data:/data:ro'] }
  proxy: { image: nginx, ports: ['80:80'] }
  other: { image: httpd, ports: ['80:8080'] }
  vpn: { image: vpn }
  hidden: { image: web, network_mode: 'service:vpn' }
  agent: { image: agent, volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }
  watcher: { image: watcher, volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }
  api: { image: api, labels: { plimsoll.place.with: db, plimsoll.place.apart: 'proxy, nobody' } }
volumes: { data: {} }
",
    ));
    let pairs = |pairs: &[(ServiceName, ServiceName, String)]| -> Vec<String> {
        let mut pairs: Vec<String> = pairs.iter().map(|(one, other, why)| format!("{one} {other}: {why}")).collect();
        pairs.sort();
        pairs
    };
    assert_eq!(
        pairs(&rules.together),
        [
            "api db: a label puts `api` beside `db`",
            "backup db: both mount `data`",
            "hidden vpn: `hidden` is in the network of `vpn`",
        ]
    );
    assert_eq!(
        pairs(&rules.apart),
        ["api proxy: a label keeps `api` away from `proxy`", "other proxy: both publish port 80"]
    );
}

fn host(name: &str, cores: u32, speed: u64, memory: u64) -> Host {
    let group = crate::model::CoreGroup { count: cores, speed: Permille::percent(speed) };
    Host::bare(name, vec![group], Bytes::gibi(memory))
}

#[test]
fn hosts_are_one_machine_whose_cores_are_divided() {
    let slow = host("slow", 2, 50, 4);
    let fast = host("fast", 4, 100, 8);
    let scenario = two_services(slow.clone());
    let host_of = [(ServiceName::new("web"), 0), (ServiceName::new("db"), 1)].into();
    let assignment = Assignment { host_of, crossing: Rate::ZERO, fullest: Permille::ZERO, proved: true };
    let found = combined(&scenario, &[slow, fast], &assignment, Span::from_millis(1)).expect("together");
    let groups = &found.scenario.host.cores;
    assert_eq!(groups.iter().map(|group| (group.count, group.speed.get())).collect::<Vec<_>>(), [(4, 1000), (2, 500)]);
    let cores = |name: &str| -> Vec<u32> {
        let set = found.scenario.services[&ServiceName::new(name)].cpuset.clone();
        set.expect("pinned").cores().collect()
    };
    assert_eq!((cores("web"), cores("db")), (vec![4, 5], vec![0, 1, 2, 3]), "the fastest cores come first");
    assert_eq!(found.scenario.host.memory, Bytes::gibi(12));
    let call = &found.scenario.services[&ServiceName::new("web")].work.calls[0];
    assert_eq!(call.hop, Span::from_millis(1), "the way to another machine is longer");
}

/// The memory of one host is not that of another: three gigabytes on one of two with two are too much.
#[test]
fn a_host_that_runs_out_of_memory_is_noticed_beside_one_with_room() {
    let small = host("small", 2, 100, 2);
    let scenario = two_services(small.clone());
    let host_of = [(ServiceName::new("web"), 0), (ServiceName::new("db"), 1)].into();
    let assignment = Assignment { host_of, crossing: Rate::ZERO, fullest: Permille::ZERO, proved: true };
    let found = combined(&scenario, &[small.clone(), small], &assignment, Span::ZERO).expect("together");
    let mut watch = PerHost::new(&found);
    let sample = |memory: u64| Sample {
        at: Instant::after_start(Span::from_mins(1)),
        span: Span::from_mins(1),
        host: crate::model::HostSample::default(),
        // By name: `db`, then `web`.
        services: vec![
            ServiceSample { memory: Bytes::gibi(memory), ..ServiceSample::default() },
            ServiceSample { memory: Bytes::mebi(100), ..ServiceSample::default() },
        ],
    };
    watch.take(&sample(1));
    assert_eq!(watch.ran_out(), None);
    watch.take(&sample(3));
    assert_eq!(watch.ran_out().map(|(host, _)| host), Some(1));
    assert_eq!(watch.shares()[1].1, Permille::new(1500));
}

/// `web`, which calls `db` once for each request.
fn two_services(host: Host) -> crate::model::Scenario {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("compose.yaml", "services: { web: { image: nginx:1.27 }, db: { image: postgres:16 } }\n");
    write(
        "scenario.yaml",
        "scenario: two\nstack: compose.yaml\nhost: small-vps\nduration: 1h\nservices: { web: { work: { cpu: 1ms, calls: { db: 1 } } } }\n",
    );
    let path = folder.path().join("scenario.yaml");
    let loaded = crate::input::scenario::load(&path, &Default::default());
    let scenario = loaded.unwrap_or_else(|problems| panic!("{problems}")).scenario;
    crate::model::Scenario { host, warmup: Span::ZERO, ..scenario }
}
