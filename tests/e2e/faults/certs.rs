//! The certificate directory is not as it has to be.

use std::fs;

use super::*;

fault!(
    a_read_only_secret,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| pod.certs(&Volume::secret(&[("ca.pem", &registry_ca())])),
        id: "CERTS-READONLY",
        fact: "read-only Secret volume",
        fix: "mount_path = \"/certs/client\"",
        client: Client::SeesTheNames,
        cure: PastedAfter(
            "Change the `mount_path` of that Secret to /etc/dind/registry-ca",
            |pod| pod.with_volume_moved("/certs/client", "/etc/dind/registry-ca")
        ),
        ..Fault::USUAL
    }
);

fault!(
    a_read_only_config_map,
    [docker_26],
    Fault {
        pod: |pod| pod.certs(&Volume::config_map(&[("ca.pem", &registry_ca())])),
        id: "CERTS-READONLY",
        fact: "ConfigMap",
        fix: "mount_path = \"/certs/client\"",
        client: Client::SeesTheNames,
        cure: PastedAfter(
            "Change the `mount_path` of that ConfigMap to /etc/dind/registry-ca",
            |pod| pod.with_volume_moved("/certs/client", "/etc/dind/registry-ca")
        ),
        ..Fault::USUAL
    }
);

fault!(
    a_read_only_empty_volume,
    [docker_26],
    Fault {
        pod: |pod| pod.certs(&Volume::memory().read_only()),
        id: "CERTS-READONLY",
        fact: "/certs/client",
        fix: "mount_path = \"/certs/client\"",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    a_foreign_ca_in_a_writable_directory,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| {
            let certs = Volume::disk();
            fs::write(certs.path().join("ca.pem"), registry_ca()).unwrap();
            pod.certs(&certs)
        },
        id: "CERTS-FOREIGN",
        fact: "/certs/client holds ca.pem",
        fix: "/etc/dind/registry-ca",
        client: Client::SeesTheNames,
        ..Fault::USUAL
    }
);

fault!(
    a_registry_ca_by_sub_path,
    [docker_26],
    Fault {
        pod: |pod| {
            let certs = Volume::disk();
            fs::write(certs.path().join("ca.crt"), registry_ca()).unwrap();
            pod.file(&certs, "ca.crt", "/certs/client/ca.pem")
        },
        id: "CERTS-SUBPATH",
        fact: "/certs/client/ca.pem",
        fix: "sub_path",
        client: Client::SeesTheNames,
        cure: PastedAfter("Take that volume out of the runner's config.toml", |pod| {
            pod.without_volumes_at("/certs/client/ca.pem")
        }),
        ..Fault::USUAL
    }
);

fault!(
    file_names_of_cert_manager,
    [docker_26],
    Fault {
        pod: |pod| {
            let own = own_set();
            let read = |name: &str| fs::read_to_string(own.path().join("client").join(name));
            pod.certs(&Volume::secret(&[
                ("ca.crt", &read("ca.pem").unwrap()),
                ("tls.crt", &read("cert.pem").unwrap()),
                ("tls.key", &read("key.pem").unwrap()),
            ]))
        },
        id: "CERTS-NAMING",
        fact: "tls.crt",
        fix: "\"tls.crt\" = \"cert.pem\"",
        client: Client::HearsNothing,
        cure: OutOfReach("the pod does not know the names of the Secrets"),
        ..Fault::USUAL
    }
);

fault!(
    a_server_set_without_its_key,
    [docker_20, docker_26, docker_28],
    Fault {
        pod: |pod| {
            let own = own_set();
            fs::remove_file(own.path().join("server/key.pem")).unwrap();
            pod.volume(&own.read_only(), "/certs")
        },
        id: "CERTS-INCOMPLETE",
        fact: "/certs/server holds ca.pem and cert.pem but no key.pem",
        fix: "Add key.pem to /certs/server",
        client: Client::SeesTheNames,
        cure: OutOfReach("whoever made the set has to make it anew"),
        ..Fault::USUAL
    }
);

fault!(
    a_server_certificate_that_has_expired,
    [docker_26],
    Fault {
        pod: |pod| {
            let certs = Volume::memory();
            let own = own_authority();
            own.issue_expired_server(&certs.path().join("server"));
            own.issue_client(&certs.path().join("client"));
            pod.volume(&certs.read_only(), "/certs")
        },
        id: "CERTS-EXPIRED",
        fact: "/certs/server/cert.pem (CN=docker:dind server) expired on",
        fix: "Renew cert.pem in /certs/server",
        client: Client::SeesTheNames,
        cure: OutOfReach("whoever made the set has to make it anew"),
        ..Fault::USUAL
    }
);

fault!(
    a_key_of_another_certificate,
    [docker_26],
    Fault {
        pod: |pod| {
            let own = own_set();
            fs::copy(
                own.path().join("client/key.pem"),
                own.path().join("server/key.pem"),
            )
            .unwrap();
            pod.volume(&own.read_only(), "/certs")
        },
        id: "CERTS-MISMATCH",
        fact: "/certs/server/key.pem is not the key of cert.pem",
        fix: "made together",
        client: Client::SeesTheNames,
        cure: OutOfReach("whoever made the set has to make it anew"),
        ..Fault::USUAL
    }
);

fault!(
    a_certificate_that_is_none,
    [docker_26],
    Fault {
        pod: |pod| {
            let own = own_set();
            fs::write(own.path().join("server/cert.pem"), "see the wiki\n").unwrap();
            pod.volume(&own.read_only(), "/certs")
        },
        id: "CERTS-UNREADABLE",
        fact: "/certs/server/cert.pem",
        fix: "PEM",
        client: Client::SeesTheNames,
        cure: OutOfReach("whoever made the set has to make it anew"),
        ..Fault::USUAL
    }
);

fault!(
    a_set_for_another_name,
    [docker_26],
    Fault {
        pod: |pod| {
            let certs = Volume::memory();
            let own = own_authority();
            own.issue_server_for(&certs.path().join("server"), "DNS:dind.example.com");
            own.issue_client(&certs.path().join("client"));
            pod.volume(&certs.read_only(), "/certs")
        },
        id: "CERTS-NAME",
        fact: "dind.example.com",
        fix: "docker",
        client: Client::HearsNothing,
        cure: PastedAfter("Give the service the alias dind.example.com", |pod| pod
            .alias("dind.example.com")),
        ..Fault::USUAL
    }
);

fault!(
    a_directory_that_is_not_shared,
    [docker_20, docker_26, docker_28],
    Fault {
        id: "CERTS-UNSHARED",
        fact: "/certs/client",
        fix: "mount_path = \"/certs/client\"",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

fault!(
    a_volume_without_room,
    [docker_26],
    Fault {
        pod: |pod| pod.certs(&Volume::memory_of("4k")),
        id: "CERTS-FULL",
        fact: "No space left on device",
        fix: "size_limit",
        client: Client::HearsNothing,
        check: Check::CannotKnow,
        ..Fault::USUAL
    }
);

/// The init ends dockerd itself then, and says so: nobody else sent that SIGTERM.
#[test]
fn a_publication_that_fails_is_not_told_as_a_request_to_stop() {
    let pod = Pod::new(Suite::Trixie)
        .certs(&Volume::memory_of("4k"))
        .start();
    let end = pod.service_end().expect_failure().expect("CERTS-FULL");
    assert!(!end.output().contains("SIGTERM: dockerd stops"), "{end}");
    end.expect("the clients' certificates could not be published");
}

fault!(
    a_directory_that_another_dind_uses,
    [docker_26],
    Fault {
        pod: |pod| {
            let certs = Volume::disk();
            let other = Pod::new(Suite::Trixie).certs(&certs).start();
            other.job("docker version").expect_success();
            pod.certs(&certs).beside(other)
        },
        id: "CERTS-IN-USE",
        fact: "/certs/client",
        fix: "$CI_BUILDS_DIR/.dind/$CI_JOB_ID",
        client: Client::SeesTheNames,
        ..Fault::USUAL
    }
);

fault!(
    a_name_that_the_certificate_lacks,
    [docker_26],
    Fault {
        pod: with_certs,
        // As a script that exports another DOCKER_HOST.
        job: "docker --host tcp://127.0.0.2:2376 info",
        id: "CERTS-NAME",
        fact: "bad certificate",
        fix: "DOCKER_TLS_SAN",
        // It refuses dockerd's own certificate.
        client: Client::HearsNothing,
        cure: PastedWith {
            example: "DNS:dind",
            known: "IP:127.0.0.2"
        },
        check: Check::CannotKnow,
        ..Fault::USUAL
    }
);

/// What is pasted cures, and then nothing is said.
#[test]
fn a_name_that_is_said_is_in_the_certificate() {
    let log = RunnerLog::new();
    let pod = with_certs(Pod::new(Suite::Trixie))
        .gitlab_job(&Volume::disk())
        .variable("DOCKER_TLS_SAN", "IP:127.0.0.2")
        .runner_log(&log)
        .start();
    pod.job("docker --host tcp://127.0.0.2:2376 info")
        .expect_success();
    assert_eq!(log.text().unwrap(), "");
}

fault!(
    a_directory_that_the_clone_removes,
    [docker_26],
    Fault {
        pod: |pod| pod
            .variable("CI_PROJECT_DIR", "/builds/group/project")
            .variable("DOCKER_TLS_CERTDIR", "/builds/group/project/certs")
            .variable("DOCKER_CERT_PATH", "/builds/group/project/certs/client"),
        job: "until test -e $DOCKER_CERT_PATH/ca.pem; do sleep 0.05; done
            rm -r /builds/group/project; docker info",
        id: "CERTS-CLEANED",
        fact: "/builds/group/project/certs/client lies in the project's directory",
        fix: "$CI_BUILDS_DIR/.dind/$CI_JOB_ID",
        client: Client::HearsNothing,
        ..Fault::USUAL
    }
);

/// A user's own CA, server and client, all in order.
fn own_set() -> Volume {
    let certs = Volume::memory();
    let own = own_authority();
    own.issue_server(&certs.path().join("server"));
    own.issue_client(&certs.path().join("client"));
    certs
}

fn own_authority() -> Authority {
    Authority::new("Example Corp Docker CA", Profile::Strict)
}
