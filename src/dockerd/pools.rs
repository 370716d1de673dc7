//! The pools of addresses from which Docker's networks get pieces.

use std::{ffi::OsString, fmt};

use serde_json::Value;

use super::{configuration::Configuration, options::flags};
use crate::facts::network::Subnet;

/// A range from which networks get pieces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pool {
    pub base: Subnet,
    /// The prefix length of a piece.
    pub size: u8,
}

/// All pools that were given and are IPv4.
pub fn given(argv: &[OsString], configuration: &Configuration) -> Option<Vec<Pool>> {
    let flags = flags(argv, "default-address-pool", None);
    let pools: Option<Vec<Pool>> = if flags.is_empty() {
        let list = configuration.value("default-address-pools")?.as_array()?;
        let pool = |entry: &Value| {
            let size = entry["size"].as_u64()?.to_string();
            Pool::parse(entry["base"].as_str()?, &size)
        };
        list.iter().map(pool).collect()
    } else {
        flags.iter().map(|text| Pool::parse_flag(text)).collect()
    };
    pools.filter(|pools| !pools.is_empty())
}

/// As dockerd takes it.
impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "base={},size={}", self.base, self.size)
    }
}

impl Pool {
    /// Reads `base=10.0.0.0/8,size=24`.
    fn parse_flag(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut fields = text.split(',').filter_map(|field| field.split_once('='));
            fields.find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
        };
        Self::parse(value("base")?, value("size")?)
    }

    fn parse(base: &str, size: &str) -> Option<Self> {
        let base: Subnet = base.parse().ok()?;
        let size: u8 = size.parse().ok()?;
        (base.prefix..=32)
            .contains(&size)
            .then_some(Self { base, size })
    }

    /// Whether every piece has an address of `taken`, so that none is left.
    pub fn is_used_up(&self, taken: &[Subnet]) -> bool {
        let mut next = u64::from(self.base.first());
        let piece = 1_u64 << (32 - self.size);
        let end = next + self.base.length();
        // Each turn goes behind at least one of `taken`.
        while next < end {
            let from = u32::try_from(next).unwrap_or(u32::MAX);
            let candidate = Subnet::new(from.into(), self.size);
            let Some(other) = taken.iter().find(|other| other.overlaps(&candidate)) else {
                return false;
            };
            let behind = u64::from(other.first()) + other.length();
            next = behind.max(next + piece).next_multiple_of(piece);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &str, daemon_json: &str) -> Option<Vec<Pool>> {
        let argv: Vec<OsString> = arguments.split_whitespace().map(OsString::from).collect();
        super::given(&argv, &Configuration::parse(daemon_json))
    }

    #[test]
    fn pools_are_read_from_flags_and_file() {
        let pool = |base: &str, size| Pool {
            base: base.parse().unwrap(),
            size,
        };
        let both = vec![pool("10.1.0.0/16", 24), pool("10.2.0.0/16", 20)];
        let flags = given(
            "--default-address-pool base=10.1.0.0/16,size=24 --default-address-pool=size=20,base=10.2.0.0/16",
            "",
        );
        assert_eq!(flags.as_ref(), Some(&both));
        let json = r#"{"default-address-pools":
            [{"base": "10.1.0.0/16", "size": 24}, {"base": "10.2.0.0/16", "size": 20}]}"#;
        assert_eq!(given("", json), Some(both));
        for unreadable in [
            "base=10.1.0.0/16",
            "base=fd00::/8,size=64",
            "base=10.0.0.0/24,size=16",
        ] {
            let found = given(&format!("--default-address-pool={unreadable}"), "");
            assert_eq!(found, None, "{unreadable}");
        }
        assert_eq!(given("", ""), None);
    }

    #[test]
    fn a_pool_is_used_up_when_no_piece_of_it_is_free() {
        let pool = Pool::parse_flag("base=10.213.0.0/24,size=25").unwrap();
        let taken = |list: &[&str]| {
            let subnets: Vec<Subnet> = list.iter().map(|text| text.parse().unwrap()).collect();
            pool.is_used_up(&subnets)
        };
        assert!(taken(&["10.213.0.0/24"]) && taken(&["10.0.0.0/8"]));
        assert!(taken(&["10.213.0.7/32", "10.213.0.200/32"]));
        assert!(!taken(&["10.213.0.7/32"]) && !taken(&["10.213.0.128/25"]));
        assert!(!taken(&[]) && !taken(&["10.214.0.0/16"]));
        let whole = Pool::parse_flag("base=0.0.0.0/0,size=32").unwrap();
        assert!(!whole.is_used_up(&["0.0.0.0/1".parse().unwrap()]));
        assert!(whole.is_used_up(&["0.0.0.0/0".parse().unwrap()]));
    }
}
