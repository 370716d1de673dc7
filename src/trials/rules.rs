//! Which iptables dockerd gets, and whether it can make its rules with that.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Seek, Write},
};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{
    Outcome,
    namespaced::{REFUSED, trial},
};
use crate::setup::iptables::Backend;

/// The backend, and what came of trials with it.
#[derive(Debug)]
pub struct Iptables {
    pub backend: Backend,
    /// Rules like those that dockerd's bridge networks need, in a network of their own; the
    /// failure is iptables' own words.
    pub nat: Outcome<String>,
    /// Rules in the table that only newer Dockers use.
    pub raw: Outcome<String>,
}

impl Iptables {
    /// `wish` is `DOCKER_IPTABLES_LEGACY`; `is_tried`: dockerd is going to make rules.
    ///
    /// Each program more is one that dockerd's start waits for: where rules can be made with
    /// nftables, and nothing else could speak against it, nothing else is asked.
    pub fn try_out(wish: Option<&str>, is_tried: bool) -> Self {
        let first =
            (is_tried && Backend::is_nftables_if_it_works(wish)).then(|| load(&Rules::ALL, None));
        if first == Some(Outcome::Passed) {
            return Self::new(Backend::nftables(), [Outcome::Passed, Outcome::Passed]);
        }
        let backend = Backend::choose(wish);
        let outcomes = match first {
            // Another one would take as long.
            Some(Outcome::Unknown) => Default::default(),
            _ if is_tried => try_rules(backend.path().as_deref()),
            _ => Default::default(),
        };
        Self::new(backend, outcomes)
    }

    /// Where iptables does not even answer.
    pub fn unanswered() -> Self {
        Self::new(Backend::unanswered(), Default::default())
    }

    fn new(backend: Backend, [nat, raw]: [Outcome<String>; 2]) -> Self {
        Self { backend, nat, raw }
    }
}

/// All at once; one by one only to know which were refused.
fn try_rules(path: Option<&OsStr>) -> [Outcome<String>; 2] {
    match load(&Rules::ALL, path) {
        Outcome::Failed(_) => Rules::ALL.map(|rules| load(&[rules], path)),
        all => [all.clone(), all],
    }
}

/// Rules for iptables-restore, with the matches and targets that dockerd's have, too
/// (moby `daemon/libnetwork/drivers/bridge`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rules {
    /// No bridge network without these.
    Bridge,
    /// For published ports, since Docker 28.
    Raw,
}

impl Rules {
    const ALL: [Self; 2] = [Self::Bridge, Self::Raw];

    fn text(self) -> &'static str {
        match self {
            Self::Bridge => {
                "*nat\n\
                 :DIND-TRIAL - [0:0]\n\
                 -A PREROUTING -m addrtype --dst-type LOCAL -j DIND-TRIAL\n\
                 -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n\
                 COMMIT\n\
                 *filter\n\
                 :DIND-TRIAL - [0:0]\n\
                 -A FORWARD -j DIND-TRIAL\n\
                 -A DIND-TRIAL -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
                 COMMIT\n"
            }
            Self::Raw => "*raw\n-A PREROUTING -d 172.17.0.2 ! -i docker0 -j DROP\nCOMMIT\n",
        }
    }
}

/// Loads all of `rules` in a network of their own; the failure is what iptables said.
///
/// `path` is the `PATH` that dockerd is going to have, where it differs.
fn load(rules: &[Rules], path: Option<&OsStr>) -> Outcome<String> {
    let text: String = rules.iter().map(|rules| rules.text()).collect();
    let mut command = trial("iptables");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let Ok(output) = in_memory(&text).and_then(|rules| command.stdin(rules).output()) else {
        return Outcome::Unknown;
    };
    match output.status.code() {
        Some(0) => Outcome::Passed,
        // Ended by the alarm; or there is no iptables-restore, or no namespace for it.
        None => Outcome::Unknown,
        Some(status) if status == i32::from(REFUSED) => Outcome::Unknown,
        Some(_) => Outcome::Failed(said(&output.stderr)),
    }
}

/// A file for stdin: a pipe would need somebody to write into it.
fn in_memory(text: &str) -> io::Result<fs::File> {
    let mut file = fs::File::from(memfd_create(c"rules", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

/// On one line, without advice to read a manual.
fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Try `"))
        .collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iptables_words_are_put_on_one_line() {
        let text = b"iptables-restore v1.8.11 (nf_tables): \nline 4: RULE_APPEND failed \
                     (No such file or directory): rule in chain POSTROUTING\n\
                     Try `iptables-restore -h' or 'iptables-restore --help' for more information.\n";
        assert_eq!(
            said(text),
            "iptables-restore v1.8.11 (nf_tables): line 4: RULE_APPEND failed \
             (No such file or directory): rule in chain POSTROUTING"
        );
    }
}
