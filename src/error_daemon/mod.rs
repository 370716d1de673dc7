//! Answers the Docker API while dockerd is not there to do it.
//!
//! A client that would hang in the backlog, or see its connection reset, gets the explanation as
//! the daemon's own error: the docker CLI prints `Error response from daemon: <explanation>`.

mod connection;
mod http;

use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{self as nix_poll, PollFd, PollFlags},
    sys::{
        eventfd::{EfdFlags, EventFd},
        socket::{SockFlag, accept4},
    },
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use self::connection::{Connection, Wants};
use crate::{
    pki::{ServerIdentity, issue},
    reasons::Finding,
    report::explain,
    system::poll,
};

/// With more connections than this the oldest is closed, so that idle ones keep nobody out.
const CONNECTIONS: usize = 256;

/// How long nobody is accepted where there is no descriptor for it.
const REST: Duration = Duration::from_millis(100);

/// From its first byte to its last, a connection takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);

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
        let mut answering = Answering {
            listeners,
            stop: Arc::clone(&stop),
            tls,
            explanation: explanation.into(),
            connections: Vec::new(),
            rests_until: None,
        };
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

/// The TLS side of the daemon: with the server's certificate where there is one that clients trust,
/// else with one whose name is the message.
pub fn tls(server: Option<&ServerIdentity>, finding: &Finding) -> Option<Arc<ServerConfig>> {
    server
        .and_then(trusted)
        .or_else(|| named(&explain::certificate_name(finding)))
}

/// With the server's certificate. Clients are not asked for theirs: the explanation is no secret.
pub fn trusted(server: &ServerIdentity) -> Option<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(&server.certificate_pem);
    let chain = chain.collect::<Result<_, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(&server.key_pem).ok()?;
    config(chain, key).ok()
}

/// For clients that trust some other CA.
fn named(dns_name: &str) -> Option<Arc<ServerConfig>> {
    let (certificate, key) = issue::message_certificate(dns_name).ok()?;
    config(vec![certificate], key).ok()
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map(Arc::new)
}

/// What the thread works with.
struct Answering {
    listeners: Vec<OwnedFd>,
    stop: Arc<EventFd>,
    tls: Option<Arc<ServerConfig>>,
    explanation: Arc<str>,
    /// The oldest first.
    connections: Vec<(Connection, Instant)>,
    /// Accepts nobody until then.
    rests_until: Option<Instant>,
}

impl Answering {
    fn run(&mut self) {
        loop {
            let ready = self.wait();
            let (stop, ready) = ready.split_at(1);
            if stop[0] {
                return;
            }
            let (listeners, connections) = ready.split_at(self.listeners.len());
            self.serve(connections);
            for position in (0..self.listeners.len()).filter(|position| listeners[*position]) {
                self.accept(position);
            }
        }
    }

    /// Waits for anything to happen, and says to whom: the stop, the listeners, the connections.
    fn wait(&self) -> Vec<bool> {
        let rests_until = self.rests_until.filter(|until| *until > Instant::now());
        let deadlines = self.connections.iter().map(|(_, deadline)| *deadline);
        let timeout = poll::timeout(deadlines.chain(rests_until).min());
        let accepts = match rests_until {
            None => Wants::Read.events(),
            Some(_) => PollFlags::empty(),
        };
        let stop = PollFd::new(self.stop.as_fd(), Wants::Read.events());
        let listeners = self.listeners.iter();
        let listeners = listeners.map(|listener| PollFd::new(listener.as_fd(), accepts));
        let always = std::iter::once(stop).chain(listeners);
        let clients = self
            .connections
            .iter()
            .map(|(client, _)| PollFd::new(client.as_fd(), client.wants().events()));
        let mut sources: Vec<_> = always.chain(clients).collect();
        // An error is EINTR or a lack of memory; nothing is ready then.
        let _ = nix_poll::poll(&mut sources, timeout);
        let is_ready = |source: &PollFd<'_>| source.any().unwrap_or(false);
        sources.iter().map(is_ready).collect()
    }

    fn serve(&mut self, ready: &[bool]) {
        let now = Instant::now();
        let mut ready = ready.iter();
        self.connections.retain_mut(|(client, deadline)| {
            // One answer for each, in the same order.
            let is_ready = ready.next().copied().unwrap_or(false);
            *deadline > now && (!is_ready || client.advance().is_ok_and(|open| open))
        });
    }

    /// Takes all that wait.
    fn accept(&mut self, listener: usize) {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        // Without a descriptor accept fails before it has looked whether anybody waits, and nobody
        // is to give way to nobody.
        while poll::is_readable(self.listeners[listener].as_fd()) {
            let client = match accept4(self.listeners[listener].as_raw_fd(), flags) {
                Ok(client) => client,
                // No descriptors are left: the oldest client gives way to the next one.
                Err(Errno::EMFILE | Errno::ENFILE) if !self.connections.is_empty() => {
                    self.connections.remove(0);
                    continue;
                }
                // Who still waits in the backlog would wake us again at once.
                Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) => {
                    self.rests_until = Some(Instant::now() + REST);
                    return;
                }
                Err(_) => return,
            };
            // SAFETY: accept4 has just made the descriptor, and nothing else owns it.
            let client = unsafe { OwnedFd::from_raw_fd(client) };
            if self.connections.len() >= CONNECTIONS {
                self.connections.remove(0);
            }
            let client = Connection::new(
                File::from(client),
                self.tls.clone(),
                Arc::clone(&self.explanation),
            );
            self.connections.push((client, Instant::now() + PATIENCE));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpListener, TcpStream},
    };

    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    use super::*;
    use crate::{reasons::certs, system::alone::is_alone};

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

    #[test]
    fn a_certificate_is_found_for_every_client() {
        let (certificate, key) = issue::message_certificate("docker").unwrap();
        let PrivateKeyDer::Pkcs8(key) = key else {
            panic!("PKCS #8 is what is made");
        };
        let text = |label: &str, der: &[u8]| pem::encode(&pem::Pem::new(label, der)).into_bytes();
        let server = ServerIdentity {
            certificate_pem: text("CERTIFICATE", &certificate),
            key_pem: text("PRIVATE KEY", key.secret_pkcs8_der()),
        };
        assert!(trusted(&server).is_some());
        let finding = certs::READONLY.found("x", "");
        assert!(tls(Some(&server), &finding).is_some());
        // What its name says is all that such a client shows.
        assert!(tls(None, &finding).is_some());
        let broken = ServerIdentity {
            key_pem: Vec::new(),
            ..server
        };
        assert!(trusted(&broken).is_none());
        assert!(tls(Some(&broken), &finding).is_some());
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

    #[test]
    fn who_has_no_descriptors_rests_before_it_looks_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut answering = Answering {
            listeners: vec![listener.into()],
            stop: Arc::new(EventFd::new().unwrap()),
            tls: None,
            explanation: "x".into(),
            connections: Vec::new(),
            rests_until: Some(Instant::now() + REST),
        };
        assert_eq!(answering.wait(), [false, false]);
        answering.rests_until = None;
        assert_eq!(answering.wait(), [false, true]);
    }

    /// All descriptors but those that are open are used up.
    fn fill() -> Vec<File> {
        std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
    }

    #[test]
    fn without_descriptors_the_oldest_client_gives_way_and_without_clients_it_rests() {
        let name = "without_descriptors_the_oldest_client_gives_way_and_without_clients_it_rests";
        if !is_alone(&format!("error_daemon::tests::{name}")) {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect(address).unwrap();
        let [mut first, mut second, mut third] = [(); 3].map(|()| connect());
        let mut answering = Answering {
            listeners: vec![listener.into()],
            stop: Arc::new(EventFd::new().unwrap()),
            tls: None,
            explanation: "x".into(),
            connections: Vec::new(),
            rests_until: None,
        };
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 64, hard).unwrap();
        let mut others = fill();
        // One for the first, who gives way to the second, who gives way to the third.
        others.pop();
        answering.accept(0);
        for gone in [&mut first, &mut second] {
            assert_eq!(gone.read(&mut [0]).unwrap(), 0);
        }
        third.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        answering.serve(&[true]);
        assert_eq!(answering.connections.len(), 1);
        third.read_exact(&mut [0; 12]).unwrap();
        assert_eq!(answering.rests_until, None);

        answering.connections.clear();
        others.extend(fill());
        // Its descriptor is made before there is none left for the other side.
        others.pop();
        let _fourth = connect();
        let before = Instant::now();
        answering.accept(0);
        assert!(answering.connections.is_empty());
        let rests_until = answering.rests_until.unwrap();
        assert!(before + REST <= rests_until && rests_until <= Instant::now() + REST);
        drop(others);
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
        assert_eq!(open.read(&mut [0]).unwrap_or(0), 0);
        let _waiting = TcpStream::connect(address).unwrap();
        listener.set_nonblocking(false).unwrap();
        listener.accept().unwrap();
    }
}
