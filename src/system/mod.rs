//! Linux, as this program needs it: signals, files that are replaced whole, locks, waiting.

#[cfg(test)]
pub mod alone;
pub mod atomic_file;
pub mod background;
pub mod child;
pub mod directory;
pub mod directory_lock;
pub mod poll;
pub mod process;
pub mod retry;
pub mod signals;
pub mod stderr;
pub mod watched;
