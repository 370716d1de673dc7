//! The values of variables, read as what they are to be.

use std::ffi::OsString;

use clap::ValueEnum;

use super::{
    Environment, InvalidVariable,
    variables::{Accepted, DOCKERD_ARGS, Unset, Variable},
};

/// The variable's value unless it is empty, which means the same as unset.
pub fn non_empty(environment: Environment<'_>, name: &str) -> Option<String> {
    environment(name).filter(|value| !value.is_empty())
}

/// The variable's value, or else what counts where it is unset.
pub(super) fn value(environment: Environment<'_>, variable: &Variable) -> Option<String> {
    non_empty(environment, variable.name).or_else(|| match variable.unset {
        Unset::Is(value) => Some(value.to_owned()),
        Unset::Means(_) | Unset::Nothing => None,
    })
}

/// The variable's value as one of the names that `T` has; `None` where nothing counts.
pub(super) fn choice<T: ValueEnum>(
    environment: Environment<'_>,
    variable: &Variable,
) -> Result<Option<T>, InvalidVariable> {
    let parse = |value: String| {
        T::from_str(&value, false).map_err(|_| variable.refuse(variable.name, value))
    };
    value(environment, variable).map(parse).transpose()
}

/// Whether the variable is 1; false where it is 0, empty or unset.
pub(super) fn switch(
    environment: Environment<'_>,
    name: &'static str,
) -> Result<bool, InvalidVariable> {
    match non_empty(environment, name).as_deref() {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(other) => Err(InvalidVariable {
            name,
            value: other.to_owned(),
            accepted: "1 or 0".into(),
        }),
    }
}

/// The variable's number, or that which counts where it is unset.
pub(super) fn number(
    environment: Environment<'_>,
    variable: &Variable,
) -> Result<u16, InvalidVariable> {
    let value = value(environment, variable).unwrap_or_default();
    parse_number(variable, variable.name, value)
}

/// `value` as a number within the bounds of `variable`; `name` is the variable that holds it.
pub(super) fn parse_number(
    variable: &Variable,
    name: &'static str,
    value: String,
) -> Result<u16, InvalidVariable> {
    let is_accepted = |number: &u16| match &variable.accepted {
        Accepted::Number { range, .. } => range.contains(number),
        Accepted::OneOf(_) | Accepted::Text(_) => false,
    };
    let number = value.parse().ok().filter(is_accepted);
    number.ok_or_else(|| variable.refuse(name, value))
}

/// `value`, split as a shell splits words: quotes and backslashes work.
pub(super) fn words(name: &'static str, value: &str) -> Result<Vec<OsString>, InvalidVariable> {
    shell_words::split(value)
        .map(|words| words.into_iter().map(OsString::from).collect())
        .map_err(|_| DOCKERD_ARGS.refuse(name, value.to_owned()))
}
