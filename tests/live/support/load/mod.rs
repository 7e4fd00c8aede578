//! Load that notices each lost request.
//!
//! Requests come at a fixed pace, whatever becomes of those before. A loader that waits for answers sends less while
//! things go wrong, and one that is answered at once by an error sends more; both give counts that cannot be compared.

mod exchange;
#[cfg(test)]
mod tests;

use crate::support::engine::until;
use exchange::Answer;
use exchange::Told;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Failed requests that are written down one by one, at most.
const ERRORS_MAX: usize = 50;

/// Load with a fixed pace on the path `/`.
#[derive(Debug, Clone)]
pub(crate) struct Paced {
    /// Where it goes.
    pub(crate) to: SocketAddr,
    /// The header `Host`.
    pub(crate) host: String,
    /// Requests per second.
    pub(crate) rate: u32,
    /// Connections that are kept between requests and used in turn. A request that finds all of them busy gets one of
    /// its own. With 0 each request has a connection of its own.
    pub(crate) keep_alive: usize,
    /// It ends by itself after this time.
    pub(crate) at_most: Duration,
}

/// Load that is under way. Dropped, it ends, and nobody learns what came of it.
#[must_use = "`stop` tells what came of it"]
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Outcome>,
}

/// What came of it.
///
/// Classes of failed requests:
/// - `status 502`, by number: any answer that is not 2xx
/// - `wrong body`: a 2xx whose body is not the test app's; `no HTTP answer`: bytes that are none
/// - `connect refused`, `connect timeout`, `connect unreachable`, `connect reset`: there was no connection
/// - `closed before the answer`, `reset before the answer`: on a fresh connection, without any byte of an answer
/// - `closed within the answer`, `reset within the answer`: on any connection
/// - `no answer`: connected, and not answered completely within 5 seconds of the request
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Requests, each counted once: `ok` and all of `failed` together.
    pub(crate) sent: usize,
    /// Requests with the right answer.
    pub(crate) ok: usize,
    /// By class.
    pub(crate) failed: BTreeMap<String, usize>,
    /// Requests on a connection that was kept, and that the server closed before any byte of the answer. HTTP lets a
    /// server close an idle connection at any time, so every client sends such a request once more on a fresh
    /// connection, as is done here; what counts as ok or failed is how that ended.
    pub(crate) idle_resets: usize,
    /// Of these, the ones where the connection was closed more than 10 ms after the request was sent: the server may
    /// have begun with it, so only a request that may be done twice gets over that. On a busy machine a harmless one
    /// can be among them.
    pub(crate) in_doubt: usize,
    /// The longest time from when a request was due until its right answer was complete.
    pub(crate) max_latency: Duration,
    /// The longest time that the loader itself was late: where it is not small, this machine was too busy to measure
    /// much.
    pub(crate) max_lateness: Duration,
    /// Right answers by the instance that gave them.
    pub(crate) by_instance: BTreeMap<String, usize>,
    /// The first failed requests: when they ended, from the start of the load on, and their class.
    pub(crate) errors: Vec<(Duration, String)>,
}

impl Outcome {
    /// Requests that failed.
    pub(crate) fn lost(&self) -> usize {
        self.failed.values().sum()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, ok, failed, idle_resets, in_doubt, max_latency, max_lateness, .. } = self;
        let Self { by_instance, errors, .. } = self;
        let lost = self.lost();
        write!(
            f,
            "{sent} sent, {ok} ok, {lost} lost {failed:?}, {idle_resets} idle resets ({in_doubt} in doubt), longest \
             {max_latency:.1?}"
        )?;
        write!(f, " (loader late {max_lateness:.1?}), by instance {by_instance:?}")?;
        errors.iter().take(10).try_for_each(|(at, class)| write!(f, "\n  at {:.3} s: {class}", at.as_secs_f64()))
    }
}

impl Paced {
    /// Starts load in the background, for two minutes at most.
    pub(crate) fn start(to: SocketAddr, rate: u32, keep_alive: usize) -> Running {
        let at_most = Duration::from_secs(120);
        Self { to, host: "app.test".to_owned(), rate, keep_alive, at_most }.run()
    }

    /// Starts this load in the background.
    pub(crate) fn run(self) -> Running {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || runtime().block_on(self.send(stopped)));
        Running { stop, thread }
    }

    async fn send(self, mut stopped: oneshot::Receiver<()>) -> Outcome {
        let request: Arc<[u8]> = get("/", &self.host, self.keep_alive > 0).into();
        let kept = Arc::new(Mutex::new(Kept { idle: VecDeque::new(), in_use: 0, most: self.keep_alive }));
        let mut outcome = Outcome::default();
        let mut requests: JoinSet<Done> = JoinSet::new();
        let begun = Instant::now();
        // What is due is made up for where the machine did not let us run in time.
        let mut due = tokio::time::interval_at(begun, Duration::from_secs(1) / self.rate);
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                at = due.tick() => {
                    if at - begun >= self.at_most {
                        break;
                    }
                    outcome.max_lateness = outcome.max_lateness.max(at.elapsed());
                    requests.spawn(one(self.to, Arc::clone(&request), Arc::clone(&kept), at));
                }
                Some(done) = requests.join_next() => outcome.add(begun, done.expect("a request ends")),
            }
        }
        while let Some(done) = requests.join_next().await {
            outcome.add(begun, done.expect("a request ends"));
        }
        outcome
    }
}

impl Running {
    /// Sends no more, waits for what is under way, and tells what came of all of it.
    pub(crate) fn stop(self) -> Outcome {
        let _ = self.stop.send(());
        self.thread.join().expect("the loader ends")
    }
}

/// Connections that are kept.
struct Kept {
    idle: VecDeque<TcpStream>,
    /// Requests under way.
    in_use: usize,
    most: usize,
}

impl Kept {
    /// A connection for a request; `None` for a fresh one.
    fn take(&mut self) -> Option<TcpStream> {
        self.in_use += 1;
        if self.idle.len() + self.in_use <= self.most { None } else { self.idle.pop_front() }
    }

    fn give_back(&mut self, stream: Option<TcpStream>) {
        self.in_use -= 1;
        if self.idle.len() + self.in_use < self.most {
            self.idle.extend(stream);
        }
    }
}

/// A request that ended.
struct Done {
    told: Told,
    due: Instant,
    ended: Instant,
}

async fn one(to: SocketAddr, request: Arc<[u8]>, kept: Arc<Mutex<Kept>>, due: Instant) -> Done {
    let stream = kept.lock().expect("nobody panics").take();
    let mut told = exchange::ask(to, stream, &request).await;
    let ended = Instant::now();
    let reusable = told.answer.as_mut().ok().and_then(|answer| answer.reusable.take());
    kept.lock().expect("nobody panics").give_back(reusable);
    Done { told, due, ended }
}

impl Outcome {
    fn add(&mut self, begun: Instant, done: Done) {
        self.sent += 1;
        self.idle_resets += usize::from(done.told.idle_reset);
        self.in_doubt += usize::from(done.told.in_doubt);
        match done.told.answer.and_then(right) {
            Ok(instance) => {
                self.ok += 1;
                self.max_latency = self.max_latency.max(done.ended - done.due);
                *self.by_instance.entry(instance).or_default() += 1;
            }
            Err(class) => {
                if self.errors.len() < ERRORS_MAX {
                    self.errors.push((done.ended - begun, class.clone()));
                }
                *self.failed.entry(class).or_default() += 1;
            }
        }
    }
}

/// The instance that gave the right answer, else the class of what is wrong with it.
fn right(answer: Answer) -> Result<String, String> {
    let Answer { status, instance, body, .. } = answer;
    if !(200..300).contains(&status) {
        return Err(format!("status {status}"));
    }
    let first = body.lines().next().and_then(|line| line.strip_prefix("instance "));
    match (instance, first) {
        (Some(instance), Some(first)) if first == instance => Ok(instance),
        _ => Err("wrong body".to_owned()),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn get(target: &str, host: &str, keep: bool) -> Vec<u8> {
    let connection = if keep { "keep-alive" } else { "close" };
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n\r\n").into_bytes()
}

/// Asks once, on a connection of its own: the status and the body, or the class of the failure as in [`Outcome`].
pub(crate) fn ask(to: SocketAddr, target: &str) -> Result<(u16, String), String> {
    let told = runtime().block_on(exchange::ask(to, None, &get(target, "app.test", false)));
    told.answer.map(|answer| (answer.status, answer.body))
}

/// Waits until requests to `/` are answered by so many instances, and fail no more.
pub(crate) fn wait_served(to: SocketAddr, instances: usize, patience: Duration) {
    until(&format!("{to} serves {instances} instances"), patience, || {
        let mut seen = BTreeSet::new();
        for _ in 0..10 * instances {
            let told = runtime().block_on(exchange::ask(to, None, &get("/", "app.test", false)));
            seen.insert(told.answer.and_then(right)?);
        }
        if seen.len() >= instances { Ok(()) } else { Err(format!("only {seen:?} answer")) }
    });
}
