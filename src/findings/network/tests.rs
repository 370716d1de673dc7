use super::*;
use crate::{
    dockerd::configuration::Configuration,
    facts::network::{Mtu, Route},
};

fn good() -> Network {
    Network {
        mtu: Some(Mtu {
            interface: "eth0".into(),
            bytes: 1500,
        }),
        name_servers: vec!["10.255.255.53".parse().unwrap()],
        addresses: vec![address("127.0.0.1", 8), address("10.88.0.2", 16)],
        forwarding: Some(true),
        ..Network::default()
    }
}

fn address(address: &str, prefix: u32) -> Address {
    Address {
        interface: "eth0".into(),
        address: address.parse().unwrap(),
        prefix,
    }
}

fn judged(facts: &Network, trials: &Trials, arguments: &str) -> Vec<Finding> {
    let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
    let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
    findings(facts, trials, &options, false)
}

/// The only finding's id and cause.
fn only(found: Vec<Finding>) -> (&'static str, String, Severity) {
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].reason.id, found[0].to_string(), found[0].severity)
}

#[test]
fn a_good_network_has_nothing_to_say() {
    assert_eq!(judged(&good(), &Trials::default(), ""), []);
    let passed = Trials {
        nat: Outcome::Passed,
        raw: Outcome::Passed,
        ..Trials::default()
    };
    assert_eq!(judged(&good(), &passed, ""), []);
    assert_eq!(judged(&Network::default(), &passed, ""), []);
}

#[test]
fn iptables_own_words_say_which_table_is_missing() {
    let said = "TABLE_ADD failed (Not supported): table nat";
    let failed = || Outcome::Failed(said.to_owned());
    let nat = Trials {
        nat: failed(),
        raw: failed(),
        ..Trials::default()
    };
    let (id, text, severity) = only(judged(&good(), &nat, ""));
    assert_eq!((id, severity), ("NETWORK-NAT-MISSING", Severity::Fatal));
    assert!(text.contains(said) && text.contains("nftables"), "{text}");
    let (_, _, severity) = only(judged(&good(), &nat, "--bridge=none"));
    assert_eq!(severity, Severity::Error);
    let raw = Trials {
        nat: Outcome::Passed,
        raw: failed(),
        ..Trials::default()
    };
    let (id, _, severity) = only(judged(&good(), &raw, ""));
    assert_eq!((id, severity), ("NETWORK-RAW-TABLE", Severity::Warning));
}

#[test]
fn legacy_rules_beside_nftables_are_said() {
    let mut facts = good();
    facts.legacy_tables = vec!["nat".into()];
    let (id, text, severity) = only(judged(&facts, &Trials::default(), ""));
    assert_eq!((id, severity), ("NETWORK-BACKEND-MIXED", Severity::Warning));
    assert!(text.contains("tables nat"), "{text}");
    assert_eq!(judged(&facts, &Trials::default(), "--iptables=false"), []);
    let options = Options::new(&[], &Configuration::default(), &|_| None, true);
    assert_eq!(findings(&facts, &Trials::default(), &options, true), []);
}

#[test]
fn rules_of_nftables_beside_legacy_are_said() {
    let mut facts = good();
    let judged = |facts: &Network, legacy| {
        let options = Options::new(&[], &Configuration::default(), &|_| None, true);
        findings(facts, &Trials::default(), &options, legacy)
    };
    facts.nftables_rules = Some(3);
    let (id, text, severity) = only(judged(&facts, true));
    assert_eq!((id, severity), ("NETWORK-BACKEND-MIXED", Severity::Warning));
    assert!(text.contains("nftables has 3 rules"), "{text}");
    assert_eq!(judged(&facts, false), []);
    for silent in [Some(0), None] {
        facts.nftables_rules = silent;
        assert_eq!(judged(&facts, true), []);
    }
}

#[test]
fn a_smaller_mtu_is_named_in_cause_and_fix_unless_dockerd_is_told_it() {
    let mut facts = good();
    facts.mtu = Some(Mtu {
        interface: "eth0".into(),
        bytes: 1380,
    });
    let judged = |arguments: &str| {
        let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
        let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
        mtu(&facts, &options)
    };
    let text = judged("").unwrap().to_string();
    assert!(text.contains("eth0, takes 1380 bytes"), "{text}");
    assert!(
        text.contains("DIND_MTU: 1380") && !text.contains("1400"),
        "{text}"
    );
    for told in ["--mtu=1380", "--mtu 1300"] {
        assert_eq!(judged(told), None, "{told}");
    }
    let given = judged("--mtu=1400").unwrap();
    assert!(given.fix.contains("Take `--mtu` out"), "{given}");
}

#[test]
fn name_servers_that_containers_do_not_get_are_said() {
    let mut facts = good();
    facts.name_servers = vec!["127.0.0.11".parse().unwrap(), "::1".parse().unwrap()];
    let (id, text, _) = only(judged(&facts, &Trials::default(), ""));
    assert_eq!(id, "NETWORK-DNS-LOOPBACK");
    assert!(text.contains("127.0.0.11, ::1"), "{text}");
    assert_eq!(judged(&facts, &Trials::default(), "--dns 10.0.0.2"), []);
    // Whoever gives networks IPv6 has them reached.
    facts.name_servers.push("fd00::a".parse().unwrap());
    let (id, text, _) = only(judged(&facts, &Trials::default(), ""));
    assert_eq!(id, "NETWORK-DNS-IPV6");
    assert!(text.contains("127.0.0.11, ::1, fd00::a"), "{text}");
    assert_eq!(judged(&facts, &Trials::default(), "--ipv6"), []);
    facts.name_servers.push("10.0.0.2".parse().unwrap());
    assert_eq!(judged(&facts, &Trials::default(), ""), []);
}

#[test]
fn a_pod_amid_docker_s_addresses_is_warned_and_an_outer_docker_network_is_not() {
    let with = |own: Address| {
        let mut facts = good();
        facts.addresses.push(own);
        facts
    };
    let judged = |facts: &Network, arguments: &str| {
        let argv: Vec<_> = arguments.split_whitespace().map(Into::into).collect();
        let options = Options::new(&argv, &Configuration::default(), &|_| None, true);
        Vec::from_iter(pool_overlap(facts, &options))
    };
    let pod = with(address("172.20.3.4", 32));
    let (id, text, severity) = only(judged(&pod, ""));
    assert_eq!((id, severity), ("NETWORK-POOL-OVERLAP", Severity::Warning));
    assert!(text.contains("172.20.3.4/32"), "{text}");
    assert_eq!(judged(&pod, "--bip=10.1.0.1/24"), []);

    let calico = with(address("192.168.3.4", 32));
    assert_eq!(only(judged(&calico, "")).2, Severity::Note);
    for own in [address("172.17.0.2", 16), address("172.16.0.2", 24)] {
        assert_eq!(judged(&with(own), ""), []);
    }
}

#[test]
fn pools_without_a_free_network_keep_dockerd_from_starting() {
    let mut facts = good();
    let route = |destination: &str, prefix, gateway: Option<&str>| Route {
        interface: "eth0".into(),
        destination: destination.parse().unwrap(),
        prefix,
        gateway: gateway.map(|address| address.parse().unwrap()),
    };
    facts.routes = vec![
        route("0.0.0.0", 0, Some("10.213.0.1")),
        route("10.213.0.0", 24, None),
        route("10.214.0.0", 24, Some("10.213.0.1")),
    ];
    let pool = "--default-address-pool=base=10.213.0.0/24,size=24";
    let (id, text, severity) = only(judged(&facts, &Trials::default(), pool));
    assert_eq!((id, severity), ("NETWORK-POOL-OVERLAP", Severity::Fatal));
    assert!(
        text.contains("10.213.0.0/24 has no network that is free"),
        "{text}"
    );
    // What dockerd was seen to start with.
    for accepted in [
        "--default-address-pool=base=10.214.0.0/24,size=24",
        "--default-address-pool=base=10.212.0.0/15,size=24",
        &format!("{pool} --bridge=none"),
        &format!("{pool} --bip=10.99.0.1/24"),
        &format!("{pool} --default-address-pool=base=10.99.0.0/16,size=24"),
    ] {
        assert_eq!(
            judged(&facts, &Trials::default(), accepted),
            [],
            "{accepted}"
        );
    }
    facts.name_servers = vec!["10.99.0.53".parse().unwrap()];
    let server = "--default-address-pool=base=10.99.0.0/24,size=24";
    assert_eq!(judged(&facts, &Trials::default(), server).len(), 1);
    let mut docker0 = address("10.213.0.1", 24);
    docker0.interface = "docker0".into();
    facts.addresses.push(docker0);
    assert_eq!(judged(&facts, &Trials::default(), pool), []);
}

#[test]
fn forwarding_counts_where_dockerd_may_not_turn_it_on() {
    let mut facts = good();
    facts.forwarding = Some(false);
    assert_eq!(judged(&facts, &Trials::default(), ""), []);
    let told = only(judged(&facts, &Trials::default(), "--ip-forward=false"));
    assert_eq!((told.0, told.2), ("NETWORK-FORWARDING", Severity::Error));
    facts.forwarding_is_read_only = true;
    let stuck = only(judged(&facts, &Trials::default(), ""));
    assert_eq!((stuck.0, stuck.2), ("NETWORK-FORWARDING", Severity::Fatal));
}
