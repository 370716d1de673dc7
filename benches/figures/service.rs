//! The service container, as the observer sees it, and what runs in it.

use std::{
    env, fs,
    fs::File,
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::sched::{CloneFlags, setns};
use tempfile::TempDir;

use crate::podman::{podman, step};

/// Given an image with the official entrypoint, that is where everything is measured; else in what
/// `make image` makes.
pub fn image() -> String {
    let name = || env::var("DIND_INIT_IMAGE").unwrap_or_else(|_| "localhost/dind-init".to_owned());
    official_image().unwrap_or_else(|| format!("{}:dev", name()))
}

/// `OFFICIAL_IMAGE`, a full reference.
pub fn official_image() -> Option<String> {
    env::var("OFFICIAL_IMAGE")
        .ok()
        .filter(|image| !image.is_empty())
}

/// `OLDER_BINARY`, a dind-init of before a change, whose starts are measured in turn with this one's.
pub fn older_binary() -> Option<String> {
    env::var("OLDER_BINARY")
        .ok()
        .filter(|path| !path.is_empty())
}

/// The binaries that are measured and that measure, as mounted.
pub const DIND_INIT: &str = "/usr/local/bin/dind-init";
pub const OLDER_DIND_INIT: &str = "/usr/local/bin/older-dind-init";
pub const FIGURES: &str = "/usr/local/bin/figures";
/// A directory in memory that observer and container share, as a pod shares an emptyDir.
pub const SHARED: &str = "/shared";
/// Of what dind-init makes.
pub const NEW_CERTIFICATES: &str = "/shared/certs";
/// Of what dockerd finds ready-made.
pub const READY_CERTIFICATES: &str = "/shared/ready";
/// In the shared directory.
pub const SOCKET: &str = "agent.sock";
pub const LOG: &str = "log";

/// What serves the Docker API over TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Daemon {
    /// dockerd alone, with certificates that are there.
    Bare,
    /// dind-init, with certificates to be made.
    Init,
    /// The same, with `DIND_CLIENT_KEY=rsa-2048`.
    InitWithRsa,
    /// The official entrypoint of `OFFICIAL_IMAGE`, with certificates to be made.
    Official,
}

impl Daemon {
    const ALL: [Self; 4] = [Self::Bare, Self::Init, Self::InitWithRsa, Self::Official];

    /// Those that can be measured here, dockerd alone first.
    pub fn all() -> &'static [Self] {
        match official_image() {
            Some(_) => &Self::ALL,
            None => &Self::ALL[..3],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "dockerd",
            Self::Init => "dind-init",
            Self::InitWithRsa => "dind-init with rsa-2048",
            Self::Official => "the official entrypoint",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|daemon| daemon.name() == name)
    }

    /// Below the shared directory.
    pub fn certificates(self) -> &'static str {
        match self {
            Self::Bare => READY_CERTIFICATES,
            Self::Init | Self::InitWithRsa | Self::Official => NEW_CERTIFICATES,
        }
    }

    pub fn command(self) -> Command {
        match self {
            Self::Bare => {
                let mut dockerd = Command::new("dockerd");
                dockerd.args([
                    "--host=unix:///var/run/docker.sock",
                    "--host=tcp://0.0.0.0:2376",
                ]);
                dockerd.arg("--tlsverify");
                for (flag, file) in [("tlscacert", "ca"), ("tlscert", "cert"), ("tlskey", "key")] {
                    dockerd.arg(format!("--{flag}={READY_CERTIFICATES}/server/{file}.pem"));
                }
                dockerd
            }
            Self::Init | Self::InitWithRsa => {
                let mut init = Command::new(DIND_INIT);
                init.env("DOCKER_TLS_CERTDIR", NEW_CERTIFICATES);
                if self == Self::InitWithRsa {
                    init.env("DIND_CLIENT_KEY", "rsa-2048");
                }
                init
            }
            Self::Official => {
                let mut entrypoint = Command::new("dockerd-entrypoint.sh");
                entrypoint.env("DOCKER_TLS_CERTDIR", NEW_CERTIFICATES);
                entrypoint
            }
        }
    }
}

/// A container of the image, removed when this is dropped.
pub struct Container {
    id: String,
    shared: TempDir,
    pub pid: u32,
}

impl Container {
    /// With the agent as PID 1, and podman's further options.
    pub fn with_agent(options: &[&str]) -> Self {
        let container = Self::run(options, FIGURES, &["agent"]);
        let socket = container.shared.path().join(SOCKET);
        container.wait_until("the agent answers", || socket.exists());
        container
    }

    /// With dind-init as PID 1.
    pub fn with_init() -> Self {
        let variable = format!("DOCKER_TLS_CERTDIR={NEW_CERTIFICATES}");
        Self::run(&["--env", &variable], DIND_INIT, &["run"])
    }

    fn run(options: &[&str], program: &str, arguments: &[&str]) -> Self {
        let shared = TempDir::new_in("/dev/shm").expect("/dev/shm is writable");
        let itself = env::current_exe().expect("/proc is mounted");
        let init = env!("CARGO_BIN_EXE_dind-init");
        let volumes = [
            format!("--volume={}:{SHARED}", shared.path().display()),
            format!("--volume={}:{FIGURES}:ro", itself.display()),
            format!("--volume={init}:{DIND_INIT}:ro"),
        ];
        let older = older_binary().map(|path| format!("--volume={path}:{OLDER_DIND_INIT}:ro"));
        let image = image();
        let mut line = vec!["run", "--detach", "--privileged", "--network=none"];
        line.extend(volumes.iter().chain(&older).map(String::as_str));
        line.extend(options);
        line.extend(["--entrypoint", program, &image]);
        line.extend(arguments);
        let id = step(&line);
        let pid = step(&["inspect", "--format={{.State.Pid}}", &id]);
        Self {
            id,
            shared,
            pid: pid.parse().expect("podman gives a number"),
        }
    }

    /// The agent's answer to a request.
    pub fn ask(&self, request: &str) -> String {
        let mut answer = String::new();
        let asked = UnixStream::connect(self.shared.path().join(SOCKET)).and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_string(&mut answer)
        });
        if asked.is_err() || !self.is_running() {
            self.give_up(&format!("{request:?} was not answered"));
        }
        answer
    }

    /// Where the observer finds what the container has at `path`.
    pub fn path(&self, path: &str) -> PathBuf {
        let inside = Path::new(path).strip_prefix(SHARED);
        self.shared
            .path()
            .join(inside.expect("the shared directory"))
    }

    /// Does something in the container's network.
    pub fn in_network<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let network = File::open(format!("/proc/{}/ns/net", self.pid)).expect("it runs");
        let thread = || {
            // Only this thread moves.
            setns(network, CloneFlags::CLONE_NEWNET).expect("this is root");
            act()
        };
        thread::scope(|scope| scope.spawn(thread).join().expect("the cause is above"))
    }

    fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            if Instant::now() > deadline || !self.is_running() {
                self.give_up(&format!("waited in vain until {what}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_running(&self) -> bool {
        Path::new(&format!("/proc/{}", self.pid)).exists()
    }

    /// Ends with all that can tell why.
    pub fn give_up(&self, why: &str) -> ! {
        let agent = podman(&["logs", &self.id], Duration::from_secs(60)).output;
        let log = fs::read_to_string(self.shared.path().join(LOG)).unwrap_or_default();
        panic!("{why}\n{agent}\n{log}");
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let limit = Duration::from_secs(60);
        podman(
            &["rm", "--force", "--volumes", "--time=20", &self.id],
            limit,
        );
    }
}
