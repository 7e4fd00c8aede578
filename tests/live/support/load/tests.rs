//! Servers that misbehave in one way each, and what the load says about them.

use super::Outcome;
use super::Paced;
use crate::support::engine::pause;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;

const RIGHT: &str = "HTTP/1.1 200 OK\r\nX-Instance: a\r\nContent-Length: 23\r\n\r\ninstance a\nversion 123\n";

/// A server that does this with each connection.
fn server(converse: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || converse(stream));
        }
    });
    address
}

/// Waits for the next request of a connection; whether there was one.
fn hear(stream: &mut TcpStream) -> bool {
    stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0)
}

fn say(stream: &mut TcpStream, answer: &str) {
    let _ = stream.write_all(answer.as_bytes());
}

fn keep_answering(mut stream: TcpStream) {
    while hear(&mut stream) {
        say(&mut stream, RIGHT);
    }
}

/// A second of load with 100 requests.
fn loaded(to: SocketAddr, keep_alive: usize) -> Outcome {
    let at_most = Duration::from_secs(1);
    let running = Paced { to, host: "app.test".to_owned(), rate: 100, keep_alive, at_most }.run();
    let outcome = running.thread.join().expect("it ends by itself");
    assert_eq!(outcome.sent, 100, "{outcome}");
    assert_eq!(outcome.ok + outcome.lost(), outcome.sent, "{outcome}");
    assert_eq!(outcome.errors.len(), outcome.lost().min(50), "{outcome}");
    outcome
}

#[track_caller]
fn all_lost(to: SocketAddr, class: &str) {
    let outcome = loaded(to, 0);
    assert_eq!(outcome.failed.get(class), Some(&100), "{outcome}");
    assert_eq!(outcome.idle_resets, 0, "{outcome}");
}

#[test]
fn a_good_server_loses_nothing_on_kept_and_on_fresh_connections() {
    for keep_alive in [0, 8] {
        let outcome = loaded(server(keep_answering), keep_alive);
        assert_eq!((outcome.ok, outcome.idle_resets), (100, 0), "{outcome}");
        assert_eq!(outcome.by_instance.get("a"), Some(&100));
        assert!(outcome.max_latency > Duration::ZERO);
    }
}

#[test]
fn connections_are_kept_and_used_in_turn() {
    // After the tenth request on a connection it hangs up; a hundred requests on eight connections get that far.
    let to = server(|mut stream| {
        for _ in 0..10 {
            if hear(&mut stream) {
                say(&mut stream, RIGHT);
            }
        }
    });
    let outcome = loaded(to, 8);
    assert_eq!(outcome.ok, 100, "{outcome}");
    assert!((1..=9).contains(&outcome.idle_resets), "{outcome}");
}

#[test]
fn a_kept_connection_that_was_closed_is_no_lost_request() {
    let closes = |mut stream: TcpStream| {
        hear(&mut stream);
        say(&mut stream, RIGHT);
    };
    let outcome = loaded(server(closes), 4);
    assert_eq!(outcome.lost(), 0, "{outcome}");
    assert!(outcome.idle_resets >= 40, "{outcome}");
    assert!(outcome.in_doubt <= 5, "{outcome}");
    // Where it thinks about the next request first, it may have begun with it.
    let thinks = |mut stream: TcpStream| {
        hear(&mut stream);
        say(&mut stream, RIGHT);
        if hear(&mut stream) {
            pause(Duration::from_millis(50));
        }
    };
    let outcome = loaded(server(thinks), 4);
    assert_eq!((outcome.lost(), outcome.in_doubt), (0, outcome.idle_resets), "{outcome}");
    assert!(outcome.in_doubt >= 20, "{outcome}");
    // A server that says so beforehand surprises nobody.
    let says_so = |mut stream: TcpStream| {
        hear(&mut stream);
        say(&mut stream, &RIGHT.replace("X-", "Connection: close\r\nX-"));
    };
    let outcome = loaded(server(says_so), 4);
    assert_eq!((outcome.ok, outcome.idle_resets), (100, 0), "{outcome}");
}

#[test]
fn an_error_is_told_by_its_status_and_a_strange_answer_by_its_body() {
    all_lost(
        server(|mut stream| {
            hear(&mut stream);
            say(&mut stream, "HTTP/1.0 503 Service Unavailable\r\n\r\n<h1>no server</h1>");
        }),
        "status 503",
    );
    all_lost(
        server(|mut stream| {
            hear(&mut stream);
            say(&mut stream, &RIGHT.replace("instance a", "instance b"));
        }),
        "wrong body",
    );
    all_lost(
        server(|mut stream| {
            hear(&mut stream);
            say(&mut stream, "SSH-2.0-OpenSSH\r\n\r\n");
        }),
        "no HTTP answer",
    );
}

#[test]
fn an_exchange_that_breaks_tells_where() {
    all_lost(server(|mut stream| assert!(hear(&mut stream), "a request")), "closed before the answer");
    // What was sent and never read makes the end of a connection a reset.
    all_lost(
        server(|mut stream| {
            let _ = stream.read(&mut [0; 4]);
        }),
        "reset before the answer",
    );
    let cut = |mut stream: TcpStream| {
        hear(&mut stream);
        say(&mut stream, &RIGHT[..RIGHT.len() - 5]);
    };
    all_lost(server(cut), "closed within the answer");
    // On a kept connection too: what began cannot be asked for again.
    let outcome = loaded(
        server(|mut stream| {
            hear(&mut stream);
            say(&mut stream, RIGHT);
            hear(&mut stream);
            say(&mut stream, &RIGHT[..RIGHT.len() - 22]);
        }),
        4,
    );
    assert_eq!(outcome.failed.keys().collect::<Vec<_>>(), ["closed within the answer"], "{outcome}");
    assert!(outcome.ok >= 40 && outcome.idle_resets == 0, "{outcome}");
}

#[test]
fn a_port_where_nobody_listens_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    all_lost(address, "connect refused");
}

#[test]
fn silence_is_told_from_not_being_connected() {
    let silent = std::thread::spawn(|| {
        let silent = server(|mut stream| {
            hear(&mut stream);
            pause(Duration::from_secs(20));
        });
        all_lost(silent, "no answer");
    });
    // A server that accepts nobody, with so short a queue that it is full: the kernel drops what comes.
    let runtime = super::runtime();
    let _inside = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let short = Duration::from_millis(100);
    let waiting: Vec<_> = (0..4).map(|_| TcpStream::connect_timeout(&address, short)).collect();
    all_lost(address, "connect timeout");
    drop(waiting);
    silent.join().expect("silence is told");
}

#[test]
fn load_stops_when_it_is_told_to() {
    let running = Paced::start(server(keep_answering), 200, 8);
    pause(Duration::from_millis(500));
    let outcome = running.stop();
    assert!((80..=120).contains(&outcome.sent), "{outcome}");
    assert_eq!(outcome.lost(), 0, "{outcome}");
}
