//! dockerd's networks beside this container's.

use crate::{
    adjustments::{Adjustments, Mtu, pools::Neighbour},
    dockerd::options::Options,
    facts::network::Network,
    findings,
    trials::names::Resolution,
};

/// Makes the packets of dockerd's networks fit this container's, or says where they do not.
///
/// `mtu`: what dockerd is to be told; `knows_option`: what it may be told of networks that jobs make.
pub fn adjust_mtu(
    adjustments: &mut Adjustments,
    mtu: Option<Mtu>,
    knows_option: bool,
    options: &Options,
    network: &Network,
) {
    match mtu {
        Some(mtu) => {
            adjustments.pass_mtu(mtu, options, network, knows_option);
            let too_large = mtu
                .is_given
                .then(|| findings::network::mtu(network, options));
            adjustments.findings.extend(too_large.flatten());
        }
        None => {
            let found = findings::network::mtu(network, options)
                .or_else(|| findings::network::mtu_of_the_job_s_networks(network, options));
            adjustments.findings.extend(found);
        }
    }
}

/// Keeps dockerd's networks away from others, or says where they are not.
///
/// `names`: of whom they are to keep away besides; `None` where they are not ours to choose.
pub fn adjust_pools(
    adjustments: &mut Adjustments,
    names: Option<Resolution>,
    options: &Options,
    network: &Network,
) {
    match names {
        Some(names) => {
            let addresses = names.finish().into_iter();
            let others: Vec<_> = addresses
                .map(|(what, address)| Neighbour { what, address })
                .collect();
            adjustments.move_pools(network, &others);
        }
        None => {
            let found = findings::network::pool_overlap(network, options);
            adjustments.findings.extend(found);
        }
    }
}
