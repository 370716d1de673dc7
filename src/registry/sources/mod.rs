//! Where the CAs of registries were looked for, and what was there: facts, nothing is judged.

use std::{
    ffi::OsStr,
    fmt, io,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    facts::file::{ReadError, read},
    settings::{
        registry::{Given, Place, RegistrySettings},
        registry_host::RegistryHost,
    },
    system::{
        background::{Background, PATIENCE, no_answer},
        directory::Directory,
    },
};

/// More entries than anyone has CAs: the path is a mistake then, and not all of it is read.
const MOST_ENTRIES: usize = 5_000;

/// More than this is not read in all, in files and in bytes.
const MOST_FILES: usize = 5_000;
const MOST_BYTES: usize = 16 << 20;

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

impl fmt::Debug for Source {
    /// Without the content, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    files: usize,
    bytes: usize,
}

impl Sources {
    /// Reads everything that the settings name. What lies on a volume that does not answer is found
    /// to be unreadable, and the rest goes on.
    pub fn read(settings: &RegistrySettings) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let directory = settings.directory.clone();
        let in_directory = Background::ask(&[&settings.directory], move || {
            let mut sources = Self::default();
            sources.read_directory(&directory);
            sources
        });
        let named = named(settings);
        let places = named.clone();
        let files: Vec<_> = named
            .iter()
            .filter_map(|(_, place, _)| place.file())
            .collect();
        let in_places = Background::ask(&files, move || Self::of_places(places, read_if_there));
        let mut sources = Self::default();
        match in_directory.wait_unless_stopped(deadline) {
            Some(found) => sources = found,
            None => sources.refuse(&settings.directory, &no_answer()),
        }
        let of_places = in_places.wait_unless_stopped(deadline);
        let of_places = of_places.unwrap_or_else(|| Self::of_places(named, unanswered));
        sources.found.extend(of_places.found);
        sources.awaited.extend(of_places.awaited);
        sources
    }

    fn of_places(
        named: Vec<(&'static str, Place, Scope)>,
        read: fn(&Path, &Scope) -> Option<Source>,
    ) -> Self {
        let mut sources = Self::default();
        for (variable, place, scope) in named {
            match place {
                Place::Text(text) => sources.found.push(Source {
                    origin: variable.into(),
                    role: Role::Authorities(scope),
                    content: Ok(text.into_bytes()),
                }),
                Place::File(path) => {
                    let found = read(&path, &scope);
                    sources.awaited.push(Awaited {
                        path,
                        scope,
                        seen: found.as_ref().and_then(|found| found.content.clone().ok()),
                    });
                    sources.found.extend(found);
                }
            }
        }
        sources
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
        if self.files >= MOST_FILES || self.bytes >= MOST_BYTES {
            return;
        }
        let content = read(&path);
        self.files += 1;
        self.bytes += content.as_ref().map_or(0, Vec::len);
        if self.files >= MOST_FILES || self.bytes >= MOST_BYTES {
            let error = format!(
                "all CAs together are more than {MOST_FILES} files or {} MiB; the others are left \
                 out",
                MOST_BYTES >> 20
            );
            self.refuse(&path, &io::Error::other(error));
        }
        self.found.push(Source {
            content,
            origin: path,
            role,
        });
    }

    /// The entries of a directory, sorted, without hidden ones: Kubernetes' `..data` and the
    /// directory with a time stamp behind it hold the same files once more.
    fn list(&mut self, directory: &Path) -> Vec<PathBuf> {
        let names = match Directory::open(directory).and_then(|directory| directory.names()) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.refuse(directory, &error);
                return Vec::new();
            }
        };
        // dockerd's log and BuildKit's configuration have lines, and a name becomes a part of them.
        let (names, odd): (Vec<_>, Vec<_>) = names
            .into_iter()
            .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
            .partition(|name| !name.to_string_lossy().contains(char::is_control));
        for name in odd {
            let error = io::Error::other("a control character in its name");
            self.refuse(&directory.join(name), &error);
        }
        let names = names.into_iter().take(MOST_ENTRIES + 1);
        let mut paths: Vec<_> = names.map(|name| directory.join(name)).collect();
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

/// The places that variables name, by the variable.
fn named(settings: &RegistrySettings) -> Vec<(&'static str, Place, Scope)> {
    let given = settings.given.iter().map(|Given { host, place }| {
        let scope = match host {
            None => Scope::EveryRegistry,
            Some(host) => Scope::Registry(host.clone()),
        };
        ("DIND_REGISTRY_CA", place.clone(), scope)
    });
    let runner = settings.runner.iter().map(|place| {
        let scope = Scope::GitLab(settings.gitlab_hosts.clone());
        ("CI_SERVER_TLS_CA_FILE", place.clone(), scope)
    });
    given.chain(runner).collect()
}

/// A file whose volume does not answer.
fn unanswered(path: &Path, scope: &Scope) -> Option<Source> {
    Some(Source {
        origin: path.to_owned(),
        role: Role::Authorities(scope.clone()),
        content: Err(ReadError::new(path, &no_answer())),
    })
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

fn text(part: Option<&OsStr>) -> Option<String> {
    part.and_then(|part| part.to_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests;
