//! dockerd's own word that it is ready, or stopping: systemd's notification protocol.
//!
//! dockerd sends it at every log level and in every version since long before 20.10; a log line
//! says the same only at some levels and in some versions.

use std::{
    env, io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd},
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
};

use nix::{
    sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt},
    unistd::Pid,
};

/// So many messages are read before something else has its turn: anybody in this network can send
/// them, and faster than they are read.
const MOST_AT_ONCE: usize = 64;

/// What dockerd says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Notification {
    Ready,
    Stopping,
}

impl Notification {
    fn parse(line: &str) -> Option<Self> {
        match line {
            "READY=1" => Some(Self::Ready),
            "STOPPING=1" => Some(Self::Stopping),
            _ => None,
        }
    }
}

/// The socket that dockerd finds in `NOTIFY_SOCKET`.
#[derive(Debug)]
pub struct Readiness {
    socket: UnixDatagram,
    name: String,
    /// A socket that the container was given (podman's `--sdnotify=container`): it gets to know
    /// all the same.
    passed_on: Option<UnixDatagram>,
}

impl Readiness {
    /// Binds an abstract socket: it needs no writable directory and leaves nothing behind.
    ///
    /// The name is of the network namespace, which a pod shares, so it is this process's own and
    /// the sender is checked.
    pub fn bind() -> io::Result<Self> {
        let (socket, name) = bind_unused()?;
        setsockopt(&socket, sockopt::PassCred, &true)?;
        Ok(Self {
            socket,
            name,
            passed_on: env::var("NOTIFY_SOCKET")
                .ok()
                .and_then(|name| outer_socket(&name)),
        })
    }

    /// The value of `NOTIFY_SOCKET` for dockerd.
    pub fn address(&self) -> String {
        format!("@{}", self.name)
    }

    /// The next notification that came from `dockerd` itself, `None` if there is none, or too much
    /// of others before it.
    pub fn next(&self, dockerd: Pid) -> Option<Notification> {
        loop {
            let text = next_of(dockerd, || self.receive().ok())?;
            if let Some(outer) = &self.passed_on {
                // The receiver may be gone; nothing here depends on it.
                let _ = outer.send(text.as_bytes());
            }
            let known = text.lines().find_map(Notification::parse);
            if known.is_some() {
                return known;
            }
        }
    }

    fn receive(&self) -> nix::Result<(String, Option<Pid>)> {
        let mut buffer = [0_u8; 512];
        let mut control = nix::cmsg_space!(nix::sys::socket::UnixCredentials);
        let mut parts = [io::IoSliceMut::new(&mut buffer)];
        let message = recvmsg::<()>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC,
        )?;
        let sender = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmCredentials(credentials) => {
                Some(Pid::from_raw(credentials.pid()))
            }
            _ => None,
        });
        let length = message.bytes;
        Ok((
            String::from_utf8_lossy(&buffer[..length]).into_owned(),
            sender,
        ))
    }
}

impl AsFd for Readiness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The next message of this process.
fn next_of(
    process: Pid,
    mut receive: impl FnMut() -> Option<(String, Option<Pid>)>,
) -> Option<String> {
    for _ in 0..MOST_AT_ONCE {
        let (text, sender) = receive()?;
        if sender == Some(process) {
            return Some(text);
        }
    }
    None
}

/// Two containers of a pod may have the same process ids, so the first free number is taken.
fn bind_unused() -> io::Result<(UnixDatagram, String)> {
    let mut number = std::process::id();
    loop {
        let name = format!("dind-init/notify/{number}");
        match UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => number += 1,
            bound => return Ok((bound?, name)),
        }
    }
}

fn outer_socket(name: &str) -> Option<UnixDatagram> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    };
    let socket = UnixDatagram::unbound().ok()?;
    // Whoever does not read there is not waited for.
    socket.set_nonblocking(true).ok()?;
    socket.connect_addr(&address.ok()?).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(readiness: &Readiness, text: &str) {
        let address = SocketAddr::from_abstract_name(&readiness.name).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        socket.send_to_addr(text.as_bytes(), &address).unwrap();
    }

    #[test]
    fn whoever_floods_the_socket_keeps_nobody() {
        let [process, other] = [17, 18].map(Pid::from_raw);
        let mut before = MOST_AT_ONCE;
        let mut receive = || {
            before = before.saturating_sub(1);
            let sender = if before == 0 { process } else { other };
            Some(("READY=1".to_owned(), Some(sender)))
        };
        assert_eq!(next_of(process, &mut receive).as_deref(), Some("READY=1"));
        let flood = || Some(("READY=1".to_owned(), Some(other)));
        assert_eq!(next_of(process, flood), None);
        assert_eq!(next_of(process, || None), None);
    }

    #[test]
    fn ready_and_stopping_are_told_in_order() {
        let readiness = Readiness::bind().unwrap();
        let myself = Pid::this();
        assert_eq!(readiness.next(myself), None);
        send(&readiness, "STATUS=loading");
        send(&readiness, "READY=1\nMAINPID=1");
        send(&readiness, "STOPPING=1");
        assert_eq!(readiness.next(myself), Some(Notification::Ready));
        assert_eq!(readiness.next(myself), Some(Notification::Stopping));
        assert_eq!(readiness.next(myself), None);
    }

    /// Its buffer is full, and nobody reads. One that is read hears all: the control.
    #[test]
    fn an_outer_socket_that_nobody_reads_keeps_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let outer = UnixDatagram::bind(&path).unwrap();
        let mut readiness = Readiness::bind().unwrap();
        readiness.passed_on = outer_socket(path.to_str().unwrap());
        let passed_on = || {
            send(&readiness, "READY=1");
            assert_eq!(readiness.next(Pid::this()), Some(Notification::Ready));
        };
        passed_on();
        let mut heard = [0; 16];
        let length = outer.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"READY=1");
        // More than any buffer takes (`net.unix.max_dgram_qlen`).
        let queue = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
        let queue: usize = queue.trim().parse().unwrap();
        let filler = UnixDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        let sent = (0..queue * 2).take_while(|_| filler.send_to(b"x", &path).is_ok());
        assert!(sent.count() > queue / 2, "it is not full");
        assert!(filler.send_to(b"x", &path).is_err(), "it is not full");
        passed_on();
        drop(outer);
        passed_on();
    }

    #[test]
    fn only_dockerd_is_believed() {
        let readiness = Readiness::bind().unwrap();
        send(&readiness, "READY=1");
        // Not 1: in a container that may be this test.
        let another = Pid::from_raw(Pid::this().as_raw() + 1);
        assert_eq!(readiness.next(another), None);
    }

    #[test]
    fn two_inits_in_one_network_namespace_have_sockets_of_their_own() {
        let one = Readiness::bind().unwrap();
        let other = Readiness::bind().unwrap();
        assert_ne!(one.address(), other.address());
    }
}
