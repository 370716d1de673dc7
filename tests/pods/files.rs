//! Files that a pod's service finds in its image's place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::pod::Plan;
use super::podman::step;
use super::suite::Suite;
use super::volume::Volume;

/// The first place in the `PATH` of Debian's and of Alpine's images.
pub const FIRST_IN_PATH: &str = "/usr/local/sbin";
/// Where programs of Debian's lie.
pub const DEBIAN: &str = "/debian";

impl Plan {
    /// Puts a shell script in a program's place.
    pub fn program(self, path: &str, script: &str) -> Self {
        let directory = Volume::disk();
        write_program(
            &directory.path().join("program"),
            &format!("#!/bin/sh\n{script}\n"),
        );
        self.file(&directory, "program", path)
    }

    /// Puts a shell script before the program of this name, wherever the image has it: `$original`
    /// is what would be run without the script.
    pub fn instead_of(self, program: &str, script: &str) -> Self {
        let original = format!(
            "original=$(PATH=$(echo \"$PATH\" | sed 's,{FIRST_IN_PATH}:,,'); command -v {program})"
        );
        self.program(
            &format!("{FIRST_IN_PATH}/{program}"),
            &format!("{original}\n{script}"),
        )
    }

    /// Puts a program of Debian's below [`DEBIAN`], with the libraries that it needs: the image may
    /// have a userland in which there is none, or another.
    pub fn debian_program(self, program: &str) -> Self {
        let directory = Volume::disk();
        let take = format!(
            "program=$(command -v {program}); mkdir /out/lib && cp \"$program\" /out/lib \
             && cp $(ldd \"$program\" | grep -o '/[^ ]*') /out/lib"
        );
        let out = directory.mount_at("/out");
        let base = Suite::Trixie.base_image();
        step(&["run", "--rm", "--volume", &out, base, "sh", "-c", &take]);
        // Debian's own loader, since an image of another C library has another one.
        let start = format!(
            "#!/bin/sh\nexec {DEBIAN}/lib/ld-linux* --library-path {DEBIAN}/lib {DEBIAN}/lib/{program} \"$@\"\n"
        );
        write_program(&directory.path().join(program), &start);
        self.volume(&directory.read_only(), DEBIAN)
    }

    /// Mounts another daemon.json than before.
    pub fn configuration_replaced(self, json: &str) -> Self {
        self.without_volumes_at("/etc/docker").configuration(json)
    }

    /// Mounts a daemon.json, as a runner's `volumes` does.
    pub fn configuration(self, json: &str) -> Self {
        let directory = Volume::disk();
        fs::write(directory.path().join("daemon.json"), json).unwrap();
        self.volume(&directory.read_only(), "/etc/docker")
    }
}

/// Writes a script that can be run.
pub fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}
