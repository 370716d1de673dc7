//! A marker in every place of a file, as a secret might be there.

/// Of letters in both cases and digits, as secrets are.
pub const MARKERS: [&str; 2] = ["hUnter2-mArkEr", "hUnter2mArkErAAAAAAAAAAAAAAAAAAA=="];

/// Parts of the markers; none is ever printed.
pub const PARTS: [&str; 2] = ["hUnter2", "mArkEr"];

/// The text with the marker in one place, once for each place: every comment, value, key, item,
/// whole line and login that there is, or could be.
pub fn places(text: &str, marker: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut texts = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        for changed in changes(line, marker) {
            let mut lines: Vec<&str> = lines.clone();
            lines[number] = &changed;
            texts.push(lines.join("\n") + "\n");
        }
    }
    texts
}

/// What may become of a line; some are two.
fn changes(line: &str, marker: &str) -> Vec<String> {
    let content = line.trim_start();
    let indentation = &line[..line.len() - content.len()];
    let mut changes = vec![
        format!("{line} # {marker}"),
        format!("{indentation}# token: {marker}\n{line}"),
        format!("{indentation}{marker}\n{line}"),
        format!("{indentation}{marker}"),
        format!("{indentation}SOME_VARIABLE: {marker}\n{line}"),
        format!("{indentation}token: \"{marker}\"\n{line}"),
        format!("{indentation}some_key = \"{marker}\"\n{line}"),
        format!("{indentation}password = '''\n{indentation}{marker}'''\n{line}"),
        format!("{indentation}- docker login --password {marker}\n{line}"),
        format!("{indentation}SOME_VARIABLE: |\n{indentation}  {marker}\n{line}"),
        line.replace("://", &format!("://user:{marker}@")),
        line.replace("[\"", &format!("[\"SOME_VARIABLE={marker}\", \"")),
        line.replace('{', &format!("{{SOME_VARIABLE: {marker}, ")),
    ];
    // Each string, its end missing once, and what comes after a sign of equality in it.
    for quote in ['"', '\''] {
        let parts: Vec<&str> = line.split(quote).collect();
        for index in (1..parts.len()).step_by(2) {
            let mut changed = parts.clone();
            changed[index] = marker;
            let quote = quote.to_string();
            changes.push(changed.join(&quote));
            changes.push(changed[..=index].join(&quote));
            if let Some((name, _)) = parts[index].split_once('=') {
                let value = format!("{name}={marker}");
                changed[index] = &value;
                changes.push(changed.join(&quote));
            }
        }
    }
    for separator in [" = ", ": "] {
        if let Some((key, value)) = line.split_once(separator) {
            changes.push(format!("{key}{separator}{marker}"));
            let key = key.trim_start().trim_start_matches("- ");
            let before = &line[..line.len() - key.len() - separator.len() - value.len()];
            let before = before.trim_end_matches(|it: char| !" -".contains(it));
            changes.push(format!("{before}{marker}{separator}{value}"));
        }
    }
    if let Some(item) = content.strip_prefix("- ") {
        changes.push(format!("{indentation}- {marker}"));
        changes.push(format!("{indentation}- {marker} {item}"));
    }
    changes.retain(|changed| changed.contains(marker));
    changes
}
