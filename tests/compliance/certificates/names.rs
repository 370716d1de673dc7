//! The names that the server's certificate is for.

use super::{certificate, names_in};
use crate::stand_in::Workbench;
use crate::subject::dind_without_variables;
use crate::volume::Volume;

/// Official (entrypoint): every address of every interface, /etc/hostname, `docker`, `localhost`,
/// the host's name in full and short, and `DOCKER_TLS_SAN` in OpenSSL's syntax.
#[test]
fn the_server_s_names_are_all_of_official_s() {
    let bench = Workbench::new(dind_without_variables());
    let wanted = "DNS:docker.example.com,DNS:*.wild.example,IP:192.0.2.7,IP:2001:db8::7";
    bench.run(&[("DOCKER_TLS_SAN", wanted)], &[]).expect_start();
    let names = names_in(&bench);
    let host = bench.shell("hostname; ip -oneline address 2>/dev/null | grep -v docker0");
    let host = host.expect_success();
    let mut lines = host.output().lines();
    let mut expected = vec!["DNS:docker".to_owned(), "DNS:localhost".to_owned()];
    expected.push(format!("DNS:{}", lines.next().unwrap()));
    for line in lines {
        let address = line.split_whitespace().nth(3).unwrap();
        let address = address.split('/').next().unwrap();
        if !address.contains(':') {
            expected.push(format!("IP Address:{address}"));
        }
    }
    expected.push("IP Address:127.0.0.1".to_owned());
    expected.push("IP Address:0:0:0:0:0:0:0:1".to_owned());
    for name in ["docker.example.com", "*.wild.example"] {
        expected.push(format!("DNS:{name}"));
    }
    expected.push("IP Address:192.0.2.7".to_owned());
    expected.push("IP Address:2001:DB8:0:0:0:0:0:7".to_owned());
    for name in expected {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

/// Official (entrypoint): OpenSSL's other kinds of names, too. A second start finds them there.
#[test]
fn names_that_nobody_dials_are_in_the_certificate() {
    let certs = Volume::disk();
    let bench = Workbench::new(dind_without_variables().volume(&certs, "/certs"));
    let value = "URI:spiffe://example.com/docker,email:ci@example.com,DNS:dind-0";
    for _ in 0..2 {
        bench.run(&[("DOCKER_TLS_SAN", value)], &[]).expect_start();
        let text = certificate(&certs.path().join("server/cert.pem"));
        for name in [
            "URI:spiffe://example.com/docker",
            "email:ci@example.com",
            "DNS:dind-0",
            "DNS:docker",
        ] {
            assert!(text.contains(name), "{name} is not in {text}");
        }
    }
}

mod differs {
    use super::*;

    /// Official's list of names ends where a name cannot be read: without /etc/hostname, `docker`
    /// and `localhost` are not in the certificate either.
    #[test]
    fn a_missing_etc_hostname_loses_no_name() {
        let bench = Workbench::new(dind_without_variables());
        bench
            .shell("umount /etc/hostname; rm -f /etc/hostname; ! cat /etc/hostname")
            .expect_success();
        bench.run(&[], &[]).expect_start();
        let names = names_in(&bench);
        for name in ["DNS:docker", "DNS:localhost"] {
            assert!(
                names.contains(&name.to_owned()),
                "{name} is not among {names:?}"
            );
        }
    }

    /// Official's list ends as well where `hostname -f` fails, because nobody knows the host's full
    /// name: the short one is missing then.
    #[test]
    fn a_full_host_name_that_nobody_knows_loses_no_name() {
        let bench = Workbench::new(dind_without_variables());
        bench
            .shell(
                "hostname my-pod.example.test; umount /etc/hosts; echo > /etc/hosts
                 printf '#!/bin/sh\\n[ \"$1\" != -f ] && exec /usr/bin/hostname \"$@\"' \\
                     > /usr/local/sbin/hostname; chmod +x /usr/local/sbin/hostname; ! hostname -f",
            )
            .expect_success();
        bench.run(&[], &[]).expect_start();
        let names = names_in(&bench);
        for name in [
            "DNS:docker",
            "DNS:localhost",
            "DNS:my-pod",
            "DNS:my-pod.example.test",
        ] {
            assert!(
                names.contains(&name.to_owned()),
                "{name} is not among {names:?}"
            );
        }
    }

    /// Official's names run together where /etc/hostname does not end its line: the certificate is
    /// for `5bb024aa03b4docker`, and not for `docker`.
    #[test]
    fn names_do_not_run_together() {
        let bench = Workbench::new(dind_without_variables());
        bench
            .shell("printf my-pod > /etc/hostname")
            .expect_success();
        bench.run(&[], &[]).expect_start();
        let names = names_in(&bench);
        for name in ["DNS:docker", "DNS:my-pod"] {
            assert!(
                names.contains(&name.to_owned()),
                "{name} is not among {names:?}"
            );
        }
    }

    /// Official hands `DOCKER_TLS_SAN` to OpenSSL as it is, and a bare name or a space ends the
    /// service (jackin-project/jackin#60).
    #[test]
    fn bare_names_and_spaces_are_accepted() {
        let bench = Workbench::new(dind_without_variables());
        for (value, expected) in [
            ("dind-0", &["DNS:dind-0"][..]),
            ("DNS:a, DNS:b", &["DNS:a", "DNS:b"]),
            (
                "192.0.2.7, dind-0 ,",
                &["IP Address:192.0.2.7", "DNS:dind-0"],
            ),
        ] {
            bench.run(&[("DOCKER_TLS_SAN", value)], &[]).expect_start();
            let names = names_in(&bench);
            for name in expected {
                assert!(
                    names.contains(&(*name).to_owned()),
                    "{name} is not among {names:?}"
                );
            }
        }
    }

    /// Official's certificate has no names at all where `DOCKER_TLS_SAN` holds a quote, and every
    /// client fails.
    #[test]
    fn what_is_no_name_is_refused() {
        let bench = Workbench::new(dind_without_variables());
        for value in ["it's", "DNS:a b", "IP:docker", "DNS:"] {
            bench
                .run(&[("DOCKER_TLS_SAN", value)], &[])
                .expect_no_start()
                .transcript
                .expect_failure()
                .expect("DOCKER_TLS_SAN")
                .expect(value);
        }
    }
}
