//! Finds, starts and stops programs, and talks to them, each for a bounded time.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// No program takes as long as this to start or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server's program; where there is none, the test fails if servers are required, and else is skipped.
pub(crate) fn server(name: &str) -> Option<PathBuf> {
    let found = program(name);
    let required = std::env::var("PLIMSOLL_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
    assert!(found.is_some() || !required, "`{name}` is not installed, and PLIMSOLL_REQUIRE_SERVERS=1 asks for it");
    found
}

/// A program by its name; says that the test is skipped where it is not installed.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    folders.push("/usr/sbin".into());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        // Not through `eprintln`, which the harness holds back when a test passes.
        writeln!(std::io::stderr(), "skipped: `{name}` is not installed").expect("stderr can be written");
    }
    found
}

/// A port that was free a moment ago.
pub(crate) fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// What a program wrote to both outputs; it must end well.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

/// A running server; it ends with this value.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What to run so that it ends with all its children, where killing it does not suffice.
    stop: Option<Command>,
}

impl Running {
    /// Starts it; its lines of both outputs can be waited for.
    pub(crate) fn start(mut command: Command, stop: Option<Command>) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let (sender, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("a pipe")), Box::new(child.stderr.take().expect("a pipe"))];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // Nobody may listen any more; the pipe is read all the same, so that the server never blocks.
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines, stop }
    }

    /// Waits for a line that holds a text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no `{text}` in:\n{}", seen.join("\n")),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let stopped = self.stop.as_mut().is_some_and(|stop| stop.output().is_ok_and(|output| output.status.success()));
        if !stopped {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// The answer to a request, from status line to body.
pub(crate) fn get(port: u16, path: &str) -> String {
    let mut stream = connect(port);
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("the request goes out");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer comes in");
    answer
}
