//! Killed at any instant, raced for, and read all the time: a reader that finds the same `ca.pem`
//! before and after its reading has a whole set, and the next start is never refused.

#![allow(clippy::unwrap_used, reason = "a test may fail with a panic")]

mod files;
mod kills;
mod publisher;
mod readers;
mod starts;

use std::{
    fs,
    sync::{Barrier, mpsc},
    thread,
    time::Duration,
};

use dind_init::testing::{
    facts::mounts::Mounts,
    pki::{ClientAction, ClientKeyInTheMaking, Job, Wanted, prepare},
    settings::{CertificateSettings, ClientKey, subject_names::SubjectName},
};
use nix::unistd::gettid;
use time::OffsetDateTime;

use files::memory;
use kills::Kills;
use publisher::Publisher;
use readers::{is_whole, while_reading};
use starts::{start, start_at};

#[test]
fn a_kill_at_any_instant_leaves_a_whole_set_or_none_and_the_next_start_replaces_it() {
    let mut kills = Kills::new(Publisher::new("ecdsa-p256"));
    kills.run(250, 4);
    kills.seen.assert_never_torn();
    kills.assert_spread(4);
    kills.assert_recovers();
}

#[test]
fn the_same_with_rsa_keys() {
    let mut kills = Kills::new(Publisher::new("rsa-2048"));
    kills.run(16, 1);
    kills.seen.assert_never_torn();
    kills.assert_recovers();
}

#[test]
fn the_same_under_a_ca_that_stays() {
    let mut publisher = Publisher::new("ecdsa-p256");
    publisher.ca_stays = true;
    let mut kills = Kills::new(publisher);
    kills.run(150, 1);
    kills.explore();
    kills.seen.assert_never_torn();
    kills.assert_spread(5);
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
    kills.run(60, 1);
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
