//! A dockerd that listens where its user says, which need not be where the job dials.

mod cures;

use std::path::Path;

use self::cures::{HOSTS, UNSET_AND_HOSTS, met};
use super::{Served, may_be_ours, unset};
use crate::{
    dockerd::hosts::{OwnHosts, PLAIN_PORT, SaidBy},
    facts::client::{ClientVariables, DockerHost, Entrypoint},
    reasons::{Finding, Severity, advice::Advice, client, network},
    settings::subject_names::SubjectName,
};

/// What keeps the job's clients from a dockerd that listens on its user's own `hosts`. It stops
/// nothing. `names`: those of this container; `socket_is_shared`: the job has dockerd's unix socket
/// as well.
pub fn findings(
    job: &ClientVariables,
    hosts: &OwnHosts,
    names: &[SubjectName],
    socket_is_shared: bool,
) -> Option<Finding> {
    // Such a dockerd does not start, which `unserved` says.
    if hosts.want_systemd() || !job.in_gitlab {
        return None;
    }
    match &job.docker_host {
        Some(DockerHost::Tcp { text, host, .. }) => {
            let port = job.dialled_port()?;
            if !may_be_ours(names, host, port) {
                return None;
            }
            if hosts.serve_late(port) {
                let (why, advice) = late(hosts);
                let cause = format!("DOCKER_HOST is {text}, but {why}");
                return Some(client::LATE.advised(cause, advice, []));
            }
            if hosts.serve(port) {
                return None;
            }
            let cause = format!("DOCKER_HOST is {text}, but {}.", listens(hosts));
            Some(met(&client::PORT, cause, hosts, &HOSTS))
        }
        None => without_host(job, hosts, names, socket_is_shared),
        _ => None,
    }
}

/// What such a dockerd offers to clients; `None` where it opens no port.
pub fn served(hosts: &OwnHosts, names: Vec<SubjectName>, socket_is_shared: bool) -> Option<Served> {
    let ports = hosts.ports();
    let (port, further_ports) = ports.split_first()?;
    Some(Served {
        tls: hosts.speak_tls,
        port: *port,
        further_ports: further_ports.to_vec(),
        names,
        client_certificates: None,
        unix: hosts.unix_socket().unwrap_or(Path::new("")).to_owned(),
        unix_is_shared: socket_is_shared,
    })
}

/// For a job whose `DOCKER_HOST` nobody set: it is lost, or the docker image's entrypoint sets it to
/// `docker`, with port 2376 where the job has certificates, and else 2375 (docker-library/docker
/// `docker-entrypoint.sh`).
fn without_host(
    job: &ClientVariables,
    hosts: &OwnHosts,
    names: &[SubjectName],
    socket_is_shared: bool,
) -> Option<Finding> {
    if let Some(served) = served(hosts, names.to_vec(), socket_is_shared) {
        let unset = unset::finding(job, Some(&served))?;
        if !hosts.serve_late(served.port) {
            return Some(unset);
        }
        let (why, advice) = late(hosts);
        let cause = format!("{}\nBesides, {why}", unset.cause);
        let finding = client::HOST.advised(cause, advice, []);
        return Some(finding.with_severity(unset.severity));
    }
    // With DOCKER_TLS_VERIFY clients dial their own container.
    let finds_the_socket =
        socket_is_shared && hosts.unix_socket() == Some(Path::new(unset::DEFAULT_SOCKET));
    if finds_the_socket || job.tls_verify.is_some() {
        return None;
    }
    if let Entrypoint::Missing(because) = &job.entrypoint {
        let cause = format!(
            "{}\nBesides, {}.",
            unset::cause(job, because),
            listens(hosts)
        );
        let finding = met(&client::HOST, cause, hosts, &UNSET_AND_HOSTS);
        return Some(finding.with_severity(unset::severity(because)));
    }
    let cause = format!(
        "DOCKER_HOST is not set, so the docker image looks for tcp://docker:{PLAIN_PORT}, and other \
         images for a socket in the job's own container; but {}.",
        listens(hosts)
    );
    Some(met(&client::PORT, cause, hosts, &HOSTS).with_severity(Severity::Warning))
}

/// dockerd ends where it waits for systemd's sockets.
pub fn unserved(hosts: &OwnHosts) -> Option<Finding> {
    let by = match hosts.said_by {
        SaidBy::Command(_) => "the service's command",
        SaidBy::File => "`hosts` in daemon.json",
    };
    hosts.want_systemd().then(|| {
        let cause = format!(
            "{by} says fd://, which is a socket that systemd hands over; there is no systemd in \
             this container, so dockerd ends."
        );
        met(&network::SOCKET, cause, hosts, &HOSTS)
    })
}

/// It serves what the job dials, but not when the job does: why, and what to do.
fn late(hosts: &OwnHosts) -> (String, Advice) {
    let (by, advice) = match hosts.said_by {
        SaidBy::Command(_) => (
            "the service's command starts dockerd itself",
            client::LATE_COMMAND,
        ),
        SaidBy::File => (
            "daemon.json says by `hosts` where dockerd listens",
            client::LATE_FILE,
        ),
    };
    let why = format!(
        "{by}, without a word on TLS: dockerd then waits 15 seconds before it opens this port, and \
         docker commands fail until it does."
    );
    (why, advice)
}

fn listens(hosts: &OwnHosts) -> String {
    let listens = match hosts.hosts.as_slice() {
        [] => "nowhere".to_owned(),
        [one] => format!("on {one} alone"),
        several => format!("on {} alone", several.join(", ")),
    };
    match &hosts.said_by {
        SaidBy::Command(argv) => {
            let words = argv.iter().map(|word| word.to_string_lossy());
            format!(
                "the service's command starts dockerd itself ({}), which then listens {listens}, \
                 and no certificates are made",
                shell_words::join(words)
            )
        }
        SaidBy::File => format!("`hosts` in daemon.json has dockerd listen {listens}"),
    }
}

#[cfg(test)]
mod tests {
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
}
