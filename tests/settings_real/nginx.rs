use crate::large;
use crate::process::Running;
use crate::process::get;
use crate::process::output;
use crate::process::port;
use crate::process::server;
use crate::room;
use crate::small;
use plimsoll::model::DiskKind;
use plimsoll::model::Software;
use plimsoll::plan::settings;
use plimsoll::plan::settings::Room;
use plimsoll::plan::settings::Setting;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use std::path::Path;
use std::process::Command;

#[test]
fn nginx_takes_its_settings() {
    let Some(program) = server("nginx") else { return };
    let planned = room(Bytes::mebi(256), Millicores::new(200), DiskKind::Nvme);
    for (room, workers, connections) in [(small(), 1, 512), (planned, 1, 2048), (large(), 64, 2048)] {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("nginx.conf");
        let port = port();
        std::fs::write(&config, written(&room, folder.path(), port)).expect("it can be written");
        let nginx = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.arg("-p").arg(folder.path()).arg("-c").arg(&config).args(arguments);
            command
        };
        let understood = output(&mut nginx(&["-T"]));
        assert!(understood.contains("test is successful"), "{understood}");
        assert!(understood.contains(&format!("worker_processes {workers};")), "{understood}");
        assert!(understood.contains(&format!("worker_connections {connections};")), "{understood}");

        let running = Running::start(nginx(&["-g", "daemon off;"]), Some(nginx(&["-s", "quit"])));
        for _ in 0..workers {
            running.wait_for("start worker process ");
        }
        let answer = get(port, "/");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nafloat"), "{answer}");
    }
}

/// With `auto`, which a room without a CPU limit gets, as many workers as the kernel says cores are online.
#[test]
fn nginx_counts_the_cores_of_the_host_by_itself() {
    let Some(program) = server("nginx") else { return };
    let online = output(Command::new("getconf").arg("_NPROCESSORS_ONLN"));
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("nginx.conf");
    let room = Room { cpu: None, ..small() };
    std::fs::write(&config, written(&room, folder.path(), port())).expect("it can be written");
    let nginx = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&config).args(arguments);
        command
    };
    let running = Running::start(nginx(&["-g", "daemon off;"]), Some(nginx(&["-s", "quit"])));
    for _ in 0..online.trim().parse::<u32>().expect("a number") {
        running.wait_for("start worker process ");
    }
}

/// A configuration with the settings in their sections, beside what a test needs.
fn written(room: &Room, folder: &Path, port: u16) -> String {
    let settings = settings::settings(Software::Nginx, room);
    let section = |name: &str| -> String {
        let line = |setting: &Setting| {
            let (section, directive) = setting.name.split_once('.').unwrap_or(("", &setting.name));
            (section == name).then(|| format!("{directive} {};\n", setting.value))
        };
        settings.iter().filter_map(line).collect()
    };
    let folder = folder.display();
    format!(
        "pid {folder}/nginx.pid;\nerror_log stderr notice;\n{}events {{\n{}}}\nhttp {{\n{}access_log off;\n\
         client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\nfastcgi_temp_path {folder}/fastcgi;\n\
         uwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 afloat; }} }}\n}}\n",
        section(""),
        section("events"),
        section("http"),
    )
}
