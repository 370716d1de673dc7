//! The certificate directory: files, modes, names, whose files are touched, and what a second start
//! does.

mod files;
mod names;
mod own;
mod second_start;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::stand_in::Workbench;
use crate::volume::Volume;

/// The server certificate's names, as OpenSSL prints them.
fn names_in(bench: &Workbench) -> Vec<String> {
    let certificate = bench.shell("cat /certs/server/cert.pem").expect_success();
    let directory = Volume::disk();
    let path = directory.path().join("cert.pem");
    fs::write(&path, certificate.output()).unwrap();
    let text = openssl(&[
        "x509",
        "-in",
        text_of(&path),
        "-noout",
        "-ext",
        "subjectAltName",
    ]);
    let names = text.lines().nth(1).unwrap_or_default();
    names
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect()
}

fn certificate(path: &Path) -> String {
    // Left alone, names look different in openssl 3.0 and 3.5.
    let path = text_of(path);
    openssl(&[
        "x509", "-in", path, "-noout", "-text", "-nameopt", "RFC2253",
    ])
}

fn is_valid_for(path: &Path, seconds: i64) -> bool {
    let seconds = seconds.to_string();
    let words = [
        "x509",
        "-in",
        text_of(path),
        "-noout",
        "-checkend",
        &seconds,
    ];
    let done = Command::new("openssl").args(words).output();
    done.expect("openssl starts").status.success()
}

fn openssl(words: &[&str]) -> String {
    let done = Command::new("openssl")
        .args(words)
        .output()
        .expect("openssl starts");
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {words:?}: {complaint}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn read(volume: &Volume, file: &str) -> Vec<u8> {
    fs::read(volume.path().join(file)).expect(file)
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}
