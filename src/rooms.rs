//! That the arrows between the rooms go one way: each uses what stands above it in `lib.rs`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

#[test]
fn no_room_uses_one_below_it() {
    let order = order();
    let upward: Vec<_> = files(Path::new(SOURCES))
        .iter()
        .filter_map(|file| {
            let room = room(file)?;
            let own = position(&order, &room);
            let text = fs::read_to_string(file).unwrap();
            let below = used(&text)
                .into_iter()
                .filter(|used| position(&order, used) > own);
            let below: Vec<_> = below.collect();
            (!below.is_empty()).then(|| format!("{} uses {}", file.display(), below.join(", ")))
        })
        .collect();
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

/// What enters directories that jobs write to: by `system::directory`, and by no way of its own.
const BY_THE_DOOR: [&str; 17] = [
    "adjustments/mod.rs",
    "job_directory/abandoned.rs",
    "job_directory/leftovers.rs",
    "job_directory/mod.rs",
    "pki/carry_out.rs",
    "pki/mod.rs",
    "pki/publish.rs",
    "registry/exports.rs",
    "registry/install.rs",
    "report/job_log.rs",
    "report/outbox/mod.rs",
    "report/status/mod.rs",
    "report/status/text.rs",
    "service/certificates.rs",
    "service/heard.rs",
    "system/atomic_file.rs",
    "system/directory_lock.rs",
];

#[test]
fn shared_directories_are_entered_by_one_door() {
    for file in BY_THE_DOOR {
        let text = fs::read_to_string(Path::new(SOURCES).join(file)).unwrap();
        let ways = other_ways(&text);
        assert!(ways.is_empty(), "{file}: {}", ways.join("\n"));
    }
}

#[test]
fn another_way_is_found() {
    for text in [
        "use std::{\n    fs, io,\n};",
        "let text = fs::read(path)?;",
        "File::open(path)",
        "File::options().open(path)",
        "path.read_dir()",
    ] {
        assert_eq!(other_ways(text).len(), 1, "{text}");
    }
    let harmless = "use std::os::unix::fs::MetadataExt;\n// fs::read\nfs::Permissions,\n\
                    #[cfg(test)]\nmod tests {\n    use std::fs;\n}";
    assert_eq!(other_ways(harmless), [""; 0]);
}

/// Lines of the code that reach a file or directory by its path.
fn other_ways(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let reaches = |line: &&str| {
        let line = line.replace("unix::fs", "").replace("fs::Permissions", "");
        let words: Vec<_> = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        words.contains(&"fs")
            || words.contains(&"OpenOptions")
            || line.contains("File::open")
            || line.contains("File::options")
            || line.contains("File::create")
            || line.contains(".read_dir(")
    };
    lines.filter(reaches).collect()
}

#[test]
fn uses_are_found_in_every_form_and_those_of_tests_do_not_count() {
    let text = "use crate::{\n    a::{self, x},\n    b,\n};\nuse crate::c::y;\n\
                fn f() { crate::d::g() }\n#[cfg(test)]\nmod tests {\n    use crate::e;\n}";
    assert_eq!(used(text), ["a", "b", "c", "d"].map(String::from).into());
}

/// The rooms of `lib.rs`, as they are listed.
fn order() -> Vec<String> {
    let text = fs::read_to_string(Path::new(SOURCES).join("lib.rs")).unwrap();
    let listed = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! - `")?.split('`').next());
    listed.map(str::to_owned).collect()
}

fn position(order: &[String], room: &str) -> usize {
    let found = order.iter().position(|listed| listed == room);
    found.unwrap_or_else(|| panic!("{room} is not listed in lib.rs"))
}

/// The first part of the file's path below `src`; `None` for what is in no room.
fn room(file: &Path) -> Option<String> {
    let first = file.strip_prefix(SOURCES).ok()?.components().next()?;
    let name = first
        .as_os_str()
        .to_str()?
        .trim_end_matches(".rs")
        .to_owned();
    (!["lib", "main", "pictures", "rooms"].contains(&name.as_str())).then_some(name)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.ends_with("tests.rs"))
        .collect()
}

/// Else all that follows would be taken for a test's.
#[test]
fn tests_come_last() {
    for file in files(Path::new(SOURCES)) {
        let text = fs::read_to_string(&file).unwrap();
        let after = text.split_once("#[cfg(test)]\nmod tests;\n");
        assert!(
            after.is_none_or(|(_, rest)| rest.is_empty()),
            "{}",
            file.display()
        );
    }
}

/// What follows `crate::`, each name of the first level once.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let paths = code.split("crate::").skip(1);
    paths.flat_map(first_names).collect()
}

fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(list) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut depth = 0;
    let mut names = vec![name(list.trim_start())];
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(list[at + 1..].trim_start())),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}
