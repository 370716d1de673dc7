//! How dockerd was started, as a stand-in in its place has written it down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::volume::Volume;

/// How dockerd was started.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its arguments, without the program's name.
    pub argv: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// `/proc/self/mountinfo` at that moment.
    pub mountinfo: String,
    /// `/proc/self/status` of a program that it ran: a shell itself blocks signals now and then.
    pub status: String,
    /// Working directory, umask and user id.
    pub process: Vec<String>,
    /// The sockets that were handed over, by their addresses.
    handed: BTreeSet<String>,
}

impl Start {
    /// What a stand-in has written down on `volume`, if it was started.
    pub fn read(volume: &Volume) -> Option<Self> {
        let directory = volume.path().join("start");
        let text = |name: &str| {
            let bytes = fs::read(directory.join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        directory.is_dir().then(|| Self {
            // A script's own words follow the shell's name and the script's.
            argv: zero_terminated(&text("argv")).skip(2).collect(),
            environment: zero_terminated(&text("environment"))
                .filter_map(|line| {
                    let (name, value) = line.split_once('=')?;
                    Some((name.to_owned(), value.to_owned()))
                })
                .collect(),
            mountinfo: text("mountinfo"),
            status: text("status"),
            process: text("process").lines().map(str::to_owned).collect(),
            handed: handed(&text("handed"), &text("tcp"), &text("unix")),
        })
    }

    /// Every address that dockerd serves on, by flag or because the socket was handed over, such as
    /// `tcp:2376`, `tcp:127.0.0.1:1234` and `unix:/run/docker.sock`.
    pub fn serves(&self) -> BTreeSet<String> {
        let hosts = self.values(&["--host", "-H"]);
        let own = hosts.iter().filter(|host| !host.starts_with("fd://"));
        own.map(|host| address(host))
            .chain(self.handed.iter().cloned())
            .collect()
    }

    /// The last value of a long flag, in both spellings; a flag without one is empty.
    pub fn flag(&self, name: &str) -> Option<String> {
        self.values(&[name]).pop()
    }

    /// The values of a flag that has several names, in their order.
    pub fn values(&self, names: &[&str]) -> Vec<String> {
        let mut values = Vec::new();
        let mut words = self.argv.iter().peekable();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            if names.contains(&name) {
                let next = words.peek().filter(|next| !next.starts_with('-'));
                let value = inline.or_else(|| next.map(ToString::to_string));
                values.push(value.unwrap_or_default());
            }
        }
        values
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    #[track_caller]
    pub fn expect_serves(&self, addresses: &[&str]) {
        let expected: BTreeSet<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(
            self.serves(),
            expected,
            "dockerd's arguments: {:?}",
            self.argv
        );
    }

    /// The user's own words come last, as they were.
    #[track_caller]
    pub fn expect_last(&self, words: &[&str]) {
        let last = self.argv.len().saturating_sub(words.len());
        assert_eq!(self.argv[last..], *words, "of {:?}", self.argv);
    }
}

fn zero_terminated(text: &str) -> impl Iterator<Item = String> {
    let mut words: Vec<_> = text.split('\0').map(str::to_owned).collect();
    words.pop();
    words.into_iter()
}

/// The addresses of the sockets whose inodes are in `handed`.
fn handed(handed: &str, tcp: &str, unix: &str) -> BTreeSet<String> {
    let inodes = handed.lines().filter_map(|line| line.split(' ').nth(1));
    inodes
        .map(|inode| tcp_address(tcp, inode).or_else(|| unix_address(unix, inode)))
        .map(|found| found.unwrap_or_else(|| "a socket that has no address".to_owned()))
        .collect()
}

/// In /proc/net/tcp the second field is the local address, the tenth the inode.
fn tcp_address(table: &str, inode: &str) -> Option<String> {
    let fields =
        |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let row = table
        .lines()
        .map(fields)
        .find(|row| row.get(9).is_some_and(|field| field == inode))?;
    let (host, port) = row[1].split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(match host.trim_matches('0') {
        "" => format!("tcp:{port}"),
        _ => format!("tcp:{host}:{port}"),
    })
}

/// In /proc/net/unix the seventh field is the inode, the eighth the path.
fn unix_address(table: &str, inode: &str) -> Option<String> {
    let row = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|row| row.get(6) == Some(&inode))?;
    Some(address(&format!("unix://{}", row.get(7)?)))
}

/// A `--host` in the form of [`Start::serves`]. `/var/run` is `/run` in every image.
fn address(host: &str) -> String {
    match host.split_once("://") {
        Some(("unix", path)) => format!("unix:{}", path.replacen("/var/run/", "/run/", 1)),
        Some(("tcp", rest)) => match rest.strip_prefix("0.0.0.0:") {
            Some(port) => format!("tcp:{port}"),
            None => format!("tcp:{rest}"),
        },
        _ => host.to_owned(),
    }
}

#[test]
fn addresses_of_flags_and_of_sockets_are_written_alike() {
    for (host, written) in [
        ("tcp://0.0.0.0:2376", "tcp:2376"),
        ("tcp://127.0.0.1:1234", "tcp:127.0.0.1:1234"),
        ("unix:///var/run/docker.sock", "unix:/run/docker.sock"),
        ("unix:///run/docker.sock", "unix:/run/docker.sock"),
    ] {
        assert_eq!(address(host), written);
    }
    let any = "00000000000000000000000000000000";
    let tcp = format!("   1: {any}:0948 {any}:0000 0A 0:0 0:0 0 0 0 77 1\n");
    let unix = "0: 00000002 00000000 00010000 0001 01 78 /run/docker.sock\n";
    let expected = [
        "tcp:2376",
        "unix:/run/docker.sock",
        "a socket that has no address",
    ];
    assert_eq!(
        handed("3 78\n4 77\n5 79\n", &tcp, unix),
        expected.map(str::to_owned).into()
    );
}
