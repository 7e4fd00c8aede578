//! Which Docker engine is meant, and a client that talks to it. Before you change it:
//! 1. The choice is that of the `docker` command, so that both always mean the same engine. There is one exception: a
//!    configuration that cannot be read stops us, where `docker` warns and takes the usual socket. We change
//!    containers.
//! 2. bollard's own ways to connect are not used. Over ssh it takes no port, accepts any new host key and keeps to
//!    itself what ssh said; over TLS it cannot leave the engine unchecked, and trusts all public authorities beside the
//!    given one. What it is given instead is `line`.
//! 3. Nothing is sent before the first call. [`Endpoint::reach`] is that call.
//! 4. Nothing here prints a password or what is in a key; an address with a password in it is refused without repeating
//!    it.

mod address;
mod context;
mod failure;
mod line;
#[cfg(unix)]
mod socket;
mod ssh;
#[cfg(test)]
mod tests;
mod tls;

pub use failure::ConnectError;
pub use failure::Why;

use address::Address;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::SystemInfo;
use hyper::body::Bytes;
use line::Wire;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The first answer has to come within this time. Longer than any step of connecting may take, so that the step that
/// fails is what is spoken of.
const FIRST_ANSWER: Duration = Duration::from_secs(30);

/// Where an engine is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address, in full and without a password: `unix:///var/run/docker.sock`, `tcp://host:2375`,
    /// `https://host:443`, `ssh://user@host`.
    pub url: String,
    /// Who named it.
    pub from: Origin,
    /// How it and we prove who we are, where it is reached over the network.
    pub tls: Option<Tls>,
    address: Address,
    /// Where programs such as `ssh` are looked for; as for every program where not given.
    programs: Option<String>,
    /// Where the socket of an engine without root would be.
    rootless: Option<PathBuf>,
}

/// Who named an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The option `--docker`, with an address.
    Option,
    /// The variable `DOCKER_HOST`.
    Environment,
    /// The context of this name.
    Context(String),
    /// Nobody: it is the usual one.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("from --docker"),
            Self::Environment => f.write_str("from DOCKER_HOST"),
            Self::Context(name) => write!(f, "context `{name}`"),
            Self::Default => f.write_str("the usual one"),
        }
    }
}

/// How an engine and we prove who we are: files with certificates in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who may have signed the engine's certificate; the authorities of this system where not given.
    pub ca: Option<PathBuf>,
    /// Our certificate; none is shown where not given.
    pub cert: Option<PathBuf>,
    /// The key of our certificate.
    pub key: Option<PathBuf>,
    /// Any certificate of the engine will do.
    pub skip_verify: bool,
}

impl Endpoint {
    /// Chooses as the `docker` command does: what is asked for (an address or the name of a context), `DOCKER_HOST`,
    /// `DOCKER_CONTEXT`, the current context of `config.json`, the usual socket. Variables that are empty count as not
    /// set.
    ///
    /// # Errors
    /// What was named and is no address, a context that is not there, a configuration that cannot be read.
    pub fn choose(
        asked: Option<&str>,
        env: &dyn Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<Self, ConnectError> {
        let env = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let folder = env("DOCKER_CONFIG").map(PathBuf::from).or_else(|| home.map(|home| home.join(".docker")));
        let config = folder.unwrap_or_else(|| PathBuf::from(".docker"));
        let asked = asked.map(str::trim).filter(|asked| !asked.is_empty());
        let chosen = match asked {
            Some(address) if !context::is_name(address) => Self::at(address, Origin::Option, env_tls(&env, &config)),
            Some(context::DEFAULT) => Self::of_environment(&env, &config),
            Some(name) => Self::of_context(name, "--docker", &config),
            None if env("DOCKER_HOST").is_some() => Self::of_environment(&env, &config),
            None => match (env("DOCKER_CONTEXT"), context::current(&config)) {
                (Some(name), _) if name == context::DEFAULT => Self::of_environment(&env, &config),
                (Some(name), _) => Self::of_context(&name, "DOCKER_CONTEXT", &config),
                (None, current) => match current? {
                    Some(name) => Self::of_context(&name, &config.join(context::CONFIG).display().to_string(), &config),
                    None => Self::of_environment(&env, &config),
                },
            },
        };
        let rootless = env("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("docker.sock"));
        Ok(Self { programs: env("PATH"), rootless, ..chosen? })
    }

    /// What is meant where no context is.
    fn of_environment(env: &dyn Fn(&str) -> Option<String>, config: &Path) -> Result<Self, ConnectError> {
        let tls = env_tls(env, config);
        match env("DOCKER_HOST") {
            Some(address) => Self::at(&address, Origin::Environment, tls),
            // So it is with `docker`: who asks for TLS and for no address means this one.
            None if tls.is_some() => Self::at("tcp://localhost:2376", Origin::Default, tls),
            None => Self::at("unix://", Origin::Default, None),
        }
    }

    fn of_context(name: &str, by: &str, config: &Path) -> Result<Self, ConnectError> {
        let found = context::find(name, by, config)?;
        Self::at(&found.host, Origin::Context(name.to_owned()), found.tls)
    }

    fn at(given: &str, from: Origin, tls: Option<Tls>) -> Result<Self, ConnectError> {
        let unfit = |(said, next)| {
            let given = address::without_password(given);
            ConnectError::Address { given, from: from.clone(), said, next }
        };
        let address = Address::parse(given).map_err(unfit)?;
        let tls = match &address {
            Address::Net { secure: true, .. } => {
                Some(tls.unwrap_or(Tls { ca: None, cert: None, key: None, skip_verify: false }))
            }
            Address::Net { .. } => tls,
            Address::Socket(_) | Address::Ssh(_) => None,
        };
        Ok(Self { url: address.to_string(), from, tls, address, programs: None, rootless: None })
    }

    /// Whether it is reached over a socket of this machine. Such a socket may still lead elsewhere: into a virtual
    /// machine, as with Docker Desktop, or to another host.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.address, Address::Socket(_))
    }

    /// A client; nothing is sent yet. Each of its calls has to be answered within `timeout`, in whole seconds, and
    /// needs a tokio runtime with time and I/O.
    ///
    /// # Errors
    /// Certificates that are not there or do not fit.
    pub fn connect(&self, timeout: Duration) -> Result<Docker, ConnectError> {
        let tls = self.tls.as_ref().map(|tls| tls::config(tls, &self.named())).transpose()?;
        let wire = Arc::new(Wire::new(self.clone(), tls, || bollard::body_full(Bytes::new())));
        let transport = move |request| Wire::send(Arc::clone(&wire), request);
        let seconds = timeout.as_secs().max(1);
        // The host is of no use: requests go where the line leads.
        Docker::connect_with_custom_transport(transport, Some("http://docker"), seconds, bollard::API_DEFAULT_VERSION)
            .map_err(|error| self.explain(&error, timeout))
    }

    /// Makes the first calls: which version both sides know, and what the engine is. Afterwards
    /// `docker.client_version()` says the version that was agreed on, in all clones of the client. bollard 0.21 sends
    /// paths without a version, so the engine answers in its own newest form; the version tells what it can do.
    ///
    /// # Errors
    /// What is in the way, with the way out.
    pub async fn reach(&self, docker: &Docker) -> Result<SystemInfo, ConnectError> {
        let first = async {
            docker.clone().negotiate_version().await?;
            docker.info().await
        };
        let limit = FIRST_ANSWER.min(docker.timeout());
        match tokio::time::timeout(limit, first).await {
            Ok(answer) => answer.map_err(|error| self.explain(&error, limit)),
            Err(_) => Err(self.late(limit)),
        }
    }

    /// Its address, and who named it.
    fn named(&self) -> String {
        format!("{} ({})", self.url, self.from)
    }

    fn unreached(&self, why: Why, said: impl Into<String>, next: impl Into<String>) -> ConnectError {
        ConnectError::Unreached { at: self.named(), why, said: said.into(), next: next.into() }
    }

    fn late(&self, limit: Duration) -> ConnectError {
        let said = format!("no answer within {} s", limit.as_secs());
        self.unreached(Why::Late, said, "see whether `docker info` answers there, and how busy that host is")
    }

    /// What bollard says about a first call, in our words.
    fn explain(&self, error: &Error, limit: Duration) -> ConnectError {
        match error {
            Error::IOError { err } => match err.get_ref().and_then(|inner| inner.downcast_ref::<ConnectError>()) {
                Some(ours) => ours.clone(),
                None => self.unreached(Why::Answer, err.to_string(), "see what the log of the engine says"),
            },
            Error::DockerResponseServerError { message, .. } if message.contains("HTTP request to an HTTPS server") => {
                let files = format!("`docker context update --docker host={},ca=...,cert=...,key=...", self.url);
                let next = match &self.from {
                    Origin::Context(name) => format!("{files} {name}`"),
                    _ => "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem"
                        .to_owned(),
                };
                self.unreached(Why::Certificates, "it wants TLS, and was spoken to without", next)
            }
            Error::DockerResponseServerError { status_code, message } => {
                let said = format!("it answered {status_code}: {}", message.trim().lines().next().unwrap_or_default());
                self.unreached(
                    Why::Answer,
                    said,
                    "see whether a Docker engine listens there, and whether you may use it",
                )
            }
            Error::RequestTimeoutError => self.late(limit),
            other => {
                let said = failure::to_the_root(other);
                self.unreached(Why::Answer, said, "see whether it is a Docker engine that listens there")
            }
        }
    }
}

/// What the variables for TLS ask for.
fn env_tls(env: &dyn Fn(&str) -> Option<String>, config: &Path) -> Option<Tls> {
    let verify = env("DOCKER_TLS_VERIFY").is_some();
    if !verify && env("DOCKER_TLS").is_none() {
        return None;
    }
    let folder = env("DOCKER_CERT_PATH").map_or_else(|| config.to_owned(), PathBuf::from);
    let found = tls::files(&folder);
    // Who asks for a check has to say by which authority; without one, every public authority would do.
    let ca = if verify { Some(folder.join(tls::CA)) } else { found.ca };
    Some(Tls { ca, skip_verify: !verify, ..found })
}
