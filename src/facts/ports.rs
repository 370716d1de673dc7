//! Who listens on a TCP port of this network namespace.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// A process that holds a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PortHolder {
    pub pid: u32,
    pub command: String,
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command } = self;
        write!(f, "{command} (process {pid} of this container)")
    }
}

/// The sockets that listen on one port, in this container or beside it.
#[derive(Debug)]
pub struct Listeners {
    inodes: Vec<String>,
}

impl Listeners {
    pub fn on(port: u16) -> Self {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let inodes = tables
            .iter()
            .filter_map(|table| read_at_once(table).ok())
            .flat_map(|table| listening_inodes(&table, port))
            .collect();
        Self { inodes }
    }

    pub fn is_empty(&self) -> bool {
        self.inodes.is_empty()
    }

    /// The process that holds one of them, if it is in this PID namespace and `/proc` shows it.
    pub fn holder(&self) -> Option<PortHolder> {
        let sockets = self.inodes.iter().map(|inode| format!("socket:[{inode}]"));
        let sockets: Vec<String> = sockets.collect();
        fs::read_dir("/proc")
            .ok()?
            .flatten()
            .find_map(|entry| holder_of(&entry.path(), &sockets))
    }
}

/// With a buffer that rarely has to be filled twice: for each read the kernel goes through its whole
/// table of connections, 2.5 ms where that is large (net/ipv4/tcp_ipv4.c, `tcp_seek_last_pos`).
fn read_at_once(table: &str) -> io::Result<String> {
    let mut text = String::with_capacity(8 * 1024);
    File::open(table)?.read_to_string(&mut text)?;
    Ok(text)
}

fn holder_of(process: &Path, sockets: &[String]) -> Option<PortHolder> {
    let pid = process.file_name()?.to_str()?.parse().ok()?;
    let holds = fs::read_dir(process.join("fd"))
        .ok()?
        .flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| {
            sockets
                .iter()
                .any(|socket| target.as_os_str() == socket.as_str())
        });
    holds.then(|| PortHolder {
        pid,
        command: fs::read_to_string(process.join("comm"))
            .unwrap_or_default()
            .trim()
            .to_owned(),
    })
}

/// The socket inodes in state LISTEN on `port`, from the text of `/proc/net/tcp` or `tcp6`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
            let here = u16::from_str_radix(local_port, 16) == Ok(port);
            (here && fields.get(3) == Some(&LISTEN))
                .then(|| fields.get(9).map(|i| (*i).to_owned()))?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_process_that_listens_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let listeners = Listeners::on(port);
        assert_eq!(listeners.holder().unwrap().pid, std::process::id());
        assert!(!listeners.is_empty());
        drop(listener);
        assert!(Listeners::on(port).is_empty());
        // Its inode is nobody's now.
        assert_eq!(listeners.holder(), None);
    }

    #[test]
    fn only_listeners_on_this_very_port_count() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0948 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0
   1: 0100007F:0948 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 18 1 0
   2: 00000000:0947 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 19 1 0";
        assert_eq!(listening_inodes(table, 2376), ["17"]);
        assert_eq!(listening_inodes(table, 2375), ["19"]);
        assert!(listening_inodes(table, 80).is_empty());
    }
}
