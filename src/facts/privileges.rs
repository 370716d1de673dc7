//! What this process may do: capabilities, and what restricts their use.

use std::fmt;

use super::{Fact, Unread, read};

const STATUS: &str = "/proc/self/status";
const APPARMOR: &str = "/proc/self/attr/current";
const UID_MAP: &str = "/proc/self/uid_map";
const MOUNTS: &str = "/proc/self/mountinfo";
/// What Sysbox mounts over parts of /proc and /sys (nestybox/sysbox-fs).
const SYSBOX: &str = " - fuse sysboxfs ";

/// The restrictions that the container's engine put on this process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Privileges {
    pub status: Fact<Status>,
    /// The profile that is enforced; `None` for none, and without AppArmor.
    pub apparmor: Option<String>,
    /// Sysbox runs this container, in a user namespace and with its own files in /proc and /sys.
    pub in_sysbox: bool,
    /// The ranges of `/proc/self/uid_map`.
    pub uid_map: Fact<UidMap>,
}

impl Privileges {
    pub fn read() -> Self {
        Self {
            status: read(STATUS).and_then(|text| {
                Status::parse(&text).ok_or_else(|| Unread::new(STATUS, "no CapEff in it"))
            }),
            // Without AppArmor the file cannot be read (EINVAL), or belongs to another module.
            apparmor: read(APPARMOR).ok().and_then(|text| enforced_profile(&text)),
            in_sysbox: read(MOUNTS).is_ok_and(|text| text.contains(SYSBOX)),
            uid_map: read(UID_MAP).map(|text| UidMap::parse(&text)),
        }
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.status {
            Ok(status) => write!(
                f,
                "privileges: CapEff {:016x}, NoNewPrivs {}, Seccomp {}",
                status.effective.0,
                u8::from(status.no_new_privileges),
                status.seccomp
            ),
            Err(unread) => write!(f, "privileges: {unread}"),
        }?;
        if let Some(profile) = &self.apparmor {
            write!(f, ", AppArmor {profile}")?;
        }
        match &self.uid_map {
            Ok(map) => write!(f, ", uid_map {map}"),
            Err(unread) => write!(f, ", {unread}"),
        }
    }
}

/// What matters of `/proc/self/status` (`man 5 proc_pid_status`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status {
    pub effective: Capabilities,
    pub no_new_privileges: bool,
    /// 0 none, 1 strict, 2 filter.
    pub seccomp: u8,
}

impl Status {
    /// `None` without a readable `CapEff`; a kernel without seccomp has no such line.
    pub fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        let effective = u64::from_str_radix(value("CapEff")?, 16).ok()?;
        Some(Self {
            effective: Capabilities(effective),
            no_new_privileges: value("NoNewPrivs") == Some("1"),
            seccomp: value("Seccomp").map_or(0, |mode| mode.parse().unwrap_or_default()),
        })
    }
}

/// A set of capabilities, as the kernel writes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capabilities(pub u64);

/// A capability by its number in `linux/capability.h`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Capability {
    NetAdmin = 12,
    SysAdmin = 21,
    Mknod = 27,
}

impl Capabilities {
    pub fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u64) != 0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::Mknod => "CAP_MKNOD",
        })
    }
}

/// `docker-default (enforce)` is enforced; `unconfined` and `… (complain)` restrict nothing.
fn enforced_profile(text: &str) -> Option<String> {
    let profile = text.trim_end_matches(['\n', '\0']);
    profile.strip_suffix(" (enforce)").map(str::to_owned)
}

/// Which ids of this container are which ids outside (`man 7 user_namespaces`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UidMap(String);

impl UidMap {
    pub fn parse(text: &str) -> Self {
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        Self(lines.join("; "))
    }

    /// Outside of user namespaces every id is itself.
    pub fn is_initial(&self) -> bool {
        self.0 == "0 0 4294967295"
    }
}

impl fmt::Display for UidMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in a podman container without --privileged.
    const UNPRIVILEGED: &str = "Name:\tsh\nUmask:\t0022\nCapInh:\t0000000000000000\n\
        CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n\
        NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n";

    #[test]
    fn the_status_of_an_unprivileged_container_is_read() {
        let status = Status::parse(UNPRIVILEGED).unwrap();
        assert!(!status.effective.has(Capability::SysAdmin));
        assert!(!status.effective.has(Capability::NetAdmin));
        assert!(status.effective.has(Capability::Mknod));
        assert_eq!((status.no_new_privileges, status.seccomp), (false, 2));
    }

    #[test]
    fn an_old_kernel_s_status_without_seccomp_is_none_and_nonsense_is_no_status() {
        let status = Status::parse("CapEff:\t000001ffffffffff\nNoNewPrivs:\t1\n").unwrap();
        assert_eq!((status.no_new_privileges, status.seccomp), (true, 0));
        assert!(status.effective.has(Capability::SysAdmin));
        assert_eq!(Status::parse("Seccomp:\t2\n"), None);
        assert_eq!(Status::parse("CapEff:\tmany\n"), None);
    }

    #[test]
    fn only_an_enforced_profile_restricts() {
        let profile = enforced_profile("docker-default (enforce)\n");
        assert_eq!(profile.as_deref(), Some("docker-default"));
        for text in ["unconfined\n", "snap.x (complain)\n", "", "kernel\0"] {
            assert_eq!(enforced_profile(text), None, "{text}");
        }
    }

    #[test]
    fn a_user_namespace_is_told_from_none() {
        assert!(UidMap::parse("         0          0 4294967295\n").is_initial());
        let map = UidMap::parse("0 100000 65536\n65536 1 2\n");
        assert!(!map.is_initial());
        assert_eq!(map.to_string(), "0 100000 65536; 65536 1 2");
    }
}
