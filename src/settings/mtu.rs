//! The MTU of Docker's networks.

use super::{Environment, InvalidVariable, inputs, values::parse_number, variables::MTU};

/// `DIND_MTU`: the MTU of Docker's networks, where dockerd's own configuration does not say it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MtuWish {
    /// That of this container's way out.
    #[default]
    Auto,
    /// dockerd's own.
    Off,
    Bytes(u16),
}

impl MtuWish {
    pub(super) fn parse(environment: Environment<'_>) -> Result<Self, InvalidVariable> {
        match inputs::value(environment, &MTU) {
            None => Ok(Self::Auto),
            Some((_, value)) if value == "auto" => Ok(Self::Auto),
            Some((_, value)) if value == "off" => Ok(Self::Off),
            Some((name, value)) => parse_number(&MTU, name, value).map(Self::Bytes),
        }
    }
}
