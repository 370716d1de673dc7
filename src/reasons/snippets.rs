//! Lines that several reasons give to paste. Each is here once.

/// config.toml, Kubernetes: an empty volume for certificates.
pub const CERTIFICATES_VOLUME: &str = "\
[[runners.kubernetes.volumes.empty_dir]]
  name = \"docker-certs\"
  mount_path = \"{directory}\"
  medium = \"Memory\"";

/// config.toml, Kubernetes: an empty volume for Docker's data.
pub const DATA_VOLUME: &str = "\
[[runners.kubernetes.volumes.empty_dir]]
  name = \"docker-data\"
  mount_path = \"{data_root}\"";

/// config.toml, Kubernetes.
pub const PRIVILEGED_POD: &str = "\
[runners.kubernetes]
  privileged = true";

/// config.toml, the Docker executor.
pub const PRIVILEGED_CONTAINERS: &str = "\
[runners.docker]
  privileged = true";

/// .gitlab-ci.yml: what a client of a daemon with TLS needs.
pub const TLS_CLIENT: &str = "\
variables:
  DOCKER_HOST: tcp://{host}:2376
  DOCKER_TLS_VERIFY: 1
  DOCKER_CERT_PATH: {certificates}";

/// .gitlab-ci.yml: the same at the port that the daemon serves.
pub const TLS_CLIENT_AT_PORT: &str = "\
variables:
  DOCKER_HOST: tcp://{host}:{port}
  DOCKER_TLS_VERIFY: 1
  DOCKER_CERT_PATH: {certificates}";

/// .gitlab-ci.yml: what a client of a daemon without TLS needs.
pub const PLAIN_CLIENT_AT_PORT: &str = "\
variables:
  DOCKER_HOST: tcp://{host}:{port}";

/// .gitlab-ci.yml: the same, and the daemon's side.
pub const TLS: &str = "\
variables:
  DOCKER_TLS_CERTDIR: {certificates_root}
  DOCKER_HOST: tcp://{host}:2376
  DOCKER_TLS_VERIFY: 1
  DOCKER_CERT_PATH: {certificates}";

/// .gitlab-ci.yml: no TLS on either side.
pub const PLAIN: &str = "\
variables:
  DOCKER_TLS_CERTDIR: \"\"
  DOCKER_HOST: tcp://{host}:2375";

/// .gitlab-ci.yml: certificates in a directory of this job alone.
pub const OWN_DIRECTORY: &str = "\
variables:
  DOCKER_TLS_CERTDIR: $CI_BUILDS_DIR/.dind/$CI_JOB_ID
  DOCKER_CERT_PATH: $CI_BUILDS_DIR/.dind/$CI_JOB_ID/client";

/// .gitlab-ci.yml: the other kind of iptables.
pub const OTHER_IPTABLES: &str = "\
variables:
  DOCKER_IPTABLES_LEGACY: \"{legacy}\"";

/// .gitlab-ci.yml: flags for dockerd besides those that it gets already. Never `services:`, whose
/// image would take the place of the one that runs.
macro_rules! dockerd_flags {
    ($flags:literal) => {
        concat!("variables:\n  DIND_DOCKERD_ARGS: \"{flags}", $flags, "\"")
    };
}
pub(super) use dockerd_flags;
