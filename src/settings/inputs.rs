//! What the inputs of the CI/CD component say.
//!
//! A template cannot leave a variable out, and an empty one in a job hides what the runner's
//! `config.toml` says. So inputs have variables of their own, `DIND_INPUT_*`, beside those that
//! administrators set: of single values the input's goes first, and lists are joined.

use std::borrow::Cow;

use super::{Environment, InvalidVariable, non_empty, variables::Variable};

/// The variable that counts, with its value; `None` where both are empty.
pub fn value(environment: Environment<'_>, variable: &Variable) -> Option<(&'static str, String)> {
    [variable.input, Some(variable.name)]
        .into_iter()
        .flatten()
        .find_map(|name| Some((name, non_empty(environment, name)?)))
}

/// The entries of both variables, the setting's own first.
///
/// `split` takes the setting's usual form apart; an array of strings in JSON, which is what an
/// input of the type `array` becomes in a template, is read as such.
pub fn entries<T>(
    environment: Environment<'_>,
    variable: &Variable,
    split: impl Fn(&'static str, &str) -> Result<Vec<T>, InvalidVariable>,
    entry: impl Fn(&'static str, &str) -> Result<T, InvalidVariable>,
) -> Result<Vec<T>, InvalidVariable> {
    let mut all = Vec::new();
    for name in [Some(variable.name), variable.input].into_iter().flatten() {
        let Some(value) = non_empty(environment, name) else {
            continue;
        };
        match strings(&value) {
            Some(strings) => {
                for text in strings.iter().filter(|text| !text.is_empty()) {
                    all.push(entry(name, text)?);
                }
            }
            None => all.extend(split(name, &value)?),
        }
    }
    Ok(all)
}

/// The elements of an array of strings; `None` for anything else.
fn strings(value: &str) -> Option<Vec<String>> {
    let value = value.trim();
    if !value.starts_with('[') {
        return None;
    }
    serde_json::from_str(&with_escaped_line_breaks(value)).ok()
}

/// A variable that GitLab puts into an array, such as a certificate, brings its line breaks along,
/// which JSON's strings may not hold. The template's own array has none.
fn with_escaped_line_breaks(json: &str) -> Cow<'_, str> {
    match json.contains('\n') {
        true => json.replace('\r', "").replace('\n', "\\n").into(),
        false => json.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::variables::{Accepted, Unset};

    const LIST: Variable = Variable {
        name: "DIND_LIST",
        input: Some("DIND_INPUT_LIST"),
        unset: Unset::Nothing,
        accepted: Accepted::Text("a list"),
        meaning: "",
    };

    fn entries_of(own: &str, input: &str) -> Vec<String> {
        let environment = |name: &str| match name {
            "DIND_LIST" => Some(own.to_owned()),
            _ => Some(input.to_owned()),
        };
        let split = |_, value: &str| Ok(value.split(',').map(str::to_owned).collect());
        entries(&environment, &LIST, split, |_, text| Ok(text.to_owned())).unwrap()
    }

    #[test]
    fn lists_are_joined() {
        assert_eq!(entries_of("a,b", r#"["c", "d"]"#), ["a", "b", "c", "d"]);
        assert_eq!(entries_of("", "[]"), [""; 0]);
        assert_eq!(entries_of(r#"["a"]"#, ""), ["a"]);
    }

    #[test]
    fn what_is_no_array_of_strings_is_split_as_ever() {
        assert_eq!(entries_of("[::1]:5000,b", ""), ["[::1]:5000", "b"]);
        assert_eq!(entries_of("[1]", ""), ["[1]"]);
    }

    #[test]
    fn a_certificate_in_an_array_keeps_its_lines() {
        let array = "[\"-----BEGIN\nMII\n-----END\", \"b\"]";
        assert_eq!(entries_of("", array), ["-----BEGIN\nMII\n-----END", "b"]);
    }

    #[test]
    fn of_single_values_the_input_s_goes_first() {
        let value_of = |own: &str, input: &str| {
            let environment = |name: &str| match name {
                "DIND_LIST" => Some(own.to_owned()),
                _ => Some(input.to_owned()),
            };
            value(&environment, &LIST)
        };
        assert_eq!(value_of("1", "2"), Some(("DIND_INPUT_LIST", "2".into())));
        assert_eq!(value_of("1", ""), Some(("DIND_LIST", "1".into())));
        assert_eq!(value_of("", ""), None);
    }
}
