//! A mapping, with its merge keys resolved.

use super::{Duplicate, Node, Value};

/// Keys and values in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    entries: Box<[Entry]>,
    /// The positions of entries with scalar keys, ordered by their keys.
    by_key: Box<[u32]>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Node,
    pub value: Node,
}

impl Mapping {
    /// Of entries as they are written.
    ///
    /// `<<` is resolved as Ruby does, which GitLab is written in: a mapping that comes later wins,
    /// and of a list the first (Psych's `revive_hash`). Elsewhere, what is written in the mapping
    /// itself wins even over a `<<` that comes after it; `<<` mostly comes first.
    ///
    /// Of a key that is there twice the last one counts, as in GitLab; it is told to `duplicates`.
    pub(super) fn new(entries: Vec<Entry>, duplicates: &mut Vec<Duplicate>) -> Self {
        let has_merges = entries.iter().any(|entry| merged(entry).is_some());
        let own = Self::ordered(entries);
        let found = own.duplicates();
        let is_as_written = found.is_empty() && !has_merges;
        duplicates.extend(found);
        match is_as_written {
            true => own,
            false => own.with_merges(),
        }
    }

    /// Of entries with keys that are all different.
    pub fn of(entries: Vec<Entry>) -> Self {
        Self::ordered(entries)
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        Some(&self.entry(key)?.value)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let at = |index: &u32| self.key(*index as usize);
        let found = self.by_key.binary_search_by(|index| at(index).cmp(key));
        Some(&self.entries[self.by_key[found.ok()?] as usize])
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn ordered(entries: Vec<Entry>) -> Self {
        let entries = entries.into_boxed_slice();
        // There are at most MAXIMAL_NODES.
        let mut by_key: Vec<u32> = (0..entries.len() as u32)
            .filter(|index| entries[*index as usize].key.as_scalar().is_some())
            .collect();
        by_key.sort_by(|a, b| text(&entries[*a as usize]).cmp(text(&entries[*b as usize])));
        Self {
            entries,
            by_key: by_key.into(),
        }
    }

    /// The keys that are there twice. `<<` may be.
    fn duplicates(&self) -> Vec<Duplicate> {
        let pairs = self.by_key.windows(2);
        pairs
            .map(|pair| (pair[0] as usize, pair[1] as usize))
            .filter(|(first, second)| self.key(*first) == self.key(*second))
            .filter(|(first, _)| merged(&self.entries[*first]).is_none())
            .map(|(first, second)| Duplicate {
                first: self.entries[first].key.span.clone(),
                second: self.entries[second].key.span.clone(),
            })
            .collect()
    }

    fn with_merges(self) -> Self {
        let mut entries = Vec::new();
        for entry in self.entries {
            match merged(&entry) {
                Some(mappings) => {
                    let others = mappings.into_iter().rev().flat_map(Self::iter);
                    entries.extend(others.cloned());
                }
                None => entries.push(entry),
            }
        }
        // The sort is stable: among equal keys the last one wins.
        let all = Self::ordered(entries);
        let is_last = |(position, index): (usize, &u32)| {
            let next = all.by_key.get(position + 1);
            next.is_none_or(|next| all.key(*next as usize) != all.key(*index as usize))
        };
        let mut wins = vec![true; all.entries.len()];
        for (position, index) in all.by_key.iter().enumerate() {
            wins[*index as usize] = is_last((position, index));
        }
        let entries = all.entries.into_iter().zip(wins);
        Self::ordered(
            entries
                .filter_map(|(entry, wins)| wins.then_some(entry))
                .collect(),
        )
    }

    /// Of an entry whose key is a scalar.
    fn key(&self, index: usize) -> &str {
        text(&self.entries[index])
    }
}

fn text(entry: &Entry) -> &str {
    entry.key.as_scalar().map_or("", |scalar| &scalar.text)
}

/// What an entry with the key `<<` merges, in its order.
fn merged(entry: &Entry) -> Option<Vec<&Mapping>> {
    if entry.key.tag.is_some() || text(entry) != "<<" {
        return None;
    }
    match &entry.value.value {
        Value::Mapping(mapping) => Some(vec![mapping]),
        // One that is no mapping makes it a key like any other.
        Value::Sequence(nodes) => nodes.iter().map(Node::as_mapping).collect(),
        Value::Scalar(_) => None,
    }
}
