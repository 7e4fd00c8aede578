//! One request and its answer, and what it means when there is none.

use std::io;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio::time::timeout_at;

/// How long a request may take, with everything that belongs to it.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that was closed by the time a request was sent is known to be so after this time at the latest.
const NOTICED: Duration = Duration::from_millis(10);
/// Bytes of an answer, at most.
const ANSWER_MAX: usize = 1 << 20;

/// An answer that came completely.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The header `X-Instance`.
    pub(super) instance: Option<String>,
    pub(super) body: String,
    /// The connection, if the server keeps it.
    pub(super) reusable: Option<TcpStream>,
}

/// What became of a request.
pub(super) struct Told {
    /// The answer, or the class of the failure.
    pub(super) answer: Result<Answer, String>,
    /// The kept connection was closed before any byte of an answer, so this is about the second try.
    pub(super) idle_reset: bool,
    /// And that was so late that the server may have begun with the request.
    pub(super) in_doubt: bool,
}

/// Why an answer did not come completely.
enum Broken {
    /// Not a byte came: `closed` or `reset`.
    Before(&'static str),
    /// It was cut off: `closed` or `reset`.
    Within(&'static str),
    /// It is none.
    Unreadable,
}

impl Broken {
    fn class(&self) -> String {
        match self {
            Self::Before(how) => format!("{how} before the answer"),
            Self::Within(how) => format!("{how} within the answer"),
            Self::Unreadable => "no HTTP answer".to_owned(),
        }
    }
}

/// Sends a request on a kept connection, if there is one, else on a fresh one.
pub(super) async fn ask(to: SocketAddr, kept: Option<TcpStream>, request: &[u8]) -> Told {
    let sent = Instant::now();
    let deadline = sent + PATIENCE;
    let (mut idle_reset, mut in_doubt) = (false, false);
    if let Some(stream) = kept {
        match in_time(deadline, stream, request).await {
            Ok(Err(Broken::Before(_))) => (idle_reset, in_doubt) = (true, sent.elapsed() > NOTICED),
            told => return Told { answer: classed(told), idle_reset, in_doubt },
        }
    }
    let answer = match connect(deadline, to).await {
        Ok(stream) => classed(in_time(deadline, stream, request).await),
        Err(class) => Err(class),
    };
    Told { answer, idle_reset, in_doubt }
}

fn classed(told: Result<Result<Answer, Broken>, String>) -> Result<Answer, String> {
    told.and_then(|told| told.map_err(|broken| broken.class()))
}

async fn connect(deadline: Instant, to: SocketAddr) -> Result<TcpStream, String> {
    let stream = match timeout_at(deadline, TcpStream::connect(to)).await {
        Err(_) => return Err("connect timeout".to_owned()),
        Ok(Err(error)) => return Err(not_connected(&error)),
        Ok(Ok(stream)) => stream,
    };
    stream.set_nodelay(true).map_err(|error| not_connected(&error))?;
    Ok(stream)
}

fn not_connected(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connect refused".to_owned(),
        ErrorKind::TimedOut => "connect timeout".to_owned(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "connect unreachable".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "connect reset".to_owned(),
        other => format!("connect {other}"),
    }
}

async fn in_time(deadline: Instant, stream: TcpStream, request: &[u8]) -> Result<Result<Answer, Broken>, String> {
    timeout_at(deadline, exchange(stream, request)).await.map_err(|_| "no answer".to_owned())
}

async fn exchange(mut stream: TcpStream, request: &[u8]) -> Result<Answer, Broken> {
    // Where writing fails, the server may have answered nevertheless, so reading decides.
    let written = stream.write_all(request).await;
    let mut came = Vec::new();
    let head_end = loop {
        if let Some(end) = came.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if !more(&mut stream, &mut came).await? {
            return Err(if came.is_empty() { Broken::Before("closed") } else { Broken::Within("closed") });
        }
    };
    let body = came.split_off(head_end + 4);
    let head = Head::of(&came).ok_or(Broken::Unreadable)?;
    let body = head.body(&mut stream, body).await?;
    let keeps = head.keeps && head.length.is_some() && written.is_ok();
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: head.status, instance: head.instance, body, reusable: keeps.then_some(stream) })
}

/// Reads what comes; `false` at the end of the connection.
async fn more(stream: &mut TcpStream, came: &mut Vec<u8>) -> Result<bool, Broken> {
    match stream.read_buf(came).await {
        Ok(_) if came.len() > ANSWER_MAX => Err(Broken::Unreadable),
        Ok(count) => Ok(count > 0),
        Err(_) => Err(if came.is_empty() { Broken::Before("reset") } else { Broken::Within("reset") }),
    }
}

/// The part of an answer before its body.
struct Head {
    status: u16,
    instance: Option<String>,
    /// Bytes of the body; `None` where its end is the end of the connection.
    length: Option<usize>,
    /// The server keeps the connection.
    keeps: bool,
}

impl Head {
    /// `None` where it is none, or where the body comes in chunks, which neither the test app nor an error page does.
    fn of(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let version = words.next().filter(|version| version.starts_with("HTTP/1."))?;
        let status = words.next()?.parse().ok()?;
        let mut head = Self { status, instance: None, length: None, keeps: version == "HTTP/1.1" };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = Some(value.parse().ok().filter(|length| *length <= ANSWER_MAX)?),
                "transfer-encoding" => return None,
                "connection" => head.keeps &= !value.eq_ignore_ascii_case("close"),
                "x-instance" => head.instance = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(head)
    }

    async fn body(&self, stream: &mut TcpStream, mut body: Vec<u8>) -> Result<Vec<u8>, Broken> {
        while self.length.is_none_or(|length| body.len() < length) {
            // The head came, so even without a byte of the body this is within the answer.
            match more(stream, &mut body).await {
                Ok(true) => {}
                Ok(false) if self.length.is_none() => break,
                Ok(false) => return Err(Broken::Within("closed")),
                Err(Broken::Unreadable) => return Err(Broken::Unreadable),
                Err(_) => return Err(Broken::Within("reset")),
            }
        }
        // More than was announced belongs to no request.
        if self.length.is_some_and(|length| body.len() > length) { Err(Broken::Unreadable) } else { Ok(body) }
    }
}
