//! Which engine is talked to, and how: against the `docker` command, a second engine that wants TLS, an sshd, and
//! sockets that lead nowhere.

#[path = "connect/stage.rs"]
mod stage;

use crate::support::engine;
use crate::support::engine::docker_says;
use crate::support::engine::run;
use crate::support::engine::said;
use crate::support::engine::until;
use crate::support::image;
use bollard::Docker;
use bollard::models::SystemInfo;
use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::EventsOptionsBuilder;
use bollard::query_parameters::KillContainerOptions;
use bollard::query_parameters::ListContainersOptions;
use bollard::query_parameters::RemoveVolumeOptions;
use bollard::query_parameters::StatsOptionsBuilder;
use bollard::query_parameters::WaitContainerOptions;
use futures_util::StreamExt;
use plimsoll::world::live::connect::ConnectError;
use plimsoll::world::live::connect::Endpoint;
use plimsoll::world::live::connect::Origin;
use plimsoll::world::live::connect::Why;
use stage::Authority;
use stage::Engine;
use stage::SshHost;
use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const YEARS: [u32; 2] = [2020, 2049];
const PAST: [u32; 2] = [2020, 2021];
/// Set for a copy of these tests that runs as somebody else.
const DENIED: &str = "PLIMSOLL_TEST_DENIED";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// The choice with these variables only, and no home.
fn choose(asked: Option<&str>, variables: &[(&str, &str)]) -> Result<Endpoint, ConnectError> {
    let known: BTreeMap<&str, &str> = variables.iter().copied().collect();
    Endpoint::choose(asked, &|name| known.get(name).map(|value| (*value).to_owned()), None)
}

fn engine_at(asked: Option<&str>, variables: &[(&str, &str)]) -> Endpoint {
    choose(asked, variables).expect("a choice")
}

async fn reached(endpoint: &Endpoint) -> Result<(Docker, SystemInfo), ConnectError> {
    let docker = endpoint.connect(PATIENCE)?;
    let info = endpoint.reach(&docker).await?;
    Ok((docker, info))
}

/// What is said about an engine that cannot be reached, and why that is.
fn refusal(endpoint: &Endpoint) -> (Why, String) {
    let error = wait(reached(endpoint)).map(|_| ()).expect_err("it cannot be reached");
    let said = error.to_string();
    assert!(!said.contains('\n') && said.contains(&endpoint.url), "{said}");
    match error {
        ConnectError::Unreached { why, .. } => (why, said),
        other => panic!("{other}"),
    }
}

fn assert_holds(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
}

/// A volume is made while events are listened to.
async fn sees_events(docker: &Docker) {
    let filters = BTreeMap::from([("type", vec!["volume"])]).into_iter().collect();
    let mut events = docker.events(Some(EventsOptionsBuilder::new().filters(&filters).build()));
    // Events are sent from when the engine has the request on; volumes are made until one is seen.
    for number in 0..20 {
        let name = format!("plimsoll-test-connect-{}-{number}", std::process::id());
        let volume = VolumeCreateRequest { name: Some(name.clone()), ..Default::default() };
        docker.create_volume(volume).await.expect("a volume");
        docker.remove_volume(&name, None::<RemoveVolumeOptions>).await.expect("no volume");
        if let Ok(event) = tokio::time::timeout(Duration::from_millis(500), events.next()).await {
            event.expect("an event").expect("a good one");
            return;
        }
    }
    panic!("no event came");
}

#[test]
fn the_engine_that_docker_talks_to_is_reached() {
    if !engine::or_skip() {
        return;
    }
    let home = std::env::home_dir();
    let endpoint = Endpoint::choose(None, &|name| std::env::var(name).ok(), home.as_deref()).expect("a choice");
    wait(async {
        let (docker, info) = reached(&endpoint).await.expect("an engine");
        assert_eq!(info.id.expect("an id"), docker_says(&["info", "--format={{.ID}}"]));
        let version = docker_says(&["version", "--format={{.Server.APIVersion}}"]);
        let number = |version: &str| version.split_once('.').and_then(|(_, minor)| minor.parse::<usize>().ok());
        let agreed = docker.client_version().to_string();
        assert_eq!(
            number(&agreed),
            number(&version).min(number(&bollard::API_DEFAULT_VERSION.to_string())),
            "{agreed}"
        );
        docker.list_containers(None::<ListContainersOptions>).await.expect("a list");
        sees_events(&docker).await;
    });
}

#[test]
fn the_choice_is_that_of_the_docker_command() {
    if !stage::have(&["docker"]) {
        return;
    }
    let place = folder();
    let config = place.path().to_str().expect("a path");
    let docker = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new("docker");
        command.args(arguments).env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT").env("DOCKER_CONFIG", config);
        command.envs(variables.iter().copied());
        said(&format!("docker {arguments:?}"), run(&mut command))
    };
    for (name, host) in [("lab", "unix:///run/lab.sock"), ("far", "ssh://ann@far:2222"), ("net", "tcp://net:2375")] {
        docker(&["context", "create", name, "--docker", &format!("host={host}")], &[]);
    }
    let no_host = ("DOCKER_HOST", "");
    let cases: &[&[(&str, &str)]] = &[
        &[],
        &[("DOCKER_CONTEXT", "lab")],
        &[("DOCKER_CONTEXT", "default")],
        &[("DOCKER_CONTEXT", "far"), no_host],
        &[("DOCKER_HOST", "tcp://elsewhere"), ("DOCKER_CONTEXT", "lab")],
        &[("DOCKER_HOST", " ssh://bob@elsewhere ")],
        &[("DOCKER_HOST", "elsewhere")],
        &[("DOCKER_HOST", "elsewhere:77")],
        &[("DOCKER_HOST", "tcp://")],
        &[("DOCKER_HOST", "tcp://:80")],
        &[("DOCKER_HOST", "tcp://[::1]:80")],
        &[("DOCKER_HOST", "tcp://elsewhere/behind/a/proxy")],
        &[("DOCKER_HOST", "tcp://user@elsewhere:1")],
        &[("DOCKER_HOST", "unix://")],
        &[("DOCKER_HOST", "unix:///run/user/1000/docker.sock")],
    ];
    for current in [None, Some("net"), Some("default")] {
        if let Some(current) = current {
            docker(&["context", "use", current], &[]);
        }
        for variables in cases {
            let theirs = docker(&["context", "inspect", "--format={{.Endpoints.docker.Host}}"], variables);
            let mut ours = vec![("DOCKER_CONFIG", config)];
            ours.extend_from_slice(variables);
            assert_eq!(engine_at(None, &ours).url, theirs, "{variables:?}, current context {current:?}");
        }
        for asked in ["lab", "far", "default"] {
            let theirs =
                docker(&["--context", asked, "context", "inspect", "--format={{.Endpoints.docker.Host}}"], &[]);
            assert_eq!(engine_at(Some(asked), &[("DOCKER_CONFIG", config)]).url, theirs);
        }
    }
    let error = choose(Some("leb"), &[("DOCKER_CONFIG", config)]).expect_err("no such context").to_string();
    assert_holds(&error, &["no Docker context `leb`, which --docker names", "known are default, far, lab, net"]);
}

#[test]
fn an_engine_that_wants_tls_is_reached_by_who_it_knows() {
    if !stage::have(&["docker", "dockerd", "openssl"]) || !stage::have_root() {
        return;
    }
    let place = folder();
    let at = |name: &str| place.path().join(name).display().to_string();
    let harbour = Authority::new(place.path(), "harbour");
    let stranger = Authority::new(place.path(), "stranger");
    let mut second = Engine::start(place.path(), &harbour.certify("engine", "serverAuth", YEARS));
    let own = harbour.certify("own", "clientAuth", YEARS).display().to_string();
    let url = format!("tcp://127.0.0.1:{}", second.port);
    let with =
        |certificates: &str| engine_at(Some(&url), &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", certificates)]);

    // One client goes on, although the engine is started anew in between.
    wait(async {
        let endpoint = with(&own);
        let (docker, info) = reached(&endpoint).await.expect("an engine");
        assert_eq!(info.driver.as_deref(), Some("vfs"), "the second engine");
        sees_events(&docker).await;
        second.stop();
        let gone = docker.ping().await.expect_err("no engine").to_string();
        assert_holds(&gone, &[&url, "Connection refused", "dockerd -H tcp://"]);
        second.start_again();
        let again = endpoint.reach(&docker).await.expect("the engine is back");
        assert_eq!(again.id, info.id);
    });

    // The same as a context, also one that does not look at the engine's certificate.
    let config = at("config");
    let variables = [("DOCKER_CONFIG", config.as_str())];
    let files = format!("host={url},ca={own}/ca.pem,cert={own}/cert.pem,key={own}/key.pem");
    let blind = format!("host={url},cert={own}/cert.pem,key={own}/key.pem,skip-tls-verify=true");
    for (name, docker) in [("harbour", &files), ("blind", &blind), ("plain", &format!("host={url}"))] {
        let create = ["context", "create", name, "--docker", docker.as_str()];
        said("docker context create", run(Command::new("docker").args(create).env("DOCKER_CONFIG", &config)));
    }
    for name in ["harbour", "blind"] {
        let endpoint = engine_at(Some(name), &variables);
        assert_eq!((&endpoint.from, endpoint.is_local()), (&Origin::Context(name.to_owned()), false));
        wait(reached(&endpoint)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    wait(reached(&engine_at(Some(&url), &[("DOCKER_TLS", "1"), ("DOCKER_CERT_PATH", &own)])))
        .expect("unverified, as asked");

    // Each mistake is named.
    let mixed = at("mixed");
    stage::shell(
        place.path(),
        "mkdir mixed bare; cp harbour/own/*.pem mixed; cp stranger/ca.pem mixed; cp harbour/ca.pem bare",
    );
    let outsider = stranger.certify("outsider", "clientAuth", YEARS);
    std::fs::copy(place.path().join("harbour/ca.pem"), outsider.join("ca.pem")).expect("a file");
    let late = harbour.certify("late", "clientAuth", PAST).display().to_string();
    for (certificates, parts) in [
        (mixed.as_str(), [&format!("its certificate is not signed by {mixed}/ca.pem"), "get the ca.pem"]),
        (&at("bare"), ["we have no certificate to show", "put cert.pem and key.pem beside ca.pem"]),
        (
            &outsider.display().to_string(),
            ["does not accept our certificate: it is not signed by", "openssl x509 -noout"],
        ),
        (&late, ["does not accept our certificate: it expired", "openssl x509 -noout"]),
    ] {
        for _ in 0..5 {
            let (why, said) = refusal(&with(certificates));
            assert_eq!(why, Why::Certificates, "{said}");
            assert_holds(&said, &parts);
        }
    }
    let (why, said) = refusal(&engine_at(Some(&url), &[]));
    assert_eq!(why, Why::Certificates, "{said}");
    assert_holds(&said, &["it wants TLS, and was spoken to without", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH"]);
    let (_, said) = refusal(&engine_at(Some("plain"), &[("DOCKER_CONFIG", &config)]));
    assert_holds(&said, &["`docker context update --docker host=tcp://127.0.0.1:", "key=... plain`"]);
    let by_name = format!("tcp://localhost:{}", second.port);
    let variables = [("DOCKER_HOST", by_name.as_str()), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &own)];
    let (why, said) = refusal(&engine_at(None, &variables));
    assert_eq!(why, Why::Certificates, "{said}");
    assert_holds(&said, &["(from DOCKER_HOST)", "for another host", "localhost", "127.0.0.1", "subjectAltName"]);
}

#[test]
fn certificates_that_cannot_be_used_are_named_before_anything_is_sent() {
    if !stage::have(&["openssl"]) {
        return;
    }
    let place = folder();
    let harbour = Authority::new(place.path(), "harbour");
    let own = harbour.certify("own", "clientAuth", YEARS);
    let other = harbour.certify("other", "clientAuth", YEARS);
    let said = || {
        let folder = own.display().to_string();
        let variables = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", folder.as_str())];
        let error = engine_at(Some("tcp://127.0.0.1:1"), &variables).connect(PATIENCE).expect_err("unfit certificates");
        assert!(matches!(error, ConnectError::Certificate { .. }), "{error}");
        error.to_string()
    };
    std::fs::copy(other.join("key.pem"), own.join("key.pem")).expect("a file");
    assert_holds(&said(), &["own/cert.pem", "does not go with the key", "own/key.pem"]);
    stage::shell(&own, "openssl pkey -in key.pem -aes128 -passout pass:secret -out locked.pem; mv locked.pem key.pem");
    assert_holds(&said(), &["own/key.pem", "protected by a password"]);
    std::fs::write(own.join("key.pem"), "secret").expect("a file");
    assert_holds(&said(), &["own/key.pem", "holds no private key"]);
    assert!(!said().contains("secret"));
    std::fs::remove_file(own.join("key.pem")).expect("no file");
    assert_holds(&said(), &["own/cert.pem", "go together"]);
    std::fs::write(own.join("ca.pem"), "nothing").expect("a file");
    assert_holds(&said(), &["own/ca.pem", "holds no certificate"]);
    std::fs::remove_file(own.join("ca.pem")).expect("no file");
    assert_holds(&said(), &["own/ca.pem", "No such file", "DOCKER_CERT_PATH"]);
}

#[test]
fn a_server_that_is_no_engine_is_told_from_one() {
    if !stage::have(&["openssl"]) {
        return;
    }
    let place = folder();
    let harbour = Authority::new(place.path(), "harbour");
    let late = harbour.certify("late", "serverAuth", PAST);
    let ca = place.path().join("harbour").display().to_string();
    let tls = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", ca.as_str())];

    let port = stage::free_port();
    let serve = ["s_server", "-quiet", "-cert", "cert.pem", "-key", "key.pem", "-accept"];
    let mut server = Command::new("openssl");
    let mut server = server
        .args(serve)
        .arg(format!("127.0.0.1:{port}"))
        .current_dir(late)
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl starts");
    until("openssl listens", PATIENCE, || {
        std::net::TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())
    });
    let (why, said) = refusal(&engine_at(Some(&format!("tcp://127.0.0.1:{port}")), &tls));
    let _ = server.kill();
    let _ = server.wait();
    assert_eq!(why, Why::Certificates, "{said}");
    assert_holds(&said, &["its certificate expired", "days ago", "make a new one"]);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    // A web server for two guests; then one that is silent.
    let server = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().expect("a guest");
            let mut head = [0; 1024];
            let read = stream.read(&mut head).unwrap_or_default();
            heads.push(engine::text(&head[..read]));
            let page = "<p>Nothing here</p>\n";
            let _ = write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
        (listener, heads)
    });
    let (why, said) = refusal(&engine_at(Some(&url), &tls));
    assert_eq!(why, Why::Certificates, "{said}");
    assert_holds(&said, &["what it says is not TLS", "unset DOCKER_TLS_VERIFY"]);
    let (why, said) = refusal(&engine_at(Some(&format!("{url}/behind/a/proxy")), &[]));
    assert_eq!(why, Why::Answer, "{said}");
    assert_holds(&said, &["it answered 404: <p>Nothing here</p>", "whether a Docker engine listens there"]);
    let (_silent, heads) = server.join().expect("a server");
    assert_holds(&heads[1], &["GET /behind/a/proxy/version HTTP/1.1", &url.replace("tcp://", "host: ")]);
    let endpoint = engine_at(Some(&url), &[]);
    let docker = endpoint.connect(Duration::from_secs(1)).expect("a client");
    let error = wait(endpoint.reach(&docker)).expect_err("silence").to_string();
    assert_holds(&error, &["no answer within 1 s", "see whether `docker info` answers there"]);
    let (why, said) = refusal(&engine_at(Some("tcp://no-such-host.invalid"), &[]));
    assert_eq!(why, Why::Network, "{said}");
    assert_holds(&said, &["tcp://no-such-host.invalid:2375 (from --docker)", "is the name right"]);
}

#[test]
fn an_engine_behind_ssh_is_reached_as_docker_does() {
    if !stage::have(&["docker", "sshd", "ssh", "ssh-keygen"]) || !engine::or_skip() {
        return;
    }
    let place = folder();
    let mut host = SshHost::start(place.path());
    let path = host.path();
    let name = format!("plimsoll-test-connect-{}", std::process::id());
    let sleeper = image::of_debian("sleep", "/bin/sleep", &[]);
    docker_says(&["run", "--detach", "--rm", "--network=none", "--name", &name, &sleeper, "600"]);
    let endpoint = engine_at(Some(&host.url()), &[("PATH", &path)]);
    assert!(!endpoint.is_local());
    wait(async {
        let (docker, info) = reached(&endpoint).await.expect("an engine");
        assert_eq!(info.id.expect("an id"), docker_says(&["info", "--format={{.ID}}"]));
        for _ in 0..30 {
            docker.ping().await.expect("an answer");
        }
        let listed = docker.list_containers(None::<ListContainersOptions>).await.expect("a list");
        assert!(listed.iter().any(|one| one.names.iter().flatten().any(|known| known[1..] == name)));
        assert!(
            host.calls() <= 2,
            "one line carries one request after the other: ssh was started {} times",
            host.calls()
        );
        let mut stats = docker.stats(&name, Some(StatsOptionsBuilder::new().stream(true).build())).take(3);
        for _ in 0..3 {
            let frame = stats.next().await.expect("a frame").expect("a good one");
            docker.ping().await.expect("calls go on beside a stream");
            assert!(frame.memory_stats.and_then(|memory| memory.usage).is_some_and(|usage| usage > 0));
        }
        sees_events(&docker).await;
        // The answer to a call that changes something may come late.
        let mut ended = docker.wait_container(&name, None::<WaitContainerOptions>);
        let first = tokio::time::timeout(Duration::from_millis(300), ended.next()).await;
        assert!(first.is_err(), "it has not ended: {first:?}");
        docker.kill_container(&name, None::<KillContainerOptions>).await.expect("it is killed");
        let code = match ended.next().await.expect("an end") {
            Err(bollard::errors::Error::DockerContainerWaitError { code, .. }) => code,
            other => other.expect("an end").status_code,
        };
        assert_eq!(code, 137);
    });

    let refused = |url: &str, parts: &[&str]| {
        let (why, said) = refusal(&engine_at(Some(url), &[("PATH", &path)]));
        assert_eq!(why, Why::Ssh, "{said}");
        assert_holds(&said, parts);
    };
    let url = host.url();
    refused(&format!("{url}/run/no-engine.sock"), &["/run/no-engine.sock", "is the engine running there?"]);
    host.use_key("bare");
    refused(&url, &["docker: not found", "18.09 or newer"]);
    host.share("bare");
    refused(&url, &["docker: not found", "18.09 or newer"]);
    host.share("own");
    for _ in 0..2 {
        wait(reached(&engine_at(Some(&url), &[("PATH", &path)]))).expect("an engine");
    }
    host.use_key("other");
    let by_hand = format!("-p {} 127.0.0.1` has to work without a password", host.port);
    refused(&url, &["Permission denied (publickey)", &by_hand, "ssh-copy-id"]);
    host.use_key("own");
    host.know("other");
    let again = format!("ssh-keygen -R '[127.0.0.1]:{}'", host.port);
    refused(&url, &["Host key verification failed", "another key than before", &again]);
    host.know("nobody");
    refused(&url, &["Host key verification failed", "its key is not known yet", "compare the key"]);
    host.stop();
    refused(&url, &["Connection refused", "does sshd run there"]);
    refused("ssh://no-such-host.invalid", &["Could not resolve hostname", "is the name right?"]);
    let empty = place.path().display().to_string();
    let (why, said) = refusal(&engine_at(Some(&url), &[("PATH", &empty)]));
    assert_eq!(why, Why::Ssh, "{said}");
    assert_holds(&said, &["cannot start ssh", "openssh-client"]);
}

#[test]
fn an_ssh_that_breaks_is_told_of_and_taken_up_again() {
    if !stage::have(&["docker", "sshd", "ssh", "ssh-keygen", "pgrep", "ps"]) || !engine::or_skip() {
        return;
    }
    let place = folder();
    let mut host = SshHost::start(place.path());
    let endpoint = engine_at(Some(&host.url()), &[("PATH", &host.path())]);
    wait(async {
        let (docker, _) = reached(&endpoint).await.expect("an engine");
        // What serves one line is a child of sshd, and goes on without it. It ends when the line does, and a new one is
        // refused.
        host.stop();
        docker.ping().await.expect("the line that is there goes on");
        let ours = ssh_of_ours(place.path());
        assert!(!ours.is_empty());
        for pid in &ours {
            let group = said("ps", run(Command::new("ps").args(["-o", "pgid=", "-p", pid])));
            assert_eq!(&group, pid, "an interrupt from the terminal does not end it");
            run(Command::new("kill").arg(pid));
        }
        until("they end", PATIENCE, || ssh_of_ours(place.path()).is_empty().then_some(()).ok_or_else(String::new));
        let error = docker.ping().await.expect_err("no line").to_string();
        assert_holds(&error, &["ssh said:", "Connection refused", "does sshd run there", &endpoint.url]);
        host.start_again();
        docker.ping().await.expect("a new line");
    });
    drop(host);
    until("no ssh is left", PATIENCE, || match ssh_of_ours(place.path()) {
        left if left.is_empty() => Ok(()),
        left => Err(left.join(" ")),
    });
}

/// The ssh that this process started for a host in this folder.
fn ssh_of_ours(folder: &Path) -> Vec<String> {
    let config = format!("-F {}/config", folder.display());
    let found = run(Command::new("pgrep").args(["-P", &std::process::id().to_string(), "-f", "--", &config]));
    engine::text(&found.stdout).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_socket_that_leads_nowhere_says_what_to_do() {
    let place = folder();
    let socket = |name: &str| format!("unix://{}", place.path().join(name).display());
    let runtime = place.path().display().to_string();
    let (why, said) = refusal(&engine_at(Some(&socket("none.sock")), &[]));
    assert_eq!(why, Why::Stopped);
    assert_holds(&said, &["No such file", "systemctl start docker", "(from --docker)"]);
    assert!(!said.contains("without root"), "{said}");

    // An engine without root is spoken of, and not taken by itself.
    drop(UnixListener::bind(place.path().join("docker.sock")).expect("a socket"));
    let (_, said) = refusal(&engine_at(Some(&socket("none.sock")), &[("XDG_RUNTIME_DIR", &runtime)]));
    assert_holds(&said, &["use the engine without root: --docker", &socket("docker.sock")]);

    let (why, said) = refusal(&engine_at(Some(&socket("docker.sock")), &[]));
    assert_eq!(why, Why::Stopped);
    assert_holds(&said, &["Connection refused", "nothing listens on it any more", "systemctl start docker"]);
}

#[test]
fn who_may_not_use_a_socket_learns_how_to() {
    let place = folder();
    let open = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
    open(place.path(), 0o755);
    let path = place.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).expect("a socket");
    open(&path, 0o060);
    let url = format!("unix://{}", path.display());
    if let Ok(url) = std::env::var(DENIED) {
        let (why, said) = refusal(&engine_at(Some(&url), &[]));
        assert_eq!(why, Why::Denied);
        assert_holds(
            &said,
            &["Permission denied", "group `root`", "`sudo usermod -aG root nobody`, then log in again"],
        );
    } else if stage::root() {
        // Root may use everything, so somebody else has to try.
        let tests = place.path().join("tests");
        std::fs::copy(std::env::current_exe().expect("these tests"), &tests).expect("a copy");
        open(&tests, 0o755);
        // The names of tests begin after that of the crate.
        let name = module_path!().split_once("::").expect("a module").1;
        let name = format!("{name}::who_may_not_use_a_socket_learns_how_to");
        let mut command = Command::new(tests);
        command.args(["--exact", &name]).env(DENIED, url).uid(65534).gid(65534);
        let told = said("the test as nobody", run(command.current_dir("/")));
        assert_holds(&told, &["1 passed"]);
    } else {
        let (why, said) = refusal(&engine_at(Some(&url), &[]));
        assert_eq!(why, Why::Denied);
        assert_holds(&said, &["Permission denied", "you are in its group"]);
    }
}
