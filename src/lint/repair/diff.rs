//! What repairs have changed, in the form of `diff -u`: they know it themselves.

use std::{fmt::Write, ops::Range};

use crate::lint::{problem::Edit, secrets, source::Source};

/// How many lines of context a diff has.
const CONTEXT: usize = 3;

/// Of each line of a text, which one of the original it is; none, where it is new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origins(Vec<Option<usize>>);

impl Origins {
    /// Of a text that nobody has changed.
    pub fn of_unchanged(text: &str) -> Self {
        Self((0..lines(text).count()).map(Some).collect())
    }

    /// After the text that these are of has become `new` by `edits`, in the order of the text.
    pub fn after(&self, edits: &[&Edit], old: &str, new: &str) -> Self {
        let (old_lines, new_lines): (Vec<_>, Vec<_>) = (lines(old).collect(), lines(new).collect());
        let mut kept: Vec<(usize, usize)> = Vec::new();
        let mut start = 0;
        // Where an old line is in the new text: edits before it have moved it.
        let mut moved = 0_isize;
        let mut edits = edits.iter().peekable();
        let mut positions = Positions::of(&new_lines);
        for (number, line) in old_lines.iter().enumerate() {
            let end = start + line.len();
            while let Some(edit) = edits.next_if(|edit| edit.span.end <= start) {
                moved += edit.text.len() as isize - edit.span.len() as isize;
            }
            let is_kept = edits.peek().is_none_or(|edit| edit.span.start >= end);
            let at = positions.line_at(start.wrapping_add_signed(moved));
            if let Some(new_number) = at.filter(|at| is_kept && new_lines[*at] == *line) {
                kept.push((number, new_number));
            }
            start = end;
        }
        let mut origins = vec![None; new_lines.len()];
        let mut next = (0, 0);
        for (old, new) in kept.into_iter().chain([(old_lines.len(), new_lines.len())]) {
            // An edit in the middle of a line may leave a line as it was, before or after it.
            let (mut old_end, mut new_end) = (old, new);
            while old_end > next.0
                && new_end > next.1
                && old_lines[old_end - 1] == new_lines[new_end - 1]
            {
                (old_end, new_end) = (old_end - 1, new_end - 1);
                origins[new_end] = self.0[old_end];
            }
            while old_end > next.0 && new_end > next.1 && old_lines[next.0] == new_lines[next.1] {
                origins[next.1] = self.0[next.0];
                next = (next.0 + 1, next.1 + 1);
            }
            if new < new_lines.len() {
                origins[new] = self.0[old];
            }
            next = (old + 1, new + 1);
        }
        Self(origins)
    }
}

/// Which line begins where, asked in rising order.
struct Positions<'a> {
    lines: &'a [&'a str],
    next: usize,
    at: usize,
}

impl<'a> Positions<'a> {
    fn of(lines: &'a [&'a str]) -> Self {
        Self {
            lines,
            next: 0,
            at: 0,
        }
    }

    fn line_at(&mut self, offset: usize) -> Option<usize> {
        while self.at < offset && self.next < self.lines.len() {
            self.at += self.lines[self.next].len();
            self.next += 1;
        }
        (self.at == offset && self.next < self.lines.len()).then_some(self.next)
    }
}

/// What the repairs have changed; `origins` are those of the lines of `new`.
pub fn diff(old: &Source, new: &Source, origins: &Origins) -> String {
    let changes = changes(lines(old.text()).count(), origins);
    let (old_starts, new_starts) = (starts(old.text()), starts(new.text()));
    // Writing into a String does not fail.
    let mut text = String::new();
    let _ = writeln!(text, "--- {0}\n+++ {0}", old.name());
    for hunk in hunks(&changes) {
        let changes = &changes[hunk];
        let count = |in_old: bool| changes.iter().filter(|it| it.is_in(in_old)).count();
        let first = |in_old: bool| {
            let mut numbers = changes.iter().filter_map(|it| it.number(in_old));
            numbers.next().map_or(0, |number| number + 1)
        };
        let (removed, added) = (count(true), count(false));
        let _ = writeln!(
            text,
            "@@ -{},{removed} +{},{added} @@",
            first(true),
            first(false)
        );
        for change in changes {
            let (mark, source, start) = match change {
                Change::Kept { new: line, .. } => (' ', new, new_starts[*line]),
                Change::Added(line) => ('+', new, new_starts[*line]),
                Change::Removed(line) => ('-', old, old_starts[*line]),
            };
            let line = secrets::shown_line(source.text(), start).text;
            let _ = writeln!(text, "{mark}{line}");
        }
    }
    text
}

/// What becomes of a line, by its numbers from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Change {
    Kept { old: usize, new: usize },
    Removed(usize),
    Added(usize),
}

impl Change {
    fn number(self, in_old: bool) -> Option<usize> {
        match (self, in_old) {
            (Self::Kept { old, .. }, true) | (Self::Removed(old), true) => Some(old),
            (Self::Kept { new, .. }, false) | (Self::Added(new), false) => Some(new),
            _ => None,
        }
    }

    fn is_in(self, in_old: bool) -> bool {
        self.number(in_old).is_some()
    }
}

/// All lines in their order, removed ones before those that come in their place.
fn changes(old_lines: usize, origins: &Origins) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut added = Vec::new();
    let mut next = 0;
    let ends = std::iter::once((origins.0.len(), Some(old_lines)));
    let numbered = origins.0.iter().copied().enumerate();
    for (new, origin) in numbered.chain(ends) {
        let Some(old) = origin else {
            added.push(Change::Added(new));
            continue;
        };
        changes.extend((next..old).map(Change::Removed));
        changes.append(&mut added);
        if old < old_lines {
            changes.push(Change::Kept { old, new });
        }
        next = old + 1;
    }
    changes
}

/// The changes with the lines around them, those that are near each other together.
fn hunks(changes: &[Change]) -> Vec<Range<usize>> {
    let mut hunks: Vec<Range<usize>> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        if matches!(change, Change::Kept { .. }) {
            continue;
        }
        let hunk = index.saturating_sub(CONTEXT)..(index + 1 + CONTEXT).min(changes.len());
        match hunks.last_mut().filter(|last| last.end >= hunk.start) {
            Some(last) => last.end = hunk.end,
            None => hunks.push(hunk),
        }
    }
    hunks
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

fn starts(text: &str) -> Vec<usize> {
    let starts = lines(text).scan(0, |start, line| {
        let this = *start;
        *start += line.len();
        Some(this)
    });
    starts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &str, edits: &[(&str, &str)]) -> (String, Origins) {
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(part, text)| {
                let start = old.find(part).unwrap();
                // In front of it, or in its place.
                let end = start + if text.contains('\n') { 0 } else { part.len() };
                Edit {
                    span: start..end,
                    text: (*text).to_owned(),
                }
            })
            .collect();
        let mut new = old.to_owned();
        for edit in edits.iter().rev() {
            new.replace_range(edit.span.clone(), &edit.text);
        }
        let edits: Vec<&Edit> = edits.iter().collect();
        let origins = Origins::of_unchanged(old).after(&edits, old, &new);
        (new, origins)
    }

    fn diff_of(old: &str, edits: &[(&str, &str)]) -> String {
        let (new, origins) = changed(old, edits);
        let diff = diff(&Source::new("f", old), &Source::new("f", new), &origins);
        diff.strip_prefix("--- f\n+++ f\n").unwrap().to_owned()
    }

    const TEN: &str = "name: a\nname: b\nname: c\nname: d\nname: e\nname: f\nname: g\nname: h\n\
                       name: i\nname: j\n";

    #[test]
    fn a_hunk_has_three_lines_around_and_its_numbers() {
        assert_eq!(
            diff_of(TEN, &[("name: e", "name: x")]),
            "@@ -2,7 +2,7 @@\n name: b\n name: c\n name: d\n-name: e\n+name: x\n name: f\n name: \
             g\n name: h\n"
        );
        assert_eq!(
            diff_of(TEN, &[("name: a", "name: x\nname: y\n")]),
            "@@ -1,3 +1,5 @@\n+name: x\n+name: y\n name: a\n name: b\n name: c\n"
        );
        assert_eq!(diff_of(TEN, &[]), "");
    }

    #[test]
    fn changes_far_from_each_other_are_hunks_of_their_own() {
        let near = diff_of(TEN, &[("name: b", "name: x"), ("name: i", "name: y")]);
        assert_eq!(near.matches("@@ -").count(), 1, "{near}");
        let far = diff_of(
            &(TEN.to_owned() + "name: k\n"),
            &[("name: b", "name: x"), ("name: j", "name: y\n")],
        );
        assert_eq!(far.matches("@@ -").count(), 2, "{far}");
        assert!(far.contains("@@ -7,5 +7,6 @@\n"), "{far}");
    }

    #[test]
    fn a_line_that_was_changed_twice_is_one_change_of_the_original() {
        let (once, origins) = changed(TEN, &[("name: e", "name: x")]);
        let edit = Edit {
            span: 0..0,
            text: "name: new\n".to_owned(),
        };
        let twice = format!("{}{once}", edit.text);
        let origins = origins.after(&[&edit], &once, &twice);
        let diff = diff(&Source::new("f", TEN), &Source::new("f", twice), &origins);
        assert_eq!(
            diff,
            "--- f\n+++ f\n@@ -1,8 +1,9 @@\n+name: new\n name: a\n name: b\n name: c\n name: d\n\
             -name: e\n+name: x\n name: f\n name: g\n name: h\n"
        );
    }

    #[test]
    fn lines_that_are_put_into_the_middle_of_one_are_added_alone() {
        assert_eq!(
            diff_of("  name: a\n  name: b\n", &[("name: b", "name: x\n  ")]),
            "@@ -1,2 +1,3 @@\n   name: a\n+  name: x\n   name: b\n"
        );
    }

    #[test]
    fn the_end_of_a_file_may_be_missing() {
        assert_eq!(
            diff_of("name: a\nname: b", &[("name: b", "name: x")]),
            "@@ -1,2 +1,2 @@\n name: a\n-name: b\n+name: x\n"
        );
    }
}
