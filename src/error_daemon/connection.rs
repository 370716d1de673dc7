//! One client: what it sent, what it is still to be told. Never blocks.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::Arc,
};

use nix::{
    poll::PollFlags,
    sys::socket::{MsgFlags, Shutdown, recv, shutdown},
};
use rustls::ServerConfig;

use super::{http, session::Session};

/// The first byte of a TLS handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// A client's connection, on a socket that does not block.
pub struct Connection {
    /// A socket; as a `File` it is the same for TCP and unix.
    socket: File,
    explanation: Arc<str>,
    state: State,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wants {
    Read,
    Write,
}

impl Wants {
    pub fn events(self) -> PollFlags {
        match self {
            Self::Read => PollFlags::POLLIN,
            Self::Write => PollFlags::POLLOUT,
        }
    }
}

enum State {
    /// Nothing has come yet; with this, a TLS client can be served.
    New(Option<Arc<ServerConfig>>),
    Plain {
        request: Vec<u8>,
    },
    Tls(Box<Session>),
    /// The answer, or what is left of it.
    Answering(Vec<u8>),
    /// Answered. Closing with unread data would reset the connection and could take the answer
    /// with it, so what the client still sends is read until it has closed its side.
    Draining,
}

impl Connection {
    pub fn new(socket: File, tls: Option<Arc<ServerConfig>>, explanation: Arc<str>) -> Self {
        Self {
            socket,
            explanation,
            state: State::New(tls),
        }
    }

    pub fn wants(&self) -> Wants {
        match &self.state {
            State::Answering(_) => Wants::Write,
            State::Tls(tls) if tls.wants_write() => Wants::Write,
            _ => Wants::Read,
        }
    }

    /// Goes on as far as possible. Returns whether there is more to come.
    ///
    /// An error ends the connection as well: the client is gone, or speaks nonsense.
    pub fn advance(&mut self) -> io::Result<bool> {
        match self.step() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            result => result,
        }
    }

    fn step(&mut self) -> io::Result<bool> {
        loop {
            self.state = match mem::replace(&mut self.state, State::Draining) {
                State::New(tls) => match self.first_byte() {
                    Ok(byte) => greet(byte, tls)?,
                    Err(error) => {
                        self.state = State::New(tls);
                        return Err(error);
                    }
                },
                State::Plain { mut request } => {
                    let read = read_some(&mut self.socket, &mut request);
                    if let Err(error) = read {
                        self.state = State::Plain { request };
                        return Err(error);
                    }
                    match http::answer(&request, &self.explanation)? {
                        Some(answer) => State::Answering(answer),
                        None => State::Plain { request },
                    }
                }
                State::Tls(mut tls) => match tls.step(&mut self.socket, &self.explanation) {
                    Ok(true) => {
                        self.close_writing()?;
                        State::Draining
                    }
                    result => {
                        self.state = State::Tls(tls);
                        result?;
                        continue;
                    }
                },
                State::Answering(mut answer) => {
                    let written = self.socket.write(&answer);
                    if let Ok(length) = written {
                        answer.drain(..length);
                    }
                    if answer.is_empty() {
                        self.close_writing()?;
                        State::Draining
                    } else {
                        self.state = State::Answering(answer);
                        written?;
                        continue;
                    }
                }
                State::Draining => {
                    let mut ignored = [0; 16 * 1024];
                    // Who sends without end has its next turn when the others have had theirs.
                    return Ok(self.socket.read(&mut ignored)? > 0);
                }
            };
        }
    }

    /// Without taking it from the socket.
    fn first_byte(&self) -> io::Result<u8> {
        let mut byte = [0];
        match recv(self.socket.as_raw_fd(), &mut byte, MsgFlags::MSG_PEEK)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(byte[0]),
        }
    }

    fn close_writing(&self) -> io::Result<()> {
        Ok(shutdown(self.socket.as_raw_fd(), Shutdown::Write)?)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn greet(first_byte: u8, tls: Option<Arc<ServerConfig>>) -> io::Result<State> {
    let request = Vec::new();
    if first_byte != TLS_HANDSHAKE {
        return Ok(State::Plain { request });
    }
    let tls = tls.ok_or(ErrorKind::Unsupported)?;
    Ok(State::Tls(Box::new(Session::new(tls)?)))
}

pub(super) fn read_some(source: &mut impl Read, request: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = source.read(&mut buffer)?;
    if length == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    request.extend_from_slice(&buffer[..length]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        os::{fd::OwnedFd, unix::net::UnixStream},
        sync::mpsc,
        thread,
    };

    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    use super::*;
    use crate::{
        error_daemon::{identity::config, tls},
        pki::issue,
        reasons::certs,
        system::poll,
    };

    /// A client of a TLS daemon, and the daemon's side of it.
    fn pair() -> (UnixStream, Connection) {
        let (client, socket) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        let tls = tls(None, &certs::READONLY.found("x", ""));
        assert!(tls.is_some());
        let socket = File::from(OwnedFd::from(socket));
        (client, Connection::new(socket, tls, "x".into()))
    }

    /// The beginning of a record that holds the beginning of a ClientHello of 60 kB.
    fn endless(length: usize) -> Vec<u8> {
        let mut record = vec![TLS_HANDSHAKE, 3, 1, 0x40, 0x00, 1, 0, 0xea, 0x60];
        record.resize(length, 0);
        record
    }

    #[test]
    fn a_handshake_may_be_16_kib_long_and_no_longer() {
        let (mut client, mut connection) = pair();
        // In pieces, as it may come.
        for piece in endless(16_384).chunks(4000) {
            client.write_all(piece).unwrap();
            assert!(connection.advance().unwrap());
        }
        client.write_all(&[0]).unwrap();
        let error = connection.advance().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn who_sends_more_than_is_read_at_once_has_to_wait_for_its_turn() {
        let (mut client, mut connection) = pair();
        client.set_nonblocking(true).unwrap();
        client.write_all(b"POST / HTTP/1.1\r\n\r\n").unwrap();
        assert!(connection.advance().unwrap());
        let mut sent = 0;
        while let Ok(length) = client.write(&[b'x'; 4096]) {
            sent += length;
        }
        assert!(sent > 100_000, "{sent}");
        for _ in 0..4 {
            assert!(connection.advance().unwrap());
            assert!(poll::is_readable(connection.as_fd()), "all was read");
        }
        // As long as it is not over, and no longer: the control.
        client.shutdown(std::net::Shutdown::Write).unwrap();
        while connection.advance().unwrap() {}
    }

    #[test]
    fn a_client_that_hangs_up_is_not_waited_for() {
        for said in [&b""[..], b"GET / HTTP/1.1\r\n", &endless(5)] {
            let (mut client, mut connection) = pair();
            client.write_all(said).unwrap();
            assert!(connection.advance().unwrap());
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let error = connection.advance().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{said:?}");
        }
    }

    #[test]
    fn who_does_not_read_is_waited_for_until_all_is_told() {
        let server = issue::message_certificate("docker").unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(server.0.clone()).unwrap();
        let tls = config(vec![server.0], server.1).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let trusting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let trusting = Arc::new(trusting);
        for with_tls in [false, true] {
            let (client, socket) = UnixStream::pair().unwrap();
            socket.set_nonblocking(true).unwrap();
            let long = "x".repeat(1 << 20);
            let socket = File::from(OwnedFd::from(socket));
            let mut connection = Connection::new(socket, Some(tls.clone()), long.as_str().into());
            let (go_on, next) = mpsc::channel();
            let trusting = Arc::clone(&trusting);
            let client = thread::spawn(move || {
                let mut client = client;
                let name = "docker".try_into().unwrap();
                let mut session = ClientConnection::new(trusting, name).unwrap();
                let mut stream: Box<dyn ReadWrite> = match with_tls {
                    false => Box::new(client),
                    true => {
                        while session.is_handshaking() {
                            session.complete_io(&mut client).unwrap();
                        }
                        Box::new(StreamOwned::new(session, client))
                    }
                };
                next.recv().unwrap();
                stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
                stream.flush().unwrap();
                next.recv().unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            });
            let is_greeted = |connection: &Connection| match &connection.state {
                State::Tls(tls) => tls.is_greeted(),
                _ => !with_tls,
            };
            while !is_greeted(&connection) {
                assert!(connection.advance().unwrap());
            }
            assert_eq!(connection.wants(), Wants::Read);
            go_on.send(()).unwrap();
            while connection.wants() == Wants::Read {
                assert!(connection.advance().unwrap());
            }
            go_on.send(()).unwrap();
            while connection.advance().unwrap() {}
            let answer = client.join().unwrap();
            assert!(answer.ends_with(&format!("{long}\"}}")), "{with_tls}");
        }
    }

    trait ReadWrite: Read + Write {}
    impl<T: Read + Write> ReadWrite for T {}
}
