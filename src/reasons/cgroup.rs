//! Reasons about control groups.

use std::{io, path::Path};

#[cfg(test)]
use super::Sample;
use super::{
    Finding, START_ANYWAY,
    advice::{
        Executor::{Docker, Kubernetes},
        Place::NodeDaemon,
        job, paste, runner, say,
    },
    snippets::{self, dockerd_flags},
};

catalogue! { Cgroup:

READONLY = Error "CGROUP-READONLY" {
    summary: "the control groups of this container are read-only, so inner containers cannot start",
    advice: &[
        runner("Make the service privileged", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("Make the service privileged", snippets::PRIVILEGED_CONTAINERS).on(Docker),
    ],
    in_short: "make the service privileged",
    patterns: &[&["mkdir /sys/fs/cgroup/", "read-only file system"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/x/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: mkdir /sys/fs/cgroup/docker: read-only file system: unknown\"",
        source: "after runc 1.1 in a container whose /sys/fs/cgroup is read-only; status 500",
    }],
}

/// cgroup v1; dockerd looks for this one controller before it does anything with containers.
NO_DEVICES = Fatal "CGROUP-NO-DEVICES" {
    summary: "the control groups are not mounted in this container",
    advice: &[
        runner("Make the service privileged", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("Make the service privileged", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        say("If it is already: on a node with cgroup v1, each controller and `name=systemd` must be mounted below /sys/fs/cgroup. The node's container runtime does that, where the node has them."),
    ],
    in_short: "make the service privileged",
    ignoring: START_ANYWAY,
    patterns: &[
        &["devices cgroup isn't mounted"],
        &["no cgroup mount found in mountinfo"],
        &["cannot find cgroup mount destination"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: Devices cgroup isn't mounted",
            source: "Docker 26.1.5 and 28.5.2, run without /sys/fs/cgroup",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: no cgroup mount found in mountinfo\"",
            source: "after opencontainers/runc#2766; runc 1.1 to 1.3 have the words",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: cgroups: cannot find cgroup mount destination: unknown\"",
            source: "after kata-containers/runtime#2014; containerd 1.6 and 1.7 have the words",
        },
    ],
}

/// Nodes of Kubernetes have it in their own daemon.json.
SYSTEMD_DRIVER = Error "CGROUP-SYSTEMD-DRIVER" {
    summary: "dockerd is to have systemd make control groups, and no systemd runs in this container",
    advice: &[say("Take native.cgroupdriver=systemd out of `exec-opts` in daemon.json (`volumes` of the runner's config.toml mounts it, or it is in the image), or out of the service's flags in .gitlab-ci.yml. It belongs to nodes, not to a service.")],
    patterns: &[&["systemd not running on this host"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/x/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: systemd not running on this host, cannot use systemd cgroups manager: unknown\"",
        source: "after Docker 26.1.5 and 28.5.2, run with daemon.json of a node; status 500",
    }],
}

/// Docker learned cgroup v2 in 20.10.
OLD_DOCKER_ON_V2 = Error "CGROUP-OLD-DOCKER-ON-V2" {
    summary: "this Docker is too old for the node, which has only cgroup v2",
    advice: &[say("Use Docker 20.10 or newer for the service: change the tag of its image in .gitlab-ci.yml.")],
    patterns: &[&["cgroup mountpoint does not exist"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "time=\"2021-11-01T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.40/containers/x/start returned error: cgroups: cgroup mountpoint does not exist: unknown\"",
        source: "Docker 19.03; GitLab docs, docker_build_troubleshooting",
    }],
}

/// runc asks for it on cgroup v2, where it is the default.
NO_NAMESPACES = Error "CGROUP-NO-NAMESPACES" {
    summary: "the node's kernel has no cgroup namespaces, and containers are to get one",
    advice: &[job("Let them do without", dockerd_flags!("--default-cgroupns-mode=host"))],
    patterns: &[
        &["cgroup namespaces aren't enabled in the kernel"],
        &["namespace {", "cgroup", "does not exist"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: cgroup namespaces aren't enabled in the kernel\"",
            source: "after mgksu/dockerd#1; runc 1.1 to 1.3 have the words",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/1/start returned error: OCI runtime create failed: namespace {\\\"cgroup\\\" \\\"\\\"} does not exist: unknown\"",
            source: "docker/for-linux#1198",
        },
    ],
}

/// cgroup v2 by a BPF program, cgroup v1 by files that a parent may narrow.
DEVICE_RULES = Error "CGROUP-DEVICE-RULES" {
    summary: "the rules for the devices of inner containers cannot be set, so these do not start",
    advice: &[
        runner("Make the service privileged", snippets::PRIVILEGED_POD).on(Kubernetes),
        runner("Make the service privileged", snippets::PRIVILEGED_CONTAINERS).on(Docker),
        say("If it is already: the node may be an unprivileged container itself (LXC), or, with cgroup v2, have a kernel that is too old for it; runc wants Linux 5.2 or newer. Then use another node."),
    ],
    retryable: true,
    patterns: &[
        &["bpf_prog_query(bpf_cgroup_device) failed"],
        &["error setting cgroup config for prochooks process", "devices cgroup doesn't match target mode"],
        &["setting cgroup config for prochooks process", "can't load program"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/1/start returned error: failed to create shim: OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: process_linux.go:508: setting cgroup config for procHooks process caused: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted: unknown\"",
            source: "opencontainers/runc#3412; docker/cli#4273",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting cgroup config for procHooks process: resulting devices cgroup doesn't match target mode\"",
            source: "lobaro/restic-backup-docker#86",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/1/start returned error: OCI runtime create failed: container_linux.go:367: starting container process caused: process_linux.go:495: container init caused: process_linux.go:458: setting cgroup config for procHooks process caused: can't load program: operation not permitted: unknown\"",
            source: "opencontainers/runc#2792",
        },
    ],
}

/// It is the kernel's room for groups, and neither memory nor a disk.
TOO_MANY = Error "CGROUP-TOO-MANY" {
    summary: "the node's kernel makes no more control groups, and every container gets one",
    advice: &[
        say("Some kernels keep the groups of containers that have ended (cgroup v1 on Linux before 5). Whoever runs the node restarts it, or updates its kernel; another node does meanwhile."),
        job("GitLab tries the job again, on whichever node is free, with", "retry: 2"),
    ],
    retryable: true,
    patterns: &[
        &["mkdir /sys/fs/cgroup/", "cannot allocate memory"],
        &["mkdir /sys/fs/cgroup/", "no space left on device"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.40/containers/1/start returned error: OCI runtime create failed: container_linux.go:346: starting container process caused \\\"process_linux.go:297: applying cgroup configuration for process caused \\\\\\\"mkdir /sys/fs/cgroup/memory/docker/1: cannot allocate memory\\\\\\\"\\\": unknown\"",
            source: "docker/for-linux#841",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/docker/1: no space left on device\"",
            source: "after moby/moby#29638, with runc 1.1's words",
        },
    ],
}

NESTING = Error "CGROUP-NESTING" {
    summary: "inner containers cannot enter a control group of their own",
    advice: &[
        say("No process may be in the root of this container's control groups, and something keeps one there: another container that shares them, or a process that was put there later. Give the service a cgroup namespace of its own."),
        job("It gets one unless the job forbids it", "variables:\n  DIND_CGROUP_NAMESPACE: auto").on(Kubernetes),
        paste("", NodeDaemon, "{\"default-cgroupns-mode\": \"private\"}").on(Docker),
    ],
    patterns: &[&["cannot enter cgroupv2", "with domain controllers"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.43/containers/x/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: cannot enter cgroupv2 \\\"/sys/fs/cgroup/docker\\\" with domain controllers -- it is in an invalid state: unknown\"",
            source: "after docker-library/docker#308; status 500",
        },
        Sample {
            text: "time=\"2026-11-23T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/x/start returned error: failed to create task for container: cannot enter cgroupv2 \\\"/sys/fs/cgroup/docker\\\" with domain controllers -- it is in threaded mode: unknown\"",
            source: "after earthly#1533; status 500",
        },
    ],
}

DELEGATION = Warning "CGROUP-DELEGATION" {
    summary: "not every control group controller reaches inner containers",
    advice: &[say("This matters only if the job limits memory or processors of its containers (`docker run -m`). Then try another node.")],
}

HOST_NAMESPACE = Note "CGROUP-HOST-NAMESPACE" {
    summary: "this container sees the node's own control groups; they are left as they are",
}

OUTSIDE = Warning "CGROUP-OUTSIDE" {
    summary: "inner containers are outside of this container's control group, and of its limits",
    advice: &[
        job("Let dockerd have a cgroup namespace, which it gets unless the job forbids it", "variables:\n  DIND_CGROUP_NAMESPACE: auto"),
        paste("Or give the container itself one", NodeDaemon, "{\"default-cgroupns-mode\": \"private\"}").on(Docker),
    ],
}
}

pub fn readonly(path: &Path, error: &io::Error) -> Finding {
    READONLY.met(format!("cannot create {}: {error}.", path.display()))
}

/// `refused`: each controller with the error that enabling it gave.
pub fn delegation(refused: &[(String, io::Error)]) -> Finding {
    let list: Vec<String> = refused
        .iter()
        .map(|(controller, error)| format!("{controller} ({error})"))
        .collect();
    DELEGATION.met(format!(
        "/sys/fs/cgroup/cgroup.subtree_control did not take: {}.",
        list.join(", ")
    ))
}

/// The whole tree is there, and no part of it is known as this container's.
pub fn root_of_all() -> Finding {
    HOST_NAMESPACE.noted(
        "/sys/fs/cgroup is the root of the whole tree, and /proc/self/cgroup names no part of it \
         as this container's own.",
    )
}

/// `own` is where this container's group lies, which dockerd gets as the root of a cgroup namespace.
pub fn namespace(own: &Path) -> Finding {
    HOST_NAMESPACE.noted(format!(
        "{} dockerd gets a cgroup namespace that begins there, so inner containers stay \
         within this container's limits.",
        sees_others(own)
    ))
}

/// `why` there is no cgroup namespace for dockerd: a variable, or an error.
pub fn outside(own: &Path, why: &str) -> Finding {
    OUTSIDE.met(format!(
        "{} There is no cgroup namespace for dockerd: {why}.",
        sees_others(own)
    ))
}

fn sees_others(own: &Path) -> String {
    format!(
        "this container has no cgroup namespace (privileged Kubernetes pods get none), and its own \
         control group is {}.",
        own.display()
    )
}
