//! Who is accepted, served and sent away: one thread for all clients.

use std::{
    fs::File,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{self as nix_poll, PollFd, PollFlags},
    sys::{
        eventfd::EventFd,
        socket::{SockFlag, accept4},
    },
};
use rustls::ServerConfig;

use super::connection::{Connection, Wants};
use crate::system::poll;

/// With more connections than this the oldest is closed, so that idle ones keep nobody out.
pub(super) const CONNECTIONS: usize = 256;

/// So many are accepted before those that are here have their turn.
const MOST_AT_ONCE: usize = 64;

/// How long nobody is accepted where there is no descriptor for it.
const REST: Duration = Duration::from_millis(100);

/// From its first byte to its last, a connection takes no longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What the thread works with.
pub(super) struct Answering {
    listeners: Vec<OwnedFd>,
    stop: Arc<EventFd>,
    tls: Option<Arc<ServerConfig>>,
    explanation: Arc<str>,
    /// The oldest first.
    connections: Vec<(Connection, Instant)>,
    /// Accepts nobody until then.
    rests_until: Option<Instant>,
}

impl Answering {
    pub(super) fn new(
        listeners: Vec<OwnedFd>,
        stop: Arc<EventFd>,
        tls: Option<Arc<ServerConfig>>,
        explanation: &str,
    ) -> Self {
        Self {
            listeners,
            stop,
            tls,
            explanation: explanation.into(),
            connections: Vec::new(),
            rests_until: None,
        }
    }

    pub(super) fn run(&mut self) {
        loop {
            let ready = self.wait();
            let (stop, ready) = ready.split_at(1);
            if stop[0] {
                return;
            }
            let (listeners, connections) = ready.split_at(self.listeners.len());
            self.serve(connections);
            for position in (0..self.listeners.len()).filter(|position| listeners[*position]) {
                self.accept(position);
            }
        }
    }

    /// Waits for anything to happen, and says to whom: the stop, the listeners, the connections.
    fn wait(&self) -> Vec<bool> {
        let rests_until = self.rests_until.filter(|until| *until > Instant::now());
        let deadlines = self.connections.iter().map(|(_, deadline)| *deadline);
        let timeout = poll::timeout(deadlines.chain(rests_until).min());
        let accepts = match rests_until {
            None => Wants::Read.events(),
            Some(_) => PollFlags::empty(),
        };
        let stop = PollFd::new(self.stop.as_fd(), Wants::Read.events());
        let listeners = self.listeners.iter();
        let listeners = listeners.map(|listener| PollFd::new(listener.as_fd(), accepts));
        let always = std::iter::once(stop).chain(listeners);
        let clients = self
            .connections
            .iter()
            .map(|(client, _)| PollFd::new(client.as_fd(), client.wants().events()));
        let mut sources: Vec<_> = always.chain(clients).collect();
        // An error is EINTR or a lack of memory; nothing is ready then.
        let _ = nix_poll::poll(&mut sources, timeout);
        let is_ready = |source: &PollFd<'_>| source.any().unwrap_or(false);
        sources.iter().map(is_ready).collect()
    }

    fn serve(&mut self, ready: &[bool]) {
        let now = Instant::now();
        let mut ready = ready.iter();
        self.connections.retain_mut(|(client, deadline)| {
            // One answer for each, in the same order.
            let is_ready = ready.next().copied().unwrap_or(false);
            *deadline > now && (!is_ready || client.advance().is_ok_and(|open| open))
        });
    }

    /// Takes those that wait, and not without end: clients that come faster than they are taken
    /// would keep those that are here, and whoever wants this to stop.
    fn accept(&mut self, listener: usize) {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        for _ in 0..MOST_AT_ONCE {
            // Without a descriptor accept fails before it has looked whether anybody waits, and
            // nobody is to give way to nobody.
            if !poll::is_readable(self.listeners[listener].as_fd()) {
                return;
            }
            let client = match accept4(self.listeners[listener].as_raw_fd(), flags) {
                Ok(client) => client,
                // No descriptors are left: the oldest client gives way to the next one.
                Err(Errno::EMFILE | Errno::ENFILE) if !self.connections.is_empty() => {
                    self.connections.remove(0);
                    continue;
                }
                // Who still waits in the backlog would wake us again at once.
                Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) => {
                    self.rests_until = Some(Instant::now() + REST);
                    return;
                }
                Err(_) => return,
            };
            // SAFETY: accept4 has just made the descriptor, and nothing else owns it.
            let client = unsafe { OwnedFd::from_raw_fd(client) };
            if self.connections.len() >= CONNECTIONS {
                self.connections.remove(0);
            }
            let client = Connection::new(
                File::from(client),
                self.tls.clone(),
                Arc::clone(&self.explanation),
            );
            self.connections.push((client, Instant::now() + PATIENCE));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
    };

    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    use super::*;
    use crate::system::alone::is_alone;

    fn answering(listener: TcpListener) -> Answering {
        let stop = Arc::new(EventFd::new().unwrap());
        Answering::new(vec![listener.into()], stop, None, "x")
    }

    #[test]
    fn who_has_no_descriptors_rests_before_it_looks_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut answering = answering(listener);
        answering.rests_until = Some(Instant::now() + REST);
        assert_eq!(answering.wait(), [false, false]);
        answering.rests_until = None;
        assert_eq!(answering.wait(), [false, true]);
    }

    #[test]
    fn who_comes_faster_than_it_is_taken_waits_for_those_that_are_here() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = |_| TcpStream::connect(address).unwrap();
        let _clients: Vec<_> = (0..MOST_AT_ONCE + 2).map(connect).collect();
        let mut answering = answering(listener);
        answering.accept(0);
        assert_eq!(answering.connections.len(), MOST_AT_ONCE);
        assert_eq!(answering.wait()[..2], [false, true]);
        answering.accept(0);
        assert_eq!(answering.connections.len(), MOST_AT_ONCE + 2);
    }

    /// All descriptors but those that are open are used up.
    fn fill() -> Vec<File> {
        std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
    }

    #[test]
    fn without_descriptors_the_oldest_client_gives_way_and_without_clients_it_rests() {
        let name = "without_descriptors_the_oldest_client_gives_way_and_without_clients_it_rests";
        if !is_alone(&format!("error_daemon::answering::tests::{name}")) {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect(address).unwrap();
        let [mut first, mut second, mut third] = [(); 3].map(|()| connect());
        let mut answering = answering(listener);
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 64, hard).unwrap();
        let mut others = fill();
        // One for the first, who gives way to the second, who gives way to the third.
        others.pop();
        answering.accept(0);
        for gone in [&mut first, &mut second] {
            assert_eq!(gone.read(&mut [0]).unwrap(), 0);
        }
        third.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        answering.serve(&[true]);
        assert_eq!(answering.connections.len(), 1);
        third.read_exact(&mut [0; 12]).unwrap();
        assert_eq!(answering.rests_until, None);

        answering.connections.clear();
        others.extend(fill());
        // Its descriptor is made before there is none left for the other side.
        others.pop();
        let _fourth = connect();
        let before = Instant::now();
        answering.accept(0);
        assert!(answering.connections.is_empty());
        let rests_until = answering.rests_until.unwrap();
        assert!(before + REST <= rests_until && rests_until <= Instant::now() + REST);
        drop(others);
    }
}
