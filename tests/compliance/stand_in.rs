//! A stand-in for dockerd: it tells how it was started, and stays or ends.
//!
//! It lies first in the service's `PATH`, where every entrypoint finds it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::pod::{Plan, Pod};
use crate::start::Start;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// Before the image's own ([`FIRST_IN_PATH`](crate::pods::files::FIRST_IN_PATH)).
const DOCKERD: &str = "/usr/local/sbin/dockerd";

/// Writes down everything about this start, the directory's name last, and then does what
/// `STAND_IN` says: stay until SIGTERM or SIGINT, and then end after `STAND_IN_PATIENCE` tenths of a
/// second with `STAND_IN_STATUS`; end with a status; or `signal NAME` itself.
const SCRIPT: &str = r#"
    new=/record/.$$
    mkdir -p $new
    # A socket that was handed over may begin to listen only after dockerd's start.
    listens() {
        inode=$(readlink /proc/$$/fd/$1 | tr -dc 0-9)
        grep -q " $inode " /proc/net/tcp /proc/net/tcp6 /proc/net/unix
    }
    fd=3
    while [ $fd -lt $((3 + ${LISTEN_FDS:-0})) ]; do
        until listens $fd; do sleep 0.02; done
        echo "$fd $(readlink /proc/$$/fd/$fd | tr -dc 0-9)" >> $new/handed
        fd=$((fd + 1))
    done
    cat /proc/$$/cmdline > $new/argv
    cat /proc/$$/environ > $new/environment
    cat /proc/self/status > $new/status
    cat /proc/$$/mountinfo > $new/mountinfo
    cat /proc/net/tcp /proc/net/tcp6 > $new/tcp
    cat /proc/net/unix > $new/unix
    { pwd; umask; id -u; } > $new/process
    mv $new /record/start

    for signal in HUP QUIT USR1 USR2; do trap "echo $signal >> /record/signals" $signal; done
    for signal in INT TERM; do trap "echo $signal >> /record/signals; asked=1" $signal; done
    case ${STAND_IN:-stay} in
    stay) ;;
    signal*) kill -s "${STAND_IN#signal }" $$ ;;
    *) exit "$STAND_IN" ;;
    esac
    touch /record/stays
    asked=
    until [ "$asked" ]; do sleep 1000 & sleeping=$!; wait $sleeping; kill $sleeping; done 2>/dev/null
    # As long as containers take to stop; more signals may come meanwhile.
    for tenth in $(seq ${STAND_IN_PATIENCE:-0}); do sleep 0.1; done
    exit ${STAND_IN_STATUS:-0}"#;

/// Where a stand-in writes down how it was started.
#[derive(Clone, Debug)]
pub struct Record(Volume);

impl Record {
    pub fn new() -> Self {
        Self(Volume::disk())
    }

    /// The start that was recorded, if there was one.
    pub fn start(&self) -> Option<Start> {
        Start::read(&self.0)
    }

    /// Waits for the stand-in's start; shows the service's log where it does not come.
    #[track_caller]
    pub fn wait_for_start(&self, pod: &Pod) -> Start {
        self.wait_for("stays", pod);
        self.start().unwrap()
    }

    /// The signals that the stand-in has got, in their order.
    pub fn signals(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join("signals")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until the stand-in has got this signal.
    #[track_caller]
    pub fn wait_for_signal(&self, name: &str, pod: &Pod) {
        wait_until(pod, || self.signals().iter().any(|signal| signal == name));
    }

    #[track_caller]
    fn wait_for(&self, file: &str, pod: &Pod) {
        wait_until(pod, || self.0.path().join(file).exists());
    }

    fn clear(&self) {
        for entry in fs::read_dir(self.0.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

/// The service's log, as soon as it has this part: what the init says goes on its way by itself, so
/// that nobody who does not read keeps it.
#[track_caller]
pub fn log_with(pod: &Pod, part: &str) -> String {
    wait_until(pod, || pod.service_log().contains(part));
    pod.service_log()
}

#[track_caller]
fn wait_until(pod: &Pod, is_true: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_true() {
        assert!(
            Instant::now() < deadline && !pod.service_has_ended(),
            "the stand-in did not come that far\n--- the service's log\n{}",
            pod.service_log()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

impl Plan {
    /// Puts the stand-in in dockerd's place.
    pub fn stand_in(self, record: &Record) -> Self {
        self.program(DOCKERD, SCRIPT).volume(&record.0, "/record")
    }

    /// The same, after a shell script.
    pub fn stand_in_after(self, script: &str, record: &Record) -> Self {
        const STAND_IN: &str = "/usr/local/sbin/stand-in";
        self.program(STAND_IN, SCRIPT)
            .program(DOCKERD, &format!("{script}\nexec {STAND_IN} \"$@\""))
            .volume(&record.0, "/record")
    }
}

/// A service's container in which the entrypoint is started again and again, beside an idle main
/// process.
pub struct Workbench {
    pod: Pod,
    record: Record,
}

impl Workbench {
    pub fn new(plan: Plan) -> Self {
        let record = Record::new();
        let pod = plan
            .stand_in(&record)
            .entrypoint_script("exec tail -f /dev/null")
            .start();
        Self { pod, record }
    }

    /// Runs the entrypoint with these words and, besides the container's own, these variables. The
    /// stand-in ends at once, with status 0 unless `STAND_IN` says something else.
    #[must_use = "a run that nobody looks at tests nothing"]
    pub fn run(&self, variables: &[(&str, &str)], words: &[&str]) -> Run<'_> {
        self.run_command(variables, &[&["dockerd-entrypoint.sh"], words].concat())
    }

    /// The same for a whole command line.
    #[must_use = "a run that nobody looks at tests nothing"]
    pub fn run_command(&self, variables: &[(&str, &str)], words: &[&str]) -> Run<'_> {
        self.run_as("root", variables, words)
    }

    /// The same for another user.
    #[must_use = "a run that nobody looks at tests nothing"]
    pub fn run_as(&self, user: &str, variables: &[(&str, &str)], words: &[&str]) -> Run<'_> {
        self.record.clear();
        let all = [&[("STAND_IN", "0")], variables].concat();
        Run {
            transcript: self.pod.run_in_service(user, &all, words),
            start: self.record.start(),
        }
    }

    /// Runs a shell script in the container.
    #[must_use = "an outcome that nobody looks at tests nothing"]
    pub fn shell(&self, script: &str) -> Transcript<'_> {
        self.pod.in_service(script)
    }
}

/// What a run of the entrypoint came to.
pub struct Run<'a> {
    pub transcript: Transcript<'a>,
    /// How dockerd was started, if it was.
    pub start: Option<Start>,
}

impl Run<'_> {
    /// The run went well, and dockerd was started.
    #[track_caller]
    pub fn expect_start(self) -> Start {
        match (self.transcript.status(), self.start) {
            (Some(0), Some(start)) => start,
            (_, None) => panic!("dockerd was to be started\n{}", self.transcript),
            (_, Some(_)) => panic!("it was to end with status 0\n{}", self.transcript),
        }
    }

    /// dockerd was not started.
    #[track_caller]
    pub fn expect_no_start(self) -> Self {
        if let Some(start) = &self.start {
            panic!(
                "dockerd was not to be started, but was: {:?}\n{}",
                start.argv, self.transcript
            );
        }
        self
    }
}
