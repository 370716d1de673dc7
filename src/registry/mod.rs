//! The CAs of registries: found in a place of their own, judged, and put where dockerd and the
//! job's own clients read them.
//!
//! [`Sources`] are facts, [`Trust`] is judged from them, [`Registries::set_up`] changes the
//! container, and [`Registries::export`] the directory that the job sees, too. What comes later is
//! installed by [`Registries::watch`].

mod contents;
pub mod exports;
mod findings;
pub mod install;
pub mod probe;
#[cfg(test)]
mod samples;
pub mod sources;
pub mod trust;
pub mod untrusted;
mod watch;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

use self::{
    sources::{Awaited, Role, Scope, Source, Sources},
    trust::Trust,
};
use crate::{
    facts::{certificates, file::ReadError, mounts::Mounts},
    pki::origin,
    reasons::Finding,
    settings::{Environment, non_empty, registry::RegistrySettings, registry_host::RegistryHost},
    system::{
        background::{in_time, no_answer},
        directory::Directory,
    },
};

/// Where things are put.
#[derive(Clone, Debug)]
pub struct Places {
    /// Docker's directory of registries.
    pub certs_d: PathBuf,
    /// The file of CAs that dockerd is given for everything else.
    pub bundle: PathBuf,
    /// Directories that the job sees too, the best first.
    pub shared: Vec<PathBuf>,
}

impl Places {
    /// Those of root, or of another user (moby `registry/config.go`).
    pub fn new(
        is_root: bool,
        runtime_directory: &Path,
        environment: Environment<'_>,
        shared: Vec<PathBuf>,
    ) -> Self {
        let user = || {
            let home = non_empty(environment, "HOME").unwrap_or_else(|| "/".into());
            let of_home = || Path::new(&home).join(".config");
            let configuration = non_empty(environment, "XDG_CONFIG_HOME");
            configuration.map_or_else(of_home, PathBuf::from)
        };
        let (configuration, runtime) = match is_root {
            true => ("/etc".into(), Path::new("/run")),
            false => (user(), runtime_directory),
        };
        Self {
            certs_d: configuration.join("docker/certs.d"),
            bundle: runtime.join("dind-init/ca-certificates.crt"),
            shared,
        }
    }
}

/// Reads and judges; changes nothing.
pub fn look(settings: &RegistrySettings) -> (Trust, Vec<Awaited>) {
    let sources = Sources::read(settings);
    let mut trust = Trust::judge(&sources.found, OffsetDateTime::now_utc());
    trust.extend_to_ports(&settings.gitlab_hosts);
    (trust, sources.awaited)
}

/// What is trusted, and what is still to come. Cloned, it is still the same one.
#[derive(Clone, Debug)]
pub struct Registries {
    trust: Arc<Mutex<Trust>>,
    places: Places,
    /// Those of GitLab.
    known: Vec<RegistryHost>,
    awaited: Vec<Awaited>,
    /// `SSL_CERT_FILE` for dockerd.
    pub environment: Option<(OsString, OsString)>,
}

impl Registries {
    /// Installs what was found by [`look`]. Whatever fails is reported, and the rest goes on.
    pub fn set_up(
        settings: &RegistrySettings,
        (trust, awaited): (Trust, Vec<Awaited>),
        places: Places,
        tell: impl Fn(&Finding),
    ) -> Self {
        let mut findings = trust.findings.clone();
        findings.extend(installed(settings, &trust, &places));
        let environment = match bundled(settings, &trust, &places) {
            Ok(bundle) => bundle.map(|path| ("SSL_CERT_FILE".into(), path.into())),
            Err(finding) => {
                findings.push(finding);
                None
            }
        };
        findings.iter().for_each(tell);
        let registries = Self {
            trust: Arc::new(Mutex::new(trust)),
            places,
            known: settings.gitlab_hosts.clone(),
            awaited,
            environment,
        };
        for file in registries.awaited.iter().filter(|file| file.seen.is_none()) {
            tracing::info!(
                "{} is not there yet, and is waited for",
                file.path.display()
            );
        }
        registries
    }

    /// Gives the same CAs to the job's own clients, whom dockerd's start need not wait for.
    pub fn export(&self) {
        let registries = self.clone();
        let places: Vec<_> = self.places.shared.iter().map(PathBuf::as_path).collect();
        if in_time(&places, move || registries.write_exports()).is_none() {
            let error = no_answer();
            tracing::warn!("the job's own clients get no registry CAs yet: {error}");
        }
    }

    /// Installs what comes later, and says so.
    pub fn watch(&self, tell: impl Fn(&Finding) + Send + 'static) {
        let registries = self.clone();
        watch::start(self.awaited.clone(), move |source| {
            for finding in registries.arrived(&source) {
                tell(&finding);
            }
        });
    }

    /// What is known now.
    pub fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrived(&self, source: &Source) -> Vec<Finding> {
        let more = Trust::judge(std::slice::from_ref(source), OffsetDateTime::now_utc());
        let mut findings = more.findings.clone();
        let is_general = source.role == Role::Authorities(Scope::EveryRegistry);
        if is_general && !more.is_empty() {
            findings.push(findings::late(&source.origin));
        }
        // Others ask for it while a file system keeps us.
        let trust = {
            let mut trust = self.trust();
            trust.extend(&more);
            trust.clone()
        };
        for host in more.registries.keys() {
            let installed = install::registry(&self.places.certs_d, host, &trust.registries[host]);
            match installed {
                Ok(()) => tracing::info!(
                    "{} came, and is trusted for {host}",
                    source.origin.display()
                ),
                Err(finding) => findings.push(finding),
            }
        }
        self.write_exports();
        findings
    }

    fn write_exports(&self) {
        let trust = self.trust().clone();
        let mut refusal = None;
        let shared = self.places.shared.iter();
        for directory in shared.filter_map(|path| Directory::open(path).ok()) {
            if trust.is_empty() && holds_a_set_of_somebody_s(directory.path()) {
                continue;
            }
            match exports::write(&directory, &trust, &self.known) {
                Ok(None) => return,
                Ok(Some(path)) => {
                    tracing::info!(
                        "registry CAs that are installed: {}; the job's own clients find them in \
                         {} (SSL_CERT_FILE), buildx in {}",
                        trust.certificates().len(),
                        path.display(),
                        path.with_file_name(exports::BUILDKITD).display()
                    );
                    return;
                }
                Err(error) => refusal = Some(error),
            }
        }
        if let Some(error) = refusal
            && !trust.is_empty()
        {
            tracing::warn!("the job's own clients get no registry CAs: {error}");
        }
    }
}

/// What could not be put into Docker's directories of registries.
fn installed(settings: &RegistrySettings, trust: &Trust, places: &Places) -> Vec<Finding> {
    let (certs_d, hosts) = (places.certs_d.clone(), settings.gitlab_hosts.clone());
    let trust = trust.clone();
    let install = move || {
        // Those of GitLab come first: where the runner's file is late, BuildKit must know them.
        install::make_directories(&certs_d, &hosts);
        install::registries(&certs_d, &trust)
    };
    in_time(&[&places.certs_d], install)
        .unwrap_or_else(|| vec![install::refused(&places.certs_d, &no_answer())])
}

/// The file of CAs for every registry, where one is needed.
fn bundled(
    settings: &RegistrySettings,
    trust: &Trust,
    places: &Places,
) -> Result<Option<PathBuf>, Finding> {
    let (path, users) = (places.bundle.clone(), settings.ssl_cert_file.clone());
    let trust = trust.clone();
    let read_too = users.clone();
    let places_of_it: Vec<_> = [Some(places.bundle.as_path()), read_too.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let bundle = in_time(&places_of_it, move || {
        install::bundle(&path, &trust, users.as_deref())
    });
    bundle.unwrap_or_else(|| {
        Err(match &settings.ssl_cert_file {
            Some(users) => findings::unreadable(&ReadError::new(users, &no_answer())),
            None => install::refused(&places.bundle, &no_answer()),
        })
    })
}

/// Nothing that is not needed is put beside certificates of a user's own.
fn holds_a_set_of_somebody_s(directory: &Path) -> bool {
    let directory = certificates::Directory::survey(directory, &Mounts::default());
    !origin::foreign_files(&directory, None).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_user_has_places_of_its_own() {
        let environment = |name: &str| (name == "HOME").then(|| "/home/rootless".to_owned());
        let runtime = Path::new("/run/user/1000");
        let root = Places::new(true, runtime, &environment, Vec::new());
        assert_eq!(root.certs_d, Path::new("/etc/docker/certs.d"));
        assert_eq!(root.bundle, Path::new("/run/dind-init/ca-certificates.crt"));
        let user = Places::new(false, runtime, &environment, Vec::new());
        assert_eq!(
            user.certs_d,
            Path::new("/home/rootless/.config/docker/certs.d")
        );
        assert!(user.bundle.starts_with(runtime));
    }
}
