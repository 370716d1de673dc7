//! The same CAs for the job's own clients: BuildKit fetches a registry's tokens in the *client's*
//! process, and a builder in a container of its own knows nothing of dockerd's directories.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use super::{install::to_pem, trust::Trust};
use crate::{
    reasons::printable, settings::registry_host::RegistryHost, system::directory::Directory,
};

/// All CAs in one file.
pub const CA_CERTIFICATES: &str = "registry-ca.pem";
/// For `docker buildx create --driver docker-container`.
pub const BUILDKITD: &str = "buildkitd.toml";

/// How a file of ours begins, and no other does.
const MARK: &str = "# Made by dind-init";

/// Writes both files into `directory`, the first only where there are CAs; without any, BuildKit's
/// is there all the same, so that a job's command line need not know. Returns the path of the first.
///
/// `known` are registries that the job may use although no CA is meant for them alone.
pub fn write(
    directory: &Directory,
    trust: &Trust,
    known: &[RegistryHost],
) -> io::Result<Option<PathBuf>> {
    let path = directory.path().join(CA_CERTIFICATES);
    replace(directory, BUILDKITD, &buildkitd(trust, known, &path))?;
    let certificates = trust.certificates();
    if certificates.is_empty() {
        remove_file(directory, CA_CERTIFICATES);
        return Ok(None);
    }
    let pem = format!(
        "{MARK} of all registry CAs that it was given. Use: SSL_CERT_FILE={} docker build …\n{}",
        in_a_comment(&path),
        to_pem(certificates)
    );
    replace(directory, CA_CERTIFICATES, &pem)?;
    Ok(Some(path))
}

/// Takes both files away, if they are ours.
pub fn remove(directory: &Directory) {
    for name in [CA_CERTIFICATES, BUILDKITD] {
        remove_file(directory, name);
    }
}

fn remove_file(directory: &Directory, name: &str) {
    // What stays is not trusted by anybody who does not name it.
    let _ = directory.remove_staged(name);
    if is_ours(directory, name) {
        let _ = directory.remove(name);
    }
}

fn replace(directory: &Directory, name: &str, text: &str) -> io::Result<()> {
    let path = directory.path().join(name);
    if directory.stat_of(name).is_ok() && !is_ours(directory, name) {
        let what = format!("{} is not ours, and stays", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    }
    directory
        .replace(name, text.as_bytes(), 0o644)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn is_ours(directory: &Directory, name: &str) -> bool {
    let content = directory.read_own(name);
    content.is_ok_and(|content| content.starts_with(MARK.as_bytes()))
}

/// A line break in the path would begin a line of its own.
fn in_a_comment(path: &Path) -> String {
    printable::value(&path.to_string_lossy())
}

/// BuildKit's configuration has no registry that stands for all, so those that are known are named.
fn buildkitd(trust: &Trust, known: &[RegistryHost], ca: &Path) -> String {
    let mut text = format!(
        "{MARK}. Use: docker buildx create --use --driver docker-container --buildkitd-config {}\n",
        in_a_comment(&ca.with_file_name(BUILDKITD))
    );
    let every = known.iter().filter(|_| !trust.every_registry.is_empty());
    let hosts: BTreeSet<_> = trust.registries.keys().chain(every).collect();
    for host in hosts {
        // Neither a host nor a JSON string, whose escapes TOML shares, can break out of the quotes.
        let ca = serde_json::json!(ca.to_string_lossy());
        text.push_str(&format!("\n[registry.\"{host}\"]\n  ca = [{ca}]\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::{
        pki::inspect::Certificate,
        registry::{samples::authority, trust::Registry},
    };

    fn trust() -> Trust {
        let host = RegistryHost::parse("a.test:5000").unwrap();
        let registry = Registry {
            authorities: vec![authority("One").certificate()],
            ..Registry::default()
        };
        Trust {
            every_registry: vec![authority("Every").certificate()],
            registries: [(host, registry)].into(),
            ..Trust::default()
        }
    }

    fn directory() -> (TempDir, Directory) {
        let root = tempdir().unwrap();
        let directory = Directory::open(root.path()).unwrap();
        (root, directory)
    }

    #[test]
    fn both_files_name_every_ca() {
        let (root, directory) = directory();
        let gitlab = RegistryHost::parse("gitlab.test").unwrap();
        let path = write(&directory, &trust(), &[gitlab]).unwrap().unwrap();
        let pem = fs::read(&path).unwrap();
        let certificates = Certificate::parse_pem(&pem).unwrap();
        let subjects: Vec<_> = certificates.iter().map(|c| &c.subject).collect();
        assert_eq!(subjects, ["CN=Every", "CN=One"]);
        let text = fs::read_to_string(root.path().join(BUILDKITD)).unwrap();
        let toml: toml::Table = text.parse().unwrap();
        for host in ["a.test:5000", "gitlab.test"] {
            let ca = toml["registry"][host]["ca"][0].as_str().unwrap();
            assert_eq!(Path::new(ca), path);
        }
    }

    #[test]
    fn without_a_ca_buildkit_s_configuration_is_there_and_names_none() {
        let (root, directory) = directory();
        write(&directory, &trust(), &[]).unwrap();
        let gitlab = RegistryHost::parse("gitlab.test").unwrap();
        let path = write(&directory, &Trust::default(), &[gitlab]).unwrap();
        assert_eq!(path, None);
        assert!(!root.path().join(CA_CERTIFICATES).exists());
        let text = fs::read_to_string(root.path().join(BUILDKITD)).unwrap();
        assert_eq!(text.parse::<toml::Table>().unwrap(), toml::Table::new());
    }

    #[test]
    fn files_of_ours_are_replaced_and_taken_away_and_no_others() {
        let (root, directory) = directory();
        write(&directory, &trust(), &[]).unwrap();
        write(&directory, &trust(), &[]).unwrap();
        remove(&directory);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        let theirs = root.path().join(CA_CERTIFICATES);
        fs::write(&theirs, "theirs").unwrap();
        assert!(write(&directory, &trust(), &[]).is_err());
        remove(&directory);
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
    }
}
