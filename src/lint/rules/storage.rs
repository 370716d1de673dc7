//! Volumes and Docker's data directory.

use std::path::Path;

use crate::{
    lint::{
        model::runner::{Executor, Volume},
        problem::Problem,
        scene::{OneRunner, Scene},
    },
    reasons::{Severity, storage},
};

/// Where dockerd keeps images and containers, if it is not told otherwise.
const DATA_ROOT: &str = "/var/lib/docker";

/// What lies at the data directory.
pub fn data_root(scene: &Scene<'_>) -> Vec<Problem> {
    scene.runners.iter().filter_map(at_data_root).collect()
}

/// Kubernetes makes no pod with two volumes at one path.
pub fn mounted_twice(scene: &Scene<'_>) -> Vec<Problem> {
    scene.runners.iter().filter_map(second_volume).collect()
}

fn at_data_root(one_runner: &OneRunner<'_>) -> Option<Problem> {
    match one_runner.covering(Path::new(DATA_ROOT)) {
        Some(volume) if volume.is_read_only() => Some(read_only(one_runner, volume)),
        Some(volume) if volume.is_one_for_all_jobs() => in_use(one_runner, volume),
        Some(_) => None,
        None => on_no_volume(one_runner),
    }
}

fn second_volume(one_runner: &OneRunner<'_>) -> Option<Problem> {
    if one_runner.runner.executor != Executor::Kubernetes {
        return None;
    }
    let volumes = &one_runner.runner.volumes;
    let (first, second) = volumes.iter().enumerate().find_map(|(index, volume)| {
        let mut earlier = volumes[..index].iter();
        let same = earlier.find(|earlier| earlier.target() == volume.target())?;
        Some((same, volume))
    })?;
    let cause = format!(
        "{} mounts the {} and the {} at {}. Kubernetes refuses such a pod, so no job starts.",
        one_runner.runner.title(),
        first.described(),
        second.described(),
        second.target().display()
    );
    let fix = format!(
        "in {}, take one of them out, or give it another mount_path",
        one_runner.source.name()
    );
    let finding = storage::MOUNTED_TWICE.found(cause, fix);
    let place = second.mount_path.place.clone();
    let problem = Problem::new(finding, place, "there is a volume already");
    Some(problem.with_related(first.mount_path.place.clone(), "this one"))
}

fn read_only(one_runner: &OneRunner<'_>, volume: &Volume) -> Problem {
    let cause = format!(
        "{} mounts the {} read-only at {}, where dockerd has to write.",
        one_runner.runner.title(),
        volume.described(),
        volume.target().display()
    );
    let label = format!("a {} is read-only here", volume.kind.noun());
    let place = volume.mount_path.place.clone();
    Problem::new(
        storage::READONLY.found(cause, fix(one_runner)),
        place,
        label,
    )
}

fn in_use(one_runner: &OneRunner<'_>, volume: &Volume) -> Option<Problem> {
    let severity = one_runner.severity_of_sharing()?;
    let cause = format!(
        "{} mounts the {} at {}. Two dockerds cannot use one data directory, so of jobs that run \
         at the same time one alone has Docker.",
        one_runner.runner.title(),
        volume.described(),
        volume.target().display()
    );
    let finding = storage::IN_USE.found(cause, fix(one_runner));
    let label = format!("one {} for all jobs", volume.kind.noun());
    let place = volume.mount_path.place.clone();
    Some(Problem::new(finding.with_severity(severity), place, label))
}

/// Whether the image's own volume is one in the cluster depends on its container runtime.
fn on_no_volume(one_runner: &OneRunner<'_>) -> Option<Problem> {
    let runner = one_runner.runner;
    let is_kubernetes = runner.executor == Executor::Kubernetes;
    let daemon = one_runner.daemons.first().filter(|_| is_kubernetes)?;
    let cause = format!(
        "no volume of {} is mounted at {DATA_ROOT}. Some clusters make one for the image, and \
         with others layers are kept on the container's own file system.",
        runner.title()
    );
    let finding = storage::ON_OVERLAY.found(cause, fix(one_runner));
    let place = one_runner.section().clone();
    let problem = Problem::new(finding.with_severity(Severity::Note), place, "");
    Some(problem.with_related(daemon.service.place.clone(), "keeps its layers there"))
}

fn fix(one_runner: &OneRunner<'_>) -> String {
    let file = one_runner.source.name();
    match one_runner.runner.executor {
        Executor::Kubernetes => format!(
            "in {file}, give each job a volume of its own:\n    \
             [[runners.kubernetes.volumes.empty_dir]]\n      name = \"docker-data\"\n      \
             mount_path = \"{DATA_ROOT}\""
        ),
        _ => format!(
            "in {file}, take it out of `volumes`: the image has a volume of its own there. To share \
             layers between jobs, use a registry mirror or `docker build --cache-from`."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::samples::{docker, expect, kubernetes};
    use crate::reasons::Severity::{Error, Fatal, Note, Warning};

    const ROOT: &str = "\"/var/lib/docker\"";

    fn volume(kind: &str, more: &str) -> String {
        kubernetes(&format!(
            "[[runners.kubernetes.volumes.{kind}]]\nname = \"v\"\nmount_path = {ROOT}\n{more}\n"
        ))
    }

    #[test]
    fn one_data_directory_for_several_daemons() {
        for kind in ["host_path", "pvc"] {
            let text = volume(kind, "");
            expect(&text, &[("STORAGE-IN-USE", Error, ROOT)]);
            let unsaid = text.replace("concurrent = 4\n", "");
            expect(&unsaid, &[("STORAGE-IN-USE", Warning, ROOT)]);
            expect(&text.replace("concurrent = 4", "concurrent = 1"), &[]);
            expect(&volume(kind, "sub_path = \"$CI_JOB_ID\""), &[]);
        }
        expect(&volume("empty_dir", ""), &[]);
        let text = docker("volumes = [\"/srv/docker:/var/lib/docker\"]");
        expect(&text, &[("STORAGE-IN-USE", Error, "/var/lib/docker")]);
        expect(&docker("volumes = [\"/var/lib/docker\"]"), &[]);
        expect(&docker("volumes = [\"/srv:/var/lib/docker-x\"]"), &[]);
    }

    #[test]
    fn a_data_directory_that_cannot_be_written() {
        expect(
            &volume("config_map", ""),
            &[("STORAGE-READONLY", Fatal, ROOT)],
        );
        expect(
            &volume("host_path", "read_only = true"),
            &[("STORAGE-READONLY", Fatal, ROOT)],
        );
        let text = docker("volumes = [\"/srv:/var/lib:ro\"]");
        expect(&text, &[("STORAGE-READONLY", Fatal, "/var/lib")]);
    }

    #[test]
    fn no_volume_is_worth_a_note_where_docker_in_docker_runs() {
        let service = "[[runners.kubernetes.services]]\nname = \"docker:dind\"\n";
        let unshared = ("CERTS-UNSHARED", Note, "\"docker:dind\"");
        let text = kubernetes(service);
        let on_none = ("STORAGE-ON-OVERLAY", Note, "[runners.kubernetes]");
        expect(&text, &[on_none, unshared]);
        expect(&kubernetes(""), &[]);
        let with = format!(
            "{text}[[runners.kubernetes.volumes.empty_dir]]\nname = \"d\"\nmount_path = {ROOT}\n"
        );
        expect(&with, &[unshared]);
        let on_docker = docker(&service.replace("kubernetes", "docker"));
        expect(&on_docker, &[unshared]);
    }

    #[test]
    fn two_volumes_at_one_path_refuse_the_pod() {
        let empty = |path: &str| {
            format!(
                "[[runners.kubernetes.volumes.empty_dir]]\nname = \"v\"\nmount_path = {path:?}\n"
            )
        };
        let text = kubernetes(&format!("{}{}", empty("/certs"), empty("/certs/")));
        expect(&text, &[("STORAGE-MOUNTED-TWICE", Fatal, "\"/certs/\"")]);
        let text = kubernetes(&format!("{}{}", empty("/certs"), empty("/certs/client")));
        expect(&text, &[]);
    }
}
