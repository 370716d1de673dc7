//! Names whose values are secret, and what is secret by its form.

/// What stands before a separator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Name {
    Harmless,
    /// Something like a password, by its name.
    Secret,
    /// A variable that nobody here knows.
    Variable,
}

/// Parts of names, in lower case and without dashes and underscores.
const SECRET: [&str; 12] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secretkey",
    "secretaccess",
    "credential",
    "privatekey",
    "apikey",
    "accesskey",
    "authconfig",
    "clientkey",
];

/// Names that are secret only as a whole.
const SECRET_WORDS: [&str; 7] = ["secret", "auth", "pass", "key", "auths", "-p", "bearer"];

/// Variables that lint speaks of, or the runner's own.
const KNOWN_VARIABLES: [&str; 12] = [
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_CERT_PATH",
    "DOCKER_DRIVER",
    "DIND_",
    "FF_",
    "CI_",
    "HEALTHCHECK_TCP_PORT",
    "NO_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "KUBERNETES_",
];

/// What tokens of GitLab, GitHub, AWS and of many others begin with.
const TOKENS: [&str; 12] = [
    "glpat-",
    "glrt-",
    "glrtr-",
    "glcbt-",
    "gldt-",
    "glptt-",
    "glft-",
    "GR1348941",
    "ghp_",
    "AKIA",
    "eyJ",
    "hvs.",
];

impl Name {
    /// Of the text before a separator: `=`, `:`, or the space after an option.
    pub fn before(text: &str, separator: char) -> Self {
        let text = text.trim_end_matches([' ', '\t']);
        let text = text.trim_end_matches(['"', '\'']);
        let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
        let start = text.trim_end_matches(is_part).len();
        let name = &text[start..];
        if separator == ' ' && !name.starts_with('-') {
            return Self::Harmless;
        }
        let lower = name.to_ascii_lowercase();
        let bare: String = lower
            .chars()
            .filter(|it| !matches!(it, '_' | '-' | '.'))
            .collect();
        if SECRET.iter().any(|part| bare.contains(part))
            || SECRET_WORDS.iter().any(|word| lower == *word)
        {
            return Self::Secret;
        }
        let is_variable = name.len() > 1
            && name
                .bytes()
                .all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_');
        match is_variable && !KNOWN_VARIABLES.iter().any(|known| name.starts_with(known)) {
            true => Self::Variable,
            false => Self::Harmless,
        }
    }
}

/// Whether a word is a token, or has one in it.
pub fn is_token(word: &str) -> bool {
    TOKENS.iter().any(|token| {
        let found = word.find(token);
        found.is_some_and(|start| word.len() - start > token.len() + 8)
    })
}
