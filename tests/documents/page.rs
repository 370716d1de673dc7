//! A document's fenced blocks, each with the heading above it.

use std::fs;
use std::path::Path;

/// Every page that is held to what it says, by path in this repository.
pub fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec!["README.md".to_owned()];
    for directory in ["component", "docs"] {
        let Ok(entries) = fs::read_dir(root.join(directory)) else {
            continue;
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let markdown = names.filter(|name| name.ends_with(".md"));
        pages.extend(markdown.map(|name| format!("{directory}/{name}")));
    }
    pages.sort();
    pages
}

/// The text of a page.
pub fn text(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between two fences.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    /// The heading above it.
    pub heading: String,
    /// Its number among the blocks with a language below that heading, from 1.
    pub number: usize,
    /// The word after the fence: a log and the like has none.
    pub language: String,
    /// The line of the page on which its fence is, from 1.
    pub line: usize,
    pub text: String,
}

/// The blocks of a page that have a language, but for drawings: what readers paste.
pub fn examples(page: &str) -> Vec<Block> {
    let mut blocks = blocks(&text(page));
    blocks.retain(|block| !block.language.is_empty() && block.language != DRAWING);
    blocks
}

/// The language of drawings.
pub const DRAWING: &str = "mermaid";

/// All blocks. A fence may be indented, as in a list; its block is less indented by as much.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut heading = String::new();
    let mut open: Option<(Block, usize)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        let fence = content.trim_start().strip_prefix("```");
        match (open.as_mut(), fence) {
            (None, Some(language)) => {
                let before =
                    |block: &&Block| block.heading == heading && !block.language.is_empty();
                let block = Block {
                    number: blocks.iter().filter(before).count() + 1,
                    heading: heading.clone(),
                    language: language.trim().to_owned(),
                    line,
                    text: String::new(),
                };
                open = Some((block, content.len() - content.trim_start().len()));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
            (Some((block, indent)), None) => {
                block
                    .text
                    .push_str(content.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {
                if let Some(title) = content.strip_prefix('#') {
                    heading = title.trim_start_matches('#').trim().to_owned();
                }
            }
        }
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    blocks
}

#[test]
fn a_block_has_its_heading_its_number_and_its_own_indentation() {
    let page = "# One\n```\na log\n```\n## Two\n- in a list:\n  ```yaml\n  a:\n    b\n  ```\n\
                ```sh\n# no heading\n```\n";
    let found = blocks(page);
    let seen: Vec<_> = found
        .iter()
        .map(|block| {
            (
                block.heading.as_str(),
                block.number,
                block.language.as_str(),
            )
        })
        .collect();
    assert_eq!(seen, [("One", 1, ""), ("Two", 1, "yaml"), ("Two", 2, "sh")]);
    assert_eq!(found[1].text, "a:\n  b\n");
    assert_eq!((found[1].line, found[2].line), (7, 11));
}
