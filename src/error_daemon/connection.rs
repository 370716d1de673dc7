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
use rustls::{ServerConfig, ServerConnection};

use super::http;

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
    Tls {
        session: Box<ServerConnection>,
        request: Vec<u8>,
        is_answered: bool,
    },
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
            State::Tls { session, .. } if session.wants_write() => Wants::Write,
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
                State::Tls {
                    mut session,
                    mut request,
                    mut is_answered,
                } => {
                    let stepped = self.step_tls(&mut session, &mut request, &mut is_answered);
                    match stepped {
                        Ok(true) => {
                            self.close_writing()?;
                            State::Draining
                        }
                        result => {
                            self.state = State::Tls {
                                session,
                                request,
                                is_answered,
                            };
                            result?;
                            continue;
                        }
                    }
                }
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
                    if self.socket.read(&mut ignored)? == 0 {
                        return Ok(false);
                    }
                    State::Draining
                }
            };
        }
    }

    /// Returns whether the answer is out.
    fn step_tls(
        &mut self,
        session: &mut ServerConnection,
        request: &mut Vec<u8>,
        is_answered: &mut bool,
    ) -> io::Result<bool> {
        while session.wants_write() {
            session.write_tls(&mut self.socket)?;
        }
        if *is_answered {
            return Ok(true);
        }
        if session.read_tls(&mut self.socket)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Err(error) = session.process_new_packets() {
            // The client's log says why, if this still reaches it.
            let _ = session.write_tls(&mut self.socket);
            return Err(io::Error::other(error));
        }
        match read_some(&mut session.reader(), request) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            read => read?,
        }
        if let Some(answer) = http::answer(request, &self.explanation)? {
            session.writer().write_all(&answer)?;
            session.send_close_notify();
            *is_answered = true;
        }
        Ok(false)
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
    Ok(State::Tls {
        session: Box::new(ServerConnection::new(tls).map_err(io::Error::other)?),
        request,
        is_answered: false,
    })
}

fn read_some(source: &mut impl Read, request: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = source.read(&mut buffer)?;
    if length == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    request.extend_from_slice(&buffer[..length]);
    Ok(())
}
