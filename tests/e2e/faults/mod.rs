//! The fault matrix: one fault in a pod like that of a GitLab job, an unmodified job, and a job's
//! log that says why: the id of the reason, what was found here, and what to change.

mod certs;
mod cgroup;
mod client;
mod commands;
mod daemon;
mod life;
mod network;
pub mod paste;
mod privilege;
mod quiet;
mod registry;
mod row;
mod settings;
mod storage;
mod without_tls;

use self::paste::{
    Cure::{Done, InVain, OutOfReach, Pasted, PastedAfter, PastedWith},
    cured,
};
pub use self::row::names;
use self::row::{CANNOT_CONNECT, Check, Client, Fault, wait_for};
use crate::gitlab::RunnerLog;
use crate::openssl::{Authority, Profile};
use crate::pod::{Plan, Pod};
use crate::suite::Suite;
use crate::transcript::Transcript;
use crate::volume::Volume;

/// For a dockerd that opens its port itself: until it does, or has ended, nobody answers there.
const INFO_WHEN_ANSWERED: &str = "until said=$(docker info 2>&1) || [[ $said == *dind-init* ]]
    do sleep 0.1; done; docker info";

/// The pod that the healthy jobs of GitLab's documentation have.
fn with_certs(pod: Plan) -> Plan {
    pod.certs(&Volume::memory())
}

/// The certificate that so many have mounted in the wrong place.
fn registry_ca() -> String {
    Authority::new("Example Corp Registry CA", Profile::Strict).certificate()
}

fn docker_20(fault: &Fault) {
    fault.is_explained_by(Suite::Bookworm);
}

fn docker_26(fault: &Fault) {
    fault.is_explained_by(Suite::Trixie);
}

fn docker_28(fault: &Fault) {
    fault.is_explained_by(Suite::Sid);
}

/// A row, and the versions of Docker on which it is tried: a test for each. The lines of a fix are
/// the same for all of them, so they are pasted on the first.
/// `explained`: its lines are another row's, which is pasted.
macro_rules! fault {
    ($name:ident, [$($docker:ident),+], explained, $fault:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fault!(@tests, [$($docker),+], $fault);
        }
    };
    ($name:ident, [$first:ident $(, $docker:ident)*], $fault:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports)] // not every row needs all
            use super::*;

            fault!(@tests, [$first $(, $docker)*], $fault);

            mod pasted {
                #[allow(unused_imports)]
                use super::*;

                #[test]
                fn $first() {
                    $crate::faults::paste::$first(&$fault);
                }
            }
        }
    };
    (@tests, [$($docker:ident),+], $fault:expr) => {
        $(
            #[test]
            fn $docker() {
                $crate::faults::$docker(&$fault);
            }
        )+
    };
}
use fault;

/// The control of what is pasted: the lines of another fix do not cure.
#[test]
fn control_a_fix_for_something_else_does_not_cure() {
    let told = "dind-init: error CLIENT-PROXY: x\n  Fix: In .gitlab-ci.yml:\n        \
                variables:\n          NO_PROXY: docker\n";
    let plan = with_certs(Pod::new(Suite::Trixie)).unprivileged();
    let plan = plan.gitlab_job(&Volume::disk());
    let plan = cured(plan, told, "CLIENT-PROXY", Pasted).unwrap();
    let pod = plan.start();
    pod.job("docker info")
        .expect_failure()
        .expect("NOT-PRIVILEGED");
}

/// The control: without the init the same job hears nothing, and the matrix would notice.
#[test]
fn control_a_job_without_the_init_is_told_nothing() {
    let log = RunnerLog::new();
    let pod = Pod::new(Suite::Trixie)
        .plain()
        .gitlab_job(&Volume::disk())
        .entrypoint_script("exec dockerd --bad-flag")
        .runner_log(&log)
        .start();
    let outcome = pod.job("docker info").expect_failure();
    let fault = Fault {
        id: "DAEMON-FLAG",
        fact: "--bad-flag",
        fix: "DIND_DOCKERD_ARGS",
        ..Fault::USUAL
    };
    let heard = format!("{}{}", outcome.output(), log.text().unwrap());
    assert_eq!(fault.missing(&heard).len(), 4, "{heard}");
    assert_eq!(fault.missing_in_names(&heard).len(), 3, "{heard}");
}

/// The control: a reason whose id only begins or ends as that of the row is another one.
#[test]
fn control_an_id_is_the_whole_id() {
    let fault = Fault {
        id: "NETWORK-SOCKET",
        fact: "a socket",
        fix: "Take it out",
        ..Fault::USUAL
    };
    for (id, is_missing) in [
        ("NETWORK-SOCKET", false),
        ("NETWORK-SOCKET-BUSY", true),
        ("OTHER-NETWORK-SOCKET", true),
        ("NETWORK-SOCKETS", true),
        ("NETWORK", true),
    ] {
        let log = format!("dind-init: fatal {id}: a socket\n  Fix: Take it out");
        assert_eq!(!fault.missing(&log).is_empty(), is_missing, "{id}");
        let name = format!("x509: certificate is valid for {id}.a-socket.dind-init, not docker");
        assert_eq!(
            !fault.missing_in_names(&name).is_empty(),
            is_missing,
            "{id}"
        );
    }
}
