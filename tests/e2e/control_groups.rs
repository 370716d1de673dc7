//! Inner containers stay in the service's own control group, whatever of the node's it sees.

use std::collections::BTreeMap;

use crate::busybox::IMPORT_BUSYBOX;
use crate::pod::{Plan, Pod};
use crate::suite::Suite;

/// What a privileged Kubernetes pod sees on cgroup v2. (On a node with v1, this is the v2 tree that
/// systemd has beside it, in which podman has a group for each container, too.)
const WHOLE_TREE_OF_V2: &str = "mount -t cgroup2 cgroup /sys/fs/cgroup";

/// What a pod has with the node's /sys/fs/cgroup as a volume, on v1.
const WHOLE_TREES_OF_V1: &str = r#"
    grep " - cgroup " /proc/self/mountinfo | while read -r _ _ _ _ point rest; do
        umount "$point"; mount -t cgroup -o "${rest##* rw,}" cgroup "$point"
    done"#;

#[test]
fn where_a_pod_sees_the_whole_v2_tree_inner_containers_are_below_its_own_group() {
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let pod = in_the_node_s_namespace(Pod::new(suite), WHOLE_TREE_OF_V2).start();
        let (own, inner) = groups(&pod);
        let inner = &inner[V2];
        let below_own = format!("{}/docker/", own[V2].trim_end_matches("/init"));
        assert!(inner.starts_with(&below_own), "{inner} in {own:?}");
        let log = pod.service_log();
        assert!(log.contains("note CGROUP-HOST-NAMESPACE"), "{log}");
        // The node's own processes stay where they are, and whoever looks in sees the same mounts.
        pod.in_service(&format!(
            "mkdir /tmp/node && mount -t cgroup2 cgroup /tmp/node && ! [ -e /tmp/node/init ] && \
             [ -d /sys/fs/cgroup/docker ] && grep -q {} /sys/fs/cgroup/init/cgroup.procs && \
             grep -q ' /var/lib/docker/' /proc/self/mountinfo",
            "'^1$'"
        ))
        .expect_success();
    }
}

/// A service that is started twice in one container: the first has moved all processes, and its
/// mount is still there.
#[test]
fn a_second_start_in_the_same_container_finds_its_place_as_well() {
    let prepare = format!("{WHOLE_TREE_OF_V2}; dockerd-entrypoint.sh");
    let pod = in_the_node_s_namespace(Pod::new(Suite::Trixie), &prepare).start();
    groups(&pod);
    pod.job("docker rm --force inner").expect_success();
    pod.in_service("kill -TERM $(pidof dockerd-entrypoint.sh); until [ \"$(cat /proc/1/comm)\" != sh ]; do sleep 0.1; done")
        .expect_success();
    let (own, inner) = groups(&pod);
    let below_own = format!("{}/docker/", own[V2].trim_end_matches("/init"));
    let below_first = inner[V2].replace("/init/docker/", "/docker/");
    assert!(below_first.starts_with(&below_own), "{inner:?} in {own:?}");
    pod.job("docker stats --no-stream --format 'pids: {{.PIDs}}' inner")
        .expect_success();
}

/// The control, and the switch: without a namespace inner containers are in the node's root.
#[test]
fn dind_cgroup_namespace_off_leaves_the_v2_tree_as_it_is() {
    let pod = in_the_node_s_namespace(Pod::new(Suite::Trixie), WHOLE_TREE_OF_V2)
        .variable("DIND_CGROUP_NAMESPACE", "off")
        .start();
    let (_, inner) = groups(&pod);
    assert!(inner[V2].starts_with("/docker/"), "{inner:?}");
    let log = pod.service_log();
    assert!(log.contains("warning CGROUP-OUTSIDE"), "{log}");
    assert!(log.contains("DIND_CGROUP_NAMESPACE=off"), "{log}");
}

#[test]
fn a_pod_of_v1_keeps_its_inner_containers_and_its_limits() {
    if !has_v1() {
        return;
    }
    let pod = with_little_memory(in_the_node_s_namespace(Pod::new(Suite::Trixie), ":")).start();
    expect_below_own(&pod);
    pod.job(USE_MORE_MEMORY).expect_status(KILLED);
    let log = pod.service_log();
    assert!(!log.contains("CGROUP-"), "{log}");
}

#[test]
fn where_a_pod_sees_the_whole_v1_trees_its_limits_hold_for_inner_containers() {
    if !has_v1() {
        return;
    }
    for suite in [Suite::Bookworm, Suite::Trixie, Suite::Sid] {
        let plan = in_the_node_s_namespace(Pod::new(suite), WHOLE_TREES_OF_V1);
        let pod = with_little_memory(plan).start();
        expect_below_own(&pod);
        pod.job(USE_MORE_MEMORY).expect_status(KILLED);
        let log = pod.service_log();
        assert!(log.contains("note CGROUP-HOST-NAMESPACE"), "{log}");
    }
}

/// The control, and the switch: inner containers escape the limit.
#[test]
fn dind_cgroup_namespace_off_leaves_the_v1_trees_as_they_are() {
    if !has_v1() {
        return;
    }
    let plan = in_the_node_s_namespace(Pod::new(Suite::Trixie), WHOLE_TREES_OF_V1);
    let pod = with_little_memory(plan)
        .variable("DIND_CGROUP_NAMESPACE", "off")
        .start();
    let (_, inner) = groups(&pod);
    assert!(inner["memory"].starts_with("/docker/"), "{inner:?}");
    pod.job(USE_MORE_MEMORY).expect_success();
    let log = pod.service_log();
    assert!(log.contains("warning CGROUP-OUTSIDE"), "{log}");
}

const V2: &str = "";

/// Of a process that the kernel ended by SIGKILL.
const KILLED: i32 = 137;

const USE_MORE_MEMORY: &str =
    "docker run --rm busybox busybox dd if=/dev/zero of=/dev/null bs=400M count=1";

fn with_little_memory(plan: Plan) -> Plan {
    plan.service_option("--memory=256m")
        .service_option("--memory-swap=256m")
}

/// Like a privileged container of Kubernetes, which has no cgroup namespace of its own.
fn in_the_node_s_namespace(plan: Plan, prepare: &str) -> Plan {
    plan.plain()
        .service_option("--cgroupns=host")
        .entrypoint_script(&format!("{prepare}; exec dockerd-entrypoint.sh"))
}

fn has_v1() -> bool {
    std::fs::read_to_string("/proc/self/mountinfo")
        .unwrap()
        .contains(" - cgroup ")
}

fn expect_below_own(pod: &Pod) {
    let (own, inner) = groups(pod);
    for tree in ["memory", "pids", "devices"] {
        let below_own = format!("{}/docker/", own[tree]);
        assert!(inner[tree].starts_with(&below_own), "{inner:?} in {own:?}");
    }
}

/// A group for each tree: those of the service's first process, and of a container inside, as the
/// node knows them.
fn groups(pod: &Pod) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}\ndocker run --detach --name inner busybox sleep 1000"
    ))
    .expect_success();
    let of = |process: &str| {
        let outcome = pod.in_service(&format!("cat /proc/{process}/cgroup"));
        let outcome = outcome.expect_success();
        let lines = outcome.output().lines().map(|line| {
            let mut fields = line.splitn(3, ':').skip(1).map(str::to_owned);
            (fields.next().unwrap(), fields.next().unwrap())
        });
        lines.collect()
    };
    let inner = "$(docker --host unix:///run/docker.sock inspect --format '{{.State.Pid}}' inner)";
    (of("1"), of(inner))
}
