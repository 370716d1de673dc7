//! Whether the service may be what dockerd needs it to be: privileged.

use glob::{MatchOptions, Pattern};

use super::sockets;
use crate::{
    lint::{
        model::runner::{Executor, Runner},
        problem::Problem,
        scene::{Daemon, OneJob, OneRunner, Outside, Scene},
        source::Place,
    },
    reasons::{Finding, Severity, privilege},
};

/// A service that has to be privileged, and is not.
pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    let of_runners = scene.runners.iter().filter_map(of_a_runner);
    let wanted = scene.wanted();
    let of_jobs = wanted
        .filter(|(job, _)| !sockets::is_busy(scene, job))
        .filter_map(|(job, daemon)| of_a_job(scene, job, daemon));
    let outside = scene.outside.iter();
    let outside = outside.filter_map(|outside| unread(scene, outside));
    of_runners.chain(of_jobs).chain(outside).collect()
}

fn of_a_runner(one_runner: &OneRunner<'_>) -> Option<Problem> {
    let runner = one_runner.runner;
    let is_refused =
        |daemon: &&Daemon<'_>| is_privileged(runner, Some(&daemon.service.image)) == Some(false);
    if let Some(refused) = one_runner.daemons.iter().find(is_refused) {
        let place = &refused.service.place;
        let label = "this service needs it";
        return Some(problem(one_runner, place, label, Severity::Fatal));
    }
    let is_without_dind = runner.leads_elsewhere() || runner.node_socket().is_some();
    let sign = one_runner.sign_of_dind().filter(|_| !is_without_dind)?;
    let is_refused = one_runner.daemons.is_empty() && is_privileged(runner, None) == Some(false);
    let label = "this is for docker in docker";
    is_refused.then(|| problem(one_runner, sign, label, Severity::Warning))
}

/// No runner lets it be.
fn of_a_job(scene: &Scene<'_>, job: &OneJob<'_>, daemon: &Daemon<'_>) -> Option<Problem> {
    let image = Some(daemon.service.image.as_str());
    let is_refused = |it: &OneRunner<'_>| is_privileged(it.runner, image) == Some(false);
    if !scene.runners.iter().all(is_refused) {
        return None;
    }
    let runner = scene.runners.first()?;
    let problem = match scene.outside.iter().find(|it| it.is_of(runner.runner)) {
        Some(outside) => unread_at(outside, Severity::Fatal),
        None => {
            let (place, label) = culprit(runner.runner);
            Problem::new(finding(runner), place.clone(), label)
        }
    };
    let label = format!("the job {:?} needs it for this", job.job.name);
    Some(problem.with_related(daemon.service.place.clone(), label))
}

/// `runners.privileged`, which the chart has not read since version 0.53, where it says what none
/// of these runners is.
fn unread(scene: &Scene<'_>, outside: &Outside) -> Option<Problem> {
    let runners = scene.runners.iter().map(|it| it.runner);
    let mut runners = runners.filter(|runner| outside.is_of(runner));
    if runners.any(|runner| is_privileged(runner, None) != Some(false)) {
        return None;
    }
    Some(unread_at(outside, Severity::Warning))
}

fn unread_at(outside: &Outside, severity: Severity) -> Problem {
    let finding = privilege::NOT_PRIVILEGED
        .found(
            "`privileged` stands beside `config`, where the chart has not read it since version \
             0.53, and the runner's configuration does not say it.",
            "in the chart's values:\n    runners:\n      config: |\n        [[runners]]\n          \
             [runners.kubernetes]\n            privileged = true",
        )
        .with_severity(severity);
    Problem::new(finding, outside.place.clone(), "not read here")
}

/// Whether a service with this image would be; `None` where that cannot be told.
fn is_privileged(runner: &Runner, image: Option<&str>) -> Option<bool> {
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

fn problem(one_runner: &OneRunner<'_>, sign: &Place, label: &str, severity: Severity) -> Problem {
    let (place, what) = culprit(one_runner.runner);
    let finding = finding(one_runner).with_severity(severity);
    Problem::new(finding, place.clone(), what).with_related(sign.clone(), label)
}

/// The reason, told of this runner.
fn finding(one_runner: &OneRunner<'_>) -> Finding {
    let runner = one_runner.runner;
    let file = one_runner.source.name();
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
fn culprit(runner: &Runner) -> (&Place, &'static str) {
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
        super::tests::samples::{docker, expect, kubernetes},
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
            expect(&text, &[("NOT-PRIVILEGED", Fatal, underlined), unshared]);
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
