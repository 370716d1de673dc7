//! Whatever a file looks like and wherever a secret is in it, no line shows it.
#![no_main]

#[path = "../../tests/lint/marker.rs"]
mod marker;

use dind_init::testing::lint::secrets::shown_line;
use libfuzzer_sys::fuzz_target;
use marker::{MARKERS, PARTS, places};

/// Each line is changed in some twenty ways, and each text has all of them: with many lines there
/// would be one text a second.
const MAXIMAL_LINES: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if text.lines().count() > MAXIMAL_LINES || PARTS.iter().any(|part| text.contains(part)) {
        return;
    }
    for marked in MARKERS.iter().flat_map(|marker| places(&text, marker)) {
        let mut start = 0;
        for line in marked.split_inclusive('\n') {
            let shown = shown_line(&marked, start).text;
            assert!(!PARTS.iter().any(|part| shown.contains(part)), "{shown}");
            start += line.len();
        }
    }
});
