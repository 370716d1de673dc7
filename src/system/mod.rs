//! Linux, as this program needs it: signals, files that are replaced whole, locks, waiting.

pub mod atomic_file;
pub mod background;
pub mod directory;
pub mod directory_lock;
pub mod poll;
pub mod retry;
pub mod signals;
pub mod stderr;
