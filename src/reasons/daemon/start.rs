//! How dockerd is started, and why it is not.

use std::io;

use super::settings::{SETTING_TAKEN_OUT, setting_in};
#[cfg(test)]
use crate::reasons::Sample;
use crate::reasons::{
    Finding, Ignoring, START_ANYWAY, Severity,
    advice::{
        Executor::{Docker, Kubernetes},
        Place::Image,
        job, paste, runner, say,
    },
    snippets::dockerd_flags,
};

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
}

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
