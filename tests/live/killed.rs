//! The program is killed in the middle of a deployment, in each of its phases. Requests are answered all the time, and
//! `plimsoll recover` makes an end of it: on where old instances were leaving, back before that.

use crate::deploy::assert_tidy;
use crate::deploy::compose;
use crate::program::begin;
use crate::program::plimsoll;
use crate::program::state;
use crate::support::engine;
use crate::support::load::Paced;
use crate::support::load::wait_served;
use crate::support::project::Project;
use crate::support::proxy;
use crate::support::proxy::Kind;
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const MIB: i64 = 1 << 20;

/// The lines of the only journal.
fn journal(project: &Project) -> String {
    let folder = state(project).join("changes");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
}

/// Waits until the journal says so, without losing time: the last moves take a few milliseconds.
fn wait_for(project: &Project, what: &str) {
    let before = if what.contains("Finish") { "\"Stop\"" } else { what };
    engine::until(&format!("the journal says {before}"), PATIENCE, || {
        let journal = journal(project);
        if journal.contains(before) { Ok(()) } else { Err(journal) }
    });
    while !journal(project).contains(what) {
        std::thread::yield_now();
    }
}

/// Kills a deployment so long after it wrote down what it is about to do, and recovers. New instances are there in the end,
/// or old ones, and so many requests are lost at most.
fn killed(name: &str, after: &str, later: Duration, is_new_in_the_end: bool, most: usize) {
    if !engine::or_skip() {
        return;
    }
    let proxy = Kind::HaproxyChecked.before("app");
    let yaml = compose(2, "", &proxy.service("proxy"));
    let project = Project::up_with(name, &yaml, &[proxy.file("proxy")]);
    project.wait_healthy("app", 2, PATIENCE);
    let to: SocketAddr = (project.ip("proxy"), proxy::PORT).into();
    wait_served(to, 2, PATIENCE);
    let load = Paced::start(to, 100, 8);
    let mut child = begin(&project, "deploy app --memory 96M --interval 500ms --monitor 2s --drain 6s");
    wait_for(&project, after);
    engine::pause(later);
    child.kill().expect("it can be killed");
    child.wait().expect("it ended");
    engine::pause(Duration::from_secs(2));
    let status = plimsoll(&project, "status");
    assert!(status.out.contains("ended in the middle"), "{status:?}");
    let again = plimsoll(&project, "deploy app --memory 128M");
    assert_eq!(again.code, Some(6), "nothing new before the old is over: {again:?}");
    let recover = plimsoll(&project, "recover");
    engine::pause(Duration::from_secs(1));
    let outcome = load.stop();
    println!("{name}: {recover:?}\n  {outcome}");
    assert_eq!(recover.code, Some(if is_new_in_the_end { 0 } else { 7 }), "{recover:?}\n{}", journal(&project));
    let wanted = if is_new_in_the_end { 96 * MIB } else { 64 * MIB };
    for container in assert_tidy(&project, 2) {
        assert_eq!(container.limits.memory, wanted, "{container:?}");
        assert_eq!(container.json["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
        assert!(container.networks.values().any(|network| network.aliases.iter().any(|name| name == "app")));
    }
    assert!(outcome.lost() <= most, "{outcome}");
    let history = plimsoll(&project, "history");
    assert!(history.out.contains("began") && history.out.contains("resumed"), "{history:?}");
}

macro_rules! killed {
    ($($name:ident: $after:expr, $later:expr, new in the end $new:expr, lost at most $most:expr;)*) => { $(
        #[test]
        fn $name() {
            killed(stringify!($name), $after, Duration::from_millis($later), $new, $most);
        }
    )* };
}

// Who is killed in the 50 ms in which an old instance has left its network to join it again under other names leaves it without
// one. The proxy finds out after two checks, a second at most, in which half of the requests go there and wait.
killed! {
    before_it_starts_anything: "\"Began\"", 0, new in the end false, lost at most 0;
    as_it_starts_new_ones: "\"Start\"", 300, new in the end false, lost at most 0;
    as_they_get_healthy: "\"Start\"", 900, new in the end false, lost at most 0;
    as_they_get_traffic: "\"GiveTraffic\"", 100, new in the end false, lost at most 0;
    while_they_are_watched: "\"GiveTraffic\"", 1200, new in the end false, lost at most 0;
    as_old_ones_lose_their_names: "\"Drain\"", 100, new in the end true, lost at most 60;
    while_old_ones_drain: "\"Drain\"", 2000, new in the end true, lost at most 0;
    as_old_ones_stop: "\"Stop\"", 20, new in the end true, lost at most 0;
    at_the_very_end: "\"Finish\"", 0, new in the end true, lost at most 0;
}
