//! docs/figures.md, and what its plot is made of.

use std::{fs, path::Path};

use crate::table::{HEAD, Row};

const BEGIN: &str = "<!-- Written by make bench -->\n";
const END: &str = "<!-- end -->";

/// Writes the table between its marks, and the times where the Makefile has gnuplot read them.
pub fn write(circumstances: &str, rows: &[Row], times: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/figures.md");
    let text = fs::read_to_string(&page).expect("this is a checkout");
    let (before, rest) = text.split_once(BEGIN).expect("it has both marks");
    let (_, after) = rest.split_once(END).expect("it has both marks");
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let measured = format!(
        "![Each start, and the median of each kind of start](figures.svg)\n\n\
         {circumstances}\n\n{HEAD}\n{rows}"
    );
    let written = format!("{before}{BEGIN}{measured}{END}{after}");
    fs::write(&page, written).expect("the checkout is writable");
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starts.tsv");
    fs::write(data, times).expect("target/ is writable");
}
