//! What tests of connecting stand on: authorities and certificates, a second engine that wants TLS, a host with sshd.
//! All of it is on this machine, listens on 127.0.0.1 alone, and is gone at the end of the test.

use crate::support::engine::run;
use crate::support::engine::said;
use crate::support::engine::text;
use crate::support::engine::until;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(40);
/// How openssl makes a key.
const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
/// What a key is good for where there is no docker command.
const BARE: &str = "env -i PATH=/nowhere /bin/sh -c 'docker system dial-stdio'";

/// Where a program is; services are found, too, where they are kept for root.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin", "/sbin"]);
    folders.map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Whether these programs are here. Where they are not, the test says that it was skipped; in CI (`CI=true`) that is a
/// failure.
pub(super) fn have(programs: &[&str]) -> bool {
    programs.iter().all(|name| program(name).is_some() || skipped(&format!("`{name}`")))
}

/// Whether a service that only root may start can be started here.
pub(super) fn have_root() -> bool {
    let may_sudo = || Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|asked| asked.status.success());
    root() || may_sudo() || skipped("right to start a service as root")
}

fn skipped(missing: &str) -> bool {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI tests with what is not here: no {missing}");
    #[expect(clippy::print_stderr, reason = "who runs the tests has to know what was not tested")]
    {
        eprintln!("skipped, because there is no {missing} to test with");
    }
    false
}

/// Whether this is root.
pub(super) fn root() -> bool {
    text(&run(Command::new("id").arg("-u")).stdout) == "0"
}

fn as_root(program: &Path) -> Command {
    if root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

/// Runs a shell's line in a folder; it has to succeed.
pub(super) fn shell(folder: &Path, line: &str) -> String {
    said(line, run(Command::new("sh").args(["-ec", line]).current_dir(folder)))
}

/// A port nobody listens on.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn wait_for_port(what: &str, port: u16) {
    until(what, PATIENCE, || TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|error| error.to_string()));
}

/// An authority, and the folders of certificates that it gave out: in each `ca.pem`, `cert.pem` and `key.pem`.
pub(super) struct Authority(PathBuf);

impl Authority {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let home = folder.join(name);
        std::fs::create_dir(&home).expect("a folder");
        let config = "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n\
                      policy=any\n\
                      unique_subject=no\n[any]\ncommonName=supplied\n";
        std::fs::write(home.join("ca.cnf"), config).expect("a file");
        shell(
            &home,
            &format!(
                "touch index; echo 01 > serial
                 openssl req -x509 {NEW_KEY} -keyout ca-key.pem -out ca.pem \
                 -days 2 -subj /CN={name} -addext keyUsage=critical,keyCertSign 2>&1"
            ),
        );
        Self(home)
    }

    /// Gives out a certificate. `use_of`: `serverAuth` or `clientAuth`; `years`: from and to.
    pub(super) fn certify(&self, name: &str, use_of: &str, years: [u32; 2]) -> PathBuf {
        let [from, to] = years;
        shell(
            &self.0,
            &format!(
                "mkdir {name}
                 printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage={use_of}\\n' > {name}/ext
                 openssl req {NEW_KEY} -keyout {name}/key.pem -out {name}/request \
                 -subj /CN={name} 2>&1
                 openssl ca -batch -config ca.cnf -notext -cert ca.pem -keyfile ca-key.pem -in {name}/request \
                 -out {name}/cert.pem -extfile {name}/ext -startdate {from}0101000000Z -enddate {to}0101000000Z 2>&1
                 cp ca.pem {name}/"
            ),
        );
        self.0.join(name)
    }
}

/// A second engine of this machine, which listens on a port and wants TLS from both sides.
pub(super) struct Engine {
    pub(super) port: u16,
    folder: PathBuf,
    certificates: PathBuf,
    dockerd: Option<Child>,
}

impl Engine {
    /// Starts it. What it keeps is below `folder`.
    pub(super) fn start(folder: &Path, certificates: &Path) -> Self {
        let mut engine =
            Self { port: free_port(), folder: folder.to_owned(), certificates: certificates.to_owned(), dockerd: None };
        engine.start_again();
        engine
    }

    pub(super) fn start_again(&mut self) {
        let mut command = as_root(&program("dockerd").expect("have() was asked"));
        let at = |name: &str| self.folder.join(name);
        for (option, value) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(option).arg(at(value));
        }
        for (option, value) in [("--tlscacert", "ca.pem"), ("--tlscert", "cert.pem"), ("--tlskey", "key.pem")] {
            command.arg(option).arg(self.certificates.join(value));
        }
        // Neither touches the network nor the storage of the engine that is there.
        command.args([
            "--tlsverify",
            "--bridge=none",
            "--iptables=false",
            "--ip-forward=false",
            "--storage-driver=vfs",
        ]);
        command.args(["-H", &format!("tcp://127.0.0.1:{}", self.port)]).stdin(Stdio::null());
        let log = std::fs::File::create(at("log")).expect("a file");
        command.stdout(log.try_clone().expect("a file")).stderr(log);
        self.dockerd = Some(command.spawn().expect("dockerd starts"));
        wait_for_port("the second engine listens", self.port);
    }

    pub(super) fn stop(&mut self) {
        let Some(mut dockerd) = self.dockerd.take() else { return };
        let pid = std::fs::read_to_string(self.folder.join("pid")).unwrap_or_default();
        let _ = as_root(Path::new("kill")).args(["-TERM", pid.trim()]).output();
        let _ = dockerd.wait();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
        let _ = as_root(Path::new("rm")).arg("-rf").args(["data", "exec"].map(|name| self.folder.join(name))).output();
    }
}

/// A host that is reached with ssh: this one, with an sshd of its own. Our own ssh reads a configuration of its own, so
/// that the keys and known hosts of whoever runs the tests are not touched.
pub(super) struct SshHost {
    pub(super) port: u16,
    folder: PathBuf,
    sshd: Option<Child>,
}

impl SshHost {
    pub(super) fn start(folder: &Path) -> Self {
        let mut host = Self { port: free_port(), folder: folder.to_owned(), sshd: None };
        let ssh = program("ssh").expect("have() was asked");
        // A shell writes the program: a file this process has open for writing cannot be started by its other threads.
        shell(
            folder,
            &format!(
                "for key in host own other bare; do ssh-keygen -q -t ed25519 -N '' -f $key; done
                 cat own.pub > allowed
                 echo \"command=\\\"{BARE}\\\" $(cat bare.pub)\" >> allowed
                 mkdir bin
                 printf '#!/bin/sh\\necho \"$@\" >> {at}/calls\\nexec {ssh} -F {at}/config \"$@\"\\n' > bin/ssh
                 chmod +x bin/ssh",
                at = folder.display(),
                ssh = ssh.display()
            ),
        );
        let sshd = "ListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/allowed\nPidFile none\n\
                    StrictModes no\n\
                    UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n";
        std::fs::write(folder.join("sshd_config"), sshd.replace("{at}", &folder.display().to_string()))
            .expect("a file");
        host.use_key("own");
        if root() {
            std::fs::create_dir_all("/run/sshd").expect("where sshd wants to be");
        }
        host.start_again();
        host.know("host");
        host
    }

    pub(super) fn start_again(&mut self) {
        let mut command = Command::new(program("sshd").expect("have() was asked"));
        command.args(["-D", "-p", &self.port.to_string(), "-f"]).arg(self.folder.join("sshd_config"));
        command.arg("-E").arg(self.folder.join("log")).stdin(Stdio::null());
        self.sshd = Some(command.spawn().expect("sshd starts"));
        wait_for_port("sshd listens", self.port);
    }

    pub(super) fn stop(&mut self) {
        if let Some(mut sshd) = self.sshd.take() {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
    }

    /// Our key: `own` is let in, `other` is not, `bare` is let in where there is no docker command.
    pub(super) fn use_key(&self, name: &str) {
        self.configure(name, "");
    }

    /// As [`Self::use_key`], and all our connections go over one, as people set it up who connect often.
    pub(super) fn share(&self, name: &str) {
        self.configure(name, "ControlMaster auto\nControlPath {at}/{name}-%C\nControlPersist 2\n");
    }

    fn configure(&self, name: &str, more: &str) {
        let config = "IdentityFile {at}/{name}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {at}/known\n\
                      GlobalKnownHostsFile /dev/null\n";
        let config =
            format!("{config}{more}").replace("{at}", &self.folder.display().to_string()).replace("{name}", name);
        std::fs::write(self.folder.join("config"), config).expect("a file");
    }

    /// What our ssh takes for the key of the host: `host` is the right one, `other` is not.
    pub(super) fn know(&self, name: &str) {
        let key = std::fs::read_to_string(self.folder.join(name).with_extension("pub")).unwrap_or_default();
        std::fs::write(self.folder.join("known"), format!("[127.0.0.1]:{} {key}", self.port)).expect("a file");
    }

    /// How often ssh was started.
    pub(super) fn calls(&self) -> usize {
        std::fs::read_to_string(self.folder.join("calls")).unwrap_or_default().lines().count()
    }

    /// `ssh://ann@127.0.0.1:2222`.
    pub(super) fn url(&self) -> String {
        format!("ssh://{}@127.0.0.1:{}", text(&run(Command::new("id").arg("-un")).stdout), self.port)
    }

    /// Where our ssh is found before all others.
    pub(super) fn path(&self) -> String {
        format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap_or_default())
    }
}

impl Drop for SshHost {
    fn drop(&mut self) {
        self.stop();
    }
}
