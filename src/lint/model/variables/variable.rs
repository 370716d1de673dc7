//! A variable as it is written.

use std::collections::BTreeMap;

use super::expansion;
use crate::lint::{
    source::Place,
    yaml::{Entry, Mapping, Node},
};

/// A variable as it is written.
#[derive(Clone, Debug)]
pub struct Variable {
    pub value: String,
    /// Of the value; `None` if it is the runner's.
    pub(super) place: Option<Place>,
    /// `expand: false`.
    pub(super) is_raw: bool,
}

impl Variable {
    /// Of no place.
    pub(super) fn empty() -> Self {
        Self {
            value: String::new(),
            place: None,
            is_raw: false,
        }
    }

    /// `None` if the value is not in the file: `!reference`, or an input of a component.
    fn read(node: &Node) -> Option<Self> {
        // A mapping has the value beside its description.
        let value = match node.as_mapping() {
            Some(mapping) => mapping.get("value")?,
            None => node,
        };
        let scalar = value.as_scalar()?;
        let is_input = scalar.text.contains("$[[");
        (!is_input && value.tag.is_none()).then(|| Self {
            value: match scalar.is_null() {
                true => String::new(),
                false => scalar.text.to_string(),
            },
            place: Some(value.place()),
            is_raw: node.get("expand").and_then(Node::as_str) == Some("false"),
        })
    }

    /// Whether it says the same as another one, wherever that is written.
    pub(super) fn says(&self, other: &Self) -> bool {
        (&self.value, self.is_raw) == (&other.value, other.is_raw)
    }

    pub(super) fn refers(&self) -> bool {
        !self.is_raw && expansion::refers(&self.value)
    }
}

/// Those of a mapping; of a `None` nothing but the name is known.
pub(super) fn written(mapping: &Mapping) -> BTreeMap<String, Option<Variable>> {
    let named = |entry: &Entry| {
        let name = entry.key.as_scalar()?.text.to_string();
        Some((name, Variable::read(&entry.value)))
    };
    mapping.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::model::{Known, variables::tests::variables};

    #[test]
    fn values_are_read_in_every_form() {
        let read = variables(
            "A: 1\nB: ''\nC:\nD: {value: x, description: y}\nE: true\nF: !reference [.a, b]\n\
             G: $[[ inputs.x ]]\nH: {description: y}\nI: [x]",
        );
        for (name, value) in [
            ("A", Known::Set("1")),
            ("B", Known::Set("")),
            ("C", Known::Set("")),
            ("D", Known::Set("x")),
            ("E", Known::Set("true")),
            ("F", Known::Unknown),
            ("G", Known::Unknown),
            ("H", Known::Unknown),
            ("I", Known::Unknown),
            ("J", Known::Unset),
        ] {
            let found = match read.get(name) {
                Known::Set(variable) => Known::Set(&*variable.value),
                Known::Unset => Known::Unset,
                Known::Unknown => Known::Unknown,
            };
            assert_eq!(found, value, "{name}");
        }
    }
}
