use std::time::Instant;

use super::*;

fn document(text: &str) -> Node {
    let documents = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents[0].clone()
}

/// Keys and values with one letter for each kind of node, as in `{a: [b]}`.
fn shown(node: &Node) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match &node.value {
        Value::Scalar(scalar) => scalar.text.to_string(),
        Value::Sequence(nodes) => format!("[{}]", list(nodes.iter().map(shown).collect())),
        Value::Mapping(mapping) => {
            let entries = mapping.iter();
            let shown = |entry: &Entry| format!("{}: {}", shown(&entry.key), shown(&entry.value));
            format!("{{{}}}", list(entries.map(shown).collect()))
        }
    }
}

fn error(text: &str) -> Error {
    parse(text).expect_err("it is refused")
}

#[test]
fn every_node_has_the_place_where_it_is_written() {
    let text = "\
# a comment
ü:   # another
  - x: &anchor {y: [1, 2]  }

  - *anchor
z: !reference [.a, b]
";
    let root = document(text);
    let written = |node: &Node| &text[node.span.clone()];
    let items = root.get("ü").unwrap();
    assert_eq!(written(items), "- x: &anchor {y: [1, 2]  }\n\n  - *anchor");
    let items = items.as_sequence().unwrap();
    assert_eq!(written(&items[0]), "x: &anchor {y: [1, 2]  }");
    assert_eq!(written(items[1].get("y").unwrap()), "[1, 2]");
    let reference = root.get("z").unwrap();
    assert!(reference.has_tag("!reference"));
    assert_eq!(shown(reference), "[.a, b]");
    assert_eq!(written(&root), text["# a comment\n".len()..].trim_end());
}

#[test]
fn there_may_be_several_documents_or_none() {
    for (text, count) in [
        ("", 0),
        ("# nothing", 0),
        ("\u{feff}", 0),
        ("a: 1", 1),
        ("spec: {}\n---\na: 1\n", 2),
    ] {
        assert_eq!(parse(text).unwrap().len(), count, "{text:?}");
    }
    let other = error("a: &x 1\n---\nb: *x\n");
    assert_eq!(other.span, 15..17);
}

#[test]
fn merge_keys_are_resolved_as_gitlab_does() {
    for (text, merged) in [
        (
            "[&x {a: 1, b: 2}, {<<: *x, b: 3, c: 4}]",
            "{a: 1, b: 3, c: 4}",
        ),
        ("[&x {a: 1}, {a: 2, <<: *x}]", "{a: 1}"),
        ("[&x {a: 1}, {<<: [*x, {a: 2, b: 2}]}]", "{b: 2, a: 1}"),
        ("[&x {a: 1}, {<<: *x, <<: {b: 2}}]", "{a: 1, b: 2}"),
        ("[&x {a: 1}, &y {<<: *x, b: 2}, {<<: *y}]", "{a: 1, b: 2}"),
        ("[{<<: {}}]", "{}"),
        ("[{<<: 1}]", "{<<: 1}"),
        ("[{<<: !reference [.x, y]}]", "{<<: [.x, y]}"),
    ] {
        let root = document(text);
        let last = root.as_sequence().unwrap().last().unwrap();
        assert_eq!(shown(last), merged, "{text}");
        for entry in last.as_mapping().unwrap().iter() {
            let key = &entry.key.as_scalar().unwrap().text;
            let found = last.get(key).unwrap();
            assert_eq!(found.span, entry.value.span, "{text}: {key}");
        }
    }
}

#[test]
fn of_a_key_that_is_there_twice_the_last_one_counts_and_both_places_are_told() {
    let text = "job:\n  variables: {A: 1}\n  script: x\n  variables: {B: 1}\n";
    let documents = parse(text).unwrap();
    let [twice] = documents.duplicates.as_slice() else {
        panic!("{:?}", documents.duplicates);
    };
    let key = |at: usize| at..at + "variables".len();
    assert_eq!(twice.first, text.find("variables").map(key).unwrap());
    assert_eq!(twice.second, text.rfind("variables").map(key).unwrap());
    let job = documents[0].get("job").unwrap();
    assert_eq!(shown(job), "{script: x, variables: {B: 1}}");
    for once in [
        "a: {b: 1}\nc: {b: 1}\n",
        // Not for us to judge.
        "? [a]\n: 1\n? [a]\n: 2\n",
        "a: {<<: {b: 1}, b: 2}\n",
    ] {
        assert_eq!(parse(once).unwrap().duplicates, [], "{once}");
    }
}

#[test]
fn a_syntax_error_has_its_place() {
    for (text, span, message) in [
        ("a: [", 4..4, "not YAML"),
        ("a: b: c", 4..5, "not YAML"),
        ("a: 'b", 3..4, "not YAML"),
        ("ü: @b", 4..5, "not YAML"),
        ("a:\n\t- b", 3..4, "tab"),
        ("a:\n  b: c\n  \td: e", 12..13, "tab"),
        ("a: b\n\tc: d", 5..6, "tab"),
        ("a: *x", 3..5, "anchor"),
        ("a: &x [*x]", 7..9, "refers to what it is in"),
        ("a: b\0c", 4..5, "U+0000"),
    ] {
        let found = error(text);
        assert!(found.message.contains(message), "{text:?}: {found:?}");
        assert_eq!(found.span.start, span.start, "{text:?}: {found:?}");
    }
}

#[test]
fn errors_do_not_quote_the_text() {
    for text in [
        "a: SECRET: SECRET",
        "a: *SECRET",
        "a: 'SECRET",
        "a: \"\\SECRET\"",
        "a: &SECRET [*SECRET]",
        "%SECRET SECRET",
        "a: !SECRET!SECRET x",
        "a: |SECRET\n",
    ] {
        let found = error(text);
        assert!(!format!("{found:?}").contains("SECRET"), "{found:?}");
    }
}

#[test]
fn depth_is_bounded_whatever_brings_it_about() {
    let flow = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let block = |depth: usize| "- ".repeat(depth);
    // An empty sequence has no level within.
    assert!(parse(&flow(MAXIMAL_DEPTH)).is_ok());
    assert!(parse(&block(MAXIMAL_DEPTH - 1)).is_ok());
    for text in [
        flow(MAXIMAL_DEPTH + 1),
        flow(100_000),
        block(MAXIMAL_DEPTH),
        block(100_000),
        "{a: ".repeat(100_000),
        "? ".repeat(100_000),
    ] {
        let found = error(&text);
        assert!(found.message.contains("levels deep"), "{found:?}");
    }
    let mut chain = String::from("a0: &a0 x\n");
    for level in 1..=MAXIMAL_DEPTH {
        chain += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert!(error(&chain).message.contains("levels deep"));
}

#[test]
fn aliases_that_repeat_aliases_are_counted() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{list}]\n");
    }
    assert!(error(&bomb).message.contains("values"), "lists");

    let mut merges = String::from("a0: &a0 {");
    for key in 0..1000 {
        merges += &format!("k{key}: 1, ");
    }
    merges += "}\n";
    for job in 0..1000 {
        merges += &format!("j{job}: {{<<: *a0}}\n");
    }
    assert!(error(&merges).message.contains("values"), "merges");
}

/// What the scanner would look ahead for, and keep.
#[test]
fn a_text_with_too_many_values_is_refused_before_it_is_scanned() {
    for part in ["- ", "? ", "[a, ", "a, ", "{a: b, ", "- a\n"] {
        let text = part.repeat(2 * MAXIMAL_NODES);
        let found = error(&text);
        assert!(found.message.contains("values"), "{part:?}: {found:?}");
    }
    // Neither is a separator, and nor is a word with hyphens.
    let words = "well-known:8080?x ".repeat(MAXIMAL_NODES / 2);
    assert!(parse(&words).is_ok());
}

/// Compared with as many bytes that say nothing: ten times as long is still linear.
#[test]
fn no_text_takes_much_longer_than_its_size_explains() {
    const SIZE: usize = 500_000;
    let read = |text: &str| {
        let start = Instant::now();
        let _ = parse(text);
        start.elapsed()
    };
    let filled = |part: &str| part.repeat(SIZE / part.len());
    let fair = read(&filled("# comment "));
    let nested = format!("{}{}", "[".repeat(90), "a,".repeat(SIZE / 4));
    let indented: String = (0..1000)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect();
    for text in [
        filled("a: &a\n"),
        filled("- "),
        filled("- |\n  ü\n"),
        filled("\n"),
        filled("ü"),
        filled("---\n"),
        filled("%A\n"),
        format!("a: |\n{}", filled("\n")),
        format!("- {}", filled("\n  - |+\n\n")),
        format!("'{}'", filled("a\n\n")),
        nested,
        indented,
    ] {
        let took = read(&text);
        let begins: String = text.chars().take(20).collect();
        assert!(
            took < fair * 100,
            "{took:?} instead of {fair:?}: {begins:?}…"
        );
    }
}
