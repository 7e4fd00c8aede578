//! The app that tests against a real engine deploy: a small HTTP/1.1 server that is alone in its image.
//!
//! Environment variables, all of them optional:
//! - `PORT`: where it listens (8080).
//! - `VERSION`: a text that its answers repeat (`1`).
//! - `START_DELAY_MS`: milliseconds from its start until it listens (0).
//! - `WORK_MS`: milliseconds that a request to `/` waits, without using the CPU (20).
//! - `BURN_MS`: milliseconds of CPU time that a request to `/` uses (0).
//! - `ON_TERM`: what SIGTERM does. `exit` (the default) ends it at once and cuts off what it was answering. `grace`
//!   lets it serve 3 seconds more, with `Connection: close`; then it finishes what it has begun and ends. `ignore` does
//!   nothing.
//! - `UNHEALTHY`: with `1`, `/health` answers 500.
//! - `UNHEALTHY_AFTER_MS`: milliseconds from its start until `/health` answers 500 (never).
//! - `UNHEALTHY_AT_MB`: `/health` answers 500 where the memory limit of its container is so many MiB.
//! - `EAT_MB`: memory that it takes as it starts and keeps.
//! - `UNHEALTHY_UNTIL_MS`: milliseconds from its start until it answers 200 again (never).
//!
//! Paths:
//! - `/`: `instance <hostname>` and `version <VERSION>`, a line each, and the header `X-Instance: <hostname>`.
//! - `/health`: 200 or 500.
//! - `/eat?mb=N`: takes N MiB more, writes to every page of them and keeps them. `/free` gives all of them back to the
//!   kernel.
//! - `/burn?ms=N`: uses N milliseconds of CPU time.
//! - `/crash`: ends at once with exit code 3, without an answer.
//!
//! Its only argument is `check`: then it asks `/health` of the app beside it in the container and ends with 0 or 1,
//! which makes it the health check of a container that has no shell: `["CMD", "/app", "check"]`.

#![expect(clippy::disallowed_methods, reason = "a server tells how long it has been running")]
#![expect(clippy::print_stdout, reason = "what it says is the log of its container and of its health check")]
#![expect(clippy::print_stderr, reason = "what it says is the log of its container")]

use signal_hook::consts::SIGTERM;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::ExitCode;
use std::process::exit;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

/// Bytes of a request, at most: its line and its headers.
const HEAD_MAX: u64 = 8 << 10;
/// How long a connection may be idle.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// How long it serves on after SIGTERM with `ON_TERM=grace`.
const GRACE: Duration = Duration::from_secs(3);
/// How long it finishes what it has begun after that, at most.
const FINISH_MAX: Duration = Duration::from_secs(2);
/// How often it looks whether SIGTERM came.
const LOOK: Duration = Duration::from_millis(5);

/// What SIGTERM does.
#[derive(Clone, Copy)]
enum OnTerm {
    Exit,
    Grace,
    Ignore,
}

struct App {
    started: Instant,
    hostname: String,
    version: String,
    work: Duration,
    burn: Duration,
    /// From when on it is unhealthy.
    unhealthy_after: Option<Duration>,
    /// From when on it is healthy again.
    unhealthy_until: Option<Duration>,
    /// What `/eat` keeps.
    eaten: Mutex<Vec<Vec<u8>>>,
    /// It got SIGTERM: each answer is the last of its connection.
    leaving: AtomicBool,
    /// It takes nothing new any more.
    closed: AtomicBool,
    /// Requests that it is answering.
    in_work: AtomicUsize,
}

fn main() -> ExitCode {
    let port = number("PORT").unwrap_or(8080);
    let port = u16::try_from(port).unwrap_or_else(|_| wrong(&format!("PORT is {port}; the highest port is 65535")));
    match std::env::args().nth(1).as_deref() {
        None => serve(port),
        Some("check") => check(port),
        Some(other) => wrong(&format!("`{other}` is no argument of this app; it knows only `check`")),
    }
}

/// The memory limit of its container in bytes, by either version of the control groups.
fn memory_limit() -> Option<u64> {
    let files = ["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"];
    files.iter().find_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
}

fn wrong(why: &str) -> ! {
    eprintln!("app: {why}");
    exit(2)
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str) -> Option<u64> {
    let parsed = |value: String| value.parse().unwrap_or_else(|_| wrong(&format!("{name} is `{value}`, not a number")));
    text(name).map(parsed)
}

fn milliseconds(name: &str) -> Option<Duration> {
    number(name).map(Duration::from_millis)
}

/// Lets time pass without using the CPU.
fn pause(time: Duration) {
    let (_open, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(time);
}

fn serve(port: u16) -> ExitCode {
    // The first process of a container has no handlers by default: without this one, SIGTERM would do nothing.
    let term = Arc::new(AtomicBool::new(false));
    if let Err(error) = signal_hook::flag::register(SIGTERM, Arc::clone(&term)) {
        wrong(&format!("SIGTERM cannot be handled: {error}"));
    }
    let on_term = match text("ON_TERM").as_deref() {
        None | Some("exit") => OnTerm::Exit,
        Some("grace") => OnTerm::Grace,
        Some("ignore") => OnTerm::Ignore,
        Some(other) => wrong(&format!("ON_TERM is `{other}`; it is one of exit, grace, ignore")),
    };
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "unknown".to_owned());
    let app = Arc::new(App {
        started: Instant::now(),
        hostname: hostname.trim().to_owned(),
        version: text("VERSION").unwrap_or_else(|| "1".to_owned()),
        work: milliseconds("WORK_MS").unwrap_or(Duration::from_millis(20)),
        burn: milliseconds("BURN_MS").unwrap_or_default(),
        unhealthy_after: match text("UNHEALTHY").as_deref() {
            Some("1") => Some(Duration::ZERO),
            _ if number("UNHEALTHY_AT_MB").is_some_and(|mb| memory_limit() == Some(mb << 20)) => Some(Duration::ZERO),
            _ => milliseconds("UNHEALTHY_AFTER_MS"),
        },
        unhealthy_until: milliseconds("UNHEALTHY_UNTIL_MS"),
        eaten: Mutex::default(),
        leaving: AtomicBool::new(false),
        closed: AtomicBool::new(false),
        in_work: AtomicUsize::new(0),
    });
    if let Some(mb) = number("EAT_MB") {
        app.eat(mb);
    }
    let delay = milliseconds("START_DELAY_MS").unwrap_or_default();
    let (fail, failure) = mpsc::channel();
    let listening = Arc::clone(&app);
    std::thread::spawn(move || {
        pause(delay);
        let _ = fail.send(listening.listen(port));
    });
    loop {
        match failure.recv_timeout(LOOK) {
            Ok(error) => wrong(&format!("port {port} cannot be served: {error}")),
            Err(RecvTimeoutError::Disconnected) => wrong("the thread that listens is gone"),
            Err(RecvTimeoutError::Timeout) if term.load(SeqCst) => match on_term {
                OnTerm::Exit => return ExitCode::SUCCESS,
                OnTerm::Grace => {
                    app.leave();
                    return ExitCode::SUCCESS;
                }
                OnTerm::Ignore => {}
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Asks the app beside it in the container whether it is healthy.
fn check(port: u16) -> ExitCode {
    let patience = Duration::from_secs(2);
    let asked = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream.take(HEAD_MAX)).read_line(&mut line)?;
        Ok(line)
    };
    match asked() {
        Ok(line) => {
            println!("/health answered `{}`", line.trim());
            if line.starts_with("HTTP/1.1 200 ") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("/health of port {port} did not answer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A request, as far as this app reads it.
struct Request {
    target: String,
    /// The client wants no other request on this connection.
    last: bool,
}

/// The next request of a connection; `None` where the client hung up.
fn request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut head = reader.take(HEAD_MAX);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some("GET"), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(invalid("it is no GET"));
    };
    let mut request = Request { target: target.to_owned(), last: version != "HTTP/1.1" };
    loop {
        line.clear();
        if head.read_line(&mut line)? == 0 {
            return Err(invalid("its head is too long, or cut off"));
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(request)) };
        match (name.to_ascii_lowercase().as_str(), value.trim().to_ascii_lowercase().as_str()) {
            ("connection", "close") => request.last = true,
            ("connection", "keep-alive") => request.last = false,
            ("content-length", "0") => {}
            ("content-length" | "transfer-encoding", _) => return Err(invalid("it has a body")),
            _ => {}
        }
    }
}

impl App {
    fn is_unhealthy(&self) -> bool {
        let since = self.started.elapsed();
        self.unhealthy_after.is_some_and(|after| since >= after)
            && self.unhealthy_until.is_none_or(|until| since < until)
    }

    /// Serves for ever; gives why it cannot.
    fn listen(self: &Arc<Self>, port: u16) -> io::Error {
        let listener = match TcpListener::bind(("0.0.0.0", port)) {
            Ok(listener) => listener,
            Err(error) => return error,
        };
        println!("version {} listens on port {port} after {:?}", self.version, self.started.elapsed());
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) if !self.closed.load(SeqCst) => stream,
                Ok(_) => continue,
                Err(error) => return error,
            };
            let app = Arc::clone(self);
            // Out of threads, it hangs up and goes on.
            if let Err(error) = std::thread::Builder::new().spawn(move || app.converse(stream)) {
                eprintln!("app: a connection gets no thread: {error}");
            }
        }
    }

    /// Serves on for a while, finishes what it has begun, and takes nothing new.
    fn leave(&self) {
        println!("SIGTERM: {GRACE:?} more");
        self.leaving.store(true, SeqCst);
        pause(GRACE);
        self.closed.store(true, SeqCst);
        let closed = Instant::now();
        while self.in_work.load(SeqCst) > 0 && closed.elapsed() < FINISH_MAX {
            pause(LOOK);
        }
    }

    /// Answers the requests of one connection, one after the other.
    fn converse(&self, mut stream: TcpStream) {
        let ready = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(IDLE_MAX)));
        let Ok(mut reader) = ready.and_then(|()| stream.try_clone()).map(BufReader::new) else { return };
        loop {
            let request = match request(&mut reader) {
                Ok(Some(request)) => request,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    let _ = stream.write_all(&self.answer(400, &format!("not served: {error}\n"), true));
                    return;
                }
                Ok(None) | Err(_) => return,
            };
            if self.closed.load(SeqCst) {
                return;
            }
            self.in_work.fetch_add(1, SeqCst);
            let (status, body) = self.respond(&request.target);
            let last = request.last || self.leaving.load(SeqCst);
            let written = stream.write_all(&self.answer(status, &body, last));
            self.in_work.fetch_sub(1, SeqCst);
            if last || written.is_err() {
                return;
            }
        }
    }

    fn answer(&self, status: u16, body: &str, last: bool) -> Vec<u8> {
        let words = match status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            _ => "Internal Server Error",
        };
        let (length, connection) = (body.len(), if last { "close" } else { "keep-alive" });
        format!(
            "HTTP/1.1 {status} {words}\r\nX-Instance: {}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
             Connection: {connection}\r\n\r\n{body}",
            self.hostname
        )
        .into_bytes()
    }

    /// What is done for a request: the status, and the body of the answer.
    fn respond(&self, target: &str) -> (u16, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = |name: &str| -> Result<u64, (u16, String)> {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            let value = value.and_then(|value| value.parse().ok()).filter(|value| *value <= 1 << 20);
            value.ok_or_else(|| (400, format!("{path}?{name}=N needs a number, 1048576 at most\n")))
        };
        let done = match path {
            "/" => {
                pause(self.work);
                burn(self.burn);
                Ok(format!("instance {}\nversion {}\n", self.hostname, self.version))
            }
            "/health" if self.is_unhealthy() => Err((500, "unhealthy\n".to_owned())),
            "/health" => Ok("healthy\n".to_owned()),
            "/eat" => asked("mb").map(|mb| self.eat(mb)),
            "/free" => {
                self.eaten.lock().expect("nobody panics").clear();
                Ok("all is given back\n".to_owned())
            }
            "/burn" => asked("ms").map(|ms| {
                burn(Duration::from_millis(ms));
                format!("burnt {ms} ms\n")
            }),
            "/crash" => exit(3),
            _ => Err((404, format!("there is no {path}\n"))),
        };
        done.map_or_else(|answer| answer, |body| (200, body))
    }

    fn eat(&self, mb: u64) -> String {
        let bytes = usize::try_from(mb << 20).unwrap_or(usize::MAX);
        // Where the allocator asks the kernel for one piece of its own, it gives it back at once: always above 32 MiB.
        // What is asked for and never written to takes no memory.
        let mut meal = Vec::with_capacity(bytes.max(40 << 20));
        meal.resize(bytes, 1);
        let mut eaten = self.eaten.lock().expect("nobody panics");
        eaten.push(meal);
        format!("keeps {} MiB\n", eaten.iter().map(Vec::len).sum::<usize>() >> 20)
    }
}

/// CPU time of this thread so far; `None` where the kernel does not tell.
fn cpu_time() -> Option<Duration> {
    // The kernel brings its count up to date when a thread gives way.
    std::thread::yield_now();
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counts.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Uses so much CPU time, however long that takes; where the kernel does not tell it, the time of the clock instead.
fn burn(time: Duration) {
    if time.is_zero() {
        return;
    }
    let started = Instant::now();
    let so_far = |begin: Option<Duration>| match (begin, cpu_time()) {
        (Some(begin), Some(now)) => now.saturating_sub(begin),
        _ => started.elapsed(),
    };
    let begin = cpu_time();
    let mut value = 1_u64;
    while so_far(begin) < time {
        for turn in 0..50_000_u64 {
            value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(turn));
        }
    }
}
