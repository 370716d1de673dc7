//! What dockerd may write on stderr: whatever it is, it is read in bounded memory, and there is an
//! explanation in the end.
#![no_main]

use std::time::Duration;

use dind_init::testing::{
    dockerd::{
        ended::Ended,
        log::{End, Recogniser},
    },
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut log = Recogniser::default();
    for (number, line) in text.split('\n').enumerate() {
        if number == 3 {
            log.ready();
        }
        if let Some(finding) = log.read(line) {
            assert!(!finding.cause.is_empty());
        }
    }
    for end in [
        End::Ended(Ended::Exited(1)),
        End::NotReady(Duration::from_secs(60)),
    ] {
        let explained = log.explain(end).to_string();
        // Six lines of 600 bytes, and what the catalogue says.
        assert!(explained.len() < 8192, "{} bytes", explained.len());
    }
});
