//! Rows of the other files once more, for a daemon and clients without TLS: the port is open from
//! the start, and the answer is read by whoever dials.

use super::*;

fault!(
    a_service_that_is_not_privileged,
    [docker_26],
    Fault {
        pod: |pod| pod.plain().unprivileged(),
        id: "NOT-PRIVILEGED",
        fact: "CAP_SYS_ADMIN",
        fix: "privileged = true",
        ..Fault::USUAL
    }
);

fault!(
    a_flag_that_dockerd_does_not_know,
    [docker_26],
    Fault {
        pod: |pod| pod.plain().command(&["--mtuu=1400"]),
        id: "DAEMON-FLAG",
        fact: "unknown flag: --mtuu",
        fix: "command: [\"--mtu=1400\"]",
        ..Fault::USUAL
    }
);

fault!(
    a_value_that_the_service_does_not_take,
    [docker_26],
    Fault {
        pod: |pod| pod.plain().variable("DIND_MTU", "small"),
        ..settings::VALUE_NOT_TAKEN
    }
);

fault!(
    a_dockerd_that_is_killed_in_mid_job,
    [docker_26],
    Fault {
        pod: Plan::plain,
        ..daemon::KILLED_IN_MID_JOB
    }
);
