use super::super::tests::samples::{docker, expect, judge, kubernetes};
use crate::reasons::Severity::{Error, Fatal, Note, Warning};

const CLIENT: &str = "\"/certs/client\"";

/// Tables of volumes, each `kind` with its lines.
fn volumes(tables: &[(&str, &str)]) -> String {
    let table = |(kind, lines): &(&str, &str)| {
        format!("    [[runners.kubernetes.volumes.{kind}]]\n      name = \"v\"\n{lines}\n")
    };
    kubernetes(&tables.iter().map(table).collect::<String>())
}

#[test]
fn what_is_read_only_whatever_is_asked_for() {
    for kind in ["secret", "config_map", "projected"] {
        let on = format!("mount_path = {CLIENT}");
        expect(
            &volumes(&[(kind, &on)]),
            &[("CERTS-READONLY", Fatal, CLIENT)],
        );
        let with_slash = "mount_path = \"/certs/client/\"";
        let underlined = "\"/certs/client/\"";
        expect(
            &volumes(&[(kind, with_slash)]),
            &[("CERTS-READONLY", Fatal, underlined)],
        );
        let above = "mount_path = \"/certs\"";
        expect(
            &volumes(&[(kind, above)]),
            &[("CERTS-READONLY", Fatal, "\"/certs\"")],
        );
        for beside in ["/certs/client-ca", "/certificates", "/etc/dind/registry-ca"] {
            let beside = format!("mount_path = {beside:?}");
            expect(&volumes(&[(kind, &beside)]), &[]);
        }
    }
}

#[test]
fn an_empty_volume_deeper_down_takes_the_place_of_one_above() {
    let secret = ("secret", "mount_path = \"/certs\"");
    let empty = ("empty_dir", "mount_path = \"/certs/client\"");
    expect(&volumes(&[secret, empty]), &[]);
    expect(&volumes(&[empty, secret]), &[]);
    let empty_above = ("empty_dir", "mount_path = \"/certs\"");
    let secret_below = ("secret", "mount_path = \"/certs/client\"");
    expect(
        &volumes(&[empty_above, secret_below]),
        &[("CERTS-READONLY", Fatal, CLIENT)],
    );
    // A directory inside the client's does no harm.
    let inside = ("secret", "mount_path = \"/certs/client/registry\"");
    expect(&volumes(&[empty, inside]), &[]);
}

#[test]
fn a_set_of_one_s_own_is_no_mistake() {
    let client = ("secret", "mount_path = \"/certs/client\"");
    let server = ("secret", "mount_path = \"/certs/server\"");
    expect(&volumes(&[client, server]), &[]);
    let both = "mount_path = \"/certs\"\n[runners.kubernetes.volumes.secret.items]\n\
                \"a\" = \"client/ca.pem\"\n\"b\" = \"server/key.pem\"";
    expect(&volumes(&[("secret", both)]), &[]);
    // An empty directory for the server is no set.
    let empty = ("empty_dir", "mount_path = \"/certs/server\"");
    expect(
        &volumes(&[client, empty]),
        &[("CERTS-READONLY", Fatal, CLIENT)],
    );
    let client_alone = "mount_path = \"/certs\"\n[runners.kubernetes.volumes.secret.items]\n\
                        \"a\" = \"client/ca.pem\"";
    expect(
        &volumes(&[("secret", client_alone)]),
        &[("CERTS-READONLY", Fatal, "\"/certs\"")],
    );
}

#[test]
fn volumes_that_are_read_only_because_it_is_asked_for() {
    for kind in ["host_path", "pvc", "nfs", "csi"] {
        let lines = format!("mount_path = {CLIENT}\nread_only = true");
        expect(
            &volumes(&[(kind, &lines)]),
            &[("CERTS-READONLY", Fatal, CLIENT)],
        );
        // It may hold a whole set of the user's own: said, not judged.
        let above = volumes(&[(kind, "mount_path = \"/certs\"\nread_only = true")]);
        expect(&above, &[]);
        assert_eq!(judge(&above).remarks.len(), 1);
    }
    let of_docker = docker("volumes = [\"/srv/ca:/certs/client:ro\", \"/cache\"]");
    expect(&of_docker, &[("CERTS-READONLY", Fatal, "/certs/client")]);
    expect(&docker("volumes = [\"/certs/client\", \"/cache\"]"), &[]);
}

#[test]
fn a_single_file_where_one_has_to_be_written() {
    let empty = ("empty_dir", "mount_path = \"/certs/client\"");
    let file = (
        "secret",
        "mount_path = \"/certs/client/ca.pem\"\nsub_path = \"ca.crt\"",
    );
    let expected = [("CERTS-SUBPATH", Fatal, "\"/certs/client/ca.pem\"")];
    expect(&volumes(&[file]), &expected);
    expect(&volumes(&[empty, file]), &expected);
    let of_docker = docker("volumes = [\"/srv/ca.crt:/certs/client/ca.pem:ro\"]");
    expect(
        &of_docker,
        &[("CERTS-SUBPATH", Fatal, "/certs/client/ca.pem")],
    );
    // Another name is in nobody's way.
    let other = (
        "secret",
        "mount_path = \"/certs/client/extra.crt\"\nsub_path = \"ca.crt\"",
    );
    expect(&volumes(&[empty, other]), &[]);
    // The user's own set, file by file.
    let mut own = Vec::new();
    for directory in ["client", "server"] {
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            own.push(format!("\"/pki/{name}:/certs/{directory}/{name}:ro\""));
        }
    }
    expect(&docker(&format!("volumes = [{}]", own.join(", "))), &[]);
}

#[test]
fn one_directory_for_jobs_that_run_at_the_same_time() {
    let shared = [
        ("host_path", "host_path = \"/srv/certs\""),
        ("pvc", ""),
        ("nfs", "server = \"nfs.example.com\"\npath = \"/certs\""),
    ];
    for (kind, more) in shared {
        let lines = format!("mount_path = {CLIENT}\n{more}");
        let text = volumes(&[(kind, &lines)]);
        expect(&text, &[("CERTS-IN-USE", Error, CLIENT)]);
        let unsaid = text.replace("concurrent = 4\n", "");
        expect(&unsaid, &[("CERTS-IN-USE", Warning, CLIENT)]);
        for alone in [
            text.replace("concurrent = 4", "concurrent = 1"),
            text.replace("executor =", "limit = 1\nexecutor ="),
            text.replace(&lines, &format!("{lines}\nsub_path = \"$CI_JOB_ID\"")),
        ] {
            expect(&alone, &[]);
        }
    }
    for (entry, underlined) in [
        ("/srv/certs:/certs/client", "/certs/client"),
        ("certs:/certs:rw", "/certs"),
    ] {
        let text = docker(&format!("volumes = [\"/cache\", \"{entry}\"]"));
        expect(&text, &[("CERTS-IN-USE", Error, underlined)]);
    }
}

#[test]
fn certificates_that_no_job_can_see() {
    let variable = "environment = [\"DOCKER_TLS_CERTDIR=/certs\", \"OTHER=1\"]";
    let said = |text: String| text.replace("executor =", &format!("{variable}\nexecutor ="));
    let expected = [("CERTS-UNSHARED", Error, "\"DOCKER_TLS_CERTDIR=/certs\"")];
    expect(&said(kubernetes("")), &expected);
    expect(&said(docker("volumes = [\"/cache\"]")), &expected);
    expect(&said(docker("volumes = [\"/certs\"]")), &[]);
    // The job may turn TLS off, as GitLab's recipe for a mirror leaves open.
    let service = "[[runners.docker.services]]\nname = \"docker:dind\"\nalias = \"docker\"";
    expect(
        &docker(service),
        &[("CERTS-UNSHARED", Note, "\"docker:dind\"")],
    );
    expect(&kubernetes(""), &[]);
    expect(&docker("volumes = [\"/cache\"]"), &[]);
}

#[test]
fn another_directory_counts_and_without_tls_none_does() {
    let secret = volumes(&[("secret", "mount_path = \"/certs/client\"")]);
    let with = |value: &str| {
        let variable = format!("environment = [\"DOCKER_TLS_CERTDIR={value}\"]\nexecutor =");
        secret.replace("executor =", &variable)
    };
    expect(&with(""), &[]);
    expect(&with("$CI_BUILDS_DIR/.dind"), &[]);
    expect(
        &with("/tls"),
        &[("CERTS-UNSHARED", Error, "\"DOCKER_TLS_CERTDIR=/tls\"")],
    );
    expect(
        &with("/tls").replace("/certs/client", "/tls/client"),
        &[("CERTS-READONLY", Fatal, "\"/tls/client\"")],
    );
    let of_service = format!(
        "{secret}[[runners.kubernetes.services]]\nname = \"docker:dind\"\n\
         environment = [\"DOCKER_TLS_CERTDIR=\"]\n"
    );
    let no_data_volume = ("STORAGE-ON-OVERLAY", Note, "[runners.kubernetes]");
    expect(&of_service, &[no_data_volume]);
}

#[test]
fn a_runner_without_services_is_left_alone() {
    let text = volumes(&[("secret", "mount_path = \"/certs/client\"")]);
    expect(&text.replace("\"kubernetes\"", "\"shell\""), &[]);
}

#[test]
fn one_key_in_place_of_the_directory() {
    for path in ["/certs/client", "/certs"] {
        let lines = format!("mount_path = {path:?}\nsub_path = \"ca.crt\"");
        let underlined = format!("{path:?}");
        expect(
            &volumes(&[("secret", &lines)]),
            &[("CERTS-SUBPATH", Fatal, underlined.as_str())],
        );
    }
    // A claim has directories.
    let claim = "mount_path = \"/certs/client\"\nsub_path = \"$CI_JOB_ID\"";
    expect(&volumes(&[("pvc", claim)]), &[]);
}
