//! Volumes that do not answer, told with what lies on them: whoever is kept by one says nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use nix::sys::statvfs::statvfs;

use super::Service;
use crate::{
    dockerd::{configuration, flags::Flags, options::Options},
    facts::mounts::{Mount, Mounts},
    plan::Plan,
    reasons::{Finding, storage},
    settings::{Settings, process_environment},
    system::background::{Background, PATIENCE},
};

impl Service<'_> {
    /// Asks every volume that the service needs for a word, beside everything else, and tells which
    /// gives none.
    pub(super) fn tell_which_volumes_hang(&self, plan: &Plan) {
        let uses = uses(plan, self.settings, self.uid.is_root());
        let deadline = Instant::now() + PATIENCE;
        let asked: Vec<_> = by_volume(uses, &self.mounts)
            .into_iter()
            .map(|(mount, uses)| {
                let point = mount.point.clone();
                // No stat(2), which a network file system answers from memory.
                let answer = Background::start(move || statvfs(&point).map(drop));
                (mount, uses, answer)
            })
            .collect();
        if asked.is_empty() {
            return;
        }
        let report = self.report.clone();
        drop(Background::start(move || {
            for (mount, uses, answer) in asked {
                // Any answer will do.
                if answer.wait_unless_stopped(deadline).is_none() && Instant::now() >= deadline {
                    report.finding(&hung(&mount, &uses));
                }
            }
        }));
    }
}

/// What lies on a volume: whose it is, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Use {
    what: &'static str,
    path: PathBuf,
    /// Without it dockerd does not run.
    is_dockerd_s: bool,
}

fn uses(plan: &Plan, settings: &Settings, is_root: bool) -> Vec<Use> {
    let of_the_job = |what, path: &Path| Use {
        what,
        path: path.to_owned(),
        is_dockerd_s: false,
    };
    let of_dockerd = |what, path: &Path| Use {
        is_dockerd_s: true,
        ..of_the_job(what, path)
    };
    let mut uses = Vec::new();
    if let Some(certificates) = &plan.certificates {
        let parts = ["ca", "server", "client"].map(|part| certificates.directory.join(part));
        uses.extend(parts.map(|part| of_dockerd("DOCKER_TLS_CERTDIR", &part)));
    }
    let options = Options::new(
        &plan.argv,
        &plan.configuration,
        &process_environment,
        is_root,
    );
    uses.push(of_dockerd("Docker's data directory", &options.data_root));
    let config_file = Flags::parse(&plan.argv).config_file;
    let configuration = configuration::path(config_file.as_deref(), is_root, &process_environment);
    uses.push(of_dockerd("daemon.json", &configuration));
    if let Some(builds) = &settings.builds_directory {
        uses.push(of_the_job("CI_BUILDS_DIR", builds));
    }
    let registry = &settings.registry;
    uses.push(of_the_job("DIND_REGISTRY_CA_DIR", &registry.directory));
    let given = registry.given.iter();
    let given = given.map(|given| ("DIND_REGISTRY_CA", &given.place));
    let runner = registry.runner.iter();
    let runner = runner.map(|place| ("CI_SERVER_TLS_CA_FILE", place));
    for (variable, place) in given.chain(runner) {
        uses.extend(place.file().map(|path| of_the_job(variable, path)));
    }
    if let Some(path) = &registry.ssl_cert_file {
        uses.push(of_the_job("SSL_CERT_FILE", path));
    }
    uses
}

/// The volumes, each with what lies on it. The container's own file system is none.
fn by_volume(uses: Vec<Use>, mounts: &Mounts) -> Vec<(Mount, Vec<Use>)> {
    let mut volumes = BTreeMap::new();
    for used in uses {
        if let Some(mount) = mounts.holding(&used.path)
            && mount.point != Path::new("/")
        {
            let (_, uses) = volumes
                .entry(mount.point.clone())
                .or_insert_with(|| (mount.clone(), Vec::new()));
            uses.push(used);
        }
    }
    volumes.into_values().collect()
}

fn hung(mount: &Mount, uses: &[Use]) -> Finding {
    let mut places: Vec<_> = uses
        .iter()
        .map(|used| format!("{} ({})", used.what, used.path.display()))
        .collect();
    places.dedup();
    let consequence = match uses.iter().any(|used| used.is_dockerd_s) {
        true => "dockerd needs it, and does not run until it answers.",
        false => "dockerd is started without what lies there.",
    };
    storage::HUNG.met(format!(
        "nothing was heard in {} s of the volume at {} ({}, {}). On it: {}.\n{consequence}",
        PATIENCE.as_secs(),
        mount.point.display(),
        mount.file_system,
        mount.source,
        places.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::User;

    const MOUNTS: &str = "\
1 0 0:1 / / rw - overlay overlay rw
2 1 0:2 / /builds rw - nfs4 nas:/builds rw
3 1 0:3 / /certs/client rw - tmpfs tmpfs rw
4 1 0:4 / /var/lib/docker rw - ext4 /dev/vda rw";

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::parse(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .unwrap()
    }

    fn volumes(variables: &[(&str, &str)]) -> Vec<(Mount, Vec<Use>)> {
        let settings = settings(variables);
        let user = User {
            is_root: true,
            runtime_directory: "/run".into(),
        };
        let invocation = crate::dockerd::flags::Invocation::parse(Vec::new());
        let plan = Plan::new(&invocation, &settings, &Default::default(), &user);
        by_volume(uses(&plan, &settings, true), &Mounts::parse(MOUNTS))
    }

    fn told(variables: &[(&str, &str)]) -> Vec<String> {
        let volumes = volumes(variables);
        volumes
            .iter()
            .map(|(mount, uses)| hung(mount, uses).cause)
            .collect()
    }

    #[test]
    fn each_volume_is_told_with_what_lies_on_it_and_what_follows() {
        let causes = told(&[
            ("DOCKER_TLS_CERTDIR", "/certs"),
            ("CI_BUILDS_DIR", "/builds"),
            (
                "CI_SERVER_TLS_CA_FILE",
                "/builds/x.tmp/CI_SERVER_TLS_CA_FILE",
            ),
        ]);
        assert_eq!(
            causes,
            [
                "nothing was heard in 3 s of the volume at /builds (nfs4, nas:/builds). On it: \
                 CI_BUILDS_DIR (/builds), CI_SERVER_TLS_CA_FILE \
                 (/builds/x.tmp/CI_SERVER_TLS_CA_FILE).\n\
                 dockerd is started without what lies there.",
                "nothing was heard in 3 s of the volume at /certs/client (tmpfs, tmpfs). On it: \
                 DOCKER_TLS_CERTDIR (/certs/client).\n\
                 dockerd needs it, and does not run until it answers.",
                "nothing was heard in 3 s of the volume at /var/lib/docker (ext4, /dev/vda). On it: \
                 Docker's data directory (/var/lib/docker).\n\
                 dockerd needs it, and does not run until it answers.",
            ]
        );
    }

    #[test]
    fn the_container_s_own_file_system_is_not_asked() {
        let variables = [
            ("DOCKER_TLS_CERTDIR", ""),
            ("CI_SERVER_TLS_CA_FILE", "/etc/ca.pem"),
        ];
        let points: Vec<_> = volumes(&variables)
            .into_iter()
            .map(|(mount, _)| mount.point)
            .collect();
        assert_eq!(points, [PathBuf::from("/var/lib/docker")]);
    }
}
