//! A certificate directory, the container around it, and a start of the init on it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use dind_init::testing::{
    facts::{certificates::CertificateDirectory, mounts::Mounts},
    pki::{
        Certificates, ClientKeyInTheMaking, Decision, Job, Wanted, decide, inspect::Certificate,
        prepare,
    },
    reasons::Finding,
    settings::{CertificateSettings, ClientKey, subject_names::SubjectName},
};
use tempfile::TempDir;
use time::OffsetDateTime;

/// Every file below the certificate directory.
pub type Snapshot = BTreeMap<String, File>;

/// Equal only if nothing was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    pub mode: u32,
    pub content: Vec<u8>,
    inode: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

/// The container's side of things.
pub struct Scene {
    root: TempDir,
    pub mounts: Mounts,
    pub settings: CertificateSettings,
    pub names: Vec<SubjectName>,
    pub job: Job,
    pub now: OffsetDateTime,
}

impl Scene {
    /// An empty directory; clients get ECDSA keys, because RSA would only cost time here.
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("certs");
        Self {
            settings: CertificateSettings {
                directory: directory.clone(),
                names: Vec::new(),
                other_names: Vec::new(),
                client_key: ClientKey::EcdsaP256,
                days: 825,
            },
            root,
            mounts: Mounts::parse(""),
            names: names("docker,localhost,127.0.0.1,10.0.0.5"),
            job: Job::default(),
            // OpenSSL does not back-date what it makes while the test runs.
            now: OffsetDateTime::now_utc() + time::Duration::MINUTE,
        }
    }

    /// With files laid in it: `server/key.pem`, content.
    pub fn holding(files: &[(&str, &str)]) -> Self {
        let scene = Self::new();
        for (name, content) in files {
            scene.put(name, content);
        }
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.settings.directory.join(name)
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn certificate(&self, name: &str) -> Certificate {
        Certificate::parse_pem(&self.read(name)).unwrap().remove(0)
    }

    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Makes the directory (`client`, or `` for all) a volume of its own.
    pub fn mount(&mut self, name: &str, root: &str, options: &str, file_system: &str) {
        let point = self.settings.directory.join(name);
        self.mounts = Mounts::parse(&format!(
            "1 0 0:1 / / rw - overlay overlay rw\n\
             2 1 0:2 {root} {} {options} - {file_system} /dev/vda rw",
            point.to_string_lossy().trim_end_matches('/')
        ));
    }

    pub fn wanted(&self) -> Wanted<'_> {
        Wanted {
            settings: &self.settings,
            names: &self.names,
            job: self.job.clone(),
            now: self.now,
        }
    }

    pub fn survey(&self) -> CertificateDirectory {
        CertificateDirectory::survey(&self.settings.directory, &self.mounts)
    }

    pub fn decide(&self) -> Result<Decision, Finding> {
        decide(&self.survey(), &self.wanted())
    }

    /// A whole start, up to the published client certificate.
    pub fn start(&self) -> Result<Certificates, Finding> {
        let key = ClientKeyInTheMaking::start(self.settings.client_key);
        let mut certificates = prepare(&self.mounts, &self.wanted(), Duration::ZERO)?;
        if let Some(pending) = certificates.pending.take() {
            pending.publish(key)?;
        }
        Ok(certificates)
    }

    /// A start that ends at once, and what it leaves.
    pub fn started(self) -> Self {
        drop(self.start().unwrap());
        self
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut files = BTreeMap::new();
        collect(&self.settings.directory, &mut files);
        files
            .into_iter()
            .map(|(path, file)| {
                let name = path.strip_prefix(&self.settings.directory).unwrap();
                (name.display().to_string(), file)
            })
            .collect()
    }

    /// The files that were written, made or removed since.
    pub fn changed_since(&self, before: &Snapshot) -> Vec<String> {
        let after = self.snapshot();
        let mut names: Vec<_> = before
            .keys()
            .chain(after.keys())
            .filter(|name| before.get(*name) != after.get(*name))
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// The start is refused with this reason, and nothing at all is written.
    #[track_caller]
    pub fn refused(&self, id: &str) -> Finding {
        let before = self.snapshot();
        let finding = self.start().expect_err("the start was to be refused");
        assert_eq!(finding.reason.id, id, "{finding}");
        assert_eq!(self.snapshot(), before, "{finding}");
        let lines = finding.to_string().lines().count();
        assert!(lines <= 13, "{lines} lines:\n{finding}");
        finding
    }

    /// The whole set holds together for dockerd and for clients, by OpenSSL's strict rules.
    #[track_caller]
    pub fn assert_good(&self) {
        for (trust, leaf, purpose) in [
            ("client/ca.pem", "server/cert.pem", "sslserver"),
            ("server/ca.pem", "client/cert.pem", "sslclient"),
        ] {
            openssl(&[
                "verify",
                "-x509_strict",
                "-attime",
                &self.now.unix_timestamp().to_string(),
                "-purpose",
                purpose,
                "-CAfile",
                &self.path(trust).to_string_lossy(),
                &self.path(leaf).to_string_lossy(),
            ]);
        }
        for side in ["server", "client"] {
            let leaf = openssl(&["x509", "-noout", "-pubkey", "-in", &self.text(side, "cert")]);
            let key = openssl(&["pkey", "-pubout", "-in", &self.text(side, "key")]);
            assert_eq!(leaf, key, "the key of {side}/");
        }
    }

    fn text(&self, side: &str, name: &str) -> String {
        self.path(side)
            .join(format!("{name}.pem"))
            .to_string_lossy()
            .into_owned()
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }
}

pub fn names(list: &str) -> Vec<SubjectName> {
    SubjectName::parse_list("TEST", list).unwrap()
}

/// Runs `openssl`; its output. It must succeed.
#[track_caller]
pub fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[track_caller]
pub fn ids(findings: &[Finding]) -> Vec<(&'static str, String)> {
    findings
        .iter()
        .map(|finding| (finding.reason.id, finding.severity.to_string()))
        .collect()
}

fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, File>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            collect(&path, files);
        } else {
            let file = File {
                mode: metadata.mode() & 0o7777,
                content: fs::read(&path).unwrap_or_default(),
                inode: metadata.ino(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            };
            files.insert(path, file);
        }
    }
}
