use super::*;

fn plan(variables: &[(&str, &str)], arguments: &str, daemon_json: &str, root: bool) -> Plan {
    let settings = Settings::parse(&|name| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    let arguments = arguments.split_whitespace().map(OsString::from).collect();
    Plan::new(
        &Invocation::parse(arguments),
        &settings.unwrap(),
        &Configuration::parse(daemon_json),
        &User {
            is_root: root,
            runtime_directory: "/run/user/1000".into(),
        },
    )
}

fn argv(plan: &Plan) -> String {
    let words: Vec<_> = plan
        .argv
        .iter()
        .map(|word| word.to_str().unwrap())
        .collect();
    words.join(" ")
}

const TLS: &[(&str, &str)] = &[("DOCKER_TLS_CERTDIR", "/certs")];
const TLS_FLAGS: &str = "--tlsverify --tlscacert=/certs/server/ca.pem \
                         --tlscert=/certs/server/cert.pem --tlskey=/certs/server/key.pem";

#[test]
fn the_defaults_are_official_s_with_our_sockets() {
    let tls = plan(TLS, "--mtu=1450", "", true);
    assert_eq!(
        argv(&tls),
        format!("dockerd --host=fd:// {TLS_FLAGS} --mtu=1450")
    );
    let sockets = tls.sockets.unwrap();
    assert_eq!(
        (sockets.port, sockets.opens),
        (2376, Opens::WithCertificates)
    );
    assert_eq!(sockets.unix, Path::new("/var/run/docker.sock"));

    let plain = plan(&[], "", "", true);
    assert_eq!(argv(&plain), "dockerd --host=fd://");
    let sockets = plain.sockets.unwrap();
    assert_eq!((sockets.port, sockets.opens), (2375, Opens::AtOnce));
}

#[test]
fn an_explicit_dockerd_gets_nothing_added() {
    let plan = plan(TLS, "dockerd --host=tcp://0.0.0.0:1234", "", true);
    assert_eq!(argv(&plan), "dockerd --host=tcp://0.0.0.0:1234");
    assert_eq!(
        (plan.sockets, plan.port, plan.certificates),
        (None, None, None)
    );
    assert!(plan.removed_variables.is_empty());
    assert_eq!(plan.own_hosts.unwrap().hosts, ["tcp://0.0.0.0:1234"]);
}

#[test]
fn what_is_not_there_is_explained_where_the_job_dials() {
    let port = |arguments, json, docker_host| {
        plan(TLS, arguments, json, true).port_to_explain_on(docker_host)
    };
    let hosts = r#"{"hosts": ["unix:///var/run/docker.sock"]}"#;
    assert_eq!(port("", "", "tcp://docker:2375"), Some(2376));
    assert_eq!(port("dockerd", "", "tcp://docker:2376"), Some(2376));
    assert_eq!(port("", hosts, "tcp://docker:2376"), Some(2376));
    assert_eq!(port("dockerd", "", ""), Some(2375));
    assert_eq!(port("docker info", "", "tcp://docker:2376"), None);
}

#[test]
fn the_user_s_hosts_stay_unless_they_are_ours() {
    for (host, dropped) in [
        ("tcp://0.0.0.0:2375", true),
        ("tcp://127.0.0.1:2375", true),
        ("tcp://", true),
        (":2375", true),
        ("tcp://[::]:2375", true),
        ("tcp://[::1]", true),
        ("fd://", true),
        ("unix:///var/run/docker.sock", true),
        ("unix:///run/docker.sock", true),
        ("unix://", true),
        ("tcp://0.0.0.0:2376", false),
        ("unix:///other.sock", false),
        ("npipe:////./pipe/x", false),
    ] {
        let plan = plan(&[], &format!("-H {host} --debug"), "", true);
        let kept = format!("dockerd --host=fd:// --host={host} --debug");
        let expected = if dropped {
            "dockerd --host=fd:// --debug"
        } else {
            &kept
        };
        assert_eq!(argv(&plan), expected);
        assert_eq!(plan.dropped_hosts.len(), usize::from(dropped), "{host}");
        let further: &[u16] = if host.ends_with(":2376") {
            &[2376]
        } else {
            &[]
        };
        assert_eq!(plan.further_ports, further, "{host}");
    }
}

#[test]
fn a_unix_docker_host_moves_the_socket_and_a_tcp_one_does_not() {
    for (docker_host, path) in [
        ("unix:///runner/docker.sock", "/runner/docker.sock"),
        ("tcp://docker:2376", "/var/run/docker.sock"),
        ("unix://", "/var/run/docker.sock"),
    ] {
        let plan = plan(&[("DOCKER_HOST", docker_host)], "", "", true);
        assert_eq!(plan.sockets.unwrap().unix, Path::new(path));
    }
}

#[test]
fn what_daemon_json_sets_is_never_set_by_a_flag_of_ours() {
    let hosts = plan(
        TLS,
        "",
        r#"{"hosts": ["unix:///x"], "tlscert": "/c"}"#,
        true,
    );
    assert_eq!(
        argv(&hosts),
        "dockerd --tlsverify --tlscacert=/certs/server/ca.pem --tlskey=/certs/server/key.pem"
    );
    assert_eq!((hosts.sockets, hosts.port), (None, None));
    let group = plan(&[], "", r#"{"group": "ci"}"#, true);
    assert_eq!(group.sockets.unwrap().group.as_deref(), Some("ci"));
    let flag = plan(&[], "-G flag", r#"{"group": "ci"}"#, true);
    assert_eq!(flag.sockets.unwrap().group.as_deref(), Some("flag"));
}

#[test]
fn further_flags_come_before_the_container_s_own() {
    let plan = plan(
        &[("DIND_DOCKERD_ARGS", "--mtu=1400")],
        "--mtu=1500",
        "",
        true,
    );
    assert_eq!(argv(&plan), "dockerd --host=fd:// --mtu=1400 --mtu=1500");
}

#[test]
fn without_root_dockerd_opens_its_sockets_itself() {
    let plan = plan(TLS, "", "", false);
    assert_eq!(
        argv(&plan),
        format!(
            "dockerd --host=unix:///run/user/1000/docker.sock --host=tcp://0.0.0.0:2376 {TLS_FLAGS}"
        )
    );
    assert_eq!((plan.sockets, plan.port), (None, Some(2376)));
}
