//! Addresses of engines, read as the `docker` command reads them.

use std::fmt;
use std::path::PathBuf;

/// Where engines usually listen.
const SOCKET: &str = "/var/run/docker.sock";
const PORT: u16 = 2375;
const HTTPS: u16 = 443;

/// What is wrong with an address, and what to do.
pub(super) type Unfit = (String, String);

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A socket of this machine.
    Socket(PathBuf),
    /// A port of a host.
    Net {
        /// Its name, or its number without brackets.
        host: String,
        port: u16,
        /// What comes before all paths: empty, or `/prefix`.
        base: String,
        /// The address itself asks for TLS.
        secure: bool,
    },
    /// What `docker system dial-stdio` reaches on another host.
    Ssh(Ssh),
}

/// A host that is reached with ssh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ssh {
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The socket of the engine there, where it is not the one that `docker` takes there.
    pub(super) socket: Option<String>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Net { host, port, base, secure } => {
                let scheme = if *secure { "https" } else { "tcp" };
                write!(f, "{scheme}://{}:{port}{base}", bracketed(host))
            }
            Self::Ssh(Ssh { user, host, port, socket }) => {
                let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                write!(f, "ssh://{user}{}{port}{}", bracketed(host), socket.as_deref().unwrap_or_default())
            }
        }
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

impl Address {
    /// Reads an address. Without a scheme it is a host of the network, with or without a port.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(super) fn parse(given: &str) -> Result<Self, Unfit> {
        let given = given.trim();
        let Some((scheme, rest)) = given.split_once("://") else {
            if given.starts_with('/') {
                return Err(("it is a path".to_owned(), format!("for a socket write unix://{given}")));
            }
            return Self::net(given, PORT, false);
        };
        match scheme {
            "unix" if rest.is_empty() => Ok(Self::Socket(PathBuf::from(SOCKET))),
            "unix" if rest.contains("://") => Err(unfit("it holds two schemes")),
            "unix" => Ok(Self::Socket(PathBuf::from(rest))),
            "tcp" | "http" => Self::net(rest, PORT, false),
            "https" => Self::net(rest, HTTPS, true),
            "ssh" => Self::ssh(rest),
            "npipe" => Err(unfit("named pipes are not supported")),
            _ => Err(unfit(&format!("`{scheme}` is no way to an engine"))),
        }
    }

    fn net(rest: &str, usual: u16, secure: bool) -> Result<Self, Unfit> {
        let (authority, path) = split_path(rest)?;
        // `docker` has no use for a user either.
        let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = host_and_port(place)?;
        let host = if host.is_empty() { "localhost" } else { host };
        let base = path.trim_end_matches('/').to_owned();
        Ok(Self::Net { host: host.to_owned(), port: port.unwrap_or(usual), base, secure })
    }

    fn ssh(rest: &str) -> Result<Self, Unfit> {
        let (authority, path) = split_path(rest)?;
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            let next =
                "leave the password out and let ssh use a key: ssh://USER@HOST, with `ssh-copy-id USER@HOST` before";
            return Err(("ssh takes no password from an address".to_owned(), next.to_owned()));
        }
        // The user is handed to ssh and may come from a file somebody sent.
        let odd = |c: char| c.is_whitespace() || c.is_control() || "'\"`;|&<>(){}$*?!".contains(c);
        if user.is_some_and(|user| user.is_empty() || user.starts_with('-') || user.contains(odd)) {
            return Err(unfit("the name of the user is not one"));
        }
        let (host, port) = host_and_port(place)?;
        if host.is_empty() {
            return Err(unfit("it names no host"));
        }
        let socket = Some(path).filter(|path| !path.trim_matches('/').is_empty()).map(str::to_owned);
        Ok(Self::Ssh(Ssh { user: user.map(str::to_owned), host: host.to_owned(), port, socket }))
    }
}

/// The part before the first `/`, and the rest.
fn split_path(rest: &str) -> Result<(&str, &str), Unfit> {
    if rest.contains(['?', '#']) || rest.contains("://") {
        return Err(unfit("it holds more than a host, a port and a path"));
    }
    Ok(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// The host without brackets, and the port where there is one.
fn host_and_port(place: &str) -> Result<(&str, Option<u16>), Unfit> {
    let (host, port) = match place.strip_prefix('[') {
        Some(number) => {
            let (host, after) = number.split_once(']').ok_or_else(|| unfit("the bracket `[` is not closed"))?;
            (host, after.strip_prefix(':').unwrap_or(after))
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let port = match port {
        "" => None,
        port => match port.parse() {
            Ok(port) => Some(port),
            Err(_) => return Err(unfit(&format!("`{port}` is no port"))),
        },
    };
    let known = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%');
    if host.starts_with('-') || !host.chars().all(known) {
        return Err(unfit(&format!("`{host}` is no name of a host")));
    }
    Ok((host, port))
}

fn unfit(said: &str) -> Unfit {
    (said.to_owned(), "write unix:///var/run/docker.sock, tcp://HOST:2375 or ssh://USER@HOST".to_owned())
}

/// What was given, with stars for what may be secret. A password may hold anything, so everything up to the last `@`
/// counts.
pub(super) fn without_password(given: &str) -> String {
    let (scheme, rest) =
        given.split_once("://").map_or(("", given), |(scheme, rest)| (&given[..scheme.len() + 3], rest));
    let (user, place) = rest.rsplit_once('@').map_or(("", rest), |(user, _)| rest.split_at(user.len() + 1));
    let user = user.split_once(':').map_or_else(|| user.to_owned(), |(user, _)| format!("{user}:***@"));
    let place = place.split_once('?').map_or_else(|| place.to_owned(), |(place, _)| format!("{place}?***"));
    format!("{scheme}{user}{place}")
}
