//! Putting CAs where dockerd reads them.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    contents::Contents,
    findings,
    trust::{Registry, Trust},
};
use crate::{
    facts::file::ReadError,
    pki::inspect::Certificate,
    reasons::Finding,
    settings::registry_host::RegistryHost,
    system::directory::{self, Directory},
};

/// Lies in a directory that was made here, and says that it may be changed here. Docker reads only
/// `.crt`, `.cert` and `.key`.
const MARK: &str = ".dind-init";

const CA: &str = "ca.crt";

/// Readable by everyone.
const PUBLIC: u32 = 0o644;
const PRIVATE: u32 = 0o600;

/// The largest bundle that is read, in bytes.
const LARGEST_BUNDLE: u64 = 16 << 20;

/// Where Go looks for the system's CAs: the first that is there counts (crypto/x509, root_linux.go).
const SYSTEM_BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Fills Docker's directories of all registries.
pub fn registries(certs_d: &Path, trust: &Trust) -> Vec<Finding> {
    let installed = trust.registries.iter();
    installed
        .filter_map(|(host, files)| registry(certs_d, host, files).err())
        .collect()
}

/// Fills the directory of one registry, unless somebody else's files are in it.
pub fn registry(certs_d: &Path, host: &RegistryHost, files: &Registry) -> Result<(), Finding> {
    let directory = make(certs_d, host)?;
    let names = directory.names();
    let is_ours = names.is_ok_and(|names| names.is_empty() || names.iter().any(|it| it == MARK));
    if !is_ours {
        return Err(findings::kept(directory.path()));
    }
    let mut wanted = vec![
        (MARK.to_owned(), Vec::new(), PUBLIC),
        (
            CA.to_owned(),
            to_pem(&files.authorities).into_bytes(),
            PUBLIC,
        ),
    ];
    if files.authorities.is_empty() {
        wanted.pop();
    }
    for client in &files.clients {
        // The key first: a certificate without one makes Docker refuse the whole directory.
        let key = (
            format!("{}.key", client.stem),
            client.key_pem.clone(),
            PRIVATE,
        );
        let certificate = format!("{}.cert", client.stem);
        wanted.extend([key, (certificate, client.certificate_pem.clone(), PUBLIC)]);
    }
    for (name, content, mode) in &wanted {
        write(&directory, name, content, *mode)?;
    }
    remove_others(&directory, |name| {
        wanted.iter().any(|(kept, ..)| kept == name)
    });
    Ok(())
}

/// Makes empty directories: BuildKit of Docker 20.10 lists them once, and looks later only into
/// those.
///
/// Where they cannot be made, as beside a daemon.json on a ConfigMap, that is of interest only once
/// there is something to put into them.
pub fn make_directories(certs_d: &Path, hosts: &[RegistryHost]) {
    for host in hosts {
        let _ = make(certs_d, host);
    }
}

/// Writes the CAs that count for every registry into one file, after those that Go would read
/// without it: the system's, and what the user's `SSL_CERT_FILE` names.
///
/// `None` where Go's own choice is the same.
pub fn bundle(
    path: &Path,
    trust: &Trust,
    users: Option<&Path>,
) -> Result<Option<PathBuf>, Finding> {
    if trust.every_registry.is_empty() && users.is_none() {
        return Ok(None);
    }
    let users = users
        .filter(|path| !SYSTEM_BUNDLES.iter().any(|known| Path::new(known) == *path))
        .and_then(|path| directory::read(path, LARGEST_BUNDLE).ok());
    let mut content = Vec::new();
    for part in system_bundle().into_iter().chain(users) {
        content.extend(part);
        content.push(b'\n');
    }
    content.extend(to_pem(&trust.every_registry).into_bytes());
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let directory = Directory::make(parent).map_err(|error| refused(parent, &error.source))?;
    write(&directory, &name.to_string_lossy(), &content, PUBLIC)?;
    Ok(Some(path.to_owned()))
}

/// The CAs that Go trusts by itself, as far as they can be read.
pub fn system_certificates() -> Vec<Certificate> {
    let contents = system_bundle().and_then(|bundle| Contents::parse(&bundle).ok());
    contents.unwrap_or_default().certificates
}

/// Certificates as a PEM file, each with its name above it.
pub fn to_pem<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> String {
    const LINES: pem::EncodeConfig = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let mut text = String::new();
    for certificate in certificates {
        let name = &certificate.subject;
        let block = pem::Pem::new("CERTIFICATE", certificate.der.to_vec());
        text.push_str(&format!("# {name}\n{}", pem::encode_config(&block, LINES)));
    }
    text
}

fn system_bundle() -> Option<Vec<u8>> {
    let mut bundles = SYSTEM_BUNDLES.iter().map(Path::new);
    bundles.find_map(|path| directory::read(path, LARGEST_BUNDLE).ok())
}

fn make(certs_d: &Path, host: &RegistryHost) -> Result<Directory, Finding> {
    let path = certs_d.join(host.to_string());
    Directory::make(&path).map_err(|error| refused(&path, &error.source))
}

fn write(directory: &Directory, name: &str, content: &[u8], mode: u32) -> Result<(), Finding> {
    directory
        .replace(name, content, mode)
        .map_err(|error| refused(&directory.path().join(name), &error))
}

/// Why something could not be put there.
pub fn refused(path: &Path, error: &io::Error) -> Finding {
    findings::not_installed(&ReadError::new(path, error))
}

/// What an earlier life of this container installed and this one does not.
fn remove_others(directory: &Directory, is_kept: impl Fn(&str) -> bool) {
    for name in directory.names().unwrap_or_default() {
        if !name.to_str().is_some_and(&is_kept) {
            // Docker would go on trusting it: harmless, and not worth a word.
            let _ = directory.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use tempfile::tempdir;

    use super::*;
    use crate::registry::{samples::authority, trust::Client};

    fn host(name: &str) -> RegistryHost {
        RegistryHost::parse(name).unwrap()
    }

    fn with(name: &str) -> Registry {
        Registry {
            authorities: vec![authority(name).certificate()],
            ..Registry::default()
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn subjects(path: &Path) -> Vec<String> {
        let certificates = Certificate::parse_pem(&fs::read(path).unwrap()).unwrap();
        certificates.into_iter().map(|c| c.subject).collect()
    }

    #[test]
    fn docker_s_directory_is_named_after_the_host_and_its_port() {
        let root = tempdir().unwrap();
        let mut files = with("CA");
        files.clients.push(Client {
            stem: "client".into(),
            certificate_pem: b"certificate".into(),
            key_pem: b"key".into(),
        });
        registry(root.path(), &host("a.test:5000"), &files).unwrap();
        let directory = root.path().join("a.test:5000");
        assert_eq!(names(&directory), [MARK, CA, "client.cert", "client.key"]);
        assert_eq!(subjects(&directory.join(CA)), ["CN=CA"]);
        let key = fs::metadata(directory.join("client.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        // The next start trusts what is there then, and nothing else.
        registry(root.path(), &host("a.test:5000"), &with("New")).unwrap();
        assert_eq!(names(&directory), [MARK, CA]);
        assert_eq!(subjects(&directory.join(CA)), ["CN=New"]);
    }

    #[test]
    fn somebody_else_s_directory_is_kept_and_an_empty_one_is_filled() {
        let root = tempdir().unwrap();
        let theirs = root.path().join("a.test");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("ca.crt"), "theirs").unwrap();
        let finding = registry(root.path(), &host("a.test"), &with("CA")).unwrap_err();
        assert_eq!(finding.reason.id, "REGISTRY-KEPT");
        assert_eq!(fs::read(theirs.join("ca.crt")).unwrap(), b"theirs");
        make_directories(root.path(), &[host("b.test")]);
        registry(root.path(), &host("b.test"), &with("CA")).unwrap();
        assert_eq!(names(&root.path().join("b.test")), [MARK, CA]);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let root = tempdir().unwrap();
        let file = root.path().join("certs.d");
        fs::write(&file, "").unwrap();
        let finding = registry(&file, &host("a.test"), &with("CA")).unwrap_err();
        assert_eq!(finding.reason.id, "REGISTRY-NOT-INSTALLED");
        assert!(finding.cause.contains("certs.d/a.test"), "{finding}");
    }

    #[test]
    fn the_bundle_holds_the_user_s_file_as_well() {
        let root = tempdir().unwrap();
        let path = root.path().join("run/ca-certificates.crt");
        assert_eq!(bundle(&path, &Trust::default(), None).unwrap(), None);
        let users = root.path().join("users.pem");
        fs::write(&users, authority("Theirs").pem).unwrap();
        let trust = Trust {
            every_registry: vec![authority("Ours").certificate()],
            ..Trust::default()
        };
        let written = bundle(&path, &trust, Some(&users)).unwrap().unwrap();
        let subjects = subjects(&written);
        let last = &subjects[subjects.len() - 2..];
        assert_eq!(last, ["CN=Theirs", "CN=Ours"]);
    }
}
