//! Volumes with the CAs of registries, in places where dockerd does not read them.

use std::path::Path;

use super::edits;
use crate::{
    lint::{
        model::runner::{Executor, Volume},
        problem::{Problem, Repair},
        scene::{OneRunner, Scene},
        source::{Located, Place},
    },
    reasons::registry,
    settings::{registry::DEFAULT_DIRECTORY, registry_host::RegistryHost},
};

/// Where dockerd itself looks, in directories that are called as the registries are.
const DOCKERS_DIRECTORY: &str = "/etc/docker/certs.d";

pub fn problems(scene: &Scene<'_>) -> Vec<Problem> {
    let runners = scene.runners.iter();
    runners
        .flat_map(|runner| {
            let volumes = runner.runner.volumes.iter();
            volumes.filter_map(|volume| problem(runner, volume))
        })
        .collect()
}

fn problem(one_runner: &OneRunner<'_>, volume: &Volume) -> Option<Problem> {
    let target = volume.target();
    if let Ok(below) = target.strip_prefix(DOCKERS_DIRECTORY) {
        if target.to_string_lossy().contains(':') {
            return Some(colon(one_runner, volume, below));
        }
        return match below.components().count() {
            // Objects' keys are files; what else may be a directory with directories.
            0 if volume.is_made_of_keys() => Some(no_directory(one_runner, volume)),
            0 => None,
            _ => unread_file(one_runner, volume),
        };
    }
    let below = target.strip_prefix(DEFAULT_DIRECTORY).ok()?;
    not_a_host(one_runner, volume, below)
}

/// A port, in a path that can hold no colon.
fn colon(one_runner: &OneRunner<'_>, volume: &Volume, below: &Path) -> Problem {
    let target = format!(
        "{DEFAULT_DIRECTORY}/{}",
        below.display().to_string().replace(':', "_")
    );
    let why = match one_runner.runner.executor {
        Executor::Kubernetes => "Kubernetes allows no colon in a mount path, and makes no pod",
        _ => "Docker takes the colon for the end of the path, and makes no container",
    };
    let cause = format!(
        "{} mounts the {} at {}: {why}.",
        one_runner.runner.title(),
        volume.described(),
        volume.target().display()
    );
    let fix = format!(
        "in {}, mount it where dind-init reads it, the port after an underscore:\n    {}",
        one_runner.source.name(),
        mount_line(one_runner, volume, &target)
    );
    let problem = Problem::new(
        registry::HOST.found(cause, fix),
        volume.mount_path.place.clone(),
        "a colon cannot be mounted",
    );
    with_other_path(problem, one_runner, volume, &target)
}

/// Files beside the directories that dockerd reads.
fn no_directory(one_runner: &OneRunner<'_>, volume: &Volume) -> Problem {
    let cause = format!(
        "{} mounts the {} at {DOCKERS_DIRECTORY}, where dockerd reads only directories that are \
         called as registries are; the keys of a {} are files.",
        one_runner.runner.title(),
        volume.described(),
        volume.kind.noun()
    );
    let fix = format!(
        "in {}, mount it where dind-init trusts it for every registry, or below \
         {DOCKERS_DIRECTORY}/registry.example.com:\n    {}",
        one_runner.source.name(),
        mount_line(one_runner, volume, DEFAULT_DIRECTORY)
    );
    Problem::new(
        registry::UNTRUSTED.found(cause, fix),
        volume.mount_path.place.clone(),
        "no registry's directory",
    )
}

/// dockerd reads `*.crt` for CAs (and `*.cert` with `*.key` for itself), and passes over the rest
/// (moby daemon/pkg/registry, ReadCertsDirectory).
fn unread_file(one_runner: &OneRunner<'_>, volume: &Volume) -> Option<Problem> {
    let (written, path): (&Located<String>, &str) = match &volume.items {
        _ if volume.is_file() => (&volume.mount_path, &volume.mount_path.value),
        Some(items) if items.iter().all(|(_, path)| is_pem(&path.value)) => {
            let (_, path) = items.first()?;
            (path, &path.value)
        }
        _ => return None,
    };
    let read = format!("{}.crt", path.strip_suffix(".pem")?);
    let cause = format!(
        "{} puts a CA at {path}, and dockerd reads only files that end in .crt there.",
        one_runner.runner.title()
    );
    let fix = format!("in {}, call it {read}", one_runner.source.name());
    let problem = Problem::new(
        registry::UNTRUSTED.found(cause, fix),
        written.place.clone(),
        "dockerd passes over it",
    );
    Some(with_edit(
        problem,
        one_runner,
        volume,
        &written.place,
        &read,
    ))
}

/// A directory of dind-init's own that is not called as a registry is.
fn not_a_host(one_runner: &OneRunner<'_>, volume: &Volume, below: &Path) -> Option<Problem> {
    let name = below.components().next()?.as_os_str().to_str()?;
    let is_directory = below.components().count() > 1 || !volume.is_file();
    let stem = name.trim_end_matches(".crt").trim_end_matches(".pem");
    if !is_directory || name.contains('$') || RegistryHost::from_file_name(stem).is_some() {
        return None;
    }
    let cause = format!(
        "{} mounts the {} at {}, and {name:?} is no registry's name.",
        one_runner.runner.title(),
        volume.described(),
        volume.target().display()
    );
    let fix = format!(
        "in {}, name the directory as image references name the registry, a port after an \
         underscore:\n    {}",
        one_runner.source.name(),
        mount_line(
            one_runner,
            volume,
            &format!("{DEFAULT_DIRECTORY}/registry.example.com_5000")
        )
    );
    Some(Problem::new(
        registry::HOST.found(cause, fix),
        volume.mount_path.place.clone(),
        "not the name of a registry",
    ))
}

fn is_pem(path: &str) -> bool {
    path.ends_with(".pem")
}

fn mount_line(one_runner: &OneRunner<'_>, volume: &Volume, target: &str) -> String {
    match one_runner.runner.executor {
        Executor::Kubernetes => format!("mount_path = \"{target}\""),
        _ => format!("volumes = [\"{}:{target}:ro\", …]", volume.name),
    }
}

fn with_other_path(
    problem: Problem,
    one_runner: &OneRunner<'_>,
    volume: &Volume,
    target: &str,
) -> Problem {
    let mut others = one_runner.runner.volumes.iter();
    match others.any(|other| other.target() == Path::new(target)) {
        true => problem,
        false => with_edit(
            problem,
            one_runner,
            volume,
            &volume.mount_path.place,
            target,
        ),
    }
}

fn with_edit(
    problem: Problem,
    one_runner: &OneRunner<'_>,
    volume: &Volume,
    place: &Place,
    text: &str,
) -> Problem {
    match edits::replace_text(place, text, one_runner.source) {
        Some(edit) => problem.with_repair(Repair {
            file: volume.place.file,
            part: one_runner.runner.place.span.start,
            edits: vec![edit],
        }),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::samples::{docker, expect, judge, kubernetes};
    use crate::reasons::Severity::Error;

    fn secret(mount_path: &str, more: &str) -> String {
        kubernetes(&format!(
            "[[runners.kubernetes.volumes.secret]]\nname = \"ca\"\nmount_path = \
             {mount_path:?}\n{more}\n"
        ))
    }

    /// What the repair of the only problem writes.
    fn repaired(text: &str) -> Option<String> {
        let judgement = judge(text);
        let repair = judgement.problems[0].repair.as_ref()?;
        Some(repair.edits[0].text.clone())
    }

    #[test]
    fn a_port_cannot_be_mounted_with_its_colon() {
        let path = "/etc/docker/certs.d/registry.example.com:5000";
        let text = secret(path, "");
        expect(&text, &[("REGISTRY-HOST", Error, &format!("{path:?}"))]);
        let better = "\"/etc/dind/registry-ca/registry.example.com_5000\"";
        assert_eq!(repaired(&text).unwrap(), better);
        let text = docker(&format!("volumes = [\"/srv/ca.crt:{path}/ca.crt:ro\"]"));
        expect(
            &text,
            &[("REGISTRY-HOST", Error, &format!("{path}/ca.crt"))],
        );
        let directory = docker(&format!("volumes = [\"/srv/ca:{path}\"]"));
        expect(&directory, &[("REGISTRY-HOST", Error, path)]);
        let better = "/etc/dind/registry-ca/registry.example.com_5000/ca.crt";
        assert_eq!(repaired(&text).unwrap(), better);
        expect(&secret("/etc/docker/certs.d/registry.example.com", ""), &[]);
    }

    #[test]
    fn docker_reads_crt_below_directories_and_nothing_else() {
        let directory = "/etc/docker/certs.d/registry.example.com";
        let pem = format!("{directory}/ca.pem");
        let text = secret(&pem, "sub_path = \"ca.pem\"");
        expect(&text, &[("REGISTRY-UNTRUSTED", Error, &format!("{pem:?}"))]);
        assert_eq!(repaired(&text).unwrap(), format!("\"{directory}/ca.crt\""));
        let items = "[runners.kubernetes.volumes.secret.items]\n\"ca\" = \"ca.pem\"";
        let text = secret(directory, items);
        expect(&text, &[("REGISTRY-UNTRUSTED", Error, "\"ca.pem\"")]);
        assert_eq!(repaired(&text).unwrap(), "\"ca.crt\"");
        expect(&secret(directory, &items.replace("ca.pem", "ca.crt")), &[]);
        expect(
            &secret(&format!("{directory}/ca.crt"), "sub_path = \"ca.pem\""),
            &[],
        );
        let text = docker(&format!("volumes = [\"/srv/ca.pem:{pem}:ro\"]"));
        expect(&text, &[("REGISTRY-UNTRUSTED", Error, &pem)]);

        let flat = "/etc/docker/certs.d";
        let text = secret(flat, "");
        expect(
            &text,
            &[("REGISTRY-UNTRUSTED", Error, "\"/etc/docker/certs.d\"")],
        );
        expect(
            &docker("volumes = [\"/srv/certs.d:/etc/docker/certs.d:ro\"]"),
            &[],
        );
    }

    #[test]
    fn directories_of_our_own_are_called_as_registries_are() {
        for (path, is_found) in [
            ("/etc/dind/registry-ca/our registry", true),
            ("/etc/dind/registry-ca", false),
            ("/etc/dind/registry-ca/registry.example.com", false),
            ("/etc/dind/registry-ca/registry.example.com_5000", false),
            ("/etc/dind/registry-ca/$REGISTRY", false),
        ] {
            let underlined = format!("{path:?}");
            let expected = [("REGISTRY-HOST", Error, underlined.as_str())];
            expect(&secret(path, ""), if is_found { &expected } else { &[] });
        }
        let file = "/etc/dind/registry-ca/corporate_root.pem";
        expect(&secret(file, "sub_path = \"ca.crt\""), &[]);
    }
}
