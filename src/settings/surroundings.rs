//! What advice may rest on: how this service is run, as far as variables say.

use super::{Environment, Settings, non_empty};
use crate::reasons::{
    advice::Executor,
    hole::{Data, Hole, Surroundings},
};

/// What runs this job; `None` outside of GitLab, where it may be anything.
pub(super) fn executor(environment: Environment<'_>) -> Option<Executor> {
    let is_set = |name| non_empty(environment, name).is_some();
    match (is_set("KUBERNETES_SERVICE_HOST"), is_set("CI_JOB_ID")) {
        (true, _) => Some(Executor::Kubernetes),
        (false, true) => Some(Executor::Docker),
        (false, false) => None,
    }
}

impl Settings {
    pub fn surroundings(&self) -> Surroundings {
        let root = match &self.certificates {
            Some(certificates) => certificates.directory.clone(),
            None => "/certs".into(),
        };
        let port = if self.certificates.is_some() {
            2376
        } else {
            2375
        };
        let mut values = vec![
            (
                Hole::Certificates,
                root.join("client").display().to_string(),
            ),
            (Hole::CertificatesRoot, root.display().to_string()),
            (Hole::Port, port.to_string()),
            (Hole::Flags, before(&self.own_arguments, " ")),
            (
                Hole::Insecure,
                before(&self.registry_options.insecure.join(","), ","),
            ),
            (Hole::Excepted, before(&self.no_proxy, ",")),
        ];
        values.extend(called(&self.docker_host).map(|host| (Hole::Host, host.to_owned())));
        Surroundings {
            executor: self.executor,
            data: Data::from(values),
        }
    }
}

/// What stands in double quotes of YAML before something that is added to it.
fn before(given: &str, separator: &str) -> String {
    let quoted = in_double_quotes(given);
    match quoted.is_empty() {
        true => quoted,
        false => quoted + separator,
    }
}

/// As it is written between double quotes of YAML, on one line.
pub(super) fn in_double_quotes(given: &str) -> String {
    let quoted = given.replace('\\', "\\\\").replace('"', "\\\"");
    quoted.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The host that `DOCKER_HOST` names.
fn called(docker_host: &str) -> Option<&str> {
    let rest = docker_host.strip_prefix("tcp://")?;
    let host = match rest.rsplit_once(':') {
        Some((host, port)) if port.trim_end_matches('/').parse::<u16>().is_ok() => host,
        _ => rest.trim_end_matches('/'),
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasons::registry;

    fn fix(variables: &[(&str, &str)]) -> String {
        let settings = Settings::parse(&|name| {
            let mut set = variables.iter();
            set.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        let finding = registry::PLAIN_HTTP.met_with("x", registry::registry("reg.test:5000"));
        finding.told_in(&settings.unwrap().surroundings()).fix
    }

    #[test]
    fn what_is_given_already_is_kept() {
        assert!(fix(&[]).contains("DIND_INSECURE_REGISTRIES: \"reg.test:5000\""));
        let finding = registry::PROXY.met_with("x", registry::registry("reg.test"));
        let settings = Settings::parse(&|name| (name == "NO_PROXY").then(|| "docker".into()));
        let told = finding.told_in(&settings.unwrap().surroundings()).fix;
        assert!(told.ends_with("NO_PROXY: \"docker,reg.test\""), "{told}");
        let more = fix(&[("DIND_INSECURE_REGISTRIES", "10.0.0.0/8")]);
        assert!(more.contains(": \"10.0.0.0/8,reg.test:5000\""), "{more}");
        assert_eq!(before("--label \"a b\"", " "), "--label \\\"a b\\\" ");
    }

    #[test]
    fn a_host_is_what_the_job_calls_the_service() {
        for (docker_host, host) in [
            ("tcp://docker:2376", Some("docker")),
            ("tcp://dind", Some("dind")),
            ("tcp://docker:2375/", Some("docker")),
            ("tcp://[::1]:2376", Some("[::1]")),
            ("tcp://", None),
            ("unix:///x", None),
            ("", None),
        ] {
            assert_eq!(called(docker_host), host, "{docker_host}");
        }
    }

    #[test]
    fn the_executor_is_known_in_a_job_alone() {
        for (variables, expected) in [
            (&[][..], None),
            (&["CI_JOB_ID"], Some(Executor::Docker)),
            (
                &["CI_JOB_ID", "KUBERNETES_SERVICE_HOST"],
                Some(Executor::Kubernetes),
            ),
        ] {
            let environment = |name: &str| variables.contains(&name).then(|| "1".to_owned());
            assert_eq!(executor(&environment), expected, "{variables:?}");
        }
    }
}
