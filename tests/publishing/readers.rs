//! What readers find in a directory that is being written.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use dind_init::testing::pki::inspect::{Certificate, public_key_of};

/// What readers of a directory with a set found.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) whole: u64,
    /// No set, or `ca.pem` changed while it was read: the reader knows that it has to try again.
    pub(crate) none: u64,
    pub(crate) torn: u64,
    /// Sets known to be whole already.
    pub(crate) known: HashSet<[Vec<u8>; 3]>,
}

impl Seen {
    pub(crate) fn read(&mut self, directory: &Path) {
        let read = |name: &str| fs::read(directory.join(name)).ok();
        let before = read("ca.pem");
        let (certificate, key) = (read("cert.pem"), read("key.pem"));
        let (Some(ca), true) = (before.clone(), before == read("ca.pem")) else {
            self.none += 1;
            return;
        };
        let set = [ca, certificate.unwrap_or_default(), key.unwrap_or_default()];
        if self.known.contains(&set) {
            self.whole += 1;
        } else if is_whole(&set) {
            self.whole += 1;
            self.known.insert(set);
        } else {
            self.torn += 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.none += other.none;
        self.torn += other.torn;
    }

    #[track_caller]
    pub(crate) fn assert_never_torn(&self) {
        assert_eq!(self.torn, 0);
        assert!(
            self.whole > 0 && self.known.len() > 1,
            "the reader saw too little: {} times {} sets",
            self.whole,
            self.known.len()
        );
    }
}

pub(crate) fn is_whole([ca, certificate, key]: &[Vec<u8>; 3]) -> bool {
    let (Ok(ca), Ok(leaf), Ok(public_key)) = (
        Certificate::parse_pem(ca),
        Certificate::parse_pem(certificate),
        public_key_of(key),
    ) else {
        return false;
    };
    leaf[0].is_issued_by(&ca[0]) && leaf[0].public_key == public_key
}

/// Reads the directory over and over, in a thread, while `work` is done.
pub(crate) fn while_reading(directory: &Path, work: impl FnOnce()) -> Seen {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = Seen::default();
            while !done.load(Ordering::Relaxed) {
                seen.read(directory);
            }
            seen
        });
        // Ends the reader even if the work panics.
        struct Done<'a>(&'a AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        {
            let _done = Done(&done);
            work();
        }
        reader.join().unwrap()
    })
}
