//! Whether dockerd's networks work beside those of this container.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    dockerd::options::Options,
    facts::network::{Address, Network, Subnet},
    reasons::{Finding, Severity, hole::Hole, network},
    trials::{Outcome, Trials},
};

/// Docker's default, and that of Ethernet.
pub const USUAL_MTU: u32 = 1500;

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
        name_servers(facts, options),
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
    let finding = network::BACKEND_MIXED.met_with(cause, [other_kind(legacy)]);
    Some(finding.with_severity(Severity::Warning))
}

/// Without the default bridge dockerd starts with fewer rules, and other networks lack them.
fn nat_missing(trials: &Trials, options: &Options, legacy: bool) -> Option<Finding> {
    let Outcome::Failed(said) = &trials.nat else {
        return None;
    };
    // That may be over when dockerd makes its rules.
    if network::TABLES_BUSY.is_shown_by(&said.to_ascii_lowercase()) {
        return None;
    }
    let kind = if legacy { "legacy" } else { "nftables" };
    let cause = format!(
        "rules like Docker's were tried with {kind} iptables, in a network of their own:\n{said}"
    );
    let finding = network::NAT_MISSING.met_with(cause, [other_kind(legacy)]);
    Some(match options.default_bridge {
        true => finding,
        false => finding.with_severity(Severity::Error),
    })
}

/// The value of `DOCKER_IPTABLES_LEGACY` that has dockerd use the other kind.
fn other_kind(legacy: bool) -> (Hole, String) {
    (Hole::Legacy, if legacy { "" } else { "1" }.to_owned())
}

/// Older Dockers do without, so that it is only said.
fn raw_table(trials: &Trials) -> Option<Finding> {
    let Outcome::Failed(said) = &trials.raw else {
        return None;
    };
    // Without a nat table there is a larger problem, with the same cure.
    let alone = !matches!(trials.nat, Outcome::Failed(_));
    alone.then(|| {
        network::RAW_TABLE
            .met(said.clone())
            .with_severity(Severity::Warning)
    })
}

/// dockerd turns forwarding on where it may, and ends where it should and may not. With nftables it
/// leaves it alone and ends (moby `daemon/libnetwork/drivers/bridge`).
fn forwarding(facts: &Network, options: &Options) -> Option<Finding> {
    if facts.forwarding != Some(false) {
        return None;
    }
    if !options.ip_forward {
        return Some(network::FORWARDING.met(
            "net.ipv4.ip_forward is 0, and --ip-forward=false tells dockerd to leave it so.",
        ));
    }
    if options.nftables {
        let finding = network::FORWARDING.advised(
            "net.ipv4.ip_forward is 0, and with --firewall-backend=nftables dockerd does not turn \
             it on, and ends.",
            network::FORWARDING_WITH_NFTABLES,
            [],
        );
        return Some(finding.with_severity(Severity::Fatal));
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
        let cause = format!(
            "the default address pool {} has no network that is free: this container's own routes \
             and name servers are in it ({}), and dockerd ends without one for its bridge.",
            pools.join(", "),
            taken.join(", ")
        );
        network::POOL_OVERLAP.met_with(cause, free_ranges(facts))
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
    let cause = format!(
        "this container's address {address} lies in {pool}, where Docker's own networks are put: \
         what has such an address outside may be out of reach."
    );
    let finding = network::POOL_OVERLAP.met_with(cause, free_ranges(facts));
    Some(finding.with_severity(match pool {
        Pool::First => Severity::Warning,
        Pool::Last => Severity::Note,
    }))
}

/// A network for the default bridge and a range for others that nothing here leads to.
fn free_ranges(facts: &Network) -> [(Hole, String); 2] {
    let taken = facts.taken();
    let is_free = |range: &Subnet| !taken.iter().any(|taken| taken.overlaps(range));
    // Odd ones, which others take less often than 10.0 or 10.100; then those that are kept for
    // benchmarks of network devices (RFC 2544), so that nobody routes them.
    let odd = (213..=254).chain(128..213).map(|second| [10, second]);
    let mut free = odd
        .chain([[198, 18], [198, 19]])
        .map(|[first, second]| Subnet::new(Ipv4Addr::new(first, second, 0, 0), 16))
        .filter(is_free);
    let mut next = || {
        free.next()
            .unwrap_or(Subnet::new(Ipv4Addr::new(198, 19, 0, 0), 16))
    };
    let [first, second, ..] = Ipv4Addr::from(next().first()).octets();
    [
        (Hole::Bridge, format!("{first}.{second}.0.1/24")),
        (Hole::Pool, next().to_string()),
    ]
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
        let cause = format!(
            "the way out of this container, {}, takes {} bytes, and Docker's networks have an MTU \
             of {}.",
            out.interface, out.bytes, options.mtu
        );
        let advice = match options.mtu_is_given {
            true => network::MTU_GIVEN,
            false => network::MTU.advice,
        };
        let bytes = (Hole::Bytes, out.bytes.to_string());
        network::MTU.advised(cause, advice, [bytes])
    })
}

/// `--mtu` is for the default network alone.
pub fn mtu_of_the_job_s_networks(facts: &Network, options: &Options) -> Option<Finding> {
    let out = facts.mtu.as_ref()?;
    let is_half = options.mtu_is_given && !options.network_options_are_given;
    (is_half && out.bytes < USUAL_MTU).then(|| {
        network::MTU.advised(
            format!(
                "dockerd is told an MTU of {}, which is for its default network alone. Networks \
                 that a job makes, those of docker compose among them, have {USUAL_MTU}, and the way \
                 out, {}, takes {} bytes.",
                options.mtu, out.interface, out.bytes
            ),
            network::MTU_OF_NETWORKS,
            [(Hole::Bytes, out.bytes.to_string())],
        )
    })
}

/// What Docker does not hand on to the default network: loopback addresses, and those of IPv6 where
/// the network has none.
fn name_servers(facts: &Network, options: &Options) -> Option<Finding> {
    let servers = &facts.name_servers;
    let reason = if servers.iter().all(IpAddr::is_loopback) {
        &network::DNS_LOOPBACK
    } else {
        &network::DNS_IPV6
    };
    let is_handed_on =
        |server: &IpAddr| !server.is_loopback() && (server.is_ipv4() || options.ipv6);
    let none = !servers.is_empty() && !servers.iter().any(is_handed_on);
    (none && !options.dns).then(|| {
        let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
        reason.met(format!(
            "/etc/resolv.conf names {} only.",
            servers.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests;
