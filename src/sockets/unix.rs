//! The unix socket, where dockerd would have it.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::{
            fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::{
        socket::{
            AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket,
            sockopt::PeerCredentials,
        },
        stat::Mode,
    },
};

use crate::{
    facts::{mounts::Mounts, own_service},
    reasons::{
        Finding,
        network::{self, Obstacle},
    },
    system::background::{self, in_time},
};

/// A listening socket and the file it made.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, so that nobody else's file is removed in the end.
    identity: (u64, u64),
}

impl UnixSocket {
    /// Binds and listens. A socket file that nobody listens on is replaced, as dockerd does;
    /// anything else in its place is left alone and explained.
    pub fn bind(path: &Path, group: Option<&str>, mounts: &Mounts) -> Result<Self, Finding> {
        let group = group_id(group)?;
        let (asked, mounts) = (path.to_owned(), mounts.clone());
        let bound = in_time(&[path], move || match obstacle(&asked, &mounts) {
            Some(obstacle) => Err(network::socket_busy(&asked, obstacle)),
            None => Self::replace(&asked, group).map_err(|error| failed(&asked, &error)),
        });
        // One that is bound after all is dropped by who was asked, and its file is gone.
        bound.unwrap_or_else(|| Err(failed(path, &background::no_answer())))
    }

    fn replace(path: &Path, group: Option<u32>) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        let identity = give_to(path, group)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity,
        })
    }

    /// Removes the socket's file, if it is still the one that was made.
    pub fn unlink(&self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity);
        if ours {
            // Nothing can be done about a directory that became read-only meanwhile.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        self.unlink();
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

fn failed(path: &Path, error: &io::Error) -> Finding {
    network::socket_failed(&path.display().to_string(), error)
}

/// Why the socket cannot be had; changes nothing.
pub fn refusal(path: &Path, group: Option<&str>, mounts: &Mounts) -> Option<Finding> {
    if let Err(finding) = group_id(group) {
        return Some(finding);
    }
    let obstacle = obstacle(path, mounts)?;
    let is_taken = obstacle != Obstacle::LiveSocket || !is_served_here(path);
    is_taken.then(|| network::socket_busy(path, obstacle))
}

/// Lets the group, and nobody else, use the socket at `path`; returns its device and inode.
///
/// The directory may be a volume that a job writes to: what it has put in the socket's place since is
/// neither followed nor touched, unless it is a socket as well.
fn give_to(path: &Path, group: Option<u32>) -> io::Result<(u64, u64)> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let place = File::from(open(path, flags, Mode::empty())?);
    let metadata = place.metadata()?;
    if !metadata.file_type().is_socket() {
        return Err(io::Error::other("something else was put in its place"));
    }
    // The kernel's own link, which leads to this very socket (`man 5 proc_pid_fd`).
    let link = format!("/proc/self/fd/{}", place.as_raw_fd());
    chown(&link, None, group)?;
    fs::set_permissions(&link, fs::Permissions::from_mode(0o660))?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Whether it is this very container's service that listens there.
fn is_served_here(path: &Path) -> bool {
    let server = connected(path).ok();
    server
        .and_then(|stream| getsockopt(&stream, PeerCredentials).ok())
        .is_some_and(|server| own_service::includes(server.pid()))
}

/// Whether anybody listens there, however long they let others wait.
fn is_listened_on(path: &Path) -> bool {
    matches!(connected(path), Ok(_) | Err(Errno::EAGAIN))
}

/// Not `UnixStream`, which waits where the other side's backlog is full.
fn connected(path: &Path) -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let stream = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(stream)
}

fn obstacle(path: &Path, mounts: &Mounts) -> Option<Obstacle> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if mounts.at(&with_directory_resolved(path)).is_some() {
        Some(Obstacle::Mount)
    } else if metadata.is_dir() {
        Some(Obstacle::Directory)
    } else if !metadata.file_type().is_socket() {
        Some(Obstacle::OtherFile)
    } else {
        is_listened_on(path).then_some(Obstacle::LiveSocket)
    }
}

/// `/var/run` is a link to `/run` in most images, and mountinfo holds only resolved paths.
fn with_directory_resolved(path: &Path) -> PathBuf {
    let directory = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (directory, path.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

/// The group's number. Without a name: that of `docker`, if there is one. An empty name: none.
///
/// /etc/group is read directly, since a static glibc cannot load the name service's modules.
fn group_id(name: Option<&str>) -> Result<Option<u32>, Finding> {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    match name {
        None => Ok(find_group(&groups, "docker")),
        Some("") => Ok(None),
        Some(name) => find_group(&groups, name)
            .or_else(|| name.parse().ok())
            .map(Some)
            .ok_or_else(|| network::no_such_group(name)),
    }
}

fn find_group(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixStream};

    use tempfile::tempdir;

    use super::*;

    fn refused(path: &Path, mounts: &Mounts) -> String {
        let finding = UnixSocket::bind(path, Some(""), mounts).unwrap_err();
        assert_eq!(finding.reason.id, "NETWORK-SOCKET-BUSY");
        finding.cause
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("not/yet/there/docker.sock");
        let socket = UnixSocket::bind(&path, Some(""), &Mounts::default()).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o660
        );
        assert!(refused(&path, &Mounts::default()).contains("another Docker daemon"));
        // As a killed one: the listener is gone, the file stays.
        let listener = socket.listener.try_clone().unwrap();
        nix::sys::socket::shutdown(listener.as_raw_fd(), nix::sys::socket::Shutdown::Both).unwrap();
        UnixSocket::bind(&path, Some(""), &Mounts::default()).unwrap();
    }

    #[test]
    fn who_listens_and_accepts_nobody_is_not_waited_for() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let _first = UnixStream::connect(&path).unwrap();
        assert!(refused(&path, &Mounts::default()).contains("another Docker daemon"));
        assert!(refusal(&path, Some(""), &Mounts::default()).is_some());
    }

    /// As somebody who writes to the directory may, between the socket's making and this.
    #[test]
    fn what_was_put_in_the_socket_s_place_is_not_given_to_anybody() {
        let directory = tempdir().unwrap();
        let precious = directory.path().join("precious");
        fs::write(&precious, "").unwrap();
        let before = fs::metadata(&precious).unwrap();
        let path = directory.path().join("docker.sock");
        symlink(&precious, &path).unwrap();
        assert!(give_to(&path, Some(2375)).is_err());
        fs::remove_file(&path).unwrap();
        fs::hard_link(&precious, &path).unwrap();
        assert!(give_to(&path, Some(2375)).is_err());
        fs::remove_file(&path).unwrap();
        let others = directory.path().join("others.sock");
        let _listener = UnixListener::bind(&others).unwrap();
        symlink(&others, &path).unwrap();
        assert!(give_to(&path, Some(2375)).is_err());
        let after = fs::metadata(&precious).unwrap();
        assert_eq!((before.mode(), before.gid()), (after.mode(), after.gid()));
    }

    #[test]
    fn what_is_not_a_socket_is_left_alone_and_explained() {
        let directory = tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "precious").unwrap();
        assert!(refused(&file, &Mounts::default()).contains("not a socket"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        assert!(refused(directory.path(), &Mounts::default()).contains("is a directory"));
    }

    #[test]
    fn a_mount_in_its_place_is_told_even_through_a_link() {
        let directory = tempdir().unwrap();
        let run = directory.path().canonicalize().unwrap().join("run");
        fs::create_dir(&run).unwrap();
        fs::write(run.join("docker.sock"), "").unwrap();
        symlink(&run, directory.path().join("link")).unwrap();
        let mounts = Mounts::parse(&format!(
            "1 0 0:1 / {}/docker.sock rw - ext4 /dev/a rw",
            run.display()
        ));
        let path = directory.path().join("link/docker.sock");
        assert!(refused(&path, &mounts).contains("mounted on"));
    }

    #[test]
    fn only_our_own_file_is_removed_in_the_end() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        let socket = UnixSocket::bind(&path, Some(""), &Mounts::default()).unwrap();
        let aside = directory.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        socket.unlink();
        assert!(path.exists());
        fs::rename(&aside, &path).unwrap();
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn groups_are_found_by_name_or_number() {
        let groups = "root:x:0:\ndocker:x:2375:\n";
        assert_eq!(find_group(groups, "docker"), Some(2375));
        assert_eq!(find_group(groups, "dock"), None);
        assert_eq!(group_id(Some("4711")).unwrap(), Some(4711));
        let finding = group_id(Some("no-such-group")).unwrap_err();
        assert_eq!(finding.reason.id, "NETWORK-SOCKET-GROUP");
    }
}
