//! Where the CAs of registries were looked for, and what was there: facts, nothing is judged.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::host::RegistryHost;
use crate::{
    facts::file::{ReadError, read},
    settings::registry::{Given, Place, RegistrySettings},
};

/// More entries than anyone has CAs: the path is a mistake then, and not all of it is read.
const MOST_ENTRIES: usize = 5_000;

/// A file, or the text of a variable.
#[derive(Clone)]
pub struct Source {
    /// The file's path, or the variable's name.
    pub origin: PathBuf,
    pub role: Role,
    pub content: Result<Vec<u8>, ReadError>,
}

/// What a source is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Role {
    Authorities(Scope),
    /// A client's certificate: `host` asks for it, and the key has the same `stem`.
    ClientCertificate {
        host: RegistryHost,
        stem: String,
    },
    ClientKey {
        host: RegistryHost,
        stem: String,
    },
    /// In a directory whose name is no host.
    NoHost,
}

/// Which registries a CA is trusted for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    EveryRegistry,
    Registry(RegistryHost),
    /// The runner's own file, which holds all that GitLab's server presents.
    GitLab(Vec<RegistryHost>),
}

impl Scope {
    /// The hosts, none for every registry.
    pub fn hosts(&self) -> &[RegistryHost] {
        match self {
            Self::EveryRegistry => &[],
            Self::Registry(host) => std::slice::from_ref(host),
            Self::GitLab(hosts) => hosts,
        }
    }
}

impl std::fmt::Debug for Source {
    /// Without the content, which may be a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {:?}", self.origin.display(), self.role)
    }
}

/// A file that may come later, or change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Awaited {
    pub path: PathBuf,
    pub scope: Scope,
    /// What was read last.
    pub seen: Option<Vec<u8>>,
}

/// What is there now, and what may come.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub found: Vec<Source>,
    pub awaited: Vec<Awaited>,
}

impl Sources {
    /// Reads everything that the settings name.
    pub fn read(settings: &RegistrySettings) -> Self {
        let mut sources = Self::default();
        sources.read_directory(&settings.directory);
        for Given { host, place } in &settings.given {
            let scope = match host {
                None => Scope::EveryRegistry,
                Some(host) => Scope::Registry(host.clone()),
            };
            sources.read_place("DIND_REGISTRY_CA", place, scope);
        }
        if let Some(place) = &settings.runner {
            let scope = Scope::GitLab(settings.gitlab_hosts.clone());
            sources.read_place("CI_SERVER_TLS_CA_FILE", place, scope);
        }
        sources
    }

    fn read_place(&mut self, variable: &str, place: &Place, scope: Scope) {
        match place {
            Place::Text(text) => self.found.push(Source {
                origin: variable.into(),
                role: Role::Authorities(scope),
                content: Ok(text.clone().into_bytes()),
            }),
            Place::File(path) => {
                let found = read_if_there(path, &scope);
                self.awaited.push(Awaited {
                    path: path.clone(),
                    scope,
                    seen: found.as_ref().and_then(|found| found.content.clone().ok()),
                });
                self.found.extend(found);
            }
        }
    }

    /// `directory` may also be a single file, mounted there by `sub_path`.
    fn read_directory(&mut self, directory: &Path) {
        if directory.is_file() {
            let role = Role::Authorities(Scope::EveryRegistry);
            return self.push(directory.to_owned(), role);
        }
        for path in self.list(directory) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let stem = without_ending(name);
            if path.is_dir() {
                match RegistryHost::from_file_name(stem) {
                    Some(host) => self.read_host(&path, &host),
                    None => self.read_no_host(&path),
                }
                continue;
            }
            let host = RegistryHost::from_file_name(stem)
                .filter(|host| stem.len() < name.len() && host.is_unmistakable());
            let scope = host.map_or(Scope::EveryRegistry, Scope::Registry);
            self.push(path, Role::Authorities(scope));
        }
    }

    /// One registry's directory, with endings as Docker has them, and `.pem` as well.
    fn read_host(&mut self, directory: &Path, host: &RegistryHost) {
        for path in self.list(directory) {
            let (Some(stem), Some(ending)) = (text(path.file_stem()), text(path.extension()))
            else {
                continue;
            };
            let host = host.clone();
            let role = match ending.as_str() {
                "crt" | "pem" => Role::Authorities(Scope::Registry(host)),
                "cert" => Role::ClientCertificate { host, stem },
                "key" => Role::ClientKey { host, stem },
                _ => continue,
            };
            self.push(path, role);
        }
    }

    /// An empty one, such as a disk's `lost+found`, is nobody's mistake.
    fn read_no_host(&mut self, directory: &Path) {
        let endings = ["crt", "pem", "cert", "key"];
        let first = self.list(directory).into_iter().find(|path| {
            let ending = text(path.extension());
            ending.is_some_and(|ending| endings.contains(&ending.as_str()))
        });
        if first.is_some() {
            self.found.push(Source {
                origin: directory.to_owned(),
                role: Role::NoHost,
                content: Ok(Vec::new()),
            });
        }
    }

    fn push(&mut self, path: PathBuf, role: Role) {
        self.found.push(Source {
            content: read(&path),
            origin: path,
            role,
        });
    }

    /// The entries of a directory, sorted, without hidden ones: Kubernetes' `..data` and the
    /// directory with a time stamp behind it hold the same files once more.
    fn list(&mut self, directory: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.refuse(directory, &error);
                return Vec::new();
            }
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .map(|entry| entry.path())
            .take(MOST_ENTRIES + 1)
            .collect();
        if paths.len() > MOST_ENTRIES {
            let error = format!("more than {MOST_ENTRIES} entries; the others are left out");
            self.refuse(directory, &io::Error::other(error));
            paths.truncate(MOST_ENTRIES);
        }
        paths.sort();
        paths
    }

    fn refuse(&mut self, directory: &Path, error: &io::Error) {
        self.found.push(Source {
            origin: directory.to_owned(),
            role: Role::Authorities(Scope::EveryRegistry),
            content: Err(ReadError::new(directory, error)),
        });
    }
}

/// An awaited file, once it is there. One that is empty is just being written.
pub fn read_if_there(path: &Path, scope: &Scope) -> Option<Source> {
    let content = match read(path) {
        Err(error) if error.kind == io::ErrorKind::NotFound => return None,
        Ok(content) if content.is_empty() => return None,
        content => content,
    };
    Some(Source {
        origin: path.to_owned(),
        role: Role::Authorities(scope.clone()),
        content,
    })
}

fn without_ending(name: &str) -> &str {
    name.strip_suffix(".crt")
        .or_else(|| name.strip_suffix(".pem"))
        .unwrap_or(name)
}

fn text(part: Option<&std::ffi::OsStr>) -> Option<String> {
    part.and_then(|part| part.to_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::{sys::stat::Mode, unistd::mkfifo};
    use tempfile::tempdir;

    use super::*;

    fn settings(directory: &Path) -> RegistrySettings {
        RegistrySettings::parse(&|name| {
            (name == "DIND_REGISTRY_CA_DIR").then(|| directory.display().to_string())
        })
        .unwrap()
    }

    fn write(directory: &Path, path: &str) {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }

    /// Each source as `path: role`.
    fn roles(directory: &Path) -> Vec<String> {
        let describe = |source: &Source| {
            let path = source.origin.strip_prefix(directory).unwrap().display();
            match &source.role {
                Role::Authorities(Scope::EveryRegistry) => format!("{path}: every registry"),
                Role::Authorities(scope) => format!("{path}: {}", scope.hosts()[0]),
                Role::ClientCertificate { host, stem } => {
                    format!("{path}: certificate {stem} of {host}")
                }
                Role::ClientKey { host, stem } => format!("{path}: key {stem} of {host}"),
                Role::NoHost => format!("{path}: no host"),
            }
        };
        let sources = Sources::read(&settings(directory));
        sources.found.iter().map(describe).collect()
    }

    #[test]
    fn every_layout_says_what_its_files_are_for() {
        let root = tempdir().unwrap();
        for path in [
            "ca.crt",
            "corporate-root.pem",
            "notes.txt",
            "reg.example.com.crt",
            "reg.example.com_5000.pem",
            "inner.example.com/ca.crt",
            "inner.example.com/more.pem",
            "inner.example.com/client.cert",
            "inner.example.com/client.key",
            "inner.example.com/README",
            "registry_5000/ca.crt",
            "mounted.example.com.crt/ca.crt",
            "no host/ca.crt",
            "lost+found/.keep",
        ] {
            write(root.path(), path);
        }
        assert_eq!(
            roles(root.path()),
            [
                "ca.crt: every registry",
                "corporate-root.pem: every registry",
                "inner.example.com/ca.crt: inner.example.com",
                "inner.example.com/client.cert: certificate client of inner.example.com",
                "inner.example.com/client.key: key client of inner.example.com",
                "inner.example.com/more.pem: inner.example.com",
                "mounted.example.com.crt/ca.crt: mounted.example.com",
                "no host: no host",
                "notes.txt: every registry",
                "reg.example.com.crt: reg.example.com",
                "reg.example.com_5000.pem: reg.example.com:5000",
                "registry_5000/ca.crt: registry:5000",
            ]
        );
    }

    #[test]
    fn kubernetes_links_are_followed_once() {
        let root = tempdir().unwrap();
        write(root.path(), "..2026_11_23/ca.crt");
        write(root.path(), "..2026_11_23/reg.example.com/ca.crt");
        symlink("..2026_11_23", root.path().join("..data")).unwrap();
        symlink("..data/ca.crt", root.path().join("ca.crt")).unwrap();
        symlink(
            "..data/reg.example.com",
            root.path().join("reg.example.com"),
        )
        .unwrap();
        assert_eq!(
            roles(root.path()),
            [
                "ca.crt: every registry",
                "reg.example.com/ca.crt: reg.example.com"
            ]
        );
    }

    #[test]
    fn a_single_file_in_the_directory_s_place_is_for_every_registry() {
        let root = tempdir().unwrap();
        write(root.path(), "ca");
        assert_eq!(roles(&root.path().join("ca")), [": every registry"]);
    }

    #[test]
    fn what_cannot_be_read_costs_only_itself() {
        let root = tempdir().unwrap();
        write(root.path(), "good.crt");
        mkfifo(&root.path().join("pipe.crt"), Mode::S_IRWXU).unwrap();
        symlink("loop.crt", root.path().join("loop.crt")).unwrap();
        symlink("gone.crt", root.path().join("vanished.crt")).unwrap();
        symlink(".", root.path().join("self.example.com")).unwrap();
        fs::write(root.path().join("huge.crt"), vec![b'x'; 2 << 20]).unwrap();
        let sources = Sources::read(&settings(root.path())).found;
        let state = |name: &str| {
            let found = sources.iter().find(|source| source.origin.ends_with(name));
            let content = &found.unwrap().content;
            content
                .as_ref()
                .map_err(|error| error.message.clone())
                .map(Vec::len)
        };
        assert_eq!(state("good.crt"), Ok(1));
        for (name, why) in [
            ("pipe.crt", "not a regular file"),
            ("loop.crt", "Too many levels of symbolic links"),
            ("vanished.crt", "No such file"),
            ("huge.crt", "larger than"),
        ] {
            assert!(state(name).unwrap_err().contains(why), "{name}");
        }
    }

    #[test]
    fn awaited_files_are_found_if_they_are_there_and_remembered_if_not() {
        let root = tempdir().unwrap();
        let (there, later) = (root.path().join("there.crt"), root.path().join("later.crt"));
        write(root.path(), "there.crt");
        let settings = RegistrySettings::parse(&|name| match name {
            "DIND_REGISTRY_CA_DIR" => Some("/nowhere".into()),
            "DIND_REGISTRY_CA" => Some(format!("a.test={}", there.display())),
            "CI_SERVER_TLS_CA_FILE" => Some(later.display().to_string()),
            "CI_REGISTRY" => Some("registry.test".into()),
            _ => None,
        });
        let sources = Sources::read(&settings.unwrap());
        assert_eq!(sources.found.len(), 1);
        let awaited: Vec<_> = sources.awaited.iter().map(|a| a.path.clone()).collect();
        assert_eq!(awaited, [there, later.clone()]);
        let scope = &sources.awaited[1].scope;
        assert!(read_if_there(&later, scope).is_none());
        write(root.path(), "later.crt");
        assert_eq!(
            read_if_there(&later, scope).unwrap().content,
            Ok(b"x".to_vec())
        );
    }
}
