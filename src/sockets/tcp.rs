//! The TCP socket, for IPv6 and IPv4 at once.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrIn6, bind, listen,
        setsockopt, socket, sockopt,
    },
};

use super::{gate, yielding};
use crate::{
    facts::{
        own_service,
        ports::{Listeners, PortHolder},
    },
    reasons::{Finding, network},
};

/// A bound socket that listens when it is told to.
#[derive(Debug)]
pub struct TcpSocket {
    descriptor: OwnedFd,
    port: u16,
}

impl TcpSocket {
    /// Binds every address of this port: `[::]` for both protocols, `0.0.0.0` where there is no
    /// IPv6.
    pub fn bind(port: u16) -> Result<Self, Finding> {
        let descriptor = match bind_any(port) {
            // Another dind-init may hold it only to explain that nothing is served there.
            Err(Errno::EADDRINUSE) if yielding::ask_for(port) => bind_any(port),
            bound => bound,
        }
        .map_err(|errno| failed(port, errno))?;
        Ok(Self { descriptor, port })
    }

    /// Listens, so that dockerd can accept, but lets no client in yet.
    pub fn listen_closed(&self) -> Result<(), Finding> {
        gate::close(self.as_fd())
            .map_err(|error| network::socket_failed(&format!("TCP port {}", self.port), &error))?;
        self.listen()
    }

    /// Opens the port: from now on clients wait in the backlog until someone accepts.
    pub fn open(&self) -> Result<(), Finding> {
        gate::open(self.as_fd())
            .map_err(|error| network::socket_failed(&format!("TCP port {}", self.port), &error))?;
        self.listen()
    }

    /// Later calls change nothing.
    fn listen(&self) -> Result<(), Finding> {
        // Connections inherit it, and only with it can a restart pass them in TIME_WAIT.
        setsockopt(&self.descriptor, sockopt::ReuseAddr, &true)
            .and_then(|()| listen(&self.descriptor, Backlog::MAXCONN))
            .map_err(|errno| failed(self.port, errno))
    }
}

/// That somebody else listens on this port, and not only to explain that nothing is served there.
pub fn in_use(port: u16) -> Option<Finding> {
    let listeners = Listeners::on(port);
    if listeners.is_empty() {
        return None;
    }
    let holder = listeners.holder();
    let pid = holder
        .as_ref()
        .and_then(|holder| holder.pid.try_into().ok());
    let is_taken = !pid.is_some_and(own_service::includes) && !yielding::is_held(port);
    is_taken.then(|| taken(port, holder))
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn bind_any(port: u16) -> nix::Result<OwnedFd> {
    match bind_v6(port) {
        Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) => bind_v4(port),
        bound => bound,
    }
}

fn bind_v6(port: u16) -> nix::Result<OwnedFd> {
    let address = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0));
    bind_exclusively(AddressFamily::Inet6, |descriptor| {
        setsockopt(descriptor, sockopt::Ipv6V6Only, &false)?;
        bind(descriptor.as_raw_fd(), &address)
    })
}

fn bind_v4(port: u16) -> nix::Result<OwnedFd> {
    let address = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
    bind_exclusively(AddressFamily::Inet, |descriptor| {
        bind(descriptor.as_raw_fd(), &address)
    })
}

/// Binds so that a second dind fails here, not at `listen`.
///
/// With `SO_REUSEADDR` Linux lets two sockets bind one port as long as neither listens, and ours
/// does not listen before the certificates are there. Without it a restarted container would have
/// to wait for its old connections in TIME_WAIT. So it is set only when the plain bind failed
/// (`man 7 socket`; net/ipv4/inet_connection_sock.c).
fn bind_exclusively(
    family: AddressFamily,
    bind: impl Fn(&OwnedFd) -> nix::Result<()>,
) -> nix::Result<OwnedFd> {
    let attempt = |reuse: bool| {
        let descriptor = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&descriptor, sockopt::ReuseAddr, &reuse)?;
        bind(&descriptor)?;
        Ok(descriptor)
    };
    match attempt(false) {
        Err(Errno::EADDRINUSE) => attempt(true),
        bound => bound,
    }
}

fn failed(port: u16, errno: Errno) -> Finding {
    match errno {
        Errno::EADDRINUSE => taken(port, Listeners::on(port).holder()),
        errno => network::socket_failed(&format!("TCP port {port}"), &errno.into()),
    }
}

fn taken(port: u16, holder: Option<PortHolder>) -> Finding {
    let holder = holder.map(|holder| holder.to_string());
    network::port_in_use(port, holder.as_deref())
}

#[cfg(test)]
mod tests {
    use std::{
        io::ErrorKind,
        net::{SocketAddr, TcpListener, TcpStream},
        thread,
        time::Duration,
    };

    use super::*;

    fn free_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    #[test]
    fn clients_are_refused_then_held_then_let_in() {
        let port = free_port();
        let connect = |patience| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            TcpStream::connect_timeout(&address, Duration::from_millis(patience))
                .map_err(|error| error.kind())
        };
        let socket = TcpSocket::bind(port).unwrap();
        assert_eq!(connect(5000).unwrap_err(), ErrorKind::ConnectionRefused);
        socket.listen_closed().unwrap();
        assert_eq!(connect(100).unwrap_err(), ErrorKind::TimedOut);
        // A client that asked while the port was closed is let in when it asks again.
        let early = thread::spawn(move || {
            TcpStream::connect_timeout(
                &SocketAddr::from(([127, 0, 0, 1], port)),
                Duration::from_secs(60),
            )
        });
        socket.open().unwrap();
        socket.open().unwrap();
        connect(60_000).unwrap();
        early.join().unwrap().unwrap();
    }

    #[test]
    fn a_second_one_fails_at_once_although_the_first_does_not_listen_yet() {
        let port = free_port();
        let first = TcpSocket::bind(port).unwrap();
        let finding = TcpSocket::bind(port).unwrap_err();
        assert_eq!(finding.reason.id, "NETWORK-PORT-IN-USE");
        drop(first);
        TcpSocket::bind(port).unwrap();
    }

    #[test]
    fn a_port_that_is_held_only_to_explain_is_given_up() {
        let port = free_port();
        let signs = yielding::Signs::watch(port).unwrap();
        let held = TcpSocket::bind(port).unwrap();
        let holder = thread::spawn(move || {
            let asked = signs.wait();
            drop(held);
            drop(asked);
        });
        TcpSocket::bind(port).unwrap();
        holder.join().unwrap();
    }

    #[test]
    fn a_port_in_use_names_the_process() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let finding = TcpSocket::bind(port).unwrap_err();
        assert!(
            finding
                .cause
                .contains(&format!("process {}", std::process::id())),
            "{finding}"
        );
    }

    #[test]
    fn a_restart_does_not_wait_for_the_connections_of_the_last_life() {
        let port = free_port();
        let socket = TcpSocket::bind(port).unwrap();
        socket.open().unwrap();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let server = nix::sys::socket::accept(socket.descriptor.as_raw_fd()).unwrap();
        // The side that closes first keeps the connection in TIME_WAIT.
        nix::unistd::close(server).unwrap();
        drop(client);
        drop(socket);
        TcpSocket::bind(port).unwrap();
    }
}
