//! The last line: what was found, and what there was to judge.

use std::collections::HashSet;

use crate::{
    lint::{
        judged::Judged,
        problem::Judgement,
        source::{FileId, Files},
    },
    reasons::Severity,
};

/// Such as `1 fatal problem, 2 warnings: 1 runner, 3 jobs with a Docker daemon; --fix repairs 1 of
/// them`. Where nothing was judged, it does not say that nothing is wrong.
pub fn summary(judgement: &Judgement, files: &Files) -> String {
    let of = |severity| {
        let problems = judgement.problems.iter();
        problems
            .filter(|it| it.finding.severity == severity)
            .count()
    };
    let errors = judgement.errors.iter();
    let unreadable: HashSet<FileId> = errors.map(|error| error.place.file).collect();
    let counts = [
        (unreadable.len(), "file with errors", "files with errors"),
        (of(Severity::Fatal), "fatal problem", "fatal problems"),
        (of(Severity::Error), "error", "errors"),
        (of(Severity::Warning), "warning", "warnings"),
        (of(Severity::Note), "note", "notes"),
    ];
    let found = counts.iter().filter(|(count, ..)| *count > 0);
    let found: Vec<_> = found
        .map(|(count, one, more)| counted(*count, one, more))
        .collect();
    let judged = judged(&judgement.judged);
    let files = counted(files.count(), "file", "files");
    let mut text = match (found.is_empty(), judged.is_empty()) {
        (true, true) => {
            format!("nothing was judged: no runner and no job with a Docker daemon in {files}")
        }
        (true, false) => format!("no problems: {judged}"),
        (false, true) => format!("{} in {files}", found.join(", ")),
        (false, false) => format!("{}: {judged}", found.join(", ")),
    };
    for left_out in &judgement.judged.left_out {
        let plural = format!("{}s", left_out.noun);
        let count = counted(left_out.count, left_out.noun, &plural);
        text.push_str(&format!(
            "; {count} not judged, because {}",
            left_out.because
        ));
    }
    if judgement.ignored > 0 {
        text.push_str(&format!("; {} ignored", judgement.ignored));
    }
    let repairable = judgement.problems.iter();
    match repairable.filter(|it| it.repair.is_some()).count() {
        0 => {}
        1 if judgement.problems.len() == 1 => text.push_str("; --fix repairs it"),
        count => text.push_str(&format!("; --fix repairs {count} of them")),
    }
    text.push('\n');
    text
}

fn judged(judged: &Judged) -> String {
    let counts = [
        (judged.runners, "runner", "runners"),
        (
            judged.jobs,
            "job with a Docker daemon",
            "jobs with a Docker daemon",
        ),
    ];
    let counts = counts.iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(count, one, more)| counted(*count, one, more))
        .collect();
    counts.join(", ")
}

fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{lint, source::Source};

    fn of(texts: &[&str]) -> String {
        let mut files = Files::default();
        for text in texts {
            files.add(Source::new("file", *text));
        }
        let judgement = lint(&mut files);
        summary(&judgement, &files)
    }

    const RUNNER: &str = "[[runners]]\nexecutor = \"docker\"\n[runners.docker]\nprivileged = true\n\
                          volumes = [\"/certs/client\"]\n";

    #[test]
    fn it_says_what_was_judged() {
        let job = "a:\n  script: x\n  services: ['docker:dind']\n  variables:\n    \
                   DOCKER_TLS_CERTDIR: /certs\n";
        assert_eq!(of(&[RUNNER]), "no problems: 1 runner\n");
        let both = of(&[RUNNER, job]);
        assert_eq!(both, "no problems: 1 runner, 1 job with a Docker daemon\n");
        let fatal = of(&[&RUNNER.replace("true", "false"), job]);
        assert_eq!(
            fatal,
            "1 fatal problem: 1 runner, 1 job with a Docker daemon\n"
        );
    }

    #[test]
    fn it_says_what_was_not_judged_and_why() {
        let nothing = "nothing was judged: no runner and no job with a Docker daemon in 1 file";
        assert_eq!(of(&["a: 1\n"]), format!("{nothing}\n"));
        let shell = "[[runners]]\nexecutor = \"shell\"\n";
        let because = "1 runner not judged, because services do not run there";
        assert_eq!(of(&[shell]), format!("{nothing}; {because}\n"));
        let elsewhere = "a:\n  script: x\n  services: [!reference [.b, services]]\n";
        let because = "1 job not judged, because the services are not in these files";
        assert_eq!(
            of(&[RUNNER, elsewhere]),
            format!("no problems: 1 runner; {because}\n")
        );
        assert_eq!(of(&["[[runners]\n"]), "1 file with errors in 1 file\n");
    }
}
