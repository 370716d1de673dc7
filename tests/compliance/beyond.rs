//! What dind-init does beyond official, by default: what dockerd is started with because of it, that
//! it is said, and the switch. How inner containers fare then, tests/e2e/ shows with a real dockerd.

use std::fs;

use crate::pod::Plan;
use crate::rootless;
use crate::stand_in::{Record, Run, Workbench, log_with};
use crate::subject::{dind, dind_without_variables};
use crate::volume::Volume;

#[test]
fn docker_s_networks_get_the_smaller_mtu_of_the_way_out() {
    let bench = Workbench::new(dind_without_variables());
    bench.shell("ip link set eth0 mtu 1400").expect_success();
    let mtu = |variables: &[(&str, &str)], words: &[&str]| {
        bench.run(variables, words).expect_start().flag("--mtu")
    };
    assert_eq!(mtu(&[], &[]).as_deref(), Some("1400"));
    assert_eq!(mtu(&[("DIND_MTU", "1300")], &[]).as_deref(), Some("1300"));
    assert_eq!(mtu(&[("DIND_MTU", "off")], &[]), None);
    let own = bench.run(&[], &["--mtu=1450"]).expect_start();
    assert_eq!(own.values(&["--mtu"]), ["1450"]);
    said(bench.run(&[], &[]), "NETWORK-MTU");

    // The control: a way out that takes what Docker sends.
    bench.shell("ip link set eth0 mtu 1500").expect_success();
    assert_eq!(mtu(&[], &[]), None);
}

#[test]
fn docker_s_networks_keep_away_from_the_pod_s_own() {
    let bench = Workbench::new(dind_without_variables());
    let pools = |variables: &[(&str, &str)], words: &[&str]| {
        let start = bench.run(variables, words).expect_start();
        start.values(&["--default-address-pool"])
    };
    // The control: a pod elsewhere, and GitLab elsewhere.
    assert_eq!(pools(&[], &[]), [""; 0]);
    assert_eq!(pools(&[("CI_SERVER_HOST", "10.1.2.3")], &[]), [""; 0]);

    let gitlab = ("CI_SERVER_HOST", "172.20.1.2");
    keep_away(&pools(&[gitlab], &[]));
    assert_eq!(
        pools(&[gitlab, ("DIND_ADDRESS_POOLS", "off")], &[]),
        [""; 0]
    );
    let own = "--default-address-pool=base=10.9.0.0/16,size=24";
    assert_eq!(pools(&[gitlab], &[own]), ["base=10.9.0.0/16,size=24"]);
    said(bench.run(&[gitlab], &[]), "note NETWORK-POOL-OVERLAP");

    bench
        .shell("ip address add 172.31.5.6/32 dev eth0")
        .expect_success();
    keep_away(&pools(&[], &[]));
}

/// From the range that Docker takes first; which others are free this machine decides.
#[track_caller]
fn keep_away(pools: &[String]) {
    let in_range = |pool: &String| pool.starts_with("base=172.");
    assert!(
        !pools.is_empty() && !pools.iter().any(in_range),
        "{pools:?}"
    );
}

#[test]
fn name_servers_that_inner_containers_cannot_ask_are_named() {
    let bench = Workbench::new(dind_without_variables());
    bench
        .shell("echo nameserver 127.0.0.53 > /etc/resolv.conf")
        .expect_success();
    said(bench.run(&[], &[]), "warning NETWORK-DNS-LOOPBACK");
    // Whoever has read it.
    said_not(bench.run(&[], &["--dns=10.0.0.2"]), "NETWORK-DNS-LOOPBACK");
    bench
        .shell("echo nameserver 10.0.0.53 > /etc/resolv.conf")
        .expect_success();
    said_not(bench.run(&[], &[]), "NETWORK-DNS-LOOPBACK");
}

/// As a privileged pod of Kubernetes on cgroup v2: dockerd gets a namespace, and others do not.
#[test]
fn dockerd_gets_a_cgroup_namespace_where_the_container_has_none() {
    let namespaces = |plan: Plan| {
        let record = Record::new();
        let pod = plan
            .service_option("--cgroupns=host")
            .stand_in(&record)
            .entrypoint_script("mount -t cgroup2 cgroup /sys/fs/cgroup; exec dockerd-entrypoint.sh")
            .start();
        record.wait_for_start(&pod);
        let outcome = pod
            .in_service(
                // The stand-in is a script: its name is a shell's, or its own.
                "readlink /proc/self/ns/cgroup
                 for process in /proc/[0-9]*; do
                     if tr '\\0' ' ' < $process/cmdline | grep -q '^/bin/sh /usr/local/sbin/dockerd '; then
                         readlink $process/ns/cgroup; break
                     fi
                 done",
            )
            .expect_success();
        let links: Vec<_> = outcome.output().lines().map(str::to_owned).collect();
        assert_eq!(links.len(), 2, "{links:?}");
        (links[0] == links[1], log_with(&pod, "starting dockerd"))
    };
    let (shared, log) = namespaces(dind());
    assert!(
        !shared && log.contains("note CGROUP-HOST-NAMESPACE"),
        "{log}"
    );
    let (shared, log) = namespaces(dind().variable("DIND_CGROUP_NAMESPACE", "off"));
    assert!(shared && log.contains("warning CGROUP-OUTSIDE"), "{log}");
}

/// What would be a flag of ours is none where the file has it, so dockerd finds no conflict.
#[test]
fn what_daemon_json_says_is_no_flag() {
    let json = r#"{
        "mtu": 1300,
        "default-address-pools": [{"base": "10.9.0.0/16", "size": 24}],
        "registry-mirrors": ["https://file.example"]
    }"#;
    let bench = Workbench::new(dind_without_variables().configuration(json));
    bench
        .shell("ip link set eth0 mtu 1400; ip address add 172.31.5.6/32 dev eth0")
        .expect_success();
    let start = bench.run(&[], &[]).expect_start();
    for flag in ["--mtu", "--default-address-pool", "--registry-mirror"] {
        assert_eq!(start.flag(flag), None, "{:?}", start.argv);
    }
    // With one more in a variable the list is completed, in a copy of the file.
    let mirror = ("DIND_REGISTRY_MIRRORS", "https://variable.example");
    let start = bench.run(&[mirror], &[]).expect_start();
    assert_eq!(start.flag("--registry-mirror"), None, "{:?}", start.argv);
    let copy = start.flag("--config-file").unwrap();
    bench
        .shell(&format!("cat {copy}"))
        .expect_success()
        .expect("https://file.example")
        .expect("https://variable.example")
        .expect("1300");
}

#[test]
fn mirrors_and_insecure_registries_come_by_variables_too() {
    let bench = Workbench::new(dind_without_variables());
    let variables = [
        ("DIND_REGISTRY_MIRRORS", "https://mirror.example"),
        ("DIND_INSECURE_REGISTRIES", "insecure.example:5000"),
    ];
    let own = "--registry-mirror=https://flag.example";
    let start = bench.run(&variables, &[own]).expect_start();
    assert_eq!(
        start.values(&["--registry-mirror"]),
        ["https://mirror.example", "https://flag.example"]
    );
    assert_eq!(
        start.values(&["--insecure-registry"]),
        ["insecure.example:5000"]
    );
    let start = bench.run(&[], &[own]).expect_start();
    assert_eq!(
        start.values(&["--registry-mirror", "--insecure-registry"]),
        ["https://flag.example"]
    );
}

/// dockerd takes `vfs` there, and copies each layer whole: that is said before it begins, and
/// what lies in the directory is left as it is.
#[test]
fn a_data_directory_on_overlay_is_named_before_dockerd_starts_and_left_as_it_is() {
    let data = Volume::disk();
    for file in [
        "lower/vfs/dir/layer/file",
        "lower/image/vfs/repositories.json",
    ] {
        let file = data.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "precious").unwrap();
    }
    let record = Record::new();
    let pod = dind()
        .volume(&data, "/data")
        .stand_in_after("echo dockerd begins >&2", &record)
        .entrypoint_script(
            "mkdir /data/upper /data/work; mount -t overlay overlay \
                 -o lowerdir=/data/lower,upperdir=/data/upper,workdir=/data/work /var/lib/docker \
             && exec dockerd-entrypoint.sh",
        )
        .start();
    record.wait_for_start(&pod);
    let log = log_with(&pod, "dockerd begins");
    let at = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text} in {log}"));
    assert!(
        at("warning STORAGE-ON-OVERLAY") < at("dockerd begins"),
        "{log}"
    );
    // The whiteout of a file that was removed would be there, too.
    pod.in_service("cd /var/lib/docker && cat vfs/dir/layer/file image/vfs/repositories.json")
        .expect_success()
        .expect("preciousprecious");
    assert_eq!(fs::read_dir(data.path().join("upper")).unwrap().count(), 0);
}

/// dockerd without root reads its user's own, and the fix that is told has it read root's. All of it
/// is real: rootlesskit, dockerd, and what dockerd says of its configuration.
#[test]
fn a_daemon_json_that_rootless_dockerd_does_not_read_is_said() {
    let told = |change: fn(Plan) -> Plan| {
        let devices = rootless::devices();
        let plan = dind()
            .image(&rootless::image())
            .certs(&Volume::memory())
            .service_option(&format!("--volume={},dev", devices.mount_at("/dev/net")))
            .configuration(r#"{"debug": true}"#);
        let pod = change(plan).start();
        let debug = pod
            .job(
                "until docker version >/dev/null 2>&1; do sleep 0.1; done
                docker info --format 'debug: {{.Debug}}'",
            )
            .expect_success();
        let check = pod.in_service("dind-init check -- || true");
        (
            debug.output().to_owned(),
            check.output().to_owned(),
            pod.service_log(),
        )
    };
    let (debug, check, log) = told(|plan| plan);
    assert!(debug.contains("debug: false"), "{debug}");
    let line = "DIND_DOCKERD_ARGS: \"--config-file=/etc/docker/daemon.json\"";
    for text in [&check, &log] {
        assert!(text.contains("SETTINGS-UNREAD-FILE"), "{text}");
        assert!(text.contains(line), "{text}");
    }
    let cured = |plan: Plan| {
        plan.service_variable("DIND_DOCKERD_ARGS", "--config-file=/etc/docker/daemon.json")
    };
    let (debug, check, log) = told(cured);
    assert!(debug.contains("debug: true"), "{debug}");
    for text in [check, log] {
        assert!(!text.contains("SETTINGS-UNREAD-FILE"), "{text}");
    }
}

#[track_caller]
fn said(run: Run<'_>, text: &str) {
    let output = run.transcript.output().to_owned();
    assert!(output.contains(text), "no {text}\n{output}");
    run.expect_start();
}

#[track_caller]
fn said_not(run: Run<'_>, text: &str) {
    let output = run.transcript.output().to_owned();
    assert!(!output.contains(text), "{text}\n{output}");
    run.expect_start();
}
