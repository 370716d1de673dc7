//! A pipeline's configuration, put together of the given files as GitLab does it: what is included
//! below what includes it, then `!reference`, then `extends`.
//!
//! What the given files do not hold stays as it is written: a `!reference` that leads nowhere, the
//! `extends` of a job that is not there, an `include` of somewhere else.

use std::{cell::Cell, collections::BTreeSet, rc::Rc};

use crate::lint::yaml::{Entry, MAXIMAL_NODES, Mapping, Node, Value};

/// How far `extends` and `!reference` lead from one to the next (GitLab's own bounds are 11 and 10).
const MAXIMAL_CHAIN: usize = 11;

/// What of a job concerns Docker: all else is left out.
const KEYS: &[&str] = &[
    "after_script",
    "before_script",
    "extends",
    "image",
    "inherit",
    "parallel",
    "rules",
    "run",
    "script",
    "services",
    "trigger",
    "variables",
];

/// Puts things together, a bounded number of them.
#[derive(Debug)]
pub struct Merger {
    left: Cell<usize>,
}

/// A job with all that it extends.
#[derive(Debug)]
pub struct Whole {
    pub job: Mapping,
    /// What it extends is in sight, all of it.
    pub is_complete: bool,
}

impl Default for Merger {
    fn default() -> Self {
        Self {
            left: Cell::new(2 * MAXIMAL_NODES),
        }
    }
}

impl Merger {
    /// Whether there was more to put together than is done.
    pub fn is_exhausted(&self) -> bool {
        self.left.get() == 0
    }

    /// `over`, with what only `base` says: mappings are merged, and anything else is replaced.
    pub fn merge(&self, base: &Node, over: &Node) -> Node {
        match (base.as_mapping(), over.as_mapping()) {
            (Some(below), Some(above)) if base.tag.is_none() && over.tag.is_none() => {
                over.with_value(Value::Mapping(Rc::new(self.merge_mappings(below, above))))
            }
            _ => over.clone(),
        }
    }

    fn merge_mappings(&self, base: &Mapping, over: &Mapping) -> Mapping {
        if !self.spend(base.len() + over.len()) {
            return over.clone();
        }
        let mut entries = Vec::new();
        for entry in base.iter() {
            let key = entry.key.as_scalar().map(|scalar| &*scalar.text);
            match key.and_then(|key| over.entry(key)) {
                Some(above) => entries.push(Entry {
                    key: above.key.clone(),
                    value: self.merge(&entry.value, &above.value),
                }),
                None => entries.push(entry.clone()),
            }
        }
        let is_new = |entry: &&Entry| {
            let key = entry.key.as_scalar();
            key.is_none_or(|key| base.entry(&key.text).is_none())
        };
        entries.extend(over.iter().filter(is_new).cloned());
        Mapping::of(entries)
    }

    /// A node with what its `!reference`s stand for, as far as that is below `root`.
    pub fn resolve(&self, node: &Node, root: &Mapping) -> Node {
        self.resolve_at(node, root, 0)
    }

    fn resolve_at(&self, node: &Node, root: &Mapping, chain: usize) -> Node {
        if node.has_tag("!reference") {
            let target = (chain < MAXIMAL_CHAIN)
                .then(|| target(node, root))
                .flatten();
            return match target {
                Some(target) => self.resolve_at(target, root, chain + 1),
                None => node.clone(),
            };
        }
        match &node.value {
            Value::Scalar(_) => node.clone(),
            _ if !self.spend(1) => node.clone(),
            Value::Sequence(nodes) => {
                let resolved = nodes.iter().map(|it| self.resolve_at(it, root, chain));
                node.with_value(Value::Sequence(resolved.collect()))
            }
            Value::Mapping(mapping) => {
                let entries = mapping.iter().map(|entry| Entry {
                    key: entry.key.clone(),
                    value: self.resolve_at(&entry.value, root, chain),
                });
                let mapping = Mapping::of(entries.collect());
                node.with_value(Value::Mapping(Rc::new(mapping)))
            }
        }
    }

    /// A job with what it extends, later ones over earlier ones and its own over all.
    pub fn extend(&self, job: &Mapping, root: &Mapping) -> Whole {
        self.extend_at(job, root, 0)
    }

    fn extend_at(&self, job: &Mapping, root: &Mapping, chain: usize) -> Whole {
        let own = Mapping::of(
            KEYS.iter()
                .filter_map(|key| job.entry(key))
                .map(|entry| Entry {
                    key: entry.key.clone(),
                    value: self.resolve(&entry.value, root),
                })
                .collect(),
        );
        let Some(extends) = job.get("extends") else {
            return Whole {
                job: own,
                is_complete: true,
            };
        };
        let may_go_on = chain < MAXIMAL_CHAIN && self.spend(1);
        let Some(names) = names(extends).filter(|_| may_go_on) else {
            return Whole {
                job: own,
                is_complete: false,
            };
        };
        let mut all = Mapping::default();
        let mut is_complete = true;
        for name in names {
            let Some(base) = root.get(name).and_then(Node::as_mapping) else {
                is_complete = false;
                continue;
            };
            let base = self.extend_at(base, root, chain + 1);
            all = self.merge_mappings(&all, &base.job);
            is_complete &= base.is_complete;
        }
        Whole {
            job: self.merge_mappings(&all, &own),
            is_complete: is_complete && !self.is_exhausted(),
        }
    }

    fn spend(&self, nodes: usize) -> bool {
        let left = self.left.get().saturating_sub(nodes);
        self.left.set(left);
        left > 0
    }
}

/// The jobs that others extend, if those are run.
pub fn extended<'a>(root: &'a Mapping) -> BTreeSet<&'a str> {
    let bases = |name: &'a str| {
        let extends = root.get(name).and_then(|job| job.get("extends"));
        extends.and_then(names).unwrap_or_default()
    };
    let names = root.iter().filter_map(|entry| entry.key.as_str());
    let is_run = |name: &&str| !name.starts_with('.');
    let mut left: Vec<&str> = names.filter(is_run).flat_map(bases).collect();
    let mut extended = BTreeSet::new();
    while let Some(name) = left.pop() {
        if extended.insert(name) {
            left.extend(bases(name));
        }
    }
    extended
}

/// Whether all that `extends` names is there.
pub fn is_in_sight(extends: &Node, root: &Mapping) -> bool {
    let is_there = |name: &&str| root.get(name).is_some_and(|job| job.as_mapping().is_some());
    names(extends).is_some_and(|names| names.iter().all(is_there))
}

/// The names that `extends` gives; `None` where they are not all in sight.
fn names(extends: &Node) -> Option<Vec<&str>> {
    match extends.as_sequence() {
        Some(nodes) if extends.tag.is_none() => nodes.iter().map(Node::as_str).collect(),
        _ => extends.as_str().map(|name| vec![name]),
    }
}

/// What `!reference [a, b, …]` leads to.
pub fn target<'a>(reference: &Node, root: &'a Mapping) -> Option<&'a Node> {
    let (first, path) = reference.as_sequence()?.split_first()?;
    let mut found = root.get(first.as_str()?)?;
    for key in path {
        found = found.get(key.as_str()?)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::yaml;

    /// The variables of `build`, as `NAME=value`, and whether all of it is in sight.
    fn variables(text: &str) -> (String, bool) {
        let documents = yaml::parse(text).unwrap();
        let root = documents[0].as_mapping().unwrap();
        let job = root.get("build").unwrap().as_mapping().unwrap();
        let whole = Merger::default().extend(job, root);
        let variables = whole.job.get("variables").and_then(Node::as_mapping);
        let variables = variables.into_iter().flat_map(Mapping::iter);
        let mut shown: Vec<_> = variables
            .map(|entry| {
                let value = entry.value.as_str().unwrap_or("?");
                format!("{}={value}", entry.key.as_str().unwrap())
            })
            .collect();
        shown.sort();
        (shown.join(" "), whole.is_complete)
    }

    #[test]
    fn a_job_has_what_it_extends() {
        for (text, expected) in [
            (
                ".a: {variables: {A: 1, B: 1}}\nbuild: {extends: .a, variables: {B: 2}}\n",
                ("A=1 B=2", true),
            ),
            (
                ".a: {variables: {A: 1}}\n.b: {variables: {A: 2}}\nbuild: {extends: [.a, .b]}\n",
                ("A=2", true),
            ),
            (
                ".a: {variables: {A: 1}}\n.b: {extends: .a}\nbuild: {extends: .b}\n",
                ("A=1", true),
            ),
            (
                "build: {extends: .elsewhere, variables: {A: 1}}\n",
                ("A=1", false),
            ),
            (
                ".a: {extends: .b}\n.b: {extends: .a}\nbuild: {extends: .a}\n",
                ("", false),
            ),
            (
                ".a: {variables: {A: 1}}\nbuild: {variables: !reference [.a, variables]}\n",
                ("A=1", true),
            ),
            (
                ".a: {variables: {A: 1}}\nbuild: {variables: {B: !reference [.a, variables, A]}}\n",
                ("B=1", true),
            ),
            (
                ".a: {x: !reference [.a, x]}\nbuild: {variables: {B: !reference [.a, x]}}\n",
                ("B=?", true),
            ),
        ] {
            let (variables, is_complete) = variables(text);
            assert_eq!((&*variables, is_complete), expected, "{text}");
        }
    }

    #[test]
    fn no_end_of_merging_is_cut_off() {
        let mut text = String::from(".j0: {variables: {A: 1}}\n");
        for level in 1..10 {
            let all = vec![format!(".j{}", level - 1); 30].join(", ");
            text.push_str(&format!(".j{level}: {{extends: [{all}]}}\n"));
        }
        text.push_str("build: {extends: .j9}\n");
        assert!(!variables(&text).1);
    }

    #[test]
    fn hidden_jobs_that_are_run_as_parts_of_others_are_known() {
        let text = ".a: {}\n.b: {extends: .a}\n.c: {extends: .b}\n.d: {}\nbuild: {extends: .b}\n";
        let documents = yaml::parse(text).unwrap();
        let extended = extended(documents[0].as_mapping().unwrap());
        assert_eq!(Vec::from_iter(extended), [".a", ".b"]);
    }
}
