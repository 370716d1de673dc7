//! By what a finding is known again in the next report.

use std::{collections::HashMap, fmt::Write};

use aws_lc_rs::digest;

use crate::lint::{
    secrets,
    source::{Files, Place},
};

/// Gives each finding a fingerprint, and the same one twice a number.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<String, usize>,
}

impl Fingerprints {
    /// Of the check, the file and the line as it may be shown; not of its number, which changes
    /// with each line above, nor of our own words.
    pub fn fingerprint(&mut self, check: &str, path: &str, place: &Place, files: &Files) -> String {
        let source = files.get(place.file);
        let start = source.lines_of(&(place.span.start..place.span.start)).start;
        let line = secrets::shown_line(source.text(), start).text;
        let identity = format!("{check}\n{path}\n{}", line.trim());
        let number = self.seen.entry(identity.clone()).or_default();
        let digest = digest::digest(&digest::SHA256, format!("{identity}\n{number}").as_bytes());
        *number += 1;
        digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing into a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
