use super::*;

const MARKER: &str = "hUnter2-mArkEr";

#[test]
fn a_secret_is_hidden_wherever_it_is() {
    for text in [
        "token = \"%\"",
        "  token=\"%\" # comment",
        "  runnerToken: %",
        "runnerRegistrationToken: \"%\"\nnext: 1",
        "password = '''\n%\n'''\nnext = 1",
        "password = \"\"\"%",
        "environment = [\"REGISTRY_PASSWORD=%\", \"DOCKER_HOST=tcp://docker:2376\"]",
        "environment = ['DOCKER_AUTH_CONFIG={\"auths\":{\"x\":{\"auth\":\"%\"}}}']",
        "environment = [\"DOCKER_AUTH_CONFIG={\\\"auths\\\":{\\\"x\\\": \\\"%\\\"}}\"]",
        "environment = [\"SOMETHING=%\"]",
        "  SOMETHING: %",
        "  SOMETHING: >-\n    one\n\n    %\n  DOCKER_HOST: x",
        "  DB_PASSWORD:\n    value: %\n    description: x",
        "  SOMETHING:\n  - %\n  - %",
        "variables: {SOMETHING: a, OTHER: %, DOCKER_HOST: x}",
        "variables: {\"SOMETHING\": \"%\", DOCKER_HOST: x}",
        "  - docker login -u me -p % registry.example.com",
        "  - docker login --password %",
        "  - docker login --password=%",
        "HTTPS_PROXY: http://user:%@proxy.example.com:3128",
        "\"HTTP_PROXY=http://%@proxy.example.com\"",
        "script: curl -H 'PRIVATE-TOKEN: %' x",
        "url: https://oauth2:glpat-%@gitlab.example.com/x.git",
        "x: glpat-%",
        "a = \"glrt-%\"",
        "ca: |\n  -----BEGIN RSA PRIVATE KEY-----\n  %\n  -----END RSA PRIVATE KEY-----\nb: 1",
        "secret = [\n  \"%\",\n]\nnext = 1",
        "s3: {accessKey: %}",
        "[runners.cache.s3]\n  SecretKey = \"%\"\n  AccessKey = \"%\"",
        "  key: %",
        "pässword: x\npassword: ü€😀%",
    ] {
        let text = text.replace('%', MARKER);
        let masked = masked(&text);
        assert!(!masked.contains(MARKER), "{text}\n{masked}");
        assert!(!masked.contains("mArkEr"), "{text}\n{masked}");
        assert_eq!(masked.len(), text.len(), "{text}\n{masked}");
        assert_eq!(masked.chars().count(), text.chars().count());
        assert_eq!(masked.lines().count(), text.lines().count());
    }
}

#[test]
fn what_lint_speaks_of_is_shown() {
    for text in [
        "mount_path = \"/certs/client\"",
        "[[runners.kubernetes.volumes.secret]]\n  name = \"registry-ca\"\n  read_only = true",
        "environment = [\"DOCKER_HOST=tcp://docker:2376\", \"DOCKER_TLS_CERTDIR=/certs\"]",
        "  DOCKER_HOST: tcp://docker:2376\n  DOCKER_TLS_VERIFY: 1",
        "services:\n  - name: docker:dind\n    alias: docker\n    command: [\"--mtu=1400\"]",
        "variables:\n  HEALTHCHECK_TCP_PORT: \"2376\"",
        "        volumes = [\"/srv/ca.crt:/certs/client/ca.pem:ro\", \"/cache\"]",
        "  \"ca.crt\" = \"ca.pem\"",
        "image: registry.example.com:5000/group/docker@sha256:abc",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn the_value_after_a_hidden_one_is_shown_again() {
    assert_eq!(
        masked("environment = [\"A_B=cd\", \"DOCKER_HOST=tcp://docker:2376\"]"),
        "environment = [\"A_B=**\", \"DOCKER_HOST=tcp://docker:2376\"]"
    );
    assert_eq!(
        masked("  A_B: cd\n  DOCKER_HOST: tcp://docker:2376"),
        "  A_B: **\n  DOCKER_HOST: tcp://docker:2376"
    );
}
