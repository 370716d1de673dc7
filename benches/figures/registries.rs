//! The CAs of many registries, read, judged and installed.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use dind_init::testing::{
    registry::{install, look},
    settings::registry::RegistrySettings,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use crate::table::Row;

/// More than any company has.
const REGISTRIES: usize = 500;
const ROUNDS: usize = 9;

/// 500 CAs in one directory.
pub fn install_many(print: &mut dyn FnMut(Row)) {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let mounted = root.path().join("registry-ca");
    mount(&mounted);
    let times: Vec<_> = (0..ROUNDS)
        .map(|round| install(&mounted, &root.path().join(format!("certs.d-{round}"))))
        .collect();
    print(Row::times(
        "500 registries' CAs read, judged and installed",
        &times,
        Some(Duration::from_millis(100)),
    ));
}

fn mount(directory: &Path) {
    fs::create_dir(directory).unwrap();
    let key = KeyPair::generate().unwrap();
    for number in 0..REGISTRIES {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.serial_number = Some((number as u64).into());
        let pem = params.self_signed(&key).unwrap().pem();
        fs::write(
            directory.join(format!("registry-{number}.example.com.crt")),
            pem,
        )
        .unwrap();
    }
}

fn install(mounted: &Path, certs_d: &Path) -> Duration {
    let directory =
        |name: &str| (name == "DIND_REGISTRY_CA_DIR").then(|| mounted.display().to_string());
    let settings = RegistrySettings::parse(&directory).unwrap();
    let start = Instant::now();
    let (trust, _) = look(&settings);
    let findings = install::registries(certs_d, &trust);
    let took = start.elapsed();
    assert_eq!(findings, []);
    assert_eq!(fs::read_dir(certs_d).unwrap().count(), REGISTRIES);
    took
}
