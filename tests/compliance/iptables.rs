//! Which iptables dockerd gets: that of nftables, or the legacy one in
//! `/usr/local/sbin/.iptables-legacy`, which comes first in its `PATH` then.

use crate::pod::Plan;
use crate::stand_in::Workbench;
use crate::subject::{dind, dind_without_variables};

const LEGACY: &str = "/usr/local/sbin/.iptables-legacy";

/// In iptables' place: works, and says which it is.
const NFT: &str = "echo 'iptables v1.8.11 (nf_tables)'";
/// The same for a kernel without nftables: only the version is told.
const NO_NFT: &str = "echo 'iptables v1.8.11 (nf_tables)'; [ \"$1\" = --version ]";
const LEGACY_WORKS: &str = "echo 'iptables v1.8.11 (legacy)'";
const LEGACY_FAILS: &str = "echo 'iptables v1.8.11 (legacy)'; [ \"$1\" = --version ]";

/// Official (entrypoint): `DOCKER_IPTABLES_LEGACY` decides where it is set: to something for
/// legacy, to nothing for nftables. Unset, nftables comes first, and legacy where only that works.
/// The version that was chosen is printed.
#[test]
fn the_choice_is_official_s() {
    let set = |value| vec![("DOCKER_IPTABLES_LEGACY", value)];
    for (nft, legacy, cases) in [
        (
            NFT,
            LEGACY_WORKS,
            [(vec![], false), (set("1"), true), (set(""), false)],
        ),
        (
            NO_NFT,
            LEGACY_WORKS,
            [(vec![], true), (set("1"), true), (set(""), false)],
        ),
        (
            NFT,
            LEGACY_FAILS,
            [(vec![], false), (set("1"), true), (set(""), false)],
        ),
    ] {
        let bench = bench(nft, legacy);
        for (variables, is_legacy) in cases {
            let run = bench.run(&variables, &["--iptables=false"]);
            let log = run.transcript.output().to_owned();
            let start = run.expect_start();
            let path = start.variable("PATH").unwrap();
            assert_eq!(path.starts_with(LEGACY), is_legacy, "{variables:?}: {path}");
            let version = if is_legacy { "(legacy)" } else { "(nf_tables)" };
            assert!(log.contains(version), "{version} is not in {log}");
        }
    }
}

/// Official (entrypoint): rules that somebody made with the legacy iptables in this network mean
/// legacy, although nftables works; the user's word comes before that.
#[test]
fn legacy_rules_that_are_there_mean_legacy() {
    let bench = bench(NFT, LEGACY_WORKS);
    let before = bench.run(&[], &["--iptables=false"]).expect_start();
    assert!(!before.variable("PATH").unwrap().starts_with(LEGACY));
    bench
        .shell("iptables-legacy -nL && cat /proc/net/ip_tables_names")
        .expect_success()
        .expect("filter");
    let after = bench.run(&[], &["--iptables=false"]).expect_start();
    assert!(after.variable("PATH").unwrap().starts_with(LEGACY));
    let nft = [("DOCKER_IPTABLES_LEGACY", "")];
    let wish = bench.run(&nft, &["--iptables=false"]).expect_start();
    assert!(!wish.variable("PATH").unwrap().starts_with(LEGACY));
}

/// Official (entrypoint): nftables that cannot list its tables mean legacy. Where there is no table,
/// it is enough that dockerd's rules can be made: nothing is listed then.
#[test]
fn a_table_that_cannot_be_listed_means_legacy() {
    let bench = bench(NO_NFT, LEGACY_WORKS);
    let is_legacy = || {
        let start = bench.run(&[], &[]).expect_start();
        start.variable("PATH").unwrap().starts_with(LEGACY)
    };
    assert!(!is_legacy());
    bench.shell("iptables-nft -N SOMEBODY-S").expect_success();
    assert!(is_legacy());
}

/// Official (entrypoint): the modules are asked for by modprobe, and it is no matter that there is
/// none, or that it fails.
#[test]
fn modprobe_may_be_absent_or_fail() {
    let bench = bench(NO_NFT, LEGACY_WORKS);
    bench
        // `command -v` may name an applet of the shell's own.
        .shell("! which modprobe || rm \"$(which modprobe)\"")
        .expect_success();
    for variables in [&[][..], &[("DOCKER_IPTABLES_LEGACY", "1")]] {
        bench.run(variables, &["--iptables=false"]).expect_start();
    }
    bench
        .shell("printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/modprobe; chmod +x /usr/local/bin/modprobe")
        .expect_success();
    bench.run(&[], &["--iptables=false"]).expect_start();
}

/// Official (entrypoint): the same with a real dockerd: its rules are where the choice says.
#[test]
fn dockerd_s_rules_are_legacy_ones_where_that_was_chosen() {
    let pod = dind()
        .plain()
        .variable("DOCKER_IPTABLES_LEGACY", "1")
        .entrypoint_script(&format!(
            "mkdir -p {LEGACY}; for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
                 [ -e {LEGACY}/$name ] || ln -s \"$(command -v ${{name%%-*}}-legacy${{name#${{name%%-*}}}})\" {LEGACY}/$name
             done; exec dockerd-entrypoint.sh"
        ))
        .start();
    pod.job("docker version").expect_success();
    pod.in_service("iptables-legacy -t nat -nL DOCKER; ! iptables-nft -t nat -nL DOCKER")
        .expect_success();
    pod.in_service(&format!(
        "tr '\\0' '\\n' < /proc/$(pidof dockerd)/environ | grep ^PATH={LEGACY}:"
    ))
    .expect_success();
    drop(pod);
    // The control: left alone, they are not.
    let pod = dind().plain().start();
    pod.job("docker version").expect_success();
    pod.in_service("iptables -t nat -nL DOCKER; ! iptables-legacy -t nat -nL DOCKER")
        .expect_success();
}

fn bench(nft: &str, legacy: &str) -> Workbench {
    let plan: Plan = dind_without_variables()
        .variable("DOCKER_TLS_CERTDIR", "")
        .program("/usr/local/sbin/iptables", nft);
    let bench = Workbench::new(plan);
    // Written there, since what is mounted below a directory hides nothing of it.
    bench
        .shell(&format!(
            "mkdir -p {LEGACY}; rm -f {LEGACY}/iptables
             printf '%s\\n' '#!/bin/sh' '{}' > {LEGACY}/iptables; chmod +x {LEGACY}/iptables",
            legacy.replace('\'', "'\\''")
        ))
        .expect_success();
    bench
}
