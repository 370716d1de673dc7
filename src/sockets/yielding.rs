//! A port that is held only to explain something is given up to whoever has a use for it.
//!
//! Nobody hears of it when somebody else's `bind` fails. But another dind-init in this network can
//! ask, on an abstract socket, which exists once in each network namespace (`man 7 unix`); and an
//! inner container gets its pair of interfaces well before dockerd binds the ports that it
//! publishes (libnetwork, bridge driver: `CreateEndpoint`, then `ProgramExternalConnectivity`).

use std::{
    fs, io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener, UnixStream},
    },
    time::{Duration, Instant},
};

use nix::{
    libc,
    poll::{self as nix_poll, PollFd, PollFlags, PollTimeout},
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, UnixAddr, bind,
        connect, recv, socket,
    },
};

use crate::system::poll;

/// How long the other one may take to let go.
const YIELDING_PATIENCE: Duration = Duration::from_secs(1);

/// What tells that a port is wanted.
#[derive(Debug)]
pub struct Signs {
    asked: UnixListener,
    links: OwnedFd,
}

impl Signs {
    pub fn watch(port: u16) -> io::Result<Self> {
        let links = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        // The kernel chooses the number (`man 7 netlink`).
        let changes = NetlinkAddr::new(0, libc::RTMGRP_LINK as u32);
        bind(links.as_raw_fd(), &changes)?;
        Ok(Self {
            asked: UnixListener::bind_addr(&address(port)?)?,
            links,
        })
    }

    /// Waits until somebody wants the port. Who asked is told by the end of the connection that the
    /// port is free.
    pub fn wait(&self) -> Option<UnixStream> {
        loop {
            let mut sources = [self.asked.as_fd(), self.links.as_fd()]
                .map(|source| PollFd::new(source, PollFlags::POLLIN));
            // An error can only be EINTR, and then nothing is readable.
            if nix_poll::poll(&mut sources, PollTimeout::NONE).is_err() {
                continue;
            }
            let [asked, links] = sources.map(|source| source.any().unwrap_or_default());
            if asked {
                return self.asked.accept().ok().map(|(stream, _)| stream);
            }
            if links && self.is_about_a_container() {
                return None;
            }
        }
    }

    fn is_about_a_container(&self) -> bool {
        let mut message = [0; 8192];
        match recv(self.links.as_raw_fd(), &mut message, MsgFlags::empty()) {
            Ok(length) => names_a_container_s_link(&message[..length]),
            // Messages were lost, so there is much to do about interfaces.
            Err(_) => true,
        }
    }
}

/// The message holds the kind of the interface, and the kind of containers' is `veth`.
fn names_a_container_s_link(message: &[u8]) -> bool {
    message.windows(4).any(|word| word == b"veth")
}

/// Asks the dind-init that holds this port, if one does. True if it has let go.
///
/// The name is anybody's in this network: whoever has it may accept nobody, or talk without end.
pub fn ask_for(port: u16) -> bool {
    let asked = || -> io::Result<bool> {
        // Not `UnixStream`, which waits where the holder's backlog is full.
        let holder = socket(
            AddressFamily::Unix,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            None,
        )?;
        let address = UnixAddr::new_abstract(name(port).as_bytes())?;
        connect(holder.as_raw_fd(), &address)?;
        poll::until_readable([holder.as_fd()], Some(Instant::now() + YIELDING_PATIENCE));
        // A dind-init says nothing, and closes.
        Ok(recv(holder.as_raw_fd(), &mut [0], MsgFlags::MSG_DONTWAIT)? == 0)
    };
    asked().unwrap_or_default()
}

/// Whether a dind-init holds this port only to explain something. Does not ask for it.
pub fn is_held(port: u16) -> bool {
    // An abstract name is shown with an @ before it (`man 5 proc_net`).
    let name = format!("@{}", name(port));
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    sockets
        .lines()
        .any(|line| line.split_whitespace().last() == Some(&name))
}

fn address(port: u16) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name(port))
}

fn name(port: u16) -> String {
    format!("dind-init/explains/{port}")
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::mpsc::{self, RecvTimeoutError},
        thread,
    };

    use super::*;

    #[test]
    fn who_asks_hears_when_the_port_is_free_and_where_nobody_holds_it() {
        // A number that is no port of any test, since the name is the whole machine's.
        assert!(!ask_for(1) && !is_held(1));
        let signs = Signs::watch(1).unwrap();
        assert!(is_held(1));
        assert!(!is_held(5), "another port");
        let holder = thread::spawn(move || {
            let asked = signs.wait();
            // It has its daemon to end before.
            thread::sleep(YIELDING_PATIENCE / 10);
            drop(asked);
        });
        assert!(ask_for(1));
        holder.join().unwrap();
    }

    #[test]
    fn only_the_link_of_a_container_is_a_sign() {
        for (message, is_sign) in [
            (&b"\x12\0\x08\0\x01\0veth\0"[..], true),
            (b"\x12\0\x08\0\x01\0bridge\0", false),
            (b"vet", false),
            (b"", false),
        ] {
            assert_eq!(names_a_container_s_link(message), is_sign, "{message:?}");
        }
    }

    #[test]
    fn somebody_else_who_has_the_name_is_not_listened_to() {
        for (port, says) in [(2, &b"."[..]), (3, &[b'x'; 1 << 16])] {
            let listener = UnixListener::bind_addr(&address(port).unwrap()).unwrap();
            let (stop, stopped) = mpsc::channel::<()>();
            let talker = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                // Without end, and never closing.
                let pause = Duration::from_millis(10);
                while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                    let _ = stream.write_all(says);
                }
            });
            assert!(!ask_for(port));
            drop(stop);
            talker.join().unwrap();
        }
    }

    #[test]
    fn somebody_who_accepts_nobody_is_not_waited_for() {
        let listener = UnixListener::bind_addr(&address(4).unwrap()).unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let _first = UnixStream::connect_addr(&address(4).unwrap()).unwrap();
        assert!(!ask_for(4));
    }
}
