//! Each common fault, put by program into every configuration that is clean and has a place for it:
//! all of them are found.

use std::{collections::BTreeMap, fs, path::PathBuf};

use crate::{directory, judge, read};

/// A configuration's files, by name and text.
type Sources = Vec<(String, String)>;

struct Fault {
    name: &'static str,
    /// The same configuration with the fault; `None` where it has no place for it.
    put: fn(&Sources) -> Option<Sources>,
    /// Any of these says it.
    found: &'static [&'static str],
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "the port of the other kind",
        put: |sources| {
            is_set(sources, "DOCKER_HOST").then_some(())?;
            replaced(sources, "tcp://docker:2375", "tcp://docker:2376")
                .or_else(|| replaced(sources, "tcp://docker:2376", "tcp://docker:2375"))
        },
        found: &["CLIENT-PORT", "NETWORK-HEALTH-CHECK"],
    },
    Fault {
        name: "TLS is not turned off",
        put: |sources| {
            // A port of the user's own speaks TLS then, which some images know by themselves.
            (has(sources, ":2375") && !has(sources, "--host=")).then_some(())?;
            without_pair(sources, "DOCKER_TLS_CERTDIR: \"\"")
                .or_else(|| without_pair(sources, "DOCKER_TLS_CERTDIR: ''"))
                .or_else(|| replaced(sources, "\"DOCKER_TLS_CERTDIR=\", ", ""))
        },
        found: &["CLIENT-PORT"],
    },
    Fault {
        name: "a Secret over the certificates",
        put: |sources| {
            (uses_tls(sources) && has(sources, "mount_path = \"/certs/client\"")).then_some(())?;
            replaced(sources, "volumes.empty_dir]]", "volumes.secret]]")
        },
        found: &["CERTS-READONLY"],
    },
    Fault {
        name: "one key of a Secret in place of the certificates' directory",
        put: |sources| {
            uses_tls(sources).then_some(())?;
            let with = replaced(sources, "volumes.empty_dir]]", "volumes.secret]]")?;
            replaced(
                &with,
                "mount_path = \"/certs/client\"",
                "mount_path = \"/certs/client\"\n        sub_path = \"ca.crt\"",
            )
        },
        found: &["CERTS-SUBPATH"],
    },
    Fault {
        name: "no volume for the certificates",
        put: |sources| {
            uses_tls(sources).then_some(())?;
            replaced(sources, "\"/certs/client\", ", "").or_else(|| {
                replaced(
                    sources,
                    "mount_path = \"/certs/client\"",
                    "mount_path = \"/x\"",
                )
            })
        },
        found: &["CERTS-UNSHARED"],
    },
    Fault {
        name: "two volumes at one path",
        put: |sources| {
            let twice = "mount_path = \"/certs/client\"\n      [[runners.kubernetes.volumes.empty_dir]]\n        \
                         name = \"again\"\n        mount_path = \"/certs/client\"";
            replaced(sources, "mount_path = \"/certs/client\"", twice)
        },
        found: &["STORAGE-MOUNTED-TWICE"],
    },
    Fault {
        name: "no privileges",
        put: |sources| {
            has_dind(sources).then_some(())?;
            replaced(sources, "privileged = true", "privileged = false")
        },
        found: &["NOT-PRIVILEGED"],
    },
    Fault {
        name: "DOCKER_HOST is not set on Kubernetes",
        put: |sources| {
            // With DOCKER_TLS_VERIFY the client dials localhost:2376, which is the service.
            let is_plain = !has(sources, "DOCKER_TLS_VERIFY");
            (has(sources, "[runners.kubernetes]") && is_plain).then_some(())?;
            without_line(sources, "DOCKER_HOST: ")
        },
        found: &["CLIENT-HOST"],
    },
    Fault {
        name: "DOCKER_TLS_VERIFY is not set on Kubernetes",
        put: |sources| {
            has(sources, "[runners.kubernetes]").then_some(())?;
            without_line(sources, "DOCKER_TLS_VERIFY: ")
        },
        found: &["CLIENT-TLS-VERIFY"],
    },
    Fault {
        name: "certificates are looked for elsewhere",
        put: |sources| {
            has(sources, "DOCKER_TLS_VERIFY: ").then_some(())?;
            replaced(sources, "CERTDIR/client", "CERTDIR").or_else(|| {
                replaced(
                    sources,
                    "DOCKER_CERT_PATH: /certs/client",
                    "DOCKER_CERT_PATH: /x",
                )
            })
        },
        found: &["CLIENT-CERT-PATH"],
    },
    Fault {
        name: "the node's socket beside a service",
        put: |sources| {
            (has_dind(sources) && !has(sources, "unix:///runner")).then_some(())?;
            let socket = "/var/run/docker.sock:/var/run/docker.sock";
            replaced(
                sources,
                "volumes = [",
                &format!("volumes = [\"{socket}\", "),
            )
        },
        found: &["NETWORK-SOCKET-BUSY"],
    },
    Fault {
        name: "localhost with the Docker executor",
        put: |sources| {
            has(sources, "[runners.docker]").then_some(())?;
            replaced(sources, "tcp://docker:", "tcp://localhost:")
        },
        found: &["CLIENT-HOST"],
    },
    Fault {
        name: "a name that no service has",
        put: |sources| {
            has_dind(sources).then_some(())?;
            replaced(sources, "tcp://docker:", "tcp://dokcer:")
        },
        found: &["CLIENT-HOST"],
    },
    Fault {
        name: "a socket that nobody shares",
        put: |sources| replaced(sources, "\"/runner/services/docker\"", "\"/cache\""),
        found: &["CLIENT-HOST"],
    },
    Fault {
        name: "the client's image as the service",
        put: |sources| {
            let text = joined(sources);
            (text.contains("[[runners]]") && text.contains("docker ")).then_some(())?;
            (!text.contains("docker.sock")).then_some(())?;
            replaced(sources, "docker:27-dind", "docker:27-cli")
        },
        found: &["CLIENT-HOST"],
    },
    Fault {
        name: "a storage driver that is gone",
        put: |sources| {
            has_dind(sources).then_some(())?;
            replaced(sources, "DOCKER_DRIVER: overlay2", "DOCKER_DRIVER: overlay")
        },
        found: &["STORAGE-DRIVER-CONFLICT"],
    },
    Fault {
        name: "a mirror without a scheme",
        put: |sources| replaced(sources, "\"https://mirror.", "\"mirror."),
        found: &["DAEMON-FLAG"],
    },
];

#[test]
fn every_fault_that_the_files_hold_is_found() {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut missed = Vec::new();
    for (case, sources) in clean() {
        for fault in FAULTS {
            let Some(faulty) = (fault.put)(&sources) else {
                continue;
            };
            *counts.entry(fault.name).or_default() += 1;
            let judgement = judge(faulty.clone());
            let ids: Vec<_> = judgement
                .problems
                .iter()
                .map(|problem| problem.finding.reason.id)
                .collect();
            if !ids.iter().any(|id| fault.found.contains(id)) {
                missed.push(format!(
                    "{case}: {}: {ids:?}\n{}",
                    fault.name,
                    joined(&faulty)
                ));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
    // One that no configuration has a place for tells nothing.
    assert_eq!(counts.len(), FAULTS.len(), "{counts:?}");
}

/// What decides is in another project there, or depends on a rule: nothing is said about it.
const NOT_IN_SIGHT: [&str; 2] = ["absent-reference", "rules-variables"];

/// What is recommended, and what only looks wrong.
fn clean() -> Vec<(String, Sources)> {
    let cases = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lint/cases"));
    let looks_wrong = ["localhost-kubernetes", "volume-with-mode"].map(|name| cases.join(name));
    let recommended = fs::read_dir(directory()).unwrap();
    let recommended = recommended.map(|entry| entry.unwrap().path());
    recommended
        .filter(|path| path.is_dir() && !NOT_IN_SIGHT.iter().any(|name| path.ends_with(name)))
        .chain(looks_wrong)
        .map(|path| (path.display().to_string(), read(&path)))
        .collect()
}

fn joined(sources: &Sources) -> String {
    let texts: Vec<_> = sources.iter().map(|(_, text)| text.as_str()).collect();
    texts.join("\n---\n")
}

fn has(sources: &Sources, part: &str) -> bool {
    joined(sources).contains(part)
}

/// A job with a daemon of its own, and a runner for it.
fn has_dind(sources: &Sources) -> bool {
    has(sources, "dind") && has(sources, "services:")
}

fn is_set(sources: &Sources, name: &str) -> bool {
    has(sources, &format!("{name}: ")) && has_dind(sources)
}

/// A job says so, and a runner that runs it is there.
fn uses_tls(sources: &Sources) -> bool {
    let is_off = has(sources, "DOCKER_TLS_CERTDIR: \"\"")
        || has(sources, "DOCKER_TLS_CERTDIR=\"")
        || has(sources, "[\"dockerd\"");
    has_dind(sources) && !is_off && has(sources, "/certs") && has(sources, "[[runners]]")
}

/// In every file; `None` where it stands in none.
fn replaced(sources: &Sources, from: &str, to: &str) -> Option<Sources> {
    has(sources, from).then(|| {
        let sources = sources.iter();
        sources
            .map(|(name, text)| (name.clone(), text.replace(from, to)))
            .collect()
    })
}

/// Without the lines that begin like this.
fn without_line(sources: &Sources, begins: &str) -> Option<Sources> {
    let is_one = |line: &&str| line.trim_start().starts_with(begins);
    let is_there = sources
        .iter()
        .any(|(_, text)| text.lines().any(|line| is_one(&line)));
    is_there.then(|| {
        let sources = sources.iter();
        sources
            .map(|(name, text)| {
                let lines: Vec<_> = text.lines().filter(|line| !is_one(line)).collect();
                (name.clone(), lines.join("\n") + "\n")
            })
            .collect()
    })
}

/// Without a key and its value, on a line of their own or in braces.
fn without_pair(sources: &Sources, pair: &str) -> Option<Sources> {
    without_line(sources, pair)
        .or_else(|| replaced(sources, &format!(", {pair}"), ""))
        .or_else(|| replaced(sources, &format!("{pair}, "), ""))
}
