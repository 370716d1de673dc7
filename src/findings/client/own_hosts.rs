//! A dockerd that listens where its user says, which need not be where the job dials.

use std::ffi::OsString;

use super::{may_be_ours, unset};
use crate::{
    dockerd::{
        flags::Flags,
        hosts::{OwnHosts, SaidBy},
    },
    facts::client::{ClientVariables, DockerHost},
    reasons::{Finding, Reason, client, hole::Hole, network},
    settings::subject_names::SubjectName,
};

/// What keeps the job's clients from a dockerd that listens on its user's own `hosts`. It stops
/// nothing. `names`: those of this container.
pub fn findings(job: &ClientVariables, hosts: &OwnHosts, names: &[SubjectName]) -> Option<Finding> {
    // Such a dockerd does not start, which `unserved` says.
    if hosts.want_systemd() || !job.in_gitlab {
        return None;
    }
    let cause = match &job.docker_host {
        Some(DockerHost::Tcp { text, host, .. }) => {
            let port = job.dialled_port()?;
            if !may_be_ours(names, host, port) {
                return None;
            }
            if hosts.serve_late(port) {
                return Some(late(text, hosts));
            }
            if hosts.serve(port) {
                return None;
            }
            format!("DOCKER_HOST is {text}, but {}.", listens(hosts))
        }
        None => {
            let unset = unset::finding(job, None)?;
            format!("{}\nBesides, {}.", unset.cause, listens(hosts))
        }
        _ => return None,
    };
    Some(met(&client::PORT, cause, hosts))
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
        met(&network::SOCKET, cause, hosts)
    })
}

/// It serves what the job dials, but not when the job does.
fn late(text: &str, hosts: &OwnHosts) -> Finding {
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
    let cause = format!(
        "DOCKER_HOST is {text}, but {by}, without a word on TLS: dockerd then waits 15 seconds \
         before it opens this port, and docker commands fail until it does."
    );
    client::LATE.advised(cause, advice, [])
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

/// `reason`, with what to change: the file or the command that says so.
fn met(reason: &'static Reason, cause: String, hosts: &OwnHosts) -> Finding {
    let SaidBy::Command(argv) = &hosts.said_by else {
        return reason.advised(cause, client::HOSTS_OF_A_FILE, []);
    };
    let rest = without_hosts(argv);
    if rest.is_empty() {
        return reason.advised(cause, client::HOSTS_OF_A_COMMAND, []);
    }
    let rest = serde_json::to_string(&rest).unwrap_or_default();
    let corrected = (Hole::Corrected, format!("command: {rest}"));
    reason.advised(cause, client::HOSTS_OF_A_COMMAND_WITH_FLAGS, [corrected])
}

/// The command's flags but for where it listens, and whether with TLS.
fn without_hosts(argv: &[OsString]) -> Vec<String> {
    let flags = Flags::parse(argv);
    let words = flags.others.iter().skip(1);
    let words = words.map(|word| word.to_string_lossy().into_owned());
    words.filter(|word| !word.starts_with("--tls")).collect()
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
        findings(job, hosts, &tls().names).map_or_else(String::new, |f| f.to_string())
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

    #[test]
    fn a_job_without_docker_host_on_kubernetes_is_told_both() {
        let text = told_of(&in_kubernetes(job(&[])), &by_command("dockerd"));
        assert!(text.contains("DOCKER_HOST is not among"), "{text}");
        assert!(text.contains("starts dockerd itself"), "{text}");
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
