//! A mountinfo file: mount points hold whatever somebody named a directory.
#![no_main]

use std::path::Path;

use dind_init::testing::facts::{
    control_groups::{self, ControlGroups},
    mounts::Mounts,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mounts = Mounts::parse(&String::from_utf8_lossy(bytes));
    let root = Path::new("/");
    for mount in mounts.below(root) {
        let found = mounts.at(&mount.point).expect("it has a mount");
        assert_eq!(found.point, mount.point);
        let _ = mount.kind(false);
        if mount.point.is_absolute() {
            let holding = mounts.holding(&mount.point).expect("itself at least");
            assert!(mount.point.starts_with(&holding.point));
        }
    }
    let _ = ControlGroups::from_mounts(&mounts, Path::new(control_groups::ROOT));
});
