//! Answers the Docker API while dockerd is not there to do it.
//!
//! A client that would hang in the backlog, or see its connection reset, gets the explanation as
//! the daemon's own error: the docker CLI prints `Error response from daemon: <explanation>`.

mod http;

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{SockFlag, accept4},
};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::sockets::Sockets;

/// More clients than this wait in the backlog.
const CONNECTIONS: usize = 32;

/// A client that says nothing for so long is dropped.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first byte of a TLS handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Answers every client of `sockets` with `explanation`, from a thread of its own, until the
/// process ends.
///
/// Without `tls` a TLS client is dropped. The sockets must listen.
pub fn start(
    sockets: &Sockets,
    tls: Option<Arc<ServerConfig>>,
    explanation: String,
) -> io::Result<()> {
    let unix = sockets.unix.as_fd().try_clone_to_owned()?;
    let tcp = sockets.tcp.as_fd().try_clone_to_owned()?;
    for listener in [&unix, &tcp] {
        // A client may be gone again between poll and accept.
        fcntl(listener, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    let answer = Arc::new(Answer { tls, explanation });
    thread::Builder::new()
        .name("error daemon".into())
        .spawn(move || accept_for_ever(&unix, &tcp, &answer))?;
    Ok(())
}

/// The TLS side of the daemon, with the server certificate that clients trust.
///
/// Clients are not asked for theirs: the explanation is no secret.
pub fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let named = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| named(certificate, &error))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, key_der)
        })
        .map(Arc::new)
        .map_err(|error| named(certificate, &error))
}

struct Answer {
    tls: Option<Arc<ServerConfig>>,
    explanation: String,
}

fn accept_for_ever(unix: &OwnedFd, tcp: &OwnedFd, answer: &Arc<Answer>) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let mut waiting = [unix, tcp].map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN));
        if poll(&mut waiting, PollTimeout::NONE).is_err() {
            continue;
        }
        let readable = waiting.map(|fd| fd.any().unwrap_or(false));
        for (is_unix, _) in [true, false].into_iter().zip(readable).filter(|(_, r)| *r) {
            let listener = if is_unix { unix } else { tcp };
            let Ok(client) = accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC) else {
                continue;
            };
            // SAFETY: the descriptor was just made by accept4 and has no other owner.
            let client = unsafe { OwnedFd::from_raw_fd(client) };
            if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (answer, still_open) = (Arc::clone(answer), Arc::clone(&open));
            let serve = move || {
                // A client that goes away, or speaks nonsense, is its own affair.
                let _ = if is_unix {
                    answer.serve(UnixStream::from(client))
                } else {
                    answer.serve(TcpStream::from(client))
                };
                still_open.fetch_sub(1, Ordering::Relaxed);
            };
            if thread::Builder::new().spawn(serve).is_err() {
                open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Answer {
    fn serve(&self, mut client: impl Stream) -> io::Result<()> {
        client.limit(PATIENCE)?;
        match (client.first_byte()?, &self.tls) {
            (TLS_HANDSHAKE, Some(config)) => {
                let connection =
                    ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(connection, client);
                http::answer(&mut stream, &self.explanation)?;
                stream.conn.send_close_notify();
                stream.flush()?;
                client = stream.sock;
            }
            (TLS_HANDSHAKE, None) => return Ok(()),
            _ => http::answer(&mut client, &self.explanation)?,
        }
        client.finish()
    }
}

/// What TCP and unix streams have in common here.
trait Stream: Read + Write {
    fn limit(&self, patience: Duration) -> io::Result<()>;
    /// Without taking it from the stream.
    fn first_byte(&self) -> io::Result<u8>;
    fn close_writing(&self) -> io::Result<()>;

    /// Reads what the client still sends: closing with unread data would reset the connection and
    /// could take the answer with it.
    fn finish(self) -> io::Result<()>
    where
        Self: Sized,
    {
        self.close_writing()?;
        let mut rest = self.take(http::BODY_LIMIT);
        io::copy(&mut rest, &mut io::sink()).map(drop)
    }
}

macro_rules! impl_stream {
    ($stream:ty) => {
        impl Stream for $stream {
            fn limit(&self, patience: Duration) -> io::Result<()> {
                self.set_nonblocking(false)?;
                self.set_read_timeout(Some(patience))?;
                self.set_write_timeout(Some(patience))
            }

            fn first_byte(&self) -> io::Result<u8> {
                let mut byte = [0];
                let flags = nix::sys::socket::MsgFlags::MSG_PEEK;
                match nix::sys::socket::recv(self.as_raw_fd(), &mut byte, flags)? {
                    0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => Ok(byte[0]),
                }
            }

            fn close_writing(&self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }
        }
    };
}

impl_stream!(TcpStream);
impl_stream!(UnixStream);
