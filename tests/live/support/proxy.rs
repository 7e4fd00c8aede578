//! Proxies that stand in front of a service in a test: those of this machine, as services of the same project.
//!
//! Each finds the instances of the service through the engine's own name server, which names a container from its start
//! until its end, healthy or not. They differ in what they do about that: the plain ones nothing, the others what their
//! manuals advise.

use crate::support::image;

/// Where each of them listens.
pub(crate) const PORT: u16 = 8000;

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HAProxy without checks and without retries.
    HaproxyPlain,
    /// HAProxy that checks `/health` twice a second, and tries failed requests again elsewhere.
    HaproxyChecked,
    /// nginx that tries each request once.
    NginxPlain,
    /// nginx that tries failed requests again elsewhere.
    NginxRetrying,
    /// Caddy that tries each request once.
    CaddyPlain,
    /// Caddy that tries failed requests again for 3 seconds, and avoids an instance for 2 seconds after an error.
    CaddyRetrying,
}

/// A proxy: what a Compose file needs to run it.
pub(crate) struct Proxy {
    pub(crate) image: String,
    /// Arguments of the program.
    pub(crate) command: Vec<String>,
    /// The text of its configuration, which is expected at `/etc/proxy.conf`.
    pub(crate) config: String,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::HaproxyPlain,
        Self::HaproxyChecked,
        Self::NginxPlain,
        Self::NginxRetrying,
        Self::CaddyPlain,
        Self::CaddyRetrying,
    ];

    /// A proxy of this kind that stands in front of port 8080 of a service.
    pub(crate) fn before(self, service: &str) -> Proxy {
        match self {
            Self::HaproxyPlain => haproxy(service, "retries 0", ""),
            Self::HaproxyChecked => {
                let retries = "retries 3\n    option redispatch\n    \
                               retry-on conn-failure empty-response response-timeout\n    option httpchk GET /health";
                haproxy(service, retries, "check inter 500ms fall 2 rise 1")
            }
            Self::NginxPlain => nginx(service, "proxy_next_upstream off;"),
            Self::NginxRetrying => nginx(service, "proxy_next_upstream error timeout http_502;"),
            Self::CaddyPlain => caddy(service, ""),
            Self::CaddyRetrying => caddy(service, "lb_try_duration 3s\n        fail_duration 2s"),
        }
    }
}

impl Proxy {
    /// The lines of the Compose file below `services:`, for a service of this name. [`Proxy::file`] has to be beside
    /// it.
    pub(crate) fn service(&self, name: &str) -> String {
        let command: Vec<String> = self.command.iter().map(|word| format!("{word:?}")).collect();
        format!(
            "  {name}:\n    image: \"{}\"\n    command: [{}]\n    volumes: [\"./{}:/etc/proxy.conf:ro\"]\n",
            self.image,
            command.join(", "),
            self.file(name).0
        )
    }

    /// The name and the text of the file that the service reads.
    pub(crate) fn file(&self, name: &str) -> (String, String) {
        (format!("{name}.conf"), self.config.clone())
    }
}

fn proxy(name: &str, program: &str, beside: &[&str], command: &[&str], config: String) -> Proxy {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    Proxy { image: image::of_debian(name, program, beside), command, config }
}

fn haproxy(service: &str, retries: &str, check: &str) -> Proxy {
    let config = format!(
        "defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 10s
resolvers docker
    nameserver engine 127.0.0.11:53
    resolve_retries 2
    timeout resolve 500ms
    timeout retry 500ms
    hold valid 1s
frontend all
    bind :{PORT}
    default_backend instances
backend instances
    {retries}
    server-template instance 8 {service}:8080 resolvers docker init-addr none {check}
"
    );
    proxy("haproxy", "/usr/sbin/haproxy", &[], &["-db", "-f", "/etc/proxy.conf"], config)
}

fn nginx(service: &str, retries: &str) -> Proxy {
    // A name in a variable is asked for again when its answer is too old; any other name only once, at the start.
    let config = format!(
        "daemon off;
pid /tmp/nginx.pid;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    resolver 127.0.0.11 valid=1s ipv6=off;
    server {{
        listen {PORT};
        location / {{
            set $instances {service};
            proxy_pass http://$instances:8080;
            proxy_http_version 1.1;
            {retries}
        }}
    }}
}}
"
    );
    let command = ["-e", "stderr", "-c", "/etc/proxy.conf"];
    proxy("nginx", "/usr/sbin/nginx", &["/etc/passwd", "/etc/group"], &command, config)
}

fn caddy(service: &str, retries: &str) -> Proxy {
    // Without the port of the name server, this version asks nobody and dials port 0.
    let config = format!(
        "{{
    admin off
    auto_https off
}}
:{PORT} {{
    reverse_proxy {{
        dynamic a {{
            name {service}
            port 8080
            refresh 1s
            resolvers 127.0.0.11:53
        }}
        {retries}
    }}
}}
"
    );
    let command = ["run", "--config", "/etc/proxy.conf", "--adapter", "caddyfile"];
    proxy("caddy", "/usr/bin/caddy", &[], &command, config)
}
