//! What a file that is to hold CA certificates really holds.

use crate::pki::inspect::Certificate;

/// The certificates of a file, and what else was met in it.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// At least one.
    pub certificates: Vec<Certificate>,
    /// What had to be mended for Docker to read it, as in "begins with a byte order mark".
    pub mended: Option<&'static str>,
    /// Why a part of it is left out, as in "holds a certificate that cannot be read: …".
    pub damaged: Option<String>,
    pub has_private_key: bool,
}

/// Why a file is of no use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unusable {
    /// Continues the sentence that begins with the file.
    pub why: String,
    pub has_private_key: bool,
}

impl Contents {
    /// Reads PEM, with whatever text around it, or a single certificate in DER.
    ///
    /// That is more than Docker reads: its Go finds no certificate behind a byte order mark, in
    /// indented lines or in DER, and says nothing about it (measured with Docker 26.1.5).
    pub fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        if let Ok(certificate) = Certificate::parse(bytes.to_vec().into()) {
            return Ok(Self {
                certificates: vec![certificate],
                mended: Some("is in DER"),
                ..Self::default()
            });
        }
        let text = String::from_utf8_lossy(bytes);
        let plain = text.trim_start_matches(BYTE_ORDER_MARK);
        let blocks = blocks(plain);
        let mut found = Self {
            has_private_key: blocks.iter().any(Block::is_private_key),
            ..Self::default()
        };
        for block in blocks.iter().filter(|block| block.is_certificate()) {
            match Certificate::parse_pem(block.text.as_bytes()) {
                Ok(parsed) => found.certificates.extend(parsed),
                Err(why) => found.damaged = found.damaged.or(Some(why)),
            }
        }
        if found.certificates.is_empty() {
            return Err(Unusable {
                why: found
                    .damaged
                    .unwrap_or_else(|| why_no_certificate(bytes, &blocks)),
                has_private_key: found.has_private_key,
            });
        }
        if plain.len() < text.len() {
            found.mended = Some("begins with a byte order mark");
        } else if blocks.iter().any(|block| block.is_indented) {
            found.mended = Some("has indented lines");
        }
        Ok(found)
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A block of a PEM file (RFC 7468). Each is read by itself, so that none spoils another.
struct Block {
    /// As in `-----BEGIN label-----`.
    label: String,
    /// The lines from that one to `-----END label-----`, without white space around them.
    text: String,
    is_indented: bool,
}

impl Block {
    fn is_certificate(&self) -> bool {
        self.label == "CERTIFICATE"
    }

    fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        let begun = trimmed
            .strip_prefix("-----BEGIN ")
            .and_then(|rest| rest.strip_suffix("-----"));
        if let Some(label) = begun {
            is_inside = true;
            blocks.push(Block {
                label: label.to_owned(),
                text: String::new(),
                is_indented: false,
            });
        }
        if let Some(block) = blocks.last_mut().filter(|_| is_inside) {
            block.text.push_str(trimmed);
            block.text.push('\n');
            block.is_indented |= line.starts_with([' ', '\t']);
            is_inside = !trimmed.starts_with("-----END ");
        }
    }
    blocks
}

fn why_no_certificate(bytes: &[u8], blocks: &[Block]) -> String {
    const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];
    let labels: Vec<_> = blocks.iter().map(|block| block.label.as_str()).collect();
    match labels.as_slice() {
        _ if bytes.iter().all(u8::is_ascii_whitespace) => "is empty".into(),
        _ if UTF_16.iter().any(|mark| bytes.starts_with(mark)) => {
            "is UTF-16 text, as Windows' PowerShell writes it; PEM is plain ASCII".into()
        }
        [] if bytes.starts_with(b"0") => {
            "is neither PEM nor one certificate in DER; perhaps PKCS#7 or PKCS#12".into()
        }
        [] => "holds no certificate in PEM".into(),
        labels => format!("holds no certificate, only: {}", labels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::samples;

    fn parse(bytes: impl AsRef<[u8]>) -> Contents {
        Contents::parse(bytes.as_ref()).unwrap()
    }

    fn refuse(bytes: impl AsRef<[u8]>) -> Unusable {
        Contents::parse(bytes.as_ref()).unwrap_err()
    }

    #[test]
    fn pem_is_read_whatever_text_is_around_it() {
        let (one, other) = (samples::authority("One"), samples::authority("Other"));
        let contents = parse(format!("# Ours\n{}\nsubject=…\n{}", one.pem, other.pem));
        let subjects: Vec<_> = contents.certificates.iter().map(|c| &c.subject).collect();
        assert_eq!(subjects, ["CN=One", "CN=Other"]);
        assert_eq!((contents.mended, contents.damaged), (None, None));
        assert!(!contents.has_private_key);
    }

    #[test]
    fn what_docker_would_not_read_is_mended() {
        let ca = samples::authority("CA");
        let indented = ca.pem.replace("\n", "\n  ");
        for (bytes, mended) in [
            (ca.pem.replace('\n', "\r\n").into_bytes(), None),
            (
                format!("\u{feff}{}", ca.pem).into_bytes(),
                Some("begins with a byte order mark"),
            ),
            (indented.into_bytes(), Some("has indented lines")),
            (ca.certificate().der.to_vec(), Some("is in DER")),
        ] {
            let contents = parse(bytes);
            assert_eq!(contents.mended, mended);
            assert_eq!(contents.certificates[0].der, ca.certificate().der);
        }
    }

    #[test]
    fn a_damaged_block_spoils_no_other() {
        let ca = samples::authority("CA");
        for damage in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
            "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n",
        ] {
            let contents = parse(format!("{damage}{0}{damage}", ca.pem));
            assert_eq!(contents.certificates.len(), 1, "{damage}");
            assert!(contents.damaged.is_some(), "{damage}");
        }
    }

    #[test]
    fn a_private_key_is_noticed() {
        let ca = samples::authority("CA");
        assert!(parse(format!("{}{}", ca.pem, ca.key_pem)).has_private_key);
        let alone = refuse(&ca.key_pem);
        assert!(alone.has_private_key);
        assert_eq!(alone.why, "holds no certificate, only: PRIVATE KEY");
    }

    #[test]
    fn what_is_of_no_use_says_why() {
        for (bytes, why) in [
            (&b""[..], "is empty"),
            (b" \r\n", "is empty"),
            (b"\xff\xfe-\0", "is UTF-16"),
            (b"0\x82\x01\x02", "PKCS#7 or PKCS#12"),
            (b"hello", "holds no certificate in PEM"),
            (
                b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n",
                "only: PKCS7",
            ),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "holds a certificate that cannot be read",
            ),
        ] {
            let found = refuse(bytes).why;
            assert!(found.contains(why), "{found}");
        }
    }
}
