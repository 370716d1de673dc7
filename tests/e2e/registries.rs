//! A company's registry whose certificate nobody outside the company trusts.

use std::fs;

use crate::busybox::IMPORT_BUSYBOX;
use crate::gitlab::RunnerLog;
use crate::pod::{Plan, Pod};
use crate::pods::registry::{Access, GITLAB, LOGIN, REGISTRY, Registry};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// Where administrators put a registry's CA.
const CA_DIRECTORY: &str = "/etc/dind/registry-ca";

/// What Docker says where the CA is missing.
const UNTRUSTED: &str = "x509: certificate signed by unknown authority";

/// The pod of a GitLab job, as GitLab's documentation asks for.
fn gitlab_pod(suite: Suite, registry: &Registry) -> Plan {
    gitlab_pod_in(&Volume::disk(), suite, registry)
}

fn gitlab_pod_in(builds: &Volume, suite: Suite, registry: &Registry) -> Plan {
    Pod::new(suite)
        .certs(&Volume::memory())
        .gitlab_job(builds)
        .knowing(registry)
        .variable("CI_REGISTRY", REGISTRY)
        .variable("CI_SERVER_HOST", GITLAB)
}

/// Logs in, pushes, and pulls again.
fn push_and_pull<'a>(pod: &'a Pod, registry: &str) -> Transcript<'a> {
    pod.job(&format!(
        "set -e\n{IMPORT_BUSYBOX}\n{LOGIN} {registry}\n\
         docker tag busybox {registry}/job/busybox\n\
         docker push --quiet {registry}/job/busybox\n\
         docker image rm busybox {registry}/job/busybox >/dev/null\n\
         docker run --rm {registry}/job/busybox echo hello from a pulled image"
    ))
}

fn is_trusted(pod: &Pod, registry: &str) {
    push_and_pull(pod, registry)
        .expect_success()
        .expect("Login Succeeded")
        .expect("hello from a pulled image");
}

/// An empty memory volume for the certificates, the CA's Secret in a place of its own, and the job
/// is as any other.
#[test]
fn the_ca_of_a_secret_is_all_that_a_job_needs() {
    let registry = Registry::start(Access::Password);
    let secret = Volume::secret(&[("ca.crt", &registry.ca())]);
    let file = format!("{CA_DIRECTORY}/{REGISTRY}.crt");
    for pod in [
        // By sub_path, and as the whole volume.
        gitlab_pod(Suite::Trixie, &registry).file(&secret, "ca.crt", &file),
        gitlab_pod(Suite::Trixie, &registry).volume(&secret, &file),
    ] {
        let log = RunnerLog::new();
        let pod = pod.runner_log(&log).start();
        pod.job("docker info").expect_success();
        is_trusted(&pod, REGISTRY);
        assert_eq!(log.text().unwrap(), "");
    }
}

#[test]
fn every_layout_is_trusted() {
    let registry = Registry::start(Access::Password);
    let ca = registry.ca();
    let with_port = format!("{REGISTRY}:5000");
    let pod = || gitlab_pod(Suite::Trixie, &registry);

    let general = Volume::config_map(&[("corporate-root.pem", &ca)]);
    let pod_of_all = pod().volume(&general, CA_DIRECTORY).start();
    is_trusted(&pod_of_all, REGISTRY);
    is_trusted(&pod_of_all, &with_port);

    let name = format!("{REGISTRY}_5000.crt");
    let by_port = Volume::secret(&[(&name, &ca)]);
    let pod_of_port = pod().volume(&by_port, CA_DIRECTORY).start();
    is_trusted(&pod_of_port, &with_port);
    // And no more than was asked for.
    push_and_pull(&pod_of_port, REGISTRY)
        .expect_failure()
        .expect(UNTRUSTED);

    let on_host = Volume::disk();
    let directory = on_host.path().join(format!("{REGISTRY}:5000"));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("any-name.pem"), format!("\u{feff}{ca}")).unwrap();
    is_trusted(
        &pod().volume(&on_host.read_only(), CA_DIRECTORY).start(),
        &with_port,
    );

    is_trusted(&pod().variable("DIND_REGISTRY_CA", &ca).start(), REGISTRY);
}

#[test]
fn a_registry_that_asks_for_a_client_s_certificate_gets_it() {
    let registry = Registry::start(Access::Password);
    let volume = Volume::disk();
    let directory = volume.path().join(format!("{REGISTRY}_5001"));
    registry.authority().issue_client(&directory);
    fs::rename(directory.join("cert.pem"), directory.join("client.cert")).unwrap();
    fs::rename(directory.join("key.pem"), directory.join("client.key")).unwrap();
    let pod = gitlab_pod(Suite::Trixie, &registry).volume(&volume, CA_DIRECTORY);
    is_trusted(&pod.start(), &format!("{REGISTRY}:5001"));
}

#[test]
fn without_the_ca_the_job_s_log_says_which_file_is_missing() {
    let registry = Registry::start(Access::Password);
    let log = RunnerLog::new();
    let pod = gitlab_pod(Suite::Trixie, &registry)
        .runner_log(&log)
        .start();
    push_and_pull(&pod, REGISTRY)
        .expect_failure()
        .expect(UNTRUSTED);
    let written = log.text().unwrap();
    for part in [
        "error REGISTRY-UNTRUSTED",
        "No CA is installed for registry.example.test.",
        "\"ca.crt\" = \"registry.example.test.crt\"",
    ] {
        assert!(written.contains(part), "{part} in {written}");
    }
}

#[test]
fn a_file_that_holds_no_ca_is_named_in_the_job_s_log() {
    let registry = Registry::start(Access::Password);
    let log = RunnerLog::new();
    let secret = Volume::secret(&[("ca.crt", "see the wiki"), ("tls.key", "")]);
    let pod = gitlab_pod(Suite::Trixie, &registry)
        .volume(&secret, CA_DIRECTORY)
        .runner_log(&log)
        .start();
    pod.job("docker info").expect_success();
    let written = log.text().unwrap();
    let fact = "/etc/dind/registry-ca/ca.crt holds no certificate in PEM";
    assert!(
        written.contains("REGISTRY-NOT-PEM") && written.contains(fact),
        "{written}"
    );
}

/// The probe says before any pull what would be missing.
#[test]
fn the_probe_names_the_ca_that_is_needed() {
    let registry = Registry::start(Access::Password);
    let log = RunnerLog::new();
    let pod = gitlab_pod(Suite::Trixie, &registry)
        .variable("DIND_REGISTRY_PROBE", "1")
        .runner_log(&log)
        .start();
    // dockerd's start takes longer than a handshake.
    pod.job("docker info").expect_success();
    let written = log.text().unwrap();
    let fact = "presents CN=docker:dind server, issued by CN=Example Corp Root CA. The CA that is \
                needed is CN=Example Corp Root CA";
    assert!(
        written.contains("REGISTRY-UNTRUSTED") && written.contains(fact),
        "{written}"
    );
}

/// The runner writes its file when the job's directory is there, seconds after the service's start.
#[test]
fn the_runner_s_own_ca_is_trusted_from_the_moment_when_it_comes() {
    let registry = Registry::start(Access::Password);
    let builds = Volume::disk();
    let log = RunnerLog::new();
    let pod = gitlab_pod_in(&builds, Suite::Trixie, &registry)
        .variable(
            "CI_SERVER_TLS_CA_FILE",
            "/builds/group/project.tmp/CI_SERVER_TLS_CA_FILE",
        )
        .runner_log(&log)
        .start();
    push_and_pull(&pod, REGISTRY)
        .expect_failure()
        .expect(UNTRUSTED);
    // The whole chain, as the runner got it from the server.
    let chain = format!("{}{}", registry.certificate(), registry.ca());
    let directory = builds.path().join("group/project.tmp");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("CI_SERVER_TLS_CA_FILE"), chain).unwrap();
    pod.in_service(&format!(
        "until test -s /etc/docker/certs.d/{REGISTRY}/ca.crt; do sleep 0.05; done"
    ))
    .expect_success();
    is_trusted(&pod, REGISTRY);
    assert!(!log.text().unwrap().contains("NOT-CA"), "{log:?}");
}

/// GitLab's registry sends clients to GitLab for a token, which is another host.
#[test]
fn a_registry_with_tokens_of_another_host_is_trusted() {
    let registry = Registry::start(Access::Token);
    let secret = Volume::secret(&[("ca.crt", &registry.ca())]);
    let pod = gitlab_pod(Suite::Sid, &registry)
        .volume(&secret, CA_DIRECTORY)
        .start();
    is_trusted(&pod, REGISTRY);
    // BuildKit asks for the token in the client's process, whose roots are the job image's.
    let build = format!(
        "{LOGIN} {REGISTRY} && mkdir /tmp/context && cd /tmp/context && \
         printf 'FROM {REGISTRY}/job/busybox\\nRUN echo made by a build > /made\\n' > Dockerfile && \
         docker buildx build --pull --no-cache ."
    );
    pod.job(&build).expect_failure().expect(UNTRUSTED);
    pod.job(&format!(
        "export SSL_CERT_FILE=/certs/client/registry-ca.pem; {build}"
    ))
    .expect_success();
    // A RUN step gets the same file as a secret.
    let ask = "docker buildx build --no-cache --progress=plain \
               --secret id=ca,src=/certs/client/registry-ca.pem -";
    let step = "RUN --mount=type=secret,id=ca cat /run/secrets/ca";
    pod.job(&format!(
        "printf 'FROM {REGISTRY}/job/busybox\\n{step}\\n' | {ask}"
    ))
    .expect_success()
    .expect("BEGIN CERTIFICATE");
    // A builder of its own needs a context where there is TLS.
    pod.job(
        "docker context create job && docker buildx create --use --driver docker-container \
         --buildkitd-config /certs/client/buildkitd.toml job && cat ~/.docker/buildx/instances/*",
    )
    .expect_success()
    .expect("registry-ca.pem");
}

/// buildx itself reads the configuration and the files that it names; its image cannot be had here.
/// Without TLS there are no clients' certificates, so both lie in the job's own directory.
#[test]
fn buildx_reads_the_configuration_for_a_builder_of_its_own() {
    let registry = Registry::start(Access::Password);
    let name = format!("{REGISTRY}_5000.crt");
    let secret = Volume::secret(&[(&name, &registry.ca())]);
    let pod = gitlab_pod(Suite::Sid, &registry)
        .volume(&secret, CA_DIRECTORY)
        .variable("DOCKER_HOST", "tcp://docker:2375")
        .variable("DOCKER_TLS_CERTDIR", "")
        .without("DOCKER_TLS_VERIFY")
        .without("DOCKER_CERT_PATH")
        .start();
    let create = "docker buildx create --driver docker-container --buildkitd-config";
    let configuration = "/builds/.dind-init/7/buildkitd.toml";
    pod.job(&format!(
        "set -e\n{create} {configuration}\ncat {configuration} ~/.docker/buildx/instances/*"
    ))
    .expect_success()
    .expect("[registry.\"registry.example.test:5000\"]")
    .expect("registry-ca.pem\"");
    pod.job(&format!(
        "sed s/registry-ca/missing/ {configuration} > /tmp/bad.toml; {create} /tmp/bad.toml"
    ))
    .expect_failure();
}

/// Many runners mount a daemon.json so; without a CA there is nothing that would have to be written.
#[test]
fn a_read_only_configuration_matters_only_where_there_is_a_ca() {
    let registry = Registry::start(Access::Password);
    let secret = Volume::secret(&[(&format!("{REGISTRY}.crt"), &registry.ca())]);
    let pod = || gitlab_pod(Suite::Trixie, &registry).configuration("{}");
    for (pod, is_told) in [(pod(), false), (pod().volume(&secret, CA_DIRECTORY), true)] {
        let log = RunnerLog::new();
        let pod = pod.runner_log(&log).start();
        pod.job("docker info").expect_success();
        let written = log.text().unwrap();
        assert_eq!(
            written.contains("REGISTRY-NOT-INSTALLED"),
            is_told,
            "{written}"
        );
        assert_eq!(written.is_empty(), !is_told, "{written}");
    }
}

/// What an administrator put into Docker's own directory is the administrator's word.
#[test]
fn a_directory_of_docker_s_own_is_kept() {
    let registry = Registry::start(Access::Password);
    let theirs = Volume::secret(&[("ca.crt", &registry.ca())]);
    let ours = Volume::secret(&[(&format!("{REGISTRY}.crt"), &registry.certificate())]);
    let pod = gitlab_pod(Suite::Trixie, &registry)
        .volume(&theirs, &format!("/etc/docker/certs.d/{REGISTRY}"))
        .volume(&ours, CA_DIRECTORY)
        .start();
    is_trusted(&pod, REGISTRY);
    assert!(
        pod.service_log().contains("note REGISTRY-KEPT"),
        "{}",
        pod.service_log()
    );
}

#[test]
fn check_lists_each_ca_and_where_it_goes() {
    let registry = Registry::start(Access::Password);
    let secret = Volume::secret(&[(&format!("{REGISTRY}.crt"), &registry.ca())]);
    let pod = gitlab_pod(Suite::Trixie, &registry)
        .volume(&secret, CA_DIRECTORY)
        .entrypoint_script("exec sleep 1000")
        .start();
    pod.in_service("dind-init check")
        .expect("/etc/dind/registry-ca/registry.example.test.crt: CN=Example Corp Root CA")
        .expect("SHA-256 ")
        .expect("trust one CA for registry.example.test by /etc/docker/certs.d/registry.example.test/ca.crt");
}
