//! A registry as companies have it: outside the pod, with a certificate of the company's own CA.

use std::fs;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::openssl::{Authority, Profile, self_signed};
use super::pod::Plan;
use super::podman::{podman, step};
use super::suite::Suite;
use super::volume::Volume;

/// Its name, on port 443 and on port 5000; port 5001 wants a certificate of the client.
pub const REGISTRY: &str = "registry.example.test";
/// The name of the GitLab that it belongs to.
pub const GITLAB: &str = "gitlab.example.test";

/// Logs in with the password that the registry knows.
pub const LOGIN: &str = "echo secret | docker login --username job --password-stdin";

/// `secret`, hashed by bcrypt.
const PASSWORDS: &str = "job:$2b$05$gyB/bAPqi0hIeBi53NJ.BePqFnTHuYCfFYs0g7CLZPlzAz3AHJu1G";

/// Whom the registry lets in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Who knows the password.
    Password,
    /// Who brings a token of [`GITLAB`].
    Token,
}

/// A registry that runs; it ends when it goes out of scope.
#[derive(Debug)]
pub struct Registry {
    authority: Authority,
    directory: Volume,
    containers: Vec<String>,
    /// As `podman pod create --add-host` takes them.
    hosts: Vec<String>,
}

impl Registry {
    pub fn start(access: Access) -> Self {
        let authority = Authority::new("Example Corp Root CA", Profile::Strict);
        let directory = Volume::disk();
        let path = directory.path();
        authority.issue_server_for(&path.join("server"), &format!("DNS:{REGISTRY}"));
        authority.issue_server_for(&path.join("gitlab"), &format!("DNS:{GITLAB}"));
        self_signed(path, "token");
        fs::write(path.join("passwords"), PASSWORDS).unwrap();
        for (port, client_ca) in [
            (443, ""),
            (5000, ""),
            (5001, ", clientcas: [/registry/server/ca.pem]"),
        ] {
            let configuration = configuration(access, port, client_ca);
            fs::write(path.join(format!("{port}.yml")), configuration).unwrap();
        }
        fs::write(
            path.join("token_server.py"),
            include_str!("token_server.py"),
        )
        .unwrap();
        let mut registry = Self {
            authority,
            directory,
            containers: Vec::new(),
            hosts: Vec::new(),
        };
        registry.run(
            Suite::Trixie,
            REGISTRY,
            "for port in 443 5000; do docker-registry serve /registry/$port.yml & done; \
             exec docker-registry serve /registry/5001.yml",
        );
        if access == Access::Token {
            registry.run(
                Suite::Bookworm,
                GITLAB,
                "exec python3 /registry/token_server.py",
            );
        }
        registry
    }

    /// The certificate of the CA that signed its own, PEM.
    pub fn ca(&self) -> String {
        self.authority.certificate()
    }

    /// The CA that signed it, for more certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The registry's own certificate, PEM.
    pub fn certificate(&self) -> String {
        fs::read_to_string(self.directory.path().join("server/cert.pem")).unwrap()
    }

    /// Runs a server of the name `host`, and waits until it listens on port 443.
    fn run(&mut self, suite: Suite, host: &str, script: &str) {
        static REGISTRIES: AtomicUsize = AtomicUsize::new(0);
        let number = REGISTRIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("dind-e2e-{}-registry-{number}", process::id());
        let pod = format!("--pod=new:{name}");
        let volume = format!("--volume={}", self.directory.mount_at("/registry"));
        let container = format!("{name}-server");
        let image = suite.base_image();
        step(&[
            "run", "--detach", &pod, "--name", &container, &volume, image, "sh", "-c", script,
        ]);
        self.containers.push(name);
        let ask = "curl --silent --insecure --output /dev/null --retry 600 --retry-delay 0 \
                   --retry-connrefused --retry-max-time 60 https://localhost/ && hostname -I";
        let address = step(&["exec", &container, "sh", "-c", ask]);
        let address = address.split(' ').next().unwrap();
        self.hosts.push(format!("{host}:{address}"));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        for pod in &self.containers {
            podman(
                &["pod", "rm", "--force", "--time=0", pod],
                Duration::from_secs(60),
            );
        }
    }
}

impl Plan {
    /// Lets the pod know the registry and its GitLab by name.
    pub fn knowing(mut self, registry: &Registry) -> Self {
        self.hosts.extend(registry.hosts.iter().cloned());
        self
    }
}

fn configuration(access: Access, port: u16, client_ca: &str) -> String {
    let auth = match access {
        Access::Password => "htpasswd: {realm: registry, path: /registry/passwords}".to_owned(),
        Access::Token => format!(
            "token: {{realm: \"https://{GITLAB}/jwt/auth\", service: registry, issuer: gitlab, \
             rootcertbundle: /registry/token.pem}}"
        ),
    };
    format!(
        "version: 0.1\n\
         log: {{level: error}}\n\
         storage: {{filesystem: {{rootdirectory: /registry/images}}}}\n\
         auth: {{{auth}}}\n\
         http:\n  addr: \":{port}\"\n  \
         tls: {{certificate: /registry/server/cert.pem, key: /registry/server/key.pem{client_ca}}}\n"
    )
}
