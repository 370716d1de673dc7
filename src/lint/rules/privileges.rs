//! Whether the service may be what dockerd needs it to be: privileged.

use std::path::Path;

use glob::{MatchOptions, Pattern};

use super::one_runner::OneRunner;
use crate::{
    lint::{
        model::{
            image::Image,
            runner::{Executor, Runner},
        },
        problem::Problem,
        source::Place,
    },
    reasons::{Finding, Severity, network, privilege},
};

pub(super) fn problems(scene: &OneRunner<'_>) -> Vec<Problem> {
    let services = scene.runner.services.iter().filter(|it| it.is_dind());
    let mut problems: Vec<Problem> = services
        .flat_map(|service| {
            let label = "this service needs it";
            of_context(scene, &service.image, &service.place, label)
        })
        .collect();
    problems.extend(unprivileged(scene));
    problems
}

fn unprivileged(scene: &OneRunner<'_>) -> Vec<Problem> {
    let runner = scene.runner;
    let mut services = runner.services.iter().filter(|service| service.is_dind());
    let refused = services.find(|it| is_privileged(runner, Some(&it.image)) == Some(false));
    if let Some(service) = refused {
        let place = &service.place;
        return vec![problem(
            scene,
            place,
            "this service needs it",
            Severity::Fatal,
        )];
    }
    let has_service = runner.services.iter().any(|service| service.is_dind());
    let is_without_dind = runner.leads_elsewhere() || runner.node_socket().is_some();
    match scene.sign_of_dind().filter(|_| !is_without_dind) {
        Some(sign) if !has_service && is_privileged(runner, None) == Some(false) => {
            let label = "this is for docker in docker";
            vec![problem(scene, sign, label, Severity::Warning)]
        }
        _ => Vec::new(),
    }
}

/// What the security context keeps a service with this image from, which `sign` says is wanted.
pub fn of_context(scene: &OneRunner<'_>, image: &str, sign: &Place, label: &str) -> Vec<Problem> {
    let runner = scene.runner;
    let mut problems = Vec::new();
    if let Some(user) = &runner.other_user
        && !image.contains("rootless")
        && Image::parse(image).is_docker()
    {
        let finding = privilege::ROOTLESS_KIT.found(
            format!(
                "{} runs services as another user than root, and {image} has nothing with which \
                 dockerd could do without root.",
                runner.title()
            ),
            format!(
                "in {}, take `run_as_user` out, or say it for services:\n    \
                 [runners.kubernetes.service_container_security_context]\n      run_as_user = 0\n\
                 or use a `-rootless` image of Docker's in .gitlab-ci.yml",
                scene.source.name()
            ),
        );
        let problem = Problem::new(finding, user.clone(), "not root");
        problems.push(problem.with_related(sign.clone(), label));
    }
    let is_writable = ["/run", "/var/run"]
        .iter()
        .any(|path| scene.covering(Path::new(path)).is_some());
    if let Some(read_only) = &runner.read_only_root
        && !is_writable
        && !runner.is_partly_unknown
    {
        let finding = network::SOCKET.found(
            format!(
                "{} keeps services from writing to their own file systems, where dockerd makes its \
                 socket (/var/run), its certificates (/certs) and other files (/tmp).",
                runner.title()
            ),
            format!(
                "in {}:\n    [runners.kubernetes.service_container_security_context]\n      \
                 read_only_root_filesystem = false",
                scene.source.name()
            ),
        );
        let problem = Problem::new(finding, read_only.clone(), "nothing can be written");
        problems.push(problem.with_related(sign.clone(), label));
    }
    problems
}

/// Whether a service with this image would be; `None` where that cannot be told.
pub fn is_privileged(runner: &Runner, image: Option<&str>) -> Option<bool> {
    let of_services = runner.services_privileged.as_ref();
    let privileged = of_services.or(runner.privileged.as_ref());
    if !privileged.is_some_and(|privileged| privileged.value) {
        let may_do_without = image.is_some_and(|image| image.contains("rootless"));
        let may_be_said_elsewhere = runner.pod_spec.is_some()
            || runner.has_security_options
            || runner.has_other_runtime
            || (runner.is_partly_unknown && privileged.is_none());
        return (!may_do_without && !may_be_said_elsewhere).then_some(false);
    }
    let allowed = match &runner.allowed_privileged_services {
        Some(allowed) if !allowed.value.is_empty() => &allowed.value,
        _ => return Some(true),
    };
    let image = image.filter(|image| !image.contains('$'))?;
    let mut is_unknown = false;
    let is_allowed = allowed
        .iter()
        .any(|pattern| match is_match(pattern, image) {
            Some(is_match) => is_match,
            None => {
                is_unknown = true;
                false
            }
        });
    (is_allowed || !is_unknown).then_some(is_allowed)
}

/// As the runner's `doublestar.Match` has it; `None` for patterns that are not understood here.
fn is_match(pattern: &str, image: &str) -> Option<bool> {
    if pattern.contains(['{', '\\', '$']) {
        return None;
    }
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::default()
    };
    let pattern = Pattern::new(pattern).ok()?;
    Some(pattern.matches_with(image, options))
}

fn problem(scene: &OneRunner<'_>, sign: &Place, label: &str, severity: Severity) -> Problem {
    let (place, what) = culprit(scene.runner);
    let finding = finding(scene).with_severity(severity);
    Problem::new(finding, place.clone(), what).with_related(sign.clone(), label)
}

/// The reason, told of this runner.
pub fn finding(scene: &OneRunner<'_>) -> Finding {
    let runner = scene.runner;
    let file = scene.source.name();
    let title = runner.title();
    if let Some(allowed) = &runner.allowed_privileged_services
        && runner
            .services_privileged
            .as_ref()
            .or(runner.privileged.as_ref())
            .is_some_and(|it| it.value)
    {
        return privilege::NOT_PRIVILEGED.found(
            format!(
                "{title} lets services be privileged whose images match {}, and this one does not.",
                allowed.value.join(", ")
            ),
            format!("in {file}, add the image's name to `allowed_privileged_services`"),
        );
    }
    let section = match runner.executor {
        Executor::Kubernetes => "kubernetes",
        _ => "docker",
    };
    let key = match &runner.services_privileged {
        Some(_) if runner.executor == Executor::Docker => "services_privileged",
        Some(_) => {
            return privilege::NOT_PRIVILEGED.found(
                format!("{title} runs services with a security context that is not privileged."),
                format!(
                    "in {file}:\n    [runners.kubernetes.service_container_security_context]\n      \
                     privileged = true"
                ),
            );
        }
        None => "privileged",
    };
    privilege::NOT_PRIVILEGED.found(
        format!("{title} does not run services with `{key} = true`."),
        format!(
            "in {file}, for a runner whose jobs you trust:\n    [runners.{section}]\n      \
             {key} = true"
        ),
    )
}

/// What to change, and a few words about it.
pub fn culprit(runner: &Runner) -> (&Place, &'static str) {
    let said = runner
        .services_privileged
        .as_ref()
        .or(runner.privileged.as_ref());
    match (said, &runner.allowed_privileged_services, &runner.section) {
        (Some(said), Some(allowed), _) if said.value => (&allowed.place, "not among these"),
        (Some(said), ..) => (&said.place, "not privileged"),
        (None, _, Some(section)) => (section, "`privileged = true` is missing here"),
        (None, _, None) => (&runner.place, "`privileged = true` is missing here"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{docker, expect, kubernetes},
        *,
    };
    use crate::reasons::Severity::{Fatal, Note, Warning};

    const SERVICE: &str = "[[runners.SECTION.services]]\nname = \"docker:28-dind\"\n";

    #[test]
    fn a_runner_s_own_dind_has_to_be_privileged() {
        let service = SERVICE.replace("SECTION", "docker");
        let good = docker(&service);
        let unshared = ("CERTS-UNSHARED", Note, "\"docker:28-dind\"");
        expect(&good, &[unshared]);
        for (from, to, underlined) in [
            ("privileged = true", "privileged = false", "false"),
            ("privileged = true", "", "[runners.docker]"),
            (
                "privileged = true",
                "privileged = true\nservices_privileged = false",
                "false",
            ),
            (
                "privileged = true",
                "privileged = true\nallowed_privileged_services = [\"docker:*-cli\", \"a/*\"]",
                "[\"docker:*-cli\", \"a/*\"]",
            ),
        ] {
            let text = good.replace(from, to);
            expect(&text, &[unshared, ("NOT-PRIVILEGED", Fatal, underlined)]);
        }
        for more in [
            "privileged = false\nservices_privileged = true",
            "privileged = true\nallowed_privileged_services = [\"docker:*dind\"]",
            "privileged = true\nallowed_privileged_services = []",
            "privileged = true\nallowed_privileged_services = [\"docker:{28-dind,x}\"]",
        ] {
            expect(&good.replace("privileged = true", more), &[unshared]);
        }
        let rootless = good
            .replace("privileged = true", "")
            .replace("dind", "dind-rootless");
        expect(
            &rootless,
            &[("CERTS-UNSHARED", Note, "\"docker:28-dind-rootless\"")],
        );
    }

    #[test]
    fn the_security_context_of_services_wins() {
        let context = |value: bool| {
            format!(
                "[runners.kubernetes.service_container_security_context]\nprivileged = {value}\n\
                 [[runners.kubernetes.volumes.empty_dir]]\nname = \"a\"\nmount_path = \
                 \"/certs/client\"\n[[runners.kubernetes.volumes.empty_dir]]\nname = \"b\"\n\
                 mount_path = \"/var/lib/docker\"\n"
            )
        };
        let service = SERVICE.replace("SECTION", "kubernetes");
        let text = |value| kubernetes(&format!("{}{service}", context(value)));
        expect(&text(true), &[]);
        expect(&text(true).replacen("privileged = true", "", 1), &[]);
        expect(&text(false), &[("NOT-PRIVILEGED", Fatal, "false")]);
        let patched = text(false) + "[[runners.kubernetes.pod_spec]]\nname = \"x\"\n";
        expect(&patched, &[]);
    }

    #[test]
    fn a_security_context_may_forbid_what_dockerd_needs() {
        let certs = "[[runners.kubernetes.volumes.empty_dir]]\nname = \"a\"\n\
                     mount_path = \"/certs/client\"\n";
        let data = certs.replace("/certs/client", "/var/lib/docker");
        let service = SERVICE.replace("SECTION", "kubernetes");
        let with = |context: &str| kubernetes(&format!("{certs}{data}{service}{context}\n"));
        let context = |name: &str, line: &str| format!("[runners.kubernetes.{name}]\n{line}");
        for (context, id, underlined) in [
            (
                context("pod_security_context", "run_as_user = 1000"),
                "PRIVILEGE-ROOTLESS-KIT",
                "1000",
            ),
            (
                context(
                    "service_container_security_context",
                    "privileged = true\nread_only_root_filesystem = true",
                ),
                "NETWORK-SOCKET",
                "true",
            ),
        ] {
            expect(&with(&context), &[(id, Fatal, underlined)]);
            let rootless = with(&context).replace("28-dind", "28-dind-rootless");
            if id == "PRIVILEGE-ROOTLESS-KIT" {
                expect(&rootless, &[]);
            }
        }
        expect(
            &with(&context("pod_security_context", "run_as_user = 0")),
            &[],
        );
    }

    #[test]
    fn a_volume_for_certificates_is_a_sign_of_dind_and_no_proof() {
        let text = docker("volumes = [\"/certs/client\"]").replace("privileged = true", "");
        expect(&text, &[("NOT-PRIVILEGED", Warning, "[runners.docker]")]);
        let options = format!("{text}\nservices_security_opt = [\"seccomp=unconfined\"]");
        expect(&options, &[]);
        let socket = text.replace("/certs/client", "/var/run/docker.sock:/var/run/docker.sock");
        expect(&socket, &[]);
    }

    #[test]
    fn patterns_are_those_of_the_runner() {
        for (pattern, image, expected) in [
            ("docker:*", "docker:dind", Some(true)),
            ("docker:*dind*", "docker:28-dind-rootless", Some(true)),
            ("*", "my/docker:dind", Some(false)),
            ("*/*:*", "my/docker:dind", Some(true)),
            ("**/docker:*", "r.example.com/a/docker:dind", Some(true)),
            ("docker:2[0-9]-dind", "docker:28-dind", Some(true)),
            ("docker:{a,b}", "docker:a", None),
        ] {
            assert_eq!(is_match(pattern, image), expected, "{pattern} {image}");
        }
    }
}
