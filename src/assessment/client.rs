//! Whether this very job's clients will find their way.

use std::path::Path;

use crate::{
    facts::{client::ClientVariables, identity::Identity, mounts::Mounts},
    findings::client::{self, Served, own_hosts},
    plan::Plan,
    reasons::Finding,
    settings::{Settings, process_environment},
    system::background::in_time,
};

/// Reads the job's variables and judges them; none of the findings is fatal.
pub fn findings(plan: &Plan, settings: &Settings, mounts: &Mounts) -> Vec<Finding> {
    let job = ClientVariables::read(&process_environment);
    let surroundings = settings.surroundings();
    let mut names = Identity::read().own_names();
    if let Some(hosts) = &plan.own_hosts {
        let names: Vec<_> = names.into_iter().collect();
        let is_shared = |socket| is_on_volume(socket, mounts);
        let socket_is_shared = hosts.unix_socket().is_some_and(is_shared);
        return own_hosts::findings(&job, hosts, &names, socket_is_shared)
            .map(|finding| settings.ignored.apply(finding).told_in(&surroundings))
            .into_iter()
            .collect();
    }
    let (Some(port), Some(unix)) = (plan.port, &plan.unix) else {
        return Vec::new();
    };
    let certificates = plan.certificates.as_ref();
    names.extend(
        certificates
            .into_iter()
            .flat_map(|c| c.names.iter().cloned()),
    );
    let served = Served {
        tls: certificates.is_some(),
        port,
        further_ports: plan.further_ports.clone(),
        names: names.into_iter().collect(),
        client_certificates: certificates.map(|c| c.directory.join("client")),
        unix: unix.clone(),
        unix_is_shared: is_on_volume(unix, mounts),
    };
    client::findings(&job, &served)
        .into_iter()
        .map(|finding| settings.ignored.apply(finding))
        .map(|finding| finding.told_in(&surroundings))
        .collect()
}

/// `/var/run` is `/run` in every image, and mountinfo says `/run`.
fn is_on_volume(path: &Path, mounts: &Mounts) -> bool {
    let resolved = path.parent().and_then(|parent| {
        let asked = parent.to_owned();
        in_time(&[parent], move || asked.canonicalize().ok())?
    });
    mounts
        .holding(resolved.as_deref().unwrap_or(path))
        .is_some_and(|mount| mount.point != Path::new("/"))
}
