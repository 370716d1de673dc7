//! podman's command line, with a deadline for each call.

use std::io::{ErrorKind, Read, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// `None` if it was ended because it took longer than it may.
    pub status: Option<i32>,
    /// Standard output and standard error, in the order in which they were written.
    pub output: String,
    pub took: Duration,
}

/// Runs podman with `args`; whatever takes longer than `limit` is ended.
pub fn podman(args: &[&str], limit: Duration) -> Finished {
    let start = Instant::now();
    let (mut output, writer) = pipe().unwrap();
    let mut child = command(args, limit)
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .expect("`timeout` (coreutils) starts");
    let mut bytes = Vec::new();
    output.read_to_end(&mut bytes).unwrap();
    let status = child.wait().unwrap().code();
    let took = start.elapsed();
    Finished {
        status: status.filter(|_| took < limit),
        output: String::from_utf8_lossy(&bytes).into_owned(),
        took,
    }
}

/// Runs podman for a step that every test needs, and returns its standard output, trimmed.
pub fn step(args: &[&str]) -> String {
    let done = command(args, Duration::from_secs(60))
        .output()
        .expect("`timeout` (coreutils) starts");
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "podman {} failed:\n{complaint}",
        args.join(" ")
    );
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// Stops with one clear line if podman or the image is not there.
pub fn require_image(image: &str) {
    match Command::new("podman").arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("podman is missing here: run `make image`, which installs it")
        }
        Err(error) => panic!("podman cannot be started: {error}"),
        Ok(_) => {}
    }
    let found = podman(&["image", "exists", image], Duration::from_secs(60));
    match found.status {
        Some(0) => {}
        Some(1) => panic!(
            "the image {image} is missing here: run `make image` (make test makes all of them)"
        ),
        _ => panic!("podman does not work here: {}", found.output),
    }
}

/// Builds `directory`'s Dockerfile on the image `subject`, with this machine's network, and returns the
/// image's name. Each subject has a tag of its own: two checkouts on one machine do not take each
/// other's image.
pub fn build_on(subject: &str, name: &str, directory: &str) -> String {
    require_image(subject);
    let tag = subject.replace(['/', ':', '@'], "-");
    let image = format!("localhost/{name}:{tag}");
    let subject = format!("SUBJECT={subject}");
    let directory = format!("{}/{directory}", env!("CARGO_MANIFEST_DIR"));
    let mut build = vec!["build", "--quiet", "--pull-never", "--network=host"];
    build.extend(["--build-arg", &subject, "--tag", &image, &directory]);
    let made = podman(&build, Duration::from_secs(200));
    assert_eq!(made.status, Some(0), "no image {image}\n{}", made.output);
    image
}

/// Removes the pods of test runs that were interrupted and could not tidy up.
pub fn remove_abandoned_pods() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let pods = step(&[
            "pod",
            "ps",
            "--format",
            "{{.Name}}",
            "--filter",
            "name=^dind-e2e-",
        ]);
        let abandoned = pods.lines().filter(|name| {
            let owner = name.trim_start_matches("dind-e2e-").split('-').next();
            owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
        });
        for name in abandoned {
            podman(
                &["pod", "rm", "--force", "--time=0", name],
                Duration::from_secs(60),
            );
        }
    });
}

/// podman with the settings that this machine may need (see the script itself), and with a limit.
fn command(args: &[&str], limit: Duration) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["--foreground", "--kill-after=5"])
        .arg(limit.as_secs_f64().to_string())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/images/podman"))
        .args(args)
        // Where a container runs out of memory, its monitor leaves a file named `oom` there.
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    command
}
