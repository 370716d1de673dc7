//! The network that dockerd's own networks are put beside.

use std::{
    fmt, fs,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    path::Path,
    str::FromStr,
};

use nix::{
    ifaddrs::getifaddrs,
    sys::socket::{getsockopt, sockopt},
};

use super::mounts::Mounts;

/// What is known of this network namespace; what cannot be read is empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Network {
    pub routes: Vec<Route>,
    /// Of the way out; `None` without a default route.
    pub mtu: Option<Mtu>,
    /// `/etc/resolv.conf`.
    pub name_servers: Vec<IpAddr>,
    pub addresses: Vec<Address>,
    /// `/proc/sys/net/ipv4/ip_forward`.
    pub forwarding: Option<bool>,
    /// `/proc/sys` is mounted read-only, as without --privileged.
    pub forwarding_is_read_only: bool,
    /// Tables that legacy iptables has here; they exist only once used.
    pub legacy_tables: Vec<String>,
    /// IPv4 rules of nftables in `filter`; asked only where legacy iptables is used.
    pub nftables_rules: Option<usize>,
}

/// The largest packet on the way out of this container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mtu {
    pub interface: String,
    pub bytes: u32,
}

/// An IPv4 address of an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    pub interface: String,
    pub address: Ipv4Addr,
    pub prefix: u32,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({})", self.address, self.prefix, self.interface)
    }
}

/// A range of IPv4 addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Subnet {
    address: Ipv4Addr,
    pub prefix: u8,
}

impl Subnet {
    /// The range of `prefix` that `address` lies in.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Self {
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        Self {
            address: (u32::from(address) & mask).into(),
            prefix,
        }
    }

    /// The first address as a number.
    pub fn first(&self) -> u32 {
        self.address.into()
    }

    /// How many addresses there are.
    pub fn length(&self) -> u64 {
        1 << (32 - self.prefix)
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        let shorter = self.prefix.min(other.prefix);
        Self::new(self.address, shorter) == Self::new(other.address, shorter)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// As `10.0.0.0/8`.
impl FromStr for Subnet {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32);
        Ok(Self::new(
            address.parse().map_err(|_| ())?,
            prefix.ok_or(())?,
        ))
    }
}

/// A line of `/proc/net/route`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    pub interface: String,
    pub destination: Ipv4Addr,
    pub prefix: u32,
    /// `None` where the destination is on the link itself.
    pub gateway: Option<Ipv4Addr>,
}

impl Network {
    pub fn read(mounts: &Mounts) -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let routes = parse_routes(&text("/proc/net/route"));
        let sysctl = Path::new("/proc/sys/net/ipv4");
        let interface = routes
            .iter()
            .find(|route| route.prefix == 0)
            .map(|route| route.interface.clone())
            .or_else(|| default_interface_v6(&text("/proc/net/ipv6_route")));
        Self {
            mtu: interface.and_then(Mtu::of),
            routes,
            name_servers: parse_name_servers(&text("/etc/resolv.conf")),
            addresses: addresses(),
            forwarding: match text("/proc/sys/net/ipv4/ip_forward").trim() {
                "0" => Some(false),
                "" => None,
                _ => Some(true),
            },
            forwarding_is_read_only: mounts.holding(sysctl).is_some_and(|m| m.read_only),
            legacy_tables: text("/proc/net/ip_tables_names")
                .lines()
                .map(str::to_owned)
                .collect(),
            nftables_rules: None,
        }
    }

    /// What dockerd gives no network of its own: what is on a link, and the name servers.
    pub fn taken(&self) -> Vec<Subnet> {
        let on_link = self
            .routes
            .iter()
            // A route that rejects packets has no interface, and does not count for dockerd.
            .filter(|route| route.gateway.is_none() && route.prefix > 0 && route.interface != "*")
            .map(|route| Subnet::new(route.destination, route.prefix as u8));
        let servers = self.name_servers.iter().filter_map(|server| match server {
            IpAddr::V4(address) => Some(Subnet::new(*address, 32)),
            IpAddr::V6(_) => None,
        });
        on_link.chain(servers).collect()
    }
}

impl Mtu {
    fn of(interface: String) -> Option<Self> {
        let file = format!("/sys/class/net/{interface}/mtu");
        let of_interface: u32 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        // A route may have a smaller one of its own, as Cilium's do.
        let of_route = route_mtu(DOCUMENTATION_ADDRESS).unwrap_or(of_interface);
        Some(Self {
            interface,
            bytes: of_interface.min(of_route),
        })
    }
}

/// An address that nobody has (RFC 5737): what leads there is the default route.
const DOCUMENTATION_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// What the kernel would send to `address` at most. Connecting a UDP socket sends nothing.
fn route_mtu(address: Ipv4Addr) -> Option<u32> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((address, 9)).ok()?;
    getsockopt(&socket, sockopt::IpMtu).ok()?.try_into().ok()
}

fn parse_routes(table: &str) -> Vec<Route> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // The addresses are in the machine's byte order, as one number.
            let address = |at: usize| {
                let number = u32::from_str_radix(fields.get(at)?, 16).ok()?;
                Some(Ipv4Addr::from(number.to_ne_bytes()))
            };
            Some(Route {
                interface: (*fields.first()?).to_owned(),
                destination: address(1)?,
                prefix: u32::from(address(7)?).count_ones(),
                gateway: address(2).filter(|gateway| !gateway.is_unspecified()),
            })
        })
        .collect()
}

/// The interface of the IPv6 default route. Its table holds an unreachable one on `lo`, too.
fn default_interface_v6(table: &str) -> Option<String> {
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_default = fields.first()?.bytes().all(|digit| digit == b'0') && fields[1] == "00";
        let interface = *fields.last()?;
        (is_default && interface != "lo").then(|| interface.to_owned())
    })
}

fn parse_name_servers(resolv_conf: &str) -> Vec<IpAddr> {
    resolv_conf
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let is_name_server = words.next() == Some("nameserver");
            // A link-local address may name its interface: fe80::1%eth0.
            let address = words.next()?.split('%').next()?;
            address.parse().ok().filter(|_| is_name_server)
        })
        .collect()
}

fn addresses() -> Vec<Address> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter_map(|interface| {
            let address = interface.address?.as_sockaddr_in()?.ip();
            let mask = interface.netmask?.as_sockaddr_in()?.ip();
            Some(Address {
                interface: interface.interface_name,
                address,
                prefix: u32::from(mask).count_ones(),
            })
        })
        .collect()
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |words: Vec<String>| match words.as_slice() {
            [] => "none".to_owned(),
            words => words.join(", "),
        };
        let addresses = self.addresses.iter().map(Address::to_string).collect();
        let servers = self.name_servers.iter().map(IpAddr::to_string).collect();
        match &self.mtu {
            Some(mtu) => write!(f, "network: out by {}, MTU {}", mtu.interface, mtu.bytes)?,
            None => f.write_str("network: no default route")?,
        }
        write!(
            f,
            "; {}; name servers {}; ip_forward {}",
            list(addresses),
            list(servers),
            match self.forwarding {
                Some(on) => u8::from(on).to_string(),
                None => "unknown".into(),
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read in a podman container.
    const ROUTES: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100580A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0";

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_are_read_with_gateway_and_prefix() {
        let routes = parse_routes(ROUTES);
        assert_eq!(routes[0].gateway, Some(Ipv4Addr::new(10, 88, 0, 1)));
        assert_eq!(routes[0].prefix, 0);
        assert_eq!(routes[1].destination, Ipv4Addr::new(10, 88, 0, 0));
        assert_eq!((routes[1].prefix, routes[1].gateway), (16, None));
        assert_eq!(parse_routes("header only\n"), []);
    }

    #[test]
    fn the_way_out_is_found_where_there_is_only_ipv6() {
        let zero = "0".repeat(32);
        let table = format!(
            "{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n\
             {zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00000003 eth1\n"
        );
        assert_eq!(default_interface_v6(&table).as_deref(), Some("eth1"));
        assert_eq!(default_interface_v6(table.lines().next().unwrap()), None);
    }

    #[test]
    fn name_servers_are_read_and_comments_are_not() {
        let text = "# nameserver 1.1.1.1\nsearch a b\nnameserver 127.0.0.11\n\
                    nameserver fe80::1%eth0\noptions ndots:5\nnameserver x\n";
        let servers: Vec<IpAddr> = ["127.0.0.11", "fe80::1"]
            .map(|address| address.parse().unwrap())
            .into();
        assert_eq!(parse_name_servers(text), servers);
    }

    #[test]
    fn the_kernel_tells_a_route_s_own_mtu() {
        let loopback: u32 = fs::read_to_string("/sys/class/net/lo/mtu")
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        // An IPv4 packet has at most 65,535 bytes; the loopback interface claims one more.
        assert_eq!(route_mtu(Ipv4Addr::LOCALHOST), Some(loopback.min(65_535)));
    }
}
