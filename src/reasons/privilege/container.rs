//! What this container may do, and as which user it runs.

use std::io;

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Finding, START_ANYWAY,
    advice::{
        Executor::{Docker, Kubernetes},
        Place::Node,
        job, paste, runner, say,
    },
    snippets::{self, dockerd_flags},
};

catalogue! { Privilege:

NOT_PRIVILEGED = Fatal "NOT-PRIVILEGED" {
    summary: "the service container is not privileged, and dockerd cannot run without that",
    advice: &[
        runner("", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        say("If `allowed_privileged_services` is set there, it must list the name that `services:` gives this image.").on(Docker),
        say("If the runner is not yours, give the job the tag of one that has this."),
    ],
    in_short: "set privileged true in the runner config",
    ignoring: START_ANYWAY,
    patterns: &[
        &["permission denied (you must be root)"],
        &["/proc/sys/net/ipv4/ip_forward", "read-only file system"],
        &["failed to register layer", "unshare: operation not permitted"],
        &["creating mount namespace before pivot: operation not permitted"],
        &["error mounting \"proc\" to rootfs", "permi"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register \"bridge\" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n (exit status 4)",
            source: "Docker 26.1.5, run without --privileged",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: open /proc/sys/net/ipv4/ip_forward: read-only file system",
            source: "after moby daemon/libnetwork; container without --privileged, with NET_ADMIN",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: failed to register layer: unshare: operation not permitted\"",
            source: "after moby v26.1.5 pkg/chrootarchive",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Attempting next endpoint for pull after error: failed to register layer: ApplyLayer exit status 1 stdout:  stderr: Error creating mount namespace before pivot: operation not permitted\"",
            source: "after ApolloAuto/apollo#3113, Docker before 23",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \\\"proc\\\" to rootfs at \\\"/proc\\\": mount src=proc, dst=/proc, dstFd=/proc/thread-self/fd/8, flags=MS_NOSUID|MS_NODEV|MS_NOEXEC: operation not permitted\"",
            source: "after opencontainers/runc rootfs_linux.go; rootless, without --privileged",
        },
    ],
}

/// It is the node's quota of keys, and no disk is full.
KEYRING = Error "PRIVILEGE-KEYRING" {
    summary: "the node's kernel takes no more keys for this user, and every container gets one",
    advice: &[
        paste("Allow more", Node, "sysctl -w kernel.keys.maxkeys=20000 kernel.keys.maxbytes=2000000"),
        say("Or use a runner of which fewer jobs run at a time: the limit is the node's, and all its containers count."),
    ],
    retryable: true,
    patterns: &[&["session key", "disk quota exceeded"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: unable to join session keyring: unable to create session key: disk quota exceeded\"",
        source: "mieweb/opensource-server#279; moby/moby#22865",
    }],
}

/// Threads count as well, and dockerd, containerd and each shim have a dozen.
PROCESSES = Fatal "PRIVILEGE-PROCESSES" {
    summary: "the service may not start any more processes",
    advice: &[
        say("What builds and containers of the job start counts as the service's: run fewer of them at a time (`make -j`, parallel tests)."),
        say("The limit is the kubelet's (`podPidsLimit`), where the runner's administrator can raise it.").on(Kubernetes),
        say("The limit is that of the node's Docker or systemd (`TasksMax`), where the runner's administrator can raise it.").on(Docker),
    ],
    in_short: "raise the limit of processes of the service",
    retryable: true,
    patterns: &[
        &["pthread_create failed: resource temporarily unavailable"],
        &["failed to create new os thread"],
        &["fork/exec ", "resource temporarily unavailable"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort",
            source: "moby/moby#9868",
        },
        Sample {
            text: "runtime: failed to create new OS thread (have 18 already; errno=11)\nruntime: may need to increase max user processes (ulimit -u)\nfatal error: newosproc",
            source: "Go's runtime, os_linux.go",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to start shim: start failed: fork/exec /usr/bin/containerd-shim-runc-v2: resource temporarily unavailable\"",
            source: "after containerd v1.7 runtime/v2/shim, Go os/exec",
        },
    ],
}

/// The capability may be there and the system call forbidden all the same.
SECCOMP = Fatal "PRIVILEGE-SECCOMP" {
    summary: "a seccomp profile forbids system calls that dockerd needs",
    advice: &[
        runner("A privileged service has no such profile", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("A privileged service has no such profile", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        runner("For rootless dockerd without privileges", "[runners.docker]\n  services_security_opt = [\"seccomp=unconfined\"]").on(Docker),
    ],
    in_short: "make the service privileged",
    ignoring: START_ANYWAY,
    patterns: &[&["fork/exec /proc/self/exe: operation not permitted"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted",
        source: "docker-library/docker#330, rootless-containers/rootlesskit#172",
    }],
}

APPARMOR = Fatal "PRIVILEGE-APPARMOR" {
    summary: "an AppArmor profile forbids mounts that dockerd needs",
    advice: &[
        runner("A privileged service has no such profile", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("A privileged service has no such profile", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        runner("For rootless dockerd without privileges", "[runners.docker]\n  services_security_opt = [\"apparmor=unconfined\"]").on(Docker),
    ],
    in_short: "make the service privileged",
    ignoring: START_ANYWAY,
    patterns: &[&["failed to share mount point: /: permission denied"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "[rootlesskit:child ] error: failed to share mount point: /: permission denied",
        source: "GitLab docs, docker_build_troubleshooting, rootless",
    }],
}

NO_NEW_PRIVS = Error "PRIVILEGE-NO-NEW-PRIVS" {
    summary: "no program in this container may gain privileges, so rootless dockerd and sudo in \
              builds fail",
    advice: &[
        runner("", "[runners.kubernetes]\n  allow_privilege_escalation = true").on(Kubernetes),
        say("Take `no-new-privileges` out of `services_security_opt` in the runner's config.toml.").on(Docker),
    ],
}

USERNS = Warning "PRIVILEGE-USERNS" {
    summary: "root of this container is not root of the node: it runs in a user namespace, where \
              mounts and devices are restricted",
    advice: &[
        say("This matters only if mounts fail. Then take `hostUsers: false` out of the pod's `pod_spec`.").on(Kubernetes),
        runner("This matters only if mounts fail. Then leave the namespace out", "[runners.docker]\n  userns_mode = \"host\"").on(Docker),
    ],
}

MOUNT = Warning "PRIVILEGE-MOUNT" {
    summary: "a mount that dockerd likes to have could not be made",
    advice: &[say("Nothing has to be changed as long as the job works. If it does not, see NOT-PRIVILEGED.")],
}

RLIMIT = Error "PRIVILEGE-RLIMIT" {
    summary: "containers cannot get the limits that dockerd gives them, because this one may not \
              raise its own",
    advice: &[
        job("Give containers limits that this one has", dockerd_flags!("--default-ulimit nofile=1024:1024")),
        say("Or let the service raise limits: that takes CAP_SYS_RESOURCE, which `privileged = true` usually includes."),
    ],
    patterns: &[&["error setting rlimit type"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T16:03:49.299832219Z\" level=error msg=\"Handler for POST /v1.45/containers/50daf5e2933e/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted: unknown\" spanID=ef23b69a053c5eac traceID=a6ca2c67df7cf6ca2a7ba70b3bfbd454",
            source: "Docker 26.1.5, run without CAP_SYS_RESOURCE and with --default-ulimit",
        },
    ],
}

ROOTLESS_KIT = Fatal "PRIVILEGE-ROOTLESS-KIT" {
    summary: "dockerd is to run without root, and a program that it needs for that is not in the \
              image",
    advice: &[
        say("To run dockerd as root, which this image is made for, take `run_as_user` and `run_as_group` out of `pod_security_context` and `service_container_security_context` in the runner's config.toml.").on(Kubernetes),
        say("To run dockerd as root, which this image is made for, take `user` out of `[runners.docker]` in the runner's config.toml.").on(Docker),
        say("A service's own `kubernetes: user` or `docker: user` in .gitlab-ci.yml does the same. To run it without root, use a rootless image: its tags end in -rootless."),
    ],
    in_short: "take run-as-user out of the runner config or use a rootless tag",
}

/// Since runc 1.2.8, 1.3.3 and 1.4.0-rc.3, which no longer trust the names of /proc (CVE-2025-52881).
SYSCTL = Error "PRIVILEGE-SYSCTL" {
    summary: "runc may not set a sysctl of inner containers: the node is itself a container (LXC, \
              Incus, Proxmox), or runs the service by Sysbox",
    advice: &[
        say("Whoever runs the node has to update what it runs in: lxc-pve 6.0.5-2, Incus 6.19 and later let runc do it; for LXD, LXC and Sysbox see opencontainers/runc#4968."),
        paste("Or, where Incus runs it, take the node's AppArmor profile away", Node, "incus config set NODE raw.lxc \"lxc.apparmor.profile=unconfined\""),
        say("Or use a service's image whose runc is older, as Docker 28.5.1 and before have it."),
    ],
    patterns: &[
        &["open sysctl ", "reopen fd ", "permission denied"],
        &["open sysctl ", "unsafe procfs detected"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.51/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: permission denied\"",
            source: "opencontainers/runc#4968, #4972 and #5058; runc 1.3.6 has the words",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.51/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: unsafe procfs detected: openat2 /proc/./sys/net/ipv4/ip_unprivileged_port_start: invalid cross-device link\"",
            source: "nestybox/sysbox#973",
        },
    ],
}
}

/// `attempt`: what was refused, such as "mount --make-rshared /".
pub fn not_privileged(attempt: &str, error: &io::Error) -> Finding {
    NOT_PRIVILEGED.met(format!("{attempt}: {error}; that needs CAP_SYS_ADMIN."))
}

pub fn mount_failed(attempt: &str, error: &io::Error) -> Finding {
    MOUNT.met(format!("{attempt}: {error}."))
}

/// `programs`: at least one.
pub fn no_rootless_programs(programs: &[&str], uid: u32) -> Finding {
    let programs = match programs {
        [one] => format!("{one} is"),
        several => format!("{} are", several.join(", ")),
    };
    ROOTLESS_KIT.met(format!(
        "this container runs as the user {uid}, and {programs} not in the PATH."
    ))
}
