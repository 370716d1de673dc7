//! What can be set from outside: every variable and every image, said once and explained.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_yaml_ng::Value;

use crate::preview::{Preview, script};

const PIPELINE: &str = ".gitlab-ci.yml";

/// Of the shell, of git, of cargo, and of the machine.
const AMBIENT: [&str; 3] = ["BASH_SOURCE", "HOME", "XDG_CACHE_HOME"];

#[test]
fn every_variable_of_the_pipeline_has_a_comment_of_its_own_or_of_its_neighbour() {
    let text = fs::read_to_string(PIPELINE).unwrap();
    let block = text.split_once("\nvariables:\n").unwrap().1;
    let lines = block
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '));
    let mut explained = false;
    let mut names = BTreeSet::new();
    for line in lines {
        match line.trim() {
            "" => explained = false,
            comment if comment.starts_with('#') => explained = true,
            variable => {
                assert!(explained, "{variable} has no comment above");
                names.insert(variable.split(':').next().unwrap().to_owned());
            }
        }
    }
    assert_eq!(names, global_variables(&Preview::read()));
}

/// A script's variable that nobody can find in the pipeline's file is a secret of the script.
#[test]
fn every_variable_that_a_script_reads_is_explained_in_the_pipeline_s_file() {
    let pipeline = fs::read_to_string(PIPELINE).unwrap();
    let scripts = scripts().into_iter();
    // One script may set what another reads.
    let all: String = scripts
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(
        unexplained(&all, &pipeline),
        [""; 0],
        "not explained in {PIPELINE}"
    );
}

#[test]
fn control_a_secret_variable_is_found() {
    let secret = "echo \"$SIGNING ${SECRET:-none} $local ${CI_JOB_TOKEN} $HOME\"; OWN=1; echo $OWN";
    assert_eq!(unexplained(secret, "SIGNING: \"on\""), ["SECRET"]);
    assert_eq!(unexplained(secret, "SIGNING, SECRET"), [""; 0]);
}

/// So that a mirror or an air-gapped registry can take its place, without a change of the file.
#[test]
fn every_image_is_a_variable() {
    let preview = Preview::read();
    let globals = global_variables(&preview);
    let is_a_variable = |image: &str| {
        image
            .strip_prefix('$')
            .is_some_and(|name| globals.contains(name) || name.starts_with("CI_REGISTRY_IMAGE/"))
    };
    let mut images = 0;
    for (name, job) in preview.jobs() {
        let services = job["services"].as_sequence().into_iter().flatten();
        for image in services.chain(job.get("image")) {
            let image = image.as_str().or_else(|| image["name"].as_str()).unwrap();
            assert!(is_a_variable(image), "{name}: {image}");
            images += 1;
        }
    }
    assert!(images > 10);
    assert!(!is_a_variable("docker:29-dind") && !is_a_variable("$OTHER"));
}

/// Docker's versions are listed in one place. GitLab wants them in its matrix as well.
#[test]
fn the_matrices_have_the_versions_of_docker_and_the_architectures_of_the_images() {
    let preview = Preview::read();
    let text = fs::read_to_string("release/docker-versions").unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let versions: Vec<_> = lines.filter_map(|line| line.split(' ').next()).collect();
    let candidates = fs::read_to_string("release/candidates.sh").unwrap();
    let architectures = candidates.split_once("ARCHITECTURES=(").unwrap().1;
    let architectures = architectures.split_once(')').unwrap().0;
    let architectures: Vec<_> = architectures.split(' ').collect();

    let mut matrices = 0;
    for (name, job) in preview.jobs() {
        let matrix = &job["parallel"]["matrix"];
        for row in matrix.as_sequence().into_iter().flatten() {
            matrices += 1;
            for (variable, expected) in [
                ("DOCKER", versions.clone()),
                ("ARCHITECTURE", architectures.clone()),
                ("VARIANT", vec!["dind", "dind-rootless"]),
            ] {
                if let Some(values) = row.get(variable).and_then(Value::as_sequence) {
                    let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
                    assert_eq!(values, expected, "{variable} of {name}");
                }
            }
        }
    }
    assert_eq!(matrices, 5);
    let newest = format!("-{}-dind", versions[0]);
    let service = preview.job("component")["services"][0]["name"]
        .as_str()
        .unwrap();
    assert!(service.ends_with(&newest), "{service}");
    // What is built on by default is what builds: one version to keep, not two.
    for (name, kind) in [("DOCKER_CLI_IMAGE", "cli"), ("DOCKER_DIND_IMAGE", "dind")] {
        let image = preview.0["variables"][name].as_str().unwrap();
        let tag = image.split('@').next();
        assert_eq!(tag, Some(&*format!("docker:{}-{kind}", versions[0])));
    }
}

/// A script that is called is there and can be run; what is there is called.
#[test]
fn every_script_of_a_release_is_called() {
    let preview = Preview::read();
    let mut called: String = preview.jobs().map(|(_, job)| script(job)).collect();
    called += &fs::read_to_string("Makefile").unwrap();
    for path in scripts() {
        called += &fs::read_to_string(path).unwrap();
    }
    for path in scripts() {
        assert!(called.contains(&path), "nobody calls {path}");
    }
    let words = called.split(|c: char| !(c.is_alphanumeric() || "./_-".contains(c)));
    let named = words.filter(|word| word.starts_with("release/") && word.ends_with(".sh"));
    for name in named {
        assert!(
            fs::exists(name).unwrap(),
            "{name} is called, and is not there"
        );
    }
}

/// A new binary of tests is run by some suite, and each suite by some job.
#[test]
fn every_test_is_run_by_a_job() {
    let suites = fs::read_to_string(".ci/suite").unwrap();
    let listed = Command::new("git")
        .args(["ls-files", "--", "tests/*.rs", "tests/*/main.rs"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names = listed.lines().filter_map(|path| {
        let path = path.strip_prefix("tests/").unwrap();
        let name = path.strip_suffix("/main.rs");
        name.or_else(|| path.strip_suffix(".rs").filter(|name| !name.contains('/')))
    });
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"e2e") && names.contains(&"command_line"));
    let is_run = |name: &str| {
        let nextest = suites.contains(&format!("binary({name})"));
        let cargo = suites.lines().any(|line| {
            let mut words = line.split(' ').skip_while(|word| *word != "--test");
            words.any(|word| word == name)
        });
        nextest && cargo
    };
    for name in names {
        assert!(is_run(name), "no suite of .ci/suite runs {name}");
    }
    assert!(!is_run("another"));

    let preview = Preview::read();
    let scripts: String = preview.jobs().map(|(_, job)| script(job) + "\n").collect();
    let suites = suites
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(')'));
    let suites: Vec<_> = suites
        .filter(|name| name.chars().all(|c| c.is_alphanumeric()))
        .collect();
    assert!(suites.len() > 5);
    // Tests that the other suites have as well, for whoever works on a change.
    let suites = suites.into_iter().filter(|suite| *suite != "quick");
    for suite in suites {
        let by_itself = scripts.contains(&format!(".ci/suite {suite}\n"));
        let on_candidates = scripts.contains(&format!("release/test.sh {suite} "));
        assert!(by_itself || on_candidates, "no job runs the suite {suite}");
    }
}

fn global_variables(preview: &Preview) -> BTreeSet<String> {
    let variables = preview.0["variables"].as_mapping().unwrap();
    let names = variables.keys().filter_map(Value::as_str);
    names.map(ToOwned::to_owned).collect()
}

fn scripts() -> Vec<String> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
        ])
        .args(["release/*.sh", ".ci/suite"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().count() > 10);
    listed.lines().map(ToOwned::to_owned).collect()
}

/// The variables that a script reads without setting them, and that are not named in `pipeline`.
/// GitLab's own begin with `CI_`.
fn unexplained(script: &str, pipeline: &str) -> Vec<String> {
    let code = script
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let code: String = code.map(|line| format!("{line}\n")).collect();
    let reads = code.split('$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let is_upper = name.starts_with(|c: char| c.is_ascii_uppercase());
        let is_whole = !rest.starts_with(|c: char| c.is_ascii_lowercase());
        (is_upper && is_whole).then_some(name)
    });
    let names: BTreeSet<_> = reads.collect();
    let names = names.into_iter().filter(|name| {
        let is_set = code.contains(&format!("{name}="));
        !is_set && !name.starts_with("CI_") && !AMBIENT.contains(name) && !pipeline.contains(name)
    });
    names.map(ToOwned::to_owned).collect()
}
