//! The daemon's sockets: bound by the init, held for life, handed to dockerd.
//!
//! A client that comes before dockerd accepts waits in the backlog, so nobody has to poll.

mod gate;
mod tcp;
mod unix;
pub mod yielding;

use std::{
    os::fd::{AsFd, BorrowedFd},
    path::PathBuf,
};

pub use self::{tcp::TcpSocket, unix::UnixSocket};
use crate::{facts::mounts::Mounts, reasons::Finding};

/// Which sockets dockerd is going to get.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SocketPlan {
    pub port: u16,
    pub unix: PathBuf,
    /// Named by the user; else the group `docker`, if there is one.
    pub group: Option<String>,
    pub opens: Opens,
}

/// When clients are let in. From then on they wait until somebody accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opens {
    AtOnce,
    /// TLS clients need theirs first.
    WithCertificates,
    /// Whoever watches the port takes an open one for a service that works, and looks no further.
    WithDockerd,
}

/// Why these sockets cannot be had; binds none. What this very container's service holds is not
/// taken.
pub fn refusals(plan: &SocketPlan, mounts: &Mounts) -> Vec<Finding> {
    let port = tcp::in_use(plan.port);
    let path = unix::refusal(&plan.unix, plan.group.as_deref(), mounts);
    port.into_iter().chain(path).collect()
}

/// The sockets, bound.
#[derive(Debug)]
pub struct Sockets {
    pub tcp: TcpSocket,
    /// `None` where its place is taken; dockerd does not start then.
    pub unix: Option<UnixSocket>,
}

impl Sockets {
    /// Without a TCP socket there is nobody to explain anything to. Without a unix socket there
    /// is: that finding comes beside the sockets.
    pub fn bind(plan: &SocketPlan, mounts: &Mounts) -> Result<(Self, Option<Finding>), Finding> {
        let tcp = TcpSocket::bind(plan.port)?;
        if plan.opens == Opens::AtOnce {
            tcp.open()?;
        }
        let (unix, failure) = match UnixSocket::bind(&plan.unix, plan.group.as_deref(), mounts) {
            Ok(unix) => (Some(unix), None),
            Err(finding) => (None, Some(finding)),
        };
        Ok((Self { tcp, unix }, failure))
    }

    /// In the order in which dockerd gets them.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let unix = self.unix.iter().map(AsFd::as_fd);
        unix.chain([self.tcp.as_fd()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{TcpListener, TcpStream},
        os::fd::AsRawFd,
    };

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_port_is_open_at_once_where_nothing_is_waited_for() {
        for (opens, is_open) in [(Opens::AtOnce, true), (Opens::WithCertificates, false)] {
            let directory = tempdir().unwrap();
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let plan = SocketPlan {
                port,
                unix: directory.path().join("docker.sock"),
                group: Some(String::new()),
                opens,
            };
            let (sockets, failure) = Sockets::bind(&plan, &Mounts::default()).unwrap();
            assert_eq!(failure, None);
            let connected = TcpStream::connect(("127.0.0.1", port));
            assert_eq!(connected.is_ok(), is_open, "{opens:?}");
            let numbers: Vec<_> = sockets
                .descriptors()
                .iter()
                .map(AsRawFd::as_raw_fd)
                .collect();
            let path = sockets.unix.as_ref().unwrap().as_fd();
            let expected = [path.as_raw_fd(), sockets.tcp.as_fd().as_raw_fd()];
            assert_eq!(numbers, expected, "the path's first");
        }
    }

    #[test]
    fn what_would_be_refused_is_found_without_binding_and_what_is_ours_is_free() {
        let directory = tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ids = |unix: PathBuf, group: Option<&str>| {
            let plan = SocketPlan {
                port,
                unix,
                group: group.map(str::to_owned),
                opens: Opens::WithCertificates,
            };
            let found = refusals(&plan, &Mounts::default());
            found
                .iter()
                .map(|finding| finding.reason.id)
                .collect::<Vec<_>>()
        };
        let free = directory.path().join("docker.sock");
        assert_eq!(ids(free.clone(), Some("")), [""; 0]);
        assert!(!free.exists());
        assert_eq!(ids(free, Some("no-such-group")), ["NETWORK-SOCKET-GROUP"]);
        let taken = directory.path().to_owned();
        assert_eq!(ids(taken, Some("")), ["NETWORK-SOCKET-BUSY"]);

        let ours = directory.path().join("ours.sock");
        let _socket = UnixSocket::bind(&ours, Some(""), &Mounts::default()).unwrap();
        assert_eq!(ids(ours, Some("")), [""; 0]);
    }
}
