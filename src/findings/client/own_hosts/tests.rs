use super::{super::tests::*, *};
use crate::dockerd::configuration::Configuration;

fn by_command(command: &str) -> OwnHosts {
    let argv: Vec<_> = command.split_whitespace().map(Into::into).collect();
    OwnHosts::of_a_command(&argv, &Configuration::default())
}

fn by_file(hosts: &str) -> OwnHosts {
    let json = format!("{{\"hosts\": [{hosts:?}]}}");
    OwnHosts::of_a_file(&Configuration::parse(&json), &[]).unwrap()
}

fn told_of(job: &ClientVariables, hosts: &OwnHosts) -> String {
    findings(job, hosts, &tls().names, false).map_or_else(String::new, |f| f.to_string())
}

#[test]
fn a_command_that_starts_dockerd_is_told_what_it_leaves_out() {
    let text = told_of(&job(TLS), &by_command("dockerd --insecure-registry=r:5000"));
    for part in [
        "CLIENT-PORT",
        "DOCKER_HOST is tcp://docker:2376",
        "listens on unix:///var/run/docker.sock alone",
        "the word `dockerd` out",
        "command: [\"--insecure-registry=r:5000\"]",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let plain = by_command("dockerd -H tcp://0.0.0.0:2375 --tls=false");
    let text = told_of(&job(TLS), &plain);
    assert!(text.contains("Take `command` out"), "{text}");
}

#[test]
fn hosts_in_daemon_json_are_told_what_they_leave_out() {
    let text = told_of(&job(TLS), &by_file("unix:///var/run/docker.sock"));
    for part in [
        "CLIENT-PORT",
        "`hosts` in daemon.json has dockerd listen on unix:///var/run/docker.sock alone",
        "Take `hosts` out of daemon.json",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// What the docker command, or the docker image's entrypoint, dials where `DOCKER_HOST` is not
/// set, beside what such a dockerd serves.
#[test]
fn a_job_without_docker_host_is_told_what_of_both_is_missing() {
    const TLS_LINES: &str = "DOCKER_HOST: tcp://docker:2376";
    const PLAIN_LINES: &str = "DOCKER_HOST: tcp://docker:2375";
    let (unset, with_tls) = (job(&[]), job(&[("DOCKER_TLS_VERIFY", "1")]));
    let pod = in_kubernetes(unset.clone());
    let entrypoint = ClientVariables {
        entrypoint: Entrypoint::Runs {
            finds_a_service: true,
        },
        ..unset.clone()
    };
    let plain = "dockerd -H tcp://0.0.0.0:2375 --tls=false";
    let by_flags = "dockerd --debug";
    for (job, command, parts, never) in [
        // Only the variable is missing.
        (
            &pod,
            plain,
            &["CLIENT-HOST", "not among", PLAIN_LINES][..],
            "`command`",
        ),
        (
            &pod,
            "dockerd -H tcp://0.0.0.0:2376 --tlsverify",
            &["CLIENT-HOST", TLS_LINES],
            "`command`",
        ),
        // The variable, and a port that is there in time.
        (
            &pod,
            "dockerd -H tcp://0.0.0.0:2375",
            &[
                "CLIENT-HOST",
                "not among",
                "waits 15 seconds",
                "out of `command`",
                PLAIN_LINES,
            ],
            "CLIENT-PORT",
        ),
        // The variable, and any port at all.
        (
            &pod,
            "dockerd",
            &[
                "CLIENT-HOST",
                "not among",
                "starts dockerd itself",
                "Take `command`",
                TLS_LINES,
            ],
            "CLIENT-PORT",
        ),
        (
            &pod,
            by_flags,
            &["CLIENT-HOST", "command: [\"--debug\"]", TLS_LINES],
            "CLIENT-PORT",
        ),
        // With the Docker executor docker's image dials 2375, whatever is served.
        (
            &unset,
            "dockerd",
            &["CLIENT-PORT", "docker:2375"],
            "not among",
        ),
        (
            &entrypoint,
            by_flags,
            &["CLIENT-PORT", "command: [\"--debug\"]"],
            "not among",
        ),
        (&unset, plain, &[], "CLIENT"),
        (&unset, "dockerd -H tcp://0.0.0.0:2375", &[], "CLIENT"),
        (&entrypoint, plain, &[], "CLIENT"),
        // It dials a port of its own container.
        (&with_tls, "dockerd", &[], "CLIENT"),
    ] {
        let text = told_of(job, &by_command(command));
        for part in parts {
            assert!(text.contains(part), "{command}: {part} in {text}");
        }
        assert!(!text.contains(never), "{command}: {never} in {text}");
    }
    for command in [
        "dockerd",
        "dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:2375 --tls=false",
    ] {
        let shared = findings(&pod, &by_command(command), &tls().names, true);
        assert_eq!(shared, None, "{command}");
    }
    let by_file = told_of(&pod, &by_file("unix:///var/run/docker.sock"));
    assert!(by_file.contains("`hosts` out of daemon.json"), "{by_file}");
    assert!(by_file.contains(TLS_LINES), "{by_file}");
}

#[test]
fn a_port_that_opens_after_the_job_has_begun_is_told() {
    let plain = job(&[("DOCKER_HOST", "tcp://docker:2375")]);
    for (hosts, fix) in [
        (
            by_command("dockerd -H tcp://0.0.0.0:2375"),
            "out of `command`",
        ),
        (by_file("tcp://0.0.0.0:2375"), "`hosts` out of daemon.json"),
    ] {
        let text = told_of(&plain, &hosts);
        for part in ["CLIENT-LATE-PORT", "waits 15 seconds", fix] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[test]
fn what_serves_the_job_is_right() {
    let plain = job(&[("DOCKER_HOST", "tcp://docker:2375")]);
    let elsewhere = job(&[("DOCKER_HOST", "tcp://buildfarm:4243")]);
    let nobody_s = ClientVariables {
        in_gitlab: false,
        ..job(TLS)
    };
    for (job, hosts) in [
        (
            &plain,
            by_command("dockerd -H tcp://0.0.0.0:2375 --tls=false"),
        ),
        (&plain, by_command("dockerd -H tcp://127.0.0.1:2375")),
        (&elsewhere, by_command("dockerd")),
        // It is late on a port of that number, and nobody of this job waits for it.
        (&elsewhere, by_command("dockerd -H tcp://0.0.0.0:4243")),
        (&nobody_s, by_command("dockerd")),
        (&job(&[("DOCKER_HOST", "unix:///s")]), by_command("dockerd")),
    ] {
        assert_eq!(told_of(job, &hosts), "", "{job:?}");
    }
}

#[test]
fn systemd_s_sockets_are_nobody_s_here_and_that_is_all_that_is_said() {
    let hosts = by_file("fd://");
    let text = unserved(&hosts).unwrap().to_string();
    assert!(text.contains("Take `hosts` out of daemon.json"), "{text}");
    assert_eq!(told_of(&job(TLS), &hosts), "");
    assert_eq!(unserved(&by_command("dockerd")), None);
    let text = unserved(&by_command("dockerd -H fd://")).unwrap().cause;
    assert!(text.contains("the service's command says fd://"), "{text}");
}
