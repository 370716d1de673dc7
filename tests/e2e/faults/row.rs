//! A row of the matrix: a fault, and what a job, `dind-init check` and whoever pastes the fix see of
//! it.

use std::thread;
use std::time::{Duration, Instant};

use super::paste::{
    Cure::{self, InVain, Pasted},
    cured,
};
use crate::gitlab::RunnerLog;
use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// The words that explain nothing.
pub const CANNOT_CONNECT: &str = "Cannot connect";

/// A row of the matrix.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Makes the fault, in a pod without any certificate volume.
    pub pod: fn(Plan) -> Plan,
    /// What happens after a first `docker info` that works; `None` where none will.
    pub midway: Option<fn(&Pod)>,
    pub job: &'static str,
    pub id: &'static str,
    /// A part of the cause that only this pod can tell.
    pub fact: &'static str,
    /// A part of the fix.
    pub fix: &'static str,
    /// Whether the fix cures when it is pasted as it stands.
    pub cure: Cure,
    pub client: Client,
    pub check: Check,
}

/// What `dind-init check` makes of it, in the same pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Check {
    /// It finds what the service found, by the same code or by dockerd's own word.
    Finds,
    /// The same; an older dockerd has no `--validate`.
    FindsFromDocker23,
    /// Only dockerd or a client meets it, or it is not there for another process in the container.
    CannotKnow,
}

/// What the job's client can hear of us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Client {
    /// The explanation, as the daemon's answer.
    GetsTheAnswer,
    /// The names of our certificate: it trusts another CA.
    SeesTheNames,
    /// Nothing: it fails before it dials, dials elsewhere, or speaks with dockerd itself.
    HearsNothing,
}

impl Fault {
    /// For what the rows leave out.
    pub const USUAL: Self = Self {
        pod: |pod| pod,
        midway: None,
        job: "docker info",
        id: "",
        fact: "",
        fix: "",
        cure: Pasted,
        client: Client::GetsTheAnswer,
        check: Check::Finds,
    };

    /// Runs the job in a pod with the runner's log file, and, where the client can hear of us at
    /// all, in one without.
    pub fn is_explained_by(&self, suite: Suite) {
        let log = RunnerLog::new();
        let pod = self.pod(suite, |pod| pod.runner_log(&log));
        let outcome = self.run_job(&pod);
        let written = log.text().unwrap();
        let missing = self.missing(&format!("{}{written}", outcome.output()));
        assert!(
            missing.is_empty(),
            "the job's log lacks {missing:?}\n--- written to it\n{written}\n{outcome}"
        );
        let finds = match self.check {
            Check::Finds => true,
            Check::FindsFromDocker23 => !matches!(suite, Suite::Bookworm),
            Check::CannotKnow => false,
        };
        if finds && self.midway.is_none() {
            self.is_found_by_check(&pod);
        }
        drop(pod);

        if self.client == Client::HearsNothing {
            return;
        }
        let pod = self.pod(suite, |pod| pod);
        let outcome = self.run_job(&pod);
        let missing = match self.client {
            Client::SeesTheNames => self.missing_in_names(outcome.output()),
            _ => self.missing(outcome.output()),
        };
        assert!(
            missing.is_empty(),
            "the answer lacks {missing:?}\n{outcome}"
        );
    }

    fn is_found_by_check(&self, pod: &Pod) {
        // With the arguments of the service itself, which is process 1.
        let check = "xargs -0 -a /proc/1/cmdline \
                     sh -c 'shift; exec dind-init check -- \"$@\"' sh";
        let found = pod.in_service(check).expect_failure().expect(self.fact);
        assert!(names(found.output(), self.id), "{}\n{found}", self.id);
    }

    /// Does what is told, as far as a program can, and runs the job again.
    pub fn is_cured_by_its_fix(&self, suite: Suite) {
        let log = RunnerLog::new();
        let pod = self.pod(suite, |pod| pod.runner_log(&log));
        self.run_job(&pod);
        wait_for_reason(&log, self.id);
        drop(pod);
        let told = log.text().unwrap();
        let log = RunnerLog::new();
        let plan = (self.pod)(Pod::new(suite)).gitlab_job(&Volume::disk());
        let Some(plan) = cured(plan, &told, self.id, self.cure) else {
            return;
        };
        let pod = plan.runner_log(&log).start();
        if let InVain(why) = self.cure {
            assert!(!why.is_empty());
            self.run_job(&pod);
            wait_for_reason(&log, self.id);
            return;
        }
        let outcome = pod.job(self.job).expect_success();
        let told_again = log.text().unwrap();
        assert!(
            !names(&told_again, self.id),
            "done, and told again\n{told_again}\n{outcome}"
        );
    }

    fn pod(&self, suite: Suite, log: impl FnOnce(Plan) -> Plan) -> Pod {
        let plan = (self.pod)(Pod::new(suite)).gitlab_job(&Volume::disk());
        log(plan).start()
    }

    /// Once, without waiting for anything.
    fn run_job<'a>(&self, pod: &'a Pod) -> Transcript<'a> {
        if let Some(midway) = self.midway {
            pod.job("docker info").expect_success();
            midway(pod);
        }
        let script = format!("TIMEFORMAT='the job took %3R s'; time {{ {}\n}}", self.job);
        let outcome = pod.job(&script).expect_failure();
        self.note_time(&outcome);
        outcome
    }

    /// For whoever asks the test runner to show what successful tests print.
    #[allow(clippy::print_stdout)]
    fn note_time(&self, outcome: &Transcript<'_>) {
        let mut lines = outcome.output().lines();
        let took = lines.rfind(|line| line.starts_with("the job took "));
        println!("{}: {}", self.id, took.unwrap_or_default());
    }

    /// What of the explanation the job's log lacks.
    pub fn missing(&self, log: &str) -> Vec<&str> {
        let mut missing = vec![self.fact, self.fix];
        missing.retain(|text| text.is_empty() || !log.contains(text));
        if !names(log, self.id) {
            missing.push(self.id);
        }
        if log.contains(CANNOT_CONNECT) {
            missing.push("any reason beside Cannot connect");
        }
        missing
    }

    /// The same where there is no room for the fix, and only letters and digits survive.
    pub fn missing_in_names(&self, log: &str) -> Vec<&str> {
        let mut missing = Vec::new();
        if !names(log, self.id) {
            missing.push(self.id);
        }
        if self.fact.is_empty() || !letters(log).contains(&letters(self.fact)) {
            missing.push(self.fact);
        }
        if log.contains(CANNOT_CONNECT) {
            missing.push("any reason beside Cannot connect");
        }
        missing
    }
}

/// Whether `log` has this id, and not only as the beginning or the end of another one.
pub fn names(log: &str, id: &str) -> bool {
    let is_of_an_id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    log.match_indices(id).any(|(at, _)| {
        let (before, after) = (&log[..at], &log[at + id.len()..]);
        !id.is_empty() && !before.ends_with(is_of_an_id) && !after.starts_with(is_of_an_id)
    })
}

/// Small letters and digits alone.
fn letters(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Waits until the runner's log has it: what dockerd logs is told a moment after it happened.
#[track_caller]
pub fn wait_for(log: &RunnerLog, part: &str) {
    wait_until(log, part, |text| text.contains(part));
}

/// The same for a reason's id.
#[track_caller]
fn wait_for_reason(log: &RunnerLog, id: &str) {
    wait_until(log, id, |text| names(text, id));
}

#[track_caller]
fn wait_until(log: &RunnerLog, what: &str, has: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !has(&log.text().unwrap()) {
        assert!(Instant::now() < deadline, "{what} in {log:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
