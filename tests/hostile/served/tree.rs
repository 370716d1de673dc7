//! Files in memory, as FUSE asks for them (Linux, `include/uapi/linux/fuse.h`).

use std::{
    collections::{BTreeMap, HashMap},
    time::{SystemTime, UNIX_EPOCH},
};

use nix::errno::Errno;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const SETATTR: u32 = 4;
const MKNOD: u32 = 8;
const MKDIR: u32 = 9;
const UNLINK: u32 = 10;
const RMDIR: u32 = 11;
const RENAME: u32 = 12;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const STATFS: u32 = 17;
const RELEASE: u32 = 18;
const FSYNC: u32 = 20;
const FLUSH: u32 = 25;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const READDIR: u32 = 28;
const RELEASEDIR: u32 = 29;
const FSYNCDIR: u32 = 30;
const CREATE: u32 = 35;
const INTERRUPT: u32 = 36;
const DESTROY: u32 = 38;
const BATCH_FORGET: u32 = 42;
const RENAME2: u32 = 45;

/// What a mode says beside permissions.
const KIND: u32 = 0o170_000;
const DIRECTORY: u32 = 0o40_000;

/// What stands before a request, and before an answer.
const REQUEST_HEADER: usize = 40;
const ANSWER_HEADER: usize = 16;

/// The files, by the numbers that the kernel has been told. 1 is the root.
pub struct Tree {
    nodes: HashMap<u64, Node>,
    last: u64,
}

struct Node {
    mode: u32,
    user: u32,
    group: u32,
    modified: u64,
    content: Vec<u8>,
    entries: BTreeMap<Vec<u8>, u64>,
}

type Answer = Result<Vec<u8>, Errno>;

impl Tree {
    pub fn new() -> Self {
        let mut tree = Self {
            nodes: HashMap::new(),
            last: 0,
        };
        tree.make(DIRECTORY | 0o777, 0, 0);
        tree
    }

    fn make(&mut self, mode: u32, user: u32, group: u32) -> u64 {
        self.last += 1;
        let node = Node {
            mode,
            user,
            group,
            modified: seconds(),
            content: Vec::new(),
            entries: BTreeMap::new(),
        };
        self.nodes.insert(self.last, node);
        self.last
    }

    /// `None` for what wants no answer.
    pub fn answer(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = request.split_at(REQUEST_HEADER);
        let operation = u32_at(header, 4);
        if [FORGET, INTERRUPT, BATCH_FORGET].contains(&operation) {
            return None;
        }
        let (node, user, group) = (u64_at(header, 16), u32_at(header, 24), u32_at(header, 28));
        let (error, answer) = match self.operate(operation, node, (user, group), body) {
            Ok(answer) => (0, answer),
            Err(errno) => (-(errno as i32), Vec::new()),
        };
        let length = u32::try_from(ANSWER_HEADER + answer.len()).unwrap();
        let mut whole = Vec::new();
        whole.extend(length.to_ne_bytes());
        whole.extend(error.to_ne_bytes());
        whole.extend(&header[8..16]);
        whole.extend(answer);
        Some(whole)
    }

    fn operate(&mut self, operation: u32, node: u64, owner: (u32, u32), body: &[u8]) -> Answer {
        match operation {
            LOOKUP => self.entry(self.child(node, name(body))?),
            GETATTR => self.attributes(node),
            SETATTR => self.set_attributes(node, body),
            MKNOD => self.create(node, name(&body[16..]), u32_at(body, 0), owner),
            MKDIR => self.create(node, name(&body[8..]), DIRECTORY | u32_at(body, 0), owner),
            CREATE => {
                let made = self.create(node, name(&body[16..]), u32_at(body, 4), owner)?;
                Ok([made, vec![0; 16]].concat())
            }
            UNLINK => self.remove(node, name(body)),
            RMDIR => {
                let directory = self.child(node, name(body))?;
                match self.nodes[&directory].entries.is_empty() {
                    true => self.remove(node, name(body)),
                    false => Err(Errno::ENOTEMPTY),
                }
            }
            RENAME => self.rename(node, u64_at(body, 0), &body[8..]),
            RENAME2 => self.rename(node, u64_at(body, 0), &body[16..]),
            OPEN | OPENDIR => Ok(vec![0; 16]),
            READ => {
                let content = &self.nodes[&node].content;
                let from = content.len().min(size(u64_at(body, 8)));
                let to = content.len().min(from + size(u32_at(body, 16)));
                Ok(content[from..to].to_vec())
            }
            WRITE => {
                let (from, data) = (size(u64_at(body, 8)), &body[40..]);
                let content = &mut self.nodes.get_mut(&node).unwrap().content;
                content.resize(content.len().max(from + data.len()), 0);
                content[from..from + data.len()].copy_from_slice(data);
                Ok([u32_at(body, 16).to_ne_bytes(), [0; 4]].concat())
            }
            // Room for everything.
            STATFS => {
                let numbers = [1_u64 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20];
                let sizes = [4096_u32, 255, 4096, 0, 0, 0, 0, 0, 0, 0];
                let numbers = numbers.into_iter().flat_map(u64::to_ne_bytes);
                Ok(numbers
                    .chain(sizes.into_iter().flat_map(u32::to_ne_bytes))
                    .collect())
            }
            RELEASE | FSYNC | FLUSH | RELEASEDIR | FSYNCDIR | DESTROY => Ok(Vec::new()),
            // Version 7.31, the longest write, and times of a nanosecond.
            INIT => {
                let mut answer = vec![0; 64];
                for (at, number) in [(0, 7_u32), (4, 31), (20, 128 << 10), (24, 1)] {
                    answer[at..at + 4].copy_from_slice(&number.to_ne_bytes());
                }
                Ok(answer)
            }
            READDIR => Ok(self.list(node, size(u64_at(body, 8)), size(u32_at(body, 16)))),
            _ => Err(Errno::ENOSYS),
        }
    }

    fn child(&self, directory: u64, name: &[u8]) -> Result<u64, Errno> {
        let entries = &self.nodes[&directory].entries;
        entries.get(name).copied().ok_or(Errno::ENOENT)
    }

    fn create(&mut self, parent: u64, name: &[u8], mode: u32, owner: (u32, u32)) -> Answer {
        if self.child(parent, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        let made = self.make(mode, owner.0, owner.1);
        let entries = &mut self.nodes.get_mut(&parent).unwrap().entries;
        entries.insert(name.to_owned(), made);
        self.entry(made)
    }

    /// What is open still stays in memory.
    fn remove(&mut self, parent: u64, name: &[u8]) -> Answer {
        let entries = &mut self.nodes.get_mut(&parent).unwrap().entries;
        entries
            .remove(name)
            .map(|_| Vec::new())
            .ok_or(Errno::ENOENT)
    }

    fn rename(&mut self, parent: u64, to_parent: u64, names: &[u8]) -> Answer {
        let (from, to) = (name(names), name(&names[name(names).len() + 1..]));
        let moved = self.child(parent, from)?;
        self.remove(parent, from)?;
        let entries = &mut self.nodes.get_mut(&to_parent).unwrap().entries;
        entries.insert(to.to_owned(), moved);
        Ok(Vec::new())
    }

    fn set_attributes(&mut self, node: u64, body: &[u8]) -> Answer {
        let valid = u32_at(body, 0);
        let is_given = |bit: u32| valid & (1 << bit) != 0;
        let found = self.nodes.get_mut(&node).unwrap();
        if is_given(0) {
            found.mode = found.mode & KIND | u32_at(body, 68) & 0o7777;
        }
        if is_given(1) {
            found.user = u32_at(body, 76);
        }
        if is_given(2) {
            found.group = u32_at(body, 80);
        }
        if is_given(3) {
            found.content.resize(size(u64_at(body, 16)), 0);
        }
        if is_given(5) {
            found.modified = u64_at(body, 40);
        }
        self.attributes(node)
    }

    /// Valid for no time at all, so that whoever asks again asks us.
    fn attributes(&self, node: u64) -> Answer {
        Ok([vec![0; 16], self.attribute(node)].concat())
    }

    fn entry(&self, node: u64) -> Answer {
        let numbers = [node, 0, 0, 0, 0].into_iter();
        let mut answer: Vec<u8> = numbers.flat_map(u64::to_ne_bytes).collect();
        answer.extend(self.attribute(node));
        Ok(answer)
    }

    fn attribute(&self, number: u64) -> Vec<u8> {
        let node = &self.nodes[&number];
        let (length, time) = (node.content.len() as u64, node.modified);
        let links = if node.mode & KIND == DIRECTORY { 2 } else { 1 };
        let numbers = [number, length, length.div_ceil(512), time, time, time];
        let others = [0, 0, 0, node.mode, links, node.user, node.group, 0, 4096, 0];
        let numbers = numbers.into_iter().flat_map(u64::to_ne_bytes);
        numbers
            .chain(others.into_iter().flat_map(u32::to_ne_bytes))
            .collect()
    }

    fn list(&self, directory: u64, from: usize, room: usize) -> Vec<u8> {
        let mut answer = Vec::new();
        let entries = self.nodes[&directory].entries.iter();
        for (position, (name, node)) in entries.enumerate().skip(from) {
            let kind = self.nodes[node].mode >> 12 & 0o17;
            let length = u32::try_from(name.len()).unwrap();
            let mut entry = Vec::new();
            entry.extend(node.to_ne_bytes());
            entry.extend((position as u64 + 1).to_ne_bytes());
            entry.extend(length.to_ne_bytes());
            entry.extend(kind.to_ne_bytes());
            entry.extend(name);
            entry.resize(entry.len().next_multiple_of(8), 0);
            if answer.len() + entry.len() > room {
                break;
            }
            answer.extend(entry);
        }
        answer
    }
}

/// Up to the zero that ends it.
fn name(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn size(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
