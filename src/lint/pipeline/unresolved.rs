//! What is not followed: said, so that silence is no promise.

use crate::lint::{
    problem::Remark,
    source::{FileId, Place},
    yaml::{Entry, Mapping, Node, Value},
};

/// One remark for each kind, at its first place.
pub fn remarks(file: FileId, root: &Mapping) -> Vec<Remark> {
    let include = root.entry("include").map(|entry| (&entry.key, 1));
    let extends = root.iter().filter_map(|entry| {
        let job = entry.value.as_mapping()?;
        Some(&job.entry("extends")?.key)
    });
    let mut references = Vec::new();
    for entry in root.iter() {
        collect_references(entry, &mut references);
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
                "{message}: lint the merged configuration as well (the project's Build > \
                 Pipeline editor > Full configuration)"
            ),
            place: Place::new(file, node.span.clone()),
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
fn collect_references<'a>(entry: &'a Entry, found: &mut Vec<&'a Node>) {
    let Some(job) = entry.value.as_mapping() else {
        return;
    };
    for key in ["services", "variables"] {
        let Some(node) = job.get(key) else { continue };
        let is_reference = |node: &&Node| node.has_tag("!reference");
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
