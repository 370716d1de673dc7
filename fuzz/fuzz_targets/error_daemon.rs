//! What a client sends to the error daemon, whole and over a real socket: the first byte decides
//! between TLS and HTTP. It may hang up, but must neither panic nor stop answering others.
#![no_main]

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    sync::OnceLock,
    time::Duration,
};

use dind_init::testing::{
    error_daemon::{self, ErrorDaemon},
    reasons,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let address = *DAEMON.get_or_init(start);
    exchange(address, bytes);
    let answer = exchange(address, b"GET / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with(b"HTTP/1.1 503 "), "it answers no more");
});

static DAEMON: OnceLock<SocketAddr> = OnceLock::new();

fn start() -> SocketAddr {
    let finding = reasons::daemon::UNKNOWN.met("fuzzed");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let tls = error_daemon::tls(None, &finding);
    let daemon = ErrorDaemon::start(&[listener.as_fd()], tls, "fuzzed").expect("a thread");
    // For as long as this process lives.
    std::mem::forget(daemon);
    listener.local_addr().expect("it is bound")
}

fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut client = TcpStream::connect(address).expect("it listens");
    let limit = Some(Duration::from_secs(10));
    client.set_read_timeout(limit).expect("not zero");
    // It may hang up at any time.
    let _ = client.write_all(bytes);
    let _ = client.shutdown(Shutdown::Write);
    let _ = client.read_to_end(&mut answer);
    answer
}
