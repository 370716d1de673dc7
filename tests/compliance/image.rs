//! The image itself: names, settings and directories that jobs and runners rely on.

use crate::podman::step;
use crate::stand_in::Workbench;
use crate::subject::{dind_without_variables, image_under_test};
use crate::suite::Suite;

/// Official: the Dockerfiles' ENTRYPOINT, CMD, EXPOSE, VOLUME and ENV; no USER, so root. GitLab
/// Runner's health check dials every port that is exposed.
#[test]
fn the_settings_are_those_of_the_dockerfile() {
    let image = image_under_test(Suite::Trixie);
    let inspect = |format: &str| step(&["image", "inspect", "--format", format, &image]);
    for (format, expected) in [
        ("{{json .Config.Entrypoint}}", "[\"dockerd-entrypoint.sh\"]"),
        ("{{len .Config.Cmd}}", "0"),
        ("{{.Config.User}}", ""),
        ("{{len .Config.ExposedPorts}}", "2"),
        ("{{len .Config.Volumes}}", "1"),
    ] {
        assert_eq!(inspect(format), expected, "{format}");
    }
    assert!(inspect("{{json .Config.ExposedPorts}}").contains("2375/tcp"));
    assert!(inspect("{{json .Config.ExposedPorts}}").contains("2376/tcp"));
    assert!(inspect("{{json .Config.Volumes}}").contains("\"/var/lib/docker\""));
    assert!(inspect("{{json .Config.Env}}").contains("\"DOCKER_TLS_CERTDIR=/certs\""));
}

/// Official: /usr/local/bin/dockerd-entrypoint.sh, which users' own command lines call by name;
/// `mkdir /certs /certs/client && chmod 1777` for services that do not run as root; the group that
/// owns the socket.
#[test]
fn the_entrypoint_and_the_directories_are_where_users_expect_them() {
    let bench = Workbench::new(dind_without_variables());
    bench
        .shell("command -v dockerd-entrypoint.sh; stat -c '%n %a' /certs /certs/client; grep ^docker: /etc/group")
        .expect_success()
        .expect("/usr/local/bin/dockerd-entrypoint.sh\n")
        .expect("/certs 1777\n")
        .expect("/certs/client 1777\n");
}
