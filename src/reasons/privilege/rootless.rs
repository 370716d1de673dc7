//! What a dockerd without root needs beside that.

use std::{io, path::Path};

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Finding, Ignoring, START_ANYWAY, Weight,
    advice::{
        Executor::{Docker, Kubernetes},
        Place::{Dockerfile, Node},
        job, paste, runner, say,
    },
    snippets,
};

catalogue! { Privilege:

/// It has a range, and may not use it.
ROOTLESS_IDMAP = Fatal "PRIVILEGE-ROOTLESS-IDMAP" {
    summary: "newuidmap may not give rootless dockerd its range of user ids",
    advice: &[
        runner("Make the service privileged: without that, newuidmap gains no capability here", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("Make the service privileged: without that, newuidmap gains no capability here", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        say("If it is: newuidmap and newgidmap must be setuid root in the image, or this container is in a user namespace of its own (rootless Docker or Podman on the node), which lacks these ids."),
    ],
    in_short: "make the service privileged",
    ignoring: START_ANYWAY,
    patterns: &[&["failed to setup uid/gid map", "newuidmap", "operation not permitted"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "[rootlesskit:parent] error: failed to setup UID/GID map: newuidmap 11 [0 1000 1 1 100000 65536] failed: newuidmap: write to uid_map failed: Operation not permitted\n: exit status 1",
            source: "moby/buildkit#3297, docker-library/docker#296, moby/moby#46794",
        },
    ],
}

ROOTLESS_SUBID = Fatal "PRIVILEGE-ROOTLESS-SUBID" {
    summary: "the user of rootless dockerd has no range of further user ids",
    advice: &[
        say("Run the service as the image's own user (rootless, 1000)."),
        paste("Or add the user", Dockerfile, "RUN echo 1000:100000:65536 | tee -a /etc/subuid >> /etc/subgid"),
        say("newuidmap and newgidmap must be there, and setuid root."),
    ],
    in_short: "run the service as the image s own user",
    patterns: &[
        &["failed to setup uid/gid map"],
        &["failed to register layer", "lchown ", "invalid argument"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "[rootlesskit:parent] error: failed to setup UID/GID map: failed to compute uid/gid map: No subuid ranges found for user 1001 (\"testuser\")",
            source: "Docker docs, rootless troubleshooting",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/images/create returned error: failed to register layer: failed to Lchown \\\"/usr/src/app/.npmignore\\\" for UID 718322462, GID 454177323 (try increasing the number of subordinate IDs in /etc/subuid and /etc/subgid): lchown /usr/src/app/.npmignore: invalid argument\"",
            source: "moby/moby#43576, openops-cloud/openops#278",
        },
    ],
}

ROOTLESS_USERNS = Fatal "PRIVILEGE-ROOTLESS-USERNS" {
    summary: "the node forbids user namespaces, which rootless dockerd needs",
    advice: &[
        paste("", Node, "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=28633"),
        paste("Where AppArmor restricts them (Ubuntu 24.04)", Node, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    ],
    in_short: "allow user namespaces on the node",
    retryable: true,
    ignoring: START_ANYWAY,
    patterns: &[
        &["rootlesskit", "fork/exec /proc/self/exe: no space left on device"],
        &["rootlesskit", "fork/exec /proc/self/exe: permission denied"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: no space left on device",
            source: "Docker docs, rootless troubleshooting",
        },
        Sample {
            text: "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: permission denied",
            source: "rootless-containers/rootlesskit#421",
        },
    ],
}

ROOTLESS_HOME = Fatal "PRIVILEGE-ROOTLESS-HOME" {
    summary: "rootless dockerd has no directory of its own to write to",
    advice: &[
        job("Name directories that the service's user can write to", "variables:\n  HOME: /home/rootless\n  XDG_RUNTIME_DIR: /home/rootless/run"),
        say("A volume that is mounted there must belong to that user (the pod's fsGroup, or chown)."),
    ],
    in_short: "set HOME and XDG-RUNTIME-DIR to writable directories",
}

ROOTLESS_TUN = Fatal "PRIVILEGE-ROOTLESS-TUN" {
    summary: "rootless dockerd cannot make its network: /dev/net/tun is missing, or may not be \
              opened",
    advice: &[
        say("A privileged service has the device, if the node has it.").on(Kubernetes),
        runner("Give the service the device", "[runners.docker]\n  services_devices = { \"*\" = [\"/dev/net/tun\"] }").on(Docker),
        paste("If the node lacks it, load it", Node, "modprobe tun"),
    ],
    in_short: "load the module tun on the node",
    ignoring: START_ANYWAY,
    patterns: &[&["ip tuntap add"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "[rootlesskit:parent] error: failed to setup network: setting up tap tap0: executing [[nsenter -t 90 -n -m -U --preserve-credentials ip tuntap add name tap0 mode tap]]: exit status 1",
        source: "after moby/buildkit#3292",
    }],
}

/// What rootlesskit says and no other entry names.
ROOTLESS = Fatal "PRIVILEGE-ROOTLESS" {
    summary: "dockerd without root lacks something it needs",
    advice: &[
        say("Use the rootless image as the base, with its own user. It needs system calls that a container's default profile forbids."),
        runner("So make the service privileged", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("So make the service privileged", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        say("Or run the service as root."),
    ],
    in_short: "run the service as root or use a rootless tag",
    ignoring: Ignoring::Impossible("rootlesskit does not start dockerd in spite of it"),
    weight: Weight::Symptom,
    patterns: &[
        &["[rootlesskit:", "error: "],
        &["dockerd needs to be started with root"],
        &["rootless mode needs to be enabled"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "[rootlesskit:child ] error: command [dockerd --host=unix:///run/user/1000/docker.sock] exited: exit status 1",
            source: "after rootless-containers/rootlesskit pkg/child",
        },
        Sample {
            text: "dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see https://docs.docker.com/go/rootless/",
            source: "Docker 26.1.5 and 28.5.2, run as another user",
        },
        Sample {
            text: "rootless mode needs to be enabled for running with RootlessKit",
            source: "after moby docker-v29.7.2 daemon/command",
        },
    ],
}
}

/// `error`: what opening the device gave.
pub fn no_tun(device: &str, error: &io::Error) -> Finding {
    ROOTLESS_TUN.met(format!("{device}: {error}."))
}

/// `path`: of `/etc/subuid` or `/etc/subgid`.
pub fn no_sub_ids(path: &str, user: &str, uid: u32) -> Finding {
    ROOTLESS_SUBID.met(format!("{path} has no line for the user {user} ({uid})."))
}

pub fn not_writable(directory: &Path) -> Finding {
    ROOTLESS_HOME.met(format!("{} cannot be written.", directory.display()))
}

/// `sysctl`: the file below `/proc/sys`, and what it holds.
pub fn no_user_namespaces(sysctl: &str, value: &str) -> Finding {
    ROOTLESS_USERNS.met(format!("{sysctl} is {value}."))
}
