//! Each example is run by a scenario, or says here why it cannot be.

use crate::page::{examples, pages};
use crate::scenarios::Place;
use crate::{component, dockerfile, kubernetes, other_ci, readme};

/// What no test runs, and why.
const NOT_RUN: &[(Place, &str)] = &[
    (
        place("README.md", "Try it, and contribute", 1),
        "these are how all of this is run",
    ),
    (
        place("component/README.md", "Testcontainers", 1),
        "its image cannot be had here; where ports are published is run with Compose",
    ),
    (
        place("docs/kubernetes.md", "A registry's CA", 1),
        "it wants a cluster; the Secret that it makes is what the scenarios mount",
    ),
    (
        place("docs/kubernetes.md", "Troubleshooting", 1),
        "it is the runner that reads this variable; the service only has to leave it alone",
    ),
];

/// Pages whose examples are none of their own.
const PAGES_NOT_RUN: &[(&str, &str)] = &[
    (
        "docs/lint.md",
        "it needs no pod: what its commands and reports do is told by tests/lint",
    ),
    (
        "docs/reasons.md",
        "written from the catalogue, whose faults are acted out by tests/e2e/faults",
    ),
];

const fn place(page: &'static str, heading: &'static str, number: usize) -> Place {
    Place {
        page,
        heading,
        number,
    }
}

#[test]
fn every_example_is_run_or_says_why_not() {
    let run = [
        component::EXAMPLES,
        dockerfile::EXAMPLES,
        kubernetes::EXAMPLES,
        other_ci::EXAMPLES,
        readme::EXAMPLES,
    ];
    let run = run.concat();
    let missing = missing(&run);
    assert!(
        missing.is_empty(),
        "neither run by a scenario nor in NOT_RUN:\n{}",
        missing.join("\n")
    );
}

/// The control.
#[test]
fn an_example_that_nobody_runs_is_noticed() {
    let without_the_first = &readme::EXAMPLES[1..];
    let found = missing(without_the_first);
    let first = readme::EXAMPLES[0];
    assert!(
        found.iter().any(|line| line.contains(first.heading)),
        "{found:?}"
    );
}

#[test]
fn what_is_not_run_is_there() {
    for (place, _) in NOT_RUN {
        place.example();
    }
    for (page, _) in PAGES_NOT_RUN {
        assert!(pages().iter().any(|found| found == page), "{page}");
    }
}

fn missing(run: &[Place]) -> Vec<String> {
    let excused: Vec<_> = NOT_RUN.iter().map(|(place, _)| *place).collect();
    let mut missing = Vec::new();
    for page in pages() {
        if PAGES_NOT_RUN.iter().any(|(excused, _)| *excused == page) {
            continue;
        }
        for block in examples(&page) {
            let is_known = run.iter().chain(&excused).any(|place| {
                place.page == page && place.heading == block.heading && place.number == block.number
            });
            if !is_known {
                missing.push(format!(
                    "{page}:{}: example {} of `{}`",
                    block.line, block.number, block.heading
                ));
            }
        }
    }
    missing
}
