//! Giving back memory that only the start needed.

use std::{ffi::c_void, fs, num::NonZeroUsize, ptr::NonNull};

use nix::sys::mman::{MmapAdvise, madvise};

/// Lets the kernel take the program's code out of this process, whose work is done for the most
/// part once dockerd runs: two thirds of its memory.
///
/// What is needed again comes back from the file.
pub fn give_back_code() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (start, length) in code(&maps) {
        let Some(address) = NonZeroUsize::new(start) else {
            continue;
        };
        // SAFETY: the mapping is of a file, executable and not writable. Such pages hold what is in
        // the file and nothing else (relocations are in other segments), so that reading them
        // again gives the same.
        let _ = unsafe {
            madvise(
                NonNull::<c_void>::without_provenance(address),
                length,
                MmapAdvise::MADV_DONTNEED,
            )
        };
    }
}

/// Start and length of the executable mappings of files, from `/proc/self/maps`.
fn code(maps: &str) -> impl Iterator<Item = (usize, usize)> {
    maps.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let is_code = fields.next()? == "r-xp" && fields.nth(3)?.starts_with('/');
        let start = usize::from_str_radix(start, 16).ok()?;
        let end = usize::from_str_radix(end, 16).ok()?;
        is_code.then_some((start, end.checked_sub(start)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::alone::is_alone;

    #[test]
    fn only_code_of_files_is_given_back() {
        let maps = "\
55d0c0000000-55d0c0100000 r--p 00000000 fe:00 12 /usr/local/bin/dind-init
55d0c0100000-55d0c0300000 r-xp 00100000 fe:00 12 /usr/local/bin/dind-init
55d0c0300000-55d0c0310000 rw-p 00300000 fe:00 12 /usr/local/bin/dind-init
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0 [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]";
        assert_eq!(
            code(maps).collect::<Vec<_>>(),
            [(0x55d0_c010_0000, 0x20_0000)]
        );
    }

    /// The other tests run their code meanwhile.
    #[test]
    fn the_program_goes_on_and_is_smaller() {
        if !is_alone("service::memory::tests::the_program_goes_on_and_is_smaller") {
            return;
        }
        // Exact, unlike the counters in status.
        let resident = || {
            let maps = fs::read_to_string("/proc/self/smaps").unwrap();
            // The kernel's own code, [vdso], may lie before the program's.
            let is_program = |line: &str| line.contains(" r-xp ") && line.contains('/');
            let lines = maps.lines().skip_while(|line| !is_program(line));
            let mut sizes = lines.filter_map(|line| line.strip_prefix("Rss:"));
            let size = sizes.next().unwrap().trim_end_matches("kB").trim();
            size.parse::<u64>().unwrap()
        };
        // Some of what the start needs, and nothing after it.
        crate::pki::issue::message_certificate("docker").unwrap();
        let before = resident();
        give_back_code();
        assert!(resident() < before);
    }
}
