//! Keeping clients outside of a socket that already listens.
//!
//! A socket filter on a listening socket sees the packets that ask for a connection. One that
//! drops them all makes the port look slow: the client's kernel asks again after a second, and no
//! connection is refused, made or lost (`man 7 socket`, SO_ATTACH_FILTER).

use std::{
    io,
    mem::size_of_val,
    os::fd::{AsRawFd, BorrowedFd},
};

use nix::libc;

/// Lets no new connection through.
pub fn close(socket: BorrowedFd<'_>) -> io::Result<()> {
    // "Keep 0 bytes of the packet."
    let mut drop_all = libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: 0,
    };
    let program = libc::sock_fprog {
        len: 1,
        filter: &raw mut drop_all,
    };
    set(socket, libc::SO_ATTACH_FILTER, &program)
}

/// Lets them through again. Without a filter nothing happens.
pub fn open(socket: BorrowedFd<'_>) -> io::Result<()> {
    let ignored: libc::c_int = 0;
    match set(socket, libc::SO_DETACH_FILTER, &ignored) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        set => set,
    }
}

fn set<T>(socket: BorrowedFd<'_>, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: `value` is what the kernel reads for these two options, a `sock_fprog` or an `int`,
    // of the length given; the kernel copies it, and the program it points to, before it returns.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const *value).cast(),
            size_of_val(value) as libc::socklen_t,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, net::TcpListener, os::fd::AsFd};

    use super::*;

    #[test]
    fn what_is_open_already_may_be_opened_and_what_is_no_socket_cannot_be() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        open(socket.as_fd()).unwrap();
        let file = File::open("/dev/null").unwrap();
        assert!(open(file.as_fd()).is_err());
        assert!(close(file.as_fd()).is_err());
    }
}
