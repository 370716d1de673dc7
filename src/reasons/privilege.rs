//! Reasons about what this container is allowed to do.

use std::{io, path::Path};

use super::{Finding, Ignoring, START_ANYWAY, Sample, Weight};

catalogue! { Privilege:

NOT_PRIVILEGED = Fatal "NOT-PRIVILEGED" {
    summary: "the service container is not privileged, and dockerd cannot run without that",
    advice: "\
In the runner's config.toml ([runners.docker] for the Docker executor):
    [[runners]]
      [runners.kubernetes]
        privileged = true
Or choose a runner that has it, with its tag in the job of .gitlab-ci.yml:
    tags: [privileged]
The same message comes where `allowed_privileged_services` does not list this image.",
    ignoring: START_ANYWAY,
    patterns: &[
        &["permission denied (you must be root)"],
        &["mount: permission denied (are you root?)"],
        &["/proc/sys/net/ipv4/ip_forward", "read-only file system"],
    ],
    samples: &[
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register \"bridge\" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n (exit status 4)",
            source: "Docker 26.1.5, run without --privileged",
        },
        Sample {
            text: "mount: permission denied (are you root?)\nCould not mount /sys/kernel/security.\nAppArmor detection and --privileged mode might break.\nmount: permission denied (are you root?)",
            source: "hack/dind; GitLab docs, docker_build_troubleshooting",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: open /proc/sys/net/ipv4/ip_forward: read-only file system",
            source: "after moby daemon/libnetwork; container without --privileged, with NET_ADMIN",
        },
    ],
}

/// The capability may be there and the system call forbidden all the same.
SECCOMP = Fatal "PRIVILEGE-SECCOMP" {
    summary: "a seccomp profile forbids system calls that dockerd needs",
    advice: "\
A privileged service has none. In the runner's config.toml:
    [runners.kubernetes]
    privileged = true
For rootless dockerd without privileges and the Docker executor, in the runner's config.toml:
    [runners.docker]
    services_security_opt = [\"seccomp=unconfined\"]",
    ignoring: START_ANYWAY,
    patterns: &[&["fork/exec /proc/self/exe: operation not permitted"]],
    samples: &[Sample {
        text: "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted",
        source: "docker-library/docker#330, rootless-containers/rootlesskit#172",
    }],
}

APPARMOR = Fatal "PRIVILEGE-APPARMOR" {
    summary: "an AppArmor profile forbids mounts that dockerd needs",
    advice: "\
A privileged service has none. In the runner's config.toml:
    [runners.kubernetes]
    privileged = true
For rootless dockerd without privileges and the Docker executor, in the runner's config.toml:
    [runners.docker]
    services_security_opt = [\"apparmor=unconfined\"]",
    ignoring: START_ANYWAY,
    patterns: &[&["failed to share mount point: /: permission denied"]],
    samples: &[Sample {
        text: "[rootlesskit:child ] error: failed to share mount point: /: permission denied",
        source: "GitLab docs, docker_build_troubleshooting, rootless",
    }],
}

NO_NEW_PRIVS = Error "PRIVILEGE-NO-NEW-PRIVS" {
    summary: "no program in this container may gain privileges, so rootless dockerd and sudo in \
              builds fail",
    advice: "\
In the runner's config.toml:
    [runners.kubernetes]
    allow_privilege_escalation = true",
}

USERNS = Warning "PRIVILEGE-USERNS" {
    summary: "root of this container is not root of the node: it runs in a user namespace, where \
              mounts and devices are restricted",
    advice: "\
If mounts fail: with the Docker executor, set this in the runner's config.toml:
    [runners.docker]
    userns_mode = \"host\"
With Kubernetes, leave out `hostUsers: false` of the pod.",
}

MOUNT = Warning "PRIVILEGE-MOUNT" {
    summary: "a mount that dockerd likes to have could not be made",
    advice: "Nothing, as long as the job works; else see NOT-PRIVILEGED.",
}

RLIMIT = Error "PRIVILEGE-RLIMIT" {
    summary: "containers cannot get the limits that dockerd gives them, because this one may not \
              raise its own",
    advice: "\
Give containers limits that this one has, in .gitlab-ci.yml at the service:
    services:
      - name: docker:dind
        command: [\"--default-ulimit\", \"nofile=1024:1024\"]
Or let the service raise limits: CAP_SYS_RESOURCE, which `privileged = true` usually includes.",
    patterns: &[&["error setting rlimit type"]],
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
    advice: "\
Use the rootless image in .gitlab-ci.yml:
    services:
      - name: docker:dind-rootless
        alias: docker
Or let the service run as root: no `kubernetes: user` or `docker: user` at the service.",
}

ROOTLESS_SUBID = Fatal "PRIVILEGE-ROOTLESS-SUBID" {
    summary: "the user of rootless dockerd has no range of further user ids",
    advice: "\
Run the service as the image's own user (rootless, 1000), or add the user in the image's Dockerfile:
    RUN echo 1000:100000:65536 | tee -a /etc/subuid >> /etc/subgid
newuidmap and newgidmap must be there, and setuid root.",
    patterns: &[&["failed to setup uid/gid map"]],
    samples: &[
        Sample {
            text: "[rootlesskit:parent] error: failed to setup UID/GID map: newuidmap 11 [0 1000 1 1 100000 65536] failed: newuidmap: write to uid_map failed: Operation not permitted\n: exit status 1",
            source: "moby/buildkit#3297",
        },
        Sample {
            text: "[rootlesskit:parent] error: failed to setup UID/GID map: failed to compute uid/gid map: No subuid ranges found for user 1001 (\"testuser\")",
            source: "Docker docs, rootless troubleshooting",
        },
    ],
}

ROOTLESS_USERNS = Fatal "PRIVILEGE-ROOTLESS-USERNS" {
    summary: "the node forbids user namespaces, which rootless dockerd needs",
    advice: "\
On the node:
    sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=28633
Where AppArmor restricts them (Ubuntu 24.04), on the node:
    sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    retryable: true,
    ignoring: START_ANYWAY,
    patterns: &[
        &["rootlesskit", "fork/exec /proc/self/exe: no space left on device"],
        &["rootlesskit", "fork/exec /proc/self/exe: permission denied"],
    ],
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
    advice: "\
Name directories that the service's user can write, in .gitlab-ci.yml:
    variables:
      HOME: /home/rootless
      XDG_RUNTIME_DIR: /home/rootless/run
A volume that is mounted there must belong to that user (the pod's fsGroup, or chown).",
}

ROOTLESS_TUN = Fatal "PRIVILEGE-ROOTLESS-TUN" {
    summary: "rootless dockerd cannot make its network: /dev/net/tun is missing, or may not be \
              opened",
    advice: "\
On the node:
    modprobe tun
With the Docker executor, in the runner's config.toml:
    [runners.docker]
    services_devices = { \"docker:*\" = [\"/dev/net/tun\"] }
With Kubernetes a privileged service has the device.",
    ignoring: START_ANYWAY,
    patterns: &[&["ip tuntap add"]],
    samples: &[Sample {
        text: "[rootlesskit:parent] error: failed to setup network: setting up tap tap0: executing [[nsenter -t 90 -n -m -U --preserve-credentials ip tuntap add name tap0 mode tap]]: exit status 1",
        source: "after moby/buildkit#3292",
    }],
}

/// What rootlesskit says and no other entry names.
ROOTLESS = Fatal "PRIVILEGE-ROOTLESS" {
    summary: "dockerd without root lacks something it needs",
    advice: "\
Use the rootless image as the base, with its own user, and make the service privileged (rootlesskit
needs system calls that a container's default profile forbids), in the runner's config.toml:
    [runners.kubernetes]
    privileged = true
Or run the service as root.",
    ignoring: Ignoring::Impossible("rootlesskit does not start dockerd in spite of it"),
    weight: Weight::Symptom,
    patterns: &[
        &["[rootlesskit:", "error: "],
        &["dockerd needs to be started with root"],
        &["rootless mode needs to be enabled"],
    ],
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

/// `attempt`: what was refused, such as "mount --make-rshared /".
pub fn not_privileged(attempt: &str, error: &io::Error) -> Finding {
    NOT_PRIVILEGED.found(
        format!("{attempt}: {error}; that needs CAP_SYS_ADMIN."),
        "in the runner's config.toml, below [runners.kubernetes] or [runners.docker]:\n\
         privileged = true\n\
         or choose a runner that has it, with `tags:` of the job in .gitlab-ci.yml.",
    )
}

pub fn mount_failed(attempt: &str, error: &io::Error) -> Finding {
    MOUNT.found(format!("{attempt}: {error}."), "")
}

/// `programs`: at least one.
pub fn no_rootless_programs(programs: &[&str]) -> Finding {
    ROOTLESS_KIT.met(match programs {
        [one] => format!("{one} is not in the PATH."),
        several => format!("{} are not in the PATH.", several.join(", ")),
    })
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
