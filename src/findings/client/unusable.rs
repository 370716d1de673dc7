//! A `DOCKER_HOST` that the docker command does not take, or takes for a name that nobody has.

use super::{Served, leading_here, may_be_ours, unset, url_host};
use crate::{
    facts::client::{ClientVariables, DockerHost},
    reasons::{Finding, client},
};

pub(super) fn finding(job: &ClientVariables, served: &Served) -> Option<Finding> {
    let (cause, host) = match job.docker_host.as_ref()? {
        DockerHost::Http { text, host, port } if may_be_ours(&served.names, host, (*port)?) => {
            let cause = format!(
                "DOCKER_HOST is {text}. The docker command takes tcp:// there, with TLS as well, \
                 and ends with \"invalid bind address format\"."
            );
            (cause, url_host(host))
        }
        DockerHost::Unexpanded(text) if job.in_gitlab => {
            let cause = format!("DOCKER_HOST is {text}: the variable in it was never expanded.");
            (cause, unset::host(job, served))
        }
        _ => return None,
    };
    let advice = match served.tls {
        true => client::HOST_IN_FULL_WITH_TLS,
        false => client::HOST_IN_FULL_WITHOUT_TLS,
    };
    Some(client::HOST.advised(cause, advice, leading_here(host, served)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;

    #[test]
    fn what_no_docker_command_takes_is_told_with_what_to_write() {
        for (docker_host, words) in [
            ("https://docker:2376", "takes tcp:// there"),
            ("http://docker:2375", "takes tcp:// there"),
            ("$DAEMON", "never expanded"),
            ("tcp://$HOST:2376", "never expanded"),
        ] {
            for job in [
                job(&[("DOCKER_HOST", docker_host)]),
                in_kubernetes(job(&[("DOCKER_HOST", docker_host)])),
            ] {
                let text = told(&job, &tls());
                let cause = format!("DOCKER_HOST is {docker_host}");
                for part in [
                    "CLIENT-HOST",
                    &cause,
                    words,
                    "DOCKER_HOST: tcp://docker:2376",
                ] {
                    assert!(text.contains(part), "{part} in {text}");
                }
            }
        }
        let text = told(&job(&[("DOCKER_HOST", "http://docker:2375")]), &plain());
        assert!(text.ends_with("DOCKER_HOST: tcp://docker:2375"), "{text}");
    }

    #[test]
    fn what_is_for_another_client_and_another_daemon_is_nobody_s_mistake() {
        let elsewhere = job(&[("DOCKER_HOST", "https://buildfarm.example:4243")]);
        assert_eq!(ids(&elsewhere, &tls()), "");
    }
}
