//! The service may not do what dockerd has to.

use super::*;

fault!(
    a_service_that_is_not_privileged,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| with_certs(pod).unprivileged(),
        id: "NOT-PRIVILEGED",
        fact: "CAP_SYS_ADMIN",
        fix: "privileged = true",
        ..Fault::USUAL
    }
);

fault!(
    a_service_without_net_admin,
    [docker_26],
    Fault {
        pod: |pod| without_capability(with_certs(pod), "net_admin"),
        id: "NOT-PRIVILEGED",
        fact: "CAP_NET_ADMIN is missing",
        fix: "privileged = true",
        ..Fault::USUAL
    }
);

fault!(
    a_service_without_sys_admin,
    [docker_26, docker_28],
    Fault {
        pod: |pod| without_capability(pod.plain(), "sys_admin"),
        id: "NOT-PRIVILEGED",
        fact: "CAP_SYS_ADMIN",
        fix: "privileged = true",
        ..Fault::USUAL
    }
);

fault!(
    a_service_that_may_not_raise_limits,
    [docker_26],
    Fault {
        pod: |pod| without_capability(pod.plain(), "sys_resource"),
        job: JOB_WITH_A_LIMIT,
        id: "PRIVILEGE-RLIMIT",
        fact: "error setting rlimit type",
        fix: "--default-ulimit",
        // dockerd answers.
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    a_user_without_rootlesskit,
    [docker_26],
    Fault {
        pod: |pod| pod
            .plain()
            .service_option("--user=1000:1000")
            .service_variable("HOME", "/tmp")
            .service_variable("XDG_RUNTIME_DIR", "/tmp"),
        id: "PRIVILEGE-ROOTLESS",
        fact: "rootlesskit",
        fix: "root",
        ..Fault::USUAL
    }
);

const JOB_WITH_A_LIMIT: &str = r#"mkdir -p /tmp/busybox/bin; cp "$(command -v busybox)" /tmp/busybox/bin/sh
    tar -C /tmp/busybox -c . | docker import - busybox
    docker run --rm --ulimit nofile=2000000:2000000 busybox sh -c true"#;

/// podman gives a privileged container all capabilities; this takes one away.
fn without_capability(pod: Plan, capability: &str) -> Plan {
    pod.entrypoint_script(&format!(
        "exec setpriv --bounding-set -{capability} dockerd-entrypoint.sh"
    ))
}
