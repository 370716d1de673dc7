use super::*;

/// Every line of a text as it is shown.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        shown += &shown_line(text, start).text;
        if line.ends_with('\n') {
            shown.push('\n');
        }
        start += line.len();
    }
    shown
}

#[test]
fn what_lint_speaks_of_is_shown() {
    for text in [
        "mount_path = \"/certs/client\"",
        "[[runners.kubernetes.volumes.secret]]\n  name = \"registry-ca\"\n  read_only = true",
        "environment = [\"DOCKER_HOST=tcp://docker:2376\", \"DOCKER_TLS_CERTDIR=/certs\"]",
        "environment = [\n\"DOCKER_HOST=tcp://docker:2376\",\n'DOCKER_TLS_CERTDIR=',\n]",
        "  DOCKER_HOST: tcp://docker:2376\n  DOCKER_TLS_VERIFY: 1",
        "services:\n  - name: docker:dind\n    alias: docker\n    command: [\"--mtu=1400\", --tls=false]",
        "services:\n- docker:dind\n- image.example.com/docker:27",
        "variables:\n  HEALTHCHECK_TCP_PORT: \"2376\"\n  DIND_ON_FAILUR: explain",
        "        volumes = [\"/srv/ca.crt:/certs/client/ca.pem:ro\", \"/cache\"]",
        "  \"ca.crt\" = \"ca.pem\"",
        "image: registry.example.com:5000/group/docker@sha256:abc",
        "image: $CI_REGISTRY_IMAGE/dind:${TAG}",
        "config: |\n  [[runners]]\n    executor = \"kubernetes\"",
        "services: [{name: 'docker:dind', alias: docker}]",
        "command:\n  - --registry-mirror=https://mirror.example.com",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn nothing_else_is() {
    for (text, expected) in [
        ("token = \"abc\" # key", "token = \"…\" # …"),
        ("AccountKey = \"abc\"", "AccountKey = \"…\""),
        ("some_name = \"abc\"", "… = \"…\""),
        ("# mount_path = \"/certs\"", "# …"),
        ("name = \"x\" # abc", "name = \"x\" # …"),
        ("password = '''\nabc\n'''", "password = …\n…\n…"),
        ("token = \"abc", "token = …"),
        ("token = 'it''s'", "token = …"),
        ("name = \"a\\tb\"", "name = \"…\""),
        ("name = \"a\" b", "name = …"),
        (
            "environment = [\"A_B=c\", \"DOCKER_HOST=x\"]",
            "environment = [\"…\", \"DOCKER_HOST=x\"]",
        ),
        (
            "environment = [\"DOCKER_HOST=tcp://a:b@c\"]",
            "environment = [\"DOCKER_HOST=…\"]",
        ),
        (
            "variables: {A: b, DOCKER_HOST: c}",
            "variables: {…: …, DOCKER_HOST: c}",
        ),
        (
            "variables: {A: b,c, DOCKER_HOST: d}",
            "variables: {…: …,…, DOCKER_HOST: d}",
        ),
        ("  DOCKER_HOST: tcp://me:pw@docker:2376", "  DOCKER_HOST: …"),
        (
            "  NO_PROXY: a,b.example.com,10.0.0.0/8",
            "  NO_PROXY: a,b.example.com,10.0.0.0/8",
        ),
        ("  script: docker login -p x", "  script: …"),
        (
            "script:\n  - docker login -p x\n  - a: b",
            "script:\n  - …\n  - …: …",
        ),
        ("PASSWORD:\n  value: x", "PASSWORD:\n  value: …"),
        ("services:\n  - glpat-abcdefghijklmn", "services:\n  - …"),
        ("[runners.other.s3]", "[…]"),
        ("    QWxhZGRpbg==", "    …=…"),
        ("-----BEGIN RSA PRIVATE KEY-----", "…"),
        ("DIND_MTU: glpat-abcdefghijklmn", "DIND_MTU: …"),
        (
            "command: [--registry-mirror=https://me:pw@host, -p]",
            "command: […, …]",
        ),
        ("a: &b [c]", "…: …"),
        ("name: !reference [.a, name]", "name: …"),
        ("é: ü\nname: ü", "…\nname: …"),
        ("mount_path = \"/a\u{1b}[2J\"", "mount_path = \"…\""),
        ("{{ .Values.x }}", "{{ … }}"),
        // The name of a key that lint may speak of, with slips.
        (
            "priviledged = true\nmountPath = \"/certs\"",
            "priviledged = …\nmountPath = \"…\"",
        ),
        ("", ""),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(shown(&"name: a, ".repeat(1000)), "…");
}

#[test]
fn places_are_those_in_what_is_shown() {
    let text = "variables: {SECRET: abcdef, DOCKER_HOST: x}";
    let line = shown_line(text, 0);
    for (part, expected) in [
        ("DOCKER_HOST: x", "DOCKER_HOST: x"),
        ("SECRET", "…"),
        ("abc", "…"),
        ("def, DOCKER", "…, DOCKER"),
        ("{SECRET: abcdef", "{…: …"),
        (text, "variables: {…: …, DOCKER_HOST: x}"),
    ] {
        let start = text.find(part).unwrap();
        let place = line.place_of(start..start + part.len());
        assert_eq!(&line.text[place], expected, "{part}");
    }
    let end = text.len();
    assert_eq!(line.place_of(end..end), line.text.len()..line.text.len());
    assert_eq!(shown_line("", 0).place_of(0..0), 0..0);
}

#[test]
fn sentences_do_not_quote_what_is_hidden_elsewhere() {
    let text = "a: Other\nHTTPS_PROXY: Hunter2x\nDIND_MTU: auto\n\"DOCKER_HOST=Abcdefg\"\n";
    let hidden = hidden_variables(text);
    let sentence = "HTTPS_PROXY is Hunter2x, and\nDIND_MTU is auto, \"Hunter2x\".";
    let shown = "HTTPS_PROXY is …, and\nDIND_MTU is auto, \"…\".";
    assert_eq!(without_values(sentence, &hidden), shown);
}

#[test]
fn sentences_do_not_have_what_is_hidden() {
    let text = "name: a\nDOCKER_HOST: tcp://me:secret@docker # comment\nUNKNOWN_KEY: Abcdef\nOTHER_KEY: docker";
    let hidden = hidden_values(text, 8..text.len());
    assert_eq!(hidden, ["tcp://me:secret@docker", "Abcdef"]);
}

#[test]
fn a_place_in_what_is_hidden_is_all_of_it_however_long_it_is() {
    for hidden in ["= 1", "= 12", "=€"] {
        let text = format!("concurrent= {hidden}");
        let line = shown_line(&text, 0);
        assert_eq!(line.text, "concurrent= …");
        for start in 12..text.len() {
            assert_eq!(line.place_of(start..text.len()), 12..15, "{text} {start}");
        }
    }
}
