//! Giving back memory that only the start needed.

use std::{
    ffi::c_void,
    fs::{self, File},
    io::{BufRead, BufReader},
    num::NonZeroUsize,
    path::Path,
    ptr::NonNull,
};

use nix::sys::mman::{MmapAdvise, madvise};

/// Lets the kernel take the program's code and constants out of this process, whose work is done for
/// the most part once dockerd runs: two thirds of its memory.
///
/// What is needed again comes back from the file, with what lies beside it.
pub fn give_back_program() {
    let (Ok(smaps), Ok(program)) = (
        File::open("/proc/self/smaps"),
        fs::read_link("/proc/self/exe"),
    ) else {
        return;
    };
    for (start, length) in as_in_its_file(&program, BufReader::new(smaps)) {
        let Some(address) = NonZeroUsize::new(start) else {
            continue;
        };
        // SAFETY: the mapping is of this program, which stays where it is as long as it runs. It is
        // not writable, and none of its pages is one of this process alone, as those that relocations
        // have changed are. So they hold what is in the file and nothing else, and reading them again
        // gives the same.
        let _ = unsafe {
            madvise(
                NonNull::<c_void>::without_provenance(address),
                length,
                MmapAdvise::MADV_DONTNEED,
            )
        };
    }
}

/// Start and length of the mappings of `program` that are as the file is and stay so, from
/// `/proc/PID/smaps` (`man 5 proc_pid_smaps`). Not those of other files: a library that glibc loads
/// to find a name may be gone when its place is given back, and something else be there.
fn as_in_its_file(program: &Path, smaps: impl BufRead) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut mapping = None;
    for line in smaps.lines().map_while(Result::ok) {
        let mut fields = line.split_whitespace();
        match fields.next() {
            Some("Anonymous:") => {
                found.extend(mapping.take().filter(|_| fields.next() == Some("0")));
            }
            Some(name) if name.ends_with(':') => {}
            Some(addresses) => mapping = unwritable_mapping(program, addresses, fields),
            None => {}
        }
    }
    found
}

fn unwritable_mapping<'a>(
    program: &Path,
    addresses: &str,
    mut fields: impl Iterator<Item = &'a str>,
) -> Option<(usize, usize)> {
    let (start, end) = addresses.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    let permissions = fields.next()?;
    let file = Path::new(fields.nth(3)?);
    (file == program && !permissions.contains('w')).then_some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::alone::is_alone;

    #[test]
    fn only_what_of_the_program_is_as_in_its_file_is_given_back() {
        let mapping = |header: &str, anonymous: u32| {
            format!(
                "{header}\nSize:      1024 kB\nRss:        576 kB\n\
                 Anonymous:   {anonymous} kB\nVmFlags: rd mr mw me\n"
            )
        };
        let smaps = [
            mapping(
                "55d0c0000000-55d0c0100000 r--p 00000000 fe:00 12 /dind-init",
                0,
            ),
            mapping(
                "55d0c0100000-55d0c0300000 r-xp 00100000 fe:00 12 /dind-init",
                0,
            ),
            // Relocated, and then made constant.
            mapping(
                "55d0c0300000-55d0c0310000 r--p 00300000 fe:00 12 /dind-init",
                64,
            ),
            mapping(
                "55d0c0310000-55d0c0311000 rw-p 00310000 fe:00 12 /dind-init",
                0,
            ),
            mapping("55d0c0400000-55d0c0421000 rw-p 00000000 00:00 0 [heap]", 40),
            // A debugger has been there.
            mapping(
                "55d0c0500000-55d0c0600000 r-xp 00400000 fe:00 12 /dind-init",
                4,
            ),
            // glibc's, to find a name: it may be gone at any time.
            mapping(
                "7f00c0100000-7f00c0300000 r-xp 00100000 fe:00 13 /lib/libnss_myhostname.so.2",
                0,
            ),
            mapping("7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0 [vdso]", 0),
        ];
        assert_eq!(
            as_in_its_file(Path::new("/dind-init"), smaps.concat().as_bytes()),
            [(0x55d0_c000_0000, 0x10_0000), (0x55d0_c010_0000, 0x20_0000)]
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
        give_back_program();
        assert!(resident() < before);
    }
}
