//! The wait for a service that says nothing, and what can be seen of it all the same.

use std::fs;

use crate::shells::{Container, SHELLS};
use crate::wait::{READY, wait};

#[test]
fn a_service_that_says_nothing_is_explained_by_what_can_be_seen() {
    const OTHERS: &str = "- !reference [.dind, services]";
    let on_docker = || {
        Container::new()
            .variable("KUBERNETES_SERVICE_HOST", "")
            .with_file(".dockerenv", "")
            .with_file("etc/hosts", "127.0.0.1 localhost\n")
    };
    type Case = (&'static str, fn() -> Container, &'static [&'static str]);
    let cases: [Case; 10] = [
        (
            "Kubernetes lists no such name",
            || Container::new().with_file("etc/hosts", "127.0.0.1 localhost docker-mirror\n"),
            &["no service with the name docker", OTHERS],
        ),
        (
            "nobody listens",
            || Container::new().tool("nc", "exit 1"),
            &[
                "is not running",
                "[runners.kubernetes]",
                "privileged = true",
            ],
        ),
        (
            "somebody else listens",
            || Container::new().tool("nc", "[ \"$*\" = '-w 3 docker 2376' ]"),
            &["does not say how it is", "`image`", "volume of your own"],
        ),
        (
            "somebody listens without TLS, and others did write",
            || {
                Container::new()
                    .variable("DOCKER_TLS_CERTDIR", "")
                    .tool("nc", "[ \"$*\" = '-w 3 docker 2375' ]")
                    .with_file("builds/.dind-init/16/status.txt", "ready job=16 …\n")
            },
            &[
                "does not say how it is",
                "although services of other jobs did",
            ],
        ),
        (
            "only this very job's directory is there",
            || {
                Container::new()
                    .with_file("builds/.dind-init/17/client/key.pem", "")
                    .tool("nc", "exit 0")
            },
            &["does not say how it is", "Or it cannot see", "/builds:"],
        ),
        (
            "there is nothing to ask with",
            Container::new,
            &[
                "The causes that are known",
                OTHERS,
                "privileged",
                "`debug: true`",
            ],
        ),
        (
            "the file is another job's",
            || Container::new().status("ready job=16 version=0.1.0 docker=26\n"),
            &["cannot be read", "\"ready job=16 version=0.1.0 docker=26\""],
        ),
        (
            "the file is empty",
            || Container::new().status(""),
            &["cannot be read", "first line"],
        ),
        (
            "no executor with services",
            || Container::new().variable("KUBERNETES_SERVICE_HOST", ""),
            &["has no services", "tags: [docker]"],
        ),
        (
            "not a job at all",
            || Container::new().variable("CI_JOB_ID", ""),
            &["no job of GitLab Runner"],
        ),
    ];
    for shell in SHELLS {
        for (what, container, words) in cases {
            let told = wait(&container().clock(5), shell).expect_status(1);
            for word in words {
                assert!(
                    told.output().contains(word),
                    "{what}, `{word}`: {}",
                    told.output()
                );
            }
        }
        let names = [
            ("exit 2", "no service with the name docker"),
            ("[ \"$*\" = 'hosts docker' ]", "is not running"),
        ];
        for (getent, words) in names {
            let container = on_docker()
                .clock(5)
                .tool("getent", getent)
                .tool("nc", "exit 1");
            let told = wait(&container, shell).expect_status(1).expect(words);
            assert!(
                !told.output().contains("runners.kubernetes"),
                "{}",
                told.output()
            );
        }
    }
}

#[test]
fn whoever_says_nothing_is_waited_for_ten_seconds_and_who_starts_for_longer() {
    for shell in SHELLS {
        let silent = Container::new().clock(1);
        wait(&silent, shell).expect_status(1);
        let now = fs::read_to_string(silent.path("clock")).unwrap();
        // The first look at the clock is the beginning.
        assert_eq!(now.trim(), "11", "{shell:?}");
        let starting = Container::new()
            .clock(1)
            .status("starting job=17 version=0.1.0 docker=\n");
        wait(&starting, shell).expect("not ready after 120 s");
    }
}

#[test]
fn docker_s_own_entrypoint_is_known_at_once_by_what_it_makes() {
    const OWN: &str = "runs docker:dind's own entrypoint, not dind-init.";
    let official = || Container::new().with_file("builds/.dind-init/17/ca/key.pem", "");
    for shell in SHELLS {
        let container = official().clock(1);
        let told = wait(&container, shell).expect_status(1).expect(OWN);
        told.expect("component's input\n`image` out")
            .expect_not("other jobs");
        let now = fs::read_to_string(container.path("clock")).unwrap();
        assert_eq!(now.trim(), "2", "{shell:?} looked more than once");
        // dind-init keeps a CA where somebody has made the directory for it.
        wait(&official().status(READY), shell).expect_status(0);
        // Another's status is no status of docker:dind's.
        let other = official().clock(5).status("ready job=16 version=0.1.0\n");
        wait(&other, shell).expect_status(1).expect_not(OWN);
    }
}
