//! Files that a pod's service finds in its image's place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::pod::Plan;
use super::volume::Volume;

impl Plan {
    /// Puts a shell script in a program's place.
    pub fn program(self, path: &str, script: &str) -> Self {
        let directory = Volume::disk();
        let file = directory.path().join("program");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        self.file(&directory, "program", path)
    }

    /// Mounts a daemon.json, as a runner's `volumes` does.
    pub fn configuration(self, json: &str) -> Self {
        let directory = Volume::disk();
        fs::write(directory.path().join("daemon.json"), json).unwrap();
        self.volume(&directory.read_only(), "/etc/docker")
    }
}
