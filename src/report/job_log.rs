//! The runner's own log file, on Kubernetes: what is appended to it appears in the job's log.
//!
//! In attach mode, the default since GitLab Runner 14.0, each container of the pod has the
//! directory `/logs-<project>-<job>` with the file `output.log`, which the runner copies line by
//! line (executors/kubernetes). It is the runner's internal file, so this is a best effort, never
//! creates it, and writes each time in one piece that begins and ends a line.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{facts::mounts::Mounts, system::directory::Directory};

const FILE: &str = "output.log";

/// The directory of the file, if this container has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobLog(PathBuf);

impl JobLog {
    /// Looks for the mount by its name alone: `logs_base_dir` may put it anywhere.
    pub fn find(mounts: &Mounts, project: &str, job: &str) -> Option<Self> {
        let name = format!("logs-{project}-{job}");
        mounts
            .below(Path::new("/"))
            .find(|mount| mount.point.file_name() == Some(name.as_ref()))
            .map(|mount| Self(mount.point.clone()))
    }

    /// Appends `text`, with one write: the job's shell appends to the same file.
    pub fn append(&self, text: &str) -> io::Result<()> {
        // Never made: a file that the runner did not make is not the runner's.
        Directory::open(&self.0)?.append(FILE, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use tempfile::tempdir;

    use super::*;
    use crate::{reasons::certs, report::explain};

    #[test]
    fn it_is_found_by_the_name_of_this_very_job() {
        let mounts = Mounts::parse(
            "1 0 0:1 / / rw - overlay o rw\n\
             2 1 8:1 /x/logs /logs-1-7 rw - ext4 /dev/a rw\n\
             3 1 8:1 /x/logs /elsewhere/logs-2-8 rw - ext4 /dev/a rw",
        );
        for (project, job, path) in [
            ("1", "7", Some("/logs-1-7")),
            ("2", "8", Some("/elsewhere/logs-2-8")),
            ("1", "8", None),
            ("", "", None),
        ] {
            let found = JobLog::find(&mounts, project, job);
            assert_eq!(
                found,
                path.map(|path| JobLog(path.into())),
                "{project} {job}"
            );
        }
    }

    #[test]
    fn it_is_appended_to_and_never_made() {
        let directory = tempdir().unwrap();
        let log = JobLog(directory.path().to_owned());
        let file = directory.path().join(FILE);
        assert!(log.append("x\n").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        fs::write(&file, "the job's\n").unwrap();
        log.append("\nours\n").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "the job's\n\nours\n");
    }

    /// The runner takes a line that is JSON for the end of the job's script. Were one of its lines
    /// and one of ours to be mixed, the job would hang.
    #[test]
    fn a_status_line_of_the_runner_that_is_written_at_the_same_time_stays_whole() {
        const STATUS: &str = r#"{"command_exit_code":0,"script":"/scripts-1-7/step_script"}"#;
        let directory = tempdir().unwrap();
        let log = JobLog(directory.path().to_owned());
        let file = directory.path().join(FILE);
        fs::write(&file, "").unwrap();
        let finding =
            certs::READONLY.found("/certs/client is a read-only Secret volume.", "move it");
        let entry = explain::job_log_entry(&[finding]);

        let mut shell = Command::new("sh")
            .arg("-c")
            .arg("for n in $(seq 2000); do echo \"$0\" >> \"$1\"; done")
            .arg(STATUS)
            .arg(&file)
            .spawn()
            .unwrap();
        let mut entries = 0;
        while shell.try_wait().unwrap().is_none() {
            log.append(&entry).unwrap();
            entries += 1;
        }

        let text = fs::read_to_string(&file).unwrap();
        assert!(entries > 10, "nothing was written at the same time");
        let status_lines = text.lines().filter(|line| *line == STATUS).count();
        assert_eq!(status_lines, 2000);
        assert_eq!(text.matches(&entry).count(), entries);
        assert_eq!(
            text.len(),
            2000 * (STATUS.len() + 1) + entries * entry.len()
        );
    }
}
