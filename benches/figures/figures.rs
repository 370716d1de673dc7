//! The figures, in the order in which they are measured.

use std::{fs, thread, time::Duration};

use crate::{
    client, clock,
    podman::step,
    service::{Container, Daemon, image},
    table::{Row, milliseconds, percentile},
};

/// Where a row goes.
pub type Print<'a> = &'a mut dyn FnMut(Row);

const MIB: f64 = 1024.0 * 1024.0;

/// On what this is measured.
pub fn circumstances() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let image = image();
    let dockerd = step(&["run", "--rm", "--entrypoint=dockerd", &image, "--version"]);
    let processors = thread::available_parallelism().map_or(1, |number| number.get());
    let load = read("/proc/loadavg");
    format!(
        "{dockerd} of the image {image}; Linux {}, {processors} processors, load {} before.",
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or("?")
    )
}

pub fn size(print: Print) {
    let binary = fs::metadata(env!("CARGO_BIN_EXE_dind-init")).expect("cargo built it");
    let size = binary.len() as f64 / MIB;
    print(Row {
        what: "binary, static, stripped".into(),
        measured: format!("{size:.1} MB"),
        bound: "≤ 6 MB".into(),
        reached: Some(size <= 6.0),
    });
}

/// The init's own steps, without dockerd.
pub fn start(print: Print) {
    let container = Container::with_agent(&[]);
    for (what, request, bound) in [
        ("start → plain port open", "plain port", 10),
        ("start → the client's ca.pem", "client's CA", 6),
        ("start → dockerd executed, with TLS", "dockerd executed", 15),
        (
            "preflight, as `dind-init check`: from its start to its end",
            "preflight",
            20,
        ),
        (
            "CA and server certificate made and written",
            "certificates",
            5,
        ),
    ] {
        let answer = container.ask(request);
        let mut blocks = answer.split("\n\n").map(clock::parse_lines);
        let times = blocks.next().expect("split gives one at least");
        print(Row::times(what, &times, Some(Duration::from_millis(bound))));
        if let Some(older) = blocks.next() {
            print(Row::times("… by the older binary, in turn", &older, None));
        }
    }
}

/// dind-init against dockerd alone, in turn, with the whole machine and with a quarter of a
/// processor. Returns the times with the whole machine.
pub fn tls_answer(print: Print) -> Turns {
    let whole = Turns::measure(12, &[]);
    print(whole.base("start → answer over TLS of dockerd alone, with ready-made certificates"));
    let overhead = percentile(&whole.differences(Daemon::Init), 50);
    print(whole.overhead(Daemon::Init, "≤ 30 ms", Some(overhead <= 30.0)));
    print(whole.overhead(Daemon::InitWithRsa, "", None));
    if Daemon::all().contains(&Daemon::Official) {
        print(whole.overhead(Daemon::Official, "", None));
    }

    let quarter = Turns::measure(6, &["--cpus=0.25"]);
    print(quarter.base("the same with 0.25 CPU"));
    let share = percentile(&quarter.differences(Daemon::Init), 50) / quarter.median(Daemon::Bare);
    print(quarter.overhead(Daemon::Init, "≤ 10 %", Some(share <= 0.1)));
    print(quarter.overhead(Daemon::InitWithRsa, "", None));
    whole
}

/// Times of all daemons in milliseconds, one of each in a turn.
pub struct Turns(Vec<Vec<f64>>);

impl Turns {
    fn measure(turns: usize, options: &[&str]) -> Self {
        let container = Container::with_agent(options);
        container.ask("ready certificates");
        // The very first start makes what later ones find.
        time_to_answer(&container, Daemon::Bare);
        let daemons = Daemon::all();
        let turns = 0..turns;
        Self(
            turns
                .map(|turn| {
                    let mut times = vec![0.0; daemons.len()];
                    // Each is first, second and last equally often.
                    for step in 0..daemons.len() {
                        let which = (turn + step) % daemons.len();
                        times[which] = time_to_answer(&container, daemons[which]);
                    }
                    times
                })
                .collect(),
        )
    }

    /// What gnuplot reads: a block of all times, and one of the medians, each line with the
    /// daemon's number and name.
    pub fn to_plot(&self) -> String {
        let lines = |times: &dyn Fn(Daemon) -> Vec<f64>| -> String {
            let daemons = (0..).zip(Daemon::all());
            let lines = daemons.flat_map(|(number, daemon)| {
                let line = move |time: f64| format!("{number}\t{time:.1}\t\"{}\"\n", daemon.name());
                times(*daemon).into_iter().map(line)
            });
            lines.collect()
        };
        let all = lines(&|daemon| self.times(daemon));
        let medians = lines(&|daemon| vec![self.median(daemon)]);
        format!("{all}\n\n{medians}")
    }

    fn times(&self, daemon: Daemon) -> Vec<f64> {
        self.0.iter().map(|turn| turn[daemon as usize]).collect()
    }

    fn median(&self, daemon: Daemon) -> f64 {
        percentile(&self.times(daemon), 50)
    }

    /// To dockerd alone, turn by turn.
    fn differences(&self, daemon: Daemon) -> Vec<f64> {
        let difference = |turn: &Vec<f64>| turn[daemon as usize] - turn[Daemon::Bare as usize];
        self.0.iter().map(difference).collect()
    }

    fn base(&self, what: &str) -> Row {
        let median = self.median(Daemon::Bare);
        Row {
            what: what.into(),
            measured: format!("{median:.0} ms (median of {} turns)", self.0.len()),
            bound: String::new(),
            reached: None,
        }
    }

    fn overhead(&self, daemon: Daemon, bound: &str, reached: Option<bool>) -> Row {
        let differences = self.differences(daemon);
        let [median, low, high] = [50, 25, 75].map(|percent| percentile(&differences, percent));
        let share = median / self.median(Daemon::Bare) * 100.0;
        Row {
            what: format!("… and what {} adds, turn by turn", daemon.name()),
            measured: format!(
                "{median:+.0} ms, {share:+.1} % (median; half of all between {low:+.0} and {high:+.0} ms)"
            ),
            bound: bound.into(),
            reached,
        }
    }
}

/// In milliseconds. Starts a daemon, waits for its first answer, and ends it.
fn time_to_answer(container: &Container, daemon: Daemon) -> f64 {
    if daemon != Daemon::Bare {
        // Not there in the first turn.
        let _ = fs::remove_dir_all(container.path(daemon.certificates()));
    }
    let start = clock::parse(&container.ask(daemon.name()));
    let answered = wait_for_answer(container, daemon);
    container.ask("stop");
    milliseconds(answered - start)
}

fn wait_for_answer(container: &Container, daemon: Daemon) -> Duration {
    let client = container.path(daemon.certificates()).join("client");
    let limit = Duration::from_secs(60);
    container
        .in_network(|| client::first_answer(&client, limit))
        .unwrap_or_else(|| container.give_up("no answer over TLS"))
}

/// What dind-init costs, as PID 1, while dockerd runs.
pub fn memory(print: Print) {
    const IDLE: Duration = Duration::from_secs(5);
    // A second after dockerd is ready the init gives back what only the start needed.
    const SETTLED: Duration = Duration::from_secs(2);
    let container = Container::with_init();
    wait_for_answer(&container, Daemon::Init);
    thread::sleep(SETTLED);
    let status = fs::read_to_string(format!("/proc/{}/status", container.pid));
    let status = status.expect("it runs");
    for (field, what, bound) in [
        (
            "VmRSS",
            "PID 1's resident memory once dockerd's start is over",
            2.5,
        ),
        ("RssAnon", "… of that anonymous", 1.0),
    ] {
        let size = number(&status, field) as f64 / 1024.0;
        print(Row {
            what: what.into(),
            measured: format!("{size:.1} MB"),
            bound: format!("≤ {bound} MB"),
            reached: Some(size <= bound),
        });
    }
    let before = wake_ups(container.pid);
    thread::sleep(IDLE);
    let more = wake_ups(container.pid).abs_diff(before);
    print(Row {
        what: format!("PID 1's wake-ups in {} idle seconds", IDLE.as_secs()),
        measured: more.to_string(),
        bound: "0".into(),
        reached: Some(more == 0),
    });
}

/// How often the threads of a process left a processor, to wait or because they had to.
fn wake_ups(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let of_thread = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        Some(
            number(&status, "voluntary_ctxt_switches")
                + number(&status, "nonvoluntary_ctxt_switches"),
        )
    };
    threads.flatten().filter_map(of_thread).sum()
}

/// A field of /proc/PID/status (`man 5 proc_pid_status`).
fn number(status: &str, field: &str) -> u64 {
    let lines = status.lines();
    let mut values = lines.filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = values
        .next()
        .and_then(|value| value.split_whitespace().next());
    let value = value.and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("/proc/PID/status has no {field}"))
}
