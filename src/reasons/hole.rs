//! The holes in advice, and what fills them.

use super::advice::Executor;

macro_rules! holes {
    ($($(#[$doc:meta])* $hole:ident $name:literal = $example:literal,)+) => {
        /// Something that a case knows, or the service that meets it.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Hole {
            $($(#[$doc])* $hole,)+
        }

        impl Hole {
            /// As a text holds it: `{name}`.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$hole),)+
                    _ => None,
                }
            }

            /// What stands there on the page, and where nobody knows better.
            pub fn example(self) -> &'static str {
                match self {
                    $(Self::$hole => $example,)+
                }
            }
        }
    };
}

holes! {
    /// `DOCKER_TLS_CERTDIR`.
    CertificatesRoot "certificates_root" = "/certs",
    /// Where clients find theirs.
    Certificates "certificates" = "/certs/client",
    /// By which the job calls this service.
    Host "host" = "docker",
    /// On which this service serves.
    Port "port" = "2376",
    /// What `DIND_DOCKERD_ARGS` holds already, and a space.
    Flags "flags" = "",
    /// What `DIND_INSECURE_REGISTRIES` holds already, and a comma.
    Insecure "insecure" = "",
    /// What `NO_PROXY` holds already, and a comma.
    Excepted "excepted" = "",
    /// The name of a variable of dind-init's.
    Variable "variable" = "DIND_ON_FAILURE",
    /// Docker's.
    DataRoot "data_root" = "/var/lib/docker",

    /// A directory that the cause names.
    Directory "directory" = "/certs/client",
    /// The one beside it, with the server's set.
    ServerDirectory "server_directory" = "/certs/server",
    /// A kind of volume, as config.toml spells it.
    Volume "volume" = "secret",
    /// A file that the cause names.
    File "file" = "cert.pem",
    /// Files that are there, and files that are missing.
    There "there" = "ca.pem",
    Missing "missing" = "key.pem",
    /// `"theirs" = "Docker's"`, as in an inline table.
    Items "items" = "\"ca.crt\" = \"ca.pem\", \"tls.crt\" = \"cert.pem\", \"tls.key\" = \"key.pem\"",
    /// A name that a certificate has, and one that it lacks.
    Covered "covered" = "docker",
    Uncovered "uncovered" = "dind",
    /// Names for `DOCKER_TLS_SAN`.
    Names "names" = "DNS:docker,DNS:dind",
    /// For `NO_PROXY`.
    NoProxy "no_proxy" = "docker,localhost,127.0.0.1",
    /// A registry as images name it, and as a file is named after it.
    Registry "registry" = "registry.example.com:5000",
    RegistryFile "registry_file" = "registry.example.com_5000",
    /// An MTU.
    Bytes "bytes" = "1400",
    /// An address for the default bridge, and a range for other networks.
    Bridge "bridge" = "10.213.0.1/24",
    Pool "pool" = "10.214.0.0/16",
    /// A storage driver that works here.
    Driver "driver" = "overlay2",
    /// In GiB.
    Memory "memory" = "4",
    /// A flag of dockerd's, as it was given.
    Flag "flag" = "--mtuu",
    /// A variable that nobody reads, and the flags in it.
    Unread "unread" = "DOCKER_OPTS",
    UnreadFlags "unread_flags" = "--insecure-registry=registry.example.com:5000",
    /// One of dockerd's settings, as daemon.json or the flags call it.
    Setting "setting" = "the setting that the cause is about",
    /// The arguments that were meant, at the place where they were given.
    Corrected "corrected" = "command: [\"--mtu=1400\"]",
    /// The name by which the job calls a service that is not called so.
    Alias "alias" = "docker",
    /// An input of the component.
    Input "input" = "mtu",
    /// 1 for legacy iptables, nothing for nftables.
    Legacy "legacy" = "1",
}

/// What fills the holes of one case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Data(Vec<(Hole, String)>);

impl Data {
    pub fn get(&self, hole: Hole) -> Option<&str> {
        let mut filled = self.0.iter();
        filled
            .find(|(known, _)| *known == hole)
            .map(|(_, value)| value.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<(Hole, String)>> for Data {
    fn from(values: Vec<(Hole, String)>) -> Self {
        Self(values)
    }
}

impl<const N: usize> From<[(Hole, String); N]> for Data {
    fn from(values: [(Hole, String); N]) -> Self {
        Self(values.into())
    }
}

/// What every advice may rest on, whatever was met: how this service is run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Surroundings {
    /// `None` where it is not known.
    pub executor: Option<Executor>,
    pub data: Data,
}

/// What [`Surroundings`] fill.
pub const ALWAYS_KNOWN: &[Hole] = &[
    Hole::CertificatesRoot,
    Hole::Certificates,
    Hole::Host,
    Hole::Port,
    Hole::Flags,
    Hole::Insecure,
    Hole::Excepted,
    Hole::DataRoot,
];

/// The text with its holes filled. Further lines of a value are indented as the first.
pub fn fill(text: &str, value: &impl Fn(Hole) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Hole(hole) => {
                let line = &filled[filled.rfind('\n').map_or(0, |at| at + 1)..];
                let indent = line.len() - line.trim_start_matches(' ').len();
                let break_ = format!("\n{}", " ".repeat(indent));
                filled.push_str(&value(hole).replace('\n', &break_));
            }
        }
    }
    filled
}

/// The holes of a text.
pub fn holes_in(text: &str) -> impl Iterator<Item = Hole> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Hole(hole) => Some(hole),
        Piece::Text(_) => None,
    })
}

enum Piece<'a> {
    Text(&'a str),
    Hole(Hole),
}

/// JSON and inline tables have braces as well: only a hole's name makes them one.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begun, mut from) = (0, 0);
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        from = open + 1;
        let Some(close) = text[open..].find('}').map(|at| at + open) else {
            break;
        };
        if let Some(hole) = Hole::named(&text[open + 1..close]) {
            pieces.push(Piece::Text(&text[begun..open]));
            pieces.push(Piece::Hole(hole));
            (begun, from) = (close + 1, close + 1);
        }
    }
    pieces.push(Piece::Text(&text[begun..]));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_other_braces_stay() {
        let value = |hole: Hole| hole.example().to_owned();
        for (text, filled) in [
            ("at {certificates}.", "at /certs/client."),
            ("{host}{host}", "dockerdocker"),
            ("{\"mtu\": {bytes}}", "{\"mtu\": 1400}"),
            ("{ x = [] } {unknown} {", "{ x = [] } {unknown} {"),
            ("", ""),
        ] {
            assert_eq!(fill(text, &value), filled);
        }
    }

    #[test]
    fn a_value_of_several_lines_keeps_the_indentation() {
        let filled = fill("a\n  {items}\nb", &|_| "1\n2".into());
        assert_eq!(filled, "a\n  1\n  2\nb");
    }
}
