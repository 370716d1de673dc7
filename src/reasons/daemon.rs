//! Reasons about dockerd itself.

use std::{io, time::Duration};

use nix::sys::signal::Signal;

#[cfg(test)]
use super::Sample;
use super::{
    Finding, Ignoring, START_ANYWAY, Severity, Weight,
    advice::{
        Advice,
        Executor::{Docker, Kubernetes},
        Place::Image,
        job, paste, runner, say,
    },
    hole::{Data, Hole},
    snippets::{self, dockerd_flags},
};

/// For what is found when it is over.
const OVER: Ignoring = Ignoring::Impossible("dockerd is gone");

catalogue! { Daemon:

MISSING = Fatal "DAEMON-MISSING" {
    summary: "dockerd could not be started",
    advice: &[
        say("Use an image that holds Docker whole, such as dind-init's own or one with docker:dind as its base: change the name at `services` in .gitlab-ci.yml."),
    ],
    in_short: "use an image that holds dockerd",
    patterns: &[
        &["dind-init: dockerd could not be run: "],
        &["failed to start containerd: exec: \"containerd\": executable file not found"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "dind-init: dockerd could not be run: No such file or directory (os error 2)",
            source: "our own second stage, run in an image without dockerd",
        },
        Sample {
            text: "failed to start containerd: exec: \"containerd\": executable file not found in $PATH",
            source: "after moby libcontainerd/supervisor, Go os/exec",
        },
    ],
}

COMMAND_DROPPED = Warning "DAEMON-COMMAND-DROPPED" {
    summary: "the flags that the service's `command` has for dockerd do not reach it",
    advice: &[
        job("Set them by a variable instead", "variables:\n  DIND_DOCKERD_ARGS: --mtu=1400"),
        say("Or turn FF_KUBERNETES_HONOR_ENTRYPOINT off, there or in the runner's `feature_flags`."),
    ],
    ignoring: Ignoring::Impossible("`dind-init lint` finds it, before there is a service"),
}

INIT = Fatal "DAEMON-INIT" {
    summary: "the init could not prepare itself",
    advice: &[say("The cause names what the kernel refused. Try another node.")],
    in_short: "try another node",
    retryable: true,
}

CONFIG = Fatal "DAEMON-CONFIG" {
    summary: "dockerd does not accept its configuration file",
    advice: &[
        say("Correct daemon.json where the cause says. `volumes` of the runner's config.toml mounts it, or it is in the image. A setting may be in it or among the service's flags, not in both."),
        paste("To try it out", Image, "dockerd --validate --config-file /etc/docker/daemon.json"),
    ],
    in_short: "correct daemon-json",
    patterns: &[&["unable to configure the docker daemon with file"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character '}' looking for beginning of object key string",
            source: "Docker 26.1.5, run with a comma too many",
        },
        Sample {
            text: "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [unix:///x.sock], from file: [fd://])",
            source: "Docker 26.1.5, run with hosts in both",
        },
        Sample {
            text: "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives don't match any configuration option: mtuu",
            source: "Docker 26.1.5, run with a misspelled key",
        },
    ],
}

KEY_FILE = Fatal "DAEMON-KEY-FILE" {
    summary: "/etc/docker is read-only, and dockerd before version 23 keeps a key there",
    advice: &[
        runner("Mount daemon.json alone, and not the whole directory", "[[runners.kubernetes.volumes.config_map]]\n  name = \"docker-daemon-json\"\n  mount_path = \"/etc/docker/daemon.json\"\n  sub_path = \"daemon.json\"").on(Kubernetes),
        runner("Mount daemon.json alone, and not the whole directory", "[runners.docker]\n  volumes = [\"/srv/daemon.json:/etc/docker/daemon.json:ro\", \"/certs/client\", \"/cache\"]").on(Docker),
    ],
    in_short: "mount daemon-json alone",
    patterns: &[&["error saving key file: ", "read-only file system"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to start daemon: Error saving key file: open /etc/docker/.tmp-key.json574420233: read-only file system",
        source: "Docker 20.10.24, run with a ConfigMap at /etc/docker",
    }],
}

SETTING = Fatal "DAEMON-SETTING" {
    summary: "dockerd cannot do here what one of its settings says",
    advice: SETTING_TAKEN_OUT,
    in_short: "take the setting out of the command or of daemon-json",
    data_in: setting_in,
    patterns: &[
        &["specified default runtime ", " does not exist"],
        &["bridge device with non default name ", " must be created manually"],
        &["storage option overlay2.size only supported"],
        &["unknown option overlay2."],
        &["failed to set log opts"],
        &["error during uid lookup for "],
        &["error during \"dockremap\" user creation"],
        &["opening seccomp profile", " failed"],
        &["invalid pools size"],
        &["has a smaller prefix", "than the target size of that pool"],
        &["error initializing network controller: ", "invalid cidr address"],
        &["ipv6 is enabled for the default bridge, but no subnet is configured"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: specified default runtime 'nvidia' does not exist",
            source: "Docker 26.1.5 and 28.5.2, run with a node's daemon.json",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: bridge device with non default name br0 must be created manually",
            source: "Docker 26.1.5 and 28.5.2, run with a node's daemon.json",
        },
        Sample {
            text: "failed to start daemon: error initializing graphdriver: Storage Option overlay2.size only supported for backingFS XFS. Found extfs",
            source: "Docker 26.1.5 and 28.5.2, run with --storage-opt overlay2.size=10G",
        },
        Sample {
            text: "failed to start daemon: error initializing graphdriver: overlay2: unknown option overlay2.foo",
            source: "Docker 26.1.5 and 28.5.2, run with --storage-opt overlay2.foo=1",
        },
        Sample {
            text: "failed to start daemon: failed to set log opts: failed to set log opts: unknown log opt 'max-sizee' for json-file log driver",
            source: "Docker 26.1.5 and 28.5.2, run with such log-opts in daemon.json",
        },
        Sample {
            text: "Error during uid lookup for \"nobodyatall\": getent unable to find entry \"nobodyatall\" in passwd database",
            source: "Docker 26.1.5 and 28.5.2, run with --userns-remap=nobodyatall",
        },
        Sample {
            text: "Error during \"dockremap\" user creation: Error adding user \"dockremap\": Cannot add user; no useradd/adduser binary found",
            source: "docker/for-mac#3021",
        },
        Sample {
            text: "failed to start daemon: opening seccomp profile (/nope.json) failed: open /nope.json: no such file or directory",
            source: "Docker 26.1.5, run with --seccomp-profile=/nope.json",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: invalid pools size: 8",
            source: "Docker 26.1.5, run with --default-address-pool=base=10.10.0.0/16,size=8",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: could not construct local address space: network at index 0 (&{10.10.0.0/16 8}) has a smaller prefix (/16) than the target size of that pool (/8)",
            source: "Docker 28.5.2, run with --default-address-pool=base=10.10.0.0/16,size=8",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: invalid CIDR address: 10.0.0.0/8x",
            source: "Docker 26.1.5, run with --bip=10.0.0.0/8x",
        },
        Sample {
            text: "failed to start daemon: Error initializing network controller: IPv6 is enabled for the default bridge, but no subnet is configured. Specify an IPv6 subnet using --fixed-cidr-v6",
            source: "Docker 26.1.5, run with --ipv6",
        },
    ],
}

CONTAINER_SETTING = Error "DAEMON-CONTAINER-SETTING" {
    summary: "containers cannot be started with what one of dockerd's settings says",
    advice: SETTING_TAKEN_OUT,
    data_in: setting_in,
    patterns: &[
        &["returned error", "failed to initialize logging driver: "],
        &["failed to retrieve default runtime version", "executable file not found"],
        // docker-init's version is asked for in the same words.
        &["failed to retrieve ", "-runtime version: exec: ", "executable file not found"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "time=\"2026-11-26T07:34:40.915774284Z\" level=error msg=\"Handler for POST /v1.45/containers/9169c608defa/start returned error: failed to create task for container: failed to initialize logging driver: journald is not enabled on this host\"",
            source: "Docker 26.1.5, run with {\"log-driver\": \"journald\"}; 28.5.2 says the same",
        },
        // The command itself fails with status 400, which dockerd does not log.
        Sample {
            text: "time=\"2026-11-26T08:09:18.199800714Z\" level=warning msg=\"Failed to retrieve default runtime version\" error=\"failed to retrieve nvidia-container-runtime version: exec: \\\"nvidia-container-runtime\\\": executable file not found in $PATH\"",
            source: "Docker 26.1.5, run with a node's daemon.json",
        },
        Sample {
            text: "time=\"2026-11-26T12:07:02.435462565Z\" level=warning msg=\"failed to retrieve nvidia-container-runtime version: exec: \\\"nvidia-container-runtime\\\": executable file not found in $PATH\"",
            source: "Docker 20.10.24, run with a node's daemon.json",
        },
    ],
}

GPU = Error "DAEMON-GPU" {
    summary: "a container asks for a GPU, and the service's image has nothing that hands one over",
    advice: &[say("For the service use an image that holds NVIDIA's Container Toolkit besides Docker, on a runner that gives services a GPU. A job that needs a GPU and no container of its own can use it directly, without Docker.")],
    patterns: &[&["could not select device driver ", "gpu"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "time=\"2026-11-26T07:34:30.706238896Z\" level=error msg=\"Handler for POST /v1.45/containers/f5976a14ae08/start returned error: could not select device driver \\\"\\\" with capabilities: [[gpu]]\"",
        source: "Docker 26.1.5, docker run --gpus all; 28.5.2 says the same",
    }],
}

FLAG = Fatal "DAEMON-FLAG" {
    summary: "dockerd does not know one of its flags, or not this value",
    advice: &[
        say("Correct the service's `command`, DIND_DOCKERD_ARGS or the component's input dockerd-args in .gitlab-ci.yml."),
        paste("What this version knows is printed", Image, "dockerd --help"),
    ],
    in_short: "correct the flag in the command or in DIND-DOCKERD-ARGS",
    patterns: &[
        &["unknown flag: "],
        &["unknown shorthand flag: "],
        &["invalid argument \"", "for \"", "flag: "],
        &["flag needs an argument: "],
        &["see 'dockerd --help'"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "Status: unknown flag: --mtuu\nSee 'dockerd --help'., Code: 125",
            source: "Docker 26.1.5, run",
        },
        Sample {
            text: "Status: unknown shorthand flag: 'Z' in -Z\nSee 'dockerd --help'., Code: 125",
            source: "Docker 26.1.5, run",
        },
        Sample {
            text: "Status: invalid argument \"abc\" for \"--mtu\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax\nSee 'dockerd --help'., Code: 125",
            source: "Docker 26.1.5, run",
        },
        Sample {
            text: "flag needs an argument: --mtu",
            source: "after spf13/pflag",
        },
    ],
}

PID = Fatal "DAEMON-PID" {
    summary: "a pid file says that dockerd runs already",
    advice: &[
        say("Two daemons must not share /var/run: take what is mounted there out of `volumes` in the runner's config.toml."),
        job("Or name another file", dockerd_flags!("--pidfile /tmp/docker.pid")),
    ],
    in_short: "do not share var-run between daemons",
    patterns: &[
        &["ensure docker is not running or delete"],
        &["pid file found, ensure docker is not running"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon, ensure docker is not running or delete /var/run/docker.pid: process with PID 1 is still running",
            source: "Docker 26.1.5, run with such a file",
        },
        Sample {
            text: "failed to start daemon: pid file found, ensure docker is not running or delete /var/run/docker.pid",
            source: "Docker 20.10.24, run with such a file",
        },
    ],
}

/// One that is there and fails is only warned of: dockerd says itself what it cannot do.
IPTABLES = Fatal "DAEMON-IPTABLES" {
    ignoring: START_ANYWAY,
    summary: "iptables does not work, and dockerd needs it for its networks",
    advice: &[
        say("Use an image that holds iptables: dind-init's own and all docker:dind ones do."),
    ],
    in_short: "use an image that holds iptables",
    patterns: &[&["iptables not found"], &["failed to find iptables"]],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register \"bridge\" driver: failed to create NAT chain DOCKER: iptables not found",
            source: "Docker 26.1.5, run without iptables",
        },
        Sample {
            text: "time=\"2026-11-23T15:34:45.431195031Z\" level=warning msg=\"failed to find iptables\" error=\"exec: \\\"iptables\\\": executable file not found in $PATH\"",
            source: "Docker 26.1.5, run without iptables",
        },
    ],
}

NFTABLES = Fatal "DAEMON-NFTABLES" {
    summary: "dockerd is told to use nftables, and the image has no program nft",
    advice: &[say("Take firewall-backend out of DIND_DOCKERD_ARGS and the service's `command` in .gitlab-ci.yml, and out of daemon.json: dockerd then uses iptables, which docker:dind images have. Or use an image with the package nftables.")],
    in_short: "take firewall-backend out",
    ignoring: START_ANYWAY,
    patterns: &[&["firewall-backend is set to nftables: failed to find nft tool"]],
    #[cfg(test)]
    samples: &[Sample {
        text: "failed to start daemon: Error initializing network controller: firewall-backend is set to nftables: failed to find nft tool: exec: \"nft\": executable file not found in $PATH",
        source: "after moby docker-v29.7.2 daemon/libnetwork/firewall_linux.go",
    }],
}

MIN_API_VERSION = Fatal "DAEMON-MIN-API-VERSION" {
    summary: "the oldest API version that dockerd is told to accept is none that it knows",
    advice: &[
        job("Say a version that the cause allows", "variables:\n  DOCKER_MIN_API_VERSION: \"1.24\""),
        say("Or take it out there, and min-api-version out of daemon.json."),
    ],
    in_short: "take DOCKER-MIN-API-VERSION out",
    patterns: &[
        &["invalid minimum api version"],
        &["invalid docker_min_api_version"],
    ],
    #[cfg(test)]
    samples: &[
        Sample {
            text: "failed to start API server: invalid minimum API version (1.60): must be between 1.24 and 1.55",
            source: "Docker 29.7.2, run with {\"min-api-version\": \"1.60\"}",
        },
        Sample {
            text: "invalid DOCKER_MIN_API_VERSION: maximum supported API version is 1.45: 1.60",
            source: "after moby v26.1.5 cmd/dockerd/daemon.go, daemon/config/config.go",
        },
    ],
}

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

const SETTING_TAKEN_OUT: Advice = &[say(
    "Take {setting} out of daemon.json (`volumes` of the runner's config.toml mounts it, or it is \
     in the image), or out of the service's `command` and DIND_DOCKERD_ARGS in .gitlab-ci.yml. A \
     daemon.json that was made for a node rarely fits a service.",
)];
/// The same where it is one of the service's own flags.
pub const SETTING_OF_FLAGS: Advice = &[job("Take --{setting} out", "{corrected}")];

/// What dockerd says of a setting, and the setting as daemon.json and as the flags call it.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("default runtime", "default-runtime", "default-runtime"),
    ("-runtime version", "default-runtime", "default-runtime"),
    ("bridge device", "bridge", "bridge"),
    ("overlay2.", "storage-opts", "storage-opt"),
    ("log opts", "log-opts", "log-opt"),
    ("uid lookup", "userns-remap", "userns-remap"),
    ("dockremap", "userns-remap", "userns-remap"),
    ("seccomp profile", "seccomp-profile", "seccomp-profile"),
    (
        "pools size",
        "default-address-pools",
        "default-address-pool",
    ),
    (
        "size of that pool",
        "default-address-pools",
        "default-address-pool",
    ),
    ("ipv6 is enabled", "ipv6", "ipv6"),
    ("logging driver", "log-driver", "log-driver"),
];

fn setting_in(words: &str) -> Data {
    match setting(words) {
        Some((key, _)) => [(Hole::Setting, format!("`{key}`"))].into(),
        None => Data::default(),
    }
}

/// The setting that dockerd's words are about, as daemon.json and as the flags call it.
pub fn setting(words: &str) -> Option<(&'static str, &'static str)> {
    let words = words.to_ascii_lowercase();
    let mut known = SETTINGS.iter();
    let (_, key, flag) = known.find(|(said, _, _)| words.contains(said))?;
    Some((key, flag))
}

/// `DOCKER_API_VERSION` says which one.
pub const API_VERSION_OF_A_VARIABLE: Advice = &[say(
    "Take DOCKER_API_VERSION out of the variables in .gitlab-ci.yml: clients ask for what the daemon \
     speaks.",
)];

/// For a value that is empty, or still a variable's name.
pub const VARIABLES_OF_SERVICES: &str = "Services get the variables of .gitlab-ci.yml, and none \
                                         that is set in GitLab's user interface.";

/// The same of a flag.
pub const VARIABLES_IN_FLAGS: &str = "GitLab Runner expands no variable in a service's `command`, \
                                      and does in DIND_DOCKERD_ARGS. Services get the variables of \
                                      .gitlab-ci.yml, and none that is set in GitLab's user \
                                      interface.";

/// As [`FLAG`], where it is known what was meant, or that nothing else can be said.
pub const FLAG_MEANT: Advice = &[job("Correct {flag}", "{corrected}")];
/// The same for a value that came of a variable which the service does not get.
pub const FLAG_OF_A_VARIABLE: Advice = &[
    job("Correct {flag}", "{corrected}"),
    say(VARIABLES_IN_FLAGS),
];
pub const FLAGS_APART: Advice = &[job(
    "Write each flag as a word of its own, with `=` before its value",
    "{corrected}",
)];
pub const FLAG_TO_LEAVE_OUT: Advice = &[job(
    "Give {flag} a value that it takes, or leave it out",
    "{corrected}",
)];

pub fn missing(error: &io::Error) -> Finding {
    MISSING.met(format!("{error}."))
}

/// `what` the init needed from the kernel.
pub fn init(what: &str, error: &io::Error) -> Finding {
    INIT.met(format!("{what}: {error}."))
}

/// `said`: what iptables wrote last.
pub fn iptables(said: &str) -> Finding {
    IPTABLES
        .met(format!("iptables --version: {said}"))
        .with_severity(Severity::Warning)
}

/// Without `--iptables=false` dockerd ends then, and with `--bridge=none`, too.
pub fn no_iptables() -> Finding {
    IPTABLES.met("no program iptables is in dockerd's PATH, and dockerd ends without one.")
}

pub fn no_dockerd() -> Finding {
    MISSING.met("no program dockerd is in PATH.")
}

/// dockerd starts a containerd of its own, unless it is told where one is.
pub fn no_containerd() -> Finding {
    MISSING.met("no program containerd is in dockerd's PATH, and dockerd starts one.")
}

pub fn no_nft() -> Finding {
    NFTABLES.met("no program nft is in dockerd's PATH.")
}

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
    (limit.unwrap_or(0) * 2).div_ceil(1 << 30).max(4)
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
