//! Mirrors and insecure registries that variables add to dockerd's own.

use super::{
    Environment, InvalidVariable, inputs, registry_values,
    variables::{INSECURE_REGISTRIES, REGISTRY_MIRRORS, Variable},
};

/// Wanted by variables: `DIND_REGISTRY_MIRRORS` and `DIND_INSECURE_REGISTRIES`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RegistryOptions {
    pub mirrors: Vec<String>,
    pub insecure: Vec<String>,
}

impl RegistryOptions {
    /// Lists with commas or white space between their entries, in the forms that dockerd takes.
    pub(super) fn parse(environment: Environment<'_>) -> Result<Self, InvalidVariable> {
        Ok(Self {
            mirrors: list(environment, &REGISTRY_MIRRORS, |entry| {
                registry_values::mirror(entry).is_ok()
            })?,
            insecure: list(environment, &INSECURE_REGISTRIES, |entry| {
                !entry.contains("://") && registry_values::insecure_registry(entry).is_ok()
            })?,
        })
    }
}

fn list(
    environment: Environment<'_>,
    variable: &Variable,
    is_accepted: fn(&str) -> bool,
) -> Result<Vec<String>, InvalidVariable> {
    let entry = |name, entry: &str| match is_accepted(entry) {
        true => Ok(entry.to_owned()),
        false => Err(variable.refuse(name, entry.to_owned())),
    };
    let split = |name, value: &str| {
        let entries = value.split([',', ' ', '\t', '\n']);
        let entries = entries.filter(|entry| !entry.is_empty());
        entries.map(|text| entry(name, text)).collect()
    };
    inputs::entries(environment, variable, split, entry)
}
