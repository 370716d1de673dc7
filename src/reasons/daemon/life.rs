//! What becomes of a dockerd that was started, and why it ends.

use std::time::Duration;

use nix::sys::signal::Signal;

#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Finding, Ignoring, Weight,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        job, runner, say,
    },
    hole::Hole,
    snippets,
};

/// For what is found when it is over.
const OVER: Ignoring = Ignoring::Impossible("dockerd is gone");

catalogue! { Daemon:

PANIC = Fatal "DAEMON-PANIC" {
    summary: "dockerd crashed",
    advice: &[say("This is a fault in dockerd or containerd, not in the job. Try another version: change the tag of the service's image in .gitlab-ci.yml.")],
    in_short: "try another version of the image",
    retryable: true,
    ignoring: OVER,
    patterns: &[
        &["panic: runtime error: "],
        &["fatal error: "],
        &["unexpected fault address"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]",
            source: "Go's runtime",
        },
        Sample {
            text: "fatal error: runtime: cannot allocate memory",
            source: "Go's runtime",
        },
        Sample {
            text: "unexpected fault address 0x7f0000000000\nfatal error: fault",
            source: "Go's runtime; bbolt on a broken disk",
        },
    ],
}

OOM = Fatal "DAEMON-OOM" {
    summary: "the service container ran out of memory, and the kernel ended dockerd",
    advice: MORE_MEMORY,
    in_short: "give the service more memory",
    retryable: true,
    ignoring: OVER,
}

/// The kernel ends nobody, and starts nobody: dockerd lives on.
NO_MEMORY = Error "DAEMON-NO-MEMORY" {
    summary: "the service has no memory left to start another program",
    advice: MORE_MEMORY,
    in_short: "give the service more memory",
    retryable: true,
    patterns: &[&["fork/exec ", "cannot allocate memory"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.24/build returned error: Untar error on re-exec cmd: fork/exec /proc/self/exe: cannot allocate memory\"",
            source: "openshift/origin#14496",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.41/containers/1/start returned error: fork/exec /usr/sbin/iptables: cannot allocate memory\"",
            source: "moby/moby#8539",
        },
    ],
}

/// runc has no more than the end of a pipe.
LOST_START = Error "DAEMON-LOST-START" {
    summary: "a container's first process was gone before it could begin",
    advice: &[
        say("Most often the service may start no more processes, or has no memory left: run fewer builds and containers at a time, or give it more memory."),
        job("As far as the runner allows", "variables:\n  KUBERNETES_SERVICE_MEMORY_LIMIT: {memory}Gi").on(Kubernetes),
        runner("", "[runners.docker]\n  service_memory = \"{memory}g\"").on(Docker),
        say("Where the service is in a user namespace (PRIVILEGE-USERNS in its log), that may forbid it as well."),
    ],
    patterns: &[
        &["returned error", "read init-p: connection reset by peer"],
        &["returned error", "can't get final child's pid from pipe: eof"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.45/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: read init-p: connection reset by peer\"",
            source: "after Docker 26.1.5 with --pids-limit=60",
        },
        Sample {
            text: "time=\"2026-11-26T10:00:00.000000000Z\" level=error msg=\"Handler for POST /v1.43/containers/1/start returned error: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: can't get final child's PID from pipe: EOF\"",
            source: "Docker 26.1.5, run with --pids-limit=60; moby/moby#46679",
        },
    ],
}

KILLED = Fatal "DAEMON-KILLED" {
    summary: "dockerd was ended by a signal that nobody sent through this container's init",
    advice: &[
        job("Usually the node ran out of memory: request what the job needs", "variables:\n  KUBERNETES_SERVICE_MEMORY_REQUEST: 4Gi").on(Kubernetes),
        say("Usually the node ran out of memory: run fewer jobs on it at a time (`concurrent` in the runner's config.toml).").on(Docker),
        say("Or a script of the job ended it (`pkill`, `killall`): a job may share this container's processes."),
    ],
    in_short: "request the memory that the job needs",
    retryable: true,
    ignoring: OVER,
}

/// containerd did not come up; what kept it is often named before.
CONTAINERD = Fatal "DAEMON-CONTAINERD" {
    summary: "containerd, which dockerd needs, did not start",
    advice: &[
        say("Often the disk is slow or full, processor time is short, or another daemon uses the same directory. Take what is mounted at {data_root} and /var/run out of the runner's config.toml."),
        runner("Give the data directory a volume of its own", snippets::DATA_VOLUME).on(Kubernetes),
        job("Ask for processor time", "variables:\n  KUBERNETES_SERVICE_CPU_REQUEST: \"1\"").on(Kubernetes),
    ],
    in_short: "give var-lib-docker a volume of its own",
    retryable: true,
    weight: Weight::Symptom,
    patterns: &[
        &["containerd is still running"],
        &["failed to start containerd"],
        &["unknown service containerd.services."],
        &["failed to dial", "containerd.sock"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-23T15:33:49.625546353Z\" level=info msg=\"containerd is still running\" module=libcontainerd pid=1\ntime=\"2026-11-23T15:34:04.630776561Z\" level=info msg=\"stopping healthcheck following graceful shutdown\" module=libcontainerd\nfailed to start containerd: timeout waiting for containerd to start",
            source: "Docker 26.1.5, run with such a pid file",
        },
        Sample {
            text: "failed to start daemon: failed to dial \"/var/run/docker/containerd/containerd.sock\": unknown service containerd.services.namespaces.v1.Namespaces: not implemented",
            source: "Docker 20.10.24, run",
        },
        Sample {
            text: "failed to start containerd: strconv.ParseUint: parsing \"\": invalid syntax",
            source: "Docker 20.10.24, run with an empty containerd.pid",
        },
        Sample {
            text: "failed to start daemon: failed to dial \"/run/docker/containerd/containerd.sock\": context deadline exceeded",
            source: "after moby docker-v29.7.2 daemon/command",
        },
    ],
}

TIMEOUT = Fatal "DAEMON-TIMEOUT" {
    summary: "dockerd did not become ready in time; it is still starting",
    advice: &[
        say("Usually the disk is slow or processor time is short. A dockerd that becomes ready late is used all the same."),
        job("To wait longer, and to ask for processor time", "variables:\n  DIND_START_TIMEOUT: 180\n  KUBERNETES_SERVICE_CPU_REQUEST: \"1\"").on(Kubernetes),
        job("To wait longer", "variables:\n  DIND_START_TIMEOUT: 180").on(Docker),
    ],
    in_short: "set DIND-START-TIMEOUT",
    retryable: true,
    ignoring: Ignoring::Possible("clients wait until dockerd is ready, however long that takes"),
}

UNKNOWN = Fatal "DAEMON-UNKNOWN" {
    summary: "dockerd ended, and its log shows no reason that is known here",
    advice: &[
        job("Run the job once more with dockerd's whole log in it", "variables:\n  CI_DEBUG_SERVICES: \"true\""),
    ],
    in_short: "run the job again",
    retryable: true,
    ignoring: OVER,
}

SLOW_STOP = Warning "DAEMON-SLOW-STOP" {
    summary: "dockerd still stops its containers, and the service may be killed before that is done",
    advice: &[
        say("A container that is killed with the service loses what it would have written. Stop it in the job, or give it less time: `docker run --stop-timeout 5`."),
        runner("Or give the pod more time", "[runners.kubernetes]\n  pod_termination_grace_period_seconds = 60").on(Kubernetes),
    ],
}

CONFIGURED = Note "DAEMON-CONFIGURED" {
    summary: "what variables say was added to dockerd's configuration",
}

/// The client's fault as much as the daemon's, but the daemon is what refuses.
///
/// Without patterns: that is status 400, and dockerd logs what it refuses from status 500 on.
API_TOO_OLD = Error "DAEMON-API-TOO-OLD" {
    summary: "the job's Docker client is too old for this daemon",
    advice: &[
        say("The job's log says so in the client's own words (\"client version 1.43 is too old\"); here it is known only where DOCKER_API_VERSION is set. Use the same version of Docker for the job's `image` and for the service in .gitlab-ci.yml."),
        job("Or let the daemon accept old clients (Docker 25 and newer)", "variables:\n  DOCKER_MIN_API_VERSION: \"1.24\""),
    ],
}
}

/// For a service that needs more than it has.
const MORE_MEMORY: Advice = &[
    job("Give the service more memory, as far as the runner allows", "variables:\n  KUBERNETES_SERVICE_MEMORY_REQUEST: {memory}Gi\n  KUBERNETES_SERVICE_MEMORY_LIMIT: {memory}Gi").on(Kubernetes),
    runner("Give the service more memory", "[runners.docker]\n  service_memory = \"{memory}g\"").on(Docker),
    say("What builds and containers of the job use counts as the service's, and so do volumes with medium = \"Memory\"."),
];

pub fn killed(signal: Signal) -> Finding {
    KILLED.met(format!("dockerd was ended by {signal}."))
}

/// `limit`: of the container's memory, in bytes, where it has one; `kills`: how many processes the
/// kernel has ended for it (`oom_kill` of memory.events).
pub fn out_of_memory(limit: Option<u64>, kills: u64) -> Finding {
    let used_up = match limit {
        Some(bytes) => format!("the memory limit of {} MiB", bytes / (1 << 20)),
        None => "the memory of the node".to_owned(),
    };
    let cause = format!(
        "{used_up} was used up; the kernel ended {kills} {} of this container.",
        if kills == 1 { "process" } else { "processes" }
    );
    OOM.met_with(cause, [(Hole::Memory, enough(limit).to_string())])
}

/// In GiB: twice as much as was not enough, and never little.
fn enough(limit: Option<u64>) -> u64 {
    limit
        .unwrap_or(0)
        .saturating_mul(2)
        .div_ceil(1 << 30)
        .max(4)
}

pub fn slow_stop() -> Finding {
    SLOW_STOP.met(
        "dockerd gives each container its own time to stop, 10 s unless it is told otherwise; the \
         service itself usually gets 10 s (docker stop) or 30 s (Kubernetes).",
    )
}

/// `waited`: since the start; `words`: dockerd's last ones, one a line.
pub fn timeout(waited: Duration, words: &str) -> Finding {
    TIMEOUT.met(with_words(
        &format!("dockerd is not ready after {} s.", waited.as_secs()),
        words,
    ))
}

/// `status`: dockerd's exit status; `words`: its last ones, one a line.
pub fn unknown(status: u8, words: &str) -> Finding {
    UNKNOWN.met(with_words(
        &format!("dockerd ended with status {status}."),
        words,
    ))
}

fn with_words(what: &str, words: &str) -> String {
    if words.is_empty() {
        return format!("{what} Its log shows no known cause.");
    }
    format!("{what} Its last words:\n{words}")
}
