//! What starts containers on this machine: asked of the engine over its socket, with one request, read-only.

use std::fmt;

/// What starts containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Orchestrator {
    /// No engine was found.
    None,
    /// There is an engine, and it did not answer: why.
    Silent(String),
    /// An engine alone.
    Docker(String),
    /// An engine with projects of Compose.
    Compose(String),
    /// A node of a swarm.
    Swarm(String),
}

impl fmt::Display for Orchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no Docker engine found"),
            Self::Silent(why) => write!(f, "a Docker engine that does not answer: {why}"),
            Self::Docker(version) => write!(f, "Docker {version}"),
            Self::Compose(version) => write!(f, "Docker {version} with Compose projects"),
            Self::Swarm(version) => write!(f, "Docker {version} in a swarm"),
        }
    }
}

/// What starts containers here, by `DOCKER_HOST` where it names a socket of this machine, else by the usual socket.
#[cfg(unix)]
#[must_use]
pub fn orchestrator() -> Orchestrator {
    let named = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let socket = match named.as_deref().map(|host| host.strip_prefix("unix://")) {
        None => "/var/run/docker.sock".to_owned(),
        Some(Some(socket)) => socket.to_owned(),
        Some(None) => return Orchestrator::Silent("DOCKER_HOST is not a socket of this machine".to_owned()),
    };
    of(std::path::Path::new(&socket))
}

/// Elsewhere the engine has no socket of this kind.
#[cfg(not(unix))]
#[must_use]
pub fn orchestrator() -> Orchestrator {
    Orchestrator::None
}

#[cfg(unix)]
fn of(socket: &std::path::Path) -> Orchestrator {
    if !socket.exists() {
        return Orchestrator::None;
    }
    let asked = get(socket, "/info").and_then(|info| {
        let version = info["ServerVersion"].as_str().ok_or("the answer has no version")?.to_owned();
        if info["Swarm"]["LocalNodeState"].as_str() == Some("active") {
            return Ok(Orchestrator::Swarm(version));
        }
        let filter = "/containers/json?limit=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%22%5D%7D";
        let projects = get(socket, filter)?;
        let any = projects.as_array().is_some_and(|list| !list.is_empty());
        Ok(if any { Orchestrator::Compose(version) } else { Orchestrator::Docker(version) })
    });
    asked.unwrap_or_else(Orchestrator::Silent)
}

/// One answer as JSON. HTTP 1.0, so that it comes in one piece and the engine hangs up.
#[cfg(unix)]
fn get(socket: &std::path::Path, path: &str) -> Result<serde_json::Value, String> {
    use std::io::Read;
    use std::io::Write;
    let patience = Some(std::time::Duration::from_millis(500));
    let mut stream = std::os::unix::net::UnixStream::connect(socket).map_err(|error| error.to_string())?;
    stream
        .set_read_timeout(patience)
        .and_then(|()| stream.set_write_timeout(patience))
        .map_err(|error| error.to_string())?;
    // In one piece: an engine may answer and hang up once it has the line it wants.
    let request = format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    stream.take(4 << 20).read_to_end(&mut answer).map_err(|error| error.to_string())?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("it hung up")?;
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 200") {
        return Err(format!("it answered `{status}`"));
    }
    serde_json::from_str(body).map_err(|error| error.to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Read;
    use std::io::Write;
    use std::os::unix::net::UnixListener;

    /// An engine that answers each request with the next of these bodies.
    fn engine(bodies: Vec<&'static str>) -> (tempfile::TempDir, std::thread::JoinHandle<Vec<String>>) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let thread = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for body in bodies {
                let (mut stream, _) = listener.accept().expect("a request");
                let mut request = [0; 1024];
                let read = stream.read(&mut request).expect("a request");
                asked.push(String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned());
                write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}").expect("an answer");
            }
            asked
        });
        (folder, thread)
    }

    #[test]
    fn the_engine_is_asked_what_it_is() {
        let plain = r#"{"ServerVersion":"28.2.2","Swarm":{"LocalNodeState":"inactive"}}"#;
        let swarm = r#"{"ServerVersion":"28.2.2","Swarm":{"LocalNodeState":"active"}}"#;
        for (bodies, wanted) in [
            (vec![plain, "[]"], Orchestrator::Docker("28.2.2".to_owned())),
            (vec![plain, r#"[{"Id":"1"}]"#], Orchestrator::Compose("28.2.2".to_owned())),
            (vec![swarm], Orchestrator::Swarm("28.2.2".to_owned())),
        ] {
            let (folder, thread) = engine(bodies);
            assert_eq!(of(&folder.path().join("docker.sock")), wanted);
            let asked = thread.join().expect("an engine");
            assert!(asked.iter().all(|line| line.starts_with("GET ")), "it only reads: {asked:?}");
        }
        let empty = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(of(&empty.path().join("docker.sock")), Orchestrator::None);
    }
}
