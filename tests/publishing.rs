//! Killed at any instant, raced for, and read all the time: a reader that finds the same `ca.pem`
//! before and after its reading has a whole set, and the next start is never refused.

#![allow(clippy::unwrap_used, reason = "a test may fail with a panic")]

use std::{
    collections::HashSet,
    env, fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Barrier, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use dind_init::{
    facts::mounts::Mounts,
    pki::{
        Certificates, ClientAction, ClientKeyInTheMaking, Job, Wanted,
        inspect::{Certificate, public_key_of},
        issue::{Authority, Validity},
        prepare,
    },
    reasons::Finding,
    settings::{CertificateSettings, ClientKey, subject_names::SubjectName},
};
use nix::{
    libc,
    sys::{
        ptrace,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, gettid},
};
use tempfile::TempDir;
use time::OffsetDateTime;

#[test]
fn a_kill_at_any_instant_leaves_a_whole_set_or_none_and_the_next_start_replaces_it() {
    let mut kills = Kills::new(Publisher::new("ecdsa-p256"));
    kills.run(250);
    kills.seen.assert_never_torn();
    kills.assert_spread(4);
    kills.assert_recovers();
}

#[test]
fn the_same_with_rsa_keys() {
    let mut kills = Kills::new(Publisher::new("rsa-2048"));
    kills.run(16);
    kills.seen.assert_never_torn();
    kills.assert_recovers();
}

#[test]
fn the_same_under_a_ca_that_stays() {
    let mut publisher = Publisher::new("ecdsa-p256");
    publisher.ca_stays = true;
    let mut kills = Kills::new(publisher);
    kills.run(150);
    kills.explore();
    kills.seen.assert_never_torn();
    kills.assert_spread(6);
    kills.assert_recovers();
}

/// Kills at random instants hardly meet the microseconds between two renames. This one stops the
/// publisher after every change that it makes to a file, and kills it there; and again in each
/// state that this leaves, until no new one comes.
#[test]
fn a_kill_after_every_single_change_leaves_a_whole_set_or_none_and_the_next_start_replaces_it() {
    let mut kills = Kills::new(Publisher::new("ecdsa-p256"));
    kills.explore();
    kills.seen.assert_never_torn();
    for there in [
        // Retired: the CA first, then the key, then the certificate.
        "client/.ca.pem.dind-init-old client/cert.pem client/key.pem",
        "client/.ca.pem.dind-init-old client/cert.pem",
        // Published: the key, the certificate, the CA.
        "client/.ca.pem.dind-init-new client/.cert.pem.dind-init-new client/key.pem",
        "client/.ca.pem.dind-init-new client/cert.pem client/key.pem",
        "client/ca.pem client/cert.pem client/key.pem",
    ] {
        let met = |state: &Vec<String>| state.join(" ").ends_with(there);
        assert!(kills.states.iter().any(met), "{there}: {:?}", kills.states);
    }
    kills.assert_recovers();
}

/// The slowest of readers: stopped in the middle for as long as the directory is replaced.
#[test]
fn a_reader_that_was_stopped_in_the_middle_has_a_whole_set_or_notices() {
    for ca_stays in [false, true] {
        let mut publisher = Publisher::new("ecdsa-p256");
        publisher.ca_stays = ca_stays;
        let client = publisher.directory.join("client");
        let set =
            || ["ca.pem", "cert.pem", "key.pem"].map(|name| fs::read(client.join(name)).unwrap());
        publisher.complete(1);
        let old = set();
        publisher.complete(3);
        let new = set();
        assert_eq!(old[0] == new[0], ca_stays);
        assert_ne!(old[1], new[1]);
        if ca_stays {
            let [ca, certificate, _] = new;
            assert!(is_whole(&[ca, certificate, old[2].clone()]), "the old key");
            let [ca, _, key] = set();
            assert!(is_whole(&[ca, old[1].clone(), key]), "the new key");
        }
    }
}

#[test]
fn what_another_publishes_meanwhile_is_seen_and_kept() {
    let root = memory();
    let directory = root.path().join("certs");
    let settings = CertificateSettings {
        directory: directory.clone(),
        names: SubjectName::parse_list("TEST", "docker").unwrap(),
        other_names: Vec::new(),
        client_key: ClientKey::EcdsaP256,
        days: 825,
    };
    let mounts = Mounts::parse("");
    let wanted = Wanted {
        settings: &settings,
        names: &[],
        job: Job::default(),
        now: OffsetDateTime::now_utc(),
    };
    let mut first = prepare(&mounts, &wanted, Duration::ZERO).unwrap();
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            send.send(gettid()).unwrap();
            let patience = Duration::from_secs(60);
            start_at(&settings, &mounts, 0, patience).unwrap().decision
        });
        // It has seen an empty client/ and waits for the lock, asleep between two tries.
        let stat = format!("/proc/self/task/{}/stat", receive.recv().unwrap());
        while !fs::read_to_string(&stat).unwrap().contains(") S ") {
            thread::yield_now();
        }
        let key = ClientKeyInTheMaking::start(ClientKey::EcdsaP256);
        first.pending.take().unwrap().publish(key).unwrap();
        drop(first);
        assert_eq!(second.join().unwrap().client, ClientAction::Keep);
    });
}

/// The control: were the files written in place, as official does, all this would show it.
#[test]
fn writing_in_place_is_caught() {
    let mut publisher = Publisher::new("ecdsa-p256");
    publisher.in_place = true;
    let mut kills = Kills::new(publisher);
    kills.run(60);
    assert!(kills.seen.torn > 0, "{:?}", kills.seen);
}

#[test]
fn of_two_that_start_together_one_is_refused_and_no_set_is_mixed() {
    let root = memory();
    let directory = root.path().join("certs");
    let seen = while_reading(&directory.join("client"), || {
        for round in 0..40 {
            let barrier = Barrier::new(2);
            let start = |name: String| {
                barrier.wait();
                let started = start(&directory, &name, "ecdsa-p256", Duration::ZERO);
                // Both have tried before either lets go.
                barrier.wait();
                started.map(drop)
            };
            let (one, other) = thread::scope(|scope| {
                let one = scope.spawn(|| start(format!("one-{round}")));
                let other = scope.spawn(|| start(format!("other-{round}")));
                (one.join().unwrap(), other.join().unwrap())
            });
            let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 1, "{refused:?}");
            assert_eq!(refused[0].reason.id, "CERTS-IN-USE");
        }
    });
    seen.assert_never_torn();
}

#[test]
fn one_that_waits_gets_the_directory_when_the_other_is_killed() {
    let mut publisher = Publisher::new("ecdsa-p256");
    publisher.stays = true;
    let mut holder = publisher.spawn(0);
    holder.line("published");
    let directory = &publisher.directory;
    let refused = start(directory, "other", "ecdsa-p256", Duration::ZERO).unwrap_err();
    assert_eq!(refused.reason.id, "CERTS-IN-USE");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let patience = Duration::from_secs(60);
            start(directory, "other", "ecdsa-p256", patience).map(drop)
        });
        holder.kill();
        waiting.join().unwrap().unwrap();
    });
}

/// A start on `directory` with a server name of its own, so that what is there is replaced.
fn start(
    directory: &Path,
    name: &str,
    key: &str,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let settings = CertificateSettings {
        directory: directory.to_owned(),
        names: SubjectName::parse_list("TEST", name).unwrap(),
        other_names: Vec::new(),
        client_key: ClientKey::from_str(key, false).unwrap(),
        days: 825,
    };
    start_at(&settings, &Mounts::parse(""), 0, patience)
}

/// A start where `ca/` is on a volume and holds a CA for ten years; the certificates are for one
/// day, and each start is on another, so that the client's key is certified anew.
fn start_under_kept_ca(
    directory: &Path,
    name: &str,
    key: &str,
    day: i64,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let is_first = !directory.join("ca/cert.pem").exists();
    let mut settings = CertificateSettings {
        directory: directory.to_owned(),
        names: SubjectName::parse_list("TEST", name).unwrap(),
        other_names: Vec::new(),
        client_key: ClientKey::from_str(key, false).unwrap(),
        days: 3650,
    };
    let volume = format!("1 0 0:1 /v {} rw - ext4 /dev/vda rw", directory.display());
    let mounts = Mounts::parse(&volume);
    if is_first {
        drop(start_at(&settings, &mounts, day, patience)?);
        fs::remove_dir_all(directory.join("client")).unwrap();
    }
    settings.days = 1;
    start_at(&settings, &mounts, day, patience)
}

fn start_at(
    settings: &CertificateSettings,
    mounts: &Mounts,
    day: i64,
    patience: Duration,
) -> Result<Certificates, Finding> {
    let key = ClientKeyInTheMaking::start(settings.client_key);
    let wanted = Wanted {
        settings,
        names: &[],
        job: Job::default(),
        now: OffsetDateTime::now_utc() + time::Duration::days(day),
    };
    let mut certificates = prepare(mounts, &wanted, patience)?;
    if let Some(pending) = certificates.pending.take() {
        pending.publish(key)?;
    }
    Ok(certificates)
}

/// What official does: every file truncated and written where it is, `ca.pem` last.
fn write_in_place(directory: &Path) {
    let client = directory.join("client");
    fs::create_dir_all(&client).unwrap();
    let write = |name: &str, content: &[u8]| fs::write(client.join(name), content).unwrap();
    write("key.pem", b"");
    let validity = Validity::days_from(OffsetDateTime::now_utc(), 825);
    let authority = Authority::create(validity).unwrap();
    let key = ClientKeyInTheMaking::start(ClientKey::EcdsaP256).wait();
    let issued = authority.issue_client(&key.unwrap(), validity).unwrap();
    write("key.pem", issued.key_pem.as_bytes());
    write("cert.pem", issued.certificate_pem.as_bytes());
    write("ca.pem", &authority.certificate_pem);
}

/// This test's executable, as a process that publishes and can be killed.
struct Publisher {
    _root: TempDir,
    directory: PathBuf,
    key: &'static str,
    ca_stays: bool,
    in_place: bool,
    stays: bool,
}

impl Publisher {
    fn new(key: &'static str) -> Self {
        let root = memory();
        Self {
            directory: root.path().join("certs"),
            _root: root,
            key,
            ca_stays: false,
            in_place: false,
            stays: false,
        }
    }

    /// The `day`-th start, with a name of its own.
    fn spawn(&self, day: u32) -> Running {
        let mut running = self.spawn_stopped(day);
        running.go();
        running
    }

    /// The same, but it waits for [`Running::go`].
    fn spawn_stopped(&self, day: u32) -> Running {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["publisher", "--exact", "--ignored", "--nocapture", "-q"])
            .env("PUBLISHER_DIRECTORY", &self.directory)
            .env("PUBLISHER_NAME", format!("name-{day}"))
            .env("PUBLISHER_DAY", day.to_string())
            .env("PUBLISHER_KEY", self.key)
            .env("PUBLISHER_CA_STAYS", self.ca_stays.to_string())
            .env("PUBLISHER_IN_PLACE", self.in_place.to_string())
            .env("PUBLISHER_STAYS", self.stays.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut running = Running {
            child,
            output,
            thread: 0,
            is_traced: false,
        };
        running.thread = running.line("publishing").parse().unwrap();
        running
    }

    /// A start that is left alone, and how long it takes.
    fn complete(&self, day: u32) -> Duration {
        let mut running = self.spawn(day);
        let start = Instant::now();
        running.line("published");
        let duration = start.elapsed();
        assert!(running.child.wait().unwrap().success());
        duration
    }

    /// Everything that lies there.
    fn files(&self) -> Vec<String> {
        ["ca", "server", "client"]
            .iter()
            .flat_map(|side| {
                names(&self.directory.join(side))
                    .into_iter()
                    .map(move |name| format!("{side}/{name}"))
            })
            .collect()
    }
}

#[test]
#[ignore = "run by the others, as a process to be killed"]
fn publisher() {
    let variable = |name: &str| env::var(format!("PUBLISHER_{name}")).unwrap();
    let say = |word: &str| {
        let mut output = io::stdout().lock();
        writeln!(output, "{word}").unwrap();
        output.flush().unwrap();
    };
    let directory = PathBuf::from(variable("DIRECTORY"));
    say(&format!("publishing {}", gettid()));
    io::stdin().read_line(&mut String::new()).unwrap();
    if variable("IN_PLACE") == "true" {
        write_in_place(&directory);
        return say("published");
    }
    let (name, key) = (variable("NAME"), variable("KEY"));
    let patience = Duration::from_secs(60);
    let started = if variable("CA_STAYS") == "true" {
        let day = variable("DAY").parse().unwrap();
        start_under_kept_ca(&directory, &name, &key, day, patience)
    } else {
        start(&directory, &name, &key, patience)
    };
    let _held = started.unwrap_or_else(|finding| panic!("refused: {finding}"));
    say("published");
    if variable("STAYS") == "true" {
        let _ = io::stdin().read_line(&mut String::new());
    }
}

struct Running {
    child: Child,
    /// The one that publishes.
    thread: i32,
    is_traced: bool,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// Waits until the publisher says this word; what it says after it.
    fn line(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).unwrap();
            assert!(length > 0, "the publisher ended before it was {word}");
            if let Some(rest) = line.trim().strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }

    fn go(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"go\n").unwrap();
    }

    /// Lets the publishing thread make so many changes to files, and stops it after the last.
    /// Whether it ended before.
    fn step(&mut self, mut changes: u32) -> bool {
        let thread = Pid::from_raw(self.thread);
        ptrace::seize(thread, ptrace::Options::empty()).unwrap();
        ptrace::interrupt(thread).unwrap();
        self.is_traced = true;
        self.wait().unwrap();
        self.go();
        while changes > 0 {
            // It stops before a system call and after it.
            for is_over in [false, true] {
                ptrace::syscall(thread, None).unwrap();
                if is_end(self.wait().unwrap()) {
                    self.is_traced = false;
                    return true;
                }
                changes -= u32::from(is_over && self.is_in_a_change());
            }
        }
        false
    }

    /// Whether the system call that the thread has stopped at changes a directory or a file.
    fn is_in_a_change(&self) -> bool {
        let path = format!("/proc/{}/task/{}/syscall", self.child.id(), self.thread);
        let call = fs::read_to_string(path).unwrap();
        let mut fields = call.split_whitespace();
        let number = fields.next().and_then(|number| number.parse().ok());
        if number == Some(libc::SYS_openat) {
            let flags = fields.nth(2).and_then(|flags| flags.strip_prefix("0x"));
            let flags = i32::from_str_radix(flags.unwrap(), 16).unwrap();
            return flags & libc::O_CREAT != 0;
        }
        CHANGES.iter().any(|change| Some(*change) == number)
    }

    fn wait(&self) -> nix::Result<WaitStatus> {
        waitpid(Pid::from_raw(self.thread), Some(WaitPidFlag::__WALL))
    }

    fn kill(&mut self) -> ExitStatus {
        self.child.kill().unwrap();
        // A process is not over before the tracer has waited for the thread that it traces.
        while self.is_traced && self.wait().is_ok_and(|status| !is_end(status)) {}
        self.child.wait().unwrap()
    }
}

/// Those of the system calls that Rust's library makes for it, besides `openat`.
const CHANGES: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    libc::SYS_renameat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_write,
];

fn is_end(status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..))
}

/// Starts that are not killed, before those that are.
const WARM_UP: u32 = 5;

/// Many starts on one directory, each killed at another instant.
struct Kills {
    publisher: Publisher,
    /// How long one start takes that is not killed.
    duration: Duration,
    seen: Seen,
    /// The files that lay there after each kill.
    states: HashSet<Vec<String>>,
}

/// Two readers at a time would only stand in each other's way.
static ALONE: Mutex<()> = Mutex::new(());

impl Kills {
    fn new(publisher: Publisher) -> Self {
        let mut durations: Vec<_> = (0..WARM_UP).map(|day| publisher.complete(day)).collect();
        durations.sort();
        Self {
            publisher,
            duration: durations[durations.len() / 2],
            seen: Seen::default(),
            states: HashSet::new(),
        }
    }

    /// Kills so many starts, at instants spread evenly over their time; after two that are killed
    /// one is left alone.
    fn run(&mut self, count: u32) {
        let client = self.publisher.directory.join("client");
        let mut at_rest = Seen::default();
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut while_running = while_reading(&client, || {
            let mut day = WARM_UP;
            for kill in 0..count {
                day += 1;
                let mut running = self.publisher.spawn(day);
                let instant = Instant::now() + self.duration * kill / count;
                while Instant::now() < instant {
                    std::hint::spin_loop();
                }
                let status = running.kill();
                // Either it was killed or it had ended well: it was never refused.
                assert!(status.success() || status.code().is_none(), "{status}");
                at_rest.read(&client);
                self.states.insert(self.publisher.files());
                if kill % 2 == 1 {
                    day += 1;
                    self.duration = (self.duration * 7 + self.publisher.complete(day)) / 8;
                }
            }
        });
        while_running.add(&at_rest);
        self.seen = while_running;
    }

    /// Kills one start after its first change, the next after its second, and so on to the end;
    /// first from a whole set, then from every state that a kill has left.
    fn explore(&mut self) {
        let directory = self.publisher.directory.clone();
        let copies = memory();
        let copy_of = |number: usize| copies.path().join(number.to_string());
        self.states.insert(self.publisher.files());
        copy(&directory, &copy_of(0));
        let mut copied = 1;
        let mut explored = 0;
        while explored < copied {
            for changes in 1.. {
                fs::remove_dir_all(&directory).unwrap();
                copy(&copy_of(explored), &directory);
                let mut running = self.publisher.spawn_stopped(999);
                let has_ended = running.step(changes);
                let status = running.kill();
                assert!(status.success() || status.code().is_none(), "{status}");
                self.seen.read(&directory.join("client"));
                if has_ended {
                    break;
                }
                if self.states.insert(self.publisher.files()) {
                    copy(&directory, &copy_of(copied));
                    copied += 1;
                }
            }
            explored += 1;
        }
    }

    /// The kills landed before, between and after the steps of publishing.
    fn assert_spread(&self, states: usize) {
        assert!(
            self.states.len() >= states,
            "the kills met only these states: {:?}",
            self.states
        );
    }

    /// The next start that is left alone makes a whole set, and nothing else stays.
    fn assert_recovers(&self) {
        self.publisher.complete(999);
        let client = self.publisher.directory.join("client");
        assert_eq!(names(&client), ["ca.pem", "cert.pem", "key.pem"]);
        let mut seen = Seen::default();
        seen.read(&client);
        assert_eq!(seen.whole, 1);
    }
}

/// What readers of a client directory found.
#[derive(Debug, Default)]
struct Seen {
    whole: u64,
    /// No set, or `ca.pem` changed while it was read: the reader knows that it has to try again.
    none: u64,
    torn: u64,
    /// Sets known to be whole already.
    known: HashSet<[Vec<u8>; 3]>,
}

impl Seen {
    fn read(&mut self, directory: &Path) {
        let read = |name: &str| fs::read(directory.join(name)).ok();
        let before = read("ca.pem");
        let (certificate, key) = (read("cert.pem"), read("key.pem"));
        let (Some(ca), true) = (before.clone(), before == read("ca.pem")) else {
            self.none += 1;
            return;
        };
        let set = [ca, certificate.unwrap_or_default(), key.unwrap_or_default()];
        if self.known.contains(&set) {
            self.whole += 1;
        } else if is_whole(&set) {
            self.whole += 1;
            self.known.insert(set);
        } else {
            self.torn += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.none += other.none;
        self.torn += other.torn;
    }

    #[track_caller]
    fn assert_never_torn(&self) {
        assert_eq!(self.torn, 0);
        assert!(
            self.whole > 0 && self.known.len() > 1,
            "the reader saw too little: {} times {} sets",
            self.whole,
            self.known.len()
        );
    }
}

fn is_whole([ca, certificate, key]: &[Vec<u8>; 3]) -> bool {
    let (Ok(ca), Ok(leaf), Ok(public_key)) = (
        Certificate::parse_pem(ca),
        Certificate::parse_pem(certificate),
        public_key_of(key),
    ) else {
        return false;
    };
    leaf[0].is_issued_by(&ca[0]) && leaf[0].public_key == public_key
}

/// Reads the directory over and over, in a thread, while `work` is done.
fn while_reading(directory: &Path, work: impl FnOnce()) -> Seen {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = Seen::default();
            while !done.load(Ordering::Relaxed) {
                seen.read(directory);
            }
            seen
        });
        // Ends the reader even if the work panics.
        struct Done<'a>(&'a AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        {
            let _done = Done(&done);
            work();
        }
        reader.join().unwrap()
    })
}

/// A directory in memory, as emptyDirs often are: on a disk, nearly every kill would meet an fsync.
fn memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Copies a directory with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
