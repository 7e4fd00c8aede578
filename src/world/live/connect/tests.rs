use super::address::without_password;
use super::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

const LAB: &str =
    r#"{"Name":"lab","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/lab.sock","SkipTLSVerify":false}}}"#;
const PROD: &str =
    r#"{"Name":"prod","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://prod:2376","SkipTLSVerify":false}}}"#;
const OPEN: &str =
    r#"{"Name":"open","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://open:2376","SkipTLSVerify":true}}}"#;

/// A home with these files below `.docker`.
fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    for (name, content) in files {
        let path = home.path().join(".docker").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    home
}

fn choose(asked: Option<&str>, variables: &[(&str, &str)], home: &TempDir) -> Result<Endpoint, ConnectError> {
    let known: BTreeMap<&str, &str> = variables.iter().copied().collect();
    Endpoint::choose(asked, &|name| known.get(name).map(|value| (*value).to_owned()), Some(home.path()))
}

fn named(asked: Option<&str>, variables: &[(&str, &str)], home: &TempDir) -> String {
    choose(asked, variables, home).map_or_else(|error| error.to_string(), |endpoint| endpoint.named())
}

#[test]
fn what_is_said_most_plainly_is_chosen() {
    let home = home(&[
        ("config.json", r#"{"currentContext":"lab"}"#),
        ("contexts/meta/1/meta.json", LAB),
        ("contexts/meta/2/meta.json", PROD),
    ]);
    let all = [("DOCKER_HOST", "tcp://there"), ("DOCKER_CONTEXT", "prod")];
    let named = |asked, variables| named(asked, variables, &home);
    assert_eq!(named(Some("ssh://ann@far"), &all), "ssh://ann@far (from --docker)");
    assert_eq!(named(Some("lab"), &all), "unix:///run/lab.sock (context `lab`)");
    assert_eq!(named(None, &all), "tcp://there:2375 (from DOCKER_HOST)");
    assert_eq!(named(None, &all[1..]), "tcp://prod:2376 (context `prod`)");
    assert_eq!(named(None, &[]), "unix:///run/lab.sock (context `lab`)");
    assert_eq!(named(None, &[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", " ")]), "unix:///run/lab.sock (context `lab`)");
    // The default context is everything but a context.
    assert_eq!(named(None, &[("DOCKER_CONTEXT", "default")]), "unix:///var/run/docker.sock (the usual one)");
    assert_eq!(named(Some("default"), &all), "tcp://there:2375 (from DOCKER_HOST)");
    // Another configuration has other contexts.
    let elsewhere = [("DOCKER_CONFIG", "/nowhere")];
    assert_eq!(named(None, &elsewhere), "unix:///var/run/docker.sock (the usual one)");
    assert_eq!(
        named(Some("prod"), &elsewhere),
        "there is no Docker context `prod`, which --docker names; known are default: choose one of them, or give an \
         address such as ssh://prod or tcp://prod:2375"
    );
    assert!(choose(Some("lab"), &[], &home).expect("a choice").is_local());
    assert!(!choose(Some("prod"), &[], &home).expect("a choice").is_local());
}

#[test]
fn a_context_that_is_not_there_is_looked_for_by_whoever_named_it() {
    let files = [
        ("config.json", r#"{"currentContext":"lap"}"#),
        ("contexts/meta/1/meta.json", LAB),
        ("contexts/meta/2/meta.json", PROD),
    ];
    let place = home(&files);
    let said = named(None, &[], &place);
    let config = place.path().join(".docker/config.json");
    assert!(said.starts_with(&format!("there is no Docker context `lap`, which {} names", config.display())), "{said}");
    assert!(said.contains("known are default, lab, prod:"), "{said}");
    let said = named(None, &[("DOCKER_CONTEXT", "lob")], &place);
    assert!(said.starts_with("there is no Docker context `lob`, which DOCKER_CONTEXT names"), "{said}");
}

#[test]
fn a_configuration_that_cannot_be_read_stops_who_relies_on_it() {
    let broken = home(&[("config.json", "{"), ("contexts/meta/1/meta.json", LAB), ("contexts/meta/2/meta.json", "no")]);
    let said = named(None, &[], &broken);
    assert!(said.contains(".docker/config.json: EOF") && said.contains("name the engine with --docker"), "{said}");
    assert_eq!(named(None, &[("DOCKER_HOST", "unix://")], &broken), "unix:///var/run/docker.sock (from DOCKER_HOST)");
    assert_eq!(named(Some("lab"), &[], &broken), "unix:///run/lab.sock (context `lab`)");
    // It may be in the file that is broken.
    let said = named(Some("prod"), &[], &broken);
    assert!(said.contains("contexts/meta/2/meta.json: expected"), "{said}");
    let other = home(&[("contexts/meta/1/meta.json", r#"{"Name":"k8s","Endpoints":{"kubernetes":{}}}"#)]);
    assert!(named(Some("k8s"), &[], &other).contains("the context has no Docker engine"));
}

#[test]
fn certificates_are_those_of_the_context_or_of_the_variables() {
    let home = home(&[
        ("contexts/meta/1/meta.json", LAB),
        ("contexts/meta/2/meta.json", PROD),
        ("contexts/meta/3/meta.json", OPEN),
        ("contexts/tls/2/docker/ca.pem", ""),
        ("contexts/tls/2/docker/cert.pem", ""),
        ("contexts/tls/2/docker/key.pem", ""),
        ("ca.pem", ""),
        ("own/cert.pem", ""),
        ("own/key.pem", ""),
    ]);
    let docker = home.path().join(".docker");
    let files = |folder: PathBuf, ca: bool, own: bool, skip_verify| {
        let file = |is: bool, name: &str| is.then(|| folder.join(name));
        Some(Tls { ca: file(ca, "ca.pem"), cert: file(own, "cert.pem"), key: file(own, "key.pem"), skip_verify })
    };
    let tls = |asked, variables: &[(&str, &str)]| choose(Some(asked), variables, &home).expect("a choice").tls;
    let verify = ("DOCKER_TLS_VERIFY", "1");
    assert_eq!(tls("prod", &[verify]), files(docker.join("contexts/tls/2/docker"), true, true, false));
    assert_eq!(tls("open", &[]), files(docker.clone(), false, false, true));
    assert_eq!(tls("lab", &[verify]), None);
    assert_eq!(tls("tcp://net", &[]), None);
    assert_eq!(tls("tcp://net", &[verify]), files(docker.clone(), true, false, false));
    let own = docker.join("own");
    let path = ("DOCKER_CERT_PATH", own.to_str().expect("a path"));
    assert_eq!(tls("tcp://net", &[verify, path]), files(own.clone(), true, true, false));
    assert_eq!(tls("tcp://net", &[("DOCKER_TLS", "1"), path]), files(own.clone(), false, true, true));
    assert_eq!(tls("ssh://net", &[verify, path]), None);
    assert_eq!(tls("https://net", &[]), files(docker, false, false, false));
    // Who wants TLS and says not from where means this one, as `docker` does.
    assert_eq!(named(None, &[verify], &home), "tcp://localhost:2376 (the usual one)");
}

#[test]
fn addresses_are_read_as_docker_reads_them() {
    for (given, url) in [
        ("unix://", "unix:///var/run/docker.sock"),
        (" unix:///run/user/1000/docker.sock ", "unix:///run/user/1000/docker.sock"),
        ("tcp://", "tcp://localhost:2375"),
        ("tcp://:80", "tcp://localhost:80"),
        ("net:80", "tcp://net:80"),
        ("http://net/behind/", "tcp://net:2375/behind"),
        ("https://net", "https://net:443"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("tcp://[::1]:80", "tcp://[::1]:80"),
        ("tcp://ann:secret@net:80", "tcp://net:80"),
        ("ssh://far", "ssh://far"),
        ("ssh://ann@far:2222/", "ssh://ann@far:2222"),
        ("ssh://ann@harbour@[::1]:22/run/docker.sock", "ssh://ann@harbour@[::1]:22/run/docker.sock"),
    ] {
        assert_eq!(Address::parse(given).map(|address| address.to_string()).as_deref(), Ok(url), "{given}");
    }
    for (given, said) in [
        ("/var/run/docker.sock", "it is a path; for a socket write unix:///var/run/docker.sock"),
        ("ftp://net", "`ftp` is no way to an engine; write unix:///"),
        ("npipe:////./pipe/docker_engine", "named pipes are not supported; write unix:///"),
        ("net:docker", "`docker` is no port"),
        ("tcp://net:99999", "`99999` is no port"),
        ("tcp://unix:///x", "it holds more than a host, a port and a path"),
        ("tcp://net?token=secret", "it holds more than a host, a port and a path"),
        ("unix://unix:///x", "it holds two schemes"),
        ("tcp://[::1:80", "the bracket `[` is not closed"),
        ("ssh://", "it names no host"),
        ("ssh://-oProxyCommand=reboot", "`-oProxyCommand=reboot` is no name of a host"),
        ("ssh://far;reboot", "`far;reboot` is no name of a host"),
        ("ssh://$(reboot)@far", "the name of the user is not one"),
        ("ssh://-x@far", "the name of the user is not one"),
        ("ssh://ann:secret@far", "ssh takes no password from an address; leave the password out"),
    ] {
        let (what, next) = Address::parse(given).expect_err(given);
        assert!(format!("{what}; {next}").starts_with(said), "{given}: {what}; {next}");
    }
}

#[test]
fn no_secret_is_repeated() {
    for (given, shown) in [
        ("ssh://ann:secret@far", "ssh://ann:***@far"),
        ("ssh://ann:sec@ret/secret@far:22/x", "ssh://ann:***@far:22/x"),
        ("tcp://:secret@net:x", "tcp://:***@net:x"),
        ("ann:secret@net", "ann:***@net"),
        ("tcp://net:1?token=secret", "tcp://net:1?***"),
        ("ssh://ann@far:22", "ssh://ann@far:22"),
        ("tcp://[::1]:80", "tcp://[::1]:80"),
    ] {
        assert_eq!(without_password(given), shown);
        let nobody = home(&[]);
        let choice = choose(Some(given), &[], &nobody);
        let said = choice.as_ref().map_or_else(ToString::to_string, |endpoint| endpoint.named());
        assert!(!format!("{said}{choice:?}").contains("secret"), "{said}");
    }
}

#[test]
fn what_ssh_says_leads_to_what_to_do() {
    let host = |port| address::Ssh { user: Some("ann".to_owned()), host: "far".to_owned(), port, socket: None };
    let changed = "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\nHost key verification failed.";
    for (said, words, next) in [
        (
            "ann@far: Permission denied (publickey,password).",
            "ann@far: Permission denied",
            "`ssh -l ann far` has to work without",
        ),
        (
            "Welcome\nto\nthe\nharbour\nbash: line 1: docker: command not found",
            "harbour; bash: line 1: docker",
            "18.09 or newer",
        ),
        (changed, "ssh said: Host key verification failed.", "another key than before"),
        ("Host key verification failed.", "failed.", "run `ssh -l ann far` once"),
        ("ssh: connect to host far port 22: Connection timed out", "port 22", "does sshd run there"),
        ("dial unix /var/run/docker.sock: connect: permission denied", "dial unix", "a member of the group `docker`"),
        ("dial unix /var/run/docker.sock: connect: connection refused", "dial unix", "is the engine running there?"),
        ("Something new", "ssh said: Something new", "try `ssh -l ann far docker version`"),
        ("", "ssh ended without a word", "try `ssh"),
    ] {
        let (told, to_do) = ssh::explain(said, &host(None));
        assert!(told.contains(words) && to_do.contains(next), "{said}: {told}; {to_do}");
        assert!(!told.contains('\n'));
    }
    let (_, to_do) = ssh::explain("Permission denied (publickey).", &host(Some(2222)));
    assert!(to_do.starts_with("`ssh -l ann -p 2222 far`"), "{to_do}");
}
