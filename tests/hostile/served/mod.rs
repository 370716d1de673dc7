//! A volume whose server stops answering, as that of an NFS volume does: a file system in memory
//! that this very process serves by FUSE, until it does not.

mod tree;

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use nix::{
    libc::O_CLOEXEC,
    mount::{MsFlags, mount},
    poll::{PollFd, PollFlags, poll},
    sys::stat::{Mode, SFlag, makedev, mknod},
};

use self::tree::Tree;
use crate::pods::volume::Volume;

/// The longest request: a write, with its headers.
const LONGEST: usize = (128 << 10) + 4096;

/// How often the server looks whether it is to stop, in milliseconds.
const LOOK: u16 = 20;

/// A volume, and who answers for it. Dropped, the kernel answers in its place, with errors.
pub struct ServedVolume {
    /// Dropped before the volume's directory is.
    server: Server,
    volume: Volume,
}

struct Server {
    device: Arc<File>,
    is_to_stop: Arc<AtomicBool>,
    running: Option<JoinHandle<Tree>>,
    /// Where nobody answers, what is to be answered with.
    tree: Option<Tree>,
    mounted_at: PathBuf,
}

impl ServedVolume {
    pub fn new() -> Self {
        let volume = Volume::disk();
        let server = Server::mount(volume.path());
        Self { server, volume }
    }

    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// From now on nothing is answered. What asks can be killed still, as on NFS: the kernel knows
    /// that nobody has begun to answer.
    pub fn hang(&mut self) {
        self.server.is_to_stop.store(true, Ordering::Relaxed);
        let running = self.server.running.take().unwrap();
        self.server.tree = Some(running.join().unwrap());
    }

    /// Answers again, all that was asked meanwhile too.
    pub fn answer(&mut self) {
        let tree = self.server.tree.take().unwrap();
        self.server.run(tree);
    }
}

impl Server {
    fn mount(point: &Path) -> Self {
        let device = "/dev/fuse";
        if !Path::new(device).exists() {
            mknod(device, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(10, 229)).unwrap();
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(O_CLOEXEC);
        let device = options.open(device).expect("this kernel has FUSE");
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
            device.as_raw_fd()
        );
        let none = MsFlags::empty();
        mount(
            Some("dind-test"),
            point,
            Some("fuse"),
            none,
            Some(&*options),
        )
        .unwrap();
        let mut server = Self {
            device: Arc::new(device),
            is_to_stop: Arc::default(),
            running: None,
            tree: None,
            mounted_at: point.to_owned(),
        };
        server.run(Tree::new());
        server
    }

    fn run(&mut self, mut tree: Tree) {
        self.is_to_stop.store(false, Ordering::Relaxed);
        let (device, is_to_stop) = (Arc::clone(&self.device), Arc::clone(&self.is_to_stop));
        self.running = Some(thread::spawn(move || {
            let mut request = vec![0; LONGEST];
            while !is_to_stop.load(Ordering::Relaxed) {
                let mut asked = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
                if poll(&mut asked, LOOK) != Ok(1) {
                    continue;
                }
                // Whoever asked may have been killed meanwhile.
                let Ok(length) = (&*device).read(&mut request) else {
                    continue;
                };
                if let Some(answer) = tree.answer(&request[..length]) {
                    let _ = (&*device).write(&answer);
                }
            }
            tree
        }));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_to_stop.store(true, Ordering::Relaxed);
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
        // Whoever waits for an answer gets an error when the device is closed; until then not even
        // this command would end.
        let null = File::open("/dev/null").unwrap();
        self.device = Arc::new(null);
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.mounted_at)
            .status();
    }
}
