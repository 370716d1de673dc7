//! Hidden names, under which files are written before they get their own.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A name beside `name` that nobody can have taken beforehand.
pub fn staged(name: &str) -> String {
    // The standard library's hashers begin with random keys.
    let random = RandomState::new().build_hasher().finish();
    format!("{}{random:016x}", prefix(name))
}

/// Whether a file with the hidden name `staged` was to become `name`.
pub fn is_staged(staged: &str, name: &str) -> bool {
    staged
        .strip_prefix(&prefix(name))
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn prefix(name: &str) -> String {
    format!(".{name}.dind-init-new-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_name_is_another_each_time_and_known_as_ours() {
        let (one, other) = (staged("ca.pem"), staged("ca.pem"));
        assert_ne!(one, other);
        assert!(is_staged(&one, "ca.pem"));
        for (name, of) in [
            (one.as_str(), "key.pem"),
            (".ca.pem.dind-init-new-", "ca.pem"),
            (".ca.pem.dind-init-new-../../etc/x.x", "ca.pem"),
            ("ca.pem", "ca.pem"),
        ] {
            assert!(!is_staged(name, of), "{name}");
        }
    }
}
