//! Answers the Docker API while dockerd is not there to do it.
//!
//! A client that would hang in the backlog, or see its connection reset, gets the explanation as
//! the daemon's own error: the docker CLI prints `Error response from daemon: <explanation>`.

mod answering;
mod connection;
mod http;
mod identity;
mod session;

use std::{
    io,
    os::fd::BorrowedFd,
    sync::Arc,
    thread::{self, JoinHandle},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::eventfd::{EfdFlags, EventFd},
};
use rustls::ServerConfig;

use self::answering::Answering;
pub use self::identity::{tls, trusted};

/// A thread that accepts, until it is dropped.
///
/// Dropping it closes its connections; clients that were not accepted stay in the backlog.
#[derive(Debug)]
pub struct ErrorDaemon {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl ErrorDaemon {
    /// Answers every client of `listeners` with `explanation`.
    ///
    /// Each listener must listen. Without `tls`, a TLS client is dropped.
    pub fn start(
        listeners: &[BorrowedFd<'_>],
        tls: Option<Arc<ServerConfig>>,
        explanation: &str,
    ) -> io::Result<Self> {
        let listeners = listeners
            .iter()
            .map(|listener| {
                // A client may be gone again between poll and accept.
                fcntl(listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
                listener.try_clone_to_owned()
            })
            .collect::<io::Result<Vec<_>>>()?;
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?);
        let mut answering = Answering::new(listeners, Arc::clone(&stop), tls, explanation);
        let thread = thread::Builder::new()
            .name("error daemon".into())
            .spawn(move || answering.run())?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for ErrorDaemon {
    fn drop(&mut self) {
        // Fails only if the counter overflows, and then it is readable as well.
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nothing to clean up.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpListener, TcpStream},
        os::fd::AsFd,
    };

    use super::{
        answering::{CONNECTIONS, PATIENCE},
        identity::config,
        *,
    };
    use crate::pki::issue;

    fn daemon(explanation: &str) -> (ErrorDaemon, SocketAddr, TcpListener) {
        daemon_with(None, explanation)
    }

    fn daemon_with(
        tls: Option<Arc<ServerConfig>>,
        explanation: &str,
    ) -> (ErrorDaemon, SocketAddr, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Rust's own backlog is shorter than the init's, and the tests are in a hurry.
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::MAXCONN).unwrap();
        let daemon = ErrorDaemon::start(&[listener.as_fd()], tls, explanation).unwrap();
        let address = listener.local_addr().unwrap();
        (daemon, address, listener)
    }

    fn ask(address: SocketAddr, request: &[u8]) -> String {
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(request).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_client_reads_the_explanation() {
        let (_daemon, address, _listener) = daemon("no \"nat\" table");
        let answer = ask(address, b"GET /v1.47/info HTTP/1.1\r\nHost: docker\r\n\r\n");
        assert!(
            answer.ends_with(r#"{"message":"no \"nat\" table"}"#),
            "{answer}"
        );
        let old = ask(address, b"GET /info HTTP/1.0\r\n\r\n");
        assert!(old.contains("no \\\"nat\\\" table"), "{old}");
    }

    #[test]
    fn idle_clients_keep_nobody_out() {
        let (_daemon, address, _listener) = daemon("x");
        let before = resident_kilobytes();
        let idle: Vec<_> = (0..1000)
            .map(|number| {
                let mut client = TcpStream::connect(address).unwrap();
                // Some have begun and never go on.
                if number % 2 == 0 {
                    client.write_all(b"GET /").unwrap();
                }
                client
            })
            .collect();
        assert!(ask(address, b"GET / HTTP/1.1\r\n\r\n").contains("503"));
        // Memory may have been given back meanwhile.
        assert!(resident_kilobytes().saturating_sub(before) < 16 * 1024);
        drop(idle);
    }

    /// A handshake message of 60 kB, all but its end, from as many as are served.
    #[test]
    fn handshakes_that_never_end_take_no_memory() {
        let server = issue::message_certificate("docker").unwrap();
        let tls = config(vec![server.0], server.1).unwrap();
        let (_daemon, address, _listener) = daemon_with(Some(tls), "x");
        let before = resident_kilobytes();
        let mut record = vec![0x16, 3, 1, 0x3f, 0xff, 1, 0, 0xea, 0x60];
        record.resize(5 + 0x3fff, 0);
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let mut client = TcpStream::connect(address).unwrap();
                // It may hang up before all is sent.
                let _ = client.write_all(&record);
                let _ = client.write_all(&[0x16, 3, 1, 0x3f, 0xff]);
                let _ = client.write_all(&record[5..]);
                client
            })
            .collect();
        assert!(ask(address, b"GET / HTTP/1.1\r\n\r\n").contains("503"));
        let grown = resident_kilobytes().saturating_sub(before);
        assert!(grown < 16 * 1024, "{grown} kB");
        drop(clients);
    }

    /// More than a session buffers.
    #[test]
    fn a_long_answer_comes_whole_over_tls() {
        let server = issue::message_certificate("docker").unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(server.0.clone()).unwrap();
        let tls = config(vec![server.0], server.1).unwrap();
        let long = "x".repeat(300_000);
        let (_daemon, address, _listener) = daemon_with(Some(tls), &long);
        let client = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
        let name = "docker".try_into().unwrap();
        let session = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
        let mut stream = rustls::StreamOwned::new(session, TcpStream::connect(address).unwrap());
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with(&format!("{long}\"}}")), "{}", answer.len());
    }

    fn resident_kilobytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let field = line.and_then(|line| line.split_whitespace().nth(1));
        field.unwrap().parse().unwrap()
    }

    #[test]
    fn a_body_is_taken_without_end_and_without_memory() {
        let (_daemon, address, _listener) = daemon("x");
        let mut client = TcpStream::connect(address).unwrap();
        let header = b"POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write_all(header).unwrap();
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..32 {
            client.write_all(b"100000\r\n").unwrap();
            client.write_all(&chunk).unwrap();
            client.write_all(b"\r\n").unwrap();
        }
        let mut answer = String::new();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("503"), "{answer}");
    }

    #[test]
    fn garbage_hurts_nobody() {
        let (_daemon, address, _listener) = daemon("x");
        for garbage in [
            &b"\x16\x03\x01\x02"[..],
            b"\x00",
            b"\r\n\r\n",
            b"\xff\xfe\r\n\r\n",
        ] {
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(garbage).unwrap();
            // Whatever comes back, or nothing, and however soon: the connection ends.
            let _ = client.shutdown(std::net::Shutdown::Write);
            let _ = client.read_to_end(&mut Vec::new());
        }
        assert!(ask(address, b"GET / HTTP/1.1\r\n\r\n").contains("503"));
    }

    /// Bytes that a generator makes, the same in every run, after beginnings that lead deep.
    #[test]
    fn no_bytes_make_it_panic() {
        let server = issue::message_certificate("docker").unwrap();
        let tls = config(vec![server.0], server.1).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _daemon = ErrorDaemon::start(&[listener.as_fd()], Some(tls), "x").unwrap();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = || {
            // xorshift64, Marsaglia 2003
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let beginnings: [&[u8]; 5] = [
            b"",
            b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03",
            b"\x16\x03\x03",
            b"POST / HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
        ];
        for round in 0..500 {
            let mut client = TcpStream::connect(address).unwrap();
            let length = random() % 300;
            let rest = (0..length).map(|_| random().to_le_bytes()[3]);
            let bytes: Vec<u8> = beginnings[round % 5].iter().copied().chain(rest).collect();
            // It may hang up at any time.
            let _ = client.write_all(&bytes);
            let _ = client.shutdown(std::net::Shutdown::Write);
            let _ = client.read_to_end(&mut Vec::new());
        }
        assert!(ask(address, b"GET / HTTP/1.1\r\n\r\n").contains("503"));
    }

    #[test]
    fn when_it_ends_new_clients_wait_for_the_next_to_accept() {
        let (daemon, address, listener) = daemon("x");
        let mut open = TcpStream::connect(address).unwrap();
        // Whoever comes later is accepted later, so the first one has been.
        ask(address, b"GET / HTTP/1.1\r\n\r\n");
        drop(daemon);
        // Sooner than its patience with a client ends.
        open.set_read_timeout(Some(PATIENCE / 2)).unwrap();
        assert_eq!(open.read(&mut [0]).unwrap(), 0);
        let _waiting = TcpStream::connect(address).unwrap();
        listener.set_nonblocking(false).unwrap();
        listener.accept().unwrap();
    }
}
