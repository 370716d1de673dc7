//! `make demo`: a pod in which the job's first docker command works, and one that explains why it
//! cannot. It is told in the language of the pod tests, and shows what a person would see.
#![allow(clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

#[path = "../pods/mod.rs"]
mod pods;

use std::panic;

use pods::openssl::{Authority, Profile};
use pods::pod::Pod;
use pods::suite::Suite;
use pods::transcript::Transcript;
use pods::volume::Volume;

/// What the job does; `answered` is not shown but read, and says when the first answer was there.
const JOB: &str = r#"
    docker version || exit
    echo "answered $(date +%s%N)"
    echo
    echo '$ docker run --rm busybox echo "hello from a container in the service"'
    mkdir -p /tmp/busybox/bin && cp "$(command -v busybox)" /tmp/busybox/bin/busybox
    ln -s busybox /tmp/busybox/bin/echo
    tar -C /tmp/busybox -c . | docker import - busybox >/dev/null
    docker run --rm busybox echo "hello from a container in the service"
"#;

fn main() {
    // What the machine lacks is a sentence for a person, not a place in this program.
    panic::set_hook(Box::new(|lack| {
        let text = lack.payload_as_str().unwrap_or("it failed");
        eprintln!("\nThe demo cannot run here: {text}");
    }));
    working_pod();
    broken_pod();
}

fn working_pod() {
    title("1. A pod as GitLab makes it: an empty memory volume is shared at /certs/client");
    let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
    println!("The job's log:\n\n$ docker version");
    let job = pod.job(JOB).expect_success();
    let answered = show_without_time(&job);

    let waited = answered.saturating_sub(pod.service_started_at()) / 1_000_000;
    println!(
        "\nFrom the service's start to the answer of the job's first docker command: {waited} ms."
    );
    println!("No health check, no retry: the command was run once, at once.");
}

fn broken_pod() {
    title("2. The same pod, but a Secret with the registry's CA is mounted over /certs/client");
    let registry = Authority::new("Example Corp Registry CA", Profile::Strict);
    let secret = Volume::secret(&[("ca.pem", &registry.certificate())]);
    let pod = Pod::new(Suite::Trixie).certs(&secret).start();
    let end = pod.service_end().expect_failure();
    println!("The service's log:\n");
    print_indented(end.output());
    println!(
        "\nIt ended with status {}; the Secret is untouched.",
        end.status().unwrap_or_default()
    );
}

fn title(text: &str) {
    println!("\n{text}\n{}\n", "=".repeat(text.len()));
}

/// Prints the job's log, and returns the time that the job noted, in nanoseconds since 1970.
fn show_without_time(job: &Transcript<'_>) -> u64 {
    let (times, log): (Vec<_>, Vec<_>) = job
        .output()
        .lines()
        .partition(|line| line.starts_with("answered "));
    print_indented(&log.join("\n"));
    let time = times
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap();
    time.parse().unwrap()
}

fn print_indented(text: &str) {
    for line in text.lines() {
        println!("    {line}");
    }
}
