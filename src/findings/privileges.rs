//! Whether this container may do what dockerd does.

use nix::errno::Errno;

use crate::{
    dockerd::options::Options,
    facts::privileges::{Capability, Privileges, Status},
    reasons::{Finding, Severity, privilege},
    trials::{
        Outcome, Trials,
        namespaced::{Refusal, Step},
    },
};

/// `seccomp(2)`: system calls are filtered.
const FILTER: u8 = 2;

/// What keeps dockerd from working. The first one, if it is fatal, explains failed trials as well.
pub fn findings(privileges: &Privileges, trials: &Trials, options: &Options) -> Vec<Finding> {
    let is_root = options.is_root;
    // Sysbox is there to do without: it answers for what this container's root may not do itself.
    if is_root && privileges.in_sysbox {
        return no_new_privileges(privileges, is_root).into_iter().collect();
    }
    let not_privileged = is_root
        .then(|| not_privileged(privileges, options))
        .flatten();
    let refused = match &not_privileged {
        Some(_) => None,
        None => refused(privileges, trials, is_root),
    };
    [
        not_privileged,
        refused,
        no_new_privileges(privileges, is_root),
        user_namespace(privileges, is_root),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Root without these is root by name only.
fn not_privileged(privileges: &Privileges, options: &Options) -> Option<Finding> {
    let status = privileges.status.as_ref().ok()?;
    let needed: &[Capability] = match options.iptables {
        true => &[Capability::SysAdmin, Capability::NetAdmin],
        false => &[Capability::SysAdmin],
    };
    if needed.iter().all(|needed| status.effective.has(*needed)) {
        return None;
    }
    let missing: Vec<String> = [
        Capability::SysAdmin,
        Capability::NetAdmin,
        Capability::Mknod,
    ]
    .into_iter()
    .filter(|capability| !status.effective.has(*capability))
    .map(|capability| capability.to_string())
    .collect();
    Some(privilege::NOT_PRIVILEGED.met(format!(
        "{} missing (CapEff {:016x} in /proc/self/status).",
        match missing.as_slice() {
            [one] => format!("{one} is"),
            several => format!("{} are", several.join(", ")),
        },
        status.effective.0
    )))
}

/// A step that the capabilities allow, and something else forbids.
fn refused(privileges: &Privileges, trials: &Trials, is_root: bool) -> Option<Finding> {
    let trial = match is_root {
        true => &trials.overlay,
        false => &trials.user_namespace,
    };
    let Outcome::Failed(refusal) = trial else {
        return None;
    };
    let filtered = matches!(
        privileges.status,
        Ok(Status {
            seccomp: FILTER,
            ..
        })
    );
    let attempt = attempt(refusal, is_root)?;
    match (refusal.errno, &privileges.apparmor) {
        (Errno::EACCES, Some(profile)) => Some(privilege::APPARMOR.met(format!(
            "{attempt}: {}, and the AppArmor profile {profile} is enforced.",
            refusal.errno.desc()
        ))),
        (Errno::EPERM, _) if filtered => Some(privilege::SECCOMP.met(format!(
            "{attempt}: {}, with all the capabilities that it takes; Seccomp is 2 (filter) in \
             /proc/self/status.",
            refusal.errno.desc()
        ))),
        _ => None,
    }
}

/// Only what fails for no other reason: an overlay may be refused for the sake of its directory.
fn attempt(refusal: &Refusal, is_root: bool) -> Option<&'static str> {
    match refusal.step {
        Step::Namespace if is_root => Some("unshare --mount"),
        Step::Namespace => Some("unshare --user"),
        Step::Propagation => Some("mount --make-rprivate / in a mount namespace"),
        Step::Mount | Step::Whiteout => None,
    }
}

/// Without root, newuidmap must gain privileges; with root only builds that call sudo notice.
fn no_new_privileges(privileges: &Privileges, is_root: bool) -> Option<Finding> {
    let status = privileges.status.as_ref().ok()?;
    let finding = privilege::NO_NEW_PRIVS.met("NoNewPrivs is 1 in /proc/self/status.");
    status.no_new_privileges.then(|| match is_root {
        true => finding.with_severity(Severity::Warning),
        false => finding,
    })
}

/// Without root there is one anyway, of rootlesskit's.
fn user_namespace(privileges: &Privileges, is_root: bool) -> Option<Finding> {
    let map = privileges.uid_map.as_ref().ok()?;
    (is_root && !map.is_initial())
        .then(|| privilege::USERNS.met(format!("/proc/self/uid_map says {map}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dockerd::configuration::Configuration,
        facts::privileges::{Capabilities, UidMap},
    };

    const ALL: u64 = 0x1ff_ffff_ffff;
    /// What podman and Docker give without --privileged.
    const DEFAULT: u64 = 0xa804_25fb;

    fn privileges(effective: u64, seccomp: u8) -> Privileges {
        Privileges {
            status: Ok(Status {
                effective: Capabilities(effective),
                no_new_privileges: false,
                seccomp,
            }),
            apparmor: None,
            in_sysbox: false,
            uid_map: Ok(UidMap::parse("0 0 4294967295")),
        }
    }

    fn judged(privileges: &Privileges, trials: &Trials, is_root: bool) -> Vec<Finding> {
        let defaults = Options::new(&[], &Configuration::default(), &|_| None, is_root);
        findings(privileges, trials, &defaults)
    }

    fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.reason.id).collect()
    }

    fn refusing(step: Step, errno: Errno) -> Trials {
        let refusal = Outcome::Failed(Refusal { step, errno });
        Trials {
            overlay: refusal.clone(),
            user_namespace: refusal,
            ..Trials::default()
        }
    }

    #[test]
    fn a_privileged_container_has_nothing_to_say_even_with_fewer_capabilities_than_exist() {
        // As on machines whose own bounding set lacks CAP_SYS_RESOURCE.
        for effective in [ALL, ALL & !(1 << 24)] {
            let found = judged(&privileges(effective, 0), &Trials::default(), true);
            assert_eq!(ids(&found), [""; 0]);
        }
    }

    #[test]
    fn missing_capabilities_are_named_and_explain_what_was_refused() {
        let trials = refusing(Step::Namespace, Errno::EPERM);
        let found = judged(&privileges(DEFAULT, 2), &trials, true);
        assert_eq!(ids(&found), ["NOT-PRIVILEGED"]);
        assert!(found[0].cause.contains("CAP_SYS_ADMIN, CAP_NET_ADMIN are"));
        assert!(found[0].cause.contains("00000000a80425fb"));
        assert_eq!(found[0].severity, Severity::Fatal);
        let net_admin = judged(&privileges(ALL & !(1 << 12), 0), &trials, true);
        assert!(net_admin[0].cause.starts_with("CAP_NET_ADMIN is missing"));
        // Without root nothing of it is needed.
        assert!(judged(&privileges(0, 0), &Trials::default(), false).is_empty());
    }

    #[test]
    fn without_iptables_cap_net_admin_is_not_needed() {
        let argv = ["--iptables=false".into()];
        let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
        let privileges = privileges(ALL & !(1 << 12), 0);
        assert!(findings(&privileges, &Trials::default(), &options).is_empty());
    }

    #[test]
    fn what_is_refused_in_spite_of_the_capabilities_is_seccomp_s_or_apparmor_s_doing() {
        let eperm = refusing(Step::Namespace, Errno::EPERM);
        let found = judged(&privileges(ALL, FILTER), &eperm, true);
        assert_eq!(ids(&found), ["PRIVILEGE-SECCOMP"]);
        assert!(judged(&privileges(ALL, 0), &eperm, true).is_empty());
        let rootless = judged(&privileges(0, FILTER), &eperm, false);
        assert!(rootless[0].cause.starts_with("unshare --user"));

        let mut confined = privileges(ALL, 0);
        confined.apparmor = Some("docker-default".into());
        let eacces = refusing(Step::Propagation, Errno::EACCES);
        assert_eq!(
            ids(&judged(&confined, &eacces, true)),
            ["PRIVILEGE-APPARMOR"]
        );
        assert!(judged(&privileges(ALL, 0), &eacces, true).is_empty());
        // An overlay that cannot be mounted is the directory's doing.
        let mount = refusing(Step::Mount, Errno::EACCES);
        assert!(judged(&confined, &mount, true).is_empty());
    }

    #[test]
    fn no_new_privileges_and_user_namespaces_are_said_and_stop_nothing() {
        let mut restricted = privileges(ALL, 0);
        restricted.uid_map = Ok(UidMap::parse("0 100000 65536"));
        if let Ok(status) = &mut restricted.status {
            status.no_new_privileges = true;
        }
        let found = judged(&restricted, &Trials::default(), true);
        assert_eq!(ids(&found), ["PRIVILEGE-NO-NEW-PRIVS", "PRIVILEGE-USERNS"]);
        assert!(found.iter().all(|f| f.severity == Severity::Warning));
        let rootless = judged(&restricted, &Trials::default(), false);
        assert_eq!(ids(&rootless), ["PRIVILEGE-NO-NEW-PRIVS"]);
        assert_eq!(rootless[0].severity, Severity::Error);
    }

    #[test]
    fn sysbox_needs_no_privileges_and_no_word_about_its_user_namespace() {
        let mut in_sysbox = privileges(DEFAULT, FILTER);
        in_sysbox.uid_map = Ok(UidMap::parse("0 165536 65536"));
        let refused = refusing(Step::Namespace, Errno::EPERM);
        assert!(!judged(&in_sysbox, &refused, true).is_empty());
        in_sysbox.in_sysbox = true;
        assert!(judged(&in_sysbox, &refused, true).is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_no_finding() {
        let unread = || crate::facts::Unread::new("/proc/self/status", "gone");
        let unknown = Privileges {
            status: Err(unread()),
            apparmor: None,
            in_sysbox: false,
            uid_map: Err(unread()),
        };
        assert!(judged(&unknown, &refusing(Step::Namespace, Errno::EPERM), true).is_empty());
    }
}
