//! References of variables to one another, as the runner puts them in.

use super::{Known, Variables};

/// How far references are followed; a cycle ends there.
const MAXIMAL_CHAIN: usize = 10;

/// How much references may add to a text, in bytes: `$A$A`, with A another `$B$B`, doubles each
/// time. What would be more stays a reference.
const MAXIMAL_GROWTH: usize = 16 * 1024;

/// The value after what it refers to has been put in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expanded {
    /// References to what is not in the file stay, as `$NAME`.
    pub text: String,
    /// A variable that it refers to, and that refers to another one in turn.
    pub chained: Option<String>,
}

impl Variables {
    /// The variable's value, with what it refers to.
    pub fn expanded(&self, name: &str) -> Known<Expanded> {
        match self.get(name) {
            Known::Set(variable) if variable.is_raw => Known::Set(Expanded {
                text: variable.value.clone(),
                chained: None,
            }),
            Known::Set(variable) => Known::Set(self.expand(&variable.value)),
            Known::Unset => Known::Unset,
            Known::Unknown => Known::Unknown,
        }
    }

    /// A text with what it refers to.
    pub fn expand(&self, text: &str) -> Expanded {
        let mut expansion = Expansion {
            chained: None,
            left: MAXIMAL_GROWTH,
        };
        let text = self.replaced(text, 0, &mut expansion);
        Expanded {
            text,
            chained: expansion.chained,
        }
    }

    /// The value, if all of it is known; empty is as good as unset.
    pub fn literal(&self, name: &str) -> Option<String> {
        match self.expanded(name) {
            Known::Set(value) if !value.text.contains('$') => Some(value.text),
            _ => None,
        }
    }

    fn replaced(&self, text: &str, depth: usize, expansion: &mut Expansion) -> String {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            replaced.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some((name, length)) = reference(rest) else {
                replaced.push('$');
                continue;
            };
            rest = &rest[length..];
            match self.get(name) {
                Known::Set(variable)
                    if depth < MAXIMAL_CHAIN
                        && !variable.is_raw
                        && variable.value.len() < expansion.left =>
                {
                    // An empty value costs a look, too.
                    expansion.left -= variable.value.len() + 1;
                    if variable.refers() {
                        expansion.chained.get_or_insert_with(|| name.to_owned());
                    }
                    replaced.push_str(&self.replaced(&variable.value, depth + 1, expansion));
                }
                _ => {
                    replaced.push('$');
                    replaced.push_str(name);
                }
            }
        }
        replaced.push_str(rest);
        replaced
    }
}

/// What comes to light while a text is expanded.
struct Expansion {
    chained: Option<String>,
    /// How many bytes may still be added.
    left: usize,
}

/// Whether a text names a variable.
pub fn refers(text: &str) -> bool {
    let mut parts = text.split('$').skip(1);
    parts.any(|part| reference(part).is_some())
}

/// The name after a `$`, and how long it is with its braces.
fn reference(text: &str) -> Option<(&str, usize)> {
    let name_length = |text: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.find(|c| !is_name(c)).unwrap_or(text.len())
    };
    match text.strip_prefix('{') {
        Some(inner) => {
            let length = name_length(inner);
            let is_closed = length > 0 && inner[length..].starts_with('}');
            is_closed.then(|| (&inner[..length], length + 2))
        }
        None => {
            let length = name_length(text);
            (length > 0).then(|| (&text[..length], length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::variables, *};

    #[test]
    fn references_are_put_in_and_a_chain_is_noticed() {
        let read = variables(
            "A: /certs\nB: $A/client\nC: ${B}/x\nD: $CI_BUILDS_DIR/$A\nE: $E\nF: $G\nG: $F\n\
             RAW: {value: $A, expand: false}\nH: a$RAW\nI: cost $ 5 $$A ${A\nJ: ${D}",
        );
        for (name, text, chained) in [
            ("A", "/certs", None),
            ("B", "/certs/client", None),
            ("C", "/certs/client/x", Some("B")),
            ("D", "$CI_BUILDS_DIR//certs", None),
            ("J", "$CI_BUILDS_DIR//certs", Some("D")),
            ("RAW", "$A", None),
            ("H", "a$RAW", None),
            ("I", "cost $ 5 $/certs ${A", None),
        ] {
            let expected = Known::Set(Expanded {
                text: text.to_owned(),
                chained: chained.map(str::to_owned),
            });
            assert_eq!(read.expanded(name), expected, "{name}");
        }
        let bomb: String = (0..9)
            .map(|n| format!("V{n}: {}\n", format!("$V{}", n + 1).repeat(1000)))
            .collect();
        let bomb = variables(&bomb);
        let Known::Set(grown) = bomb.expanded("V0") else {
            panic!("it is set");
        };
        assert!(
            grown.text.len() < 3 * MAXIMAL_GROWTH,
            "{}",
            grown.text.len()
        );
        for cyclic in ["E", "F"] {
            assert_eq!(read.literal(cyclic), None, "{cyclic}");
        }
    }
}
