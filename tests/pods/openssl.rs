//! Certificates that are not dind-init's: a user's own, and what the official image leaves behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// How a certificate is made; the differences are what the scenarios are about.
#[derive(Clone, Copy, Debug)]
pub enum Profile {
    /// All that strict verification asks for.
    Strict,
    /// As the official image made them until May 2025: no key usage, no authority key identifier.
    Lax,
}

/// A certificate authority made by the openssl command.
#[derive(Debug)]
pub struct Authority {
    directory: TempDir,
    profile: Profile,
}

impl Authority {
    /// An authority whose subject is `CN=<name>`.
    pub fn new(name: &str, profile: Profile) -> Self {
        let directory = TempDir::new().unwrap();
        let extensions = match profile {
            Profile::Strict => {
                "[x]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
            }
            Profile::Lax => "[x]\nbasicConstraints=CA:TRUE\n",
        };
        let config = format!(
            "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=x\n[dn]\nCN={name}\n{extensions}"
        );
        fs::write(directory.path().join("ca.cnf"), config).unwrap();
        openssl(
            directory.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30 \
             -config ca.cnf -keyout ca.key -out ca.pem",
        );
        Self { directory, profile }
    }

    /// The authority's certificate, PEM.
    pub fn certificate(&self) -> String {
        fs::read_to_string(self.directory.path().join("ca.pem")).unwrap()
    }

    /// Writes `ca.pem`, `cert.pem` and `key.pem` of a server for the name `docker` to `target`.
    pub fn issue_server(&self, target: &Path) {
        self.issue_server_for(target, "DNS:docker,DNS:localhost,IP:127.0.0.1");
    }

    /// The same for other names.
    pub fn issue_server_for(&self, target: &Path, names: &str) {
        let extensions = format!("extendedKeyUsage=serverAuth\nsubjectAltName={names}\n");
        self.issue(target, "server", &extensions);
    }

    /// The same of a server whose certificate has expired. `openssl x509` makes none from 3.4 on.
    pub fn issue_expired_server(&self, target: &Path) {
        self.issue_server(target);
        let directory = self.directory.path();
        let config = "[ca]\ndefault_ca=old\n[old]\ndatabase=index.txt\nserial=serial\n\
                      new_certs_dir=.\npolicy=any\n[any]\ncommonName=supplied\n";
        fs::write(directory.join("old.cnf"), config).unwrap();
        fs::write(directory.join("index.txt"), "").unwrap();
        fs::write(directory.join("serial"), "1002\n").unwrap();
        let issued = Command::new("openssl")
            .current_dir(directory)
            .args([
                "ca", "-batch", "-notext", "-config", "old.cnf", "-md", "sha256",
            ])
            .args(["-cert", "ca.pem", "-keyfile", "ca.key"])
            .args([
                "-in", "leaf.csr", "-extfile", "leaf.cnf", "-out", "cert.pem",
            ])
            .args([
                "-startdate",
                "20250101000000Z",
                "-enddate",
                "20250201000000Z",
            ])
            .args(["-subj", "/CN=docker:dind server"])
            .output();
        succeed("openssl ca", issued.expect("openssl starts"));
        fs::copy(directory.join("cert.pem"), target.join("cert.pem")).unwrap();
    }

    /// Writes `ca.pem`, `cert.pem` and `key.pem` of a client to `target`.
    pub fn issue_client(&self, target: &Path) {
        self.issue(target, "client", "extendedKeyUsage=clientAuth\n");
    }

    fn issue(&self, target: &Path, role: &str, extensions: &str) {
        let identifiers = match self.profile {
            Profile::Strict => {
                "keyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            }
            Profile::Lax => "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n",
        };
        let directory = self.directory.path();
        fs::write(
            directory.join("leaf.cnf"),
            format!("{extensions}{identifiers}"),
        )
        .unwrap();
        openssl(
            directory,
            "req -newkey rsa:2048 -nodes -subj /CN=placeholder -keyout key.pem -out leaf.csr",
        );
        // The subject's name holds spaces and colons, so it does not go through the word splitting.
        let subject = format!("/CN=docker:dind {role}");
        let issued = Command::new("openssl")
            .current_dir(directory)
            .args([
                "x509", "-req", "-sha256", "-in", "leaf.csr", "-CA", "ca.pem",
            ])
            .args([
                "-days",
                "30",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-extfile",
                "leaf.cnf",
                "-out",
                "cert.pem",
            ])
            .args(["-set_serial", "0x1001", "-subj", &subject])
            .output();
        succeed("openssl x509 -req", issued.expect("openssl starts"));

        fs::create_dir_all(target).unwrap();
        for file in ["ca.pem", "cert.pem", "key.pem"] {
            fs::copy(directory.join(file), target.join(file)).unwrap();
        }
    }
}

/// Writes `<name>.pem`, a certificate that signed itself, and `<name>.key` (RSA) to `directory`.
pub fn self_signed(directory: &Path, name: &str) {
    openssl(
        directory,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ),
    );
}

/// Whether `cert.pem` in `directory` chains to its `ca.pem` and belongs to its `key.pem`.
pub fn is_whole_set(directory: &Path) -> bool {
    let verified = try_openssl(directory, "verify -CAfile ca.pem cert.pem");
    let of_certificate = try_openssl(directory, "x509 -in cert.pem -noout -pubkey");
    let of_key = try_openssl(directory, "pkey -in key.pem -pubout");
    verified.status.success()
        && of_certificate.status.success()
        && of_key.status.success()
        && of_certificate.stdout == of_key.stdout
}

fn openssl(directory: &Path, words: &str) -> String {
    let done = try_openssl(directory, words);
    succeed(&format!("openssl {words}"), done)
}

fn try_openssl(directory: &Path, words: &str) -> Output {
    Command::new("openssl")
        .current_dir(directory)
        .args(words.split_whitespace())
        .output()
        .expect("openssl starts")
}

fn succeed(what: &str, done: Output) -> String {
    assert!(
        done.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}
