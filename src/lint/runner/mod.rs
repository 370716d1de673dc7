//! GitLab Runner's `config.toml`, read.

mod keys;
mod read;
mod table;

pub use self::read::read;
