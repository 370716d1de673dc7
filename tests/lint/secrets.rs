//! Tokens and passwords are in these files, and in nothing that is printed.

use std::fs;

use crate::lint_in;

const MARKER: &str = "hUnter2-mArkEr";

/// Findings on the very lines with secrets, and beside them.
const RUNNER: &str = "concurrent = 4
[[runners]]
  name = \"a\"
  token = \"glrt-MARKER\"
  environment = [\"REGISTRY_PASSWORD=MARKER\", \"DOCKER_TLS_CERTDIR=/certs\", \"X=MARKER\"]
  [runners.docker]
    privileged = false # password: MARKER
    [[runners.docker.services]]
      name = \"docker:dind\"
      environment = [\"DOCKER_AUTH_CONFIG={\\\"auths\\\": \\\"MARKER\\\"}\", \"DOCKER_TLS_CERTDIR=/certs\"]
[[runners]]
  token = \"MARKER\"
  [runners.kubernetes]
    [[runners.kubernetes.volumes.secret]]
      name = \"ca\"
      # PRIVATE-TOKEN: MARKER
      mount_path = \"/certs/client\"
      # token = MARKER
";

const PIPELINE: &str = "build:
  services: [{name: 'docker:dind', alias: docker, variables: {HEALTHCHECK_TCP_PORT: '1', PASSWORD: MARKER}}]
  variables: {DEPLOY_TOKEN: MARKER, DOCKER_HOST: 'tcp://user:MARKER@docker:2375', KEY: MARKER}
  script: docker login -p MARKER
other:
  services: ['docker:dind']
  variables:
    HTTPS_PROXY: http://me:MARKER@proxy.example.com
    HTTP_PROXY: http://me:MARKER@proxy.example.com
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_VERIFY: 1
    DIND_MTU: glpat-MARKER
  script: x
";

/// Each mistake on a line with a secret.
const BROKEN: [&str; 6] = [
    "[[runners]]\ntoken = \"MARKER\nname = \"x\"\n",
    "[[runners]]\ntoken = MARKER\n",
    "[[runners]]\ntoken = \"MARKER\"\ntoken = \"MARKER\"\n",
    "[[runners]]\nlimit = \"x\"\ntoken = [\"MARKER\"]\n",
    "runners:\n  token: MARKER\n  token: MARKER\n",
    "job:\n  variables:\n    PASSWORD: \"MARKER\n  script: [MARKER\n",
];

#[test]
fn no_secret_is_printed_in_any_format() {
    let directory = tempfile::tempdir().unwrap();
    let values = RUNNER.replace('\n', "\n    ");
    let values = format!("runnerToken: MARKER\nrunners:\n  config: |\n    {values}");
    let texts = [RUNNER, PIPELINE, values.as_str()];
    let texts = texts.into_iter().chain(BROKEN);
    for (index, text) in texts.enumerate() {
        let name = format!("file-{index}");
        let text = text.replace("MARKER", MARKER);
        let mut said = 0;
        for format in ["text", "json", "codequality"] {
            for fix in [&[][..], &["--fix"]] {
                fs::write(directory.path().join(&name), &text).unwrap();
                let always = ["--deny", "warnings", "--format", format, name.as_str()];
                let arguments = [&always[..], fix].concat();
                let outcome = lint_in(directory.path(), &arguments, b"");
                let printed = format!("{}{}", outcome.stdout, outcome.stderr);
                for part in ["hUnter2", "mArkEr"] {
                    assert!(!printed.contains(part), "{arguments:?}\n{text}\n{printed}");
                }
                said += usize::from(outcome.status > 0);
            }
        }
        // Otherwise nothing would be shown here that could have a secret in it.
        assert!(said > 0, "nothing is found in\n{text}");
    }
}

#[test]
fn what_is_underlined_is_shown_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("c"), RUNNER.replace("MARKER", MARKER)).unwrap();
    let outcome = lint_in(directory.path(), &["c"], b"");
    for part in [
        "\"DOCKER_TLS_CERTDIR=/certs\"",
        "password: ***",
        "docker:dind",
    ] {
        assert!(
            outcome.stdout.contains(part),
            "{part} in\n{}",
            outcome.stdout
        );
    }
}
