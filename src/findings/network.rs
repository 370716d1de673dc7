//! Whether dockerd's networks work beside those of this container.

use crate::{
    dockerd::options::Options,
    facts::network::{Address, Network},
    reasons::{Finding, Severity, network},
    trials::{Outcome, Trials},
};

/// What dockerd's networks will run into. `legacy` is the kind of iptables that dockerd gets.
pub fn findings(facts: &Network, trials: &Trials, options: &Options, legacy: bool) -> Vec<Finding> {
    let mixed = options
        .iptables
        .then(|| backend_mixed(facts, legacy))
        .flatten();
    [
        mixed,
        nat_missing(trials, options, legacy),
        raw_table(trials),
        forwarding(facts, options),
        used_up(facts, options),
        dns_loopback(facts, options),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Rules of the other kind are there: it works until one of them drops what dockerd's let pass.
fn backend_mixed(facts: &Network, legacy: bool) -> Option<Finding> {
    let cause = match (legacy, facts.nftables_rules) {
        (false, _) if !facts.legacy_tables.is_empty() => format!(
            "legacy iptables is in use here (tables {} in /proc/net/ip_tables_names), and dockerd \
             is going to use nftables.",
            facts.legacy_tables.join(", ")
        ),
        (true, Some(rules)) if rules > 0 => format!(
            "nftables has {rules} {} in the table filter here, and dockerd is going to use legacy \
             iptables.",
            if rules == 1 { "rule" } else { "rules" }
        ),
        _ => return None,
    };
    let finding = network::BACKEND_MIXED.met(cause);
    Some(finding.with_severity(Severity::Warning))
}

/// Without the default bridge dockerd starts with fewer rules, and other networks lack them.
fn nat_missing(trials: &Trials, options: &Options, legacy: bool) -> Option<Finding> {
    let Outcome::Failed(said) = &trials.nat else {
        return None;
    };
    let kind = if legacy { "legacy" } else { "nftables" };
    let finding = network::NAT_MISSING.met(format!(
        "rules like Docker's were tried with {kind} iptables, in a network of their own:\n{said}"
    ));
    Some(match options.default_bridge {
        true => finding,
        false => finding.with_severity(Severity::Error),
    })
}

/// Older Dockers do without, so that it is only said.
fn raw_table(trials: &Trials) -> Option<Finding> {
    let Outcome::Failed(said) = &trials.raw else {
        return None;
    };
    // Who has no nat table either has a larger trouble, with the same cure.
    let alone = !matches!(trials.nat, Outcome::Failed(_));
    alone.then(|| {
        network::RAW_TABLE
            .met(said.clone())
            .with_severity(Severity::Warning)
    })
}

/// dockerd turns forwarding on where it may, and ends where it should and may not.
fn forwarding(facts: &Network, options: &Options) -> Option<Finding> {
    if facts.forwarding != Some(false) {
        return None;
    }
    if !options.ip_forward {
        return Some(network::FORWARDING.met(
            "net.ipv4.ip_forward is 0, and --ip-forward=false tells dockerd to leave it so.",
        ));
    }
    facts.forwarding_is_read_only.then(|| {
        network::FORWARDING
            .met(
                "net.ipv4.ip_forward is 0, and /proc/sys is mounted read-only, so dockerd cannot \
                 turn it on, and ends.",
            )
            .with_severity(Severity::Fatal)
    })
}

/// The default bridge gets a piece of a pool that no route on a link leads to and no name server
/// lies in; without one dockerd ends (20.10.24, 26.1.5 and 28.5.2, tried; a route with a gateway
/// keeps none of them from it). A bridge of an earlier life of this container keeps its address.
fn used_up(facts: &Network, options: &Options) -> Option<Finding> {
    let pools = options.pools.as_ref()?;
    let has_bridge = facts.addresses.iter().any(|a| a.interface == "docker0");
    if !options.chooses_bridge_address || has_bridge {
        return None;
    }
    let taken = facts.taken();
    pools.iter().all(|pool| pool.is_used_up(&taken)).then(|| {
        let pools: Vec<_> = pools.iter().map(|pool| pool.base.to_string()).collect();
        let taken: Vec<_> = taken.iter().map(ToString::to_string).collect();
        network::POOL_OVERLAP.met(format!(
            "the default address pool {} has no network that is free: this container's own routes \
             and name servers are in it ({}), and dockerd ends without one for its bridge.",
            pools.join(", "),
            taken.join(", ")
        ))
    })
}

/// dockerd takes 172.17.0.0/16 to 172.31.0.0/16 first, and 192.168.0.0/16 in pieces when those
/// are used up. It avoids what a route of this container leads to, and the name servers; what
/// else is there outside it cannot know (moby `daemon/libnetwork/netutils`).
pub fn pool_overlap(facts: &Network, options: &Options) -> Option<Finding> {
    if options.addresses {
        return None;
    }
    let (address, pool) = facts
        .addresses
        .iter()
        .find_map(|address| Some((address, pool_around(address)?)))?;
    let finding = network::POOL_OVERLAP.met(format!(
        "this container's address {address} lies in {pool}, where Docker's own networks are put: \
         what has such an address outside may be out of reach."
    ));
    Some(finding.with_severity(match pool {
        Pool::First => Severity::Warning,
        Pool::Last => Severity::Note,
    }))
}

/// Docker's default address pools.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pool {
    First,
    Last,
}

impl std::fmt::Display for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::First => "172.17.0.0 to 172.31.255.255",
            Self::Last => "192.168.0.0/16 (only for the sixteenth network and later ones)",
        })
    }
}

/// A network of /16 or wider, such as one of the outer Docker, is one that dockerd sees whole and
/// avoids; of a smaller one, as pods have, there are likely others around it.
fn pool_around(address: &Address) -> Option<Pool> {
    if address.prefix <= 16 {
        return None;
    }
    match address.address.octets() {
        [172, 17..=31, ..] => Some(Pool::First),
        [192, 168, ..] => Some(Pool::Last),
        _ => None,
    }
}

/// What nobody changes: it is dockerd's own or the user's word.
pub fn mtu(facts: &Network, options: &Options) -> Option<Finding> {
    let out = facts.mtu.as_ref()?;
    (out.bytes < options.mtu).then(|| {
        network::MTU.found(
            format!(
                "the way out of this container, {}, takes {} bytes, and Docker's networks have \
                 an MTU of {}.",
                out.interface, out.bytes, options.mtu
            ),
            network::MTU.advice.replace("1400", &out.bytes.to_string()),
        )
    })
}

fn dns_loopback(facts: &Network, options: &Options) -> Option<Finding> {
    let all_loopback = facts.name_servers.iter().all(|server| server.is_loopback());
    (all_loopback && !facts.name_servers.is_empty() && !options.dns).then(|| {
        let servers: Vec<String> = facts.name_servers.iter().map(ToString::to_string).collect();
        network::DNS_LOOPBACK.met(format!(
            "/etc/resolv.conf names {} only.",
            servers.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
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
            text.contains("--mtu=1380") && !text.contains("1400"),
            "{text}"
        );
        for told in ["--mtu=1380", "--mtu 1300"] {
            assert_eq!(judged(told), None, "{told}");
        }
        assert!(judged("--mtu=1400").is_some());
    }

    #[test]
    fn only_loopback_name_servers_are_said() {
        let mut facts = good();
        facts.name_servers = vec!["127.0.0.11".parse().unwrap(), "::1".parse().unwrap()];
        let (id, text, _) = only(judged(&facts, &Trials::default(), ""));
        assert_eq!(id, "NETWORK-DNS-LOOPBACK");
        assert!(text.contains("127.0.0.11, ::1"), "{text}");
        assert_eq!(judged(&facts, &Trials::default(), "--dns 10.0.0.2"), []);
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
}
