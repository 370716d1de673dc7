//! TOML tables whose values know their places, and what has another type than the runner expects.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::lint::{
    helm::Templates,
    model::runner::MisspeltKey,
    problem::SyntaxError,
    source::{FileId, Located, Place, Span},
};

/// Reads values from tables, and gathers what is of another type.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub file: FileId,
    pub templates: &'t Templates,
    pub errors: Vec<SyntaxError>,
    /// The first thing that only a template says.
    pub unknown: Option<Place>,
    pub misspelt: Vec<MisspeltKey>,
}

/// A table, and its header or, inline, all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'t> {
    entries: &'t DeTable<'t>,
    span: (usize, usize),
    /// Whether it has a header of its own.
    pub has_header: bool,
}

impl<'t> Table<'t> {
    /// The whole document.
    pub fn root(entries: &'t DeTable<'t>) -> Self {
        Self {
            entries,
            span: (0, 0),
            has_header: false,
        }
    }

    fn new(value: &'t Spanned<DeValue<'t>>, text: &str) -> Option<Self> {
        let span = value.span();
        let entries = value.get_ref().as_table()?;
        Some(Self {
            entries,
            span: (span.start, span.end),
            // A table that only its children's headers imply has no place at all.
            has_header: text[span.clone()].starts_with('['),
        })
    }

    pub fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.entries.get(key)
    }

    pub fn span(&self) -> Span {
        self.span.0..self.span.1
    }

    /// Each with its place.
    pub fn written_keys(&self) -> impl Iterator<Item = (&'t str, Span)> {
        let keys = self.entries.keys();
        keys.map(|key| (key.get_ref().as_ref(), key.span()))
    }

    pub fn keys(&self) -> impl Iterator<Item = &'t str> {
        self.entries.keys().map(|key| key.get_ref().as_ref())
    }
}

impl Reader<'_> {
    pub fn place(&self, span: Span) -> Place {
        Place::new(self.file, span)
    }

    pub fn string(&mut self, table: Table<'_>, key: &str) -> Option<Located<String>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(self.located(text.to_string(), value.span())),
            other => self.refuse(key, "a string", other.type_str(), value.span()),
        }
    }

    pub fn boolean(&mut self, table: Table<'_>, key: &str) -> Option<Located<bool>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(value_) => Some(self.located(*value_, value.span())),
            other => self.refuse(key, "true or false", other.type_str(), value.span()),
        }
    }

    pub fn number(&mut self, table: Table<'_>, key: &str) -> Option<u64> {
        let value = table.get(key)?;
        match value.get_ref() {
            // Below zero the runner falls back to its default; what is too large is no number.
            DeValue::Integer(number) => {
                u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
            }
            other => self.refuse(key, "a number", other.type_str(), value.span()),
        }
    }

    /// The strings of a list, each with its place.
    pub fn strings(
        &mut self,
        table: Table<'_>,
        key: &str,
    ) -> Option<Located<Vec<Located<String>>>> {
        let value = table.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let found = value.get_ref().type_str();
            return self.refuse(key, "a list of strings", found, value.span());
        };
        let mut strings = Vec::new();
        for item in array.iter() {
            match item.get_ref() {
                DeValue::String(text) => strings.push(self.located(text.to_string(), item.span())),
                other => {
                    self.refuse::<()>(key, "strings", other.type_str(), item.span());
                }
            }
        }
        Some(self.located(strings, value.span()))
    }

    pub fn table<'t>(&mut self, table: Table<'t>, key: &str, text: &str) -> Option<Table<'t>> {
        let value = table.get(key)?;
        Table::new(value, text)
            .or_else(|| self.refuse(key, "a table", value.get_ref().type_str(), value.span()))
    }

    /// The tables of `[[key]]`, or of a list of inline tables.
    pub fn tables<'t>(&mut self, table: Table<'t>, key: &str, text: &str) -> Vec<Table<'t>> {
        let Some(value) = table.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            let expected = format!("a list of tables, each with the header [[…{key}]]");
            let found = value.get_ref().type_str();
            self.refuse::<()>(key, &expected, found, value.span());
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            match Table::new(item, text) {
                Some(table) => tables.push(table),
                None => {
                    self.refuse::<()>(key, "tables", item.get_ref().type_str(), item.span());
                }
            }
        }
        tables
    }

    fn located<T>(&self, value: T, span: Span) -> Located<T> {
        Located {
            value,
            place: self.place(span),
        }
    }

    fn refuse<T>(&mut self, key: &str, expected: &str, found: &str, span: Span) -> Option<T> {
        if self.templates.give(&span) {
            let place = self.place(span);
            self.unknown.get_or_insert(place);
            return None;
        }
        self.errors.push(SyntaxError {
            message: format!("{key} has to be {expected}, and this is {}", article(found)),
            place: self.place(span),
            help: "the runner does not start with such a configuration".into(),
        });
        None
    }
}

fn article(kind: &str) -> String {
    match kind.starts_with(['a', 'i']) {
        true => format!("an {kind}"),
        false => format!("a {kind}"),
    }
}
