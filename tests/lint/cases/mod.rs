//! Small configurations on which a linter may easily be wrong, one directory each, whose files are
//! judged together. What is right follows from the sources of GitLab Runner, its Helm chart, the
//! official images' entrypoints and moby.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dind_init::testing::{
    lint::{
        lint,
        problem::Judgement,
        source::{Files, Source},
    },
    reasons::Severity::{self, Error, Fatal, Warning},
};

/// What is right of a directory.
struct Case {
    name: &'static str,
    /// What is found.
    found: &'static [(&'static str, Severity)],
    /// A part of what is said beside that: what is not judged, or cannot be read.
    said: &'static str,
}

const fn clean(name: &'static str) -> Case {
    found(name, &[])
}

const fn found(name: &'static str, found: &'static [(&'static str, Severity)]) -> Case {
    Case {
        name,
        found,
        said: "",
    }
}

const fn said(name: &'static str, said: &'static str) -> Case {
    Case {
        name,
        found: &[],
        said,
    }
}

const CASES: &[Case] = &[
    found("azure-account-key", &[("CERTS-READONLY", Fatal)]),
    // The client's image is no daemon, so there is none.
    found("cli-image-as-service", &[("CLIENT-HOST", Error)]),
    said("config-from-template", "templates are not evaluated"),
    // GitLab takes the last one.
    found(
        "duplicate-keys",
        &[("SETTINGS-DUPLICATE-KEY", Warning), ("CLIENT-PORT", Error)],
    ),
    // No entrypoint that would set DOCKER_HOST.
    found("entrypoint-emptied", &[("CLIENT-HOST", Warning)]),
    found("extends-same-file", &[("CLIENT-PORT", Error)]),
    found(
        "full-configuration-keeps-extends",
        &[("CLIENT-PORT", Error)],
    ),
    found("hidden-job", &[("CLIENT-PORT", Error)]),
    // Kubernetes runs no entrypoint, so the CLI looks for a socket in its own container.
    found("kubernetes-host-unset", &[("CLIENT-HOST", Error)]),
    // One of the included files turns TLS off.
    clean("local-include-given"),
    found("localhost-docker-executor", &[("CLIENT-HOST", Error)]),
    // The containers of a pod share their network.
    clean("localhost-kubernetes"),
    found("no-alias-host-unset", &[("CLIENT-HOST", Warning)]),
    found("no-service-no-socket", &[("CLIENT-HOST", Error)]),
    // The job works, with the node's Docker.
    found("node-socket", &[("NETWORK-SOCKET-BUSY", Warning)]),
    found("node-socket-and-dind", &[("NETWORK-SOCKET-BUSY", Fatal)]),
    found("other-image-host-unset", &[("CLIENT-HOST", Warning)]),
    found("port-with-include", &[("CLIENT-PORT", Error)]),
    found("reference-same-file", &[("CLIENT-PORT", Error)]),
    // The Secret holds a client's key, for a Docker that is somewhere else.
    clean("remote-docker"),
    found("secret-subpath-on-directory", &[("CERTS-SUBPATH", Fatal)]),
    // Another runtime than runc may do without privileges.
    clean("sysbox"),
    clean("sysbox-kubernetes"),
    said("template-if-else", "templates are not evaluated"),
    said("template-number", "templates are not evaluated"),
    // dockerd has --tlsverify as well, which wins.
    found("tls-false-flag", &[("CLIENT-PORT", Error)]),
    found("tls-verify-only-warning", &[("CLIENT-TLS-VERIFY", Error)]),
    said("toml-of-something-else", "neither a runner's configuration"),
    said("toml-typo", "this is not TOML"),
    // The chart has not read it since 0.53.
    found("values-privileged-outside", &[("NOT-PRIVILEGED", Warning)]),
    // The chart's own configuration is neither privileged nor has it a volume.
    found(
        "values-without-config",
        &[("CERTS-UNSHARED", Error), ("NOT-PRIVILEGED", Fatal)],
    ),
    clean("volume-with-mode"),
];

#[test]
fn each_case_is_judged_as_it_is() {
    let judged = CASES.iter().map(|case| (case.name, is_right(case)));
    let wrong: Vec<_> = judged
        .filter_map(|(name, is_right)| Some(format!("{name}: {}", is_right.err()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_directory_is_a_case() {
    let directories = fs::read_dir(directory()).unwrap();
    let mut names: Vec<_> = directories
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    let cases: Vec<_> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(cases, names);
}

fn is_right(case: &Case) -> Result<(), String> {
    let judgement = judge(&read(&directory().join(case.name)));
    let mut found: Vec<_> = judgement
        .problems
        .iter()
        .map(|problem| (problem.finding.reason.id, problem.finding.severity))
        .collect();
    let mut expected = case.found.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    let remarks = judgement.remarks.iter().map(|it| &it.message);
    let errors = judgement.errors.iter().map(|it| &it.message);
    let said: Vec<_> = remarks.chain(errors).collect();
    let is_said = match case.said {
        "" => judgement.errors.is_empty(),
        part => said.len() == 1 && said[0].contains(part),
    };
    match found == expected && is_said {
        true => Ok(()),
        false => Err(format!("{found:?}, {said:?}")),
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lint/cases"))
}

/// All files below a directory, by their paths there.
fn read(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(directory).unwrap().display().to_string();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    files
}

fn judge(sources: &[(String, String)]) -> Judgement {
    let mut files = Files::default();
    for (name, text) in sources {
        files.add(Source::new(name.as_str(), text.as_str()));
    }
    lint(&mut files)
}
