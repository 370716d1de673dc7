//! What a security context keeps dockerd from.

use std::path::Path;

use crate::{
    lint::{
        model::{Service, image::Image},
        problem::Problem,
        scene::{OneRunner, Scene},
    },
    reasons::{network, privilege},
};

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    let of_runners = scene.runners.iter().flat_map(|runner| {
        let daemons = runner.daemons.iter();
        daemons.flat_map(|daemon| of_context(runner, daemon.service, "this service needs it"))
    });
    let of_jobs = scene.wanted().flat_map(|(job, daemon)| {
        let label = format!("the job {:?} needs it for this", job.job.name);
        of_all(scene, daemon.service, &label)
    });
    of_runners.chain(of_jobs).collect()
}

/// What all of them forbid.
fn of_all(scene: &Scene<'_>, service: &Service, label: &str) -> Vec<Problem> {
    let runners = scene.runners.iter();
    let mut of_each = runners.map(|runner| of_context(runner, service, label));
    let Some(first) = of_each.next() else {
        return Vec::new();
    };
    match of_each.all(|problems| !problems.is_empty()) {
        true => first,
        false => Vec::new(),
    }
}

/// What the security context keeps a service from.
fn of_context(one_runner: &OneRunner<'_>, service: &Service, label: &str) -> Vec<Problem> {
    let (image, sign) = (&service.image, &service.place);
    let runner = one_runner.runner;
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
                one_runner.source.name()
            ),
        );
        let problem = Problem::new(finding, user.clone(), "not root");
        problems.push(problem.with_related(sign.clone(), label));
    }
    let is_writable = ["/run", "/var/run"]
        .iter()
        .any(|path| one_runner.covering(Path::new(path)).is_some());
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
                one_runner.source.name()
            ),
        );
        let problem = Problem::new(finding, read_only.clone(), "nothing can be written");
        problems.push(problem.with_related(sign.clone(), label));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tests::samples::{expect, kubernetes};
    use crate::reasons::Severity::Fatal;

    const SERVICE: &str = "[[runners.kubernetes.services]]\nname = \"docker:28-dind\"\n";

    #[test]
    fn a_security_context_may_forbid_what_dockerd_needs() {
        let certs = "[[runners.kubernetes.volumes.empty_dir]]\nname = \"a\"\n\
                     mount_path = \"/certs/client\"\n";
        let data = certs.replace("/certs/client", "/var/lib/docker");
        let with = |context: &str| kubernetes(&format!("{certs}{data}{SERVICE}{context}\n"));
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
}
