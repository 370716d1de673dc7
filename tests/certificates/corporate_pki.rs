//! Somebody else's certificates, made with OpenSSL.

use std::fs;

use tempfile::TempDir;

use crate::scene::{Scene, openssl};

/// A CA that is not ours.
pub struct Pki {
    directory: TempDir,
}

impl Pki {
    pub fn new() -> Self {
        Self::named("/O=Example Corp/CN=Example Corp Root CA")
    }

    pub fn named(subject: &str) -> Self {
        Self::with(
            subject,
            &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "CA:TRUE",
        )
    }

    /// `key` are the options of `openssl req` that make the key.
    pub fn with(subject: &str, key: &[&str], basic_constraints: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, private) = (
            directory.path().join("ca.crt"),
            directory.path().join("ca.key"),
        );
        let constraints = format!("basicConstraints=critical,{basic_constraints}");
        let config = directory.path().join("openssl.cnf");
        fs::write(&config, "[req]\ndistinguished_name=dn\n[dn]\n").unwrap();
        let mut arguments = vec!["req", "-x509", "-nodes", "-days", "30", "-multivalue-rdn"];
        arguments.extend(key);
        let (config, certificate) = (config.to_string_lossy(), certificate.to_string_lossy());
        let private = private.to_string_lossy();
        arguments.extend([
            "-config",
            &config,
            "-subj",
            subject,
            "-addext",
            &constraints,
        ]);
        arguments.extend(["-addext", "subjectKeyIdentifier=hash"]);
        // Its other spelling is for those who leave the usage out.
        if basic_constraints.contains("TRUE") {
            arguments.extend(["-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
        }
        arguments.extend(["-keyout", &private, "-out", &certificate]);
        openssl(&arguments);
        Self { directory }
    }

    /// With another certificate and key, such as an intermediate's.
    pub fn replaced(self, certificate: &str, key: &str) -> Self {
        fs::write(self.directory.path().join("ca.crt"), certificate).unwrap();
        fs::write(self.directory.path().join("ca.key"), key).unwrap();
        self
    }

    pub fn certificate(&self) -> String {
        fs::read_to_string(self.directory.path().join("ca.crt")).unwrap()
    }

    pub fn key(&self) -> String {
        fs::read_to_string(self.directory.path().join("ca.key")).unwrap()
    }

    /// A certificate and its key; `extensions` in OpenSSL's syntax, one a line.
    pub fn issue(&self, subject: &str, extensions: &str) -> (String, String) {
        self.issue_with("-sha256", subject, extensions)
    }

    /// The same, signed with another digest.
    pub fn issue_with(&self, digest: &str, subject: &str, extensions: &str) -> (String, String) {
        let path = |name: &str| {
            let path = self.directory.path().join(name);
            path.to_string_lossy().into_owned()
        };
        fs::write(path("extensions"), format!("{extensions}\n")).unwrap();
        openssl(&[
            "req",
            "-new",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-subj",
            subject,
            "-keyout",
            &path("key"),
            "-out",
            &path("csr"),
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            &path("csr"),
            "-CA",
            &path("ca.crt"),
            "-CAkey",
            &path("ca.key"),
            "-CAcreateserial",
            digest,
            "-days",
            "20",
            "-extfile",
            &path("extensions"),
            "-out",
            &path("crt"),
        ]);
        (
            fs::read_to_string(path("crt")).unwrap(),
            fs::read_to_string(path("key")).unwrap(),
        )
    }

    pub fn server(&self) -> (String, String) {
        self.issue(
            "/CN=dind.example",
            "subjectAltName=DNS:docker,DNS:dind.example\nextendedKeyUsage=serverAuth",
        )
    }

    pub fn client(&self) -> (String, String) {
        self.issue("/CN=job", "extendedKeyUsage=clientAuth")
    }

    /// Lays a set into `server` or `client`.
    pub fn lay(&self, scene: &Scene, side: &str, (certificate, key): (String, String)) {
        scene.put(&format!("{side}/ca.pem"), self.certificate());
        scene.put(&format!("{side}/cert.pem"), certificate);
        scene.put(&format!("{side}/key.pem"), key);
    }

    /// Both sets, complete.
    pub fn lay_all(&self, scene: &Scene) {
        self.lay(scene, "server", self.server());
        self.lay(scene, "client", self.client());
    }
}
