//! What is not followed: said, so that silence is no promise.

use super::merge;
use crate::lint::{
    problem::Remark,
    yaml::{Entry, Mapping, Node, Value},
};

/// One remark for each kind, at its first place. `elsewhere` is an `include` of what is not given.
pub fn remarks(root: &Mapping, elsewhere: Option<&(Node, usize)>) -> Vec<Remark> {
    let include = elsewhere.map(|(key, count)| (key, *count));
    let extends = root.iter().filter_map(|entry| {
        let extends = entry.value.as_mapping()?.entry("extends")?;
        (!merge::is_in_sight(&extends.value, root)).then_some(&extends.key)
    });
    let mut references = Vec::new();
    for entry in root.iter() {
        collect_references(entry, root, &mut references);
    }
    [
        (include, "what `include` brings is not looked at"),
        (
            counted(extends),
            "what jobs get by `extends` is not looked at",
        ),
        (
            counted(references.into_iter()),
            "what `!reference` stands for is not looked at",
        ),
    ]
    .into_iter()
    .filter_map(|(found, message)| {
        let (node, count) = found?;
        Some(Remark {
            message: format!(
                "{message}, since it is not among these files: lint them as well, or the merged \
                 configuration (the project's Build > Pipeline editor > Full configuration)"
            ),
            place: node.place(),
            label: match count {
                1 => String::new(),
                count => format!("and {} more", count - 1),
            },
        })
    })
    .collect()
}

fn counted<'a>(mut nodes: impl Iterator<Item = &'a Node>) -> Option<(&'a Node, usize)> {
    let first = nodes.next()?;
    Some((first, 1 + nodes.count()))
}

/// Those in what a job says to Docker; scripts may refer to what they like.
fn collect_references<'a>(entry: &'a Entry, root: &Mapping, found: &mut Vec<&'a Node>) {
    let Some(job) = entry.value.as_mapping() else {
        return;
    };
    for key in ["services", "variables"] {
        let Some(node) = job.get(key) else { continue };
        let is_reference =
            |node: &&Node| node.has_tag("!reference") && merge::target(node, root).is_none();
        let within: Vec<&Node> = match &node.value {
            Value::Sequence(nodes) => nodes.iter().collect(),
            Value::Mapping(mapping) => mapping.iter().map(|entry| &entry.value).collect(),
            Value::Scalar(_) => Vec::new(),
        };
        match is_reference(&node) {
            true => found.push(node),
            false => found.extend(within.into_iter().filter(is_reference)),
        }
    }
}
