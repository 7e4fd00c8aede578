//! An engine on another host, reached as `docker` does: `ssh HOST docker system dial-stdio`. So user, port, keys, jump
//! hosts and known hosts are those of the system's ssh and its configuration. It differs from `docker` in two things:
//! 1. ssh asks nothing. A question nobody sees would look like an engine that does not answer.
//! 2. A connection that is dead is noticed, in three quarters of a minute: streams have no other end.

use super::address::Ssh;
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdin;
use tokio::process::ChildStdout;
use tokio::process::Command;
use tokio::task::JoinHandle;

/// So much of what ssh says is kept.
const SAID_MAX: usize = 4096;
/// What it said before its end is there within this time.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A line to the engine, and what ssh says until it ends.
pub(super) type Dialled = (tokio::io::Join<ChildStdout, ChildStdin>, JoinHandle<String>);

/// Starts ssh. Whether it gets there is known with the first answer only.
///
/// # Errors
/// What the system says about starting a program.
pub(super) fn dial(ssh: &Ssh, programs: Option<&str>) -> io::Result<Dialled> {
    let mut command = Command::new("ssh");
    command.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"]);
    command.args(place(ssh)).arg(remote(ssh));
    if let Some(programs) = programs {
        command.env("PATH", programs);
    }
    // An interrupt from the terminal is for us. What we then put in order still needs the line.
    #[cfg(unix)]
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
        return Err(io::Error::other("ssh has no pipes"));
    };
    // It goes on when the line is given up: ssh ends by itself as its input does, and is waited for.
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        let mut part = [0; 1024];
        let mut has_ended = false;
        loop {
            // A master for later connections may be left behind by ssh, and holds the pipe open.
            let read = tokio::select! {
                read = stderr.read(&mut part) => read,
                () = tokio::time::sleep(LAST_WORDS), if has_ended => break,
                _ = child.wait(), if !has_ended => {
                    has_ended = true;
                    continue;
                }
            };
            let Ok(read @ 1..) = read else { break };
            said.extend_from_slice(&part[..read]);
            said.drain(..said.len().saturating_sub(SAID_MAX));
        }
        drop(child.wait().await);
        String::from_utf8_lossy(&said).into_owned()
    });
    Ok((tokio::io::join(stdout, stdin), said))
}

/// The arguments that say where to.
fn place(ssh: &Ssh) -> Vec<String> {
    let mut place = Vec::new();
    if let Some(user) = &ssh.user {
        place.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = ssh.port {
        place.extend(["-p".to_owned(), port.to_string()]);
    }
    place.extend(["--".to_owned(), ssh.host.clone()]);
    place
}

/// The command that is run there, by a shell.
fn remote(ssh: &Ssh) -> String {
    match &ssh.socket {
        Some(socket) => format!("docker '--host=unix://{}' system dial-stdio", socket.replace('\'', r"'\''")),
        None => "docker system dial-stdio".to_owned(),
    }
}

/// What was said, and what to do, when ssh gave no line to an engine.
pub(super) fn explain(said: &str, ssh: &Ssh) -> (String, String) {
    let by_hand = format!("ssh {}", place(ssh).join(" ").replace("-- ", ""));
    let lines: Vec<&str> =
        said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('@')).collect();
    let all = said.to_ascii_lowercase();
    let has = |words: &str| all.contains(words);
    let next = if has("host key verification failed") && has("remote host identification has changed") {
        let known = ssh.port.map_or_else(|| ssh.host.clone(), |port| format!("'[{}]:{port}'", ssh.host));
        format!(
            "the host has another key than before: make sure that it is the right host, then `ssh-keygen -R {known}`"
        )
    } else if has("host key verification failed") {
        format!("its key is not known yet: run `{by_hand}` once, compare the key it shows, and answer yes")
    } else if has("permission denied (") || has("too many authentication failures") {
        format!("`{by_hand}` has to work without a password: `ssh-copy-id`, `ssh-add` or IdentityFile in ~/.ssh/config")
    } else if has("docker: command not found") || has("docker: not found") || has("docker: no such file") {
        "the `docker` command has to be installed there, 18.09 or newer, and be found without a login shell".to_owned()
    } else if has("dial unix") && has("permission denied") || has("permission denied while trying to connect") {
        "there the user has to be a member of the group `docker`: `sudo usermod -aG docker USER`".to_owned()
    } else if has("dial unix") || has("cannot connect to the docker daemon") {
        "is the engine running there? `sudo systemctl start docker` starts it".to_owned()
    } else if has("could not resolve") {
        "is the name right? It is looked up in ~/.ssh/config, too".to_owned()
    } else if has("connection refused") || has("timed out") || has("no route to host") || has("network is unreachable")
    {
        "is the host up, does sshd run there, and is the port right?".to_owned()
    } else {
        format!("try `{by_hand} docker version`")
    };
    // The last words are about what went wrong; before them there may be greetings.
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    (if last.is_empty() { "ssh ended without a word".to_owned() } else { format!("ssh said: {last}") }, next)
}
