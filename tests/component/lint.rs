//! The component that finds mistakes in a merge request, run on pipelines with and without one.

use crate::pods::suite::Suite;
use crate::pods::transcript::Transcript;
use crate::project::Project;

/// Runs the component's job on a pipeline of which these are the jobs.
fn lint(inputs: &str, jobs: &str) -> Transcript<'static> {
    let image = Suite::Trixie.service_image();
    let project = Project::of(&format!(
        "include:
  - component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/lint@$CI_COMMIT_SHA
    inputs: {{image: \"{image}\", rules: [{{when: always}}], {inputs}}}
{jobs}"
    ));
    project.run(&["dind-lint"])
}

/// A job of which everything fits together.
const GOOD: &str = "\
build:
  image: docker:29-cli
  services: [docker:29-dind]
  variables:
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: 1
    DOCKER_CERT_PATH: /certs/client
  script: [docker info]
";

#[test]
fn a_pipeline_that_fits_together_passes() {
    lint("", GOOD).expect_success();
}

#[test]
fn a_mistake_is_shown_at_its_line_and_fails_the_job() {
    lint("", &GOOD.replace("2376", "2375"))
        .expect_failure()
        .expect("CLIENT-PORT")
        .expect(".gitlab-ci.yml:")
        .expect("DOCKER_HOST: tcp://docker:2375");
}

#[test]
fn a_warning_fails_only_a_job_that_is_to_deny_it() {
    let slow = GOOD.replace("variables:\n", "variables:\n    DOCKER_DRIVER: vfs\n");
    lint("", &slow)
        .expect_success()
        .expect("STORAGE-SLOW-DRIVER");
    lint("deny: warnings", &slow)
        .expect_failure()
        .expect("STORAGE-SLOW-DRIVER");
}
