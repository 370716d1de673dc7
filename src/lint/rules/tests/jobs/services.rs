//! What a service is told, and what its variables say.

use super::*;

#[test]
fn options_that_dockerd_does_not_take_are_found() {
    let with = |command: &str| {
        format!("build:\n  services: [{{name: 'docker:dind', command: {command}}}]\n  script: x\n")
    };
    for (command, is_found) in [
        ("['--registry-mirror=mirror.example.com']", true),
        ("[--registry-mirror, 'https://mirror.example.com']", false),
        ("['--insecure-registry=']", true),
        ("['--insecure-registry=registry.example.com/group']", true),
        ("['--insecure-registry=my_registry:5000']", true),
        (
            "['--registry-mirror=https://mirror.example.com/hub/']",
            false,
        ),
        ("['--insecure-registry=10.0.0.0/8']", false),
        // The runner expands no variable there.
        ("['--insecure-registry=$REGISTRY']", true),
        ("[--registry-mirror, 'https://$MIRROR']", true),
        ("['--mtu=$MTU']", true),
        ("[--mtu, '${MTU}', --debug]", true),
        ("['--label=cost=5$']", false),
        ("['--mtu 1400']", true),
        ("['--mtu=1400', '--debug --mtu 1400']", true),
        ("[--mtu, '1400']", false),
        ("['--label=a sentence -with a hyphen']", false),
        ("[sh, -c, 'dockerd-entrypoint.sh --mtu=$MTU']", false),
        (
            "[sh, -c, 'dockerd-entrypoint.sh --insecure-registry=$REGISTRY']",
            false,
        ),
    ] {
        let expected = format!("DAEMON-FLAG: {command}");
        let expected = if is_found {
            vec![expected.as_str()]
        } else {
            vec![]
        };
        assert_found(&with(command), &expected);
    }
    let old = with("['--registry-mirror=https://mirror.example.com/hub/']");
    let old = old.replace("docker:dind", "docker:23-dind");
    let underlined = "['--registry-mirror=https://mirror.example.com/hub/']";
    assert_found(&old, &[&format!("DAEMON-FLAG: {underlined}")]);
    let variable = "'--insecure-registry=registry.example.com/group'";
    assert_found(
        &job(&format!("DIND_DOCKERD_ARGS: {variable}")),
        &[&format!("DAEMON-FLAG: {variable}")],
    );
    assert_found(
        &job("DIND_DOCKERD_ARGS: \"'--mtu 1400' -D\""),
        &["DAEMON-FLAG: \"'--mtu 1400' -D\""],
    );
    assert_found(&job("DIND_DOCKERD_ARGS: --mtu 1400 -D"), &[]);
    assert_found(
        &job("DIND_INSECURE_REGISTRIES: registry.example.com/group"),
        &["SETTINGS-INVALID: registry.example.com/group"],
    );
    assert_found(
        &job("DOCKER_DRIVER: overlay"),
        &["STORAGE-DRIVER-CONFLICT: overlay"],
    );
    let old = job("DOCKER_DRIVER: overlay").replace("docker:dind", "docker:20.10-dind");
    assert_found(&old, &[]);
}

#[test]
fn two_daemons_share_a_pod_s_ports() {
    let with =
        |second: &str| format!("build:\n  services: ['docker:dind', {second}]\n  script: x\n");
    let in_kubernetes = |known| Surroundings {
        in_kubernetes: Some(known),
        ..Surroundings::default()
    };
    let two = with("{name: 'docker:24-dind', alias: other}");
    let expected = ["NETWORK-PORT-IN-USE: 'docker:24-dind'"];
    assert_found(&two, &expected);
    assert!(found(&two, in_kubernetes(true)).contains(&expected[0].to_owned()));
    assert!(found(&two, in_kubernetes(false)).is_empty());
    assert_found(
        &with("{name: 'docker:24-dind', alias: other, variables: {DOCKER_TLS_CERTDIR: ''}}"),
        &[],
    );
    assert_found(&with("'postgres:16'"), &[]);
}

#[test]
fn the_runner_waits_for_a_number_that_is_served() {
    let with = |port: &str| {
        format!(
            "build:\n  services:\n    - name: docker:dind\n      variables:\n        \
             HEALTHCHECK_TCP_PORT: {port}\n  script: x\n  variables: {{PORT: 2376, {TLS}}}\n"
        )
    };
    for port in ["2375", "$PORT", "'two'", "''"] {
        assert_found(&with(port), &[&format!("NETWORK-HEALTH-CHECK: {port}")]);
    }
    assert_found(&with("2376"), &[]);
    assert_found(&with("'2376'"), &[]);
}

#[test]
fn a_command_that_is_dropped_is_noticed() {
    let with = |flag: &str, command: &str| {
        format!(
            "build:\n  services:\n    - name: docker:dind\n      command: {command}\n  script: x\n  \
             variables: {{FF_KUBERNETES_HONOR_ENTRYPOINT: {flag}}}\n"
        )
    };
    assert_found(
        &with("true", "['--mtu=1400']"),
        &["DAEMON-COMMAND-DROPPED: ['--mtu=1400']"],
    );
    assert_found(
        &with("'1'", "[sh, -c, x]"),
        &["DAEMON-COMMAND-DROPPED: [sh, -c, x]"],
    );
    assert_found(&with("false", "['--mtu=1400']"), &[]);
    assert_found(&with("true", "[]"), &[]);
}

#[test]
fn a_slow_storage_driver_is_noticed() {
    assert_found(&job("DOCKER_DRIVER: vfs"), &["STORAGE-SLOW-DRIVER: vfs"]);
    assert_found(&job("DOCKER_DRIVER: overlay2"), &[]);
    let with = |command: &str| {
        format!("build:\n  services: [{{name: 'docker:dind', command: {command}}}]\n  script: x\n")
    };
    assert_found(&with("[-s, vfs]"), &["STORAGE-SLOW-DRIVER: [-s, vfs]"]);
    assert_found(&with("['--storage-driver=overlay2']"), &[]);
}

#[test]
fn a_variable_s_name_is_told_where_it_is_almost_ours() {
    assert_found(&job("DIND_ON_FAILUR: exit"), &["SETTINGS-MISSPELT: exit"]);
    for own in [
        "DIND_ON_FAILURE: exit",
        "DIND_VERSION: '28'",
        "DIND_IMAGE: x",
    ] {
        assert_found(&job(own), &[]);
    }
}

#[test]
fn a_value_that_the_init_refuses_is_found_before() {
    for (variable, place) in [
        ("DIND_MTU: small", "small"),
        ("DIND_CLIENT_KEY: rsa-1024", "rsa-1024"),
        ("DIND_CERT_DAYS: soon", "soon"),
        ("DIND_IGNORE: NO-SUCH-ID", "NO-SUCH-ID"),
        ("DIND_REGISTRY_CA: 'no path'", "'no path'"),
    ] {
        assert_found(&job(variable), &[&format!("SETTINGS-INVALID: {place}")]);
    }
    assert_found(
        &job("DIND_MTU: small, DIND_LOG: xml"),
        &["SETTINGS-INVALID: small", "SETTINGS-INVALID: xml"],
    );
    for variable in [
        "DIND_MTU: 1400",
        "DIND_MTU: $MTU",
        "DIND_REGISTRY_CA: 'registry.example.com=/ca.crt'",
        "DIND_REGISTRY_CA: $CORPORATE_CA",
        "DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/x",
    ] {
        assert_found(&job(variable), &[]);
    }
}

#[test]
fn a_chain_of_variables_may_stay_as_it_is() {
    let chained = "DOCKER_HOST: 'tcp://docker:2376', DOCKER_TLS_VERIFY: 1, \
                   DOCKER_CERT_PATH: $DOCKER_TLS_CERTDIR/client, DOCKER_TLS_CERTDIR: ";
    assert_found(
        &job(&format!("{chained} $CI_BUILDS_DIR/x")),
        &["CLIENT-CERT-PATH: $DOCKER_TLS_CERTDIR/client"],
    );
    assert_found(&job(&format!("{chained} /x")), &[]);
}
