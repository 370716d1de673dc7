//! YAML as a tree in which everything knows its place in the file.
//!
//! Aliases and merge keys are resolved: what they stand for has the place where it is written.
//! A file is refused where reading it would take more than its size explains. A key that is there
//! twice is told: GitLab takes the last one, and others refuse the file.

mod characters;
mod mapping;
mod reader;
mod scalar;

use std::{ops::Deref, rc::Rc};

pub use self::{
    mapping::{Entry, Mapping},
    reader::{MAXIMAL_DEPTH, MAXIMAL_NODES, parse, parse_file},
    scalar::{Scalar, Style},
};
use super::{
    problem::SyntaxError,
    source::{FileId, Place, Span},
};

/// All that a text says: its documents, in their order.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    nodes: Vec<Node>,
    pub duplicates: Vec<Duplicate>,
}

impl Deref for Documents {
    type Target = [Node];

    fn deref(&self) -> &[Node] {
        &self.nodes
    }
}

/// A key that is there twice in one mapping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Duplicate {
    pub first: Span,
    /// The one that counts.
    pub second: Span,
}

/// A value, and where it is written.
///
/// Cheap to clone: what an alias stands for is shared.
#[derive(Clone, Debug)]
pub struct Node {
    pub file: FileId,
    pub span: Span,
    /// As it is written: `!reference`. Those of YAML itself (`!!str`) are `tag:yaml.org,2002:str`.
    pub tag: Option<Rc<str>>,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Scalar(Rc<Scalar>),
    Sequence(Rc<[Node]>),
    Mapping(Rc<Mapping>),
}

impl Node {
    pub fn place(&self) -> Place {
        Place::new(self.file, self.span.clone())
    }

    /// The same place, with another value.
    pub fn with_value(&self, value: Value) -> Self {
        Self {
            value,
            ..self.clone()
        }
    }

    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar that is not null.
    pub fn as_str(&self) -> Option<&str> {
        let scalar = self.as_scalar()?;
        (!scalar.is_null()).then_some(&*scalar.text)
    }

    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(nodes) => Some(nodes),
            _ => None,
        }
    }

    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The value of a mapping's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    pub fn has_tag(&self, tag: &str) -> bool {
        self.tag.as_deref() == Some(tag)
    }
}

/// Why a text is not read as YAML, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// Quotes nothing of the text, which may hold secrets. No full stop.
    pub message: String,
    pub span: Span,
    /// What to do about it; may be empty.
    pub help: String,
}

impl Error {
    fn new(message: impl Into<String>, span: Span) -> Self {
        Self {
            message: message.into(),
            span,
            help: String::new(),
        }
    }

    fn too_many(span: Span) -> Self {
        Self::new(
            format!("there are more than {MAXIMAL_NODES} values here, repeated ones counted"),
            span,
        )
    }

    fn too_deep(span: Span) -> Self {
        Self::new(
            format!("this is nested more than {MAXIMAL_DEPTH} levels deep"),
            span,
        )
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The same, said of a file.
    pub fn of(self, file: FileId) -> SyntaxError {
        SyntaxError {
            message: self.message,
            place: Place::new(file, self.span),
            help: self.help,
        }
    }
}
