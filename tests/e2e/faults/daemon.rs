//! dockerd itself does not start, or does not stay.

use super::*;

fault!(
    a_flag_that_dockerd_does_not_know,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).command(&["--mtuu=1400"]),
        id: "DAEMON-FLAG",
        fact: "unknown flag: --mtuu",
        fix: "command: [\"--mtu=1400\"]",
        ..Fault::USUAL
    }
);

fault!(
    an_insecure_registry_whose_variable_nobody_set,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).command(&["--insecure-registry="]),
        id: "DAEMON-FLAG",
        fact: "insecure-registry in dockerd's flags is \"\": it is empty",
        fix: "--insecure-registry=registry.example.com:5000",
        ..Fault::USUAL
    }
);

fault!(
    an_insecure_registry_with_a_path_in_daemon_json,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .configuration(r#"{"insecure-registries": ["registry.test:5000/group"]}"#),
        id: "DAEMON-CONFIG",
        fact: "insecure-registries in daemon.json is \"registry.test:5000/group\": it has a path",
        fix: "\"insecure-registries\": [\"registry.test:5000\"]",
        ..Fault::USUAL
    }
);

fault!(
    a_mirror_without_its_scheme,
    [docker_28],
    Fault {
        pod: |pod| with_certs(pod).command(&["--registry-mirror=mirror.test:5000"]),
        id: "DAEMON-FLAG",
        fact: "registry-mirror in dockerd's flags is \"mirror.test:5000\"",
        fix: "--registry-mirror=https://mirror.test:5000",
        ..Fault::USUAL
    }
);

fault!(
    a_mirror_with_a_path_for_a_docker_that_takes_none,
    [docker_20],
    Fault {
        pod: |pod| with_certs(pod)
            .variable("DIND_REGISTRY_MIRRORS", "https://mirror.test/docker-hub/"),
        id: "SETTINGS-INVALID",
        fact: "has a path, which Docker takes from version 24 on",
        fix: "DIND_REGISTRY_MIRRORS: https://mirror.test",
        ..Fault::USUAL
    }
);

/// The control: newer ones take it.
#[test]
fn a_mirror_with_a_path_is_passed_on() {
    for suite in [Suite::Trixie, Suite::Sid] {
        let pod = with_certs(Pod::new(suite))
            .variable("DIND_REGISTRY_MIRRORS", "https://mirror.test/docker-hub/")
            .start();
        pod.job("docker info --format '{{.RegistryConfig.Mirrors}}'")
            .expect_success()
            .expect("[https://mirror.test/docker-hub/]");
    }
}

fault!(
    an_image_without_containerd,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .entrypoint_script("rm $(command -v containerd); exec dockerd-entrypoint.sh"),
        id: "DAEMON-MISSING",
        fact: "no program containerd is in dockerd's PATH",
        fix: "docker:dind",
        cure: OutOfReach("it takes another image"),
        ..Fault::USUAL
    }
);

fault!(
    nftables_without_its_program,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .instead_of("dockerd", &storage::calling_itself("29.7.2"))
            .command(&["--firewall-backend=nftables"]),
        id: "DAEMON-NFTABLES",
        fact: "no program nft is in dockerd's PATH",
        fix: "Take firewall-backend out",
        cure: Done(
            "Take firewall-backend out of DIND_DOCKERD_ARGS and the service's `command`",
            |pod| pod.command(&[])
        ),
        ..Fault::USUAL
    }
);

fault!(
    an_oldest_api_that_is_too_new,
    [docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).variable("DOCKER_MIN_API_VERSION", "1.99"),
        id: "DAEMON-MIN-API-VERSION",
        fact: "1.99",
        fix: "DOCKER_MIN_API_VERSION",
        ..Fault::USUAL
    }
);

fault!(
    tls_of_the_clients_for_a_command_of_the_service_s_own,
    [docker_26, docker_28],
    Fault {
        pod: |pod| pod
            .plain()
            .service_variable("DOCKER_TLS_VERIFY", "1")
            .command(&["dockerd", "--host=tcp://0.0.0.0:2375", "--tls=false"]),
        job: INFO_WHEN_ANSWERED,
        id: "CERTS-NOT-NAMED",
        fact: "X509 key pair",
        fix: "Take the word `dockerd` out",
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
        cure: OutOfReach("whoever wrote the file has to correct it"),
        ..Fault::USUAL
    }
);

fault!(
    a_daemon_json_with_an_unknown_key,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).configuration("{\"mtuu\": 1400}"),
        id: "DAEMON-CONFIG",
        fact: "mtuu",
        fix: "daemon.json",
        check: Check::FindsFromDocker23,
        cure: OutOfReach("whoever wrote the file has to correct it"),
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
        fix: "Use an image that holds Docker whole",
        cure: OutOfReach("it takes another image"),
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
        cure: OutOfReach("it takes another image"),
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
        check: Check::CannotKnow,
        cure: InVain("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

fault!(
    a_dockerd_that_does_not_get_ready,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .variable("DIND_START_TIMEOUT", "2")
            .instead_of(
                "dockerd",
                "echo 'waiting for the moon' >&2; sleep 5; exec \"$original\" \"$@\""
            ),
        id: "DAEMON-TIMEOUT",
        fact: "dockerd is not ready after 2 s. Its last words:\n    waiting for the moon",
        fix: "DIND_START_TIMEOUT: 180",
        check: Check::CannotKnow,
        ..Fault::USUAL
    }
);

// However much it says: after three times the timeout that is explained as well.
fault!(
    a_dockerd_that_goes_on_talking_and_does_not_get_ready,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .variable("DIND_START_TIMEOUT", "1")
            .instead_of(
                "dockerd",
                "for second in 1 2 3 4 5 6 7; do echo 'waiting for the moon' >&2; sleep 0.9; done
                 exec \"$original\" \"$@\""
            ),
        id: "DAEMON-TIMEOUT",
        fact: "dockerd is not ready after 3 s.",
        fix: "DIND_START_TIMEOUT: 180",
        check: Check::CannotKnow,
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
        check: Check::CannotKnow,
        cure: InVain("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

/// Out of memory, mostly.
pub const KILLED_IN_MID_JOB: Fault = Fault {
    pod: with_certs,
    midway: Some(|pod| {
        drop(
            pod.in_service("kill -KILL $(pidof dockerd)")
                .expect_success(),
        )
    }),
    id: "DAEMON-KILLED",
    fact: "dockerd was ended by SIGKILL",
    fix: "KUBERNETES_SERVICE_MEMORY_REQUEST",
    cure: InVain("it would be ended again"),
    ..Fault::USUAL
};

fault!(
    a_dockerd_that_is_killed_in_mid_job,
    [docker_20, docker_26, docker_28],
    KILLED_IN_MID_JOB
);

fault!(
    a_dockerd_that_is_asked_to_end_in_mid_job,
    [docker_26],
    Fault {
        pod: with_certs,
        midway: Some(|pod| {
            let end = "kill -TERM $(pidof dockerd); while pidof dockerd; do sleep 0.01; done";
            drop(pod.in_service(end).expect_success());
        }),
        id: "DAEMON-UNKNOWN",
        fact: "dockerd ended with status 0",
        fix: "CI_DEBUG_SERVICES",
        cure: InVain("it would be ended again"),
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
        cure: InVain("memory is filled until there is none, however much there is"),
        ..Fault::USUAL
    }
);
