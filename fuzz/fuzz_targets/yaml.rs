//! YAML, read by itself: what is refused has a place, what is read is within the bounds, and the
//! text of every scalar is where it is said to be.
#![no_main]

use dind_init::testing::lint::yaml::{self, MAXIMAL_DEPTH, Node, Scalar, Style, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match yaml::parse(text) {
    Ok(documents) => documents.iter().for_each(|node| check(node, text, 1)),
    Err(error) => {
        assert!(text.get(error.span.clone()).is_some(), "{error:?}");
        assert!(!error.message.is_empty());
    }
});

fn check(node: &Node, text: &str, depth: usize) {
    assert!(depth <= MAXIMAL_DEPTH, "deeper than that");
    assert!(text.get(node.span.clone()).is_some(), "{:?}", node.span);
    match &node.value {
        Value::Scalar(scalar) => check_scalar(scalar, text),
        Value::Sequence(nodes) => nodes.iter().for_each(|node| check(node, text, depth + 1)),
        Value::Mapping(mapping) => {
            for entry in mapping.iter() {
                check(&entry.key, text, depth + 1);
                check(&entry.value, text, depth + 1);
            }
        }
    }
}

/// Line by line: what the file has there is what the scalar says.
fn check_scalar(scalar: &Scalar, text: &str) {
    if !scalar.is_verbatim() {
        return;
    }
    let mut start = 0;
    for line in scalar.text.split_inclusive('\n') {
        let content = line.trim_end_matches('\n');
        let place = scalar.place_of(start..start + content.len());
        let written = text.get(place.clone());
        assert_eq!(written, Some(content), "{place:?} of {:?}", scalar.style);
        start += line.len();
    }
    assert!(scalar.style != Style::Folded);
}
