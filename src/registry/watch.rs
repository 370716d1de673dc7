//! Waiting for files that come late: the runner writes its own CA into the job's directory seconds
//! after the service was started.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::sources::{Awaited, Source, read_if_there};

/// How often is looked where the kernel does not tell.
const POLL: Duration = Duration::from_secs(1);

/// A file is read again only so often: each time, all that it holds is installed anew.
const MOST_CHANGES: usize = 20;

/// Gives `arrived` each awaited file when it is there, and again when it has changed, on a thread
/// of its own that sleeps until something happens in the file's directory.
pub fn start(awaited: Vec<Awaited>, arrived: impl FnMut(Source) + Send + 'static) {
    if awaited.is_empty() {
        return;
    }
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC).ok();
    let watch = move || run(awaited, arrived, inotify, POLL);
    let started = thread::Builder::new().name("late CAs".into()).spawn(watch);
    if let Err(error) = started {
        tracing::warn!("CAs that come later are not seen: {error}");
    }
}

fn run(
    mut awaited: Vec<Awaited>,
    mut arrived: impl FnMut(Source),
    inotify: Option<Inotify>,
    pause: Duration,
) {
    let mut watched = BTreeSet::new();
    let mut changes = vec![0; awaited.len()];
    while changes.iter().any(|count| *count < MOST_CHANGES) {
        let is_watched = inotify
            .as_ref()
            .is_some_and(|inotify| watch(inotify, &awaited, &mut watched));
        // Only now: what came before is not told by the kernel any more.
        let mut has_changed = false;
        for (file, count) in awaited.iter_mut().zip(&mut changes) {
            if *count < MOST_CHANGES
                && let Some(source) = read_if_there(&file.path, &file.scope)
                && let Ok(content) = &source.content
                && file.seen.as_ref() != Some(content)
            {
                file.seen = Some(content.clone());
                arrived(source);
                has_changed = true;
                *count += 1;
                if *count == MOST_CHANGES {
                    let path = file.path.display();
                    tracing::warn!("{path} has changed {count} times, and is not read again");
                }
            }
        }
        if has_changed {
            thread::sleep(pause);
        }
        match &inotify {
            // A directory that was made meanwhile has to be watched first.
            Some(_) if is_watched && !directories(&awaited).is_subset(&watched) => {}
            Some(inotify) if is_watched && inotify.read_events().is_ok() => {}
            _ => thread::sleep(pause),
        }
    }
}

/// Watches the nearest directory of each file that is there. Watching one twice is one watch.
fn watch(inotify: &Inotify, awaited: &[Awaited], watched: &mut BTreeSet<PathBuf>) -> bool {
    let flags = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_ONLYDIR;
    *watched = directories(awaited);
    let mut results = watched.iter().map(|path| inotify.add_watch(path, flags));
    results.all(|watch| watch.is_ok())
}

fn directories(awaited: &[Awaited]) -> BTreeSet<PathBuf> {
    let nearest = |file: &Awaited| {
        let mut ancestors = file.path.ancestors().skip(1);
        ancestors.find(|path| path.is_dir()).map(Path::to_owned)
    };
    awaited.iter().filter_map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::mpsc};

    use tempfile::tempdir;

    use super::*;
    use crate::registry::sources::Scope;

    const ARRIVAL_PATIENCE: Duration = Duration::from_secs(60);

    fn awaited(path: PathBuf) -> Vec<Awaited> {
        vec![Awaited {
            path,
            scope: Scope::EveryRegistry,
            seen: None,
        }]
    }

    /// Nothing is there at first but the root, as below /builds; each step is a fact that the next
    /// one waits for, so that nothing here waits for time.
    fn a_file_is_seen(inotify: impl FnOnce() -> Option<Inotify>) {
        let root = tempdir().unwrap();
        let path = root.path().join("group/project.tmp/CA");
        let (sender, arrivals) = mpsc::channel();
        let (files, inotify) = (awaited(path.clone()), inotify());
        thread::spawn(move || {
            run(
                files,
                move |source| drop(sender.send(source.content)),
                inotify,
                POLL,
            )
        });
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for content in ["first", "second"] {
            fs::write(&path, content).unwrap();
            let arrived = arrivals.recv_timeout(ARRIVAL_PATIENCE).unwrap().unwrap();
            assert_eq!(arrived, content.as_bytes());
        }
    }

    #[test]
    fn a_file_that_changes_without_end_is_given_up() {
        let root = tempdir().unwrap();
        let path = root.path().join("CA");
        let (sender, arrivals) = mpsc::channel();
        fs::write(&path, "0").unwrap();
        let changing = path.clone();
        let mut number = 0;
        let arrived = move |source: Source| {
            number += 1;
            // What is written now is seen in the next round.
            fs::write(&changing, number.to_string()).unwrap();
            drop(sender.send(source));
        };
        run(awaited(path), arrived, None, Duration::ZERO);
        assert_eq!(arrivals.iter().count(), MOST_CHANGES);
    }

    #[test]
    fn a_file_is_seen_when_it_comes_and_when_it_changes() {
        a_file_is_seen(|| Some(Inotify::init(InitFlags::IN_CLOEXEC).unwrap()));
    }

    #[test]
    fn a_file_is_seen_without_the_kernel_s_help() {
        a_file_is_seen(|| None);
    }
}
