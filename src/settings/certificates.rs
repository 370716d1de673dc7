//! What the certificates are made from.

use std::path::{self, PathBuf};

use clap::ValueEnum;

use super::{
    Environment, InvalidVariable, non_empty,
    subject_names::{OtherName, SubjectName, parse_alternative_names},
    values::{choice, number},
    variables::{CERT_DAYS, CLIENT_KEY},
};

/// What the certificates are made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateSettings {
    /// `DOCKER_TLS_CERTDIR`: holds `ca/`, `server/` and `client/`.
    pub directory: PathBuf,
    /// `DOCKER_TLS_SAN`: further names of the server certificate.
    pub names: Vec<SubjectName>,
    /// Those of `DOCKER_TLS_SAN` that nobody dials.
    pub other_names: Vec<OtherName>,
    /// `DIND_CLIENT_KEY`.
    pub client_key: ClientKey,
    /// `DIND_CERT_DAYS`: validity of what is issued, in days from now.
    pub days: u16,
}

impl CertificateSettings {
    /// `None` where `DOCKER_TLS_CERTDIR` is empty or unset: plain TCP, as official.
    pub fn parse(environment: Environment<'_>) -> Result<Option<Self>, InvalidVariable> {
        let Some(directory) = non_empty(environment, "DOCKER_TLS_CERTDIR") else {
            return Ok(None);
        };
        // One that is not absolute lies where the container starts, and dockerd's flags say so.
        let directory = path::absolute(&directory).map_err(|error| InvalidVariable {
            name: "DOCKER_TLS_CERTDIR",
            value: directory,
            accepted: format!("an absolute path such as /certs, since here {error}"),
        })?;
        let (names, other_names) = parse_alternative_names(
            "DOCKER_TLS_SAN",
            &environment("DOCKER_TLS_SAN").unwrap_or_default(),
        )?;
        Ok(Some(Self {
            directory,
            names,
            other_names,
            client_key: choice(environment, &CLIENT_KEY)?.unwrap_or_default(),
            days: number(environment, &CERT_DAYS)?,
        }))
    }
}

/// The kind of key that clients get.
///
/// RSA takes 70 ms to make, 240 in one of a hundred cases, and four times that on a quarter of a
/// processor: a job that runs `docker` at once would find no certificates. So it is not the
/// default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ClientKey {
    /// A thousand times faster to make; read by every client but a few old ones: Spring Boot
    /// before 2.7.12 and 3.0.7, Testcontainers for .NET on .NET Framework.
    #[default]
    EcdsaP256,
    /// The one key that those read too.
    #[value(name = "rsa-2048")]
    Rsa2048,
}

#[cfg(test)]
impl CertificateSettings {
    /// Those of a directory where nothing else is set.
    pub fn of(directory: &path::Path) -> Self {
        let set =
            |name: &str| (name == "DOCKER_TLS_CERTDIR").then(|| directory.display().to_string());
        Self::parse(&set).unwrap().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Option<CertificateSettings> {
        let settings = CertificateSettings::parse(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        settings.unwrap()
    }

    #[test]
    fn an_empty_or_missing_directory_means_plain_tcp() {
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[("DOCKER_TLS_CERTDIR", "")]), None);
    }

    #[test]
    fn a_directory_that_is_not_absolute_lies_where_the_process_does() {
        let directory = parse(&[("DOCKER_TLS_CERTDIR", "./certs")])
            .unwrap()
            .directory;
        assert_eq!(directory, env::current_dir().unwrap().join("certs"));
    }

    #[test]
    fn the_defaults_need_no_variable() {
        let variables = [("DOCKER_TLS_CERTDIR", "/certs"), ("DIND_CLIENT_KEY", "")];
        let settings = parse(&variables).unwrap();
        assert_eq!(settings.directory, PathBuf::from("/certs"));
        assert_eq!(settings.client_key, ClientKey::EcdsaP256);
        assert_eq!(settings.days, 825);
        assert!(settings.names.is_empty());
    }
}
