//! The service's own variables say what it does not know.

use super::*;

pub const VALUE_NOT_TAKEN: Fault = Fault {
    pod: |pod| with_certs(pod).variable("DIND_MTU", "small"),
    id: "SETTINGS-INVALID",
    fact: "DIND_MTU has the value \"small\"",
    fix: "dind-init --help",
    cure: OutOfReach("whoever set it knows what was meant"),
    ..Fault::USUAL
};

fault!(
    a_value_that_the_service_does_not_take,
    [docker_26],
    VALUE_NOT_TAKEN
);

fault!(
    a_wrong_way_back,
    [docker_26],
    Fault {
        pod: |pod| with_certs(pod).variable("DIND_INIT", "offical"),
        id: "SETTINGS-INVALID",
        fact: "DIND_INIT has the value \"offical\"",
        fix: "dind-init --help",
        cure: OutOfReach("whoever set it knows what was meant"),
        ..Fault::USUAL
    }
);
