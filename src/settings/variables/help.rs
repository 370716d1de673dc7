//! The table, for `--help`.

use super::{TABLE, Unset};

/// The table for `--help`, `columns` wide.
pub fn help(columns: usize) -> String {
    const INDENT: usize = 26;
    let mut text = String::new();
    for variable in TABLE {
        let unset = match &variable.unset {
            Unset::Is(value) => Some(format!("default {value}")),
            Unset::Means(what) => Some(format!("default {what}")),
            Unset::Nothing => None,
        };
        let values: Vec<_> = variable
            .accepted
            .in_short()
            .into_iter()
            .chain(unset)
            .collect();
        let meaning = match values.is_empty() {
            true => variable.meaning.to_owned(),
            false => format!("{} ({})", variable.meaning, values.join("; ")),
        };
        let mut line = format!("  {:<width$}", variable.name, width = INDENT - 2);
        let mut is_empty = true;
        if line.len() > INDENT {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
        }
        for word in meaning.replace('`', "").split(' ') {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > columns {
                text.push_str(&line);
                text.push('\n');
                line = " ".repeat(INDENT);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_a_line_for_each_and_none_is_too_long() {
        let help = help(100);
        for variable in TABLE {
            assert!(help.contains(&format!("  {}", variable.name)), "{help}");
        }
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
    }
}
