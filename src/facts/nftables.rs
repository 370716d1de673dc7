//! What nftables has in the table `filter`, asked of the kernel itself (`man 7 netlink`): a program
//! would have to be of the right kind, and some make tables when they list them.

use std::{ffi::CStr, os::fd::AsRawFd};

use nix::{
    libc,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
        socket,
    },
};

/// Header of a netlink message, and that of netfilter's in it.
const HEADER: usize = 16;
const NETFILTER_HEADER: usize = 4;
const SUBSYSTEM: u16 = (libc::NFNL_SUBSYS_NFTABLES as u16) << 8;
/// `NFTA_TABLE_NAME` and `NFTA_RULE_TABLE` of linux/netfilter/nf_tables.h.
const TABLE: u16 = 1;

/// What can be asked for: each message of the answer is one of them.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Tables,
    Rules,
}

impl Kind {
    fn request(self) -> u16 {
        SUBSYSTEM
            | match self {
                Self::Tables => libc::NFT_MSG_GETTABLE as u16,
                Self::Rules => libc::NFT_MSG_GETRULE as u16,
            }
    }

    fn answer(self) -> u16 {
        SUBSYSTEM
            | match self {
                Self::Tables => libc::NFT_MSG_NEWTABLE as u16,
                Self::Rules => libc::NFT_MSG_NEWRULE as u16,
            }
    }
}

/// IPv4 rules in `filter`, where one that drops also drops what legacy rules let pass. Those in
/// `nat` do not count: an outer Docker puts some there for its name server. `None` where the
/// kernel does not say.
pub fn filter_rules() -> Option<usize> {
    in_filter(Kind::Rules)
}

/// Whether there is a `filter` for IPv4. `None` where the kernel does not say.
pub fn has_filter() -> Option<bool> {
    in_filter(Kind::Tables).map(|tables| tables > 0)
}

/// How many of that kind are `filter`, or belong to it.
fn in_filter(kind: Kind) -> Option<usize> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkNetFilter,
    )
    .ok()?;
    let kernel = NetlinkAddr::new(0, 0);
    sendto(
        socket.as_raw_fd(),
        &request(kind),
        &kernel,
        MsgFlags::empty(),
    )
    .ok()?;
    let mut count = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        // The whole answer is made when it is asked for; nothing is waited for here.
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT).ok()?;
        let (found, is_over) = read(&buffer[..length], kind)?;
        count += found;
        if is_over {
            return Some(count);
        }
    }
}

fn request(kind: Kind) -> Vec<u8> {
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let length = (HEADER + NETFILTER_HEADER) as u32;
    let mut request = Vec::with_capacity(HEADER + NETFILTER_HEADER);
    request.extend(length.to_ne_bytes());
    request.extend(kind.request().to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([libc::AF_INET as u8, 0, 0, 0]);
    request
}

/// How many in one part of the answer, and whether it is the last part.
fn read(mut part: &[u8], kind: Kind) -> Option<(usize, bool)> {
    let mut count = 0;
    while !part.is_empty() {
        let length = u32::from_ne_bytes(part.get(..4)?.try_into().ok()?) as usize;
        let message = u16::from_ne_bytes(part.get(4..6)?.try_into().ok()?);
        let body = part.get(HEADER..length)?;
        match i32::from(message) {
            libc::NLMSG_DONE => return Some((count, true)),
            libc::NLMSG_ERROR => return None,
            _ if message == kind.answer() => {
                let table = attribute(body.get(NETFILTER_HEADER..)?, TABLE);
                count += usize::from(table == Some(c"filter"));
            }
            _ => {}
        }
        part = part.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((count, false))
}

fn attribute(mut list: &[u8], wanted: u16) -> Option<&CStr> {
    loop {
        let length = usize::from(u16::from_ne_bytes(list.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(list.get(2..4)?.try_into().ok()?);
        let value = list.get(4..length)?;
        if kind == wanted {
            return CStr::from_bytes_until_nul(value).ok();
        }
        list = list.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = (HEADER + body.len()) as u32;
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(body);
        message.resize(message.len().next_multiple_of(4), 0);
        message
    }

    fn rule(table: &str) -> Vec<u8> {
        named(Kind::Rules, &[(2, "FORWARD"), (TABLE, table)])
    }

    fn named(kind: Kind, attributes: &[(u16, &str)]) -> Vec<u8> {
        let mut body = vec![2, 0, 0, 0];
        for (name, value) in attributes {
            body.extend((value.len() as u16 + 5).to_ne_bytes());
            body.extend(name.to_ne_bytes());
            body.extend(value.as_bytes());
            body.push(0);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        message(kind.answer(), &body)
    }

    #[test]
    fn rules_of_filter_are_counted_and_those_of_other_tables_are_not() {
        let read = |part: &[u8]| read(part, Kind::Rules);
        let done = message(libc::NLMSG_DONE as u16, &[0; 4]);
        let part = [rule("filter"), rule("nat"), rule("filter")].concat();
        assert_eq!(read(&part), Some((2, false)));
        assert_eq!(read(&[part, done.clone()].concat()), Some((2, true)));
        assert_eq!(read(&done), Some((0, true)));
        assert_eq!(read(&message(libc::NLMSG_ERROR as u16, &[0; 20])), None);
    }

    #[test]
    fn an_answer_that_is_cut_off_is_none() {
        let whole = rule("filter");
        for length in 1..whole.len() {
            assert_eq!(read(&whole[..length], Kind::Rules), None, "{length}");
        }
        // A message that claims no length would be read for ever.
        assert_eq!(read(&[0; 32], Kind::Rules), None);
    }

    #[test]
    fn a_table_is_found_by_its_name_alone() {
        let done = message(libc::NLMSG_DONE as u16, &[0; 4]);
        for (tables, count) in [(&["nat", "filter"][..], 1), (&["filters"], 0), (&[], 0)] {
            let tables: Vec<_> = tables
                .iter()
                .flat_map(|table| named(Kind::Tables, &[(TABLE, table)]))
                .chain(done.clone())
                .collect();
            assert_eq!(read(&tables, Kind::Tables), Some((count, true)));
        }
        // A rule is no table.
        assert_eq!(read(&rule("filter"), Kind::Tables), Some((0, false)));
    }
}
