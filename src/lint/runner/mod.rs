//! GitLab Runner's `config.toml`, read.

mod read;
mod table;

pub use self::read::read;
