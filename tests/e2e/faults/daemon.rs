//! dockerd itself does not start, or does not stay.

use super::*;

fault!(
    a_flag_that_dockerd_does_not_know,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).command(&["--mtuu=1400"]),
        id: "DAEMON-FLAG",
        fact: "unknown flag: --mtuu",
        fix: "DIND_DOCKERD_ARGS",
        ..Fault::USUAL
    }
);

fault!(
    a_daemon_json_with_a_comma_too_many,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).configuration("{\"mtu\": 1400,}"),
        id: "DAEMON-CONFIG",
        fact: "invalid character '}'",
        fix: "dockerd --validate",
        ..Fault::USUAL
    }
);

fault!(
    a_daemon_json_with_an_unknown_key,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| pod.plain().configuration("{\"mtuu\": 1400}"),
        id: "DAEMON-CONFIG",
        fact: "mtuu",
        fix: "daemon.json",
        ..Fault::USUAL
    }
);

fault!(
    an_image_without_dockerd,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .entrypoint_script("rm \"$(command -v dockerd)\"; exec dockerd-entrypoint.sh"),
        id: "DAEMON-MISSING",
        fact: "dockerd",
        fix: "Use an image that holds dockerd",
        ..Fault::USUAL
    }
);

fault!(
    an_image_without_iptables,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod)
            .entrypoint_script("rm \"$(command -v iptables)\"*; exec dockerd-entrypoint.sh"),
        id: "DAEMON-IPTABLES",
        fact: "no program iptables is in dockerd's PATH",
        fix: "Use an image that holds iptables",
        ..Fault::USUAL
    }
);

fault!(
    a_dockerd_that_ends_by_itself,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).instead_of("dockerd", "echo 'the moon is not full' >&2; exit 3"),
        id: "DAEMON-UNKNOWN",
        fact: "dockerd ended with status 3. Its last words:\n    the moon is not full",
        fix: "CI_DEBUG_SERVICES",
        ..Fault::USUAL
    }
);

fault!(
    a_dockerd_that_does_not_get_ready,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .variable("DIND_START_TIMEOUT", "2")
            .instead_of("dockerd", "echo 'waiting for the moon' >&2; sleep 1000"),
        id: "DAEMON-TIMEOUT",
        fact: "dockerd is not ready after 2 s. Its last words:\n    waiting for the moon",
        fix: "DIND_START_TIMEOUT: 180",
        ..Fault::USUAL
    }
);

fault!(
    a_containerd_that_does_not_start,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).entrypoint_script(
            "mkdir -p /run/docker/containerd/containerd.pid; exec dockerd-entrypoint.sh"
        ),
        id: "DAEMON-CONTAINERD",
        fact: "containerd",
        fix: "mount_path = \"/var/lib/docker\"",
        ..Fault::USUAL
    }
);

fault!(
    a_dockerd_that_is_killed_in_mid_job,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: with_certs,
        midway: Some(|pod| drop(
            pod.in_service("kill -KILL $(pidof dockerd)")
                .expect_success()
        )),
        id: "DAEMON-KILLED",
        fact: "dockerd was ended by SIGKILL",
        fix: "KUBERNETES_SERVICE_MEMORY_REQUEST",
        ..Fault::USUAL
    }
);

fault!(
    a_dockerd_that_is_asked_to_end_in_mid_job,
    [docker_26],
    Fault {
        pod: |pod| pod.plain(),
        midway: Some(|pod| {
            let end = "kill -TERM $(pidof dockerd); while pidof dockerd; do sleep 0.01; done";
            drop(pod.in_service(end).expect_success());
        }),
        id: "DAEMON-UNKNOWN",
        fact: "dockerd ended with status 0",
        fix: "CI_DEBUG_SERVICES",
        ..Fault::USUAL
    }
);

fault!(
    too_little_memory,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).service_option("--memory=300m"),
        // Files on a memory volume count as the container's memory, and nothing frees it again: the
        // kernel goes on from dockerd to the next. Where it may, the init takes itself off that
        // list; for machines where it may not, what fills the memory is put before it.
        midway: Some(|pod| {
            let fill = "echo 1000 > /proc/$(pidof dockerd)/oom_score_adj; \
                        echo 900 > /proc/self/oom_score_adj; mount -t tmpfs tmpfs /mnt; \
                        while pidof dockerd; do head -c 2097152 /dev/zero >> /mnt/fill; done";
            drop(pod.in_service(fill));
        }),
        id: "DAEMON-OOM",
        fact: "the memory limit of 300 MiB was used up",
        fix: "KUBERNETES_SERVICE_MEMORY_LIMIT",
        ..Fault::USUAL
    }
);
