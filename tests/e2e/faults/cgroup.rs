//! The control groups are not there, or not to be written.

use super::*;

fault!(
    no_control_groups,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .service_option("--mount=type=tmpfs,destination=/sys/fs/cgroup,ro"),
        id: "CGROUP-NO-DEVICES",
        fact: "nothing is mounted at /sys/fs/cgroup",
        fix: "privileged = true",
        cure: InVain("the pod is privileged already"),
        ..Fault::USUAL
    }
);

fault!(
    read_only_control_groups,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).entrypoint_script(
            "for mount in $(cut -d ' ' -f 5 /proc/self/mountinfo | grep ^/sys/fs/cgroup); do \
                 mount -o remount,bind,ro $mount; \
             done; exec dockerd-entrypoint.sh"
        ),
        job: RUN_BUSYBOX,
        id: "CGROUP-READONLY",
        fact: "ead-only",
        fix: "privileged = true",
        // dockerd answers.
        client: Client::HearsNothing,
        cure: InVain("the pod is privileged already"),
        ..Fault::USUAL
    }
);

fault!(
    the_cgroup_driver_of_a_node,
    [docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod)
            .configuration(r#"{"exec-opts": ["native.cgroupdriver=systemd"]}"#),
        job: RUN_BUSYBOX,
        id: "CGROUP-SYSTEMD-DRIVER",
        fact: "native.cgroupdriver=systemd",
        fix: "`exec-opts` in daemon.json",
        cure: Done(
            "Take native.cgroupdriver=systemd out of `exec-opts` in daemon.json",
            |pod| pod.configuration_replaced(r#"{"exec-opts": []}"#)
        ),
        // dockerd answers.
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

const RUN_BUSYBOX: &str = r#"mkdir -p /tmp/busybox/bin; cp "$(command -v busybox)" /tmp/busybox/bin/sh
    tar -C /tmp/busybox -c . | docker import - busybox
    docker run --rm busybox sh -c true"#;
