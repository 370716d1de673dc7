//! docs/undocumented-official-behaviour.md: it names every case that asserts what official does not
//! do, and no other.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

const PATH: &str = "docs/undocumented-official-behaviour.md";

#[test]
fn the_page_names_each_case_that_differs_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{PATH}: {error}"));
    let listed = Command::new(env::current_exe().unwrap())
        .args(["--list", "--format=terse"])
        .output()
        .unwrap();
    let cases = cases_in(&String::from_utf8_lossy(&listed.stdout));
    assert!(!cases.is_empty(), "no case was listed");
    let named = named_in(&page);
    let missing: Vec<_> = cases.difference(&named).collect();
    let unknown: Vec<_> = named.difference(&cases).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{PATH} lacks {missing:?}, and names {unknown:?}, which are no cases"
    );
}

/// The control: a case that is not on the page, and one that is only there, are found.
#[test]
fn both_kinds_of_gap_are_noticed() {
    let cases = cases_in("a::differs::one: test\na::other: test\nb::differs::two: test\n");
    let named = named_in("Case: `a::differs::one`, `c::differs::three` and `a::other`.");
    assert_eq!(
        cases.difference(&named).collect::<Vec<_>>(),
        ["b::differs::two"]
    );
    assert_eq!(
        named.difference(&cases).collect::<Vec<_>>(),
        ["c::differs::three"]
    );
}

/// The tests of this binary that are of that kind.
fn cases_in(list: &str) -> BTreeSet<String> {
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    names
        .filter(|name| is_case(name))
        .map(str::to_owned)
        .collect()
}

/// The names between backticks that are of that kind.
fn named_in(page: &str) -> BTreeSet<String> {
    let quoted = page.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| is_case(name))
        .map(str::to_owned)
        .collect()
}

fn is_case(name: &str) -> bool {
    name.contains("::differs::")
}
