//! Trials in namespaces of their own, which the kernel takes away again with all that is in them.
//!
//! Only a process without other threads can move to new namespaces, so each of these trials is
//! this same binary, `dind-init trial …`. An alarm clock ends it, also after it has become another
//! program.

use std::{
    fmt, fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    str::FromStr,
};

use clap::ValueEnum;
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    unistd::{alarm, chdir},
};

use super::{Outcome, data_root::Probe, names};
use crate::system::signals;

/// Seconds after which a trial's process is ended.
const SECONDS: u32 = 2;

/// The exit status of a trial that was refused something, which it tells on stdout.
pub const REFUSED: u8 = 90;

/// The trial's arguments.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Trial {
    /// Mount an overlay in a directory and use it
    Overlay { directory: PathBuf },
    /// Become iptables-restore in a network of its own
    Iptables,
    /// Make a user namespace
    UserNamespace,
    /// Print the addresses that a name has
    Resolve { name: String },
}

/// What a trial was refused, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    pub step: Step,
    pub errno: Errno,
}

/// What a trial does, in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Step {
    /// `unshare(2)`
    Namespace,
    /// `mount --make-rprivate /`
    Propagation,
    /// The mount of the overlay itself
    Mount,
    /// Removing a file of a lower layer
    Whiteout,
}

impl Trial {
    /// Runs the trial in this process; 0 if nothing was refused.
    pub fn run(&self) -> Result<(), Refusal> {
        // The init blocks all signals, and we have them from it.
        let _ = signals::restore(&[]);
        alarm::set(SECONDS);
        match self {
            Self::Overlay { directory } => try_overlay(directory),
            Self::Iptables => {
                isolate(CloneFlags::CLONE_NEWNET)?;
                // The lock of legacy iptables is a file, the same one in every network.
                let error = Command::new("iptables-restore")
                    .args(["--noflush", "--wait"])
                    .exec();
                Err(Refusal::at(Step::Mount)(errno_of(&error)))
            }
            Self::UserNamespace => isolate(CloneFlags::CLONE_NEWUSER),
            Self::Resolve { name } => {
                names::print_addresses(name);
                Ok(())
            }
        }
    }
}

/// Layers as containers have them: two below, one to write into.
fn try_overlay(directory: &Path) -> Result<(), Refusal> {
    isolate(CloneFlags::CLONE_NEWNS)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(Refusal::at(Step::Propagation))?;
    // Relative names: a colon or comma in the directory's own would end an option.
    chdir(directory).map_err(Refusal::at(Step::Mount))?;
    for layer in ["lower1", "lower2", "upper", "work", "merged"] {
        fs::create_dir(layer).map_err(|error| Refusal::at(Step::Mount)(errno_of(&error)))?;
    }
    fs::write("lower2/file", "").map_err(|error| Refusal::at(Step::Mount)(errno_of(&error)))?;
    // Unmounting would otherwise flush the whole file system below, the node's disk perhaps;
    // a kernel before 5.10 does not know the option.
    mount_overlay("volatile,")
        .or_else(|_| mount_overlay(""))
        .map_err(Refusal::at(Step::Mount))?;
    let removed = fs::remove_file("merged/file");
    let _ = umount2("merged", MntFlags::MNT_DETACH);
    removed.map_err(|error| Refusal::at(Step::Whiteout)(errno_of(&error)))
}

fn mount_overlay(option: &str) -> Result<(), Errno> {
    let options = format!("{option}lowerdir=lower1:lower2,upperdir=upper,workdir=work");
    mount(
        Some("overlay"),
        "merged",
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
}

fn isolate(namespaces: CloneFlags) -> Result<(), Refusal> {
    unshare(namespaces).map_err(Refusal::at(Step::Namespace))
}

fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

impl Refusal {
    fn at(step: Step) -> impl Fn(Errno) -> Self {
        move |errno| Self { step, errno }
    }
}

/// As a trial tells it: `mount 22`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every step has a value, since none is skipped in its derive.
        let step = self.step.to_possible_value();
        let name = step.as_ref().map_or("", |value| value.get_name());
        write!(f, "{name} {}", self.errno as i32)
    }
}

impl FromStr for Refusal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (step, errno) = text.trim().split_once(' ').ok_or(())?;
        Ok(Self {
            step: Step::from_str(step, false).map_err(|_| ())?,
            errno: Errno::from_raw(errno.parse().map_err(|_| ())?),
        })
    }
}

/// Mounts an overlay in the probe's directory.
pub fn overlay(probe: &Probe) -> Outcome<Refusal> {
    let mut command = trial("overlay");
    command.arg(probe.path());
    refusal(command)
}

/// Makes a user namespace.
pub fn user_namespace() -> Outcome<Refusal> {
    refusal(trial("user-namespace"))
}

fn refusal(mut command: Command) -> Outcome<Refusal> {
    let Ok(output) = command.output() else {
        return Outcome::Unknown;
    };
    if output.status.success() {
        return Outcome::Passed;
    }
    // Whatever else ended it, the alarm among it, says nothing about this container.
    match String::from_utf8_lossy(&output.stdout).parse() {
        Ok(refusal) => Outcome::Failed(refusal),
        Err(()) => Outcome::Unknown,
    }
}

/// This same binary, about to make a trial.
///
/// It restores the signals itself: to have it done before its exec, the whole init would be copied
/// ([`crate::system::child`]), and dockerd's start waits for trials.
pub fn trial(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("dind-init")
        .args(["trial", name])
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_as_it_is_told() {
        for step in Step::value_variants() {
            let refusal = Refusal::at(*step)(Errno::EINVAL);
            assert_eq!(refusal.to_string().parse(), Ok(refusal));
        }
        for text in ["", "mount", "mount x", "dance 22", "dind-init: error"] {
            assert_eq!(text.parse::<Refusal>(), Err(()), "{text}");
        }
    }
}
