//! The table of docs/kubernetes.md that leads from what Docker says to a reason: Docker says so.

use crate::page::text;
use crate::pods::pod::Pod;
use crate::pods::suite::Suite;
use crate::pods::volume::Volume;

/// What is quoted and neither provoked here nor logged by dockerd, and who says it.
const ELSEWHERE: &[&str] = &[
    // Only where a name server answers (GitLab docs, docker_build_troubleshooting).
    "lookup …: no such host",
    // A scenario of kubernetes.rs expects it.
    "x509: certificate is valid for NAME.…, not docker",
    // curl, in a build (GitLab docs, docker_build_troubleshooting).
    "SSL_ERROR_SYSCALL",
    // GitLab Runner 17.4 (gitlab-runner#38035).
    "ContainersNotReady: … [svc-0]",
];

/// Each client is told about one thing wrongly, and the job goes on.
const MISTAKES: &str = "
    DOCKER_HOST=tcp://docker:9999 docker info
    DOCKER_CERT_PATH=/certs/elsewhere docker info
    env --unset=DOCKER_TLS_VERIFY docker info
    true";

/// A row: what the job's log shows, and the reasons that are to be looked at.
#[derive(Debug)]
struct Row {
    quoted: String,
    reasons: Vec<String>,
}

#[test]
fn what_the_table_quotes_is_said() {
    let pod = Pod::new(Suite::Trixie).certs(&Volume::memory()).start();
    let job = pod.job(MISTAKES).expect_success();
    let unsaid: Vec<_> = rows(&text("docs/kubernetes.md"))
        .into_iter()
        .filter(|row| !says(job.output(), &row.quoted) && !is_logged(row))
        .filter(|row| !ELSEWHERE.contains(&row.quoted.as_str()))
        .collect();
    assert!(unsaid.is_empty(), "{unsaid:#?}\n{job}");
}

/// The control.
#[test]
fn what_nobody_says_is_noticed() {
    let table = "## Troubleshooting\n| shows | at |\n| --- | --- |\n\
                 | `too … old`, by all | [A](reasons.md#DAEMON-API-TOO-OLD) |\n\
                 | `too … young` | [A](reasons.md#DAEMON-API-TOO-OLD), [B](reasons.md#B) |\n";
    let [old, young] = rows(table).try_into().unwrap();
    assert_eq!(young.reasons, ["DAEMON-API-TOO-OLD", "B"]);
    assert!(is_logged(&old) && !is_logged(&young));
    assert!(says("too very old", &old.quoted) && !says("old, too", &old.quoted));
}

fn rows(page: &str) -> Vec<Row> {
    let (_, section) = page.split_once("## Troubleshooting\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| {
        let (shown, reasons) = line.strip_prefix("| ")?.split_once(" | ")?;
        // Some rows tell in the page's own words.
        let (_, rest) = shown.split_once('`')?;
        let links = reasons.split("reasons.md#").skip(1);
        Some(Row {
            quoted: rest.split('`').next().unwrap().to_owned(),
            reasons: links
                .map(|link| link.split(')').next().unwrap().to_owned())
                .collect(),
        })
    });
    cells.collect()
}

/// Whether all parts of what is quoted stand on one line, in their order.
fn says(log: &str, quoted: &str) -> bool {
    log.lines().any(|line| {
        let mut rest = line;
        quoted.split('…').all(|part| {
            let found = rest.split_once(part.trim());
            found.is_some_and(|(_, after)| {
                rest = after;
                true
            })
        })
    })
}

/// Whether dockerd's log says it where one of the reasons is recognised.
fn is_logged(row: &Row) -> bool {
    let page = text("docs/reasons.md");
    row.reasons.iter().any(|id| {
        let section = page
            .split("\n### ")
            .find(|section| section.lines().next() == Some(id.as_str()));
        section.is_some_and(|section| says(section, &row.quoted))
    })
}
