//! What is a secret by its form, for sentences that quote a value.

use super::HIDDEN;

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

/// No token, and no address with a login, is shorter.
const SHORTEST_TOKEN: usize = 8;

/// Without tokens, and without who logs in to a URL.
pub fn without_tokens(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let is_border = |it: char| it.is_whitespace() || "\"'`,;()[]{}<>=".contains(it);
    for word in text.split_inclusive(is_border) {
        let border = word.chars().next_back().filter(|it| is_border(*it));
        let bare = &word[..word.len() - border.map_or(0, char::len_utf8)];
        if bare.len() >= SHORTEST_TOKEN && is_token(bare) {
            clean.push(HIDDEN);
        } else if let Some((scheme, rest)) = bare.split_once("://")
            && let Some(end) = rest.rfind('@')
        {
            clean.push_str(scheme);
            clean.push_str("://");
            clean.push(HIDDEN);
            clean.push_str(&rest[end..]);
        } else {
            clean.push_str(bare);
        }
        clean.extend(border);
    }
    clean
}

/// Whether a word is a token, or has one in it.
pub(super) fn is_token(word: &str) -> bool {
    TOKENS.iter().any(|token| {
        let found = word.find(token);
        found.is_some_and(|start| word.len() - start > token.len() + 8)
    })
}
