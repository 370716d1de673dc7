//! The values of variables, read as what they are to be.

use std::{ffi::OsString, ops::RangeInclusive};

use clap::ValueEnum;

use super::{Environment, InvalidVariable};

/// The variable's value unless it is empty, which means the same as unset.
pub fn non_empty(environment: Environment<'_>, name: &str) -> Option<String> {
    environment(name).filter(|value| !value.is_empty())
}

/// The variable's value as one of the names that `T` has.
pub(super) fn choice<T: ValueEnum>(
    environment: Environment<'_>,
    name: &'static str,
) -> Result<Option<T>, InvalidVariable> {
    let parse = |value: String| {
        T::from_str(&value, false).map_err(|_| {
            let variants = T::value_variants().iter();
            let names = variants.filter_map(T::to_possible_value);
            let names: Vec<_> = names.map(|value| value.get_name().to_owned()).collect();
            InvalidVariable {
                name,
                value,
                accepted: names.join(" or "),
            }
        })
    };
    non_empty(environment, name).map(parse).transpose()
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

/// The variable's value as a number of `unit` within `range`.
pub(super) fn number(
    environment: Environment<'_>,
    name: &'static str,
    range: RangeInclusive<u16>,
    unit: &str,
) -> Result<Option<u16>, InvalidVariable> {
    let accepted = format!(
        "a number of {unit} from {} to {}",
        range.start(),
        range.end()
    );
    let Some(value) = non_empty(environment, name) else {
        return Ok(None);
    };
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        _ => Err(InvalidVariable {
            name,
            value,
            accepted,
        }),
    }
}

/// `value`, split as a shell splits words: quotes and backslashes work.
pub(super) fn words(name: &'static str, value: &str) -> Result<Vec<OsString>, InvalidVariable> {
    shell_words::split(value)
        .map(|words| words.into_iter().map(OsString::from).collect())
        .map_err(|_| InvalidVariable {
            name,
            value: value.to_owned(),
            accepted: "words as in a shell, with every quote closed".into(),
        })
}
