//! What a dind service will serve, by what the file says.

use std::ffi::OsString;

use super::{
    runner::SOCKETS,
    service::Service,
    surroundings::Surroundings,
    variables::{Known, Variables},
};
use crate::{
    dockerd::{
        configuration::Configuration,
        flags::{Flags, Invocation},
        hosts::{OwnHosts, PLAIN_PORT, TLS_PORT, tcp_port},
    },
    facts::client::DockerHost,
    findings::client::{self, Served},
    settings::subject_names::SubjectName,
};

/// What docker:dind images, and ours, have in `DOCKER_TLS_CERTDIR`.
const DEFAULT_CERTIFICATES: &str = "/certs";
const CERTIFICATES: &str = "DOCKER_TLS_CERTDIR";

/// The official image's own entrypoint, which a command may name once more.
const ENTRYPOINT: &str = "dockerd-entrypoint.sh";

/// How the containers of one pod call each other.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// `None` where it cannot be told: a command or entrypoint of the user's own, TLS by flags, or
/// variables that are not in the file.
pub fn served(service: &Service, job: &Variables, surroundings: &Surroundings) -> Option<Served> {
    let names = names(service, surroundings);
    let unix = match job.literal("DOCKER_HOST").as_deref().map(DockerHost::parse) {
        Some(DockerHost::Unix(path)) => path,
        _ => SOCKETS[0].into(),
    };
    let unix_is_shared =
        surroundings.has_node_socket || !SOCKETS.iter().any(|own| unix.as_os_str() == *own);
    let words = match invocation(service)? {
        Invocation::Defaults(words) => words,
        // Without a port it is told apart.
        Invocation::Dockerd(_) => {
            let served = client::own_hosts::served(&own_hosts(service)?, names, unix_is_shared)?;
            return Some(Served { unix, ..served });
        }
        Invocation::Client(_) => return None,
    };
    let flags = Flags::parse(&with_variable(service, words)?);
    let tls = tls_directory(service, &flags)?;
    Some(Served {
        tls: tls != Tls::Off,
        port: match tls {
            Tls::Off => PLAIN_PORT,
            Tls::Made(_) => TLS_PORT,
        },
        further_ports: flags.hosts.iter().filter_map(|it| tcp_port(it)).collect(),
        names,
        client_certificates: match tls {
            Tls::Made(directory) => {
                Some(format!("{}/client", directory.trim_end_matches('/')).into())
            }
            Tls::Off => None,
        },
        unix,
        unix_is_shared,
    })
}

/// The ports on which it may serve, the likeliest first; `None` where that cannot be told.
pub fn ports(service: &Service) -> Option<Vec<u16>> {
    let invocation = invocation(service)?;
    let is_explicit = matches!(invocation, Invocation::Dockerd(_));
    let (Invocation::Defaults(words) | Invocation::Dockerd(words)) = invocation else {
        return None;
    };
    let flags = Flags::parse(&with_variable(service, words)?);
    let further: Vec<u16> = flags.hosts.iter().filter_map(|it| tcp_port(it)).collect();
    if is_explicit {
        return (!further.is_empty()).then_some(further);
    }
    // What a runner's service gets of the job is not known here.
    let may_be_said_by_job =
        service.is_the_runners && matches!(service.variables.get(CERTIFICATES), Known::Unset);
    let tls = tls_directory(service, &flags).filter(|_| !may_be_said_by_job);
    let own: &[u16] = match tls {
        Some(Tls::Off) => &[PLAIN_PORT],
        Some(Tls::Made(_)) => &[TLS_PORT],
        None => &[TLS_PORT, PLAIN_PORT],
    };
    Some(own.iter().copied().chain(further).collect())
}

/// Where it listens, if its command starts dockerd itself; `None` where that is not all in sight.
pub fn own_hosts(service: &Service) -> Option<OwnHosts> {
    let Invocation::Dockerd(words) = invocation(service)? else {
        return None;
    };
    let words = with_variable(service, words)?;
    let flags = Flags::parse(&words);
    let is_known = flags.config_file.is_none() && !flags.hosts.iter().any(|it| it.contains('$'));
    is_known.then(|| OwnHosts::of_a_command(&words, &Configuration::default()))
}

/// The names by which the job's clients reach it.
pub fn names(service: &Service, surroundings: &Surroundings) -> Vec<SubjectName> {
    let mut names = service.names();
    if surroundings.in_kubernetes == Some(true) {
        names.extend(LOOPBACK.map(str::to_owned));
    }
    let hosts = names.iter().filter_map(|name| SubjectName::from_host(name));
    hosts.collect()
}

/// The service's environment, with what its image has.
pub fn variable(service: &Service, name: &str) -> Option<String> {
    match service.variables.get(name) {
        Known::Unset if name == CERTIFICATES => Some(DEFAULT_CERTIFICATES.to_owned()),
        _ => service.variables.literal(name),
    }
}

/// dockerd's flags, as far as the service's command says them.
pub fn flags(service: &Service) -> Vec<OsString> {
    match invocation(service) {
        Some(Invocation::Defaults(words) | Invocation::Dockerd(words)) => words,
        _ => Vec::new(),
    }
}

/// dockerd's flags, where nothing between the file and dockerd expands them.
pub fn literal_flags(service: &Service) -> Vec<OsString> {
    let given = [&service.entrypoint, &service.command];
    let words = given
        .into_iter()
        .flatten()
        .filter_map(|it| it.words.as_ref());
    match words.flatten().any(|word| is_shell(word)) {
        true => Vec::new(),
        false => flags(service),
    }
}

/// Those of `DIND_DOCKERD_ARGS`, as far as they can be read.
pub fn further_flags(service: &Service) -> Vec<OsString> {
    with_variable(service, Vec::new()).unwrap_or_default()
}

/// What the official entrypoint makes of the service's command; `None` where not all of it is in
/// sight.
fn invocation(service: &Service) -> Option<Invocation> {
    let mut words = Vec::new();
    if let Some(entrypoint) = &service.entrypoint {
        words.extend(entrypoint.words.clone()?);
    }
    if let Some(command) = &service.command {
        words.extend(command.words.clone()?);
    }
    let has_entrypoint = service.entrypoint.is_some();
    let words = without_environment(words);
    let words = shell_words_after_entrypoint(&words, service).unwrap_or(words);
    let is_entrypoint = |word: &String| word.rsplit('/').next() == Some(ENTRYPOINT);
    match words.first() {
        Some(first) if is_entrypoint(first) => {
            Some(Invocation::parse(os_strings(words[1..].to_vec())))
        }
        // Another program, which may do anything.
        _ if has_entrypoint && !words.is_empty() => match words[0].as_str() {
            "dockerd" => Some(Invocation::Dockerd(os_strings(words))),
            _ => None,
        },
        _ => Some(Invocation::parse(os_strings(words))),
    }
}

/// Without `env -u NAME` and what is like it before the program.
fn without_environment(words: Vec<String>) -> Vec<String> {
    if words.first().is_none_or(|word| word != "env") {
        return words;
    }
    let mut rest = words[1..].iter().peekable();
    while let Some(word) = rest.peek() {
        match word.as_str() {
            "-u" | "--unset" => {
                rest.next();
                rest.next();
            }
            word if word.starts_with('-') || word.contains('=') => {
                rest.next();
            }
            _ => break,
        }
    }
    rest.cloned().collect()
}

/// The words of the last command of `sh -c "…"` that is the entrypoint, if it is a plain one,
/// with what the shell puts in.
fn shell_words_after_entrypoint(words: &[String], service: &Service) -> Option<Vec<String>> {
    let [shell, option, script] = words else {
        return None;
    };
    if !is_shell(shell) || !option.starts_with('-') || script.contains("DOCKER_TLS_CERTDIR") {
        return None;
    }
    let at = script.rfind(ENTRYPOINT)?;
    let rest = &script[at..];
    let end = rest.find([';', '&', '|', '\n', '>', '<']);
    let command = service.variables.expand(&rest[..end.unwrap_or(rest.len())]);
    shell_words::split(&command.text).ok()
}

fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    ["sh", "bash", "ash"].contains(&name)
}

/// With the flags of `DIND_DOCKERD_ARGS`; few set it, and fewer for another port.
fn with_variable(service: &Service, mut words: Vec<OsString>) -> Option<Vec<OsString>> {
    if let Known::Set(more) = service.variables.expanded("DIND_DOCKERD_ARGS") {
        words.extend(os_strings(shell_words::split(&more.text).ok()?));
    }
    Some(words)
}

/// How dockerd serves.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Tls {
    Off,
    /// With certificates that are made below this directory.
    Made(String),
}

/// By `DOCKER_TLS_CERTDIR`, as the entrypoint has it. It is `--tlsverify` that turns it on, which wins
/// over `--tls=false` (moby cmd/dockerd).
fn tls_directory(service: &Service, flags: &Flags) -> Option<Tls> {
    let is_other = |flag: &OsString| {
        let flag = flag.to_string_lossy();
        flag.starts_with("--tlsverify") || flag == "--tls" || flag == "--tls=true"
    };
    if flags.others.iter().any(is_other) {
        return None;
    }
    let directory = match service.variables.expanded(CERTIFICATES) {
        // A reference alone may turn out to be empty.
        Known::Set(directory) if is_reference(&directory.text) => return None,
        Known::Set(directory) => directory.text,
        Known::Unset => DEFAULT_CERTIFICATES.to_owned(),
        Known::Unknown => return None,
    };
    Some(match directory.is_empty() {
        true => Tls::Off,
        false => Tls::Made(directory),
    })
}

fn is_reference(text: &str) -> bool {
    text.starts_with('$') && !text.contains('/')
}

fn os_strings(words: Vec<String>) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}
