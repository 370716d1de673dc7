use super::*;
use crate::{
    pki::{
        issue::{Authority, Validity},
        keys::new_key,
    },
    settings::subject_names::OtherName,
};

fn names(list: &str) -> Vec<SubjectName> {
    SubjectName::parse_list("DOCKER_TLS_SAN", list).unwrap()
}

fn settings(list: &str, other_names: &[OtherName]) -> CertificateSettings {
    CertificateSettings {
        names: names(list),
        other_names: other_names.to_vec(),
        ..CertificateSettings::of(Path::new("/certs"))
    }
}

fn wanted<'a>(settings: &'a CertificateSettings, names: &'a [SubjectName]) -> Wanted<'a> {
    Wanted {
        settings,
        names,
        job: Job::default(),
        now: OffsetDateTime::now_utc(),
    }
}

/// The container's, the user's and the job's; the same ones in any order are the same
/// certificate.
#[test]
fn a_server_is_issued_for_all_the_names_that_it_may_be_dialled_by() {
    let settings = settings("docker,dind.example", &[]);
    let own = names("10.0.0.5,docker");
    let mut wanted = wanted(&settings, &own);
    wanted.job.docker_host = SubjectName::from_host("tls.example");
    let all = wanted.all_names();
    let mut expected = names("10.0.0.5,dind.example,docker,tls.example");
    expected.sort();
    assert_eq!(all, expected);
}

/// A set that has them is kept; it may have more.
#[test]
fn a_certificate_has_the_names_that_are_wanted_or_it_is_made_anew() {
    let email = OtherName::Email("ops@example.com".into());
    let uri = OtherName::Uri("spiffe://example.com/docker".into());
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 1);
    let issued = Authority::create(validity).unwrap().issue_server(
        &new_key().unwrap(),
        &names("docker,*.example"),
        std::slice::from_ref(&email),
        validity,
    );
    let pem = issued.unwrap().certificate_pem;
    let leaf = Certificate::parse_pem(pem.as_bytes()).unwrap().remove(0);
    for (list, other_names, has) in [
        ("docker", &[][..], true),
        ("docker,a.example", std::slice::from_ref(&email), true),
        ("docker,example", std::slice::from_ref(&email), false),
        ("docker", std::slice::from_ref(&uri), false),
        ("docker", &[email.clone(), uri.clone()], false),
    ] {
        let settings = settings("", other_names);
        let wanted = wanted(&settings, &[]);
        assert_eq!(wanted.are_in(&names(list), &leaf), has, "{list}");
    }
}

/// The CA's key is not written where every job of the runner could take it.
#[test]
fn the_job_shares_what_lies_below_its_builds_directory() {
    for (builds, path, shares) in [
        (Some("/builds"), "/builds/.dind/1/ca", true),
        (Some("/builds"), "/builds", true),
        (Some("/builds"), "/builds-of-others/ca", false),
        (Some("/builds"), "/certs/ca", false),
        (None, "/builds/.dind/1/ca", false),
    ] {
        let job = Job {
            builds_directory: builds.map(Into::into),
            ..Job::default()
        };
        assert_eq!(job.shares(Path::new(path)), shares, "{builds:?} {path}");
    }
}
