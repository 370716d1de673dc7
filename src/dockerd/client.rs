//! A command that is not dockerd: run as official's `docker-entrypoint.sh` does, with the
//! environment of a Docker client.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::{fs::FileTypeExt, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use super::rootless;
use crate::settings::{Environment, non_empty};

/// Becomes `command`, or `docker <command>` where that is one of the docker CLI's own. Returns
/// only if that failed, with why.
pub fn exec(command: Vec<OsString>, environment: Environment<'_>, uid: u32) -> io::Error {
    let argv = if is_docker_command(&command[0]) {
        [vec!["docker".into()], command].concat()
    } else {
        command
    };
    Command::new(&argv[0])
        .args(&argv[1..])
        .envs(variables(environment, &World::look(environment, uid)))
        .exec()
}

fn is_docker_command(word: &OsString) -> bool {
    Command::new("docker")
        .arg("help")
        .arg(word)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What there is to connect to.
struct World {
    /// The first socket that exists, as `DOCKER_HOST` wants it.
    socket: Option<String>,
    /// `$DOCKER_TLS_CERTDIR/client`, if its three files are there.
    certificates: Option<String>,
}

impl World {
    fn look(environment: Environment<'_>, uid: u32) -> Self {
        let user_socket = rootless::runtime_directory(environment, uid).join("docker.sock");
        let socket = [Path::new("/var/run/docker.sock"), &user_socket]
            .into_iter()
            .find(|path| fs::metadata(path).is_ok_and(|m| m.file_type().is_socket()))
            .map(|path| format!("unix://{}", path.display()));
        let certificates = non_empty(environment, "DOCKER_TLS_CERTDIR")
            .map(|directory| format!("{directory}/client"))
            .filter(|client| {
                ["ca.pem", "cert.pem", "key.pem"].iter().all(|file| {
                    fs::metadata(Path::new(client).join(file)).is_ok_and(|m| m.len() > 0)
                })
            });
        Self {
            socket,
            certificates,
        }
    }
}

/// The variables that are set, besides those that are set already.
fn variables(environment: Environment<'_>, world: &World) -> Vec<(&'static str, String)> {
    let mut set = Vec::new();
    let verify = non_empty(environment, "DOCKER_TLS_VERIFY");
    let host = non_empty(environment, "DOCKER_HOST").unwrap_or_else(|| {
        let tls = world.certificates.is_some() || verify.is_some();
        let port = if tls { 2376 } else { 2375 };
        let host = world
            .socket
            .clone()
            .unwrap_or_else(|| format!("tcp://docker:{port}"));
        set.push(("DOCKER_HOST", host.clone()));
        host
    });
    let free = verify.is_none() && non_empty(environment, "DOCKER_CERT_PATH").is_none();
    if let Some(certificates) = world
        .certificates
        .as_ref()
        .filter(|_| free && host.starts_with("tcp:"))
    {
        set.push(("DOCKER_TLS_VERIFY", "1".into()));
        set.push(("DOCKER_CERT_PATH", certificates.clone()));
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(given: &[(&str, &str)], socket: bool, certificates: bool) -> String {
        let world = World {
            socket: socket.then(|| "unix:///var/run/docker.sock".into()),
            certificates: certificates.then(|| "/certs/client".into()),
        };
        let environment = |name: &str| {
            let found = given.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let set = variables(&environment, &world);
        let set: Vec<_> = set
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        set.join(" ")
    }

    #[test]
    fn the_client_s_variables_are_official_s() {
        let tls = "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client";
        for (given, socket, certificates, expected) in [
            (
                &[][..],
                false,
                false,
                "DOCKER_HOST=tcp://docker:2375".to_owned(),
            ),
            (
                &[],
                false,
                true,
                format!("DOCKER_HOST=tcp://docker:2376 {tls}"),
            ),
            (
                &[],
                true,
                true,
                "DOCKER_HOST=unix:///var/run/docker.sock".to_owned(),
            ),
            (
                &[("DOCKER_TLS_VERIFY", "1")],
                false,
                false,
                "DOCKER_HOST=tcp://docker:2376".to_owned(),
            ),
            (
                &[("DOCKER_HOST", "tcp://dind:2376")],
                true,
                true,
                tls.to_owned(),
            ),
            (
                &[
                    ("DOCKER_HOST", "tcp://dind:2376"),
                    ("DOCKER_CERT_PATH", "/c"),
                ],
                true,
                true,
                String::new(),
            ),
            (&[("DOCKER_HOST", "ssh://host")], false, true, String::new()),
        ] {
            assert_eq!(set(given, socket, certificates), expected, "{given:?}");
        }
    }
}
