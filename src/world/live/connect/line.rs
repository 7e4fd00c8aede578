//! The lines to an engine, over which bollard's requests go. Before you change it:
//! 1. A line is kept for later, because ssh and TLS take their time. Over a socket of this machine a new one costs
//!    nothing.
//! 2. A kept line may be dead, and that shows only after a request was sent. So only questions go over kept lines, and
//!    are asked again over another one. What changes something gets a new line of its own: it is sent once.

use super::ConnectError;
use super::Endpoint;
use super::Why;
use super::address::Address;
use super::failure;
#[cfg(unix)]
use super::socket;
use super::ssh;
use super::tls;
use bollard::errors::Error;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::Uri;
use hyper::body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A host that does not answer at all is given up after this.
const CONNECT: Duration = Duration::from_secs(15);
/// The last words of an ssh whose line has ended come within this.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What bytes go over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One line: what takes requests, and what ssh says at its end.
struct Line<B> {
    requests: http1::SendRequest<B>,
    said: Option<JoinHandle<String>>,
}

/// All lines to one engine.
pub(super) struct Wire<B> {
    endpoint: Endpoint,
    tls: Option<Arc<ClientConfig>>,
    /// What a question has instead of content.
    nothing: fn() -> B,
    /// Those that have carried a question and may carry another.
    kept: Mutex<Vec<Line<B>>>,
    /// The engine has answered us before.
    answered: AtomicBool,
}

impl<B> Wire<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(super) fn new(endpoint: Endpoint, tls: Option<Arc<ClientConfig>>, nothing: fn() -> B) -> Self {
        Self { endpoint, tls, nothing, kept: Mutex::default(), answered: AtomicBool::new(false) }
    }

    /// Sends a request, and gives the head of its answer.
    pub(super) async fn send(wire: Arc<Self>, request: Request<B>) -> Result<Response<Incoming>, Error> {
        let (head, content) = wire.addressed(request)?.into_parts();
        let is_question = head.method == Method::GET && content.is_end_stream();
        while let Some(mut line) = if is_question { wire.take() } else { None } {
            let question = Request::from_parts(head.clone(), (wire.nothing)());
            if let Ok(answer) = line.requests.send_request(question).await {
                wire.keep(line);
                return Ok(answer);
            }
        }
        let mut line = wire.dial().await.map_err(passed_on)?;
        match line.requests.send_request(Request::from_parts(head, content)).await {
            Ok(answer) => {
                wire.answered.store(true, Ordering::Relaxed);
                // A line that is not kept lasts until its answer was read.
                if is_question {
                    wire.keep(line);
                }
                Ok(answer)
            }
            Err(error) => Err(wire.lost(line, error).await),
        }
    }

    /// The request with what a server on the other side wants to see: a path, and the name of the host.
    fn addressed(&self, mut request: Request<B>) -> Result<Request<B>, Error> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let (uri, host) = match &self.endpoint.address {
            Address::Net { base, .. } => {
                let place = self.endpoint.url.split_once("://").map_or("", |(_, place)| place);
                (format!("{base}{path}"), place.strip_suffix(base.as_str()).unwrap_or(place))
            }
            Address::Socket(_) | Address::Ssh(_) => (path.to_owned(), "docker"),
        };
        let host = HeaderValue::from_str(host).map_err(hyper::http::Error::from)?;
        *request.uri_mut() = uri.parse::<Uri>()?;
        request.headers_mut().insert(HOST, host);
        Ok(request)
    }

    fn take(&self) -> Option<Line<B>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|line| !line.requests.is_closed());
        let free = kept.iter().position(|line| line.requests.is_ready())?;
        Some(kept.swap_remove(free))
    }

    /// Keeps a line. Until its answer was read to the end it is not ready.
    fn keep(&self, line: Line<B>) {
        if !self.endpoint.is_local() {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    async fn dial(&self) -> Result<Line<B>, ConnectError> {
        let (stream, said): (Box<dyn Stream>, _) = match &self.endpoint.address {
            Address::Socket(path) => (self.to_socket(path).await?, None),
            Address::Net { host, port, .. } => (self.to_net(host, *port).await?, None),
            Address::Ssh(ssh) => {
                let (stream, said) = ssh::dial(ssh, self.endpoint.programs.as_deref()).map_err(|error| {
                    let next = "install the `ssh` program (openssh-client), or use another way to the engine";
                    self.endpoint.unreached(Why::Ssh, format!("cannot start ssh: {error}"), next)
                })?;
                (Box::new(stream), Some(said))
            }
        };
        let talking = http1::handshake(TokioIo::new(stream)).await;
        let (requests, talk) = talking.map_err(|error| {
            self.endpoint.unreached(
                Why::Answer,
                failure::to_the_root(&error),
                "see whether it is a Docker engine that listens there",
            )
        })?;
        // Errors come out at the request they hit.
        tokio::spawn(async { drop(talk.with_upgrades().await) });
        Ok(Line { requests, said })
    }

    #[cfg(unix)]
    async fn to_socket(&self, path: &Path) -> Result<Box<dyn Stream>, ConnectError> {
        match tokio::net::UnixStream::connect(path).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                let (why, next) = socket::explain(&error, path, self.endpoint.rootless.as_deref());
                Err(self.endpoint.unreached(why, error.to_string(), next))
            }
        }
    }

    #[cfg(not(unix))]
    async fn to_socket(&self, _: &Path) -> Result<Box<dyn Stream>, ConnectError> {
        let next = "name an engine with --docker or DOCKER_HOST: tcp://HOST:2375 or ssh://USER@HOST";
        Err(self.endpoint.unreached(Why::Stopped, "there are no such sockets on this system", next))
    }

    async fn to_net(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, ConnectError> {
        let unreached = |why, said: String, next: &str| self.endpoint.unreached(why, said, next);
        let connecting = timeout(CONNECT, TcpStream::connect((host, port))).await;
        let stream = connecting.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())).map_err(|error| {
            let next = match error.kind() {
                ErrorKind::ConnectionRefused => {
                    "is the port right? An engine listens only where it is told to: `dockerd -H tcp://...`"
                }
                ErrorKind::TimedOut => "is the host up, and does a firewall let us through?",
                _ => "is the name right, and does the network lead there?",
            };
            unreached(Why::Network, error.to_string(), next)
        })?;
        // Requests are small, and waited for. Where this cannot be set they only take longer.
        drop(stream.set_nodelay(true));
        let Some(config) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            unreached(Why::Certificates, error.to_string(), "use a name that a certificate can be for")
        })?;
        let securing = timeout(CONNECT, TlsConnector::from(Arc::clone(config)).connect(name, stream)).await;
        match securing.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(self.insecure(&error).unwrap_or_else(|| {
                unreached(
                    Why::Certificates,
                    format!("no TLS came about: {error}"),
                    "see whether an engine with TLS listens there",
                )
            })),
        }
    }

    /// What an error of TLS means, where it is one.
    fn insecure(&self, error: &(dyn std::error::Error + 'static)) -> Option<ConnectError> {
        let tls = self.endpoint.tls.as_ref()?;
        let is_stranger = !self.answered.load(Ordering::Relaxed);
        let mut below = Some(error);
        while let Some(cause) = below {
            // An error of the system hides what it was made of from those who ask for its source.
            let system = cause.downcast_ref::<io::Error>();
            let hidden = system.and_then(|error| error.get_ref()?.downcast_ref::<rustls::Error>());
            let explained = match (hidden.or_else(|| cause.downcast_ref()), system.map(io::Error::kind)) {
                (Some(error), _) => Some(tls::explain(error, tls)),
                // It may hang up on a stranger so fast that its reason is lost on the way.
                (None, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)) if is_stranger => {
                    Some(tls::refused(tls, "it hung up"))
                }
                _ => None,
            };
            if let Some((said, next)) = explained {
                return Some(self.endpoint.unreached(Why::Certificates, said, next));
            }
            below = cause.source();
        }
        None
    }

    /// What an error of a line means.
    async fn lost(&self, line: Line<B>, error: hyper::Error) -> Error {
        if let (Address::Ssh(ssh), Some(said)) = (&self.endpoint.address, line.said) {
            // Without the line, ssh comes to its end, if it has not.
            drop(line.requests);
            if let Ok(Ok(said)) = timeout(LAST_WORDS, said).await {
                let (said, next) = ssh::explain(&said, ssh);
                return passed_on(self.endpoint.unreached(Why::Ssh, said, next));
            }
        }
        passed_on(self.insecure(&error).unwrap_or_else(|| {
            let next = "see whether it is a Docker engine that listens there, and what its log says";
            self.endpoint.unreached(Why::Answer, failure::to_the_root(&error), next)
        }))
    }
}

/// An error of ours in one of bollard's.
fn passed_on(error: ConnectError) -> Error {
    Error::IOError { err: io::Error::other(error) }
}
