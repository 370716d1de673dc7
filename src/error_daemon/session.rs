//! A client's TLS session: its handshake, what it asks and what it is told. Never blocks.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

use rustls::{ServerConfig, ServerConnection};

use super::{connection::read_some, http};

/// So much is read at a time.
const PIECE: u64 = 4096;

/// A client's side of a handshake is no longer than this: with keys that quantum computers do not
/// break it has 2 kB, and a message that never ends is kept by rustls up to 64 kB.
const HANDSHAKE_LIMIT: usize = 16 * 1024;

/// A TLS client.
pub struct Session {
    session: ServerConnection,
    /// How much of a handshake has come.
    handshake: usize,
    request: Vec<u8>,
    /// The answer, or what the session has not taken of it yet.
    answer: Option<Vec<u8>>,
}

impl Session {
    pub fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        Ok(Self {
            session: ServerConnection::new(config).map_err(io::Error::other)?,
            handshake: 0,
            request: Vec::new(),
            answer: None,
        })
    }

    pub fn wants_write(&self) -> bool {
        self.session.wants_write()
    }

    /// The handshake is over, and said.
    #[cfg(test)]
    pub fn is_greeted(&self) -> bool {
        !self.session.is_handshaking() && !self.session.wants_write()
    }

    /// Goes on by a step. Returns whether the answer is out.
    pub fn step(&mut self, socket: &mut File, explanation: &str) -> io::Result<bool> {
        let session = &mut self.session;
        while session.wants_write() {
            session.write_tls(socket)?;
        }
        if let Some(answer) = &mut self.answer {
            if answer.is_empty() {
                return Ok(true);
            }
            // As much as it buffers.
            let taken = session.writer().write(answer)?;
            answer.drain(..taken);
            if answer.is_empty() {
                session.send_close_notify();
            }
            return Ok(false);
        }
        let is_handshaking = session.is_handshaking();
        let length = session.read_tls(&mut socket.take(PIECE))?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if is_handshaking {
            self.handshake += length;
            if self.handshake > HANDSHAKE_LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        if let Err(error) = session.process_new_packets() {
            // The client's log says why, if this still reaches it.
            let _ = session.write_tls(socket);
            return Err(io::Error::other(error));
        }
        // Nothing yet is as if nothing had come to the socket.
        read_some(&mut session.reader(), &mut self.request)?;
        self.answer = http::answer(&self.request, explanation)?;
        Ok(false)
    }
}
