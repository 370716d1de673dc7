//! The service may not do what dockerd has to.

use super::*;
use crate::pods::files::DEBIAN;

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

/// The volume is known to be missing long before the privileges are, and matters less.
#[test]
fn what_is_fatal_is_read_before_what_was_found_first() {
    let log = RunnerLog::new();
    let pod = Pod::new(Suite::Trixie)
        .unprivileged()
        .gitlab_job(&Volume::disk())
        .runner_log(&log)
        .start();
    wait_for(&log, "CERTS-UNSHARED");
    let told = log.text().unwrap();
    let at = |part: &str| told.find(part).unwrap();
    assert!(
        at("fatal NOT-PRIVILEGED") < at("error CERTS-UNSHARED"),
        "{told}"
    );
    assert_eq!(told.matches("(ignore this").count(), 1, "{told}");
    let service = pod.service_log();
    let at = |part: &str| service.find(part).unwrap();
    assert!(
        at("CERTS-UNSHARED") < at("NOT-PRIVILEGED"),
        "the control: found first\n{service}"
    );
}

fault!(
    a_command_that_starts_dockerd_itself_without_privileges,
    [docker_26],
    Fault {
        pod: |pod| pod
            .plain()
            .unprivileged()
            .command(&["dockerd", "--host=tcp://0.0.0.0:2375"]),
        job: INFO_WHEN_ANSWERED,
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
        check: Check::CannotKnow,
        cure: InVain("the capability is taken from a privileged pod"),
        ..Fault::USUAL
    }
);

fault!(
    a_service_without_sys_admin,
    [docker_26, docker_28],
    Fault {
        pod: |pod| without_capability(with_certs(pod), "sys_admin"),
        id: "NOT-PRIVILEGED",
        fact: "CAP_SYS_ADMIN",
        fix: "privileged = true",
        check: Check::CannotKnow,
        cure: InVain("the capability is taken from a privileged pod"),
        ..Fault::USUAL
    }
);

fault!(
    a_service_that_may_not_raise_limits,
    [docker_26],
    Fault {
        pod: |pod| without_capability(with_certs(pod), "sys_resource"),
        job: JOB_WITH_A_LIMIT,
        id: "PRIVILEGE-RLIMIT",
        fact: "error setting rlimit type",
        fix: "--default-ulimit",
        // dockerd answers.
        client: Client::HearsNothing,
        check: Check::CannotKnow,
        cure: InVain("the job asks for this limit itself"),
        ..Fault::USUAL
    }
);

fault!(
    a_user_without_rootlesskit,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod)
            .service_option("--user=1000:1000")
            .service_variable("HOME", "/tmp")
            .service_variable("XDG_RUNTIME_DIR", "/tmp"),
        id: "PRIVILEGE-ROOTLESS-KIT",
        fact: "rootlesskit",
        fix: "root",
        cure: OutOfReach("the user is an option of the pod"),
        ..Fault::USUAL
    }
);

fault!(
    a_user_without_a_tap_device,
    [docker_26],
    Fault {
        pod: |pod| in_rootless_image(pod, "rm -f /dev/net/tun"),
        id: "PRIVILEGE-ROOTLESS-TUN",
        fact: "/dev/net/tun: No such file",
        fix: "modprobe tun",
        check: Check::CannotKnow,
        cure: OutOfReach("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

fault!(
    a_user_who_may_not_use_the_tap_device,
    [docker_26],
    Fault {
        pod: |pod| in_rootless_image(
            pod,
            "mkdir -p /dev/net; rm -f /dev/net/tun; mknod -m 600 /dev/net/tun c 10 200"
        ),
        id: "PRIVILEGE-ROOTLESS-TUN",
        fact: "/dev/net/tun: Permission denied",
        fix: "modprobe tun",
        check: Check::CannotKnow,
        cure: OutOfReach("the fault is made by a stand-in, which stays"),
        ..Fault::USUAL
    }
);

/// An image that holds what rootless dockerd needs, after `change`, as its user. The programs are
/// stand-ins: none of them is reached.
fn in_rootless_image(pod: Plan, change: &str) -> Plan {
    with_certs(pod)
        .service_variable("HOME", "/tmp")
        .service_variable("XDG_RUNTIME_DIR", "/tmp")
        .debian_program("setpriv")
        .entrypoint_script(&format!(
            "for program in rootlesskit newuidmap newgidmap slirp4netns; do \
                 ln -sf /bin/false /usr/local/bin/$program; done; \
             echo 1000:100000:65536 | tee /etc/subuid > /etc/subgid; {change}; \
             exec {DEBIAN}/setpriv --reuid=1000 --regid=1000 --clear-groups dockerd-entrypoint.sh"
        ))
}

const JOB_WITH_A_LIMIT: &str = r#"mkdir -p /tmp/busybox/bin; cp "$(command -v busybox)" /tmp/busybox/bin/sh
    tar -C /tmp/busybox -c . | docker import - busybox
    docker run --rm --ulimit nofile=2000000:2000000 busybox sh -c true"#;

/// podman gives a privileged container all capabilities; this takes one away.
fn without_capability(pod: Plan, capability: &str) -> Plan {
    pod.debian_program("setpriv").entrypoint_script(&format!(
        "exec {DEBIAN}/setpriv --bounding-set -{capability} dockerd-entrypoint.sh"
    ))
}
