//! Findings that somebody knows and does not want to hear of.
//!
//! A comment `# dind-init: ignore CERTS-UNSHARED` at the line that a finding points to, or by itself
//! in the line above; several ids have commas between them, and what follows is the reason.

use super::{
    checks,
    problem::{Judgement, Problem, Remark},
    source::{Files, Place, Source},
};
use crate::reasons::Reason;

const MARK: &str = "dind-init: ignore";

/// Takes out what is ignored, by id or by a comment, and counts it.
pub fn apply(judgement: &mut Judgement, ids: &[&'static Reason], files: &Files) {
    let before = judgement.problems.len();
    judgement.problems.retain(|problem| {
        let reason = problem.finding.reason;
        !ids.contains(&reason) && !is_commented(problem, files)
    });
    judgement.ignored = before - judgement.problems.len();
    let given = files.iter();
    for (file, source) in given.filter(|(_, source)| source.embedding().is_none()) {
        for (start, _) in source.text().match_indices(MARK) {
            let line = source.lines_of(&(start..start));
            let words = ids_of(&source.text()[line]);
            judgement.remarks.extend(words.iter().filter_map(|word| {
                Some(Remark {
                    message: format!("nothing is ignored here: {}", checks::parse(word).err()?),
                    place: Place::new(file, start..start + MARK.len()),
                    label: String::new(),
                })
            }));
        }
    }
}

fn is_commented(problem: &Problem, files: &Files) -> bool {
    let source = files.get(problem.place.file);
    let id = problem.finding.reason.id;
    let (line, above) = lines(source, problem.place.span.start);
    let above = above.filter(|above| above.trim_start().starts_with('#'));
    let has = |line: &str| ids_of(line).contains(&id);
    has(line) || above.is_some_and(has)
}

/// The line at an offset, and the one above.
fn lines(source: &Source, offset: usize) -> (&str, Option<&str>) {
    let line = source.lines_of(&(offset..offset));
    let above = line.start.checked_sub(1).map(|end| {
        let above = source.lines_of(&(end..end));
        &source.text()[above]
    });
    (&source.text()[line], above)
}

/// What a comment of the line wants to be ignored.
fn ids_of(line: &str) -> Vec<&str> {
    let comments = line.match_indices('#').map(|(at, _)| &line[at..]);
    let mut asked = comments.filter_map(|comment| {
        let comment = comment.trim_start_matches('#').trim_start();
        comment.strip_prefix(MARK)
    });
    let Some(rest) = asked.next() else {
        return Vec::new();
    };
    let is_id = |word: &&str| {
        let is_part = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'-';
        word.contains('-') && word.bytes().all(is_part)
    };
    let words = rest.split([' ', ',']).filter(|word| !word.is_empty());
    words.take_while(is_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::lint_ignoring;

    const RUNNER: &str = "[[runners]]\n[runners.kubernetes]\nprivileged = true\n\
                          [[runners.kubernetes.volumes.secret]]\nname = \"ca\"\nABOVE\n\
                          mount_path = \"/certs/client\" BESIDE\n";

    fn judge(above: &str, beside: &str, ids: &[&'static Reason]) -> Judgement {
        let mut files = Files::default();
        let text = RUNNER.replace("ABOVE", above).replace("BESIDE", beside);
        files.add(Source::new("config.toml", text));
        lint_ignoring(&mut files, ids)
    }

    #[test]
    fn a_finding_is_ignored_by_a_comment_at_its_line_or_above() {
        let id = "CERTS-READONLY";
        for (above, beside, ignored) in [
            ("", "", 0),
            (&*format!("# dind-init: ignore {id}"), "", 1),
            ("", &*format!("# dind-init: ignore {id}"), 1),
            (
                "",
                &*format!("# ours # dind-init: ignore NOT-PRIVILEGED, {id} since x"),
                1,
            ),
            ("", "# dind-init: ignore NOT-PRIVILEGED", 0),
            ("", "# dind-init: ignore", 0),
            // It speaks of its own line.
            (
                &*format!("read_only = true # dind-init: ignore {id}"),
                "",
                0,
            ),
            (&*format!("# dind-init: ignore {id}\n"), "", 0),
        ] {
            let judgement = judge(above, beside, &[]);
            let found = judgement
                .problems
                .iter()
                .filter(|it| it.finding.reason.id == id);
            assert_eq!(found.count(), 1 - ignored, "{above} {beside}");
            assert_eq!(judgement.ignored, ignored, "{above} {beside}");
            assert!(judgement.remarks.is_empty(), "{:?}", judgement.remarks);
        }
    }

    #[test]
    fn an_id_is_ignored_everywhere() {
        let id = checks::parse("certs-readonly").unwrap();
        let judgement = judge("", "", &[id]);
        assert_eq!((judgement.problems.len(), judgement.ignored), (0, 1));
    }

    #[test]
    fn a_comment_with_an_unknown_id_is_told_of() {
        let judgement = judge("", "# dind-init: ignore CERTS-READNLY", &[]);
        assert_eq!(judgement.problems.len(), 1);
        let [remark] = judgement.remarks.as_slice() else {
            panic!("{:?}", judgement.remarks);
        };
        assert!(
            remark.message.ends_with("is CERTS-READONLY meant?"),
            "{remark:?}"
        );
    }
}
