//! Other addresses for Docker's networks where dockerd's own would cover what the job needs.
//!
//! dockerd avoids what a route on a link leads to, and the name servers (each with the piece of
//! the pool that it lies in). A pod's network is mostly seen through a default route alone, so
//! dockerd takes 172.17.0.0/16 and what follows, however the cluster uses those.

use std::{fmt, net::Ipv4Addr};

use crate::{
    dockerd::pools::Pool,
    facts::network::{Network, Subnet},
};

/// Something outside that must stay in reach.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Neighbour {
    pub what: String,
    pub address: Ipv4Addr,
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.what)
    }
}

/// A private range and the pools in it. Whoever uses a part of one likely uses more of it, so it is
/// given up as a whole.
struct Range {
    whole: &'static str,
    pools: &'static [(&'static str, u8)],
}

/// dockerd's defaults (moby `daemon/libnetwork/ipamutils`), in its order.
const DEFAULTS: [Range; 2] = [
    Range {
        whole: "172.16.0.0/12",
        pools: &[
            ("172.17.0.0/16", 16),
            ("172.18.0.0/16", 16),
            ("172.19.0.0/16", 16),
            ("172.20.0.0/14", 16),
            ("172.24.0.0/14", 16),
            ("172.28.0.0/14", 16),
        ],
    },
    Range {
        whole: "192.168.0.0/16",
        pools: &[("192.168.0.0/16", 20)],
    },
];

/// What takes the place of a default; the first that is free. The last is kept for benchmarks of
/// network devices (RFC 2544), so nobody routes it.
const SUBSTITUTES: [Range; 2] = [
    Range {
        whole: "10.0.0.0/8",
        pools: &[("10.213.0.0/16", 24)],
    },
    Range {
        whole: "198.18.0.0/15",
        pools: &[("198.18.0.0/15", 24)],
    },
];

/// Other pools than dockerd's own, and what they are for; `None` where its own are right.
pub fn choose(facts: &Network, others: &[Neighbour]) -> Option<(Vec<Pool>, Vec<Neighbour>)> {
    let mut neighbours = neighbours(facts, others);
    let is_free = |range: &&Range| !neighbours.iter().any(|n| range.holds(n));
    let free: Vec<_> = DEFAULTS.iter().filter(is_free).collect();
    if free.len() == DEFAULTS.len() {
        return None;
    }
    let substitute = SUBSTITUTES.iter().find(is_free);
    let pools: Vec<Pool> = free
        .into_iter()
        .chain(substitute)
        .flat_map(Range::pools)
        .collect();
    neighbours.retain(|neighbour| DEFAULTS.iter().any(|range| range.holds(neighbour)));
    (!pools.is_empty()).then_some((pools, neighbours))
}

/// All but what lies in a network on a link of /16 or wider, such as one of an outer Docker:
/// dockerd sees it whole and avoids it.
fn neighbours(facts: &Network, others: &[Neighbour]) -> Vec<Neighbour> {
    let seen: Vec<Subnet> = facts
        .taken()
        .into_iter()
        .filter(|subnet| subnet.prefix <= 16)
        .collect();
    let own = facts
        .addresses
        .iter()
        .filter(|address| address.interface != "docker0")
        .map(|own| {
            (
                format!("this container's, on {}", own.interface),
                own.address,
            )
        });
    let gateways = facts
        .routes
        .iter()
        .filter_map(|route| Some(("a gateway".to_owned(), route.gateway?)));
    let destinations = facts
        .routes
        .iter()
        .filter(|route| route.prefix > 0 && route.interface != "docker0")
        .map(|route| (format!("a route, /{}", route.prefix), route.destination));
    let servers = facts.name_servers.iter().filter_map(|server| match server {
        std::net::IpAddr::V4(address) => Some(("a name server".to_owned(), *address)),
        std::net::IpAddr::V6(_) => None,
    });
    own.chain(gateways)
        .chain(destinations)
        .chain(servers)
        .map(|(what, address)| Neighbour { what, address })
        .chain(others.iter().cloned())
        .filter(|neighbour| {
            let alone = Subnet::new(neighbour.address, 32);
            !seen.iter().any(|subnet| subnet.overlaps(&alone))
        })
        .collect()
}

impl Range {
    fn holds(&self, neighbour: &Neighbour) -> bool {
        // The tables are tested to parse.
        let whole: Option<Subnet> = self.whole.parse().ok();
        whole.is_some_and(|whole| whole.overlaps(&Subnet::new(neighbour.address, 32)))
    }

    fn pools(&self) -> impl Iterator<Item = Pool> {
        self.pools.iter().filter_map(|(base, size)| {
            Some(Pool {
                base: base.parse().ok()?,
                size: *size,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::network::{Address, Route};

    fn pod(address: &str, prefix: u32) -> Network {
        Network {
            addresses: vec![Address {
                interface: "eth0".into(),
                address: address.parse().unwrap(),
                prefix,
            }],
            ..Network::default()
        }
    }

    fn route(destination: &str, prefix: u32, gateway: Option<&str>) -> Route {
        Route {
            interface: "eth0".into(),
            destination: destination.parse().unwrap(),
            prefix,
            gateway: gateway.map(|address| address.parse().unwrap()),
        }
    }

    fn chosen(facts: &Network, others: &[Neighbour]) -> Option<String> {
        let (pools, _) = choose(facts, others)?;
        let bases: Vec<_> = pools.iter().map(|pool| pool.base.to_string()).collect();
        Some(bases.join(" "))
    }

    const ALL_172: &str = "172.17.0.0/16 172.18.0.0/16 172.19.0.0/16 172.20.0.0/14 172.24.0.0/14 \
                           172.28.0.0/14";

    #[test]
    fn the_tables_parse_and_their_pools_lie_in_their_ranges() {
        for range in DEFAULTS.iter().chain(&SUBSTITUTES) {
            let whole: Subnet = range.whole.parse().unwrap();
            assert_eq!(range.pools().count(), range.pools.len());
            assert!(range.pools().all(|pool| pool.base.overlaps(&whole)));
        }
    }

    #[test]
    fn a_pod_elsewhere_and_one_in_an_outer_docker_s_network_keep_dockerd_s_own() {
        assert_eq!(chosen(&pod("10.1.2.3", 24), &[]), None);
        assert_eq!(chosen(&Network::default(), &[]), None);
        let mut outer = pod("172.17.0.2", 16);
        outer.routes = vec![
            route("0.0.0.0", 0, Some("172.17.0.1")),
            route("172.17.0.0", 16, None),
        ];
        assert_eq!(chosen(&outer, &[]), None);
        let beside = Neighbour {
            what: "gitlab.example.com".into(),
            address: "172.17.0.3".parse().unwrap(),
        };
        assert_eq!(chosen(&outer, &[beside]), None);
        // Its bridge of an earlier life is no neighbour.
        let mut restarted = pod("10.1.2.3", 24);
        restarted.addresses[0].interface = "docker0".into();
        restarted.addresses[0].address = "172.17.0.1".parse().unwrap();
        assert_eq!(chosen(&restarted, &[]), None);
    }

    #[test]
    fn a_range_that_is_used_outside_is_given_up_as_a_whole() {
        let eks = pod("172.31.5.6", 32);
        assert_eq!(chosen(&eks, &[]).unwrap(), "192.168.0.0/16 10.213.0.0/16");
        let (_, why) = choose(&eks, &[]).unwrap();
        assert_eq!(why[0].to_string(), "172.31.5.6 (this container's, on eth0)");
        let calico = pod("192.168.7.8", 32);
        assert_eq!(
            chosen(&calico, &[]).unwrap(),
            format!("{ALL_172} 10.213.0.0/16")
        );

        let mut server = pod("10.1.2.3", 24);
        server.name_servers = vec!["172.20.0.10".parse().unwrap()];
        assert_eq!(
            chosen(&server, &[]).unwrap(),
            "192.168.0.0/16 198.18.0.0/15"
        );
        let mut routed = pod("10.1.2.3", 24);
        routed.routes = vec![route("172.24.0.0", 24, Some("10.1.2.1"))];
        assert_eq!(
            chosen(&routed, &[]).unwrap(),
            "192.168.0.0/16 198.18.0.0/15"
        );

        let registry = Neighbour {
            what: "CI_REGISTRY".into(),
            address: "192.168.1.1".parse().unwrap(),
        };
        assert_eq!(
            chosen(&eks, std::slice::from_ref(&registry)).unwrap(),
            "10.213.0.0/16"
        );
        assert_eq!(
            chosen(&pod("10.1.2.3", 24), &[registry]).unwrap(),
            format!("{ALL_172} 198.18.0.0/15")
        );
    }
}
