//! Another container of the pod that has the service's port, and the name under which a dind-init
//! that holds it only to explain something would be asked for it.

use crate::{
    pod,
    pods::{pod::Plan, volume::Volume},
    works,
};

/// A pod with a neighbour that does this, in Perl, with each `$client` who asks for its `$port`.
fn pod_beside(does: &str) -> Plan {
    let neighbour = format!(
        r#"exec perl -e '
        use Socket;
        $SIG{{PIPE}} = "IGNORE";
        socket(my $port, PF_INET6, SOCK_STREAM, 0) or die;
        bind($port, pack_sockaddr_in6(2376, "\0" x 16)) && listen($port, 5) or die;
        socket(my $name, PF_UNIX, SOCK_STREAM, 0) or die;
        bind($name, pack_sockaddr_un("\0dind-init/explains/2376")) && listen($name, 5) or die;
        sub pause {{ select(undef, undef, undef, 0.01) }}
        while (accept(my $client, $name)) {{ {does} }}'"#
    );
    pod(&Volume::disk())
        .certs(&Volume::memory())
        .other_service(&neighbour)
        .entrypoint_script(
            "until grep -q @dind-init/explains/2376 /proc/net/unix; do sleep 0.1; done
             exec dockerd-entrypoint.sh",
        )
}

#[test]
fn somebody_else_who_has_the_port_and_its_name_is_neither_waited_for_nor_listened_to() {
    for does in [
        r#"while (defined syswrite($client, ".")) { pause() }"#,
        r#"my $much = "x" x 65536; while (defined syswrite($client, $much)) {}"#,
        "sleep 1000;",
    ] {
        // dockerd is not started, and needs none.
        let pod = pod_beside(does).service_option("--memory=32m").start();
        pod.service_end()
            .expect_failure()
            .expect("NETWORK-PORT-IN-USE");
    }
}

/// The control: who lets go of the port, as a dind-init does, is asked for it with success.
#[test]
fn who_lets_go_of_the_port_is_heard() {
    let pod = pod_beside("close($port); close($client); sleep 1000;").start();
    works(&pod);
}
