//! Names of files and directories, of which some become paths below Docker's own directory: none
//! leads out of it, and what was read is read again as the same.
#![no_main]

use std::path::{Component, Path};

use dind_init::testing::settings::registry_host::RegistryHost;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|name: &str| {
    for host in [
        RegistryHost::parse(name),
        RegistryHost::from_file_name(name),
    ]
    .into_iter()
    .flatten()
    {
        let text = host.to_string();
        let mut components = Path::new(&text).components();
        assert!(
            matches!(components.next(), Some(Component::Normal(_))),
            "{text}"
        );
        assert_eq!(components.next(), None, "{text}");
        assert!(!text.starts_with('.'), "{text}");
        assert_eq!(RegistryHost::parse(&text), Some(host));
    }
});
