//! GitLab Runner's `config.toml`: read, and judged by itself.

mod edits;
mod read;
mod rules;
mod table;

pub use self::{
    read::read,
    rules::{Scene, judge, privileges},
};
