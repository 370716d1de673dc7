//! The networks of inner containers, beside that of the pod.

mod mtu;
mod name_servers;
mod pools;
