//! How many rules nftables has in the table `filter`, asked of the kernel itself (`man 7 netlink`):
//! a program would have to be of the right kind, and some make tables when they list them.

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
const GET_RULE: u16 = SUBSYSTEM | libc::NFT_MSG_GETRULE as u16;
const NEW_RULE: u16 = SUBSYSTEM | libc::NFT_MSG_NEWRULE as u16;
/// `NFTA_RULE_TABLE` of linux/netfilter/nf_tables.h.
const TABLE: u16 = 1;

/// IPv4 rules in `filter`, where one that drops also drops what legacy rules let pass. Those in
/// `nat` do not count: an outer Docker puts some there for its name server. `None` where the
/// kernel does not say.
pub fn filter_rules() -> Option<usize> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkNetFilter,
    )
    .ok()?;
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), &request(), &kernel, MsgFlags::empty()).ok()?;
    let mut rules = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        // The whole answer is made when it is asked for; nothing is waited for here.
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT).ok()?;
        let (found, is_over) = read(&buffer[..length])?;
        rules += found;
        if is_over {
            return Some(rules);
        }
    }
}

fn request() -> Vec<u8> {
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let length = (HEADER + NETFILTER_HEADER) as u32;
    let mut request = Vec::with_capacity(HEADER + NETFILTER_HEADER);
    request.extend(length.to_ne_bytes());
    request.extend(GET_RULE.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([libc::AF_INET as u8, 0, 0, 0]);
    request
}

/// The rules of `filter` in one part of the answer, and whether it is the last part.
fn read(mut part: &[u8]) -> Option<(usize, bool)> {
    let mut rules = 0;
    while !part.is_empty() {
        let length = u32::from_ne_bytes(part.get(..4)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(part.get(4..6)?.try_into().ok()?);
        let body = part.get(HEADER..length)?;
        match i32::from(kind) {
            libc::NLMSG_DONE => return Some((rules, true)),
            libc::NLMSG_ERROR => return None,
            _ if kind == NEW_RULE => {
                let table = attribute(body.get(NETFILTER_HEADER..)?, TABLE);
                rules += usize::from(table == Some(c"filter"));
            }
            _ => {}
        }
        part = part.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((rules, false))
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
        let mut body = vec![2, 0, 0, 0];
        for (kind, value) in [(2_u16, "FORWARD"), (TABLE, table)] {
            body.extend((value.len() as u16 + 5).to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(value.as_bytes());
            body.push(0);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        message(NEW_RULE, &body)
    }

    #[test]
    fn rules_of_filter_are_counted_and_those_of_other_tables_are_not() {
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
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
        // A message that claims no length would be read for ever.
        assert_eq!(read(&[0; 32]), None);
    }
}
